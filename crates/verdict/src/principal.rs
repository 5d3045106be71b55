//! Who an incident is about, and in what role.

use crate::account::is_local;
use crate::entity::{Entity, EntityKind};
use crate::ledger::{Standing, Verdict};
use crate::outcome::Outcome;
use crate::params::{PRINCIPAL_MIN, PRINCIPALS_MAX};
use crate::reading::Reading;
use crate::weight::Evidence;
use serde::{Deserialize, Serialize};
use yagura_event::Role;

/// The part an entity plays in an incident.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalRole {
    /// A host on which or from which the attack acted.
    VictimHost,
    /// An account the attack acted with.
    CompromisedAccount,
    /// An address the attack came from.
    AttackerAddress,
    /// An outside address or domain the attack talked to.
    Destination,
    /// A host the attack aimed at over the network.
    TargetedHost,
}

impl PrincipalRole {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::VictimHost => "victim_host",
            Self::CompromisedAccount => "compromised_account",
            Self::AttackerAddress => "attacker_address",
            Self::Destination => "destination",
            Self::TargetedHost => "targeted_host",
        }
    }
}

/// An entity an incident is about.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Principal {
    /// The entity.
    pub entity: Entity,
    /// Its part.
    pub role: PrincipalRole,
    /// Its verdict by the incident's evidence.
    pub verdict: Verdict,
    /// The probability behind the verdict.
    pub probability: f64,
    /// Direct evidence in nats.
    pub evidence: f64,
}

/// The principals, most evidence first within each role, at most [`PRINCIPALS_MAX`].
///
/// An entity needs direct evidence of [`PRINCIPAL_MIN`]; an account also a finding in which it
/// acted or that did not fail; an account with a name that every machine has must have acted or
/// come from outside.
pub fn principals(readings: &[&Reading<'_>], standings: &[Standing]) -> Vec<Principal> {
    let mut list: Vec<Principal> = standings
        .iter()
        .filter(|s| s.direct >= PRINCIPAL_MIN)
        .filter_map(|s| {
            Some(Principal {
                entity: s.entity.clone(),
                role: role(&s.entity, readings)?,
                verdict: s.verdict,
                probability: s.probability,
                evidence: s.direct,
            })
        })
        .collect();
    list.sort_by(|a, b| {
        a.role.cmp(&b.role).then(b.evidence.total_cmp(&a.evidence)).then(a.entity.cmp(&b.entity))
    });
    list.truncate(PRINCIPALS_MAX);
    list
}

fn role(entity: &Entity, readings: &[&Reading<'_>]) -> Option<PrincipalRole> {
    let pieces: Vec<(&Evidence, &Reading<'_>)> = readings
        .iter()
        .flat_map(|r| r.evidence.iter().map(move |e| (e, *r)))
        .filter(|(e, _)| e.entity == *entity)
        .collect();
    let sum = |pick: &dyn Fn(Role) -> bool| -> f64 {
        pieces.iter().filter(|(e, _)| pick(e.role)).map(|(e, _)| e.llr).sum()
    };
    match entity.kind {
        EntityKind::User => {
            let local = is_local(&entity.value);
            let acted = pieces.iter().any(|(e, reading)| {
                let failed = matches!(reading.outcome, Outcome::Attempted | Outcome::Blocked);
                let from_outside =
                    reading.touches.iter().any(|t| t.role == Role::Source && t.entity.is_outside());
                match e.role {
                    Role::Actor => !failed || !local,
                    _ => !failed && (!local || from_outside),
                }
            });
            acted.then_some(PrincipalRole::CompromisedAccount)
        }
        _ if entity.is_outside() => {
            let from = sum(&|r| matches!(r, Role::Source | Role::Actor | Role::Device));
            let to = sum(&|r| matches!(r, Role::Destination | Role::Object | Role::Target));
            Some(if from >= to {
                PrincipalRole::AttackerAddress
            } else {
                PrincipalRole::Destination
            })
        }
        _ => {
            let acted = sum(&|r| matches!(r, Role::Device | Role::Actor | Role::Source));
            let hit = pieces.iter().any(|(e, _)| e.outcome == Outcome::Succeeded);
            Some(if acted > 0.0 || hit {
                PrincipalRole::VictimHost
            } else {
                PrincipalRole::TargetedHost
            })
        }
    }
}
