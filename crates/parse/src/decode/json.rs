//! JSON objects: every leaf as a field under its dotted path, copied only where escaped.

use super::{Decoder, Malformed};
use crate::sink::{NAME_BYTES_MAX, NESTING_MAX, Sink};
use memchr::memchr2;
use std::ops::Range;
use yagura_event::SpanType;

/// One JSON object. Names of nested values are joined by dots; the items of an array have
/// the array's name, so a name may occur several times. Duplicate keys are all kept. Empty
/// objects and arrays are fields of type null.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl Decoder for Json {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        decode_with(sink, body, &mut Paths)
    }

    fn reads_objects(&self) -> bool {
        true
    }
}

/// Reads one JSON object and hands its leaves, in order, to `emit`.
pub(super) fn decode_with<E: Emit>(
    sink: &mut Sink<'_, '_>,
    body: Range<usize>,
    emit: &mut E,
) -> Result<(), Malformed> {
    let bytes = sink.record().get(..body.end).unwrap_or_default();
    let mut scan = Scan { bytes, emit, at: body.start, path: Vec::new(), scratch: Vec::new() };
    scan.space();
    // The cookie that tells syslog receivers of structured text.
    if bytes.get(scan.at..).is_some_and(|rest| rest.starts_with(b"@cee:")) {
        scan.at += 5;
        scan.space();
    }
    if scan.peek() != Some(b'{') {
        return Err(Malformed::new("not a JSON object"));
    }
    scan.value(sink, 0)?;
    scan.space();
    if scan.at < bytes.len() {
        return Err(Malformed::new("text after the JSON object"));
    }
    Ok(())
}

/// What becomes of each leaf of an object.
pub(super) trait Emit {
    /// Takes the leaf at a dotted path.
    fn leaf(&mut self, sink: &mut Sink<'_, '_>, path: &[u8], leaf: Leaf<'_>);

    /// The object at a dotted path is at its end.
    fn end(&mut self, _sink: &mut Sink<'_, '_>, _path: &[u8]) {}
}

/// The value of a leaf.
pub(super) struct Leaf<'a> {
    /// Its text, where that is not the record's own at `range`.
    pub decoded: Option<&'a [u8]>,
    /// Where it stands in the record.
    pub range: Range<usize>,
    /// Its type.
    pub kind: SpanType,
}

impl<'a> Leaf<'a> {
    /// Writes the value as a field.
    pub fn write(self, sink: &mut Sink<'_, '_>, name: &[u8]) {
        match self.decoded {
            Some(text) => sink.decoded(name, text, self.range, self.kind),
            None => sink.plain(name, self.range, self.kind),
        }
    }

    /// The value's text.
    pub fn bytes(&self, record: &'a [u8]) -> &'a [u8] {
        self.decoded.or_else(|| record.get(self.range.clone())).unwrap_or_default()
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.decoded.map_or(self.range.is_empty(), <[u8]>::is_empty)
    }
}

/// Fields under their dotted paths.
struct Paths;

impl Emit for Paths {
    fn leaf(&mut self, sink: &mut Sink<'_, '_>, path: &[u8], leaf: Leaf<'_>) {
        leaf.write(sink, path);
    }
}

struct Scan<'r, 'e, E> {
    bytes: &'r [u8],
    emit: &'e mut E,
    at: usize,
    /// The dotted name of the value that is being read.
    path: Vec<u8>,
    scratch: Vec<u8>,
}

impl<E: Emit> Scan<'_, '_, E> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8, why: &'static str) -> Result<(), Malformed> {
        if self.peek() != Some(byte) {
            return Err(Malformed::new(why));
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, sink: &mut Sink<'_, '_>, depth: usize) -> Result<(), Malformed> {
        match self.peek() {
            Some(b'{' | b'[') if depth >= NESTING_MAX => {
                sink.too_many();
                self.skip()
            }
            Some(b'{') => self.object(sink, depth),
            Some(b'[') => self.array(sink, depth),
            Some(b'"') => {
                let (range, escaped) = self.string()?;
                if escaped {
                    let mut text = std::mem::take(&mut self.scratch);
                    text.clear();
                    unescape(&self.bytes[range.clone()], &mut text)?;
                    let leaf = Leaf { decoded: Some(&text), range, kind: SpanType::String };
                    self.emit.leaf(sink, &self.path, leaf);
                    self.scratch = text;
                } else {
                    let leaf = Leaf { decoded: None, range, kind: SpanType::String };
                    self.emit.leaf(sink, &self.path, leaf);
                }
                Ok(())
            }
            Some(b't') => self.word(sink, b"true", SpanType::Bool),
            Some(b'f') => self.word(sink, b"false", SpanType::Bool),
            Some(b'n') => self.word(sink, b"null", SpanType::Null),
            Some(b'-' | b'0'..=b'9') => self.number(sink),
            Some(_) => Err(Malformed::new("a JSON value is expected")),
            None => Err(Malformed::new("the JSON ends too early")),
        }
    }

