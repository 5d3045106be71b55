//! Hunts through the real binary: the answer is that of a scan over every record.

use crate::support::{files_below, ndjson, ok, refused, yagura};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const RECORDS: &str = "20000";

/// Every how many of the sighted values becomes an indicator.
const EVERY: usize = 7;

fn sighted(data: &str, kind: &str) -> Vec<String> {
    let sql = format!("SELECT DISTINCT value FROM sightings WHERE kind = '{kind}' ORDER BY value");
    let rows = ndjson(&ok(&["sql", &sql, "--data", data, "--format", "ndjson"]));
    rows.iter().map(|row| row["value"].as_str().unwrap().to_owned()).collect()
}

/// Indicators of every kind, half of them of things nobody saw.
fn list(data: &str) -> String {
    let mut lines = Vec::new();
    for kind in ["ip", "domain", "hash", "email"] {
        lines.extend(sighted(data, kind).into_iter().step_by(EVERY));
    }
    let names = sighted(data, "domain");
    // Parents of names that were seen, and URLs of sites.
    let parents = names.iter().filter(|name| name.matches('.').count() > 1).take(5);
    lines.extend(parents.map(|name| name.split_once('.').unwrap().1.to_owned()));
    lines.extend(names.iter().step_by(11).map(|name| format!("hxxp://{name}/")));
    let seen = lines.len();
    assert!(seen > 100, "{seen}");
    lines.extend((0..seen).map(|n| format!("198.18.{}.{}", n / 250, n % 250)));
    lines.push("192.0.2.0/25".to_owned());
    lines.join("\n").replace(".example", "[.]example")
}

/// Events by indicator.
type Counts = BTreeMap<String, u64>;

/// What every record says, read one by one.
fn scanned(list: &str, logs: &str) -> Counts {
    let found =
        ndjson(&ok(&["scan", "--intel", list, "--intel-wide", "--format", "ndjson", "--", logs]));
    let mut events: BTreeMap<String, u64> = BTreeMap::new();
    for found in &found {
        let group = found["unmapped"]["group"].as_str().unwrap();
        *events.entry(group.strip_prefix("indicator=").unwrap().to_owned()).or_default() += 1;
    }
    events
}

/// Events by indicator, of those that were seen as one value only: of others an event may count
/// for several.
fn hunted(lines: &[Value]) -> (BTreeSet<String>, Counts) {
    let mut seen: BTreeMap<String, (BTreeSet<(String, String)>, u64)> = BTreeMap::new();
    for line in lines {
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        let known = seen.entry(text("indicator")).or_default();
        known.0.insert((text("as"), text("seen")));
        known.1 += line["events"].as_u64().unwrap();
    }
    let all = seen.keys().cloned().collect();
    let single = seen.into_iter().filter(|(_, (values, _))| values.len() == 1);
    (all, single.map(|(indicator, (_, events))| (indicator, events)).collect())
}

fn hunt(list: &str, data: &str) -> Vec<Value> {
    let args = ["hunt", "--intel", list, "--wide", "--format", "ndjson", "--data", data];
    ndjson(&ok(&args))
}

#[test]
fn a_hunt_finds_what_a_scan_of_every_record_finds() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (logs, data, intel) = (path("logs"), path("data"), path("intel.txt"));
    ok(&["generate", "--records", RECORDS, "--seed", "3", "--attacks", "0", "--out", &logs]);
    ok(&["ingest", "--data", &data, &logs]);
    std::fs::write(&intel, list(&data)).unwrap();
    let lines = hunt(&intel, &data);
    let (found, counts) = hunted(&lines);
    let expected = scanned(&intel, &logs);
    let missing: Vec<_> = expected.keys().filter(|indicator| !found.contains(*indicator)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let invented: Vec<_> =
        found.iter().filter(|indicator| !expected.contains_key(*indicator)).collect();
    assert!(invented.is_empty(), "{invented:?}");
    assert!(counts.len() * 2 > found.len(), "{} of {}", counts.len(), found.len());
    for (indicator, events) in &counts {
        assert_eq!(Some(events), expected.get(indicator), "{indicator}");
    }
    println!("{} indicators seen, {} compared by their count", found.len(), counts.len());
    // Without its sightings and its index the directory gives the same.
    damage(&dir.path().join("data/lake"));
    let again = hunt(&intel, &data);
    let told = |lines: &[Value]| -> BTreeSet<String> {
        let text =
            |line: &Value| format!("{} {} {}", line["indicator"], line["seen"], line["events"]);
        lines.iter().map(text).collect()
    };
    assert_eq!(told(&again), told(&lines));
    // The search that a line names finds its events.
    let line = lines.iter().find(|line| line["as"] == "ip").unwrap();
    let search = line["search"].as_str().unwrap();
    let count = ok(&["search", search, "--count", "--data", &data]);
    assert!(count.trim().parse::<u64>().unwrap() >= line["events"].as_u64().unwrap());
}

/// Flips a bit in every file of sightings and of the index.
fn damage(lake: &Path) {
    let mut damaged = 0;
    for dir in ["sightings", "index"] {
        for path in files_below(&lake.join(dir)) {
            if path.extension().is_some_and(|end| end == "parquet" || end == "idx") {
                let mut bytes = std::fs::read(&path).unwrap();
                let at = bytes.len() / 2;
                bytes[at] ^= 16;
                std::fs::write(&path, bytes).unwrap();
                damaged += 1;
            }
        }
    }
    assert!(damaged > 1);
}

#[test]
fn what_cannot_be_hunted_is_refused_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data").to_str().unwrap().to_owned();
    let log = dir.path().join("auth.log");
    let line =
        "Jan  5 10:00:01 gate sshd[77]: Failed password for root from 203.0.113.7 port 1 ssh2\n";
    std::fs::write(&log, line).unwrap();
    ok(&["ingest", "--data", &data, log.to_str().unwrap()]);
    refused(&["hunt", "--data", &data], 2, &["name indicators"]);
    refused(&["hunt", "nonsense", "--data", &data], 1, &["no indicator", "nonsense: it is no"]);
    let table = ok(&["hunt", "203.0.113[.]7", "--data", &data]);
    assert!(table.contains("linux_syslog"), "{table}");
    let other = yagura(&["hunt", "203.0.113.7", "--tenant", "other", "--data", &data]);
    assert!(other.status.success());
    assert!(!String::from_utf8_lossy(&other.stdout).contains("203.0.113.7"));
}

#[test]
fn refused_entries_are_named_with_line_and_reason() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data").to_str().unwrap().to_owned();
    let (log, intel) = (dir.path().join("auth.log"), dir.path().join("mine.txt"));
    std::fs::write(&log, "Jan  5 10:00:01 gate sshd[77]: Server listening on :: port 22.\n")
        .unwrap();
    std::fs::write(&intel, "203.0.113.7\n".to_owned() + &"10.0.0.1\n".repeat(12)).unwrap();
    ok(&["ingest", "--data", &data, log.to_str().unwrap()]);
    let (list, word) = (intel.to_str().unwrap(), "what\u{202e}ever");
    let said = yagura(&["hunt", word, "--intel", list, "--data", &data]);
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("refused: ")).collect();
    assert_eq!(lines.len(), 10, "{said}");
    assert!(lines[0].starts_with("refused: command line, line 1: what\\u{202e}ever: "), "{said}");
    assert!(lines[1].starts_with("refused: mine, line 2: 10.0.0.1: "), "{said}");
    assert!(lines[1].ends_with(" (private_or_reserved)"), "{said}");
    assert!(said.ends_with("and 3 more\n"), "{said}");
}
