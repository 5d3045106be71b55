//! Per slot: which rules the literals in a value make candidates.

use super::literal::Literal;
use super::witness::number_bits;
use crate::ir::{Anchor, Num, Value};
use ahash::AHashMap;
use aho_corasick::automaton::Automaton;
use aho_corasick::packed::{self, Searcher};
use aho_corasick::{Anchored, MatchKind, dfa, nfa};
use std::collections::BTreeMap;
use yagura_event::SpanType;

/// Bytes of literals up to which an automaton is a full table: twice as fast, some hundred
/// bytes of memory a byte. Beyond it, it stays an NFA.
const DFA_BYTES_MAX: usize = 48 * 1024;

/// Rules by the literals that a slot's value must contain.
#[derive(Debug, Default)]
pub(super) struct SlotIndex {
    equals: AHashMap<Box<[u8]>, Box<[u32]>>,
    numbers: AHashMap<u64, Box<[u32]>>,
    present: Box<[u32]>,
    automaton: Option<Texts>,
    /// Finds whether the automaton would find anything, where that is quicker.
    gate: Option<Searcher>,
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    anchor: Anchor,
    rules: Box<[u32]>,
}

impl SlotIndex {
    /// Builds the index; `None` if the automaton would be beyond what the library can hold,
    /// in which case the caller evaluates the rules for every event.
    fn build(entries: &BTreeMap<&Literal, Vec<u32>>) -> Option<Self> {
        let mut index = Self::default();
        let mut texts: Vec<&[u8]> = Vec::new();
        for (literal, rules) in entries {
            let rules: Box<[u32]> = rules.as_slice().into();
            let (anchor, text) = match literal {
                Literal::Present => {
                    index.present = rules;
                    continue;
                }
                Literal::Number(bits) => {
                    index.numbers.insert(*bits, rules);
                    continue;
                }
                Literal::Equals(text) => {
                    index.equals.insert(text.as_slice().into(), rules);
                    continue;
                }
                Literal::Start(text) => (Anchor::Start, text),
                Literal::End(text) => (Anchor::End, text),
                Literal::Within(text) => (Anchor::Within, text),
            };
            texts.push(text.as_slice());
            index.patterns.push(Pattern { anchor, rules });
        }
        if !texts.is_empty() {
            let bytes: usize = texts.iter().map(|text| text.len()).sum();
            let built = if bytes <= DFA_BYTES_MAX {
                dfa::DFA::builder().match_kind(MatchKind::Standard).build(&texts).map(Texts::Dfa)
            } else {
                let builder =
                    nfa::contiguous::NFA::builder().match_kind(MatchKind::Standard).clone();
                builder.build(&texts).map(Texts::Nfa)
            };
            index.automaton = Some(built.ok()?);
            index.gate = gate(&texts);
        }
        Some(index)
    }

    /// Whether texts alone decide, so that [`SlotIndex::may_hold`] over several values at once
    /// saves looking at each.
    pub fn is_gated(&self) -> bool {
        let texts_alone =
            self.present.is_empty() && self.equals.is_empty() && self.numbers.is_empty();
        texts_alone && self.gate.is_some()
    }

    /// False if no literal stands anywhere in `text`, which is folded.
    pub fn may_hold(&self, text: &[u8]) -> bool {
        self.gate.as_ref().is_none_or(|gate| gate.find(text).is_some())
    }

    /// Appends the rules of every literal in `value`, whose text is folded; with repeats.
    pub fn scan(&self, value: &Value<'_>, out: &mut Vec<u32>) {
        let mut found = |rules: &[u32]| out.extend_from_slice(rules);
        found(&self.present);
        if value.kind == SpanType::Null {
            return;
        }
        if !self.equals.is_empty()
            && let Some(rules) = self.equals.get(value.text)
        {
            found(rules);
        }
        if !self.numbers.is_empty()
            && let Some(number) = Num::of_text(value.text)
            && let Some(rules) = self.numbers.get(&number_bits(number.as_f64()))
        {
            found(rules);
        }
        let Some(automaton) = &self.automaton else { return };
        if !self.may_hold(value.text) {
            return;
        }
        let whole = value.text.len();
        automaton.walk(value.text, |pattern, start, end| {
            let pattern = &self.patterns[pattern];
            let stands = match pattern.anchor {
                Anchor::Start => start == 0,
                Anchor::End => end == whole,
                Anchor::Within | Anchor::Equals => true,
            };
            if stands {
                found(&pattern.rules);
            }
        });
    }
}

/// An automaton over texts.
#[derive(Debug)]
enum Texts {
    Dfa(dfa::DFA),
    Nfa(nfa::contiguous::NFA),
}

