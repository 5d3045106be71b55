//! Records parsed again through the real binary, after a source definition has changed: events become
//! what they would have been, findings and books stay.

use crate::support::server::{Site, request, wait_until};
use crate::support::{balanced, count, error_of, ndjson, ok, refused, yagura};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// A door's reader; `map` says what of a line means what.
fn definition(class: &str, map: &str) -> String {
    format!(
        "name = \"badge_reader\"\nproducts = [\"Doors\"]\ndecode = \"csv\"\nrecognise = [\",BADGE,\"]\n\n\
         [csv]\nby = 2\n\n[csv.columns]\nBADGE = [\"time\", \"kind\", \"door\", \"badge\", \"from\"]\n\n\
         [defaults]\nclass = \"{class}\"\nlogsource = {{ product = \"doors\", service = \"*\" }}\n\
         time = {{ field = \"time\", formats = [\"%Y-%m-%d %T\"] }}\nmap = {{ {map} }}\n"
    )
}

const BEFORE: &str = "message = \"badge\"";
const AFTER: &str =
    "\"user.name\" = \"badge\", \"device.hostname\" = \"door\", \"src_endpoint.ip\" = \"from\"";

fn define(data: &str, class: &str, map: &str) {
    let dir = Path::new(data).join("sources/badge_reader");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("source.toml"), definition(class, map)).unwrap();
}

/// So many lines of the doors.
fn doors(lines: usize) -> String {
    let mut text = String::new();
    for n in 0..lines {
        let (hour, minute, second) = (n / 3_600 % 24, n / 60 % 60, n % 60);
        let (door, badge, net) = (n % 7, n % 31, n % 200 + 1);
        writeln!(
            text,
            "2026-11-02 {hour:02}:{minute:02}:{second:02},BADGE,door-{door},badge-{badge},192.0.2.{net}"
        )
        .unwrap();
    }
    text
}

/// What events say that have a time of their own, whatever directory they are in.
fn events(data: &str) -> Vec<String> {
    let sql = "SELECT time, class_uid, source, tenant, feed, user_name, device_hostname, \
               src_ip, dst_ip, message, unmapped, raw_data FROM events \
               WHERE coalesce(source, '') <> 'json' ORDER BY raw_data, time, source";
    let all = ok(&["sql", "--data", data, "--format", "ndjson", sql]);
    all.lines().map(str::to_owned).collect()
}

fn hunted(data: &str, what: &[&str]) -> Vec<String> {
    let mut all: Vec<String> =
        ok(&[&["hunt", "--data", data, "--format", "ndjson"], what].concat())
            .lines()
            .map(str::to_owned)
            .collect();
    all.sort();
    all
}

#[test]
fn events_become_what_they_would_have_been_and_findings_and_books_stay() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (logs, data, fresh) = (path("logs"), path("data"), path("fresh"));
    ok(&["generate", "--records", "12000", "--seed", "9", "--attacks", "2", "--out", &logs]);
    std::fs::write(path("doors.csv"), doors(4_000)).unwrap();
    define(&data, "base_event", BEFORE);
    define(&fresh, "authentication", AFTER);
    for data in [&data, &fresh] {
        ok(&["ingest", "--data", data, &logs, &path("doors.csv")]);
    }
    let told = |data: &str, what: &str| ok(&[what, "--data", data, "--format", "ndjson"]);
    let stay = ["findings", "incidents", "books"].map(|what| told(&data, what));
    assert!(stay.iter().all(|text| text.lines().count() > 0));
    assert_ne!(events(&data), events(&fresh));
    assert!(hunted(&data, &["192.0.2.7", "badge-3"]).is_empty());

    define(&data, "authentication", AFTER);
    let cost = yagura(&["reparse", "--cost", "--data", &data]);
    assert!(cost.status.success() && error_of(&cost).contains(" 16"), "{}", error_of(&cost));
    assert_ne!(events(&data), events(&fresh));
    let done = error_of(&yagura(&["reparse", "--source", "badge_reader", "--data", &data]));
    assert!(done.contains("parsed again"), "{done}");
    assert_eq!(events(&data), events(&fresh));
    let found = hunted(&data, &["192.0.2.7", "192.0.2.8"]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found, hunted(&fresh, &["192.0.2.7", "192.0.2.8"]));
    let after = ["findings", "incidents", "books"].map(|what| told(&data, what));
    assert_eq!(after, stay);
    balanced(Path::new(&data));
    ok(&["check", "--full", &data]);
    // The other way, and all of it.
    define(&data, "base_event", BEFORE);
    ok(&["reparse", "--data", &data]);
    assert_eq!(
        count(
            Path::new(&data),
            "SELECT count(user_name) FROM events WHERE source = 'badge_reader'"
        ),
        "0"
    );
    assert!(hunted(&data, &["192.0.2.7"]).is_empty());
    // Days of receipt on which nothing came.
    let none = error_of(&yagura(&["reparse", "--until", "1999-12-31", "--data", &data]));
    assert!(none.contains("0 records in 0 partitions"), "{none}");
}

