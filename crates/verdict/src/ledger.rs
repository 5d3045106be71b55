//! The verdict on one entity: prior plus discounted evidence, with the waterfall that shows why.

use crate::entity::Entity;
use crate::params::{
    BLACK_ABOVE, FLOW_SUM_MAX, HALF_LIFE, LOW_SUM_MAX, MEDIUM_SUM_MAX, PRIOR_LOG_ODDS,
    SAME_RULE_FACTOR, SAME_TECHNIQUE_FACTOR, TARGETED_SUM_MAX, WHITE_BELOW,
};
use crate::weight::Evidence;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use yagura_event::Level;
use yagura_event::time::Micros;

/// What is thought of an entity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Below [`WHITE_BELOW`].
    White,
    /// In between.
    Grey,
    /// Above [`BLACK_ABOVE`].
    Black,
}

impl Verdict {
    /// The verdict of a probability.
    pub fn of(probability: f64) -> Self {
        if probability > BLACK_ABOVE {
            Self::Black
        } else if probability < WHITE_BELOW {
            Self::White
        } else {
            Self::Grey
        }
    }

    /// The verdict of log-odds.
    pub fn of_log_odds(log_odds: f64) -> Self {
        Self::of(1.0 / (1.0 + (-log_odds).exp()))
    }

    /// The word in JSON and in the judge's store.
    pub fn word(self) -> &'static str {
        match self {
            Self::White => "white",
            Self::Grey => "grey",
            Self::Black => "black",
        }
    }
}

/// One step of the waterfall.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Contribution {
    /// The finding, 32 hexadecimal digits.
    pub finding: String,
    /// Its rule's title.
    pub title: String,
    /// Its level.
    pub level: Level,
    /// Nats before discounts.
    pub llr: f64,
    /// Nats added.
    pub added: f64,
    /// Why it is this much.
    pub reason: String,
}

/// Where an entity stands.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Standing {
    /// The entity.
    pub entity: Entity,
    /// The time as of which it is judged.
    pub as_of: Micros,
    /// Prior log-odds.
    pub prior: f64,
    /// Sum of direct evidence, discounted.
    pub direct: f64,
    /// Evidence that flows in from linked findings.
    pub flow: f64,
    /// Posterior log-odds.
    pub posterior: f64,
    /// Posterior probability.
    pub probability: f64,
    /// The verdict.
    pub verdict: Verdict,
    /// What raised it, heaviest first.
    pub waterfall: Vec<Contribution>,
}

/// Judges an entity as of the time at which its evidence weighs most, seen with hindsight: a
/// story that goes on quietly for days does not make its beginning less of an incident.
pub fn stand_at_peak(entity: &Entity, evidence: &[&Evidence], flow: f64) -> Standing {
    let times: BTreeSet<Micros> = evidence.iter().map(|e| e.time).collect();
    let mut best: Option<Standing> = None;
    for time in times {
        let standing = stand(entity, evidence, time, flow);
        if best.as_ref().is_none_or(|b| standing.posterior > b.posterior) {
            best = Some(standing);
        }
    }
    best.unwrap_or_else(|| stand(entity, evidence, 0, flow))
}

/// Judges an entity by its evidence as of a time; `flow` is capped at [`FLOW_SUM_MAX`].
///
/// Heaviest evidence counts first. Evidence of the same dependence (technique) is discounted by
/// [`SAME_TECHNIQUE_FACTOR`] for each piece before it, by [`SAME_RULE_FACTOR`] where it is of
/// the same rule; all of it halves with every [`HALF_LIFE`] of distance from `as_of`; low findings, medium findings
/// with leads, and attacks that only aimed at the entity together add at most their caps.
pub fn stand(entity: &Entity, evidence: &[&Evidence], as_of: Micros, flow: f64) -> Standing {
    let mut sorted: Vec<&Evidence> = evidence.to_vec();
    sorted.sort_by(|a, b| {
        b.llr.total_cmp(&a.llr).then(a.time.cmp(&b.time)).then(a.finding.cmp(&b.finding))
    });
    let mut before: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let (mut low, mut medium, mut targeted) = (0.0f64, 0.0f64, 0.0f64);
    let mut direct = 0.0;
    let mut waterfall = Vec::with_capacity(sorted.len());
    for piece in sorted {
        let seen = before.entry(piece.dependence.as_str()).or_default();
        let repeat: f64 = seen
            .iter()
            .map(|r| if *r == piece.rule { SAME_RULE_FACTOR } else { SAME_TECHNIQUE_FACTOR })
            .product();
        seen.push(&piece.rule);
        let decay = decay(as_of.saturating_sub(piece.time).saturating_abs());
        let mut added = piece.llr * repeat * decay;
        if piece.only_aimed_at() {
            added = added.min(TARGETED_SUM_MAX - targeted);
            targeted += added;
        }
        match piece.level {
            Level::Informational | Level::Low => {
                added = added.min(LOW_SUM_MAX - low);
                low += added;
            }
            Level::High | Level::Critical if !piece.lead => {}
            _ => {
                added = added.min(MEDIUM_SUM_MAX - medium);
                medium += added;
            }
        }
        direct += added;
        waterfall.push(Contribution {
            finding: piece.finding.to_string(),
            title: piece.title.clone(),
            level: piece.level,
            llr: round(piece.llr),
            added: round(added),
            reason: format!("{}; repeat {repeat:.2}, age {decay:.2}", piece.reason),
        });
    }
    let flow = flow.clamp(0.0, FLOW_SUM_MAX);
    let posterior = PRIOR_LOG_ODDS + direct + flow;
    let probability = 1.0 / (1.0 + (-posterior).exp());
    Standing {
        entity: entity.clone(),
        as_of,
        prior: PRIOR_LOG_ODDS,
        direct: round(direct),
        flow: round(flow),
        posterior: round(posterior),
        probability: round(probability),
        verdict: Verdict::of(probability),
        waterfall,
    }
}

