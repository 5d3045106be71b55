//! Clean-up of a table's log: what no reader needs that begins with a checkpoint.
//!
//! Two checkpoints stay, with the entries since the older, or one where history is to be forgotten. Checksums of data files that are still
//! live are carried over to the oldest that stay before their own file is deleted, so that a crash
//! at any place leaves each live file with one.

use crate::error::LakeError;
use crate::file::FileEntry;
use crate::schema::TableKind;
use crate::store::{FsStore, Written};
use crate::sums::{self, SUMS_DIR};
use crate::table::LOG_DIR;
use std::sync::Arc;

/// Deletes the log before the oldest of the `kept` newest checkpoints; returns how many files. None
/// where that checkpoint's own checksums are missing or damaged.
///
/// # Errors
/// [`LakeError::Io`]; the rest is deleted by the next call.
pub(crate) fn clean_log(
    store: &FsStore,
    kind: TableKind,
    live: &[Arc<FileEntry>],
    kept: usize,
) -> Result<usize, LakeError> {
    let dir = format!("{}/{LOG_DIR}", kind.name());
    let names = store.names(&dir)?;
    let version = |name: &str| name.split_once('.')?.0.parse::<u64>().ok();
    let checkpoint = |name: &&String| name.contains(".checkpoint.");
    let mut checkpoints: Vec<u64> =
        names.iter().filter(checkpoint).filter_map(|name| version(name)).collect();
    checkpoints.sort_unstable();
    checkpoints.dedup();
    let Some(keep) = checkpoints.len().checked_sub(kept).and_then(|at| checkpoints.get(at)) else {
        return Ok(0);
    };
    let mut old = sums::versions(store, kind.name())?;
    old.retain(|version| version < keep);
    if !old.is_empty() && !carry(store, kind, *keep, live)? {
        return Ok(0);
    }
    let old: Vec<String> = old.iter().map(|version| sums::path_of(*version)).collect();
    delete(store, kind, &old)?;
    if !old.is_empty() {
        // A checksum that comes back without its log entry would be a damage.
        let path = format!("{}/{SUMS_DIR}", kind.name());
        let synced = store.fs().sync_dir(&store.file(&path));
        synced.map_err(|source| LakeError::Io { action: "sync", path, source })?;
    }
    let before = |name: &&String| version(name).is_some_and(|version| version < *keep);
    let entries: Vec<String> =
        names.iter().filter(before).map(|name| format!("{LOG_DIR}/{name}")).collect();
    delete(store, kind, &entries)?;
    Ok(old.len() + entries.len())
}

fn delete(store: &FsStore, kind: TableKind, paths: &[String]) -> Result<(), LakeError> {
    paths.iter().try_for_each(|path| store.remove(&format!("{}/{path}", kind.name())))
}

/// Adds the live data files to a version's checksums; false where those cannot be read.
fn carry(
    store: &FsStore,
    kind: TableKind,
    version: u64,
    live: &[Arc<FileEntry>],
) -> Result<bool, LakeError> {
    let path = format!("{}/{}", kind.name(), sums::path_of(version));
    let bytes = store.fs().read(&store.file(&path)).ok();
    let Some(mut all) = bytes.as_deref().and_then(sums::decode) else { return Ok(false) };
    for file in live {
        if let Ok(hash) = blake3::Hash::from_hex(&file.hash) {
            all.entry(file.path.clone()).or_insert(Written { hash, size: file.size });
        }
    }
    sums::write(store, kind.name(), version, &all).map(|()| true)
}
