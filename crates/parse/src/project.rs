//! From a source's fields to OCSF columns, Sigma aliases, ties and time.

use crate::convert::{Convert, Value, answer_list};
use crate::decode::syslog::STAMP_FORMATS;
use crate::def::{AliasDef, Constant, End, EventDef, MapDef, RelateDef, Source, Target, TimeDef};
use crate::sink::Sink;
use crate::time::{Format, Stamp, Zone};
use crate::{enums, envelope};
use std::sync::LazyLock;
use yagura_event::batch::{RelationSpan, Text};
use yagura_event::column::ColumnType;
use yagura_event::time::DAY;
use yagura_event::{
    ColumnId, Context, FieldId, IssueCode, ObservableKind, Scalar, Span, SpanFlags, SpanType,
};

/// Most values of one end of a tie that are followed (DNS answers, hosts of a file).
const ENDS_MAX: usize = 32;

/// Longest time whose parts are several fields, in bytes; no format comes near it.
const STAMP_BYTES_MAX: usize = 96;

static SYSLOG_FORMATS: LazyLock<Vec<Format>> =
    LazyLock::new(|| STAMP_FORMATS.iter().filter_map(|text| Format::parse(text).ok()).collect());

/// One record's projection through its source's definition.
#[derive(Clone, Copy)]
pub struct Projection<'a> {
    /// Interned ids by definition name.
    pub ids: &'a [FieldId],
    /// The source.
    pub source: &'a Source,
    /// What stamps are resolved against.
    pub zone: Zone<'a>,
}

