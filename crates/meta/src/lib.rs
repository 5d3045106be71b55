//! The relational stores: what the judge concluded (`judge.sqlite`), what people decided about it
//! and what they were told (`meta.sqlite`).
//!
//! One writer owns [`JudgeStore`]; it commits what the data plane hands it in one transaction
//! with the journal position, so that a replay changes nothing. Everything the judge concludes
//! is a function of findings, relations and journal time, never of the wall clock.

pub mod access;
pub mod apply;
pub mod batch;
pub mod browse;
pub mod cases;
pub mod crc;
mod dirty;
mod erase;
pub mod error;
mod ingest;
pub mod judge;
pub mod outbox;
pub mod owners;
pub mod people;
pub mod read;
pub mod recompute;
pub mod repeats;
pub mod rules;
pub mod schema;
pub mod verify;
pub mod window;

pub use access::{Account, SessionRow, TokenRow};
pub use batch::{
    BatchRow, BookCount, BookKind, Committed, FileRow, JudgeBatch, MarkRow, PositionRow, Reply,
    SnapshotRef,
};
pub use browse::RuleStats;
pub use cases::{CaseRow, DecisionRow, NoteRow, SavedRow};
pub use erase::Erasure;
pub use error::MetaError;
pub use judge::JudgeStore;
pub use owners::OwnerRow;
pub use people::PeopleStore;
pub use read::{
    BookRow, EntityFilter, EntityPlace, EntityRow, EvidenceRow, FindingFilter, TenantStats,
};
pub use repeats::{EarlierRow, KeyedRequest};
pub use rules::RuleStateRow;
pub use verify::Damage;

#[cfg(test)]
mod muddle;
#[cfg(test)]
mod tests;
