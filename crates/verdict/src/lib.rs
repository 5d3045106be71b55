//! Judges findings: evidence on entities, verdicts, and the incidents they add up to.
//!
//! Pure: findings and relations go in, values come out; nothing reads a clock or a file.
//!
//! ```text
//! finding ── touch ──> entities it is about ── weight ──> evidence (log-likelihood ratios)
//! relations ─ graph ─> who is whose address, how common each entity is
//! findings + graph ── link ──> strengths ── cluster ──> groups ── ledger, story ──> incident
//! ```
//! Everything that may be tuned is in [`params`].

pub mod account;
pub mod attack;
pub mod cluster;
pub mod entity;
pub mod graph;
pub mod incident;
pub mod ledger;
pub mod link;
pub mod ocsf;
pub mod ocsf_incident;
pub mod outcome;
pub mod params;
pub mod principal;
pub mod reading;
pub mod story;
pub mod touch;
pub mod weight;

pub use cluster::{Candidate, assess, candidates};
pub use entity::{Entity, EntityKind};
pub use graph::{Graph, Tie};
pub use incident::{Incident, State, Story};
pub use ledger::{Standing, Verdict, stand};
pub use ocsf::finding_json;
pub use ocsf_incident::incident_json;
pub use outcome::Outcome;
pub use principal::{Principal, PrincipalRole};
pub use reading::{Item, Reading, read_all};

#[cfg(test)]
mod tests;
