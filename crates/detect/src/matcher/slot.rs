//! Where a rule's field finds its values: spans by name, columns by OCSF path, the record.

use super::scratch::{Cell, Scratch, Store};
use super::{HitPlace, Matcher};
use yagura_event::time;
use yagura_event::{ColumnId, ColumnType, EventRef, FieldId, Micros, Scalar, SpanType};

/// No group: no field of the table has the name.
pub(super) const NO_GROUP: u32 = u32::MAX;

/// Most values taken from one list column; lists are short, and the rest stays in the record.
const LIST_VALUES_MAX: usize = 256;

/// A field as rules of one kind name it.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// As written.
    pub name: String,
    /// The name's id in the field table.
    pub exact: FieldId,
    /// The group of names that differ in ASCII case only.
    pub group: u32,
    /// The column of that path.
    pub column: Option<ColumnId>,
    /// The column comes before spans: rules of the product `ocsf`.
    pub column_first: bool,
    /// The raw record and every value that does not stand in it verbatim.
    pub keywords: bool,
}

impl Matcher {
    /// The values of a slot as a range of [`Scratch::cell_ids`].
    pub(super) fn resolve(
        &self,
        slot: u32,
        event: &EventRef<'_>,
        scratch: &mut Scratch,
    ) -> (u32, u32) {
        let known = scratch.slots[slot as usize];
        if known.0 == scratch.generation {
            return (known.1, known.2);
        }
        let start = scratch.cell_ids.len() as u32;
        let meaning = &self.slots[slot as usize];
        if meaning.keywords {
            keyword_cells(event, scratch);
        } else {
            self.field_cells(meaning, event, scratch);
        }
        let range = (start, scratch.cell_ids.len() as u32);
        scratch.slots[slot as usize] = (scratch.generation, range.0, range.1);
        range
    }

    fn field_cells(&self, slot: &Slot, event: &EventRef<'_>, scratch: &mut Scratch) {
        let column = |scratch: &mut Scratch| match slot.column {
            Some(column) => self.column_cells(column, event, scratch),
            None => false,
        };
        if slot.column_first && column(scratch) {
            return;
        }
        if slot.group != NO_GROUP && scratch.groups[slot.group as usize].0 == scratch.generation {
            let (_, head, _) = scratch.groups[slot.group as usize];
            let spans = event.spans();
            for exact in [true, false] {
                let (mut at, mut any) = (head, false);
                while let Some(span) = spans.get(at as usize) {
                    if !exact || span.field == slot.exact {
                        scratch.push_span(event, at);
                        any = true;
                    }
                    at = scratch.next[at as usize];
                }
                if any {
                    return;
                }
            }
        }
        if !slot.column_first {
            column(scratch);
        }
    }

    /// Pushes the values of a column; false if the event has none.
    fn column_cells(&self, id: ColumnId, event: &EventRef<'_>, scratch: &mut Scratch) -> bool {
        let place = HitPlace::Column(id);
        if id.column().head {
            return self.head_cells(id, event, scratch);
        }
        match event.column(id) {
            None => false,
            Some(Scalar::Text(text)) => {
                scratch.push_cell(Cell::new(Store::Batch, text, SpanType::String, place));
                true
            }
            Some(Scalar::I64(value)) => {
                if id.column().kind == ColumnType::Time {
                    push_time(value, place, scratch);
                } else {
                    scratch.push_own(value.to_string().as_bytes(), SpanType::Number, place);
                }
                true
            }
            Some(Scalar::F64(value)) => {
                scratch.push_own(value.to_string().as_bytes(), SpanType::Number, place);
                true
            }
            Some(Scalar::Bool(value)) => {
                scratch.push_own(if value { b"true" } else { b"false" }, SpanType::Bool, place);
                true
            }
            Some(Scalar::Json(text)) => {
                let json = serde_json::from_slice(event.batch().bytes(text)).unwrap_or_default();
                let before = scratch.cell_ids.len();
                push_json(&json, place, before + LIST_VALUES_MAX, scratch);
                scratch.cell_ids.len() > before
            }
        }
    }

    /// Pushes the value of a column that stands in the event's head.
    fn head_cells(&self, id: ColumnId, event: &EventRef<'_>, scratch: &mut Scratch) -> bool {
        let place = HitPlace::Column(id);
        let head = event.event();
        let mut text = |text: &str| scratch.push_own(text.as_bytes(), SpanType::String, place);
        match id {
            ColumnId::EVENT_ID => text(&head.id.to_string()),
            ColumnId::TENANT => text(&event.context().tenant),
            ColumnId::FEED => text(&event.context().feed),
            ColumnId::SOURCE => match self.sources.get(usize::from(head.source)) {
                Some(name) => text(name),
                None => return false,
            },
            ColumnId::TIME => push_time(head.time, place, scratch),
            ColumnId::RECEIVED_TIME => push_time(head.received_time, place, scratch),
            ColumnId::CLASS_UID => {
                scratch.push_own(head.class.0.to_string().as_bytes(), SpanType::Number, place);
            }
            ColumnId::RAW_DATA => {
                scratch.push_cell(Cell::new(
                    Store::Batch,
                    head.raw,
                    SpanType::String,
                    HitPlace::Raw,
                ));
            }
            _ => return false,
        }
        true
    }
}

/// A time's text is its milliseconds, as in the JSON form.
fn push_time(value: Micros, place: HitPlace, scratch: &mut Scratch) {
    let text = (value / (time::SECOND / 1000)).to_string();
    scratch.push_own(text.as_bytes(), SpanType::Number, place);
    scratch.set_time(value);
}

/// Pushes every scalar within `value`, up to `most` cells in all.
fn push_json(value: &serde_json::Value, place: HitPlace, most: usize, scratch: &mut Scratch) {
    if scratch.cell_ids.len() >= most {
        return;
    }
    match value {
        serde_json::Value::Null => {}
        serde_json::Value::Bool(truth) => {
            scratch.push_own(if *truth { b"true" } else { b"false" }, SpanType::Bool, place);
        }
        serde_json::Value::Number(number) => {
            scratch.push_own(number.to_string().as_bytes(), SpanType::Number, place);
        }
        serde_json::Value::String(text) => {
            scratch.push_own(text.as_bytes(), SpanType::String, place)
        }
        serde_json::Value::Array(all) => {
            all.iter().for_each(|v| push_json(v, place, most, scratch))
        }
        serde_json::Value::Object(all) => {
            all.values().for_each(|v| push_json(v, place, most, scratch))
        }
    }
}

/// The raw record, and the values of spans that were decoded or derived: those that stand in
/// the record as they are would be found there anyway.
fn keyword_cells(event: &EventRef<'_>, scratch: &mut Scratch) {
    let raw = event.event().raw;
    scratch.push_cell(Cell::new(Store::Batch, raw, SpanType::String, HitPlace::Raw));
    let whole = event.raw();
    for (at, span) in event.spans().iter().enumerate() {
        let end = span.raw.off as usize + span.raw.len as usize;
        let verbatim = span.raw.len == span.value.len
            && whole.get(span.raw.off as usize..end) == Some(event.span_value(span));
        // A value beyond the cut of the raw record is looked at by itself.
        let seen = end <= super::VALUE_BYTES_MAX;
        if !(verbatim && seen) && span.kind != SpanType::Null {
            scratch.push_span(event, at as u32);
        }
    }
}
