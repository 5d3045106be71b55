//! The lake's threads: one takes rows, so that queries see them at once, while the other writes
//! data files.

use crate::pipeline::channel::{ByteChannel, Received};
use crate::pipeline::lakes::LakeConsumer;
use crate::pipeline::progress::Progress;
use crate::pipeline::run::{Delivered, RETRY, TURN};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;
use yagura_lake::{Flush, Flushed, LakeError};

/// How many flushes' worth of rows may be in memory while one is written; then the rows wait,
/// and with them the journal's reader.
const TAIL_FLUSHES_MAX: usize = 2;

/// The thread that writes data files, one flush at a time.
pub struct FileThread {
    todo: Option<Sender<Flush>>,
    done: Receiver<Flushed>,
    busy: bool,
    thread: Option<JoinHandle<()>>,
}

impl FileThread {
    /// Starts it.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start() -> std::io::Result<Self> {
        let (todo, work) = channel::<Flush>();
        let (finished, done) = channel();
        let body = move || {
            while let Ok(flush) = work.recv() {
                if finished.send(flush.write()).is_err() {
                    return;
                }
            }
        };
        let thread = Builder::new().name("lake-files".to_owned()).spawn(body)?;
        Ok(Self { todo: Some(todo), done, busy: false, thread: Some(thread) })
    }

    fn write(&mut self, flush: Flush) -> Result<(), LakeError> {
        let sent = self.todo.as_ref().is_some_and(|todo| todo.send(flush).is_ok());
        self.busy = sent;
        if sent { Ok(()) } else { Err(gone()) }
    }

    /// What has been written; waits for it if told so.
    fn written(&mut self, wait: bool) -> Result<Option<Flushed>, LakeError> {
        if !self.busy {
            return Ok(None);
        }
        let flushed = match wait {
            true => self.done.recv().map_err(|_| gone())?,
            false => match self.done.try_recv() {
                Ok(flushed) => flushed,
                Err(TryRecvError::Empty) => return Ok(None),
                Err(TryRecvError::Disconnected) => return Err(gone()),
            },
        };
        self.busy = false;
        Ok(Some(flushed))
    }
}

impl Drop for FileThread {
    fn drop(&mut self) {
        self.todo = None;
        if let Some(thread) = self.thread.take() {
            // What it wrote or failed to write has been told already.
            let _ = thread.join();
        }
    }
}

fn gone() -> LakeError {
    LakeError::Engine("the thread that writes data files has ended".to_owned())
}

/// Takes rows from the queue until it is closed and all is in the tables.
pub fn run_lake(
    mut lake: LakeConsumer,
    mut files: FileThread,
    queue: &ByteChannel<Arc<Delivered>>,
    progress: &Progress,
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
        if retry.is_some_and(|at| now < at) {
            continue;
        }
        retry = None;
        match turn(&mut lake, &mut files, progress, now) {
            Ok(()) => progress.lake_committed(lake.checkpoint()),
            Err(error) => {
                tracing::error!(%error, "writing the tables failed; trying again");
                progress.lake_trouble(&error.to_string());
                retry = Some(now + RETRY);
            }
        }
    }
    let ended = files
        .written(true)
        .and_then(|flushed| flushed.map_or(Ok(()), |flushed| lake.end_flush(flushed)))
        .or_else(|error| {
            // Its rows are still in the tail and are written again below.
            tracing::error!(%error, "writing the tables failed; trying again");
            Ok::<(), LakeError>(())
        })
        .and_then(|()| lake.flush());
    match ended {
        Ok(()) => progress.lake_committed(lake.checkpoint()),
        Err(error) => progress.fail(&format!("writing the tables at the end failed: {error}")),
    }
}

/// Commits what has been written and begins the next flush where one is due.
fn turn(
    lake: &mut LakeConsumer,
    files: &mut FileThread,
    progress: &Progress,
    now: Instant,
) -> Result<(), LakeError> {
    if let Some(flushed) = files.written(lake.full(TAIL_FLUSHES_MAX))? {
        lake.end_flush(flushed)?;
    }
    if files.busy {
        return Ok(());
    }
    let wanted = progress.take_flush_request();
    if let Some(flush) = lake.begin_flush(now, wanted)? {
        files.write(flush)?;
    }
    Ok(())
}
