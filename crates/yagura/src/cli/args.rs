//! The command line's grammar: a contract, since other programs call it.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Collect every record, detect, and open the few incidents that matter.
#[derive(Parser, Debug)]
#[command(name = "yagura", version, about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the platform: syslog and HTTP in, findings and incidents out
    Up(UpArgs),
    /// Run the platform on a fresh data directory and replay a made-up company's attack story
    Demo(DemoArgs),
    /// List the log sources that can be read
    Sources(FormatArgs),
    /// Print one OCSF event (NDJSON) for each record of the inputs
    Parse(ParseArgs),
    /// Match files against rules without a server
    Scan(ScanArgs),
    /// Work with detection rules
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Take files into a data directory or a running server as one batch
    Ingest(IngestArgs),
    /// Ask the lake in SQL
    Sql(SqlArgs),
    /// List incidents, or show one
    Incidents(IncidentsArgs),
    /// List findings
    Findings(FindingsArgs),
    /// Print the double-entry table of records received and what became of them
    Books(DataArgs),
    /// Print the effective configuration
    Config(ConfigArgs),
}

#[derive(Args, Debug)]
pub struct UpArgs {
    /// Configuration file (TOML); `yagura config` prints every key
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Data directory
    #[arg(long, value_name = "DIR", default_value = "yagura-data")]
    pub data: PathBuf,
}

#[derive(Args, Debug)]
pub struct DemoArgs {
    /// Keep (and reuse) the data directory DIR instead of a temporary one
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Seed of the story's generator
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Stop after the story instead of going on serving
    #[arg(long)]
    pub once: bool,
}

#[derive(Args, Debug)]
pub struct FormatArgs {
    /// Output form
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    /// Columns for people
    Table,
    /// One JSON object a line
    Ndjson,
    /// Comma-separated values with a header
    Csv,
    /// One line per match in order of time
    Timeline,
}

#[derive(Args, Debug)]
pub struct TimeArgs {
    /// Time against which stamps without a year are resolved (RFC 3339)
    #[arg(long, value_name = "T")]
    pub reference_time: Option<String>,
    /// Zone of stamps without one: IANA name or offset such as +09:00; UTC where absent
    #[arg(long, value_name = "Z")]
    pub time_zone: Option<String>,
    /// Charset of the inputs: utf-8, utf-16le, utf-16be, shift_jis (cp932), euc-jp, iso-2022-jp;
    /// recognised where absent
    #[arg(long, value_name = "C")]
    pub charset: Option<String>,
}

#[derive(Args, Debug)]
pub struct ParseArgs {
    /// Source by name, or `auto` for recognition
    #[arg(long, value_name = "NAME")]
    pub source: String,
    #[command(flatten)]
    pub time: TimeArgs,
    /// Files; `-` or none is standard input
    #[arg(value_name = "FILE")]
    pub inputs: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub struct ScanArgs {
    /// Rule files or folders (end the list with another option or `--`); replace the default
    /// rules
    #[arg(long, value_name = "PATH", num_args = 1.., required = true)]
    pub rules: Vec<PathBuf>,
    /// Source by name, or `auto` for recognition
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub source: String,
    /// Lowest level reported: informational, low, medium, high, critical
    #[arg(long, value_name = "L", default_value = "informational")]
    pub min_level: String,
    #[command(flatten)]
    pub time: TimeArgs,
    /// Print findings (matches of one rule and group together, correlations) instead of matches
    #[arg(long)]
    pub dedup: bool,
    /// Output form
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Files and folders; `-` is standard input
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub enum RulesCommand {
    /// Print diagnostics; exit 1 if a rule cannot be loaded
    Check {
        /// Rule files or folders
        #[arg(value_name = "PATH", required = true)]
        paths: Vec<PathBuf>,
    },
    /// List rules, and those that cannot be loaded
    List {
        /// Rule files or folders; the default rules where absent
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// Output form
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
}

#[derive(Args, Debug)]
pub struct IngestArgs {
    /// Tenant that owns the records
    #[arg(long, default_value = "default")]
    pub tenant: String,
    /// Source by name, or `auto` for recognition
    #[arg(long, value_name = "S", default_value = "auto")]
    pub source: String,
    /// Names host and user by place in the path below a folder, such as '{host}/...' (repeatable)
    #[arg(long, value_name = "PATTERN")]
    pub path: Vec<String>,
    /// Further rule files or folders for this data directory's rules in force (end the list
    /// with another option or `--`)
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub rules: Vec<PathBuf>,
    #[command(flatten)]
    pub time: TimeArgs,
    /// Take files again that are known already
    #[arg(long)]
    pub again: bool,
    /// Data directory
    #[arg(long, value_name = "DIR", default_value = "yagura-data")]
    pub data: PathBuf,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Files and folders
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub struct SqlArgs {
    /// The query
    #[arg(value_name = "SQL")]
    pub sql: String,
    /// Only this tenant's rows
    #[arg(long)]
    pub tenant: Option<String>,
    /// Data directory
    #[arg(long, value_name = "DIR", default_value = "yagura-data")]
    pub data: PathBuf,
    /// Output form (`timeline` is not one of them)
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

#[derive(Args, Debug)]
pub struct IncidentsArgs {
    /// The incident to show
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    #[command(flatten)]
    pub data: DataArgs,
}

#[derive(Args, Debug)]
pub struct FindingsArgs {
    #[command(flatten)]
    pub data: DataArgs,
    /// Most findings printed, newest first
    #[arg(long, default_value_t = 10_000)]
    pub limit: usize,
}

#[derive(Args, Debug)]
pub struct DataArgs {
    /// Only this tenant
    #[arg(long)]
    pub tenant: Option<String>,
    /// Data directory
    #[arg(long, value_name = "DIR", default_value = "yagura-data")]
    pub data: PathBuf,
    /// Output form
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

#[derive(Args, Debug)]
pub struct ConfigArgs {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}
