//! What an editor may offer: words, functions, aggregates, operators and fields with types.

use crate::pipe::aggregates::AGGREGATES;
use crate::pipe::frame::Kind;
use crate::pipe::functions;
use crate::pipe::lets;
use crate::pipe::words::WORDS;
use crate::schema::TableKind;
use serde::Serialize;
use yagura_event::ColumnId;

/// What an offer is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OfferKind {
    /// A table.
    Table,
    /// A word after `|`.
    Word,
    /// A function of a row.
    Function,
    /// A function of a group.
    Aggregate,
    /// An operator.
    Operator,
    /// A field of a table.
    Field,
}

/// One thing that may be written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Offer {
    /// What it is.
    pub kind: OfferKind,
    /// What is written.
    pub text: &'static str,
    /// How it is used, or a field's type.
    pub detail: &'static str,
    /// What it does or holds.
    pub doc: &'static str,
}

/// The operators, with what holds.
pub const OPERATORS: &[(&str, &str, &str)] = &[
    ("==", "a == b", "equal, case counts"),
    ("!=", "a != b", "not equal, or no value"),
    ("=~", "a =~ \"b\"", "equal, case ignored"),
    ("!~", "a !~ \"b\"", "not equal, case ignored, or no value"),
    ("<", "a < b", "less"),
    ("<=", "a <= b", "less or equal"),
    (">", "a > b", "greater"),
    (">=", "a >= b", "greater or equal"),
    ("in", "a in (\"b\", \"c\")", "equal to one of them, case counts; `in~` ignores it"),
    (
        "in (pipe)",
        "a in (events | ... | project b)",
        "equal to one of the values of the pipe's column, in `where`",
    ),
    ("between", "a between (b .. c)", "from b to c, both included"),
    ("has", "a has \"b\"", "b is a word of a, or several in a row, case ignored"),
    ("has_any", "a has_any (\"b\", \"c\")", "one of them is a word of a"),
    ("contains", "a contains \"b\"", "b is part of a, case ignored"),
    ("contains_cs", "a contains_cs \"b\"", "b is part of a, case counts"),
    ("startswith", "a startswith \"b\"", "a begins with b, case ignored"),
    ("endswith", "a endswith \"b\"", "a ends with b, case ignored"),
    (
        "matches regex",
        "a matches regex @\"b\\d+\"",
        "the regular expression is found in a, case counts",
    ),
    ("and", "a and b", "both hold"),
    ("or", "a or b", "one of them holds"),
    ("not", "not (a)", "it does not hold"),
];

/// Everything that may be offered, by kind and in the order of the documentation.
pub fn offers() -> Vec<Offer> {
    let offer = |kind, text, detail, doc| Offer { kind, text, detail, doc };
    let mut all = Vec::new();
    for table in TableKind::ALL {
        all.push(offer(OfferKind::Table, table.name(), "table", ""));
    }
    all.extend(WORDS.iter().map(|w| offer(OfferKind::Word, w.name, w.syntax, w.doc)));
    all.push(offer(OfferKind::Word, "let", lets::SYNTAX, lets::DOC));
    all.extend(functions::all().map(|f| offer(OfferKind::Function, f.name, f.syntax, f.doc)));
    all.extend(AGGREGATES.iter().map(|a| offer(OfferKind::Aggregate, a.name, a.syntax, a.doc)));
    all.extend(
        OPERATORS.iter().map(|(name, syntax, doc)| offer(OfferKind::Operator, name, syntax, doc)),
    );
    let schema = TableKind::Events.schema();
    for name in crate::search::fields::names() {
        let Some(source) = crate::search::fields::column(name) else { continue };
        let Ok(field) = schema.field_with_name(source.column) else { continue };
        let doc = ColumnId::find(source.column).map_or("", |id| id.column().doc);
        all.push(offer(OfferKind::Field, name, Kind::of(field.data_type()).name(), doc));
    }
    all
}
