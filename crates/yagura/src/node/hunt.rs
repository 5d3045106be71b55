//! Hunting: which of many indicators were seen, in whose events, how often, first and last.
//!
//! ```text
//! lists ─ Indicators ─┐
//!  sightings ─────────┴─> hits on addresses, names, hashes, mail addresses
//!        └─ hosts of URL indicators ─> granules of events ─> hits on URLs
//! ```

use crate::cli::scan::quoted;
use crate::cli::table;
use crate::node::queries::{Queries, refused};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;
use yagura_api::{
    ApiError, HuntAnswer, HuntList, HuntRefusal, HuntReply, HuntRequest, HuntStats, Kind, Pending,
};
use yagura_enrich::{
    Indicators, Kind as IndicatorKind, Limits, List, REFUSED_KEPT_MAX, SightedHit, SightedScratch,
    Warnings, read_list,
};
use yagura_event::time::rfc3339;
use yagura_event::{Micros, TenantScope};
use yagura_lake::{CandidateRow, LakeError, LakeView, Seen, each_candidate, each_sighting};

/// Most indicators of one hunt.
const INDICATORS_MAX: u64 = 100_000;

/// Most lines of an answer; more are not held, and the answer says so.
const LINES_MAX: usize = 100_000;

/// Longest seen value in an answer, in bytes: URLs are long.
const SEEN_BYTES_MAX: usize = 2_048;

/// Refused entries that are named where nothing is left to be looked for.
const REFUSED_TOLD: usize = 3;

/// Columns that hold URLs.
const URL_COLUMNS: [&str; 2] = ["url_string", "http_referrer"];

/// Columns that name the host of a URL that does not.
const HOST_COLUMNS: [&str; 2] = ["url_hostname", "dst_hostname"];

/// A line of the answer but for its figures.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Line {
    /// What was looked for.
    hit: SightedHit,
    /// As what it was seen: a sighting's kind, or `url`.
    kind: String,
    /// What was seen.
    seen: String,
    /// Whose events.
    tenant: String,
    /// Of which source.
    source: String,
}

/// The figures of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Figures {
    /// In how many events.
    count: u64,
    /// Least time of them.
    first: Micros,
    /// Greatest time of them.
    last: Micros,
}

/// What was found.
#[derive(Default)]
struct Hunted {
    /// The lines with their figures.
    lines: BTreeMap<Line, Figures>,
    stats: HuntStats,
}

impl Hunted {
    fn add(&mut self, line: Line, more: Figures) {
        if let Some(known) = self.lines.get_mut(&line) {
            known.count += more.count;
            known.first = known.first.min(more.first);
            known.last = known.last.max(more.last);
        } else if self.lines.len() < LINES_MAX {
            self.lines.insert(line, more);
        } else {
            self.stats.truncated = true;
        }
    }
}

/// The indicators of a request.
struct Quarry {
    set: Indicators,
    /// Hosts of URL indicators.
    url_hosts: BTreeSet<String>,
    refused: u64,
    /// The first of them.
    first_refused: Vec<HuntRefusal>,
}

impl Quarry {
    /// Reads the lists of a request.
    ///
    /// # Errors
    /// Lists that cannot be read, more than [`INDICATORS_MAX`] indicators, none at all.
    fn read(request: &HuntRequest) -> Result<Self, ApiError> {
        let invalid = |text: String| ApiError::new(Kind::Invalid, "indicators", text);
        let lists = read(&request.lists, request.wide).map_err(ApiError::internal)?;
        if let Some((name, fault)) = lists.iter().find_map(|l| Some((&l.name, l.fault.as_ref()?))) {
            return Err(invalid(format!("{name}: {fault}")));
        }
        let first_refused = refusals(&lists);
        let count: u64 = lists.iter().map(List::count).sum();
        if count > INDICATORS_MAX {
            let text = format!("{count} indicators are more than {INDICATORS_MAX}; hunt in parts");
            return Err(invalid(text));
        }
        if count == 0 {
            let text = "there is no indicator in it that can be looked for".to_owned();
            let why = first_refused.iter().take(REFUSED_TOLD);
            return Err(invalid(
                why.fold(text, |text, one| format!("{text}; {}: {}", one.entry, one.reason)),
            ));
        }
        let mut url_hosts = BTreeSet::new();
        for list in &lists {
            let each = list.each(|kind, _, value| {
                if kind == IndicatorKind::Url {
                    url_hosts.insert(host_of(value).to_owned());
                }
            });
            each.map_err(ApiError::internal)?;
        }
        let refused = lists.iter().flat_map(|list| list.refused.values()).sum();
        let set =
            Indicators::new(&lists, Warnings::default()).map_err(|e| invalid(e.to_string()))?;
        Ok(Self { set, url_hosts, refused, first_refused })
    }
}

