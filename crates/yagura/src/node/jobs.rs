//! Searches in the background: file by file from the newest back, with progress and what was found
//! so far.

use crate::node::phase::Phase;
use crate::node::queries::refused;
use crate::node::search::{self, Form as SearchForm};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use yagura_api::{ApiError, JobRows, Kind, SearchRequest};
use yagura_event::{Micros, TenantScope};
use yagura_lake::query::Stop;
use yagura_lake::search::rows::page;
use yagura_lake::search::run::Wanted;
use yagura_lake::search::{Answer, Search, Shown};
use yagura_lake::{Governor, LakeError, LakeView};

/// Searches that are kept with what they found; the oldest that has ended makes room.
pub const JOBS_MAX: usize = 16;

/// Searches that walk files at once; the others wait. Each takes a place of a query while it reads
/// a file.
pub const JOBS_AT_ONCE: usize = 2;

/// Most events of one search, where its request names no other limit.
pub const JOB_EVENTS_MAX: usize = 10_000;

/// Most bytes of one search's events in memory; it ends there and says so.
pub const JOB_BYTES_MAX: usize = 32 * 1024 * 1024;

/// How long a search waits before it asks again for a place among the queries.
const AGAIN: std::time::Duration = std::time::Duration::from_millis(500);

/// All searches in the background.
pub struct Jobs {
    handle: Handle,
    governor: Arc<Governor>,
    turns: Arc<Semaphore>,
    next: AtomicU64,
    known: Mutex<BTreeMap<u64, Arc<Job>>>,
}

struct Job {
    scope: TenantScope,
    request: SearchRequest,
    asked: Search,
    form: SearchForm,
    shown: Option<Vec<Shown>>,
    limit: usize,
    began: Instant,
    progress: Mutex<Progress>,
}

struct Progress {
    phase: Phase,
    files: usize,
    done: usize,
    pruned: u64,
    found: Vec<Answer>,
    rows: usize,
    bytes: usize,
    took_ms: Option<u64>,
    failure: Option<(&'static str, String)>,
    /// The sign of the step that runs.
    step: Option<Stop>,
}

impl Job {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cancel(&self) {
        let mut progress = self.progress();
        if !progress.phase.is_over() {
            progress.phase = Phase::Cancelled;
            progress.took_ms = Some(millis(self.began));
        }
        if let Some(step) = progress.step.take() {
            step.cancel();
        }
    }

    fn state(&self, number: u64) -> Value {
        let progress = self.progress();
        let mut state = json!({
            "id": id_of(number),
            "query": self.request.query,
            "state": progress.phase.name(),
            "files": progress.files,
            "files_done": progress.done,
            "files_passed_over": progress.pruned,
            "events": progress.rows,
            "ms": progress.took_ms.unwrap_or_else(|| millis(self.began)),
        });
        if let Some(tenant) = self.scope.tenant() {
            state["tenant"] = json!(tenant.to_string());
        }
        if let Some((code, detail)) = &progress.failure {
            state["code"] = json!(code);
            state["detail"] = json!(detail);
        }
        state
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn id_of(number: u64) -> String {
    format!("s{number}")
}

impl Jobs {
    /// No searches yet; those that come run on these threads.
    pub fn new(handle: Handle, governor: Arc<Governor>) -> Self {
        let turns = Arc::new(Semaphore::new(JOBS_AT_ONCE));
        Self { handle, governor, turns, next: AtomicU64::new(1), known: Mutex::default() }
    }

    /// Begins one.
    ///
    /// # Errors
    /// `Invalid` for a query that is wrong or sorts or counts, `TooMany` where [`JOBS_MAX`] are
    /// under way.
    pub fn begin(
        self: &Arc<Self>,
        view: &LakeView,
        scope: &TenantScope,
        request: SearchRequest,
        now: Micros,
    ) -> Result<Value, ApiError> {
        if request.count || request.sort.as_deref().is_some_and(|sort| sort != "-time") {
            let text = "a search in the background shows events from the newest back; leave sort and count out";
            return Err(ApiError::new(Kind::Invalid, "search_background", text));
        }
        let asked = search::checked(&request, now)
            .map_err(|no| ApiError::new(Kind::Invalid, no.fault.code, no.to_string()))?;
        let form = SearchForm::of(&request)?;
        let shown = asked.columns.clone().or_else(|| form.columns());
        let parts = view.newest_first();
        let job = Arc::new(Job {
            scope: scope.clone(),
            limit: request.limit.unwrap_or(JOB_EVENTS_MAX).min(JOB_EVENTS_MAX),
            request,
            asked,
            form,
            shown,
            began: Instant::now(),
            progress: Mutex::new(Progress {
                phase: Phase::Waiting,
                files: parts.len(),
                done: 0,
                pruned: 0,
                found: Vec::new(),
                rows: 0,
                bytes: 0,
                took_ms: None,
                failure: None,
                step: None,
            }),
        });
        let number = self.next.fetch_add(1, Relaxed);
        self.remember(number, &job)?;
        let state = job.state(number);
        let (governor, turns) = (Arc::clone(&self.governor), Arc::clone(&self.turns));
        self.handle.spawn(async move {
            let _turn = turns.acquire_owned().await;
            walk(&job, &governor, parts).await;
        });
        Ok(state)
    }

    fn remember(&self, number: u64, job: &Arc<Job>) -> Result<(), ApiError> {
        let mut known = self.known();
        if known.len() >= JOBS_MAX {
            let over = known.iter().find(|(_, job)| job.progress().phase.is_over());
            let Some(over) = over.map(|(number, _)| *number) else {
                let text = format!("{JOBS_MAX} searches are under way; stop one or repeat later");
                return Err(ApiError::new(Kind::TooMany, "searches_busy", text));
            };
            known.remove(&over);
        }
        known.insert(number, Arc::clone(job));
        Ok(())
    }

    /// Those of a scope, the newest first.
    pub fn list(&self, scope: &TenantScope) -> Vec<Value> {
        let known = self.known();
        let seen = known.iter().rev().filter(|(_, job)| scope.covers(&job.scope));
        seen.map(|(number, job)| job.state(*number)).collect()
    }

    /// How far one is.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn state(&self, scope: &TenantScope, id: &str) -> Result<Value, ApiError> {
        self.find(scope, id).map(|(number, job)| job.state(number))
    }

    /// What one has found from `cursor` on.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn rows(
        &self,
        scope: &TenantScope,
        id: &str,
        cursor: usize,
        limit: usize,
    ) -> Result<JobRows, ApiError> {
        let (_, job) = self.find(scope, id)?;
        let (rows, all) = {
            let progress = job.progress();
            let found: Vec<_> = progress.found.iter().map(|answer| answer.rows.clone()).collect();
            (page(&found, cursor, limit).map_err(refused)?, progress.rows)
        };
        let next = cursor.saturating_add(rows.num_rows()).min(all.max(cursor));
        let answer = Answer::of(rows);
        let body = job.form.write(&answer, job.shown.as_deref(), job.request.width)?;
        Ok(JobRows { body, next })
    }

