//! What may be used of disk and memory.

use serde::{Deserialize, Serialize};
use yagura_disk::DiskLimits;

/// What is given up as the disk fills, in the order of the fields.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DiskConfig {
    /// Free bytes below which a warning is given.
    pub warn_free_bytes: u64,
    /// Free bytes below which data files are not rewritten.
    pub stop_compaction_free_bytes: u64,
    /// Free bytes below which inputs are refused.
    pub refuse_free_bytes: u64,
    /// Bytes that a running server keeps for what was taken already; 0 keeps none.
    pub ballast_bytes: u64,
}

impl DiskConfig {
    /// The limits, as the guard takes them.
    pub fn limits(&self) -> DiskLimits {
        DiskLimits {
            warn_free_bytes: self.warn_free_bytes,
            stop_compaction_free_bytes: self.stop_compaction_free_bytes,
            refuse_free_bytes: self.refuse_free_bytes,
            ballast_bytes: self.ballast_bytes,
        }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if self.warn_free_bytes < self.stop_compaction_free_bytes
            || self.stop_compaction_free_bytes < self.refuse_free_bytes
        {
            return Err("disk.warn_free_bytes, disk.stop_compaction_free_bytes and \
                        disk.refuse_free_bytes must not rise in this order"
                .to_owned());
        }
        if self.ballast_bytes > self.refuse_free_bytes / 2 {
            return Err("disk.ballast_bytes must be at most half of disk.refuse_free_bytes, or \
                        its release would open the inputs again"
                .to_owned());
        }
        Ok(())
    }
}

impl Default for DiskConfig {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            warn_free_bytes: 4096 * MIB,
            stop_compaction_free_bytes: 2048 * MIB,
            refuse_free_bytes: 512 * MIB,
            ballast_bytes: 128 * MIB,
        }
    }
}

/// What questions to the tables may use.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueryConfig {
    /// Bytes of memory of all queries together; each has an equal part.
    pub memory_bytes: usize,
    /// Queries that run at once.
    pub concurrent: usize,
    /// Queries that wait for a place; more are refused.
    pub waiting: usize,
    /// Most seconds that one waits.
    pub wait_s: u64,
    /// Most seconds that one runs.
    pub time_s: u64,
    /// Most rows of an answer.
    pub rows_max: usize,
    /// Bytes on disk of all queries together; each has an equal part.
    pub spill_bytes: u64,
}

impl QueryConfig {
    /// Least memory of one query: less does not hold the engine's own buffers.
    const MEMORY_BYTES_MIN: usize = 16 * 1024 * 1024;

    pub(super) fn check(&self) -> Result<(), String> {
        if !(1..=64).contains(&self.concurrent) {
            return Err("query.concurrent must be from 1 to 64".to_owned());
        }
        let least = Self::MEMORY_BYTES_MIN;
        if self.memory_bytes / self.concurrent < least {
            return Err(format!(
                "query.memory_bytes must be at least {least} for each of query.concurrent = {}",
                self.concurrent
            ));
        }
        if self.time_s == 0 || self.rows_max == 0 {
            return Err("query.time_s and query.rows_max must be at least 1".to_owned());
        }
        Ok(())
    }
}

impl Default for QueryConfig {
    fn default() -> Self {
        Self {
            memory_bytes: 1024 * 1024 * 1024,
            concurrent: 4,
            waiting: 32,
            wait_s: 10,
            time_s: 60,
            rows_max: 1_000_000,
            spill_bytes: 8 * 1024 * 1024 * 1024,
        }
    }
}
