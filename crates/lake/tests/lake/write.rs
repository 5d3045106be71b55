//! Appending, flushing, reopening, replaying.

use crate::common::*;
use arrow::array::AsArray;
use std::sync::Arc;
use yagura_disk::RealFs;
use yagura_event::time::HOUR;
use yagura_event::*;
use yagura_lake::{LakeError, Names, StoredCount, TableKind, open_readonly, raw_of};

fn no_names() -> Names {
    Names { fields: Arc::new(FieldTableBuilder::default().build()), sources: [].into() }
}

#[test]
fn rows_survive_flush_and_reopening_and_a_replay_adds_none() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    assert_eq!(writer.checkpoint(), (Lsn(0), Lsn(0)));
    feed(&mut writer, 1..=12);
    feed(&mut writer, 13..=20);
    writer.flush().unwrap();
    assert_eq!(writer.checkpoint(), (Lsn(20), Lsn(20)));
    assert_eq!((writer.tail_rows(), writer.tail_bytes()), (0, 0));
    writer.flush().unwrap();
    drop(writer);

    let mut writer = open(dir.path());
    assert_eq!(writer.checkpoint(), (Lsn(20), Lsn(20)));
    feed(&mut writer, 1..=30);
    assert_eq!(writer.tail_rows(), 20);
    assert_once(&writer.handle().view(), 30);
    writer.flush().unwrap();
    assert_once(&writer.handle().view(), 30);
    drop(writer);
    let view = open_readonly(Arc::new(RealFs), dir.path()).unwrap();
    assert_eq!(view.upper, Lsn(30));
    assert_once(&view, 30);
}

#[test]
fn after_a_crash_between_the_two_commits_each_table_gets_what_it_lacks() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    feed(&mut writer, 1..=10);
    writer.flush_table(TableKind::Events).unwrap();
    drop(writer);

    let mut writer = open(dir.path());
    assert_eq!(writer.checkpoint(), (Lsn(10), Lsn(0)));
    assert_eq!(writer.handle().view().upper, Lsn(0));
    feed(&mut writer, 1..=15);
    writer.flush().unwrap();
    assert_eq!(writer.checkpoint(), (Lsn(15), Lsn(15)));
    assert_once(&writer.handle().view(), 15);
}

#[test]
fn a_view_stays_what_it_was_while_the_writer_flushes_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    let handle = writer.handle();
    feed(&mut writer, 1..=10);
    writer.flush().unwrap();
    feed(&mut writer, 11..=20);
    let before = handle.view();
    assert_eq!((before.events.files.is_empty(), before.events.tail.len()), (false, 1));
    writer.flush().unwrap();
    let after = handle.view();
    feed(&mut writer, 21..=25);
    assert_once(&before, 20);
    assert_once(&after, 20);
    assert!(after.events.tail.is_empty());
    assert_once(&handle.view(), 25);
}

#[test]
fn what_is_not_advanced_over_is_neither_visible_nor_flushed() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    feed(&mut writer, 1..=4);
    writer.append_events(Arc::new(batch(5..=9)), no_names());
    writer.advance(Lsn(7));
    writer.flush().unwrap();
    // The batch reaches to 9, so that only what lies below it is complete.
    assert_eq!(writer.checkpoint().0, Lsn(4));
    assert_eq!(numbers(&writer.handle().view(), "SELECT count(*) FROM events"), [4]);
    writer.advance(Lsn(9));
    writer.flush().unwrap();
    assert_eq!(writer.checkpoint(), (Lsn(9), Lsn(9)));
    assert_eq!(numbers(&writer.handle().view(), "SELECT count(*) FROM events"), [9]);
}

