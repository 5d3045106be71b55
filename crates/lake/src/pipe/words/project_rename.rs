//! `project-rename`: columns under other names.

use super::{Stage, Word};
use crate::pipe::frame::Frame;
use crate::pipe::parser::Parser;
use crate::pipe::scope::Env;
use crate::search::ast::Name;
use crate::search::fault::{Fault, Span};

pub const WORD: Word = Word {
    name: "project-rename",
    aliases: &[],
    syntax: "project-rename new = column, ...",
    doc: "Gives columns other names and keeps all of them, in their order.",
    examples: &[
        "events | project time, src_ip, dst_ip | project-rename from = src_ip, to = dst_ip | top 1 by time",
    ],
    parse: |parser| Ok(Box::new(Rename(parser.list(pair)?))),
};

#[derive(Debug)]
struct Rename(Vec<(Name, Name)>);

fn pair(parser: &mut Parser) -> Result<(Name, Name), Fault> {
    let new = parser.name()?;
    parser.need("=")?;
    Ok((new, parser.name()?))
}

impl Stage for Rename {
    fn lower(&self, frame: Frame, _: &mut Env, span: Span) -> Result<Frame, Fault> {
        let mut columns = frame.all();
        for (new, old) in &self.0 {
            let name = frame.named(old).ok_or_else(|| frame.unknown(old))?.name.clone();
            // By the names before: two may change places.
            let at = frame.columns.iter().position(|column| column.name == name);
            if let Some(place) = at.and_then(|at| columns.get_mut(at)) {
                place.0.clone_from(&new.text);
            }
        }
        frame.select(span, columns)
    }
}
