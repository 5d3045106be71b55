//! Upkeep of the correlator: next versions, expiry, eviction, a change of plan.

use super::engine::{Correlator, Mode};
use super::open::Open;
use super::plan::Plan;
use super::state::{Place, RuleState, Subject};
use std::sync::Arc;
use yagura_event::time::{MINUTE, SECOND};
use yagura_event::{Finding, Lsn, Micros};

impl Correlator {
    /// Puts another plan in force. State of rules whose meaning changed, or that are gone, is
    /// dropped after a last version of its changed findings.
    pub fn replace_plan(&mut self, plan: Arc<Plan>, lsn: Lsn, out: &mut Vec<Finding>) {
        let mut gone = Vec::new();
        for (tenant, all) in &self.state.tenants {
            for (rule, state) in &all.rules {
                let same = Subject::find(&plan, rule)
                    .is_some_and(|subject| subject.fingerprint() == state.fingerprint);
                if !same {
                    gone.push((tenant.clone(), rule.clone()));
                }
            }
        }
        for (tenant, rule) in &gone {
            self.evict(tenant, rule, 0, lsn, out);
            if let Some(all) = self.state.tenants.get_mut(tenant) {
                all.rules.remove(rule);
            }
        }
        let dropped = |t: &String, r: &String| gone.iter().any(|(gt, gr)| gt == t && gr == r);
        self.state.sweeps.retain(|(_, tenant, rule)| !dropped(tenant, rule));
        self.state.changed.retain(|(tenant, rule, _)| !dropped(tenant, rule));
        self.plan = plan;
    }

    /// Forgets everything of a tenant, without a last word.
    pub fn forget_tenant(&mut self, tenant: &str) {
        self.state.tenants.remove(tenant);
        self.state.sweeps.retain(|(_, of, _)| of != tenant);
        self.state.changed.retain(|(of, _, _)| of != tenant);
    }

    /// Takes memory from a rule until it uses at most `target` bytes.
    pub(super) fn evict(
        &mut self,
        tenant: &str,
        rule: &str,
        target: usize,
        lsn: Lsn,
        out: &mut Vec<Finding>,
    ) {
        let plan = Arc::clone(&self.plan);
        let Some(subject) = Subject::find(&plan, rule) else { return };
        let (mode, now) = (self.state.mode, self.state.now);
        let Some(all) = self.state.tenants.get_mut(tenant) else { return };
        let Some(state) = all.rules.get_mut(rule) else { return };
        let before = state.bytes;
        for (group, mut key) in state.evict(subject, target) {
            for open in &mut key.open {
                let place = Place { tenant, group: &group, values: &key.values };
                out.extend(last_version(mode, subject, &place, open, now, lsn));
            }
        }
        all.bytes = all.bytes.saturating_sub(before - state.bytes);
    }

    /// The next version of findings that changed and have waited long enough.
    pub(super) fn update(&mut self, lsn: Lsn, out: &mut Vec<Finding>) {
        let plan = Arc::clone(&self.plan);
        let now = self.state.now;
        for (tenant, rule, group) in std::mem::take(&mut self.state.changed) {
            let Some(subject) = Subject::find(&plan, &rule) else { continue };
            let all = self.state.tenants.get_mut(&tenant);
            let state = all.and_then(|all| all.rules.get_mut(&rule));
            let Some(key) = state.and_then(|state| state.keys.get_mut(&group)) else { continue };
            let mut waits = false;
            for open in key.open.iter_mut().filter(|open| open.queued) {
                if open.due(now) {
                    let place = Place { tenant: &tenant, group: &group, values: &key.values };
                    out.push(subject.emit(&place, open, now, lsn));
                } else {
                    waits = true;
                }
            }
            if waits {
                self.state.changed.insert((tenant, rule, group));
            }
        }
    }

    pub(super) fn sweep_due(&mut self, lsn: Lsn, out: &mut Vec<Finding>) {
        let now = self.state.now;
        while self.state.sweeps.first().is_some_and(|(at, _, _)| *at <= now) {
            let Some((_, tenant, rule)) = self.state.sweeps.pop_first() else { break };
            self.sweep(&tenant, &rule, None, lsn, out);
            let all = self.state.tenants.get_mut(&tenant);
            let Some(state) = all.and_then(|all| all.rules.get_mut(&rule)) else { continue };
            state.sweep_at = None;
            let subject = Subject::find(&self.plan, &rule);
            if let Some(subject) = subject.filter(|_| !state.keys.is_empty()) {
                let at = now.saturating_add(sweep_pause(subject));
                state.sweep_at = Some(at);
                self.state.sweeps.insert((at, tenant, rule));
            }
        }
        if now >= self.state.streams_sweep_at {
            self.state.streams.expire(now);
            self.state.streams_sweep_at = now.saturating_add(10 * MINUTE);
        }
    }

    /// Forgets what no event can meet any more; `floor` where it is known from elsewhere.
    pub(super) fn sweep(
        &mut self,
        tenant: &str,
        rule: &str,
        floor: Option<Micros>,
        lsn: Lsn,
        out: &mut Vec<Finding>,
    ) {
        let plan = Arc::clone(&self.plan);
        let Some(subject) = Subject::find(&plan, rule) else { return };
        let (mode, now) = (self.state.mode, self.state.now);
        let Some(all) = self.state.tenants.get_mut(tenant) else { return };
        let Some(state) = all.rules.get_mut(rule) else { return };
        let floor = floor.unwrap_or_else(|| match mode {
            // A batch comes in order of time.
            Mode::Batch => now,
            Mode::Live => {
                let reach = subject.span().saturating_add(subject.lateness());
                let since = now.saturating_sub(reach);
                match self.state.streams.floor(&mut state.feeding, since) {
                    Micros::MAX => Micros::MAX,
                    mark => mark.saturating_sub(reach),
                }
            }
        });
        let span = subject.correlation.map_or(0, |plan| plan.timespan);
        let before = state.bytes;
        let RuleState { keys, bytes, .. } = state;
        keys.retain(|group, key| {
            for mut open in key.expire(span, floor) {
                let place = Place { tenant, group, values: &key.values };
                out.extend(last_version(mode, subject, &place, &mut open, now, lsn));
            }
            let size = if key.is_empty() { 0 } else { key.bytes() + 2 * group.len() };
            *bytes = bytes.saturating_sub(key.size) + size;
            key.size = size;
            size > 0
        });
        all.bytes = all.bytes.saturating_sub(before.saturating_sub(*bytes));
    }
}

/// What has to be said of a finding that is about to be forgotten.
fn last_version(
    mode: Mode,
    subject: Subject<'_>,
    place: &Place<'_>,
    open: &mut Open,
    now: Micros,
    lsn: Lsn,
) -> Option<Finding> {
    let unsaid = mode == Mode::Batch || open.changed;
    (open.begun && unsaid).then(|| subject.emit(place, open, now, lsn))
}

/// Journal time between two searches for what has expired.
pub(super) fn sweep_pause(subject: Subject<'_>) -> Micros {
    (subject.span() / 2).clamp(SECOND, 10 * MINUTE)
}
