//! Which sources a record may be of, from the literals in it: one pass over its bytes.

use crate::def::Source;
use ahash::AHashMap;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// Literals are looked for in this much of a record. Every format shows itself early; the
/// bound keeps a huge record from being read twice.
pub const RECOGNISE_BYTES_MAX: usize = 64 * 1024;

/// Distinct literals that are told apart; further ones count as present, which costs a try
/// of the source's decoder and changes nothing else.
const LITERALS_MAX: usize = 1_024;

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
    automaton: Option<AhoCorasick>,
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
        // The literals are few and short, so the fastest automaton stays small.
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
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
        let Some(automaton) = &self.automaton else { return [u64::MAX; LITERALS_MAX / 64] };
        for found in automaton.find_overlapping_iter(text) {
            let id = found.pattern().as_usize();
            seen[id / 64] |= 1 << (id % 64);
        }
        seen
    }
}
