//! What the correlator has to do: per rule and correlation the few facts that it needs, checked.

use crate::rule::{CorrelationKind, CountOp, Periodic};
use std::collections::{BTreeMap, BTreeSet};
use yagura_event::time::{DAY, HOUR, MINUTE};
use yagura_event::{Level, Micros};

/// Event time that a plain rule's finding covers from its first event; a later match of the
/// same group opens a new finding, so that lasting trouble shows up again.
pub const SUPPRESS: Micros = HOUR;

/// Longest event time that one finding of a correlation covers, unless its timespan is longer.
/// Within it a burst is one finding, however long it lasts; beyond it a new one is due.
pub const SUPPRESS_CORRELATION: Micros = DAY;

/// How much older than its stream's newest event an event may be and still count fully.
pub const LATENESS: Micros = MINUTE;

/// Longest timespan. Longer windows need pre-aggregates in the store; a rule with one is refused.
pub const TIMESPAN_MAX: Micros = 31 * DAY;

/// Largest count a condition may ask for. Up to it counting is exact, one entry of about 64
/// bytes an event; a rule that asks for more is refused.
pub const THRESHOLD_MAX: u64 = 10_000;

/// Most rules one correlation of a temporal kind may refer to.
pub const SLOTS_MAX: usize = 64;

/// Kind of the findings of indicators, and the key that holds the indicator's value.
pub const INDICATOR: &str = "indicator";

/// A plain rule.
#[derive(Clone, PartialEq, Debug)]
pub struct RulePlan {
    /// The rule's id, as in [`yagura_event::Match::rule`].
    pub id: String,
    /// Its version; empty where it has none.
    pub version: String,
    /// Its title.
    pub title: String,
    /// Its level.
    pub level: Level,
    /// Its tags, lower case.
    pub tags: Vec<String>,
    /// Whether its matches become findings of their own.
    pub finding: bool,
    /// Longest event time that one finding covers, from its first event.
    pub suppress: Micros,
    /// Whether it stands for a list of indicators: its findings are of the kind [`INDICATOR`]
    /// and grouped by the matches' key of that name.
    pub indicator: bool,
}

/// How matches are joined; every threshold is at least 1.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Join {
    /// This many events within the timespan.
    Count(u64),
    /// This many distinct values of [`CorrelationPlan::fields`].
    Values(u64),
    /// This many of the referred rules, in any order.
    Temporal(u64),
    /// All referred rules, in their order.
    Ordered,
    /// Events at regular intervals.
    Periodic(Periodic),
}

impl Join {
    /// The finding's `kind`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Count(_) => CorrelationKind::EventCount,
            Self::Values(_) => CorrelationKind::ValueCount,
            Self::Temporal(_) => CorrelationKind::Temporal,
            Self::Ordered => CorrelationKind::TemporalOrdered,
            Self::Periodic(_) => CorrelationKind::Periodic,
        }
        .word()
    }
}

/// A correlation.
#[derive(Clone, PartialEq, Debug)]
pub struct CorrelationPlan {
    /// Its head; `suppress` bounds how long one burst stays one finding.
    pub rule: RulePlan,
    /// How matches are joined.
    pub join: Join,
    /// Ids of the rules and correlations it refers to, in order, without repeats.
    pub refers: Vec<String>,
    /// Keys that separate groups ([`yagura_event::Match::key`]).
    pub group_by: Vec<String>,
    /// Keys whose distinct tuples are counted, for [`Join::Values`].
    pub fields: Vec<String>,
    /// Window; two events exactly this far apart are within it.
    pub timespan: Micros,
    /// See [`LATENESS`].
    pub lateness: Micros,
}

