//! What the binary implements for the routes; methods block and run off the runtime's threads.

use crate::access::Access;
use crate::answer::Answer;
use crate::error::ApiError;
use crate::events::Events;
use crate::findings::Detections;
use crate::incidents::Cases;
use crate::notifications::Told;
use crate::overview::Watched;
use crate::reparse::Reparses;
use crate::repeat::Repeats;
use crate::rule_hunts::RuleHunts;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;
use std::pin::Pin;
use utoipa::ToSchema;
use yagura_event::{TenantName, TenantScope};

/// Records posted by a client.
#[derive(Clone, Debug)]
pub struct IngestRequest {
    /// The owner.
    pub tenant: TenantName,
    /// The feed.
    pub feed: String,
    /// A source's name, `None` for recognition.
    pub source: Option<String>,
    /// The host the records are from, where they do not say.
    pub host: Option<String>,
    /// Makes a repeat harmless for 24 hours.
    pub idempotency_key: Option<String>,
    /// Who sent them.
    pub peer: String,
    /// The body as sent.
    pub body: Vec<u8>,
}

/// What was taken of a request; given again, word for word, for a repeat with the same key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IngestReply {
    /// Records that are durable.
    pub accepted: u64,
    /// Whether an earlier request with the same key had them taken.
    #[serde(default)]
    pub repeated: bool,
}

/// A question to the lake.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlRequest {
    /// A `SELECT`.
    pub sql: String,
    /// `ndjson` (default), `csv`, `table`, `parquet` or `arrow`.
    #[serde(default)]
    pub format: Option<String>,
}

/// A question to the lake in the pipe language.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryRequest {
    /// The query, in the language of `docs/pipe.md`.
    pub query: String,
    /// `ndjson` (default), `csv`, `table`, `parquet` or `arrow`.
    #[serde(default)]
    pub format: Option<String>,
}

/// Indicators to look for in everything that is kept.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HuntRequest {
    /// The lists, at most 100,000 indicators together.
    pub lists: Vec<HuntList>,
    /// Looks for what is refused for its breadth, too: private networks, public suffixes.
    #[serde(default)]
    pub wide: bool,
    /// `ndjson` (default), `csv` or `table`; `json` for one document with what was refused and why.
    #[serde(default)]
    pub format: Option<String>,
}

/// A list of indicators in any form that is read: plain, CSV, STIX, MISP.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HuntList {
    /// Its name, which hits carry.
    #[serde(default)]
    pub name: String,
    /// Its text.
    pub text: String,
}

/// What a hunt found.
#[derive(Clone, Debug)]
pub struct HuntReply {
    /// The lines in the format asked for.
    pub body: Vec<u8>,
    /// What it took.
    pub stats: HuntStats,
}

/// The answer to a hunt in the form `json`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct HuntAnswer {
    /// What was seen, as the lines of `ndjson` say it.
    pub lines: Vec<Value>,
    /// The first 100 entries that were refused, in the order of the lists.
    pub refused: Vec<HuntRefusal>,
    /// What it took.
    pub stats: HuntStats,
}

/// An entry of a list that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HuntRefusal {
    /// Name of the list.
    pub list: String,
    /// Its line, from 1; null in a JSON document.
    pub line: Option<u64>,
    /// As the list has it, at most 200 characters of it.
    pub entry: String,
    /// Why, in a word that stays the same, such as `private_or_reserved`.
    pub code: String,
    /// Why, for people.
    pub reason: String,
}

/// What a hunt took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HuntStats {
    /// Indicators looked for.
    pub indicators: u64,
    /// Entries of the lists that are none, or were refused for their breadth.
    pub refused: u64,
    /// Lines of the answer.
    pub lines: u64,
    /// Whether there were more lines than an answer holds.
    pub truncated: bool,
    /// Rows of sightings gone through.
    pub sightings: u64,
    /// Events gone through, for what no sightings tell.
    pub events: u64,
    /// Milliseconds.
    pub took_ms: u64,
}

/// The header of an answer that holds [`HuntStats`] as JSON.
pub const HUNT_STATS_HEADER: &str = "yagura-hunt-stats";

/// A search over the events.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchRequest {
    /// The query, in the language of `docs/search.md`.
    pub query: String,
    /// `ndjson` (default), `csv`, `table`, `parquet` or `arrow`.
    #[serde(default)]
    pub format: Option<String>,
    /// Names of the columns shown, with commas between.
    #[serde(default)]
    pub columns: Option<String>,
    /// The column to sort by, `-` before it for descending; newest first where absent.
    #[serde(default)]
    pub sort: Option<String>,
    /// Most events shown, 1,000 where absent.
    #[serde(default)]
    pub limit: Option<usize>,
    /// Only count the events.
    #[serde(default)]
    pub count: bool,
    /// Characters of a table's line; not cut where absent.
    #[serde(default)]
    pub width: Option<usize>,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct SearchReply {
    /// The events in the format asked for.
    pub body: Vec<u8>,
    /// What it took.
    pub stats: SearchStats,
}

