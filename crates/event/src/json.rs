//! The nested OCSF JSON form of an event, columns placed by their dotted paths.

use crate::batch::{EventRef, Scalar, Span, SpanType};
use crate::column::{ColumnId, ColumnType};
use crate::field::{FieldId, FieldTable};
use crate::observable::ObservableKind;
use crate::time::{Micros, rfc3339};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Map, Number, Value, json};

/// The OCSF version the columns and classes follow.
pub const OCSF_VERSION: &str = "1.9.0-dev";

/// The event as nested OCSF JSON: class and type words, columns by path, `observables`,
/// `unmapped` for fields that no attribute holds, `raw_data`; beside it `raw_bytes`, the record
/// as received in base64, where `raw_data` is not its bytes.
///
/// `source` is the source's name for `metadata.log_format`, `None` where none recognised it.
pub fn event_json(event: EventRef<'_>, fields: &FieldTable, source: Option<&str>) -> Value {
    let head = event.event();
    let class = head.class.class();
    let activity = match event.column(ColumnId::ACTIVITY_ID) {
        Some(Scalar::I64(id)) => id,
        _ => 0,
    };
    let type_uid = i64::from(class.uid.0) * 100 + activity;
    let mut root = Map::new();
    root.insert("time".into(), json!(head.time.div_euclid(1_000)));
    root.insert("time_dt".into(), json!(rfc3339(head.time)));
    root.insert("category_uid".into(), json!(class.category_uid()));
    root.insert("category_name".into(), json!(class.category_name()));
    root.insert("class_uid".into(), json!(class.uid.0));
    root.insert("class_name".into(), json!(class.caption));
    root.insert("activity_id".into(), json!(activity));
    root.insert("activity_name".into(), json!(class.activity_name(activity)));
    root.insert("type_uid".into(), json!(type_uid));
    root.insert(
        "type_name".into(),
        json!(format!("{}: {}", class.caption, class.activity_name(activity))),
    );
    root.insert("severity_id".into(), json!(1));
    insert(&mut root, "metadata.version", json!(OCSF_VERSION));
    insert(&mut root, "metadata.uid", json!(head.id.to_string()));
    insert(&mut root, "metadata.tenant_uid", json!(event.context().tenant));
    insert(&mut root, "metadata.logged_time", json!(head.received_time.div_euclid(1_000)));
    insert(&mut root, "metadata.log_source", json!(event.context().feed));
    if let Some(source) = source {
        insert(&mut root, "metadata.log_format", json!(source));
    }
    for (id, value) in event.values() {
        insert(&mut root, id.column().path, scalar_json(event, *id, *value));
    }
    if let Some(detail) = issues_detail(event) {
        root.insert("status_detail".into(), json!(detail));
    }
    let observables = observables_json(event);
    if !observables.is_empty() {
        root.insert("observables".into(), Value::Array(observables));
    }
    let unmapped = unmapped_json(event, fields);
    if !unmapped.is_empty() {
        root.insert("unmapped".into(), Value::Object(unmapped));
    }
    root.insert("raw_data".into(), json!(String::from_utf8_lossy(event.raw())));
    if let Some(bytes) = event.raw_bytes() {
        root.insert("raw_bytes".into(), json!(BASE64_STANDARD.encode(bytes)));
    }
    Value::Object(root)
}

