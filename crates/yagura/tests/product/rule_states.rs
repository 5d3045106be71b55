//! Rules switched off and on, and rule files that change, on a server that runs.

use crate::support::server::{Site, request, wait_until};
use crate::support::{count, ndjson, ok, refused};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;

const LOUD: &str = "0f5a9f0e-6f5e-4c0f-8a53-0d7d4e2a1c12";
const MANY: &str = "7b1c3c5e-9d0a-4c51-8d3f-2f1f6f3f7c11";
const FED: &str = "2f9b8a1e-51c7-4f6e-a0c4-0f7f8a6d1b22";

/// A rule with findings of its own that a correlation counts as well, and one that only feeds.
const RULES: &str = "title: Log-on worked
id: 0f5a9f0e-6f5e-4c0f-8a53-0d7d4e2a1c12
logsource: {product: ocsf, category: authentication}
detection:
  words: {activity_id: 1, status_id: 1}
  condition: words
level: high
---
title: Log-on failed
id: 2f9b8a1e-51c7-4f6e-a0c4-0f7f8a6d1b22
logsource: {product: ocsf, category: authentication}
detection:
  words: {activity_id: 1, status_id: 2}
  condition: words
level: low
---
title: Three log-ons by one account
id: 7b1c3c5e-9d0a-4c51-8d3f-2f1f6f3f7c11
correlation:
  type: event_count
  rules: [0f5a9f0e-6f5e-4c0f-8a53-0d7d4e2a1c12]
  group-by: [user.name]
  timespan: 10m
  condition: {gte: 3}
  generate: true
level: medium
---
title: Three failures by one account
id: 5a0e7a44-3d5b-4e0f-9b0d-6a2c1f0e9d27
correlation:
  type: event_count
  rules: [2f9b8a1e-51c7-4f6e-a0c4-0f7f8a6d1b22]
  group-by: [user.name]
  timespan: 10m
  condition: {gte: 3}
level: medium
";

fn rule(id: &str, title: &str, word: &str) -> String {
    format!(
        "title: {title}\nid: {id}\nlogsource: {{product: linux}}\ndetection:\n  \
         words: ['{word}']\n  condition: words\nlevel: medium\n"
    )
}

fn up() -> Site {
    let mut site = Site::new("[lake]\nflush_interval_s = 1\n[rules]\nbuiltin = false\n");
    std::fs::create_dir_all(site.data().join("rules")).unwrap();
    std::fs::write(site.data().join("rules/own.yml"), RULES).unwrap();
    site.start();
    site
}

/// Three log-ons of an account.
fn log_on(to: SocketAddr, user: &str) {
    let line = |n| {
        format!(
            "<38>1 2026-01-05T10:00:0{n}Z gate sshd 7 - - Accepted password for {user} from 203.0.113.7 port 410{n} ssh2\n"
        )
    };
    let text: String = (0..3).map(line).collect();
    assert_eq!(request(to, "POST", "/api/v1/ingest", "", &text).unwrap().0, 200);
}

