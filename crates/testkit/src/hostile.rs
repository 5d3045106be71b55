//! Fifty queries that want everything: to be asked of a lake that must not mind.

/// The language that a query is written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// SQL.
    Sql,
    /// Pipes.
    Pipe,
    /// The search language.
    Search,
}

/// A query that wants too much.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hostile {
    /// What it wants, in a few words.
    pub name: &'static str,
    /// The language.
    pub language: Language,
    /// The query.
    pub text: String,
}

/// All of them.
pub fn queries() -> Vec<Hostile> {
    let list = |language, all: Vec<(&'static str, String)>| {
        all.into_iter().map(move |(name, text)| Hostile { name, language, text })
    };
    let mut all: Vec<Hostile> = list(Language::Sql, sql()).collect();
    all.extend(list(Language::Sql, shapes()));
    all.extend(list(Language::Pipe, pipes()));
    all.extend(list(Language::Search, searches()));
    all
}

/// Queries whose work has no bound.
fn sql() -> Vec<(&'static str, String)> {
    let billion = "generate_series(1, 1000000000) a";
    [
        ("read everything", "SELECT a.*, b.* FROM events a CROSS JOIN events b".to_owned()),
        ("count a product", "SELECT count(*) FROM events a, events b, events c".to_owned()),
        (
            "join without bound",
            "SELECT count(*) FROM events a JOIN events b ON a.lsn <> b.lsn JOIN events c ON b.lsn <> c.lsn".to_owned(),
        ),
        (
            "join by a condition that never holds",
            "SELECT count(*) FROM events a, events b, events c WHERE a.lsn + b.lsn + c.lsn < 0".to_owned(),
        ),
        (
            "join of a billion rows by hash",
            format!("SELECT count(*) FROM {billion} JOIN generate_series(1, 1000000000) b ON a.value = b.value"),
        ),
        (
            "join of one value with itself",
            "SELECT sum(length(a.raw_data)) FROM events a JOIN events b ON a.class_uid = b.class_uid JOIN events c ON a.class_uid = c.class_uid".to_owned(),
        ),
        ("sort a billion rows", format!("SELECT value FROM {billion} ORDER BY value % 1000003, value")),
        (
            "sort a billion texts",
            format!("SELECT reverse(cast(value AS text)) m FROM {billion} ORDER BY m"),
        ),
        (
            "first of a sorted billion, many",
            format!("SELECT value, reverse(cast(value AS text)) m FROM {billion} ORDER BY m LIMIT 900000"),
        ),
        ("group a billion rows", format!("SELECT value, count(*) FROM {billion} GROUP BY value")),
        ("distinct billion", format!("SELECT count(DISTINCT value) FROM {billion}")),
        (
            "group by everything",
            "SELECT a.event_id, b.event_id, count(*) FROM events a, events b, events c GROUP BY 1, 2".to_owned(),
        ),
        ("one list of all", format!("SELECT array_agg(value) FROM {billion}")),
        ("one text of all", format!("SELECT string_agg(cast(value AS text), ',') FROM {billion}")),
        (
            "window over a billion",
            format!("SELECT max(s) FROM (SELECT sum(value) OVER (ORDER BY value % 7) s FROM {billion})"),
        ),
        (
            "count for ever",
            "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t".to_owned(),
        ),
        (
            "double for ever",
            "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t, generate_series(1, 2)) SELECT count(*) FROM t".to_owned(),
        ),
        ("all rows of the answer", format!("SELECT value FROM {billion}")),
        ("a text of two gigabytes", "SELECT repeat('x', 2000000000)".to_owned()),
        ("a row of a terabyte", "SELECT lpad(raw_data, 2000000000, 'x') FROM events".to_owned()),
        ("a list of ten billion", "SELECT range(0, 10000000000)".to_owned()),
        (
            "a list of a list of a list",
            "SELECT array_repeat(array_repeat(array_repeat('x', 10000), 10000), 10000)".to_owned(),
        ),
        (
            "correlated over everything",
            "SELECT count(*) FROM events a WHERE EXISTS (SELECT 1 FROM events b, events c WHERE b.lsn + c.lsn = a.lsn - 1000000000)".to_owned(),
        ),
        ("slow sum", "SELECT sum(sqrt(a.value) * ln(a.value)) FROM generate_series(1, 100000000000) a".to_owned()),
        (
            "union of everything",
            (0..30).map(|_| "SELECT * FROM events a CROSS JOIN events b").collect::<Vec<_>>().join(" UNION ALL "),
        ),
    ]
    .into()
}

