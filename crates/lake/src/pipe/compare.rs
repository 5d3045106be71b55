//! Comparisons: values with values, texts with patterns, and their negations.

use crate::pipe::ast::{Compare, Kind as Tree, Literal, Node, Operator};
use crate::pipe::frame::{Kind, Value};
use crate::pipe::parser::Query;
use crate::pipe::run::lower;
use crate::pipe::scope::{Scope, as_text, time, time_of};
use crate::pipe::udf;
use crate::search::ast::{Pattern, Piece};
use crate::search::fault::{Fault, Span};
use crate::search::functions::{Texts, texts_hit};
use crate::search::lower::any;
use crate::search::matching::ValueTest;
use crate::search::words::Word;
use crate::search::{REGEX_BYTES_MAX, REGEXES_MAX};
use arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, in_subquery, lit, try_cast};
use std::sync::Arc;

impl Scope<'_> {
    /// Whether the comparison holds; a name of several columns passes where any of them does.
    ///
    /// # Errors
    /// Kinds that cannot be compared.
    pub fn compare(
        &mut self,
        compare: Compare,
        left: &Node,
        right: &[Node],
        span: Span,
    ) -> Result<Expr, Fault> {
        let lefts = match &left.kind {
            Tree::Field(name) => self.fields(name)?,
            _ => vec![self.value(left)?],
        };
        let mut exprs = Vec::new();
        for value in lefts {
            exprs.push(self.one(compare.operator, value, right, span)?);
        }
        let holds = any(exprs).unwrap_or_else(|| lit(false));
        // A row without the value is not one that has it.
        Ok(if compare.negated { holds.is_not_true() } else { holds })
    }

    fn one(
        &mut self,
        operator: Operator,
        left: Value,
        right: &[Node],
        span: Span,
    ) -> Result<Expr, Fault> {
        if operator == Operator::Between {
            let [low, high] = right else { return Err(Fault::new("syntax", span, "two ends")) };
            let from = self.ordered(Operator::GreaterEqual, left.clone(), low, span)?;
            return Ok(from.and(self.ordered(Operator::LessEqual, left, high, span)?));
        }
        if let [Node { kind: Tree::Pipe(pipe), span: place, .. }] = right {
            return self.within(left, &pipe.0, *place);
        }
        let is_list = matches!(left.kind, Kind::Texts | Kind::Objects | Kind::List);
        match operator {
            Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual => {
                let [right] = right else { return Err(Fault::new("syntax", span, "one value")) };
                self.ordered(operator, left, right, span)
            }
            Operator::Equal | Operator::In if !is_list => {
                let all = right.iter().map(|right| {
                    let (left, right) = self.paired(left.clone(), right, span)?;
                    Ok((left.expr, right.expr))
                });
                equal(all.collect::<Result<Vec<_>, Fault>>()?)
            }
            _ => {
                let all = right.iter().map(|right| self.texts(operator, &left, right, span));
                Ok(any(all.collect::<Result<_, _>>()?).unwrap_or_else(|| lit(false)))
            }
        }
    }

    /// Whether the value is one of those of a pipe's only column.
    fn within(&mut self, left: Value, query: &Query, span: Span) -> Result<Expr, Fault> {
        if !self.pipes {
            return Err(Fault::new("pipe_place", span, "a pipe stands only in `where x in (...)`")
                .help("put it into a `where`, or use join"));
        }
        let frame = lower(query, self.env)?;
        let [column] = frame.columns.as_slice() else {
            let message = format!("the pipe has {} columns", frame.columns.len());
            return Err(Fault::new("pipe_columns", span, message)
                .help("end it with `| project column` or `| distinct column`"));
        };
        let (left, right) = pair(left, column.value(), span)?;
        if !left.kind.is_single() {
            let message = format!("a {} is not looked for in a pipe", left.kind.name());
            return Err(Fault::new("value_kind", span, message).help("write mv-expand before it"));
        }
        let list = frame.select(span, vec![("\u{3}in".to_owned(), right)])?;
        Ok(in_subquery(left.expr, Arc::new(list.plan)))
    }

    fn ordered(
        &mut self,
        operator: Operator,
        left: Value,
        right: &Node,
        span: Span,
    ) -> Result<Expr, Fault> {
        let (left, right) = self.paired(left, right, span)?;
        if !left.kind.is_single() {
            let message = format!("a {} has no order", left.kind.name());
            return Err(Fault::new("value_kind", span, message));
        }
        Ok(match operator {
            Operator::Less => left.expr.lt(right.expr),
            Operator::LessEqual => left.expr.lt_eq(right.expr),
            Operator::Greater => left.expr.gt(right.expr),
            _ => left.expr.gt_eq(right.expr),
        })
    }

    /// Both values in kinds that can be compared.
    fn paired(&mut self, left: Value, node: &Node, span: Span) -> Result<(Value, Value), Fault> {
        let right = match &node.kind {
            // Times are often written as texts.
            Tree::Literal(Literal::Text(text)) if left.kind == Kind::Time => {
                time(time_of(text, self.env.now, node.span)?)
            }
            _ => self.value(node)?,
        };
        pair(left, right, span)
    }

    /// A comparison of texts, or of any text of a list.
    fn texts(
        &mut self,
        operator: Operator,
        left: &Value,
        node: &Node,
        span: Span,
    ) -> Result<Expr, Fault> {
        let (column, texts) = match left.kind {
            Kind::Texts => (left.expr.clone(), Texts::List),
            Kind::Objects => (left.expr.clone(), Texts::Objects(None)),
            _ => (as_text(left.clone()), Texts::Column),
        };
        if let Tree::Literal(Literal::Text(text)) = &node.kind {
            let test = self.test(operator, text, node.span)?;
            self.env.functions += 1;
            return Ok(texts_hit(self.env.functions, column, texts, test));
        }
        let right = self.value(node)?;
        if !matches!(right.kind, Kind::Text | Kind::Any) || texts != Texts::Column {
            let message = format!("a text in quotes was to come here, not a {}", right.kind.name());
            return Err(Fault::new("value_kind", node.span, message));
        }
        let args = [column, right.expr];
        Ok(match operator {
            Operator::Alike | Operator::InAlike => {
                udf::pair("alike", args, |a, b| a.to_lowercase() == b.to_lowercase())
            }
            Operator::Has | Operator::HasAny => {
                udf::pair("has", args, |a, b| Word::new(b, true, true).is_in(a))
            }
            Operator::Contains => udf::pair("contains_alike", args, |a, b| {
                a.to_lowercase().contains(&b.to_lowercase())
            }),
            Operator::ContainsExact => udf::pair("contains_exact", args, |a, b| a.contains(b)),
            Operator::Starts => udf::pair("starts_alike", args, |a, b| {
                a.to_lowercase().starts_with(&b.to_lowercase())
            }),
            Operator::Ends => {
                udf::pair("ends_alike", args, |a, b| a.to_lowercase().ends_with(&b.to_lowercase()))
            }
            _ => {
                let message = "a text in quotes was to come here";
                return Err(Fault::new("value_kind", span, message));
            }
        })
    }

    fn test(&mut self, operator: Operator, text: &str, span: Span) -> Result<ValueTest, Fault> {
        let test = match operator {
            Operator::Has | Operator::HasAny => ValueTest::word(&Pattern::of(text), span)?,
            Operator::Contains if text.is_ascii() => ValueTest::Word(Word::new(text, false, false)),
            Operator::Contains => ValueTest::regex(&regex::escape(text), span)?,
            Operator::ContainsExact => {
                ValueTest::regex(&format!("(?-i:{})", regex::escape(text)), span)?
            }
            Operator::Equal | Operator::In => {
                ValueTest::regex(&format!("^(?-i:{})$", regex::escape(text)), span)?
            }
            Operator::Starts => ValueTest::whole(&wild(text, false), span)?,
            Operator::Ends => ValueTest::whole(&wild(text, true), span)?,
            Operator::Matches => {
                if text.len() > REGEX_BYTES_MAX {
                    let message = format!("the expression has more than {REGEX_BYTES_MAX} bytes");
                    return Err(Fault::new("regex_long", span, message));
                }
                // By itself first, so that a bracket too many closes nothing of ours.
                ValueTest::regex(text, span)?;
                ValueTest::regex(&format!("(?-i:{text})"), span)?
            }
            _ => ValueTest::whole(&Pattern::of(text), span)?,
        };
        self.env.regexes += usize::from(matches!(test, ValueTest::Regex(_)));
        if self.env.regexes > REGEXES_MAX {
            let message = format!("the query has more than {REGEXES_MAX} patterns of texts");
            return Err(Fault::new("regexes_too_many", span, message)
                .help("name one column, and write whole values with in (...)"));
        }
        Ok(test)
    }
}

