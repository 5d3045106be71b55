//! How a file's bytes become records.
//!
//! The form is sniffed from the first bytes (and the context's source): lines, XML `<Event>`
//! elements, EVTX, JSON documents, or shell history with stamps. Positions are byte offsets
//! (for EVTX the record's number). White space between records is no record; anything else
//! is, so that no byte of meaning is lost.

mod scan;

use crate::decode::evtx::{EvtxFault, EvtxReader};
use crate::decode::history::stamp_len;
use memchr::memchr;
use scan::{Container, Step, container, document_end, first_line, history, json, lines, xml};
use std::io::{self, Cursor, Read};
use std::ops::Range;
use yagura_event::SourceChoice;

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
        }
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
        let position = self.base + range.start as u64;
        self.start = next;
        self.number += 1;
        let bytes = self.buffer.get(range).unwrap_or_default();
        Ok(Some(Frame { bytes, position, number: self.number }))
    }

    fn next_evtx(&mut self) -> io::Result<Option<Frame<'_>>> {
        let Some(evtx) = &mut self.evtx else { return Ok(None) };
        let Some(record) = evtx.next_record(&mut self.buffer)? else { return Ok(None) };
        self.number += 1;
        let bytes = self.buffer.get(..RECORD_BYTES_MAX).unwrap_or(&self.buffer);
        Ok(Some(Frame { bytes, position: record.number, number: self.number }))
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
            let step = match form {
                Form::Lines | Form::Evtx => lines(rest, self.ended),
                Form::Xml => xml(rest, self.ended),
                Form::Json => json(rest, self.ended),
                Form::History => history(rest, self.ended),
            };
            let at = self.start;
            match step {
                Step::Record { range, .. } if range.len() >= RECORD_BYTES_MAX => {
                    return Ok(Some(self.cut(at + range.start)));
                }
                Step::Record { range, next } => {
                    return Ok(Some((at + range.start..at + range.end, at + next)));
                }
                Step::Skip(bytes) => self.start += bytes,
                Step::More if rest.len() >= RECORD_BYTES_MAX => return Ok(Some(self.cut(at))),
                Step::More => {
                    if !self.fill()? && self.ended && self.start >= self.buffer.len() {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// A record of the greatest length; what follows it up to the line's end is skipped.
    fn cut(&mut self, start: usize) -> (Range<usize>, usize) {
        self.skipping = true;
        let end = start + RECORD_BYTES_MAX;
        (start..end, end)
    }

    /// Reads more; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        if self.start > 0 && (self.start >= self.buffer.len() || self.start >= READ_BYTES) {
            self.buffer.drain(..self.start);
            self.base += self.start as u64;
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
        Ok(!self.ended)
    }

    fn sniff(&mut self) -> io::Result<Form> {
        while self.buffer.len() < SNIFF_BYTES && self.fill()? {}
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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A reader that gives few bytes at a time, so that records span reads.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(out.len());
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    type Frames = Vec<(u64, Vec<u8>)>;

    fn frames(text: &[u8], step: usize) -> (Option<Form>, Frames, u64) {
        let mut framer = Framer::new(Slow(text, step), &SourceChoice::Auto);
        let mut all = Vec::new();
        while let Some(frame) = framer.next_frame().unwrap() {
            assert_eq!(frame.number, all.len() as u64 + 1);
            all.push((frame.position, frame.bytes.to_vec()));
        }
        (framer.form(), all, framer.skipped_bytes())
    }

    #[track_caller]
    fn check(text: &str, form: Form, expect: &[(u64, &str)]) {
        let expect: Vec<_> = expect.iter().map(|(at, t)| (*at, t.as_bytes().to_vec())).collect();
        for step in [1, 7, 100_000] {
            let (got, all, _) = frames(text.as_bytes(), step);
            assert_eq!((got, &all), (Some(form), &expect), "step {step}: {text}");
        }
    }

    #[test]
    fn lines_lose_their_ends_and_blank_ones_are_none() {
        check("a b\r\n\n c\nd", Form::Lines, &[(0, "a b"), (6, " c"), (9, "d")]);
        check("", Form::Lines, &[]);
    }

    #[test]
    fn xml_events_between_wrappers() {
        check(
            "<?xml version='1.0'?>\n<Events>\n<Event x='1'>a</Event>\n<Event>b</Event>junk\n</Events>\n",
            Form::Xml,
            &[(31, "<Event x='1'>a</Event>"), (54, "<Event>b</Event>"), (70, "junk")],
        );
        check(
            "<Event>a<Event>b</Event><Event>c",
            Form::Xml,
            &[(0, "<Event>a"), (8, "<Event>b</Event>"), (24, "<Event>c")],
        );
    }

    #[test]
    fn json_in_every_arrangement() {
        check(
            "{\"a\":1}\n{\"b\n{\"c\":2}\n",
            Form::Lines,
            &[(0, "{\"a\":1}"), (8, "{\"b"), (12, "{\"c\":2}")],
        );
        check(
            "[{\"a\":\"}\"},\n {\"b\":[1]}]",
            Form::Json,
            &[(1, "{\"a\":\"}\"}"), (13, "{\"b\":[1]}")],
        );
        check(
            "{\n \"a\": 1\n}\n{\n \"b\": 2\n}\n",
            Form::Json,
            &[(0, "{\n \"a\": 1\n}"), (12, "{\n \"b\": 2\n}")],
        );
        check("{\"a\":1}{\"b\":2}", Form::Json, &[(0, "{\"a\":1}"), (7, "{\"b\":2}")]);
        check(
            "{\n \"a\": 1\n{\n \"b\": 2\n}",
            Form::Json,
            &[(0, "{\n \"a\": 1"), (10, "{\n \"b\": 2\n}")],
        );
    }

    #[test]
    fn records_of_a_container_are_records() {
        check(
            "{\"Records\":[{\"a\":1},{\"b\":[2]}]}",
            Form::Json,
            &[(12, "{\"a\":1}"), (20, "{\"b\":[2]}")],
        );
        check(
            "{ \"Records\" : [\n {\"a\":1} ] }\n{\"Records\":[{\"c\":3}]}\n",
            Form::Json,
            &[(17, "{\"a\":1}"), (41, "{\"c\":3}")],
        );
        // What stands beside the records is kept.
        check(
            "{\"Events\":[{\"a\":1}],\"NextToken\":5}",
            Form::Json,
            &[(11, "{\"a\":1}"), (20, "\"NextToken\":5}")],
        );
        // Other arrays, and arrays of other than objects, are parts of their object.
        check("{\"items\":[{\"a\":1}]}", Form::Lines, &[(0, "{\"items\":[{\"a\":1}]}")]);
        check("{\"Records\":[1]}", Form::Lines, &[(0, "{\"Records\":[1]}")]);
        check("{\"Recordsx\":[{}]}", Form::Lines, &[(0, "{\"Recordsx\":[{}]}")]);
        check("{\"Rec", Form::Lines, &[(0, "{\"Rec")]);
    }

    #[test]
    fn history_keeps_commands_of_several_lines_together() {
        check(
            "#1715689172\nfor x in a\ndo y\ndone\n#1715689209\nls # 1\n",
            Form::History,
            &[(0, "#1715689172\nfor x in a\ndo y\ndone"), (33, "#1715689209\nls # 1")],
        );
    }

    #[test]
    fn records_at_the_limit_are_cut_and_the_rest_is_counted() {
        let line = |n: usize| vec![b'x'; n];
        let text =
            [line(RECORD_BYTES_MAX - 1), line(RECORD_BYTES_MAX), line(3 * RECORD_BYTES_MAX + 5)]
                .join(&b'\n');
        let (_, all, skipped) = frames(&[text, b"end".to_vec()].join(&b'\n'), 1 << 16);
        let lengths: Vec<_> = all.iter().map(|(_, bytes)| bytes.len()).collect();
        assert_eq!(lengths, [RECORD_BYTES_MAX - 1, RECORD_BYTES_MAX, RECORD_BYTES_MAX, 3]);
        assert_eq!(skipped, 2 * RECORD_BYTES_MAX as u64 + 5);
    }

    #[test]
    fn no_newline_stays_within_memory() {
        let mut framer = Framer::new(io::repeat(b'x').take(5 << 20), &SourceChoice::Auto);
        assert_eq!(framer.next_frame().unwrap().unwrap().bytes.len(), RECORD_BYTES_MAX);
        assert!(framer.next_frame().unwrap().is_none());
        assert!(framer.buffer.capacity() <= 4 * RECORD_BYTES_MAX);
    }
}
