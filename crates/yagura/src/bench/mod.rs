//! `yagura bench`: repeatable measurements, each figure with machine, input and unit.

mod detect;
mod duckdb;
mod hunt;
mod lake;
mod latency;
mod machine;
mod marks;
mod needles;
mod parse;
mod pipeline;
mod planter;
mod query_load;
mod stages;
mod sustained;
mod web;
mod workload;

use crate::cli::args::{BenchArgs, BenchName, Format};
use crate::cli::{Usage, rules_there, table};
use serde_json::json;
use std::io::{self, Write};

/// Runs one benchmark and prints its figures.
///
/// # Errors
/// Inputs that cannot be read; a run whose stored records are not those it was fed, for then
/// no rate is printed.
pub fn run(args: &BenchArgs) -> anyhow::Result<()> {
    if !matches!(args.format, Format::Table | Format::Ndjson) {
        return Err(Usage("`--format` of a benchmark is `table` or `ndjson`".to_owned()).into());
    }
    rules_there(&args.rules)?;
    machine::describe();
    let mut report = Report::new(args);
    let ran = match args.name {
        BenchName::Parse => parse::run(args, &mut report),
        BenchName::Detect => detect::run(args, &mut report),
        BenchName::Pipeline => pipeline::run(args, &mut report),
        BenchName::Latency => latency::run(args, &mut report),
        BenchName::Lake => lake::run(args, &mut report),
        BenchName::QueryLoad => query_load::run(args, &mut report),
    };
    // What was taken before a failure took its time, too.
    report.print()?;
    ran
}

/// The figures of one run, in the order in which they were taken.
pub struct Report {
    bench: &'static str,
    format: Format,
    figures: Vec<Figure>,
}

struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    input: String,
}

impl Report {
    fn new(args: &BenchArgs) -> Self {
        let bench = match args.name {
            BenchName::Parse => "parse",
            BenchName::Detect => "detect",
            BenchName::Pipeline => "pipeline",
            BenchName::Latency => "latency",
            BenchName::Lake => "lake",
            BenchName::QueryLoad => "query-load",
        };
        Self { bench, format: args.format, figures: Vec::new() }
    }

    /// Adds a figure. `input` says over what it was taken.
    pub fn add(&mut self, name: impl Into<String>, value: f64, unit: &'static str, input: &str) {
        self.figures.push(Figure { name: name.into(), value, unit, input: input.to_owned() });
    }

    fn print(&self) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        if self.format == Format::Ndjson {
            for figure in &self.figures {
                let line = json!({
                    "bench": self.bench,
                    "figure": figure.name,
                    "value": figure.value,
                    "unit": figure.unit,
                    "input": figure.input,
                });
                writeln!(out, "{line}")?;
            }
            return Ok(());
        }
        let rows: Vec<Vec<String>> = self
            .figures
            .iter()
            .map(|f| vec![f.name.clone(), shown(f.value), f.unit.to_owned(), f.input.clone()])
            .collect();
        let text = table::render(&["figure", "value", "unit", "input"], &rows);
        Ok(out.write_all(text.as_bytes())?)
    }
}

/// A number with as many digits as a person compares.
fn shown(value: f64) -> String {
    if value.abs() >= 100.0 {
        format!("{value:.0}")
    } else if value.abs() >= 1.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.4}")
    }
}
