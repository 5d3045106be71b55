//! The rule language after the front end: one expression of predicates per rule.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;
use yagura_event::SpanType;

/// Condition of a rule: its selections, quantifiers and filters resolved.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Expr {
    /// One predicate.
    Test(Predicate),
    /// All of them.
    And(Vec<Expr>),
    /// Any of them.
    Or(Vec<Expr>),
    /// Not so.
    Not(Box<Expr>),
    /// At least so many of them.
    AtLeast(usize, Vec<Expr>),
}

/// A test of a field, or of the whole record.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Predicate {
    /// The field as written; `None` for keywords, which look at the raw record and every value.
    pub field: Option<String>,
    /// What is asked.
    pub test: Test,
}

/// What is asked of a value. A field with several values fulfils a test if any value does.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Test {
    /// Text against a pattern; the literals are folded unless `cased`.
    Text { glob: Glob, cased: bool },
    /// Equal to a number, as number or as text of one.
    Number(Num),
    /// Ordered against a number.
    Compare(CmpOp, Num),
    /// A part of a time against a number.
    TimePart(TimePart, CmpOp, i64),
    /// Regular expression found in the text.
    Regex(Rx),
    /// Address within a network.
    Cidr(Cidr),
    /// No value, or only `null`.
    Null,
    /// The field is there, with whatever value.
    Exists,
    /// Against the values of another field.
    FieldRef { other: String, how: Anchor, cased: bool },
}

/// A pattern: normalised, without adjacent literals or adjacent [`Piece::Any`].
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Glob(pub Vec<Piece>);

/// A part of a pattern.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Piece {
    /// These bytes.
    Lit(Vec<u8>),
    /// `*`: anything, also nothing.
    Any,
    /// `?`: one character.
    One,
    /// One of the five dashes and slashes that Windows takes for an option (`windash`).
    Dash,
}

/// The characters that [`Piece::Dash`] stands for.
pub(crate) const DASHES: [&str; 5] = ["-", "/", "\u{2013}", "\u{2014}", "\u{2015}"];

impl Glob {
    /// Joins adjacent literals and drops repeated [`Piece::Any`].
    pub fn new(pieces: impl IntoIterator<Item = Piece>) -> Self {
        let mut out: Vec<Piece> = Vec::new();
        for piece in pieces {
            match (out.last_mut(), piece) {
                (Some(Piece::Lit(last)), Piece::Lit(next)) => last.extend_from_slice(&next),
                (Some(Piece::Any), Piece::Any) => {}
                (_, Piece::Lit(empty)) if empty.is_empty() => {}
                (_, piece) => out.push(piece),
            }
        }
        Self(out)
    }
}

/// Where a text stands within another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Anchor {
    /// It is all of it.
    Equals,
    /// At its beginning.
    Start,
    /// At its end.
    End,
    /// Anywhere.
    Within,
}

/// A number of a rule.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Num {
    /// Integer.
    Int(i64),
    /// Floating point.
    Float(f64),
}

impl Num {
    /// As floating point; integers beyond 2^53 are rounded.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    /// Reads a number's text: digits with sign, decimals and exponent, at most 32 bytes, and
    /// nothing around them.
    pub fn of_text(text: &[u8]) -> Option<Self> {
        let first = *text.first()?;
        if text.len() > 32 || !(first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.')) {
            return None;
        }
        let text = std::str::from_utf8(text).ok()?;
        if let Ok(value) = text.parse::<i64>() {
            return Some(Self::Int(value));
        }
        text.parse::<f64>().ok().filter(|value| value.is_finite()).map(Self::Float)
    }

    /// How it compares: exact between integers, else as floating point.
    pub fn compare(self, other: Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(&b)),
            (a, b) => a.as_f64().partial_cmp(&b.as_f64()),
        }
    }
}

impl PartialEq for Num {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            _ => false,
        }
    }
}

impl Eq for Num {}

impl Hash for Num {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Int(value) => value.hash(state),
            Self::Float(value) => value.to_bits().hash(state),
        }
    }
}

