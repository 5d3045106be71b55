//! Bloom filters of granules, split into blocks of 256 bits, and stored block by block.
//!
//! ```text
//!             granule 0   granule 1   granule 2
//!  block 0    32 bytes    32 bytes    32 bytes    crc
//!  block 1    32 bytes    32 bytes    32 bytes    crc
//! ```
//! A key concerns one block, so that one read answers it for every granule of a segment.
//! A segment holds the granules of a data file that have about as many keys.

use super::keyset::KeySet;

/// Bytes of a block.
const BLOCK_BYTES: usize = 32;

/// Bytes of the checksum behind each row of blocks.
const CRC_BYTES: usize = 4;

/// Bits for each key: about two in a thousand other keys seem to be there.
const BITS_PER_KEY: usize = 14;

/// By which a key's bits in the eight words of a block are found (Parquet's numbers).
const SALTS: [u32; 8] = [
    0x47b6_137b,
    0x4497_4d91,
    0x8824_ad5b,
    0xa2b7_289d,
    0x7054_95c7,
    0x2df1_424b,
    0x9efc_4947,
    0x5c6b_fb31,
];

/// The blocks for so many keys, rounded up to one of few numbers: granules of one number share
/// a segment.
pub(crate) fn blocks_for(keys: usize) -> u32 {
    let least = (keys * BITS_PER_KEY).div_ceil(BLOCK_BYTES * 8).max(1);
    let power = least.next_power_of_two();
    // Between a power of two and the next there are three steps.
    let quarters = [5, 6, 7].map(|n| power / 8 * n);
    let blocks = quarters.into_iter().find(|step| *step >= least).unwrap_or(power);
    u32::try_from(blocks).unwrap_or(u32::MAX)
}

/// Which of `blocks` a key concerns.
pub(crate) fn block_of(key: u64, blocks: u32) -> u32 {
    ((u64::from((key >> 32) as u32) * u64::from(blocks)) >> 32) as u32
}

/// The bits of a key in its block.
fn bits(key: u64) -> [u32; 8] {
    SALTS.map(|salt| 1 << ((key as u32).wrapping_mul(salt) >> 27))
}

/// One granule's filter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Filter {
    /// The granule's number in the data file.
    pub granule: u32,
    /// How many blocks.
    pub blocks: u32,
    words: Vec<u32>,
}

impl Filter {
    /// The filter of the keys.
    pub(crate) fn of(granule: u32, keys: &KeySet) -> Self {
        let blocks = blocks_for(keys.len());
        let mut words = vec![0u32; blocks as usize * 8];
        for key in keys.iter() {
            let at = block_of(key, blocks) as usize * 8;
            let block = words.iter_mut().skip(at).take(8);
            block.zip(bits(key)).for_each(|(word, bit)| *word |= bit);
        }
        Self { granule, blocks, words }
    }
}

/// Bytes of a row of blocks with its checksum.
pub(crate) fn row_bytes(granules: usize) -> usize {
    granules * BLOCK_BYTES + CRC_BYTES
}

/// What a row's checksum begins with, so that it holds in its place of its data file's index only.
fn seed(file: &[u8; 32], place: u64) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(file), &place.to_le_bytes())
}

/// The rows of blocks of a segment whose filters all have the same number of them, behind what
/// `out` has of the index already.
pub(crate) fn segment(file: &[u8; 32], filters: &[&Filter], out: &mut Vec<u8>) {
    let blocks = filters.first().map_or(0, |filter| filter.blocks) as usize;
    for block in 0..blocks {
        let start = out.len();
        for filter in filters {
            let words = filter.words.iter().skip(block * 8).take(8);
            words.for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
        }
        let row = out.get(start..).unwrap_or_default();
        let crc = crc32c::crc32c_append(seed(file, start as u64), row);
        out.extend_from_slice(&crc.to_le_bytes());
    }
}

/// Which of a segment's granules may have the key, by the row of its block, which is at `place` of
/// the data file's index; `None` where the row is not what was written there.
pub(crate) fn hits<'a>(
    file: &[u8; 32],
    place: u64,
    row: &'a [u8],
    key: u64,
) -> Option<impl Iterator<Item = bool> + use<'a>> {
    let (blocks, crc) = row.split_last_chunk::<CRC_BYTES>()?;
    if crc32c::crc32c_append(seed(file, place), blocks) != u32::from_le_bytes(*crc) {
        return None;
    }
    let bits = bits(key);
    let hit = move |block: &[u8; BLOCK_BYTES]| {
        let (words, _) = block.as_chunks::<4>();
        words.iter().zip(bits).all(|(word, bit)| u32::from_le_bytes(*word) & bit != 0)
    };
    Some(blocks.as_chunks::<BLOCK_BYTES>().0.iter().map(hit))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::index::hash;

    fn key(granule: usize, n: usize) -> u64 {
        hash::value(&format!("{granule}/{n}"))
    }

    #[test]
    fn every_key_is_found_and_few_others_are() {
        let keys = [900, 1_000, 950].into_iter().enumerate().map(|(granule, count)| {
            let mut set = KeySet::default();
            (0..count).for_each(|n| set.insert(key(granule, n)));
            set
        });
        let blocks = blocks_for(1_000);
        let filters: Vec<Filter> = keys
            .enumerate()
            .map(|(granule, keys)| Filter::of(granule as u32, &keys))
            .filter(|filter| filter.blocks == blocks)
            .collect();
        assert_eq!(filters.len(), 3, "three sizes of about the same");
        let mut rows = Vec::new();
        let file = [1; 32];
        segment(&file, &filters.iter().collect::<Vec<_>>(), &mut rows);
        let row = |key: u64| {
            let at = block_of(key, blocks) as usize * row_bytes(3);
            (at as u64, &rows[at..at + row_bytes(3)])
        };
        let hits = |(place, row), key| hits(&file, place, row, key);
        let mut wrong = 0;
        for n in 0..900 {
            let key = key(1, n);
            let found: Vec<bool> = hits(row(key), key).unwrap().collect();
            assert!(found[1]);
            wrong += usize::from(found[0]) + usize::from(found[2]);
        }
        assert!(wrong < 18, "{wrong} of 1800");
        let (place, whole) = row(key(1, 1));
        let mut bad = whole.to_vec();
        bad[5] ^= 1;
        assert!(hits((place, &bad), key(1, 1)).is_none());
        // The row of another file, or of another place.
        assert!(super::hits(&[2; 32], place, whole, 1).is_none());
        assert!(hits((place + 1, whole), 1).is_none());
        assert!(hits((0, &[]), 1).is_none());
    }

    #[test]
    fn few_sizes_serve_for_all() {
        let sizes: std::collections::BTreeSet<u32> = (0..60_000).map(blocks_for).collect();
        assert!(sizes.len() < 48, "{}", sizes.len());
        for keys in [0, 1, 18, 19, 5_000, 60_000] {
            let bits = blocks_for(keys) as usize * 256;
            assert!(bits >= keys * BITS_PER_KEY);
        }
    }
}
