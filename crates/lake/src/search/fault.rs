//! What is wrong with a search, with the place in its text.

use std::fmt::{self, Write};

/// Most characters of the query shown around a fault.
const SHOWN_CHARS_MAX: usize = 120;
/// Most characters of a message or a help, which may quote the query.
const MESSAGE_CHARS_MAX: usize = 1_000;
/// Characters shown before the fault where the query is longer than that.
const SHOWN_BEFORE: usize = 40;

/// Bytes `start..end` of the query's text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// The bytes `start..end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// From the beginning of `self` to the end of `other`.
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }
}

/// Why a search was refused. The person who wrote it can put it right.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct Fault {
    /// Stable word for programs.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Where.
    pub span: Span,
}

impl Fault {
    /// A fault without help.
    pub fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None, span }
    }

    /// The same with what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same at another place.
    #[must_use]
    pub fn at(self, span: Span) -> Self {
        Self { span, ..self }
    }

    /// Renders the fault over the query's text:
    ///
    /// ```text
    /// error[field_unknown]: there is no field `usr`
    ///  --> query:1:5
    ///   |
    /// 1 | -(usr:nina)
    ///   |   ^^^
    ///   = help: did you mean `user`?
    /// ```
    pub fn render(&self, text: &str) -> String {
        self.render_in("query", text)
    }

    /// The same for a text called `what`.
    pub fn render_in(&self, what: &str, text: &str) -> String {
        let start = floor(text, self.span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line = text[line_start..].lines().next().unwrap_or_default();
        let number = text[..line_start].matches('\n').count() + 1;
        let column = text[line_start..start].chars().count();
        let end = floor(text, self.span.end.max(start));
        let length = text[start..end].lines().next().unwrap_or_default().chars().count().max(1);
        let cut = if line.chars().count() > SHOWN_CHARS_MAX {
            column.saturating_sub(SHOWN_BEFORE)
        } else {
            0
        };
        // A control character would move the caret, and the terminal.
        let shown: String = line.chars().skip(cut).take(SHOWN_CHARS_MAX).map(plain).collect();
        let margin = " ".repeat(number.to_string().len());
        let mut out = format!("error[{}]: {}\n", self.code, text_of(&self.message));
        let _ = writeln!(out, "{margin}--> {what}:{number}:{}", column + 1);
        let _ = writeln!(out, "{margin} |");
        let _ = writeln!(out, "{number} | {shown}");
        let most = shown.chars().count().saturating_sub(column - cut).max(1);
        let carets = "^".repeat(length.min(most));
        let _ = writeln!(out, "{margin} | {}{carets}", " ".repeat(column - cut));
        if let Some(help) = &self.help {
            let _ = writeln!(out, "{margin} = help: {}", text_of(help));
        }
        out
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", text_of(&self.message), self.span.start)?;
        match &self.help {
            Some(help) => write!(f, "; {}", text_of(help)),
            None => Ok(()),
        }
    }
}

fn plain(c: char) -> char {
    if c.is_control() { '·' } else { c }
}

/// Words of the query may be in messages, and anything in them.
fn text_of(message: &str) -> String {
    message.chars().take(MESSAGE_CHARS_MAX).map(plain).collect()
}

/// The nearest character boundary at or below `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The nearest of `known` to `word`, if it is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let most = match word.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        6..=10 => 2,
        _ => 3,
    };
    known
        .map(|name| (distance(&word, &name.to_ascii_lowercase(), most), name))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, name)| (*distance, name.len(), *name))
        .map(|(_, name)| name)
}

/// Edits (insert, remove, replace, swap of neighbours) between two words, or `most + 1`
/// where their lengths differ by more than `most`.
fn distance(a: &str, b: &str, most: usize) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > most {
        return most + 1;
    }
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let known = ["user", "url", "src_ip", "status"];
        let near = |word| nearest(word, known.into_iter());
        assert_eq!(near("usr"), Some("user"));
        assert_eq!(near("Statsu"), Some("status"));
        assert_eq!(near("srcip"), Some("src_ip"));
        assert_eq!(near("colour"), None);
        assert_eq!(near("x"), None);
    }

    #[test]
    fn a_fault_is_shown_in_its_line_also_far_to_the_right() {
        let text = format!("a\n{}櫓x", "b ".repeat(100));
        let at = text.len() - 1;
        let shown = Fault::new("c", Span::new(at, at + 9), "m").help("h").render(&text);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[1], " --> query:2:202");
        let caret = lines[4].chars().position(|c| c == '^');
        assert_eq!(caret.and_then(|at| lines[3].chars().nth(at)), Some('x'));
        assert_eq!(lines[5], "  = help: h");
    }
}
