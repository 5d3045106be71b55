//! `bench query-load`: what hostile queries take from intake, and from memory.

use crate::bench::{Report, machine, pipeline, workload};
use crate::cli::args::BenchArgs;
use crate::config::Config;
use crate::node::Node;
use crate::node::backend::NodeBackend;
use anyhow::Context as _;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;
use yagura_api::{ApiError, Backend, QueryRequest, SearchRequest, SqlRequest};
use yagura_event::{SystemClock, TenantScope};
use yagura_testkit::hostile::{Hostile, Language, queries};

/// Threads that ask one query after the other; as many as run at once and some that wait.
const ASKERS: usize = 6;

/// How the queries ended: their number by code.
type Ends = BTreeMap<&'static str, u64>;

/// Feeds the records alone, again beside hostile queries over them, and alone once more, since the
/// lake has grown; prints the rates, the queries' ends and their memory.
///
/// # Errors
/// Inputs that cannot be read, records that are not stored.
pub fn run(args: &BenchArgs, report: &mut Report) -> anyhow::Result<()> {
    let lanes = workload::load(args)?;
    let place = pipeline::Place::new(args.data.as_deref())?;
    let mut config = Config::default();
    config.rules.paths.clone_from(&args.rules);
    let node = Arc::new(Node::open(place.path(), &config, Arc::new(SystemClock))?);
    let backend = NodeBackend::new(Arc::clone(&node), &config.query)?;
    let feeds = pipeline::feeds(&node, &lanes)?;
    let rate = |node: &Node| -> anyhow::Result<f64> {
        let began = Instant::now();
        let fed = pipeline::feed(node, &lanes, &feeds, args.records)?;
        node.progress().wait_committed(node.journal().durable()).map_err(anyhow::Error::msg)?;
        Ok(fed.records as f64 / began.elapsed().as_secs_f64())
    };
    // The first run warms files, caches and threads, and is what the queries read.
    rate(&node)?;
    let before = rate(&node)?;
    let held = machine::peak_memory_bytes();
    let stop = AtomicBool::new(false);
    let next = AtomicUsize::new(0);
    let all = queries();
    let (beside, ends) = std::thread::scope(|scope| -> anyhow::Result<(f64, Ends)> {
        let askers: Vec<_> =
            (0..ASKERS).map(|_| scope.spawn(|| ask(&backend, &all, &next, &stop))).collect();
        let beside = rate(&node);
        stop.store(true, Ordering::Release);
        let mut ends = Ends::new();
        for asker in askers {
            let own = asker.join().map_err(|_| anyhow::anyhow!("an asker panicked"))?;
            for (code, number) in own {
                *ends.entry(code).or_default() += number;
            }
        }
        Ok((beside?, ends))
    })?;
    let alone = f64::midpoint(before, rate(&node)?);
    let input = format!("{} records a run", args.records);
    report.add("query_load_before_records_per_s", before, "records/s", &input);
    report.add("query_load_alone_records_per_s", alone, "records/s", &input);
    report.add("query_load_beside_records_per_s", beside, "records/s", &input);
    report.add("query_load_fall_percent", 100.0 * (1.0 - beside / alone), "%", &input);
    let governor = backend.governed().governor();
    let share = governor.limits().memory_bytes as f64 / 1e6;
    report.add("query_load_memory_share_mb", share, "MB", &input);
    report.add("query_load_memory_peak_mb", governor.peak_bytes() as f64 / 1e6, "MB", &input);
    let grown = machine::peak_memory_bytes().saturating_sub(held) as f64 / 1e6;
    report.add("query_load_process_growth_mb", grown, "MB", &input);
    for (code, number) in ends {
        report.add(format!("query_load_ended/{code}"), number as f64, "queries", &input);
    }
    drop(backend);
    Arc::into_inner(node).context("the node is in use")?.stop()
}

/// Asks one query after the other until `stop`; how each ended.
fn ask(backend: &NodeBackend, all: &[Hostile], next: &AtomicUsize, stop: &AtomicBool) -> Ends {
    let mut ends = Ends::new();
    while !stop.load(Ordering::Acquire) {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let Some(hostile) = all.get(number % all.len().max(1)) else { break };
        let code = match one(backend, hostile, stop) {
            Ok(()) => "ok",
            Err(error) => error.code,
        };
        *ends.entry(code).or_default() += 1;
    }
    ends
}

/// Asks one query and reads its answer, until `stop`.
fn one(backend: &NodeBackend, hostile: &Hostile, stop: &AtomicBool) -> Result<(), ApiError> {
    let (scope, text) = (TenantScope::operator(), hostile.text.clone());
    let asked = match hostile.language {
        Language::Sql => backend.sql(&scope, SqlRequest { sql: text, format: None }),
        Language::Pipe => backend.query(&scope, QueryRequest { query: text, format: None }),
        Language::Search => {
            let request = SearchRequest {
                query: text,
                format: None,
                columns: None,
                sort: None,
                limit: None,
                count: false,
                width: None,
            };
            return backend.wait(until(stop, backend.search(&scope, request))).map(|_| ());
        }
    };
    let mut answer = backend.wait(until(stop, asked))?;
    loop {
        let next = async { Ok(answer.next().await) };
        match backend.wait(until(stop, next))? {
            Some(part) => drop(part?),
            None => return Ok(()),
        }
    }
}

/// What `work` comes to, or that the measurement is over.
async fn until<T>(
    stop: &AtomicBool,
    work: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, ApiError> {
    let over = async {
        while !stop.load(Ordering::Acquire) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        done = work => done,
        () = over => Err(ApiError::new(yagura_api::Kind::Invalid, "over", "the run is over")),
    }
}
