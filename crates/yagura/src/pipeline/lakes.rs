//! The lake's side of the pipeline: rows into the tail, the tail into tables.

use crate::pipeline::work::Done;
use std::time::{Duration, Instant};
use yagura_event::{Lsn, Match};
use yagura_lake::{LakeError, LakeWriter, Names};

/// Takes results in order and decides when the tail is written out.
pub struct LakeConsumer {
    writer: LakeWriter,
    flush_bytes: usize,
    flush_interval: Duration,
    /// Since when rows have been waiting, `None` while there are none.
    waiting: Option<Instant>,
    applied: Lsn,
}

impl LakeConsumer {
    /// A consumer over an open lake.
    pub fn new(writer: LakeWriter, flush_bytes: usize, flush_interval: Duration) -> Self {
        let (events, matches) = writer.checkpoint();
        Self { writer, flush_bytes, flush_interval, waiting: None, applied: events.min(matches) }
    }

    /// The entry up to which both tables are committed: a replay begins behind it.
    pub fn checkpoint(&self) -> Lsn {
        let (events, matches) = self.writer.checkpoint();
        events.min(matches)
    }

    /// The writer, for its view and counts.
    pub fn writer(&self) -> &LakeWriter {
        &self.writer
    }

    /// Takes one result; its rows are visible to queries on return. Rows the tables have
    /// already are passed over.
    ///
    /// # Errors
    /// Those of the lake.
    pub fn apply(&mut self, done: &Done) -> Result<(), LakeError> {
        let sources = done.engine.source_names();
        let names = Names { fields: done.engine.fields(), sources };
        if !done.batch.events.is_empty() {
            self.writer.append_events(&done.batch, names)?;
        }
        let stored: Vec<(Lsn, Match)> = done
            .hits
            .iter()
            .filter(|hit| !hit.feeds_only)
            .map(|hit| (hit.lsn, hit.found.clone()))
            .collect();
        if !stored.is_empty() {
            self.writer.append_matches(&stored)?;
        }
        self.writer.advance(done.last);
        self.applied = done.last;
        Ok(())
    }

    /// Writes the tail out if it is large or old enough. Returns whether it did.
    ///
    /// # Errors
    /// Those of the lake; the rows stay in the tail and the next call tries again.
    pub fn flush_if_due(&mut self, now: Instant) -> Result<bool, LakeError> {
        if self.writer.tail_rows() == 0 && self.checkpoint() == self.applied {
            self.waiting = None;
            return Ok(false);
        }
        let since = *self.waiting.get_or_insert(now);
        let old = now.duration_since(since) >= self.flush_interval;
        if !old && self.writer.tail_bytes() < self.flush_bytes {
            return Ok(false);
        }
        self.flush()?;
        Ok(true)
    }

    /// Writes the tail out.
    ///
    /// # Errors
    /// Those of the lake.
    pub fn flush(&mut self) -> Result<(), LakeError> {
        self.writer.flush()?;
        self.waiting = None;
        Ok(())
    }
}
