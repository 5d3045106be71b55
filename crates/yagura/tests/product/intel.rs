//! Indicator lists through the real binary: scan, ingest, replay, reload while running.

use crate::support::{count, error_of, ndjson, ok, refused, shared, yagura};
use serde_json::Value;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yagura::config::Config;
use yagura::node::Node;
use yagura_event::SystemClock;

const LINES: &str = "\
Jan  5 10:00:01 gate sshd[77]: Failed password for root from 203.0.113.7 port 4000 ssh2
Jan  5 10:00:02 gate sshd[77]: Failed password for root from 203.0.113.7 port 4001 ssh2
Jan  5 10:00:03 gate sshd[77]: Failed password for root from 203.0.113.8 port 4002 ssh2
Jan  5 10:00:04 gate sshd[77]: Failed password for root from 198.51.100.9 port 4003 ssh2
Jan  5 10:00:05 gate sshd[77]: Failed password for root from 192.0.2.1 port 4004 ssh2
";

const LIST: &str =
    "# scanners\n203.0.113[.]7 # twice\n198.51.100.0/24\n10.0.0.0/8\n.com\n0.0.0.0/0\n";

struct Site {
    dir: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let site = Self { dir: tempfile::tempdir().unwrap() };
        site.put("auth.log", LINES);
        site.put("scanners.txt", LIST);
        site
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Matches of a scan, and standard error.
    fn scan(&self, more: &[&str]) -> (Vec<Value>, String) {
        let (list, log) = (self.path("scanners.txt"), self.path("auth.log"));
        let mut args = vec!["scan", "--intel", &list, "--format", "ndjson"];
        args.extend(more);
        args.push(&log);
        let output = yagura(&args);
        let error = error_of(&output);
        assert!(output.status.success(), "{error}");
        (ndjson(std::str::from_utf8(&output.stdout).unwrap()), error)
    }
}

fn group(finding: &Value) -> &str {
    finding["unmapped"]["group"].as_str().unwrap()
}

#[test]
fn scan_with_indicators_alone() {
    let site = Site::new();
    let (found, error) = site.scan(&[]);
    let places: Vec<(&str, u64)> =
        found.iter().map(|f| (group(f), f["record"].as_u64().unwrap())).collect();
    assert_eq!(
        places,
        [
            ("indicator=203.0.113.7", 1),
            ("indicator=203.0.113.7", 2),
            ("indicator=198.51.100.0/24", 4)
        ]
    );
    let analytic = &found[0]["finding_info"]["analytic"];
    assert_eq!(analytic["uid"], "intel:scanners:ip:medium");
    assert_eq!(analytic["type"], "Indicator");
    assert_eq!(found[0]["severity_id"], 3);
    assert_eq!(found[0]["evidences"][0]["data"]["fields"]["src_endpoint.ip"], "203.0.113.7");
    for word in ["indicators 2 (ipv4 1, network 1)", "private_or_reserved 1", "public_suffix 1"] {
        assert!(error.contains(word), "{word}: {error}");
    }
    assert!(error.contains("too_wide 1") && error.contains("rules loaded 0"), "{error}");
    let (found, _) = site.scan(&["--dedup"]);
    let counts: Vec<(&str, u64)> =
        found.iter().map(|f| (group(f), f["count"].as_u64().unwrap())).collect();
    assert_eq!(counts.len(), 2);
    assert!(counts.contains(&("indicator=203.0.113.7", 2)), "{counts:?}");
}

