//! `LakeWriter`: rows into the memory tail, the tail into files, files into the tables.
//!
//! ```text
//!   txn            upto        upper
//!    │ in the table  │           │
//! ───┴───────────────┴───────────┴───────> LSN
//!     └─ next flush ─┘ └─ tail ──┘
//! ```
//! A flush commits `events`, `matches` and `sightings`, each with its own `txn`. After a crash
//! between two of them a replay from the smaller one adds to each table only what it lacks, since rows
//! at or below a table's `txn` are refused. Files are written aside ([`Flush`]), so that rows
//! that arrive meanwhile are seen at once.

use crate::compact::{Rewrite, Rewritten};
use crate::dead::DeadFiles;
use crate::error::LakeError;
use crate::file::{FileEntry, StoredCount, write_file};
use crate::gather::{Gathered, plan};
use crate::index::Reindex;
use crate::rows::Names;
use crate::schema::TableKind;
use crate::sightings::{SightingsBuilder, sighting_rows};
use crate::store::FsStore;
use crate::table::{Table, stored_counts};
use crate::tail::{BucketOf, Tail, TailBatch};
use crate::view::LakeHandle;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use yagura_disk::Fs;
use yagura_event::{EventBatch, Lsn, Match};

/// Most bytes of memory whose rows go into one data file; more become further files, so that
/// no text column reaches the 2 GiB that Arrow's offsets can address: a byte becomes six at
/// most, as an escape in JSON.
const FILE_MEMORY_BYTES_MAX: usize = 320 << 20;

/// The one writer of a lake. Its methods block and belong on a plain thread.
pub struct LakeWriter {
    runtime: Runtime,
    store: FsStore,
    epoch: u16,
    bucket_of: BucketOf,
    events: Side,
    matches: Side,
    sightings: Side,
    handle: LakeHandle,
    dead: DeadFiles,
    /// Data files that an earlier process left without an index.
    unindexed: Vec<Reindex>,
    /// Rewrites planned by this process.
    rewrites: u64,
}

/// Rows that are to become data files. [`Flush::write`] may run on any thread, while the writer
/// goes on taking rows.
pub struct Flush {
    store: FsStore,
    parts: Vec<Part>,
}

/// One table's share of a [`Flush`].
struct Part {
    kind: TableKind,
    rows: Vec<Arc<TailBatch>>,
    /// What the files' names begin with.
    name: String,
    /// Last LSN that the files stand for.
    upto: Lsn,
}

/// What a [`Flush`] has written, for [`LakeWriter::end_flush`].
pub struct Flushed {
    parts: Vec<(Part, Result<Vec<FileEntry>, LakeError>)>,
}

impl Flush {
    /// Whether there is nothing to write and nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Writes the data files. Nothing refers to them before [`LakeWriter::end_flush`].
    pub fn write(self) -> Flushed {
        let Self { store, parts } = self;
        let rows_of = |kind| parts.iter().find(|part| part.kind == kind).map(|part| &part.rows);
        let alike = |(a, b): (&Arc<TailBatch>, &Arc<TailBatch>)| Arc::ptr_eq(a, b);
        // Rows of events are made once where they are counted in the same flush.
        let shared = match (rows_of(TableKind::Events), rows_of(TableKind::Sightings)) {
            (Some(a), Some(b)) => a.len() == b.len() && a.iter().zip(b).all(alike),
            _ => false,
        };
        let mut sighted = shared.then(Sighted::default);
        let written = parts.into_iter().map(|part| {
            let files = match part.kind {
                TableKind::Sightings => part.write_sightings(&store, sighted.take()),
                _ => part.write_files(&store, sighted.as_mut()),
            };
            (part, files)
        });
        Flushed { parts: written.collect() }
    }
}

/// A table.
struct Side {
    table: Table,
    /// A flush failed: whether its commit is in the table is not known.
    unsure: bool,
}

