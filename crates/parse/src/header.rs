//! Header lines: what names a log's columns before its records, and the plan made of them.
//!
//! Zeek's TSV logs (`#separator`, `#fields`, `#types` ...) and the W3C extended format
//! (`#Software:`, `#Fields:` ...) say in lines with `#` what the values of the following lines
//! are. A run of such lines is a header if it names columns; it may come again in mid-file with
//! other columns (rotation, concatenation). Header lines are no records: they become part of
//! the context (`Context::headers`) of the records that follow. Lines that begin with `#` and
//! belong to no header are records.

mod plan;
mod run;

pub use plan::{Column, Columns, Places, Plans, Type};
pub(crate) use run::{Run, run};

use crate::frame::Frame;
use std::sync::Arc;
use yagura_event::Context;

/// Longest header, in bytes of all its lines. The widest Zeek logs (about 100 columns with
/// types) need 4 KiB. Of a longer run of lines with `#`, the part beyond is records.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;

/// Most columns of a header; the values beyond are only in `raw_data` and their events are
/// flagged `TooManyFields`. It is within [`crate::sink::FIELDS_MAX`].
pub const COLUMNS_MAX: usize = 1_024;

/// Most changes of the header within one input. Hourly logs of half a year in one file stay
/// within; each change costs a stored context. Beyond it header lines are records and no
/// header is in force, so that no record is read by the columns of another.
pub const HEADER_CHANGES_MAX: u32 = 4_096;

/// The two kinds of header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Zeek's ASCII writer.
    Zeek,
    /// The W3C extended log file format, and Exchange's logs with commas.
    W3c,
}

/// One header line understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Directive<'a> {
    pub style: Style,
    /// `fields`, `Fields`, ...
    pub word: &'a str,
    /// What follows the separator or colon, as it stands.
    pub rest: &'a str,
}

const ZEEK_WORDS: &[&str] = &[
    "separator",
    "set_separator",
    "empty_field",
    "unset_field",
    "path",
    "open",
    "close",
    "fields",
    "types",
];

/// Reads a line that begins with `#` as a directive; `None` for a comment.
pub(crate) fn directive(line: &str) -> Option<Directive<'_>> {
    let text = line.trim_end_matches(['\r', '\n']).strip_prefix('#')?;
    let len =
        text.bytes().take_while(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-')).count();
    let (word, rest) = text.split_at(len);
    if let Some(rest) = rest.strip_prefix(':') {
        let style = Style::W3c;
        return (!word.is_empty()).then_some(Directive { style, word, rest });
    }
    let mut letters = rest.chars();
    let separator = letters.next()?;
    let known = ZEEK_WORDS.contains(&word) && !separator.is_alphanumeric();
    known.then_some(Directive { style: Style::Zeek, word, rest: letters.as_str() })
}

/// Makes the contexts of one input's records as its headers and charset come.
#[derive(Clone, Debug)]
pub struct Contexts {
    base: Context,
    section: u32,
    current: Arc<Context>,
}

impl Contexts {
    /// Contexts that differ from `base` by header and charset only.
    pub fn new(base: Context) -> Self {
        let current = Arc::new(base.clone());
        Self { base, section: 0, current }
    }

    /// The context of a record; the same allocation while nothing changes.
    pub fn of(&mut self, frame: &Frame<'_>) -> &Arc<Context> {
        if frame.section != self.section || frame.charset != self.current.charset {
            self.section = frame.section;
            let mut context = self.base.clone();
            context.headers = frame.headers.to_vec();
            context.charset = frame.charset;
            self.current = Arc::new(context);
        }
        &self.current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expect: Option<(Style, &str, &str)>) {
        let found = directive(line).map(|d| (d.style, d.word, d.rest));
        assert_eq!(found, expect, "{line}");
    }

    #[test]
    fn directives_and_comments() {
        check("#separator \\x09", Some((Style::Zeek, "separator", "\\x09")));
        check("#fields\tts\tuid\r", Some((Style::Zeek, "fields", "ts\tuid")));
        check("#fields,ts,uid", Some((Style::Zeek, "fields", "ts,uid")));
        check("#Fields: date time", Some((Style::W3c, "Fields", " date time")));
        check(
            "#Log-type: Message Tracking Log",
            Some((Style::W3c, "Log-type", " Message Tracking Log")),
        );
        check("### BTest baseline", None);
        check("#fieldset x", None);
        check("#: x", None);
        check("# Fields: x", None);
        check("#fields", None);
        check("Fields: x", None);
    }
}
