//! Sightings: which value was seen in whose events, how often, first and last.
//!
//! ```text
//! rows of events ─ build ─> one row per kind, value, tenant, source     table `sightings`
//! files of a partition ─ merge ─ combine ─> fewer rows                  compaction
//! ```
//! The table has its own `txn`, as the others have: the LSN up to which events are counted in
//! it. What it says holds whatever becomes of the data files of events below.

mod build;
mod check;
mod combine;
mod read;
mod values;

pub(crate) use build::{SightingsBuilder, sighting_rows};
pub use check::{SightingsReport, check_sightings};
pub(crate) use combine::Combiner;
pub use read::{Seen, Walked, each_sighting};
pub(crate) use values::COLUMNS_SIGHTED;