#[test]
fn scan_with_rules_and_warning_lists() {
    let site = Site::new();
    let json = r#"{"name":"Fine ranges","version":1,"type":"cidr","list":["198.51.100.0/25"],
"matching_attributes":["ip-src","ip-dst"]}"#;
    site.put("fine/list.json", json);
    let fine = site.path("fine");
    let (found, error) = site.scan(&["--warninglist", &fine, "--"]);
    assert!(found.iter().all(|f| group(f) == "indicator=203.0.113.7"), "{found:?}");
    assert!(error.contains("suppressed by warning list Fine ranges: 1"), "{error}");
    site.put("fine.txt", "203.0.113.0/29\n");
    let plain = site.path("fine.txt");
    let (found, error) = site.scan(&["--warninglist", &plain, "--"]);
    assert_eq!(found.len(), 1, "{error}");
    let rule = "title: Any failure\nid: 6f1e2a52-6a3f-4b7c-9f1e-1a2b3c4d5e6f\nlogsource:\n  product: linux\n  service: sshd\ndetection:\n  keywords:\n    - 'Failed password'\n  condition: keywords\nlevel: low\n";
    site.put("rule.yml", rule);
    let rule = site.path("rule.yml");
    let (found, _) = site.scan(&["--rules", &rule, "--"]);
    let of =
        |uid: &str| found.iter().filter(|f| f["finding_info"]["analytic"]["uid"] == uid).count();
    assert_eq!(of("6f1e2a52-6a3f-4b7c-9f1e-1a2b3c4d5e6f"), 5);
    assert_eq!(of("intel:scanners:ip:medium"), 3);
}

#[test]
fn what_cannot_work_is_said() {
    let site = Site::new();
    let log = site.path("auth.log");
    refused(&["scan", &log], 2, &["--rules", "--intel"]);
    refused(&["scan", "--intel", "/nowhere/list.txt", "--", &log], 2, &["/nowhere/list.txt"]);
    site.put("wide.txt", "0.0.0.0/0\n.com\n64.0.0.0/7\n192.168.1.1\nco.uk\n");
    let wide = site.path("wide.txt");
    let words = ["too_wide 2", "public_suffix 2", "private_or_reserved 1", "no indicator"];
    refused(&["scan", "--intel", &wide, "--", &log], 1, &words);
    let found = ok(&["scan", "--intel", &wide, "--intel-wide", "--format", "ndjson", &log]);
    assert_eq!(ndjson(&found).len(), 5);
}

/// Findings of a data directory as (id, group, count), sorted.
fn findings(data: &Path) -> Vec<(String, String, u64)> {
    let out = ok(&["findings", "--data", data.to_str().unwrap(), "--format", "ndjson"]);
    let mut all: Vec<(String, String, u64)> = ndjson(&out)
        .iter()
        .filter(|f| f["unmapped"]["kind"] == "indicator")
        .map(|f| {
            let id = f["metadata"]["uid"].as_str().unwrap().to_owned();
            (id, group(f).to_owned(), f["count"].as_u64().unwrap())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn ingest_keeps_the_lists_in_force_for_a_replay() {
    let site = Site::new();
    let data = site.dir.path().join("data");
    site.put("data/intel/scanners.txt", LIST);
    site.put(
        "data/intel/warninglists/fine.json",
        r#"{"name":"Fine","version":1,"type":"cidr","list":["198.51.100.0/24"]}"#,
    );
    site.put("keep.toml", "[journal]\nkeep = true\n");
    let (config, log) = (site.path("keep.toml"), site.path("auth.log"));
    let d = data.to_str().unwrap();
    let output = yagura(&["ingest", "--config", &config, "--data", d, &log]);
    let error = error_of(&output);
    assert!(output.status.success(), "{error}");
    assert!(error.contains("intel: lists 1, indicators 2"), "{error}");
    let found = findings(&data);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].1.as_str(), found[0].2), ("indicator=203.0.113.7", 2));
    let by = "SELECT count(*) FROM matches WHERE rule = 'intel:warninglist:Fine'";
    assert_eq!(count(&data, by), "1");
    assert_eq!(
        count(&data, "SELECT count(*) FROM matches WHERE rule = 'intel:scanners:ip:medium'"),
        "2"
    );
    let incidents = ok(&["incidents", "--data", d, "--format", "ndjson"]);
    assert_eq!(incidents, "", "an indicator alone opens nothing");
    // The lists change; what was found under the old ones stays, also in a replay.
    site.put("data/intel/scanners.txt", "203.0.113.8\n");
    site.put("more.log", &LINES.replace("10:00", "11:00"));
    ok(&["ingest", "--data", d, &site.path("more.log")]);
    let after = findings(&data);
    assert_eq!(after.len(), 2, "{after:?}");
    let replay = site.dir.path().join("replay");
    std::fs::create_dir_all(&replay).unwrap();
    for name in ["VERSION", "journal", "epochs"] {
        copy(&data.join(name), &replay.join(name));
    }
    assert_eq!(findings(&replay), after);
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        std::fs::copy(from, to).unwrap();
    }
}

