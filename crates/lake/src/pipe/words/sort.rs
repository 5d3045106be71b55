//! `sort`: rows in an order.

use super::{Stage, Word};
use crate::pipe::ast::Node;
use crate::pipe::frame::Frame;
use crate::pipe::parser::Parser;
use crate::pipe::scope::{Env, Scope};
use crate::search::fault::{Fault, Span};
use datafusion::logical_expr::SortExpr;

pub const WORD: Word = Word {
    name: "sort",
    aliases: &["order"],
    syntax: "sort by column asc|desc nulls first|last, ...",
    doc: "Puts the rows in order; `desc`, the greatest first, where nothing is written. Rows \
          without a value come last in `desc` and first in `asc` unless `nulls` says otherwise.",
    examples: &["events | project time, dst_port | sort by dst_port desc, time asc | take 3"],
    parse: |parser| {
        parser.need_word("by")?;
        Ok(Box::new(Sort(parser.list(key)?)))
    },
};

/// What rows are sorted by.
#[derive(Debug)]
pub struct Key {
    node: Node,
    ascending: bool,
    nulls_first: bool,
}

#[derive(Debug)]
struct Sort(Vec<Key>);

/// `expression asc|desc nulls first|last`.
///
/// # Errors
/// The first thing that is wrong.
pub fn key(parser: &mut Parser) -> Result<Key, Fault> {
    let node = parser.expression()?;
    let ascending = parser.eat_word("asc");
    if !ascending {
        parser.eat_word("desc");
    }
    let mut nulls_first = ascending;
    if parser.eat_word("nulls") {
        nulls_first = parser.eat_word("first");
        if !nulls_first {
            parser.need_word("last")?;
        }
    }
    Ok(Key { node, ascending, nulls_first })
}

/// The engine's order by these keys.
///
/// # Errors
/// Values that have no order.
pub fn order(frame: &Frame, env: &mut Env, keys: &[Key]) -> Result<Vec<SortExpr>, Fault> {
    let mut scope = Scope::new(env, frame);
    let mut order = Vec::new();
    for key in keys {
        let value = scope.value(&key.node)?;
        if !value.kind.is_single() {
            let message = format!("rows cannot be sorted by a {}", value.kind.name());
            return Err(Fault::new("value_kind", key.node.span, message));
        }
        frame.parts(&value.expr, key.node.span)?;
        order.push(value.expr.sort(key.ascending, key.nulls_first));
    }
    Ok(order)
}

impl Stage for Sort {
    fn lower(&self, frame: Frame, env: &mut Env, span: Span) -> Result<Frame, Fault> {
        let order = order(&frame, env, &self.0)?;
        frame.then(span, |plan| plan.sort(order))
    }
}
