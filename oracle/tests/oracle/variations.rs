//! Seeded variations of the published rules, over events built to nearly fulfil them.

use crate::shared::{full, pair};
use std::time::{Duration, Instant};
use yagura_detect::Scratch;
use yagura_oracle::data::{Published, published_rules, shared};
use yagura_oracle::{Comparison, Pair, vary};
use yagura_testkit::rng::Rng;

/// Events of the short run: a number, so that a quicker machine does not test more than a slower one.
const SHORT_EVENTS: u64 = 2_000;

/// Rounds of 200 varied rules of the short run, likewise.
const SHORT_ROUNDS: u64 = 4;

/// How long in the full run.
const LONG: Duration = Duration::from_secs(120);

/// The seed of the short run; the full run adds more.
const SEED: u64 = 0x5167;

fn seed() -> u64 {
    let named = std::env::var("YAGURA_SEED").ok().and_then(|text| text.parse().ok());
    named.unwrap_or(SEED)
}

/// Whether there is to be a further round.
fn goes_on(began: Instant, round: u64, short: u64) -> bool {
    if full() { began.elapsed() < LONG } else { round < short }
}

#[test]
fn events_built_for_rules_give_equal_matches() {
    let Some(pair) = pair(Published::All) else { return };
    let (began, mut round, mut total) = (Instant::now(), 0, Comparison::default());
    let rules: Vec<_> = pair.peer.rules().values().collect();
    let mut scratch = Scratch::new();
    while goes_on(began, round, SHORT_EVENTS) && total.unexplained == 0 {
        let mut rng = Rng::new(seed() ^ (round << 20));
        let rule = *rng.pick(&rules);
        let event = vary::event(rule, None, &mut rng);
        let batch = event.batch(pair.fields());
        pair.compare(batch.event(0).unwrap(), &mut scratch, &mut total);
        round += 1;
    }
    println!("seed {}, {round} rounds\n{total}", seed());
    assert_eq!(total.unexplained, 0, "seed {}, round {}:\n{total}", seed(), round - 1);
    assert!(total.agreed > 300, "{total}");
}

#[test]
fn varied_rules_give_equal_matches() {
    let Some(archive) = shared("sigma/sigma-rules.tar.zst") else { return };
    let files = published_rules(&archive, Published::All).unwrap();
    let (began, mut round, mut total) = (Instant::now(), 0, Comparison::default());
    let (mut loaded, mut one_sided) = (0, 0);
    while goes_on(began, round, SHORT_ROUNDS) && total.unexplained == 0 {
        let mut rng = Rng::new(seed() ^ (round << 20) ^ 1);
        let varied: Vec<(String, String)> = (0..200)
            .map(|at| {
                let (_, text) = rng.pick(&files).clone();
                (format!("{at:04}.yml"), vary::rule(&text, &format!("r{at}"), &mut rng))
            })
            .collect();
        let pair = Pair::new(&varied, &[]).unwrap_or_else(|error| panic!("{error}"));
        loaded += pair.rule_count();
        one_sided += pair.load_differences().len();
        let mut scratch = Scratch::new();
        let rules: Vec<_> = pair.peer.rules().iter().filter(|(id, _)| pair.peer.has(id)).collect();
        for (_, rule) in rules {
            for _ in 0..6 {
                let event = vary::event(rule, None, &mut rng);
                let batch = event.batch(pair.fields());
                pair.compare(batch.event(0).unwrap(), &mut scratch, &mut total);
            }
        }
        if total.unexplained > 0 {
            for difference in &total.kept {
                let at: usize = difference.rule[1..].parse().unwrap();
                println!("{}", varied[at].1);
            }
        }
        round += 1;
    }
    println!("seed {}, {round} rounds, {loaded} rules, {one_sided} loaded by one alone", seed());
    println!("{total}");
    assert_eq!(total.unexplained, 0, "seed {}, round {}:\n{total}", seed(), round - 1);
    assert!(total.agreed > 300 && loaded > 50, "{total}");
}
