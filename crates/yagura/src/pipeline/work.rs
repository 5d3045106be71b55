//! One unit of work: consecutive journal entries, parsed and matched.

use crate::engine::{Engine, Scratch};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use yagura_event::{Context, ContextId, EventBatch, Lsn, Match, Micros, Relation};
use yagura_journal::{Chunk, Entry, JournalError, JournalHandle};
use yagura_parse::RecordHeader;

/// Most journal bytes of one unit; larger ones amortise more, smaller ones arrive sooner.
pub const WORK_BYTES_MAX: usize = 256 * 1024;

/// Consecutive entries of one chunk under one engine.
pub struct Work {
    /// Position in the order of dispatch.
    pub seq: u64,
    /// The entries.
    pub chunk: Chunk,
    /// Which of the chunk's entries.
    pub range: Range<usize>,
    /// Rules and sources in force.
    pub engine: Arc<Engine>,
    /// Credit held.
    pub bytes: usize,
}

/// A match with the position of its record.
pub struct Hit {
    /// The record's entry.
    pub lsn: Lsn,
    /// The match.
    pub found: Match,
    /// Whether the rule only feeds correlations, so that its matches are not stored.
    pub feeds_only: bool,
}

/// A tie of one record.
#[derive(Clone, Copy)]
pub struct Tie {
    /// The record's entry.
    pub lsn: Lsn,
    /// Which of the unit's relations.
    pub relation: u32,
}

/// What became of a [`Work`].
pub struct Done {
    /// Position in the order of dispatch.
    pub seq: u64,
    /// First and last entry of the work.
    pub first: Lsn,
    /// The last entry.
    pub last: Lsn,
    /// Received time of the last entry: the journal's clock.
    pub now: Micros,
    /// The events, one or more a record.
    pub batch: Arc<EventBatch>,
    /// The matches, in entry order.
    pub hits: Vec<Hit>,
    /// The distinct relations of the unit.
    pub relations: Vec<Relation>,
    /// The ties, in entry order.
    pub ties: Vec<Tie>,
    /// Control entries with position and received time.
    pub controls: Vec<(Lsn, Micros, Entry)>,
    /// Rules and sources in force.
    pub engine: Arc<Engine>,
    /// Credit held; given back when both consumers are done.
    pub bytes: usize,
}

/// Parses and matches the records of `work`. The outcome follows from the entries, their
/// contexts and the engine alone.
///
/// # Errors
/// Those of the journal: an entry that cannot be decoded, a context that is missing.
pub fn process(
    work: Work,
    journal: &JournalHandle,
    scratch: &mut Scratch,
) -> Result<Done, JournalError> {
    process_noting(work, journal, &|_| true, scratch)
}

/// As [`process`]; `at` is told each entry before it is parsed and again before it is matched,
/// and says false of one that must be stored unparsed.
///
/// # Errors
/// Those of [`process`].
pub fn process_noting(
    work: Work,
    journal: &JournalHandle,
    at: &dyn Fn(Lsn) -> bool,
    scratch: &mut Scratch,
) -> Result<Done, JournalError> {
    let Work { seq, chunk, range, engine, bytes } = work;
    let mut done = Done {
        seq,
        first: chunk.get(range.start).map(|e| e.lsn).unwrap_or_default(),
        last: Lsn(0),
        now: 0,
        batch: Arc::default(),
        hits: Vec::new(),
        relations: Vec::new(),
        ties: Vec::new(),
        controls: Vec::new(),
        engine: Arc::clone(&engine),
        bytes,
    };
    let mut batch = std::mem::take(&mut scratch.batch);
    batch.clear();
    // Neighbours mostly share their context.
    let mut last: Option<(ContextId, Arc<Context>)> = None;
    for index in range {
        let Some(entry) = chunk.get(index) else { break };
        (done.last, done.now) = (entry.lsn, entry.received);
        let Some(record) = entry.record()? else {
            done.controls.push((entry.lsn, entry.received, entry.entry()?));
            continue;
        };
        let context = match &last {
            Some((id, context)) if *id == record.context => context,
            _ => {
                let Some(context) = journal.context(record.context) else {
                    return Err(JournalError::ContextUnknown(record.context));
                };
                &last.insert((record.context, context)).1
            }
        };
        let header = RecordHeader {
            id: entry.event_id(0),
            received_time: entry.received,
            stream: record.stream,
            batch: record.batch,
            peer: record.peer,
            position: record.position,
        };
        if at(entry.lsn) {
            parse_guarded(&engine, context, &header, record.bytes, &mut batch);
        } else {
            yagura_parse::unparsed(context, &header, record.bytes, &mut batch);
        }
    }
    match_events(&engine, &batch, &mut done, at, scratch);
    done.batch = Arc::new(batch.take_settled());
    scratch.batch = batch;
    Ok(done)
}

/// Parses one record; should the parser panic, the record is stored unparsed and flagged.
pub(crate) fn parse_guarded(
    engine: &Engine,
    context: &Arc<yagura_event::Context>,
    header: &RecordHeader<'_>,
    bytes: &[u8],
    batch: &mut EventBatch,
) {
    let before = Marks::of(batch);
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        engine.parser().parse(context, header, bytes, batch);
    }));
    if parsed.is_err() {
        before.restore(batch);
        yagura_parse::unparsed(context, header, bytes, batch);
        tracing::error!(event = %header.id, "a parser panicked; the record is stored unparsed");
    }
}

/// Lengths of a batch's parts, to undo a half-written event.
struct Marks([usize; 7]);

impl Marks {
    fn of(b: &EventBatch) -> Self {
        Self([
            b.arena.len(),
            b.contexts.len(),
            b.events.len(),
            b.spans.len(),
            b.values.len(),
            b.relations.len(),
            b.issues.len(),
        ])
    }

    fn restore(&self, b: &mut EventBatch) {
        b.arena.truncate(self.0[0]);
        b.contexts.truncate(self.0[1]);
        b.events.truncate(self.0[2]);
        b.spans.truncate(self.0[3]);
        b.values.truncate(self.0[4]);
        b.relations.truncate(self.0[5]);
        b.issues.truncate(self.0[6]);
    }
}

fn match_events(
    engine: &Engine,
    batch: &EventBatch,
    done: &mut Done,
    at: &dyn Fn(Lsn) -> bool,
    scratch: &mut Scratch,
) {
    let mut known = std::mem::take(&mut scratch.relations);
    known.clear();
    for event in batch.iter() {
        let lsn = event.lsn();
        if at(lsn) {
            engine.match_event(event, scratch, |found, feeds_only| {
                done.hits.push(Hit { lsn, feeds_only, found });
            });
        }
        for span in event.relation_spans() {
            let relation = known.find(batch, span, &mut done.relations);
            done.ties.extend(relation.map(|relation| Tie { lsn: event.lsn(), relation }));
        }
    }
    scratch.relations = known;
}
