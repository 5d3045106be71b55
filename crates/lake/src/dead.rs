//! Data files that no version of a table needs: replaced by a rewrite, or left behind by a
//! process that died before its commit. They are deleted once no view of this process holds
//! them and readers of other processes had time.

use crate::error::LakeError;
use crate::file::FileEntry;
use crate::index::{dir_of, path_by};
use crate::schema::{RECEIVED_DAY, TableKind};
use crate::store::FsStore;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a file is kept after it has been replaced, for readers of other processes that
/// opened the table before.
pub const FILE_KEPT: Duration = Duration::from_secs(15 * 60);

/// The files, each with when it was found not to be needed.
#[derive(Default)]
pub(crate) struct DeadFiles(Vec<Dead>);

struct Dead {
    object: String,
    /// Its index.
    index: String,
    since: Instant,
    /// What views of this process hold.
    entry: Option<Arc<FileEntry>>,
}

impl DeadFiles {
    /// Finds what an earlier process left in a table's directory; returns the indexes that are
    /// there.
    pub(crate) async fn find(
        &mut self,
        store: &FsStore,
        kind: TableKind,
        live: &[Arc<FileEntry>],
    ) -> Result<HashSet<String>, LakeError> {
        let live: HashSet<&str> = live.iter().map(|file| file.path.as_str()).collect();
        let since = Instant::now();
        let data = |path: &String| path.starts_with(RECEIVED_DAY) && path.ends_with(".parquet");
        let found: Vec<String> =
            store.paths_in(kind.name()).await?.into_iter().filter(data).collect();
        // What has no data file was left when its data file went.
        let expected: HashSet<String> = found.iter().map(|path| path_by(kind, path)).collect();
        let names = store.paths_in(&dir_of(kind)).await?.into_iter();
        let objects = names.map(|name| format!("{}/{name}", dir_of(kind)));
        let (indexes, left): (HashSet<String>, HashSet<String>) =
            objects.partition(|object| expected.contains(object));
        left.iter().try_for_each(|object| store.remove(object))?;
        let dead = found.into_iter().filter(|path| !live.contains(path.as_str()));
        self.0.extend(dead.map(|path| Dead {
            index: path_by(kind, &path),
            object: format!("{}/{path}", kind.name()),
            since,
            entry: None,
        }));
        Ok(indexes)
    }

    /// A file whose name begins with `name` is about to be written anew: what was left under it
    /// is not dead any more.
    pub(crate) fn revive(&mut self, kind: TableKind, name: &str) {
        let name = format!("/{name}");
        self.0
            .retain(|dead| !(dead.object.starts_with(kind.name()) && dead.object.contains(&name)));
    }

    /// Whether nothing waits for its deletion.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes a file that has been replaced.
    pub(crate) fn add(&mut self, kind: TableKind, entry: Arc<FileEntry>, since: Instant) {
        let object = format!("{}/{}", kind.name(), entry.path);
        let index = path_by(kind, &entry.path);
        self.0.push(Dead { object, index, since, entry: Some(entry) });
    }

    /// Deletes what nobody needs any more; returns how many files that were.
    ///
    /// # Errors
    /// [`LakeError::Io`]; the file is tried again with the next call.
    pub(crate) fn sweep(
        &mut self,
        store: &FsStore,
        now: Instant,
        kept: Duration,
    ) -> Result<usize, LakeError> {
        let before = self.0.len();
        let mut failed = None;
        self.0.retain(|dead| {
            let held = dead.entry.as_ref().is_some_and(|entry| Arc::strong_count(entry) > 1);
            if held || now.saturating_duration_since(dead.since) < kept || failed.is_some() {
                return true;
            }
            let gone = store.remove(&dead.object).and_then(|()| store.remove(&dead.index));
            failed = gone.err();
            failed.is_some()
        });
        failed.map_or(Ok(before - self.0.len()), Err)
    }
}
