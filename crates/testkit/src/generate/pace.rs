//! When records come: a rate, its course over the day, and chance.

use crate::rng::Rng;
use yagura_event::Micros;
use yagura_event::time::{DAY, HOUR, MINUTE, SECOND};

/// Traffic in each hour of the day (UTC), in hundredths of the day's mean or nearly so.
const HOURS: [u64; 24] = [
    36, 30, 28, 28, 31, 42, 66, 107, 153, 170, 174, 163, 142, 158, 170, 164, 153, 132, 107, 92, 82,
    71, 61, 46,
];
const HOURS_SUM: u64 = hours_sum();

const fn hours_sum() -> u64 {
    let (mut sum, mut n) = (0, 0);
    while n < 24 {
        sum += HOURS[n];
        n += 1;
    }
    sum
}

/// Fractions of a microsecond, since a million records a second leave one for each.
const FINE: u64 = 1_024;

/// Longest time over which a rate is followed when it is reckoned how long records take.
const SPAN_MAX: Micros = 366 * DAY;

/// The moments of the everyday records.
#[derive(Clone, Debug)]
pub struct Pace {
    start: Micros,
    /// Time since `start`, in 1,024ths of a microsecond.
    passed: u64,
    /// Mean time between two records of a day, in the same unit.
    mean: u64,
    /// The same for this second.
    current: u64,
    second: i64,
}

/// Traffic at a moment, 65,536 being the day's mean.
fn weight(at: Micros) -> u64 {
    let of_day = at.rem_euclid(DAY);
    let (hour, minute) = ((of_day / HOUR) as usize, (of_day % HOUR / MINUTE) as u64);
    let now = HOURS[hour] * (60 - minute) + HOURS[(hour + 1) % 24] * minute;
    now * 24 * 65_536 / (60 * HOURS_SUM)
}

impl Pace {
    /// So many records a second in the day's mean, at least 1.
    pub fn at_rate(start: Micros, records_per_s: u32) -> Self {
        Self::with_mean(start, FINE * SECOND.unsigned_abs() / u64::from(records_per_s.max(1)))
    }

    /// So many records (at least 1) within `span`.
    pub fn within(start: Micros, records: u64, span: Micros) -> Self {
        let minutes = (span / MINUTE).max(1);
        let sum: u64 = (0..minutes).map(|n| weight(start + n * MINUTE)).sum();
        let mean = u128::from(FINE) * u128::from(MINUTE.unsigned_abs()) * u128::from(sum)
            / (u128::from(records.max(1)) * 65_536);
        Self::with_mean(start, u64::try_from(mean).unwrap_or(u64::MAX))
    }

    fn with_mean(start: Micros, mean: u64) -> Self {
        Self { start, passed: 0, mean, current: mean, second: i64::MIN }
    }

    /// About how long so many records take.
    pub fn span(&self, records: u64) -> Micros {
        let per_minute = u128::from(FINE) * u128::from(MINUTE.unsigned_abs()) * 1_000;
        let (mut at, mut left) = (self.start, u128::from(records) * 1_000);
        while at < self.start + SPAN_MAX {
            let here =
                per_minute * u128::from(weight(at)) / (65_536 * u128::from(self.mean.max(1)));
            if here >= left {
                let part = left * MINUTE.unsigned_abs() as u128 / here.max(1);
                return at - self.start + part as Micros;
            }
            left -= here;
            at += MINUTE;
        }
        SPAN_MAX
    }

    /// The moment of the next record.
    pub fn now(&self) -> Micros {
        self.start + (self.passed / FINE) as Micros
    }

    /// Moves on to the record after it.
    pub fn advance(&mut self, rng: &mut Rng) {
        let second = self.now().div_euclid(SECOND);
        if second != self.second {
            self.second = second;
            self.current = (u128::from(self.mean) * 65_536 / u128::from(weight(self.now()).max(1)))
                .min(u128::from(u64::MAX / 65_536)) as u64;
        }
        // Minus the logarithm of a random fraction, straight between powers of two: waiting
        // times as chance makes them, without floating point. Its mean is 1.5.
        let bits = rng.bits() | 1;
        let zeros = u64::from(bits.leading_zeros());
        let rest = (bits << zeros) >> 53 & 0x3ff;
        self.passed += self.current * ((zeros << 10) + 1_024 - rest) / 1_536;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_records_take_so_long() {
        let start = 1_790_000_000 * SECOND;
        for (pace, records, span) in [
            (Pace::within(start, 400_000, 8 * HOUR), 400_000, 8 * HOUR),
            (Pace::at_rate(start, 200_000), 2_000_000, 0),
        ] {
            let reckoned = pace.span(records);
            let (mut pace, mut rng) = (pace, Rng::new(9));
            for _ in 0..records {
                pace.advance(&mut rng);
            }
            let real = pace.now() - start;
            let near = |a: Micros, b: Micros| (a - b).abs() * 50 <= b;
            assert!(near(real, reckoned), "{real} {reckoned}");
            assert!(span == 0 || near(real, span), "{real} {span}");
        }
    }

    #[test]
    fn noon_has_more_than_the_night() {
        let midnight = 20_000 * DAY;
        assert!(weight(midnight + 10 * HOUR) > 5 * weight(midnight + 3 * HOUR));
        let mean = (0..24).map(|n| weight(midnight + n * HOUR)).sum::<u64>() / 24;
        assert!(mean.abs_diff(65_536) < 400, "{mean}");
    }
}
