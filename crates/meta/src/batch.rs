//! What the data plane hands the judge, and what the judge says it did with it.

use crate::erase::Erasure;
use serde::{Deserialize, Serialize};
use yagura_event::time::Micros;
use yagura_event::{Finding, FindingId, Lsn, Seen, TenantName};

/// One commit of the judge: everything up to a journal position.
///
/// Each part carries its own position; parts at or below the stored position are skipped, so a
/// replay may cut its batches anywhere.
#[derive(Clone, Debug, Default)]
pub struct JudgeBatch {
    /// The position up to which everything is included.
    pub lsn: Lsn,
    /// Journal time at that position.
    pub now: Micros,
    /// Tenants of whom nothing stays that is not in this batch.
    pub erase: Vec<Erasure>,
    /// New findings and new versions.
    pub findings: Vec<Finding>,
    /// New and extended relations.
    pub relations: Vec<Seen>,
    /// Rows of the books.
    pub counts: Vec<BookCount>,
    /// Answers to requests that may be repeated.
    pub replies: Vec<Reply>,
    /// Batches opened, closed or given up.
    pub batches: Vec<BatchRow>,
    /// Records taken of a batch's streams: absolute numbers, so a repeat changes nothing.
    pub positions: Vec<PositionRow>,
    /// Files read to their end.
    pub files: Vec<FileRow>,
    /// Where inputs stand, in the journal's order.
    pub marks: Vec<MarkRow>,
    /// Incidents may be judged by a later commit, together with what comes until then.
    pub defer: bool,
    /// A snapshot of the correlator that has been written aside; it becomes current when its
    /// position is committed.
    pub snapshot: Option<SnapshotRef>,
}

/// One row of the journal's counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BookCount {
    /// The customer.
    pub tenant: TenantName,
    /// The customer's inflow.
    pub feed: String,
    /// Hours since 1970 UTC.
    pub hour: i64,
    /// What happened.
    pub kind: BookKind,
    /// Why, for rejections: a code such as `too_large`; else empty.
    pub reason: String,
    /// To how many records.
    pub count: u64,
    /// Position of the journal entry that says so.
    pub lsn: Lsn,
}

/// What happened to records at the input.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BookKind {
    /// Counted at the input.
    Received,
    /// Refused.
    Rejected,
    /// Known already.
    Duplicate,
    /// Dropped by the kernel before they were received: beside the books.
    KernelDropped,
}

impl BookKind {
    /// The word in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Rejected => "rejected",
            Self::Duplicate => "duplicate",
            Self::KernelDropped => "dropped_by_kernel",
        }
    }

    /// The kind of a [`Self::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [Self::Received, Self::Rejected, Self::Duplicate, Self::KernelDropped];
        all.into_iter().find(|kind| kind.word() == word)
    }
}

/// The answer to a request with an idempotency key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// The request's tenant.
    pub tenant: TenantName,
    /// The key the client sent.
    pub key: String,
    /// The answer to give again, as JSON.
    pub response: String,
    /// Journal time of the request.
    pub time: Micros,
    /// Position of the journal entry.
    pub lsn: Lsn,
}

/// A snapshot of the correlator, written aside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SnapshotRef {
    /// The position whose state it is.
    pub lsn: u64,
    /// Its file name within the data directory.
    pub name: String,
    /// Hash of its content, hexadecimal.
    pub hash: String,
}

/// What a commit changed, for live updates.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Committed {
    /// Whether the stored position advanced.
    pub advanced: bool,
    /// Findings new or with a new version: (tenant, id).
    pub findings: Vec<(String, FindingId)>,
    /// Incidents opened, changed or merged: (tenant, id).
    pub incidents: Vec<(String, String)>,
}

/// A batch and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BatchRow {
    /// Its number.
    pub batch: u64,
    /// The customer.
    pub tenant: String,
    /// What the caller asked for, as JSON.
    pub settings: String,
    /// `open`, `closed` or `aborted`.
    pub state: String,
}

/// How far a batch's stream has been taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PositionRow {
    /// The batch.
    pub batch: u64,
    /// The stream.
    pub stream: u64,
    /// Records taken.
    pub records: u64,
}

/// A file that is known again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileRow {
    /// The customer.
    pub tenant: String,
    /// The customer's inflow.
    pub feed: String,
    /// Host and path by which it is known.
    pub path: String,
    /// Hash of its first `bytes` bytes, hexadecimal.
    pub hash: String,
    /// Bytes read.
    pub bytes: u64,
    /// Records in them.
    pub records: u64,
}

/// Where an input stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MarkRow {
    /// The customer.
    pub tenant: String,
    /// The customer's inflow.
    pub feed: String,
    /// What stands there, in the input's own words.
    pub key: String,
    /// Where, in the input's own words; empty where the key is to be forgotten.
    pub value: String,
}
