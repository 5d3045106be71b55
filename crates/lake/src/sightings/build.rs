//! Sightings of the rows of events.

use super::values::{COLUMNS_SIGHTED, KindPlace, listed, sighted, word};
use crate::columns::times;
use crate::error::LakeError;
use crate::schema::{TENANT, TableKind};
use arrow::array::{
    Array, AsArray, Int64Builder, ListArray, RecordBatch, StringArray, StringBuilder,
};
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use yagura_event::time::Micros;
use yagura_event::{Lsn, ObservableKind};

/// How often a value was seen in events of one tenant and source, and when.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Sighting {
    pub kind: KindPlace,
    pub value: String,
    pub tenant: Arc<str>,
    pub source: Arc<str>,
    pub count: i64,
    pub first: Micros,
    pub last: Micros,
}

/// Sightings under construction.
#[derive(Default)]
pub(crate) struct SightingsBuilder {
    done: Vec<Sighting>,
}

impl SightingsBuilder {
    /// Adds what rows of events above `after` say.
    pub(crate) fn add(&mut self, rows: &RecordBatch, after: Lsn) {
        let Some(time) = rows.column_by_name("time") else { return };
        let time = time.as_primitive::<TimestampMicrosecondType>();
        let lsn = rows.column_by_name("lsn").map(|lsn| lsn.as_primitive::<Int64Type>());
        let groups = Groups::of(rows);
        let mut columns = columns(rows);
        let mut all = All::default();
        for row in 0..rows.num_rows() {
            let above = lsn.is_none_or(|lsn| lsn.value(row).cast_unsigned() > after.0);
            let Some(group) = groups.of_row.get(row).filter(|_| above && time.is_valid(row)) else {
                continue;
            };
            let now = Now { row, group: *group, time: time.value(row) };
            columns.iter_mut().for_each(|column| column.note(now, &mut all));
        }
        self.done.extend(all.finish(&groups));
    }

    /// The sightings, sorted, each value of a tenant and source once.
    pub(crate) fn finish(mut self) -> Vec<Sighting> {
        self.done.sort_unstable();
        self.done.dedup_by(|next, kept| {
            let same = kept.same(next);
            if same {
                kept.add(next);
            }
            same
        });
        self.done
    }
}

impl Sighting {
    /// Whether they are of one value, tenant and source.
    pub(crate) fn same(&self, other: &Self) -> bool {
        (self.kind, &self.value, &self.tenant, &self.source)
            == (other.kind, &other.value, &other.tenant, &other.source)
    }

    /// Adds what another says of the same.
    pub(crate) fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// The row that is gone through.
#[derive(Clone, Copy)]
struct Now {
    row: usize,
    group: u32,
    time: Micros,
}

/// Tenant and source of rows, by number.
struct Groups {
    names: Vec<(Arc<str>, Arc<str>)>,
    of_row: Vec<u32>,
}

impl Groups {
    fn of(rows: &RecordBatch) -> Self {
        let text = |name| rows.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
        let (tenants, sources) = (text(TENANT), text("source"));
        let value = |column: Option<&'_ StringArray>, row: usize| -> Arc<str> {
            column.filter(|c| c.is_valid(row)).map_or("", |c| c.value(row)).into()
        };
        let mut names: Vec<(Arc<str>, Arc<str>)> = Vec::new();
        let mut numbers: HashMap<(Arc<str>, Arc<str>), u32> = HashMap::new();
        let mut of_row: Vec<u32> = Vec::with_capacity(rows.num_rows());
        let same = |column: Option<&StringArray>, row: usize| {
            column.is_none_or(|c| {
                c.is_valid(row) == c.is_valid(row - 1)
                    && (c.is_null(row) || c.value(row) == c.value(row - 1))
            })
        };
        for row in 0..rows.num_rows() {
            let before = of_row.last().copied();
            if let Some(before) = before
                && same(tenants, row)
                && same(sources, row)
            {
                of_row.push(before);
                continue;
            }
            let name = (value(tenants, row), value(sources, row));
            let number = *numbers.entry(name.clone()).or_insert_with(|| {
                names.push(name);
                u32::try_from(names.len() - 1).unwrap_or(u32::MAX)
            });
            of_row.push(number);
        }
        Self { names, of_row }
    }
}

/// A value as it is looked up: kind, group, text.
type Key<'a> = (KindPlace, u32, Cow<'a, str>);

/// What was seen of one value.
struct Seen {
    count: i64,
    first: Micros,
    last: Micros,
    /// The last row it was in: an event counts once, however often it names it.
    row: usize,
}

/// What was seen of all values.
#[derive(Default)]
struct All<'a> {
    places: HashMap<Key<'a>, usize, ahash::RandomState>,
    seen: Vec<Seen>,
}

