//! `take`: some rows.

use super::top::ROWS_MAX;
use super::{Stage, Word};
use crate::pipe::frame::Frame;
use crate::pipe::scope::Env;
use crate::search::fault::{Fault, Span};

pub const WORD: Word = Word {
    name: "take",
    aliases: &["limit"],
    syntax: "take number",
    doc: "So many rows and no more; which ones is left open unless they are sorted before.",
    examples: &["events | sort by time asc | take 2 | project time, src_ip"],
    parse: |parser| Ok(Box::new(Take(parser.count(ROWS_MAX)?))),
};

#[derive(Debug)]
struct Take(usize);

impl Stage for Take {
    fn lower(&self, frame: Frame, _: &mut Env, span: Span) -> Result<Frame, Fault> {
        frame.then(span, |plan| plan.limit(0, Some(self.0)))
    }
}
