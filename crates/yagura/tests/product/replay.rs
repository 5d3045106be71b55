//! A scenario's folder replayed live gives the incidents that taking it in as a batch gives.

use crate::support::{balanced, ndjson, ok, shared, unpack};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use yagura_event::time::parse_rfc3339;
use yagura_testkit::ports::free_addresses;
use yagura_testkit::story::{Channel, Story};

/// The made-up company's day as files, one a sender.
fn write_scenario(dir: &Path) {
    let start = parse_rfc3339("2026-03-02T08:00:00Z").unwrap();
    let mut files = std::collections::BTreeMap::<String, String>::new();
    for line in Story::generate(3, start).lines {
        let name = match line.channel {
            Channel::Syslog => "relay/syslog.log".to_owned(),
            Channel::Http { source, host } => format!("{host}/{source}.log"),
        };
        writeln!(files.entry(name).or_default(), "{}", line.text).unwrap();
    }
    for (name, text) in files {
        let path = dir.join("data").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    std::fs::write(dir.join("TRUTH.json"), "{}\n").unwrap();
}

/// Who each incident is about, in which part, and the records that prove it.
fn told(data: &Path) -> BTreeSet<(BTreeSet<String>, BTreeSet<String>)> {
    let text = ok(&["incidents", "--data", data.to_str().unwrap(), "--format", "ndjson"]);
    let open = |one: &Value| one["merged_into"].is_null();
    let who = |p: &Value| format!("{} {} {}", p["role"], p["type"], p["value"]);
    let each = |one: Value| {
        let principals = one["principals"].as_array().unwrap().iter().map(who).collect();
        let proofs = one["evidences"].as_array().unwrap().iter();
        (principals, proofs.map(|p| p["raw_data"].as_str().unwrap().to_owned()).collect())
    };
    ndjson(&text).into_iter().filter(open).map(each).collect()
}

/// Takes a scenario in as a batch and replays it live; the incidents of both, in that order.
fn both(
    dir: &Path,
    scenario: &Path,
    speed: &str,
) -> [BTreeSet<(BTreeSet<String>, BTreeSet<String>)>; 2] {
    let (batch, live) = (dir.join("batch"), dir.join("live"));
    let logs = scenario.join("data");
    ok(&[
        "ingest",
        "--data",
        batch.to_str().unwrap(),
        "--path",
        "{host}/...",
        logs.to_str().unwrap(),
    ]);
    let [http, syslog] = free_addresses();
    let config = dir.join("config.toml");
    let listen = format!("[listen]\nhttp = \"{http}\"\nsyslog_tcp = \"{syslog}\"\n");
    std::fs::write(&config, listen).unwrap();
    let replayed = Command::new(env!("CARGO_BIN_EXE_yagura"))
        .args(["demo", "--once", "--speed", speed, "--scenario"])
        .arg(scenario)
        .arg("--keep")
        .arg(&live)
        .arg("--config")
        .arg(&config)
        .output()
        .unwrap();
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    let records = |data: &Path| -> u64 {
        balanced(data).iter().map(|row| row["received"].as_u64().unwrap()).sum()
    };
    assert_eq!(records(&batch), records(&live));
    [told(&batch), told(&live)]
}

#[test]
fn a_replay_gives_the_incidents_of_a_batch() {
    let dir = tempfile::tempdir().unwrap();
    let scenario = dir.path().join("scenario");
    write_scenario(&scenario);
    let [of_batch, of_live] = both(dir.path(), &scenario, "1000");
    assert!(!of_batch.is_empty());
    assert_eq!(of_batch, of_live);
}

/// Long: half a minute a scenario.
#[test]
fn a_replay_of_each_shared_scenario_gives_the_incidents_of_a_batch() {
    if std::env::var_os("YAGURA_FULL").is_none() {
        return;
    }
    let archives = ["baseline-only", "arch-firm-ssh-bruteforce", "branch-office-example"];
    for name in archives {
        let Some(archive) = shared(&format!("scenarios/{name}.tar.zst")) else { return };
        let dir = tempfile::tempdir().unwrap();
        unpack(&archive, dir.path());
        let [of_batch, of_live] = both(dir.path(), &dir.path().join(name), "2000");
        assert_eq!(of_batch.is_empty(), name == "baseline-only");
        assert!(of_batch == of_live, "{name}: {} and {}", of_batch.len(), of_live.len());
    }
}
