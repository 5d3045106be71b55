//! Records parsed again.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which partitions are parsed again: whole days of receipt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReparseRequest {
    /// Only partitions that may hold events of these sources, or records that none could read; all
    /// where empty.
    #[serde(default)]
    pub sources: Vec<String>,
    /// First day of receipt, `2026-11-02`.
    pub from: Option<String>,
    /// Last day of receipt.
    pub until: Option<String>,
}

/// What would be parsed again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReparseCost {
    /// Partitions: a day of receipt and a bucket of tenants each. Each is replaced in one commit.
    pub partitions: u64,
    /// Their data files of events.
    pub files: u64,
    /// Their records, of all sources and tenants.
    pub records: u64,
    /// Bytes of those files.
    pub bytes: u64,
    /// Bytes of the files of the largest: so much has to be free on the disk besides.
    pub largest_bytes: u64,
}

/// A run in which records are parsed again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reparse {
    /// `waiting`, `running`, `done`, `failed` or `cancelled`. Partitions that are done stay done.
    pub state: String,
    /// What was asked for.
    pub asked: ReparseRequest,
    /// What it was to come to.
    pub cost: ReparseCost,
    /// Partitions that are replaced.
    pub partitions_done: u64,
    /// Records parsed.
    pub records: u64,
    /// How long it has taken.
    pub ms: u64,
    /// Who asked.
    pub by: String,
    /// When it began.
    pub time_dt: String,
    /// Why it could not go on, for programs.
    pub code: Option<String>,
    /// Why it could not go on, in words.
    pub detail: Option<String>,
}
