//! What decoders write to: the fields of one record, bounded, mostly without copying.

use crate::header::Columns;
use std::ops::Range;
use std::sync::Arc;
use yagura_event::batch::{Issue, Text};
use yagura_event::{
    ColumnId, EventBatch, FieldId, FieldTable, IssueCode, Scalar, Span, SpanFlags, SpanType,
};

/// Most fields taken from one record; the rest are only in `raw_data` and the event is
/// flagged `TooManyFields`. The widest Windows events have under 100.
pub const FIELDS_MAX: usize = 2_048;

/// Deepest nesting followed in JSON and XML; deeper values are flagged `TooManyFields`.
pub const NESTING_MAX: usize = 64;

/// Longest field name kept, in bytes; longer names are cut.
pub const NAME_BYTES_MAX: usize = 1_024;

/// Most issues noted for one record.
pub const ISSUES_MAX: usize = 16;

/// Words of 64 columns each that are told apart.
const COLUMN_WORDS: usize = 8;

/// Takes the fields of one record into an [`EventBatch`].
///
/// The record's bytes are in the arena already, so a value that stands verbatim in the
/// record costs no copy ([`Sink::plain`]).
#[derive(Debug)]
pub struct Sink<'b, 'r> {
    batch: &'b mut EventBatch,
    fields: &'b FieldTable,
    record: &'r [u8],
    raw: Text,
    /// Where all of it stands in the outer record, if that holds it in another encoding.
    within: Option<Text>,
    spans: usize,
    values: usize,
    issues: usize,
    lossy: bool,
    over: bool,
    columns: Option<Arc<Columns>>,
    /// Which columns may be set: a bit that is not set saves the search.
    set: [u64; COLUMN_WORDS],
    /// Whether fields of an envelope follow those of the record.
    pub(crate) enveloped: bool,
}

/// A point to return to with [`Sink::rollback`].
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    arena: usize,
    spans: usize,
    values: usize,
    issues: usize,
    over: bool,
}

impl<'b, 'r> Sink<'b, 'r> {
    /// Copies `record` into the batch's arena and begins with no fields.
    pub fn new(batch: &'b mut EventBatch, fields: &'b FieldTable, record: &'r [u8]) -> Self {
        let lossy = std::str::from_utf8(record).is_err();
        Self::of_text(batch, fields, record, lossy, lossy.then_some("not valid UTF-8"))
    }

    /// As [`Sink::new`] for a record whose charset is known: `lossy` if it is not UTF-8,
    /// `issue` if something was wrong with it.
    pub fn of_text(
        batch: &'b mut EventBatch,
        fields: &'b FieldTable,
        record: &'r [u8],
        lossy: bool,
        issue: Option<&str>,
    ) -> Self {
        let raw = batch.push_text(record);
        batch.firsts.begin(fields.len());
        let (spans, values) = (batch.spans.len(), batch.values.len());
        let issues = batch.issues.len();
        let mut sink = Self {
            batch,
            fields,
            record,
            raw,
            within: None,
            spans,
            values,
            issues,
            lossy,
            over: false,
            columns: None,
            set: [0; COLUMN_WORDS],
            enveloped: false,
        };
        if let Some(issue) = issue {
            sink.issue(IssueCode::Charset, issue);
        }
        sink
    }

    /// Sets the columns that the context's header lines name.
    pub fn set_columns(&mut self, columns: Option<Arc<Columns>>) {
        self.columns = columns;
    }

    /// The columns that the context's header lines name.
    pub fn columns(&self) -> Option<Arc<Columns>> {
        self.columns.clone()
    }

    /// A sink for a record that stands within this one. `text` is its place in the arena and
    /// `record` the same bytes; where these were decoded, `within` is what they were decoded
    /// from, and every field then points at all of that.
    pub(crate) fn inside<'s, 'i>(
        &'s mut self,
        record: &'i [u8],
        text: Text,
        within: Option<Text>,
    ) -> Sink<'s, 'i> {
        Sink {
            batch: self.batch,
            fields: self.fields,
            record,
            raw: text,
            within: within.or(self.within),
            spans: self.spans,
            values: self.values,
            issues: self.issues,
            lossy: false,
            over: self.over,
            columns: None,
            set: self.set,
            enveloped: false,
        }
    }

