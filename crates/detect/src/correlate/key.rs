//! One group of one rule: its open window and its findings that may still grow.

use super::open::{Open, SampleRef};
use super::periodic::CONTACT_GAP;
use super::plan::{CorrelationPlan, Join};
use super::window::{self, Decision, Entry};
use serde::{Deserialize, Serialize};
use yagura_event::Micros;
use yagura_event::finding::FINDING_SAMPLES_MAX;

/// Events of findings that are kept to know a repeat; a repeat of an older one counts again.
const TAKEN_MAX: usize = 256;

/// Fixed memory of a group beside its entries and findings, in bytes.
const KEY_BYTES: usize = 256;

/// State of one group.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Key {
    /// Group-by fields and values.
    pub values: Vec<(String, String)>,
    /// Ascending by (time, event, slot, value).
    pub entries: Vec<Entry>,
    pub open: Vec<Open>,
    /// Newest time seen.
    pub newest: Micros,
    /// [`Key::bytes`] when it was last counted.
    pub size: usize,
}

/// One event on its way into a window.
pub(super) struct Item<'a> {
    pub time: Micros,
    pub event: u128,
    pub slot: u16,
    pub value: u64,
    pub samples: &'a [SampleRef],
    /// The burst of another correlation: its time moves with its last event.
    pub burst: bool,
}

/// What an event did to its group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// It was seen before.
    Repeat,
    /// It waits for others.
    Waits,
    /// It belongs to the finding at this position.
    Extended(usize),
    /// It completed a window; the finding is at this position.
    Fired(usize),
}

impl Key {
    pub fn new(values: Vec<(String, String)>) -> Self {
        Self { values, newest: Micros::MIN, ..Self::default() }
    }

    /// Takes an event in. `id` makes a finding's id from the deciding event. The second value
    /// is how many events were dropped because the group holds too many.
    pub fn accept(
        &mut self,
        plan: &CorrelationPlan,
        item: &Item<'_>,
        id: impl Fn(u128) -> u128,
    ) -> (Outcome, u64) {
        if let Some(outcome) = self.known(plan, item) {
            return (outcome, 0);
        }
        self.newest = self.newest.max(item.time);
        if let Some(at) = self.open.iter().position(|open| open.contains(item.time)) {
            self.open[at].add(item.time, 1, item.samples);
            self.insert(plan, item, true);
            return (Outcome::Extended(at), self.trim(plan));
        }
        if matches!(plan.join, Join::Periodic(_)) && self.same_contact(item.time) {
            return (Outcome::Waits, 0);
        }
        self.insert(plan, item, false);
        let outcome = match window::decide(plan, &self.entries, item.time) {
            Some(decision) => self.fire(plan, decision, id),
            None => Outcome::Waits,
        };
        (outcome, self.trim(plan))
    }

    /// Recognises a repeat. A burst that is known moves on to its new time.
    fn known(&mut self, plan: &CorrelationPlan, item: &Item<'_>) -> Option<Outcome> {
        let counts = matches!(plan.join, Join::Count(_) | Join::Periodic(_));
        let same =
            |entry: &Entry| entry.event == item.event && (counts || entry.value == item.value);
        if !item.burst {
            let from = self.entries.partition_point(|entry| entry.time < item.time);
            let mut alike = self.entries[from..].iter().take_while(|e| e.time == item.time);
            return alike.any(same).then_some(Outcome::Repeat);
        }
        let at = self.entries.iter().position(same)?;
        if self.entries[at].time >= item.time {
            return Some(Outcome::Repeat);
        }
        let entry = self.entries.remove(at);
        if !entry.taken {
            return None;
        }
        // The finding that holds the burst lasts as long as it, without counting it again.
        self.insert(plan, item, true);
        self.newest = self.newest.max(item.time);
        let at = self.open.iter().position(|open| open.contains(entry.time));
        let Some(open) = at.and_then(|at| self.open.get_mut(at)) else {
            return Some(Outcome::Repeat);
        };
        if item.time <= open.end() && item.time > open.last {
            open.last = item.time;
            open.changed = true;
        }
        at.map(Outcome::Extended)
    }

    fn same_contact(&self, time: Micros) -> bool {
        let from = self.entries.partition_point(|e| e.time <= time.saturating_sub(CONTACT_GAP));
        self.entries.get(from).is_some_and(|e| e.time < time.saturating_add(CONTACT_GAP))
    }