fn get(to: SocketAddr, path: &str) -> Value {
    let (status, body) = request(to, "GET", path, "", "").unwrap();
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

fn put(to: SocketAddr, id: &str, tag: &str, body: &Value) -> (u16, Value) {
    let path = format!("/api/v1/rules/{id}/state");
    let tag = if tag.is_empty() { String::new() } else { format!("If-Match: {tag}\r\n") };
    let headers = format!("Content-Type: application/json\r\n{tag}");
    let (status, body) = request(to, "PUT", &path, &headers, &body.to_string()).unwrap();
    (status, serde_json::from_str(&body).unwrap())
}

fn found(to: SocketAddr, rule: &str) -> usize {
    get(to, &format!("/api/v1/findings?rule={rule}"))["items"].as_array().unwrap().len()
}

/// What the rules of the test have found: rule, id, count.
fn findings(data: &Path) -> Vec<(String, String, u64)> {
    let text = ok(&["findings", "--data", data.to_str().unwrap(), "--format", "ndjson"]);
    let of = |one: &Value, at: &str| one.pointer(at).unwrap().as_str().unwrap().to_owned();
    let mut all: Vec<_> = ndjson(&text)
        .iter()
        .map(|one| {
            let rule = of(one, "/finding_info/analytic/uid");
            (rule, of(one, "/finding_info/uid"), one["count"].as_u64().unwrap())
        })
        .collect();
    all.sort();
    all
}

/// Off, by somebody who has seen that it is on; a second one who has not is told.
fn switch_off(to: SocketAddr) {
    let off = json!({ "enabled": false, "reason": "too loud" });
    let (status, state) = put(to, LOUD, "\"s0\"", &off);
    assert_eq!((status, &state["version"], &state["by"]), (200, &json!(1), &json!("token:test")));
    let (status, refusal) = put(to, LOUD, "\"s0\"", &json!({ "enabled": true }));
    assert_eq!((status, &refusal["code"]), (412, &json!("rule_state_changed")));
    let (status, refusal) = put(to, LOUD, "\"d1\"", &off);
    assert_eq!((status, &refusal["code"]), (412, &json!("rule_state_changed")));
    let (status, refusal) = put(to, "nobody", "", &off);
    assert_eq!((status, &refusal["code"]), (404, &json!("rule_unknown")));
    let (status, refusal) = put(to, FED, "", &off);
    assert_eq!((status, &refusal["code"]), (400, &json!("rule_only_feeds")));
    let long = |n| json!({ "enabled": false, "reason": "x".repeat(n) });
    assert_eq!(put(to, LOUD, "", &long(2_001)).0, 400);
    assert_eq!(put(to, LOUD, "\"s1\"", &long(2_000)).0, 200);
    assert_eq!(put(to, LOUD, "\"s2\"", &off).0, 200);
}

#[test]
fn a_rule_that_is_off_finds_nothing_until_it_is_on_again() {
    let mut site = up();
    let to = site.http;
    let one = |to| get(to, &format!("/api/v1/rules/{LOUD}"));
    let first = one(to);
    assert_eq!((&first["enabled"], &first["switched"]), (&json!(true), &Value::Null));
    assert_eq!(first["feeds"], json!([MANY]));

    switch_off(to);

    // It finds nothing, and what was built on it goes on.
    log_on(to, "ada");
    wait_until("the correlation", || found(to, MANY) == 1);
    assert_eq!(found(to, LOUD), 0);
    let matches = format!("SELECT count(*) FROM matches WHERE rule = '{LOUD}'");
    assert_eq!(count(&site.data(), &matches), "0");
    site.kill();
    site.start();
    let seen = one(to);
    assert_eq!(
        (&seen["enabled"], &seen["switched"]["reason"]),
        (&json!(false), &json!("too loud"))
    );
    log_on(to, "bob");
    wait_until("the correlation", || found(to, MANY) == 2);
    assert_eq!(found(to, LOUD), 0);

    // On again: from here on, and not for what was.
    assert_eq!(put(to, LOUD, "\"s3\"", &json!({ "enabled": true })).0, 200);
    log_on(to, "eve");
    wait_until("a finding", || found(to, LOUD) == 1);
    assert_eq!(count(&site.data(), &matches), "3");
    let states = get(to, &format!("/api/v1/rules/{LOUD}/states"));
    let said: Vec<_> = states["items"].as_array().unwrap().iter().map(|s| &s["enabled"]).collect();
    assert_eq!(said, [true, false, false, false]);

    // The same after the process was killed, and in a replay of the journal. A finding's later
    // versions come with the ticks.
    let whole = |all: &[(String, String, u64)]| all.iter().all(|(_, _, count)| *count == 3);
    wait_until("the last versions", || whole(&findings(&site.data())));
    let before = findings(&site.data());
    assert_eq!(before.len(), 4, "{before:?}");
    site.kill();
    site.start();
    assert_eq!(findings(&site.data()), before);
    assert_eq!(one(to)["enabled"], true);
    site.stop();
    let replay = site.path("replay");
    for name in ["VERSION", "journal", "epochs"] {
        copy(&site.data().join(name), &replay.join(name));
    }
    assert_eq!(findings(&replay), before);
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    }
}

