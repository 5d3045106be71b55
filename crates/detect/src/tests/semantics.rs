//! What each modifier and form of condition means.

use super::{Bench, V, check, check_raw, event, rule};
use crate::{HitPlace, RuleIndex, RuleSet, Scratch};
use yagura_event::{ColumnId, LogsourceId, Scalar};

#[test]
fn text_is_compared_without_case_unless_cased() {
    check("s: {a: Foo}", "s", &[("a", "fOO".into())], true);
    check("s: {a: Foo}", "s", &[("a", "fooo".into())], false);
    check("s: {a: 'ÄÖ'}", "s", &[("a", "äö".into())], true);
    check("s: {a|cased: Foo}", "s", &[("a", "foo".into())], false);
    check("s: {a|cased: Foo}", "s", &[("a", "Foo".into())], true);
    check("s: {a|contains|cased: Oo}", "s", &[("a", "FOO".into())], false);
}

#[test]
fn anchors_and_wildcards() {
    check("s: {a|contains: oo}", "s", &[("a", "xOOx".into())], true);
    check("s: {a|startswith: fo}", "s", &[("a", "FOx".into())], true);
    check("s: {a|startswith: fo}", "s", &[("a", "xfo".into())], false);
    check("s: {a|endswith: '\\cmd.exe'}", "s", &[("a", "C:\\Windows\\CMD.EXE".into())], true);
    check("s: {a: 'f*o?'}", "s", &[("a", "fXXoY".into())], true);
    check("s: {a: 'f\\*o'}", "s", &[("a", "f*o".into())], true);
    check("s: {a: 'f\\*o'}", "s", &[("a", "fxo".into())], false);
    check("s: {a: '*'}", "s", &[("a", "".into())], true);
    check("s: {a: '*'}", "s", &[("b", "x".into())], false);
    check("s: {a|contains: 'a*b'}", "s", &[("a", "xaYbx".into())], true);
}

#[test]
fn lists_all_and_several_values() {
    check("s: {a: [x, y]}", "s", &[("a", "Y".into())], true);
    check("s: {a|contains|all: [x, y]}", "s", &[("a", "x-y".into())], true);
    check("s: {a|contains|all: [x, y]}", "s", &[("a", "x".into())], false);
    check("s: {a|contains|all: [x, y]}", "s", &[("a", "x".into()), ("a", "y".into())], true);
    check("s: {a: x, b: y}", "s", &[("a", "x".into())], false);
    check("s:\n  - a: x\n  - b: y", "s", &[("b", "y".into())], true);
}

#[test]
fn numbers_truth_and_empty_values() {
    check("s: {a: 4688}", "s", &[("a", 4688.into())], true);
    check("s: {a: 4688}", "s", &[("a", "4688".into())], true);
    check("s: {a: 5}", "s", &[("a", "5.0".into())], true);
    check("s: {a: '4688'}", "s", &[("a", 4688.into())], true);
    check("s: {a: 4688}", "s", &[("a", "x4688".into())], false);
    check("s: {a|contains: 46}", "s", &[("a", 4688.into())], true);
    check("s: {a: true}", "s", &[("a", "True".into())], true);
    check("s: {a: ''}", "s", &[("a", "".into())], true);
    check("s: {a: ''}", "s", &[("a", V::Null)], false);
    check("s: {a: null}", "s", &[("a", V::Null)], true);
    check("s: {a: null}", "s", &[("b", "x".into())], true);
    check("s: {a: null}", "s", &[("a", "x".into())], false);
    check("s: {a: [null, x]}", "s", &[("a", "x".into())], true);
}

#[test]
fn order_existence_and_inequality() {
    check("s: {a|gte: 10}", "s", &[("a", 10.into())], true);
    check("s: {a|gt: 10}", "s", &[("a", "10".into())], false);
    check("s: {a|lt: 1.5}", "s", &[("a", "1.25".into())], true);
    check("s: {a|lte: 1}", "s", &[("a", "one".into())], false);
    check("s: {a|exists: true}", "s", &[("a", V::Null)], true);
    check("s: {a|exists: false}", "s", &[("b", "x".into())], true);
    check("s: {a|exists: false}", "s", &[("a", "x".into())], false);
    check("s: {a|neq: x}", "s", &[("a", "y".into())], true);
    check("s: {a|neq: x}", "s", &[("a", "X".into())], false);
}

