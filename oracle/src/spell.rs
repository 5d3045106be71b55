//! Spells a rule out: one test per selection, lists and negations in the condition.
//!
//! The specification defines lists, `all`, `neq` and `1 of` by `and`, `or` and `not` (rules
//! 2.0, "Lists", "Maps", "Condition"; modifiers 2.1, "Generic modifiers"), so the spelled
//! rule means the same. The oracle evaluates some of these within one matcher instead.

use rsigma_parser::{
    ConditionExpr, Detection, DetectionItem, Modifier, Quantifier, SelectorPattern, SigmaRule,
    detection_name_matches,
};
use std::collections::{BTreeMap, HashMap};

/// Most selections under a counting quantifier that are spelled out.
const COUNTED_MAX: usize = 10;

/// The rule spelled out; `None` where it uses what the specification does not define (array
/// selectors) or names selections that are not there.
pub fn spell(rule: &SigmaRule) -> Option<SigmaRule> {
    let mut speller = Speller { named: HashMap::new() };
    let mut selections = BTreeMap::new();
    for (name, detection) in &rule.detection.named {
        selections.insert(name.as_str(), speller.detection(detection)?);
    }
    let conditions: Option<Vec<ConditionExpr>> =
        rule.detection.conditions.iter().map(|c| condition(c, &selections)).collect();
    let mut spelled = rule.clone();
    spelled.detection.conditions = vec![join(conditions?, ConditionExpr::Or)];
    spelled.detection.named = speller.named;
    Some(spelled)
}

struct Speller {
    named: HashMap<String, Detection>,
}

impl Speller {
    fn detection(&mut self, detection: &Detection) -> Option<ConditionExpr> {
        Some(match detection {
            Detection::AllOf(items) => {
                let all = items.iter().map(|item| self.item(item));
                let all: Vec<ConditionExpr> = all.collect();
                join(all, ConditionExpr::And)
            }
            Detection::AnyOf(parts) => join(self.list(parts)?, ConditionExpr::Or),
            Detection::And(parts) => join(self.list(parts)?, ConditionExpr::And),
            Detection::Keywords(values) => {
                let field = rsigma_parser::FieldSpec::new(None, Vec::new());
                self.item(&DetectionItem { field, values: values.clone() })
            }
            Detection::ArrayMatch { .. } | Detection::Conditional { .. } => return None,
        })
    }

    fn list(&mut self, parts: &[Detection]) -> Option<Vec<ConditionExpr>> {
        parts.iter().map(|part| self.detection(part)).collect()
    }

    fn item(&mut self, item: &DetectionItem) -> ConditionExpr {
        let has = |modifier| item.field.has_modifier(modifier);
        let mut field = item.field.clone();
        field.modifiers.retain(|m| !matches!(m, Modifier::All | Modifier::Neq));
        // Keywords stand anywhere in the record, with `all` as without.
        let text =
            |m: &Modifier| !matches!(m, Modifier::Cased | Modifier::WindAsh | Modifier::IgnoreCase);
        if field.name.is_none() && !field.modifiers.iter().any(text) {
            field.modifiers.push(Modifier::Contains);
        }
        let one = |value| {
            let name = format!("d{:05}", self.named.len());
            let only = DetectionItem { field: field.clone(), values: vec![value] };
            self.named.insert(name.clone(), Detection::AllOf(vec![only]));
            ConditionExpr::Identifier(name)
        };
        let tests: Vec<ConditionExpr> = item.values.iter().cloned().map(one).collect();
        let how = if has(Modifier::All) { ConditionExpr::And } else { ConditionExpr::Or };
        let joined = join(tests, how);
        if has(Modifier::Neq) { ConditionExpr::Not(Box::new(joined)) } else { joined }
    }
}

fn join(
    mut parts: Vec<ConditionExpr>,
    how: fn(Vec<ConditionExpr>) -> ConditionExpr,
) -> ConditionExpr {
    if parts.len() == 1 { parts.remove(0) } else { how(parts) }
}

fn condition(
    expr: &ConditionExpr,
    selections: &BTreeMap<&str, ConditionExpr>,
) -> Option<ConditionExpr> {
    let list = |all: &[ConditionExpr]| -> Option<Vec<ConditionExpr>> {
        all.iter().map(|part| condition(part, selections)).collect()
    };
    Some(match expr {
        ConditionExpr::And(all) => ConditionExpr::And(list(all)?),
        ConditionExpr::Or(all) => ConditionExpr::Or(list(all)?),
        ConditionExpr::Not(part) => ConditionExpr::Not(Box::new(condition(part, selections)?)),
        ConditionExpr::Identifier(name) => selections.get(name.as_str())?.clone(),
        ConditionExpr::Selector { quantifier, pattern } => {
            let wanted = |name: &str| match pattern {
                SelectorPattern::Them => true,
                SelectorPattern::Pattern(pattern) => detection_name_matches(pattern, name),
            };
            let chosen: Vec<ConditionExpr> = selections
                .iter()
                .filter(|(name, _)| !name.starts_with('_') && wanted(name))
                .map(|(_, expr)| expr.clone())
                .collect();
            if chosen.is_empty() {
                return None;
            }
            match quantifier {
                Quantifier::Any => join(chosen, ConditionExpr::Or),
                Quantifier::All => join(chosen, ConditionExpr::And),
                Quantifier::Count(count) => at_least(usize::try_from(*count).ok()?, &chosen)?,
            }
        }
    })
}

/// Every choice of `count` of the parts.
fn at_least(count: usize, parts: &[ConditionExpr]) -> Option<ConditionExpr> {
    if count == 0 || parts.len() > COUNTED_MAX {
        return None;
    }
    let choices = (0u32..1 << parts.len()).filter(|set| set.count_ones() as usize == count);
    let choices: Vec<ConditionExpr> = choices
        .map(|set| {
            let chosen = parts.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1);
            join(chosen.map(|(_, part)| part.clone()).collect(), ConditionExpr::And)
        })
        .collect();
    // More than there are: none holds, which an empty alternative says.
    Some(if choices.len() == 1 { choices.into_iter().next()? } else { ConditionExpr::Or(choices) })
}
