//! Benchmarks do what they say, over little: every figure is of something that was seen.

use crate::support::{ndjson, ok, refused};
use std::collections::BTreeMap;

fn figures(args: &[&str]) -> BTreeMap<String, f64> {
    let all = ndjson(&ok(args)).into_iter().map(|line| {
        (line["figure"].as_str().unwrap().to_owned(), line["value"].as_f64().unwrap_or(f64::NAN))
    });
    all.collect()
}

#[test]
fn latency_sees_every_marked_record_in_the_list_and_live() {
    let figures = figures(&[
        "bench",
        "latency",
        "--rate",
        "300",
        "--seconds",
        "3",
        "--records",
        "3000",
        "--tenants",
        "2",
        "--format",
        "ndjson",
    ]);
    let of = |name: &str| *figures.get(&format!("latency_{name}/300")).expect(name);
    let marks = of("marks");
    assert!(marks >= 3.0, "{figures:?}");
    assert_eq!((of("marks_listed"), of("marks_told_live")), (marks, marks), "{figures:?}");
    for what in ["visible", "judged", "findings", "live"] {
        let at = |word: &str| of(&format!("{what}_ms_{word}"));
        let (middle, most, max) = (at("p50"), at("p99"), at("max"));
        assert!(0.0 < middle && middle <= most && most <= max, "{what}: {figures:?}");
    }
    // A named rate is measured alone.
    assert!(!figures.keys().any(|name| name.contains("sustained")), "{figures:?}");
}

#[test]
fn a_rate_of_nothing_is_refused() {
    for option in ["--rate", "--seconds"] {
        refused(&["bench", "latency", option, "0"], 2, &[option]);
    }
}
