//! Rules run over the past as jobs: one reads at a time, the others wait.

use crate::node::Node;
use crate::node::backend::NodeBackend;
use crate::node::phase::Phase;
use crate::retrospect::{Outcome, Retrospect, Span, files_of};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use yagura_api::model::{HuntedRule, List, PastFinding, Recorded, RuleHunt, RuleHuntCost};
use yagura_api::rule_hunts::{RuleHuntAsked, RuleHunts};
use yagura_api::{ApiError, Kind};
use yagura_detect::RuleSet;
use yagura_event::time::rfc3339;
use yagura_event::{Clock, Finding, Lsn, SystemClock, TenantName, TenantScope};
use yagura_journal::Entry;
use yagura_lake::LakeView;
use yagura_verdict::finding_json;

/// Runs that are kept with what they found; the oldest that has ended makes room.
pub const RULE_HUNTS_MAX: usize = 8;

/// Most bytes of rules of one request.
const RULES_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of findings that are journalled at once.
const GROUP_BYTES: usize = 4 * 1024 * 1024;

/// All runs.
pub struct RuleHuntJobs {
    handle: Handle,
    turn: Arc<Semaphore>,
    next: AtomicU64,
    known: Mutex<BTreeMap<u64, Arc<Job>>>,
}

struct Job {
    number: u64,
    scope: TenantScope,
    asked: RuleHuntAsked,
    cost: RuleHuntCost,
    began: Instant,
    time_dt: String,
    cancelled: AtomicBool,
    progress: Mutex<Progress>,
}

struct Progress {
    phase: Phase,
    files_done: u64,
    records: u64,
    matches: u64,
    outcome: Outcome,
    recorded: Option<u64>,
    took_ms: Option<u64>,
    failure: Option<(&'static str, String)>,
}

impl Job {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn is_over(&self) -> bool {
        self.progress().phase.is_over()
    }

    fn state(&self) -> RuleHunt {
        let progress = self.progress();
        let (code, detail) = match &progress.failure {
            Some((code, detail)) => (Some((*code).to_owned()), Some(detail.clone())),
            None => (None, None),
        };
        RuleHunt {
            id: id_of(self.number),
            state: progress.phase.name().to_owned(),
            tenant: self.scope.tenant().map(TenantName::to_string),
            from: self.asked.from.map(rfc3339),
            until: self.asked.until.map(rfc3339),
            cost: self.cost.clone(),
            files_done: progress.files_done,
            records: progress.records,
            matches: progress.matches,
            findings: progress.outcome.found,
            findings_kept: progress.outcome.findings.len() as u64,
            recorded: progress.recorded,
            ms: progress.took_ms.unwrap_or_else(|| self.ms()),
            by: self.asked.by.clone(),
            time_dt: self.time_dt.clone(),
            code,
            detail,
        }
    }

