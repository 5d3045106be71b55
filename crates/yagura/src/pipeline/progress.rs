//! Where the pipeline is: positions, the funnel's counters, failure; shared and waited on.

use crate::pipeline::work::Done;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use yagura_event::Lsn;

/// Shared by the threads, the API and whoever waits for a position.
#[derive(Debug, Default)]
pub struct Progress {
    stop: AtomicBool,
    flush: AtomicBool,
    held: AtomicBool,
    records: AtomicU64,
    events: AtomicU64,
    matches: AtomicU64,
    state: Mutex<State>,
    changed: Condvar,
    /// Entry up to which findings are committed, for those who are to be woken.
    found: watch::Sender<u64>,
}

#[derive(Clone, Debug, Default)]
struct State {
    lake: Lsn,
    lake_applied: Lsn,
    judge: Lsn,
    failure: Option<String>,
    trouble: Option<String>,
    /// Tenants of whom the lake holds nothing from up to an entry.
    erased: BTreeMap<String, Lsn>,
}

/// A reading of the counters since the process began.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Reading {
    /// Records that went through.
    pub records: u64,
    /// Events they became.
    pub events: u64,
    /// Matches of rules.
    pub matches: u64,
    /// Entry up to which rows are visible.
    pub visible_lsn: u64,
    /// Entry up to which the tables are committed.
    pub lake_lsn: u64,
    /// Entry up to which findings are committed.
    pub judge_lsn: u64,
    /// Why the pipeline stopped.
    pub failure: Option<String>,
    /// What is being tried again.
    pub trouble: Option<String>,
}

impl Progress {
    /// Progress of a pipeline whose consumers are at these positions.
    pub fn at(lake: Lsn, judge: Lsn) -> Self {
        let progress = Self::default();
        *progress.lock() = State { lake, lake_applied: lake, judge, ..State::default() };
        progress.found.send_replace(judge.0);
        progress
    }

    /// Asks the threads to end after what is durable.
    pub fn request_stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// Whether to end.
    pub fn stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Asks the lake to write its tail out soon.
    pub fn request_flush(&self) {
        self.flush.store(true, Ordering::Release);
    }

    /// Whether the journal is not to be cut, since it is being copied.
    pub fn hold_journal(&self, held: bool) {
        self.held.store(held, Ordering::SeqCst);
    }

    pub(crate) fn journal_is_held(&self) -> bool {
        self.held.load(Ordering::SeqCst)
    }

    pub(crate) fn take_flush_request(&self) -> bool {
        self.flush.swap(false, Ordering::AcqRel)
    }

    /// Notes a failure that ends the pipeline; the first stays.
    pub fn fail(&self, why: &str) {
        tracing::error!(why, "the pipeline stopped");
        self.lock().failure.get_or_insert_with(|| why.to_owned());
        self.changed.notify_all();
    }

    /// Notes that the lake holds nothing of a tenant from up to an entry.
    pub(crate) fn note_lake_erased(&self, tenant: &str, lsn: Lsn) {
        self.lock().erased.insert(tenant.to_owned(), lsn);
    }

    /// Up to which entry the lake holds nothing of a tenant from.
    pub(crate) fn lake_erased(&self, tenant: &str) -> Lsn {
        self.lock().erased.get(tenant).copied().unwrap_or_default()
    }

    pub(crate) fn lake_trouble(&self, why: &str) {
        self.lock().trouble = Some(why.to_owned());
        self.changed.notify_all();
    }

    pub(crate) fn lake_applied(&self, done: &Done) {
        let records = done.batch.events.len() as u64;
        self.records.fetch_add(records, Ordering::Relaxed);
        self.events.fetch_add(records, Ordering::Relaxed);
        self.matches.fetch_add(done.hits.len() as u64, Ordering::Relaxed);
        self.lock().lake_applied = done.last;
        self.changed.notify_all();
    }

    pub(crate) fn lake_committed(&self, lsn: Lsn) {
        let mut state = self.lock();
        (state.lake, state.trouble) = (lsn, None);
        drop(state);
        self.changed.notify_all();
    }

    pub(crate) fn judge_committed(&self, lsn: Lsn) {
        self.lock().judge = lsn;
        self.changed.notify_all();
        self.findings_committed(lsn);
    }

    /// Notes that findings are in the store up to an entry, from which incidents may not have been
    /// made yet.
    pub(crate) fn findings_committed(&self, lsn: Lsn) {
        self.found.send_replace(lsn.0);
    }

    /// The entry up to which findings are in the store; wakes who waits for it to change.
    pub fn findings(&self) -> watch::Receiver<u64> {
        self.found.subscribe()
    }

    /// The entry up to which both tables are committed.
    pub fn lake_checkpoint(&self) -> Lsn {
        self.lock().lake
    }

    /// The counters.
    pub fn read(&self) -> Reading {
        let state = self.lock().clone();
        Reading {
            records: self.records.load(Ordering::Relaxed),
            events: self.events.load(Ordering::Relaxed),
            matches: self.matches.load(Ordering::Relaxed),
            visible_lsn: state.lake_applied.0,
            lake_lsn: state.lake.0,
            judge_lsn: state.judge.0,
            failure: state.failure,
            trouble: state.trouble,
        }
    }

    /// Waits until lake and judge have committed `lsn`.
    ///
    /// # Errors
    /// The pipeline's failure.
    pub fn wait_committed(&self, lsn: Lsn) -> Result<(), String> {
        let mut state = self.lock();
        loop {
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            if state.lake >= lsn && state.judge >= lsn {
                return Ok(());
            }
            if state.lake < lsn && state.lake_applied >= lsn {
                self.request_flush();
            }
            let wait = self.changed.wait_timeout(state, Duration::from_millis(100));
            state = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until rows up to `lsn` are visible and findings committed: a reopened directory
    /// then answers as if it had never been closed.
    ///
    /// # Errors
    /// The pipeline's failure.
    pub fn wait_caught_up(&self, lsn: Lsn) -> Result<(), String> {
        self.wait(|state| state.judge >= lsn && state.lake_applied >= lsn)
    }

    /// Waits until the judge has committed `lsn`.
    ///
    /// # Errors
    /// The pipeline's failure.
    pub fn wait_judged(&self, lsn: Lsn) -> Result<(), String> {
        self.wait(|state| state.judge >= lsn)
    }

    fn wait(&self, reached: impl Fn(&State) -> bool) -> Result<(), String> {
        let mut state = self.lock();
        loop {
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            if reached(&state) {
                return Ok(());
            }
            let wait = self.changed.wait_timeout(state, Duration::from_millis(100));
            state = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
