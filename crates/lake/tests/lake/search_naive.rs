//! Random searches over random events, against a reading of the language that shares no code.

use crate::common::*;
use crate::search::{found, search_of};
use std::collections::BTreeSet;
use std::sync::Arc;
use yagura_event::time::{Micros, SECOND};
use yagura_event::*;
use yagura_lake::{LakeView, Names};
use yagura_testkit::rng::Rng;

/// Events of one run.
const ROWS: u64 = 240;
/// Searches of one run.
const SEARCHES: usize = 400;

#[derive(Clone, Debug, Default)]
struct Row {
    tenant: usize,
    raw: String,
    time: Micros,
    class: u32,
    activity: Option<i64>,
    src_ip: Option<String>,
    dst_ip: Option<String>,
    src_port: Option<i64>,
    actor: Option<String>,
    user: Option<String>,
    host: Option<String>,
    status_id: Option<i64>,
    status: Option<String>,
    severity_id: Option<i64>,
    alert: Option<bool>,
    message: Option<String>,
    code: Option<String>,
    to: Option<Vec<String>>,
    own: Option<String>,
}

const TENANTS: [&str; 2] = ["acme", "zeta"];
const WORDS: [&str; 9] =
    ["failed", "Failed", "password", "10.0.0.1", "10.0.0.12", "nina2", "失敗", "x_y", "für"];
const IPS: [&str; 8] = [
    "10.0.0.1",
    "10.0.0.12",
    "10.1.2.3",
    "192.0.2.255",
    "192.0.3.0",
    "2001:db8::1",
    "2001:DB8::2",
    "::1",
];
const USERS: [&str; 6] = ["nina", "Nina", "CORP\\nina", "nina@corp.example", "nina.b", "röot"];
const HOSTS: [&str; 4] = ["web-1", "WEB-1.corp.example", "web-10", "10.0.0.1"];
const CODES: [&str; 5] = ["4624", "4625", "99", "login", "12.5"];

fn sometimes<T>(rng: &mut Rng, value: impl FnOnce(&mut Rng) -> T) -> Option<T> {
    if rng.chance(60) { Some(value(rng)) } else { None }
}

fn text(rng: &mut Rng) -> String {
    let joins = [" ", ", ", "", "=", "ab"];
    let mut text = String::new();
    for _ in 0..rng.range(1, 5) {
        text.push_str(rng.pick::<&str>(&WORDS));
        text.push_str(rng.pick::<&str>(&joins));
    }
    text
}

fn row(rng: &mut Rng) -> Row {
    let pick = |list: &'static [&'static str]| move |rng: &mut Rng| (*rng.pick(list)).to_owned();
    let status_id = sometimes(rng, |rng| *rng.pick(&[1, 2, 99]));
    Row {
        tenant: rng.range(0, 1) as usize,
        raw: text(rng),
        time: START + rng.range(0, 100) as i64 * SECOND,
        class: *rng.pick(&[0, 3002, 4001, 4003]),
        activity: sometimes(rng, |rng| *rng.pick(&[1, 2, 6])),
        src_ip: sometimes(rng, pick(&IPS)),
        dst_ip: sometimes(rng, pick(&IPS)),
        src_port: sometimes(rng, |rng| *rng.pick(&[22, 80, 443, 1024])),
        actor: sometimes(rng, pick(&USERS)),
        user: sometimes(rng, pick(&USERS)),
        host: sometimes(rng, pick(&HOSTS)),
        status_id,
        status: (status_id == Some(99)).then(|| "Odd one".to_owned()),
        severity_id: sometimes(rng, |rng| *rng.pick(&[1, 3, 4, 5])),
        alert: sometimes(rng, |rng| rng.chance(50)),
        message: sometimes(rng, text),
        code: sometimes(rng, pick(&CODES)),
        to: sometimes(rng, |rng| {
            (0..rng.range(1, 2)).map(|_| format!("{}@x.example", rng.pick(&["a", "b"]))).collect()
        }),
        own: sometimes(rng, pick(&CODES)),
    }
}

