//! Turns raw records into events: decoders, source definitions as data, recognition, time.
//!
//! [`Parser::parse`] is a pure function of context, record header and bytes; it appends
//! exactly one event for a record and never fails. [`frame`] cuts files into records.

pub mod charset;
pub mod convert;
pub mod decode;
pub mod def;
mod envelope;
pub mod frame;
pub mod header;
pub mod parser;
mod project;
mod recognise;
mod shape;
pub mod sink;
pub mod sources;
pub mod time;
mod unparsed;

pub use decode::{Decoder, Malformed};
pub use def::{SourceError, SourceText};
pub use frame::{Frame, Framer, RECORD_BYTES_MAX, Tail};
pub use header::Contexts;
pub use parser::{Parser, RecordHeader, UNRECOGNISED};
pub use sink::Sink;
pub use sources::{SourceInfo, Sources};
pub use unparsed::unparsed;
pub use yagura_event::enums;
