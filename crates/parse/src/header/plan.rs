//! The columns that a header names, as decoders read them, made once a context and thread.

use super::{COLUMNS_MAX, Style, directive};
use std::sync::Arc;
use yagura_event::{Context, FieldId, FieldTable};

/// Plans kept by one thread. A thread reads few inputs at a time; what drops out is made anew.
const PLANS_MAX: usize = 16;

/// What the values of a column are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    /// Text.
    Text,
    /// Numbers, times and intervals, as written.
    Number,
    /// `T` or `F`.
    Bool,
}

/// One column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its name.
    pub name: Box<[u8]>,
    /// The interned name, or [`FieldId::UNKNOWN`].
    pub field: FieldId,
    /// What its values are.
    pub kind: Type,
    /// Whether a value holds several (a set or vector).
    pub many: bool,
}

/// The places of the W3C columns of which time and URL are joined.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Places {
    /// `date`.
    pub date: Option<usize>,
    /// `time`.
    pub time: Option<usize>,
    /// `cs-uri` or `c-uri`: the URL is there whole.
    pub uri: Option<usize>,
    /// `cs-uri-scheme`.
    pub scheme: Option<usize>,
    /// `cs-host` or `cs-uri-host`.
    pub host: Option<usize>,
    /// `cs-uri-port`.
    pub port: Option<usize>,
    /// `cs-uri-stem` or `cs-uri-path`.
    pub path: Option<usize>,
    /// `cs-uri-query`.
    pub query: Option<usize>,
}

/// The columns in force and how values are written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Columns {
    /// The kind of header.
    pub style: Style,
    /// Between values: one byte, but Zeek allows for more.
    pub separator: Box<[u8]>,
    /// Between the items of one value.
    pub set_separator: u8,
    /// How an empty value is written; nothing in W3C's format.
    pub empty: Box<[u8]>,
    /// How an absent value is written.
    pub unset: Box<[u8]>,
    /// Zeek's name of the log; may be empty.
    pub path: Box<[u8]>,
    /// The day that `#Date:` names, `YYYY-MM-DD`; may be empty.
    pub date: Box<[u8]>,
    /// At most [`COLUMNS_MAX`].
    pub list: Vec<Column>,
    /// Whether the header named more.
    pub cut: bool,
    /// Where the columns are that derived fields are made of.
    pub places: Places,
    /// Sources that read this kind of header and recognise this one, best first.
    pub sources: Vec<u16>,
}

impl Columns {
    /// Understands header lines; `None` if they name no columns.
    pub fn read(headers: &[String], fields: &FieldTable) -> Option<Self> {
        let found: Vec<_> = headers.iter().filter_map(|line| directive(line)).collect();
        // Of several headers, such as a log that was begun anew, the last one counts.
        let named = found.iter().rfind(|d| d.word.eq_ignore_ascii_case("fields"))?;
        let style = named.style;
        let value = |word: &str| {
            let mut of = found.iter().filter(|d| d.style == style);
            of.rfind(|d| d.word.eq_ignore_ascii_case(word)).map(|d| d.rest)
        };
        Some(match style {
            Style::Zeek => zeek(named.rest, value, fields),
            Style::W3c => w3c(named.rest, value("date").unwrap_or_default(), fields),
        })
    }

    /// The columns of lines without a header in the W3C form, as a definition lists them.
    pub fn layout(names: &str) -> Self {
        w3c(names, "", &FieldTable::default())
    }

    /// The place of a column by name, ASCII case ignored.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.list.iter().position(|column| column.name.eq_ignore_ascii_case(name.as_bytes()))
    }

    fn new(style: Style, separator: &[u8]) -> Self {
        Self {
            style,
            separator: separator.into(),
            set_separator: b',',
            empty: Box::default(),
            unset: b"-".as_slice().into(),
            path: Box::default(),
            date: Box::default(),
            list: Vec::new(),
            cut: false,
            places: Places::default(),
            sources: Vec::new(),
        }
    }

    fn push(&mut self, name: &str, kind: Type, many: bool, fields: &FieldTable) {
        if self.list.len() >= COLUMNS_MAX {
            self.cut = true;
            return;
        }
        let field = fields.get(name.as_bytes());
        self.list.push(Column { name: name.as_bytes().into(), field, kind, many });
    }
}

