//! `parse(context, header, bytes)`: one record to one event. Pure, and it never fails.

use crate::charset;
use crate::decode::{Decoder, Malformed, json, syslog};
use crate::def::{Op, Source, Test};
use crate::envelope::{self, ENVELOPES_MAX};
use crate::frame::RECORD_BYTES_MAX;
use crate::header::{Columns, Plans};
use crate::project::Projection;
use crate::recognise::Recogniser;
use crate::shape::{is_object, whole};
use crate::sink::{Mark, Sink};
use crate::sources::Sources;
use crate::time::Zone;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use yagura_event::batch::Text;
use yagura_event::context::Reference;
use yagura_event::{
    ClassUid, Context, Event, EventBatch, EventId, FieldId, FieldTable, FieldTableBuilder,
    IssueCode, LogsourceId, Micros, SourceChoice,
};

/// Index of "no source recognised the record".
pub const UNRECOGNISED: u16 = u16::MAX;

thread_local! {
    /// What the headers of the contexts in use mean; follows from them and the parser alone.
    static PLANS: RefCell<Plans> = RefCell::default();
}

/// Tells the plans of one parser from another's.
static PARSERS: AtomicU64 = AtomicU64::new(0);

/// What is the record's own beside its bytes.
#[derive(Clone, Copy, Debug)]
pub struct RecordHeader<'a> {
    /// The event's id.
    pub id: EventId,
    /// When it was received.
    pub received_time: Micros,
    /// The stream it belongs to.
    pub stream: u64,
    /// The batch it belongs to; 0 is live.
    pub batch: u64,
    /// Who sent it, for people; may be empty.
    pub peer: &'a str,
    /// Where it stood in its input, in bytes.
    pub position: u64,
}

/// Parses records by the sources in force. Shared between threads; holds no state.
#[derive(Debug)]
pub struct Parser {
    id: u64,
    sources: Arc<Sources>,
    fields: Arc<FieldTable>,
    /// Interned ids of the sources' names.
    ids: Vec<FieldId>,
    recogniser: Recogniser,
    /// By source, the first that reads records alike: what one has read need not be read again.
    alike: Vec<usize>,
}

impl Parser {
    /// A parser for sources whose names are interned in `fields` ([`Sources::intern`]).
    pub fn new(sources: Arc<Sources>, fields: Arc<FieldTable>) -> Self {
        // A name that is missing in `fields` must not match the spans without an id.
        let absent = FieldId(u32::MAX - 1);
        let ids = sources
            .names
            .all()
            .iter()
            .map(|name| match fields.get(name.as_bytes()) {
                FieldId::UNKNOWN => absent,
                id => id,
            })
            .collect();
        let recogniser = Recogniser::new(&sources.list);
        let alike =
            |source: &Source| sources.list.iter().position(|first| first.reads_like(source));
        let alike = sources.list.iter().map(|source| alike(source).unwrap_or(usize::MAX)).collect();
        let id = PARSERS.fetch_add(1, Ordering::Relaxed);
        Self { id, sources, fields, ids, recogniser, alike }
    }

    /// A parser for the built-in sources with a table of only their names.
    ///
    /// # Errors
    /// As [`Sources::builtin`].
    pub fn builtin() -> Result<Self, crate::SourceError> {
        let sources = Sources::builtin()?;
        let mut fields = FieldTableBuilder::default();
        sources.intern(&mut fields);
        Ok(Self::new(Arc::new(sources), Arc::new(fields.build())))
    }

    /// The sources in force.
    pub fn sources(&self) -> &Arc<Sources> {
        &self.sources
    }

    /// The table of interned names.
    pub fn fields(&self) -> &Arc<FieldTable> {
        &self.fields
    }

