//! Reading durable entries in order, in chunks that borrow from one shared buffer.

use crate::codec::CodecError;
use crate::decode::{decode, decode_record};
use crate::entry::{Entry, EntryKind, RecordRef};
use crate::error::{Damage, JournalError};
use crate::frame::{FRAME_HEADER_BYTES, FrameFault, read_frame};
use crate::handle::{JournalHandle, Place};
use std::io;
use std::ops::Range;
use std::sync::Arc;
use yagura_event::{EventId, Lsn, Micros};

/// Bytes read at once. A longer entry is read whole, in a chunk of its own.
pub const READ_CHUNK_BYTES: usize = 1024 * 1024;

/// How often a segment that was moved to `kept/` meanwhile is looked for again.
const RETRIES_MAX: usize = 3;

/// Reads entries in order, also while the journal is written. Each reader is independent.
pub struct Reader {
    handle: JournalHandle,
    next: Lsn,
    /// Where the last chunk ended: (first number of its segment, next number there, offset).
    resume: Option<(Lsn, Lsn, u64)>,
}

/// Consecutive entries over one buffer; clones share it.
#[derive(Clone, Debug)]
pub struct Chunk {
    node: u16,
    epoch: u16,
    data: Arc<Vec<u8>>,
    frames: Arc<[FrameAt]>,
}

#[derive(Clone, Debug)]
struct FrameAt {
    lsn: Lsn,
    received: Micros,
    kind: EntryKind,
    payload: Range<usize>,
}

/// One entry, borrowed from its [`Chunk`].
#[derive(Clone, Copy, Debug)]
pub struct EntryView<'a> {
    /// The entry's number.
    pub lsn: Lsn,
    /// When it was received; never before the entry in front of it.
    pub received: Micros,
    /// What it is.
    pub kind: EntryKind,
    /// Its encoded form.
    pub payload: &'a [u8],
    node: u16,
    epoch: u16,
}

impl<'a> EntryView<'a> {
    /// The record, without a copy; `None` for control entries.
    ///
    /// # Errors
    /// [`JournalError::Codec`] if the content has another form.
    pub fn record(&self) -> Result<Option<RecordRef<'a>>, JournalError> {
        if self.kind != EntryKind::Record {
            return Ok(None);
        }
        decode_record(self.payload).map(Some).map_err(|source| self.codec(source))
    }

    /// The entry as a value of its own.
    ///
    /// # Errors
    /// [`JournalError::Codec`] if the content has another form.
    pub fn entry(&self) -> Result<Entry, JournalError> {
        decode(self.kind, self.payload).map_err(|source| self.codec(source))
    }

    /// The id of the event that sub-record `sub` (from 0) of this entry becomes.
    pub fn event_id(&self, sub: u32) -> EventId {
        EventId::journal(self.node, self.epoch, self.lsn, sub)
    }

    fn codec(&self, source: CodecError) -> JournalError {
        JournalError::Codec { lsn: self.lsn, source }
    }
}

impl Chunk {
    /// Number of entries, at least 1.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there is no entry; no reader hands out such a chunk.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Bytes the chunk keeps in memory.
    pub fn bytes(&self) -> usize {
        self.data.len() + self.frames.len() * size_of::<FrameAt>()
    }

    /// The entry at `index`, from 0.
    pub fn get(&self, index: usize) -> Option<EntryView<'_>> {
        self.frames.get(index).map(|frame| self.view(frame))
    }

    /// The entries in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = EntryView<'_>> {
        self.frames.iter().map(|frame| self.view(frame))
    }

    fn view(&self, frame: &FrameAt) -> EntryView<'_> {
        EntryView {
            lsn: frame.lsn,
            received: frame.received,
            kind: frame.kind,
            payload: &self.data[frame.payload.clone()],
            node: self.node,
            epoch: self.epoch,
        }
    }
}

impl Reader {
    pub(crate) fn new(handle: JournalHandle, next: Lsn) -> Self {
        Self { handle, next, resume: None }
    }

