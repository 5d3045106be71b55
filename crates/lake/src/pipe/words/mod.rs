//! The words of the pipe language: one registry, one word a file.

mod count;
mod distinct;
mod extend;
mod join;
mod make_series;
mod mv_expand;
mod parse;
mod project;
mod project_away;
mod project_rename;
mod sort;
mod summarize;
mod take;
mod top;
mod union;
mod r#where;

use crate::pipe::aggregates;
use crate::pipe::ast::{Kind as Tree, Named, Node};
use crate::pipe::frame::{Frame, Value};
use crate::pipe::parser::Parser;
use crate::pipe::scope::{Env, Scope};
use crate::search::fault::{Fault, Span};
use std::fmt::Debug;

/// A word of the language.
#[derive(Debug)]
pub struct Word {
    /// How it is written.
    pub name: &'static str,
    /// How else.
    pub aliases: &'static [&'static str],
    /// What follows it.
    pub syntax: &'static str,
    /// What it does, for the documentation: sentences, wrapped there.
    pub doc: &'static str,
    /// Queries that show it, over the documentation's small lake.
    pub examples: &'static [&'static str],
    /// Reads what follows it.
    pub parse: fn(&mut Parser) -> Result<Box<dyn Stage>, Fault>,
}

/// A word with what was written behind it.
pub trait Stage: Debug + Send + Sync {
    /// Adds the step to the plan.
    ///
    /// # Errors
    /// What is wrong with it over these columns.
    fn lower(&self, frame: Frame, env: &mut Env, span: Span) -> Result<Frame, Fault>;
}

/// Every word, in order of the documentation.
pub const WORDS: &[Word] = &[
    r#where::WORD,
    project::WORD,
    project_away::WORD,
    project_rename::WORD,
    extend::WORD,
    summarize::WORD,
    sort::WORD,
    top::WORD,
    take::WORD,
    count::WORD,
    distinct::WORD,
    join::WORD,
    union::WORD,
    parse::WORD,
    mv_expand::WORD,
    make_series::WORD,
];

/// The word, ASCII case ignored.
pub fn find(name: &str) -> Option<&'static Word> {
    let is = |known: &str| known.eq_ignore_ascii_case(name);
    WORDS.iter().find(|word| is(word.name) || word.aliases.iter().any(|alias| is(alias)))
}

/// The name of a column that has none of its own: the field's, `count_`, or its number.
fn name_of(named: &Named, number: usize) -> String {
    if let Some(name) = &named.name {
        return name.text.clone();
    }
    unnamed(&named.node).unwrap_or_else(|| format!("Column{number}"))
}

fn unnamed(node: &Node) -> Option<String> {
    match &node.kind {
        Tree::Field(name) => Some(name.text.clone()),
        Tree::Call(name, arguments)
            if ["bin", "floor"].iter().any(|known| name.text.eq_ignore_ascii_case(known)) =>
        {
            unnamed(arguments.first()?)
        }
        _ => aggregates::default_name(node),
    }
}

/// The values of a list with the names of their columns.
fn values(frame: &Frame, env: &mut Env, list: &[Named]) -> Result<Vec<(String, Value)>, Fault> {
    let mut scope = Scope::new(env, frame);
    let mut all = Vec::with_capacity(list.len());
    for (at, named) in list.iter().enumerate() {
        let value = scope.value(&named.node)?;
        let origin = value.origin.filter(|_| named.name.is_none());
        all.push((name_of(named, at + 1), Value { origin, ..value }));
    }
    Ok(all)
}

/// The columns with some set: those of a name that is there take its place.
fn set(mut columns: Vec<(String, Value)>, more: Vec<(String, Value)>) -> Vec<(String, Value)> {
    for (name, value) in more {
        match columns.iter_mut().find(|(known, _)| *known == name) {
            Some(place) => place.1 = value,
            None => columns.push((name, value)),
        }
    }
    columns
}