#[test]
fn rules_are_switched_from_the_command_line_with_and_without_a_server() {
    let mut site = up();
    let data = site.data();
    let (d, config) = (data.to_str().unwrap(), site.path("config.toml"));
    let config = config.to_str().unwrap();
    ok(&["rules", "disable", LOUD, "--reason", "at night", "--data", d]);
    let one = get(site.http, &format!("/api/v1/rules/{LOUD}"));
    assert_eq!(one["enabled"], false);
    assert_eq!(
        (&one["switched"]["by"], &one["switched"]["reason"]),
        (&json!("owner"), &json!("at night"))
    );
    refused(&["rules", "disable", "nobody", "--data", d], 1, &["there is no rule nobody"]);
    refused(&["rules", "disable", FED, "--data", d], 1, &["only feeds correlations"]);
    site.stop();
    ok(&["rules", "enable", LOUD, "--data", d, "--config", config]);
    site.start();
    let one = get(site.http, &format!("/api/v1/rules/{LOUD}"));
    assert_eq!((&one["enabled"], &one["switched"]["version"]), (&json!(true), &json!(2)));
}

#[test]
fn changed_rule_files_are_in_force_without_a_restart() {
    let site = up();
    let to = site.http;
    let titles = |to| -> Vec<String> {
        let rules = get(to, "/api/v1/rules");
        let of = |rule: &Value| rule["title"].as_str().unwrap().to_owned();
        rules["items"].as_array().unwrap().iter().map(of).collect()
    };
    let has = |title: &str| titles(to).iter().any(|known| known == title);
    let put = |name: &str, text: &str| {
        let path = site.data().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put("rules/new.yml", &rule("new", "Somebody came", "Accepted password for"));
    wait_until("the new rule", || has("Somebody came"));
    log_on(to, "ada");
    wait_until("a finding of it", || found(to, "new") == 1);

    // Another text of the same rule, and a file with a fault beside it.
    put("rules/new.yml", &rule("new", "Nobody comes", "there is no such line"));
    put("rules/broken.yml", "title: Broken\nid: broken\nlogsource: {product: linux}\n");
    wait_until("the changed rule", || has("Nobody comes") && has("Broken"));
    let broken = get(to, "/api/v1/rules/broken");
    assert!(broken["error"]["code"].is_string(), "{broken}");
    assert_eq!(broken["text"].as_str().unwrap().lines().next(), Some("title: Broken"));
    log_on(to, "bob");
    wait_until("the others go on", || found(to, MANY) == 2);
    assert_eq!(found(to, "new"), 1);

    // Sources that cannot be read change nothing, and rules with them neither.
    put("sources/mine/source.toml", "name = ");
    put("rules/next.yml", &rule("next", "Next", "next"));
    wait_until("a refusal", || site.log().contains("rules not put in force"));
    assert!(!has("Next") && has("Nobody comes"));
    let mine = "name = \"mine\"\nproducts = [\"mine\"]\ndecode = \"json\"\n\n[defaults]\nclass = \"base_event\"\nlogsource = { product = \"mine\", service = \"*\" }\n";
    put("sources/mine/source.toml", mine);
    wait_until("the sources", || has("Next"));

    // A hang-up reads at once, also paths that the configuration names only from here on.
    std::fs::create_dir_all(site.path("more")).unwrap();
    std::fs::write(site.path("more/far.yml"), rule("far", "From afar", "far")).unwrap();
    let config = std::fs::read_to_string(site.path("config.toml")).unwrap();
    let paths = format!("builtin = false\npaths = [{:?}]", site.path("more"));
    std::fs::write(site.path("config.toml"), config.replace("builtin = false", &paths)).unwrap();
    site.signal("-HUP");
    wait_until("the configuration", || site.log().contains("[rules] are in force"));
    assert!(has("From afar"));
}
