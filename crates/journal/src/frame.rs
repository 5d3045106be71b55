//! One entry's frame: length, checksum, LSN, kind with marks, received time, payload.

use crate::codec::{encode, encode_record};
use crate::entry::{Entry, EntryKind, RecordRef};
use crate::error::JournalError;
use yagura_event::{ContextId, Lsn, Micros};

/// Longest payload of one entry, in bytes. It holds any record an input frames (inputs cut
/// at their own, smaller limits) and keeps a damaged length field from claiming a segment.
/// A longer entry is refused with [`JournalError::TooLarge`] and nothing of it is kept.
pub const ENTRY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of a frame before its payload.
pub const FRAME_HEADER_BYTES: usize = 25;

/// Marks the first entry of a commit: what precedes it was durable before it was written.
pub(crate) const COMMIT_BEGIN: u8 = 0x80;
/// Marks the last entry of a group, which is kept whole or not at all.
pub(crate) const GROUP_END: u8 = 0x40;
const KIND_MASK: u8 = 0x3f;

const CRC_AT: usize = 4;
const LSN_AT: usize = 8;
const KIND_AT: usize = 16;
const TIME_AT: usize = 17;

/// Entries encoded by their producer, to be submitted as one group.
///
/// LSN, time and checksum are filled in by the journal; encoding is left to the producer's
/// thread so that the one writer has only to copy.
#[derive(Clone, Debug, Default)]
pub struct EntryBuffer {
    pub(crate) bytes: Vec<u8>,
    pub(crate) contexts: Vec<ContextId>,
    pub(crate) entries: u64,
    pub(crate) records: u64,
}

impl EntryBuffer {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an entry.
    ///
    /// # Errors
    /// [`JournalError::TooLarge`]; the buffer is then as before.
    pub fn push(&mut self, entry: &Entry) -> Result<(), JournalError> {
        if let Entry::Record(record) = entry {
            return self.push_record(record.as_ref());
        }
        push_frame(&mut self.bytes, entry.kind(), |out| encode(entry, out))?;
        self.entries += 1;
        Ok(())
    }

    /// Appends a record without a copy of its own.
    ///
    /// # Errors
    /// [`JournalError::TooLarge`]; the buffer is then as before.
    pub fn push_record(&mut self, record: RecordRef<'_>) -> Result<(), JournalError> {
        push_frame(&mut self.bytes, EntryKind::Record, |out| encode_record(record, out))?;
        self.entries += 1;
        self.records += 1;
        if self.contexts.last() != Some(&record.context) && !self.contexts.contains(&record.context)
        {
            self.contexts.push(record.context);
        }
        Ok(())
    }

    /// Number of entries.
    pub fn len(&self) -> u64 {
        self.entries
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Bytes the entries take in the journal.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }
}

/// Appends an unstamped frame: length and kind only.
pub(crate) fn push_frame(
    bytes: &mut Vec<u8>,
    kind: EntryKind,
    payload: impl FnOnce(&mut Vec<u8>),
) -> Result<(), JournalError> {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; FRAME_HEADER_BYTES]);
    payload(bytes);
    let len = bytes.len() - start - FRAME_HEADER_BYTES;
    if len > ENTRY_BYTES_MAX {
        bytes.truncate(start);
        return Err(JournalError::TooLarge { bytes: len, limit: ENTRY_BYTES_MAX });
    }
    bytes[start..start + 4].copy_from_slice(&(len as u32).to_le_bytes());
    bytes[start + KIND_AT] = kind as u8;
    Ok(())
}

/// Fills in LSN, time, marks and checksum of every frame in `bytes`, which
/// [`push_frame`] wrote. Returns the offset of the last frame.
pub(crate) fn stamp(
    bytes: &mut [u8],
    first: Lsn,
    received: Micros,
    begins: bool,
    ends: bool,
) -> usize {
    let (mut at, mut last, mut lsn) = (0, 0, first.0);
    while at + FRAME_HEADER_BYTES <= bytes.len() {
        let end = at + FRAME_HEADER_BYTES + payload_len(&bytes[at..]);
        let frame = &mut bytes[at..end];
        frame[LSN_AT..LSN_AT + 8].copy_from_slice(&lsn.to_le_bytes());
        frame[TIME_AT..TIME_AT + 8].copy_from_slice(&received.to_le_bytes());
        if begins && at == 0 {
            frame[KIND_AT] |= COMMIT_BEGIN;
        }
        last = at;
        (at, lsn) = (end, lsn + 1);
        if !ends || at < bytes.len() {
            seal(&mut bytes[last..end]);
        }
    }
    if ends && at > 0 {
        end_group(&mut bytes[last..]);
    }
    last
}

