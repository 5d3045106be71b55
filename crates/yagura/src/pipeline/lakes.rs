//! The lake's side of the pipeline: rows into the tail, the tail into tables.

use crate::pipeline::expiry::Expiry;
use crate::pipeline::orders::{Order, Orders};
use crate::pipeline::work::Done;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};
use yagura_event::{Lsn, Match};
use yagura_journal::Entry;
use yagura_lake::{FILE_KEPT, Flush, Flushed, LakeError, LakeWriter, Reindex, Rewrite, Rewritten};

/// Live data files beyond which they are made fewer however busy the pipeline is: each commit
/// and each query costs a little for each.
const LIVE_FILES_MAX: usize = 2_000;

/// Takes results in order and decides when the tail is written out.
pub struct LakeConsumer {
    writer: LakeWriter,
    flush_bytes: usize,
    flush_interval: Duration,
    /// Since when rows have been waiting, `None` while there are none.
    waiting: Option<Instant>,
    /// The last flush failed: the next is due at once.
    failed: bool,
    applied: Lsn,
    expiry: Expiry,
    /// Tenants of whom everything from up to an entry is to go.
    erasing: BTreeMap<String, Lsn>,
    orders: Arc<Orders>,
    /// Who is to be told of the partition that is being parsed again.
    reparsing: Option<Sender<Result<(), String>>>,
}

impl LakeConsumer {
    /// A consumer over an open lake.
    pub fn new(
        writer: LakeWriter,
        flush_bytes: usize,
        flush_interval: Duration,
        expiry: Expiry,
    ) -> Self {
        let applied = writer.complete();
        let (waiting, failed) = (None, false);
        Self {
            writer,
            flush_bytes,
            flush_interval,
            waiting,
            failed,
            applied,
            expiry,
            erasing: BTreeMap::new(),
            orders: Arc::default(),
            reparsing: None,
        }
    }

    /// Where partitions that are to be parsed again are handed in.
    pub fn orders(&self) -> Arc<Orders> {
        Arc::clone(&self.orders)
    }

    /// Erases what there is of a tenant from up to an entry.
    pub fn erase(&mut self, tenant: &str, lsn: Lsn) {
        let upto = self.erasing.entry(tenant.to_owned()).or_default();
        *upto = lsn.max(*upto);
    }

    /// The entry up to which all tables are committed: a replay begins behind it.
    pub fn checkpoint(&self) -> Lsn {
        self.writer.complete()
    }

    /// The writer, for its view and counts.
    pub fn writer(&self) -> &LakeWriter {
        &self.writer
    }

    /// Takes one result; its rows are visible to queries on return. Rows the tables have
    /// already are passed over.
    pub fn apply(&mut self, done: &Done) {
        if !done.batch.events.is_empty() {
            self.writer.append_events(Arc::clone(&done.batch), done.engine.names());
        }
        let stored: Vec<(Lsn, Match)> = done
            .hits
            .iter()
            .filter(|hit| !hit.feeds_only)
            .map(|hit| (hit.lsn, hit.found.clone()))
            .collect();
        if !stored.is_empty() {
            self.writer.append_matches(stored);
        }
        for (lsn, _, entry) in &done.controls {
            if let Entry::Erase { tenant } = entry {
                self.erase(tenant.as_str(), *lsn);
            }
        }
        self.writer.advance(done.last);
        self.applied = done.last;
    }

    /// What to write out, if the tail is large or old enough or `wanted`. The caller writes it,
    /// on whatever thread, and hands it to [`Self::end_flush`].
    ///
    /// # Errors
    /// Those of the lake; the rows stay in the tail and the next call tries again.
    pub fn begin_flush(&mut self, now: Instant, wanted: bool) -> Result<Option<Flush>, LakeError> {
        if !wanted && !self.due(now) {
            return Ok(None);
        }
        let flush = self.writer.begin_flush()?;
        self.waiting = None;
        Ok(Some(flush).filter(|flush| !flush.is_empty()))
    }

    fn due(&mut self, now: Instant) -> bool {
        if self.writer.tail_rows() == 0 && self.checkpoint() == self.applied {
            self.waiting = None;
            return false;
        }
        let since = *self.waiting.get_or_insert(now);
        let erased = self.erasing.values().any(|lsn| self.checkpoint() < *lsn);
        self.failed || erased || now.duration_since(since) >= self.flush_interval || self.full(1)
    }