/// What a search took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchStats {
    /// Events shown, or counted.
    pub events: u64,
    /// Whether more match than are shown.
    pub more: bool,
    /// Data files of the table.
    pub files: u64,
    /// Data files passed over by what the log says of them.
    pub pruned: u64,
    /// Milliseconds.
    pub took_ms: u64,
}

/// Work that stops when it is dropped.
pub type Pending<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>> + Send>>;

/// A part of what a search in the background has found so far.
#[derive(Clone, Debug)]
pub struct JobRows {
    /// The events in the form asked for.
    pub body: Vec<u8>,
    /// Where the next part begins.
    pub next: usize,
}

/// The header of a part of a background search's rows: where the next begins.
pub const NEXT_CURSOR_HEADER: &str = "yagura-next-cursor";

/// The header of an answer that holds [`SearchStats`] as JSON.
pub const SEARCH_STATS_HEADER: &str = "yagura-search-stats";

/// The platform behind the routes.
pub trait Backend:
    Access
    + Cases
    + Detections
    + Events
    + Reparses
    + Repeats
    + RuleHunts
    + Told
    + Watched
    + Send
    + Sync
    + 'static
{
    /// Whether the process is about to end, so that what never ends by itself has to.
    fn is_stopping(&self) -> bool;

    /// Takes records; returns when they are durable.
    ///
    /// # Errors
    /// `Busy` where the journal is full or stopped, `Invalid` for an unknown source.
    fn ingest(&self, request: IngestRequest) -> Result<IngestReply, ApiError>;

    /// Which of many indicators were seen, in whose events, when.
    ///
    /// # Errors
    /// `Invalid` for lists that cannot be read or are too long, `TooMany` where too many queries run.
    fn hunt(&self, scope: &TenantScope, request: HuntRequest) -> Pending<HuntReply>;

    /// Answers a query in the format asked for. Dropping the work or the answer stops the query.
    ///
    /// # Errors
    /// `Invalid` for a query that is wrong, refused or beyond its limits, `TooMany` where too many
    /// run.
    fn sql(&self, scope: &TenantScope, request: SqlRequest) -> Pending<Answer>;

    /// Answers a pipe, as [`Backend::sql`] does.
    ///
    /// # Errors
    /// As there, with the code of the fault.
    fn query(&self, scope: &TenantScope, request: QueryRequest) -> Pending<Answer>;

    /// Answers a search. Dropping the work stops it.
    ///
    /// # Errors
    /// As for [`Backend::query`].
    fn search(&self, scope: &TenantScope, request: SearchRequest) -> Pending<SearchReply>;

    /// Queries that run, and the last that ended.
    fn queries(&self, scope: &TenantScope) -> Vec<Value>;

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`.
    fn query_state(&self, scope: &TenantScope, id: &str) -> Result<Value, ApiError>;

    /// Stops a query that runs.
    ///
    /// # Errors
    /// `NotFound`.
    fn cancel_query(&self, scope: &TenantScope, id: &str) -> Result<(), ApiError>;

    /// Begins a search in the background.
    ///
    /// # Errors
    /// `Invalid` for a query that is wrong, `TooMany` where too many are under way.
    fn begin_search(&self, scope: &TenantScope, request: SearchRequest) -> Result<Value, ApiError>;

    /// Searches in the background.
    fn searches(&self, scope: &TenantScope) -> Vec<Value>;

    /// How far one is.
    ///
    /// # Errors
    /// `NotFound`.
    fn search_state(&self, scope: &TenantScope, id: &str) -> Result<Value, ApiError>;

    /// What one has found from `cursor` on, at most `limit` events.
    ///
    /// # Errors
    /// `NotFound`.
    fn search_rows(
        &self,
        scope: &TenantScope,
        id: &str,
        cursor: usize,
        limit: usize,
    ) -> Result<JobRows, ApiError>;

    /// Stops one and forgets what it found.
    ///
    /// # Errors
    /// `NotFound`.
    fn end_search(&self, scope: &TenantScope, id: &str) -> Result<(), ApiError>;

    /// Runs a batch of files that the server can read; private socket only.
    ///
    /// # Errors
    /// `Invalid` with the reason for files or settings that do not work.
    fn ingest_files(&self, request: Value) -> Result<Value, ApiError>;

    /// Copies the data directory to a folder of the server's machine; private socket only.
    ///
    /// # Errors
    /// `Invalid` for a folder that is not empty or lies within, `Busy` while another copy is made.
    fn backup(&self, to: &Path) -> Result<Value, ApiError>;

    /// Gives the administrator a new password and ends all sessions; private socket only.
    ///
    /// # Errors
    /// `Internal` where the store fails.
    fn new_password(&self) -> Result<String, ApiError>;

    /// Begins to erase a tenant, or only says how far that is: `{"step": ...}`, `done` at the end.
    ///
    /// # Errors
    /// `Invalid` where it is refused: for a legal hold, an input of the tenant's, an archive.
    fn erase(&self, tenant: &TenantName, begin: bool) -> Result<Value, ApiError>;
}
