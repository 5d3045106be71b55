//! Compaction: many small data files of a partition into one, sorted, with a denser encoding.
//!
//! ```text
//! choose ─> Rewrite ──write (any thread)──> Rewritten ─> one commit: removes + add, guard txn
//!                                                         └─ old files are deleted once no view
//!                                                            holds them and readers had time
//! ```
//! Rows stay what they are, so the commit says `dataChange: false`. Nothing refers to the new
//! file before the commit; a process that dies in between leaves a file that the next one
//! deletes.

use crate::error::LakeError;
use crate::file::{Density, FileEntry, FileWriter, is_wide};
use crate::provider::STORE_URL;
use crate::reparse::{Partition, Reparse, Resighted, reparse};
use crate::retention::{Expire, Expiry, Looked, expire};
use crate::schema::{TENANT, TableKind};
use crate::sightings::Combiner;
use crate::sql::reach;
use crate::stats::FileStats;
use crate::store::FsStore;
use crate::table::stored_counts;
use arrow::array::RecordBatch;
use arrow::compute::SortOptions;
use arrow::datatypes::Schema;
use bytes::Bytes;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt;
use parquet::file::metadata::ParquetMetaDataReader;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A data file of so many bytes is large enough to be left alone.
const FILE_BYTES_ENOUGH: u64 = 128 << 20;

/// Most bytes of files that become one: what it takes in memory while it is written.
pub(crate) const REWRITE_BYTES_MAX: u64 = 256 << 20;

/// Files of about the same size that are worth making one, while the partition still grows.
/// Each row is then rewritten once for each fourfold growth of its file, and packed densely only
/// where the file will be left alone: the work of packing is four times that of the rest.
const FILES_ALIKE: usize = 8;

/// Most files that are read side by side.
const FILES_MAX: usize = 32;

/// Rows that are read of each file at a time.
const BATCH_ROWS: usize = 2_048;

/// Files that are to be replaced: by one, or by what of them is still to be kept.
pub struct Rewrite {
    pub(crate) kind: TableKind,
    pub(crate) store: FsStore,
    pub(crate) name: String,
    pub(crate) old: Vec<Arc<FileEntry>>,
    pub(crate) work: Work,
}

/// What is done with the files.
pub(crate) enum Work {
    /// They become one, as dense as that.
    Pack(Density),
    /// Rows of them go.
    Expire(Expire),
    /// Their events are made anew.
    Reparse(Reparse),
}

/// What became of a [`Rewrite`], for [`crate::LakeWriter::end_rewrite`].
pub struct Rewritten {
    pub(crate) kind: TableKind,
    /// The partition of which events or sightings were to be made anew.
    pub(crate) reparse: Option<Partition>,
    /// What was to be looked at, and its mark.
    pub(crate) looked_at: Option<(Looked, u64)>,
    pub(crate) outcome: Result<Outcome, LakeError>,
}

/// Files that are written, and those whose place they take.
pub(crate) struct Outcome {
    pub(crate) old: Vec<Arc<FileEntry>>,
    pub(crate) new: Vec<FileEntry>,
    /// What has gone, where something was to.
    pub(crate) expiry: Option<Expiry>,
    /// Sightings of events that were made anew.
    pub(crate) resighted: Option<Resighted>,
}

impl Rewrite {
    /// What of the live files of a table to make one, under a name that begins with `name`;
    /// `None` where nothing is worth it.
    pub(crate) fn choose(
        store: &FsStore,
        kind: TableKind,
        name: &str,
        files: &[Arc<FileEntry>],
        closed: bool,
    ) -> Option<Self> {
        let (old, density) = choose(files, closed)?;
        let mut hash = blake3::Hasher::new();
        for file in &old {
            hash.update(file.path.as_bytes()).update(b"\n");
        }
        let hash = hash.finalize().to_hex();
        let name = format!("{name}-{}", hash.get(..24).unwrap_or_default());
        Some(Self { kind, store: store.clone(), name, old, work: Work::Pack(density) })
    }

