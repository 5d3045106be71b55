//! An incident with what people decided of it, as plain values.

use yagura_event::Level;
use yagura_event::time::Micros;
use yagura_verdict::attack::Tactic;
use yagura_verdict::{EntityKind, Incident, Outcome, PrincipalRole, State};

/// An incident as it stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Case {
    /// The customer.
    pub tenant: String,
    /// Such as `INC-2026-0042`.
    pub incident: String,
    /// Journal position of the finding that opened it.
    pub opened_lsn: u64,
    /// The older incident that it was merged into.
    pub merged_into: Option<String>,
    /// How bad.
    pub severity: Level,
    /// Title in English; like all texts here it may contain what an attacker wrote.
    pub title: String,
    /// Title in Japanese.
    pub title_ja: String,
    /// Summary in English.
    pub summary: String,
    /// Summary in Japanese.
    pub summary_ja: String,
    /// How far it got.
    pub outcome: Outcome,
    /// Who it is about.
    pub principals: Vec<Person>,
    /// Tactics, in the order an attack usually takes.
    pub tactics: Vec<Tactic>,
    /// Event time of the finding that opened it.
    pub opened_time: Micros,
    /// Time of its first event.
    pub first_time: Micros,
    /// Time of its last event.
    pub last_time: Micros,
    /// What people decided, in any order.
    pub decisions: Vec<Decision>,
    /// Where to look at it.
    pub console_url: Option<String>,
}

/// An entity that an incident is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    /// Its part.
    pub role: PrincipalRole,
    /// What it is.
    pub kind: EntityKind,
    /// Its name or address.
    pub value: String,
}

/// What somebody decided of an incident.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// Grows with each decision of the incident; 1 or more.
    pub version: u64,
    /// The state's word, such as `open`, `in_progress`, `on_hold`, `resolved`, `closed`.
    pub state: String,
    /// The verdict's word, such as `true_positive`; empty where there is none.
    pub verdict: String,
    /// Why; may be empty.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When.
    pub time: Micros,
}

impl Case {
    /// The judge's incident with people's decisions of it.
    pub fn new(incident: &Incident, decisions: Vec<Decision>, console_url: Option<String>) -> Self {
        let story = &incident.story;
        let person = |principal: &yagura_verdict::Principal| Person {
            role: principal.role,
            kind: principal.entity.kind,
            value: principal.entity.value.clone(),
        };
        Self {
            tenant: incident.tenant.clone(),
            incident: incident.id.clone(),
            opened_lsn: incident.opened_lsn,
            merged_into: match &incident.state {
                State::Open => None,
                State::Merged(into) => Some(into.clone()),
            },
            severity: story.severity,
            title: story.title.clone(),
            title_ja: story.title_ja.clone(),
            summary: story.summary.clone(),
            summary_ja: story.summary_ja.clone(),
            outcome: story.outcome,
            principals: story.principals.iter().map(person).collect(),
            tactics: story.tactics.clone(),
            opened_time: incident.opened_time,
            first_time: story.first_time,
            last_time: story.last_time,
            decisions,
            console_url,
        }
    }
}
