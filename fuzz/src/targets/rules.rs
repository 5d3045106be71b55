//! The rule front end: whatever the bytes, rules or faults that say where; what loads compiles
//! and matches without a panic, in bounded time.

use super::{Target, beginning, files, root};
use crate::mutate::mutate;
use std::sync::Arc;
use yagura_detect::diagnostic::{Lines, render};
use yagura_detect::{Matcher, RULE_FILE_BYTES_MAX, RuleSet, Scratch};
use yagura_event::{
    ClassUid, Context, Event, EventBatch, EventId, FieldId, FieldTable, FieldTableBuilder,
    LogsourceId, LogsourceTable, Reference, SourceChoice, Span, SpanFlags, SpanType,
};
use yagura_testkit::rng::Rng;

/// Words of the rule language.
const WORDS: &[&str] = &[
    "|contains",
    "|startswith",
    "|endswith",
    "|all",
    "|re",
    "|re|i",
    "|re|m|s",
    "|cidr",
    "|base64",
    "|base64offset",
    "|utf16",
    "|utf16be",
    "|utf16le",
    "|wide",
    "|windash",
    "|exists",
    "|cased",
    "|neq",
    "|lt",
    "|lte",
    "|gt",
    "|gte",
    "|fieldref",
    "|expand",
    "|minute",
    "|hour",
    "|day",
    "|week",
    "|month",
    "|year",
    "|",
    "||",
    "condition: ",
    "not ",
    " and ",
    " or ",
    "1 of ",
    "all of ",
    "them",
    "2 of sel*",
    "0 of them",
    "1 of _*",
    "(((((((",
    "))))",
    "detection:\n",
    "logsource:\n",
    "correlation:\n",
    "  type: event_count\n",
    "  type: temporal_ordered\n",
    "  type: value_percentile\n",
    "  timespan: 1h\n",
    "  timespan: 99999999999d\n",
    "  group-by:\n",
    "  condition: {gte: 3}\n",
    "  rules: [a, b]\n",
    "filter:\n",
    "action: global\n",
    "action: repeat\n",
    "action: reset\n",
    "---\n",
    "--- x\n",
    "...\n",
    "&a ",
    "*a",
    "<<: *a\n",
    "!!binary ",
    "|\n",
    ">\n",
    "? ",
    "- ",
    "{}",
    "[]",
    "~",
    "'",
    "\"",
    "\\x41",
    "%who%",
    "[any]:",
    "[all].x",
    "[0]",
    "name: a\n",
    "id: a\n",
    "title: t\n",
    "level: high\n",
    "generate: true\n",
    "aliases:\n",
    "(?i)",
    "(a+)+$",
    "(a{1000}){1000}",
    "[^\\x00]*",
    "\\p{L}+",
    "(?P<x>",
    ".*.*.*x",
    "10.0.0.0/8",
    "::/0",
    "1/999",
    "sigma-version: 3\n",
    "product: ocsf\n",
    "\t",
    "# ",
    ": ",
    ":",
];

/// Values that the events have under each name a rule knows.
const VALUES: &[&str] = &[
    "",
    "powershell.exe -enc aGVsbG8= –x /y",
    "C:\\Windows\\System32\\cmd.exe",
    "4688",
    "10.1.2.3",
    "2026-11-22T03:04:05Z",
    "line\nbreak",
    "ſtraße Σς",
    "*?\\",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
];

/// Names given to an event; rules with more are tried with the first of them.
const NAMES_MAX: usize = 400;

/// Rule files.
pub struct Rules {
    seeds: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
}

