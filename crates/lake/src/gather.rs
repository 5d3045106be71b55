//! Rows of the memory tail, gathered by partition and sorted as data files hold them.
//!
//! Rows are moved once: their places are sorted, and each column is then put together from the
//! batches in that order.

use crate::error::LakeError;
use crate::file::StoredCount;
use crate::schema::{BUCKET, RECEIVED_DAY, TENANT, TableKind};
use crate::tail::TailBatch;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::compute::interleave;
use arrow::datatypes::{
    Date32Type, FieldRef, Int32Type, Int64Type, Schema, TimestampMicrosecondType,
};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use yagura_event::time::{HOUR, Micros};

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

/// A row by its batch and its place there.
type At = (usize, usize);

/// Gathers the rows of `batches` into as many files as there are partitions, more where one
/// would take more than `memory_bytes_max` of memory. Batches are in LSN order.
///
/// # Errors
/// [`LakeError::Engine`] for rows without the fixed columns, [`LakeError::Arrow`] where columns
/// do not fit together: both would be defects.
pub(crate) fn gather(
    kind: TableKind,
    batches: &[Arc<TailBatch>],
    memory_bytes_max: usize,
) -> Result<Vec<Gathered>, LakeError> {
    let fixed: Vec<Fixed<'_>> =
        batches.iter().map(|b| Fixed::of(kind, &b.rows)).collect::<Result<_, _>>()?;
    let mut files = Vec::new();
    for ((day, bucket), places) in partitions(&fixed) {
        for mut places in split(places, batches, memory_bytes_max) {
            let counts = match kind {
                TableKind::Events => count(&fixed, &places),
                TableKind::Matches => Vec::new(),
            };
            places.sort_unstable_by(|a, b| order(&fixed, *a, *b));
            let rows = put_together(kind, batches, &places)?;
            files.push(Gathered { day, bucket, counts, rows });
        }
    }
    Ok(files)
}

/// The columns by which rows are told apart.
struct Fixed<'a> {
    days: &'a [i32],
    buckets: &'a [i32],
    tenant: &'a arrow::array::StringArray,
    feed: &'a arrow::array::StringArray,
    received: &'a [i64],
    time: &'a [i64],
    lsn: &'a [i64],
    /// Events: class and sub-record.
    class: Option<(&'a [i64], &'a [i32])>,
    /// Matches: the rule.
    rule: Option<&'a arrow::array::StringArray>,
}

impl<'a> Fixed<'a> {
    fn of(kind: TableKind, rows: &'a RecordBatch) -> Result<Self, LakeError> {
        let column = |name: &str| {
            let missing = || LakeError::Engine(format!("rows without the column {name}"));
            rows.column_by_name(name).ok_or_else(missing)
        };
        let text = |name: &str| Ok::<_, LakeError>(column(name)?.as_string::<i32>());
        let times = |name: &str| {
            let values = column(name)?.as_primitive::<TimestampMicrosecondType>().values();
            Ok::<&[i64], LakeError>(values)
        };
        let events = kind == TableKind::Events;
        Ok(Self {
            days: column(RECEIVED_DAY)?.as_primitive::<Date32Type>().values(),
            buckets: column(BUCKET)?.as_primitive::<Int32Type>().values(),
            tenant: text(TENANT)?,
            feed: text("feed")?,
            received: times("received_time")?,
            time: times("time")?,
            lsn: column("lsn")?.as_primitive::<Int64Type>().values(),
            class: match events {
                true => Some((
                    column("class_uid")?.as_primitive::<Int64Type>().values(),
                    column("sub")?.as_primitive::<Int32Type>().values(),
                )),
                false => None,
            },
            rule: if events { None } else { Some(text("rule")?) },
        })
    }
}

