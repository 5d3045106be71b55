//! What is left of a job that parses records again, kept so that the next server goes on with it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use yagura_api::model::ReparseRequest;
use yagura_disk::{Fs as _, RealFs, write_atomic};
use yagura_lake::Partition;

/// The file in the data directory; it is there while a job has not come to its end.
pub const REPARSE_FILE: &str = "reparse.json";

/// A job as far as it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Left {
    /// What was asked for.
    pub asked: ReparseRequest,
    /// Who asked.
    pub by: String,
    /// When, as RFC 3339.
    pub time_dt: String,
    /// The partitions that are done.
    pub done: BTreeSet<Partition>,
    /// Their records.
    pub records: u64,
}

impl Left {
    /// What the last process left; nothing where its job, if there was one, came to its end.
    ///
    /// # Errors
    /// A file that cannot be read or was not written by us.
    pub fn read(data: &Path) -> io::Result<Option<Self>> {
        match RealFs.read(&path(data)) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps it; durable on return.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn keep(&self, data: &Path) -> io::Result<()> {
        let bytes = serde_json::to_vec(self).map_err(io::Error::other)?;
        write_atomic(&RealFs, &path(data), &bytes)
    }

    /// Nothing is left.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn forget(data: &Path) -> io::Result<()> {
        match RealFs.remove(&path(data)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn path(data: &Path) -> PathBuf {
    data.join(REPARSE_FILE)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_left_is_read_as_it_was_kept() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Left::read(dir.path()).unwrap(), None);
        let left = Left {
            asked: ReparseRequest { sources: vec!["zeek".to_owned()], from: None, until: None },
            by: "admin".to_owned(),
            time_dt: "2026-11-02T00:00:00Z".to_owned(),
            done: [(20_000, 3), (20_001, 0)].into(),
            records: 7,
        };
        left.keep(dir.path()).unwrap();
        assert_eq!(Left::read(dir.path()).unwrap(), Some(left));
        Left::forget(dir.path()).unwrap();
        Left::forget(dir.path()).unwrap();
        assert_eq!(Left::read(dir.path()).unwrap(), None);
        std::fs::write(dir.path().join(REPARSE_FILE), "{").unwrap();
        assert!(Left::read(dir.path()).is_err());
    }
}
