//! The matcher: which rules hit an event.
//!
//! [`Matcher::compile`] shares equal predicates as atoms, chooses for every rule a set of
//! literals one of which an event must show (its witness), and puts these into one automaton
//! a field. [`Matcher::matches`] scans an event's values once, evaluates only the rules whose
//! witness was seen, and each atom at most once.
//!
//! Invariants, held by the differential test against `naive`: a rule whose condition holds
//! is always a candidate, and evaluation order changes nothing.

mod atom;
mod build;
mod compile;
mod glob;
mod index;
mod literal;
mod memo;
mod route;
mod scratch;
mod slot;
mod witness;

#[cfg(test)]
pub(crate) use atom::refers;
pub use build::{FIELD_BYTES_MAX, HIT_FIELDS_MAX};
pub(crate) use compile::class_exists;
pub(crate) use route::OCSF;
pub use scratch::Scratch;
#[cfg(test)]
pub(crate) use scratch::cut;

use crate::rule::RuleIndex;
use atom::Atom;
use index::SlotIndex;
use route::Route;
use slot::Slot;
use yagura_event::{ClassUid, ColumnId, EventRef, FieldId, LogsourceId};

/// Longest part of a value that rules look at, in bytes; twice the longest Windows command
/// line. What stands behind it is not seen, and tests that reach a value's end (equality,
/// `endswith`) do not hold for a longer value.
pub const VALUE_BYTES_MAX: usize = 64 * 1024;

/// Rules bound to the fields, logsources and sources of one epoch.
#[derive(Debug)]
pub struct Matcher {
    serial: u64,
    slots: Vec<Slot>,
    /// What routes look for in slots.
    indexes: Vec<SlotIndex>,
    /// By [`FieldId`]: the group of names that differ in case only.
    groups: Vec<u32>,
    /// By group: its slots.
    group_slots: Vec<Vec<u32>>,
    atoms: Vec<Atom>,
    /// By [`RuleIndex`]; `None` for correlations and filters.
    programs: Vec<Option<Program>>,
    /// By logsource id.
    by_logsource: Vec<Route>,
    /// By class, rules of the product `ocsf`.
    by_class: Vec<(ClassUid, Route)>,
    /// Names of the sources, by their index.
    sources: Vec<String>,
}

/// A rule ready to run.
#[derive(Debug)]
struct Program {
    id: String,
    condition: Cond,
    /// Name of the key in correlations, and the slot that has its values.
    keys: Vec<(String, u32)>,
}

/// A condition over atoms.
#[derive(Clone, Debug)]
enum Cond {
    Atom(u32),
    And(Box<[Cond]>),
    Or(Box<[Cond]>),
    Not(Box<Cond>),
    AtLeast(usize, Box<[Cond]>),
}

/// A rule that an event fulfils.
#[derive(Clone, PartialEq, Debug)]
pub struct Hit {
    /// The rule.
    pub rule: RuleIndex,
    /// Fields that made it so, at most [`HIT_FIELDS_MAX`].
    pub fields: Vec<HitField>,
}

/// A field that made a rule match.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HitField {
    /// Name as written in the rule; `keywords` where it names none.
    pub name: String,
    /// Where the value is.
    pub place: HitPlace,
}

/// Where a value stands in an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HitPlace {
    /// Index into [`EventRef::spans`].
    Span(u32),
    /// A column.
    Column(ColumnId),
    /// The raw record.
    Raw,
    /// No value: the rule asks for its absence.
    Nowhere,
}

impl Matcher {
    /// Appends the rules that `event` fulfils to `out`, in the order of the rule set. Rules
    /// that only feed correlations are among them.
    ///
    /// The event must have been parsed with the field table and logsource table that the
    /// matcher was compiled for. Work is bounded by the number of spans and by
    /// [`VALUE_BYTES_MAX`] a value.
    pub fn matches(&self, event: EventRef<'_>, scratch: &mut Scratch, out: &mut Vec<Hit>) {
        self.matches_of(event, |_| true, scratch, out);
    }

    /// [`Matcher::matches`] of those rules only that are `wanted`; the conditions of others are
    /// not looked at.
    pub fn matches_of(
        &self,
        event: EventRef<'_>,
        wanted: impl Fn(RuleIndex) -> bool,
        scratch: &mut Scratch,
        out: &mut Vec<Hit>,
    ) {
        let (logsource, class) = self.routes(&event);
        if logsource.is_none() && class.is_none() {
            return;
        }
        scratch.begin(self, &event);
        let routes = [logsource, class];
        self.candidates(&event, &routes, scratch);
        let mut candidates = std::mem::take(&mut scratch.candidates);
        candidates.sort_unstable();
        for rule in candidates.iter().filter(|rule| wanted(RuleIndex(**rule))) {
            let Some(program) = &self.programs[*rule as usize] else { continue };
            if self.holds(&program.condition, &event, scratch) {
                let fields = self.hit_fields(&program.condition, &event, scratch);
                out.push(Hit { rule: RuleIndex(*rule), fields });
            }
        }
        scratch.candidates = candidates;
    }

