//! Matches of a batch on disk: the codec of the spill file and an external merge sort.
//!
//! Layout of a spill file: magic `YGSPILL1`, then per match its length (u32, little endian)
//! and its JSON. The file is append-only; whoever names it also keeps the length up to which
//! it is whole ([`SpillWriter::bytes`]), so that a torn end is cut there.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Read, Write};
use yagura_event::{Match, Micros};

/// The first bytes of a spill file and of a sorted run.
pub const SPILL_MAGIC: &[u8; 8] = b"YGSPILL1";

/// Longest encoded match. A match holds at most `SAMPLE_RAW_BYTES_MAX` of raw text, twice with
/// fields and parties, up to sixfold by JSON escapes; more is refused.
pub const SPILLED_MATCH_BYTES_MAX: usize = 8 << 20;

/// What [`sort`] holds in memory before it writes a run, in encoded bytes. In memory they take
/// about three times as much.
pub const SORT_CHUNK_BYTES: usize = 64 << 20;

/// Why matches could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SpillError {
    /// The file could not be read or written.
    #[error("cannot read or write spilled matches: {0}")]
    Io(#[from] io::Error),
    /// The content is not a spill file's.
    #[error("spilled matches are damaged near byte {0}; run the batch again")]
    Damaged(u64),
    /// A match is longer than [`SPILLED_MATCH_BYTES_MAX`].
    #[error("a match of {0} bytes is too long to spill; the limit is {SPILLED_MATCH_BYTES_MAX}")]
    TooLong(usize),
}

/// Appends matches to a spill file.
#[derive(Debug)]
pub struct SpillWriter<W> {
    to: W,
    bytes: u64,
}

impl<W: Write> SpillWriter<W> {
    /// Begins an empty file.
    ///
    /// # Errors
    /// [`SpillError::Io`].
    pub fn create(mut to: W) -> Result<Self, SpillError> {
        to.write_all(SPILL_MAGIC)?;
        Ok(Self { to, bytes: SPILL_MAGIC.len() as u64 })
    }

    /// Goes on with a file that is whole up to `bytes`, at which `to` stands.
    pub fn resume(to: W, bytes: u64) -> Self {
        Self { to, bytes }
    }

    /// Appends one match.
    ///
    /// # Errors
    /// [`SpillError::Io`], and [`SpillError::TooLong`], which writes nothing.
    pub fn append(&mut self, m: &Match) -> Result<(), SpillError> {
        let encoded = encode(m)?;
        self.to.write_all(&encoded)?;
        self.bytes += encoded.len() as u64;
        Ok(())
    }

    /// Length of the file so far, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The writer underneath, for flushing and syncing.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.to
    }
}

/// Length and JSON of a match.
fn encode(m: &Match) -> Result<Vec<u8>, SpillError> {
    let mut encoded = vec![0u8; 4];
    serde_json::to_writer(&mut encoded, m).map_err(io::Error::from)?;
    let length = encoded.len() - 4;
    if length > SPILLED_MATCH_BYTES_MAX {
        return Err(SpillError::TooLong(length));
    }
    encoded[..4].copy_from_slice(&(length as u32).to_le_bytes());
    Ok(encoded)
}

/// Reads the matches of a spill file in the order written. Give it a buffered reader, limited
/// to the length up to which the file is whole.
#[derive(Debug)]
pub struct SpillReader<R> {
    from: R,
    at: u64,
    ended: bool,
}

impl<R: Read> SpillReader<R> {
    /// Begins at the start of the file.
    pub fn new(from: R) -> Self {
        Self { from, at: 0, ended: false }
    }

    fn read(&mut self) -> Result<Option<(Match, usize)>, SpillError> {
        if self.at == 0 {
            let mut magic = [0u8; 8];
            self.from.read_exact(&mut magic)?;
            if &magic != SPILL_MAGIC {
                return Err(SpillError::Damaged(0));
            }
            self.at = 8;
        }
        let mut length = [0u8; 4];
        let mut have = 0;
        while have < length.len() {
            match self.from.read(&mut length[have..]) {
                Ok(0) if have == 0 => return Ok(None),
                Ok(0) => return Err(SpillError::Damaged(self.at)),
                Ok(more) => have += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        let length = u32::from_le_bytes(length) as usize;
        if length > SPILLED_MATCH_BYTES_MAX {
            return Err(SpillError::Damaged(self.at));
        }
        let mut body = vec![0u8; length];
        self.from.read_exact(&mut body).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => SpillError::Damaged(self.at),
            _ => error.into(),
        })?;
        let m = serde_json::from_slice(&body).map_err(|_| SpillError::Damaged(self.at))?;
        self.at += 4 + length as u64;
        Ok(Some((m, 4 + length)))
    }

