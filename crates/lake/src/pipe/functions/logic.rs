//! Functions that choose between values, and of values that are not there.

use super::{ARGUMENTS_MAX, Args, Function};
use crate::pipe::ast::Kind as Tree;
use crate::pipe::frame::{Kind, Value, refused};
use crate::pipe::scope::Scope;
use crate::search::fault::Fault;
use crate::search::lower::every;
use arrow::datatypes::DataType;
use datafusion::functions::expr_fn::coalesce;
use datafusion::functions_nested::expr_fn::array_length;
use datafusion::logical_expr::{Expr, cast, lit, when};

pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "iff",
        syntax: "iff(condition, then, else)",
        doc: "one value where the condition holds, else the other",
        least: 3,
        most: 3,
        lower: choose,
    },
    Function {
        name: "iif",
        syntax: "iif(condition, then, else)",
        doc: "another name of iff",
        least: 3,
        most: 3,
        lower: choose,
    },
    Function {
        name: "case",
        syntax: "case(condition, value, condition, value, ..., else)",
        doc: "the value of the first condition that holds, else the last",
        least: 3,
        most: ARGUMENTS_MAX,
        lower: choose,
    },
    Function {
        name: "coalesce",
        syntax: "coalesce(a, b, ...)",
        doc: "the first that is there",
        least: 1,
        most: ARGUMENTS_MAX,
        lower: |scope, args| {
            let (exprs, kind) = args.alike(scope, 0)?;
            Ok(Value::new(coalesce(exprs), kind))
        },
    },
    Function {
        name: "array_length",
        syntax: "array_length(list)",
        doc: "how many values a list has, such as that of make_set",
        least: 1,
        most: 1,
        lower: |scope, args| {
            let node = args.node(0)?;
            let list = scope.value(node)?;
            if !matches!(list.kind, Kind::Texts | Kind::Objects | Kind::List) {
                let message = format!("a list was to come here, not a {}", list.kind.name());
                return Err(Fault::new("value_kind", node.span, message));
            }
            Ok(Value::new(cast(array_length(list.expr), DataType::Int64), Kind::Integer))
        },
    },
    Function {
        name: "isempty",
        syntax: "isempty(x)",
        doc: "whether there is no value, or an empty text",
        least: 1,
        most: 1,
        lower: |scope, args| Ok(truth(empty(scope, args)?)),
    },
    Function {
        name: "isnotempty",
        syntax: "isnotempty(x)",
        doc: "whether there is a value that is no empty text",
        least: 1,
        most: 1,
        lower: |scope, args| Ok(truth(empty(scope, args)?.is_not_true())),
    },
    Function {
        name: "isnull",
        syntax: "isnull(x)",
        doc: "whether there is no value",
        least: 1,
        most: 1,
        lower: |scope, args| Ok(truth(none(scope, args, |value| value.expr.is_null())?)),
    },
    Function {
        name: "isnotnull",
        syntax: "isnotnull(x)",
        doc: "whether there is a value",
        least: 1,
        most: 1,
        lower: |scope, args| {
            Ok(truth(none(scope, args, |value| value.expr.is_null())?.is_not_true()))
        },
    },
];

fn truth(expr: Expr) -> Value {
    Value::new(expr, Kind::Truth)
}

/// The condition for all columns of the argument.
fn none(scope: &mut Scope<'_>, args: &Args<'_>, test: fn(Value) -> Expr) -> Result<Expr, Fault> {
    let node = args.node(0)?;
    let values = match &node.kind {
        Tree::Field(name) => scope.fields(name)?,
        _ => vec![scope.value(node)?],
    };
    Ok(every(values.into_iter().map(test).collect()).unwrap_or_else(|| lit(true)))
}

fn empty(scope: &mut Scope<'_>, args: &Args<'_>) -> Result<Expr, Fault> {
    none(scope, args, |value| match value.kind {
        Kind::Text | Kind::Any => value.expr.clone().is_null().or(value.expr.eq(lit(""))),
        _ => value.expr.is_null(),
    })
}

fn choose(scope: &mut Scope<'_>, args: &mut Args<'_>) -> Result<Value, Fault> {
    if args.nodes.len().is_multiple_of(2) {
        return Err(args.fault("the value of the last case, `else`, is missing"));
    }
    let pairs = args.nodes.len() / 2;
    let mut conditions = Vec::with_capacity(pairs);
    let mut chosen = Vec::with_capacity(pairs + 1);
    for at in 0..pairs {
        conditions.push(scope.condition(args.node(at * 2)?)?);
        chosen.push(args.node(at * 2 + 1)?.clone());
    }
    chosen.push(args.node(args.nodes.len() - 1)?.clone());
    let values = Args::new(args.name, "", &chosen, args.span);
    let (mut exprs, kind) = values.alike(scope, 0)?;
    let last = exprs.pop().unwrap_or_else(|| lit(false));
    let mut cases = conditions.into_iter().zip(exprs);
    let Some((condition, then)) = cases.next() else { return Err(args.fault("no case")) };
    let mut made = when(condition, then);
    for (condition, then) in cases {
        made = made.when(condition, then);
    }
    Ok(Value::new(made.otherwise(last).map_err(refused(args.span))?, kind))
}
