//! The one door to the journal: groups of records with their counts, acknowledged together.

use crate::arrivals::Arrivals;
use crate::closed::Closed;
use std::sync::Arc;
use std::time::Duration;
use yagura_event::{Clock, Context, ContextId, Micros, TenantName};
use yagura_journal::{
    Committed, Count, CountKind, Entry, EntryBuffer, JournalError, JournalWriter, RecordRef, Ticket,
};

/// How long an input waits that found the journal full.
const FULL_WAIT: Duration = Duration::from_millis(500);

/// Why records were not taken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IntakeError {
    /// The journal refused or failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal's writer is gone: the process is stopping.
    #[error("the platform is stopping; send again after the restart")]
    Stopping,
    /// The tenant is being erased.
    #[error("everything of {0} is being erased; send again once that is done")]
    Erasing(TenantName),
}

/// A feed with the context its records are read in, stored in the journal.
#[derive(Clone, Debug)]
pub struct FeedContext {
    /// The owner.
    pub tenant: TenantName,
    /// The feed's name.
    pub feed: String,
    /// The stored context.
    pub context: ContextId,
}

/// Records of one feed that are acknowledged together, with their count of receipt.
///
/// The count goes in front of the records within one journal group, which is kept whole or
/// not at all: the books cannot disagree with the journal.
#[derive(Debug)]
pub struct Group<'a> {
    feed: &'a FeedContext,
    context: ContextId,
    peer: &'a str,
    batch: u64,
    records: EntryBuffer,
    count: u64,
    duplicates: u64,
    rejected: Vec<(String, u64)>,
    kernel_dropped: u64,
    extra: Vec<Entry>,
}

impl<'a> Group<'a> {
    /// An empty live group from `peer`.
    pub fn new(feed: &'a FeedContext, peer: &'a str) -> Self {
        Self::of_batch(feed, peer, 0)
    }

    /// An empty group of batch `batch`.
    pub fn of_batch(feed: &'a FeedContext, peer: &'a str, batch: u64) -> Self {
        Self {
            feed,
            context: feed.context,
            peer,
            batch,
            records: EntryBuffer::new(),
            count: 0,
            duplicates: 0,
            rejected: Vec::new(),
            kernel_dropped: 0,
            extra: Vec::new(),
        }
    }

    /// Adds a record of `stream` at `position`.
    ///
    /// # Errors
    /// [`JournalError::TooLarge`] for a record beyond the journal's own limit.
    pub fn push(&mut self, stream: u64, position: u64, bytes: &[u8]) -> Result<(), IntakeError> {
        self.push_from(self.peer, stream, position, bytes)
    }

