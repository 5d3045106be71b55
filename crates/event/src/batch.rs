//! `EventBatch`: what parsing yields, an arena of bytes and typed spans over it.
//!
//! Per event there are three ranges: `spans` (the source's own fields, against which Sigma
//! matches), `values` (the OCSF columns) and `relations`. All text is an (offset, length)
//! into one arena; a span also points back into the raw record, for showing where a value
//! came from.

use crate::class::ClassUid;
use crate::column::ColumnId;
use crate::context::Context;
use crate::field::{FieldId, FieldTable};
use crate::firsts::Firsts;
use crate::id::{EventId, Lsn};
use crate::logsource::LogsourceId;
use crate::observable::{Observable, ObservableKind, Relation, RelationKind};
use crate::time::Micros;
use std::ops::Range;
use std::sync::Arc;

/// A slice of the arena.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Text {
    /// First byte.
    pub off: u32,
    /// Bytes.
    pub len: u32,
}

/// What type the source gave a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpanType {
    /// Text.
    String,
    /// A number, as written.
    Number,
    /// `true` or `false`, as written.
    Bool,
    /// JSON `null` or the format's "unset"; the text is empty.
    Null,
}

/// Marks on a span.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SpanFlags(pub u8);

impl SpanFlags {
    /// An OCSF attribute holds the value, so `unmapped` does not repeat it.
    pub const MAPPED: u8 = 1;
    /// The value under a second name (a Sigma alias); not a field of the source's own.
    pub const ALIAS: u8 = 2;
    /// The value was derived (a host from the feed's path), not read from the record.
    pub const DERIVED: u8 = 4;

    /// Whether `flag` is set.
    pub fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }
}

/// One field of one event. A name may occur several times (arrays): any of them may match.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Interned name, or [`FieldId::UNKNOWN`] with the text in `name`.
    pub field: FieldId,
    /// The name's text where it is not interned.
    pub name: Text,
    /// The decoded value.
    pub value: Text,
    /// Where the value stands in the event's raw record, undecoded; length 0 if it does not.
    pub raw: Text,
    /// The source's type.
    pub kind: SpanType,
    /// Marks.
    pub flags: SpanFlags,
}

impl Span {
    /// Whether the value stands in no column, so that tables keep it among what is not mapped.
    pub fn is_unmapped(&self) -> bool {
        !self.flags.has(SpanFlags::MAPPED) && !self.flags.has(SpanFlags::ALIAS)
    }
}

/// A column's value.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Scalar {
    /// Text in the arena.
    Text(Text),
    /// Integer, also a time in microseconds.
    I64(i64),
    /// Floating point.
    F64(f64),
    /// Truth value.
    Bool(bool),
    /// A JSON array of objects or strings in the arena, for list columns.
    Json(Text),
}

/// A tie between two observables, unresolved.
#[derive(Clone, Copy, Debug)]
pub struct RelationSpan {
    /// How they are tied.
    pub kind: RelationKind,
    /// Kind and text of the first.
    pub from: (ObservableKind, Text),
    /// Kind and text of the second.
    pub to: (ObservableKind, Text),
}

/// What was wrong with a record; it is stored all the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum IssueCode {
    /// No source recognised the record.
    Unrecognised,
    /// The source's decoder could not read it.
    Malformed,
    /// A value did not convert to its attribute's type; it is in `unmapped`.
    Conversion,
    /// No time could be read; the received time is used.
    NoTime,
    /// A time was clamped or corrected; the original is in `unmapped`.
    TimeCorrected,
    /// The record was cut at the length limit.
    Truncated,
    /// The record is not in its context's charset; `raw_bytes` keeps it.
    Charset,
    /// More fields, or deeper nesting, than the limit; the rest is only in `raw_data`.
    TooManyFields,
    /// The process died twice at this record; it was not parsed.
    Poison,
}

impl IssueCode {
    /// The stable word shown in `status_detail`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unrecognised => "unrecognised",
            Self::Malformed => "malformed",
            Self::Conversion => "conversion",
            Self::NoTime => "no_time",
            Self::TimeCorrected => "time_corrected",
            Self::Truncated => "truncated",
            Self::Charset => "charset",
            Self::TooManyFields => "too_many_fields",
            Self::Poison => "poison",
        }
    }
}

/// One issue of one event.
#[derive(Clone, Copy, Debug)]
pub struct Issue {
    /// What kind.
    pub code: IssueCode,
    /// Words for a person, in the arena; may be empty.
    pub detail: Text,
}