    /// Runs to the end on this thread.
    fn run(&self, node: &Node, view: &LakeView, what: &Retrospect) {
        {
            let mut progress = self.progress();
            if self.cancelled.load(Relaxed) {
                (progress.phase, progress.took_ms) = (Phase::Cancelled, Some(self.ms()));
                return;
            }
            progress.phase = Phase::Running;
        }
        let poisoned: BTreeSet<Lsn> = node.flight.poisoned().collect();
        let done = what.run(
            view,
            &self.scope,
            &|id| node.journal().context(id),
            &|lsn| poisoned.contains(&lsn),
            &|at, matches| {
                let mut progress = self.progress();
                (progress.files_done, progress.records) = (at.done, at.records);
                progress.matches = matches;
                !self.cancelled.load(Relaxed)
            },
        );
        let mut progress = self.progress();
        progress.took_ms = Some(self.ms());
        progress.phase = match done {
            Ok(outcome) => {
                let full = outcome.full;
                if !full {
                    progress.files_done = self.cost.files;
                }
                progress.matches = outcome.matches;
                progress.outcome = outcome;
                if full { Phase::Full } else { Phase::Done }
            }
            Err(_) if self.cancelled.load(Relaxed) => Phase::Cancelled,
            Err(error) => {
                progress.failure = Some((error.code(), error.to_string()));
                Phase::Failed
            }
        };
    }
}

fn id_of(number: u64) -> String {
    format!("r{number}")
}

impl RuleHuntJobs {
    /// No runs yet; those that come work on these threads.
    pub fn new(handle: Handle) -> Self {
        let turn = Arc::new(Semaphore::new(1));
        Self { handle, turn, next: AtomicU64::new(1), known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Job>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, scope: &TenantScope, id: &str) -> Result<Arc<Job>, ApiError> {
        let known = self.known();
        let found = known.values().find(|job| id_of(job.number) == id && scope.covers(&job.scope));
        found.cloned().ok_or_else(|| {
            let text = format!("there is no run {id}");
            ApiError::new(Kind::NotFound, "rule_hunt_unknown", text)
        })
    }

    fn remember(&self, job: &Arc<Job>) -> Result<(), ApiError> {
        let mut known = self.known();
        if known.len() >= RULE_HUNTS_MAX {
            let over = known.values().find(|job| job.is_over()).map(|job| job.number);
            let Some(over) = over else {
                let text = format!("{RULE_HUNTS_MAX} runs are under way; stop one or repeat later");
                return Err(ApiError::new(Kind::TooMany, "rule_hunts_busy", text));
            };
            known.remove(&over);
        }
        known.insert(job.number, Arc::clone(job));
        Ok(())
    }

    /// Stops all.
    pub fn stop_all(&self) {
        self.known().values().for_each(|job| job.cancelled.store(true, Relaxed));
    }
}

impl NodeBackend {
    /// What is asked for, ready to run.
    fn retrospect(&self, asked: &RuleHuntAsked) -> Result<Retrospect, ApiError> {
        let invalid = |code: &'static str, text: String| ApiError::new(Kind::Invalid, code, text);
        let force = self.node().in_force();
        let ids: BTreeSet<String> = asked.ids.iter().cloned().collect();
        let files = match (&asked.text, ids.is_empty()) {
            (Some(text), true) if text.len() > RULES_BYTES_MAX => {
                let text = format!("rules of more than {RULES_BYTES_MAX} bytes; run them in parts");
                return Err(invalid("rules_too_large", text));
            }
            (Some(text), true) => vec![("rules".to_owned(), text.clone())],
            (None, false) => {
                files_of(force.engine.rules(), &force.texts, &ids).map_err(|unknown| {
                    let text = format!("there is no rule {unknown} in force");
                    ApiError::new(Kind::NotFound, "rule_unknown", text)
                })?
            }
            _ => {
                let text = "name rules by `ids`, or give their text in `rules`";
                return Err(invalid("rules_missing", text.to_owned()));
            }
        };
        let set = RuleSet::load(files);
        if let Some(error) = set.errors.first().filter(|_| asked.text.is_some()) {
            let text = format!("line {}: {} ({})", error.line, error.message, error.code);
            return Err(invalid("rule_invalid", text));
        }
        if set.rules.is_empty() {
            return Err(invalid("rules_missing", "there is no rule in it".to_owned()));
        }
        let span = Span { from: asked.from, until: asked.until };
        Ok(Retrospect::new(force.engine.shared_sources(), set, ids, span))
    }

    fn cost_of(&self, scope: &TenantScope, view: &LakeView, what: &Retrospect) -> RuleHuntCost {
        let cost = what.cost(view, scope);
        let rule = |rule: &yagura_detect::RuleInfo| HuntedRule {
            id: rule.id.clone(),
            title: rule.title.clone(),
            level: rule.level.word().to_owned(),
            kind: rule.kind.word().to_owned(),
            version: rule.version.clone(),
        };
        RuleHuntCost {
            rules: what.rules().rules.iter().map(rule).collect(),
            sources: what.sources().cloned().collect(),
            files: cost.files,
            files_passed_over: cost.files_passed_over,
            records: cost.records,
            bytes: cost.bytes,
        }
    }

    /// Which of the findings the platform has.
    fn known_of(&self, scope: &TenantScope, found: &[Finding]) -> Result<Vec<bool>, ApiError> {
        let judge = self.node().judge().map_err(ApiError::internal)?;
        let known = |finding: &Finding| judge.finding(scope, finding.finding_id());
        let all = found.iter().map(|finding| known(finding).map(|known| known.is_some()));
        all.collect::<Result<_, _>>().map_err(ApiError::internal)
    }
}

impl RuleHunts for NodeBackend {
    fn rule_hunt_cost(
        &self,
        scope: &TenantScope,
        asked: RuleHuntAsked,
    ) -> Result<RuleHuntCost, ApiError> {
        let what = self.retrospect(&asked)?;
        Ok(self.cost_of(scope, &self.node().lake().view(), &what))
    }

