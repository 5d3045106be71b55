//! What the tests of Windows events share: parsing, shared data, unpacking.
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};
use yagura_event::json::event_json;
use yagura_event::{Context, Dimension, EventBatch, EventId, Reference, SourceChoice, SpanFlags};
use yagura_parse::{Parser, RecordHeader};

/// The received time of all records: 2026-01-01T00:00:00Z.
pub const RECEIVED: i64 = 1_767_225_600_000_000;

pub static PARSER: LazyLock<Parser> = LazyLock::new(|| Parser::builtin().unwrap());

/// Parses one record by recognition.
pub fn parse(record: &[u8]) -> EventBatch {
    let mut batch = EventBatch::default();
    let context =
        Arc::new(Context::new("default", "test", SourceChoice::Auto, Reference::Received));
    parse_into(&context, record, &mut batch);
    batch
}

pub fn parse_into(context: &Arc<Context>, record: &[u8], batch: &mut EventBatch) {
    let head = RecordHeader {
        id: EventId::content(1, batch.events.len() as u64 + 1),
        received_time: RECEIVED,
        stream: 0,
        batch: 0,
        peer: "",
        position: 0,
    };
    PARSER.parse(context, &head, record, batch);
}

/// The source's name of event `index`.
pub fn source(batch: &EventBatch, index: usize) -> Option<&'static str> {
    PARSER.sources().name(batch.events[index].source)
}

/// The event as nested OCSF JSON.
pub fn json(batch: &EventBatch, index: usize) -> serde_json::Value {
    event_json(batch.event(index).unwrap(), PARSER.fields(), source(batch, index))
}

/// The JSON text at a pointer such as `/src_endpoint/ip`.
#[track_caller]
pub fn has(value: &serde_json::Value, pointer: &str, expect: serde_json::Value) {
    assert_eq!(value.pointer(pointer), Some(&expect), "{pointer} in {value:#}");
}

/// The record's own fields, sorted; without aliases and derived ones.
pub fn fields(batch: &EventBatch, index: usize) -> Vec<(String, String)> {
    let event = batch.event(index).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut all: Vec<_> = event
        .spans()
        .iter()
        .filter(|span| !span.flags.has(SpanFlags::ALIAS) && !span.flags.has(SpanFlags::DERIVED))
        .map(|span| (text(event.span_name(span, PARSER.fields())), text(event.span_value(span))))
        .collect();
    all.sort();
    all
}

/// Every value of a field, aliases among them.
pub fn values(batch: &EventBatch, index: usize, name: &str) -> Vec<String> {
    let event = batch.event(index).unwrap();
    event
        .spans()
        .iter()
        .filter(|span| event.span_name(span, PARSER.fields()) == name.as_bytes())
        .map(|span| String::from_utf8_lossy(event.span_value(span)).into_owned())
        .collect()
}

/// `product/service/category`, `-` where the source has none.
pub fn logsource(batch: &EventBatch, index: usize) -> String {
    let logsource = PARSER.sources().logsources().get(batch.events[index].logsource);
    let word = |dimension: &Dimension| match dimension {
        Dimension::None => "-".to_owned(),
        Dimension::Unknown => "?".to_owned(),
        Dimension::Known(word) => word.to_string(),
    };
    [&logsource.product, &logsource.service, &logsource.category].map(word).join("/")
}

/// The ties as `kind from -> to`, sorted.
pub fn relations(batch: &EventBatch, index: usize) -> Vec<String> {
    let mut all: Vec<_> = batch
        .event(index)
        .unwrap()
        .relations()
        .map(|r| format!("{} {} -> {}", r.kind.word(), r.from.value, r.to.value))
        .collect();
    all.sort();
    all
}

/// A file or folder of the shared data; `None` (said on stderr) where it is absent, which
/// fails under CI.
pub fn shared(path: &str) -> Option<PathBuf> {
    let full = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")).join(path);
    if full.exists() {
        return Some(full);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "shared data is absent: {path}");
    eprintln!("SKIPPED: shared data is absent: {path}");
    None
}

/// Unpacks a `.tar.zst` of the shared data; `None` where it is absent.
pub fn unpacked(archive: &str) -> Option<tempfile::TempDir> {
    let archive = shared(archive)?;
    let dir = tempfile::tempdir().unwrap();
    let status = Command::new("tar")
        .args(["--use-compress-program=zstd", "-xf"])
        .arg(&archive)
        .arg("-C")
        .arg(dir.path())
        .status()
        .expect("tar and zstd are installed");
    assert!(status.success(), "tar failed on {}", archive.display());
    Some(dir)
}

/// Every file below `dir` with this extension, sorted.
pub fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e.eq_ignore_ascii_case(extension)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
