//! The judge's side of the pipeline: correlation, relations, books, committed with the LSN.
//!
//! Everything here follows from the journal's entries alone. Ticks fall on whole seconds of
//! journal time wherever an entry crosses one, so chunking and replays change nothing.

use crate::engine::Engine;
use crate::pipeline::batches::Batches;
use crate::pipeline::pace::Pending;
use crate::pipeline::snapshot::{Snapshot, SnapshotStore};
use crate::pipeline::ties::{Sighting, Ties, UnitTies};
use crate::pipeline::work::{Done, Hit, Tie};
use std::sync::Arc;
use yagura_detect::correlate::{Correlator, Limits};
use yagura_disk::Fs;
use yagura_event::time::SECOND;
use yagura_event::{Finding, Lsn, Micros, TenantName};
use yagura_journal::{CountKind, Entry};
use yagura_meta::{
    BatchRow, BookCount, BookKind, Erasure, FileRow, JudgeBatch, JudgeStore, MarkRow, MetaError,
    PositionRow, Reply,
};

/// Journal bytes or seconds between two snapshots of the correlator. More seldom makes
/// replays longer, oftener costs writes of the whole state.
const SNAPSHOT_SECONDS: i64 = 20;

/// Why the judge stopped.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The store refused.
    #[error(transparent)]
    Meta(#[from] MetaError),
    /// A snapshot or spill file could not be written or read.
    #[error("{0}")]
    Aside(String),
}

/// Takes results in order and commits what they mean.
pub struct JudgeConsumer {
    pub(super) store: JudgeStore,
    snapshots: SnapshotStore,
    engine: Arc<Engine>,
    pub(super) correlator: Correlator,
    pub(super) batches: Batches,
    pub(super) ties: Ties,
    /// Entries at or below it are in the store already: their output is skipped.
    pub(super) stored: Lsn,
    applied: Lsn,
    pub(super) now: Micros,
    second: i64,
    /// Position of the snapshot that the store names.
    snapshot_lsn: Lsn,
    snapshot_second: i64,
    pub(super) pending: JudgeBatch,
    urgent: bool,
    /// Tenants of whom something is left somewhere.
    pub(super) erasing: Vec<Erasure>,
}

impl JudgeConsumer {
    /// Restores the correlator from the snapshot that the store names; `engine` must be the
    /// one in force there.
    ///
    /// # Errors
    /// [`JudgeError`] for a store or snapshot that cannot be read.
    pub fn open(
        store: JudgeStore,
        fs: Arc<dyn Fs>,
        data: &std::path::Path,
        snapshot: Option<Snapshot>,
        engine: Arc<Engine>,
    ) -> Result<Self, JudgeError> {
        let (stored, erasing) = (store.lsn()?, store.erasures()?);
        let plan = Arc::clone(engine.plan());
        let snapshots = SnapshotStore::new(Arc::clone(&fs), data);
        let mut batches = Batches::new(fs, data);
        let (correlator, lsn, second) = match snapshot {
            None => (Correlator::new(plan, Limits::default()), Lsn(0), i64::MIN),
            Some(snapshot) => {
                batches.restore(&snapshot.batches)?;
                let correlator = Correlator::restore(plan, Limits::default(), &snapshot.correlator)
                    .map_err(|e| JudgeError::Aside(format!("correlator snapshot: {e}")))?;
                (correlator, Lsn(snapshot.lsn), snapshot.second)
            }
        };
        Ok(Self {
            store,
            snapshots,
            engine,
            correlator,
            batches,
            ties: Ties::default(),
            stored,
            applied: lsn,
            now: 0,
            second,
            snapshot_lsn: lsn,
            snapshot_second: second,
            pending: JudgeBatch::default(),
            urgent: false,
            erasing,
        })
    }

    /// The entry up to which everything is committed.
    pub fn checkpoint(&self) -> Lsn {
        self.stored
    }

    /// The entry behind which a replay of the judge begins.
    pub fn replay_from(&self) -> Lsn {
        self.snapshot_lsn
    }

    /// Whether what is pending should not wait: for a closed batch somebody does, and of
    /// relations there is only so much room.
    pub fn urgent(&self) -> bool {
        self.urgent || self.ties.full()
    }

    /// Whether somebody waits for incidents too.
    pub fn awaited(&self) -> bool {
        self.urgent
    }

    /// What is pending. Findings beside an erasure wait with it.
    pub(super) fn waits(&self) -> Pending {
        let findings = !self.pending.findings.is_empty() && self.pending.erase.is_empty();
        Pending { findings, urgent: self.urgent(), awaited: self.awaited() }
    }

