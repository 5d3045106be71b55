//! Tests of one value: whole texts, words in long texts, regular expressions, addresses, numbers.
//!
//! Case is always ignored. A *whole* test compares the value from its first character to its
//! last. A *word* test looks for a word in a text: where the word begins (ends) with a letter
//! or digit, no other may stand before (behind) it, so that `10.0.0.1` is not found in
//! `10.0.0.12`. Scripts written without spaces (Han, kana, Thai and their like) have no such
//! borders.

use crate::search::ast::{Pattern, Piece};
use crate::search::fault::{Fault, Span};
use crate::search::words::{Word, is_bordered};
use regex::{Regex, RegexBuilder};
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Largest compiled regular expression, in bytes; a larger one is refused.
const REGEX_SIZE_MAX: usize = 256 * 1024;

/// The same for words with wildcards, which need the tables of letters for their borders.
const PATTERN_SIZE_MAX: usize = 1024 * 1024;

/// Most memory of a regular expression's lazily built automaton, in bytes, for each thread.
const REGEX_CACHE_BYTES: usize = 512 * 1024;

/// Deepest nesting within a regular expression.
const REGEX_NEST_MAX: u32 = 32;

/// Characters that a word's border parts from others.
const WORD_CLASS: &str = r"[[\p{Alphabetic}\p{N}_]--[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー]]";

/// A test of one value.
#[derive(Debug)]
pub enum ValueTest {
    /// Any value.
    Any,
    /// The whole value is this ASCII text.
    Equal(String),
    /// A whole value with wildcards, or the user's own expression.
    Regex(Box<Regex>),
    /// An ASCII word somewhere in it.
    Word(Word),
    /// An address of one family between two, both inclusive.
    Address(Network),
    /// A number between two; `None` is open.
    Number(NumberRange),
    /// One of the tests.
    Either(Vec<ValueTest>),
    /// The whole value is one of these ASCII texts.
    OneOf(TextSet),
    /// The value, or its name part: see [`Part`].
    OrPart(Part, Box<ValueTest>),
}

/// ASCII texts of which a value may be one, in any case.
#[derive(Debug)]
pub struct TextSet {
    /// In lower case.
    texts: HashSet<String>,
    /// Which lengths there are, those from 127 on as one.
    lengths: u128,
}

/// Texts up to which each is compared.
const TEXTS_COMPARED: usize = 4;

/// Values up to this many bytes are looked up without memory of their own.
const LOOKED_UP_BYTES: usize = 128;

impl TextSet {
    /// Those texts.
    pub fn new(texts: &[String]) -> Self {
        let length = |text: &String| 1u128 << text.len().min(127);
        Self {
            lengths: texts.iter().map(length).fold(0, |all, one| all | one),
            texts: texts.iter().map(|text| text.to_ascii_lowercase()).collect(),
        }
    }

    /// Whether `value` is one.
    pub fn has(&self, value: &str) -> bool {
        if self.lengths >> value.len().min(127) & 1 == 0 {
            return false;
        }
        if self.texts.len() <= TEXTS_COMPARED {
            return self.texts.iter().any(|text| text.eq_ignore_ascii_case(value));
        }
        let mut lower = [0u8; LOOKED_UP_BYTES];
        match lower.get_mut(..value.len()) {
            Some(lower) => {
                lower.copy_from_slice(value.as_bytes());
                lower.make_ascii_lowercase();
                std::str::from_utf8(lower).is_ok_and(|lower| self.texts.contains(lower))
            }
            None => self.texts.contains(value.to_ascii_lowercase().as_str()),
        }
    }

    /// The texts, in lower case.
    pub fn iter(&self) -> impl Iterator<Item = &String> {
        self.texts.iter()
    }
}

/// What people call a thing by, where the value says more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// `nina` of `CORP\nina` and `nina@corp.example`.
    User,
    /// `web-1` of `web-1.corp.example`.
    Host,
    /// `shop.example` of `shop.example.`.
    Domain,
    /// `cmd.exe` of `C:\Windows\System32\cmd.exe`.
    File,
}

/// Addresses from `low` to `high` of one family, both inclusive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    /// Whether they are IPv4 (also in its form mapped to IPv6).
    pub v4: bool,
    /// The least.
    pub low: u128,
    /// The greatest.
    pub high: u128,
}

/// Numbers between two ends.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct NumberRange {
    /// The least, and whether it is inside.
    pub low: Option<(f64, bool)>,
    /// The greatest, and whether it is inside.
    pub high: Option<(f64, bool)>,
}

