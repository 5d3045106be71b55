//! One life of the data plane over a simulated file system, every part driven by hand.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use yagura::config::Config;
use yagura::engine::{Engine, Scratch};
use yagura::epochs::Epochs;
use yagura::node::JUDGE_FILE;
use yagura::node::assemble::{Site, assemble};
use yagura::pipeline::judge::JudgeConsumer;
use yagura::pipeline::lakes::LakeConsumer;
use yagura::pipeline::run::Parts;
use yagura::pipeline::split::{EngineOf, Splitter};
use yagura::pipeline::work::{Done, process};
use yagura_disk::{DiskGuard, Fs};
use yagura_event::{Lsn, Micros, SystemClock};
use yagura_journal::{Entry, Journal, JournalHandle, Options, Reader};
use yagura_lake::LakeHandle;
use yagura_meta::{JudgeBatch, JudgeStore};
use yagura_testkit::simfs::SimFs;

/// Long enough for every replaced file to be deleted.
const LATER: Duration = Duration::from_secs(24 * 3_600);

/// A planted fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mutant {
    None,
    /// Acknowledges before the bytes are durable.
    FileSync,
    /// Leaves out the sync of directories.
    DirSync,
    /// Stores the judge's position before its findings.
    JudgeFirst,
    /// Cuts the journal at what the lake has taken, not at what it has committed.
    CutEarly,
}

/// Both sets of rules, compiled once for all seeds.
pub type Engines = [Arc<Engine>; 2];

/// The consumers between the journal and their stores.
pub struct Line {
    journal: JournalHandle,
    reader: Reader,
    splitter: Splitter,
    scratch: Scratch,
    to_lake: VecDeque<Arc<Done>>,
    to_judge: VecDeque<Arc<Done>>,
    pub lake: LakeConsumer,
    pub judge: JudgeConsumer,
    pub view: LakeHandle,
    taken: Lsn,
    judged: Lsn,
    commits: u64,
    now: Micros,
    data: PathBuf,
}

impl Line {
    /// Restores both consumers from what `fs` and the judge's store in `data` hold.
    pub fn open(
        fs: &SimFs,
        data: &Path,
        journal: &JournalHandle,
        engines: &Engines,
        engine: &Arc<Engine>,
        history: &[(u64, u128)],
    ) -> Result<Self, String> {
        let shared: Arc<dyn Fs> = Arc::new(fs.clone());
        let config = Config::default();
        let known = engines.clone();
        let engine_of: EngineOf =
            Arc::new(move |hash| known.iter().find(|e| e.hash() == hash).cloned());
        // Nothing expires in this configuration, so the time of day does not matter.
        let (config, clock) = (&config, Arc::new(SystemClock));
        let guard = Arc::new(DiskGuard::new(Arc::clone(&shared), data, config.disk.limits()));
        let closed = Arc::default();
        let site =
            Site { fs: &shared, data, config, journal, engine, engine_of, guard, clock, closed };
        let (parts, view) = assemble(site, history).map_err(|e| format!("assemble: {e:#}"))?;
        let Parts { lake, judge, engine, engine_of, from, .. } = parts;
        Ok(Self {
            journal: journal.clone(),
            reader: journal.reader(Lsn(from.0 + 1)),
            splitter: Splitter::new(engine, engine_of),
            scratch: Scratch::default(),
            to_lake: VecDeque::new(),
            to_judge: VecDeque::new(),
            taken: lake.checkpoint(),
            judged: judge.checkpoint(),
            now: 0,
            commits: 0,
            lake,
            judge,
            view,
            data: data.to_owned(),
        })
    }

    /// Goes on reading in the journal of another life.
    pub fn attach(&mut self, journal: &JournalHandle) {
        self.reader = journal.reader(self.reader.next_lsn());
        self.journal = journal.clone();
    }

    /// Reads one chunk and queues what became of it; false at the journal's end.
    pub fn read(&mut self) -> Result<bool, String> {
        let Some(chunk) = self.reader.next_chunk().map_err(|e| format!("read: {e}"))? else {
            return Ok(false);
        };
        let mut works = Vec::new();
        self.splitter.split(&chunk, &mut |work| {
            works.push(work);
            true
        })?;
        for work in works {
            let done = process(work, &self.journal, &mut self.scratch);
            let done = Arc::new(done.map_err(|e| format!("process: {e}"))?);
            self.to_lake.push_back(Arc::clone(&done));
            self.to_judge.push_back(done);
        }
        Ok(true)
    }

