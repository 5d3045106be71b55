//! `key=value` pairs, quoted or not.

use super::{Decoder, Malformed};
use crate::def::Names;
use crate::def::node::{SourceError, Table};
use crate::sink::Sink;
use std::ops::Range;
use yagura_event::SpanType;

/// Longest name of a pair within brackets, prefix included, in bytes; longer ones are cut.
const INNER_NAME_BYTES_MAX: usize = 64;

/// The bytes that can stand between pairs where the separator is found out by the decoder.
const SEPARATORS: [u8; 5] = [b' ', b',', b';', b'\t', b'|'];

/// A field's name and the bare words that are its values.
type Listed = (Box<[u8]>, Vec<Box<[u8]>>);

/// Pairs separated by spaces or another byte. Words that are no pair are skipped, unless they
/// are listed.
#[derive(Clone, Debug)]
pub struct Kv {
    /// `None`: the byte that most often stands before a key.
    separator: Option<u8>,
    /// Unquoted values reach to the next ` key=`, so they may hold the separator.
    spaces: bool,
    /// Fewest pairs that make a record of this form.
    least: usize,
    /// The pairs must outnumber the words that are none.
    whole: bool,
    /// Prefix of the names of pairs within `[...]`, which describe another thing.
    inner: Option<Box<[u8]>>,
    /// Words that are values of themselves: the field's name and the words.
    words: Vec<Listed>,
}

impl Default for Kv {
    fn default() -> Self {
        Self {
            separator: Some(b' '),
            spaces: false,
            least: 1,
            whole: false,
            inner: None,
            words: Vec::new(),
        }
    }
}

/// What a range of a record held.
#[derive(Clone, Copy, Default, Debug)]
struct Tally {
    pairs: usize,
    words: usize,
}

/// Reads `[kv]`: `separator` (one byte or `auto`, default a space), `spaces` (default false),
/// `least` (pairs, default 1), `whole` (default false), `inner` (a prefix for names within
/// brackets) and `words` (a table of field names, each with the bare words that are its
/// values; words that follow each other are one value).
///
/// # Errors
/// Unknown keys or a separator of other than one byte.
pub fn build(options: Option<&Table<'_>>, names: &mut Names) -> Result<Kv, SourceError> {
    let mut kv = Kv::default();
    let Some(options) = options else { return Ok(kv) };
    options.only(&["separator", "spaces", "least", "whole", "inner", "words"])?;
    if let Some(node) = options.get("separator") {
        kv.separator = match node.text()?.as_bytes() {
            b"auto" => None,
            [byte] => Some(*byte),
            _ => return Err(node.error("one ASCII character or `auto` is expected")),
        }
    }
    if let Some(node) = options.get("spaces") {
        kv.spaces = node.truth()?;
    }
    if let Some(node) = options.get("whole") {
        kv.whole = node.truth()?;
    }
    if let Some(node) = options.get("least") {
        let least = node.as_integer().and_then(|n| usize::try_from(n).ok());
        kv.least = least.ok_or_else(|| node.error("a number of pairs is expected"))?;
    }
    if let Some(node) = options.get("inner") {
        kv.inner = Some(node.text()?.as_bytes().into());
    }
    if let Some(node) = options.get("words") {
        for (name, _, node) in node.table()?.entries() {
            names.intern(name);
            let words = node.texts()?.into_iter().map(|word| word.as_bytes().into()).collect();
            kv.words.push((name.as_bytes().into(), words));
        }
    }
    Ok(kv)
}

impl Decoder for Kv {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        // Objects and documents hold pairs in their texts, and are something else.
        let first = sink.record().get(body.start);
        if self.whole && matches!(first, Some(b'{' | b'<')) {
            return Err(Malformed::new("not a line of key=value pairs"));
        }
        let tally = self.read(sink, body);
        if tally.pairs < self.least.max(1) {
            return Err(Malformed::new("not enough key=value pairs"));
        }
        if self.whole && tally.words > tally.pairs {
            return Err(Malformed::new("more words than key=value pairs"));
        }
        Ok(())
    }
}

/// Reads the pairs in `range` of the record and returns how many there were.
pub fn pairs(sink: &mut Sink<'_, '_>, range: Range<usize>, separator: u8, spaces: bool) -> usize {
    Kv { separator: Some(separator), spaces, ..Kv::default() }.read(sink, range).pairs
}

