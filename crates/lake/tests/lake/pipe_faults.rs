//! Pipes as they are checked: faults and their places, limits, random damage, completions.

use std::collections::BTreeSet;
use yagura_lake::pipe::complete::{OfferKind, offers};
use yagura_lake::pipe::docs::examples;
use yagura_lake::pipe::frame::Kind;
use yagura_lake::pipe::words::{WORDS, find};
use yagura_lake::pipe::{
    DEPTH_MAX, NODES_MAX, PIPE_BYTES_MAX, PIPES_MAX, Pipe, STAGES_MAX, functions,
};

const NOW: i64 = 1_795_341_600_000_000;

fn code(query: &str) -> &'static str {
    match Pipe::new(query, NOW) {
        Ok(_) => "",
        Err(refused) => {
            assert!(refused.render().contains('^'), "{query}");
            refused.fault.code
        }
    }
}

#[test]
fn what_is_wrong_is_named_at_its_place() {
    let mut wrong = Vec::new();
    for (query, code, at) in [
        ("", "syntax", ""),
        ("event", "table_unknown", "event"),
        ("events |", "syntax", ""),
        ("events | wher x", "word_unknown", "wher"),
        ("events where x", "syntax", "where"),
        ("events | where", "syntax", ""),
        ("events | where src_endpont.ip == 'a'", "field_unknown", "src_endpont.ip"),
        ("events | where src_ip = 'a'", "syntax", "="),
        ("events | where src_ip == 5", "value_kind", "src_ip == 5"),
        ("events | where dst_port == 'a'", "value_kind", "dst_port == 'a'"),
        ("events | where dst_port", "value_kind", "dst_port"),
        ("events | where src_ip hass 'a'", "syntax", "hass"),
        ("events | where time > 'yesterdayish'", "time_invalid", "'yesterdayish'"),
        ("events | where src_ip == \"a", "quote_unclosed", "\"a"),
        ("events | where src_ip == 'a\\q'", "escape_unknown", "\\q"),
        ("events | where (src_ip == 'a'", "bracket_unclosed", "("),
        ("events | where src_ip in ('a'", "bracket_unclosed", "("),
        ("events | where raw_data matches regex '('", "regex_syntax", "'('"),
        ("events | where raw_data matches regex 'a){1'", "regex_syntax", "'a){1'"),
        ("events | where src_ip == null", "null", "null"),
        ("events | where src_ip && x", "sign_unknown", "&"),
        ("events | where cidr(src_ip, '10.0.0.0/99')", "network_invalid", "'10.0.0.0/99'"),
        ("events | where strlenn(src_ip) > 1", "function_unknown", "strlenn"),
        ("events | where strlen() > 1", "arguments", "strlen()"),
        ("events | where count() > 1", "aggregate_place", "count()"),
        ("events | where 99999999999999999999 > 1", "number_invalid", "99999999999999999999"),
        ("events | where time > ago(9999999w)", "number_invalid", "9999999w"),
        ("events | where time > ago(5x)", "number_invalid", "5x"),
        ("events | project src_ip | where dst_ip == 'a'", "column_unknown", "dst_ip"),
        ("events | project a = src_ip, a = dst_ip", "column_twice", "project"),
        ("events | project ip", "field_several", "ip"),
        ("events | summarize src_ip", "aggregate_missing", "src_ip"),
        ("events | summarize sum(src_ip)", "value_kind", "src_ip"),
        ("events | summarize sum(sum(dst_port))", "aggregate_place", "sum(dst_port)"),
        ("events | summarize count() by answers", "value_kind", "answers"),
        ("events | sort src_ip", "syntax", "src_ip"),
        ("events | top by src_ip", "syntax", "by"),
        ("events | take 99999999999", "number_range", "99999999999"),
        ("events | take -1", "syntax", "-"),
        ("events | join (matches) on rule", "field_several", "rule"),
        ("events | join kind=outer (matches) on source", "join_kind", "outer"),
        ("events | join kind=inner matches on source", "syntax", "matches"),
        ("events | join (matches) on $left.a == b", "join_key", "$left.a == b"),
        ("events | union nothing", "table_unknown", "nothing"),
        ("events | union (matches | project src_ip = 5)", "union_kind", "union"),
        ("events | parse raw_data with *", "parse_pattern", "*"),
        ("events | parse raw_data with a b", "parse_pattern", "a"),
        ("events | parse raw_data with a:what", "type_unknown", "what"),
        ("events | mv-expand src_ip", "value_kind", "src_ip"),
        (
            "events | make-series count() on time from ago(1h) to now() step 1ms",
            "series_long",
            "1ms",
        ),
        (
            "events | make-series count() on time from now() to ago(1h) step 1m",
            "series_empty",
            "make-series",
        ),
        ("events | extend x = bin(time, 5)", "arguments", "5"),
        ("events | extend x = bin(time, 0s)", "arguments", "0s"),
        ("events | distinct *", "value_kind", "distinct"),
        ("let x = 5 events", "syntax", "events"),
        ("let x = 5; let x = 6; events", "let_twice", "x = 6"),
        ("let events = 5; events", "let_twice", "events"),
        ("let x = x | take 1; x", "syntax", "| take"),
        ("let x = events | take 1; events | where src_ip == x", "let_pipe", "x"),
        ("let x = 5; x | take 1", "table_unknown", "x | take"),
        ("events | where src_ip in (events)", "pipe_columns", "(events)"),
        ("events | where src_ip in (events | project dst_port)", "value_kind", "(events"),
        ("events | extend x = src_ip in (events | project dst_ip)", "pipe_place", "(events"),
        ("events | where src_ip in (nothing | project dst_ip)", "syntax", "| project"),
        ("events | project-rename a = nothing", "field_unknown", "nothing"),
        ("events | project src_ip, a = dst_ip | project-rename a = src_ip", "column_twice", "proj"),
        ("events | summarize arg_max(time)", "arguments", "arg_max(time)"),
        ("events | summarize arg_max(time, *)", "columns_too_many", "arg_max"),
    ] {
        let refused = Pipe::new(query, NOW).err().unwrap_or_else(|| panic!("{query}"));
        let fault = &refused.fault;
        let place = query.get(fault.span.start..).unwrap();
        if fault.code != code || !place.starts_with(at) {
            wrong.push(format!("{query}: {} at {place}: {fault}", fault.code));
        }
        assert!(refused.render().contains('^'), "{query}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn near_names_are_offered() {
    for (query, near) in [
        ("event", "events"),
        ("events | sumarize count()", "summarize"),
        ("events | where src_endpont.ip == 'a'", "src_endpoint.ip"),
        ("events | extend x = tolowr(src_ip)", "tolower"),
        ("events | project client = src_ip | where cleint == 'a'", "client"),
        ("events | join kind=iner (matches) on source", "inner"),
        ("events | where src_ip startwith 'a'", "startswith"),
    ] {
        let fault = Pipe::new(query, NOW).unwrap_err().fault;
        assert_eq!(fault.help.as_deref(), Some(&*format!("did you mean `{near}`?")), "{query}");
    }
}

#[test]
fn limits_hold_at_the_limit_and_not_beyond() {
    let sized = |bytes: usize| {
        let head = "events | where raw_data has '";
        format!("{head}{}'", "a".repeat(bytes - head.len() - 1))
    };
    assert_eq!(code(&sized(PIPE_BYTES_MAX)), "");
    assert_eq!(code(&sized(PIPE_BYTES_MAX + 1)), "query_long");
    let brackets =
        |depth: usize| format!("events | where {}true{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(code(&brackets(DEPTH_MAX - 1)), "");
    assert_eq!(code(&brackets(DEPTH_MAX)), "query_deep");
    assert_eq!(code(&format!("events | where {} true", "not ".repeat(DEPTH_MAX - 1))), "");
    assert_eq!(code(&format!("events | where {} true", "not ".repeat(DEPTH_MAX))), "query_deep");
    let pipes =
        |depth: usize| format!("events{}{}", " | union (events".repeat(depth), ")".repeat(depth));
    assert_eq!(code(&pipes(PIPES_MAX)), "");
    assert_eq!(code(&pipes(PIPES_MAX + 1)), "query_deep");
    assert_eq!(code(&format!("events{}", " | take 5".repeat(STAGES_MAX - 1))), "");
    assert_eq!(code(&format!("events{}", " | take 5".repeat(STAGES_MAX))), "stages_too_many");
    let listed = |items: usize| format!("events | where dst_port in ({}1)", "1,".repeat(items - 1));
    assert_eq!(code(&listed(NODES_MAX - 2)), "");
    assert_eq!(code(&listed(NODES_MAX - 1)), "query_large");
    assert_eq!(code(&format!("events | where lsn > 1{}", " + 1".repeat(150))), "");
    assert_eq!(code(&format!("events | where lsn > 1{}", " + 1".repeat(5_000))), "query_deep");
    assert_eq!(code(&format!("events | where lsn > {}1", "-".repeat(30_000))), "query_deep");
    assert_eq!(code(&format!("events | where {}", "[".repeat(60_000))), "syntax");
    let regexes = |count: usize| {
        let one = "raw_data startswith 'x'";
        format!("events | where {}", vec![one; count].join(" or "))
    };
    assert_eq!(code(&regexes(yagura_lake::search::REGEXES_MAX)), "");
    assert_eq!(code(&regexes(yagura_lake::search::REGEXES_MAX + 1)), "regexes_too_many");
    assert_eq!(code("events | where raw_data matches regex '(a{1000}){1000}'"), "regex_too_large");
}

#[test]
fn damaged_queries_give_diagnostics_and_never_panic() {
    let mut seed = 7u64;
    let mut random = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below.max(1)
    };
    let all: Vec<&str> = examples().collect();
    let bits = [
        "|",
        "(",
        ")",
        "\"",
        "'",
        "é",
        "..",
        "!",
        "$left.",
        "unmapped.",
        "[",
        "by",
        "-",
        "1h",
        "\\",
        "日",
        "\u{0}",
    ];
    for _ in 0..600 {
        let mut query: Vec<char> = all[random(all.len())].chars().collect();
        for _ in 0..=random(3) {
            let at = random(query.len());
            match random(3) {
                0 => drop(query.remove(at)),
                1 => query.truncate(at),
                _ => drop(query.splice(at..at, bits[random(bits.len())].chars())),
            }
            if query.is_empty() {
                query.push('e');
            }
        }
        let query: String = query.into_iter().collect();
        if let Err(refused) = Pipe::new(&query, NOW) {
            assert!(refused.render().contains("-->"), "{query}");
            assert!(refused.fault.span.start <= query.len(), "{query}");
        }
    }
}

#[test]
fn every_example_is_right_and_every_word_has_one() {
    for word in WORDS {
        assert!(!word.examples.is_empty(), "{}", word.name);
        for query in word.examples {
            Pipe::new(query, NOW).unwrap_or_else(|no| panic!("{}", no.render()));
        }
        for alias in word.aliases {
            assert_eq!(find(&alias.to_uppercase()).unwrap().name, word.name);
        }
    }
}

#[test]
fn columns_of_the_answer_have_names_and_kinds() {
    let pipe = Pipe::new(
        "events | summarize count(), sum(traffic.bytes), x = avg(dst_port) by bin(time, 1h), dst_endpoint.hostname",
        NOW,
    );
    let pipe = pipe.unwrap();
    let columns: Vec<(&str, &Kind)> = pipe.columns().collect();
    assert_eq!(
        columns,
        [
            ("time", &Kind::Time),
            ("dst_endpoint.hostname", &Kind::Text),
            ("count_", &Kind::Integer),
            ("sum_traffic_bytes", &Kind::Integer),
            ("x", &Kind::Float),
        ]
    );
}

#[test]
fn completions_are_distinct_and_cover_words_functions_and_fields() {
    let all = offers();
    let distinct: BTreeSet<(OfferKind, &str)> = all.iter().map(|o| (o.kind, o.text)).collect();
    assert_eq!(distinct.len(), all.len());
    let has = |kind, text| distinct.contains(&(kind, text));
    assert!(has(OfferKind::Word, "mv-expand") && has(OfferKind::Field, "src_endpoint.ip"));
    assert!(has(OfferKind::Aggregate, "dcount") && has(OfferKind::Operator, "matches regex"));
    assert_eq!(
        all.iter().filter(|o| o.kind == OfferKind::Function).count(),
        functions::all().count()
    );
    let time = all.iter().find(|o| o.text == "time").unwrap();
    assert_eq!(time.detail, "datetime");
}
