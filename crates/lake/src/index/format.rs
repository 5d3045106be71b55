//! The file of an index: `index/<table>/<name of the data file>.idx` in the lake's directory.
//!
//! ```text
//! "YAGIDX" scheme u16 | bytes of the head u32
//! head: BLAKE3 of the data file, its rows u64, granules u32, segments u32,
//!       each segment: blocks u32, granules u32, place of its first row u64, granule numbers u32...
//! crc32c of everything before it u32
//! rows of blocks of each segment (see `bloom`)
//! ```
//! Numbers are little-endian. Whatever is not as it was written is treated as absent.

use super::bloom::{self, Filter, row_bytes};
use std::collections::BTreeMap;

/// Which columns and words have keys, and how these are made. An index of another scheme is not
/// used, and made anew.
pub(crate) const SCHEME: u16 = 1;

const MAGIC: &[u8; 6] = b"YAGIDX";

/// Bytes before the head.
const FRONT_BYTES: usize = 12;

/// Largest head that is read: a data file of five million granules.
const HEAD_BYTES_MAX: usize = 32 << 20;

/// What an index says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Head {
    /// The data file it is of.
    pub file: [u8; 32],
    /// Rows of the data file.
    pub rows: u64,
    /// Granules of the data file.
    pub granules: u32,
    /// Granules by the size of their filters.
    pub segments: Vec<Segment>,
}

/// Granules whose filters have one size.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Segment {
    /// Blocks of each filter.
    pub blocks: u32,
    /// Where the first row of blocks begins.
    pub place: u64,
    /// The granules' numbers, ascending.
    pub granules: Vec<u32>,
}

impl Segment {
    /// Where the row of blocks is that concerns `key`, and its length.
    pub(crate) fn row(&self, key: u64) -> (u64, usize) {
        let bytes = row_bytes(self.granules.len());
        let block = u64::from(bloom::block_of(key, self.blocks));
        (self.place + block * bytes as u64, bytes)
    }
}

/// The bytes of an index.
pub(crate) fn encode(file: &[u8; 32], rows: u64, filters: &[Filter]) -> Vec<u8> {
    let mut sizes: BTreeMap<u32, Vec<&Filter>> = BTreeMap::new();
    filters.iter().for_each(|filter| sizes.entry(filter.blocks).or_default().push(filter));
    let head_bytes = 32 + 8 + 4 + 4 + sizes.len() * 16 + filters.len() * 4;
    let mut place = FRONT_BYTES + head_bytes + 4;
    let mut out = Vec::new();
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&SCHEME.to_le_bytes());
    out.extend_from_slice(&(head_bytes as u32).to_le_bytes());
    out.extend_from_slice(file);
    out.extend_from_slice(&rows.to_le_bytes());
    out.extend_from_slice(&(filters.len() as u32).to_le_bytes());
    out.extend_from_slice(&(sizes.len() as u32).to_le_bytes());
    for (blocks, filters) in &sizes {
        out.extend_from_slice(&blocks.to_le_bytes());
        out.extend_from_slice(&(filters.len() as u32).to_le_bytes());
        out.extend_from_slice(&(place as u64).to_le_bytes());
        filters.iter().for_each(|filter| out.extend_from_slice(&filter.granule.to_le_bytes()));
        place += row_bytes(filters.len()) * *blocks as usize;
    }
    let crc = crc32c::crc32c(&out);
    out.extend_from_slice(&crc.to_le_bytes());
    sizes.values().for_each(|filters| bloom::segment(file, filters, &mut out));
    out
}

/// How many bytes of an index to read to have its head, by its first bytes; `None` where they are
/// of no index of this scheme.
pub(crate) fn head_bytes(front: &[u8]) -> Option<usize> {
    let (magic, rest) = front.split_first_chunk::<6>()?;
    let (scheme, rest) = rest.split_first_chunk::<2>()?;
    let (bytes, _) = rest.split_first_chunk::<4>()?;
    if magic != MAGIC || u16::from_le_bytes(*scheme) != SCHEME {
        return None;
    }
    let bytes = u32::from_le_bytes(*bytes) as usize;
    (bytes <= HEAD_BYTES_MAX).then_some(FRONT_BYTES + bytes + 4)
}

/// Reads the head of an index whose first bytes are `bytes`; `None` where it is damaged or not
/// all there.
pub(crate) fn decode(bytes: &[u8]) -> Option<Head> {
    let whole = bytes.get(..head_bytes(bytes)?)?;
    let (body, crc) = whole.split_last_chunk::<4>()?;
    if crc32c::crc32c(body) != u32::from_le_bytes(*crc) {
        return None;
    }
    let mut rest = body.get(FRONT_BYTES..)?;
    let file = *take::<32>(&mut rest)?;
    let rows = u64::from_le_bytes(*take(&mut rest)?);
    let granules = u32::from_le_bytes(*take(&mut rest)?);
    let count = u32::from_le_bytes(*take(&mut rest)?);
    let mut segments = Vec::new();
    for _ in 0..count {
        let blocks = u32::from_le_bytes(*take(&mut rest)?);
        let held = u32::from_le_bytes(*take(&mut rest)?);
        let place = u64::from_le_bytes(*take(&mut rest)?);
        let mut numbers = Vec::new();
        for _ in 0..held {
            let number = u32::from_le_bytes(*take(&mut rest)?);
            numbers.push(Some(number).filter(|number| *number < granules)?);
        }
        segments.push(Segment { blocks, place, granules: numbers });
    }
    Some(Head { file, rows, granules, segments })
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(taken)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::index::keyset::KeySet;

    fn index() -> Vec<u8> {
        let filters: Vec<Filter> = [10, 4_000, 12]
            .into_iter()
            .enumerate()
            .map(|(granule, keys)| {
                let mut set = KeySet::default();
                (0..keys).for_each(|n| set.insert(n << 20));
                Filter::of(granule as u32, &set)
            })
            .collect();
        encode(&[7; 32], 20_000, &filters)
    }

    #[test]
    fn heads_are_read_back_and_damage_is_noticed() {
        let bytes = index();
        let head = decode(&bytes).unwrap();
        assert_eq!((head.rows, head.granules, head.file), (20_000, 3, [7; 32]));
        let of: Vec<&[u32]> = head.segments.iter().map(|s| s.granules.as_slice()).collect();
        assert_eq!(of, [&[0, 2][..], &[1]]);
        let last = head.segments.last().unwrap();
        let end = last.place as usize + row_bytes(1) * last.blocks as usize;
        assert_eq!(end, bytes.len());
        let head_len = head_bytes(&bytes).unwrap();
        for at in 0..head_len {
            let mut bad = bytes[..head_len].to_vec();
            bad[at] ^= 4;
            assert_eq!(decode(&bad), None, "byte {at}");
        }
        assert_eq!(decode(&bytes[..head_len - 1]), None);
        assert_eq!(decode(&[]), None);
    }
}
