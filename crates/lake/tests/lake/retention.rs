//! Retention: what is kept no longer goes, what is stays, and the books know.

use crate::common::*;
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use yagura_disk::{Fs, RealFs};
use yagura_event::time::{DAY, Micros};
use yagura_event::*;
use yagura_lake::{
    FileEntry, Hold, Keep, LakeError, LakeView, LakeWriter, Names, Retention, StoredCount, verify,
};
use yagura_testkit::simfs::SimFs;

pub const DIR: &str = "/data/lake";
const DAYS: u64 = 12;
/// Records of a day; each fifth has a second event.
pub const A_DAY: u64 = 40;
pub const FIRST_DAY: i32 = (START / DAY) as i32;

/// Both tenants share a bucket, and files.
pub fn open_shared(fs: Arc<dyn Fs>, dir: &Path) -> Result<LakeWriter, LakeError> {
    LakeWriter::open(fs, dir, 1, Arc::new(|_: &str| 7))
}

pub fn tenant_of(lsn: u64) -> &'static str {
    if lsn.is_multiple_of(2) { "acme" } else { "zeta" }
}

fn class_of(lsn: u64, sub: u32) -> u32 {
    match (sub, lsn / 2 % 2) {
        (1, _) => 2004,
        (_, 0) => 4001,
        _ => 3002,
    }
}

fn day_of(lsn: u64) -> u64 {
    (lsn - 1) / A_DAY
}

fn received(lsn: u64) -> Micros {
    START + day_of(lsn) as Micros * DAY
}

/// A day's records in two flushes.
pub fn feed_day(writer: &mut LakeWriter, day: u64) -> Result<(), LakeError> {
    let first = day * A_DAY + 1;
    for lsns in [first..=first + A_DAY / 2 - 1, first + A_DAY / 2..=first + A_DAY - 1] {
        let mut batch = EventBatch::default();
        let contexts = ["acme", "zeta"].map(|tenant| {
            Arc::new(Context::new(tenant, "syslog", SourceChoice::Auto, Reference::Received))
        });
        for lsn in lsns.clone() {
            for sub in 0..=u32::from(lsn.is_multiple_of(5)) {
                let context = batch.push_context(&contexts[(lsn % 2) as usize]);
                push(&mut batch, lsn, sub, context, format!("line {lsn} {sub}").as_bytes());
                let event = batch.events.last_mut().unwrap();
                event.class = ClassUid(class_of(lsn, sub));
                (event.time, event.received_time) = (received(lsn), received(lsn));
            }
        }
        let fields = Arc::new(FieldTableBuilder::default().build());
        let names = Names { fields, sources: ["linux_syslog".to_owned()].into() };
        writer.append_events(Arc::new(batch), names);
        let found = matches(lsns.clone()).into_iter().map(|(lsn, found)| {
            let (tenant, received_time) = (tenant_of(lsn.0).into(), received(lsn.0));
            (lsn, Match { tenant, received_time, ..found })
        });
        writer.append_matches(found.collect());
        writer.advance(Lsn(*lsns.end()));
        writer.flush()?;
    }
    Ok(())
}

/// A lake with so many days.
fn with_days(days: u64) -> (tempfile::TempDir, LakeWriter) {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open_shared(Arc::new(RealFs), dir.path()).unwrap();
    (0..days).for_each(|day| feed_day(&mut writer, day).unwrap());
    (dir, writer)
}

/// Ten days, acme's network activity three, and zeta's first day is held.
fn retention() -> Arc<Retention> {
    let keep = |tenant: Option<&str>, class, days| Keep {
        tenant: tenant.map(str::to_owned),
        class,
        days: Some(days),
    };
    let keeps = vec![keep(None, None, 10), keep(Some("acme"), Some(4001), 3)];
    let (from, until) = (i32::MIN, FIRST_DAY);
    let hold = Hold { tenant: Some("zeta".to_owned()), from, until };
    Arc::new(Retention::new(keeps, vec![hold]))
}

fn stays(lsn: u64, class: Option<u32>, today: u64) -> bool {
    let (tenant, day) = (tenant_of(lsn), day_of(lsn));
    let days = if (tenant, class) == ("acme", Some(4001)) { 3 } else { 10 };
    (tenant == "zeta" && day == 0) || today - day <= days
}

pub fn expire(writer: &mut LakeWriter, today: u64) -> Result<usize, LakeError> {
    let mut jobs = 0;
    let today = FIRST_DAY + today as i32;
    while let Some(job) = writer.plan_expiry(&retention(), today)? {
        writer.end_rewrite(job.write(), Instant::now())?;
        jobs += 1;
        assert!(jobs < 200, "the same work is planned again and again");
    }
    Ok(jobs)
}

