//! From the tree to a condition of the engine.
//!
//! A negation goes down to the conditions and becomes `IS NOT TRUE`: an event without the
//! field is not one that has the value, so `-user:nina` finds it. Above the conditions there
//! is then no negation, and null counts as false.

use crate::schema::time_type;
use crate::search::ast::{Node, Pattern, Range, Term, Test};
use crate::search::fault::{Fault, Span};
use crate::search::fields::{Form, Source, Target, resolve};
use crate::search::functions::{Texts, texts_hit};
use crate::search::matching::ValueTest;
use crate::search::{time, values};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, col, lit};
use yagura_event::Micros;

/// Most conditions of one search that need a regular expression (wildcards within a word,
/// expressions, words outside ASCII): each holds memory of its own while it runs.
pub const REGEXES_MAX: usize = 64;

/// The condition of a search; `None` where every event passes.
///
/// # Errors
/// Fields that do not exist and values that do not fit them.
pub fn condition(node: &Node, now: Micros) -> Result<Option<Expr>, Fault> {
    let mut lowering = Lowering { now, functions: 0, regexes: 0 };
    lowering.node(node, false)
}

/// State while one search is lowered.
pub(crate) struct Lowering {
    pub(crate) now: Micros,
    functions: usize,
    regexes: usize,
}

/// True for every row, or for none.
fn constant(truth: bool) -> Option<Expr> {
    (!truth).then(|| lit(false))
}

impl Lowering {
    fn node(&mut self, node: &Node, negated: bool) -> Result<Option<Expr>, Fault> {
        let (parts, all) = match node {
            Node::All => return Ok(constant(!negated)),
            Node::Not(inner) => return self.node(inner, !negated),
            Node::Term(term) => return self.term(term, negated),
            Node::And(parts) => (parts, !negated),
            Node::Or(parts) => (parts, negated),
        };
        let mut exprs = Vec::with_capacity(parts.len());
        for part in parts {
            match self.node(part, negated)? {
                Some(expr) => exprs.push(expr),
                None if all => {}
                None => return Ok(None),
            }
        }
        Ok(if all { every(exprs) } else { any(exprs) })
    }

    fn term(&mut self, term: &Term, negated: bool) -> Result<Option<Expr>, Fault> {
        let expr = match &term.field {
            None => match &term.test {
                Test::Word(pattern) if pattern.is_any() => return Ok(constant(!negated)),
                test => {
                    let raw = Source { column: "raw_data", form: Form::Prose, part: None };
                    self.source(&raw, test, term.span)?
                }
            },
            Some(name) => match resolve(name)? {
                Target::Columns(sources) => self.sources(&sources, &term.test, term.span)?,
                Target::Unmapped(own) => self.unmapped(own, &term.test, term.span)?,
                Target::Class => values::class(&term.test, term.span)?,
                Target::Category => values::category(&term.test, term.span)?,
                Target::Activity => values::activity(&term.test, term.span)?,
                Target::Type => values::type_uid(&term.test, term.span)?,
                Target::Earliest => col("time").gt_eq(lit(self.moment(term)?)),
                Target::Latest => col("time").lt(lit(self.moment(term)?)),
            },
        };
        Ok(Some(if negated { expr.is_not_true() } else { expr }))
    }

    /// Any of the columns; those that the value does not fit are passed over if one fits.
    fn sources(&mut self, sources: &[Source], test: &Test, span: Span) -> Result<Expr, Fault> {
        let mut exprs = Vec::new();
        let mut fault = None;
        for source in sources {
            match self.source(source, test, span) {
                Ok(expr) => exprs.push(expr),
                Err(unfit) => fault = fault.or(Some(unfit)),
            }
        }
        match (any(exprs), fault) {
            (Some(expr), _) => Ok(expr),
            (None, Some(fault)) => Err(fault),
            (None, None) => Ok(lit(false)),
        }
    }

