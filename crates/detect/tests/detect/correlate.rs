//! What the correlator promises beyond the reference: time, versions, chains, bounds.
use crate::correlate_common::*;
use std::sync::Arc;
use yagura_detect::correlate::{Correlator, Join, Limits, Plan, RuleStats};
use yagura_event::finding::FINDING_SAMPLES_MAX;
use yagura_event::time::{DAY, HOUR, MINUTE, SECOND};
use yagura_event::{Finding, Lsn, Match, Observable, ObservableKind, Party, Role};

fn stats(correlator: &Correlator, rule: &str) -> RuleStats {
    correlator.stats().into_iter().find(|(_, id, _)| id == rule).unwrap().2
}

fn three_in_a_minute() -> Arc<Plan> {
    plan(vec![correlation("c", Join::Count(3), &["r0"], MINUTE)])
}

/// Received at `T0 + received` with the event time `T0 + time`.
fn late(event: u128, time: f64, received: f64) -> Match {
    let mut m = hit(event, "r0", time, "h", "v");
    m.received_time = T0 + (received * SECOND as f64) as i64;
    m
}

#[test]
fn an_event_two_hours_late_completes_nothing() {
    let mut live = Live::new(&three_in_a_minute());
    live.hit(&late(1, 10_000.0, 10_000.0));
    live.hit(&late(2, 10_010.0, 10_010.0));
    live.hit(&late(3, 2_810.0, 10_020.0));
    assert_eq!(stats(&live.correlator, "c").late, 1);
    assert_eq!(live.out, []);
    live.hit(&late(4, 10_030.0, 10_030.0));
    assert_eq!(live.finish()[0].count, 3);
}

#[test]
fn lateness_is_counted_from_its_bound_on() {
    // Window and lateness of a minute each: 120 s behind the stream is the last that counts.
    let mut live = Live::new(&three_in_a_minute());
    live.hit(&late(1, 1_000.0, 1_000.0));
    live.hit(&late(2, 880.0, 1_000.0));
    assert_eq!(stats(&live.correlator, "c").late, 0);
    live.hit(&late(3, 879.9, 1_000.0));
    assert_eq!(stats(&live.correlator, "c").late, 1);
    // Another stream has a clock of its own.
    let mut other = late(4, 885.0, 1_001.0);
    other.stream = 2;
    live.hit(&other);
    let mut third = late(5, 890.0, 1_002.0);
    third.stream = 2;
    live.hit(&third);
    let findings = live.finish();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].count, 3);
}

#[test]
fn a_time_from_the_future_blinds_nothing() {
    let mut live = Live::new(&three_in_a_minute());
    live.hit(&late(1, 0.0, 0.0));
    live.hit(&late(2, 5.0, 5.0));
    live.hit(&late(3, 10.0 * 365.0 * 86_400.0, 6.0));
    live.hit(&late(4, 10.0, 10.0));
    assert_eq!(stats(&live.correlator, "c").late, 0);
    assert_eq!(stats(&live.correlator, "c").clamped, 1);
    let findings = live.finish();
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].count, findings[0].last_time), (3, T0 + 10 * SECOND));
}

#[test]
fn a_lagging_stream_holds_the_window_until_it_is_silent() {
    // Stream 2 runs 30 minutes behind in event time but delivers steadily.
    let run = |steady: bool| {
        let mut live = Live::new(&three_in_a_minute());
        for n in 0..2u32 {
            let mut m = late(u128::from(n) + 1, f64::from(n), 1_800.0 + f64::from(n));
            m.stream = 2;
            live.hit(&m);
        }
        for n in 0..1_200u32 {
            let now = T0 + i64::from(1_802 + n) * SECOND;
            live.until(now);
            live.correlator.on_stream(1, now, now);
            if steady {
                live.correlator.on_stream(2, T0 + SECOND + i64::from(n), now);
            }
        }
        let mut m = late(3, 3.0, 3_003.0);
        m.stream = 2;
        live.hit(&m);
        live.finish().len()
    };
    assert_eq!(run(true), 1);
    assert_eq!(run(false), 0);
}

