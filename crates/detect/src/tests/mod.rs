//! Tests of the whole crate on small rules and events.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod differential;
mod load;
mod real;
mod semantics;

use crate::{Hit, Matcher, RuleSet, Scratch};
use std::sync::Arc;
use yagura_event::batch::Text;
use yagura_event::{
    ClassUid, Context, Dimension, Event, EventBatch, EventId, FieldId, FieldTable,
    FieldTableBuilder, Logsource, LogsourceId, LogsourceTable, Lsn, Reference, SourceChoice, Span,
    SpanFlags, SpanType,
};

/// A value of an event under construction.
#[derive(Clone, Debug)]
pub(super) enum V {
    Text(String),
    Num(String),
    Null,
}

impl From<&str> for V {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for V {
    fn from(number: i64) -> Self {
        Self::Num(number.to_string())
    }
}

/// A rule set compiled with a table that also holds `names`.
pub(super) struct Bench {
    pub rules: RuleSet,
    pub fields: FieldTable,
    pub logsources: LogsourceTable,
    pub matcher: Matcher,
}

impl Bench {
    pub fn new(text: &str, names: &[&str]) -> Self {
        let rules = RuleSet::load([("test.yml".to_owned(), text.to_owned())]);
        assert!(rules.errors.is_empty(), "{:?}", rules.errors);
        Self::of(rules, names)
    }

    pub fn of(rules: RuleSet, names: &[&str]) -> Self {
        let mut builder = FieldTableBuilder::default();
        rules.intern_fields(&mut builder);
        names.iter().for_each(|name| {
            builder.intern(name);
        });
        let fields = builder.build();
        let mut logsources = LogsourceTable::default();
        logsources.intern(Logsource {
            product: Dimension::Known("windows".into()),
            service: Dimension::None,
            category: Dimension::Known("process_creation".into()),
        });
        let sources = vec!["first".to_owned(), "second".to_owned()];
        let matcher = Matcher::compile(&rules, &fields, &logsources, &sources);
        Self { rules, fields, logsources, matcher }
    }

    pub fn hits(&self, batch: &EventBatch, scratch: &mut Scratch) -> Vec<Hit> {
        let mut out = Vec::new();
        for event in batch.iter() {
            self.matcher.matches(event, scratch, &mut out);
        }
        out
    }
}

/// A batch of one event: raw record and fields; those with raw text point into it.
pub(super) fn event(fields: &FieldTable, raw: &str, pairs: &[(&str, V)]) -> EventBatch {
    let mut batch = EventBatch::default();
    let context =
        Arc::new(Context::new("default", "test", SourceChoice::Auto, Reference::Received));
    batch.push_context(&context);
    let raw_text = batch.push_text(raw.as_bytes());
    for (name, value) in pairs {
        let (text, kind) = match value {
            V::Text(text) => (text.as_str(), SpanType::String),
            V::Num(text) => (text.as_str(), SpanType::Number),
            V::Null => ("", SpanType::Null),
        };
        let field = fields.get(name.as_bytes());
        let name = if field == FieldId::UNKNOWN {
            batch.push_text(name.as_bytes())
        } else {
            Text::default()
        };
        let found = raw.find(text).filter(|_| !text.is_empty());
        let raw =
            found.map_or(Text::default(), |off| Text { off: off as u32, len: text.len() as u32 });
        let value = batch.push_text(text.as_bytes());
        batch.spans.push(Span { field, name, value, raw, kind, flags: SpanFlags::default() });
    }
    batch.events.push(Event {
        id: EventId::journal(1, 1, Lsn(1), 0),
        context: 0,
        time: 1_000_000,
        received_time: 2_000_000,
        class: ClassUid(3002),
        source: 1,
        logsource: LogsourceId(0),
        raw: raw_text,
        original: Text::default(),
        spans: 0..pairs.len() as u32,
        values: 0..0,
        relations: 0..0,
        issues: 0..0,
        stream: 7,
        batch: 0,
    });
    batch
}

/// A rule with one `selection` written as YAML lines.
pub(super) fn rule(selection: &str, condition: &str) -> String {
    let selection: String = selection.lines().map(|line| format!("  {line}\n")).collect();
    format!("title: t\nlogsource: {{}}\ndetection:\n{selection}  condition: {condition}\n")
}

/// Whether the rule matches the event, by matcher and by reference alike.
pub(super) fn check(selection: &str, condition: &str, pairs: &[(&str, V)], expect: bool) {
    check_raw(selection, condition, "", pairs, expect);
}

pub(super) fn check_raw(
    selection: &str,
    condition: &str,
    raw: &str,
    pairs: &[(&str, V)],
    expect: bool,
) {
    let bench = Bench::new(&rule(selection, condition), &["commandline", "Image"]);
    let batch = event(&bench.fields, raw, pairs);
    let hits = bench.hits(&batch, &mut Scratch::new());
    let expr = bench.rules.exprs[0].as_ref().unwrap();
    let reference = crate::naive::holds(expr, &batch.event(0).unwrap(), &bench.fields);
    assert_eq!(!hits.is_empty(), expect, "matcher: {selection} / {condition} / {pairs:?}");
    assert_eq!(reference, expect, "reference: {selection} / {condition} / {pairs:?}");
}
