//! `bench latency`: how long a received record takes to be seen, at steady rates.

use crate::bench::workload::{self, Lane};
use crate::bench::{Report, pipeline};
use crate::cli::args::BenchArgs;
use crate::config::Config;
use crate::node::Node;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use yagura_collect::{FeedContext, Group};
use yagura_event::SystemClock;

/// Rates that are measured unless one is named, in records a second.
const RATES: [u64; 3] = [1_000, 10_000, 100_000];

/// Seconds at each rate.
const SECONDS: u64 = 10;

/// Between two submissions.
const STEP: Duration = Duration::from_millis(10);

/// Most records of one submission.
const GROUP_RECORDS_MAX: u64 = 2_000;

/// A group that was submitted: when, and the entry it ended with.
type Sent = (Instant, u64);

/// Submits at each rate and prints percentiles of the time until rows are visible and until
/// findings are committed.
///
/// # Errors
/// Inputs that cannot be read.
pub fn run(args: &BenchArgs, report: &mut Report) -> anyhow::Result<()> {
    let lanes = workload::load(args)?;
    let place = pipeline::Place::new(args.data.as_deref())?;
    let mut config = Config::default();
    config.rules.paths.clone_from(&args.rules);
    let node = Node::open(place.path(), &config, Arc::new(SystemClock))?;
    let feeds = pipeline::feeds(&node, &lanes)?;
    let rates = args.rate.map_or(RATES.to_vec(), |rate| vec![rate]);
    for rate in rates {
        let (visible, judged, reached) = at_rate(&node, &lanes, &feeds, rate)?;
        let input = format!("{rate} records/s for {SECONDS} s");
        report.add(format!("latency_reached_records_per_s/{rate}"), reached, "records/s", &input);
        for (name, mut times) in [("visible", visible), ("judged", judged)] {
            times.sort_unstable();
            for (word, share) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
                let at = ((times.len() as f64 * share) as usize).min(times.len().max(1) - 1);
                let ms = times.get(at).map_or(f64::NAN, |t| t.as_secs_f64() * 1e3);
                report.add(format!("latency_{name}_ms_{word}/{rate}"), ms, "ms", &input);
            }
        }
    }
    node.stop()
}

/// Times until visible and until judged of every group, and the rate that was reached.
fn at_rate(
    node: &Node,
    lanes: &[Lane],
    feeds: &[FeedContext],
    rate: u64,
) -> anyhow::Result<(Vec<Duration>, Vec<Duration>, f64)> {
    let (sender, receiver) = std::sync::mpsc::channel::<Sent>();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (done, node) = (&done, node);
        let watcher = scope.spawn(move || watch(node, receiver, done));
        let began = Instant::now();
        let sent = submit(node, lanes, feeds, rate, &sender);
        let seconds = began.elapsed().as_secs_f64();
        done.store(true, Ordering::Release);
        let (visible, judged) =
            watcher.join().map_err(|_| anyhow::anyhow!("the watcher panicked"))?;
        Ok((visible, judged, sent? as f64 / seconds))
    })
}

fn submit(
    node: &Node,
    lanes: &[Lane],
    feeds: &[FeedContext],
    rate: u64,
    sender: &std::sync::mpsc::Sender<Sent>,
) -> anyhow::Result<u64> {
    let began = Instant::now();
    let (mut at, mut lane, mut sent) = (vec![0usize; lanes.len()], 0, 0);
    while began.elapsed() < Duration::from_secs(SECONDS) {
        let due = (began.elapsed().as_secs_f64() * rate as f64) as u64;
        if due <= sent {
            std::thread::sleep(STEP);
            continue;
        }
        let received = Instant::now();
        let mut group = Group::new(&feeds[lane], "bench");
        let count = (due - sent).min(GROUP_RECORDS_MAX);
        for _ in 0..count {
            let from = &mut at[lane];
            let ends = &lanes[lane].ends;
            let start = from.checked_sub(1).map_or(0, |before: usize| ends[before]);
            group.push(lane as u64, start as u64, &lanes[lane].text[start..ends[*from]])?;
            *from = (*from + 1) % ends.len();
        }
        sent += count;
        let committed = node.intake().submit_blocking(group)?;
        // The watcher outlives the channel.
        let _ = sender.send((received, committed.last.0));
        lane = (lane + 1) % lanes.len();
    }
    Ok(sent)
}

/// Notes when each group was visible and when it was judged.
fn watch(
    node: &Node,
    receiver: std::sync::mpsc::Receiver<Sent>,
    done: &AtomicBool,
) -> (Vec<Duration>, Vec<Duration>) {
    let (mut waiting, mut visible, mut judged) = (Vec::<Sent>::new(), Vec::new(), Vec::new());
    let mut unseen = Vec::<Sent>::new();
    loop {
        let ended = done.load(Ordering::Acquire);
        let new: Vec<Sent> = receiver.try_iter().collect();
        unseen.extend(&new);
        waiting.extend(&new);
        let reading = node.progress().read();
        let now = Instant::now();
        take(&mut unseen, reading.visible_lsn, now, &mut visible);
        take(&mut waiting, reading.judge_lsn, now, &mut judged);
        let failed = reading.failure.is_some();
        if failed || (ended && new.is_empty() && waiting.is_empty() && unseen.is_empty()) {
            return (visible, judged);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn take(waiting: &mut Vec<Sent>, upto: u64, now: Instant, times: &mut Vec<Duration>) {
    waiting.retain(|(sent, lsn)| {
        let reached = *lsn <= upto;
        if reached {
            times.push(now.duration_since(*sent));
        }
        !reached
    });
}
