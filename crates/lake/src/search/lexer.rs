//! Cuts a search into tokens. What a character means depends on whether a value follows a field.

use crate::search::ast::{Bound, Pattern, Piece, Range};
use crate::search::fault::{Fault, Span};
use std::net::Ipv6Addr;

/// Most bytes of a search. Lists of indicators fit; more is not written by people.
pub const QUERY_BYTES_MAX: usize = 64 * 1024;

/// Most bytes of one word or phrase. Longer values are not kept in any field worth searching.
pub const WORD_BYTES_MAX: usize = 4 * 1024;

/// Most wildcards in one word: each may cost a pass over the value.
pub const WILDCARDS_MAX: usize = 16;

/// Most bytes of a regular expression.
pub const REGEX_BYTES_MAX: usize = 1024;

/// One token.
#[derive(Clone, PartialEq, Debug)]
pub enum Token {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `AND` or `&&`
    And,
    /// `OR` or `||`
    Or,
    /// `NOT`, `-` or `!`
    Not,
    /// `name:`
    Field(String),
    /// A word.
    Word(Pattern),
    /// A text in quotes.
    Phrase(String),
    /// `/.../` behind a field.
    Regex(String),
    /// `[a TO b]` or `>a` behind a field.
    Range(Range),
}

/// The tokens of a search with their places.
///
/// # Errors
/// What is not closed, empty or longer than its limit.
pub fn tokens(text: &str) -> Result<Vec<(Token, Span)>, Fault> {
    if text.len() > QUERY_BYTES_MAX {
        let message =
            format!("the query has {} bytes, at most {QUERY_BYTES_MAX} are read", text.len());
        return Err(Fault::new("query_too_long", Span::new(0, 0), message));
    }
    let mut lexer = Lexer { text, at: 0, out: Vec::new(), groups: Vec::new() };
    while lexer.next()? {}
    Ok(lexer.out)
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    out: Vec<(Token, Span)>,
    /// For each open bracket, whether it holds values of a field.
    groups: Vec<bool>,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn push(&mut self, token: Token, start: usize) {
        self.out.push((token, Span::new(start, self.at)));
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Takes one token; false at the end.
    fn next(&mut self) -> Result<bool, Fault> {
        self.space();
        let start = self.at;
        let Some(c) = self.peek() else { return Ok(false) };
        match c {
            '(' => {
                let behind_field = matches!(self.out.last(), Some((Token::Field(_), _)));
                let inherited = self.groups.last().copied().unwrap_or(false);
                self.groups.push(behind_field || inherited);
                self.at += 1;
                self.push(Token::Open, start);
            }
            ')' => {
                self.groups.pop();
                self.at += 1;
                self.push(Token::Close, start);
            }
            '-' | '!' if self.negates() => {
                self.at += 1;
                self.push(Token::Not, start);
            }
            '"' => self.phrase()?,
            _ if self.groups.last() == Some(&true) => {
                if !self.keyword() {
                    self.value()?;
                }
            }
            _ => self.term()?,
        }
        Ok(true)
    }

    /// Whether the `-` or `!` here stands directly before what it negates.
    fn negates(&self) -> bool {
        self.rest().chars().nth(1).is_some_and(|c| !c.is_whitespace() && c != ')')
    }

    /// Takes `AND`, `OR` or `NOT`, if it stands alone.
    fn keyword(&mut self) -> bool {
        let word = bare(self.rest());
        let token = match word {
            "AND" | "&&" => Token::And,
            "OR" | "||" => Token::Or,
            "NOT" => Token::Not,
            _ => return false,
        };
        let start = self.at;
        self.at += word.len();
        self.push(token, start);
        true
    }

    fn term(&mut self) -> Result<(), Fault> {
        if self.keyword() {
            return Ok(());
        }
        let start = self.at;
        match bare(self.rest()) {
            word @ ("-" | "!") => {
                let span = Span::new(start, start + word.len());
                return Err(Fault::new(
                    "operand_missing",
                    span,
                    format!("`{word}` negates nothing"),
                )
                .help("write it directly before the term, or in quotes to search for it"));
            }
            "|" => {
                let span = Span::new(start, start + 1);
                return Err(Fault::new("pipe", span, "a search has no pipes")
                    .help("use `yagura sql` to group and count"));
            }
            _ => {}
        }
        if let Some((name, length)) = self.field()? {
            self.at += length;
            self.push(Token::Field(name), start);
            return match self.peek() {
                Some('(') => Ok(()),
                Some(c) if !c.is_whitespace() && c != ')' => self.value(),
                _ => Err(Fault::new("value_missing", Span::new(start, self.at), "the field has no value")
                    .help("write the value directly behind the colon, `field:*` for any, or quotes around the text if it is not a field")),
            };
        }
        let (pattern, length) = self.word(|_| false)?;
        self.at += length;
        self.push(Token::Word(pattern), start);
        Ok(())
    }

    /// The name of the field that begins here and its length with the colon.
    fn field(&self) -> Result<Option<(String, usize)>, Fault> {
        let rest = self.rest();
        let length = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '@' | '-')))
            .unwrap_or(rest.len());
        let name = &rest[..length];
        if !name.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '@')) {
            return Ok(None);
        }
        let behind = &rest[length..];
        if name.ends_with('.') && behind.starts_with('"') {
            // A source's own name with spaces: unmapped."Logon Process":x
            let (inner, taken) = quoted(behind, self.at + length)?;
            let whole = length + taken;
            let colon = rest[whole..].starts_with(':');
            return Ok(colon.then(|| (format!("{name}{inner}"), whole + 1)));
        }
        let Some(value) = behind.strip_prefix(':') else { return Ok(None) };
        let word = bare(rest);
        let drive = name.len() == 1 && (value.starts_with('\\') || value.starts_with('/'));
        if value.starts_with("//") || drive || is_address(word) {
            return Ok(None);
        }
        Ok(Some((name.to_owned(), length + 1)))
    }

    /// Takes what stands behind a field.
    fn value(&mut self) -> Result<(), Fault> {
        let start = self.at;
        match self.peek() {
            Some('"') => self.phrase(),
            Some('[' | '{') => self.range(),
            Some('>' | '<') => self.comparison(),
            Some('/') if self.regex()? => Ok(()),
            _ => {
                let (pattern, length) = self.word(|_| false)?;
                self.at += length;
                self.push(Token::Word(pattern), start);
                Ok(())
            }
        }
    }

    fn phrase(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let (text, length) = quoted(self.rest(), start)?;
        self.at += length;
        if text.is_empty() {
            let span = Span::new(start, self.at);
            return Err(Fault::new("phrase_empty", span, "there is nothing in the quotes"));
        }
        self.push(Token::Phrase(text), start);
        Ok(())
    }

    /// A word up to white space, a bracket, a quote or where `ends` says so.
    ///
    /// `\` takes the meaning from the punctuation or space behind it; before a letter or digit
    /// it is itself, so that Windows paths can be written as they are.
    fn word(&self, ends: impl Fn(char) -> bool) -> Result<(Pattern, usize), Fault> {
        let mut pattern = Pattern::default();
        let mut chars = self.rest().char_indices().peekable();
        let mut length = self.rest().len();
        while let Some((at, c)) = chars.next() {
            if c.is_whitespace() || matches!(c, '(' | ')' | '"') || ends(c) {
                length = at;
                break;
            }
            match c {
                '\\' => match chars.peek() {
                    Some((_, next)) if next.is_ascii_punctuation() || *next == ' ' => {
                        pattern.push(*next);
                        chars.next();
                    }
                    _ => pattern.push('\\'),
                },
                '*' => pattern.push_wildcard(Piece::Any),
                '?' => pattern.push_wildcard(Piece::One),
                _ => pattern.push(c),
            }
        }
        let span = Span::new(self.at, self.at + length);
        too_long(length, span)?;
        let wildcards = pattern.wildcards();
        if wildcards > WILDCARDS_MAX {
            let message =
                format!("the word has {wildcards} wildcards, at most {WILDCARDS_MAX} are taken");
            return Err(Fault::new("wildcards_too_many", span, message)
                .help("use a regular expression: field:/.../"));
        }
        Ok((pattern, length))
    }

    /// Takes `/.../` if it ends before white space, a bracket or the end; else it is a path.
    fn regex(&mut self) -> Result<bool, Fault> {
        let rest = self.rest();
        let mut text = String::new();
        let mut chars = rest.char_indices().skip(1).peekable();
        let mut end = None;
        while let Some((at, c)) = chars.next() {
            match c {
                '/' => {
                    end = Some(at + 1);
                    break;
                }
                '\\' if chars.peek().is_some_and(|(_, next)| *next == '/') => {
                    chars.next();
                    text.push('/');
                }
                '\\' => {
                    text.push(c);
                    if let Some((_, next)) = chars.next() {
                        text.push(next);
                    }
                }
                _ => text.push(c),
            }
        }
        let Some(end) = end else { return Ok(false) };
        let behind = rest[end..].chars().next();
        if text.is_empty() || behind.is_some_and(|c| !c.is_whitespace() && c != ')') {
            return Ok(false);
        }
        let start = self.at;
        self.at += end;
        if text.len() > REGEX_BYTES_MAX {
            let message = format!(
                "the regular expression has {} bytes, at most {REGEX_BYTES_MAX} are taken",
                text.len()
            );
            return Err(Fault::new("regex_too_long", Span::new(start, self.at), message));
        }
        self.push(Token::Regex(text), start);
        Ok(true)
    }

    fn comparison(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let above = self.peek() == Some('>');
        self.at += 1;
        let inclusive = self.peek() == Some('=');
        self.at += usize::from(inclusive);
        let bound = self.bound(inclusive, |_| false)?;
        let Some(bound) = bound else {
            return Err(Fault::new(
                "value_missing",
                Span::new(start, self.at),
                "the comparison has no value",
            )
            .help("write the value directly behind it, such as field:>=10"));
        };
        let range = match above {
            true => Range { low: Some(bound), high: None },
            false => Range { low: None, high: Some(bound) },
        };
        self.push(Token::Range(range), start);
        Ok(())
    }

    fn range(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let Some((low, high)) = self.ends()? else {
            let span = Span::new(start, self.at.max(start + 1));
            return Err(Fault::new("range_syntax", span, "this is not a range").help(
                "write [1 TO 10], {1 TO 10} without the ends, [1 TO *]; for a text with a bracket use quotes",
            ));
        };
        let set = |bound: Bound| (bound.text != "*").then_some(bound);
        self.push(Token::Range(Range { low: set(low), high: set(high) }), start);
        Ok(())
    }

    /// Both ends of `[a TO b]`; `None` where it is something else.
    fn ends(&mut self) -> Result<Option<(Bound, Bound)>, Fault> {
        let inclusive = self.peek() == Some('[');
        let closes = |c: char| c == ']' || c == '}';
        self.at += 1;
        self.space();
        let low = self.bound(inclusive, closes)?;
        self.space();
        if bare(self.rest()) != "TO" {
            return Ok(None);
        }
        self.at += 2;
        self.space();
        let high = self.bound(false, closes)?;
        self.space();
        let inclusive = match self.peek() {
            Some(']') => true,
            Some('}') => false,
            _ => return Ok(None),
        };
        self.at += 1;
        let (Some(low), Some(high)) = (low, high) else { return Ok(None) };
        Ok(Some((low, Bound { inclusive, ..high })))
    }

    fn bound(
        &mut self,
        inclusive: bool,
        ends: impl Fn(char) -> bool,
    ) -> Result<Option<Bound>, Fault> {
        let (start, rest) = (self.at, self.rest());
        let (text, length) = if rest.starts_with('"') {
            quoted(rest, start)?
        } else {
            let length = rest
                .find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"') || ends(c))
                .unwrap_or(rest.len());
            too_long(length, Span::new(start, start + length))?;
            (rest[..length].to_owned(), length)
        };
        self.at += length;
        let span = Span::new(start, self.at);
        Ok((!text.is_empty()).then_some(Bound { text, inclusive, span }))
    }
}

