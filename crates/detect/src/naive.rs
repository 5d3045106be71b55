//! The reference evaluator for tests: walks a rule's expression over an event, without
//! sharing, memory, routing or literals.

use crate::ir::DASHES;
use crate::ir::{
    Anchor, CmpOp, Expr, Glob, Num, Piece, Predicate, Test, Value, fold, time_of_text,
};
use crate::matcher::{cut, refers};
use yagura_event::{EventRef, FieldId, FieldTable, SpanType};

/// Whether `expr` holds for the spans of `event`; columns are not looked at.
pub(crate) fn holds(expr: &Expr, event: &EventRef<'_>, fields: &FieldTable) -> bool {
    match expr {
        Expr::Test(predicate) => test(predicate, event, fields),
        Expr::And(parts) => parts.iter().all(|part| holds(part, event, fields)),
        Expr::Or(parts) => parts.iter().any(|part| holds(part, event, fields)),
        Expr::Not(part) => !holds(part, event, fields),
        Expr::AtLeast(count, parts) => {
            parts.iter().filter(|part| holds(part, event, fields)).count() >= *count
        }
    }
}

struct Owned {
    text: Vec<u8>,
    kind: SpanType,
    cut: bool,
}

fn values(name: &str, event: &EventRef<'_>, fields: &FieldTable) -> Vec<Owned> {
    let take = |wanted: &dyn Fn(FieldId, &[u8]) -> bool| -> Vec<Owned> {
        let spans =
            event.spans().iter().filter(|span| wanted(span.field, event.span_name(span, fields)));
        spans.map(|span| owned(event.span_value(span), span.kind)).collect()
    };
    let exact = take(&|_, n| n == name.as_bytes());
    if !exact.is_empty() {
        return exact;
    }
    take(&|id, n| id != FieldId::UNKNOWN && n.eq_ignore_ascii_case(name.as_bytes()))
}

fn owned(text: &[u8], kind: SpanType) -> Owned {
    let seen = cut(text);
    Owned { text: seen.to_vec(), kind, cut: seen.len() < text.len() }
}

fn test(predicate: &Predicate, event: &EventRef<'_>, fields: &FieldTable) -> bool {
    let found = match &predicate.field {
        Some(name) => values(name, event, fields),
        None => {
            let mut all = vec![owned(event.raw(), SpanType::String)];
            all.extend(event.spans().iter().map(|span| owned(event.span_value(span), span.kind)));
            all
        }
    };
    match &predicate.test {
        Test::Exists => !found.is_empty(),
        Test::Null => found.iter().all(|value| value.kind == SpanType::Null),
        Test::FieldRef { other, how, cased } => {
            let others = values(other, event, fields);
            found.iter().any(|a| others.iter().any(|b| related(a, b, *how, *cased)))
        }
        other => {
            found.iter().filter(|value| value.kind != SpanType::Null).any(|value| one(other, value))
        }
    }
}

fn related(a: &Owned, b: &Owned, how: Anchor, cased: bool) -> bool {
    let text = |value: &Owned| if cased { value.text.clone() } else { fold(&value.text) };
    let (x, y) = (text(a), text(b));
    refers(
        &Value { text: &x, kind: a.kind, cut: a.cut, time: None },
        &Value { text: &y, kind: b.kind, cut: b.cut, time: None },
        how,
    )
}

fn one(test: &Test, value: &Owned) -> bool {
    let compare = |op: CmpOp, number: Num| {
        Num::of_text(&value.text)
            .and_then(|n| n.compare(number))
            .is_some_and(|order| op.holds(order))
    };
    match test {
        Test::Text { glob, cased } => {
            let text = if *cased { value.text.clone() } else { fold(&value.text) };
            let open = glob.0.last() == Some(&Piece::Any);
            (open || !value.cut) && glob_holds(glob, &text)
        }
        Test::Number(number) => compare(CmpOp::Eq, *number),
        Test::Compare(op, number) => compare(*op, *number),
        Test::TimePart(part, op, number) => {
            time_of_text(&value.text).is_some_and(|time| op.holds(part.of(time).cmp(number)))
        }
        Test::Regex(rx) => rx.regex.is_match(&value.text),
        Test::Cidr(cidr) => cidr.contains(&value.text),
        Test::Null | Test::Exists | Test::FieldRef { .. } => false,
    }
}

/// Whether the whole text fulfils the pattern: sets of positions reached, piece by piece.
fn glob_holds(glob: &Glob, text: &[u8]) -> bool {
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for piece in &glob.0 {
        let mut next = vec![false; text.len() + 1];
        for (at, _) in reached.iter().enumerate().filter(|(_, reached)| **reached) {
            let rest = &text[at..];
            match piece {
                Piece::Any => next[at..].fill(true),
                Piece::Lit(lit) if rest.starts_with(lit) => next[at + lit.len()] = true,
                Piece::Lit(_) => {}
                Piece::One => {
                    let valid = rest.utf8_chunks().next().map(|chunk| chunk.valid().chars().next());
                    match valid {
                        Some(Some(c)) => next[at + c.len_utf8()] = true,
                        Some(None) => next[at + 1] = true,
                        None => {}
                    }
                }
                Piece::Dash => {
                    let dash = DASHES.iter().find(|dash| rest.starts_with(dash.as_bytes()));
                    if let Some(dash) = dash {
                        next[at + dash.len()] = true;
                    }
                }
            }
        }
        reached = next;
    }
    reached[text.len()]
}
