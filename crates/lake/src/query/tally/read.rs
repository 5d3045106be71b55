//! Reads the column of a tally and counts.

use crate::fence::own_rows;
use crate::file::GRANULE_ROWS;
use crate::query::stop::checkpoint;
use crate::schema::TENANT;
use ahash::AHashMap;
use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Int32Type, Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::TryStreamExt as _;
use futures::stream::{self, BoxStream};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use parquet::basic::{Encoding, PageType};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use std::collections::VecDeque;
use std::sync::Arc;
use yagura_event::TenantName;

/// Most bytes of texts and counts that are kept before they are handed on.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// Bytes of a count beside its text.
const COUNT_BYTES: usize = 64;

/// What is counted.
pub(super) struct What {
    pub files: Vec<PartitionedFile>,
    /// Row groups are dealt out to so many.
    pub partitions: usize,
    pub column: String,
    /// Whose rows; of all where absent.
    pub tenant: Option<TenantName>,
    pub factory: Arc<dyn ParquetFileReaderFactory>,
    /// Of the counts: the text, then numbers.
    pub schema: SchemaRef,
}

/// The counts of this partition's row groups.
pub(super) fn counts(
    what: Arc<What>,
    partition: usize,
    context: &TaskContext,
) -> Result<SendableRecordBatchStream> {
    let schema = Arc::clone(&what.schema);
    let held = MemoryConsumer::new("tally").register(context.memory_pool());
    let run = Run {
        files: what.files.iter().cloned().collect(),
        what,
        partition,
        groups: 0,
        rows: None,
        counts: Counts::default(),
        held,
    };
    let batches = stream::try_unfold(run, |mut run| async move {
        Ok(run.next().await?.map(|batch| (batch, run)))
    });
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
}

struct Run {
    what: Arc<What>,
    partition: usize,
    files: VecDeque<PartitionedFile>,
    /// Row groups of the files before.
    groups: usize,
    /// What is left of the file at hand.
    rows: Option<BoxStream<'static, parquet::errors::Result<RecordBatch>>>,
    counts: Counts,
    held: MemoryReservation,
}

impl Run {
    /// Counts until there are enough to be handed on.
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            checkpoint()?;
            // Others work on this thread, too.
            tokio::task::consume_budget().await;
            if let Some(rows) = &mut self.rows {
                match rows.try_next().await? {
                    Some(batch) => self.count(&batch)?,
                    None => self.rows = None,
                }
                // Where memory is short, what follows merges them.
                let kept = self.counts.bytes;
                if kept > KEPT_BYTES_MAX || self.held.try_resize(kept).is_err() {
                    return self.given().map(Some);
                }
                continue;
            }
            let Some(file) = self.files.pop_front() else { break };
            self.rows = self.open(file).await?;
        }
        self.counts.settle();
        if self.counts.is_empty() { Ok(None) } else { self.given().map(Some) }
    }

    fn count(&mut self, batch: &RecordBatch) -> Result<()> {
        match &self.what.tenant {
            Some(tenant) => self.counts.add(&own_rows(batch, tenant)?, &self.what.column),
            None => self.counts.add(batch, &self.what.column),
        }
    }

    fn given(&mut self) -> Result<RecordBatch> {
        self.counts.settle();
        let (texts, numbers) = self.counts.take();
        self.held.free();
        let (texts, numbers): (ArrayRef, ArrayRef) = (Arc::new(texts), Arc::new(numbers));
        let columns = self.what.schema.fields().iter().enumerate().map(|(at, field)| match at {
            0 => cast(&texts, field.data_type()),
            _ => cast(&numbers, field.data_type()),
        });
        let columns = columns.collect::<arrow::error::Result<Vec<_>>>()?;
        Ok(RecordBatch::try_new(Arc::clone(&self.what.schema), columns)?)
    }

    /// This partition's row groups of a file.
    async fn open(
        &mut self,
        file: PartitionedFile,
    ) -> Result<Option<BoxStream<'static, parquet::errors::Result<RecordBatch>>>> {
        let metrics = ExecutionPlanMetricsSet::new();
        let mut reader = self.what.factory.create_reader(self.partition, file, None, &metrics)?;
        let file = reader.get_metadata(None).await?;
        let first = self.groups;
        self.groups += file.num_row_groups();
        let own = |group: &usize| (first + group) % self.what.partitions == self.partition;
        let own: Vec<usize> = (0..file.num_row_groups()).filter(own).collect();
        if own.is_empty() {
            return Ok(None);
        }
        let plain = ArrowReaderMetadata::try_new(Arc::clone(&file), ArrowReaderOptions::new())?;
        let wanted =
            |name: &str| name == self.what.column || (name == TENANT && self.what.tenant.is_some());
        let numbered = |field: &FieldRef| {
            let by_number = wanted(field.name())
                && *field.data_type() == DataType::Utf8
                && own.iter().all(|group| is_numbered(&file, *group, field.name()));
            if !by_number {
                return Arc::clone(field);
            }
            let kind = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            Arc::new(Field::clone(field).with_data_type(kind))
        };
        let fields: Vec<FieldRef> = plain.schema().fields().iter().map(numbered).collect();
        let roots = fields.iter().enumerate().filter(|(_, field)| wanted(field.name()));
        let roots: Vec<usize> = roots.map(|(at, _)| at).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, plain.schema().metadata().clone()));
        let options = ArrowReaderOptions::new().with_schema(schema);
        let described = ArrowReaderMetadata::try_new(file, options)?;
        let reader: Box<dyn AsyncFileReader> = reader;
        let rows = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, described);
        let mask = ProjectionMask::roots(rows.parquet_schema(), roots);
        let rows = rows
            .with_projection(mask)
            .with_row_groups(own)
            .with_batch_size(GRANULE_ROWS)
            .build()?;
        Ok(Some(Box::pin(rows)))
    }
}

