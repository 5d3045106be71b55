//! What can go wrong with the relational stores.

use std::path::PathBuf;

/// Why a store refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum MetaError {
    /// SQLite said no.
    #[error("cannot {action}: {source}")]
    Sqlite {
        /// What was tried.
        action: &'static str,
        /// SQLite's reason.
        source: rusqlite::Error,
    },
    /// There is no such store.
    #[error("no store at {path}; name a data directory that has been used before")]
    Missing {
        /// The path looked at.
        path: PathBuf,
    },
    /// The store was written by a newer release.
    #[error("{path} has schema {found}, this release reads up to {supported}; use a newer release")]
    Newer {
        /// The store.
        path: PathBuf,
        /// Its schema version.
        found: i64,
        /// The newest this release reads.
        supported: i64,
    },
    /// A stored row does not read back.
    #[error("row {row} of table {table} is damaged; run `yagura check` on the data directory")]
    Damaged {
        /// The table.
        table: &'static str,
        /// The row's key.
        row: String,
    },
    /// The store was opened for reading only.
    #[error("the store is open for reading only; commit through the server that owns it")]
    ReadOnly,
    /// A value could not be written as JSON.
    #[error("cannot write a {what} as json: {source}")]
    Json {
        /// What it was.
        what: &'static str,
        /// The reason.
        source: serde_json::Error,
    },
}

/// Names what was tried in an error of SQLite.
pub(crate) trait During<T> {
    fn during(self, action: &'static str) -> Result<T, MetaError>;
}

impl<T> During<T> for Result<T, rusqlite::Error> {
    fn during(self, action: &'static str) -> Result<T, MetaError> {
        self.map_err(|source| MetaError::Sqlite { action, source })
    }
}
