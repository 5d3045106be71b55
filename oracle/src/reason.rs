//! Why the two engines may differ: a closed list. Each reason names the clause of the Sigma
//! specification that decides it, says on the rule and event at hand whether it is met, and
//! puts the clause into words that the oracle takes as we do. A difference is explained only
//! if the oracle, given these words, agrees with us.

use crate::flat::{Field, Flat};
use crate::rewrite;
use rsigma_parser::{Detection, DetectionItem, Modifier, SigmaRule, SigmaValue};
use yagura_event::SpanType;

/// A rule (as written, and spelled out) over an event.
#[derive(Clone, Debug)]
pub struct Case {
    /// As written.
    pub rule: SigmaRule,
    /// Spelled out ([`crate::spell`]): one value per selection. Reasons rewrite this one.
    pub spelled: SigmaRule,
    /// The event.
    pub event: Flat,
}

impl Case {
    /// Whether the event has letters that differ from their lower case in more than one way, so
    /// that it matters how often and by which table a text is folded.
    pub fn has_odd_letters(&self) -> bool {
        let odd = |c: char| {
            let mut lower = c.to_lowercase();
            let several = lower.len() > 1 || lower.any(|l| l.is_ascii());
            !c.is_ascii() && (several || matches!(c, 'ſ' | 'ς' | 'σ' | 'Σ'))
        };
        let texts = self.event.fields.iter().map(|field| &field.text);
        texts.chain([&self.event.raw]).any(|text| text.chars().any(odd))
    }
}

/// A reason for a difference.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// `neq` on a field that the event lacks, at least under exactly that name: the oracle does
    /// not hold, we do.
    NeqAbsent,
    /// `null` as one of several values: the oracle does not hold for an absent field.
    NullInList,
    /// `all` over a field with several values: the oracle may want one value to fulfil all.
    AllSeveral,
    /// Keywords under `all`: the oracle compares whole values.
    KeywordsAll,
    /// Keywords that are numbers, or under an empty name: the oracle compares whole values.
    KeywordForm,
    /// A field whose values are all null: the oracle sees an array.
    NullSeveral,
    /// `exists` of a field that is null: the oracle takes it as absent.
    ExistsNull,
    /// A wildcard over a line break: the oracle's stops there.
    WildcardNewline,
    /// Wildcards within `startswith` and `endswith`: the oracle anchors the other end.
    WildcardAnchor,
    /// The last characters of a Base64 text depend on what follows: the oracle keeps them.
    Base64Edge,
    /// `windash` of characters other than `-`: the oracle replaces `-` alone.
    WindashForm,
    /// Numbers under `windash` or an encoding: the oracle takes them as they are.
    EncodedNumber,
    /// `expand` of a value without a placeholder: the oracle compares the whole value.
    ExpandPlain,
    /// UTF-16 without Base64: the oracle looks for the text as it was.
    Utf16Plain,
    /// A truth value against `1`, `0`, `yes`, `no`: the oracle takes these for truth values.
    BoolWords,
    /// A number against text: the oracle writes the number anew (`1.0` as `1`).
    NumberText,
    /// Whole numbers beyond 2^53, or fractions that differ by less than 2^-52: equal for the
    /// oracle.
    NumberPrecision,
    /// `inf`, `nan` and texts longer than any number: numbers for the oracle.
    NumberForm,
    /// Times that the record writes as seconds or milliseconds since 1970 in text, or with white
    /// space: the oracle does not read them.
    TimeForm,
    /// Letters whose case folds in more than one way (`ſ`, final sigma, the Kelvin sign).
    CaseFolding,
    /// Addresses in brackets, with a zone, with white space, or mapped into IPv6.
    AddressForm,
    /// Fields compared by `fieldref` that have several values or differ in type.
    FieldRefValues,
    /// A field whose name the event writes in another case.
    FieldNameCase,
    /// A value beyond [`yagura_detect::VALUE_BYTES_MAX`].
    ValueBeyond,
}

