//! `yagura backup`.

use crate::cli::Usage;
use crate::cli::args::{CheckArgs, Format};
use crate::cli::check;
use crate::cli::online::{Place, shown};
use crate::config::Config;
use crate::node::backup::Copied;
use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};
use std::io::{self, Write as _};
use std::path::PathBuf;
use yagura_api::Backend as _;

#[derive(Args, Debug)]
pub struct BackupArgs {
    /// Do not compare the copy with its checksums
    #[arg(long)]
    pub no_check: bool,
    /// Data directory; a server may be running
    #[arg(long, value_name = "DIR", default_value = "yagura-data")]
    pub data: PathBuf,
    /// Folder for the copy, empty or not there
    #[arg(value_name = "TO")]
    pub to: PathBuf,
}

/// Copies a data directory and checks the copy; false where that is damaged.
///
/// # Errors
/// A folder that is taken, and those of reading and writing.
pub fn run(args: &BackupArgs) -> anyhow::Result<bool> {
    let to = std::path::absolute(&args.to).context("the folder for the copy")?;
    if to.to_str().is_none() {
        return Err(Usage(format!("{} is not UTF-8", to.display())).into());
    }
    let place = Place::of(&args.data, &Config::default(), true)?;
    let answer = match &place {
        Place::Here(_, backend) => backend.backup(&to).map_err(shown),
        Place::Server(client, runtime) => {
            let body = json!({ "to": to });
            let done = runtime.block_on(client.post("/private/backup", &body))?;
            serde_json::from_slice::<Value>(&done).context("the server's answer")
        }
    };
    place.close()?;
    let copied: Copied = serde_json::from_value(answer?)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{} files, {} bytes in {}", copied.files, copied.bytes, to.display())?;
    if args.no_check {
        return Ok(true);
    }
    drop(out);
    let (full, repair, format) = (false, false, Format::Table);
    check::run(&CheckArgs { full, repair, format, data: to })
}
