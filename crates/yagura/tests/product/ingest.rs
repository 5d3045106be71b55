//! Batches through the real binary: what they show, and what a kill or growth changes.

use crate::support::{balanced, count, files_below, ndjson, ok, refused};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use yagura_testkit::rng::Rng;
use yagura_testkit::story::{Channel, Story};

/// Ten o'clock on a fixed day, in microseconds.
const START: i64 = 1_789_984_800_000_000;

/// Writes the made-up company's day below `dir`: a folder for each host that sends for itself.
fn write_story(dir: &Path) -> Story {
    let story = Story::generate(3, START);
    let mut files: BTreeMap<PathBuf, String> = BTreeMap::new();
    for line in &story.lines {
        let place = match line.channel {
            Channel::Syslog => dir.join("relay/syslog.log"),
            Channel::Http { host, .. } => {
                let ending = if line.text.starts_with('{') { "json" } else { "log" };
                dir.join(host).join(format!("lines.{ending}"))
            }
        };
        writeln!(files.entry(place).or_default(), "{}", line.text).unwrap();
    }
    for (path, text) in &files {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    story
}

/// Lines of a log-on server of its own name, some of which rules hit.
fn write_logons(dir: &Path, host: &str, lines: u64, seed: u64) {
    let mut rng = Rng::new(seed);
    let mut text = String::new();
    for n in 0..lines {
        let (minute, second) = (n / 60 % 60, n % 60);
        let (user, port) = (rng.range(0, 400), rng.range(1_024, 65_000));
        let address = format!("10.{}.7.{}", seed % 200, rng.range(1, 250));
        let word = if rng.chance(3) { "Failed" } else { "Accepted" };
        writeln!(text, "<86>1 2026-09-21T10:{minute:02}:{second:02}Z {host} sshd {n} - - {word} password for u{user} from {address} port {port} ssh2").unwrap();
    }
    std::fs::create_dir_all(dir.join(host)).unwrap();
    std::fs::write(dir.join(host).join("auth.log"), text).unwrap();
}

fn take<'a>(data: &'a Path, logs: &'a Path) -> [&'a str; 6] {
    let (data, logs) = (data.to_str().unwrap(), logs.to_str().unwrap());
    ["ingest", "--path", "{host}/...", "--data", data, logs]
}

/// Starts the call and kills it (signal 9) `delay` after `data`'s journal has reached `bytes`;
/// false where it ended by itself before.
fn killed(args: &[&str], data: &Path, bytes: u64, delay: Duration) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_yagura"))
        .args(args)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let journal = data.join("journal");
    let size = || -> u64 {
        let Ok(entries) = std::fs::read_dir(&journal) else { return 0 };
        entries.filter_map(|entry| entry.ok()?.metadata().ok()).map(|meta| meta.len()).sum()
    };
    let began = Instant::now();
    while size() < bytes && child.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < Duration::from_secs(120), "the journal does not grow");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(delay);
    let running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    running
}

/// A value without what depends on when and where a record was stored: ids made of positions,
/// and the time at which an incident was opened. Lists are sorted, since ids may order them.
fn timeless(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, _)| !key.starts_with("opened_time"));
            kept.map(|(key, value)| (key.clone(), timeless(value))).collect()
        }
        Value::Array(list) => {
            let mut list: Vec<Value> = list.iter().map(timeless).collect();
            list.sort_by_key(Value::to_string);
            Value::Array(list)
        }
        Value::String(text) if text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
            Value::String("id".to_owned())
        }
        other => other.clone(),
    }
}

#[derive(PartialEq, Eq, Debug)]
struct State {
    events: Vec<String>,
    findings: Vec<String>,
    incidents: Vec<String>,
}

fn state(data: &Path) -> State {
    let dir = data.to_str().unwrap();
    let list = |what: &str| {
        let text = ok(&[what, "--data", dir, "--format", "ndjson"]);
        let mut all: Vec<String> =
            ndjson(&text).iter().map(|value| timeless(value).to_string()).collect();
        all.sort();
        all
    };
    let sql = "select raw_data, time, class_uid, device_hostname from events";
    let text = ok(&["sql", "--data", dir, "--format", "csv", sql]);
    let mut events: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
    events.sort();
    let received: u64 = balanced(data).iter().map(|row| row["received"].as_u64().unwrap()).sum();
    assert_eq!(received, events.len() as u64);
    State { events, findings: list("findings"), incidents: list("incidents") }
}

