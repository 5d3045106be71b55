//! Chooses what must be seen in an event before a rule is worth evaluating.

use super::literal::{Literal, of_glob, of_regex};
use crate::ir::{Expr, Predicate, Test};

/// Alternatives of which an event must show one: (field, literal).
pub(super) type Witness = Vec<(Option<String>, Literal)>;

/// Alternatives beyond which a rule is rather evaluated for every event; no published rule
/// comes near.
const WITNESS_MAX: usize = 20_000;

/// The cheapest set of literals without one of which `expr` cannot hold; `None` if it can
/// hold without any value (negations, absent fields).
pub(super) fn choose(expr: &Expr) -> Option<Witness> {
    let witness = necessary(expr)?;
    (witness.len() <= WITNESS_MAX).then_some(witness)
}

fn necessary(expr: &Expr) -> Option<Witness> {
    match expr {
        Expr::Not(_) => None,
        Expr::Test(predicate) => of_test(predicate),
        Expr::And(parts) => parts.iter().filter_map(necessary).min_by_key(cost),
        Expr::Or(parts) => union(parts),
        Expr::AtLeast(0, _) => None,
        Expr::AtLeast(_, parts) => union(parts),
    }
}

fn union(parts: &[Expr]) -> Option<Witness> {
    let mut all = Vec::new();
    for part in parts {
        all.extend(necessary(part)?);
    }
    all.sort();
    all.dedup();
    Some(all)
}

fn of_test(predicate: &Predicate) -> Option<Witness> {
    let one = |literal| Some(vec![(predicate.field.clone(), literal)]);
    match &predicate.test {
        Test::Null => None,
        Test::Text { glob, .. } => one(of_glob(glob)),
        Test::Number(number) => {
            let value = number.as_f64();
            one(Literal::Number(number_bits(value)))
        }
        Test::Regex(rx) => Some(
            of_regex(rx).into_iter().map(|literal| (predicate.field.clone(), literal)).collect(),
        ),
        Test::Compare(..)
        | Test::TimePart(..)
        | Test::Cidr(_)
        | Test::Exists
        | Test::FieldRef { .. } => one(Literal::Present),
    }
}

/// Bits of a number such that equal numbers have equal bits.
pub(super) fn number_bits(value: f64) -> u64 {
    if value == 0.0 { 0 } else { value.to_bits() }
}

/// What a witness costs: how often its literals are likely to be seen. Short literals and
/// executables' names are seen often, longer text of command lines and scripts seldom.
fn cost(witness: &Witness) -> u64 {
    witness.iter().map(|(field, literal)| literal_cost(field.as_deref(), literal)).sum()
}

fn literal_cost(field: Option<&str>, literal: &Literal) -> u64 {
    // Keywords are looked for in the whole record, which is longer than any field.
    let place = if field.is_none() { 4 } else { 1 };
    let by_length = |text: &[u8]| match text.len() {
        0 => 4_000,
        1 => 2_000,
        2 => 600,
        3 => 200,
        4..=5 => 60,
        6..=8 => 20,
        _ => 8,
    };
    // What nearly every command line, path or command interpreter's event contains.
    let common: [&[u8]; 6] =
        [b".exe", b"\\cmd.exe", b"\\powershell.exe", b"c:\\windows\\", b"\\system32\\", b"http"];
    place
        * match literal {
            Literal::Present => 10_000,
            Literal::Number(bits) if *bits == number_bits(200.0) => 8_000,
            Literal::Number(_) => 120,
            // Half of all events have the one, half the other; and what most requests are.
            Literal::Equals(text) if matches!(text.as_slice(), b"true" | b"false") => 4_000,
            Literal::Equals(text) if matches!(text.as_slice(), b"get" | b"post" | b"200") => 8_000,
            Literal::Equals(text) => by_length(text) / 2 + 1,
            Literal::Start(text) | Literal::End(text) | Literal::Within(text) => {
                let frequent = common.contains(&text.as_slice());
                by_length(text) + if frequent { 400 } else { 0 }
            }
        }
}
