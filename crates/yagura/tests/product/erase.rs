//! `yagura erase`: nothing of a tenant is left, whenever the server is killed, and others have all.

use crate::support::server::{Site, request, wait_until};
use crate::support::{balanced, count, files_below, ndjson, ok, refused};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use yagura::config::{Config, HoldConfig};
use yagura::node::Node;
use yagura::node::backend::NodeBackend;
use yagura_api::{Backend, IngestRequest};
use yagura_event::{SystemClock, TenantName};

/// Small segments and short pauses, so that there are flushes, rewrites and cuts.
const MORE: &str = "[lake]\nflush_interval_s = 1\n[journal]\nsegment_bytes = 65536\n";

/// Passwords tried and one that fits, on a host of the tenant's name, `number` times.
fn attacks(tenant: &str, number: usize) -> String {
    let mut text = String::new();
    for n in 0..number {
        for second in 0..12 {
            let what = if second == 11 { "Accepted" } else { "Failed" };
            writeln!(
                text,
                "<38>Nov  5 10:{:02}:{second:02} gate-{tenant}-{n} sshd[77]: {what} password for \
                 user-{tenant} from 203.0.113.{} port 4 ssh2",
                n % 60,
                1 + n % 250
            )
            .unwrap();
        }
    }
    text
}

/// How many lines of a tenant's were taken.
fn post(site: &Site, tenant: &str, body: &str) -> u64 {
    let path = format!("/api/v1/ingest?tenant={tenant}");
    let (status, answer) = request(site.http, "POST", &path, "", body).unwrap();
    assert_eq!(status, 200, "{answer}");
    ndjson(&answer)[0]["accepted"].as_u64().unwrap()
}

/// What there is of a tenant: findings, incidents, books, lines.
fn all_of(data: &Path, tenant: &str) -> Vec<String> {
    let path = data.to_str().unwrap();
    let list = |what: &str| {
        ok(&[what, "--data", path, "--tenant", tenant, "--format", "ndjson"])
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut all = [list("findings"), list("incidents"), list("books")].concat();
    let lines = format!(
        "SELECT count(DISTINCT raw_data) || ' ' || count(*) FROM events WHERE tenant = '{tenant}'"
    );
    all.push(count(data, &lines));
    all
}

/// Files that hold a text as it is.
fn holding(data: &Path, text: &str) -> Vec<String> {
    let holds = |path: &std::path::PathBuf| {
        // Journal segments and the like may go while this looks.
        let bytes = std::fs::read(path).unwrap_or_default();
        bytes.windows(text.len()).any(|part| part == text.as_bytes())
    };
    let files = files_below(data).into_iter().filter(holds);
    files.map(|path| path.display().to_string()).collect()
}

#[test]
fn nothing_of_a_tenant_is_left_whenever_the_server_is_killed() {
    let mut site = Site::new(MORE);
    let (file, data) = (site.path("acme.log"), site.data());
    let path = data.to_str().unwrap().to_owned();
    std::fs::write(&file, attacks("acme", 40)).unwrap();
    site.start();
    for _ in 0..3 {
        for tenant in ["acme", "zeta"] {
            assert_eq!(post(&site, tenant, &attacks(tenant, 60)), 720);
        }
        // Several files of each day.
        std::thread::sleep(Duration::from_millis(1_500));
    }
    ok(&["ingest", "--tenant", "acme", "--data", &path, file.to_str().unwrap()]);
    wait_until("rows in the tables", || {
        let books = ok(&["books", "--data", &path, "--format", "ndjson"]);
        books.lines().all(|line| line.contains("\"pending\":0"))
    });
    let (acme, zeta) = (all_of(&data, "acme"), all_of(&data, "zeta"));
    assert!(acme.len() > 5 && zeta.len() > 5, "{acme:?} {zeta:?}");
    assert!(!holding(&data, "user-acme").is_empty() && !holding(&data, "gate-acme").is_empty());
    // Killed at several moments; any later process goes on by itself.
    for round in 0..4 {
        let mut erase = Command::new(env!("CARGO_BIN_EXE_yagura"))
            .args(["erase", "acme", "--yes", "--data", &path])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(40 + 350 * round));
        site.kill();
        // It would wait for the next server, and then see the erasure through.
        let _ = erase.kill();
        erase.wait().unwrap();
        site.start();
        assert_eq!(all_of(&data, "zeta"), zeta, "round {round}");
    }
    ok(&["erase", "acme", "--yes", "--data", &path]);
    assert_eq!(holding(&data, "acme-"), [""; 0]);
    assert_eq!(holding(&data, "-acme"), [""; 0]);
    assert_eq!(all_of(&data, "acme"), ["0 0"]);
    assert_eq!(all_of(&data, "zeta"), zeta);
    // A customer that comes back begins anew.
    assert_eq!(post(&site, "acme", &attacks("acme", 1)), 12);
    site.stop();
    assert_eq!(count(&data, "SELECT count(*) FROM events WHERE tenant = 'acme'"), "12");
    balanced(&data);
    ok(&["check", "--full", &path]);
}

