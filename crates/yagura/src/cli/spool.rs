//! Standard input and pipes as files in the data directory, since a batch reads its inputs
//! more than once.

use anyhow::{Context as _, bail};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// The folder of spooled streams in the data directory.
const SPOOL_DIR: &str = "spool";

/// Most bytes of a stream; a longer one is refused before anything of it is taken.
const SPOOL_BYTES_MAX: u64 = 256 << 30;

/// The name under which a stream is known again: that of standard input on command lines.
const STREAM_NAME: &str = "-";

/// A stream in a file; the file goes with the value.
pub struct Spool {
    dir: PathBuf,
    _held: File,
}

impl Spool {
    /// Reads the stream at `from` (`-` is standard input) to its end.
    ///
    /// # Errors
    /// A stream that cannot be read or is too long, a disk that is full.
    pub fn take(data: &Path, from: &Path) -> anyhow::Result<Self> {
        let mut reader: Box<dyn Read> = match from.as_os_str() == STREAM_NAME {
            true => Box::new(io::stdin()),
            false => Box::new(
                File::open(from).with_context(|| format!("cannot read {}", from.display()))?,
            ),
        };
        let root = data.canonicalize()?.join(SPOOL_DIR);
        clear(&root);
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let dir = root.join(format!("{}-{number}", std::process::id()));
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let fresh = dir.join("new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.lock()?;
        std::fs::rename(&fresh, dir.join(STREAM_NAME))?;
        let spool = Self { dir, _held: file.try_clone()? };
        let read = io::copy(&mut reader.by_ref().take(SPOOL_BYTES_MAX), &mut file)
            .with_context(|| format!("cannot spool {} in {}", from.display(), root.display()))?;
        if read == SPOOL_BYTES_MAX && reader.read(&mut [0u8])? > 0 {
            bail!("{} is longer than {SPOOL_BYTES_MAX} bytes; send it in parts", from.display());
        }
        Ok(spool)
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.dir.join(STREAM_NAME)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // What stays is cleared with the next stream.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Removes what killed calls left behind: their locks are gone.
fn clear(root: &Path) {
    let Ok(entries) = std::fs::read_dir(root) else { return };
    for entry in entries.flatten() {
        let left = File::open(entry.path().join(STREAM_NAME));
        if left.is_ok_and(|file| file.try_lock().is_ok()) {
            // Nobody misses it; the next call tries again.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
