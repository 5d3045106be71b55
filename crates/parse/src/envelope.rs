//! Envelopes: JSON objects that carry a record of another source in one of their strings.
//!
//! Shippers wrap what they read (`{"message": "<34>May 14 ...", "host": {...}}`). The inner
//! record is parsed as if it had come alone; the envelope's own fields are kept under
//! `envelope.` and say time and host where the inner record does not. Journals and syslog
//! relays that took the header apart get it put together again, so that the sources of syslog
//! read them.

use crate::sink::{Mark, Sink};
use crate::time::{Format, Stamp, Zone};
use std::borrow::Cow;
use yagura_event::batch::Text;
use yagura_event::time::rfc3339;
use yagura_event::{Span, SpanType};

/// Most envelopes around one record: a container's log driver around an application's own.
/// The text of a further one stays a string.
pub const ENVELOPES_MAX: usize = 2;

/// Most strings of one object that are tried as a record.
const TRIES_MAX: usize = 3;

/// Before the names of the envelope's own fields.
pub const PREFIX: &[u8] = b"envelope.";

/// Strings that hold the record, the surest first.
const CARRIERS: &[&[u8]] = &[
    b"event.original",
    b"_raw",
    b"result._raw",
    b"log.original",
    b"message",
    b"MESSAGE",
    b"log",
    b"@message",
    b"SyslogMessage",
    b"CloudTrailEvent",
    b"textPayload",
    b"full_message",
    b"short_message",
    b"msg",
    b"raw",
    b"rawlog",
    b"raw_log",
    b"raw_message",
    b"RawMessage",
    b"line",
    b"event",
    b"body",
    b"body.stringValue",
    b"Message",
];

/// Names of the program where a relay took a syslog header apart.
const PROGRAMS: &[&[u8]] = &[
    b"SYSLOG_IDENTIFIER",
    b"log.syslog.appname",
    b"syslog_program",
    b"syslog.appname",
    b"appname",
    b"app-name",
    b"programname",
    b"program",
    b"ident",
];

/// Process ids beside them.
const PIDS: &[&[u8]] =
    &[b"SYSLOG_PID", b"_PID", b"log.syslog.procid", b"syslog_pid", b"procid", b"pid"];

/// Names of the host, the one the record names first.
pub const HOSTS: &[&str] = &[
    "log.syslog.hostname",
    "_HOSTNAME",
    "syslog_hostname",
    "host.name",
    "host.hostname",
    "hostname",
    "HostName",
    "host",
    "result.host",
    "agent.hostname",
    "beat.hostname",
    "beat.name",
    "Computer",
    "kubernetes.pod_name",
    "kubernetes.pod.name",
];

/// Times of the record.
pub const TIMES: &[&str] = &[
    "@timestamp",
    "__REALTIME_TIMESTAMP",
    "_SOURCE_REALTIME_TIMESTAMP",
    "timestamp",
    "time",
    "_time",
    "result._time",
    "EventTime",
    "TimeGenerated",
    "ts",
    "date",
];

/// A string of the object that may hold a record.
pub struct Inner {
    /// Which of the object's fields it is.
    pub at: usize,
    value: Text,
    raw: Text,
}

/// An inner record, ready to be read.
pub struct Opened<'r> {
    /// Its bytes.
    pub bytes: Cow<'r, [u8]>,
    /// The same bytes in the arena.
    pub place: Text,
    /// Where they were decoded from, if they do not stand in the record as they are.
    pub within: Option<Text>,
}

/// The strings of the object at `mark` that may hold a record, the surest first.
pub fn find(sink: &Sink<'_, '_>, mark: Mark) -> Vec<Inner> {
    let spans = sink.since(mark);
    let mut found = Vec::new();
    for name in CARRIERS {
        let at = spans.iter().position(|span| {
            span.kind == SpanType::String && span.value.len > 0 && sink.name(span) == *name
        });
        if let Some(span) = at.and_then(|at| spans.get(at)) {
            let at = at.unwrap_or_default();
            found.push(Inner { at, value: span.value, raw: span.raw });
        }
        if found.len() == TRIES_MAX {
            break;
        }
    }
    found
}

