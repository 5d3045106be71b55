//! A source's name and bytes: exactly one event for a record, every range within bounds, text
//! that is text, memory that the input pays for. Framers, event log files and containers too.

use super::{Target, beginning, containers, files, root};
use crate::mutate::mutate;
use std::sync::Arc;
use yagura_event::batch::Text;
use yagura_event::json::event_json;
use yagura_event::{
    Context, EventBatch, EventId, EventRef, FieldTable, Reference, Scalar, SourceChoice,
};
use yagura_parse::{Framer, Parser, RecordHeader};
use yagura_testkit::rng::Rng;

/// Memory a record may take beside its own bytes: names and values of as many fields as it may
/// have, and what a decoder writes anew.
const BATCH_BYTES_MAX: usize = 8 << 20;

/// Memory a record may take for each of its bytes: itself, a decoded copy, a JSON list of it,
/// a span of 40 bytes for each two.
const BATCH_BYTES_EACH: usize = 64;

/// Most records of one input that are parsed.
const RECORDS_MAX: u64 = 2_000;

/// The received time of all records: 2026-01-01T00:00:00Z.
const RECEIVED: i64 = 1_767_225_600_000_000;

/// `source name, line feed, bytes`.
pub struct Parse {
    parser: Parser,
    names: Vec<String>,
    seeds: Vec<Vec<u8>>,
    /// Per seed: the source whose sample it is, or `auto`.
    sources: Vec<String>,
    words: Vec<Vec<u8>>,
}

impl Parse {
    /// Begins with the samples of the sources, and event logs of the shared data where it is.
    ///
    /// # Errors
    /// If the built-in sources do not compile.
    pub fn new() -> anyhow::Result<Self> {
        let parser = Parser::builtin()?;
        let names = parser.sources().list().map(|source| source.name.to_owned()).collect();
        let mut made =
            Self { parser, names, seeds: Vec::new(), sources: Vec::new(), words: Vec::new() };
        made.samples()?;
        made.event_logs()?;
        Ok(made)
    }

    fn samples(&mut self) -> anyhow::Result<()> {
        for path in files(&root().join("sources")) {
            let bytes = beginning(&path)?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if path.extension().is_some_and(|e| e == "toml") {
                // Every quoted text of a definition: literals, field names, values, formats.
                let quoted = text.split('"').skip(1).step_by(2);
                let short = quoted.filter(|w| (1..60).contains(&w.len()));
                self.words.extend(short.map(|word| word.as_bytes().to_vec()));
                continue;
            }
            if path.to_string_lossy().ends_with(".expected.ndjson") {
                continue;
            }
            let folder = path.ancestors().nth(2).and_then(|p| p.file_name());
            let source = folder.map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            for line in text.lines() {
                self.seed(&source, line.as_bytes().to_vec());
            }
            for packed in containers::packed(&bytes[..bytes.len().min(6_000)]) {
                self.seed("auto", packed);
            }
            self.seed(&source, bytes);
        }
        self.words.sort();
        self.words.dedup();
        Ok(())
    }

    /// The smallest event logs of the shared data.
    fn event_logs(&mut self) -> anyhow::Result<()> {
        let archive = root().join("../shared/data/sigma/sigma-regression.tar.zst");
        if !archive.exists() {
            return Ok(());
        }
        let mut tar =
            tar::Archive::new(zstd::stream::read::Decoder::new(std::fs::File::open(archive)?)?);
        for entry in tar.entries()? {
            let mut entry = entry?;
            let evtx = entry.path()?.extension().is_some_and(|e| e == "evtx");
            if evtx && entry.size() <= 72_000 && self.seeds.len() < 4_000 {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut entry, &mut bytes)?;
                self.seed("windows_event", bytes);
                if self.sources.iter().filter(|s| *s == "windows_event").count() > 60 {
                    break;
                }
            }
        }
        Ok(())
    }

    fn seed(&mut self, source: &str, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.sources.push(source.to_owned());
            self.seeds.push(bytes);
        }
    }
}

impl Target for Parse {
    fn name(&self) -> &'static str {
        "parse"
    }

    fn make(&self, rng: &mut Rng) -> Vec<u8> {
        let at = rng.range(0, self.seeds.len() as u64 - 1) as usize;
        let source = match rng.range(0, 9) {
            0..=4 => "auto",
            5..=7 => self.sources[at].as_str(),
            8 => rng.pick(&self.names).as_str(),
            _ => "nobody",
        };
        let mut data = self.seeds[at].clone();
        mutate(&mut data, &self.words, &self.seeds, rng);
        [source.as_bytes(), b"\n", &data].concat()
    }

    fn run(&self, input: &[u8]) -> Result<(), String> {
        check(&self.parser, input)
    }
}

