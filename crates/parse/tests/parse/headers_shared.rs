//! Zeek logs and EVE fields of the shared data: every record read, TSV and JSON alike.
//!
//! Counts only; no line of the shared data is repeated here.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use yagura_event::batch::EventRef;
use yagura_event::time::parse_rfc3339;
use yagura_event::{
    ColumnId, Context, EventBatch, EventId, IssueCode, Reference, Scalar, SourceChoice, SpanFlags,
};
use yagura_parse::{Contexts, Framer, Parser, RecordHeader};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");

/// Unpacks an archive; `None` where the shared data is not here, which CI does not allow.
fn unpack(archive: &str) -> Option<tempfile::TempDir> {
    let path = Path::new(DATA).join(archive);
    if !path.exists() {
        println!("SKIPPED: {archive} is not here");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "CI needs the shared data");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut tar = Command::new("tar");
    tar.arg("--zstd").arg("-xf").arg(path).arg("-C").arg(dir.path());
    assert!(tar.status().unwrap().success(), "needs tar and zstd");
    Some(dir)
}

fn files(dir: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, all) } else { all.push(path) }
    }
    all.sort();
}

fn parser() -> Parser {
    Parser::builtin().unwrap_or_else(|error| panic!("{error}"))
}

/// Parses a text and hands each event with the record's number to `each`; returns how many.
fn read(parser: &Parser, bytes: &[u8], mut each: impl FnMut(EventRef<'_>, u64)) -> u64 {
    let now = parse_rfc3339("2025-01-01T00:00:00Z").unwrap();
    let context = Context::new("default", "scan", SourceChoice::Auto, Reference::At(now));
    let mut contexts = Contexts::new(context);
    let (mut framer, mut out) = (Framer::new(bytes, &SourceChoice::Auto), EventBatch::default());
    let mut count = 0;
    while let Some(frame) = framer.next_frame().unwrap() {
        out.clear();
        let head = RecordHeader {
            id: EventId::content(1, frame.number),
            received_time: now,
            stream: 0,
            batch: 0,
            peer: "",
            position: frame.position,
        };
        parser.parse(contexts.of(&frame), &head, frame.bytes, &mut out);
        assert_eq!(out.events.len(), 1);
        each(out.event(0).unwrap(), frame.number);
        count = frame.number;
    }
    count
}

#[test]
fn every_record_of_zeeks_baseline_logs_is_zeeks_with_a_class() {
    let Some(dir) = unpack("network/zeek/zeek-baseline-logs.tar.zst") else { return };
    let parser = parser();
    let mut paths = Vec::new();
    files(dir.path(), &mut paths);
    let (mut logs, mut records) = (0, 0);
    for path in paths.iter().filter(|path| path.to_string_lossy().contains(".log")) {
        let text = std::fs::read(path).unwrap();
        let lines = || text.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let expect = lines().filter(|line| !line.starts_with(b"#")).count() as u64;
        let names = lines().find_map(|line| line.strip_prefix(b"#fields\t")).unwrap_or_default();
        let sides = names.split(|b| *b == b'\t').any(|name| name == b"id.orig_h");
        let found = read(&parser, &text, |event, number| {
            let at = format!("{}:{number}", path.display());
            let head = event.event();
            assert_eq!(parser.sources().name(head.source), Some("zeek"), "{at}");
            assert_ne!(head.class.0, 0, "{at}");
            assert!(event.column_text(ColumnId::METADATA_LOG_NAME).is_some(), "{at}");
            let set = event.field(parser.fields().get(b"id.orig_h")).next().is_some();
            assert!(!sides || !set || event.column(ColumnId::SRC_IP).is_some(), "{at}");
            for issue in event.issues() {
                // The times are masked in these files.
                let detail = String::from_utf8_lossy(event.batch().bytes(issue.detail));
                let masked = detail.contains("X.X");
                assert!(
                    issue.code == IssueCode::NoTime || masked,
                    "{at}: {:?} {detail}",
                    issue.code
                );
            }
        });
        assert_eq!(found, expect, "{}", path.display());
        (logs, records) = (logs + 1, records + found);
    }
    assert!(logs > 400, "{logs} logs");
    println!("{records} records in {logs} logs, all zeek, none without a class");
}

/// What a record says, as far as the two forms can say the same: fields by name, columns.
type Said = (BTreeMap<String, Vec<String>>, BTreeMap<&'static str, String>, u32);

fn said(parser: &Parser, event: EventRef<'_>) -> Said {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for span in event.spans().iter().filter(|span| !span.flags.has(SpanFlags::ALIAS)) {
        let name = text(event.span_name(span, parser.fields()));
        // When it was written is only in the JSON form.
        if name != "_write_ts" {
            fields.entry(name).or_default().push(normal(&text(event.span_value(span))));
        }
    }
    let mut columns = BTreeMap::new();
    for (id, value) in event.values() {
        let value = match value {
            Scalar::Text(value) | Scalar::Json(value) => text(event.batch().bytes(*value)),
            other => format!("{other:?}"),
        };
        // The stamp as written differs, and milliseconds of a rounded and a full duration.
        if ![ColumnId::METADATA_ORIGINAL_TIME, ColumnId::DURATION].contains(id) {
            columns.insert(id.column().name, value);
        }
    }
    columns.insert("time", event.event().time.to_string());
    (fields, columns, event.event().class.0)
}

/// Numbers to six decimals and times as seconds, as the TSV form has them.
fn normal(value: &str) -> String {
    if let Some(time) = parse_rfc3339(value) {
        return format!("{:.6}", time as f64 / 1e6);
    }
    let plain = value.bytes().all(|b| b.is_ascii_digit() || b".-+e".contains(&b));
    match value.parse::<f64>() {
        Ok(number) if plain => format!("{number:.6}"),
        _ => value.to_owned(),
    }
}

#[test]
fn tsv_and_json_of_the_same_traffic_normalise_alike() {
    let Some(dir) = unpack("network/zeek-wrccdc/zeek-wrccdc.tar.zst") else { return };
    let parser = parser();
    let mut paths = Vec::new();
    files(&dir.path().join("zeek-default"), &mut paths);
    assert!(paths.len() > 10, "{paths:?}");
    let mut total = 0;
    for path in &paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let json = dir.path().join("zeek-json").join(format!("{name}.json"));
        let mut all: Vec<Said> = Vec::new();
        read(&parser, &std::fs::read(path).unwrap(), |event, number| {
            assert_eq!(
                parser.sources().name(event.event().source),
                Some("zeek"),
                "{name}:{number}"
            );
            assert!(event.issues().is_empty(), "{name}:{number}: {:?}", event.issues());
            all.push(said(&parser, event));
        });
        let found = read(&parser, &std::fs::read(json).unwrap(), |event, number| {
            let tsv = &all[number as usize - 1];
            let json = said(&parser, event);
            assert!(close(&tsv.0, &json.0), "{name}:{number}: {:?}\n{:?}", tsv.0, json.0);
            assert_eq!(tsv.1, json.1, "{name}:{number}");
            assert_eq!(tsv.2, json.2, "{name}:{number}");
        });
        assert_eq!(found, all.len() as u64, "{name}");
        total += found;
    }
    println!("{total} records in {} logs, alike in both forms", paths.len());
}