fn decay(age: Micros) -> f64 {
    0.5f64.powf(age.max(0) as f64 / HALF_LIFE as f64)
}

/// Four decimals: enough to read, and the same text on every machine.
fn round(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::EntityKind;
    use yagura_event::time::HOUR;
    use yagura_event::{FindingId, Role};

    fn piece(
        n: u128,
        rule: &str,
        technique: &str,
        level: Level,
        llr: f64,
        time: Micros,
    ) -> Evidence {
        Evidence {
            finding: FindingId(n),
            rule: rule.into(),
            title: rule.into(),
            level,
            lead: false,
            dependence: technique.into(),
            entity: Entity::new(EntityKind::Host, "h"),
            role: Role::Device,
            outcome: crate::outcome::Outcome::Unknown,
            llr,
            time,
            reason: String::new(),
        }
    }

    fn direct(evidence: &[Evidence], as_of: Micros) -> f64 {
        let list: Vec<&Evidence> = evidence.iter().collect();
        stand(&Entity::new(EntityKind::Host, "h"), &list, as_of, 0.0).direct
    }

    #[test]
    fn repeats_and_dependence_are_discounted() {
        let one = piece(1, "a", "T1", Level::High, 3.0, 0);
        let again = piece(2, "a", "T1", Level::High, 3.0, 0);
        let sibling = piece(3, "b", "T1", Level::High, 3.0, 0);
        let other = piece(4, "c", "T2", Level::High, 3.0, 0);
        assert!((direct(&[one.clone(), again], 0) - 3.75).abs() < 1e-6);
        assert!((direct(&[one.clone(), sibling], 0) - 4.5).abs() < 1e-6);
        assert!((direct(&[one, other], 0) - 6.0).abs() < 1e-6);
    }

    #[test]
    fn evidence_halves_in_a_day_and_order_does_not_matter() {
        let a = piece(1, "a", "T1", Level::High, 3.0, 0);
        let b = piece(2, "b", "T2", Level::High, 2.0, 24 * HOUR);
        let one = direct(&[a.clone(), b.clone()], 24 * HOUR);
        assert!((one - 3.5).abs() < 1e-6, "{one}");
        assert!((one - direct(&[b, a], 24 * HOUR)).abs() < 1e-12);
    }

    #[test]
    fn what_follows_does_not_lessen_what_was() {
        let attack: Vec<Evidence> = ["a", "b", "c"]
            .iter()
            .zip(1..)
            .map(|(rule, n)| piece(n, rule, rule, Level::High, 3.0, n as i64))
            .collect();
        let mut list: Vec<&Evidence> = attack.iter().collect();
        let late = piece(9, "d", "d", Level::Low, 0.1, 90 * HOUR);
        list.push(&late);
        let entity = Entity::new(EntityKind::Host, "h");
        assert_ne!(stand(&entity, &list, 90 * HOUR, 0.0).verdict, Verdict::Black);
        let peak = stand_at_peak(&entity, &list, 0.0);
        assert_eq!(peak.verdict, Verdict::Black);
        assert_eq!(peak.waterfall.len(), 4);
    }

    #[test]
    fn medium_noise_is_capped() {
        let noise: Vec<Evidence> = (0..50u8)
            .map(|n| {
                let name = format!("r{n}");
                piece(u128::from(n), &name, &name, Level::Medium, 1.5, 0)
            })
            .collect();
        let list: Vec<&Evidence> = noise.iter().collect();
        let standing = stand(&Entity::new(EntityKind::Host, "h"), &list, 0, 99.0);
        assert_ne!(standing.verdict, Verdict::Black);
    }
}
