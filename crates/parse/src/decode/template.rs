//! Sentences: messages whose text is fixed but for named places.
//!
//! `messages.toml` holds `[[message]]` tables with `text` (one template or several), `on` (the
//! values of the discriminating field, absent for any) and `kind` (given as the field
//! `kind`). A template is literal text with
//!
//! | form | takes |
//! |---|---|
//! | `{name}` | up to the next literal text, also nothing |
//! | `{name:word}` | at least one byte, no space |
//! | `{name:int}` | digits |
//! | `{name:dec}` | spaces, digits and `.` |
//! | `{name:ip}` | digits, letters a to f, `:`, `.` |
//! | `{name:rest}` | all that is left |
//! | `{:kv}` | all that is left, as `key=value` pairs, with the options of `[kv]` |
//! | `{_}` | as `{name}`, dropped |
//! | `{?...}` | its content or nothing |
//! | `{{` | a brace |
//!
//! `[template]` in `source.toml`: `head` is a template found anywhere in the body, before the
//! message; `by` is the discriminating field, from the head or the syslog header; `message =
//! false` leaves out the field `message`, where the places take all of the sentence.

use super::{Decoder, Malformed, kv};
use crate::def::Names;
use crate::def::node::{Node, Origin, SourceError, Table};
use crate::sink::Sink;
use ahash::AHashMap;
use memchr::memmem::Finder;
use std::ops::Range;
use yagura_event::SpanType;

/// Most optional parts of a template: each doubles its compiled forms.
const OPTIONAL_MAX: u32 = 6;

/// Most places of a template.
const PLACES_MAX: usize = 24;

/// Most positions tried for one place, and for a head.
const TRIES_MAX: usize = 16;

/// Most positions tried for all places of a template together: places multiply, and a
/// hostile line must cost no more than a long one. Beyond it the template does not match.
const ATTEMPTS_MAX: u32 = 256;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Any,
    Word,
    Int,
    Ip,
    Decimal,
    Rest,
    Pairs,
}

