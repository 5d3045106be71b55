//! Rows of several files of sightings, merged in order: those of one value, tenant and source
//! become one.

use crate::error::LakeError;
use crate::schema::TENANT;
use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use std::sync::Arc;

use super::build::{Sighting, sighting_rows};
use super::values;

/// Takes sorted rows and gives them with fewer.
#[derive(Default)]
pub(crate) struct Combiner {
    /// What further rows may still add to.
    open: Option<Sighting>,
}

impl Combiner {
    /// The rows that nothing can be added to any more.
    ///
    /// # Errors
    /// [`LakeError::Arrow`] if the columns do not fit together, which would be a defect.
    pub(crate) fn push(&mut self, rows: &RecordBatch) -> Result<RecordBatch, LakeError> {
        let mut done = Vec::new();
        for next in sightings(rows) {
            match &mut self.open {
                Some(open) if open.same(&next) => open.add(&next),
                open => done.extend(open.replace(next)),
            }
        }
        sighting_rows(&done)
    }

    /// The last rows.
    ///
    /// # Errors
    /// As for [`Self::push`].
    pub(crate) fn finish(self) -> Result<RecordBatch, LakeError> {
        sighting_rows(self.open.as_slice())
    }
}

/// The sightings that rows are, as far as they can be read.
pub(crate) fn sightings(rows: &RecordBatch) -> Vec<Sighting> {
    let text = |name| rows.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
    let time = |name| {
        rows.column_by_name(name).and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>())
    };
    let count = rows.column_by_name("count").and_then(|c| c.as_primitive_opt::<Int64Type>());
    let (kind, value, tenant, source) = (text("kind"), text("value"), text(TENANT), text("source"));
    let (first, last) = (time("first"), time("last"));
    let at = |column: Option<&StringArray>, row: usize| {
        column.filter(|c| c.is_valid(row)).map(|c| c.value(row).to_owned())
    };
    let mut names: Option<(Arc<str>, Arc<str>)> = None;
    let all = (0..rows.num_rows()).filter_map(|row| {
        let (of, from) = (at(tenant, row)?, at(source, row).unwrap_or_default());
        // Neighbours mostly share theirs.
        let (tenant, source) = match &names {
            Some((t, s)) if **t == *of && **s == *from => (Arc::clone(t), Arc::clone(s)),
            _ => names.insert((of.into(), from.into())).clone(),
        };
        Some(Sighting {
            kind: values::place_of(kind?.value(row))?,
            value: at(value, row)?,
            tenant,
            source,
            count: count?.value(row),
            first: first?.value(row),
            last: last?.value(row),
        })
    });
    all.collect()
}