/// The first refused entries of lists, in their order, as a hunt for them names them.
///
/// # Errors
/// None of the lists': text in memory can be read.
pub fn refused_of(lists: &[HuntList], wide: bool) -> std::io::Result<Vec<HuntRefusal>> {
    read(lists, wide).map(|lists| refusals(&lists))
}

fn read(lists: &[HuntList], wide: bool) -> std::io::Result<Vec<List>> {
    let limits = Limits { wide, ..Limits::default() };
    lists.iter().map(|list| read_list(&list.name, list.text.as_bytes(), &limits)).collect()
}

fn refusals(lists: &[List]) -> Vec<HuntRefusal> {
    let all = lists.iter().flat_map(|list| list.first_refused.iter().map(|one| (&list.name, one)));
    let refusal = |(list, one): (&String, &yagura_enrich::Refused)| HuntRefusal {
        list: list.clone(),
        line: one.line,
        entry: one.entry.clone(),
        code: one.why.word().to_owned(),
        reason: one.why.text().to_owned(),
    };
    all.take(REFUSED_KEPT_MAX).map(refusal).collect()
}

/// The host of a URL in the form of indicators: `host[:port]/path`.
fn host_of(url: &str) -> &str {
    let site = url.split('/').next().unwrap_or(url);
    match site.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => site.split(':').next().unwrap_or(site),
    }
}

/// Looks for the indicators of a request in everything that is kept and `scope` may see. A hunt takes
/// a place among the queries, and is listed and stopped as they are.
///
/// # Errors
/// `Invalid` for lists that cannot be read, or where it takes too long; `TooMany` where too many
/// queries run.
pub fn run(
    queries: &Queries,
    view: Arc<LakeView>,
    scope: &TenantScope,
    request: HuntRequest,
) -> Pending<HuntReply> {
    let (governor, handle) = (Arc::clone(queries.governor()), queries.handle().clone());
    let scope = scope.clone();
    Box::pin(async move {
        let began = Instant::now();
        let names: Vec<&str> = request.lists.iter().map(|list| list.name.as_str()).collect();
        let ticket = governor.admit(&scope, "hunt", &names.join(", ")).await.map_err(refused)?;
        let _stops = ticket.stop().guard();
        let work = handle.spawn_blocking(move || {
            let quarry = Quarry::read(&request)?;
            let stop = ticket.stop();
            let found = hunt(&view, &scope, &quarry, &|| !stop.is_told());
            let found = found.map_err(|error| match stop.is_told() {
                true => stop.why("by fewer days kept or one tenant"),
                false => error,
            });
            ticket.ended(found.as_ref().map(|_| ()));
            let mut hunted = found.map_err(refused)?;
            hunted.stats.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            let body = match request.format.as_deref() {
                Some("json") => whole(&hunted, quarry.first_refused)?,
                format => written(&hunted, format),
            };
            Ok(HuntReply { body, stats: hunted.stats })
        });
        work.await.map_err(ApiError::internal)?
    })
}

/// Looks for the quarry. `go_on` says whether to go on.
fn hunt(
    view: &LakeView,
    scope: &TenantScope,
    quarry: &Quarry,
    go_on: &dyn Fn() -> bool,
) -> Result<Hunted, LakeError> {
    let mut hunted = Hunted::default();
    (hunted.stats.indicators, hunted.stats.refused) = (quarry.set.count(), quarry.refused);
    let mut scratch = SightedScratch::default();
    let mut hosts: BTreeSet<String> = BTreeSet::new();
    // The same value mostly follows itself, of other tenants and sources.
    let mut last: (String, String, Vec<SightedHit>) = Default::default();
    let mut take = |seen: Seen<'_>| {
        if (last.0.as_str(), last.1.as_str()) != (seen.kind, seen.value) {
            let hits = quarry.set.sighted_hits(seen.kind, seen.value, &mut scratch);
            last = (seen.kind.to_owned(), seen.value.to_owned(), hits);
            if quarry.url_hosts.contains(seen.value) {
                hosts.insert(seen.value.to_owned());
            }
        }
        for hit in &last.2 {
            let line = Line {
                hit: hit.clone(),
                kind: seen.kind.to_owned(),
                seen: seen.value.to_owned(),
                tenant: seen.tenant.to_owned(),
                source: seen.source.to_owned(),
            };
            let Seen { count, first, last, .. } = seen;
            hunted.add(line, Figures { count, first, last });
        }
    };
    let walked = each_sighting(view, scope, &mut take, &|_, _| go_on())?;
    (hunted.stats.sightings, hunted.stats.events) = (walked.sightings, walked.events);
    if !hosts.is_empty() {
        let hosts: Vec<String> = hosts.into_iter().collect();
        let mut take = |row: CandidateRow<'_>| urls(row, quarry, &mut scratch, &mut hunted);
        let columns = [&URL_COLUMNS[..], &HOST_COLUMNS, &["source"]].concat();
        let given = each_candidate(view, scope, &hosts, &columns, &mut take, &|_, _| go_on())?;
        hunted.stats.events += given;
    }
    hunted.stats.lines = hunted.lines.len() as u64;
    Ok(hunted)
}

