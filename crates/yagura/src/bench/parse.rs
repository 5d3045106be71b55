//! `bench parse`: records and bytes a second of one core, for each source.

use crate::bench::workload::{self, Lane};
use crate::bench::{Report, machine};
use crate::cli::args::BenchArgs;
use crate::engine::Engine;
use std::sync::Arc;
use yagura_detect::RuleSet;
use yagura_event::{Context, EventBatch, SourceChoice};
use yagura_parse::Sources;

/// Records parsed for one figure, at least.
const RECORDS_MIN: usize = 200_000;

/// Records in one batch, about what a unit of the pipeline's work holds.
const BATCH_RECORDS: usize = 500;

/// Parses the records of each source by name and recognised, and prints both.
///
/// # Errors
/// Inputs that cannot be read.
pub fn run(args: &BenchArgs, report: &mut Report) -> anyhow::Result<()> {
    let engine = Engine::new(Arc::new(Sources::builtin()?), Arc::new(RuleSet::load(Vec::new())));
    let lanes = workload::by_source(&engine, &workload::load(args)?);
    for lane in &lanes {
        let input = format!("{}, {} records", lane.name, lane.len());
        let named = workload::context(SourceChoice::Named(lane.name.clone()));
        let auto = workload::context(SourceChoice::Auto);
        if lane.name != "unrecognised" {
            figures(report, "parse", &lane.name, lane, cost(&engine, &named, lane), &input);
        }
        figures(report, "parse_auto", &lane.name, lane, cost(&engine, &auto, lane), &input);
    }
    Ok(())
}

/// Nanoseconds of CPU a record.
fn cost(engine: &Engine, context: &Arc<Context>, lane: &Lane) -> f64 {
    let rounds = RECORDS_MIN.div_ceil(lane.len().max(1));
    let mut batch = EventBatch::default();
    let mut pass = || {
        for (number, record) in lane.records().enumerate() {
            if number % BATCH_RECORDS == 0 {
                batch.clear();
            }
            engine.parser().parse(context, &workload::head(number as u64), record, &mut batch);
        }
    };
    pass();
    let before = machine::thread_cpu_ns();
    for _ in 0..rounds {
        pass();
    }
    let spent = machine::thread_cpu_ns().saturating_sub(before);
    spent as f64 / (rounds * lane.len()) as f64
}

fn figures(report: &mut Report, kind: &str, source: &str, lane: &Lane, ns: f64, input: &str) {
    let bytes = lane.text.len() as f64 / lane.len() as f64;
    report.add(format!("{kind}_ns_per_record/{source}"), ns, "ns", input);
    report.add(format!("{kind}_records_per_s/{source}"), 1e9 / ns, "records/s", input);
    report.add(format!("{kind}_mb_per_s/{source}"), bytes * 1e3 / ns, "MB/s", input);
}
