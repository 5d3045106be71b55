//! A finding as OCSF Detection Finding (class 2004).

use crate::attack::{Tactic, tactics, techniques};
use crate::graph::Graph;
use crate::outcome::of_finding;
use crate::weight::INDICATOR;
use serde_json::{Map, Value, json};
use yagura_event::json::OCSF_VERSION;
use yagura_event::time::{Micros, rfc3339};
use yagura_event::{EventId, Finding, Level, Observable, Party, Role, Sample};

/// Label of findings for which a rule was run over the past.
const RETROSPECTIVE: &str = "retrospective";

/// The finding in OCSF: rule in `finding_info.analytic`, level in `severity_id`, ATT&CK in
/// `finding_info.attacks`, the causing records in `evidences`, entities in `observables`,
/// `count`, first and last time. Times are milliseconds, with RFC 3339 in the `_dt` attribute.
pub fn finding_json(finding: &Finding) -> Value {
    let uid = finding.finding_id().to_string();
    let updated = finding.version > 1;
    let (activity_id, activity) = if updated { (2, "Update") } else { (1, "Create") };
    let mut root = head(2004, "Detection Finding", activity_id, activity, finding.last_time);
    severity(&mut root, finding.level);
    let mut metadata = metadata(&uid, &finding.tenant, finding.version);
    if finding.retrospective {
        metadata["labels"] = json!([RETROSPECTIVE]);
    }
    root.insert("metadata".into(), metadata);
    root.insert("message".into(), json!(finding.title));
    root.insert("count".into(), json!(finding.count));
    span(&mut root, finding.first_time, finding.last_time);
    root.insert("status_id".into(), json!(1));
    root.insert("status".into(), json!("New"));
    root.insert(
        "finding_info".into(),
        json!({
            "uid": uid,
            "title": finding.title,
            "analytic": analytic_of(finding),
            "attacks": attacks(&finding.tags),
            "first_seen_time": ms(finding.first_time),
            "first_seen_time_dt": rfc3339(finding.first_time),
            "last_seen_time": ms(finding.last_time),
            "last_seen_time_dt": rfc3339(finding.last_time),
            "tags": finding.tags.iter().map(|t| json!({"name": t})).collect::<Vec<_>>(),
        }),
    );
    root.insert("evidences".into(), finding.samples.iter().map(evidence).collect());
    root.insert("observables".into(), observables(&finding.parties));
    let outcome = of_finding(finding, &tactics(&finding.tags));
    root.insert(
        "unmapped".into(),
        json!({ "group": finding.group, "kind": finding.kind, "outcome": outcome.word(), "lsn": finding.lsn }),
    );
    Value::Object(root)
}

/// The attributes every finding class begins with.
pub(crate) fn head(
    class_uid: i64,
    class_name: &str,
    activity_id: i64,
    activity: &str,
    time: Micros,
) -> Map<String, Value> {
    let mut root = Map::new();
    root.insert("time".into(), json!(ms(time)));
    root.insert("time_dt".into(), json!(rfc3339(time)));
    root.insert("category_uid".into(), json!(2));
    root.insert("category_name".into(), json!("Findings"));
    root.insert("class_uid".into(), json!(class_uid));
    root.insert("class_name".into(), json!(class_name));
    root.insert("activity_id".into(), json!(activity_id));
    root.insert("activity_name".into(), json!(activity));
    root.insert("type_uid".into(), json!(class_uid * 100 + activity_id));
    root.insert("type_name".into(), json!(format!("{class_name}: {activity}")));
    root
}

pub(crate) fn severity(root: &mut Map<String, Value>, level: Level) {
    let word = match level {
        Level::Informational => "Informational",
        Level::Low => "Low",
        Level::Medium => "Medium",
        Level::High => "High",
        Level::Critical => "Critical",
    };
    root.insert("severity_id".into(), json!(level.severity_id()));
    root.insert("severity".into(), json!(word));
}

pub(crate) fn metadata(uid: &str, tenant: &str, version: u32) -> Value {
    json!({
        "version": OCSF_VERSION,
        "product": { "name": "Yagura", "vendor_name": "Yagura" },
        "uid": uid,
        "tenant_uid": tenant,
        "sequence": version,
    })
}

pub(crate) fn span(root: &mut Map<String, Value>, first: Micros, last: Micros) {
    root.insert("start_time".into(), json!(ms(first)));
    root.insert("start_time_dt".into(), json!(rfc3339(first)));
    root.insert("end_time".into(), json!(ms(last)));
    root.insert("end_time_dt".into(), json!(rfc3339(last)));
}

