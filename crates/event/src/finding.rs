//! What detection hands on: matches (one rule, one event) and findings (what a person sees).

use crate::context::ContextId;
use crate::id::{EventId, FindingId, Lsn, MatchId};
use crate::observable::{Observable, Relation};
use crate::tenant::TenantName;
use crate::time::Micros;
use serde::{Deserialize, Serialize};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// Most sample events a finding keeps with their raw lines; the rest are counted and stay
/// findable by the finding's rule and group among the matches.
pub const FINDING_SAMPLES_MAX: usize = 20;

/// Most bytes of a raw record kept in a match or sample; longer ones are cut there.
pub const SAMPLE_RAW_BYTES_MAX: usize = 16 * 1024;

/// A rule's level (Sigma 2.1).
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Facts worth collecting, not alerts.
    #[default]
    Informational,
    /// Notable, rarely an incident.
    Low,
    /// Relevant, needs review.
    Medium,
    /// Relevant and urgent.
    High,
    /// An incident on its own.
    Critical,
}

impl Level {
    /// OCSF `severity_id`.
    pub fn severity_id(self) -> i64 {
        match self {
            Self::Informational => 1,
            Self::Low => 2,
            Self::Medium => 3,
            Self::High => 4,
            Self::Critical => 5,
        }
    }

    /// Sigma's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The level of a Sigma word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical]
            .into_iter()
            .find(|level| level.word() == word)
    }
}

/// What part an observable plays in an event; follows the OCSF column it stands in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The host the event happened on.
    Device,
    /// The user or process that acted.
    Actor,
    /// The user acted on or logged on.
    Target,
    /// Source of the traffic.
    Source,
    /// Destination of the traffic.
    Destination,
    /// File, hash, process, URL, domain: what was used.
    Object,
}

/// An observable with its part in the event.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Party {
    /// Its part.
    pub role: Role,
    /// What it is.
    pub observable: Observable,
}

/// One rule hitting one event.
///
/// What a person sees of it is its [`Sample`], to which it dereferences: findings and windows
/// share it instead of copying it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Match {
    /// (tenant, rule, event).
    pub id: u128,
    /// The owner of the event.
    pub tenant: String,
    /// When the record was received.
    pub received_time: Micros,
    /// Stream of the record.
    pub stream: u64,
    /// Batch of the record; 0 is live.
    pub batch: u64,
    /// Values of the fields that correlations over this rule group or count by.
    pub keys: Vec<(String, String)>,
    /// Rule, event and proof.
    #[serde(with = "shared")]
    pub sample: Arc<Sample>,
}

impl Deref for Match {
    type Target = Sample;

    fn deref(&self) -> &Sample {
        &self.sample
    }
}

impl DerefMut for Match {
    /// Copies the sample first if others share it.
    fn deref_mut(&mut self) -> &mut Sample {
        Arc::make_mut(&mut self.sample)
    }
}

/// A shared sample is written as the sample itself.
mod shared {
    use super::Sample;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::sync::Arc;

    pub fn serialize<S: Serializer>(sample: &Arc<Sample>, to: S) -> Result<S::Ok, S::Error> {
        sample.as_ref().serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Sample>, D::Error> {
        Sample::deserialize(from).map(Arc::new)
    }
}

impl Match {
    /// The match's id.
    pub fn match_id(&self) -> MatchId {
        MatchId(self.id)
    }

    /// The event's id.
    pub fn event_id(&self) -> EventId {
        EventId(self.event)
    }

    /// The value of a correlation key, by field name as written in the correlation.
    pub fn key(&self, field: &str) -> Option<&str> {
        self.keys.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str())
    }
}

/// One event that a rule hit, kept with findings as proof.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// The event.
    pub event: u128,
    /// The rule that hit it (Sigma `id`, else a hash of its content; for correlations that of
    /// the referred rule).
    pub rule: String,
    /// Event time.
    pub time: Micros,
    /// The source's name.
    pub source: String,
    /// The feed.
    pub feed: String,
    /// Fields that made the rule match, by name as written in the rule.
    pub fields: Vec<(String, String)>,
    /// Who and what the event is about.
    pub parties: Vec<Party>,
    /// The raw record, cut at [`SAMPLE_RAW_BYTES_MAX`], as text.
    pub raw: String,
}

/// The matches of one rule and group within its suppression window.
///
/// A finding is emitted when it is new and again, with the same id and a higher version,
/// when its count, last time or samples changed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// hash(tenant, rule, group, first deciding event).
    pub id: u128,
    /// From 1.
    pub version: u32,
    /// The owner.
    pub tenant: String,
    /// The rule's id.
    pub rule: String,
    /// The rule's version as it was when this was found; empty where the rule has none.
    pub rule_version: String,
    /// The rule's title.
    pub title: String,
    /// The rule's level.
    pub level: Level,
    /// `rule`, `event_count`, `value_count`, `temporal`, `temporal_ordered`, `periodic`, ...
    pub kind: String,
    /// ATT&CK tags of the rule, lower case (`attack.t1059.001`, `attack.execution`).
    pub tags: Vec<String>,
    /// Group key: field=value joined by `, `; empty where the rule has no group.
    pub group: String,
    /// Time of the first event.
    pub first_time: Micros,
    /// Time of the last event.
    pub last_time: Micros,
    /// Matches so far.
    pub count: u64,
    /// Who and what the finding is about: parties of its samples, and its group.
    pub parties: Vec<Party>,
    /// Proof, oldest first, at most [`FINDING_SAMPLES_MAX`].
    pub samples: Vec<Sample>,
    /// Position of the entry whose processing emitted this version.
    pub lsn: u64,
    /// Whether a rule was run over the past for it, instead of over records as they came.
    #[serde(default)]
    pub retrospective: bool,
}

impl Finding {
    /// The finding's id.
    pub fn finding_id(&self) -> FindingId {
        FindingId(self.id)
    }
}

/// A relation seen at a time, as the sequencer hands it to the judge.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen {
    /// The owner.
    pub tenant: TenantName,
    /// The tie.
    pub relation: Relation,
    /// First time seen within the validity bucket.
    pub first: Micros,
    /// Last time seen.
    pub last: Micros,
    /// How often.
    pub count: u64,
    /// One context in which it was seen.
    pub context: ContextId,
    /// Position of the last record that showed it.
    pub lsn: Lsn,
}