/// The record in `inner`.
pub fn open<'r>(sink: &mut Sink<'_, 'r>, inner: &Inner) -> Opened<'r> {
    let verbatim = (inner.value == inner.raw).then(|| sink.verbatim(inner.value)).flatten();
    match verbatim {
        Some(bytes) => Opened { bytes: Cow::Borrowed(bytes), place: inner.value, within: None },
        None => {
            let bytes = Cow::Owned(sink.bytes(inner.value).to_vec());
            Opened { bytes, place: inner.value, within: Some(inner.raw) }
        }
    }
}

/// The record in `inner` behind a syslog header made of the object's fields, if these name a
/// program.
pub fn with_header<'r>(sink: &mut Sink<'_, 'r>, mark: Mark, inner: &Inner) -> Option<Opened<'r>> {
    let value = |names: &[&[u8]]| {
        let spans = sink.since(mark);
        names
            .iter()
            .find_map(|name| spans.iter().find(|span| sink.name(span) == *name))
            .map(|span| sink.value(span))
            .filter(|text| !text.is_empty())
    };
    let word = |text: &[u8]| !text.iter().any(|b| b.is_ascii_whitespace());
    let program = value(PROGRAMS).filter(|text| word(text))?;
    let bytes_of = |names: &[&'static str]| names.iter().map(|n| n.as_bytes()).collect::<Vec<_>>();
    let time = value(&bytes_of(TIMES)).and_then(|text| Format::Auto.read(text, &Zone::utc(0)))?;
    let host = value(&bytes_of(HOSTS)).filter(|text| word(text)).unwrap_or(b"-");
    let pid = value(PIDS).filter(|text| word(text)).unwrap_or(b"-");
    let mut bytes = b"<14>1 ".to_vec();
    bytes.extend_from_slice(rfc3339(time.time).as_bytes());
    for part in [host, program, pid, b"- -", sink.bytes(inner.value)] {
        bytes.push(b' ');
        bytes.extend_from_slice(part);
    }
    let place = sink.text(&bytes);
    Some(Opened { bytes: Cow::Owned(bytes), place, within: Some(inner.raw) })
}

/// Keeps the envelope's fields behind those of the record it held, which was field `at`.
pub fn keep(sink: &mut Sink<'_, '_>, outer: &[Span], at: usize) {
    sink.enveloped = true;
    let mut name = PREFIX.to_vec();
    for (index, span) in outer.iter().enumerate() {
        if index == at || sink.full() {
            continue;
        }
        name.truncate(PREFIX.len());
        name.extend_from_slice(sink.name(span));
        sink.push_span(*span);
        sink.rename(sink.spans().len() - 1, &name);
    }
}

/// The envelope's time, where there is one.
pub fn time(sink: &Sink<'_, '_>, zone: &Zone<'_>) -> Option<Stamp> {
    if !sink.enveloped {
        return None;
    }
    TIMES.iter().find_map(|name| {
        let span = field(sink, name)?;
        Format::Auto.read(sink.value(span), zone)
    })
}

/// The envelope's host, where there is one.
pub fn host<'s>(sink: &'s Sink<'_, '_>) -> Option<&'s Span> {
    if !sink.enveloped {
        return None;
    }
    HOSTS.iter().find_map(|name| {
        field(sink, name).filter(|span| span.kind == SpanType::String && span.value.len > 0)
    })
}

/// The envelope's field of a name; of two envelopes the inner one's.
fn field<'s>(sink: &'s Sink<'_, '_>, name: &str) -> Option<&'s Span> {
    sink.spans().iter().find(|span| {
        let full = sink.name(span);
        full.strip_prefix(PREFIX).is_some_and(|rest| rest == name.as_bytes())
    })
}
