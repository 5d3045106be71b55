//! The store: replays, cuts, crashes, checksums and scopes.
#![allow(clippy::unwrap_used)]

use crate::apply::REPLY_KEPT;
use crate::{
    BookCount, BookKind, EntityFilter, FindingFilter, JudgeBatch, JudgeStore, MetaError, Reply,
    SnapshotRef,
};
use rusqlite::{Connection, params};
use std::path::Path;
use tempfile::TempDir;
use yagura_event::time::{HOUR, MINUTE, Micros, SECOND};
use yagura_event::{
    ContextId, Finding, Level, Lsn, Observable, ObservableKind, Party, Relation, RelationKind,
    Role, Sample, Seen, TenantName, TenantScope,
};
use yagura_verdict::State;

pub(crate) const T0: Micros = 1_700_000_000_000_000;

fn observable(kind: ObservableKind, value: &str) -> Observable {
    Observable::new(kind, value).unwrap()
}

pub(crate) fn host(name: &str) -> Observable {
    observable(ObservableKind::Host, name)
}

pub(crate) fn user(name: &str) -> Observable {
    observable(ObservableKind::User, name)
}

pub(crate) fn tenant(name: &str) -> TenantName {
    TenantName::new(name).unwrap()
}

pub(crate) fn scope(name: &str) -> TenantScope {
    TenantScope::one(tenant(name))
}

/// A finding of commands run on a host by a user.
pub(crate) fn ran(owner: &str, id: u128, rule: &str, time: Micros, on: &str, by: &str) -> Finding {
    let parties: Vec<Party> = [
        (Role::Device, host(on)),
        (Role::Actor, user(by)),
        (Role::Object, observable(ObservableKind::CommandLine, "made up")),
    ]
    .map(|(role, observable)| Party { role, observable })
    .into();
    Finding {
        id,
        version: 1,
        tenant: owner.into(),
        rule: rule.into(),
        rule_version: String::new(),
        title: format!("Rule {rule}"),
        level: Level::High,
        kind: "value_count".into(),
        tags: vec![format!("attack.{rule}")],
        group: String::new(),
        first_time: time,
        last_time: time + SECOND,
        count: 1,
        samples: vec![Sample {
            event: id << 32,
            rule: rule.into(),
            time,
            source: "made_up".into(),
            feed: "test".into(),
            fields: vec![],
            parties: parties.clone(),
            raw: format!("raw record {id}"),
        }],
        parties,
        lsn: id as u64,
        retrospective: false,
    }
}

pub(crate) fn seen(
    owner: &str,
    kind: RelationKind,
    from: Observable,
    to: Observable,
    lsn: u64,
) -> Seen {
    Seen {
        tenant: tenant(owner),
        relation: Relation { kind, from, to },
        first: T0,
        last: T0 + HOUR,
        count: 3,
        context: ContextId::default(),
        lsn: Lsn(lsn),
    }
}

fn received(owner: &str, count: u64, lsn: u64) -> BookCount {
    BookCount {
        tenant: tenant(owner),
        feed: "syslog".into(),
        hour: 472_222,
        kind: BookKind::Received,
        reason: String::new(),
        count,
        lsn: Lsn(lsn),
    }
}

/// Two attacks in one tenant and one in another, with later versions, relations and counts.
fn story() -> (Vec<Finding>, Vec<Seen>, Vec<BookCount>) {
    let mut findings = vec![
        ran("acme", 10, "execution", T0, "ws1", "eve"),
        ran("acme", 20, "discovery", T0 + 5 * MINUTE, "ws1", "eve"),
        ran("acme", 30, "execution", T0 + 10 * MINUTE, "ws7", "mallory"),
        ran("acme", 40, "collection", T0 + 20 * MINUTE, "fs", "eve"),
        ran("acme", 50, "impact", T0 + 30 * MINUTE, "ws7", "mallory"),
        ran("zen", 60, "execution", T0, "ws1", "eve"),
        ran("acme", 70, "persistence", T0 + 40 * MINUTE, "ws7", "mallory"),
        ran("zen", 80, "impact", T0, "ws1", "eve"),
        ran("zen", 90, "collection", T0, "ws1", "eve"),
    ];
    let mut grown = findings[1].clone();
    (grown.version, grown.count, grown.lsn) = (2, 9, 95);
    grown.last_time += MINUTE;
    findings.push(grown);
    let mut relations = Vec::new();
    for (n, name) in ["ws1", "fs", "ws7"].iter().enumerate() {
        let address = observable(ObservableKind::Ip, &format!("10.0.0.{}", n + 1));
        relations.push(seen("acme", RelationKind::HasAddress, host(name), address, 12 + n as u64));
    }
    relations.push(seen("acme", RelationKind::Session, user("eve"), host("fs"), 85));
    relations.push(seen("acme", RelationKind::Session, user("mallory"), host("ws7"), 86));
    let counts = (1..=9).map(|n| received("acme", 100, n * 10)).collect();
    (findings, relations, counts)
}

