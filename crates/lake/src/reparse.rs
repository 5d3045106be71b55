//! Re-parse: the events of a partition made anew from their records, in the place of those that were.
//!
//! ```text
//! events of (day, bucket) ─ records ─> Reparser ─> rows ──┬─> new data files ───────┐
//!                                                         └─> their sightings ──┐   │
//! mark ─> commit of events: removes + adds ─> commit of sightings: the same ─> mark goes
//! ```
//! All of a partition is replaced in one commit. Sightings are a table of their own: while the mark is
//! there, hunts go through the partition's events instead, and a process that finds it at its start
//! counts them anew. What retention took of the partition before is in neither table afterwards.

use crate::compact::{Outcome, Rewrite, Rewritten, Work};
use crate::error::LakeError;
use crate::file::{FileEntry, summed, write_file};
use crate::flush::FILE_MEMORY_BYTES_MAX;
use crate::gather::{Gathered, plan};
use crate::index::path_of as index_path_of;
use crate::past::{PastRecord, TAKEN, record};
use crate::reader::read_rows;
use crate::rows::Names;
use crate::schema::{TENANT, TableKind};
use crate::sightings::{COLUMNS_SIGHTED, SightingsBuilder, sighting_rows};
use crate::store::FsStore;
use crate::table::{Change, stored_counts};
use crate::tail::TailBatch;
use crate::writer::LakeWriter;
use arrow::array::RecordBatch;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;
use yagura_event::{EventBatch, Lsn};

/// Directory of the marks in the lake's.
pub const REPARSE_DIR: &str = "reparse";

/// Bytes of memory of the events that become rows at once.
const BATCH_BYTES: usize = 8 << 20;

/// A day of receipt, in days since 1970, and a bucket of the tenants.
pub type Partition = (i32, i32);

/// Makes events of records.
pub trait Reparser: Send {
    /// Appends the one event of a record.
    ///
    /// # Errors
    /// Why it cannot be: then the partition stays as it is.
    fn parse(&mut self, record: PastRecord<'_>, out: &mut EventBatch) -> Result<(), String>;

    /// What the numbers in the events stand for.
    fn names(&self) -> Names;

    /// Told how many records are done; false to give up, so that the partition stays as it is.
    fn go_on(&self, records: u64) -> bool;
}

/// What is to be made anew.
pub(crate) struct Reparse {
    pub(crate) partition: Partition,
    /// Nothing where only the sightings are to be.
    with: Option<Box<dyn Reparser>>,
    /// The events as they are.
    events: Vec<Arc<FileEntry>>,
    sightings: Vec<Arc<FileEntry>>,
}

/// Sightings that are written, and those whose place they take.
pub(crate) struct Resighted {
    old: Vec<Arc<FileEntry>>,
    new: Vec<FileEntry>,
}

impl LakeWriter {
    /// Makes the events of a partition anew; there is one rewrite at a time, of whichever kind. Gives
    /// back what it was given where that has to wait for a commit.
    ///
    /// # Errors
    /// `with`, to be handed in again later.
    pub fn plan_reparse(
        &mut self,
        partition: Partition,
        with: Box<dyn Reparser>,
    ) -> Result<Rewrite, Box<dyn Reparser>> {
        match self.is_level() {
            true => Ok(self.reparse(partition, Some(with))),
            false => Err(with),
        }
    }

    /// A partition whose sightings a process that died may have left behind its events.
    pub fn plan_resight(&mut self) -> Option<Rewrite> {
        let partition = *self.unsighted.difference(&self.uncounted).next()?;
        self.is_level().then(|| self.reparse(partition, None))
    }

    /// Whether events and sightings are known to be of the same records.
    fn is_level(&self) -> bool {
        !self.is_unsure() && self.events.table.txn() == self.sightings.table.txn()
    }

    fn reparse(&mut self, partition: Partition, with: Option<Box<dyn Reparser>>) -> Rewrite {
        self.rewrites += 1;
        let of = |file: &&Arc<FileEntry>| (file.day, file.bucket) == partition;
        let files = |files: &Arc<Vec<Arc<FileEntry>>>| files.iter().filter(of).cloned().collect();
        let events: Vec<_> = files(self.events.table.files());
        let sightings = files(self.sightings.table.files());
        let name = self.rewrite_name(&self.events);
        self.dead.revive(TableKind::Events, &name);
        self.dead.revive(TableKind::Sightings, &name);
        let old = if with.is_some() { events.clone() } else { Vec::new() };
        let work = Work::Reparse(Reparse { partition, with, events, sightings });
        Rewrite { kind: TableKind::Events, store: self.store.clone(), name, old, work }
    }

