//! Seeded variations: rules with other modifiers, values and conditions, and events that are
//! built to nearly fulfil a rule.

use crate::flat::{Field, Flat};
use crate::reason::{items, text_of};
use rsigma_parser::{DetectionItem, Modifier, SigmaRule, SigmaValue, SpecialChar, StringPart};
use yagura_event::{ClassUid, LogsourceId, SpanType};
use yagura_testkit::rng::Rng;

/// Modifiers that a test may get in place of its own.
const MODIFIERS: &[&str] = &[
    "",
    "|contains",
    "|startswith",
    "|endswith",
    "|contains|all",
    "|startswith|all",
    "|cased",
    "|contains|cased",
    "|endswith|cased",
    "|windash",
    "|contains|windash",
    "|contains|all|windash",
    "|re",
    "|re|i",
    "|re|s",
    "|re|m|i",
    "|neq",
    "|contains|neq",
    "|endswith|neq",
    "|base64",
    "|base64offset|contains",
    "|wide|base64offset|contains",
    "|utf16|base64|contains",
    "|utf16be|base64offset|contains",
    "|exists",
    "|lt",
    "|lte",
    "|gt",
    "|gte",
    "|cidr",
    "|fieldref",
    "|fieldref|contains",
    "|fieldref|startswith",
    "|fieldref|endswith",
    "|hour",
    "|minute",
    "|day",
    "|week",
    "|month",
    "|year",
    "|wide|contains",
    "|all",
    "|fieldref|neq",
    "|cidr|neq",
    "|i",
];

/// What a value may get put into it or in its place.
const SCRAPS: &[&str] = &[
    "*",
    "?",
    "\\*",
    "\\?",
    "\\\\",
    "\\",
    "\\\\*",
    "-",
    "/",
    "–",
    "—",
    "―",
    " -",
    " /",
    "\n",
    "\t",
    "%",
    "ſ",
    "ς",
    "Σ",
    "İ",
    "ß",
    "K",
    "é",
    "𝄞",
    "日本",
    "'",
    "0",
    "7",
    "1.0",
    "1e3",
    "-0",
    "00",
    "true",
    "null",
    "10.0.0.0/8",
    "::ffff:10.1.2.3",
    "fe80::1%eth0",
    "[::1]",
    "10.1.2.3",
    "nan",
    "9007199254740993",
    "2026-11-22T03:04:05Z",
    "2026-11-22 03:04:05",
    "1700000000",
    "cmd.exe",
    "powershell",
    "=",
    "",
    " ",
    "\u{0}",
    "AA",
    "zz",
];

