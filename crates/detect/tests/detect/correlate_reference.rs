//! Every kind against a naive reference, on streams in order, shuffled, late and repeated.
use crate::correlate_common::*;
use proptest::prelude::*;
use yagura_detect::correlate::{CorrelationPlan, Join};
use yagura_event::Match;
use yagura_event::time::SECOND;

/// One event: (seconds, group, rule, value, delay of arrival in seconds, delivered twice).
type Raw = (u32, u8, u8, u8, u8, bool);

fn raws(seconds: u32, most: usize) -> impl Strategy<Value = Vec<Raw>> {
    let one = (0..seconds, 0..2u8, 0..3u8, 0..6u8, 0..60u8, prop::bool::weighted(0.2));
    prop::collection::vec(one, 0..most)
}

/// Matches with distinct events; some events match two rules.
fn matches(raws: &[Raw]) -> Vec<Match> {
    let mut all = Vec::new();
    for (at, (second, group, rule, value, _, _)) in raws.iter().enumerate() {
        let group = ["alpha", "beta"][usize::from(*group)];
        let event = at as u128 + 1;
        let value = format!("v{value}");
        all.push(hit(event, &format!("r{rule}"), f64::from(*second), group, &value));
        if at % 5 == 0 {
            let second_rule = format!("r{}", (rule + 1) % 3);
            all.push(hit(event, &second_rule, f64::from(*second), group, &value));
        }
    }
    all
}

/// In order of arrival: each match up to 60 s late, some a second time.
fn arrivals(raws: &[Raw], matches: &[Match]) -> Vec<Match> {
    let mut all = Vec::new();
    for m in matches {
        let (_, _, _, _, delay, twice) = raws[m.event as usize - 1];
        let mut late = m.clone();
        late.received_time = m.time + i64::from(delay) * SECOND;
        if twice {
            let mut again = m.clone();
            again.received_time = m.time + 60 * SECOND;
            all.push(again);
        }
        all.push(late);
    }
    all.sort_by_key(|m| (m.received_time, m.event, m.rule.clone()));
    all
}

