//! IBM's Log Event Extended Format, LEEF 1.0 and 2.0.
//!
//! ```text
//! LEEF:1.0|vendor|product|version|event id|key=value<tab>key=value
//! LEEF:2.0|vendor|product|version|event id|^|key=value^key=value
//! ```
//! Header fields are called `leefVersion`, `Vendor`, `Product`, `Version` and `EventID`.
//! LEEF 2.0 may name its delimiter: the character itself, or its code as `x5E` or `0x5E`.
//! Senders whose tabs became spaces on the way are read as CEF's extension is.

use super::cef::{extension, header};
use super::{Decoder, Malformed};
use crate::sink::Sink;
use std::ops::Range;
use yagura_event::SpanType;

/// The header's fields in their order.
const HEADER: [&[u8]; 5] = [b"leefVersion", b"Vendor", b"Product", b"Version", b"EventID"];

/// Text before `LEEF:` that is looked through, in bytes: relays put their own head there.
const HEAD_BYTES_MAX: usize = 512;

/// The decoder; see the module.
#[derive(Clone, Copy, Debug)]
pub struct Leef;

impl Decoder for Leef {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        let bytes = sink.record().get(..body.end).unwrap_or_default();
        let text = bytes.get(body.start..).unwrap_or_default();
        let found = memchr::memmem::find(&text[..text.len().min(HEAD_BYTES_MAX)], b"LEEF:");
        let start = body.start + found.ok_or(Malformed::new("no LEEF header"))? + 5;
        let two = bytes.get(start..).is_some_and(|rest| rest.starts_with(b"2"));
        let mut at =
            header(sink, bytes, start, &HEADER).ok_or(Malformed::new("a short LEEF header"))?;
        let mut delimiter = b'\t';
        if two && let Some((named, length)) = declared(&bytes[at..]) {
            delimiter = named;
            at += length;
        }
        let rest = &bytes[at..];
        if delimiter == b'\t' && memchr::memchr(b'\t', rest).is_none() {
            extension(sink, at..bytes.len());
        } else {
            attributes(sink, at..bytes.len(), delimiter);
        }
        Ok(())
    }
}

/// The delimiter of LEEF 2.0 and the bytes that its declaration takes, `|` included. An
/// empty declaration is a tab; what is none is the first attribute.
fn declared(text: &[u8]) -> Option<(u8, usize)> {
    let bar = text.iter().take(8).position(|b| *b == b'|');
    let word = match bar {
        // The delimiter is a bar itself.
        Some(0) if text.get(1) == Some(&b'|') => return Some((b'|', 2)),
        Some(bar) => &text[..bar],
        None => return None,
    };
    let code = word.strip_prefix(b"0x").or(word.strip_prefix(b"x")).filter(|hex| !hex.is_empty());
    let delimiter = match (word, code) {
        ([], _) => b'\t',
        ([byte], _) => *byte,
        (b"\\t", _) => b'\t',
        (_, Some(hex)) => u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?,
        _ => return None,
    };
    Some((delimiter, word.len() + 1))
}

fn attributes(sink: &mut Sink<'_, '_>, range: Range<usize>, delimiter: u8) {
    let bytes = sink.record().get(..range.end).unwrap_or_default();
    let mut at = range.start;
    while at < bytes.len() && !sink.full() {
        let end = at + memchr::memchr(delimiter, &bytes[at..]).unwrap_or(bytes.len() - at);
        let pair = &bytes[at..end];
        let blank = pair.iter().take_while(|b| b.is_ascii_whitespace()).count();
        if let Some(equals) = memchr::memchr(b'=', pair).filter(|equals| *equals > blank) {
            let value = &pair[equals + 1..];
            let tail = value.iter().rev().take_while(|b| b.is_ascii_whitespace()).count();
            sink.plain(&pair[blank..equals], at + equals + 1..end - tail, SpanType::String);
        }
        at = end + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::checks::fields_of;

    #[track_caller]
    fn check(text: &str, expect: Option<&str>) {
        let read = fields_of(&Leef, text).ok();
        let got = read.map(|fields| fields.get(HEADER.len()..).unwrap_or_default().join("#"));
        assert_eq!(got.as_deref(), expect, "{text}");
    }

    #[test]
    fn both_versions_and_every_form_of_delimiter() {
        let one = Some("src=192.0.2.1#msg=a b=c");
        check("LEEF:1.0|v|p|1|7|src=192.0.2.1\tmsg=a b=c", one);
        check("LEEF:2.0|v|p|1|7|^|src=192.0.2.1^msg=a b=c", one);
        check("LEEF:2.0|v|p|1|7|x5E|src=192.0.2.1^msg=a b=c", one);
        check("LEEF:2.0|v|p|1|7|0x5e|src=192.0.2.1^msg=a b=c", one);
        check("LEEF:2.0|v|p|1|7|x09|src=192.0.2.1\tmsg=a b=c", one);
        check("LEEF:2.0|v|p|1|7|\\t|src=192.0.2.1\tmsg=a b=c", one);
        check("LEEF:2.0|v|p|1|7||src=192.0.2.1\tmsg=a b=c", one);
        check("LEEF:2.0|v|p|1|7|||src=192.0.2.1|msg=a b=c", one);
        check("LEEF:2.0|v|p|1|7|src=192.0.2.1\tmsg=a b=c", one);
        check("h LEEF:1.0|v|p|1|7|src=192.0.2.1 msg=a c", Some("src=192.0.2.1#msg=a c"));
        check("LEEF:1.0|v|p|1|7|", Some(""));
        check("LEEF:1.0|v|p|1", None);
        check("LEEF:2.0|v|p|1|7|x|a=1x=2xb=", Some("a=1#b="));
    }
}
