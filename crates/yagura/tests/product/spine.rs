//! The real binary on real directories: take in, kill, take in again, read back.

use crate::support::server::{Site, request};
use crate::support::{count, ndjson, ok, yagura};
use std::fmt::Write as _;
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A server that writes its tables out each second.
fn up() -> Site {
    let mut site = Site::new("[lake]\nflush_interval_s = 1\n");
    site.start();
    site
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

fn balanced(data: &Path) -> Vec<serde_json::Value> {
    let text = ok(&["books", "--data", data.to_str().unwrap(), "--format", "ndjson"]);
    let rows = ndjson(&text);
    for row in &rows {
        assert_eq!(row["gap"], 0, "{row}");
    }
    rows
}

/// Kills at different moments, three or (in full) twenty: what was acknowledged is stored
/// exactly once. In full the server also stands still for a minute.
#[test]
fn acknowledged_records_survive_kill_9() {
    let mut site = up();
    let data = site.data();
    let mut acknowledged: Vec<usize> = Vec::new();
    let mut next = 0;
    let full = std::env::var("YAGURA_FULL").as_deref() == Ok("1");
    let rounds = if full { 20 } else { 3u64 };
    for round in 0..rounds {
        if round > 0 {
            site.start();
        }
        let alive = Duration::from_millis(900 + 700 * (round % 5) + 37 * round);
        let (http, stop) = (site.http, Instant::now() + alive);
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
        let mut syslog = TcpStream::connect(site.tcp).unwrap();
        while Instant::now() < stop {
            // The server may be gone before its last line.
            let _ = syslog.write_all(b"<34>Jan  5 10:00:00 relay app: over syslog\n");
            std::thread::sleep(Duration::from_millis(5));
        }
        if full && round == 7 {
            site.signal("-STOP");
            std::thread::sleep(Duration::from_secs(60));
            site.signal("-CONT");
        }
        site.kill();
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
    let mut site = up();
    let data = site.data();
    let key = "Idempotency-Key: one\r\n";
    for round in 0..2 {
        if round > 0 {
            site.start();
        }
        for turn in 0..2 {
            let (status, body) =
                request(site.http, "POST", "/api/v1/ingest", key, &batch(1)).unwrap();
            assert_eq!(status, 200, "{body}");
            let reply: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(reply["accepted"], 50);
            assert_eq!(reply["repeated"], round + turn > 0);
        }
        site.kill();
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
    let site = up();
    let (data, logs) = (site.data(), story(site.dir.path()));
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
