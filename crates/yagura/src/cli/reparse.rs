//! `yagura reparse`: records that are kept, parsed again by the source definitions as they are now.

use crate::cli::online::{Place, shown};
use crate::config::Config;
use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;
use yagura_api::Reparses as _;
use yagura_api::model::{Reparse, ReparseCost, ReparseRequest};

/// How often progress is asked for.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Args, Debug)]
pub struct ReparseArgs {
    /// Only days and buckets that may hold events of this source, or records that none could read
    #[arg(long = "source", value_name = "NAME")]
    pub sources: Vec<String>,
    /// First day of receipt, such as 2026-11-02
    #[arg(long, value_name = "DAY")]
    pub from: Option<String>,
    /// Last day of receipt
    #[arg(long, value_name = "DAY")]
    pub until: Option<String>,
    /// Say what it would come to, and stop
    #[arg(long)]
    pub cost: bool,
    /// Configuration, where no server is running
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Data directory; a server may be running
    #[arg(long, value_name = "DIR", default_value = "yagura-data")]
    pub data: PathBuf,
}

/// Parses again and waits until it is done.
///
/// # Errors
/// Unknown sources and days; definitions that cannot be loaded; a run that fails.
pub fn run(args: &ReparseArgs) -> anyhow::Result<()> {
    let place = Place::of(&args.data, &Config::load(args.config.as_deref())?, true)?;
    let (sources, from, until) = (args.sources.clone(), args.from.clone(), args.until.clone());
    let side = Side { place: &place, asked: ReparseRequest { sources, from, until } };
    let done = side.run(args.cost);
    place.close()?;
    done
}

struct Side<'a> {
    place: &'a Place,
    asked: ReparseRequest,
}

impl Side<'_> {
    fn run(&self, only_cost: bool) -> anyhow::Result<()> {
        if only_cost {
            say(&self.cost()?);
            return Ok(());
        }
        say(&self.begin()?.cost);
        let state = self.walk()?;
        let Reparse { records, partitions_done, ms, .. } = state;
        eprintln!("{records} records in {partitions_done} partitions parsed again, {ms} ms");
        Ok(())
    }

    fn cost(&self) -> anyhow::Result<ReparseCost> {
        match self.place {
            Place::Here(_, backend) => backend.reparse_cost(&self.asked).map_err(shown),
            Place::Server(..) => self.place.post("/api/v1/reparse/cost", &self.body()?),
        }
    }

    fn begin(&self) -> anyhow::Result<Reparse> {
        match self.place {
            Place::Here(_, backend) => {
                backend.begin_reparse(self.asked.clone(), "command line").map_err(shown)
            }
            Place::Server(..) => self.place.post("/api/v1/reparse", &self.body()?),
        }
    }

    fn state(&self) -> anyhow::Result<Reparse> {
        match self.place {
            Place::Here(_, backend) => backend.reparse().context("nothing is under way"),
            Place::Server(..) => self.place.get("/api/v1/reparse"),
        }
    }

    fn body(&self) -> anyhow::Result<Value> {
        Ok(serde_json::to_value(&self.asked)?)
    }

    /// Waits until it has ended.
    fn walk(&self) -> anyhow::Result<Reparse> {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} records, {msg}") {
            bar.set_style(style);
        }
        loop {
            let state = self.state()?;
            bar.set_length(state.cost.records);
            bar.set_position(state.records);
            let (done, all) = (state.partitions_done, state.cost.partitions);
            bar.set_message(format!("{done} of {all} partitions"));
            if ["waiting", "running"].contains(&state.state.as_str()) {
                std::thread::sleep(LOOK);
                continue;
            }
            bar.finish_and_clear();
            if state.state == "done" {
                return Ok(state);
            }
            let why = state.detail.unwrap_or_else(|| format!("the run was {}", state.state));
            anyhow::bail!("{why}; {done} of {all} partitions are done, and stay so");
        }
    }
}

fn say(cost: &ReparseCost) {
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    eprintln!(
        "{} partitions, {} files, {:.1} MiB, {} records; the largest partition takes {:.1} MiB beside \
         the old one",
        cost.partitions,
        cost.files,
        mebibytes(cost.bytes),
        cost.records,
        mebibytes(cost.largest_bytes)
    );
}
