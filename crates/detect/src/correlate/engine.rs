//! The correlator: routes matches to rules and groups, emits findings, expires and evicts.

use super::key::{Item, Key, Outcome};
use super::open::{Open, SampleRef, group_value, hash, label, plain_group};
use super::plan::{Feed, INDICATOR, Join, LATENESS, Plan};
use super::state::{Limits, Place, RuleState, RuleStats, Subject};
use super::stream::Streams;
use super::upkeep::sweep_pause;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use yagura_event::time::{DAY, HOUR};
use yagura_event::{EventId, Finding, FindingId, Lsn, Match, Micros, TenantName};

/// How far before its receipt a live event's time may lie; older ones are clamped.
const PAST_MAX: Micros = 7 * DAY;

/// How far after its receipt; later ones are clamped.
const FUTURE_MAX: Micros = HOUR;

/// Samples that a burst hands on to the correlations above it: its first ones and its newest.
const BURST_SAMPLES: usize = 5;

/// Whether versions are emitted as they come, or each finding once when it has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Mode {
    Live,
    Batch,
}

/// Everything a snapshot holds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub mode: Mode,
    pub now: Micros,
    pub streams: Streams,
    pub streams_sweep_at: Micros,
    pub tenants: BTreeMap<String, Tenant>,
    /// (tenant, rule, group) of findings that wait for their next version.
    pub changed: BTreeSet<(String, String, String)>,
    /// (time, tenant, rule) of the next searches for what has expired.
    pub sweeps: BTreeSet<(Micros, String, String)>,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Tenant {
    pub rules: BTreeMap<String, RuleState>,
    pub bytes: usize,
}

/// Turns matches into findings; see the module's description.
///
/// Deterministic: the same plan, limits and calls yield the same findings, to the byte, also
/// with [`Correlator::snapshot`] and [`Correlator::restore`] anywhere between two calls.
#[derive(Clone, Debug)]
pub struct Correlator {
    pub(super) plan: Arc<Plan>,
    pub(super) limits: Limits,
    pub(super) state: State,
}

/// One match or burst on its way to the correlations it feeds.
struct Signal {
    /// The rule or correlation it comes from.
    rule: String,
    keys: Vec<(String, String)>,
    time: Micros,
    event: u128,
    samples: Vec<SampleRef>,
    burst: bool,
}

/// What stays the same while one match is worked on.
struct Turn<'a> {
    tenant: &'a TenantName,
    stream: u64,
    watermark: Option<Micros>,
    clamped: bool,
    lsn: Lsn,
}

impl Correlator {
    /// A correlator for live matches, without any state.
    pub fn new(plan: Arc<Plan>, limits: Limits) -> Self {
        Self::with_mode(plan, limits, Mode::Live)
    }

    pub(super) fn with_mode(plan: Arc<Plan>, limits: Limits, mode: Mode) -> Self {
        let state = State {
            mode,
            now: 0,
            streams: Streams::default(),
            streams_sweep_at: 0,
            tenants: BTreeMap::new(),
            changed: BTreeSet::new(),
            sweeps: BTreeSet::new(),
        };
        Self { plan, limits, state }
    }

    /// Takes one match, in the journal's order and once; `lsn` is the position of its record.
    /// New findings are appended to `out`; changed ones follow at a tick.
    pub fn on_match(&mut self, lsn: Lsn, m: &Match, out: &mut Vec<Finding>) {
        let (time, received, stream) = match self.state.mode {
            // A batch has one clock, the time of its events, and one order.
            Mode::Batch => (m.time, m.time, 0),
            Mode::Live => {
                let past = m.received_time.saturating_sub(PAST_MAX);
                let future = m.received_time.saturating_add(FUTURE_MAX);
                (m.time.clamp(past, future), m.received_time, m.stream)
            }
        };
        self.state.now = self.state.now.max(received);
        if self.plan.wants(&m.rule)
            && let Ok(tenant) = TenantName::new(&m.tenant)
        {
            let turn = Turn {
                tenant: &tenant,
                stream,
                watermark: self.state.streams.watermark(stream),
                clamped: time != m.time,
                lsn,
            };
            self.take(&turn, m, time, out);
        }
        self.state.streams.advance(stream, time, received);
    }

    /// A record of `stream` was processed: call it after the record's matches (or after a run
    /// of records of one stream, with the newest event time). `on_match` does it as well, so
    /// that only progress without matches has to be told.
    pub fn on_stream(&mut self, stream: u64, event_time: Micros, journal_time: Micros) {
        self.state.now = self.state.now.max(journal_time);
        self.state.streams.advance(stream, event_time, journal_time);
    }

    /// The journal's clock: call it at least once a second of journal time. Appends the next
    /// version of findings that changed, and forgets what has expired.
    pub fn on_tick(&mut self, journal_time: Micros, lsn: Lsn, out: &mut Vec<Finding>) {
        self.state.now = self.state.now.max(journal_time);
        self.update(lsn, out);
        self.sweep_due(lsn, out);
    }

