//! Data files read part by part through [`Fs`], outside the query engine.

use crate::error::LakeError;
use crate::file::FileEntry;
use crate::schema::TableKind;
use crate::store::FsStore;
use arrow::array::RecordBatch;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::reader::{ChunkReader, Length};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use yagura_disk::Fs;

/// Rows of a batch: a granule.
const BATCH_ROWS: usize = crate::file::GRANULE_ROWS;

/// Bytes read at a time where the end is not known.
const PIECE_BYTES: usize = 64 << 10;

/// A file of an [`Fs`].
struct Pieces {
    fs: Arc<dyn Fs>,
    path: PathBuf,
    len: u64,
}

impl Length for Pieces {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Pieces {
    type T = From;

    fn get_read(&self, start: u64) -> ParquetResult<From> {
        let (fs, path) = (Arc::clone(&self.fs), self.path.clone());
        Ok(From { fs, path, at: start, piece: Bytes::new() })
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let bytes = self.fs.read_range(&self.path, start, length)?;
        if bytes.len() != length {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} are not all there")));
        }
        Ok(bytes.into())
    }
}

/// The bytes of a file from some place on.
struct From {
    fs: Arc<dyn Fs>,
    path: PathBuf,
    at: u64,
    piece: Bytes,
}

impl Read for From {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            self.piece = self.fs.read_range(&self.path, self.at, PIECE_BYTES)?.into();
            self.at += self.piece.len() as u64;
        }
        let count = out.len().min(self.piece.len());
        let taken = self.piece.split_to(count);
        out.iter_mut().zip(taken).for_each(|(slot, byte)| *slot = byte);
        Ok(count)
    }
}

/// The rows of a data file in their order: of these columns, or of all; of these rows, or of all.
///
/// # Errors
/// A file that cannot be read or is no data file.
pub(crate) fn read_rows(
    store: &FsStore,
    kind: TableKind,
    file: &FileEntry,
    columns: Option<&dyn Fn(&str) -> bool>,
    rows: Option<RowSelection>,
) -> Result<impl Iterator<Item = Result<RecordBatch, LakeError>>, LakeError> {
    let path = store.file(&format!("{}/{}", kind.name(), file.path));
    let pieces = Pieces { fs: Arc::clone(store.fs()), path, len: file.size };
    // Of chosen rows only the pages are read that hold some.
    let pages = if rows.is_some() { PageIndexPolicy::Optional } else { PageIndexPolicy::Skip };
    let options = ArrowReaderOptions::new().with_page_index_policy(pages);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(pieces, options)?;
    let mut builder = builder.with_batch_size(BATCH_ROWS);
    if let Some(wanted) = columns {
        let schema = builder.schema();
        let fields = schema.fields().iter().enumerate();
        let roots: Vec<usize> =
            fields.filter(|(_, field)| wanted(field.name())).map(|(at, _)| at).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        builder = builder.with_projection(mask);
    }
    if let Some(rows) = rows {
        builder = builder.with_row_selection(rows);
    }
    Ok(builder.build()?.map(|rows| rows.map_err(LakeError::from)))
}
