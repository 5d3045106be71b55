//! The events of one group that may still be part of a window, and when a window is complete.

use super::open::SampleRef;
use super::periodic::{CONTACT_GAP, regular};
use super::plan::{CorrelationPlan, Join};
use ahash::AHashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use yagura_event::Micros;

/// Events kept per group beyond what the threshold needs; the oldest go first, counted.
/// Only the temporal kinds and `periodic` can reach it before they fire.
pub const ENTRIES_MAX: usize = 1_024;

/// Each time a group of `value_count` or `temporal` holds a multiple of this many events, it
/// drops those that no window needs.
const THIN_STEP: usize = 256;

/// One event of a window.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub time: Micros,
    pub event: u128,
    /// Which of the referred rules.
    pub slot: u16,
    /// What is counted distinct; for counts 0, for temporal kinds the slot.
    pub value: u64,
    /// Events it stands for: those thinned out are counted with a neighbour.
    pub weight: u32,
    /// Part of a finding already; kept to know a repeat.
    pub taken: bool,
    /// Proof, until newer events displace it or a finding takes it.
    pub samples: Vec<SampleRef>,
}

/// A complete window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Decision {
    /// Time of the deciding event, the window's last.
    pub time: Micros,
    /// The deciding event.
    pub event: u128,
}

/// Whether a window around `time` is complete: the earliest one, by its last event.
///
/// `entries` are ascending by (time, event, slot); taken ones do not count.
pub(super) fn decide(plan: &CorrelationPlan, entries: &[Entry], time: Micros) -> Option<Decision> {
    let least = match plan.join {
        Join::Count(least) | Join::Values(least) | Join::Temporal(least) => least,
        Join::Periodic(want) => want.min_count,
        Join::Ordered => 1,
    };
    if (entries.len() as u64) < least {
        return None;
    }
    let span = plan.timespan;
    let from = entries.partition_point(|e| e.time < time.saturating_sub(span));
    let to = entries.partition_point(|e| e.time <= time.saturating_add(span));
    let near: Vec<&Entry> = entries[from..to].iter().filter(|e| !e.taken).collect();
    let last = match plan.join {
        Join::Count(threshold) => counted(&near, span, threshold),
        Join::Values(threshold) | Join::Temporal(threshold) => distinct(&near, span, threshold),
        Join::Ordered => ordered(&near, span, plan.refers.len()),
        Join::Periodic(want) => {
            let end = near.last().map_or(time, |entry| entry.time);
            let mut times: Vec<Micros> = Vec::with_capacity(near.len());
            for at in near.iter().map(|e| e.time).filter(|at| end - at <= span) {
                if times.last().is_none_or(|last| at - last >= CONTACT_GAP) {
                    times.push(at);
                }
            }
            regular(&times, &want).then(|| near.len() - 1)
        }
    };
    last.map(|at| Decision { time: near[at].time, event: near[at].event })
}

fn counted(near: &[&Entry], span: Micros, threshold: u64) -> Option<usize> {
    let back = usize::try_from(threshold).ok()?.checked_sub(1)?;
    (back..near.len()).find(|at| near[*at].time - near[at - back].time <= span)
}

fn distinct(near: &[&Entry], span: Micros, threshold: u64) -> Option<usize> {
    let mut inside: AHashMap<u64, u32> = AHashMap::new();
    let mut first = 0;
    for (at, entry) in near.iter().enumerate() {
        *inside.entry(entry.value).or_default() += 1;
        while entry.time - near[first].time > span {
            let value = near[first].value;
            if let Some(count) = inside.get_mut(&value) {
                *count -= 1;
                if *count == 0 {
                    inside.remove(&value);
                }
            }
            first += 1;
        }
        if inside.len() as u64 >= threshold {
            return Some(at);
        }
    }
    None
}

/// The two latest starts of a chain up to some step, ending in different events.
#[derive(Clone, Copy, Default)]
struct Starts([Option<(Micros, u128)>; 2]);

