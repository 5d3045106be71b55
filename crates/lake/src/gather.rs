//! The memory tail, gathered by partition and sorted as data files hold it.
//!
//! Nothing is moved before its place is known: keys are sorted, and rows are then made of
//! events and matches in that order.

use crate::columns::Texts;
use crate::error::LakeError;
use crate::file::StoredCount;
use crate::match_rows::match_file_rows;
use crate::rows::{EventRows, day_of};
use crate::tail::{Content, EventTail, TailBatch};
use arrow::array::RecordBatch;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use yagura_event::time::{HOUR, Micros};
use yagura_event::{Event, Lsn, Match};

/// Rows of one partition that become one data file.
pub(crate) struct Gathered {
    /// Day of receipt, in days since 1970.
    pub day: i32,
    /// Bucket of the tenants.
    pub bucket: i32,
    /// Records (not sub-records) by tenant, feed and hour; for events only.
    pub counts: Vec<StoredCount>,
    /// The rows, sorted, with the columns that hold a value, without partition columns.
    pub rows: RecordBatch,
}

/// [`crate::TableKind::sort_columns`] of a row, and where it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// Place of the tenant among those of the flush.
    tenant: u32,
    /// Events: class. Matches: place of the rule among those of the flush.
    second: u32,
    /// Events: place of the source among those of the flush.
    source: u32,
    time: Micros,
    lsn: Lsn,
    sub: u32,
    batch: u32,
    at: u32,
}

/// What becomes one data file.
pub(crate) struct Plan {
    day: i32,
    bucket: i32,
    counts: Vec<StoredCount>,
    keys: Vec<Key>,
}

/// As many files as there are partitions, more where one would stand for more than
/// `memory_bytes_max` of memory. Batches are of one table and in LSN order.
pub(crate) fn plan(batches: &[Arc<TailBatch>], memory_bytes_max: usize) -> Vec<Plan> {
    let mut files = Vec::new();
    let shares: Vec<usize> = batches.iter().map(|b| b.bytes / b.row_count().max(1) + 1).collect();
    for ((day, bucket), keys) in partitions(batches) {
        for mut keys in split(keys, &shares, memory_bytes_max) {
            let counts = count(batches, &keys);
            keys.sort_unstable();
            files.push(Plan { day, bucket, counts, keys });
        }
    }
    files
}