impl Reason {
    /// Every reason, in the order in which they are put into words.
    pub const ALL: [Self; 24] = [
        Self::FieldNameCase,
        Self::ExpandPlain,
        Self::EncodedNumber,
        Self::ValueBeyond,
        Self::NullSeveral,
        Self::NumberText,
        Self::NumberForm,
        Self::NeqAbsent,
        Self::NullInList,
        Self::AllSeveral,
        Self::KeywordsAll,
        Self::KeywordForm,
        Self::FieldRefValues,
        Self::ExistsNull,
        Self::BoolWords,
        Self::NumberPrecision,
        Self::AddressForm,
        Self::TimeForm,
        Self::Utf16Plain,
        Self::WindashForm,
        Self::Base64Edge,
        Self::CaseFolding,
        Self::WildcardNewline,
        Self::WildcardAnchor,
    ];

    /// Whether spelling the rule out is all that it needs.
    pub fn is_spelled(self) -> bool {
        use Reason as R;
        matches!(
            self,
            R::NeqAbsent | R::NullInList | R::AllSeveral | R::KeywordsAll | R::KeywordForm
        )
    }

    /// The clause that decides it: of the rules specification 2.0, the modifiers appendix 2.1,
    /// or a limit that this project states.
    pub fn clause(self) -> &'static str {
        match self {
            Self::NeqAbsent => "modifiers 2.1, neq: the field is different from the values",
            Self::NullInList => "rules 2.0, Lists and Special Field Values: each value by itself",
            Self::AllSeveral => "modifiers 2.1, all: the values of the list are linked with AND",
            Self::KeywordsAll | Self::KeywordForm => {
                "rules 2.0, Keywords search: across an entire event"
            }
            Self::NullSeveral => "rules 2.0, Special Field Values: a null value is null",
            Self::ExistsNull => {
                "modifiers 2.1, exists: the presence of a field, not its value, empty or null"
            }
            Self::WildcardNewline => "rules 2.0, String Wildcard: * is of unbounded length",
            Self::WildcardAnchor => "modifiers 2.1, startswith and endswith: at that end",
            Self::Base64Edge => {
                "modifiers 2.1, base64offset: the static part, except first and last byte"
            }
            Self::WindashForm => "modifiers 2.1, windash: all permutations of five characters",
            Self::ExpandPlain => "rules 2.0, Placeholders: handled in the value that contains one",
            Self::EncodedNumber => "modifiers 2.1, Encoding and windash: the value is changed",
            Self::Utf16Plain => "modifiers 2.1, Encoding: the value is transformed to UTF-16",
            Self::BoolWords | Self::NumberText => {
                "rules 2.0, General: all values are treated as case-insensitive strings"
            }
            Self::NumberPrecision => "rules 2.0, Maps: an integer value equals itself alone",
            Self::NumberForm => "modifiers 2.1, Numeric modifiers: applied to numeric values",
            Self::TimeForm => "modifiers 2.1, Time modifiers: a numeric value from a date",
            Self::CaseFolding => "rules 2.0, General: case-insensitive strings",
            Self::AddressForm => "modifiers 2.1, cidr: both IPv4 and IPv6 notations",
            Self::FieldRefValues => "modifiers 2.1, fieldref: compares fields of matched events",
            Self::FieldNameCase => "rules 2.0, Field Usage: names as they appear in the log source",
            Self::ValueBeyond => "none; the limit VALUE_BYTES_MAX is this project's",
        }
    }

    /// Whether the rule and the event give the occasion for it.
    pub fn applies(self, case: &Case) -> bool {
        let event = &case.event;
        let all = items(&case.rule);
        let any = |test: &dyn Fn(&DetectionItem) -> bool| all.iter().any(test);
        let has = |item: &DetectionItem, modifier| item.field.has_modifier(modifier);
        let found = |item: &DetectionItem| values(event, item.field.name.as_deref());
        let nulls = |item: &DetectionItem| found(item).iter().all(|f| f.kind == SpanType::Null);
        match self {
            // The oracle lacks a field also where the event writes its name in another case.
            Self::NeqAbsent => any(&|i| {
                let name = i.field.name.as_deref();
                let lacks = |name| event.values(name).all(|f| f.kind == SpanType::Null);
                has(i, Modifier::Neq) && name.is_some_and(lacks)
            }),
            Self::NullInList => any(&|i| {
                let several = i.values.len() > 1 || has(i, Modifier::Neq);
                several && i.values.contains(&SigmaValue::Null) && nulls(i)
            }),
            Self::AllSeveral => any(&|i| has(i, Modifier::All) && found(i).len() > 1),
            Self::KeywordsAll => any(&|i| i.field.name.is_none() && has(i, Modifier::All)),
            Self::KeywordForm => any(&|i| {
                let whole = i.field.modifiers.is_empty();
                i.field.name.is_none() && (whole || !i.values.iter().all(is_text))
            }),
            Self::NullSeveral => any(&|i| found(i).len() > 1 && nulls(i)),
            Self::ExistsNull => any(&|i| {
                has(i, Modifier::Exists) && found(i).iter().any(|f| f.kind == SpanType::Null)
            }),
            Self::WildcardNewline => any(&|i| {
                let breaks = |f: &&Field| f.text.contains('\n');
                let record = i.field.name.is_none() && event.raw.contains('\n');
                i.values.iter().any(is_wild) && (record || found(i).iter().any(breaks))
            }),
            Self::WildcardAnchor => any(&|i| {
                let anchored = has(i, Modifier::StartsWith) || has(i, Modifier::EndsWith);
                anchored && i.values.iter().any(is_wild)
            }),
            Self::Base64Edge => any(&|i| has(i, Modifier::Base64Offset)),
            Self::WindashForm => any(&|i| has(i, Modifier::WindAsh)),
            Self::ExpandPlain => any(&|i| has(i, Modifier::Expand)),
            Self::EncodedNumber => any(&|i| {
                i.field.modifiers.iter().any(rewrite::is_encoding) && i.values.iter().any(is_number)
            }),
            Self::Utf16Plain => any(&|i| {
                let encoded = has(i, Modifier::Base64) || has(i, Modifier::Base64Offset);
                rewrite::utf16(&i.field.modifiers).is_some() && !encoded
            }),
            Self::BoolWords => any(&|i| {
                let truth = i.values.iter().any(|v| matches!(v, SigmaValue::Bool(_)));
                truth && !has(i, Modifier::Exists)
            }),
            Self::NumberPrecision => any(&|i| i.values.iter().any(is_number)),
            Self::AddressForm => any(&|i| has(i, Modifier::Cidr)),
            Self::TimeForm => any(&|i| i.field.modifiers.iter().any(rewrite::is_time)),
            Self::FieldRefValues => any(&|i| has(i, Modifier::FieldRef)),
            Self::CaseFolding => {
                let plain = all.iter().flat_map(|i| &i.values).all(|v| text_of(v).is_ascii());
                !(plain && event.raw.is_ascii() && event.fields.iter().all(|f| f.text.is_ascii()))
            }
            Self::FieldNameCase | Self::NumberText | Self::NumberForm | Self::ValueBeyond => {
                self.applies_to_event(case)
            }
        }
    }

    /// The same for reasons that lie in the event.
    fn applies_to_event(self, case: &Case) -> bool {
        let event = &case.event;
        let number = |f: &Field| f.kind == SpanType::Number && !is_canonical(&f.text);
        let beyond = |text: &str| text.len() > yagura_detect::VALUE_BYTES_MAX;
        match self {
            Self::FieldNameCase => names(&case.rule).iter().any(|name| {
                event.values(name).next().is_none() && !values(event, Some(name)).is_empty()
            }),
            Self::NumberText => event.fields.iter().any(number),
            Self::NumberForm => event.fields.iter().any(rewrite::is_odd_number),
            Self::ValueBeyond => beyond(&event.raw) || event.fields.iter().any(|f| beyond(&f.text)),
            _ => false,
        }
    }

    /// Puts the clause into words: changes the spelled rule or the event so that the oracle
    /// takes them as the clause says.
    pub fn rewrite(self, case: &mut Case) {
        match self {
            // The spelled rule says these already.
            Self::NeqAbsent | Self::NullInList | Self::AllSeveral => {}
            Self::KeywordsAll | Self::KeywordForm => {}
            Self::NullSeveral => rewrite::one_null(case),
            Self::ExistsNull => rewrite::exists(case),
            Self::WildcardNewline | Self::WildcardAnchor => rewrite::wildcards(case),
            Self::Base64Edge => rewrite::base64_offset(case),
            Self::WindashForm => rewrite::windash(case),
            Self::ExpandPlain => rewrite::expand_plain(case),
            Self::EncodedNumber => rewrite::encoded_number(case),
            Self::Utf16Plain => rewrite::utf16_plain(case),
            Self::BoolWords => rewrite::bool_words(case),
            Self::NumberText => rewrite::number_text(case),
            Self::NumberPrecision => rewrite::number_precision(case),
            Self::NumberForm => rewrite::number_form(case),
            Self::CaseFolding => rewrite::case_folding(case),
            Self::AddressForm => rewrite::address_form(case),
            Self::TimeForm => rewrite::time_form(case),
            Self::FieldRefValues => rewrite::field_ref(case),
            Self::FieldNameCase => rewrite::field_names(case),
            Self::ValueBeyond => rewrite::value_beyond(case),
        }
    }
}