#[test]
fn the_books_count_records_not_sub_records() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    let mut events = EventBatch::default();
    let context = Arc::new(Context::new("acme", "web", SourceChoice::Auto, Reference::Received));
    let context = events.push_context(&context);
    for (lsn, sub) in [(1, 0), (1, 1), (1, 2), (2, 0), (15, 0)] {
        push(&mut events, lsn, sub, context, b"x");
    }
    writer.append_events(Arc::new(events), no_names());
    writer.advance(Lsn(15));
    assert!(writer.stored_counts().is_empty());
    writer.flush().unwrap();
    let count =
        |hour, records| StoredCount { tenant: "acme".into(), feed: "web".into(), hour, records };
    let expected = [count(START, 2), count(START + HOUR, 1)];
    assert_eq!(writer.stored_counts(), expected);
    drop(writer);
    assert_eq!(open(dir.path()).stored_counts(), expected);
}

#[test]
fn many_commits_with_checkpoints_keep_rows_txn_and_counts() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    for lsn in 1..=104 {
        feed(&mut writer, lsn..=lsn);
        writer.flush().unwrap();
    }
    assert_once(&writer.handle().view(), 104);
    drop(writer);
    let log = dir.path().join("events/_delta_log");
    assert!(log.join("_last_checkpoint").exists());
    let mut writer = open(dir.path());
    assert_eq!(writer.checkpoint(), (Lsn(104), Lsn(104)));
    let records: u64 = writer.stored_counts().iter().map(|count| count.records).sum();
    assert_eq!(records, 104);
    feed(&mut writer, 100..=110);
    writer.flush().unwrap();
    assert_once(&writer.handle().view(), 110);
    let report = yagura_lake::verify(Arc::new(RealFs), dir.path()).unwrap();
    assert!(report.damages.is_empty(), "{:?}", report.damages);
}

/// Another tool writes into the table's log meanwhile, as `OPTIMIZE` or a table property would.
#[test]
fn a_commit_of_another_tool_is_noticed_and_ours_goes_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    feed(&mut writer, 1..=5);
    writer.flush().unwrap();
    feed(&mut writer, 6..=9);
    for table in ["events", "matches"] {
        let log = dir.path().join(table).join("_delta_log");
        let names = std::fs::read_dir(&log).unwrap();
        let versions = names.filter_map(|name| {
            name.unwrap().file_name().to_str()?.strip_suffix(".json")?.parse::<u64>().ok()
        });
        let next = versions.max().unwrap() + 1;
        let commit = "{\"commitInfo\":{\"timestamp\":1772438400000,\"operation\":\"WRITE\",\
             \"operationParameters\":{},\"engineInfo\":\"another tool\"}}\n\
             {\"txn\":{\"appId\":\"another tool\",\"version\":7}}\n";
        std::fs::write(log.join(format!("{next:020}.json")), commit).unwrap();
    }
    writer.flush().unwrap();
    assert_once(&writer.handle().view(), 9);
    feed(&mut writer, 10..=12);
    writer.flush().unwrap();
    drop(writer);
    assert_once(&open(dir.path()).handle().view(), 12);
}

#[test]
fn of_two_writers_the_second_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (mut one, mut two) = (open(dir.path()), open(dir.path()));
    feed(&mut one, 1..=5);
    feed(&mut two, 1..=7);
    one.flush().unwrap();
    let error = two.flush().unwrap_err();
    assert!(matches!(error, LakeError::Fenced { table: "events", theirs: 5, ours: 7 }), "{error}");
    assert_once(&one.handle().view(), 5);
}

