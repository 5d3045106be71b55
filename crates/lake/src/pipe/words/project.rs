//! `project`: the columns that go on, in order and under other names.

use super::{Stage, Word, values};
use crate::pipe::ast::Named;
use crate::pipe::frame::Frame;
use crate::pipe::parser::Parser;
use crate::pipe::scope::Env;
use crate::search::fault::{Fault, Span};

pub const WORD: Word = Word {
    name: "project",
    aliases: &[],
    syntax: "project column, name = expression, ...",
    doc: "Keeps these columns, in this order. A field keeps the name it is written by; `name = ` \
          gives another, or one to an expression.",
    examples: &[
        r#"events | where dst_port == 22 | project time, from = src_endpoint.ip, port = dst_port, well_known = dst_port < 1024 | sort by time asc"#,
    ],
    parse: |parser| Ok(Box::new(Project(parser.list(Parser::named)?))),
};

#[derive(Debug)]
struct Project(Vec<Named>);

impl Stage for Project {
    fn lower(&self, frame: Frame, env: &mut Env, span: Span) -> Result<Frame, Fault> {
        let columns = values(&frame, env, &self.0)?;
        frame.select(span, columns)
    }
}
