//! The distinct relations of one unit of work: most records repeat what others said.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};
use yagura_event::batch::RelationSpan;
use yagura_event::{EventBatch, Relation};

/// Relations by what the source wrote, so that each text is normalised once.
#[derive(Default)]
pub struct Known {
    hasher: RandomState,
    by_hash: HashMap<u64, (RelationSpan, Option<u32>)>,
}

impl Known {
    /// Forgets all, for the next unit.
    pub fn clear(&mut self) {
        self.by_hash.clear();
    }

    /// The place of the relation in `all`, where it is put if it is new; `None` for a tie that
    /// names nothing.
    pub fn find(
        &mut self,
        batch: &EventBatch,
        span: &RelationSpan,
        all: &mut Vec<Relation>,
    ) -> Option<u32> {
        let parts = |span: &RelationSpan| {
            let (from, to) = (batch.bytes(span.from.1), batch.bytes(span.to.1));
            (span.kind as u8, span.from.0 as u8, span.to.0 as u8, from, to)
        };
        match self.by_hash.entry(self.hasher.hash_one(parts(span))) {
            Entry::Occupied(known) if parts(&known.get().0) == parts(span) => known.get().1,
            // Two texts of one hash: the second is looked up anew each time.
            Entry::Occupied(_) => place(batch, span, all),
            Entry::Vacant(free) => free.insert((*span, place(batch, span, all))).1,
        }
    }
}

fn place(batch: &EventBatch, span: &RelationSpan, all: &mut Vec<Relation>) -> Option<u32> {
    let relation = batch.relation(span)?;
    all.push(relation);
    u32::try_from(all.len() - 1).ok()
}