    fn insert(&mut self, plan: &CorrelationPlan, item: &Item<'_>, taken: bool) {
        let entry = Entry {
            time: item.time,
            event: item.event,
            slot: item.slot,
            value: item.value,
            weight: 1,
            taken,
            samples: if taken { Vec::new() } else { item.samples.to_vec() },
        };
        let order = |e: &Entry| (e.time, e.event, e.slot, e.value);
        let at = self.entries.partition_point(|e| order(e) < order(&entry));
        self.entries.insert(at, entry);
        if !taken {
            self.shed_samples(plan, item.slot);
        }
    }

    /// Keeps the newest samples, so many per referred rule that each has its share: in a
    /// temporal window one noisy rule must not displace the proof of another.
    fn shed_samples(&mut self, plan: &CorrelationPlan, slot: u16) {
        let slots = match plan.join {
            Join::Temporal(_) | Join::Ordered => plan.refers.len().max(1),
            _ => 1,
        };
        let share = (FINDING_SAMPLES_MAX / slots).max(1);
        let mut held = self
            .entries
            .iter_mut()
            .filter(|e| !e.samples.is_empty() && (slots == 1 || e.slot == slot));
        let Some(oldest) = held.next() else { return };
        if held.count() >= share {
            oldest.samples = Vec::new();
        }
    }

    /// Turns a complete window into a finding. Where it ends so shortly before a finding that
    /// in order of time that one would have extended it, it joins that one instead: one burst
    /// fires once, in whatever order its events come.
    fn fire(
        &mut self,
        plan: &CorrelationPlan,
        decision: Decision,
        id: impl Fn(u128) -> u128,
    ) -> Outcome {
        let start = decision.time.saturating_sub(plan.timespan);
        let reach = decision.time.saturating_add(plan.timespan);
        let touched =
            self.open.iter().position(|open| decision.time <= open.first && open.first <= reach);
        if let Some(at) = touched {
            self.open[at].start = start.min(self.open[at].start);
            self.absorb(at);
            return Outcome::Extended(at);
        }
        let from = self.entries.partition_point(|entry| entry.time < start);
        let first = self.entries[from..].iter().find(|entry| !entry.taken);
        let limit = first
            .map_or(decision.time, |entry| entry.time)
            .saturating_add(plan.rule.suppress.max(plan.timespan));
        let id = id(decision.event);
        self.open.push(Open::new(id, start, limit, plan.timespan, decision.time));
        let at = self.open.len() - 1;
        self.absorb(at);
        Outcome::Fired(at)
    }

    /// Moves every entry that belongs to the finding into it.
    fn absorb(&mut self, at: usize) {
        let open = &mut self.open[at];
        let from = self.entries.partition_point(|entry| entry.time < open.start);
        for entry in &mut self.entries[from..] {
            if !entry.taken && open.contains(entry.time) {
                entry.taken = true;
                let samples = std::mem::take(&mut entry.samples);
                open.add(entry.time, entry.weight, &samples);
            }
        }
    }

    /// Holds the number of entries within bounds; returns how many that counted were dropped.
    fn trim(&mut self, plan: &CorrelationPlan) -> u64 {
        window::thin(plan.join, &mut self.entries, plan.timespan);
        let taken = self.entries.iter().filter(|entry| entry.taken).count();
        let free = self.entries.len() - taken;
        let lost = free.saturating_sub(window::entries_max(plan.join));
        let (mut old_taken, mut old_free) = (taken.saturating_sub(TAKEN_MAX), lost);
        if old_taken + old_free > 0 {
            self.entries.retain(|entry| {
                let left = if entry.taken { &mut old_taken } else { &mut old_free };
                let keep = *left == 0;
                *left = left.saturating_sub(1);
                keep
            });
        }
        lost as u64
    }

    /// Forgets what no event at or after `floor` can meet; returns the findings that ended.
    pub fn expire(&mut self, span: Micros, floor: Micros) -> Vec<Open> {
        self.entries.retain(|entry| entry.time.saturating_add(span) >= floor);
        let (kept, ended) = self.open.drain(..).partition(|open| open.end() >= floor);
        self.open = kept;
        ended
    }

    /// Memory, in bytes.
    pub fn bytes(&self) -> usize {
        let text: usize = self.values.iter().map(|(k, v)| k.len() + 2 * v.len() + 48).sum();
        let samples = |entry: &Entry| entry.samples.iter().map(|held| held.bytes).sum::<usize>();
        let entries: usize =
            self.entries.iter().map(|entry| size_of::<Entry>() + samples(entry)).sum();
        let open: usize = self.open.iter().map(Open::bytes).sum();
        KEY_BYTES + text + entries + open
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.open.is_empty()
    }
}
