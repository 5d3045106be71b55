//! From the text of a pipe to its tokens.

use crate::pipe::PIPE_BYTES_MAX;
use crate::search::fault::{Fault, Span};
use yagura_event::Micros;
use yagura_event::time::DAY;

/// What a token is.
#[derive(Clone, PartialEq, Debug)]
pub enum Token {
    /// A word, or several with dots between.
    Word(String),
    /// A text in quotes, with quotes and escapes removed.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a point.
    Float(f64),
    /// A number with a unit of time, in microseconds.
    Time(Micros),
    /// `==`, `|`, `!has` and their like.
    Sign(&'static str),
    /// After the last.
    End,
}

/// A token with its place.
#[derive(Clone, PartialEq, Debug)]
pub struct Lexeme {
    /// What.
    pub token: Token,
    /// Where.
    pub span: Span,
}

/// Longer signs come before those they begin with.
const SIGNS: &[&str] = &[
    "==", "=~", "!=", "!~", "<=", ">=", "..", "|", "(", ")", ",", ":", "=", "<", ">", "+", "-",
    "*", "/", "%", "[", "]", ";",
];

/// Comparisons that are written with a `!` before the word.
const NEGATED: &[&str] = &[
    "!has_any",
    "!has",
    "!contains_cs",
    "!contains",
    "!startswith",
    "!endswith",
    "!between",
    "!in~",
    "!in",
    "!matches",
];

/// The words that have a hyphen, which is else a minus.
const HYPHENED: &[(&str, &str)] =
    &[("mv", "expand"), ("make", "series"), ("project", "away"), ("project", "rename")];

/// The tokens of `text`, [`Token::End`] last.
///
/// # Errors
/// Text that is too long, quotes that are not closed, signs and numbers that are none.
pub fn tokens(text: &str) -> Result<Vec<Lexeme>, Fault> {
    if text.len() > PIPE_BYTES_MAX {
        let message = format!("the query has {} bytes, at most {PIPE_BYTES_MAX}", text.len());
        return Err(Fault::new("query_long", Span::new(0, 1), message));
    }
    let mut lexer = Lexer { text, at: 0, out: Vec::new() };
    while lexer.next()? {}
    lexer.out.push(Lexeme { token: Token::End, span: Span::new(text.len(), text.len()) });
    Ok(lexer.out)
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    out: Vec<Lexeme>,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, token: Token, length: usize) {
        let span = Span::new(self.at, self.at + length);
        self.out.push(Lexeme { token, span });
        self.at = span.end;
    }