fn wild(text: &str, before: bool) -> Pattern {
    let text = Piece::Text(text.to_owned());
    Pattern { pieces: if before { vec![Piece::Any, text] } else { vec![text, Piece::Any] } }
}

/// Values equal in pairs of one left side; several constants become one list.
fn equal(pairs: Vec<(Expr, Expr)>) -> Result<Expr, Fault> {
    let constant = pairs.iter().all(|(_, right)| matches!(right, Expr::Literal(..)));
    let same = pairs.windows(2).all(|two| matches!(two, [a, b] if a.0 == b.0));
    if pairs.len() > 1 && constant && same {
        let (lefts, rights): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let left = lefts.into_iter().next().unwrap_or_else(|| lit(false));
        return Ok(left.in_list(rights, false));
    }
    let all = pairs.into_iter().map(|(left, right)| left.eq(right)).collect();
    Ok(any(all).unwrap_or_else(|| lit(false)))
}

/// Both values in kinds that can be compared.
///
/// # Errors
/// Kinds that nothing makes alike.
pub fn pair(left: Value, right: Value, span: Span) -> Result<(Value, Value), Fault> {
    use Kind::{Any, Float, Integer, Text, Truth};
    let number = |value: Value| Value::new(try_cast(value.expr, DataType::Float64), Float);
    let truth = |value: Value| Value::new(try_cast(value.expr, DataType::Boolean), Truth);
    Ok(match (&left.kind, &right.kind) {
        (Any, Integer | Float) => (number(left), right),
        (Integer | Float, Any) => (left, number(right)),
        (Any, Truth) => (truth(left), right),
        (Truth, Any) => (left, truth(right)),
        (Text | Any, Text | Any) | (Integer | Float, Integer | Float) => (left, right),
        (one, other) if one == other => (left, right),
        (one, other) => {
            let message = format!("a {} cannot be compared with a {}", one.name(), other.name());
            let fault = Fault::new("value_kind", span, message);
            return Err(match (one, other) {
                (Text, Integer | Float) => {
                    fault.help("put the number into quotes, or write tolong(...)")
                }
                (Integer | Float, Text) => fault.help("write the number without quotes"),
                (Kind::Time, _) | (_, Kind::Time) => {
                    fault.help("write datetime(2026-11-22) or ago(1h)")
                }
                _ => fault,
            });
        }
    })
}
