//! The syslog header (RFC 5424, and RFC 3164 as it is really written), peeled off a body.
//!
//! ```text
//! <165>1 2024-05-14T12:00:00.003Z host program 1234 ID47 [id name="value"] text
//! <34>May 14 12:00:00 host program[1234]: text
//! May 14 2024 12:00:00 host %ASA-6-302013: text
//! ```

use crate::sink::Sink;
use crate::time::{self, Format, Word, Zone};
use std::ops::Range;
use std::sync::LazyLock;
use yagura_event::{SpanFlags, SpanType};

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];
const SEVERITIES: [&str; 8] =
    ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// How far a program's name with spaces in it, and what follows it, may reach.
const NAME_WITHIN: usize = 128;

/// How far into a body a message of Cisco's may begin, behind the device's own stamp.
const STAMPED_WITHIN: usize = 64;

/// The time words that a `timestamp` of this header may have.
pub const STAMP_FORMATS: [&str; 7] = [
    "iso",
    "%b %e %T%f",
    "%b %e %Y %T%f",
    "%Y %b %e %T%f",
    "%b %e %T%f %Z",
    "%b %e %Y %T%f %Z",
    "%Y %b %e %T%f %Z",
];

static STAMPS: LazyLock<Vec<Vec<Word>>> = LazyLock::new(|| {
    let words = |format: &&str| match Format::parse(format) {
        Ok(Format::Words(words)) => Some(words),
        _ => None,
    };
    STAMP_FORMATS.iter().filter_map(words).collect()
});

/// Emits the header's fields and returns the body's range, or `None` (and no field) where
/// the record has no syslog header.
pub fn unwrap(sink: &mut Sink<'_, '_>) -> Option<Range<usize>> {
    let bytes = sink.record();
    let mark = sink.mark();
    let start = priority(sink, bytes).unwrap_or(0);
    // A priority with nothing of the rest (RFC 3164 section 4.3.3), as `<14>CEF:0|`.
    if start > 0 && bytes.get(start).is_some_and(|b| b.is_ascii_lowercase() || *b == b'[') {
        let cisco = super::syslog_cisco::unwrap(sink, start, stamp_len);
        return Some(trimmed(bytes, cisco.map_or(start, |body| body.start)));
    }
    let bare = sink.mark();
    let mut body = header(sink, bytes, start);
    if body.as_ref().is_none_or(|body| stamped_again(&bytes[body.clone()])) {
        sink.rollback(bare);
        if let Some(cisco) = super::syslog_cisco::unwrap(sink, start, stamp_len) {
            return Some(trimmed(bytes, cisco.start));
        }
        body = header(sink, bytes, start);
    }
    if body.is_none() && start > 0 {
        sink.rollback(bare);
        if bytes.get(start).is_some_and(|b| b.is_ascii_uppercase() || *b == b'%') {
            // Some devices are told to send their name and no time: `<166>fw1 %ASA-6-302013:`.
            let name = token(bytes, start);
            if bytes[start] != b'%' && bytes.get(name + 1) == Some(&b'%') {
                sink.plain(b"hostname", start..name, SpanType::String);
                return Some(trimmed(bytes, name));
            }
            return Some(trimmed(bytes, start));
        }
    }
    if body.is_none() {
        sink.rollback(mark);
    }
    body
}

fn header(sink: &mut Sink<'_, '_>, bytes: &[u8], start: usize) -> Option<Range<usize>> {
    if bytes.get(start..start + 2) == Some(b"1 ") && start > 0 {
        rfc5424(sink, bytes, start)
    } else {
        rfc3164(sink, bytes, start)
    }
}

/// Whether a device's own stamp or number may stand before its message in this body.
fn stamped_again(body: &[u8]) -> bool {
    let head = body.get(..STAMPED_WITHIN.min(body.len())).unwrap_or_default();
    let first = head.first().copied().unwrap_or_default();
    (first.is_ascii_uppercase() || first.is_ascii_digit() || b"*.:".contains(&first))
        && memchr::memmem::find(head, b" %").is_some()
}

fn priority(sink: &mut Sink<'_, '_>, bytes: &[u8]) -> Option<usize> {
    let close = memchr::memchr(b'>', bytes.get(..5.min(bytes.len()))?)?;
    let digits = bytes.get(1..close).filter(|_| bytes[0] == b'<')?;
    let number = crate::convert::integer(digits).filter(|n| (0..192).contains(n))? as usize;
    sink.plain(b"pri", 1..close, SpanType::Number);
    // The two words below say all of it.
    let at = sink.spans().len().saturating_sub(1);
    if let Some(span) = sink.span_at(at) {
        span.flags.0 |= SpanFlags::MAPPED;
    }
    sink.derived(b"facility", FACILITIES[number / 8].as_bytes());
    sink.derived(b"severity", SEVERITIES[number % 8].as_bytes());
    Some(close + 1)
}

