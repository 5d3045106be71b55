//! Records parsed again as a job: partition after partition, one job at a time.
//!
//! ```text
//! sources read anew ─> all before is in files ─> for each partition, the newest day first:
//!                                                  Order ─> lake thread ─> rewrite ─> two commits
//! ```
//! What is left is kept after each: a job that the process did not end goes on with the next server.

use crate::node::Node;
use crate::node::backend::NodeBackend;
use crate::node::phase::Phase;
use crate::node::reparse_left::Left;
use crate::pipeline::orders::Order;
use crate::reparse::{Again, Pulse};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use yagura_api::model::{Reparse, ReparseCost, ReparseRequest};
use yagura_api::{ApiError, Kind, Reparses};
use yagura_event::time::{DAY, parse_rfc3339, rfc3339};
use yagura_event::{Clock, SystemClock};
use yagura_lake::Partition;
use yagura_lake::past::{Classes, Past, PastCost, past_partitions};

/// How often a job looks whether it is to end.
const LOOK: Duration = Duration::from_millis(100);

/// The last job.
#[derive(Default)]
pub struct ReparseJobs(Mutex<Option<Arc<Job>>>);

struct Job {
    days: (i32, i32),
    cost: ReparseCost,
    began: Instant,
    pulse: Arc<Pulse>,
    /// Whether somebody wants no more of it.
    given_up: AtomicBool,
    progress: Mutex<Progress>,
}

struct Progress {
    phase: Phase,
    left: Left,
    took_ms: Option<u64>,
    failure: Option<(&'static str, String)>,
}

/// Why a job ends before its end.
enum Ended {
    Cancelled,
    Failed(&'static str, String),
}

impl ReparseJobs {
    fn last(&self) -> MutexGuard<'_, Option<Arc<Job>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops what is under way.
    pub fn stop(&self) {
        if let Some(job) = &*self.last() {
            job.pulse.cancelled.store(true, Relaxed);
        }
    }
}

impl Job {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> Reparse {
        let progress = self.progress();
        let (code, detail) = match &progress.failure {
            Some((code, detail)) => (Some((*code).to_owned()), Some(detail.clone())),
            None => (None, None),
        };
        let under_way = if progress.phase.is_over() { 0 } else { self.pulse.records.load(Relaxed) };
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Reparse {
            state: progress.phase.name().to_owned(),
            asked: progress.left.asked.clone(),
            cost: self.cost,
            partitions_done: progress.left.done.len() as u64,
            records: progress.left.records + under_way,
            ms: progress.took_ms.unwrap_or(ms),
            by: progress.left.by.clone(),
            time_dt: progress.left.time_dt.clone(),
            code,
            detail,
        }
    }

    /// Runs to the end on this thread.
    fn run(&self, node: &Node) {
        self.progress().phase = Phase::Running;
        let ended = self.walk(node);
        let goes_on = matches!(ended, Err(Ended::Cancelled)) && !self.given_up.load(Relaxed);
        if !goes_on && let Err(error) = Left::forget(node.data()) {
            tracing::warn!(%error, "a job that is over begins again with the next start");
        }
        let mut progress = self.progress();
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        progress.took_ms = Some(ms);
        progress.phase = match ended {
            Ok(()) => Phase::Done,
            Err(Ended::Cancelled) => Phase::Cancelled,
            Err(Ended::Failed(code, why)) => {
                progress.failure = Some((code, why));
                Phase::Failed
            }
        };
        let (records, state) = (progress.left.records, progress.phase.name());
        tracing::info!(records, state, by = progress.left.by, "records were parsed again");
    }

