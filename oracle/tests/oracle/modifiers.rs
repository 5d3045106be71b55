//! Every modifier and form of value over small events: what we find, and that the oracle finds
//! the same or the closed list says why not.

use yagura_detect::{Hit, Scratch};
use yagura_event::{ClassUid, LogsourceId, SpanType};
use yagura_oracle::{Comparison, Field, Flat, Pair, Reason};

/// A value by its look: `#7` a number, `!true` a truth value, `~` null, else text.
fn field(name: &str, value: &str) -> Field {
    let (kind, text) = match value.split_at_checked(1) {
        Some(("#", rest)) => (SpanType::Number, rest),
        Some(("!", rest)) => (SpanType::Bool, rest),
        Some(("~", _)) => (SpanType::Null, ""),
        _ => (SpanType::String, value),
    };
    Field { name: name.to_owned(), kind, text: text.to_owned(), known: true }
}

struct Row {
    selection: &'static str,
    condition: &'static str,
    raw: &'static str,
    pairs: &'static [(&'static str, &'static str)],
    expect: bool,
    /// Why the oracle differs.
    reason: Option<Reason>,
}

const fn row(
    selection: &'static str,
    pairs: &'static [(&'static str, &'static str)],
    expect: bool,
) -> Row {
    Row { selection, condition: "s", raw: "", pairs, expect, reason: None }
}

impl Row {
    const fn when(self, condition: &'static str) -> Self {
        Self { condition, ..self }
    }

    const fn raw(self, raw: &'static str) -> Self {
        Self { raw, ..self }
    }

    const fn but(self, reason: Reason) -> Self {
        Self { reason: Some(reason), ..self }
    }
}

#[track_caller]
fn check(rows: &[Row]) {
    for row in rows {
        let selection: String = row.selection.lines().map(|l| format!("  {l}\n")).collect();
        let text = format!(
            "title: t\nid: r\nlogsource: {{}}\ndetection:\n{selection}  condition: {}\n",
            row.condition
        );
        let files = [("r.yml".to_owned(), text.clone())];
        let names: Vec<&str> = row.pairs.iter().map(|(name, _)| *name).collect();
        let pair = Pair::new(&files, &names).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            pair.rule_count(),
            1,
            "{:?} {:?}\n{text}",
            pair.rules.errors,
            pair.peer.errors()
        );
        let event = Flat {
            raw: row.raw.to_owned(),
            logsource: LogsourceId(0),
            class: ClassUid::BASE,
            fields: row.pairs.iter().map(|(name, value)| field(name, value)).collect(),
        };
        let batch = event.batch(pair.fields());
        let event = batch.event(0).unwrap();
        let (mut scratch, mut hits, mut compared) =
            (Scratch::new(), Vec::<Hit>::new(), Comparison::default());
        pair.matcher.matches(event, &mut scratch, &mut hits);
        assert_eq!(!hits.is_empty(), row.expect, "ours\n{text}{:?} {:?}", row.pairs, row.raw);
        pair.compare(event, &mut scratch, &mut compared);
        assert_eq!(compared.unexplained, 0, "{text}{compared}");
        let reasons: Vec<Reason> = compared.reasons.into_keys().collect();
        assert_eq!(reasons, row.reason.into_iter().collect::<Vec<_>>(), "{text}{:?}", row.pairs);
    }
}

#[test]
fn text() {
    check(&[
        row("s: {a: Foo}", &[("a", "fOO")], true),
        row("s: {a: Foo}", &[("a", "Foo ")], false),
        row("s: {a|contains: oo}", &[("a", "xOOx")], true),
        row("s: {a|contains: ''}", &[("a", "")], true),
        row("s: {a|startswith: fo}", &[("a", "FOx")], true),
        row("s: {a|startswith: fo}", &[("a", "xfo")], false),
        row("s: {a|endswith: fo}", &[("a", "xfo")], true),
        row("s: {a|endswith: fo}", &[("a", "fox")], false),
        row("s: {a|cased: Foo}", &[("a", "foo")], false),
        row("s: {a|contains|cased: Oo}", &[("a", "xOox")], true),
        row("s: {a: 'ÄÖ'}", &[("a", "äö")], true),
        row("s: {a: 'strasse'}", &[("a", "ſtraſſe")], true).but(Reason::CaseFolding),
        row("s: {a: 'strasse', b|re: 'x'}", &[("a", "ſtrasse"), ("b", "x")], true)
            .but(Reason::CaseFolding),
        row("s: {a: 's*e', b|cased: 'x'}", &[("a", "ſtrasse"), ("b", "x")], true),
        row("s: [strasse]", &[("b", "ſ")], true).raw("in der ſtrasse").but(Reason::CaseFolding),
        row("s: {a: 'ΟΔΟΣ'}", &[("a", "οδοσ")], true).but(Reason::CaseFolding),
        row("s: {a|contains: oo}", &[("A", "foo")], true).but(Reason::FieldNameCase),
        row("s: {a: x}", &[("a", "x"), ("a", "y")], true),
        row("s: {a: x}", &[("a", "~"), ("a", "x")], true),
    ]);
}