fn rfc5424(sink: &mut Sink<'_, '_>, bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let mut at = start + 2;
    for name in [&b"timestamp"[..], b"hostname", b"program", b"pid", b"msgid"] {
        let len = memchr::memchr(b' ', bytes.get(at..)?)?;
        if len == 0 {
            return None;
        }
        if bytes[at..at + len] != *b"-" {
            sink.plain(name, at..at + len, SpanType::String);
        }
        at += len + 1;
    }
    let mut at = structured(sink, bytes, at)?;
    if bytes.get(at) == Some(&b' ') {
        at += 1;
    }
    if bytes.get(at..at + 3) == Some(b"\xef\xbb\xbf") {
        at += 3;
    }
    Some(trimmed(bytes, at))
}

/// Structured data as `sd.<id>.<name>`; returns the place after it.
fn structured(sink: &mut Sink<'_, '_>, bytes: &[u8], start: usize) -> Option<usize> {
    if bytes.get(start) == Some(&b'-') {
        return Some(start + 1);
    }
    let mut at = start;
    let mut name = Vec::new();
    while bytes.get(at) == Some(&b'[') {
        let id = memchr::memchr2(b' ', b']', bytes.get(at + 1..)?)? + at + 1;
        name.clear();
        name.extend_from_slice(b"sd.");
        name.extend_from_slice(&bytes[at + 1..id]);
        name.push(b'.');
        let prefix = name.len();
        at = id;
        while bytes.get(at) == Some(&b' ') {
            let equals = memchr::memmem::find(bytes.get(at..)?, b"=\"")? + at;
            name.truncate(prefix);
            name.extend_from_slice(&bytes[at + 1..equals]);
            let value = equals + 2;
            let mut end = value;
            loop {
                end += memchr::memchr2(b'"', b'\\', bytes.get(end..)?)?;
                if bytes[end] == b'"' {
                    break;
                }
                end += 2;
            }
            sink.plain(&name, value..end, SpanType::String);
            at = end + 1;
        }
        if bytes.get(at) != Some(&b']') {
            return None;
        }
        at += 1;
    }
    (at > start).then_some(at)
}

fn rfc3164(sink: &mut Sink<'_, '_>, bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let stamp = stamp_len(bytes.get(start..)?)?;
    let mut at = start + stamp;
    sink.plain(b"timestamp", start..at, SpanType::String);
    match bytes.get(at)? {
        b' ' => at += 1,
        b':' => {
            return Some(trimmed(bytes, at + 1 + usize::from(bytes.get(at + 1) == Some(&b' '))));
        }
        _ => return None,
    }
    let host = token(bytes, at);
    let text = &bytes[at..host];
    // A name has no comma: some senders leave it out, and begin with a list of values.
    let named = !text.is_empty() && !text.ends_with(b":") && !text.contains(&b'[');
    if named && text[0] != b'%' && !text.contains(&b',') {
        sink.plain(b"hostname", at..host, SpanType::String);
        at = (host + 1).min(bytes.len());
    }
    let tag = token(bytes, at);
    let text = &bytes[at..tag];
    // Cisco's messages have no tag: what stands before one is the device, colon or not.
    if at < host && text.ends_with(b":") && text[0] != b'%' && bytes.get(tag + 1) == Some(&b'%') {
        sink.plain(b"hostname", at..tag - 1, SpanType::String);
        return Some(trimmed(bytes, tag));
    }
    let name = text
        .iter()
        .take_while(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/' | b'@' | b'(' | b')')
        })
        .count();
    let rest = &text[name..];
    if name > 0 && rest == b":" {
        sink.plain(b"program", at..at + name, SpanType::String);
        at = tag;
    } else if name > 0 && rest.first() == Some(&b'[') && rest.ends_with(b"]:") {
        sink.plain(b"program", at..at + name, SpanType::String);
        sink.plain(b"pid", at + name + 1..tag - 2, SpanType::String);
        at = tag;
    } else if text == b":" {
        at = tag;
    } else if let Some((name, pid, end)) = spaced_name(bytes, at) {
        sink.plain(b"program", name, SpanType::String);
        sink.plain(b"pid", pid, SpanType::String);
        at = end;
    }
    at += usize::from(bytes.get(at) == Some(&b' '));
    Some(trimmed(bytes, at))
}