    /// Appends exactly one event for the record, whatever its bytes are. A record that no
    /// source reads becomes a Base Event (class 0) with an issue.
    pub fn parse(
        &self,
        context: &Arc<Context>,
        head: &RecordHeader<'_>,
        bytes: &[u8],
        out: &mut EventBatch,
    ) {
        let at = out.push_context(context);
        let relations = out.relations.len() as u32;
        let decoded = charset::decode(context.charset, bytes);
        let original = match decoded.is_decoded() {
            true => out.push_text(bytes),
            false => Text::default(),
        };
        let (lossy, issue) = (decoded.lossy, decoded.issue);
        let mut sink = Sink::of_text(out, &self.fields, &decoded.text, lossy, issue);
        sink.set_columns(self.columns(context));
        if bytes.len() >= RECORD_BYTES_MAX {
            sink.issue(IssueCode::Truncated, "cut at the record length limit");
        }
        let index = match &context.source {
            SourceChoice::Named(name) => self.named(&mut sink, name),
            SourceChoice::Auto => self.recognise(&mut sink, 0),
        };
        let (class, logsource, time) = match index {
            Some((index, true)) => self.project(context, head, index, &mut sink),
            _ => (ClassUid::BASE, LogsourceId(0), None),
        };
        let time = time.map(|stamp| stamp.time);
        if time.is_none() && matches!(index, Some((_, true))) {
            sink.issue(IssueCode::NoTime, "the received time is used");
        }
        let source = index.map_or(UNRECOGNISED, |(index, _)| index);
        let raw = sink.raw();
        let (spans, values, issues) = sink.starts();
        out.events.push(Event {
            id: head.id,
            context: at,
            time: time.unwrap_or(head.received_time),
            received_time: head.received_time,
            class,
            source,
            logsource,
            raw,
            original,
            spans: spans as u32..out.spans.len() as u32,
            values: values as u32..out.values.len() as u32,
            relations: relations..out.relations.len() as u32,
            issues: issues as u32..out.issues.len() as u32,
            stream: head.stream,
            batch: head.batch,
        });
    }

    /// The record's own time if its stamp names the year: what the reference time of a batch
    /// is derived from (the newest over all inputs).
    pub fn event_time_with_year(&self, context: &Arc<Context>, bytes: &[u8]) -> Option<Micros> {
        let mut batch = EventBatch::default();
        let text = charset::decode(context.charset, bytes).text;
        let mut sink = Sink::new(&mut batch, &self.fields, &text);
        sink.set_columns(self.columns(context));
        let index = match &context.source {
            SourceChoice::Named(name) => self.named(&mut sink, name),
            SourceChoice::Auto => self.recognise(&mut sink, 0),
        };
        let (index, _) = index.filter(|(_, read)| *read)?;
        let source = self.sources.list.get(usize::from(index))?;
        let zone = zone_of(context, 0);
        let outer = envelope::time(&sink, &zone);
        let event = self.event_of(source, &sink);
        let projection = Projection { ids: &self.ids, source, zone };
        let time = source.events.get(event)?.time.as_ref();
        let own = projection.time(&mut sink, time).filter(|stamp| stamp.has_year);
        own.or(outer).filter(|stamp| stamp.has_year).map(|stamp| stamp.time)
    }

    /// The columns that the context's headers name.
    fn columns(&self, context: &Arc<Context>) -> Option<Arc<Columns>> {
        if context.headers.is_empty() {
            return None;
        }
        let make = || {
            let mut columns = Columns::read(&context.headers, &self.fields)?;
            let reads = |index: &u16| {
                let source = self.sources.list.get(usize::from(*index));
                let style = Some(columns.style);
                source.is_some_and(|s| s.decoders.iter().any(|d| d.reads_header() == style))
            };
            let header = context.headers.join("\n");
            let found = self.recogniser.candidates(header.as_bytes()).filter(reads);
            columns.sources = found.collect();
            columns.sources.dedup();
            Some(columns)
        };
        PLANS.with(|plans| match plans.try_borrow_mut() {
            Ok(mut plans) => plans.of(self.id, context, make),
            Err(_) => make().map(Arc::new),
        })
    }

    /// Decodes with the named source; the second value tells whether it could be read.
    fn named(&self, sink: &mut Sink<'_, '_>, name: &str) -> Option<(u16, bool)> {
        let Some(index) = self.sources.find(name) else {
            sink.issue(IssueCode::Unrecognised, "the feed names a source that does not exist");
            return None;
        };
        let source = self.sources.list.get(usize::from(index))?;
        let mark = sink.mark();
        let body = whole(sink.record());
        if !source.reads_objects() && sink.record().get(body.start) == Some(&b'{') {
            let read = |inner: &mut Sink<'_, '_>| self.decode(source, inner).ok().map(|()| index);
            if json::Json.decode(sink, body).is_ok()
                && let Some(found) = self.within(sink, mark, &read)
            {
                return Some(found);
            }
            sink.rollback(mark);
        }
        match self.decode(source, sink) {
            Ok(()) => Some((index, true)),
            Err(malformed) => {
                sink.issue(IssueCode::Malformed, &malformed.0);
                Some((index, false))
            }
        }
    }