/// One event with a value of every column type, a span, an issue and bytes that are not UTF-8.
fn rich_event(fields: &mut FieldTableBuilder) -> EventBatch {
    let extra = fields.intern("extra");
    let mut events = batch(1..=1);
    let json =
        |events: &mut EventBatch, text: &str| Scalar::Json(events.push_text(text.as_bytes()));
    let from = events.values.len() as u32;
    let answers = json(&mut events, r#"[{"type":"A","value":"192.0.2.1"},{"value":7}]"#);
    let types = json(&mut events, r#"["one",2]"#);
    let user = Scalar::Text(events.push_text("CORP\\Nina".as_bytes()));
    events.values.extend([
        (ColumnId::DNS_ANSWERS, answers),
        (ColumnId::FINDING_TYPES, types),
        (ColumnId::IS_ALERT, Scalar::Bool(true)),
        (ColumnId::START_TIME, Scalar::I64(START + 1)),
        (ColumnId::USER_NAME, user),
    ]);
    let raw = events.push_text(b"bad \xff byte");
    let value = events.push_text(b"12");
    let detail = events.push_text(b"port is not a number");
    events.issues.push(batch::Issue { code: IssueCode::Conversion, detail });
    events.spans.push(Span {
        field: extra,
        name: batch::Text::default(),
        value,
        raw: batch::Text::default(),
        kind: SpanType::Number,
        flags: SpanFlags::default(),
    });
    let values = from..events.values.len() as u32;
    let event = &mut events.events[0];
    (event.values, event.raw, event.spans, event.issues) = (values, raw, 0..1, 0..1);
    events
}

#[test]
fn every_column_type_reads_the_same_from_tail_and_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    let mut fields = FieldTableBuilder::default();
    let events = rich_event(&mut fields);
    let names = Names { fields: Arc::new(fields.build()), sources: ["dns".to_owned()].into() };
    writer.append_events(Arc::new(events), names);
    writer.advance(Lsn(1));
    let id = EventId::journal(1, 1, Lsn(1), 0);
    let shown = |writer: &yagura_lake::LakeWriter| {
        let sql = "SELECT event_id, tenant, source, time, class_uid, raw_data, raw_bytes, \
                   is_alert, start_time, user_name, dns_answers, finding_types, unmapped, issues, \
                   stream, sub, received_day, bucket, src_ip FROM events";
        let result = ask(writer.handle().view(), operator(), sql).unwrap();
        let mut out = Vec::new();
        yagura_lake::output::write_ndjson(&result, &mut out).unwrap();
        let mut csv = Vec::new();
        yagura_lake::output::write_csv(&result, &mut csv).unwrap();
        let mut table = Vec::new();
        yagura_lake::output::write_table(&result, &mut table).unwrap();
        [out, csv, table].map(|bytes| String::from_utf8(bytes).unwrap())
    };
    let from_tail = shown(&writer);
    writer.flush().unwrap();
    let from_file = shown(&writer);
    assert_eq!(from_tail, from_file);
    let row: serde_json::Value = serde_json::from_str(&from_file[0]).unwrap();
    assert_eq!(row["event_id"], id.to_string());
    assert_eq!(row["dns_answers"][0]["value"], "192.0.2.1");
    assert_eq!(row["dns_answers"][1]["value"], "7");
    assert_eq!(row["finding_types"], serde_json::json!(["one", "2"]));
    assert_eq!(row["unmapped"], r#"{"extra":12}"#);
    assert_eq!(row["issues"], "conversion: port is not a number");
    assert_eq!(row["user_name"], "CORP\\Nina");
    assert_eq!(row["raw_data"], "bad \u{fffd} byte");
    assert_eq!(row["received_day"], "2026-11-22");
    assert_eq!(row["bucket"], 1);
    assert!(from_file[1].starts_with("event_id,tenant,"), "{}", from_file[1]);
    assert!(from_file[1].contains(r#"""value"":""192.0.2.1"""#), "{}", from_file[1]);
    assert!(from_file[2].contains("| event_id "), "{}", from_file[2]);

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let view = writer.handle().view();
    let raw = |scope| {
        let ids = [id, EventId::journal(1, 1, Lsn(9), 0)];
        runtime.block_on(raw_of(view.clone(), scope, &ids, &Default::default())).unwrap()
    };
    assert_eq!(raw(only("zeta")), [(id, b"bad \xff byte".to_vec())]);
    assert_eq!(raw(only("acme")), []);
    let result = ask(view, operator(), "SELECT feed FROM events").unwrap();
    assert_eq!(result.batches[0].column(0).as_string::<i32>().value(0), "syslog");
}
