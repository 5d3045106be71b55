//! A bounded pull scanner for small XML documents, and the decoder of XML records in general.
//!
//! The scanner reads the subset that log records use: elements, attributes, character data,
//! CDATA, comments and processing instructions. Document types are refused, so nothing a
//! document declares is ever expanded. Names keep their prefix; [`local_name`] cuts it.

use super::{Decoder, Malformed};
use crate::sink::Sink;
use std::borrow::Cow;
use std::ops::Range;
use yagura_event::SpanType;

/// Deepest nesting of elements. Windows events nest six deep; a deeper document is refused
/// with [`XmlFault::TooDeep`].
pub const XML_DEPTH_MAX: usize = 64;

/// Longest character reference between `&` and `;`, in bytes. `#x10FFFF` has eight; a longer
/// run stays as written.
const REFERENCE_BYTES_MAX: usize = 10;

/// Why a document could not be read further, with the byte at which it stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum XmlFault {
    /// The document ends inside a tag, comment, CDATA section or open element.
    Cut(usize),
    /// Elements nest deeper than [`XML_DEPTH_MAX`].
    TooDeep(usize),
    /// A tag is not well formed, or closes an element that is not open.
    Syntax(usize),
    /// A document type declaration.
    Doctype(usize),
}

impl From<XmlFault> for Malformed {
    fn from(fault: XmlFault) -> Self {
        Self(Cow::Owned(match fault {
            XmlFault::Cut(at) => format!("xml ends unfinished at byte {at}"),
            XmlFault::TooDeep(at) => {
                format!("xml nests deeper than {XML_DEPTH_MAX} elements at byte {at}")
            }
            XmlFault::Syntax(at) => format!("xml is not well formed at byte {at}"),
            XmlFault::Doctype(at) => format!("xml has a document type at byte {at}; remove it"),
        }))
    }
}

/// One piece of a document. Ranges are byte offsets into the scanned input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A start tag; `empty` for `<a/>`, which no [`Token::Close`] follows.
    Open {
        /// The element's name with its prefix.
        name: Range<usize>,
        /// Everything between the name and the tag's end, for [`attributes`].
        attributes: Range<usize>,
        /// Whether the element closes itself.
        empty: bool,
    },
    /// An end tag.
    Close,
    /// Character data as written; references are not decoded.
    Text(Range<usize>),
    /// The content of a CDATA section, to be taken literally.
    Literal(Range<usize>),
}

/// The scanner: an iterator that ends after the first fault.
#[derive(Debug)]
pub struct Tokens<'a> {
    input: &'a [u8],
    at: usize,
    open: Vec<Range<usize>>,
    done: bool,
}

impl<'a> Tokens<'a> {
    /// Scans `input` from byte `at`; ranges stay relative to the whole of `input`.
    pub fn new(input: &'a [u8], at: usize) -> Self {
        Self { input, at: at.min(input.len()), open: Vec::with_capacity(8), done: false }
    }

    fn step(&mut self) -> Result<Option<Token>, XmlFault> {
        loop {
            let rest = &self.input[self.at..];
            let Some(&first) = rest.first() else {
                return if self.open.is_empty() { Ok(None) } else { Err(XmlFault::Cut(self.at)) };
            };
            if first != b'<' {
                let len = memchr::memchr(b'<', rest).unwrap_or(rest.len());
                let text = self.at..self.at + len;
                self.at = text.end;
                return Ok(Some(Token::Text(text)));
            }
            if rest.starts_with(b"<!--") {
                self.skip_past(4, b"-->")?;
            } else if rest.starts_with(b"<![CDATA[") {
                let start = self.at + 9;
                self.skip_past(9, b"]]>")?;
                return Ok(Some(Token::Literal(start..self.at - 3)));
            } else if rest.starts_with(b"<!") {
                return Err(XmlFault::Doctype(self.at));
            } else if rest.starts_with(b"<?") {
                self.skip_past(2, b"?>")?;
            } else {
                return self.tag().map(Some);
            }
        }
    }

    fn skip_past(&mut self, lead: usize, end: &[u8]) -> Result<(), XmlFault> {
        let from = self.at + lead;
        let found = memchr::memmem::find(&self.input[from..], end);
        self.at = from + found.ok_or(XmlFault::Cut(self.at))? + end.len();
        Ok(())
    }