/// Fields that no attribute holds, by the source's own names; repeated names become arrays.
pub fn unmapped_json(event: EventRef<'_>, fields: &FieldTable) -> Map<String, Value> {
    let mut unmapped = Map::new();
    for span in event.spans().iter().filter(|span| span.is_unmapped()) {
        let name = String::from_utf8_lossy(event.span_name(span, fields)).into_owned();
        let value = typed_json(span.kind, event.span_value(span));
        match unmapped.get_mut(&name) {
            None => {
                unmapped.insert(name, value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(single) => *single = Value::Array(vec![single.take(), value]),
        }
    }
    unmapped
}

/// As [`unmapped_json`], written to the end of `out`; whether there was any such field. Takes no
/// memory of its own.
pub fn write_unmapped(event: EventRef<'_>, fields: &FieldTable, out: &mut Vec<u8>) -> bool {
    let free = |span: &&Span| span.is_unmapped();
    let same = |a: &Span, b: &Span| {
        a.field == b.field
            && (a.field != FieldId::UNKNOWN || name_of(event, a) == name_of(event, b))
    };
    let spans = event.spans();
    let mut any = false;
    for (at, span) in spans.iter().enumerate().filter(|(_, span)| free(span)) {
        if spans[..at].iter().filter(free).any(|other| same(other, span)) {
            continue;
        }
        out.push(if any { b',' } else { b'{' });
        any = true;
        write_string(out, event.span_name(span, fields));
        out.push(b':');
        let mut repeats = spans[at + 1..].iter().filter(free).filter(|o| same(o, span)).peekable();
        if repeats.peek().is_none() {
            write_typed(out, span.kind, event.span_value(span));
            continue;
        }
        out.push(b'[');
        write_typed(out, span.kind, event.span_value(span));
        for other in repeats {
            out.push(b',');
            write_typed(out, other.kind, event.span_value(other));
        }
        out.push(b']');
    }
    if any {
        out.push(b'}');
    }
    any
}

fn name_of<'a>(event: EventRef<'a>, span: &Span) -> &'a [u8] {
    event.batch().bytes(span.name)
}

fn write_string(out: &mut Vec<u8>, bytes: &[u8]) {
    // Writing to memory cannot fail.
    let _ = match std::str::from_utf8(bytes) {
        Ok(text) => serde_json::to_writer(out, text),
        Err(_) => serde_json::to_writer(out, &String::from_utf8_lossy(bytes)),
    };
}

fn write_typed(out: &mut Vec<u8>, kind: SpanType, bytes: &[u8]) {
    match kind {
        SpanType::String => write_string(out, bytes),
        SpanType::Null => out.extend_from_slice(b"null"),
        SpanType::Bool if bytes == b"true" => out.extend_from_slice(b"true"),
        SpanType::Bool => out.extend_from_slice(b"false"),
        SpanType::Number if is_plain_integer(bytes) => out.extend_from_slice(bytes),
        SpanType::Number => {
            let _ = serde_json::to_writer(out, &typed_json(kind, bytes));
        }
    }
}

/// Whether the text is a JSON integer as it would be written again.
fn is_plain_integer(bytes: &[u8]) -> bool {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let zero = digits.first() == Some(&b'0');
    (1..=18).contains(&digits.len())
        && digits.iter().all(u8::is_ascii_digit)
        && (!zero || bytes == b"0")
}

/// What was wrong with the record in one line: `code: detail` joined by `; `.
pub fn issues_detail(event: EventRef<'_>) -> Option<String> {
    if event.issues().is_empty() {
        return None;
    }
    let mut text = String::new();
    for issue in event.issues() {
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.push_str(issue.code.word());
        let detail = event.batch().bytes(issue.detail);
        if !detail.is_empty() {
            text.push_str(": ");
            text.push_str(&String::from_utf8_lossy(detail));
        }
    }
    Some(text)
}

/// Places a value at a dotted path, making the objects on the way.
pub fn insert(root: &mut Map<String, Value>, path: &str, value: Value) {
    let mut at = root;
    let mut parts = path.split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            at.insert(part.to_owned(), value);
            return;
        }
        let next = at.entry(part.to_owned()).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(next) = next else { return };
        at = next;
    }
}

fn scalar_json(event: EventRef<'_>, id: ColumnId, value: Scalar) -> Value {
    match value {
        Scalar::Text(text) => json!(String::from_utf8_lossy(event.batch().bytes(text))),
        Scalar::I64(n) if id.column().kind == ColumnType::Time => json!(milliseconds(n)),
        Scalar::I64(n) => json!(n),
        Scalar::F64(n) => json!(n),
        Scalar::Bool(b) => json!(b),
        Scalar::Json(text) => {
            serde_json::from_slice(event.batch().bytes(text)).unwrap_or(Value::Null)
        }
    }
}

fn milliseconds(time: Micros) -> i64 {
    time.div_euclid(1_000)
}

fn typed_json(kind: SpanType, bytes: &[u8]) -> Value {
    let text = String::from_utf8_lossy(bytes);
    match kind {
        SpanType::String => json!(text),
        SpanType::Null => Value::Null,
        SpanType::Bool => json!(text == "true"),
        SpanType::Number => text
            .parse::<i64>()
            .map(Number::from)
            .ok()
            .or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64))
            .map_or_else(|| json!(text), Value::Number),
    }
}

