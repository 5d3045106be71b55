//! The language's page, made from the words, functions and operators themselves.

use crate::pipe::aggregates::AGGREGATES;
use crate::pipe::complete::OPERATORS;
use crate::pipe::words::WORDS;
use crate::pipe::{functions, lets, words};
use std::fmt::Write;

/// Columns at which sentences are wrapped.
const WIDTH: usize = 98;

const HEAD: &str = include_str!("docs_head.md");

/// The page, with the answer that `run` gives to each example below it.
///
/// # Errors
/// What `run` refuses.
pub fn page<E>(mut run: impl FnMut(&str) -> Result<String, E>) -> Result<String, E> {
    let mut out = HEAD.to_owned();
    for word in WORDS {
        let _ = write!(out, "\n### {}\n\n`{}`\n\n{}\n", word.name, word.syntax, wrapped(word.doc));
        for query in word.examples {
            let _ =
                write!(out, "\n```\n{}\n```\n```\n{}\n```\n", lines(query), run(query)?.trim_end());
        }
        if !word.aliases.is_empty() {
            let _ = write!(out, "\nAlso written `{}`.\n", word.aliases.join("`, `"));
        }
    }
    let _ = write!(out, "\n### let\n\n`{}`\n\n{}\n", lets::SYNTAX, wrapped(lets::DOC));
    for query in lets::EXAMPLES {
        let answer = run(query)?;
        let _ = write!(out, "\n```\n{}\n```\n```\n{}\n```\n", lines(query), answer.trim_end());
    }
    let cell = |text: &str| text.replace('|', "\\|");
    out.push_str("\n## Operators\n\n| written | holds where |\n|---|---|\n");
    for (_, syntax, doc) in OPERATORS {
        let _ = writeln!(out, "| `{}` | {} |", cell(syntax), cell(doc));
    }
    out.push_str("\nArithmetic is `+ - * / %`; a division by zero has no value.\n");
    out.push_str("\n## Functions\n\n| function | gives |\n|---|---|\n");
    for function in functions::all() {
        let _ = writeln!(out, "| `{}` | {} |", cell(function.syntax), cell(function.doc));
    }
    out.push_str("\n## Aggregates\n\n| aggregate | gives |\n|---|---|\n");
    for aggregate in AGGREGATES {
        let _ = writeln!(out, "| `{}` | {} |", cell(aggregate.syntax), cell(aggregate.doc));
    }
    Ok(out)
}

/// Every example of a word.
pub fn examples() -> impl Iterator<Item = &'static str> {
    let words = words::WORDS.iter().flat_map(|word| word.examples.iter().copied());
    words.chain(lets::EXAMPLES.iter().copied())
}

/// A query with one word a line; pipes in brackets stay in theirs.
fn lines(query: &str) -> String {
    let mut out = String::new();
    let (mut depth, mut quoted) = (0usize, false);
    for c in query.chars() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            '|' if !quoted && depth == 0 => {
                out.truncate(out.trim_end().len());
                out.push('\n');
            }
            ';' if !quoted && depth == 0 => {
                out.push_str(";\n");
                continue;
            }
            ' ' if out.ends_with('\n') => continue,
            _ => {}
        }
        out.push(c);
    }
    out
}

fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > WIDTH {
            out.push('\n');
            width = 0;
        } else if width > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += length;
    }
    out
}
