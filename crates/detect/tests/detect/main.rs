//! Rules and correlations beside reference answers.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod correlate;
mod correlate_common;
mod correlate_periodic;
mod correlate_reference;
mod correlate_snapshot;
mod correlate_spill;
mod sigmahq;
