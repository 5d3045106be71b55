//! Data files: what the log says of one, and writing one from sorted rows.

use crate::error::LakeError;
use crate::gather::Gathered;
use crate::index::{HeadCell, IndexBuilder, path_of};
use crate::schema::{BUCKET, RECEIVED_DAY, TENANT, TableKind};
use crate::stats::FileStats;
use crate::store::FsStore;
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use deltalake_core::kernel::Add;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use yagura_event::time::{DAY, Micros, day, parse_rfc3339};

/// Rows between page boundaries, the same in every column but those of long values, and those of
/// what an index names.
pub const GRANULE_ROWS: usize = 8_192;

/// Most rows of a row group; a multiple of [`GRANULE_ROWS`].
const ROW_GROUP_ROWS_MAX: usize = 128 * GRANULE_ROWS;

/// Pages are cut by rows; this only bounds one whose values are extremely long.
const PAGE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Tag of an add action: how many records of which tenant, feed and hour the file holds.
const TAG_RECORDS: &str = "yagura.records";
/// Tag of an add action: the file is [`Density::Fresh`].
const TAG_FRESH: &str = "yagura.fresh";
/// Tag of an add action: BLAKE3 of the file.
const TAG_BLAKE3: &str = "yagura.blake3";

/// Records (not sub-records) of one tenant, feed and hour of receipt.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct StoredCount {
    /// The owner.
    pub tenant: String,
    /// The feed.
    pub feed: String,
    /// Start of the hour, in microseconds.
    pub hour: Micros,
    /// How many.
    pub records: u64,
}

impl StoredCount {
    pub(crate) fn new(tenant: &str, feed: &str, hour: Micros, records: u64) -> Self {
        Self { tenant: tenant.to_owned(), feed: feed.to_owned(), hour, records }
    }
}

/// Counts of the same tenant, feed and hour become one; ascending.
pub(crate) fn summed<'a>(counts: impl Iterator<Item = &'a StoredCount>) -> Vec<StoredCount> {
    let mut sums: BTreeMap<(&str, &str, Micros), u64> = BTreeMap::new();
    for count in counts {
        *sums.entry((&count.tenant, &count.feed, count.hour)).or_default() += count.records;
    }
    let sums = sums.into_iter();
    sums.map(|((tenant, feed, hour), n)| StoredCount::new(tenant, feed, hour, n)).collect()
}

/// A data file of a table.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct FileEntry {
    /// Path in the table's directory.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Day of receipt, in days since 1970.
    pub day: i32,
    /// Bucket of the tenants.
    pub bucket: i32,
    /// What is known of the columns.
    pub stats: FileStats,
    /// What the books count.
    pub counts: Vec<StoredCount>,
    /// BLAKE3 of the file, in hexadecimal; empty for files that others wrote.
    pub hash: String,
    /// Newest received time, in milliseconds.
    pub modified_ms: i64,
    /// How much work went into making it small.
    pub(crate) density: Density,
    /// What has been read of its index.
    pub index: HeadCell,
}

impl FileEntry {
    /// Path of a file of this name, without ending, in a table's directory.
    pub(crate) fn path_of(day: i32, bucket: i32, name: &str) -> String {
        format!("{RECEIVED_DAY}={}/{BUCKET}={bucket}/{name}.parquet", day_text(day))
    }

    /// Reads an add action of the log.
    pub fn from_add(add: &Add) -> Self {
        let part = |name: &str| add.partition_values.get(name).cloned().flatten();
        let tag = |name: &str| add.tags.as_ref().and_then(|tags| tags.get(name).cloned().flatten());
        let midnight = part(RECEIVED_DAY).and_then(|d| parse_rfc3339(&format!("{d}T00:00:00Z")));
        Self {
            path: add.path.clone(),
            size: u64::try_from(add.size).unwrap_or_default(),
            day: midnight.map_or(0, |time| i32::try_from(time.div_euclid(DAY)).unwrap_or(0)),
            bucket: part(BUCKET).and_then(|b| b.parse().ok()).unwrap_or_default(),
            stats: add.stats.as_deref().map(FileStats::parse).unwrap_or_default(),
            counts: tag(TAG_RECORDS)
                .and_then(|text| serde_json::from_str(&text).ok())
                .unwrap_or_default(),
            hash: tag(TAG_BLAKE3).unwrap_or_default(),
            modified_ms: add.modification_time,
            density: tag(TAG_FRESH).map_or(Density::Kept, |_| Density::Fresh),
            index: HeadCell::default(),
        }
    }