    fn object(&mut self, sink: &mut Sink<'_, '_>, depth: usize) -> Result<(), Malformed> {
        let start = self.at;
        self.at += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            self.empty(sink, start);
            return Ok(());
        }
        let parent = self.path.len();
        loop {
            self.space();
            let (key, escaped) = self.string()?;
            if parent > 0 {
                self.path.push(b'.');
            }
            let room = NAME_BYTES_MAX.saturating_sub(self.path.len());
            if escaped {
                let mut name = std::mem::take(&mut self.path);
                unescape(&self.bytes[key], &mut name)?;
                name.truncate(NAME_BYTES_MAX);
                self.path = name;
            } else {
                let key = &self.bytes[key];
                self.path.extend_from_slice(&key[..key.len().min(room)]);
            }
            self.space();
            self.expect(b':', "`:` is expected after a JSON name")?;
            self.space();
            self.value(sink, depth + 1)?;
            self.path.truncate(parent);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    self.emit.end(sink, &self.path);
                    return Ok(());
                }
                _ => return Err(Malformed::new("`,` or `}` is expected in the JSON")),
            }
        }
    }

    fn array(&mut self, sink: &mut Sink<'_, '_>, depth: usize) -> Result<(), Malformed> {
        let start = self.at;
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            self.empty(sink, start);
            return Ok(());
        }
        loop {
            self.space();
            self.value(sink, depth + 1)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(Malformed::new("`,` or `]` is expected in the JSON")),
            }
        }
    }

    fn empty(&mut self, sink: &mut Sink<'_, '_>, start: usize) {
        if !self.path.is_empty() {
            let leaf = Leaf { decoded: Some(b""), range: start..self.at, kind: SpanType::Null };
            self.emit.leaf(sink, &self.path, leaf);
        }
    }

    fn word(
        &mut self,
        sink: &mut Sink<'_, '_>,
        word: &'static [u8],
        kind: SpanType,
    ) -> Result<(), Malformed> {
        let range = self.at..self.at + word.len();
        if self.bytes.get(range.clone()) != Some(word) {
            return Err(Malformed::new("a JSON value is expected"));
        }
        self.at = range.end;
        let decoded = (kind == SpanType::Null).then_some(&b""[..]);
        self.emit.leaf(sink, &self.path, Leaf { decoded, range, kind });
        Ok(())
    }

    fn number(&mut self, sink: &mut Sink<'_, '_>) -> Result<(), Malformed> {
        let start = self.at;
        let rest = &self.bytes[start..];
        let len = rest
            .iter()
            .take_while(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .count();
        if !is_number(&rest[..len]) {
            return Err(Malformed::new("a JSON number is malformed"));
        }
        self.at += len;
        let leaf = Leaf { decoded: None, range: start..self.at, kind: SpanType::Number };
        self.emit.leaf(sink, &self.path, leaf);
        Ok(())
    }

    /// The range between the quotes, and whether it holds escapes.
    fn string(&mut self) -> Result<(Range<usize>, bool), Malformed> {
        self.expect(b'"', "`\"` is expected in the JSON")?;
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(found) = memchr2(b'"', b'\\', rest) else {
                return Err(Malformed::new("a JSON string does not end"));
            };
            self.at += found;
            if self.bytes[self.at] == b'"' {
                self.at += 1;
                return Ok((start..self.at - 1, escaped));
            }
            escaped = true;
            self.at += 2;
        }
    }

    /// Steps over an object or array without recursion.
    fn skip(&mut self) -> Result<(), Malformed> {
        let mut depth = 0usize;
        loop {
            match self.peek() {
                Some(b'{' | b'[') => {
                    depth += 1;
                    self.at += 1;
                }
                Some(b'}' | b']') => {
                    depth -= 1;
                    self.at += 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                Some(b'"') => {
                    self.string()?;
                }
                Some(_) => self.at += 1,
                None => return Err(Malformed::new("the JSON ends too early")),
            }
        }
    }
}

fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let mut rest = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest[0] == b'0') {
        return false;
    }
    rest = &rest[whole..];
    if let Some(decimals) = rest.strip_prefix(b".") {
        let count = digits(decimals);
        if count == 0 {
            return false;
        }
        rest = &decimals[count..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', more @ ..] => more,
            _ => exponent,
        };
        let count = digits(exponent);
        return count > 0 && count == exponent.len();
    }
    rest.is_empty()
}

