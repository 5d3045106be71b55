//! How long both engines take for the same events, in CPU time of the calling thread.

use crate::compare::Pair;
use crate::flat::Flat;
use rsigma_parser::LogSource;
use serde_json::Value;
use std::hint::black_box;
use std::sync::Arc;
use yagura_detect::{Hit, Scratch};
use yagura_event::time::SECOND;
use yagura_event::{Context, Dimension, EventBatch, EventId, Reference, SourceChoice};
use yagura_parse::RecordHeader;

/// Nanoseconds of CPU time per event, the least of the rounds.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Timing {
    /// Events a round.
    pub events: usize,
    /// Our matcher over parsed events.
    pub ours_match: f64,
    /// Our parser and matcher from raw records.
    pub ours_whole: f64,
    /// `rsigma-eval` over parsed events, strictly routed.
    pub peer_match: f64,
    /// `serde_json` and `rsigma-eval` from JSON text.
    pub peer_whole: f64,
    /// Matches of ours in a round.
    pub ours_matches: usize,
    /// Matches of the oracle in a round.
    pub peer_matches: usize,
}

/// Times both engines over raw records (each read by recognition), at least one round.
///
/// The oracle is given what our parser made of each record, as JSON without the raw line, and
/// its logsource, and routes strictly by it: rules that name a dimension which we leave open
/// are left out, so it meets no more rules than we do. `None` where the system does not tell a
/// thread's CPU time.
pub fn time(pair: &Pair, records: &[Vec<u8>], rounds: usize) -> Option<Timing> {
    let (parsed, given) = prepare(pair, records);
    let texts: Vec<String> = given.iter().map(|(json, _)| json.to_string()).collect();
    let mut timing = Timing { events: records.len(), ..Timing::default() };
    let mut scratch = Scratch::new();
    let least = |best: &mut f64, spent: u64| {
        let each = spent as f64 / records.len().max(1) as f64;
        *best = if *best == 0.0 { each } else { best.min(each) };
    };
    for _ in 0..rounds.max(1) {
        let begun = cpu_ns()?;
        timing.ours_matches = match_all(pair, &parsed, &mut scratch);
        least(&mut timing.ours_match, cpu_ns()? - begun);
        let begun = cpu_ns()?;
        black_box(parse_and_match(pair, records, &mut scratch));
        least(&mut timing.ours_whole, cpu_ns()? - begun);
        let begun = cpu_ns()?;
        let found = given.iter().map(|(json, ls)| pair.peer.count_strict(json, ls));
        timing.peer_matches = found.sum();
        least(&mut timing.peer_match, cpu_ns()? - begun);
        let begun = cpu_ns()?;
        for (text, (_, logsource)) in texts.iter().zip(&given) {
            let json: Value = serde_json::from_str(text).unwrap_or_default();
            black_box(pair.peer.count_strict(&json, logsource));
        }
        least(&mut timing.peer_whole, cpu_ns()? - begun);
    }
    Some(timing)
}

/// CPU time of the calling thread in nanoseconds, from the kernel's own count.
pub fn cpu_ns() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_ascii_whitespace().next()?.parse().ok()
}

fn prepare(pair: &Pair, records: &[Vec<u8>]) -> (EventBatch, Vec<(Value, LogSource)>) {
    let mut batch = EventBatch::default();
    parse_all(pair, records, &mut batch);
    let given = batch.iter().map(|event| {
        let flat = Flat::of(&event, pair.fields());
        let mut json = flat.json();
        if let Some(object) = json.as_object_mut() {
            object.retain(|name, _| !name.starts_with('\u{1}'));
        }
        let logsource = pair.logsource(flat.logsource);
        let name = |dimension: &Dimension| match dimension {
            Dimension::Known(name) => Some(name.to_string()),
            Dimension::None | Dimension::Unknown => None,
        };
        let logsource = LogSource {
            product: name(&logsource.product),
            service: name(&logsource.service),
            category: name(&logsource.category),
            ..LogSource::default()
        };
        (json, logsource)
    });
    let given = given.collect();
    (batch, given)
}

fn parse_all(pair: &Pair, records: &[Vec<u8>], batch: &mut EventBatch) {
    let context = Context::new("default", "oracle", SourceChoice::Auto, Reference::Received);
    let context = Arc::new(context);
    for (at, record) in records.iter().enumerate() {
        pair.parser.parse(&context, &head(at as u64 + 1), record, batch);
    }
}

fn match_all(pair: &Pair, batch: &EventBatch, scratch: &mut Scratch) -> usize {
    let mut hits: Vec<Hit> = Vec::new();
    let mut count = 0;
    for event in batch.iter() {
        hits.clear();
        pair.matcher.matches(event, scratch, &mut hits);
        count += hits.len();
    }
    count
}

fn parse_and_match(pair: &Pair, records: &[Vec<u8>], scratch: &mut Scratch) -> usize {
    const BATCH_RECORDS: usize = 1_000;
    let mut batch = EventBatch::default();
    let mut count = 0;
    for part in records.chunks(BATCH_RECORDS) {
        batch.clear();
        parse_all(pair, part, &mut batch);
        count += match_all(pair, &batch, scratch);
    }
    count
}

/// The header of a record without peer and place.
pub fn head(number: u64) -> RecordHeader<'static> {
    RecordHeader {
        id: EventId::content(1, number),
        received_time: 1_767_225_600 * SECOND,
        stream: 0,
        batch: 0,
        peer: "",
        position: 0,
    }
}
