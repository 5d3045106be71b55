//! `distinct`: each combination of values once.

use super::{Stage, Word, values};
use crate::pipe::ast::{Kind as Tree, Named};
use crate::pipe::frame::Frame;
use crate::pipe::parser::Parser;
use crate::pipe::scope::Env;
use crate::search::fault::{Fault, Span};
use datafusion::logical_expr::LogicalPlanBuilder;

pub const WORD: Word = Word {
    name: "distinct",
    aliases: &[],
    syntax: "distinct column, ...",
    doc: "Each combination of these columns' values once. `distinct *` takes all columns.",
    examples: &["events | distinct src_ip, dst_port | sort by src_ip asc, dst_port asc"],
    parse: |parser| Ok(Box::new(Distinct(parser.list(Parser::named)?))),
};

#[derive(Debug)]
struct Distinct(Vec<Named>);

impl Stage for Distinct {
    fn lower(&self, frame: Frame, env: &mut Env, span: Span) -> Result<Frame, Fault> {
        let frame = match self.0.as_slice() {
            [Named { node, .. }] if node.kind == Tree::Star => frame,
            list => {
                let columns = values(&frame, env, list)?;
                frame.select(span, columns)?
            }
        };
        if let Some(column) = frame.columns.iter().find(|column| !column.kind.is_single()) {
            let message = format!("`{}` is a {}", column.name, column.kind.name());
            return Err(
                Fault::new("value_kind", span, message).help("write tostring(...) around it")
            );
        }
        frame.then(span, LogicalPlanBuilder::distinct)
    }
}
