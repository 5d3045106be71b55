//! Checksums beside each version of a table: `_yagura/<version>.sums`.
//!
//! ```text
//! YAGURA-SUMS 1
//! <blake3, 64 hex digits> <bytes> <path in the table's directory>
//! ...
//! end <blake3 of everything before this line>
//! ```
//! A file lists the data files a commit added, its log entry, and a checkpoint made with it. Where
//! older ones were cleaned away, the oldest lists the live data files of those too.

use crate::error::LakeError;
use crate::store::{FsStore, Written};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Directory of the checksums in a table's directory. Delta's readers pass over names that
/// begin with an underscore.
pub const SUMS_DIR: &str = "_yagura";

const MAGIC: &str = "YAGURA-SUMS 1\n";

/// The checksums of one version, by path in the table's directory.
pub type Sums = BTreeMap<String, Written>;

/// Path of a version's checksums in the table's directory.
pub fn path_of(version: u64) -> String {
    format!("{SUMS_DIR}/{version:020}.sums")
}

/// The text of the file.
pub fn encode(sums: &Sums) -> String {
    let mut text = String::from(MAGIC);
    for (path, written) in sums {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} {} {path}", written.hash.to_hex(), written.size);
    }
    seal(text)
}

/// Reads what [`encode`] wrote; `None` if a single bit of it is different.
pub fn decode(bytes: &[u8]) -> Option<Sums> {
    unseal(bytes)?.strip_prefix(MAGIC)?.lines().map(decode_line).collect()
}

/// Adds a last line with the checksum of the lines before it.
pub(crate) fn seal(mut text: String) -> String {
    let hash = blake3::hash(text.as_bytes()).to_hex();
    let _ = writeln!(text, "end {hash}");
    text
}

/// What [`seal`] was given; `None` if a single bit of it is different.
pub(crate) fn unseal(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (content, tail) = text.split_at(text.rfind("end ")?);
    let stated = tail.strip_prefix("end ")?.strip_suffix('\n')?;
    (blake3::hash(content.as_bytes()).to_hex().as_str() == stated).then_some(content)
}

fn decode_line(line: &str) -> Option<(String, Written)> {
    let (hash, rest) = line.split_once(' ')?;
    let (size, path) = rest.split_once(' ')?;
    let written = Written { hash: blake3::Hash::from_hex(hash).ok()?, size: size.parse().ok()? };
    Some((path.to_owned(), written))
}

/// The versions of a table whose checksums are there, ascending.
///
/// # Errors
/// [`LakeError::Io`].
pub fn versions(store: &FsStore, table: &str) -> Result<Vec<u64>, LakeError> {
    let names = store.names(&format!("{table}/{SUMS_DIR}"))?;
    Ok(names.iter().filter_map(|name| name.strip_suffix(".sums")?.parse().ok()).collect())
}

/// Writes a version's checksums durably.
///
/// # Errors
/// [`LakeError::Io`].
pub fn write(store: &FsStore, table: &str, version: u64, sums: &Sums) -> Result<(), LakeError> {
    let path = format!("{table}/{}", path_of(version));
    match store.put_bytes(&path, encode(sums).as_bytes()) {
        Ok(_) => Ok(()),
        Err(source) => Err(LakeError::Io { action: "write", path, source }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn any_flipped_bit_is_noticed() {
        let written = Written { hash: blake3::hash(b"x"), size: 1 };
        let sums = Sums::from([("a b/c.parquet".to_owned(), written)]);
        let mut bytes = encode(&sums).into_bytes();
        assert_eq!(decode(&bytes), Some(sums));
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert_eq!(decode(&bytes), None, "byte {at}");
            bytes[at] ^= 1;
        }
        assert_eq!(decode(&bytes[..bytes.len() - 1]), None);
        assert_eq!(decode(b""), None);
    }
}
