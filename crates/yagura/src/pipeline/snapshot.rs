//! The correlator's snapshots, written aside and made current by the judge's commit.

use crate::pipeline::judge::JudgeError;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yagura_disk::{Fs, create_dirs, write_atomic};
use yagura_meta::SnapshotRef;

/// Folder of the snapshots in the data directory.
pub const SNAPSHOT_DIR: &str = "correlator";

const MAGIC: &[u8; 8] = b"YGCS\x01\0\0\0";

/// State at a position of the journal.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// Everything at or below this entry is in the state.
    pub lsn: u64,
    /// The last whole second of journal time that was a tick.
    pub second: i64,
    /// Rules and sources in force.
    pub engine: u128,
    /// Open batches with the lengths of their spill files.
    pub batches: Vec<BatchState>,
    /// The correlator's own form.
    #[serde(skip)]
    pub correlator: Vec<u8>,
}

/// An open batch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BatchState {
    /// Its number.
    pub batch: u64,
    /// Its tenant.
    pub tenant: String,
    /// What the caller asked for.
    pub settings: String,
    /// Bytes of its spill file.
    pub spilled: u64,
    /// Records seen by stream.
    pub streams: Vec<(u64, u64)>,
}

/// Writes and reads snapshot files.
pub struct SnapshotStore {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
}

impl SnapshotStore {
    /// The snapshots of a data directory.
    pub fn new(fs: Arc<dyn Fs>, data: &Path) -> Self {
        Self { fs, dir: data.join(SNAPSHOT_DIR) }
    }

    /// Writes a snapshot durably and returns what names it.
    ///
    /// # Errors
    /// [`JudgeError::Aside`].
    pub fn write(&self, snapshot: &Snapshot) -> Result<SnapshotRef, JudgeError> {
        let head = serde_json::to_vec(snapshot).map_err(aside("encode the snapshot"))?;
        let mut bytes = Vec::with_capacity(16 + head.len() + snapshot.correlator.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&(head.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&head);
        bytes.extend_from_slice(&snapshot.correlator);
        create_dirs(self.fs.as_ref(), &self.dir).map_err(aside("create the snapshot folder"))?;
        let name = format!("{:020}.snap", snapshot.lsn);
        write_atomic(self.fs.as_ref(), &self.dir.join(&name), &bytes)
            .map_err(aside("write the snapshot"))?;
        let hash = blake3::hash(&bytes).to_hex().to_string();
        Ok(SnapshotRef { lsn: snapshot.lsn, name, hash })
    }

    /// Reads the snapshot that `reference` names.
    ///
    /// # Errors
    /// [`JudgeError::Aside`] where the file is missing, damaged or of another form.
    pub fn read(&self, reference: &SnapshotRef) -> Result<Snapshot, JudgeError> {
        let bytes = self
            .fs
            .read(&self.dir.join(&reference.name))
            .map_err(aside("read the correlator's snapshot"))?;
        if blake3::hash(&bytes).to_hex().as_str() != reference.hash {
            return Err(JudgeError::Aside(format!(
                "snapshot {} is damaged; restore it or move the judge's files away and replay",
                reference.name
            )));
        }
        let rest = bytes
            .strip_prefix(MAGIC)
            .ok_or_else(|| JudgeError::Aside("the snapshot is of another version".to_owned()))?;
        let (len, rest) = rest
            .split_first_chunk::<8>()
            .ok_or_else(|| JudgeError::Aside("the snapshot is cut short".to_owned()))?;
        let len = usize::try_from(u64::from_le_bytes(*len)).unwrap_or(usize::MAX);
        let (head, correlator) = rest
            .split_at_checked(len)
            .ok_or_else(|| JudgeError::Aside("the snapshot is cut short".to_owned()))?;
        let mut snapshot: Snapshot =
            serde_json::from_slice(head).map_err(aside("read the snapshot"))?;
        snapshot.correlator = correlator.to_vec();
        Ok(snapshot)
    }

    /// Removes every snapshot but the current one; what cannot be removed stays.
    pub fn keep_only(&self, reference: &SnapshotRef) {
        let Ok(names) = self.fs.list(&self.dir) else { return };
        for name in names.into_iter().filter(|name| *name != reference.name) {
            if let Err(error) = self.fs.remove(&self.dir.join(&name)) {
                tracing::debug!(%error, name, "an old snapshot stays");
            }
        }
    }
}

/// Words around a failure of files aside.
pub fn aside<E: std::fmt::Display>(what: &'static str) -> impl FnOnce(E) -> JudgeError {
    move |error| JudgeError::Aside(format!("cannot {what}: {error}"))
}