    /// Table and file name.
    pub(crate) fn target(&self) -> (TableKind, &str) {
        (self.kind, &self.name)
    }

    /// Bytes that are read.
    pub fn bytes(&self) -> u64 {
        self.old.iter().map(|file| file.size).sum()
    }

    /// Reads the old files and writes the new. Call it from a plain thread.
    pub fn write(self) -> Rewritten {
        let kind = self.kind;
        let looked_at = match &self.work {
            Work::Expire(what) => Some((what.gone.looked(kind, what.day), what.mark)),
            Work::Pack(_) | Work::Reparse(_) => None,
        };
        let reparse = match &self.work {
            Work::Reparse(what) => Some(what.partition),
            Work::Pack(_) | Work::Expire(_) => None,
        };
        Rewritten { kind, reparse, looked_at, outcome: self.outcome() }
    }

    fn outcome(self) -> Result<Outcome, LakeError> {
        let runtime = crate::writer::runtime()?;
        let Self { kind, store, name, old, work } = self;
        match work {
            Work::Pack(density) => {
                let new = vec![runtime.block_on(rewrite(&store, kind, &name, &old, density))?];
                Ok(Outcome { old, new, expiry: None, resighted: None })
            }
            Work::Expire(what) => runtime.block_on(expire(&store, kind, &name, &old, &what)),
            Work::Reparse(what) => reparse(&store, &name, old, what),
        }
    }
}

/// Closed partitions (of days before the newest, or all) are packed as far as it goes, oldest
/// first, a single file too where it is not dense; the others where [`FILES_ALIKE`] have about the
/// same size.
fn choose(files: &[Arc<FileEntry>], closed: bool) -> Option<(Vec<Arc<FileEntry>>, Density)> {
    let newest = files.iter().map(|file| file.day).max()?;
    let mut partitions: BTreeMap<(i32, i32), Vec<&Arc<FileEntry>>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.size < FILE_BYTES_ENOUGH) {
        partitions.entry((file.day, file.bucket)).or_default().push(file);
    }
    for ((day, _), mut small) in partitions {
        small.sort_by_key(|file| (file.size, &file.path));
        let ended = closed || day < newest;
        let chosen = if ended {
            fitting(&small)
        } else {
            let tier = |file: &&&Arc<FileEntry>| file.size.max(1).ilog2() / 2;
            let mut tiers: BTreeMap<u32, Vec<&Arc<FileEntry>>> = BTreeMap::new();
            small.iter().for_each(|file| tiers.entry(tier(&file)).or_default().push(file));
            tiers
                .into_values()
                .find(|tier| tier.len() >= FILES_ALIKE)
                .map_or(Vec::new(), |tier| fitting(&tier))
        };
        let bytes: u64 = chosen.iter().map(|file| file.size).sum();
        let density = match ended || bytes >= FILE_BYTES_ENOUGH {
            true => Density::Kept,
            false => Density::Fresh,
        };
        let loose = ended && chosen.iter().any(|file| file.density == Density::Fresh);
        if chosen.len() > 1 || loose {
            return Some((chosen, density));
        }
    }
    None
}

/// As many of the smallest as may become one.
fn fitting(files: &[&Arc<FileEntry>]) -> Vec<Arc<FileEntry>> {
    let mut bytes = 0;
    let fits = |file: &&&Arc<FileEntry>| {
        bytes += file.size;
        bytes <= REWRITE_BYTES_MAX
    };
    files.iter().take_while(fits).take(FILES_MAX).map(|file| Arc::clone(file)).collect()
}

