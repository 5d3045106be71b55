//! The whole at a glance: funnel, feeds, books, pipeline.

use crate::model::IncidentSummary;
use serde::Serialize;
use utoipa::ToSchema;

/// The whole at a glance.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Overview {
    /// When it was looked at, RFC 3339.
    pub as_of_time_dt: String,
    /// The program's version.
    pub version: String,
    /// When the process began, RFC 3339.
    pub started_time_dt: String,
    /// What became of the records that are kept.
    pub funnel: Funnel,
    /// Rates of the last ten seconds.
    pub rates: Rates,
    /// The last ten minutes.
    pub series: Series,
    /// Incidents that nobody has decided, worst first, at most 10.
    pub attention: Vec<IncidentSummary>,
    /// Where the pipeline is.
    pub pipeline: PipelineState,
    /// Who uses how much memory.
    pub memory: Vec<MemoryUse>,
    /// The disk.
    pub disk: DiskState,
    /// The books' sums.
    pub books: BookSums,
    /// The inflows.
    pub feeds: Vec<Feed>,
}

/// What became of the records that are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Funnel {
    /// Records stored or on the way.
    pub records: u64,
    /// Events they became.
    pub events: u64,
    /// Rules and indicators hitting events, where a finding came of it.
    pub matches: u64,
    /// Findings.
    pub findings: u64,
    /// Entities with a verdict that is not white.
    pub entities: u64,
    /// Incidents, merged ones apart.
    pub incidents: u64,
}

/// Rates of the last ten seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Rates {
    /// Records a second.
    pub records_per_s: f64,
    /// Events a second.
    pub events_per_s: f64,
    /// Matches a second.
    pub matches_per_s: f64,
}

/// Counts by steps of time, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Series {
    /// Begin of the first step, RFC 3339.
    pub start_time_dt: String,
    /// Length of a step in milliseconds.
    pub step_ms: u64,
    /// Records by step.
    pub records: Vec<u64>,
    /// Matches by step.
    pub matches: Vec<u64>,
}

/// Where the pipeline is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct PipelineState {
    /// Newest entry of the journal.
    pub durable_lsn: u64,
    /// Entry up to which rows are visible.
    pub visible_lsn: u64,
    /// Entry up to which findings are committed.
    pub judge_lsn: u64,
    /// Entry up to which the tables are committed.
    pub lake_lsn: u64,
    /// Journal entries that are not visible yet.
    pub lag_records: u64,
    /// From durable to visible, of the last minute; null while nothing came.
    pub latency_visible_ms: Option<Latency>,
    /// From durable to judged, of the last minute; null while nothing came.
    pub latency_judged_ms: Option<Latency>,
    /// Why the pipeline stopped.
    pub failure: Option<String>,
    /// What is being tried again.
    pub trouble: Option<String>,
}

/// A latency in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Latency {
    /// Half of them are below it.
    pub p50: u64,
    /// All but one in a hundred are below it.
    pub p99: u64,
}

/// Memory of one user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MemoryUse {
    /// `inflight`, `tail`, `queries` or `process`.
    pub name: String,
    /// Bytes in use.
    pub used_bytes: u64,
    /// Bytes it may use; null where it has no limit of its own.
    pub limit_bytes: Option<u64>,
}

/// The disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct DiskState {
    /// What is done about its free bytes.
    pub stage: String,
    /// Bytes free.
    pub free_bytes: u64,
    /// Whether the ballast is in place.
    pub ballast: bool,
}

/// The books' sums: `received = stored + pending + rejected + duplicate + expired + gap`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct BookSums {
    /// Counted at the inputs.
    pub received: u64,
    /// In the tables' files.
    pub stored: u64,
    /// Durable and not yet in a file.
    pub pending: u64,
    /// Refused by limits and quotas.
    pub rejected: u64,
    /// Known already.
    pub duplicate: u64,
    /// Stored once and deleted since.
    pub expired: u64,
    /// 0 when the books balance.
    pub gap: i64,
    /// Datagrams that the kernel dropped, beside the books.
    pub dropped_by_kernel: u64,
}

/// One inflow of a tenant.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Feed {
    /// The customer.
    pub tenant: String,
    /// The inflow.
    pub feed: String,
    /// Its books.
    #[serde(flatten)]
    pub books: BookSums,
    /// When the last record came, RFC 3339; to the hour where the process has seen none.
    pub last_time_dt: Option<String>,
    /// Records a second, over the last ten seconds.
    pub records_per_s: f64,
    /// Whether nothing has come for longer than is usual for it.
    pub quiet: bool,
}

/// One row of the books: a tenant's feed in an hour of receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BookRow {
    /// The customer.
    pub tenant: String,
    /// The inflow.
    pub feed: String,
    /// Start of the hour, RFC 3339.
    pub hour: String,
    /// Counted and accounted for.
    #[serde(flatten)]
    pub books: BookSums,
}

/// What this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Version {
    /// The program's version.
    pub version: String,
    /// The schema's.
    pub ocsf: String,
}

/// How the platform is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Health {
    /// `ok`, or `degraded` where a check is not.
    pub status: String,
    /// What was looked at.
    pub checks: Vec<Check>,
}

/// One thing looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Check {
    /// What.
    pub name: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// Words for a person; empty where there is nothing to say.
    pub detail: String,
}
