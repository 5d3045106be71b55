//! `yagura erase`.

use crate::cli::Usage;
use crate::cli::online::{Place, shown};
use crate::config::Config;
use clap::Args;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use yagura_api::Backend as _;
use yagura_event::TenantName;

/// How often it is asked how far it is.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Args, Debug)]
pub struct EraseArgs {
    /// The tenant
    #[arg(value_name = "TENANT")]
    pub tenant: String,
    /// Erase: without it nothing is done
    #[arg(long)]
    pub yes: bool,
    /// Configuration with the legal holds, where no server is running
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Data directory; a server may be running
    #[arg(long, value_name = "DIR", default_value = "yagura-data")]
    pub data: PathBuf,
}

/// Erases everything of a tenant and waits until nothing is left.
///
/// # Errors
/// [`Usage`] for a call without `--yes` or, where no server is running, without a configuration; a
/// refusal; those of the pipeline.
pub fn run(args: &EraseArgs) -> anyhow::Result<()> {
    let tenant = TenantName::new(&args.tenant).map_err(|error| Usage(error.to_string()))?;
    if !args.yes {
        let text = format!(
            "this would delete every record, finding and incident of {tenant} for good, also its \
             books; repeat with --yes"
        );
        return Err(Usage(text).into());
    }
    let config = Config::load(args.config.as_deref())?;
    let place = Place::of(&args.data, &config, true)?;
    if matches!(place, Place::Here(..)) && args.config.is_none() {
        place.close()?;
        let text = "no server is running: name its configuration with --config, so that legal \
                    holds are known (an empty file where there is none)";
        return Err(Usage(text.to_owned()).into());
    }
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(100));
    let ended = follow(&place, &tenant, &bar);
    bar.finish_and_clear();
    place.close()?;
    ended?;
    println!("nothing of {tenant} is left");
    Ok(())
}

fn follow(place: &Place, tenant: &TenantName, bar: &ProgressBar) -> anyhow::Result<()> {
    ask(place, tenant, true)?;
    loop {
        let state = ask(place, tenant, false)?;
        let step = state["step"].as_str().unwrap_or_default();
        if step == "done" {
            return Ok(());
        }
        bar.set_message(format!("erasing {tenant}: {}", words(step)));
        std::thread::sleep(LOOK);
    }
}

fn words(step: &str) -> &'static str {
    match step {
        "findings" => "findings and incidents",
        "tables" => "rows of the tables and the files they are in",
        "journal" => "entries of the journal",
        _ => "what deleted rows left in files",
    }
}

fn ask(place: &Place, tenant: &TenantName, begin: bool) -> anyhow::Result<Value> {
    match place {
        Place::Here(_, backend) => backend.erase(tenant, begin).map_err(shown),
        Place::Server(client, runtime) => {
            let body = json!({ "tenant": tenant.as_str(), "begin": begin });
            let answer = runtime.block_on(client.post("/private/erase", &body))?;
            Ok(serde_json::from_slice(&answer)?)
        }
    }
}