impl Projection<'_> {
    /// Fills columns, aliases and ties; returns the time, if one could be read.
    pub fn run(
        &self,
        sink: &mut Sink<'_, '_>,
        event: &EventDef,
        context: &Context,
    ) -> Option<Stamp> {
        let fields = sink.spans().len();
        for entry in &event.map {
            self.map(sink, entry, fields);
        }
        for entry in event.map.iter().filter(|entry| !entry.caption && entry.values.is_some()) {
            caption(sink, &entry.target);
        }
        for (column, value) in &event.set {
            if sink.get_column(*column).is_none() {
                let scalar = match value {
                    Constant::Text(text) => Scalar::Text(sink.text(text.as_bytes())),
                    Constant::I64(number) => Scalar::I64(*number),
                    Constant::Bool(truth) => Scalar::Bool(*truth),
                };
                sink.column(*column, scalar);
            }
        }
        let time = self.time(sink, event.time.as_ref());
        self.host(sink, event, context);
        if event.context_user
            && let Some(user) = &context.user
        {
            self.feed_value(sink, ColumnId::ACTOR_USER_NAME, b"user", user);
        }
        for alias in &event.sigma {
            self.alias(sink, alias, fields);
        }
        for relation in &event.relate {
            self.relate(sink, relation);
        }
        time
    }

    /// Reads the time from the definition's fields, else from the syslog header.
    pub fn time(&self, sink: &mut Sink<'_, '_>, def: Option<&TimeDef>) -> Option<Stamp> {
        if let Some(def) = def.filter(|def| def.join) {
            if let Some(stamp) = self.joined(sink, def) {
                return Some(stamp);
            }
        } else if let Some(def) = def {
            for name in &def.fields {
                // A name may occur again: a JSON document below a syslog header of that name.
                let last = def.fields.last() == Some(name);
                let mut from = 0;
                while let Some(at) = sink.named_from(self.id(*name), from) {
                    if let Some(stamp) = self.stamp(sink, at, &def.formats, last) {
                        return Some(stamp);
                    }
                    from = at + 1;
                }
            }
        }
        let id = sink.fields().get(b"timestamp");
        let at = sink.first(id)?;
        if !self.source.syslog {
            return None;
        }
        self.stamp(sink, at, &SYSLOG_FORMATS, true)
    }

    /// A time whose parts (date, time, zone) are fields of their own.
    fn joined(&self, sink: &mut Sink<'_, '_>, def: &TimeDef) -> Option<Stamp> {
        let mut text = [0u8; STAMP_BYTES_MAX];
        let mut length = 0;
        for name in &def.fields {
            let Some(at) = self.position(sink, *name, usize::MAX) else { continue };
            let value = sink.value(sink.spans().get(at)?);
            if value.is_empty() {
                continue;
            }
            let start = length + usize::from(length > 0);
            let end = start + value.len();
            text.get_mut(start..end)?.copy_from_slice(value);
            if length > 0 {
                text[length] = b' ';
            }
            length = end;
        }
        let text = text.get(..length)?;
        let stamp = def.formats.iter().find_map(|format| format.read(text, &self.zone))?;
        let original = sink.text(text);
        sink.column(ColumnId::METADATA_ORIGINAL_TIME, Scalar::Text(original));
        for name in &def.fields {
            if let Some(at) = self.position(sink, *name, usize::MAX) {
                mark(sink, at, SpanFlags::MAPPED);
            }
        }
        Some(stamp)
    }

    /// Reads one stamp. A time at the very beginning of 1970 says that there is none, and
    /// counts only where no other field is `last`.
    fn stamp(
        &self,
        sink: &mut Sink<'_, '_>,
        at: usize,
        formats: &[Format],
        last: bool,
    ) -> Option<Stamp> {
        let span = *sink.spans().get(at)?;
        let value = sink.value(&span);
        let stamp = formats.iter().find_map(|format| format.read(value, &self.zone))?;
        if !last && stamp.time.abs() < DAY {
            return None;
        }
        if span.kind == SpanType::String {
            sink.column(ColumnId::METADATA_ORIGINAL_TIME, Scalar::Text(span.value));
        }
        mark(sink, at, SpanFlags::MAPPED);
        Some(stamp)
    }

    fn map(&self, sink: &mut Sink<'_, '_>, entry: &MapDef, fields: usize) {
        if let Target::Column(column) = entry.target
            && matches!(column.column().kind, ColumnType::Strings | ColumnType::Objects)
        {
            return self.list(sink, entry, column, fields);
        }
        if let (Target::Column(column), Convert::Sum) = (&entry.target, &entry.convert) {
            return self.sum(sink, &entry.fields, *column, fields);
        }
        let Some(at) = self.first_set(sink, &entry.fields, fields) else { return };
        let Some(span) = sink.spans().get(at).copied() else { return };
        let done = match &entry.target {
            Target::Parts(columns) => self.parts(sink, entry, columns, span),
            Target::Column(column) => match &entry.values {
                Some(_) => Some(enumerated(sink, entry, *column, span)),
                None => self.column(sink, entry, *column, span),
            },
        };
        match done {
            Some(true) => mark(sink, at, SpanFlags::MAPPED),
            Some(false) => {}
            None if entry.convert.lenient() => {}
            None => {
                let name = self.words(sink, &span);
                sink.issue(IssueCode::Conversion, &name);
            }
        }
    }

    /// One column; whether `unmapped` need not repeat the value, `None` if it did not convert.
    fn column(
        &self,
        sink: &mut Sink<'_, '_>,
        entry: &MapDef,
        column: ColumnId,
        span: Span,
    ) -> Option<bool> {
        // A column that holds this very value already holds all of it.
        let taken = match sink.get_column(column) {
            Some(Scalar::Text(text)) => sink.bytes(text) != sink.bytes(span.value),
            other => other.is_some(),
        };
        let scalar = {
            let value = sink.bytes(span.value);
            let converted = entry.convert.apply(value, &self.zone)?;
            located(converted, value, span.value)
        };
        let scalar = scalar.place(sink);
        sink.column(column, scalar);
        if let (Some(number), Scalar::Text(text)) = (entry.number, scalar) {
            let caption = std::str::from_utf8(sink.bytes(text)).unwrap_or_default();
            let known = enums::id_of(number, &yagura_event::class::CLASSES[0], caption);
            if let Some(id) = known {
                sink.column(number, Scalar::I64(id));
            }
        }
        Some(entry.convert.keeps() && !taken)
    }

    fn parts(
        &self,
        sink: &mut Sink<'_, '_>,
        entry: &MapDef,
        columns: &[Option<ColumnId>],
        span: Span,
    ) -> Option<bool> {
        let found = {
            let value = sink.bytes(span.value);
            let parts = entry.convert.split(value)?;
            parts.map(|part| part.map(|part| located(part, value, span.value)))
        };
        for (column, part) in columns.iter().zip(found) {
            if let (Some(column), Some(part)) = (column, part) {
                let scalar = part.place(sink);
                sink.column(*column, scalar);
            }
        }
        Some(entry.convert.keeps())
    }

    /// A total that the source gives in parts.
    fn sum(&self, sink: &mut Sink<'_, '_>, names: &[u32], column: ColumnId, fields: usize) {
        let number = |name: &u32| {
            let span = sink.spans().get(self.position(sink, *name, fields)?)?;
            crate::convert::integer(sink.value(span))
        };
        let total = names.iter().try_fold(0i64, |total, name| total.checked_add(number(name)?));
        if let Some(total) = total {
            sink.column(column, Scalar::I64(total));
        }
    }

    /// Every value of the first present field as one JSON array.
    fn list(&self, sink: &mut Sink<'_, '_>, entry: &MapDef, column: ColumnId, fields: usize) {
        let Some(first) = self.first_set(sink, &entry.fields, fields) else { return };
        let Some(id) = sink.spans().get(first).map(|span| span.field) else { return };
        let texts: Vec<_> = sink
            .spans()
            .iter()
            .take(fields)
            .filter(|span| span.field == id && span.kind != SpanType::Null)
            .map(|span| String::from_utf8_lossy(sink.value(span)).into_owned())
            .collect();
        let objects = |name: &str| {
            let object = |text: &String| serde_json::json!({ name: text });
            serde_json::Value::Array(texts.iter().map(object).collect())
        };
        let json = match entry.convert {
            Convert::DnsAnswers => answers(texts.iter().map(String::as_str)),
            Convert::DnsAnswerList => answers(texts.iter().flat_map(|text| answer_list(text))),
            Convert::Sans => objects("name"),
            _ => serde_json::json!(texts),
        };
        let text = sink.text(json.to_string().as_bytes());
        sink.column(column, Scalar::Json(text));
        if entry.convert.keeps() {
            for at in 0..fields {
                if sink.spans().get(at).is_some_and(|span| span.field == id) {
                    mark(sink, at, SpanFlags::MAPPED);
                }
            }
        }
    }

    fn host(&self, sink: &mut Sink<'_, '_>, event: &EventDef, context: &Context) {
        let column = if self.source.observer {
            ColumnId::OBSERVER_HOSTNAME
        } else {
            ColumnId::DEVICE_HOSTNAME
        };
        let fields = sink.spans().len();
        let mut at = self.first_set(sink, &event.host, fields);
        if at.is_none() && event.host.is_empty() && self.source.syslog {
            let id = sink.fields().get(b"hostname");
            at = sink.first(id);
        }
        if let Some(span) = at.and_then(|at| sink.spans().get(at).copied()) {
            if sink.get_column(column).is_none() {
                sink.column(column, Scalar::Text(span.value));
            }
            mark(sink, at.unwrap_or_default(), SpanFlags::MAPPED);
        } else if let Some(span) = envelope::host(sink).copied() {
            sink.column(column, Scalar::Text(span.value));
        } else if let Some(host) = &context.host {
            self.feed_value(sink, column, b"host", host);
        }
    }

    /// A column that the feed's path names, with a derived field beside it.
    fn feed_value(&self, sink: &mut Sink<'_, '_>, column: ColumnId, name: &[u8], value: &str) {
        if sink.get_column(column).is_some() || sink.full() {
            return;
        }
        sink.derived(name, value.as_bytes());
        let at = sink.spans().len() - 1;
        if let Some(span) = sink.spans().get(at).copied() {
            sink.column(column, Scalar::Text(span.value));
            mark(sink, at, SpanFlags::MAPPED);
        }
    }

    fn alias(&self, sink: &mut Sink<'_, '_>, alias: &AliasDef, fields: usize) {
        let Some(first) = alias.fields.iter().find_map(|name| self.position(sink, *name, fields))
        else {
            return;
        };
        let Some(id) = sink.spans().get(first).map(|span| span.field) else { return };
        let field = self.id(alias.name);
        let mut next = Some(first);
        while let Some(at) = next.filter(|at| *at < fields) {
            next = sink.named_from(id, at + 1);
            let Some(span) = sink.spans().get(at).copied() else { return };
            let part = {
                let value = sink.bytes(span.value);
                let Some(converted) = alias.convert.apply(value, &self.zone) else { continue };
                located(converted, value, span.value)
            };
            let mut flags = SpanFlags::ALIAS;
            let value = match part {
                Located::Text(text) => text,
                Located::Owned(bytes) => {
                    flags |= SpanFlags::DERIVED;
                    sink.text(&bytes)
                }
                Located::Scalar(Scalar::I64(number)) => {
                    flags |= SpanFlags::DERIVED;
                    sink.text(number.to_string().as_bytes())
                }
                Located::Scalar(_) => continue,
            };
            let flags = SpanFlags(flags);
            sink.push_span(Span { field, name: Text::default(), value, flags, ..span });
        }
    }

    /// Ties every value at one end with every one at the other.
    fn relate(&self, sink: &mut Sink<'_, '_>, relation: &RelateDef) {
        let (mut from_at, mut to_at) = (0, 0);
        while let Some(from) = self.end(sink, relation.from, from_at) {
            while let Some(to) = self.end(sink, relation.to, to_at) {
                let span = RelationSpan { kind: relation.kind, from, to };
                sink.batch().relations.push(span);
                to_at += 1;
            }
            (from_at, to_at) = (from_at + 1, 0);
        }
    }

    /// The value with this number at one end of a tie; there are at most [`ENDS_MAX`].
    fn end(&self, sink: &Sink<'_, '_>, end: End, at: usize) -> Option<(ObservableKind, Text)> {
        if at >= ENDS_MAX {
            return None;
        }
        match end {
            End::Column(column, kind) => match sink.get_column(column) {
                Some(Scalar::Text(text)) if at == 0 => Some((kind, text)),
                _ => None,
            },
            End::Field(name, kind) => sink
                .named(self.id(name))
                .filter(|(_, s)| s.value.len > 0 && !s.flags.has(SpanFlags::ALIAS))
                .nth(at)
                .map(|(_, span)| (kind, span.value)),
        }
    }

    /// The first of `names` that is there with a value other than empty, `-` and those that
    /// the source calls unset.
    fn first_set(&self, sink: &Sink<'_, '_>, names: &[u32], fields: usize) -> Option<usize> {
        names.iter().find_map(|name| {
            let set = |span: &Span| {
                let value = sink.value(span);
                !matches!(value, b"" | b"-")
                    && !self.source.unset.iter().any(|unset| unset.as_ref() == value)
            };
            // What the record itself says beats what was derived, such as a severity from the
            // priority of a syslog header.
            let mut derived = None;
            for (at, span) in sink.named(self.id(*name)).take_while(|(at, _)| *at < fields) {
                if !set(span) {
                    continue;
                }
                if !span.flags.has(SpanFlags::DERIVED) {
                    return Some(at);
                }
                derived.get_or_insert(at);
            }
            derived
        })
    }

    fn position(&self, sink: &Sink<'_, '_>, name: u32, fields: usize) -> Option<usize> {
        sink.first(self.id(name)).filter(|at| *at < fields)
    }

    fn id(&self, name: u32) -> FieldId {
        self.ids.get(name as usize).copied().unwrap_or(FieldId(u32::MAX - 1))
    }

    fn words(&self, sink: &Sink<'_, '_>, span: &Span) -> String {
        let name = sink.fields().name(span.field);
        let value = sink.value(span);
        let shown = String::from_utf8_lossy(value.get(..64).unwrap_or(value)).into_owned();
        format!("`{name}` is `{shown}`")
    }
}