/// OCSF `analytic`: a single-event rule is a Rule, what counts or measures is Statistical, what
/// looks at several rules or at rhythm is Behavioral, a list of indicators is none of these.
fn analytic_of(finding: &Finding) -> Value {
    let mut analytic = analytic(&finding.rule, &finding.title, &finding.kind);
    if !finding.rule_version.is_empty() {
        analytic["version"] = json!(finding.rule_version);
    }
    analytic
}

pub(crate) fn analytic(uid: &str, name: &str, kind: &str) -> Value {
    let (type_id, word) = match kind {
        "rule" | "" => (1, "Rule"),
        INDICATOR => (99, "Indicator"),
        "event_count" | "value_count" => (3, "Statistical"),
        _ => (2, "Behavioral"),
    };
    json!({ "uid": uid, "name": name, "type_id": type_id, "type": word })
}

/// OCSF `attack` objects: one per technique with the rule's tactics, or per tactic where the
/// rule names no technique.
pub(crate) fn attacks(tags: &[String]) -> Value {
    let tactics: Vec<Value> = tactics(tags).into_iter().map(tactic).collect();
    let techniques = techniques(tags);
    if techniques.is_empty() {
        return tactics.into_iter().map(|t| json!({ "tactic": t })).collect();
    }
    techniques
        .into_iter()
        .map(|id| {
            let mut attack = Map::new();
            let parent = id.split('.').next().unwrap_or(&id).to_owned();
            if parent != id {
                attack.insert("sub_technique".into(), json!({ "uid": id }));
            }
            attack.insert("technique".into(), json!({ "uid": parent }));
            if let Some(first) = tactics.first() {
                attack.insert("tactic".into(), first.clone());
                attack.insert("tactics".into(), json!(tactics));
            }
            Value::Object(attack)
        })
        .collect()
}

pub(crate) fn tactic(tactic: Tactic) -> Value {
    json!({ "uid": tactic.uid(), "name": tactic.name() })
}

fn evidence(sample: &Sample) -> Value {
    let mut root = Map::new();
    root.insert("uid".into(), json!(EventId(sample.event).to_string()));
    root.insert("name".into(), json!(sample.source));
    let fields: Map<String, Value> =
        sample.fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    root.insert(
        "data".into(),
        json!({
            "time": ms(sample.time),
            "time_dt": rfc3339(sample.time),
            "source": sample.source,
            "feed": sample.feed,
            "rule": sample.rule,
            "fields": fields,
        }),
    );
    for party in &sample.parties {
        place(&mut root, party);
    }
    root.insert("raw_data".into(), json!(sample.raw));
    Value::Object(root)
}

/// Puts a party where OCSF's `evidences` has a place for it.
fn place(root: &mut Map<String, Value>, party: &Party) {
    use yagura_event::ObservableKind as Kind;
    let value = json!(party.observable.value);
    let path: &str = match (party.role, party.observable.kind) {
        (Role::Device, Kind::Host) => "device.hostname",
        (Role::Device, Kind::Ip) => "device.ip",
        (Role::Actor, Kind::User) => "actor.user.name",
        (Role::Target, Kind::User) => "user.name",
        (Role::Source, Kind::Ip) => "src_endpoint.ip",
        (Role::Source, Kind::Host) => "src_endpoint.hostname",
        (Role::Destination, Kind::Ip) => "dst_endpoint.ip",
        (Role::Destination, Kind::Host) => "dst_endpoint.hostname",
        (Role::Destination, Kind::Domain) => "dst_endpoint.domain",
        (Role::Object, Kind::CommandLine) => "process.cmd_line",
        (Role::Object, Kind::Process) => "process.path",
        (Role::Object, Kind::File) => "file.path",
        (Role::Object, Kind::Url) => "url.url_string",
        _ => return,
    };
    yagura_event::json::insert(root, path, value);
}

fn observables(parties: &[Party]) -> Value {
    let mut seen: Vec<&Observable> = Vec::new();
    for party in parties {
        if !seen.contains(&&party.observable) {
            seen.push(&party.observable);
        }
    }
    seen.into_iter()
        .map(|o| {
            json!({
                "name": o.kind.word(),
                "type_id": o.kind.type_id(),
                "type": o.kind.type_name(),
                "value": o.value,
            })
        })
        .collect()
}

pub(crate) fn ms(time: Micros) -> i64 {
    time.div_euclid(1_000)
}

/// The entities of a finding as the judgement would take them without any relation, for
/// displays that have none at hand.
pub fn entities(finding: &Finding) -> Vec<crate::entity::Entity> {
    let graph = Graph::default();
    crate::touch::touches(finding, &graph).into_iter().map(|t| t.entity).collect()
}