impl ValueTest {
    /// Whether `value` passes.
    pub fn hits(&self, value: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Equal(text) => text.eq_ignore_ascii_case(value),
            Self::Regex(regex) => regex.is_match(value),
            Self::Word(word) => word.is_in(value),
            Self::Address(network) => value.parse().is_ok_and(|ip| network.holds(ip)),
            Self::Number(range) => value.trim().parse().is_ok_and(|n| range.holds(n)),
            Self::Either(tests) => tests.iter().any(|test| test.hits(value)),
            Self::OneOf(texts) => texts.has(value),
            Self::OrPart(part, test) => {
                test.hits(value) || part.of(value).is_some_and(|name| test.hits(name))
            }
        }
    }

    /// Passes what any of the tests does; equal texts are looked up together.
    pub fn any_of(tests: Vec<Self>) -> Self {
        let (mut texts, mut others) = (Vec::new(), Vec::new());
        for test in tests {
            match test {
                Self::Equal(text) => texts.push(text),
                Self::Either(inner) => others.extend(inner),
                other => others.push(other),
            }
        }
        match texts.len() {
            0 => {}
            1 => others.extend(texts.pop().map(Self::Equal)),
            _ => {
                others.push(Self::OneOf(TextSet::new(&texts)));
            }
        }
        match (others.len(), others.pop()) {
            (1, Some(only)) => only,
            (_, last) => {
                others.extend(last);
                Self::Either(others)
            }
        }
    }

    /// The whole value is the pattern.
    ///
    /// # Errors
    /// A pattern that compiles to more than its limit.
    pub fn whole(pattern: &Pattern, span: Span) -> Result<Self, Fault> {
        match pattern.literal() {
            Some(text) if text.is_ascii() => Ok(Self::Equal(text.to_owned())),
            _ if pattern.is_any() => Ok(Self::Any),
            _ => {
                let text = format!("^(?:{})$", expression(pattern, ".*", "."));
                compiled(&text, PATTERN_SIZE_MAX, span).map(|regex| Self::Regex(Box::new(regex)))
            }
        }
    }

    /// The pattern is a word of the value, or several in a row.
    ///
    /// # Errors
    /// As for [`Self::whole`].
    pub fn word(pattern: &Pattern, span: Span) -> Result<Self, Fault> {
        let mut pieces = pattern.pieces.as_slice();
        let (mut begins, mut ends) = (true, true);
        if let [Piece::Any, rest @ ..] = pieces {
            (pieces, begins) = (rest, false);
        }
        if let [rest @ .., Piece::Any] = pieces {
            (pieces, ends) = (rest, false);
        }
        match pieces {
            [] => Ok(Self::Any),
            [Piece::Text(text)] if text.is_ascii() => Ok(Self::Word(Word::new(text, begins, ends))),
            _ => {
                let core = expression(&Pattern { pieces: pieces.to_vec() }, r"\S*", r"\S");
                let part = |piece: Option<&Piece>, last: bool| match piece {
                    Some(Piece::Text(text)) => {
                        let c = if last { text.chars().last() } else { text.chars().next() };
                        c.is_some_and(is_bordered)
                    }
                    _ => false,
                };
                let before = if begins && part(pieces.first(), false) {
                    format!("(?:^|[^{WORD_CLASS}])")
                } else {
                    String::new()
                };
                let behind = if ends && part(pieces.last(), true) {
                    format!("(?:$|[^{WORD_CLASS}])")
                } else {
                    String::new()
                };
                let regex =
                    compiled(&format!("{before}(?:{core}){behind}"), PATTERN_SIZE_MAX, span)?;
                Ok(Self::Regex(Box::new(regex)))
            }
        }
    }

    /// The user's own expression, found anywhere in the value.
    ///
    /// # Errors
    /// What the expression has wrong, or that it is too large.
    pub fn regex(text: &str, span: Span) -> Result<Self, Fault> {
        compiled(text, REGEX_SIZE_MAX, span).map(|regex| Self::Regex(Box::new(regex)))
    }
}

/// The pattern as a regular expression, with these for `*` and `?`.
fn expression(pattern: &Pattern, any: &str, one: &str) -> String {
    let mut text = String::new();
    for piece in &pattern.pieces {
        match piece {
            Piece::Text(literal) => text.push_str(&regex::escape(literal)),
            Piece::Any => text.push_str(any),
            Piece::One => text.push_str(one),
        }
    }
    text
}

