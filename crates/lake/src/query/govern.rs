//! All queries together: how many run, how much memory they share, which run now.
//!
//! ```text
//! admit ─> wait for a place (bounded in number and time) ─> Ticket ─> work ─> ended
//!                                                             │
//!                         list, cancel <── by id, in scope ───┘
//! ```
//!
//! A place is let go when the last piece of the query's work has ended, not when its caller has
//! left: planning that nobody waits for any more still counts.

use crate::error::LakeError;
use crate::query::stop::Stop;
use crate::sql::SqlLimits;
use datafusion::common::Result;
use datafusion::execution::memory_pool::{
    FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use yagura_event::TenantScope;

/// Queries that have ended and are still listed; older ones are forgotten.
pub const ENDED_MAX: usize = 100;

/// Characters of a query's text in lists.
pub const TEXT_CHARS_MAX: usize = 1_000;

/// What all queries together, and each of them, may use.
#[derive(Clone, Debug)]
pub struct QueryLimits {
    /// Bytes of memory of all queries together; each may use an equal part of it, so that one
    /// never fails for what the others use.
    pub memory_bytes: usize,
    /// Queries that run at once.
    pub concurrent: usize,
    /// Queries that wait for a place; more are refused at once.
    pub waiting: usize,
    /// Most milliseconds that one waits.
    pub wait_ms: u64,
    /// Most milliseconds that one runs.
    pub time_ms: u64,
    /// Most rows of an answer.
    pub rows_max: usize,
    /// Bytes on disk of all queries together; each may use an equal part.
    pub spill_bytes: u64,
    /// Where sorts, groups and joins beyond the memory go; `None` lets such queries fail.
    pub spill_dir: Option<PathBuf>,
}

impl Default for QueryLimits {
    /// 1 GiB for four queries, 32 waiting for 10 s, 60 s, 1,000,000 rows, nothing on disk.
    fn default() -> Self {
        Self {
            memory_bytes: 1 << 30,
            concurrent: 4,
            waiting: 32,
            wait_ms: 10_000,
            time_ms: 60_000,
            rows_max: 1_000_000,
            spill_bytes: 8 << 30,
            spill_dir: None,
        }
    }
}

/// Where a query is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum QueryPhase {
    /// It waits for a place.
    Waiting,
    /// It is planned or runs.
    Running,
    /// It has ended.
    Ended,
}

/// One query as lists show it.
#[derive(Clone, Debug, Serialize)]
pub struct QueryState {
    /// Its id.
    pub id: String,
    /// `sql`, `pipe` or `search`.
    pub kind: &'static str,
    /// Its text, cut.
    pub text: String,
    /// The tenant it is confined to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Where it is.
    pub state: QueryPhase,
    /// Milliseconds since it was asked, or that it took.
    pub ms: u64,
    /// Rows answered so far.
    pub rows: u64,
    /// Bytes of memory in use for sorts, joins, groups and results.
    pub memory_bytes: usize,
    /// `ok` or the code of what ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'static str>,
    /// What ended it, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Admits queries and knows those that run.
#[derive(Debug)]
pub struct Governor {
    limits: QueryLimits,
    places: Arc<Semaphore>,
    share: Arc<Share>,
    waiting: AtomicUsize,
    next: AtomicU64,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    running: BTreeMap<u64, Arc<Entry>>,
    ended: VecDeque<(TenantScope, QueryState)>,
}

/// Bytes in use by all queries.
#[derive(Debug, Default)]
struct Share {
    used: AtomicUsize,
    peak: AtomicUsize,
}

impl Share {
    fn add(&self, bytes: usize) {
        let used = self.used.fetch_add(bytes, Relaxed) + bytes;
        self.peak.fetch_max(used, Relaxed);
    }
}

#[derive(Debug)]
struct Entry {
    scope: TenantScope,
    kind: &'static str,
    text: String,
    began: Instant,
    phase: AtomicU8,
    rows: AtomicU64,
    pool: Arc<QueryPool>,
    stop: Stop,
}

/// A query's part of the memory.
#[derive(Debug)]
struct QueryPool {
    own: FairSpillPool,
    share: Arc<Share>,
}

impl fmt::Display for QueryPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("query's share")
    }
}