    /// Puts new events and their sightings in the place of the old.
    pub(crate) fn end_reparse(
        &mut self,
        partition: Partition,
        done: Rewritten,
        now: Instant,
    ) -> Result<(), LakeError> {
        if done.outcome.is_err() {
            self.uncounted.insert(partition);
        }
        let Outcome { old, new, resighted, .. } = done.outcome?;
        self.uncounted.remove(&partition);
        let Some(Resighted { old: gone, new: sighted }) = resighted else { return Ok(()) };
        if let Err(error) = mark(&self.store, partition) {
            self.forget_files(TableKind::Events, new, now);
            self.forget_files(TableKind::Sightings, sighted, now);
            return Err(error);
        }
        self.unsighted.insert(partition);
        if !old.is_empty() && !self.replace(TableKind::Events, &old, &new)? {
            self.forget_files(TableKind::Events, new, now);
            self.forget_files(TableKind::Sightings, sighted, now);
            return Err(LakeError::Engine("the partition's files went meanwhile".to_owned()));
        }
        self.show_both();
        old.into_iter().for_each(|file| self.dead.add(TableKind::Events, file, now));
        if !self.replace(TableKind::Sightings, &gone, &sighted)? {
            self.forget_files(TableKind::Sightings, sighted, now);
            return Ok(());
        }
        gone.into_iter().for_each(|file| self.dead.add(TableKind::Sightings, file, now));
        self.unsighted.remove(&partition);
        self.show_both();
        self.store.remove(&path_of(partition))
    }

    fn forget_files(&mut self, kind: TableKind, files: Vec<FileEntry>, now: Instant) {
        files.into_iter().for_each(|file| self.dead.add(kind, Arc::new(file), now));
    }

    /// One commit of one table; what it holds is shown to views later.
    fn replace(
        &mut self,
        kind: TableKind,
        old: &[Arc<FileEntry>],
        new: &[FileEntry],
    ) -> Result<bool, LakeError> {
        if old.is_empty() && new.is_empty() {
            return Ok(true);
        }
        let (side, runtime) = self.side(kind);
        let replaced = runtime.block_on(side.table.replace(old, new, Change::Reparsed));
        if replaced.is_err() {
            // Whether it is in the log is not known; what it left is found by the next start.
            side.unsure |= runtime.block_on(side.table.recover()).is_err();
            self.show_both();
        }
        replaced
    }
}

/// Path of a partition's mark in the lake's directory.
fn path_of((day, bucket): Partition) -> String {
    format!("{REPARSE_DIR}/{day}.{bucket}")
}

/// Marks a partition: its sightings are to be counted anew.
///
/// # Errors
/// [`LakeError::Io`].
pub(crate) fn mark(store: &FsStore, partition: Partition) -> Result<(), LakeError> {
    let path = path_of(partition);
    let put = store.put_beside(&path, b"");
    put.map_err(|source| LakeError::Io { action: "write", path, source })
}

/// The partitions that are marked.
pub(crate) fn marked(store: &FsStore) -> Result<BTreeSet<Partition>, LakeError> {
    let parse = |name: &String| {
        let (day, bucket) = name.split_once('.')?;
        Some((day.parse().ok()?, bucket.parse().ok()?))
    };
    Ok(store.names(REPARSE_DIR)?.iter().filter_map(parse).collect())
}

/// Writes new data files of a partition. Call it from a plain thread.
pub(crate) fn reparse(
    store: &FsStore,
    name: &str,
    old: Vec<Arc<FileEntry>>,
    what: Reparse,
) -> Result<Outcome, LakeError> {
    let Reparse { partition, with, events, sightings } = what;
    let mut out = Output { store, name, partition, events: Vec::new(), sightings: Vec::new() };
    let written = match with {
        Some(with) => out.parse(&events, with),
        None => out.sight(&events),
    };
    if let Err(error) = written.and_then(|()| out.balance(&old)) {
        out.discard();
        return Err(error);
    }
    let resighted = Resighted { old: sightings, new: out.sightings };
    Ok(Outcome { old, new: out.events, expiry: None, resighted: Some(resighted) })
}

/// Data files that are being written.
struct Output<'a> {
    store: &'a FsStore,
    name: &'a str,
    partition: Partition,
    events: Vec<FileEntry>,
    sightings: Vec<FileEntry>,
}