#[test]
fn a_late_burst_shortly_before_a_finding_joins_it() {
    let mut live = Live::new(&three_in_a_minute());
    for (event, time) in [(1, 100.0), (2, 130.0), (3, 150.0)] {
        live.hit(&late(event, time, time));
    }
    for (event, time) in [(4, 50.0), (5, 51.0), (6, 52.0)] {
        live.hit(&late(event, time, 151.0));
    }
    let findings = live.finish();
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].count, findings[0].first_time), (6, T0 + 50 * SECOND));
}

#[test]
fn thinning_keeps_what_a_late_window_needs() {
    let kind = correlation("c", Join::Values(3), &["r0"], MINUTE);
    let mut live = Live::new(&plan(vec![kind]));
    let mut event = 0;
    let mut hit_at = |time: f64, received: f64, value: &str| {
        event += 1;
        let mut m = late(event, time, received);
        m.keys[1].1 = value.into();
        live.hit(&m);
    };
    (0..255).for_each(|n| hit_at(f64::from(n) / 1_000.0, f64::from(n) / 1_000.0, "b"));
    hit_at(60.0, 60.0, "b");
    (0..600).for_each(|n| hit_at(119.0 + f64::from(n) / 1_000.0, 119.6, "b"));
    // Only the one at 60 s lies within a minute of both.
    hit_at(5.0, 119.7, "c");
    hit_at(62.0, 119.8, "d");
    let held = live.correlator.bytes();
    assert!(held < 100_000, "{held} bytes held");
    assert_eq!(live.finish().len(), 1);
}

#[test]
fn groups_that_nothing_can_meet_are_forgotten() {
    let mut live = Live::new(&three_in_a_minute());
    for n in 0..100u32 {
        live.hit(&hit(u128::from(n) + 1, "r0", f64::from(n), &format!("h{n}"), "v"));
    }
    assert!(live.correlator.bytes() > 0);
    live.until(T0 + HOUR);
    assert_eq!(live.correlator.bytes(), 0);
}

#[test]
fn a_plain_finding_is_told_at_once_and_then_by_tick() {
    let (plan, _) = Plan::build(vec![rule("plain", true)], Vec::new());
    let mut live = Live::new(&Arc::new(plan));
    for n in 0..30u32 {
        live.hit(&hit(u128::from(n) + 1, "plain", f64::from(n) / 10.0, "WEB-1.corp.example", "v"));
        assert_eq!(live.out[0].version, 1);
    }
    assert!(live.out.len() < 5, "{} versions within three seconds", live.out.len());
    assert_eq!(live.out[0].count, 1);
    live.until(T0 + 20 * SECOND);
    let now = latest(&live.out);
    assert_eq!(now.len(), 1);
    let finding = &now[0];
    assert_eq!((finding.count, finding.kind.as_str()), (30, "rule"));
    assert_eq!(finding.group, "device.hostname=web-1");
    assert_eq!(finding.samples.len(), FINDING_SAMPLES_MAX);
    let events: Vec<u128> = finding.samples.iter().map(|s| s.event).collect();
    assert_eq!(events[..19], (1..20).collect::<Vec<u128>>()[..]);
    assert_eq!(events[19], 30);
    let versions = live.out.len();
    live.until(T0 + 40 * SECOND);
    assert_eq!(live.out.len(), versions, "nothing changed, nothing said");
    // Beyond an hour from the first event a new finding begins.
    live.hit(&hit(100, "plain", 3_600.0, "web-1", "v"));
    live.hit(&hit(101, "plain", 3_601.0, "web-1", "v"));
    let counts: Vec<u64> = live.finish().iter().map(|f| f.count).collect();
    assert_eq!(counts, [31, 1]);
}

#[test]
fn plain_groups_prefer_host_then_source_then_user() {
    let (plan, _) = Plan::build(vec![rule("plain", true)], Vec::new());
    let party =
        |role, kind, value| Party { role, observable: Observable::new(kind, value).unwrap() };
    let mut m = hit(1, "plain", 0.0, "h", "v");
    m.parties = vec![
        party(Role::Actor, ObservableKind::User, "nina"),
        party(Role::Source, ObservableKind::Ip, "192.0.2.7"),
        party(Role::Device, ObservableKind::Host, "h"),
    ];
    let mut groups = Vec::new();
    while !m.parties.is_empty() {
        let findings = batch(&Arc::new(plan.clone()), std::slice::from_ref(&m));
        groups.push(findings[0].group.clone());
        m.parties.pop();
    }
    assert_eq!(groups, ["device.hostname=h", "src_endpoint.ip=192.0.2.7", "actor.user.name=nina"]);
}