    fn tag(&mut self) -> Result<Token, XmlFault> {
        let start = self.at;
        let end = tag_end(self.input, start).ok_or(XmlFault::Cut(start))?;
        let closing = self.input.get(start + 1) == Some(&b'/');
        let name_from = start + 1 + usize::from(closing);
        let name_len = self.input[name_from..end]
            .iter()
            .position(|b| b.is_ascii_whitespace() || *b == b'/')
            .unwrap_or(end - name_from);
        let name = name_from..name_from + name_len;
        if name_len == 0 || !name_start(self.input[name.start]) {
            return Err(XmlFault::Syntax(start));
        }
        self.at = end + 1;
        if closing {
            let opened = self.open.pop().ok_or(XmlFault::Syntax(start))?;
            if self.input[opened] != self.input[name] {
                return Err(XmlFault::Syntax(start));
            }
            return Ok(Token::Close);
        }
        let empty = self.input[end - 1] == b'/' && end > name.end;
        let attributes = name.end..end - usize::from(empty);
        if !empty {
            if self.open.len() == XML_DEPTH_MAX {
                return Err(XmlFault::TooDeep(start));
            }
            self.open.push(name.clone());
        }
        Ok(Token::Open { name, attributes, empty })
    }
}

impl Iterator for Tokens<'_> {
    type Item = Result<Token, XmlFault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = self.step().transpose();
        self.done = !matches!(step, Some(Ok(_)));
        step
    }
}

/// The `>` that ends the tag beginning at `start`, outside quotes.
fn tag_end(input: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += memchr::memchr3(b'>', b'"', b'\'', &input[at..])?;
        let found = input[at];
        if found == b'>' {
            return Some(at);
        }
        at += 2 + memchr::memchr(found, &input[at + 1..])?;
    }
}

fn name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b':' || byte >= 0x80
}

/// The part of a name after its namespace prefix.
pub fn local_name(name: &[u8]) -> &[u8] {
    memchr::memrchr(b':', name).map_or(name, |colon| &name[colon + 1..])
}

/// Whether an attribute declares a namespace and is therefore no data.
pub fn is_namespace(name: &[u8]) -> bool {
    name == b"xmlns" || name.starts_with(b"xmlns:")
}

/// The attributes of a [`Token::Open`]: name and undecoded value, as ranges of `input`.
/// Iteration ends at the first attribute that is not well formed.
pub fn attributes(input: &[u8], range: Range<usize>) -> Attributes<'_> {
    Attributes { input: input.get(..range.end).unwrap_or_default(), at: range.start }
}

/// Iterator of [`attributes`].
#[derive(Debug)]
pub struct Attributes<'a> {
    input: &'a [u8],
    at: usize,
}

impl Iterator for Attributes<'_> {
    type Item = (Range<usize>, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let skip = |from: usize| {
            let rest = self.input.get(from..)?;
            rest.iter().position(|b| !b.is_ascii_whitespace()).map(|n| from + n)
        };
        let start = skip(self.at)?;
        let stop = |b: &u8| b.is_ascii_whitespace() || *b == b'=';
        let name = start..start + self.input[start..].iter().position(stop)?;
        let equals = skip(name.end)?;
        let open = skip(equals + 1)?;
        let quote = self.input[open];
        if name.is_empty() || self.input[equals] != b'=' || !matches!(quote, b'"' | b'\'') {
            return None;
        }
        let value = open + 1..open + 1 + memchr::memchr(quote, &self.input[open + 1..])?;
        self.at = value.end + 1;
        Some((name, value))
    }
}

/// Appends `text` to `out` with the five predefined entities and character references
/// decoded. Anything else that looks like a reference stays as written.
pub fn decode_into(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let window = &rest[1..rest.len().min(REFERENCE_BYTES_MAX + 2)];
        let decoded = memchr::memchr(b';', window)
            .and_then(|len| reference(&window[..len]).map(|c| (c, len)));
        match decoded {
            Some((c, len)) => {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                rest = &rest[len + 2..];
            }
            None => {
                out.push(b'&');
                rest = &rest[1..];
            }
        }
    }
    out.extend_from_slice(rest);
}

fn reference(name: &[u8]) -> Option<char> {
    match name {
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"amp" => Some('&'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        [b'#', digits @ ..] => {
            let digits = std::str::from_utf8(digits).ok()?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) if hex.bytes().all(|b| b.is_ascii_hexdigit()) => {
                    u32::from_str_radix(hex, 16).ok()?
                }
                None if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok()?,
                _ => return None,
            };
            char::from_u32(code).filter(|c| *c != '\0')
        }
        _ => None,
    }
}

