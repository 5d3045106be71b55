//! Texts as views within the engine, which groups and compares them without copying, and plain in
//! answers.

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;
use std::sync::Arc;

/// The schema with its texts as views; those within lists stay what they are.
pub(crate) fn viewed(schema: &SchemaRef) -> SchemaRef {
    let field = |field: &FieldRef| match field.data_type() {
        DataType::Utf8 => with_type(field, DataType::Utf8View),
        _ => Arc::clone(field),
    };
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

fn with_type(field: &FieldRef, kind: DataType) -> FieldRef {
    Arc::new(Field::clone(field).with_data_type(kind))
}

/// The type with plain texts, also within lists and objects.
fn plain_type(kind: &DataType) -> DataType {
    match kind {
        DataType::Utf8View => DataType::Utf8,
        DataType::List(element) => DataType::List(plain_field(element)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(plain_field).collect()),
        other => other.clone(),
    }
}

fn plain_field(field: &FieldRef) -> FieldRef {
    with_type(field, plain_type(field.data_type()))
}

/// The same rows with plain texts.
pub(crate) fn plain(stream: SendableRecordBatchStream) -> SendableRecordBatchStream {
    let given = stream.schema();
    let fields: Vec<FieldRef> = given.fields().iter().map(plain_field).collect();
    let schema = Arc::new(Schema::new_with_metadata(fields, given.metadata().clone()));
    if schema == given {
        return stream;
    }
    let target = Arc::clone(&schema);
    let rows = stream.map(move |batch| Ok(with_schema(&batch?, &target)?));
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

/// The rows with the types of `schema`, whose columns they have.
///
/// # Errors
/// For a type that another cannot become, which would be a defect.
pub(crate) fn with_schema(
    rows: &RecordBatch,
    schema: &SchemaRef,
) -> arrow::error::Result<RecordBatch> {
    let columns = rows.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| match column.data_type() == field.data_type() {
        true => Ok(Arc::clone(column)),
        false => cast(column, field.data_type()),
    });
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    let columns = columns.collect::<Result<_, _>>()?;
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}
