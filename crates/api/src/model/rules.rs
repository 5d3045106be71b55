//! Rules in force.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A rule in a list.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RuleSummary {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// `critical`, `high`, `medium`, `low` or `informational`.
    pub level: String,
    /// `rule`, `filter`, or the correlation's type.
    pub kind: String,
    /// Sigma status; empty where it says none.
    pub status: String,
    /// The file.
    pub path: String,
    /// Line of the file at which the rule begins, or at which it is wrong; from 1.
    pub line: u64,
    /// Whether it is on. A rule that is off finds nothing, and still feeds those in `feeds`.
    pub enabled: bool,
    /// Who switched it last; null where nobody did.
    pub switched: Option<RuleState>,
    /// Ids of the correlations that refer to it.
    pub feeds: Vec<String>,
    /// Whether its matches only feed those correlations and are no findings of their own.
    pub only_feeds: bool,
    /// Sigma logsource; null where it has none.
    pub logsource: Option<Value>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its findings that are kept.
    pub findings: u64,
    /// Its matches in them.
    pub matches: u64,
    /// Incidents with a finding of it.
    pub incidents: u64,
    /// Its last match, RFC 3339.
    pub last_time_dt: Option<String>,
    /// Why it could not be loaded.
    pub error: Option<RuleProblem>,
}

/// What somebody decided about a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleState {
    /// Whether the rule is on.
    pub enabled: bool,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub by: String,
    /// When, RFC 3339.
    pub time_dt: String,
    /// Counts a rule's decisions from 1.
    pub version: u64,
}

/// A rule to be switched on or off.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRuleState {
    /// Whether the rule is to be on.
    pub enabled: bool,
    /// Why, at most 2,000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub reason: String,
}

/// Why a rule could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleProblem {
    /// Stable word for programs.
    pub code: String,
    /// Words for a person.
    pub message: String,
    /// Line of the file, from 1.
    pub line: Option<u64>,
}

/// A file that rules are read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleFile {
    /// As rules in the list name it.
    pub path: String,
    /// Its text. Bytes that are no UTF-8 are `U+FFFD`.
    pub text: String,
    /// Whether this is only its beginning: of a file that is too long for rules, or not UTF-8.
    pub truncated: bool,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RuleView {
    /// As in lists.
    #[serde(flatten)]
    pub summary: RuleSummary,
    /// Its file's text.
    pub text: String,
    /// What it is for.
    pub description: String,
    /// Who wrote it.
    pub author: String,
    /// Where to read on.
    pub references: Vec<String>,
    /// What sets it off without an attack.
    pub falsepositives: Vec<String>,
}