    /// Whether the tail holds `times` what a flush is to hold.
    pub fn full(&self, times: usize) -> bool {
        self.writer.tail_bytes() >= self.flush_bytes.saturating_mul(times)
    }

    /// Commits what has been written.
    ///
    /// # Errors
    /// Those of writing and of the lake; the rows stay in the tail.
    pub fn end_flush(&mut self, flushed: Flushed) -> Result<(), LakeError> {
        let ended = self.writer.end_flush(flushed);
        self.failed = ended.is_err();
        ended
    }

    /// What files to make one: where rows do not come in faster than they are taken, or `quiet`
    /// or not, where there are too many files.
    pub fn plan_rewrite(&mut self, quiet: bool) -> Option<Rewrite> {
        let due = quiet || self.writer.live_files() > LIVE_FILES_MAX;
        if due { self.writer.plan_rewrite() } else { None }
    }

    /// A day whose files are to be looked at for what is kept no longer, if it is time to.
    ///
    /// # Errors
    /// Those of the file system; the next call tries again.
    pub fn plan_expiry(&mut self, now: Instant) -> Result<Option<Rewrite>, LakeError> {
        let newest = self.writer.newest_day();
        let today = newest.and_then(|newest| self.expiry.today(now, newest));
        let Some(today) = today else { return Ok(None) };
        let planned = self.writer.plan_expiry(self.expiry.retention(), today)?;
        if planned.is_none() {
            self.expiry.pause(now);
        }
        Ok(planned)
    }

    /// Files to be looked at for rows of a tenant that is being erased.
    pub fn plan_erasure(&mut self) -> Option<Rewrite> {
        let at = self.writer.complete();
        let writer = &mut self.writer;
        let stored = self.erasing.iter().filter(|(_, lsn)| **lsn <= at);
        stored.map(|(tenant, _)| tenant).find_map(|tenant| writer.plan_erasure(tenant))
    }

    /// Ends the erasures of which no row is left; returns those of which nothing is. To be called
    /// once there is nothing to rewrite for them.
    ///
    /// # Errors
    /// Those of the lake; the next call tries again.
    pub fn finish_erasures(&mut self, now: Instant) -> Result<Vec<(String, Lsn)>, LakeError> {
        let at = self.writer.complete();
        let mut done = Vec::new();
        for (tenant, lsn) in self.erasing.iter().filter(|(_, lsn)| **lsn <= at) {
            if self.writer.finish_erasure(tenant, now)? {
                done.push((tenant.clone(), *lsn));
            }
        }
        self.erasing.retain(|tenant, _| done.iter().all(|(erased, _)| erased != tenant));
        Ok(done)
    }

    /// The partition that is to be parsed again, or whose sightings an earlier process left behind.
    pub fn plan_reparse(&mut self) -> Option<Rewrite> {
        if let Some(resight) = self.writer.plan_resight() {
            return Some(resight);
        }
        let Order { partition, with, done } = self.orders.take()?;
        match self.writer.plan_reparse(partition, with) {
            Ok(rewrite) => {
                self.reparsing = Some(done);
                Some(rewrite)
            }
            Err(with) => {
                self.orders.put(Order { partition, with, done });
                None
            }
        }
    }

    /// A data file whose index is to be made: what an earlier process left without.
    pub fn plan_index(&mut self, quiet: bool) -> Option<Reindex> {
        if quiet { self.writer.plan_index() } else { None }
    }

    /// Puts the new file in the place of the old ones.
    ///
    /// # Errors
    /// Those of writing and of the lake; no row is lost or doubled.
    pub fn end_rewrite(&mut self, done: Rewritten, now: Instant) -> Result<(), LakeError> {
        let ended = self.writer.end_rewrite(done, now);
        if let Some(told) = self.reparsing.take() {
            // Who asked may have gone.
            let _ = told.send(ended.as_ref().map(|_| ()).map_err(LakeError::to_string));
        }
        let records = ended?;
        if records > 0 {
            tracing::info!(records, "records were deleted that are kept no longer");
        }
        Ok(())
    }

    /// Deletes files that have been replaced long enough ago.
    ///
    /// # Errors
    /// Those of the file system; they are tried again.
    pub fn sweep(&mut self, now: Instant) -> Result<usize, LakeError> {
        self.writer.sweep(now, FILE_KEPT)
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
