//! [`DiskGuard`]: what is given up, and in which order, as the disk fills.
//!
//! | free bytes below | what happens |
//! |---|---|
//! | `warn_free_bytes` | a warning, and the stage is shown |
//! | `stop_compaction_free_bytes` | no files are rewritten any more |
//! | `refuse_free_bytes` | the journal refuses records (its own `free_bytes_min`) |
//! | `ballast_bytes`, or a failed write | the ballast file goes: its room is for what was taken |
//!
//! The ballast is at most half of `refuse_free_bytes`, so that its release never opens the
//! input again. It is made anew when there is room for it beside that threshold.

use crate::fs::Fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The file in the data directory that keeps room for what was taken already.
pub const BALLAST: &str = "ballast";

/// Free bytes at which something is given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DiskLimits {
    /// Below it a warning is given.
    pub warn_free_bytes: u64,
    /// Below it no files are rewritten.
    pub stop_compaction_free_bytes: u64,
    /// Below it records are refused.
    pub refuse_free_bytes: u64,
    /// Length of the ballast file; 0 is none.
    pub ballast_bytes: u64,
}

/// How far it has come; each stage includes those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DiskStage {
    /// Nothing is given up.
    Ample = 0,
    /// Somebody should look after the disk.
    Low = 1,
    /// Files are not rewritten.
    NoCompaction = 2,
    /// Records are refused.
    Refusing = 3,
}

impl DiskStage {
    /// The word in status and log.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ample => "ample",
            Self::Low => "low",
            Self::NoCompaction => "compaction_stopped",
            Self::Refusing => "input_refused",
        }
    }

    fn of(number: u8) -> Self {
        match number {
            0 => Self::Ample,
            1 => Self::Low,
            2 => Self::NoCompaction,
            _ => Self::Refusing,
        }
    }
}

/// What was seen last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DiskReading {
    /// What is given up.
    pub stage: DiskStage,
    /// Free bytes, without those that are kept for a ballast that is not there.
    pub free_bytes: u64,
    /// Whether the ballast file is there.
    pub ballast: bool,
}

/// Looks at the disk of one data directory.
pub struct DiskGuard {
    fs: Arc<dyn Fs>,
    data: PathBuf,
    limits: DiskLimits,
    stage: AtomicU8,
    free_bytes: AtomicU64,
    /// Whether a ballast is to be kept.
    wanted: AtomicBool,
    /// Whether it is there; held while it is made or removed.
    ballast: Mutex<bool>,
}

impl DiskGuard {
    /// A guard of `data`. It looks for a ballast of an earlier process and makes none before
    /// [`Self::keep_ballast`].
    pub fn new(fs: Arc<dyn Fs>, data: &Path, limits: DiskLimits) -> Self {
        let there = fs.metadata(&data.join(BALLAST)).is_ok();
        Self {
            fs,
            data: data.to_owned(),
            limits,
            stage: AtomicU8::new(0),
            free_bytes: AtomicU64::new(u64::MAX),
            wanted: AtomicBool::new(false),
            ballast: Mutex::new(there),
        }
    }

    /// Keeps a ballast from here on, where there is room for it.
    pub fn keep_ballast(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// Looks at the disk; `Some` of the new stage where it is another than before.
    ///
    /// # Errors
    /// Those of the file system; the stage stays.
    pub fn look(&self) -> io::Result<Option<DiskStage>> {
        let free = self.fs.free_bytes(&self.data)?;
        let mut there = self.ballast.lock().unwrap_or_else(PoisonError::into_inner);
        if *there && free < self.limits.ballast_bytes {
            self.release(&mut there)?;
        } else if self.room_for_ballast(free) && self.wanted.load(Ordering::Relaxed) {
            self.make(&mut there)?;
        }
        let free = self.fs.free_bytes(&self.data)?;
        let owed = if *there || !self.wanted.load(Ordering::Relaxed) {
            0
        } else {
            self.limits.ballast_bytes
        };
        drop(there);
        let free = free.saturating_sub(owed);
        let stage = self.stage_at(free);
        self.free_bytes.store(free, Ordering::Relaxed);
        let before = self.stage.swap(stage as u8, Ordering::Relaxed);
        Ok((before != stage as u8).then_some(stage))
    }

    /// Frees the ballast's room after a write that failed; true where there was one and the
    /// disk is nearly full, so that a further try may succeed.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn make_room(&self) -> io::Result<bool> {
        let mut there = self.ballast.lock().unwrap_or_else(PoisonError::into_inner);
        if !*there || self.fs.free_bytes(&self.data)? >= self.limits.refuse_free_bytes {
            return Ok(false);
        }
        self.release(&mut there)?;
        Ok(true)
    }

    /// Whether files may be rewritten, which needs room for the new beside the old.
    pub fn may_compact(&self) -> bool {
        self.reading().stage < DiskStage::NoCompaction
    }

    /// What was seen last.
    pub fn reading(&self) -> DiskReading {
        DiskReading {
            stage: DiskStage::of(self.stage.load(Ordering::Relaxed)),
            free_bytes: self.free_bytes.load(Ordering::Relaxed),
            ballast: *self.ballast.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    fn stage_at(&self, free: u64) -> DiskStage {
        match free {
            n if n < self.limits.refuse_free_bytes => DiskStage::Refusing,
            n if n < self.limits.stop_compaction_free_bytes => DiskStage::NoCompaction,
            n if n < self.limits.warn_free_bytes => DiskStage::Low,
            _ => DiskStage::Ample,
        }
    }

    /// A ballast is made only where the input stays open beside it with some room to spare.
    fn room_for_ballast(&self, free: u64) -> bool {
        let ballast = self.limits.ballast_bytes;
        ballast > 0 && free >= self.limits.refuse_free_bytes.saturating_add(ballast * 2)
    }

    fn make(&self, there: &mut bool) -> io::Result<()> {
        let path = self.data.join(BALLAST);
        match self.fs.metadata(&path) {
            Ok(found) if found.len == self.limits.ballast_bytes => {
                *there = true;
                return Ok(());
            }
            // Of another length: a process died while it made it, or the setting changed.
            Ok(_) => self.fs.remove(&path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let made = self.fs.allocate(&path, self.limits.ballast_bytes);
        if made.is_err() {
            // What there is of it only takes room; where it stays it is removed the next time.
            let _ = self.fs.remove(&path);
        }
        *there = made.is_ok();
        made
    }

    fn release(&self, there: &mut bool) -> io::Result<()> {
        match self.fs.remove(&self.data.join(BALLAST)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        *there = false;
        Ok(())
    }
}
