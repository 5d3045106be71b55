//! `make-series`: for each group a list of values, one for each step of time.

use super::{Stage, Word, name_of, values};
use crate::pipe::aggregates::group;
use crate::pipe::ast::{Kind as Tree, Literal, Named, Node};
use crate::pipe::frame::{Frame, Kind, Value};
use crate::pipe::parser::Parser;
use crate::pipe::scope::{Env, Scope, time, time_of};
use crate::pipe::udf;
use crate::schema::{element, time_type};
use crate::search::ast::Name;
use crate::search::fault::{Fault, Span};
use arrow::array::{Array, ArrayRef, AsArray, Float64Builder, ListBuilder};
use arrow::compute::cast as cast_array;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::functions::expr_fn::named_struct;
use datafusion::functions_aggregate::expr_fn::array_agg;
use datafusion::logical_expr::{Expr, cast, lit};
use std::sync::Arc;
use yagura_event::Micros;

/// Most steps of a series: a screen has fewer points, and every group holds as many.
pub const POINTS_MAX: usize = 10_000;

pub const WORD: Word = Word {
    name: "make-series",
    aliases: &[],
    syntax: "make-series name = aggregate default=0, ... on time from start to end step 1h by column, ...",
    doc: "Makes one row of each group: a list with the aggregate of each step of time from the \
          start to before the end, and the list of the steps. Steps without a row have the \
          default, 0 where none is written. Values of the lists are numbers with a point.",
    examples: &[
        "events | make-series n = count() on time from datetime(2026-11-22 10:00) to datetime(2026-11-22 13:00) step 1h by src_ip | project src_ip, n | sort by src_ip asc",
    ],
    parse,
};

#[derive(Debug)]
struct Series {
    aggregates: Vec<(Named, f64)>,
    on: Name,
    from: Node,
    to: Node,
    step: Node,
    keys: Vec<Named>,
}

fn parse(parser: &mut Parser) -> Result<Box<dyn Stage>, Fault> {
    let aggregates = parser.list(|parser| {
        let named = parser.named()?;
        let mut default = 0.0;
        if parser.eat_word("default") {
            parser.need("=")?;
            let node = parser.expression()?;
            default = number(&node)?;
        }
        Ok((named, default))
    })?;
    parser.need_word("on")?;
    let on = parser.name()?;
    parser.need_word("from")?;
    let from = parser.expression()?;
    parser.need_word("to")?;
    let to = parser.expression()?;
    parser.need_word("step")?;
    let step = parser.expression()?;
    let keys = if parser.eat_word("by") { parser.list(Parser::named)? } else { Vec::new() };
    Ok(Box::new(Series { aggregates, on, from, to, step, keys }))
}

fn number(node: &Node) -> Result<f64, Fault> {
    match &node.kind {
        Tree::Literal(Literal::Integer(number)) => Ok(*number as f64),
        Tree::Literal(Literal::Float(number)) => Ok(*number),
        Tree::Minus(inner) => number(inner).map(|number| -number),
        _ => Err(Fault::new("value_kind", node.span, "a number was to come here")),
    }
}

/// A time that does not depend on rows.
fn constant(node: &Node, now: Micros) -> Result<Micros, Fault> {
    let span = |node: &Node| match node.kind {
        Tree::Literal(Literal::Span(micros)) => Ok(micros),
        _ => Err(Fault::new("value_kind", node.span, "a time span was to come here")),
    };
    match &node.kind {
        Tree::Literal(Literal::Text(text)) => time_of(text, now, node.span),
        Tree::Arithmetic('-', left, right) => Ok(constant(left, now)?.saturating_sub(span(right)?)),
        Tree::Arithmetic('+', left, right) => Ok(constant(left, now)?.saturating_add(span(right)?)),
        Tree::Call(name, arguments) => match (name.text.as_str(), arguments.as_slice()) {
            ("now", []) => Ok(now),
            ("ago", [back]) => Ok(now.saturating_sub(span(back)?)),
            ("datetime", [text]) => constant(text, now),
            ("bin", [inner, step]) if span(step)? > 0 => {
                let (at, step) = (constant(inner, now)?, span(step)?);
                Ok(at.saturating_sub(at.rem_euclid(step)))
            }
            _ => Err(no_constant(node)),
        },
        _ => Err(no_constant(node)),
    }
}

fn no_constant(node: &Node) -> Fault {
    Fault::new("value_kind", node.span, "a fixed time was to come here")
        .help("write datetime(...), now(), ago(...), or one of them with a time span")
}

/// The step's column until the series is made.
const STEP: &str = "\u{3}step";

impl Series {
    /// Start, step and number of points.
    fn points(&self, now: Micros, span: Span) -> Result<(Micros, Micros, usize), Fault> {
        let (from, to) = (constant(&self.from, now)?, constant(&self.to, now)?);
        let Tree::Literal(Literal::Span(step @ 1..)) = self.step.kind else {
            return Err(Fault::new("value_kind", self.step.span, "the step is to be a time span"));
        };
        let points = to.saturating_sub(from).max(0).div_euclid(step)
            + i64::from(to.saturating_sub(from).max(0).rem_euclid(step) > 0);
        match usize::try_from(points) {
            Ok(0) => Err(Fault::new("series_empty", span, "the end is not after the start")),
            Ok(points) if points <= POINTS_MAX => Ok((from, step, points)),
            _ => {
                let message = format!("the series would have {points} steps, at most {POINTS_MAX}");
                Err(Fault::new("series_long", self.step.span, message).help("write a longer step"))
            }
        }
    }
}

