//! Turns a hit into a match: fields, correlation keys, parties, raw record.

use super::scratch::Scratch;
use super::{Cond, Hit, HitField, HitPlace, Matcher};
use std::sync::Arc;
use yagura_event::batch::role_of;
use yagura_event::finding::SAMPLE_RAW_BYTES_MAX;
use yagura_event::{
    ColumnId, EventRef, Match, MatchId, Party, Sample, Scalar, SpanType, TenantName,
};

/// Most fields shown of one match; a rule with more is explained well enough by these.
pub const HIT_FIELDS_MAX: usize = 24;

/// Longest value of a field or key in a match, in bytes; longer ones are cut there.
pub const FIELD_BYTES_MAX: usize = 2 * 1024;

/// Most values of one key (a field with several values); the rest is left out.
const KEY_VALUES_MAX: usize = 16;

impl Matcher {
    /// The match of a hit that [`Matcher::matches`] found in `event`. `scratch` may be any.
    pub fn build_match(
        &self,
        event: EventRef<'_>,
        hit: &Hit,
        source_name: &str,
        scratch: &mut Scratch,
    ) -> Match {
        let head = event.event();
        let context = event.context();
        let tenant =
            TenantName::new(&context.tenant).unwrap_or_else(|_| TenantName::default_tenant());
        let program = self.programs.get(hit.rule.at()).and_then(Option::as_ref);
        let rule = program.map(|p| p.id.clone()).unwrap_or_default();
        let fields =
            hit.fields.iter().map(|field| (field.name.clone(), self.shown(field.place, &event)));
        let mut keys = Vec::new();
        if let Some(program) = program
            && !program.keys.is_empty()
        {
            scratch.begin(self, &event);
            for (name, slot) in &program.keys {
                self.push_keys(name, *slot, &event, scratch, &mut keys);
            }
        }
        let parties = event
            .observables()
            .into_iter()
            .map(|(column, observable)| Party { role: role_of(column), observable });
        let mut parties: Vec<Party> = parties.collect();
        parties.sort();
        parties.dedup();
        let sample = Sample {
            event: head.id.0,
            time: head.time,
            source: source_name.to_owned(),
            feed: context.feed.clone(),
            fields: fields.collect(),
            parties,
            raw: text(event.raw(), SAMPLE_RAW_BYTES_MAX),
            rule,
        };
        Match {
            id: MatchId::new(&tenant, &sample.rule, head.id).0,
            tenant: tenant.as_str().to_owned(),
            received_time: head.received_time,
            stream: head.stream,
            batch: head.batch,
            keys,
            sample: Arc::new(sample),
        }
    }

    fn push_keys(
        &self,
        name: &str,
        slot: u32,
        event: &EventRef<'_>,
        scratch: &mut Scratch,
        keys: &mut Vec<(String, String)>,
    ) {
        let (start, end) = self.resolve(slot, event, scratch);
        let mut count = 0;
        for at in start..end {
            let value = scratch.value(scratch.cell_ids[at as usize], event);
            if value.kind == SpanType::Null || value.text.is_empty() || count >= KEY_VALUES_MAX {
                continue;
            }
            let pair = (name.to_owned(), text(value.text, FIELD_BYTES_MAX));
            if !keys.contains(&pair) {
                keys.push(pair);
                count += 1;
            }
        }
    }

    /// A value as a person sees it.
    fn shown(&self, place: HitPlace, event: &EventRef<'_>) -> String {
        match place {
            HitPlace::Nowhere => String::new(),
            HitPlace::Raw => text(event.raw(), FIELD_BYTES_MAX),
            HitPlace::Span(at) => match event.spans().get(at as usize) {
                Some(span) => text(event.span_value(span), FIELD_BYTES_MAX),
                None => String::new(),
            },
            HitPlace::Column(column) => match event.column(column) {
                Some(Scalar::Text(value) | Scalar::Json(value)) => {
                    text(event.batch().bytes(value), FIELD_BYTES_MAX)
                }
                Some(Scalar::I64(value)) => value.to_string(),
                Some(Scalar::F64(value)) => value.to_string(),
                Some(Scalar::Bool(value)) => value.to_string(),
                None if column == ColumnId::SOURCE => {
                    self.sources.get(usize::from(event.event().source)).cloned().unwrap_or_default()
                }
                None if column == ColumnId::CLASS_UID => event.event().class.0.to_string(),
                None => String::new(),
            },
        }
    }

    /// The fields of the atoms that make a condition hold, in the order of the condition.
    pub(super) fn hit_fields(
        &self,
        condition: &Cond,
        event: &EventRef<'_>,
        scratch: &mut Scratch,
    ) -> Vec<HitField> {
        let mut fields = Vec::new();
        self.collect(condition, event, scratch, &mut fields);
        fields
    }

    fn collect(
        &self,
        condition: &Cond,
        event: &EventRef<'_>,
        scratch: &mut Scratch,
        fields: &mut Vec<HitField>,
    ) {
        if fields.len() >= HIT_FIELDS_MAX {
            return;
        }
        match condition {
            Cond::Not(_) => {}
            Cond::Atom(id) => {
                let atom = &self.atoms[*id as usize];
                let Some(place) = self.ask(atom, event, scratch) else { return };
                let name = &self.slots[atom.slot as usize].name;
                if place != HitPlace::Nowhere
                    && !fields.iter().any(|f| f.name == *name && f.place == place)
                {
                    fields.push(HitField { name: name.clone(), place });
                }
            }
            Cond::And(parts) | Cond::Or(parts) | Cond::AtLeast(_, parts) => {
                for part in parts {
                    if self.holds(part, event, scratch) {
                        self.collect(part, event, scratch, fields);
                    }
                }
            }
        }
    }
}

/// At most `most` bytes as text, whole characters.
fn text(bytes: &[u8], most: usize) -> String {
    let mut text = String::from_utf8_lossy(&bytes[..bytes.len().min(most)]).into_owned();
    if bytes.len() > most && text.ends_with('\u{fffd}') {
        text.pop();
    }
    text
}