#[test]
fn expressions_networks_and_times() {
    check("s: {a|re: 'f.+o'}", "s", &[("a", "xfooy".into())], true);
    check("s: {a|re: 'F.+o'}", "s", &[("a", "xfooy".into())], false);
    check("s: {a|re|i: 'F.+O'}", "s", &[("a", "xfooy".into())], true);
    check("s: {a|re|m: '^b$'}", "s", &[("a", "a\nb".into())], true);
    check("s: {a|re|s: 'a.b'}", "s", &[("a", "a\nb".into())], true);
    check("s: {a|cidr: 10.0.0.0/8}", "s", &[("a", "10.1.2.3".into())], true);
    check("s: {a|cidr: [192.168.0.0/16, 'fe80::/10']}", "s", &[("a", "fe80::1".into())], true);
    check("s: {a|cidr: 10.0.0.0/8}", "s", &[("a", "110.1.2.3".into())], false);
    check("s: {a|hour: 3}", "s", &[("a", "2026-11-22T03:04:05Z".into())], true);
    check("s: {a|hour|gte: 20}", "s", &[("a", "2026-11-22 03:04:05".into())], false);
    check("s: {a|week: 47}", "s", &[("a", "2026-11-22T03:04:05Z".into())], true);
}

#[test]
fn encodings() {
    check("s: {a|base64: foobar}", "s", &[("a", "Zm9vYmFy".into())], true);
    check("s: {a|base64offset|contains: foobar}", "s", &[("a", "eGZvb2Jhcng=".into())], true);
    check("s: {a|utf16le|base64offset|contains: ping}", "s", &[("a", "cABpAG4AZwA=".into())], true);
    check("s: {a|wide|contains: ab}", "s", &[("a", "a\0b\0".into())], true);
    check("s: {a|windash|contains: ' -f'}", "s", &[("a", "x /F".into())], true);
    check("s: {a|windash|contains: ' -f'}", "s", &[("a", "x \u{2015}f".into())], true);
    check("s: {a|windash|contains: ' -f'}", "s", &[("a", "x +f".into())], false);
}

#[test]
fn fields_against_fields() {
    check("s: {a|fieldref: b}", "s", &[("a", "X".into()), ("b", "x".into())], true);
    check("s: {a|fieldref: b}", "s", &[("a", "X".into())], false);
    check("s: {a|fieldref|endswith: b}", "s", &[("a", "yx".into()), ("b", "X".into())], true);
    check("s: {a|fieldref|contains: b}", "s", &[("a", "yx".into()), ("b", "".into())], true);
    check("s: {a|fieldref|neq: b}", "s", &[("a", "y".into()), ("b", "x".into())], true);
}

#[test]
fn conditions_and_quantifiers() {
    let three = "s1: {a: x}\ns2: {b: x}\ns3: {c: x}\n_s4: {d: x}";
    let two = [("a", "x".into()), ("b", "x".into())];
    for (condition, expect) in [
        ("1 of s*", true),
        ("2 of s*", true),
        ("3 of s*", false),
        ("all of s*", false),
        ("all of them", false),
        ("1 of them and not s3", true),
        ("s1 and (s3 or s2)", true),
        ("not s1 or not s2", false),
        ("_s4 or s1", true),
    ] {
        check(three, condition, &two, expect);
    }
    check("s: {a: x}", "[s, not s]", &[("b", "y".into())], true);
}

