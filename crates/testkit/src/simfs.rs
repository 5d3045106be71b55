//! [`SimFs`]: a deterministic file system in memory that crashes, fails and lies on request.
//!
//! It keeps two images. Reads see the volatile one; [`File::sync`] moves a file's bytes and
//! [`Fs::sync_dir`] a directory's names to the durable one. Every mutating call is a numbered
//! I/O operation, so that a test can crash at exactly that place and then ask for one of the
//! images that a power cut there could have left.

use crate::rng::Rng;
use crate::simfs_image::Image;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use yagura_disk::{File, Fs, Metadata};

/// What goes wrong. The default is nothing.
#[derive(Clone, Debug)]
pub struct Faults {
    /// The operation of this number (from 1) and every call after it fail, reads too. Its
    /// effect may or may not be in the image afterwards.
    pub crash_at: Option<u64>,
    /// The sync of this number (from 1, of files and directories together) fails with an I/O
    /// error. As on Linux the pages are dropped: a later sync succeeds without them.
    pub sync_error_at: Option<u64>,
    /// The append of this number (from 1) and all after it find the disk full, having written
    /// a half of their bytes.
    pub full_from: Option<u64>,
    /// The append of this number (from 1) writes a half of its bytes and fails.
    pub short_write_at: Option<u64>,
    /// A planted fault: file syncs report success and do nothing.
    pub lie_about_file_sync: bool,
    /// A planted fault: directory syncs report success and do nothing.
    pub lie_about_dir_sync: bool,
    /// What [`Fs::free_bytes`] answers.
    pub free_bytes: u64,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            crash_at: None,
            sync_error_at: None,
            full_from: None,
            short_write_at: None,
            lie_about_file_sync: false,
            lie_about_dir_sync: false,
            free_bytes: u64::MAX,
        }
    }
}

/// How often faults that are errors came.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Hits {
    /// Syncs that failed.
    pub sync_errors: u64,
    /// Appends that wrote a half.
    pub short_writes: u64,
    /// Appends that found the disk full.
    pub full: u64,
}

impl Hits {
    /// Whether any came.
    pub fn any(&self) -> bool {
        self.sync_errors + self.short_writes + self.full > 0
    }
}

#[derive(Clone, Default)]
struct State {
    image: Image,
    faults: Faults,
    operations: u64,
    appends: u64,
    syncs: u64,
    crashed: bool,
    hits: Hits,
    /// Where the crash came.
    crash_path: Option<PathBuf>,
}

/// A file system in memory. Clones share it.
#[derive(Clone, Default)]
pub struct SimFs(Arc<Mutex<State>>);

