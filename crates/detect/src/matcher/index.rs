//! Per slot: which rules the literals in a value make candidates.

use super::literal::Literal;
use super::witness::number_bits;
use crate::ir::{Anchor, Num, Value};
use ahash::AHashMap;
use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind, MatchKind};
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
    automaton: Option<AhoCorasick>,
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
    pub fn build(entries: BTreeMap<Literal, Vec<u32>>) -> Option<Self> {
        let mut index = Self::default();
        let mut texts: Vec<Vec<u8>> = Vec::new();
        for (literal, rules) in entries {
            let rules: Box<[u32]> = rules.into();
            let (anchor, text) = match literal {
                Literal::Present => {
                    index.present = rules;
                    continue;
                }
                Literal::Number(bits) => {
                    index.numbers.insert(bits, rules);
                    continue;
                }
                Literal::Equals(text) => {
                    index.equals.insert(text.into(), rules);
                    continue;
                }
                Literal::Start(text) => (Anchor::Start, text),
                Literal::End(text) => (Anchor::End, text),
                Literal::Within(text) => (Anchor::Within, text),
            };
            texts.push(text);
            index.patterns.push(Pattern { anchor, rules });
        }
        if !texts.is_empty() {
            let bytes: usize = texts.iter().map(Vec::len).sum();
            let kind = if bytes <= DFA_BYTES_MAX {
                AhoCorasickKind::DFA
            } else {
                AhoCorasickKind::ContiguousNFA
            };
            let built = AhoCorasickBuilder::new()
                .match_kind(MatchKind::Standard)
                .kind(Some(kind))
                .build(&texts);
            index.automaton = Some(built.ok()?);
        }
        Some(index)
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
        for hit in automaton.find_overlapping_iter(value.text) {
            let pattern = &self.patterns[hit.pattern().as_usize()];
            let stands = match pattern.anchor {
                Anchor::Start => hit.start() == 0,
                Anchor::End => hit.end() == value.text.len(),
                Anchor::Within | Anchor::Equals => true,
            };
            if stands {
                found(&pattern.rules);
            }
        }
    }
}