    /// The number of the entry that comes next.
    pub fn next_lsn(&self) -> Lsn {
        self.next
    }

    /// The next entries, or `None` when everything durable was read; then see
    /// [`JournalHandle::wait_durable_beyond`].
    ///
    /// # Errors
    /// [`JournalError::Trimmed`] if the entries were cut, [`JournalError::Beyond`] if they were
    /// never written, [`JournalError::Damaged`], [`JournalError::Io`].
    pub fn next_chunk(&mut self) -> Result<Option<Chunk>, JournalError> {
        let mut want = READ_CHUNK_BYTES;
        let mut retries = 0;
        loop {
            let Some(place) = self.handle.locate(&mut self.next)? else { return Ok(None) };
            let (lsn, offset) = self.start(&place);
            let rest = usize::try_from(place.len - offset).unwrap_or(usize::MAX);
            let read = self.handle.0.fs.read_range(&place.path, offset, want.min(rest));
            let data = match read {
                Err(error) if error.kind() == io::ErrorKind::NotFound && retries < RETRIES_MAX => {
                    retries += 1;
                    continue;
                }
                read => read.map_err(JournalError::io("read", &place.path))?,
            };
            let whole = data.len() >= rest;
            let (frames, end, short) = self.split(&place, &data, lsn, offset)?;
            let at = end.1 as u64;
            self.resume = Some((place.header.first, end.0, offset + at));
            if !frames.is_empty() {
                self.next = end.0;
                let (node, epoch) = (place.header.node, place.header.epoch);
                return Ok(Some(Chunk {
                    node,
                    epoch,
                    data: Arc::new(data),
                    frames: frames.into(),
                }));
            }
            if at == 0 {
                // One entry is longer than what was read; or the file is shorter than it was.
                if whole || short <= want {
                    return Err(damaged(&place, offset, "entry is cut short"));
                }
                want = short;
            }
        }
    }

    /// Goes on where the last chunk ended if that is nearer than the index's mark.
    fn start(&self, place: &Place) -> (Lsn, u64) {
        match self.resume {
            Some((first, lsn, offset))
                if first == place.header.first && lsn <= self.next && lsn >= place.lsn =>
            {
                (lsn, offset)
            }
            _ => (place.lsn, place.offset),
        }
    }

    /// Splits `data`, which begins with entry `lsn`, and drops what lies before `self.next`.
    /// Returns the frames, where they end (next number, offset in `data`) and how many bytes
    /// the entry wants that did not fit.
    #[expect(clippy::type_complexity, reason = "used once, right above")]
    fn split(
        &self,
        place: &Place,
        data: &[u8],
        mut lsn: Lsn,
        offset: u64,
    ) -> Result<(Vec<FrameAt>, (Lsn, usize), usize), JournalError> {
        let mut frames = Vec::with_capacity(data.len() / 256);
        let (mut at, mut short) = (0, 0);
        while at < data.len() {
            let frame = match read_frame(&data[at..]) {
                Ok(frame) => frame,
                Err(FrameFault::Short(bytes)) => {
                    short = bytes;
                    break;
                }
                Err(FrameFault::Bad(what)) => return Err(damaged(place, offset + at as u64, what)),
            };
            if frame.lsn != lsn {
                let what = "entry's number is out of order";
                return Err(damaged(place, offset + at as u64, what));
            }
            if lsn >= self.next {
                let payload = at + FRAME_HEADER_BYTES..at + frame.len;
                let (received, kind) = (frame.received, frame.kind);
                frames.push(FrameAt { lsn, received, kind, payload });
            }
            at += frame.len;
            lsn = Lsn(lsn.0 + 1);
        }
        Ok((frames, (lsn, at), short))
    }
}

fn damaged(place: &Place, offset: u64, what: &'static str) -> JournalError {
    JournalError::Damaged(vec![Damage { file: place.path.clone(), offset, what }])
}
