//! `where`: rows that pass a condition.

use super::{Stage, Word};
use crate::pipe::ast::Node;
use crate::pipe::frame::Frame;
use crate::pipe::scope::{Env, Scope};
use crate::search::fault::{Fault, Span};

pub const WORD: Word = Word {
    name: "where",
    aliases: &["filter"],
    syntax: "where condition",
    doc: "Keeps the rows for which the condition holds. A short name of several columns, such as \
          `ip`, `user` or `port`, passes where any of them does.",
    examples: &[
        r#"events | where src_endpoint.ip == "10.1.2.3" and dst_port < 1024 | project time, dst_endpoint.hostname, dst_port | sort by time asc"#,
        r#"events | where raw_data has "failed" and time between (datetime(2026-11-22 10:00) .. datetime(2026-11-22 11:00)) | project time, user = actor_user_name"#,
        r#"events | where ip == "10.1.2.4" | count"#,
        r#"events | where dst_port == 443 and src_ip in (events | where dst_port == 25 or dst_port == 443 | summarize ports = dcount(dst_port) by src_ip | project src_ip) | count"#,
    ],
    parse: |parser| Ok(Box::new(Where(parser.expression()?))),
};

#[derive(Debug)]
struct Where(Node);

impl Stage for Where {
    fn lower(&self, frame: Frame, env: &mut Env, _: Span) -> Result<Frame, Fault> {
        let mut scope = Scope::new(env, &frame);
        scope.pipes = true;
        let condition = scope.condition(&self.0)?;
        frame.filter(self.0.span, condition)
    }
}
