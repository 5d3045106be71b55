//! The front end: YAML documents in, rules with one expression each out.

pub(crate) mod document;
mod encode;
pub(crate) mod sigma;
pub(crate) mod value;

use crate::ir::Expr;
use crate::rule::{CorrelationKind, CountOp, Periodic, RuleLogsource};
use std::collections::BTreeMap;
use yagura_event::{Level, Micros};

/// A rule as parsed, its references not yet resolved.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// Sigma `id`.
    pub id: Option<String>,
    /// Sigma `name`.
    pub name: Option<String>,
    /// Sigma `title`.
    pub title: String,
    /// Sigma `description`.
    pub description: String,
    /// Sigma `level`.
    pub level: Level,
    /// Sigma `status`.
    pub status: String,
    /// Sigma `author`.
    pub author: String,
    /// Sigma `tags`, lower case.
    pub tags: Vec<String>,
    /// Sigma `references`.
    pub references: Vec<String>,
    /// Sigma `falsepositives`.
    pub false_positives: Vec<String>,
    /// Sigma `fields`.
    pub fields: Vec<String>,
    /// Sigma `logsource`.
    pub logsource: Option<RuleLogsource>,
    /// What it does.
    pub kind: DraftKind,
}

/// What a parsed document does.
#[derive(Clone, Debug)]
pub(crate) enum DraftKind {
    /// A detection.
    Rule(Expr),
    /// A filter: the rules it names (`None`: any), and its condition.
    Filter(Option<Vec<String>>, Expr),
    /// A correlation.
    Correlation(Box<DraftCorrelation>),
}

/// A correlation as parsed.
#[derive(Clone, Debug)]
pub(crate) struct DraftCorrelation {
    /// How matches are joined.
    pub kind: CorrelationKind,
    /// Ids or names.
    pub rules: Vec<String>,
    /// Fields or aliases.
    pub group_by: Vec<String>,
    /// Alias -> (id or name -> field).
    pub aliases: BTreeMap<String, BTreeMap<String, String>>,
    /// Window.
    pub timespan: Micros,
    /// Comparisons.
    pub condition: Vec<(CountOp, u64)>,
    /// Fields counted.
    pub fields: Vec<String>,
    /// Whether referred rules are findings too.
    pub generate: bool,
    /// For our own kind.
    pub periodic: Option<Periodic>,
}

/// A fault found while reading a document, before file and lines are known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    /// Stable word.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Where to look in the document.
    pub place: Place,
}

/// Where a fault is, as far as the parser knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// The whole document.
    Document,
    /// Line and column within the document, from 1.
    At(u32, u32),
    /// The first line with this text.
    Text(String),
    /// The `condition`; the offset in characters from the beginning of its value.
    Condition(u32),
    /// The first line with this text, from the `condition` on.
    InCondition(String),
}

impl Fault {
    /// A fault of the whole document.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None, place: Place::Document }
    }

    /// With words on what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// At the first line with `text`.
    pub fn at(mut self, text: impl Into<String>) -> Self {
        self.place = Place::Text(text.into());
        self
    }
}