/// Queries whose text is the trouble.
fn shapes() -> Vec<(&'static str, String)> {
    let nested = |open: &str, inner: &str, close: &str, times: usize| {
        format!("{}{inner}{}", open.repeat(times), close.repeat(times))
    };
    [
        ("10,000 brackets", format!("SELECT {}", nested("(", "1", ")", 10_000))),
        ("10,000 subqueries", nested("SELECT * FROM (", "SELECT 1", ")", 10_000)),
        ("100,000 terms", format!("SELECT 1{}", " + 1".repeat(60_000))),
        ("30,000 ors", format!("SELECT 1 FROM events WHERE lsn = 1{}", " OR lsn = 1".repeat(20_000))),
        ("20,000 nots", format!("SELECT {} true", "NOT ".repeat(20_000))),
        ("5,000 unions", vec!["SELECT 1"; 5_000].join(" UNION ALL ")),
        ("400 joins", format!("SELECT 1 FROM events{}", " CROSS JOIN events".repeat(400))),
        ("a regex of 100 kB", format!("SELECT count(*) FROM events WHERE raw_data ~ '{}'", "a|".repeat(50_000))),
        (
            "a regex that grows",
            "SELECT count(*) FROM events WHERE regexp_like(raw_data, '((((x{1,100}){1,100}){1,100}){1,100})')".to_owned(),
        ),
        ("a regex of each row", "SELECT count(*) FROM events WHERE regexp_like(raw_data, raw_data || '.*')".to_owned()),
        ("a megabyte of query", format!("SELECT '{}'", "x".repeat(1 << 20))),
        ("a change", "DELETE FROM events".to_owned()),
    ]
    .into()
}

fn pipes() -> Vec<(&'static str, String)> {
    let wide = "events | extend k = class_uid | project k, a = raw_data";
    [
        ("pipe: join on one value", format!("{wide} | join ({wide}) on k | join ({wide}) on k | count")),
        ("pipe: sort everything joined", format!("{wide} | join ({wide}) on k | sort by a, a1")),
        (
            "pipe: sets of everything joined",
            format!("{wide} | join ({wide}) on k | join ({wide}) on k | summarize make_list(a1), make_set(a2) by a"),
        ),
        (
            "pipe: columns that double",
            format!("events | extend c = raw_data{} | count", " | extend c = strcat(c, c)".repeat(28)),
        ),
        ("pipe: 10,000 brackets", format!("events | where {}", "(".repeat(10_000))),
        (
            "pipe: a regex of 50 kB",
            format!("events | where raw_data matches regex '{}'", "a|".repeat(25_000)),
        ),
        (
            "pipe: a series of a billion steps",
            "events | make-series count() on time from ago(300000d) to now() step 1s".to_owned(),
        ),
    ]
    .into()
}

fn searches() -> Vec<(&'static str, String)> {
    let heavy = |n: usize| format!("raw_data:/(x+x+)+y{n}(a|b|c|ab|abc)*\\d{{1,40}}[^z]{{0,60}}z/");
    [
        ("search: 10,000 brackets", "(".repeat(10_000)),
        ("search: a regex of 10 kB", format!("raw_data:/{}/", "a|".repeat(5_000))),
        ("search: 2,000 terms", "word ".repeat(2_000)),
        ("search: 60 regexes", (0..60).map(heavy).collect::<Vec<_>>().join(" OR ")),
        ("search: 70 regexes", (0..70).map(heavy).collect::<Vec<_>>().join(" OR ")),
        ("search: wildcards everywhere", "*a*b*c*d*e*f*g*h*i*j*k*l*m*n*o*p*q*r*s*".to_owned()),
    ]
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn there_are_fifty_with_names_of_their_own() {
        let all = queries();
        let names: BTreeSet<&str> = all.iter().map(|hostile| hostile.name).collect();
        assert_eq!((all.len(), names.len()), (50, 50));
    }
}