    fn source(&mut self, source: &Source, test: &Test, span: Span) -> Result<Expr, Fault> {
        let column = col(source.column);
        let exists = matches!(test, Test::Word(pattern) if pattern.is_any());
        match source.form {
            Form::Caption(number, captions) => {
                let by_number = values::numbered(number, captions, test, span);
                if exists {
                    return Ok(column.is_not_null().or(col(number).is_not_null()));
                }
                if matches!(test, Test::Range(_)) {
                    return by_number;
                }
                let by_text = self.text(column, test, span, Self::whole)?;
                Ok(match by_number {
                    Ok(by_number) => by_text.or(by_number),
                    Err(_) => by_text,
                })
            }
            _ if exists => Ok(column.is_not_null()),
            Form::Prose => self.text(column, test, span, Self::words),
            Form::Text => {
                let part = source.part;
                self.text(column, test, span, |s, test, span| {
                    let whole = s.whole(test, span)?;
                    let Some(part) = part else { return Ok(whole) };
                    let name = ValueTest::Part(part, Box::new(s.whole(test, span)?));
                    Ok(ValueTest::Either(vec![whole, name]))
                })
            }
            Form::Name => self.name(column, test, span),
            Form::Id => values::id(column, test, span).map_or_else(|own| match own {
                Some(fault) => Err(fault),
                None => self.text(col(source.column), test, span, Self::whole),
            }, Ok),
            Form::Address => self.address(column, test, span),
            Form::Integer => values::integers(column, test, span, |n| lit(n)),
            Form::Small => values::integers(column, test, span, |n| {
                lit(i32::try_from(n).unwrap_or(if n < 0 { i32::MIN } else { i32::MAX }))
            }),
            Form::Float => values::floats(column, test, span),
            Form::Truth => values::truth(column, test, span),
            Form::Time => self.times(column, test, span),
            Form::Number(captions) => values::numbered(source.column, captions, test, span),
            Form::Texts => self.list(column, Texts::List, test, span),
            Form::Objects(part) => self.list(column, Texts::Objects(part), test, span),
        }
    }

    fn list(&mut self, column: Expr, texts: Texts, test: &Test, span: Span) -> Result<Expr, Fault> {
        let test = self.any_value(test, span)?;
        Ok(self.call(column, texts, test))
    }

    fn unmapped(&mut self, own: String, test: &Test, span: Span) -> Result<Expr, Fault> {
        let test = self.any_value(test, span)?;
        Ok(self.call(col("unmapped"), Texts::Member(own), test))
    }

    /// A value of which nothing is known: text, and address where the test has one.
    fn any_value(&mut self, test: &Test, span: Span) -> Result<ValueTest, Fault> {
        if let Some(network) = values::network(test, span)? {
            let mut tests = vec![ValueTest::Address(network)];
            if !matches!(test, Test::Range(_)) {
                tests.push(self.whole(test, span)?);
            }
            return Ok(ValueTest::Either(tests));
        }
        self.whole(test, span)
    }

    fn address(&mut self, column: Expr, test: &Test, span: Span) -> Result<Expr, Fault> {
        let Some(network) = values::network(test, span)? else {
            return self.text(column, test, span, Self::whole);
        };
        // Equal texts can be decided without reading the values.
        if let Some([short, mapped]) = network.single_v4() {
            return Ok(column.in_list(vec![lit(short), lit(mapped)], false));
        }
        Ok(self.call(column, Texts::Column, ValueTest::Address(network)))
    }

    /// Names are lower case by rule, so that the least and greatest of a file decide.
    fn name(&mut self, column: Expr, test: &Test, span: Span) -> Result<Expr, Fault> {
        let pattern = match test {
            Test::Phrase(text) => Pattern::of(text),
            Test::Word(pattern) => pattern.clone(),
            _ => return self.text(column, test, span, Self::whole),
        };
        if let Some(text) = pattern.literal() {
            let lower = text.to_lowercase();
            return Ok(match lower == text {
                true => column.eq(lit(lower)),
                false => column.in_list(vec![lit(lower), lit(text)], false),
            });
        }
        let exact = self.text(column.clone(), test, span, Self::whole)?;
        let Some(crate::search::ast::Piece::Text(first)) = pattern.pieces.first() else {
            return Ok(exact);
        };
        // `_` would stand for any character.
        let first = first.to_lowercase();
        let first = first.split(['%', '_', '\\']).next().unwrap_or_default();
        Ok(match first {
            "" => exact,
            first => column.like(lit(format!("{first}%"))).and(exact),
        })
    }

    fn text(
        &mut self,
        column: Expr,
        test: &Test,
        span: Span,
        compile: impl Fn(&mut Self, &Test, Span) -> Result<ValueTest, Fault>,
    ) -> Result<Expr, Fault> {
        let test = compile(self, test, span)?;
        Ok(self.call(column, Texts::Column, test))
    }