/// Appends `text` with JSON escapes decoded; a lone surrogate becomes U+FFFD.
fn unescape(text: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let bad = Malformed::new("a JSON escape is malformed");
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &text[at..]) {
        out.extend_from_slice(&text[at..at + found]);
        at += found + 2;
        out.push(match text.get(at - 1).ok_or(bad.clone())? {
            b'"' => b'"',
            b'\\' => b'\\',
            b'/' => b'/',
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let mut code = u32::from(unit(text, at).ok_or(bad.clone())?);
                at += 4;
                if (0xD800..0xDC00).contains(&code)
                    && text.get(at..at + 2) == Some(b"\\u")
                    && let Some(low) = unit(text, at + 2).filter(|u| (0xDC00..0xE000).contains(u))
                {
                    code = 0x1_0000 + ((code - 0xD800) << 10) + (u32::from(low) - 0xDC00);
                    at += 6;
                }
                let letter = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            _ => return Err(bad),
        });
    }
    out.extend_from_slice(&text[at..]);
    Ok(())
}

fn unit(text: &[u8], at: usize) -> Option<u16> {
    let digits = std::str::from_utf8(text.get(at..at + 4)?).ok()?;
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use yagura_event::{EventBatch, FieldTable, IssueCode};

    fn read(text: &str) -> (Result<(), Malformed>, Vec<(String, String)>, EventBatch) {
        let mut batch = EventBatch::default();
        let fields = FieldTable::default();
        let mut sink = Sink::new(&mut batch, &fields, text.as_bytes());
        let result = Json.decode(&mut sink, 0..text.len());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let spans = batch
            .spans
            .iter()
            .map(|span| (text(batch.bytes(span.name)), text(batch.bytes(span.value))))
            .collect();
        (result, spans, batch)
    }

    #[track_caller]
    fn check(text: &str, expect: &[(&str, &str)]) {
        let (result, spans, _) = read(text);
        assert_eq!(result, Ok(()), "{text}");
        let expect: Vec<_> = expect.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
        assert_eq!(spans, expect, "{text}");
    }

    #[test]
    fn leaves_have_dotted_names_and_arrays_repeat_them() {
        check(
            r#"{"a":1,"b":{"c":"x","d":[1,{"e":true}]},"a":null, "n":[], "o":{}}"#,
            &[
                ("a", "1"),
                ("b.c", "x"),
                ("b.d", "1"),
                ("b.d.e", "true"),
                ("a", ""),
                ("n", ""),
                ("o", ""),
            ],
        );
    }

    #[test]
    fn escapes_are_decoded_and_plain_values_are_not_copied() {
        check(r#"{"a":"\u00e9\ud83d\ude00\ud800\n\\x\/"}"#, &[("a", "é😀\u{fffd}\n\\x/")]);
        check(r#"{"k\u0065y":"v"}"#, &[("key", "v")]);
        let (_, _, batch) = read(r#"{"a":"plain"}"#);
        assert_eq!(batch.spans[0].value, batch.spans[0].raw);
    }

    #[test]
    fn malformed_text_is_refused() {
        for bad in [
            "",
            "{",
            "[]",
            r#"{"a":1"#,
            r#"{"a":1}}"#,
            r#"{"a":01}"#,
            r#"{"a":1.}"#,
            r#"{"a":tru}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":"x}"#,
            r#"{"a" 1}"#,
            r#"{a:1}"#,
            r#"{"a":"\u12"}"#,
            r#"{"a":"\"#,
        ] {
            assert!(read(bad).0.is_err(), "{bad}");
        }
    }

    #[test]
    fn nesting_at_the_limit_is_read_and_beyond_it_flagged() {
        let nested = |n: usize| format!("{}1{}", r#"{"a":"#.repeat(n), "}".repeat(n));
        let (result, spans, batch) = read(&nested(NESTING_MAX));
        assert_eq!((result, spans.len(), batch.issues.len()), (Ok(()), 1, 0));
        let (result, spans, batch) = read(&nested(NESTING_MAX + 1));
        assert_eq!((result, spans.len()), (Ok(()), 0));
        assert_eq!(batch.issues[0].code, IssueCode::TooManyFields);
        assert!(read(&"[".repeat(100_000)).0.is_err());
    }

    #[test]
    fn fields_at_the_limit_are_read_and_beyond_it_flagged() {
        let wide = |n: usize| format!("{{\"a\":[{}]}}", vec!["1"; n].join(","));
        let (_, spans, batch) = read(&wide(crate::sink::FIELDS_MAX));
        assert_eq!((spans.len(), batch.issues.len()), (crate::sink::FIELDS_MAX, 0));
        let (_, spans, batch) = read(&wide(crate::sink::FIELDS_MAX + 1));
        assert_eq!((spans.len(), batch.issues.len()), (crate::sink::FIELDS_MAX, 1));
    }
}