/// Why a correlation cannot run.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlanError {
    /// Zero events would fulfil the condition, so it could only be decided by a timer.
    #[error(
        "correlation {0}: a condition that no event at all fulfils is not supported; give a lower bound"
    )]
    ConditionUnsupported(String),
    /// No count fulfils the condition.
    #[error("correlation {0}: no count fulfils the condition; check its bounds")]
    ConditionNever(String),
    /// The condition asks for more than [`THRESHOLD_MAX`].
    #[error(
        "correlation {0}: the condition asks for more than {THRESHOLD_MAX} within the timespan; lower it"
    )]
    ThresholdTooHigh(String),
    /// The timespan is not within 1 microsecond to [`TIMESPAN_MAX`].
    #[error("correlation {0}: the timespan must be above 0 and at most 31 days")]
    Timespan(String),
    /// The kind is not supported.
    #[error("correlation {0}: the kind {1} is not supported yet")]
    KindUnsupported(String, &'static str),
    /// It refers to nothing, to too many rules, or to one that is absent, refused or part of
    /// a circle.
    #[error("correlation {0}: it refers to {1}, which is not among the rules that can run")]
    Reference(String, String),
    /// A kind's own parameters are missing or out of range.
    #[error("correlation {0}: {1}")]
    Parameter(String, &'static str),
}

impl PlanError {
    /// Stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ConditionUnsupported(_) | Self::ConditionNever(_) => {
                "correlation_condition_unsupported"
            }
            Self::ThresholdTooHigh(_) => "correlation_threshold_too_high",
            Self::Timespan(_) => "correlation_timespan",
            Self::KindUnsupported(..) => "correlation_kind_unsupported",
            Self::Reference(..) => "correlation_reference",
            Self::Parameter(..) => "correlation_parameter",
        }
    }

    /// The id of the correlation that cannot run.
    pub fn rule(&self) -> &str {
        match self {
            Self::ConditionUnsupported(id)
            | Self::ConditionNever(id)
            | Self::ThresholdTooHigh(id)
            | Self::Timespan(id)
            | Self::KindUnsupported(id, _)
            | Self::Reference(id, _)
            | Self::Parameter(id, _) => id,
        }
    }
}

/// The smallest count that fulfils every comparison.
///
/// A window that slides over events passes every count up to its highest, so a condition is
/// met somewhere exactly when a window reaches this count.
///
/// # Errors
/// [`PlanError`] if a count of 0 fulfils the condition, or none does, or it is too high.
pub fn threshold(id: &str, condition: &[(CountOp, u64)]) -> Result<u64, PlanError> {
    let holds = |count: u64| condition.iter().all(|(op, value)| op.holds(count, *value));
    if holds(0) {
        return Err(PlanError::ConditionUnsupported(id.to_owned()));
    }
    // Between two bounds nothing changes, so that the bounds and their successors suffice.
    let mut counts: Vec<u64> =
        condition.iter().flat_map(|(_, value)| [*value, value.saturating_add(1)]).collect();
    counts.push(1);
    counts.sort_unstable();
    match counts.into_iter().find(|count| *count > 0 && holds(*count)) {
        None => Err(PlanError::ConditionNever(id.to_owned())),
        Some(count) if count > THRESHOLD_MAX => Err(PlanError::ThresholdTooHigh(id.to_owned())),
        Some(count) => Ok(count),
    }
}

/// A rule or correlation in a [`Plan`], by position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Feed {
    /// Position in [`Plan::correlations`].
    pub correlation: usize,
    /// Position in that correlation's [`CorrelationPlan::refers`].
    pub slot: u16,
}

/// Everything the correlator has to do, references resolved and in an order in which a
/// correlation follows those it refers to.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    rules: BTreeMap<String, RulePlan>,
    correlations: Vec<CorrelationPlan>,
    feeds: BTreeMap<String, Vec<Feed>>,
    by_id: BTreeMap<String, usize>,
}

