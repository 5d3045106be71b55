//! From an expression's tree to the engine's expression over the columns of a frame.

use crate::pipe::aggregates;
use crate::pipe::ast::{Kind as Tree, Literal, Node};
use crate::pipe::frame::{Frame, Kind, Value, refused};
use crate::pipe::functions;
use crate::pipe::{fieldwise, udf};
use crate::schema::{TableKind, time_type};
use crate::search::ast::Name;
use crate::search::fault::{Fault, Span};
use crate::search::lower::{any, every, moment};
use crate::search::time::point;
use arrow::array::StringArray;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{Expr, TableSource, cast, lit, try_cast, when};
use std::sync::Arc;
use yagura_event::Micros;

/// What a query is lowered against.
pub struct Env {
    /// The time that `now()` and `ago()` mean.
    pub now: Micros,
    /// The tables as the scope may see them.
    pub tables: Vec<(TableKind, Arc<dyn TableSource>)>,
    /// Functions made so far: those of tests of texts need distinct names.
    pub functions: usize,
    /// Regular expressions made so far.
    pub regexes: usize,
}

/// Expressions over one frame.
pub struct Scope<'a> {
    /// What the query is lowered against.
    pub env: &'a mut Env,
    /// The rows.
    pub frame: &'a Frame,
    /// Where aggregates go in `summarize`; elsewhere there are none.
    pub aggregates: Option<Vec<Expr>>,
    /// Whether values may be looked for in other pipes: in `where`, which is a join then.
    pub pipes: bool,
}

impl<'a> Scope<'a> {
    /// Expressions over the columns of `frame`, without aggregates.
    pub fn new(env: &'a mut Env, frame: &'a Frame) -> Self {
        Self { env, frame, aggregates: None, pipes: false }
    }

    /// A truth for each row, for `where` and its like.
    ///
    /// # Errors
    /// What is wrong with the expression, also that it is no truth.
    pub fn condition(&mut self, node: &Node) -> Result<Expr, Fault> {
        let value = self.value(node)?;
        match value.kind {
            Kind::Truth => Ok(value.expr),
            Kind::Any => Ok(try_cast(value.expr, DataType::Boolean)),
            kind => {
                let message = format!("a condition was to come here, not a {}", kind.name());
                Err(Fault::new("value_kind", node.span, message)
                    .help("compare it: == has < isnotempty(...)"))
            }
        }
    }

    /// A value for each row.
    ///
    /// # Errors
    /// What is wrong with the expression.
    pub fn value(&mut self, node: &Node) -> Result<Value, Fault> {
        match &node.kind {
            Tree::Literal(literal) => literal_value(literal, node.span),
            Tree::Field(name) => self.field(name),
            Tree::Star => {
                Err(Fault::new("syntax", node.span, "`*` stands only in count(*) and distinct *"))
            }
            Tree::Pipe(_) => {
                Err(Fault::new("syntax", node.span, "a pipe stands only in `x in (...)`"))
            }
            Tree::Call(name, arguments) => self.call(name, arguments, node.span),
            Tree::And(parts) => self.chain(parts, every),
            Tree::Or(parts) => self.chain(parts, any),
            Tree::Not(inner) => {
                let inner = self.condition(inner)?;
                Ok(Value::new(inner.is_not_true(), Kind::Truth))
            }
            Tree::Minus(inner) => self.minus(inner, node.span),
            Tree::Arithmetic(sign, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                arithmetic(*sign, left, right, node.span)
            }
            Tree::Compare(compare, left, right) => {
                let expr = self.compare(*compare, left, right, node.span)?;
                Ok(Value::new(expr, Kind::Truth))
            }
        }
    }

    fn chain(
        &mut self,
        parts: &[Node],
        join: fn(Vec<Expr>) -> Option<Expr>,
    ) -> Result<Value, Fault> {
        let parts = parts.iter().map(|part| self.condition(part)).collect::<Result<_, _>>()?;
        Ok(Value::new(join(parts).unwrap_or_else(|| lit(true)), Kind::Truth))
    }

