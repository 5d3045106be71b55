//! Searches as trees and as conditions, and what is refused where.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::search::ast::{Bound, Node, Pattern, Piece, Term, Test};
use crate::search::lower::condition;
use crate::search::{QUERY_BYTES_MAX, REGEX_BYTES_MAX, WILDCARDS_MAX, WORD_BYTES_MAX, parse};

/// 2026-11-22T10:00:00Z.
const NOW: i64 = 1_795_341_600_000_000;

fn pattern(pattern: &Pattern) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Any => "<*>".to_owned(),
        Piece::One => "<?>".to_owned(),
    };
    pattern.pieces.iter().map(piece).collect()
}

fn term(term: &Term) -> String {
    let end = |bound: &Option<Bound>| {
        bound.as_ref().map_or("..".to_owned(), |b| {
            format!("{}{}", b.text, if b.inclusive { "=" } else { "" })
        })
    };
    let test = match &term.test {
        Test::Word(word) => pattern(word),
        Test::Phrase(text) => format!("'{text}'"),
        Test::Regex(text) => format!("/{text}/"),
        Test::Range(range) => format!("[{} {}]", end(&range.low), end(&range.high)),
    };
    match &term.field {
        Some(name) => format!("{}:{test}", name.text),
        None => test,
    }
}

fn tree(node: &Node) -> String {
    let list = |word: &str, parts: &[Node]| {
        format!("({word} {})", parts.iter().map(tree).collect::<Vec<_>>().join(" "))
    };
    match node {
        Node::All => "all".to_owned(),
        Node::And(parts) => list("and", parts),
        Node::Or(parts) => list("or", parts),
        Node::Not(inner) => format!("(not {})", tree(inner)),
        Node::Term(one) => term(one),
    }
}