impl Output<'_> {
    fn parse(
        &mut self,
        files: &[Arc<FileEntry>],
        mut with: Box<dyn Reparser>,
    ) -> Result<(), LakeError> {
        let mut batches: Vec<Arc<TailBatch>> = Vec::new();
        let (mut batch, mut records, mut bytes) = (EventBatch::default(), 0, 0);
        for file in files {
            let wanted = |column: &str| TAKEN.contains(&column);
            for rows in read_rows(self.store, TableKind::Events, file, Some(&wanted), None)? {
                if !with.go_on(records) {
                    return Err(LakeError::limit("reparse_cancelled", "it was cancelled"));
                }
                let rows = rows?;
                for row in 0..rows.num_rows() {
                    let record = record(&rows, row).ok_or_else(|| {
                        self.damaged(format!("{} has rows without their record", file.path))
                    })?;
                    with.parse(record, &mut batch).map_err(|why| self.damaged(why))?;
                    records += 1;
                    if batch.memory_bytes() >= BATCH_BYTES {
                        bytes += self.keep(&mut batch, with.as_ref(), &mut batches);
                    }
                    if bytes >= FILE_MEMORY_BYTES_MAX {
                        self.write(&batches)?;
                        batches.clear();
                        bytes = 0;
                    }
                }
            }
        }
        self.keep(&mut batch, with.as_ref(), &mut batches);
        with.go_on(records);
        self.write(&batches)
    }

    /// Sets events aside for the next data file; returns how many bytes of memory they are.
    fn keep(
        &self,
        batch: &mut EventBatch,
        with: &dyn Reparser,
        batches: &mut Vec<Arc<TailBatch>>,
    ) -> usize {
        let (events, bucket) = (Arc::new(std::mem::take(batch)), self.partition.1);
        let kept = TailBatch::of_events(events, with.names(), &|_| bucket, Lsn(0));
        let bytes = kept.as_ref().map_or(0, |kept| kept.bytes);
        batches.extend(kept.map(Arc::new));
        bytes
    }

    fn write(&mut self, batches: &[Arc<TailBatch>]) -> Result<(), LakeError> {
        let mut sighted = SightingsBuilder::default();
        for plan in plan(batches, FILE_MEMORY_BYTES_MAX) {
            let gathered = plan.gather(batches)?;
            if (gathered.day, gathered.bucket) != self.partition {
                return Err(self.damaged("records of another day of receipt".to_owned()));
            }
            let name = format!("{}-{}", self.name, self.events.len());
            self.events.push(write_file(self.store, TableKind::Events, &name, &gathered)?);
            sighted.add(&gathered.rows, Lsn(0));
        }
        self.write_sightings(sighted)
    }

    fn sight(&mut self, files: &[Arc<FileEntry>]) -> Result<(), LakeError> {
        let wanted = |column: &str| {
            [TENANT, "source", "time"].contains(&column)
                || COLUMNS_SIGHTED.iter().any(|(name, _)| *name == column)
        };
        for file in files {
            let mut sighted = SightingsBuilder::default();
            for rows in read_rows(self.store, TableKind::Events, file, Some(&wanted), None)? {
                sighted.add(&rows?, Lsn(0));
            }
            self.write_sightings(sighted)?;
        }
        Ok(())
    }

    fn write_sightings(&mut self, sighted: SightingsBuilder) -> Result<(), LakeError> {
        let rows: RecordBatch = sighting_rows(&sighted.finish())?;
        if rows.num_rows() > 0 {
            let ((day, bucket), counts) = (self.partition, Vec::new());
            let name = format!("{}-{}", self.name, self.sightings.len());
            let gathered = Gathered { day, bucket, counts, rows };
            let file = write_file(self.store, TableKind::Sightings, &name, &gathered)?;
            self.sightings.push(file);
        }
        Ok(())
    }

    /// No record may be lost or change its owner.
    fn balance(&self, old: &[Arc<FileEntry>]) -> Result<(), LakeError> {
        let before = stored_counts(old);
        let after = summed(self.events.iter().flat_map(|file| &file.counts));
        match old.is_empty() || before == after {
            true => Ok(()),
            false => Err(self.damaged("its records would not be the same afterwards".to_owned())),
        }
    }

    fn damaged(&self, what: String) -> LakeError {
        LakeError::Damaged { table: TableKind::Events.name(), what }
    }

    /// Deletes what nothing refers to. What stays is found by the next start.
    fn discard(self) {
        let kinds = [(TableKind::Events, self.events), (TableKind::Sightings, self.sightings)];
        for (kind, files) in kinds {
            for file in files {
                let object = format!("{}/{}", kind.name(), file.path);
                let gone = self.store.remove(&object);
                let gone = gone.and_then(|()| self.store.remove(&index_path_of(kind, &file)));
                if let Err(error) = gone {
                    tracing::warn!(%error, "a data file that is not needed stays");
                }
            }
        }
    }
}
