//! A small seeded generator of numbers (SplitMix64), so that a seed means the same everywhere.

/// A seeded sequence of numbers.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// A sequence of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` to `high`, both inclusive; `low` where they are the wrong way round.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        if high <= low { low } else { low + self.bits() % (high - low + 1) }
    }

    /// A number below `end`, by multiplication, since a division costs as much as a short field;
    /// 0 where `end` is 0. The bias is below one in 2^32 / `end`.
    pub fn below(&mut self, end: u32) -> u32 {
        (((self.bits() >> 32) * u64::from(end)) >> 32) as u32
    }

    /// A size as traffic has them: around `median`, twice or half of it often, sixteen times
    /// seldom. Never 0.
    pub fn size(&mut self, median: u32) -> u32 {
        let bits = self.bits();
        let (up, down) = ((bits & 15).count_ones(), (bits >> 4 & 15).count_ones());
        let fraction = (u64::from(median) * (bits >> 8 & 0xffff)) >> 16;
        let size = ((u64::from(median) + fraction) * 3 / 4) << up >> down;
        u32::try_from(size).unwrap_or(u32::MAX).max(1)
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.bits() % 100 < percent
    }

    /// One of `items`, which must not be empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let at = self.range(0, items.len().saturating_sub(1) as u64) as usize;
        &items[at]
    }
}
