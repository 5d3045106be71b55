//! Detection: Sigma rules in, matches and findings out, without I/O or a clock.
//!
//! [`RuleSet::load`] reads rules, [`Matcher::compile`] binds them to the fields and
//! logsources of the loaded sources, [`Matcher::matches`] tells which rules hit an event.

pub mod correlate;
pub mod diagnostic;
mod front;
mod ir;
mod load;
mod matcher;
#[cfg(test)]
mod naive;
pub mod rule;
#[cfg(test)]
mod tests;
mod walk;

pub use load::{RULE_FILE_BYTES_MAX, RuleSet};
pub use matcher::{
    FIELD_BYTES_MAX, HIT_FIELDS_MAX, Hit, HitField, HitPlace, Matcher, Scratch, VALUE_BYTES_MAX,
};
pub use rule::{
    CorrelationKind, CorrelationRule, CountOp, Periodic, RuleError, RuleIndex, RuleInfo, RuleKind,
    RuleLogsource,
};
pub use walk::rule_files;
