//! Which files a path holds: itself, or what lies in the archive it is.

use crate::container::layers::{Peeled, look, peel};
use crate::container::slice::Slice;
use crate::container::spool::{Shelf, Spool};
use crate::container::{Base, DEPTH_MAX, ENTRIES_MAX, Holder, Packed, Part};
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use zip::CompressionMethod;

/// Bytes by which an archive is told: a tar's first header.
const HEAD_BYTES: usize = 512;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Archive {
    Tar,
    Zip,
}

impl Archive {
    fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
            Some(Self::Zip)
        } else {
            is_tar(head).then_some(Self::Tar)
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Tar => "tar",
            Self::Zip => "zip",
        }
    }
}

/// Whether a header's checksum holds: tars older than POSIX have no other mark.
fn is_tar(head: &[u8]) -> bool {
    let Some(field) = head.get(148..156).filter(|_| head.len() >= HEAD_BYTES) else {
        return false;
    };
    let text = field.split(|b| *b == 0).next().unwrap_or_default().trim_ascii();
    let wanted = std::str::from_utf8(text).ok().and_then(|text| u32::from_str_radix(text, 8).ok());
    let sum = |bytes: &[u8]| bytes.iter().map(|b| u32::from(*b)).sum::<u32>();
    let found = sum(&head[..148]) + 8 * u32::from(b' ') + sum(&head[156..HEAD_BYTES]);
    head[0] != 0 && wanted == Some(found)
}

/// Which archive a stream is, if it is one, and the stream as if nothing had been read.
///
/// # Errors
/// From the reader.
pub fn archive_in(reader: Box<dyn Read>) -> io::Result<(Option<&'static str>, Box<dyn Read>)> {
    let (head, reader) = look(reader, HEAD_BYTES)?;
    Ok((Archive::of(&head).map(Archive::word), reader))
}

/// The files that `path` holds, in the order in which they lie there, and what was wrong with
/// the archives on the way, each as `name: fault`. Hidden files (a leading dot), links and
/// folders are left out.
///
/// An archive inside a compression is unpacked into a file without a name in the system's
/// temporary folder (`TMPDIR`), which needs room for it; `shelf` keeps the last of these.
///
/// # Errors
/// From the file system.
pub fn expand(path: &Path, shelf: &Shelf) -> io::Result<(Vec<Part>, Vec<String>)> {
    let mut found = Found { parts: Vec::new(), faults: Vec::new(), shelf };
    found.visit(Part::file(path.to_owned()), 0)?;
    Ok((found.parts, found.faults))
}

struct Found<'a> {
    parts: Vec<Part>,
    faults: Vec<String>,
    shelf: &'a Shelf,
}

