//! Where rows are: the number of a file in a view and the row in it, so that rows that were found can
//! be read again without being looked for.

use crate::error::LakeError;
use crate::file::{FileEntry, GRANULE_ROWS};
use arrow::array::{Array, AsArray, Int32Array, Int64Array, RecordBatch};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Field, FieldRef, Int32Type, Int64Type, Schema, SchemaRef};
use parquet::arrow::RowNumber;
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Column: the file's number in the view; below zero a batch of the tail.
pub(crate) const FILE: &str = "place_file";

/// Column: the row's number in it.
pub(crate) const ROW: &str = "place_row";

/// The place of a row.
pub(crate) type Place = (i32, i64);

/// Rows by their places, ascending.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(BTreeMap<i32, Vec<i64>>);

impl Places {
    /// Those.
    pub fn new(places: impl Iterator<Item = Place>) -> Self {
        let mut all: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
        for (file, row) in places {
            all.entry(file).or_default().push(row);
        }
        all.values_mut().for_each(|rows| rows.sort_unstable());
        Self(all)
    }

    /// Those of a file; `None` where there is none.
    pub fn in_file(&self, number: usize, file: &FileEntry) -> Option<RowSelection> {
        let rows = self.0.get(&i32::try_from(number).ok()?)?;
        let total = usize::try_from(file.stats.records).ok()?;
        let mut ranges: Vec<Range<usize>> = Vec::with_capacity(rows.len());
        for row in rows.iter().filter_map(|row| usize::try_from(*row).ok()) {
            match ranges.last_mut() {
                Some(last) if last.end == row => last.end += 1,
                _ => ranges.push(row..row + 1),
            }
        }
        Some(RowSelection::from_consecutive_ranges(ranges.into_iter(), total))
    }

    /// Those of the rows of a batch of the tail.
    pub fn of_tail(&self, rows: &RecordBatch, at: usize) -> Result<RecordBatch, LakeError> {
        let none = Vec::new();
        let these = self.0.get(&tail_number(at)).unwrap_or(&none);
        Ok(take_record_batch(rows, &Int64Array::from(these.clone()))?)
    }
}

/// The number by which a batch of the tail goes.
fn tail_number(at: usize) -> i32 {
    i32::try_from(at).map_or(i32::MIN, |at| -1 - at)
}

/// The column of files.
pub(crate) fn file_field() -> FieldRef {
    Arc::new(Field::new(FILE, DataType::Int32, true))
}

/// The column of rows, which the reader of data files counts itself.
pub(crate) fn row_field() -> FieldRef {
    Arc::new(Field::new(ROW, DataType::Int64, false).with_extension_type(RowNumber))
}

/// The schema with both columns behind it.
pub(crate) fn placed(schema: &SchemaRef) -> SchemaRef {
    let own = schema.fields().iter().cloned();
    Arc::new(Schema::new(own.chain([file_field(), row_field()]).collect::<Vec<_>>()))
}

/// The rows of batch `at` of the tail with both columns.
///
/// # Errors
/// [`LakeError::Arrow`] if the columns do not fit together, which would be a defect.
pub(crate) fn in_tail(rows: &RecordBatch, at: usize) -> Result<RecordBatch, LakeError> {
    let count = rows.num_rows();
    let files = Int32Array::from(vec![tail_number(at); count]);
    let numbers: Int64Array = (0..count as i64).collect();
    let mut columns = rows.columns().to_vec();
    columns.push(Arc::new(files));
    columns.push(Arc::new(numbers));
    Ok(RecordBatch::try_new(placed(&rows.schema()), columns)?)
}

/// The places of rows that have both columns; `None` for a row that has none, which would be a
/// defect.
pub(crate) fn places(rows: &RecordBatch) -> Option<Vec<Place>> {
    let files = rows.column_by_name(FILE)?.as_primitive_opt::<Int32Type>()?;
    let numbers = rows.column_by_name(ROW)?.as_primitive_opt::<Int64Type>()?;
    let whole = files.null_count() == 0 && numbers.null_count() == 0;
    whole.then(|| files.values().iter().copied().zip(numbers.values().iter().copied()).collect())
}

/// The chosen rows in at most `parts` parts of about as many, in their order; each is a choice among
/// all rows. Few rows are one part.
pub(crate) fn split(rows: RowSelection, parts: usize) -> Vec<RowSelection> {
    let chosen = rows.row_count();
    let parts = parts.min(chosen / GRANULE_ROWS).max(1);
    if parts == 1 {
        return vec![rows];
    }
    let most = chosen.div_ceil(parts);
    let selectors: Vec<RowSelector> = rows.into();
    let mut all: Vec<Vec<RowSelector>> = vec![Vec::new(); parts];
    let mut done = 0;
    for selector in selectors {
        if selector.skip {
            all.iter_mut().for_each(|part| part.push(selector));
            continue;
        }
        let mut left = selector.row_count;
        while left > 0 {
            let at = done / most;
            let count = left.min((at + 1) * most - done);
            for (number, part) in all.iter_mut().enumerate() {
                part.push(match number == at {
                    true => RowSelector::select(count),
                    false => RowSelector::skip(count),
                });
            }
            (left, done) = (left - count, done + count);
        }
    }
    all.into_iter().map(RowSelection::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(selection: RowSelection) -> Vec<usize> {
        let mut at = 0;
        let mut all = Vec::new();
        for selector in Vec::<RowSelector>::from(selection) {
            if !selector.skip {
                all.extend(at..at + selector.row_count);
            }
            at += selector.row_count;
        }
        all
    }

    #[test]
    fn parts_of_a_choice_are_together_the_choice() {
        let step = 3 * GRANULE_ROWS / 2;
        let ranges: Vec<Range<usize>> = (0..5).map(|n| 2 * n * step..(2 * n + 1) * step).collect();
        let total = 10 * step + 7;
        let whole = RowSelection::from_consecutive_ranges(ranges.into_iter(), total);
        for parts in 1..5 {
            let split = split(whole.clone(), parts);
            assert_eq!(split.len(), parts);
            let length = |part: &RowSelection| part.row_count() + part.skipped_row_count();
            assert!(split.iter().all(|part| length(part) == total));
            let (most, least) = (split.iter().map(RowSelection::row_count).max(), split.last());
            assert!(most <= least.map(|last| last.row_count() + parts));
            let together: Vec<usize> = split.into_iter().flat_map(rows).collect();
            assert_eq!(together, rows(whole.clone()));
        }
        let few = RowSelection::from_consecutive_ranges(std::iter::once(5..9), 100);
        assert_eq!(split(few.clone(), 4), [few]);
    }

    #[test]
    fn places_of_a_file_are_those_rows_of_it() {
        let places = Places::new([(1, 9), (-1, 0), (1, 4), (1, 5)].into_iter());
        let mut file = FileEntry::default();
        file.stats.records = 20;
        assert_eq!(places.in_file(1, &file).map(rows), Some(vec![4, 5, 9]));
        assert_eq!(places.in_file(0, &file), None);
    }
}
