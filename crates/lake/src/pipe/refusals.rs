//! What the parser refuses, in words.

use crate::pipe::DEPTH_MAX;
use crate::pipe::words;
use crate::search::fault::{Fault, Span, nearest};

/// It is nested too deep.
pub fn too_deep(span: Span) -> Fault {
    let message = format!("it is nested deeper than {DEPTH_MAX} levels");
    Fault::new("query_deep", span, message)
}

/// Whether the word may follow an expression and is no operator.
pub fn is_clause(word: &str) -> bool {
    const CLAUSES: &[&str] =
        &["and", "or", "by", "asc", "desc", "nulls", "on", "from", "to", "step", "default", "with"];
    CLAUSES.contains(&word)
}

/// There is no such word after a `|`.
pub fn unknown_word(word: &str, span: Span) -> Fault {
    let fault = Fault::new("word_unknown", span, format!("there is no word `{word}`"));
    let names =
        words::WORDS.iter().flat_map(|w| std::iter::once(w.name).chain(w.aliases.iter().copied()));
    match nearest(word, names) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => {
            let all: Vec<&str> = words::WORDS.iter().map(|w| w.name).collect();
            fault.help(format!("the words are {}", all.join(", ")))
        }
    }
}

/// There is no such operator.
pub fn no_operator(text: &str, span: Span) -> Fault {
    let known = [
        "in",
        "has",
        "has_any",
        "contains",
        "contains_cs",
        "startswith",
        "endswith",
        "between",
        "matches",
        "and",
        "or",
    ];
    let fault = Fault::new("syntax", span, format!("`{text}` is no operator"));
    match nearest(text, known.into_iter()) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help("write an operator such as == or has; text goes into quotes"),
    }
}
