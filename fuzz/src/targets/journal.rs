//! The journal over damaged segments: no panic, and every entry read is one that was written,
//! at its own number. Entries whose checksum was put right again may say anything; then only
//! the order and the decoding are checked.

use super::Target;
use crate::mutate::SCRAPS;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yagura_disk::Fs;
use yagura_event::{Context, Lsn, Micros, Reference, SourceChoice, TenantName};
use yagura_journal::{
    Entry, FRAME_HEADER_BYTES, Journal as Log, Options, Record, SEGMENT_HEADER_BYTES,
};
use yagura_testkit::rng::Rng;
use yagura_testkit::simfs::SimFs;

const DIR: &str = "data/journal";

/// Bytes of a segment before it is closed: a few commits.
const SEGMENT_BYTES: u64 = 6_000;

/// Entries written.
const ENTRIES: u64 = 400;

/// The received time of the first entry: 2026-01-01T00:00:00Z.
const RECEIVED: Micros = 1_767_225_600_000_000;

/// Bits of the first byte of an input.
const SKIP_DAMAGE: u8 = 1;
const SUMS_PUT_RIGHT: u8 = 2;

/// What was written: by number, received time and encoded form.
type Written = BTreeMap<u64, (Micros, Vec<u8>)>;

/// `flags, number of the segment, the segment's bytes`.
pub struct Journal {
    segments: Vec<(String, Vec<u8>)>,
    contexts: Vec<(String, Vec<u8>)>,
    written: Written,
}

impl Journal {
    /// Writes the journal that inputs damage.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new() -> anyhow::Result<Self> {
        let fs = SimFs::new();
        let shared: Arc<dyn Fs> = Arc::new(fs.clone());
        let options = Options { segment_bytes_max: SEGMENT_BYTES, ..Options::default() };
        let (mut log, _) = Log::open(Arc::clone(&shared), Path::new(DIR), options)?;
        let context = Context::new("default", "fuzz", SourceChoice::Auto, Reference::Received);
        let context = log.handle().put_context(&context)?;
        let mut rng = Rng::new(7);
        for number in 0..ENTRIES {
            let entry = match rng.range(0, 9) {
                0 => Entry::Tick,
                1 => Entry::Epoch { hash: [number as u8; 16] },
                2 => Entry::Note("the clock went back by 3 s".to_owned()),
                _ => Entry::Record(Record {
                    tenant: TenantName::default_tenant(),
                    feed: "fuzz".to_owned(),
                    context,
                    stream: rng.range(0, 3),
                    batch: 0,
                    peer: "192.0.2.1:514".to_owned(),
                    position: number,
                    bytes: (0..rng.range(0, 300)).map(|at| (number + at) as u8).collect(),
                }),
            };
            log.append(RECEIVED + number as Micros, &entry)?;
            if rng.chance(20) {
                log.commit()?;
            }
        }
        log.commit()?;
        let read = |dir: PathBuf| -> anyhow::Result<Vec<(String, Vec<u8>)>> {
            let mut found = Vec::new();
            for name in shared.list(&dir)? {
                let path = dir.join(&name);
                if !shared.metadata(&path)?.is_dir {
                    found.push((name, shared.read(&path)?));
                }
            }
            Ok(found)
        };
        let mut segments = read(PathBuf::from(DIR))?;
        segments.retain(|(name, _)| name.ends_with(".yj"));
        let contexts = read(Path::new(DIR).join("contexts"))?;
        let mut written = Written::new();
        let mut reader = log.handle().reader_from_start();
        while let Some(chunk) = reader.next_chunk()? {
            for entry in chunk.iter() {
                written.insert(entry.lsn.0, (entry.received, entry.payload.to_vec()));
            }
        }
        anyhow::ensure!(segments.len() > 3 && written.len() as u64 == ENTRIES);
        Ok(Self { segments, contexts, written })
    }
}

impl Target for Journal {
    fn name(&self) -> &'static str {
        "journal"
    }

    fn make(&self, rng: &mut Rng) -> Vec<u8> {
        let at = rng.range(0, self.segments.len() as u64 - 1) as usize;
        let mut data = self.segments[at].1.clone();
        for _ in 0..rng.range(1, 4) {
            damage(&mut data, &self.segments, rng);
        }
        let flags = rng.bits() as u8 & (SKIP_DAMAGE | SUMS_PUT_RIGHT);
        if flags & SUMS_PUT_RIGHT != 0 {
            put_sums_right(&mut data);
        }
        [&[flags, at as u8][..], &data].concat()
    }

    fn run(&self, input: &[u8]) -> Result<(), String> {
        self.check(input)
    }
}

impl Journal {
    /// The bytes of a segment as written; the first where there are fewer.
    pub fn segment(&self, at: usize) -> &[u8] {
        self.segments.get(at).or_else(|| self.segments.first()).map_or(&[], |(_, bytes)| bytes)
    }

    /// Opens and reads the journal with one segment replaced.
    ///
    /// # Errors
    /// An entry that nobody wrote, or one out of order.
    pub fn check(&self, input: &[u8]) -> Result<(), String> {
        let [flags, at, data @ ..] = input else { return Ok(()) };
        let at = usize::from(*at) % self.segments.len();
        let fs = SimFs::new();
        self.lay(&fs, at, data).map_err(|error| error.to_string())?;
        let options = Options {
            segment_bytes_max: SEGMENT_BYTES,
            skip_damage: flags & SKIP_DAMAGE != 0,
            ..Options::default()
        };
        let shared: Arc<dyn Fs> = Arc::new(fs);
        let Ok((mut log, recovery)) = Log::open(shared, Path::new(DIR), options) else {
            return Ok(());
        };
        let trusted = flags & SUMS_PUT_RIGHT == 0;
        self.read(&log, trusted, recovery.last)?;
        // What is appended to a journal that was opened is read back.
        let note = Entry::Note("after".to_owned());
        let Ok(lsn) = log.append(RECEIVED, &note) else { return Ok(()) };
        if log.commit().is_err() {
            return Ok(());
        }
        let mut reader = log.handle().reader(lsn);
        let chunk = reader.next_chunk().map_err(|error| format!("appended: {error}"))?;
        let found = chunk.as_ref().and_then(|chunk| chunk.get(0)).map(|view| view.entry());
        match found {
            Some(Ok(entry)) if entry == note => Ok(()),
            other => Err(format!("appended at {}, read {other:?}", lsn.0)),
        }
    }

