//! Which sources a record may be of, from the literals in it: one pass over its bytes.

use crate::def::Source;
use ahash::AHashMap;
use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::packed::{self, Searcher};
use aho_corasick::{Anchored, MatchKind, StartKind};
use memchr::memmem::Finder;
use std::array;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// Literals that one search by vector instructions has places for.
const SEARCH_LITERALS_MAX: usize = 64;

/// Most such searches before a way; with more, the automaton is as quick.
const SEARCHES_MAX: usize = 3;

/// Shortest literal of such a search, in bytes: shorter ones stand nearly everywhere.
const SEARCH_BYTES_MIN: usize = 3;

thread_local! {
    /// The recogniser and the way that came first for the record before. Records come in
    /// streams of one kind, so it is asked about before all others.
    static LAST: Cell<(u64, usize)> = const { Cell::new((0, 0)) };
}

/// Tells one recogniser from another.
static RECOGNISERS: AtomicU64 = AtomicU64::new(1);

/// One way to recognise a source: literals that must all occur.
#[derive(Debug)]
struct Way {
    source: u16,
    literals: Vec<u16>,
    /// The same literals, to be looked for one by one.
    finders: Vec<Finder<'static>>,
    /// Searches for a literal of each better way of another source: if they find none, none of
    /// these holds. `None` where that cannot be said so quickly.
    better: Option<Vec<Searcher>>,
}

/// The literals of all sources and the order in which candidates are tried: higher rank,
/// then more literal text, then more conditions, then the name.
#[derive(Debug)]
pub struct Recogniser {
    id: u64,
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
                    (at as u16, literals),
                ));
            }
        }
        ways.sort_by_key(|way| way.0);
        let ordered: Vec<(u16, Vec<u16>)> = ways.into_iter().map(|(_, way)| way).collect();
        let ways = (0..ordered.len()).map(|at| Way::new(at, &ordered, &texts)).collect();
        texts.truncate(LITERALS_MAX);
        let automaton = DFA::builder()
            .match_kind(MatchKind::Standard)
            .start_kind(StartKind::Unanchored)
            .build(&texts)
            .ok();
        let id = RECOGNISERS.fetch_add(1, Ordering::Relaxed);
        Self { id, automaton, ways }
    }

    /// Indexes of the sources whose literals occur in `record`, best first; a source may
    /// come more than once.
    pub fn candidates(&self, record: &[u8]) -> impl Iterator<Item = u16> {
        let text = record.get(..RECOGNISE_BYTES_MAX).unwrap_or(record);
        let known = self.known(text);
        let all = std::iter::once_with(move || self.all(text, known.is_none())).flatten();
        known.into_iter().chain(all)
    }

    /// The source of the way that came first before, if it is the first for `text` as well.
    fn known(&self, text: &[u8]) -> Option<u16> {
        let (id, at) = LAST.get();
        let way = self.ways.get(at).filter(|_| id == self.id)?;
        let better = way.better.as_ref()?;
        let holds = way.finders.iter().all(|finder| finder.find(text).is_some())
            && better.iter().all(|search| search.find(text).is_none());
        holds.then_some(way.source)
    }

    /// The sources of all ways that hold, in order; `keep` has the first remembered.
    fn all(&self, text: &[u8], keep: bool) -> impl Iterator<Item = u16> {
        let seen = self.seen(text);
        let mut keep = keep;
        self.ways.iter().enumerate().filter_map(move |(at, way)| {
            let mut literals = way.literals.iter().map(|id| usize::from(*id));
            if !literals.all(|id| id >= LITERALS_MAX || seen[id / 64] >> (id % 64) & 1 == 1) {
                return None;
            }
            if std::mem::take(&mut keep) {
                LAST.set((self.id, at));
            }
            Some(way.source)
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

impl Way {
    /// The way at a place of the order.
    fn new(at: usize, ordered: &[(u16, Vec<u16>)], texts: &[&str]) -> Self {
        let text = |id: &u16| texts.get(usize::from(*id)).copied().unwrap_or_default();
        let (source, literals) = (ordered[at].0, ordered[at].1.clone());
        let finders =
            literals.iter().map(|id| Finder::new(text(id).as_bytes()).into_owned()).collect();
        let others = ordered[..at].iter().filter(|(other, _)| *other != source);
        let own: Vec<&str> = literals.iter().map(text).collect();
        let telling = others.map(|(_, literals)| {
            // What the way's own literals contain is always found.
            let told = literals.iter().filter(|id| usize::from(**id) < LITERALS_MAX);
            let foreign = told.map(text).filter(|t| !own.iter().any(|o| o.contains(t)));
            foreign.max_by_key(|text| text.len()).filter(|text| text.len() >= SEARCH_BYTES_MIN)
        });
        let better = telling.collect::<Option<Vec<&str>>>().and_then(|mut texts| {
            texts.sort_unstable();
            texts.dedup();
            let parts = texts.chunks(SEARCH_LITERALS_MAX);
            let small = parts.len() <= SEARCHES_MAX;
            let search = |part| packed::Config::new().builder().extend(part).build();
            small.then(|| parts.map(search).collect::<Option<Vec<Searcher>>>()).flatten()
        });
        Self { source, literals, finders, better }
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

    /// A record of each way and of each two of neighbouring order, after a record of each: what
    /// is remembered changes nothing but the time.
    #[test]
    fn the_order_is_the_same_whatever_came_before() {
        let sources = Sources::builtin().unwrap();
        let recogniser = Recogniser::new(&sources.list);
        let texts: Vec<String> =
            sources.list.iter().flat_map(|s| &s.recognise).map(|w| w.join(" ")).collect();
        let both = texts.iter().zip(texts.iter().skip(1)).map(|(a, b)| format!("{b} {a}"));
        let records: Vec<String> = texts.iter().cloned().chain(both).collect();
        let order = |all: Vec<u16>| {
            let mut seen = Vec::new();
            all.into_iter().for_each(|s| {
                if !seen.contains(&s) {
                    seen.push(s)
                }
            });
            seen
        };
        let mut known = 0;
        for before in &texts {
            for record in &records {
                let _ = recogniser.candidates(before.as_bytes()).next();
                known += usize::from(recogniser.known(record.as_bytes()).is_some());
                let quick = order(recogniser.candidates(record.as_bytes()).collect());
                let full = order(recogniser.all(record.as_bytes(), false).collect());
                assert_eq!(quick, full, "{before:?} before {record:?}");
            }
        }
        assert!(known > texts.len() / 2, "{known} of {} were known at once", texts.len());
    }
}
