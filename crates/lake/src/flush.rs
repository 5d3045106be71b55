//! A flush: rows of the tail into data files, beside the thread that takes rows.

use crate::error::LakeError;
use crate::file::{FileEntry, write_file};
use crate::gather::{Gathered, plan};
use crate::schema::TableKind;
use crate::sightings::{SightingsBuilder, sighting_rows};
use crate::store::FsStore;
use crate::tail::TailBatch;
use std::collections::BTreeMap;
use std::sync::Arc;
use yagura_event::Lsn;

/// Most bytes of memory whose rows go into one data file; more become further files, so that
/// no text column reaches the 2 GiB that Arrow's offsets can address: a byte becomes six at
/// most, as an escape in JSON.
pub(crate) const FILE_MEMORY_BYTES_MAX: usize = 320 << 20;

/// Rows that are to become data files. [`Flush::write`] may run on any thread, while the writer
/// goes on taking rows.
pub struct Flush {
    pub(crate) store: FsStore,
    pub(crate) parts: Vec<Part>,
}

/// One table's share of a [`Flush`].
pub(crate) struct Part {
    pub(crate) kind: TableKind,
    pub(crate) rows: Vec<Arc<TailBatch>>,
    /// What the files' names begin with.
    pub(crate) name: String,
    /// Last LSN that the files stand for.
    pub(crate) upto: Lsn,
}

/// What a [`Flush`] has written, for [`LakeWriter::end_flush`].
pub struct Flushed {
    pub(crate) parts: Vec<(Part, Result<Vec<FileEntry>, LakeError>)>,
}

impl Flush {
    /// Whether there is nothing to write and nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Writes the data files. Nothing refers to them before [`LakeWriter::end_flush`].
    pub fn write(self) -> Flushed {
        let Self { store, parts } = self;
        let rows_of = |kind| parts.iter().find(|part| part.kind == kind).map(|part| &part.rows);
        let alike = |(a, b): (&Arc<TailBatch>, &Arc<TailBatch>)| Arc::ptr_eq(a, b);
        // Rows of events are made once where they are counted in the same flush.
        let shared = match (rows_of(TableKind::Events), rows_of(TableKind::Sightings)) {
            (Some(a), Some(b)) => a.len() == b.len() && a.iter().zip(b).all(alike),
            _ => false,
        };
        let mut sighted = shared.then(Sighted::default);
        let written = parts.into_iter().map(|part| {
            let files = match part.kind {
                TableKind::Sightings => part.write_sightings(&store, sighted.take()),
                _ => part.write_files(&store, sighted.as_mut()),
            };
            (part, files)
        });
        Flushed { parts: written.collect() }
    }
}

/// Sightings by day of receipt and bucket.
type Sighted = BTreeMap<(i32, i32), SightingsBuilder>;

/// Adds what rows of events say.
fn sight(sighted: &mut Sighted, gathered: &Gathered) {
    let builder = sighted.entry((gathered.day, gathered.bucket)).or_default();
    builder.add(&gathered.rows, Lsn(0));
}

impl Part {
    fn write_files(
        &self,
        store: &FsStore,
        mut sighted: Option<&mut Sighted>,
    ) -> Result<Vec<FileEntry>, LakeError> {
        let mut files = Vec::new();
        for (number, plan) in plan(&self.rows, FILE_MEMORY_BYTES_MAX).into_iter().enumerate() {
            let gathered = plan.gather(&self.rows)?;
            let name = format!("{}-{number}", self.name);
            files.push(write_file(store, self.kind, &name, &gathered)?);
            if self.kind == TableKind::Events
                && let Some(sighted) = sighted.as_deref_mut()
            {
                sight(sighted, &gathered);
            }
        }
        Ok(files)
    }

    /// Writes what was sighted in the part's events, which are gone through where `sighted` does
    /// not have it yet.
    fn write_sightings(
        &self,
        store: &FsStore,
        sighted: Option<Sighted>,
    ) -> Result<Vec<FileEntry>, LakeError> {
        let sighted = match sighted {
            Some(sighted) => sighted,
            None => {
                let mut sighted = Sighted::default();
                for plan in plan(&self.rows, FILE_MEMORY_BYTES_MAX) {
                    sight(&mut sighted, &plan.gather(&self.rows)?);
                }
                sighted
            }
        };
        let mut files = Vec::new();
        for (number, ((day, bucket), builder)) in sighted.into_iter().enumerate() {
            let rows = sighting_rows(&builder.finish())?;
            if rows.num_rows() > 0 {
                let gathered = Gathered { day, bucket, counts: Vec::new(), rows };
                let name = format!("{}-{number}", self.name);
                files.push(write_file(store, self.kind, &name, &gathered)?);
            }
        }
        Ok(files)
    }
}