#[derive(Clone, Debug)]
enum Step {
    Literal(Box<Finder<'static>>),
    Place(Box<[u8]>, Kind),
}

#[derive(Clone, Debug)]
struct Message {
    steps: Vec<Step>,
    kind: Option<Box<[u8]>>,
}

/// The compiled messages of one source.
#[derive(Debug)]
pub struct Template {
    pairs: kv::Kv,
    head: Vec<Step>,
    by: Option<Box<[u8]>>,
    whole: bool,
    messages: Vec<Message>,
    by_value: AHashMap<Box<[u8]>, Vec<u32>>,
    any: Vec<u32>,
}

/// Reads `[template]` and `messages.toml`.
///
/// # Errors
/// What is wrong with either, with its place.
pub fn build(
    options: Option<&Table<'_>>,
    messages: Option<&(String, String)>,
    pairs: kv::Kv,
    names: &mut Names,
) -> Result<Template, SourceError> {
    let mut template = Template {
        pairs,
        head: Vec::new(),
        by: None,
        whole: true,
        messages: Vec::new(),
        by_value: AHashMap::new(),
        any: Vec::new(),
    };
    if let Some(options) = options {
        options.only(&["head", "by", "message"])?;
        template.whole = options.get("message").map_or(Ok(true), |node| node.truth())?;
        if let Some(node) = options.get("head") {
            let mut forms = compile(&node)?;
            template.head = forms.swap_remove(0);
            intern(&template.head, names);
        }
        template.by =
            options.get("by").map(|node| node.text()).transpose()?.map(|by| by.as_bytes().into());
    }
    names.intern("message");
    names.intern("kind");
    let Some((file, text)) = messages else { return Ok(template) };
    let origin = Origin { file, text };
    let root = origin.parse()?;
    let root = Table::new(origin, 0, root.get_ref());
    root.only(&["message"])?;
    for node in root.get("message").map(|node| node.items()).unwrap_or_default() {
        add(&mut template, &node.table()?, names)?;
    }
    Ok(template)
}

fn add(template: &mut Template, table: &Table<'_>, names: &mut Names) -> Result<(), SourceError> {
    table.only(&["on", "kind", "text"])?;
    let kind: Option<Box<[u8]>> =
        table.get("kind").map(|node| node.text()).transpose()?.map(|kind| kind.as_bytes().into());
    let on = match table.get("on") {
        Some(node) => node.items().iter().map(Node::scalar).collect::<Result<Vec<_>, _>>()?,
        None => Vec::new(),
    };
    let Some(text) = table.get("text") else {
        return Err(table.origin.error(table.offset, "`text` is missing"));
    };
    for node in text.items() {
        for steps in compile(&node)? {
            intern(&steps, names);
            let at = template.messages.len() as u32;
            template.messages.push(Message { steps, kind: kind.clone() });
            if on.is_empty() {
                template.any.push(at);
            }
            for value in &on {
                template.by_value.entry(value.as_bytes().into()).or_default().push(at);
            }
        }
    }
    Ok(())
}

fn intern(steps: &[Step], names: &mut Names) {
    for step in steps {
        if let Step::Place(name, _) = step {
            names.intern(&String::from_utf8_lossy(name));
        }
    }
}

impl Decoder for Template {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        let bytes = sink.record().get(..body.end).unwrap_or_default();
        let mut start = body.start;
        if !self.head.is_empty() {
            start = self.read_head(sink, bytes, start).ok_or(Malformed::new("no message head"))?;
        }
        if self.whole {
            sink.plain(b"message", start..body.end, SpanType::String);
        }
        let value = self.by.as_ref().and_then(|by| sink.get(by));
        let listed = value.and_then(|value| self.by_value.get(value)).map_or(&[][..], |list| list);
        for at in listed.iter().chain(&self.any) {
            let Some(message) = self.messages.get(*at as usize) else { continue };
            let mut found = Found::default();
            if matches(&message.steps, bytes, start, &mut found, true) {
                self.emit(sink, &message.steps, &found);
                if let Some(kind) = &message.kind {
                    sink.derived(b"kind", kind);
                }
                break;
            }
        }
        Ok(())
    }
}

impl Template {
    /// Finds and emits the head; returns where the message begins.
    fn read_head(&self, sink: &mut Sink<'_, '_>, bytes: &[u8], start: usize) -> Option<usize> {
        let Some(Step::Literal(first)) = self.head.first() else { return None };
        for found in first.find_iter(bytes.get(start..)?).take(TRIES_MAX) {
            let mut places = Found::default();
            if matches(&self.head, bytes, start + found, &mut places, false) {
                self.emit(sink, &self.head, &places);
                return Some(places.end);
            }
        }
        None
    }

    fn emit(&self, sink: &mut Sink<'_, '_>, steps: &[Step], found: &Found) {
        let mut places = found.places.iter();
        for step in steps {
            let Step::Place(name, kind) = step else { continue };
            let Some((start, end)) = places.next() else { return };
            let range = *start as usize..*end as usize;
            match kind {
                Kind::Pairs => {
                    self.pairs.pairs(sink, range);
                }
                _ if name.as_ref() == b"_" || name.is_empty() => {}
                Kind::Int => sink.plain(name, range, SpanType::Number),
                _ => sink.plain(name, range, SpanType::String),
            }
        }
    }
}

#[derive(Default)]
struct Found {
    places: [(u32, u32); PLACES_MAX],
    count: usize,
    end: usize,
    attempts: u32,
}

impl Found {
    fn push(&mut self, range: Range<usize>) -> bool {
        let Some(slot) = self.places.get_mut(self.count) else { return false };
        *slot = (range.start as u32, range.end as u32);
        self.count += 1;
        true
    }
}

