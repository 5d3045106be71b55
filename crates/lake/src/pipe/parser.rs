//! From the tokens of a pipe to its stages and expressions.

use crate::pipe::ast::{Compare, Kind, Literal, Named, Node, Operator};
use crate::pipe::lets::Let;
use crate::pipe::lexer::{Lexeme, Token, tokens};
use crate::pipe::refusals::{is_clause, no_operator, too_deep, unknown_word};
use crate::pipe::words::{self, Stage};
use crate::pipe::{DEPTH_MAX, NODES_MAX, PIPES_MAX, STAGES_MAX};
use crate::search::ast::Name;
use crate::search::fault::{Fault, Span};

/// A table and what is done with its rows, in order.
#[derive(Debug)]
pub struct Query {
    /// The table's name.
    pub table: Name,
    /// The words after it, with their places.
    pub stages: Vec<(Span, Box<dyn Stage>)>,
}

/// Reads a whole query.
///
/// # Errors
/// The first thing that is wrong.
pub fn parse(text: &str) -> Result<Query, Fault> {
    let lexemes = tokens(text)?;
    let (lets, visible) = (Vec::new(), 0);
    let (at, depth, nodes, stages, pipes) = (0, 0, 0, 0, 0);
    let mut parser = Parser { lexemes, at, depth, nodes, stages, pipes, lets, visible };
    parser.lets()?;
    let query = parser.query()?;
    match parser.peek() {
        Token::End => Ok(query),
        _ => Err(parser.unexpected("`|` and a word, or the end")),
    }
}

/// The tokens and how far they are read.
#[derive(Debug)]
pub struct Parser {
    lexemes: Vec<Lexeme>,
    pub(super) at: usize,
    depth: usize,
    pub(super) nodes: usize,
    stages: usize,
    pipes: usize,
    /// Names that `let` has given, and how many of them have a meaning here.
    pub(super) lets: Vec<Let>,
    pub(super) visible: usize,
}

impl Parser {
    /// The next token.
    pub fn peek(&self) -> &Token {
        self.lexemes.get(self.at).map_or(&Token::End, |lexeme| &lexeme.token)
    }

    /// The token that many after the next.
    pub(super) fn peek_at(&self, ahead: usize) -> &Token {
        self.lexemes.get(self.at + ahead).map_or(&Token::End, |lexeme| &lexeme.token)
    }

    /// Goes on behind the next token.
    pub(super) fn skip(&mut self) {
        self.take();
    }

    /// The next token's place.
    pub fn span(&self) -> Span {
        self.lexemes.get(self.at).or(self.lexemes.last()).map_or(Span::default(), |l| l.span)
    }

    /// The place of the token taken last.
    pub fn before(&self) -> Span {
        self.lexemes.get(self.at.saturating_sub(1)).map_or(Span::default(), |l| l.span)
    }

    fn take(&mut self) {
        self.at = (self.at + 1).min(self.lexemes.len());
    }

