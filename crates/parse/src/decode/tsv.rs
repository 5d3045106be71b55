//! Zeek's TSV logs: values by the columns that the context's header lines name.
//!
//! A record gives the fields that the same record has in Zeek's JSON form: unset values are
//! absent, sets and vectors repeat their name (an empty one is a null), `T` and `F` are
//! truths, and `_path` comes from `#path`. Escapes of printable letters, tabs and line ends are
//! decoded; those of other bytes (`\x00`) stay, as they do in the JSON form.

use super::{Decoder, Malformed};
use crate::header::{Column, Columns, Style, Type};
use crate::sink::Sink;
use std::ops::Range;
use yagura_event::SpanType;

/// The decoder; see the module.
#[derive(Clone, Copy, Debug)]
pub struct Tsv;

impl Decoder for Tsv {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        let Some(columns) = sink.columns().filter(|columns| columns.style == Style::Zeek) else {
            return Err(Malformed::new("no Zeek header is in force"));
        };
        let bytes = sink.record().get(..body.end).unwrap_or_default();
        let line = bytes.get(body.start..).unwrap_or_default();
        let separator = &*columns.separator;
        let separators = match separator {
            [byte] => memchr::memchr_iter(*byte, line).count(),
            _ => memchr::memmem::find_iter(line, separator).count(),
        };
        if separators + 1 < columns.list.len() {
            return Err(Malformed::new("fewer values than the header names columns"));
        }
        if separators + 1 > columns.list.len() && !columns.cut {
            return Err(Malformed::new("more values than the header names columns"));
        }
        if !columns.path.is_empty() {
            sink.derived(b"_path", &columns.path);
        }
        let mut start = body.start;
        for column in &columns.list {
            let rest = bytes.get(start..).unwrap_or_default();
            let found = match separator {
                [byte] => memchr::memchr(*byte, rest),
                _ => memchr::memmem::find(rest, separator),
            };
            let end = start + found.unwrap_or(rest.len());
            value(sink, &columns, column, start..end);
            start = end + separator.len();
        }
        if columns.cut {
            sink.too_many();
        }
        Ok(())
    }

    fn reads_header(&self) -> Option<Style> {
        Some(Style::Zeek)
    }
}

fn value(sink: &mut Sink<'_, '_>, columns: &Columns, column: &Column, range: Range<usize>) {
    let text = sink.record().get(range.clone()).unwrap_or_default();
    if text == &*columns.unset {
        return;
    }
    if !column.many {
        return item(sink, columns, column, range);
    }
    if text == &*columns.empty {
        return sink.decoded_as(column.field, &column.name, b"", range, SpanType::Null);
    }
    let mut start = range.start;
    loop {
        let rest = sink.record().get(start..range.end).unwrap_or_default();
        let end = start + memchr::memchr(columns.set_separator, rest).unwrap_or(rest.len());
        if sink.record().get(start..end) == Some(&*columns.unset) {
            sink.decoded_as(column.field, &column.name, b"", start..end, SpanType::Null);
        } else {
            item(sink, columns, column, start..end);
        }
        if end >= range.end {
            return;
        }
        start = end + 1;
    }
}

fn item(sink: &mut Sink<'_, '_>, columns: &Columns, column: &Column, range: Range<usize>) {
    let text = sink.record().get(range.clone()).unwrap_or_default();
    let (field, name) = (column.field, &*column.name);
    match column.kind {
        Type::Bool if text == b"T" => sink.decoded_as(field, name, b"true", range, SpanType::Bool),
        Type::Bool if text == b"F" => sink.decoded_as(field, name, b"false", range, SpanType::Bool),
        Type::Number => sink.plain_as(field, name, range, SpanType::Number),
        _ if text == &*columns.empty => {
            sink.decoded_as(field, name, b"", range, SpanType::String);
        }
        _ if memchr::memchr(b'\\', text).is_some() => {
            let text = unescape(text);
            sink.decoded_as(field, name, &text, range, SpanType::String);
        }
        _ => sink.plain_as(field, name, range, SpanType::String),
    }
}

/// Decodes `\\` and those `\xhh` that stand for printable ASCII, tab, line feed and return.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let after = &rest[at + 1..];
        let code = after
            .strip_prefix(b"x")
            .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex.get(..2)?).ok()?, 16).ok());
        match code {
            Some(byte) if matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~') => {
                out.push(byte);
                rest = &after[3..];
            }
            _ => {
                out.push(b'\\');
                rest = after.strip_prefix(b"\\").unwrap_or(after);
            }
        }
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use yagura_event::{EventBatch, FieldTable};

    const HEADER: &[&str] = &[
        "#separator \\x09",
        "#path\tx",
        "#fields\tts\tname\ttags\tok",
        "#types\ttime\tstring\tset[string]\tbool",
    ];

    fn read(line: &str) -> Result<Vec<String>, Malformed> {
        let headers: Vec<String> = HEADER.iter().map(|line| (*line).to_owned()).collect();
        let (mut batch, fields) = (EventBatch::default(), FieldTable::default());
        let mut sink = Sink::new(&mut batch, &fields, line.as_bytes());
        sink.set_columns(Columns::read(&headers, &fields).map(Arc::new));
        Tsv.decode(&mut sink, 0..line.len())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let one = |s: &yagura_event::Span| {
            format!("{}={}:{:?}", text(batch.bytes(s.name)), text(batch.bytes(s.value)), s.kind)
        };
        Ok(batch.spans.iter().map(one).collect())
    }

    #[track_caller]
    fn check(line: &str, expect: &[&str]) {
        let mut all = vec!["_path=x:String".to_owned()];
        all.extend(expect.iter().map(|text| (*text).to_owned()));
        assert_eq!(read(line), Ok(all), "{line}");
    }

    #[test]
    fn values_have_the_form_of_zeeks_json() {
        check(
            "1.5\ta\tx,y\tT",
            &["ts=1.5:Number", "name=a:String", "tags=x:String", "tags=y:String", "ok=true:Bool"],
        );
        check("1.5\t-\t-\t-", &["ts=1.5:Number"]);
        check(
            "1\t(empty)\t(empty)\tF",
            &["ts=1:Number", "name=:String", "tags=:Null", "ok=false:Bool"],
        );
        check(
            "1\t\\x09a\\\\b\\x00\\\\\ta\\x2cb,-\t-",
            &["ts=1:Number", "name=\ta\\b\\x00\\:String", "tags=a,b:String", "tags=:Null"],
        );
        check("1\tend\\\t-\t-", &["ts=1:Number", "name=end\\:String"]);
    }

    #[test]
    fn a_separator_may_be_of_several_letters() {
        let headers =
            ["#separator ||", "#fields||a||b", "#types||string||count"].map(str::to_owned);
        let (mut batch, fields) = (EventBatch::default(), FieldTable::default());
        let mut sink = Sink::new(&mut batch, &fields, b"x|y||2");
        sink.set_columns(Columns::read(&headers, &fields).map(Arc::new));
        assert_eq!(Tsv.decode(&mut sink, 0..6), Ok(()));
        let values: Vec<_> = batch.spans.iter().map(|span| batch.bytes(span.value)).collect();
        assert_eq!(values, [b"x|y".as_slice(), b"2"]);
    }

    #[test]
    fn another_number_of_values_is_refused() {
        assert!(read("1\ta\tx").is_err());
        assert!(read("1\ta\tx\tT\tmore").is_err());
        assert!(read("").is_err());
    }
}
