//! The pipeline's threads: dispatcher, workers, sequencer, lake and judge.

use crate::engine::{Engine, Scratch};
use crate::pipeline::channel::{ByteChannel, Credit, Received};
use crate::pipeline::disk::run_disk;
use crate::pipeline::erasure::Eraser;
use crate::pipeline::flight::Flight;
use crate::pipeline::flush::{FileThreads, run_lake};
use crate::pipeline::judge::JudgeConsumer;
use crate::pipeline::lakes::LakeConsumer;
use crate::pipeline::pace::Pace;
use crate::pipeline::progress::Progress;
use crate::pipeline::split::{EngineOf, Splitter};
use crate::pipeline::work::{Done, Work, process_noting};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};
use yagura_collect::closed::Closed;
use yagura_disk::DiskGuard;
use yagura_event::Lsn;
use yagura_journal::{Chunk, JournalHandle};

/// How long the dispatcher sleeps at the journal's end before it looks at the stop flag.
const IDLE: Duration = Duration::from_millis(50);

/// How often the consumers look at their own clocks.
pub(crate) const TURN: Duration = Duration::from_millis(50);

/// How long a consumer waits before it tries a failed write again.
pub(crate) const RETRY: Duration = Duration::from_secs(2);

/// A result on its way to both consumers; its credit returns when both have dropped it.
pub struct Delivered {
    /// The result.
    pub done: Done,
    credit: Arc<Credit>,
}

impl Drop for Delivered {
    fn drop(&mut self) {
        self.credit.release(self.done.bytes);
    }
}

/// What the threads are started with.
pub struct Parts {
    /// Looks at the disk.
    pub guard: Arc<DiskGuard>,
    /// The journal.
    pub journal: JournalHandle,
    /// The lake's consumer.
    pub lake: LakeConsumer,
    /// The judge's consumer.
    pub judge: JudgeConsumer,
    /// Rules and sources in force at `from`.
    pub engine: Arc<Engine>,
    /// Finds others.
    pub engine_of: EngineOf,
    /// The entry behind which to begin.
    pub from: Lsn,
    /// Parse workers, at least 1.
    pub workers: usize,
    /// Bytes of records in flight.
    pub inflight_bytes: usize,
    /// Between two commits of the judge; findings come sooner where that costs little.
    pub judge_interval: Duration,
    /// Tenants of whom nothing is taken.
    pub closed: Arc<Closed>,
}

/// The running threads.
pub struct Pipeline {
    threads: Vec<JoinHandle<()>>,
    progress: Arc<Progress>,
    credit: Arc<Credit>,
}

impl Pipeline {
    /// Starts the threads; `flight` has a slot for each worker.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(
        parts: Parts,
        flight: Arc<Flight>,
        progress: Arc<Progress>,
    ) -> std::io::Result<Self> {
        let credit = Arc::new(Credit::new(parts.inflight_bytes));
        let work = Arc::new(ByteChannel::new(parts.inflight_bytes));
        let results = Arc::new(ByteChannel::new(usize::MAX));
        let to_lake = Arc::new(ByteChannel::new(usize::MAX));
        let to_judge = Arc::new(ByteChannel::new(usize::MAX));
        let mut threads = Vec::new();
        let mut spawn = |name: &str, body: Box<dyn FnOnce() + Send>| {
            Builder::new().name(name.to_owned()).spawn(body).map(|thread| threads.push(thread))
        };
        let dispatcher = Dispatcher {
            journal: parts.journal.clone(),
            splitter: Splitter::new(parts.engine, parts.engine_of),
            credit: Arc::clone(&credit),
            work: Arc::clone(&work),
            progress: Arc::clone(&progress),
        };
        let from = parts.from;
        spawn("dispatcher", Box::new(move || dispatcher.run(from)))?;
        let left = Arc::new(std::sync::atomic::AtomicUsize::new(parts.workers));
        for number in 0..parts.workers {
            let (journal, work) = (parts.journal.clone(), Arc::clone(&work));
            let (results, progress) = (Arc::clone(&results), Arc::clone(&progress));
            let (left, flight) = (Arc::clone(&left), Arc::clone(&flight));
            spawn(
                &format!("worker-{number}"),
                Box::new(move || {
                    run_worker(number, &flight, &journal, &work, &results, &progress);
                    if left.fetch_sub(1, std::sync::atomic::Ordering::AcqRel) == 1 {
                        results.close();
                    }
                }),
            )?;
        }
        let sinks = [Arc::clone(&to_lake), Arc::clone(&to_judge)];
        let given = Arc::clone(&credit);
        spawn("sequencer", Box::new(move || run_sequencer(&results, &sinks, &given)))?;
        let (lake, lake_progress) = (parts.lake, Arc::clone(&progress));
        let (lake_guard, disk_guard) = (Arc::clone(&parts.guard), Arc::clone(&parts.guard));
        let files = FileThreads::start()?;
        spawn(
            "lake",
            Box::new(move || run_lake(lake, files, &to_lake, &lake_progress, &lake_guard)),
        )?;
        let (judge, judge_progress) = (parts.judge, Arc::clone(&progress));
        let (journal, interval) = (parts.journal, parts.judge_interval);
        let disk_journal = journal.clone();
        let eraser = Eraser::new(journal.clone(), parts.closed);
        spawn(
            "judge",
            Box::new(move || {
                run_judge(judge, eraser, &to_judge, &judge_progress, &journal, interval)
            }),
        )?;
        let disk_progress = Arc::clone(&progress);
        spawn("disk", Box::new(move || run_disk(&disk_guard, &disk_journal, &disk_progress)))?;
        Ok(Self { threads, progress, credit })
    }

    /// Bytes of records in flight, and how many there may be.
    pub fn in_flight(&self) -> (usize, usize) {
        (self.credit.used(), self.credit.max())
    }

    /// Works off what is durable, commits both consumers and ends the threads.
    pub fn stop(self) {
        self.progress.request_stop();
        for thread in self.threads {
            if thread.join().is_err() {
                self.progress.fail("a pipeline thread panicked");
            }
        }
    }
}

