//! Single events with the places of their values, counts over events, checks of queries.

use crate::node::backend::NodeBackend;
use crate::node::detections::finding_summary;
use crate::node::search::LIMIT_DEFAULT;
use std::sync::Arc;
use yagura_api::model::{
    Bin, Checked, Completion, Completions, EventView, Facet, FacetValue, Facets, FieldView,
    Histogram, NewSavedSearch, QueryProblem, SavedSearch, SearchLanguage, SpanView,
};
use yagura_api::{ApiError, Caller, Events, HistogramAsked, Kind, Pending};
use yagura_event::column::{COLUMNS, ColumnType};
use yagura_event::time::rfc3339;
use yagura_event::{
    Clock, ContextId, EventBatch, EventId, EventRef, Micros, Scalar, SystemClock, TenantScope,
};
use yagura_lake::pipe::Pipe;
use yagura_lake::pipe::complete::{OfferKind, offers};
use yagura_lake::search::count::{self, event as event_rows};
use yagura_lake::search::fields::short_names;
use yagura_lake::search::rows::{EventHead, event_head, event_json};
use yagura_lake::search::{Fault, Refused, Search, Shown, Spec};
use yagura_meta::{FindingFilter, SavedRow};
use yagura_parse::RecordHeader;

/// Findings that are looked through for one that names an event.
const FINDINGS_LOOKED: usize = 2_000;

/// How far before and behind its receipt correlation takes an event to be, at most, in
/// microseconds.
const CLAMP_BEFORE: Micros = 7 * 86_400 * 1_000_000;
const CLAMP_AFTER: Micros = 3_600 * 1_000_000;

/// Completions offered at once.
const OFFERS_MAX: usize = 60;

/// A fault of a query's text in UTF-16 units, as browsers count.
pub fn problem(fault: &Fault, text: &str) -> QueryProblem {
    QueryProblem {
        code: fault.code.to_owned(),
        message: fault.message.clone(),
        start: units(text, fault.span.start),
        end: units(text, fault.span.end),
        help: fault.help.clone(),
    }
}

/// UTF-16 units in the first `byte` bytes.
fn units(text: &str, byte: usize) -> u64 {
    let at = text.char_indices().take_while(|(at, _)| *at < byte);
    at.map(|(_, c)| c.len_utf16() as u64).sum()
}

/// A refused search with the place that is wrong.
pub fn refusal(no: &Refused, text: &str) -> ApiError {
    let error = ApiError::new(Kind::Invalid, no.fault.code, no.to_string());
    error.at(problem(&no.fault, text))
}

fn search_of(query: &str) -> Result<Search, ApiError> {
    let spec = Spec { query, columns: None, sort: None, limit: LIMIT_DEFAULT };
    Search::new(&spec, SystemClock.now()).map_err(|no| refusal(&no, query))
}

fn checked(outcome: Result<(), (Fault, &str)>) -> Checked {
    match outcome {
        Ok(()) => Checked { ok: true, problem: None },
        Err((fault, text)) => Checked { ok: false, problem: Some(problem(&fault, text)) },
    }
}

fn saved(row: SavedRow) -> SavedSearch {
    SavedSearch {
        id: row.id.to_string(),
        name: row.name,
        language: row.language,
        query: row.query,
        by: row.by,
        time_dt: rfc3339(row.time),
    }
}

impl Events for NodeBackend {
    fn event(&self, scope: &TenantScope, id: &str) -> Pending<EventView> {
        let unknown = ApiError::new(Kind::NotFound, "event_unknown", "there is no such event");
        let Some(id) = EventId::parse(id) else {
            return Box::pin(std::future::ready(Err(unknown)));
        };
        let (view, node) = (self.node().lake().view(), Arc::clone(self.node()));
        let (scope, owner) = (scope.clone(), scope.clone());
        let text = id.to_string();
        let found = self.governed().run(&scope, "event", &text, move |limits| async move {
            event_rows(view, owner, id, &limits).await
        });
        Box::pin(async move {
            let rows = found.await?.ok_or(unknown)?;
            let (event, head) = (event_json(&rows, 0), event_head(&rows, 0));
            let look = move || {
                let judge = node.judge().map_err(ApiError::internal)?;
                let filter = FindingFilter {
                    // Findings have the time by which correlation took the event.
                    since: Some(head.time.min(head.received_time.saturating_sub(CLAMP_BEFORE))),
                    until: Some(head.time.max(head.received_time.saturating_add(CLAMP_AFTER))),
                    ..FindingFilter::default()
                };
                let near = judge.findings(&scope, &filter, FINDINGS_LOOKED);
                let near = near.map_err(ApiError::internal)?;
                let names = |f: &&yagura_event::Finding| f.samples.iter().any(|s| s.event == id.0);
                let findings = near.iter().filter(names).map(finding_summary).collect();
                let spans = spans(&node, id, &head);
                let EventHead { raw, source, feed, tenant, .. } = head;
                Ok(EventView { event, raw_data: raw, source, feed, tenant, spans, findings })
            };
            tokio::task::spawn_blocking(look).await.map_err(ApiError::internal)?
        })
    }