fn store(batch: &mut EventBatch, contexts: &[Arc<Context>], lsn: u64, row: &Row) {
    let (from, spans) = (batch.values.len() as u32, batch.spans.len() as u32);
    let context = batch.push_context(&contexts[row.tenant]);
    let texts = [
        (ColumnId::SRC_IP, &row.src_ip),
        (ColumnId::DST_IP, &row.dst_ip),
        (ColumnId::ACTOR_USER_NAME, &row.actor),
        (ColumnId::USER_NAME, &row.user),
        (ColumnId::DEVICE_HOSTNAME, &row.host),
        (ColumnId::STATUS, &row.status),
        (ColumnId::MESSAGE, &row.message),
        (ColumnId::METADATA_EVENT_CODE, &row.code),
    ];
    for (column, value) in texts {
        if let Some(value) = value {
            let text = batch.push_text(value.as_bytes());
            batch.values.push((column, Scalar::Text(text)));
        }
    }
    let numbers = [
        (ColumnId::ACTIVITY_ID, row.activity),
        (ColumnId::SRC_PORT, row.src_port),
        (ColumnId::STATUS_ID, row.status_id),
        (ColumnId::SEVERITY_ID, row.severity_id),
    ];
    for (column, value) in numbers {
        batch.values.extend(value.map(|n| (column, Scalar::I64(n))));
    }
    batch.values.extend(row.alert.map(|b| (ColumnId::IS_ALERT, Scalar::Bool(b))));
    if let Some(to) = &row.to {
        let text = batch.push_text(serde_json::to_string(to).unwrap().as_bytes());
        batch.values.push((ColumnId::EMAIL_TO, Scalar::Json(text)));
    }
    if let Some(own) = &row.own {
        let (name, value) = (batch.push_text(b"Own Field"), batch.push_text(own.as_bytes()));
        let flags = SpanFlags::default();
        let (field, kind) = (FieldId::UNKNOWN, SpanType::String);
        batch.spans.push(Span { field, name, value, raw: Default::default(), kind, flags });
    }
    let raw = batch.push_text(row.raw.as_bytes());
    batch.events.push(Event {
        id: EventId::journal(1, 1, Lsn(lsn), 0),
        context,
        time: row.time,
        received_time: START,
        class: ClassUid(row.class),
        source: 0,
        logsource: LogsourceId::default(),
        raw,
        original: Default::default(),
        spans: spans..batch.spans.len() as u32,
        values: from..batch.values.len() as u32,
        relations: 0..0,
        issues: 0..0,
        stream: 1,
        batch: 0,
    });
}

/// A condition with its text and its meaning.
enum Cond {
    Leaf(String, Box<dyn Fn(&Row) -> bool>),
    Not(Box<Cond>),
    And(Vec<Cond>),
    Or(Vec<Cond>),
}

impl Cond {
    fn holds(&self, row: &Row) -> bool {
        match self {
            Self::Leaf(_, holds) => holds(row),
            Self::Not(inner) => !inner.holds(row),
            Self::And(all) => all.iter().all(|c| c.holds(row)),
            Self::Or(any) => any.iter().any(|c| c.holds(row)),
        }
    }

    fn text(&self, rng: &mut Rng) -> String {
        match self {
            Self::Leaf(text, _) => text.clone(),
            Self::Not(inner) => {
                let text = inner.text(rng);
                let bracketed = matches!(**inner, Self::And(_) | Self::Or(_));
                let text = if bracketed { format!("({text})") } else { text };
                format!("{}{text}", if rng.chance(50) { "-" } else { "NOT " })
            }
            Self::And(all) => {
                let parts: Vec<String> = all
                    .iter()
                    .map(|c| match c {
                        Self::Or(_) => format!("( {} )", c.text(rng)),
                        _ => c.text(rng),
                    })
                    .collect();
                parts.join(if rng.chance(50) { " AND " } else { "  " })
            }
            Self::Or(any) => any.iter().map(|c| c.text(rng)).collect::<Vec<_>>().join(" OR "),
        }
    }
}

