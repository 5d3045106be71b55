//! Questions to a running server over HTTP and with the real binary: forms, places, stopping,
//! searches in the background.

use crate::support::server::{Site, authorization, wait_until};
use crate::support::{error_of, ndjson, ok, refused, yagura};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Log-ons by the hour, so that files hold hours of their own.
fn lines(hour: u32) -> String {
    let mut text = String::new();
    for n in 0..200 {
        let (minute, second) = (n / 60, n % 60);
        writeln!(
            text,
            "<34>1 2026-01-05T{hour:02}:{minute:02}:{second:02}Z gate sshd 7 - - Failed password for user{n} from 203.0.113.{} port 41{n:03} ssh2",
            hour + 1
        )
        .unwrap();
    }
    text
}

/// A request and what came of it: head and body.
fn ask(to: SocketAddr, method: &str, path: &str, body: &str) -> (String, Vec<u8>) {
    let mut stream = sent(to, method, path, body);
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let at = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let body = answer.split_off(at + 4);
    (String::from_utf8(answer).unwrap(), body)
}

fn sent(to: SocketAddr, method: &str, path: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n",
        body.len(),
        authorization(to)
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    stream
}

fn get(to: SocketAddr, path: &str) -> Value {
    let (head, body) = ask(to, "GET", path, "");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    serde_json::from_slice(&body).unwrap()
}

fn code(body: &[u8]) -> String {
    let problem: Value = serde_json::from_slice(body).unwrap();
    problem["code"].as_str().unwrap().to_owned()
}

/// A server with three files of log-ons.
fn site(more: &str) -> Site {
    let mut site = Site::new(more);
    let data = site.data();
    for hour in 0..3 {
        let file = site.path(&format!("{hour}.log"));
        std::fs::write(&file, lines(hour)).unwrap();
        ok(&["ingest", "--data", data.to_str().unwrap(), file.to_str().unwrap()]);
    }
    site.start();
    site
}

const ENDLESS: &str = "SELECT count(*) FROM events a, events b, events c, events d";

fn endless() -> String {
    json!({ "sql": ENDLESS }).to_string()
}

/// Ids of the queries that run.
fn running(to: SocketAddr) -> Vec<String> {
    let items = get(to, "/api/v1/queries");
    let runs = items["items"].as_array().unwrap().iter().filter(|q| q["state"] == "running");
    runs.map(|q| q["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn pipes_and_sql_over_http_in_every_form() {
    let site = site("");
    let pipe = |format: &str| {
        let query = "events | summarize count() by src_endpoint.ip | sort by src_endpoint.ip asc";
        let body = json!({ "query": query, "format": format }).to_string();
        let (head, body) = ask(site.http, "POST", "/api/v1/query", &body);
        assert!(head.starts_with("HTTP/1.1 200") && head.contains("yagura-query-id: q"), "{head}");
        (head, unchunked(&body))
    };
    let (head, body) = pipe("ndjson");
    assert!(head.contains("content-type: application/x-ndjson"), "{head}");
    assert_eq!(
        String::from_utf8(body).unwrap(),
        "{\"src_endpoint.ip\":\"203.0.113.1\",\"count_\":200}\n\
         {\"src_endpoint.ip\":\"203.0.113.2\",\"count_\":200}\n\
         {\"src_endpoint.ip\":\"203.0.113.3\",\"count_\":200}\n"
    );
    let (head, body) = pipe("csv");
    assert!(head.contains("content-type: text/csv"), "{head}");
    assert!(body.starts_with(b"src_endpoint.ip,count_\n203.0.113.1,200\n"));
    assert!(String::from_utf8(pipe("table").1).unwrap().contains("| 203.0.113.1     | 200    |"));
    let (head, body) = pipe("parquet");
    assert!(head.contains("content-type: application/vnd.apache.parquet"), "{head}");
    assert!(body.starts_with(b"PAR1") && body.ends_with(b"PAR1"));
    let (head, body) = pipe("arrow");
    assert!(head.contains("content-type: application/vnd.apache.arrow.stream"), "{head}");
    assert!(body.starts_with(&[0xff; 4]));
    for (path, body, status, wanted) in [
        ("query", json!({ "query": "events | wher x" }), 400, "word_unknown"),
        ("query", json!({ "query": "events", "format": "xml" }), 400, "format_unknown"),
        ("sql", json!({ "sql": "DELETE FROM events" }), 400, "query"),
        ("sql", json!({ "sql": "SELECT 1/0" }), 400, "query"),
        ("query?tenant=A B", json!({ "query": "events" }), 400, "tenant_name"),
    ] {
        let path = format!("/api/v1/{}", path.replace(' ', "%20"));
        let (head, answer) = ask(site.http, "POST", &path, &body.to_string());
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{body}: {head}");
        assert_eq!(code(&answer), wanted, "{body}");
    }
    let other = json!({ "query": "events | count" }).to_string();
    let (_, body) = ask(site.http, "POST", "/api/v1/query?tenant=other", &other);
    assert_eq!(String::from_utf8(unchunked(&body)).unwrap(), "{\"Count\":0}\n");
}

/// The bytes of a chunked body.
fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let line = body.windows(2).position(|two| two == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&body[..line]).unwrap(), 16).unwrap();
        body = &body[line + 2..];
        if size == 0 {
            return out;
        }
        out.extend_from_slice(&body[..size]);
        body = &body[size + 2..];
    }
}