/// The text of one element, gathered from its pieces: borrowed while it is one piece without
/// references, copied otherwise.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    range: Option<Range<usize>>,
    owned: Option<Vec<u8>>,
}

impl Gathered {
    /// Adds a [`Token::Text`] (`literal` false) or [`Token::Literal`] (true).
    pub fn add(&mut self, input: &[u8], piece: Range<usize>, literal: bool) {
        let text = input.get(piece.clone()).unwrap_or_default();
        let verbatim = literal || memchr::memchr(b'&', text).is_none();
        match &mut self.range {
            None if verbatim => self.range = Some(piece),
            None => {
                let mut owned = Vec::with_capacity(text.len());
                decode_into(text, &mut owned);
                self.owned = Some(owned);
                self.range = Some(piece);
            }
            Some(range) => {
                let first = input.get(range.clone()).unwrap_or_default();
                let owned = self.owned.get_or_insert_with(|| first.to_vec());
                if literal {
                    owned.extend_from_slice(text)
                } else {
                    decode_into(text, owned)
                }
                range.end = piece.end;
            }
        }
    }

    /// Whether nothing but white space was added.
    pub fn is_blank(&self, input: &[u8]) -> bool {
        let range = self.range.clone().unwrap_or_default();
        let text = self.owned.as_deref().or_else(|| input.get(range)).unwrap_or_default();
        text.iter().all(u8::is_ascii_whitespace)
    }

    /// Writes the text as a field; `empty` says where it would stand if there is none.
    pub fn write(&self, sink: &mut Sink<'_, '_>, name: &[u8], empty: usize) {
        let range = self.range.clone().unwrap_or(empty..empty);
        match &self.owned {
            Some(owned) => sink.decoded(name, owned, range, SpanType::String),
            None => sink.plain(name, range, SpanType::String),
        }
    }
}

/// Writes an attribute's value as a field.
pub fn write_value(sink: &mut Sink<'_, '_>, name: &[u8], value: Range<usize>) {
    let mut text = Gathered::default();
    text.add(sink.record(), value.clone(), false);
    text.write(sink, name, value.start);
}

/// XML records in general: leaf elements by their path below the root, joined by dots,
/// attributes as `path.@name`; local names throughout.
#[derive(Clone, Copy, Debug)]
pub struct Xml;

impl Decoder for Xml {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        let record = sink.record();
        let input = record.get(..body.end).unwrap_or(record);
        let mut path: Vec<u8> = Vec::new();
        let mut lengths: Vec<usize> = Vec::new();
        let mut text = Gathered::default();
        let (mut leaf, mut seen) = (false, false);
        for token in Tokens::new(input, body.start) {
            match token? {
                Token::Open { name, attributes: range, empty } => {
                    let before = path.len();
                    if seen {
                        join(&mut path, local_name(&input[name]));
                    }
                    seen = true;
                    let base = path.len();
                    for (name, value) in attributes(input, range.clone()) {
                        if !is_namespace(&input[name.clone()]) {
                            join(&mut path, b"@");
                            path.extend_from_slice(local_name(&input[name]));
                            write_value(sink, &path, value);
                            path.truncate(base);
                        }
                    }
                    if empty {
                        sink.plain(&path, range.end..range.end, SpanType::String);
                        path.truncate(before);
                    } else {
                        lengths.push(before);
                    }
                    (leaf, text) = (!empty, Gathered::default());
                }
                Token::Text(piece) => text.add(input, piece, false),
                Token::Literal(piece) => text.add(input, piece, true),
                Token::Close => {
                    if leaf {
                        text.write(sink, &path, body.end.min(input.len()));
                    }
                    path.truncate(lengths.pop().unwrap_or(0));
                    (leaf, text) = (false, Gathered::default());
                }
            }
        }
        if seen { Ok(()) } else { Err(Malformed::new("no xml element")) }
    }
}

fn join(path: &mut Vec<u8>, part: &[u8]) {
    if !path.is_empty() {
        path.push(b'.');
    }
    path.extend_from_slice(part);
}

#[cfg(test)]
#[path = "xml_tests.rs"]
mod tests;
