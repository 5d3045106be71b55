//! Rows of the `events` table as nested OCSF JSON, the same as `parse` prints.

use crate::error::LakeError;
use crate::schema::TableKind;
use crate::search::show::{cell, integer_at, text_at, time_at};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::concat_batches;
use serde_json::{Map, Value, json};
use yagura_event::column::{COLUMNS, ColumnType};
use yagura_event::json::{OCSF_VERSION, insert};
use yagura_event::time::rfc3339;
use yagura_event::{ClassUid, Observable, ObservableKind};

/// The event of a row as nested OCSF JSON (see [`yagura_event::json::event_json`]).
pub fn event_json(rows: &RecordBatch, row: usize) -> Value {
    let mut root = head(rows, row);
    for column in COLUMNS.iter().filter(|column| !column.head) {
        let value = match column.kind {
            ColumnType::Time => {
                time_at(rows, column.name, row).map_or(Value::Null, |t| json!(t.div_euclid(1_000)))
            }
            _ => cell(rows, column.name, row),
        };
        if !value.is_null() {
            insert(&mut root, column.path, value);
        }
    }
    if let Some(issues) = text_at(rows, "issues", row) {
        root.insert("status_detail".into(), json!(issues));
    }
    let observables = observables(rows, row);
    if !observables.is_empty() {
        root.insert("observables".into(), Value::Array(observables));
    }
    if let Some(text) = text_at(rows, "unmapped", row)
        && let Ok(unmapped @ Value::Object(_)) = serde_json::from_str(text)
    {
        root.insert("unmapped".into(), unmapped);
    }
    root.insert("raw_data".into(), cell(rows, "raw_data", row));
    Value::Object(root)
}

/// What a row says of its record beside the event.
#[derive(Clone, Debug, Default)]
pub struct EventHead {
    /// The owner.
    pub tenant: String,
    /// The inflow.
    pub feed: String,
    /// The source's name; empty where none recognised it.
    pub source: String,
    /// The context's id, 32 hexadecimal digits.
    pub context: String,
    /// Event time, in microseconds.
    pub time: i64,
    /// When it was received, in microseconds.
    pub received_time: i64,
    /// The stream's number.
    pub stream: u64,
    /// The batch's number; 0 is live.
    pub batch: u64,
    /// The record as text.
    pub raw: String,
    /// The record's bytes, where they are not those of the text.
    pub raw_bytes: Option<Vec<u8>>,
}

/// What a row of all columns says of its record.
pub fn event_head(rows: &RecordBatch, row: usize) -> EventHead {
    let text = |column| text_at(rows, column, row).unwrap_or_default().to_owned();
    let number = |column| integer_at(rows, column, row).unwrap_or_default().cast_unsigned();
    let bytes = rows.column_by_name("raw_bytes").and_then(|bytes| bytes.as_binary_opt::<i32>());
    EventHead {
        tenant: text("tenant"),
        feed: text("feed"),
        source: text("source"),
        context: text("context"),
        time: time_at(rows, "time", row).unwrap_or_default(),
        received_time: time_at(rows, "received_time", row).unwrap_or_default(),
        stream: number("stream"),
        batch: number("batch"),
        raw: text("raw_data"),
        raw_bytes: bytes.filter(|b| b.is_valid(row)).map(|b| b.value(row).to_vec()),
    }
}

/// Rows `from` to `from + limit` of batches that follow one another.
///
/// # Errors
/// [`LakeError::Arrow`] where their columns differ.
pub fn page(batches: &[RecordBatch], from: usize, limit: usize) -> Result<RecordBatch, LakeError> {
    let (mut skip, mut left) = (from, limit);
    let mut parts = Vec::new();
    for batch in batches {
        let rows = batch.num_rows();
        let begin = skip.min(rows);
        let take = (rows - begin).min(left);
        if take > 0 {
            parts.push(batch.slice(begin, take));
        }
        (skip, left) = (skip - begin, left - take);
    }
    match batches.first() {
        Some(first) => Ok(concat_batches(&first.schema(), &parts)?),
        None => Ok(RecordBatch::new_empty(TableKind::Events.schema())),
    }
}

/// The observables in the columns, normalised.
fn observables(rows: &RecordBatch, row: usize) -> Vec<Value> {
    let mut list = Vec::new();
    for column in COLUMNS {
        let observable = column
            .observable
            .and_then(|kind| Observable::new(kind, text_at(rows, column.name, row)?));
        if let Some(observable) = observable.filter(|o| o.kind != ObservableKind::CommandLine) {
            list.push(json!({
                "name": column.path,
                "type_id": observable.kind.type_id(),
                "type": observable.kind.type_name(),
                "value": observable.value,
            }));
        }
    }
    list
}

fn head(rows: &RecordBatch, row: usize) -> Map<String, Value> {
    let time = time_at(rows, "time", row).unwrap_or_default();
    let number = integer_at(rows, "class_uid", row).unwrap_or_default();
    let class = ClassUid(u32::try_from(number).unwrap_or_default()).class();
    let activity = integer_at(rows, "activity_id", row).unwrap_or_default();
    let activity_name = class.activity_name(activity);
    let mut root = Map::new();
    for (name, value) in [
        ("time", json!(time.div_euclid(1_000))),
        ("time_dt", json!(rfc3339(time))),
        ("category_uid", json!(class.category_uid())),
        ("category_name", json!(class.category_name())),
        ("class_uid", json!(class.uid.0)),
        ("class_name", json!(class.caption)),
        ("activity_id", json!(activity)),
        ("activity_name", json!(activity_name)),
        ("type_uid", json!(i64::from(class.uid.0) * 100 + activity)),
        ("type_name", json!(format!("{}: {activity_name}", class.caption))),
        ("severity_id", json!(1)),
    ] {
        root.insert(name.into(), value);
    }
    let received = time_at(rows, "received_time", row).map(|t| t.div_euclid(1_000));
    insert(&mut root, "metadata.version", json!(OCSF_VERSION));
    insert(&mut root, "metadata.uid", cell(rows, "event_id", row));
    insert(&mut root, "metadata.tenant_uid", cell(rows, "tenant", row));
    insert(&mut root, "metadata.logged_time", json!(received));
    insert(&mut root, "metadata.log_source", cell(rows, "feed", row));
    if let Some(source) = text_at(rows, "source", row) {
        insert(&mut root, "metadata.log_format", json!(source));
    }
    root
}
