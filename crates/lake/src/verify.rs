//! Compares every file of the tables with the checksum that was taken when it was written.

use crate::error::LakeError;
use crate::expired;
use crate::file::FileEntry;
use crate::schema::TableKind;
use crate::store::{FsStore, Written};
use crate::sums::{self, SUMS_DIR, Sums};
use crate::table::{LOG_DIR, Table};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use yagura_disk::Fs;

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Damage {
    /// Path in the lake's directory.
    pub path: String,
    /// What is wrong with it.
    pub what: String,
}

/// What was looked at and what was found.
#[derive(Clone, Default, Debug)]
pub struct VerifyReport {
    /// Files compared with their checksum.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is wrong, sorted by path.
    pub damages: Vec<Damage>,
    /// Files that no version names: left behind by a flush that did not reach its commit.
    /// They are harmless and hold rows that are stored elsewhere.
    pub orphans: Vec<String>,
}

/// Reads every file of both tables. The lake may be in use by a writer of the same process
/// only between its flushes. Call it from a plain thread.
///
/// # Errors
/// [`LakeError::Io`] if a directory cannot be read; damage is in the report instead.
pub fn verify(fs: Arc<dyn Fs>, dir: &Path) -> Result<VerifyReport, LakeError> {
    let store = FsStore::new(fs, dir);
    let runtime = crate::writer::runtime()?;
    let mut report = VerifyReport::default();
    for kind in TableKind::ALL {
        let live = match runtime.block_on(Table::open_readonly(&store, kind)) {
            Ok(Some(table)) => {
                if kind == TableKind::Events {
                    verify_expired(&store, table.expired(), &mut report)?;
                }
                Some(Arc::clone(table.files()))
            }
            Ok(None) => None,
            Err(error) => {
                report.damage(kind.name().to_owned(), error.to_string());
                None
            }
        };
        let present = runtime.block_on(store.paths_in(kind.name()))?;
        verify_table(&store, kind, live.as_deref(), &present, &mut report)?;
    }
    report.damages.sort();
    report.damages.dedup();
    report.orphans.sort();
    Ok(report)
}

impl VerifyReport {
    fn damage(&mut self, path: String, what: impl Into<String>) {
        self.damages.push(Damage { path, what: what.into() });
    }
}

fn verify_table(
    store: &FsStore,
    kind: TableKind,
    live: Option<&Vec<Arc<FileEntry>>>,
    present: &BTreeSet<String>,
    report: &mut VerifyReport,
) -> Result<(), LakeError> {
    let mut known = Sums::new();
    for version in sums::versions(store, kind.name())? {
        let path = format!("{}/{}", kind.name(), sums::path_of(version));
        match store.fs().read(&store.file(&path)).ok().as_deref().and_then(sums::decode) {
            Some(sums) => known.extend(sums),
            None => report.damage(path, "checksum file is damaged"),
        }
    }
    for (path, written) in &known {
        let object = format!("{}/{path}", kind.name());
        if present.contains(path) {
            compare(store, object, written, report);
        } else if path.starts_with(LOG_DIR) {
            report.damage(object, "log file is missing");
        }
    }
    let live: BTreeSet<&str> = live.into_iter().flatten().map(|file| file.path.as_str()).collect();
    for path in &live {
        let object = format!("{}/{path}", kind.name());
        if !present.contains(*path) {
            report.damage(object, "data file is missing");
        } else if !known.contains_key(*path) {
            report.damage(object, "data file has no checksum");
        }
    }
    for path in present {
        let ours = path.starts_with(SUMS_DIR) || path.starts_with(LOG_DIR);
        if !ours && !known.contains_key(path) && !live.contains(path.as_str()) {
            report.orphans.push(format!("{}/{path}", kind.name()));
        }
    }
    Ok(())
}

/// What was counted as expired.
fn verify_expired(
    store: &FsStore,
    committed: u64,
    report: &mut VerifyReport,
) -> Result<(), LakeError> {
    let days = expired::days(store, committed)?;
    if committed > 0 && days.values().all(|number| *number != committed) {
        report.damage("expired".to_owned(), format!("what expired last, {committed}, is missing"));
    }
    for (day, number) in days {
        report.files += 1;
        if let Err(error) = expired::counts(store, day, number) {
            report.damage(expired::path_of(day, number), error.to_string());
        }
    }
    Ok(())
}

fn compare(store: &FsStore, object: String, written: &Written, report: &mut VerifyReport) {
    let bytes = match store.fs().read(&store.file(&object)) {
        Ok(bytes) => bytes,
        Err(error) => return report.damage(object, format!("cannot be read: {error}")),
    };
    report.files += 1;
    report.bytes += bytes.len() as u64;
    if bytes.len() as u64 != written.size {
        let what = format!("has {} bytes, {} were written", bytes.len(), written.size);
        report.damage(object, what);
    } else if blake3::hash(&bytes) != written.hash {
        report.damage(object, "content differs from what was written");
    }
}
