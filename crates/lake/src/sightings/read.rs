//! Everything that was sighted, over all retention.
//!
//! A partition's files are compared with their checksums before a row of them is taken. Where one
//! is damaged or missing, or behind events that were parsed again, the partition's events are gone
//! through instead, as are the events that the table does not count yet.

use super::build::{Sighting, SightingsBuilder};
use super::combine::sightings;
use super::values::{COLUMNS_SIGHTED, word};
use crate::error::LakeError;
use crate::file::FileEntry;
use crate::reader::read_rows;
use crate::schema::{TENANT, TableKind};
use crate::view::LakeView;
use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use std::collections::BTreeMap;
use std::sync::Arc;
use yagura_event::time::Micros;
use yagura_event::{Lsn, TenantScope};

/// A value that was seen in events of one tenant and source. There may be several of one value,
/// which add up.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// `ip`, `domain`, `host`, `hash`, `email`, `user`, `mac`.
    pub kind: &'a str,
    /// The value in its one form.
    pub value: &'a str,
    /// Whose events.
    pub tenant: &'a str,
    /// Of which source; empty for records of none.
    pub source: &'a str,
    /// In how many events.
    pub count: u64,
    /// Least time of them.
    pub first: Micros,
    /// Greatest time of them.
    pub last: Micros,
}

/// What was gone through.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Walked {
    /// Rows of sightings.
    pub sightings: u64,
    /// Events that were read because no sound sightings say of them.
    pub events: u64,
    /// Partitions whose sightings are damaged.
    pub damaged: u64,
}

/// Files of one partition: of sightings, and of events.
type Partition<'a> = (Vec<&'a Arc<FileEntry>>, Vec<&'a Arc<FileEntry>>);

/// Gives everything that was sighted in what `scope` may see, partitions of the newest days
/// first. `go_on` is told how many of how many partitions are done, and says whether to go on.
///
/// # Errors
/// Data files of events that cannot be read; [`LakeError::Limit`] where `go_on` said no.
pub fn each_sighting(
    view: &LakeView,
    scope: &TenantScope,
    take: &mut dyn FnMut(Seen<'_>),
    go_on: &dyn Fn(usize, usize) -> bool,
) -> Result<Walked, LakeError> {
    let mut walk = Walk { view, scope, take, walked: Walked::default() };
    let mut partitions: BTreeMap<(i32, i32), Partition<'_>> = BTreeMap::new();
    for file in view.sightings.files.iter() {
        partitions.entry((file.day, file.bucket)).or_default().0.push(file);
    }
    for file in view.events.files.iter() {
        partitions.entry((file.day, file.bucket)).or_default().1.push(file);
    }
    let total = partitions.len();
    for (done, (partition, (files, events))) in partitions.into_iter().rev().enumerate() {
        if !go_on(done, total) {
            return Err(LakeError::limit("query_cancelled", "it was cancelled"));
        }
        walk.partition(&files, &events, view.unsighted.contains(&partition))?;
    }
    walk.tail()?;
    Ok(walk.walked)
}

struct Walk<'a> {
    view: &'a LakeView,
    scope: &'a TenantScope,
    take: &'a mut dyn FnMut(Seen<'_>),
    walked: Walked,
}

impl Walk<'_> {
    fn partition(
        &mut self,
        files: &[&Arc<FileEntry>],
        events: &[&Arc<FileEntry>],
        unsighted: bool,
    ) -> Result<(), LakeError> {
        let damaged = !unsighted && !files.iter().all(|file| self.is_sound(file));
        self.walked.damaged += u64::from(damaged);
        let sound = !damaged && !unsighted;
        let after = if sound { self.view.sighted } else { Lsn(0) };
        for file in files.iter().filter(|_| sound) {
            let rows = read_rows(self.view.store(), TableKind::Sightings, file, None, None)?;
            for rows in rows {
                let rows = rows?;
                self.walked.sightings += rows.num_rows() as u64;
                self.give(&sightings(&rows));
            }
        }
        let mut builder = SightingsBuilder::default();
        for file in events.iter().filter(|file| reaches_above(file, after)) {
            let rows =
                read_rows(self.view.store(), TableKind::Events, file, Some(&is_needed), None)?;
            for rows in rows {
                self.add(&mut builder, &rows?, after);
            }
        }
        self.give(&builder.finish());
        Ok(())
    }

    fn tail(&mut self) -> Result<(), LakeError> {
        let mut builder = SightingsBuilder::default();
        for batch in &self.view.events.tail {
            self.add(&mut builder, &batch.rows()?, self.view.sighted);
        }
        self.give(&builder.finish());
        Ok(())
    }

    fn add(&mut self, builder: &mut SightingsBuilder, rows: &RecordBatch, after: Lsn) {
        self.walked.events += rows.num_rows() as u64;
        builder.add(rows, after);
    }

    /// Whether a file of sightings is what was written.
    fn is_sound(&self, file: &FileEntry) -> bool {
        let path = format!("{}/{}", TableKind::Sightings.name(), file.path);
        let bytes = self.view.store().fs().read(&self.view.store().file(&path));
        bytes.is_ok_and(|bytes| blake3::hash(&bytes).to_hex().as_str() == file.hash)
    }

    fn give(&mut self, all: &[Sighting]) {
        for sighting in all {
            if self.scope.tenant().is_some_and(|own| own.as_str() != &*sighting.tenant) {
                continue;
            }
            (self.take)(Seen {
                kind: word(sighting.kind),
                value: &sighting.value,
                tenant: &sighting.tenant,
                source: &sighting.source,
                count: sighting.count.unsigned_abs(),
                first: sighting.first,
                last: sighting.last,
            });
        }
    }
}

/// Whether a data file of events may hold one above `after`.
pub(super) fn reaches_above(file: &FileEntry, after: Lsn) -> bool {
    match file.stats.max("lsn", &DataType::Int64) {
        Some(ScalarValue::Int64(Some(greatest))) => greatest.cast_unsigned() > after.0,
        _ => true,
    }
}

pub(super) fn is_needed(column: &str) -> bool {
    [TENANT, "source", "time", "lsn"].contains(&column)
        || COLUMNS_SIGHTED.iter().any(|(name, _)| *name == column)
}