impl LakeWriter {
    /// Opens or creates the lake in `dir`. `epoch` is the journal's and part of file names.
    ///
    /// # Errors
    /// Those of [`Table::open`].
    pub fn open(
        fs: Arc<dyn Fs>,
        dir: &Path,
        epoch: u16,
        bucket_of: BucketOf,
    ) -> Result<Self, LakeError> {
        let store = FsStore::new(fs, dir);
        let runtime = runtime()?;
        let open = |kind| runtime.block_on(Table::open(&store, kind)).map(Side::new);
        let (events, matches) = (open(TableKind::Events)?, open(TableKind::Matches)?);
        let sightings = open(TableKind::Sightings)?;
        let handle = LakeHandle::new(store.clone());
        handle.live_mut().upper = events.table.txn().min(matches.table.txn());
        let (mut dead, mut unindexed) = (DeadFiles::default(), Vec::new());
        for side in [&events, &matches, &sightings] {
            side.show(&handle, |_| {});
            let (kind, files) = (side.table.kind(), side.table.files());
            let indexes = runtime.block_on(dead.find(&store, kind, files))?;
            unindexed.extend(Reindex::missing(&store, kind, files, &indexes));
        }
        let rewrites = 0;
        Ok(Self {
            runtime,
            store,
            epoch,
            bucket_of,
            events,
            matches,
            sightings,
            handle,
            dead,
            unindexed,
            rewrites,
        })
    }

    /// What queries read from.
    pub fn handle(&self) -> LakeHandle {
        self.handle.clone()
    }

    /// Takes the events of a batch into the tail; those the table has already are passed over.
    /// They are in LSN order.
    pub fn append_events(&mut self, batch: Arc<EventBatch>, names: Names) {
        let (stored, sighted) = (self.events.table.txn(), self.sightings.table.txn());
        let above = |after, batch, names| {
            TailBatch::of_events(batch, names, self.bucket_of.as_ref(), after).map(Arc::new)
        };
        // They differ only after a crash between two commits.
        let apart = sighted != stored;
        let uncounted = apart.then(|| above(sighted, Arc::clone(&batch), names.clone()));
        let events = above(stored, batch, names);
        let uncounted = uncounted.unwrap_or_else(|| events.clone());
        let mut live = self.handle.live_mut();
        events.into_iter().for_each(|events| live.events.tail.push(events));
        uncounted.into_iter().for_each(|events| live.sightings.tail.push(events));
    }

    /// Takes matches, with the LSN of the record that made them, into the tail; those the
    /// table has already are passed over.
    pub fn append_matches(&mut self, matches: Vec<(Lsn, Match)>) {
        let after = self.matches.table.txn();
        let matches = TailBatch::of_matches(matches, self.bucket_of.as_ref(), after);
        if let Some(matches) = matches {
            self.handle.live_mut().matches.tail.push(Arc::new(matches));
        }
    }

    /// States that every event and match at or below `lsn` has been appended, which makes
    /// them visible to queries and ready to flush.
    pub fn advance(&mut self, lsn: Lsn) {
        let mut live = self.handle.live_mut();
        live.upper = live.upper.max(lsn);
    }

    /// Writes what has been advanced over into files and commits both tables.
    ///
    /// # Errors
    /// Those of the file system and the log. The rows stay in the tail, and the next call
    /// finds out first what the tables have.
    pub fn flush(&mut self) -> Result<(), LakeError> {
        self.flush_tables(&TableKind::ALL)
    }

    /// The first or second half of [`LakeWriter::flush`].
    ///
    /// # Errors
    /// As for [`LakeWriter::flush`].
    pub fn flush_table(&mut self, kind: TableKind) -> Result<(), LakeError> {
        self.flush_tables(&[kind])
    }

    fn flush_tables(&mut self, kinds: &[TableKind]) -> Result<(), LakeError> {
        let flush = self.begin(kinds)?;
        self.end_flush(flush.write())
    }

    /// What a flush is to write. The rows stay in the tail, where queries see them, until
    /// [`LakeWriter::end_flush`]; there is one flush at a time.
    ///
    /// # Errors
    /// Those of the log, where an earlier flush failed and the tables have to be read again.
    pub fn begin_flush(&mut self) -> Result<Flush, LakeError> {
        self.begin(&TableKind::ALL)
    }

