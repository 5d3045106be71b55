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
//! at or below a table's `txn` are refused.

use crate::error::LakeError;
use crate::file::{FileEntry, StoredCount, write_file};
use crate::gather::gather;
use crate::match_rows::match_rows;
use crate::rows::{Names, event_rows};
use crate::schema::TableKind;
use crate::store::FsStore;
use crate::table::{Table, stored_counts};
use crate::tail::TailBatch;
use crate::view::{LakeHandle, LakeView, TableView};
use arrow::array::{AsArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Runtime;
use yagura_disk::Fs;
use yagura_event::{EventBatch, Lsn, Match};

/// Names the bucket of a tenant.
pub type BucketOf = Arc<dyn Fn(&str) -> i32 + Send + Sync>;

/// Most bytes of memory whose rows go into one data file; more become further files, so that
/// no text column reaches the 2 GiB that Arrow's offsets can address.
const FILE_MEMORY_BYTES_MAX: usize = 1 << 30;

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
    ///
    /// # Errors
    /// [`LakeError::Arrow`].
    pub fn append_events(&mut self, batch: &EventBatch, names: Names<'_>) -> Result<(), LakeError> {
        let after = self.events.table.txn();
        let rows = event_rows(batch, names, self.bucket_of.as_ref(), after)?;
        self.events.tail.extend(rows.map(Arc::new));
        Ok(())
    }

    /// Takes matches, with the LSN of the record that made them, into the tail; those the
    /// table has already are passed over.
    ///
    /// # Errors
    /// [`LakeError::Arrow`].
    pub fn append_matches(&mut self, matches: &[(Lsn, Match)]) -> Result<(), LakeError> {
        let after = self.matches.table.txn();
        let rows = match_rows(matches, self.bucket_of.as_ref(), after)?;
        self.matches.tail.extend(rows.map(Arc::new));
        Ok(())
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
        self.flush_table(TableKind::Events)?;
        self.flush_table(TableKind::Matches)
    }

    /// The first or second half of [`LakeWriter::flush`].
    ///
    /// # Errors
    /// As for [`LakeWriter::flush`].
    pub fn flush_table(&mut self, kind: TableKind) -> Result<(), LakeError> {
        let side = match kind {
            TableKind::Events => &mut self.events,
            TableKind::Matches => &mut self.matches,
        };
        if side.unsure {
            self.runtime.block_on(side.table.recover())?;
            side.drop_stored()?;
            side.unsure = false;
        }
        let (count, upto) = side.cut(self.upper);
        if upto > side.table.txn() {
            side.unsure = true;
            let files = side.write_files(&self.store, self.epoch, count, upto)?;
            self.runtime.block_on(side.table.append(&files, upto))?;
            side.tail.drain(..count);
            side.unsure = false;
        }
        self.publish();
        Ok(())
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
        self.tails().map(|batch| batch.rows.num_rows()).sum()
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
    fn drop_stored(&mut self) -> Result<(), LakeError> {
        let txn = self.table.txn();
        let mut kept = Vec::new();
        for batch in self.tail.drain(..) {
            if batch.first > txn {
                kept.push(batch);
            } else if batch.last > txn {
                let new = lsns(&batch.rows).iter().map(|lsn| *lsn > txn.0.cast_signed());
                let rows = filter_record_batch(&batch.rows, &new.map(Some).collect())?;
                kept.push(Arc::new(TailBatch::new(rows, Lsn(txn.0 + 1), batch.last)));
            }
        }
        self.tail = kept;
        Ok(())
    }

    fn write_files(
        &self,
        store: &FsStore,
        epoch: u16,
        count: usize,
        upto: Lsn,
    ) -> Result<Vec<FileEntry>, LakeError> {
        let kind = self.table.kind();
        let tail = self.tail.get(..count).unwrap_or_default();
        let mut files = Vec::new();
        for (number, gathered) in gather(kind, tail, FILE_MEMORY_BYTES_MAX)?.iter().enumerate() {
            let first = self.table.txn().0 + 1;
            let name = format!("e{epoch:05}-{first:020}-{:020}-{number}", upto.0);
            files.push(write_file(store, kind, &name, gathered)?);
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

fn lsns(rows: &RecordBatch) -> &[i64] {
    rows.column_by_name("lsn").map_or(&[], |column| column.as_primitive::<Int64Type>().values())
}