    fn histogram(&self, scope: &TenantScope, asked: HistogramAsked) -> Pending<Histogram> {
        let search = match search_of(&asked.query) {
            Ok(search) => search,
            Err(error) => return Box::pin(std::future::ready(Err(error))),
        };
        let (view, owner) = (self.node().lake().view(), scope.clone());
        let (text, bounds, bins) = (asked.query, (asked.from, asked.until), asked.bins);
        let found = self.governed().run(scope, "histogram", &text, move |limits| async move {
            count::histogram(view, owner, &search, bounds, bins, &limits).await
        });
        Box::pin(async move { Ok(found.await?.map(shown).unwrap_or_default()) })
    }

    fn facets(
        &self,
        scope: &TenantScope,
        query: &str,
        fields: &[String],
        top: u32,
    ) -> Pending<Facets> {
        let countable =
            |name: &String| Shown::countable(name).map_err(|no| facet_refusal(&no, name));
        let columns: Result<Vec<Shown>, ApiError> = fields.iter().map(countable).collect();
        let (search, columns) = match search_of(query).and_then(|s| Ok((s, columns?))) {
            Ok(asked) => asked,
            Err(error) => return Box::pin(std::future::ready(Err(error))),
        };
        let (view, owner) = (self.node().lake().view(), scope.clone());
        let (fields, top) = (fields.to_vec(), top as usize);
        let found = self.governed().run(scope, "facets", query, move |limits| async move {
            let mut all = Vec::new();
            for column in &columns {
                let (view, owner) = (Arc::clone(&view), owner.clone());
                all.push(count::facet(view, owner, &search, column, top, &limits).await?);
            }
            Ok(all)
        });
        Box::pin(async move {
            let facet = |(field, values): (String, Vec<(String, u64)>)| {
                let value = |(value, count)| FacetValue { value, count };
                Facet { field, values: values.into_iter().map(value).collect() }
            };
            let facets = fields.into_iter().zip(found.await?).map(facet).collect();
            Ok(Facets { facets })
        })
    }

    fn fields(&self) -> Vec<FieldView> {
        let kind = |kind| match kind {
            ColumnType::Text => "text",
            ColumnType::I64 => "integer",
            ColumnType::F64 => "float",
            ColumnType::Bool => "bool",
            ColumnType::Time => "time",
            ColumnType::Strings => "texts",
            ColumnType::Objects => "objects",
        };
        let short = short_names();
        let short = |name: &str| short.get(name).map_or(&[][..], Vec::as_slice);
        let field = |column: &yagura_event::column::Column| FieldView {
            name: column.name.to_owned(),
            path: column.path.to_owned(),
            r#type: kind(column.kind).to_owned(),
            doc: column.doc.to_owned(),
            short: short(column.name).iter().map(|name| (*name).to_owned()).collect(),
        };
        COLUMNS.iter().map(field).collect()
    }

    fn check_search(&self, query: &str) -> Checked {
        let spec = Spec { query, columns: None, sort: None, limit: LIMIT_DEFAULT };
        let outcome = Search::new(&spec, SystemClock.now());
        checked(outcome.map(drop).map_err(|no| (no.fault, query)))
    }

    fn check_pipe(&self, query: &str) -> Checked {
        let outcome = Pipe::new(query, SystemClock.now());
        checked(outcome.map(drop).map_err(|no| (no.fault, query)))
    }

    fn complete(&self, query: &str, offset: u64) -> Completions {
        let mut seen = 0;
        let before: String = query
            .chars()
            .take_while(|c| {
                seen += c.len_utf16() as u64;
                seen <= offset
            })
            .collect();
        let part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let word = before.rsplit(|c| !part(c)).next().unwrap_or_default();
        let rest = before.get(..before.len() - word.len()).unwrap_or_default().trim_end();
        let wants = |kind: OfferKind| match rest.chars().last() {
            None | Some(';') => kind == OfferKind::Table || kind == OfferKind::Word,
            Some('|') => kind == OfferKind::Word,
            _ => kind != OfferKind::Table && kind != OfferKind::Word,
        };
        let lower = word.to_lowercase();
        let mut found: Vec<_> = offers()
            .into_iter()
            .filter(|offer| wants(offer.kind) && offer.text.to_lowercase().contains(&lower))
            .collect();
        found.sort_by_key(|offer| (!offer.text.to_lowercase().starts_with(&lower), offer.kind));
        found.truncate(OFFERS_MAX);
        let kind = |kind| match kind {
            OfferKind::Table => "table",
            OfferKind::Word => "word",
            OfferKind::Function => "function",
            OfferKind::Aggregate => "aggregate",
            OfferKind::Operator => "operator",
            OfferKind::Field => "field",
        };
        let item = |offer: yagura_lake::pipe::complete::Offer| Completion {
            label: offer.text.to_owned(),
            kind: kind(offer.kind).to_owned(),
            doc: format!("{} — {}", offer.detail, offer.doc),
        };
        let from = units(query, before.len() - word.len());
        Completions { from, items: found.into_iter().map(item).collect() }
    }

