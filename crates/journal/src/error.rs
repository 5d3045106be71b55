//! What can go wrong in the journal, by what the caller can do about it.

use crate::codec::CodecError;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use yagura_event::{ContextId, Lsn};

/// One damaged place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// The damaged file.
    pub file: PathBuf,
    /// Where in the file, in bytes.
    pub offset: u64,
    /// What is wrong there.
    pub what: &'static str,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: {}", self.file.display(), self.offset, self.what)
    }
}

/// Why the journal refused or failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// A write or fsync failed. The journal accepts nothing until the process is restarted,
    /// because after such a failure a retry proves nothing.
    #[error("intake stopped: {0}; see to the disk, then restart")]
    Stopped(Arc<str>),
    /// The journal's quota or the disk is full; cutting or enlarging makes room.
    #[error(
        "journal is full: {bytes} bytes of {quota_bytes} in use, {free_bytes} bytes free on the disk; free space or raise journal.quota_bytes"
    )]
    Full {
        /// Bytes in live segments and in the queue.
        bytes: u64,
        /// [`crate::Options::quota_bytes`].
        quota_bytes: u64,
        /// What the file system reported last.
        free_bytes: u64,
    },
    /// The disk has too little room for records; what was taken already may still be written.
    #[error(
        "the disk is nearly full: {free_bytes} bytes free, records are refused below {free_bytes_min}; free space or lower disk.refuse_free_bytes"
    )]
    DiskFull {
        /// What the file system reported last.
        free_bytes: u64,
        /// [`crate::Options::free_bytes_min`].
        free_bytes_min: u64,
    },
    /// The queue is full and the caller does not want to wait.
    #[error("journal queue is full; try again")]
    Busy,
    /// One entry's payload is longer than [`crate::ENTRY_BYTES_MAX`].
    #[error(
        "entry of {bytes} bytes is longer than the journal's limit of {limit}; cut the record at the input"
    )]
    TooLarge {
        /// The payload's length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A record names a context that was not stored; see [`crate::JournalHandle::put_context`].
    #[error("context {0} is not in the journal; store it before the record")]
    ContextUnknown(ContextId),
    /// The entries were cut; the reader's checkpoint is older than the journal.
    #[error(
        "journal begins at {first}, entry {wanted} was cut; the reader needs a newer checkpoint"
    )]
    Trimmed {
        /// What the reader asked for.
        wanted: Lsn,
        /// The first entry there is.
        first: Lsn,
    },
    /// The reader's checkpoint lies beyond the journal: it belongs to another one.
    #[error(
        "journal ends at {last}, a reader asked for {wanted}; its checkpoint belongs to another journal"
    )]
    Beyond {
        /// What the reader asked for.
        wanted: Lsn,
        /// The last entry there is.
        last: Lsn,
    },
    /// Acknowledged data is damaged. Copies of the files are in the journal's `damaged` folder.
    #[error("journal is damaged ({}); copies are in its `damaged` folder; restore the files, or go on without the lost entries by skipping damage", list(.0))]
    Damaged(Vec<Damage>),
    /// An entry's checksum holds but its content has another form.
    #[error("journal entry {lsn} cannot be read: {source}")]
    Codec {
        /// The entry.
        lsn: Lsn,
        /// What is wrong with it.
        source: CodecError,
    },
    /// The file system said no.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// The system's reason.
        source: Arc<io::Error>,
    },
}

impl JournalError {
    /// Whether there was no room, so that the same may succeed later.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::DiskFull { .. } | Self::Busy)
    }

    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source: Arc::new(source) }
    }
}

fn list(damage: &[Damage]) -> String {
    damage.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