struct Dispatcher {
    journal: JournalHandle,
    splitter: Splitter,
    credit: Arc<Credit>,
    work: Arc<ByteChannel<Work>>,
    progress: Arc<Progress>,
}

impl Dispatcher {
    fn run(mut self, from: Lsn) {
        let mut reader = self.journal.reader(Lsn(from.0 + 1));
        loop {
            match reader.next_chunk() {
                Ok(Some(chunk)) => {
                    if !self.dispatch(&chunk) {
                        break;
                    }
                }
                Ok(None) if self.progress.stopping() => break,
                Ok(None) => {
                    let read = Lsn(reader.next_lsn().0 - 1);
                    self.journal.wait_durable_beyond(read, IDLE);
                }
                Err(error) => {
                    self.progress.fail(&format!("reading the journal failed: {error}"));
                    break;
                }
            }
        }
        self.work.close();
    }

    /// Hands out a chunk in pieces; false once nobody takes them.
    fn dispatch(&mut self, chunk: &Chunk) -> bool {
        let (credit, channel) = (&self.credit, &self.work);
        let handed = self.splitter.split(chunk, &mut |work| {
            let bytes = work.bytes;
            credit.reserve(bytes);
            channel.send(work, bytes).is_ok()
        });
        handed.unwrap_or_else(|error| {
            self.progress.fail(&error);
            false
        })
    }
}

fn run_worker(
    number: usize,
    flight: &Flight,
    journal: &JournalHandle,
    work: &ByteChannel<Work>,
    results: &ByteChannel<Done>,
    progress: &Progress,
) {
    let mut scratch = Scratch::default();
    while let Some(item) = work.receive() {
        let lsn_of = |index: usize| item.chunk.get(index).map(|e| e.lsn).unwrap_or_default();
        let (first, last) = (lsn_of(item.range.start), lsn_of(item.range.end.saturating_sub(1)));
        let unit = flight.unit(number, first, last);
        let processed = process_noting(item, journal, &|lsn| unit.at(lsn), &mut scratch);
        drop(unit);
        match processed {
            Ok(done) => {
                let bytes = done.bytes;
                if results.send(done, bytes).is_err() {
                    return;
                }
            }
            Err(error) => {
                progress.fail(&format!("a journal entry cannot be processed: {error}"));
                work.close();
                return;
            }
        }
    }
}

fn run_sequencer(
    results: &ByteChannel<Done>,
    sinks: &[Arc<ByteChannel<Arc<Delivered>>>; 2],
    credit: &Arc<Credit>,
) {
    let mut waiting: BTreeMap<u64, Done> = BTreeMap::new();
    let mut next = 0;
    while let Some(done) = results.receive() {
        waiting.insert(done.seq, done);
        while let Some(done) = waiting.remove(&next) {
            next += 1;
            let bytes = done.bytes;
            let delivered = Arc::new(Delivered { done, credit: Arc::clone(credit) });
            for sink in sinks {
                if sink.send(Arc::clone(&delivered), bytes).is_err() {
                    return;
                }
            }
        }
    }
    for sink in sinks {
        sink.close();
    }
}

fn run_judge(
    mut judge: JudgeConsumer,
    mut eraser: Eraser,
    queue: &ByteChannel<Arc<Delivered>>,
    progress: &Progress,
    journal: &JournalHandle,
    interval: Duration,
) {
    let mut pace = Pace::new(interval, Instant::now());
    loop {
        match queue.receive_timeout(TURN) {
            Received::Item(item) => {
                if let Err(error) = judge.apply(&item.done) {
                    progress.fail(&format!("the judge stopped: {error}"));
                    queue.close();
                    return;
                }
            }
            Received::Nothing => {}
            Received::Closed => break,
        }
        let began = Instant::now();
        let Some(turn) = pace.due(began, judge.waits()) else { continue };
        match judge.commit(false, turn.defer) {
            Ok(()) => {
                pace.committed(turn, began, Instant::now());
                if !turn.whole {
                    progress.findings_committed(judge.checkpoint());
                    continue;
                }
                eraser.close(&judge);
                progress.judge_committed(judge.checkpoint());
                cut(journal, progress, judge.replay_from());
                eraser.work(&mut judge, progress);
            }
            Err(error) => {
                tracing::error!(%error, "committing findings failed; trying again");
                pace.failed(began);
                std::thread::sleep(RETRY);
            }
        }
    }
    match judge.commit(true, false) {
        Ok(()) => {
            progress.judge_committed(judge.checkpoint());
            cut(journal, progress, judge.replay_from());
        }
        Err(error) => progress.fail(&format!("committing findings at the end failed: {error}")),
    }
}

/// Cuts the journal at what no consumer needs any more.
fn cut(journal: &JournalHandle, progress: &Progress, judge: Lsn) {
    if progress.journal_is_held() {
        return;
    }
    let below = judge.min(progress.lake_checkpoint());
    if let Err(error) = journal.cut(below) {
        tracing::error!(%error, "cutting the journal failed");
    }
}
