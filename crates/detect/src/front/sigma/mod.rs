//! The one place that knows `rsigma-parser`: its syntax tree becomes our drafts.

mod correlation;
mod fault;
mod words;

use super::document::{Document, top_value};
use super::value::{Item, Placeholders, Raw, item_expr};
use super::{Draft, DraftKind, Fault, Place};
use crate::ir::{Expr, Num};
use correlation::correlation;
use fault::{from_message, is_remark};
use rsigma_parser as ast;
use std::collections::{BTreeMap, HashMap};
use words::{level, logsource, lower, modifier, status};

/// A draft with the head that the parser's three kinds of rule share.
macro_rules! head {
    ($rule:ident, $logsource:expr, $kind:expr) => {
        Draft {
            id: $rule.id,
            name: $rule.name,
            title: $rule.title,
            description: $rule.description.unwrap_or_default(),
            level: level($rule.level),
            status: $rule.status.map(status).unwrap_or_default().to_owned(),
            author: $rule.author.unwrap_or_default(),
            tags: lower($rule.tags),
            references: $rule.references,
            false_positives: $rule.falsepositives,
            fields: $rule.fields,
            logsource: $logsource,
            kind: $kind,
        }
    };
}
use head;

/// Most selections a condition may expand to; far above any published rule. Beyond it the
/// rule is refused, since quantifiers over quantifiers could grow without end.
const EXPR_NODES_MAX: usize = 50_000;

/// What a document asks of the collection it stands in (`action`, before Sigma 2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    /// A rule.
    None,
    /// A template for those that follow.
    Global,
    /// Ends the template.
    Reset,
    /// Repeats the rule before with changes.
    Repeat,
}

/// The collection action of a document.
pub(crate) fn action(document: Document<'_>) -> Action {
    match top_value(document.text, "action").as_deref() {
        Some("global") => Action::Global,
        Some("reset") => Action::Reset,
        Some("repeat") => Action::Repeat,
        _ => Action::None,
    }
}

/// Parses one document; `before` are documents whose collection action applies to it.
pub(crate) fn parse(
    before: &[&str],
    document: Document<'_>,
    placeholders: &Placeholders,
) -> Result<Draft, Fault> {
    let (rewritten, periodic) = correlation::periodic(document.text)?;
    let mut text = String::new();
    for part in before {
        text.push_str(part);
        text.push_str("\n---\n");
    }
    let above = text.lines().count() as u32;
    text.push_str(rewritten.as_deref().unwrap_or(document.text));
    // Lines are counted from the beginning of what was parsed.
    let fault = |message: &str| {
        let mut fault = from_message(message, document.text);
        if let Place::At(line, _) = &mut fault.place {
            *line = line.saturating_sub(above).max(1);
        }
        fault
    };
    let mut found = match ast::parse_sigma_yaml(&text) {
        Ok(found) => found,
        Err(error) => return Err(fault(&error.to_string())),
    };
    if let Some(error) = found.errors.iter().find(|error| !is_remark(error)) {
        return Err(fault(error));
    }
    if let Some(error) = found.errors.iter().find(|e| e.starts_with("invalid level")) {
        return Err(Fault::new("level_invalid", error.clone())
            .help("one of informational, low, medium, high, critical")
            .at("level:"));
    }
    check_id(document.text, &found)?;
    if let Some(rule) = found.rules.pop() {
        return self::rule(rule, placeholders);
    }
    if let Some(rule) = found.correlations.pop() {
        return correlation(rule, periodic);
    }
    match found.filters.pop() {
        Some(rule) => filter(rule, placeholders),
        None => Err(Fault::new("rule_invalid", "the document holds no rule")),
    }
}

/// An id that is a number is not read by the parser; it must not be lost silently.
fn check_id(text: &str, found: &ast::SigmaCollection) -> Result<(), Fault> {
    let lost = |id: Option<&String>| id.is_none() && top_value(text, "id").is_some();
    let ids = [
        found.rules.last().map(|rule| lost(rule.id.as_ref())),
        found.correlations.last().map(|rule| lost(rule.id.as_ref())),
        found.filters.last().map(|rule| lost(rule.id.as_ref())),
    ];
    if ids.contains(&Some(true)) {
        return Err(Fault::new("id_invalid", "the id is not text")
            .help("put it in quotes")
            .at("id:"));
    }
    Ok(())
}

fn rule(rule: ast::SigmaRule, placeholders: &Placeholders) -> Result<Draft, Fault> {
    let expr = detection(&rule.detection, placeholders)?;
    Ok(head!(rule, Some(logsource(&rule.logsource)), DraftKind::Rule(expr)))
}

fn filter(rule: ast::FilterRule, placeholders: &Placeholders) -> Result<Draft, Fault> {
    let expr = detection(&rule.detection, placeholders)?;
    let targets = match rule.rules {
        ast::FilterRuleTarget::Any => None,
        ast::FilterRuleTarget::Specific(names) => Some(names),
    };
    Ok(head!(rule, rule.logsource.as_ref().map(logsource), DraftKind::Filter(targets, expr)))
}

/// The whole detection section: every condition is an alternative.
fn detection(detections: &ast::Detections, placeholders: &Placeholders) -> Result<Expr, Fault> {
    let mut named: BTreeMap<&str, Expr> = BTreeMap::new();
    for (name, selection) in sorted(&detections.named) {
        named.insert(name, selection_expr(selection, placeholders)?);
    }
    let mut budget = EXPR_NODES_MAX;
    let mut alternatives = Vec::new();
    for condition in &detections.conditions {
        alternatives.push(condition_expr(condition, &named, &mut budget)?);
    }
    match alternatives.len() {
        0 => Err(Fault::new("field_missing", "the detection has no condition").at("detection:")),
        1 => Ok(alternatives.remove(0)),
        _ => Ok(Expr::Or(alternatives)),
    }
}