    fn begin(&mut self, kinds: &[TableKind]) -> Result<Flush, LakeError> {
        let (handle, epoch) = (self.handle.clone(), self.epoch);
        let mut parts = Vec::new();
        for kind in kinds {
            let (side, runtime) = self.side(*kind);
            if side.unsure {
                runtime.block_on(side.table.recover())?;
                // The commit of unknown outcome may be in the table after all.
                let stored = side.table.txn();
                side.show(&handle, |tail| tail.forget_stored(stored));
                side.unsure = false;
            }
            let (rows, upto) = {
                let mut live = handle.live_mut();
                let upper = live.upper;
                live.table(*kind).tail.cut(upper)
            };
            if upto > side.table.txn() {
                let name = file_name(epoch, Lsn(side.table.txn().0 + 1), upto);
                parts.push(Part { kind: *kind, rows, name, upto });
            }
        }
        for part in &parts {
            self.dead.revive(part.kind, &part.name);
        }
        Ok(Flush { store: self.store.clone(), parts })
    }

    /// Commits what has been written, `events` first.
    ///
    /// # Errors
    /// Those of writing the files and of the log. The rows stay in the tail, and the next
    /// flush finds out first what the tables have.
    pub fn end_flush(&mut self, flushed: Flushed) -> Result<(), LakeError> {
        let handle = self.handle.clone();
        for (part, files) in flushed.parts {
            let files = files?;
            let (side, runtime) = self.side(part.kind);
            side.unsure = true;
            runtime.block_on(side.table.append(&files, part.upto))?;
            side.show(&handle, |tail| tail.forget(part.rows.len()));
            side.unsure = false;
        }
        Ok(())
    }

    /// A data file whose index is to be made, if there is one without.
    pub fn plan_index(&mut self) -> Option<Reindex> {
        self.unindexed.pop()
    }

    /// What data files to make one, if any are worth it; there is one rewrite at a time.
    pub fn plan_rewrite(&mut self) -> Option<Rewrite> {
        self.plan_rewrite_as(false)
    }

    /// The same as if nothing more were to come into any partition.
    pub fn plan_packing(&mut self) -> Option<Rewrite> {
        self.plan_rewrite_as(true)
    }

    fn plan_rewrite_as(&mut self, closed: bool) -> Option<Rewrite> {
        self.rewrites += 1;
        let choose = |side: &Side| {
            // Never the name of a live file, also of one that this process has written before.
            let version = side.table.version();
            let name = format!("c{:05}-{version:010}-{:06}", self.epoch, self.rewrites);
            Rewrite::choose(&self.store, side.table.kind(), &name, side.table.files(), closed)
        };
        let sides = [&self.events, &self.matches, &self.sightings];
        let rewrite = sides.into_iter().find_map(choose)?;
        let (kind, name) = rewrite.target();
        self.dead.revive(kind, name);
        Some(rewrite)
    }

    /// Puts the new file in the place of the old ones, which are deleted later.
    ///
    /// # Errors
    /// Those of reading and writing the files and of the log. The tables hold the same rows
    /// in any case.
    pub fn end_rewrite(&mut self, done: Rewritten, now: Instant) -> Result<(), LakeError> {
        let (kind, new, handle) = (done.kind, done.new?, self.handle.clone());
        let (side, runtime) = self.side(kind);
        let replaced = match runtime.block_on(side.table.rewrite(&done.old, &new)) {
            Ok(replaced) => replaced,
            Err(error) => {
                // Whether it is in the log is not known; what it left is found by the next start.
                side.unsure |= runtime.block_on(side.table.recover()).is_err();
                side.show(&handle, |_| {});
                return Err(error);
            }
        };
        side.show(&handle, |_| {});
        if replaced {
            done.old.into_iter().for_each(|file| self.dead.add(kind, file, now));
        } else {
            self.dead.add(kind, Arc::new(new), now);
        }
        Ok(())
    }

    /// Deletes files that have been replaced for `kept` and that no view holds; returns how
    /// many.
    ///
    /// # Errors
    /// [`LakeError::Io`]; the rest is tried again with the next call.
    pub fn sweep(&mut self, now: Instant, kept: Duration) -> Result<usize, LakeError> {
        self.dead.sweep(&self.store, now, kept)
    }

    /// Live data files of all tables.
    pub fn live_files(&self) -> usize {
        let sides = [&self.events, &self.matches, &self.sightings];
        sides.map(|side| side.table.files().len()).into_iter().sum()
    }

    fn side(&mut self, kind: TableKind) -> (&mut Side, &Runtime) {
        let side = match kind {
            TableKind::Events => &mut self.events,
            TableKind::Matches => &mut self.matches,
            TableKind::Sightings => &mut self.sightings,
        };
        (side, &self.runtime)
    }

