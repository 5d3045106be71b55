//! `key=value` pairs, quoted or not.

use super::{Decoder, Malformed};
use crate::def::node::{SourceError, Table};
use crate::sink::Sink;
use std::ops::Range;
use yagura_event::SpanType;

/// Pairs separated by spaces (or another byte). Words that are no pair are skipped.
#[derive(Clone, Copy, Debug)]
pub struct Kv {
    separator: u8,
    /// Unquoted values reach to the next ` key=`, so they may hold the separator.
    spaces: bool,
}

/// Reads `[kv]`: `separator` (one byte, default a space) and `spaces` (default false).
///
/// # Errors
/// Unknown keys or a separator of other than one byte.
pub fn build(options: Option<&Table<'_>>) -> Result<Kv, SourceError> {
    let mut kv = Kv { separator: b' ', spaces: false };
    let Some(options) = options else { return Ok(kv) };
    options.only(&["separator", "spaces"])?;
    if let Some(node) = options.get("separator") {
        match node.text()?.as_bytes() {
            [byte] => kv.separator = *byte,
            _ => return Err(node.error("one ASCII character is expected")),
        }
    }
    if let Some(node) = options.get("spaces") {
        kv.spaces = node.truth()?;
    }
    Ok(kv)
}

impl Decoder for Kv {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        match pairs(sink, body, self.separator, self.spaces) {
            0 => Err(Malformed::new("no key=value pair")),
            _ => Ok(()),
        }
    }
}

/// Reads the pairs in `range` of the record and returns how many there were.
pub fn pairs(sink: &mut Sink<'_, '_>, range: Range<usize>, separator: u8, spaces: bool) -> usize {
    let bytes = sink.record().get(..range.end).unwrap_or_default();
    let (mut at, mut count) = (range.start, 0);
    while at < bytes.len() {
        if bytes[at] == separator || bytes[at] == b' ' {
            at += 1;
            continue;
        }
        let key = key_len(&bytes[at..]);
        if key == 0 || bytes.get(at + key) != Some(&b'=') {
            at += memchr::memchr2(separator, b' ', &bytes[at..]).unwrap_or(bytes.len() - at);
            continue;
        }
        let name = &bytes[at..at + key];
        let start = at + key + 1;
        if bytes.get(start) == Some(&b'"') {
            at = quoted(sink, name, start + 1);
        } else {
            let end = start + value_len(&bytes[start..], separator, spaces);
            sink.plain(name, start..end, SpanType::String);
            at = end;
        }
        count += 1;
    }
    count
}

fn key_len(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take(crate::sink::NAME_BYTES_MAX)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b':' | b'@'))
        .count()
}

fn value_len(bytes: &[u8], separator: u8, spaces: bool) -> usize {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(found) = memchr::memchr(separator, rest) else { return bytes.len() };
        at += found;
        let after = bytes.get(at + 1..).unwrap_or_default();
        let key = key_len(after);
        if !spaces || (key > 0 && after.get(key) == Some(&b'=')) {
            return at;
        }
        at += 1;
    }
}

/// Emits the value that begins at `start`, behind its quote; returns the place after it.
fn quoted(sink: &mut Sink<'_, '_>, name: &[u8], start: usize) -> usize {
    let bytes = sink.record();
    let (mut at, mut escaped) = (start, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => break,
            b'\\' => {
                escaped = true;
                at += 2;
            }
            _ => at += 1,
        }
    }
    let end = at.min(bytes.len());
    if escaped {
        let mut text = Vec::with_capacity(end - start);
        let mut rest = bytes[start..end].iter();
        while let Some(byte) = rest.next() {
            match byte {
                b'\\' => text.extend(rest.next()),
                _ => text.push(*byte),
            }
        }
        sink.decoded(name, &text, start..end, SpanType::String);
    } else {
        sink.plain(name, start..end, SpanType::String);
    }
    end + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use yagura_event::{EventBatch, FieldTable};

    #[track_caller]
    fn check(text: &str, spaces: bool, expect: &[(&str, &str)]) {
        let (mut batch, fields) = (EventBatch::default(), FieldTable::default());
        let mut sink = Sink::new(&mut batch, &fields, text.as_bytes());
        let count = pairs(&mut sink, 0..text.len(), b' ', spaces);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let got: Vec<_> = batch
            .spans
            .iter()
            .map(|span| (text(batch.bytes(span.name)), text(batch.bytes(span.value))))
            .collect();
        let expect: Vec<_> = expect.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
        assert_eq!((count, got), (expect.len(), expect));
    }

    #[test]
    fn quotes_spaces_and_words_between() {
        check("IN=eth0 OUT= SYN SPT=1", false, &[("IN", "eth0"), ("OUT", ""), ("SPT", "1")]);
        check(r#"a="x y" b="q\"z" c"#, false, &[("a", "x y"), ("b", "q\"z")]);
        check("msg=two words act=drop", true, &[("msg", "two words"), ("act", "drop")]);
        check("a=\"open", false, &[("a", "open")]);
    }
}
