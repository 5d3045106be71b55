//! What describes data files, read and understood once: the places of pages too where of a file
//! only some rows are wanted.

use bytes::Bytes;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{
    CachedParquetFileReaderFactory, ParquetFileReaderFactory, ParquetRowSelection,
};
use datafusion::error::Result;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData};
use std::ops::Range;
use std::sync::Arc;

/// Opens data files for queries.
#[derive(Debug)]
pub(crate) struct Footers(pub CachedParquetFileReaderFactory);

impl ParquetFileReaderFactory for Footers {
    fn create_reader(
        &self,
        partition: usize,
        file: PartitionedFile,
        hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let chosen = file.extensions.get::<ParquetRowSelection>().is_some();
        let inner = self.0.create_reader(partition, file, hint, metrics)?;
        Ok(if chosen { Box::new(Paged(inner)) } else { inner })
    }
}

/// A file of which some rows are wanted. The engine asks where pages are only for conditions that
/// minima and maxima can refuse; without it, it reads a column's share of a row group whole for one
/// row of it.
struct Paged(Box<dyn AsyncFileReader + Send>);

impl AsyncFileReader for Paged {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        self.0.get_bytes(range)
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        self.0.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        let options = options.cloned().unwrap_or_default();
        let options = options.with_page_index_policy(PageIndexPolicy::Optional);
        async move { self.0.get_metadata(Some(&options)).await }.boxed()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::FsStore;
    use arrow::array::{ArrayRef, Int32Array, RecordBatch};
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
    use yagura_disk::RealFs;

    #[test]
    fn the_places_of_pages_are_known_where_rows_are_chosen_whatever_the_engine_asks() {
        let dir = tempfile::tempdir().unwrap();
        let column: ArrayRef = Arc::new(Int32Array::from_iter_values(0..100));
        let rows = RecordBatch::try_from_iter([("n", column)]).unwrap();
        let mut out = ArrowWriter::try_new(Vec::new(), rows.schema(), None).unwrap();
        out.write(&rows).unwrap();
        let bytes = out.into_inner().unwrap();
        std::fs::write(dir.path().join("f.parquet"), &bytes).unwrap();
        let store = FsStore::new(Arc::new(RealFs), dir.path());
        let whole = PartitionedFile::new("f.parquet", bytes.len() as u64);
        let rows = [RowSelector::skip(7), RowSelector::select(1), RowSelector::skip(92)];
        let rows = RowSelection::from(rows.to_vec());
        let some = whole.clone().with_extension(ParquetRowSelection::new(rows));
        let skip = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Skip);
        let knows = |file: &PartitionedFile| {
            let metrics = ExecutionPlanMetricsSet::new();
            let mut reader =
                store.reader_factory().create_reader(0, file.clone(), None, &metrics).unwrap();
            let read = crate::writer::runtime().unwrap().block_on(reader.get_metadata(Some(&skip)));
            read.unwrap().offset_index().is_some()
        };
        assert!(!knows(&whole));
        // Also where the rest has been read before.
        assert!(knows(&some));
    }
}
