//! The functions of single rows: one registry, one group of kin a file.

mod logic;
mod number;
mod text;
mod time;

use crate::pipe::aggregates::AGGREGATES;
use crate::pipe::ast::{Kind as Tree, Literal, Node};
use crate::pipe::frame::{Kind, Value};
use crate::pipe::scope::{Scope, as_number, as_text};
use crate::search::ast::Name;
use crate::search::fault::{Fault, Span, nearest};
use datafusion::logical_expr::Expr;

/// A function of the values of a row.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub syntax: &'static str,
    /// What it gives.
    pub doc: &'static str,
    least: usize,
    most: usize,
    lower: fn(&mut Scope<'_>, &mut Args<'_>) -> Result<Value, Fault>,
}

/// Most arguments of a function.
const ARGUMENTS_MAX: usize = 64;

/// Every function.
pub fn all() -> impl Iterator<Item = &'static Function> {
    [text::FUNCTIONS, number::FUNCTIONS, time::FUNCTIONS, logic::FUNCTIONS].into_iter().flatten()
}

/// Lowers a call.
///
/// # Errors
/// A function that does not exist, or arguments that do not fit it.
pub fn lower(
    scope: &mut Scope<'_>,
    name: &Name,
    nodes: &[Node],
    span: Span,
) -> Result<Value, Fault> {
    let Some(function) = all().find(|known| known.name.eq_ignore_ascii_case(&name.text)) else {
        let fault = Fault::new(
            "function_unknown",
            name.span,
            format!("there is no function `{}`", name.text),
        );
        let names = all().map(|f| f.name).chain(AGGREGATES.iter().map(|a| a.name));
        return Err(match nearest(&name.text, names) {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault.help("docs/pipe.md lists them"),
        });
    };
    let mut args = Args::new(function.name, function.syntax, nodes, span);
    args.counted(function.least, function.most)?;
    (function.lower)(scope, &mut args)
}

/// The arguments of a call.
#[derive(Debug)]
pub struct Args<'n> {
    /// The function's name.
    pub name: &'static str,
    /// The arguments as written.
    pub nodes: &'n [Node],
    /// The call's place.
    pub span: Span,
    syntax: &'static str,
}

impl<'n> Args<'n> {
    /// The arguments of a call of a function.
    pub fn new(name: &'static str, syntax: &'static str, nodes: &'n [Node], span: Span) -> Self {
        Self { name, nodes, span, syntax }
    }

    /// Checks how many there are.
    ///
    /// # Errors
    /// Too few or too many.
    pub fn counted(&self, least: usize, most: usize) -> Result<(), Fault> {
        if (least..=most).contains(&self.nodes.len()) {
            return Ok(());
        }
        let wanted = match (least, most) {
            (least, most) if least == most => format!("{least}"),
            (least, ARGUMENTS_MAX) => format!("at least {least}"),
            (least, most) => format!("{least} to {most}"),
        };
        let plural = if wanted == "1" { "" } else { "s" };
        Err(self.fault(format!("{} takes {wanted} argument{plural}", self.name)))
    }

    /// A fault of the whole call, with how it is written.
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new("arguments", self.span, message).help(format!("write {}", self.syntax))
    }

    /// The argument as written.
    ///
    /// # Errors
    /// There is none.
    pub fn node(&self, at: usize) -> Result<&'n Node, Fault> {
        self.nodes.get(at).ok_or_else(|| self.fault("an argument is missing"))
    }

    /// The argument as a text in quotes.
    ///
    /// # Errors
    /// It is none.
    pub fn quoted(&self, at: usize) -> Result<&'n str, Fault> {
        let node = self.node(at)?;
        match &node.kind {
            Tree::Literal(Literal::Text(text)) => Ok(text),
            _ => Err(self.fault("a text in quotes was to come here").at(node.span)),
        }
    }

    /// The argument as a whole number as written.
    ///
    /// # Errors
    /// It is none.
    pub fn whole(&self, at: usize) -> Result<i64, Fault> {
        let node = self.node(at)?;
        match &node.kind {
            Tree::Literal(Literal::Integer(number)) => Ok(*number),
            Tree::Minus(inner) if matches!(inner.kind, Tree::Literal(Literal::Integer(_))) => {
                let Tree::Literal(Literal::Integer(number)) = inner.kind else { return Ok(0) };
                Ok(-number)
            }
            _ => Err(self.fault("a whole number was to come here").at(node.span)),
        }
    }

    /// The argument as a text of each row, whatever it is.
    fn text(&self, scope: &mut Scope<'_>, at: usize) -> Result<Expr, Fault> {
        Ok(as_text(scope.value(self.node(at)?)?))
    }

    /// The argument as a number of each row.
    fn number(&self, scope: &mut Scope<'_>, at: usize) -> Result<Value, Fault> {
        let node = self.node(at)?;
        as_number(scope.value(node)?, node.span)
    }

    /// Several arguments of one kind, which they share.
    fn alike(&self, scope: &mut Scope<'_>, from: usize) -> Result<(Vec<Expr>, Kind), Fault> {
        let mut kind = None;
        let mut exprs = Vec::new();
        for node in self.nodes.get(from..).unwrap_or_default() {
            let value = scope.value(node)?;
            kind = Some(match (kind, value.kind) {
                (None, kind) => kind,
                (Some(Kind::Text | Kind::Any), Kind::Text | Kind::Any) => Kind::Text,
                (Some(Kind::Integer | Kind::Float), Kind::Float)
                | (Some(Kind::Float), Kind::Integer) => Kind::Float,
                (Some(kind), other) if kind == other => kind,
                (Some(kind), other) => {
                    let message = format!("a {} stands beside a {}", other.name(), kind.name());
                    return Err(Fault::new("value_kind", node.span, message)
                        .help("write tostring(...) around both"));
                }
            });
            exprs.push(value.expr);
        }
        Ok((exprs, kind.unwrap_or(Kind::Text)))
    }
}
