//! Retention in a running node: what is kept no longer goes, and the books still balance.

use crate::support::{files_below, ok, yagura};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use yagura::config::{Config, HoldConfig, KeepConfig};
use yagura::node::Node;
use yagura::node::backend::NodeBackend;
use yagura::node::books::{self, Row};
use yagura_api::{Backend, IngestRequest};
use yagura_event::time::{DAY, Micros, parse_rfc3339};
use yagura_event::{Clock, TenantName, TenantScope};

/// A clock that stands.
struct Standing(Micros);

impl Clock for Standing {
    fn now(&self) -> Micros {
        self.0
    }
}

fn open(data: &Path, config: &Config, time: Micros) -> Arc<Node> {
    Arc::new(Node::open(data, config, Arc::new(Standing(time))).unwrap())
}

fn send(node: &Arc<Node>, config: &Config, tenant: &str, lines: usize) {
    let backend = NodeBackend::new(Arc::clone(node), &config.query).unwrap();
    let line = "<38>Nov  5 10:00:01 gate sshd[77]: Failed password for root from 203.0.113.7 port 4 ssh2\n";
    let request = IngestRequest {
        tenant: TenantName::new(tenant).unwrap(),
        feed: "http".to_owned(),
        source: None,
        host: None,
        idempotency_key: None,
        peer: String::new(),
        body: line.repeat(lines).into_bytes(),
    };
    assert_eq!(backend.ingest(request).unwrap().accepted, lines as u64);
}

/// (received, stored, expired) of a tenant; the books balance.
fn sums(node: &Node, tenant: &str) -> (u64, u64, u64) {
    let rows = books::rows(node, &TenantScope::operator()).unwrap();
    assert!(rows.iter().all(|row| row.gap == 0), "{rows:?}");
    let mine: Vec<&Row> = rows.iter().filter(|row| row.tenant == tenant).collect();
    let sum = |of: fn(&Row) -> u64| mine.iter().map(|row| of(row)).sum();
    (sum(|row| row.received), sum(|row| row.stored + row.pending), sum(|row| row.expired))
}

fn stop(node: Arc<Node>) {
    Arc::into_inner(node).unwrap().stop().unwrap();
}

#[test]
fn records_of_one_tenant_go_after_their_days_and_anothers_stay() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let start = parse_rfc3339("2026-10-01T09:00:00Z").unwrap();
    let mut config = Config::default();
    for (days, tenants) in [(0, ["acme", "zeta", "held"]), (40, ["acme", "zeta", "zeta"])] {
        let node = open(&data, &config, start + days * DAY);
        tenants.iter().for_each(|tenant| send(&node, &config, tenant, 30));
        stop(node);
    }
    config.retention.days = 30;
    config.retention.keep =
        vec![KeepConfig { tenant: Some("acme".to_owned()), class: None, days: 0 }];
    let (reason, tenant) = ("case 1".to_owned(), Some("held".to_owned()));
    config.retention.hold = vec![HoldConfig { reason, tenant, from: None, until: None }];
    let node = open(&data, &config, start + 40 * DAY);
    let deadline = Instant::now() + Duration::from_secs(60);
    while sums(&node, "zeta") != (90, 60, 30) {
        assert!(Instant::now() < deadline, "{:?}", sums(&node, "zeta"));
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(sums(&node, "acme"), (60, 60, 0));
    assert_eq!(sums(&node, "held"), (30, 30, 0));
    stop(node);
    let path = data.to_str().unwrap();
    let count = "SELECT tenant, count(*) AS n FROM events GROUP BY tenant ORDER BY tenant";
    let counted = ok(&["sql", "--data", path, "--format", "ndjson", count]);
    for row in
        [r#""tenant":"acme","n":60"#, r#""tenant":"held","n":30"#, r#""tenant":"zeta","n":60"#]
    {
        assert!(counted.contains(row), "{row}: {counted}");
    }
    let books = ok(&["books", "--data", path]);
    assert!(books.contains("expired"), "{books}");
    ok(&["check", "--full", path]);
    // The count of what expired is checked like all else.
    let written = files_below(&data.join("lake/expired")).pop().unwrap();
    let whole = std::fs::read_to_string(&written).unwrap();
    std::fs::write(&written, whole.replacen("30", "29", 1)).unwrap();
    let output = yagura(&["check", path]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && text.contains("lake/expired"), "{text}");
    assert!(!yagura(&["books", "--data", path]).status.success());
}
