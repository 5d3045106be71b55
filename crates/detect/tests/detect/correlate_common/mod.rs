//! What the correlation tests share: plans, matches, a driver and a naive reference.
use std::collections::BTreeMap;
use std::sync::Arc;
use yagura_detect::correlate::{
    BatchCorrelator, CorrelationPlan, Correlator, Join, Limits, Plan, RulePlan,
};
use yagura_event::time::{DAY, HOUR, SECOND};
use yagura_event::{
    EventId, Finding, FindingId, Level, Lsn, Match, Micros, Observable, ObservableKind, Party,
    Role, Sample, TenantName,
};

/// 2026-01-01T00:00:00Z.
pub const T0: Micros = 1_767_225_600 * SECOND;

pub fn rule(id: &str, finding: bool) -> RulePlan {
    RulePlan {
        id: id.into(),
        version: String::new(),
        title: format!("Rule {id}"),
        level: Level::Medium,
        tags: vec!["attack.t1110".into()],
        finding,
        suppress: HOUR,
        indicator: false,
    }
}

pub fn correlation(id: &str, join: Join, refers: &[&str], timespan: Micros) -> CorrelationPlan {
    CorrelationPlan {
        rule: RulePlan { suppress: DAY, ..rule(id, true) },
        join,
        refers: refers.iter().map(|id| (*id).to_owned()).collect(),
        group_by: vec!["g".into()],
        fields: vec!["v".into()],
        timespan,
        lateness: 60 * SECOND,
    }
}

/// Silent rules `r0` to `r3` and the given correlations.
pub fn plan(correlations: Vec<CorrelationPlan>) -> Arc<Plan> {
    let rules = (0..4).map(|n| rule(&format!("r{n}"), false)).collect();
    let (plan, errors) = Plan::build(rules, correlations);
    assert_eq!(errors, []);
    Arc::new(plan)
}

/// A match at `T0 + seconds`, received at once.
pub fn hit(event: u128, rule: &str, seconds: f64, group: &str, value: &str) -> Match {
    let time = T0 + (seconds * SECOND as f64) as Micros;
    let keys = vec![("g".to_owned(), group.to_owned()), ("v".to_owned(), value.to_owned())];
    let sample = Sample {
        rule: rule.into(),
        event,
        time,
        source: "test".into(),
        feed: "f".into(),
        fields: vec![("v".into(), value.into())],
        parties: vec![Party {
            role: Role::Device,
            observable: Observable::new(ObservableKind::Host, group).unwrap(),
        }],
        raw: format!("event {event} of {group}"),
    };
    Match {
        id: event * 16 + u128::from(rule.as_bytes()[rule.len() - 1] % 16),
        tenant: "default".into(),
        received_time: time,
        stream: 1,
        batch: 0,
        keys,
        sample: Arc::new(sample),
    }
}

/// Drives a live correlator as the pipeline does: a tick for every second of journal time.
pub struct Live {
    pub correlator: Correlator,
    pub out: Vec<Finding>,
    pub lsn: u64,
    tick: Micros,
}

impl Live {
    pub fn new(plan: &Arc<Plan>) -> Self {
        Self::with_limits(plan, Limits::default())
    }

    pub fn with_limits(plan: &Arc<Plan>, limits: Limits) -> Self {
        let correlator = Correlator::new(Arc::clone(plan), limits);
        Self { correlator, out: Vec::new(), lsn: 0, tick: 0 }
    }

    pub fn hit(&mut self, m: &Match) {
        self.until(m.received_time);
        self.lsn += 1;
        self.correlator.on_match(Lsn(self.lsn), m, &mut self.out);
    }

    /// Ticks up to `time`; over long pauses every ten minutes.
    pub fn until(&mut self, time: Micros) {
        if self.tick == 0 {
            self.tick = time;
        }
        while self.tick + SECOND <= time {
            self.tick += if time - self.tick > HOUR { 600 * SECOND } else { SECOND };
            self.lsn += 1;
            self.correlator.on_tick(self.tick, Lsn(self.lsn), &mut self.out);
        }
    }

    /// The last version of each finding, by (first time, id), after everything has ended.
    pub fn finish(mut self) -> Vec<Finding> {
        self.until(self.tick + 3 * DAY);
        latest(&self.out)
    }
}

/// The last version of each finding; checks that versions count from 1 without a gap.
pub fn latest(out: &[Finding]) -> Vec<Finding> {
    let mut by_id: BTreeMap<u128, Finding> = BTreeMap::new();
    for finding in out {
        let before = by_id.insert(finding.id, finding.clone());
        assert_eq!(finding.version, before.map_or(0, |old| old.version) + 1);
    }
    let mut all: Vec<Finding> = by_id.into_values().collect();
    all.sort_by_key(|finding| (finding.first_time, finding.id));
    all
}