pub fn texts(view: &Arc<LakeView>, sql: &str) -> Vec<String> {
    let result = ask(Arc::clone(view), operator(), sql).unwrap();
    let mut out = Vec::new();
    yagura_lake::output::write_ndjson(&result, &mut out).unwrap();
    String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
}

/// Everything the view says is what stays of the records up to `last`.
fn assert_kept(view: &Arc<LakeView>, last: u64, today: u64) {
    let events = (1..=last).flat_map(|lsn| {
        let subs = 0..=u32::from(lsn.is_multiple_of(5));
        subs.filter(move |sub| stays(lsn, Some(class_of(lsn, *sub)), today))
            .map(move |sub| (lsn, sub))
    });
    let events: Vec<(u64, u32)> = events.collect();
    let lines = |rows: &[(u64, u32)]| -> Vec<String> {
        rows.iter().map(|(lsn, sub)| format!("{{\"lsn\":{lsn},\"sub\":{sub}}}")).collect()
    };
    let sql = "SELECT lsn, sub FROM events ORDER BY lsn, sub";
    assert_eq!(texts(view, sql), lines(&events));
    // Through the index and the files' statistics too.
    for class in [4001, 3002, 2004] {
        let sql =
            format!("SELECT lsn, sub FROM events WHERE class_uid = {class} ORDER BY lsn, sub");
        let of: Vec<_> =
            events.iter().copied().filter(|(lsn, sub)| class_of(*lsn, *sub) == class).collect();
        assert_eq!(texts(view, &sql), lines(&of));
    }
    let found: Vec<String> = (1..=last)
        .filter(|lsn| stays(*lsn, None, today))
        .map(|lsn| format!("{{\"lsn\":{lsn}}}"))
        .collect();
    assert_eq!(texts(view, "SELECT lsn FROM matches ORDER BY lsn"), found);
    // Each record is stored or expired, hour by hour.
    let records: BTreeSet<u64> = events.iter().map(|(lsn, _)| *lsn).collect();
    let mut expected: BTreeMap<(String, Micros), (u64, u64)> = BTreeMap::new();
    for lsn in 1..=last {
        let sums = expected.entry((tenant_of(lsn).to_owned(), received(lsn))).or_default();
        if records.contains(&lsn) { sums.0 += 1 } else { sums.1 += 1 }
    }
    let mut books: BTreeMap<(String, Micros), (u64, u64)> = BTreeMap::new();
    let mut add = |counts: Vec<StoredCount>, part: fn(&mut (u64, u64)) -> &mut u64| {
        for count in counts {
            *part(books.entry((count.tenant, count.hour)).or_default()) += count.records;
        }
    };
    add(view.stored_counts(), |sums| &mut sums.0);
    add(view.expired_counts().unwrap(), |sums| &mut sums.1);
    assert_eq!(books, expected);
}

#[test]
fn a_tenants_class_goes_before_the_rest_and_what_is_held_stays() {
    let dir = tempfile::tempdir().unwrap();
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let mut writer = open_shared(Arc::clone(&fs), dir.path()).unwrap();
    let mut jobs = Vec::new();
    for day in 0..DAYS {
        feed_day(&mut writer, day).unwrap();
        jobs.push(expire(&mut writer, day).unwrap());
        assert_kept(&writer.handle().view(), (day + 1) * A_DAY, day);
    }
    // Nothing for three days, then acme's class of one day each evening, looked at in each table.
    assert_eq!(jobs[..4], [0; 4]);
    assert!(jobs[4..].iter().all(|jobs| *jobs >= 3), "{jobs:?}");
    assert_eq!(expire(&mut writer, DAYS - 1).unwrap(), 0);
    drop(writer);
    // The next process knows the same, and so do readers.
    let view = yagura_lake::open_readonly(Arc::clone(&fs), dir.path()).unwrap();
    assert_kept(&view, DAYS * A_DAY, DAYS - 1);
    drop(view);
    let mut writer = open_shared(Arc::clone(&fs), dir.path()).unwrap();
    assert_kept(&writer.handle().view(), DAYS * A_DAY, DAYS - 1);
    // Everything at last, but for what is held.
    expire(&mut writer, 400).unwrap();
    assert_kept(&writer.handle().view(), DAYS * A_DAY, 400);
    // What was sighted is kept like the rest of its tenant's.
    let sightings = Arc::clone(&writer.handle().view().sightings.files);
    assert!(!sightings.is_empty());
    for file in sightings.iter() {
        let of = |bound: Option<ScalarValue>| bound.unwrap().to_string();
        let tenants =
            |kind| (of(file.stats.min("tenant", kind)), of(file.stats.max("tenant", kind)));
        assert_eq!(tenants(&DataType::Utf8), ("zeta".to_owned(), "zeta".to_owned()));
        assert_eq!(file.day, FIRST_DAY);
    }
    drop(sightings);
    writer.sweep(Instant::now() + Duration::from_secs(1), Duration::ZERO).unwrap();
    let report = verify(fs, dir.path()).unwrap();
    assert!(report.damages.is_empty() && report.orphans.is_empty(), "{report:?}");
    let parquet = |dir: &Path| {
        let files: Vec<Arc<FileEntry>> = writer.handle().view().events.files.to_vec();
        files.iter().filter(|file| dir.join("events").join(&file.path).exists()).count()
    };
    assert_eq!(parquet(dir.path()), writer.handle().view().events.files.len());
}

