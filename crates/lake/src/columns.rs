//! Builders of one Arrow column each, padded with nulls where an event lacks the value.

use crate::schema::{element, object_fields};
use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder,
    StructBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::DataType;
use serde_json::Value;
use std::sync::Arc;
use yagura_event::column::ColumnType;
use yagura_event::{EventBatch, Scalar};

/// A column under construction.
pub(crate) struct ColumnBuilder {
    values: Values,
    len: usize,
}

enum Values {
    Text(StringBuilder),
    I64(Int64Builder),
    F64(Float64Builder),
    Bool(BooleanBuilder),
    Time(TimestampMicrosecondBuilder),
    Strings(ListBuilder<StringBuilder>),
    Objects(ListBuilder<StructBuilder>),
}

impl ColumnBuilder {
    pub(crate) fn new(kind: ColumnType) -> Self {
        let values = match kind {
            ColumnType::Text => Values::Text(StringBuilder::new()),
            ColumnType::I64 => Values::I64(Int64Builder::new()),
            ColumnType::F64 => Values::F64(Float64Builder::new()),
            ColumnType::Bool => Values::Bool(BooleanBuilder::new()),
            ColumnType::Time => Values::Time(times()),
            ColumnType::Strings => {
                let list = ListBuilder::new(StringBuilder::new());
                Values::Strings(list.with_field(element(DataType::Utf8)))
            }
            ColumnType::Objects => Values::Objects(objects()),
        };
        Self { values, len: 0 }
    }

    /// Puts a value at `row`; what is between the last row and it becomes null. A second
    /// value for the same row is passed over: a column holds one.
    pub(crate) fn put(&mut self, row: usize, batch: &EventBatch, value: Scalar) {
        if row < self.len {
            return;
        }
        self.pad(row);
        match &mut self.values {
            Values::Text(out) => put_text(out, batch, value),
            Values::I64(out) => out.append_option(integer(value)),
            Values::Time(out) => out.append_option(integer(value)),
            Values::F64(out) => out.append_option(match value {
                Scalar::F64(number) => Some(number),
                Scalar::I64(number) => Some(number as f64),
                _ => None,
            }),
            Values::Bool(out) => out.append_option(match value {
                Scalar::Bool(truth) => Some(truth),
                _ => None,
            }),
            Values::Strings(out) => put_strings(out, json_items(batch, value)),
            Values::Objects(out) => put_objects(out, json_items(batch, value)),
        }
        self.len = row + 1;
    }

    /// The column with `rows` rows.
    pub(crate) fn finish(mut self, rows: usize) -> ArrayRef {
        self.pad(rows);
        match self.values {
            Values::Text(mut out) => Arc::new(out.finish()),
            Values::I64(mut out) => Arc::new(out.finish()),
            Values::F64(mut out) => Arc::new(out.finish()),
            Values::Bool(mut out) => Arc::new(out.finish()),
            Values::Time(mut out) => Arc::new(out.finish()),
            Values::Strings(mut out) => Arc::new(out.finish()),
            Values::Objects(mut out) => Arc::new(out.finish()),
        }
    }

    fn pad(&mut self, rows: usize) {
        let missing = rows.saturating_sub(self.len);
        match &mut self.values {
            Values::Text(out) => out.append_nulls(missing),
            Values::I64(out) => out.append_nulls(missing),
            Values::F64(out) => out.append_nulls(missing),
            Values::Bool(out) => out.append_nulls(missing),
            Values::Time(out) => out.append_nulls(missing),
            Values::Strings(out) => (0..missing).for_each(|_| out.append(false)),
            Values::Objects(out) => (0..missing).for_each(|_| out.append(false)),
        }
        self.len = self.len.max(rows);
    }
}

/// A builder of times in the tables' type.
pub(crate) fn times() -> TimestampMicrosecondBuilder {
    TimestampMicrosecondBuilder::new().with_timezone("UTC")
}

fn objects() -> ListBuilder<StructBuilder> {
    let fields = object_fields();
    ListBuilder::new(StructBuilder::from_fields(fields.clone(), 0))
        .with_field(element(DataType::Struct(fields)))
}

fn integer(value: Scalar) -> Option<i64> {
    match value {
        Scalar::I64(number) => Some(number),
        Scalar::Bool(truth) => Some(i64::from(truth)),
        _ => None,
    }
}

fn put_text(out: &mut StringBuilder, batch: &EventBatch, value: Scalar) {
    match value {
        Scalar::Text(text) | Scalar::Json(text) => match std::str::from_utf8(batch.bytes(text)) {
            Ok(text) => out.append_value(text),
            Err(_) => out.append_value(String::from_utf8_lossy(batch.bytes(text))),
        },
        Scalar::I64(number) => out.append_value(number.to_string()),
        Scalar::F64(number) => out.append_value(number.to_string()),
        Scalar::Bool(truth) => out.append_value(truth.to_string()),
    }
}

/// The items of a list value; a text stands for a list of one.
fn json_items(batch: &EventBatch, value: Scalar) -> Option<Vec<Value>> {
    match value {
        Scalar::Json(text) => match serde_json::from_slice(batch.bytes(text)).ok()? {
            Value::Array(items) => Some(items),
            Value::Null => None,
            single => Some(vec![single]),
        },
        Scalar::Text(text) => {
            let text = String::from_utf8_lossy(batch.bytes(text)).into_owned();
            Some(vec![Value::String(text)])
        }
        _ => None,
    }
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn put_strings(out: &mut ListBuilder<StringBuilder>, items: Option<Vec<Value>>) {
    let present = items.is_some();
    for item in items.unwrap_or_default() {
        out.values().append_option(word(&item));
    }
    out.append(present);
}

fn put_objects(out: &mut ListBuilder<StructBuilder>, items: Option<Vec<Value>>) {
    let present = items.is_some();
    for item in items.unwrap_or_default() {
        let part = |name: &str| match &item {
            Value::Object(object) => object.get(name).and_then(word),
            other => (name == "value").then(|| word(other)).flatten(),
        };
        for (at, name) in ["name", "type", "value"].into_iter().enumerate() {
            if let Some(field) = out.values().field_builder::<StringBuilder>(at) {
                field.append_option(part(name));
            }
        }
        out.values().append(true);
    }
    out.append(present);
}
