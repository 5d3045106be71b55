//! Rules and judgement over files in one go, in memory: what an `ingest` of them would find.
//!
//! For tests and small scans. It keeps every match and tie, which the pipeline never does.

use crate::cli::offline::{framer, hash_of, header};
use crate::engine::{Engine, Scratch};
use crate::inputs::Input;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use yagura_detect::correlate::{BatchCorrelator, Limits};
use yagura_event::time::{DAY, HOUR};
use yagura_event::{
    Charset, Context, EventBatch, Finding, Level, Lsn, Match, Micros, Observable, Reference,
    RelationKind, SourceChoice,
};
use yagura_parse::{Contexts, Frame};
use yagura_verdict::{Candidate, Graph, Item, Tie, candidates};

/// Why files could not be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What may be chosen.
#[derive(Clone, Debug)]
pub struct Options {
    /// The source of all records.
    pub source: SourceChoice,
    /// No event time is later than a day after this: what claims to be is no reference for
    /// stamps without a year.
    pub now: Micros,
    /// Added to the time of every event after it was read, in microseconds.
    pub shift: Micros,
}

impl Options {
    /// Recognised sources and times as they are, read at `now`.
    pub fn at(now: Micros) -> Self {
        Self { source: SourceChoice::Auto, now, shift: 0 }
    }
}

/// What was read and matched.
#[derive(Clone, Default, Debug)]
pub struct Reading {
    /// Records framed.
    pub records: u64,
    /// Events parsed.
    pub events: u64,
    /// Matches, of rules that only feed correlations, too.
    pub matches: Vec<Match>,
    /// Relations, one a pair, kind and hour, as the pipeline stores them.
    pub ties: Vec<Tie>,
}

/// What came of it.
#[derive(Debug)]
pub struct Evaluation {
    /// Findings, sorted by (first time, id).
    pub findings: Vec<Finding>,
    /// The incidents among them.
    pub candidates: Vec<Candidate>,
}

type TieKey = (RelationKind, Observable, Observable, i64);

/// Reads and matches the inputs.
///
/// # Errors
/// [`EvaluateError`] for the first file that cannot be read.
pub fn read(
    engine: &Engine,
    inputs: &[Input],
    options: &Options,
) -> Result<Reading, EvaluateError> {
    let reference = newest(engine, inputs, options)?.unwrap_or(options.now);
    let mut reading = Reading::default();
    let mut ties: BTreeMap<TieKey, Tie> = BTreeMap::new();
    let mut scratch = Scratch::default();
    let mut batch = EventBatch::default();
    for input in inputs {
        let mut context =
            Context::new("default", "ingest", options.source.clone(), Reference::At(reference));
        context.path.clone_from(&input.relative);
        context.host.clone_from(&input.host);
        context.user.clone_from(&input.user);
        let stream = hash_of(&input.relative);
        frames(engine, input, options, context, |context, frame| {
            batch.clear();
            let head = header(stream, frame.number, frame.position, reference);
            engine.parser().parse(context, &head, frame.bytes, &mut batch);
            reading.records += 1;
            take(engine, &batch, options.shift, &mut scratch, &mut reading, &mut ties);
        })?;
    }
    reading.ties = ties.into_values().collect();
    Ok(reading)
}

fn frames(
    engine: &Engine,
    input: &Input,
    options: &Options,
    context: Context,
    mut each: impl FnMut(&Arc<Context>, &Frame<'_>),
) -> Result<(), EvaluateError> {
    let wrong = |source| EvaluateError::Io { path: input.path.clone(), source };
    let (file, _) = input.open().map_err(wrong)?;
    let mut contexts = Contexts::new(context);
    let mut framer = framer(engine, file, &options.source, Charset::Auto);
    while let Some(frame) = framer.next_frame().map_err(wrong)? {
        each(contexts.of(&frame), &frame);
    }
    Ok(())
}

/// The newest event time with a year.
fn newest(
    engine: &Engine,
    inputs: &[Input],
    options: &Options,
) -> Result<Option<Micros>, EvaluateError> {
    let at = Reference::At(options.now);
    let context = Context::new("default", "ingest", options.source.clone(), at);
    let mut newest = None;
    for input in inputs {
        frames(engine, input, options, context.clone(), |context, frame| {
            let time = engine.parser().event_time_with_year(context, frame.bytes);
            newest = newest.max(time.filter(|t| *t <= options.now + DAY));
        })?;
    }
    Ok(newest)
}

fn take(
    engine: &Engine,
    batch: &EventBatch,
    shift: Micros,
    scratch: &mut Scratch,
    reading: &mut Reading,
    ties: &mut BTreeMap<TieKey, Tie>,
) {
    for event in batch.iter() {
        reading.events += 1;
        let head = event.event();
        let time = head.time + shift;
        engine.match_event(event, scratch, |mut found, _| {
            found.time = time;
            reading.matches.push(found);
        });
        for relation in event.relations() {
            let hour = time.div_euclid(HOUR);
            let key = (relation.kind, relation.from.clone(), relation.to.clone(), hour);
            let tie = ties.entry(key).or_insert_with(|| Tie {
                kind: relation.kind,
                from: relation.from.clone(),
                to: relation.to.clone(),
                first: time,
                last: time,
                count: 0,
            });
            tie.first = tie.first.min(time);
            tie.last = tie.last.max(time);
            tie.count += 1;
        }
    }
}

/// Correlates and judges what was read, as one batch.
pub fn judge(engine: &Engine, readings: Vec<Reading>) -> Evaluation {
    let (mut matches, mut ties) = (Vec::new(), Vec::new());
    for reading in readings {
        matches.extend(reading.matches);
        ties.extend(reading.ties);
    }
    matches.sort_by(|a, b| (a.time, a.event, &a.rule).cmp(&(b.time, b.event, &b.rule)));
    let mut correlator = BatchCorrelator::new(Arc::clone(engine.plan()), Limits::default(), Lsn(1));
    for found in &matches {
        correlator.push(found);
    }
    let findings = correlator.finish().findings;
    let items: Vec<Item<'_>> = findings
        .iter()
        .filter(|f| f.level > Level::Informational)
        .map(|finding| Item { finding, first_lsn: finding.lsn })
        .collect();
    let candidates = candidates(&items, &Graph::new(&ties));
    Evaluation { findings, candidates }
}

/// Reads, matches, correlates and judges the inputs.
///
/// # Errors
/// Those of [`read`].
pub fn evaluate(
    engine: &Engine,
    inputs: &[Input],
    options: &Options,
) -> Result<Evaluation, EvaluateError> {
    Ok(judge(engine, vec![read(engine, inputs, options)?]))
}
