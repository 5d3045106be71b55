//! Searches behind the routes and the command line: checked, run, put into the form asked for.

use crate::cli::scan::quoted;
use crate::cli::table;
use crate::node::events;
use crate::node::queries::{Queries, refused};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;
use yagura_api::{ApiError, Kind, Pending, SearchReply, SearchRequest, SearchStats};
use yagura_event::{Micros, TenantScope};
use yagura_lake::search::run::Wanted;
use yagura_lake::search::{Answer, Refused, Search, Shown, Spec, rows, search};
use yagura_lake::{LakeError, LakeView, output};

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
/// `Invalid` for a query that is wrong or goes beyond its limits, `TooMany` where too many run.
pub fn run(
    queries: &Queries,
    view: Arc<LakeView>,
    scope: &TenantScope,
    request: SearchRequest,
    now: Micros,
) -> Pending<SearchReply> {
    let (governor, handle) = (Arc::clone(queries.governor()), queries.handle().clone());
    let scope = scope.clone();
    Box::pin(async move {
        let began = Instant::now();
        let asked = checked(&request, now).map_err(|no| events::refusal(&no, &request.query))?;
        let form = Form::of(&request)?;
        let ticket = governor.admit(&scope, "search", &request.query).await.map_err(refused)?;
        let _stops = ticket.stop().guard();
        let work = handle.spawn(async move {
            let shown = asked.columns.clone().or_else(|| form.columns());
            let wanted = match &shown {
                _ if request.count => Wanted::Count,
                Some(shown) => Wanted::Columns(shown),
                None => Wanted::Event,
            };
            let answer = search(view, scope, &asked, wanted, &ticket.limits()).await;
            ticket.ended(answer.as_ref().map(|_| ()));
            reply(&answer.map_err(refused)?, &request, form, shown.as_deref(), began)
        });
        work.await.map_err(ApiError::internal)?
    })
}

fn reply(
    answer: &Answer,
    request: &SearchRequest,
    form: Form,
    shown: Option<&[Shown]>,
    began: Instant,
) -> Result<SearchReply, ApiError> {
    let body = if request.count {
        counted(answer.matched, form)
    } else {
        form.write(answer, shown, request.width)?
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

/// The form of a search's answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Form(output::Form);

impl Form {
    /// The form that a request asks for.
    ///
    /// # Errors
    /// `Invalid` for one that a search cannot have.
    pub fn of(request: &SearchRequest) -> Result<Self, ApiError> {
        let name = request.format.as_deref().unwrap_or("ndjson");
        let form = output::Form::named(name).unwrap_or(output::Form::Ndjson);
        let stored = matches!(form, output::Form::Parquet | output::Form::Arrow);
        if stored && (request.columns.is_some() || request.count) {
            let text = format!(
                "in {name} a search shows all stored columns; leave columns and count out, or use a query"
            );
            return Err(ApiError::new(Kind::Invalid, "format_columns", text));
        }
        Ok(Self(form))
    }

    /// The columns shown where none are asked for; `None` for whole events.
    pub fn columns(self) -> Option<Vec<Shown>> {
        match self.0 {
            output::Form::Table => Some(Shown::table()),
            output::Form::Csv => Some(Shown::csv()),
            _ => None,
        }
    }

    /// The events in this form.
    ///
    /// # Errors
    /// `Internal` where a value has no such form.
    pub fn write(
        self,
        answer: &Answer,
        shown: Option<&[Shown]>,
        width: Option<usize>,
    ) -> Result<Vec<u8>, ApiError> {
        let all = 0..answer.rows.num_rows();
        if matches!(self.0, output::Form::Parquet | output::Form::Arrow) {
            return encoded(self.0, answer).map_err(ApiError::internal);
        }
        let Some(shown) = shown else {
            return lines(all.map(|row| rows::event_json(&answer.rows, row)));
        };
        let header: Vec<&str> = shown.iter().map(|column| column.name.as_str()).collect();
        let texts = |row| shown.iter().map(|c| c.text(&answer.rows, row)).collect::<Vec<_>>();
        match self.0 {
            output::Form::Csv => {
                let mut out = format!("{}\n", header.join(","));
                for row in all {
                    let cells: Vec<String> = texts(row).iter().map(|cell| quoted(cell)).collect();
                    let _ = writeln!(out, "{}", cells.join(","));
                }
                Ok(out.into_bytes())
            }
            output::Form::Table => {
                let rows: Vec<Vec<String>> = all.map(texts).collect();
                Ok(table::render_within(&header, &rows, width).into_bytes())
            }
            _ => lines(all.map(|row| {
                let pairs = shown.iter().map(|c| (c.name.clone(), c.value(&answer.rows, row)));
                serde_json::Value::Object(pairs.collect())
            })),
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

fn encoded(form: output::Form, answer: &Answer) -> Result<Vec<u8>, LakeError> {
    let mut encoder = output::Encoder::new(form, &answer.rows.schema())?;
    let mut out = encoder.rows(&answer.rows)?;
    out.append(&mut encoder.end()?);
    Ok(out)
}

fn counted(events: u64, form: Form) -> Vec<u8> {
    let text = match form.0 {
        output::Form::Table => format!("{events}\n"),
        output::Form::Csv => format!("count\n{events}\n"),
        _ => format!("{{\"count\":{events}}}\n"),
    };
    text.into_bytes()
}
