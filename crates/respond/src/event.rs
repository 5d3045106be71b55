//! What can happen to an incident that somebody is told of.

use yagura_event::Level;

/// An event of an incident.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// It is new.
    Opened,
    /// It was resolved, closed or merged and is open again; with the decision's version where
    /// people decided that.
    Reopened(Option<u64>),
    /// People gave it a state or a verdict.
    Decided {
        /// The state's word, such as `in_progress` or `closed`.
        state: String,
        /// The decision's version.
        version: u64,
    },
    /// It is worse than it ever was.
    SeverityRaised(Level),
    /// Its findings belong to an older incident.
    Merged,
}

impl Event {
    /// What tells it from other events of the incident, such as `closed:7`; never written
    /// otherwise, since it is part of ids.
    pub fn key(&self) -> String {
        match self {
            Self::Reopened(Some(version)) => format!("reopened:{version}"),
            Self::Decided { state, version } => format!("{state}:{version}"),
            Self::SeverityRaised(level) => format!("severity_raised:{}", level.word()),
            _ => self.word().to_owned(),
        }
    }

    /// The kind of event, such as `closed`; of a decision the state.
    pub fn word(&self) -> &str {
        match self {
            Self::Opened => "opened",
            Self::Reopened(_) => "reopened",
            Self::Decided { state, .. } => state,
            Self::SeverityRaised(_) => "severity_raised",
            Self::Merged => "merged",
        }
    }
}
