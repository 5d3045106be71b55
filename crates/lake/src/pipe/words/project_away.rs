//! `project-away`: columns that go no further.

use super::{Stage, Word};
use crate::pipe::frame::Frame;
use crate::pipe::parser::Parser;
use crate::pipe::scope::Env;
use crate::search::ast::Name;
use crate::search::fault::{Fault, Span};

pub const WORD: Word = Word {
    name: "project-away",
    aliases: &[],
    syntax: "project-away column, ...",
    doc: "Drops these columns and keeps the others.",
    examples: &["events | project time, src_ip, dst_ip | project-away dst_ip | top 1 by time"],
    parse: |parser| Ok(Box::new(Away(parser.list(Parser::name)?))),
};

#[derive(Debug)]
struct Away(Vec<Name>);

impl Stage for Away {
    fn lower(&self, frame: Frame, _: &mut Env, span: Span) -> Result<Frame, Fault> {
        let mut dropped = Vec::new();
        for name in &self.0 {
            dropped.push(frame.named(name).ok_or_else(|| frame.unknown(name))?.name.clone());
        }
        let kept: Vec<_> =
            frame.all().into_iter().filter(|(name, _)| !dropped.contains(name)).collect();
        if kept.is_empty() {
            return Err(Fault::new("columns_none", span, "no column is left"));
        }
        frame.select(span, kept)
    }
}
