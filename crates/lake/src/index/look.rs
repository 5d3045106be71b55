//! Asks the index of a data file which of its granules may hold what is needed.

use super::format::{self, Head};
use super::need::Need;
use super::{bloom, path_of};
use crate::file::{FileEntry, GRANULE_ROWS};
use crate::schema::TableKind;
use crate::store::FsStore;
use parquet::arrow::arrow_reader::RowSelection;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Bytes read for the head of an index; most are smaller, and a larger one is read again.
const HEAD_BYTES: usize = 16 << 10;

/// Keys from which on an index is read as a whole.
const KEYS_WHOLE: usize = 32;

/// The head of a data file's index once it has been read; no part of what the file is.
#[derive(Clone, Debug, Default)]
pub struct HeadCell(OnceLock<Arc<Head>>);

impl PartialEq for HeadCell {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What of a data file is to be read.
pub(crate) enum Wanted {
    /// All of it: nothing is known of what is needed, or there is no index that can be used.
    All,
    /// Nothing.
    Nothing,
    /// These rows, of which some may be needed.
    Rows(RowSelection),
}

/// What of `file` may hold what is needed, where that is known.
pub(crate) fn wanted(
    store: &FsStore,
    kind: TableKind,
    file: &FileEntry,
    need: Option<&Need>,
) -> Wanted {
    match need.and_then(|need| granules(store, kind, file, need)) {
        None => Wanted::All,
        Some(granules) if granules.iter().any(|hit| *hit) => {
            let rows = usize::try_from(file.stats.records).unwrap_or(usize::MAX);
            Wanted::Rows(selection(&granules, rows))
        }
        Some(_) => Wanted::Nothing,
    }
}

/// Which granules of `file` may hold what is needed; `None` where its index cannot tell.
fn granules(store: &FsStore, kind: TableKind, file: &FileEntry, need: &Need) -> Option<Vec<bool>> {
    let path = store.file(&path_of(kind, file));
    let head = head(store, &path, file)?;
    let whole = if need.keys() > KEYS_WHOLE { store.fs().read(&path).ok() } else { None };
    Index { store, path, head: &head, whole }.granules(need)
}

/// The head of the file's index, if it is one of this very file.
fn head(store: &FsStore, path: &Path, file: &FileEntry) -> Option<Arc<Head>> {
    if let Some(head) = file.index.0.get() {
        return Some(Arc::clone(head));
    }
    let mut bytes = store.fs().read_range(path, 0, HEAD_BYTES).ok()?;
    let needed = format::head_bytes(&bytes)?;
    if needed > bytes.len() {
        bytes = store.fs().read_range(path, 0, needed).ok()?;
    }
    let head = format::decode(&bytes)?;
    let hash = blake3::Hash::from_hex(&file.hash).ok()?;
    let of_it = head.file == *hash.as_bytes() && head.rows == file.stats.records;
    of_it.then(|| Arc::clone(file.index.0.get_or_init(|| Arc::new(head))))
}

struct Index<'a> {
    store: &'a FsStore,
    path: PathBuf,
    head: &'a Head,
    whole: Option<Vec<u8>>,
}

impl Index<'_> {
    /// `None` where a part that is asked for is damaged.
    fn granules(&self, need: &Need) -> Option<Vec<bool>> {
        match need {
            Need::Key(key) => self.key(*key),
            Need::All(parts) => {
                let mut parts = parts.iter();
                let mut found = self.granules(parts.next()?)?;
                for part in parts {
                    if !found.iter().any(|hit| *hit) {
                        break;
                    }
                    let other = self.granules(part)?;
                    found.iter_mut().zip(other).for_each(|(hit, other)| *hit &= other);
                }
                Some(found)
            }
            Need::Any(parts) => {
                let mut found = vec![false; self.head.granules as usize];
                for part in parts {
                    let other = self.granules(part)?;
                    found.iter_mut().zip(other).for_each(|(hit, other)| *hit |= other);
                }
                Some(found)
            }
        }
    }

    fn key(&self, key: u64) -> Option<Vec<bool>> {
        let mut found = vec![false; self.head.granules as usize];
        for segment in &self.head.segments {
            let (place, len) = segment.row(key);
            let read;
            let row = match &self.whole {
                Some(whole) => {
                    let start = usize::try_from(place).ok()?;
                    whole.get(start..start.checked_add(len)?)?
                }
                None => {
                    read = self.store.fs().read_range(&self.path, place, len).ok()?;
                    read.as_slice()
                }
            };
            let hits = bloom::hits(&self.head.file, place, row, key)?;
            for (granule, hit) in segment.granules.iter().zip(hits) {
                if let Some(slot) = found.get_mut(*granule as usize) {
                    *slot |= hit;
                }
            }
        }
        Some(found)
    }
}

/// The rows of the granules.
fn selection(granules: &[bool], rows: usize) -> RowSelection {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (number, _) in granules.iter().enumerate().filter(|(_, hit)| **hit) {
        let start = (number * GRANULE_ROWS).min(rows);
        let end = ((number + 1) * GRANULE_ROWS).min(rows);
        match ranges.last_mut() {
            Some(last) if last.end == start => last.end = end,
            _ => ranges.push(start..end),
        }
    }
    RowSelection::from_consecutive_ranges(ranges.into_iter(), rows)
}
