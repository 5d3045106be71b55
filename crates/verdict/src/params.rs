//! Every weight, factor, threshold and limit of the judgement, in one place, with its reason.
//!
//! Evidence is in nats (natural log-odds). With the prior of one in three hundred, black
//! (probability above 0.8) needs about 7.1 nats of evidence.

use yagura_event::Level;
use yagura_event::time::{HOUR, MINUTE, Micros};

/// Log-odds that an entity named by some finding is hostile or compromised, before evidence:
/// ln(1/300). Low enough that findings up to medium alone never reach black (see
/// [`MEDIUM_SUM_MAX`]), high enough that one high and a few different medium ones do.
pub const PRIOR_LOG_ODDS: f64 = -5.7;
/// Above this probability an entity is black.
pub const BLACK_ABOVE: f64 = 0.8;
/// Below this probability an entity is white.
pub const WHITE_BELOW: f64 = 0.2;

/// Evidence of one finding of a level, before the factors below.
pub fn level_weight(level: Level) -> f64 {
    match level {
        Level::Informational => 0.0,
        Level::Low => 0.5,
        Level::Medium => 1.5,
        Level::High => 3.0,
        // Sigma: "indicates an incident". Alone it just crosses black.
        Level::Critical => 7.2,
    }
}

/// Most that low findings together add to one entity.
pub const LOW_SUM_MAX: f64 = 0.75;
/// Most that medium findings and leads together add to one entity. With [`LOW_SUM_MAX`] and
/// [`FLOW_SUM_MAX`] it stays below what black needs: noise without a conjunction opens nothing.
pub const MEDIUM_SUM_MAX: f64 = 4.0;
/// Each further finding of another rule for the same technique counts this much of the one before.
pub const SAME_TECHNIQUE_FACTOR: f64 = 0.5;
/// Each further finding of the same rule counts this much of the one before.
pub const SAME_RULE_FACTOR: f64 = 0.25;
/// Evidence halves in this time.
pub const HALF_LIFE: Micros = 24 * HOUR;
/// Share of a finding's weight that flows to entities of the findings linked to it.
pub const FLOW_FACTOR: f64 = 0.3;
/// Most that flowing evidence adds to one entity.
pub const FLOW_SUM_MAX: f64 = 2.0;

/// What a lead weighs: a finding below critical of a rule that looks at single events. Public
/// rule sets have thousands of them, and a busy administrator or installer hits several a day;
/// what they say is that a look is worth it.
pub const LEAD_FACTOR: f64 = 0.6;
/// A lead's rule that hits this many more hosts than one within the window weighs half: software
/// that does the same on a second host is more likely rolled out than broken in.
pub const LEAD_PREVALENCE_SCALE: f64 = 1.0;
/// A lead belongs to a story no farther than this from a conjunction of the same doer.
pub const ATTACH_GAP: Micros = 30 * MINUTE;
/// How telling a place outside must be to be the doer's own.
pub const OWN_OUTSIDE_MIN: f64 = 0.5;
/// Conjunctions of several events mean more than one event.
pub const KIND_TEMPORAL_FACTOR: f64 = 1.3;
/// Regular contact is common in benign software too, which the rarity of its destination tells.
pub const KIND_PERIODIC_FACTOR: f64 = 1.0;
/// A finding whose every record shows that the attempt was stopped.
pub const BLOCKED_FACTOR: f64 = 0.4;
/// A rule below critical that hits this many more hosts than one within the window weighs half.
pub const PREVALENCE_SCALE: f64 = 8.0;
/// A rule that hits this share of a tenant's hosts (of at least [`PREVALENT_HOSTS_MIN`]) is
/// taken for a habit of the place; a critical one only where it does so over [`ROUTINE_SPAN`].
pub const PREVALENT_SHARE: f64 = 0.5;
/// Fewest hosts that make a habit.
pub const PREVALENT_HOSTS_MIN: usize = 4;
/// What a habit's findings weigh.
pub const PREVALENT_FACTOR: f64 = 0.5;
/// A rule up to medium that keeps hitting the same host over this long is routine there.
pub const ROUTINE_SPAN: Micros = 8 * HOUR;
/// What routine findings weigh.
pub const ROUTINE_FACTOR: f64 = 0.5;

/// Most that attacks over the network, not known to have succeeded, add to the host they
/// aim at: being attacked is not being compromised.
pub const TARGETED_SUM_MAX: f64 = 2.0;
/// Outside sources in excess of one that attack a host at which the tie between an attack on it
/// and what happens on it has halved: which of them was it?
pub const ASSAILANT_SCALE: f64 = 4.0;

