//! Crashes at numbered I/O operations, full disks and failing syncs: every row exactly once.

use crate::common::*;
use std::path::Path;
use std::sync::Arc;
use yagura_event::Lsn;
use yagura_lake::{LakeError, TableKind};
use yagura_testkit::simfs::SimFs;

const DIR: &str = "/data/lake";
const LAST: u64 = 24;

/// Flushes of eight records each, from wherever the tables are. `promised` is set to what
/// each flush reported as committed.
fn run(fs: &SimFs, promised: &mut (Lsn, Lsn)) -> Result<(), LakeError> {
    let mut writer = open_on(Arc::new(fs.clone()), Path::new(DIR))?;
    *promised = writer.checkpoint();
    let (events, matches) = *promised;
    let from = events.min(matches).0 + 1;
    let mut next = from;
    while next <= LAST {
        let to = (next + 7).min(LAST);
        feed(&mut writer, next..=to);
        writer.flush()?;
        *promised = writer.checkpoint();
        next = to + 1;
    }
    Ok(())
}

/// What the tables hold is exactly what their `txn` says, and no less than was promised.
fn assert_consistent(fs: &SimFs, promised: (Lsn, Lsn)) {
    let writer = open_on(Arc::new(fs.clone()), Path::new(DIR)).unwrap();
    let (events, matches) = writer.checkpoint();
    assert!(
        events >= promised.0 && matches >= promised.1,
        "{promised:?} became {events} {matches}"
    );
    let view = writer.handle().view();
    for (kind, txn) in [(TableKind::Events, events), (TableKind::Matches, matches)] {
        let sql = format!(
            "SELECT count(*), count(DISTINCT lsn), coalesce(max(lsn), 0) FROM {}",
            kind.name()
        );
        let txn = txn.0.cast_signed();
        assert_eq!(numbers(&view, &sql), [txn, txn, txn], "{kind:?}");
    }
}

#[test]
fn a_power_cut_at_any_operation_loses_and_doubles_nothing() {
    let clean = SimFs::new();
    run(&clean, &mut Default::default()).unwrap();
    let operations = clean.operations();
    assert!(operations > 100, "{operations}");
    let runs: u64 = if std::env::var_os("YAGURA_FULL").is_some() { operations } else { 36 };
    for seed in 0..runs {
        let at = 1 + seed * operations / runs;
        let fs = SimFs::new();
        fs.set_faults(|faults| faults.crash_at = Some(at));
        let mut promised = Default::default();
        assert!(run(&fs, &mut promised).is_err(), "crash at {at} went unnoticed");
        let fs = fs.crash_image(seed);
        println!("seed {seed}: crash at operation {at} of {operations}");
        assert_consistent(&fs, promised);
        run(&fs, &mut promised).unwrap();
        assert_eq!(promised, (Lsn(LAST), Lsn(LAST)));
        let fs = fs.crash_image(seed);
        assert_consistent(&fs, promised);
        let report = yagura_lake::verify(Arc::new(fs), Path::new(DIR)).unwrap();
        assert!(report.damages.is_empty(), "seed {seed}: {:?}", report.damages);
    }
}

#[test]
fn a_flush_that_failed_is_repeated_without_doubling() {
    let clean = SimFs::new();
    run(&clean, &mut Default::default()).unwrap();
    let syncs = clean.syncs();
    for at in (1..=syncs).step_by(4) {
        let fs = SimFs::new();
        fs.set_faults(|faults| faults.sync_error_at = Some(at));
        let Ok(mut writer) = open_on(Arc::new(fs.clone()), Path::new(DIR)) else { continue };
        let mut failed = 0;
        for from in [1, 9, 17] {
            feed(&mut writer, from..=from + 7);
            failed += usize::from(writer.flush().is_err());
        }
        writer.flush().unwrap();
        assert!(failed <= 1);
        assert_once(&writer.handle().view(), LAST);
        let promised = writer.checkpoint();
        drop(writer);
        println!("sync {at} of {syncs} failed");
        assert_consistent(&fs.crash_image(at), promised);
    }
}

#[test]
fn a_full_disk_keeps_the_rows_in_memory_until_there_is_room() {
    let fs = SimFs::new();
    let mut writer = open_on(Arc::new(fs.clone()), Path::new(DIR)).unwrap();
    feed(&mut writer, 1..=10);
    fs.set_faults(|faults| faults.full_from = Some(1));
    assert!(writer.flush().is_err());
    assert_eq!(writer.tail_rows(), 20);
    assert_once(&writer.handle().view(), 10);
    fs.set_faults(|faults| faults.full_from = None);
    writer.flush().unwrap();
    assert_eq!(writer.tail_rows(), 0);
    assert_once(&writer.handle().view(), 10);
}

#[test]
fn a_disk_that_lies_about_syncs_is_noticed_by_this_simulation() {
    for lie in ["file", "directory"] {
        let mut noticed = false;
        for seed in 0..8 {
            let fs = SimFs::new();
            fs.set_faults(|faults| match lie {
                "file" => faults.lie_about_file_sync = true,
                _ => faults.lie_about_dir_sync = true,
            });
            let mut promised = Default::default();
            run(&fs, &mut promised).unwrap();
            let fs = fs.crash_image(seed);
            noticed |= match open_on(Arc::new(fs.clone()), Path::new(DIR)) {
                Err(_) => true,
                Ok(writer) => writer.checkpoint() < promised,
            };
            let report = yagura_lake::verify(Arc::new(fs), Path::new(DIR));
            noticed |= report.is_err() || report.is_ok_and(|r| !r.damages.is_empty());
        }
        assert!(noticed, "{lie}");
    }
}
