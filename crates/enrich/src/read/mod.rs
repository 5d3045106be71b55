//! Reads lists of indicators in whatever form they come, told by content, not by name.
//!
//! Plain lists, tables (CSV and its kin), and JSON (STIX 2.1, MISP, generic). All are read as
//! streams; what is beyond [`Limits`] refuses the list as a whole.

mod head;
mod json;
mod line;
mod plain;
mod stix;
mod table;

use crate::list::{Builder, List, Statement};
use crate::refusal::Refusal;
use crate::value::{Value, parse};
use line::Lines;
use std::io::{self, Read};

/// Bytes at a list's beginning by which its form is told.
const HEAD_BYTES: usize = 64 * 1024;

/// Entries from which on a list of which hardly any is an indicator is none: prose, code, a
/// web server's error page. A tenth of them must be.
const PROSE_ENTRIES_MIN: u64 = 20;

/// What is taken.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most bytes of one list, unpacked; a longer one is refused as a whole.
    pub list_bytes_max: u64,
    /// Most indicators of one list; a list of more is refused as a whole.
    pub list_indicators_max: u64,
    /// Takes reserved and wide networks, public suffixes, hashes of nothing and what its author
    /// does not mean for detection, too.
    pub wide: bool,
}

impl Default for Limits {
    /// 2 GiB and five million: what a set in force may hold twice.
    fn default() -> Self {
        Self { list_bytes_max: 2 << 30, list_indicators_max: 5_000_000, wide: false }
    }
}

/// Reads one list. Its faults are in the list; those of the reader end it, the entries before
/// stay.
///
/// # Errors
/// None of the list's: only those of the reader before its first byte.
pub fn read_list(name: &str, mut from: impl Read, limits: &Limits) -> io::Result<List> {
    let mut head = Vec::new();
    from.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    let whole = head.len() < HEAD_BYTES;
    if head.starts_with(b"\xef\xbb\xbf") {
        head.drain(..3);
    }
    let form = head::form(&head, whole);
    let counted = Counted { inner: io::Cursor::new(head).chain(from), left: limits.list_bytes_max };
    let builder = Builder::new(name);
    let mut sink = Sink { builder, limits: *limits, values: Vec::new(), line: None };
    let end = match form {
        head::Form::Foreign(what) => End::Refused(what.to_owned()),
        head::Form::Json => json::read(counted, &mut sink),
        head::Form::Plain => plain::read(Lines::new(counted), &mut sink),
        head::Form::Table(table) => table::read(Lines::new(counted), &table, &mut sink),
    };
    Ok(sink.finish(end))
}

/// How reading ended.
enum End {
    /// At the end.
    Done,
    /// Early: what was read stays.
    Early(String),
    /// Beyond a limit: nothing stays.
    Refused(String),
}

/// Error text of a reader beyond [`Limits::list_bytes_max`].
const TOO_LONG: &str = "the list is longer than";

/// A reader that ends with an error beyond a limit.
struct Counted<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other(TOO_LONG)),
        }
        Ok(read)
    }
}

/// Takes entries as readers find them.
struct Sink {
    builder: Builder,
    limits: Limits,
    values: Vec<Value>,
    /// The line that is read, from 1; `None` in a JSON document.
    line: Option<u64>,
}

impl Sink {
    /// Takes an entry, whatever it is; false once the list is too long.
    fn entry(&mut self, text: &str, said: &Statement) -> bool {
        self.values.clear();
        match parse(text, self.limits.wide, &mut self.values) {
            Ok(()) => self.values.iter().for_each(|value| self.builder.take(value, said)),
            Err(why) => self.builder.refuse(why, text, self.line),
        }
        self.builder.count() <= self.limits.list_indicators_max
    }

    fn refuse(&mut self, why: Refusal, text: &str) {
        self.builder.refuse(why, text, self.line);
    }

    /// Goes on to the next line.
    fn next_line(&mut self) {
        self.line = Some(self.line.unwrap_or(0) + 1);
    }

    fn too_many(&self) -> End {
        let most = self.limits.list_indicators_max;
        End::Refused(format!("refused: it holds more than {most} indicators; split it"))
    }

    fn io(&self, error: &io::Error) -> End {
        if error.to_string() == TOO_LONG {
            let most = self.limits.list_bytes_max;
            return End::Refused(format!("refused: {TOO_LONG} {most} bytes; split it"));
        }
        End::Early(format!("reading it ended early: {error}"))
    }

    fn finish(mut self, end: End) -> List {
        let (taken, strange) = (self.builder.count(), self.builder.refused(Refusal::Unrecognised));
        match end {
            End::Refused(fault) => return self.builder.refused_whole(fault),
            End::Early(fault) => self.builder.fault(fault),
            End::Done if strange >= PROSE_ENTRIES_MIN && taken < strange / 9 => {
                let fault = "refused: hardly any entry is an indicator; it is no list".to_owned();
                return self.builder.refused_whole(fault);
            }
            End::Done => {}
        }
        self.builder.finish()
    }
}
