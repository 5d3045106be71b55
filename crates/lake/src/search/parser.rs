//! From tokens to the tree: `OR` binds weakest, then `AND` (also where nothing stands), then `NOT`.
//!
//! ```text
//! or      = and { "OR" and }
//! and     = not { ["AND"] not }
//! not     = { "NOT" | "-" } primary
//! primary = "(" or ")" | field ":" value | field ":" "(" or-of-values ")" | word | phrase
//! ```

use crate::search::ast::{Name, Node, Term, Test};
use crate::search::fault::{Fault, Span};
use crate::search::lexer::{Token, tokens};

/// Deepest nesting of brackets. People write three; the limit keeps the stack.
pub const DEPTH_MAX: usize = 64;

/// Most conditions of a search. A list of indicators fits, and planning stays below a second.
pub const TERMS_MAX: usize = 1024;

/// Reads a search.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse(text: &str) -> Result<Node, Fault> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Ok(Node::All);
    }
    let end = Span::new(text.len(), text.len());
    let mut parser = Parser { tokens, at: 0, end, depth: 0, terms: 0 };
    let node = parser.or(None)?;
    match parser.peek() {
        None => Ok(node),
        Some(_) => {
            Err(Fault::new("bracket_unopened", parser.span(), "this bracket was not opened")
                .help("write it in quotes to search for it"))
        }
    }
}

struct Parser {
    tokens: Vec<(Token, Span)>,
    at: usize,
    end: Span,
    depth: usize,
    terms: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn span(&self) -> Span {
        self.tokens.get(self.at).map_or(self.end, |(_, span)| *span)
    }

    fn or(&mut self, field: Option<&Name>) -> Result<Node, Fault> {
        let mut parts = vec![self.and(field)?];
        while self.peek() == Some(&Token::Or) {
            self.at += 1;
            parts.push(self.and(field)?);
        }
        Ok(joined(parts, Node::Or))
    }

    fn and(&mut self, field: Option<&Name>) -> Result<Node, Fault> {
        let mut parts = vec![self.not(field)?];
        loop {
            match self.peek() {
                None | Some(Token::Or | Token::Close) => break,
                Some(Token::And) => self.at += 1,
                Some(_) => {}
            }
            parts.push(self.not(field)?);
        }
        Ok(joined(parts, Node::And))
    }

    fn not(&mut self, field: Option<&Name>) -> Result<Node, Fault> {
        let mut negated = false;
        while self.peek() == Some(&Token::Not) {
            negated = !negated;
            self.at += 1;
        }
        let node = self.primary(field)?;
        Ok(if negated { Node::Not(Box::new(node)) } else { node })
    }

    fn primary(&mut self, field: Option<&Name>) -> Result<Node, Fault> {
        let span = self.span();
        let Some((token, _)) = self.tokens.get(self.at).cloned() else {
            return Err(self.operand_missing(span));
        };
        self.at += 1;
        let test = match token {
            Token::Open => return self.group(field, span),
            Token::Field(text) => {
                let name = Name { text, span };
                if self.peek() == Some(&Token::Open) {
                    let open = self.span();
                    self.at += 1;
                    return self.group(Some(&name), open);
                }
                return self.primary(Some(&name));
            }
            Token::Word(pattern) => Test::Word(pattern),
            Token::Phrase(text) => Test::Phrase(text),
            Token::Regex(text) => Test::Regex(text),
            Token::Range(range) => Test::Range(range),
            Token::And | Token::Or | Token::Not | Token::Close => {
                self.at -= 1;
                return Err(self.operand_missing(span));
            }
        };
        self.terms += 1;
        if self.terms > TERMS_MAX {
            let message = format!("the query has more than {TERMS_MAX} conditions");
            return Err(Fault::new("terms_too_many", span, message));
        }
        Ok(Node::Term(Term { field: field.cloned(), test, span }))
    }

    fn group(&mut self, field: Option<&Name>, open: Span) -> Result<Node, Fault> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            let message = format!("brackets are nested deeper than {DEPTH_MAX}");
            return Err(Fault::new("nesting_too_deep", open, message));
        }
        if self.peek() == Some(&Token::Close) {
            let span = open.to(self.span());
            return Err(Fault::new("group_empty", span, "there is nothing in the brackets"));
        }
        let node = self.or(field)?;
        if self.peek() != Some(&Token::Close) {
            return Err(Fault::new("bracket_unclosed", open, "this bracket is not closed")
                .help("write it in quotes to search for it"));
        }
        self.at += 1;
        self.depth -= 1;
        Ok(node)
    }

    /// Something was to follow the operator before this place.
    fn operand_missing(&self, span: Span) -> Fault {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let (span, word) = match before {
            Some((Token::And, at)) => (*at, "AND"),
            Some((Token::Or, at)) => (*at, "OR"),
            Some((Token::Not, at)) => (*at, "NOT"),
            _ => match self.peek() {
                Some(Token::And) => (span, "AND"),
                Some(Token::Or) => (span, "OR"),
                Some(Token::Close) => {
                    return Fault::new("bracket_unopened", span, "this bracket was not opened")
                        .help("write it in quotes to search for it");
                }
                _ => (span, "NOT"),
            },
        };
        Fault::new("operand_missing", span, format!("`{word}` lacks a condition beside it"))
            .help(format!("to search for the word itself write \"{word}\""))
    }
}

fn joined(mut parts: Vec<Node>, join: fn(Vec<Node>) -> Node) -> Node {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            join(parts)
        }
    }
}