    /// Decodes with the best candidate that can read the record. `depth` counts the envelopes
    /// around it.
    fn recognise(&self, sink: &mut Sink<'_, '_>, depth: usize) -> Option<(u16, bool)> {
        let object = is_object(sink);
        let mut first: Option<(u16, Malformed)> = None;
        // Only what begins like an object and is none is left to the decoders of text.
        let found = self.candidate(sink, depth, object, true, &mut first);
        let found = found.or_else(|| self.candidate(sink, depth, object, false, &mut first));
        if found.is_none() {
            self.unrecognised(sink, first);
        }
        found
    }

    /// The first candidate that can read the record, among those that read objects (`objects`)
    /// or the others, where the record begins like an `object`.
    fn candidate(
        &self,
        sink: &mut Sink<'_, '_>,
        depth: usize,
        object: bool,
        objects: bool,
        first: &mut Option<(u16, Malformed)>,
    ) -> Option<(u16, bool)> {
        if !object && !objects {
            return None;
        }
        let mark = sink.mark();
        let mut tried: [u64; 4] = [0; 4];
        let mut read_by: Option<usize> = None;
        // What a header says of the lines below it goes before what a line looks like.
        let columns = sink.columns();
        let by_header = columns.iter().flat_map(|columns| columns.sources.iter().copied());
        let record = sink.record();
        let by_record = std::iter::once_with(|| self.recogniser.candidates(record)).flatten();
        for index in by_header.chain(by_record) {
            let (word, bit) = (usize::from(index / 64).min(3), index % 64);
            if index < 256 && tried[word] >> bit & 1 == 1 {
                continue;
            }
            tried[word] |= 1 << bit;
            let Some(source) = self.sources.list.get(usize::from(index)) else { continue };
            if object && source.reads_objects() != objects {
                continue;
            }
            let alike = self.alike.get(usize::from(index)).copied();
            let result = if read_by.is_some() && read_by == alike {
                Ok(())
            } else {
                sink.rollback(mark);
                self.decode(source, sink)
            };
            let required = || {
                source.require.is_empty()
                    || source.require.iter().any(|tests| self.holds(sink, tests))
            };
            match result {
                Ok(()) if required() => {
                    let seen = source.generic && depth < ENVELOPES_MAX;
                    let read = |inner: &mut Sink<'_, '_>| {
                        self.recognise(inner, depth + 1).filter(|found| found.1).map(|f| f.0)
                    };
                    let inner = if seen { self.within(sink, mark, &read) } else { None };
                    return inner.or(Some((index, true)));
                }
                Ok(()) => {
                    read_by = alike;
                    continue;
                }
                // A low rank says that the literals alone mean little.
                Err(malformed) if source.rank >= 0 => {
                    first.get_or_insert((index, malformed));
                }
                Err(_) => {}
            }
            read_by = None;
        }
        sink.rollback(mark);
        None
    }

    /// Reads with `read` the record that stands in a string of this one, whose fields begin at
    /// `mark`.
    fn within(
        &self,
        sink: &mut Sink<'_, '_>,
        mark: Mark,
        read: &dyn Fn(&mut Sink<'_, '_>) -> Option<u16>,
    ) -> Option<(u16, bool)> {
        for inner in envelope::find(sink, mark) {
            for headed in [false, true] {
                let text = if headed {
                    let Some(text) = envelope::with_header(sink, mark, &inner) else { continue };
                    text
                } else {
                    envelope::open(sink, &inner)
                };
                let outer = sink.take_spans(mark);
                let begun = sink.mark();
                let found = read(&mut sink.inside(&text.bytes, text.place, text.within));
                if let Some(index) = found {
                    envelope::keep(sink, &outer, inner.at);
                    return Some((index, true));
                }
                sink.rollback(begun);
                outer.into_iter().for_each(|span| sink.push_span(span));
            }
        }
        None
    }

    /// Says why no source took the record; a JSON object keeps its fields all the same.
    fn unrecognised(&self, sink: &mut Sink<'_, '_>, first: Option<(u16, Malformed)>) {
        let mark = sink.mark();
        if json::Json.decode(sink, whole(sink.record())).is_err() {
            sink.rollback(mark);
        }
        match first {
            Some((index, malformed)) => {
                let name = self.sources.name(index).unwrap_or_default();
                sink.issue(IssueCode::Unrecognised, &format!("looks like {name}, but {malformed}"));
            }
            None => sink.issue(IssueCode::Unrecognised, "no source recognises the record"),
        }
    }

