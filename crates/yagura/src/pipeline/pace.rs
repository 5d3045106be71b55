//! When the judge commits: at each interval, and sooner where findings wait and that costs little.

use std::time::{Duration, Instant};

/// Incidents are judged anew after so many times as long as it took, so that it takes a small
/// part of a core however many findings there are. Findings do not wait for it.
const JUDGING_PAUSES: u32 = 15;

/// Findings are committed between two intervals after so many times as long as a commit took, so
/// that these commits take a small part of a core. Where a commit takes long the interval comes
/// first, and nothing is committed between.
const FINDING_PAUSES: u32 = 20;

/// Least time between two commits of findings: what comes at the same time goes together.
const FINDINGS_MIN: Duration = Duration::from_millis(50);

/// A commit that is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Turn {
    /// Whether it is the interval's (or somebody waits for it), and not one for findings between.
    pub whole: bool,
    /// Whether incidents are left to a later one.
    pub defer: bool,
}

/// What is pending.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Pending {
    /// Findings.
    pub findings: bool,
    /// What should not wait for the interval.
    pub urgent: bool,
    /// What somebody waits for, incidents too.
    pub awaited: bool,
}

/// Times and costs of the commits so far.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    /// When the last whole commit began.
    whole: Instant,
    /// When the last commit ended, and how long it took.
    last: (Instant, Duration),
    /// When incidents were judged last, and how long that commit took.
    judged: (Instant, Duration),
}

impl Pace {
    pub fn new(interval: Duration, now: Instant) -> Self {
        let none = (now, Duration::ZERO);
        Self { interval, whole: now, last: none, judged: none }
    }

    /// The commit that is due, if one is.
    pub fn due(&self, now: Instant, pending: Pending) -> Option<Turn> {
        if pending.urgent || now.duration_since(self.whole) >= self.interval {
            let (at, cost) = self.judged;
            let rests = now.duration_since(at) < cost * JUDGING_PAUSES;
            return Some(Turn { whole: true, defer: rests && !pending.awaited });
        }
        let (at, cost) = self.last;
        let pause = FINDINGS_MIN.max(cost * FINDING_PAUSES);
        let soon = pending.findings && now.duration_since(at) >= pause;
        // Incidents are made of what one interval brought, however it was committed.
        soon.then_some(Turn { whole: false, defer: true })
    }

    /// Notes a commit.
    pub fn committed(&mut self, turn: Turn, began: Instant, ended: Instant) {
        self.last = (ended, ended.duration_since(began));
        if turn.whole {
            self.whole = began;
        }
        if !turn.defer {
            self.judged = self.last;
        }
    }

    /// Notes a commit that failed: the next is due an interval later.
    pub fn failed(&mut self, began: Instant) {
        self.whole = began;
        self.last.0 = began;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const FINDINGS: Pending = Pending { findings: true, urgent: false, awaited: false };
    const BETWEEN: Option<Turn> = Some(Turn { whole: false, defer: true });
    const WHOLE: Option<Turn> = Some(Turn { whole: true, defer: false });
    const DEFERRED: Option<Turn> = Some(Turn { whole: true, defer: true });

    #[test]
    fn findings_do_not_wait_for_the_interval_where_commits_are_cheap() {
        let start = Instant::now();
        let at = |ms: u32| start + MS * ms;
        let mut pace = Pace::new(MS * 1_000, start);
        let none = Pending::default();
        assert_eq!((pace.due(at(49), FINDINGS), pace.due(at(60), none)), (None, None));
        assert_eq!(pace.due(at(50), FINDINGS), BETWEEN);
        pace.committed(Turn { whole: false, defer: true }, at(50), at(70));
        // It took 20 ms: there is a pause of twenty times that.
        assert_eq!(pace.due(at(469), FINDINGS), None);
        assert_eq!(pace.due(at(470), FINDINGS), BETWEEN);
        // The interval is counted from the last whole commit.
        assert_eq!((pace.due(at(999), none), pace.due(at(1_000), none)), (None, WHOLE));
        pace.committed(Turn { whole: true, defer: false }, at(1_000), at(1_150));
        // It took 150 ms: the interval comes first.
        assert_eq!(pace.due(at(1_999), FINDINGS), None);
        assert_eq!(pace.due(at(2_000), FINDINGS), DEFERRED);
        assert_eq!(pace.due(at(1_150 + 15 * 150), FINDINGS), WHOLE);
    }

    #[test]
    fn what_is_awaited_comes_at_once_and_whole() {
        let start = Instant::now();
        let mut pace = Pace::new(MS * 1_000, start);
        pace.committed(Turn { whole: true, defer: false }, start, start + MS * 500);
        let urgent = Pending { urgent: true, ..FINDINGS };
        let now = start + MS * 501;
        assert_eq!(pace.due(now, urgent), DEFERRED);
        assert_eq!(pace.due(now, Pending { awaited: true, ..urgent }), WHOLE);
        pace.failed(now);
        assert_eq!(pace.due(now + MS * 999, FINDINGS), None);
        assert_eq!(pace.due(now + MS * 1_000, Pending::default()), DEFERRED);
    }
}
