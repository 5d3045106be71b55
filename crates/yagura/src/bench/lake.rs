//! `bench lake`: writing many records, their size, and how fast things are found in them.

use crate::bench::pipeline::{Place, bytes_below, feed, feeds};
use crate::bench::planter::{self, Needle, Planter};
use crate::bench::workload::{self, Chunks, Lane, zstd3_bytes};
use crate::bench::{Report, duckdb, hunt, needles};
use crate::cli::args::BenchArgs;
use crate::config::Config;
use crate::node::{LAKE_WRITER_EPOCH, Node, assemble::bucket_of};
use anyhow::Context as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use yagura_disk::{Fs, RealFs};
use yagura_event::{SystemClock, TenantScope};
use yagura_lake::{LAKE_DIR, LakeView, LakeWriter, SqlLimits, open_readonly, run_sql};

/// Records generated at a time.
const CHUNK_RECORDS: u64 = 500_000;

/// Records of which the size by `zstd -3` is taken, lane by lane.
const ZSTD_RECORDS: u64 = 4_000_000;

/// What a kept directory says of its needles.
const NEEDLES_FILE: &str = "bench-needles.json";

/// How often each query over everything is run; the fastest counts.
const RUNS: usize = 3;

/// Queries over everything, by name, in SQL that others understand as well.
pub const QUERIES: [(&str, &str); 6] = [
    ("count", "SELECT count(*) FROM events WHERE class_uid = 4001"),
    (
        "top_n",
        "SELECT dst_ip, count(*) AS n FROM events GROUP BY dst_ip ORDER BY n DESC, dst_ip LIMIT 10",
    ),
    (
        "group",
        "SELECT source, class_uid, count(*) AS n, sum(bytes_out) AS b FROM events \
         GROUP BY source, class_uid ORDER BY n DESC, source, class_uid LIMIT 100",
    ),
    (
        "histogram",
        "SELECT date_trunc('minute', time) AS t, count(*) AS n FROM events GROUP BY 1 ORDER BY 1 LIMIT 100",
    ),
    (
        "newest",
        "SELECT event_id FROM events WHERE dst_port = 443 ORDER BY time DESC, event_id DESC LIMIT 100",
    ),
    (
        "join",
        "SELECT e.source, count(*) AS n FROM sightings s JOIN events e \
         ON e.dst_ip = s.value AND e.source = s.source AND e.tenant = s.tenant \
         WHERE s.kind = 'ip' GROUP BY e.source ORDER BY n DESC, e.source LIMIT 10",
    ),
];

/// Writes the records, compacts, and takes the figures.
///
/// # Errors
/// Inputs that cannot be read; a stored count other than that of the records fed; an answer that
/// differs from another engine's over the same files.
pub fn run(args: &BenchArgs, report: &mut Report) -> anyhow::Result<()> {
    let input = match args.input.as_slice() {
        [] => format!("{} records, seed {}", args.records, args.seed),
        [first, ..] => format!("{} and {} more", first.display(), args.input.len() - 1),
    };
    let kept = args.data.as_ref().is_some_and(|data| data.join("VERSION").exists());
    let place =
        if kept { Place::kept(args.data.as_deref()) } else { Place::new(args.data.as_deref())? };
    let lake = place.path().join(LAKE_DIR);
    let needles_file = place.path().join(NEEDLES_FILE);
    if !kept {
        let Written { records, packed, needles } = write(args, place.path(), report, &input)?;
        planter::keep(&needles, &needles_file)?;
        sizes(&lake, records, packed, "fresh", report, &input)?;
        compact(&lake, report, &input)?;
        sizes(&lake, records, packed, "compacted", report, &input)?;
    }
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let view = open_readonly(fs, &lake)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let planted = planter::kept(&needles_file)
        .with_context(|| format!("the needles of {}", needles_file.display()))?;
    needles::run(&runtime, &view, &planted, report, &input)?;
    let hunted = hunt::run(place.path(), &planted, report, &input)?;
    let ours = queries(&runtime, &view, report, &input)?;
    duckdb::run(args, &lake, &view, &ours, &hunted, report, &input)
}

/// What was written.
struct Written {
    records: u64,
    /// Bytes a record as `zstd -3` packs each lane.
    packed: f64,
    needles: Vec<Needle>,
}

/// Feeds the records: generated ones with needles among them, or those of the inputs once.
fn write(
    args: &BenchArgs,
    data: &Path,
    report: &mut Report,
    input: &str,
) -> anyhow::Result<Written> {
    let mut config = Config::default();
    config.rules.paths.clone_from(&args.rules);
    let node = Node::open(data, &config, Arc::new(SystemClock))?;
    let began = Instant::now();
    let written = match args.input.is_empty() {
        true => generated(args, &node)?,
        false => of_inputs(args, &node)?,
    };
    node.progress().wait_committed(node.journal().durable()).map_err(anyhow::Error::msg)?;
    let seconds = began.elapsed().as_secs_f64();
    let fed = written.records;
    let stored: u64 = node.lake().view().stored_counts().iter().map(|count| count.records).sum();
    anyhow::ensure!(stored == fed, "{fed} records were fed and {stored} are stored");
    report.add("lake_write_records_per_s", fed as f64 / seconds, "records/s", input);
    node.stop()?;
    Ok(written)
}

