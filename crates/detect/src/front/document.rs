//! Splits a rule file into YAML documents and finds the lines that faults are on.

use super::{Fault, Place};
use crate::rule::RuleError;

/// One document of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Document<'a> {
    /// Its text, without the separator.
    pub text: &'a str,
    /// Line of the file on which the text begins, from 1.
    pub line: u32,
}

/// The documents of a file that hold anything but blank lines and comments. `---` at the
/// beginning of a line separates them, which YAML allows nowhere else.
pub(crate) fn split(text: &str) -> Vec<Document<'_>> {
    let mut documents = Vec::new();
    let (mut start, mut start_line, mut offset) = (0usize, 1u32, 0usize);
    let mut push = |from: usize, to: usize, line: u32| {
        let part = text.get(from..to).unwrap_or_default();
        let content = |l: &str| !(l.trim().is_empty() || l.trim_start().starts_with('#'));
        if part.lines().any(content) {
            documents.push(Document { text: part, line });
        }
    };
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let body = line.trim_end();
        if body == "---" || body.starts_with("--- ") {
            push(start, offset, start_line);
            start = offset + line.len();
            start_line = at as u32 + 2;
        }
        offset += line.len();
    }
    push(start, text.len(), start_line);
    documents
}

/// The value of a top-level `key: value` line, unquoted: what can be said of a document
/// that does not parse.
pub(crate) fn top_value(text: &str, key: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let value = line.strip_prefix(key)?.strip_prefix(':')?;
        let value = value.split(" #").next().unwrap_or(value).trim();
        let value = value.trim_matches(|c| c == '\'' || c == '"');
        (!value.is_empty()).then(|| value.to_owned())
    })
}

/// Completes a fault with its file, line and column.
pub(crate) fn locate(fault: Fault, path: &str, document: Document<'_>) -> RuleError {
    let (line, column, length) = match &fault.place {
        Place::Document => (first_line(document.text), 0, 1),
        // YAML knows line ends that are none in the file (`\r`, U+2028): not beyond its last.
        Place::At(line, column) => (at_most(document.text, *line), *column, 1),
        Place::Text(text) => find(document.text, text, 0),
        Place::InCondition(text) => {
            let start = condition(document.text, 0).0.saturating_sub(1);
            find(document.text, text, start as usize)
        }
        Place::Condition(offset) => condition(document.text, *offset),
    };
    RuleError {
        path: path.to_owned(),
        line: document.line + line.max(1) - 1,
        column,
        length,
        code: fault.code,
        message: fault.message,
        help: fault.help,
        id: top_value(document.text, "id"),
        title: top_value(document.text, "title"),
    }
}

/// A line of the document, or its last.
fn at_most(text: &str, line: u32) -> u32 {
    line.min(u32::try_from(text.lines().count()).unwrap_or(u32::MAX).max(1))
}

/// The first line that is neither blank nor a comment.
fn first_line(text: &str) -> u32 {
    let at = text.lines().position(|l| !(l.trim().is_empty() || l.trim_start().starts_with('#')));
    at.unwrap_or(0) as u32 + 1
}

/// Line, column and length of `needle` behind the first `skip` lines, or the first line of
/// the document.
fn find(text: &str, needle: &str, skip: usize) -> (u32, u32, u32) {
    let length = needle.chars().count().max(1) as u32;
    for (at, line) in text.lines().enumerate().skip(skip) {
        if let Some(offset) = line.find(needle) {
            return (at as u32 + 1, line[..offset].chars().count() as u32 + 1, length);
        }
    }
    (first_line(text), 0, 1)
}

/// Where the condition's value begins, plus `offset` where it stands on the same line.
fn condition(text: &str, offset: u32) -> (u32, u32, u32) {
    for (at, line) in text.lines().enumerate() {
        let Some(rest) = line.trim_start().strip_prefix("condition:") else { continue };
        let value = rest.trim_start().trim_start_matches(['\'', '"']);
        let column = (line.len() - value.len()) as u32 + 1;
        let block = value.is_empty() || value.starts_with(['|', '>', '[']);
        return (at as u32 + 1, if block { 0 } else { column + offset }, 1);
    }
    (first_line(text), 0, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_know_their_lines() {
        let found = split("# head\n---\ntitle: a\n---\n\n--- # b\ntitle: b\nx: '---'\n");
        let seen: Vec<_> = found.iter().map(|d| (d.line, d.text.lines().count())).collect();
        assert_eq!(seen, [(3, 1), (7, 2)]);
        assert_eq!(split("").len(), 0);
    }

    #[test]
    fn faults_are_found_by_text_and_in_conditions() {
        let text = "title: t\nid: 'x-1'\ndetection:\n  condition: sel and (\n";
        let document = Document { text, line: 10 };
        let fault = Fault { place: Place::Condition(8), ..Fault::new("c", "m") };
        let error = locate(fault, "p", document);
        assert_eq!((error.line, error.column), (13, 22));
        assert_eq!(error.id.as_deref(), Some("x-1"));
        let error = locate(Fault::new("c", "m").at("sel and"), "p", document);
        assert_eq!((error.line, error.column, error.length), (13, 14, 7));
    }
}