#[test]
fn a_view_that_was_taken_before_still_reads_what_expires() {
    let (_dir, mut writer) = with_days(3);
    let old = writer.handle().view();
    assert!(expire(&mut writer, 400).unwrap() > 0);
    let later = Instant::now() + Duration::from_secs(3_600);
    writer.sweep(later, Duration::from_secs(60)).unwrap();
    assert_kept(&old, 3 * A_DAY, 2);
    drop(old);
    assert!(writer.sweep(later, Duration::from_secs(60)).unwrap() > 0);
    assert_kept(&writer.handle().view(), 3 * A_DAY, 400);
}

#[test]
fn compaction_and_expiry_of_the_same_files_leave_each_record_once() {
    let (_dir, mut writer) = with_days(6);
    let packing = writer.plan_packing().unwrap();
    let expiry = writer.plan_expiry(&retention(), FIRST_DAY + 5).unwrap().unwrap();
    let (packing, expiry) = (packing.write(), expiry.write());
    writer.end_rewrite(packing, Instant::now()).unwrap();
    // Its files are not live any more; it is planned anew.
    assert_eq!(writer.end_rewrite(expiry, Instant::now()).unwrap(), 0);
    expire(&mut writer, 5).unwrap();
    assert_kept(&writer.handle().view(), 6 * A_DAY, 5);
    while let Some(packing) = writer.plan_packing() {
        writer.end_rewrite(packing.write(), Instant::now()).unwrap();
    }
    assert_kept(&writer.handle().view(), 6 * A_DAY, 5);
}

#[test]
fn a_file_that_cannot_be_read_does_not_keep_the_rest_from_expiring() {
    let (dir, mut writer) = with_days(3);
    let view = writer.handle().view();
    let first = view.events.files.iter().find(|file| file.day == FIRST_DAY).unwrap();
    std::fs::write(dir.path().join("events").join(&first.path), "no file of ours").unwrap();
    let (mut failed, mut gone) = (0, 0);
    while let Some(job) = writer.plan_expiry(&retention(), FIRST_DAY + 400).unwrap() {
        match writer.end_rewrite(job.write(), Instant::now()) {
            Ok(records) => gone += records,
            Err(_) => failed += 1,
        }
        assert!(failed + gone < 1_000, "the same work is planned again and again");
    }
    // Of three days one stays as it is.
    assert_eq!((failed, gone), (1, 2 * A_DAY));
}

/// Days with expiry, from wherever the tables are.
fn run(fs: &SimFs) -> Result<(), LakeError> {
    let mut writer = open_shared(Arc::new(fs.clone()), Path::new(DIR))?;
    let done = writer.complete().0 / (A_DAY / 2);
    for day in done / 2..6 {
        // A day that is half there is taken from its beginning: the tables refuse what they have.
        feed_day(&mut writer, day)?;
        expire(&mut writer, day + 3)?;
        writer.sweep(Instant::now(), Duration::ZERO)?;
    }
    Ok(())
}

#[test]
fn a_power_cut_at_any_operation_of_expiry_leaves_books_that_balance() {
    let clean = SimFs::new();
    run(&clean).unwrap();
    let whole = open_shared(Arc::new(clean), Path::new(DIR)).unwrap();
    assert_kept(&whole.handle().view(), 6 * A_DAY, 8);
    each_power_cut(24, run, &|seed, fs| {
        let writer = open_shared(Arc::new(fs.clone()), Path::new(DIR)).unwrap();
        let (events, view) = (writer.checkpoint().0.0, writer.handle().view());
        let sum = |counts: Vec<StoredCount>| counts.iter().map(|c| c.records).sum::<u64>();
        let (stored, expired) = (sum(view.stored_counts()), sum(view.expired_counts().unwrap()));
        assert_eq!(stored + expired, events, "stored {stored}, expired {expired}");
        drop((writer, view));
        run(&fs).unwrap();
        let fs = fs.crash_image(seed);
        let mut writer = open_shared(Arc::new(fs.clone()), Path::new(DIR)).unwrap();
        expire(&mut writer, 8).unwrap();
        assert_kept(&writer.handle().view(), 6 * A_DAY, 8);
        drop(writer);
        let report = verify(Arc::new(fs), Path::new(DIR)).unwrap();
        assert!(report.damages.is_empty(), "seed {seed}: {:?}", report.damages);
    });
}
