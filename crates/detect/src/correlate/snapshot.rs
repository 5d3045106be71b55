//! The correlator's snapshot.
//!
//! Layout: magic `YGCORREL`, version (u32, little endian), length of the body (u64, little
//! endian), first 16 bytes of the body's BLAKE3 hash, body (JSON of the state). Equal states
//! have equal bytes: every map in a state is ordered.

use super::engine::{Correlator, State};
use super::plan::Plan;
use super::state::{Limits, Subject};
use std::sync::Arc;

const MAGIC: &[u8; 8] = b"YGCORREL";
const VERSION: u32 = 1;
const HEAD_BYTES: usize = 8 + 4 + 8 + 16;

/// Why a snapshot could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SnapshotError {
    /// It is not a snapshot of a correlator.
    #[error("not a correlator snapshot; replay the journal instead")]
    Magic,
    /// It was written by another version.
    #[error(
        "correlator snapshot has version {0}, this program reads {VERSION}; upgrade, or replay the journal"
    )]
    Version(u32),
    /// It is cut or changed.
    #[error("correlator snapshot is damaged; use an older one or replay the journal")]
    Damaged,
}

impl Correlator {
    /// The whole state, also of findings that wait for their next version.
    ///
    /// With tens of megabytes of state it takes a good part of a second; a clone of the
    /// correlator is far cheaper (samples are shared) and can be written out elsewhere.
    pub fn snapshot(&self) -> Vec<u8> {
        // Serialising cannot fail: all keys are texts or numbers, and writing is to memory.
        let body = serde_json::to_vec(&self.state).unwrap_or_default();
        let mut bytes = Vec::with_capacity(HEAD_BYTES + body.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&checksum(&body));
        bytes.extend_from_slice(&body);
        bytes
    }

    /// A correlator in the state of a snapshot. State of rules whose meaning differs in `plan`
    /// is dropped.
    ///
    /// # Errors
    /// [`SnapshotError`] if the bytes are not a whole snapshot of this version.
    pub fn restore(plan: Arc<Plan>, limits: Limits, bytes: &[u8]) -> Result<Self, SnapshotError> {
        let mut state = read(bytes)?;
        let State { tenants, sweeps, changed, .. } = &mut state;
        for (tenant, all) in tenants.iter_mut() {
            all.rules.retain(|rule, held| {
                let same = Subject::find(&plan, rule)
                    .is_some_and(|subject| subject.fingerprint() == held.fingerprint);
                if !same {
                    all.bytes = all.bytes.saturating_sub(held.bytes);
                    sweeps.retain(|(_, t, r)| (t, r) != (tenant, rule));
                    changed.retain(|(t, r, _)| (t, r) != (tenant, rule));
                }
                same
            });
        }
        Ok(Self { plan, limits, state })
    }
}

fn read(bytes: &[u8]) -> Result<State, SnapshotError> {
    if bytes.get(..8) != Some(&MAGIC[..]) {
        return Err(SnapshotError::Magic);
    }
    let head = bytes.get(..HEAD_BYTES).ok_or(SnapshotError::Damaged)?;
    let version = head[8..12].iter().rev().fold(0u32, |n, byte| n << 8 | u32::from(*byte));
    if version != VERSION {
        return Err(SnapshotError::Version(version));
    }
    let length = head[12..20].iter().rev().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
    let body = &bytes[HEAD_BYTES..];
    if body.len() as u64 != length || checksum(body)[..] != head[20..36] {
        return Err(SnapshotError::Damaged);
    }
    serde_json::from_slice(body).map_err(|_| SnapshotError::Damaged)
}

fn checksum(body: &[u8]) -> [u8; 16] {
    let mut sum = [0u8; 16];
    sum.copy_from_slice(&blake3::hash(body).as_bytes()[..16]);
    sum
}
