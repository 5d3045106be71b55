//! From journal entries to lake and judge, in the journal's order.
//!
//! ```text
//! journal ─ dispatcher ─ credit ─┬─ worker: parse, match ─┐
//!                                └─ worker: parse, match ─┴─ sequencer ─┬─ lake thread
//!                                                                       └─ judge thread
//! ```
//!
//! [`work::process`] is pure; the threads only move its input and output. The simulation
//! drives the same functions in one thread.

pub mod batches;
pub mod channel;
pub mod disk;
pub mod erasure;
pub mod expiry;
pub mod flight;
pub mod flush;
pub mod judge;
pub mod known;
pub mod lakes;
pub mod orders;
mod pace;
pub mod progress;
pub mod run;
pub mod snapshot;
pub mod split;
pub mod ties;
pub mod work;
