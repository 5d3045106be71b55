//! The W3C extended log file format: values by the columns that `#Fields:` names.
//!
//! Values are separated by spaces, tabs or commas, as the names in the header are; a value in
//! quotes may hold the separator, and `""` in it is a quote. `-` and nothing are absent values.
//! Two fields are derived: `date-time` from the columns `date` and `time` (or the day that
//! `#Date:` names), and `cs-uri` from the columns that hold a URL's parts, where no column of
//! that name is there. Times are UTC by the format.
//!
//! Lines without a header (a shipper sent them without) are read by the first of the
//! definition's `[w3c] layouts` that has as many columns and whose addresses, ports, numbers
//! and times are such. A column with `?` behind it may be missing.

use super::{Decoder, Malformed};
use crate::def::node::{SourceError, Table};
use crate::header::{Columns, Style};
use crate::sink::Sink;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use yagura_event::SpanType;

/// Most layouts of one definition, columns that may be missing counted out: ten of them.
const LAYOUTS_MAX: usize = 1_024;

/// The decoder; see the module.
#[derive(Clone, Default, Debug)]
pub struct W3c {
    layouts: Vec<Arc<Columns>>,
}

/// Reads `[w3c]`: `layouts`, lists of column names as `#Fields:` has them.
///
/// # Errors
/// Unknown keys, more than [`LAYOUTS_MAX`] layouts.
pub fn build(options: Option<&Table<'_>>) -> Result<W3c, SourceError> {
    let Some(options) = options else { return Ok(W3c::default()) };
    options.only(&["layouts"])?;
    let Some(node) = options.get("layouts") else { return Ok(W3c::default()) };
    let mut layouts = Vec::new();
    for names in node.texts()? {
        let mut all = vec![String::new()];
        for name in names.split_inclusive([' ', ',']) {
            let bare = name.trim_end_matches([' ', ',']);
            let optional = bare.ends_with('?');
            let with = name.replacen('?', "", usize::from(optional));
            let mut more: Vec<String> = all.iter().map(|begun| format!("{begun}{with}")).collect();
            if optional {
                more.append(&mut all);
            }
            all = more;
            if layouts.len() + all.len() > LAYOUTS_MAX {
                return Err(node.error(format!("more than {LAYOUTS_MAX} layouts")));
            }
        }
        layouts.extend(all.iter().map(|names| Arc::new(Columns::layout(names))));
    }
    Ok(W3c { layouts })
}

impl Decoder for W3c {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        let record = sink.record().get(..body.end).unwrap_or_default();
        if let Some(columns) = sink.columns().filter(|columns| columns.style == Style::W3c) {
            let values = Values::new(record, body.start, separator(&columns)).collect::<Vec<_>>();
            if values.len() < columns.list.len() {
                return Err(Malformed::new("fewer values than the header names columns"));
            }
            if values.len() > columns.list.len() && !columns.cut {
                return Err(Malformed::new("more values than the header names columns"));
            }
            write(sink, &columns, &values);
            return Ok(());
        }
        let mut values: (u8, Vec<Item>) = (0, Vec::new());
        for layout in &self.layouts {
            let separator = separator(layout);
            if values.0 != separator {
                values = (separator, Values::new(record, body.start, separator).collect());
            }
            if values.1.len() == layout.list.len() && fits(record, layout, &values.1) {
                write(sink, layout, &values.1);
                return Ok(());
            }
        }
        Err(Malformed::new("no W3C header is in force and no known layout fits"))
    }

    fn reads_header(&self) -> Option<Style> {
        Some(Style::W3c)
    }
}

/// The byte between values.
fn separator(columns: &Columns) -> u8 {
    columns.separator.first().copied().unwrap_or(b' ')
}

/// One value: its place without quotes, and whether `""` in it stands for a quote.
#[derive(Clone, Debug)]
struct Item {
    range: Range<usize>,
    quotes: bool,
}

/// Splits a line into values.
struct Values<'a> {
    record: &'a [u8],
    at: usize,
    separator: u8,
    done: bool,
}

impl<'a> Values<'a> {
    fn new(record: &'a [u8], at: usize, separator: u8) -> Self {
        Self { record, at, separator, done: at >= record.len() }
    }
}

