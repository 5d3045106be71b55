//! Where each field of one record stands, so that a definition's many names cost one look each.

use yagura_event::{FieldId, Span};

/// Slots of the table; the hash of an id has as many values.
const SLOTS: usize = 256;

/// Most fields that are put into the table, so that probing stays short. Records with more
/// are searched from end to end.
const INDEXED_MAX: usize = 160;

/// The first place of every interned field among a record's spans.
#[derive(Clone, Debug)]
pub struct Index {
    /// A span's place plus one; 0 is free.
    slots: [u16; SLOTS],
    /// Whether the record has too many fields for the table.
    over: bool,
}

impl Index {
    /// Indexes the spans of one record.
    pub fn new(spans: &[Span]) -> Self {
        let mut index = Self { slots: [0; SLOTS], over: spans.len() > INDEXED_MAX };
        if index.over {
            return index;
        }
        for (at, span) in spans.iter().enumerate().filter(|(_, s)| s.field != FieldId::UNKNOWN) {
            let mut slot = hash(span.field);
            loop {
                match index.slots[slot] {
                    0 => {
                        index.slots[slot] = at as u16 + 1;
                        break;
                    }
                    // The first of several fields of one name is meant.
                    known if spans[usize::from(known) - 1].field == span.field => break,
                    _ => slot = (slot + 1) % SLOTS,
                }
            }
        }
        index
    }

    /// The first place of `field` among the `spans` that were indexed.
    pub fn first(&self, spans: &[Span], field: FieldId) -> Option<usize> {
        if self.over {
            return spans.iter().position(|span| span.field == field);
        }
        let mut slot = hash(field);
        loop {
            let at = usize::from(self.slots[slot].checked_sub(1)?);
            if spans.get(at).is_some_and(|span| span.field == field) {
                return Some(at);
            }
            slot = (slot + 1) % SLOTS;
        }
    }
}

fn hash(field: FieldId) -> usize {
    // Fibonacci hashing: the upper bits depend on all of the id.
    (field.0.wrapping_mul(0x9E37_79B1) >> 24) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use yagura_event::batch::Text;
    use yagura_event::{SpanFlags, SpanType};

    fn spans(ids: impl Iterator<Item = u32>) -> Vec<Span> {
        let span = |id| Span {
            field: FieldId(id),
            name: Text::default(),
            value: Text::default(),
            raw: Text::default(),
            kind: SpanType::String,
            flags: SpanFlags::default(),
        };
        ids.map(span).collect()
    }

    #[test]
    fn the_first_of_each_is_found_at_the_limit_and_beyond() {
        for count in [0, 1, INDEXED_MAX, INDEXED_MAX + 1, 1_000] {
            let spans = spans((0..count as u32).map(|n| n * 7 % 97));
            let index = Index::new(&spans);
            for id in 0..200 {
                let first = spans.iter().position(|span| span.field == FieldId(id));
                assert_eq!(index.first(&spans, FieldId(id)), first, "{id} of {count}");
            }
        }
    }
}
