//! Arguments of `yagura hunt`.

use super::DataArgs;
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub struct HuntArgs {
    /// Indicators: addresses, networks, names, URLs, hashes, mail addresses, defanged or not
    #[arg(value_name = "INDICATOR")]
    pub indicators: Vec<String>,
    /// Indicator lists: plain, CSV, STIX 2.1, MISP; `-` is standard input (end the list with
    /// another option or `--`)
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub intel: Vec<PathBuf>,
    /// Look for what is refused for its breadth, too: private and reserved addresses, wide
    /// networks, public suffixes
    #[arg(long)]
    pub wide: bool,
    /// Run these Sigma rules, files or folders, over what is kept
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub rules: Vec<PathBuf>,
    /// Run the rule in force with this id
    #[arg(long = "rule", value_name = "ID")]
    pub rule_ids: Vec<String>,
    /// With rules: over events at or after this time (RFC 3339)
    #[arg(long, value_name = "T")]
    pub from: Option<String>,
    /// With rules: over events before this time (RFC 3339)
    #[arg(long, value_name = "T")]
    pub until: Option<String>,
    /// With rules: say what would be read, and stop
    #[arg(long)]
    pub cost: bool,
    /// With rules: put what is found among the findings, marked as retrospective
    #[arg(long)]
    pub record: bool,
    /// Of what, and how it is printed
    #[command(flatten)]
    pub data: DataArgs,
}
