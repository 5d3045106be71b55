//! The platform's wiring: configuration, engine, pipeline threads, node, command line.

pub mod bench;
pub mod cli;
pub mod config;
pub mod engine;
pub mod epochs;
pub mod evaluate;
pub mod inputs;
pub mod intel;
pub mod looks;
pub mod message;
pub mod node;
pub mod pipeline;
pub mod reparse;
pub mod retrospect;
pub mod rules;
