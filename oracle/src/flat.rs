//! An event as names and values: what both engines are given.

use serde_json::{Map, Number, Value};
use std::sync::Arc;
use yagura_event::batch::Text;
use yagura_event::{
    ClassUid, Context, Event, EventBatch, EventId, EventRef, FieldId, FieldTable, LogsourceId,
    Reference, SourceChoice, Span, SpanFlags, SpanType,
};

/// Key of the raw record in the oracle's event; no source gives a field such a name.
pub const RAW_KEY: &str = "\u{1}raw";

/// Key of the texts of numbers and truth values: keywords look at every value as text.
const TEXTS_KEY: &str = "\u{1}texts";

/// One value of a field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    /// The source's name, or the Sigma alias.
    pub name: String,
    /// The source's type.
    pub kind: SpanType,
    /// The decoded value; empty for null.
    pub text: String,
    /// Whether a source or rule knows the name. Of such names alone is the case ignored.
    pub known: bool,
}

/// An event apart from its batch. A name may occur several times (arrays).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flat {
    /// The record as received; bytes that are not UTF-8 are replaced.
    pub raw: String,
    /// Its logsource.
    pub logsource: LogsourceId,
    /// Its class.
    pub class: ClassUid,
    /// Its fields, in the order of the record.
    pub fields: Vec<Field>,
}

impl Flat {
    /// The fields of a parsed event.
    pub fn of(event: &EventRef<'_>, fields: &FieldTable) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let all = event.spans().iter().map(|span| Field {
            name: text(event.span_name(span, fields)),
            kind: span.kind,
            text: text(event.span_value(span)),
            known: span.field != FieldId::UNKNOWN,
        });
        Self {
            raw: text(event.raw()),
            logsource: event.event().logsource,
            class: event.event().class,
            fields: all.collect(),
        }
    }

    /// Every value of the field of exactly this name.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Field> {
        self.fields.iter().filter(move |field| field.name == name)
    }

    /// As `rsigma-eval` takes events: numbers as numbers, null as null, several values of a
    /// name as an array, the raw record beside them.
    pub fn json(&self) -> Value {
        let mut object = Map::with_capacity(self.fields.len() + 2);
        let mut texts = Vec::new();
        for field in &self.fields {
            if matches!(field.kind, SpanType::Number | SpanType::Bool) {
                texts.push(Value::String(field.text.clone()));
            }
            let value = field.value();
            match object.get_mut(&field.name) {
                None => {
                    object.insert(field.name.clone(), value);
                }
                Some(Value::Array(all)) => all.push(value),
                Some(first) => *first = Value::Array(vec![first.take(), value]),
            }
        }
        object.insert(RAW_KEY.to_owned(), Value::String(self.raw.clone()));
        if !texts.is_empty() {
            object.insert(TEXTS_KEY.to_owned(), Value::Array(texts));
        }
        Value::Object(object)
    }

    /// As our matcher takes events: a batch of one.
    pub fn batch(&self, fields: &FieldTable) -> EventBatch {
        let mut batch = EventBatch::default();
        let context = Context::new("default", "oracle", SourceChoice::Auto, Reference::Received);
        batch.push_context(&Arc::new(context));
        let raw = batch.push_text(self.raw.as_bytes());
        for field in &self.fields {
            let id = fields.get(field.name.as_bytes());
            let unknown = id == FieldId::UNKNOWN;
            let name =
                if unknown { batch.push_text(field.name.as_bytes()) } else { Text::default() };
            let value = batch.push_text(field.text.as_bytes());
            batch.spans.push(Span {
                field: id,
                name,
                value,
                raw: Text::default(),
                kind: field.kind,
                flags: SpanFlags::default(),
            });
        }
        batch.events.push(Event {
            id: EventId::content(1, 1),
            context: 0,
            time: 0,
            received_time: 0,
            class: self.class,
            source: 0,
            logsource: self.logsource,
            raw,
            original: Default::default(),
            spans: 0..self.fields.len() as u32,
            values: 0..0,
            relations: 0..0,
            issues: 0..0,
            stream: 0,
            batch: 0,
        });
        batch
    }
}

impl Field {
    /// A field with text.
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), kind: SpanType::String, text: text.into(), known: true }
    }

    /// The value as JSON. A number that JSON cannot hold stays text.
    fn value(&self) -> Value {
        let text = || Value::String(self.text.clone());
        match self.kind {
            SpanType::String => text(),
            SpanType::Null => Value::Null,
            SpanType::Number => {
                serde_json::from_str::<Number>(&self.text).map_or_else(|_| text(), Value::Number)
            }
            SpanType::Bool => match self.text.to_ascii_lowercase().as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => text(),
            },
        }
    }
}
