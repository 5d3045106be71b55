//! Random findings cut at random places end in the same stories; and what a commit costs.
#![allow(clippy::unwrap_used)]

use crate::tests::{T0, host, ran, scope, seen, user};
use crate::{JudgeBatch, JudgeStore};
use tempfile::TempDir;
use yagura_event::time::HOUR;
use yagura_event::{Finding, Level, Lsn, RelationKind, Seen};
use yagura_verdict::State;

/// Numbers that look random and are the same on every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Findings and relations over a few hosts and accounts, in journal order.
fn muddle(seed: u64) -> (Vec<Finding>, Vec<Seen>) {
    let mut numbers = Numbers(seed);
    let (mut findings, mut relations) = (Vec::new(), Vec::new());
    for lsn in 1..=150u64 {
        let (on, by) = (format!("ws{}", numbers.below(6)), format!("u{}", numbers.below(5)));
        if numbers.below(3) == 0 {
            relations.push(seen("acme", RelationKind::Session, user(&by), host(&on), lsn));
            continue;
        }
        let rule = format!("rule{}", numbers.below(12));
        let time = T0 + numbers.below(30) as i64 * HOUR;
        let mut finding = ran("acme", u128::from(lsn), &rule, time, &on, &by);
        finding.level = [Level::Low, Level::Medium, Level::High][numbers.below(3) as usize];
        findings.push(finding);
    }
    (findings, relations)
}

#[test]
fn however_a_muddle_is_cut_its_stories_are_the_same() {
    let mut stories = 0;
    for seed in 1..=3 {
        let (findings, relations) = muddle(seed);
        let run = |step: u64| {
            let dir = TempDir::new().unwrap();
            let mut store = JudgeStore::open(&dir.path().join("judge.sqlite")).unwrap();
            for to in (step..150 + step).step_by(step as usize) {
                let within = |lsn: u64| lsn + step > to && lsn <= to;
                let batch = JudgeBatch {
                    lsn: Lsn(to),
                    now: T0,
                    findings: findings.iter().filter(|f| within(f.lsn)).cloned().collect(),
                    relations: relations.iter().filter(|s| within(s.lsn.0)).cloned().collect(),
                    ..Default::default()
                };
                store.commit(&batch).unwrap();
            }
            assert_eq!(store.verify().unwrap(), []);
            let open = store.incidents(&scope("acme")).unwrap();
            let open = open.into_iter().filter(|i| i.state == State::Open);
            open.map(|i| serde_json::to_string(&i.story).unwrap()).collect::<Vec<_>>()
        };
        let whole = run(150);
        stories += whole.len();
        for step in [13, 40] {
            let cut = run(step);
            for story in &whole {
                assert!(cut.contains(story), "seed {seed}, step {step}");
            }
        }
    }
    assert!(stories >= 3, "{stories}");
}

/// Prints what a commit costs over a full window; run with `--ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn cost_of_a_commit_over_a_full_window() {
    let dir = TempDir::new().unwrap();
    let mut store = JudgeStore::open(&dir.path().join("judge.sqlite")).unwrap();
    let mut numbers = Numbers(5);
    let mut findings = Vec::new();
    for lsn in 1..=4_000u64 {
        let (on, by) = (format!("ws{}", numbers.below(800)), format!("u{}", numbers.below(700)));
        let rule = format!("rule{}", numbers.below(150));
        let time = T0 + numbers.below(40) as i64 * HOUR;
        let mut finding = ran("acme", u128::from(lsn), &rule, time, &on, &by);
        finding.level =
            [Level::Low, Level::Low, Level::Medium, Level::High][numbers.below(4) as usize];
        findings.push(finding);
    }
    let relations: Vec<Seen> = (0..5_000)
        .map(|_| {
            let (on, by) =
                (format!("ws{}", numbers.below(800)), format!("u{}", numbers.below(700)));
            seen("acme", RelationKind::Session, user(&by), host(&on), 4_000)
        })
        .collect();
    let last = ran("acme", 9_000, "late", T0 + HOUR, "ws5", "u5");
    for (lsn, findings, relations) in
        [(4_000, findings, relations), (9_000, vec![last], Vec::new())]
    {
        let batch =
            JudgeBatch { lsn: Lsn(lsn), now: T0, findings, relations, ..Default::default() };
        let start = std::time::Instant::now();
        let done = store.commit(&batch).unwrap();
        println!(
            "{} findings: {:?}, {} incidents",
            batch.findings.len(),
            start.elapsed(),
            done.incidents.len()
        );
    }
}