/// Share of a finding's weight by the entity's part in it.
pub const SHARE_ACTOR: f64 = 1.0;
/// See [`SHARE_ACTOR`]; the account acted on, of an action that did not fail.
pub const SHARE_TARGET: f64 = 0.8;
/// See [`SHARE_ACTOR`]; the account of an attempt that failed: it may be anyone's.
pub const SHARE_TARGET_FAILED: f64 = 0.15;
/// See [`SHARE_ACTOR`]; an internal host attacked over the network.
pub const SHARE_DESTINATION: f64 = 0.5;
/// See [`SHARE_ACTOR`]; an outside destination of traffic that should not be.
pub const SHARE_DESTINATION_OUTSIDE: f64 = 0.9;

/// Distinct partners in excess of one at which an entity's rarity has fallen to a half.
pub const RARITY_SCALE: f64 = 8.0;
/// Two findings belong together from this strength on.
pub const LINK_MIN: f64 = 0.30;
/// A conjunction that weighs less than this joins nothing: a third of a medium one.
pub const CORE_MIN: f64 = 0.5;
/// Strengths below this are not looked at.
pub const LINK_FLOOR: f64 = 0.1;
/// Findings no further apart than this are linked in full ...
pub const LINK_FULL: Micros = 6 * HOUR;
/// ... and from this distance on not at all; between them the strength falls linearly.
pub const LINK_NONE: Micros = 48 * HOUR;
/// Factor where both findings name accounts (or outside sources) and share none.
pub const CONFLICT_FACTOR: f64 = 0.5;
/// Factor where a host was the network target of one finding and the place of the other.
pub const MIXED_FACTOR: f64 = 0.6;
/// Factor where a host was a network target in both.
pub const TARGET_FACTOR: f64 = 0.5;
/// Strength of a relation between the entities of two findings, before rarity.
pub const TIE_LOGON: f64 = 0.8;
/// How long after commands of an attacker ran on a host an account with a session there may be
/// misused elsewhere, and how old that session may be: tickets and cached credentials live about
/// a working day.
pub const EXPOSED: Micros = 10 * HOUR;
/// See [`TIE_LOGON`]: name and address, file and where it came from.
pub const TIE_NAME: f64 = 0.8;
/// See [`TIE_LOGON`]: two hosts talked.
pub const TIE_CONNECTED: f64 = 0.45;
/// See [`TIE_LOGON`]: one critical rule hit both, no more than [`ATTACH_GAP`] apart: an outbreak.
pub const TIE_OUTBREAK: f64 = 0.5;
/// A relation holds this long before and after it was seen.
pub const TIE_SLACK: Micros = 30 * MINUTE;

/// An entity is a principal of an incident from this much direct evidence on: above a medium
/// lead, below a medium conjunction's outside destination that two hosts have in common.
pub const PRINCIPAL_MIN: f64 = 1.1;
/// A finding stays in a story if what it adds to some entity is at least this.
pub const ADDS_MIN: f64 = 0.1;

/// Most entities taken from one finding; a sweep names more, none of which then matters.
pub const TOUCHES_MAX: usize = 48;
/// Most distinct partners counted per entity; rarity hardly changes beyond.
pub const PARTNERS_MAX: usize = 1_024;
/// Most findings judged at once per tenant, since the judge commits about once a second; beyond
/// it those of lowest level, then the oldest, are left out.
pub const FINDINGS_MAX: usize = 2_048;
/// With how many following findings of the same entity each finding is compared.
pub const NEIGHBOURS_MAX: usize = 48;
/// Most findings of one incident; the heaviest are kept.
pub const INCIDENT_FINDINGS_MAX: usize = 256;
/// Most evidence records copied into one incident.
pub const INCIDENT_RECORDS_MAX: usize = 400;
/// Most bytes of raw records copied into one incident; beyond it records are named by id only.
pub const INCIDENT_RAW_BYTES_MAX: usize = 1024 * 1024;
/// Most principals of one incident.
pub const PRINCIPALS_MAX: usize = 24;

/// How telling an entity with `partners` distinct partners is, from 1 (one partner) towards 0:
/// `1 / (1 + log2(1 + (partners - 1) / scale))`.
pub fn rarity(partners: usize, scale: f64) -> f64 {
    let excess = partners.saturating_sub(1) as f64;
    1.0 / (1.0 + (1.0 + excess / scale).log2())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_without_a_high_finding_stays_below_black() {
        let most = PRIOR_LOG_ODDS + LOW_SUM_MAX + MEDIUM_SUM_MAX + FLOW_SUM_MAX;
        assert!(1.0 / (1.0 + (-most).exp()) < BLACK_ABOVE);
        let critical = PRIOR_LOG_ODDS + level_weight(Level::Critical);
        assert!(1.0 / (1.0 + (-critical).exp()) > BLACK_ABOVE);
    }

    #[test]
    fn rarity_falls_with_partners() {
        assert!((rarity(0, 8.0) - 1.0).abs() < 1e-9);
        assert!((rarity(1, 8.0) - 1.0).abs() < 1e-9);
        assert!((rarity(9, 8.0) - 0.5).abs() < 1e-9);
        assert!(rarity(200, 8.0) < 0.2);
    }
}