    /// Whether the sign is next.
    pub fn peek_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(next) if *next == sign)
    }

    /// Takes the sign if it is next.
    pub fn eat(&mut self, sign: &str) -> bool {
        let is = self.peek_sign(sign);
        if is {
            self.take();
        }
        is
    }

    /// Takes the word if it is next, whatever its case.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let is = self.is_word(word);
        if is {
            self.take();
        }
        is
    }

    /// Whether the word is next.
    pub fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(next) if next.eq_ignore_ascii_case(word))
    }

    /// Takes the sign.
    ///
    /// # Errors
    /// Something else is next.
    pub fn need(&mut self, sign: &str) -> Result<(), Fault> {
        if self.eat(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    /// Takes the word.
    ///
    /// # Errors
    /// Something else is next.
    pub fn need_word(&mut self, word: &str) -> Result<(), Fault> {
        if self.eat_word(word) { Ok(()) } else { Err(self.unexpected(&format!("`{word}`"))) }
    }

    /// What is next is not what was to come.
    pub fn unexpected(&self, wanted: &str) -> Fault {
        let found = match self.peek() {
            Token::End => "the end".to_owned(),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::Word(word) => format!("`{word}`"),
            Token::Text(_) => "a text".to_owned(),
            Token::Integer(_) | Token::Float(_) => "a number".to_owned(),
            Token::Time(_) => "a time span".to_owned(),
        };
        let message = format!("{wanted} was to come here, not {found}");
        Fault::new("syntax", self.span(), message)
    }

    /// A name: `time`, `src_endpoint.ip`, `unmapped["a b"]`, `['a b']`.
    ///
    /// # Errors
    /// Something else is next.
    pub fn name(&mut self) -> Result<Name, Fault> {
        let start = self.span();
        let mut text = match self.peek().clone() {
            Token::Word(word) => {
                self.take();
                word
            }
            Token::Sign("[") => String::new(),
            _ => return Err(self.unexpected("a name")),
        };
        while self.eat("[") {
            let Token::Text(part) = self.peek().clone() else {
                return Err(self.unexpected("a name in quotes"));
            };
            self.take();
            self.need("]")?;
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(&part);
        }
        Ok(Name { text, span: start.to(self.before()) })
    }

    /// A text in quotes.
    ///
    /// # Errors
    /// Something else is next.
    pub fn text(&mut self, wanted: &str) -> Result<String, Fault> {
        let Token::Text(text) = self.peek().clone() else { return Err(self.unexpected(wanted)) };
        self.take();
        Ok(text)
    }

    /// A whole number from 0 to `most`.
    ///
    /// # Errors
    /// Something else is next.
    pub fn count(&mut self, most: usize) -> Result<usize, Fault> {
        let Token::Integer(number) = *self.peek() else {
            return Err(self.unexpected("a whole number"));
        };
        let span = self.span();
        self.take();
        usize::try_from(number).ok().filter(|n| *n <= most).ok_or_else(|| {
            Fault::new("number_range", span, format!("the number is to be from 0 to {most}"))
        })
    }

    /// `one, two, ...` as `read` reads them.
    ///
    /// # Errors
    /// As `read`.
    pub fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut all = vec![read(self)?];
        while self.eat(",") {
            all.push(read(self)?);
        }
        Ok(all)
    }

    /// One level deeper for as long as `read` runs.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth >= DEPTH_MAX {
            return Err(too_deep(self.span()));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// `table | word ... | word ...`
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn query(&mut self) -> Result<Query, Fault> {
        let Query { table, mut stages } = self.source()?;
        while self.eat("|") {
            let span = self.span();
            self.counted(span)?;
            let Token::Word(word) = self.peek().clone() else {
                return Err(self.unexpected("a word such as `where`"));
            };
            let Some(known) = words::find(&word) else { return Err(unknown_word(&word, span)) };
            self.take();
            stages.push((span, (known.parse)(self)?));
        }
        Ok(Query { table, stages })
    }

    /// The name of a table.
    ///
    /// # Errors
    /// Something else is next.
    pub fn table(&mut self) -> Result<Name, Fault> {
        self.counted(self.span())?;
        self.name().map_err(|fault| fault.help("a query begins with a table: events"))
    }

    fn counted(&mut self, span: Span) -> Result<(), Fault> {
        self.stages += 1;
        if self.stages > STAGES_MAX {
            let message = format!("the query has more than {STAGES_MAX} words and tables");
            return Err(Fault::new("stages_too_many", span, message));
        }
        Ok(())
    }

    /// A query in parentheses.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn nested(&mut self) -> Result<Query, Fault> {
        let open = self.span();
        self.need("(")?;
        if self.pipes >= PIPES_MAX {
            let message = format!("pipes are nested deeper than {PIPES_MAX} levels");
            return Err(Fault::new("query_deep", open, message));
        }
        self.pipes += 1;
        let query = self.query()?;
        self.pipes -= 1;
        self.close(open)?;
        Ok(query)
    }

    fn close(&mut self, open: Span) -> Result<(), Fault> {
        match self.peek() {
            Token::End => Err(Fault::new("bracket_unclosed", open, "the bracket is not closed")),
            _ => self.need(")"),
        }
    }

    pub(super) fn node(&mut self, kind: Kind, span: Span) -> Result<Node, Fault> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let message = format!("the query has more than {NODES_MAX} values and operators");
            return Err(Fault::new("query_large", span, message));
        }
        let below = |nodes: &[Node]| nodes.iter().map(|n| n.depth).max().unwrap_or(0);
        let depth = 1 + match &kind {
            Kind::Call(_, nodes) | Kind::And(nodes) | Kind::Or(nodes) => below(nodes),
            Kind::Not(one) | Kind::Minus(one) => one.depth,
            Kind::Arithmetic(_, left, right) => left.depth.max(right.depth),
            Kind::Compare(_, left, right) => left.depth.max(below(right)),
            _ => 0,
        };
        // Chains of operators grow deep without any bracket.
        if depth > DEPTH_MAX * 4 {
            return Err(too_deep(span));
        }
        Ok(Node { kind, span, depth })
    }

    /// `name = expression`, or the expression alone.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn named(&mut self) -> Result<Named, Fault> {
        let start = self.at;
        if let Ok(name) = self.name()
            && self.eat("=")
        {
            return Ok(Named { name: Some(name), node: self.expression()? });
        }
        self.at = start;
        Ok(Named { name: None, node: self.expression()? })
    }

    /// An expression.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn expression(&mut self) -> Result<Node, Fault> {
        self.deeper(|parser| parser.chain("or", Kind::Or, |p| p.chain("and", Kind::And, Self::not)))
    }

    fn chain(
        &mut self,
        word: &str,
        kind: fn(Vec<Node>) -> Kind,
        read: impl Fn(&mut Self) -> Result<Node, Fault>,
    ) -> Result<Node, Fault> {
        let start = self.span();
        let first = read(self)?;
        if !self.is_word(word) {
            return Ok(first);
        }
        let mut all = vec![first];
        while self.eat_word(word) {
            all.push(read(self)?);
        }
        self.node(kind(all), start.to(self.before()))
    }

    fn not(&mut self) -> Result<Node, Fault> {
        let start = self.span();
        if self.eat_word("not") {
            let inner = self.deeper(Self::not)?;
            return self.node(Kind::Not(Box::new(inner)), start.to(self.before()));
        }
        self.compare()
    }

    fn compare(&mut self) -> Result<Node, Fault> {
        let left = self.sum()?;
        let Some(compare) = self.operator()? else { return Ok(left) };
        let right = match compare.operator {
            Operator::Between => {
                self.need("(")?;
                let low = self.sum()?;
                self.need("..")?;
                let high = self.sum()?;
                self.need(")")?;
                vec![low, high]
            }
            Operator::In if self.begins_pipe() => self.pipe_in()?.into_iter().collect(),
            Operator::In | Operator::InAlike | Operator::HasAny => {
                let open = self.span();
                self.need("(")?;
                let all = self.list(Self::expression)?;
                self.close(open)?;
                all
            }
            _ => vec![self.sum()?],
        };
        let span = left.span.to(self.before());
        self.node(Kind::Compare(compare, Box::new(left), right), span)
    }

    fn operator(&mut self) -> Result<Option<Compare>, Fault> {
        let span = self.span();
        let (text, word) = match self.peek() {
            Token::Sign(sign) => ((*sign).to_owned(), false),
            Token::Word(word) => (word.to_ascii_lowercase(), true),
            _ => return Ok(None),
        };
        let plain = text.strip_prefix('!').unwrap_or(&text);
        let operator = match plain {
            "==" | "=" if text != "=" => Operator::Equal,
            "=" => {
                return Err(
                    Fault::new("syntax", span, "`=` gives a name").help("compare with `==`")
                );
            }
            "=~" | "~" => Operator::Alike,
            "<" => Operator::Less,
            "<=" => Operator::LessEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterEqual,
            "in" => Operator::In,
            "in~" => Operator::InAlike,
            "has" => Operator::Has,
            "has_any" => Operator::HasAny,
            "contains" => Operator::Contains,
            "contains_cs" => Operator::ContainsExact,
            "startswith" => Operator::Starts,
            "endswith" => Operator::Ends,
            "between" => Operator::Between,
            "matches" => Operator::Matches,
            _ if word && !is_clause(&text) => return Err(no_operator(&text, span)),
            _ => return Ok(None),
        };
        self.take();
        if operator == Operator::Matches {
            self.need_word("regex")?;
        }
        Ok(Some(Compare { operator, negated: text.starts_with('!') }))
    }

    fn sum(&mut self) -> Result<Node, Fault> {
        self.arithmetic(&["+", "-"], |p| p.arithmetic(&["*", "/", "%"], Self::unary))
    }

    fn arithmetic(
        &mut self,
        signs: &[&str],
        read: impl Fn(&mut Self) -> Result<Node, Fault>,
    ) -> Result<Node, Fault> {
        let mut left = read(self)?;
        loop {
            let Some(sign) = signs.iter().find(|sign| self.eat(sign)) else { return Ok(left) };
            let right = read(self)?;
            let span = left.span.to(self.before());
            let sign = sign.chars().next().unwrap_or('+');
            left = self.node(Kind::Arithmetic(sign, Box::new(left), Box::new(right)), span)?;
        }
    }

    fn unary(&mut self) -> Result<Node, Fault> {
        let start = self.span();
        if self.eat("-") {
            let inner = self.deeper(Self::unary)?;
            return self.node(Kind::Minus(Box::new(inner)), start.to(self.before()));
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Node, Fault> {
        let start = self.span();
        let literal = match self.peek().clone() {
            Token::Text(text) => Literal::Text(text),
            Token::Integer(number) => Literal::Integer(number),
            Token::Float(number) => Literal::Float(number),
            Token::Time(micros) => Literal::Span(micros),
            Token::Word(word) if word.eq_ignore_ascii_case("true") => Literal::Truth(true),
            Token::Word(word) if word.eq_ignore_ascii_case("false") => Literal::Truth(false),
            Token::Word(word) if word.eq_ignore_ascii_case("null") => Literal::Null,
            Token::Word(_) | Token::Sign("[") => return self.field_or_call(),
            Token::Sign("*") => {
                self.take();
                return self.node(Kind::Star, start);
            }
            Token::Sign("(") => {
                self.take();
                let inner = self.expression()?;
                self.close(start)?;
                return Ok(inner);
            }
            _ => return Err(self.unexpected("a value")),
        };
        self.take();
        self.node(Kind::Literal(literal), start)
    }

    fn field_or_call(&mut self) -> Result<Node, Fault> {
        let name = self.name()?;
        let open = self.span();
        if !self.eat("(") {
            if let Some(value) = self.let_value(&name)? {
                return Ok(value);
            }
            let span = name.span;
            return self.node(Kind::Field(name), span);
        }
        let arguments = match self.eat(")") {
            true => Vec::new(),
            false => {
                let all = self.list(Self::expression)?;
                self.close(open)?;
                all
            }
        };
        let span = name.span.to(self.before());
        self.node(Kind::Call(name, arguments), span)
    }
}