    fn call(&mut self, column: Expr, texts: Texts, test: ValueTest) -> Expr {
        self.functions += 1;
        texts_hit(self.functions, column, texts, test)
    }

    fn whole(&mut self, test: &Test, span: Span) -> Result<ValueTest, Fault> {
        let test = match test {
            Test::Word(pattern) => ValueTest::whole(pattern, span)?,
            Test::Phrase(text) => ValueTest::whole(&Pattern::of(text), span)?,
            Test::Regex(text) => ValueTest::regex(text, span)?,
            Test::Range(range) => values::numeric_text(range)?,
        };
        self.counted(test, span)
    }

    fn words(&mut self, test: &Test, span: Span) -> Result<ValueTest, Fault> {
        let test = match test {
            Test::Word(pattern) => ValueTest::word(pattern, span)?,
            Test::Phrase(text) => ValueTest::word(&Pattern::of(text), span)?,
            Test::Regex(text) => ValueTest::regex(text, span)?,
            Test::Range(range) => values::numeric_text(range)?,
        };
        self.counted(test, span)
    }

    fn counted(&mut self, test: ValueTest, span: Span) -> Result<ValueTest, Fault> {
        self.regexes += usize::from(matches!(test, ValueTest::Regex(_)));
        if self.regexes > REGEXES_MAX {
            let message = format!(
                "the query has more than {REGEXES_MAX} expressions; a wildcard counts once for each column of the field"
            );
            return Err(Fault::new("regexes_too_many", span, message)
                .help("name the field by its path, or ask in several queries"));
        }
        Ok(test)
    }

    fn times(&mut self, column: Expr, test: &Test, span: Span) -> Result<Expr, Fault> {
        let (now, kind) = (self.now, "a time");
        let at = |text: &str, span: Span| -> Result<Expr, Fault> {
            time::point(text, now).map(moment).map(lit).ok_or_else(|| no_time(text, span))
        };
        match test {
            Test::Range(range) => between(&column, range, at),
            test => match values::literal(test, kind, span)? {
                text => Ok(column.eq(at(text, span)?)),
            },
        }
    }

    fn moment(&self, term: &Term) -> Result<ScalarValue, Fault> {
        let text = values::literal(&term.test, "a time", term.span)?;
        time::point(text, self.now).map(moment).ok_or_else(|| no_time(text, term.span))
    }
}

pub(crate) fn moment(time: Micros) -> ScalarValue {
    match time_type() {
        arrow::datatypes::DataType::Timestamp(_, zone) => {
            ScalarValue::TimestampMicrosecond(Some(time), zone)
        }
        _ => ScalarValue::TimestampMicrosecond(Some(time), None),
    }
}

fn no_time(text: &str, span: Span) -> Fault {
    Fault::new("time_invalid", span, format!("`{text}` is not a time")).help(time::FORMS)
}

/// The column lies between the ends, whose values `read` gives.
pub(crate) fn between(
    column: &Expr,
    range: &Range,
    read: impl Fn(&str, Span) -> Result<Expr, Fault>,
) -> Result<Expr, Fault> {
    let mut exprs = Vec::new();
    if let Some(low) = &range.low {
        let value = read(&low.text, low.span)?;
        exprs.push(match low.inclusive {
            true => column.clone().gt_eq(value),
            false => column.clone().gt(value),
        });
    }
    if let Some(high) = &range.high {
        let value = read(&high.text, high.span)?;
        exprs.push(match high.inclusive {
            true => column.clone().lt_eq(value),
            false => column.clone().lt(value),
        });
    }
    Ok(every(exprs).unwrap_or_else(|| column.clone().is_not_null()))
}

/// All of them as a balanced tree, whose depth the engine's recursion bears.
pub(crate) fn every(exprs: Vec<Expr>) -> Option<Expr> {
    balanced(exprs, Expr::and)
}

/// Any of them, likewise.
pub(crate) fn any(exprs: Vec<Expr>) -> Option<Expr> {
    balanced(exprs, Expr::or)
}

fn balanced(mut exprs: Vec<Expr>, join: fn(Expr, Expr) -> Expr) -> Option<Expr> {
    while exprs.len() > 1 {
        let mut joined = Vec::with_capacity(exprs.len().div_ceil(2));
        let mut rest = exprs.into_iter();
        while let Some(left) = rest.next() {
            joined.push(match rest.next() {
                Some(right) => join(left, right),
                None => left,
            });
        }
        exprs = joined;
    }
    exprs.pop()
}