/// `*` and `?` by trying everything; case ignored.
fn glob(pattern: &[char], value: &[char]) -> bool {
    match (pattern.first(), value.first()) {
        (None, None) => true,
        (Some('*'), _) => {
            glob(&pattern[1..], value) || (!value.is_empty() && glob(pattern, &value[1..]))
        }
        (Some('?'), Some(_)) => glob(&pattern[1..], &value[1..]),
        (Some(p), Some(v)) if p == v => glob(&pattern[1..], &value[1..]),
        _ => false,
    }
}

fn lower(text: &str) -> Vec<char> {
    text.to_lowercase().chars().collect()
}

fn is(pattern: &str, value: &str) -> bool {
    glob(&lower(pattern), &lower(value))
}

/// Whether a word (which has no wildcard but at its ends) is in the text.
fn has_word(word: &str, text: &str) -> bool {
    let (open_start, open_end) = (word.starts_with('*'), word.ends_with('*'));
    let (word, text) = (lower(word.trim_matches('*')), lower(text));
    let letter =
        |c: char| c == '_' || c.is_alphanumeric() && !('\u{3000}'..'\u{a000}').contains(&c);
    (0..=text.len().saturating_sub(word.len())).any(|at| {
        let end = at + word.len();
        text[at..].starts_with(&word)
            && (open_start || !letter(word[0]) || at == 0 || !letter(text[at - 1]))
            && (open_end
                || !letter(word[word.len() - 1])
                || end == text.len()
                || !letter(text[end]))
    })
}

fn v4(text: &str) -> Option<u32> {
    text.parse::<std::net::Ipv4Addr>().ok().map(u32::from)
}

fn some<T>(value: &Option<T>, test: impl Fn(&T) -> bool) -> bool {
    value.as_ref().is_some_and(test)
}

fn make(text: String, holds: impl Fn(&Row) -> bool + 'static) -> Cond {
    Cond::Leaf(text, Box::new(holds))
}

fn leaf(rng: &mut Rng) -> Cond {
    match rng.range(0, 19) {
        0..=3 => words(rng),
        4..=8 => addresses(rng),
        9..=11 => names(rng),
        12..=15 => enumerations(rng),
        16..=18 => others(rng),
        _ => few(rng),
    }
}

fn words(rng: &mut Rng) -> Cond {
    match rng.range(0, 3) {
        0 => {
            let word = (*rng.pick(&WORDS)).to_owned();
            make(word.clone(), move |r| has_word(&word, &r.raw))
        }
        1 => {
            let word = *rng.pick(&["fail*", "*word", "*0.0.1*", "pass*", "失*", "f*"]);
            make(word.to_owned(), move |r| has_word(word, &r.raw))
        }
        2 => {
            let phrase = format!("{} {}", rng.pick(&WORDS), rng.pick(&WORDS));
            make(format!("\"{phrase}\""), move |r| has_word(&phrase, &r.raw))
        }
        _ => {
            let word = (*rng.pick(&WORDS)).to_owned();
            let text = format!("message:{word}");
            let holds = move |r: &Row| some(&r.message, |m| has_word(&word, m));
            make(text, holds)
        }
    }
}

fn addresses(rng: &mut Rng) -> Cond {
    match rng.range(0, 4) {
        0 => {
            let ip = *rng.pick(&IPS);
            let same = move |r: &Option<String>| some(r, |v| v.eq_ignore_ascii_case(ip));
            make(format!("src_endpoint.ip:{ip}"), move |r| same(&r.src_ip))
        }
        1 => {
            let (net, bits) = *rng.pick(&[("10.0.0.0", 8), ("192.0.2.0", 23), ("10.0.0.8", 29)]);
            let mask = u32::MAX << (32 - bits);
            let inside =
                move |v: &String| v4(v).is_some_and(|n| n & mask == v4(net).unwrap() & mask);
            let holds = move |r: &Row| some(&r.src_ip, inside) || some(&r.dst_ip, inside);
            make(format!("ip:{net}/{bits}"), holds)
        }
        2 => make("src_ip:{10.0.0.1 TO 192.0.2.255]".to_owned(), |r| {
            some(&r.src_ip, |v| v4(v).is_some_and(|n| n > 0x0a00_0001 && n <= 0xc000_02ff))
        }),
        3 => {
            let (op, port) = (*rng.pick(&[">", ">=", "<", "<="]), *rng.pick(&[22, 80, 443]));
            let holds = move |r: &Row| {
                some(&r.src_port, |n| match op {
                    ">" => *n > port,
                    ">=" => *n >= port,
                    "<" => *n < port,
                    _ => *n <= port,
                })
            };
            make(format!("port:{op}{port}"), holds)
        }
        _ => make("src_port:[80 TO 443}".to_owned(), |r| {
            some(&r.src_port, |n| (80..443).contains(n))
        }),
    }
}

