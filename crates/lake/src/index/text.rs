//! Words of long texts.
//!
//! A word is an ASCII run of letters, digits and `_` with none of them beside it. Whatever a
//! search takes for a word (see [`crate::search`]) begins and ends where such a run does, so that
//! the runs of what is looked for, but for those cut off at its ends, are runs of the text.

use super::hash;

/// Shorter words are in nearly every granule, and so are numbers up to [`NUMBER_MIN`] digits.
const WORD_MIN: usize = 3;
/// Shortest number that is noted by itself.
const NUMBER_MIN: usize = 4;

/// What a byte is to a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Not part of one.
    Between,
    /// A digit.
    Digit,
    /// A letter or `_`.
    Letter,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Between; 256];
    let mut byte = 0;
    while byte < 128 {
        let b = byte as u8;
        if b.is_ascii_digit() {
            classes[byte] = Class::Digit;
        } else if b.is_ascii_alphabetic() || b == b'_' {
            classes[byte] = Class::Letter;
        }
        byte += 1;
    }
    classes
};

/// A run and where it stands.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    end: usize,
    number: bool,
}

/// Calls `take` with the key of every word of the text that is noted, and of every address of four
/// numbers between dots.
pub(crate) fn keys(text: &[u8], mut take: impl FnMut(u64)) {
    each(text, |_, key| take(key));
}

/// As [`keys`], with the range of the bytes that the key stands for.
fn each(text: &[u8], mut take: impl FnMut((usize, usize), u64)) {
    // Numbers of up to three digits with a dot between each and the next, up to the last run.
    let mut dotted: [(usize, u64); 4] = [(0, 0); 4];
    let (mut numbers, mut last_end) = (0usize, usize::MAX);
    let mut at = 0;
    while let Some(run) = next(text, at) {
        at = run.end;
        let Some(bytes) = text.get(run.start..run.end) else { return };
        let short_number = run.number && bytes.len() < NUMBER_MIN;
        if short_number {
            let joined = last_end.checked_add(1) == Some(run.start)
                && text.get(last_end).is_some_and(|between| *between == b'.');
            numbers = if joined { numbers + 1 } else { 1 };
            dotted.rotate_left(1);
            dotted[3] = (run.start, hash::word(bytes));
            last_end = run.end;
            if numbers >= 4 {
                let key = hash::dotted(dotted.map(|(_, word)| word));
                take((dotted[0].0, run.end), key);
            }
        } else {
            numbers = 0;
            last_end = usize::MAX;
            if bytes.len() >= WORD_MIN {
                take((run.start, run.end), hash::word(bytes));
            }
        }
    }
}

fn next(text: &[u8], from: usize) -> Option<Run> {
    let class = |byte: &u8| CLASSES[usize::from(*byte)];
    let rest = text.get(from..)?;
    let start = from + rest.iter().position(|byte| class(byte) != Class::Between)?;
    let mut number = true;
    let mut end = start;
    for byte in text.get(start..)? {
        match class(byte) {
            Class::Between => break,
            Class::Digit => {}
            Class::Letter => number = false,
        }
        end += 1;
    }
    Some(Run { start, end, number })
}

/// The keys that every text has in which `needle` is found; `whole_start` and `whole_end` say
/// whether a run at that end of it ends there in the text, too. Empty where nothing can be said.
pub(crate) fn needed(needle: &str, whole_start: bool, whole_end: bool) -> Vec<u64> {
    let bytes = needle.as_bytes();
    let mut keys = Vec::new();
    each(bytes, |(start, end), key| {
        let cut = (start == 0 && !whole_start) || (end == bytes.len() && !whole_end);
        if !cut {
            keys.push(key);
        }
    });
    keys.sort_unstable();
    keys.dedup();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn has(text: &str, needle: &str) -> Option<bool> {
        let mut all = HashSet::new();
        keys(text.as_bytes(), |key| {
            all.insert(key);
        });
        let needed = needed(needle, true, true);
        (!needed.is_empty()).then(|| needed.iter().all(|key| all.contains(key)))
    }

    #[test]
    fn words_and_addresses_of_a_text_are_found_by_their_keys() {
        let text =
            "%ASA-6-302013: Built inbound TCP 4711 for outside:203.0.113.9/443 (CORP\\nina_1)";
        for (needle, expected) in [
            ("built", Some(true)),
            ("asa", Some(true)),
            ("302013", Some(true)),
            ("203.0.113.9", Some(true)),
            ("nina_1", Some(true)),
            ("nina", Some(false)),
            ("203.0.113.8", Some(false)),
            ("03.0.113.9", Some(false)),
            ("inbound tcp", Some(true)),
            ("inbound udp", Some(false)),
            ("443", None),
            ("6", None),
            ("日本", None),
        ] {
            assert_eq!(has(text, needle), expected, "{needle}");
        }
        // Longer rows of numbers hold each four of them.
        assert_eq!(has("1.3.6.1.4.1", "6.1.4.1"), Some(true));
        assert_eq!(has("1.3.6.1.4.1", "3.6.1.4"), Some(true));
        assert_eq!(has("1.3.6.1,4.1", "6.1.4.1"), Some(false));
        assert_eq!(has("1.3.6.1.4000", "3.6.1.4"), Some(false));
    }

    #[test]
    fn runs_that_are_cut_off_prove_nothing() {
        assert_eq!(needed("failed", false, true), [0; 0]);
        assert_eq!(needed("failed pass", true, false), [hash::word(b"failed")]);
        assert_eq!(needed("=failed=", false, false), [hash::word(b"failed")]);
        assert_eq!(needed("10.0.0.1", false, true), [0; 0]);
    }
}