/// One normalised record.
#[derive(Clone, Debug)]
pub struct Event {
    /// Sortable id.
    pub id: EventId,
    /// Index into the batch's `contexts`.
    pub context: u32,
    /// Event time.
    pub time: Micros,
    /// When the record was received.
    pub received_time: Micros,
    /// OCSF class; 0 is the Base Event.
    pub class: ClassUid,
    /// Index of the source in the loaded set, or `u16::MAX` where none recognised the record.
    pub source: u16,
    /// What the source says about Sigma's logsource.
    pub logsource: LogsourceId,
    /// The record's text: its bytes as received, or decoded from the context's charset.
    pub raw: Text,
    /// The record's bytes as received, where `raw` was decoded and is not them; else empty.
    pub original: Text,
    /// The source's own fields, in `EventBatch::spans`.
    pub spans: Range<u32>,
    /// OCSF columns, in `EventBatch::values`.
    pub values: Range<u32>,
    /// Ties, in `EventBatch::relations`.
    pub relations: Range<u32>,
    /// Issues, in `EventBatch::issues`.
    pub issues: Range<u32>,
    /// Stream of the record (order is kept within a stream).
    pub stream: u64,
    /// Batch of the record; 0 is live.
    pub batch: u64,
}

/// Many events over one arena.
#[derive(Clone, Debug, Default)]
pub struct EventBatch {
    /// All text.
    pub arena: Vec<u8>,
    /// Contexts of the events.
    pub contexts: Vec<Arc<Context>>,
    /// The events, in record order.
    pub events: Vec<Event>,
    /// Fields of all events.
    pub spans: Vec<Span>,
    /// Columns of all events.
    pub values: Vec<(ColumnId, Scalar)>,
    /// Ties of all events.
    pub relations: Vec<RelationSpan>,
    /// Issues of all events.
    pub issues: Vec<Issue>,
    /// Working memory of whoever fills the batch.
    pub firsts: Firsts,
}

impl EventBatch {
    /// Copies bytes into the arena. The caller keeps a batch under 4 GiB; beyond that the
    /// text comes back empty.
    pub fn push_text(&mut self, bytes: &[u8]) -> Text {
        let Ok(off) = u32::try_from(self.arena.len()) else { return Text::default() };
        let Ok(len) = u32::try_from(bytes.len()) else { return Text::default() };
        if off.checked_add(len).is_none() {
            return Text::default();
        }
        self.arena.extend_from_slice(bytes);
        Text { off, len }
    }

    /// The bytes of a text; empty if out of range.
    pub fn bytes(&self, text: Text) -> &[u8] {
        let start = text.off as usize;
        self.arena.get(start..start + text.len as usize).unwrap_or_default()
    }

    /// The index of `context` in this batch, adding it if it is not the last one used.
    pub fn push_context(&mut self, context: &Arc<Context>) -> u32 {
        if let Some(at) = self.contexts.iter().rposition(|known| Arc::ptr_eq(known, context)) {
            return at as u32;
        }
        self.contexts.push(Arc::clone(context));
        (self.contexts.len() - 1) as u32
    }

    /// Event `index` with access to its parts; `None` if out of range.
    pub fn event(&self, index: usize) -> Option<EventRef<'_>> {
        self.events.get(index).map(|event| EventRef { batch: self, event })
    }

    /// Every event with access to its parts.
    pub fn iter(&self) -> impl Iterator<Item = EventRef<'_>> {
        self.events.iter().map(|event| EventRef { batch: self, event })
    }

    /// A tie, normalised; `None` where an end names nothing or both are one.
    pub fn relation(&self, span: &RelationSpan) -> Option<Relation> {
        let resolve = |(kind, text): (ObservableKind, Text)| {
            Observable::new(kind, std::str::from_utf8(self.bytes(text)).ok()?)
        };
        let (from, to) = (resolve(span.from)?, resolve(span.to)?);
        (from != to).then_some(Relation { kind: span.kind, from, to })
    }

    /// Forgets the content and keeps the memory.
    pub fn clear(&mut self) {
        self.arena.clear();
        self.contexts.clear();
        self.events.clear();
        self.spans.clear();
        self.values.clear();
        self.relations.clear();
        self.issues.clear();
    }

    /// Takes out what tables and queries are made of, in memory of just that size, and forgets the
    /// rest: fields that stand in columns and ties, which are of use until events are matched.
    pub fn take_settled(&mut self) -> Self {
        let mut spans =
            Vec::with_capacity(self.spans.iter().filter(|span| span.is_unmapped()).count());
        let mut settle = |event: &Event| {
            let from = spans.len() as u32;
            let all = slice(&self.spans, &event.spans);
            spans.extend(all.iter().filter(|span| span.is_unmapped()));
            Event { spans: from..spans.len() as u32, relations: 0..0, ..event.clone() }
        };
        let events = self.events.iter().map(&mut settle).collect();
        let settled = Self {
            arena: self.arena.as_slice().to_vec(),
            contexts: std::mem::take(&mut self.contexts),
            events,
            spans,
            values: self.values.as_slice().to_vec(),
            relations: Vec::new(),
            issues: self.issues.as_slice().to_vec(),
            firsts: Firsts::default(),
        };
        self.clear();
        settled
    }

    /// Bytes of memory in use, for the memory ledger.
    pub fn memory_bytes(&self) -> usize {
        self.arena.capacity()
            + self.events.capacity() * size_of::<Event>()
            + self.spans.capacity() * size_of::<Span>()
            + self.values.capacity() * size_of::<(ColumnId, Scalar)>()
            + self.relations.capacity() * size_of::<RelationSpan>()
    }
}