#[test]
fn what_is_written_becomes_this_tree() {
    for (query, expected) in [
        ("", "all"),
        (" \t\n", "all"),
        ("a", "a"),
        ("a b", "(and a b)"),
        ("a AND b", "(and a b)"),
        ("a OR b c", "(or a (and b c))"),
        ("(a OR b) c", "(and (or a b) c)"),
        ("a && b || c", "(or (and a b) c)"),
        ("and or not", "(and and or not)"),
        ("NOT a b", "(and (not a) b)"),
        ("-a -(b c)", "(and (not a) (not (and b c)))"),
        ("!a", "(not a)"),
        ("NOT NOT a", "a"),
        ("--a", "a"),
        ("a-b", "a-b"),
        ("((a))", "a"),
        ("\"a b\"", "'a b'"),
        (r#""say \"hi\" c:\\x \n""#, r#"'say "hi" c:\x \n'"#),
        ("\"AND\"", "'AND'"),
        ("user:nina", "user:nina"),
        ("user:\"a b\"", "user:'a b'"),
        ("user:(a OR -b)", "(or user:a (not user:b))"),
        ("user:(a (b OR c)) d", "(and (and user:a (or user:b user:c)) d)"),
        ("port:(>1000 80)", "(and port:[1000 ..] port:80)"),
        ("-user:a", "(not user:a)"),
        ("user:-a", "user:-a"),
        ("user:a:b", "user:a:b"),
        ("a* ?b", "(and a<*> <?>b)"),
        ("a**b", "a<*>b"),
        (r"a\*b\?\\", r"a*b?\"),
        (r"C:\Windows\System32", r"C:\Windows\System32"),
        (r"a\ b", "a b"),
        (r"\-x", "-x"),
        ("port:>10", "port:[10 ..]"),
        ("port:>=10", "port:[10= ..]"),
        ("port:<10", "port:[.. 10]"),
        ("port:<=10", "port:[.. 10=]"),
        ("port:[1 TO 10]", "port:[1= 10=]"),
        ("port:{1 TO 10]", "port:[1 10=]"),
        ("port:[ 1  TO  10 }", "port:[1= 10]"),
        ("port:[* TO 10]", "port:[.. 10=]"),
        ("time:[\"2026-11-22 10:00:00\" TO now]", "time:[2026-11-22 10:00:00= now=]"),
        ("message:/a (b|c)\\/d/ e", "(and message:/a (b|c)/d/ e)"),
        (r"message:/a\\/", r"message:/a\\/"),
        ("path:/usr/bin/ssh", "path:/usr/bin/ssh"),
        ("path:/usr", "path:/usr"),
        ("/usr/bin/", "/usr/bin/"),
        ("earliest:-1d@d", "earliest:-1d@d"),
        ("10:22:33", "10:22:33"),
        ("http://x.example/a?b=c", "http://x.example/a<?>b=c"),
        ("fe80::1", "fe80::1"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("00:11:22:aa:bb:cc", "00:11:22:aa:bb:cc"),
        ("sshd[12]", "sshd[12]"),
        ("a(b)", "(and a b)"),
        ("a\"b\"", "(and a 'b')"),
        ("unmapped.\"Logon Process\":x", "unmapped.Logon Process:x"),
        ("src_endpoint.ip:10.0.0.0/8", "src_endpoint.ip:10.0.0.0/8"),
        ("日本 語", "(and 日本 語)"),
        ("user:*", "user:<*>"),
    ] {
        let parsed = parse(query).unwrap_or_else(|fault| panic!("{}", fault.render(query)));
        assert_eq!(tree(&parsed), expected, "{query}");
    }
}

#[test]
fn what_is_wrong_is_named_at_its_place() {
    for (query, code, at) in [
        ("(a", "bracket_unclosed", "("),
        ("a (b (c)", "bracket_unclosed", "(b"),
        ("a)", "bracket_unopened", ")"),
        (")", "bracket_unopened", ")"),
        ("a ()", "group_empty", "()"),
        ("a AND", "operand_missing", "AND"),
        ("OR a", "operand_missing", "OR"),
        ("a OR OR b", "operand_missing", "OR OR"),
        ("NOT", "operand_missing", "NOT"),
        ("(NOT)", "operand_missing", "NOT"),
        ("a -", "operand_missing", "-"),
        ("(a -)", "operand_missing", "-)"),
        ("a | b", "pipe", "|"),
        ("user:", "value_missing", "user:"),
        ("user: nina", "value_missing", "user:"),
        ("(user:)", "value_missing", "user:)"),
        ("user:()", "group_empty", "()"),
        ("user:\"\"", "phrase_empty", "\"\""),
        ("\"abc", "quote_unclosed", "\"abc"),
        ("unmapped.\"abc", "quote_unclosed", "\"abc"),
        ("port:>", "value_missing", ">"),
        ("port:[1 10]", "range_syntax", "[1"),
        ("port:[1 TO", "range_syntax", "[1 TO"),
        ("port:[1 TO 2", "range_syntax", "[1 TO 2"),
        ("port:[", "range_syntax", "["),
        ("port:[ TO ]", "range_syntax", "["),
    ] {
        let fault = parse(query).err().unwrap_or_else(|| panic!("{query} is taken"));
        assert_eq!(fault.code, code, "{query}");
        assert!(query[fault.span.start..].starts_with(at), "{query}: {:?}", fault.span);
        assert!(fault.span.end <= query.len() && fault.render(query).contains('^'), "{query}");
    }
}

#[test]
fn each_limit_holds_and_the_next_byte_is_refused() {
    let code = |query: &str| parse(query).err().map(|fault| fault.code);
    let words = |n: usize| "x ".repeat(n);
    let padded = |n: usize| format!("x{}", " ".repeat(n - 1));
    assert_eq!(code(&padded(QUERY_BYTES_MAX)), None);
    assert_eq!(code(&padded(QUERY_BYTES_MAX + 1)), Some("query_too_long"));
    assert_eq!(code(&words(super::TERMS_MAX)), None);
    assert_eq!(code(&words(super::TERMS_MAX + 1)), Some("terms_too_many"));
    assert_eq!(code(&"x".repeat(WORD_BYTES_MAX)), None);
    assert_eq!(code(&"x".repeat(WORD_BYTES_MAX + 1)), Some("word_too_long"));
    assert_eq!(code(&format!("\"{}\"", "x".repeat(WORD_BYTES_MAX + 1))), Some("word_too_long"));
    assert_eq!(code(&"a*".repeat(WILDCARDS_MAX)), None);
    assert_eq!(code(&"a*".repeat(WILDCARDS_MAX + 1)), Some("wildcards_too_many"));
    assert_eq!(code(&format!("msg:/{}/", "x".repeat(REGEX_BYTES_MAX))), None);
    assert_eq!(code(&format!("msg:/{}/", "x".repeat(REGEX_BYTES_MAX + 1))), Some("regex_too_long"));
    for open in ["(", "-(", "user:(", "a OR (", "NOT ("] {
        assert_eq!(code(&open.repeat(10_000)), Some("nesting_too_deep"), "{open}");
    }
    assert_eq!(code(&"-".repeat(10_000)), Some("operand_missing"));
}

#[test]
fn hostile_text_is_refused_or_read_and_never_panics() {
    let pieces = [
        "(",
        ")",
        "\"",
        "\\",
        "*",
        "?",
        "-",
        "!",
        ":",
        "a",
        "user:",
        "[",
        "]",
        "{",
        "}",
        " TO ",
        "/",
        ">",
        "=",
        " ",
        "AND ",
        "OR ",
        "NOT ",
        "櫓",
        "\u{0}",
        "\u{1b}",
        ".",
        "@",
        "unmapped.",
        "1",
        "|",
    ];
    let mut state = 7u64;
    for _ in 0..20_000 {
        let mut query = String::new();
        for _ in 0..state % 12 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            query.push_str(pieces[(state >> 33) as usize % pieces.len()]);
        }
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
        let fault = match parse(&query) {
            Ok(tree) => condition(&tree, NOW).err(),
            Err(fault) => Some(fault),
        };
        if let Some(fault) = fault {
            assert!(
                fault.span.start <= fault.span.end && fault.span.end <= query.len(),
                "{query:?}"
            );
            assert!(
                !fault.render(&query).chars().any(|c| c.is_control() && c != '\n'),
                "{query:?}"
            );
        }
    }
}

fn lowered(query: &str) -> String {
    match condition(&parse(query).unwrap(), NOW) {
        Ok(None) => "all".to_owned(),
        Ok(Some(expr)) => expr.to_string().replace("search_", "s"),
        Err(fault) => fault.code.to_owned(),
    }
}

#[test]
fn conditions_that_the_engine_can_decide_by_statistics() {
    for (query, expected) in [
        ("*", "all"),
        ("a OR *", "all"),
        ("-*", "Boolean(false)"),
        ("a", "s1(raw_data)"),
        ("-a", "s1(raw_data) IS NOT TRUE"),
        ("-(a OR b)", "s1(raw_data) IS NOT TRUE AND s2(raw_data) IS NOT TRUE"),
        ("lsn:5", "lsn = Int64(5)"),
        ("lsn:>5", "lsn > Int64(5)"),
        ("lsn:[* TO *]", "lsn IS NOT NULL"),
        ("sub:3000000000", "sub = Int32(2147483647)"),
        ("class:authentication", "class_uid = Int64(3002)"),
        ("class_uid:[3001 TO 3002]", "class_uid >= Int64(3001) AND class_uid <= Int64(3002)"),
        ("category:findings", "class_uid IN ([Int64(2004), Int64(2005)])"),
        ("type_uid:300201", "class_uid = Int64(3002) AND activity_id = Int64(1)"),
        ("source:Cisco_ASA", r#"source IN ([Utf8("Cisco_ASA"), Utf8("cisco_asa")])"#),
        ("tenant:acme", r#"tenant = Utf8("acme")"#),
        ("src_ip:10.0.0.1", r#"src_ip IN ([Utf8("10.0.0.1"), Utf8("::ffff:10.0.0.1")])"#),
        ("status_id:success", "status_id = Int64(1)"),
        ("severity:>=high", "severity_id >= Int64(4)"),
        ("is_alert:yes", "is_alert = Boolean(true)"),
        ("user.name:*", "user_name IS NOT NULL"),
        ("-user.name:*", "user_name IS NULL"),
        ("-lsn:5", "lsn != Int64(5) OR lsn IS NULL"),
        ("-lsn:>5", "lsn <= Int64(5) OR lsn IS NULL"),
        (
            "-class_uid:[3001 TO 3002]",
            "class_uid < Int64(3001) OR class_uid IS NULL OR class_uid > Int64(3002) OR class_uid IS NULL",
        ),
        (
            "-src_ip:10.0.0.1",
            r#"src_ip NOT IN ([Utf8("10.0.0.1"), Utf8("::ffff:10.0.0.1")]) OR src_ip IS NULL"#,
        ),
        ("lsn:(1 OR 2)", "lsn = Int64(1) OR lsn = Int64(2)"),
        ("user.name:(a OR b OR *)", "user_name IS NOT NULL OR s1(user_name)"),
        (
            "src_ip:(10.0.0.1 OR ::1 OR 10.0.0.2)",
            r#"src_ip IN ([Utf8("10.0.0.1"), Utf8("::ffff:10.0.0.1"), Utf8("10.0.0.2"), Utf8("::ffff:10.0.0.2")]) OR s1(src_ip)"#,
        ),
        ("earliest:-1h", r#"time >= TimestampMicrosecond(1795338000000000, Some("UTC"))"#),
    ] {
        assert_eq!(lowered(query), expected, "{query}");
    }
}

#[test]
fn values_that_do_not_fit_their_field() {
    for (query, code) in [
        ("nope:1", "field_unknown"),
        ("sha1:x", "field_ambiguous"),
        ("src_port:http", "value_kind"),
        ("src_port:8*", "value_kind"),
        ("src_port:/8/", "value_kind"),
        ("src_port:99999999999999999999", "value_kind"),
        ("is_alert:maybe", "value_kind"),
        ("user.name:[a TO b]", "value_kind"),
        ("src_ip:10.0.0.0/33", "network_invalid"),
        ("src_ip:[10.0.0.1 TO ::1]", "network_invalid"),
        ("class:nope", "value_unknown"),
        ("category:nope", "value_unknown"),
        ("activity:nope", "value_unknown"),
        ("status_id:nope", "value_unknown"),
        ("time:soon", "time_invalid"),
        ("earliest:*", "value_kind"),
        ("id:12", "value_kind"),
        ("message:/(/", "regex_syntax"),
        ("type_uid:x", "value_kind"),
    ] {
        assert_eq!(lowered(query), code, "{query}");
    }
    let many = |n: usize| lowered(&"raw_data:/x/ ".repeat(n));
    assert_ne!(many(super::REGEXES_MAX), "regexes_too_many");
    assert_eq!(many(super::REGEXES_MAX + 1), "regexes_too_many");
}