/// Matches `steps` at `at`; with `whole` up to the end of `bytes`.
fn matches(steps: &[Step], bytes: &[u8], at: usize, found: &mut Found, whole: bool) -> bool {
    let Some((first, rest)) = steps.split_first() else {
        found.end = at;
        return !whole || at == bytes.len();
    };
    let Some(text) = bytes.get(at..) else { return false };
    match first {
        Step::Literal(literal) => {
            let literal = literal.needle();
            text.starts_with(literal) && matches(rest, bytes, at + literal.len(), found, whole)
        }
        Step::Place(_, Kind::Rest | Kind::Pairs) => {
            found.push(at..bytes.len()) && matches(rest, bytes, bytes.len(), found, whole)
        }
        Step::Place(_, kind) => {
            let count = found.count;
            let longest = run(*kind, text);
            if *kind != Kind::Any && longest == 0 {
                return false;
            }
            let next = match rest.first() {
                None => {
                    return found.push(at..at + longest)
                        && matches(rest, bytes, at + longest, found, whole);
                }
                Some(Step::Literal(next)) => next,
                Some(Step::Place(..)) => return false,
            };
            // The literal may begin at most where the run ends.
            let limit = (longest + next.needle().len()).min(text.len());
            for end in next.find_iter(&text[..limit]).take(TRIES_MAX) {
                found.attempts += 1;
                if found.attempts > ATTEMPTS_MAX {
                    return false;
                }
                found.count = count;
                if *kind != Kind::Any && end == 0 {
                    continue;
                }
                if found.push(at..at + end) && matches(rest, bytes, at + end, found, whole) {
                    return true;
                }
            }
            false
        }
    }
}