impl<'a> All<'a> {
    fn place(&mut self, key: Key<'a>, time: Micros) -> usize {
        let next = self.seen.len();
        let place = *self.places.entry(key).or_insert(next);
        if place == next {
            self.seen.push(Seen { count: 0, first: time, last: time, row: usize::MAX });
        }
        place
    }

    fn count(&mut self, place: usize, now: Now) {
        let Some(seen) = self.seen.get_mut(place).filter(|seen| seen.row != now.row) else {
            return;
        };
        seen.row = now.row;
        seen.count += 1;
        seen.first = seen.first.min(now.time);
        seen.last = seen.last.max(now.time);
    }

    fn finish(self, groups: &Groups) -> Vec<Sighting> {
        let Self { places, seen } = self;
        let sightings = places.into_iter().filter_map(|((kind, group, value), place)| {
            let (tenant, source) = groups.names.get(group as usize)?.clone();
            let Seen { count, first, last, .. } = seen.get(place)?;
            let (count, first, last) = (*count, *first, *last);
            Some(Sighting { kind, value: value.into_owned(), tenant, source, count, first, last })
        });
        sightings.collect()
    }
}

/// A column whose values are sighted.
enum Column<'a> {
    /// One text a row.
    Single {
        texts: &'a StringArray,
        kind: ObservableKind,
        /// Text and group of an earlier row, and where that is counted.
        before: Option<(&'a str, u32, Option<usize>)>,
    },
    /// A list of texts a row, or of objects with texts.
    List { list: &'a ListArray, texts: Vec<&'a StringArray> },
}

fn columns(rows: &RecordBatch) -> Vec<Column<'_>> {
    let column = |(name, kind): &(&str, ObservableKind)| {
        let column = rows.column_by_name(name).filter(|c| c.null_count() < c.len())?;
        if let Some(texts) = column.as_string_opt::<i32>() {
            return Some(Column::Single { texts, kind: *kind, before: None });
        }
        let list = column.as_list_opt::<i32>()?;
        let texts = match list.values().data_type() {
            DataType::Struct(_) => {
                let members = list.values().as_struct().columns().iter();
                members.filter_map(|member| member.as_string_opt::<i32>()).collect()
            }
            _ => list.values().as_string_opt::<i32>().into_iter().collect(),
        };
        Some(Column::List { list, texts })
    };
    COLUMNS_SIGHTED.iter().filter_map(column).collect()
}

impl<'a> Column<'a> {
    fn note(&mut self, now: Now, all: &mut All<'a>) {
        match self {
            Self::Single { texts, kind, before } => {
                if texts.is_null(now.row) {
                    return;
                }
                let texts: &'a StringArray = texts;
                let text = texts.value(now.row);
                let place = match before {
                    // Rows of a kind stand beside each other, and many of their values repeat.
                    Some((same, group, place)) if *same == text && *group == now.group => *place,
                    _ => {
                        let found = sighted(*kind, text);
                        let key = found.map(|(kind, value)| (kind, now.group, value));
                        let place = key.map(|key| all.place(key, now.time));
                        *before = Some((text, now.group, place));
                        place
                    }
                };
                if let Some(place) = place {
                    all.count(place, now);
                }
            }
            Self::List { list, texts } => {
                if list.is_null(now.row) {
                    return;
                }
                let offsets = list.value_offsets();
                let end = |at: usize| offsets.get(at).map_or(0, |offset| *offset as usize);
                for item in end(now.row)..end(now.row + 1) {
                    for texts in texts.iter() {
                        let texts: &'a StringArray = texts;
                        if texts.is_valid(item)
                            && let Some((kind, value)) = listed(texts.value(item))
                        {
                            let place = all.place((kind, now.group, value), now.time);
                            all.count(place, now);
                        }
                    }
                }
            }
        }
    }
}

/// The rows of sightings, which are sorted, as a data file holds them.
///
/// # Errors
/// [`LakeError::Arrow`] if the columns do not fit together, which would be a defect.
pub(crate) fn sighting_rows(sightings: &[Sighting]) -> Result<RecordBatch, LakeError> {
    let text = |value: &dyn Fn(&Sighting) -> &str| {
        let mut out = StringBuilder::new();
        sightings.iter().for_each(|s| out.append_value(value(s)));
        Arc::new(out.finish())
    };
    let time = |value: &dyn Fn(&Sighting) -> Micros| {
        let mut out = times(sightings.len());
        sightings.iter().for_each(|s| out.append_value(value(s)));
        Arc::new(out.finish())
    };
    let mut count = Int64Builder::with_capacity(sightings.len());
    sightings.iter().for_each(|s| count.append_value(s.count));
    let columns: Vec<arrow::array::ArrayRef> = vec![
        text(&|s| word(s.kind)),
        text(&|s| &s.value),
        text(&|s| &s.tenant),
        text(&|s| &s.source),
        Arc::new(count.finish()),
        time(&|s| s.first),
        time(&|s| s.last),
    ];
    Ok(RecordBatch::try_new(TableKind::Sightings.file_schema(), columns)?)
}