impl Plan {
    /// Makes the rows.
    ///
    /// # Errors
    /// [`LakeError::Arrow`] where columns do not fit together, which would be a defect.
    pub(crate) fn gather(self, batches: &[Arc<TailBatch>]) -> Result<Gathered, LakeError> {
        let Self { day, bucket, counts, keys } = self;
        let mut sources: Vec<Option<(&EventTail, Texts<'_>)>> = vec![None; batches.len()];
        let mut matches: Vec<&(Lsn, Match)> = Vec::new();
        let raw = keys.iter().filter_map(|key| event_at(batches, key));
        let raw_bytes = raw.map(|event| event.raw.len as usize).sum();
        let mut events = EventRows::with_capacity(keys.len(), raw_bytes);
        for key in &keys {
            let Some(batch) = batches.get(key.batch as usize) else { continue };
            match &batch.content {
                Content::Events { events: tail, .. } => {
                    let slot = &mut sources[key.batch as usize];
                    let (tail, texts) = slot.get_or_insert_with(|| (tail, Texts::of(&tail.batch)));
                    events.push(tail, *texts, key.at as usize);
                }
                Content::Matches { matches: tail, .. } => {
                    matches.extend(tail.list.get(key.at as usize));
                }
            }
        }
        let rows = match matches.is_empty() {
            true => events.finish(None)?,
            false => match_file_rows(&matches)?,
        };
        Ok(Gathered { day, bucket, counts, rows })
    }
}

/// The keys of all rows by partition, in LSN order.
fn partitions(batches: &[Arc<TailBatch>]) -> BTreeMap<(i32, i32), Vec<Key>> {
    let [tenants, rules, sources] =
        [Which::Tenant, Which::Rule, Which::Source].map(|which| ranks(batches, which));
    let mut parts: BTreeMap<(i32, i32), Vec<Key>> = BTreeMap::new();
    for (number, batch) in batches.iter().enumerate() {
        let number = number as u32;
        match &batch.content {
            Content::Events { events, from } => {
                let of = |c: &Arc<yagura_event::Context>| rank(&tenants, &c.tenant);
                let places: Vec<u32> = events.batch.contexts.iter().map(of).collect();
                let names = &events.names.sources;
                let from_source: Vec<u32> = names.iter().map(|s| rank(&sources, s)).collect();
                for (at, event) in events.batch.events.iter().enumerate().skip(*from) {
                    let context = event.context as usize;
                    let bucket = events.contexts.get(context).map_or(0, |names| names.bucket);
                    let tenant = places.get(context).copied().unwrap_or_default();
                    let source = from_source.get(usize::from(event.source)).copied();
                    let ranks = (tenant, source.unwrap_or(UNRECOGNISED));
                    let key = event_key(event, ranks, (number, at as u32));
                    parts.entry((day_of(event.received_time), bucket)).or_default().push(key);
                }
            }
            Content::Matches { matches, from } => {
                let all = matches.list.iter().zip(&matches.buckets);
                for (at, ((lsn, found), bucket)) in all.enumerate().skip(*from) {
                    let tenant = rank(&tenants, &found.tenant);
                    let second = rank(&rules, &found.rule);
                    let (time, at) = (found.time, at as u32);
                    let (source, sub, lsn) = (0, 0, *lsn);
                    let key = Key { tenant, second, source, time, lsn, sub, batch: number, at };
                    parts.entry((day_of(found.received_time), *bucket)).or_default().push(key);
                }
            }
        }
    }
    parts
}

/// Place of records of no source: behind those of any, as nulls are.
const UNRECOGNISED: u32 = u32::MAX;

fn event_key(event: &Event, (tenant, source): (u32, u32), (batch, at): (u32, u32)) -> Key {
    let second = event.class.0;
    let (lsn, sub) = (event.id.lsn(), event.id.0 as u32);
    Key { tenant, second, source, time: event.time, lsn, sub, batch, at }
}

/// A text that rows are sorted by.
#[derive(Clone, Copy)]
enum Which {
    Tenant,
    Rule,
    Source,
}

/// Places in the order of the texts, so that sorting compares numbers.
fn ranks(batches: &[Arc<TailBatch>], which: Which) -> HashMap<&str, u32> {
    let mut texts: BTreeSet<&str> = BTreeSet::new();
    for batch in batches {
        match (&batch.content, which) {
            (Content::Events { events, .. }, Which::Tenant) => {
                texts.extend(events.batch.contexts.iter().map(|c| c.tenant.as_str()));
            }
            (Content::Events { events, .. }, Which::Source) => {
                texts.extend(events.names.sources.iter().map(String::as_str));
            }
            (Content::Events { .. }, Which::Rule) | (Content::Matches { .. }, Which::Source) => {}
            (Content::Matches { matches, .. }, Which::Tenant) => {
                texts.extend(matches.list.iter().map(|(_, found)| found.tenant.as_str()));
            }
            (Content::Matches { matches, .. }, Which::Rule) => {
                texts.extend(matches.list.iter().map(|(_, found)| found.rule.as_str()));
            }
        }
    }
    texts.into_iter().zip(0..).collect()
}

fn rank(ranks: &HashMap<&str, u32>, text: &str) -> u32 {
    ranks.get(text).copied().unwrap_or_default()
}

/// Cuts a partition's rows so that each part's share of its batches' memory stays within the
/// bound, `shares` being a row's by batch; a single record is never cut, since each part counts
/// its records.
fn split(keys: Vec<Key>, shares: &[usize], most: usize) -> Vec<Vec<Key>> {
    let (mut parts, mut part, mut bytes) = (Vec::new(), Vec::<Key>::new(), 0usize);
    for key in keys {
        let more = shares.get(key.batch as usize).copied().unwrap_or_default();
        let begins = part.last().is_some_and(|last| last.lsn != key.lsn);
        if begins && bytes + more > most {
            parts.push(std::mem::take(&mut part));
            bytes = 0;
        }
        bytes += more;
        part.push(key);
    }
    parts.push(part);
    parts.retain(|part| !part.is_empty());
    parts
}

/// Records (not sub-records) of the tail by tenant, feed and hour of receipt, ascending.
pub(crate) fn tail_counts(batches: &[Arc<TailBatch>]) -> Vec<StoredCount> {
    let mut keys: Vec<Key> = partitions(batches).into_values().flatten().collect();
    keys.sort_unstable_by_key(|key| key.lsn);
    count(batches, &keys)
}

/// Records of events. Sub-records of a record stand next to each other, since keys are in LSN
/// order here, and count once.
fn count(batches: &[Arc<TailBatch>], keys: &[Key]) -> Vec<StoredCount> {
    let mut counts: HashMap<(u32, u32, Micros), u64> = HashMap::new();
    let mut last = None;
    let mut run: Option<((u32, u32, Micros), u64)> = None;
    for key in keys {
        if last.replace(key.lsn) == Some(key.lsn) {
            continue;
        }
        let Some(event) = event_at(batches, key) else { continue };
        let hour = event.received_time.div_euclid(HOUR) * HOUR;
        let of = (key.batch, event.context, hour);
        match &mut run {
            Some((same, records)) if *same == of => *records += 1,
            other => {
                if let Some((done, records)) = other.replace((of, 1)) {
                    *counts.entry(done).or_default() += records;
                }
            }
        }
    }
    if let Some((done, records)) = run {
        *counts.entry(done).or_default() += records;
    }
    let mut stored: BTreeMap<(&str, &str, Micros), u64> = BTreeMap::new();
    for ((batch, context, hour), records) in counts {
        let Some(Content::Events { events, .. }) =
            batches.get(batch as usize).map(|batch| &batch.content)
        else {
            continue;
        };
        if let Some(context) = events.batch.contexts.get(context as usize) {
            *stored.entry((&context.tenant, &context.feed, hour)).or_default() += records;
        }
    }
    let stored = stored.into_iter();
    stored.map(|((tenant, feed, hour), n)| StoredCount::new(tenant, feed, hour, n)).collect()
}

fn event_at<'a>(batches: &'a [Arc<TailBatch>], key: &Key) -> Option<&'a Event> {
    match &batches.get(key.batch as usize)?.content {
        Content::Events { events, .. } => events.batch.events.get(key.at as usize),
        Content::Matches { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_begins_with_a_record_and_never_within_one() {
        let key = |lsn: u64, sub: u32| Key {
            tenant: 0,
            second: 0,
            source: 0,
            time: 0,
            lsn: Lsn(lsn),
            sub,
            batch: 0,
            at: 0,
        };
        let keys = [(1, 0), (1, 1), (1, 2), (2, 0), (3, 0), (3, 1)].map(|(lsn, sub)| key(lsn, sub));
        let parts = split(keys.to_vec(), &[1], 1);
        let lsns: Vec<Vec<u64>> =
            parts.iter().map(|part| part.iter().map(|key| key.lsn.0).collect()).collect();
        assert_eq!(lsns, [vec![1, 1, 1], vec![2], vec![3, 3]]);
        assert_eq!(split(keys.to_vec(), &[1], 6).len(), 1);
    }
}