impl Iterator for Values<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if self.done {
            return None;
        }
        if self.separator == b' ' {
            let rest = self.record.get(self.at..).unwrap_or_default();
            self.at += rest.iter().take_while(|b| **b == b' ').count();
            if self.at >= self.record.len() {
                return None;
            }
        }
        let item = quoted(self.record, self.at, self.separator).unwrap_or_else(|| {
            let rest = self.record.get(self.at..).unwrap_or_default();
            let len = memchr::memchr(self.separator, rest).unwrap_or(rest.len());
            (Item { range: self.at..self.at + len, quotes: false }, self.at + len)
        });
        self.done = item.1 >= self.record.len();
        self.at = item.1 + 1;
        Some(item.0)
    }
}

/// The value in quotes at `at`, if its end is followed by a separator; and where that is.
fn quoted(record: &[u8], at: usize, separator: u8) -> Option<(Item, usize)> {
    if record.get(at) != Some(&b'"') {
        return None;
    }
    let (mut end, mut quotes) = (at + 1, false);
    loop {
        end += memchr::memchr(b'"', record.get(end..)?)?;
        match record.get(end + 1) {
            None => break,
            Some(next) if *next == separator => break,
            Some(b'"') => {
                quotes = true;
                end += 2;
            }
            // A quote inside, as user agents have them.
            Some(_) => end += 1,
        }
    }
    Some((Item { range: at + 1..end, quotes }, end + 1))
}

fn write(sink: &mut Sink<'_, '_>, columns: &Columns, values: &[Item]) {
    let record = sink.record();
    let stamp = stamp(columns, values, record);
    if let Some((joined, _)) = &stamp {
        match joined {
            Joined::Range(range) => sink.plain(b"date-time", range.clone(), SpanType::String),
            Joined::Parts(date, time) => sink.joined(b"date-time", &[date, b" ", time]),
        }
    }
    for (at, (column, value)) in columns.list.iter().zip(values).enumerate() {
        let text = record.get(value.range.clone()).unwrap_or_default();
        let in_stamp = stamp.as_ref().is_some_and(|(_, places)| places.contains(&Some(at)));
        if matches!(text, b"" | b"-") || in_stamp {
            continue;
        }
        let (field, name, range) = (column.field, &*column.name, value.range.clone());
        // The layouts of a definition are read before names are interned.
        let field = match field {
            yagura_event::FieldId::UNKNOWN => sink.fields().get(name),
            field => field,
        };
        if value.quotes {
            let text = unquoted(text);
            sink.decoded_as(field, name, &text, range, SpanType::String);
        } else {
            let kind = if is_number(text) { SpanType::Number } else { SpanType::String };
            sink.plain_as(field, name, range, kind);
        }
    }
    uri(sink, columns, values, record);
    if columns.cut {
        sink.too_many();
    }
}

fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, b"\"\"") {
        out.extend_from_slice(&rest[..=at]);
        rest = &rest[at + 2..];
    }
    out.extend_from_slice(rest);
    out
}

fn is_number(text: &[u8]) -> bool {
    let plain = text.len() <= 18 && text.iter().all(u8::is_ascii_digit);
    plain && (text[0] != b'0' || text.len() == 1)
}

enum Joined<'a> {
    Range(Range<usize>),
    Parts(&'a [u8], &'a [u8]),
}

/// The time of `date` and `time`, and the columns that it holds.
fn stamp<'a>(
    columns: &'a Columns,
    values: &[Item],
    record: &'a [u8],
) -> Option<(Joined<'a>, [Option<usize>; 2])> {
    let place = |at: Option<usize>| {
        let at = at?;
        let range = values.get(at)?.range.clone();
        (record.get(range.clone()) != Some(b"-")).then_some((at, range))
    };
    let (time_at, time) = place(columns.places.time)?;
    let Some((date_at, date)) = place(columns.places.date) else {
        let parts = Joined::Parts(&columns.date, record.get(time)?);
        return (!columns.date.is_empty()).then_some((parts, [Some(time_at), None]));
    };
    let places = [Some(date_at), Some(time_at)];
    if separator(columns) == b' ' && date.end + 1 == time.start {
        return Some((Joined::Range(date.start..time.end), places));
    }
    Some((Joined::Parts(record.get(date)?, record.get(time)?), places))
}

