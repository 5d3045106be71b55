//! The first field of each name of the event that is being filled, found without a search.

use crate::batch::Span;
use crate::field::FieldId;

/// Where the first field of each name stands among those of the event that is being filled.
///
/// An entry is true only if the field it points to has that name: after fields were taken back
/// it may point behind the end or to another's, and then says nothing.
#[derive(Clone, Default, Debug)]
pub struct Firsts {
    event: u32,
    /// By [`FieldId`]: event, first field of the name, whether more may follow.
    by_field: Vec<(u32, u32, bool)>,
}

impl Firsts {
    /// Begins an event whose fields are interned in a table of `names` names.
    pub fn begin(&mut self, names: usize) {
        if self.by_field.len() < names || self.event == u32::MAX {
            self.by_field = vec![(0, 0, false); names];
            self.event = 0;
        }
        self.event += 1;
    }

    /// Notes that a field of this name is about to be added to `spans`.
    pub fn note(&mut self, field: FieldId, spans: &[Span]) {
        let event = self.event;
        let known = self.find(field, spans).is_some();
        let Some(entry) = self.by_field.get_mut(field.0 as usize) else { return };
        *entry = if known { (event, entry.1, true) } else { (event, spans.len() as u32, false) };
    }

    /// Notes that the one of `spans` at `at`, which had the name `old`, has a new one.
    pub fn renamed(&mut self, old: FieldId, at: usize, spans: &[Span]) {
        let event = self.event;
        let Some(field) = spans.get(at).map(|span| span.field) else { return };
        let first = self.find(field, spans).map_or(at, |(first, _)| first.min(at));
        if let Some(entry) = self.by_field.get_mut(field.0 as usize) {
            *entry = (event, first as u32, true);
        }
        let lost = self.find(old, spans).is_none();
        let next = spans.iter().skip(at + 1).position(|span| span.field == old);
        if let (true, Some(next), Some(entry)) = (lost, next, self.by_field.get_mut(old.0 as usize))
        {
            *entry = (event, (at + 1 + next) as u32, true);
        }
    }

    /// The first of `spans` of this name, and whether more may follow.
    pub fn find(&self, field: FieldId, spans: &[Span]) -> Option<(usize, bool)> {
        let (event, first, more) = *self.by_field.get(field.0 as usize)?;
        let held = event == self.event
            && spans.get(first as usize).is_some_and(|span| span.field == field);
        held.then_some((first as usize, more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{SpanFlags, SpanType, Text};

    fn span(field: u32) -> Span {
        let (name, value, raw) = (Text::default(), Text::default(), Text::default());
        let (kind, flags) = (SpanType::String, SpanFlags::default());
        Span { field: FieldId(field), name, value, raw, kind, flags }
    }

    /// Every name is found where a search finds it, and a single one is known to be single.
    #[track_caller]
    fn check(firsts: &Firsts, spans: &[Span]) {
        for id in 0..6 {
            let field = FieldId(id);
            let mut all = spans.iter().enumerate().filter(|(_, span)| span.field == field);
            let first = all.next().map(|(at, _)| at);
            let found = firsts.find(field, spans);
            assert_eq!(found.map(|(at, _)| at), first, "{id} of {spans:?}");
            if all.next().is_some() {
                assert_eq!(found.map(|(_, more)| more), Some(true));
            }
        }
    }

    #[test]
    fn firsts_survive_fields_taken_back_and_renamed() {
        // Every sequence of six steps of: add one of three names, take the last back, rename the
        // first or the middle one.
        for code in 0..6u32.pow(6) {
            let (mut firsts, mut spans) = (Firsts::default(), Vec::new());
            firsts.begin(6);
            let mut steps = code;
            for _ in 0..6 {
                match steps % 6 {
                    step @ 0..3 => {
                        firsts.note(FieldId(step), &spans);
                        spans.push(span(step));
                    }
                    3 => {
                        spans.pop();
                    }
                    step => {
                        let at = if step == 4 { 0 } else { spans.len() / 2 };
                        if let Some(span) = spans.get_mut(at) {
                            let old = span.field;
                            span.field = FieldId((old.0 + 1) % 3);
                            firsts.renamed(old, at, &spans);
                        }
                    }
                }
                steps /= 6;
            }
            check(&firsts, &spans);
            firsts.begin(6);
            check(&firsts, &[]);
        }
    }
}
