//! Seeded simulation: power cuts and kills at numbered I/O operations lose nothing acknowledged.
//!
//! `YAGURA_SIM_SEEDS` sets the number of seeds. A failure prints its seed, which repeats it.
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use yagura_event::{Context, ContextId, Lsn, Reference, SourceChoice, TenantName};
use yagura_journal::{Entry, EntryBuffer, Journal, JournalHandle, Options, Record};
use yagura_testkit::rng::Rng;
use yagura_testkit::simfs::SimFs;

const SEEDS: u64 = 100;
const RECORDS: u64 = 5_000;
const DIR: &str = "data/journal";
/// Upper bound of a number that may be any.
const ANY: u64 = u64::MAX - 1;

/// What the world outside the journal knows.
struct Model {
    seed: u64,
    rng: Rng,
    options: Options,
    contexts: Vec<ContextId>,
    /// Records submitted so far; a record's content follows from its number.
    submitted: u64,
    /// Acknowledged: entry number -> record number.
    acknowledged: BTreeMap<u64, u64>,
    /// Buffered or in flight: (entry number, record number).
    in_flight: Vec<(u64, u64)>,
    /// Groups in flight: (first record, number of records).
    groups: Vec<(u64, u64)>,
    cut: u64,
    crashes: u64,
}

#[derive(Clone, Copy)]
enum Mutant {
    None,
    FileSync,
    DirSync,
}

impl Model {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let options = Options {
            segment_bytes_max: rng.range(4_000, 64_000),
            keep: rng.chance(30),
            ..Options::default()
        };
        let (contexts, acknowledged) = (Vec::new(), BTreeMap::new());
        let (in_flight, groups) = (Vec::new(), Vec::new());
        Self {
            seed,
            rng,
            options,
            contexts,
            submitted: 0,
            acknowledged,
            in_flight,
            groups,
            cut: 0,
            crashes: 0,
        }
    }

    fn record(&self, number: u64) -> Record {
        let mut rng = Rng::new(self.seed ^ number.wrapping_mul(0x1_0001));
        let len = if rng.chance(1) { rng.range(0, 9_000) } else { rng.range(0, 160) };
        Record {
            tenant: TenantName::default_tenant(),
            feed: "syslog".into(),
            context: ContextId::default(),
            stream: rng.range(0, ANY),
            batch: rng.range(0, 2),
            peer: "192.0.2.1:514".into(),
            position: number,
            bytes: (0..len).map(|i| (number + i) as u8).collect(),
        }
    }

    /// One life of the process: recover, check, then work until the end or the crash.
    fn live(&mut self, fs: &SimFs) -> Result<(), String> {
        let shared: Arc<SimFs> = Arc::new(fs.clone());
        let opened = Journal::open(shared, Path::new(DIR), self.options.clone());
        let (mut journal, _) = opened.map_err(|e| format!("open: {e}"))?;
        self.check(&journal.handle())?;
        while self.submitted < RECORDS {
            self.step(&mut journal).map_err(|e| format!("step: {e}"))?;
        }
        self.commit(&mut journal).map_err(|e| format!("commit: {e}"))?;
        self.check(&journal.handle())
    }

    fn step(&mut self, journal: &mut Journal) -> Result<(), yagura_journal::JournalError> {
        let handle = journal.handle();
        if self.contexts.is_empty() || self.rng.chance(1) {
            let name = format!("feed{}", self.rng.range(0, 19));
            let context = Context::new("default", &name, SourceChoice::Auto, Reference::Received);
            self.contexts.push(handle.put_context(&context)?);
        }
        if self.rng.chance(2) {
            let durable = handle.durable().0;
            let lsn = durable.saturating_sub(self.rng.range(0, 400));
            self.cut = self.cut.max(lsn);
            handle.cut(Lsn(lsn))?;
        }
        if self.rng.chance(1) {
            handle.request_rotation();
        }
        let received = self.submitted as i64 - self.rng.range(0, 50) as i64;
        let count = self.rng.range(1, 20);
        let mut group = EntryBuffer::new();
        let first = self.submitted;
        for number in first..first + count {
            let which = self.rng.range(1, self.contexts.len() as u64) as usize - 1;
            group.push(&Entry::Record(Record {
                context: self.contexts[which],
                ..self.record(number)
            }))?;
        }
        self.submitted += count;
        let lsn = journal.append_group(received, &group)?;
        self.in_flight.extend((0..count).map(|i| (lsn.0 + i, first + i)));
        self.groups.push((first, count));
        if self.rng.chance(70) {
            self.commit(journal)?;
        }
        Ok(())
    }

    fn commit(&mut self, journal: &mut Journal) -> Result<(), yagura_journal::JournalError> {
        journal.commit()?;
        self.acknowledged.extend(self.in_flight.drain(..));
        self.groups.clear();
        Ok(())
    }

    /// Reads everything and compares it with what was submitted and acknowledged.
    fn check(&mut self, handle: &JournalHandle) -> Result<(), String> {
        let mut found = BTreeMap::new();
        let mut reader = handle.reader_from_start();
        let first = reader.next_lsn().0;
        let (mut expected, mut newest, mut clock) = (first, None, i64::MIN);
        while let Some(chunk) = reader.next_chunk().map_err(|e| format!("read: {e}"))? {
            for view in chunk.iter() {
                let record = view.record().map_err(|e| e.to_string())?.ok_or("not a record")?;
                let number = record.position;
                ensure(view.lsn.0 == expected, || format!("entry {} at {expected}", view.lsn))?;
                ensure(view.received >= clock, || format!("time runs back at {}", view.lsn))?;
                ensure(number < self.submitted, || format!("record {number} was never submitted"))?;
                ensure(newest.is_none_or(|n| n < number), || format!("record {number} again"))?;
                ensure(handle.context(record.context).is_some(), || {
                    format!("no context {number}")
                })?;
                let want = self.record(number);
                let want = yagura_journal::RecordRef { context: record.context, ..want.as_ref() };
                ensure(record == want, || format!("record {number} differs"))?;
                found.insert(view.lsn.0, number);
                (expected, newest, clock) = (expected + 1, Some(number), view.received);
            }
        }
        ensure(expected == handle.durable().0 + 1, || "reader ends early".into())?;
        let start = if self.options.keep { 1 } else { self.cut + 1 };
        ensure(first <= start, || format!("journal begins at {first}, cut up to {}", self.cut))?;
        for (lsn, number) in self.acknowledged.range(first..) {
            let there = found.get(lsn);
            ensure(there == Some(number), || {
                format!("entry {lsn}: record {number} became {there:?}")
            })?;
        }
        for &(from, count) in &self.groups {
            let there = found.values().filter(|n| (from..from + count).contains(n)).count() as u64;
            ensure(there == 0 || there == count, || format!("{there} of group {from}+{count}"))?;
        }
        // What recovery hands out is as good as acknowledged: a later crash may not take it.
        self.acknowledged = found;
        self.in_flight.clear();
        self.groups.clear();
        Ok(())
    }
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