fn chain_plan() -> Arc<Plan> {
    plan(vec![
        correlation("broke_in", Join::Ordered, &["many_failed", "r1"], 10 * MINUTE),
        correlation("many_failed", Join::Count(5), &["r0"], MINUTE),
    ])
}

#[test]
fn a_burst_feeds_the_correlation_above_it() {
    let mut matches = Vec::new();
    for n in 0..40u32 {
        matches.push(hit(u128::from(n) + 1, "r0", f64::from(n) * 30.0, "h", "v"));
        if n % 2 == 0 {
            matches.push(hit(u128::from(n) + 101, "r0", f64::from(n) * 30.0 + 1.0, "h", "v"));
            matches.push(hit(u128::from(n) + 201, "r0", f64::from(n) * 30.0 + 2.0, "h", "v"));
        }
    }
    // The burst began 20 minutes before; what counts is that it is still going on.
    matches.push(hit(500, "r1", 1_172.0, "h", "v"));
    let findings = batch(&chain_plan(), &matches);
    let rules: Vec<&str> = findings.iter().map(|f| f.rule.as_str()).collect();
    assert!(rules.contains(&"many_failed") && rules.contains(&"broke_in"), "{rules:?}");
    let outer = findings.iter().find(|f| f.rule == "broke_in").unwrap();
    assert_eq!(outer.kind, "temporal_ordered");
    assert_eq!(outer.count, 2, "the burst and the success");
    let proof: Vec<&str> = outer.samples.iter().map(|s| s.rule.as_str()).collect();
    assert!(proof.contains(&"r0") && proof.last() == Some(&"r1"), "{proof:?}");
    let without = &matches[..matches.len() - 1];
    assert!(batch(&chain_plan(), without).iter().all(|f| f.rule == "many_failed"));
}

#[test]
fn missing_keys_are_counted_and_case_does_not_separate() {
    let mut live = Live::new(&three_in_a_minute());
    let mut absent = hit(1, "r0", 0.0, "h", "v");
    absent.keys.clear();
    live.hit(&absent);
    let mut unset = hit(2, "r0", 1.0, "h", "v");
    unset.keys[0].1 = "-".into();
    live.hit(&unset);
    live.hit(&hit(3, "r0", 2.0, "HOST", "v"));
    live.hit(&hit(4, "r0", 3.0, "host", "v"));
    live.hit(&hit(5, "r0", 4.0, "Host", "v"));
    assert_eq!(stats(&live.correlator, "c").ungrouped, 2);
    let findings = live.finish();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].group, "g=host");
}

#[test]
fn eviction_spares_the_group_nearest_its_threshold() {
    let plan = plan(vec![correlation("c", Join::Count(5), &["r0"], 10 * MINUTE)]);
    let limits = Limits { rule_bytes_max: 100_000, ..Limits::default() };
    let mut live = Live::with_limits(&plan, limits);
    for n in 0..4u32 {
        live.hit(&hit(u128::from(n) + 1, "r0", f64::from(n), "near", "v"));
    }
    for n in 0..3_000u32 {
        let group = format!("noise{n}");
        live.hit(&hit(u128::from(n) + 10, "r0", 4.0 + f64::from(n) / 100.0, &group, "v"));
        assert!(live.correlator.bytes() <= limits.rule_bytes_max);
    }
    assert!(stats(&live.correlator, "c").evicted > 1_000);
    live.hit(&hit(9_999, "r0", 60.0, "near", "v"));
    let findings = live.finish();
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].group.as_str(), findings[0].count), ("g=near", 5));
}