fn generated(args: &BenchArgs, node: &Node) -> anyhow::Result<Written> {
    let mut chunks = Chunks::new(args, CHUNK_RECORDS)?;
    let feeds = feeds(node, &chunks.empty())?;
    let bar = indicatif::ProgressBar::new(args.records);
    let (mut fed, mut packed, mut measured) = (0u64, 0u64, 0u64);
    let mut planter = Planter::new(args.seed, args.records);
    let needles = std::thread::scope(|scope| {
        let (sender, chunks_made) = sync_channel::<Vec<Lane>>(1);
        let maker = scope.spawn(move || {
            while let Some(lanes) = chunks.next_chunk(|lane, record| planter.pass(lane, record)) {
                if sender.send(lanes).is_err() {
                    break;
                }
            }
            planter.planted()
        });
        for lanes in chunks_made {
            let records: u64 = lanes.iter().map(|lane| lane.len() as u64).sum();
            fed += feed(node, &lanes, &feeds, records)?.records;
            bar.set_position(fed);
            if measured < ZSTD_RECORDS.min(args.records) {
                (packed, measured) = (packed + zstd3_bytes(&lanes)?, measured + records);
            }
        }
        maker.join().map_err(|_| anyhow::anyhow!("the generator panicked"))
    })?;
    bar.finish_and_clear();
    Ok(Written { records: fed, packed: packed as f64 / measured.max(1) as f64, needles })
}

fn of_inputs(args: &BenchArgs, node: &Node) -> anyhow::Result<Written> {
    let lanes = workload::load(args)?;
    let records: u64 = lanes.iter().map(|lane| lane.len() as u64).sum();
    let fed = feed(node, &lanes, &feeds(node, &lanes)?, records)?.records;
    let packed = zstd3_bytes(&lanes)? as f64 / records.max(1) as f64;
    Ok(Written { records: fed, packed, needles: Vec::new() })
}

/// Packs every partition as if its day were over.
fn compact(lake: &Path, report: &mut Report, input: &str) -> anyhow::Result<()> {
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let mut writer = LakeWriter::open(fs, lake, LAKE_WRITER_EPOCH, Arc::new(bucket_of))?;
    let began = Instant::now();
    let mut read = 0;
    while let Some(rewrite) = writer.plan_packing() {
        read += rewrite.bytes();
        writer.end_rewrite(rewrite.write(), Instant::now())?;
    }
    writer.sweep(Instant::now(), Duration::ZERO)?;
    let seconds = began.elapsed().as_secs_f64();
    report.add("lake_compact_mb_per_s", read as f64 / 1e6 / seconds, "MB/s", input);
    report.add("lake_files", writer.live_files() as f64, "files", input);
    Ok(())
}

fn sizes(
    lake: &Path,
    records: u64,
    packed: f64,
    when: &str,
    report: &mut Report,
    input: &str,
) -> anyhow::Result<()> {
    let mut total = 0.0;
    for part in ["events", "matches", "sightings", "index"] {
        let bytes = bytes_below(&lake.join(part))? as f64 / records as f64;
        total += bytes;
        report.add(format!("lake_bytes_per_record_{when}/{part}"), bytes, "B", input);
    }
    report.add(format!("lake_bytes_per_record_{when}"), total, "B", input);
    report.add(format!("lake_to_zstd3_{when}"), total / packed, "ratio", input);
    Ok(())
}

/// The answer of a query, and the fastest time it took.
pub struct Timed {
    /// As CSV without header.
    pub rows: String,
    /// Milliseconds.
    pub ms: f64,
}

fn queries(
    runtime: &Runtime,
    view: &Arc<LakeView>,
    report: &mut Report,
    input: &str,
) -> anyhow::Result<Vec<Timed>> {
    let limits = SqlLimits { memory_bytes: 2 << 30, time_ms: 600_000, ..SqlLimits::default() };
    let mut all = Vec::new();
    for (name, sql) in QUERIES {
        let mut best = Timed { rows: String::new(), ms: f64::INFINITY };
        for _ in 0..RUNS {
            let began = Instant::now();
            let scope = TenantScope::operator();
            let answer = runtime
                .block_on(run_sql(Arc::clone(view), scope, sql, &limits))
                .with_context(|| format!("query {name}"))?;
            let ms = began.elapsed().as_secs_f64() * 1e3;
            let mut out = Vec::new();
            yagura_lake::output::write_csv(&answer, &mut out)?;
            let text = String::from_utf8_lossy(&out).into_owned();
            let rows = text.split_once('\n').map_or("", |(_, rows)| rows).to_owned();
            best = Timed { rows, ms: best.ms.min(ms) };
        }
        report.add(format!("lake_query_ms/{name}"), best.ms, "ms", input);
        all.push(best);
    }
    Ok(all)
}