fn zeek<'a>(names: &str, value: impl Fn(&str) -> Option<&'a str>, fields: &FieldTable) -> Columns {
    let separator = match escaped(value("separator").unwrap_or_default()) {
        empty if empty.is_empty() => b"\t".to_vec(),
        separator => separator,
    };
    // The first letter of the separator went with the directive's name.
    let more = String::from_utf8_lossy(separator.get(1..).unwrap_or_default()).into_owned();
    let value = |word| {
        let text = value(word)?;
        Some(escaped(text.strip_prefix(more.as_str()).unwrap_or(text)))
    };
    let mut columns = Columns::new(Style::Zeek, &separator);
    columns.set_separator =
        value("set_separator").and_then(|text| text.last().copied()).unwrap_or(b',');
    columns.empty = value("empty_field").unwrap_or_else(|| b"(empty)".to_vec()).into();
    columns.unset = value("unset_field").unwrap_or_else(|| b"-".to_vec()).into();
    columns.path = value("path").unwrap_or_default().into();
    let split = |text: &[u8]| -> Vec<String> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some(at) = memchr::memmem::find(rest, &separator) {
            parts.push(String::from_utf8_lossy(&rest[..at]).into_owned());
            rest = &rest[at + separator.len()..];
        }
        parts.push(String::from_utf8_lossy(rest).into_owned());
        parts
    };
    let types = split(&value("types").unwrap_or_default());
    let names = names.strip_prefix(more.as_str()).unwrap_or(names);
    for (at, name) in split(names.as_bytes()).iter().enumerate() {
        let (kind, many) = zeek_type(types.get(at).map_or("", String::as_str));
        columns.push(name, kind, many, fields);
    }
    columns
}

/// The type of a Zeek column, and whether it is a set or vector of it.
fn zeek_type(text: &str) -> (Type, bool) {
    let inner = ["set[", "vector[", "table[", "list["]
        .iter()
        .find_map(|open| text.strip_prefix(open)?.strip_suffix(']'));
    let kind = match inner.unwrap_or(text) {
        "time" | "interval" | "count" | "int" | "double" | "port" | "counter" => Type::Number,
        "bool" => Type::Bool,
        _ => Type::Text,
    };
    (kind, inner.is_some())
}

fn w3c(names: &str, date: &str, fields: &FieldTable) -> Columns {
    let names = names.trim();
    let separator = ["\t", " ", ","].into_iter().find(|s| names.contains(s)).unwrap_or(" ");
    let mut columns = Columns::new(Style::W3c, separator.as_bytes());
    for name in names.split([' ', '\t', ',']).filter(|name| !name.is_empty()) {
        columns.push(name, Type::Text, false, fields);
    }
    let day = date.trim().split([' ', 'T', '\t']).next().unwrap_or_default();
    let digits = day.bytes().filter(u8::is_ascii_digit).count();
    let at = |names: &[&str]| names.iter().find_map(|name| columns.position(name));
    columns.places = Places {
        date: at(&["date"]),
        time: at(&["time"]),
        uri: at(&["cs-uri", "c-uri"]),
        scheme: at(&["cs-uri-scheme"]),
        host: at(&["cs-uri-host", "cs-host"]),
        port: at(&["cs-uri-port"]),
        path: at(&["cs-uri-stem", "cs-uri-path"]),
        query: at(&["cs-uri-query"]),
    };
    if day.len() == 10 && digits == 8 && day.as_bytes()[4] == b'-' {
        columns.date = day.as_bytes().into();
    }
    columns
}

/// Text with Zeek's `\xhh` escapes decoded.
fn escaped(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let hex = more.strip_prefix(b"x").and_then(|digits| digits.get(..2));
        let code = hex
            .filter(|_| *first == b'\\')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        out.push(code.unwrap_or(*first));
        rest = if code.is_some() { more.get(3..).unwrap_or_default() } else { more };
    }
    out
}