/// A column by the definition's table of values. Whether `unmapped` need not repeat it.
fn enumerated(sink: &mut Sink<'_, '_>, entry: &MapDef, column: ColumnId, span: Span) -> bool {
    let Some(values) = &entry.values else { return false };
    let value = sink.bytes(span.value);
    let listed = values.get(value).copied();
    let id = listed.or_else(|| values.get(&b"*"[..]).copied());
    if let Some(number) = entry.number {
        // A text column keeps the source's word; 99 is OCSF's Other.
        let taken = sink.get_column(column).is_some();
        sink.column(column, Scalar::Text(span.value));
        sink.column(number, Scalar::I64(id.unwrap_or(99)));
        return !taken;
    }
    let Some(id) = id else { return false };
    sink.column(column, Scalar::I64(id));
    if entry.caption {
        caption(sink, &entry.target);
    }
    listed.is_some()
}

/// Gives an enumeration's number its caption in the text column beside it, unless that has
/// the source's own word.
fn caption(sink: &mut Sink<'_, '_>, target: &Target) {
    let Target::Column(column) = *target else { return };
    if let (Some(text), Some(captions)) = (enums::text_of(column), enums::captions(column))
        && let Some(Scalar::I64(id)) = sink.get_column(column)
        && let Some((_, caption)) = captions.iter().find(|(known, _)| *known == id)
    {
        let caption = sink.text(caption.as_bytes());
        sink.column(text, Scalar::Text(caption));
    }
}