/// Order of a value against a rule's number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum CmpOp {
    /// Less.
    Lt,
    /// At most.
    Lte,
    /// More.
    Gt,
    /// At least.
    Gte,
    /// Equal.
    Eq,
}

impl CmpOp {
    /// Whether a value that compares as `order` with the rule's number fulfils the test.
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Lt => order.is_lt(),
            Self::Lte => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Gte => order.is_ge(),
            Self::Eq => order.is_eq(),
        }
    }
}

/// Part of a time (UTC).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum TimePart {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// Day of the month, 1 to 31.
    Day,
    /// ISO 8601 week, 1 to 53.
    Week,
    /// 1 to 12.
    Month,
    /// Such as 2026.
    Year,
}

/// A network.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Cidr {
    /// The network's address.
    pub net: IpAddr,
    /// Bits that count.
    pub bits: u8,
}

impl Cidr {
    /// Reads `address/bits`, or an address alone.
    pub fn parse(text: &str) -> Option<Self> {
        let (net, bits) = match text.trim().split_once('/') {
            Some((net, bits)) => (net.parse::<IpAddr>().ok()?, bits.parse::<u8>().ok()?),
            None => {
                let net = text.trim().parse::<IpAddr>().ok()?;
                (net, if net.is_ipv4() { 32 } else { 128 })
            }
        };
        let most = if net.is_ipv4() { 32 } else { 128 };
        (bits <= most).then_some(Self { net, bits })
    }

    /// Whether `text` is an address within the network; a mapped IPv4 address counts as IPv4.
    pub fn contains(&self, text: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(text) else { return false };
        let text = text.trim();
        let text = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        let text = text.split_once('%').map_or(text, |(address, _)| address);
        let Ok(address) = text.parse::<IpAddr>() else { return false };
        match (self.net, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                self.bits == 0 || (net.to_bits() ^ ip.to_bits()) >> (32 - u32::from(self.bits)) == 0
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                self.bits == 0
                    || (net.to_bits() ^ ip.to_bits()) >> (128 - u32::from(self.bits)) == 0
            }
            _ => false,
        }
    }
}

/// A compiled regular expression, compared by its text and flags.
#[derive(Clone, Debug)]
pub(crate) struct Rx {
    /// The expression as written.
    pub pattern: Arc<str>,
    /// Its flags, of `ims`.
    pub flags: Arc<str>,
    /// Compiled.
    pub regex: regex::bytes::Regex,
}

impl PartialEq for Rx {
    fn eq(&self, other: &Self) -> bool {
        self.pattern == other.pattern && self.flags == other.flags
    }
}

impl Eq for Rx {}

impl Hash for Rx {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.pattern.hash(state);
        self.flags.hash(state);
    }
}

/// A value as tests see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a> {
    /// Its text, cut at [`crate::VALUE_BYTES_MAX`].
    pub text: &'a [u8],
    /// Its type.
    pub kind: SpanType,
    /// Whether it was cut.
    pub cut: bool,
    /// The time it stands for, where it is a time column.
    pub time: Option<yagura_event::Micros>,
}

/// Appends `text` in the case that comparisons use: characters in lower case, those that
/// Unicode folds to another letter folded (`ſ` to `s`, final sigma to sigma). Bytes that are
/// not UTF-8 stay as they are. The result can be longer than `text`.
pub(crate) fn fold_into(text: &[u8], out: &mut Vec<u8>) {
    // Folded in one pass as long as nothing but ASCII comes; short enough to be undone.
    const PART_BYTES: usize = 256;
    out.reserve(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (part, after) = rest.split_at(rest.len().min(PART_BYTES));
        let start = out.len();
        out.resize(start + part.len(), 0);
        let mut all = 0;
        for (to, byte) in out[start..].iter_mut().zip(part) {
            all |= *byte;
            *to = byte.to_ascii_lowercase();
        }
        if !all.is_ascii() {
            out.truncate(start);
            return fold_wide(rest, out);
        }
        rest = after;
    }
}

