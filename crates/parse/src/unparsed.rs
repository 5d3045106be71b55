//! Records that must not be parsed: an event that holds them as they are.

use crate::parser::{RecordHeader, UNRECOGNISED};
use crate::sink::Sink;
use std::sync::Arc;
use yagura_event::batch::Text;
use yagura_event::{ClassUid, Context, Event, EventBatch, FieldTable, IssueCode, LogsourceId};

/// Appends the record as a Base Event without parsing it: for a record at which the process
/// died twice.
pub fn unparsed(
    context: &Arc<Context>,
    head: &RecordHeader<'_>,
    bytes: &[u8],
    out: &mut EventBatch,
) {
    let at = out.push_context(context);
    let fields = FieldTable::default();
    let relations = out.relations.len() as u32;
    let mut sink = Sink::new(out, &fields, bytes);
    sink.issue(IssueCode::Poison, "not parsed: the process died twice at this record");
    let raw = sink.raw();
    let (spans, values, issues) = sink.starts();
    out.events.push(Event {
        id: head.id,
        context: at,
        time: head.received_time,
        received_time: head.received_time,
        class: ClassUid::BASE,
        source: UNRECOGNISED,
        logsource: LogsourceId(0),
        raw,
        original: Text::default(),
        spans: spans as u32..out.spans.len() as u32,
        values: values as u32..out.values.len() as u32,
        relations: relations..relations,
        issues: issues as u32..out.issues.len() as u32,
        stream: head.stream,
        batch: head.batch,
    });
}