impl Plan {
    /// Checks and orders; what cannot run is left out and returned with the reason.
    pub fn build(
        rules: Vec<RulePlan>,
        correlations: Vec<CorrelationPlan>,
    ) -> (Self, Vec<PlanError>) {
        let mut errors = Vec::new();
        let mut plan = Self {
            rules: rules.into_iter().map(|rule| (rule.id.clone(), rule)).collect(),
            ..Self::default()
        };
        let mut waiting: Vec<CorrelationPlan> = Vec::new();
        for correlation in correlations {
            match check(&correlation) {
                Ok(()) => waiting.push(correlation),
                Err(error) => errors.push(error),
            }
        }
        let mut known: BTreeSet<String> = plan.rules.keys().cloned().collect();
        loop {
            let (ready, rest): (Vec<_>, Vec<_>) = waiting
                .into_iter()
                .partition(|correlation| correlation.refers.iter().all(|id| known.contains(id)));
            waiting = rest;
            if ready.is_empty() {
                break;
            }
            known.extend(ready.iter().map(|correlation| correlation.rule.id.clone()));
            plan.correlations.extend(ready);
        }
        for lost in waiting {
            let missing = lost.refers.iter().find(|id| !known.contains(*id)).cloned();
            errors.push(PlanError::Reference(lost.rule.id, missing.unwrap_or_default()));
        }
        for (at, correlation) in plan.correlations.iter().enumerate() {
            plan.by_id.insert(correlation.rule.id.clone(), at);
            for (slot, id) in correlation.refers.iter().enumerate() {
                let feed = Feed { correlation: at, slot: slot as u16 };
                plan.feeds.entry(id.clone()).or_default().push(feed);
            }
        }
        (plan, errors)
    }

    /// The correlations that run, each after those it refers to.
    pub fn correlations(&self) -> &[CorrelationPlan] {
        &self.correlations
    }

    /// A plain rule by id.
    pub fn rule(&self, id: &str) -> Option<&RulePlan> {
        self.rules.get(id)
    }

    /// A correlation by id.
    pub fn correlation(&self, id: &str) -> Option<&CorrelationPlan> {
        self.by_id.get(id).and_then(|at| self.correlations.get(*at))
    }

    /// Whether the correlator does anything with the matches of `id`.
    pub fn wants(&self, id: &str) -> bool {
        self.feeds.contains_key(id) || self.rules.get(id).is_some_and(|rule| rule.finding)
    }

    /// What the matches or bursts of `id` feed.
    pub(super) fn feeds(&self, id: &str) -> &[Feed] {
        self.feeds.get(id).map_or(&[], Vec::as_slice)
    }
}

