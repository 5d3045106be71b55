//! An incident: its story with principals, timeline and evidence, and its state.

use crate::attack::{Tactic, techniques};
use crate::cluster::Bond;
use crate::entity::Entity;
use crate::ledger::Standing;
use crate::outcome::{Outcome, of_story};
use crate::params::{INCIDENT_RAW_BYTES_MAX, INCIDENT_RECORDS_MAX};
use crate::principal::{Principal, principals};
use crate::reading::Reading;
use crate::story::words;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use yagura_event::time::Micros;
use yagura_event::{EventId, Level};

/// An incident as the judge keeps it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Incident {
    /// Such as `INC-2026-0042`.
    pub id: String,
    /// The owner.
    pub tenant: String,
    /// Open, or merged into an older one. What people decide is kept elsewhere.
    pub state: State,
    /// Journal position of the finding that opened it.
    pub opened_lsn: u64,
    /// Event time of the finding that opened it.
    pub opened_time: Micros,
    /// What happened.
    pub story: Story,
}

/// The judge's own state of an incident.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It stands.
    Open,
    /// Its findings belong to the older incident named.
    Merged(String),
}

/// What an incident tells.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Story {
    /// Title in English.
    pub title: String,
    /// Title in Japanese.
    pub title_ja: String,
    /// Summary in English.
    pub summary: String,
    /// Summary in Japanese.
    pub summary_ja: String,
    /// How bad.
    pub severity: Level,
    /// How far it got.
    pub outcome: Outcome,
    /// Time of its first event.
    pub first_time: Micros,
    /// Time of its last event.
    pub last_time: Micros,
    /// Tactics, in the order an attack usually takes.
    pub tactics: Vec<Tactic>,
    /// Techniques, sorted.
    pub techniques: Vec<String>,
    /// Who it is about.
    pub principals: Vec<Principal>,
    /// Its findings in time.
    pub timeline: Vec<Step>,
    /// The records that prove it, in time, at most [`INCIDENT_RECORDS_MAX`].
    pub evidence: Vec<Proof>,
    /// Why the findings belong together.
    pub links: Vec<Joint>,
    /// The verdict on each entity, with its waterfall.
    pub standings: Vec<Standing>,
}

/// One finding in an incident's timeline.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// Time of the finding's first event.
    pub time: Micros,
    /// Time of its last event.
    pub last_time: Micros,
    /// The finding, 32 hexadecimal digits.
    pub finding: String,
    /// Its rule's id.
    pub rule: String,
    /// Its rule's title.
    pub title: String,
    /// Its level.
    pub level: Level,
    /// Matches so far.
    pub count: u64,
    /// Its tactics.
    pub tactics: Vec<Tactic>,
    /// What became of it.
    pub outcome: Outcome,
    /// The entities it is about.
    pub entities: Vec<Entity>,
}

/// A record copied into an incident, so that it outlives the lake's retention.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Proof {
    /// The event, 32 hexadecimal digits.
    pub event: String,
    /// Event time.
    pub time: Micros,
    /// The source's name.
    pub source: String,
    /// The feed.
    pub feed: String,
    /// The findings it proves.
    pub findings: Vec<String>,
    /// The rules that hit it.
    pub rules: Vec<String>,
    /// Fields that made them hit.
    pub fields: Vec<(String, String)>,
    /// The raw record; empty beyond [`INCIDENT_RAW_BYTES_MAX`] in all.
    pub raw: String,
}

/// Why two findings belong together.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Joint {
    /// The earlier finding.
    pub a: String,
    /// The later finding.
    pub b: String,
    /// From 0 to 1.
    pub strength: f64,
    /// The path in words.
    pub via: String,
}

/// Most links told; the strongest ones of each finding say enough.
const JOINTS_MAX: usize = 256;

