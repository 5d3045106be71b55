//! How a file's bytes become records.
//!
//! The form is sniffed from the first bytes (and the context's source): lines, XML `<Event>`
//! elements, EVTX, JSON documents, or shell history with stamps. Positions are byte offsets
//! (for EVTX the record's number). White space between records is no record; header lines
//! ([`crate::header`]) are none, but context: they come with the records they are for. Anything
//! else is a record, so that no byte of meaning is lost.
//!
//! A record is its own bytes as they stand in the input, in whatever charset. UTF-16 is
//! recognised by its byte order mark or zero bytes and cut at its own line ends.

mod scan;
mod utf16;

use crate::charset;
use crate::decode::evtx::{EvtxFault, EvtxReader};
use crate::decode::history::stamp_len;
use crate::header::{HEADER_CHANGES_MAX, Run, Style, directive, run};
use memchr::memchr;
use scan::{Container, Step, container, document_end, first_line, history, json, lines, xml};
use std::io::{self, Cursor, Read};
use std::ops::Range;
use utf16::Utf16;
use yagura_event::{Charset, SourceChoice};

/// Longest record, in bytes, exclusive. The largest real records (PowerShell script blocks)
/// stay under 100 kB. A longer record is cut to exactly this length, which the parser flags
/// `Truncated`, and the remainder is skipped and counted.
pub const RECORD_BYTES_MAX: usize = 1 << 20;

/// Bytes read at a time.
const READ_BYTES: usize = 128 * 1024;

/// Bytes looked at to tell the form of a file.
const SNIFF_BYTES: usize = 4_096;

/// How an input is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// One record a line.
    Lines,
    /// `<Event>` elements.
    Xml,
    /// A Windows event log file.
    Evtx,
    /// JSON documents over several lines, concatenated, or in one array.
    Json,
    /// `#<seconds>` lines, each with the command below it.
    History,
}

/// One record of an input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// Its bytes, without line end.
    pub bytes: &'a [u8],
    /// Where it begins in the input, in bytes (EVTX: the record's number).
    pub position: u64,
    /// Its number in the input, from 1.
    pub number: u64,
    /// The header lines in force.
    pub headers: &'a [String],
    /// Counts the changes of `headers`.
    pub section: u32,
    /// The charset of its bytes, as configured or as the input's beginning shows.
    pub charset: Charset,
}

/// How the last thing framed ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tail {
    /// Nothing, or a record with its end.
    Closed,
    /// A record that reached to the end of the input: the rest of it may come.
    Open,
    /// Header lines.
    Header,
}

/// Cuts a reader into records, in bounded memory.
pub struct Framer<R: Read> {
    reader: Option<R>,
    evtx: Option<EvtxReader<io::Chain<Cursor<Vec<u8>>, R>>>,
    form: Option<Form>,
    history: bool,
    buffer: Vec<u8>,
    start: usize,
    /// Input offset of `buffer[0]`.
    base: u64,
    ended: bool,
    skipping: bool,
    number: u64,
    skipped: u64,
    charset: Charset,
    utf16: Option<Utf16>,
    /// Whether header lines are looked for.
    reads_headers: bool,
    headers: Vec<String>,
    style: Option<Style>,
    section: u32,
    /// Lines with `#` before this place in the buffer are records.
    plain_until: usize,
    tail: Tail,
}

impl<R: Read> Framer<R> {
    /// A framer for `reader`. A feed that names `shell_history` is cut as such even where
    /// the file begins without a stamp.
    pub fn new(reader: R, source: &SourceChoice) -> Self {
        let history = matches!(source, SourceChoice::Named(name) if name == "shell_history");
        Self {
            reader: Some(reader),
            evtx: None,
            form: None,
            history,
            buffer: Vec::new(),
            start: 0,
            base: 0,
            ended: false,
            skipping: false,
            number: 0,
            skipped: 0,
            charset: Charset::Auto,
            utf16: None,
            reads_headers: true,
            headers: Vec::new(),
            style: None,
            section: 0,
            plain_until: 0,
            tail: Tail::Closed,
        }
    }

