//! From the tree to a condition of the engine.
//!
//! A negation goes down to the conditions and becomes "not true": an event without the field
//! is not one that has the value, so `-user:nina` finds it. Above the conditions there
//! is then no negation, and null counts as false.

use crate::schema::time_type;
use crate::search::ast::{Node, Pattern, Piece, Range, Term, Test};
use crate::search::fault::{Fault, Span};
use crate::search::fields::{Form, Source, Target, resolve};
use crate::search::functions::{Texts, texts_hit};
use crate::search::matching::ValueTest;
use crate::search::{time, values};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, col, lit};
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

/// A test and its place.
type Tested<'t> = (&'t Test, Span);

/// Whether the test is `*` alone.
fn is_any(test: &Test) -> bool {
    matches!(test, Test::Word(pattern) if pattern.is_any())
}

/// Any of the tests, each lowered by itself.
fn each(
    tests: &[Tested<'_>],
    mut lower: impl FnMut(&Test, Span) -> Result<Expr, Fault>,
) -> Result<Expr, Fault> {
    let all = tests.iter().map(|(test, span)| lower(test, *span));
    Ok(any(all.collect::<Result<_, _>>()?).unwrap_or_else(|| lit(false)))
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
            Node::Term(term) => return self.terms(&[term], negated),
            Node::Or(parts) if !negated => return self.either(parts),
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

    /// Any of the parts; those on one field become one condition, which for a list of a
    /// thousand indicators costs one look-up instead of a thousand comparisons.
    fn either(&mut self, parts: &[Node]) -> Result<Option<Expr>, Fault> {
        let mut groups: Vec<Vec<&Term>> = Vec::new();
        let mut exprs = Vec::new();
        for part in parts {
            if let Node::Term(term) = part
                && let Some(name) = &term.field
            {
                let same = |known: &Term| {
                    known.field.as_ref().is_some_and(|f| f.text.eq_ignore_ascii_case(&name.text))
                };
                let group = groups.iter_mut().find(|g| g.first().is_some_and(|known| same(known)));
                match group {
                    Some(group) => group.push(term),
                    None => groups.push(vec![term]),
                }
                continue;
            }
            match self.node(part, false)? {
                Some(expr) => exprs.push(expr),
                None => return Ok(None),
            }
        }
        for group in groups {
            match self.terms(&group, false)? {
                Some(expr) => exprs.push(expr),
                None => return Ok(None),
            }
        }
        Ok(any(exprs))
    }

    /// Any of the terms, which are of one field.
    fn terms(&mut self, terms: &[&Term], negated: bool) -> Result<Option<Expr>, Fault> {
        let Some(first) = terms.first() else { return Ok(constant(negated)) };
        let tests: Vec<Tested<'_>> = terms.iter().map(|term| (&term.test, term.span)).collect();
        let expr = match &first.field {
            None => {
                if tests.iter().any(|(test, _)| is_any(test)) {
                    return Ok(constant(!negated));
                }
                let raw = Source { column: "raw_data", form: Form::Prose, part: None };
                self.source(&raw, &tests)?
            }
            Some(name) => match resolve(name)? {
                Target::Columns(sources) => {
                    let all = sources.iter().map(|source| self.source(source, &tests));
                    any(all.collect::<Result<_, _>>()?).unwrap_or_else(|| lit(false))
                }
                Target::Unmapped(own) => {
                    let test = self.tests(&tests, Self::any_value)?;
                    self.call(col("unmapped"), Texts::Member(own), test)
                }
                Target::Class => each(&tests, values::class)?,
                Target::Category => each(&tests, values::category)?,
                Target::Activity => each(&tests, values::activity)?,
                Target::Type => each(&tests, values::type_uid)?,
                Target::Earliest => {
                    each(&tests, |test, span| Ok(col("time").gt_eq(self.moment(test, span)?)))?
                }
                Target::Latest => {
                    each(&tests, |test, span| Ok(col("time").lt(self.moment(test, span)?)))?
                }
            },
        };
        Ok(Some(if negated { not_true(expr) } else { expr }))
    }

    /// Any of the tests on one column.
    fn source(&mut self, source: &Source, tests: &[Tested<'_>]) -> Result<Expr, Fault> {
        let column = || col(source.column);
        let (exists, valued): (Vec<_>, Vec<_>) =
            tests.iter().copied().partition(|(test, _)| is_any(test));
        let mut exprs = Vec::new();
        if !exists.is_empty() {
            exprs.push(column().is_not_null());
            if let Form::Caption(number, _) = source.form {
                exprs.push(col(number).is_not_null());
            }
        }
        if valued.is_empty() {
            return Ok(any(exprs).unwrap_or_else(|| lit(false)));
        }
        exprs.push(match source.form {
            Form::Prose => {
                let test = self.tests(&valued, Self::words)?;
                self.call(column(), Texts::Column, test)
            }
            Form::Text => {
                let whole = self.tests(&valued, Self::whole)?;
                let test = match source.part {
                    Some(part) => ValueTest::OrPart(part, Box::new(whole)),
                    None => whole,
                };
                self.call(column(), Texts::Column, test)
            }
            Form::Texts => self.list(column(), Texts::List, &valued)?,
            Form::Objects(part) => self.list(column(), Texts::Objects(part), &valued)?,
            Form::Name => self.names(&column(), &valued)?,
            Form::Address => self.addresses(&column(), &valued)?,
            _ => each(&valued, |test, span| self.single(source, test, span))?,
        });
        Ok(any(exprs).unwrap_or_else(|| lit(false)))
    }

    /// A test on a column whose values are no plain text.
    fn single(&mut self, source: &Source, test: &Test, span: Span) -> Result<Expr, Fault> {
        let column = col(source.column);
        match source.form {
            Form::Caption(number, captions) => {
                let by_number = values::numbered(number, captions, test, span);
                if matches!(test, Test::Range(_)) {
                    return by_number;
                }
                let whole = self.whole(test, span)?;
                let by_text = self.call(column, Texts::Column, whole);
                // What is no caption may still be the source's own word.
                Ok(match by_number {
                    Ok(by_number) => by_text.or(by_number),
                    Err(_) => by_text,
                })
            }
            Form::Number(captions) => values::numbered(source.column, captions, test, span),
            Form::Id => match values::id(&column, test, span)? {
                Some(expr) => Ok(expr),
                None => {
                    let whole = self.whole(test, span)?;
                    Ok(self.call(column, Texts::Column, whole))
                }
            },
            Form::Small => values::integers(column, test, span, |n| {
                lit(i32::try_from(n).unwrap_or(if n < 0 { i32::MIN } else { i32::MAX }))
            }),
            Form::Float => values::floats(column, test, span),
            Form::Truth => values::truth(column, test, span),
            Form::Time => self.times(column, test, span),
            _ => values::integers(column, test, span, lit),
        }
    }

    fn list(&mut self, column: Expr, texts: Texts, tests: &[Tested<'_>]) -> Result<Expr, Fault> {
        let test = self.tests(tests, Self::any_value)?;
        Ok(self.call(column, texts, test))
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

    /// Single IPv4 addresses as equal texts, which the engine's own statistics may decide.
    fn addresses(&mut self, column: &Expr, tests: &[Tested<'_>]) -> Result<Expr, Fault> {
        let (mut listed, mut others) = (Vec::new(), Vec::new());
        for (test, span) in tests {
            match values::network(test, *span)? {
                Some(network) => match network.single_v4() {
                    Some(texts) => listed.extend(texts.map(lit)),
                    None => others.push(ValueTest::Address(network)),
                },
                None => others.push(self.whole(test, *span)?),
            }
        }
        let mut exprs = Vec::new();
        if !listed.is_empty() {
            exprs.push(column.clone().in_list(listed, false));
        }
        if !others.is_empty() {
            exprs.push(self.call(column.clone(), Texts::Column, ValueTest::any_of(others)));
        }
        Ok(any(exprs).unwrap_or_else(|| lit(false)))
    }

    /// Names are lower case by rule, so that the least and greatest of a file decide.
    fn names(&mut self, column: &Expr, tests: &[Tested<'_>]) -> Result<Expr, Fault> {
        let (mut listed, mut exprs) = (Vec::new(), Vec::new());
        for (test, span) in tests {
            let literal = match test {
                Test::Phrase(text) => Some(text.as_str()),
                Test::Word(pattern) => pattern.literal(),
                _ => None,
            };
            if let Some(text) = literal {
                let lower = text.to_lowercase();
                if lower != text {
                    listed.push(lit(text));
                }
                listed.push(lit(lower));
                continue;
            }
            let whole = self.whole(test, *span)?;
            let exact = self.call(column.clone(), Texts::Column, whole);
            let first = match test {
                Test::Word(Pattern { pieces }) => match pieces.first() {
                    Some(Piece::Text(text)) => text.to_lowercase(),
                    _ => String::new(),
                },
                _ => String::new(),
            };
            // `_` would stand for any character.
            exprs.push(match first.split(['%', '_', '\\']).next().unwrap_or_default() {
                "" => exact,
                first => column.clone().like(lit(format!("{first}%"))).and(exact),
            });
        }
        match listed.as_slice() {
            [] => {}
            [one] => exprs.push(column.clone().eq(one.clone())),
            _ => exprs.push(column.clone().in_list(listed, false)),
        }
        Ok(any(exprs).unwrap_or_else(|| lit(false)))
    }

    /// One test that passes what any of them does.
    fn tests(
        &mut self,
        tests: &[Tested<'_>],
        compile: impl Fn(&mut Self, &Test, Span) -> Result<ValueTest, Fault>,
    ) -> Result<ValueTest, Fault> {
        let all = tests.iter().map(|(test, span)| compile(self, test, *span));
        Ok(ValueTest::any_of(all.collect::<Result<_, _>>()?))
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
            test => Ok(column.eq(at(values::literal(test, kind, span)?, span)?)),
        }
    }

    fn moment(&self, test: &Test, span: Span) -> Result<Expr, Fault> {
        let text = values::literal(test, "a time", span)?;
        time::point(text, self.now).map(|t| lit(moment(t))).ok_or_else(|| no_time(text, span))
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

/// The condition does not hold, or its column has no value. Written so that statistics can
/// decide it where they could decide the condition.
fn not_true(expr: Expr) -> Expr {
    match expr {
        Expr::IsNotNull(column) => Expr::IsNull(column),
        Expr::InList(list) => {
            let absent = list.expr.as_ref().clone().is_null();
            Expr::InList(InList { negated: !list.negated, ..list }).or(absent)
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            not_true(*left).or(not_true(*right))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            not_true(*left).and(not_true(*right))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right })
            if matches!(*left, Expr::Column(_))
                && matches!(*right, Expr::Literal(..))
                && op.negate().is_some() =>
        {
            let absent = left.as_ref().clone().is_null();
            let op = op.negate().unwrap_or(op);
            Expr::BinaryExpr(BinaryExpr { left, op, right }).or(absent)
        }
        other => other.is_not_true(),
    }
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