/// The story as batches that end at the given positions.
fn batches(cuts: &[u64]) -> Vec<JudgeBatch> {
    let (findings, relations, counts) = story();
    let mut from = 0;
    cuts.iter()
        .map(|to| {
            let within = |lsn: u64| lsn > from && lsn <= *to;
            let batch = JudgeBatch {
                lsn: Lsn(*to),
                now: T0 + HOUR,
                findings: findings.iter().filter(|f| within(f.lsn)).cloned().collect(),
                relations: relations.iter().filter(|s| within(s.lsn.0)).cloned().collect(),
                counts: counts.iter().filter(|c| within(c.lsn.0)).cloned().collect(),
                ..JudgeBatch::default()
            };
            from = *to;
            batch
        })
        .collect()
}

pub(crate) fn store(dir: &Path, cuts: &[u64]) -> JudgeStore {
    let mut store = JudgeStore::open(&dir.join("judge.sqlite")).unwrap();
    for batch in batches(cuts) {
        store.commit(&batch).unwrap();
    }
    store
}

fn everything(store: &JudgeStore) -> Vec<String> {
    store.dump(&TenantScope::operator()).unwrap()
}

#[test]
fn differently_cut_batches_end_the_same() {
    let whole = TempDir::new().unwrap();
    let whole = store(whole.path(), &[100]);
    let incidents = whole.incidents(&scope("acme")).unwrap();
    let ids: Vec<&str> = incidents.iter().map(|i| i.id.as_str()).collect();
    assert_eq!(ids, ["INC-2023-0002", "INC-2023-0001"]);
    assert_eq!(incidents[1].story.timeline.len(), 3);
    assert_eq!(incidents[1].story.evidence[0].raw, "raw record 10");
    for cuts in [vec![50, 100], vec![10, 20, 30, 45, 60, 70, 85, 90, 95, 100], vec![15, 81, 100]] {
        let dir = TempDir::new().unwrap();
        let cut = store(dir.path(), &cuts);
        assert_eq!(everything(&cut), everything(&whole), "cuts {cuts:?}");
        assert_eq!(cut.books(&scope("acme")).unwrap(), whole.books(&scope("acme")).unwrap());
    }
}

#[test]
fn what_a_commit_leaves_to_be_judged_is_judged_later_also_by_another_process() {
    let whole = TempDir::new().unwrap();
    let whole = store(whole.path(), &[100]);
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("judge.sqlite");
    let all = batches(&[10, 20, 30, 45, 60, 70, 85, 90, 95, 100]);
    for (at, batch) in all.into_iter().enumerate() {
        let mut store = JudgeStore::open(&path).unwrap();
        assert_eq!(store.has_deferred(), at > 0 && at % 4 != 0, "batch {at}");
        let defer = at % 4 != 3;
        let done = store.commit(&JudgeBatch { defer, ..batch }).unwrap();
        assert!(done.incidents.is_empty() || !defer);
    }
    let mut store = JudgeStore::open(&path).unwrap();
    assert!(store.has_deferred() && everything(&store) != everything(&whole));
    assert!(!store.commit(&JudgeBatch::default()).unwrap().advanced);
    assert!(!store.has_deferred());
    assert_eq!(everything(&store), everything(&whole));
}

