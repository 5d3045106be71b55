//! Snapshots: equal states have equal bytes, and a restored correlator goes on as if nothing
//! had happened, wherever the cut is.
use crate::correlate_common::*;
use proptest::prelude::*;
use std::sync::Arc;
use yagura_detect::Periodic;
use yagura_detect::correlate::{Correlator, Join, Limits, Plan, SnapshotError};
use yagura_event::time::{HOUR, SECOND};
use yagura_event::{Finding, Lsn, Match};

fn everything() -> Arc<Plan> {
    let all = ["r0", "r1", "r2"];
    let span = 60 * SECOND;
    let beat =
        Periodic { min_count: 5, max_jitter: 0.3, min_interval: 5 * SECOND, max_interval: HOUR };
    let correlations = vec![
        correlation("count", Join::Count(3), &["r0"], span),
        correlation("values", Join::Values(3), &all, span),
        correlation("temporal", Join::Temporal(3), &all, span),
        correlation("ordered", Join::Ordered, &all, span),
        correlation("periodic", Join::Periodic(beat), &["r1"], 600 * SECOND),
        correlation("chain", Join::Ordered, &["count", "r2"], span),
    ];
    let rules = (0..3).map(|n| rule(&format!("r{n}"), n == 2)).collect();
    Arc::new(Plan::build(rules, correlations).0)
}

#[derive(Clone, Debug)]
enum Call {
    Match(Box<Match>),
    Stream(u64, i64, i64),
    Tick(i64),
}

fn step(correlator: &mut Correlator, at: usize, call: &Call, out: &mut Vec<Finding>) {
    match call {
        Call::Match(m) => correlator.on_match(Lsn(at as u64), m, out),
        Call::Stream(stream, event, journal) => correlator.on_stream(*stream, *event, *journal),
        Call::Tick(journal) => correlator.on_tick(*journal, Lsn(at as u64), out),
    }
}

fn calls(raws: &[(u8, u8, u8, u8, u8)]) -> Vec<Call> {
    let mut now = T0;
    let mut calls = Vec::new();
    for (at, (pause, group, rule, value, delay)) in raws.iter().enumerate() {
        now += i64::from(*pause) * SECOND;
        let mut m = hit(
            at as u128 + 1,
            &format!("r{rule}"),
            0.0,
            &format!("h{group}"),
            &format!("v{value}"),
        );
        m.received_time = now;
        m.time = now - i64::from(*delay) * SECOND;
        m.stream = u64::from(*group);
        calls.push(Call::Match(Box::new(m)));
        if at % 3 == 0 {
            calls.push(Call::Tick(now));
        }
        if at % 7 == 0 {
            calls.push(Call::Stream(9, now - 5 * SECOND, now));
        }
    }
    calls.push(Call::Tick(now + HOUR));
    calls.push(Call::Tick(now + 30 * HOUR));
    calls
}

fn bytes(findings: &[Finding]) -> String {
    serde_json::to_string(findings).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_cut_anywhere_changes_nothing(
        raws in prop::collection::vec((0..20u8, 0..3u8, 0..3u8, 0..5u8, 0..200u8), 20..45),
    ) {
        let plan = everything();
        // Small enough that findings are held back and groups evicted on the way.
        let limits = Limits { rule_bytes_max: 20_000, tenant_bytes_max: 60_000, findings_per_hour_max: 4 };
        let calls = calls(&raws);
        let mut correlator = Correlator::new(Arc::clone(&plan), limits);
        let mut out = Vec::new();
        let mut cuts = vec![(0, correlator.snapshot())];
        for (at, call) in calls.iter().enumerate() {
            step(&mut correlator, at, call, &mut out);
            cuts.push((out.len(), correlator.snapshot()));
        }
        let end = correlator.snapshot();
        for (at, (emitted, snapshot)) in cuts.iter().enumerate() {
            let mut again = Correlator::restore(Arc::clone(&plan), limits, snapshot).unwrap();
            prop_assert_eq!(&again.snapshot(), snapshot);
            let mut rest = Vec::new();
            for (later, call) in calls.iter().enumerate().skip(at) {
                step(&mut again, later, call, &mut rest);
            }
            prop_assert_eq!(bytes(&rest), bytes(&out[*emitted..]), "cut at {}", at);
            prop_assert_eq!(&again.snapshot(), &end);
        }
    }
}

#[test]
fn damage_and_other_versions_are_told_apart() {
    let plan = everything();
    let mut live = Live::new(&plan);
    live.hit(&hit(1, "r0", 0.0, "h", "v"));
    let whole = live.correlator.snapshot();
    let read = |bytes: &[u8]| {
        Correlator::restore(Arc::clone(&plan), Limits::default(), bytes).map(|_| ()).unwrap_err()
    };
    assert_eq!(read(b""), SnapshotError::Magic);
    assert_eq!(read(b"YGCORREL"), SnapshotError::Damaged);
    let mut newer = whole.clone();
    newer[8] = 2;
    assert_eq!(read(&newer), SnapshotError::Version(2));
    for at in [12, 25, 40, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        assert_eq!(read(&flipped), SnapshotError::Damaged, "byte {at}");
    }
    assert_eq!(read(&whole[..whole.len() - 1]), SnapshotError::Damaged);
}

#[test]
fn state_of_a_rule_with_another_meaning_is_dropped() {
    let of = |count| {
        plan(vec![
            correlation("c", Join::Count(count), &["r0"], 60 * SECOND),
            correlation("d", Join::Count(2), &["r0"], 60 * SECOND),
        ])
    };
    let before = of(3);
    let mut live = Live::new(&before);
    live.hit(&hit(1, "r0", 0.0, "h", "v"));
    let snapshot = live.correlator.snapshot();
    let mut again = Correlator::restore(of(2), Limits::default(), &snapshot).unwrap();
    let mut replaced = live.correlator.clone();
    let mut out = Vec::new();
    replaced.replace_plan(of(2), Lsn(5), &mut out);
    assert_eq!(replaced.snapshot(), again.snapshot());
    again.on_match(Lsn(6), &hit(2, "r0", 1.0, "h", "v"), &mut out);
    let fired: Vec<&str> = out.iter().map(|f| f.rule.as_str()).collect();
    assert_eq!(fired, ["d"], "c began anew, d went on");
}