/// Every test of a rule as written; keyword lists as tests without a field.
pub fn items(rule: &SigmaRule) -> Vec<DetectionItem> {
    fn walk(detection: &Detection, out: &mut Vec<DetectionItem>) {
        match detection {
            Detection::AllOf(items) => out.extend(items.iter().cloned()),
            Detection::AnyOf(parts) | Detection::And(parts) => {
                parts.iter().for_each(|part| walk(part, out));
            }
            Detection::Keywords(values) => {
                let field = rsigma_parser::FieldSpec::new(None, vec![Modifier::Contains]);
                out.push(DetectionItem { field, values: values.clone() });
            }
            Detection::ArrayMatch { .. } | Detection::Conditional { .. } => {}
        }
    }
    let mut out = Vec::new();
    rule.detection.named.values().for_each(|detection| walk(detection, &mut out));
    out
}

/// Every field a rule names, also by `fieldref`.
pub fn names(rule: &SigmaRule) -> Vec<String> {
    let mut names = Vec::new();
    for item in items(rule) {
        if item.field.has_modifier(Modifier::FieldRef) {
            names.extend(item.values.iter().map(text_of));
        }
        names.extend(item.field.name);
    }
    names.sort();
    names.dedup();
    names
}

/// The values of a field: those of exactly the name, else those of known names that differ
/// from it in case.
pub fn values<'a>(event: &'a Flat, name: Option<&str>) -> Vec<&'a Field> {
    let Some(name) = name else { return Vec::new() };
    let exact: Vec<&Field> = event.fields.iter().filter(|f| f.name == name).collect();
    if !exact.is_empty() {
        return exact;
    }
    event.fields.iter().filter(|f| f.known && f.name.eq_ignore_ascii_case(name)).collect()
}

/// A value as text.
pub fn text_of(value: &SigmaValue) -> String {
    match value {
        SigmaValue::String(text) => text.as_plain().unwrap_or_else(|| text.original.clone()),
        SigmaValue::Integer(number) => number.to_string(),
        SigmaValue::Float(number) => number.to_string(),
        SigmaValue::Bool(truth) => truth.to_string(),
        SigmaValue::Null => String::new(),
    }
}

fn is_wild(value: &SigmaValue) -> bool {
    matches!(value, SigmaValue::String(text) if text.contains_wildcards())
}

fn is_text(value: &SigmaValue) -> bool {
    matches!(value, SigmaValue::String(_))
}

fn is_number(value: &SigmaValue) -> bool {
    matches!(value, SigmaValue::Integer(_) | SigmaValue::Float(_))
}

/// Whether the oracle writes the number as the record does.
fn is_canonical(text: &str) -> bool {
    text.parse::<i64>().is_ok_and(|number| number.to_string() == text)
}
