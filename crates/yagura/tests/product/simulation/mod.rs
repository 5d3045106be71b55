//! Seeded simulation of the whole data plane: journal, parse, match, lake, judge and batches
//! in one thread, with power cuts and kills at numbered I/O operations.
//!
//! Beside the line that crashes runs one that never does, over the same journal. In the end
//! both must hold the same rows, findings and incidents to the byte, and the senders find
//! every record they were promised exactly once. SQLite is trusted at its commits, so the
//! judge's file is a real one; the tests that kill the real process cover it.
//!
//! `YAGURA_SIM_SEEDS` sets the number of seeds. A failure prints its seed, which repeats it.
mod client;
mod faults;
mod plant;

use client::{Client, Promise};
use faults::{Counts, KINDS, Plan};
use plant::{Engines, Line, Mutant, Plant};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;
use yagura::engine::Engine;
use yagura::rules;
use yagura_detect::RuleSet;
use yagura_event::TenantScope;
use yagura_journal::Options;
use yagura_lake::{LakeView, SqlLimits, output, run_sql};
use yagura_meta::BookKind;
use yagura_parse::Sources;
use yagura_testkit::rng::Rng;
use yagura_testkit::simfs::SimFs;

const SEEDS: u64 = 300;
const RECORDS: u64 = 1_200;

/// A rule that only the second epoch has.
const LATER: &str = "title: A root log-on by password
id: 5a3ce4c0-7e44-4b0b-9a57-1f2f3f1f8d10
logsource: {product: linux, service: sshd}
detection:
  words: ['Accepted password for root']
  condition: words
level: high
";

static ENGINES: LazyLock<Engines> = LazyLock::new(|| {
    let (files, errors) = rules::collect(true, None, &[]);
    assert!(errors.is_empty());
    let engine = |files| {
        let set = RuleSet::load(files);
        assert!(set.errors.is_empty());
        Arc::new(Engine::new(Arc::new(Sources::builtin().unwrap()), Arc::new(set)))
    };
    let mut more = files.clone();
    more.push(("later.yml".to_owned(), LATER.to_owned()));
    [engine(files), engine(more)]
});

/// What a seed did.
#[derive(Default)]
struct Report {
    records: u64,
    /// Crashes by the part of the data directory in which they came.
    crashes: BTreeMap<String, u64>,
    /// Faults and oddities by kind.
    faults: Counts,
    findings: usize,
}

impl Report {
    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.findings += other.findings;
        for (part, count) in other.crashes {
            *self.crashes.entry(part).or_default() += count;
        }
        for (kind, count) in other.faults {
            *self.faults.entry(kind).or_default() += count;
        }
    }
}

/// A folder for the judge's files, in memory where the system has such a place.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.unwrap()
}

struct World {
    rng: Rng,
    mutant: Mutant,
    /// The present life has not caught up yet.
    recovering: bool,
    options: Options,
    client: Client,
    data: TempDir,
    aside: TempDir,
    /// The line that never crashes, with the journal's handle of the present life.
    shadow: Option<Shadow>,
    report: Report,
}

impl World {
    fn new(seed: u64, mutant: Mutant) -> Self {
        let mut rng = Rng::new(seed);
        let options =
            Options { segment_bytes_max: rng.range(20_000, 200_000), ..Options::default() };
        Self {
            rng,
            mutant,
            recovering: false,
            options,
            client: Client::new(seed, RECORDS),
            data: folder(),
            aside: folder(),
            shadow: None,
            report: Report::default(),
        }
    }

    /// One life of the process, until the work is done or the crash comes.
    fn live(&mut self, fs: &SimFs) -> Result<Plant, String> {
        let engine = &ENGINES[usize::from(self.rng.chance(50))];
        let now = self.client.now;
        self.recovering = true;
        let mut plant = Plant::start(fs, self.data.path(), &self.options, &ENGINES, engine, now)?;
        plant.line.catch_up(self.mutant)?;
        self.recovering = false;
        self.client.resume(&mut plant, &mut self.rng)?;
        while !self.client.done() {
            self.client.step(&mut plant, &mut self.rng)?;
            self.work(&mut plant)?;
        }
        self.client.commit(&mut plant)?;
        plant.line.catch_up(self.mutant)?;
        plant.line.flush()?;
        plant.line.commit(true, self.mutant)?;
        Ok(plant)
    }