/// [`fold_into`] for text with characters beyond ASCII.
fn fold_wide(text: &[u8], out: &mut Vec<u8>) {
    let mut buffer = [0u8; 4];
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                c if c.is_ascii() => out.push(c.to_ascii_lowercase() as u8),
                'ſ' => out.push(b's'),
                'ς' => out.extend_from_slice("σ".as_bytes()),
                c => {
                    for lower in c.to_lowercase() {
                        out.extend_from_slice(lower.encode_utf8(&mut buffer).as_bytes());
                    }
                }
            }
        }
        out.extend_from_slice(chunk.invalid());
    }
}

/// [`fold_into`] a new vector.
pub(crate) fn fold(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    fold_into(text, &mut out);
    out
}

impl TimePart {
    /// The part of `time`.
    pub fn of(self, time: yagura_event::Micros) -> i64 {
        let civil = yagura_event::time::civil(time);
        match self {
            Self::Minute => i64::from(civil.minute),
            Self::Hour => i64::from(civil.hour),
            Self::Day => i64::from(civil.day),
            Self::Month => i64::from(civil.month),
            Self::Year => i64::from(civil.year),
            Self::Week => iso_week(time),
        }
    }
}

/// The ISO 8601 week: that of the Thursday of the same Monday-to-Sunday week.
fn iso_week(time: yagura_event::Micros) -> i64 {
    let day = time.div_euclid(yagura_event::time::DAY);
    let thursday = day - (day + 3).rem_euclid(7) + 3;
    let year = yagura_event::time::civil(thursday * yagura_event::time::DAY).year;
    (thursday - yagura_event::time::days_from_civil(year, 1, 1)) / 7 + 1
}

/// Reads the time a text stands for: RFC 3339, the same without a zone (UTC), or seconds or
/// milliseconds since 1970.
pub(crate) fn time_of_text(text: &[u8]) -> Option<yagura_event::Micros> {
    const SECOND: i64 = yagura_event::time::SECOND;
    let text = std::str::from_utf8(text).ok()?.trim();
    if let Some(time) = yagura_event::time::parse_rfc3339(text) {
        return Some(time);
    }
    if text.len() >= 19 && text.len() <= 32 {
        return yagura_event::time::parse_rfc3339(&format!("{text}Z"));
    }
    let number = Num::of_text(text.as_bytes())?.as_f64();
    // From here on, seconds would lie beyond the year 5000: such numbers are milliseconds.
    const MILLIS_FROM: f64 = 1e11;
    let seconds = if number.abs() >= MILLIS_FROM { number / 1e3 } else { number };
    (seconds.abs() < 1e12).then_some((seconds * SECOND as f64) as i64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn networks_of_both_families() {
        let net = Cidr::parse("10.0.0.0/8").unwrap();
        assert!(net.contains(b"10.255.0.1") && net.contains(b"::ffff:10.0.0.1"));
        assert!(!net.contains(b"11.0.0.1") && !net.contains(b"::1") && !net.contains(b"x"));
        assert!(Cidr::parse("0.0.0.0/0").unwrap().contains(b"8.8.8.8"));
        assert!(Cidr::parse("fe80::/10").unwrap().contains(b"fe80::1%eth0"));
        assert_eq!(Cidr::parse("10.0.0.0/33"), None);
    }

    #[test]
    fn weeks_at_the_turn_of_years() {
        let week = |day| {
            let time = yagura_event::time::parse_rfc3339(&format!("{day}T12:00:00Z")).unwrap();
            TimePart::Week.of(time)
        };
        assert_eq!(week("2021-01-03"), 53);
        assert_eq!(week("2021-01-04"), 1);
        assert_eq!(week("2024-12-30"), 1);
        assert_eq!(week("2026-11-22"), 47);
    }

    #[test]
    fn folding_joins_letters_that_differ_in_case_only() {
        assert_eq!(fold("ΑΣς".as_bytes()), fold("ασσ".as_bytes()));
        assert_eq!(fold("Kſ".as_bytes()), b"ks");
        assert_eq!(fold(b"A\xffB"), b"a\xffb");
        // Characters on both sides of a part's end.
        for before in 250..260 {
            let text = "A".repeat(before) + "ÄS";
            assert_eq!(fold(text.as_bytes()), ("a".repeat(before) + "äs").as_bytes());
        }
    }
}
