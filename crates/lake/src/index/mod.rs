//! The index beside the data files: which values and words each granule of 8,192 rows holds.
//!
//! ```text
//! rows ─ build ─> index/<table>/<data file>.idx        written with the data file
//! condition ─ need ─> keys ─ look ─> granules ─> the rows that a scan reads
//! ```
//! An index is never authoritative: one that is missing, damaged or of another data file makes a
//! query read more and never changes its answer. It lies outside the table's directory, where
//! tools that clean up what a table's log does not name leave it alone.

mod bloom;
mod build;
mod format;
mod hash;
mod keyed;
mod keyset;
mod look;
mod need;
mod rebuild;
mod text;

pub(crate) use build::{IndexBuilder, host_of};
pub use look::HeadCell;
pub(crate) use look::{Wanted, wanted};
pub(crate) use need::Need;
pub use rebuild::{IndexReport, Reindex, check_indexes};

use crate::file::FileEntry;
use crate::schema::TableKind;

/// Directory of the indexes in the lake's directory.
pub const INDEX_DIR: &str = "index";

/// Where the indexes of a table's data files are, in the lake's directory.
pub(crate) fn dir_of(kind: TableKind) -> String {
    format!("{INDEX_DIR}/{}", kind.name())
}

/// Where the index of a data file is, in the lake's directory.
pub(crate) fn path_of(kind: TableKind, file: &FileEntry) -> String {
    path_by(kind, &file.path)
}

/// As [`path_of`], of a data file by its path in the table's directory: names of data files are
/// unique in a table.
pub(crate) fn path_by(kind: TableKind, data: &str) -> String {
    let name = data.rsplit('/').next().unwrap_or(data);
    let name = name.strip_suffix(".parquet").unwrap_or(name);
    format!("{}/{name}.idx", dir_of(kind))
}
