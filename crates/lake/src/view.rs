//! `LakeView`: the tables' files and the memory tail above them, as one immutable value.

use crate::error::LakeError;
use crate::expired::{self, Days};
use crate::file::{FileEntry, StoredCount};
use crate::gather::tail_counts;
use crate::reparse::{Partition, marked};
use crate::schema::{TableKind, time_type};
use crate::store::FsStore;
use crate::table::{Table, stored_counts};
use crate::tail::{Tail, TailBatch};
use datafusion::common::ScalarValue;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use yagura_disk::Fs;
use yagura_event::Lsn;

/// What a query reads. It stays as it is while the writer goes on.
#[derive(Clone, Debug)]
pub struct LakeView {
    /// The `events` table.
    pub events: TableView,
    /// The `matches` table.
    pub matches: TableView,
    /// The `sightings` table, which has no tail: what it lacks is in events above
    /// [`Self::sighted`].
    pub sightings: TableView,
    /// Everything at or below it is in the view.
    pub upper: Lsn,
    /// Events at or below it are counted in the `sightings` table.
    pub sighted: Lsn,
    /// Partitions whose files of sightings may be behind their events.
    pub(crate) unsighted: Arc<BTreeSet<Partition>>,
    /// Where it is written what has expired.
    expired: Days,
    store: FsStore,
}

/// One table of a view. A row is in a file or in the tail, never in both.
#[derive(Clone, Debug, Default)]
pub struct TableView {
    /// Live data files.
    pub files: Arc<Vec<Arc<FileEntry>>>,
    /// Rows that no file holds, in LSN order.
    pub tail: Vec<Arc<TailBatch>>,
}

impl LakeView {
    /// One of the tables.
    pub fn table(&self, kind: TableKind) -> &TableView {
        match kind {
            TableKind::Events => &self.events,
            TableKind::Matches => &self.matches,
            TableKind::Sightings => &self.sightings,
        }
    }

    /// Rows of a table, in files and in memory, of all tenants.
    pub fn rows(&self, kind: TableKind) -> u64 {
        let table = self.table(kind);
        let stored: u64 = table.files.iter().map(|file| file.stats.records).sum();
        stored + table.tail.iter().map(|batch| batch.row_count() as u64).sum::<u64>()
    }

    /// Bytes of memory of what no file holds.
    pub fn tail_bytes(&self) -> u64 {
        let bytes = |table: &TableView| table.tail.iter().map(|b| b.bytes as u64).sum::<u64>();
        bytes(&self.events) + bytes(&self.matches)
    }

    /// Records that are stored (in files), by tenant, feed and hour of receipt, ascending.
    pub fn stored_counts(&self) -> Vec<StoredCount> {
        stored_counts(&self.events.files)
    }

    /// Records that outlived their keeping, by tenant, feed and hour of receipt.
    ///
    /// # Errors
    /// [`LakeError::Io`], [`LakeError::Damaged`].
    pub fn expired_counts(&self) -> Result<Vec<StoredCount>, LakeError> {
        let mut counts = Vec::new();
        for (day, number) in self.expired.iter() {
            counts.extend(expired::counts(&self.store, *day, *number)?);
        }
        Ok(counts)
    }

    /// Whether anything received that day has outlived its keeping.
    pub(crate) fn has_expired(&self, day: i32) -> bool {
        self.expired.contains_key(&day)
    }

    /// Records that wait in memory for a file, by tenant, feed and hour of receipt.
    pub fn tail_counts(&self) -> Vec<StoredCount> {
        tail_counts(&self.events.tail)
    }

    /// Views of the events piece by piece: those in memory, then each data file alone, the file
    /// with the newest event first. Together they are this view's.
    pub fn newest_first(&self) -> Vec<Arc<Self>> {
        let part = |events: TableView| {
            let (matches, sightings) = (TableView::default(), TableView::default());
            let (upper, sighted, store) = (self.upper, self.sighted, self.store.clone());
            let (unsighted, expired) = (Arc::default(), Days::default());
            Arc::new(Self { events, matches, sightings, upper, sighted, unsighted, expired, store })
        };
        let mut parts = Vec::new();
        if !self.events.tail.is_empty() {
            parts.push(part(TableView { files: Arc::default(), tail: self.events.tail.clone() }));
        }
        let newest = |file: &FileEntry| match file.stats.max("time", &time_type()) {
            Some(ScalarValue::TimestampMicrosecond(time, _)) => time.unwrap_or(i64::MAX),
            // What is not known may be the newest.
            _ => i64::MAX,
        };
        let mut files: Vec<_> = self.events.files.iter().map(|file| (newest(file), file)).collect();
        files.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.path.cmp(&other.1.path)));
        parts.extend(files.into_iter().map(|(_, file)| {
            part(TableView { files: Arc::new(vec![Arc::clone(file)]), tail: Vec::new() })
        }));
        parts
    }

    /// The store that holds the data files.
    pub fn store(&self) -> &FsStore {
        &self.store
    }
}

