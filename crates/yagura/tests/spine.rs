//! The real binary on real directories: take in, kill, take in again, read back.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};
use yagura_testkit::ports::free_addresses;

fn yagura(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_yagura")).args(args).output().unwrap()
}

fn ok(args: &[&str]) -> String {
    let output = yagura(args);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// A server in a directory of its own; killed when dropped.
struct Server {
    child: Child,
    http: SocketAddr,
    syslog: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn up(data: &Path) -> Server {
    let [http, syslog] = free_addresses();
    let config = data.with_extension("toml");
    let text = format!(
        "[listen]\nhttp = \"{http}\"\nsyslog_tcp = \"{syslog}\"\n[lake]\nflush_interval_s = 1\n"
    );
    std::fs::write(&config, text).unwrap();
    let log = data.with_extension("log");
    let said = || std::fs::read_to_string(&log).unwrap_or_default();
    let log_file = std::fs::File::create(&log).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_yagura"))
        .args(["up", "--config", config.to_str().unwrap(), "--data", data.to_str().unwrap()])
        .stderr(log_file)
        .spawn()
        .unwrap();
    let mut server = Server { child, http, syslog };
    let began = Instant::now();
    while request(http, "GET", "/healthz", "", "").is_none() {
        let ended = server.child.try_wait().unwrap();
        assert!(ended.is_none(), "the server ended: {}", said());
        assert!(began.elapsed() < Duration::from_secs(60), "no answer: {}", said());
        std::thread::sleep(Duration::from_millis(50));
    }
    server
}

fn signal(server: &Server, name: &str) {
    let pid = server.child.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

/// Status and body of one request, `None` where the connection breaks.
fn request(
    to: SocketAddr,
    method: &str,
    path: &str,
    header: &str,
    body: &str,
) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(to).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(90))).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nContent-Length: {}\r\n{header}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.get(9..12)?.parse().ok()?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Some((status, body.to_owned()))
}

fn batch(number: usize) -> String {
    let mut body = String::new();
    for n in 0..50 {
        let (minute, second) = (number % 60, n);
        writeln!(
            body,
            "Jan  5 10:{minute:02}:{second:02} gate sshd[77]: Failed password for u{number}x{n} from 192.0.2.9 port 4000 ssh2"
        )
        .unwrap();
    }
    body
}

fn count(data: &Path, sql: &str) -> String {
    let out = ok(&["sql", "--data", data.to_str().unwrap(), "--format", "csv", sql]);
    out.lines().nth(1).unwrap_or("").trim_matches('"').to_owned()
}

fn balanced(data: &Path) -> Vec<serde_json::Value> {
    let text = ok(&["books", "--data", data.to_str().unwrap(), "--format", "ndjson"]);
    let rows: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for row in &rows {
        assert_eq!(row["gap"], 0, "{row}");
    }
    rows
}

/// Kills at different moments, three or (in full) twenty: what was acknowledged is stored
/// exactly once. In full the server also stands still for a minute.
#[test]
fn acknowledged_records_survive_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut acknowledged: Vec<usize> = Vec::new();
    let mut next = 0;
    let full = std::env::var("YAGURA_FULL").as_deref() == Ok("1");
    let rounds = if full { 20 } else { 3u64 };
    for round in 0..rounds {
        let mut server = up(&data);
        let alive = Duration::from_millis(900 + 700 * (round % 5) + 37 * round);
        let (http, stop) = (server.http, Instant::now() + alive);
        let (sender, receiver) = std::sync::mpsc::channel();
        let first = next;
        let client = std::thread::spawn(move || {
            let mut number = first;
            while let Some((status, _)) =
                request(http, "POST", "/api/v1/ingest", "", &batch(number))
            {
                assert_eq!(status, 200);
                sender.send(number).unwrap();
                number += 1;
            }
            number
        });
        let mut syslog = TcpStream::connect(server.syslog).unwrap();
        while Instant::now() < stop {
            // The server may be gone before its last line.
            let _ = syslog.write_all(b"<34>Jan  5 10:00:00 relay app: over syslog\n");
            std::thread::sleep(Duration::from_millis(5));
        }
        if full && round == 7 {
            signal(&server, "-STOP");
            std::thread::sleep(Duration::from_secs(60));
            signal(&server, "-CONT");
        }
        server.child.kill().unwrap();
        server.child.wait().unwrap();
        next = client.join().unwrap() + 1;
        acknowledged.extend(receiver.try_iter());
    }
    println!("{rounds} kills, {} batches of 50 acknowledged", acknowledged.len());
    assert!(acknowledged.len() > 10, "only {} batches", acknowledged.len());
    let rows = ok(&[
        "sql",
        "--data",
        data.to_str().unwrap(),
        "--format",
        "ndjson",
        "select split_part(split_part(raw_data, ' for u', 2), 'x', 1) as batch, count(*) as records, \
         count(distinct raw_data) as lines from events where feed = 'http' group by 1",
    ]);
    let mut stored = std::collections::BTreeSet::new();
    for line in rows.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((&row["records"], &row["lines"]), (&50.into(), &50.into()), "{row}");
        stored.insert(row["batch"].as_str().unwrap().parse::<usize>().unwrap());
    }
    for number in &acknowledged {
        assert!(stored.contains(number), "batch {number} was acknowledged and is not stored");
    }
    assert!(!balanced(&data).is_empty());
}

