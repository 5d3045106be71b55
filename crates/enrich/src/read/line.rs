//! Lines of a stream, of bounded length.

use std::io::{self, BufRead as _, BufReader, Read};

/// Longest line looked at, in bytes; a longer one is one refused entry.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// How much of a longer line is given, to say which it is, in bytes.
const LONG_BYTES: usize = 1024;

/// Reads lines.
pub struct Lines<R> {
    from: BufReader<R>,
    line: Vec<u8>,
}

impl<R: Read> Lines<R> {
    /// Over `from`.
    pub fn new(from: R) -> Self {
        Self { from: BufReader::with_capacity(256 * 1024, from), line: Vec::new() }
    }

    /// The next line without its end, `Ok(None)` at the end, the beginning and `true` for one that
    /// is too long.
    ///
    /// # Errors
    /// From the reader.
    pub fn next(&mut self) -> io::Result<Option<(std::borrow::Cow<'_, str>, bool)>> {
        self.line.clear();
        let mut long = false;
        let mut any = false;
        loop {
            let buffer = self.from.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            any = true;
            let end = buffer.iter().position(|b| *b == b'\n');
            let part = &buffer[..end.unwrap_or(buffer.len())];
            long |= self.line.len() + part.len() > LINE_BYTES_MAX;
            let room = if long { LONG_BYTES.saturating_sub(self.line.len()) } else { part.len() };
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            let used = end.map_or(buffer.len(), |end| end + 1);
            self.from.consume(used);
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        if long {
            self.line.truncate(LONG_BYTES);
        }
        Ok(Some((String::from_utf8_lossy(&self.line), long)))
    }
}
