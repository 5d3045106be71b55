//! The command line's grammar: a contract, since other programs call it.

mod hunt;

pub use hunt::HuntArgs;

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
    Demo(crate::cli::demo::DemoArgs),
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
    /// Find events: fields, words, phrases, wildcards, ranges, time
    Search(SearchArgs),
    /// Ask the lake in SQL
    Sql(SqlArgs),
    /// Ask the lake by pipes: events | where ... | summarize ...
    Query(QueryArgs),
    /// Look for up to 100,000 indicators in everything that is kept: seen by whom, when
    Hunt(HuntArgs),
    /// List incidents, or show one
    Incidents(IncidentsArgs),
    /// List findings
    Findings(FindingsArgs),
    /// Print the double-entry table of records received and what became of them
    Books(DataArgs),
    /// Compare a data directory with what says how it was written; exit 1 on any damage
    Check(CheckArgs),
    /// Copy a data directory, also of a running server, and check the copy
    Backup(crate::cli::backup::BackupArgs),
    /// Delete everything of a tenant for good, also of a running server
    Erase(crate::cli::erase::EraseArgs),
    /// Parse again what is kept, after a source definition has changed, also of a running server
    Reparse(crate::cli::reparse::ReparseArgs),
    /// Make, list and take away tokens of programs that use the API
    Token(crate::cli::access::TokenArgs),
    /// Give the administrator a new password and print it
    Password(crate::cli::access::AccessArgs),
    /// Measure: each figure with its input and the machine
    Bench(BenchArgs),
    /// Print the effective configuration
    Config(ConfigArgs),
    /// Write made-up logs of many tenants with attacks among them, and a file that says where
    Generate(GenerateArgs),
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

/// Forms of an answer of the tables.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum TableFormat {
    /// Columns for people
    Table,
    /// One JSON object a line
    Ndjson,
    /// Comma-separated values with a header
    Csv,
    /// A Parquet file
    Parquet,
    /// A stream of Arrow's IPC form
    Arrow,
}

impl TableFormat {
    /// Its name in requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
        }
    }

    /// Whether only programs can read it.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Parquet | Self::Arrow)
    }
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
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub rules: Vec<PathBuf>,
    /// Indicator lists: plain, CSV, STIX 2.1, MISP; files, folders or archives (end the list with
    /// another option or `--`); alone, no rules run
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub intel: Vec<PathBuf>,
    /// Warning lists (MISP's form): hits that they cover are counted and not shown
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "intel")]
    pub warninglist: Vec<PathBuf>,
    /// Take indicators that are refused for their breadth, too: private and reserved addresses,
    /// wide networks, public suffixes, and what is marked as not for detection
    #[arg(long, requires = "intel")]
    pub intel_wide: bool,
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
    /// Switch a rule on again, also of a running server
    Enable(crate::cli::switch::SwitchArgs),
    /// Switch a rule off, also of a running server: it finds nothing until it is on again
    Disable(crate::cli::switch::SwitchArgs),
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
    /// Files and folders, archives and compressed files among them; `-` is standard input
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = SEARCH_HELP)]
pub struct SearchArgs {
    /// The query, such as 'user:nina* -status:Success earliest:-1d'; '' is every event
    #[arg(value_name = "QUERY", allow_hyphen_values = true)]
    pub query: String,
    /// Columns shown, by field name, in order
    #[arg(long, value_name = "A,B,C")]
    pub columns: Option<String>,
    /// Most events shown, 1 to 100000
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub limit: usize,
    /// Column to sort by, `-` before it for descending
    #[arg(long, value_name = "FIELD", default_value = "-time", allow_hyphen_values = true)]
    pub sort: String,
    /// Print only how many events match
    #[arg(long, conflicts_with_all = ["columns", "limit", "sort"])]
    pub count: bool,
    /// Walk the files one by one from the newest back, with progress; events appear as they are
    /// found (ndjson). For searches that no index helps, over more than a minute's worth of files
    #[arg(long, conflicts_with_all = ["sort", "count"])]
    pub background: bool,
    /// Of what, and how it is printed
    #[command(flatten)]
    pub over: OverTables,
}

const SEARCH_HELP: &str = "\
Query:
  failed password            both words in the record, case ignored
  \"failed password\"          the phrase
  user:nina* src_ip:10.0.0.0/8   fields: wildcards * and ?, networks
  dst_port:[1 TO 1023] http_response.code:>=500   ranges
  status:Failure class:authentication severity:>=high   captions of enumerations
  unmapped.LogonType:3       a source's own field
  file.path:*                the field exists
  process.cmd_line:/-enc\\s+\\S{40}/   regular expression
  a OR b, NOT a, -a, (a b) OR c, user:(nina OR root)   AND needs no word
  earliest:-1d latest:now    time of the event: -15m, -1d@d, 2026-11-22, RFC 3339, epoch
