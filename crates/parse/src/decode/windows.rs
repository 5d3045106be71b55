//! Windows events in their XML and JSON shapes, under the field names that Windows and Sigma use.
//!
//! | place | field |
//! |---|---|
//! | `System` element | its name: `EventID`, `Channel`, `Computer`, `Level` |
//! | attribute of a `System` element | `Provider_Name`, `Execution_ProcessID`, `TimeCreated_SystemTime` |
//! | `<Data Name="X">` | `X`; without a name `Data`, once for each |
//! | other leaf of `EventData`, `UserData` and the like | its local name; attributes as `Element_Attribute` |
//! | `RenderingInfo` | `Message`; the rest as `RenderingInfo_Level` |
//!
//! Attributes of `System` keep their element's name, so that the process that wrote the event
//! (`Execution_ProcessID`) is never taken for the one the event is about (`ProcessID`).
//! Namespace declarations and the names of grouping elements are not data.

use super::xml::{
    Gathered, Token, Tokens, attributes, decode_into, is_namespace, local_name, write_value,
};
use super::{Decoder, Malformed};
use crate::sink::Sink;
use std::net::IpAddr;
use std::ops::Range;

/// A Windows event: one `<Event>` element or one JSON object.
#[derive(Clone, Copy, Debug)]
pub struct WindowsEvent;

impl Decoder for WindowsEvent {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        let mut body = body;
        let bytes = sink.record().get(body.clone()).unwrap_or_default();
        // A browser's view of an event, copied, has marks before the elements that fold.
        let bytes = bytes.strip_prefix(b"- ").unwrap_or(bytes);
        body.start = body.end - bytes.len();
        let outcome = match bytes.first() {
            Some(b'<') => xml(sink, body),
            Some(b'{') => {
                let outcome = super::windows_json::decode(sink, body);
                super::windows_shapes::finish(sink);
                outcome
            }
            _ => Err(Malformed::new("neither an <Event> element nor a JSON object")),
        };
        resolved(sink);
        super::windows_powershell::context(sink);
        outcome
    }

    fn reads_objects(&self) -> bool {
        true
    }
}

/// Most addresses taken from one DNS answer; round-robin names rarely have more.
const ADDRESSES_MAX: usize = 32;

/// Adds the addresses in a DNS answer (`QueryResults`, joined by `;` among other words) as
/// derived fields `ResolvedAddress`.
fn resolved(sink: &mut Sink<'_, '_>) {
    let Some(results) = sink.get(b"QueryResults") else { return };
    let addresses: Vec<IpAddr> = results
        .split(|byte| *byte == b';')
        .filter_map(|part| std::str::from_utf8(part.trim_ascii()).ok()?.parse::<IpAddr>().ok())
        .map(|address| address.to_canonical())
        .take(ADDRESSES_MAX)
        .collect();
    for address in addresses {
        sink.derived(b"ResolvedAddress", address.to_string().as_bytes());
    }
}

/// A part of an event, which decides how its fields are named.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Section {
    /// Who wrote the event, when and where.
    System,
    /// Sentences of the event in the reader's language.
    Rendering,
    /// `EventData`, `UserData` and any other.
    Data,
}

impl Section {
    /// The section of a child of `Event`.
    pub(super) fn of(name: &[u8]) -> Self {
        match name {
            b"System" => Self::System,
            b"RenderingInfo" => Self::Rendering,
            _ => Self::Data,
        }
    }

    /// Writes the field name of a leaf element to `out`.
    pub(super) fn leaf(self, element: &[u8], out: &mut Vec<u8>) {
        out.clear();
        if self == Self::Rendering && element != b"Message" {
            out.extend_from_slice(b"RenderingInfo_");
        }
        out.extend_from_slice(element);
    }

    /// Writes the field name of an attribute to `out`.
    pub(super) fn attribute(self, element: &[u8], attribute: &[u8], out: &mut Vec<u8>) {
        self.leaf(element, out);
        if !out.is_empty() {
            out.push(b'_');
        }
        out.extend_from_slice(attribute);
    }
}

/// Whether elements of this name carry their field's name in the attribute `Name`.
pub(super) fn is_named(element: &[u8]) -> bool {
    matches!(element, b"Data" | b"ComplexData")
}

/// The state of one XML event: the open element and what its field is called.
struct Reader<'s, 'b, 'r> {
    sink: &'s mut Sink<'b, 'r>,
    input: &'r [u8],
    section: Section,
    name: Vec<u8>,
    scratch: Vec<u8>,
    text: Gathered,
    /// Whether the innermost open element has had no child yet.
    leaf: bool,
    /// Whether an empty text of it is a value: below a data section, without attributes.
    keeps_empty: bool,
}

pub(super) fn xml(sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
    let record = sink.record();
    let input = record.get(..body.end).unwrap_or(record);
    let mut reader = Reader {
        sink,
        input,
        section: Section::Data,
        name: Vec::with_capacity(64),
        scratch: Vec::with_capacity(64),
        text: Gathered::default(),
        leaf: false,
        keeps_empty: false,
    };
    let mut depth = 0usize;
    let mut found = false;
    for token in Tokens::new(input, body.start) {
        match token? {
            Token::Open { name, attributes, empty } => {
                let element = local_name(&input[name]);
                if depth == 0 {
                    if element != b"Event" || found {
                        return Err(Malformed::new("the record is not one <Event> element"));
                    }
                    found = true;
                } else {
                    reader.open(depth, element, attributes.clone());
                    if empty {
                        reader.close(attributes.end);
                    }
                }
                depth += usize::from(!empty);
            }
            Token::Text(piece) => reader.text.add(input, piece, false),
            Token::Literal(piece) => reader.text.add(input, piece, true),
            Token::Close => {
                depth = depth.saturating_sub(1);
                if depth > 0 {
                    reader.close(body.start);
                }
            }
        }
    }
    if found { Ok(()) } else { Err(Malformed::new("the record has no <Event> element")) }
}

impl Reader<'_, '_, '_> {
    fn open(&mut self, depth: usize, element: &[u8], range: Range<usize>) {
        if depth == 1 {
            self.section = Section::of(element);
        }
        (self.leaf, self.text) = (true, Gathered::default());
        self.keeps_empty = depth > 1 && self.section == Section::Data;
        let named = self.keeps_empty && is_named(element);
        self.section.leaf(element, &mut self.name);
        let input = self.input;
        for (name, value) in attributes(input, range) {
            let name = &input[name];
            if is_namespace(name) {
                continue;
            }
            if named && name == b"Name" {
                self.rename(&input[value]);
                continue;
            }
            let name = local_name(name);
            if depth == 1 && self.section == Section::Rendering {
                Section::Rendering.leaf(name, &mut self.scratch);
            } else {
                self.section.attribute(element, name, &mut self.scratch);
            }
            write_value(self.sink, &self.scratch, value);
            self.keeps_empty = false;
        }
    }

    /// Takes the field's name from a `Name` attribute; an empty one names nothing.
    fn rename(&mut self, name: &[u8]) {
        if !name.is_empty() {
            self.name.clear();
            decode_into(name, &mut self.name);
        }
    }

    fn close(&mut self, at: usize) {
        if self.leaf && (self.keeps_empty || !self.text.is_blank(self.input)) {
            self.text.write(self.sink, &self.name, at);
        }
        (self.leaf, self.text) = (false, Gathered::default());
    }
}
