//! State of one rule of one tenant: its groups, its memory and budget, its counters.

use super::key::Key;
use super::open::{Head, Open};
use super::plan::{CorrelationPlan, INDICATOR, Plan, RulePlan};
use super::window;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use yagura_event::time::HOUR;
use yagura_event::{Finding, Lsn, Micros};

/// Most streams remembered as feeding one rule. A stream beyond it feeds the rule all the
/// same, but does not hold the rule's state when it lags behind the others.
const FEEDING_MAX: usize = 4_096;

/// What the correlator may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Memory of one rule of one tenant, in bytes. Beyond it the groups furthest from firing
    /// are evicted, counted, until a tenth is free.
    pub rule_bytes_max: usize,
    /// Memory of one tenant, in bytes. Beyond it its largest rule gives way likewise.
    pub tenant_bytes_max: usize,
    /// New findings of one rule of one tenant in an hour of journal time (in a batch: of event
    /// time). Beyond it groups go on counting and show up when the hour is over, if they are
    /// still active then.
    pub findings_per_hour_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rule_bytes_max: 64 << 20, tenant_bytes_max: 512 << 20, findings_per_hour_max: 500 }
    }
}

/// What happened to the matches of one rule of one tenant, since the correlator's beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RuleStats {
    /// Matches and bursts taken in.
    pub matches: u64,
    /// Left out of a correlation because they came too late.
    pub late: u64,
    /// Times that were clamped.
    pub clamped: u64,
    /// Left out of a correlation because a key or counted field was absent.
    pub ungrouped: u64,
    /// Repeats of an event that was counted already.
    pub repeats: u64,
    /// Events dropped because their group held too many.
    pub dropped: u64,
    /// Groups evicted for memory.
    pub evicted: u64,
    /// Findings begun.
    pub findings: u64,
    /// Findings held back because the hour's budget was used up.
    pub over_budget: u64,
}

/// One rule of one tenant.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct RuleState {
    /// What the rule meant when the state was built.
    pub fingerprint: u64,
    pub keys: BTreeMap<String, Key>,
    /// Streams that delivered a match.
    pub feeding: BTreeSet<u64>,
    pub bytes: usize,
    /// Hour of the budget, and the findings begun in it.
    pub hour: i64,
    pub begun: u32,
    /// When expired groups are looked for next.
    pub sweep_at: Option<Micros>,
    pub stats: RuleStats,
}

impl RuleState {
    pub fn feed(&mut self, stream: u64) {
        if self.feeding.len() < FEEDING_MAX {
            self.feeding.insert(stream);
        }
    }

    /// Whether one more finding may begin; counts it if so.
    pub fn afford(&mut self, now: Micros, limits: &Limits) -> bool {
        let hour = now.div_euclid(HOUR);
        if self.hour != hour {
            (self.hour, self.begun) = (hour, 0);
        }
        let free = self.begun < limits.findings_per_hour_max;
        self.begun += u32::from(free);
        self.stats.findings += u64::from(free);
        free
    }

    /// Brings the memory count in step after `group` changed; returns the difference.
    pub fn resize(&mut self, group: &str) -> isize {
        let Some(key) = self.keys.get_mut(group) else { return 0 };
        let size = key.bytes() + 2 * group.len();
        let change = size as isize - key.size as isize;
        key.size = size;
        self.bytes = self.bytes.saturating_add_signed(change);
        change
    }

    /// Evicts groups until at most `target` bytes are used: those without a finding first,
    /// among them those furthest from firing, among these the oldest. Returns the evicted.
    pub fn evict(&mut self, rule: Subject<'_>, target: usize) -> Vec<(String, Key)> {
        let mut order: Vec<(bool, u64, Micros, String)> = self
            .keys
            .iter()
            .map(|(group, key)| {
                let near = rule.correlation.map_or(0, |plan| window::progress(plan, &key.entries));
                (!key.open.is_empty(), near, key.newest, group.clone())
            })
            .collect();
        order.sort_unstable();
        let mut evicted = Vec::new();
        for (_, _, _, group) in order {
            if self.bytes <= target {
                break;
            }
            if let Some(key) = self.keys.remove(&group) {
                self.bytes = self.bytes.saturating_sub(key.size);
                self.stats.evicted += 1;
                evicted.push((group, key));
            }
        }
        evicted
    }
}

/// A rule of either sort, as far as states and findings need it.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub rule: &'a RulePlan,
    pub correlation: Option<&'a CorrelationPlan>,
}

impl<'a> Subject<'a> {
    pub fn find(plan: &'a Plan, id: &str) -> Option<Self> {
        match plan.correlation(id) {
            Some(plan) => Some(Self { rule: &plan.rule, correlation: Some(plan) }),
            None => plan.rule(id).map(|rule| Self { rule, correlation: None }),
        }
    }

    pub fn kind(&self) -> &'static str {
        let plain = if self.rule.indicator { INDICATOR } else { "rule" };
        self.correlation.map_or(plain, |plan| plan.join.word())
    }

    /// How far apart two events may be that still meet.
    pub fn span(&self) -> Micros {
        self.correlation.map_or(self.rule.suppress, |plan| plan.timespan)
    }

    pub fn lateness(&self) -> Micros {
        self.correlation.map_or(super::plan::LATENESS, |plan| plan.lateness)
    }

    /// Changes when state built under one definition means nothing under another.
    pub fn fingerprint(&self) -> u64 {
        let meaning = self.correlation.map(|plan| {
            let suppress = plan.rule.suppress;
            let (refers, group_by, fields) = (&plan.refers, &plan.group_by, &plan.fields);
            format!(
                "{:?} {refers:?} {group_by:?} {fields:?} {} {suppress}",
                plan.join, plan.timespan
            )
        });
        super::open::hash(&[meaning.as_deref().unwrap_or("rule")])
    }

    /// The next version of a finding.
    pub fn emit(&self, place: &Place<'_>, open: &mut Open, now: Micros, lsn: Lsn) -> Finding {
        let head = Head {
            tenant: place.tenant,
            rule: self.rule,
            kind: self.kind(),
            group: place.group,
            values: place.values,
        };
        open.emit(&head, now, lsn)
    }
}

/// Where a finding belongs.
pub(super) struct Place<'a> {
    pub tenant: &'a str,
    pub group: &'a str,
    pub values: &'a [(String, String)],
}
