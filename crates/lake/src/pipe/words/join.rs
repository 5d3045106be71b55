//! `join`: rows beside the rows of another pipe that have the same values.

use super::{Stage, Word};
use crate::pipe::compare::pair;
use crate::pipe::fieldwise;
use crate::pipe::frame::{Frame, FrameColumn, Value};
use crate::pipe::parser::{Parser, Query};
use crate::pipe::run::lower;
use crate::pipe::scope::Env;
use crate::search::ast::Name;
use crate::search::fault::{Fault, Span, nearest};
use datafusion::common::JoinType;

pub const WORD: Word = Word {
    name: "join",
    aliases: &[],
    syntax: "join kind=inner|leftouter|leftsemi|leftanti (pipe) on column, $left.a == $right.b",
    doc: "Puts each row beside the rows of the pipe in brackets that have the same value. `inner`, \
          which is meant where nothing is written, keeps pairs; `leftouter` also rows without one; \
          `leftsemi` and `leftanti` only rows of the left that have one or have none. A column of \
          the right whose name the left has gets a `1` behind it. No value is equal to no value.",
    examples: &[
        r#"events | join kind=inner (matches | project rule, event) on $left.event_id == $right.event | project time, rule, src_ip"#,
        r#"events | distinct src_ip | join kind=leftanti (events | where dst_port == 22 | distinct src_ip) on src_ip | sort by src_ip asc"#,
    ],
    parse,
};

const KINDS: &[(&str, JoinType)] = &[
    ("inner", JoinType::Inner),
    ("leftouter", JoinType::Left),
    ("leftsemi", JoinType::LeftSemi),
    ("leftanti", JoinType::LeftAnti),
];

#[derive(Debug)]
struct Join {
    kind: JoinType,
    right: Query,
    on: Vec<(Name, Name)>,
}

fn parse(parser: &mut Parser) -> Result<Box<dyn Stage>, Fault> {
    let mut kind = JoinType::Inner;
    if parser.eat_word("kind") {
        parser.need("=")?;
        let name = parser.name()?;
        let found = KINDS.iter().find(|(known, _)| name.text.eq_ignore_ascii_case(known));
        kind = found.map(|(_, kind)| *kind).ok_or_else(|| {
            let message = format!("there is no kind `{}` of join", name.text);
            let fault = Fault::new("join_kind", name.span, message);
            match nearest(&name.text, KINDS.iter().map(|(known, _)| *known)) {
                Some(near) => fault.help(format!("did you mean `{near}`?")),
                None => fault.help("write inner, leftouter, leftsemi or leftanti"),
            }
        })?;
    }
    let right = parser.nested()?;
    parser.need_word("on")?;
    let mut on = vec![key(parser)?];
    while parser.eat(",") || parser.eat_word("and") {
        on.push(key(parser)?);
    }
    Ok(Box::new(Join { kind, right, on }))
}

/// `column`, or `$left.a == $right.b` either way round.
fn key(parser: &mut Parser) -> Result<(Name, Name), Fault> {
    let first = parser.name()?;
    if !parser.eat("==") {
        return Ok((first.clone(), first));
    }
    let second = parser.name()?;
    let side = |name: &Name, side: &str| {
        let text = name.text.strip_prefix(side)?.to_owned();
        Some(Name { text, span: name.span })
    };
    let pairs = [(&first, &second), (&second, &first)];
    let found = pairs.iter().find_map(|(l, r)| Some((side(l, "$left.")?, side(r, "$right.")?)));
    found.ok_or_else(|| {
        let span = first.span.to(second.span);
        Fault::new("join_key", span, "a column of each side was to come here")
            .help("write $left.a == $right.b, or one name that both have")
    })
}

/// A name that no column can have been given.
fn hidden(at: usize) -> String {
    format!("\u{2}{at}")
}

impl Stage for Join {
    fn lower(&self, frame: Frame, env: &mut Env, span: Span) -> Result<Frame, Fault> {
        let right = lower(&self.right, env)?;
        let one = |frame: &Frame, name: &Name| match fieldwise::fields(frame, name)?.as_slice() {
            [one] => Ok(one.clone()),
            _ => Err(Fault::new("field_several", name.span, "it stands for several columns")),
        };
        let mut lefts = Vec::new();
        let mut rights = Vec::new();
        for (at, (l, r)) in self.on.iter().enumerate() {
            let (l_value, r_value) = pair(one(&frame, l)?, one(&right, r)?, l.span.to(r.span))?;
            if !l_value.kind.is_single() {
                return Err(Fault::new("value_kind", l.span, "lists cannot be joined by"));
            }
            frame.parts(&l_value.expr, l.span)?;
            lefts.push(l_value.expr);
            rights.push((format!("\u{2}key{at}"), r_value));
        }
        // Under names of their own no column of the right is taken for one of the left.
        let kept = right.columns.clone();
        let mut renamed = rights;
        let keys: Vec<String> = renamed.iter().map(|(name, _)| name.clone()).collect();
        renamed.extend(right.columns.iter().enumerate().map(|(at, c)| (hidden(at), c.value())));
        let right_events = right.events;
        let right = right.select(span, renamed)?;
        let both = lefts.into_iter().zip(keys);
        let on: Vec<_> = both.map(|(left, key)| left.eq(Value::column(&key))).collect();
        let left_columns = frame.all();
        let events = frame.events;
        let plan = right.plan;
        let joined = frame.then(span, |left| left.join_on(plan, self.kind, on))?;
        if matches!(self.kind, JoinType::LeftSemi | JoinType::LeftAnti) {
            return Ok(joined);
        }
        let columns = beside(left_columns, &kept);
        let known = joined.columns.iter().cloned().chain(right.columns).collect();
        Frame { columns: known, events: events || right_events, ..joined }.select(span, columns)
    }
}

/// The left's columns and then the right's, those of a name that is taken with a number.
fn beside(mut columns: Vec<(String, Value)>, right: &[FrameColumn]) -> Vec<(String, Value)> {
    for (at, column) in right.iter().enumerate() {
        let taken = |name: &str| {
            columns.iter().any(|(known, _)| known == name)
                || right.iter().skip(at + 1).any(|other| other.name == name)
        };
        let mut name = column.name.clone();
        let mut number = 1;
        while columns.iter().any(|(known, _)| *known == name) || (number > 1 && taken(&name)) {
            name = format!("{}{number}", column.name);
            number += 1;
        }
        let clash = columns.iter().any(|(_, v)| v.origin.is_some() && v.origin == column.origin);
        let origin = column.origin.filter(|_| !clash);
        let expr = Value::column(&hidden(at));
        columns.push((name, Value { expr, kind: column.kind.clone(), origin }));
    }
    columns
}
