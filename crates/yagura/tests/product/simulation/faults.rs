//! What goes wrong in each life of the process, planned by the seed, and what of it came.

use std::collections::BTreeMap;
use yagura_testkit::rng::Rng;
use yagura_testkit::simfs::{Faults, SimFs};

/// How a life is to end or be disturbed; a crash comes in any case in the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plan {
    /// A crash at a numbered operation and nothing else.
    Crash,
    /// A sync that fails, whose pages are gone.
    SyncError,
    /// An append that writes a half.
    ShortWrite,
    /// A disk that is full from an append on, for the rest of this life.
    Full,
    /// A disk that is full from an append on and has room again when somebody meets it.
    FullForAWhile,
}

impl Plan {
    pub fn draw(rng: &mut Rng) -> Self {
        match rng.range(0, 11) {
            0 => Self::SyncError,
            1 => Self::ShortWrite,
            2 => Self::Full,
            3..5 => Self::FullForAWhile,
            _ => Self::Crash,
        }
    }

    /// Sets the numbers at which it comes.
    pub fn set(self, rng: &mut Rng, operations: u64, faults: &mut Faults) {
        let at = rng.range(1, operations.div_euclid(3).max(1));
        faults.crash_at = Some(operations);
        match self {
            Self::Crash => {}
            Self::SyncError => faults.sync_error_at = Some(at),
            Self::ShortWrite => faults.short_write_at = Some(at),
            Self::Full | Self::FullForAWhile => faults.full_from = Some(at),
        }
    }

    /// The word under which it is counted where it came.
    pub fn came(self, fs: &SimFs) -> Option<&'static str> {
        let hits = fs.hits();
        match self {
            Self::Crash => None,
            Self::SyncError => (hits.sync_errors > 0).then_some("failed sync"),
            Self::ShortWrite => (hits.short_writes > 0).then_some("short write"),
            Self::Full => (hits.full > 0).then_some("full disk"),
            Self::FullForAWhile => (hits.full > 0).then_some("full disk for a while"),
        }
    }
}

/// Every kind of fault that must have come over all seeds. Compaction is counted and not among
/// them: few seeds write files enough; the lake's own tests crash within it at every operation.
pub const KINDS: &[&str] = &[
    "power cut",
    "kill",
    "crash in recovery",
    "failed sync",
    "short write",
    "full disk",
    "full disk for a while",
    "clock hours ahead",
    "clock a year ahead",
    "clock set back",
    "event of 1970",
    "event of 2100",
];

/// How often each came.
pub type Counts = BTreeMap<&'static str, u64>;
