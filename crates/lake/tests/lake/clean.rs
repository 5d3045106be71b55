//! The log's clean-up: two checkpoints stay, and every live file keeps its checksum.

use crate::common::*;
use std::path::Path;
use std::sync::Arc;
use yagura_disk::Fs;
use yagura_lake::{LakeError, LakeWriter, TableKind, verify};
use yagura_testkit::simfs::SimFs;

const DIR: &str = "/data/lake";

/// Commits of one record each to `events` alone.
fn commit(writer: &mut LakeWriter, lsns: std::ops::RangeInclusive<u64>) -> Result<(), LakeError> {
    for lsn in lsns {
        feed(writer, lsn..=lsn);
        writer.flush_table(TableKind::Events)?;
    }
    Ok(())
}

fn log_entries(fs: &SimFs) -> usize {
    let names = fs.list(&Path::new(DIR).join("events/_delta_log")).unwrap();
    names.iter().filter(|name| name.ends_with(".json")).count()
}

fn assert_sound(fs: &SimFs, commits: u64) {
    let report = verify(Arc::new(fs.clone()), Path::new(DIR)).unwrap();
    assert!(report.damages.is_empty(), "{:?}", report.damages);
    let writer = open_on(Arc::new(fs.clone()), Path::new(DIR)).unwrap();
    assert_eq!(writer.checkpoint().0.0, commits);
    let files = &writer.handle().view().events.files;
    assert_eq!(files.iter().map(|file| file.stats.records).sum::<u64>(), commits);
}

#[test]
fn a_power_cut_at_any_operation_of_a_clean_up_leaves_a_log_that_opens() {
    // Version 199, the second checkpoint's, is commit 199: version 0 made the table.
    let fs = SimFs::new();
    let mut writer = open_on(Arc::new(fs.clone()), Path::new(DIR)).unwrap();
    commit(&mut writer, 1..=198).unwrap();
    drop(writer);
    assert_eq!(log_entries(&fs), 199);
    assert_sound(&fs, 198);
    let clean = fs.killed_image();
    let mut writer = open_on(Arc::new(clean.clone()), Path::new(DIR)).unwrap();
    let before = clean.operations();
    commit(&mut writer, 199..=199).unwrap();
    let operations = clean.operations();
    // 99 entries went, and their checksums with them.
    assert_eq!(log_entries(&clean), 101);
    drop(writer);
    assert_sound(&clean, 199);
    let every = if std::env::var_os("YAGURA_FULL").is_some() { 1 } else { 9 };
    for at in (before + 1..=operations).step_by(every) {
        let fs = fs.killed_image();
        fs.set_faults(|faults| faults.crash_at = Some(at));
        let mut writer = open_on(Arc::new(fs.clone()), Path::new(DIR)).unwrap();
        // A clean-up that fails is no failure of the commit.
        let failed = commit(&mut writer, 199..=199).is_err();
        drop(writer);
        println!("crash at operation {at} of {operations}, commit failed: {failed}");
        let fs = fs.crash_image(at);
        let mut writer = open_on(Arc::new(fs.clone()), Path::new(DIR)).unwrap();
        let done = writer.checkpoint().0.0;
        assert!(done == 199 || (failed && done == 198), "{done}");
        commit(&mut writer, done + 1..=200).unwrap();
        drop(writer);
        assert_sound(&fs, 200);
    }
    // What a crash left goes with the next checkpoint.
    let mut writer = open_on(Arc::new(clean.clone()), Path::new(DIR)).unwrap();
    commit(&mut writer, 200..=299).unwrap();
    drop(writer);
    assert_eq!(log_entries(&clean), 101);
    assert_sound(&clean, 299);
}
