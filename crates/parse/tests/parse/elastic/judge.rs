//! Compares one OCSF event with the ECS document that another pipeline made of its record.

use super::fields::{FIELDS, Field, How, Kind};
use serde_json::Value;
use std::collections::BTreeMap;

/// What was counted for one kind of value.
#[derive(Clone, Copy, Default, Debug)]
pub struct Score {
    /// Values that the document holds and the text states.
    pub expected: u64,
    /// Of them, those in a right attribute of the event.
    pub found: u64,
    /// Values that the event holds where the document names another one, or holds it
    /// elsewhere.
    pub wrong: u64,
}

impl Score {
    pub fn add(&mut self, other: &Self) {
        self.expected += other.expected;
        self.found += other.found;
        self.wrong += other.wrong;
    }

    /// Percent; 100 where nothing was expected.
    pub fn recall(&self) -> f64 {
        percent(self.found, self.expected)
    }

    /// Percent of what was found or wrong.
    pub fn precision(&self) -> f64 {
        percent(self.found, self.found + self.wrong)
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 100.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// Scores by kind.
pub type Scores = BTreeMap<Kind, Score>;

/// Messages of Cisco firewalls that leave open which end began, or of which the documents of
/// one package begin with the initiator and those of another with the end named first. Either
/// is right, as long as all of the record's values agree.
const OPEN_ENDS: &[&str] =
    &["302013", "302014", "302015", "302016", "302020", "302021", "113019", "113005", "113004"];

/// A translation's outer address, which documents have as the destination of a connection that
/// these messages do not tell of: it is where the source seems to be.
const TRANSLATIONS: &[&str] = &["305009", "305010", "305011", "305012"];

/// Paths that may hold a field's value in this document, beside the field's own.
fn beside(ecs: &Value, field: &str) -> &'static [&'static str] {
    let code = values(ecs, "event.code");
    match field {
        _ if !code.iter().any(|code| TRANSLATIONS.contains(&code.as_str())) => &[],
        "destination.ip" => &["src_endpoint.proxy_endpoint.ip"],
        "destination.port" => &["src_endpoint.proxy_endpoint.port"],
        _ => &[],
    }
}

/// The event with its ends and what each of them sent exchanged.
fn turned(ocsf: &Value) -> Value {
    let mut turned = ocsf.clone();
    let exchange = |object: Option<&mut Value>, one: &str, other: &str| {
        if let Some(Value::Object(map)) = object {
            let (a, b) = (map.remove(one), map.remove(other));
            map.extend(a.map(|a| (other.to_owned(), a)));
            map.extend(b.map(|b| (one.to_owned(), b)));
        }
    };
    exchange(Some(&mut turned), "src_endpoint", "dst_endpoint");
    exchange(turned.get_mut("traffic"), "bytes_in", "bytes_out");
    turned
}

/// Compares, where the ends are open in the way that finds more.
pub fn judge(
    raw: &str,
    ecs: &Value,
    ocsf: &Value,
    miss: &mut dyn FnMut(&str, &str, &str),
) -> Scores {
    let open = values(ecs, "event.code").iter().any(|code| OPEN_ENDS.contains(&code.as_str()));
    if open {
        let turned = turned(ocsf);
        let found = |ocsf: &Value| -> u64 {
            compare(raw, ecs, ocsf, &mut |_, _, _| {}).values().map(|score| score.found).sum()
        };
        if found(&turned) > found(ocsf) {
            return compare(raw, ecs, &turned, miss);
        }
    }
    compare(raw, ecs, ocsf, miss)
}

/// Compares; `miss` is told each value that was not found and what is held instead, and with
/// `!` before the path each held value that the document contradicts and what it says.
fn compare(raw: &str, ecs: &Value, ocsf: &Value, miss: &mut dyn FnMut(&str, &str, &str)) -> Scores {
    let mut scores = Scores::new();
    for field in FIELDS.iter().filter(|field| field.counts()) {
        let paths = field.ocsf.iter().chain(beside(ecs, field.ecs));
        let held: Vec<_> = paths.flat_map(|path| held(ocsf, path)).collect();
        for expected in distinct(values(ecs, field.ecs)) {
            if !field.how.stated(&expected, raw) {
                continue;
            }
            let score = scores.entry(field.kind).or_default();
            score.expected += 1;
            if held
                .iter()
                .any(|(value, domain)| field.how.same(&expected, value, domain.as_deref()))
            {
                score.found += 1;
            } else {
                let instead: Vec<_> = held.iter().map(|(value, _)| value.as_str()).collect();
                miss(field.ecs, &expected, &instead.join(" "));
            }
        }
    }
    for (kind, wrong) in wrong(ecs, ocsf, miss) {
        scores.entry(kind).or_default().wrong += wrong;
    }
    actions(raw, ecs, ocsf, scores.entry(Kind::Action).or_default(), miss);
    scores
}

/// Values of the event that the document contradicts: it names others for that attribute,
/// or has this very value only elsewhere.
fn wrong(ecs: &Value, ocsf: &Value, miss: &mut dyn FnMut(&str, &str, &str)) -> BTreeMap<Kind, u64> {
    let mut count = BTreeMap::new();
    let mut paths: Vec<_> = FIELDS.iter().flat_map(|field| field.ocsf).copied().collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        let names =
            |field: &&Field| field.ocsf.contains(&path) || beside(ecs, field.ecs).contains(&path);
        let fields: Vec<_> = FIELDS.iter().filter(names).collect();
        let Some(first) = fields.first() else { continue };
        let expected: Vec<_> = fields
            .iter()
            .flat_map(|field| values(ecs, field.ecs).into_iter().map(|value| (field.how, value)))
            .collect();
        let all = held(ocsf, path);
        // Of the addresses that a request was forwarded for, documents keep one.
        let one = path == "http_request.x_forwarded_for"
            && all
                .iter()
                .any(|(value, _)| expected.iter().any(|(how, e)| how.same(e, value, None)));
        for (value, domain) in all.into_iter().filter(|_| !one) {
            let same = |(how, wanted): &(How, String)| how.same(wanted, &value, domain.as_deref());
            let elsewhere = || {
                matches!(first.kind, Kind::Address | Kind::Port | Kind::User | Kind::Hash)
                    && FIELDS
                        .iter()
                        .filter(|field| field.kind == first.kind)
                        .flat_map(|field| {
                            values(ecs, field.ecs).into_iter().map(|v| (field.how, v))
                        })
                        .any(|pair| same(&pair))
            };
            let contradicted =
                if expected.is_empty() { elsewhere() } else { !expected.iter().any(same) };
            if contradicted {
                let said: Vec<_> = expected.iter().map(|(_, value)| value.as_str()).collect();
                miss(&format!("!{path}"), &value, &said.join(" "));
            }
            *count.entry(first.kind).or_default() += u64::from(contradicted);
        }
    }
    count
}

