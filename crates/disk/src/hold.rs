//! Removals that wait: while a directory is copied, no file of it goes.

use crate::fs::{File, Fs, Metadata};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A file system whose removals can be held back. A name that is to be removed and is taken anew
/// meanwhile stays; everything else is done at once.
pub struct HoldFs {
    inner: Arc<dyn Fs>,
    /// What is to be removed later; `None` while nothing is held.
    later: Mutex<Option<BTreeSet<PathBuf>>>,
}

/// Removals are held back until [`Hold::release`] or its end.
pub struct Hold<'a>(&'a HoldFs);

impl HoldFs {
    /// Over another file system.
    pub fn new(inner: Arc<dyn Fs>) -> Self {
        Self { inner, later: Mutex::new(None) }
    }

    /// Holds removals back; `None` where they are already.
    pub fn hold(&self) -> Option<Hold<'_>> {
        let mut later = self.lock();
        later.is_none().then(|| {
            *later = Some(BTreeSet::new());
            Hold(self)
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<BTreeSet<PathBuf>>> {
        self.later.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A name that is taken anew is not removed later; says whether it was to be.
    fn take(&self, path: &Path) -> bool {
        self.lock().as_mut().is_some_and(|later| later.remove(path))
    }

    fn release(&self) -> io::Result<()> {
        let mut later = self.lock();
        let mut failed = None;
        for path in later.take().into_iter().flatten() {
            match self.inner.remove(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => failed = Some(error),
                _ => {}
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

impl Hold<'_> {
    /// Removes what was to be removed.
    ///
    /// # Errors
    /// The last failure; the rest is removed all the same.
    pub fn release(self) -> io::Result<()> {
        let released = self.0.release();
        // Its end would release what another may hold by now.
        std::mem::forget(self);
        released
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        // What could not be removed is left over like after a crash.
        let _ = self.0.release();
    }
}

impl Fs for HoldFs {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.inner.create_dir_all(dir)
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn File>> {
        if self.take(path) {
            self.inner.remove(path)?;
        }
        self.inner.create_new(path)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn File>> {
        self.inner.open_append(path)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.inner.read(path)
    }

    fn read_range(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        self.inner.read_range(path, offset, len)
    }

    fn read_ranges(&self, path: &Path, parts: &[(u64, usize)]) -> io::Result<Vec<Vec<u8>>> {
        self.inner.read_ranges(path, parts)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.inner.list(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.take(to);
        self.take(from);
        self.inner.rename(from, to)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.take(to) {
            self.inner.remove(to)?;
        }
        self.inner.hard_link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        // Under the lock: once `hold` has returned, no removal is under way.
        match self.lock().as_mut() {
            Some(later) => {
                later.insert(path.to_owned());
                Ok(())
            }
            None => self.inner.remove(path),
        }
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.inner.metadata(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.inner.sync_dir(dir)
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        self.inner.free_bytes(path)
    }

    fn allocate(&self, path: &Path, len: u64) -> io::Result<()> {
        if self.take(path) {
            self.inner.remove(path)?;
        }
        self.inner.allocate(path, len)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::RealFs;

    #[test]
    fn what_is_removed_goes_later_and_what_is_made_anew_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let fs = HoldFs::new(Arc::new(RealFs));
        for name in ["gone", "anew", "over", "kept"] {
            fs.create_new(&path(name)).unwrap().append(b"old").unwrap();
        }
        let hold = fs.hold().unwrap();
        assert!(fs.hold().is_none());
        for name in ["gone", "anew", "over", "gone", "never"] {
            fs.remove(&path(name)).unwrap();
        }
        assert_eq!(fs.read(&path("gone")).unwrap(), b"old");
        fs.create_new(&path("anew")).unwrap().append(b"new").unwrap();
        fs.create_new(&path("temporary")).unwrap();
        fs.rename(&path("temporary"), &path("over")).unwrap();
        hold.release().unwrap();
        assert_eq!(fs.list(dir.path()).unwrap(), ["anew", "kept", "over"]);
        assert_eq!(fs.read(&path("anew")).unwrap(), b"new");
        // Held again by its end alone, and then no more.
        drop(fs.hold().unwrap());
        fs.remove(&path("kept")).unwrap();
        assert!(!fs.exists(&path("kept")).unwrap());
    }
}
