//! The one TOML file that configures the process; `yagura config` prints the effective one.

use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Everything that can be configured. Unknown keys are refused.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the platform listens.
    pub listen: Listen,
    /// The durable log.
    pub journal: JournalConfig,
    /// The tables.
    pub lake: LakeConfig,
    /// Threads and memory between journal and tables.
    pub pipeline: PipelineConfig,
    /// Detection.
    pub rules: RulesConfig,
}

/// Listeners; until access tokens exist only loopback addresses are taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listen {
    /// API address.
    pub http: SocketAddr,
    /// Syslog over TCP.
    pub syslog_tcp: SocketAddr,
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
            syslog_tcp: SocketAddr::from(([127, 0, 0, 1], 5514)),
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
        Self { flush_bytes: 96 * 1024 * 1024, flush_interval_s: 30 }
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
        for (key, address) in
            [("listen.http", config.listen.http), ("listen.syslog_tcp", config.listen.syslog_tcp)]
        {
            if !address.ip().is_loopback() {
                return Err(format!(
                    "{key} = {address} is not a loopback address; there are no access tokens yet, \
                     so only loopback is taken"
                ));
            }
        }
        if config.journal.segment_bytes < 64 * 1024 {
            return Err("journal.segment_bytes must be at least 65536".to_owned());
        }
        if config.pipeline.inflight_bytes < 4 * 1024 * 1024 {
            return Err("pipeline.inflight_bytes must be at least 4194304".to_owned());
        }
        Ok(config)
    }

    /// The effective configuration as TOML with a comment for each key.
    pub fn to_toml(&self) -> String {
        let plain = toml::to_string(self).unwrap_or_default();
        let mut text = String::new();
        let mut table = String::new();
        for line in plain.lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                table = name.to_owned();
            } else if let Some((key, _)) = line.split_once(" = ") {
                let name = format!("{table}.{key}");
                if let Some((_, doc)) = KEY_DOCS.iter().find(|(known, _)| *known == name) {
                    text.push_str("# ");
                    text.push_str(doc);
                    text.push('\n');
                }
            }
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// One line for people on every key.
const KEY_DOCS: &[(&str, &str)] = &[
    ("listen.http", "API address; loopback only until access tokens exist"),
    ("listen.syslog_tcp", "syslog over TCP (RFC 6587); loopback only until access tokens exist"),
    (
        "journal.keep",
        "keep cut journal segments as an archive that can be replayed; once begun it goes on until its folder is removed",
    ),
    ("journal.segment_bytes", "bytes of one journal file"),
    ("journal.quota_bytes", "bytes of journal at which inputs are refused"),
    ("lake.flush_bytes", "bytes in memory at which rows are written to the tables"),
    ("lake.flush_interval_s", "seconds after which rows are written to the tables"),
    ("pipeline.workers", "parse and match threads; 0 is one for each core"),
    ("pipeline.inflight_bytes", "bytes of records between journal and consumers"),
    ("pipeline.judge_interval_ms", "milliseconds between two commits of findings"),
    ("rules.builtin", "load the rules that come with the program"),
    ("rules.paths", "further rule files and folders, beside rules/ in the data directory"),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_printed_configuration_reads_back_and_documents_every_key() {
        let text = Config::default().to_toml();
        Config::parse(&text).unwrap();
        let keys = text.lines().filter(|l| l.contains(" = ") && !l.starts_with('#')).count();
        assert_eq!(keys, KEY_DOCS.len());
        assert_eq!(text.lines().filter(|l| l.starts_with("# ")).count(), keys);
    }

    #[test]
    fn wrong_keys_and_open_listeners_are_refused() {
        assert!(Config::parse("[listen]\nhtp = 1").unwrap_err().contains("htp"));
        let error = Config::parse("[listen]\nhttp = \"0.0.0.0:8470\"").unwrap_err();
        assert!(error.contains("listen.http"));
    }
}
