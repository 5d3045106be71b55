//! `bench latency`: how long a received record takes to be seen, at steady rates: in the tables,
//! in the judge's store, in the API's list of findings and over its live stream.

use crate::bench::marks::{self, Seen, Watchers};
use crate::bench::sustained::{self, Lag};
use crate::bench::web::Door;
use crate::bench::workload::{self, Lane};
use crate::bench::{Report, pipeline};
use crate::cli::args::BenchArgs;
use crate::cli::online::shown;
use crate::cli::up::Server;
use crate::config::Config;
use crate::node::Node;
use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};
use yagura_api::{Access, Caller};
use yagura_collect::{FeedContext, Group};
use yagura_event::SystemClock;

/// Rates that are measured unless one is named, in records a second.
const RATES: [u64; 3] = [1_000, 10_000, 100_000];

/// Between two submissions.
const STEP: Duration = Duration::from_millis(10);

/// Most records of one submission.
const GROUP_RECORDS_MAX: u64 = 2_000;

/// Between two notes of the lag.
const LAG_EVERY: Duration = Duration::from_millis(20);

/// A group that was submitted: when, and the entry it ended with.
type Sent = (Instant, u64);

/// Starts the platform with its listeners, feeds it at each rate, and prints percentiles of the
/// time until rows are visible, findings are committed, the API lists them, and its live stream
/// tells of them; without a rate also the highest that is sustained.
///
/// # Errors
/// Inputs that cannot be read, a finding that the API never showed.
pub fn run(args: &BenchArgs, report: &mut Report) -> anyhow::Result<()> {
    let lanes = workload::load(args)?;
    let place = pipeline::Place::new(args.data.as_deref())?;
    marks::put_rule(place.path())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let server = runtime.block_on(start(place.path(), args))?;
    let measured = measure(args, &server, &lanes, report);
    runtime.block_on(server.stop())?;
    measured
}

/// The platform as `yagura up` starts it, on ports that the system chooses.
async fn start(data: &Path, args: &BenchArgs) -> anyhow::Result<Server> {
    let mut config = Config::default();
    config.rules.paths.clone_from(&args.rules);
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    (config.listen.http, config.listen.syslog_tcp, config.listen.syslog_udp) = (any, any, None);
    Server::start(data, &config, Arc::new(SystemClock)).await
}

fn measure(
    args: &BenchArgs,
    server: &Server,
    lanes: &[Lane],
    report: &mut Report,
) -> anyhow::Result<()> {
    let token = server.backend().add_token(&Caller::owner(), "bench").map_err(shown)?.token;
    let bench = Bench {
        node: server.node(),
        lanes,
        feeds: pipeline::feeds(server.node(), lanes)?,
        door: Door { address: server.http(), token },
        length: Duration::from_secs(args.seconds),
    };
    let rates = args.rate.map_or(RATES.to_vec(), |rate| vec![rate]);
    let (mut tried, mut best) = (BTreeMap::new(), BTreeMap::new());
    for rate in rates {
        let run = bench.at_rate(rate)?;
        run.add(report, &rate.to_string());
        tried.insert(rate, run.is_sustained());
        best.insert(rate, run);
    }
    if args.rate.is_some() {
        return Ok(());
    }
    let highest = sustained::highest(&mut tried, |rate| {
        let run = bench.at_rate(rate)?;
        let sustained = run.is_sustained();
        best.insert(rate, run);
        Ok(sustained)
    })?;
    let input = format!("{} s at each rate", args.seconds);
    let value = highest.unwrap_or(0) as f64;
    report.add("latency_sustained_records_per_s", value, "records/s", &input);
    if let Some(run) = highest.and_then(|rate| best.get(&rate)) {
        run.add(report, "sustained");
    }
    Ok(())
}

/// What every rate is measured over.
struct Bench<'a> {
    node: &'a Node,
    lanes: &'a [Lane],
    feeds: Vec<FeedContext>,
    door: Door,
    length: Duration,
}

/// What was measured at one rate.
struct Run {
    rate: u64,
    length: Duration,
    /// Records a second that were submitted.
    reached: f64,
    /// Seconds a second by which lag grew.
    growth: f64,
    visible: Vec<Duration>,
    judged: Vec<Duration>,
    marks: Seen,
}

impl Run {
    fn is_sustained(&self) -> bool {
        sustained::is_sustained(self.rate, self.reached, self.growth)
    }

    fn add(&self, report: &mut Report, name: &str) {
        let input = format!("{} records/s for {} s", self.rate, self.length.as_secs());
        let mut add = |figure: &str, value: f64, unit: &'static str| {
            report.add(format!("latency_{figure}/{name}"), value, unit, &input);
        };
        add("reached_records_per_s", self.reached, "records/s");
        add("lag_growth", self.growth, "s/s");
        add("marks", self.marks.sent as f64, "findings");
        add("marks_listed", self.marks.listed.len() as f64, "findings");
        add("marks_told_live", self.marks.told.len() as f64, "findings");
        let all = [
            ("visible", &self.visible),
            ("judged", &self.judged),
            ("findings", &self.marks.listed),
            ("live", &self.marks.told),
        ];
        for (what, times) in all {
            let mut times = times.clone();
            times.sort_unstable();
            for (word, share) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
                let at = ((times.len() as f64 * share) as usize).min(times.len().max(1) - 1);
                let ms = times.get(at).map_or(f64::NAN, |t| t.as_secs_f64() * 1e3);
                add(&format!("{what}_ms_{word}"), ms, "ms");
            }
        }
    }
}