    fn field(&mut self, name: &Name) -> Result<Value, Fault> {
        let mut all = self.fields(name)?;
        match all.len() {
            1 => Ok(all.remove(0)),
            _ => {
                let names: Vec<&str> = all.iter().filter_map(|v| v.origin).take(8).collect();
                let message = format!("`{}` stands for several columns", name.text);
                Err(Fault::new("field_several", name.span, message)
                    .help(format!("compare it with a value, or write one of {}", names.join(", "))))
            }
        }
    }

    /// The columns of a name; several only for short names such as `ip`.
    ///
    /// # Errors
    /// There is none, or it may stand only within an aggregate.
    pub fn fields(&mut self, name: &Name) -> Result<Vec<Value>, Fault> {
        if self.aggregates.is_some() {
            let message = format!("`{}` has many values in a group", name.text);
            return Err(Fault::new("aggregate_missing", name.span, message)
                .help("put it into an aggregate such as max(...), or after `by`"));
        }
        fieldwise::fields(self.frame, name)
    }

    fn call(&mut self, name: &Name, arguments: &[Node], span: Span) -> Result<Value, Fault> {
        if let Some(aggregate) = aggregates::find(&name.text) {
            let Some(mut found) = self.aggregates.take() else {
                let message = format!("`{}` is an aggregate", name.text);
                return Err(Fault::new("aggregate_place", name.span, message)
                    .help("aggregates stand in `summarize` and `make-series`"));
            };
            // The arguments are of single rows.
            let made = aggregates::lower(self, aggregate, arguments, span);
            let kept = made.map(|made| {
                let column = Column::new_unqualified(aggregates::column(found.len()));
                found.push(made.expr);
                let expr = Expr::Column(column);
                Value::new(made.finish.map_or(expr.clone(), |finish| finish(expr)), made.kind)
            });
            self.aggregates = Some(found);
            return kept;
        }
        functions::lower(self, name, arguments, span)
    }

    fn minus(&mut self, inner: &Node, span: Span) -> Result<Value, Fault> {
        match &inner.kind {
            Tree::Literal(Literal::Integer(number)) => {
                Ok(Value::new(lit(number.wrapping_neg()), Kind::Integer))
            }
            Tree::Literal(Literal::Float(number)) => Ok(Value::new(lit(-number), Kind::Float)),
            Tree::Literal(Literal::Span(micros)) => Ok(timespan(-micros)),
            _ => {
                let inner = self.value(inner)?;
                let zero = match inner.kind {
                    Kind::Span => timespan(0),
                    _ => Value::new(lit(0i64), Kind::Integer),
                };
                arithmetic('-', zero, inner, span)
            }
        }
    }
}

/// A literal as a value.
///
/// # Errors
/// `null`, which nothing compares with.
pub fn literal_value(literal: &Literal, span: Span) -> Result<Value, Fault> {
    Ok(match literal {
        Literal::Text(text) => Value::new(lit(text.as_str()), Kind::Text),
        Literal::Integer(number) => Value::new(lit(*number), Kind::Integer),
        Literal::Float(number) => Value::new(lit(*number), Kind::Float),
        Literal::Truth(truth) => Value::new(lit(*truth), Kind::Truth),
        Literal::Span(micros) => timespan(*micros),
        Literal::Null => {
            return Err(Fault::new("null", span, "`null` is no value to compare with")
                .help("write isnull(x) or isnotnull(x)"));
        }
    })
}

/// A length of time.
pub fn timespan(micros: Micros) -> Value {
    Value::new(lit(ScalarValue::DurationMicrosecond(Some(micros))), Kind::Span)
}

/// A point in time.
pub fn time(micros: Micros) -> Value {
    Value::new(lit(moment(micros)), Kind::Time)
}

