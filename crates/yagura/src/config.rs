//! The one TOML file that configures the process; `yagura config` prints the effective one.

mod limits;
mod retention;

pub use limits::{DiskConfig, QueryConfig};
pub use retention::{HoldConfig, KeepConfig, RetentionConfig};

use crate::inputs::Pattern;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use yagura_collect::watch::Glob;
use yagura_event::TenantName;
use yagura_respond::{NOTIFY_EXAMPLE, NOTIFY_KEY_DOCS, NotifyConfig};

/// Everything that can be configured. Unknown keys are refused.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the platform listens.
    pub listen: Listen,
    /// The durable log.
    pub journal: JournalConfig,
    /// What is given up as the disk fills.
    pub disk: DiskConfig,
    /// The tables.
    pub lake: LakeConfig,
    /// How long records are kept.
    pub retention: RetentionConfig,
    /// Threads and memory between journal and tables.
    pub pipeline: PipelineConfig,
    /// Questions to the tables.
    pub query: QueryConfig,
    /// Detection.
    pub rules: RulesConfig,
    /// Files that are followed as they grow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub watch: Vec<WatchConfig>,
    /// Who is told of incidents.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<NotifyConfig>,
}

/// Listeners; until they encrypt, only loopback addresses are taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listen {
    /// API address.
    pub http: SocketAddr,
    /// Where people find the console, for links in notifications and as a name that requests may
    /// come to; that of `http` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console_url: Option<String>,
    /// Syslog over TCP.
    pub syslog_tcp: SocketAddr,
    /// Syslog over UDP; the address of `syslog_tcp` where absent.
    pub syslog_udp: Option<SocketAddr>,
    /// Bytes of receive buffer asked for; the kernel grants at most `net.core.rmem_max`.
    pub syslog_udp_buffer_bytes: usize,
}

impl Listen {
    /// Where syslog over UDP is taken.
    pub fn udp(&self) -> SocketAddr {
        self.syslog_udp.unwrap_or(self.syslog_tcp)
    }
}

/// Files that are followed as they grow.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchConfig {
    /// Names the feed, `watch:NAME`; under it the places of its files are kept.
    pub name: String,
    /// A file, a folder (everything below it), or a pattern with `*`, `?` and `**`.
    pub path: String,
    /// The owner of the records.
    #[serde(default = "default_tenant")]
    pub tenant: String,
    /// A source by name, or `auto`.
    #[serde(default = "auto")]
    pub source: String,
    /// Patterns such as `{host}/...` that name host and user by place below the path's
    /// fixed part.
    #[serde(default)]
    pub patterns: Vec<String>,
    /// Zone of stamps without one: IANA name or offset; UTC where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// Most watches; each has a thread.
pub const WATCHES_MAX: usize = 64;

/// Longest name of a watch, in bytes.
const WATCH_NAME_BYTES_MAX: usize = 64;

fn default_tenant() -> String {
    "default".to_owned()
}

fn auto() -> String {
    "auto".to_owned()
}

impl WatchConfig {
    fn check(&self) -> Result<(), String> {
        let wrong = |what: String| format!("watch {:?}: {what}", self.name);
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
        if self.name.is_empty()
            || self.name.len() > WATCH_NAME_BYTES_MAX
            || !self.name.bytes().all(plain)
        {
            let text = "a name has 1 to 64 of a-z, 0-9, '-', '_' and '.'";
            return Err(wrong(text.to_owned()));
        }
        Glob::parse(&self.path).map_err(|e| wrong(e.to_string()))?;
        TenantName::new(&self.tenant).map_err(|e| wrong(e.to_string()))?;
        for pattern in &self.patterns {
            Pattern::parse(pattern).map_err(|e| wrong(e.to_string()))?;
        }
        match &self.time_zone {
            Some(zone) if !yagura_parse::time::is_zone(zone) => Err(wrong(format!(
                "time zone {zone:?} is neither an IANA name nor an offset such as +09:00"
            ))),
            _ => Ok(()),
        }
    }
}

/// The durable log's settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JournalConfig {
    /// Keep cut segments as an archive that can be replayed. Once begun it goes on, also for
    /// commands without this file, until its folder `journal/kept` is removed.
    pub keep: bool,
    /// Bytes of one segment file.
    pub segment_bytes: u64,
    /// Bytes at which inputs are refused.
    pub quota_bytes: u64,
}

/// The tables' settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LakeConfig {
    /// Bytes of the memory tail at which it is written out.
    pub flush_bytes: usize,
    /// Seconds after which the memory tail is written out.
    pub flush_interval_s: u64,
}

