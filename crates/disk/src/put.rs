//! Durable building blocks over [`Fs`]: directories, atomic replacement, put if absent.

use crate::fs::Fs;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Ending of a file that is not whole yet. A crash leaves it behind; its owner removes it.
pub const TEMPORARY_SUFFIX: &str = ".tmp";

/// Creates a directory with its missing parents and makes every new name durable, one level
/// after the other. Of levels that exist the last may be the work of a process that died
/// before its sync, so its name is synced too.
///
/// # Errors
/// Those of the file system.
pub fn create_dirs(fs: &dyn Fs, dir: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    let mut at = Some(dir);
    while let Some(path) = at.filter(|p| !p.as_os_str().is_empty()) {
        if fs.exists(path)? {
            match fs.sync_dir(parent_of(path)) {
                // Who may not open the parent has not made the directory either.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                synced => synced?,
            }
            break;
        }
        missing.push(path);
        at = path.parent();
    }
    for path in missing.into_iter().rev() {
        fs.create_dir_all(path)?;
        fs.sync_dir(parent_of(path))?;
    }
    Ok(())
}

/// Writes a whole file so that a crash leaves the old content or the new, never a mixture;
/// durable on return.
///
/// # Errors
/// Those of the file system; the old content is then still in place.
pub fn write_atomic(fs: &dyn Fs, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = write_temporary(fs, path, bytes)?;
    fs.rename(&temporary, path)?;
    fs.sync_dir(parent_of(path))
}

/// Writes a whole file unless one of that name exists; durable on return.
///
/// # Errors
/// `AlreadyExists` if the name is taken, and those of the file system.
pub fn put_if_absent(fs: &dyn Fs, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = write_temporary(fs, path, bytes)?;
    let linked = fs.hard_link(&temporary, path);
    let removed = fs.remove(&temporary);
    linked?;
    removed?;
    fs.sync_dir(parent_of(path))
}

/// Writes `bytes`, synced, to a new file beside `path` and returns its name.
fn write_temporary(fs: &dyn Fs, path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut name = OsString::from(path);
        name.push(format!(".{}-{number}{TEMPORARY_SUFFIX}", std::process::id()));
        let temporary = PathBuf::from(name);
        let mut file = match fs.create_new(&temporary) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error),
        };
        if let Err(error) = file.append(bytes).and_then(|()| file.sync()) {
            drop(file);
            // The write's error matters; a leftover is removed by its owner on start.
            let _ = fs.remove(&temporary);
            return Err(error);
        }
        return Ok(temporary);
    }
}

/// The directory that holds the name of `path`; the root holds its own.
fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::RealFs;

    #[test]
    fn replacing_and_putting_leave_no_temporary() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b");
        create_dirs(&RealFs, &deep).unwrap();
        let path = deep.join("f");
        write_atomic(&RealFs, &path, b"1").unwrap();
        write_atomic(&RealFs, &path, b"2").unwrap();
        let kind = put_if_absent(&RealFs, &path, b"3").err().map(|e| e.kind());
        assert_eq!(kind, Some(io::ErrorKind::AlreadyExists));
        put_if_absent(&RealFs, &deep.join("g"), b"4").unwrap();
        assert_eq!(RealFs.read(&path).unwrap(), b"2");
        assert_eq!(RealFs.list(&deep).unwrap(), ["f", "g"]);
    }
}