    /// The pipeline's threads get some turns.
    fn work(&mut self, plant: &mut Plant) -> Result<(), String> {
        for _ in 0..self.rng.range(0, 3) {
            let line = &mut plant.line;
            match self.rng.range(0, 19) {
                0..6 => drop(line.read()?),
                6..11 => drop(line.lake_takes()?),
                11..16 => drop(line.judge_takes()?),
                16 if self.rng.chance(25) => self.flush(plant)?,
                18 if self.rng.chance(20) => self.compact(plant)?,
                17..=18 => line.commit(false, self.mutant)?,
                19 if self.rng.chance(30) => {
                    self.follow(plant)?;
                    plant.line.cut(self.mutant)?;
                    return Ok(());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A flush that fails is tried again, as the lake's thread does, unless the process ends.
    fn flush(&mut self, plant: &mut Plant) -> Result<(), String> {
        let flushed = plant.line.flush();
        if flushed.is_err() && !plant.fs.crashed() && plant.fs.hits().any() && self.rng.chance(60) {
            if self.client.room_returns {
                plant.fs.set_faults(|f| f.full_from = None);
            }
            return plant.line.flush();
        }
        flushed
    }

    fn compact(&mut self, plant: &mut Plant) -> Result<(), String> {
        let mut begun = 0;
        let done = plant.line.compact(&mut begun);
        self.count("compaction", begun);
        self.count("crash in compaction", u64::from(begun > 0 && plant.fs.crashed()));
        done
    }

    fn count(&mut self, kind: &'static str, times: u64) {
        *self.report.faults.entry(kind).or_default() += times;
    }

    /// Lets the line that never crashes read what is durable, before a cut takes it away.
    fn follow(&mut self, plant: &Plant) -> Result<(), String> {
        let journal = plant.journal.handle();
        let engine = ENGINES.iter().find(|engine| {
            plant.history.first().is_some_and(|(_, h)| *h == u128::from_be_bytes(engine.hash()))
        });
        let engine = engine.ok_or("no first epoch")?;
        let shadow = match &mut self.shadow {
            Some(shadow) => shadow,
            none => none.insert(Shadow::open(self.aside.path(), plant, engine)?),
        };
        shadow.line.attach(&journal);
        shadow.line.catch_up(Mutant::None)
    }
}

/// The line that never crashes and its file system.
struct Shadow {
    line: Line,
}

impl Shadow {
    fn open(data: &Path, plant: &Plant, engine: &Arc<Engine>) -> Result<Self, String> {
        let line = Line::open(&SimFs::new(), data, &plant.journal.handle(), &ENGINES, engine, &[])?;
        Ok(Self { line })
    }
}

fn simulate(seed: u64, mutant: Mutant) -> Result<Report, String> {
    let mut world = World::new(seed, mutant);
    let mut fs = SimFs::new();
    let plant = loop {
        // Some crashes come soon, which is during recovery.
        let soon = world.rng.chance(30);
        let operations = world.rng.range(1, if soon { 40 } else { 700 });
        let plan = Plan::draw(&mut world.rng);
        world.client.room_returns = plan == Plan::FullForAWhile;
        fs.set_faults(|f| {
            plan.set(&mut world.rng, operations, f);
            f.lie_about_file_sync = mutant == Mutant::FileSync;
            f.lie_about_dir_sync = mutant == Mutant::DirSync;
        });
        let lived = world.live(&fs);
        if let Some(kind) = plan.came(&fs) {
            world.count(kind, 1);
        }
        match lived {
            Ok(plant) => {
                drop(plant);
                // The power goes once more when all is done.
                break world.live(&fs.crash_image(seed))?;
            }
            Err(_) if fs.crashed() => {
                world.count("crash in recovery", u64::from(world.recovering));
                let part = part_of(&fs, world.data.path());
                *world.report.crashes.entry(part).or_default() += 1;
            }
            // The process ends by the error, as a server whose journal has stopped.
            Err(_) if fs.hits().any() => {}
            Err(error) => return Err(error),
        }
        // Also after a failed sync, when the system's cache shows pages that the disk has lost.
        let killed = world.rng.chance(25);
        world.count(if killed { "kill" } else { "power cut" }, 1);
        let image = world.rng.bits();
        fs = if killed { fs.killed_image() } else { fs.crash_image(image) };
    };
    world.follow(&plant)?;
    check(&mut world, &plant)?;
    world.report.records = world.client.sent;
    for (kind, times) in std::mem::take(&mut world.client.counts) {
        world.count(kind, times);
    }
    Ok(world.report)
}

/// The folder of the data directory in which the crash came.
fn part_of(fs: &SimFs, data: &Path) -> String {
    let path = fs.crash_path().unwrap_or_default();
    let first = path.strip_prefix(data).ok().and_then(|inside| inside.components().next());
    first.map_or_else(String::new, |first| first.as_os_str().to_string_lossy().into_owned())
}

/// Compares both lines with each other and with what the senders were promised.
fn check(world: &mut World, plant: &Plant) -> Result<(), String> {
    let shadow = &mut world.shadow.as_mut().ok_or("no second line")?.line;
    shadow.flush()?;
    shadow.commit(true, Mutant::None)?;
    let line = &plant.line;
    let scope = TenantScope::operator();
    let mut lines = (Vec::new(), Vec::new());
    for (of, into) in [(line, &mut lines.0), (&*shadow, &mut lines.1)] {
        *into = of.open_judge()?.dump(&scope).map_err(|e| e.to_string())?;
    }
    world.report.findings = lines.0.len();
    if world.client.counts.keys().any(|kind| YEAR_JUMPS.contains(kind)) {
        lines = (without_years(&lines.0), without_years(&lines.1));
    }
    same("findings and incidents", &lines.0, &lines.1)?;
    let (view, other) = (line.view.view(), shadow.view.view());
    for sql in ["SELECT * FROM events ORDER BY event_id", "SELECT * FROM matches ORDER BY id"] {
        same(sql, &rows(&view, sql), &rows(&other, sql))?;
    }
    let mut found: BTreeMap<u64, u64> = BTreeMap::new();
    for row in rows(&view, "SELECT raw_data FROM events") {
        let row: serde_json::Value = serde_json::from_str(&row).unwrap();
        let text = row["raw_data"].as_str().unwrap();
        for (stamp, kind) in [(" 1970-", "event of 1970"), (" 2100-", "event of 2100")] {
            *world.report.faults.entry(kind).or_default() += u64::from(text.contains(stamp));
        }
        *found.entry(Client::number(text)).or_default() += 1;
    }
    for (number, promise) in &world.client.promises {
        let times = found.get(number).copied().unwrap_or(0);
        let kept = times == 1 || (times == 0 && *promise == Promise::Maybe);
        ensure(kept, || format!("record {number}, promised {promise:?}, is there {times} times"))?;
    }
    books(line, found.values().sum())
}

fn same(what: &str, left: &[String], right: &[String]) -> Result<(), String> {
    ensure(left.len() == right.len(), || {
        format!("{what}: {} and undisturbed {}", left.len(), right.len())
    })?;
    let differing = left.iter().zip(right).find(|(a, b)| a != b);
    differing.map_or(Ok(()), |(a, b)| Err(format!("{what}:\n{a}\nundisturbed\n{b}")))
}

/// Jumps after which an incident may be judged in another year than undisturbed.
const YEAR_JUMPS: [&str; 2] = ["clock a year ahead", "clock set back"];

/// The lines with incidents' numbers in the place of their ids: an id has the year of the journal
/// at the commit that judges, which is a later commit where a crash came between.
fn without_years(lines: &[String]) -> Vec<String> {
    let mut known: Vec<String> = Vec::new();
    let mut without = |line: &String| {
        let mut parts = line.split("INC-");
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (id, rest) = part.split_at("2026-0001".len());
            let number = known.iter().position(|other| other == id).unwrap_or_else(|| {
                known.push(id.to_owned());
                known.len() - 1
            });
            out.extend(["INC-#", &number.to_string(), rest]);
        }
        out
    };
    lines.iter().map(&mut without).collect()
}

/// What the inputs counted is what the tables' files hold.
fn books(line: &Line, rows: u64) -> Result<(), String> {
    let books = line.open_judge()?.books(&TenantScope::operator()).map_err(|e| e.to_string())?;
    let mut received: BTreeMap<(String, i64), u64> = BTreeMap::new();
    for row in books.iter().filter(|row| row.kind == BookKind::Received.word()) {
        *received.entry((row.feed.clone(), row.hour)).or_default() += row.count;
    }
    let mut stored: BTreeMap<(String, i64), u64> = BTreeMap::new();
    for count in line.view.view().stored_counts() {
        let hour = count.hour.div_euclid(yagura_event::time::HOUR);
        *stored.entry((count.feed, hour)).or_default() += count.records;
    }
    ensure(received == stored, || format!("received {received:?}, stored {stored:?}"))?;
    let sum: u64 = stored.values().sum();
    ensure(sum == rows, || format!("{rows} rows of {sum} records"))
}

fn rows(view: &Arc<LakeView>, sql: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let limits = SqlLimits::default();
    let answer = run_sql(Arc::clone(view), TenantScope::operator(), sql, &limits);
    let result = runtime.block_on(answer).unwrap();
    assert!(!result.truncated);
    let mut out = Vec::new();
    output::write_ndjson(&result, &mut out).unwrap();
    String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

/// Runs the seeds on two threads; each seed is a world of its own.
fn simulate_all(seeds: u64) -> Report {
    let next = AtomicU64::new(0);
    let worker = || {
        let mut sum = Report::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return sum;
            }
            let report =
                simulate(seed, Mutant::None).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
            assert!(report.records >= RECORDS);
            sum.add(report);
        }
    };
    let mut sum = Report::default();
    std::thread::scope(|scope| {
        let threads = [scope.spawn(worker), scope.spawn(worker)];
        threads.into_iter().for_each(|thread| sum.add(thread.join().unwrap()));
    });
    sum
}

#[test]
fn no_crash_changes_what_comes_out() {
    let seeds =
        std::env::var("YAGURA_SIM_SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(SEEDS);
    let Report { records, crashes, faults, findings } = simulate_all(seeds);
    println!("{seeds} seeds, {records} records, {findings} findings and incidents");
    println!("crashes by folder: {crashes:?}");
    println!("faults and oddities: {faults:?}");
    for kind in KINDS {
        let came = faults.get(kind).is_some_and(|times| *times > 0);
        assert!(came || seeds < SEEDS, "no {kind} came");
    }
    assert!(findings > 0, "nothing was found, so nothing was compared");
    for part in ["journal", "lake", "correlator", "batches"] {
        assert!(crashes.contains_key(part) || seeds < SEEDS, "no crash came in {part}");
    }
}

/// Whether one of 20 seeds notices a planted fault.
fn caught(mutant: Mutant) -> bool {
    let caught = (0..20).find_map(|seed| simulate(seed, mutant).err().map(|why| (seed, why)));
    if let Some((seed, why)) = &caught {
        println!("seed {seed} notices {mutant:?}: {}", why.lines().next().unwrap_or_default());
    }
    caught.is_some()
}

#[test]
fn acknowledging_before_the_file_sync_is_caught() {
    assert!(caught(Mutant::FileSync));
}

#[test]
fn leaving_out_the_directory_sync_is_caught() {
    assert!(caught(Mutant::DirSync));
}

#[test]
fn a_judges_position_before_its_findings_is_caught() {
    assert!(caught(Mutant::JudgeFirst));
}

#[test]
fn a_cut_before_the_lakes_commit_is_caught() {
    assert!(caught(Mutant::CutEarly));
}
