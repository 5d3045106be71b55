//! Rules run over the past through the real binary: they find what they would have found, and what is
//! recorded counts like what was found when it came.

use crate::support::server::{Site, request, wait_until};
use crate::support::{balanced, count, error_of, ndjson, ok, refused, yagura};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules");

/// A configuration in which no rule is in force.
const IDLE: &str = "[rules]\nbuiltin = false\n";

/// What is said of a finding, by its id.
fn told(findings: &[Value]) -> BTreeMap<String, Value> {
    let one = |finding: &Value| {
        let info = &finding["finding_info"];
        let said = json!({
            "rule": info["analytic"]["uid"], "group": finding["unmapped"]["group"],
            "count": finding["count"], "first": info["first_seen_time_dt"],
            "last": info["last_seen_time_dt"], "observables": finding["observables"],
            "evidences": finding["evidences"],
        });
        (info["uid"].as_str().unwrap().to_owned(), said)
    };
    findings.iter().map(one).collect()
}

fn findings(data: &str) -> Vec<Value> {
    let all = ndjson(&ok(&["findings", "--data", data, "--format", "ndjson"]));
    assert!(all.len() > 5, "{}", all.len());
    all
}

/// Principals of every incident.
fn incidents(data: &str) -> Vec<Value> {
    let list = ndjson(&ok(&["incidents", "--data", data, "--format", "ndjson"]));
    let mut all: Vec<Value> = list.into_iter().map(|one| one["principals"].clone()).collect();
    all.sort_by_key(Value::to_string);
    all
}

#[test]
fn rules_find_in_the_past_what_they_would_have_found_and_it_counts_once_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (logs, live, late, idle) = (path("logs"), path("live"), path("late"), path("idle.toml"));
    ok(&["generate", "--records", "15000", "--seed", "5", "--attacks", "3", "--out", &logs]);
    std::fs::write(&idle, IDLE).unwrap();
    ok(&["ingest", "--data", &live, &logs]);
    ok(&["ingest", "--config", &idle, "--data", &late, &logs]);
    let expected = findings(&live);
    let hunt = |data: &str, more: &[&str]| {
        let args = ["hunt", "--rules", RULES, "--data", data, "--format", "ndjson"];
        ndjson(&ok(&[&args, more].concat()))
    };
    // Where they were in force, they find the same anew, and all of it is known.
    let again = hunt(&live, &[]);
    assert_eq!(told(&again), told(&expected));
    assert!(again.iter().all(|one| one["metadata"]["labels"] == json!(["retrospective"])));
    let table = ok(&["hunt", "--rules", RULES, "--data", &live]);
    assert_eq!(
        table.lines().filter(|line| line.ends_with(" yes")).count(),
        expected.len(),
        "{table}"
    );
    // Where they were not, nothing is among the findings until it is recorded.
    let none = ok(&["findings", "--data", &late, "--format", "ndjson"]);
    assert!(none.is_empty(), "{}", none.lines().count());
    assert_eq!(told(&hunt(&late, &[])), told(&expected));
    assert!(ok(&["findings", "--data", &late, "--format", "ndjson"]).is_empty());
    hunt(&late, &["--record"]);
    let recorded = findings(&late);
    assert_eq!(told(&recorded), told(&expected));
    assert!(recorded.iter().all(|one| one["metadata"]["labels"] == json!(["retrospective"])));
    assert_eq!(incidents(&late), incidents(&live));
    assert!(!incidents(&late).is_empty());
    // A second time changes nothing.
    hunt(&late, &["--record"]);
    assert_eq!(findings(&late), recorded);
    balanced(Path::new(&late));
    ok(&["check", &late]);
}

#[test]
fn a_run_reads_only_what_its_rules_can_hit_and_says_so_before() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (logs, data, rule) = (path("logs"), path("data"), path("rule.yml"));
    ok(&["generate", "--records", "4000", "--seed", "6", "--attacks", "0", "--out", &logs]);
    ok(&["ingest", "--data", &data, &logs]);
    let text = "
title: Refused connections of a firewall
id: 1b5c3fae-4d2e-4e6f-9f71-8293a4b5c6d7
logsource: { product: cisco, service: asa }
detection: { denied: { action: Deny }, condition: denied }
level: low
";
    std::fs::write(&rule, text).unwrap();
    let run = |more: &[&str]| {
        let args = ["hunt", "--rules", &rule, "--data", &data];
        yagura(&[&args, more].concat())
    };
    let cost = run(&["--cost"]);
    let said = error_of(&cost);
    assert!(cost.status.success() && cost.stdout.is_empty(), "{said}");
    assert!(said.contains("1 rules over "), "{said}");
    let records = |said: &str| -> u64 {
        said.lines().last().unwrap().split(' ').next().unwrap().parse().unwrap()
    };
    let read = records(&error_of(&run(&[])));
    let rows = |of: &str| -> u64 {
        let sql = format!("SELECT count(*) FROM events WHERE {of}");
        count(Path::new(&data), &sql).parse().unwrap()
    };
    let (all, asa) = (rows("true"), rows("source = 'cisco_asa'"));
    assert!(asa > 100 && asa <= read && read * 2 < all, "{asa}, {read} of {all}");
    // Of a source that tells of many things, only what the rule is about.
    let names = "