fn names(rng: &mut Rng) -> Cond {
    match rng.range(0, 2) {
        0 => {
            let name = *rng.pick(&["nina", "ni*", "n?na", "röot", "corp"]);
            let one = move |v: &String| {
                let part = v.rsplit('\\').next().unwrap().split('@').next().unwrap();
                is(name, v) || is(name, part)
            };
            make(format!("user:{name}"), move |r| some(&r.actor, one) || some(&r.user, one))
        }
        1 => {
            let name = *rng.pick(&["nina", "CORP\\nina", "*nina*", "nina.?"]);
            make(format!("user.name:{name}"), move |r| some(&r.user, |v| is(name, v)))
        }
        _ => {
            let name = *rng.pick(&["web-1", "web-1*", "10.0.0.1", "10"]);
            let one = move |v: &String| {
                let address = v4(v).is_some();
                is(name, v) || !address && is(name, v.split('.').next().unwrap())
            };
            make(format!("host:{name}"), move |r| some(&r.host, one))
        }
    }
}

fn enumerations(rng: &mut Rng) -> Cond {
    match rng.range(0, 3) {
        0 => {
            let (word, id) = *rng.pick(&[("Success", 1), ("failure", 2), ("OTHER", 99)]);
            make(format!("status:{word}"), move |r| r.status_id == Some(id))
        }
        1 => make("status:\"odd one\"".to_owned(), |r| some(&r.status, |s| is("odd one", s))),
        2 => make("severity:>=high".to_owned(), |r| some(&r.severity_id, |n| *n >= 4)),
        _ => {
            let (word, ids): (&str, &[u32]) = *rng.pick(&[
                ("authentication", &[3002][..]),
                ("\"Network Activity\"", &[4001][..]),
                ("*_activity", &[4001, 4003][..]),
                ("0", &[0][..]),
            ]);
            make(format!("class:{word}"), move |r| ids.contains(&r.class))
        }
    }
}

fn others(rng: &mut Rng) -> Cond {
    match rng.range(0, 2) {
        0 => {
            let at = rng.range(0, 100) as i64;
            let text = format!("earliest:{}", yagura_event::time::rfc3339(START + at * SECOND));
            make(text, move |r| r.time >= START + at * SECOND)
        }
        1 => {
            let (low, high) = (rng.range(0, 99), rng.range(4000, 4700));
            let holds = move |v: &String| {
                v.parse::<f64>().is_ok_and(|n| n >= low as f64 && n < high as f64)
            };
            let (text, own) = match rng.chance(50) {
                true => ("metadata.event_code".to_owned(), false),
                false => ("unmapped.\"Own Field\"".to_owned(), true),
            };
            make(format!("{text}:[{low} TO {high}}}"), move |r| {
                some(if own { &r.own } else { &r.code }, holds)
            })
        }
        _ => {
            let name = *rng.pick(&["src_ip", "message", "email.to", "is_alert", "user.name"]);
            let holds = move |r: &Row| match name {
                "src_ip" => r.src_ip.is_some(),
                "message" => r.message.is_some(),
                "email.to" => r.to.is_some(),
                "is_alert" => r.alert.is_some(),
                _ => r.user.is_some(),
            };
            make(format!("{name}:*"), holds)
        }
    }
}