impl MemoryPool for QueryPool {
    fn name(&self) -> &str {
        "query"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.own.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.own.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.own.grow(reservation, additional);
        self.share.add(additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.own.shrink(reservation, shrink);
        self.share.used.fetch_sub(shrink, Relaxed);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.own.try_grow(reservation, additional)?;
        self.share.add(additional);
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.own.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.own.memory_limit()
    }
}

impl Governor {
    /// Admits queries within `limits`.
    pub fn new(limits: QueryLimits) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(limits.concurrent.max(1)));
        let (waiting, next) = (AtomicUsize::new(0), AtomicU64::new(1));
        let (share, known) = (Arc::default(), Mutex::default());
        Arc::new(Self { limits, places, share, waiting, next, known })
    }

    /// What they may use.
    pub fn limits(&self) -> &QueryLimits {
        &self.limits
    }

    /// Most bytes that all queries together have had reserved at a time.
    pub fn peak_bytes(&self) -> usize {
        self.share.peak.load(Relaxed)
    }

    /// Bytes that all queries together have reserved.
    pub fn used_bytes(&self) -> usize {
        self.share.used.load(Relaxed)
    }

    /// Places that are taken, also by work that nobody waits for any more.
    pub fn places_taken(&self) -> usize {
        self.limits.concurrent.max(1).saturating_sub(self.places.available_permits())
    }

    /// A place for a query, when there is one. Its time begins with it.
    ///
    /// # Errors
    /// [`LakeError::Busy`] where too many wait or it waited too long, and what
    /// [`Governor::cancel`] brings.
    pub async fn admit(
        self: &Arc<Self>,
        scope: &TenantScope,
        kind: &'static str,
        text: &str,
    ) -> std::result::Result<Ticket, LakeError> {
        let ticket = self.listed(scope, kind, text);
        let admitted = ticket.wait().await;
        match admitted {
            Ok(()) => Ok(ticket),
            Err(error) => {
                ticket.ended(Err(&error));
                Err(error)
            }
        }
    }

    fn listed(self: &Arc<Self>, scope: &TenantScope, kind: &'static str, text: &str) -> Ticket {
        let memory = self.limits.memory_bytes / self.limits.concurrent.max(1);
        let own = FairSpillPool::new(memory);
        let entry = Arc::new(Entry {
            scope: scope.clone(),
            kind,
            text: text.chars().take(TEXT_CHARS_MAX).collect(),
            began: Instant::now(),
            phase: AtomicU8::new(0),
            rows: AtomicU64::new(0),
            pool: Arc::new(QueryPool { own, share: Arc::clone(&self.share) }),
            stop: Stop::after(self.limits.wait_ms.saturating_add(self.limits.time_ms)),
        });
        let number = self.next.fetch_add(1, Relaxed);
        self.known().running.insert(number, Arc::clone(&entry));
        Ticket(Arc::new(Place { governor: Arc::clone(self), number, entry }))
    }

    /// The queries of a scope: those that run, then those that ended, the newest first.
    pub fn list(&self, scope: &TenantScope) -> Vec<QueryState> {
        let known = self.known();
        let running = known.running.iter().rev().filter(|(_, entry)| scope.covers(&entry.scope));
        let running = running.map(|(number, entry)| entry.state(*number));
        let ended = known.ended.iter().filter(|(own, _)| scope.covers(own));
        running.chain(ended.map(|(_, state)| state.clone())).collect()
    }

    /// One query of a scope.
    pub fn find(&self, scope: &TenantScope, id: &str) -> Option<QueryState> {
        self.list(scope).into_iter().find(|state| state.id == id)
    }

    /// Stops a query of a scope; whether there is one that has not ended.
    pub fn cancel(&self, scope: &TenantScope, id: &str) -> bool {
        let known = self.known();
        let found = known.running.iter().find(|(number, _)| id_of(**number) == id);
        let found = found.filter(|(_, entry)| scope.covers(&entry.scope));
        found.inspect(|(_, entry)| entry.stop.cancel()).is_some()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn id_of(number: u64) -> String {
    format!("q{number}")
}

impl Entry {
    fn state(&self, number: u64) -> QueryState {
        let waits = self.phase.load(Relaxed) == 0;
        QueryState {
            id: id_of(number),
            kind: self.kind,
            text: self.text.clone(),
            tenant: self.scope.tenant().map(ToString::to_string),
            state: if waits { QueryPhase::Waiting } else { QueryPhase::Running },
            ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            rows: self.rows.load(Relaxed),
            memory_bytes: self.pool.reserved(),
            outcome: None,
            detail: None,
        }
    }
}

/// A query's place among the others. Dropped without an end it counts as cancelled.
#[derive(Clone, Debug)]
pub struct Ticket(Arc<Place>);

#[derive(Debug)]
struct Place {
    governor: Arc<Governor>,
    number: u64,
    entry: Arc<Entry>,
}

/// Takes one from the count of those that wait, however the waiting ends.
struct Waits<'g>(&'g AtomicUsize);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Ticket {
    async fn wait(&self) -> std::result::Result<(), LakeError> {
        let governor = &self.0.governor;
        let limits = &governor.limits;
        let places = Arc::clone(&governor.places);
        let permit = match Arc::clone(&places).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let before = governor.waiting.fetch_add(1, Relaxed);
                let _waits = Waits(&governor.waiting);
                let running = limits.concurrent;
                if before >= limits.waiting {
                    let text = format!("{running} queries run and {before} wait; repeat later");
                    return Err(LakeError::Busy(text));
                }
                let wait = Duration::from_millis(limits.wait_ms);
                tokio::select! {
                    permit = tokio::time::timeout(wait, places.acquire_owned()) => match permit {
                        Ok(Ok(permit)) => permit,
                        _ => {
                            let ms = limits.wait_ms;
                            let text = format!(
                                "{running} queries ran for the {ms} ms that this one waited; repeat later"
                            );
                            return Err(LakeError::Busy(text));
                        }
                    },
                    () = self.stop().told() => return Err(self.stop().why("")),
                }
            }
        };
        self.0.entry.phase.store(1, Relaxed);
        self.stop().begin(limits.time_ms);
        self.stop().hold(Box::new(permit));
        Ok(())
    }

    /// The query's id.
    pub fn id(&self) -> String {
        id_of(self.0.number)
    }

    /// The sign by which it stops.
    pub fn stop(&self) -> &Stop {
        &self.0.entry.stop
    }

    pub(crate) fn pool(&self) -> Arc<dyn MemoryPool> {
        Arc::clone(&self.0.entry.pool) as Arc<dyn MemoryPool>
    }

    /// What this query may use.
    pub fn limits(&self) -> SqlLimits {
        let all = &self.0.governor.limits;
        let parts = all.concurrent.max(1);
        SqlLimits {
            memory_bytes: all.memory_bytes / parts,
            rows_max: all.rows_max,
            time_ms: all.time_ms,
            spill_dir: all.spill_dir.clone(),
            spill_bytes: all.spill_bytes / parts as u64,
            ticket: Some(self.clone()),
            ..SqlLimits::default()
        }
    }

    pub(crate) fn counted(&self, rows: usize) {
        self.0.entry.rows.fetch_add(rows as u64, Relaxed);
    }

    /// Notes how it ended; the first note stays.
    pub fn ended(&self, how: std::result::Result<(), &LakeError>) {
        self.0.ended(how.map_err(|error| (error.code(), error.to_string())));
    }
}

impl Place {
    fn ended(&self, how: std::result::Result<(), (&'static str, String)>) {
        let mut known = self.governor.known();
        let Some(entry) = known.running.remove(&self.number) else { return };
        let mut state = entry.state(self.number);
        state.state = QueryPhase::Ended;
        (state.outcome, state.detail) = match how {
            Ok(()) => (Some("ok"), None),
            Err((code, text)) => (Some(code), Some(text)),
        };
        known.ended.push_front((entry.scope.clone(), state));
        known.ended.truncate(ENDED_MAX);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.entry.stop.cancel();
        self.ended(Err(("query_cancelled", "nobody waits for it any more".to_owned())));
    }
}