impl Stage for Series {
    fn lower(&self, frame: Frame, env: &mut Env, span: Span) -> Result<Frame, Fault> {
        let (from, step, points) = self.points(env.now, span)?;
        let on = Scope::new(env, &frame).fields(&self.on)?;
        let [on] = on.as_slice() else { return Err(frame.unknown(&self.on)) };
        if on.kind != Kind::Time {
            let message = format!("a time was to come here, not a {}", on.kind.name());
            return Err(Fault::new("value_kind", self.on.span, message));
        }
        let end = from.saturating_add(step.saturating_mul(points as i64));
        let to = constant(&self.to, env.now)?.min(end);
        let on = on.expr.clone();
        let within = on.clone().gt_eq(time(from).expr).and(on.clone().lt(time(to).expr));
        let frame = frame.filter(span, within)?;
        let mut keys = values(&frame, env, &self.keys)?;
        let names: Vec<String> = keys.iter().map(|(name, _)| name.clone()).collect();
        let bin = (cast(on, DataType::Int64) - lit(from)) / lit(step);
        keys.push((STEP.to_owned(), Value::new(bin, Kind::Integer)));
        let mut scope = Scope::new(env, &frame);
        scope.aggregates = Some(Vec::new());
        let mut series = Vec::new();
        for (at, (named, default)) in self.aggregates.iter().enumerate() {
            let value = scope.value(&named.node)?;
            if !matches!(value.kind, Kind::Integer | Kind::Float) {
                return Err(Fault::new("value_kind", named.node.span, "series are of numbers"));
            }
            series.push((name_of(named, at + 1), value.expr, *default));
        }
        let aggregates = scope.aggregates.take().unwrap_or_default();
        let grouped = group(frame, span, keys, aggregates)?;
        let grouped = listed(grouped, span, &names, &series)?;
        let mut wanted = named(&grouped, &names);
        let lists = Value::column(&crate::pipe::aggregates::column(0));
        for (at, (name, _, default)) in series.into_iter().enumerate() {
            wanted.push((name, Value::new(filled(lists.clone(), at, default, points), Kind::List)));
        }
        wanted.push((self.on.text.clone(), Value::new(steps(from, step, points), Kind::List)));
        grouped.select(span, wanted)
    }
}

/// The columns of these names.
fn named(frame: &Frame, names: &[String]) -> Vec<(String, Value)> {
    let found = names.iter().filter_map(|name| Some((name.clone(), frame.find(name)?.value())));
    found.collect()
}

/// One row for each group, with a list of its steps and their values.
fn listed(
    grouped: Frame,
    span: Span,
    names: &[String],
    series: &[(String, Expr, f64)],
) -> Result<Frame, Fault> {
    let mut fields = vec![lit("step"), Value::column(STEP)];
    for (at, (_, expr, _)) in series.iter().enumerate() {
        fields.extend([lit(format!("v{at}")), cast(expr.clone(), DataType::Float64)]);
    }
    let keys = named(&grouped, names);
    group(grouped, span, keys, vec![array_agg(named_struct(fields))])
}

/// The list of the steps' times.
fn steps(from: Micros, step: Micros, points: usize) -> Expr {
    let time = |at: usize| {
        let micros = from.saturating_add(step.saturating_mul(at as i64));
        ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into()))
    };
    let times: Vec<ScalarValue> = (0..points).map(time).collect();
    lit(ScalarValue::List(ScalarValue::new_list(&times, &time_type(), true)))
}

/// The values of a series at their steps, the default at others.
fn filled(lists: Expr, at: usize, default: f64, points: usize) -> Expr {
    let returns = DataType::List(element(DataType::Float64));
    let name = format!("series[{at},{default},{points}]");
    udf::call(name, returns, vec![lists], move |args| {
        let unfit = || DataFusionError::Internal("a series is not as it was made".to_owned());
        let lists = udf::argument(args, 0)?.as_list_opt::<i32>().ok_or_else(unfit)?;
        let mut out =
            ListBuilder::new(Float64Builder::new()).with_field(element(DataType::Float64));
        for row in 0..lists.len() {
            let mut series = vec![default; points];
            if lists.is_valid(row) {
                let items: ArrayRef = lists.value(row);
                let items = items.as_struct_opt().ok_or_else(unfit)?;
                let step = items.column_by_name("step").ok_or_else(unfit)?;
                let step = step.as_primitive_opt::<Int64Type>().ok_or_else(unfit)?;
                let value = items.column_by_name(&format!("v{at}")).ok_or_else(unfit)?;
                let value = cast_array(value, &DataType::Float64)?;
                let value = value.as_primitive::<Float64Type>();
                for item in (0..step.len()).filter(|item| value.is_valid(*item)) {
                    let place = usize::try_from(step.value(item)).ok();
                    if let Some(place) = place.and_then(|place| series.get_mut(place)) {
                        *place = value.value(item);
                    }
                }
            }
            out.values().append_slice(&series);
            out.append(true);
        }
        Ok(Arc::new(out.finish()))
    })
}