#[test]
fn a_running_platform_takes_changed_lists() {
    let site = Site::new();
    let data = site.dir.path().join("data");
    let node = Node::open(&data, &Config::default(), Arc::new(SystemClock)).unwrap();
    assert!(node.intel_report().is_none());
    assert!(node.reload_intel().unwrap().is_none());
    let take = |name: &str| {
        let request = serde_json::json!({
            "tenant": "default", "source": "auto", "patterns": [], "reference_time": null,
            "time_zone": null, "again": true, "inputs": [site.path(name)],
        });
        let request = serde_json::from_value(request).unwrap();
        yagura::node::ingest::run(&node, &request, &|_| {}).unwrap();
    };
    take("auth.log");
    site.put("data/intel/scanners.txt", LIST);
    assert!(node.reload_intel().unwrap().is_none(), "the files must rest first");
    let report = node.reload_intel().unwrap().expect("they changed");
    assert_eq!(report.count(), 2);
    assert!(node.reload_intel().unwrap().is_none());
    take("auth.log");
    site.put("data/intel/scanners.txt", "203.0.113.8\n203.0.113.9\n");
    node.reload_intel().unwrap();
    assert_eq!(node.reload_intel().unwrap().unwrap().count(), 2);
    take("auth.log");
    node.stop().unwrap();
    let of = |ip: &str| {
        count(&data, &format!("SELECT count(*) FROM matches WHERE keys LIKE '%\"{ip}\"%'"))
    };
    assert_eq!([of("203.0.113.7"), of("198.51.100.0/24"), of("203.0.113.8")], ["2", "1", "1"]);
}

/// Addresses of web requests, some of them listed.
#[test]
fn published_lists_over_generated_lines_equal_a_plain_search() {
    let (Some(ipsum), Some(fox)) =
        (shared("intel/ipsum/ipsum.txt.zst"), shared("intel/public-feeds/threatfox-ips.txt.zst"))
    else {
        return;
    };
    let site = Site::new();
    let listed: Vec<Vec<String>> = [&ipsum, &fox].map(addresses).to_vec();
    let known: Vec<HashSet<&String>> = listed.iter().map(|list| list.iter().collect()).collect();
    let mut text = String::new();
    let mut want = 0;
    for n in 0..4_000u32 {
        let ip = match n % 4 {
            0 => listed[0][n as usize * 29 % listed[0].len()].clone(),
            1 => listed[1][n as usize * 5 % listed[1].len()].clone(),
            _ => format!("192.0.2.{}", n % 250),
        };
        want += known.iter().filter(|list| list.contains(&ip)).count();
        writeln!(
            text,
            "{ip} - - [05/Jan/2026:10:{:02}:{:02} +0000] \"GET /page/{n} HTTP/1.1\" 200 512 \"-\" \"Mozilla/5.0\"",
            n / 60 % 60,
            n % 60
        )
        .unwrap();
    }
    site.put("access.log", &text);
    let log = site.path("access.log");
    let (a, b) = (ipsum.to_str().unwrap(), fox.to_str().unwrap());
    let found = ok(&["scan", "--intel", a, b, "--format", "ndjson", "--", &log]);
    let found = ndjson(&found);
    assert_eq!(found.len(), want);
    for finding in &found {
        let ip = group(finding).strip_prefix("indicator=").unwrap();
        let raw = finding["evidences"][0]["raw_data"].as_str().unwrap();
        assert!(raw.starts_with(&format!("{ip} ")), "{ip}: {raw}");
    }
}

fn addresses(path: &PathBuf) -> Vec<String> {
    let output = std::process::Command::new("zstd").arg("-dcq").arg(path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let words = text.lines().filter_map(|line| line.split_whitespace().next());
    words.filter(|word| word.parse::<std::net::Ipv4Addr>().is_ok()).map(str::to_owned).collect()
}
