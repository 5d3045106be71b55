//! Relations between two commits, de-duplicated within validity buckets.

use std::collections::HashMap;
use yagura_event::time::HOUR;
use yagura_event::{Context, Lsn, Micros, Relation, Seen, TenantName};

/// Length of a validity bucket: sightings of a tie within it are one row.
const BUCKET: Micros = HOUR;

/// Most distinct ties held between two commits. Beyond it the judge commits early, so that
/// nothing is dropped.
const TIES_MAX: usize = 200_000;

/// Ties seen since the last commit.
#[derive(Debug, Default)]
pub struct Ties {
    seen: Vec<Seen>,
    by_key: HashMap<Key, u32>,
}

/// Tenant, relation, bucket.
type Key = (String, Relation, i64);

/// Where the relations of one unit of work are held, so that each is looked for once.
pub struct UnitTies(Vec<Option<(u32, i64, u32)>>);

impl UnitTies {
    /// Nothing found yet of `relations` relations.
    pub fn new(relations: usize) -> Self {
        Self(vec![None; relations])
    }
}

/// One sighting of a relation of a unit.
#[derive(Clone, Copy)]
pub struct Sighting<'a> {
    /// Which of the unit's relations.
    pub at: u32,
    /// The relation.
    pub relation: &'a Relation,
    /// Which of the unit's contexts.
    pub context_at: u32,
    /// The context.
    pub context: &'a Context,
    /// Time of the event.
    pub time: Micros,
    /// The record's entry.
    pub lsn: Lsn,
}

impl Ties {
    /// Adds one sighting.
    pub fn add(&mut self, unit: &mut UnitTies, sighting: Sighting<'_>) {
        let Sighting { at, context_at, time, lsn, .. } = sighting;
        let bucket = time.div_euclid(BUCKET);
        let memo = unit.0.get_mut(at as usize);
        let held = match &memo {
            Some(Some((context, known, held))) if (*context, *known) == (context_at, bucket) => {
                Some(*held)
            }
            _ => self.place(&sighting, bucket),
        };
        let Some(held) = held else { return };
        if let Some(memo) = memo {
            *memo = Some((context_at, bucket, held));
        }
        if let Some(seen) = self.seen.get_mut(held as usize) {
            seen.first = seen.first.min(time);
            seen.last = seen.last.max(time);
            seen.count += 1;
            seen.lsn = lsn;
        }
    }

    /// Where the sighted relation is held; put there with a count of 0 if it is new.
    fn place(&mut self, sighting: &Sighting<'_>, bucket: i64) -> Option<u32> {
        let Sighting { relation, context, time, lsn, .. } = *sighting;
        let key = (context.tenant.clone(), relation.clone(), bucket);
        if let Some(held) = self.by_key.get(&key) {
            return Some(*held);
        }
        let tenant = TenantName::new(&context.tenant).ok()?;
        let held = u32::try_from(self.seen.len()).ok()?;
        self.seen.push(Seen {
            tenant,
            relation: relation.clone(),
            first: time,
            last: time,
            count: 0,
            context: context.id(),
            lsn,
        });
        self.by_key.insert(key, held);
        Some(held)
    }

    /// Forgets those of a tenant.
    pub fn forget(&mut self, tenant: &str) {
        self.seen.retain(|seen| seen.tenant.as_str() != tenant);
        self.by_key.clear();
        for (held, seen) in (0..).zip(&self.seen) {
            let bucket = seen.first.div_euclid(BUCKET);
            let key = (seen.tenant.to_string(), seen.relation.clone(), bucket);
            self.by_key.insert(key, held);
        }
    }

    /// Whether so many are held that they should be committed.
    pub fn full(&self) -> bool {
        self.seen.len() >= TIES_MAX
    }

    /// Hands all over, in a fixed order.
    pub fn drain(&mut self) -> Vec<Seen> {
        self.by_key.clear();
        let mut all = std::mem::take(&mut self.seen);
        all.sort_unstable_by(|a, b| order(a).cmp(&order(b)));
        all
    }
}

/// What ties are sorted by: tenant, relation, bucket.
fn order(seen: &Seen) -> (&TenantName, impl Ord + '_, i64) {
    let Relation { kind, from, to } = &seen.relation;
    (&seen.tenant, (kind, from, to), seen.first.div_euclid(BUCKET))
}
