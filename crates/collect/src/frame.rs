//! Reassembles syslog frames from a byte stream (RFC 6587).

/// Longest accepted frame, in bytes; the same limit as for files. RFC 5424 section 6.1 asks
/// receivers to take 2,048 and allows more. A longer frame is cut here, its event is flagged
/// `truncated`, and the rest is read and dropped.
pub const FRAME_BYTES_MAX: usize = 1024 * 1024;

/// Longest decimal length prefix; a longer run of digits is a line that begins with digits.
const LENGTH_DIGITS_MAX: usize = 9;

/// Splits a stream by octet counting where a frame begins with a length, else at line feeds.
///
/// Both kinds may alternate within one stream, as senders behind relays do.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Bytes of an over-long frame still to be dropped.
    skip: Skip,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Skip {
    #[default]
    Nothing,
    Octets(usize),
    Line,
}

enum Next {
    Frame { start: usize, len: usize, consumed: usize, skip: Skip },
    Incomplete,
}

impl Framer {
    /// Takes bytes and calls `frame` with each complete frame, without its delimiter. Empty
    /// frames are left out.
    pub fn push(&mut self, bytes: &[u8], mut frame: impl FnMut(&[u8])) {
        self.buffer.extend_from_slice(bytes);
        let mut at = 0;
        loop {
            at += self.skip_from(at);
            if self.skip != Skip::Nothing {
                break;
            }
            match next(&self.buffer[at..]) {
                Next::Incomplete => break,
                Next::Frame { start, len, consumed, skip } => {
                    let body = trim(&self.buffer[at + start..at + start + len]);
                    if !body.is_empty() {
                        frame(body);
                    }
                    at += consumed;
                    self.skip = skip;
                }
            }
        }
        self.buffer.drain(..at);
    }

    /// The unfinished frame at the end of the stream, if there is one: a sender that closes
    /// without a final line feed meant it as a line.
    pub fn finish(&mut self) -> Option<Vec<u8>> {
        if self.skip != Skip::Nothing {
            return None;
        }
        let rest = trim(&self.buffer).to_vec();
        self.buffer.clear();
        (!rest.is_empty()).then_some(rest)
    }

    /// Drops what remains of an over-long frame; returns how many bytes that took.
    fn skip_from(&mut self, at: usize) -> usize {
        let rest = &self.buffer[at..];
        let (taken, skip) = match self.skip {
            Skip::Nothing => (0, Skip::Nothing),
            Skip::Octets(n) if n <= rest.len() => (n, Skip::Nothing),
            Skip::Octets(n) => (rest.len(), Skip::Octets(n - rest.len())),
            Skip::Line => match rest.iter().position(|b| *b == b'\n') {
                Some(end) => (end + 1, Skip::Nothing),
                None => (rest.len(), Skip::Line),
            },
        };
        self.skip = skip;
        taken
    }
}

fn next(bytes: &[u8]) -> Next {
    if bytes.is_empty() {
        return Next::Incomplete;
    }
    let digits =
        bytes.iter().take(LENGTH_DIGITS_MAX + 1).take_while(|b| b.is_ascii_digit()).count();
    let counted = bytes[0] != b'0' && (1..=LENGTH_DIGITS_MAX).contains(&digits);
    if counted {
        match bytes.get(digits..) {
            Some([]) | None => return Next::Incomplete,
            // A counted frame begins with its priority; anything else is a line of its own.
            Some([b' ']) => return Next::Incomplete,
            Some([b' ', b'<', ..]) => return octets(bytes, digits),
            Some(_) => {}
        }
    }
    line(bytes)
}

fn octets(bytes: &[u8], digits: usize) -> Next {
    let total = bytes[..digits].iter().fold(0usize, |n, d| n * 10 + usize::from(d - b'0'));
    let start = digits + 1;
    let have = bytes.len() - start;
    if total > FRAME_BYTES_MAX {
        if have < FRAME_BYTES_MAX {
            return Next::Incomplete;
        }
        let consumed = start + FRAME_BYTES_MAX;
        let skip = Skip::Octets(total - FRAME_BYTES_MAX);
        return Next::Frame { start, len: FRAME_BYTES_MAX, consumed, skip };
    }
    if have < total {
        return Next::Incomplete;
    }
    Next::Frame { start, len: total, consumed: start + total, skip: Skip::Nothing }
}

fn line(bytes: &[u8]) -> Next {
    match bytes.iter().take(FRAME_BYTES_MAX + 1).position(|b| *b == b'\n') {
        Some(end) => Next::Frame { start: 0, len: end, consumed: end + 1, skip: Skip::Nothing },
        None if bytes.len() > FRAME_BYTES_MAX => Next::Frame {
            start: 0,
            len: FRAME_BYTES_MAX,
            consumed: FRAME_BYTES_MAX,
            skip: Skip::Line,
        },
        None => Next::Incomplete,
    }
}

/// Without trailing CR, LF and NUL, which senders add.
fn trim(frame: &[u8]) -> &[u8] {
    let end = frame.iter().rposition(|b| !matches!(b, b'\r' | b'\n' | 0)).map_or(0, |at| at + 1);
    &frame[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(stream: &[u8], step: usize) -> Vec<Vec<u8>> {
        let mut framer = Framer::default();
        let mut all = Vec::new();
        for part in stream.chunks(step) {
            framer.push(part, |f| all.push(f.to_vec()));
        }
        all.extend(framer.finish());
        all
    }

    #[test]
    fn both_framings_whatever_the_reads() {
        let stream = b"<1>one\r\n8 <2>two\n\n<3>three\n42 is a line\n11 <4>counted<5>last";
        let expect: Vec<Vec<u8>> =
            ["<1>one", "<2>two", "<3>three", "42 is a line", "<4>counted", "<5>last"]
                .iter()
                .map(|s| s.as_bytes().to_vec())
                .collect();
        // "11 <4>counted<": the count takes one byte of the next priority when it lies.
        let honest = b"<1>one\r\n8 <2>two\n\n<3>three\n42 is a line\n10 <4>counted<5>last";
        for step in 1..honest.len() {
            assert_eq!(frames(honest, step), expect, "step {step}");
        }
        assert_ne!(frames(stream, 7), expect);
    }

    #[test]
    fn an_over_long_line_is_cut_and_the_next_is_whole() {
        for length in [FRAME_BYTES_MAX, FRAME_BYTES_MAX + 1, 3 * FRAME_BYTES_MAX] {
            let mut stream = vec![b'x'; length];
            stream.extend_from_slice(b"\nnext\n");
            let got = frames(&stream, 65_536);
            assert_eq!(got.len(), 2);
            assert_eq!(got[0].len(), length.min(FRAME_BYTES_MAX));
            assert_eq!(got[1], b"next");
        }
    }

    #[test]
    fn an_over_long_counted_frame_is_cut_and_the_next_is_whole() {
        let total = FRAME_BYTES_MAX + 10;
        let mut stream = format!("{total} <1>").into_bytes();
        stream.resize(stream.len() + total - 3, b'y');
        stream.extend_from_slice(b"7 <2>next");
        let got = frames(&stream, 10_000);
        assert_eq!(got.len(), 2);
        assert_eq!(got[0].len(), FRAME_BYTES_MAX);
        assert_eq!(got[1], b"<2>next");
    }

    #[test]
    fn memory_is_bounded_without_any_line_feed() {
        let mut framer = Framer::default();
        let part = vec![b'z'; 64 * 1024];
        for _ in 0..100 {
            framer.push(&part, |_| {});
            assert!(framer.buffer.len() <= FRAME_BYTES_MAX + part.len());
        }
    }
}
