//! UTF-16 input: framed as text, given out as the bytes it was.
//!
//! The framer's buffer holds the text in UTF-8, in which a unit without its other half takes
//! three bytes like any letter (WTF-8) and a lone last byte takes three that no text has. So
//! every input has one such text and every stretch of it its own bytes.

use super::RECORD_BYTES_MAX;
use std::ops::Range;
use yagura_event::Charset;

/// Marks a lone last byte, whose halves follow.
const LONE: u8 = 0xFF;

/// Fewest bytes that tell UTF-16 without a byte order mark.
const SNIFF_BYTES_MIN: usize = 8;

/// The state of one UTF-16 input.
#[derive(Debug)]
pub struct Utf16 {
    big: bool,
    /// Bytes of the byte order mark that are still to be left out.
    mark: usize,
    /// Bytes of the last read that are no whole letter yet.
    pending: Vec<u8>,
    /// A place in the buffer, and where that is in the input.
    text: usize,
    input: u64,
    /// The bytes of the last record given out.
    record: Vec<u8>,
}

impl Utf16 {
    /// Whether an input that begins like this is UTF-16, and of which order.
    pub fn sniff(head: &[u8], configured: Charset) -> Option<(Self, Charset)> {
        let (big, mark) = match (head, configured) {
            ([0xFF, 0xFE, ..], _) => (false, true),
            ([0xFE, 0xFF, ..], _) => (true, true),
            (_, Charset::Utf16le) => (false, false),
            (_, Charset::Utf16be) => (true, false),
            (_, Charset::Auto) => (zeros(head)?, false),
            _ => return None,
        };
        let charset = if big { Charset::Utf16be } else { Charset::Utf16le };
        let mark = if mark { 2 } else { 0 };
        let (pending, record) = (Vec::new(), Vec::new());
        Some((Self { big, mark, pending, text: 0, input: mark as u64, record }, charset))
    }