#[test]
fn a_replay_changes_nothing_and_never_lowers_a_version() {
    let dir = TempDir::new().unwrap();
    let mut store = store(dir.path(), &[40, 100]);
    let before = (everything(&store), store.books(&scope("acme")).unwrap());
    assert_eq!(before.1[0].count, 900);
    for batch in batches(&[30, 100]).iter().chain(&batches(&[100])) {
        assert!(!store.commit(batch).unwrap().advanced);
    }
    let mut overlapping = batches(&[100]).remove(0);
    overlapping.lsn = Lsn(101);
    overlapping.counts.push(received("acme", 1, 101));
    let mut stale = story().0.remove(1);
    stale.lsn = 101;
    overlapping.findings.push(stale);
    assert!(store.commit(&overlapping).unwrap().advanced);
    assert_eq!(everything(&store), before.0);
    assert_eq!(store.books(&scope("acme")).unwrap()[0].count, 901);
    assert_eq!(store.lsn().unwrap(), Lsn(101));
}

#[test]
fn nothing_of_a_commit_that_failed_or_was_cut_off_is_stored() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("judge.sqlite");
    let mut first = store(dir.path(), &[40]);
    let before = everything(&first);
    first
        .conn
        .execute_batch(
            "CREATE TEMP TRIGGER crash BEFORE INSERT ON main.meta
             BEGIN SELECT raise(ABORT, 'cut off'); END",
        )
        .unwrap();
    let rest = batches(&[40, 100]).remove(1);
    assert!(matches!(first.commit(&rest), Err(MetaError::Sqlite { .. })));
    assert_eq!(first.lsn().unwrap(), Lsn(40));
    assert_eq!(everything(&first), before);
    drop(first);
    let mut again = JudgeStore::open(&path).unwrap();
    {
        let tx = again.conn.transaction().unwrap();
        tx.execute("UPDATE findings SET json = ''", []).unwrap();
    }
    assert_eq!(everything(&again), before);
    again.commit(&rest).unwrap();
    let whole = TempDir::new().unwrap();
    assert_eq!(everything(&again), everything(&store(whole.path(), &[40, 100])));
}

#[test]
fn verify_names_a_row_with_a_flipped_bit() {
    let dir = TempDir::new().unwrap();
    let store = store(dir.path(), &[100]);
    assert_eq!(store.verify().unwrap(), []);
    let flips = [
        (
            "findings",
            "UPDATE findings SET json = replace(json, 'Rule impact', 'Rule imqact') WHERE id = ?1",
        ),
        (
            "incidents",
            "UPDATE incidents SET json = replace(json, 'raw record 10', 'raw record 11') WHERE ?1 <> ''",
        ),
        ("evidence", "UPDATE evidence SET llr = llr + 0.5 WHERE seq = 1 AND ?1 <> ''"),
        ("books", "UPDATE books SET count = count + 1 WHERE ?1 <> ''"),
    ];
    let raw = Connection::open(dir.path().join("judge.sqlite")).unwrap();
    for (n, (table, sql)) in flips.iter().enumerate() {
        let changed = raw.execute(sql, params![format!("{:032x}", 50)]).unwrap();
        assert!(changed >= 1, "{table}");
        let damages = store.verify().unwrap();
        assert!(damages.iter().any(|d| d.table == *table), "{table}: {damages:?}");
        assert!(damages.len() > n, "{damages:?}");
    }
}

#[test]
fn a_scope_sees_its_own_tenant_only() {
    let dir = TempDir::new().unwrap();
    let store = store(dir.path(), &[100]);
    let all = FindingFilter::default();
    let zen = store.findings(&scope("zen"), &all, 100).unwrap();
    assert_eq!(zen.len(), 3);
    assert!(zen.iter().all(|f| f.tenant == "zen"));
    let acme_id = story().0[0].finding_id();
    assert_eq!(store.finding(&scope("zen"), acme_id).unwrap(), None);
    assert!(store.finding(&scope("acme"), acme_id).unwrap().is_some());
    assert_eq!(store.incident(&scope("zen"), "INC-2023-0002").unwrap(), []);
    assert_eq!(store.incident(&scope("acme"), "INC-2023-0002").unwrap().len(), 1);
    assert_eq!(store.incident(&TenantScope::operator(), "INC-2023-0001").unwrap().len(), 2);
    assert_eq!(store.books(&scope("zen")).unwrap(), []);
    let entities = store.entities(&scope("zen"), &EntityFilter::default(), 10).unwrap();
    assert!(entities.iter().all(|e| e.tenant == "zen"));
    assert!(store.incidents(&scope("nobody")).unwrap().is_empty());
    assert_eq!(store.stats(&scope("zen")).unwrap().len(), 1);
}