/// A variation of a rule's YAML text under the id `id`; what comes of it need not be a rule.
pub fn rule(text: &str, id: &str, rng: &mut Rng) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let begin = lines.iter().position(|l| l.starts_with("detection:")).unwrap_or(0);
    let tests: Vec<usize> = (begin + 1..lines.len())
        .take_while(|at| lines[*at].starts_with([' ', '\t', '#']) || lines[*at].is_empty())
        .collect();
    for _ in 0..rng.range(1, 4) {
        if tests.is_empty() {
            break;
        }
        let at = *rng.pick(&tests);
        lines[at] = line(&lines[at], rng);
    }
    for line in &mut lines {
        if line.starts_with("id:") {
            *line = format!("id: {id}");
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

fn line(line: &str, rng: &mut Rng) -> String {
    if line.trim_start().starts_with("condition:") {
        return match rng.range(0, 4) {
            0 => line.replacen(" and ", " or ", 1),
            1 => line.replacen(" or ", " and ", 1),
            2 => line.replacen("condition: ", "condition: not ", 1),
            3 => line.replacen("1 of", "all of", 1),
            _ => line.replacen("all of", "1 of", 1),
        };
    }
    if let Some(colon) = line.find(':')
        && rng.chance(60)
        && !line.trim_start().starts_with('\'')
    {
        let (key, rest) = line.split_at(colon);
        let name = key.split('|').next().unwrap_or(key);
        return format!("{name}{}{rest}", rng.pick(MODIFIERS));
    }
    let Some(open) = line.find('\'') else { return line.to_owned() };
    let close = line.rfind('\'').filter(|close| *close > open).unwrap_or(line.len());
    let value = &line[open + 1..close];
    let mut chars: Vec<char> = value.chars().collect();
    let at = rng.range(0, chars.len() as u64) as usize;
    match rng.range(0, 3) {
        0 => chars.truncate(at),
        1 => chars = value.chars().map(|c| flip(c, rng)).collect(),
        _ => {
            let scrap = rng.pick(SCRAPS).replace('\'', "''").replace(['\n', '\u{0}'], " ");
            chars.splice(at..at, scrap.chars());
        }
    }
    let value: String = chars.into_iter().collect();
    format!("{}'{value}'{}", &line[..open], line.get(close + 1..).unwrap_or_default())
}

fn flip(c: char, rng: &mut Rng) -> char {
    let mut flipped = if rng.chance(50) { c.to_uppercase().to_string() } else { c.to_string() };
    flipped.pop().unwrap_or(c)
}

/// An event that nearly fulfils `rule`: over the fields of `base`, a value for most of the
/// rule's tests, then a few changes. It meets every rule, since its logsource says nothing.
pub fn event(rule: &SigmaRule, base: Option<&Flat>, rng: &mut Rng) -> Flat {
    let mut event = base.cloned().unwrap_or(Flat {
        raw: String::new(),
        logsource: LogsourceId(0),
        class: ClassUid::BASE,
        fields: Vec::new(),
    });
    event.logsource = LogsourceId(0);
    event.class = ClassUid::BASE;
    let mut all = items(rule);
    all.sort_by_key(|item| format!("{item:?}"));
    for item in &all {
        if rng.chance(85) {
            fulfil(item, &mut event, rng);
        }
    }
    for _ in 0..rng.range(0, 4) {
        change(&mut event, rng);
    }
    event
}

/// Puts a value into the event that a test asks for.
fn fulfil(item: &DetectionItem, event: &mut Flat, rng: &mut Rng) {
    let has = |modifier| item.field.has_modifier(modifier);
    let mut text = String::new();
    let mut kind = SpanType::String;
    let wanted: Vec<&SigmaValue> = if has(Modifier::All) || item.values.is_empty() {
        item.values.iter().collect()
    } else {
        vec![rng.pick(&item.values)]
    };
    let pad = |rng: &mut Rng| if rng.chance(30) { *rng.pick(SCRAPS) } else { " x " };
    let Some(name) = &item.field.name else {
        for value in wanted {
            event.raw.push_str(pad(rng));
            event.raw.push_str(&sample(value, rng));
        }
        return;
    };
    let inside = has(Modifier::Contains) || has(Modifier::Base64Offset);
    for value in wanted {
        match value {
            SigmaValue::Integer(_) | SigmaValue::Float(_) if rng.chance(70) => {
                kind = SpanType::Number;
            }
            SigmaValue::Bool(_) if rng.chance(70) => kind = SpanType::Bool,
            SigmaValue::Null => kind = SpanType::Null,
            _ => {}
        }
        if inside || has(Modifier::EndsWith) {
            text.push_str(pad(rng));
        }
        text.push_str(&sample(value, rng));
        if inside || has(Modifier::StartsWith) {
            text.push_str(pad(rng));
        }
    }
    if has(Modifier::FieldRef) {
        let other = event.fields.iter().find(|f| f.name == text.trim()).cloned();
        text = other.map_or_else(|| "same".to_owned(), |f| f.text);
    }
    let (kind, text) = match kind {
        SpanType::Null => (kind, String::new()),
        SpanType::Number if text.parse::<f64>().is_err() => (SpanType::String, text),
        other => (other, text),
    };
    if !rng.chance(15) {
        event.fields.retain(|field| field.name != *name);
    }
    event.fields.push(Field { name: name.clone(), kind, text, known: true });
}

/// A text of a rule's value: wildcards filled, sometimes in another case.
fn sample(value: &SigmaValue, rng: &mut Rng) -> String {
    let SigmaValue::String(text) = value else { return text_of(value) };
    let mut out = String::new();
    for part in &text.parts {
        match part {
            StringPart::Plain(plain) => out.push_str(plain),
            StringPart::Special(SpecialChar::WildcardMulti) => {
                out.push_str(rng.pick::<&str>(SCRAPS))
            }
            StringPart::Special(SpecialChar::WildcardSingle) => out.push('q'),
        }
    }
    match rng.range(0, 5) {
        0 => out.to_uppercase(),
        1 => out.chars().map(|c| flip(c, rng)).collect(),
        2 => out.replace('-', rng.pick::<&str>(&["/", "–", "—", "―", "-"])),
        _ => out,
    }
}

/// One change to an event.
fn change(event: &mut Flat, rng: &mut Rng) {
    if event.fields.is_empty() {
        event.raw.push_str(rng.pick::<&str>(SCRAPS));
        return;
    }
    let at = rng.range(0, event.fields.len() as u64 - 1) as usize;
    let copy = event.fields[at].clone();
    let field = &mut event.fields[at];
    match rng.range(0, 11) {
        0 => {
            event.fields.remove(at);
        }
        1 => *field = Field { kind: SpanType::Null, text: String::new(), ..copy },
        2 => event.fields.push(Field {
            text: (*rng.pick(SCRAPS)).to_owned(),
            kind: SpanType::String,
            ..copy
        }),
        3 => event.fields.push(Field { kind: SpanType::Null, text: String::new(), ..copy }),
        4 => field.name = field.name.to_lowercase(),
        5 => {
            *field = Field { kind: SpanType::Number, text: rng.range(0, 9_999).to_string(), ..copy }
        }
        6 => field.text = "\u{e9}x".repeat(yagura_detect::VALUE_BYTES_MAX / 3) + &copy.text,
        7 => *field = Field { kind: SpanType::String, text: String::new(), ..copy },
        _ => {
            let chars: Vec<char> = copy.text.chars().collect();
            let cut = rng.range(0, chars.len() as u64) as usize;
            let (left, right) = chars.split_at(cut);
            let middle: String = (*rng.pick(SCRAPS)).to_owned();
            if field.kind != SpanType::Null {
                field.kind = SpanType::String;
                field.text =
                    left.iter().collect::<String>() + &middle + &right.iter().collect::<String>();
            }
        }
    }
}
