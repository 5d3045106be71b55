//! Rules over the past.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Which rules are run over what; `rules` or `ids`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleHuntRequest {
    /// Sigma rules as YAML, as in a file; several documents may stand in it.
    pub rules: Option<String>,
    /// Ids of rules in force.
    #[serde(default)]
    pub ids: Vec<String>,
    /// Over events at or after this time, RFC 3339.
    pub from: Option<String>,
    /// Over events before this time, RFC 3339.
    pub until: Option<String>,
}

/// A rule that is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HuntedRule {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its level.
    pub level: String,
    /// `rule`, or the kind of correlation.
    pub kind: String,
    /// The hash of its content.
    pub version: String,
}

/// What a run would read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RuleHuntCost {
    /// The rules, those that others refer to among them.
    pub rules: Vec<HuntedRule>,
    /// Sources whose events they can hit; events of others are not read.
    pub sources: Vec<String>,
    /// Data files of events.
    pub files: u64,
    /// Those of which nothing has to be read.
    pub files_passed_over: u64,
    /// Records in the others and in memory, of all sources; at most these are read.
    pub records: u64,
    /// Bytes of the others.
    pub bytes: u64,
}

/// A run of rules over the past.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RuleHunt {
    /// Its id.
    pub id: String,
    /// `waiting`, `running`, `done`, `full` (too many matches; what was found is incomplete), `failed`
    /// or `cancelled`.
    pub state: String,
    /// Whose events; null for all tenants'.
    pub tenant: Option<String>,
    /// Events at or after this time.
    pub from: Option<String>,
    /// Events before this time.
    pub until: Option<String>,
    /// What it reads.
    pub cost: RuleHuntCost,
    /// Files that are done, those passed over among them.
    pub files_done: u64,
    /// Records that were parsed and matched.
    pub records: u64,
    /// Matches so far.
    pub matches: u64,
    /// What was found, once it has ended.
    pub findings: u64,
    /// Of these, those that can be looked at.
    pub findings_kept: u64,
    /// How many findings were recorded; null where they were not.
    pub recorded: Option<u64>,
    /// Milliseconds so far.
    pub ms: u64,
    /// Who began it.
    pub by: String,
    /// When it was begun, RFC 3339.
    pub time_dt: String,
    /// Why it failed.
    pub code: Option<String>,
    /// Why it failed, in words.
    pub detail: Option<String>,
}

/// A finding of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PastFinding {
    /// As OCSF Detection Finding.
    pub finding: Value,
    /// Whether it is among the platform's findings already.
    pub known: bool,
}

/// What was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Recorded {
    /// Findings that were put among the platform's.
    pub recorded: u64,
    /// Those that were there already.
    pub known: u64,
}