#[track_caller]
fn same(what: &str, found: &[String], expected: &[String]) {
    let only = |a: &[String], b: &[String]| a.iter().find(|x| !b.contains(x)).cloned();
    if found != expected {
        let (more, less) = (only(found, expected), only(expected, found));
        panic!(
            "{what}: {} of {}; only here {more:?}, only there {less:?}",
            found.len(),
            expected.len()
        );
    }
}

#[test]
fn incidents_are_listed_and_shown_with_id_and_title() {
    let dir = tempfile::tempdir().unwrap();
    let (data, logs) = (dir.path().join("data"), dir.path().join("logs"));
    let story = write_story(&logs);
    ok(&take(&data, &logs));
    let data = data.to_str().unwrap();
    let incidents = ndjson(&ok(&["incidents", "--data", data, "--format", "ndjson"]));
    assert_eq!(incidents.len(), 1);
    let id = incidents[0]["metadata"]["uid"].as_str().unwrap();
    let title = incidents[0]["title"].as_str().unwrap();
    assert!(id.starts_with("INC-") && !title.is_empty(), "{id} {title}");
    let table = ok(&["incidents", "--data", data]);
    let row = table.lines().find(|line| line.starts_with(id)).expect("a row with the id");
    let shown: String = title.chars().take(59).collect();
    assert!(row.contains(&shown), "{row}");
    let csv = ok(&["incidents", "--data", data, "--format", "csv"]);
    assert!(csv.lines().nth(1).unwrap().starts_with(&format!("\"{id}\",")), "{csv}");
    let text = ok(&["incidents", id, "--data", data]);
    assert!(text.starts_with(id) && text.contains(title), "{text}");
    assert!(text.contains(story.truth.account) && text.contains(story.truth.attacker), "{text}");
    let step = &incidents[0]["timeline"][0];
    let steps = text.lines().filter(|line| line.starts_with("  20"));
    let mut steps = steps.filter(|line| line.contains(step["title"].as_str().unwrap()));
    let line = steps.next();
    assert!(line.unwrap().contains(step["level"].as_str().unwrap()), "{text}");
    refused(&["incidents", "INC-1999-0001", "--data", data], 1, &["no incident INC-1999-0001"]);
    let findings = ndjson(&ok(&["findings", "--data", data, "--format", "ndjson"]));
    let table = ok(&["findings", "--data", data]);
    for finding in findings {
        let id = finding["finding_info"]["uid"].as_str().unwrap();
        let row = table.lines().find(|line| line.starts_with(id)).expect("a row with the id");
        assert!(row.contains(finding["finding_info"]["title"].as_str().unwrap()), "{row}");
    }
}

#[test]
fn a_batch_killed_and_run_again_is_as_one_that_was_not() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    write_story(&logs);
    let full = std::env::var("YAGURA_FULL").as_deref() == Ok("1");
    let (mut number, lines) = (0, if full { 60_000 } else { 30_000 });
    while files_below(&logs).len() < 10 {
        number += 1;
        write_logons(&logs, &format!("gate{number}"), lines, number);
    }
    let files = files_below(&logs);
    assert_eq!(files.len(), 10);
    let bytes: u64 = files.iter().map(|file| file.metadata().unwrap().len()).sum();
    let whole = dir.path().join("whole");
    ok(&take(&whole, &logs));
    let expected = state(&whole);
    let (events, findings) = (expected.events.len(), expected.findings.len());
    println!("{events} events, {findings} findings in {bytes} bytes");
    assert!(events > 30_000 && findings >= 9, "{events} events, {findings} findings");
    assert!(!expected.incidents.is_empty());
    let mut caught = 0;
    for seed in 0..if full { 20 } else { 3u64 } {
        let mut rng = Rng::new(seed);
        let data = dir.path().join(format!("data{seed}"));
        // One seed in three dies while the batch is closing, the others while it is read.
        let (part, delay) = match seed % 3 {
            2 => (100, rng.range(0, 600)),
            _ => (rng.range(2, 95), rng.range(0, 20)),
        };
        let running =
            killed(&take(&data, &logs), &data, bytes * part / 100, Duration::from_millis(delay));
        println!("seed {seed}: killed at {part} % of {bytes} bytes and {delay} ms: {running}");
        caught += u32::from(running);
        ok(&take(&data, &logs));
        let found = state(&data);
        same("events", &found.events, &expected.events);
        same("findings", &found.findings, &expected.findings);
        same("incidents", &found.incidents, &expected.incidents);
    }
    assert!(caught >= 2, "only {caught} runs were killed");
}

