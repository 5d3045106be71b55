//! Compaction: fewer files, the same rows, over crashes, open views and rivals.

use crate::common::*;
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use arrow::util::pretty::pretty_format_batches;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use yagura_event::Lsn;
use yagura_lake::{LakeError, LakeView, LakeWriter, TableKind};
use yagura_testkit::simfs::SimFs;

const DIR: &str = "/data/lake";
const ROWS: &str = "SELECT event_id, tenant, time, src_ip, dst_port, raw_data, lsn FROM events \
                    ORDER BY tenant, class_uid, source, time, lsn";

/// Flushes of three records each.
fn grow(writer: &mut LakeWriter, flushes: u64) {
    let mut next = writer.checkpoint().0.0 + 1;
    for _ in 0..flushes {
        feed(writer, next..=next + 2);
        writer.flush().unwrap();
        next += 3;
    }
}

/// Rewrites until nothing is worth it; returns how many there were.
fn compact(writer: &mut LakeWriter) -> Result<usize, LakeError> {
    let mut done = 0;
    while let Some(rewrite) = writer.plan_rewrite() {
        writer.end_rewrite(rewrite.write(), Instant::now())?;
        done += 1;
    }
    Ok(done)
}

fn shown(view: &Arc<LakeView>) -> Vec<String> {
    let result = ask(Arc::clone(view), operator(), ROWS).unwrap();
    let text = pretty_format_batches(&result.batches).unwrap().to_string();
    text.lines().filter(|line| line.contains("line")).map(str::to_owned).collect()
}

#[test]
fn many_files_become_few_with_the_same_rows_sorted() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    grow(&mut writer, 20);
    let before = (shown(&writer.handle().view()), writer.stored_counts(), writer.live_files());
    assert_eq!(before.0.len(), 60);
    assert!(compact(&mut writer).unwrap() >= 4);
    let view = writer.handle().view();
    assert_eq!((shown(&view), writer.stored_counts()), (before.0, before.1));
    assert!(writer.live_files() * 3 < before.2, "{} of {}", writer.live_files(), before.2);
    assert_eq!(writer.checkpoint(), (Lsn(60), Lsn(60)));
    assert_once(&view, 60);
    // As the files hold them, without being asked for an order.
    for file in view.events.files.iter().filter(|file| file.stats.records > 3) {
        let path = dir.path().join("events").join(&file.path);
        let reader = std::fs::File::open(path).unwrap();
        let rows = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(reader, 4096);
        let lsns: Vec<i64> = rows.unwrap().flat_map(|batch| lsns(&batch.unwrap())).collect();
        assert!(lsns.is_sorted() && lsns.len() as u64 == file.stats.records, "{lsns:?}");
    }
    drop(view);
    let report = yagura_lake::verify(Arc::new(yagura_disk::RealFs), dir.path()).unwrap();
    assert!(report.damages.is_empty() && report.orphans.is_empty(), "{report:?}");
    // What is rewritten can be appended to, reopened and rewritten again.
    grow(&mut writer, 9);
    drop(writer);
    let mut writer = open(dir.path());
    compact(&mut writer).unwrap();
    assert_once(&writer.handle().view(), 87);
}

#[test]
fn replaced_files_stay_while_a_view_holds_them_and_readers_have_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    grow(&mut writer, 8);
    let old = writer.handle().view();
    let before = shown(&old);
    assert!(compact(&mut writer).unwrap() > 0);
    let now = Instant::now();
    assert_eq!(writer.sweep(now, Duration::ZERO).unwrap(), 0);
    assert_eq!(shown(&old), before);
    drop(old);
    assert_eq!(writer.sweep(now, Duration::from_secs(60)).unwrap(), 0);
    let later = now + Duration::from_secs(61);
    assert!(writer.sweep(later, Duration::from_secs(60)).unwrap() >= 16);
    assert_eq!(shown(&writer.handle().view()), before);
    let report = yagura_lake::verify(Arc::new(yagura_disk::RealFs), dir.path()).unwrap();
    assert!(report.damages.is_empty(), "{report:?}");
    assert_eq!(report.files as usize, report_files(&writer));
}

fn lsns(rows: &RecordBatch) -> Vec<i64> {
    rows.column_by_name("lsn").unwrap().as_primitive::<Int64Type>().values().to_vec()
}

/// Files that have a checksum and are there: data, log entries.
fn report_files(writer: &LakeWriter) -> usize {
    let view = writer.handle().view();
    let versions = TableKind::ALL.map(|kind| {
        let log = view.store().file(&format!("{}/_delta_log", kind.name()));
        std::fs::read_dir(log).unwrap().count()
    });
    writer.live_files() + versions.iter().sum::<usize>()
}

#[test]
fn of_two_rewrites_of_the_same_files_one_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    grow(&mut writer, 8);
    let mut rival = open(dir.path());
    let (one, two, three) = (writer.plan_rewrite(), writer.plan_rewrite(), rival.plan_rewrite());
    writer.end_rewrite(one.unwrap().write(), Instant::now()).unwrap();
    // The same process again: the files are not live any more.
    writer.end_rewrite(two.unwrap().write(), Instant::now()).unwrap();
    assert_once(&writer.handle().view(), 24);
    // Another one that has not seen it.
    assert!(rival.end_rewrite(three.unwrap().write(), Instant::now()).is_err());
    drop((writer, rival));
    assert_once(&open(dir.path()).handle().view(), 24);
}

/// Twelve flushes with rewrites and deletions between them.
fn run(fs: &SimFs) -> Result<(), LakeError> {
    let mut writer = open_on(Arc::new(fs.clone()), Path::new(DIR))?;
    let (events, matches) = writer.checkpoint();
    let mut next = events.min(matches).0 + 1;
    while next <= 24 {
        feed(&mut writer, next..=next + 1);
        writer.flush()?;
        next += 2;
        compact(&mut writer)?;
        writer.sweep(Instant::now(), Duration::ZERO)?;
    }
    Ok(())
}

#[test]
fn a_power_cut_at_any_operation_of_a_rewrite_loses_and_doubles_nothing() {
    each_power_cut(36, run, &|seed, fs| {
        let writer = open_on(Arc::new(fs.clone()), Path::new(DIR)).unwrap();
        let (events, view) = (writer.checkpoint().0.0, writer.handle().view());
        let count = "SELECT count(*), count(DISTINCT lsn), coalesce(max(lsn), 0) FROM events";
        assert_eq!(numbers(&view, count), [events.cast_signed(); 3]);
        drop((writer, view));
        run(&fs).unwrap();
        let fs = fs.crash_image(seed);
        let writer = open_on(Arc::new(fs.clone()), Path::new(DIR)).unwrap();
        assert_once(&writer.handle().view(), writer.checkpoint().0.0);
        let report = yagura_lake::verify(Arc::new(fs), Path::new(DIR)).unwrap();
        assert!(report.damages.is_empty(), "seed {seed}: {:?}", report.damages);
    });
}