pub fn batch(plan: &Arc<Plan>, matches: &[Match]) -> Vec<Finding> {
    let mut sorted = matches.to_vec();
    sorted.sort_by(|a, b| (a.time, a.event, &a.rule).cmp(&(b.time, b.event, &b.rule)));
    let mut batch = BatchCorrelator::new(Arc::clone(plan), Limits::default(), Lsn(1));
    for m in &sorted {
        batch.push(m);
    }
    batch.finish().findings
}

/// What a reference says of a finding: group, first, last, count, id.
pub type Said = (String, Micros, Micros, u64, u128);

pub fn said(findings: &[Finding]) -> Vec<Said> {
    let one = |f: &Finding| (f.group.clone(), f.first_time, f.last_time, f.count, f.id);
    let mut all: Vec<Said> = findings.iter().map(one).collect();
    all.sort();
    all
}

/// Whether a set of events fulfils a join, told by trying everything.
pub fn fulfils(join: Join, refers: &[String], events: &[&Match]) -> bool {
    match join {
        Join::Count(n) => {
            let mut ids: Vec<u128> = events.iter().map(|m| m.event).collect();
            ids.sort_unstable();
            ids.dedup();
            ids.len() as u64 >= n
        }
        Join::Values(n) | Join::Temporal(n) => {
            let what = |m: &&Match| match join {
                Join::Values(_) => m.key("v").unwrap().to_owned(),
                _ => m.rule.clone(),
            };
            let mut values: Vec<String> = events.iter().map(what).collect();
            values.sort();
            values.dedup();
            values.len() as u64 >= n
        }
        Join::Ordered => chain(refers, events, None),
        Join::Periodic(_) => unreachable!("has tests of its own"),
    }
}

fn chain(refers: &[String], events: &[&Match], before: Option<&Match>) -> bool {
    let Some((next, rest)) = refers.split_first() else { return true };
    let follows = |m: &Match| before.is_none_or(|b| m.time >= b.time && m.event != b.event);
    events.iter().any(|m| m.rule == *next && follows(m) && chain(rest, events, Some(m)))
}

/// Events in order of time, one group: the naive simulation of the documented semantics.
pub fn reference(plan: &CorrelationPlan, group: &str, matches: &[Match]) -> Vec<Said> {
    let tenant = TenantName::default_tenant();
    let label = format!("g={group}");
    let mut sorted: Vec<&Match> =
        matches.iter().filter(|m| m.key("g") == Some(group) && refers(plan, m)).collect();
    sorted.sort_by_key(|m| (m.time, m.event, m.rule.clone()));
    sorted.dedup_by(|a, b| a.event == b.event && identity(plan, a) == identity(plan, b));
    let mut free: Vec<&Match> = Vec::new();
    let mut found: Vec<Said> = Vec::new();
    for m in sorted {
        if let Some((_, first, last, count, _)) = found.last_mut()
            && m.time <= *last + plan.timespan
            && m.time <= *first + plan.rule.suppress
        {
            (*last, *count) = (m.time, *count + 1);
            continue;
        }
        free.push(m);
        free.retain(|old| m.time - old.time <= plan.timespan);
        if fulfils(plan.join, &plan.refers, &free) {
            let id = FindingId::new(&tenant, &plan.rule.id, &label, EventId(m.event)).0;
            found.push((label.clone(), free[0].time, m.time, free.len() as u64, id));
            free.clear();
        }
    }
    found
}

/// Whether any window of a group is complete, whatever the order of arrival.
pub fn any_window(plan: &CorrelationPlan, group: &str, matches: &[Match]) -> bool {
    let of: Vec<&Match> =
        matches.iter().filter(|m| m.key("g") == Some(group) && refers(plan, m)).collect();
    of.iter().any(|from| {
        let inside = |m: &&&Match| (0..=plan.timespan).contains(&(m.time - from.time));
        let window: Vec<&Match> = of.iter().filter(inside).copied().collect();
        fulfils(plan.join, &plan.refers, &window)
    })
}

fn refers(plan: &CorrelationPlan, m: &Match) -> bool {
    plan.refers.contains(&m.rule)
}

fn identity(plan: &CorrelationPlan, m: &Match) -> String {
    match plan.join {
        Join::Count(_) | Join::Periodic(_) => String::new(),
        Join::Values(_) => m.key("v").unwrap().to_owned(),
        Join::Temporal(_) | Join::Ordered => m.rule.clone(),
    }
}
