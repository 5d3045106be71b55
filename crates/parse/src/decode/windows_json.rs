//! The JSON shapes of Windows events: nested as the XML is, or flat exports.
//!
//! | shape | read as |
//! |---|---|
//! | `Event.System.EventID`, `Event.EventData.X` | the XML of the same event |
//! | `#attributes`, `@Name`, `Provider_attributes` | attributes |
//! | `#text` | the element's text |
//! | `Data: [{"@Name": "X", "#text": "v"}]` | field `X` |
//! | `System.EventID` without `Event` | as with it |
//! | `{"EventID": 1, "Channel": ..}` | fields as they are named |
//! | what shippers rename | see [`super::windows_shapes`] |

use super::Malformed;
use super::json::{Emit, Leaf, decode_with};
use super::windows::{Section, is_named};
use super::windows_shapes::Shape;
use super::xml::{is_namespace, local_name};
use crate::sink::Sink;
use std::ops::Range;
use yagura_event::SpanType;

/// Reads one JSON object at `body`.
pub(super) fn decode(sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
    let shape = Shape::of(sink.record().get(body.clone()).unwrap_or_default());
    let mut names = Names { shape, scratch: Vec::with_capacity(64), name: None, text: None };
    decode_with(sink, body, &mut names)
}

/// Renames JSON paths to field names.
struct Names {
    shape: Shape,
    scratch: Vec<u8>,
    /// `Name` of the `Data` object that is being read.
    name: Option<Vec<u8>>,
    /// `#text` of the `Data` object that is being read; either may come first.
    text: Option<Held>,
}

/// A leaf that waits for its name.
struct Held {
    decoded: Option<Vec<u8>>,
    range: Range<usize>,
    kind: SpanType,
}

/// What a path below a section names.
enum Place<'p> {
    /// The text of an element, by its name, and whether it stands beside attributes.
    Text(&'p [u8], bool),
    /// An attribute of an element.
    Attribute(&'p [u8], &'p [u8]),
    /// Nothing but structure.
    None,
}

impl Emit for Names {
    fn leaf(&mut self, sink: &mut Sink<'_, '_>, path: &[u8], leaf: Leaf<'_>) {
        if let Some(name) = self.shape.name(path) {
            return leaf.write(sink, name);
        }
        let inner = path.strip_prefix(b"Event.").unwrap_or(path);
        let (section, rest) = match memchr::memchr(b'.', inner) {
            Some(dot) => (&inner[..dot], &inner[dot + 1..]),
            None => (inner, &b""[..]),
        };
        if inner.len() < path.len() && matches!(section.first(), Some(b'#' | b'@')) {
            // Attributes of `Event` itself declare its namespace.
            return;
        }
        let nested =
            inner.len() < path.len() || matches!(section, b"System" | b"EventData" | b"UserData");
        if !nested {
            if path != b"Event" || !leaf.is_empty() {
                leaf.write(sink, path);
            }
            return;
        }
        let kind = Section::of(section);
        match place(section, kind, rest) {
            Place::None => {}
            Place::Attribute(_, name) if is_namespace(name) => {}
            Place::Attribute(element, b"Name") if kind == Section::Data && is_named(element) => {
                self.name = Some(leaf.bytes(sink.record()).to_vec());
            }
            Place::Attribute(element, name) => {
                if kind == Section::Rendering && element == section {
                    kind.leaf(name, &mut self.scratch);
                } else {
                    kind.attribute(element, name, &mut self.scratch);
                }
                leaf.write(sink, &self.scratch);
            }
            Place::Text(element, beside) => {
                let blank = leaf.bytes(sink.record()).iter().all(u8::is_ascii_whitespace);
                if blank && (kind == Section::System || element == section) {
                    return;
                }
                if beside && kind == Section::Data && is_named(element) {
                    self.unnamed(sink);
                    let decoded = leaf.decoded.map(<[u8]>::to_vec);
                    self.text = Some(Held { decoded, range: leaf.range, kind: leaf.kind });
                    return;
                }
                kind.leaf(element, &mut self.scratch);
                leaf.write(sink, &self.scratch);
            }
        }
    }

    fn end(&mut self, sink: &mut Sink<'_, '_>, path: &[u8]) {
        if path.ends_with(b"#attributes") {
            return;
        }
        let Some(name) = self.name.take().filter(|name| !name.is_empty()) else {
            return self.unnamed(sink);
        };
        match self.text.take() {
            Some(text) => text.write(sink, &name),
            None => sink.decoded(&name, b"", 0..0, SpanType::String),
        }
    }
}

impl Names {
    /// Writes a held text that no name came for.
    fn unnamed(&mut self, sink: &mut Sink<'_, '_>) {
        if let Some(text) = self.text.take() {
            text.write(sink, b"Data");
        }
    }
}

impl Held {
    fn write(self, sink: &mut Sink<'_, '_>, name: &[u8]) {
        Leaf { decoded: self.decoded.as_deref(), range: self.range, kind: self.kind }
            .write(sink, name);
    }
}

/// What `rest`, a path below `section`, names. Keys of `EventData` may hold dots themselves.
fn place<'p>(section: &'p [u8], kind: Section, rest: &'p [u8]) -> Place<'p> {
    let element = |path: &'p [u8]| -> &'p [u8] {
        let path = path.strip_suffix(b".").unwrap_or(path);
        if path.is_empty() {
            return section;
        }
        if section == b"EventData" {
            return path;
        }
        local_name(memchr::memrchr(b'.', path).map_or(path, |dot| &path[dot + 1..]))
    };
    if let Some(at) = memchr::memmem::find(rest, b"#attributes") {
        return match rest[at..].strip_prefix(b"#attributes.") {
            Some(name) => Place::Attribute(element(&rest[..at]), name),
            None => Place::None,
        };
    }
    let last = memchr::memrchr(b'.', rest).map_or(0, |dot| dot + 1);
    if let Some(name) = rest[last..].strip_prefix(b"@") {
        return Place::Attribute(element(&rest[..last]), name);
    }
    if &rest[last..] == b"#text" {
        return Place::Text(element(&rest[..last]), true);
    }
    if let Some(at) = memchr::memmem::find(rest, b"_attributes.") {
        return Place::Attribute(element(&rest[..at]), &rest[at + 12..]);
    }
    if kind == Section::System && last > 0 {
        return Place::Attribute(element(&rest[..last]), &rest[last..]);
    }
    Place::Text(element(rest), false)
}
