//! `count`: how many rows there are.

use super::{Stage, Word};
use crate::pipe::aggregates::{column, group};
use crate::pipe::frame::{Frame, Kind, Value};
use crate::pipe::scope::Env;
use crate::search::fault::{Fault, Span};
use datafusion::common::Column;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, lit};

pub const WORD: Word = Word {
    name: "count",
    aliases: &[],
    syntax: "count",
    doc: "One row with the number of rows, in the column `Count`.",
    examples: &["events | count"],
    parse: |_| Ok(Box::new(Count)),
};

#[derive(Debug)]
struct Count;

impl Stage for Count {
    fn lower(&self, frame: Frame, _: &mut Env, span: Span) -> Result<Frame, Fault> {
        let frame = group(frame, span, Vec::new(), vec![count(lit(1i64))])?;
        let value = Value::new(Expr::Column(Column::new_unqualified(column(0))), Kind::Integer);
        frame.select(span, vec![("Count".to_owned(), value)])
    }
}
