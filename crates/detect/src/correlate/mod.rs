//! Correlation: matches in, findings out; a pure state machine without I/O and clock.
//!
//! ```text
//! matches (journal order) ─┬─ plain rules ── group by host, source or user ──────────┐
//!                          └─ correlations ─ window per group ─ decide ─ fire/extend ─┴─> findings
//!                                  ^────────────── bursts (chaining) ──┘
//! ```
//!
//! **Windows** slide over event time, both ends included. A condition is met at the smallest
//! count that fulfils it. The earliest complete window fires at once; its last event is the
//! deciding one. Further events up to one timespan after the finding's last event extend it,
//! for a day at most (`plan::SUPPRESS_CORRELATION`); what comes later has to complete a window
//! of its own. A window completed by late events shortly before a finding joins it. So one
//! burst fires once, in whatever order its events come.
//!
//! **Time.** Live times are clamped to [received - 7 d, received + 1 h]. A stream's watermark
//! is its newest event time, never beyond the time of receipt. An event older than its
//! stream's watermark by more than lateness and timespan is counted as late and left out of
//! correlations (plain findings take every match). A group is kept until every active stream
//! that feeds its rule has passed whatever could still meet it; a stream without a record for
//! timespan and lateness in journal time no longer holds it.
//!
//! **Exactness.** Counts and distinct counts are exact up to the largest threshold allowed
//! (`plan::THRESHOLD_MAX`); there is no estimate. A repeat of an event is recognised among
//! those that its group still holds.
//!
//! **Chaining.** A correlation sees another one's burst as a single event whose time moves
//! with the burst's last event and whose keys are the burst's group.
//!
//! **Bounds** are in [`Limits`]; what is left out, dropped or evicted is counted per tenant
//! and rule in [`RuleStats`].

mod adapt;
mod batch;
mod engine;
mod key;
mod open;
mod periodic;
pub mod plan;
mod snapshot;
pub mod spill;
mod state;
mod stream;
mod upkeep;
mod window;

pub use batch::{BatchCorrelator, BatchOutput};
pub use engine::Correlator;
pub use open::{FINDING_PARTIES_MAX, GROUP_VALUE_BYTES_MAX};
pub use plan::{CorrelationPlan, INDICATOR, Join, Plan, PlanError, RulePlan};
pub use snapshot::SnapshotError;
pub use state::{Limits, RuleStats};
