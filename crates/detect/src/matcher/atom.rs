//! Distinct predicates: compiled once, evaluated at most once per event.

use super::glob::TextMatch;
use super::scratch::Scratch;
use super::{HitPlace, Matcher};
use crate::ir::{Anchor, Cidr, CmpOp, Num, Test, TimePart, Value, time_of_text};
use yagura_event::{EventRef, SpanType};

/// A predicate over the values of a slot.
#[derive(Clone, Debug)]
pub(super) struct Atom {
    /// Whose values.
    pub slot: u32,
    /// What is asked.
    pub test: AtomTest,
}

/// A compiled test.
#[derive(Clone, Debug)]
pub(super) enum AtomTest {
    Text { pattern: TextMatch, cased: bool },
    Number(Num),
    Compare(CmpOp, Num),
    TimePart(TimePart, CmpOp, i64),
    Regex(regex::bytes::Regex),
    Cidr(Cidr),
    Null,
    Exists,
    FieldRef { other: u32, how: Anchor, cased: bool },
}

impl AtomTest {
    /// Compiles a test; `other` is the slot of the field it refers to.
    pub fn new(test: &Test, other: Option<u32>) -> Self {
        match test {
            Test::Text { glob, cased } => {
                Self::Text { pattern: TextMatch::new(glob), cased: *cased }
            }
            Test::Number(number) => Self::Number(*number),
            Test::Compare(op, number) => Self::Compare(*op, *number),
            Test::TimePart(part, op, number) => Self::TimePart(*part, *op, *number),
            Test::Regex(rx) => Self::Regex(rx.regex.clone()),
            Test::Cidr(cidr) => Self::Cidr(*cidr),
            Test::Null => Self::Null,
            Test::Exists => Self::Exists,
            Test::FieldRef { how, cased, .. } => {
                Self::FieldRef { other: other.unwrap_or(0), how: *how, cased: *cased }
            }
        }
    }

    /// Whether the test looks at folded text.
    fn folds(&self) -> bool {
        matches!(self, Self::Text { cased: false, .. } | Self::FieldRef { cased: false, .. })
    }

    /// Whether one value that is not null fulfils the test.
    fn holds(&self, value: &Value<'_>) -> bool {
        match self {
            Self::Text { pattern, .. } => pattern.is_match(value.text, value.cut),
            Self::Number(number) => compares(value, CmpOp::Eq, *number),
            Self::Compare(op, number) => compares(value, *op, *number),
            Self::TimePart(part, op, number) => {
                let time = value.time.or_else(|| time_of_text(value.text));
                time.is_some_and(|time| op.holds(part.of(time).cmp(number)))
            }
            Self::Regex(regex) => regex.is_match(value.text),
            Self::Cidr(cidr) => cidr.contains(value.text),
            Self::Null | Self::Exists | Self::FieldRef { .. } => false,
        }
    }
}

fn compares(value: &Value<'_>, op: CmpOp, number: Num) -> bool {
    let order = Num::of_text(value.text).and_then(|found| found.compare(number));
    order.is_some_and(|order| op.holds(order))
}

impl Matcher {
    /// Whether an atom holds for the event, from memory if it was asked before.
    pub(super) fn atom(&self, id: u32, event: &EventRef<'_>, scratch: &mut Scratch) -> bool {
        let known = scratch.atoms[id as usize];
        if known >> 1 == scratch.generation {
            return known & 1 == 1;
        }
        let result = self.ask(&self.atoms[id as usize], event, scratch).is_some();
        scratch.atoms[id as usize] = scratch.generation << 1 | u32::from(result);
        result
    }

    /// Where an atom holds; `HitPlace::Nowhere` where it holds for want of a value.
    pub(super) fn ask(
        &self,
        atom: &Atom,
        event: &EventRef<'_>,
        scratch: &mut Scratch,
    ) -> Option<HitPlace> {
        let (start, end) = self.resolve(atom.slot, event, scratch);
        match &atom.test {
            AtomTest::Exists => {
                return (start < end).then(|| scratch.cell(scratch.cell_ids[start as usize]).place);
            }
            AtomTest::Null => {
                let is_null =
                    |at| scratch.value(scratch.cell_ids[at as usize], event).kind == SpanType::Null;
                return (start..end).all(is_null).then_some(HitPlace::Nowhere);
            }
            AtomTest::FieldRef { other, how, cased } => {
                return self.ask_other((start, end), *other, *how, *cased, event, scratch);
            }
            _ => {}
        }
        let folds = atom.test.folds();
        for at in start..end {
            let id = scratch.cell_ids[at as usize];
            if folds {
                scratch.fold(id, event);
            }
            let value = if folds { scratch.folded(id, event) } else { scratch.value(id, event) };
            if value.kind != SpanType::Null && atom.test.holds(&value) {
                return Some(scratch.cell(id).place);
            }
        }
        None
    }

    /// Compares the values of one slot with those of another.
    fn ask_other(
        &self,
        (start, end): (u32, u32),
        other: u32,
        how: Anchor,
        cased: bool,
        event: &EventRef<'_>,
        scratch: &mut Scratch,
    ) -> Option<HitPlace> {
        let (from, to) = self.resolve(other, event, scratch);
        if !cased {
            for at in (start..end).chain(from..to) {
                let id = scratch.cell_ids[at as usize];
                scratch.fold(id, event);
            }
        }
        for at in start..end {
            let id = scratch.cell_ids[at as usize];
            let value = if cased { scratch.value(id, event) } else { scratch.folded(id, event) };
            for against in from..to {
                let other = scratch.cell_ids[against as usize];
                let other =
                    if cased { scratch.value(other, event) } else { scratch.folded(other, event) };
                if refers(&value, &other, how) {
                    return Some(scratch.cell(id).place);
                }
            }
        }
        None
    }
}

/// Whether `value` is, begins with, ends with or contains `other`.
pub(crate) fn refers(value: &Value<'_>, other: &Value<'_>, how: Anchor) -> bool {
    if value.kind == SpanType::Null || other.kind == SpanType::Null || other.cut {
        return false;
    }
    match how {
        Anchor::Equals => !value.cut && value.text == other.text,
        Anchor::Start => value.text.starts_with(other.text),
        Anchor::End => !value.cut && value.text.ends_with(other.text),
        Anchor::Within => memchr::memmem::find(value.text, other.text).is_some(),
    }
}
