//! Re-parse: a partition's events made anew of their records; sightings follow, also over power cuts.

use crate::common::*;
use crate::retention::texts;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use yagura_disk::{Fs, RealFs};
use yagura_event::*;
use yagura_lake::past::PastRecord;
use yagura_lake::{
    LakeError, LakeView, LakeWriter, Names, Partition, Reparser, check_sightings, each_sighting,
    open_readonly, verify,
};
use yagura_testkit::simfs::SimFs;

const DIR: &str = "/data/lake";

/// Reads `line N of the day` as an address of its own net and as a class of its own.
#[derive(Default)]
struct Anew {
    /// Fails at this LSN.
    stumbles: Option<u64>,
    /// Stops after so many records.
    stops: Option<u64>,
    told: Arc<AtomicU64>,
}

impl Reparser for Anew {
    fn parse(&mut self, record: PastRecord<'_>, out: &mut EventBatch) -> Result<(), String> {
        let lsn = record.id.lsn().0;
        if self.stumbles == Some(lsn) {
            return Err("its context is not known".to_owned());
        }
        assert_eq!(record.bytes, format!("line {lsn} of the day").as_bytes());
        let tenant = ["acme", "zeta"][(lsn % 2) as usize];
        let context = Context::new(tenant, "syslog", SourceChoice::Auto, Reference::Received);
        assert_eq!(record.context, context.id());
        let context = out.push_context(&Arc::new(context));
        let raw = out.push_text(record.bytes);
        let ip = out.push_text(format!("192.0.2.{}", lsn % 250 + 1).as_bytes());
        let from = out.values.len() as u32;
        out.values.push((ColumnId::DST_IP, Scalar::Text(ip)));
        push_event(out, (lsn, 0), context, raw, from, record.received_time - 7);
        let event = out.events.last_mut().unwrap();
        (event.received_time, event.stream) = (record.received_time, record.stream);
        (event.id, event.batch, event.class) = (record.id, record.batch, ClassUid(3002));
        Ok(())
    }

    fn names(&self) -> Names {
        let fields = Arc::new(FieldTableBuilder::default().build());
        Names { fields, sources: ["other".to_owned()].into() }
    }

    fn go_on(&self, records: u64) -> bool {
        self.told.store(records, Relaxed);
        self.stops.is_none_or(|after| records < after)
    }
}

/// Two tenants, two days, several flushes a day, the oldest files packed.
fn fill(fs: &SimFs) -> Result<LakeWriter, LakeError> {
    let mut writer = open_on(Arc::new(fs.clone()), Path::new(DIR))?;
    for flush in writer.complete().0 / 60..6 {
        feed(&mut writer, flush * 60 + 1..=flush * 60 + 60);
        writer.flush()?;
    }
    while let Some(packing) = writer.plan_packing() {
        writer.end_rewrite(packing.write(), Instant::now())?;
    }
    Ok(writer)
}

fn partitions(writer: &LakeWriter) -> BTreeSet<Partition> {
    writer.handle().view().events.files.iter().map(|file| (file.day, file.bucket)).collect()
}

fn reparse(writer: &mut LakeWriter, partition: Partition, with: Anew) -> Result<(), LakeError> {
    let planned = writer.plan_reparse(partition, Box::new(with));
    let Ok(planned) = planned else { panic!("nothing waits for a commit") };
    writer.end_rewrite(planned.write(), Instant::now()).map(|gone| assert_eq!(gone, 0))
}

fn resight(writer: &mut LakeWriter) -> Result<(), LakeError> {
    while let Some(planned) = writer.plan_resight() {
        writer.end_rewrite(planned.write(), Instant::now())?;
    }
    Ok(())
}

/// What sightings say, by value.
fn sighted(view: &LakeView) -> BTreeMap<String, (u64, i64, i64)> {
    let mut all = BTreeMap::new();
    let mut take = |seen: yagura_lake::Seen<'_>| {
        let key = format!("{} {} {}", seen.value, seen.tenant, seen.source);
        let known = all.entry(key).or_insert((0, seen.first, seen.last));
        *known = (known.0 + seen.count, known.1.min(seen.first), known.2.max(seen.last));
    };
    each_sighting(view, &operator(), &mut take, &|_, _| true).unwrap();
    all
}

