//! Query results in their forms: a table for people, NDJSON and CSV for programs, Parquet and Arrow
//! for tools that read columns.

use crate::error::LakeError;
use crate::sql::SqlResult;
use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::csv::WriterBuilder as CsvBuilder;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::writer::StreamWriter;
use arrow::json::LineDelimitedWriter;
use arrow::util::display::FormatOptions;
use arrow::util::pretty::pretty_format_batches_with_options;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::io::Write;
use std::sync::Arc;

/// How times look in tables and CSV: RFC 3339 with microseconds.
const TIME_FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.6fZ";

/// Bytes of a Parquet answer's columns in memory at which they are written as a row group.
const GROUP_BYTES: usize = 16 * 1024 * 1024;

/// Most rows of a table for people: the widths of its columns are known only when all are there.
pub const TABLE_ROWS_MAX: usize = 100_000;

/// The form of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Columns for people.
    Table,
    /// One JSON object a line.
    Ndjson,
    /// Comma-separated values with a header.
    Csv,
    /// A Parquet file.
    Parquet,
    /// A stream of Arrow's IPC form.
    Arrow,
}

impl Form {
    /// Every form by name.
    pub const ALL: [(&'static str, Self); 5] = [
        ("table", Self::Table),
        ("ndjson", Self::Ndjson),
        ("csv", Self::Csv),
        ("parquet", Self::Parquet),
        ("arrow", Self::Arrow),
    ];

    /// The form of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, form)| *form)
    }
}

/// Writes an answer in its form, batch by batch.
pub struct Encoder(Inner);

enum Inner {
    Table(SchemaRef, Vec<RecordBatch>),
    Ndjson,
    Csv { schema: SchemaRef, begun: bool },
    Parquet(Box<ArrowWriter<Vec<u8>>>),
    Arrow(Box<StreamWriter<Vec<u8>>>),
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Encoder")
    }
}

impl Encoder {
    /// An encoder of rows with these columns.
    ///
    /// # Errors
    /// [`LakeError::Arrow`] or [`LakeError::Parquet`] for a column that the form has no room for.
    pub fn new(form: Form, schema: &SchemaRef) -> Result<Self, LakeError> {
        Ok(Self(match form {
            Form::Table => Inner::Table(Arc::clone(schema), Vec::new()),
            Form::Ndjson => Inner::Ndjson,
            Form::Csv => Inner::Csv { schema: Arc::clone(schema), begun: false },
            Form::Parquet => {
                let level = ZstdLevel::try_new(1)?;
                let properties =
                    WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
                let writer =
                    ArrowWriter::try_new(Vec::new(), Arc::clone(schema), Some(properties))?;
                Inner::Parquet(Box::new(writer))
            }
            Form::Arrow => Inner::Arrow(Box::new(StreamWriter::try_new(Vec::new(), schema)?)),
        }))
    }

    /// Adds rows; the bytes that are ready so far.
    ///
    /// # Errors
    /// [`LakeError::Arrow`] or [`LakeError::Parquet`] for a value without such a form.
    pub fn rows(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, LakeError> {
        let mut out = Vec::new();
        match &mut self.0 {
            Inner::Table(_, all) => all.push(batch.clone()),
            Inner::Ndjson => {
                let mut writer = LineDelimitedWriter::new(&mut out);
                writer.write(batch)?;
                writer.finish()?;
            }
            Inner::Csv { begun, .. } => {
                csv_rows(batch, !*begun, &mut out)?;
                *begun = true;
            }
            Inner::Parquet(writer) => {
                writer.write(batch)?;
                if writer.in_progress_size() > GROUP_BYTES {
                    writer.flush()?;
                }
                out = std::mem::take(writer.inner_mut());
            }
            Inner::Arrow(writer) => {
                writer.write(batch)?;
                out = std::mem::take(writer.get_mut());
            }
        }
        Ok(out)
    }

    /// The last bytes.
    ///
    /// # Errors
    /// As for [`Encoder::rows`].
    pub fn end(self) -> Result<Vec<u8>, LakeError> {
        let mut out = Vec::new();
        match self.0 {
            Inner::Table(schema, batches) => table(&schema, &batches, &mut out)?,
            Inner::Ndjson => {}
            Inner::Csv { schema, begun } => {
                if !begun {
                    csv_rows(&RecordBatch::new_empty(schema), true, &mut out)?;
                }
            }
            Inner::Parquet(writer) => out = writer.into_inner()?,
            Inner::Arrow(mut writer) => {
                writer.finish()?;
                out = std::mem::take(writer.get_mut());
            }
        }
        Ok(out)
    }
}

/// Writes a table with a header and lines.
///
/// # Errors
/// [`LakeError::Io`] if `out` refuses, [`LakeError::Arrow`] for a column without text form.
pub fn write_table(result: &SqlResult, out: &mut dyn Write) -> Result<(), LakeError> {
    table(&result.schema, &result.batches, out)
}

fn table(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    out: &mut dyn Write,
) -> Result<(), LakeError> {
    let options = FormatOptions::default().with_timestamp_tz_format(Some(TIME_FORMAT));
    let empty = [RecordBatch::new_empty(Arc::clone(schema))];
    let batches = if batches.is_empty() { &empty } else { batches };
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
    if result.batches.is_empty() {
        csv_rows(&RecordBatch::new_empty(Arc::clone(&result.schema)), true, out)?;
    }
    for (at, batch) in result.batches.iter().enumerate() {
        csv_rows(batch, at == 0, out)?;
    }
    Ok(())
}

fn csv_rows(batch: &RecordBatch, header: bool, out: &mut dyn Write) -> Result<(), LakeError> {
    let mut writer = CsvBuilder::new()
        .with_header(header)
        .with_timestamp_tz_format(TIME_FORMAT.to_owned())
        .build(out);
    Ok(writer.write(&flat(batch)?)?)
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
