//! The parser's words as ours, one for one.

use super::ast;
use crate::front::value::Mod;
use crate::ir::{Anchor, CmpOp, TimePart};
use crate::rule::{CountOp, RuleLogsource};
use yagura_event::Level;

pub(super) fn modifier(modifier: ast::Modifier) -> Mod {
    use ast::Modifier as M;
    match modifier {
        M::Contains => Mod::Anchor(Anchor::Within),
        M::StartsWith => Mod::Anchor(Anchor::Start),
        M::EndsWith => Mod::Anchor(Anchor::End),
        M::All => Mod::All,
        M::Base64 => Mod::Base64,
        M::Base64Offset => Mod::Base64Offset,
        M::Wide => Mod::Utf16Le,
        M::Utf16be => Mod::Utf16Be,
        M::Utf16 => Mod::Utf16,
        M::WindAsh => Mod::Windash,
        M::Re => Mod::Re,
        M::Cidr => Mod::Cidr,
        M::Cased => Mod::Cased,
        M::Exists => Mod::Exists,
        M::Expand => Mod::Expand,
        M::FieldRef => Mod::FieldRef,
        M::Gt => Mod::Compare(CmpOp::Gt),
        M::Gte => Mod::Compare(CmpOp::Gte),
        M::Lt => Mod::Compare(CmpOp::Lt),
        M::Lte => Mod::Compare(CmpOp::Lte),
        M::Neq => Mod::Neq,
        M::IgnoreCase => Mod::RegexFlag('i'),
        M::Multiline => Mod::RegexFlag('m'),
        M::DotAll => Mod::RegexFlag('s'),
        M::Minute => Mod::Time(TimePart::Minute),
        M::Hour => Mod::Time(TimePart::Hour),
        M::Day => Mod::Time(TimePart::Day),
        M::Week => Mod::Time(TimePart::Week),
        M::Month => Mod::Time(TimePart::Month),
        M::Year => Mod::Time(TimePart::Year),
    }
}

pub(super) fn count_op(op: ast::ConditionOperator) -> CountOp {
    match op {
        ast::ConditionOperator::Lt => CountOp::Lt,
        ast::ConditionOperator::Lte => CountOp::Lte,
        ast::ConditionOperator::Gt => CountOp::Gt,
        ast::ConditionOperator::Gte => CountOp::Gte,
        ast::ConditionOperator::Eq => CountOp::Eq,
        ast::ConditionOperator::Neq => CountOp::Neq,
    }
}

pub(super) fn level(level: Option<ast::Level>) -> Level {
    level.and_then(|level| Level::from_word(level.as_str())).unwrap_or_default()
}

pub(super) fn status(status: ast::Status) -> &'static str {
    match status {
        ast::Status::Stable => "stable",
        ast::Status::Test => "test",
        ast::Status::Experimental => "experimental",
        ast::Status::Deprecated => "deprecated",
        ast::Status::Unsupported => "unsupported",
    }
}

pub(super) fn logsource(logsource: &ast::LogSource) -> RuleLogsource {
    let clean = |text: &Option<String>| {
        text.as_deref().map(|t| t.trim().to_lowercase()).filter(|t| !t.is_empty())
    };
    RuleLogsource {
        product: clean(&logsource.product),
        service: clean(&logsource.service),
        category: clean(&logsource.category),
    }
}

pub(super) fn lower(tags: Vec<String>) -> Vec<String> {
    tags.into_iter().map(|tag| tag.trim().to_lowercase()).collect()
}
