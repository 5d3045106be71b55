//! The durable log: what an input acknowledges is fsynced here first (DESIGN section 4).
//!
//! A journal is a directory of segments, `<first LSN, 20 digits>.yj`:
//!
//! ```text
//! segment  magic "YGRJ" | version u16 | node u16 | epoch u16 | flags u16 | first LSN u64 |
//!          reserved u64 | CRC32C u32 of what precedes                          (32 bytes)
//! entry    payload length u32 | CRC32C u32 of the rest and the length | LSN u64 |
//!          kind u8 | received time i64 | payload                     (25 bytes + payload)
//! ```
//!
//! Numbers are little-endian. The kind's two upper bits mark the first entry of a commit and
//! the last of a group. A *group* (one submission) is kept whole or not at all. A commit goes
//! into one segment and begins after the fsync of the one before, so the mark of a later
//! commit proves that everything before it was durable: damage there is reported, while an
//! unproven tail is a write that a crash interrupted, and is cut.
//!
//! Beside the segments: `contexts/<id>.json`, stored before the first record that names them;
//! `kept/`, where cut segments go with [`Options::keep`]; `damaged/`, copies of damaged files.
//!
//! Invariants: LSNs are dense from 1 (gaps only where damage was skipped, marked in the
//! segment's flags); received time never runs backwards; nothing is read before it is durable;
//! after a failed write or fsync nothing is accepted any more ([`JournalError::Stopped`]).

mod codec;
mod context;
mod decode;
mod entry;
mod error;
mod frame;
mod handle;
mod log;
mod reader;
mod recover;
mod salvage;
mod segment;
mod writer;

pub use codec::CodecError;
pub use entry::{Count, CountKind, Entry, EntryKind, FileDone, Mark, Record, RecordRef};
pub use error::{Damage, JournalError};
pub use frame::{ENTRY_BYTES_MAX, EntryBuffer, FRAME_HEADER_BYTES};
pub use handle::{JournalHandle, JournalStats};
pub use log::{Journal, Options};
pub use reader::{Chunk, EntryView, READ_CHUNK_BYTES, Reader};
pub use recover::{Recovery, TornTail};
pub use segment::SEGMENT_HEADER_BYTES;
pub use writer::{CLOCK_STEP_NOTED, COMMIT_BYTES_MAX, Committed, JournalWriter, Ticket};
