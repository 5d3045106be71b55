//! Group commit: many producers submit, one thread writes and syncs once for all of them.

use crate::entry::Entry;
use crate::error::JournalError;
use crate::frame::EntryBuffer;
use crate::handle::JournalHandle;
use crate::log::Journal;
use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use yagura_event::time::SECOND;
use yagura_event::{Lsn, Micros};

/// Most bytes that one commit collects, so that the last producer's wait stays short. A
/// longer submission is committed alone.
pub const COMMIT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A received time that lies further back than this is a step of the clock and is noted;
/// less is the ordinary disorder of producers.
pub const CLOCK_STEP_NOTED: Micros = 2 * SECOND;

/// Between two tries on a full disk.
const FULL_PAUSE: Duration = Duration::from_millis(500);

/// The numbers a submission got, both inclusive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Committed {
    /// Number of its first entry.
    pub first: Lsn,
    /// Number of its last entry.
    pub last: Lsn,
}

/// A submission on its way.
pub struct Ticket(Receiver<Result<Committed, JournalError>>);

impl Ticket {
    /// Waits until the submission is durable.
    ///
    /// # Errors
    /// [`JournalError::Stopped`] if it did not become so.
    pub fn wait(self) -> Result<Committed, JournalError> {
        self.0.recv().unwrap_or_else(|_| Err(ended()))
    }
}

type Callback = Box<dyn FnOnce(Result<Committed, JournalError>) + Send>;

struct Submission {
    received: Micros,
    group: Arc<EntryBuffer>,
    done: Option<Callback>,
}

impl Submission {
    fn complete(mut self, result: Result<Committed, JournalError>) {
        if let Some(done) = self.done.take() {
            done(result);
        }
    }
}

impl Drop for Submission {
    /// Nobody waits for ever, whatever happens to the writer's thread.
    fn drop(&mut self) {
        if let Some(done) = self.done.take() {
            done(Err(ended()));
        }
    }
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Submission>,
    bytes: usize,
    closed: bool,
}

struct Inner {
    handle: JournalHandle,
    queue: Mutex<Queue>,
    queue_bytes_max: usize,
    work: Condvar,
    room: Condvar,
}

/// The thread-safe writing side. Share it by `Arc`; dropping it commits what is queued.
pub struct JournalWriter {
    inner: Arc<Inner>,
    thread: Option<JoinHandle<()>>,
}

impl JournalWriter {
    /// Starts the writer's thread. Submissions wait while `queue_bytes_max` bytes are queued.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(journal: Journal, queue_bytes_max: usize) -> io::Result<Self> {
        let inner = Arc::new(Inner {
            handle: journal.handle(),
            queue: Mutex::default(),
            queue_bytes_max,
            work: Condvar::new(),
            room: Condvar::new(),
        });
        let theirs = Arc::clone(&inner);
        let thread = std::thread::Builder::new()
            .name("journal-writer".to_owned())
            .spawn(move || theirs.run(journal))?;
        Ok(Self { inner, thread: Some(thread) })
    }

    /// The reading side.
    pub fn handle(&self) -> JournalHandle {
        self.inner.handle.clone()
    }

    /// Submits entries received at `received` as one group, kept whole or not at all. Blocks
    /// while the queue is full.
    ///
    /// # Errors
    /// [`JournalError::Stopped`], [`JournalError::Full`], [`JournalError::TooLarge`],
    /// [`JournalError::ContextUnknown`]; nothing was submitted then.
    pub fn submit(&self, received: Micros, entries: &[Entry]) -> Result<Ticket, JournalError> {
        let mut group = EntryBuffer::new();
        for entry in entries {
            group.push(entry)?;
        }
        self.submit_group(received, group)
    }

    /// As [`Self::submit`], of entries that are encoded already.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub fn submit_group(
        &self,
        received: Micros,
        group: impl Into<Arc<EntryBuffer>>,
    ) -> Result<Ticket, JournalError> {
        let (sender, receiver) = sync_channel(1);
        self.submit_with(received, group, move |result| {
            // Nobody may be waiting for it.
            let _ = sender.send(result);
        })?;
        Ok(Ticket(receiver))
    }

    /// As [`Self::submit_group`], with a call when the group is durable or has failed. It runs
    /// on the writer's thread and must be short. It is not called where this returns an error.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub fn submit_with(
        &self,
        received: Micros,
        group: impl Into<Arc<EntryBuffer>>,
        done: impl FnOnce(Result<Committed, JournalError>) + Send + 'static,
    ) -> Result<(), JournalError> {
        self.inner.enqueue(received, group.into(), Box::new(done), true)
    }

    /// As [`Self::submit_with`], but never blocks: for tasks on an async runtime.
    ///
    /// # Errors
    /// As [`Self::submit`], and [`JournalError::Busy`] while the queue is full.
    pub fn try_submit_with(
        &self,
        received: Micros,
        group: impl Into<Arc<EntryBuffer>>,
        done: impl FnOnce(Result<Committed, JournalError>) + Send + 'static,
    ) -> Result<(), JournalError> {
        self.inner.enqueue(received, group.into(), Box::new(done), false)
    }
}

