//! `LakeView`: both tables' files and the memory tail above them, as one immutable value.

use crate::error::LakeError;
use crate::file::{FileEntry, StoredCount};
use crate::gather::tail_counts;
use crate::schema::TableKind;
use crate::store::FsStore;
use crate::table::{Table, stored_counts};
use crate::tail::TailBatch;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use yagura_disk::Fs;
use yagura_event::Lsn;

/// What a query reads. It stays as it is while the writer goes on.
#[derive(Clone, Debug)]
pub struct LakeView {
    /// The `events` table.
    pub events: TableView,
    /// The `matches` table.
    pub matches: TableView,
    /// Everything at or below it is in the view.
    pub upper: Lsn,
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
    pub(crate) fn new(store: FsStore, events: TableView, matches: TableView, upper: Lsn) -> Self {
        Self { events, matches, upper, store }
    }

    /// One of the tables.
    pub fn table(&self, kind: TableKind) -> &TableView {
        match kind {
            TableKind::Events => &self.events,
            TableKind::Matches => &self.matches,
        }
    }

    /// Records that are stored (in files), by tenant, feed and hour of receipt, ascending.
    pub fn stored_counts(&self) -> Vec<StoredCount> {
        stored_counts(&self.events.files)
    }

    /// Records that wait in memory for a file, by tenant, feed and hour of receipt.
    pub fn tail_counts(&self) -> Vec<StoredCount> {
        tail_counts(&self.events.tail)
    }

    /// The store that holds the data files.
    pub fn store(&self) -> &FsStore {
        &self.store
    }
}

/// Gives the newest view; cheap to clone and to ask.
#[derive(Clone, Debug)]
pub struct LakeHandle {
    current: Arc<RwLock<Arc<LakeView>>>,
}

impl LakeHandle {
    pub(crate) fn new(view: LakeView) -> Self {
        Self { current: Arc::new(RwLock::new(Arc::new(view))) }
    }

    /// The newest view.
    pub fn view(&self) -> Arc<LakeView> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn publish(&self, view: LakeView) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
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
        let mut found = 0;
        let mut views = Vec::new();
        let mut upper = None;
        for kind in TableKind::ALL {
            let table = Table::open_readonly(&store, kind).await?;
            found += usize::from(table.is_some());
            let txn = table.as_ref().map_or(Lsn::default(), Table::txn);
            upper = Some(upper.map_or(txn, |upper: Lsn| upper.min(txn)));
            let files = table.map(|table| Arc::clone(table.files())).unwrap_or_default();
            views.push(TableView { files, tail: Vec::new() });
        }
        let (matches, events) = (views.pop(), views.pop());
        if found == 0 {
            return Err(LakeError::Missing(dir.display().to_string()));
        }
        Ok(Arc::new(LakeView::new(
            store.clone(),
            events.unwrap_or_default(),
            matches.unwrap_or_default(),
            upper.unwrap_or_default(),
        )))
    })
}