#[test]
fn queries_are_listed_stopped_and_end_with_their_client() {
    let site = site("[query]\nconcurrent = 2\nwaiting = 1\nwait_s = 1\ntime_s = 3600\n");
    let to = site.http;
    // Stopped by id.
    let mut stream = sent(to, "POST", "/api/v1/sql?tenant=default", &endless());
    wait_until("a query runs", || running(to).len() == 1);
    let id = running(to).remove(0);
    let state = get(to, &format!("/api/v1/queries/{id}"));
    assert_eq!((state["kind"].as_str(), state["tenant"].as_str()), (Some("sql"), Some("default")));
    assert_eq!(state["text"], ENDLESS);
    assert!(get(to, "/api/v1/queries?tenant=other")["items"].as_array().unwrap().is_empty());
    let path = format!("/api/v1/queries/{id}");
    assert!(ask(to, "DELETE", &format!("{path}?tenant=other"), "").0.starts_with("HTTP/1.1 404"));
    let began = Instant::now();
    assert!(ask(to, "DELETE", &path, "").0.starts_with("HTTP/1.1 204"));
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    println!("answered {} ms after DELETE", began.elapsed().as_millis());
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("query_cancelled"), "{answer}");
    assert!(ask(to, "DELETE", &path, "").0.starts_with("HTTP/1.1 404"), "it has ended");
    // Stopped with its client.
    let stream = sent(to, "POST", "/api/v1/sql", &endless());
    wait_until("a query runs", || running(to).len() == 1);
    let id = running(to).remove(0);
    drop(stream);
    wait_until("the query ends", || running(to).is_empty());
    assert_eq!(get(to, &format!("/api/v1/queries/{id}"))["outcome"], "query_cancelled");
    // The command line, ended by a signal: not that of Ctrl-C, which a shell's background ignores.
    let data = site.data();
    let mut child = Command::new(env!("CARGO_BIN_EXE_yagura"))
        .args(["sql", "--data", data.to_str().unwrap(), ENDLESS])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("a query runs", || running(to).len() == 1);
    let told = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().unwrap();
    assert!(told.success() && !child.wait().unwrap().success());
    wait_until("the query ends", || running(to).is_empty());
    // Two run, one waits, the next is refused.
    let held = [(); 2].map(|()| sent(to, "POST", "/api/v1/sql", &endless()));
    wait_until("two run", || running(to).len() == 2);
    let (head, body) = ask(to, "POST", "/api/v1/sql", &endless());
    assert!(head.starts_with("HTTP/1.1 429"), "{head}");
    assert_eq!(code(&body), "queries_busy");
    drop(held);
    wait_until("all end", || running(to).is_empty());
    let count = json!({ "sql": "SELECT count(*) AS n FROM events" }).to_string();
    assert_eq!(unchunked(&ask(to, "POST", "/api/v1/sql", &count).1), b"{\"n\":600}\n");
}

#[test]
fn long_answers_come_in_parts_and_break_off_with_a_reason() {
    let site = site("[query]\nrows_max = 100000\n");
    let data = site.data();
    let data = data.to_str().unwrap();
    let series = |rows: u32| {
        format!("SELECT value, reverse(cast(value AS text)) AS m FROM generate_series(1, {rows})")
    };
    for format in ["ndjson", "csv", "parquet", "arrow"] {
        let file = site.path(&format!("answer.{format}"));
        let name = file.to_str().unwrap();
        let all = ["sql", "--data", data, "--format", format, "--output", name];
        let whole: Vec<&str> =
            all.iter().copied().chain([series(100_000).leak() as &str]).collect();
        assert_eq!(ok(&whole), "");
        let bytes = std::fs::read(&file).unwrap();
        assert!(bytes.len() > 300_000, "{format}: {}", bytes.len());
        std::fs::remove_file(&file).unwrap();
        let long: Vec<&str> = all.iter().copied().chain([series(100_001).leak() as &str]).collect();
        let error = refused(&long, 1, &["more than 100000 rows", "too_many_rows"]);
        if format != "parquet" {
            assert!(error.contains("breaks off"), "{error}");
        }
        assert!(!file.exists() && !site.path(&format!("answer.{format}.part")).exists());
    }
}