async fn rewrite(
    store: &FsStore,
    kind: TableKind,
    name: &str,
    old: &[Arc<FileEntry>],
    density: Density,
) -> Result<FileEntry, LakeError> {
    let (day, bucket) = old.first().map(|file| (file.day, file.bucket)).unwrap_or_default();
    let shape = shape(store, kind, old)?;
    let (schema, mut rows) = sorted_rows(store, kind, old, &shape.names)?;
    let mut out = FileWriter::new(kind, schema, density, shape.width)?;
    let mut records = 0;
    let mut combined = (kind == TableKind::Sightings).then(Combined::default);
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        records += batch.num_rows() as u64;
        match &mut combined {
            Some(combined) => combined.push(&batch, &mut out)?,
            None => out.write(&batch)?,
        }
    }
    let mut stats = FileStats::together(kind, old.iter().map(|file| &file.stats));
    if stats.records != records {
        let what = format!("{} rows were expected of its files, {records} read", stats.records);
        return Err(LakeError::Damaged { table: kind.name(), what });
    }
    if let Some(combined) = combined {
        stats.records = combined.finish(&mut out)?;
    }
    let counts = stored_counts(old);
    let modified_ms = old.iter().map(|file| file.modified_ms).max().unwrap_or_default();
    let path = FileEntry::path_of(day, bucket, name);
    let entry = FileEntry { path, day, bucket, stats, counts, modified_ms, ..FileEntry::default() };
    out.store(store, kind, entry)
}

/// Sightings that are merged, and how many rows they have become.
#[derive(Default)]
struct Combined {
    rows: Combiner,
    records: u64,
}

impl Combined {
    fn push(&mut self, batch: &RecordBatch, out: &mut FileWriter) -> Result<(), LakeError> {
        let done = self.rows.push(batch)?;
        self.records += done.num_rows() as u64;
        out.write(&done)
    }

    fn finish(self, out: &mut FileWriter) -> Result<u64, LakeError> {
        let last = self.rows.finish()?;
        out.write(&last)?;
        Ok(self.records + last.num_rows() as u64)
    }
}

/// What files say of their rows without being read.
pub(crate) struct Shape {
    /// The columns that any of them holds.
    pub names: BTreeSet<String>,
    /// Bytes that a row has of the longest column of long values, about.
    pub width: usize,
}

/// The shape of files together.
pub(crate) fn shape(
    store: &FsStore,
    kind: TableKind,
    files: &[Arc<FileEntry>],
) -> Result<Shape, LakeError> {
    let mut names = BTreeSet::new();
    let mut wide: BTreeMap<String, i64> = BTreeMap::new();
    let mut rows = 0;
    for file in files {
        let object = format!("{}/{}", kind.name(), file.path);
        let path = store.file(&object);
        let read = |offset: u64, len: usize| {
            let bytes = store.fs().read_range(&path, offset, len);
            bytes.map_err(|source| LakeError::Io { action: "read", path: object.clone(), source })
        };
        // The last eight bytes say how long the description before them is.
        let end = read(file.size.saturating_sub(8), 8)?;
        let length = end.get(..4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes);
        let start = file.size.saturating_sub(8 + u64::from(length));
        let footer = Bytes::from(read(start, length as usize)?);
        let metadata = ParquetMetaDataReader::decode_metadata(&footer)?;
        let schema = metadata.file_metadata().schema_descr();
        let roots = (0..schema.num_columns()).map(|leaf| schema.get_column_root(leaf).name());
        names.extend(roots.map(str::to_owned));
        for group in metadata.row_groups() {
            rows += group.num_rows();
            for column in group.columns().iter().filter(|c| is_wide(c.column_descr().name())) {
                let name = column.column_descr().name().to_owned();
                *wide.entry(name).or_default() += column.uncompressed_size();
            }
        }
    }
    let longest = wide.values().max().copied().unwrap_or_default();
    Ok(Shape { names, width: usize::try_from(longest / rows.max(1)).unwrap_or_default() })
}

