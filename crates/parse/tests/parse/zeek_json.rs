//! Zeek's kinds of log as JSON that does not name its log: told apart by their keys alone, and
//! from other JSON.
//!
//! Counts only; no line of the shared data is repeated here.
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use yagura_event::time::parse_rfc3339;
use yagura_event::{Context, EventBatch, EventId, Reference, SourceChoice};
use yagura_parse::{Parser, RecordHeader};

const ARCHIVE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/network/zeek/zeek-baseline-logs.tar.zst"
);

/// Logs without a `ts`, or whose few names say nothing: only their name tells them.
const UNNAMED: &[&str] = &[
    "cluster",
    "loaded_scripts",
    "packet",
    "print",
    "print_statements",
    "netcontrol_catch_release",
];

/// Names of a record that has nothing but a time, an id and two ends.
const ENDS: usize = 6;

/// What a record was taken for: source, class and Sigma's service.
fn read(parser: &Parser, text: &str) -> (String, u32, u16) {
    let now = parse_rfc3339("2025-01-01T00:00:00Z").unwrap();
    let context = Context::new("default", "scan", SourceChoice::Auto, Reference::At(now));
    let head = RecordHeader {
        id: EventId::content(1, 1),
        received_time: now,
        stream: 0,
        batch: 0,
        peer: "",
        position: 0,
    };
    let mut out = EventBatch::default();
    parser.parse(&std::sync::Arc::new(context), &head, text.as_bytes(), &mut out);
    let event = &out.events[0];
    let source = parser.sources().name(event.source).unwrap_or("-").to_owned();
    (source, event.class.0, event.logsource.0)
}

fn files(dir: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, all) } else { all.push(path) }
    }
    all.sort();
}

/// A value as Zeek's JSON writer has it; `None` if it is unset. Times are masked in these files.
fn value(text: &str, kind: &str) -> Option<Value> {
    if text == "-" {
        return None;
    }
    if let Some(inner) = kind.split_once('[').and_then(|(_, inner)| inner.strip_suffix(']')) {
        let list = text.split(',').filter(|item| *item != "(empty)");
        return Some(list.filter_map(|item| value(item, inner)).collect());
    }
    Some(match kind {
        "bool" => json!(text == "T"),
        "time" => json!(1_718_356_211.5),
        "count" | "int" | "port" => json!(text.parse::<i64>().unwrap_or(7)),
        "double" | "interval" => json!(text.parse::<f64>().unwrap_or(0.5)),
        _ => json!(text.replace("(empty)", "")),
    })
}

#[test]
fn every_kind_of_log_is_told_by_its_keys() {
    if !Path::new(ARCHIVE).exists() {
        println!("SKIPPED: Zeek's baseline logs are not here");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "CI needs the shared data");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut tar = Command::new("tar");
    tar.arg("--zstd").arg("-xf").arg(ARCHIVE).arg("-C").arg(dir.path());
    assert!(tar.status().unwrap().success(), "needs tar and zstd");
    let parser = Parser::builtin().unwrap_or_else(|error| panic!("{error}"));
    let mut paths = Vec::new();
    files(dir.path(), &mut paths);
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in paths.iter().filter(|path| path.to_string_lossy().contains(".log")) {
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        let header = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('\t'));
            line.unwrap_or_default().split('\t').map(str::to_owned).collect::<Vec<_>>()
        };
        let (names, types, log) = (header("#fields"), header("#types"), header("#path").concat());
        // Logs that tests of Zeek made up have no `ts` or another name's fields.
        if names.first().is_none_or(|name| name != "ts") || UNNAMED.contains(&&*log) {
            continue;
        }
        for line in text.lines().filter(|line| !line.starts_with('#') && line.contains('\t')) {
            let mut record = Map::new();
            for ((name, kind), text) in names.iter().zip(&types).zip(line.split('\t')) {
                record.extend(value(text, kind).map(|value| (name.clone(), value)));
            }
            let record_len = record.len();
            let bare = read(&parser, &Value::Object(record.clone()).to_string());
            record.insert("_path".into(), log.clone().into());
            let named = read(&parser, &Value::Object(record).to_string());
            assert_eq!(named.0, "zeek", "{}: {line}", path.display());
            *kinds.entry(log.clone()).or_default() += 1;
            // An NTLM exchange of which nothing was seen has its ends alone.
            if bare != named && record_len > ENDS {
                wrong.entry(log.clone()).or_default().push(format!("{bare:?} {line}"));
            }
        }
    }
    for (log, lines) in &wrong {
        println!("{log}: {} of {} otherwise, as {}", lines.len(), kinds[log], lines[0]);
    }
    let total: u64 = kinds.values().sum();
    println!("{total} records of {} kinds", kinds.len());
    assert!(kinds.len() > 55 && wrong.is_empty(), "{} kinds, {:?}", kinds.len(), wrong.keys());
}

#[test]
fn json_of_other_products_is_not_zeeks() {
    let parser = Parser::builtin().unwrap_or_else(|error| panic!("{error}"));
    for record in [
        r#"{"ts":1718356211.5,"host":"app-7","level":"info","message":"started"}"#,
        r#"{"ts":1718356211.5,"host":"192.0.2.7","msg":"started"}"#,
        r#"{"ts":1718356211.5,"host":"192.0.2.7","level":"warn"}"#,
        r#"{"ts":1718356211.5,"uid":"C77","user":"kim","action":"login"}"#,
        r#"{"ts":"2024-06-14T09:10:11Z","note":"see below","peer":"192.0.2.9"}"#,
        r#"{"ts":1718356211.5,"level":"error","message":"x","caller":"a.go:1"}"#,
        r#"{"ts":1718356211.5,"analyzer":"words","fingerprint":"00","client_addr":"192.0.2.9"}"#,
        r#"{"ts":1718356211.5,"src":"192.0.2.1","dst":"192.0.2.2","proto":"udp","bytes":7}"#,
        r#"{"ts":1718356211.5,"uids":[1,2],"fuid":"a"}"#,
    ] {
        assert_eq!(read(&parser, record).0, "json", "{record}");
    }
    for record in [
        r#"{"ts":1718356211.5,"host":"192.0.2.7"}"#,
        r#"{"ts":1718356211.5,"_write_ts":1718356212.5,"host":"2001:db8::7"}"#,
        r#"{"message":"{\"ts\":1718356211.5,\"host\":\"192.0.2.7\"}"}"#,
        r#"{"ts":1718356211.5,"src":"192.0.2.1","dst":"192.0.2.2","proto":"udp"}"#,
    ] {
        assert_eq!(read(&parser, record).0, "zeek", "{record}");
    }
}