impl Found<'_> {
    fn visit(&mut self, mut part: Part, depth: usize) -> io::Result<()> {
        let (raw, fault) = part.raw()?;
        let Peeled { reader, layers } = peel(raw, &fault)?;
        part.compressed = layers > 0;
        let (head, reader) = look(reader, HEAD_BYTES)?;
        let Some(archive) = Archive::of(&head) else {
            self.parts.push(part);
            return Ok(());
        };
        if depth >= DEPTH_MAX {
            self.fault(&part, &format!("archives nested deeper than {DEPTH_MAX} are left out"));
            return Ok(());
        }
        let plain = layers == 0 && !part.is_deflated();
        let (holder, from, len) = match (&part.base, plain) {
            (Base::File(path), true) => {
                (Holder::Path(path.clone()), 0, std::fs::metadata(path)?.len())
            }
            (Base::Range { of, from, len, .. }, true) => (of.clone(), *from, *len),
            _ => {
                let (spool, len) = Spool::of(part.clone(), reader, self.shelf)?;
                (Holder::Spool(Arc::new(spool)), 0, len)
            }
        };
        if let Some(fault) = fault.get() {
            self.fault(&part, &fault);
        }
        match archive {
            Archive::Tar => self.tar(&part, &holder, from, len, depth),
            Archive::Zip => self.zip(&part, &holder, from, len, depth),
        }
    }

    fn tar(
        &mut self,
        part: &Part,
        holder: &Holder,
        base: u64,
        len: u64,
        depth: usize,
    ) -> io::Result<()> {
        let slice = Slice::new(holder.open()?, base, len);
        let mut archive = tar::Archive::new(BufReader::new(slice));
        let mut inside = Vec::new();
        for entry in archive.entries_with_seek()? {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.fault(part, &format!("tar: the archive is damaged ({error})"));
                    break;
                }
            };
            if self.parts.len() + inside.len() >= ENTRIES_MAX {
                self.fault(part, &format!("tar: files beyond {ENTRIES_MAX} are left out"));
                break;
            }
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let kind = entry.header().entry_type();
            if kind.is_gnu_sparse() {
                self.fault(part, &format!("tar: {name} is stored with holes; unpack it first"));
            }
            if !(kind.is_file() || kind.is_contiguous()) || hidden(&name) {
                continue;
            }
            let (at, size) = (entry.raw_file_position(), entry.size());
            if at.saturating_add(size) > len {
                self.fault(part, &format!("tar: {name} is cut off"));
            }
            let size = size.min(len.saturating_sub(at));
            let range =
                Base::Range { of: holder.clone(), from: base + at, len: size, packed: None };
            inside.push(part.child(range, name));
        }
        inside.into_iter().try_for_each(|child| self.visit(child, depth + 1))
    }

    fn zip(
        &mut self,
        part: &Part,
        holder: &Holder,
        base: u64,
        len: u64,
        depth: usize,
    ) -> io::Result<()> {
        let slice = Slice::new(holder.open()?, base, len);
        let mut archive = match zip::ZipArchive::new(slice) {
            Ok(archive) => archive,
            Err(error) => {
                self.fault(part, &format!("zip: the archive is damaged ({error})"));
                return Ok(());
            }
        };
        let room = ENTRIES_MAX.saturating_sub(self.parts.len());
        if archive.len() > room {
            self.fault(part, &format!("zip: files beyond {ENTRIES_MAX} are left out"));
        }
        let mut inside = Vec::new();
        for index in 0..archive.len().min(room) {
            let entry = match archive.by_index_raw(index) {
                Ok(entry) => entry,
                Err(error) => {
                    self.fault(part, &format!("zip: entry {index} is damaged ({error})"));
                    continue;
                }
            };
            let name = entry.name().map_or_else(|_| format!("#{index}"), |n| n.into_owned());
            if entry.is_dir() || hidden(&name) {
                continue;
            }
            let deflated = match entry.compression() {
                CompressionMethod::Stored => false,
                CompressionMethod::Deflated => true,
                other => {
                    self.fault(part, &format!("zip: {name} is packed as {other}; unpack it first"));
                    continue;
                }
            };
            let (Some(at), false) = (entry.data_start(), entry.encrypted()) else {
                self.fault(part, &format!("zip: {name} is encrypted; unpack it first"));
                continue;
            };
            let packed = Some(Packed { deflated, crc32: entry.crc32() });
            let len = entry.compressed_size().min(len.saturating_sub(at));
            let range = Base::Range { of: holder.clone(), from: base + at, len, packed };
            inside.push(part.child(range, name));
        }
        inside.into_iter().try_for_each(|child| self.visit(child, depth + 1))
    }

    fn fault(&mut self, part: &Part, text: &str) {
        let inner = part.inner.join("!");
        self.faults.push(if inner.is_empty() {
            text.to_owned()
        } else {
            format!("{inner}: {text}")
        });
    }
}

impl Part {
    fn is_deflated(&self) -> bool {
        matches!(self.base, Base::Range { packed: Some(Packed { deflated: true, .. }), .. })
    }

    fn child(&self, base: Base, name: String) -> Self {
        let mut inner = self.inner.clone();
        inner.push(name);
        Self { base, inner, compressed: false }
    }
}

fn hidden(name: &str) -> bool {
    let last = name.rsplit('/').find(|part| !part.is_empty());
    last.is_none_or(|last| last.starts_with('.'))
}
