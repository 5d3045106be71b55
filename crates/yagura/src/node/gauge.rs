//! Rates and latencies: looked at from outside, some times a second, by a thread of its own.

use crate::node::Node;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use yagura_api::model::{Latency, Rates, Series};
use yagura_event::time::rfc3339;
use yagura_event::{Clock, Micros, SystemClock};

/// How often it looks; latencies are known to that.
const LOOK: Duration = Duration::from_millis(50);

/// Length of a step of the series, and how many are kept: ten minutes.
const STEP: Duration = Duration::from_secs(5);
const STEPS: usize = 120;

/// Over what time rates are taken, and latencies.
const RATE_OVER: Duration = Duration::from_secs(10);
const LATENCY_OVER: Duration = Duration::from_secs(60);

/// How often the feeds are looked at.
const FEEDS_LOOK: Duration = Duration::from_secs(1);

/// Marks that wait for a consumer, and latencies kept, at most.
const MARKS_MAX: usize = 20_000;

/// Counters at a moment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Instant,
    records: u64,
    matches: u64,
}

#[derive(Debug, Default)]
struct Lag {
    /// Entries that were durable at a moment and not done yet.
    waiting: VecDeque<(u64, Instant)>,
    /// When something was done, and how long it took.
    took: VecDeque<(Instant, u64)>,
}

impl Lag {
    fn look(&mut self, durable: u64, done: u64, now: Instant) {
        let newest = self.waiting.back().map_or(0, |(lsn, _)| *lsn);
        if durable > newest.max(done) && self.waiting.len() < MARKS_MAX {
            self.waiting.push_back((durable, now));
        }
        while let Some((_, since)) = self.waiting.front().filter(|(lsn, _)| *lsn <= done) {
            let took = u64::try_from((now - *since).as_millis()).unwrap_or(u64::MAX);
            self.took.push_back((now, took));
            self.waiting.pop_front();
        }
        while self.took.front().is_some_and(|(at, _)| now - *at > LATENCY_OVER)
            || self.took.len() > MARKS_MAX
        {
            self.took.pop_front();
        }
    }

    fn latency(&self) -> Option<Latency> {
        let mut all: Vec<u64> = self.took.iter().map(|(_, took)| *took).collect();
        all.sort_unstable();
        let at = |percent: usize| all.get((all.len().saturating_sub(1)) * percent / 100).copied();
        Some(Latency { p50: at(50)?, p99: at(99)? })
    }
}

/// Records by tenant and feed.
type ByFeed = HashMap<(String, String), u64>;

#[derive(Debug, Default)]
struct Seen {
    /// One a step, the newest last.
    steps: VecDeque<Reading>,
    /// Since the rates' time.
    recent: VecDeque<Reading>,
    visible: Lag,
    judged: Lag,
    /// Records by tenant and feed, one a second, since the rates' time.
    feeds: VecDeque<(Instant, ByFeed)>,
}

/// What the thread has seen.
#[derive(Debug)]
pub struct Gauge {
    seen: Mutex<Seen>,
    stop: AtomicBool,
    began: Micros,
    /// When it began, by the platform's clock.
    began_platform: Micros,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Gauge {
    /// Begins to look at `node`.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(node: &Arc<Node>) -> std::io::Result<Arc<Self>> {
        let gauge = Arc::new(Self {
            seen: Mutex::default(),
            stop: AtomicBool::new(false),
            began: SystemClock.now(),
            began_platform: node.intake().clock().now(),
            thread: Mutex::default(),
        });
        let (it, node) = (Arc::clone(&gauge), Arc::clone(node));
        let thread = std::thread::Builder::new().name("gauge".to_owned()).spawn(move || {
            while !it.stop.load(Ordering::Acquire) {
                it.look(&node);
                std::thread::sleep(LOOK);
            }
        })?;
        *gauge.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(gauge)
    }

