//! The file system seam: every durable byte goes through [`Fs`], so that tests can replace it.
//!
//! Errors are `std::io::Error` at the level of [`Fs`]; the data directory's lock and version
//! have messages of their own in [`DiskError`].

pub mod fs;
pub mod guard;
pub mod hold;
pub mod lock;
pub mod put;
pub mod real;
pub mod version;

pub use fs::{File, Fs, Metadata};
pub use guard::{BALLAST, DiskGuard, DiskLimits, DiskReading, DiskStage};
pub use hold::{Hold, HoldFs};
pub use lock::DataLock;
pub use put::{create_dirs, put_if_absent, write_atomic};
pub use real::RealFs;
pub use version::{open_version, write_version};

use std::io;
use std::path::PathBuf;

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// Another process has the directory.
    #[error("data directory {dir} is in use by {holder}; stop it or name another directory")]
    Locked {
        /// The data directory.
        dir: PathBuf,
        /// `process 1234`, or `another process` where its number cannot be read.
        holder: String,
    },
    /// The directory was written by a newer release.
    #[error(
        "data directory {dir} has version {found}, this release reads up to {supported}; use a newer release"
    )]
    Newer {
        /// The data directory.
        dir: PathBuf,
        /// The version in the directory.
        found: u32,
        /// The newest version this release reads.
        supported: u32,
    },
    /// The `VERSION` file is not one of ours.
    #[error(
        "{path} is not a data directory's version file; restore it from a backup or name another directory"
    )]
    NotAVersion {
        /// The file that could not be read as a version.
        path: PathBuf,
    },
    /// Data without a `VERSION` file.
    #[error(
        "data directory {dir} holds {name:?} but no VERSION file; restore it or name another directory"
    )]
    VersionMissing {
        /// The data directory.
        dir: PathBuf,
        /// The entry that proves that data is there.
        name: String,
    },
    /// The file system said no.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried, such as `create`.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}
