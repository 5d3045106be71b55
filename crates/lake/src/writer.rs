//! `LakeWriter`: rows into the memory tail, the tail into files, files into the tables.
//!
//! ```text
//!   txn            upto        upper
//!    │ in the table  │           │
//! ───┴───────────────┴───────────┴───────> LSN
//!     └─ next flush ─┘ └─ tail ──┘
//! ```
//! A flush commits `events`, then `matches`, each with its own `txn`. After a crash between
//! the two a replay from the smaller one adds to each table only what it lacks, since rows
//! at or below a table's `txn` are refused. Files are written aside ([`Flush`]), so that rows
//! that arrive meanwhile are seen at once.

use crate::error::LakeError;
use crate::file::{FileEntry, StoredCount, write_file};
use crate::gather::plan;
use crate::rows::Names;
use crate::schema::TableKind;
use crate::store::FsStore;
use crate::table::{Table, stored_counts};
use crate::tail::{BucketOf, TailBatch};
use crate::view::{LakeHandle, LakeView, TableView};
use std::path::Path;
use std::sync::Arc;
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
    upper: Lsn,
    handle: LakeHandle,
}

/// Rows that are to become data files. [`Flush::write`] may run on any thread, while the writer
/// goes on taking rows.
pub struct Flush {
    store: FsStore,
    epoch: u16,
    parts: Vec<Part>,
}

/// One table's share of a [`Flush`].
struct Part {
    kind: TableKind,
    rows: Vec<Arc<TailBatch>>,
    /// First and last LSN that the files stand for.
    range: (Lsn, Lsn),
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
        let Self { store, epoch, parts } = self;
        let written = parts.into_iter().map(|part| {
            let files = part.write_files(&store, epoch);
            (part, files)
        });
        Flushed { parts: written.collect() }
    }
}

/// A table and its tail.
struct Side {
    table: Table,
    tail: Vec<Arc<TailBatch>>,
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
        let upper = events.table.txn().min(matches.table.txn());
        let view = LakeView::new(store.clone(), events.view(upper), matches.view(upper), upper);
        let handle = LakeHandle::new(view);
        Ok(Self { runtime, store, epoch, bucket_of, events, matches, upper, handle })
    }

    /// What queries read from.
    pub fn handle(&self) -> LakeHandle {
        self.handle.clone()
    }

    /// Takes the events of a batch into the tail; those the table has already are passed over.
    /// They are in LSN order.
    pub fn append_events(&mut self, batch: Arc<EventBatch>, names: Names) {
        let after = self.events.table.txn();
        let events = TailBatch::of_events(batch, names, self.bucket_of.as_ref(), after);
        self.events.tail.extend(events.map(Arc::new));
    }

    /// Takes matches, with the LSN of the record that made them, into the tail; those the
    /// table has already are passed over.
    pub fn append_matches(&mut self, matches: Vec<(Lsn, Match)>) {
        let after = self.matches.table.txn();
        let matches = TailBatch::of_matches(matches, self.bucket_of.as_ref(), after);
        self.matches.tail.extend(matches.map(Arc::new));
    }

    /// States that every event and match at or below `lsn` has been appended, which makes
    /// them visible to queries and ready to flush.
    pub fn advance(&mut self, lsn: Lsn) {
        self.upper = self.upper.max(lsn);
        self.publish();
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
        let upper = self.upper;
        let mut parts = Vec::new();
        for kind in kinds {
            let (side, runtime) = self.side(*kind);
            if side.unsure {
                runtime.block_on(side.table.recover())?;
                side.drop_stored();
                side.unsure = false;
            }
            let (count, upto) = side.cut(upper);
            if upto > side.table.txn() {
                let rows = side.tail.get(..count).unwrap_or_default().to_vec();
                let range = (Lsn(side.table.txn().0 + 1), upto);
                parts.push(Part { kind: *kind, rows, range });
            }
        }
        Ok(Flush { store: self.store.clone(), epoch: self.epoch, parts })
    }

    /// Commits what has been written, `events` first.
    ///
    /// # Errors
    /// Those of writing the files and of the log. The rows stay in the tail, and the next
    /// flush finds out first what the tables have.
    pub fn end_flush(&mut self, flushed: Flushed) -> Result<(), LakeError> {
        for (part, files) in flushed.parts {
            let files = files?;
            let (side, runtime) = self.side(part.kind);
            side.unsure = true;
            runtime.block_on(side.table.append(&files, part.range.1))?;
            side.tail.drain(..part.rows.len());
            side.unsure = false;
        }
        self.publish();
        Ok(())
    }

    fn side(&mut self, kind: TableKind) -> (&mut Side, &Runtime) {
        let side = match kind {
            TableKind::Events => &mut self.events,
            TableKind::Matches => &mut self.matches,
        };
        (side, &self.runtime)
    }

    /// LSNs up to which `events` and `matches` are committed.
    pub fn checkpoint(&self) -> (Lsn, Lsn) {
        (self.events.table.txn(), self.matches.table.txn())
    }

    /// Bytes of memory in both tails.
    pub fn tail_bytes(&self) -> usize {
        self.tails().map(|batch| batch.bytes).sum()
    }

    /// Rows in both tails.
    pub fn tail_rows(&self) -> usize {
        self.tails().map(|batch| batch.len()).sum()
    }

    /// Records that are stored in files, by tenant, feed and hour of receipt, ascending.
    pub fn stored_counts(&self) -> Vec<StoredCount> {
        stored_counts(self.events.table.files())
    }

    fn tails(&self) -> impl Iterator<Item = &Arc<TailBatch>> {
        self.events.tail.iter().chain(&self.matches.tail)
    }

    fn publish(&self) {
        let (events, matches) = (self.events.view(self.upper), self.matches.view(self.upper));
        self.handle.publish(LakeView::new(self.store.clone(), events, matches, self.upper));
    }
}

