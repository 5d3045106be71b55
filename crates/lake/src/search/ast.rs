//! The tree of a search, as written: nothing in it is resolved yet.

use crate::search::fault::Span;

/// A search or a part of it.
#[derive(Clone, PartialEq, Debug)]
pub enum Node {
    /// Every event: the empty search.
    All,
    /// All of them hold; two or more.
    And(Vec<Node>),
    /// One of them holds; two or more.
    Or(Vec<Node>),
    /// It does not hold.
    Not(Box<Node>),
    /// One condition.
    Term(Term),
}

/// One condition, on a field or on the record's text.
#[derive(Clone, PartialEq, Debug)]
pub struct Term {
    /// The field; `None` for words over the record as received.
    pub field: Option<Name>,
    /// What must hold of it.
    pub test: Test,
    /// The test's place.
    pub span: Span,
}

/// A field as written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Name {
    /// Its name, quotes and escapes removed.
    pub text: String,
    /// Its place.
    pub span: Span,
}

/// What must hold of a field's value.
#[derive(Clone, PartialEq, Debug)]
pub enum Test {
    /// A word, which may have wildcards.
    Word(Pattern),
    /// A text in quotes, without wildcards.
    Phrase(String),
    /// A regular expression.
    Regex(String),
    /// Between two values.
    Range(Range),
}

/// `[low TO high]`, `>low` and their like; an end that is absent is open.
#[derive(Clone, PartialEq, Debug)]
pub struct Range {
    /// The lower end.
    pub low: Option<Bound>,
    /// The upper end.
    pub high: Option<Bound>,
}

/// One end of a range.
#[derive(Clone, PartialEq, Debug)]
pub struct Bound {
    /// The value as written.
    pub text: String,
    /// Whether the value itself is in the range.
    pub inclusive: bool,
    /// Its place.
    pub span: Span,
}

/// A word with wildcards. Two `Text` never follow each other, nor two `Any`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pattern {
    /// Its pieces, in order.
    pub pieces: Vec<Piece>,
}

/// A part of a [`Pattern`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// These characters, case ignored.
    Text(String),
    /// `*`: any number of characters.
    Any,
    /// `?`: one character.
    One,
}

impl Pattern {
    /// The pattern without wildcards of a text.
    pub fn of(text: &str) -> Self {
        Self { pieces: vec![Piece::Text(text.to_owned())] }
    }

    /// Adds a character.
    pub fn push(&mut self, c: char) {
        if let Some(Piece::Text(text)) = self.pieces.last_mut() {
            text.push(c);
        } else {
            self.pieces.push(Piece::Text(c.to_string()));
        }
    }

    /// Adds a wildcard; `**` is `*`.
    pub fn push_wildcard(&mut self, wildcard: Piece) {
        if wildcard != Piece::Any || self.pieces.last() != Some(&Piece::Any) {
            self.pieces.push(wildcard);
        }
    }

    /// The text of a pattern without wildcards.
    pub fn literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether it is `*` alone.
    pub fn is_any(&self) -> bool {
        self.pieces == [Piece::Any]
    }

    /// How many wildcards.
    pub fn wildcards(&self) -> usize {
        self.pieces.iter().filter(|piece| !matches!(piece, Piece::Text(_))).count()
    }
}