fn answers<'t>(texts: impl Iterator<Item = &'t str>) -> serde_json::Value {
    texts.map(|text| serde_json::json!({ "rdata": text })).collect()
}

fn mark(sink: &mut Sink<'_, '_>, at: usize, flag: u8) {
    if let Some(span) = sink.span_at(at) {
        span.flags.0 |= flag;
    }
}

/// A converted value without a borrow of the arena.
enum Located {
    Text(Text),
    Owned(Vec<u8>),
    Scalar(Scalar),
}

impl Located {
    fn place(self, sink: &mut Sink<'_, '_>) -> Scalar {
        match self {
            Self::Text(text) => Scalar::Text(text),
            Self::Owned(bytes) => Scalar::Text(sink.text(&bytes)),
            Self::Scalar(scalar) => scalar,
        }
    }
}

fn located(value: Value<'_>, whole: &[u8], text: Text) -> Located {
    match value {
        Value::Part(part) => {
            // A part is a slice of `whole`, so the distance is its offset in it.
            let skip = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize) as u32;
            Located::Text(Text { off: text.off + skip.min(text.len), len: part.len() as u32 })
        }
        Value::Owned(bytes) => Located::Owned(bytes),
        Value::I64(number) => Located::Scalar(Scalar::I64(number)),
        Value::F64(number) => Located::Scalar(Scalar::F64(number)),
        Value::Bool(truth) => Located::Scalar(Scalar::Bool(truth)),
    }
}