/// Whether every row of the column in a row group refers to its text by number.
fn is_numbered(file: &ParquetMetaData, group: usize, column: &str) -> bool {
    let by_number =
        |one: Encoding| matches!(one, Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY);
    let all = |chunk: &ColumnChunkMetaData| match chunk.page_encoding_stats() {
        Some(pages) => pages
            .iter()
            .filter(|page| page.page_type != PageType::DICTIONARY_PAGE)
            .all(|page| by_number(page.encoding)),
        None => chunk.page_encoding_stats_mask().is_some_and(|mask| {
            mask.is_only(Encoding::RLE_DICTIONARY) || mask.is_only(Encoding::PLAIN_DICTIONARY)
        }),
    };
    let mut chunks = file.row_group(group).columns().iter();
    chunks.find(|chunk| chunk.column_path().string() == column).is_some_and(all)
}

/// The numbers of a column that refers to its texts so, and the texts.
fn numbered(column: &ArrayRef) -> Option<(&Int32Array, &StringArray)> {
    let column = column.as_any_dictionary_opt()?;
    let numbers = column.keys().as_primitive_opt::<Int32Type>()?;
    Some((numbers, column.values().as_string_opt::<i32>()?))
}

/// How often each text came.
#[derive(Default)]
struct Counts {
    texts: AHashMap<Box<str>, i64>,
    /// Rows without a text.
    without: i64,
    /// Of `texts`, about.
    bytes: usize,
    /// The texts that numbers stand for at the moment, and how often each came.
    known: Option<StringArray>,
    by_number: Vec<i64>,
}

impl Counts {
    fn is_empty(&self) -> bool {
        self.texts.is_empty() && self.without == 0
    }

    fn add(&mut self, rows: &RecordBatch, column: &str) -> Result<()> {
        let Some(column) = rows.column_by_name(column) else {
            // The file is older than the column.
            self.without += rows.num_rows() as i64;
            return Ok(());
        };
        self.without += column.null_count() as i64;
        let Some((numbers, texts)) = numbered(column) else {
            // Other tools may have written them in other types.
            let texts = cast(column, &DataType::Utf8)?;
            let texts = texts.as_string::<i32>().iter().flatten();
            texts.for_each(|text| self.put(text, 1));
            return Ok(());
        };
        // What is compared is kept, so that no other can stand in its place.
        let same = |known: &StringArray| {
            known.values().as_ptr() == texts.values().as_ptr()
                && known.offsets().as_ptr() == texts.offsets().as_ptr()
                && known.len() == texts.len()
        };
        if !self.known.as_ref().is_some_and(same) {
            self.settle();
            self.known = Some(texts.clone());
            self.by_number.resize(texts.len(), 0);
        }
        let mut count = |number: i32| {
            if let Some(slot) = self.by_number.get_mut(number as usize) {
                *slot += 1;
            }
        };
        match numbers.nulls().filter(|nulls| nulls.null_count() > 0) {
            None => numbers.values().iter().for_each(|number| count(*number)),
            Some(nulls) => nulls.valid_indices().for_each(|row| count(numbers.value(row))),
        }
        Ok(())
    }

    /// Takes the counts by number over to those by text.
    fn settle(&mut self) {
        let Some(texts) = self.known.take() else { return };
        let counts = std::mem::take(&mut self.by_number);
        for (at, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            self.put(texts.value(at), count);
        }
    }

    fn put(&mut self, text: &str, count: i64) {
        match self.texts.get_mut(text) {
            Some(known) => *known += count,
            None => {
                self.bytes += text.len() + COUNT_BYTES;
                self.texts.insert(text.into(), count);
            }
        }
    }

    /// All that was counted.
    fn take(&mut self) -> (StringArray, Int64Array) {
        let texts = std::mem::take(&mut self.texts);
        let without = std::mem::take(&mut self.without);
        self.bytes = 0;
        let null = (without > 0).then_some((None, without));
        let all = texts.iter().map(|(text, count)| (Some(text.as_ref()), *count)).chain(null);
        let (texts, counts): (Vec<Option<&str>>, Vec<i64>) = all.unzip();
        (StringArray::from(texts), Int64Array::from(counts))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow::array::{DictionaryArray, LargeStringArray, StringViewArray};

    #[test]
    fn texts_of_every_form_are_counted_and_rows_without_one() {
        let words = [Some("a"), None, Some("b"), Some("a")];
        let by_number: DictionaryArray<Int32Type> = words.into_iter().collect();
        let columns: [ArrayRef; 4] = [
            Arc::new(by_number),
            Arc::new(StringArray::from_iter(words)),
            Arc::new(LargeStringArray::from_iter(words)),
            Arc::new(StringViewArray::from_iter(words)),
        ];
        let mut counts = Counts::default();
        for column in columns {
            let rows = RecordBatch::try_from_iter_with_nullable([("w", column, true)]).unwrap();
            counts.add(&rows, "w").unwrap();
            counts.add(&rows, "not there").unwrap();
        }
        counts.settle();
        assert_eq!((counts.texts.get("a"), counts.texts.get("b")), (Some(&8), Some(&4)));
        assert_eq!(counts.without, 4 + 16);
        let (texts, numbers) = counts.take();
        assert_eq!((texts.null_count(), numbers.len()), (1, 3));
        assert!(counts.is_empty());
    }
}