    /// How many rules events of the logsource and class of `event` can meet.
    pub fn rules_met(&self, event: EventRef<'_>) -> usize {
        let (logsource, class) = self.routes(&event);
        logsource.map_or(0, Route::len) + class.map_or(0, Route::len)
    }

    /// Whether events of a logsource meet the rule. Rules of the product `ocsf` go by class
    /// and meet none by logsource.
    pub fn meets(&self, rule: RuleIndex, logsource: LogsourceId) -> bool {
        let route = self.by_logsource.get(usize::from(logsource.0));
        route.or_else(|| self.by_logsource.first()).is_some_and(|route| route.has(rule.0))
    }

    /// Whether events of a logsource and class meet any rule.
    pub fn meets_any(&self, logsource: LogsourceId, class: ClassUid) -> bool {
        let at = usize::from(logsource.0);
        let route = self.by_logsource.get(at).or_else(|| self.by_logsource.first());
        route.is_some_and(|route| route.len() > 0)
            || self.by_class.iter().any(|(uid, _)| *uid == class)
    }

    /// Distinct predicates, for the statistics.
    pub fn atom_count(&self) -> usize {
        self.atoms.len()
    }

    /// Rules that events of some logsource meet without any literal seen first.
    pub fn witnessless_count(&self) -> usize {
        let routes = self.by_logsource.iter().chain(self.by_class.iter().map(|(_, route)| route));
        let mut all: Vec<u32> = routes.flat_map(|route| route.always.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all.len()
    }

    fn routes(&self, event: &EventRef<'_>) -> (Option<&Route>, Option<&Route>) {
        let head = event.event();
        let at = usize::from(head.logsource.0);
        let logsource = self.by_logsource.get(at).or_else(|| self.by_logsource.first());
        let class =
            self.by_class.iter().find(|(uid, _)| *uid == head.class).map(|(_, route)| route);
        (logsource.filter(|route| route.len() > 0), class)
    }

    fn candidates(
        &self,
        event: &EventRef<'_>,
        routes: &[Option<&Route>; 2],
        scratch: &mut Scratch,
    ) {
        let touched = std::mem::take(&mut scratch.touched);
        for group in &touched {
            for slot in &self.group_slots[*group as usize] {
                for index in routes.iter().flatten().filter_map(|route| route.index(*slot)) {
                    self.scan(*slot, index, event, scratch);
                }
            }
        }
        scratch.touched = touched;
        for route in routes.iter().flatten() {
            for slot in &route.extra {
                if let Some(index) = route.index(*slot) {
                    self.scan(*slot, index, event, scratch);
                }
            }
            let generation = scratch.generation;
            for rule in &route.always {
                if scratch.rules[*rule as usize] != generation {
                    scratch.rules[*rule as usize] = generation;
                    scratch.candidates.push(*rule);
                }
            }
        }
    }

    /// Makes the rules whose literals stand in a slot's values candidates. A slot belongs to
    /// routes by logsource or to those by class, so one index at most is its own for an event.
    fn scan(&self, slot: u32, index_at: u32, event: &EventRef<'_>, scratch: &mut Scratch) {
        if scratch.scanned[slot as usize] == scratch.generation {
            return;
        }
        scratch.scanned[slot as usize] = scratch.generation;
        let index = &self.indexes[index_at as usize];
        let (start, end) = self.resolve(slot, event, scratch);
        if self.slots[slot as usize].keywords
            && index.is_gated()
            && !index.may_hold(scratch.fold_all(start, end, event))
        {
            return;
        }
        for at in start..end {
            let id = scratch.cell_ids[at as usize];
            let value = scratch.value(id, event);
            let key = memo::key(index_at, &value, &scratch.memo);
            let found = match scratch.memo.get(key) {
                Some(found) => found,
                None => {
                    scratch.fold(id, event);
                    let mut memo = std::mem::take(&mut scratch.memo);
                    let found =
                        memo.put(key, |rules| index.scan(&scratch.folded(id, event), rules));
                    scratch.memo = memo;
                    found
                }
            };
            for rule in scratch.memo.rules(found) {
                let stamp = &mut scratch.rules[*rule as usize];
                if *stamp != scratch.generation {
                    *stamp = scratch.generation;
                    scratch.candidates.push(*rule);
                }
            }
        }
    }

    fn holds(&self, condition: &Cond, event: &EventRef<'_>, scratch: &mut Scratch) -> bool {
        match condition {
            Cond::Atom(id) => self.atom(*id, event, scratch),
            Cond::And(parts) => parts.iter().all(|part| self.holds(part, event, scratch)),
            Cond::Or(parts) => parts.iter().any(|part| self.holds(part, event, scratch)),
            Cond::Not(part) => !self.holds(part, event, scratch),
            Cond::AtLeast(count, parts) => {
                let mut held = 0;
                parts.iter().any(|part| {
                    held += usize::from(self.holds(part, event, scratch));
                    held >= *count
                }) || *count == 0
            }
        }
    }

    /// The group of a field, if a rule names it.
    fn group_of(&self, field: FieldId) -> Option<u32> {
        self.groups.get(field.0 as usize).copied().filter(|group| *group != slot::NO_GROUP)
    }
}