fn compiled(text: &str, size: usize, span: Span) -> Result<Regex, Fault> {
    RegexBuilder::new(text)
        .case_insensitive(true)
        .dot_matches_new_line(true)
        .size_limit(size)
        .dfa_size_limit(REGEX_CACHE_BYTES)
        .nest_limit(REGEX_NEST_MAX)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => Fault::new(
                "regex_too_large",
                span,
                format!("the expression takes more than {size} bytes when compiled"),
            )
            .help("use smaller counts of repetition"),
            other => {
                let text = other.to_string();
                // The library draws the place over several lines; the last one says what it is.
                let last = text.lines().last().unwrap_or_default();
                let why = last.strip_prefix("error: ").unwrap_or(last).to_owned();
                Fault::new("regex_syntax", span, format!("the regular expression is wrong: {why}"))
            }
        })
}

impl Network {
    /// One address.
    pub fn of(address: IpAddr) -> Self {
        let (v4, number) = number_of(address);
        Self { v4, low: number, high: number }
    }

    /// `10.0.0.0/8`; bits below the prefix may be set.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let given: IpAddr = address.parse().ok()?;
        if bits.is_empty() || bits.len() > 3 || !bits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let bits: u32 = bits.parse().ok()?;
        let (v4, number) = number_of(given);
        let (width, bits) = match (given, v4) {
            // ::ffff:10.0.0.0/104 counts the bits of the longer form.
            (IpAddr::V6(_), true) => (32, bits.checked_sub(96)?),
            (_, true) => (32, bits),
            _ => (128, bits),
        };
        let free = u32::checked_sub(width, bits)?;
        let mask = 1u128.checked_shl(free).map_or(u128::MAX, |one| one - 1);
        Some(Self { v4, low: number & !mask, high: number | mask })
    }

    /// Whether the address is inside.
    pub fn holds(&self, address: IpAddr) -> bool {
        let (v4, number) = number_of(address);
        v4 == self.v4 && (self.low..=self.high).contains(&number)
    }

    /// The one address in it; `None` for anything wider.
    pub fn single(&self) -> Option<IpAddr> {
        if self.low != self.high {
            return None;
        }
        Some(match self.v4 {
            true => Ipv4Addr::from(u32::try_from(self.low).ok()?).into(),
            false => Ipv6Addr::from_bits(self.low).into(),
        })
    }

    /// The texts by which the one IPv4 address in it is stored; `None` for anything wider.
    pub fn single_v4(&self) -> Option<[String; 2]> {
        if !self.v4 || self.low != self.high {
            return None;
        }
        let v4 = Ipv4Addr::from(u32::try_from(self.low).ok()?);
        Some([v4.to_string(), v4.to_ipv6_mapped().to_string()])
    }
}

/// The family (IPv4, also mapped) and the number of an address.
pub fn number_of(address: IpAddr) -> (bool, u128) {
    match address.to_canonical() {
        IpAddr::V4(v4) => (true, u128::from(u32::from(v4))),
        IpAddr::V6(v6) => (false, Ipv6Addr::to_bits(v6)),
    }
}

impl NumberRange {
    /// Whether the number is inside.
    pub fn holds(&self, number: f64) -> bool {
        let above = self.low.is_none_or(|(low, at)| number > low || (at && number == low));
        let below = self.high.is_none_or(|(high, at)| number < high || (at && number == high));
        above && below && !number.is_nan()
    }
}

