//! The shared scenarios: one event a record, a named source, a class, no field lost.
//!
//! Counts only; no line of the shared data is repeated here.
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use yagura_event::batch::EventRef;
use yagura_event::json::event_json;
use yagura_event::time::{DAY, parse_rfc3339};
use yagura_event::{Context, EventBatch, EventId, Reference, SourceChoice, SpanFlags};
use yagura_parse::{Contexts, Framer, Parser, RecordHeader};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");

/// Records of each file read in full; of larger files every so many-th record is checked
/// field by field.
const FIELD_CHECK_EVERY: u64 = 17;

/// Raw names whose value is told by an enumeration's number, not by the same word.
const BY_NUMBER: &[&str] = &["established", "mode", "auth_success", "success", "priority", "level"];

fn unpack(dir: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(Path::new(DATA).join("scenarios")) else {
        println!("SKIPPED: the shared scenarios are not here");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "CI needs the shared data");
        return false;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.to_string_lossy().ends_with(".tar.zst") {
            let packed = Command::new("zstd").arg("-dcq").arg(&path).output().unwrap();
            let tar = dir.join("x.tar");
            std::fs::write(&tar, packed.stdout).unwrap();
            assert!(
                Command::new("tar")
                    .arg("-xf")
                    .arg(&tar)
                    .arg("-C")
                    .arg(dir)
                    .status()
                    .unwrap()
                    .success()
            );
        }
    }
    true
}

fn files(dir: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, all);
        } else if path.parent().is_some_and(|p| p.file_name().is_some_and(|n| n != "data"))
            && path.ancestors().any(|a| a.file_name().is_some_and(|n| n == "data"))
        {
            all.push(path);
        }
    }
}

#[derive(Default)]
struct Tally {
    records: u64,
    named: u64,
    classless: BTreeMap<String, u64>,
    issues: BTreeMap<String, u64>,
    lost: BTreeSet<String>,
}

#[test]
fn every_record_of_the_scenarios_has_source_class_and_all_its_fields() {
    let dir = tempfile::tempdir().unwrap();
    if !unpack(dir.path()) {
        return;
    }
    let parser = Parser::builtin().unwrap_or_else(|error| panic!("{error}"));
    let mut paths = Vec::new();
    files(dir.path(), &mut paths);
    paths.sort();
    assert!(paths.len() > 60, "{} files", paths.len());
    let mut total = Tally::default();
    for path in &paths {
        let tally = read(&parser, path);
        assert!(tally.records > 0, "{}", path.display());
        assert!(
            tally.named as f64 >= tally.records as f64 * 0.995,
            "{}: {} of {}",
            path.display(),
            tally.named,
            tally.records
        );
        for source in tally.classless.keys() {
            assert_eq!(source, "linux_syslog", "{}", path.display());
        }
        assert!(tally.lost.is_empty(), "{}: {:?}", path.display(), tally.lost);
        assert!(tally.issues.is_empty(), "{}: {:?}", path.display(), tally.issues);
        total.records += tally.records;
        total.named += tally.named;
    }
    println!(
        "{} records in {} files, {} of a named source",
        total.records,
        paths.len(),
        total.named
    );
}