fn observables_json(event: EventRef<'_>) -> Vec<Value> {
    let mut list: Vec<Value> = Vec::new();
    for (column, observable) in event.observables() {
        if observable.kind == ObservableKind::CommandLine {
            continue;
        }
        list.push(json!({
            "name": column.column().path,
            "type_id": observable.kind.type_id(),
            "type": observable.kind.type_name(),
            "value": observable.value,
        }));
    }
    list
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::batch::{Event, EventBatch, SpanFlags, Text};
    use crate::class::ClassUid;
    use crate::context::{Context, Reference, SourceChoice};
    use crate::id::EventId;
    use crate::logsource::LogsourceId;
    use std::sync::Arc;

    /// A batch of one event with these fields, whose names are not interned.
    fn batch(spans: &[(&str, &[u8], SpanType, u8)]) -> EventBatch {
        let mut batch = EventBatch::default();
        let context = Context::new("default", "t", SourceChoice::Auto, Reference::Received);
        batch.push_context(&Arc::new(context));
        for (name, value, kind, flags) in spans {
            let (name, value) = (batch.push_text(name.as_bytes()), batch.push_text(value));
            let (kind, flags) = (*kind, SpanFlags(*flags));
            let (field, raw) = (FieldId::UNKNOWN, Text::default());
            batch.spans.push(Span { field, name, value, raw, kind, flags });
        }
        batch.events.push(Event {
            id: EventId(1),
            context: 0,
            time: 0,
            received_time: 0,
            class: ClassUid::BASE,
            source: 0,
            logsource: LogsourceId(0),
            raw: Text::default(),
            original: Text::default(),
            spans: 0..batch.spans.len() as u32,
            values: 0..0,
            relations: 0..0,
            issues: 0..0,
            stream: 0,
            batch: 0,
        });
        batch
    }

    #[test]
    fn unmapped_text_and_map_are_one() {
        use SpanType::{Bool, Null, Number, String};
        let batch = batch(&[
            ("a \"b\"", b"x\x01\"\\\n", String, 0),
            ("n", b"12", Number, 0),
            ("m", b"1", Number, SpanFlags::MAPPED),
            ("n", b"-0", Number, 0),
            ("big", b"123456789012345678901", Number, 0),
            ("zero", b"007", Number, 0),
            ("f", b"1.5e3", Number, 0),
            ("odd", b"0x1", Number, 0),
            ("t", b"true", Bool, 0),
            ("n", b"", Null, 0),
            ("alias", b"y", String, SpanFlags::ALIAS),
            ("bad", b"\xff", String, 0),
        ]);
        let (event, fields) = (batch.event(0).unwrap(), FieldTable::default());
        let mut text = Vec::new();
        assert!(write_unmapped(event, &fields, &mut text));
        let read: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(read, Value::Object(unmapped_json(event, &fields)));
        assert_eq!(read["n"], json!([12, 0, null]));
    }

    #[test]
    fn what_is_settled_says_what_it_said_and_leaves_an_empty_batch() {
        let mapped = ("m", b"1".as_slice(), SpanType::Number, SpanFlags::MAPPED);
        let one = ("kept", b"2".as_slice(), SpanType::Number, 0);
        let mut batch =
            batch(&[mapped, one, ("alias", b"3", SpanType::Number, SpanFlags::ALIAS), one]);
        let (first, second) = (Event { spans: 0..2, ..batch.events[0].clone() }, 2..4);
        batch.events = vec![first.clone(), Event { spans: second, ..first }];
        let fields = FieldTable::default();
        let said = |batch: &EventBatch| {
            batch.iter().map(|event| unmapped_json(event, &fields)).collect::<Vec<_>>()
        };
        let before = said(&batch);
        let settled = batch.take_settled();
        assert_eq!(said(&settled), before);
        assert_eq!(settled.spans.len(), 2);
        assert!(settled.memory_bytes() < batch.memory_bytes());
        assert!(batch.events.is_empty() && batch.arena.is_empty() && batch.spans.is_empty());
    }

    #[test]
    fn nothing_unmapped_is_no_text() {
        let batch = batch(&[("m", b"1", SpanType::Number, SpanFlags::MAPPED)]);
        let mut text = Vec::new();
        assert!(!write_unmapped(batch.event(0).unwrap(), &FieldTable::default(), &mut text));
        assert!(text.is_empty());
    }
}
