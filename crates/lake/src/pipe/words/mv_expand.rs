//! `mv-expand`: a row for each item of a list.

use super::{Stage, Word, name_of, set};
use crate::pipe::ast::Named;
use crate::pipe::frame::refused;
use crate::pipe::frame::{Frame, Kind, Value};
use crate::pipe::parser::Parser;
use crate::pipe::scope::{Env, Scope};
use crate::pipe::udf;
use crate::search::fault::{Fault, Span};
use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use datafusion::common::{Column, DataFusionError, UnnestOptions};
use datafusion::logical_expr::{Expr, ExprSchemable};
use std::sync::Arc;

/// Most items that the lists of one batch of some thousand rows may have. The engine makes all
/// their rows at once, with every column repeated.
pub const ITEMS_MAX: usize = 1_000_000;

pub const WORD: Word = Word {
    name: "mv-expand",
    aliases: &["mvexpand"],
    syntax: "mv-expand name = list",
    doc: "A row for each item of a list, with the other columns as they are. A row without a list \
          stays one row; one whose list is empty goes. Of a list of objects write a part: \
          `answers.value`.",
    examples: &[
        "events | summarize ports = make_set(dst_port) by src_ip | mv-expand port = ports | where port != \"443\" | project src_ip, port | sort by src_ip asc, port asc",
    ],
    parse: |parser| Ok(Box::new(Expand(Parser::named(parser)?))),
};

#[derive(Debug)]
struct Expand(Named);

impl Stage for Expand {
    fn lower(&self, frame: Frame, env: &mut Env, span: Span) -> Result<Frame, Fault> {
        let value = Scope::new(env, &frame).value(&self.0.node)?;
        match value.kind {
            Kind::Texts | Kind::List => {}
            Kind::Objects => {
                return Err(Fault::new("value_kind", self.0.node.span, "it is a list of objects")
                    .help("write one of their parts: answers.value"));
            }
            kind => {
                let message = format!("a list was to come here, not a {}", kind.name());
                return Err(Fault::new("value_kind", self.0.node.span, message)
                    .help("make_set(...) and split(...) give lists"));
            }
        }
        let name = name_of(&self.0, 1);
        let stored = value.expr.get_type(frame.plan.schema()).map_err(refused(span))?;
        let value = Value { expr: bounded(value.expr, stored), ..value };
        let columns = set(frame.all(), vec![(name.clone(), Value { origin: None, ..value })]);
        let column = Column::new_unqualified(name.clone());
        let frame = frame
            .select(span, columns)?
            .then(span, |plan| plan.unnest_column_with_options(column, UnnestOptions::default()))?;
        let kind = frame.kind_of(&Value::column(&name), span)?;
        let mut columns = frame.columns.clone();
        for column in columns.iter_mut().filter(|column| column.name == name) {
            column.kind = kind.clone();
        }
        Ok(Frame { columns, ..frame })
    }
}

/// The lists as they are, where there are not too many items in them.
fn bounded(lists: Expr, stored: DataType) -> Expr {
    udf::call("bounded_lists".to_owned(), stored, vec![lists], |args| {
        let column = udf::argument(args, 0)?;
        let offsets = column.as_list_opt::<i32>().map(|lists| lists.value_offsets());
        let items = offsets.and_then(|o| Some(i64::from(*o.last()?) - i64::from(*o.first()?)));
        if items.is_some_and(|items| items > ITEMS_MAX as i64) {
            let message = format!("mv-expand met more than {ITEMS_MAX} items at once");
            return Err(DataFusionError::ResourcesExhausted(message));
        }
        debug_assert!(items.is_some() || column.is_empty());
        Ok(Arc::clone(column))
    })
}
