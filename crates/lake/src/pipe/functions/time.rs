//! Functions of times.

use super::{Args, Function};
use crate::pipe::ast::{Kind as Tree, Literal};
use crate::pipe::frame::{Kind, Value};
use crate::pipe::scope::{Scope, as_text, time, time_of};
use crate::pipe::udf;
use crate::schema::time_type;
use crate::search::fault::Fault;
use crate::search::time::point;
use arrow::array::{Int64Array, StringArray};
use arrow::datatypes::DataType;
use datafusion::logical_expr::cast;
use std::sync::Arc;
use yagura_event::time::civil;

/// Most bytes of the form of a time, which is written anew in every row.
const FORM_BYTES_MAX: usize = 256;

pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "now",
        syntax: "now()",
        doc: "the time of the query",
        least: 0,
        most: 0,
        lower: |scope, _| Ok(time(scope.env.now)),
    },
    Function {
        name: "ago",
        syntax: "ago(1h)",
        doc: "the time of the query less a time span",
        least: 1,
        most: 1,
        lower: |scope, args| match args.node(0)?.kind {
            Tree::Literal(Literal::Span(micros)) => Ok(time(scope.env.now.saturating_sub(micros))),
            _ => Err(args.fault("ago takes a time span")),
        },
    },
    Function {
        name: "datetime",
        syntax: "datetime(2026-11-22T03:04:05Z)",
        doc: "a point in time; UTC where no zone is written",
        least: 1,
        most: 1,
        lower: |scope, args| {
            let text = args.quoted(0)?;
            Ok(time(time_of(text, scope.env.now, args.node(0)?.span)?))
        },
    },
    Function {
        name: "todatetime",
        syntax: "todatetime(x)",
        doc: "a text (RFC 3339) or a number (seconds since 1970) as a time; none where it is none",
        least: 1,
        most: 1,
        lower: to_time,
    },
    Function {
        name: "hourofday",
        syntax: "hourofday(time)",
        doc: "the hour from 0 to 23, UTC",
        least: 1,
        most: 1,
        lower: |scope, args| part(scope, args, "hourofday", |micros| civil(micros).hour.into()),
    },
    Function {
        name: "dayofweek",
        syntax: "dayofweek(time)",
        doc: "the day from 0 (Sunday) to 6, UTC",
        least: 1,
        most: 1,
        lower: |scope, args| {
            // 1970-01-01 was a Thursday.
            part(scope, args, "dayofweek", |micros| {
                (micros.div_euclid(yagura_event::time::DAY) + 4).rem_euclid(7)
            })
        },
    },
    Function {
        name: "format_datetime",
        syntax: "format_datetime(time, \"yyyy-MM-dd HH:mm:ss\")",
        doc: "the time as a text: yyyy MM dd HH mm ss stand for its parts",
        least: 2,
        most: 2,
        lower: format_time,
    },
];

fn of_time(
    scope: &mut Scope<'_>,
    args: &Args<'_>,
) -> Result<datafusion::logical_expr::Expr, Fault> {
    let value = scope.value(args.node(0)?)?;
    if value.kind != Kind::Time {
        return Err(args.fault(format!("a time was to come here, not a {}", value.kind.name())));
    }
    Ok(cast(value.expr, DataType::Int64))
}

fn part(
    scope: &mut Scope<'_>,
    args: &mut Args<'_>,
    name: &str,
    read: fn(i64) -> i64,
) -> Result<Value, Fault> {
    let micros = of_time(scope, args)?;
    let expr = udf::call(name.to_owned(), DataType::Int64, vec![micros], move |args| {
        let numbers = udf::integers(udf::argument(args, 0)?)?;
        Ok(Arc::new(numbers.iter().map(|n| n.map(read)).collect::<Int64Array>()))
    });
    Ok(Value::new(expr, Kind::Integer))
}

fn format_time(scope: &mut Scope<'_>, args: &mut Args<'_>) -> Result<Value, Fault> {
    let (micros, form) = (of_time(scope, args)?, args.quoted(1)?.to_owned());
    if form.len() > FORM_BYTES_MAX {
        return Err(args.fault(format!("the form has more than {FORM_BYTES_MAX} bytes")));
    }
    let name = format!("format_datetime[{form}]");
    let expr = udf::call(name, DataType::Utf8, vec![micros], move |args| {
        let numbers = udf::integers(udf::argument(args, 0)?)?;
        let text = |micros: i64| {
            let c = civil(micros);
            [
                ("yyyy", format!("{:04}", c.year)),
                ("MM", format!("{:02}", c.month)),
                ("dd", format!("{:02}", c.day)),
                ("HH", format!("{:02}", c.hour)),
                ("mm", format!("{:02}", c.minute)),
                ("ss", format!("{:02}", c.second)),
            ]
            .into_iter()
            .fold(form.clone(), |text, (from, to)| text.replace(from, &to))
        };
        Ok(Arc::new(numbers.iter().map(|n| n.map(text)).collect::<StringArray>()))
    });
    Ok(Value::new(expr, Kind::Text))
}

fn to_time(scope: &mut Scope<'_>, args: &mut Args<'_>) -> Result<Value, Fault> {
    let value = scope.value(args.node(0)?)?;
    if value.kind == Kind::Time {
        return Ok(value);
    }
    let text = as_text(value);
    let expr = udf::call("todatetime".to_owned(), DataType::Int64, vec![text], |args| {
        let texts = udf::strings(udf::argument(args, 0)?)?;
        // Relative times are no values of logs.
        let read = |text: Option<&str>| {
            text.filter(|t| t.starts_with(|c: char| c.is_ascii_digit())).and_then(|t| point(t, 0))
        };
        Ok(Arc::new(texts.iter().map(read).collect::<Int64Array>()))
    });
    Ok(Value::new(cast(expr, time_type()), Kind::Time))
}
