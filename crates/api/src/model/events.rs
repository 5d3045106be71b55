//! Events: one with where its values come from, counts by time and by value, saved searches.

use crate::model::FindingSummary;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// One event with its record.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct EventView {
    /// The event in OCSF.
    pub event: Value,
    /// The record as received.
    pub raw_data: String,
    /// The source's name; empty where none recognised it.
    pub source: String,
    /// The inflow.
    pub feed: String,
    /// The owner.
    pub tenant: String,
    /// Where the values stand in the record, by place. Empty where the source changed since.
    pub spans: Vec<SpanView>,
    /// Findings that name it among their samples.
    pub findings: Vec<FindingSummary>,
}

/// Where a value stands in the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SpanView {
    /// The source's own name of the field.
    pub field: String,
    /// The decoded value.
    pub value: String,
    /// First UTF-16 unit of it in `raw_data`.
    pub start: u64,
    /// First one behind it.
    pub end: u64,
    /// OCSF paths that hold this value.
    pub paths: Vec<String>,
}

/// A search whose events are to be counted by time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HistogramRequest {
    /// The search.
    pub query: String,
    /// Steps asked for, 1 to 200; 60 where absent.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 200)]
    pub bins: Option<u32>,
    /// First time counted, RFC 3339; the first event's where absent.
    #[serde(default)]
    pub from_dt: Option<String>,
    /// First time not counted, RFC 3339; behind the last event where absent.
    #[serde(default)]
    pub until_dt: Option<String>,
}

/// Counts by time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Histogram {
    /// Begin of the first step, RFC 3339; empty where there is no event.
    pub from_time_dt: String,
    /// End of the last step, RFC 3339; empty where there is no event.
    pub until_time_dt: String,
    /// Length of a step in milliseconds.
    pub step_ms: u64,
    /// Events in all steps.
    pub total: u64,
    /// Steps with events, in order.
    pub bins: Vec<Bin>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Bin {
    /// Its begin, RFC 3339.
    pub time_dt: String,
    /// Its events.
    pub count: u64,
}

/// A search whose events are to be counted by value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FacetsRequest {
    /// The search.
    pub query: String,
    /// Fields, at most 12.
    #[schema(min_items = 1, max_items = 12)]
    pub fields: Vec<String>,
    /// Values of each, 1 to 50; 10 where absent.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 50)]
    pub top: Option<u32>,
}

/// Counts by value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Facets {
    /// In the fields' order.
    pub facets: Vec<Facet>,
}

/// The values of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Facet {
    /// The field.
    pub field: String,
    /// The most frequent ones, most frequent first.
    pub values: Vec<FacetValue>,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FacetValue {
    /// The value as text.
    pub value: String,
    /// Events that have it.
    pub count: u64,
}

/// A query to be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryText {
    /// The query.
    pub query: String,
}

/// Whether a query is right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Checked {
    /// Whether it can run.
    pub ok: bool,
    /// What is wrong with it.
    pub problem: Option<QueryProblem>,
}

/// What is wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct QueryProblem {
    /// Stable word for programs.
    pub code: String,
    /// Words for a person.
    pub message: String,
    /// First UTF-16 unit of the text at fault.
    pub start: u64,
    /// First one behind it.
    pub end: u64,
    /// What to do instead.
    pub help: Option<String>,
}

/// A pipe to be completed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteRequest {
    /// The query.
    pub query: String,
    /// The cursor, in UTF-16 units.
    pub offset: u64,
}

/// What may stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Completions {
    /// First UTF-16 unit of what a completion replaces.
    pub from: u64,
    /// What may stand there.
    pub items: Vec<Completion>,
}

/// One thing that may stand there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Completion {
    /// The text.
    pub label: String,
    /// `word`, `function`, `aggregate`, `column` or `table`.
    pub kind: String,
    /// What it is.
    pub doc: String,
}

/// A field that searches can name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldView {
    /// The name in searches.
    pub name: String,
    /// The OCSF path.
    pub path: String,
    /// `text`, `integer`, `float`, `bool`, `time`, `texts` or `objects`.
    pub r#type: String,
    /// What it is.
    pub doc: String,
    /// Short names that searches take for it, such as `port`; one may stand for several fields.
    pub short: Vec<String>,
}

/// A search that somebody keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SavedSearch {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `search` or `pipe`.
    pub language: String,
    /// Its text.
    pub query: String,
    /// Who keeps it.
    pub by: String,
    /// Since when, RFC 3339.
    pub time_dt: String,
}

/// A search to be kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSavedSearch {
    /// Its name, 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// `search` or `pipe`.
    pub language: SearchLanguage,
    /// Its text.
    #[schema(min_length = 1)]
    pub query: String,
}

/// The languages of searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchLanguage {
    /// `docs/search.md`.
    Search,
    /// `docs/pipe.md`.
    Pipe,
}