/// The same by the events themselves.
fn counted(view: &Arc<LakeView>) -> BTreeMap<String, (u64, i64, i64)> {
    let sql = "SELECT coalesce(src_ip, dst_ip) || ' ' || tenant || ' ' || source AS k, \
               count(*) AS n, CAST(min(time) AS BIGINT) AS a, CAST(max(time) AS BIGINT) AS b FROM events \
               GROUP BY 1 ORDER BY 1";
    let rows = texts(view, sql);
    let row = |text: &String| {
        let row: serde_json::Value = serde_json::from_str(text).unwrap();
        let number = |name: &str| row[name].as_i64().unwrap();
        let of = (number("n").unsigned_abs(), number("a"), number("b"));
        (row["k"].as_str().unwrap().to_owned(), of)
    };
    rows.iter().map(row).collect()
}

/// By partition, how many events are of which class.
fn classes(view: &Arc<LakeView>) -> Vec<String> {
    texts(
        view,
        "SELECT CAST(received_day AS VARCHAR) AS day, bucket, class_uid, count(*) AS n FROM events \
         GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    )
}

const KEPT: &str = "SELECT lsn, event_id, tenant, feed, received_time, stream, batch, context, raw_data \
                    FROM events ORDER BY lsn";

#[test]
fn a_partition_is_replaced_and_its_sightings_with_it() {
    let fs = SimFs::new();
    let mut writer = fill(&fs).unwrap();
    let view = writer.handle().view();
    let (kept, books, before) = (texts(&view, KEPT), view.stored_counts(), classes(&view));
    assert_eq!((kept.len(), before.len()), (360, partitions(&writer).len()));
    let old = counted(&view);
    assert_eq!(sighted(&view), old);
    let first = *partitions(&writer).first().unwrap();
    let told = Arc::new(AtomicU64::new(0));
    let with = Anew { told: Arc::clone(&told), ..Anew::default() };
    reparse(&mut writer, first, with).unwrap();
    let view = writer.handle().view();
    // One partition is other, the rest as it was; every record is the same.
    let after = classes(&view);
    assert_eq!(after.len(), before.len());
    assert_eq!(after.iter().zip(&before).filter(|(a, b)| a != b).count(), 1, "{after:?}");
    assert!(after.iter().filter(|row| row.contains("3002")).count() == 1);
    assert!(told.load(Relaxed) > 0);
    assert_eq!((texts(&view, KEPT), view.stored_counts()), (kept.clone(), books.clone()));
    let new = counted(&view);
    assert_ne!(new, old);
    assert_eq!(sighted(&view), new);
    assert_once(&view, 360);
    // All of them, and once more.
    for _ in 0..2 {
        for partition in partitions(&writer) {
            reparse(&mut writer, partition, Anew::default()).unwrap();
        }
    }
    let view = writer.handle().view();
    assert!(classes(&view).iter().all(|row| row.contains("3002")));
    assert_eq!((texts(&view, KEPT), view.stored_counts()), (kept.clone(), books));
    assert_eq!(sighted(&view), counted(&view));
    assert!(sighted(&view).keys().all(|key| key.starts_with("192.0.2.") && key.ends_with("other")));
    assert!(writer.plan_resight().is_none());
    // What comes in afterwards is added, files that were replaced go, the next process finds all.
    feed(&mut writer, 361..=400);
    writer.flush().unwrap();
    drop(view);
    writer.sweep(Instant::now() + Duration::from_secs(1), Duration::ZERO).unwrap();
    drop(writer);
    let report = verify(Arc::new(fs.clone()), Path::new(DIR)).unwrap();
    assert!(report.damages.is_empty() && report.orphans.is_empty(), "{report:?}");
    let view = open_readonly(Arc::new(fs), Path::new(DIR)).unwrap();
    assert_once(&view, 400);
    assert_eq!(texts(&view, KEPT)[..360], kept);
    assert_eq!(sighted(&view), counted(&view));
}

#[test]
fn what_stumbles_or_is_stopped_changes_nothing_and_leaves_nothing() {
    let fs = SimFs::new();
    let mut writer = fill(&fs).unwrap();
    let view = writer.handle().view();
    let (before, first) = (classes(&view), *partitions(&writer).last().unwrap());
    let odd = (1..=360).rev().find(|lsn| lsn % 2 == u64::from(first.1 == 1)).unwrap();
    let stumbles = Anew { stumbles: Some(odd), ..Anew::default() };
    let error = reparse(&mut writer, first, stumbles).unwrap_err().to_string();
    assert!(error.contains("its context is not known"), "{error}");
    let stopped = Anew { stops: Some(0), ..Anew::default() };
    let error = reparse(&mut writer, first, stopped).unwrap_err();
    assert_eq!(error.code(), "reparse_cancelled");
    assert_eq!(classes(&writer.handle().view()), before);
    drop((view, writer));
    let report = verify(Arc::new(fs), Path::new(DIR)).unwrap();
    assert!(report.damages.is_empty() && report.orphans.is_empty(), "{report:?}");
}

fn run(fs: &SimFs) -> Result<(), LakeError> {
    let mut writer = fill(fs)?;
    for partition in partitions(&writer) {
        reparse(&mut writer, partition, Anew::default())?;
    }
    Ok(())
}

#[test]
fn a_power_cut_leaves_whole_partitions_and_hunts_are_right_before_and_after_the_mark_is_worked_off()
{
    let marks = std::cell::Cell::new(0);
    each_power_cut(60, run, &|seed, fs| {
        let fs: Arc<dyn Fs> = Arc::new(fs);
        let mut writer = open_on(Arc::clone(&fs), Path::new(DIR)).unwrap();
        let stored = writer.complete().0;
        let view = writer.handle().view();
        // A partition is parsed anew as a whole or not at all.
        let days: BTreeSet<String> = classes(&view)
            .iter()
            .map(|row| row.split(",\"class").next().unwrap().to_owned())
            .collect();
        assert_eq!(days.len(), classes(&view).len(), "seed {seed}: {:?}", classes(&view));
        if stored == view.upper.0 {
            assert_eq!(sighted(&view), counted(&view), "seed {seed}");
        }
        drop(view);
        if stored < 360 {
            feed(&mut writer, stored + 1..=360);
            writer.flush().unwrap();
        }
        let planned = writer.plan_resight();
        marks.set(marks.get() + u64::from(planned.is_some()));
        if let Some(planned) = planned {
            writer.end_rewrite(planned.write(), Instant::now()).unwrap();
        }
        resight(&mut writer).unwrap();
        let view = writer.handle().view();
        assert_once(&view, 360);
        assert_eq!(sighted(&view), counted(&view), "seed {seed}");
        // As a table, too.
        assert_eq!(numbers(&view, "SELECT sum(count) FROM sightings"), [360], "seed {seed}");
    });
    assert!(marks.get() > 0, "no power cut fell between the two commits");
}

#[test]
fn sightings_that_say_something_else_are_found_and_counted_anew() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut writer = open(one.path());
    feed(&mut writer, 1..=100);
    writer.flush().unwrap();
    // Of other events with the same positions.
    let mut other = open(two.path());
    let mut batch = EventBatch::default();
    let mut anew = Anew::default();
    for lsn in 1..=100 {
        let id = EventId::journal(1, 1, Lsn(lsn), 0);
        let tenant = ["acme", "zeta"][(lsn % 2) as usize];
        let context = Context::new(tenant, "syslog", SourceChoice::Auto, Reference::Received).id();
        let (line, received_time) = (format!("line {lsn} of the day"), START);
        let bytes = line.as_bytes();
        let record = PastRecord { id, context, received_time, stream: 1, batch: 0, bytes };
        anew.parse(record, &mut batch).unwrap();
    }
    other.append_events(Arc::new(batch), anew.names());
    other.advance(Lsn(100));
    other.flush().unwrap();
    drop((writer, other));
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let checked = |repair| {
        let view = open_readonly(Arc::clone(&fs), one.path()).unwrap();
        check_sightings(&view, 1, repair)
    };
    let sound = checked(false);
    assert!(sound.damages.is_empty() && sound.compared == sound.partitions, "{sound:?}");
    let (own, theirs) = (one.path().join("sightings"), two.path().join("sightings"));
    std::fs::remove_dir_all(&own).unwrap();
    std::fs::rename(theirs, own).unwrap();
    let wrong = checked(false);
    assert_eq!((wrong.damages.len() as u64, wrong.marked), (wrong.partitions, 0), "{wrong:?}");
    assert_eq!(checked(true).damages.len(), wrong.damages.len());
    // Marked, hunts go by the events at once, and the next writer counts them anew.
    let marked = checked(false);
    assert_eq!((marked.damages.len(), marked.marked), (0, marked.partitions), "{marked:?}");
    let view = open_readonly(Arc::clone(&fs), one.path()).unwrap();
    assert_eq!(sighted(&view), counted(&view));
    let mut writer = open(one.path());
    resight(&mut writer).unwrap();
    drop((view, writer));
    let sound = checked(false);
    assert!(sound.damages.is_empty() && sound.compared == sound.partitions, "{sound:?}");
}