/// The time that a text names.
///
/// # Errors
/// It is none.
pub fn time_of(text: &str, now: Micros, span: Span) -> Result<Micros, Fault> {
    // `2026-11-22 10:00` has everything but the seconds.
    let minutes = || Some(format!("{text}:00")).filter(|_| text.len() == 16);
    point(text, now).or_else(|| minutes().and_then(|text| point(&text, now))).ok_or_else(|| {
        Fault::new("time_invalid", span, format!("`{text}` is not a time"))
            .help("write datetime(2026-11-22), datetime(2026-11-22T03:04:05Z) or ago(1h)")
    })
}

/// Lengths of time as the engine has them.
pub fn span_type() -> DataType {
    DataType::Duration(TimeUnit::Microsecond)
}

/// The value as a text.
pub fn as_text(value: Value) -> Expr {
    match value.kind {
        Kind::Text | Kind::Any => value.expr,
        Kind::Time => {
            let micros = vec![cast(value.expr, DataType::Int64)];
            udf::call("time_text".to_owned(), DataType::Utf8, micros, |args| {
                let times = udf::integers(udf::argument(args, 0)?)?;
                let text = |time: Option<i64>| time.map(yagura_event::time::rfc3339);
                Ok(Arc::new(times.iter().map(text).collect::<StringArray>()))
            })
        }
        Kind::Span => cast(cast(value.expr, DataType::Int64), DataType::Utf8),
        Kind::Texts | Kind::Objects | Kind::List => fieldwise::list_text(value.expr),
        _ => cast(value.expr, DataType::Utf8),
    }
}

/// The value as a number, where it is one or text that may be.
///
/// # Errors
/// Another kind.
pub fn as_number(value: Value, span: Span) -> Result<Value, Fault> {
    match value.kind {
        Kind::Integer | Kind::Float => Ok(value),
        Kind::Any => Ok(Value::new(try_cast(value.expr, DataType::Float64), Kind::Float)),
        kind => {
            let message = format!("a number was to come here, not a {}", kind.name());
            let fault = Fault::new("value_kind", span, message);
            Err(match kind {
                Kind::Text => fault.help("write tolong(...) or todouble(...) around it"),
                _ => fault,
            })
        }
    }
}

fn arithmetic(sign: char, left: Value, right: Value, span: Span) -> Result<Value, Fault> {
    use Kind::{Float, Integer, Span as Length, Time};
    let integer = |value: &Value| cast(value.expr.clone(), DataType::Int64);
    let timed = |expr: Expr| Value::new(cast(expr, time_type()), Time);
    let long = |expr: Expr| Value::new(cast(expr, span_type()), Length);
    let (l, r) = (integer(&left), integer(&right));
    Ok(match (&left.kind, sign, &right.kind) {
        (Time, '-', Time) => long(l - r),
        (Time, '-', Length) => timed(l - r),
        (Time, '+', Length) | (Length, '+', Time) => timed(l + r),
        (Length, '+', Length) => long(l + r),
        (Length, '-', Length) => long(l - r),
        (Length, '/', Length) => Value::new(
            cast(l, DataType::Float64) / unless_zero(cast(r, DataType::Float64), span)?,
            Float,
        ),
        (Length, '*', Integer) | (Integer, '*', Length) => long(l * r),
        (Length, '/', Integer) => long(l / unless_zero(r, span)?),
        _ => {
            let (left, right) = (as_number(left, span)?, as_number(right, span)?);
            let kind = match (&left.kind, &right.kind) {
                (Integer, Integer) => Integer,
                _ => Float,
            };
            let expr = match sign {
                '+' => left.expr + right.expr,
                '-' => left.expr - right.expr,
                '*' => left.expr * right.expr,
                '/' => left.expr / unless_zero(right.expr, span)?,
                _ => left.expr % unless_zero(right.expr, span)?,
            };
            Value::new(expr, kind)
        }
    })
}

/// Null for zero: a division by it has no value and must not end the query.
fn unless_zero(expr: Expr, span: Span) -> Result<Expr, Fault> {
    let zero = cast(expr.clone(), DataType::Float64).not_eq(lit(0.0));
    when(zero, expr).end().map_err(refused(span))
}
