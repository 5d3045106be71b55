//! Turns one detection item (field, modifiers, values) into an expression (Sigma 2.1,
//! "value modifiers").

use super::Fault;
use super::encode::{encode, pieces};
use crate::ir::{Anchor, Cidr, CmpOp, Expr, Glob, Num, Piece, Predicate, Rx, Test, TimePart, fold};
use std::collections::BTreeMap;

/// Largest compiled program of one regular expression, in bytes; twice what the largest
/// published rule takes. A larger one is refused with `regex_too_big`.
const REGEX_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Largest cache of the lazy automaton of one regular expression, in bytes. Beyond it the
/// automaton is rebuilt while matching, which costs time only.
const REGEX_CACHE_BYTES_MAX: usize = 1024 * 1024;

/// Longest value of a rule, in bytes; a longer one is refused with `value_invalid`, since
/// work per event grows with it.
const LITERAL_BYTES_MAX: usize = 8 * 1024;

/// Values of placeholders, by name without the percent signs.
pub(crate) type Placeholders = BTreeMap<String, Vec<String>>;

/// A Sigma modifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mod {
    /// `contains`, `startswith`, `endswith`.
    Anchor(Anchor),
    /// `all`.
    All,
    /// `base64`.
    Base64,
    /// `base64offset`.
    Base64Offset,
    /// `wide`, `utf16le`.
    Utf16Le,
    /// `utf16be`.
    Utf16Be,
    /// `utf16`: little endian behind its byte order mark.
    Utf16,
    /// `windash`.
    Windash,
    /// `re`.
    Re,
    /// `i`, `m`, `s` behind `re`.
    RegexFlag(char),
    /// `cidr`.
    Cidr,
    /// `cased`.
    Cased,
    /// `exists`.
    Exists,
    /// `expand`.
    Expand,
    /// `fieldref`.
    FieldRef,
    /// `lt`, `lte`, `gt`, `gte`.
    Compare(CmpOp),
    /// `neq`.
    Neq,
    /// `minute` to `year`.
    Time(TimePart),
}

/// A value as the YAML has it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Raw {
    /// Text, wildcards not yet read.
    Text(String),
    /// Number.
    Number(Num),
    /// Truth value.
    Bool(bool),
    /// `null`.
    Null,
}

/// One field (or keywords) with its modifiers and values.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// The field; `None` for keywords.
    pub field: Option<String>,
    /// In the order written.
    pub mods: Vec<Mod>,
    /// Alternatives, or with `all` requirements.
    pub values: Vec<Raw>,
}

impl Item {
    fn has(&self, wanted: Mod) -> bool {
        self.mods.contains(&wanted)
    }

    fn anchor(&self) -> Anchor {
        let anchor = self.mods.iter().find_map(|m| match m {
            Mod::Anchor(anchor) => Some(*anchor),
            _ => None,
        });
        // `base64offset` looks for a part of a Base64 text, which is never all of a value.
        let part = self.has(Mod::Base64Offset);
        anchor.unwrap_or(if part { Anchor::Within } else { Anchor::Equals })
    }

    fn test(&self, test: Test) -> Expr {
        Expr::Test(Predicate { field: self.field.clone(), test })
    }
}

/// The expression of an item.
pub(crate) fn item_expr(item: &Item, placeholders: &Placeholders) -> Result<Expr, Fault> {
    if item.values.is_empty() {
        let name = item.field.as_deref().unwrap_or("keywords");
        return Err(Fault::new("value_invalid", format!("`{name}` has an empty list of values"))
            .help("give at least one value, or use `null` for an absent field")
            .at(name));
    }
    let values = expand(item, placeholders)?;
    let mut alternatives = Vec::with_capacity(values.len());
    for value in &values {
        alternatives.push(value_expr(item, value)?);
    }
    let one = if alternatives.len() == 1 { alternatives.pop() } else { None };
    let joined = match one {
        Some(only) => only,
        None if item.has(Mod::All) => Expr::And(alternatives),
        None => Expr::Or(alternatives),
    };
    Ok(if item.has(Mod::Neq) { Expr::Not(Box::new(joined)) } else { joined })
}