fn read(parser: &Parser, path: &Path) -> Tally {
    let reference = parse_rfc3339("2024-12-31T00:00:00Z").unwrap();
    let mut context = Context::new("default", "scan", SourceChoice::Auto, Reference::At(reference));
    context.path = path.display().to_string();
    let mut contexts = Contexts::new(context);
    let mut framer = Framer::new(std::fs::File::open(path).unwrap(), &SourceChoice::Auto);
    let (mut tally, mut out) = (Tally::default(), EventBatch::default());
    while let Some(frame) = framer.next_frame().unwrap() {
        out.clear();
        let head = RecordHeader {
            id: EventId::content(1, frame.number),
            received_time: reference,
            stream: 0,
            batch: 0,
            peer: "",
            position: frame.position,
        };
        parser.parse(contexts.of(&frame), &head, frame.bytes, &mut out);
        assert_eq!(out.events.len(), 1);
        let event = out.event(0).unwrap();
        tally.records += 1;
        let source = parser.sources().name(event.event().source);
        tally.named += u64::from(source.is_some());
        if event.event().class.0 == 0 {
            *tally.classless.entry(source.unwrap_or_default().to_owned()).or_default() += 1;
        }
        let time = event.event().time;
        assert!((reference - 366 * DAY..reference - DAY).contains(&time), "{time}");
        for issue in event.issues() {
            let detail = String::from_utf8_lossy(out.bytes(issue.detail)).into_owned();
            *tally.issues.entry(format!("{:?} {detail}", issue.code)).or_default() += 1;
        }
        if frame.number % FIELD_CHECK_EVERY == 1 {
            lost(parser, event, &mut tally.lost);
        }
    }
    tally
}

/// Fields that are neither in a column nor in `unmapped`; for JSON also leaves that are no
/// field at all.
fn lost(parser: &Parser, event: EventRef<'_>, lost: &mut BTreeSet<String>) {
    let json = event_json(event, parser.fields(), None);
    let mut held = BTreeSet::new();
    for (key, value) in json.as_object().unwrap() {
        if key != "raw_data" {
            leaves("", value, &mut |_, text| {
                held.insert(normal(&text));
            });
        }
    }
    let mut names = BTreeSet::new();
    for span in event.spans() {
        let name = String::from_utf8_lossy(event.span_name(span, parser.fields())).into_owned();
        let value = String::from_utf8_lossy(event.span_value(span)).into_owned();
        let alias = span.flags.has(SpanFlags::ALIAS);
        let derived = span.flags.has(SpanFlags::DERIVED);
        let number = BY_NUMBER.contains(&name.as_str()) || event.raw().starts_with(b"<Event");
        let syntax =
            name == "pri" || name == "timestamp" || name.starts_with("timestamp") || name == "ts";
        if span.flags.has(SpanFlags::MAPPED)
            && !alias
            && !derived
            && !number
            && !syntax
            && !value.is_empty()
            && !held.contains(&normal(&value))
            && !converted(&held, &value)
        {
            lost.insert(format!("{name} is in no column"));
        }
        if !alias {
            names.insert((name, value));
        }
    }
    if let Ok(raw) = serde_json::from_slice::<serde_json::Value>(event.raw()) {
        leaves("", &raw, &mut |name, text| {
            let there = names.iter().any(|(n, v)| *n == name && normal(v) == normal(&text));
            if !there {
                lost.insert(format!("{name} is no field"));
            }
        });
    }
}

/// Whether a time, duration, size, URL or account is held in another unit or in parts.
fn converted(held: &BTreeSet<String>, value: &str) -> bool {
    if value.split(['\\', '@']).all(|part| held.contains(&normal(part))) {
        return true;
    }
    if let Some((h, rest)) = value.split_once(':')
        && let Some((m, s)) = rest.split_once(':')
        && let (Ok(h), Ok(m), Ok(s)) = (h.parse::<u64>(), m.parse::<u64>(), s.parse::<u64>())
    {
        return held.contains(&normal(&((h * 3600 + m * 60 + s) * 1000).to_string()));
    }
    if let Some(hex) = value.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).is_ok_and(|n| held.contains(&normal(&n.to_string())));
    }
    value.parse::<f64>().is_ok_and(|n| held.contains(&normal(&format!("{}", n * 1000.0))))
}

fn normal(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(number) => format!("{number}"),
        Err(_) => text.to_ascii_lowercase(),
    }
}

fn leaves(name: &str, value: &serde_json::Value, each: &mut impl FnMut(String, String)) {
    use serde_json::Value;
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                leaves(&name, value, each);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| leaves(name, value, each)),
        Value::Null => each(name.to_owned(), String::new()),
        Value::String(text) => each(name.to_owned(), text.clone()),
        other => each(name.to_owned(), other.to_string()),
    }
}