    /// As [`Self::push`], of a record that `peer` sent, for groups of many senders.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn push_from(
        &mut self,
        peer: &str,
        stream: u64,
        position: u64,
        bytes: &[u8],
    ) -> Result<(), IntakeError> {
        self.records.push_record(RecordRef {
            tenant: self.feed.tenant.as_str(),
            feed: &self.feed.feed,
            context: self.context,
            stream,
            batch: self.batch,
            peer,
            position,
            bytes,
        })?;
        self.count += 1;
        Ok(())
    }

    /// The stored context of the records to come, of the same tenant and feed: a file's header
    /// lines changed.
    pub fn set_context(&mut self, context: ContextId) {
        self.context = context;
    }

    /// Counts records that were received and are known already; nothing is stored of them.
    pub fn duplicate(&mut self, records: u64) {
        self.duplicates += records;
    }

    /// Counts records that were received and refused for `reason`.
    pub fn reject(&mut self, reason: &str, records: u64) {
        self.rejected.push((reason.to_owned(), records));
    }

    /// Counts records that the kernel dropped before they could be read, beside the books.
    pub fn kernel_dropped(&mut self, records: u64) {
        self.kernel_dropped += records;
    }

    /// Adds a control entry after the records.
    pub fn control(&mut self, entry: Entry) {
        self.extra.push(entry);
    }

    /// Whether there is nothing to submit.
    pub fn is_empty(&self) -> bool {
        self.count == 0
            && self.duplicates == 0
            && self.kernel_dropped == 0
            && self.rejected.is_empty()
            && self.extra.is_empty()
    }

    /// Records in the group.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Bytes in the group.
    pub fn bytes(&self) -> usize {
        self.records.bytes()
    }

    /// The group as journal entries: records, then counts, then control entries. `hour` is that
    /// of receipt, in hours since 1970 UTC.
    ///
    /// # Errors
    /// [`JournalError::TooLarge`] for a control entry beyond the journal's limit.
    pub fn into_entries(self, hour: i64) -> Result<EntryBuffer, IntakeError> {
        let rejected_total: u64 = self.rejected.iter().map(|(_, n)| n).sum();
        let row = |kind, count| Count {
            tenant: self.feed.tenant.clone(),
            feed: self.feed.feed.clone(),
            hour,
            kind,
            count,
        };
        let mut counts =
            vec![row(CountKind::Received, self.count + self.duplicates + rejected_total)];
        if self.duplicates > 0 {
            counts.push(row(CountKind::Duplicate, self.duplicates));
        }
        for (reason, count) in &self.rejected {
            counts.push(row(CountKind::Rejected(reason.clone()), *count));
        }
        counts.push(row(CountKind::KernelDropped, self.kernel_dropped));
        counts.retain(|count| count.count > 0);
        let mut buffer = self.records;
        if !counts.is_empty() {
            buffer.push(&Entry::Counts(counts))?;
        }
        for entry in &self.extra {
            buffer.push(entry)?;
        }
        Ok(buffer)
    }
}

/// Submits groups to the journal with the time of receipt.
pub struct Intake {
    journal: Arc<JournalWriter>,
    clock: Arc<dyn Clock>,
    closed: Arc<Closed>,
    arrivals: Arrivals,
}

impl Intake {
    /// Intake into `journal`, stamped by `clock`.
    pub fn new(journal: Arc<JournalWriter>, clock: Arc<dyn Clock>) -> Self {
        Self { journal, clock, closed: Arc::default(), arrivals: Arrivals::default() }
    }

    /// The tenants of whom nothing is taken.
    pub fn closed(&self) -> &Arc<Closed> {
        &self.closed
    }

    /// What has arrived since the process began.
    pub fn arrivals(&self) -> &Arrivals {
        &self.arrivals
    }

    /// Stores the context of a feed and returns the feed.
    ///
    /// # Errors
    /// Those of the journal, and [`IntakeError::Erasing`].
    pub fn feed(&self, tenant: TenantName, context: &Context) -> Result<FeedContext, IntakeError> {
        let put = || self.journal.handle().put_context(context);
        let id = self.unless_closed(&tenant, put)??;
        Ok(FeedContext { tenant, feed: context.feed.clone(), context: id })
    }

    /// Submits a group and waits until it is durable, without blocking a runtime's thread.
    ///
    /// # Errors
    /// Those of the journal; then nothing of the group is stored.
    pub async fn submit(&self, group: Group<'_>) -> Result<Committed, IntakeError> {
        let (tenant, now, buffer) = self.stamp(group)?;
        self.submit_buffer(tenant, now, Arc::new(buffer)).await
    }

    async fn submit_buffer(
        &self,
        tenant: &TenantName,
        now: Micros,
        buffer: Arc<EntryBuffer>,
    ) -> Result<Committed, IntakeError> {
        let (journal, closed) = (Arc::clone(&self.journal), Arc::clone(&self.closed));
        let tenant = tenant.clone();
        let (done, wait) = tokio::sync::oneshot::channel();
        // The queue may be full: then this waits, and with it the sender.
        tokio::task::spawn_blocking(move || {
            let submitted = closed.unless(tenant.as_str(), || {
                journal.submit_with(now, buffer, move |result| {
                    // The caller may have gone away meanwhile.
                    let _ = done.send(result);
                })
            });
            submitted.ok_or(IntakeError::Erasing(tenant))
        })
        .await
        .map_err(|_| IntakeError::Stopping)???;
        Ok(wait.await.map_err(|_| IntakeError::Stopping)??)
    }