impl Part {
    /// The name part of a value, without space around it; `None` where the whole value is the name.
    pub fn of(self, value: &str) -> Option<&str> {
        let whole = value.trim();
        let name = match self {
            Self::User => {
                let name = whole.rsplit('\\').next().unwrap_or(whole);
                name.split('@').next().unwrap_or(name)
            }
            Self::Host if whole.parse::<IpAddr>().is_ok() => whole,
            Self::Host => whole.split('.').next().unwrap_or(whole),
            Self::Domain => whole.trim_end_matches('.'),
            Self::File => whole.rsplit(['\\', '/']).next().unwrap_or(whole),
        };
        (name.len() < value.len() && !name.is_empty()).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::search::ast::{Node, Test};
    use crate::search::parser::parse;

    fn pattern(text: &str) -> Pattern {
        match parse(text).unwrap() {
            Node::Term(term) => match term.test {
                Test::Word(pattern) => pattern,
                Test::Phrase(text) => Pattern::of(&text),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    fn word(query: &str, text: &str) -> bool {
        ValueTest::word(&pattern(query), Span::default()).unwrap().hits(text)
    }

    fn whole(query: &str, text: &str) -> bool {
        ValueTest::whole(&pattern(query), Span::default()).unwrap().hits(text)
    }

    #[test]
    fn words_end_where_letters_and_digits_do() {
        for (query, text, expected) in [
            ("10.0.0.1", "from 10.0.0.1 port", true),
            ("10.0.0.1", "from 10.0.0.12 port", false),
            ("10.0.0.1", "from 110.0.0.1", false),
            ("10.0.0.1", "from 110.0.0.1, then 10.0.0.1", true),
            ("FAILED", "Failed password", true),
            ("fail", "Failed password", false),
            ("fail*", "Failed password", true),
            ("*word", "Failed password", true),
            ("*asswor*", "Failed password", true),
            ("f*d", "Failed password", true),
            ("f*password", "Failed password", false),
            ("f??led", "Failed password", true),
            ("\"failed password\"", "Failed password for", true),
            ("\"failed pass\"", "Failed password for", false),
            ("sshd[*", "sshd[123]: x", true),
            ("a*b", "ab,bz", true),
            ("root", "ユーザーrootが失敗", true),
            ("失敗", "ユーザーrootが失敗した", true),
            ("ü", "für", false),
            ("FÜR", "für", true),
            ("x", "", false),
            ("*", "", true),
            ("=x", "a=x", true),
            ("ssh", "ssh_key", false),
        ] {
            assert_eq!(word(query, text), expected, "{query} in {text}");
        }
    }

    #[test]
    fn whole_values_are_compared_from_end_to_end() {
        for (query, text, expected) in [
            ("nina", "Nina", true),
            ("nina", "nina2", false),
            ("nina*", "nina and others", true),
            ("*nina", "a nina", true),
            ("n?na", "nina", true),
            ("n?na", "nna", false),
            (r"a\*b", "a*b", true),
            (r"a\*b", "axb", false),
            (r"C:\Windows\*", r"C:\Windows*", true),
            (r"C:\Windows\\*", r"C:\Windows\cmd.exe", true),
            ("ÄRGER", "ärger", true),
            ("\"a*\"", "ab", false),
        ] {
            assert_eq!(whole(query, text), expected, "{query} on {text}");
        }
    }

    #[test]
    fn networks_of_both_families_and_their_edges() {
        let holds = |net: &str, ip: &str| Network::parse(net).unwrap().holds(ip.parse().unwrap());
        assert!(holds("10.0.0.0/8", "10.255.255.255"));
        assert!(!holds("10.0.0.0/8", "11.0.0.0"));
        assert!(holds("10.0.0.7/8", "10.0.0.1"));
        assert!(holds("0.0.0.0/0", "255.1.1.1"));
        assert!(!holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("2001:db8::/32", "2001:DB8:ffff::1"));
        assert!(holds("::/0", "2001:db8::1"));
        assert!(holds("::ffff:10.0.0.0/104", "10.1.1.1"));
        assert!(holds("10.0.0.0/8", "::ffff:10.1.1.1"));
        for bad in ["10.0.0.0/33", "10.0.0/8", "2001:db8::/129", "10.0.0.0/", "10.0.0.0/+8", "x/8"]
        {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn expressions_beyond_their_limits_are_refused() {
        let code = |text: &str| ValueTest::regex(text, Span::default()).err().map(|f| f.code);
        assert_eq!(code("(a|b)+$"), None);
        assert_eq!(code("(a"), Some("regex_syntax"));
        assert_eq!(code("((((a{99}){99}){99}){99})"), Some("regex_too_large"));
        let nested = |n: usize| format!("{}a{}", "(".repeat(n), ")".repeat(n));
        assert_eq!(code(&nested(30)), None);
        assert_eq!(code(&nested(60)), Some("regex_syntax"));
    }

    #[test]
    fn name_parts_of_users_hosts_and_files() {
        assert_eq!(Part::User.of(r"CORP\nina"), Some("nina"));
        assert_eq!(Part::User.of("nina@corp.example"), Some("nina"));
        assert_eq!(Part::User.of("nina"), None);
        assert_eq!(Part::User.of(" nina"), Some("nina"));
        assert_eq!(Part::Host.of("web-1.corp.example"), Some("web-1"));
        assert_eq!(Part::Host.of("10.0.0.1"), None);
        assert_eq!(Part::File.of(r"C:\a\cmd.exe"), Some("cmd.exe"));
        assert_eq!(Part::File.of("/usr/bin/ssh"), Some("ssh"));
        assert_eq!(Part::Domain.of("shop.example."), Some("shop.example"));
        assert_eq!(Part::Domain.of("shop.example"), None);
    }
}