/// Joins a URL's parts to `cs-uri`: with scheme and host where they are columns (proxies), else
/// the request target (servers).
fn uri(sink: &mut Sink<'_, '_>, columns: &Columns, values: &[Item], record: &[u8]) {
    let places = &columns.places;
    let value = |at: Option<usize>| {
        let text = record.get(values.get(at?)?.range.clone())?;
        (!matches!(text, b"" | b"-")).then_some(text)
    };
    let (path, scheme) = (value(places.path), value(places.scheme));
    let host = value(places.host).filter(|_| scheme.is_some());
    if value(places.uri).is_some() {
        return;
    }
    if path.is_none() && host.is_none() {
        return;
    }
    let port = value(places.port).filter(|port| {
        let usual: &[u8] = match scheme {
            Some(b"http") => b"80",
            Some(b"https") => b"443",
            Some(b"ftp") => b"21",
            _ => b"",
        };
        host.is_some() && *port != usual
    });
    let query = value(places.query);
    let mark = query.is_some_and(|query| query.first() != Some(&b'?'));
    let given = |there: bool, text: &'static [u8]| if there { text } else { b"" };
    sink.joined(
        b"cs-uri",
        &[
            host.and(scheme).unwrap_or_default(),
            given(host.is_some(), b"://"),
            host.unwrap_or_default(),
            given(port.is_some(), b":"),
            port.unwrap_or_default(),
            path.unwrap_or(b"/"),
            given(mark, b"?"),
            query.unwrap_or_default(),
        ],
    );
}

/// Whether values are of the form that their columns' names say.
fn fits(record: &[u8], layout: &Columns, values: &[Item]) -> bool {
    layout.list.iter().zip(values).all(|(column, value)| {
        let text = record.get(value.range.clone()).unwrap_or_default();
        if matches!(text, b"" | b"-") {
            return true;
        }
        let digits = || text.iter().all(u8::is_ascii_digit);
        match &*column.name {
            b"date" => shaped(text, b"0000-00-00"),
            b"time" => shaped(text, b"00:00:00"),
            b"date-time" => text.len() >= 19 && shaped(&text[..10], b"0000-00-00"),
            b"c-ip" | b"s-ip" | b"r-ip" | b"client-ip" | b"server-ip" => is_ip(text),
            b"s-port" | b"c-port" | b"sc-status" | b"sc-substatus" | b"sc-win32-status"
            | b"sc-bytes" | b"cs-bytes" | b"time-taken" | b"total-bytes" => digits(),
            b"cs-method" => {
                text.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
            }
            b"cs-version" => text.starts_with(b"HTTP/"),
            b"cs-uri-stem" => matches!(text[0], b'/' | b'*'),
            b"session-id" => text.len() >= 8 && text.iter().all(u8::is_ascii_hexdigit),
            b"sequence-number" => digits(),
            b"event" => matches!(text, b"+" | b">" | b"<" | b"*"),
            b"s-computername" => !is_ip(text) && !is_method(text) && text.len() <= 63,
            b"cs-host" => text.iter().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(b)),
            b"cs(Cookie)" => text.contains(&b'='),
            b"cs(Referer)" => memchr::memmem::find(text, b":/").is_some() || text[0] == b'/',
            b"s-sitename" => [&b"W3SVC"[..], b"MSFTPSVC", b"SMTPSVC"].iter().any(|service| {
                text.get(..service.len()).is_some_and(|t| t.eq_ignore_ascii_case(service))
            }),
            b"X-Forwarded-For" => {
                let address = |b: &u8| b.is_ascii_hexdigit() || b".:,+[]".contains(b);
                text.iter().all(address) && text.iter().any(|b| b".:".contains(b))
            }
            b"x-forwarded-port" => digits(),
            _ => true,
        }
    })
}

fn is_method(text: &[u8]) -> bool {
    [&b"GET"[..], b"POST", b"HEAD", b"PUT", b"OPTIONS", b"DELETE"].contains(&text)
}

