//! What is refused of SQL before it costs anything: depth, chains, patterns, functions that grow.

use crate::error::LakeError;
use crate::search::REGEX_BYTES_MAX;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

/// Most bytes of a query's text. Longer ones are not written by people, and parsing takes
/// stack in proportion to nesting.
pub const SQL_BYTES_MAX: usize = 256 * 1024;

/// Deepest nesting of brackets; the parser's own limit is about the same.
pub const SQL_DEPTH_MAX: usize = 50;

/// Most operators in a row without a bracket or comma between. A chain is a tree as deep as it is
/// long, which takes stack to walk.
pub const SQL_CHAIN_MAX: usize = 1_000;

/// Most tables, joins and SELECTs: each is a step of the plan, and planning takes time in
/// proportion to their square.
pub const SQL_STEPS_MAX: usize = 64;

/// Most bytes of a compiled regular expression: what a thread's part of a query can spare.
const COMPILED_BYTES_MAX: usize = 1024 * 1024;

/// Functions whose value may be far larger than what they are made of: in one row they could take
/// more memory than there is, and the engine does not ask its share for it.
const GROWERS: &[&str] = &[
    "repeat",
    "lpad",
    "rpad",
    "array_repeat",
    "list_repeat",
    "array_resize",
    "list_resize",
    "range",
    "generate_series",
];

/// Takes the functions away that make much of little. The table function `generate_series` stays:
/// its rows come in batches.
pub(crate) fn without_growers(context: &SessionContext) {
    for name in GROWERS {
        context.deregister_udf(name);
    }
}

/// Refuses a text that is too long, too deep or has chains that are too long.
///
/// # Errors
/// [`LakeError::Query`] with what to do.
pub(crate) fn text(sql: &str) -> Result<(), LakeError> {
    if sql.len() > SQL_BYTES_MAX {
        let text = format!("the query has {} bytes, at most {SQL_BYTES_MAX} are read", sql.len());
        return Err(LakeError::Query(text));
    }
    // What is no text of SQL is refused by the parser, in its words.
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, sql).tokenize() else { return Ok(()) };
    let (mut chains, mut steps) = (vec![0usize], 0usize);
    for token in &tokens {
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => chains.push(0),
            Token::RParen | Token::RBracket | Token::RBrace if chains.len() > 1 => {
                chains.pop();
            }
            Token::Comma => {
                if let Some(chain) = chains.last_mut() {
                    *chain = 0;
                }
            }
            Token::Word(word) => {
                use Keyword::{AND, CASE, EXCEPT, INTERSECT, JOIN, NOT, OR, SELECT, UNION, WHEN};
                steps +=
                    usize::from(matches!(word.keyword, SELECT | JOIN | UNION | INTERSECT | EXCEPT));
                if matches!(word.keyword, AND | OR | NOT | CASE | WHEN) {
                    link(&mut chains)?;
                }
            }
            Token::Whitespace(_)
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::RParen
            | Token::SemiColon
            | Token::EOF => {}
            _ => link(&mut chains)?,
        }
        if chains.len() > SQL_DEPTH_MAX + 1 {
            let text = format!("the query is nested deeper than {SQL_DEPTH_MAX} levels");
            return Err(LakeError::Query(text));
        }
        if steps > SQL_STEPS_MAX {
            let text = format!("the query has more than {SQL_STEPS_MAX} SELECTs, joins and unions");
            return Err(LakeError::Query(text));
        }
    }
    Ok(())
}

fn link(chains: &mut [usize]) -> Result<(), LakeError> {
    if let Some(chain) = chains.last_mut() {
        *chain += 1;
        if *chain > SQL_CHAIN_MAX {
            let text = format!(
                "the query has more than {SQL_CHAIN_MAX} operators in a row; write values as a list, \
                 x IN (...), or part them with brackets"
            );
            return Err(LakeError::Query(text));
        }
    }
    Ok(())
}

/// Refuses regular expressions that are too long or are made row by row.
///
/// # Errors
/// [`LakeError::Query`] with what to do.
pub(crate) fn patterns(plan: &LogicalPlan) -> Result<(), LakeError> {
    let mut refused = Ok(());
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                refused = pattern(part);
                Ok(if refused.is_err() {
                    TreeNodeRecursion::Stop
                } else {
                    TreeNodeRecursion::Continue
                })
            })
        })
    })?;
    refused
}

fn pattern(expr: &Expr) -> Result<(), LakeError> {
    use Operator::{RegexIMatch, RegexMatch, RegexNotIMatch, RegexNotMatch};
    match expr {
        Expr::ScalarFunction(call) if call.name().starts_with("regexp_") => {
            call.args.get(1).map_or(Ok(()), regex)
        }
        Expr::BinaryExpr(BinaryExpr {
            op: RegexMatch | RegexIMatch | RegexNotMatch | RegexNotIMatch,
            right,
            ..
        }) => regex(right),
        Expr::SimilarTo(like) => constant(&like.pattern).map(|_| ()),
        _ => Ok(()),
    }
}

/// A regular expression that is short, right and small when it is compiled.
fn regex(pattern: &Expr) -> Result<(), LakeError> {
    let built = regex::RegexBuilder::new(constant(pattern)?).size_limit(COMPILED_BYTES_MAX).build();
    match built {
        Ok(_) => Ok(()),
        Err(regex::Error::CompiledTooBig(_)) => {
            let text = format!(
                "a regular expression has more than {COMPILED_BYTES_MAX} bytes when it is compiled; \
                 lower its counts"
            );
            Err(LakeError::Query(text))
        }
        Err(error) => Err(LakeError::Query(format!("a regular expression is wrong: {error}"))),
    }
}

/// The text of a pattern.
fn constant(pattern: &Expr) -> Result<&str, LakeError> {
    let text = match pattern {
        Expr::Cast(cast) => return constant(&cast.expr),
        Expr::Alias(alias) => return constant(&alias.expr),
        Expr::Literal(value, _) => value.try_as_str().flatten().unwrap_or_default(),
        _ => {
            let text =
                "a regular expression is to be written out, not made of columns or functions";
            return Err(LakeError::Query(text.to_owned()));
        }
    };
    if text.len() > REGEX_BYTES_MAX {
        let bytes = text.len();
        let text =
            format!("a regular expression has {bytes} bytes, at most {REGEX_BYTES_MAX} are read");
        return Err(LakeError::Query(text));
    }
    Ok(text)
}
