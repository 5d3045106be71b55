//! Relations between two commits, de-duplicated within validity buckets.

use crate::pipeline::work::Tie;
use std::collections::BTreeMap;
use yagura_event::time::HOUR;
use yagura_event::{Context, Lsn, Micros, Observable, RelationKind, Seen, TenantName};

/// Length of a validity bucket: sightings of a tie within it are one row.
const BUCKET: Micros = HOUR;

/// Most distinct ties held between two commits. Beyond it the judge commits early, so
/// nothing is dropped.
pub const TIES_MAX: usize = 200_000;

/// Ties seen since the last commit.
#[derive(Debug, Default)]
pub struct Ties(BTreeMap<Key, Seen>);

type Key = (String, RelationKind, Observable, Observable, i64);

impl Ties {
    /// Adds one sighting.
    pub fn add(&mut self, tenant: &str, tie: &Tie, time: Micros, context: &Context, lsn: Lsn) {
        let relation = &tie.relation;
        let bucket = time.div_euclid(BUCKET);
        let key =
            (tenant.to_owned(), relation.kind, relation.from.clone(), relation.to.clone(), bucket);
        if let Some(seen) = self.0.get_mut(&key) {
            seen.first = seen.first.min(time);
            seen.last = seen.last.max(time);
            seen.count += 1;
            seen.lsn = lsn;
            return;
        }
        let Ok(name) = TenantName::new(tenant) else { return };
        let seen = Seen {
            tenant: name,
            relation: relation.clone(),
            first: time,
            last: time,
            count: 1,
            context: context.id(),
            lsn,
        };
        self.0.insert(key, seen);
    }

    /// Whether so many are held that they should be committed.
    pub fn full(&self) -> bool {
        self.0.len() >= TIES_MAX
    }

    /// Hands all over, in a fixed order.
    pub fn drain(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.0).into_values().collect()
    }
}
