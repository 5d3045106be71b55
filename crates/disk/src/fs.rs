//! The [`Fs`] trait: the few file operations from which everything durable is built.
//!
//! Two things are separate, as POSIX has them: the bytes of a file are durable after
//! [`File::sync`], and its name is durable after [`Fs::sync_dir`] of the directory it is in.

use std::io;
use std::path::Path;

/// What is known of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Metadata {
    /// Length in bytes; of no meaning for a directory.
    pub len: u64,
    /// Whether the path is a directory.
    pub is_dir: bool,
}

/// A file opened for appending.
pub trait File: Send {
    /// Appends all of `bytes`.
    ///
    /// # Errors
    /// Any error may leave a part of `bytes` in the file.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes everything written so far durable.
    ///
    /// # Errors
    /// After an error the state of the bytes is unknown and a further call proves nothing.
    fn sync(&mut self) -> io::Result<()>;

    /// The file's length in bytes.
    ///
    /// # Errors
    /// Those of the file system.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file is empty.
    ///
    /// # Errors
    /// Those of the file system.
    fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|len| len == 0)
    }

    /// Cuts the file to `len` bytes; later appends go to the new end.
    ///
    /// # Errors
    /// Those of the file system.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
}

/// A file system. Every error is the system's own; the methods add only what they state.
pub trait Fs: Send + Sync {
    /// Creates a directory and its missing parents; one that exists is fine. See
    /// [`crate::create_dirs`] for the durable form.
    ///
    /// # Errors
    /// Those of the file system.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Creates a file that must not exist.
    ///
    /// # Errors
    /// `AlreadyExists` if it does.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Opens a file that exists for appending.
    ///
    /// # Errors
    /// `NotFound` if it does not exist.
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// The whole file.
    ///
    /// # Errors
    /// `NotFound` and those of the file system.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Up to `len` bytes from `offset`; fewer where the file ends.
    ///
    /// # Errors
    /// `NotFound` and those of the file system.
    fn read_range(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>>;

    /// Several parts of a file, (offset, length), each as [`Fs::read_range`] reads it, in their order.
    ///
    /// # Errors
    /// As there.
    fn read_ranges(&self, path: &Path, parts: &[(u64, usize)]) -> io::Result<Vec<Vec<u8>>> {
        parts.iter().map(|(offset, len)| self.read_range(path, *offset, *len)).collect()
    }

    /// The names in a directory, sorted by bytes, files and directories alike.
    ///
    /// # Errors
    /// `NotFound`; `InvalidData` for a name that is not UTF-8.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Moves a file, replacing `to`.
    ///
    /// # Errors
    /// `NotFound` and those of the file system.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name.
    ///
    /// # Errors
    /// `AlreadyExists` if `to` exists: the base of [`crate::put_if_absent`].
    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// `NotFound` and those of the file system.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Length and kind of a path.
    ///
    /// # Errors
    /// `NotFound` and those of the file system.
    fn metadata(&self, path: &Path) -> io::Result<Metadata>;

    /// Whether a path exists.
    ///
    /// # Errors
    /// Those of the file system other than `NotFound`.
    fn exists(&self, path: &Path) -> io::Result<bool> {
        match self.metadata(path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// As for [`File::sync`].
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Bytes that an unprivileged process may still write on the file system of `path`.
    ///
    /// # Errors
    /// Those of the file system.
    fn free_bytes(&self, path: &Path) -> io::Result<u64>;

    /// Creates a file of `len` bytes whose room is really taken, by default by writing it.
    ///
    /// # Errors
    /// `AlreadyExists`; any other error may leave a part of the file.
    fn allocate(&self, path: &Path, len: u64) -> io::Result<()> {
        let mut file = self.create_new(path)?;
        fill(file.as_mut(), len)?;
        file.sync()
    }
}

/// Appends `len` zero bytes.
pub(crate) fn fill(file: &mut dyn File, len: u64) -> io::Result<()> {
    static PIECE: [u8; 64 * 1024] = [0; 64 * 1024];
    let mut rest = len;
    while rest > 0 {
        let piece = usize::try_from(rest).unwrap_or(usize::MAX).min(PIECE.len());
        file.append(PIECE.get(..piece).unwrap_or_default())?;
        rest -= piece as u64;
    }
    Ok(())
}
