//! Correlation of a closed batch: all its matches in order of time, each finding once.

use super::engine::{Correlator, Mode};
use super::plan::Plan;
use super::state::{Limits, RuleStats};
use std::sync::Arc;
use yagura_event::{Finding, Lsn, Match, Micros};

/// Correlates the matches of one batch with state and clock of its own.
///
/// Matches come sorted by (event time, event id, rule), see [`super::spill::sort`]; the clock
/// is the time of the events, nothing is clamped and nothing late. Memory is bounded by
/// [`Limits`] and by the findings themselves.
#[derive(Debug)]
pub struct BatchCorrelator {
    inner: Correlator,
    lsn: Lsn,
    out: Vec<Finding>,
}

/// What a batch yields.
#[derive(Debug, Default)]
pub struct BatchOutput {
    /// Every finding once, version 1, sorted by (first time, id).
    pub findings: Vec<Finding>,
    /// Counters by (tenant, rule), sorted.
    pub stats: Vec<(String, String, RuleStats)>,
}

impl BatchCorrelator {
    /// Begins a batch; `lsn` is the position of its close and becomes the findings' own.
    pub fn new(plan: Arc<Plan>, limits: Limits, lsn: Lsn) -> Self {
        Self { inner: Correlator::with_mode(plan, limits, Mode::Batch), lsn, out: Vec::new() }
    }

    /// Takes the next match.
    pub fn push(&mut self, m: &Match) {
        self.inner.on_match(self.lsn, m, &mut self.out);
        self.inner.sweep_due(self.lsn, &mut self.out);
    }

    /// Ends the batch.
    pub fn finish(mut self) -> BatchOutput {
        let rules: Vec<(String, String)> =
            self.inner.stats().into_iter().map(|(tenant, rule, _)| (tenant, rule)).collect();
        for (tenant, rule) in rules {
            self.inner.sweep(&tenant, &rule, Some(Micros::MAX), self.lsn, &mut self.out);
        }
        self.out.sort_by_key(|finding| (finding.first_time, finding.id));
        BatchOutput { stats: self.inner.stats(), findings: self.out }
    }

    /// Runs a whole batch.
    ///
    /// # Errors
    /// The first error that `matches` yields.
    pub fn run<E>(
        plan: Arc<Plan>,
        limits: Limits,
        lsn: Lsn,
        matches: impl IntoIterator<Item = Result<Match, E>>,
    ) -> Result<BatchOutput, E> {
        let mut batch = Self::new(plan, limits, lsn);
        for m in matches {
            batch.push(&m?);
        }
        Ok(batch.finish())
    }
}