/// What the writer changes, and views are taken of.
#[derive(Default, Debug)]
pub(crate) struct Live {
    /// The `events` table.
    pub events: LiveTable,
    /// The `matches` table.
    pub matches: LiveTable,
    /// The `sightings` table. Its tail are the events that are not counted in its files.
    pub sightings: LiveTable,
    /// Events at or below it are counted in the files of `sightings`.
    pub sighted: Lsn,
    /// Partitions whose files of sightings may be behind their events.
    pub unsighted: Arc<BTreeSet<Partition>>,
    /// Where it is written what has expired.
    pub expired: Days,
    /// Rows above it are not complete yet, and not seen.
    pub upper: Lsn,
}

/// A table with its tail.
#[derive(Default, Debug)]
pub(crate) struct LiveTable {
    /// Live data files.
    pub files: Arc<Vec<Arc<FileEntry>>>,
    /// What they do not hold.
    pub tail: Tail,
}

impl Live {
    /// One of the tables.
    pub(crate) fn table(&mut self, kind: TableKind) -> &mut LiveTable {
        match kind {
            TableKind::Events => &mut self.events,
            TableKind::Matches => &mut self.matches,
            TableKind::Sightings => &mut self.sightings,
        }
    }
}

impl LiveTable {
    fn view(&self, upper: Lsn) -> TableView {
        TableView { files: Arc::clone(&self.files), tail: self.tail.upto(upper) }
    }
}

/// Gives views of what is there, taken when they are asked for.
#[derive(Clone, Debug)]
pub struct LakeHandle {
    store: FsStore,
    live: Arc<RwLock<Live>>,
}

impl LakeHandle {
    pub(crate) fn new(store: FsStore) -> Self {
        Self { store, live: Arc::default() }
    }

    /// The newest view.
    pub fn view(&self) -> Arc<LakeView> {
        let live = self.live();
        Arc::new(LakeView {
            events: live.events.view(live.upper),
            matches: live.matches.view(live.upper),
            sightings: TableView { files: Arc::clone(&live.sightings.files), tail: Vec::new() },
            upper: live.upper,
            sighted: live.sighted,
            unsighted: Arc::clone(&live.unsighted),
            expired: Arc::clone(&live.expired),
            store: self.store.clone(),
        })
    }

    pub(crate) fn live(&self) -> RwLockReadGuard<'_, Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn live_mut(&self) -> RwLockWriteGuard<'_, Live> {
        self.live.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The view of a lake directory that no writer holds, from its tables alone. Call it from a
/// plain thread, not from within an async task.
///
/// # Errors
/// [`LakeError::Missing`] if there is no lake; otherwise those of [`Table::open`].
pub fn open_readonly(fs: Arc<dyn Fs>, dir: &Path) -> Result<Arc<LakeView>, LakeError> {
    let store = FsStore::new(fs, dir);
    crate::writer::runtime()?.block_on(async {
        let mut tables = Vec::new();
        for kind in TableKind::ALL {
            tables.push(Table::open_readonly(&store, kind).await?);
        }
        if tables.iter().all(Option::is_none) {
            return Err(LakeError::Missing(dir.display().to_string()));
        }
        let of = |kind: TableKind| tables.iter().flatten().find(|table| table.kind() == kind);
        let view = |kind| {
            let files = of(kind).map(|table| Arc::clone(table.files())).unwrap_or_default();
            TableView { files, tail: Vec::new() }
        };
        let number = of(TableKind::Events).map_or(0, Table::expired);
        let expired = Arc::new(expired::days(&store, number)?);
        let txn = |kind| of(kind).map_or(Lsn::default(), Table::txn);
        Ok(Arc::new(LakeView {
            events: view(TableKind::Events),
            matches: view(TableKind::Matches),
            sightings: view(TableKind::Sightings),
            upper: txn(TableKind::Events).min(txn(TableKind::Matches)),
            sighted: txn(TableKind::Sightings),
            unsighted: Arc::new(marked(&store)?),
            expired,
            store: store.clone(),
        }))
    })
}
