//! Where a followed file stands, and how its content is known again under another name.

use crate::container::{Fault, peel};
use crate::watch::follow::Packed;
use crate::watch::glob::{FileId, Seen};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use yagura_event::FindingId;

/// Bytes at the beginning and before the place by which content is known again. Together with
/// the number of bytes between them that tells two logs apart whose beginnings agree.
pub const PRINT_BYTES: usize = 1_024;

/// Endings that compressed rotated files have.
const PACKED_ENDINGS: &[&str] = &[".gz", ".zst", ".bz2", ".xz"];

/// The hash of a stretch of a file.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Print {
    /// Its length in bytes, at most [`PRINT_BYTES`].
    pub len: u64,
    /// 32 hexadecimal digits.
    pub hash: String,
}

impl Print {
    /// The print of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let hash = FindingId::of(&[bytes]).0;
        Self { len: bytes.len() as u64, hash: format!("{hash:032x}") }
    }
}

/// Where a file stands; stored in the journal with the records up to there.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Place {
    /// Its name below the watched path when it was first seen: names stream and context.
    pub name: String,
    /// Where it was seen last.
    pub path: PathBuf,
    /// Device of the file last seen; with `ino` 0 for one that is gone.
    pub dev: u64,
    /// Inode of the file last seen.
    pub ino: u64,
    /// Bytes taken, out of its compression.
    pub offset: u64,
    /// Records taken.
    pub records: u64,
    /// Whether the place is inside of a line whose rest is left out.
    #[serde(default)]
    pub skipping: bool,
    /// A compressed file's length on the disk when it was read to its end; else 0.
    #[serde(default)]
    pub done_bytes: u64,
    /// How a compressed file begins on the disk; it is not unpacked again to be known.
    #[serde(default)]
    pub packed: Print,
    /// How the content begins.
    pub head: Print,
    /// How the content goes before the place.
    pub tail: Print,
    /// When the place was stored, in seconds since 1970 UTC.
    pub time: i64,
}

impl Place {
    /// The identity of the file last seen.
    pub fn id(&self) -> FileId {
        FileId { dev: self.dev, ino: self.ino }
    }

    /// Whether the first bytes of `file` are those that were taken.
    ///
    /// # Errors
    /// From the file system.
    pub fn is_in(&self, file: &File) -> io::Result<bool> {
        if self.offset == 0 {
            return Ok(true);
        }
        let tail = self.offset.saturating_sub(self.tail.len);
        Ok(print_at(file, 0, self.head.len)? == self.head
            && print_at(file, tail, self.tail.len)? == self.tail)
    }

    /// Whether `file` is the compressed one, `len` bytes long, that was read to its end.
    ///
    /// # Errors
    /// From the file system.
    pub fn is_done(&self, file: &File, len: u64) -> io::Result<bool> {
        Ok(self.done_bytes > 0
            && self.done_bytes == len
            && print_at(file, 0, self.packed.len)? == self.packed)
    }

    /// The same for a compressed file; the reader stands behind what was taken on `Some`.
    ///
    /// # Errors
    /// From the file system.
    pub fn is_in_packed(&self, file: &File) -> io::Result<Option<Packed>> {
        let mut packed = Packed::new(file)?;
        let mut left = self.offset;
        let mut buffer = vec![0u8; 64 * 1024];
        while left > 0 {
            let room = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let read = packed.reader.read(&mut buffer[..room])?;
            if read == 0 {
                return Ok(None);
            }
            left -= read as u64;
            let bytes = &buffer[..read];
            let missing = PRINT_BYTES.saturating_sub(packed.head.len()).min(read);
            packed.head.extend_from_slice(&bytes[..missing]);
            // Other content is told early, long before the place.
            let head = &packed.head;
            if missing > 0 && head.len() == PRINT_BYTES && Print::of(head) != self.head {
                return Ok(None);
            }
            keep_tail(&mut packed.tail, bytes);
        }
        let same = self.offset == 0
            || (Print::of(&packed.head) == self.head && Print::of(&packed.tail) == self.tail);
        Ok(same.then_some(packed))
    }
}

