//! A channel's thread: one try at a time, and what came of it.

use crate::channel::{Channel, Failure, Transport};
use crate::error::RespondError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Sender, SyncSender, sync_channel};
use yagura_event::time::{MINUTE, Micros};
use yagura_meta::outbox::{Item, backoff};

/// Longest time that a try may take. A peer that answers byte by byte can exceed every wait for
/// an answer; beyond this the try counts as failed and its thread is left to itself.
pub(crate) const TRY_TIME_MAX: Micros = 2 * MINUTE;

/// Longest time that a channel rests after failures, whatever its notifications wait: a peer that
/// is back gets everything soon.
const REST_MAX: Micros = MINUTE;

/// What came of a try.
pub(crate) struct Done {
    pub(crate) channel: usize,
    /// Which thread of the channel's says so.
    pub(crate) thread: u64,
    pub(crate) id: String,
    pub(crate) result: Result<Option<String>, Failure>,
}

struct Job {
    item: Item,
    now: Micros,
}

/// A channel with its thread.
pub(crate) struct Lane {
    pub(crate) channel: Channel,
    index: usize,
    done: Sender<Done>,
    jobs: SyncSender<Job>,
    thread: u64,
    /// The notification in the thread's hands, and since when.
    busy: Option<(String, Micros)>,
    /// Failures since the last success.
    failures: u32,
    /// Nothing is tried before.
    pub(crate) rests_until: Micros,
}

impl Lane {
    /// Starts the thread.
    pub(crate) fn new(
        channel: Channel,
        index: usize,
        done: Sender<Done>,
    ) -> Result<Self, RespondError> {
        let jobs = spawn(&channel, index, 0, done.clone())?;
        let rests_until = Micros::MIN;
        Ok(Self { channel, index, done, jobs, thread: 0, busy: None, failures: 0, rests_until })
    }

    /// When the try must have ended that is under way.
    pub(crate) fn deadline(&self) -> Option<Micros> {
        self.busy.as_ref().map(|(_, since)| since.saturating_add(TRY_TIME_MAX))
    }

    /// Whether another try may begin.
    pub(crate) fn is_free(&self, now: Micros) -> bool {
        self.busy.is_none() && now >= self.rests_until
    }

    /// Begins a try.
    pub(crate) fn begin(&mut self, item: Item, now: Micros) {
        let id = item.id.clone();
        if self.jobs.try_send(Job { item, now }).is_ok() {
            self.busy = Some((id, now));
        } else {
            self.rest(now);
        }
    }

    /// Whether it is this try's end that is waited for.
    pub(crate) fn knows(&self, done: &Done) -> bool {
        self.thread == done.thread && self.busy.as_ref().is_some_and(|(id, _)| *id == done.id)
    }

    /// Takes note of a try's end, unless it was given up before.
    pub(crate) fn end(&mut self, done: &Done, now: Micros) {
        if !self.knows(done) {
            return;
        }
        self.busy = None;
        // What the peer refuses for good says nothing against the peer.
        if done.result.as_ref().is_err_and(|failure| !failure.permanent) {
            self.failures = self.failures.saturating_add(1);
            self.rest(now);
        } else {
            self.failures = 0;
        }
    }

    fn rest(&mut self, now: Micros) {
        self.rests_until = now.saturating_add(backoff(self.failures).min(REST_MAX));
    }

    /// Gives up a try that takes too long, with its thread.
    pub(crate) fn give_up(&mut self, now: Micros) -> Result<Option<Done>, RespondError> {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Ok(None);
        }
        let Some((id, _)) = &self.busy else { return Ok(None) };
        let failure = Failure::passing("the peer took longer than two minutes");
        let (channel, thread) = (self.index, self.thread);
        let done = Done { channel, thread, id: id.clone(), result: Err(failure) };
        self.jobs = spawn(&self.channel, self.index, self.thread + 1, self.done.clone())?;
        self.end(&done, now);
        self.thread += 1;
        Ok(Some(done))
    }
}

fn spawn(
    channel: &Channel,
    index: usize,
    thread: u64,
    done: Sender<Done>,
) -> Result<SyncSender<Job>, RespondError> {
    let (sender, jobs) = sync_channel::<Job>(1);
    let transport: Arc<dyn Transport> = Arc::clone(&channel.transport);
    let run = move || {
        for Job { item, now } in jobs {
            let tried = catch_unwind(AssertUnwindSafe(|| transport.send(&item, now)));
            let result = tried.unwrap_or_else(|_| Err(Failure::passing("the sender panicked")));
            if done.send(Done { channel: index, thread, id: item.id, result }).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name(format!("notify-{}", channel.name))
        .spawn(run)
        .map_err(|source| RespondError::Thread { channel: channel.name.clone(), source })?;
    Ok(sender)
}
