//! The aggregates of `summarize` and `make-series`: one value of many rows.

use crate::pipe::ast::{Kind as Tree, Literal, Node};
use crate::pipe::frame::{Frame, FrameColumn, Kind, Value};
use crate::pipe::functions::Args;
use crate::pipe::scope::{Scope, as_number, as_text};
use crate::pipe::udf;
use crate::schema::element;
use crate::search::ast::Name;
use crate::search::fault::{Fault, Span};
use arrow::array::{Array, AsArray, ListBuilder, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::common::DataFusionError;
use datafusion::functions_aggregate::expr_fn::{
    approx_percentile_cont, array_agg, avg, count, count_distinct, first_value, last_value, max,
    min, sum,
};
use datafusion::logical_expr::{Expr, ExprFunctionExt, cast, lit, when};
use std::sync::Arc;

/// Most values of a set; more are cut off. A cell of more is read by nobody.
pub const SET_VALUES_MAX: usize = 10_000;

/// An aggregate.
#[derive(Debug)]
pub struct Aggregate {
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub syntax: &'static str,
    /// What it gives.
    pub doc: &'static str,
    least: usize,
    most: usize,
    lower: fn(&mut Scope<'_>, &mut Args<'_>) -> Result<Made, Fault>,
}

/// An aggregate as the engine computes it, and what is done with its value.
#[derive(Debug)]
pub struct Made {
    /// The engine's aggregate.
    pub expr: Expr,
    /// The kind of the value.
    pub kind: Kind,
    /// Done with the value of each group.
    pub finish: Option<fn(Expr) -> Expr>,
}

impl Made {
    fn new(expr: Expr, kind: Kind) -> Result<Self, Fault> {
        Ok(Self { expr, kind, finish: None })
    }
}

/// Every aggregate, in order of their names in the documentation.
pub const AGGREGATES: &[Aggregate] = &[
    Aggregate { name: "count", syntax: "count()", doc: "rows", least: 0, most: 1, lower: counted },
    Aggregate {
        name: "countif",
        syntax: "countif(condition)",
        doc: "rows that pass the condition",
        least: 1,
        most: 1,
        lower: counted_if,
    },
    Aggregate {
        name: "dcount",
        syntax: "dcount(x)",
        doc: "distinct values, exactly; no value is none",
        least: 1,
        most: 1,
        lower: |scope, args| Made::new(count_distinct(single(scope, args)?.expr), Kind::Integer),
    },
    Aggregate {
        name: "sum",
        syntax: "sum(x)",
        doc: "sum of the numbers",
        least: 1,
        most: 1,
        lower: |scope, args| {
            let value = numeric(scope, args)?;
            Made::new(sum(value.expr), value.kind)
        },
    },
    Aggregate {
        name: "avg",
        syntax: "avg(x)",
        doc: "mean of the numbers",
        least: 1,
        most: 1,
        lower: |scope, args| {
            Made::new(avg(cast(numeric(scope, args)?.expr, DataType::Float64)), Kind::Float)
        },
    },
    Aggregate {
        name: "min",
        syntax: "min(x)",
        doc: "least value",
        least: 1,
        most: 1,
        lower: least,
    },
    Aggregate {
        name: "max",
        syntax: "max(x)",
        doc: "greatest value",
        least: 1,
        most: 1,
        lower: |scope, args| {
            let value = single(scope, args)?;
            Made::new(max(value.expr), value.kind)
        },
    },
    Aggregate {
        name: "take_any",
        syntax: "take_any(x)",
        doc: "one of the values; the least, so that an answer can be repeated",
        least: 1,
        most: 1,
        lower: least,
    },
    Aggregate {
        name: "any",
        syntax: "any(x)",
        doc: "another name of take_any",
        least: 1,
        most: 1,
        lower: least,
    },
    Aggregate {
        name: "make_set",
        syntax: "make_set(x)",
        doc: "list of the distinct values as texts, sorted, at most 10,000",
        least: 1,
        most: 1,
        lower: set,
    },
    Aggregate {
        name: "make_list",
        syntax: "make_list(x)",
        doc: "list of the values as texts, at most 10,000: in order of time where the rows have one, else sorted",
        least: 1,
        most: 1,
        lower: list,
    },
    Aggregate {
        name: "arg_max",
        syntax: "arg_max(x, a, ...)",
        doc: "the greatest x, and from its row the columns that follow or, for `*`, all others; in `summarize` each becomes a column under its own name",
        least: 2,
        most: 2,
        lower: |scope, args| of_extreme(scope, args, true),
    },
    Aggregate {
        name: "arg_min",
        syntax: "arg_min(x, a, ...)",
        doc: "the least x, and the columns of its row",
        least: 2,
        most: 2,
        lower: |scope, args| of_extreme(scope, args, false),
    },
    Aggregate {
        name: "percentile",
        syntax: "percentile(x, 95)",
        doc: "the value below which that many percent of the numbers lie, estimated",
        least: 2,
        most: 2,
        lower: percentile,
    },
];

/// The aggregate of a name, ASCII case ignored.
pub fn find(name: &str) -> Option<&'static Aggregate> {
    AGGREGATES.iter().find(|aggregate| aggregate.name.eq_ignore_ascii_case(name))
}

