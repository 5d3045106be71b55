//! Incidents, decisions, notes, entities.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// An incident in a list: without its evidence.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct IncidentSummary {
    /// Such as `INC-2026-0042`.
    pub id: String,
    /// The owner.
    pub tenant: String,
    /// Title in English.
    pub title: String,
    /// Title in Japanese.
    pub title_ja: String,
    /// `critical`, `high`, `medium`, `low` or `informational`.
    pub severity: String,
    /// OCSF severity, 1 to 5.
    pub severity_id: u8,
    /// `attempted`, `blocked`, `succeeded` or `unknown`.
    pub outcome: String,
    /// What people made of it.
    pub state: CaseState,
    /// What it was found to be.
    pub verdict: Option<CaseVerdict>,
    /// Who decided last.
    pub decided_by: Option<String>,
    /// Who works on it; null for nobody.
    pub owner: Option<String>,
    /// Counts its decisions and owners: with `"d` before it and `"` behind it, its `ETag`.
    pub version: u64,
    /// The older incident that it belongs to.
    pub merged_into: Option<String>,
    /// When its deciding finding's event happened, RFC 3339.
    pub opened_time_dt: String,
    /// First event.
    pub first_time_dt: String,
    /// Last event.
    pub last_time_dt: String,
    /// Findings.
    pub findings: u64,
    /// ATT&CK tactics, in the order an attack usually takes.
    pub tactics: Vec<String>,
    /// The first four of those it is about.
    pub principals: Vec<PrincipalView>,
    /// Notes on it.
    pub notes: u64,
}

/// Somebody or something an incident is about.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PrincipalView {
    /// `host`, `user`, `ip` or `domain`.
    pub r#type: String,
    /// Its value.
    pub value: String,
    /// Its part in it.
    pub role: String,
    /// `white`, `grey` or `black`.
    pub verdict: String,
    /// The probability behind the verdict.
    pub probability: f64,
}

/// Where the work on an incident stands (OCSF Incident Finding `status`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// Nobody has looked.
    #[default]
    New,
    /// Somebody works on it.
    InProgress,
    /// It waits for something.
    OnHold,
    /// The work is done.
    Resolved,
    /// It is put away.
    Closed,
}

impl CaseState {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::New, Self::InProgress, Self::OnHold, Self::Resolved, Self::Closed];

    /// The word in JSON and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::InProgress => "in_progress",
            Self::OnHold => "on_hold",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }

    /// The state of a [`Self::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether somebody still has to do something.
    pub fn is_open(self) -> bool {
        matches!(self, Self::New | Self::InProgress | Self::OnHold)
    }
}

/// What an incident was found to be (OCSF Incident Finding `verdict`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaseVerdict {
    /// No attack.
    FalsePositive,
    /// An attack.
    TruePositive,
    /// Not to be pursued.
    Disregard,
    /// Not settled.
    Suspicious,
    /// Known and allowed.
    Benign,
    /// A test.
    Test,
    /// It cannot be told.
    InsufficientData,
    /// Another incident is about it.
    Duplicate,
}

impl CaseVerdict {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::FalsePositive,
        Self::TruePositive,
        Self::Disregard,
        Self::Suspicious,
        Self::Benign,
        Self::Test,
        Self::InsufficientData,
        Self::Duplicate,
    ];

    /// The word in JSON and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::FalsePositive => "false_positive",
            Self::TruePositive => "true_positive",
            Self::Disregard => "disregard",
            Self::Suspicious => "suspicious",
            Self::Benign => "benign",
            Self::Test => "test",
            Self::InsufficientData => "insufficient_data",
            Self::Duplicate => "duplicate",
        }
    }

    /// The verdict of a [`Self::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.word() == word)
    }
}

/// What is decided about an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Decision {
    /// Where the work stands.
    pub state: CaseState,
    /// What it was found to be.
    pub verdict: Option<CaseVerdict>,
    /// Why.
    pub reason: String,
    /// Who decided; null where nobody did.
    pub by: Option<String>,
    /// When, RFC 3339; null where nobody did.
    pub time_dt: Option<String>,
    /// Who works on it; null for nobody.
    pub owner: Option<String>,
    /// Counts an incident's decisions and owners; 0 where there is none.
    pub version: u64,
}

/// A decision to be made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDecision {
    /// Where the work stands.
    pub state: CaseState,
    /// What it was found to be; needed for `resolved` and `closed`.
    #[serde(default)]
    pub verdict: Option<CaseVerdict>,
    /// Why, at most 4,000 characters.
    #[serde(default)]
    #[schema(max_length = 4000)]
    pub reason: String,
    /// Who works on it from then on, as [`NewOwner`] names them; where absent, whoever did before.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64)]
    pub owner: Option<String>,
}

/// Who is to work on an incident.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOwner {
    /// A name of 1 to 64 characters, none of them a control character, and not `none`; null for
    /// nobody.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required, min_length = 1, max_length = 64)]
    pub owner: Option<String>,
}

/// What somebody noted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Note {
    /// Its id.
    pub id: String,
    /// What.
    pub text: String,
    /// Who.
    pub by: String,
    /// When, RFC 3339.
    pub time_dt: String,
}

/// A note to be made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNote {
    /// What, 1 to 20,000 characters.
    #[schema(min_length = 1, max_length = 20000)]
    pub text: String,
}

/// An entity in a list.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct EntitySummary {
    /// The owner.
    pub tenant: String,
    /// `host`, `user`, `ip` or `domain`.
    pub kind: String,
    /// Its value.
    pub value: String,
    /// `white`, `grey` or `black`.
    pub verdict: String,
    /// The probability behind the verdict.
    pub probability: f64,
    /// Prior log-odds.
    pub prior: f64,
    /// Posterior log-odds.
    pub posterior: f64,
    /// The time as of which it is judged, RFC 3339.
    pub as_of_time_dt: String,
}

/// Everything known of an entity.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct EntityView {
    /// The owner.
    pub tenant: String,
    /// `host`, `user`, `ip` or `domain`.
    pub kind: String,
    /// Its value.
    pub value: String,
    /// The verdict with its waterfall; null where it has none.
    pub standing: Option<Value>,
    /// Everything ever said about it, oldest first.
    pub evidence: Vec<EvidenceView>,
    /// Its findings, newest first.
    pub findings: Vec<FindingSummary>,
    /// Its incidents, newest first.
    pub incidents: Vec<IncidentSummary>,
}

/// One entry of the evidence.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct EvidenceView {
    /// The finding.
    pub finding: String,
    /// Title of the finding's rule.
    pub title: String,
    /// Id of the finding's rule.
    pub rule: String,
    /// Log-likelihood ratio in nats.
    pub llr: f64,
    /// Time of the finding's last event, RFC 3339.
    pub time_dt: String,
    /// Why it is this much.
    pub reason: String,
}

/// A finding in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FindingSummary {
    /// Its id.
    pub id: String,
    /// The owner.
    pub tenant: String,
    /// The rule's title.
    pub title: String,
    /// The rule's id.
    pub rule: String,
    /// `critical`, `high`, `medium`, `low` or `informational`.
    pub level: String,
    /// Matches.
    pub count: u64,
    /// First event, RFC 3339.
    pub first_time_dt: String,
    /// Last event, RFC 3339.
    pub last_time_dt: String,
    /// Whether a rule was run over the past for it.
    pub retrospective: bool,
}
