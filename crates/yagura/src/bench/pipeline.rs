//! `bench pipeline`: the whole way, from framed records to committed findings and tables.

use crate::bench::workload::{self, Lane};
use crate::bench::{Report, machine, stages};
use crate::cli::args::BenchArgs;
use crate::config::Config;
use crate::intel;
use crate::node::Node;
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use yagura_collect::{FeedContext, Group, IntakeError};
use yagura_event::{Context, Reference, SourceChoice, SystemClock, TenantName};

/// Threads that submit groups: each waits for its own to be durable, as connections do.
const FEEDERS: usize = 4;

/// Bytes of one group, about what a busy connection has waiting when it is read.
const GROUP_BYTES: usize = 256 * 1024;

/// How long a feeder waits where the journal is full.
const FULL_WAIT: Duration = Duration::from_millis(50);

/// Feeds the records, waits until all is committed, counts what is stored and prints the rate,
/// CPU by stage, memory and size.
///
/// # Errors
/// Inputs that cannot be read; a stored count other than that of the records fed.
pub fn run(args: &BenchArgs, report: &mut Report) -> anyhow::Result<()> {
    let lanes = workload::load(args)?;
    let place = Place::new(args.data.as_deref())?;
    let held = machine::peak_memory_bytes();
    let mut config = Config::default();
    config.rules.paths.clone_from(&args.rules);
    put_lists(&place.0, &args.intel)?;
    let node = Node::open(&place.0, &config, Arc::new(SystemClock))?;
    if let Some(report) = node.intel_report() {
        eprintln!("{report}");
    }
    eprintln!("{} rules; data in {}", node.engine().rules().rules.len(), place.0.display());
    let feeds = feeds(&node, &lanes)?;
    let before = stages::now();
    let began = Instant::now();
    let fed = feed(&node, &lanes, &feeds, args.records)?;
    let taken = began.elapsed().as_secs_f64();
    node.progress().wait_committed(node.journal().durable()).map_err(anyhow::Error::msg)?;
    let seconds = began.elapsed().as_secs_f64();
    let spent = stages::since(&before, &stages::now());
    let stored: u64 = node.lake().view().stored_counts().iter().map(|count| count.records).sum();
    let reading = node.progress().read();
    anyhow::ensure!(
        stored == fed.records,
        "{} records were fed and {stored} are stored: no figure is worth anything",
        fed.records
    );
    let input = format!("{} records, {} MB", fed.records, fed.bytes / 1_000_000);
    let records = fed.records as f64;
    report.add("pipeline_records_per_s", records / seconds, "records/s", &input);
    report.add("pipeline_mb_per_s", fed.bytes as f64 / 1e6 / seconds, "MB/s", &input);
    report.add("pipeline_acknowledged_records_per_s", records / taken, "records/s", &input);
    report.add("pipeline_matches", reading.matches as f64, "matches", &input);
    let total: u64 = spent.values().sum();
    report.add("pipeline_cpu_us_per_record", total as f64 / 1e3 / records, "us", &input);
    for (stage, ns) in &spent {
        let name = format!("pipeline_cpu_us_per_record/{stage}");
        report.add(name, *ns as f64 / 1e3 / records, "us", &input);
    }
    let peak = machine::peak_memory_bytes().saturating_sub(held);
    report.add("pipeline_peak_memory_mb", peak as f64 / 1e6, "MB", &input);
    node.stop()?;
    sizes(&place.0, &lanes, &fed, report, &input)
}

/// Puts indicator lists into a new data directory.
fn put_lists(data: &Path, lists: &[PathBuf]) -> anyhow::Result<()> {
    for (number, list) in lists.iter().enumerate() {
        let dir = data.join(intel::DIR);
        let name = list.file_name().unwrap_or_default().to_string_lossy();
        std::fs::create_dir_all(&dir)?;
        std::fs::copy(list, dir.join(format!("{number}-{name}")))
            .with_context(|| format!("cannot copy {}", list.display()))?;
    }
    Ok(())
}

/// The data directory of a run, removed with it unless it was named.
pub struct Place(PathBuf, bool);

impl Place {
    /// A directory that is not there yet: the one given, or one in the system's temporary folder.
    ///
    /// # Errors
    /// If it exists.
    pub fn new(given: Option<&Path>) -> anyhow::Result<Self> {
        let (path, temporary) = match given {
            Some(path) => (path.to_owned(), false),
            None => {
                let name = format!("yagura-bench-{}", std::process::id());
                (std::env::temp_dir().join(name), true)
            }
        };
        anyhow::ensure!(!path.exists(), "{} is there already: name a new one", path.display());
        Ok(Self(path, temporary))
    }

