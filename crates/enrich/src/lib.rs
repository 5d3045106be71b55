//! Threat intelligence on events: lists of indicators read, held compactly, matched.
//!
//! ```text
//! files ── read ── List (canonical text) ── Indicators ── matches ── Match
//! warning lists ───────────────────────────────┘ suppress
//! ```
//! A [`List`] is what was taken from one file and what was refused, with a reason each. Its
//! canonical form is content-addressed, so that a replay matches against the same. The set,
//! [`Indicators`], is immutable and shared; a reload makes a new one.
//!
//! Nothing here opens files or reads a clock.

pub mod digest;
mod domain;
mod fuse;
pub mod indicators;
pub mod kind;
pub mod list;
mod matcher;
mod network;
mod prefix;
pub mod read;
pub mod refusal;
pub mod report;
mod sighted;
mod table;
#[cfg(test)]
mod tests;
mod url;
pub mod value;
pub mod warning;

pub use indicators::{BuildError, IndicatorRule, Indicators};
pub use kind::{Group, Kind};
pub use list::{List, ListError, REFUSED_CHARS_MAX, REFUSED_KEPT_MAX, Refused};
pub use matcher::{INDICATOR_KEY, Scratch};
pub use read::{Limits, read_list};
pub use refusal::Refusal;
pub use report::Report;
pub use sighted::{SightedHit, SightedScratch};
pub use value::{Value, parse};
pub use warning::{WarningList, Warnings};