    /// Turns the buffer's bytes from `from` on, as read, into text. At the input's beginning
    /// the byte order mark goes.
    pub fn decode(&mut self, buffer: &mut Vec<u8>, from: usize, ended: bool) {
        let mut bytes = std::mem::take(&mut self.pending);
        bytes.extend_from_slice(buffer.get(from..).unwrap_or_default());
        buffer.truncate(from);
        let mut at = self.mark.min(bytes.len());
        self.mark -= at;
        while let Some(unit) = self.unit(&bytes, at) {
            let low = self.unit(&bytes, at + 2);
            if (0xD800..0xDC00).contains(&unit) {
                if low.is_none() && !ended {
                    break;
                }
                if let Some(low) = low.filter(|low| (0xDC00..0xE000).contains(low)) {
                    let code =
                        0x1_0000 + ((u32::from(unit) - 0xD800) << 10) + (u32::from(low) - 0xDC00);
                    push(buffer, code);
                    at += 4;
                    continue;
                }
            }
            push(buffer, u32::from(unit));
            at += 2;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        match rest {
            [lone] if ended => buffer.extend([LONE, 0xC0 | lone >> 4, 0xC0 | lone & 15]),
            _ => self.pending.extend_from_slice(rest),
        }
    }

    /// A record's own bytes and their place in the input.
    pub fn record(&mut self, buffer: &[u8], range: Range<usize>) -> (&[u8], u64) {
        self.advance(buffer, range.start);
        self.record.clear();
        encode(buffer.get(range).unwrap_or_default(), self.big, &mut self.record);
        self.record.truncate(RECORD_BYTES_MAX);
        (&self.record, self.input)
    }

    /// The buffer's first `count` bytes are about to go.
    pub fn forget(&mut self, buffer: &[u8], count: usize) {
        self.advance(buffer, count);
        self.text = 0;
    }

    fn advance(&mut self, buffer: &[u8], to: usize) {
        self.input += len(buffer.get(self.text..to).unwrap_or_default()) as u64;
        self.text = to;
    }

    fn unit(&self, bytes: &[u8], at: usize) -> Option<u16> {
        let pair = [*bytes.get(at)?, *bytes.get(at + 1)?];
        Some(if self.big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
    }
}

/// Whether zero bytes show UTF-16 of ASCII for the most part: true for the high byte first.
fn zeros(head: &[u8]) -> Option<bool> {
    if head.len() < SNIFF_BYTES_MIN {
        return None;
    }
    let count = |odd: usize| head.iter().skip(odd).step_by(2).filter(|b| **b == 0).count();
    // More than three letters in five are ASCII.
    let (even, odd, most) = (count(0) * 5, count(1) * 5, head.len() / 2 * 3);
    match (even, odd) {
        (0, odd) if odd > most => Some(false),
        (even, 0) if even > most => Some(true),
        _ => None,
    }
}

fn push(text: &mut Vec<u8>, code: u32) {
    let tail = |shift: u32| 0x80 | (code >> shift & 0x3F) as u8;
    match code {
        0..0x80 => text.push(code as u8),
        0x80..0x800 => text.extend([0xC0 | (code >> 6) as u8, tail(0)]),
        0x800..0x1_0000 => text.extend([0xE0 | (code >> 12) as u8, tail(6), tail(0)]),
        _ => text.extend([0xF0 | (code >> 18) as u8, tail(12), tail(6), tail(0)]),
    }
}

/// Bytes of the input that a letter beginning with `first` was, and bytes it takes as text.
fn lengths(first: u8) -> (usize, usize) {
    match first {
        0..0x80 => (2, 1),
        0x80..0xC0 => (0, 1),
        0xC0..0xE0 => (2, 2),
        0xE0..0xF0 => (2, 3),
        LONE => (1, 3),
        _ => (4, 4),
    }
}

/// Bytes of the input that `text` was.
pub fn len(text: &[u8]) -> usize {
    prefix_len(text, usize::MAX).1
}

/// How much of `text` was the input's first `bytes` bytes, or one letter more.
pub fn prefix(text: &[u8], bytes: usize) -> usize {
    prefix_len(text, bytes).0
}

fn prefix_len(text: &[u8], most: usize) -> (usize, usize) {
    let (mut at, mut bytes) = (0, 0);
    while at < text.len() && bytes < most {
        let (own, taken) = lengths(text[at]);
        bytes += own;
        at += taken;
    }
    (at.min(text.len()), bytes)
}

fn encode(text: &[u8], big: bool, out: &mut Vec<u8>) {
    let mut put = |unit: u16| {
        out.extend(if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
    };
    let mut lone = None;
    let mut at = 0;
    while let Some(first) = text.get(at).copied() {
        let (_, taken) = lengths(first);
        let tail = text.get(at + 1..at + taken).unwrap_or_default();
        at += taken;
        if first == LONE {
            lone = Some(tail.iter().fold(0u8, |byte, half| byte << 4 | half & 15));
            continue;
        }
        let head = match taken {
            1 => first,
            2 => first & 0x1F,
            3 => first & 0x0F,
            _ => first & 0x07,
        };
        let code = tail.iter().fold(u32::from(head), |code, b| code << 6 | u32::from(b & 0x3F));
        match code.checked_sub(0x1_0000) {
            None => put(code as u16),
            Some(above) => {
                put(0xD800 | (above >> 10 & 0x3FF) as u16);
                put(0xDC00 | (above & 0x3FF) as u16);
            }
        }
    }
    out.extend(lone);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn round(bytes: &[u8], step: usize, configured: Charset) -> Vec<u8> {
        let (mut utf16, _) = Utf16::sniff(bytes, configured).unwrap();
        let mut text = Vec::new();
        let mut parts = bytes.chunks(step).peekable();
        while let Some(part) = parts.next() {
            let from = text.len();
            text.extend_from_slice(part);
            utf16.decode(&mut text, from, parts.peek().is_none());
        }
        assert_eq!(len(&text) as u64 + utf16.input, bytes.len() as u64);
        let range = 0..text.len();
        let mut all = bytes[..utf16.input as usize].to_vec();
        all.extend_from_slice(utf16.record(&text, range).0);
        all
    }

    #[test]
    fn every_sequence_of_bytes_comes_back() {
        let mut state = 7u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as u8
        };
        for length in 0..200 {
            let mut bytes: Vec<u8> = (0..length).map(|_| random()).collect();
            for at in 0..length / 4 {
                // Half of it in the range where pairs and halves of pairs are.
                bytes[at * 2] = 0xD8 | bytes[at * 2] & 7;
            }
            for charset in [Charset::Utf16le, Charset::Utf16be] {
                for step in [1, 2, 3, 64] {
                    assert_eq!(round(&bytes, step, charset), bytes, "{charset:?} {step}");
                }
            }
        }
    }

    #[test]
    fn marks_and_zero_bytes_tell() {
        let sniff = |head: &[u8]| Utf16::sniff(head, Charset::Auto).map(|(_, charset)| charset);
        assert_eq!(sniff(b"\xff\xfea\0"), Some(Charset::Utf16le));
        assert_eq!(sniff(b"\xfe\xff\0a"), Some(Charset::Utf16be));
        assert_eq!(sniff(b"a\0b\0c\0d\0"), Some(Charset::Utf16le));
        assert_eq!(sniff(b"\0a\0b\0c\0d"), Some(Charset::Utf16be));
        assert_eq!(sniff(b"a\0b\0c\0"), None);
        assert_eq!(sniff(b"abc\0def\0"), None);
        assert_eq!(sniff(b"abcdefgh"), None);
        assert_eq!(sniff(b"\0\0\0\0\0\0\0\0"), None);
    }
}
