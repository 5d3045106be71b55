//! Queries: tenants, pruning, what is refused, limits.

use crate::common::*;
use arrow::array::AsArray;
use std::sync::Arc;
use yagura_event::Lsn;
use yagura_lake::{LakeError, LakeView, LakeWriter, SqlLimits};

/// Half of the rows in files, half in the tail.
fn lake(dir: &std::path::Path) -> LakeWriter {
    let mut writer = open(dir);
    feed(&mut writer, 1..=40);
    writer.flush().unwrap();
    feed(&mut writer, 41..=80);
    writer
}

fn lines(view: &Arc<LakeView>, tenant: &str, sql: &str) -> String {
    let result = ask(Arc::clone(view), only(tenant), sql).unwrap();
    let mut out = Vec::new();
    yagura_lake::output::write_ndjson(&result, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn no_query_reads_another_tenants_rows() {
    let dir = tempfile::tempdir().unwrap();
    let view = lake(dir.path()).handle().view();
    for sql in [
        "SELECT * FROM events",
        "SELECT tenant, raw_data FROM events WHERE tenant = 'zeta'",
        "SELECT tenant FROM events WHERE tenant = 'acme' OR 1 = 1",
        "SELECT tenant FROM events WHERE NOT (tenant = 'acme')",
        "SELECT 'acme' AS t, tenant FROM events AS tenant_events",
        "SELECT a.tenant, b.tenant AS other FROM events a JOIN events b ON a.lsn = b.lsn + 1",
        "SELECT a.tenant FROM events a FULL JOIN matches b ON a.tenant = b.tenant",
        "SELECT tenant FROM events UNION ALL SELECT tenant FROM matches",
        "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY tenant) n FROM events) x",
        "WITH events AS (SELECT * FROM events) SELECT * FROM events",
        "SELECT * FROM matches WHERE tenant LIKE '%' OR rule IS NOT NULL",
        "SELECT * FROM datafusion.public.events",
        "SELECT tenant, (SELECT max(tenant) FROM events) FROM matches",
        "SELECT min(tenant), max(tenant), count(DISTINCT tenant) FROM events",
        "SELECT * FROM events WHERE EXISTS (SELECT 1 FROM events z WHERE z.tenant = 'zeta')",
        "SELECT array_agg(tenant) FROM events",
        "SELECT tenant FROM events ORDER BY tenant DESC LIMIT 5",
    ] {
        let seen = lines(&view, "acme", sql);
        assert!(!seen.contains("zeta"), "{sql}\n{seen}");
    }
    assert_eq!(lines(&view, "acme", "SELECT count(*) AS n FROM events").trim(), r#"{"n":40}"#);
    assert_eq!(lines(&view, "acme", "SELECT count(lsn) AS n FROM matches").trim(), r#"{"n":40}"#);
    assert_eq!(lines(&view, "nobody", "SELECT count(*) AS n FROM events").trim(), r#"{"n":0}"#);
    assert_eq!(lines(&view, "nobody", "SELECT * FROM matches"), "");
    assert_eq!(numbers(&view, "SELECT count(*) FROM events"), [80]);
    let sum = "SELECT sum(dst_port) AS s FROM events WHERE dst_port > 40";
    assert_eq!(lines(&view, "zeta", sum).trim(), r#"{"s":1200}"#);
}

#[test]
fn joins_are_planned_by_how_many_rows_there_are() {
    let dir = tempfile::tempdir().unwrap();
    let view = lake(dir.path()).handle().view();
    let sql = "EXPLAIN SELECT e.src_ip FROM events e JOIN matches m ON m.event = e.event_id";
    for tenant in ["acme", "zeta"] {
        let plan = lines(&view, tenant, sql);
        assert!(plan.contains("HashJoinExec: mode=CollectLeft"), "{plan}");
    }
    let joined = "SELECT count(*) AS n FROM events e JOIN matches m ON m.event = e.event_id";
    assert_eq!(lines(&view, "acme", joined).trim(), r#"{"n":40}"#);
}

#[test]
fn a_condition_that_fails_on_purpose_tells_nothing_of_other_tenants() {
    let dir = tempfile::tempdir().unwrap();
    let view = lake(dir.path()).handle().view();
    let trap = |line: u64| format!("(CASE WHEN raw_data LIKE 'line {line} %' THEN 0 ELSE 1 END)");
    // Odd lines are those of `zeta`; 1 is in a file, 41 in the tail.
    for line in [1, 41] {
        for sql in [
            format!("SELECT count(*) AS n FROM events WHERE 1 / {} = 1", trap(line)),
            format!(
                "SELECT count(*) AS n FROM events WHERE 1 / {} = 1 AND tenant = 'zeta'",
                trap(line)
            ),
            format!("SELECT sum(1 / {}) AS n FROM events", trap(line)),
            format!("SELECT lsn FROM events ORDER BY 1 / {} LIMIT 3", trap(line)),
        ] {
            assert!(ask(Arc::clone(&view), only("acme"), &sql).is_ok(), "{sql}");
        }
        let own = format!("SELECT sum(1 / {}) FROM events", trap(line));
        assert!(ask(Arc::clone(&view), only("zeta"), &own).is_err());
    }
    let analyze = "EXPLAIN ANALYZE SELECT * FROM events";
    let error = ask(Arc::clone(&view), only("acme"), analyze).unwrap_err();
    assert!(error.to_string().contains("EXPLAIN ANALYZE"), "{error}");
    assert!(ask(view, operator(), analyze).is_ok());
}

#[test]
fn changing_anything_is_refused_in_plain_words() {
    let dir = tempfile::tempdir().unwrap();
    let view = lake(dir.path()).handle().view();
    for sql in [
        "INSERT INTO events SELECT * FROM events",
        "DELETE FROM events",
        "UPDATE events SET tenant = 'x'",
        "DROP TABLE events",
        "CREATE TABLE t AS SELECT 1",
        "CREATE VIEW v AS SELECT * FROM events",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "COPY (SELECT * FROM events) TO 'out.parquet'",
        "EXPLAIN ANALYZE INSERT INTO events SELECT * FROM events",
        "SET datafusion.execution.target_partitions = 64",
        "PREPARE p AS SELECT 1",
    ] {
        let error = ask(Arc::clone(&view), operator(), sql).unwrap_err();
        assert!(error.is_users_fault(), "{sql}: {error:?}");
        assert!(error.to_string().contains("only SELECT"), "{sql}: {error}");
    }
    for (sql, says) in [
        ("SELEC 1", "SELEC"),
        ("SELECT nope FROM events", "nope"),
        ("SELECT * FROM users", "users"),
        ("SELECT * FROM 'secrets.csv'", "secrets.csv"),
        ("SELECT 1; SELECT 2", "statement"),
        ("SELECT raw_data + 1 FROM events", "Cannot coerce"),
        ("SELECT 1 / (lsn - lsn) FROM events", "ivide by zero"),
        ("BEGIN", "BEGIN"),
        ("", "statement"),
    ] {
        let error = ask(Arc::clone(&view), operator(), sql).unwrap_err();
        assert!(error.is_users_fault(), "{sql}: {error:?}");
        assert!(error.to_string().contains(says), "{sql}: {error}");
    }
    for sql in [
        "SHOW TABLES",
        "DESCRIBE events",
        "EXPLAIN SELECT * FROM matches",
        "SHOW COLUMNS FROM events",
    ] {
        let result = ask(Arc::clone(&view), only("acme"), sql).unwrap();
        assert!(result.rows() > 0, "{sql}");
    }
    let long = format!("SELECT '{}'", "x".repeat(yagura_lake::sql::SQL_BYTES_MAX));
    assert!(matches!(ask(view, operator(), &long), Err(LakeError::Query(_))));
}

#[test]
fn limits_stop_a_query_and_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let view = lake(dir.path()).handle().view();
    let within =
        |limits: SqlLimits, sql: &str| ask_within(Arc::clone(&view), operator(), sql, &limits);
    let rows = |rows_max| SqlLimits { rows_max, ..SqlLimits::default() };
    let full = within(rows(80), "SELECT lsn FROM events").unwrap();
    assert_eq!((full.rows(), full.truncated), (80, false));
    let cut = within(rows(79), "SELECT lsn FROM events").unwrap();
    assert_eq!((cut.rows(), cut.truncated), (79, true));

    let slow = "SELECT count(*) FROM generate_series(1, 3000000000) a WHERE a.value % 7 = 3";
    let limits = SqlLimits { time_ms: 200, ..SqlLimits::default() };
    let error = within(limits, slow).unwrap_err();
    assert!(matches!(&error, LakeError::Limit(text) if text.contains("200 ms")), "{error}");

    let big = "SELECT value % 1000003 AS k, count(*) FROM generate_series(1, 2000000) GROUP BY k";
    let limits = SqlLimits { memory_bytes: 1 << 20, ..SqlLimits::default() };
    let error = within(limits, big).unwrap_err();
    assert!(matches!(error, LakeError::Limit(_)), "{error}");
}

#[test]
fn files_are_passed_over_by_partition_time_and_lsn() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    for part in 0..5u64 {
        feed(&mut writer, part * 100 + 1..=part * 100 + 100);
        writer.flush().unwrap();
    }
    let view = writer.handle().view();
    let all = view.events.files.len();
    assert!(all >= 10, "{all}");
    let planned = |filter: &str| {
        let sql = format!("EXPLAIN SELECT raw_data FROM events WHERE {filter}");
        let result = ask(Arc::clone(&view), operator(), &sql).unwrap();
        let plans: Vec<String> = result
            .batches
            .iter()
            .flat_map(|b| {
                b.column(1)
                    .as_string::<i32>()
                    .iter()
                    .flatten()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect();
        plans.last().unwrap().matches(".parquet").count()
    };
    assert_eq!(planned("lsn = 250"), 2, "one file a bucket");
    assert_eq!(planned("lsn = 250 AND bucket = 0"), 1);
    assert_eq!(planned("tenant = 'nobody'"), 0);
    assert_eq!(planned("received_day = '1999-01-01'"), 0);
    assert!(planned("time < '2026-11-22T12:00:00Z'") <= 2);
    let narrow = "SELECT count(*), min(lsn), max(lsn) FROM events \
                  WHERE received_time >= '2026-11-23T00:00:00Z' AND received_time < '2026-11-23T01:00:00Z'";
    assert_eq!(numbers(&view, narrow), [10, 140, 149]);
    assert_eq!(view.upper, Lsn(500));
}

#[test]
fn matches_join_their_events() {
    let dir = tempfile::tempdir().unwrap();
    let view = lake(dir.path()).handle().view();
    let sql = "SELECT count(*) FROM matches m JOIN events e ON e.event_id = m.event AND e.lsn = m.lsn \
               WHERE m.fields = '{\"user\":[\"a\",\"b\"]}'";
    assert_eq!(numbers(&view, sql), [80]);
}