    /// Counters per tenant and rule, sorted.
    pub fn stats(&self) -> Vec<(String, String, RuleStats)> {
        let tenants = self.state.tenants.iter();
        tenants
            .flat_map(|(tenant, all)| {
                let rules = all.rules.iter();
                rules.map(move |(rule, state)| (tenant.clone(), rule.clone(), state.stats))
            })
            .collect()
    }

    /// Memory held, in bytes, estimated.
    pub fn bytes(&self) -> usize {
        self.state.tenants.values().map(|tenant| tenant.bytes).sum()
    }

    fn take(&mut self, turn: &Turn<'_>, m: &Match, time: Micros, out: &mut Vec<Finding>) {
        let plan = Arc::clone(&self.plan);
        let sample = SampleRef::of(m);
        if plan.rule(&m.rule).is_some_and(|rule| rule.finding) {
            self.take_plain(turn, m, time, &sample, out);
        }
        if plan.feeds(&m.rule).is_empty() {
            return;
        }
        let mut signals = VecDeque::from([Signal {
            rule: m.rule.clone(),
            keys: m.keys.clone(),
            time,
            event: m.event,
            samples: vec![sample],
            burst: false,
        }]);
        // Ends, since a plan has no circles.
        while let Some(signal) = signals.pop_front() {
            for feed in plan.feeds(&signal.rule) {
                signals.extend(self.take_correlation(turn, &plan, *feed, &signal, out));
            }
        }
    }

    fn take_plain(
        &mut self,
        turn: &Turn<'_>,
        m: &Match,
        time: Micros,
        sample: &SampleRef,
        out: &mut Vec<Finding>,
    ) {
        let plan = Arc::clone(&self.plan);
        let Some(subject) = Subject::find(&plan, &m.rule) else { return };
        let values = match m.key(INDICATOR) {
            Some(value) if subject.rule.indicator => {
                vec![(INDICATOR.to_owned(), group_value(value))]
            }
            _ => plain_group(m),
        };
        let group = label(&values);
        let state = self.rule_state(turn, subject);
        let key = state.keys.entry(group.clone()).or_insert_with(|| Key::new(values));
        key.newest = key.newest.max(time);
        let known = key.open.iter().position(|open| open.contains(time));
        let at = known.unwrap_or_else(|| {
            let id = FindingId::new(turn.tenant, &m.rule, &group, EventId(m.event)).0;
            let start = time.saturating_sub(LATENESS);
            let limit = time.saturating_add(subject.rule.suppress);
            key.open.push(Open::new(id, start, limit, Micros::MAX, time));
            key.open.len() - 1
        });
        if let Some(open) = key.open.get_mut(at) {
            open.add(time, 1, std::slice::from_ref(sample));
        }
        self.show(turn, subject, (&group, at), known.is_none(), out);
        self.settle(turn, subject, &group, out);
    }

    fn take_correlation(
        &mut self,
        turn: &Turn<'_>,
        plan: &Plan,
        feed: Feed,
        signal: &Signal,
        out: &mut Vec<Finding>,
    ) -> Option<Signal> {
        let correlation = plan.correlations().get(feed.correlation)?;
        let subject = Subject { rule: &correlation.rule, correlation: Some(correlation) };
        let state = self.rule_state(turn, subject);
        let allowed = correlation.lateness.saturating_add(correlation.timespan);
        let late = |mark: Micros| signal.time < mark.saturating_sub(allowed);
        if !signal.burst && turn.watermark.is_some_and(late) {
            state.stats.late += 1;
            return None;
        }
        let Some(values) = pick(&signal.keys, &correlation.group_by) else {
            state.stats.ungrouped += 1;
            return None;
        };
        let value = match correlation.join {
            Join::Values(_) => {
                let Some(counted) = pick(&signal.keys, &correlation.fields) else {
                    state.stats.ungrouped += 1;
                    return None;
                };
                hash(&counted.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>())
            }
            Join::Temporal(_) | Join::Ordered => u64::from(feed.slot),
            Join::Count(_) | Join::Periodic(_) => 0,
        };
        let group = label(&values);
        let item = Item {
            time: signal.time,
            event: signal.event,
            slot: feed.slot,
            value,
            samples: &signal.samples,
            burst: signal.burst,
        };
        let key = state.keys.entry(group.clone()).or_insert_with(|| Key::new(values));
        let (outcome, dropped) = key.accept(correlation, &item, |event| {
            FindingId::new(turn.tenant, &correlation.rule.id, &group, EventId(event)).0
        });
        state.stats.dropped += dropped;
        state.stats.repeats += u64::from(!signal.burst && outcome == Outcome::Repeat);
        let mut burst = None;
        if let Outcome::Fired(at) | Outcome::Extended(at) = outcome {
            let key = state.keys.get(&group);
            burst = key.and_then(|key| burst_of(&correlation.rule.id, key, at));
            let new = matches!(outcome, Outcome::Fired(_));
            self.show(turn, subject, (&group, at), new, out);
        }
        self.settle(turn, subject, &group, out);
        burst
    }