/// Whether `text` has digits where `form` has `0`, and else the same bytes.
fn shaped(text: &[u8], form: &[u8]) -> bool {
    text.len() == form.len()
        && text.iter().zip(form).all(|(b, f)| if *f == b'0' { b.is_ascii_digit() } else { b == f })
}

/// An address, an IPv6 zone (`%0`) behind it allowed.
fn is_ip(text: &[u8]) -> bool {
    let text = text.split(|b| *b == b'%').next().unwrap_or_default();
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<IpAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use yagura_event::{EventBatch, FieldTable};

    fn read(decoder: &W3c, headers: &[&str], line: &str) -> Result<String, Malformed> {
        let headers: Vec<String> = headers.iter().map(|line| (*line).to_owned()).collect();
        let (mut batch, fields) = (EventBatch::default(), FieldTable::default());
        let mut sink = Sink::new(&mut batch, &fields, line.as_bytes());
        sink.set_columns(Columns::read(&headers, &fields).map(Arc::new));
        decoder.decode(&mut sink, 0..line.len())?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let one = |s: &yagura_event::Span| {
            format!("{}={}", text(batch.bytes(s.name)), text(batch.bytes(s.value)))
        };
        Ok(batch.spans.iter().map(one).collect::<Vec<_>>().join("|"))
    }

    #[track_caller]
    fn check(headers: &[&str], line: &str, expect: &str) {
        let got = read(&W3c::default(), headers, line);
        assert_eq!(got.as_deref(), Ok(expect), "{line}");
    }

    #[test]
    fn values_by_spaces_quotes_tabs_and_commas() {
        check(
            &["#Fields: date time c-ip cs(User-Agent) sc-status"],
            "2024-03-01 10:00:01 192.0.2.1 \"a \"\"b\"\" c\" 200",
            "date-time=2024-03-01 10:00:01|c-ip=192.0.2.1|cs(User-Agent)=a \"b\" c|sc-status=200",
        );
        check(&["#Fields:\ta\tb\tc"], "x y\t\tz", "a=x y|c=z");
        check(&["#Fields: a,b,c"], "x,\"y,z\",-", "a=x|b=y,z");
        check(&["#Fields: a b"], "x  y", "a=x|b=y");
        check(&["#Fields: a b"], "\"open y", "a=\"open|b=y");
    }

    #[test]
    fn times_and_urls_are_joined() {
        check(
            &["#Date: 2024-03-01 00:00:00", "#Fields: time cs-uri-stem cs-uri-query"],
            "10:00:01 /a b=1",
            "date-time=2024-03-01 10:00:01|cs-uri-stem=/a|cs-uri-query=b=1|cs-uri=/a?b=1",
        );
        let proxy = ["#Fields: cs-uri-scheme cs-host cs-uri-port cs-uri-path cs-uri-query"];
        let fields = "cs-uri-scheme=http|cs-host=h.example|";
        check(
            &proxy,
            "http h.example 8080 /a ?b",
            &format!(
                "{fields}cs-uri-port=8080|cs-uri-path=/a|cs-uri-query=?b|cs-uri=http://h.example:8080/a?b"
            ),
        );
        check(
            &proxy,
            "http h.example 80 - -",
            &format!("{fields}cs-uri-port=80|cs-uri=http://h.example/"),
        );
    }

    #[test]
    fn lines_without_a_header_take_the_layout_that_fits() {
        let layout = |names: &str| Arc::new(Columns::layout(names));
        let decoder = W3c {
            layouts: vec![layout("date time c-ip s-port"), layout("date time s-sitename c-ip")],
        };
        let read = |line| read(&decoder, &[], line);
        assert_eq!(
            read("2024-03-01 10:00:01 ::1%0 80").as_deref(),
            Ok("date-time=2024-03-01 10:00:01|c-ip=::1%0|s-port=80")
        );
        assert_eq!(
            read("2024-03-01 10:00:01 W3SVC1 192.0.2.1").as_deref(),
            Ok("date-time=2024-03-01 10:00:01|s-sitename=W3SVC1|c-ip=192.0.2.1")
        );
        assert!(read("2024-03-01 10:00:01 x y").is_err());
        assert!(read("2024-03-01 10:00:01 192.0.2.1").is_err());
        assert!(read("").is_err());
    }
}
