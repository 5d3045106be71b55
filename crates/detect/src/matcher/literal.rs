//! The literal that every match of a pattern must contain.

use crate::ir::{Glob, Piece, Rx, fold};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// A literal that must occur, folded.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) enum Literal {
    /// The value is this.
    Equals(Vec<u8>),
    /// The value begins with it.
    Start(Vec<u8>),
    /// The value ends with it.
    End(Vec<u8>),
    /// The value contains it.
    Within(Vec<u8>),
    /// The value is this number (bits of its floating-point form).
    Number(u64),
    /// There is a value.
    Present,
}

/// The literal of a text pattern. Folding maps characters one by one, so the folded value
/// contains the folded literal wherever the value contains the literal; of a literal that is
/// not UTF-8 this cannot be said.
pub(super) fn of_glob(glob: &Glob) -> Literal {
    let usable = |lit: &[u8]| std::str::from_utf8(lit).is_ok();
    match glob.0.as_slice() {
        [] => Literal::Equals(Vec::new()),
        [Piece::Lit(lit)] if usable(lit) => Literal::Equals(fold(lit)),
        [Piece::Lit(lit), Piece::Any] if usable(lit) => Literal::Start(fold(lit)),
        [Piece::Any, Piece::Lit(lit)] if usable(lit) => Literal::End(fold(lit)),
        pieces => {
            let literals = pieces.iter().filter_map(|piece| match piece {
                Piece::Lit(lit) if usable(lit) => Some(lit),
                _ => None,
            });
            literals
                .max_by_key(|lit| lit.len())
                .map_or(Literal::Present, |lit| Literal::Within(fold(lit)))
        }
    }
}

/// The alternatives of a regular expression, one of which every match contains.
pub(super) fn of_regex(rx: &Rx) -> Vec<Literal> {
    let parsed = ParserBuilder::new().utf8(false).build().parse(&rx.pattern);
    let Ok(hir) = parsed else { return vec![Literal::Present] };
    match required(&hir) {
        Some(texts) => texts.into_iter().map(Literal::Within).collect(),
        None => vec![Literal::Present],
    }
}

/// Most alternatives taken from one expression; more would cost more than they save.
const ALTERNATIVES_MAX: usize = 16;

/// Shortest literal worth looking for.
const LITERAL_BYTES_MIN: usize = 2;

/// A set of folded texts one of which every match contains, if there is a useful one.
fn required(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    let keep = |texts: Vec<Vec<u8>>| {
        let short = texts.iter().any(|text| text.len() < LITERAL_BYTES_MIN);
        (!short && !texts.is_empty() && texts.len() <= ALTERNATIVES_MAX).then_some(texts)
    };
    match hir.kind() {
        HirKind::Capture(group) => required(&group.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => required(&repetition.sub),
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(required(part)?);
            }
            all.sort();
            all.dedup();
            keep(all)
        }
        HirKind::Concat(parts) => {
            let mut best: Option<Vec<Vec<u8>>> = None;
            let mut run: Vec<u8> = Vec::new();
            let mut offer = |texts: Option<Vec<Vec<u8>>>| {
                let Some(texts) = texts else { return };
                let worth =
                    |t: &Vec<Vec<u8>>| t.iter().map(Vec::len).min().unwrap_or(0) * 100 / t.len();
                if best.as_ref().is_none_or(|known| worth(&texts) > worth(known)) {
                    best = Some(texts);
                }
            };
            for part in parts {
                if let Some(text) = exact(part) {
                    run.extend(text);
                } else {
                    offer(text_of(std::mem::take(&mut run)).and_then(|text| keep(vec![text])));
                    offer(required(part));
                }
            }
            offer(text_of(run).and_then(|text| keep(vec![text])));
            best
        }
        _ => exact(hir).and_then(text_of).and_then(|text| keep(vec![text])),
    }
}

/// Folded, if the bytes are whole characters.
fn text_of(bytes: Vec<u8>) -> Option<Vec<u8>> {
    std::str::from_utf8(&bytes).is_ok().then(|| fold(&bytes))
}

/// The text of an expression that matches one text only, letter case aside.
fn exact(hir: &Hir) -> Option<Vec<u8>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(literal.0.to_vec()),
        HirKind::Class(Class::Unicode(class)) => {
            let mut folded: Option<Vec<u8>> = None;
            // Letters have at most a handful of case variants.
            let count: u32 =
                class.iter().map(|range| range.end() as u32 - range.start() as u32 + 1).sum();
            if count == 0 || count > 6 {
                return None;
            }
            for c in class.iter().flat_map(|range| range.start()..=range.end()) {
                let text = fold(c.to_string().as_bytes());
                if folded.as_ref().is_some_and(|known| *known != text) {
                    return None;
                }
                folded = Some(text);
            }
            folded
        }
        HirKind::Capture(group) => exact(&group.sub),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(pattern: &str, expect: &[&str]) {
        let rx = Rx {
            pattern: pattern.into(),
            flags: "".into(),
            regex: regex::bytes::Regex::new(pattern).unwrap(),
        };
        let found: Vec<String> = of_regex(&rx)
            .into_iter()
            .map(|literal| match literal {
                Literal::Within(text) => String::from_utf8(text).unwrap(),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(found, expect, "{pattern}");
    }

    #[test]
    fn required_literals_of_expressions() {
        check("abc.*defgh", &["defgh"]);
        check("(?i)PowerShell", &["powershell"]);
        check("a(bc|de)+f", &["bc", "de"]);
        check("(ab)?c", &["Present"]);
        check(r"\d+", &["Present"]);
        check("x|", &["Present"]);
        check(r"\\Users\\[^\\]+\\x", &["\\users\\"]);
    }
}