    /// The state of a rule, with the match counted.
    fn rule_state(&mut self, turn: &Turn<'_>, subject: Subject<'_>) -> &mut RuleState {
        let tenant = turn.tenant.as_str();
        let all = self.state.tenants.entry(tenant.to_owned()).or_default();
        let state = all.rules.entry(subject.rule.id.clone()).or_insert_with(|| RuleState {
            fingerprint: subject.fingerprint(),
            ..RuleState::default()
        });
        state.stats.matches += 1;
        state.stats.clamped += u64::from(turn.clamped);
        state.feed(turn.stream);
        if state.sweep_at.is_none() {
            let at = self.state.now.saturating_add(sweep_pause(subject));
            state.sweep_at = Some(at);
            self.state.sweeps.insert((at, tenant.to_owned(), subject.rule.id.clone()));
        }
        state
    }

    /// Emits a new finding if the budget allows, else notes that it changed.
    fn show(
        &mut self,
        turn: &Turn<'_>,
        subject: Subject<'_>,
        (group, at): (&str, usize),
        new: bool,
        out: &mut Vec<Finding>,
    ) {
        if !subject.rule.finding {
            return;
        }
        let (tenant, rule, now) = (turn.tenant.as_str(), &subject.rule.id, self.state.now);
        let mode = self.state.mode;
        let Some(state) = self.state.tenants.get_mut(tenant).and_then(|t| t.rules.get_mut(rule))
        else {
            return;
        };
        let open = state.keys.get(group).and_then(|key| key.open.get(at));
        let Some(begun) = open.map(|open| open.begun) else { return };
        let begin = !begun && state.afford(now, &self.limits);
        state.stats.over_budget += u64::from(new && !begin);
        let Some(key) = state.keys.get_mut(group) else { return };
        let Some(open) = key.open.get_mut(at) else { return };
        open.begun |= begin;
        if mode == Mode::Batch || !open.begun {
            return;
        }
        if begin {
            let place = Place { tenant, group, values: &key.values };
            out.push(subject.emit(&place, open, now, turn.lsn));
        } else if open.changed && !open.queued {
            open.queued = true;
            let queued = (tenant.to_owned(), rule.clone(), group.to_owned());
            self.state.changed.insert(queued);
        }
    }

    /// Brings memory counts in step after a group changed and evicts if need be.
    fn settle(
        &mut self,
        turn: &Turn<'_>,
        subject: Subject<'_>,
        group: &str,
        out: &mut Vec<Finding>,
    ) {
        let (tenant, rule) = (turn.tenant.as_str(), subject.rule.id.as_str());
        let Some(all) = self.state.tenants.get_mut(tenant) else { return };
        let Some(state) = all.rules.get_mut(rule) else { return };
        let change = state.resize(group);
        all.bytes = all.bytes.saturating_add_signed(change);
        if state.bytes > self.limits.rule_bytes_max {
            self.evict(tenant, rule, self.limits.rule_bytes_max / 10 * 9, turn.lsn, out);
        }
        let Some(all) = self.state.tenants.get(tenant) else { return };
        if all.bytes > self.limits.tenant_bytes_max {
            let largest = all.rules.iter().max_by_key(|(_, state)| state.bytes);
            if let Some((rule, bytes)) = largest.map(|(id, state)| (id.clone(), state.bytes)) {
                self.evict(tenant, &rule, bytes / 10 * 9, turn.lsn, out);
            }
        }
    }
}

/// The values of `fields`, folded as groups compare them; `None` if one is absent or empty.
fn pick(keys: &[(String, String)], fields: &[String]) -> Option<Vec<(String, String)>> {
    let of = |field: &String| {
        let (_, value) = keys.iter().find(|(name, _)| name == field)?;
        let named = !value.is_empty() && value != "-";
        named.then(|| (field.clone(), group_value(value)))
    };
    fields.iter().map(of).collect()
}

fn burst_of(rule: &str, key: &Key, at: usize) -> Option<Signal> {
    let open = key.open.get(at)?;
    let mut samples: Vec<SampleRef> =
        open.samples.iter().take(BURST_SAMPLES - 1).cloned().collect();
    if open.samples.len() >= BURST_SAMPLES {
        samples.extend(open.samples.last().cloned());
    }
    Some(Signal {
        rule: rule.to_owned(),
        keys: key.values.clone(),
        time: open.last,
        event: open.id,
        samples,
        burst: true,
    })
}
