//! Random rules over random events: the matcher finds what the reference finds.

use super::{Bench, V, event};
use crate::{RuleSet, Scratch};
use proptest::prelude::*;

const FIELDS: [&str; 4] = ["Image", "image", "CommandLine", "n"];

fn word() -> impl Strategy<Value = String> {
    let parts = prop_oneof![
        Just("cmd"),
        Just("Exe"),
        Just("\\"),
        Just("-e"),
        Just(" /x"),
        Just("ä"),
        Just("Σ"),
        Just("ab"),
        Just("B"),
        Just("7"),
        Just("\u{2013}q"),
    ];
    prop::collection::vec(parts, 0..4).prop_map(|parts| parts.concat())
}

fn value() -> impl Strategy<Value = V> {
    prop_oneof![
        6 => word().prop_map(V::Text),
        1 => (-3i64..12).prop_map(V::from),
        1 => Just(V::Null),
    ]
}

/// One line of a selection: a key with modifiers and its value as YAML.
fn line() -> impl Strategy<Value = String> {
    let field = prop::sample::select(FIELDS.to_vec());
    let text = prop::sample::select(vec![
        "",
        "|contains",
        "|startswith",
        "|endswith",
        "|contains|all",
        "|cased",
        "|contains|cased",
        "|windash|contains",
        "|neq",
        "|endswith|neq",
        "|re",
        "|re|i",
    ]);
    let wild = prop::sample::select(vec!["", "*", "?"]);
    let texts = (field.clone(), text, prop::collection::vec((word(), wild, word()), 1..4))
        .prop_map(|(field, modifiers, words)| {
            let values: Vec<String> = words
                .into_iter()
                .map(|(a, wild, b)| {
                    let regex = modifiers.starts_with("|re");
                    let text = if regex {
                        format!("{}.*{}", regex::escape(&a), regex::escape(&b))
                    } else {
                        format!("{a}{wild}{b}")
                    };
                    format!("'{}'", text.replace('\'', "''"))
                })
                .collect();
            format!("'{field}{modifiers}': [{}]", values.join(", "))
        });
    let others = (
        field,
        prop::sample::select(vec![
            "|gte': 3",
            "|lt': 7",
            "': 7",
            "': null",
            "': ''",
            "|exists': true",
            "|exists': false",
            "|fieldref': CommandLine",
            "|fieldref|endswith': n",
            "|contains': 7",
            "': [null, 7]",
        ]),
    )
        .prop_map(|(field, rest)| format!("'{field}{rest}"));
    prop_oneof![4 => texts, 2 => others]
}

fn rule() -> impl Strategy<Value = String> {
    let selection = prop::collection::vec(line(), 1..3);
    let keywords = (word(), word()).prop_map(|(a, b)| vec![format!("'|all': ['{a}x', '{b}']")]);
    let selection = prop_oneof![8 => selection, 1 => keywords];
    let condition = prop::sample::select(vec![
        "s0",
        "s0 and not s1",
        "s0 or s1",
        "1 of s*",
        "2 of s*",
        "all of them",
        "not s2",
        "s0 and (s1 or not s2)",
        "not 1 of s*",
        "not (s0 and s1)",
    ]);
    (prop::collection::vec(selection, 3), condition).prop_map(|(selections, condition)| {
        let mut text = String::from("title: t\nlogsource: {}\ndetection:\n");
        for (at, lines) in selections.iter().enumerate() {
            let mut keys = Vec::new();
            text.push_str(&format!("  s{at}:\n"));
            for line in lines {
                let key = line.split("':").next().unwrap_or_default().to_owned();
                if !keys.contains(&key) {
                    text.push_str(&format!("    {line}\n"));
                    keys.push(key);
                }
            }
        }
        text.push_str(&format!("  condition: {condition}\n"));
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_matcher_finds_what_the_reference_finds(
        rules in prop::collection::vec(rule(), 1..8),
        events in prop::collection::vec(
            (word(), prop::collection::vec((prop::sample::select(FIELDS.to_vec()), value()), 0..5)),
            1..6,
        ),
    ) {
        let files = rules.iter().enumerate().map(|(at, text)| {
            (format!("{at:02}.yml"), format!("id: r{at}\n{text}"))
        });
        let set = RuleSet::load(files);
        prop_assert!(set.errors.is_empty(), "{:?}\n{}", set.errors, rules.join("---\n"));
        let bench = Bench::of(set, &["IMAGE"]);
        let mut scratch = Scratch::new();
        for (raw, pairs) in &events {
            let batch = event(&bench.fields, raw, pairs);
            let found: Vec<u32> = bench.hits(&batch, &mut scratch).iter().map(|hit| hit.rule.0).collect();
            let event = batch.event(0).unwrap();
            let expected: Vec<u32> = (0..bench.rules.rules.len() as u32)
                .filter(|at| {
                    let expr = bench.rules.exprs[*at as usize].as_ref().unwrap();
                    crate::naive::holds(expr, &event, &bench.fields)
                })
                .collect();
            prop_assert_eq!(found, expected, "{:?} {}\n{}", pairs, raw, rules.join("---\n"));
        }
    }
}