#[test]
fn a_repeated_request_with_its_key_changes_nothing_also_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let key = "Idempotency-Key: one\r\n";
    for round in 0..2 {
        let mut server = up(&data);
        for turn in 0..2 {
            let (status, body) =
                request(server.http, "POST", "/api/v1/ingest", key, &batch(1)).unwrap();
            assert_eq!(status, 200, "{body}");
            let reply: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(reply["accepted"], 50);
            assert_eq!(reply["repeated"], round + turn > 0);
        }
        server.child.kill().unwrap();
        server.child.wait().unwrap();
    }
    assert_eq!(count(&data, "select count(*) from events"), "50");
}

fn story(dir: &Path) -> PathBuf {
    let logs = dir.join("logs");
    let host = logs.join("gate");
    std::fs::create_dir_all(&host).unwrap();
    let mut text = String::new();
    for n in 0..40 {
        writeln!(text, "<34>1 2026-01-05T10:00:{n:02}Z gate sshd 7 - - Failed password for root from 203.0.113.7 port 41{n:02} ssh2").unwrap();
    }
    writeln!(text, "<34>1 2026-01-05T10:01:30Z gate sshd 7 - - Accepted password for root from 203.0.113.7 port 4200 ssh2").unwrap();
    std::fs::write(host.join("auth.log"), text).unwrap();
    logs
}

#[test]
fn the_same_files_again_change_nothing_and_growth_is_appended() {
    let dir = tempfile::tempdir().unwrap();
    let (data, logs) = (dir.path().join("data"), story(dir.path()));
    let (data, folder) = (data.to_str().unwrap(), logs.to_str().unwrap());
    let take = || ok(&["ingest", "--path", "{host}/...", "--data", data, folder]);
    take();
    let dump = |what: &str| ok(&[what, "--data", data, "--format", "ndjson"]);
    let first = (dump("findings"), dump("incidents"));
    assert!(first.0.contains("Failed, then accepted log-on from outside"), "{}", first.0);
    take();
    assert_eq!(first, (dump("findings"), dump("incidents")));
    assert_eq!(count(Path::new(data), "select count(*) from events"), "41");
    let file = logs.join("gate/auth.log");
    let mut text = std::fs::read_to_string(&file).unwrap();
    text.push_str("<34>1 2026-01-05T10:05:00Z gate sshd 9 - - Accepted password for ops from 10.0.0.5 port 1 ssh2\n");
    std::fs::write(&file, text).unwrap();
    take();
    assert_eq!(count(Path::new(data), "select count(*) from events"), "42");
    balanced(Path::new(data));
}

#[test]
fn commands_reach_a_running_server_and_a_second_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (data, logs) = (dir.path().join("data"), story(dir.path()));
    let _server = up(&data);
    let text = data.to_str().unwrap();
    ok(&["ingest", "--data", text, logs.to_str().unwrap()]);
    assert_eq!(count(&data, "select count(*) from events"), "41");
    balanced(&data);
    let other = yagura(&["up", "--data", text]);
    assert_eq!(other.status.code(), Some(1));
}

#[test]
fn bad_input_gets_an_event_or_a_clear_message() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("odd.log");
    std::fs::write(&file, b"no format at all\n\xff\xfe broken\n{\"half\": \n").unwrap();
    let out = ok(&["parse", "--source", "auto", file.to_str().unwrap()]);
    assert_eq!(out.lines().count(), 3);
    for line in out.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["class_uid"], 0);
        assert!(event["status_detail"].is_string() && event["raw_data"].is_string(), "{line}");
    }
    assert_eq!(yagura(&["parse", "--source", "nonsense"]).status.code(), Some(2));
    let rule = dir.path().join("broken.yml");
    std::fs::write(&rule, "title: x\nlogsource:\n  product: linux\ndetection:\n  a: {b: c}\n  condition: a and nothere\n").unwrap();
    let check = yagura(&["rules", "check", rule.to_str().unwrap()]);
    assert_eq!(check.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&check.stdout).contains("selection_unknown"));
    std::fs::create_dir(dir.path().join("newer")).unwrap();
    std::fs::write(dir.path().join("newer/VERSION"), "YAGURA-DATA 99\n").unwrap();
    let newer = yagura(&["findings", "--data", dir.path().join("newer").to_str().unwrap()]);
    assert_eq!(newer.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&newer.stderr).contains("newer release"));
}
