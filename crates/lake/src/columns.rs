//! Builders of one Arrow column each, padded with nulls where an event lacks the value.

use crate::schema::{element, object_fields};
use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder,
    StructBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::DataType;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;
use yagura_event::batch::Text;
use yagura_event::column::ColumnType;
use yagura_event::{EventBatch, Scalar};

/// The texts of a batch. Whether they are UTF-8 is found out once for all of them.
#[derive(Clone, Copy)]
pub(crate) struct Texts<'a> {
    batch: &'a EventBatch,
    arena: Option<&'a str>,
}

impl<'a> Texts<'a> {
    pub(crate) fn of(batch: &'a EventBatch) -> Self {
        Self { batch, arena: std::str::from_utf8(&batch.arena).ok() }
    }

    /// The text, if it is UTF-8.
    pub(crate) fn valid(self, text: Text) -> Option<&'a str> {
        let start = text.off as usize;
        match self.arena {
            Some(arena) => arena.get(start..start + text.len as usize),
            None => std::str::from_utf8(self.batch.bytes(text)).ok(),
        }
    }

    /// The text; what is not UTF-8 is replaced.
    fn text(self, text: Text) -> Cow<'a, str> {
        let valid = self.valid(text).map(Cow::Borrowed);
        valid.unwrap_or_else(|| String::from_utf8_lossy(self.batch.bytes(text)))
    }
}

/// Bytes set aside for a text; most columns hold fewer, or none in most rows.
const TEXT_BYTES: usize = 4;

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
    /// A column with room for so many rows.
    pub(crate) fn new(kind: ColumnType, rows: usize) -> Self {
        let values = match kind {
            ColumnType::Text => Values::Text(StringBuilder::with_capacity(rows, rows * TEXT_BYTES)),
            ColumnType::I64 => Values::I64(Int64Builder::with_capacity(rows)),
            ColumnType::F64 => Values::F64(Float64Builder::with_capacity(rows)),
            ColumnType::Bool => Values::Bool(BooleanBuilder::with_capacity(rows)),
            ColumnType::Time => Values::Time(times(rows)),
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
    pub(crate) fn put(&mut self, row: usize, texts: Texts<'_>, value: Scalar) {
        if row < self.len {
            return;
        }
        self.pad(row);
        match &mut self.values {
            Values::Text(out) => put_text(out, texts, value),
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
            Values::Strings(out) => put_strings(out, json_items(texts, value)),
            Values::Objects(out) => put_objects(out, json_items(texts, value)),
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
pub(crate) fn times(rows: usize) -> TimestampMicrosecondBuilder {
    TimestampMicrosecondBuilder::with_capacity(rows).with_timezone("UTC")
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

fn put_text(out: &mut StringBuilder, texts: Texts<'_>, value: Scalar) {
    match value {
        Scalar::Text(text) | Scalar::Json(text) => out.append_value(texts.text(text)),
        Scalar::I64(number) => out.append_value(number.to_string()),
        Scalar::F64(number) => out.append_value(number.to_string()),
        Scalar::Bool(truth) => out.append_value(truth.to_string()),
    }
}

/// The items of a list value; a text stands for a list of one.
fn json_items(texts: Texts<'_>, value: Scalar) -> Option<Vec<Value>> {
    match value {
        Scalar::Json(text) => match serde_json::from_slice(texts.batch.bytes(text)).ok()? {
            Value::Array(items) => Some(items),
            Value::Null => None,
            single => Some(vec![single]),
        },
        Scalar::Text(text) => Some(vec![Value::String(texts.text(text).into_owned())]),
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

/// The members of an object, each with what records of resources in DNS call it (RFC 1035,
/// section 3.2.1).
const OBJECT_MEMBERS: [[&str; 2]; 3] = [["name", "rrname"], ["type", "rrtype"], ["value", "rdata"]];

fn put_objects(out: &mut ListBuilder<StructBuilder>, items: Option<Vec<Value>>) {
    let present = items.is_some();
    for item in items.unwrap_or_default() {
        let part = |name: &str| match &item {
            Value::Object(object) => object.get(name).and_then(word),
            other => (name == "value").then(|| word(other)).flatten(),
        };
        for (at, [name, theirs]) in OBJECT_MEMBERS.into_iter().enumerate() {
            if let Some(field) = out.values().field_builder::<StringBuilder>(at) {
                field.append_option(part(name).or_else(|| part(theirs)));
            }
        }
        out.values().append(true);
    }
    out.append(present);
}
