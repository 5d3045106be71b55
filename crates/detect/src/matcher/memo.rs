//! Values seen before: which rules their literals made candidates.

use crate::ir::Value;
use ahash::RandomState;
use yagura_event::SpanType;

/// Places of the memo, a power of two. A value takes the place of another that hashes there.
const PLACES: usize = 16 * 1024;

/// Rules kept in all; beyond it the memo starts afresh.
const RULES_MAX: usize = 1024 * 1024;

/// Longest value remembered, in bytes: longer ones (scripts, whole records) seldom come twice.
const VALUE_BYTES_MAX: usize = 1024;

/// A direct-mapped cache in front of the automata.
///
/// Values are known again by 128 bits of two hashes whose seeds differ from process to
/// process: what is remembered of one value is never taken for another's except by a chance
/// of 2^-128, which nobody outside can improve.
#[derive(Debug, Default)]
pub(super) struct Memo {
    places: Vec<(u128, (u32, u32))>,
    rules: Vec<u32>,
    seeds: Option<(RandomState, RandomState)>,
}

/// The key of a value under an index; 0 where it is not to be remembered.
pub(super) fn key(index: u32, value: &Value<'_>, memo: &Memo) -> u128 {
    let Some((first, second)) = &memo.seeds else { return 0 };
    if value.kind == SpanType::Null || value.text.len() > VALUE_BYTES_MAX {
        return 0;
    }
    let part = |seed: &RandomState| u128::from(seed.hash_one((index, value.text)));
    (part(first) << 64 | part(second)).max(1)
}

impl Memo {
    /// The rules of a key, as a range for [`Memo::rules`].
    pub fn get(&self, key: u128) -> Option<(u32, u32)> {
        let place = self.places.get(key as usize % PLACES)?;
        (key != 0 && place.0 == key).then_some(place.1)
    }

    /// Finds the rules of a key with `scan` and remembers them.
    pub fn put(&mut self, key: u128, scan: impl FnOnce(&mut Vec<u32>)) -> (u32, u32) {
        if self.seeds.is_none() || self.rules.len() > RULES_MAX {
            self.places.clear();
            self.places.resize(PLACES, (0, (0, 0)));
            self.rules.clear();
            self.seeds.get_or_insert_with(|| (RandomState::new(), RandomState::new()));
        }
        let start = self.rules.len();
        scan(&mut self.rules);
        self.rules[start..].sort_unstable();
        let mut kept = start;
        for at in start..self.rules.len() {
            if kept == start || self.rules[kept - 1] != self.rules[at] {
                self.rules[kept] = self.rules[at];
                kept += 1;
            }
        }
        self.rules.truncate(kept);
        let range = (start as u32, kept as u32);
        if key != 0 {
            self.places[key as usize % PLACES] = (key, range);
        }
        range
    }

    /// The rules of a range that was just given out.
    pub fn rules(&self, (start, end): (u32, u32)) -> &[u32] {
        self.rules.get(start as usize..end as usize).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_again_and_others_are_not() {
        let value = |text| Value { text, kind: SpanType::String, cut: false, time: None };
        let mut memo = Memo::default();
        let found = memo.put(key(1, &value(b"a"), &memo), |rules| rules.extend([3, 1, 3]));
        assert_eq!(memo.rules(found), [1, 3]);
        let a = key(1, &value(b"a"), &memo);
        assert_eq!(memo.get(a), None, "the first value came before the seeds");
        let found = memo.put(a, |rules| rules.push(7));
        assert_eq!(memo.get(a), Some(found));
        assert_eq!(memo.get(key(2, &value(b"a"), &memo)), None);
        assert_eq!(memo.get(key(1, &value(b"b"), &memo)), None);
        let long = [b'x'; VALUE_BYTES_MAX + 1];
        assert_eq!(key(1, &value(&long), &memo), 0);
        assert_ne!(key(1, &value(&long[1..]), &memo), 0);
    }
}
