//! The words for each reason: changes to a spelled rule or an event that the oracle takes as
//! the clause says.

mod event;

pub(crate) use event::{
    field_names, is_odd_number, is_time, number_form, number_precision, number_text, one_null,
    time_form, value_beyond,
};

use crate::flat::Field;
use crate::reason::{Case, text_of, values};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsigma_parser::{Detection, DetectionItem, Modifier, SigmaString, SigmaValue, StringPart};
use std::net::IpAddr;
use yagura_event::SpanType;

/// A value that no event holds.
const NEVER: &str = "\u{1}never";

/// The dashes and slashes of `windash`.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// Most forms that one value of `windash` is written out to.
const FORMS_MAX: usize = 5_000;

/// Changes the spelled rule's tests; each has one value, or several alternatives after it.
fn each(case: &mut Case, change: &mut dyn FnMut(&mut DetectionItem)) {
    // Sorted, so that marks on the event have the same names in every run.
    let mut all: Vec<_> = case.spelled.detection.named.iter_mut().collect();
    all.sort_by(|a, b| a.0.cmp(b.0));
    for (_, detection) in all {
        if let Detection::AllOf(items) = detection {
            items.iter_mut().for_each(&mut *change);
        }
    }
}

/// Replaces tests that `decide` judges by tests for a mark which the event gets or not.
fn mark(case: &mut Case, decide: &dyn Fn(&Case, &DetectionItem) -> Option<bool>) {
    let before = case.clone();
    let mut marks = Vec::new();
    let mut count = case.event.fields.len();
    each(case, &mut |item| {
        let Some(holds) = decide(&before, item) else { return };
        let name = format!("\u{1}mark{count}");
        count += 1;
        item.field.name = Some(name.clone());
        item.field.modifiers.clear();
        item.values = vec![plain("yes")];
        marks.push(Field::text(name, if holds { "yes" } else { "no" }));
    });
    case.event.fields.extend(marks);
}

fn plain(text: &str) -> SigmaValue {
    SigmaValue::from_raw_string(text)
}

/// A field is there if the event names it.
pub(crate) fn exists(case: &mut Case) {
    mark(case, &|case, item| {
        let wanted = match item.values.first()? {
            _ if !item.field.has_modifier(Modifier::Exists) => return None,
            SigmaValue::Bool(wanted) => *wanted,
            other => text_of(other).eq_ignore_ascii_case("true"),
        };
        Some(values(&case.event, item.field.name.as_deref()).is_empty() != wanted)
    });
}

/// Wildcards as a regular expression in which a dot is any character.
pub(crate) fn wildcards(case: &mut Case) {
    each(case, &mut |item| {
        let has = |modifier| item.field.has_modifier(modifier);
        if [Modifier::Re, Modifier::FieldRef, Modifier::Cidr].into_iter().any(has) {
            return;
        }
        let [SigmaValue::String(text)] = item.values.as_slice() else { return };
        if !text.contains_wildcards() {
            return;
        }
        let mut pattern = String::new();
        if !has(Modifier::Contains) && !has(Modifier::EndsWith) {
            pattern.push_str(r"\A");
        }
        for part in &text.parts {
            match part {
                StringPart::Plain(text) => pattern.push_str(&escape(text)),
                StringPart::Special(rsigma_parser::SpecialChar::WildcardMulti) => {
                    pattern.push_str(".*");
                }
                StringPart::Special(rsigma_parser::SpecialChar::WildcardSingle) => {
                    pattern.push('.')
                }
            }
        }
        if !has(Modifier::Contains) && !has(Modifier::StartsWith) {
            pattern.push_str(r"\z");
        }
        let cased = has(Modifier::Cased);
        item.field.modifiers = vec![Modifier::Re, Modifier::DotAll];
        if !cased {
            item.field.modifiers.push(Modifier::IgnoreCase);
        }
        item.values = vec![plain(&pattern)];
    });
}

/// A text as an expression for itself: by number, since `\<` and the like have meanings.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_alphanumeric() {
            true => out.push(c),
            false => out.push_str(&format!("\\x{{{:x}}}", u32::from(c))),
        }
    }
    out
}

/// The UTF-16 form that modifiers ask for: the encoder of a text.
pub(crate) fn utf16(modifiers: &[Modifier]) -> Option<fn(&str) -> Vec<u8>> {
    modifiers.iter().find_map(|modifier| -> Option<fn(&str) -> Vec<u8>> {
        match modifier {
            Modifier::Wide => Some(little),
            Modifier::Utf16be => {
                Some(|text| text.encode_utf16().flat_map(u16::to_be_bytes).collect())
            }
            Modifier::Utf16 => Some(|text| [vec![0xff, 0xfe], little(text)].concat()),
            _ => None,
        }
    })
}