#[test]
fn the_tenants_bound_takes_from_its_largest_rule() {
    let all = vec![
        correlation("big", Join::Count(5), &["r0"], HOUR),
        correlation("small", Join::Count(2), &["r1"], HOUR),
    ];
    let limits = Limits { tenant_bytes_max: 100_000, ..Limits::default() };
    let mut live = Live::with_limits(&plan(all), limits);
    live.hit(&hit(1, "r1", 0.0, "h", "v"));
    for n in 0..1_000u32 {
        live.hit(&hit(u128::from(n) + 10, "r0", f64::from(n) / 100.0, &format!("n{n}"), "v"));
        assert!(live.correlator.bytes() <= limits.tenant_bytes_max);
    }
    live.hit(&hit(2, "r1", 20.0, "h", "v"));
    assert_eq!(stats(&live.correlator, "small").evicted, 0);
    assert!(stats(&live.correlator, "big").evicted > 100);
    assert_eq!(live.finish().len(), 1);
}

#[test]
fn a_rule_beyond_its_budget_counts_on_and_shows_up_later() {
    let (plan, _) = Plan::build(vec![rule("plain", true)], Vec::new());
    let limits = Limits { findings_per_hour_max: 3, ..Limits::default() };
    let mut live = Live::with_limits(&Arc::new(plan), limits);
    for n in 0..50u32 {
        live.hit(&hit(u128::from(n) + 1, "plain", f64::from(n), &format!("h{}", n % 10), "v"));
    }
    assert_eq!(latest(&live.out).len(), 3);
    let counted = stats(&live.correlator, "plain");
    assert_eq!((counted.findings, counted.over_budget, counted.matches), (3, 7, 50));
    live.hit(&hit(90, "plain", 3_599.0, "h7", "v"));
    assert_eq!(latest(&live.out).len(), 3);
    // T0 is the beginning of an hour: the next one brings h7 to light, with all its matches.
    live.hit(&hit(91, "plain", 3_601.0, "h7", "v"));
    let h7: Vec<Finding> =
        live.finish().into_iter().filter(|f| f.group == "device.hostname=h7").collect();
    assert_eq!(h7.len(), 1);
    assert_eq!((h7[0].count, h7[0].samples.len()), (7, 7));
}

#[test]
fn tenants_do_not_meet() {
    let mut live = Live::new(&three_in_a_minute());
    for n in 0..4u32 {
        let mut m = hit(u128::from(n) + 1, "r0", f64::from(n), "h", "v");
        m.tenant = ["acme", "bell"][n as usize % 2].into();
        live.hit(&m);
    }
    assert_eq!(live.finish(), []);
}

#[test]
fn a_long_burst_is_one_finding_a_day() {
    let matches: Vec<Match> = (0..3_000u32)
        .map(|n| hit(u128::from(n) + 1, "r0", f64::from(n) * 60.0, "h", "v"))
        .collect();
    let kind = correlation("c", Join::Count(3), &["r0"], 5 * MINUTE);
    let findings = batch(&plan(vec![kind]), &matches);
    assert_eq!(findings.len(), 3, "50 hours");
    assert_eq!(findings.iter().map(|f| f.count).sum::<u64>(), 3_000);
    assert!(findings.iter().all(|f| f.last_time - f.first_time <= DAY));
}

#[test]
fn parties_are_those_of_the_group_and_the_samples_up_to_a_bound() {
    let mut kind = correlation("c", Join::Count(20), &["r0"], HOUR);
    kind.group_by = vec!["src_endpoint.ip".into()];
    let matches: Vec<Match> = (0..20u32)
        .map(|n| {
            let mut m = hit(u128::from(n) + 1, "r0", f64::from(n), "h", "v");
            m.keys = vec![("src_endpoint.ip".into(), "192.0.2.9".into())];
            m.parties = (0..10)
                .map(|p| Party {
                    role: Role::Destination,
                    observable: Observable::new(ObservableKind::Ip, &format!("10.0.{n}.{p}"))
                        .unwrap(),
                })
                .collect();
            m
        })
        .collect();
    let findings = batch(&plan(vec![kind]), &matches);
    assert_eq!(findings[0].parties.len(), 64);
    assert_eq!(findings[0].parties[0].observable.value, "192.0.2.9");
    assert_eq!(findings[0].parties[0].role, Role::Source);
    assert_eq!(findings[0].group, "src_endpoint.ip=192.0.2.9");
    assert_eq!(findings[0].lsn, Lsn(1).0);
}