/// Adds what URL indicators hit in an event, which counts once.
fn urls(row: CandidateRow<'_>, quarry: &Quarry, scratch: &mut SightedScratch, hunted: &mut Hunted) {
    let Some(time) = row.time() else { return };
    let host = HOST_COLUMNS.iter().find_map(|column| row.text(column));
    let mut lines: BTreeSet<Line> = BTreeSet::new();
    for url in URL_COLUMNS.iter().filter_map(|column| row.text(column)) {
        let hits = quarry.set.url_hits(url, host, scratch);
        lines.extend(hits.into_iter().map(|hit| Line {
            hit,
            kind: "url".to_owned(),
            seen: cut(url).to_owned(),
            tenant: row.text("tenant").unwrap_or_default().to_owned(),
            source: row.text("source").unwrap_or_default().to_owned(),
        }));
    }
    for line in lines {
        hunted.add(line, Figures { count: 1, first: time, last: time });
    }
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(SEEN_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

/// The search that shows the events of a line.
fn search_of(line: &Line) -> String {
    let quoted = line.seen.replace('\\', "\\\\").replace('"', "\\\"");
    let field = if line.kind == "url" { "url" } else { line.kind.as_str() };
    format!("{field}:\"{quoted}\"")
}

/// The answer in the form asked for: `ndjson`, `csv` or `table`.
fn written(hunted: &Hunted, format: Option<&str>) -> Vec<u8> {
    let header = ["indicator", "seen", "as", "tenant", "source", "events", "first", "last", "list"];
    let cells = |(line, figures): (&Line, &Figures)| -> Vec<String> {
        vec![
            line.hit.indicator.clone(),
            line.seen.clone(),
            line.kind.clone(),
            line.tenant.clone(),
            line.source.clone(),
            figures.count.to_string(),
            rfc3339(figures.first),
            rfc3339(figures.last),
            line.hit.list.clone(),
        ]
    };
    match format {
        Some("csv") => {
            let mut out = format!("{}\n", header.join(","));
            for line in hunted.lines.iter().map(cells) {
                let line: Vec<String> = line.iter().map(|cell| quoted(cell)).collect();
                let _ = writeln!(out, "{}", line.join(","));
            }
            out.into_bytes()
        }
        Some("table") => {
            let rows: Vec<Vec<String>> = hunted.lines.iter().map(cells).collect();
            table::render(&header, &rows).into_bytes()
        }
        _ => {
            let mut out = String::new();
            for (line, figures) in &hunted.lines {
                let _ = writeln!(out, "{}", object(line, figures));
            }
            out.into_bytes()
        }
    }
}

/// The answer as one document.
///
/// # Errors
/// `Internal` where it cannot be written.
fn whole(hunted: &Hunted, refused: Vec<HuntRefusal>) -> Result<Vec<u8>, ApiError> {
    let lines = hunted.lines.iter().map(|(line, figures)| object(line, figures)).collect();
    let answer = HuntAnswer { lines, refused, stats: hunted.stats };
    serde_json::to_vec(&answer).map_err(ApiError::internal)
}

fn object(line: &Line, figures: &Figures) -> Value {
    json!({
        "indicator": line.hit.indicator,
        "type": line.hit.kind.word(),
        "list": line.hit.list,
        "name": line.hit.name,
        "seen": line.seen,
        "as": line.kind,
        "tenant": line.tenant,
        "source": line.source,
        "events": figures.count,
        "first": rfc3339(figures.first),
        "last": rfc3339(figures.last),
        "search": search_of(line),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_urls_as_lists_hold_them() {
        for (url, host) in [
            ("evil.example/x?y", "evil.example"),
            ("evil.example:8080/", "evil.example"),
            ("[2001:db8::1]:81/x", "2001:db8::1"),
            ("192.0.2.1/", "192.0.2.1"),
        ] {
            assert_eq!(host_of(url), host);
        }
    }
}
