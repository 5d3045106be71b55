//! A channel that is ready to send, and the seam between it and its peer.

use crate::case::Case;
use crate::config::{Kind, Language};
use crate::quiet::QuietHours;
use jiff::tz::TimeZone;
use std::sync::Arc;
use yagura_event::Level;
use yagura_event::time::Micros;
use yagura_meta::outbox::Item;

/// A checked `[[notify]]`.
#[derive(Clone)]
pub(crate) struct Channel {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) severity_min: Level,
    pub(crate) tenant: Option<String>,
    pub(crate) language: Language,
    pub(crate) zone: TimeZone,
    pub(crate) quiet: Option<QuietHours>,
    pub(crate) transport: Arc<dyn Transport>,
}

impl Channel {
    /// Whether it tells of an incident that was at most as severe as `highest`.
    pub(crate) fn tells(&self, case: &Case, highest: Level) -> bool {
        highest >= self.severity_min
            && self.tenant.as_ref().is_none_or(|tenant| *tenant == case.tenant)
    }

    /// How urgent something must be to go at `now`, and when anything may.
    pub(crate) fn floor(&self, now: Micros) -> (Level, Option<Micros>) {
        match &self.quiet {
            Some(quiet) => (quiet.floor(now), quiet.end(now)),
            None => (Level::Informational, None),
        }
    }
}

/// Why a try failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Failure {
    /// In words, without secrets and without the incident's content.
    pub(crate) error: String,
    /// Whether another try would fail as well.
    pub(crate) permanent: bool,
    /// Time before which the peer wants no other try.
    pub(crate) not_before: Option<Micros>,
}

impl Failure {
    pub(crate) fn passing(error: impl Into<String>) -> Self {
        Self { error: error.into(), permanent: false, not_before: None }
    }

    pub(crate) fn permanent(error: impl Into<String>) -> Self {
        Self { error: error.into(), permanent: true, not_before: None }
    }
}

/// Hands a notification to the peer and waits for its answer.
pub(crate) trait Transport: Send + Sync {
    /// `Ok` once the peer has taken it, with what it refused nevertheless.
    fn send(&self, item: &Item, now: Micros) -> Result<Option<String>, Failure>;
}
