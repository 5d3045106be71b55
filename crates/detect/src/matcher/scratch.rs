//! Working memory of one matching thread, reused from event to event.

use super::memo::Memo;
use super::{HitPlace, Matcher, VALUE_BYTES_MAX};
use crate::ir::{Value, fold_into};
use yagura_event::batch::Text;
use yagura_event::{EventRef, Micros, SpanType};

/// Folded text above which the memory is given back after an event.
const KEEP_BYTES_MAX: usize = 1024 * 1024;

/// Not folded yet.
const NOT_FOLDED: (u32, u32) = (u32::MAX, 0);

/// Working memory of one thread. It belongs to no matcher: it adapts to whichever uses it.
///
/// Everything is stamped with a generation, so that nothing has to be cleared per event.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) generation: u32,
    /// Matcher the tables below are sized for.
    owner: u64,
    /// By group: generation, first and last span.
    pub(super) groups: Vec<(u32, u32, u32)>,
    /// Groups that the event has.
    pub(super) touched: Vec<u32>,
    /// By span: the next one of the same group.
    pub(super) next: Vec<u32>,
    /// By slot: generation and range in `cell_ids`.
    pub(super) slots: Vec<(u32, u32, u32)>,
    /// By slot: generation in which its literals were looked for.
    pub(super) scanned: Vec<u32>,
    /// By rule: generation in which it became a candidate.
    pub(super) rules: Vec<u32>,
    /// Rules to be evaluated.
    pub(super) candidates: Vec<u32>,
    /// By atom: generation times two, plus the result.
    pub(super) atoms: Vec<u32>,
    /// Cells of the slots.
    pub(super) cell_ids: Vec<u32>,
    /// Rules of values seen before.
    pub(super) memo: Memo,
    cells: Vec<Cell>,
    /// By span: generation and its cell.
    span_cells: Vec<(u32, u32)>,
    own: Vec<u8>,
    folded: Vec<u8>,
}

/// Which arena a cell's text is in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Store {
    /// The batch's.
    Batch,
    /// The scratch's own.
    Own,
}

/// One value of the event at hand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    store: Store,
    text: Text,
    kind: SpanType,
    time: Option<Micros>,
    folded: (u32, u32),
    /// Where it came from.
    pub place: HitPlace,
}

impl Cell {
    /// A value that is not folded and no time.
    pub fn new(store: Store, text: Text, kind: SpanType, place: HitPlace) -> Self {
        Self { store, text, kind, time: None, folded: NOT_FOLDED, place }
    }
}

impl Scratch {
    /// Empty working memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins an event: new generation, tables of the matcher's size, spans by group.
    pub(super) fn begin(&mut self, matcher: &Matcher, event: &EventRef<'_>) {
        if self.owner != matcher.serial || self.generation >= u32::MAX / 2 - 1 {
            *self = Self { owner: matcher.serial, ..Self::default() };
            self.groups = vec![(0, 0, 0); matcher.group_slots.len()];
            self.slots = vec![(0, 0, 0); matcher.slots.len()];
            self.scanned = vec![0; matcher.slots.len()];
            self.rules = vec![0; matcher.programs.len()];
            self.atoms = vec![0; matcher.atoms.len()];
        }
        self.generation += 1;
        self.touched.clear();
        self.candidates.clear();
        self.cell_ids.clear();
        self.cells.clear();
        for arena in [&mut self.own, &mut self.folded] {
            arena.clear();
            arena.shrink_to(KEEP_BYTES_MAX);
        }
        let spans = event.spans();
        if self.next.len() < spans.len() {
            self.next.resize(spans.len(), u32::MAX);
            self.span_cells.resize(spans.len(), (0, 0));
        }
        for (at, span) in spans.iter().enumerate() {
            let Some(group) = matcher.group_of(span.field) else { continue };
            let at = at as u32;
            self.next[at as usize] = u32::MAX;
            let entry = &mut self.groups[group as usize];
            if entry.0 == self.generation {
                self.next[entry.2 as usize] = at;
                entry.2 = at;
            } else {
                *entry = (self.generation, at, at);
                self.touched.push(group);
            }
        }
    }

