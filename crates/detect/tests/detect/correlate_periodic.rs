//! Regular contact: beacons fire, people, random arrivals and other rhythms do not.
use crate::correlate_common::*;
use yagura_detect::Periodic;
use yagura_detect::correlate::Join;
use yagura_event::Finding;
use yagura_event::time::{DAY, MINUTE, SECOND};

const WANT: Periodic = Periodic {
    min_count: 12,
    max_jitter: 0.2,
    min_interval: 20 * SECOND,
    max_interval: 30 * MINUTE,
};

/// A small repeatable source of numbers in [0, 1).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -(1.0 - self.roll()).ln() * mean
    }
}

fn run(streams: &[Vec<f64>]) -> Vec<Finding> {
    let plan = plan(vec![correlation("beacon", Join::Periodic(WANT), &["r0"], DAY)]);
    let mut event = 0;
    let mut matches = Vec::new();
    for (group, seconds) in streams.iter().enumerate() {
        for second in seconds {
            event += 1;
            matches.push(hit(event, "r0", *second, &format!("h{group}"), "v"));
        }
    }
    batch(&plan, &matches)
}

fn beacon(dice: &mut Dice, period: f64, jitter: f64, missed: f64, beats: usize) -> Vec<f64> {
    let mut second = 0.0;
    let mut all = Vec::new();
    for _ in 0..beats {
        second += period * (1.0 + jitter * (2.0 * dice.roll() - 1.0));
        if dice.roll() >= missed {
            all.push(second);
        }
    }
    all
}

#[test]
fn beacons_with_jitter_and_missed_beats_fire_once() {
    let mut dice = Dice(1);
    let mut streams = Vec::new();
    for (period, jitter, missed) in [
        (60.0, 0.0, 0.0),
        (60.0, 0.2, 0.0),
        (300.0, 0.2, 0.1),
        (25.0, 0.1, 0.1),
        (1_700.0, 0.15, 0.05),
    ] {
        for _ in 0..20 {
            streams.push(beacon(&mut dice, period, jitter, missed, 48));
        }
    }
    let findings = run(&streams);
    assert_eq!(findings.len(), streams.len(), "each beacon once");
    for finding in &findings {
        assert_eq!(finding.kind, "periodic");
        assert!(finding.count >= 30, "the finding grows with the beacon: {}", finding.count);
    }
}

#[test]
fn a_request_with_its_parts_is_one_beat() {
    let parts = |second: f64| [second, second + 0.2, second + 0.7];
    let seconds: Vec<f64> = (0..20).flat_map(|n| parts(f64::from(n) * 60.0)).collect();
    assert_eq!(run(&[seconds]).len(), 1);
}

#[test]
fn a_beacon_after_irregular_traffic_is_found() {
    let mut dice = Dice(2);
    let mut seconds = Vec::new();
    let mut second = 0.0;
    for _ in 0..60 {
        second += dice.exponential(200.0);
        seconds.push(second);
    }
    let start = second;
    seconds.extend(beacon(&mut dice, 120.0, 0.1, 0.0, 40).iter().map(|at| start + at));
    assert_eq!(run(&[seconds]).len(), 1);
}

#[test]
fn random_arrivals_do_not_fire() {
    let mut dice = Dice(3);
    let mut streams = Vec::new();
    for mean in [30.0, 90.0, 300.0, 900.0] {
        for _ in 0..100 {
            let mut second = 0.0;
            let arrivals = (0..100).map(|_| {
                second += dice.exponential(mean);
                second
            });
            streams.push(arrivals.collect());
        }
    }
    let fired = run(&streams).len();
    assert!(fired <= 1, "{fired} of 400 random streams fired");
}

#[test]
fn human_bursts_do_not_fire() {
    let mut dice = Dice(4);
    let mut streams = Vec::new();
    for _ in 0..100 {
        let mut second = 0.0;
        let mut seconds = Vec::new();
        for _ in 0..25 {
            second += 60.0 + dice.exponential(900.0);
            for _ in 0..(2.0 + dice.roll() * 12.0) as usize {
                second += 1.0 + dice.exponential(12.0);
                seconds.push(second);
            }
        }
        streams.push(seconds);
    }
    assert_eq!(run(&streams).len(), 0);
}

#[test]
fn rhythms_outside_the_range_and_busy_traffic_do_not_fire() {
    let mut dice = Dice(5);
    let hourly = beacon(&mut dice, 3_600.0, 0.01, 0.0, 100);
    let every_second: Vec<f64> = (0..2_000).map(f64::from).collect();
    let every_ten: Vec<f64> = (0..1_000).map(|n| f64::from(n) * 10.0).collect();
    let few = beacon(&mut dice, 60.0, 0.0, 0.0, 11);
    let findings = run(&[hourly, every_second, every_ten, few]);
    assert_eq!(said(&findings), []);
}
