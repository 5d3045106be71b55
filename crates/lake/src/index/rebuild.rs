//! Makes indexes anew from their data files, and compares those that are there.

use super::{IndexBuilder, keyed, path_of};
use crate::error::LakeError;
use crate::file::FileEntry;
use crate::reader::read_rows;
use crate::schema::TableKind;
use crate::store::FsStore;
use crate::verify::Damage;
use crate::view::LakeView;
use std::collections::HashSet;
use std::sync::Arc;

/// A data file whose index is to be made.
pub struct Reindex {
    store: FsStore,
    kind: TableKind,
    file: Arc<FileEntry>,
}

impl Reindex {
    /// The live files of a table that have no index, where `there` are those that are.
    pub(crate) fn missing(
        store: &FsStore,
        kind: TableKind,
        live: &[Arc<FileEntry>],
        there: &HashSet<String>,
    ) -> Vec<Self> {
        let missing = live.iter().filter(|file| !there.contains(&path_of(kind, file)));
        let of =
            |file: &Arc<FileEntry>| Self { store: store.clone(), kind, file: Arc::clone(file) };
        missing.filter(|_| keyed::is_indexed(kind)).map(of).collect()
    }

    /// Makes it. Call it from a plain thread.
    ///
    /// # Errors
    /// A data file that cannot be read, an index that cannot be written.
    pub fn write(self) -> Result<(), LakeError> {
        let bytes = made(&self.store, self.kind, &self.file)?;
        let path = path_of(self.kind, &self.file);
        let put = self.store.put_beside(&path, &bytes);
        put.map_err(|source| LakeError::Io { action: "write", path, source })
    }
}

/// The index of a data file, made from its rows.
fn made(store: &FsStore, kind: TableKind, file: &FileEntry) -> Result<Vec<u8>, LakeError> {
    let wanted = |column: &str| keyed::of(kind, column).is_some();
    let Some(mut builder) = IndexBuilder::new(kind) else { return Ok(Vec::new()) };
    for rows in read_rows(store, kind, file, Some(&wanted), None)? {
        builder.push(&rows?);
    }
    let hash = blake3::Hash::from_hex(&file.hash).map_err(|_| LakeError::Damaged {
        table: kind.name(),
        what: format!("{} has no checksum", file.path),
    })?;
    Ok(builder.finish(hash.as_bytes()))
}

/// What was compared of the indexes, and what is wrong.
#[derive(Clone, Default, Debug)]
pub struct IndexReport {
    /// Data files that have an index or should have one.
    pub files: u64,
    /// Data files whose index was made anew and compared.
    pub compared: u64,
    /// Damaged indexes that have been made anew.
    pub repaired: u64,
    /// Indexes that are missing or are not what their data files say.
    pub damages: Vec<Damage>,
}

/// Compares the index of every `nth` data file, and whether the others are there, with what the
/// data file says; makes it anew where `repair`. Call it from a plain thread.
pub fn check_indexes(view: &LakeView, nth: usize, repair: bool) -> IndexReport {
    let mut report = IndexReport::default();
    for kind in TableKind::ALL.into_iter().filter(|kind| keyed::is_indexed(*kind)) {
        for (number, file) in view.table(kind).files.iter().enumerate() {
            report.files += 1;
            let compare = number.is_multiple_of(nth.max(1));
            report.compared += u64::from(compare);
            let Some(mut what) = fault(view.store(), kind, file, compare) else { continue };
            if repair {
                let store = view.store().clone();
                match (Reindex { store, kind, file: Arc::clone(file) }).write() {
                    Ok(()) => report.repaired += 1,
                    Err(error) => what = format!("{what}, and cannot be made anew: {error}"),
                }
            }
            report.damages.push(Damage { path: path_of(kind, file), what });
        }
    }
    report
}

/// What is wrong with the index of a data file.
fn fault(store: &FsStore, kind: TableKind, file: &FileEntry, compare: bool) -> Option<String> {
    let bytes = match store.fs().read(&store.file(&path_of(kind, file))) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Some("index is missing".to_owned());
        }
        Err(error) => return Some(format!("index cannot be read: {error}")),
    };
    match compare.then(|| made(store, kind, file))? {
        Ok(made) if made == bytes => None,
        Ok(_) => Some("index is not what its data file says".to_owned()),
        Err(error) => Some(format!("index cannot be compared: {error}")),
    }
}
