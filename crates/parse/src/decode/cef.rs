//! ArcSight's Common Event Format, CEF:0 and CEF:1.
//!
//! ```text
//! CEF:0|vendor|product|version|class id|name|severity|key=value key=value with spaces
//! ```
//! Header fields are called `cefVersion`, `deviceVendor`, `deviceProduct`, `deviceVersion`,
//! `deviceEventClassId`, `name` and `agentSeverity`; in them `\|` and `\\` are escapes, in
//! values of the extension `\=`, `\\` and, in sentences, `\n` and `\r`. A value reaches to the
//! next ` key=`.
//! Custom fields (`cs1` with `cs1Label`) are also given under their label.

use super::{Decoder, Malformed};
use crate::sink::Sink;
use std::ops::Range;
use yagura_event::{SpanFlags, SpanType};

/// The header's fields in their order.
const HEADER: [&[u8]; 7] = [
    b"cefVersion",
    b"deviceVendor",
    b"deviceProduct",
    b"deviceVersion",
    b"deviceEventClassId",
    b"name",
    b"agentSeverity",
];

/// Text before `CEF:` that is looked through, in bytes: relays put their own head there.
const HEAD_BYTES_MAX: usize = 512;

/// Keys of one record that are tried as the owner of a label, and labels. The format has
/// under 30 custom fields; a label beyond the limit stays a field of its own.
const KEYS_MAX: usize = 128;
const LABELS_MAX: usize = 32;

/// The decoder; see the module.
#[derive(Clone, Copy, Debug)]
pub struct Cef;

impl Decoder for Cef {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        let bytes = sink.record().get(..body.end).unwrap_or_default();
        let text = bytes.get(body.start..).unwrap_or_default();
        let found = memchr::memmem::find(&text[..text.len().min(HEAD_BYTES_MAX)], b"CEF:");
        let start = body.start + found.ok_or(Malformed::new("no CEF header"))? + 4;
        let end =
            header(sink, bytes, start, &HEADER).ok_or(Malformed::new("a short CEF header"))?;
        extension(sink, end..bytes.len());
        Ok(())
    }
}

/// Emits `names.len()` fields that end with `|` each (the last one also with the record) and
/// returns the place after them; `None` if there are fewer.
pub(super) fn header(
    sink: &mut Sink<'_, '_>,
    bytes: &[u8],
    start: usize,
    names: &[&[u8]],
) -> Option<usize> {
    let mut at = start;
    for (place, name) in names.iter().enumerate() {
        let mut end = at;
        loop {
            match memchr::memchr2(b'|', b'\\', bytes.get(end..)?) {
                Some(found) if bytes[end + found] == b'|' => {
                    end += found;
                    break;
                }
                Some(found) => end = (end + found + 2).min(bytes.len()),
                None if place + 1 == names.len() => {
                    end = bytes.len();
                    break;
                }
                None => return None,
            }
        }
        emit(sink, bytes, name, at..end);
        at = (end + 1).min(bytes.len());
    }
    Some(at)
}

/// A key's place and its span, where it may be the owner of a label.
type Key = (u32, u32, u32);

/// Emits the pairs of an extension and returns how many there were.
pub(super) fn extension(sink: &mut Sink<'_, '_>, range: Range<usize>) -> usize {
    let bytes = sink.record().get(..range.end).unwrap_or_default();
    let (mut keys, mut labels) = ([Key::default(); KEYS_MAX], [Key::default(); LABELS_MAX]);
    let (mut key_count, mut label_count, mut count) = (0, 0, 0);
    let mut next = next_key(bytes, range.start, range.start);
    while let Some(key) = next.take() {
        let start = key.end + 1;
        next = next_key(bytes, start, start);
        let end = next.as_ref().map_or(bytes.len(), |key| key.start);
        let before = sink.spans().len();
        let name = &bytes[key.clone()];
        emit(sink, bytes, name, start..end);
        count += 1;
        if sink.spans().len() == before {
            break;
        }
        let found = (key.start as u32, key.end as u32, before as u32);
        if name.ends_with(b"Label") {
            put(&mut labels, &mut label_count, found);
        } else {
            put(&mut keys, &mut key_count, found);
        }
    }
    for label in &labels[..label_count] {
        let stem = &bytes[label.0 as usize..label.1 as usize - b"Label".len()];
        let owner = keys[..key_count]
            .iter()
            .find(|key| bytes.get(key.0 as usize..key.1 as usize) == Some(stem));
        if let Some(owner) = owner {
            labelled(sink, owner.2 as usize, label.2 as usize);
        }
    }
    count
}

fn put<const N: usize>(list: &mut [Key; N], count: &mut usize, key: Key) {
    if let Some(slot) = list.get_mut(*count) {
        *slot = key;
        *count += 1;
    }
}

/// Gives the value of the custom field at `owner` also under the name that its label says.
fn labelled(sink: &mut Sink<'_, '_>, owner: usize, label: usize) {
    let (Some(value), Some(name)) =
        (sink.spans().get(owner).copied(), sink.spans().get(label).copied())
    else {
        return;
    };
    if name.value.len == 0 || name.value.len as usize > crate::sink::NAME_BYTES_MAX {
        return;
    }
    let field = sink.fields().get(sink.value(&name));
    sink.push_span(yagura_event::Span { field, name: name.value, ..value });
    // The new field says all of both.
    for at in [owner, label] {
        if let Some(span) = sink.span_at(at) {
            span.flags.0 |= SpanFlags::MAPPED;
        }
    }
}