#[test]
fn wildcards_and_escapes() {
    check(&[
        row("s: {a: 'f*o?'}", &[("a", "fXXoY")], true),
        row("s: {a: 'f*o?'}", &[("a", "fXXo")], false),
        row("s: {a: '*'}", &[("a", "")], true),
        row("s: {a: '?*'}", &[("a", "")], false),
        row("s: {a: '**x**'}", &[("a", "x")], true),
        row("s: {a: '*x*y*'}", &[("a", "yx")], false),
        row("s: {a: '?'}", &[("a", "é")], true),
        row("s: {a: '*a*'}", &[("a", "b\na\nc")], true).but(Reason::WildcardNewline),
        row("s: {a: 'x?y'}", &[("a", "x\ny")], true).but(Reason::WildcardNewline),
        row(r"s: {a: 'f\*o'}", &[("a", "f*o")], true),
        row(r"s: {a: 'f\*o'}", &[("a", "fxo")], false),
        row(r"s: {a: 'f\?o'}", &[("a", "f?o")], true),
        row(r"s: {a: 'C:\W\x'}", &[("a", r"c:\w\X")], true),
        row(r"s: {a: 'C:\\W'}", &[("a", r"C:\W")], true),
        row(r"s: {a: 'a\\*'}", &[("a", r"a\bc")], true),
        row(r"s: {a: 'a\\\*'}", &[("a", r"a\*")], true),
        row(r"s: {a: 'a\\\\b'}", &[("a", r"a\\b")], true),
        row(r"s: {a|endswith: '\'}", &[("a", r"a\")], true),
        row("s: {a|startswith: 'b*c'}", &[("a", "ab-c")], false).but(Reason::WildcardAnchor),
        row("s: {a|startswith: 'b*c'}", &[("a", "b-cd")], true).but(Reason::WildcardAnchor),
        row("s: {a|endswith: 'b?c'}", &[("a", "ab-c")], true).but(Reason::WildcardAnchor),
        row("s: {a|contains: 'b?c'}", &[("a", "ab-cd")], true),
    ]);
}

#[test]
fn lists_and_quantifiers() {
    check(&[
        row("s: {a: [x, y]}", &[("a", "Y")], true),
        row("s: {a|contains|all: [x, y]}", &[("a", "y-x")], true),
        row("s: {a|contains|all: [x, y]}", &[("a", "y")], false),
        row("s: {a|contains|all: [x, y]}", &[("a", "x"), ("a", "y")], true),
        row("s: {a|all: ['*x*', '*y*']}", &[("a", "xy")], true),
        row("s:\n  - a: x\n  - b: y", &[("b", "y")], true),
        row("s:\n  - a: x\n    b: y\n  - c: z", &[("a", "x"), ("b", "z")], false),
        row("s:\n  - [{a: x}, {b: y}]\n  - c: z", &[("b", "y")], true),
        row("s1: {a: x}\ns2: {b: y}\n_s3: {c: z}", &[("c", "z")], false).when("1 of s*"),
        row("s1: {a: x}\ns2: {b: y}\n_s3: {c: z}", &[("c", "z")], false).when("1 of them"),
        row("s1: {a: x}\ns2: {b: y}\n_s3: {c: z}", &[("a", "x"), ("b", "y")], true)
            .when("all of them"),
        row("s1: {a: x}\ns2: {b: y}\ns3: {c: z}", &[("a", "x"), ("c", "z")], true).when("2 of s*"),
        row("s1: {a: x}\ns2: {b: y}\ns3: {c: z}", &[("c", "z")], false).when("2 of s*"),
        row("s1: {a: x}\nf1: {b: y}\nf2: {c: z}", &[("a", "x"), ("c", "z")], false)
            .when("s1 and not 1 of f*"),
        row("s1: {a: x}\nf1: {b: y}\nf2: {c: z}", &[("a", "x"), ("c", "z")], true)
            .when("s1 and not all of f*"),
        row("s1: {a: x}\ns2: {b: y}", &[("b", "y")], true).when("[s1, s2]"),
        row("s1: {a: x}\ns2: {b: y}\ns3: {c: z}", &[("c", "z")], true).when("s1 and s2 or s3"),
        row("s1: {a: x}\ns2: {b: y}\ns3: {c: z}", &[("c", "z")], false).when("s1 and (s2 or s3)"),
    ]);
}

#[test]
fn numbers_and_truth() {
    check(&[
        row("s: {a: 4688}", &[("a", "#4688")], true),
        row("s: {a: 4688}", &[("a", "4688")], true),
        row("s: {a: '4688'}", &[("a", "#4688")], true),
        row("s: {a: 4688}", &[("a", " 4688")], false),
        row("s: {a: 4688}", &[("a", "4688x")], false),
        row("s: {a: 5}", &[("a", "#5.0")], true),
        row("s: {a: '5'}", &[("a", "#5.0")], false).but(Reason::NumberText),
        row("s: {a|contains: 68}", &[("a", "#4688")], true),
        row("s: {a|startswith: 46}", &[("a", "4688")], true),
        row("s: {a: [1, x]}", &[("a", "#1")], true),
        row("s: {a|gt: 10}", &[("a", "#11")], true),
        row("s: {a|gte: 10}", &[("a", "10")], true),
        row("s: {a|lt: 1.5}", &[("a", "#1.25")], true),
        row("s: {a|lte: -1}", &[("a", "#0")], false),
        row("s: {a|gt: 10}", &[("a", "eleven")], false),
        row("s: {a|gt: 10}", &[("a", "inf")], false).but(Reason::NumberForm),
        row("s: {a|gt: 10}", &[("b", "#11")], false),
        row("s: {a: 9007199254740993}", &[("a", "#9007199254740992")], false)
            .but(Reason::NumberPrecision),
        row("s: {a: true}", &[("a", "!true")], true),
        row("s: {a: true}", &[("a", "True")], true),
        row("s: {a: true}", &[("a", "yes")], false).but(Reason::BoolWords),
        row("s: {a: false}", &[("a", "!true")], false),
        row("s: {a: 'true'}", &[("a", "!true")], true),
    ]);
}

#[test]
fn null_empty_existence_and_inequality() {
    check(&[
        row("s: {a: null}", &[("a", "~")], true),
        row("s: {a: null}", &[("b", "x")], true),
        row("s: {a: null}", &[("a", "")], false),
        row("s: {a: ''}", &[("a", "")], true),
        row("s: {a: ''}", &[("a", "~")], false),
        row("s: {a: ''}", &[("b", "x")], false),
        row("s: {a: [null, x]}", &[("a", "~")], true),
        row("s: {a: [null, x]}", &[("b", "x")], true).but(Reason::NullInList),
        row("s: {a: null}", &[("a", "~"), ("a", "~")], true).but(Reason::NullSeveral),
        row("s: {a: null}", &[("a", "~"), ("a", "x")], false),
        row("s: {a|exists: true}", &[("a", "")], true),
        row("s: {a|exists: true}", &[("a", "~")], true).but(Reason::ExistsNull),
        row("s: {a|exists: false}", &[("a", "~")], false).but(Reason::ExistsNull),
        row("s: {a|exists: false}", &[("b", "x")], true),
        row("s: {a|neq: x}", &[("a", "y")], true),
        row("s: {a|neq: x}", &[("a", "X")], false),
        row("s: {a|neq: x}", &[("b", "x")], true).but(Reason::NeqAbsent),
        row("s: {a|neq: [x, y]}", &[("a", "y")], false),
        row("s: {a|neq: 7}", &[("a", "#7")], false),
        row("s: {a|contains|neq: x}", &[("a", "axb")], false),
        row("s: {a|contains|neq: x}", &[("A", "axb")], false),
        row("s: {a|contains|neq: x}", &[("A", "ab")], true).but(Reason::NeqAbsent),
        row("s: {a|contains|neq: x}", &[("A", "ab")], false).when("not s").but(Reason::NeqAbsent),
        row("s: {a|contains|neq: x}", &[("A", "axb")], true).when("not s"),
        row("s: {a|neq: [null, x]}", &[("A", "y")], true).but(Reason::FieldNameCase),
    ]);
}

#[test]
fn expressions_networks_and_times() {
    check(&[
        row("s: {a|re: 'f.+o'}", &[("a", "xfooy")], true),
        row("s: {a|re: 'F.+o'}", &[("a", "xfooy")], false),
        row("s: {a|re|i: 'F.+O'}", &[("a", "xfooy")], true),
        row("s: {a|re|i: ['x', 'İm ']}", &[("a", "İM ")], true).but(Reason::CaseFolding),
        row("s: {a|re: '^b$'}", &[("a", "a\nb")], false),
        row("s: {a|re|m: '^b$'}", &[("a", "a\nb")], true),
        row("s: {a|re: 'a.b'}", &[("a", "a\nb")], false),
        row("s: {a|re|s: 'a.b'}", &[("a", "a\nb")], true),
        row("s: {a|re|i|m|s: '^B.C$'}", &[("a", "a\nb\nc")], true),
        row("s: {a|re: '^7$'}", &[("a", "#7")], true),
        row("s: {a|re: ['x', 'y']}", &[("a", "ay")], true),
        row("s: {a|cidr: 10.0.0.0/8}", &[("a", "10.1.2.3")], true),
        row("s: {a|cidr: 10.0.0.0/8}", &[("a", "110.1.2.3")], false),
        row("s: {a|cidr: 10.1.2.3/8}", &[("a", "10.9.9.9")], true),
        row("s: {a|cidr: [192.168.0.0/16, 'fe80::/10']}", &[("a", "fe80::1")], true),
        row("s: {a|cidr: 10.0.0.0/8}", &[("a", "::ffff:10.1.2.3")], true).but(Reason::AddressForm),
        row("s: {a|cidr: '::/0'}", &[("a", "10.1.2.3")], false),
        row("s: {a|cidr|neq: 10.0.0.0/8}", &[("a", "11.1.2.3")], true),
        row("s: {a|minute: 4}", &[("a", "2026-11-22T03:04:05Z")], true),
        row("s: {a|hour: 3}", &[("a", "2026-11-22T03:04:05Z")], true),
        row("s: {a|hour: 3}", &[("a", "2026-11-22T05:04:05+02:00")], true),
        row("s: {a|hour: 3}", &[("a", "2026-11-22 03:04:05")], true),
        row("s: {a|day: 22}", &[("a", "2026-11-22T03:04:05.123Z")], true),
        row("s: {a|week: 47}", &[("a", "2026-11-22T03:04:05Z")], true),
        row("s: {a|week: 53}", &[("a", "2021-01-03T03:04:05Z")], true),
        row("s: {a|month: 11}", &[("a", "#1795316645")], true),
        row("s: {a|year: [2025, 2026]}", &[("a", "#1795316645000")], true),
        row("s: {a|hour: 3}", &[("a", "three")], false),
    ]);
}

#[test]
fn encodings() {
    check(&[
        row("s: {a|base64: foobar}", &[("a", "Zm9vYmFy")], true),
        row("s: {a|base64|contains: foobar}", &[("a", "xZm9vYmFyx")], true),
        row("s: {a|base64offset|contains: foobar}", &[("a", "eGZvb2Jhcng=")], true)
            .but(Reason::Base64Edge),
        row("s: {a|base64offset: foobar}", &[("a", "eGZvb2Jhcng=")], true).but(Reason::Base64Edge),
        row("s: {a|base64offset|contains: foobar}", &[("a", "Zm9vYmFy")], true),
        row("s: {a|wide|base64offset|contains: ping}", &[("a", "cABpAG4AZwA=")], true),
        row("s: {a|utf16be|base64offset|contains: cmd}", &[("a", "AGMAbQBk")], true),
        row("s: {a|utf16|base64|contains: cmd}", &[("a", "//5jAG0AZAA=")], true),
        row("s: {a|utf16|base64|contains: ''}", &[("a", "x//4=x")], true),
        row("s: {a|utf16|base64|contains: ''}", &[("a", "x")], false),
        row("s: {a|utf16|contains: ''}", &[("a", "x")], false).but(Reason::Utf16Plain),
        row("s: {a|wide|contains: ab}", &[("a", "a\0b\0")], true).but(Reason::Utf16Plain),
        row("s: {a|wide|contains: ab}", &[("a", "ab")], false).but(Reason::Utf16Plain),
        row("s: {a|utf16be|contains: ab}", &[("a", "\0a\0b")], true).but(Reason::Utf16Plain),
        row("s: {a|windash|contains: ' -f'}", &[("a", "x /F")], true),
        row("s: {a|windash|contains: ' -f'}", &[("a", "x \u{2015}f")], true),
        row("s: {a|windash|contains: ' -f'}", &[("a", "x +f")], false),
        row("s: {a|windash|contains: ' /f'}", &[("a", "x -f")], true).but(Reason::WindashForm),
        row("s: {a|windash: 7}", &[("a", "7.0")], false).but(Reason::EncodedNumber),
        row("s: {a|expand|contains: '5 %'}", &[("a", "at 5 %.")], true).but(Reason::ExpandPlain),
        row("s: {a|windash: 'a-b'}", &[("a", "a/b")], true),
        row("s: {a|windash|contains|all: [' -a', ' -b']}", &[("a", "x /b –a")], true),
    ]);
}

#[test]
fn fields_against_fields() {
    check(&[
        row("s: {a|fieldref: b}", &[("a", "X"), ("b", "x")], true),
        row("s: {a|fieldref: b}", &[("a", "X")], false),
        row("s: {a|fieldref: b}", &[("b", "X")], false),
        row("s: {a|fieldref: b}", &[("a", "~"), ("b", "~")], false).but(Reason::FieldRefValues),
        row("s: {a|fieldref|neq: b}", &[("a", "X"), ("b", "y")], true),
        row("s: {a|fieldref|contains: b}", &[("a", "xYz"), ("b", "y")], true),
        row("s: {a|fieldref|contains: b}", &[("a", "xYz"), ("b", "")], true),
        row("s: {a|fieldref|startswith: b}", &[("a", "xYz"), ("b", "X")], true),
        row("s: {a|fieldref|endswith: b}", &[("a", "xYz"), ("b", "X")], false),
        row("s: {a|fieldref|cased: b}", &[("a", "X"), ("b", "x")], false),
        row("s: {a|fieldref: b}", &[("a", "#1"), ("b", "1")], true),
        row("s: {a|fieldref: b}", &[("a", "x"), ("a", "y"), ("b", "y")], true)
            .but(Reason::FieldRefValues),
    ]);
}

#[test]
fn keywords() {
    check(&[
        row("s: [one, two]", &[], true).raw("has TWO words"),
        row("s: [one, two]", &[("a", "three")], false).raw("four"),
        row("s: [one, two]", &[("a", "xtwox")], true),
        row("s: one", &[], true).raw("one"),
        row("s: ['a*b']", &[], true).raw("x a--b y"),
        row("s: ['aİb']", &[], true).raw("x AİB y"),
        row("s: ['aİb*', other]", &[], true).raw("\nAİB y").but(Reason::CaseFolding),
        row("s: {'': [one, two]}", &[], true).raw("a two b").but(Reason::KeywordForm),
        row("s: [4625]", &[], true).raw("id=4625;").but(Reason::KeywordForm),
        row("s: {'|all': [one, two]}", &[], true).raw("two one").but(Reason::KeywordsAll),
        row("s: {'|contains|all': [one, two]}", &[], true).raw("two one"),
        row("s: {'|contains|all': [one, two]}", &[], false).raw("two on"),
        row("s: {'|contains|all': [one, two]}", &[("a", "one")], true)
            .raw("two")
            .but(Reason::KeywordsAll),
        row("s: [one]\nf: [two]", &[], false).raw("one two").when("s and not f"),
    ]);
}

/// Rules that ask for values nobody gave are refused, with the clause for it.
#[test]
fn placeholders_are_refused() {
    let text =
        "title: t\nid: r\nlogsource: {}\ndetection:\n  s: {a|expand: '%who%'}\n  condition: s\n";
    let pair = Pair::new(&[("r.yml".to_owned(), text.to_owned())], &[]).unwrap();
    assert_eq!(pair.rule_count(), 0);
    let differences = pair.load_differences();
    assert!(differences.len() == 1 && differences[0].clause.is_some(), "{differences:?}");
}