/// The plans of one thread, by parser and context.
#[derive(Default, Debug)]
pub struct Plans {
    list: Vec<(u64, Arc<Context>, Option<Arc<Columns>>)>,
    next: usize,
}

impl Plans {
    /// The plan of a context's headers, made by `make` where it is not kept. A context that is
    /// kept stays allocated, so its address is its own.
    pub fn of(
        &mut self,
        parser: u64,
        context: &Arc<Context>,
        make: impl FnOnce() -> Option<Columns>,
    ) -> Option<Arc<Columns>> {
        let known =
            |(id, kept, _): &&(u64, Arc<Context>, _)| *id == parser && Arc::ptr_eq(kept, context);
        if let Some((_, _, columns)) = self.list.iter().find(known) {
            return columns.clone();
        }
        let columns = make().map(Arc::new);
        let entry = (parser, Arc::clone(context), columns.clone());
        if self.list.len() < PLANS_MAX {
            self.list.push(entry);
        } else {
            self.list[self.next] = entry;
            self.next = (self.next + 1) % PLANS_MAX;
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(lines: &[&str]) -> Option<Columns> {
        let headers: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        Columns::read(&headers, &FieldTable::default())
    }

    fn names(columns: &Columns) -> String {
        let names = columns.list.iter().map(|c| String::from_utf8_lossy(&c.name).into_owned());
        names.collect::<Vec<_>>().join("|")
    }

    #[test]
    fn zeek_headers_with_any_separator() {
        let columns = read(&[
            "### a remark",
            "#separator \\x7c",
            "#set_separator|;",
            "#empty_field|(none)",
            "#unset_field|?",
            "#path|conn",
            "#fields|ts|id.orig_h|tags",
            "#types|time|addr|set[string]",
        ])
        .unwrap();
        assert_eq!((&*columns.separator, columns.set_separator), (&b"|"[..], b';'));
        assert_eq!((&*columns.empty, &*columns.unset), (&b"(none)"[..], &b"?"[..]));
        assert_eq!(&*columns.path, b"conn");
        assert_eq!(names(&columns), "ts|id.orig_h|tags");
        let kinds: Vec<_> = columns.list.iter().map(|c| (c.kind, c.many)).collect();
        assert_eq!(kinds, [(Type::Number, false), (Type::Text, false), (Type::Text, true)]);
    }

    #[test]
    fn zeek_headers_with_a_separator_of_two_letters() {
        let columns = read(&[
            "#separator ||",
            "#set_separator||,",
            "#path||ssh",
            "#fields||t||id.orig_h",
            "#types||time||addr",
        ]);
        let columns = columns.unwrap();
        assert_eq!((&*columns.separator, &*columns.path), (&b"||"[..], &b"ssh"[..]));
        assert_eq!((names(&columns).as_str(), columns.list[0].kind), ("t|id.orig_h", Type::Number));
    }

    #[test]
    fn w3c_headers_with_spaces_tabs_and_commas() {
        let columns = read(&["#Date: 2024-03-01 10:00:00", "#Fields: date cs(User-Agent) "]);
        let columns = columns.unwrap();
        assert_eq!((&*columns.separator, &*names(&columns)), (&b" "[..], "date|cs(User-Agent)"));
        assert_eq!(&*columns.date, b"2024-03-01");
        assert_eq!(*read(&["#Fields:\ta\tb"]).unwrap().separator, b"\t"[..]);
        let columns = read(&["#Fields: date-time,client-ip"]).unwrap();
        assert_eq!((&*columns.separator, &*names(&columns)), (&b","[..], "date-time|client-ip"));
        assert_eq!(columns.position("CLIENT-IP"), Some(1));
        assert!(read(&["#Software: x"]).is_none());
    }

    #[test]
    fn columns_at_the_limit_and_beyond() {
        let line = |n: usize| format!("#Fields: {}", vec!["c"; n].join(" "));
        let columns = read(&[&line(COLUMNS_MAX)]).unwrap();
        assert_eq!((columns.list.len(), columns.cut), (COLUMNS_MAX, false));
        let columns = read(&[&line(COLUMNS_MAX + 1)]).unwrap();
        assert_eq!((columns.list.len(), columns.cut), (COLUMNS_MAX, true));
    }
}
