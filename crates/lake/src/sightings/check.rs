//! Compares what sightings say with the events they were counted from.

use super::build::{Sighting, SightingsBuilder};
use super::combine::sightings;
use super::read::{is_needed, reaches_above};
use crate::error::LakeError;
use crate::file::FileEntry;
use crate::reader::read_rows;
use crate::reparse::{Partition, mark};
use crate::schema::TableKind;
use crate::verify::Damage;
use crate::view::LakeView;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use yagura_event::Lsn;
use yagura_event::time::Micros;

/// What was compared of the sightings, and what is wrong.
#[derive(Clone, Default, Debug)]
pub struct SightingsReport {
    /// Partitions that hold events or sightings.
    pub partitions: u64,
    /// Those whose events were gone through.
    pub compared: u64,
    /// Those that a writer counts anew when it starts: a rewrite did not come to its end.
    pub marked: u64,
    /// Partitions whose sightings are not what their events say.
    pub damages: Vec<Damage>,
}

/// What many sightings come to, in whatever order and however split over rows.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Sum {
    events: i64,
    /// Of each sighting's key, times how often it was seen.
    prints: u64,
    ends: Option<(Micros, Micros)>,
}

impl Sum {
    fn add(&mut self, all: &[Sighting]) {
        for one in all {
            let mut hasher = DefaultHasher::new();
            (one.kind, &one.value, &one.tenant, &one.source).hash(&mut hasher);
            let print = hasher.finish().wrapping_mul(one.count.cast_unsigned());
            self.events += one.count;
            self.prints = self.prints.wrapping_add(print);
            let (first, last) = self.ends.unwrap_or((one.first, one.last));
            self.ends = Some((first.min(one.first), last.max(one.last)));
        }
    }
}

/// Compares the sightings of every `nth` partition with its events; marks those that differ for the
/// next writer to count anew where `repair`. Where retention has taken events of some classes, whose
/// sightings stay longer, it is only looked whether they are too few. Call it from a plain thread.
pub fn check_sightings(view: &LakeView, nth: usize, repair: bool) -> SightingsReport {
    let mut report = SightingsReport::default();
    // Events that are missing as a whole come back from the journal.
    if view.sighted > view.upper {
        return report;
    }
    let mut partitions: BTreeMap<Partition, Vec<&Arc<FileEntry>>> = BTreeMap::new();
    for file in view.sightings.files.iter() {
        partitions.entry((file.day, file.bucket)).or_default();
    }
    for file in view.events.files.iter() {
        partitions.entry((file.day, file.bucket)).or_default().push(file);
    }
    for (number, (partition, events)) in partitions.into_iter().enumerate() {
        report.partitions += 1;
        if view.unsighted.contains(&partition) {
            report.marked += 1;
            continue;
        }
        // After a crash between two commits a replay counts what is missing.
        let behind = events.iter().any(|file| reaches_above(file, view.sighted));
        if behind || !number.is_multiple_of(nth.max(1)) {
            continue;
        }
        report.compared += 1;
        let what = match compare(view, partition, &events) {
            Ok(None) => continue,
            Ok(Some(what)) if repair => match mark(view.store(), partition) {
                Ok(()) => what,
                Err(error) => format!("{what}, and cannot be marked: {error}"),
            },
            Ok(Some(what)) => what,
            Err(error) => format!("sightings cannot be compared: {error}"),
        };
        let (day, bucket) = partition;
        let path = FileEntry::path_of(day, bucket, "*");
        report.damages.push(Damage { path: format!("sightings/{path}"), what });
    }
    report
}

/// What is wrong with the sightings of a partition.
fn compare(
    view: &LakeView,
    partition: Partition,
    events: &[&Arc<FileEntry>],
) -> Result<Option<String>, LakeError> {
    let (mut said, mut counted) = (Sum::default(), Sum::default());
    let own = |file: &&Arc<FileEntry>| (file.day, file.bucket) == partition;
    for file in view.sightings.files.iter().filter(own) {
        for rows in read_rows(view.store(), TableKind::Sightings, file, None, None)? {
            said.add(&sightings(&rows?));
        }
    }
    for file in events {
        for rows in read_rows(view.store(), TableKind::Events, file, Some(&is_needed), None)? {
            let mut builder = SightingsBuilder::default();
            builder.add(&rows?, Lsn(0));
            counted.add(&builder.finish());
        }
    }
    let alike = match view.has_expired(partition.0) {
        true => said.events >= counted.events,
        false => said == counted,
    };
    Ok((!alike).then(|| {
        let (said, counted) = (said.events, counted.events);
        format!("sightings say {said} values, the events {counted}, or others")
    }))
}
