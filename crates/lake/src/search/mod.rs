//! Search: a short language over the `events` table, lowered to the engine's conditions.
//!
//! ```text
//! text ─> lexer ─> parser ─> tree ─> lower ─> condition ─┐
//!                                    fields, values      ├─> places of the first rows ─> rows
//!                       TenantScope ─> provider (files)  ┘
//! ```
//!
//! `docs/search.md` describes the language. A search reads twice: first only what decides
//! which events are shown, then the shown events' columns.

pub mod ast;
pub mod count;
pub mod fault;
pub mod fields;
pub mod parser;
pub mod rows;
pub mod run;
pub mod show;

pub(crate) mod functions;
mod lexer;
pub(crate) mod lower;
pub(crate) mod matching;
pub(crate) mod time;
mod values;
pub(crate) mod words;

#[cfg(test)]
mod tests;

pub use fault::{Fault, Span};
pub use lexer::{QUERY_BYTES_MAX, REGEX_BYTES_MAX, WILDCARDS_MAX, WORD_BYTES_MAX};
pub use lower::REGEXES_MAX;
pub use parser::{DEPTH_MAX, TERMS_MAX, parse};
pub use run::{Answer, search};
pub use show::Shown;

use ast::Name;
use datafusion::logical_expr::Expr;
use std::fmt;
use yagura_event::Micros;

/// Most events that one search shows. More are a matter for `yagura sql`.
pub const LIMIT_MAX: usize = 100_000;

/// Most columns that can be asked for.
pub const COLUMNS_MAX: usize = 64;

/// What is asked, as written.
#[derive(Clone, Debug)]
pub struct Spec<'t> {
    /// The query.
    pub query: &'t str,
    /// Names of the columns shown, with commas between; `None` for those of the form.
    pub columns: Option<&'t str>,
    /// The column that events are sorted by, `-` before it for descending; newest first where
    /// `None`.
    pub sort: Option<&'t str>,
    /// Most events shown.
    pub limit: usize,
}

/// A search that was checked and can run.
#[derive(Clone, Debug)]
pub struct Search {
    pub(crate) condition: Option<Expr>,
    pub(crate) sort: &'static str,
    pub(crate) descending: bool,
    pub(crate) limit: usize,
    /// The columns asked for.
    pub columns: Option<Vec<Shown>>,
}

/// Why a search was refused, with the text at fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// What is wrong and where.
    pub fault: Fault,
    /// The text that it is in, and what it is called.
    text: String,
    what: &'static str,
}

impl Refused {
    /// A fault in a text that is called `what`.
    pub(crate) fn new(fault: Fault, text: &str, what: &'static str) -> Self {
        Self { fault, text: text.to_owned(), what }
    }

    /// The fault drawn under its text, over several lines.
    pub fn render(&self) -> String {
        self.fault.render_in(self.what, &self.text)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

impl std::error::Error for Refused {}

impl Search {
    /// The same search that shows at most `limit` events.
    pub fn limited(&self, limit: usize) -> Self {
        Self { limit, ..self.clone() }
    }

    /// Reads and checks what is asked; relative times are counted from `now`.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn new(spec: &Spec<'_>, now: Micros) -> Result<Self, Refused> {
        let at = |what: &'static str, text: &str| {
            let text = text.to_owned();
            move |fault| Refused { fault, text, what }
        };
        let tree = parse(spec.query).map_err(at("query", spec.query))?;
        let condition = lower::condition(&tree, now).map_err(at("query", spec.query))?;
        let columns =
            spec.columns.map(|text| columns(text).map_err(at("columns", text))).transpose()?;
        let (sort, descending) = match spec.sort {
            None => ("time", true),
            Some(text) => sort(text).map_err(at("sort", text))?,
        };
        if spec.limit == 0 || spec.limit > LIMIT_MAX {
            let limit = spec.limit.to_string();
            let span = Span::new(0, limit.len());
            let message = format!("the limit is to be from 1 to {LIMIT_MAX}");
            return Err(at("limit", &limit)(Fault::new("limit_range", span, message)));
        }
        Ok(Self { condition, sort, descending, limit: spec.limit, columns })
    }
}

/// The parts of a list with commas, with their places.
fn listed(text: &str) -> impl Iterator<Item = Name> + '_ {
    let mut start = 0;
    text.split(',').map(move |part| {
        let from = start + (part.len() - part.trim_start().len());
        start += part.len() + 1;
        let part = part.trim();
        Name { text: part.to_owned(), span: Span::new(from, from + part.len()) }
    })
}

fn columns(text: &str) -> Result<Vec<Shown>, Fault> {
    let mut all = Vec::new();
    for name in listed(text) {
        all.push(Shown::of(&name)?);
        if all.len() > COLUMNS_MAX {
            let message = format!("more than {COLUMNS_MAX} columns are asked for");
            return Err(Fault::new("columns_too_many", name.span, message));
        }
    }
    Ok(all)
}

fn sort(text: &str) -> Result<(&'static str, bool), Fault> {
    let (word, descending) = match text.strip_prefix('-') {
        Some(word) => (word, true),
        None => (text.strip_prefix('+').unwrap_or(text), false),
    };
    let span = Span::new(text.len() - word.len(), text.len());
    let name = Name { text: word.to_owned(), span };
    match fields::resolve(&name)? {
        fields::Target::Class => Ok(("class_uid", descending)),
        fields::Target::Activity => Ok(("activity_id", descending)),
        fields::Target::Columns(sources) => match sources.as_slice() {
            [one] if one.form.is_sortable() => Ok((one.column, descending)),
            _ => Err(no_sort(&name)),
        },
        _ => Err(no_sort(&name)),
    }
}

fn no_sort(name: &Name) -> Fault {
    let message = format!("events cannot be sorted by `{}`", name.text);
    Fault::new("sort_field", name.span, message).help("name one column, such as time or src_ip")
}