    /// The input's charset; a byte order mark of UTF-16 wins over it. To be called before the
    /// first record is asked for.
    #[must_use]
    pub fn with_charset(mut self, charset: Charset) -> Self {
        self.charset = charset;
        self
    }

    /// Whether header lines are context (the default) or records like all other lines: of a
    /// source that has none ([`crate::Sources::reads_headers`]).
    #[must_use]
    pub fn with_headers(mut self, reads: bool) -> Self {
        self.reads_headers = reads;
        self
    }

    /// The header lines in force, those behind the last record among them, and how often they
    /// have changed.
    pub fn headers(&self) -> (&[String], u32) {
        (&self.headers, self.section)
    }

    /// The charset, known once the first record was asked for.
    pub fn charset(&self) -> Charset {
        self.charset
    }

    /// How the last thing framed ended; meant for the end of the input.
    pub fn tail(&self) -> Tail {
        self.tail
    }

    /// The form, known once the first record was asked for.
    pub fn form(&self) -> Option<Form> {
        self.form
    }

    /// Bytes of over-long records that were skipped so far.
    pub fn skipped_bytes(&self) -> u64 {
        self.skipped
    }

    /// What was found damaged in an event log file since the last call, at most
    /// [`crate::decode::evtx::FAULTS_MAX`]; the records that could be read were framed.
    pub fn take_faults(&mut self) -> Vec<EvtxFault> {
        self.evtx.as_mut().map(EvtxReader::take_faults).unwrap_or_default()
    }

    /// How many faults of an event log file were met in all, kept or not.
    pub fn fault_count(&self) -> u64 {
        self.evtx.as_ref().map_or(0, EvtxReader::fault_count)
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// From the reader.
    pub fn next_frame(&mut self) -> io::Result<Option<Frame<'_>>> {
        let form = match self.form {
            Some(form) => form,
            None => self.sniff()?,
        };
        if form == Form::Evtx {
            return self.next_evtx();
        }
        let Some((range, next)) = self.find(form)? else { return Ok(None) };
        self.start = next;
        self.number += 1;
        // A record that ends like an element or object needs no line end.
        let text = self.buffer.get(range.clone()).unwrap_or_default();
        let closed = matches!(text.last(), Some(b'>' | b'}' | b']'));
        let open = self.ended && range.end >= self.buffer.len() && !closed;
        self.tail = if open { Tail::Open } else { Tail::Closed };
        let (headers, section, charset) = (&self.headers, self.section, self.charset);
        let (bytes, position) = match &mut self.utf16 {
            Some(utf16) => utf16.record(&self.buffer, range),
            None => {
                let position = self.base + range.start as u64;
                (self.buffer.get(range).unwrap_or_default(), position)
            }
        };
        Ok(Some(Frame { bytes, position, number: self.number, headers, section, charset }))
    }