impl Starts {
    fn put(&mut self, start: Micros, event: u128) {
        let better = |held: Option<(Micros, u128)>| held.is_none_or(|(time, _)| start > time);
        if self.0[0].is_some_and(|(_, same)| same == event) {
            if better(self.0[0]) {
                self.0[0] = Some((start, event));
            }
        } else if better(self.0[0]) {
            self.0[1] = self.0[0];
            self.0[0] = Some((start, event));
        } else if better(self.0[1]) {
            self.0[1] = Some((start, event));
        }
    }

    /// The latest start of a chain that does not end in `event`.
    fn before(&self, event: u128) -> Option<Micros> {
        self.0.iter().flatten().find(|(_, other)| *other != event).map(|(start, _)| *start)
    }
}

/// Finds slot 0, 1, ... in order of time within the span. Equal times count as ordered, since
/// many logs have seconds only; two neighbouring steps are never one event.
fn ordered(near: &[&Entry], span: Micros, steps: usize) -> Option<usize> {
    let mut by_step: Vec<usize> = (0..near.len()).collect();
    by_step.sort_by_key(|at| (near[*at].time, near[*at].slot, *at));
    let mut chains = vec![Starts::default(); steps];
    for at in by_step {
        let entry = near[at];
        let step = usize::from(entry.slot);
        let start = match step.checked_sub(1) {
            None => Some(entry.time),
            Some(before) => chains[before].before(entry.event),
        };
        let Some(start) = start else { continue };
        if step + 1 == steps && entry.time - start <= span {
            return Some(at);
        }
        chains[step].put(start, entry.event);
    }
    None
}

/// Most untaken entries a group keeps.
pub(super) fn entries_max(join: Join) -> usize {
    match join {
        Join::Count(threshold) | Join::Values(threshold) => {
            ENTRIES_MAX.max(usize::try_from(threshold).unwrap_or(usize::MAX).saturating_mul(4))
        }
        _ => ENTRIES_MAX,
    }
}

/// Drops what no window needs: of one value's events an earlier and a later one that lie
/// within the span make those between them redundant, since a window that holds one between
/// holds one of the two.
pub(super) fn thin(join: Join, entries: &mut Vec<Entry>, span: Micros) {
    if !matches!(join, Join::Values(_) | Join::Temporal(_))
        || !entries.len().is_multiple_of(THIN_STEP)
    {
        return;
    }
    let mut by_value: AHashMap<u64, Vec<usize>> = AHashMap::new();
    let mut gone: AHashMap<usize, usize> = AHashMap::new();
    for (at, entry) in entries.iter().enumerate().filter(|(_, e)| !e.taken) {
        let kept = by_value.entry(entry.value).or_default();
        if let [.., before, middle] = kept[..]
            && entry.time - entries[before].time <= span
        {
            gone.insert(middle, at);
            kept.pop();
        }
        kept.push(at);
    }
    let mut moved: Vec<(usize, usize)> = gone.into_iter().collect();
    moved.sort_unstable();
    // Ascending: a dropped event's weight travels on if its heir is dropped too.
    for (from, to) in &moved {
        let weight = std::mem::take(&mut entries[*from].weight);
        entries[*to].weight = entries[*to].weight.saturating_add(weight);
    }
    entries.retain(|entry| entry.weight > 0);
}

/// How far the untaken entries are towards firing, in thousandths.
pub(super) fn progress(plan: &CorrelationPlan, entries: &[Entry]) -> u64 {
    let free = entries.iter().filter(|entry| !entry.taken);
    let (have, want) = match plan.join {
        Join::Count(threshold) => (free.count() as u64, threshold),
        Join::Periodic(want) => (free.count() as u64, want.min_count),
        Join::Values(threshold) | Join::Temporal(threshold) => {
            (free.map(|entry| entry.value).collect::<BTreeSet<_>>().len() as u64, threshold)
        }
        Join::Ordered => {
            let slots: BTreeSet<u16> = free.map(|entry| entry.slot).collect();
            (slots.len() as u64, plan.refers.len() as u64)
        }
    };
    have.min(want) * 1_000 / want.max(1)
}
