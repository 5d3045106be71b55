//! `extend`: further columns beside those there are.

use super::{Stage, Word, set, values};
use crate::pipe::ast::Named;
use crate::pipe::frame::Frame;
use crate::pipe::parser::Parser;
use crate::pipe::scope::Env;
use crate::search::fault::{Fault, Span};

pub const WORD: Word = Word {
    name: "extend",
    aliases: &[],
    syntax: "extend name = expression, ...",
    doc: "Adds columns. One that is there under the same name is replaced. All expressions of one \
          `extend` see the columns before it.",
    examples: &[
        r#"events | extend kind = iff(cidr(dst_endpoint.ip, "10.0.0.0/8"), "inside", "outside") | summarize count() by kind | sort by kind asc"#,
        r#"events | where unmapped.LogonType == 3 | extend account = tolower(unmapped.TargetUserName) | project time, account"#,
    ],
    parse: |parser| Ok(Box::new(Extend(parser.list(Parser::named)?))),
};

#[derive(Debug)]
struct Extend(Vec<Named>);

impl Stage for Extend {
    fn lower(&self, frame: Frame, env: &mut Env, span: Span) -> Result<Frame, Fault> {
        let more = values(&frame, env, &self.0)?;
        let columns = set(frame.all(), more);
        frame.select(span, columns)
    }
}