fn sorted(named: &HashMap<String, ast::Detection>) -> BTreeMap<&str, &ast::Detection> {
    named.iter().map(|(name, selection)| (name.as_str(), selection)).collect()
}

fn selection_expr(selection: &ast::Detection, placeholders: &Placeholders) -> Result<Expr, Fault> {
    let list = |all: &[ast::Detection]| -> Result<Vec<Expr>, Fault> {
        all.iter().map(|part| selection_expr(part, placeholders)).collect()
    };
    match selection {
        ast::Detection::AllOf(items) => {
            let all: Result<Vec<Expr>, Fault> =
                items.iter().map(|i| item_expr(&item(i)?, placeholders)).collect();
            let mut all = all?;
            Ok(if all.len() == 1 { all.remove(0) } else { Expr::And(all) })
        }
        ast::Detection::AnyOf(all) => Ok(Expr::Or(list(all)?)),
        ast::Detection::And(all) => Ok(Expr::And(list(all)?)),
        ast::Detection::Keywords(values) => {
            let item =
                Item { field: None, mods: Vec::new(), values: values.iter().map(raw).collect() };
            item_expr(&item, placeholders)
        }
        ast::Detection::ArrayMatch { field, .. } => {
            Err(Fault::new("array_unsupported", "array selectors are not supported")
                .help("name the field without brackets: any of its values may match")
                .at(format!("{field}[")))
        }
        ast::Detection::Conditional { .. } => {
            Err(Fault::new("array_unsupported", "conditions within array blocks are not supported"))
        }
    }
}

fn item(item: &ast::DetectionItem) -> Result<Item, Fault> {
    let name =
        item.field.name.as_deref().map(|n| ast::fieldpath::unescape_brackets(n).into_owned());
    if name.as_deref() == Some("") {
        return Err(Fault::new("rule_invalid", "a selection has an empty field name"));
    }
    let mods = item.field.modifiers.iter().map(|m| modifier(*m)).collect();
    Ok(Item { field: name, mods, values: item.values.iter().map(raw).collect() })
}

fn raw(value: &ast::SigmaValue) -> Raw {
    match value {
        ast::SigmaValue::String(text) => Raw::Text(text.original.clone()),
        ast::SigmaValue::Integer(value) => Raw::Number(Num::Int(*value)),
        ast::SigmaValue::Float(value) => Raw::Number(Num::Float(*value)),
        ast::SigmaValue::Bool(value) => Raw::Bool(*value),
        ast::SigmaValue::Null => Raw::Null,
    }
}

fn condition_expr(
    condition: &ast::ConditionExpr,
    named: &BTreeMap<&str, Expr>,
    budget: &mut usize,
) -> Result<Expr, Fault> {
    use ast::{ConditionExpr, Quantifier, SelectorPattern};
    let unknown = |name: &str| {
        let known: Vec<&str> = named.keys().copied().collect();
        let message = format!("the condition names `{name}`, which is not defined");
        let mut fault = Fault::new("selection_unknown", message);
        fault.place = Place::InCondition(name.to_owned());
        fault.help(format!("defined are: {}", known.join(", ")))
    };
    let mut list = |all: &[ConditionExpr]| -> Result<Vec<Expr>, Fault> {
        all.iter().map(|part| condition_expr(part, named, budget)).collect()
    };
    match condition {
        ConditionExpr::And(all) => Ok(Expr::And(list(all)?)),
        ConditionExpr::Or(all) => Ok(Expr::Or(list(all)?)),
        ConditionExpr::Not(part) => Ok(Expr::Not(Box::new(condition_expr(part, named, budget)?))),
        ConditionExpr::Identifier(name) => {
            let expr = named.get(name.as_str()).ok_or_else(|| unknown(name))?;
            take(expr, budget)
        }
        ConditionExpr::Selector { quantifier, pattern } => {
            let matches = |name: &str| match pattern {
                SelectorPattern::Them => true,
                SelectorPattern::Pattern(pattern) => ast::detection_name_matches(pattern, name),
            };
            // Names that begin with an underscore are for reference by name only.
            let chosen = named.iter().filter(|(name, _)| !name.starts_with('_') && matches(name));
            let parts: Result<Vec<Expr>, Fault> =
                chosen.map(|(_, expr)| take(expr, budget)).collect();
            let parts = parts?;
            if parts.is_empty() {
                return Err(unknown(match pattern {
                    SelectorPattern::Them => "them",
                    SelectorPattern::Pattern(pattern) => pattern,
                }));
            }
            Ok(match quantifier {
                Quantifier::Any => Expr::Or(parts),
                Quantifier::All => Expr::And(parts),
                Quantifier::Count(count) => {
                    Expr::AtLeast(usize::try_from(*count).unwrap_or(usize::MAX), parts)
                }
            })
        }
    }
}

/// Copies a selection into the condition, within the budget.
fn take(expr: &Expr, budget: &mut usize) -> Result<Expr, Fault> {
    fn nodes(expr: &Expr) -> usize {
        match expr {
            Expr::And(all) | Expr::Or(all) | Expr::AtLeast(_, all) => {
                1 + all.iter().map(nodes).sum::<usize>()
            }
            Expr::Not(part) => 1 + nodes(part),
            Expr::Test(_) => 1,
        }
    }
    let size = nodes(expr);
    if size > *budget {
        let message = format!("the condition expands to more than {EXPR_NODES_MAX} tests");
        return Err(Fault::new("condition_too_big", message).at("condition:"));
    }
    *budget -= size;
    Ok(expr.clone())
}