    /// Hands the lake one result; false where none waits.
    pub fn lake_takes(&mut self) -> Result<bool, String> {
        let Some(done) = self.to_lake.pop_front() else { return Ok(false) };
        self.lake.apply(&done);
        self.taken = self.taken.max(done.last);
        Ok(true)
    }

    /// Hands the judge one result; false where none waits.
    pub fn judge_takes(&mut self) -> Result<bool, String> {
        let Some(done) = self.to_judge.pop_front() else { return Ok(false) };
        self.judge.apply(&done).map_err(|e| format!("judge: {e}"))?;
        (self.judged, self.now) = (self.judged.max(done.last), done.now);
        Ok(true)
    }

    pub fn flush(&mut self) -> Result<(), String> {
        self.lake.flush().map_err(|e| format!("flush: {e}"))
    }

    /// Makes files fewer where some are worth it, then deletes what was replaced. `begun`
    /// counts the rewrites.
    pub fn compact(&mut self, begun: &mut u64) -> Result<(), String> {
        let now = Instant::now();
        if let Some(rewrite) = self.lake.plan_rewrite(true) {
            *begun += 1;
            self.lake.end_rewrite(rewrite.write(), now).map_err(|e| format!("compact: {e}"))?;
        }
        self.lake.sweep(now + LATER).map(drop).map_err(|e| format!("sweep: {e}"))
    }

    pub fn commit(&mut self, last: bool, mutant: Mutant) -> Result<(), String> {
        if mutant == Mutant::JudgeFirst && self.judged > self.judge.checkpoint() {
            let early = JudgeBatch { lsn: self.judged, now: self.now, ..JudgeBatch::default() };
            let path = self.data.join(JUDGE_FILE);
            let mut store = JudgeStore::open(&path).map_err(|e| format!("mutant: {e}"))?;
            store.commit(&early).map_err(|e| format!("mutant: {e}"))?;
        }
        // Two of three leave incidents to a later one.
        self.commits += 1;
        let defer = !last && !self.commits.is_multiple_of(3);
        self.judge.commit(last, defer).map_err(|e| format!("commit: {e}"))
    }

    /// Cuts the journal at what no consumer needs any more.
    pub fn cut(&mut self, mutant: Mutant) -> Result<(), String> {
        let early = mutant == Mutant::CutEarly;
        let lake = if early { self.taken } else { self.lake.checkpoint() };
        let judge = if early { self.judged } else { self.judge.replay_from() };
        self.journal.cut(judge.min(lake)).map(drop).map_err(|e| format!("cut: {e}"))
    }

    /// Works off all that is durable and commits findings, as the start of a node does.
    pub fn catch_up(&mut self, mutant: Mutant) -> Result<(), String> {
        while self.read()? {}
        while self.lake_takes()? {}
        while self.judge_takes()? {}
        self.commit(false, mutant)
    }

    /// A reader of the judge's store.
    pub fn open_judge(&self) -> Result<JudgeStore, String> {
        JudgeStore::open_read_only(&self.data.join(JUDGE_FILE))
            .map_err(|e| format!("judge's store: {e}"))
    }
}

/// The journal with its line.
pub struct Plant {
    pub fs: SimFs,
    pub journal: Journal,
    pub line: Line,
    /// Epochs of the journal as (entry, hash).
    pub history: Vec<(u64, u128)>,
}

impl Plant {
    /// Starts as a process does: recovery, a new epoch if the rules are others, consumers.
    pub fn start(
        fs: &SimFs,
        data: &Path,
        options: &Options,
        engines: &Engines,
        engine: &Arc<Engine>,
        now: Micros,
    ) -> Result<Self, String> {
        let shared: Arc<dyn Fs> = Arc::new(fs.clone());
        let opened = Journal::open(Arc::clone(&shared), &data.join("journal"), options.clone());
        let (mut journal, _) = opened.map_err(|e| format!("open: {e}"))?;
        let epochs = Epochs::new(shared, data);
        let words = |e: anyhow::Error| format!("epochs: {e:#}");
        let mut history = epochs.history(&journal.handle()).map_err(words)?;
        let hash = u128::from_be_bytes(engine.hash());
        if history.last().map(|(_, hash)| *hash) != Some(hash) {
            let entry = Entry::Epoch { hash: engine.hash() };
            let lsn = journal.append(now, &entry).map_err(|e| format!("epoch: {e}"))?;
            journal.commit().map_err(|e| format!("epoch: {e}"))?;
            history.push((lsn.0, hash));
            epochs.write(&history).map_err(words)?;
        }
        let line = Line::open(fs, data, &journal.handle(), engines, engine, &history)?;
        Ok(Self { fs: fs.clone(), journal, line, history })
    }
}
