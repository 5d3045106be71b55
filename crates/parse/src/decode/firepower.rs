//! Security events of Cisco Firepower (messages 430001 to 430005): `Name: value, Name: value`.
//!
//! ```text
//! %FTD-1-430003: AccessControlRuleAction: Allow, SrcIP: 192.0.2.1, Prefilter Policy: Default, URL: http://x/
//! ```
//! Neither names nor values are quoted, and values hold commas; a value ends where a comma, a
//! space and the next name with its colon follow. Fields keep their names; those of the head
//! are `product`, `level` and `id`, as in the other messages of these firewalls.

use super::{Decoder, Malformed};
use crate::sink::Sink;
use memchr::memmem;
use std::ops::Range;
use yagura_event::SpanType;

/// The decoder; see the module.
#[derive(Clone, Copy, Debug)]
pub struct Firepower;

/// Longest name of a pair, in bytes; the vendor's have at most 30. What is longer is text.
const NAME_BYTES_MAX: usize = 40;

/// How far into a body the head may begin, behind what a relay put before it.
const HEAD_WITHIN: usize = 200;

impl Decoder for Firepower {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        let bytes = sink.record().get(..body.end).unwrap_or_default();
        let start = head(sink, bytes, body.start).unwrap_or(body.start);
        if pairs(sink, bytes, start) < 2 {
            return Err(Malformed::new("not a Firepower security event"));
        }
        Ok(())
    }
}

/// `%FTD-1-430003:`; returns the place behind it.
fn head(sink: &mut Sink<'_, '_>, bytes: &[u8], start: usize) -> Option<usize> {
    let near = bytes.get(start..bytes.len().min(start + HEAD_WITHIN))?;
    let id = start + memmem::find(near, b"-43000")? + 1;
    let percent = start + memchr::memrchr(b'%', &bytes[start..id])?;
    let end = id + bytes[id..].iter().take_while(|b| b.is_ascii_digit()).count();
    let dash = percent + 1 + memchr::memchr(b'-', &bytes[percent + 1..])?;
    sink.plain(b"product", percent + 1..dash, SpanType::String);
    if dash + 1 < id {
        sink.plain(b"level", dash + 1..id - 1, SpanType::Number);
    }
    sink.plain(b"id", id..end, SpanType::Number);
    let colon = usize::from(bytes.get(end) == Some(&b':'));
    Some(end + colon)
}

/// Reads pairs up to the end and returns how many there were.
fn pairs(sink: &mut Sink<'_, '_>, bytes: &[u8], start: usize) -> usize {
    let (mut at, mut count) = (start, 0);
    loop {
        at += bytes[at..].iter().take_while(|b| **b == b' ').count();
        let Some(name) = name_len(&bytes[at..]) else { return count };
        let value = (at + name + 2).min(bytes.len());
        let end = memmem::find_iter(&bytes[value..], b", ")
            .map(|comma| value + comma)
            .find(|comma| name_len(&bytes[comma + 2..]).is_some())
            .unwrap_or(bytes.len());
        sink.plain(&bytes[at..at + name], value..end, SpanType::String);
        count += 1;
        at = (end + 2).min(bytes.len());
    }
}

/// The length of the name that `text` begins with, if a colon and a space or the end follow.
fn name_len(text: &[u8]) -> Option<usize> {
    text.first().filter(|first| first.is_ascii_uppercase())?;
    let len = text
        .iter()
        .take(NAME_BYTES_MAX + 1)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b' ' | b'/' | b'-'))
        .count();
    let ends = text.get(len) == Some(&b':') && matches!(text.get(len + 1), None | Some(b' '));
    (ends && len <= NAME_BYTES_MAX).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::checks::fields_of;

    #[track_caller]
    fn check(text: &str, expect: Option<&str>) {
        let got = fields_of(&Firepower, text).ok().map(|fields| fields.join("|"));
        assert_eq!(got.as_deref(), expect, "{text}");
    }

    #[test]
    fn names_and_values_with_spaces_and_commas() {
        check(
            "%FTD-1-430003: SrcIP: 192.0.2.1, Prefilter Policy: A, b, User: , UserAgent: M (KHTML, like X), URL: http://x/?a=1, b",
            Some(
                "product=FTD|level=1|id=430003|SrcIP=192.0.2.1|Prefilter Policy=A, b|User=|UserAgent=M (KHTML, like X)|URL=http://x/?a=1, b",
            ),
        );
        check(
            "fw %NGIPS-0-430001 SrcIP: 192.0.2.1, Message: x",
            Some("product=NGIPS|level=0|id=430001|SrcIP=192.0.2.1|Message=x"),
        );
        check("SrcIP: 192.0.2.1, DstIP: 192.0.2.2", Some("SrcIP=192.0.2.1|DstIP=192.0.2.2"));
        check("SrcIP: 192.0.2.1, DstIP:", Some("SrcIP=192.0.2.1|DstIP="));
    }

    #[test]
    fn names_are_bounded_and_other_text_is_refused() {
        let (long, longer) = ("A".repeat(NAME_BYTES_MAX), "A".repeat(NAME_BYTES_MAX + 1));
        check(&format!("{long}: 1, B: 2"), Some(&format!("{long}=1|B=2")));
        check(&format!("{longer}: 1, B: 2, C: 3"), None);
        for text in ["", "%FTD-1-430003:", "-43000", "%-43000", "%FTD-1-430003: text", "A: 1"] {
            check(text, None);
        }
    }
}