/// The places of all rows by partition, in LSN order.
fn partitions(fixed: &[Fixed<'_>]) -> BTreeMap<(i32, i32), Vec<At>> {
    let mut parts: BTreeMap<(i32, i32), Vec<At>> = BTreeMap::new();
    for (at, batch) in fixed.iter().enumerate() {
        let keys = batch.days.iter().zip(batch.buckets).map(|(day, bucket)| (*day, *bucket));
        // Neighbours mostly share their partition.
        let mut run: Option<((i32, i32), usize)> = None;
        let mut take = |key: (i32, i32), from: usize, to: usize| {
            parts.entry(key).or_default().extend((from..to).map(|row| (at, row)));
        };
        for (row, key) in keys.enumerate() {
            match run {
                Some((same, _)) if same == key => {}
                Some((other, from)) => {
                    take(other, from, row);
                    run = Some((key, row));
                }
                None => run = Some((key, row)),
            }
        }
        if let Some((key, from)) = run {
            take(key, from, batch.days.len());
        }
    }
    parts
}

/// Cuts a partition's rows so that each part's share of its batches' memory stays within the
/// bound; a single row is never cut.
fn split(places: Vec<At>, batches: &[Arc<TailBatch>], most: usize) -> Vec<Vec<At>> {
    let share = |at: usize| batches[at].bytes / batches[at].rows.num_rows().max(1) + 1;
    let (mut parts, mut part, mut bytes) = (Vec::new(), Vec::new(), 0usize);
    for place in places {
        let more = share(place.0);
        if !part.is_empty() && bytes + more > most {
            parts.push(std::mem::take(&mut part));
            bytes = 0;
        }
        bytes += more;
        part.push(place);
    }
    parts.push(part);
    parts.retain(|part| !part.is_empty());
    parts
}

/// Sub-records of a record stand next to each other, since places are in LSN order here, and
/// count once.
fn count(fixed: &[Fixed<'_>], places: &[At]) -> Vec<StoredCount> {
    let mut counts: BTreeMap<(&str, &str, Micros), u64> = BTreeMap::new();
    let mut last = None;
    for (batch, row) in places {
        let of = &fixed[*batch];
        if last.replace(of.lsn[*row]) == Some(of.lsn[*row]) {
            continue;
        }
        let hour = of.received[*row].div_euclid(HOUR) * HOUR;
        *counts.entry((of.tenant.value(*row), of.feed.value(*row), hour)).or_default() += 1;
    }
    let stored = |((tenant, feed, hour), records): ((&str, &str, Micros), u64)| StoredCount {
        tenant: tenant.to_owned(),
        feed: feed.to_owned(),
        hour,
        records,
    };
    counts.into_iter().map(stored).collect()
}

/// [`TableKind::sort_columns`] of two rows.
fn order(fixed: &[Fixed<'_>], a: At, b: At) -> Ordering {
    let ((left, i), (right, j)) = ((&fixed[a.0], a.1), (&fixed[b.0], b.1));
    let tenant = left.tenant.value(i).cmp(right.tenant.value(j));
    let second = || match (left.class, right.class, left.rule, right.rule) {
        (Some((l, _)), Some((r, _)), ..) => l[i].cmp(&r[j]),
        (.., Some(l), Some(r)) => l.value(i).cmp(r.value(j)),
        _ => Ordering::Equal,
    };
    let sub = || match (left.class, right.class) {
        (Some((_, l)), Some((_, r))) => l[i].cmp(&r[j]),
        _ => Ordering::Equal,
    };
    tenant
        .then_with(second)
        .then_with(|| left.time[i].cmp(&right.time[j]))
        .then_with(|| left.lsn[i].cmp(&right.lsn[j]))
        .then_with(sub)
}

/// The columns of the places in their order; without partition columns, which the path states,
/// and without columns that are all null.
fn put_together(
    kind: TableKind,
    batches: &[Arc<TailBatch>],
    places: &[At],
) -> Result<RecordBatch, LakeError> {
    let used: BTreeSet<usize> = places.iter().map(|(batch, _)| *batch).collect();
    let mut slots = vec![0; batches.len()];
    for (slot, batch) in used.iter().enumerate() {
        slots[*batch] = slot;
    }
    let indices: Vec<At> = places.iter().map(|(batch, row)| (slots[*batch], *row)).collect();
    let (mut fields, mut columns) = (Vec::<FieldRef>::new(), Vec::<ArrayRef>::new());
    for field in kind.file_schema().fields() {
        let held = |batch: &usize| batches[*batch].rows.column_by_name(field.name()).cloned();
        let parts: Vec<Option<ArrayRef>> = used.iter().map(held).collect();
        if parts.iter().flatten().all(|part| part.null_count() == part.len()) {
            continue;
        }
        let absent =
            |batch: usize| new_null_array(field.data_type(), batches[batch].rows.num_rows());
        let parts: Vec<ArrayRef> = used
            .iter()
            .zip(parts)
            .map(|(batch, part)| part.unwrap_or_else(|| absent(*batch)))
            .collect();
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        let column = interleave(&parts, &indices)?;
        if column.null_count() < column.len() {
            fields.push(Arc::clone(field));
            columns.push(column);
        }
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}