/// Tells the story of findings, given oldest first.
pub fn tell(
    readings: &[&Reading<'_>],
    standings: &[Standing],
    bonds: &[(&Bond, String, String)],
) -> Story {
    let mut tactics: Vec<Tactic> = readings.iter().flat_map(|r| r.tactics.clone()).collect();
    tactics.sort_unstable();
    tactics.dedup();
    let tags: Vec<String> = readings.iter().flat_map(|r| r.finding.tags.clone()).collect();
    let outcome = of_story(readings.iter().map(|r| r.outcome));
    let mut story = Story {
        title: String::new(),
        title_ja: String::new(),
        summary: String::new(),
        summary_ja: String::new(),
        severity: severity(readings, &tactics, outcome),
        outcome,
        first_time: readings.iter().map(|r| r.finding.first_time).min().unwrap_or(0),
        last_time: readings.iter().map(|r| r.finding.last_time).max().unwrap_or(0),
        techniques: techniques(&tags),
        tactics,
        principals: principals(readings, standings),
        timeline: readings.iter().map(|r| step(r)).collect(),
        evidence: evidence(readings),
        links: joints(bonds),
        standings: standings.to_vec(),
    };
    let words = words(&story);
    story.title = words.title;
    story.title_ja = words.title_ja;
    story.summary = words.summary;
    story.summary_ja = words.summary_ja;
    story
}

/// The highest level; critical also where an attack of three tactics succeeded, at most medium
/// where everything was stopped.
fn severity(readings: &[&Reading<'_>], tactics: &[Tactic], outcome: Outcome) -> Level {
    let highest = readings.iter().map(|r| r.finding.level).max().unwrap_or_default();
    match outcome {
        Outcome::Blocked => highest.min(Level::Medium),
        Outcome::Succeeded if tactics.len() >= 3 && highest == Level::High => Level::Critical,
        _ => highest,
    }
}

fn step(reading: &Reading<'_>) -> Step {
    let finding = reading.finding;
    Step {
        time: finding.first_time,
        last_time: finding.last_time,
        finding: finding.finding_id().to_string(),
        rule: finding.rule.clone(),
        title: finding.title.clone(),
        level: finding.level,
        count: finding.count,
        tactics: reading.tactics.clone(),
        outcome: reading.outcome,
        entities: reading.touches.iter().map(|t| t.entity.clone()).collect(),
    }
}

fn evidence(readings: &[&Reading<'_>]) -> Vec<Proof> {
    let each = (INCIDENT_RECORDS_MAX / readings.len().max(1)).max(1);
    let mut proofs: BTreeMap<(Micros, u128), Proof> = BTreeMap::new();
    for reading in readings {
        let id = reading.finding.finding_id().to_string();
        for sample in reading.finding.samples.iter().take(each) {
            let proof = proofs.entry((sample.time, sample.event)).or_insert_with(|| Proof {
                event: EventId(sample.event).to_string(),
                time: sample.time,
                source: sample.source.clone(),
                feed: sample.feed.clone(),
                findings: Vec::new(),
                rules: Vec::new(),
                fields: Vec::new(),
                raw: sample.raw.clone(),
            });
            if !proof.findings.contains(&id) {
                proof.findings.push(id.clone());
            }
            if !proof.rules.contains(&sample.rule) {
                proof.rules.push(sample.rule.clone());
            }
            for field in &sample.fields {
                if !proof.fields.contains(field) {
                    proof.fields.push(field.clone());
                }
            }
        }
    }
    let mut bytes = 0;
    proofs
        .into_values()
        .take(INCIDENT_RECORDS_MAX)
        .map(|mut proof| {
            bytes += proof.raw.len();
            if bytes > INCIDENT_RAW_BYTES_MAX {
                proof.raw.clear();
            }
            proof
        })
        .collect()
}

fn joints(bonds: &[(&Bond, String, String)]) -> Vec<Joint> {
    let mut list: Vec<Joint> = bonds
        .iter()
        .map(|(bond, a, b)| Joint {
            a: a.clone(),
            b: b.clone(),
            strength: (bond.strength * 10_000.0).round() / 10_000.0,
            via: bond.via.clone(),
        })
        .collect();
    list.sort_by(|x, y| y.strength.total_cmp(&x.strength).then((&x.a, &x.b).cmp(&(&y.a, &y.b))));
    list.truncate(JOINTS_MAX);
    list
}
