//! Reads Windows event log files (EVTX) as the canonical XML text of each record.
//!
//! A file is a header of 4,096 bytes and chunks of 65,536 bytes, each with its own string and
//! template tables, so chunks are read one at a time and damage stays within one.

use evtx::err::EvtxError as CrateError;
use evtx::{EvtxChunkData, ParserSettings};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Bytes of the file header.
const FILE_HEADER_BYTES: usize = 4_096;
/// Bytes of a chunk.
const CHUNK_BYTES: usize = 65_536;
/// What a file begins with.
pub const FILE_MAGIC: &[u8; 8] = b"ElfFile\0";
/// Most faults kept for [`EvtxReader::take_faults`] at a time; more are only counted. A log
/// with more damage than this is told by its first faults.
pub const FAULTS_MAX: usize = 64;

/// One record of an event log file, its XML text in the caller's buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EvtxRecord {
    /// The record's own number (`EventRecordID`).
    pub number: u64,
}

/// What is damaged in a file; what can be read is read all the same.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EvtxFault {
    /// The file header is cut or lacks its magic; chunks behind it are read.
    #[error("event log does not begin with a whole ElfFile header")]
    Header,
    /// The file ends inside a chunk; the whole records before the end are read.
    #[error("event log chunk {chunk} is cut after {bytes} of 65536 bytes")]
    Cut {
        /// The chunk's number in the file, from 0.
        chunk: u64,
        /// How much of it there is.
        bytes: usize,
    },
    /// A chunk's stored checksum differs; its records are read.
    #[error("event log chunk {chunk} has a wrong checksum; its records are read all the same")]
    Checksum {
        /// The chunk's number in the file, from 0.
        chunk: u64,
    },
    /// A chunk, or the rest of it, cannot be read.
    #[error("event log chunk {chunk} is damaged: {detail}")]
    Chunk {
        /// The chunk's number in the file, from 0.
        chunk: u64,
        /// What the reader found.
        detail: String,
    },
    /// One record cannot be read.
    #[error("event log record {record} in chunk {chunk} is damaged: {detail}")]
    Record {
        /// The chunk's number in the file, from 0.
        chunk: u64,
        /// The record's id, or its place in the chunk where the id is not known.
        record: String,
        /// What the reader found.
        detail: String,
    },
}

/// A record with its text, or what is damaged at this place.
type Item = Result<(EvtxRecord, String), EvtxFault>;

/// Reads an EVTX file record by record, in file order. One chunk and its records (at most
/// 64 MiB of XML, the limit of the `evtx` crate) are held in memory.
pub struct EvtxReader<R: Read> {
    reader: R,
    settings: Arc<ParserSettings>,
    header_read: bool,
    chunk: u64,
    ended: bool,
    ready: VecDeque<Item>,
    faults: Vec<EvtxFault>,
    fault_count: u64,
}

impl<R: Read> EvtxReader<R> {
    /// Reads from `reader`, which stands at the file's magic.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            settings: Arc::new(ParserSettings::default().num_threads(1).indent(false)),
            header_read: false,
            chunk: 0,
            ended: false,
            ready: VecDeque::new(),
            faults: Vec::new(),
            fault_count: 0,
        }
    }

    /// Writes the next record's XML text into `out` (cleared first): one `<Event>` element
    /// without declaration or indentation. `None` at the end.
    ///
    /// # Errors
    /// From the reader. Damaged chunks and records are not errors: they are stepped over and
    /// told by [`EvtxReader::take_faults`].
    pub fn next_record(&mut self, out: &mut Vec<u8>) -> io::Result<Option<EvtxRecord>> {
        out.clear();
        loop {
            match self.ready.pop_front() {
                Some(Ok((record, xml))) => {
                    out.extend_from_slice(element(&xml).as_bytes());
                    return Ok(Some(record));
                }
                Some(Err(fault)) => {
                    self.fault_count += 1;
                    if self.faults.len() < FAULTS_MAX {
                        self.faults.push(fault);
                    }
                }
                None if self.ended => return Ok(None),
                None => self.read_chunk()?,
            }
        }
    }

    /// The faults met since the last call, at most [`FAULTS_MAX`] of them.
    pub fn take_faults(&mut self) -> Vec<EvtxFault> {
        std::mem::take(&mut self.faults)
    }

    /// How many faults were met in all.
    pub fn fault_count(&self) -> u64 {
        self.fault_count
    }

    fn read_chunk(&mut self) -> io::Result<()> {
        if !self.header_read {
            self.header_read = true;
            let header = fill(&mut self.reader, FILE_HEADER_BYTES)?;
            if header.len() < FILE_HEADER_BYTES || !header.starts_with(FILE_MAGIC) {
                self.ready.push_back(Err(EvtxFault::Header));
            }
        }
        let mut data = fill(&mut self.reader, CHUNK_BYTES)?;
        let (chunk, bytes) = (self.chunk, data.len());
        self.chunk += 1;
        self.ended = bytes < CHUNK_BYTES;
        if data.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        data.resize(CHUNK_BYTES, 0);
        let (settings, ready) = (Arc::clone(&self.settings), &mut self.ready);
        let cut = self.ended;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            parse_chunk(chunk, data, cut, settings, ready);
        }));
        if outcome.is_err() {
            let detail = "the reader gave up on it".to_owned();
            self.ready.push_back(Err(EvtxFault::Chunk { chunk, detail }));
        }
        if cut {
            self.ready.push_back(Err(EvtxFault::Cut { chunk, bytes }));
        }
        Ok(())
    }
}

