//! Archives inside of compressions, unpacked when they are needed.

use crate::container::Part;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Unpacked archives kept at a time. Another one is unpacked again when its files are read:
/// a folder of a thousand archives must fill neither the disk nor the table of open files.
const KEPT_MAX: usize = 8;

/// The archives unpacked last, in files without names in the system's temporary folder.
#[derive(Clone, Debug, Default)]
pub struct Shelf(Arc<Mutex<VecDeque<Arc<File>>>>);

impl Shelf {
    fn keep(&self, file: &Arc<File>) {
        let mut kept = lock(&self.0);
        if kept.len() >= KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(Arc::clone(file));
    }
}

/// An archive that must be unpacked to be read anywhere.
#[derive(Debug)]
pub struct Spool {
    part: Part,
    file: Mutex<Weak<File>>,
    shelf: Shelf,
}

impl Spool {
    /// The archive `part`, whose bytes are read from `reader`; and its length.
    ///
    /// # Errors
    /// From the reader, or a temporary folder without room.
    pub fn of(part: Part, reader: Box<dyn Read>, shelf: &Shelf) -> io::Result<(Self, u64)> {
        let spool = Self { part, file: Mutex::default(), shelf: shelf.clone() };
        let len = spool.fill(&mut lock(&spool.file), reader)?.metadata()?.len();
        Ok((spool, len))
    }

    /// The unpacked file.
    ///
    /// # Errors
    /// As for [`Self::of`].
    pub fn open(&self) -> io::Result<Arc<File>> {
        let mut file = lock(&self.file);
        match file.upgrade() {
            Some(file) => Ok(file),
            None => self.fill(&mut file, self.part.open()?.0),
        }
    }

    fn fill(&self, place: &mut Weak<File>, mut reader: Box<dyn Read>) -> io::Result<Arc<File>> {
        let mut unpack = || {
            let mut file = tempfile::tempfile()?;
            io::copy(&mut reader, &mut file)?;
            Ok(Arc::new(file))
        };
        let file = unpack().map_err(|error: io::Error| {
            let folder = std::env::temp_dir();
            let text = format!("cannot unpack it in {} (TMPDIR): {error}", folder.display());
            io::Error::new(error.kind(), text)
        })?;
        *place = Arc::downgrade(&file);
        self.shelf.keep(&file);
        Ok(file)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
