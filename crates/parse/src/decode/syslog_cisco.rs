//! The header that Cisco's routers and switches write before `%FACILITY-SEVERITY-MNEMONIC:`.
//!
//! ```text
//! <189>2361044: sw01: 003411: *Jul 14 2023 08:23:43.398 UTC: %SYS-5-CONFIG_I: text
//! Jul 14 08:23:44 192.0.2.1 2361044: Jul 14 08:23:43.398: %SEC-6-IPACCESSLOGP: text
//! ```
//! Each part may be missing: a relay's stamp and address, the count of messages, the device's
//! name, a sequence number, and the device's own stamp or its time since the start (`2y10w`).
//! The last stamp is the device's; a mark before it says that its clock is not set.

use crate::sink::Sink;
use std::ops::Range;
use yagura_event::SpanType;

/// How far into a record the message may begin; the parts together have about 100 bytes.
const HEAD_WITHIN: usize = 160;

/// Emits the parts and returns the body, which begins at `%`; `None` (and no field) where the
/// text before a `%` is anything else, or has neither a stamp nor a number.
pub(super) fn unwrap(
    sink: &mut Sink<'_, '_>,
    start: usize,
    stamp_len: fn(&[u8]) -> Option<usize>,
) -> Option<Range<usize>> {
    let bytes = sink.record();
    let near = bytes.get(start..bytes.len().min(start + HEAD_WITHIN))?;
    let percent = start + memchr::memmem::find(near, b" %")? + 1;
    if !mnemonic(&bytes[percent + 1..]) {
        return None;
    }
    let mut parts = Parts::default();
    let mut at = start;
    while at < percent {
        if matches!(bytes[at], b' ' | b':') {
            at += 1;
            continue;
        }
        at = parts.read(bytes, at, percent, stamp_len)?;
    }
    if parts.stamp.is_none() && parts.number.is_none() {
        return None;
    }
    let mut put = |name: &[u8], range: Option<Range<usize>>, kind: SpanType| {
        if let Some(range) = range {
            sink.plain(name, range, kind);
        }
    };
    put(b"relay_time", parts.relay, SpanType::String);
    put(b"timestamp", parts.stamp, SpanType::String);
    put(b"hostname", parts.host, SpanType::String);
    put(b"sequence", parts.number, SpanType::Number);
    put(b"uptime", parts.uptime, SpanType::String);
    Some(percent..bytes.len())
}

#[derive(Default)]
struct Parts {
    relay: Option<Range<usize>>,
    stamp: Option<Range<usize>>,
    host: Option<Range<usize>>,
    number: Option<Range<usize>>,
    uptime: Option<Range<usize>>,
}

impl Parts {
    /// Takes the part at `at` and returns the place behind it.
    fn read(
        &mut self,
        bytes: &[u8],
        at: usize,
        end: usize,
        stamp_len: fn(&[u8]) -> Option<usize>,
    ) -> Option<usize> {
        let marked = at + usize::from(matches!(bytes[at], b'*' | b'.'));
        if let Some(len) = stamp_len(&bytes[marked..end]) {
            self.relay = self.stamp.take().or(self.relay.take());
            self.stamp = Some(marked..marked + len);
            return Some(marked + len + zone_word(&bytes[marked + len..end]));
        }
        let len = bytes[at..end].iter().position(|b| *b == b' ').unwrap_or(end - at);
        let colons = bytes[at..at + len].iter().rev().take_while(|b| **b == b':').count().min(1);
        let word = at..at + len - colons;
        let text = &bytes[word.clone()];
        let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == text.len() && digits > 0 {
            self.number = Some(word);
        } else if is_uptime(text) {
            self.uptime = Some(word);
        } else if text.iter().all(|b| b.is_ascii_alphanumeric() || b".:_-/".contains(b)) {
            self.host = Some(word);
        } else {
            return None;
        }
        Some(at + len)
    }
}

/// Whether `FACILITY-5-` begins here; a facility may hold a hyphen.
fn mnemonic(text: &[u8]) -> bool {
    let len = text
        .iter()
        .take(64)
        .take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
        .count();
    text[..len].windows(3).any(|w| matches!(w, [b'-', b'0'..=b'7', b'-']))
        && text.get(len) == Some(&b':')
}

/// Bytes of a zone's name that is none of the known ones (`VIENNA`, `mdt`), and its space.
fn zone_word(text: &[u8]) -> usize {
    let Some(rest) = text.strip_prefix(b" ") else { return 0 };
    let letters = rest.iter().take(10).take_while(|b| b.is_ascii_alphabetic()).count();
    if letters > 0 && rest.get(letters) == Some(&b':') { letters + 1 } else { 0 }
}

/// `2y10w`, `1d02h`, `00:12:13`.
fn is_uptime(text: &[u8]) -> bool {
    let units = text.iter().filter(|b| b"ywdhm".contains(b)).count();
    let clock = text.len() == 8 && text.iter().filter(|b| **b == b':').count() == 2;
    text.first().is_some_and(u8::is_ascii_digit)
        && text.iter().all(|b| b.is_ascii_digit() || b"ywdhm:".contains(b))
        && (units > 0 || clock)
}
