//! Which rate is sustained: one at which lag does not grow, and the search for the highest.

use std::collections::BTreeMap;
use std::time::Duration;

/// What of the asked rate has to be reached by who submits.
const REACHED_MIN: f64 = 0.98;

/// What lag may grow by, in seconds a second. A pipeline that does a twentieth less than comes
/// grows by this; what comes and goes, such as a commit that is due, is below it over some
/// seconds.
const GROWTH_MAX: f64 = 0.05;

/// The search ends when the lowest rate that is not sustained is so close to the highest that is.
const CLOSE: f64 = 1.1;

/// Most rates that are tried by the search.
const TRIES_MAX: usize = 10;

/// Highest rate that is tried, in records a second.
const RATE_MAX: u64 = 10_000_000;

/// Rates that are tried are whole multiples of this where they are above it.
const RATE_STEP: u64 = 1_000;

/// Lag over a run: for moments since its beginning, the age of the oldest record that was not yet
/// both visible and judged.
#[derive(Debug, Default)]
pub struct Lag(Vec<(Duration, Duration)>);

impl Lag {
    /// Notes the lag at a moment.
    pub fn note(&mut self, at: Duration, age: Duration) {
        self.0.push((at, age));
    }

    /// Seconds a second by which lag grew: its mean over the last third of `length` against that
    /// over the middle third. The first third is left out, for the pipeline fills in it.
    pub fn growth(&self, length: Duration) -> f64 {
        let third = length.as_secs_f64() / 3.0;
        let mean = |from: f64| {
            let within =
                |at: &Duration| at.as_secs_f64() >= from && at.as_secs_f64() < from + third;
            let ages = self.0.iter().filter(|(at, _)| within(at)).map(|(_, age)| age.as_secs_f64());
            let (sum, count) = ages.fold((0.0, 0u32), |(sum, count), age| (sum + age, count + 1));
            sum / f64::from(count.max(1))
        };
        (mean(2.0 * third) - mean(third)) / third
    }
}

/// Whether a rate was sustained at which `reached` records a second were submitted.
pub fn is_sustained(rate: u64, reached: f64, growth: f64) -> bool {
    reached >= rate as f64 * REACHED_MIN && growth <= GROWTH_MAX
}

/// The highest rate that is sustained, as `tried` and then further tries say; `None` where none
/// is. Above what was tried rates are doubled, then the gap is halved until it is small. Below
/// [`RATE_STEP`] nothing is sought.
///
/// # Errors
/// Those of a try.
pub fn highest(
    tried: &mut BTreeMap<u64, bool>,
    mut attempt: impl FnMut(u64) -> anyhow::Result<bool>,
) -> anyhow::Result<Option<u64>> {
    for _ in 0..TRIES_MAX {
        let next = match bounds(tried) {
            (Some(low), None) if low < RATE_MAX => (low * 2).min(RATE_MAX),
            (None, Some(high)) if high <= RATE_STEP => break,
            (low, Some(high)) if high as f64 > low.unwrap_or(1) as f64 * CLOSE => {
                between(low.unwrap_or(0), high)
            }
            _ => break,
        };
        if tried.contains_key(&next) {
            break;
        }
        let sustained = attempt(next)?;
        tried.insert(next, sustained);
    }
    Ok(bounds(tried).0)
}

/// The lowest rate that is not sustained, and the highest below it that is: one that was sustained
/// above a rate that was not had luck.
fn bounds(tried: &BTreeMap<u64, bool>) -> (Option<u64>, Option<u64>) {
    let high = tried.iter().find(|(_, sustained)| !**sustained).map(|(rate, _)| *rate);
    let below = tried.range(..high.unwrap_or(u64::MAX)).next_back();
    (below.map(|(rate, _)| *rate), high)
}

fn between(low: u64, high: u64) -> u64 {
    let middle = low + (high - low) / 2;
    let round = middle / RATE_STEP * RATE_STEP;
    if round > low { round } else { middle }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// What is found where everything up to `limit` is sustained, and the rates that were tried.
    fn found(limit: u64, known: &[u64]) -> (Option<u64>, Vec<u64>) {
        let mut tried = known.iter().map(|rate| (*rate, *rate <= limit)).collect();
        let mut order = Vec::new();
        let highest = highest(&mut tried, |rate| {
            order.push(rate);
            Ok(rate <= limit)
        });
        (highest.unwrap(), order)
    }

    #[test]
    fn the_highest_rate_is_found_within_a_tenth() {
        let known = [1_000, 10_000, 100_000];
        for limit in [1_500, 9_999, 10_000, 37_000, 61_234, 100_000, 130_000, 999_999] {
            let (rate, tries) = found(limit, &known);
            let rate = rate.unwrap();
            assert!(rate <= limit && limit as f64 <= rate as f64 * CLOSE, "{limit}: {rate}");
            assert!(tries.len() <= TRIES_MAX && !tries.iter().any(|t| known.contains(t)));
        }
        assert_eq!(found(61_000, &known).1, [55_000, 77_000, 66_000, 60_000]);
    }

    #[test]
    fn where_nothing_or_everything_is_sustained_the_search_ends() {
        assert_eq!(found(0, &[1_000, 10_000]), (None, vec![]));
        assert_eq!(found(0, &[10_000]), (None, vec![5_000, 2_000, 1_000]));
        assert_eq!(found(u64::MAX, &[1_000_000]).0, Some(RATE_MAX));
        // A rate above one that was not sustained does not count.
        let mut tried = BTreeMap::from([(1_000, true), (1_050, false), (9_000, true)]);
        let none = |_| -> anyhow::Result<bool> { unreachable!() };
        assert_eq!(highest(&mut tried, none).unwrap(), Some(1_000));
    }

    #[test]
    fn lag_grows_where_less_is_done_than_comes() {
        let (second, length) = (Duration::from_secs(1), 30 * Duration::from_secs(1));
        let run = |age: &dyn Fn(u32) -> f64| {
            let mut lag = Lag::default();
            for step in 0..300 {
                lag.note(second * step / 10, Duration::from_secs_f64(age(step)));
            }
            lag.growth(length)
        };
        // Steady, also while it fills, and with commits once a second.
        assert!(run(&|_| 0.5).abs() < 1e-9);
        assert!(run(&|step| f64::from(step.min(90)) / 90.0).abs() < 1e-9);
        assert!(run(&|step| f64::from(step % 10) / 10.0).abs() < 1e-9);
        // A tenth less is done than comes.
        let growth = run(&|step| f64::from(step) / 100.0);
        assert!((growth - 0.1).abs() < 1e-3, "{growth}");
        assert!(!is_sustained(1_000, 1_000.0, growth));
        assert!(is_sustained(1_000, 985.0, 0.01) && !is_sustained(1_000, 970.0, 0.01));
        assert!(Lag::default().growth(second).abs() < 1e-9);
    }
}