/// Replaces `%name%` under `expand`.
fn expand(item: &Item, placeholders: &Placeholders) -> Result<Vec<Raw>, Fault> {
    if !item.has(Mod::Expand) {
        return Ok(item.values.clone());
    }
    let mut out = Vec::new();
    for value in &item.values {
        let Raw::Text(text) = value else {
            out.push(value.clone());
            continue;
        };
        let Some((before, name, after)) = placeholder(text) else {
            out.push(value.clone());
            continue;
        };
        let Some(defined) = placeholders.get(name) else {
            let message = format!("placeholder `%{name}%` has no value");
            return Err(Fault::new("placeholder_unresolved", message)
                .help("define the placeholder, or replace it by the values of this installation")
                .at(text.clone()));
        };
        out.extend(defined.iter().map(|value| Raw::Text(format!("{before}{value}{after}"))));
    }
    Ok(out)
}

/// The first `%name%` of a text and what stands around it.
fn placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('%')?;
    let (name, after) = rest.split_once('%')?;
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
    (!name.is_empty() && name.chars().all(word)).then_some((before, name, after))
}

fn value_expr(item: &Item, value: &Raw) -> Result<Expr, Fault> {
    let name = item.field.as_deref().unwrap_or("keywords");
    let invalid = |what: &str| {
        Fault::new("value_invalid", format!("`{name}`: {what}")).at(match value {
            Raw::Text(text) if !text.is_empty() => text.clone(),
            _ => name.to_owned(),
        })
    };
    if let Raw::Text(text) = value
        && text.len() > LITERAL_BYTES_MAX
    {
        return Err(invalid(&format!("the value is longer than {LITERAL_BYTES_MAX} bytes")));
    }
    if item.has(Mod::Exists) {
        let wanted = match value {
            Raw::Bool(wanted) => *wanted,
            Raw::Text(text) if text.eq_ignore_ascii_case("true") => true,
            Raw::Text(text) if text.eq_ignore_ascii_case("false") => false,
            _ => return Err(invalid("`exists` takes true or false")),
        };
        let test = item.test(Test::Exists);
        return Ok(if wanted { test } else { Expr::Not(Box::new(test)) });
    }
    if let Some(part) =
        item.mods.iter().find_map(|m| if let Mod::Time(p) = m { Some(*p) } else { None })
    {
        let op = compare_op(item).unwrap_or(CmpOp::Eq);
        let Some(Num::Int(number)) = number(value) else {
            return Err(invalid("parts of a time are compared with whole numbers"));
        };
        return Ok(item.test(Test::TimePart(part, op, number)));
    }
    if let Some(op) = compare_op(item) {
        let Some(number) = number(value) else {
            return Err(invalid("lt, lte, gt and gte take a number"));
        };
        return Ok(item.test(Test::Compare(op, number)));
    }
    match value {
        Raw::Null => Ok(item.test(Test::Null)),
        Raw::Bool(truth) => Ok(text_test(item, literal(if *truth { "true" } else { "false" }))),
        Raw::Number(number)
            if item.mods.iter().all(|m| matches!(m, Mod::All | Mod::Neq | Mod::Cased)) =>
        {
            Ok(match item.field {
                Some(_) => item.test(Test::Number(*number)),
                None => text_test(item, literal(&number_text(*number))),
            })
        }
        Raw::Number(number) => text_expr(item, &number_text(*number), &invalid),
        Raw::Text(text) => text_expr(item, text, &invalid),
    }
}

fn compare_op(item: &Item) -> Option<CmpOp> {
    item.mods.iter().find_map(|m| if let Mod::Compare(op) = m { Some(*op) } else { None })
}