impl SimFs {
    /// An empty file system without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Changes what goes wrong from here on.
    pub fn set_faults(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.lock().faults);
    }

    /// Number of operations so far.
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// Number of syncs so far, of files and directories.
    pub fn syncs(&self) -> u64 {
        self.lock().syncs
    }

    /// How often faults that are errors came.
    pub fn hits(&self) -> Hits {
        self.lock().hits
    }

    /// Whether [`Faults::crash_at`] was reached.
    pub fn crashed(&self) -> bool {
        self.lock().crashed
    }

    /// The file or directory of the operation at which the crash came.
    pub fn crash_path(&self) -> Option<PathBuf> {
        self.lock().crash_path.clone()
    }

    /// What a power cut may have left: of each file's unsynced writes a prefix, its last part
    /// torn and pages missing; of each directory's unsynced changes a prefix. Without faults,
    /// and everything in it is durable.
    pub fn crash_image(&self, seed: u64) -> Self {
        let image = self.lock().image.after_crash(&mut Rng::new(seed));
        Self::with(image)
    }

    /// What the death of the process leaves: all that was written, of which a later power cut
    /// may still take what was not synced. Without faults.
    pub fn killed_image(&self) -> Self {
        let image = self.lock().image.clone();
        Self::with(image)
    }

    /// Changes one byte of a file, durably: a fault of the medium.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` beyond the end.
    pub fn flip(&self, path: &Path, offset: u64, mask: u8) -> io::Result<()> {
        self.lock().image.flip(path, offset, mask)
    }

    fn with(image: Image) -> Self {
        Self(Arc::new(Mutex::new(State { image, ..State::default() })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a read unless crashed.
    fn read_state<T>(&self, read: impl FnOnce(&State) -> io::Result<T>) -> io::Result<T> {
        let state = self.lock();
        if state.crashed {
            return Err(power_cut());
        }
        read(&state)
    }

    /// Runs a mutating operation. The one at which the crash comes still enters the unsynced
    /// part of the image.
    fn operate(
        &self,
        path: &Path,
        operation: impl FnOnce(&mut State, bool) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut state = self.lock();
        if state.crashed {
            return Err(power_cut());
        }
        state.operations += 1;
        let crash = state.faults.crash_at.is_some_and(|at| state.operations >= at);
        let result = operation(&mut state, crash);
        if crash {
            state.crashed = true;
            state.crash_path = Some(path.to_owned());
            return Err(power_cut());
        }
        result
    }

    /// Counts a sync. `Ok(true)` asks for it to be done; a crash in it leaves all unsynced.
    fn begin_sync(state: &mut State, crash: bool, lie: bool) -> SyncFate {
        state.syncs += 1;
        if state.faults.sync_error_at == Some(state.syncs) {
            state.hits.sync_errors += 1;
            SyncFate::Fail
        } else if crash || lie {
            SyncFate::Nothing
        } else {
            SyncFate::Durable
        }
    }
}

enum SyncFate {
    Durable,
    Nothing,
    Fail,
}

fn power_cut() -> io::Error {
    io::Error::other("simulated power cut")
}

struct SimFile {
    fs: SimFs,
    node: usize,
    path: PathBuf,
}

impl File for SimFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.fs.operate(&self.path, |state, _| {
            state.appends += 1;
            let full = state.faults.full_from.is_some_and(|from| state.appends >= from);
            let short = state.faults.short_write_at == Some(state.appends);
            let written = if full || short { bytes.len() / 2 } else { bytes.len() };
            state.image.append(self.node, &bytes[..written]);
            state.hits.full += u64::from(full);
            state.hits.short_writes += u64::from(short && !full);
            if full {
                return Err(io::Error::new(io::ErrorKind::StorageFull, "simulated full disk"));
            }
            if short {
                return Err(io::Error::new(io::ErrorKind::WriteZero, "simulated short write"));
            }
            Ok(())
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.fs.operate(&self.path, |state, crash| {
            let lie = state.faults.lie_about_file_sync;
            match SimFs::begin_sync(state, crash, lie) {
                SyncFate::Durable => state.image.sync_file(self.node),
                SyncFate::Nothing => {}
                SyncFate::Fail => {
                    state.image.drop_unsynced(self.node);
                    return Err(io::Error::other("simulated sync failure"));
                }
            }
            Ok(())
        })
    }

    fn len(&self) -> io::Result<u64> {
        self.fs.read_state(|state| Ok(state.image.bytes(self.node).len() as u64))
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.fs.operate(&self.path, |state, _| {
            state.image.truncate(self.node, len);
            Ok(())
        })
    }
}

impl Fs for SimFs {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.operate(dir, |state, _| state.image.create_dirs(dir))
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let mut node = 0;
        self.operate(path, |state, _| {
            node = state.image.create_file(path)?;
            Ok(())
        })?;
        Ok(Box::new(SimFile { fs: self.clone(), node, path: path.to_owned() }))
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let node = self.read_state(|state| state.image.find_file(path))?;
        Ok(Box::new(SimFile { fs: self.clone(), node, path: path.to_owned() }))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.read_state(|state| Ok(state.image.bytes(state.image.find_file(path)?).to_vec()))
    }

    fn read_range(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.read_state(|state| {
            let bytes = state.image.bytes(state.image.find_file(path)?);
            let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
            let to = from.saturating_add(len).min(bytes.len());
            Ok(bytes[from..to].to_vec())
        })
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.read_state(|state| state.image.list(dir))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operate(to, |state, _| state.image.rename(from, to))
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operate(to, |state, _| state.image.hard_link(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.operate(path, |state, _| state.image.remove(path))
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.read_state(|state| state.image.metadata(path))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.operate(dir, |state, crash| {
            let lie = state.faults.lie_about_dir_sync;
            let dir = state.image.find_dir(dir)?;
            match SimFs::begin_sync(state, crash, lie) {
                SyncFate::Durable => state.image.sync_dir(dir),
                SyncFate::Nothing => {}
                SyncFate::Fail => return Err(io::Error::other("simulated sync failure")),
            }
            Ok(())
        })
    }

    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        self.read_state(|state| Ok(state.faults.free_bytes))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use std::collections::BTreeSet;

    fn a_file(fs: &SimFs, name: &str, synced: &[u8], unsynced: &[u8]) {
        let mut file = fs.create_new(Path::new(name)).unwrap();
        file.append(synced).unwrap();
        file.sync().unwrap();
        file.append(unsynced).unwrap();
    }

    #[test]
    fn synced_bytes_stay_and_unsynced_ones_may_go_or_tear() {
        let fs = SimFs::new();
        a_file(&fs, "a", b"keep", b"maybe");
        fs.sync_dir(Path::new("")).unwrap();
        let mut seen = BTreeSet::new();
        for seed in 0..200 {
            let bytes = fs.crash_image(seed).read(Path::new("a")).unwrap();
            assert!(bytes.starts_with(b"keep"), "seed {seed}");
            assert!(bytes.len() <= 9);
            seen.insert(bytes.len());
        }
        assert_eq!(seen, (4..=9).collect());
    }

    #[test]
    fn names_come_in_order_and_only_for_sure_after_a_directory_sync() {
        let fs = SimFs::new();
        for name in ["1", "2", "3"] {
            a_file(&fs, name, b"x", b"");
        }
        let mut seen = BTreeSet::new();
        for seed in 0..100 {
            seen.insert(fs.crash_image(seed).list(Path::new("")).unwrap().join(""));
        }
        assert_eq!(seen, ["", "1", "12", "123"].map(String::from).into());
        fs.sync_dir(Path::new("")).unwrap();
        fs.rename(Path::new("3"), Path::new("4")).unwrap();
        for seed in 0..100 {
            let names = fs.crash_image(seed).list(Path::new("")).unwrap().join("");
            assert!(names == "123" || names == "124", "seed {seed}: {names}");
        }
    }

    #[test]
    fn a_move_between_directories_is_in_both_or_in_neither() {
        let fs = SimFs::new();
        fs.create_dir_all(Path::new("x")).unwrap();
        a_file(&fs, "f", b"1", b"");
        fs.sync_dir(Path::new("")).unwrap();
        fs.rename(Path::new("f"), Path::new("x/f")).unwrap();
        for seed in 0..100 {
            let image = fs.crash_image(seed);
            let (old, new) = (image.exists(Path::new("f")), image.exists(Path::new("x/f")));
            assert!(old.unwrap() != new.unwrap(), "seed {seed}");
        }
        fs.sync_dir(Path::new("x")).unwrap();
        assert!(fs.crash_image(1).exists(Path::new("x/f")).unwrap());
    }

    #[test]
    fn a_failed_sync_drops_the_pages_for_good() {
        let fs = SimFs::new();
        fs.set_faults(|f| f.sync_error_at = Some(1));
        let mut file = fs.create_new(Path::new("a")).unwrap();
        file.append(b"lost").unwrap();
        assert!(file.sync().is_err());
        file.sync().unwrap();
        fs.sync_dir(Path::new("")).unwrap();
        assert_eq!(fs.read(Path::new("a")).unwrap(), b"lost");
        assert_eq!(fs.crash_image(1).read(Path::new("a")).unwrap(), [0; 4]);
    }

    #[test]
    fn a_crash_stops_everything_at_its_number() {
        let fs = SimFs::new();
        fs.set_faults(|f| f.crash_at = Some(3));
        let mut file = fs.create_new(Path::new("a")).unwrap();
        file.append(b"1").unwrap();
        assert!(file.sync().is_err());
        assert!(fs.crashed() && fs.read(Path::new("a")).is_err());
        assert_eq!(fs.operations(), 3);
        let killed = fs.killed_image();
        assert_eq!(killed.read(Path::new("a")).unwrap(), b"1");
    }

    #[test]
    fn a_full_disk_and_a_short_write_leave_a_half() {
        let fs = SimFs::new();
        fs.set_faults(|f| f.short_write_at = Some(1));
        let mut file = fs.create_new(Path::new("a")).unwrap();
        assert!(file.append(b"1234").is_err());
        fs.set_faults(|f| f.full_from = Some(2));
        let error = file.append(b"5678").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs.read(Path::new("a")).unwrap(), b"1256");
    }
}
