//! Functions of numbers, and conversions to them.

use super::{Args, Function};
use crate::pipe::ast::{Kind as Tree, Literal};
use crate::pipe::frame::{Kind, Value, refused};
use crate::pipe::scope::{Scope, as_text, span_type, time_of};
use crate::pipe::udf;
use crate::schema::time_type;
use crate::search::fault::Fault;
use arrow::array::{AsArray, Float64Array, Int64Array};
use arrow::compute::cast as cast_array;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::logical_expr::{Expr, cast, lit, try_cast, when};
use std::sync::Arc;

pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "bin",
        syntax: "bin(x, step)",
        doc: "the number or time rounded down to a multiple of the step",
        least: 2,
        most: 2,
        lower: bin,
    },
    Function {
        name: "floor",
        syntax: "floor(x, step)",
        doc: "another name of bin; without a step, of 1",
        least: 1,
        most: 2,
        lower: bin,
    },
    Function {
        name: "abs",
        syntax: "abs(x)",
        doc: "the number without its sign",
        least: 1,
        most: 1,
        lower: |scope, args| {
            let value = args.number(scope, 0)?;
            let negative = value.expr.clone().lt(lit(0i64));
            let turned = lit(0i64) - value.expr.clone();
            let expr = when(negative, turned).otherwise(value.expr).map_err(refused(args.span))?;
            Ok(Value::new(expr, value.kind))
        },
    },
    Function {
        name: "toint",
        syntax: "toint(x)",
        doc: "the value as a whole number; none where it is no number",
        least: 1,
        most: 1,
        lower: to_long,
    },
    Function {
        name: "tolong",
        syntax: "tolong(x)",
        doc: "another name of toint",
        least: 1,
        most: 1,
        lower: to_long,
    },
    Function {
        name: "todouble",
        syntax: "todouble(x)",
        doc: "the value as a number with a point; none where it is no number",
        least: 1,
        most: 1,
        lower: |scope, args| {
            let value = scope.value(args.node(0)?)?;
            Ok(Value::new(float(value), Kind::Float))
        },
    },
];

fn float(value: Value) -> Expr {
    match value.kind {
        Kind::Time | Kind::Span => cast(cast(value.expr, DataType::Int64), DataType::Float64),
        Kind::Truth => cast(cast(value.expr, DataType::Int64), DataType::Float64),
        Kind::Text | Kind::Any => try_cast(value.expr, DataType::Float64),
        Kind::Integer | Kind::Float => cast(value.expr, DataType::Float64),
        _ => try_cast(as_text(value), DataType::Float64),
    }
}

fn to_long(scope: &mut Scope<'_>, args: &mut Args<'_>) -> Result<Value, Fault> {
    let value = scope.value(args.node(0)?)?;
    let expr = match value.kind {
        Kind::Integer => value.expr,
        Kind::Time | Kind::Span | Kind::Truth => cast(value.expr, DataType::Int64),
        Kind::Float => try_cast(value.expr, DataType::Int64),
        _ => {
            let name = "tolong".to_owned();
            udf::call(name, DataType::Int64, vec![as_text(value)], |args| {
                let texts = udf::strings(udf::argument(args, 0)?)?;
                Ok(Arc::new(texts.iter().map(|t| whole(t?)).collect::<Int64Array>()))
            })
        }
    };
    Ok(Value::new(expr, Kind::Integer))
}

/// `12`, `-3`, `0x3e7` and `1.9`, whose part is cut off.
fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return i64::from_str_radix(hex, 16).ok();
    }
    let float = || text.parse::<f64>().ok().filter(|n| n.abs() < 9e18).map(|n| n as i64);
    text.parse().ok().or_else(float)
}

fn bin(scope: &mut Scope<'_>, args: &mut Args<'_>) -> Result<Value, Fault> {
    let node = args.node(0)?;
    let value = match &node.kind {
        Tree::Literal(Literal::Text(text)) => {
            crate::pipe::scope::time(time_of(text, scope.env.now, node.span)?)
        }
        _ => scope.value(node)?,
    };
    let unit = Literal::Integer(1);
    let (step, at) = match args.nodes.get(1) {
        None => (&unit, node.span),
        Some(step) => match &step.kind {
            Tree::Literal(literal) => (literal, step.span),
            _ => return Err(args.fault("the step is to be a number or a time span")),
        },
    };
    match (&value.kind, step) {
        (Kind::Time | Kind::Span, Literal::Span(step)) if *step > 0 => {
            let stored = if value.kind == Kind::Time { time_type() } else { span_type() };
            let expr = cast(binned(cast(value.expr, DataType::Int64), *step), stored);
            Ok(Value { expr, ..value })
        }
        (Kind::Integer, Literal::Integer(step)) if *step > 0 => {
            Ok(Value::new(binned(value.expr, *step), Kind::Integer))
        }
        (Kind::Integer | Kind::Float | Kind::Any, Literal::Integer(_) | Literal::Float(_)) => {
            let step = match step {
                Literal::Integer(step) => *step as f64,
                Literal::Float(step) => *step,
                _ => 0.0,
            };
            if step <= 0.0 {
                return Err(args.fault("the step is to be above zero").at(at));
            }
            Ok(Value::new(binned_float(float(value), step), Kind::Float))
        }
        (Kind::Time | Kind::Span, _) => {
            Err(args.fault("the step of a time is a time span such as 1h").at(at))
        }
        (kind, _) => Err(args.fault(format!("a {} has no such steps", kind.name())).at(at)),
    }
}

/// The integer rounded down to a multiple of `step`, which is above zero.
pub fn binned(expr: Expr, step: i64) -> Expr {
    udf::call(format!("bin[{step}]"), DataType::Int64, vec![expr], move |args| {
        let numbers = cast_array(udf::argument(args, 0)?, &DataType::Int64)?;
        let numbers = numbers.as_primitive::<Int64Type>();
        let down = |n: i64| n.saturating_sub(n.rem_euclid(step));
        Ok(Arc::new(numbers.iter().map(|n| n.map(down)).collect::<Int64Array>()))
    })
}

fn binned_float(expr: Expr, step: f64) -> Expr {
    udf::call(format!("bin_real[{step}]"), DataType::Float64, vec![expr], move |args| {
        let numbers = cast_array(udf::argument(args, 0)?, &DataType::Float64)?;
        let numbers = numbers.as_primitive::<Float64Type>();
        Ok(Arc::new(
            numbers.iter().map(|n| n.map(|n| (n / step).floor() * step)).collect::<Float64Array>(),
        ))
    })
}