    /// A directory that is there already and stays.
    pub fn kept(given: Option<&Path>) -> Self {
        Self(given.map(Path::to_owned).unwrap_or_default(), false)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.1 {
            // What cannot be removed is in the system's folder for temporary files.
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// A feed for each lane, recognising its source as feeds do that name none.
pub fn feeds(node: &Node, lanes: &[Lane]) -> anyhow::Result<Vec<FeedContext>> {
    let feed = |lane: &Lane| {
        let tenant = TenantName::new(&lane.tenant).context("the lane's tenant")?;
        let context =
            Context::new(tenant.as_str(), "bench", SourceChoice::Auto, Reference::Received);
        Ok(node.intake().feed(tenant, &context)?)
    };
    lanes.iter().map(feed).collect()
}

/// What was fed.
#[derive(Clone, Copy, Default)]
pub struct Fed {
    /// Records.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Submits groups of all lanes in turn, going round until `wanted` records are fed.
///
/// # Errors
/// Those of the intake.
pub fn feed(
    node: &Node,
    lanes: &[Lane],
    feeds: &[FeedContext],
    wanted: u64,
) -> anyhow::Result<Fed> {
    let groups = groups(lanes);
    let (next, fed) = (AtomicUsize::new(0), Mutex::new(Fed::default()));
    let rounds = wanted.div_ceil(lanes.iter().map(|lane| lane.len() as u64).sum::<u64>().max(1));
    let all = groups.len() * usize::try_from(rounds.max(1))?;
    std::thread::scope(|scope| {
        let work = || -> anyhow::Result<()> {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= all {
                    return Ok(());
                }
                let (lane, from, to) = groups[number % groups.len()];
                let first = from.checked_sub(1).map_or(0, |at| lanes[lane].ends[at]);
                let ends = &lanes[lane].ends[from..to];
                while !submitted(node, &feeds[lane], lane as u64, &lanes[lane].text, first, ends)? {
                    std::thread::sleep(FULL_WAIT);
                }
                let last = ends.last().copied().unwrap_or(first);
                let mut fed = fed.lock().unwrap_or_else(PoisonError::into_inner);
                fed.records += (to - from) as u64;
                fed.bytes += (last - first) as u64;
            }
        };
        let spawn = |number| {
            let name = format!("feed-{number}");
            std::thread::Builder::new().name(name).spawn_scoped(scope, work)
        };
        let threads: Vec<_> = (0..FEEDERS).map(spawn).collect::<Result<_, _>>()?;
        for thread in threads {
            thread.join().map_err(|_| anyhow::anyhow!("a feeder panicked"))??;
        }
        anyhow::Ok(())
    })?;
    Ok(*fed.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Submits records that end at `ends`; false where the journal is full.
fn submitted(
    node: &Node,
    feed: &FeedContext,
    stream: u64,
    text: &[u8],
    mut start: usize,
    ends: &[usize],
) -> anyhow::Result<bool> {
    let mut group = Group::new(feed, "bench");
    for end in ends {
        group.push(stream, start as u64, &text[start..*end])?;
        start = *end;
    }
    match node.intake().submit_blocking(group) {
        Err(IntakeError::Journal(error)) if error.is_full() => Ok(false),
        done => Ok(done.map(|_| true)?),
    }
}

/// Runs of records as (lane, first, behind the last), the lanes spread evenly over the whole.
fn groups(lanes: &[Lane]) -> Vec<(usize, usize, usize)> {
    let mut placed = Vec::new();
    for (at, lane) in lanes.iter().enumerate() {
        let (mut own, mut from, mut bytes, mut start) = (Vec::new(), 0, 0, 0);
        for (number, end) in lane.ends.iter().enumerate() {
            bytes += end - start;
            start = *end;
            if bytes >= GROUP_BYTES || number + 1 == lane.len() {
                own.push((at, from, number + 1));
                (from, bytes) = (number + 1, 0);
            }
        }
        let count = own.len() as f64;
        placed.extend(own.into_iter().enumerate().map(|(n, g)| ((n as f64 + 0.5) / count, g)));
    }
    placed.sort_by(|a, b| a.0.total_cmp(&b.0));
    placed.into_iter().map(|(_, group)| group).collect()
}

/// Bytes stored against the raw lines and against `zstd -3` of them, lane by lane.
fn sizes(
    data: &Path,
    lanes: &[Lane],
    fed: &Fed,
    report: &mut Report,
    input: &str,
) -> anyhow::Result<()> {
    let stored = bytes_below(&data.join("lake"))? as f64;
    report.add("pipeline_stored_bytes_per_record", stored / fed.records as f64, "B", input);
    report.add("pipeline_stored_to_raw", stored / fed.bytes as f64, "ratio", input);
    let held: usize = lanes.iter().map(|lane| lane.text.len()).sum();
    if held as u64 != fed.bytes {
        eprintln!("the input was fed repeatedly: no comparison with zstd");
        return Ok(());
    }
    let packed = workload::zstd3_bytes(lanes)? as f64;
    report.add("pipeline_stored_to_zstd3", stored / packed, "ratio", input);
    Ok(())
}

/// Bytes of all files in and below a directory.
///
/// # Errors
/// Those of the file system.
pub fn bytes_below(dir: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        bytes += if meta.is_dir() { bytes_below(&entry.path())? } else { meta.len() };
    }
    Ok(bytes)
}
