//! Which `[[event]]` of its source a record is: conditions over its fields.

use crate::def::{Op, Source, Test};
use crate::envelope;
use crate::parser::Parser;
use crate::sink::Sink;
use yagura_event::FieldId;

impl Parser {
    /// The place of the first `[[event]]` whose conditions hold.
    pub(crate) fn event_of(&self, source: &Source, sink: &Sink<'_, '_>) -> usize {
        let dispatch = &source.dispatch;
        let holds = |at: &u16| {
            source.events.get(usize::from(*at)).is_some_and(|event| self.holds(sink, &event.when))
        };
        let found = match dispatch.field {
            None => dispatch.others.iter().find(|at| holds(at)).copied(),
            Some(field) => {
                let id = self.id(field);
                let mut values = sink.named(id);
                let list = match (values.next(), values.next()) {
                    (Some((_, span)), None) => dispatch.by_value.get(sink.value(span)),
                    (None, _) => None,
                    // A repeated field: each value may decide, so all events are tried.
                    (Some(_), Some(_)) => {
                        return source
                            .events
                            .iter()
                            .position(|event| self.holds(sink, &event.when))
                            .unwrap_or(source.events.len());
                    }
                };
                list.unwrap_or(&dispatch.others).iter().find(|at| holds(at)).copied()
            }
        };
        found.map_or(source.events.len(), usize::from)
    }

    /// Whether all of `tests` hold.
    pub(crate) fn holds(&self, sink: &Sink<'_, '_>, tests: &[Test]) -> bool {
        tests.iter().all(|test| {
            let id = self.id(test.field);
            let mut spans = sink.named(id);
            let any = |compare: fn(&[u8], &[u8]) -> bool| {
                spans.clone().any(|(_, span)| {
                    let value = sink.value(span);
                    test.values.iter().any(|wanted| compare(value, wanted))
                })
            };
            let outcome = match &test.op {
                Op::Exists => spans.next().is_some(),
                Op::Equals => any(|value, wanted| value == wanted),
                Op::Starts => any(|value, wanted| value.starts_with(wanted)),
                Op::Ends => any(|value, wanted| value.ends_with(wanted)),
                Op::Contains => any(|value, wanted| memchr::memmem::find(value, wanted).is_some()),
                Op::Below(other) => {
                    let other = self.id(*other);
                    let number = |id| {
                        let (_, span) = sink.named(id).next()?;
                        crate::convert::integer(sink.value(span))
                    };
                    matches!((number(id), number(other)), (Some(a), Some(b)) if a < b)
                }
                Op::Ip => spans.any(|(_, span)| crate::convert::is_ip(sink.value(span))),
                Op::AloneWith(names) => spans.next().is_some() && self.only(sink, id, names),
            };
            outcome != test.negate
        })
    }

    /// Whether the record has no field beside the one and those of `names`.
    fn only(&self, sink: &Sink<'_, '_>, field: FieldId, names: &[u32]) -> bool {
        sink.spans().iter().all(|span| {
            let known =
                span.field == field || names.iter().any(|name| self.id(*name) == span.field);
            let name = sink.name(span);
            known || name.starts_with(b"_") || name.starts_with(envelope::PREFIX)
        })
    }

    fn id(&self, name: u32) -> FieldId {
        self.ids.get(name as usize).copied().unwrap_or(FieldId(u32::MAX - 1))
    }
}
