//! `let`: names for values and pipes, before the query that uses them.

use crate::pipe::NODES_MAX;
use crate::pipe::ast::{Kind, Node};
use crate::pipe::lexer::Token;
use crate::pipe::parser::{Parser, Query};
use crate::schema::TableKind;
use crate::search::ast::Name;
use crate::search::fault::Fault;

/// How `let` is written, for the documentation.
pub const SYNTAX: &str = "let name = expression; let name = pipe; ... query";

/// What it does, for the documentation.
pub const DOC: &str = "Gives a value or a pipe a name for what follows: one `let` after the other, each ended by `;`, \
     then the query. A named pipe stands where a table may stand, also within `in (...)`, and is \
     worked out anew each time; its words count each time. A name of a value hides a column of the \
     same name.";

/// Queries that show it.
pub const EXAMPLES: &[&str] = &[
    r#"let port = 443; let loud = events | summarize count() by src_ip | where count_ > 2; events | where dst_port == port and src_ip in (loud | project src_ip) | count"#,
];

/// What a name stands for.
#[derive(Debug)]
pub struct Let {
    name: String,
    what: What,
}

#[derive(Debug)]
enum What {
    /// A value, and the nodes of its tree.
    Value(Node, usize),
    /// A pipe: where its tokens begin, and whether a bracket is before them.
    Pipe { at: usize },
}

impl Parser {
    /// Every `let` before the query.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn lets(&mut self) -> Result<(), Fault> {
        while self.is_word("let") {
            self.skip();
            let name = self.name()?;
            if self.lets.iter().any(|known| known.name == name.text)
                || TableKind::ALL.iter().any(|kind| kind.name().eq_ignore_ascii_case(&name.text))
            {
                let message = format!("`{}` has a meaning already", name.text);
                return Err(Fault::new("let_twice", name.span, message).help("take another name"));
            }
            self.need("=")?;
            let at = self.at;
            let what = if self.begins_pipe() {
                // Read here for its faults, and again wherever it is used.
                let bracket = self.eat("(");
                self.query()?;
                if bracket {
                    self.need(")")?;
                }
                What::Pipe { at: at + usize::from(bracket) }
            } else {
                let before = self.nodes;
                let node = self.expression()?;
                What::Value(node, self.nodes - before)
            };
            self.need(";").map_err(|fault| fault.help("a `let` ends with `;`"))?;
            self.lets.push(Let { name: name.text, what });
            self.visible = self.lets.len();
        }
        Ok(())
    }

    /// Whether a pipe comes next, in brackets or not: a table or the name of a pipe.
    pub fn begins_pipe(&self) -> bool {
        let first = usize::from(self.peek_sign("("));
        let Token::Word(word) = self.peek_at(first) else { return false };
        let table = TableKind::ALL.iter().any(|kind| kind.name().eq_ignore_ascii_case(word));
        let follows = |sign: &str| matches!(self.peek_at(first + 1), Token::Sign(s) if *s == sign);
        let ends = follows("|") || follows(";") || (first == 1 && follows(")"));
        ends && (table || self.let_of(word).is_some_and(|(_, one)| one.is_pipe()))
    }

    /// A table, or the pipe that a name stands for.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn source(&mut self) -> Result<Query, Fault> {
        let name = self.table()?;
        let found = self.let_of(&name.text);
        let Some((number, Let { what: What::Pipe { at }, .. })) = found else {
            return Ok(Query { table: name, stages: Vec::new() });
        };
        let (number, at) = (number, *at);
        // Within the pipe only names given before it have a meaning, so no pipe contains itself.
        let back = (self.at, self.visible);
        (self.at, self.visible) = (at, number);
        let query = self.query();
        (self.at, self.visible) = back;
        query
    }

    /// The value that a name stands for.
    ///
    /// # Errors
    /// The query grows too large, or the name stands for a pipe.
    pub fn let_value(&mut self, name: &Name) -> Result<Option<Node>, Fault> {
        match self.let_of(&name.text) {
            None => Ok(None),
            Some((_, Let { what: What::Value(node, nodes), .. })) => {
                let (node, nodes) = (node.clone(), *nodes);
                self.nodes += nodes;
                if self.nodes > NODES_MAX {
                    let message =
                        format!("the query has more than {NODES_MAX} values and operators");
                    return Err(Fault::new("query_large", name.span, message));
                }
                Ok(Some(Node { span: name.span, ..node }))
            }
            Some((_, Let { what: What::Pipe { .. }, .. })) => {
                let message = format!("`{}` is a pipe, not a value", name.text);
                Err(Fault::new("let_pipe", name.span, message)
                    .help("use it as a table, or in `x in (name | project y)`"))
            }
        }
    }

    fn let_of(&self, name: &str) -> Option<(usize, &Let)> {
        let seen = self.lets.iter().take(self.visible).enumerate();
        seen.into_iter().find(|(_, known)| known.name == name)
    }

    /// A pipe in the brackets of `in (...)`, if there is one.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn pipe_in(&mut self) -> Result<Option<Node>, Fault> {
        if !self.begins_pipe() {
            return Ok(None);
        }
        let start = self.span();
        let query = self.nested()?;
        let span = start.to(self.before());
        self.node(Kind::Pipe(query.into()), span).map(Some)
    }
}

impl Let {
    fn is_pipe(&self) -> bool {
        matches!(self.what, What::Pipe { .. })
    }
}
