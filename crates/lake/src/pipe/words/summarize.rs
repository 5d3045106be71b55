//! `summarize`: one row for each group of rows.

use super::{Stage, Word, name_of, values};
use crate::pipe::aggregates::group;
use crate::pipe::ast::Named;
use crate::pipe::frame::{Frame, FrameColumn, Value};
use crate::pipe::parser::Parser;
use crate::pipe::scope::{Env, Scope};
use crate::search::fault::{Fault, Span};

pub const WORD: Word = Word {
    name: "summarize",
    aliases: &[],
    syntax: "summarize name = aggregate, ... by column, name = expression, ...",
    doc: "Makes one row of each group of rows that are alike in what follows `by`; without `by`, \
          one row of all. A group's columns come first, then the aggregates. Aggregates may stand \
          within expressions. Without an aggregate it lists the groups.",
    examples: &[
        r#"events | where dst_port == 443 | summarize count(), bytes = sum(traffic.bytes) by bin(time, 1h), dst_endpoint.hostname | sort by time asc, bytes desc"#,
        r#"events | summarize hosts = dcount(dst_ip), ports = make_set(dst_port), small = 100 * countif(traffic.bytes < 1000) / count() by src_ip | sort by src_ip asc"#,
    ],
    parse,
};

#[derive(Debug)]
struct Summarize {
    aggregates: Vec<Named>,
    keys: Vec<Named>,
}

fn parse(parser: &mut Parser) -> Result<Box<dyn Stage>, Fault> {
    let aggregates = if parser.is_word("by") { Vec::new() } else { parser.list(Parser::named)? };
    let keys = if parser.eat_word("by") { parser.list(Parser::named)? } else { Vec::new() };
    Ok(Box::new(Summarize { aggregates, keys }))
}

impl Stage for Summarize {
    fn lower(&self, frame: Frame, env: &mut Env, span: Span) -> Result<Frame, Fault> {
        let keys = values(&frame, env, &self.keys)?;
        for ((_, value), key) in keys.iter().zip(&self.keys) {
            if !value.kind.is_single() {
                let message = format!("rows cannot be grouped by a {}", value.kind.name());
                return Err(Fault::new("value_kind", key.node.span, message)
                    .help("write mv-expand before it, or tostring(...) around it"));
            }
        }
        let mut scope = Scope::new(env, &frame);
        scope.aggregates = Some(Vec::new());
        let mut made = Vec::new();
        for (at, named) in self.aggregates.iter().enumerate() {
            made.push((name_of(named, at + 1), scope.value(&named.node)?));
        }
        let aggregates = scope.aggregates.take().unwrap_or_default();
        let names: Vec<String> = keys.iter().map(|(name, _)| name.clone()).collect();
        let grouped = group(frame, span, keys, aggregates)?;
        let mut columns: Vec<(String, Value)> = Vec::new();
        for name in names {
            let column = grouped.find(&name).map(FrameColumn::value);
            columns.extend(column.map(|value| (name, value)));
        }
        columns.extend(made);
        grouped.select(span, columns)
    }
}
