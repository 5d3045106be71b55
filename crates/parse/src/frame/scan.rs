//! Finds the next record in buffered bytes, one function per form.

use super::RECORD_BYTES_MAX;
use crate::decode::history::stamp_len;
use memchr::{memchr, memchr2, memmem};
use std::ops::Range;

/// What a scan of the buffered bytes found.
pub enum Step {
    /// A record, and where to go on.
    Record {
        /// Its bytes.
        range: Range<usize>,
        /// The first byte behind it.
        next: usize,
    },
    /// Nothing up to here.
    Skip(usize),
    /// More bytes are needed.
    More,
}

pub fn first_line(text: &[u8]) -> &[u8] {
    &text[..memchr(b'\n', text).unwrap_or(text.len())]
}

pub fn lines(rest: &[u8], ended: bool) -> Step {
    let (line, next) = match memchr(b'\n', rest) {
        Some(at) => (&rest[..at], at + 1),
        None if ended && !rest.is_empty() => (rest, rest.len()),
        None => return Step::More,
    };
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.trim_ascii().is_empty() {
        return Step::Skip(next);
    }
    Step::Record { range: 0..line.len(), next }
}

pub fn xml(rest: &[u8], ended: bool) -> Step {
    let blank = rest.len() - rest.trim_ascii_start().len();
    if blank > 0 {
        return Step::Skip(blank);
    }
    if rest.is_empty() || (rest.len() < 10 && !ended) {
        return Step::More;
    }
    if rest.starts_with(b"\xef\xbb\xbf") {
        return Step::Skip(3);
    }
    for (open, close) in
        [(&b"<?"[..], &b"?>"[..]), (b"<!--", b"-->"), (b"<Events", b">"), (b"</Events", b">")]
    {
        if rest.starts_with(open) {
            return match memmem::find(rest, close) {
                Some(at) => Step::Skip(at + close.len()),
                None if ended => Step::Record { range: 0..rest.len(), next: rest.len() },
                None => Step::More,
            };
        }
    }
    let until = |end: Option<usize>| match end {
        Some(end) => Step::Record { range: 0..rest[..end].trim_ascii_end().len(), next: end },
        None if ended => Step::Record { range: 0..rest.trim_ascii_end().len(), next: rest.len() },
        None => Step::More,
    };
    if rest.starts_with(b"<Event") {
        const END: &[u8] = b"</Event>";
        // An element that does not end gives way to the next that begins.
        let end = memmem::find(rest, END).map(|at| at + END.len());
        let inner = &rest[6..end.unwrap_or(rest.len())];
        let next = memmem::find(inner, b"<Event ").or_else(|| memmem::find(inner, b"<Event>"));
        return until(next.map(|at| at + 6).or(end));
    }
    // Text between elements is a record of its own.
    until(memchr(b'<', &rest[1..]).map(|at| at + 1))
}

pub fn json(rest: &[u8], ended: bool) -> Step {
    let skip = rest
        .iter()
        .take_while(|b| b.is_ascii_whitespace() || matches!(b, b',' | b'[' | b']' | b'}'))
        .count();
    if skip > 0 {
        return Step::Skip(skip);
    }
    if rest.is_empty() {
        return Step::More;
    }
    if rest.starts_with(b"\xef\xbb\xbf") {
        return Step::Skip(3);
    }
    if rest[0] != b'{' {
        return lines(rest, ended);
    }
    match container(rest) {
        Container::Open(bytes) => return Step::Skip(bytes),
        Container::Perhaps if !ended => return Step::More,
        _ => {}
    }
    match document_end(rest) {
        Some(end) => Step::Record { range: 0..end, next: end },
        // A document that does not end is cut where a line begins the next one.
        None if ended || rest.len() >= RECORD_BYTES_MAX => {
            let end = memmem::find(rest, b"\n{").unwrap_or(rest.len());
            Step::Record { range: 0..rest[..end].trim_ascii_end().len(), next: end }
        }
        None => Step::More,
    }
}

/// Keys under which one object holds the records of a whole file: deliveries of AWS CloudTrail
/// and of Azure, and the answer of `lookup-events`.
const CONTAINERS: [&[u8]; 3] = [b"Records", b"records", b"Events"];

/// Most bytes between the parts of a container's opening, so that it is told soon.
const CONTAINER_SPACE_MAX: usize = 64;

/// Whether a text opens an object whose first key holds an array of records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Container {
    /// It does, and the first record begins after so many bytes.
    Open(usize),
    /// The text is too short to tell.
    Perhaps,
    /// It does not.
    No,
}

/// Whether `text`, which begins with a brace, opens a container. Its records are framed one by
/// one; what follows them in the object is a record of its own.
pub fn container(text: &[u8]) -> Container {
    let mut at = 0;
    for part in [&b"{"[..], b"\"", b":", b"[", b"{"] {
        let rest = &text[at..];
        let blank = rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
        if blank > CONTAINER_SPACE_MAX {
            return Container::No;
        }
        let Some(rest) = rest.get(blank..).filter(|rest| !rest.is_empty()) else {
            return Container::Perhaps;
        };
        if !rest.starts_with(part) {
            return Container::No;
        }
        if part == b"{" && at > 0 {
            return Container::Open(at + blank);
        }
        at += blank + 1;
        if part == b"\"" {
            let rest = &text[at..];
            let Some(key) = CONTAINERS.iter().find(|key| {
                rest.starts_with(key) && rest.get(key.len()).is_none_or(|b| *b == b'"')
            }) else {
                let cut = CONTAINERS.iter().any(|key| key.starts_with(rest));
                return if cut { Container::Perhaps } else { Container::No };
            };
            if rest.len() == key.len() {
                return Container::Perhaps;
            }
            at += key.len() + 1;
        }
    }
    Container::No
}

/// Where the JSON object that `text` begins with ends, by its braces and strings.
pub fn document_end(text: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0usize, 0usize);
    loop {
        let byte = *text.get(at)?;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b'"' => loop {
                at += 1;
                at += memchr2(b'"', b'\\', text.get(at..)?)?;
                if text[at] == b'"' {
                    break;
                }
                at += 1;
            },
            _ => {}
        }
        at += 1;
    }
}

pub fn history(rest: &[u8], ended: bool) -> Step {
    let Some(first) = memchr(b'\n', rest) else { return lines(rest, ended) };
    let stamped = stamp_len(&rest[..first]).is_some();
    if !stamped {
        return lines(rest, ended);
    }
    // The command reaches to the next stamp.
    let mut at = first + 1;
    loop {
        let line = rest.get(at..).unwrap_or_default();
        let end = memchr(b'\n', line);
        if stamp_len(&line[..end.unwrap_or(line.len())]).is_some() && (end.is_some() || ended) {
            break;
        }
        match end {
            Some(end) => at += end + 1,
            None if ended => {
                at = rest.len();
                break;
            }
            None => return Step::More,
        }
    }
    Step::Record { range: 0..rest[..at].trim_ascii_end().len(), next: at }
}
