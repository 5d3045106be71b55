//! [`RealFs`]: the machine's own file system behind the [`Fs`] trait.

use crate::fs::{File, Fs, Metadata};
use rustix::fs::{Advice, fadvise};
use std::fs;
use std::io::{self, Write};
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// The machine's own file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFs;

struct RealFile(fs::File);

impl File for RealFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        self.0.metadata().map(|m| m.len())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
}

/// Opens a file of which parts are read, and says how large it is. The system is told to read no
/// more than it is asked for: ahead of a part it would read up to megabytes that nobody wants.
fn open_parts(path: &Path) -> io::Result<(fs::File, u64)> {
    let file = fs::File::open(path)?;
    let size = file.metadata()?.len();
    // Where it cannot be told, the same is read more slowly.
    let _ = fadvise(&file, 0, None, Advice::Random);
    Ok((file, size))
}

/// Up to `len` bytes from `offset` of a file that has `size`, in one call where the system gives
/// them at once.
fn part_of(file: &fs::File, size: u64, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    let rest = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX);
    let mut bytes = vec![0; len.min(rest)];
    let mut filled = 0;
    while let Some(empty) = bytes.get_mut(filled..).filter(|empty| !empty.is_empty()) {
        match file.read_at(empty, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// Files and directories hold customers' logs: not for the rest of the machine's users.
fn file_options() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    options
}

impl Fs for RealFs {
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o750);
        builder.create(dir)
    }

    fn create_new(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let file = file_options().create_new(true).open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let file = file_options().open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn read_range(&self, path: &Path, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let (file, size) = open_parts(path)?;
        part_of(&file, size, offset, len)
    }

    fn read_ranges(&self, path: &Path, parts: &[(u64, usize)]) -> io::Result<Vec<Vec<u8>>> {
        let (file, size) = open_parts(path)?;
        // A disk that is told of all of them works on many at once.
        for (offset, len) in parts {
            if let Some(len) = NonZeroU64::new(*len as u64) {
                // Without it they are read all the same, one after the other.
                let _ = fadvise(&file, *offset, Some(len), Advice::WillNeed);
            }
        }
        parts.iter().map(|(offset, len)| part_of(&file, size, *offset, *len)).collect()
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            let name = entry?.file_name().into_string().map_err(|name| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("file name {name:?} is not UTF-8"),
                )
            })?;
            names.push(name);
        }
        names.sort_unstable();
        Ok(names)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn hard_link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        let found = fs::metadata(path)?;
        Ok(Metadata { len: found.len(), is_dir: found.is_dir() })
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        fs::File::open(dir)?.sync_all()
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        fs4::available_space(path)
    }

    fn allocate(&self, path: &Path, len: u64) -> io::Result<()> {
        let file = file_options().create_new(true).open(path)?;
        match fs4::fs_std::FileExt::allocate(&file, len) {
            Ok(()) => file.sync_all(),
            // Not every file system can do it at once.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                let mut file = RealFile(file);
                crate::fs::fill(&mut file, len)?;
                file.sync()
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn files_grow_are_cut_and_are_read_in_parts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let mut file = RealFs.create_new(&path).unwrap();
        file.append(b"hello world").unwrap();
        file.truncate(5).unwrap();
        file.append(b"!").unwrap();
        file.sync().unwrap();
        assert_eq!(file.len().unwrap(), 6);
        assert_eq!(RealFs.read(&path).unwrap(), b"hello!");
        assert_eq!(RealFs.read_range(&path, 4, 100).unwrap(), b"o!");
        assert_eq!(RealFs.read_range(&path, 9, 1).unwrap(), b"");
        assert_eq!(
            RealFs.create_new(&path).err().map(|e| e.kind()),
            Some(io::ErrorKind::AlreadyExists)
        );
        let missing = dir.path().join("none");
        assert_eq!(
            RealFs.open_append(&missing).err().map(|e| e.kind()),
            Some(io::ErrorKind::NotFound)
        );
        assert!(!RealFs.exists(&missing).unwrap());
    }

    #[test]
    fn a_hard_link_never_replaces() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        RealFs.create_new(&a).unwrap().append(b"a").unwrap();
        RealFs.create_new(&b).unwrap().append(b"b").unwrap();
        let kind = RealFs.hard_link(&a, &b).err().map(|e| e.kind());
        assert_eq!(kind, Some(io::ErrorKind::AlreadyExists));
        RealFs.rename(&a, &b).unwrap();
        assert_eq!(RealFs.list(dir.path()).unwrap(), ["b"]);
        RealFs.sync_dir(dir.path()).unwrap();
        assert!(RealFs.free_bytes(dir.path()).unwrap() > 0);
        assert!(RealFs.metadata(dir.path()).unwrap().is_dir);
    }
}