impl Side {
    fn new(table: Table) -> Self {
        Self { table, tail: Vec::new(), unsure: false }
    }

    fn view(&self, upper: Lsn) -> TableView {
        let visible = |batch: &&Arc<TailBatch>| batch.last <= upper;
        TableView {
            files: Arc::clone(self.table.files()),
            tail: self.tail.iter().take_while(visible).cloned().collect(),
        }
    }

    /// How many batches of the tail to flush and which LSN they complete. A batch is never
    /// split: what is flushed lies at or below that LSN, what stays lies above it.
    fn cut(&self, upper: Lsn) -> (usize, Lsn) {
        let mut upto = upper;
        loop {
            let count = self.tail.iter().take_while(|batch| batch.last <= upto).count();
            let rest = self.tail.iter().skip(count).map(|batch| batch.first).min();
            let below = rest.map_or(upto, |first| Lsn(first.0.saturating_sub(1)).min(upto));
            if below == upto {
                return (count, upto);
            }
            upto = below;
        }
    }

    /// Drops the rows that a commit of unknown outcome has put into the table after all.
    fn drop_stored(&mut self) {
        let txn = self.table.txn();
        self.tail.retain_mut(|batch| {
            if batch.first > txn {
                return true;
            }
            let rest = TailBatch::above(&batch.content, txn).map(Arc::new);
            rest.map(|rest| *batch = rest).is_some()
        });
    }
}

impl Part {
    fn write_files(&self, store: &FsStore, epoch: u16) -> Result<Vec<FileEntry>, LakeError> {
        let (first, upto) = (self.range.0.0, self.range.1.0);
        let mut files = Vec::new();
        for (number, plan) in plan(&self.rows, FILE_MEMORY_BYTES_MAX).into_iter().enumerate() {
            let gathered = plan.gather(&self.rows)?;
            let name = format!("e{epoch:05}-{first:020}-{upto:020}-{number}");
            files.push(write_file(store, self.kind, &name, &gathered)?);
        }
        Ok(files)
    }
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