#[test]
fn pages_of_entities_meet_without_overlap() {
    let dir = TempDir::new().unwrap();
    let store = store(dir.path(), &[100]);
    let all = TenantScope::operator();
    let whole = store.entities(&all, &EntityFilter::default(), 100).unwrap();
    assert!(whole.len() > 3, "{}", whole.len());
    assert!(whole.is_sorted_by(|a, b| a.place.posterior >= b.place.posterior));
    for size in 1..=3 {
        let (mut filter, mut found) = (EntityFilter::default(), Vec::new());
        loop {
            let page = store.entities(&all, &filter, size).unwrap();
            let Some(last) = page.last() else { break };
            filter.after = Some(last.place.clone());
            found.extend(page);
        }
        assert_eq!(found, whole, "pages of {size}");
    }
    let verdicts = ["white", "grey", "black"].map(|word| {
        let filter = EntityFilter { verdict: Some(word.to_owned()), ..EntityFilter::default() };
        let found = store.entities(&all, &filter, 100).unwrap();
        assert!(found.iter().all(|row| row.standing.verdict.word() == word));
        found.len()
    });
    assert_eq!(verdicts.iter().sum::<usize>(), whole.len());
}

#[test]
fn pages_of_findings_meet_without_overlap() {
    let dir = TempDir::new().unwrap();
    let store = store(dir.path(), &[100]);
    let mut filter = FindingFilter::default();
    let mut ids = Vec::new();
    loop {
        let page = store.findings(&TenantScope::operator(), &filter, 2).unwrap();
        let Some(last) = page.last() else { break };
        filter.after = Some((last.last_time, last.finding_id()));
        ids.extend(page.iter().map(|f| f.id));
    }
    ids.sort_unstable();
    assert_eq!(ids, [10, 20, 30, 40, 50, 60, 70, 80, 90]);
}

#[test]
fn incidents_that_grow_together_merge_into_the_older() {
    let dir = TempDir::new().unwrap();
    let mut store = JudgeStore::open(&dir.path().join("judge.sqlite")).unwrap();
    let mut commit = |lsn: u64, findings: Vec<Finding>, relations: Vec<Seen>| {
        let batch =
            JudgeBatch { lsn: Lsn(lsn), now: T0, findings, relations, ..Default::default() };
        store.commit(&batch).unwrap()
    };
    let attack = |first: u128, on: &str, by: &str| -> Vec<Finding> {
        ["execution", "discovery", "impact"]
            .iter()
            .zip(first..)
            .map(|(rule, id)| ran("acme", id, rule, T0 + id as i64 * SECOND, on, by))
            .collect()
    };
    commit(9, attack(1, "ws1", "eve"), vec![]);
    let second = commit(19, attack(11, "ws2", "sam"), vec![]);
    assert!(second.incidents.contains(&("acme".into(), "INC-2023-0002".into())));
    let tie = seen("acme", RelationKind::Session, user("eve"), host("ws2"), 20);
    let merged = commit(20, vec![], vec![tie]);
    assert_eq!(merged.incidents.len(), 2);
    let list = store.incidents(&scope("acme")).unwrap();
    assert_eq!(list[0].state, State::Merged("INC-2023-0001".into()));
    assert_eq!(list[1].state, State::Open);
    assert_eq!(list[1].story.timeline.len(), 6);
    assert_eq!(store.verify().unwrap(), []);
}

