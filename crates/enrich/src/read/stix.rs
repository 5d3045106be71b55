//! STIX 2.1 patterns (section 9) that say one thing or one of several.
//!
//! Read are comparisons with `=`, `IN` and, for addresses, `ISSUBSET`, joined by `OR`, also of
//! several observations. `AND` is read only between hashes of one file, each of which names the
//! file alone. Whatever else a pattern may ask is refused with the reason.

use crate::refusal::Refusal;

/// Longest pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 64 * 1024;

/// Deepest nesting of parentheses.
const DEPTH_MAX: usize = 32;

/// One comparison.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Term {
    /// The value that is looked for.
    Value(String),
    /// A path that is not, and why.
    Refused(Refusal, String),
}

/// Reads a pattern.
///
/// # Errors
/// Why it cannot be taken as a whole.
pub(super) fn pattern(text: &str) -> Result<Vec<Term>, Refusal> {
    if text.len() > PATTERN_BYTES_MAX {
        return Err(Refusal::TooLong);
    }
    let mut reader = Reader { rest: text, depth: 0 };
    let mut terms = Vec::new();
    reader.observations(&mut terms)?;
    match reader.peek() {
        None => Ok(terms),
        Some(_) => Err(Refusal::PatternSyntax),
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// The next character that is no white space.
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn eat(&mut self, token: char) -> bool {
        let there = self.peek() == Some(token);
        if there {
            self.rest = &self.rest[token.len_utf8()..];
        }
        there
    }

    /// The next word, in upper case, without taking it.
    fn word(&mut self) -> String {
        self.peek();
        let end = self.rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.rest.len());
        self.rest[..end].to_ascii_uppercase()
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let there = self.word() == word;
        if there {
            self.rest = &self.rest[word.len()..];
        }
        there
    }

    fn deeper(&mut self) -> Result<(), Refusal> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(Refusal::PatternSyntax) } else { Ok(()) }
    }

    fn observations(&mut self, terms: &mut Vec<Term>) -> Result<(), Refusal> {
        loop {
            if self.eat('(') {
                self.deeper()?;
                self.observations(terms)?;
                self.depth -= 1;
                self.close(')')?;
            } else {
                if !self.eat('[') {
                    return Err(Refusal::PatternSyntax);
                }
                self.comparisons(terms)?;
                self.close(']')?;
            }
            match self.word().as_str() {
                "" => return Ok(()),
                "OR" => {
                    self.eat_word("OR");
                }
                "AND" => return Err(Refusal::PatternAnd),
                "FOLLOWEDBY" | "WITHIN" | "REPEATS" | "START" => {
                    return Err(Refusal::PatternQualifier);
                }
                _ => return Err(Refusal::PatternSyntax),
            }
        }
    }

    fn close(&mut self, token: char) -> Result<(), Refusal> {
        if self.eat(token) { Ok(()) } else { Err(Refusal::PatternSyntax) }
    }

    fn comparisons(&mut self, terms: &mut Vec<Term>) -> Result<(), Refusal> {
        let from = terms.len();
        let (mut both, mut hashes) = (false, true);
        loop {
            if self.eat('(') {
                self.deeper()?;
                self.comparisons(terms)?;
                self.depth -= 1;
                self.close(')')?;
                hashes = false;
            } else {
                hashes &= self.comparison(terms)?;
            }
            match self.word().as_str() {
                "" => break,
                "OR" => {
                    self.eat_word("OR");
                }
                "AND" => {
                    self.eat_word("AND");
                    both = true;
                }
                _ => return Err(Refusal::PatternSyntax),
            }
        }
        if both && !hashes {
            terms.truncate(from);
            return Err(Refusal::PatternAnd);
        }
        Ok(())
    }

    /// One comparison; whether it is of a hash.
    fn comparison(&mut self, terms: &mut Vec<Term>) -> Result<bool, Refusal> {
        if self.eat_word("NOT") {
            return Err(Refusal::PatternOperator);
        }
        let path = self.path()?;
        if self.eat_word("NOT") {
            return Err(Refusal::PatternOperator);
        }
        let mut values = Vec::new();
        if self.eat('=') {
            self.eat('=');
            values.push(self.literal()?);
        } else if self.eat_word("IN") {
            self.close('(')?;
            loop {
                values.push(self.literal()?);
                if !self.eat(',') {
                    break;
                }
            }
            self.close(')')?;
        } else if self.eat_word("ISSUBSET") {
            values.push(self.literal()?);
        } else {
            return Err(match self.peek() {
                Some('!' | '<' | '>') => Refusal::PatternOperator,
                Some(c) if c.is_ascii_alphabetic() => Refusal::PatternOperator,
                _ => Refusal::PatternSyntax,
            });
        }
        let aim = Aim::of(path);
        for value in values {
            terms.push(match aim {
                Aim::Value | Aim::Hash => Term::Value(value),
                Aim::OtherHash => Term::Refused(Refusal::TypeUnsupported, path.to_owned()),
                Aim::Other => Term::Refused(Refusal::PatternObject, path.to_owned()),
            });
        }
        Ok(matches!(aim, Aim::Hash | Aim::OtherHash))
    }

    /// An object path: up to white space or an operator outside quotes and brackets.
    fn path(&mut self) -> Result<&'a str, Refusal> {
        self.peek();
        let (mut quoted, mut index) = (false, false);
        let end = self.rest.char_indices().find(|(_, c)| {
            match c {
                '\'' => quoted = !quoted,
                '[' if !quoted => index = true,
                ']' if !quoted && index => {
                    index = false;
                    return false;
                }
                _ => {}
            }
            !quoted && !index && (c.is_whitespace() || matches!(c, '=' | '!' | '<' | '>' | ']'))
        });
        let end = end.map_or(self.rest.len(), |(at, _)| at);
        let (path, rest) = self.rest.split_at(end);
        self.rest = rest;
        if path.contains(':') { Ok(path) } else { Err(Refusal::PatternSyntax) }
    }

    /// A literal as text: `'...'` with `\'` and `\\`, or a number.
    fn literal(&mut self) -> Result<String, Refusal> {
        if !self.eat('\'') {
            let end = self.rest.find([' ', ']', ')', ',']).unwrap_or(self.rest.len());
            let (word, rest) = self.rest.split_at(end);
            self.rest = rest;
            return if word.is_empty() { Err(Refusal::PatternSyntax) } else { Ok(word.to_owned()) };
        }
        let mut out = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => out.extend(chars.next().map(|(_, c)| c)),
                '\'' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(out);
                }
                c => out.push(c),
            }
        }
        Err(Refusal::PatternSyntax)
    }
}

/// What an object path aims at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    Value,
    Hash,
    OtherHash,
    Other,
}

impl Aim {
    fn of(path: &str) -> Self {
        let lower = path.to_ascii_lowercase();
        let (_, property) = lower.split_once(':').unwrap_or(("", ""));
        let segments: Vec<&str> = property.split('.').collect();
        if let Some(at) = segments.iter().position(|segment| *segment == "hashes") {
            let algorithm = segments[at + 1..].join(".").replace(['\'', '-', '_', '"'], "");
            return match algorithm.as_str() {
                "md5" | "sha1" | "sha256" | "sha512" => Self::Hash,
                _ => Self::OtherHash,
            };
        }
        match lower.as_str() {
            "ipv4-addr:value"
            | "ipv6-addr:value"
            | "domain-name:value"
            | "url:value"
            | "email-addr:value"
            | "network-traffic:src_ref.value"
            | "network-traffic:dst_ref.value"
            | "email-message:from_ref.value"
            | "email-message:sender_ref.value" => Self::Value,
            _ => Self::Other,
        }
    }
}
