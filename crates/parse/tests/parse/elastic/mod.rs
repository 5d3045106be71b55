//! How much of what another pipeline extracts from real records we hold in the right place.
//!
//! `../shared/data/logs/elastic` pairs raw records with ECS documents. For each package of
//! the table below the records are parsed with source `auto`, and the values of addresses,
//! ports, users and so on in the document are looked for in the OCSF attribute where they
//! belong (`fields.rs`). A value that does not stand in the record's text is left out: it was
//! looked up, computed or configured. The zone of stamps without one is the document's
//! `event.timezone`, as a feed would have it configured; the reference for years is half a
//! day after the document's time, so that a time that was not read never looks right.
//!
//! `ELASTIC_MISSES=package` prints what is missed, `ELASTIC_ONLY=package` looks at one, and
//! `ELASTIC_SOURCES=folder` takes definitions from there, without building anew.
mod fields;
mod judge;

use fields::millis;
use judge::{Score, Scores, judge, values};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use yagura_event::json::event_json;
use yagura_event::time::{DAY, parse_rfc3339};
use yagura_event::{Context, EventBatch, EventId, FieldTableBuilder, Reference, SourceChoice};
use yagura_parse::{Parser, RecordHeader, Sources};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/logs/elastic");

/// One package: its folder and name, the data streams that count (none: all), and the
/// percentage of expected values that must be found.
struct Package(&'static str, &'static [&'static str], f64);

/// Floors are what is reached, rounded down; they rise with the sources.
const PACKAGES: &[Package] = &[
    Package("cloud/aws", &["cloudtrail"], 98.0),
    Package("firewall/cisco_asa", &[], 98.5),
    Package("firewall/cisco_ftd", &[], 97.5),
    Package("firewall/cisco_ios", &[], 97.0),
    Package("firewall/fortinet_fortigate", &[], 98.5),
    Package("firewall/iptables", &[], 100.0),
    Package("firewall/panw", &[], 98.5),
    Package("generic/cef", &[], 100.0),
    Package("ids/snort", &[], 95.5),
    Package("ids/suricata", &[], 99.0),
    Package("ids/zeek", &[], 100.0),
    Package("os/auditd", &[], 98.5),
    Package("os/sysmon_linux", &[], 100.0),
    Package("os/system", &["auth", "security", "syslog"], 97.0),
    Package("os/windows", &[], 99.0),
    Package("proxy/squid", &[], 100.0),
    Package("web/apache", &[], 100.0),
    Package("web/iis", &[], 98.0),
    Package("web/nginx", &[], 100.0),
];

#[test]
fn values_of_the_expected_documents_are_in_their_attributes() {
    if !Path::new(DATA).is_dir() {
        println!("SKIPPED: the shared pairs of records and documents are not here");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "CI needs the shared data");
        return;
    }
    let parser = parser();
    let only = std::env::var("ELASTIC_ONLY").unwrap_or_default();
    let mut short = Vec::new();
    println!(
        "{:<28} {:<8} {:>8} {:>8} {:>7} {:>6} {:>9}",
        "package", "kind", "expected", "found", "recall", "wrong", "precision"
    );
    for Package(name, streams, floor) in PACKAGES.iter().filter(|package| package.0.contains(&only))
    {
        let scores = package(&parser, name, streams);
        let mut total = Score::default();
        for (kind, score) in &scores {
            total.add(score);
            print(name, &format!("{kind:?}"), score);
        }
        print(name, "all", &total);
        assert!(total.expected > 0, "{name}: nothing was compared");
        if total.recall() < *floor {
            short.push(format!("{name}: {:.1} < {floor}", total.recall()));
        }
    }
    assert!(short.is_empty(), "recall below the floor: {short:?}");
}

fn print(name: &str, kind: &str, score: &Score) {
    println!(
        "{name:<28} {kind:<8} {:>8} {:>8} {:>6.1}% {:>6} {:>8.1}%",
        score.expected,
        score.found,
        score.recall(),
        score.wrong,
        score.precision()
    );
}

fn parser() -> Parser {
    let sources = match std::env::var_os("ELASTIC_SOURCES") {
        Some(folder) => Sources::load(Path::new(&folder)),
        None => Sources::builtin(),
    };
    let sources = sources.unwrap_or_else(|error| panic!("{error}"));
    let mut fields = FieldTableBuilder::default();
    sources.intern(&mut fields);
    Parser::new(Arc::new(sources), Arc::new(fields.build()))
}

fn package(parser: &Parser, name: &str, streams: &[&str]) -> Scores {
    let show = std::env::var("ELASTIC_MISSES").is_ok_and(|wanted| name.contains(&wanted));
    let mut scores = Scores::new();
    for mut pair in pairs(name) {
        correct(name, &mut pair["expected"]);
        let stream = pair["data_stream"].as_str().unwrap_or_default();
        if pair["expected"].is_null() || (!streams.is_empty() && !streams.contains(&stream)) {
            continue;
        }
        let raw = record(&pair["input"]);
        let ocsf = parse(parser, &raw, &pair["expected"]);
        let place = format!("{stream} {} {}", pair["test"].as_str().unwrap_or_default(), pair["n"]);
        let mut miss = |field: &str, expected: &str, instead: &str| {
            if show {
                println!(
                    "MISS {place} [{}] {field}: {expected} <> {instead}",
                    values(&ocsf, "metadata.log_format").concat()
                );
            }
        };
        for (kind, score) in judge(&raw, &pair["expected"], &ocsf, &mut miss) {
            scores.entry(kind).or_default().add(&score);
        }
    }
    scores
}

/// Takes out of a document what its pipeline put in a wrong place.
///
/// Squid's lines have one size, what went to the client (`%<st`). The documents have it as
/// `destination.bytes`, where it is judged, and once more as the body of the *request*.
///
/// IIS has path and query of a request in two columns. The documents call the path, which is
/// judged as such, the original; what was requested is both.
///
/// Sysmon's documents on Linux name the program that logged (`sysmon`) the process, beside the
/// executable of the one that it tells of, and call every action `log`.
fn correct(name: &str, expected: &mut Value) {
    if name == "proxy/squid"
        && let Some(Value::Object(request)) = expected.pointer_mut("/http/request")
    {
        request.remove("body");
    }
    if name == "os/sysmon_linux" {
        for (object, word) in [("/process", "name"), ("/event", "action")] {
            if let Some(Value::Object(fields)) = expected.pointer_mut(object) {
                fields.remove(word);
            }
        }
    }
    if name == "web/iis"
        && let Some(Value::Object(url)) = expected.pointer_mut("/url")
        && let (Some(path), Some(query)) = (url["original"].as_str(), url.get("query"))
    {
        let both = format!("{path}?{}", query.as_str().unwrap_or_default());
        url.insert("original".to_owned(), both.into());
    }
}

fn pairs(name: &str) -> Vec<Value> {
    let path = PathBuf::from(DATA).join(format!("{name}.pairs.jsonl.zst"));
    let unpacked = Command::new("zstd").arg("-dcq").arg(&path).output().unwrap();
    assert!(unpacked.status.success(), "{}", path.display());
    String::from_utf8(unpacked.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The record: the raw line, the line that an agent decoded already (CEF), or the whole
/// object where the agent's own shape (Winlogbeat) is the record.
fn record(input: &Value) -> String {
    if input.get("winlog").is_none() {
        let decoded = input.get("cef").and_then(|_| input["event"]["original"].as_str());
        if let Some(line) = decoded.or_else(|| input["message"].as_str()) {
            return line.to_owned();
        }
    }
    input.to_string()
}

fn parse(parser: &Parser, raw: &str, expected: &Value) -> Value {
    let time = values(expected, "@timestamp").first().and_then(|text| parse_rfc3339(text));
    let received = time.unwrap_or_else(|| parse_rfc3339("2024-06-30T00:00:00Z").unwrap()) + DAY / 2;
    let mut context =
        Context::new("default", "elastic", SourceChoice::Auto, Reference::At(received));
    context.time_zone = values(expected, "event.timezone").first().cloned();
    let head = RecordHeader {
        id: EventId::content(0, 1),
        received_time: received,
        stream: 0,
        batch: 0,
        peer: "",
        position: 0,
    };
    let mut out = EventBatch::default();
    parser.parse(&Arc::new(context), &head, raw.as_bytes(), &mut out);
    assert_eq!(out.events.len(), 1);
    let event = out.event(0).unwrap();
    event_json(event, parser.fields(), parser.sources().name(event.event().source))
}

#[test]
fn the_judge_tells_right_wrong_and_unstated_values_apart() {
    let ecs = serde_json::json!({
        "@timestamp": "2024-05-14T12:00:51.000Z",
        "source": { "ip": "192.0.2.1", "port": 5, "geo": { "name": "x" } },
        "destination": { "ip": "198.51.100.9", "user": { "name": "CORP\\nina" } },
        "host": { "ip": ["203.0.113.77"] },
        "event": { "type": ["denied"], "action": "drop", "outcome": "success" },
    });
    let ocsf = serde_json::json!({
        "time": millis("2024-05-14T12:00:51Z").unwrap(),
        "src_endpoint": { "ip": "::ffff:192.0.2.1", "port": 6 },
        "dst_endpoint": { "ip": "192.0.2.1" },
        "user": { "name": "nina", "domain": "corp" },
        "action_id": 2,
    });
    let raw = "14 May 14:00:51 drop 192.0.2.1:5 198.51.100.9 corp\\nina";
    let mut missed = Vec::new();
    let scores = judge(raw, &ecs, &ocsf, &mut |field, _, _| missed.push(field.to_owned()));
    let wrong = ["!dst_endpoint.ip", "!src_endpoint.port"];
    assert_eq!(missed, [&["destination.ip", "source.port"], &wrong[..]].concat());
    let of = |kind| {
        let score: Score = scores[&kind];
        (score.expected, score.found, score.wrong)
    };
    assert_eq!(of(fields::Kind::Address), (2, 1, 1));
    assert_eq!(of(fields::Kind::Port), (1, 0, 1));
    assert_eq!(of(fields::Kind::User), (1, 1, 0));
    assert_eq!(of(fields::Kind::Time), (1, 1, 0));
    assert_eq!(of(fields::Kind::Action), (2, 2, 0));
}