    fn begin_rule_hunt(
        &self,
        scope: &TenantScope,
        asked: RuleHuntAsked,
    ) -> Result<RuleHunt, ApiError> {
        let what = self.retrospect(&asked)?;
        let view = self.node().lake().view();
        let jobs = self.governed().rule_hunts();
        let job = Arc::new(Job {
            number: jobs.next.fetch_add(1, Relaxed),
            scope: scope.clone(),
            cost: self.cost_of(scope, &view, &what),
            asked,
            began: Instant::now(),
            time_dt: rfc3339(SystemClock.now()),
            cancelled: AtomicBool::new(false),
            progress: Mutex::new(Progress {
                phase: Phase::Waiting,
                files_done: 0,
                records: 0,
                matches: 0,
                outcome: Outcome::default(),
                recorded: None,
                took_ms: None,
                failure: None,
            }),
        });
        jobs.remember(&job)?;
        let state = job.state();
        let (node, turn, handle) =
            (Arc::clone(self.node()), Arc::clone(&jobs.turn), jobs.handle.clone());
        jobs.handle.spawn(async move {
            let _turn = turn.acquire_owned().await;
            let work = handle.spawn_blocking(move || {
                job.run(&node, &view, &what);
                job
            });
            if let Err(error) = work.await {
                tracing::error!(%error, "a run of rules over the past died");
            }
        });
        Ok(state)
    }

    fn rule_hunts(&self, scope: &TenantScope) -> Vec<RuleHunt> {
        let known = self.governed().rule_hunts().known();
        let seen = known.values().rev().filter(|job| scope.covers(&job.scope));
        seen.map(|job| job.state()).collect()
    }

    fn rule_hunt(&self, scope: &TenantScope, id: &str) -> Result<RuleHunt, ApiError> {
        self.governed().rule_hunts().find(scope, id).map(|job| job.state())
    }

    fn rule_hunt_findings(
        &self,
        scope: &TenantScope,
        id: &str,
        cursor: usize,
        limit: usize,
    ) -> Result<List<PastFinding>, ApiError> {
        let job = self.governed().rule_hunts().find(scope, id)?;
        let (page, all) = {
            let progress = job.progress();
            let found = &progress.outcome.findings;
            let page: Vec<Finding> = found.iter().skip(cursor).take(limit).cloned().collect();
            (page, found.len())
        };
        let known = self.known_of(&job.scope, &page)?;
        let end = cursor.saturating_add(page.len());
        let items = page.iter().zip(known);
        let items = items.map(|(one, known)| PastFinding { finding: finding_json(one), known });
        Ok(List { items: items.collect(), next_cursor: (end < all).then(|| end.to_string()) })
    }

    fn record_rule_hunt(&self, scope: &TenantScope, id: &str) -> Result<Recorded, ApiError> {
        let job = self.governed().rule_hunts().find(scope, id)?;
        let invalid = |text: &str| ApiError::new(Kind::Invalid, "rule_hunt_record", text);
        let found = {
            let mut progress = job.progress();
            if !matches!(progress.phase, Phase::Done | Phase::Full) {
                return Err(invalid("only a run that is done has something to record"));
            }
            if progress.recorded.is_some() {
                return Err(invalid("what this run found is recorded already"));
            }
            // Another call meanwhile is refused.
            progress.recorded = Some(0);
            progress.outcome.findings.clone()
        };
        let recorded = self.record(&job.scope, &found);
        let mut progress = job.progress();
        progress.recorded = recorded.as_ref().ok().map(|done| done.recorded);
        recorded
    }

    fn end_rule_hunt(&self, scope: &TenantScope, id: &str) -> Result<(), ApiError> {
        let jobs = self.governed().rule_hunts();
        let job = jobs.find(scope, id)?;
        job.cancelled.store(true, Relaxed);
        jobs.known().remove(&job.number);
        Ok(())
    }
}

impl NodeBackend {
    /// Journals those of the findings that the platform does not have.
    fn record(&self, scope: &TenantScope, found: &[Finding]) -> Result<Recorded, ApiError> {
        let known = self.known_of(scope, found)?;
        let mut done = Recorded { recorded: 0, known: 0 };
        let mut groups: BTreeMap<TenantName, Vec<Vec<Entry>>> = BTreeMap::new();
        let mut bytes = 0;
        for (finding, known) in found.iter().zip(known) {
            if known {
                done.known += 1;
                continue;
            }
            let tenant = TenantName::new(&finding.tenant).map_err(ApiError::internal)?;
            let finding = serde_json::to_string(finding).map_err(ApiError::internal)?;
            let own = groups.entry(tenant.clone()).or_default();
            if own.is_empty() || bytes + finding.len() > GROUP_BYTES {
                own.push(Vec::new());
                bytes = 0;
            }
            bytes += finding.len();
            done.recorded += 1;
            if let Some(group) = own.last_mut() {
                group.push(Entry::Retrospect { tenant, finding });
            }
        }
        for (tenant, groups) in groups {
            for group in groups {
                let taken = self.node().intake().control_of(&tenant, &group);
                taken.map_err(crate::node::backend::intake_error)?;
            }
        }
        Ok(done)
    }
}