/// The name of the plan's column of an aggregate until its own name is given; no name of a
/// column that can be written begins so.
pub fn column(at: usize) -> String {
    format!("\u{1}{at}")
}

/// Lowers an aggregate over single rows.
///
/// # Errors
/// Arguments that do not fit.
pub fn lower(
    scope: &mut Scope<'_>,
    aggregate: &Aggregate,
    nodes: &[Node],
    span: Span,
) -> Result<Made, Fault> {
    let mut args = Args::new(aggregate.name, aggregate.syntax, nodes, span);
    args.counted(aggregate.least, aggregate.most)?;
    (aggregate.lower)(scope, &mut args)
}

/// The rows grouped by `keys` with the aggregates as columns called [`column`].
///
/// # Errors
/// What the engine refuses.
pub fn group(
    frame: Frame,
    span: Span,
    keys: Vec<(String, Value)>,
    aggregates: Vec<Expr>,
) -> Result<Frame, Fault> {
    let mut columns = Vec::new();
    let mut groups = Vec::new();
    for (name, value) in keys {
        let parts = frame.parts(&value.expr, span)?;
        groups.push(value.expr.alias(name.clone()));
        columns.push(FrameColumn { name, kind: value.kind, origin: value.origin, parts });
    }
    for (at, aggregate) in aggregates.iter().enumerate() {
        frame.parts(aggregate, span)?;
        columns.push(FrameColumn { name: column(at), kind: Kind::Other, origin: None, parts: 1 });
    }
    let named = aggregates.into_iter().enumerate().map(|(at, expr)| expr.alias(column(at)));
    let named: Vec<Expr> = named.collect();
    let frame = frame.then(span, |plan| plan.aggregate(groups, named))?;
    Ok(Frame { columns, ..frame })
}

/// The name of an aggregate's column where none is given: `count_`, `sum_bytes`.
pub fn default_name(node: &Node) -> Option<String> {
    let Tree::Call(Name { text, .. }, arguments) = &node.kind else { return None };
    find(text)?;
    let of = match arguments.first().map(|first| &first.kind) {
        Some(Tree::Field(name)) => name.text.replace('.', "_"),
        _ => String::new(),
    };
    Some(format!("{}_{of}", text.to_ascii_lowercase()))
}

fn counted(_: &mut Scope<'_>, args: &mut Args<'_>) -> Result<Made, Fault> {
    match args.nodes.first().map(|node| &node.kind) {
        None | Some(Tree::Star) => Made::new(count(lit(1i64)), Kind::Integer),
        Some(_) => Err(args.fault("count takes no column").help("write count() or countif(...)")),
    }
}

fn counted_if(scope: &mut Scope<'_>, args: &mut Args<'_>) -> Result<Made, Fault> {
    let condition = scope.condition(args.node(0)?)?;
    let one = when(condition, lit(1i64)).end().map_err(crate::pipe::frame::refused(args.span))?;
    Made::new(count(one), Kind::Integer)
}

fn least(scope: &mut Scope<'_>, args: &mut Args<'_>) -> Result<Made, Fault> {
    let value = single(scope, args)?;
    Made::new(min(value.expr), value.kind)
}

