//! Sightings: what they say is what the events say, over flushes, crashes, damage, compaction.

use crate::common::*;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use yagura_disk::RealFs;
use yagura_event::time::{HOUR, Micros};
use yagura_event::*;
use yagura_lake::{LakeView, TableKind, Walked, each_sighting, open_readonly};

type Said = BTreeMap<(String, String, String, String), (u64, Micros, Micros)>;

fn add(said: &mut Said, key: (String, String, String, String), more: (u64, Micros, Micros)) {
    let known = said.entry(key).or_insert((0, more.1, more.2));
    *known = (known.0 + more.0, known.1.min(more.1), known.2.max(more.2));
}

/// What the events of `feed` with these positions say.
fn expected(last: u64, tenant: Option<&str>) -> Said {
    let mut said = Said::new();
    for lsn in 1..=last {
        let owner = ["acme", "zeta"][(lsn % 2) as usize];
        if tenant.is_some_and(|tenant| tenant != owner) {
            continue;
        }
        let time = START + (lsn / 10) as i64 * HOUR - 1_500_000;
        let value = format!("10.0.0.{}", lsn % 250 + 1);
        let key = ("ip".to_owned(), value, owner.to_owned(), "linux_syslog".to_owned());
        add(&mut said, key, (1, time, time));
    }
    said
}

fn said(view: &LakeView, scope: &TenantScope) -> (Said, Walked) {
    let mut said = Said::new();
    let mut take = |seen: yagura_lake::Seen<'_>| {
        let key = [seen.kind, seen.value, seen.tenant, seen.source].map(str::to_owned);
        let [kind, value, tenant, source] = key;
        add(&mut said, (kind, value, tenant, source), (seen.count, seen.first, seen.last));
    };
    let walked = each_sighting(view, scope, &mut take, &|_, _| true).unwrap();
    (said, walked)
}

#[test]
fn sightings_say_what_events_in_files_and_in_memory_say() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    feed(&mut writer, 1..=400);
    writer.flush().unwrap();
    feed(&mut writer, 401..=600);
    writer.flush().unwrap();
    feed(&mut writer, 601..=650);
    let view = writer.handle().view();
    let (all, walked) = said(&view, &operator());
    assert_eq!(all, expected(650, None));
    assert_eq!((walked.events, walked.damaged), (50, 0));
    assert_eq!(said(&view, &only("acme")).0, expected(650, Some("acme")));
    // As a table, it has what files have.
    assert_eq!(numbers(&view, "SELECT sum(count) FROM sightings"), [600]);
    let cancelled = each_sighting(&view, &operator(), &mut |_| {}, &|done, _| done < 1);
    assert!(cancelled.is_err());
}

#[test]
fn events_whose_sightings_were_not_committed_are_counted_once_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    feed(&mut writer, 1..=100);
    writer.flush().unwrap();
    feed(&mut writer, 101..=200);
    // As a crash between two commits leaves it.
    writer.flush_table(TableKind::Events).unwrap();
    assert_eq!(said(&writer.handle().view(), &operator()).0, expected(200, None));
    drop(writer);
    let view = open_readonly(Arc::new(RealFs), dir.path()).unwrap();
    assert_eq!(said(&view, &operator()).0, expected(200, None));
    let mut writer = open(dir.path());
    assert_eq!(writer.complete(), Lsn(100));
    // The replay.
    feed(&mut writer, 101..=250);
    assert_eq!(said(&writer.handle().view(), &operator()).0, expected(250, None));
    writer.flush().unwrap();
    assert_eq!(writer.complete(), Lsn(250));
    let (all, walked) = said(&writer.handle().view(), &operator());
    assert_eq!((all, walked.events), (expected(250, None), 0));
    assert_once(&writer.handle().view(), 250);
}

fn files(view: &LakeView, dir: &std::path::Path) -> Vec<PathBuf> {
    view.sightings.files.iter().map(|file| dir.join("sightings").join(&file.path)).collect()
}

#[test]
fn damaged_sightings_are_made_up_for_by_their_events() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    for flush in 0..4 {
        feed(&mut writer, flush * 100 + 1..=flush * 100 + 100);
        writer.flush().unwrap();
    }
    let view = writer.handle().view();
    let all = files(&view, dir.path());
    assert!(all.len() >= 4);
    for (at, path) in all.iter().enumerate() {
        let whole = std::fs::read(path).unwrap();
        let mut bad = whole.clone();
        let place = whole.len() * (at + 1) / (all.len() + 1);
        bad[place] ^= 8;
        std::fs::write(path, &bad).unwrap();
        let (found, walked) = said(&view, &operator());
        assert_eq!(found, expected(400, None), "{}", path.display());
        assert_eq!(walked.damaged, 1);
        std::fs::remove_file(path).unwrap();
        assert_eq!(said(&view, &operator()).0, expected(400, None));
        std::fs::write(path, whole).unwrap();
    }
    assert_eq!(said(&view, &operator()).1.damaged, 0);
}

#[test]
fn compaction_makes_sightings_of_a_value_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    // The same values again and again, all within one day.
    for flush in 0..20u64 {
        feed(&mut writer, flush * 5 + 1..=flush * 5 + 5);
        writer.flush().unwrap();
    }
    let rows = |writer: &yagura_lake::LakeWriter| {
        let view = writer.handle().view();
        let files = view.sightings.files.len();
        (numbers(&view, "SELECT count(*), sum(count) FROM sightings"), files)
    };
    let before = rows(&writer);
    let said_before = said(&writer.handle().view(), &operator()).0;
    while let Some(rewrite) = writer.plan_rewrite() {
        writer.end_rewrite(rewrite.write(), Instant::now()).unwrap();
    }
    let after = rows(&writer);
    assert_eq!(after.0[1], before.0[1]);
    assert!(after.1 < before.1, "{} files of {}", after.1, before.1);
    assert_eq!(said(&writer.handle().view(), &operator()).0, said_before);
    drop(writer);
    let writer = open(dir.path());
    assert_eq!(rows(&writer), after);
    assert_eq!(said(&writer.handle().view(), &operator()).0, said_before);
}
