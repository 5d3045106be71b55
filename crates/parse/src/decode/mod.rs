//! Decoders: how a record's bytes become fields, one file each, and their registry.

pub mod access;
pub mod auditd;
mod auditd_names;
pub mod cef;
#[cfg(test)]
mod checks;
pub mod csv;
pub mod evtx;
pub mod firepower;
pub mod history;
pub mod json;
pub mod kv;
pub mod leef;
mod line;
pub mod named;
pub mod postfix;
pub mod regex;
pub mod squid;
pub mod syslog;
mod syslog_cisco;
pub mod template;
pub mod text;
pub mod tsv;
pub mod w3c;
pub mod windows;
mod windows_json;
mod windows_powershell;
mod windows_shapes;
pub mod xml;

use crate::header::Style;
use crate::sink::Sink;
use std::borrow::Cow;
use std::fmt::Debug;
use std::ops::Range;

/// Why a decoder could not read a record, in words for a person.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub Cow<'static, str>);

impl Malformed {
    /// A fixed reason.
    pub const fn new(reason: &'static str) -> Self {
        Self(Cow::Borrowed(reason))
    }
}

/// Reads the fields of one record's body into a [`Sink`].
///
/// Pure: the outcome follows from the bytes and the columns that the context's header names. Fields written before a failure stay.
pub trait Decoder: Send + Sync + Debug {
    /// Decodes `body`, a range of the sink's record (the whole of it unless a wrapper, such
    /// as syslog, was peeled off first).
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are not of this format.
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed>;

    /// The kind of header lines that the decoder reads by, if it does.
    fn reads_header(&self) -> Option<Style> {
        None
    }

    /// Whether it reads JSON objects. Text decoders look for their words anywhere in a line and
    /// must not be asked about an object that holds such a line in one of its strings.
    fn reads_objects(&self) -> bool {
        false
    }
}

/// The decoder of a name that takes no options, as `decode = "..."` in a definition names it.
/// `template`, `regex`, `csv`, `kv` and `w3c` take options and are built by the definition's reader.
pub fn by_name(name: &str) -> Option<Box<dyn Decoder>> {
    Some(match name {
        "json" => Box::new(json::Json),
        "xml" => Box::new(xml::Xml),
        "windows_event" => Box::new(windows::WindowsEvent),
        "access" => Box::new(access::Access),
        "auditd" => Box::new(auditd::Auditd),
        "named" => Box::new(named::Named),
        "postfix" => Box::new(postfix::Postfix),
        "squid" => Box::new(squid::Squid),
        "shell_history" => Box::new(history::ShellHistory),
        "firepower" => Box::new(firepower::Firepower),
        "cef" => Box::new(cef::Cef),
        "leef" => Box::new(leef::Leef),
        "text" => Box::new(text::Whole),
        "tsv" => Box::new(tsv::Tsv),
        _ => return None,
    })
}
