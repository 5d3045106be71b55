//! `top`: the first rows of an order.

use super::sort::{Key, key, order};
use super::{Stage, Word};
use crate::pipe::frame::Frame;
use crate::pipe::scope::Env;
use crate::search::fault::{Fault, Span};

/// Most rows of `top` and `take`; answers are cut far below.
pub const ROWS_MAX: usize = 10_000_000;

pub const WORD: Word = Word {
    name: "top",
    aliases: &[],
    syntax: "top number by column asc|desc, ...",
    doc: "The first rows of an order: `sort` and `take` in one, which remembers only so many rows.",
    examples: &[
        "events | summarize count() by dst_endpoint.ip | top 2 by count_, dst_endpoint.ip asc",
    ],
    parse: |parser| {
        let rows = parser.count(ROWS_MAX)?;
        parser.need_word("by")?;
        Ok(Box::new(Top { rows, keys: parser.list(key)? }))
    },
};

#[derive(Debug)]
struct Top {
    rows: usize,
    keys: Vec<Key>,
}

impl Stage for Top {
    fn lower(&self, frame: Frame, env: &mut Env, span: Span) -> Result<Frame, Fault> {
        let order = order(&frame, env, &self.keys)?;
        frame.then(span, |plan| plan.sort(order)?.limit(0, Some(self.rows)))
    }
}
