//! Binary fuse filter: may a key be in a set? (Graf and Lemire, "Binary Fuse Filters: Fast and
//! Smaller Than Xor Filters", 2022.)
//!
//! One byte for about 0.88 keys. "No" is certain; "yes" is wrong for one absent key in 256.

/// Tries before a filter is given up; each fails with a probability of a few percent at most.
const SEEDS_MAX: u64 = 64;

/// Longest segment, in slots: three of them stay in a core's cache.
const SEGMENT_MAX: usize = 1 << 18;

/// The filter; without slots it says "maybe" to everything.
#[derive(Clone, Debug, Default)]
pub struct Fuse {
    seed: u64,
    segment: u32,
    span: u64,
    slots: Box<[u8]>,
}

/// Scrambles 64 bits (the finaliser of MurmurHash3).
pub fn mix(mut h: u64) -> u64 {
    h ^= h >> 33;
    h = h.wrapping_mul(0xff51_afd7_ed55_8ccd);
    h ^= h >> 33;
    h = h.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

impl Fuse {
    /// A filter of `keys`, which may repeat.
    pub fn new(mut keys: Vec<u64>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        let (segment, segments) = shape(keys.len());
        let mut fuse = Self {
            seed: 0,
            segment: segment as u32,
            span: (segment * segments) as u64,
            slots: Box::default(),
        };
        let length = segment * (segments + 2);
        for seed in 1..=SEEDS_MAX {
            fuse.seed = mix(seed);
            if let Some(order) = fuse.peel(&keys, length) {
                fuse.assign(&order, length);
                return fuse;
            }
        }
        Self::default()
    }

    /// Whether `key` may be in the set.
    pub fn has(&self, key: u64) -> bool {
        if self.slots.is_empty() {
            return true;
        }
        let hash = self.hash(key);
        let [a, b, c] = self.places(hash);
        let found = self.slots[a] ^ self.slots[b] ^ self.slots[c];
        found == print(hash)
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.slots.len()
    }

    fn hash(&self, key: u64) -> u64 {
        mix(key.wrapping_add(self.seed))
    }

    /// Three slots in three segments in a row.
    fn places(&self, hash: u64) -> [usize; 3] {
        let segment = u64::from(self.segment);
        let start = ((u128::from(hash) * u128::from(self.span)) >> 64) as u64;
        let mask = segment - 1;
        [
            start as usize,
            ((start + segment) ^ ((hash >> 18) & mask)) as usize,
            ((start + 2 * segment) ^ (hash & mask)) as usize,
        ]
    }

    /// The order in which every hash has a slot of its own, with that slot; `None` where the
    /// keys tangle.
    fn peel(&self, keys: &[u64], length: usize) -> Option<Vec<(u64, usize)>> {
        let mut counts = vec![0u8; length];
        let mut folded = vec![0u64; length];
        for key in keys {
            let hash = self.hash(*key);
            for place in self.places(hash) {
                counts[place] = counts[place].checked_add(1)?;
                folded[place] ^= hash;
            }
        }
        let mut alone: Vec<usize> = (0..length).filter(|at| counts[*at] == 1).collect();
        let mut order = Vec::with_capacity(keys.len());
        while let Some(at) = alone.pop() {
            if counts[at] != 1 {
                continue;
            }
            let hash = folded[at];
            order.push((hash, at));
            for place in self.places(hash) {
                counts[place] -= 1;
                folded[place] ^= hash;
                if counts[place] == 1 {
                    alone.push(place);
                }
            }
        }
        (order.len() == keys.len()).then_some(order)
    }

    fn assign(&mut self, order: &[(u64, usize)], length: usize) {
        self.slots = vec![0u8; length].into();
        for (hash, own) in order.iter().rev() {
            let [a, b, c] = self.places(*hash);
            // The own slot is still 0, so that it takes what the others lack.
            let others = self.slots[a] ^ self.slots[b] ^ self.slots[c];
            self.slots[*own] = print(*hash) ^ others;
        }
    }
}

fn print(hash: u64) -> u8 {
    (hash ^ (hash >> 32)) as u8
}

/// Length of a segment (a power of two) and how many a key may begin in, after the paper's
/// section 4: longer filters need less room for each key.
fn shape(keys: usize) -> (usize, usize) {
    let size = keys.max(2) as f64;
    let exponent = (size.ln() / 3.33f64.ln() + 2.25).floor() as u32;
    let segment = (1usize << exponent.min(20)).clamp(4, SEGMENT_MAX);
    let factor = (0.875 + 0.25 * 1e6f64.ln() / size.ln()).max(1.125);
    let slots = (size * factor).round() as usize;
    (segment, slots.div_ceil(segment).saturating_sub(2).max(1))
}
