//! Our matcher beside `rsigma-eval`, which nobody here wrote: same rules, same events, same
//! matches, or a reason that the Sigma specification gives.
//!
//! ```text
//! bytes ── Parser ── EventRef ──┬── Matcher::matches ─────────────────┐
//!                               └── Flat (names, values) ── rsigma ───┴─ sets equal? Reason
//! ```
//!
//! A test tool: no part of the program depends on this crate.

pub mod compare;
pub mod data;
pub mod flat;
pub mod peer;
pub mod reason;
pub mod rewrite;
pub mod spell;
pub mod timing;
pub mod vary;

pub use compare::{Comparison, Difference, Pair};
pub use flat::{Field, Flat};
pub use reason::Reason;