/// A program whose name holds spaces, as macOS has them: `Google Chrome[12]: `, and a service
/// that launchd speaks of, `launchd[1] (name[12]): `. Returns name, number and the end.
fn spaced_name(bytes: &[u8], at: usize) -> Option<(Range<usize>, Range<usize>, usize)> {
    let near = bytes.get(at..bytes.len().min(at + NAME_WITHIN))?;
    let end = memchr::memmem::find(near, b": ")?;
    let open = memchr::memchr(b'[', &near[..end])?;
    let close = open + memchr::memchr(b']', &near[open..end])?;
    let rest = &near[close + 1..end];
    let service = rest.is_empty() || (rest.starts_with(b" (") && rest.ends_with(b")"));
    let word = |b: &u8| b.is_ascii_alphanumeric() || b" ._-".contains(b);
    let named = open > 0 && near[..open].iter().all(word);
    let number = close > open + 1 && near[open + 1..close].iter().all(u8::is_ascii_digit);
    (service && named && number).then_some((at..at + open, at + open + 1..at + close, at + end + 1))
}

/// Bytes of the stamp that `text` begins with.
fn stamp_len(text: &[u8]) -> Option<usize> {
    if text.first().is_some_and(u8::is_ascii_digit) {
        let len = memchr::memchr(b' ', text)?;
        let iso = len >= 19
            && text[10] == b'T'
            && Format::Iso.read(&text[..len], &Zone::utc(0)).is_some();
        if iso {
            return Some(len);
        }
    }
    // With a reference in a leap year every day of the calendar resolves.
    let zone = Zone::utc(951_782_400_000_000);
    let used = STAMPS.iter().find_map(|words| {
        let (_, used) = time::scan(words, text, &zone)?;
        matches!(text.get(used), None | Some(b' ' | b':')).then_some(used)
    })?;
    Some(used + zone_len(&text[used..]))
}

/// Bytes of a zone's name and the space before it: ` EDT:`, ` UTC+1:`. Without the colon it
/// would be a host.
fn zone_len(text: &[u8]) -> usize {
    let Some(rest) = text.strip_prefix(b" ") else { return 0 };
    let letters = rest.iter().take(5).take_while(|b| b.is_ascii_alphabetic()).count();
    if time::zone_minutes(&rest[..letters]).is_none() {
        return 0;
    }
    let offset = rest[letters..].iter().take(6);
    let offset = offset.take_while(|b| b.is_ascii_digit() || b"+-:".contains(b)).count();
    let end = letters + offset - usize::from(rest[..letters + offset].ends_with(b":"));
    if rest.get(end) == Some(&b':') { end + 1 } else { 0 }
}

fn token(bytes: &[u8], at: usize) -> usize {
    let at = at.min(bytes.len());
    at + memchr::memchr(b' ', &bytes[at..]).unwrap_or(bytes.len() - at)
}