fn few(rng: &mut Rng) -> Cond {
    match rng.range(0, 3) {
        0 => make("to:a@*".to_owned(), |r| some(&r.to, |t| t.iter().any(|v| is("a@*", v)))),
        1 => make("is_alert:true".to_owned(), |r| r.alert == Some(true)),
        2 => make("raw_data:/f(ailed|ür) ?(x_y|p)/".to_owned(), |r| {
            let text: String = lower(&r.raw).into_iter().collect();
            ["failed", "für"].iter().any(|a| {
                ["", " "]
                    .iter()
                    .any(|s| ["x_y", "p"].iter().any(|b| text.contains(&format!("{a}{s}{b}"))))
            })
        }),
        _ => make("activity:logon".to_owned(), |r| r.class == 3002 && r.activity == Some(1)),
    }
}

fn cond(rng: &mut Rng, depth: u64) -> Cond {
    let several = |rng: &mut Rng| (0..rng.range(2, 3)).map(|_| cond(rng, depth - 1)).collect();
    match if depth == 0 { 9 } else { rng.range(0, 9) } {
        0 | 1 => Cond::And(several(rng)),
        2 | 3 => Cond::Or(several(rng)),
        4 => Cond::Not(Box::new(cond(rng, depth - 1))),
        _ => leaf(rng),
    }
}

fn lake(dir: &std::path::Path, rows: &[Row]) -> (yagura_lake::LakeWriter, Arc<LakeView>) {
    let contexts = TENANTS.map(|tenant| {
        Arc::new(Context::new(tenant, "syslog", SourceChoice::Auto, Reference::Received))
    });
    let fields = FieldTableBuilder::default().build();
    let names = Names { fields: Arc::new(fields), sources: ["linux_syslog".to_owned()].into() };
    let mut writer = open(dir);
    for (part, rows) in rows.chunks(rows.len() / 3).enumerate() {
        if part == 2 {
            writer.flush().unwrap();
        }
        let mut batch = EventBatch::default();
        let first = (part * ROWS as usize / 3) as u64 + 1;
        for (lsn, row) in (first..).zip(rows) {
            store(&mut batch, &contexts, lsn, row);
        }
        writer.append_events(Arc::new(batch), names.clone());
        writer.advance(Lsn(first + rows.len() as u64 - 1));
    }
    let view = writer.handle().view();
    (writer, view)
}

#[test]
fn random_searches_find_what_their_words_say() {
    let seed = std::env::var("SEARCH_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    println!("seed {seed}");
    let mut rng = Rng::new(seed);
    let rows: Vec<Row> = (0..ROWS).map(|_| row(&mut rng)).collect();
    let dir = tempfile::tempdir().unwrap();
    let (_writer, view) = lake(dir.path(), &rows);
    assert!(!view.events.files.is_empty() && !view.events.tail.is_empty());
    let mut hits = 0;
    for number in 0..SEARCHES {
        let cond = cond(&mut rng, 3);
        let query = cond.text(&mut rng);
        let tenant = if rng.chance(30) { Some(rng.range(0, 1) as usize) } else { None };
        let scope = tenant.map_or_else(operator, |at| only(TENANTS[at]));
        let expected: BTreeSet<i64> = (1..)
            .zip(&rows)
            .filter(|(_, r)| tenant.is_none_or(|t| t == r.tenant) && cond.holds(r))
            .map(|(lsn, _)| lsn)
            .collect();
        let search = search_of(&query).unwrap_or_else(|no| panic!("{query}\n{}", no.render()));
        let got: BTreeSet<i64> = found(&view, scope, &search).into_iter().collect();
        hits += usize::from(!expected.is_empty() && expected.len() < rows.len());
        let wrong: Vec<_> = expected.symmetric_difference(&got).take(3).collect();
        let shown: Vec<_> = wrong.iter().map(|lsn| &rows[**lsn as usize - 1]).collect();
        assert_eq!(expected, got, "search {number}: {query}\n{shown:#?}");
    }
    assert!(hits > SEARCHES / 2, "only {hits} searches part the events");
}