fn simulate(seed: u64, mutant: Mutant) -> Result<Model, String> {
    let mut model = Model::new(seed);
    let mut fs = SimFs::new();
    loop {
        // Some crashes come soon, which is during recovery.
        let soon = model.rng.chance(30);
        let operations = model.rng.range(1, if soon { 12 } else { 400 });
        fs.set_faults(|f| {
            f.crash_at = Some(operations);
            f.lie_about_file_sync = matches!(mutant, Mutant::FileSync);
            f.lie_about_dir_sync = matches!(mutant, Mutant::DirSync);
        });
        match model.live(&fs) {
            Ok(()) => break,
            Err(_) if fs.crashed() => model.crashes += 1,
            Err(error) => return Err(error),
        }
        let killed = model.rng.chance(25);
        let image = model.rng.range(0, ANY);
        fs = if killed { fs.killed_image() } else { fs.crash_image(image) };
    }
    let last = fs.crash_image(seed);
    model.live(&last).map(|()| model)
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled() {
    let seeds =
        std::env::var("YAGURA_SIM_SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(SEEDS);
    let (mut crashes, mut records) = (0, 0);
    for seed in 0..seeds {
        match simulate(seed, Mutant::None) {
            Ok(model) => {
                crashes += model.crashes;
                records += model.submitted;
            }
            Err(error) => panic!("seed {seed}: {error}"),
        }
    }
    println!("{seeds} seeds, {records} records, {crashes} crashes");
    assert!(crashes > seeds, "the simulation hardly crashed: {crashes}");
}

/// How many of 20 seeds notice a planted fault.
fn caught(mutant: Mutant) -> usize {
    let caught = (0..20).filter(|&seed| simulate(seed, mutant).is_err()).count();
    println!("{caught} of 20 seeds notice the planted fault");
    caught
}

#[test]
fn acknowledging_before_the_file_sync_is_caught() {
    assert!(caught(Mutant::FileSync) > 0);
}

#[test]
fn leaving_out_the_directory_sync_is_caught() {
    assert!(caught(Mutant::DirSync) > 0);
}
