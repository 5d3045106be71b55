//! What a loaded rule is: its head, its kind, and what was wrong with those that failed.

use std::collections::BTreeMap;
use std::fmt;
use yagura_event::{Level, Micros};

/// Index of a rule in [`crate::RuleSet::rules`]; holds for one rule set only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct RuleIndex(pub u32);

impl RuleIndex {
    /// The index as a position.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// The logsource a rule names (Sigma 2.1, "log source"); lower case.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct RuleLogsource {
    /// `product`; `ocsf` for rules written against OCSF columns.
    pub product: Option<String>,
    /// `service`.
    pub service: Option<String>,
    /// `category`; the class name for the product `ocsf`.
    pub category: Option<String>,
}

/// A rule's head.
#[derive(Clone, PartialEq, Debug)]
pub struct RuleInfo {
    /// Sigma `id`, else a hash of the document.
    pub id: String,
    /// Sigma `name`.
    pub name: Option<String>,
    /// Sigma `title`.
    pub title: String,
    /// Sigma `description`; empty where absent.
    pub description: String,
    /// Sigma `level`; informational where absent.
    pub level: Level,
    /// Sigma `status`; empty where absent.
    pub status: String,
    /// Sigma `author`; empty where absent.
    pub author: String,
    /// The file it was read from, as given.
    pub path: String,
    /// Line of the file on which its document begins, from 1.
    pub line: u32,
    /// What it does.
    pub kind: RuleKind,
    /// What it applies to; `None` for correlations.
    pub logsource: Option<RuleLogsource>,
    /// Sigma `tags`, lower case.
    pub tags: Vec<String>,
    /// Sigma `references`.
    pub references: Vec<String>,
    /// Sigma `falsepositives`.
    pub false_positives: Vec<String>,
    /// Sigma `fields`: what a person wants to see of a match.
    pub fields: Vec<String>,
    /// First 16 hexadecimal digits of the hash of the document, filters that apply included.
    pub version: String,
    /// Whether its matches are findings of their own. A rule that a correlation without
    /// `generate` refers to only feeds that correlation.
    pub generate: bool,
}

/// What a rule does.
#[derive(Clone, PartialEq, Debug)]
pub enum RuleKind {
    /// Matches single events.
    Rule,
    /// Joins the matches of other rules.
    Correlation(CorrelationRule),
    /// Narrows other rules; never matches by itself.
    Filter,
}

impl RuleKind {
    /// The word in listings and findings.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Correlation(rule) => rule.kind.word(),
            Self::Filter => "filter",
        }
    }
}

/// How a correlation joins matches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CorrelationKind {
    /// How many matches.
    EventCount,
    /// How many distinct values of the condition's fields.
    ValueCount,
    /// Every rule matched, in any order.
    Temporal,
    /// Every rule matched, in the order of `rules`.
    TemporalOrdered,
    /// Sum of a field.
    ValueSum,
    /// Mean of a field.
    ValueAvg,
    /// Percentile of a field.
    ValuePercentile,
    /// Matches at regular intervals (our own kind).
    Periodic,
}

impl CorrelationKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::EventCount,
        Self::ValueCount,
        Self::Temporal,
        Self::TemporalOrdered,
        Self::ValueSum,
        Self::ValueAvg,
        Self::ValuePercentile,
        Self::Periodic,
    ];

    /// The word a rule writes.
    pub fn word(self) -> &'static str {
        match self {
            Self::EventCount => "event_count",
            Self::ValueCount => "value_count",
            Self::Temporal => "temporal",
            Self::TemporalOrdered => "temporal_ordered",
            Self::ValueSum => "value_sum",
            Self::ValueAvg => "value_avg",
            Self::ValuePercentile => "value_percentile",
            Self::Periodic => "periodic",
        }
    }

    /// The kind of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// A comparison of a count with a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CountOp {
    /// Less than.
    Lt,
    /// At most.
    Lte,
    /// More than.
    Gt,
    /// At least.
    Gte,
    /// Exactly.
    Eq,
    /// Anything but.
    Neq,
}

impl CountOp {
    /// Whether `count` compares so with `value`.
    pub fn holds(self, count: u64, value: u64) -> bool {
        match self {
            Self::Lt => count < value,
            Self::Lte => count <= value,
            Self::Gt => count > value,
            Self::Gte => count >= value,
            Self::Eq => count == value,
            Self::Neq => count != value,
        }
    }
}

/// Regular contact (our own correlation kind `periodic`).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Periodic {
    /// Matches needed within the timespan, at least 3.
    pub min_count: u64,
    /// Largest spread of the intervals as a fraction of their mean, 0 to 1.
    pub max_jitter: f64,
    /// Shortest mean interval.
    pub min_interval: Micros,
    /// Longest mean interval.
    pub max_interval: Micros,
}

/// A correlation with its references resolved (Sigma 2.1, "correlation").
#[derive(Clone, PartialEq, Debug)]
pub struct CorrelationRule {
    /// How matches are joined.
    pub kind: CorrelationKind,
    /// The rules it refers to, in the order written; at least one, without repeats.
    pub rules: Vec<RuleIndex>,
    /// Fields or aliases that separate groups; [`yagura_event::Match::key`] knows them by
    /// these names.
    pub group_by: Vec<String>,
    /// Alias -> (rule -> that rule's field). Matches carry their keys under the alias already.
    pub aliases: BTreeMap<String, BTreeMap<RuleIndex, String>>,
    /// Window.
    pub timespan: Micros,
    /// Comparisons, all of which must hold; for the temporal kinds without a condition it is
    /// empty and every rule must have matched.
    pub condition: Vec<(CountOp, u64)>,
    /// Fields whose distinct values (tuples where several) are counted, for `value_count`.
    pub fields: Vec<String>,
    /// Whether the rules it refers to yield findings of their own.
    pub generate: bool,
    /// Set for [`CorrelationKind::Periodic`].
    pub periodic: Option<Periodic>,
}

impl CorrelationRule {
    /// Whether `count` fulfils every comparison of the condition.
    pub fn holds(&self, count: u64) -> bool {
        self.condition.iter().all(|(op, value)| op.holds(count, *value))
    }
}

/// Why a rule (or a part of it) could not be loaded.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct RuleError {
    /// The file, as given.
    pub path: String,
    /// Line of the fault, from 1.
    pub line: u32,
    /// Column of the fault in characters, from 1; 0 where only the line is known.
    pub column: u32,
    /// Length of the faulty text in characters, at least 1.
    pub length: u32,
    /// Stable word for programs.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The rule's id, where it could be read.
    pub id: Option<String>,
    /// The rule's title, where it could be read.
    pub title: Option<String>,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {} ({})", self.path, self.line, self.message, self.code)
    }
}