fn number(value: &Raw) -> Option<Num> {
    match value {
        Raw::Number(number) => Some(*number),
        Raw::Text(text) => Num::of_text(text.as_bytes()),
        _ => None,
    }
}

fn number_text(number: Num) -> String {
    match number {
        Num::Int(value) => value.to_string(),
        Num::Float(value) => value.to_string(),
    }
}

/// Text under `re`, `cidr`, `fieldref`, or as a pattern.
fn text_expr(item: &Item, text: &str, invalid: &dyn Fn(&str) -> Fault) -> Result<Expr, Fault> {
    if item.has(Mod::Re) {
        return Ok(item.test(Test::Regex(regex(item, text)?)));
    }
    if item.has(Mod::Cidr) {
        let cidr = Cidr::parse(text).ok_or_else(|| {
            invalid("not a network")
                .help("write an address and the number of bits, such as 10.0.0.0/8")
        })?;
        return Ok(item.test(Test::Cidr(cidr)));
    }
    if item.has(Mod::FieldRef) {
        if text.is_empty() || item.field.is_none() {
            return Err(invalid("`fieldref` compares a field with another field's name"));
        }
        let how = item.anchor();
        return Ok(item.test(Test::FieldRef {
            other: text.to_owned(),
            how,
            cased: item.has(Mod::Cased),
        }));
    }
    let forms = encode(&item.mods, pieces(text), invalid)?;
    let mut tests: Vec<Expr> = forms.into_iter().map(|form| text_test(item, form)).collect();
    Ok(match tests.len() {
        1 => tests.remove(0),
        _ => Expr::Or(tests),
    })
}

/// A text test: anchors become wildcards; keywords stand anywhere; literals are folded.
fn text_test(item: &Item, mut pieces: Vec<Piece>) -> Expr {
    let anchor = if item.field.is_none() { Anchor::Within } else { item.anchor() };
    if matches!(anchor, Anchor::Within | Anchor::End) {
        pieces.insert(0, Piece::Any);
    }
    if matches!(anchor, Anchor::Within | Anchor::Start) {
        pieces.push(Piece::Any);
    }
    let cased = item.has(Mod::Cased);
    let pieces = pieces.into_iter().map(|piece| match piece {
        Piece::Lit(bytes) if !cased => Piece::Lit(fold(&bytes)),
        other => other,
    });
    item.test(Test::Text { glob: Glob::new(pieces), cased })
}

fn literal(text: &str) -> Vec<Piece> {
    vec![Piece::Lit(text.as_bytes().to_vec())]
}

