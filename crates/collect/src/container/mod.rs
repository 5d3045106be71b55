//! Compressed files and archives: every file inside is an input of its own.
//!
//! `gz`, `zst`, `bz2`, `xz`, `tar` and `zip` are told by their first bytes, not by name, and
//! may be nested. Names inside an archive only name: nothing is ever written to their place.
//! What can be read of a damaged container is read; the damage is a fault beside it.

mod layers;
mod list;
mod slice;
mod spool;

pub use layers::{Fault, is_compressed, peel};
pub use list::{archive_in, expand};
pub use spool::Shelf;

use slice::Slice;
use spool::Spool;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

/// Deepest nesting of archives in archives, and of compressions around one file; what lies
/// deeper is left out and named. Real exports nest twice.
pub const DEPTH_MAX: usize = 4;

/// Most files of one archive, those of archives in it included; further ones are left out and
/// named as one fault.
pub const ENTRIES_MAX: usize = 100_000;

/// Most bytes one compressed file may become; reading stops there with a fault.
pub const OUTPUT_BYTES_MAX: u64 = 1 << 40;

/// Greatest factor by which a compressed file may grow, looked at from
/// [`RATIO_FROM_BYTES`] on; reading stops there with a fault. Real logs reach 200.
pub const RATIO_MAX: u64 = 1_000;

/// Small files may grow by any factor: a line repeated often is no attack.
pub const RATIO_FROM_BYTES: u64 = 256 << 20;

/// One file, alone or inside of archives.
#[derive(Clone, Debug)]
pub struct Part {
    base: Base,
    /// Names from the outermost archive inwards; none for a file that is no archive.
    inner: Vec<String>,
    compressed: bool,
}

#[derive(Clone, Debug)]
enum Base {
    /// A file on the disk.
    File(PathBuf),
    /// A range of one, stored as it is or deflated.
    Range { of: Holder, from: u64, len: u64, packed: Option<Packed> },
}

/// Where a range lies.
#[derive(Clone, Debug)]
enum Holder {
    Path(PathBuf),
    /// An archive inside of a compression.
    Spool(Arc<Spool>),
}

/// A zip entry's own compression.
#[derive(Clone, Copy, Debug)]
struct Packed {
    deflated: bool,
    crc32: u32,
}

impl Part {
    /// A file on the disk.
    fn file(path: PathBuf) -> Self {
        Self { base: Base::File(path), inner: Vec::new(), compressed: false }
    }

    /// Names from the outermost archive inwards; empty for a file that lies in none.
    pub fn inner(&self) -> &[String] {
        &self.inner
    }

    /// Whether the file itself is compressed.
    pub fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// Whether the bytes on the disk are not those of the file.
    pub fn is_packed(&self) -> bool {
        self.compressed || !self.inner.is_empty()
    }

    /// Opens the file's own bytes, every compression taken off.
    ///
    /// # Errors
    /// From the file system. Damage found later ends the reader and is in the [`Fault`].
    pub fn open(&self) -> io::Result<(Box<dyn Read>, Fault)> {
        let (raw, fault) = self.raw()?;
        let peeled = peel(raw, &fault)?;
        Ok((peeled.reader, fault))
    }

    /// The bytes with their compressions.
    fn raw(&self) -> io::Result<(Box<dyn Read>, Fault)> {
        let fault = Fault::default();
        let reader: Box<dyn Read> = match &self.base {
            Base::File(path) => Box::new(File::open(path)?),
            Base::Range { of, from, len, packed } => {
                let slice = Slice::new(of.open()?, *from, *len);
                match packed {
                    None => Box::new(slice),
                    Some(packed) => layers::unpack(slice, *packed, &fault),
                }
            }
        };
        Ok((reader, fault))
    }
}

impl Holder {
    fn open(&self) -> io::Result<Arc<File>> {
        match self {
            Self::Path(path) => File::open(path).map(Arc::new),
            Self::Spool(spool) => spool.open(),
        }
    }
}

#[cfg(test)]
mod tests;
