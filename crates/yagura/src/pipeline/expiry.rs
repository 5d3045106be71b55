//! When records are kept no longer: retention by days of a clock that can be trusted.

use std::sync::Arc;
use std::time::{Duration, Instant};
use yagura_event::time::{Clock, DAY, Micros, SECOND};
use yagura_lake::Retention;

/// How often it is looked for what has expired, once nothing was found.
const PAUSE: Duration = Duration::from_secs(60);

/// A clock that is so much off what has passed since it was looked at has been set.
const STEP_MAX: Micros = 3_600 * SECOND;

/// How long nothing expires after the clock has been set.
const DISTRUST: Duration = Duration::from_secs(24 * 3_600);

/// Retention, and when to look at it.
pub struct Expiry {
    retention: Arc<Retention>,
    clock: Arc<dyn Clock>,
    /// Time of day at an instant.
    seen: Option<(Micros, Instant)>,
    /// Nothing is looked for before.
    next: Option<Instant>,
}

impl Expiry {
    /// Nothing expires where the retention says nothing.
    pub fn new(retention: Retention, clock: Arc<dyn Clock>) -> Self {
        Self { retention: Arc::new(retention), clock, seen: None, next: None }
    }

    /// What is kept how long.
    pub fn retention(&self) -> &Arc<Retention> {
        &self.retention
    }

    /// Nothing was found: looks again a while later.
    pub fn pause(&mut self, now: Instant) {
        self.next = Some(now + PAUSE);
    }

    /// The day since 1970, if it is time to look: no later than `newest`, the last day on which
    /// anything was received. A clock that was set makes nothing expire for a day, so that somebody
    /// can notice.
    pub fn today(&mut self, now: Instant, newest: i32) -> Option<i32> {
        if self.next.is_some_and(|next| now < next) {
            return None;
        }
        let time = self.clock.now();
        let (before, then) = *self.seen.get_or_insert((time, now));
        let passed = i64::try_from(now.duration_since(then).as_micros()).unwrap_or(i64::MAX);
        let step = time.saturating_sub(before).saturating_sub(passed);
        self.seen = Some((time, now));
        if step.abs() > STEP_MAX {
            let seconds = step / SECOND;
            tracing::warn!(seconds, "the clock was set; nothing expires within the next 24 hours");
            self.next = Some(now + DISTRUST);
            return None;
        }
        i32::try_from(time.div_euclid(DAY)).ok().map(|today| today.min(newest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

    #[derive(Default)]
    struct Set(AtomicI64);

    impl Clock for Set {
        fn now(&self) -> Micros {
            self.0.load(SeqCst)
        }
    }

    #[test]
    fn a_clock_that_jumps_makes_nothing_expire() {
        let clock = Arc::new(Set::default());
        let mut expiry = Expiry::new(Retention::default(), Arc::<Set>::clone(&clock));
        let start = Instant::now();
        let set = |days: i64, more: i64| clock.0.store(days * DAY + more * SECOND, SeqCst);
        set(20_000, 0);
        assert_eq!(expiry.today(start, 20_000), Some(20_000));
        // A folder of old records stays as long as nothing newer comes in.
        assert_eq!(expiry.today(start, 300), Some(300));
        let hours = |hours: u64| start + Duration::from_secs(hours * 3_600);
        set(20_001, 60);
        assert_eq!(expiry.today(hours(24), 20_001), Some(20_001));
        // A year ahead, and what comes in has that day too.
        set(20_366, 0);
        assert_eq!(expiry.today(hours(24), 20_366), None);
        assert_eq!(expiry.today(hours(47), 20_366), None);
        // Set right again in time.
        set(20_002, 0);
        assert_eq!(expiry.today(hours(48), 20_366), None);
        set(20_003, 0);
        assert_eq!(expiry.today(hours(72), 20_366), Some(20_003));
        expiry.pause(hours(72));
        assert_eq!(expiry.today(hours(72), 20_366), None);
    }
}