/// Threads and memory between journal and tables.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PipelineConfig {
    /// Parse workers; 0 is one for each core.
    pub workers: usize,
    /// Bytes of records in flight between journal and consumers.
    pub inflight_bytes: usize,
    /// Milliseconds between two commits of the judge.
    pub judge_interval_ms: u64,
}

/// Detection's settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RulesConfig {
    /// Load the rules that come with the program.
    pub builtin: bool,
    /// Further rule files and folders, beside `rules/` in the data directory.
    pub paths: Vec<PathBuf>,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            http: SocketAddr::from(([127, 0, 0, 1], 8470)),
            console_url: None,
            syslog_tcp: SocketAddr::from(([127, 0, 0, 1], 5514)),
            syslog_udp: None,
            syslog_udp_buffer_bytes: 8 * 1024 * 1024,
        }
    }
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self { keep: false, segment_bytes: 64 * 1024 * 1024, quota_bytes: 8 * 1024 * 1024 * 1024 }
    }
}

impl Default for LakeConfig {
    fn default() -> Self {
        Self { flush_bytes: 256 * 1024 * 1024, flush_interval_s: 30 }
    }
}

impl Default for PipelineConfig {
    fn default() -> Self {
        Self { workers: 0, inflight_bytes: 64 * 1024 * 1024, judge_interval_ms: 1_000 }
    }
}

impl Default for RulesConfig {
    fn default() -> Self {
        Self { builtin: true, paths: Vec::new() }
    }
}

/// Why a configuration is refused; the process then changes nothing.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read configuration {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is not valid.
    #[error("configuration {path}: {message}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column where known.
        message: String,
    },
}

impl Config {
    /// Reads `path`, or the defaults where there is none.
    ///
    /// # Errors
    /// [`ConfigError`] names file, place and what is wrong.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(&text)
            .map_err(|message| ConfigError::Invalid { path: path.to_owned(), message })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|e| e.to_string())?;
        let listen = &config.listen;
        for (key, address) in [
            ("listen.http", listen.http),
            ("listen.syslog_tcp", listen.syslog_tcp),
            ("listen.syslog_udp", listen.udp()),
        ] {
            if !address.ip().is_loopback() {
                return Err(format!(
                    "{key} = {address} is not a loopback address; listeners do not encrypt yet, so \
                     only loopback is taken: put a proxy or a relay in front"
                ));
            }
        }
        if config.journal.segment_bytes < 64 * 1024 {
            return Err("journal.segment_bytes must be at least 65536".to_owned());
        }
        config.disk.check()?;
        config.retention.retention()?;
        if config.pipeline.inflight_bytes < 4 * 1024 * 1024 {
            return Err("pipeline.inflight_bytes must be at least 4194304".to_owned());
        }
        config.query.check()?;
        if config.watch.len() > WATCHES_MAX {
            return Err(format!("there are more than {WATCHES_MAX} watches"));
        }
        for (index, watch) in config.watch.iter().enumerate() {
            watch.check()?;
            let same = |other: &WatchConfig| other.name == watch.name;
            if config.watch.get(..index).unwrap_or_default().iter().any(same) {
                return Err(format!("two watches are called {:?}", watch.name));
            }
        }
        yagura_respond::check_all(&config.notify)?;
        Ok(config)
    }

    /// The effective configuration as TOML with a comment for each key.
    pub fn to_toml(&self) -> String {
        let mut effective = self.clone();
        effective.listen.syslog_udp = Some(self.listen.udp());
        let plain = toml::to_string(&effective).unwrap_or_default();
        let mut text = String::new();
        let mut table = String::new();
        for line in plain.lines() {
            if line.starts_with('[') && line.ends_with(']') {
                table = line.trim_matches(['[', ']']).to_owned();
            } else if let Some((key, _)) = line.split_once(" = ") {
                let name = format!("{table}.{key}");
                let mut docs = KEY_DOCS.iter().chain(NOTIFY_KEY_DOCS);
                if let Some((_, doc)) = docs.find(|(known, _)| *known == name) {
                    text.push_str("# ");
                    text.push_str(doc);
                    text.push('\n');
                }
            }
            text.push_str(line);
            text.push('\n');
        }
        if self.retention.keep.is_empty() && self.retention.hold.is_empty() {
            text.push_str(RETENTION_EXAMPLE);
        }
        if self.watch.is_empty() {
            text.push_str(WATCH_EXAMPLE);
        }
        if self.notify.is_empty() {
            text.push_str(NOTIFY_EXAMPLE);
        }
        text
    }
}