    /// LSNs up to which `events` and `matches` are committed.
    pub fn checkpoint(&self) -> (Lsn, Lsn) {
        (self.events.table.txn(), self.matches.table.txn())
    }

    /// The LSN up to which all tables are committed: a replay begins behind it.
    pub fn complete(&self) -> Lsn {
        let (events, matches) = self.checkpoint();
        events.min(matches).min(self.sightings.table.txn())
    }

    /// Bytes of memory in the tails; that of `sightings` shares its events with `events`.
    pub fn tail_bytes(&self) -> usize {
        let live = self.handle.live();
        live.events.tail.bytes() + live.matches.tail.bytes()
    }

    /// Rows in the tails of `events` and `matches`.
    pub fn tail_rows(&self) -> usize {
        let live = self.handle.live();
        live.events.tail.rows() + live.matches.tail.rows()
    }

    /// Records that are stored in files, by tenant, feed and hour of receipt, ascending.
    pub fn stored_counts(&self) -> Vec<StoredCount> {
        stored_counts(self.events.table.files())
    }
}

impl Side {
    fn new(table: Table) -> Self {
        Self { table, unsure: false }
    }

    /// Shows the table's files to views, together with what `change` does to the tail.
    fn show(&self, handle: &LakeHandle, change: impl FnOnce(&mut Tail)) {
        let mut live = handle.live_mut();
        if self.table.kind() == TableKind::Sightings {
            live.sighted = self.table.txn();
        }
        let table = live.table(self.table.kind());
        table.files = Arc::clone(self.table.files());
        change(&mut table.tail);
    }
}

/// Sightings by day of receipt and bucket.
type Sighted = BTreeMap<(i32, i32), SightingsBuilder>;

/// Adds what rows of events say.
fn sight(sighted: &mut Sighted, gathered: &Gathered) {
    let builder = sighted.entry((gathered.day, gathered.bucket)).or_default();
    builder.add(&gathered.rows, Lsn(0));
}

impl Part {
    fn write_files(
        &self,
        store: &FsStore,
        mut sighted: Option<&mut Sighted>,
    ) -> Result<Vec<FileEntry>, LakeError> {
        let mut files = Vec::new();
        for (number, plan) in plan(&self.rows, FILE_MEMORY_BYTES_MAX).into_iter().enumerate() {
            let gathered = plan.gather(&self.rows)?;
            let name = format!("{}-{number}", self.name);
            files.push(write_file(store, self.kind, &name, &gathered)?);
            if self.kind == TableKind::Events
                && let Some(sighted) = sighted.as_deref_mut()
            {
                sight(sighted, &gathered);
            }
        }
        Ok(files)
    }

    /// Writes what was sighted in the part's events, which are gone through where `sighted` does
    /// not have it yet.
    fn write_sightings(
        &self,
        store: &FsStore,
        sighted: Option<Sighted>,
    ) -> Result<Vec<FileEntry>, LakeError> {
        let sighted = match sighted {
            Some(sighted) => sighted,
            None => {
                let mut sighted = Sighted::default();
                for plan in plan(&self.rows, FILE_MEMORY_BYTES_MAX) {
                    sight(&mut sighted, &plan.gather(&self.rows)?);
                }
                sighted
            }
        };
        let mut files = Vec::new();
        for (number, ((day, bucket), builder)) in sighted.into_iter().enumerate() {
            let rows = sighting_rows(&builder.finish())?;
            if rows.num_rows() > 0 {
                let gathered = Gathered { day, bucket, counts: Vec::new(), rows };
                let name = format!("{}-{number}", self.name);
                files.push(write_file(store, self.kind, &name, &gathered)?);
            }
        }
        Ok(files)
    }
}

fn file_name(epoch: u16, first: Lsn, upto: Lsn) -> String {
    format!("e{epoch:05}-{:020}-{:020}", first.0, upto.0)
}

/// The runtime of the log's own tasks. One worker is enough: it mostly waits for the disk.
pub(crate) fn runtime() -> Result<Runtime, LakeError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("lake-log")
        .enable_all()
        .build()
        .map_err(|source| LakeError::Io { action: "start", path: "runtime".to_owned(), source })
}