    /// The record's bytes.
    pub fn record(&self) -> &'r [u8] {
        self.record
    }

    /// The record in the arena.
    pub fn raw(&self) -> Text {
        self.raw
    }

    /// The table of interned names.
    pub fn fields(&self) -> &'b FieldTable {
        self.fields
    }

    /// A field whose value stands verbatim at `range` of the record. A range beyond the
    /// record is ignored.
    pub fn plain(&mut self, name: &[u8], range: Range<usize>, kind: SpanType) {
        self.plain_as(self.fields.get(cut(name)), name, range, kind);
    }

    /// As [`Sink::plain`] for a name whose `field` was looked up before.
    pub fn plain_as(&mut self, field: FieldId, name: &[u8], range: Range<usize>, kind: SpanType) {
        let Some(value) = self.record.get(range.clone()) else { return };
        if self.lossy && std::str::from_utf8(value).is_err() {
            let text = String::from_utf8_lossy(value).into_owned();
            self.decoded_as(field, name, text.as_bytes(), range, kind);
            return;
        }
        let raw = self.at(&range);
        self.push(field, name, raw, raw, kind, 0);
    }

    /// A field whose value had to be decoded from `range` of the record (escapes, entities);
    /// it is copied. Bytes that are not UTF-8 are replaced.
    pub fn decoded(&mut self, name: &[u8], value: &[u8], range: Range<usize>, kind: SpanType) {
        self.decoded_as(self.fields.get(cut(name)), name, value, range, kind);
    }

    /// As [`Sink::decoded`] for a name whose `field` was looked up before.
    pub fn decoded_as(
        &mut self,
        field: FieldId,
        name: &[u8],
        value: &[u8],
        range: Range<usize>,
        kind: SpanType,
    ) {
        if self.full() {
            return;
        }
        let value = match std::str::from_utf8(value) {
            Ok(_) => self.batch.push_text(value),
            Err(_) => self.batch.push_text(String::from_utf8_lossy(value).as_bytes()),
        };
        let raw = if range.end <= self.record.len() { self.at(&range) } else { Text::default() };
        self.push(field, name, value, raw, kind, 0);
    }

    /// A field that was derived (a severity from a priority), not read from the record.
    pub fn derived(&mut self, name: &[u8], value: &[u8]) {
        self.joined(name, &[value]);
    }

    /// A derived field whose value is `parts` one after the other.
    pub fn joined(&mut self, name: &[u8], parts: &[&[u8]]) {
        if self.full() {
            return;
        }
        let mut value = self.batch.push_text(b"");
        for part in parts {
            let text = match self.lossy && std::str::from_utf8(part).is_err() {
                true => self.batch.push_text(String::from_utf8_lossy(part).as_bytes()),
                false => self.batch.push_text(part),
            };
            value.len += text.len;
        }
        let field = self.fields.get(cut(name));
        self.push(field, name, value, Text::default(), SpanType::String, SpanFlags::DERIVED);
    }

    /// Notes what was wrong with the record.
    pub fn issue(&mut self, code: IssueCode, detail: &str) {
        if self.batch.issues.len() - self.issues >= ISSUES_MAX {
            return;
        }
        let detail = self.batch.push_text(detail.as_bytes());
        self.batch.issues.push(Issue { code, detail });
    }

    /// Notes once that fields or nesting exceed the limits.
    pub fn too_many(&mut self) {
        if !self.over {
            self.over = true;
            self.issue(IssueCode::TooManyFields, "more fields or nesting than the limit");
        }
    }

    /// Whether the record has reached [`FIELDS_MAX`]; notes it.
    pub fn full(&mut self) -> bool {
        let full = self.batch.spans.len() - self.spans >= FIELDS_MAX;
        if full {
            self.too_many();
        }
        full
    }

    /// The fields so far.
    pub fn spans(&self) -> &[Span] {
        self.batch.spans.get(self.spans..).unwrap_or_default()
    }

    /// The fields of a name that is interned, in order, with their places.
    pub fn named(&self, id: FieldId) -> impl Iterator<Item = (usize, &Span)> + Clone {
        let spans = self.spans();
        let (first, end) = match self.batch.firsts.find(id, spans) {
            None => (0, 0),
            Some((first, true)) => (first, spans.len()),
            Some((first, false)) => (first, first + 1),
        };
        let range = spans.get(first..end).unwrap_or_default();
        range
            .iter()
            .enumerate()
            .filter(move |(_, s)| s.field == id)
            .map(move |(at, s)| (first + at, s))
    }

    /// The place of the first field of a name that is interned, at or behind `from`.
    pub fn named_from(&self, id: FieldId, from: usize) -> Option<usize> {
        let (first, more) = self.batch.firsts.find(id, self.spans())?;
        if from <= first {
            return Some(first);
        }
        let rest = self.spans().get(from..).filter(|_| more)?;
        rest.iter().position(|span| span.field == id).map(|at| from + at)
    }

    /// The place of the first field of a name that is interned.
    pub fn first(&self, id: FieldId) -> Option<usize> {
        self.batch.firsts.find(id, self.spans()).map(|(first, _)| first)
    }

    /// The text of a span's value.
    pub fn value(&self, span: &Span) -> &[u8] {
        self.batch.bytes(span.value)
    }

    /// The value of the first field of a name, which need not be interned.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let id = self.fields.get(name);
        if id != FieldId::UNKNOWN {
            return self.named(id).next().map(|(_, span)| self.batch.bytes(span.value));
        }
        let unknown = |span: &&Span| span.field == id && self.batch.bytes(span.name) == name;
        self.spans().iter().find(unknown).map(|span| self.batch.bytes(span.value))
    }

    /// A point to return to if the record turns out to be another source's.
    pub fn mark(&self) -> Mark {
        Mark {
            arena: self.batch.arena.len(),
            spans: self.batch.spans.len(),
            values: self.batch.values.len(),
            issues: self.batch.issues.len(),
            over: self.over,
        }
    }

    /// Forgets what was written since `mark`.
    pub fn rollback(&mut self, mark: Mark) {
        self.batch.arena.truncate(mark.arena);
        self.batch.spans.truncate(mark.spans);
        self.batch.values.truncate(mark.values);
        self.batch.issues.truncate(mark.issues);
        self.over = mark.over;
    }

    /// Copies text for a column's value.
    pub fn text(&mut self, bytes: &[u8]) -> Text {
        self.batch.push_text(bytes)
    }

    /// The bytes of a text.
    pub fn bytes(&self, text: Text) -> &[u8] {
        self.batch.bytes(text)
    }

    /// Sets a column unless it is set already.
    pub fn column(&mut self, column: ColumnId, value: Scalar) {
        if self.get_column(column).is_none() {
            let (word, bit) = bit_of(column);
            self.set[word] |= bit;
            self.batch.values.push((column, value));
        }
    }

    /// A column's value so far.
    pub fn get_column(&self, column: ColumnId) -> Option<Scalar> {
        let (word, bit) = bit_of(column);
        if self.set[word] & bit == 0 {
            return None;
        }
        let values = self.batch.values.get(self.values..).unwrap_or_default();
        values.iter().find(|(id, _)| *id == column).map(|(_, value)| *value)
    }

    pub(crate) fn batch(&mut self) -> &mut EventBatch {
        self.batch
    }

    pub(crate) fn span_at(&mut self, index: usize) -> Option<&mut Span> {
        self.batch.spans.get_mut(self.spans + index)
    }

    /// Adds a span of known parts, such as an alias of another.
    pub(crate) fn push_span(&mut self, span: Span) {
        if !self.full() {
            self.add(span);
        }
    }

    /// Takes away the spans since `mark`, whose texts stay in the arena.
    pub(crate) fn take_spans(&mut self, mark: Mark) -> Vec<Span> {
        self.batch.spans.split_off(mark.spans.min(self.batch.spans.len()))
    }

    /// The spans since `mark`.
    pub(crate) fn since(&self, mark: Mark) -> &[Span] {
        self.batch.spans.get(mark.spans..).unwrap_or_default()
    }

    /// The part of the record that `text` is, if the record stands in the arena as it is.
    pub(crate) fn verbatim(&self, text: Text) -> Option<&'r [u8]> {
        let start = text.off.checked_sub(self.raw.off)? as usize;
        self.record.get(start..start + text.len as usize)
    }

    /// The name of a span.
    pub(crate) fn name(&self, span: &Span) -> &[u8] {
        match span.field {
            FieldId::UNKNOWN => self.batch.bytes(span.name),
            field => self.fields.name(field).as_bytes(),
        }
    }

    /// Gives the span at `index` another name.
    pub(crate) fn rename(&mut self, index: usize, name: &[u8]) {
        let field = self.fields.get(name);
        let text =
            if field == FieldId::UNKNOWN { self.batch.push_text(name) } else { Text::default() };
        let Some(span) = self.span_at(index) else { return };
        let old = std::mem::replace(&mut span.field, field);
        span.name = text;
        let EventBatch { spans, firsts, .. } = &mut *self.batch;
        firsts.renamed(old, index, spans.get(self.spans..).unwrap_or_default());
    }

    pub(crate) fn starts(&self) -> (usize, usize, usize) {
        (self.spans, self.values, self.issues)
    }

    fn at(&self, range: &Range<usize>) -> Text {
        let (off, len) = (range.start as u32, range.len() as u32);
        Text { off: self.raw.off + off.min(self.raw.len), len: len.min(self.raw.len) }
    }

    /// Copies a name that is not interned: whole characters within the limit, and bytes that
    /// are not UTF-8 replaced, as in values.
    fn copied_name(&mut self, name: &[u8]) -> Text {
        let (mut end, cut) = (name.len().min(NAME_BYTES_MAX), name.len() > NAME_BYTES_MAX);
        // A character has at most three bytes behind its first.
        while cut && end > NAME_BYTES_MAX - 4 && name[end] & 0xc0 == 0x80 {
            end -= 1;
        }
        match std::str::from_utf8(&name[..end]) {
            Ok(name) => self.batch.push_text(name.as_bytes()),
            Err(_) => self.batch.push_text(String::from_utf8_lossy(&name[..end]).as_bytes()),
        }
    }

    fn push(
        &mut self,
        field: FieldId,
        name: &[u8],
        value: Text,
        raw: Text,
        kind: SpanType,
        flags: u8,
    ) {
        if self.full() {
            return;
        }
        let name = match field {
            FieldId::UNKNOWN => self.copied_name(name),
            _ => Text::default(),
        };
        // What was derived came from nowhere in the record.
        let raw = self.within.filter(|_| raw.len > 0).unwrap_or(raw);
        self.add(Span { field, name, value, raw, kind, flags: SpanFlags(flags) });
    }

    fn add(&mut self, span: Span) {
        let EventBatch { spans, firsts, .. } = &mut *self.batch;
        firsts.note(span.field, spans.get(self.spans..).unwrap_or_default());
        spans.push(span);
    }
}

/// The word and bit of a column; columns beyond the last word share it.
fn bit_of(column: ColumnId) -> (usize, u64) {
    (usize::from(column.0 / 64).min(COLUMN_WORDS - 1), 1 << (column.0 % 64))
}

/// A name within its limit.
fn cut(name: &[u8]) -> &[u8] {
    name.get(..NAME_BYTES_MAX).unwrap_or(name)
}
