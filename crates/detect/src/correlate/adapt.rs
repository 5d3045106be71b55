//! Makes the correlator's plan of a loaded rule set.

use super::plan::{
    CorrelationPlan, Join, LATENESS, Plan, PlanError, RulePlan, SUPPRESS, SUPPRESS_CORRELATION,
    threshold,
};
use crate::rule::{CorrelationKind, RuleInfo, RuleKind};
use std::collections::BTreeSet;
use yagura_event::Micros;

impl Plan {
    /// The plan of a loaded rule set; correlations that cannot run come back with the reason.
    pub fn from_rules(infos: &[RuleInfo]) -> (Self, Vec<PlanError>) {
        Self::from_rules_and(infos, Vec::new(), &BTreeSet::new())
    }

    /// [`Plan::from_rules`] with further plain rules, such as those of indicators, and without
    /// findings of the rules whose ids are in `off`.
    ///
    /// A rule that is off still feeds the correlations that refer to it. A correlation that is
    /// off and feeds none is left out.
    pub fn from_rules_and(
        infos: &[RuleInfo],
        more: Vec<RulePlan>,
        off: &BTreeSet<String>,
    ) -> (Self, Vec<PlanError>) {
        let mut rules = more;
        let mut correlations = Vec::new();
        let mut errors = Vec::new();
        for info in infos {
            match &info.kind {
                RuleKind::Rule => rules.push(head(info, SUPPRESS, off)),
                RuleKind::Correlation(_) => match correlation_plan(infos, info, off) {
                    Ok(plan) => correlations.push(plan),
                    Err(error) => errors.push(error),
                },
                RuleKind::Filter => {}
            }
        }
        leave_out(&mut correlations, off);
        let (plan, refused) = Self::build(rules, correlations);
        errors.extend(refused);
        (plan, errors)
    }
}

/// Drops correlations that are off and feed nothing; those below them may then feed nothing
/// either.
fn leave_out(correlations: &mut Vec<CorrelationPlan>, off: &BTreeSet<String>) {
    loop {
        let fed: BTreeSet<String> =
            correlations.iter().flat_map(|one| one.refers.iter().cloned()).collect();
        let before = correlations.len();
        correlations.retain(|one| !off.contains(&one.rule.id) || fed.contains(&one.rule.id));
        if correlations.len() == before {
            return;
        }
    }
}

fn head(info: &RuleInfo, suppress: Micros, off: &BTreeSet<String>) -> RulePlan {
    RulePlan {
        id: info.id.clone(),
        version: info.version.clone(),
        title: info.title.clone(),
        level: info.level,
        tags: info.tags.clone(),
        finding: info.generate && !off.contains(&info.id),
        suppress,
        indicator: false,
    }
}

