//! Hashes of values and words, the same for texts that differ only in ASCII case.
//!
//! They are part of a file's form: a change here is a change of [`super::format::SCHEME`].

/// Seed of whole values.
const VALUE: u64 = 0x9e37_79b9_7f4a_7c15;
/// Seed of words of long texts.
const WORD: u64 = 0xd1b5_4a32_d192_ed03;
/// Seed of dotted addresses within long texts.
const DOTTED: u64 = 0x8cb9_2ba7_2f3d_8dd7;
/// Odd numbers without pattern, by which the state is multiplied.
const MULTIPLIERS: [u64; 2] = [0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db];
/// Sets the bit that parts upper from lower case in each of eight bytes. Other bytes that differ
/// in it alone get the same hash, which only means that a granule is read in vain.
const LOWER: u64 = 0x2020_2020_2020_2020;

/// The hash of a whole value.
pub(crate) fn value(text: &str) -> u64 {
    of(VALUE, text.as_bytes())
}

/// The hash of a word: letters, digits and `_` with none of them beside it.
pub(crate) fn word(bytes: &[u8]) -> u64 {
    of(WORD, bytes)
}

/// The hash of four numbers between dots, by the hashes of their words.
pub(crate) fn dotted(words: [u64; 4]) -> u64 {
    words.into_iter().fold(DOTTED, |state, word| mix(state ^ word, MULTIPLIERS[0]))
}

fn of(seed: u64, bytes: &[u8]) -> u64 {
    let (eights, rest) = bytes.as_chunks::<8>();
    let mut state = seed ^ (bytes.len() as u64).wrapping_mul(MULTIPLIERS[1]);
    for eight in eights {
        state = mix(state ^ (u64::from_le_bytes(*eight) | LOWER), MULTIPLIERS[0]);
    }
    if !rest.is_empty() {
        let last = rest.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte));
        state = mix(state ^ (last | LOWER), MULTIPLIERS[0]);
    }
    mix(state, MULTIPLIERS[1])
}

fn mix(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    (wide as u64) ^ ((wide >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn case_is_ignored_and_nothing_else() {
        assert_eq!(value("CORP\\Nina"), value("corp\\nina"));
        assert_ne!(value("nina"), value("nina "));
        assert_ne!(value("nina"), word(b"nina"));
        let many: HashSet<u64> = (0..100_000).map(|n| value(&format!("host-{n}"))).collect();
        assert_eq!(many.len(), 100_000);
        let ends: HashSet<u64> = (0..40).map(|n| value(&"x".repeat(n))).collect();
        assert_eq!(ends.len(), 40);
    }
}
