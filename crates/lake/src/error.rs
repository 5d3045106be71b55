//! Errors of the lake, by what the caller can do about them.

use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;
use std::fmt;
use std::ops::Deref;

/// Why the lake did not do it.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// The query is at fault; the message is for the person who wrote it.
    #[error("{0}")]
    Query(String),
    /// The query went beyond a limit; narrower or with a higher limit it may succeed.
    #[error("query stopped: {0}")]
    Limit(Bound),
    /// No query is taken at the moment; later it may be.
    #[error("query not begun: {0}")]
    Busy(String),
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

/// The limit that a query went beyond. It reads as its text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bound {
    /// Stable word for programs.
    pub code: &'static str,
    /// Words for the person who wrote the query.
    pub text: String,
}

impl Deref for Bound {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl LakeError {
    /// A limit with its code.
    pub fn limit(code: &'static str, text: impl Into<String>) -> Self {
        Self::Limit(Bound { code, text: text.into() })
    }

    /// Stable word for programs: of queries each cause has its own, everything else is
    /// `internal`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Query(_) => "query",
            Self::Limit(bound) => bound.code,
            Self::Busy(_) => "queries_busy",
            _ => "internal",
        }
    }

    /// Whether the query, not the lake, is at fault.
    pub fn is_users_fault(&self) -> bool {
        matches!(self, Self::Query(_) | Self::Limit(_) | Self::Busy(_))
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
            DataFusionError::SQL(fault, _) => match fault.as_ref() {
                ParserError::RecursionLimitExceeded => Self::Query(TOO_DEEP.to_owned()),
                fault => Self::Query(first_line(&fault.to_string())),
            },
            DataFusionError::Plan(_)
            | DataFusionError::SchemaError(..)
            | DataFusionError::NotImplemented(_)
            | DataFusionError::Configuration(_)
            | DataFusionError::Execution(_)
            | DataFusionError::Diagnostic(..)
            | DataFusionError::Collection(_)
            | DataFusionError::ArrowError(..) => Self::Query(text()),
            DataFusionError::ResourcesExhausted(_) => exhausted(&text()),
            _ => Self::Engine(text()),
        }
    }
}

/// What a query is told whose brackets are too deep for the parser.
const TOO_DEEP: &str =
    "the query is nested deeper than 50 levels; write it in fewer levels, or as WITH ... AS";

/// Memory and disk run out with one kind of error.
fn exhausted(text: &str) -> LakeError {
    let disk = text.contains("disk space") || text.contains("temporary directory");
    if disk {
        let text = "what does not fit into its memory is more than its share of the disk; narrow it \
                    or raise query.spill_bytes";
        return LakeError::limit("query_spill", text);
    }
    let text =
        format!("its memory does not suffice ({text}); narrow it or raise query.memory_bytes");
    LakeError::limit("query_memory", text)
}

/// The engine appends hints over several lines; the first says what is wrong.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or(text).to_owned()
}
