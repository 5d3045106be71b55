//! Records in flight: what the process was parsing when it died, so that a record which kills
//! it is stored unparsed at last.
//!
//! `inflight` holds a header (magic, version) and for each worker a slot of three numbers
//! (little endian, 8 bytes each): first and last entry of its unit of work, and the entry it
//! is at. The slots are written without a sync: they have to outlive the process, not the
//! machine. A unit that a dead process left in its slot is *watched* at the next start: its
//! entries are noted one by one, and no two watched units run side by side. An entry at which
//! two processes died is *poisoned*: it is kept in `poison.json` and never parsed again.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use yagura_disk::{Fs, write_atomic};
use yagura_event::Lsn;

/// Name of the slots' file in the data directory.
pub const INFLIGHT_FILE: &str = "inflight";

/// Name of the file of poisoned entries in the data directory.
pub const POISON_FILE: &str = "poison.json";

const HEADER: &[u8; 16] = b"YAGURA-INFLIGHT\x01";
const SLOT_BYTES: usize = 24;

/// Most slots read; a file that claims more than any machine's workers is not ours.
const SLOTS_MAX: usize = 4_096;

/// Deaths at one entry after which it is not parsed again.
const DEATHS: u32 = 2;

/// What is known of entries at which processes died.
#[derive(Clone, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Known {
    version: u32,
    poisoned: BTreeSet<u64>,
    /// Deaths at entries that may yet be innocent.
    suspects: BTreeMap<u64, u32>,
}

/// The slots of the running process, and what earlier ones left.
pub struct Flight {
    fs: Arc<dyn Fs>,
    path: PathBuf,
    slots: File,
    known: Known,
    watched: Vec<(u64, u64)>,
    alone: Mutex<()>,
}

/// A unit of work in its slot; the slot is emptied when it is dropped.
pub struct Unit<'a> {
    flight: &'a Flight,
    worker: usize,
    first: Lsn,
    last: Lsn,
    alone: Option<MutexGuard<'a, ()>>,
}

impl Flight {
    /// Learns from the slots that a dead process left in `data`, then empties them for
    /// `workers` workers.
    ///
    /// # Errors
    /// Those of the file system, and a `poison.json` that cannot be read.
    pub fn open(fs: Arc<dyn Fs>, data: &Path, workers: usize) -> io::Result<Self> {
        let path = data.join(POISON_FILE);
        let mut known = match fs.exists(&path)? {
            true => serde_json::from_slice(&fs.read(&path)?)?,
            false => Known { version: 1, ..Known::default() },
        };
        let slots_path = data.join(INFLIGHT_FILE);
        let left = read_slots(&slots_path)?;
        let died_at: BTreeSet<u64> =
            left.iter().map(|slot| slot[2]).filter(|at| *at != 0).collect();
        for lsn in &died_at {
            let deaths = known.suspects.entry(*lsn).or_default();
            *deaths += 1;
            if *deaths >= DEATHS {
                known.suspects.remove(lsn);
                known.poisoned.insert(*lsn);
                tracing::error!(lsn, "the process died twice at this record; it stays unparsed");
            }
        }
        if !died_at.is_empty() {
            write_atomic(fs.as_ref(), &path, &serde_json::to_vec(&known)?)?;
        }
        let mut watched: Vec<(u64, u64)> =
            left.iter().map(|slot| (slot[0], slot[1])).filter(|(first, _)| *first != 0).collect();
        watched.extend(known.suspects.keys().map(|lsn| (*lsn, *lsn)));
        // Emptied only after what they said is durable.
        let slots = OpenOptions::new().write(true).create(true).truncate(true).open(&slots_path)?;
        slots.write_all_at(HEADER, 0)?;
        slots.write_all_at(&vec![0; workers * SLOT_BYTES], HEADER.len() as u64)?;
        Ok(Self { fs, path, slots, known, watched, alone: Mutex::new(()) })
    }

    /// Puts the unit from `first` to `last` into the worker's slot.
    pub fn unit(&self, worker: usize, first: Lsn, last: Lsn) -> Unit<'_> {
        let watched = self.watched.iter().any(|(from, to)| *from <= last.0 && first.0 <= *to);
        let alone = watched.then(|| self.alone.lock().unwrap_or_else(PoisonError::into_inner));
        self.write(worker, [first.0, last.0, 0]);
        Unit { flight: self, worker, first, last, alone }
    }

    /// Entries that are not parsed.
    pub fn poisoned(&self) -> impl Iterator<Item = Lsn> {
        self.known.poisoned.iter().map(|lsn| Lsn(*lsn))
    }

    /// After a clean end: nothing is in flight, and suspects have proved innocent.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn land(&self) -> io::Result<()> {
        if self.known.suspects.is_empty() {
            return Ok(());
        }
        let known = Known { suspects: BTreeMap::new(), ..self.known.clone() };
        write_atomic(self.fs.as_ref(), &self.path, &serde_json::to_vec(&known)?)
    }

    fn write(&self, worker: usize, slot: [u64; 3]) {
        let bytes: Vec<u8> = slot.iter().flat_map(|number| number.to_le_bytes()).collect();
        let at = HEADER.len() + worker * SLOT_BYTES;
        if let Err(error) = self.slots.write_all_at(&bytes, at as u64) {
            // The record is parsed all the same; only a death would not be told.
            tracing::debug!(%error, "a record in flight could not be noted");
        }
    }
}

impl Unit<'_> {
    /// Notes that the worker is at `lsn`; false where the entry must not be parsed.
    pub fn at(&self, lsn: Lsn) -> bool {
        if self.flight.known.poisoned.contains(&lsn.0) {
            return false;
        }
        if self.alone.is_some() {
            self.flight.write(self.worker, [self.first.0, self.last.0, lsn.0]);
        }
        true
    }
}

impl Drop for Unit<'_> {
    fn drop(&mut self) {
        self.flight.write(self.worker, [0; 3]);
    }
}

/// The slots of a file; none where it is missing, foreign or cut.
fn read_slots(path: &Path) -> io::Result<Vec<[u64; 3]>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => {
            let most = HEADER.len() + SLOTS_MAX * SLOT_BYTES;
            file.take(most as u64).read_to_end(&mut bytes)?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    }
    let slots = bytes.strip_prefix(HEADER.as_slice()).unwrap_or_default();
    let number = |slot: &[u8], at: usize| {
        slot.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
    };
    let slots = slots.chunks_exact(SLOT_BYTES);
    Ok(slots.map(|slot| [number(slot, 0), number(slot, 8), number(slot, 16)]).collect())
}
