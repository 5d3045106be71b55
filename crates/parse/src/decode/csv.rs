//! Values separated by commas (RFC 4180), their names given by the definition.
//!
//! `[csv]` holds
//!
//! | key | meaning |
//! |---|---|
//! | `separator` | one byte, default a comma |
//! | `by` | places (from 1), the first of which with a listed value chooses the columns |
//! | `[csv.columns]` | for each value, and `*` for any other, a list of names, or several lists |
//!
//! Of several lists the first that is long enough for the record is taken, else the last: a
//! product's later versions append columns. A name `_` drops the value; values beyond the
//! list are called `column_N`, from 1. Empty values are no fields.

use super::{Decoder, Malformed};
use crate::def::Names;
use crate::def::node::{Node, SourceError, Table};
use crate::sink::Sink;
use ahash::AHashMap;
use std::io::Write as _;
use std::ops::Range;
use yagura_event::SpanType;

/// Places of which one may choose the columns.
const BY_MAX: usize = 4;

type Columns = Vec<Box<[u8]>>;

/// The decoder; see the module.
#[derive(Debug)]
pub struct Csv {
    separator: u8,
    by: Vec<usize>,
    by_value: AHashMap<Box<[u8]>, Vec<Columns>>,
    any: Vec<Columns>,
}

/// Reads `[csv]`.
///
/// # Errors
/// Unknown keys, places that are none, lists that hold no names.
pub fn build(
    root: &Table<'_>,
    options: Option<&Table<'_>>,
    names: &mut Names,
) -> Result<Csv, SourceError> {
    let Some(options) = options else {
        return Err(root.origin.error(root.offset, "`[csv]` with `columns` is missing"));
    };
    options.only(&["separator", "by", "columns"])?;
    let mut csv =
        Csv { separator: b',', by: Vec::new(), by_value: AHashMap::new(), any: Vec::new() };
    if let Some(node) = options.get("separator") {
        match node.text()?.as_bytes() {
            [byte] if *byte != b'"' => csv.separator = *byte,
            _ => return Err(node.error("one ASCII character other than a quote is expected")),
        }
    }
    for node in options.get("by").map(|node| node.items()).unwrap_or_default() {
        match node.as_integer().and_then(|place| usize::try_from(place).ok()) {
            Some(place) if place > 0 && csv.by.len() < BY_MAX => csv.by.push(place - 1),
            _ => return Err(node.error("a place from 1 is expected, and at most 4 of them")),
        }
    }
    let Some(columns) = options.get("columns") else {
        return Err(options.origin.error(options.offset, "`columns` is missing"));
    };
    for (value, _, node) in columns.table()?.entries() {
        let lists = lists(&node, names)?;
        if value == "*" {
            csv.any = lists;
        } else {
            csv.by_value.insert(value.as_bytes().into(), lists);
        }
    }
    Ok(csv)
}

fn lists(node: &Node<'_>, names: &mut Names) -> Result<Vec<Columns>, SourceError> {
    let mut list = |node: &Node<'_>| -> Result<Columns, SourceError> {
        let columns = node.texts()?;
        columns.iter().filter(|name| **name != "_").for_each(|name| {
            names.intern(name);
        });
        Ok(columns.into_iter().map(|name| name.as_bytes().into()).collect())
    };
    let items = node.items();
    if items.iter().any(Node::is_array) {
        items.iter().map(list).collect()
    } else {
        Ok(vec![list(node)?])
    }
}

impl Decoder for Csv {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        let bytes = sink.record().get(..body.end).unwrap_or_default();
        let values = || Values { bytes, at: Some(body.start), separator: self.separator };
        let columns = self.columns(values).ok_or(Malformed::new("no columns for this record"))?;
        for (at, value) in values().enumerate() {
            if value.range.is_empty() {
                continue;
            }
            let mut buffer = [0u8; 32];
            let name = match columns.get(at) {
                Some(name) if name.as_ref() == b"_" => continue,
                Some(name) => name.as_ref(),
                None => numbered(&mut buffer, at + 1),
            };
            if value.doubled {
                let text = single_quotes(&bytes[value.range.clone()]);
                sink.decoded(name, &text, value.range, SpanType::String);
            } else {
                sink.plain(name, value.range, SpanType::String);
            }
        }
        Ok(())
    }
}