impl Texts {
    /// Calls `found` with the number of each text that stands in `text`, its first byte and
    /// the one behind it.
    fn walk(&self, text: &[u8], found: impl FnMut(usize, usize, usize)) {
        match self {
            Self::Dfa(automaton) => walk(automaton, text, found),
            Self::Nfa(automaton) => walk(automaton, text, found),
        }
    }
}

/// The library's own search for overlapping texts begins anew after each; this one goes on.
fn walk(automaton: &impl Automaton, text: &[u8], mut found: impl FnMut(usize, usize, usize)) {
    // An automaton of ours can always be begun without an anchor.
    let Ok(mut state) = automaton.start_state(Anchored::No) else { return };
    // Only the empty text is found before the first byte; it is found again behind each.
    for end in 0..=text.len() {
        if automaton.is_special(state) && automaton.is_match(state) {
            for at in 0..automaton.match_len(state) {
                let pattern = automaton.match_pattern(state, at);
                let start = end - automaton.pattern_len(pattern);
                found(pattern.as_usize(), start, end);
            }
        }
        if let Some(byte) = text.get(end) {
            state = automaton.next_state(Anchored::No, state, *byte);
        }
    }
}

/// Most texts that are looked for many bytes at a time: what the algorithm (Teddy) has places for.
const GATE_TEXTS_MAX: usize = 64;

/// Shortest text of a gate, in bytes: shorter ones stand nearly everywhere.
const GATE_BYTES_MIN: usize = 3;

/// A search for any of a few texts by vector instructions, where the processor has them.
fn gate(texts: &[&[u8]]) -> Option<Searcher> {
    let short = texts.iter().any(|text| text.len() < GATE_BYTES_MIN);
    if short || texts.len() > GATE_TEXTS_MAX {
        return None;
    }
    packed::Config::new().builder().extend(texts).build()
}

/// Indexes by what they look for: routes whose rules look for the same share one.
#[derive(Default)]
pub(super) struct Pool {
    built: Vec<SlotIndex>,
    /// By slot and rules, which say what is looked for.
    known: AHashMap<(u32, Vec<u32>), Option<u32>>,
}

impl Pool {
    /// The place of the index of `literals` (with their rules) in a slot; `None` if it would be
    /// beyond what the library can hold.
    pub fn index(&mut self, slot: u32, literals: &BTreeMap<&Literal, Vec<u32>>) -> Option<u32> {
        let mut rules: Vec<u32> = literals.values().flatten().copied().collect();
        rules.sort_unstable();
        rules.dedup();
        let built = &mut self.built;
        *self.known.entry((slot, rules)).or_insert_with(|| {
            built.push(SlotIndex::build(literals)?);
            Some(built.len() as u32 - 1)
        })
    }

    /// The indexes by their places.
    pub fn into_indexes(self) -> Vec<SlotIndex> {
        self.built
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(literals: &[&Literal], text: &str, expect: &[u32]) {
        let entries = literals.iter().zip(0..).map(|(literal, rule)| (*literal, vec![rule]));
        let mut pool = Pool::default();
        let at = pool.index(0, &entries.collect());
        let indexes = pool.into_indexes();
        let value = Value { text: text.as_bytes(), kind: SpanType::String, cut: false, time: None };
        let mut rules = Vec::new();
        indexes[at.unwrap_or_default() as usize].scan(&value, &mut rules);
        rules.sort_unstable();
        rules.dedup();
        assert_eq!(rules, expect, "{text}");
    }

    #[test]
    fn every_literal_that_stands_is_found() {
        let within = |text: &str| Literal::Within(text.into());
        let (start, end) = (Literal::Start(b"abc".into()), Literal::End(b"xyz".into()));
        let (a, b, c) = (within("bcd"), within("abcdef"), within("cde"));
        let all = [&start, &end, &a, &b, &c];
        check(&all, "abcdef-xyz", &[0, 1, 2, 3, 4]);
        check(&all, "-abcdef-xyz-", &[2, 3, 4]);
        check(&all, "bcd", &[2]);
        check(&all, "", &[]);
        check(&all, "nothing of all that", &[]);
        check(&[&within(""), &a], "", &[0]);
        check(&[&within(""), &a], "bcd", &[0, 1]);
    }

    #[test]
    fn many_texts_are_found_without_a_gate_and_few_with_one() {
        let texts: Vec<Literal> = (0..=GATE_TEXTS_MAX)
            .map(|at| Literal::Within(format!("text-{at:03}").into()))
            .collect();
        let all: Vec<&Literal> = texts.iter().collect();
        for count in [GATE_TEXTS_MAX, GATE_TEXTS_MAX + 1] {
            let found: Vec<u32> = vec![7, 63];
            check(&all[..count], "a text-063 and a text-007", &found);
        }
    }
}