#[test]
fn what_must_not_go_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (data, config) = (dir.path().join("data"), dir.path().join("yagura.toml"));
    let (path, config) = (data.to_str().unwrap(), config.to_str().unwrap());
    let log = dir.path().join("a.log");
    std::fs::write(&log, attacks("acme", 3)).unwrap();
    ok(&["ingest", "--tenant", "acme", "--data", path, log.to_str().unwrap()]);
    let before = all_of(&data, "acme");
    refused(&["erase", "acme", "--data", path], 2, &["for good", "repeat with --yes"]);
    refused(&["erase", "A B", "--yes", "--data", path], 2, &["tenant"]);
    refused(&["erase", "acme", "--yes", "--data", path], 2, &["--config", "legal holds"]);
    std::fs::write(config, "[[retention.hold]]\nreason = \"case 7\"\ntenant = \"acme\"\n").unwrap();
    let erase = ["erase", "acme", "--yes", "--config", config, "--data", path];
    refused(&erase, 1, &["legal hold", "acme"]);
    assert_eq!(all_of(&data, "acme"), before);
    std::fs::write(config, "").unwrap();
    let said = ok(&erase);
    assert!(said.contains("nothing of acme is left"), "{said}");
    assert_eq!(all_of(&data, "acme"), ["0 0"]);
    assert_eq!(holding(&data, "-acme"), [""; 0]);
    // A file that was known is new again.
    ok(&["ingest", "--tenant", "acme", "--data", path, log.to_str().unwrap()]);
    assert_eq!(count(&data, "SELECT count(*) FROM events"), "36");
    std::fs::write(config, "[journal]\nkeep = true\n").unwrap();
    refused(&erase, 1, &["archive", "journal/kept"]);
    assert_eq!(count(&data, "SELECT count(*) FROM events"), "36");
}

/// Opens a directory that this process has just closed: a process that another test is starting
/// holds the lock, too, until it has become its own program.
fn reopened(data: &Path, config: &Config) -> Node {
    let began = Instant::now();
    loop {
        match Node::open(data, config, Arc::new(SystemClock)) {
            Ok(node) => return node,
            Err(error) if began.elapsed() < Duration::from_secs(10) => println!("{error:#}"),
            Err(error) => panic!("{error:#}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn nothing_is_taken_of_a_tenant_that_is_being_erased() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::default();
    let node = Node::open(&dir.path().join("data"), &config, Arc::new(SystemClock)).unwrap();
    let node = Arc::new(node);
    let backend = NodeBackend::new(Arc::clone(&node), &config.query).unwrap();
    let [acme, zeta] = ["acme", "zeta"].map(|name| TenantName::new(name).unwrap());
    let send = |tenant: &TenantName| {
        backend.ingest(IngestRequest {
            tenant: tenant.clone(),
            feed: "http".to_owned(),
            source: None,
            host: None,
            idempotency_key: None,
            peer: String::new(),
            body: attacks(tenant.as_str(), 1).into_bytes(),
        })
    };
    assert_eq!(send(&acme).unwrap().accepted, 12);
    let state = backend.erase(&acme, true).unwrap();
    assert_ne!(state["step"], "done");
    let refusal = send(&acme).unwrap_err();
    assert_eq!(refusal.code, "tenant_erasing", "{refusal}");
    assert_eq!(send(&zeta).unwrap().accepted, 12);
    let began = Instant::now();
    while backend.erase(&acme, false).unwrap()["step"] != "done" {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(send(&acme).unwrap().accepted, 12);
    // Nobody but an operator holds what is above it.
    let mut held = Config::default();
    let (reason, tenant) = ("order 3".to_owned(), None);
    held.retention.hold = vec![HoldConfig { reason, tenant, from: None, until: None }];
    drop(backend);
    Arc::into_inner(node).unwrap().stop().unwrap();
    let node = Arc::new(reopened(&dir.path().join("data"), &held));
    let backend = NodeBackend::new(Arc::clone(&node), &held.query).unwrap();
    assert_eq!(backend.erase(&zeta, true).unwrap_err().code, "erase_refused");
    drop(backend);
    Arc::into_inner(node).unwrap().stop().unwrap();
}
