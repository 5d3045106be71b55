//! How much a finding says, and about whom.
//!
//! ```text
//! weight = level x kind (or lead) x outcome x prevalence x routine
//! llr(e) = weight x share(part of e) x own(e) / fan(e)
//! ```
//! *Own* is how far the doing is the entity's own: a proxy's traffic is its clients', a popular
//! site is nobody's attack server, and a log-on recorded on a server that everyone logs on to
//! says little about the server (one over its accounts), unless it came from outside.
//! The fan divides what a sweep or spray says among those it names: an account that is one of
//! thirty tried, or a host that is one of eight scanned, is hardly suspect.

use crate::entity::{Entity, EntityKind};
use crate::graph::{Facet, Graph};
use crate::outcome::Outcome;
use crate::params::{
    BLOCKED_FACTOR, KIND_PERIODIC_FACTOR, KIND_TEMPORAL_FACTOR, LEAD_FACTOR, LEAD_PREVALENCE_SCALE,
    PREVALENCE_SCALE, PREVALENT_FACTOR, ROUTINE_FACTOR, SHARE_ACTOR, SHARE_DESTINATION,
    SHARE_DESTINATION_OUTSIDE, SHARE_TARGET, SHARE_TARGET_FAILED, level_weight, rarity,
};
use crate::reading::Spread;
use crate::touch::{Touch, inward};
use yagura_event::time::Micros;
use yagura_event::{Finding, FindingId, Level, ObservableKind, Role};

/// Kind of the findings of indicators.
pub(crate) const INDICATOR: &str = "indicator";

/// What one finding says about one entity.
#[derive(Clone, PartialEq, Debug)]
pub struct Evidence {
    /// The finding.
    pub finding: FindingId,
    /// Its rule's id.
    pub rule: String,
    /// Its rule's title.
    pub title: String,
    /// Its level.
    pub level: Level,
    /// Whether it is a lead, see [`is_lead`].
    pub lead: bool,
    /// What it depends on others by: technique or rule.
    pub dependence: String,
    /// The entity.
    pub entity: Entity,
    /// The entity's part.
    pub role: Role,
    /// What became of what the finding shows.
    pub outcome: Outcome,
    /// Log-likelihood ratio in nats, before repeats and age count.
    pub llr: f64,
    /// Time of the finding's last event.
    pub time: Micros,
    /// Why it is this much, in words.
    pub reason: String,
}

impl Evidence {
    /// Whether the entity was only aimed at: an inside one, over the network, without success.
    pub fn only_aimed_at(&self) -> bool {
        matches!(self.role, Role::Destination | Role::Object)
            && !self.entity.is_outside()
            && self.outcome != Outcome::Succeeded
    }
}

/// Whether a finding is only a lead: one event that looked bad, below critical, or an indicator
/// of any level: whoever wrote the list does not know what happened here. Leads add to a story
/// that conjunctions tell; alone they open none.
pub fn is_lead(finding: &Finding) -> bool {
    finding.kind == INDICATOR || (finding.kind == "rule" && finding.level < Level::Critical)
}

/// What a finding says as a whole, in nats.
pub fn finding_weight(finding: &Finding, outcome: Outcome, spread: Spread) -> f64 {
    let kind = match finding.kind.as_str() {
        "temporal" | "temporal_ordered" => KIND_TEMPORAL_FACTOR,
        "periodic" => KIND_PERIODIC_FACTOR,
        _ => 1.0,
    };
    let outcome = if outcome == Outcome::Blocked { BLOCKED_FACTOR } else { 1.0 };
    let habit = if spread.habit { PREVALENT_FACTOR } else { 1.0 };
    let routine = if spread.routine { ROUTINE_FACTOR } else { 1.0 };
    let (lead, scale) = if is_lead(finding) {
        (LEAD_FACTOR, LEAD_PREVALENCE_SCALE)
    } else {
        (1.0, PREVALENCE_SCALE)
    };
    // A critical rule says by itself that something happened: on more hosts it is no less.
    let prevalence = if finding.level == Level::Critical && !is_lead(finding) {
        1.0
    } else {
        rarity(spread.hosts, scale)
    };
    // Every host polls something; what counts is how common the polled place is, which the
    // caller adds.
    let (prevalence, habit) =
        if finding.kind == "periodic" { (1.0, 1.0) } else { (prevalence, habit) };
    level_weight(finding.level) * kind * lead * outcome * prevalence * habit * routine
}

/// What a finding of `weight` says about each of its entities.
pub fn evidence(
    finding: &Finding,
    touches: &[Touch],
    dependence: &str,
    outcome: Outcome,
    weight: f64,
    graph: &Graph,
) -> Vec<Evidence> {
    let ran = finding.parties.iter().any(|p| {
        matches!(
            p.observable.kind,
            ObservableKind::Process | ObservableKind::CommandLine | ObservableKind::File
        )
    });
    let lead = is_lead(finding);
    touches
        .iter()
        .filter_map(|touch| {
            let share = share(touch, outcome);
            // Of regular contact the weight itself says how rare its destination is.
            let own = match finding.kind.as_str() {
                "periodic" if touch.entity.is_outside() => 1.0,
                _ => own(touch, ran, touches, graph),
            };
            let llr = weight * share * own / touch.fan.max(1) as f64;
            (llr > 0.0).then(|| Evidence {
                finding: finding.finding_id(),
                rule: finding.rule.clone(),
                title: finding.title.clone(),
                level: finding.level,
                lead,
                dependence: dependence.to_owned(),
                entity: touch.entity.clone(),
                role: touch.role,
                outcome,
                llr,
                time: finding.last_time,
                reason: format!(
                    "{} {}: weight {weight:.2} x part {share:.2} x own {own:.2} / {} alike",
                    finding.level.word(),
                    finding.kind,
                    touch.fan.max(1),
                ),
            })
        })
        .collect()
}

fn own(touch: &Touch, ran: bool, touches: &[Touch], graph: &Graph) -> f64 {
    let entity = &touch.entity;
    match entity.kind {
        EntityKind::Host if touch.on => {
            let names_user = touches.iter().any(|t| t.entity.kind == EntityKind::User);
            let from_outside =
                touches.iter().any(|t| t.role == Role::Source && t.entity.is_outside());
            if names_user && !ran && !from_outside {
                1.0 / graph.degree(entity, Facet::On).max(1) as f64
            } else {
                1.0
            }
        }
        EntityKind::User => 1.0,
        _ if touch.role == Role::Source && !entity.is_outside() => {
            if inward(touches.iter().map(|t| (&t.entity, t.role))) {
                return 1.0;
            }
            graph.own_traffic(entity)
        }
        _ if touch.role != Role::Source && entity.is_outside() => touch.telling,
        _ => 1.0,
    }
}

fn share(touch: &Touch, outcome: Outcome) -> f64 {
    match (touch.role, touch.entity.kind) {
        (Role::Device | Role::Actor | Role::Source, _) => SHARE_ACTOR,
        (Role::Target, EntityKind::User)
            if matches!(outcome, Outcome::Attempted | Outcome::Blocked) =>
        {
            SHARE_TARGET_FAILED
        }
        (Role::Target, _) => SHARE_TARGET,
        (Role::Destination | Role::Object, _) if touch.entity.is_outside() => {
            SHARE_DESTINATION_OUTSIDE
        }
        (Role::Destination | Role::Object, _) => SHARE_DESTINATION,
    }
}
