//! The API as its callers see it: who is let in, incidents and decisions, events and counts, live.

use crate::support::ok;
use crate::support::server::{Site, authorization, request, wait_until};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Enough of a guessed password for our own rules to find it.
fn story() -> String {
    let mut text = String::new();
    for n in 0..40 {
        text.push_str(&format!(
            "<38>1 2026-01-05T10:00:{n:02}Z gate sshd 7 - - Failed password for root from 203.0.113.7 port 41{n:02} ssh2\n"
        ));
    }
    text.push_str("<38>1 2026-01-05T10:01:30Z gate sshd 7 - - Accepted password for root from 203.0.113.7 port 4200 ssh2\n");
    text
}

/// One critical rule, so that there is an incident.
const RULE: &str = "title: Root came in\nid: 0f5a9f0e-6f5e-4c0f-8a53-0d7d4e2a1c12\n\
    logsource: {product: linux}\ndetection:\n  words: ['Accepted password for root']\n  \
    condition: words\nlevel: critical\n";

fn up() -> Site {
    let mut site = Site::new("[lake]\nflush_interval_s = 1\n");
    std::fs::create_dir_all(site.data().join("rules")).unwrap();
    std::fs::write(site.data().join("rules/root.yml"), RULE).unwrap();
    site.start();
    site
}

fn get(to: SocketAddr, path: &str) -> Value {
    let (status, body) = request(to, "GET", path, "", "").unwrap();
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_str(&body).unwrap()
}

fn post(to: SocketAddr, path: &str, body: &Value) -> (u16, Value) {
    let json = "Content-Type: application/json\r\n";
    let (status, body) = request(to, "POST", path, json, &body.to_string()).unwrap();
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

/// Whole answer to one request with these headers and nothing more.
fn bare(to: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
    .unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut stream, &mut text).unwrap();
    text
}

fn status_of(answer: &str) -> u16 {
    answer[9..12].parse().unwrap()
}

#[test]
fn nobody_comes_in_unknown_and_everybody_known_is_known_by_one_of_three_ways() {
    let site = up();
    let to = site.http;
    let document = bare(to, "GET", "/api/v1/openapi.json", "", "");
    let document: Value = serde_json::from_str(document.split_once("\r\n\r\n").unwrap().1).unwrap();
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path.replace("{id}", "x").replace("{kind}", "host").replace("{value}", "x");
        for method in item.as_object().unwrap().keys() {
            let answer = bare(to, &method.to_uppercase(), &path, "", "");
            let open = (method.as_str(), path.as_str()) == ("post", "/api/v1/session");
            let wanted = if open { 415 } else { 401 };
            assert_eq!(status_of(&answer), wanted, "{method} {path}: {answer}");
            assert!(answer.contains("application/problem+json"), "{answer}");
            operations += 1;
        }
    }
    assert!(operations > 40, "{operations}");
    let wrong = "Authorization: Bearer yagura_0000\r\n";
    assert_eq!(status_of(&bare(to, "GET", "/api/v1/status", wrong, "")), 401);
    assert_eq!(status_of(&bare(to, "GET", "/healthz", "", "")), 200);
    assert_eq!(status_of(&bare(to, "GET", "/readyz", "", "")), 200);

    // What the server prints is kept, so that it tells no password.
    let log = site.log();
    assert!(log.contains("yagura password --data") && !log.contains("shown only now"), "{log}");

    // A password of the command line's, a session, its word against other sites.
    let password = ok(&["password", "--data", site.data().to_str().unwrap()]);
    let json = "Content-Type: application/json\r\n";
    let body = json!({ "password": password.trim() }).to_string();
    let answer = bare(to, "POST", "/api/v1/session", json, &body);
    assert_eq!(status_of(&answer), 200, "{answer}");
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
    let session: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let csrf = format!("yagura-csrf: {}\r\n", session["csrf_token"].as_str().unwrap());
    assert_eq!(status_of(&bare(to, "GET", "/api/v1/status", &cookie, "")), 200);
    let name = json!({ "name": "of the session" }).to_string();
    let without = bare(to, "POST", "/api/v1/tokens", &format!("{cookie}{json}"), &name);
    assert!(status_of(&without) == 403 && without.contains("csrf_token"), "{without}");
    let made = bare(to, "POST", "/api/v1/tokens", &format!("{cookie}{csrf}{json}"), &name);
    assert_eq!(status_of(&made), 201, "{made}");
    let made: Value = serde_json::from_str(made.split_once("\r\n\r\n").unwrap().1).unwrap();
    let token = format!("Authorization: Bearer {}\r\n", made["token"].as_str().unwrap());
    assert_eq!(status_of(&bare(to, "GET", "/api/v1/status", &token, "")), 200);
    let listed =
        ok(&["token", "list", "--format", "ndjson", "--data", site.data().to_str().unwrap()]);
    assert!(listed.contains("of the session") && !listed.contains("yagura_"), "{listed}");
    let path = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(status_of(&bare(to, "DELETE", &path, &format!("{cookie}{csrf}"), "")), 204);
    assert_eq!(status_of(&bare(to, "GET", "/api/v1/status", &token, "")), 401);
    // Nothing of the secrets is in the directory.
    let stored = std::fs::read(site.data().join("meta.sqlite")).unwrap();
    let held = |text: &str| stored.windows(text.len()).any(|w| w == text.as_bytes());
    assert!(!held(password.trim()) && !held(made["token"].as_str().unwrap()));
    assert_eq!(
        status_of(&bare(to, "DELETE", "/api/v1/session", &format!("{cookie}{csrf}"), "")),
        204
    );
    assert_eq!(status_of(&bare(to, "GET", "/api/v1/status", &cookie, "")), 401);
}

