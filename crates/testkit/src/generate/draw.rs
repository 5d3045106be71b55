//! Popularity: a few things are seen often and many seldom, as hosts and domains are.

use crate::rng::Rng;

/// Slots of a table; items rarer than one in so many are not drawn.
const SLOTS: usize = 4_096;

/// Indexes whose popularity falls with their rank. Integer arithmetic throughout, so that a
/// seed draws the same on every machine.
#[derive(Clone, Debug)]
pub struct Zipf(Vec<u16>);

impl Zipf {
    /// `items` ranks (1 to 4,096), the n-th of weight 1 / (n + `flat`): the larger `flat`, the
    /// more alike the first ranks are.
    pub fn new(items: usize, flat: usize) -> Self {
        let items = items.clamp(1, SLOTS);
        let weight = |rank: usize| (1_u64 << 40) / (rank as u64 + 1 + flat as u64);
        let total: u64 = (0..items).map(weight).sum();
        let mut slots = Vec::with_capacity(SLOTS);
        let (mut rank, mut sum) = (0, weight(0));
        for slot in 0..SLOTS {
            let reached = u128::from(total) * slot as u128 / SLOTS as u128;
            while u128::from(sum) <= reached && rank + 1 < items {
                rank += 1;
                sum += weight(rank);
            }
            slots.push(rank as u16);
        }
        Self(slots)
    }

    /// An index below the number of items.
    pub fn pick(&self, rng: &mut Rng) -> usize {
        usize::from(self.0[(rng.bits() >> 52) as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rank_leads_and_every_rank_is_drawn() {
        let (zipf, mut rng) = (Zipf::new(20, 0), Rng::new(3));
        let mut counts = [0u32; 20];
        for _ in 0..100_000 {
            counts[zipf.pick(&mut rng)] += 1;
        }
        assert!(counts[0] > 25_000 && counts[0] < 31_000, "{counts:?}");
        assert!(counts.iter().all(|count| *count > 500), "{counts:?}");
        assert_eq!(Zipf::new(1, 0).pick(&mut rng), 0);
    }
}
