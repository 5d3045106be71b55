//! Errors of the lake, by what the caller can do about them.

use datafusion::error::DataFusionError;

/// Why the lake did not do it.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// The query is at fault; the message is for the person who wrote it.
    #[error("{0}")]
    Query(String),
    /// The query went beyond a limit; narrower or with a higher limit it may succeed.
    #[error("query stopped: {0}")]
    Limit(String),
    /// What is stored is not what was written. Restore it from a backup, or repair it.
    #[error("table {table} is damaged: {what}")]
    Damaged {
        /// The table's name.
        table: &'static str,
        /// Which part and how.
        what: String,
    },
    /// Someone else commits under our name; this writer must stop.
    #[error(
        "another writer has committed to table {table} up to {theirs} while this one was at {ours}; stop one of them"
    )]
    Fenced {
        /// The table's name.
        table: &'static str,
        /// Position in the table.
        theirs: u64,
        /// Position this writer was to commit.
        ours: u64,
    },
    /// There is no lake here.
    #[error("no lake in {0}; ingest something first or name another data directory")]
    Missing(String),
    /// The file system said no.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The table's log could not be read or written.
    #[error("table log: {0}")]
    Delta(Box<deltalake_core::DeltaTableError>),
    /// The object store said no.
    #[error("store: {0}")]
    Store(#[from] object_store::Error),
    /// Columns could not be built.
    #[error("columns: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// A data file could not be written or read.
    #[error("data file: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// The query engine failed without fault of the query.
    #[error("query engine: {0}")]
    Engine(String),
}

impl LakeError {
    /// Whether the query, not the lake, is at fault.
    pub fn is_users_fault(&self) -> bool {
        matches!(self, Self::Query(_) | Self::Limit(_))
    }
}

impl From<deltalake_core::DeltaTableError> for LakeError {
    fn from(error: deltalake_core::DeltaTableError) -> Self {
        Self::Delta(Box::new(error))
    }
}

impl From<DataFusionError> for LakeError {
    fn from(error: DataFusionError) -> Self {
        let text = || first_line(&error.strip_backtrace());
        match error.find_root() {
            // The engine's own text of these is a debug form.
            DataFusionError::SQL(fault, _) => Self::Query(first_line(&fault.to_string())),
            DataFusionError::Plan(_)
            | DataFusionError::SchemaError(..)
            | DataFusionError::NotImplemented(_)
            | DataFusionError::Configuration(_)
            | DataFusionError::Execution(_)
            | DataFusionError::Diagnostic(..)
            | DataFusionError::Collection(_)
            | DataFusionError::ArrowError(..) => Self::Query(text()),
            DataFusionError::ResourcesExhausted(_) => Self::Limit(text()),
            _ => Self::Engine(text()),
        }
    }
}

/// The engine appends hints over several lines; the first says what is wrong.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or(text).to_owned()
}
