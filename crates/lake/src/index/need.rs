//! What a condition needs to be in a granule, as far as an index can tell.

use super::keyed::{self, Keyed};
use super::{hash, text};
use crate::schema::TableKind;
use crate::search::functions::{Texts, text_test};
use crate::search::matching::ValueTest;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

/// Most keys of one query that are looked up; a condition of more is not decided by the index.
const KEYS_MAX: usize = 10_000;

/// Keys that a granule must have to hold a row for which the condition is true.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Need {
    /// This one.
    Key(u64),
    /// All of these.
    All(Vec<Need>),
    /// One of these.
    Any(Vec<Need>),
}

impl Need {
    /// What all of the conditions together need; `None` where an index cannot tell.
    pub(crate) fn of_all(kind: TableKind, conditions: &[Expr]) -> Option<Self> {
        let known = conditions.iter().filter_map(|condition| of(kind, condition));
        all(known.collect()).filter(|need| need.keys() <= KEYS_MAX)
    }

    /// What a row needs of which a text is one of these; `None` for more than can be looked up.
    pub(crate) fn any_value(values: &[String]) -> Option<Self> {
        let keys = values.iter().map(|text| Self::Key(hash::value(text)));
        (values.len() <= KEYS_MAX).then(|| Self::Any(keys.collect()))
    }

    /// How many keys it names.
    pub(crate) fn keys(&self) -> usize {
        match self {
            Self::Key(_) => 1,
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::keys).sum(),
        }
    }
}

fn all(mut parts: Vec<Need>) -> Option<Need> {
    match parts.len() {
        0 | 1 => parts.pop(),
        _ => Some(Need::All(parts)),
    }
}

/// Any of the parts, of which none may be unknown.
fn any(parts: impl Iterator<Item = Option<Need>>) -> Option<Need> {
    let mut parts: Vec<Need> = parts.collect::<Option<_>>()?;
    match parts.len() {
        0 | 1 => parts.pop(),
        _ => Some(Need::Any(parts)),
    }
}

fn of(kind: TableKind, condition: &Expr) -> Option<Need> {
    match condition {
        Expr::Alias(alias) => of(kind, &alias.expr),
        Expr::IsTrue(inner) => of(kind, inner),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            all([of(kind, left), of(kind, right)].into_iter().flatten().collect())
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            any([of(kind, left), of(kind, right)].into_iter())
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            equal(kind, left, right).or_else(|| equal(kind, right, left))
        }
        Expr::InList(list) if !list.negated => {
            any(list.list.iter().map(|value| equal(kind, &list.expr, value)))
        }
        Expr::ScalarFunction(_) => {
            let (column, texts, test) = text_test(condition)?;
            let keyed = keyed::of(kind, column)?;
            match texts {
                Texts::Member(_) => None,
                Texts::Column | Texts::List | Texts::Objects(_) => passes(keyed, test),
            }
        }
        _ => None,
    }
}

fn equal(kind: TableKind, column: &Expr, value: &Expr) -> Option<Need> {
    let (Expr::Column(column), Expr::Literal(value, _)) = (column, value) else { return None };
    let (ScalarValue::Utf8(Some(text))
    | ScalarValue::LargeUtf8(Some(text))
    | ScalarValue::Utf8View(Some(text))) = value
    else {
        return None;
    };
    whole(keyed::of(kind, &column.name)?, text)
}

/// What a value equal to the text needs.
fn whole(keyed: Keyed, needle: &str) -> Option<Need> {
    match keyed {
        Keyed::Words => words(needle, true, true),
        _ => Some(Need::Key(hash::value(needle))),
    }
}

/// What a text needs in which the needle is found.
fn words(needle: &str, begins: bool, ends: bool) -> Option<Need> {
    all(text::needed(needle, begins, ends).into_iter().map(Need::Key).collect())
}

/// What a value needs that passes the test.
fn passes(keyed: Keyed, test: &ValueTest) -> Option<Need> {
    match test {
        ValueTest::Equal(text) => whole(keyed, text),
        ValueTest::OneOf(texts) => any(texts.iter().map(|text| whole(keyed, text))),
        ValueTest::Either(tests) => any(tests.iter().map(|test| passes(keyed, test))),
        ValueTest::Word(word) if keyed == Keyed::Words => {
            let (text, begins, ends) = word.shape()?;
            words(text, begins, ends)
        }
        ValueTest::Address(network) if keyed == Keyed::Addresses => {
            let address = network.single()?;
            Some(Need::Key(hash::value(&address.to_string())))
        }
        // Its name part has a key of its own, of the same kind as the whole value's.
        ValueTest::OrPart(part, test) if keyed == Keyed::Values(Some(*part)) => passes(keyed, test),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::search::{Search, Spec};
    use datafusion::logical_expr::{col, lit};

    fn need(expr: Expr) -> Option<Need> {
        Need::of_all(TableKind::Events, &[expr])
    }

    fn search(query: &str) -> Option<Need> {
        let spec = Spec { query, columns: None, sort: None, limit: 10 };
        need(Search::new(&spec, 0).unwrap().condition.unwrap())
    }

    fn key(text: &str) -> Need {
        Need::Key(hash::value(text))
    }

    #[test]
    fn conditions_on_values_need_their_keys() {
        let ip = |text: &str| col("src_ip").eq(lit(text));
        assert_eq!(need(ip("10.1.2.3")), Some(key("10.1.2.3")));
        assert_eq!(need(ip("a").or(ip("b"))), Some(Need::Any(vec![key("a"), key("b")])));
        let other = col("src_port").eq(lit(22i64));
        assert_eq!(need(ip("a").and(other.clone())), Some(key("a")));
        assert_eq!(need(ip("a").or(other)), None);
        assert_eq!(need(ip("a").is_not_true()), None);
        assert_eq!(need(col("src_ip").in_list(vec![lit("a")], true)), None);
        assert_eq!(need(col("src_ip").in_list(vec![lit("a")], false)), Some(key("a")));
    }

    #[test]
    fn searches_need_keys_where_every_way_to_pass_does() {
        let ip = search("src_endpoint.ip:10.1.2.3").unwrap();
        assert_eq!(ip, Need::Any(vec![key("10.1.2.3"), key("::ffff:10.1.2.3")]));
        assert_eq!(search("src_endpoint.ip:2001:DB8::1"), Some(key("2001:db8::1")));
        assert!(search("ip:10.1.2.3").is_some());
        assert!(search("user:Nina").is_some());
        assert!(search("user:nina*").is_none());
        assert_eq!(
            search("hash:0123456789abcdef0123456789abcdef").map(|n| n.keys() > 1),
            Some(true)
        );
        assert!(search("failed").is_some());
        assert!(search("fail*").is_none());
        assert!(search("-failed").is_none());
        assert!(search("failed OR src_port:22").is_none());
        assert_eq!(search("failed src_port:22"), search("failed"));
        assert!(search("src_ip:10.0.0.0/8").is_none());
        assert!(search("src_ip:10.0.0.7/32").is_some());
        assert!(search("cmd_line:mimikatz").is_some());
        assert!(search("ff").is_none());
    }
}