impl<R: Read> std::fmt::Debug for EvtxReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EvtxReader").field("chunk", &self.chunk).finish_non_exhaustive()
    }
}

/// Reads up to `len` bytes; fewer only at the end.
fn fill(reader: &mut impl Read, len: usize) -> io::Result<Vec<u8>> {
    let mut data = Vec::with_capacity(len);
    reader.take(len as u64).read_to_end(&mut data)?;
    Ok(data)
}

/// Reads one chunk's records; `cut` says that its end was filled with zeros.
fn parse_chunk(
    chunk: u64,
    data: Vec<u8>,
    cut: bool,
    settings: Arc<ParserSettings>,
    ready: &mut VecDeque<Item>,
) {
    let damaged = |detail: String| EvtxFault::Chunk { chunk, detail };
    let mut data = match EvtxChunkData::new(data, false) {
        Ok(data) => data,
        Err(error) => return ready.push_back(Err(damaged(chain(&error)))),
    };
    data.number = Some(chunk);
    if !cut && !data.validate_checksum() {
        ready.push_back(Err(EvtxFault::Checksum { chunk }));
    }
    let mut parsed = match data.parse(settings) {
        Ok(parsed) => parsed,
        Err(error) => return ready.push_back(Err(damaged(chain(&error)))),
    };
    for record in parsed.iter() {
        ready.push_back(match record.and_then(|record| record.into_xml()) {
            Ok(record) => Ok((EvtxRecord { number: record.event_record_id }, record.data)),
            Err(error) => Err(record_fault(chunk, &error)),
        });
    }
}

fn record_fault(chunk: u64, error: &CrateError) -> EvtxFault {
    let record = match error {
        CrateError::FailedToParseRecord { record_id, .. } => record_id.to_string(),
        CrateError::FailedToReadRecordAt { offset, .. } => format!("at offset {offset}"),
        _ => "of unknown id".to_owned(),
    };
    let detail = std::error::Error::source(error).map_or_else(|| error.to_string(), chain);
    EvtxFault::Record { chunk, record, detail }
}

/// The messages of an error and its sources, joined by `: `.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        text.push_str(": ");
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}

/// The document's root element: without the declaration and the space around it.
fn element(xml: &str) -> &str {
    let body = match xml.strip_prefix("<?xml") {
        Some(rest) => rest.split_once("?>").map_or(xml, |(_, body)| body),
        None => xml,
    };
    body.trim()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn faults(data: &[u8]) -> Vec<String> {
        let mut reader = EvtxReader::new(data);
        let mut out = Vec::new();
        assert_eq!(reader.next_record(&mut out).unwrap(), None);
        assert_eq!(reader.next_record(&mut out).unwrap(), None);
        reader.take_faults().iter().map(EvtxFault::to_string).collect()
    }

    #[test]
    fn what_is_no_event_log_says_so() {
        for data in [&b""[..], b"hello", &[0; 5_000]] {
            assert_eq!(faults(data), ["event log does not begin with a whole ElfFile header"]);
        }
    }

    #[test]
    fn an_empty_log_has_no_records_and_no_faults() {
        let mut data = FILE_MAGIC.to_vec();
        data.resize(FILE_HEADER_BYTES, 0);
        assert!(faults(&data).is_empty());
        data.resize(FILE_HEADER_BYTES + 2 * CHUNK_BYTES, 0);
        assert!(faults(&data).is_empty());
    }

    #[test]
    fn damaged_and_cut_chunks_are_named() {
        let mut data = FILE_MAGIC.to_vec();
        data.resize(FILE_HEADER_BYTES, 0);
        data.extend(vec![0x41; CHUNK_BYTES]);
        data.extend(b"ElfChnk\0");
        data.extend(vec![0xff; 1_000]);
        let faults = faults(&data);
        assert!(faults[0].starts_with("event log chunk 0 is damaged"), "{faults:?}");
        assert_eq!(faults.last().unwrap(), "event log chunk 1 is cut after 1008 of 65536 bytes");
    }

    #[test]
    fn kept_faults_are_bounded_and_all_are_counted() {
        let mut data = FILE_MAGIC.to_vec();
        data.resize(FILE_HEADER_BYTES + (FAULTS_MAX + 1) * CHUNK_BYTES, 0x41);
        let mut reader = EvtxReader::new(&data[..]);
        assert_eq!(reader.next_record(&mut Vec::new()).unwrap(), None);
        assert_eq!(reader.take_faults().len(), FAULTS_MAX);
        assert!(reader.fault_count() > FAULTS_MAX as u64);
    }

    #[test]
    fn the_declaration_is_cut_off() {
        assert_eq!(element("<?xml version=\"1.0\"?>\n<Event/>\n"), "<Event/>");
        assert_eq!(element("<Event/>"), "<Event/>");
    }
}