/// What the control decided, by OCSF's numbers and the HTTP status.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Yes,
    No,
}

const NO_WORDS: &[&str] = &[
    "deny",
    "denied",
    "drop",
    "dropped",
    "block",
    "blocked",
    "reject",
    "rejected",
    "refused",
    "flow_denied",
    "flow_dropped",
];
const YES_WORDS: &[&str] =
    &["allow", "allowed", "accept", "accepted", "permit", "permitted", "pass", "passed"];

/// Verdicts (`event.type`), outcomes and the words of actions.
///
/// An outcome counts always, since documents derive it and so may we; where the type is
/// `denied` it says that the control worked, which OCSF has no attribute for. A word counts
/// if the text has it: it must be held as a word, or be one of the few words that only say
/// yes or no and agree with the verdict.
fn actions(
    raw: &str,
    ecs: &Value,
    ocsf: &Value,
    score: &mut Score,
    miss: &mut dyn FnMut(&str, &str, &str),
) {
    let verdict = verdict(ocsf);
    let mut judge = |field: &str, expected: &str, right: bool, contradicted: bool| {
        score.expected += 1;
        score.found += u64::from(right);
        score.wrong += u64::from(!right && contradicted);
        if !right {
            let name = if contradicted { format!("!{field}") } else { field.to_owned() };
            let held = |path: &str| values(ocsf, path).join("");
            let instead = [
                held("action"),
                held("activity_name"),
                held("disposition"),
                held("status"),
                held("metadata.event_code"),
                held("class_name"),
            ];
            miss(&name, expected, &instead.join("/"));
        }
    };
    let types = values(ecs, "event.type");
    for (word, wanted) in [("allowed", Verdict::Yes), ("denied", Verdict::No)] {
        if types.iter().any(|known| known == word) {
            judge("event.type", word, verdict == Some(wanted), verdict.is_some());
        }
    }
    let denied = types.iter().any(|known| known == "denied");
    for outcome in values(ecs, "event.outcome") {
        let wanted = match outcome.as_str() {
            "success" if !denied => Verdict::Yes,
            "failure" => Verdict::No,
            _ => continue,
        };
        judge("event.outcome", &outcome, verdict == Some(wanted), verdict.is_some());
    }
    for word in values(ecs, "event.action") {
        if !How::Text.stated(&word, raw) {
            continue;
        }
        // `drop_input` says no more about the verdict than `drop` does.
        let low = word.to_ascii_lowercase();
        let stem = low.split(['_', '-', ' ']).next().unwrap_or(&low);
        let decides = if NO_WORDS.iter().any(|no| [stem, &low].contains(no)) {
            Some(Verdict::No)
        } else if YES_WORDS.contains(&stem) {
            Some(Verdict::Yes)
        } else {
            None
        };
        let right = worded(ocsf, &word) || (decides.is_some() && verdict == decides);
        judge("event.action", &word, right, decides.is_some() && verdict.is_some());
    }
}