    /// As [`Self::submit`], but waits while the journal is full, and tells `waits` each time;
    /// `None` where `stopping` came first and nothing is stored.
    ///
    /// # Errors
    /// As [`Self::submit`], but for a full journal.
    pub async fn submit_waiting(
        &self,
        group: Group<'_>,
        stopping: &(dyn Fn() -> bool + Sync),
        waits: &mut (dyn FnMut(&JournalError) + Send),
    ) -> Result<Option<Committed>, IntakeError> {
        let (tenant, now, buffer) = self.stamp(group)?;
        let buffer = Arc::new(buffer);
        loop {
            match self.submit_buffer(tenant, now, Arc::clone(&buffer)).await {
                Err(IntakeError::Journal(error)) if error.is_full() => {
                    waits(&error);
                    if stopping() {
                        return Ok(None);
                    }
                    tokio::time::sleep(FULL_WAIT).await;
                }
                done => return done.map(Some),
            }
        }
    }

    /// Submits a group and blocks until it is durable.
    ///
    /// # Errors
    /// Those of the journal; then nothing of the group is stored.
    pub fn submit_blocking(&self, group: Group<'_>) -> Result<Committed, IntakeError> {
        Ok(self.begin(group)?.wait()?)
    }

    /// Submits a group without waiting for it; groups that one thread submits become durable in
    /// its order. Blocks while the journal's queue is full.
    ///
    /// # Errors
    /// Those of the journal; then nothing of the group is stored.
    pub fn begin(&self, group: Group<'_>) -> Result<Ticket, IntakeError> {
        let (tenant, now, buffer) = self.stamp(group)?;
        Ok(self.unless_closed(tenant, || self.journal.submit_group(now, buffer))??)
    }

    fn unless_closed<T>(
        &self,
        tenant: &TenantName,
        submit: impl FnOnce() -> T,
    ) -> Result<T, IntakeError> {
        let submitted = self.closed.unless(tenant.as_str(), submit);
        submitted.ok_or_else(|| IntakeError::Erasing(tenant.clone()))
    }

    /// Submits control entries of a tenant's as one group and blocks until they are durable.
    ///
    /// # Errors
    /// Those of the journal, and [`IntakeError::Erasing`].
    pub fn control_of(
        &self,
        tenant: &TenantName,
        entries: &[Entry],
    ) -> Result<Committed, IntakeError> {
        let buffer = buffer_of(entries)?;
        let submit = || self.journal.submit_group(self.clock.now(), buffer);
        Ok(self.unless_closed(tenant, submit)??.wait()?)
    }

    /// Submits control entries of their own and blocks until they are durable.
    ///
    /// # Errors
    /// Those of the journal.
    pub fn control(&self, entries: &[Entry]) -> Result<Committed, IntakeError> {
        Ok(self.journal.submit_group(self.clock.now(), buffer_of(entries)?)?.wait()?)
    }

    /// The clock that stamps receipt.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    fn stamp<'f>(
        &self,
        group: Group<'f>,
    ) -> Result<(&'f TenantName, Micros, EntryBuffer), IntakeError> {
        let (tenant, now) = (&group.feed.tenant, self.clock.now());
        self.arrivals.note(tenant, &group.feed.feed, group.count, now);
        Ok((tenant, now, group.into_entries(now.div_euclid(yagura_event::time::HOUR))?))
    }
}

fn buffer_of(entries: &[Entry]) -> Result<EntryBuffer, JournalError> {
    let mut buffer = EntryBuffer::new();
    entries.iter().try_for_each(|entry| buffer.push(entry))?;
    Ok(buffer)
}

/// A stream's number: a hash of what tells it apart.
pub fn stream_id(parts: &[&[u8]]) -> u64 {
    let id = yagura_event::FindingId::of(parts).0;
    (id >> 64) as u64
}
