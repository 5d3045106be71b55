//! Walks TOML with positions, so that every complaint names file, line and what is expected.

use std::fmt;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong with a source definition, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct SourceError {
    /// The definition's file, as given.
    pub file: String,
    /// Line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
    /// The line's text.
    pub excerpt: String,
    /// What is wrong and what is expected.
    pub message: String,
}

impl SourceError {
    /// An error about a whole file.
    pub fn file(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: 0,
            column: 0,
            excerpt: String::new(),
            message: message.into(),
        }
    }

    /// An error at a byte offset of a file's text.
    pub fn at(file: &str, text: &str, offset: usize, message: impl Into<String>) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let excerpt = text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.len() - start + 1,
            excerpt: excerpt.to_owned(),
            message: message.into(),
        }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            return write!(f, "{}: {}", self.file, self.message);
        }
        writeln!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        write!(f, "  | {}\n  | {:>width$}", self.excerpt, "^", width = self.column)
    }
}

/// One file's text and name, for errors.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The file as given.
    pub file: &'a str,
    /// Its text.
    pub text: &'a str,
}

impl<'a> Origin<'a> {
    /// Parses the file as TOML.
    pub fn parse(self) -> Result<Spanned<DeTable<'a>>, SourceError> {
        DeTable::parse(self.text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            SourceError::at(self.file, self.text, offset, error.message())
        })
    }

    /// An error at `offset`.
    pub fn error(self, offset: usize, message: impl Into<String>) -> SourceError {
        SourceError::at(self.file, self.text, offset, message)
    }
}

/// A table of which every key must be known.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// Where it is from.
    pub origin: Origin<'a>,
    /// Its first byte.
    pub offset: usize,
    table: &'a DeTable<'a>,
}

impl<'a> Table<'a> {
    /// Wraps a table.
    pub fn new(origin: Origin<'a>, offset: usize, table: &'a DeTable<'a>) -> Self {
        Self { origin, offset, table }
    }

    /// Refuses keys other than `known`.
    pub fn only(&self, known: &[&str]) -> Result<(), SourceError> {
        for key in self.table.keys() {
            if !known.contains(&key.get_ref().as_ref()) {
                let message =
                    format!("unknown key `{}`; known here: {}", key.get_ref(), known.join(", "));
                return Err(self.origin.error(key.span().start, message));
            }
        }
        Ok(())
    }

    /// A key's value.
    pub fn get(&self, key: &str) -> Option<Node<'a>> {
        self.table
            .iter()
            .find(|(name, _)| name.get_ref() == key)
            .map(|(_, value)| Node { origin: self.origin, value })
    }

    /// A key's text, which must be there.
    pub fn text(&self, key: &str) -> Result<&'a str, SourceError> {
        match self.get(key) {
            Some(node) => node.text(),
            None => Err(self.origin.error(self.offset, format!("`{key}` is missing"))),
        }
    }

    /// Every key (with its offset) and value.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, usize, Node<'a>)> {
        let origin = self.origin;
        self.table.iter().map(move |(key, value)| {
            (key.get_ref().as_ref(), key.span().start, Node { origin, value })
        })
    }
}

/// One value with its place.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    origin: Origin<'a>,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Node<'a> {
    /// An error about this value.
    pub fn error(&self, message: impl Into<String>) -> SourceError {
        self.origin.error(self.value.span().start, message)
    }

    /// First byte of the value.
    pub fn offset(&self) -> usize {
        self.value.span().start
    }

    /// The value as text.
    pub fn text(&self) -> Result<&'a str, SourceError> {
        self.value.get_ref().as_str().ok_or_else(|| self.error("a string is expected"))
    }

    /// The value as text if it is a string.
    pub fn as_text(&self) -> Option<&'a str> {
        self.value.get_ref().as_str()
    }

    /// The value as a truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        self.value.get_ref().as_bool()
    }

    /// The value as a truth value.
    pub fn truth(&self) -> Result<bool, SourceError> {
        self.as_bool().ok_or_else(|| self.error("true or false is expected"))
    }

    /// The value as an integer, if it is one.
    pub fn as_integer(&self) -> Option<i64> {
        let number = self.value.get_ref().as_integer()?;
        i64::from_str_radix(number.as_str(), number.radix()).ok()
    }

    /// A string, integer or truth value as the text that a record would hold.
    pub fn scalar(&self) -> Result<String, SourceError> {
        if let Some(text) = self.as_text() {
            return Ok(text.to_owned());
        }
        if let Some(number) = self.as_integer() {
            return Ok(number.to_string());
        }
        self.as_bool()
            .map(|truth| truth.to_string())
            .ok_or_else(|| self.error("a string, integer, true or false is expected"))
    }

    /// The value as a table.
    pub fn table(&self) -> Result<Table<'a>, SourceError> {
        self.as_table().ok_or_else(|| self.error("a table is expected"))
    }

    /// The value as a table, if it is one.
    pub fn as_table(&self) -> Option<Table<'a>> {
        let table = self.value.get_ref().as_table()?;
        Some(Table { origin: self.origin, offset: self.value.span().start, table })
    }

    /// The items of an array, or the value itself where it is none.
    pub fn items(&self) -> Vec<Node<'a>> {
        match self.value.get_ref().as_array() {
            Some(array) => array.iter().map(|value| Node { origin: self.origin, value }).collect(),
            None => vec![*self],
        }
    }

    /// Whether the value is an array.
    pub fn is_array(&self) -> bool {
        self.value.get_ref().is_array()
    }

    /// The value as a list of texts; one text is a list of one.
    pub fn texts(&self) -> Result<Vec<&'a str>, SourceError> {
        self.items().iter().map(Node::text).collect()
    }
}
