//! The words for reasons that lie in the event: its names, numbers, times and long values.

use super::{each, mark};
use crate::flat::Field;
use crate::reason::{Case, names, text_of, values};
use rsigma_parser::{Modifier, SigmaValue, StringPart};
use yagura_event::SpanType;
use yagura_event::time::{SECOND, parse_rfc3339, rfc3339};

/// A field whose values are all null becomes one null.
pub(crate) fn one_null(case: &mut Case) {
    let mut seen: Vec<String> = Vec::new();
    let whole = case.event.clone();
    case.event.fields.retain(|field| {
        let nulls = whole.values(&field.name).all(|other| other.kind == SpanType::Null);
        let first = !seen.contains(&field.name);
        seen.push(field.name.clone());
        !nulls || first
    });
}

/// Fields under the names that the rule gives them.
pub(crate) fn field_names(case: &mut Case) {
    let mut added = Vec::new();
    for name in names(&case.rule) {
        if case.event.values(&name).next().is_none() {
            let same = values(&case.event, Some(&name)).into_iter();
            added.extend(same.map(|f| Field { name: name.clone(), ..f.clone() }));
        }
    }
    case.event.fields.extend(added);
}

/// Numbers as the record writes them. Tests for numbers read them from text as well.
pub(crate) fn number_text(case: &mut Case) {
    for field in &mut case.event.fields {
        if field.kind == SpanType::Number {
            field.kind = SpanType::String;
        }
    }
}

/// Whether the text is a number for the oracle alone.
pub(crate) fn is_odd_number(field: &Field) -> bool {
    let number = field.text.parse::<f64>();
    number.is_ok_and(|n| !n.is_finite() || field.text.len() > 32)
}

/// What is no number fulfils no test for numbers.
pub(crate) fn number_form(case: &mut Case) {
    mark(case, &|case, item| {
        use Modifier as M;
        let numeric = [M::Lt, M::Lte, M::Gt, M::Gte]
            .into_iter()
            .any(|m| item.field.has_modifier(m))
            || matches!(item.values.first(), Some(SigmaValue::Integer(_) | SigmaValue::Float(_)));
        let found = values(&case.event, item.field.name.as_deref());
        let odd = |field: &&Field| is_odd_number(field);
        (numeric && !found.is_empty() && found.iter().all(odd)).then_some(false)
    });
}

/// Whole numbers compare digit by digit, others by their nearest 64-bit number.
pub(crate) fn number_precision(case: &mut Case) {
    mark(case, &|case, item| {
        let wanted = match item.values.as_slice() {
            [value @ (SigmaValue::Integer(_) | SigmaValue::Float(_))] => text_of(value),
            _ => return None,
        };
        use Modifier as M;
        let op = item.field.modifiers.as_slice();
        let holds: fn(std::cmp::Ordering) -> bool = match op {
            [] | [M::Cased] => |o| o.is_eq(),
            [M::Lt] => |o| o.is_lt(),
            [M::Lte] => |o| o.is_le(),
            [M::Gt] => |o| o.is_gt(),
            [M::Gte] => |o| o.is_ge(),
            _ => return None,
        };
        item.field.name.as_ref()?;
        let found = values(&case.event, item.field.name.as_deref());
        let order = |field: &&Field| match (field.text.parse::<i128>(), wanted.parse::<i128>()) {
            (Ok(a), Ok(b)) if small(a) && small(b) => Some(a.cmp(&b)),
            _ => field.text.parse::<f64>().ok()?.partial_cmp(&wanted.parse::<f64>().ok()?),
        };
        let readable = |f: &&&Field| f.kind != SpanType::Null && !is_odd_number(f);
        Some(found.iter().filter(readable).filter_map(order).any(holds))
    });
}

/// Whether a whole number fits 64 bits.
fn small(number: i128) -> bool {
    i64::try_from(number).is_ok()
}

/// Whether a modifier takes a part of a time.
pub(crate) fn is_time(modifier: &Modifier) -> bool {
    use Modifier as M;
    matches!(modifier, M::Minute | M::Hour | M::Day | M::Week | M::Month | M::Year)
}

/// Times as RFC 3339, whichever way the record writes them.
pub(crate) fn time_form(case: &mut Case) {
    let before = case.event.clone();
    let mut added = Vec::new();
    each(case, &mut |item| {
        let Some(name) = item.field.name.clone() else { return };
        if item.field.modifiers.iter().any(is_time) {
            let other = format!("\u{1}time {name}");
            let found = values(&before, Some(&name));
            let times = found.iter().filter_map(|f| time(&f.text));
            added.extend(times.map(|time| Field::text(other.clone(), rfc3339(time))));
            item.field.name = Some(other);
        }
    });
    case.event.fields.extend(added);
}

fn time(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        // From here on, seconds would lie beyond the year 5000.
        let seconds = if number.abs() >= 1e11 { number / 1e3 } else { number };
        let plain = !is_odd_number(&Field::text("", text)) && seconds.abs() < 1e12;
        return plain.then_some((seconds * SECOND as f64) as i64);
    }
    parse_rfc3339(text).or_else(|| parse_rfc3339(&format!("{text}Z")))
}

/// What stands beyond the limit is not seen, and where a value ends is not known: tests that
/// reach the end look at the values within the limit alone, others at the beginning.
pub(crate) fn value_beyond(case: &mut Case) {
    let most = yagura_detect::VALUE_BYTES_MAX;
    let cut = |text: &str| {
        let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        text[..end.unwrap_or(0)].to_owned()
    };
    let beyond: Vec<String> =
        case.event.fields.iter().filter(|f| f.text.len() > most).map(|f| f.name.clone()).collect();
    case.event.raw = cut(&case.event.raw);
    let whole = case.event.fields.clone();
    for field in whole.iter().filter(|f| beyond.contains(&f.name)) {
        let text = cut(&field.text);
        let short = text.len() == field.text.len();
        let begun = Field { name: format!("\u{1}cut {}", field.name), text, ..field.clone() };
        if short {
            let name = format!("\u{1}short {}", field.name);
            case.event.fields.push(Field { name, ..field.clone() });
        }
        case.event.fields.push(begun);
    }
    // What keywords see of them.
    case.event.fields.iter_mut().for_each(|field| field.text = cut(&field.text));
    each(case, &mut |item| {
        use Modifier as M;
        let modifiers = item.field.modifiers.clone();
        let has = |modifier| modifiers.contains(&modifier);
        let Some(name) = item.field.name.as_mut().filter(|name| beyond.contains(name)) else {
            return;
        };
        let open = match item.values.first() {
            Some(SigmaValue::String(text)) => {
                let last = text.parts.last();
                let empty = text.as_plain().is_some_and(|plain| plain.is_empty());
                // Any value ends with nothing.
                (empty && has(M::EndsWith))
                    || matches!(
                        last,
                        Some(StringPart::Special(rsigma_parser::SpecialChar::WildcardMulti))
                    )
            }
            Some(SigmaValue::Null) => return,
            _ => false,
        };
        let begun =
            open || [M::Re, M::Contains, M::StartsWith, M::Base64Offset].into_iter().any(has);
        if !has(M::Exists) && !has(M::FieldRef) {
            *name = format!("\u{1}{} {name}", if begun { "cut" } else { "short" });
        }
    });
}