/// One event together with its batch.
#[derive(Clone, Copy, Debug)]
pub struct EventRef<'a> {
    batch: &'a EventBatch,
    event: &'a Event,
}

impl<'a> EventRef<'a> {
    /// The event's own record.
    pub fn event(&self) -> &'a Event {
        self.event
    }

    /// The batch that holds it.
    pub fn batch(&self) -> &'a EventBatch {
        self.batch
    }

    /// The context it was read in.
    pub fn context(&self) -> &'a Context {
        &self.batch.contexts[self.event.context as usize]
    }

    /// The journal position in its id.
    pub fn lsn(&self) -> Lsn {
        self.event.id.lsn()
    }

    /// The record's text: its bytes as received, or decoded from the context's charset.
    pub fn raw(&self) -> &'a [u8] {
        self.batch.bytes(self.event.raw)
    }

    /// The record's bytes as received.
    pub fn original(&self) -> &'a [u8] {
        match self.batch.bytes(self.event.original) {
            [] => self.raw(),
            bytes => bytes,
        }
    }

    /// The record's bytes as received where `raw_data`, which is UTF-8, is not them: it was
    /// decoded from another charset, or bytes in it had to be replaced.
    pub fn raw_bytes(&self) -> Option<&'a [u8]> {
        let decoded = self.event.original.len > 0 || std::str::from_utf8(self.raw()).is_err();
        decoded.then(|| self.original())
    }

    /// The source's own fields and their aliases.
    pub fn spans(&self) -> &'a [Span] {
        slice(&self.batch.spans, &self.event.spans)
    }

    /// The decoded value of a span.
    pub fn span_value(&self, span: &Span) -> &'a [u8] {
        self.batch.bytes(span.value)
    }

    /// The name of a span.
    pub fn span_name<'t>(&self, span: &Span, fields: &'t FieldTable) -> &'t [u8]
    where
        'a: 't,
    {
        if span.field == FieldId::UNKNOWN {
            self.batch.bytes(span.name)
        } else {
            fields.name(span.field).as_bytes()
        }
    }

    /// The values of a field by interned name (several for arrays).
    pub fn field(&self, field: FieldId) -> impl Iterator<Item = (&'a Span, &'a [u8])> {
        let batch = self.batch;
        self.spans()
            .iter()
            .filter(move |span| span.field == field)
            .map(move |span| (span, batch.bytes(span.value)))
    }

    /// The columns and their values.
    pub fn values(&self) -> &'a [(ColumnId, Scalar)] {
        slice(&self.batch.values, &self.event.values)
    }

    /// The value of one column.
    pub fn column(&self, column: ColumnId) -> Option<Scalar> {
        self.values().iter().find(|(id, _)| *id == column).map(|(_, value)| *value)
    }

    /// The text of one text column, valid UTF-8 only.
    pub fn column_text(&self, column: ColumnId) -> Option<&'a str> {
        match self.column(column)? {
            Scalar::Text(text) => std::str::from_utf8(self.batch.bytes(text)).ok(),
            _ => None,
        }
    }

    /// The issues.
    pub fn issues(&self) -> &'a [Issue] {
        slice(&self.batch.issues, &self.event.issues)
    }

    /// The ties as the source states them.
    pub fn relation_spans(&self) -> &'a [RelationSpan] {
        slice(&self.batch.relations, &self.event.relations)
    }

    /// The ties, normalised; those whose ends name nothing are left out.
    pub fn relations(&self) -> impl Iterator<Item = Relation> {
        let batch = self.batch;
        self.relation_spans().iter().filter_map(move |span| batch.relation(span))
    }

    /// The observables in the columns, normalised, without repeats, with their column.
    pub fn observables(&self) -> Vec<(ColumnId, Observable)> {
        let mut found: Vec<(ColumnId, Observable)> = Vec::new();
        for (id, value) in self.values() {
            let Some(kind) = id.column().observable else { continue };
            let Scalar::Text(text) = value else { continue };
            let Ok(text) = std::str::from_utf8(self.batch.bytes(*text)) else { continue };
            if let Some(observable) = Observable::new(kind, text)
                && !found.iter().any(|(column, known)| column == id && *known == observable)
            {
                found.push((*id, observable));
            }
        }
        found
    }
}

/// The part an observable in `column` plays.
pub fn role_of(column: ColumnId) -> crate::finding::Role {
    use crate::finding::Role;
    let path = column.column().path;
    match path.split('.').next().unwrap_or(path) {
        "device" => Role::Device,
        "actor" => Role::Actor,
        "user" => Role::Target,
        "src_endpoint" => Role::Source,
        "dst_endpoint" => Role::Destination,
        _ => Role::Object,
    }
}

fn slice<'a, T>(all: &'a [T], range: &Range<u32>) -> &'a [T] {
    all.get(range.start as usize..range.end as usize).unwrap_or_default()
}