#[test]
fn a_search_in_the_background_walks_files_and_can_be_left() {
    let site = site("");
    let to = site.http;
    let request =
        json!({ "query": "raw_data:/user1?7 from/", "format": "ndjson", "columns": "time,user" });
    let (head, body) = ask(to, "POST", "/api/v1/searches", &request.to_string());
    assert!(head.starts_with("HTTP/1.1 202"), "{head}");
    let begun: Value = serde_json::from_slice(&body).unwrap();
    let path = format!("/api/v1/searches/{}", begun["id"].as_str().unwrap());
    wait_until("the search ends", || get(to, &path)["state"] == "done");
    let state = get(to, &path);
    assert_eq!((&state["files"], &state["files_done"]), (&json!(3), &json!(3)), "{state}");
    assert_eq!(state["events"], 6);
    let page = |cursor: usize| {
        let (head, body) = ask(to, "GET", &format!("{path}/rows?cursor={cursor}&limit=4"), "");
        let next = head.split("yagura-next-cursor: ").nth(1).unwrap();
        let next: usize = next.lines().next().unwrap().trim().parse().unwrap();
        (String::from_utf8(body).unwrap(), next)
    };
    let (first, next) = page(0);
    let (second, last) = page(next);
    assert_eq!((next, last, page(last)), (4, 6, (String::new(), 6)));
    let rows = ndjson(&(first + &second));
    let times: Vec<&str> = rows.iter().map(|row| row["time"].as_str().unwrap()).collect();
    let hours: Vec<&str> = times.iter().map(|time| &time[11..13]).collect();
    assert_eq!(hours, ["02", "02", "01", "01", "00", "00"], "the newest file first");
    assert!(ask(to, "GET", &format!("{path}?tenant=other"), "").0.starts_with("HTTP/1.1 404"));
    assert!(ask(to, "DELETE", &path, "").0.starts_with("HTTP/1.1 204"));
    assert!(ask(to, "GET", &path, "").0.starts_with("HTTP/1.1 404"));
    for (body, wanted) in [
        (json!({ "query": "usr:x" }), "field_unknown"),
        (json!({ "query": "x", "sort": "src_ip" }), "search_background"),
        (json!({ "query": "x", "count": true }), "search_background"),
    ] {
        let (head, answer) = ask(to, "POST", "/api/v1/searches", &body.to_string());
        assert!(head.starts_with("HTTP/1.1 400"), "{head}");
        assert_eq!(code(&answer), wanted);
    }
}

#[test]
fn the_command_line_searches_in_the_background_online_and_offline() {
    let mut site = site("");
    let data = site.data();
    let data = data.to_str().unwrap().to_owned();
    let search = |format: &str| {
        let args = ["search", "--background", "--data", &data, "--format", format, "user:user17"];
        let output = yagura(&args);
        assert!(output.status.success(), "{}", error_of(&output));
        let error = error_of(&output);
        assert!(error.contains("3 events; 3 of 3 files"), "{error}");
        String::from_utf8(output.stdout).unwrap()
    };
    let online = ["ndjson", "csv", "table"].map(search);
    site.stop();
    assert_eq!(ndjson(&online[0]).len(), 3);
    assert_eq!(online, ["ndjson", "csv", "table"].map(search));
    let file = site.path("found.parquet");
    let name = file.to_str().unwrap();
    ok(&["search", "--data", &data, "--format", "parquet", "--output", name, "user:user17"]);
    assert!(std::fs::read(&file).unwrap().starts_with(b"PAR1"));
    refused(
        &["search", "--data", &data, "--format", "arrow", "--count", "x"],
        2,
        &["stored columns"],
    );
}

#[test]
fn what_a_dead_process_left_on_disk_is_removed_at_the_start() {
    let mut site = site("");
    site.kill();
    let left = site.data().join("spill/datafusion-left");
    std::fs::create_dir_all(&left).unwrap();
    std::fs::write(left.join("rows"), "x").unwrap();
    site.start();
    assert_eq!(std::fs::read_dir(site.data().join("spill")).unwrap().count(), 0);
}

#[test]
fn every_refusal_is_a_problem_document() {
    let site = site("");
    for (method, path, body, status, word) in [
        ("POST", "/api/v1/sql", "{\"sql\":", 400, "request"),
        ("POST", "/api/v1/sql", "{\"sql\":\"select 1\",\"more\":1}", 400, "request"),
        ("POST", "/api/v1/query", "[]", 400, "request"),
        ("GET", "/api/v1/findings?limit=many", "", 400, "parameters"),
        ("GET", "/api/v1/findings?colour=red", "", 400, "parameters"),
        ("GET", "/api/v1/books?tenant=A%20B", "", 400, "tenant_name"),
        ("GET", "/api/v1/nothing", "", 404, "route_unknown"),
        ("DELETE", "/api/v1/books", "", 405, "method_unknown"),
        ("POST", "/private/erase", "{\"tenant\":\"acme\",\"begin\":true}", 404, "route_unknown"),
    ] {
        let (head, answer) = ask(site.http, method, path, body);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{method} {path}: {head}");
        assert!(head.contains("application/problem+json"), "{method} {path}: {head}");
        let problem: Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!((&problem["code"], &problem["status"]), (&json!(word), &json!(status)));
        assert!(problem["detail"].as_str().unwrap().len() > 10, "{problem}");
    }
}
