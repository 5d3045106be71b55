//! The nested OCSF JSON form of an event, columns placed by their dotted paths.

use crate::batch::{EventRef, Scalar, SpanFlags, SpanType};
use crate::column::{ColumnId, ColumnType};
use crate::field::FieldTable;
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
    for span in event.spans() {
        if span.flags.has(SpanFlags::MAPPED) || span.flags.has(SpanFlags::ALIAS) {
            continue;
        }
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
