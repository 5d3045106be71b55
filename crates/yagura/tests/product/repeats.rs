//! Requests sent again, lists in pages, the text of rule files: what every client of the API needs
//! beside the answers themselves.

use crate::support::ok;
use crate::support::server::{Site, request, wait_until};
use serde_json::{Value, json};
use std::net::SocketAddr;

const RULE: &str = "title: Root came in\nid: 0f5a9f0e-6f5e-4c0f-8a53-0d7d4e2a1c12\n\
    logsource: {product: linux}\ndetection:\n  words: ['Accepted password for root']\n  \
    condition: words\nlevel: critical\n";

fn up(files: &[(&str, &[u8])]) -> Site {
    let mut site = Site::new("[lake]\nflush_interval_s = 1\n");
    std::fs::create_dir_all(site.data().join("rules")).unwrap();
    for (name, text) in files {
        std::fs::write(site.data().join("rules").join(name), text).unwrap();
    }
    site.start();
    site
}

fn answer(to: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> (u16, Value) {
    let headers = format!("Content-Type: application/json\r\n{headers}");
    let (status, body) = request(to, method, path, &headers, body).unwrap();
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

fn get(to: SocketAddr, path: &str) -> Value {
    let (status, body) = answer(to, "GET", path, "", "");
    assert_eq!(status, 200, "{path}: {body}");
    body
}

fn items(to: SocketAddr, path: &str) -> Vec<Value> {
    get(to, path)["items"].as_array().unwrap().clone()
}

/// Sends a request with a key.
fn make(to: SocketAddr, key: &str, path: &str, body: &Value) -> (u16, Value) {
    let key = format!("Idempotency-Key: {key}\r\n");
    answer(to, "POST", path, &key, &body.to_string())
}

#[test]
fn what_is_asked_for_twice_is_made_once_also_over_a_restart() {
    let mut site = up(&[]);
    let to = site.http;
    let (saved, tokens, searches) =
        ("/api/v1/saved-searches", "/api/v1/tokens", "/api/v1/searches");
    let search = json!({ "name": "mine", "language": "search", "query": "user:root" });
    let other = json!({ "name": "other", "language": "search", "query": "user:root" });
    let (name, query) = (json!({ "name": "script" }), json!({ "query": "user:root" }));

    let kept = make(to, "k1", saved, &search);
    let token = make(to, "k2", tokens, &name);
    let job = make(to, "k3", searches, &query);
    assert_eq!((kept.0, token.0, job.0), (201, 201, 202), "{kept:?} {token:?} {job:?}");
    for _ in 0..2 {
        assert_eq!(make(to, "k1", saved, &search), kept);
        assert_eq!(make(to, "k2", tokens, &name), token);
        assert_eq!(make(to, "k3", searches, &query), job);
    }
    let made = |to| [saved, tokens, searches].map(|path| items(to, path).len());
    let once = made(to);
    assert_eq!((once[0], once[2]), (1, 1));
    for (key, path, body) in [("k1", saved, &other), ("k1", tokens, &name), ("k3", saved, &other)] {
        let (status, problem) = make(to, key, path, body);
        assert_eq!((status, &problem["code"]), (422, &json!("idempotency_key_reused")), "{path}");
        assert_eq!((&problem["type"], &problem["status"]), (&json!("about:blank"), &json!(422)));
    }
    // What was refused made nothing, and its key is free.
    let wrong = json!({ "name": "", "language": "search", "query": "user:root" });
    assert_eq!(make(to, "k4", saved, &wrong).0, 400);
    assert_eq!(make(to, "k4", saved, &other).0, 201);
    assert_eq!(make(to, &"k".repeat(129), saved, &other).1["code"], "idempotency_key");
    // The same key of another caller's is another key.
    let secret = token.1["token"].as_str().unwrap();
    let headers = format!(
        "Content-Type: application/json\r\nIdempotency-Key: k1\r\nContent-Length: {}\r\n",
        other.to_string().len()
    );
    let (status, _) = by(to, secret, saved, &headers, &other.to_string());
    assert_eq!(status, 201);
    assert_eq!(items(to, saved).len(), 3);

    // Over a restart a search is still there once, its answer as before; a secret is not told again.
    site.kill();
    site.start();
    let to = site.http;
    assert_eq!(make(to, "k1", saved, &search), kept);
    assert_eq!(make(to, "k1", saved, &other).0, 422);
    let (status, problem) = make(to, "k2", tokens, &name);
    assert_eq!((status, &problem["code"]), (409, &json!("idempotency_answer_gone")));
    assert_eq!(items(to, saved).len(), 3);
    let scripts = items(to, tokens).iter().filter(|token| token["name"] == "script").count();
    assert_eq!(scripts, 1);
    for name in ["meta.sqlite", "meta.sqlite-wal"] {
        let bytes = std::fs::read(site.data().join(name)).unwrap_or_default();
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{name}");
    }
    // A search in the background ended with the process, and its key with it.
    assert!(items(to, searches).is_empty());
    assert_eq!(make(to, "k3", searches, &query).0, 202);
    assert_eq!(items(to, searches).len(), 1);
}

/// A request of the holder of `token`.
fn by(to: SocketAddr, token: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(to).unwrap();
    let text = format!(
        "POST {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n{headers}\r\n{body}"
    );
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer[9..12].parse().unwrap(), answer)
}

/// All items of a list, asked for one by one.
fn walked(to: SocketAddr, path: &str) -> Vec<Value> {
    let join = if path.contains('?') { '&' } else { '?' };
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = get(to, &format!("{path}{join}limit=1{cursor}"));
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 1, "{path}: {page}");
        found.extend(items.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

fn story() -> String {
    let line = |n: u32| {
        format!(
            "<38>1 2026-01-05T10:{n:02}:00Z gate sshd 7 - - Accepted password for root from 203.0.113.{n} port 4200 ssh2\n"
        )
    };
    (1..4).map(line).collect()
}

#[test]
fn lists_come_in_pages_that_meet_and_people_find_whose_an_incident_is() {
    let mut site = up(&[("root.yml", RULE.as_bytes()), ("a.yml", b"title: A\n")]);
    let to = site.http;
    for feed in ["one", "two"] {
        let path = format!("/api/v1/ingest?feed={feed}");
        assert_eq!(request(to, "POST", &path, "", &story()).unwrap().0, 200);
    }
    wait_until("an incident", || !items(to, "/api/v1/incidents").is_empty());
    let id = items(to, "/api/v1/incidents?view=summary")[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/incidents/{id}");
    for text in ["seen", "asked", "told"] {
        assert_eq!(make(to, text, &format!("{path}/notes"), &json!({ "text": text })).0, 201);
    }
    for owner in ["oz", "nina"] {
        let body = json!({ "owner": owner }).to_string();
        assert_eq!(answer(to, "PUT", &format!("{path}/owner"), "", &body).0, 200);
    }
    let rule = "/api/v1/rules/0f5a9f0e-6f5e-4c0f-8a53-0d7d4e2a1c12";
    for enabled in [false, true] {
        let body = json!({ "enabled": enabled }).to_string();
        assert_eq!(answer(to, "PUT", &format!("{rule}/state"), "", &body).0, 200);
    }
    for name in ["b", "a", "a"] {
        let search = json!({ "name": name, "language": "search", "query": "user:root" });
        assert_eq!(answer(to, "POST", "/api/v1/saved-searches", "", &search.to_string()).0, 201);
        let token = json!({ "name": name }).to_string();
        assert_eq!(answer(to, "POST", "/api/v1/tokens", "", &token).0, 201);
    }
    for (list, least) in [
        ("/api/v1/rules".to_owned(), 10),
        ("/api/v1/feeds".to_owned(), 2),
        ("/api/v1/books".to_owned(), 2),
        ("/api/v1/entities".to_owned(), 3),
        ("/api/v1/tokens".to_owned(), 3),
        ("/api/v1/saved-searches".to_owned(), 3),
        ("/api/v1/incidents".to_owned(), 1),
        ("/api/v1/notifications".to_owned(), 0),
        (format!("{path}/notes"), 3),
        (format!("{path}/decisions"), 2),
        (format!("{rule}/states"), 2),
    ] {
        // Figures such as rates change from one answer to the next; what is named does not.
        let named = |one: &Value| {
            let keys = ["id", "path", "line", "tenant", "feed", "hour", "kind", "value", "version"];
            let uid = one.pointer("/metadata/uid").cloned().unwrap_or_default();
            format!("{uid} {}", keys.map(|key| one[key].to_string()).join(" "))
        };
        let names = |items: Vec<Value>| items.iter().map(named).collect::<Vec<_>>();
        let (whole, found) = (names(items(to, &list)), names(walked(to, &list)));
        assert!(whole.len() >= least, "{list}: {whole:?}");
        assert_eq!(found, whole, "{list}");
        let join = if list.contains('?') { '&' } else { '?' };
        let (status, problem) = answer(to, "GET", &format!("{list}{join}cursor=zz"), "", "");
        assert_eq!((status, &problem["code"]), (400, &json!("cursor")), "{list}");
        assert_eq!(answer(to, "GET", &format!("{list}{join}tenant=default"), "", "").0, 200);
        assert_eq!(answer(to, "GET", &format!("{list}{join}limt=1"), "", "").0, 400, "{list}");
    }
    whose(&site, &id);
    site.stop();
    whose(&site, &id);
}

/// `yagura incidents` says who works on one, with a server and without.
fn whose(site: &Site, id: &str) {
    let data = site.data();
    let told =
        |more: &[&str]| ok(&[&["incidents", "--data", data.to_str().unwrap()], more].concat());
    let table = told(&[]);
    let row = table.lines().find(|line| line.contains(id)).unwrap();
    assert!(table.lines().next().unwrap().contains("owner") && row.contains("nina"), "{table}");
    let csv = told(&["--format", "csv"]);
    let mut lines = csv.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let (head, row) = (lines.next().unwrap(), lines.next().unwrap());
    let at = head.iter().position(|name| name == "owner").unwrap();
    assert_eq!(row[at], "\"nina\"", "{csv}");
    let line = told(&["--format", "ndjson"]);
    let one: Value = serde_json::from_str(line.lines().next().unwrap()).unwrap();
    assert_eq!((&one["assignee"]["name"], &one["metadata"]["uid"]), (&json!("nina"), &json!(id)));
    assert!(told(&[id]).lines().any(|line| line.contains("owner") && line.contains("nina")));
}

#[test]
fn a_rule_file_is_shown_by_its_path_and_no_other_file_is() {
    let files: [(&str, &[u8]); 3] = [
        ("root.yml", RULE.as_bytes()),
        ("noid.yml", b"title: Without an id\nlogsource: [\n"),
        ("latin.yml", b"title: caf\xe9\n"),
    ];
    let site = up(&files);
    let to = site.http;
    let file = |path: &str| answer(to, "GET", &format!("/api/v1/rule-file?path={path}"), "", "");
    let rules = items(to, "/api/v1/rules");
    for (name, text) in files {
        let listed = rules.iter().filter_map(|rule| rule["path"].as_str());
        let path = listed.into_iter().find(|path| path.ends_with(name)).unwrap();
        let (status, shown) = file(path);
        assert_eq!(status, 200, "{name}: {shown}");
        assert_eq!((&shown["path"], &shown["truncated"]), (&json!(path), &json!(false)));
        assert_eq!(shown["text"], String::from_utf8_lossy(text).as_ref(), "{name}");
    }
    // Neither what lies beside them nor what a path leads back to.
    let data = site.data();
    let data = data.to_str().unwrap();
    std::fs::write(site.data().join("rules/notes.txt"), "mine").unwrap();
    for path in [
        "/etc/passwd".to_owned(),
        format!("{data}/meta.sqlite"),
        format!("{data}/rules/notes.txt"),
        format!("{data}/rules/../rules/root.yml"),
        format!("{data}/rules"),
        String::new(),
    ] {
        let (status, problem) = file(&path);
        assert_eq!((status, &problem["code"]), (404, &json!("rule_file_unknown")), "{path}");
    }
    assert_eq!(answer(to, "GET", "/api/v1/rule-file", "", "").0, 400);
}