/// Whether a plain file holds the beginning that a compressed one is: `None` where it does not,
/// else the length of the compressed content.
///
/// # Errors
/// From the file system.
pub fn packed_beginning(packed: &File, of: &File) -> io::Result<Option<u64>> {
    let mut reader = Packed::new(packed)?.reader;
    let (mut len, mut head, mut tail) = (0u64, Vec::new(), Vec::new());
    let mut buffer = vec![0u8; 64 * 1024];
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        let bytes = &buffer[..read];
        let missing = PRINT_BYTES.saturating_sub(head.len()).min(read);
        head.extend_from_slice(&bytes[..missing]);
        if head.len() == PRINT_BYTES && len == 0 && bytes_at(of, 0, PRINT_BYTES as u64)? != head {
            return Ok(None);
        }
        keep_tail(&mut tail, bytes);
        len += read as u64;
    }
    let from = len - tail.len() as u64;
    let same = bytes_at(of, 0, head.len() as u64)? == head
        && bytes_at(of, from, tail.len() as u64)? == tail;
    Ok(same.then_some(len))
}

/// Opens what was seen, if it still has the name: names move on while files are looked for.
///
/// # Errors
/// From the file system; [`io::ErrorKind::NotFound`] where another file has the name now.
pub fn open_seen(seen: &Seen) -> io::Result<File> {
    let file = File::open(&seen.path)?;
    let is_it = FileId::of(&file.metadata()?) == seen.id;
    if is_it { Ok(file) } else { Err(io::ErrorKind::NotFound.into()) }
}

impl Packed {
    /// A compressed file's content from its beginning.
    ///
    /// # Errors
    /// From the file system.
    pub fn new(file: &File) -> io::Result<Self> {
        let (fault, file) = (Fault::default(), file.try_clone()?);
        let bytes = FromStart { file: file.try_clone()?, at: 0 };
        let reader = peel(Box::new(bytes), &fault)?.reader;
        let (head, tail, carry) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { file, reader, fault, head, tail, carry })
    }
}

/// Reads a file from its beginning, wherever others who hold it stand.
struct FromStart {
    file: File,
    at: u64,
}