/// Equal but for how far numbers were rounded.
fn close(a: &BTreeMap<String, Vec<String>>, b: &BTreeMap<String, Vec<String>>) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|((name, values), (other, others))| {
            name == other
                && values.len() == others.len()
                && values.iter().zip(others).all(|(x, y)| {
                    x == y
                        || matches!((x.parse::<f64>(), y.parse::<f64>()),
                            (Ok(x), Ok(y)) if (x - y).abs() <= 2e-6_f64.max(x.abs() * 1e-6))
                })
        })
}

/// The `match` tables of a test description: dotted EVE names and values.
fn matches(text: &str) -> Vec<Vec<(String, String)>> {
    let mut all = Vec::new();
    let mut open: Option<(usize, Vec<(String, String)>)> = None;
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let indent = line.len() - line.trim_start().len();
        if let Some((outer, fields)) = &mut open
            && !line.trim().is_empty()
        {
            if indent > *outer {
                if let Some((name, value)) = line.trim().split_once(": ") {
                    let value = value.split(" #").next().unwrap_or(value);
                    fields
                        .push((name.to_owned(), value.trim().trim_matches(['"', '\'']).to_owned()));
                }
                continue;
            }
            all.extend(open.take().map(|(_, fields)| fields));
        }
        if line.trim() == "match:" {
            open = Some((indent, Vec::new()));
        }
    }
    all.extend(open.map(|(_, fields)| fields));
    all
}