fn run(kind: Kind, text: &[u8]) -> usize {
    let count = |take: fn(&u8) -> bool| text.iter().take_while(|b| take(b)).count();
    match kind {
        Kind::Word => count(|b| *b != b' '),
        Kind::Int => count(u8::is_ascii_digit),
        Kind::Decimal => count(|b| b.is_ascii_digit() || matches!(b, b' ' | b'.')),
        Kind::Ip => count(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.')),
        Kind::Any | Kind::Rest | Kind::Pairs => text.len(),
    }
}

/// Compiles one template to its forms, those with most optional parts first.
fn compile(node: &Node<'_>) -> Result<Vec<Vec<Step>>, SourceError> {
    let text = node.text()?;
    let optional = text.matches("{?").count() as u32;
    if optional > OPTIONAL_MAX {
        return Err(node.error(format!("more than {OPTIONAL_MAX} optional parts")));
    }
    let mut forms = Vec::new();
    for mask in (0..1u32 << optional).rev() {
        let flat = choose(text, mask, optional).map_err(|why| node.error(why))?;
        let steps = steps(&flat).map_err(|why| node.error(why))?;
        let places = steps.iter().filter(|step| matches!(step, Step::Place(..))).count();
        if places > PLACES_MAX {
            return Err(node.error(format!("more than {PLACES_MAX} places")));
        }
        if steps.windows(2).any(|w| matches!(w, [Step::Place(..), Step::Place(..)])) {
            return Err(node.error("two places need literal text between them"));
        }
        forms.push(steps);
    }
    Ok(forms)
}

/// The template with the optional parts of `mask` kept (the first is the highest bit) and
/// the others left out. Optional parts do not nest.
fn choose(text: &str, mask: u32, count: u32) -> Result<String, String> {
    let mut flat = String::with_capacity(text.len());
    let mut rest = text;
    for at in 0..count {
        let Some(open) = rest.find("{?") else { break };
        flat.push_str(&rest[..open]);
        let inner = &rest[open + 2..];
        let mut depth = 0usize;
        let close = inner
            .bytes()
            .position(|byte| match byte {
                b'{' => {
                    depth += 1;
                    false
                }
                b'}' if depth == 0 => true,
                b'}' => {
                    depth -= 1;
                    false
                }
                _ => false,
            })
            .ok_or("an optional part `{?` does not end")?;
        if mask >> (count - 1 - at) & 1 == 1 {
            flat.push_str(&inner[..close]);
        }
        rest = &inner[close + 1..];
    }
    flat.push_str(rest);
    Ok(flat)
}

fn steps(text: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut literal = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        literal.extend_from_slice(&rest.as_bytes()[..open]);
        let inner = &rest[open + 1..];
        if let Some(after) = inner.strip_prefix('{') {
            literal.push(b'{');
            rest = after;
            continue;
        }
        let close = inner.find('}').ok_or("a place `{` does not end")?;
        let (name, kind) = inner[..close].split_once(':').unwrap_or((&inner[..close], ""));
        let kind = match kind {
            "" => Kind::Any,
            "word" => Kind::Word,
            "int" => Kind::Int,
            "ip" => Kind::Ip,
            "dec" => Kind::Decimal,
            "rest" => Kind::Rest,
            "kv" => Kind::Pairs,
            _ => {
                return Err(format!("no place type `{kind}`; known: word, int, ip, dec, rest, kv"));
            }
        };
        if !literal.is_empty() {
            steps.push(Step::Literal(Box::new(
                Finder::new(&std::mem::take(&mut literal)).into_owned(),
            )));
        }
        steps.push(Step::Place(name.as_bytes().into(), kind));
        rest = &inner[close + 1..];
    }
    literal.extend_from_slice(rest.as_bytes());
    if !literal.is_empty() {
        steps.push(Step::Literal(Box::new(Finder::new(&literal).into_owned())));
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use yagura_event::{EventBatch, FieldTable};

    #[track_caller]
    fn check(template: &str, text: &str, expect: Option<&str>) {
        let toml = format!("[[message]]\ntext = '{template}'");
        let built =
            build(None, Some(&("m".into(), toml)), kv::Kv::default(), &mut Names::default())
                .unwrap();
        let (mut batch, fields) = (EventBatch::default(), FieldTable::default());
        let mut sink = Sink::new(&mut batch, &fields, text.as_bytes());
        built.decode(&mut sink, 0..text.len()).unwrap();
        let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let got: Vec<_> = batch.spans[1..]
            .iter()
            .map(|span| {
                format!("{}={}", name(batch.bytes(span.name)), name(batch.bytes(span.value)))
            })
            .collect();
        let matched = (batch.spans.len() > 1).then(|| got.join(" "));
        assert_eq!(matched.as_deref(), expect, "{template} on {text}");
    }

    #[test]
    fn places_of_every_type() {
        check("a {x} b", "a 1 2 b", Some("x=1 2"));
        check("{if}:{ip:ip}/{port:int}", "dmz:10.0.0.1/443", Some("if=dmz ip=10.0.0.1 port=443"));
        check("{ip:ip}", "fe80::1", Some("ip=fe80::1"));
        check("u {x:word} r {y:rest}", "u bob r a r b", Some("x=bob y=a r b"));
        check("n={n:int}", "n=x", None);
        check("a {x} b", "a 1 b c", None);
        check("[UFW {a}] {:kv}", "[UFW BLOCK] IN=e OUT= SYN", Some("a=BLOCK IN=e OUT="));
        check("{{{x}} y", "{1} y", Some("x=1"));
    }

    #[test]
    fn a_place_may_hold_the_literal_that_follows_it() {
        check(
            "user {u} from {ip:ip} port {p:int}",
            "user x from y from 1.2.3.4 port 5",
            Some("u=x from y ip=1.2.3.4 p=5"),
        );
    }

    #[test]
    fn optional_parts_are_preferred() {
        check("a{? by {x}}{? end}", "a by 1 end", Some("x=1"));
        check("a{? by {x}}{? end}", "a by 1", Some("x=1"));
        check("a {y:word}{? by {x}}", "a b", Some("y=b"));
    }

    #[test]
    fn a_hostile_line_ends_soon() {
        let line = "a ".repeat(100_000);
        check("{a} a {b} a {c} a {d} a {e}x", &line, None);
    }

    #[test]
    fn faults_are_named() {
        for bad in ["{x", "{x}{y}", "{x:foo}", "{?a", "{?}{?}{?}{?}{?}{?}{?}"] {
            let toml = format!("[[message]]\ntext = '{bad}'");
            let error =
                build(None, Some(&("m".into(), toml)), kv::Kv::default(), &mut Names::default())
                    .unwrap_err();
            assert_eq!(error.line, 2, "{bad}");
        }
    }
}
