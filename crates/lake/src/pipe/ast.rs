//! The tree of an expression of the pipe language.

use crate::pipe::parser::Query;
use crate::search::ast::Name;
use crate::search::fault::Span;
use std::sync::Arc;
use yagura_event::Micros;

/// An expression with its place.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it is written.
    pub span: Span,
    /// Levels of nodes below and with it.
    pub depth: usize,
}

/// What an expression is.
#[derive(Clone, PartialEq, Debug)]
pub enum Kind {
    /// A value as written.
    Literal(Literal),
    /// A field or a column of the rows before.
    Field(Name),
    /// All rows or columns, in `count(*)` and `distinct *`.
    Star,
    /// A function of arguments.
    Call(Name, Vec<Node>),
    /// All of them hold.
    And(Vec<Node>),
    /// Any of them holds.
    Or(Vec<Node>),
    /// It does not hold.
    Not(Box<Node>),
    /// The number with the other sign.
    Minus(Box<Node>),
    /// `+ - * / %` of two values.
    Arithmetic(char, Box<Node>, Box<Node>),
    /// A pipe whose one column is a list of values.
    Pipe(SubPipe),
    /// A comparison of a value with others.
    Compare(Compare, Box<Node>, Vec<Node>),
}

/// A pipe within an expression.
#[derive(Clone, Debug)]
pub struct SubPipe(pub Arc<Query>);

impl From<Query> for SubPipe {
    fn from(query: Query) -> Self {
        Self(Arc::new(query))
    }
}

impl PartialEq for SubPipe {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A comparison and whether it is turned round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Compare {
    /// Which.
    pub operator: Operator,
    /// Whether rows pass for which it does not hold.
    pub negated: bool,
}

/// The comparisons, by what holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    /// `==`
    Equal,
    /// `=~`
    Alike,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `in (...)`
    In,
    /// `in~ (...)`
    InAlike,
    /// `has`
    Has,
    /// `has_any (...)`
    HasAny,
    /// `contains`
    Contains,
    /// `contains_cs`
    ContainsExact,
    /// `startswith`
    Starts,
    /// `endswith`
    Ends,
    /// `matches regex`
    Matches,
    /// `between (a .. b)`
    Between,
}

/// A value as written.
#[derive(Clone, PartialEq, Debug)]
pub enum Literal {
    /// `"text"`
    Text(String),
    /// `12`
    Integer(i64),
    /// `1.5`
    Float(f64),
    /// `true`
    Truth(bool),
    /// `5m`, in microseconds.
    Span(Micros),
    /// `null`
    Null,
}

/// `name = expression` or the expression alone.
#[derive(Clone, PartialEq, Debug)]
pub struct Named {
    /// The name it is to have.
    pub name: Option<Name>,
    /// The expression.
    pub node: Node,
}