impl Rules {
    /// Begins with our own rules, and with published ones of the shared data where it is.
    ///
    /// # Errors
    /// If a rule file cannot be read.
    pub fn new() -> anyhow::Result<Self> {
        let mut seeds = Vec::new();
        for path in files(&root().join("rules")) {
            if path.extension().is_some_and(|e| e == "yml") {
                seeds.push(beginning(&path)?);
            }
        }
        let archive = root().join("../shared/data/sigma/sigma-rules.tar.zst");
        if archive.exists() {
            let file = std::fs::File::open(archive)?;
            let mut tar = tar::Archive::new(zstd::stream::read::Decoder::new(file)?);
            for (at, entry) in tar.entries()?.enumerate() {
                let mut entry = entry?;
                // Every seventh is enough to begin with: they are much alike.
                if at.is_multiple_of(7) && entry.path()?.extension().is_some_and(|e| e == "yml") {
                    let mut bytes = Vec::new();
                    std::io::Read::read_to_end(&mut entry, &mut bytes)?;
                    seeds.push(bytes);
                }
            }
        }
        let words = WORDS.iter().map(|word| word.as_bytes().to_vec()).collect();
        Ok(Self { seeds, words })
    }
}

impl Target for Rules {
    fn name(&self) -> &'static str {
        "rules"
    }

    fn make(&self, rng: &mut Rng) -> Vec<u8> {
        let mut data = rng.pick(&self.seeds).clone();
        if rng.chance(20) {
            data.extend_from_slice(b"\n---\n");
            data.extend_from_slice(rng.pick(&self.seeds).as_slice());
        }
        mutate(&mut data, &self.words, &self.seeds, rng);
        data
    }

    fn run(&self, input: &[u8]) -> Result<(), String> {
        check(input)
    }
}

/// Loads the bytes as a rule file, compiles what there is, and matches events against it.
///
/// # Errors
/// What is wrong with the faults told.
pub fn check(input: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(input).into_owned();
    let shown = Lines::new(&text);
    let lines = text.lines().count() as u32 + 1;
    let set = RuleSet::load([("fuzz.yml".to_owned(), text.clone())]);
    for error in &set.errors {
        if error.code.is_empty() || error.line == 0 || error.message.is_empty() {
            return Err(format!("a fault without code, line or message: {error:?}"));
        }
        if error.line > lines && text.len() <= RULE_FILE_BYTES_MAX {
            return Err(format!("line {} of {lines}: {error:?}", error.line));
        }
        let _ = render(error, &shown);
    }
    let mut builder = FieldTableBuilder::default();
    set.intern_fields(&mut builder);
    let fields = builder.build();
    let matcher = Matcher::compile(&set, &fields, &LogsourceTable::default(), &[]);
    let (mut scratch, mut hits) = (Scratch::new(), Vec::new());
    for shift in 0..VALUES.len() {
        let batch = event(&fields, shift);
        let event = batch.event(0).ok_or("no event")?;
        hits.clear();
        matcher.matches(event, &mut scratch, &mut hits);
        for hit in &hits {
            let found = matcher.build_match(event, hit, "fuzz", &mut scratch);
            if set.get(hit.rule).is_none_or(|info| info.id != found.rule) {
                return Err(format!("a match of no rule: {found:?}"));
            }
        }
    }
    Ok(())
}

/// An event with a value under each name, another for each `shift`.
fn event(fields: &FieldTable, shift: usize) -> EventBatch {
    let mut batch = EventBatch::default();
    let context = Context::new("default", "fuzz", SourceChoice::Auto, Reference::Received);
    batch.push_context(&Arc::new(context));
    let raw = batch.push_text(VALUES.join(" ").as_bytes());
    let names = fields.len().min(NAMES_MAX);
    for at in 0..names {
        let text = VALUES[(at + shift) % VALUES.len()];
        let value = batch.push_text(text.as_bytes());
        let kind = match (at + shift) % 7 {
            0 => SpanType::Null,
            1 => SpanType::Number,
            2 => SpanType::Bool,
            _ => SpanType::String,
        };
        let (name, flags) = (Default::default(), SpanFlags::default());
        let field = FieldId(at as u32);
        batch.spans.push(Span { field, name, value, raw: Default::default(), kind, flags });
    }
    batch.events.push(Event {
        id: EventId::content(1, 1),
        context: 0,
        time: 1_000_000,
        received_time: 1_000_000,
        class: ClassUid::BASE,
        source: 0,
        logsource: LogsourceId(0),
        raw,
        original: Default::default(),
        spans: 0..names as u32,
        values: 0..0,
        relations: 0..0,
        issues: 0..0,
        stream: 1,
        batch: 0,
    });
    batch
}