    fn next_sized(&mut self) -> Option<Result<(Match, usize), SpillError>> {
        if self.ended {
            return None;
        }
        let next = self.read().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

impl<R: Read> Iterator for SpillReader<R> {
    type Item = Result<Match, SpillError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_sized().map(|next| next.map(|(m, _)| m))
    }
}

/// The order in which a batch is correlated: (event time, event id, rule).
fn order(m: &Match) -> (Micros, u128, &str) {
    (m.time, m.event, &m.rule)
}

/// Sorts matches by (event time, event id, rule) in bounded memory; repeats of a match (same
/// id) come out once.
///
/// Whenever `chunk_bytes` of encoded matches have come together they are sorted and given to
/// `keep_run`, which stores them (a temporary file) and returns a buffered reader at their
/// start. What fits into one chunk never leaves memory. While the result is read, one match
/// per run is held.
///
/// # Errors
/// What `from`, or `keep_run`, reports.
pub fn sort<R: Read, Q: Read>(
    from: impl IntoIterator<Item = SpillReader<R>>,
    chunk_bytes: usize,
    mut keep_run: impl FnMut(&[u8]) -> io::Result<Q>,
) -> Result<Sorted<Q>, SpillError> {
    let mut chunk: Vec<Match> = Vec::new();
    let mut runs: Vec<SpillReader<Q>> = Vec::new();
    let mut bytes = 0;
    for mut reader in from {
        while let Some(next) = reader.next_sized() {
            let (m, size) = next?;
            chunk.push(m);
            bytes += size;
            if bytes >= chunk_bytes {
                chunk.sort_by(|a, b| order(a).cmp(&order(b)));
                let mut run = Vec::with_capacity(bytes + SPILL_MAGIC.len());
                let mut writer = SpillWriter::create(&mut run)?;
                for m in chunk.drain(..) {
                    writer.append(&m)?;
                }
                runs.push(SpillReader::new(keep_run(&run)?));
                bytes = 0;
            }
        }
    }
    chunk.sort_by(|a, b| order(a).cmp(&order(b)));
    let mut sorted = Sorted { runs, rest: chunk.into_iter(), heads: BinaryHeap::new(), last: None };
    for run in 0..=sorted.runs.len() {
        sorted.refill(run)?;
    }
    Ok(sorted)
}

/// Sorted matches; yields an error at most once, as the last item.
#[derive(Debug)]
pub struct Sorted<Q> {
    runs: Vec<SpillReader<Q>>,
    rest: std::vec::IntoIter<Match>,
    heads: BinaryHeap<Reverse<Head>>,
    last: Option<(Micros, u128)>,
}

#[derive(Debug)]
struct Head {
    m: Match,
    run: usize,
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (order(&self.m), self.run).cmp(&(order(&other.m), other.run))
    }
}

impl<Q: Read> Sorted<Q> {
    /// Brings up the next match of a run; the run after the last is the chunk in memory.
    fn refill(&mut self, run: usize) -> Result<(), SpillError> {
        let next = match self.runs.get_mut(run) {
            Some(reader) => reader.next().transpose()?,
            None => self.rest.next(),
        };
        if let Some(m) = next {
            self.heads.push(Reverse(Head { m, run }));
        }
        Ok(())
    }
}

impl<Q: Read> Iterator for Sorted<Q> {
    type Item = Result<Match, SpillError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Reverse(Head { m, run }) = self.heads.pop()?;
            if let Err(error) = self.refill(run) {
                self.heads.clear();
                return Some(Err(error));
            }
            if self.last.replace((m.time, m.id)) != Some((m.time, m.id)) {
                return Some(Ok(m));
            }
        }
    }
}
