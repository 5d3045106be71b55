//! Which sources a record may be of, from the literals in it: one pass over its bytes.

use crate::def::Source;
use ahash::AHashMap;
use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, MatchKind, StartKind};
use std::array;

/// Literals are looked for in this much of a record. Every format shows itself early; the
/// bound keeps a huge record from being read twice.
pub const RECOGNISE_BYTES_MAX: usize = 64 * 1024;

/// Distinct literals that are told apart; further ones count as present, which costs a try
/// of the source's decoder and changes nothing else.
const LITERALS_MAX: usize = 1_024;

/// Parts of a record that are walked side by side: a step of the automaton waits for the one
/// before it, so that four walks take little longer than one.
const WALKS: usize = 4;

/// Records below this are walked in one go.
const WALKED_APART_BYTES_MIN: usize = 96;

type Seen = [u64; LITERALS_MAX / 64];

/// One way to recognise a source: literals that must all occur.
#[derive(Debug)]
struct Way {
    source: u16,
    literals: Vec<u16>,
}

/// The literals of all sources and the order in which candidates are tried: higher rank,
/// then more literal text, then more conditions, then the name.
#[derive(Debug)]
pub struct Recogniser {
    automaton: Option<DFA>,
    ways: Vec<Way>,
}

impl Recogniser {
    /// Builds the automaton over the literals of `sources`.
    pub fn new(sources: &[Source]) -> Self {
        let mut texts: Vec<&str> = Vec::new();
        let mut ids: AHashMap<&str, u16> = AHashMap::new();
        let mut ways = Vec::new();
        for (at, source) in sources.iter().enumerate() {
            for alternative in &source.recognise {
                let mut literals = Vec::new();
                for text in alternative.iter().filter(|text| !text.is_empty()) {
                    let id = *ids.entry(text).or_insert_with(|| {
                        texts.push(text);
                        (texts.len() - 1) as u16
                    });
                    literals.push(id);
                }
                let length: usize = alternative.iter().map(String::len).sum();
                let conditions = source.require.iter().map(Vec::len).max().unwrap_or(0);
                ways.push((
                    (-source.rank, usize::MAX - length, usize::MAX - conditions, at),
                    Way { source: at as u16, literals },
                ));
            }
        }
        ways.sort_by_key(|way| way.0);
        texts.truncate(LITERALS_MAX);
        let automaton = DFA::builder()
            .match_kind(MatchKind::Standard)
            .start_kind(StartKind::Unanchored)
            .build(&texts)
            .ok();
        Self { automaton, ways: ways.into_iter().map(|(_, way)| way).collect() }
    }

    /// Indexes of the sources whose literals occur in `record`, best first; a source may
    /// come more than once.
    pub fn candidates(&self, record: &[u8]) -> impl Iterator<Item = u16> {
        let seen = self.seen(record.get(..RECOGNISE_BYTES_MAX).unwrap_or(record));
        self.ways.iter().filter_map(move |way| {
            way.literals
                .iter()
                .all(|id| {
                    let id = usize::from(*id);
                    id >= LITERALS_MAX || seen[id / 64] >> (id % 64) & 1 == 1
                })
                .then_some(way.source)
        })
    }

    fn seen(&self, text: &[u8]) -> Seen {
        let mut seen = [0; LITERALS_MAX / 64];
        let Some(dfa) = &self.automaton else { return [u64::MAX; LITERALS_MAX / 64] };
        let Ok(start) = dfa.start_state(Anchored::No) else { return seen };
        let part = if text.len() < WALKED_APART_BYTES_MIN { 0 } else { text.len() / WALKS };
        let mut states = [start; WALKS];
        let [a, b, c, d] = array::from_fn(|at| text.get(part * at..).unwrap_or_default());
        for (((a, b), c), d) in a.iter().zip(b).zip(c).zip(d).take(part) {
            for (state, byte) in states.iter_mut().zip([*a, *b, *c, *d]) {
                *state = dfa.next_state(Anchored::No, *state, byte);
            }
            for state in states {
                if dfa.is_special(state) {
                    note(dfa, state, &mut seen);
                }
            }
        }
        for (at, mut state) in states.into_iter().enumerate() {
            let last = at + 1 == WALKS;
            for byte in text.get(part * (at + 1)..).unwrap_or_default() {
                // At the start nothing is begun that the next walk has not seen whole.
                if state == start && !last {
                    break;
                }
                state = dfa.next_state(Anchored::No, state, *byte);
                if dfa.is_special(state) {
                    note(dfa, state, &mut seen);
                }
            }
        }
        seen
    }
}

fn note(dfa: &DFA, state: StateID, seen: &mut Seen) {
    if !dfa.is_match(state) {
        return;
    }
    for index in 0..dfa.match_len(state) {
        let id = dfa.match_pattern(state, index).as_usize();
        seen[id / 64] |= 1 << (id % 64);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::sources::Sources;

    #[test]
    fn literals_are_seen_wherever_they_stand() {
        let sources = Sources::builtin().unwrap();
        let recogniser = Recogniser::new(&sources.list);
        let mut texts: Vec<&str> = Vec::new();
        for text in sources.list.iter().flat_map(|source| source.recognise.iter().flatten()) {
            if !text.is_empty() && !texts.contains(&text.as_str()) {
                texts.push(text);
            }
        }
        assert!(texts.len() > 50 && texts.len() < LITERALS_MAX);
        for (id, text) in texts.iter().enumerate() {
            for (before, after) in (0..100).flat_map(|n| [(n, 3), (n, 200), (200 - n, n)]) {
                let record = format!("{}{text}{}", "~".repeat(before), "~".repeat(after));
                let seen = recogniser.seen(record.as_bytes());
                let mut naive = [0; LITERALS_MAX / 64];
                for (other, text) in texts.iter().enumerate() {
                    naive[other / 64] |= u64::from(record.contains(text)) << (other % 64);
                }
                assert_eq!(seen, naive, "{text} ({id}) after {before} bytes, {after} follow");
            }
        }
    }
}