/// Finished files of an interrupted batch that grow before it is resumed lose nothing.
#[test]
fn a_file_may_grow_between_a_kill_and_the_next_run() {
    let dir = tempfile::tempdir().unwrap();
    let (data, logs) = (dir.path().join("data"), dir.path().join("logs"));
    write_logons(&logs, "a", 10_000, 1);
    write_logons(&logs, "b", 40_000, 2);
    let size = |host: &str| logs.join(host).join("auth.log").metadata().unwrap().len();
    let half = size("a") + size("b") / 2;
    assert!(killed(&take(&data, &logs), &data, half, Duration::ZERO));
    let file = logs.join("a/auth.log");
    let mut text = std::fs::read_to_string(&file).unwrap();
    text.push_str("<86>1 2026-09-21T11:00:00Z a sshd 1 - - Accepted password for zoe from 10.0.0.1 port 1 ssh2\n");
    std::fs::write(&file, text).unwrap();
    ok(&take(&data, &logs));
    assert_eq!(count(&data, "select count(*) from events"), "50001");
    assert_eq!(count(&data, "select count(distinct raw_data) from events"), "50001");
    balanced(&data);
}

/// A file taken in the middle of its last line is taken again from that line on.
#[test]
fn a_line_that_was_half_written_is_taken_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("auth.log"));
    let args = ["ingest", "--data", data.to_str().unwrap(), file.to_str().unwrap()];
    let line = "<86>1 2026-09-21T11:00:00Z a sshd 1 - - Accepted password for zoe from 10.0.0.1 port 1 ssh2";
    std::fs::write(&file, format!("{line}1\n{}", &line[..60])).unwrap();
    ok(&args);
    assert_eq!(count(&data, "select count(*) from events"), "2");
    std::fs::write(&file, format!("{line}1\n{line}2")).unwrap();
    ok(&args);
    let whole = "select count(*) from events where raw_data like '%ssh2_'";
    assert_eq!(count(&data, whole), "2");
    std::fs::write(&file, format!("{line}1\n{line}2\n{line}3\n")).unwrap();
    ok(&args);
    assert_eq!(count(&data, whole), "3");
    assert_eq!(count(&data, "select count(*) from events"), "4");
    balanced(&data);
}

/// Files of one name in one batch are told apart by what is in them.
#[test]
fn files_of_one_name_are_each_taken() {
    let dir = tempfile::tempdir().unwrap();
    let (data, logs) = (dir.path().join("data"), dir.path().join("logs"));
    let config = dir.path().join("yagura.toml");
    std::fs::write(&config, "[pipeline]\njudge_interval_ms = 1\n").unwrap();
    let names = ["a", "b", "c"];
    for (name, seed) in names.iter().zip(1..) {
        write_logons(&logs, name, 8_000, seed);
    }
    let paths = names.map(|name| logs.join(name).join("auth.log"));
    let mut args = vec!["ingest", "--config", config.to_str().unwrap()];
    args.extend(["--data", data.to_str().unwrap()]);
    args.extend(paths.iter().map(|path| path.to_str().unwrap()));
    for _ in 0..2 {
        ok(&args);
        assert_eq!(count(&data, "select count(distinct raw_data) from events"), "24000");
        assert_eq!(count(&data, "select count(*) from events"), "24000");
    }
    balanced(&data);
}