fn check(plan: &CorrelationPlan) -> Result<(), PlanError> {
    let id = || plan.rule.id.clone();
    let parameter = |message| Err(PlanError::Parameter(id(), message));
    if plan.timespan <= 0 || plan.timespan > TIMESPAN_MAX {
        return Err(PlanError::Timespan(id()));
    }
    if plan.refers.is_empty() || plan.refers.len() > SLOTS_MAX {
        return parameter("it must refer to 1 to 64 rules");
    }
    let distinct: BTreeSet<&String> = plan.refers.iter().collect();
    if distinct.len() < plan.refers.len() {
        return parameter("it refers to a rule twice");
    }
    match plan.join {
        Join::Count(0) | Join::Values(0) | Join::Temporal(0) => {
            Err(PlanError::ConditionUnsupported(id()))
        }
        Join::Count(count) | Join::Values(count) if count > THRESHOLD_MAX => {
            Err(PlanError::ThresholdTooHigh(id()))
        }
        Join::Values(_) if plan.fields.is_empty() => {
            parameter("value_count needs the field whose values are counted")
        }
        Join::Temporal(count) if count > plan.refers.len() as u64 => {
            Err(PlanError::ConditionNever(id()))
        }
        Join::Periodic(p)
            if !(3..=THRESHOLD_MAX).contains(&p.min_count)
                || !(0.0..=1.0).contains(&p.max_jitter)
                || p.min_interval < 0
                || p.min_interval > p.max_interval =>
        {
            parameter("periodic needs min_count >= 3, 0 <= max_jitter <= 1 and min <= max interval")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use CountOp::{Eq, Gt, Gte, Lt, Lte, Neq};

    #[test]
    fn a_condition_is_its_smallest_count() {
        let ok = |condition: &[(CountOp, u64)]| threshold("c", condition).unwrap();
        assert_eq!(ok(&[(Gte, 5)]), 5);
        assert_eq!(ok(&[(Gt, 5)]), 6);
        assert_eq!(ok(&[(Eq, 5)]), 5);
        assert_eq!(ok(&[(Gte, 5), (Lte, 10)]), 5);
        assert_eq!(ok(&[(Gte, 5), (Neq, 5)]), 6);
        assert_eq!(ok(&[(Gt, 0), (Lt, 3)]), 1);
        assert_eq!(ok(&[(Neq, 0)]), 1);
        assert_eq!(ok(&[(Gte, THRESHOLD_MAX)]), THRESHOLD_MAX);
        let code = |condition: &[(CountOp, u64)]| threshold("c", condition).unwrap_err().code();
        for zero in [&[(Lt, 5)][..], &[(Lte, 5)], &[(Eq, 0)], &[(Neq, 5)], &[]] {
            assert_eq!(code(zero), "correlation_condition_unsupported");
        }
        assert_eq!(code(&[(Gte, 5), (Lte, 4)]), "correlation_condition_unsupported");
        assert_eq!(code(&[(Gt, THRESHOLD_MAX)]), "correlation_threshold_too_high");
    }

    fn rule(id: &str) -> RulePlan {
        RulePlan {
            id: id.into(),
            version: String::new(),
            title: id.into(),
            level: Level::Low,
            tags: Vec::new(),
            finding: true,
            suppress: SUPPRESS,
            indicator: false,
        }
    }

    fn correlation(id: &str, refers: &[&str]) -> CorrelationPlan {
        CorrelationPlan {
            rule: rule(id),
            join: Join::Count(1),
            refers: refers.iter().map(|id| (*id).to_owned()).collect(),
            group_by: Vec::new(),
            fields: Vec::new(),
            timespan: MINUTE,
            lateness: LATENESS,
        }
    }

    #[test]
    fn chains_are_ordered_and_circles_refused() {
        let all = vec![
            correlation("outer", &["inner", "r"]),
            correlation("inner", &["r"]),
            correlation("egg", &["hen"]),
            correlation("hen", &["egg"]),
            correlation("lost", &["nobody"]),
        ];
        let (plan, errors) = Plan::build(vec![rule("r")], all);
        let order: Vec<&str> = plan.correlations().iter().map(|c| c.rule.id.as_str()).collect();
        assert_eq!(order, ["inner", "outer"]);
        let lost: Vec<&str> = errors.iter().map(PlanError::rule).collect();
        assert_eq!(lost, ["egg", "hen", "lost"]);
        assert!(errors.iter().all(|error| error.code() == "correlation_reference"));
    }

    #[test]
    fn parameters_are_checked_at_their_limits() {
        let one = |change: &dyn Fn(&mut CorrelationPlan)| {
            let mut c = correlation("c", &["r"]);
            change(&mut c);
            Plan::build(vec![rule("r")], vec![c]).1.first().map(PlanError::code)
        };
        assert_eq!(one(&|c| c.timespan = TIMESPAN_MAX), None);
        assert_eq!(one(&|c| c.timespan = TIMESPAN_MAX + 1), Some("correlation_timespan"));
        assert_eq!(one(&|c| c.timespan = 0), Some("correlation_timespan"));
        assert_eq!(one(&|c| c.join = Join::Values(2)), Some("correlation_parameter"));
        assert_eq!(one(&|c| c.join = Join::Temporal(2)), Some("correlation_condition_unsupported"));
        assert_eq!(
            one(&|c| c.join = Join::Count(THRESHOLD_MAX + 1)),
            Some("correlation_threshold_too_high")
        );
    }
}