#[test]
fn an_incident_keeps_what_is_older_than_the_window() {
    let dir = TempDir::new().unwrap();
    let mut store = JudgeStore::open(&dir.path().join("judge.sqlite")).unwrap();
    let rules =
        ["execution", "discovery", "impact", "persistence", "collection", "command-and-control"];
    for (n, rule) in rules.iter().enumerate() {
        // Three at once, then one every 20 hours.
        let time = T0 + (n as i64 - 2).max(0) * 20 * HOUR;
        let findings = vec![ran("acme", n as u128 + 1, rule, time, "ws1", "eve")];
        let lsn = Lsn(n as u64 + 1);
        store.commit(&JudgeBatch { lsn, now: time, findings, ..Default::default() }).unwrap();
    }
    let before = store.incidents(&scope("acme")).unwrap();
    assert_eq!(before.len(), 1);
    assert_eq!(before[0].story.timeline.len(), 6);
    let late: Vec<Finding> = ["lateral_movement", "exfiltration", "stealth"]
        .iter()
        .zip(70..)
        .map(|(rule, id)| ran("acme", id, rule, T0 + 80 * HOUR, "ws1", "eve"))
        .collect();
    store
        .commit(&JudgeBatch { lsn: Lsn(80), now: T0, findings: late, ..Default::default() })
        .unwrap();
    let after = store.incidents(&scope("acme")).unwrap();
    assert_eq!(after.len(), 1);
    let first = |list: &[yagura_verdict::Incident]| list[0].story.timeline[0].finding.clone();
    assert_eq!(first(&after), first(&before), "the oldest finding stays");
    assert_eq!(after[0].story.timeline.len(), 9);
}

#[test]
fn replies_are_kept_for_a_day_of_journal_time() {
    let dir = TempDir::new().unwrap();
    let mut store = JudgeStore::open(&dir.path().join("judge.sqlite")).unwrap();
    let reply = |response: &str, time: Micros, lsn: u64| Reply {
        tenant: tenant("acme"),
        key: "k".into(),
        response: response.into(),
        time,
        lsn: Lsn(lsn),
    };
    let mut commit = |lsn: u64, now: Micros, replies: Vec<Reply>| {
        let batch = JudgeBatch { lsn: Lsn(lsn), now, replies, ..Default::default() };
        store.commit(&batch).unwrap();
        (store.reply(&scope("acme"), "k").unwrap(), store.reply(&scope("zen"), "k").unwrap())
    };
    assert_eq!(commit(1, T0, vec![reply("1", T0, 1)]), (Some("1".into()), None));
    assert_eq!(commit(2, T0 + 1, vec![reply("2", T0 + 1, 2)]).0, Some("1".into()));
    assert_eq!(commit(3, T0 + REPLY_KEPT - 1, vec![]).0, Some("1".into()));
    assert_eq!(commit(4, T0 + REPLY_KEPT, vec![]).0, None);
}

#[test]
fn a_snapshot_becomes_current_with_its_position() {
    let dir = TempDir::new().unwrap();
    let mut store = JudgeStore::open(&dir.path().join("judge.sqlite")).unwrap();
    let shot = |lsn: u64| Some(SnapshotRef { lsn, name: format!("s{lsn}"), hash: "00".into() });
    let mut commit = |lsn: u64, snapshot| {
        store
            .commit(&JudgeBatch { lsn: Lsn(lsn), now: T0, snapshot, ..Default::default() })
            .unwrap();
        store.snapshot().unwrap().map(|s| s.lsn)
    };
    assert_eq!(commit(10, shot(11)), None, "not before its position is committed");
    assert_eq!(commit(12, shot(11)), Some(11));
    assert_eq!(commit(12, shot(9)), Some(11), "never an older one");
    assert_eq!(commit(12, shot(12)), Some(12));
}

#[test]
fn readers_read_beside_the_writer_and_cannot_write() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("judge.sqlite");
    assert!(matches!(JudgeStore::open_read_only(&path), Err(MetaError::Missing { .. })));
    let mut writer = store(dir.path(), &[40]);
    let mut reader = JudgeStore::open_read_only(&path).unwrap();
    assert!(matches!(reader.commit(&JudgeBatch::default()), Err(MetaError::ReadOnly)));
    writer.commit(&batches(&[40, 100])[1]).unwrap();
    assert_eq!(reader.lsn().unwrap(), Lsn(100));
    drop(writer);
    let alone = JudgeStore::open_read_only(&path).unwrap();
    assert_eq!(alone.findings(&scope("zen"), &FindingFilter::default(), 9).unwrap().len(), 3);
}

#[test]
fn a_newer_schema_is_refused() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("judge.sqlite");
    drop(JudgeStore::open(&path).unwrap());
    let raw = Connection::open(&path).unwrap();
    raw.execute("UPDATE meta SET value = '2' WHERE key = 'schema'", []).unwrap();
    drop(raw);
    assert!(matches!(JudgeStore::open(&path), Err(MetaError::Newer { found: 2, .. })));
    assert!(matches!(JudgeStore::open_read_only(&path), Err(MetaError::Newer { .. })));
}