    fn walk(&self, node: &Node) -> Result<(), Ended> {
        // What earlier sources parsed is in files from here on.
        let durable = node.journal().durable();
        node.progress().wait_committed(durable).map_err(|why| Ended::Failed("pipeline", why))?;
        let left = self.progress().left.clone();
        let mut partitions = partitions(node, &left.asked, self.days);
        partitions.retain(|partition, _| !left.done.contains(partition));
        for (partition, cost) in partitions.into_iter().rev() {
            if self.is_to_end(node) {
                return Err(Ended::Cancelled);
            }
            let free = node.guard().reading().free_bytes;
            if free < cost.bytes || !node.guard().may_compact() {
                let text = format!(
                    "a partition of {} bytes is written anew beside the old one, and {free} bytes are \
                     free; make room and repeat",
                    cost.bytes
                );
                return Err(Ended::Failed("reparse_disk", text));
            }
            self.parse(node, partition)?;
            let mut progress = self.progress();
            progress.left.done.insert(partition);
            progress.left.records += self.pulse.records.swap(0, Relaxed);
            let left = progress.left.clone();
            drop(progress);
            let full = |error| Ended::Failed("reparse_disk", format!("how far it is: {error}"));
            left.keep(node.data()).map_err(full)?;
        }
        Ok(())
    }

    fn parse(&self, node: &Node, partition: Partition) -> Result<(), Ended> {
        let with = Box::new(Again {
            engine: node.engine(),
            journal: node.journal().clone(),
            poisoned: node.flight.poisoned().collect(),
            pulse: Arc::clone(&self.pulse),
            progress: Arc::clone(node.progress()),
            contexts: BTreeMap::new(),
        });
        let (done, told) = channel();
        node.orders.put(Order { partition, with, done });
        match self.wait(node, &told) {
            Ok(()) => Ok(()),
            Err(_) if self.is_to_end(node) => Err(Ended::Cancelled),
            Err(why) => Err(Ended::Failed("reparse_failed", why)),
        }
    }

