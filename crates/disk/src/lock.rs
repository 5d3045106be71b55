//! The data directory's exclusive lock: one process at a time, named by its number.

use crate::DiskError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Name of the lock file in the data directory. It stays when the lock is released: removing
/// it would let two processes each lock a file of that name.
pub const LOCK_FILE: &str = "LOCK";

/// Holds the data directory until dropped; the system releases it when the process dies.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

impl DataLock {
    /// Takes the lock of `dir`, which must exist, without waiting.
    ///
    /// # Errors
    /// [`DiskError::Locked`] names the process that holds it; [`DiskError::Io`] for a
    /// directory that cannot be written.
    pub fn acquire(dir: &Path) -> Result<Self, DiskError> {
        let path = dir.join(LOCK_FILE);
        let io = |action| {
            let path = path.clone();
            move |source| DiskError::Io { action, path, source }
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io("open the lock file"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DiskError::Locked { dir: dir.to_owned(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(io("lock")(source)),
        }
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(file, "{}", std::process::id()))
            .map_err(io("write the lock file"))?;
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    // A process number has at most ten digits; what is longer is not ours.
    let read = file.take(16).read_to_string(&mut text);
    match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(pid)) => format!("process {pid}"),
        _ => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataLock::acquire(dir.path()).unwrap();
        let error = DataLock::acquire(dir.path()).unwrap_err();
        assert!(
            error.to_string().contains(&format!("in use by process {}", std::process::id())),
            "{error}"
        );
        drop(first);
        DataLock::acquire(dir.path()).unwrap();
    }

    #[test]
    fn a_missing_directory_is_an_error_with_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let error = DataLock::acquire(&dir.path().join("none")).unwrap_err();
        assert!(error.to_string().contains("none/LOCK"), "{error}");
    }
}