docs/search.md lists every field and form.";

/// What a query over the tables is asked of, and the form of its answer.
#[derive(Args, Debug)]
pub struct OverTables {
    /// Only this tenant's rows
    #[arg(long)]
    pub tenant: Option<String>,
    /// Data directory
    #[arg(long, value_name = "DIR", default_value = "yagura-data")]
    pub data: PathBuf,
    /// Output form; parquet and arrow are not written to a terminal
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    pub format: TableFormat,
    /// Write the answer into FILE, which appears when it is whole
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct SqlArgs {
    /// The query
    #[arg(value_name = "SQL")]
    pub sql: String,
    /// Of what, and how it is printed
    #[command(flatten)]
    pub over: OverTables,
}

#[derive(Args, Debug)]
pub struct QueryArgs {
    /// The query, in the language of docs/pipe.md
    #[arg(value_name = "PIPE")]
    pub query: String,
    /// Of what, and how it is printed
    #[command(flatten)]
    pub over: OverTables,
}

#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Compare every index with its data file, not one in sixteen
    #[arg(long)]
    pub full: bool,
    /// Make indexes anew that are missing or damaged; nothing else is repaired
    #[arg(long)]
    pub repair: bool,
    /// Output form: table or ndjson
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Data directory, of which no server is running
    #[arg(value_name = "DATA")]
    pub data: PathBuf,
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

#[derive(Args, Debug)]
#[command(group(clap::ArgGroup::new("size").required(true).args(["records", "bytes"])))]
pub struct GenerateArgs {
    /// Records in all
    #[arg(long, value_name = "N")]
    pub records: Option<u64>,
    /// Bytes in all, such as 512M or 20G (powers of 1,024)
    #[arg(long, value_name = "N", value_parser = bytes)]
    pub bytes: Option<u64>,
    /// Seed: the same one gives the same bytes
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Tenants, 1 to 50, the largest first
    #[arg(long, value_name = "T", default_value_t = 5)]
    pub tenants: usize,
    /// Planted attacks; the kinds take turns, and so do the tenants
    #[arg(long, value_name = "K", default_value_t = 5)]
    pub attacks: usize,
    /// Moment of the first record (RFC 3339)
    #[arg(long, value_name = "T", default_value = "2026-01-05T06:00:00Z")]
    pub start: String,
    /// Records a second in the mean of a day; where absent the records last eight hours
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
    /// Only this lane, such as cisco_asa
    #[arg(long, value_name = "NAME")]
    pub lane: Option<String>,
    /// Directory to write into; made if absent, refused if not empty
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// A number of bytes with `K`, `M`, `G` or `T` behind it, or nothing.
fn bytes(text: &str) -> Result<u64, String> {
    let (digits, power) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 1),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 2),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 3),
        Some(b'T' | b't') => (&text[..text.len() - 1], 4),
        _ => (text, 0),
    };
    let number: u64 = digits.parse().map_err(|_| "it is not a number of bytes".to_owned())?;
    number.checked_mul(1 << (10 * power)).ok_or_else(|| "it is too large".to_owned())
}

#[derive(Args, Debug)]
pub struct BenchArgs {
    /// What to measure
    #[arg(value_enum, value_name = "NAME")]
    pub name: BenchName,
    /// Records fed, at least
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub records: u64,
    /// Records a second of `latency`; where absent several rates, and a search for the highest
    /// that is sustained
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub rate: Option<u64>,
    /// Seconds at each rate of `latency`
    #[arg(long, value_name = "S", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub seconds: u64,
    /// Rule files or folders beside those that come with the program (end the list with another
    /// option or `--`)
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub rules: Vec<PathBuf>,
    /// Indicator lists in force in `detect` and `pipeline`
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub intel: Vec<PathBuf>,
    /// Files and folders whose records are fed, over and over; generated ones (an operator's mix)
    /// where absent
    #[arg(long, value_name = "INPUT", num_args = 1..)]
    pub input: Vec<PathBuf>,
    /// Seed of the generated records
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Tenants of the generated records
    #[arg(long, value_name = "T", default_value_t = 8)]
    pub tenants: usize,
    /// New data directory of `pipeline`, `latency` and `lake`, kept; a temporary one where absent.
    /// `lake` queries one that is there already
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Python with the package `duckdb`, by which the queries of `lake` are run as well
    #[arg(long, value_name = "PYTHON")]
    pub duckdb: Option<PathBuf>,
    /// Output form: table or ndjson
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum BenchName {
    /// Parsing, records a second of one core for each source
    Parse,
    /// Matching, nanoseconds an event for each source
    Detect,
    /// The whole way, from records to committed tables and findings
    Pipeline,
    /// Time from receipt to visible and judged at steady rates
    Latency,
    /// Writing many records, their size, and how fast things are found in them
    Lake,
    /// What hostile queries take from intake, and from memory
    QueryLoad,
}