fn little(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn drop_encodings(item: &mut DetectionItem) {
    item.field.modifiers.retain(|m| {
        use Modifier as M;
        !matches!(m, M::Wide | M::Utf16be | M::Utf16 | M::Base64 | M::Base64Offset)
    });
}

/// UTF-16 text as the text of its bytes.
pub(crate) fn utf16_plain(case: &mut Case) {
    each(case, &mut |item| {
        let has = |modifier| item.field.has_modifier(modifier);
        let Some(encode) = utf16(&item.field.modifiers) else { return };
        if has(Modifier::Base64) || has(Modifier::Base64Offset) {
            return;
        }
        let [SigmaValue::String(text)] = item.values.as_mut_slice() else { return };
        // A mark of the byte order alone is no text.
        let mut possible = !text.parts.is_empty() || encode("").is_empty();
        for part in &mut text.parts {
            let StringPart::Plain(plain) = part else { continue };
            match String::from_utf8(encode(plain)) {
                Ok(encoded) => *plain = encoded,
                Err(_) => possible = false,
            }
        }
        if !possible {
            *text = SigmaString::from_raw(NEVER);
        }
        drop_encodings(item);
    });
}

/// The part of a Base64 text that no neighbour changes, found by trying neighbours.
pub(crate) fn base64_offset(case: &mut Case) {
    each(case, &mut |item| {
        if !item.field.has_modifier(Modifier::Base64Offset) {
            return;
        }
        let [SigmaValue::String(text)] = item.values.as_slice() else { return };
        let text = text.as_plain().unwrap_or_else(|| text.original.clone());
        let bytes = match utf16(&item.field.modifiers) {
            Some(encode) => encode(&text),
            None => text.into_bytes(),
        };
        drop_encodings(item);
        let text_modifier = |m: &Modifier| {
            matches!(m, Modifier::Contains | Modifier::StartsWith | Modifier::EndsWith)
        };
        if !item.field.modifiers.iter().any(text_modifier) {
            item.field.modifiers.push(Modifier::Contains);
        }
        item.values = (0..3).map(|shift| plain(&static_part(&bytes, shift))).collect();
    });
}

fn static_part(bytes: &[u8], shift: usize) -> String {
    let encode = |around: u8| {
        // Three bytes behind, so that the last group of the value is full of neighbours.
        STANDARD.encode([vec![around; shift], bytes.to_vec(), vec![around; 3]].concat())
    };
    let (one, other) = (encode(0), encode(0xff));
    // Only the characters that lie wholly within the value's bits are common to both by
    // necessity; the ends are cut where the two differ.
    let (first, last) = ((shift * 8).div_ceil(6), (shift + bytes.len()) * 8 / 6);
    let same = |at: &usize| one.as_bytes()[*at] == other.as_bytes()[*at];
    (first..last).filter(same).map(|at| one.as_bytes()[at] as char).collect()
}

/// Every permutation of the five characters.
pub(crate) fn windash(case: &mut Case) {
    each(case, &mut |item| {
        if !item.field.has_modifier(Modifier::WindAsh) {
            return;
        }
        let [SigmaValue::String(text)] = item.values.as_slice() else { return };
        let mut forms = vec![Vec::new()];
        for part in &text.parts {
            match part {
                StringPart::Special(_) => forms.iter_mut().for_each(|f| f.push(part.clone())),
                StringPart::Plain(plain) => {
                    for c in plain.chars() {
                        let dash = DASHES.contains(&c) && forms.len() * DASHES.len() <= FORMS_MAX;
                        let choices: &[char] = if dash { &DASHES } else { &[c] };
                        forms = forms
                            .iter()
                            .flat_map(|form| choices.iter().map(|c| extended(form, *c)))
                            .collect();
                    }
                }
            }
        }
        item.field.modifiers.retain(|m| *m != Modifier::WindAsh);
        item.values = forms
            .into_iter()
            .map(|parts| SigmaValue::String(SigmaString { parts, original: String::new() }))
            .collect();
    });
}

fn extended(form: &[StringPart], c: char) -> Vec<StringPart> {
    let mut form = form.to_vec();
    match form.last_mut() {
        Some(StringPart::Plain(text)) => text.push(c),
        _ => form.push(StringPart::Plain(c.to_string())),
    }
    form
}

/// Truth values as the strings they are.
pub(crate) fn bool_words(case: &mut Case) {
    each(case, &mut |item| {
        if item.field.has_modifier(Modifier::Exists) {
            return;
        }
        for value in &mut item.values {
            if let SigmaValue::Bool(truth) = value {
                *value = plain(if *truth { "true" } else { "false" });
            }
        }
    });
}

/// One lower case for every letter: tests that ignore case look at the folded values of their
/// field, keywords at those of all. Expressions that ignore case see the values as they are.
pub(crate) fn case_folding(case: &mut Case) {
    use Modifier as M;
    let before = case.event.clone();
    let mut added: Vec<Field> = Vec::new();
    each(case, &mut |item| {
        let has = |modifier| item.field.has_modifier(modifier);
        if [M::Cased, M::Re, M::FieldRef, M::Cidr, M::Exists].into_iter().any(has) {
            return;
        }
        let [SigmaValue::String(text)] = item.values.as_mut_slice() else { return };
        for part in &mut text.parts {
            if let StringPart::Plain(plain) = part {
                *plain = fold(plain);
            }
        }
        let name = match &item.field.name {
            Some(name) => format!("\u{1}folded {name}"),
            None => "\u{1}folded".to_owned(),
        };
        if !added.iter().any(|field| field.name == name) {
            let folded = |f: &Field| Field::text(name.clone(), fold(&f.text));
            let there = |f: &&Field| f.kind != SpanType::Null;
            match &item.field.name {
                Some(own) => {
                    let found = values(&before, Some(own)).into_iter().filter(there);
                    added.extend(found.map(folded));
                }
                None => {
                    added.push(Field::text(name.clone(), fold(&before.raw)));
                    added.extend(before.fields.iter().filter(there).map(folded));
                }
            }
        }
        item.field.name = Some(name);
    });
    case.event.fields.extend(added);
    mark(case, &|case, item| {
        let has = |modifier| item.field.has_modifier(modifier);
        if !has(M::Re) || !has(M::IgnoreCase) {
            return None;
        }
        let [SigmaValue::String(pattern)] = item.values.as_slice() else { return None };
        let regex = regex::RegexBuilder::new(&pattern.original)
            .case_insensitive(true)
            .multi_line(has(M::Multiline))
            .dot_matches_new_line(has(M::DotAll))
            .build()
            .ok()?;
        let found = values(&case.event, Some(item.field.name.as_deref()?));
        Some(found.iter().any(|f| f.kind != SpanType::Null && regex.is_match(&f.text)))
    });
}

fn fold(text: &str) -> String {
    text.chars()
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            '\u{17f}' => 's',
            'ς' => 'σ',
            c => c,
        })
        .collect()
}

