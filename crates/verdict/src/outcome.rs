//! Whether what a finding shows was tried, stopped or done, as far as its own records say.

use crate::attack::Tactic;
use serde::{Deserialize, Serialize};
use yagura_event::{Finding, ObservableKind, Role, Sample};

/// What became of an attack step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The records do not say.
    Unknown,
    /// Something stopped it.
    Blocked,
    /// It was tried and failed, or only tried.
    Attempted,
    /// It was done.
    Succeeded,
}

impl Outcome {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Blocked => "blocked",
            Self::Attempted => "attempted",
            Self::Succeeded => "succeeded",
        }
    }
}

/// The outcome of one finding: of its records where they say, else of its kind of activity.
pub fn of_finding(finding: &Finding, tactics: &[Tactic]) -> Outcome {
    let votes: Vec<Outcome> = finding.samples.iter().filter_map(of_record).collect();
    if votes.contains(&Outcome::Succeeded) {
        return Outcome::Succeeded;
    }
    if !votes.is_empty() && votes.len() == finding.samples.len() {
        return if votes.iter().all(|v| *v == Outcome::Blocked) {
            Outcome::Blocked
        } else {
            Outcome::Attempted
        };
    }
    let ran = finding.parties.iter().any(|p| {
        matches!(p.observable.kind, ObservableKind::Process | ObservableKind::CommandLine)
    });
    let on_host = finding
        .parties
        .iter()
        .any(|p| p.role == Role::Device && p.observable.kind == ObservableKind::Host);
    if finding.kind == "periodic" || (ran && on_host) {
        return Outcome::Succeeded;
    }
    let only_tries = !tactics.is_empty()
        && tactics.iter().all(|t| matches!(t, Tactic::Reconnaissance | Tactic::CredentialAccess));
    if only_tries { Outcome::Attempted } else { Outcome::Unknown }
}

/// The outcome of a story: the furthest any of its steps got.
pub fn of_story(steps: impl IntoIterator<Item = Outcome>) -> Outcome {
    steps.into_iter().max().unwrap_or(Outcome::Unknown)
}

/// Names of fields whose value states the outcome, lower case.
const FIELDS: [&str; 12] = [
    "action",
    "disposition",
    "outcome",
    "status",
    "result",
    "proxy_action",
    "event_outcome",
    "auth_result",
    "keywords",
    "activity",
    "verdict",
    "event",
];

fn of_record(sample: &Sample) -> Option<Outcome> {
    let stated = sample
        .fields
        .iter()
        .filter(|(name, _)| FIELDS.contains(&name.to_ascii_lowercase().as_str()))
        .find_map(|(_, value)| of_word(&value.to_ascii_lowercase()));
    stated.or_else(|| of_event_id(sample)).or_else(|| of_raw(&sample.raw))
}

fn of_event_id(sample: &Sample) -> Option<Outcome> {
    let (_, id) = sample.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("EventID"))?;
    match id.as_str() {
        "4624" => Some(Outcome::Succeeded),
        "4625" | "4771" | "4776" => Some(Outcome::Attempted),
        _ => None,
    }
}

fn of_word(word: &str) -> Option<Outcome> {
    let has = |list: &[&str]| list.iter().any(|w| word.contains(w));
    if has(&["den", "drop", "block", "reject", "quarantin", "prevent"]) {
        Some(Outcome::Blocked)
    } else if has(&["fail", "invalid", "unauthor"]) {
        Some(Outcome::Attempted)
    } else if has(&["accept", "success", "allow", "permit", "tunnel"]) {
        Some(Outcome::Succeeded)
    } else {
        None
    }
}

/// Longest part of a raw record read for words of outcome, in bytes; they stand at the front.
const RAW_BYTES_READ: usize = 512;

fn of_raw(raw: &str) -> Option<Outcome> {
    let head: String = raw.chars().take(RAW_BYTES_READ).collect::<String>().to_ascii_lowercase();
    let has = |list: &[&str]| list.iter().any(|w| head.contains(w));
    if has(&[" deny ", "denied", " blocked", " dropped"]) {
        Some(Outcome::Blocked)
    } else if has(&["failed password", "authentication failure", "invalid user", "login failed"]) {
        Some(Outcome::Attempted)
    } else if has(&["accepted password", "accepted publickey", "session opened"]) {
        Some(Outcome::Succeeded)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_raw_lines() {
        assert_eq!(of_word("denied"), Some(Outcome::Blocked));
        assert_eq!(of_word("tunnel"), Some(Outcome::Succeeded));
        assert_eq!(of_raw("%FW: Deny tcp src a dst b"), Some(Outcome::Blocked));
        assert_eq!(of_raw("sshd: Failed password for x"), Some(Outcome::Attempted));
        assert_eq!(of_raw("nothing to see"), None);
        assert_eq!(of_story([Outcome::Blocked, Outcome::Attempted]), Outcome::Attempted);
    }
}