/// The text in the quotes that `rest` begins with, and its length with them.
fn quoted(rest: &str, start: usize) -> Result<(String, usize), Fault> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                too_long(text.len(), Span::new(start, start + at))?;
                return Ok((text, at + 1));
            }
            '\\' => match chars.peek() {
                Some((_, next @ ('"' | '\\'))) => {
                    text.push(*next);
                    chars.next();
                }
                _ => text.push(c),
            },
            _ => text.push(c),
        }
    }
    Err(Fault::new(
        "quote_unclosed",
        Span::new(start, start + rest.len()),
        "the quote is not closed",
    )
    .help("write \\\" for a quote within quotes"))
}

fn too_long(length: usize, span: Span) -> Result<(), Fault> {
    if length > WORD_BYTES_MAX {
        let message = format!("the word has {length} bytes, at most {WORD_BYTES_MAX} are taken");
        return Err(Fault::new("word_too_long", span, message));
    }
    Ok(())
}

/// The text up to white space, a bracket or a quote.
fn bare(rest: &str) -> &str {
    let end = rest
        .find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"'))
        .unwrap_or(rest.len());
    &rest[..end]
}

/// Whether a word with colons is an IPv6 or MAC address, not a field and its value.
fn is_address(word: &str) -> bool {
    let address = word.split(['/', '%']).next().unwrap_or(word);
    let mac = || {
        word.len() == 17
            && word.split(':').all(|p| p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    address.parse::<Ipv6Addr>().is_ok() || mac()
}
