//! Query results as text: a table for people, NDJSON and CSV for programs.

use crate::error::LakeError;
use crate::sql::SqlResult;
use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::csv::WriterBuilder as CsvBuilder;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::json::LineDelimitedWriter;
use arrow::util::display::FormatOptions;
use arrow::util::pretty::pretty_format_batches_with_options;
use std::io::Write;
use std::sync::Arc;

/// How times look in tables and CSV: RFC 3339 with microseconds.
const TIME_FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.6fZ";

/// Writes a table with a header and lines.
///
/// # Errors
/// [`LakeError::Io`] if `out` refuses, [`LakeError::Arrow`] for a column without text form.
pub fn write_table(result: &SqlResult, out: &mut dyn Write) -> Result<(), LakeError> {
    let options = FormatOptions::default().with_timestamp_tz_format(Some(TIME_FORMAT));
    let empty = [RecordBatch::new_empty(Arc::clone(&result.schema))];
    let batches = if result.batches.is_empty() { &empty } else { result.batches.as_slice() };
    let text = pretty_format_batches_with_options(batches, &options)?;
    writeln!(out, "{text}").map_err(refused)
}

/// Writes one JSON object a row; columns that are null are left out.
///
/// # Errors
/// As for [`write_table`].
pub fn write_ndjson(result: &SqlResult, out: &mut dyn Write) -> Result<(), LakeError> {
    let mut writer = LineDelimitedWriter::new(out);
    for batch in &result.batches {
        writer.write(batch)?;
    }
    Ok(writer.finish()?)
}

/// Writes a header and one line a row; lists and objects are JSON texts.
///
/// # Errors
/// As for [`write_table`].
pub fn write_csv(result: &SqlResult, out: &mut dyn Write) -> Result<(), LakeError> {
    let mut writer = CsvBuilder::new()
        .with_header(true)
        .with_timestamp_tz_format(TIME_FORMAT.to_owned())
        .build(out);
    if result.batches.is_empty() {
        writer.write(&flat(&RecordBatch::new_empty(Arc::clone(&result.schema)))?)?;
    }
    for batch in &result.batches {
        writer.write(&flat(batch)?)?;
    }
    Ok(())
}

fn refused(source: std::io::Error) -> LakeError {
    LakeError::Io { action: "write", path: "the result".to_owned(), source }
}

/// The batch with lists and structs turned into JSON texts.
fn flat(batch: &RecordBatch) -> Result<RecordBatch, LakeError> {
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if field.data_type().is_nested() {
            fields.push(Field::new(field.name(), DataType::Utf8, true));
            columns.push(Arc::new(json_texts(column)?));
        } else {
            fields.push(field.as_ref().clone());
            columns.push(Arc::clone(column));
        }
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

fn json_texts(column: &ArrayRef) -> Result<StringArray, LakeError> {
    let field = Field::new("v", column.data_type().clone(), true);
    let rows = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::clone(column)])?;
    let mut text = Vec::new();
    let mut writer = LineDelimitedWriter::new(&mut text);
    writer.write(&rows)?;
    writer.finish()?;
    let text = String::from_utf8_lossy(&text);
    let values = text.lines().map(|line| {
        let mut row: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(row.get_mut("v")?.take().to_string())
    });
    let mut values: Vec<Option<String>> = values.collect();
    values.resize(column.len(), None);
    Ok(StringArray::from(values))
}