    /// Takes the next token; false at the end.
    fn next(&mut self) -> Result<bool, Fault> {
        self.at += self.rest().len() - self.rest().trim_start().len();
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(false) };
        if rest.starts_with("//") {
            self.at += rest.find('\n').unwrap_or(rest.len());
        } else if first == '"' || first == '\'' {
            self.quoted(first)?;
        } else if rest.starts_with("@\"") || rest.starts_with("@'") {
            self.verbatim()?;
        } else if first.is_ascii_digit() {
            self.number()?;
        } else if begins_word(first) {
            let length = word_length(rest);
            self.push(Token::Word(rest[..length].to_owned()), length);
            if rest[..length].eq_ignore_ascii_case("datetime") {
                self.moment()?;
            } else if self.rest().starts_with('~') && rest[..length].eq_ignore_ascii_case("in") {
                self.out.pop();
                self.at -= length;
                self.push(Token::Sign("in~"), length + 1);
            }
        } else {
            self.sign(first)?;
        }
        Ok(true)
    }

    /// `(2026-11-22T10:00:00Z)`, which is a text without quotes.
    fn moment(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        let blank = rest.len() - rest.trim_start().len();
        let Some(inner) = rest.trim_start().strip_prefix('(') else { return Ok(()) };
        if inner.trim_start().starts_with(['"', '\'']) {
            return Ok(());
        }
        self.at += blank;
        let open = Span::new(self.at, self.at + 1);
        let Some(length) = inner.find(')') else {
            return Err(Fault::new("bracket_unclosed", open, "the bracket is not closed"));
        };
        self.push(Token::Sign("("), 1);
        self.push(Token::Text(inner[..length].trim().to_owned()), length);
        self.push(Token::Sign(")"), 1);
        Ok(())
    }

    fn sign(&mut self, first: char) -> Result<(), Fault> {
        let rest = self.rest();
        let lower: String = rest.chars().take(16).collect::<String>().to_ascii_lowercase();
        let after = |sign: &str| lower[sign.len()..].chars().next();
        let whole = |sign: &&&str| {
            lower.starts_with(**sign)
                && !after(sign).is_some_and(|c| c == '_' || c.is_alphanumeric())
        };
        if let Some(sign) = NEGATED.iter().find(whole) {
            self.push(Token::Sign(sign), sign.len());
            return Ok(());
        }
        if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            self.push(Token::Sign(sign), sign.len());
            return Ok(());
        }
        let span = Span::new(self.at, self.at + first.len_utf8());
        let fault = Fault::new("sign_unknown", span, format!("`{first}` means nothing here"));
        Err(match first {
            '!' => fault.help("write != !~ !in !has !contains !startswith !endswith or not(...)"),
            '&' => fault.help("write `and`"),
            _ => fault.help("text goes into quotes"),
        })
    }

    fn quoted(&mut self, quote: char) -> Result<(), Fault> {
        let rest = self.rest();
        let mut text = String::new();
        let mut chars = rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, c @ ('\\' | '"' | '\''))) => text.push(c),
                    Some((_, other)) => {
                        let span = Span::new(self.at + at, self.at + at + 1 + other.len_utf8());
                        let message = format!("`\\{other}` is no escape");
                        return Err(Fault::new("escape_unknown", span, message)
                            .help("write \\\\ for a backslash, or @\"...\" for text as it is"));
                    }
                    None => break,
                },
                c if c == quote => {
                    self.push(Token::Text(text), at + 1);
                    return Ok(());
                }
                c => text.push(c),
            }
        }
        Err(self.unclosed())
    }

    fn verbatim(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        let quote = rest.as_bytes().get(1).copied().map_or('"', char::from);
        let mut text = String::new();
        let mut chars = rest.char_indices().skip(2).peekable();
        while let Some((at, c)) = chars.next() {
            if c != quote {
                text.push(c);
            } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
                text.push(quote);
            } else {
                self.push(Token::Text(text), at + 1);
                return Ok(());
            }
        }
        Err(self.unclosed())
    }

    fn unclosed(&self) -> Fault {
        let span = Span::new(self.at, self.text.len());
        Fault::new("quote_unclosed", span, "the quote is not closed")
    }

    fn number(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let whole = digits(rest);
        let part = match rest[whole..].strip_prefix('.') {
            Some(after) if digits(after) > 0 => 1 + digits(after),
            _ => 0,
        };
        let length = whole + part;
        let unit_length =
            rest[length..].bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        let (number, unit) = (&rest[..length], &rest[length..length + unit_length]);
        let span = Span::new(self.at, self.at + length + unit_length);
        let wrong =
            |what: &str| Fault::new("number_invalid", span, format!("`{number}{unit}` {what}"));
        let token = match unit {
            "" if part > 0 => {
                number.parse().map(Token::Float).map_err(|_| wrong("is no number"))?
            }
            "" => Token::Integer(number.parse().map_err(|_| wrong("does not fit into 64 bits"))?),
            unit => {
                let scale = unit_micros(unit).ok_or_else(|| {
                    wrong("is no number")
                        .help("times end with d, h, m, s, ms or us; text goes into quotes")
                })?;
                let micros = number.parse::<f64>().unwrap_or(f64::INFINITY) * scale as f64;
                // A thousand years and more are no span of logs.
                if micros > 365_250.0 * DAY as f64 {
                    return Err(wrong("is too long a time"));
                }
                Token::Time(micros.round() as Micros)
            }
        };
        self.push(token, length + unit_length);
        Ok(())
    }
}

/// Microseconds of a unit of time.
fn unit_micros(unit: &str) -> Option<Micros> {
    Some(match unit {
        "us" | "microsecond" => 1,
        "ms" => 1_000,
        _ => return crate::search::time::unit(unit),
    })
}

fn begins_word(c: char) -> bool {
    c == '_' || c == '$' || c.is_alphabetic()
}

/// Bytes of the word with dots that the text begins with; two dots are a sign of their own.
fn word_length(text: &str) -> usize {
    let mut length = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let dot = c == '.'
            && at > 0
            && chars.peek().is_some_and(|(_, next)| *next == '_' || next.is_alphanumeric());
        let hyphen = c == '-'
            && HYPHENED.iter().any(|(before, after)| {
                text[..at].eq_ignore_ascii_case(before) && text[at + 1..].starts_with(after)
            });
        if !(begins_word(c) || c.is_alphanumeric() || dot || hyphen) {
            break;
        }
        length = at + c.len_utf8();
    }
    length
}
