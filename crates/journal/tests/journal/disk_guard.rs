//! A disk that fills up: what is given up, in which order, and what still finishes.
use std::path::Path;
use std::sync::Arc;
use yagura_disk::{BALLAST, DiskGuard, DiskLimits, DiskStage, Fs};
use yagura_event::{Context, Reference, SourceChoice, TenantName};
use yagura_journal::{Entry, Journal, JournalError, JournalWriter, Options, Record};
use yagura_testkit::simfs::SimFs;

const LIMITS: DiskLimits = DiskLimits {
    warn_free_bytes: 1_000_000,
    stop_compaction_free_bytes: 800_000,
    refuse_free_bytes: 500_000,
    ballast_bytes: 100_000,
};

fn free(fs: &SimFs, bytes: u64) {
    fs.set_faults(|f| f.free_bytes = bytes);
}

fn guard(fs: &SimFs) -> DiskGuard {
    let guard = DiskGuard::new(Arc::new(fs.clone()), Path::new(""), LIMITS);
    guard.keep_ballast();
    guard
}

fn ballast(fs: &SimFs) -> Option<u64> {
    fs.metadata(Path::new(BALLAST)).ok().map(|found| found.len)
}

#[test]
fn stages_come_in_order_and_go_back() {
    let fs = SimFs::new();
    let guard = guard(&fs);
    free(&fs, 2_000_000);
    assert_eq!(guard.look().unwrap(), None);
    assert_eq!(ballast(&fs), Some(LIMITS.ballast_bytes));
    for (bytes, stage, compacts) in [
        (999_999, DiskStage::Low, true),
        (799_999, DiskStage::NoCompaction, false),
        (499_999, DiskStage::Refusing, false),
        (500_000, DiskStage::NoCompaction, false),
        (800_000, DiskStage::Low, true),
        (1_000_000, DiskStage::Ample, true),
    ] {
        free(&fs, bytes);
        assert_eq!(guard.look().unwrap(), Some(stage), "{bytes} bytes free");
        assert_eq!((guard.reading().stage, guard.may_compact()), (stage, compacts));
        assert_eq!(guard.look().unwrap(), None, "a stage is told once");
    }
}

#[test]
fn the_ballast_goes_when_it_is_needed_and_comes_back_when_there_is_room_beside_it() {
    let fs = SimFs::new();
    let guard = guard(&fs);
    free(&fs, 699_999);
    guard.look().unwrap();
    assert_eq!(ballast(&fs), None, "no room for it beside the threshold");
    free(&fs, 700_000);
    guard.look().unwrap();
    assert!(ballast(&fs).is_some());
    assert!(!guard.make_room().unwrap(), "a write failed for another reason");
    free(&fs, 100_000);
    guard.look().unwrap();
    assert!(ballast(&fs).is_some());
    free(&fs, 99_999);
    guard.look().unwrap();
    assert_eq!(ballast(&fs), None);
    // Its own room does not open the inputs again.
    free(&fs, 199_999);
    guard.look().unwrap();
    assert_eq!(guard.reading().stage, DiskStage::Refusing);
    free(&fs, 700_000);
    guard.look().unwrap();
    free(&fs, 450_000);
    assert!(guard.make_room().unwrap());
    assert_eq!(ballast(&fs), None);
    assert!(!guard.make_room().unwrap(), "there is only one");
}

#[test]
fn a_ballast_half_made_is_made_again() {
    let fs = SimFs::new();
    fs.create_new(Path::new(BALLAST)).unwrap().append(b"half").unwrap();
    free(&fs, 2_000_000);
    // As of an earlier process, it counts as there until it is needed.
    let guard = guard(&fs);
    guard.look().unwrap();
    assert_eq!(ballast(&fs), Some(LIMITS.ballast_bytes));
}

#[test]
fn records_are_refused_below_the_threshold_and_counts_are_not() {
    let fs = SimFs::new();
    let options = Options { free_bytes_min: LIMITS.refuse_free_bytes, ..Options::default() };
    let (journal, _) = Journal::open(Arc::new(fs.clone()), Path::new("j"), options).unwrap();
    let writer = JournalWriter::start(journal, 1 << 20).unwrap();
    let handle = writer.handle();
    let context = Context::new("default", "f", SourceChoice::Auto, Reference::Received);
    let context = handle.put_context(&context).unwrap();
    let record = || {
        Entry::Record(Record {
            tenant: TenantName::default_tenant(),
            feed: "f".to_owned(),
            context,
            stream: 1,
            batch: 0,
            peer: String::new(),
            position: 1,
            bytes: b"line".to_vec(),
        })
    };
    writer.submit(1, &[record()]).unwrap().wait().unwrap();
    free(&fs, 499_999);
    assert_eq!(handle.look_at_disk(), 499_999);
    let refused = writer.submit(1, &[record()]).err().unwrap();
    assert!(matches!(refused, JournalError::DiskFull { free_bytes: 499_999, .. }), "{refused}");
    assert!(refused.is_full() && refused.to_string().contains("disk.refuse_free_bytes"));
    writer.submit(1, &[Entry::Tick]).unwrap().wait().unwrap();
    free(&fs, 500_000);
    writer.submit(1, &[record()]).unwrap().wait().unwrap();
}
