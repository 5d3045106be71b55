//! The data directory's `VERSION` file: `YAGURA-DATA <number>` and a newline, written atomically.

use crate::DiskError;
use crate::fs::Fs;
use crate::put::write_atomic;
use std::path::Path;

/// Name of the file in the data directory.
pub const VERSION_FILE: &str = "VERSION";

const MAGIC: &str = "YAGURA-DATA ";

/// Reads the version of the data directory `dir`, which must exist, or writes `supported`
/// into a fresh one. Returns what the directory has; a lower number asks for migration.
///
/// `data_names` are entries (such as `journal`) that prove data is there: beside them a
/// missing file is an error, never a fresh start.
///
/// # Errors
/// [`DiskError::Newer`], [`DiskError::NotAVersion`], [`DiskError::VersionMissing`] and
/// [`DiskError::Io`].
pub fn open_version(
    fs: &dyn Fs,
    dir: &Path,
    supported: u32,
    data_names: &[&str],
) -> Result<u32, DiskError> {
    let path = dir.join(VERSION_FILE);
    let io = |action, source| DiskError::Io { action, path: path.clone(), source };
    if !fs.exists(&path).map_err(|e| io("look for", e))? {
        let names = fs.list(dir).map_err(|e| io("look for", e))?;
        if let Some(name) = names.into_iter().find(|n| data_names.contains(&n.as_str())) {
            return Err(DiskError::VersionMissing { dir: dir.to_owned(), name });
        }
        write_version(fs, dir, supported)?;
        return Ok(supported);
    }
    let bytes = fs.read_range(&path, 0, 64).map_err(|e| io("read", e))?;
    let found = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| text.strip_prefix(MAGIC)?.strip_suffix('\n')?.parse::<u32>().ok())
        .ok_or_else(|| DiskError::NotAVersion { path: path.clone() })?;
    if found > supported {
        return Err(DiskError::Newer { dir: dir.to_owned(), found, supported });
    }
    Ok(found)
}

/// Writes the version: by [`open_version`] into a fresh directory, and after a migration.
///
/// # Errors
/// [`DiskError::Io`]; the old version is then still in place.
pub fn write_version(fs: &dyn Fs, dir: &Path, version: u32) -> Result<(), DiskError> {
    let path = dir.join(VERSION_FILE);
    write_atomic(fs, &path, format!("{MAGIC}{version}\n").as_bytes())
        .map_err(|source| DiskError::Io { action: "write", path, source })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::RealFs;

    #[test]
    fn fresh_same_older_and_newer() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(open_version(&RealFs, dir.path(), 3, &[]).unwrap(), 3);
        assert_eq!(open_version(&RealFs, dir.path(), 3, &[]).unwrap(), 3);
        assert_eq!(open_version(&RealFs, dir.path(), 4, &[]).unwrap(), 3);
        let error = open_version(&RealFs, dir.path(), 2, &[]).unwrap_err();
        assert!(matches!(error, DiskError::Newer { found: 3, supported: 2, .. }));
        assert!(error.to_string().contains("has version 3, this release reads up to 2"), "{error}");
        assert_eq!(RealFs.read(&dir.path().join(VERSION_FILE)).unwrap(), b"YAGURA-DATA 3\n");
    }

    #[test]
    fn foreign_content_and_lost_versions_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        write_atomic(&RealFs, &dir.path().join(VERSION_FILE), b"10.2\n").unwrap();
        let error = open_version(&RealFs, dir.path(), 1, &[]).unwrap_err();
        assert!(matches!(error, DiskError::NotAVersion { .. }));
        RealFs.remove(&dir.path().join(VERSION_FILE)).unwrap();
        RealFs.create_dir_all(&dir.path().join("journal")).unwrap();
        let error = open_version(&RealFs, dir.path(), 1, &["journal"]).unwrap_err();
        assert!(matches!(error, DiskError::VersionMissing { .. }));
    }
}