/// An EVE record that has the fields, and what every record has.
fn eve(fields: &[(String, String)]) -> Option<serde_json::Value> {
    let kind = &fields.iter().find(|(name, _)| name == "event_type")?.1;
    let mut root = serde_json::json!({
        "timestamp": "2024-05-14T12:00:00.000001+0000", "flow_id": 17, "event_type": kind,
    });
    if kind != "stats" {
        root["src_ip"] = "192.0.2.1".into();
        root["dest_ip"] = "198.51.100.2".into();
        root["proto"] = "TCP".into();
    }
    for (name, value) in fields {
        // Names of lists' items and of the checker's own tests are no EVE names.
        if name.contains(['[', ' ']) || name.contains("__") || name.contains("has-key") {
            continue;
        }
        let mut at = &mut root;
        for part in name.split('.') {
            if !at.is_object() {
                *at = serde_json::json!({});
            }
            at = &mut at[part];
        }
        *at = serde_json::from_str(value)
            .ok()
            .filter(serde_json::Value::is_number)
            .unwrap_or_else(|| value.as_str().into());
    }
    Some(root)
}

/// Fields whose column must hold the same text.
const TYPED: &[(&str, &str)] = &[
    ("src_ip", "src_endpoint.ip"),
    ("src_port", "src_endpoint.port"),
    ("dest_ip", "dst_endpoint.ip"),
    ("dest_port", "dst_endpoint.port"),
    ("app_proto", "app_protocol_name"),
    ("alert.signature", "finding_info.title"),
    ("alert.signature_id", "finding_info.analytic.uid"),
    ("http.hostname", "http_request.url.hostname"),
    ("http.http_user_agent", "http_request.user_agent"),
    ("http.status", "http_response.code"),
    ("dns.rrname", "query.hostname"),
    ("tls.sni", "tls.sni"),
    ("tls.subject", "tls.certificate.subject"),
    ("fileinfo.sha256", "file.hashes.sha256"),
    ("fileinfo.size", "file.size"),
    ("smb.share", "share"),
    ("krb5.cname", "user.name"),
];

#[test]
fn eve_records_of_every_kind_have_a_class_and_typed_columns() {
    let Some(dir) = unpack("network/suricata-verify/suricata-verify.tar.zst") else { return };
    let parser = parser();
    let mut paths = Vec::new();
    files(dir.path(), &mut paths);
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    let mut typed = 0;
    for path in paths.iter().filter(|path| path.extension().is_some_and(|e| e == "yaml")) {
        let text = std::fs::read_to_string(path).unwrap();
        for fields in matches(&text) {
            let Some(record) = eve(&fields) else { continue };
            let line = record.to_string();
            let read = read(&parser, line.as_bytes(), |event, _| {
                let source = parser.sources().name(event.event().source);
                assert_eq!(source, Some("suricata"), "{line}");
                assert_ne!(event.event().class.0, 0, "{line}");
                let json = yagura_event::json::event_json(event, parser.fields(), source);
                let class = event.event().class.0;
                let holds = |name: &str| match name.split_once('.').map_or(name, |part| part.0) {
                    "app_proto" => class == 4001 || class == 2004,
                    "alert" => class == 2004,
                    _ => true,
                };
                for (name, path) in TYPED.iter().filter(|(name, _)| holds(name)) {
                    let pointer = |p: &str| format!("/{}", p.replace('.', "/"));
                    let Some(value) = record.pointer(&pointer(name)) else { continue };
                    let plain = |v: &serde_json::Value| v.to_string().trim_matches('"').to_owned();
                    let held = json.pointer(&pointer(path)).map(plain);
                    if !plain(value).is_empty() && !line.contains("\"anomaly\"") {
                        assert_eq!(held, Some(plain(value)), "{name} in {path}: {line}");
                        typed += 1;
                    }
                }
            });
            assert_eq!(read, 1);
            *kinds.entry(record["event_type"].as_str().unwrap_or_default().into()).or_default() +=
                1;
        }
    }
    assert!(kinds.len() > 25 && typed > 1_000, "{kinds:?} {typed}");
    let total: u64 = kinds.values().sum();
    println!("{total} EVE records of {} kinds, {typed} typed values", kinds.len());
}