title: A name was looked up
id: 2c6d40bf-5e3f-4f70-a082-93a4b5c6d7e8
logsource: { category: dns }
detection: { named: ['a'], condition: named }
level: low
";
    std::fs::write(&rule, names).unwrap();
    let (dns, few) = (rows("class_uid = 4003"), records(&error_of(&run(&[]))));
    let suricata = rows("source = 'suricata'");
    assert!(dns > 20 && dns <= few && few < suricata, "{dns}, {few} of {suricata}");
    std::fs::write(&rule, text).unwrap();
    // A span of time narrows it.
    let half = format!(
        "SELECT time FROM events WHERE source = 'cisco_asa' ORDER BY time LIMIT 1 OFFSET {}",
        asa / 2
    );
    let half = count(Path::new(&data), &half);
    let fewer = records(&error_of(&run(&["--from", &half.replace(' ', "T")])));
    assert!(fewer > 0 && fewer < read, "{fewer} of {read}");
}

#[test]
fn what_cannot_be_run_is_refused_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (log, data, rule) = (path("auth.log"), path("data"), path("rule.yml"));
    std::fs::write(&log, "Jan  5 10:00:01 gate sshd[77]: Failed password for root\n").unwrap();
    ok(&["ingest", "--data", &data, &log]);
    std::fs::write(&rule, "title: Half\nlogsource: { product: linux }\n").unwrap();
    refused(&["hunt", "--rules", &rule, "--data", &data], 1, &["line 1", "detection"]);
    refused(&["hunt", "--rule", "no-such-rule", "--data", &data], 1, &["no-such-rule"]);
    let both = ["hunt", "192.0.2.1", "--rules", &rule, "--data", &data];
    refused(&both, 2, &["not both"]);
    let when = ["hunt", "--rules", RULES, "--from", "yesterday", "--data", &data];
    refused(&when, 2, &["RFC 3339"]);
}

/// The body of an answer with this status.
#[track_caller]
fn asked(site: &Site, method: &str, path: &str, body: &Value, status: u16) -> Value {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let head = "content-type: application/json\r\n";
    let (got, answer) = request(site.http, method, path, head, &text).unwrap();
    assert_eq!(got, status, "{method} {path}: {answer}");
    serde_json::from_str(&answer).unwrap_or(Value::Null)
}

#[test]
fn a_server_runs_rules_as_jobs_and_what_is_recorded_survives_a_kill() {
    let mut site = Site::new("[rules]\nbuiltin = false\n");
    site.start();
    let lines: String = (0..40)
        .map(|n| format!("<38>Nov 22 09:00:{:02} gate sshd[7]: Failed password for root from 203.0.113.{} port 4022 ssh2\n", n % 60, n % 3))
        .collect();
    let (status, answer) = request(site.http, "POST", "/api/v1/ingest", "", &lines).unwrap();
    assert_eq!(status, 200, "{answer}");
    let rule = "title: Failed log-on\nid: 2c6d40bf-5e3f-4f70-a082-93a4b5c6d7e8\nlogsource: { product: linux }\ndetection: { failed: ['Failed password'], condition: failed }\nlevel: medium\n";
    let hunts = "/api/v1/rule-hunts";
    // Records may still be on their way.
    wait_until("all records are visible", || {
        count(&site.data(), "SELECT count(*) FROM events") == "40"
    });
    let cost = asked(&site, "POST", &format!("{hunts}/cost"), &json!({ "rules": rule }), 200);
    assert_eq!(cost["rules"][0]["title"], "Failed log-on");
    assert!(cost["records"].as_u64().unwrap() >= 40, "{cost}");
    for (body, code) in [
        (json!({}), "rules_missing"),
        (json!({ "rules": "title: x" }), "rule_invalid"),
        (json!({ "rules": rule, "ids": ["a"] }), "rules_missing"),
        (json!({ "rules": rule, "from": "then" }), "time"),
    ] {
        assert_eq!(asked(&site, "POST", hunts, &body, 400)["code"], code);
    }
    let unknown = asked(&site, "POST", hunts, &json!({ "ids": ["nobody"] }), 404);
    assert_eq!(unknown["code"], "rule_unknown");
    asked(&site, "GET", &format!("{hunts}/r99"), &Value::Null, 404);
    let begun = asked(&site, "POST", hunts, &json!({ "rules": rule }), 202);
    let one = format!("{hunts}/{}", begun["id"].as_str().unwrap());
    wait_until("the run is done", || {
        asked(&site, "GET", &one, &Value::Null, 200)["state"] == "done"
    });
    let state = asked(&site, "GET", &one, &Value::Null, 200);
    assert_eq!((&state["records"], &state["matches"]), (&json!(40), &json!(40)), "{state}");
    let found = asked(&site, "GET", &format!("{one}/findings?limit=1"), &Value::Null, 200);
    assert_eq!(found["items"][0]["known"], false, "{found}");
    let version = &found["items"][0]["finding"]["finding_info"]["analytic"]["version"];
    assert_eq!(version.as_str().map(str::len), Some(16), "{found}");
    assert_eq!(version, &cost["rules"][0]["version"]);
    let none = asked(&site, "GET", "/api/v1/findings", &Value::Null, 200);
    assert_eq!(none["items"], json!([]));
    let recorded = asked(&site, "POST", &format!("{one}/record"), &json!({}), 202);
    assert_eq!(recorded["recorded"], state["findings"], "{recorded} of {state}");
    let twice = asked(&site, "POST", &format!("{one}/record"), &json!({}), 400);
    assert_eq!(twice["code"], "rule_hunt_record");
    site.kill();
    site.start();
    let expected = state["findings"].as_u64().unwrap() as usize;
    wait_until("what was recorded is there", || {
        let kept = asked(&site, "GET", "/api/v1/findings", &Value::Null, 200);
        let kept = kept["items"].as_array().unwrap().clone();
        let marked = |one: &Value| one["metadata"]["labels"] == json!(["retrospective"]);
        kept.len() == expected && kept.iter().all(marked)
    });
    site.stop();
    ok(&["check", site.data().to_str().unwrap()]);
}
