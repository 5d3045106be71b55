//! Published rules over recorded Windows events: the reference agrees, and how long it takes.

use super::{Bench, V, event};
use crate::{RuleSet, Scratch, rule_files};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use yagura_event::{Dimension, EventBatch, Logsource, LogsourceTable};

fn shared(part: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(part);
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED: {} is not there", path.display());
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "shared data is missing");
    None
}

fn unpacked(path: &Path) -> Vec<u8> {
    Command::new("zstd").arg("-dcq").arg(path).output().unwrap().stdout
}

fn published_rules() -> Option<RuleSet> {
    let archive = shared("sigma/sigma-rules.tar.zst")?;
    let folder = tempfile::tempdir().unwrap();
    let mut zstd =
        Command::new("zstd").arg("-dcq").arg(archive).stdout(Stdio::piped()).spawn().unwrap();
    let input = zstd.stdout.take().unwrap();
    assert!(
        Command::new("tar")
            .arg("-x")
            .arg("-C")
            .arg(folder.path())
            .stdin(input)
            .status()
            .unwrap()
            .success()
    );
    zstd.wait().unwrap();
    let (mut files, _) = rule_files(&[folder.path().to_owned()]);
    files.retain(|(path, _)| {
        let first = |part: &str| path.split('/').any(|p| p == part);
        first("rules") || first("rules-emerging-threats") || first("rules-threat-hunting")
    });
    Some(RuleSet::load(files))
}

/// Channel, event id, fields.
type Recorded = (String, i64, Vec<(String, V)>);

/// Recorded events, at most `each` of a kind, `most` in all.
fn recorded(each: usize, most: usize) -> Option<Vec<Recorded>> {
    let root = shared("windows/mordor")?;
    let mut files = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(".jsonl.zst") {
                files.push(path);
            }
        }
    }
    files.sort();
    let mut seen: HashMap<(String, i64), usize> = HashMap::new();
    let mut events = Vec::new();
    for file in files {
        for line in unpacked(&file).split(|byte| *byte == b'\n') {
            let Ok(serde_json::Value::Object(object)) = serde_json::from_slice(line) else {
                continue;
            };
            let channel =
                object.get("Channel").and_then(|c| c.as_str()).unwrap_or_default().to_lowercase();
            let id = object.get("EventID").and_then(serde_json::Value::as_i64).unwrap_or(0);
            let count = seen.entry((channel.clone(), id)).or_default();
            *count += 1;
            if *count > each || events.len() >= most {
                continue;
            }
            let fields =
                object.into_iter().filter(|(name, _)| name != "Message").map(|(name, value)| {
                    let value = match value {
                        serde_json::Value::String(text) => V::Text(text),
                        serde_json::Value::Null => V::Null,
                        other => V::Num(other.to_string()),
                    };
                    (name, value)
                });
            events.push((channel, id, fields.collect()));
        }
    }
    Some(events)
}

/// Sigma's category of a channel's event, for the kinds that rules ask for most.
fn category(channel: &str, id: i64) -> Option<&'static str> {
    Some(match (channel.rsplit('/').nth(1).unwrap_or(channel), id) {
        ("microsoft-windows-sysmon", 1) | ("security", 4688) => "process_creation",
        ("microsoft-windows-sysmon", 3) => "network_connection",
        ("microsoft-windows-sysmon", 7) => "image_load",
        ("microsoft-windows-sysmon", 10) => "process_access",
        ("microsoft-windows-sysmon", 11) => "file_event",
        ("microsoft-windows-sysmon", 12) => "registry_add",
        ("microsoft-windows-sysmon", 13) => "registry_set",
        ("microsoft-windows-powershell", 4104) => "ps_script",
        ("microsoft-windows-powershell", 4103) => "ps_module",
        _ => return None,
    })
}

fn service(channel: &str) -> Dimension {
    let channel = channel.rsplit('/').nth(1).unwrap_or(channel);
    let service = channel.strip_prefix("microsoft-windows-").unwrap_or(channel);
    if service.is_empty() { Dimension::Unknown } else { Dimension::Known(service.into()) }
}

#[test]
fn the_reference_agrees_on_published_rules_and_recorded_events() {
    let (Some(rules), Some(events)) = (published_rules(), recorded(1, 40)) else { return };
    // Two ask for values of placeholders.
    assert_eq!((rules.rules.len(), rules.errors.len()), (3141 + 473 + 140 - 2, 2));
    let bench = Bench::of(rules, &["Hostname", "EventID"]);
    let mut scratch = Scratch::new();
    let mut hits = 0;
    for (channel, id, fields) in &events {
        let pairs: Vec<(&str, V)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        // Every dimension is unknown: the event meets every rule.
        let batch = event(&bench.fields, "", &pairs);
        let found: Vec<u32> =
            bench.hits(&batch, &mut scratch).iter().map(|hit| hit.rule.0).collect();
        let one = batch.event(0).unwrap();
        let expected: Vec<u32> = (0..bench.rules.rules.len() as u32)
            .filter(|at| {
                let expr = bench.rules.exprs[*at as usize].as_ref().unwrap();
                crate::naive::holds(expr, &one, &bench.fields)
            })
            .collect();
        assert_eq!(found, expected, "{channel} {id}");
        hits += found.len();
    }
    println!("{} events, {hits} hits", events.len());
    assert!(events.len() >= 40 && hits > 40, "{} events, {hits} hits", events.len());
}

/// `cargo test --release -p yagura-detect --lib speed -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn speed() {
    let (Some(rules), Some(events)) = (published_rules(), recorded(400, 20_000)) else { return };
    let started = Instant::now();
    let mut bench = Bench::of(rules, &["Hostname", "EventID"]);
    let mut logsources = LogsourceTable::default();
    let mut all = EventBatch::default();
    let batches: Vec<EventBatch> = events
        .iter()
        .map(|(channel, id, fields)| {
            let pairs: Vec<(&str, V)> =
                fields.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
            let raw: String = fields
                .iter()
                .map(|(name, value)| match value {
                    V::Text(text) | V::Num(text) => format!("{name}={text};"),
                    V::Null => String::new(),
                })
                .collect();
            let mut batch = event(&bench.fields, &raw, &pairs);
            batch.events[0].logsource = logsources.intern(Logsource {
                product: Dimension::Known("windows".into()),
                service: service(channel),
                category: category(channel, *id)
                    .map_or(Dimension::None, |c| Dimension::Known(c.into())),
            });
            batch
        })
        .collect();
    all.clear();
    println!("set up in {:?}", started.elapsed());
    let started = Instant::now();
    bench.matcher = crate::Matcher::compile(&bench.rules, &bench.fields, &logsources, &[]);
    println!("compiled in {:?}", started.elapsed());
    let mut scratch = Scratch::new();
    for _ in 0..5 {
        let started = Instant::now();
        let hits: usize = batches.iter().map(|batch| bench.hits(batch, &mut scratch).len()).sum();
        let each = started.elapsed() / batches.len() as u32;
        println!("{} events, {hits} hits, {each:?} an event", batches.len());
    }
}