#[test]
fn what_cannot_be_parsed_again_is_refused_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let data = path("data");
    std::fs::write(path("doors.csv"), doors(20)).unwrap();
    refused(&["reparse", "--data", &data], 2, &["is not a data directory"]);
    define(&data, "base_event", BEFORE);
    ok(&["ingest", "--data", &data, &path("doors.csv")]);
    refused(&["reparse", "--source", "gates", "--data", &data], 1, &["no source gates"]);
    refused(&["reparse", "--from", "yesterday", "--data", &data], 1, &["2026-11-02"]);
    // A definition that cannot be read stops a server from beginning, and nothing is touched.
    define(&data, "no_such_class", BEFORE);
    refused(&["reparse", "--data", &data], 1, &["no_such_class"]);
    define(&data, "base_event", BEFORE);
    assert_eq!(
        count(Path::new(&data), "SELECT count(*) FROM events WHERE source = 'badge_reader'"),
        "20"
    );
}

const JSON: &str = "Content-Type: application/json\r\n";

fn ask(site: &Site, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    let (status, answer) = request(site.http, method, path, JSON, &text).unwrap();
    (status, serde_json::from_str(&answer).unwrap_or(Value::Null))
}

#[test]
fn a_server_parses_again_beside_what_comes_in_and_a_kill_leaves_whole_partitions() {
    let mut site = Site::new("[lake]\nflush_interval_s = 1\n");
    let data = site.data().to_str().unwrap().to_owned();
    define(&data, "base_event", BEFORE);
    let lines = site.path("doors.csv");
    std::fs::write(&lines, doors(60_000)).unwrap();
    ok(&["ingest", "--data", &data, lines.to_str().unwrap()]);
    site.start();
    assert_eq!(ask(&site, "GET", "/api/v1/reparse", &Value::Null).0, 404);
    assert_eq!(ask(&site, "DELETE", "/api/v1/reparse", &Value::Null).0, 404);
    for wrong in [json!({"sources": ["gates"]}), json!({"from": "soon"}), json!({"source": "x"})] {
        assert_eq!(ask(&site, "POST", "/api/v1/reparse", &wrong).0, 400, "{wrong}");
    }
    define(&data, "authentication", AFTER);
    let (status, begun) =
        ask(&site, "POST", "/api/v1/reparse", &json!({"sources": ["badge_reader"]}));
    assert_eq!(status, 202, "{begun}");
    assert_eq!(begun["cost"]["records"].as_u64(), Some(60_000), "{begun}");
    // A second one waits for nobody.
    let second = ask(&site, "POST", "/api/v1/reparse", &json!({}));
    assert!(second.0 == 429 || second.0 == 202, "{second:?}");
    std::thread::sleep(std::time::Duration::from_millis(200));
    site.kill();

    let classes = |data: &str| {
        let sql =
            "SELECT class_uid, count(*) AS n FROM events WHERE source = 'badge_reader' GROUP BY 1";
        ndjson(&ok(&["sql", "--data", data, "--format", "ndjson", sql]))
    };
    let left = classes(&data);
    assert_eq!(left.len(), 1, "half a partition: {left:?}");
    assert_eq!(left[0]["n"], 60_000);
    site.start();
    let state = || ask(&site, "GET", "/api/v1/reparse", &Value::Null).1;
    // It goes on with what was begun, unless that was over.
    if left[0]["class_uid"] != 3002 {
        wait_until("the run that was left", || state()["state"] == "done");
        assert_eq!(state()["time_dt"], begun["time_dt"], "{}", state());
        assert_eq!(state()["asked"]["sources"], json!(["badge_reader"]));
        assert_eq!(classes(&data), [json!({"class_uid": 3002, "n": 60_000})]);
    }
    assert!(!site.data().join("reparse.json").exists());
    let (status, begun) = ask(&site, "POST", "/api/v1/reparse", &json!({}));
    assert_eq!(status, 202, "{begun}");
    // Records go on coming in, and are parsed by the new definition.
    let late = doors(300).replace("badge-", "late-");
    let sent = request(
        site.http,
        "POST",
        "/api/v1/ingest?tenant=default&feed=doors",
        "Content-Type: text/plain\r\n",
        &late,
    );
    assert_eq!(sent.unwrap().0, 200);
    wait_until("the run", || state()["state"] == "done");
    assert_eq!(state()["partitions_done"], state()["cost"]["partitions"], "{}", state());
    wait_until("all events", || classes(&data) == [json!({"class_uid": 3002, "n": 60_300})]);
    assert_eq!(hunted(&data, &["192.0.2.7"]).len(), 1);
    site.stop();
    balanced(Path::new(&data));
    ok(&["check", "--full", &data]);
}
