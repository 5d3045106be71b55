//! `union`: the rows of several pipes one after the other.

use super::{Stage, Word};
use crate::pipe::frame::{Frame, FrameColumn, Kind, Value, refused};
use crate::pipe::parser::{Parser, Query};
use crate::pipe::run::lower;
use crate::pipe::scope::Env;
use crate::search::fault::{Fault, Span};
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{cast, lit};

pub const WORD: Word = Word {
    name: "union",
    aliases: &[],
    syntax: "union table, (pipe), ...",
    doc: "Adds the rows of other tables or of pipes in brackets. Columns of one name become one; \
          rows that have not a column have no value in it.",
    examples: &[
        "events | where dst_port == 22 | project time, what = source | union (matches | project time, what = rule) | sort by time asc, what asc",
    ],
    parse,
};

#[derive(Debug)]
struct Union(Vec<Query>);

fn parse(parser: &mut Parser) -> Result<Box<dyn Stage>, Fault> {
    Ok(Box::new(Union(parser.list(|parser| {
        if parser.peek_sign("(") {
            return parser.nested();
        }
        parser.source()
    })?)))
}

impl Stage for Union {
    fn lower(&self, frame: Frame, env: &mut Env, span: Span) -> Result<Frame, Fault> {
        let mut frames = vec![frame];
        for query in &self.0 {
            frames.push(lower(query, env)?);
        }
        let mut columns: Vec<(FrameColumn, DataType)> = Vec::new();
        for frame in &frames {
            for column in &frame.columns {
                merge(&mut columns, frame, column, span)?;
            }
        }
        let events = frames.iter().any(|frame| frame.events);
        let mut all = Vec::new();
        for frame in frames {
            let wanted = columns.iter().map(|(column, stored)| {
                let expr = match frame.columns.iter().find(|own| own.name == column.name) {
                    Some(own) => cast(own.value().expr, stored.clone()),
                    None => cast(lit(ScalarValue::Null), stored.clone()),
                };
                (column.name.clone(), Value { expr, kind: column.kind.clone(), origin: None })
            });
            let wanted = wanted.collect();
            all.push(frame.select(span, wanted)?);
        }
        let mut all = all.into_iter();
        let Some(mut first) = all.next() else {
            return Err(Fault::new("syntax", span, "no table"));
        };
        for next in all {
            first = first.then(span, |plan| plan.union(next.plan))?;
        }
        let known = columns.into_iter().map(|(column, _)| FrameColumn { parts: 1, ..column });
        Ok(Frame { columns: known.collect(), events, ..first })
    }
}

/// Adds a column, or makes one that is there fit for both.
fn merge(
    columns: &mut Vec<(FrameColumn, DataType)>,
    frame: &Frame,
    column: &FrameColumn,
    span: Span,
) -> Result<(), Fault> {
    let field = frame.plan.schema().field_with_unqualified_name(&column.name);
    let stored = field.map_err(refused(span))?.data_type().clone();
    let Some((known, kind)) = columns.iter_mut().find(|(known, _)| known.name == column.name)
    else {
        columns.push((column.clone(), stored));
        return Ok(());
    };
    if known.origin != column.origin {
        known.origin = None;
    }
    match (&known.kind, &column.kind) {
        (one, other) if one == other => {}
        (Kind::Text | Kind::Any, Kind::Text | Kind::Any) => known.kind = Kind::Text,
        (Kind::Integer, Kind::Float) => {
            (known.kind, *kind) = (Kind::Float, stored);
        }
        (Kind::Float, Kind::Integer) => {}
        (one, other) => {
            let message =
                format!("`{}` is a {} here and a {} there", column.name, one.name(), other.name());
            return Err(Fault::new("union_kind", span, message)
                .help("give one another name, or convert it: project x = tostring(x)"));
        }
    }
    Ok(())
}
