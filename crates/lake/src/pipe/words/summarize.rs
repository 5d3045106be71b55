//! `summarize`: one row for each group of rows.

use super::{Stage, Word, name_of, values};
use crate::pipe::aggregates::group;
use crate::pipe::ast::{Kind as Tree, Named, Node};
use crate::pipe::frame::{Frame, FrameColumn, Value};
use crate::pipe::parser::Parser;
use crate::pipe::scope::{Env, Scope};
use crate::search::ast::Name;
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
        r#"events | summarize arg_max(time, dst_ip, dst_port), hosts = make_list(dst_endpoint.hostname) by src_ip | sort by src_ip asc"#,
    ],
    parse,
};

/// Most columns of `arg_max(x, *)`: each is an aggregate of its own.
const ARG_COLUMNS_MAX: usize = 64;

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

/// `arg_max(x, a, b)` as the greatest x and the a and b of its row; `*` is every other column.
fn spread(list: &[Named], frame: &Frame, keys: &[(String, Value)]) -> Result<Vec<Named>, Fault> {
    let mut all = Vec::new();
    for named in list {
        let found = match &named.node.kind {
            Tree::Call(name, arguments) => extreme(&name.text).zip(Some((name, arguments))),
            _ => None,
        };
        let Some((plain, (name, arguments))) = found else {
            all.push(named.clone());
            continue;
        };
        let Some((by, shown)) = arguments.split_first().filter(|(_, shown)| !shown.is_empty())
        else {
            all.push(named.clone());
            continue;
        };
        let span = named.node.span;
        let call = |text: &str, nodes: Vec<Node>| {
            let name = Name { text: text.to_owned(), span: name.span };
            Node { kind: Tree::Call(name, nodes), span, depth: named.node.depth }
        };
        let first = Name { text: name_of(&Named { name: None, node: by.clone() }, 1), span };
        let first = Some(named.name.clone().unwrap_or(first));
        all.push(Named { name: first, node: call(plain, vec![by.clone()]) });
        for node in shown_columns(shown, by, frame, keys, span)? {
            let column = name_of(&Named { name: None, node: node.clone() }, all.len() + 1);
            let column = Some(Name { text: column, span });
            all.push(Named { name: column, node: call(&name.text, vec![by.clone(), node]) });
        }
    }
    Ok(all)
}

/// The aggregate that gives the value itself.
fn extreme(name: &str) -> Option<&'static str> {
    let pairs = [("arg_max", "max"), ("arg_min", "min")];
    pairs.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, plain)| plain)
}

fn shown_columns(
    shown: &[Node],
    by: &Node,
    frame: &Frame,
    keys: &[(String, Value)],
    span: Span,
) -> Result<Vec<Node>, Fault> {
    let [Node { kind: Tree::Star, .. }] = shown else { return Ok(shown.to_vec()) };
    let by = match &by.kind {
        Tree::Field(name) => frame.named(name).map(|column| column.name.clone()),
        _ => None,
    };
    let other = |name: &String| Some(name) != by.as_ref() && !keys.iter().any(|(k, _)| k == name);
    let names = frame.columns.iter().map(|column| column.name.clone()).filter(other);
    let nodes: Vec<Node> =
        names.map(|text| Node { kind: Tree::Field(Name { text, span }), span, depth: 1 }).collect();
    if nodes.len() > ARG_COLUMNS_MAX {
        let message = format!("`*` is {} columns here, at most {ARG_COLUMNS_MAX}", nodes.len());
        return Err(Fault::new("columns_too_many", span, message)
            .help("name the columns, or write project before it"));
    }
    Ok(nodes)
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
        for (at, named) in spread(&self.aggregates, &frame, &keys)?.iter().enumerate() {
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
