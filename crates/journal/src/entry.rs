//! What the journal holds: records and the control entries that order everything else.

use yagura_event::{ContextId, TenantName};

/// One entry. Its LSN and received time are the frame's, not the entry's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    /// One framed unit of input, as received.
    Record(Record),
    /// A context in its canonical JSON.
    Context {
        /// Its content address.
        id: ContextId,
        /// [`yagura_event::Context::canonical`].
        json: String,
    },
    /// Time passes: keeps the pipeline's clock going where nothing arrives.
    Tick,
    /// Rules, sources, indicators and settings in force from here on.
    Epoch {
        /// Content address of the set.
        hash: [u8; 16],
    },
    /// A batch begins.
    BatchOpen {
        /// The batch's number, from 1.
        batch: u64,
        /// Its tenant.
        tenant: TenantName,
        /// What the caller asked for, as JSON.
        settings: String,
    },
    /// A batch ends.
    BatchClose {
        /// The batch's number.
        batch: u64,
        /// Whether it was given up rather than completed.
        aborted: bool,
    },
    /// Rows of the books.
    Counts(Vec<Count>),
    /// A file of a batch was read to its end.
    FileDone(FileDone),
    /// Something an operator may want to know later, such as a step of the clock.
    Note(String),
    /// The answer to a request that may be repeated.
    IdempotencyKey {
        /// The request's tenant.
        tenant: TenantName,
        /// The key the client sent.
        key: String,
        /// The answer to give again, as JSON.
        response: String,
    },
    /// Where an input stands: of one key the last one counts.
    Mark(Mark),
    /// Everything that the tenant's earlier entries led to is to be deleted.
    Erase {
        /// The customer.
        tenant: TenantName,
    },
    /// What a rule found in records that were judged before.
    Retrospect {
        /// The customer.
        tenant: TenantName,
        /// The finding, as JSON.
        finding: String,
    },
}

/// Where an input stands, so that it goes on from there after a restart. Submitted in one
/// group with the records that it covers, it is true exactly when they are stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// The customer.
    pub tenant: TenantName,
    /// The customer's inflow.
    pub feed: String,
    /// What stands there, such as a file, in the input's own words.
    pub key: String,
    /// Where it stands, in the input's own words; empty where the key is to be forgotten.
    pub value: String,
}

/// How far a file has been taken in, so that it is known again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileDone {
    /// The customer.
    pub tenant: TenantName,
    /// The customer's inflow.
    pub feed: String,
    /// Host and path by which the file is known.
    pub path: String,
    /// The first 16 bytes of the BLAKE3 hash of its first `bytes` bytes.
    pub hash: [u8; 16],
    /// Bytes read, after decompression.
    pub bytes: u64,
    /// Records in them.
    pub records: u64,
}

/// One framed unit of input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// The customer.
    pub tenant: TenantName,
    /// The customer's configured inflow.
    pub feed: String,
    /// What the record means beyond its bytes.
    pub context: ContextId,
    /// Hash of the unit of order within the feed: a file, or peer and host name.
    pub stream: u64,
    /// The batch's number, 0 for live.
    pub batch: u64,
    /// Who sent it: address and port, or empty.
    pub peer: String,
    /// Byte or record position in its stream.
    pub position: u64,
    /// The bytes as received.
    pub bytes: Vec<u8>,
}

/// A [`Record`] that borrows everything: what producers push and readers get.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordRef<'a> {
    /// The customer: a valid [`TenantName`] on write, text on read.
    pub tenant: &'a str,
    /// See [`Record::feed`].
    pub feed: &'a str,
    /// See [`Record::context`].
    pub context: ContextId,
    /// See [`Record::stream`].
    pub stream: u64,
    /// See [`Record::batch`].
    pub batch: u64,
    /// See [`Record::peer`].
    pub peer: &'a str,
    /// See [`Record::position`].
    pub position: u64,
    /// See [`Record::bytes`].
    pub bytes: &'a [u8],
}

impl Record {
    /// The same, borrowed.
    pub fn as_ref(&self) -> RecordRef<'_> {
        RecordRef {
            tenant: self.tenant.as_str(),
            feed: &self.feed,
            context: self.context,
            stream: self.stream,
            batch: self.batch,
            peer: &self.peer,
            position: self.position,
            bytes: &self.bytes,
        }
    }
}

/// One row of the books: what happened to records of a tenant and feed in an hour of receipt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Count {
    /// The customer.
    pub tenant: TenantName,
    /// The customer's inflow.
    pub feed: String,
    /// Hours since 1970 UTC.
    pub hour: i64,
    /// What happened.
    pub kind: CountKind,
    /// To how many records.
    pub count: u64,
}

/// What happened to the records of a [`Count`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CountKind {
    /// Counted at the input.
    Received,
    /// Refused, with a reason code such as `too_large`.
    Rejected(String),
    /// Known already.
    Duplicate,
    /// Dropped by the kernel before the input could read them: beside the books, since nothing
    /// of them was received.
    KernelDropped,
}

/// An entry's kind as stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum EntryKind {
    /// [`Entry::Record`].
    Record = 1,
    /// [`Entry::Context`].
    Context = 2,
    /// [`Entry::Tick`].
    Tick = 3,
    /// [`Entry::Epoch`].
    Epoch = 4,
    /// [`Entry::BatchOpen`].
    BatchOpen = 5,
    /// [`Entry::BatchClose`].
    BatchClose = 6,
    /// [`Entry::Counts`].
    Counts = 7,
    /// [`Entry::Note`].
    Note = 8,
    /// [`Entry::IdempotencyKey`].
    IdempotencyKey = 9,
    /// [`Entry::FileDone`].
    FileDone = 10,
    /// [`Entry::Mark`].
    Mark = 11,
    /// [`Entry::Erase`].
    Erase = 12,
    /// [`Entry::Retrospect`].
    Retrospect = 13,
}

impl EntryKind {
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Record,
            2 => Self::Context,
            3 => Self::Tick,
            4 => Self::Epoch,
            5 => Self::BatchOpen,
            6 => Self::BatchClose,
            7 => Self::Counts,
            8 => Self::Note,
            9 => Self::IdempotencyKey,
            10 => Self::FileDone,
            11 => Self::Mark,
            12 => Self::Erase,
            13 => Self::Retrospect,
            _ => return None,
        })
    }
}

impl Entry {
    /// The kind under which the entry is stored.
    pub fn kind(&self) -> EntryKind {
        match self {
            Self::Record(_) => EntryKind::Record,
            Self::Context { .. } => EntryKind::Context,
            Self::Tick => EntryKind::Tick,
            Self::Epoch { .. } => EntryKind::Epoch,
            Self::BatchOpen { .. } => EntryKind::BatchOpen,
            Self::BatchClose { .. } => EntryKind::BatchClose,
            Self::Counts(_) => EntryKind::Counts,
            Self::FileDone(_) => EntryKind::FileDone,
            Self::Mark(_) => EntryKind::Mark,
            Self::Erase { .. } => EntryKind::Erase,
            Self::Retrospect { .. } => EntryKind::Retrospect,
            Self::Note(_) => EntryKind::Note,
            Self::IdempotencyKey { .. } => EntryKind::IdempotencyKey,
        }
    }
}
