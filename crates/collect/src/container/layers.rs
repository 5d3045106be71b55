//! Compressions taken off a stream, bounded; damage ends the stream and is kept as a fault.

use crate::container::slice::Slice;
use crate::container::{DEPTH_MAX, OUTPUT_BYTES_MAX, Packed, RATIO_FROM_BYTES, RATIO_MAX};
use std::io::{self, BufReader, Cursor, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes by which a compression is told.
const MAGIC_BYTES: usize = 10;

/// Bytes read from below at a time.
const BUFFER_BYTES: usize = 64 * 1024;

/// What was wrong with a container, once its reader has come to the end.
#[derive(Clone, Debug, Default)]
pub struct Fault(Arc<Mutex<Option<String>>>);

impl Fault {
    /// The fault, if there was one.
    pub fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, text: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(text);
    }
}

/// A stream without its compressions.
pub struct Peeled {
    /// The bytes inside.
    pub reader: Box<dyn Read>,
    /// How many compressions were taken off.
    pub layers: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

impl Kind {
    fn of(head: &[u8]) -> Option<Self> {
        let bzip2 = head.len() >= 10
            && head.starts_with(b"BZh")
            && [&b"1AY&SY"[..], b"\x17\x72\x45\x38\x50\x90"].contains(&&head[4..10]);
        if head.starts_with(b"\x1f\x8b\x08") {
            Some(Self::Gzip)
        } else if head.starts_with(b"\x28\xb5\x2f\xfd") {
            Some(Self::Zstd)
        } else if head.starts_with(b"\xfd7zXZ\0") {
            Some(Self::Xz)
        } else {
            bzip2.then_some(Self::Bzip2)
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
        }
    }
}

/// Whether a file that begins with `head` is compressed; ten bytes are enough.
pub fn is_compressed(head: &[u8]) -> bool {
    Kind::of(head).is_some()
}

/// Takes off every compression that the first bytes name, at most [`DEPTH_MAX`].
///
/// # Errors
/// From the reader, or a decoder that cannot be set up.
pub fn peel(reader: Box<dyn Read>, fault: &Fault) -> io::Result<Peeled> {
    let (mut reader, mut layers) = (reader, 0);
    loop {
        let (head, rest) = look(reader, MAGIC_BYTES)?;
        reader = rest;
        let Some(kind) = Kind::of(&head).filter(|_| layers < DEPTH_MAX) else {
            return Ok(Peeled { reader, layers });
        };
        let read = Arc::new(AtomicU64::new(0));
        let below = BufReader::with_capacity(
            BUFFER_BYTES,
            Counted { inner: reader, read: Arc::clone(&read) },
        );
        let inner: Box<dyn Read> = match kind {
            Kind::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(below)),
            Kind::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(below)?),
            Kind::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(below)),
            Kind::Xz => Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(below)),
        };
        let fault = fault.clone();
        reader = Box::new(Guard { inner, word: kind.word(), read, made: 0, fault, ended: false });
        layers += 1;
    }
}

/// The first bytes of a stream, and the stream as if they had not been read.
pub fn look(mut reader: Box<dyn Read>, bytes: usize) -> io::Result<(Vec<u8>, Box<dyn Read>)> {
    let mut head = Vec::with_capacity(bytes);
    reader.by_ref().take(bytes as u64).read_to_end(&mut head)?;
    let rest = Cursor::new(head.clone()).chain(reader);
    Ok((head, Box::new(rest)))
}

/// A zip entry's bytes, its checksum compared at the end.
pub fn unpack(slice: Slice, packed: Packed, fault: &Fault) -> Box<dyn Read> {
    let read = Arc::new(AtomicU64::new(0));
    let below = Counted { inner: slice, read: Arc::clone(&read) };
    let plain: Box<dyn Read> = match packed.deflated {
        true => Box::new(flate2::read::DeflateDecoder::new(below)),
        false => Box::new(below),
    };
    let inner = Box::new(Summed { inner: plain, sum: flate2::Crc::new(), wanted: packed.crc32 });
    Box::new(Guard { inner, word: "zip", read, made: 0, fault: fault.clone(), ended: false })
}

/// Counts what a decoder takes from below.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Compares a checksum at the end.
struct Summed {
    inner: Box<dyn Read>,
    sum: flate2::Crc,
    wanted: u32,
}

impl Read for Summed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(out)?;
        self.sum.update(&out[..read]);
        if read == 0 && !out.is_empty() && self.sum.sum() != self.wanted {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the checksum does not hold"));
        }
        Ok(read)
    }
}

/// Ends the stream at damage and at the limits, and says why.
struct Guard {
    inner: Box<dyn Read>,
    word: &'static str,
    /// Bytes taken from below.
    read: Arc<AtomicU64>,
    made: u64,
    fault: Fault,
    ended: bool,
}

impl Guard {
    fn end(&mut self, why: &str) -> usize {
        let (word, made) = (self.word, self.made);
        self.fault.set(format!("{word}: {why}; {made} bytes could be read"));
        self.ended = true;
        0
    }
}

impl Read for Guard {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let read = match self.inner.read(out) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Ok(self.end("the file ends in the middle"));
            }
            Err(error) => return Ok(self.end(&format!("the file is damaged ({error})"))),
        };
        self.made += read as u64;
        if self.made > OUTPUT_BYTES_MAX {
            return Ok(self.end(&format!("more than {OUTPUT_BYTES_MAX} bytes come out")));
        }
        let below = self.read.load(Ordering::Relaxed).max(1);
        if self.made > RATIO_FROM_BYTES && self.made / below > RATIO_MAX {
            return Ok(self.end(&format!("it grows more than {RATIO_MAX} fold")));
        }
        Ok(read)
    }
}