/// Addresses in their plain form, mapped ones as what they map.
pub(crate) fn address_form(case: &mut Case) {
    mark(case, &|case, item| {
        if !item.field.has_modifier(Modifier::Cidr) {
            return None;
        }
        let text = text_of(item.values.first()?);
        let (net, bits) = text.split_once('/').unwrap_or((text.as_str(), ""));
        let net: IpAddr = net.trim().parse().ok()?;
        let most: u32 = if net.is_ipv4() { 32 } else { 128 };
        let bits: u32 = if bits.is_empty() { most } else { bits.trim().parse().ok()? };
        let found = values(&case.event, item.field.name.as_deref());
        Some(found.iter().filter_map(|f| address(&f.text)).any(|ip| within(net, bits, ip)))
    });
}

fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let text = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    Some(text.parse::<IpAddr>().ok()?.to_canonical())
}

fn within(net: IpAddr, bits: u32, ip: IpAddr) -> bool {
    let digits = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => format!("{:032b}", ip.to_bits()),
        IpAddr::V6(ip) => format!("{:0128b}", ip.to_bits()),
    };
    let (net, ip) = (digits(net), digits(ip));
    net.len() == ip.len() && net[..bits as usize] == ip[..bits as usize]
}

/// Any value of one field against any of the other, as text.
pub(crate) fn field_ref(case: &mut Case) {
    mark(case, &|case, item| {
        if !item.field.has_modifier(Modifier::FieldRef) {
            return None;
        }
        let other = text_of(item.values.first()?);
        let cased = item.field.has_modifier(Modifier::Cased);
        let texts = |name: &str| -> Vec<String> {
            let found = values(&case.event, Some(name));
            let there = found.iter().filter(|f| f.kind != SpanType::Null);
            there.map(|f| if cased { f.text.clone() } else { fold(&f.text) }).collect()
        };
        let (these, those) = (texts(item.field.name.as_deref()?), texts(&other));
        let has = |modifier| item.field.has_modifier(modifier);
        let related = |a: &str, b: &str| match () {
            () if has(Modifier::Contains) => a.contains(b),
            () if has(Modifier::StartsWith) => a.starts_with(b),
            () if has(Modifier::EndsWith) => a.ends_with(b),
            () => a == b,
        };
        Some(these.iter().any(|a| those.iter().any(|b| related(a, b))))
    });
}

/// Whether a modifier changes the text that is looked for.
pub(crate) fn is_encoding(modifier: &Modifier) -> bool {
    use Modifier as M;
    let utf16 = matches!(modifier, M::Wide | M::Utf16 | M::Utf16be);
    utf16 || matches!(modifier, M::WindAsh | M::Base64 | M::Base64Offset)
}

/// A value without a placeholder as it is; we have no others in force.
pub(crate) fn expand_plain(case: &mut Case) {
    each(case, &mut |item| item.field.modifiers.retain(|m| *m != Modifier::Expand));
}

/// Numbers as their text where the text is what is changed.
pub(crate) fn encoded_number(case: &mut Case) {
    each(case, &mut |item| {
        if item.field.modifiers.iter().any(is_encoding) {
            for value in &mut item.values {
                if let SigmaValue::Integer(_) | SigmaValue::Float(_) = value {
                    *value = plain(&text_of(value));
                }
            }
        }
    });
}
