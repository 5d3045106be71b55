//! Entries to bytes: varints (LEB128), length-prefixed text, fixed ids; and the reading side's cursor.
//!
//! The form of each payload, in order (`str` is a varint length and UTF-8):
//!
//! ```text
//! record           tenant str, feed str, peer str, context 16 B, stream u64 LE,
//!                  batch varint, position varint, the rest: bytes as received
//! context          id 16 B, json str          epoch        hash 16 B
//! batch open       batch varint, tenant str, settings str
//! batch close      batch varint, aborted u8 (0 or 1)
//! counts           number varint, then each: tenant str, feed str, hour i64 LE,
//!                  kind u8 (0 received, 1 rejected + reason str, 2 duplicate, 3 kernel dropped),
//!                  count varint
//! note             text str                   tick         nothing
//! file done        tenant str, feed str, path str, hash 16 B, bytes varint, records varint
//! idempotency key  tenant str, key str, response str
//! mark             tenant str, feed str, key str, value str
//! ```

use crate::entry::{Count, CountKind, Entry, RecordRef};

/// Why a payload could not be decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CodecError {
    /// The payload ends inside a value.
    #[error("the entry ends too early")]
    Short,
    /// A varint has more than 64 bits.
    #[error("a number is too long")]
    Varint,
    /// Text is not UTF-8.
    #[error("text is not UTF-8")]
    Utf8,
    /// A tenant's name breaks the rule.
    #[error("a tenant name is not valid")]
    Tenant,
    /// A tag or kind is not known: a newer release wrote it.
    #[error("a tag is not known to this release")]
    Tag,
    /// Bytes are left over.
    #[error("bytes follow the entry's end")]
    Trailing,
}

/// Appends the payload of `record`.
pub(crate) fn encode_record(record: RecordRef<'_>, out: &mut Vec<u8>) {
    out.reserve(
        record.bytes.len() + record.tenant.len() + record.feed.len() + record.peer.len() + 64,
    );
    put_str(out, record.tenant);
    put_str(out, record.feed);
    put_str(out, record.peer);
    out.extend_from_slice(&record.context.0);
    out.extend_from_slice(&record.stream.to_le_bytes());
    put_varint(out, record.batch);
    put_varint(out, record.position);
    out.extend_from_slice(record.bytes);
}

/// Appends the payload of `entry`.
pub(crate) fn encode(entry: &Entry, out: &mut Vec<u8>) {
    match entry {
        Entry::Record(record) => encode_record(record.as_ref(), out),
        Entry::Context { id, json } => {
            out.extend_from_slice(&id.0);
            put_str(out, json);
        }
        Entry::Tick => {}
        Entry::Epoch { hash } => out.extend_from_slice(hash),
        Entry::BatchOpen { batch, tenant, settings } => {
            put_varint(out, *batch);
            put_str(out, tenant.as_str());
            put_str(out, settings);
        }
        Entry::BatchClose { batch, aborted } => {
            put_varint(out, *batch);
            out.push(u8::from(*aborted));
        }
        Entry::Counts(counts) => {
            put_varint(out, counts.len() as u64);
            for count in counts {
                encode_count(count, out);
            }
        }
        Entry::FileDone(file) => {
            put_str(out, file.tenant.as_str());
            put_str(out, &file.feed);
            put_str(out, &file.path);
            out.extend_from_slice(&file.hash);
            put_varint(out, file.bytes);
            put_varint(out, file.records);
        }
        Entry::Note(text) => put_str(out, text),
        Entry::IdempotencyKey { tenant, key, response } => {
            put_str(out, tenant.as_str());
            put_str(out, key);
            put_str(out, response);
        }
        Entry::Mark(mark) => {
            put_str(out, mark.tenant.as_str());
            put_str(out, &mark.feed);
            put_str(out, &mark.key);
            put_str(out, &mark.value);
        }
        Entry::Erase { tenant } => put_str(out, tenant.as_str()),
        Entry::Retrospect { tenant, finding } => {
            put_str(out, tenant.as_str());
            put_str(out, finding);
        }
    }
}

fn encode_count(count: &Count, out: &mut Vec<u8>) {
    put_str(out, count.tenant.as_str());
    put_str(out, &count.feed);
    out.extend_from_slice(&count.hour.to_le_bytes());
    match &count.kind {
        CountKind::Received => out.push(0),
        CountKind::Rejected(reason) => {
            out.push(1);
            put_str(out, reason);
        }
        CountKind::Duplicate => out.push(2),
        CountKind::KernelDropped => out.push(3),
    }
    put_varint(out, count.count);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_str(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Reads values from the front of a payload; every read is checked against its end.
pub(crate) struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], CodecError> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(CodecError::Short)?;
        self.0 = rest;
        Ok(head)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(CodecError::Short)?;
        self.0 = rest;
        Ok(*head)
    }

    pub fn byte(&mut self) -> Result<u8, CodecError> {
        self.array::<1>().map(|[b]| b)
    }

    pub fn varint(&mut self) -> Result<u64, CodecError> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                return Err(CodecError::Varint);
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(CodecError::Varint)
    }

    pub fn text(&mut self) -> Result<&'a str, CodecError> {
        let len = usize::try_from(self.varint()?).map_err(|_| CodecError::Short)?;
        std::str::from_utf8(self.take(len)?).map_err(|_| CodecError::Utf8)
    }

    pub fn end(&self) -> Result<(), CodecError> {
        if self.0.is_empty() { Ok(()) } else { Err(CodecError::Trailing) }
    }
}
