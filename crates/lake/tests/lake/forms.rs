//! Answers in every form.

use crate::common::*;
use arrow::array::RecordBatch;
use arrow::ipc::reader::StreamReader;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use yagura_lake::SqlResult;
use yagura_lake::output::{Encoder, Form, write_csv, write_ndjson, write_table};

fn encoded(form: Form, result: &SqlResult) -> Vec<u8> {
    let mut encoder = Encoder::new(form, &result.schema).unwrap();
    let mut out = Vec::new();
    for batch in &result.batches {
        // Parts of a batch come as batches of their own.
        for row in 0..batch.num_rows() {
            out.append(&mut encoder.rows(&batch.slice(row, 1)).unwrap());
        }
    }
    out.append(&mut encoder.end().unwrap());
    out
}

fn ndjson(batches: Vec<RecordBatch>) -> String {
    let schema = batches[0].schema();
    let joined = arrow::compute::concat_batches(&schema, &batches).unwrap();
    let mut writer = arrow::json::LineDelimitedWriter::new(Vec::new());
    writer.write(&joined).unwrap();
    writer.finish().unwrap();
    String::from_utf8(writer.into_inner()).unwrap()
}

#[test]
fn every_form_holds_the_same_rows() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    feed(&mut writer, 1..=30);
    writer.flush().unwrap();
    let view = writer.handle().view();
    for query in [
        "SELECT * FROM events ORDER BY lsn",
        "SELECT time, dns_answers, lsn FROM events WHERE lsn < 0",
    ] {
        let result = ask(view.clone(), operator(), query).unwrap();
        let (mut table, mut lines, mut csv) = (Vec::new(), Vec::new(), Vec::new());
        write_table(&result, &mut table).unwrap();
        write_ndjson(&result, &mut lines).unwrap();
        write_csv(&result, &mut csv).unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        assert_eq!(text(encoded(Form::Table, &result)), text(table));
        assert_eq!(text(encoded(Form::Ndjson, &result)), text(lines.clone()));
        assert_eq!(text(encoded(Form::Csv, &result)), text(csv));
        let arrow = encoded(Form::Arrow, &result);
        let reader = StreamReader::try_new(arrow.as_slice(), None).unwrap();
        assert_eq!(reader.schema(), result.schema);
        let arrow: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
        let parquet = Bytes::from(encoded(Form::Parquet, &result));
        let reader = ParquetRecordBatchReaderBuilder::try_new(parquet).unwrap();
        assert_eq!(reader.schema().fields(), result.schema.fields());
        let parquet: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        if result.rows() == 0 {
            assert!(arrow.is_empty() && parquet.is_empty());
        } else {
            assert_eq!(ndjson(arrow), text(lines.clone()));
            assert_eq!(ndjson(parquet), text(lines));
        }
    }
    assert_eq!(Form::named("parquet"), Some(Form::Parquet));
    assert_eq!(Form::named("xml"), None);
}
