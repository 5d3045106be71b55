//! Shell history with time stamps: `#<seconds since 1970>` and the command below it.

use super::{Decoder, Malformed};
use crate::sink::Sink;
use std::ops::Range;
use yagura_event::SpanType;

/// Reads `timestamp` and `command`; a record without a stamp is a bare command only for a
/// feed that names the source, since any text could be one.
#[derive(Clone, Copy, Debug)]
pub struct ShellHistory;

impl Decoder for ShellHistory {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        let record = sink.record();
        let text = record.get(body.clone()).unwrap_or_default();
        let digits = stamp_len(text).ok_or(Malformed::new("no #<seconds> stamp"))?;
        let rest = text.get(1 + digits..).unwrap_or_default();
        let line_end = if rest.starts_with(b"\r\n") { 2 } else { 1 };
        let command = body.start + 1 + digits + line_end.min(rest.len());
        sink.plain(b"timestamp", body.start + 1..body.start + 1 + digits, SpanType::Number);
        sink.plain(b"command", command..body.end, SpanType::String);
        Ok(())
    }
}

/// Digits of the stamp that `text` begins with, if its first line is one: `#` and 9 to 11
/// digits (1973 to 5138).
pub fn stamp_len(text: &[u8]) -> Option<usize> {
    let rest = text.strip_prefix(b"#")?;
    let digits = rest.iter().take(12).take_while(|c| c.is_ascii_digit()).count();
    let ends = matches!(rest.get(digits), None | Some(b'\n' | b'\r'));
    ((9..=11).contains(&digits) && ends).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lines_of_digits_are_stamps() {
        assert_eq!(stamp_len(b"#1715689172\nls"), Some(10));
        assert_eq!(stamp_len(b"#1715689172 ls"), None);
        assert_eq!(stamp_len(b"# comment"), None);
        assert_eq!(stamp_len(b"#12345678"), None);
        assert_eq!(stamp_len(b"#123456789012"), None);
    }
}