    /// The add action that puts the file into the table.
    pub fn to_add(&self) -> Add {
        let counts = serde_json::to_string(&self.counts).unwrap_or_default();
        let mut tags = HashMap::from([
            (TAG_RECORDS.to_owned(), Some(counts)),
            (TAG_BLAKE3.to_owned(), Some(self.hash.clone())),
        ]);
        if self.density == Density::Fresh {
            tags.insert(TAG_FRESH.to_owned(), Some("true".to_owned()));
        }
        Add {
            path: self.path.clone(),
            partition_values: HashMap::from([
                (RECEIVED_DAY.to_owned(), Some(day_text(self.day))),
                (BUCKET.to_owned(), Some(self.bucket.to_string())),
            ]),
            size: i64::try_from(self.size).unwrap_or(i64::MAX),
            modification_time: self.modified_ms,
            data_change: true,
            stats: Some(self.stats.to_json()),
            tags: Some(tags),
            ..Add::default()
        }
    }
}

/// `2026-11-22` of a day since 1970.
fn day_text(days: i32) -> String {
    day(i64::from(days) * DAY)
}

/// Writes gathered rows as a data file and returns what the log is to say of it. `name` is that
/// of the file without ending, unique in the table.
///
/// # Errors
/// [`LakeError::Io`], [`LakeError::Parquet`], [`LakeError::Arrow`].
pub(crate) fn write_file(
    store: &FsStore,
    kind: TableKind,
    name: &str,
    gathered: &Gathered,
) -> Result<FileEntry, LakeError> {
    let Gathered { day, bucket, counts, rows } = gathered;
    let mut out = FileWriter::new(kind, rows.schema(), Density::Fresh, 0)?;
    out.write(rows)?;
    let newest = rows
        .column_by_name("received_time")
        .and_then(|c| arrow::compute::max(c.as_primitive::<TimestampMicrosecondType>()));
    let entry = FileEntry {
        path: FileEntry::path_of(*day, *bucket, name),
        day: *day,
        bucket: *bucket,
        stats: FileStats::of(kind, rows),
        counts: counts.clone(),
        modified_ms: newest.unwrap_or_default().div_euclid(1_000),
        ..FileEntry::default()
    };
    out.store(store, kind, entry)
}

/// Columns whose values hardly repeat: a dictionary of them would only be thrown away again, or be
/// larger than they are.
const SELDOM_TWICE: [&str; 11] = [
    "event_id",
    "id",
    "event",
    "raw_data",
    "raw_bytes",
    "lsn",
    "time",
    "metadata_original_time",
    "value",
    "first",
    "last",
];

/// Columns of long values, cut into pages of fewer rows: a search that shows a row in a hundred
/// decompresses that much less.
const WIDE: [&str; 4] = ["raw_data", "raw_bytes", "message", "unmapped"];

/// Rows of such a page, about, within [`WIDE_PAGE_BYTES`]: long rows are like each other too, and are
/// packed page by page. Over events of Windows as JSON of 3.7 KB pages of 512 KiB take 101 bytes a row,
/// those of 2 MiB 78.
const WIDE_PAGE_ROWS: usize = 2_048;

/// Least and most bytes of such a page, before compression.
const WIDE_PAGE_BYTES: (usize, usize) = (512 << 10, 2 << 20);

/// Columns that are cut into such pages.
pub(crate) fn is_wide(column: &str) -> bool {
    WIDE.contains(&column)
}

/// Columns whose least and greatest value of each page are in the file.
const PAGE_STATISTICS: [&str; 9] =
    ["lsn", "time", "received_time", "class_uid", TENANT, "event_id", "rule", "kind", "value"];

/// The same of numbers in the columns of events.
const SELDOM_TWICE_NUMBERS: [&str; 6] =
    ["src_port", "src_nat_port", "bytes", "bytes_in", "bytes_out", "http_response_length"];

/// How much work goes into making a file small.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum Density {
    /// Written as rows come in, and soon rewritten.
    Fresh,
    /// Kept for months.
    #[default]
    Kept,
}

impl Density {
    /// Over generated firewall and web lines, levels 1 and 3 store the lines in 34 bytes each,
    /// level 9 in 27 at four times the work; 12 gains one more at eight times.
    fn level(self) -> i32 {
        match self {
            Self::Fresh => 1,
            Self::Kept => 9,
        }
    }
}