    /// Adds a span's value to the slot being resolved.
    pub(super) fn push_span(&mut self, event: &EventRef<'_>, at: u32) {
        let Some(span) = event.spans().get(at as usize) else { return };
        let known = self.span_cells[at as usize];
        if known.0 == self.generation {
            self.cell_ids.push(known.1);
            return;
        }
        self.span_cells[at as usize] = (self.generation, self.cells.len() as u32);
        self.push_cell(Cell::new(Store::Batch, span.value, span.kind, HitPlace::Span(at)));
    }

    /// Adds a value to the slot being resolved.
    pub(super) fn push_cell(&mut self, cell: Cell) {
        self.cell_ids.push(self.cells.len() as u32);
        self.cells.push(cell);
    }

    /// Adds a value that is in no arena yet.
    pub(super) fn push_own(&mut self, text: &[u8], kind: SpanType, place: HitPlace) {
        let range = Text { off: self.own.len() as u32, len: text.len() as u32 };
        self.own.extend_from_slice(text);
        self.push_cell(Cell::new(Store::Own, range, kind, place));
    }

    /// Makes the value added last a time.
    pub(super) fn set_time(&mut self, time: Micros) {
        if let Some(cell) = self.cells.last_mut() {
            cell.time = Some(time);
        }
    }

    /// A cell.
    pub(super) fn cell(&self, id: u32) -> &Cell {
        &self.cells[id as usize]
    }

    /// A cell's value as it is.
    pub(super) fn value<'a>(&'a self, id: u32, event: &EventRef<'a>) -> Value<'a> {
        let cell = &self.cells[id as usize];
        let whole = match cell.store {
            Store::Batch => event.batch().bytes(cell.text),
            Store::Own => {
                let start = cell.text.off as usize;
                self.own.get(start..start + cell.text.len as usize).unwrap_or_default()
            }
        };
        let text = cut(whole);
        Value { text, kind: cell.kind, cut: text.len() < whole.len(), time: cell.time }
    }

    /// Makes sure that a cell is folded.
    pub(super) fn fold(&mut self, id: u32, event: &EventRef<'_>) {
        if self.cells[id as usize].folded != NOT_FOLDED {
            return;
        }
        let mut folded = std::mem::take(&mut self.folded);
        let start = folded.len() as u32;
        fold_into(self.value(id, event).text, &mut folded);
        self.cells[id as usize].folded = (start, folded.len() as u32);
        self.folded = folded;
    }

    /// Folds the cells of a range and gives a text that has all of theirs in it, among others.
    pub(super) fn fold_all(&mut self, start: u32, end: u32, event: &EventRef<'_>) -> &[u8] {
        let (mut from, mut to) = (u32::MAX, 0);
        for at in start..end {
            let id = self.cell_ids[at as usize];
            self.fold(id, event);
            let (first, last) = self.cells[id as usize].folded;
            (from, to) = (from.min(first), to.max(last));
        }
        self.folded.get(from as usize..to as usize).unwrap_or_default()
    }

    /// A cell's value folded; [`Scratch::fold`] comes first.
    pub(super) fn folded<'a>(&'a self, id: u32, event: &EventRef<'a>) -> Value<'a> {
        let (start, end) = self.cells[id as usize].folded;
        let text = self.folded.get(start as usize..end as usize).unwrap_or_default();
        Value { text, ..self.value(id, event) }
    }
}

/// The first [`VALUE_BYTES_MAX`] bytes, less a character that would be split.
pub(crate) fn cut(text: &[u8]) -> &[u8] {
    if text.len() <= VALUE_BYTES_MAX {
        return text;
    }
    let mut end = VALUE_BYTES_MAX;
    while end > VALUE_BYTES_MAX - 3 && text[end] & 0xc0 == 0x80 {
        end -= 1;
    }
    &text[..end]
}
