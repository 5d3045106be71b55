//! Hashes of files as fixed-width bytes.

use crate::kind::Kind;

/// Reads hexadecimal digits of exactly `N` bytes.
pub fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut out = [0u8; N];
    for (byte, pair) in out.iter_mut().zip(text.chunks_exact(2)) {
        *byte = (digit(pair[0])? << 4) | digit(pair[1])?;
    }
    Some(out)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// The kind of a hash with so many hexadecimal digits.
pub fn kind_of(digits: usize) -> Option<Kind> {
    match digits {
        32 => Some(Kind::Md5),
        40 => Some(Kind::Sha1),
        64 => Some(Kind::Sha256),
        128 => Some(Kind::Sha512),
        _ => None,
    }
}

/// Hashes of no bytes at all, lower case: MD5, SHA-1, SHA-256, SHA-512.
const OF_NOTHING: [&str; 4] = [
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
];

/// Whether a lower-case hash is one that empty files or unset fields have.
pub fn says_nothing(hash: &str) -> bool {
    OF_NOTHING.contains(&hash) || hash.bytes().all(|b| b == b'0') || hash.bytes().all(|b| b == b'f')
}