/// The next key whose `=` is at `from` or later: letters, digits and `_ . - [ ]` after a
/// space or at `start`.
fn next_key(bytes: &[u8], start: usize, from: usize) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        let equals = at + memchr::memchr(b'=', bytes.get(at..)?)?;
        at = equals + 1;
        let before = &bytes[start..equals];
        let length = before
            .iter()
            .rev()
            .take_while(|b| {
                b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'[' | b']')
            })
            .count();
        let begin = equals - length;
        let apart = begin == start || matches!(bytes[begin - 1], b' ' | b'\t');
        if length > 0 && apart {
            return Some(begin..equals);
        }
    }
}

/// Emits a value without the spaces around it, its escapes decoded.
fn emit(sink: &mut Sink<'_, '_>, bytes: &[u8], name: &[u8], range: Range<usize>) {
    let text = bytes.get(range.clone()).unwrap_or_default();
    let blank = |b: &&u8| b.is_ascii_whitespace();
    let start = range.start + text.iter().take_while(blank).count();
    let end = range.end - text.iter().rev().take_while(blank).count();
    let range = start..end.max(start);
    let text = bytes.get(range.clone()).unwrap_or_default();
    if memchr::memchr(b'\\', text).is_none() {
        return sink.plain(name, range, SpanType::String);
    }
    // Senders that leave backslashes alone write `CORP\nina`; line breaks are in sentences.
    let sentence = text.contains(&b' ');
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, more @ ..] = rest {
        let decoded = match (first, more.first()) {
            (b'\\', Some(b'n')) if sentence => Some(b'\n'),
            (b'\\', Some(b'r')) if sentence => Some(b'\r'),
            (b'\\', Some(byte @ (b'=' | b'|' | b'\\'))) => Some(*byte),
            _ => None,
        };
        out.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &more[1..] } else { more };
    }
    sink.decoded(name, &out, range, SpanType::String);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::checks::fields_of;
    use yagura_event::{EventBatch, FieldTable};

    #[track_caller]
    fn check(text: &str, expect: Option<&str>) {
        let read = fields_of(&Cef, text).ok();
        let got = read.map(|fields| fields.get(HEADER.len()..).unwrap_or_default().join("#"));
        assert_eq!(got.as_deref(), expect, "{text}");
    }

    #[test]
    fn values_reach_to_the_next_key() {
        check(
            "x CEF:0|v|p|1|7|n|5|src=192.0.2.1 msg=two words, a\\=b  act= c request=http://h/?q=1&r=2 ",
            Some("src=192.0.2.1#msg=two words, a=b#act=c#request=http://h/?q=1&r=2"),
        );
        check("CEF:1|v|p|1|7|n|5|", Some(""));
        check("CEF:0|v|p|1|7|n|5", Some(""));
        check("CEF:0|v|p|1|7|n", None);
        check("CEF:0|v|p|1|7|n|5|no pair", Some(""));
        check("CEF:0|v|p|1|7|n|5|a.b[0]=1 =2", Some("a.b[0]=1 =2"));
        check("nothing", None);
    }

    #[test]
    fn escapes_are_decoded() {
        check(
            r"CEF:0|a\|b|p\\q|1|7|n|5|msg=one \ntwo path=C:\\x file=C:\dir suser=CORP\nina",
            Some("msg=one \ntwo#path=C:\\x#file=C:\\dir#suser=CORP\\nina"),
        );
        let text = r"CEF:0|a\|b|p\\q|1|7|n|5|";
        let (mut batch, fields) = (EventBatch::default(), FieldTable::default());
        let mut sink = Sink::new(&mut batch, &fields, text.as_bytes());
        assert!(Cef.decode(&mut sink, 0..text.len()).is_ok());
        assert_eq!(sink.get(b"deviceVendor"), Some(&b"a|b"[..]));
        assert_eq!(sink.get(b"deviceProduct"), Some(&b"p\\q"[..]));
    }

    #[test]
    fn labels_name_custom_fields() {
        check(
            "CEF:0|v|p|1|7|n|5|cs1Label=Rule Name cs1=allow web cn2=7 cs3Label=none",
            Some("cs1Label=Rule Name#cs1=allow web#cn2=7#cs3Label=none#Rule Name=allow web"),
        );
    }

    #[test]
    fn a_hostile_line_ends_soon() {
        for filler in ["=", "a=", " a=", "\\", "aLabel= a=x ", "|"] {
            let text = format!("CEF:0|v|p|1|7|n|5|{}", filler.repeat(100_000));
            let (mut batch, fields) = (EventBatch::default(), FieldTable::default());
            let mut sink = Sink::new(&mut batch, &fields, text.as_bytes());
            let _ = Cef.decode(&mut sink, 0..text.len());
            assert!(batch.spans.len() <= crate::sink::FIELDS_MAX);
        }
    }
}
