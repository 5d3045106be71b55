//! Seeded fuzzing of everything that reads bytes from outside.
//!
//! Each target is a plain function of bytes ([`targets::parse::check`],
//! [`targets::rules::check`], [`targets::journal::check`]), which a coverage-guided fuzzer can call
//! as well; here a seeded driver makes the bytes, knowing their structure: it begins with real
//! records, rules and segments, splices and mutates them, and puts in words of the source
//! definitions. A failing input is saved, and seed and number repeat it.

pub mod driver;
pub mod mutate;
pub mod targets;

pub use driver::{Failure, Report, Run};
pub use targets::Target;