fn verdict(ocsf: &Value) -> Option<Verdict> {
    let number = |path: &str| values(ocsf, path).first().and_then(|text| text.parse::<i64>().ok());
    match number("action_id") {
        Some(1 | 3 | 4) => return Some(Verdict::Yes),
        Some(2) => return Some(Verdict::No),
        _ => {}
    }
    match number("status_id") {
        Some(1) => return Some(Verdict::Yes),
        Some(2) => return Some(Verdict::No),
        _ => {}
    }
    number("http_response.code").filter(|code| *code > 0).map(|code| match code {
        ..400 => Verdict::Yes,
        _ => Verdict::No,
    })
}

/// Whether an attribute that words what happened holds `word`.
fn worded(ocsf: &Value, word: &str) -> bool {
    const PATHS: &[&str] = &[
        "action",
        "activity_name",
        "disposition",
        "status",
        "status_detail",
        "status_code",
        "api.operation",
        "metadata.event_code",
        "metadata.type",
        "finding_info.title",
        "http_request.http_method",
        "message",
    ];
    // OCSF calls a login a logon.
    let plain = |text: &str| {
        let all: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
        all.to_ascii_lowercase().replace("login", "logon").replace("logout", "logoff")
    };
    PATHS.iter().flat_map(|path| values(ocsf, path)).any(|value| plain(&value) == plain(word))
}

/// The values at an OCSF path, each with the domain beside it where it is a name.
fn held(ocsf: &Value, path: &str) -> Vec<(String, Option<String>)> {
    let domain = path
        .strip_suffix(".name")
        .and_then(|stem| values(ocsf, &format!("{stem}.domain")).into_iter().next());
    values(ocsf, path).into_iter().map(|value| (value, domain.clone())).collect()
}

fn distinct(mut all: Vec<String>) -> Vec<String> {
    all.sort_unstable();
    all.dedup();
    all
}

/// Every scalar at a dotted path, through lists.
pub fn values(root: &Value, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    walk(root, path, &mut found);
    found
}

fn walk(at: &Value, path: &str, found: &mut Vec<String>) {
    match at {
        Value::Array(list) => list.iter().for_each(|item| walk(item, path, found)),
        Value::Object(map) if !path.is_empty() => {
            if let Some(value) = map.get(path) {
                return walk(value, "", found);
            }
            let (head, rest) = path.split_once('.').unwrap_or((path, ""));
            if let Some(value) = map.get(head) {
                walk(value, rest, found);
            }
        }
        Value::String(text) if path.is_empty() && !text.is_empty() => found.push(text.clone()),
        Value::Number(number) if path.is_empty() => found.push(number.to_string()),
        _ => {}
    }
}