    fn saved_searches(&self) -> Result<Vec<SavedSearch>, ApiError> {
        let rows = self.people().saved().map_err(ApiError::internal)?;
        Ok(rows.into_iter().map(saved).collect())
    }

    fn save_search(&self, caller: &Caller, new: NewSavedSearch) -> Result<SavedSearch, ApiError> {
        let language = match new.language {
            SearchLanguage::Search => "search",
            SearchLanguage::Pipe => "pipe",
        };
        let row = SavedRow {
            id: 0,
            name: new.name.trim().to_owned(),
            language: language.to_owned(),
            query: new.query,
            by: caller.name.clone(),
            time: SystemClock.now(),
        };
        let row = self.people().save(&row).map_err(ApiError::internal)?.ok_or_else(|| {
            let text = "there are as many saved searches as there may be; forget one";
            ApiError::new(Kind::TooMany, "saved_too_many", text)
        })?;
        Ok(saved(row))
    }

    fn forget_search(&self, id: &str) -> Result<(), ApiError> {
        let number = id.parse().unwrap_or(-1);
        match self.people().forget_saved(number).map_err(ApiError::internal)? {
            true => Ok(()),
            false => {
                let text = "there is no such saved search";
                Err(ApiError::new(Kind::NotFound, "saved_unknown", text))
            }
        }
    }
}

fn facet_refusal(fault: &Fault, name: &str) -> ApiError {
    ApiError::new(Kind::Invalid, fault.code, fault.to_string()).at(problem(fault, name))
}

fn shown(found: count::Histogram) -> Histogram {
    let bin = |(time, count): &(Micros, u64)| Bin { time_dt: rfc3339(*time), count: *count };
    Histogram {
        from_time_dt: rfc3339(found.from),
        until_time_dt: rfc3339(found.until),
        step_ms: u64::try_from(found.step / 1_000).unwrap_or_default(),
        total: found.bins.iter().map(|(_, count)| count).sum(),
        bins: found.bins.iter().map(bin).collect(),
    }
}

/// Where the record's values stand, by reading it once more with the sources in force.
fn spans(node: &crate::node::Node, id: EventId, head: &EventHead) -> Vec<SpanView> {
    let context = ContextId::parse(&head.context).and_then(|id| node.journal().context(id));
    let Some(context) = context else { return Vec::new() };
    let header = RecordHeader {
        id,
        received_time: head.received_time,
        stream: head.stream,
        batch: head.batch,
        peer: "",
        position: 0,
    };
    let mut batch = EventBatch::default();
    let bytes = head.raw_bytes.as_deref().unwrap_or(head.raw.as_bytes());
    let engine = node.engine();
    crate::pipeline::work::parse_guarded(&engine, &context, &header, bytes, &mut batch);
    let Some(event) = batch.event(0).filter(|event| event.raw() == head.raw.as_bytes()) else {
        return Vec::new();
    };
    let held = held(event);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let raw = event.event().raw;
    let mut all: Vec<SpanView> = event
        .spans()
        .iter()
        .filter(|span| span.raw.len > 0 && span.raw.off + span.raw.len <= raw.len)
        .map(|span| {
            let (start, value) = (span.raw.off as usize, text(event.span_value(span)));
            let mut paths: Vec<String> =
                held.iter().filter(|(_, v)| *v == value).map(|(p, _)| (*p).to_owned()).collect();
            paths.sort();
            SpanView {
                field: text(event.span_name(span, engine.fields())),
                start: units(&head.raw, start),
                end: units(&head.raw, start + span.raw.len as usize),
                value,
                paths,
            }
        })
        .collect();
    all.sort_by(|a, b| (a.start, a.end, &a.field).cmp(&(b.start, b.end, &b.field)));
    all
}

/// The event's columns with their values as text. Numbers of enumerations are no value of the
/// record's.
fn held(event: EventRef<'_>) -> Vec<(&'static str, String)> {
    let each = event.values().iter().filter_map(|(id, value)| {
        let column = id.column();
        let text = match value {
            Scalar::Text(_) => event.column_text(*id)?.to_owned(),
            Scalar::I64(number) if yagura_event::enums::captions(*id).is_none() => {
                number.to_string()
            }
            _ => return None,
        };
        Some((column.path, text))
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_browsers_count() {
        let text = "a櫓𠮷b";
        assert_eq!([0, 1, 4, 8, 9].map(|byte| units(text, byte)), [0, 1, 2, 4, 5]);
    }
}