    /// Stops one and forgets what it found.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn end(&self, scope: &TenantScope, id: &str) -> Result<(), ApiError> {
        let (number, job) = self.find(scope, id)?;
        job.cancel();
        self.known().remove(&number);
        Ok(())
    }

    /// Stops all.
    pub fn stop_all(&self) {
        for job in std::mem::take(&mut *self.known()).into_values() {
            job.cancel();
        }
    }

    fn find(&self, scope: &TenantScope, id: &str) -> Result<(u64, Arc<Job>), ApiError> {
        let known = self.known();
        let found =
            known.iter().find(|(number, job)| id_of(**number) == id && scope.covers(&job.scope));
        found.map(|(number, job)| (*number, Arc::clone(job))).ok_or_else(|| {
            ApiError::new(Kind::NotFound, "search_unknown", format!("there is no search {id}"))
        })
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Job>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn walk(job: &Job, governor: &Arc<Governor>, parts: Vec<Arc<LakeView>>) {
    let mut end = Phase::Done;
    for part in parts {
        let left = {
            let mut progress = job.progress();
            if progress.phase.is_over() {
                return;
            }
            progress.phase = Phase::Running;
            job.limit.saturating_sub(progress.rows)
        };
        match step(job, governor, part, left).await {
            Ok(true) => {}
            Ok(false) => {
                end = Phase::Full;
                break;
            }
            Err(error) => {
                job.progress().failure = Some((error.code(), error.to_string()));
                end = Phase::Failed;
                break;
            }
        }
    }
    let mut progress = job.progress();
    if !progress.phase.is_over() {
        progress.phase = end;
        progress.took_ms = Some(millis(job.began));
    }
}

/// Searches one file; false where there is no room for more events.
async fn step(
    job: &Job,
    governor: &Arc<Governor>,
    part: Arc<LakeView>,
    left: usize,
) -> Result<bool, LakeError> {
    let ticket = loop {
        match governor.admit(&job.scope, "search", &job.request.query).await {
            // A search in the background has time.
            Err(LakeError::Busy(_)) if !job.progress().phase.is_over() => {
                tokio::time::sleep(AGAIN).await;
            }
            admitted => break admitted?,
        }
    };
    {
        let mut progress = job.progress();
        if progress.phase.is_over() {
            ticket.stop().cancel();
        }
        progress.step = Some(ticket.stop().clone());
    }
    let wanted = match &job.shown {
        Some(shown) => Wanted::Columns(shown),
        None => Wanted::Event,
    };
    let asked = job.asked.limited(left);
    let scope = job.scope.clone();
    let found = yagura_lake::search::search(part, scope, &asked, wanted, &ticket.limits()).await;
    ticket.ended(found.as_ref().map(|_| ()));
    let mut progress = job.progress();
    progress.step = None;
    let found = found?;
    progress.done += 1;
    progress.pruned += found.pruned;
    let more = found.more;
    if found.rows.num_rows() > 0 {
        progress.rows += found.rows.num_rows();
        progress.bytes += found.rows.get_array_memory_size();
        progress.found.push(found);
    }
    Ok(!more && progress.rows < job.limit && progress.bytes < JOB_BYTES_MAX)
}
