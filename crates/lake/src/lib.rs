//! The lake: `events`, `matches` and `sightings` as Delta tables, their memory tail and index,
//! SQL, search and pipes over them.
//!
//! ```text
//! EventBatch ─> rows ─> tail ──flush──> parquet file ─> commit with txn = LSN ─> sums
//!                        │                                   │
//!                        └───────────> LakeView <────────────┘   one immutable value
//!                                         │
//!                           TenantScope ─> provider ─> sql, search, pipe
//! ```
//!
//! Invariants:
//! * A table's `txn` of application `journal` is the LSN up to which its rows are in; rows at
//!   or below it are refused, so a replay stores nothing twice ([`writer`]).
//! * Every byte of a table goes through [`store::FsStore`], which syncs file and directory
//!   before it answers.
//! * A row is in the tail or in the files of a view, never in both ([`view`]).
//! * The tenant predicate is part of the scan, below anything a query can say ([`provider`]).

pub mod error;
pub mod file;
pub mod index;
pub mod output;
pub mod pipe;
mod place;
pub mod provider;
pub mod prune;
pub mod query;
pub mod rows;
pub mod schema;
pub mod search;
pub mod sql;
pub mod stats;
pub mod store;
pub mod sums;
pub mod table;
pub mod tail;
pub mod verify;
pub mod view;
pub mod writer;

mod candidates;
mod clean;
mod columns;
mod compact;
mod dead;
mod erase;
mod expired;
mod fence;
mod flush;
mod footers;
mod gather;
mod match_rows;
pub mod past;
mod ranges;
mod reader;
mod reparse;
mod retention;
mod sightings;
mod table_log;
mod views;

pub use candidates::{CandidateRow, each_candidate};
pub use compact::{Rewrite, Rewritten};
pub use dead::FILE_KEPT;
pub use error::{Bound, LakeError};
pub use expired::EXPIRED_DIR;
pub use file::{FileEntry, StoredCount};
pub use flush::{Flush, Flushed};
pub use index::{INDEX_DIR, IndexReport, Reindex, check_indexes};
pub use query::{Governor, QueryLimits, QueryState, Question, Rows, Ticket};
pub use reparse::{Partition, REPARSE_DIR, Reparser};
pub use retention::{Hold, Keep, Retention};
pub use rows::Names;
pub use schema::TableKind;
pub use sightings::{Seen, SightingsReport, Walked, check_sightings, each_sighting};
pub use sql::{SqlLimits, SqlResult, raw_of, run_sql};
pub use table::stored_counts;
pub use tail::BucketOf;
pub use verify::{Damage, VerifyReport, verify};
pub use view::{LakeHandle, LakeView, open_readonly};
pub use writer::LakeWriter;

/// Name of the lake's directory in a data directory.
pub const LAKE_DIR: &str = "lake";
