//! What the unit tests share: lists from text, events from columns.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod brute;
mod matching;
mod reading;
mod values;
mod warnings;

use crate::{Indicators, Limits, List, Scratch, Warnings, read_list};
use std::sync::Arc;
use yagura_event::{
    ClassUid, ColumnId, ColumnType, Context, Event, EventBatch, EventId, LogsourceId, Match,
    Micros, Reference, Scalar, SourceChoice,
};

/// Reads a list of the default limits.
pub fn list(name: &str, text: &str) -> List {
    read_list(name, text.as_bytes(), &Limits::default()).unwrap()
}

/// The values of a list, in its order, as `kind value`.
pub fn values(list: &List) -> Vec<String> {
    let mut found = Vec::new();
    list.each(|kind, _, value| found.push(format!("{} {value}", kind.word()))).unwrap();
    found
}

/// Refused entries as `reason count`.
pub fn refused(list: &List) -> Vec<String> {
    list.refused.iter().map(|(why, count)| format!("{} {count}", why.word())).collect()
}

/// Adds one event with these columns at `time`.
pub fn push_event(batch: &mut EventBatch, time: Micros, columns: &[(ColumnId, &str)]) {
    if batch.contexts.is_empty() {
        let context = Context::new("default", "test", SourceChoice::Auto, Reference::At(0));
        batch.contexts.push(Arc::new(context));
    }
    let from = batch.values.len() as u32;
    for (column, text) in columns {
        let text = batch.push_text(text.as_bytes());
        let scalar = match column.column().kind {
            ColumnType::Text => Scalar::Text(text),
            _ => Scalar::Json(text),
        };
        batch.values.push((*column, scalar));
    }
    let to = batch.values.len() as u32;
    let raw = batch.push_text(b"a record");
    let number = batch.events.len() as u64 + 1;
    batch.events.push(Event {
        id: EventId::content(7, number),
        context: 0,
        time,
        received_time: time,
        class: ClassUid(0),
        source: 0,
        logsource: LogsourceId(0),
        raw,
        original: Default::default(),
        spans: 0..0,
        values: from..to,
        relations: 0..0,
        issues: 0..0,
        stream: 1,
        batch: 0,
    });
}

/// The set of some lists without warning lists.
pub fn set(lists: &[List]) -> Indicators {
    Indicators::new(lists, Warnings::default()).unwrap()
}

/// Matches of one event.
pub fn matches_at(set: &Indicators, time: Micros, columns: &[(ColumnId, &str)]) -> Vec<Match> {
    let mut batch = EventBatch::default();
    push_event(&mut batch, time, columns);
    let mut out = Vec::new();
    set.matches(batch.event(0).unwrap(), "test", &mut Scratch::default(), &mut out);
    out
}

/// Matches of one event as `rule=indicator`.
pub fn hits(set: &Indicators, columns: &[(ColumnId, &str)]) -> Vec<String> {
    let found = matches_at(set, 0, columns);
    found.iter().map(|m| format!("{}={}", m.rule, m.key("indicator").unwrap())).collect()
}
