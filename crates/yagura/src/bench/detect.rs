//! `bench detect`: what matching costs an event, for each source, with all rules given.

use crate::bench::workload::{self, Lane};
use crate::bench::{Report, machine};
use crate::cli::args::BenchArgs;
use crate::engine::{Engine, Scratch};
use crate::intel::Intel;
use crate::rules;
use std::sync::Arc;
use yagura_enrich::Indicators;
use yagura_event::{EventBatch, SourceChoice};
use yagura_parse::Sources;

/// Events matched for one figure, at least.
const EVENTS_MIN: usize = 200_000;

/// Matches the events of each source and prints nanoseconds an event, matches, rules met.
///
/// # Errors
/// Inputs that cannot be read.
pub fn run(args: &BenchArgs, report: &mut Report) -> anyhow::Result<()> {
    let set = rules::load(true, None, &args.rules);
    eprintln!("{} rules", set.rules.len());
    let mut engine = Engine::new(Arc::new(Sources::builtin()?), Arc::new(set));
    if !args.intel.is_empty() {
        let intel = Intel::load(&args.intel, &[], false)?;
        eprintln!("{}", intel.report);
        engine = engine.with_indicators(Some(intel.set));
    }
    for lane in workload::by_source(&engine, &workload::load(args)?) {
        let input = format!("{}, {} records", lane.name, lane.len());
        let (first, steady, hits) = cost(&engine, &lane);
        let name = &lane.name;
        report.add(format!("detect_first_ns_per_event/{name}"), first, "ns", &input);
        report.add(format!("detect_ns_per_event/{name}"), steady, "ns", &input);
        report.add(format!("detect_events_per_s/{name}"), 1e9 / steady, "events/s", &input);
        report.add(format!("detect_hits_per_1000/{name}"), hits * 1e3, "hits", &input);
        if let Some(indicators) = engine.indicators() {
            let (steady, hits) = intel_cost(&engine, indicators, &lane);
            report.add(format!("intel_ns_per_event/{name}"), steady, "ns", &input);
            report.add(format!("intel_hits_per_1000/{name}"), hits * 1e3, "hits", &input);
        }
    }
    Ok(())
}

/// Nanoseconds an event of looking indicators up, matches built, and matches an event.
fn intel_cost(engine: &Engine, indicators: &Indicators, lane: &Lane) -> (f64, f64) {
    let batch = parsed(engine, lane);
    let (mut scratch, mut out) = (Scratch::default(), Vec::new());
    let rounds = EVENTS_MIN.div_ceil(lane.len().max(1));
    let (mut hits, before) = (0, machine::thread_cpu_ns());
    for _ in 0..rounds {
        for event in batch.iter() {
            indicators.matches(event, "", &mut scratch.indicators, &mut out);
            hits += out.len();
            out.clear();
        }
    }
    let spent = machine::thread_cpu_ns().saturating_sub(before);
    let events = rounds as f64 * lane.len() as f64;
    (spent as f64 / events, hits as f64 / events)
}

fn parsed(engine: &Engine, lane: &Lane) -> EventBatch {
    let context = workload::context(SourceChoice::Auto);
    let mut batch = EventBatch::default();
    for (number, record) in lane.records().enumerate() {
        engine.parser().parse(&context, &workload::head(number as u64), record, &mut batch);
    }
    batch
}

/// Nanoseconds an event of a first and of later passes, and hits an event.
fn cost(engine: &Engine, lane: &Lane) -> (f64, f64, f64) {
    let batch = parsed(engine, lane);
    let mut scratch = Scratch::default();
    let mut pass = || {
        let mut hits = 0;
        let before = machine::thread_cpu_ns();
        for event in batch.iter() {
            scratch.hits.clear();
            engine.matcher().matches(event, &mut scratch.matcher, &mut scratch.hits);
            hits += scratch.hits.len();
        }
        (machine::thread_cpu_ns().saturating_sub(before), hits)
    };
    let events = lane.len() as f64;
    let (first, hits) = pass();
    let rounds = EVENTS_MIN.div_ceil(lane.len().max(1));
    let spent: u64 = (0..rounds).map(|_| pass().0).sum();
    (first as f64 / events, spent as f64 / (rounds as f64 * events), hits as f64 / events)
}
