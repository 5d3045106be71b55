//! Data files that no version of a table needs: replaced by a rewrite, or left behind by a
//! process that died before its commit. They are deleted once no view of this process holds
//! them and readers of other processes had time.

use crate::error::LakeError;
use crate::file::FileEntry;
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
    since: Instant,
    /// What views of this process hold.
    entry: Option<Arc<FileEntry>>,
}

impl DeadFiles {
    /// Finds what an earlier process left in a table's directory.
    pub(crate) async fn find(
        &mut self,
        store: &FsStore,
        kind: TableKind,
        live: &[Arc<FileEntry>],
    ) -> Result<(), LakeError> {
        let live: HashSet<&str> = live.iter().map(|file| file.path.as_str()).collect();
        let since = Instant::now();
        let data = |path: &String| path.starts_with(RECEIVED_DAY) && path.ends_with(".parquet");
        let found = store.paths_in(kind.name()).await?.into_iter();
        let dead = found.filter(|path| data(path) && !live.contains(path.as_str()));
        self.0.extend(dead.map(|path| Dead {
            object: format!("{}/{path}", kind.name()),
            since,
            entry: None,
        }));
        Ok(())
    }

    /// A file whose name begins with `name` is about to be written anew: what was left under it
    /// is not dead any more.
    pub(crate) fn revive(&mut self, kind: TableKind, name: &str) {
        let name = format!("/{name}");
        self.0
            .retain(|dead| !(dead.object.starts_with(kind.name()) && dead.object.contains(&name)));
    }

    /// Notes a file that has been replaced.
    pub(crate) fn add(&mut self, kind: TableKind, entry: Arc<FileEntry>, since: Instant) {
        let object = format!("{}/{}", kind.name(), entry.path);
        self.0.push(Dead { object, since, entry: Some(entry) });
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
            match store.fs().remove(&store.file(&dead.object)) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    let path = dead.object.clone();
                    failed = Some(LakeError::Io { action: "delete", path, source });
                    true
                }
                _ => false,
            }
        });
        failed.map_or(Ok(before - self.0.len()), Err)
    }
}