    /// Takes one result.
    ///
    /// # Errors
    /// [`JudgeError::Aside`] where a batch's spill file fails.
    pub fn apply(&mut self, done: &Done) -> Result<(), JudgeError> {
        if done.last <= self.applied {
            return Ok(());
        }
        if !Arc::ptr_eq(&done.engine, &self.engine) && done.engine.hash() != self.engine.hash() {
            self.switch(&done.engine, done.first);
        }
        let mut hits = done.hits.iter().peekable();
        let mut ties = done.ties.iter().peekable();
        let mut unit = UnitTies::new(done.relations.len());
        let mut controls = done.controls.iter().peekable();
        for event in done.batch.iter() {
            let (lsn, received) = (event.lsn(), event.event().received_time);
            while let Some((at, time, entry)) = controls.next_if(|(at, _, _)| *at < lsn) {
                self.control(*at, *time, entry)?;
                if matches!(entry, Entry::Erase { .. }) {
                    unit = UnitTies::new(done.relations.len());
                }
            }
            if lsn <= self.applied {
                skip(&mut hits, &mut ties, lsn);
                continue;
            }
            self.tick(received, lsn);
            let head = event.event();
            while let Some(hit) = hits.next_if(|hit| hit.lsn == lsn) {
                self.hit(hit)?;
            }
            if head.batch == 0 {
                self.correlator.on_stream(head.stream, head.time, received);
            } else {
                self.batches.progress(head.batch, head.stream, lsn > self.stored);
            }
            while let Some(tie) = ties.next_if(|tie| tie.lsn == lsn) {
                let relation = done.relations.get(tie.relation as usize);
                if let Some(relation) = relation.filter(|_| lsn > self.stored) {
                    let (at, context_at, time) = (tie.relation, head.context, head.time);
                    let context = event.context();
                    let sighting = Sighting { at, relation, context_at, context, time, lsn };
                    self.ties.add(&mut unit, sighting);
                }
            }
        }
        for (at, time, entry) in controls {
            self.control(*at, *time, entry)?;
        }
        self.applied = done.last;
        self.now = done.now;
        Ok(())
    }

    fn hit(&mut self, hit: &Hit) -> Result<(), JudgeError> {
        if hit.found.batch != 0 {
            return self.batches.spill(&hit.found);
        }
        let mut out = Vec::new();
        self.correlator.on_match(hit.lsn, &hit.found, &mut out);
        self.take(out);
        Ok(())
    }

    /// Journal time reached `received`: whole seconds passed are ticks.
    fn tick(&mut self, received: Micros, lsn: Lsn) {
        let second = received.div_euclid(SECOND);
        if second > self.second {
            self.second = second;
            let mut out = Vec::new();
            self.correlator.on_tick(second * SECOND, lsn, &mut out);
            self.take(out);
        }
    }

    fn take(&mut self, findings: Vec<Finding>) {
        let stored = self.stored.0;
        self.pending.findings.extend(findings.into_iter().filter(|f| f.lsn > stored));
    }

    fn control(&mut self, lsn: Lsn, received: Micros, entry: &Entry) -> Result<(), JudgeError> {
        if lsn <= self.applied {
            return Ok(());
        }
        self.tick(received, lsn);
        let new = lsn > self.stored;
        match entry {
            Entry::Counts(counts) if new => self.counts(lsn, received, counts),
            Entry::IdempotencyKey { tenant, key, response } if new => {
                self.pending.replies.push(Reply {
                    tenant: tenant.clone(),
                    key: key.clone(),
                    response: response.clone(),
                    time: received,
                    lsn,
                });
            }
            Entry::BatchOpen { batch, tenant, settings } => {
                self.batches.open(*batch, tenant.as_str(), settings)?;
                self.batch_state(*batch, tenant.as_str(), settings, "open", new);
            }
            Entry::BatchClose { batch, aborted } if self.batches.knows(*batch) => {
                let plan = Arc::clone(self.engine.plan());
                let findings = self.batches.close(*batch, *aborted, plan, lsn)?;
                self.take(findings);
                let state = if *aborted { "aborted" } else { "closed" };
                self.batch_state(*batch, "", "", state, new);
            }
            Entry::FileDone(file) if new => self.pending.files.push(FileRow {
                tenant: file.tenant.to_string(),
                feed: file.feed.clone(),
                path: file.path.clone(),
                hash: format!("{:032x}", u128::from_be_bytes(file.hash)),
                bytes: file.bytes,
                records: file.records,
            }),
            Entry::Mark(mark) if new => self.pending.marks.push(MarkRow {
                tenant: mark.tenant.to_string(),
                feed: mark.feed.clone(),
                key: mark.key.clone(),
                value: mark.value.clone(),
            }),
            Entry::Erase { tenant } => self.erase(tenant, lsn, received),
            Entry::Retrospect { tenant, finding } if new => {
                self.urgent = true;
                self.pending.findings.extend(retrospective(tenant, finding, lsn));
            }
            _ => {}
        }
        Ok(())
    }