/// What further retention looks like, printed where none is configured.
const RETENTION_EXAMPLE: &str = "
#[[retention.keep]]           # other days for a tenant, a class, or both (repeatable)
#tenant = \"acme\"             # all tenants where absent
#class = 4001                 # OCSF class, all where absent
#days = 90                    # 0 keeps for ever

#[[retention.hold]]           # stays whatever else is said (repeatable)
#reason = \"case 2026-17\"     # why
#tenant = \"acme\"             # all tenants where absent
#from = \"2026-01-01\"         # first day of receipt, UTC; all before where absent
#until = \"2026-03-31\"        # last day of receipt; all after where absent
";

/// What a watch looks like, printed where none is configured.
const WATCH_EXAMPLE: &str = "
#[[watch]]                    # follows log files as they grow (repeatable)
#name = \"web\"                 # names the feed, watch:web
#path = \"/var/log/nginx\"      # file, folder, or pattern with *, ? and **
#tenant = \"default\"           # owner of the records
#source = \"auto\"              # source by name, or auto
#patterns = [\"{host}/...\"]    # names host and user by place below the path's fixed part
#time_zone = \"Asia/Tokyo\"     # zone of stamps without one; UTC where absent
";

/// One line for people on every key.
const KEY_DOCS: &[(&str, &str)] = &[
    ("listen.http", "API and console; loopback only, since it does not encrypt yet"),
    (
        "listen.console_url",
        "where people find the console, also through a proxy; that of http where absent",
    ),
    (
        "listen.syslog_tcp",
        "syslog over TCP (RFC 6587); loopback only, since it does not encrypt yet",
    ),
    ("listen.syslog_udp", "syslog over UDP (RFC 5426); the address of syslog_tcp where absent"),
    (
        "listen.syslog_udp_buffer_bytes",
        "receive buffer asked for; the kernel grants at most net.core.rmem_max",
    ),
    (
        "journal.keep",
        "keep cut journal segments as an archive that can be replayed; once begun it goes on until its folder is removed",
    ),
    ("journal.segment_bytes", "bytes of one journal file"),
    ("journal.quota_bytes", "bytes of journal at which inputs are refused"),
    ("disk.warn_free_bytes", "free bytes below which a warning is given"),
    ("disk.stop_compaction_free_bytes", "free bytes below which data files are not rewritten"),
    ("disk.refuse_free_bytes", "free bytes below which inputs are refused"),
    ("disk.ballast_bytes", "bytes a server keeps for what was taken already; 0 keeps none"),
    ("lake.flush_bytes", "bytes in memory at which rows are written to the tables"),
    ("lake.flush_interval_s", "seconds after which rows are written to the tables"),
    ("retention.days", "days that records are kept, counted from receipt; 0 keeps them for ever"),
    ("retention.keep.tenant", "tenant whose records are kept otherwise; all where absent"),
    ("retention.keep.class", "OCSF class whose records are kept otherwise; all where absent"),
    ("retention.keep.days", "days that they are kept; 0 keeps them for ever"),
    ("retention.hold.reason", "why records stay whatever else is said: a case, an order"),
    ("retention.hold.tenant", "tenant whose records stay; all where absent"),
    ("retention.hold.from", "first day of receipt (UTC); all before where absent"),
    ("retention.hold.until", "last day of receipt; all after where absent"),
    ("pipeline.workers", "parse and match threads; 0 is one for each core"),
    ("pipeline.inflight_bytes", "bytes of records between journal and consumers"),
    ("pipeline.judge_interval_ms", "milliseconds after which incidents are made of new findings"),
    ("query.memory_bytes", "bytes of memory of all queries together; each has an equal part"),
    ("query.concurrent", "queries that run at once"),
    ("query.waiting", "queries that wait for a place; more are refused with status 429"),
    ("query.wait_s", "seconds that one waits at most"),
    ("query.time_s", "seconds that one runs at most"),
    ("query.rows_max", "rows of an answer at most"),
    ("query.spill_bytes", "bytes on disk of all queries together; each has an equal part"),
    ("rules.builtin", "load the rules that come with the program"),
    ("rules.paths", "further rule files and folders, beside rules/ in the data directory"),
    ("watch.name", "names the feed, watch:NAME"),
    ("watch.path", "file, folder, or pattern with *, ? and **"),
    ("watch.tenant", "owner of the records"),
    ("watch.source", "source by name, or auto"),
    ("watch.patterns", "names host and user by place below the path's fixed part"),
    ("watch.time_zone", "zone of stamps without one; UTC where absent"),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_printed_configuration_reads_back_and_documents_every_key() {
        let watch = WatchConfig {
            name: "web".to_owned(),
            path: "/var/log/nginx/*.log".to_owned(),
            tenant: default_tenant(),
            source: auto(),
            patterns: vec!["{host}.log".to_owned()],
            time_zone: Some("Asia/Tokyo".to_owned()),
        };
        let tenant = Some("acme".to_owned());
        let keep = KeepConfig { tenant: tenant.clone(), class: Some(4001), days: 90 };
        let day = |text: &str| Some(text.to_owned());
        let (from, until) = (day("2026-01-01"), day("2026-03-31"));
        let hold = HoldConfig { reason: "case".to_owned(), tenant, from, until };
        let retention = RetentionConfig { days: 365, keep: vec![keep], hold: vec![hold] };
        let console_url = day("https://soc.example.org");
        let listen = Listen { console_url, ..Listen::default() };
        let config = Config { listen, watch: vec![watch], retention, ..Config::default() };
        let text = config.to_toml();
        assert_eq!(Config::parse(&text).unwrap().to_toml(), text);
        let keys = text.lines().filter(|l| l.contains(" = ") && !l.starts_with('#')).count();
        assert_eq!(keys, KEY_DOCS.len());
        assert_eq!(text.lines().filter(|l| l.starts_with("# ")).count(), keys);
    }

    #[test]
    fn wrong_keys_and_open_listeners_are_refused() {
        assert!(Config::parse("[listen]\nhtp = 1").unwrap_err().contains("htp"));
        let error = Config::parse("[listen]\nhttp = \"0.0.0.0:8470\"").unwrap_err();
        assert!(error.contains("listen.http"));
        let error = Config::parse("[disk]\nwarn_free_bytes = 5").unwrap_err();
        assert!(error.contains("must not rise"), "{error}");
        let error = Config::parse("[disk]\nballast_bytes = 268435457").unwrap_err();
        assert!(error.contains("half of disk.refuse_free_bytes"), "{error}");
        let error = Config::parse("[listen]\nsyslog_udp = \"192.0.2.1:514\"").unwrap_err();
        assert!(error.contains("listen.syslog_udp"));
    }

    #[test]
    fn queries_have_memory_and_time() {
        for (text, key) in [
            ("concurrent = 0", "query.concurrent"),
            ("concurrent = 65", "query.concurrent"),
            ("memory_bytes = 67108863", "query.memory_bytes"),
            ("time_s = 0", "query.time_s"),
        ] {
            assert!(
                Config::parse(&format!("[query]\n{text}")).unwrap_err().contains(key),
                "{text}"
            );
        }
        assert!(Config::parse("[query]\nmemory_bytes = 67108864").is_ok());
    }

    #[test]
    fn the_printed_examples_work() {
        let text = Config::default().to_toml();
        let (_, example) = text.split_once("\n#[[retention.keep]]").unwrap();
        let example = format!("#[[retention.keep]]{example}").replace("\n#", "\n");
        let config = Config::parse(example.trim_start_matches('#')).unwrap();
        assert_eq!((config.retention.keep.len(), config.retention.hold.len()), (1, 1));
        assert_eq!((config.watch[0].name.as_str(), config.watch.len()), ("web", 1));
    }

    #[test]
    fn wrong_watches_are_refused() {
        for (text, word) in [
            ("name = \"\"\npath = \"/a\"", "a name has"),
            ("name = \"a\"\npath = \"a\"", "not absolute"),
            ("name = \"a\"\npath = \"/a\"\ntenant = \"A B\"", "tenant"),
            ("name = \"a\"\npath = \"/a\"\npatterns = [\"{x}\"]", "only {host}"),
            ("name = \"a\"\npath = \"/a\"\ntime_zone = \"Mars\"", "time zone"),
            ("name = \"a\"\npath = \"/a\"\n[[watch]]\nname = \"a\"\npath = \"/b\"", "two watches"),
        ] {
            let error = Config::parse(&format!("[[watch]]\n{text}")).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
        let many: String = (0..=WATCHES_MAX)
            .map(|n| format!("[[watch]]\nname = \"w{n}\"\npath = \"/a\"\n"))
            .collect();
        assert!(Config::parse(&many).unwrap_err().contains("more than 64"));
    }
}