/// The columns `names` of the files' rows as one sorted stream.
pub(crate) fn sorted_rows(
    store: &FsStore,
    kind: TableKind,
    files: &[Arc<FileEntry>],
    names: &BTreeSet<String>,
) -> Result<(Arc<Schema>, SendableRecordBatchStream), LakeError> {
    let all = kind.file_schema();
    let places: Vec<usize> =
        (0..all.fields().len()).filter(|at| names.contains(all.field(*at).name())).collect();
    let schema = Arc::new(all.project(&places)?);
    let group = |file: &Arc<FileEntry>| {
        let path = format!("{}/{}", kind.name(), file.path);
        FileGroup::new(vec![PartitionedFile::new(path, file.size)])
    };
    let source = ParquetSource::new(kind.file_schema());
    let config = FileScanConfigBuilder::new(ObjectStoreUrl::parse(STORE_URL)?, Arc::new(source))
        .with_file_groups(files.iter().map(group).collect())
        .with_projection_indices(Some(places))?
        // Each stream is one file's; otherwise they take files from each other.
        .with_preserve_order(true)
        .build();
    let scan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
    let options = SortOptions { descending: false, nulls_first: false };
    let sort = kind
        .sort_columns()
        .iter()
        .filter(|name| schema.field_with_name(name).is_ok())
        .map(|name| Ok(PhysicalSortExpr::new(col(name, &schema)?, options)))
        .collect::<Result<Vec<_>, LakeError>>()?;
    let ordering = LexOrdering::new(sort)
        .ok_or_else(|| LakeError::Engine(format!("rows without the column {TENANT}")))?;
    let merge = SortPreservingMergeExec::new(ordering, scan);
    let context = SessionContext::new_with_config(SessionConfig::new().with_batch_size(BATCH_ROWS));
    reach(&context, store)?;
    Ok((schema, merge.execute(0, context.task_ctx())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(day: i32, bucket: i32, mib: u64, name: u32) -> Arc<FileEntry> {
        let path = format!("{day}/{bucket}/{name}");
        let entry = FileEntry { path, day, bucket, size: mib << 20, ..FileEntry::default() };
        Arc::new(entry)
    }

    fn chosen(files: &[Arc<FileEntry>]) -> Vec<u64> {
        let files = choose(files, false).map(|(files, _)| files).unwrap_or_default();
        files.iter().map(|file| file.size >> 20).collect()
    }

    #[test]
    fn growing_partitions_wait_for_files_of_a_size_and_closed_ones_are_packed() {
        let seven: Vec<_> = (0..7).map(|n| file(9, 1, 5, n)).collect();
        assert_eq!(chosen(&seven), [0; 0]);
        let mut more = seven.clone();
        more.push(file(9, 2, 5, 9));
        more.push(file(9, 1, 40, 10));
        assert_eq!(chosen(&more), [0; 0]);
        more.push(file(9, 1, 6, 11));
        assert_eq!(chosen(&more), [5, 5, 5, 5, 5, 5, 5, 6]);
        // A day later all of it is closed, and the small go with the large.
        more.push(file(10, 1, 1, 12));
        assert_eq!(chosen(&more), [5, 5, 5, 5, 5, 5, 5, 6, 40]);
        let large = [127, 127, 127, 128, 300].into_iter().zip(0..);
        let large: Vec<_> = large.map(|(mib, n)| file(8, 1, mib, n)).collect();
        assert_eq!(chosen(&[large, vec![file(9, 1, 1, 9)]].concat()), [127, 127]);
        assert_eq!(chosen(&(0..100).map(|n| file(9, 1, 0, n)).collect::<Vec<_>>()).len(), 32);
    }

    #[test]
    fn what_is_rewritten_again_is_not_packed_densely_and_nothing_stays_loose() {
        let density = |files: &[_], closed| choose(files, closed).map(|(_, density)| density);
        let alike = |mib| (0..8).map(|n| file(9, 1, mib, n)).collect::<Vec<_>>();
        assert_eq!(density(&alike(5), false), Some(Density::Fresh));
        assert_eq!(density(&alike(16), false), Some(Density::Kept));
        assert_eq!(density(&alike(5), true), Some(Density::Kept));
        let loose = FileEntry { density: Density::Fresh, ..FileEntry::clone(&file(8, 1, 5, 1)) };
        let (loose, dense) = (Arc::new(loose), file(9, 1, 5, 2));
        assert_eq!(density(&[Arc::clone(&loose)], false), None);
        assert_eq!(chosen(&[loose, dense]), [5]);
    }
}