    fn wait(&self, node: &Node, told: &Receiver<Result<(), String>>) -> Result<(), String> {
        loop {
            match told.recv_timeout(LOOK) {
                Ok(done) => return done,
                Err(RecvTimeoutError::Disconnected) => return Err("nobody took it".to_owned()),
                // What has begun ends by itself, and says so.
                Err(RecvTimeoutError::Timeout) if self.is_to_end(node) => {
                    if node.orders.take().is_some() || node.progress().read().failure.is_some() {
                        return Err("it was not begun".to_owned());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn is_to_end(&self, node: &Node) -> bool {
        self.pulse.cancelled.load(Relaxed) || node.progress().stopping()
    }
}

/// The partitions that are asked for, the newest day last.
fn partitions(
    node: &Node,
    asked: &ReparseRequest,
    (from, until): (i32, i32),
) -> BTreeMap<Partition, PastCost> {
    let sources = asked.sources.iter().map(|name| (name.clone(), Classes::All)).collect();
    let sources = (!asked.sources.is_empty()).then_some(sources);
    let mut all = past_partitions(&node.lake().view(), &Past { sources, ..Past::default() });
    all.retain(|(day, _), _| (from..=until).contains(day));
    all
}

fn cost_of(partitions: &BTreeMap<Partition, PastCost>) -> ReparseCost {
    let sum = |of: fn(&PastCost) -> u64| partitions.values().map(of).sum();
    ReparseCost {
        partitions: partitions.len() as u64,
        files: sum(|cost| cost.files),
        records: sum(|cost| cost.records),
        bytes: sum(|cost| cost.bytes),
        largest_bytes: partitions.values().map(|cost| cost.bytes).max().unwrap_or_default(),
    }
}

fn invalid(code: &'static str, text: String) -> ApiError {
    ApiError::new(Kind::Invalid, code, text)
}

/// First and last day since 1970.
fn days(asked: &ReparseRequest) -> Result<(i32, i32), ApiError> {
    let day = |name: &str, text: &Option<String>, absent: i32| {
        let Some(text) = text else { return Ok(absent) };
        let midnight = parse_rfc3339(&format!("{text}T00:00:00Z"));
        let day = midnight.and_then(|time| i32::try_from(time.div_euclid(DAY)).ok());
        let wrong = || format!("{name} is a day of receipt such as 2026-11-02");
        day.ok_or_else(|| invalid("day", wrong()))
    };
    Ok((day("from", &asked.from, i32::MIN)?, day("until", &asked.until, i32::MAX)?))
}

impl NodeBackend {
    /// Goes on with the job that the last process left, if it did.
    ///
    /// # Errors
    /// What is left cannot be read, or asks for what is no more.
    pub fn resume_reparse(&self) -> anyhow::Result<()> {
        let Some(left) = Left::read(self.node().data())? else { return Ok(()) };
        let told = |error: ApiError| anyhow::anyhow!("{}", error.message);
        self.known_sources(&left.asked).map_err(told)?;
        let days = days(&left.asked).map_err(told)?;
        self.start(&mut self.governed().reparses().last(), left, days);
        Ok(())
    }

    /// Begins what is left of a job.
    fn start(&self, last: &mut Option<Arc<Job>>, left: Left, days: (i32, i32)) -> Reparse {
        let phase = Phase::Waiting;
        let job = Arc::new(Job {
            cost: cost_of(&partitions(self.node(), &left.asked, days)),
            days,
            began: Instant::now(),
            pulse: Arc::default(),
            given_up: AtomicBool::new(false),
            progress: Mutex::new(Progress { phase, left, took_ms: None, failure: None }),
        });
        *last = Some(Arc::clone(&job));
        let (state, node) = (job.state(), Arc::clone(self.node()));
        self.governed().handle().spawn_blocking(move || {
            let node = node;
            job.run(&node);
        });
        state
    }

    fn known_sources(&self, asked: &ReparseRequest) -> Result<(), ApiError> {
        let engine = self.node().engine();
        let known = |name: &&String| engine.names().sources.contains(*name);
        match asked.sources.iter().find(|name| !known(name)) {
            None => Ok(()),
            Some(name) => {
                let text = format!(
                    "no source {name} is defined; of one that is no more, name none: then all \
                     partitions are parsed again"
                );
                Err(invalid("source_unknown", text))
            }
        }
    }
}

impl Reparses for NodeBackend {
    fn reparse_cost(&self, asked: &ReparseRequest) -> Result<ReparseCost, ApiError> {
        self.known_sources(asked)?;
        Ok(cost_of(&partitions(self.node(), asked, days(asked)?)))
    }

    fn begin_reparse(&self, asked: ReparseRequest, by: &str) -> Result<Reparse, ApiError> {
        let days = days(&asked)?;
        let mut last = self.governed().reparses().last();
        if last.as_ref().is_some_and(|job| !job.progress().phase.is_over()) {
            let text = "records are being parsed again; wait for it, or stop it";
            return Err(ApiError::new(Kind::TooMany, "reparse_busy", text));
        }
        // Whoever changed a definition means it as it is now.
        let reloaded = self.node().reload_rules_now();
        reloaded.map_err(|error| invalid("sources_invalid", format!("{error:#}")))?;
        self.known_sources(&asked)?;
        let (by, time_dt) = (by.to_owned(), rfc3339(SystemClock.now()));
        let left = Left { asked, by, time_dt, done: BTreeSet::new(), records: 0 };
        left.keep(self.node().data()).map_err(ApiError::internal)?;
        Ok(self.start(&mut last, left, days))
    }

    fn reparse(&self) -> Option<Reparse> {
        self.governed().reparses().last().as_ref().map(|job| job.state())
    }

    fn end_reparse(&self) -> Result<(), ApiError> {
        match &*self.governed().reparses().last() {
            Some(job) if !job.progress().phase.is_over() => {
                job.given_up.store(true, Relaxed);
                job.pulse.cancelled.store(true, Relaxed);
                Ok(())
            }
            _ => {
                let text = "nothing is being parsed again";
                Err(ApiError::new(Kind::NotFound, "reparse_none", text))
            }
        }
    }
}