impl Read for FromStart {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(out, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Keeps the last [`PRINT_BYTES`] of a stream.
pub fn keep_tail(tail: &mut Vec<u8>, bytes: &[u8]) {
    let new = &bytes[bytes.len().saturating_sub(PRINT_BYTES)..];
    let over = (tail.len() + new.len()).saturating_sub(PRINT_BYTES);
    tail.drain(..over.min(tail.len()));
    tail.extend_from_slice(new);
}

/// The print of `len` bytes from `from` on; of fewer where the file ends.
///
/// # Errors
/// From the file system.
pub fn print_at(file: &File, from: u64, len: u64) -> io::Result<Print> {
    Ok(Print::of(&bytes_at(file, from, len)?))
}

/// Up to `len` bytes, at most [`PRINT_BYTES`], from `from` on.
///
/// # Errors
/// From the file system.
pub fn bytes_at(file: &File, from: u64, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0u8; usize::try_from(len).unwrap_or(PRINT_BYTES).min(PRINT_BYTES)];
    let mut have = 0;
    while have < bytes.len() {
        match file.read_at(&mut bytes[have..], from + have as u64) {
            Ok(0) => break,
            Ok(read) => have += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(have);
    Ok(bytes)
}

/// Whether `first`, which is no longer than `second`, holds the beginning of it, judged by
/// its first and last bytes.
///
/// # Errors
/// From the file system.
pub fn is_beginning(first: &File, len: u64, second: &File) -> io::Result<bool> {
    let print = PRINT_BYTES as u64;
    let tail = len.saturating_sub(print);
    Ok(bytes_at(first, 0, len.min(print))? == bytes_at(second, 0, len.min(print))?
        && bytes_at(first, tail, len - tail)? == bytes_at(second, tail, len - tail)?)
}

/// A name without the ending of its compression.
pub fn bare(name: &str) -> &str {
    let found = PACKED_ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
    found.filter(|bare| !bare.is_empty()).unwrap_or(name)
}

/// Whether a file called `candidate` may hold what was once called `name`: names that agree
/// but for numbers and dates after a `.`, `-` or `_` and for the ending of a compression
/// (`x.log`, `x.log.1`, `x.log-20260102.gz`, `x-2026-01-02.log`), or one with something
/// appended (`x.log.old`).
pub fn related(name: &str, candidate: &str) -> bool {
    let (name, candidate) = (base(last(name)), base(last(candidate)));
    candidate
        .strip_prefix(name.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_', '~']))
}

/// A name without what rotation adds to it.
fn base(name: &str) -> String {
    let name = unnumbered(bare(name));
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => format!("{}.{ending}", unnumbered(stem)),
        _ => name.to_owned(),
    }
}

/// Without numbers, each after a separator, at its end.
fn unnumbered(mut name: &str) -> &str {
    loop {
        let digits = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let rest = digits.strip_suffix(['.', '-', '_', 'T']).filter(|rest| !rest.is_empty());
        match rest {
            Some(rest) if digits.len() < name.len() => name = rest,
            _ => return name,
        }
    }
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_of_rotated_files() {
        for (name, candidate, same) in [
            ("x.log", "x.log", true),
            ("x.log", "x.log.1", true),
            ("x.log", "x.log.2.gz", true),
            ("a/x.log", "a/x.log-20260102.xz", true),
            ("x.log", "x-2026-01-02.log", true),
            ("x.log", "x.1.log", true),
            ("messages", "messages-20260102", true),
            ("x.log.1", "x.log.2.gz", true),
            ("x.log.1", "x.log", true),
            ("x-2026-01-02.log", "x-2026-01-03T04.log.zst", true),
            ("x.log", "x.log.old", true),
            ("x.log", "x2.log", false),
            ("x.log", "y.log.1", false),
            ("access.log", "access_ssl.txt", false),
            ("messages", "messages2", false),
        ] {
            assert_eq!(related(name, candidate), same, "{name} {candidate}");
        }
    }

    #[test]
    fn what_has_a_name_now_is_not_taken_for_what_had_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log.1");
        let see = || {
            let meta = std::fs::metadata(&path).unwrap();
            crate::watch::notice::seen_at(path.clone(), "x.log.1".to_owned(), &meta)
        };
        std::fs::write(&path, "old\n").unwrap();
        let seen = see();
        assert!(open_seen(&seen).is_ok());
        std::fs::rename(&path, dir.path().join("x.log.2")).unwrap();
        assert_eq!(open_seen(&seen).unwrap_err().kind(), io::ErrorKind::NotFound);
        std::fs::write(&path, "new\n").unwrap();
        assert_eq!(open_seen(&seen).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(open_seen(&see()).is_ok());
    }

    #[test]
    fn content_is_known_by_both_ends_packed_or_not() {
        let dir = tempfile::tempdir().unwrap();
        let text: Vec<u8> =
            (0..2_000u32).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        let taken = 12_345usize;
        let place = Place {
            offset: taken as u64,
            head: Print::of(&text[..PRINT_BYTES]),
            tail: Print::of(&text[taken - PRINT_BYTES..taken]),
            ..Place::default()
        };
        let path = dir.path().join("x");
        let mut other = text.clone();
        other[taken - 5] ^= 1;
        for (bytes, same) in [
            (&text[..], true),
            (&text[..taken], true),
            (&other, false),
            (&text[..taken - 1], false),
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(place.is_in(&File::open(&path).unwrap()).unwrap(), same);
            std::fs::write(&path, zstd::encode_all(bytes, 1).unwrap()).unwrap();
            let found = place.is_in_packed(&File::open(&path).unwrap()).unwrap();
            assert_eq!(found.is_some(), same);
            if let Some(mut found) = found {
                let mut rest = Vec::new();
                found.reader.read_to_end(&mut rest).unwrap();
                assert_eq!(rest, &bytes[taken..]);
            }
        }
    }
}