/// Marks the frame at the front of `frame`, which ends the slice, as its group's last.
pub(crate) fn end_group(frame: &mut [u8]) {
    frame[KIND_AT] |= GROUP_END;
    seal(frame);
}

fn seal(frame: &mut [u8]) {
    let crc = checksum(frame);
    frame[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_le_bytes());
}

fn checksum(frame: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&frame[..CRC_AT]), &frame[LSN_AT..])
}

fn payload_len(frame: &[u8]) -> usize {
    u32::from_le_bytes([frame[0], frame[1], frame[2], frame[3]]) as usize
}

/// A frame whose checksum held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub lsn: Lsn,
    pub kind: EntryKind,
    pub received: Micros,
    pub begins: bool,
    pub ends: bool,
    /// Length with header.
    pub len: usize,
}

/// Why there is no frame at a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FrameFault {
    /// The bytes end inside the frame, which wants this many.
    Short(usize),
    /// The length, kind or checksum does not hold.
    Bad(&'static str),
}

/// Reads the frame at the front of `bytes`.
pub(crate) fn read_frame(bytes: &[u8]) -> Result<Frame, FrameFault> {
    let Some(head) = bytes.first_chunk::<FRAME_HEADER_BYTES>() else {
        return Err(FrameFault::Short(FRAME_HEADER_BYTES));
    };
    let len = payload_len(head);
    if len > ENTRY_BYTES_MAX {
        return Err(FrameFault::Bad("entry length is beyond the limit"));
    }
    let kind_byte = head[KIND_AT];
    let Some(kind) = EntryKind::from_byte(kind_byte & KIND_MASK) else {
        return Err(FrameFault::Bad("entry kind is not known"));
    };
    let len = FRAME_HEADER_BYTES + len;
    let Some(frame) = bytes.get(..len) else {
        return Err(FrameFault::Short(len));
    };
    let crc = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    if crc != checksum(frame) {
        return Err(FrameFault::Bad("entry checksum does not hold"));
    }
    Ok(Frame {
        lsn: peek_lsn(head),
        kind,
        received: i64::from_le_bytes(word(head, TIME_AT)),
        begins: kind_byte & COMMIT_BEGIN != 0,
        ends: kind_byte & GROUP_END != 0,
        len,
    })
}

/// The LSN a header claims, before its checksum is looked at.
pub(crate) fn peek_lsn(head: &[u8; FRAME_HEADER_BYTES]) -> Lsn {
    Lsn(u64::from_le_bytes(word(head, LSN_AT)))
}

fn word(head: &[u8; FRAME_HEADER_BYTES], at: usize) -> [u8; 8] {
    let mut word = [0; 8];
    word.copy_from_slice(&head[at..at + 8]);
    word
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn stamped_frames_read_back_with_their_marks() {
        let mut buffer = EntryBuffer::new();
        for text in ["a", "bb", "ccc"] {
            buffer.push(&Entry::Note(text.into())).unwrap();
        }
        let last = stamp(&mut buffer.bytes, Lsn(7), 55, true, true);
        let (mut at, mut seen) = (0, Vec::new());
        while at < buffer.bytes.len() {
            let frame = read_frame(&buffer.bytes[at..]).unwrap();
            assert_eq!(frame.received, 55);
            seen.push((frame.lsn.0, frame.begins, frame.ends));
            if frame.ends {
                assert_eq!(at, last);
            }
            at += frame.len;
        }
        assert_eq!(seen, [(7, true, false), (8, false, false), (9, false, true)]);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let mut buffer = EntryBuffer::new();
        buffer.push(&Entry::Note("the quick brown fox".into())).unwrap();
        stamp(&mut buffer.bytes, Lsn(1), 1, true, true);
        for bit in 0..buffer.bytes.len() * 8 {
            let mut bytes = buffer.bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(read_frame(&bytes).is_err(), "bit {bit}");
        }
        assert!(read_frame(&[0; 64]).is_err());
    }

    #[test]
    fn the_limit_is_accepted_and_one_more_is_refused() {
        let mut buffer = EntryBuffer::new();
        let room = ENTRY_BYTES_MAX - 4;
        buffer.push(&Entry::Note("x".repeat(room))).unwrap();
        let before = buffer.bytes();
        let error = buffer.push(&Entry::Note("x".repeat(room + 1))).unwrap_err();
        assert!(matches!(error, JournalError::TooLarge { .. }));
        assert_eq!((buffer.bytes(), buffer.len()), (before, 1));
        stamp(&mut buffer.bytes, Lsn(1), 1, true, true);
        assert!(read_frame(&buffer.bytes).is_ok());
    }
}