/// Reads `source name, line feed, bytes`: the bytes as one record, as a file, as a container.
///
/// # Errors
/// What is wrong with the events that came of them.
pub fn check(parser: &Parser, input: &[u8]) -> Result<(), String> {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let name = String::from_utf8_lossy(&input[..end]).into_owned();
    let bytes = input.get(end + 1..).unwrap_or_default();
    let choice = if name == "auto" { SourceChoice::Auto } else { SourceChoice::Named(name) };
    let context = Context::new("default", "fuzz", choice.clone(), Reference::Received);
    let context = Arc::new(context);
    let mut batch = EventBatch::default();
    record(parser, &context, bytes, &mut batch)?;
    let mut framer = Framer::new(bytes, &choice);
    let mut position = None;
    while let Some(frame) = framer.next_frame().map_err(|error| error.to_string())? {
        if frame.number > RECORDS_MAX {
            break;
        }
        let log = framer_is_log(bytes);
        if !log && position.is_some_and(|before| before >= frame.position) {
            return Err(format!("record {} begins before the one in front", frame.number));
        }
        if !log && frame.position as usize + frame.bytes.len() > bytes.len() {
            return Err(format!("record {} ends behind the input", frame.number));
        }
        position = Some(frame.position);
        record(parser, &context, frame.bytes, &mut batch)?;
    }
    containers::unpack(bytes)
}

fn framer_is_log(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).starts_with(b"ElfFile\0")
}

/// Parses one record and checks its event.
fn record(
    parser: &Parser,
    context: &Arc<Context>,
    bytes: &[u8],
    batch: &mut EventBatch,
) -> Result<(), String> {
    *batch = EventBatch::default();
    let head = RecordHeader {
        id: EventId::content(1, 1),
        received_time: RECEIVED,
        stream: 1,
        batch: 0,
        peer: "192.0.2.1:514",
        position: 0,
    };
    parser.parse(context, &head, bytes, batch);
    parser.event_time_with_year(context, bytes);
    if batch.events.len() != 1 {
        return Err(format!("{} events for one record", batch.events.len()));
    }
    let most = BATCH_BYTES_MAX + BATCH_BYTES_EACH * bytes.len();
    if batch.memory_bytes() > most {
        return Err(format!("{} bytes for a record of {}", batch.memory_bytes(), bytes.len()));
    }
    let event = batch.event(0).ok_or("no event")?;
    if event.original() != bytes {
        return Err("the raw record is not what was given".to_owned());
    }
    event_holds(&event, parser)
}

fn event_holds(event: &EventRef<'_>, parser: &Parser) -> Result<(), String> {
    let batch = event.batch();
    let fields: &FieldTable = parser.fields();
    let head = event.event();
    let text = |what: &str, text: Text| -> Result<(), String> {
        let end = u64::from(text.off) + u64::from(text.len);
        if end > batch.arena.len() as u64 {
            return Err(format!("{what} lies outside of the arena"));
        }
        match std::str::from_utf8(batch.bytes(text)) {
            Ok(_) => Ok(()),
            Err(_) => Err(format!("{what} is not UTF-8")),
        }
    };
    for span in event.spans() {
        let name = String::from_utf8_lossy(event.span_name(span, fields)).into_owned();
        text(&name, span.value)?;
        text("a name", span.name)?;
        let (raw, whole) = (span.raw, head.raw);
        let within = raw.off >= whole.off
            && u64::from(raw.off) + u64::from(raw.len)
                <= u64::from(whole.off) + u64::from(whole.len);
        if raw.len > 0 && !within {
            return Err(format!("`{name}` points outside of the raw record"));
        }
    }
    for (column, value) in event.values() {
        let path = column.column().path;
        match value {
            Scalar::Text(value) => text(path, *value)?,
            Scalar::Json(value) => {
                text(path, *value)?;
                serde_json::from_slice::<serde_json::Value>(batch.bytes(*value))
                    .map_err(|error| format!("{path} is not JSON: {error}"))?;
            }
            Scalar::F64(value) if !value.is_finite() => return Err(format!("{path} is {value}")),
            Scalar::I64(_) | Scalar::F64(_) | Scalar::Bool(_) => {}
        }
    }
    for issue in event.issues() {
        text("an issue", issue.detail)?;
    }
    if parser.sources().logsources().all().len() <= usize::from(head.logsource.0) {
        return Err("the logsource is none of the table's".to_owned());
    }
    let name = parser.sources().name(head.source);
    let json = event_json(*event, fields, name);
    serde_json::to_string(&json).map_err(|error| error.to_string())?;
    let _ = (event.observables(), event.relations().count());
    Ok(())
}