/// Room for a file's bytes to begin with; most are smaller.
const FILE_BYTES_EXPECTED: usize = 8 << 20;

/// A data file under construction, in memory.
pub(crate) struct FileWriter {
    data: ArrowWriter<Vec<u8>>,
    index: Option<IndexBuilder>,
    density: Density,
}

impl FileWriter {
    /// `width` is how many bytes of the longest column of long values a row has, about.
    pub(crate) fn new(
        kind: TableKind,
        schema: SchemaRef,
        density: Density,
        width: usize,
    ) -> Result<Self, LakeError> {
        let properties = properties(density.level(), width)?;
        let out = Vec::with_capacity(FILE_BYTES_EXPECTED);
        let data = ArrowWriter::try_new(out, schema, Some(properties))?;
        Ok(Self { data, index: IndexBuilder::new(kind), density })
    }

    /// Adds rows behind those before.
    pub(crate) fn write(&mut self, rows: &RecordBatch) -> Result<(), LakeError> {
        if let Some(index) = &mut self.index {
            index.push(rows);
        }
        Ok(self.data.write(rows)?)
    }

    /// Writes the file and its index durably where `entry` says, and fills in size and hash.
    pub(crate) fn store(
        self,
        store: &FsStore,
        kind: TableKind,
        mut entry: FileEntry,
    ) -> Result<FileEntry, LakeError> {
        let bytes = self.data.into_inner()?;
        let object = format!("{}/{}", kind.name(), entry.path);
        let written = store.put_bytes(&object, &bytes).map_err(|source| LakeError::Io {
            action: "write",
            path: object,
            source,
        })?;
        if let Some(index) = self.index {
            let object = path_of(kind, &entry);
            let bytes = index.finish(written.hash.as_bytes());
            if let Err(error) = store.put_beside(&object, &bytes) {
                // Queries read more without it; it is made again later.
                tracing::warn!(%error, index = object, "an index could not be written");
            }
        }
        (entry.size, entry.hash) = (written.size, written.hash.to_hex().to_string());
        entry.density = self.density;
        Ok(entry)
    }
}

fn properties(level: i32, width: usize) -> Result<WriterProperties, LakeError> {
    let column = |name: &str| ColumnPath::from(name);
    let mut properties = WriterProperties::builder()
        .set_created_by(format!("yagura {}", env!("CARGO_PKG_VERSION")))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(level)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
        .set_data_page_row_count_limit(GRANULE_ROWS)
        .set_write_batch_size(GRANULE_ROWS)
        .set_data_page_size_limit(PAGE_BYTES_MAX)
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for name in SELDOM_TWICE {
        properties = properties.set_column_dictionary_enabled(column(name), false);
    }
    // Receipt is that of a group of records, so a dictionary is small; deltas where it is not.
    for name in ["lsn", "time", "received_time"].iter().chain(&SELDOM_TWICE_NUMBERS) {
        properties = properties.set_column_encoding(column(name), Encoding::DELTA_BINARY_PACKED);
    }
    for name in SELDOM_TWICE_NUMBERS {
        properties = properties.set_column_dictionary_enabled(column(name), false);
    }
    for name in ["event_id", "event", "value"] {
        properties = properties.set_column_encoding(column(name), Encoding::DELTA_BYTE_ARRAY);
    }
    let page_bytes = width.saturating_mul(WIDE_PAGE_ROWS);
    let page_bytes = page_bytes.clamp(WIDE_PAGE_BYTES.0, WIDE_PAGE_BYTES.1);
    for name in WIDE {
        properties = properties.set_column_data_page_size_limit(column(name), page_bytes);
    }
    for name in ["first", "last"] {
        properties = properties.set_column_encoding(column(name), Encoding::DELTA_BINARY_PACKED);
    }
    for name in PAGE_STATISTICS {
        properties =
            properties.set_column_statistics_enabled(column(name), EnabledStatistics::Page);
    }
    Ok(properties.build())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pages_of_long_values_grow_with_their_rows_within_bounds() {
        let raw = ColumnPath::from("raw_data");
        let bytes = |width| properties(9, width).unwrap().column_data_page_size_limit(&raw);
        assert_eq!(bytes(0), 512 << 10);
        assert_eq!(bytes(150), 512 << 10);
        assert_eq!(bytes(700), 700 * 2_048);
        assert_eq!(bytes(3_700), 2 << 20);
        assert_eq!(bytes(usize::MAX), 2 << 20);
    }
}
