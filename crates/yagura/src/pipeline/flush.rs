//! The lake's threads: one takes rows, so that queries see them at once; the others write data
//! files and make many small ones fewer.

use crate::pipeline::channel::{ByteChannel, Received};
use crate::pipeline::disk::make_room;
use crate::pipeline::lakes::LakeConsumer;
use crate::pipeline::progress::Progress;
use crate::pipeline::run::{Delivered, RETRY, TURN};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};
use yagura_disk::DiskGuard;
use yagura_lake::{Flush, Flushed, LakeError, Reindex, Rewrite, Rewritten};

/// How many flushes' worth of rows may be in memory while one is written; then the rows wait,
/// and with them the journal's reader.
const TAIL_FLUSHES_MAX: usize = 2;

/// How often files that could be made fewer, or be deleted, are looked for.
const HOUSEKEEPING: Duration = Duration::from_secs(5);

/// A thread that works off one job at a time.
struct Aside<I, O> {
    todo: Option<Sender<I>>,
    done: Receiver<O>,
    busy: bool,
    thread: Option<JoinHandle<()>>,
}

impl<I: Send + 'static, O: Send + 'static> Aside<I, O> {
    fn start(name: &str, work: fn(I) -> O) -> std::io::Result<Self> {
        let (todo, jobs) = channel::<I>();
        let (finished, done) = channel();
        let body = move || {
            while let Ok(job) = jobs.recv() {
                if finished.send(work(job)).is_err() {
                    return;
                }
            }
        };
        let thread = Builder::new().name(name.to_owned()).spawn(body)?;
        Ok(Self { todo: Some(todo), done, busy: false, thread: Some(thread) })
    }

    fn give(&mut self, job: I) -> Result<(), LakeError> {
        self.busy = self.todo.as_ref().is_some_and(|todo| todo.send(job).is_ok());
        if self.busy { Ok(()) } else { Err(gone()) }
    }

    /// What has been done; waits for it if told so.
    fn take(&mut self, wait: bool) -> Result<Option<O>, LakeError> {
        if !self.busy {
            return Ok(None);
        }
        let done = match wait {
            true => self.done.recv().map_err(|_| gone())?,
            false => match self.done.try_recv() {
                Ok(done) => done,
                Err(TryRecvError::Empty) => return Ok(None),
                Err(TryRecvError::Disconnected) => return Err(gone()),
            },
        };
        self.busy = false;
        Ok(Some(done))
    }
}

impl<I, O> Drop for Aside<I, O> {
    fn drop(&mut self) {
        self.todo = None;
        if let Some(thread) = self.thread.take() {
            // What it did or failed to do has been told already.
            let _ = thread.join();
        }
    }
}

fn gone() -> LakeError {
    LakeError::Engine("a thread that writes data files has ended".to_owned())
}

/// The threads beside the one that takes rows.
pub struct FileThreads {
    flushes: Aside<Flush, Flushed>,
    rewrites: Aside<Rewrite, Rewritten>,
    indexes: Aside<Reindex, Result<(), LakeError>>,
    housekeeping: Instant,
}

impl FileThreads {
    /// Starts them.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start() -> std::io::Result<Self> {
        Ok(Self {
            flushes: Aside::start("lake-files", Flush::write)?,
            rewrites: Aside::start("lake-compact", Rewrite::write)?,
            indexes: Aside::start("lake-index", Reindex::write)?,
            housekeeping: Instant::now(),
        })
    }
}

/// Takes rows from the queue until it is closed and all is in the tables.
pub fn run_lake(
    mut lake: LakeConsumer,
    mut files: FileThreads,
    queue: &ByteChannel<Arc<Delivered>>,
    progress: &Progress,
    guard: &DiskGuard,
) {
    let mut retry: Option<Instant> = None;
    loop {
        match queue.receive_timeout(TURN) {
            Received::Item(item) => {
                lake.apply(&item.done);
                progress.lake_applied(&item.done);
            }
            Received::Nothing => {}
            Received::Closed => break,
        }
        let now = Instant::now();
        if let Err(error) =
            keep_house(&mut lake, &mut files, progress, guard, queue.bytes() == 0, now)
        {
            tracing::warn!(%error, "making data files fewer failed; trying again");
        }
        if retry.is_some_and(|at| now < at) {
            continue;
        }
        retry = None;
        match turn(&mut lake, &mut files.flushes, progress, now) {
            Ok(()) => progress.lake_committed(lake.checkpoint()),
            Err(error) => {
                tracing::error!(%error, "writing the tables failed; trying again");
                progress.lake_trouble(&error.to_string());
                retry = (!make_room(guard)).then(|| now + RETRY);
            }
        }
    }
    let flushed = files.flushes.take(true).and_then(|done| match done {
        Some(flushed) => lake.end_flush(flushed),
        None => Ok(()),
    });
    if let Err(error) = flushed {
        // Its rows are still in the tail and are written again below.
        tracing::error!(%error, "writing the tables failed; trying again");
    }
    let mut ended = lake.flush();
    if ended.is_err() && make_room(guard) {
        ended = lake.flush();
    }
    match ended {
        Ok(()) => progress.lake_committed(lake.checkpoint()),
        Err(error) => progress.fail(&format!("writing the tables at the end failed: {error}")),
    }
}

/// Commits what has been written and begins the next flush where one is due.
fn turn(
    lake: &mut LakeConsumer,
    files: &mut Aside<Flush, Flushed>,
    progress: &Progress,
    now: Instant,
) -> Result<(), LakeError> {
    if let Some(flushed) = files.take(lake.full(TAIL_FLUSHES_MAX))? {
        lake.end_flush(flushed)?;
    }
    if files.busy {
        return Ok(());
    }
    let wanted = progress.take_flush_request();
    if let Some(flush) = lake.begin_flush(now, wanted)? {
        files.give(flush)?;
    }
    Ok(())
}

/// Makes data files fewer and deletes those that have been replaced.
fn keep_house(
    lake: &mut LakeConsumer,
    files: &mut FileThreads,
    progress: &Progress,
    guard: &DiskGuard,
    quiet: bool,
    now: Instant,
) -> Result<(), LakeError> {
    if let Some(done) = files.rewrites.take(false)? {
        lake.end_rewrite(done, now)?;
        // The next may follow at once.
        files.housekeeping = now;
    }
    if let Some(Err(error)) = files.indexes.take(false)? {
        // Queries do without it; the next start tries again.
        tracing::warn!(%error, "an index could not be made");
    }
    if !files.indexes.busy
        && guard.may_compact()
        && let Some(index) = lake.plan_index(quiet)
    {
        files.indexes.give(index)?;
    }
    if files.rewrites.busy || (now < files.housekeeping && !lake.orders().is_waiting()) {
        return Ok(());
    }
    files.housekeeping = now + HOUSEKEEPING;
    // Also where the disk is full: it makes room.
    if let Some(erasure) = lake.plan_erasure() {
        files.rewrites.give(erasure)?;
        return Ok(());
    }
    for (tenant, lsn) in lake.finish_erasures(now)? {
        progress.note_lake_erased(&tenant, lsn);
    }
    if guard.may_compact()
        && let Some(reparse) = lake.plan_reparse()
    {
        files.rewrites.give(reparse)?;
    } else if let Some(expiry) = lake.plan_expiry(now)? {
        files.rewrites.give(expiry)?;
    } else if guard.may_compact()
        && let Some(rewrite) = lake.plan_rewrite(quiet)
    {
        files.rewrites.give(rewrite)?;
    }
    lake.sweep(now).map(drop)
}
