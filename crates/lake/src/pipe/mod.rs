//! The pipe language: a table and words that work on its rows, one after the other.
//!
//! ```text
//! text ─> lexer ─> parser ─> stages, one word a file (words/) ─┐
//!                            fields, functions, aggregates     ├─> plan of the engine ─> rows
//!                            TenantScope ─> tables             ┘
//! ```
//!
//! `docs/pipe.md` describes it and is made from the words. A query never becomes SQL text: each
//! word adds a step to the engine's plan, above tables that show only what the scope may see.

pub mod aggregates;
pub mod ast;
pub mod complete;
pub mod docs;
pub mod frame;
pub mod functions;
pub mod words;

mod compare;
mod fieldwise;
pub mod lets;
mod lexer;
mod parser;
mod refusals;
mod run;
mod scope;
mod udf;

pub(crate) use run::frame_of;
pub use run::{Pipe, run_pipe};

/// Most bytes of a query's text: what people write, and lists of some thousand addresses.
pub const PIPE_BYTES_MAX: usize = 64 * 1024;

/// Deepest nesting of brackets, negations and pipes in pipes: what parsing takes stack for.
pub const DEPTH_MAX: usize = 48;

/// Most values, names and operators of a query.
pub const NODES_MAX: usize = 8_000;

/// Most words and tables of a query, those of pipes in brackets included: each is a step of the
/// plan, and planning takes time in proportion to their square.
pub const STAGES_MAX: usize = 32;

/// Deepest nesting of pipes in pipes. Planning cannot be stopped half-way and takes seconds from
/// some twenty on.
pub const PIPES_MAX: usize = 8;

/// Most columns between two words: those of both tables several times.
pub const COLUMNS_MAX: usize = 1_000;

/// Deepest nesting of a regular expression, as in searches.
pub(crate) const REGEX_NEST_MAX: u32 = 32;
