//! Correlations, also of our own kind `periodic`, which the parser does not know.

use super::words::{count_op, level, lower, status};
use super::{ast, head};
use crate::front::{Draft, DraftCorrelation, DraftKind, Fault};
use crate::rule::{CorrelationKind, CountOp, Periodic};
use yagura_event::{Micros, time};

/// The draft of a correlation; `periodic` are the keys of our own kind.
pub(super) fn correlation(
    rule: ast::CorrelationRule,
    periodic: Option<PeriodicKeys>,
) -> Result<Draft, Fault> {
    use ast::CorrelationCondition;
    let kind = match &periodic {
        Some(_) => CorrelationKind::Periodic,
        None => CorrelationKind::from_word(rule.correlation_type.as_str()).ok_or_else(|| {
            let word = rule.correlation_type.as_str();
            Fault::new(
                "correlation_unsupported",
                format!("correlations of type `{word}` are not supported"),
            )
            .at(word)
        })?,
    };
    if rule.window != ast::WindowMode::Sliding {
        let message = format!("windows of mode `{}` are not supported", rule.window.as_str());
        return Err(Fault::new("correlation_unsupported", message).at("window"));
    }
    let (condition, fields, percentile) = match rule.condition {
        CorrelationCondition::Threshold { predicates, field, percentile } => {
            (predicates, field.unwrap_or_default(), percentile)
        }
        CorrelationCondition::Extended(_) => {
            return Err(Fault::new(
                "correlation_unsupported",
                "conditions over rule names are not supported",
            )
            .help("leave the condition out: every rule must match")
            .at("condition:"));
        }
    };
    let unsupported =
        [CorrelationKind::ValueSum, CorrelationKind::ValueAvg, CorrelationKind::ValuePercentile];
    if unsupported.contains(&kind) || percentile.is_some() {
        let message = format!("correlations of type `{}` are not supported", kind.word());
        return Err(Fault::new("correlation_unsupported", message).at(kind.word()));
    }
    let temporal = matches!(kind, CorrelationKind::Temporal | CorrelationKind::TemporalOrdered);
    let mut condition: Vec<(CountOp, u64)> =
        condition.into_iter().map(|(op, value)| (count_op(op), value)).collect();
    // The parser's stand-in for an absent condition; every rule must then match.
    if temporal && condition == [(CountOp::Gte, 1)] {
        condition.clear();
    }
    let timespan =
        i64::try_from(rule.timespan.seconds).unwrap_or(i64::MAX).saturating_mul(time::SECOND);
    let periodic = match periodic {
        Some(keys) => Some(keys.resolve(&condition, timespan)?),
        None => None,
    };
    let aliases =
        rule.aliases.into_iter().map(|alias| (alias.alias, alias.mapping.into_iter().collect()));
    let draft = DraftCorrelation {
        kind,
        rules: rule.rules,
        group_by: rule.group_by,
        aliases: aliases.collect(),
        timespan,
        condition,
        fields,
        generate: rule.generate,
        periodic,
    };
    check_correlation(&draft)?;
    Ok(head!(rule, None, DraftKind::Correlation(Box::new(draft))))
}

fn check_correlation(draft: &DraftCorrelation) -> Result<(), Fault> {
    let fault = |message: &str, help: &str, at: &str| {
        Err(Fault::new("correlation_invalid", message).help(help).at(at))
    };
    if draft.rules.is_empty() {
        return fault(
            "the correlation refers to no rule",
            "name rules by id or name under `rules`",
            "correlation:",
        );
    }
    if draft.timespan <= 0 {
        return fault("the timespan is zero", "such as 5m, 1h or 1d", "timespan");
    }
    if draft.kind == CorrelationKind::ValueCount && draft.fields.is_empty() {
        return fault(
            "value_count needs a field to count",
            "add `field:` to the condition",
            "condition:",
        );
    }
    Ok(())
}

/// The keys of our own correlation kind.
#[derive(Clone, Debug)]
pub(super) struct PeriodicKeys {
    jitter: f64,
    min: Option<String>,
    max: Option<String>,
}

impl PeriodicKeys {
    fn resolve(self, condition: &[(CountOp, u64)], timespan: Micros) -> Result<Periodic, Fault> {
        let span = |text: Option<String>, default: Micros| match text {
            None => Ok(default),
            Some(text) => ast::Timespan::parse(&text)
                .ok()
                .and_then(|span| i64::try_from(span.seconds).ok()?.checked_mul(time::SECOND))
                .ok_or_else(|| {
                    let message = format!("`{text}` is no time span");
                    Fault::new("correlation_invalid", message)
                        .help("such as 10s, 5m or 2h")
                        .at(text)
                }),
        };
        // Three matches make two intervals, the fewest that can be called regular.
        let min_count = match condition {
            [(CountOp::Gte, count)] if *count >= 3 => *count,
            [(CountOp::Gt, count)] if *count >= 2 => count.saturating_add(1),
            _ => {
                return Err(Fault::new(
                    "correlation_invalid",
                    "periodic needs a condition of at least 3 matches",
                )
                .help("condition: {gte: 3} or more")
                .at("condition:"));
            }
        };
        let min_interval = span(self.min, 0)?;
        let max_interval = span(self.max, timespan)?;
        if !(0.0..=1.0).contains(&self.jitter) || min_interval > max_interval {
            return Err(Fault::new(
                "correlation_invalid",
                "periodic needs a jitter of 0 to 1 and min <= max",
            )
            .at("jitter"));
        }
        Ok(Periodic { min_count, max_jitter: self.jitter, min_interval, max_interval })
    }
}

/// Rewrites a correlation of our own kind `periodic` to one the parser knows, and takes its
/// keys `jitter` and `interval` out.
pub(super) fn periodic(text: &str) -> Result<(Option<String>, Option<PeriodicKeys>), Fault> {
    if !text.lines().any(|line| line.trim_start().starts_with("type:") && line.contains("periodic"))
    {
        return Ok((None, None));
    }
    let Ok(mut value) = yaml_serde::from_str::<yaml_serde::Value>(text) else {
        return Ok((None, None));
    };
    let Some(body) = value.get_mut("correlation").and_then(|c| c.as_mapping_mut()) else {
        return Ok((None, None));
    };
    if body.get("type").and_then(|t| t.as_str()) != Some("periodic") {
        return Ok((None, None));
    }
    body.insert("type".into(), "event_count".into());
    let jitter = match body.get("jitter") {
        None => 0.25,
        Some(jitter) => jitter.as_f64().ok_or_else(|| {
            Fault::new("correlation_invalid", "the jitter is a fraction of the mean interval")
                .at("jitter")
        })?,
    };
    let bound = |name| {
        let bound = body.get("interval").and_then(|i| i.get(name));
        bound.and_then(|b| b.as_str()).map(str::to_owned)
    };
    let keys = PeriodicKeys { jitter, min: bound("min"), max: bound("max") };
    match yaml_serde::to_string(&value) {
        Ok(text) => Ok((Some(text), Some(keys))),
        Err(error) => Err(Fault::new("yaml_invalid", error.to_string())),
    }
}
