//! Searches behind the routes and the command line: checked, run, put into the form asked for.

use crate::cli::scan::quoted;
use crate::cli::table;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Runtime;
use yagura_api::{ApiError, Kind, SearchReply, SearchRequest, SearchStats};
use yagura_event::{Micros, TenantScope};
use yagura_lake::search::run::Wanted;
use yagura_lake::search::{Answer, Refused, Search, Shown, Spec, rows, search};
use yagura_lake::{LakeError, LakeView, SqlLimits};

/// Events shown where the caller names no limit: more is read by nobody, and says so.
pub const LIMIT_DEFAULT: usize = 1_000;

/// Reads and checks a search.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn checked(request: &SearchRequest, now: Micros) -> Result<Search, Refused> {
    let spec = Spec {
        query: &request.query,
        columns: request.columns.as_deref(),
        sort: request.sort.as_deref(),
        limit: request.limit.unwrap_or(LIMIT_DEFAULT),
    };
    Search::new(&spec, now)
}

/// Answers a search over a view.
///
/// # Errors
/// `Invalid` for a query that is wrong or goes beyond its limits.
pub fn run(
    queries: &Runtime,
    view: Arc<LakeView>,
    scope: &TenantScope,
    request: &SearchRequest,
    now: Micros,
) -> Result<SearchReply, ApiError> {
    let began = Instant::now();
    let asked = checked(request, now)
        .map_err(|no| ApiError::new(Kind::Invalid, no.fault.code, no.to_string()))?;
    let format = Format::of(request);
    let shown = asked.columns.clone().or_else(|| format.columns());
    let wanted = match &shown {
        _ if request.count => Wanted::Count,
        Some(shown) => Wanted::Columns(shown),
        None => Wanted::Event,
    };
    let answer = queries
        .block_on(search(view, scope.clone(), &asked, wanted, &SqlLimits::default()))
        .map_err(refused)?;
    let body = if request.count {
        counted(answer.matched, format)
    } else {
        format.write(&answer, shown.as_deref(), request.width)?
    };
    let stats = SearchStats {
        events: answer.matched,
        more: answer.more,
        files: answer.files,
        pruned: answer.pruned,
        took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    Ok(SearchReply { body, stats })
}

fn refused(error: LakeError) -> ApiError {
    match error {
        LakeError::Limit(text) => {
            ApiError::new(Kind::Invalid, "search_limit", format!("search stopped: {text}"))
        }
        // A search that was checked cannot be wrong: the fault is ours.
        other => ApiError::internal(other),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Table,
    Csv,
    Ndjson,
}

impl Format {
    fn of(request: &SearchRequest) -> Self {
        match request.format.as_deref() {
            Some("table") => Self::Table,
            Some("csv") => Self::Csv,
            _ => Self::Ndjson,
        }
    }

    /// The columns shown where none are asked for; `None` for whole events.
    fn columns(self) -> Option<Vec<Shown>> {
        match self {
            Self::Table => Some(Shown::table()),
            Self::Csv => Some(Shown::csv()),
            Self::Ndjson => None,
        }
    }

    fn write(
        self,
        answer: &Answer,
        shown: Option<&[Shown]>,
        width: Option<usize>,
    ) -> Result<Vec<u8>, ApiError> {
        let all = 0..answer.rows.num_rows();
        let Some(shown) = shown else {
            return lines(all.map(|row| rows::event_json(&answer.rows, row)));
        };
        let header: Vec<&str> = shown.iter().map(|column| column.name.as_str()).collect();
        let texts = |row| shown.iter().map(|c| c.text(&answer.rows, row)).collect::<Vec<_>>();
        match self {
            Self::Ndjson => lines(all.map(|row| {
                let pairs = shown.iter().map(|c| (c.name.clone(), c.value(&answer.rows, row)));
                serde_json::Value::Object(pairs.collect())
            })),
            Self::Csv => {
                let mut out = format!("{}\n", header.join(","));
                for row in all {
                    let cells: Vec<String> = texts(row).iter().map(|cell| quoted(cell)).collect();
                    let _ = writeln!(out, "{}", cells.join(","));
                }
                Ok(out.into_bytes())
            }
            Self::Table => {
                let rows: Vec<Vec<String>> = all.map(texts).collect();
                Ok(table::render_within(&header, &rows, width).into_bytes())
            }
        }
    }
}

fn lines(values: impl Iterator<Item = serde_json::Value>) -> Result<Vec<u8>, ApiError> {
    let mut out = Vec::new();
    for value in values {
        serde_json::to_writer(&mut out, &value).map_err(ApiError::internal)?;
        out.push(b'\n');
    }
    Ok(out)
}

fn counted(events: u64, format: Format) -> Vec<u8> {
    match format {
        Format::Table => format!("{events}\n"),
        Format::Csv => format!("count\n{events}\n"),
        Format::Ndjson => format!("{{\"count\":{events}}}\n"),
    }
    .into_bytes()
}
