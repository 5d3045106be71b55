//! Tables: CSV and its kin, the columns known by name or by content.
//!
//! Quotes are RFC 4180's, within one line. Where a column is called for an indicator as such
//! (`ioc`, `indicator`, `value`) only it is read: the others are links and remarks.

use super::line::Lines;
use super::plain::bare;
use super::{End, Sink};
use crate::list::{NAME_BYTES_MAX, Statement};
use crate::refusal::Refusal;
use crate::url::cut;
use std::io::Read;

/// Most columns looked at.
const COLUMNS_MAX: usize = 256;

/// Names of columns that hold indicators of any kind.
pub(super) const ANY: [&str; 9] = [
    "ioc",
    "ioc_value",
    "indicator",
    "indicator_value",
    "value",
    "observable",
    "artifact",
    "attribute_value",
    "entity",
];

/// Names of columns that hold indicators of one kind.
pub(super) const TYPED: [&str; 50] = [
    "ip",
    "ips",
    "ip_address",
    "ipaddress",
    "ip_addr",
    "ipaddr",
    "ipv4",
    "ipv6",
    "address",
    "src_ip",
    "source_ip",
    "srcip",
    "dst_ip",
    "dest_ip",
    "destination_ip",
    "dstip",
    "c2_ip",
    "attacker",
    "network",
    "cidr",
    "subnet",
    "prefix",
    "netblock",
    "ip_range",
    "domain",
    "domains",
    "domain_name",
    "hostname",
    "host",
    "fqdn",
    "c2_domain",
    "url",
    "urls",
    "uri",
    "full_url",
    "phish_url",
    "hash",
    "filehash",
    "file_hash",
    "md5",
    "md5_hash",
    "sha1",
    "sha1_hash",
    "sha256",
    "sha256_hash",
    "sha512",
    "sha512_hash",
    "email",
    "email_address",
    "e_mail",
];

/// Names of columns that say what an indicator belongs to, best first.
pub(super) const NAMES: [&str; 8] = [
    "malware_printable",
    "malware",
    "malware_family",
    "family",
    "signature",
    "threat",
    "threat_type",
    "description",
];

/// Which columns are read.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Columns {
    values: Vec<usize>,
    /// First and last address of ranges.
    range: Option<(usize, usize)>,
    confidence: Option<usize>,
    name: Option<usize>,
    /// MISP's flag.
    to_ids: Option<usize>,
}

/// How a table is read.
pub(super) struct Table {
    pub separator: char,
    pub columns: Columns,
    /// The line of column names, where it is no comment.
    pub header: Option<String>,
}

impl Columns {
    /// Columns without a name.
    pub fn of(values: Vec<usize>) -> Self {
        Self { values, ..Self::default() }
    }

    /// Columns by their names; `None` where no name is known.
    pub fn named(cells: &[String]) -> Option<Self> {
        let names: Vec<String> = cells.iter().map(|cell| plain_name(cell)).collect();
        let all = |known: &[&str]| -> Vec<usize> {
            (0..names.len()).filter(|at| known.contains(&names[*at].as_str())).collect()
        };
        let one = |known: &[&str]| known.iter().find_map(|k| names.iter().position(|n| n == k));
        let mut values = all(&ANY);
        values.truncate(1);
        if values.is_empty() {
            values = all(&TYPED);
        }
        let ends = (one(&["start", "start_ip", "first_ip", "range_start"]), {
            one(&["end", "end_ip", "last_ip", "range_end"])
        });
        let range = match ends {
            (Some(start), Some(end)) if values.is_empty() => Some((start, end)),
            _ => None,
        };
        if values.is_empty() && range.is_none() {
            return None;
        }
        Some(Self {
            values,
            range,
            confidence: one(&["confidence", "confidence_level"]),
            name: one(&NAMES),
            to_ids: one(&["to_ids"]),
        })
    }
}

/// A column's name in lower case with `_` between words.
pub(super) fn plain_name(cell: &str) -> String {
    let words = cell.trim().trim_matches('"').to_lowercase();
    let words: Vec<&str> =
        words.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("_")
}

/// Splits a line at a separator outside quotes; cells are trimmed and unquoted.
pub(super) fn split(line: &str, separator: char) -> Vec<String> {
    let mut cells = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                cell.push('"');
                chars.next();
            }
            '"' if quoted => quoted = false,
            '"' if cell.trim().is_empty() => {
                cell.clear();
                quoted = true;
            }
            c if c == separator && !quoted => {
                cells.push(cell.trim().to_owned());
                cell.clear();
                if cells.len() >= COLUMNS_MAX {
                    return cells;
                }
            }
            c => cell.push(c),
        }
    }
    cells.push(cell.trim().to_owned());
    cells
}

pub(super) fn read<R: Read>(mut lines: Lines<R>, table: &Table, sink: &mut Sink) -> End {
    let mut header = table.header.as_deref();
    loop {
        let (line, long) = match lines.next() {
            Ok(Some(line)) => line,
            Ok(None) => return End::Done,
            Err(error) => return sink.io(&error),
        };
        sink.next_line();
        if long {
            sink.refuse(Refusal::TooLong, &line);
            continue;
        }
        if bare(&line).is_empty() {
            continue;
        }
        if header.take().is_some_and(|header| header.trim() == line.trim()) {
            continue;
        }
        if !row(&split(&line, table.separator), &table.columns, sink) {
            return sink.too_many();
        }
    }
}

/// Takes a row; false once the list is too long.
fn row(cells: &[String], columns: &Columns, sink: &mut Sink) -> bool {
    let cell = |at: usize| cells.get(at).map_or("", String::as_str);
    let off = columns.to_ids.is_some_and(|at| matches!(cell(at), "0" | "false" | "False"));
    if off && !sink.limits.wide {
        sink.refuse(Refusal::NotForDetection, columns.values.first().map_or("", |at| cell(*at)));
        return true;
    }
    let mut said = Statement::default();
    if let Some(confidence) = columns.confidence.and_then(|at| cell(at).parse::<f64>().ok()) {
        said.level = Statement::level_of(confidence);
    }
    if let Some(name) = columns.name.map(cell).filter(|name| !matches!(*name, "" | "n/a" | "None"))
    {
        name_into(name, &mut said);
    }
    if let Some((start, end)) = columns.range {
        return sink.entry(&format!("{}-{}", cell(start), cell(end)), &said);
    }
    columns.values.iter().all(|at| {
        let text = cell(*at);
        if matches!(text, "" | "n/a" | "N/A" | "None" | "null" | "-") {
            // A row has not every kind.
            if columns.values.len() == 1 {
                sink.refuse(Refusal::Empty, text);
            }
            return true;
        }
        // MISP writes two values that belong together as one.
        composite(text, &said, sink)
    })
}

/// Takes the parts of `domain|address`, `address|port` and `file|hash`; false once the list is
/// too long.
pub(super) fn composite(text: &str, said: &Statement, sink: &mut Sink) -> bool {
    let Some((a, b)) = text.split_once('|') else { return sink.entry(text, said) };
    let is_port = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    let is_hash = |part: &str| crate::digest::kind_of(part.len()).is_some();
    let file = is_hash(b) && !is_hash(a);
    (file || sink.entry(a, said)) && (is_port(b) || sink.entry(b, said))
}

/// Names a statement, within bounds.
pub(super) fn name_into(name: &str, said: &mut Statement) {
    said.name = cut(name.trim(), NAME_BYTES_MAX).replace(char::is_control, " ");
}