    /// Ends the thread; the node is not its any more then.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It has nothing to say.
            let _ = thread.join();
        }
    }

    /// When the process began, by the wall clock.
    pub fn began(&self) -> Micros {
        self.began
    }

    /// When it began, by the platform's clock.
    pub fn began_platform(&self) -> Micros {
        self.began_platform
    }

    fn look(&self, node: &Node) {
        let (durable, state) = (node.journal().durable().0, node.progress().read());
        let at = Instant::now();
        let reading = Reading { at, records: state.records, matches: state.matches };
        let mut seen = self.lock();
        seen.visible.look(durable, state.visible_lsn, at);
        seen.judged.look(durable, state.judge_lsn, at);
        seen.recent.push_back(reading);
        while seen.recent.front().is_some_and(|first| at - first.at > RATE_OVER) {
            seen.recent.pop_front();
        }
        if seen.steps.back().is_none_or(|last| at - last.at >= STEP) {
            seen.steps.push_back(reading);
            if seen.steps.len() > STEPS + 1 {
                seen.steps.pop_front();
            }
        }
        if seen.feeds.back().is_none_or(|(last, _)| at - *last >= FEEDS_LOOK) {
            let arrivals = node.intake().arrivals().all().into_iter();
            let records = arrivals.map(|(tenant, feed, one)| ((tenant, feed), one.records));
            seen.feeds.push_back((at, records.collect()));
            while seen.feeds.front().is_some_and(|(first, _)| at - *first > RATE_OVER) {
                seen.feeds.pop_front();
            }
        }
    }

    /// Rates of the last ten seconds.
    pub fn rates(&self) -> Rates {
        let seen = self.lock();
        let (Some(first), Some(last)) = (seen.recent.front(), seen.recent.back()) else {
            return Rates::default();
        };
        let seconds = (last.at - first.at).as_secs_f64();
        if seconds < 0.5 {
            return Rates::default();
        }
        let rate = |from: u64, to: u64| (to - from) as f64 / seconds;
        let records = rate(first.records, last.records);
        Rates {
            records_per_s: records,
            events_per_s: records,
            matches_per_s: rate(first.matches, last.matches),
        }
    }

    /// Records a second of a feed, over the last ten seconds.
    pub fn feed_rate(&self, tenant: &str, feed: &str) -> f64 {
        let seen = self.lock();
        let (Some(first), Some(last)) = (seen.feeds.front(), seen.feeds.back()) else { return 0.0 };
        let key = (tenant.to_owned(), feed.to_owned());
        let of = |records: &ByFeed| records.get(&key).copied().unwrap_or_default();
        let seconds = (last.0 - first.0).as_secs_f64();
        if seconds < 0.5 { 0.0 } else { (of(&last.1) - of(&first.1)) as f64 / seconds }
    }

    /// The last ten minutes, as of `now` on the platform's clock.
    pub fn series(&self, now: Micros) -> Series {
        let seen = self.lock();
        let pairs = || seen.steps.iter().zip(seen.steps.iter().skip(1));
        let step_ms = u64::try_from(STEP.as_millis()).unwrap_or(u64::MAX);
        let length = seen.steps.front().map_or(Duration::ZERO, |first| first.at.elapsed());
        let length = Micros::try_from(length.as_micros()).unwrap_or(Micros::MAX);
        Series {
            start_time_dt: rfc3339(now.saturating_sub(length)),
            step_ms,
            records: pairs().map(|(from, to)| to.records - from.records).collect(),
            matches: pairs().map(|(from, to)| to.matches - from.matches).collect(),
        }
    }

    /// From durable to visible, and from durable to judged, of the last minute.
    pub fn latencies(&self) -> (Option<Latency>, Option<Latency>) {
        let seen = self.lock();
        (seen.visible.latency(), seen.judged.latency())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_latency_is_from_durable_to_done() {
        let (mut lag, start) = (Lag::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        lag.look(10, 0, at(0));
        lag.look(10, 0, at(50));
        lag.look(20, 9, at(100));
        assert_eq!(lag.latency(), None);
        lag.look(20, 10, at(300));
        lag.look(20, 20, at(400));
        assert_eq!(lag.latency(), Some(Latency { p50: 300, p99: 300 }));
        // What was done before it was looked at took no time that is known.
        lag.look(30, 30, at(500));
        assert_eq!(lag.took.len(), 2);
        lag.look(30, 30, at(70_000));
        assert_eq!(lag.latency(), None);
    }
}
