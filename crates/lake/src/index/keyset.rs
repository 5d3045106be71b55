//! The distinct keys of one granule.

/// Slots at the beginning, a power of two.
const SLOTS_MIN: usize = 1 << 12;

/// Keys, each once, in no order.
pub(crate) struct KeySet {
    /// Zero is no key.
    slots: Vec<u64>,
    len: usize,
}

impl Default for KeySet {
    fn default() -> Self {
        Self { slots: vec![0; SLOTS_MIN], len: 0 }
    }
}

impl KeySet {
    /// Adds a key.
    pub(crate) fn insert(&mut self, key: u64) {
        // A key of zero would be a free slot; to share another's costs nothing.
        let key = key.max(1);
        let mask = self.slots.len() - 1;
        let mut at = (key >> 32) as usize & mask;
        while let Some(slot) = self.slots.get_mut(at) {
            if *slot == key {
                return;
            }
            if *slot == 0 {
                *slot = key;
                self.len += 1;
                break;
            }
            at = (at + 1) & mask;
        }
        if self.len * 2 > self.slots.len() {
            self.grow();
        }
    }

    fn grow(&mut self) {
        let slots = vec![0; self.slots.len() * 4];
        let old = std::mem::replace(self, Self { slots, len: 0 });
        old.iter().for_each(|key| self.insert(key));
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> {
        self.slots.iter().copied().filter(|slot| *slot != 0)
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.slots.fill(0);
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_key_is_held_once_however_many_there_are() {
        let mut set = KeySet::default();
        let keys = || (0..50_000u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        keys().chain(keys()).for_each(|key| set.insert(key));
        let held: BTreeSet<u64> = set.iter().collect();
        assert_eq!(held.len(), 50_000);
        assert_eq!(set.len(), 50_000);
        set.clear();
        assert_eq!((set.len(), set.iter().count()), (0, 0));
    }
}
