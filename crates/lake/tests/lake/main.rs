//! The lake end to end: writing, reading, replay, crashes and damage.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod clean;
mod common;
mod compact;
mod crash;
mod damage;
mod erase;
mod forms;
mod govern;
mod hostile;
mod index;
mod pipe;
mod pipe_docs;
mod pipe_faults;
mod pipe_lake;
mod query;
mod reparse;
mod retention;
mod search;
mod search_naive;
mod sightings;
mod tally;
mod write;