impl Kv {
    /// Reads the pairs in `range` of the record and returns how many there were.
    pub fn pairs(&self, sink: &mut Sink<'_, '_>, range: Range<usize>) -> usize {
        self.read(sink, range).pairs
    }

    fn read(&self, sink: &mut Sink<'_, '_>, range: Range<usize>) -> Tally {
        let bytes = sink.record().get(..range.end).unwrap_or_default();
        let separator =
            self.separator.unwrap_or_else(|| likely(bytes.get(range.start..).unwrap_or_default()));
        let (mut at, mut tally, mut inside) = (range.start, Tally::default(), false);
        while let Some(byte) = bytes.get(at) {
            if *byte == separator || *byte == b' ' {
                at += 1;
                continue;
            }
            if self.inner.is_some() && *byte == if inside { b']' } else { b'[' } {
                inside = !inside;
                at += 1;
                continue;
            }
            let key = key_len(&bytes[at..]);
            if key == 0 || bytes.get(at + key) != Some(&b'=') {
                at = self.word(sink, bytes, at, separator, &mut tally);
                continue;
            }
            let prefix = self.inner.as_deref().filter(|_| inside).unwrap_or_default();
            let mut buffer = [0; INNER_NAME_BYTES_MAX];
            let name = joined(&mut buffer, prefix, &bytes[at..at + key]);
            let start = at + key + 1;
            if bytes.get(start) == Some(&b'"') {
                at = quoted(sink, bytes, name, start + 1);
            } else {
                let mut end = start + value_len(&bytes[start..], separator, self.spaces);
                if inside && bytes[start..end].ends_with(b"]") {
                    end -= 1;
                }
                sink.plain(name, start..end, SpanType::String);
                at = end;
            }
            tally.pairs += 1;
        }
        tally
    }

    /// Takes a listed word, with those of its list that follow, or skips one word; returns
    /// the place after it.
    fn word(
        &self,
        sink: &mut Sink<'_, '_>,
        bytes: &[u8],
        start: usize,
        separator: u8,
        tally: &mut Tally,
    ) -> usize {
        let end = |at: usize| {
            let rest = bytes.get(at..).unwrap_or_default();
            at + memchr::memchr2(separator, b' ', rest).unwrap_or(rest.len())
        };
        let first = end(start);
        let listed = |word: &[u8], words: &[Box<[u8]>]| words.iter().any(|w| w.as_ref() == word);
        let Some((name, words)) =
            self.words.iter().find(|(_, words)| listed(&bytes[start..first], words))
        else {
            tally.words += 1;
            // A word that is only a separator's neighbour must not stop the walk.
            return first.max(start + 1);
        };
        let mut last = first;
        while bytes.get(last) == Some(&b' ') {
            let next = end(last + 1);
            if !listed(&bytes[last + 1..next], words) {
                break;
            }
            last = next;
        }
        sink.plain(name, start..last, SpanType::String);
        last
    }
}

/// `prefix` and `name` in `buffer`, or `name` itself where there is no prefix.
fn joined<'a>(
    buffer: &'a mut [u8; INNER_NAME_BYTES_MAX],
    prefix: &[u8],
    name: &'a [u8],
) -> &'a [u8] {
    if prefix.is_empty() {
        return name;
    }
    let mut length = 0;
    for (slot, byte) in buffer.iter_mut().zip(prefix.iter().chain(name)) {
        *slot = *byte;
        length += 1;
    }
    &buffer[..length]
}

/// The byte that most often stands before a key; a space where none does.
fn likely(text: &[u8]) -> u8 {
    let mut counts = [0usize; SEPARATORS.len()];
    for equals in memchr::memchr_iter(b'=', text) {
        let before = &text[..equals];
        let key = before.iter().rev().take_while(|b| is_key(**b)).count();
        // A space after a comma belongs to the comma.
        let before = &before[..equals - key];
        let pair = match before {
            [.., byte, b' '] if *byte != b' ' && SEPARATORS.contains(byte) => Some(byte),
            _ => before.last(),
        };
        if let Some(at) = pair.and_then(|byte| SEPARATORS.iter().position(|s| s == byte)) {
            counts[at] += usize::from(key > 0);
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    counts.iter().position(|count| *count == most).map_or(b' ', |at| SEPARATORS[at])
}

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'@')
}