#[test]
fn passwords_cannot_be_tried_for_long() {
    let mut site = up();
    let mut refused = 0;
    let answer = loop {
        let (status, answer) = post(site.http, "/api/v1/session", &json!({ "password": "guess" }));
        match status {
            401 => assert_eq!(answer["code"], "sign_in_refused"),
            _ => break (status, answer),
        }
        refused += 1;
        assert!(refused < 30, "passwords can be tried for ever");
    };
    assert_eq!((answer.0, answer.1["code"].as_str()), (429, Some("sign_in_limited")));
    assert!(refused >= 5, "{refused}");
    // What is in the store stays so over a restart, the count of tries does not.
    site.kill();
    site.start();
    assert_eq!(post(site.http, "/api/v1/session", &json!({ "password": "guess" })).0, 401);
}

fn incident(to: SocketAddr) -> String {
    assert_eq!(request(to, "POST", "/api/v1/ingest", "", &story()).unwrap().0, 200);
    let list = || get(to, "/api/v1/incidents?view=summary&state=open")["items"].clone();
    wait_until("an incident", || list().as_array().unwrap().len() == 1);
    list()[0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn people_decide_and_note_and_the_second_of_two_is_told() {
    let site = up();
    let to = site.http;
    let id = incident(to);
    let path = format!("/api/v1/incidents/{id}");
    let summary = get(to, "/api/v1/incidents?view=summary")["items"][0].clone();
    assert_eq!((&summary["state"], &summary["severity"]), (&json!("new"), &json!("critical")));
    let one = get(to, &path);
    assert_eq!(one["decision"]["version"], 0);
    assert_eq!((&one["status"], &one["class_uid"]), (&json!("New"), &json!(2005)));

    let json = "Content-Type: application/json\r\n";
    let decide = |tag: &str, body: Value| {
        let headers = format!("{json}If-Match: {tag}\r\n");
        let path = format!("{path}/decision");
        request(to, "PUT", &path, &headers, &body.to_string()).unwrap()
    };
    let mine = json!({ "state": "in_progress", "reason": "looking" });
    assert_eq!(decide("\"d0\"", mine.clone()).0, 200);
    let (status, body) = decide("\"d0\"", mine);
    assert!(status == 412 && body.contains("decision_changed"), "{body}");
    let (status, body) = decide("\"d1\"", json!({ "state": "resolved" }));
    assert!(status == 400 && body.contains("verdict_missing"), "{body}");
    let closing = json!({ "state": "resolved", "verdict": "true_positive", "reason": "real" });
    assert_eq!(decide("\"d1\"", closing).0, 200);
    let one = get(to, &path);
    assert_eq!((&one["status"], &one["verdict"]), (&json!("Resolved"), &json!("True Positive")));
    let all = get(to, &format!("{path}/decisions"))["items"].clone();
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert_eq!((&all[0]["state"], &all[0]["by"]), (&json!("resolved"), &json!("token:test")));
    let open = get(to, "/api/v1/incidents?view=summary&state=open");
    assert!(open["items"].as_array().unwrap().is_empty());

    let key = format!("{json}Idempotency-Key: n1\r\n");
    let hostile = json!({ "text": "<script>alert(1)</script>\u{202e}\u{0}" }).to_string();
    let notes = format!("{path}/notes");
    for _ in 0..2 {
        assert_eq!(request(to, "POST", &notes, &key, &hostile).unwrap().0, 201);
    }
    let listed = get(to, &notes)["items"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["text"], "<script>alert(1)</script>\u{202e}\u{0}");
    assert_eq!(post(to, &notes, &json!({ "text": " " })).0, 400);
    assert_eq!(request(to, "GET", &format!("{path}?tenant=other"), "", "").unwrap().0, 404);
    assert_eq!(post(to, &format!("{notes}?tenant=other"), &json!({ "text": "x" })).0, 404);
}

#[test]
fn an_incident_has_an_owner_who_is_guarded_as_decisions_are_and_stays() {
    let mut site = up();
    let to = site.http;
    let id = incident(to);
    let path = format!("/api/v1/incidents/{id}");
    let json = "Content-Type: application/json\r\n";
    let put = |what: &str, tag: u64, body: Value| {
        let headers = format!("{json}If-Match: \"d{tag}\"\r\n");
        let path = format!("{path}/{what}");
        let (status, body) = request(to, "PUT", &path, &headers, &body.to_string()).unwrap();
        (status, serde_json::from_str::<Value>(&body).unwrap_or(Value::Null))
    };
    let list = |query: &str| {
        let path = format!("/api/v1/incidents?view=summary&{query}");
        get(to, &path)["items"].as_array().unwrap().clone()
    };
    assert_eq!((list("owner=none").len(), list("owner=nina").len()), (1, 0));
    assert_eq!((&list("")[0]["owner"], &list("")[0]["version"]), (&Value::Null, &json!(0)));
    // The list's version makes the tag.
    let (status, now) = put("owner", 0, json!({ "owner": " nina " }));
    assert_eq!((status, &now["owner"], &now["version"]), (200, &json!("nina"), &json!(1)));
    assert_eq!((&now["state"], &now["by"]), (&json!("new"), &Value::Null));
    let (status, late) = put("owner", 0, json!({ "owner": "oz" }));
    assert_eq!((status, &late["code"]), (412, &json!("decision_changed")));
    let taking = json!({ "state": "in_progress", "reason": "mine", "owner": "oz" });
    assert_eq!(put("decision", 0, taking.clone()).0, 412);
    assert_eq!(put("decision", 1, taking).1["owner"], "oz");
    assert_eq!((list("owner=none").len(), list("owner=oz").len()), (0, 1));
    assert_eq!((&list("")[0]["owner"], &list("")[0]["version"]), (&json!("oz"), &json!(2)));
    let one = get(to, &path);
    assert_eq!((&one["assignee"]["name"], &one["decision"]["owner"]), (&json!("oz"), &json!("oz")));
    for wrong in [json!({ "owner": "none" }), json!({ "owner": "a\nb" }), json!({})] {
        assert_eq!(put("owner", 2, wrong).0, 400);
    }
    assert_eq!(request(to, "GET", "/api/v1/incidents?owner=oz", "", "").unwrap().0, 400);
    let (status, now) = put("owner", 2, json!({ "owner": null }));
    assert_eq!((status, &now["owner"], &now["reason"]), (200, &Value::Null, &json!("mine")));
    assert_eq!(put("decision", 3, json!({ "state": "on_hold" })).0, 200);
    assert_eq!(put("owner", 4, json!({ "owner": "nina" })).0, 200);

    site.kill();
    site.start();
    let to = site.http;
    let all = get(to, &format!("{path}/decisions"))["items"].clone();
    let told = |one: &Value| format!("{} {} {}", one["version"], one["state"], one["owner"]);
    let told: Vec<String> = all.as_array().unwrap().iter().map(told).collect();
    assert_eq!(
        told,
        [
            "5 \"on_hold\" \"nina\"",
            "4 \"on_hold\" null",
            "3 \"in_progress\" null",
            "2 \"in_progress\" \"oz\"",
            "1 \"new\" \"nina\"",
        ]
    );
    assert_eq!((&all[0]["by"], &all[0]["reason"]), (&json!("token:test"), &json!("")));
}

#[test]
fn a_hunt_says_what_it_refused_and_why() {
    let site = up();
    let to = site.http;
    incident(to);
    let text = "# pasted\n203[.]0[.]113[.]7\n10.0.0.1\n\u{202e}nothing";
    let ask = json!({ "lists": [{ "name": "mine", "text": text }], "format": "json" });
    let (status, found) = post(to, "/api/v1/hunt", &ask);
    assert_eq!(status, 200, "{found}");
    assert_eq!((&found["stats"]["indicators"], &found["stats"]["refused"]), (&json!(1), &json!(2)));
    assert_eq!(found["lines"][0]["indicator"], "203.0.113.7");
    let refused = found["refused"].as_array().unwrap();
    let told = |one: &Value| format!("{} {} {}", one["line"], one["entry"], one["code"]);
    let told: Vec<String> = refused.iter().map(told).collect();
    let hostile = "4 \"\u{202e}nothing\" \"unrecognised\"";
    assert_eq!(told, ["3 \"10.0.0.1\" \"private_or_reserved\"", hostile]);
    assert!(refused.iter().all(|one| one["list"] == "mine" && one["reason"] != ""));
    let ask = json!({ "lists": [{ "name": "mine", "text": "10.0.0.1" }] });
    let (status, no) = post(to, "/api/v1/hunt", &ask);
    assert!(status == 400 && no["detail"].as_str().unwrap().contains("10.0.0.1: it is"), "{no}");
}

#[test]
fn an_event_shows_where_its_values_stand_and_events_are_counted() {
    let site = up();
    let to = site.http;
    let id = incident(to);
    let one = get(to, &format!("/api/v1/incidents/{id}"));
    let proofs = one["evidences"].as_array().unwrap();
    let proves = |p: &&Value| p["raw_data"].as_str().unwrap().contains("Accepted");
    let proof = proofs.iter().find(proves).unwrap();
    let event = get(to, &format!("/api/v1/events/{}", proof["uid"].as_str().unwrap()));
    assert_eq!(event["raw_data"], proof["raw_data"]);
    let findings = event["findings"].as_array().unwrap();
    assert!(findings.iter().any(|f| f["title"] == "Root came in"), "{findings:?}");
    let raw: Vec<u16> = event["raw_data"].as_str().unwrap().encode_utf16().collect();
    let spans = event["spans"].as_array().unwrap();
    let of = |path: &str| {
        let span = spans.iter().find(|s| s["paths"].as_array().unwrap().contains(&json!(path)));
        let span = span.unwrap_or_else(|| panic!("{path}: {spans:?}"));
        let at = |key: &str| span[key].as_u64().unwrap() as usize;
        String::from_utf16(&raw[at("start")..at("end")]).unwrap()
    };
    assert_eq!((of("src_endpoint.ip"), of("user.name")), ("203.0.113.7".into(), "root".into()));
    assert_eq!(request(to, "GET", "/api/v1/events/nothing", "", "").unwrap().0, 404);
    let path = format!("/api/v1/events/{}?tenant=other", proof["uid"].as_str().unwrap());
    assert_eq!(request(to, "GET", &path, "", "").unwrap().0, 404);

    let ask = json!({ "query": "user:root", "bins": 100 });
    let (status, counted) = post(to, "/api/v1/events/histogram", &ask);
    assert_eq!((status, &counted["total"]), (200, &json!(41)), "{counted}");
    let sum: u64 =
        counted["bins"].as_array().unwrap().iter().map(|b| b["count"].as_u64().unwrap()).sum();
    assert_eq!(sum, 41);
    let (_, none) = post(to, "/api/v1/events/histogram", &json!({ "query": "user:nobody" }));
    assert_eq!(none["total"], 0);
    let ask = json!({ "query": "*", "fields": ["src_ip", "user.name", "class_name", "status"] });
    let (status, facets) = post(to, "/api/v1/events/facets", &ask);
    assert_eq!(status, 200, "{facets}");
    assert_eq!(facets["facets"][0]["values"], json!([{ "value": "203.0.113.7", "count": 41 }]));
    let outcomes = json!([{ "value": "Failure", "count": 40 }, { "value": "Success", "count": 1 }]);
    assert_eq!(facets["facets"][3]["values"], outcomes);
    let (status, no) = post(to, "/api/v1/search", &json!({ "query": "櫓 usr:x" }));
    assert_eq!((status, &no["position"]["start"]), (400, &json!(2)), "{no}");
    let (_, checked) = post(to, "/api/v1/query/check", &json!({ "query": "events | wher x" }));
    assert_eq!((&checked["ok"], &checked["problem"]["start"]), (&json!(false), &json!(9)));
    let complete = json!({ "query": "events | whe", "offset": 12 });
    let (_, offers) = post(to, "/api/v1/query/complete", &complete);
    assert_eq!((&offers["from"], &offers["items"][0]["label"]), (&json!(9), &json!("where")));
}

#[test]
fn the_overview_balances_and_the_live_stream_says_when_it_changes() {
    let mut site = up();
    let to = site.http;
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let known = authorization(to);
    write!(stream, "GET /api/v1/live HTTP/1.1\r\nHost: {to}\r\n{known}\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines();
    let mut next = |event: &str| loop {
        let line = lines.next().unwrap().unwrap();
        if line == format!("event: {event}") {
            break lines.next().unwrap().unwrap();
        }
    };
    let first: Value =
        serde_json::from_str(next("overview").strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(first["funnel"]["records"], 0);
    incident(to);
    next("incidents");
    let wanted = |value: &Value| value["funnel"]["incidents"] == 1;
    let began = Instant::now();
    let overview = loop {
        let text = next("overview");
        let value: Value = serde_json::from_str(text.strip_prefix("data: ").unwrap()).unwrap();
        if wanted(&value) {
            break value;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{value}");
    };
    assert_eq!(
        (&overview["books"]["received"], &overview["books"]["gap"]),
        (&json!(41), &json!(0))
    );
    assert_eq!(overview["funnel"]["records"], 41);
    assert_eq!(overview["attention"][0]["severity"], "critical");
    assert_eq!(overview["feeds"][0]["feed"], "http");
    let rules = get(to, "/api/v1/rules")["items"].clone();
    let rule = rules.as_array().unwrap().iter().find(|r| r["title"] == "Root came in").unwrap();
    assert_eq!((&rule["findings"], &rule["incidents"]), (&json!(1), &json!(1)));
    let one = get(to, &format!("/api/v1/rules/{}", rule["id"].as_str().unwrap()));
    assert_eq!(one["text"], RULE);
    let entity = get(to, "/api/v1/entities?verdict=black")["items"][0].clone();
    let (kind, value) = (entity["kind"].as_str().unwrap(), entity["value"].as_str().unwrap());
    let whole = get(to, &format!("/api/v1/entities/{kind}/{value}"));
    assert_eq!(whole["incidents"].as_array().unwrap().len(), 1);
    let evidence = whole["evidence"].as_array().unwrap();
    let proof = evidence.iter().find(|one| one["rule"] == rule["id"]).unwrap();
    assert_eq!(proof["title"], "Root came in");
    assert!(evidence.iter().all(|one| !one["title"].as_str().unwrap().is_empty()));
    let fields = get(to, "/api/v1/fields")["items"].clone();
    let field = |name: &str| fields.as_array().unwrap().iter().find(|f| f["name"] == name).cloned();
    assert!(field("src_port").unwrap()["short"].as_array().unwrap().contains(&json!("port")));
    let (status, metrics) = request(to, "GET", "/metrics", "", "").unwrap();
    assert_eq!(status, 200);
    assert!(metrics.contains("yagura_book_records{entry=\"received\"} 41"), "{metrics}");
    well_typed(&metrics);
    let count = rules.as_array().unwrap().iter().filter(|rule| rule["error"].is_null()).count();
    assert!(metrics.contains(&format!("yagura_rules{{state=\"loaded\"}} {count}\n")), "{metrics}");
    assert!(metrics.contains("yagura_rules{state=\"off\"} 0\n"), "{metrics}");
    assert!(metrics.contains("yagura_rules{state=\"failed\"} 0\n"), "{metrics}");
    // The open stream does not keep the server up.
    let began = Instant::now();
    site.stop();
    assert!(began.elapsed() < Duration::from_secs(20));
}

/// Figures have the types that Prometheus' own checker asks for by their names and labels.
#[track_caller]
fn well_typed(metrics: &str) {
    let kinds = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let kinds: std::collections::BTreeMap<&str, &str> = kinds.collect();
    let figures: Vec<&str> = metrics.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(figures.len() > 20, "{metrics}");
    for figure in figures {
        let name = figure.split(['{', ' ']).next().unwrap();
        let kind = kinds.get(name).copied();
        assert_eq!(figure.contains("quantile="), kind == Some("summary"), "{figure}");
        assert_eq!(name.ends_with("_total"), kind == Some("counter"), "{figure}");
        assert!(kind.is_some(), "{figure}");
    }
}