impl Bench<'_> {
    /// Feeds at a rate, with marks among the load. When it returns all of it is committed, so
    /// that the next rate begins with empty hands.
    fn at_rate(&self, rate: u64) -> anyhow::Result<Run> {
        let watchers = Watchers::connect(&self.door, &rate.to_string())?;
        let (sender, receiver) = std::sync::mpsc::channel::<Sent>();
        let done = AtomicBool::new(false);
        let run = std::thread::scope(|scope| {
            let (began, ended, node, length) = (Instant::now(), &done, self.node, self.length);
            let watcher = scope.spawn(move || watch(node, &receiver, ended, began));
            let marker = scope.spawn(move || watchers.run(node, length));
            let sent = self.submit(rate, began, &sender);
            let seconds = began.elapsed().as_secs_f64();
            done.store(true, Ordering::Release);
            let panicked = |_| anyhow::anyhow!("a thread of the benchmark panicked");
            let watched = watcher.join().map_err(panicked)?;
            let marks = marker.join().map_err(panicked)??;
            anyhow::Ok(Run {
                rate,
                length,
                reached: sent? as f64 / seconds,
                growth: watched.lag.growth(length),
                visible: watched.visible,
                judged: watched.judged,
                marks,
            })
        })?;
        let durable = self.node.journal().durable();
        self.node.progress().wait_committed(durable).map_err(anyhow::Error::msg)?;
        Ok(run)
    }

    fn submit(&self, rate: u64, began: Instant, sender: &Sender<Sent>) -> anyhow::Result<u64> {
        let (mut at, mut lane, mut sent) = (vec![0usize; self.lanes.len()], 0, 0);
        while began.elapsed() < self.length {
            let due = (began.elapsed().as_secs_f64() * rate as f64) as u64;
            if due <= sent {
                std::thread::sleep(STEP);
                continue;
            }
            let received = Instant::now();
            let mut group = Group::new(&self.feeds[lane], "bench");
            let count = (due - sent).min(GROUP_RECORDS_MAX);
            for _ in 0..count {
                let from = &mut at[lane];
                let ends = &self.lanes[lane].ends;
                let start = from.checked_sub(1).map_or(0, |before: usize| ends[before]);
                group.push(
                    lane as u64,
                    start as u64,
                    &self.lanes[lane].text[start..ends[*from]],
                )?;
                *from = (*from + 1) % ends.len();
            }
            sent += count;
            let committed = self.node.intake().submit_blocking(group)?;
            // The watcher outlives the channel.
            let _ = sender.send((received, committed.last.0));
            lane = (lane + 1) % self.lanes.len();
        }
        Ok(sent)
    }
}

/// What who looks at the pipeline's positions has seen.
#[derive(Default)]
struct Watched {
    visible: Vec<Duration>,
    judged: Vec<Duration>,
    lag: Lag,
}

/// Notes when each group was visible and when it was judged.
fn watch(node: &Node, receiver: &Receiver<Sent>, done: &AtomicBool, began: Instant) -> Watched {
    let (mut unseen, mut unjudged) = (VecDeque::<Sent>::new(), VecDeque::<Sent>::new());
    let (mut watched, mut noted) = (Watched::default(), began);
    loop {
        let ended = done.load(Ordering::Acquire);
        let new: Vec<Sent> = receiver.try_iter().collect();
        unseen.extend(&new);
        unjudged.extend(&new);
        let reading = node.progress().read();
        let now = Instant::now();
        take(&mut unseen, reading.visible_lsn, now, &mut watched.visible);
        take(&mut unjudged, reading.judge_lsn, now, &mut watched.judged);
        if now - noted >= LAG_EVERY {
            noted = now;
            let oldest = [&unseen, &unjudged].map(|waiting| waiting.front().map(|(sent, _)| *sent));
            let age = oldest.into_iter().flatten().min().map_or(Duration::ZERO, |sent| now - sent);
            watched.lag.note(now - began, age);
        }
        let failed = reading.failure.is_some();
        if failed || (ended && new.is_empty() && unjudged.is_empty() && unseen.is_empty()) {
            return watched;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Takes the groups that end at or before `upto`; they wait in the journal's order.
fn take(waiting: &mut VecDeque<Sent>, upto: u64, now: Instant, times: &mut Vec<Duration>) {
    while let Some((sent, _)) = waiting.front().filter(|(_, lsn)| *lsn <= upto) {
        times.push(now.duration_since(*sent));
        waiting.pop_front();
    }
}
