//! A cursor over one line, for decoders that step through it.

use std::ops::Range;

/// A line and how far it is read.
pub(super) struct Line<'r> {
    /// The record up to the line's end.
    pub bytes: &'r [u8],
    /// Where the rest begins.
    pub at: usize,
}

impl<'r> Line<'r> {
    /// What is not read yet.
    pub fn rest(&self) -> &'r [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Steps over `text` if the rest begins with it.
    pub fn eat(&mut self, text: &[u8]) -> bool {
        let found = self.rest().starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    /// What stands before `end`, stepping over both; `None` if it does not come.
    pub fn until(&mut self, end: &[u8]) -> Option<Range<usize>> {
        let found = memchr::memmem::find(self.rest(), end)?;
        let range = self.at..self.at + found;
        self.at = range.end + end.len();
        Some(range)
    }
}