    fn lay(&self, fs: &SimFs, at: usize, data: &[u8]) -> std::io::Result<()> {
        let contexts = Path::new(DIR).join("contexts");
        fs.create_dir_all(&contexts)?;
        let write = |path: PathBuf, bytes: &[u8]| -> std::io::Result<()> {
            let mut file = fs.create_new(&path)?;
            file.append(bytes)?;
            file.sync()
        };
        for (name, bytes) in &self.contexts {
            write(contexts.join(name), bytes)?;
        }
        for (index, (name, bytes)) in self.segments.iter().enumerate() {
            write(Path::new(DIR).join(name), if index == at { data } else { bytes })?;
        }
        fs.sync_dir(&contexts)?;
        fs.sync_dir(Path::new(DIR))
    }

    /// Reads to the end or the first fault.
    fn read(&self, log: &Log, trusted: bool, last: Lsn) -> Result<(), String> {
        let mut reader = log.handle().reader_from_start();
        let (mut before, mut time) = (0, Micros::MIN);
        while let Ok(Some(chunk)) = reader.next_chunk() {
            for entry in chunk.iter() {
                let lsn = entry.lsn.0;
                if lsn <= before || lsn > last.0 {
                    return Err(format!("entry {lsn} after {before}, the last is {}", last.0));
                }
                before = lsn;
                let known = self.written.get(&lsn);
                let same = known.is_some_and(|(received, payload)| {
                    *received == entry.received && payload == entry.payload
                });
                if trusted && !same {
                    return Err(format!("entry {lsn} is not what was written"));
                }
                if trusted && entry.received < time {
                    return Err(format!("entry {lsn} was received before the one in front"));
                }
                time = entry.received;
                let (_, _) = (entry.record(), entry.entry());
            }
        }
        Ok(())
    }
}

/// Where the entries of a segment begin and end, as far as lengths lead.
fn frames(data: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut at = SEGMENT_HEADER_BYTES;
    while let Some(len) = data.get(at..at + 4).and_then(|b| b.try_into().ok()) {
        let end = at + FRAME_HEADER_BYTES + u32::from_le_bytes(len) as usize;
        if end > data.len() {
            break;
        }
        found.push((at, end));
        at = end;
    }
    found
}

fn damage(data: &mut Vec<u8>, segments: &[(String, Vec<u8>)], rng: &mut Rng) {
    let frames = frames(data);
    let at = rng.range(0, data.len() as u64) as usize;
    let frame = (!frames.is_empty()).then(|| *rng.pick(&frames));
    match (rng.range(0, 11), frame) {
        (0, _) if at < data.len() => data[at] ^= 1 << rng.range(0, 7),
        (1, _) => data.truncate(at),
        (2, _) => data.extend(vec![0; rng.range(1, 5_000) as usize]),
        (3, Some((from, to))) => {
            let copy = data[from..to].to_vec();
            data.splice(to..to, copy);
        }
        (4, Some((from, to))) => {
            data.drain(from..to);
        }
        (5, Some((from, to))) => {
            let copy = data[from..to].to_vec();
            data.extend_from_slice(&copy);
        }
        (6, Some((from, _))) => {
            // Header fields: length, sum, number, kind, received time.
            let field = from + *rng.pick(&[0, 4, 8, 16, 17]) as usize;
            let any = rng.bits();
            let value = *rng.pick(&[0, 1, u64::from(u32::MAX), u64::MAX, 1 << 31, any]);
            let len = rng.range(1, 8) as usize;
            for (to, byte) in data.iter_mut().skip(field).take(len).zip(value.to_le_bytes()) {
                *to = byte;
            }
        }
        (7, Some((from, to))) => {
            let other = &rng.pick(segments).1;
            let part = other[SEGMENT_HEADER_BYTES.min(other.len())..].to_vec();
            data.splice(from..to, part);
        }
        (8, _) => {
            let at = at.min(SEGMENT_HEADER_BYTES).min(data.len().saturating_sub(1));
            if let Some(byte) = data.get_mut(at) {
                *byte = rng.bits() as u8;
            }
        }
        (9, Some((from, to))) => {
            data[from + FRAME_HEADER_BYTES..to].iter_mut().take(40).for_each(|byte| {
                if rng.chance(20) {
                    *byte = rng.bits() as u8;
                }
            });
        }
        _ => {
            data.splice(at..at, rng.pick(SCRAPS).iter().copied());
        }
    }
}

/// Computes the sums of header and entries anew, so that what they hold is looked at.
pub fn put_sums_right(data: &mut [u8]) {
    if let Some((head, sum)) =
        data.get_mut(..SEGMENT_HEADER_BYTES).map(|h| h.split_at_mut(SEGMENT_HEADER_BYTES - 4))
    {
        sum.copy_from_slice(&crc32c::crc32c(head).to_le_bytes());
    }
    for (from, to) in frames(data) {
        let frame = &mut data[from..to];
        let sum = crc32c::crc32c_append(crc32c::crc32c(&frame[..4]), &frame[8..]);
        frame[4..8].copy_from_slice(&sum.to_le_bytes());
    }
}
