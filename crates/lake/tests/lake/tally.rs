//! Rows counted by one text: by the numbers of data files, with the answers that hashing gives.

use crate::common::*;
use std::sync::Arc;
use yagura_event::{Context, EventBatch, FieldTableBuilder, Lsn, Reference, SourceChoice};
use yagura_event::{TenantScope, batch::Text};
use yagura_lake::{LakeView, LakeWriter, Names};

fn csv(view: &Arc<LakeView>, scope: &TenantScope, sql: &str) -> String {
    let answer = ask(Arc::clone(view), scope.clone(), sql).unwrap();
    let mut out = Vec::new();
    yagura_lake::output::write_csv(&answer, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn plan(view: &Arc<LakeView>, sql: &str) -> String {
    csv(view, &operator(), &format!("EXPLAIN ANALYZE {sql}"))
}

/// Rows in three files, or packed in one a tenant, and some in the tail.
fn lake(dir: &std::path::Path, packed: bool) -> LakeWriter {
    let mut writer = open(dir);
    for from in [1, 301, 601] {
        feed(&mut writer, from..=from + 299);
        writer.flush().unwrap();
    }
    while let Some(rewrite) = writer.plan_packing().filter(|_| packed) {
        writer.end_rewrite(rewrite.write(), std::time::Instant::now()).unwrap();
    }
    feed(&mut writer, 901..=950);
    writer
}

#[test]
fn counts_by_number_are_those_by_hash_for_every_kind_of_column_and_scope() {
    for packed in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let view = lake(dir.path(), packed).handle().view();
        // Few texts, none in any row, one a tenant, another in each row.
        for column in ["src_ip", "dst_hostname", "tenant", "raw_data"] {
            for scope in [operator(), only("acme"), only("nobody")] {
                let by = |what: &str| {
                    let sql = format!(
                        "SELECT {what} AS c, count(*) AS n, count(1) AS m FROM events \
                         GROUP BY 1 ORDER BY 2 DESC, 1"
                    );
                    csv(&view, &scope, &sql)
                };
                let (tallied, hashed) = (by(column), by(&format!("substr({column}, 1)")));
                assert_eq!(tallied, hashed, "{column} of {scope:?}, packed {packed}");
                assert_eq!(tallied.lines().count() == 1, scope == only("nobody"), "{tallied}");
            }
        }
        let distinct = "SELECT count(*) FROM (SELECT DISTINCT src_ip FROM events)";
        assert_eq!(numbers(&view, distinct), [250]);
    }
}

#[test]
fn only_plain_counts_by_one_column_are_tallied() {
    let dir = tempfile::tempdir().unwrap();
    let view = lake(dir.path(), true).handle().view();
    let tallied = |sql: &str| plan(&view, sql).contains("Tally: src_ip");
    assert!(tallied("SELECT src_ip, count(*) FROM events GROUP BY src_ip"));
    for other in [
        "SELECT src_ip, count(dst_port) FROM events GROUP BY src_ip",
        "SELECT src_ip, count(*) FILTER (WHERE dst_port > 5) FROM events GROUP BY src_ip",
        "SELECT src_ip, max(dst_port) FROM events GROUP BY src_ip",
        "SELECT src_ip, tenant, count(*) FROM events GROUP BY src_ip, tenant",
        "SELECT src_ip, count(*) FROM events GROUP BY GROUPING SETS ((src_ip), ())",
        "SELECT src_ip, count(*) FROM events WHERE dst_port > 5 GROUP BY src_ip",
    ] {
        assert!(!tallied(other), "{other}");
    }
    let once = "SELECT src_ip, count(DISTINCT 1) AS n FROM events GROUP BY src_ip";
    assert_eq!(numbers(&view, &format!("SELECT count(*), max(n) FROM ({once})")), [250, 1]);
    // What has a column's name is not always the column.
    let short = "SELECT src_ip, count(*) FROM (SELECT substr(src_ip, 1, 4) AS src_ip FROM events) \
                 GROUP BY src_ip";
    assert!(!tallied(short));
    assert_eq!(csv(&view, &operator(), short).lines().nth(1), Some("10.0,950"));
    let other = "SELECT src_ip, count(*) FROM (SELECT tenant AS src_ip FROM events) \
                 GROUP BY src_ip ORDER BY 1";
    assert_eq!(csv(&view, &operator(), other).lines().nth(1), Some("acme,475"));
}

#[test]
fn more_texts_than_are_kept_at_once_are_handed_on_in_parts() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    let context = Context::new("acme", "syslog", SourceChoice::Auto, Reference::Received);
    let context = Arc::new(context);
    // Each text comes twice, far apart.
    for (from, to) in [(1u64, 6_000), (6_001, 12_000)] {
        let mut batch = EventBatch::default();
        let own = batch.push_context(&context);
        for lsn in from..=to {
            let text = format!("{:06}{}", lsn % 6_000, "x".repeat(1_000));
            let raw: Text = batch.push_text(text.as_bytes());
            let at = batch.values.len() as u32;
            push_event(&mut batch, (lsn, 0), own, raw, at, START);
        }
        let fields = Arc::new(FieldTableBuilder::default().build());
        let names = Names { fields, sources: ["linux_syslog".to_owned()].into() };
        writer.append_events(Arc::new(batch), names);
        writer.advance(Lsn(to));
        writer.flush().unwrap();
    }
    let view = writer.handle().view();
    let sql = "SELECT count(*), min(n), max(n) FROM \
               (SELECT raw_data, count(*) AS n FROM events GROUP BY raw_data)";
    assert!(plan(&view, sql).contains("Tally: raw_data"));
    assert_eq!(numbers(&view, sql), [6_000, 2, 2]);
}