fn key_len(bytes: &[u8]) -> usize {
    bytes.iter().take(crate::sink::NAME_BYTES_MAX).take_while(|b| is_key(**b)).count()
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
///
/// `\"` and `\\` stand for quote and backslash; any other backslash is one (`CORP\user`).
fn quoted(sink: &mut Sink<'_, '_>, bytes: &[u8], name: &[u8], start: usize) -> usize {
    let (mut at, mut escaped) = (start, false);
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            break;
        }
        escaped |= matches!(bytes.get(at + 1), Some(b'"' | b'\\'));
        at += if matches!(bytes.get(at + 1), Some(b'"' | b'\\')) { 2 } else { 1 };
    }
    let end = if bytes.get(at) == Some(&b'"') { at } else { bytes.len() };
    if escaped {
        let mut text = Vec::with_capacity(end - start);
        let mut rest = &bytes[start..end];
        while let [first, more @ ..] = rest {
            let pair = *first == b'\\' && matches!(more.first(), Some(b'"' | b'\\'));
            text.push(if pair { more[0] } else { *first });
            rest = if pair { &more[1..] } else { more };
        }
        sink.decoded(name, &text, start..end, SpanType::String);
    } else {
        sink.plain(name, start..end, SpanType::String);
    }
    end + 1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
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
        check(r#"u="CORP\nina" p="C:\\x""#, false, &[("u", "CORP\\nina"), ("p", "C:\\x")]);
        check(r#"a="open\"#, false, &[("a", "open\\")]);
    }

    #[track_caller]
    fn with(options: &str, text: &str, expect: Option<&str>) {
        let origin = crate::def::node::Origin { file: "x", text: options };
        let root = origin.parse().unwrap();
        let table = Table::new(origin, 0, root.get_ref());
        let kv = build(Some(&table), &mut Names::default()).unwrap();
        let (mut batch, fields) = (EventBatch::default(), FieldTable::default());
        let mut sink = Sink::new(&mut batch, &fields, text.as_bytes());
        let read = kv.decode(&mut sink, 0..text.len()).is_ok();
        let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let got: Vec<_> = batch
            .spans
            .iter()
            .map(|span| {
                format!("{}={}", name(batch.bytes(span.name)), name(batch.bytes(span.value)))
            })
            .collect();
        assert_eq!(read.then(|| got.join("|")).as_deref(), expect, "{options} on {text}");
    }

    #[test]
    fn words_and_brackets() {
        let options = "inner = \"inner_\"\nwords = { flags = [\"SYN\", \"ACK\"], ip = [\"DF\"] }";
        with(
            options,
            "ID=0 DF RES=0 SYN ACK URGP=0",
            Some("ID=0|ip=DF|RES=0|flags=SYN ACK|URGP=0"),
        );
        with(
            options,
            "SRC=a CODE=3 [SRC=b DF LEN=4 ] MARK=1",
            Some("SRC=a|CODE=3|inner_SRC=b|ip=DF|inner_LEN=4|MARK=1"),
        );
        with(options, "A=1 [B=2] C=3", Some("A=1|inner_B=2|C=3"));
        with(options, "A=1 [B=2", Some("A=1|inner_B=2"));
    }

    #[test]
    fn the_separator_is_found_out() {
        let options = "separator = \"auto\"\nleast = 2\nwhole = true";
        with(options, "a=1 b=\"x y\" c=d,e", Some("a=1|b=x y|c=d,e"));
        with(options, "a=1,b=x y,c=2", Some("a=1|b=x y|c=2"));
        with(options, "a=1, b=x y, c=2", Some("a=1|b=x y|c=2"));
        with(options, "a=1;b=2;c=", Some("a=1|b=2|c="));
        with(options, "a=1\tb=2 3", Some("a=1|b=2 3"));
        with(options, "a=1", None);
        with(options, "the value of a=1 and b=2 here", None);
        with(options, "=", None);
        with(options, "{\"m\":\"a=1 b=2 c=3 d=4\"}", None);
    }
}