fn set(scope: &mut Scope<'_>, args: &mut Args<'_>) -> Result<Made, Fault> {
    let text = as_text(scope.value(args.node(0)?)?);
    let there = text.clone().is_not_null();
    let expr = array_agg(text).distinct().filter(there).build();
    let expr = expr.map_err(crate::pipe::frame::refused(args.span))?;
    Ok(Made { expr, kind: Kind::Texts, finish: Some(sorted_set) })
}

/// The texts in order of time where the rows have one, else in their own.
fn list(scope: &mut Scope<'_>, args: &mut Args<'_>) -> Result<Made, Fault> {
    let text = as_text(scope.value(args.node(0)?)?);
    let there = text.clone().is_not_null();
    let time = scope.frame.stored("time").map(|column| column.value().expr);
    let order = time.into_iter().chain([text.clone()]).map(|key| key.sort(true, false));
    let expr = array_agg(text).order_by(order.collect()).filter(there).build();
    let expr = expr.map_err(crate::pipe::frame::refused(args.span))?;
    Ok(Made { expr, kind: Kind::Texts, finish: Some(|list| kept(list, false)) })
}

/// The value in the row of the greatest or least other one; of several such rows the greatest or
/// least value, so that an answer can be repeated.
fn of_extreme(scope: &mut Scope<'_>, args: &mut Args<'_>, greatest: bool) -> Result<Made, Fault> {
    let by = single(scope, args)?;
    let value = scope.value(args.node(1)?)?;
    let mut order = vec![by.expr.sort(true, greatest)];
    if value.kind.is_single() {
        order.push(value.expr.clone().sort(true, greatest));
    }
    let pick = if greatest { last_value } else { first_value };
    Made::new(pick(value.expr, order), value.kind)
}

/// The texts of each set in order, as many as are kept.
fn sorted_set(list: Expr) -> Expr {
    kept(list, true)
}

fn kept(list: Expr, sort: bool) -> Expr {
    let returns = DataType::List(element(DataType::Utf8));
    udf::call(format!("kept_{sort}"), returns, vec![list], move |args| {
        let column = udf::argument(args, 0)?;
        let lists = column.as_list_opt::<i32>().ok_or_else(|| {
            DataFusionError::Internal(format!("a set of type {}", column.data_type()))
        })?;
        let mut out = ListBuilder::new(StringBuilder::new()).with_field(element(DataType::Utf8));
        for row in 0..lists.len() {
            if lists.is_valid(row) {
                let texts = udf::strings(&lists.value(row))?;
                let mut texts: Vec<&str> = texts.iter().flatten().collect();
                if sort {
                    texts.sort_unstable();
                }
                for text in texts.into_iter().take(SET_VALUES_MAX) {
                    out.values().append_value(text);
                }
            }
            out.append(true);
        }
        Ok(Arc::new(out.finish()))
    })
}

fn percentile(scope: &mut Scope<'_>, args: &mut Args<'_>) -> Result<Made, Fault> {
    let value = numeric(scope, args)?;
    let node = args.node(1)?;
    let percent = match node.kind {
        Tree::Literal(Literal::Integer(number)) => number as f64,
        Tree::Literal(Literal::Float(number)) => number,
        _ => f64::NAN,
    };
    if !(0.0..=100.0).contains(&percent) {
        return Err(Fault::new("value_kind", node.span, "a number from 0 to 100 was to come here"));
    }
    let number = cast(value.expr, DataType::Float64);
    let expr = approx_percentile_cont(number.sort(true, false), lit(percent / 100.0), None);
    Made::new(expr, Kind::Float)
}

fn numeric(scope: &mut Scope<'_>, args: &mut Args<'_>) -> Result<Value, Fault> {
    let node = args.node(0)?;
    as_number(scope.value(node)?, node.span)
}

fn single(scope: &mut Scope<'_>, args: &mut Args<'_>) -> Result<Value, Fault> {
    let node = args.node(0)?;
    let value = scope.value(node)?;
    if value.kind.is_single() {
        return Ok(value);
    }
    let message = format!("{} takes no {}", args.name, value.kind.name());
    Err(Fault::new("value_kind", node.span, message).help("write mv-expand before it"))
}