impl Csv {
    fn columns<'b>(&self, values: impl Fn() -> Values<'b>) -> Option<&Columns> {
        let chosen = self.by.iter().find_map(|place| {
            let mut all = values();
            let bytes = all.bytes;
            let value = all.nth(*place)?;
            self.by_value.get(bytes.get(value.range)?)
        });
        let lists = chosen.unwrap_or(&self.any);
        if lists.len() < 2 {
            return lists.first();
        }
        let count = values().count();
        lists.iter().find(|list| list.len() >= count).or(lists.last())
    }
}

fn numbered(buffer: &mut [u8; 32], number: usize) -> &[u8] {
    let mut rest = &mut buffer[..];
    // The longest number has 20 digits, so this cannot run out of room.
    let _ = write!(rest, "column_{number}");
    let left = rest.len();
    &buffer[..32 - left]
}

/// Doubled quotes as one.
fn single_quotes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, more @ ..] = rest {
        out.push(*first);
        rest = if *first == b'"' && more.first() == Some(&b'"') { &more[1..] } else { more };
    }
    out
}

/// One value's place, without its quotes.
#[derive(Clone, Debug)]
struct CsvValue {
    range: Range<usize>,
    /// Whether it holds doubled quotes.
    doubled: bool,
}

/// Walks the values of a record. A quote that does not open a value is part of it, and a
/// quoted value that does not end reaches to the end.
#[derive(Clone, Debug)]
struct Values<'b> {
    bytes: &'b [u8],
    at: Option<usize>,
    separator: u8,
}

impl Iterator for Values<'_> {
    type Item = CsvValue;

    fn next(&mut self) -> Option<CsvValue> {
        let start = self.at?;
        let rest = self.bytes.get(start..)?;
        if rest.first() == Some(&b'"') {
            return Some(self.quoted(start + 1));
        }
        let end = start + memchr::memchr(self.separator, rest).unwrap_or(rest.len());
        self.at = (end < self.bytes.len()).then_some(end + 1);
        Some(CsvValue { range: start..end, doubled: false })
    }
}

impl Values<'_> {
    fn quoted(&mut self, start: usize) -> CsvValue {
        let (mut at, mut doubled) = (start, false);
        while let Some(found) = self.bytes.get(at..).and_then(|rest| memchr::memchr(b'"', rest)) {
            let quote = at + found;
            match self.bytes.get(quote + 1) {
                Some(b'"') => doubled = true,
                Some(byte) if *byte != self.separator => {
                    at = quote + 1;
                    continue;
                }
                next => {
                    self.at = next.map(|_| quote + 2);
                    return CsvValue { range: start..quote, doubled };
                }
            }
            at = quote + 2;
        }
        self.at = None;
        CsvValue { range: start.min(self.bytes.len())..self.bytes.len(), doubled }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::decode::checks::fields_of;
    use crate::def::node::Origin;

    const OPTIONS: &str = "by = [2, 1]\n[columns]\nA = [\"x\", \"_\", \"y\"]\n\
                           B = [[\"p\", \"q\"], [\"r\", \"s\", \"t\", \"u\"]]\n\"*\" = [\"any\"]";

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let origin = Origin { file: "x", text: OPTIONS };
        let root = origin.parse().unwrap();
        let table = Table::new(origin, 0, root.get_ref());
        let csv = build(&table, Some(&table), &mut Names::default()).unwrap();
        assert_eq!(fields_of(&csv, text).unwrap().join("|"), expect, "{text}");
    }

    #[test]
    fn quotes_follow_the_rfc_and_bend_where_senders_do() {
        check("1,A,2", "x=1|y=2");
        check("\"a,b\",A,\"c \"\"d\"\"\"", "x=a,b|y=c \"d\"");
        check("a\"b,A,\"c\"d,e\"", "x=a\"b|y=c\"d,e");
        check("1,A,\"open,2", "x=1|y=open,2");
        check("1,A,\"", "x=1");
        check("1,A,\"\",4", "x=1|column_4=4");
        check("1,A,,4,", "x=1|column_4=4");
    }

    #[test]
    fn columns_follow_from_values_and_length() {
        check("1,B", "p=1|q=B");
        check("1,B,2", "r=1|s=B|t=2");
        check("1,B,2,3,4", "r=1|s=B|t=2|u=3|column_5=4");
        check("A,2", "x=A");
        check("1,2", "any=1|column_2=2");
        check("", "");
    }

    #[test]
    fn a_hostile_line_ends_soon() {
        let commas = ",".repeat(1 << 20);
        check(&commas, "");
        let quotes = "\"".repeat((1 << 20) + 1);
        check(&quotes, &format!("any={}", "\"".repeat(1 << 19)));
    }
}