impl Drop for JournalWriter {
    fn drop(&mut self) {
        self.inner.lock().closed = true;
        self.inner.work.notify_all();
        self.inner.room.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic there has completed every submission with an error.
            let _ = thread.join();
        }
    }
}

fn ended() -> JournalError {
    JournalError::Stopped("the journal's writer has ended".into())
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enqueue(
        &self,
        received: Micros,
        group: Arc<EntryBuffer>,
        done: Callback,
        wait: bool,
    ) -> Result<(), JournalError> {
        let shared = &self.handle.0;
        shared.check()?;
        if group.is_empty() {
            let last = shared.durable();
            done(Ok(Committed { first: Lsn(last.0 + 1), last }));
            return Ok(());
        }
        shared.check_contexts(&group.contexts)?;
        let bytes = group.bytes();
        shared.reserve(bytes as u64, group.records > 0)?;
        let full = |q: &Queue| !q.closed && q.bytes > 0 && q.bytes + bytes > self.queue_bytes_max;
        let mut queue = self.lock();
        if wait {
            let room = self.room.wait_while(queue, |q| full(q));
            queue = room.unwrap_or_else(PoisonError::into_inner);
        } else if full(&queue) {
            shared.release(bytes as u64);
            return Err(JournalError::Busy);
        }
        if queue.closed {
            shared.release(bytes as u64);
            return Err(ended());
        }
        queue.bytes += bytes;
        queue.waiting.push_back(Submission { received, group, done: Some(done) });
        self.work.notify_one();
        Ok(())
    }

    /// The next submissions for one commit; `None` when closed and everything is written.
    fn collect(&self) -> Option<Vec<Submission>> {
        let idle = |q: &mut Queue| q.waiting.is_empty() && !q.closed;
        let queue = self.work.wait_while(self.lock(), idle);
        let mut queue = queue.unwrap_or_else(PoisonError::into_inner);
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(next) = queue.waiting.front().map(|s| s.group.bytes()) {
            if !batch.is_empty() && bytes + next > COMMIT_BYTES_MAX {
                break;
            }
            bytes += next;
            batch.extend(queue.waiting.pop_front());
        }
        queue.bytes -= bytes;
        self.room.notify_all();
        (!batch.is_empty()).then_some(batch)
    }

    fn run(&self, mut journal: Journal) {
        let _closes = CloseOnExit(self);
        let mut stepped = false;
        while let Some(batch) = self.collect() {
            let bytes: usize = batch.iter().map(|s| s.group.bytes()).sum();
            let mut numbers = Vec::with_capacity(batch.len());
            for submission in &batch {
                numbers.push(append(&mut journal, submission, &mut stepped));
            }
            let committed = commit(&mut journal);
            self.handle.0.release(bytes as u64);
            for (submission, numbers) in batch.into_iter().zip(numbers) {
                let result = committed.clone().and(numbers);
                submission.complete(result);
            }
        }
    }
}

/// Commits, and tries again while the disk has no room: what was submitted has a right to it, and
/// new records are refused meanwhile.
fn commit(journal: &mut Journal) -> Result<Lsn, JournalError> {
    let handle = journal.handle();
    for _ in 0..handle.0.options.full_tries {
        match journal.commit() {
            Err(JournalError::DiskFull { .. }) => std::thread::sleep(FULL_PAUSE),
            done => return done,
        }
    }
    journal.commit().map_err(|error| match error {
        JournalError::DiskFull { .. } => handle.0.stop(&error.to_string()),
        error => error,
    })
}

/// Lets no producer wait for room that will not come, should the thread panic.
struct CloseOnExit<'a>(&'a Inner);

impl Drop for CloseOnExit<'_> {
    fn drop(&mut self) {
        let waiting = {
            let mut queue = self.0.lock();
            queue.closed = true;
            std::mem::take(&mut queue.waiting)
        };
        self.0.room.notify_all();
        drop(waiting);
    }
}

/// Appends one submission, and notes where the clock has stepped back.
fn append(
    journal: &mut Journal,
    submission: &Submission,
    stepped: &mut bool,
) -> Result<Committed, JournalError> {
    if let Some(reason) = journal.handle().stopped() {
        return Err(JournalError::Stopped(reason));
    }
    let before = journal.received();
    let first = journal.append_group(submission.received, &submission.group)?;
    let last = Lsn(first.0 + submission.group.len() - 1);
    let behind = before.saturating_sub(submission.received);
    if behind > CLOCK_STEP_NOTED && !*stepped {
        let note =
            format!("clock stepped back by {behind} microseconds; received time waits for it");
        journal.append(before, &Entry::Note(note))?;
    }
    *stepped = behind > CLOCK_STEP_NOTED;
    Ok(Committed { first, last })
}
