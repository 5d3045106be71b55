//! Makes the index of a data file from its rows, in their order.

use super::bloom::Filter;
use super::keyed::{self, Keyed};
use super::keyset::KeySet;
use super::{format, hash, text};
use crate::file::GRANULE_ROWS;
use crate::schema::TableKind;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use std::net::IpAddr;

/// An index under construction.
pub(crate) struct IndexBuilder {
    kind: TableKind,
    rows: u64,
    keys: KeySet,
    filters: Vec<Filter>,
}

impl IndexBuilder {
    /// For a data file of the table; `None` where its files have none.
    pub(crate) fn new(kind: TableKind) -> Option<Self> {
        keyed::is_indexed(kind).then(|| Self {
            kind,
            rows: 0,
            keys: KeySet::default(),
            filters: Vec::new(),
        })
    }

    /// Adds rows behind those before.
    pub(crate) fn push(&mut self, rows: &RecordBatch) {
        let mut at = 0;
        while at < rows.num_rows() {
            let room = GRANULE_ROWS - (self.rows % GRANULE_ROWS as u64) as usize;
            let count = room.min(rows.num_rows() - at);
            self.add(&rows.slice(at, count));
            at += count;
            self.rows += count as u64;
            if count == room {
                self.close();
            }
        }
    }

    /// Ends a granule.
    fn close(&mut self) {
        let number = u32::try_from(self.filters.len()).unwrap_or(u32::MAX);
        self.filters.push(Filter::of(number, &self.keys));
        self.keys.clear();
    }

    fn add(&mut self, rows: &RecordBatch) {
        let schema = rows.schema();
        for (field, column) in schema.fields().iter().zip(rows.columns()) {
            if column.null_count() == column.len() {
                continue;
            }
            match keyed::of(self.kind, field.name()) {
                None => {}
                Some(what) => {
                    each_text(column, &mut |texts| add_texts(&mut self.keys, what, texts))
                }
            }
        }
    }

    /// The bytes of the index of the data file with this hash.
    pub(crate) fn finish(mut self, file: &[u8; 32]) -> Vec<u8> {
        if !self.rows.is_multiple_of(GRANULE_ROWS as u64) {
            self.close();
        }
        format::encode(file, self.rows, &self.filters)
    }
}

/// The texts of a column: of a list its elements, of objects their members.
fn each_text(column: &ArrayRef, take: &mut dyn FnMut(&StringArray)) {
    match column.data_type() {
        DataType::Utf8 => take(column.as_string::<i32>()),
        DataType::List(_) => {
            let list = column.as_list::<i32>();
            let offsets = list.value_offsets();
            let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { return };
            let (from, to) = (*first as usize, *last as usize);
            each_text(&list.values().slice(from, to.saturating_sub(from)), take);
        }
        DataType::Struct(_) => {
            column.as_struct().columns().iter().for_each(|member| each_text(member, take));
        }
        _ => {}
    }
}

fn add_texts(keys: &mut KeySet, what: Keyed, texts: &StringArray) {
    // Rows of a kind stand beside each other, and many of their values repeat.
    let mut last = None;
    for text in texts.iter().flatten() {
        if last == Some(text) {
            continue;
        }
        last = Some(text);
        match what {
            Keyed::Words => text::keys(text.as_bytes(), |key| keys.insert(key)),
            Keyed::Values(part) => {
                keys.insert(hash::value(text));
                let name = part.and_then(|part| part.of(text));
                name.into_iter().for_each(|name| keys.insert(hash::value(name)));
            }
            Keyed::Urls => {
                keys.insert(hash::value(text));
                let host = host_of(text);
                host.into_iter().for_each(|host| keys.insert(hash::value(host)));
            }
            Keyed::Addresses => {
                keys.insert(hash::value(text));
                // An IPv4 address has one form only.
                if text.contains(':')
                    && let Ok(ip) = text.parse::<IpAddr>()
                {
                    keys.insert(hash::value(&ip.to_canonical().to_string()));
                }
            }
        }
    }
}

/// The host of a URL, without user and port, as it is written; without a scheme it begins with
/// its host, unless it is a path.
pub(crate) fn host_of(url: &str) -> Option<&str> {
    let url = url.trim();
    let rest = match url.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => rest,
        _ => url.strip_prefix("//").unwrap_or(url),
    };
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => host.split(':').next()?,
    };
    let host = host.trim_end_matches('.');
    let is_host = !host.is_empty() && !host.bytes().any(|b| b.is_ascii_whitespace());
    is_host.then_some(host)
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn hosts_of_urls() {
        for (url, host) in [
            ("http://a.example/x", Some("a.example")),
            ("https://user:pw@A.example:8443?q", Some("A.example")),
            ("http://[2001:db8::1]:80/", Some("2001:db8::1")),
            ("tcp://10.0.0.1:443", Some("10.0.0.1")),
            ("a.example:443", Some("a.example")),
            ("//a.example/x", Some("a.example")),
            ("no host at all", None),
            ("/index.html", None),
            ("http:///x", None),
        ] {
            assert_eq!(host_of(url), host, "{url}");
        }
    }
}