fn trimmed(bytes: &[u8], start: usize) -> Range<usize> {
    let start = start.min(bytes.len());
    // sudo and others pad the text to a column.
    let start = start + bytes[start..].iter().take_while(|b| **b == b' ').count();
    let end = bytes[start..]
        .iter()
        .rposition(|b| !b.is_ascii_whitespace())
        .map_or(start, |at| start + at + 1);
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use yagura_event::{EventBatch, FieldTable};

    #[track_caller]
    fn check(text: &str, expect: Option<(&str, &str)>) {
        let (mut batch, fields) = (EventBatch::default(), FieldTable::default());
        let mut sink = Sink::new(&mut batch, &fields, text.as_bytes());
        let body = unwrap(&mut sink).map(|range| text[range].to_owned());
        let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let spans: Vec<_> = batch
            .spans
            .iter()
            .map(|span| {
                format!("{}={}", name(batch.bytes(span.name)), name(batch.bytes(span.value)))
            })
            .collect();
        let got = body.as_deref().map(|body| (spans.join(" "), body));
        assert_eq!(got.as_ref().map(|(spans, body)| (spans.as_str(), *body)), expect, "{text}");
    }

    #[test]
    fn both_rfcs_and_their_relatives() {
        check(
            "<165>1 2024-05-14T12:00:00.003Z host app 12 ID47 [x@1 a=\"b\\\"c\" d=\"\"][y] hello",
            Some((
                "pri=165 facility=local4 severity=notice timestamp=2024-05-14T12:00:00.003Z \
                 hostname=host program=app pid=12 msgid=ID47 sd.x@1.a=b\\\"c sd.x@1.d=",
                "hello",
            )),
        );
        check(
            "<34>May  4 12:00:00 host su[9]: hi ",
            Some((
                "pri=34 facility=auth severity=crit timestamp=May  4 12:00:00 hostname=host program=su pid=9",
                "hi",
            )),
        );
        check(
            "May 14 2024 12:00:00: %ASA-6-1: x",
            Some(("timestamp=May 14 2024 12:00:00", "%ASA-6-1: x")),
        );
        check(
            "<166>May 14 12:00:00 fw : %ASA-6-1: x",
            Some((
                "pri=166 facility=local4 severity=info timestamp=May 14 12:00:00 hostname=fw",
                "%ASA-6-1: x",
            )),
        );
        check(
            "2024-05-14T12:00:00+02:00 host cron: x",
            Some(("timestamp=2024-05-14T12:00:00+02:00 hostname=host program=cron", "x")),
        );
        check(
            "May 14 12:00:00 sshd[3]: x",
            Some(("timestamp=May 14 12:00:00 program=sshd pid=3", "x")),
        );
        check(
            "May 14 2024 12:00:00 EDT: %ASA-6-1: x",
            Some(("timestamp=May 14 2024 12:00:00 EDT", "%ASA-6-1: x")),
        );
        check(
            "May 14 12:00:00 west cron: x",
            Some(("timestamp=May 14 12:00:00 hostname=west program=cron", "x")),
        );
        check(
            "May 14 12:00:00 192.0.2.9: %ASA-6-1: x",
            Some(("timestamp=May 14 12:00:00 hostname=192.0.2.9", "%ASA-6-1: x")),
        );
        let priority = "pri=34 facility=auth severity=crit";
        check("<34>%ASA-6-1: x", Some((priority, "%ASA-6-1: x")));
        check(
            "<34>FW1 %ASA-6-1: x",
            Some(("pri=34 facility=auth severity=crit hostname=FW1", "%ASA-6-1: x")),
        );
        check(
            "<189>2361044: sw01: 003411: *Jul 14 2023 08:23:43.398 UTC: %SYS-5-CONFIG_I: x",
            Some((
                "pri=189 facility=local7 severity=notice timestamp=Jul 14 2023 08:23:43.398 UTC hostname=sw01 sequence=003411",
                "%SYS-5-CONFIG_I: x",
            )),
        );
        check(
            "Jul 14 08:23:44 192.0.2.1 2361044: Jul 14 08:23:43.398 VIENNA: %SEC-SW1-6-X: x",
            Some((
                "relay_time=Jul 14 08:23:44 timestamp=Jul 14 08:23:43.398 hostname=192.0.2.1 sequence=2361044",
                "%SEC-SW1-6-X: x",
            )),
        );
        check(
            "<190>77: sw01: 12: 2y10w: %SYS-6-LOGOUT: x",
            Some((
                "pri=190 facility=local7 severity=info hostname=sw01 sequence=12 uptime=2y10w",
                "%SYS-6-LOGOUT: x",
            )),
        );
        check(
            "May 14 12:00:00 h Disk 90 %full",
            Some(("timestamp=May 14 12:00:00 hostname=h", "Disk 90 %full")),
        );
        check(
            "May 14 12:00:00 mac Web Browser[52]: x: y",
            Some(("timestamp=May 14 12:00:00 hostname=mac program=Web Browser pid=52", "x: y")),
        );
        check(
            "May 14 12:00:00 mac org.launchd[1] (org.service[9]): x",
            Some(("timestamp=May 14 12:00:00 hostname=mac program=org.launchd pid=1", "x")),
        );
        check("May 14 12:00:00 1,a b,c", Some(("timestamp=May 14 12:00:00", "1,a b,c")));
        check("<34>date=2024-05-14 a=b ", Some((priority, "date=2024-05-14 a=b")));
        check("<34>CEF:0|a|", Some((priority, "CEF:0|a|")));
        check("<34>May day", Some((priority, "May day")));
    }

    #[test]
    fn other_text_is_left_whole() {
        for text in [
            "",
            "hello world",
            "<34>",
            "<999>May 14 12:00:00 h x",
            "{\"a\":1}",
            "<34>1 x",
            "May 99 x",
        ] {
            check(text, None);
        }
    }
}
