//! The memory tail: batches of rows in LSN order that no data file holds yet.

use crate::error::LakeError;
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::SchemaRef;
use std::sync::Arc;
use yagura_event::Lsn;

/// Rows built together, with only the columns that occur in them.
#[derive(Clone, Debug)]
pub struct TailBatch {
    /// The rows, in LSN order.
    pub rows: RecordBatch,
    /// LSN of the first row.
    pub first: Lsn,
    /// LSN of the last row.
    pub last: Lsn,
    /// Bytes of memory.
    pub bytes: usize,
}

impl TailBatch {
    /// Wraps rows whose LSNs run from `first` to `last`.
    pub fn new(rows: RecordBatch, first: Lsn, last: Lsn) -> Self {
        let bytes = rows.get_array_memory_size();
        Self { rows, first, last, bytes }
    }
}

/// `rows` with the columns of `schema`: those that are absent are null.
///
/// # Errors
/// [`LakeError::Arrow`] if a column has another type than in `schema`.
pub fn with_schema(rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, LakeError> {
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .map(|field| match rows.column_by_name(field.name()) {
            Some(column) => Arc::clone(column),
            None => new_null_array(field.data_type(), rows.num_rows()),
        })
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}