    fn batch_state(&mut self, batch: u64, tenant: &str, settings: &str, state: &str, new: bool) {
        self.urgent = true;
        if new {
            self.pending.batches.push(BatchRow {
                batch,
                tenant: tenant.to_owned(),
                settings: settings.to_owned(),
                state: state.to_owned(),
            });
        }
    }

    /// Rows of the books fall into the hour in which their records were received: count and
    /// records are one group and have one received time.
    fn counts(&mut self, lsn: Lsn, received: Micros, counts: &[yagura_journal::Count]) {
        let hour = received.div_euclid(yagura_event::time::HOUR);
        for count in counts {
            let (kind, reason) = match &count.kind {
                CountKind::Received => (BookKind::Received, String::new()),
                CountKind::Duplicate => (BookKind::Duplicate, String::new()),
                CountKind::KernelDropped => (BookKind::KernelDropped, String::new()),
                CountKind::Rejected(reason) => (BookKind::Rejected, reason.clone()),
            };
            self.pending.counts.push(BookCount {
                tenant: count.tenant.clone(),
                feed: count.feed.clone(),
                hour,
                kind,
                reason,
                count: count.count,
                lsn,
            });
        }
    }

    fn switch(&mut self, engine: &Arc<Engine>, lsn: Lsn) {
        let mut out = Vec::new();
        self.correlator.replace_plan(Arc::clone(engine.plan()), lsn, &mut out);
        self.take(out);
        self.engine = Arc::clone(engine);
    }

    /// Commits what is pending, with a snapshot where one is due or `last` is set. Incidents
    /// are judged unless `defer` leaves them to a later commit.
    ///
    /// # Errors
    /// [`JudgeError`]; what is pending stays so and the next call tries again.
    pub fn commit(&mut self, last: bool, defer: bool) -> Result<(), JudgeError> {
        let judging = self.store.has_deferred() && !defer;
        if self.applied <= self.stored && self.applied <= self.snapshot_lsn && !judging {
            return Ok(());
        }
        self.pending.defer = defer;
        let wait = if self.erasing.is_empty() { SNAPSHOT_SECONDS } else { 1 };
        let due = self.second.saturating_sub(self.snapshot_second) >= wait;
        // A snapshot behind the store's position would make a replay skip nothing it needs,
        // but one ahead of it must become current only with the commit that reaches it.
        let snapshot = if (last || due) && self.applied >= self.stored {
            let reference = self.snapshots.write(&Snapshot {
                lsn: self.applied.0,
                second: self.second,
                engine: u128::from_be_bytes(self.engine.hash()),
                batches: self.batches.sync()?,
                correlator: self.correlator.snapshot(),
            })?;
            Some(reference)
        } else {
            None
        };
        if self.applied > self.stored || snapshot.is_some() || judging {
            self.pending.lsn = self.applied.max(self.stored);
            self.pending.now = self.now;
            self.pending.relations = self.ties.drain();
            self.pending.positions = self
                .batches
                .positions()
                .into_iter()
                .map(|(batch, stream, records)| PositionRow { batch, stream, records })
                .collect();
            self.pending.snapshot = snapshot.clone();
            self.store.commit(&self.pending)?;
            self.stored = self.pending.lsn;
            let pending = std::mem::take(&mut self.pending);
            self.note_erasures(pending.erase);
            self.urgent = false;
        }
        if let Some(reference) = snapshot {
            self.snapshot_lsn = self.applied;
            self.snapshot_second = self.second;
            self.snapshots.keep_only(&reference);
            self.batches.forget_closed()?;
        }
        Ok(())
    }
}

/// A finding that a rule made of the past; `None` for one that is not what its entry says.
fn retrospective(tenant: &TenantName, finding: &str, lsn: Lsn) -> Option<Finding> {
    let mut finding: Finding = serde_json::from_str(finding).ok()?;
    (finding.lsn, finding.retrospective) = (lsn.0, true);
    (finding.tenant == tenant.as_str()).then_some(finding)
}

fn skip<'a>(
    hits: &mut std::iter::Peekable<impl Iterator<Item = &'a Hit>>,
    ties: &mut std::iter::Peekable<impl Iterator<Item = &'a Tie>>,
    lsn: Lsn,
) {
    while hits.next_if(|hit| hit.lsn <= lsn).is_some() {}
    while ties.next_if(|tie| tie.lsn <= lsn).is_some() {}
}