fn kinds(span: i64) -> Vec<CorrelationPlan> {
    let all = ["r0", "r1", "r2"];
    vec![
        correlation("count", Join::Count(4), &["r0", "r1"], span),
        correlation("values", Join::Values(4), &all, span),
        correlation("temporal", Join::Temporal(3), &all, span),
        correlation("some", Join::Temporal(2), &all, span),
        correlation("ordered", Join::Ordered, &all, span),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_batch_equals_the_reference(raws in raws(900, 90), span in 5..120i64) {
        let matches = matches(&raws);
        for kind in kinds(span * SECOND) {
            let findings = batch(&plan(vec![kind.clone()]), &matches);
            let mut got = said(&findings);
            let mut expected = reference(&kind, "alpha", &matches);
            expected.extend(reference(&kind, "beta", &matches));
            expected.sort();
            if kind.join == Join::Ordered {
                // Of events at one time the last step's decides, not the last to arrive.
                got.iter_mut().chain(&mut expected).for_each(|said| said.4 = 0);
            }
            prop_assert_eq!(got, expected, "{}", kind.rule.id);
            prop_assert!(findings.iter().all(|f| f.version == 1));
            prop_assert!(findings.is_sorted_by_key(|f| (f.first_time, f.id)));
        }
    }

    #[test]
    fn in_order_live_equals_the_batch(raws in raws(900, 60), span in 5..120i64) {
        let mut matches = matches(&raws);
        matches.sort_by_key(|m| (m.time, m.event, m.rule.clone()));
        let plan = plan(kinds(span * SECOND));
        let mut live = Live::new(&plan);
        for m in &matches {
            live.hit(m);
        }
        prop_assert_eq!(said(&live.finish()), said(&batch(&plan, &matches)));
    }

    #[test]
    fn out_of_order_live_fires_where_a_window_is_complete(
        raws in raws(300, 60), span in 5..120i64,
    ) {
        let matches = matches(&raws);
        let kinds = kinds(span * SECOND);
        let plan = plan(kinds.clone());
        let mut live = Live::new(&plan);
        for m in arrivals(&raws, &matches) {
            live.hit(&m);
        }
        let stats = live.correlator.stats();
        prop_assert!(stats.iter().all(|(_, _, s)| s.late == 0 && s.dropped == 0));
        let findings = live.finish();
        for kind in &kinds {
            for group in ["alpha", "beta"] {
                let label = format!("g={group}");
                let mine: Vec<_> = findings
                    .iter()
                    .filter(|f| f.rule == kind.rule.id && f.group == label)
                    .collect();
                prop_assert_eq!(!mine.is_empty(), any_window(kind, group, &matches));
                let events: u64 = mine.iter().map(|f| f.count).sum();
                let most = matches.iter().filter(|m| m.key("g") == Some(group)).count();
                prop_assert!(events <= most as u64, "repeats were counted");
                for finding in mine {
                    let inside: Vec<&Match> = matches
                        .iter()
                        .filter(|m| m.key("g") == Some(group))
                        .filter(|m| kind.refers.contains(&m.rule))
                        .filter(|m| (finding.first_time..=finding.last_time).contains(&m.time))
                        .collect();
                    prop_assert!(fulfils(kind.join, &kind.refers, &inside));
                }
            }
        }
    }

    #[test]
    fn one_burst_fires_once_in_any_order(
        gaps in prop::collection::vec((0..20u32, 0..60u8, any::<bool>()), 8..60),
    ) {
        let mut second = 0;
        let raws: Vec<Raw> = gaps
            .iter()
            .enumerate()
            .map(|(at, (gap, delay, twice))| {
                second += gap;
                (second, 0, 0, (at % 6) as u8, *delay, *twice)
            })
            .collect();
        let matches: Vec<Match> =
            matches(&raws).into_iter().filter(|m| m.rule == "r0").collect();
        let kind = correlation("count", Join::Count(3), &["r0"], 100 * SECOND);
        let plan = plan(vec![kind]);
        let mut live = Live::new(&plan);
        for m in arrivals(&raws, &matches) {
            live.hit(&m);
        }
        let findings = live.finish();
        prop_assert_eq!(findings.len(), 1);
        prop_assert_eq!(findings[0].count, matches.len() as u64);
        prop_assert_eq!(findings[0].first_time, matches[0].time);
        prop_assert_eq!(findings[0].last_time, matches[matches.len() - 1].time);
    }

    #[test]
    fn thinned_value_counts_fire_like_exact_ones(
        seed in any::<u64>(), values in 3..8u64, span in 20..200i64,
    ) {
        // Far more events than are kept: many repeats of few values, so that thinning works.
        let mut dice = seed;
        let mut second = 0.0;
        let matches: Vec<Match> = (0..900u32)
            .map(|event| {
                dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let roll = dice >> 33;
                second += (roll % 7) as f64 / 8.0;
                let rare = roll % 97 == 0;
                let value = if rare { roll / 97 % values } else { 0 };
                hit(u128::from(event) + 1, "r0", second, "alpha", &format!("v{value}"))
            })
            .collect();
        let kind = correlation("values", Join::Values(3), &["r0"], span * SECOND);
        let findings = batch(&plan(vec![kind.clone()]), &matches);
        let got: Vec<_> = said(&findings).into_iter().map(|s| (s.1, s.2, s.4)).collect();
        let mut expected = reference(&kind, "alpha", &matches);
        expected.sort();
        // A first time within a thinned stretch may be that of a later neighbour.
        let same_end: Vec<_> = got.iter().map(|s| (s.1, s.2)).collect();
        prop_assert_eq!(same_end, expected.iter().map(|s| (s.2, s.4)).collect::<Vec<_>>());
        let close = got.iter().zip(&expected).all(|(a, b)| (a.0 - b.1).abs() <= span * SECOND);
        prop_assert!(close);
    }
}