    fn decode(&self, source: &Source, sink: &mut Sink<'_, '_>) -> Result<(), Malformed> {
        let mut body = whole(sink.record());
        let wrapped = source.syslog && !matches!(sink.record().get(body.start), Some(b'{'));
        if wrapped && let Some(inner) = syslog::unwrap(sink) {
            body = inner;
            // What rsyslog puts before a structured message.
            let text = sink.record().get(body.clone()).unwrap_or_default();
            if let Some(object) = text.strip_prefix(b"@cee:") {
                body.start = body.end - object.trim_ascii_start().len();
            }
        }
        let mut last = Err(Malformed::new("the source has no decoder"));
        for (at, decoder) in source.decoders.iter().enumerate() {
            let mark = sink.mark();
            last = decoder.decode(sink, body.clone());
            if last.is_ok() {
                break;
            }
            if at + 1 < source.decoders.len() {
                sink.rollback(mark);
            }
        }
        last
    }

    fn project(
        &self,
        context: &Context,
        head: &RecordHeader<'_>,
        index: u16,
        sink: &mut Sink<'_, '_>,
    ) -> (ClassUid, LogsourceId, Option<crate::time::Stamp>) {
        let Some(source) = self.sources.list.get(usize::from(index)) else {
            return (ClassUid::BASE, LogsourceId(0), None);
        };
        let Some(event) = source.events.get(self.event_of(source, sink)) else {
            return (ClassUid::BASE, LogsourceId(0), None);
        };
        let mut zone = zone_of(context, head.received_time);
        let outer = envelope::time(sink, &zone);
        if let Some(stamp) = outer {
            // What the shipper read just then is of about that time.
            zone.reference = stamp.time;
        }
        let projection = Projection { ids: &self.ids, source, zone };
        let time = projection.run(sink, event, context).or(outer);
        (event.class, event.logsource, time)
    }

    /// The place of the first `[[event]]` whose conditions hold.
    fn event_of(&self, source: &Source, sink: &Sink<'_, '_>) -> usize {
        let dispatch = &source.dispatch;
        let holds = |at: &u16| {
            source.events.get(usize::from(*at)).is_some_and(|event| self.holds(sink, &event.when))
        };
        let found = match dispatch.field {
            None => dispatch.others.iter().find(|at| holds(at)).copied(),
            Some(field) => {
                let id = self.id(field);
                let mut values = sink.named(id);
                let list = match (values.next(), values.next()) {
                    (Some((_, span)), None) => dispatch.by_value.get(sink.value(span)),
                    (None, _) => None,
                    // A repeated field: each value may decide, so all events are tried.
                    (Some(_), Some(_)) => {
                        return source
                            .events
                            .iter()
                            .position(|event| self.holds(sink, &event.when))
                            .unwrap_or(source.events.len());
                    }
                };
                list.unwrap_or(&dispatch.others).iter().find(|at| holds(at)).copied()
            }
        };
        found.map_or(source.events.len(), usize::from)
    }

    fn holds(&self, sink: &Sink<'_, '_>, tests: &[Test]) -> bool {
        tests.iter().all(|test| {
            let id = self.id(test.field);
            let mut spans = sink.named(id);
            let any = |compare: fn(&[u8], &[u8]) -> bool| {
                spans.clone().any(|(_, span)| {
                    let value = sink.value(span);
                    test.values.iter().any(|wanted| compare(value, wanted))
                })
            };
            let outcome = match test.op {
                Op::Exists => spans.next().is_some(),
                Op::Equals => any(|value, wanted| value == wanted),
                Op::Starts => any(|value, wanted| value.starts_with(wanted)),
                Op::Ends => any(|value, wanted| value.ends_with(wanted)),
                Op::Contains => any(|value, wanted| memchr::memmem::find(value, wanted).is_some()),
                Op::Below(other) => {
                    let other = self.id(other);
                    let number = |id| {
                        let (_, span) = sink.named(id).next()?;
                        crate::convert::integer(sink.value(span))
                    };
                    matches!((number(id), number(other)), (Some(a), Some(b)) if a < b)
                }
            };
            outcome != test.negate
        })
    }

    fn id(&self, name: u32) -> FieldId {
        self.ids.get(name as usize).copied().unwrap_or(FieldId(u32::MAX - 1))
    }
}

fn zone_of(context: &Context, received: Micros) -> Zone<'_> {
    let reference = match context.reference {
        Reference::Received => received,
        Reference::At(time) => time,
    };
    Zone { reference, name: context.time_zone.as_deref() }
}