#[test]
fn keywords_look_at_the_record_and_at_decoded_values() {
    check_raw("k: [needle, other]", "k", "a NEEDLE in hay", &[], true);
    check_raw("k:\n  '|all': [a, hay]", "k", "a needle in hay", &[], true);
    check_raw("k:\n  '|all': [a, straw]", "k", "a needle in hay", &[], false);
    check_raw("k: ['one\"two']", "k", r#"{"x":"one\"two"}"#, &[("x", "one\"two".into())], true);
    check_raw("k: [4688]", "k", "id=4688", &[], true);
    check_raw("k: ['n*le']", "k", "a needle", &[], true);
}

#[test]
fn names_by_case_then_without() {
    check("s: {CommandLine: x}", "s", &[("commandline", "x".into())], true);
    let both = [("CommandLine", "y".into()), ("commandline", "x".into())];
    check("s: {CommandLine: x}", "s", &both, false);
}

#[test]
fn long_values_are_cut_and_their_end_is_unknown() {
    let long = format!("begin{}end", "x".repeat(crate::VALUE_BYTES_MAX));
    let pairs = [("a", long.as_str().into())];
    check("s: {a|startswith: begin}", "s", &pairs, true);
    check("s: {a|endswith: end}", "s", &pairs, false);
    check("s: {a|contains: end}", "s", &pairs, false);
    let exact = format!("{}end", "x".repeat(crate::VALUE_BYTES_MAX - 3));
    check("s: {a|endswith: end}", "s", &[("a", exact.as_str().into())], true);
}

#[test]
fn rules_of_the_product_ocsf_go_by_class_and_column() {
    let text = rule("s: {src_endpoint.port|gte: 1024, metadata.log_format: second}", "s");
    for (category, expect) in [("authentication", 1), ("dns_activity", 0)] {
        let text = text.replace(
            "logsource: {}",
            &format!("logsource: {{product: ocsf, category: {category}}}"),
        );
        let bench = Bench::new(&text, &[]);
        let mut batch = event(&bench.fields, "", &[]);
        batch.values.push((ColumnId::SRC_PORT, Scalar::I64(5000)));
        batch.events[0].values = 0..1;
        let hits = bench.hits(&batch, &mut Scratch::new());
        assert_eq!(hits.len(), expect, "{category}");
        if let Some(hit) = hits.first() {
            let places: Vec<_> = hit.fields.iter().map(|f| f.place).collect();
            assert!(places.contains(&HitPlace::Column(ColumnId::SRC_PORT)), "{places:?}");
            let found = bench.matcher.build_match(
                batch.event(0).unwrap(),
                hit,
                "second",
                &mut Scratch::new(),
            );
            assert!(found.fields.contains(&("src_endpoint.port".into(), "5000".into())));
            assert!(found.fields.contains(&("metadata.log_format".into(), "second".into())));
        }
    }
}

#[test]
fn a_dotted_path_is_a_column_where_no_span_has_the_name() {
    let bench = Bench::new(&rule("s: {user.name: root}", "s"), &[]);
    let mut batch = event(&bench.fields, "", &[]);
    let text = batch.push_text(b"ROOT");
    batch.values.push((ColumnId::USER_NAME, Scalar::Text(text)));
    batch.events[0].values = 0..1;
    assert_eq!(bench.hits(&batch, &mut Scratch::new()).len(), 1);
    let mut other = event(&bench.fields, "", &[("user.name", "bob".into())]);
    let text = other.push_text(b"root");
    other.values.push((ColumnId::USER_NAME, Scalar::Text(text)));
    other.events[0].values = 0..1;
    assert_eq!(bench.hits(&other, &mut Scratch::new()).len(), 0);
}

#[test]
fn events_meet_the_rules_of_their_logsource_only() {
    let windows = rule("s: {a: x}", "s").replace("{}", "{product: windows}");
    let linux = rule("s: {a: x}", "s").replace("{}", "{product: linux}");
    let bench = Bench::new(&format!("{windows}---\n{linux}"), &[]);
    let mut batch = event(&bench.fields, "", &[("a", "x".into())]);
    let mut scratch = Scratch::new();
    assert_eq!(bench.hits(&batch, &mut scratch).len(), 2);
    batch.events[0].logsource = LogsourceId(1);
    let hits = bench.hits(&batch, &mut scratch);
    assert_eq!(hits.iter().map(|hit| hit.rule).collect::<Vec<_>>(), [RuleIndex(0)]);
    assert_eq!(bench.logsources.all().len(), 2);
}

#[test]
fn matches_carry_fields_keys_and_the_raw_record() {
    let text = format!(
        "{}---\ntitle: c\ncorrelation:\n  type: value_count\n  rules: [base]\n  group-by: [who]\n  \
         timespan: 5m\n  aliases: {{who: {{base: User}}}}\n  condition: {{gte: 2, field: Dest}}\n",
        rule("s: {a|contains: x}", "s").replace("title: t", "title: t\nname: base")
    );
    let bench = Bench::new(&text, &[]);
    let pairs =
        [("a", "1x".into()), ("User", "Bob".into()), ("Dest", "h1".into()), ("Dest", "h2".into())];
    let batch = event(&bench.fields, "raw line", &pairs);
    let mut scratch = Scratch::new();
    let hits = bench.hits(&batch, &mut scratch);
    let found =
        bench.matcher.build_match(batch.event(0).unwrap(), &hits[0], "second", &mut scratch);
    assert_eq!(found.fields, [("a".into(), "1x".into())]);
    let keys = [("who", "Bob"), ("Dest", "h1"), ("Dest", "h2")];
    assert_eq!(found.keys, keys.map(|(k, v)| (k.to_owned(), v.to_owned())));
    assert_eq!((found.raw.as_str(), found.stream, found.feed.as_str()), ("raw line", 7, "test"));
    assert_eq!(found.rule, bench.rules.rules[0].id);
    assert!(!bench.rules.rules[0].generate && bench.rules.rules[1].generate);
}

#[test]
fn a_matcher_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<crate::Matcher>();
    shared::<RuleSet>();
}

#[test]
fn one_scratch_serves_several_matchers() {
    let (a, b) =
        (Bench::new(&rule("s: {a: x}", "s"), &[]), Bench::new(&rule("s: {a: y}", "s"), &[]));
    let mut scratch = Scratch::new();
    for _ in 0..3 {
        for (bench, expect) in [(&a, 1), (&b, 0)] {
            let batch = event(&bench.fields, "", &[("a", "x".into())]);
            assert_eq!(bench.hits(&batch, &mut scratch).len(), expect);
        }
    }
}