    fn next_evtx(&mut self) -> io::Result<Option<Frame<'_>>> {
        let Some(evtx) = &mut self.evtx else { return Ok(None) };
        let Some(record) = evtx.next_record(&mut self.buffer)? else { return Ok(None) };
        self.number += 1;
        let bytes = self.buffer.get(..RECORD_BYTES_MAX).unwrap_or(&self.buffer);
        Ok(Some(Frame {
            bytes,
            position: record.number,
            number: self.number,
            headers: &self.headers,
            section: self.section,
            charset: self.charset,
        }))
    }

    fn find(&mut self, form: Form) -> io::Result<Option<(Range<usize>, usize)>> {
        loop {
            let rest = self.buffer.get(self.start..).unwrap_or_default();
            if self.skipping {
                // The remainder of a cut record reaches to the end of its line.
                match memchr(b'\n', rest) {
                    Some(at) => {
                        self.skipped += at as u64;
                        self.start += at + 1;
                        self.skipping = false;
                    }
                    None => {
                        self.skipped += rest.len() as u64;
                        self.start = self.buffer.len();
                        if !self.fill()? {
                            return Ok(None);
                        }
                    }
                }
                continue;
            }
            if form == Form::Lines && rest.starts_with(b"\xef\xbb\xbf#") {
                // A byte order mark, also of a file joined to another, does not hide a header.
                self.start += 3;
                continue;
            }
            if form == Form::Lines && self.reads_headers && self.at_header(rest) {
                let run = run(rest, self.ended, self.style);
                if self.header(run) && !self.fill()? && self.start >= self.buffer.len() {
                    return Ok(None);
                }
                continue;
            }
            let step = match form {
                Form::Lines | Form::Evtx => lines(rest, self.ended),
                Form::Xml => xml(rest, self.ended),
                Form::Json => json(rest, self.ended),
                Form::History => history(rest, self.ended),
            };
            let at = self.start;
            match step {
                Step::Record { range, .. } if self.is_over(&rest[range.clone()]) => {
                    return Ok(Some(self.cut(at + range.start)));
                }
                Step::Record { range, next } => {
                    return Ok(Some((at + range.start..at + range.end, at + next)));
                }
                Step::Skip(bytes) => self.start += bytes,
                Step::More if self.is_over(rest) => return Ok(Some(self.cut(at))),
                Step::More => {
                    if !self.fill()? && self.ended && self.start >= self.buffer.len() {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Whether a line with `#` that may begin a header is next.
    fn at_header(&self, rest: &[u8]) -> bool {
        rest.first() == Some(&b'#') && self.start >= self.plain_until
    }

    /// Takes what was found of a header; whether more bytes are needed.
    fn header(&mut self, found: Run) -> bool {
        let (lines, next, joins) = match found {
            Run::More => return true,
            Run::Plain { next } => {
                self.plain_until = self.start + next;
                return false;
            }
            Run::Header { lines, next } => (lines, next, false),
            Run::Joins { lines, next } => (lines, next, true),
        };
        if self.section >= HEADER_CHANGES_MAX {
            if self.style.take().is_some() {
                self.headers.clear();
                self.section += 1;
            }
            self.plain_until = self.start + next;
            return false;
        }
        let mut headers = if joins { self.headers.clone() } else { Vec::new() };
        for range in lines {
            let bytes = self.buffer.get(self.start..).and_then(|rest| rest.get(range));
            let line = bytes.unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let charset = if self.utf16.is_some() { Charset::Utf8 } else { self.charset };
            let text = charset::decode(charset, line).text;
            let text = String::from_utf8_lossy(&text).into_owned();
            // A directive takes the place of the one of its name.
            let word = directive(&text).map(|d| d.word.to_owned()).filter(|_| joins);
            if let Some(word) = word {
                headers.retain(|known| directive(known).is_none_or(|d| d.word != word));
            }
            headers.push(text);
        }
        if !joins {
            let fields = |d: &crate::header::Directive<'_>| d.word.eq_ignore_ascii_case("fields");
            let named = headers.iter().rev().filter_map(|line| directive(line)).find(fields);
            self.style = named.map(|d| d.style);
        }
        if headers != self.headers {
            self.headers = headers;
            self.section += 1;
        }
        self.start += next;
        self.tail = Tail::Header;
        false
    }

    /// Whether a record of this text is too long as the input's own bytes.
    fn is_over(&self, text: &[u8]) -> bool {
        match &self.utf16 {
            None => text.len() >= RECORD_BYTES_MAX,
            Some(_) => text.len() >= RECORD_BYTES_MAX / 2 && utf16::len(text) >= RECORD_BYTES_MAX,
        }
    }

    /// A record of the greatest length; what follows it up to the line's end is skipped.
    fn cut(&mut self, start: usize) -> (Range<usize>, usize) {
        self.skipping = true;
        let end = match &self.utf16 {
            None => start + RECORD_BYTES_MAX,
            Some(_) => {
                let rest = self.buffer.get(start..).unwrap_or_default();
                start + utf16::prefix(rest, RECORD_BYTES_MAX)
            }
        };
        (start..end, end)
    }

    /// Reads more; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        if self.start > 0 && (self.start >= self.buffer.len() || self.start >= READ_BYTES) {
            if let Some(utf16) = &mut self.utf16 {
                utf16.forget(&self.buffer, self.start);
            }
            self.buffer.drain(..self.start);
            self.base += self.start as u64;
            self.plain_until = self.plain_until.saturating_sub(self.start);
            self.start = 0;
        }
        let Some(reader) = self.reader.as_mut().filter(|_| !self.ended) else { return Ok(false) };
        let old = self.buffer.len();
        self.buffer.resize(old + READ_BYTES, 0);
        let read = loop {
            match reader.read(&mut self.buffer[old..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let count = read.as_ref().map_or(0, |count| *count);
        self.buffer.truncate(old + count);
        self.ended = read? == 0;
        if let Some(utf16) = &mut self.utf16 {
            utf16.decode(&mut self.buffer, old, self.ended);
            return Ok(self.buffer.len() > old || !self.ended);
        }
        Ok(!self.ended)
    }

    fn sniff(&mut self) -> io::Result<Form> {
        while self.buffer.len() < SNIFF_BYTES && self.fill()? {}
        self.sniff_charset();
        let head = self.buffer.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.buffer);
        let text = head.trim_ascii_start();
        let form = if head.starts_with(b"ElfFile\0") {
            Form::Evtx
        } else if [&b"<?xml"[..], b"<Event", b"<!--"].iter().any(|tag| text.starts_with(tag)) {
            Form::Xml
        } else if self.history || stamp_len(first_line(text)).is_some() {
            Form::History
        } else if text.starts_with(b"[") && text[1..].trim_ascii_start().starts_with(b"{") {
            Form::Json
        } else if text.starts_with(b"{") {
            match container(text) {
                Container::Open(_) => Form::Json,
                _ => self.json_form()?,
            }
        } else {
            Form::Lines
        };
        if form == Form::Evtx
            && let Some(reader) = self.reader.take()
        {
            let begun = Cursor::new(std::mem::take(&mut self.buffer));
            self.evtx = Some(EvtxReader::new(begun.chain(reader)));
        }
        self.form = Some(form);
        Ok(form)
    }

    /// What the first bytes say of the charset.
    fn sniff_charset(&mut self) {
        let head = self.buffer.get(..SNIFF_BYTES).unwrap_or(&self.buffer);
        if head.starts_with(b"ElfFile\0") {
            return;
        }
        if let Some((utf16, charset)) = Utf16::sniff(head, self.charset) {
            self.charset = charset;
            let utf16 = self.utf16.insert(utf16);
            utf16.decode(&mut self.buffer, 0, self.ended);
        } else if self.charset == Charset::Auto
            && let Some(charset) = charset::sniff(head)
        {
            self.charset = charset;
        }
    }

    /// JSON one document a line is cut at lines, so that a broken line costs only itself.
    /// The first document decides.
    fn json_form(&mut self) -> io::Result<Form> {
        loop {
            let bom = if self.buffer.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
            let text = self.buffer.get(bom..).unwrap_or_default();
            let start = bom + (text.len() - text.trim_ascii_start().len());
            let found = memchr(b'\n', &self.buffer[start..]);
            let room = self.buffer.len() - start < RECORD_BYTES_MAX;
            if found.is_none() && room && self.fill()? {
                continue;
            }
            let rest = self.buffer.get(start..).unwrap_or_default();
            let line = rest[..found.unwrap_or(rest.len())].trim_ascii_end();
            return Ok(match document_end(line) {
                Some(end) if end < line.len() => Form::Json,
                Some(_) => Form::Lines,
                // An unbalanced first line: a document over lines if it opens one, which
                // a line that names a field and breaks off does not.
                None if line.len() < 3
                    || line.ends_with(b",")
                    || line.ends_with(b"{")
                    || line.ends_with(b"[") =>
                {
                    Form::Json
                }
                None => Form::Lines,
            });
        }
    }
}

impl<R: Read> std::fmt::Debug for Framer<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Framer").field("form", &self.form).field("number", &self.number).finish()
    }
}

#[cfg(test)]
mod tests;