fn correlation_plan(
    infos: &[RuleInfo],
    info: &RuleInfo,
    off: &BTreeSet<String>,
) -> Result<CorrelationPlan, PlanError> {
    let id = &info.id;
    let RuleKind::Correlation(rule) = &info.kind else {
        return Err(PlanError::Parameter(id.clone(), "it is not a correlation"));
    };
    let join = match rule.kind {
        CorrelationKind::EventCount => Join::Count(threshold(id, &rule.condition)?),
        CorrelationKind::ValueCount => Join::Values(threshold(id, &rule.condition)?),
        CorrelationKind::Temporal if rule.condition.is_empty() => {
            Join::Temporal(rule.rules.len() as u64)
        }
        CorrelationKind::Temporal => Join::Temporal(threshold(id, &rule.condition)?),
        CorrelationKind::TemporalOrdered => Join::Ordered,
        CorrelationKind::Periodic => {
            let missing = "periodic parameters are missing";
            Join::Periodic(rule.periodic.ok_or_else(|| PlanError::Parameter(id.clone(), missing))?)
        }
        other => return Err(PlanError::KindUnsupported(id.clone(), other.word())),
    };
    let refers = rule.rules.iter().map(|index| {
        let found = infos.get(index.at()).map(|info| info.id.clone());
        found.ok_or_else(|| PlanError::Reference(id.clone(), format!("rule {}", index.0)))
    });
    Ok(CorrelationPlan {
        rule: head(info, SUPPRESS_CORRELATION.max(rule.timespan), off),
        join,
        refers: refers.collect::<Result<_, _>>()?,
        group_by: rule.group_by.clone(),
        fields: rule.fields.clone(),
        timespan: rule.timespan,
        lateness: LATENESS,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::rule::{CorrelationRule, CountOp, RuleIndex};
    use CountOp::{Gte, Lt};
    use std::collections::BTreeMap;
    use yagura_event::Level;
    use yagura_event::time::DAY;

    fn info(id: &str, generate: bool, kind: RuleKind) -> RuleInfo {
        RuleInfo {
            id: id.into(),
            name: None,
            title: format!("title of {id}"),
            description: String::new(),
            level: Level::High,
            status: String::new(),
            author: String::new(),
            path: String::new(),
            line: 1,
            kind,
            logsource: None,
            tags: Vec::new(),
            references: Vec::new(),
            false_positives: Vec::new(),
            fields: Vec::new(),
            version: String::new(),
            generate,
        }
    }

    fn joined(kind: CorrelationKind, condition: Vec<(CountOp, u64)>, rules: &[u32]) -> RuleKind {
        RuleKind::Correlation(CorrelationRule {
            kind,
            rules: rules.iter().map(|at| RuleIndex(*at)).collect(),
            group_by: vec!["user".into()],
            aliases: BTreeMap::new(),
            timespan: 2 * DAY,
            condition,
            fields: Vec::new(),
            generate: false,
            periodic: None,
        })
    }

    #[test]
    fn loaded_rules_become_a_plan() {
        use CorrelationKind::{EventCount, Periodic, Temporal, ValueSum};
        let infos = [
            info("a", false, RuleKind::Rule),
            info("b", true, RuleKind::Rule),
            info("filter", true, RuleKind::Filter),
            info("many", true, joined(EventCount, vec![(Gte, 3)], &[0])),
            info("both", true, joined(Temporal, Vec::new(), &[0, 1])),
            info("none", true, joined(EventCount, vec![(Lt, 1)], &[0])),
            info("sum", true, joined(ValueSum, vec![(Gte, 3)], &[0])),
            info("beat", true, joined(Periodic, Vec::new(), &[0])),
            info("above", true, joined(Temporal, Vec::new(), &[5, 1])),
            info("wild", true, joined(Temporal, Vec::new(), &[99])),
        ];
        let (plan, errors) = Plan::from_rules(&infos);
        assert!(plan.wants("a") && plan.wants("b") && !plan.wants("filter"));
        assert!(!plan.rule("a").unwrap().finding && plan.rule("b").unwrap().finding);
        assert_eq!(plan.correlation("many").unwrap().join, Join::Count(3));
        let both = plan.correlation("both").unwrap();
        assert_eq!(
            (both.join, &both.refers[..]),
            (Join::Temporal(2), &["a".into(), "b".into()][..])
        );
        assert_eq!(both.rule.suppress, 2 * DAY);
        let codes: Vec<_> = errors.iter().map(|error| (error.rule(), error.code())).collect();
        assert_eq!(
            codes,
            [
                ("none", "correlation_condition_unsupported"),
                ("sum", "correlation_kind_unsupported"),
                ("beat", "correlation_parameter"),
                ("wild", "correlation_reference"),
                ("above", "correlation_reference"),
            ]
        );
    }

    #[test]
    fn what_is_off_finds_nothing_and_still_feeds() {
        use CorrelationKind::{EventCount, Temporal};
        let infos = [
            info("loud", true, RuleKind::Rule),
            info("fed", false, RuleKind::Rule),
            info("many", true, joined(EventCount, vec![(Gte, 3)], &[0])),
            info("inner", true, joined(EventCount, vec![(Gte, 3)], &[1])),
            info("outer", true, joined(Temporal, Vec::new(), &[0, 3])),
        ];
        let plan = |off: &[&str]| {
            let off = off.iter().map(|id| (*id).to_owned()).collect();
            let (plan, errors) = Plan::from_rules_and(&infos, Vec::new(), &off);
            assert_eq!(errors, []);
            plan
        };
        let ids = |plan: &Plan| -> Vec<String> {
            plan.correlations().iter().map(|one| one.rule.id.clone()).collect()
        };
        let base = plan(&["loud"]);
        assert!(base.wants("loud") && !base.rule("loud").unwrap().finding);
        assert_eq!(ids(&base), ["many", "inner", "outer"]);
        let below = plan(&["inner"]);
        assert!(!below.correlation("inner").unwrap().rule.finding);
        assert_eq!(ids(&below), ["many", "inner", "outer"]);
        let above = plan(&["inner", "outer"]);
        assert_eq!(ids(&above), ["many"]);
        assert!(!above.wants("fed") && above.wants("loud"));
    }
}