fn regex(item: &Item, text: &str) -> Result<Rx, Fault> {
    let flag = |c: char| item.mods.contains(&Mod::RegexFlag(c));
    let built = regex::bytes::RegexBuilder::new(text)
        .case_insensitive(flag('i'))
        .multi_line(flag('m'))
        .dot_matches_new_line(flag('s'))
        .size_limit(REGEX_BYTES_MAX)
        .dfa_size_limit(REGEX_CACHE_BYTES_MAX)
        .build();
    let flags: String = ['i', 'm', 's'].into_iter().filter(|c| flag(*c)).collect();
    let fault = |code, message: String, help: &str| Fault::new(code, message).help(help).at(text);
    match built {
        Ok(regex) => Ok(Rx { pattern: text.into(), flags: flags.into(), regex }),
        Err(regex::Error::CompiledTooBig(limit)) => Err(fault(
            "regex_too_big",
            format!("the regular expression compiles to more than {limit} bytes"),
            "use smaller repetition counts, or several expressions",
        )),
        Err(error) => {
            let message = error.to_string();
            let last = message.lines().last().unwrap_or_default();
            let last = last.strip_prefix("error: ").unwrap_or(last).to_owned();
            if last.contains("look-around") || last.contains("backreference") {
                return Err(fault(
                    "regex_unsupported",
                    last,
                    "say it with a second selection and `and not` in the condition",
                ));
            }
            Err(fault(
                "regex_invalid",
                last,
                "see the syntax of Rust's regex crate; escape literal { and }",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    fn item(mods: &[Mod], values: &[&str]) -> Item {
        Item {
            field: Some("f".into()),
            mods: mods.to_vec(),
            values: values.iter().map(|v| Raw::Text((*v).into())).collect(),
        }
    }

    fn globs(item: &Item) -> Vec<Vec<Piece>> {
        fn walk(expr: &Expr, out: &mut Vec<Vec<Piece>>) {
            match expr {
                Expr::Test(Predicate { test: Test::Text { glob, .. }, .. }) => {
                    out.push(glob.0.clone())
                }
                Expr::And(all) | Expr::Or(all) => all.iter().for_each(|e| walk(e, out)),
                _ => {}
            }
        }
        let mut out = Vec::new();
        walk(&item_expr(item, &Placeholders::new()).unwrap(), &mut out);
        out
    }

    fn lit(text: &str) -> Piece {
        Piece::Lit(text.as_bytes().to_vec())
    }

    #[test]
    fn wildcards_and_their_escapes() {
        let found = globs(&item(&[], &[r"C:\Win*\\\*?\x\"]));
        assert_eq!(found, [vec![lit("c:\\win"), Piece::Any, lit("\\*"), Piece::One, lit("\\x\\")]]);
        let found = globs(&item(&[Mod::Anchor(Anchor::Within)], &["**a"]));
        assert_eq!(found, [vec![Piece::Any, lit("a"), Piece::Any]]);
    }

    #[test]
    fn base64_offsets_of_a_known_text() {
        let forms = globs(&item(&[Mod::Cased, Mod::Base64Offset], &["http://"]));
        let texts: Vec<String> = forms
            .iter()
            .map(|form| match &form[1] {
                Piece::Lit(bytes) => String::from_utf8(bytes.clone()).unwrap(),
                other => panic!("{other:?}"),
            })
            .collect();
        for before in ["", "a", "ab"] {
            let encoded = STANDARD.encode(format!("{before}http://xyz"));
            assert!(texts.iter().any(|t| encoded.contains(t.as_str())), "{encoded} {texts:?}");
        }
    }

    #[test]
    fn windash_stands_for_any_of_the_five() {
        let found = globs(&item(&[Mod::Windash], &["a-b /c\u{2014}"]));
        let dash = || Piece::Dash;
        assert_eq!(found, [vec![lit("a"), dash(), lit("b "), dash(), lit("c"), dash()]]);
    }

    #[test]
    fn faults_have_codes() {
        let code = |mods: &[Mod], value: &str| {
            item_expr(&item(mods, &[value]), &Placeholders::new()).unwrap_err().code
        };
        assert_eq!(code(&[Mod::Re], "(?=a)b"), "regex_unsupported");
        assert_eq!(code(&[Mod::Re], "("), "regex_invalid");
        assert_eq!(code(&[Mod::Re], r"(\w{500}){500}"), "regex_too_big");
        assert_eq!(code(&[Mod::Cidr], "10.0.0.0/40"), "value_invalid");
        assert_eq!(code(&[Mod::Expand], "%admins%"), "placeholder_unresolved");
        assert_eq!(code(&[Mod::Compare(CmpOp::Lt)], "x"), "value_invalid");
        assert_eq!(code(&[], &"x".repeat(LITERAL_BYTES_MAX + 1)), "value_invalid");
        assert!(
            item_expr(&item(&[], &[&"x".repeat(LITERAL_BYTES_MAX)]), &Placeholders::new()).is_ok()
        );
    }

    #[test]
    fn placeholders_that_are_defined_become_values() {
        let defined = Placeholders::from([("admins".into(), vec!["root".into(), "adm*".into()])]);
        let expr = item_expr(&item(&[Mod::Expand], &["x%admins%"]), &defined).unwrap();
        assert!(matches!(expr, Expr::Or(all) if all.len() == 2));
    }
}
