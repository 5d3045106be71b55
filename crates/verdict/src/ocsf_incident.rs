//! An incident as OCSF Incident Finding (class 2005), with principals, evidence and waterfalls.

use crate::incident::{Incident, Proof, State, Step, Story};
use crate::ocsf::{analytic, head, metadata, ms, severity, span, tactic};
use crate::outcome::Outcome;
use crate::principal::Principal;
use serde_json::{Map, Value, json};
use yagura_event::time::rfc3339;

/// The incident in OCSF. Beyond the class: `principals` (`type`, `value`, `role`, verdict),
/// `evidences` with `raw_data`, `timeline`, `standings` (the waterfalls), `links`, `outcome`,
/// and the Japanese texts `title_ja` and `desc_ja`.
pub fn incident_json(incident: &Incident) -> Value {
    let story = &incident.story;
    let closed = matches!(incident.state, State::Merged(_));
    let (activity_id, activity) = if closed { (3, "Close") } else { (1, "Create") };
    let mut root = head(2005, "Incident Finding", activity_id, activity, story.last_time);
    severity(&mut root, story.severity);
    root.insert("metadata".into(), metadata(&incident.id, &incident.tenant, 1));
    root.insert("message".into(), json!(story.title));
    root.insert("title".into(), json!(story.title));
    root.insert("title_ja".into(), json!(story.title_ja));
    root.insert("desc".into(), json!(story.summary));
    root.insert("desc_ja".into(), json!(story.summary_ja));
    span(&mut root, story.first_time, story.last_time);
    status(&mut root, incident);
    root.insert("is_suspected_breach".into(), json!(story.outcome == Outcome::Succeeded));
    root.insert("outcome".into(), json!(story.outcome.word()));
    root.insert("opened_time".into(), json!(ms(incident.opened_time)));
    root.insert("opened_time_dt".into(), json!(rfc3339(incident.opened_time)));
    root.insert("attacks".into(), attacks(story));
    root.insert("principals".into(), story.principals.iter().map(principal).collect());
    root.insert("finding_info_list".into(), story.timeline.iter().map(finding_info).collect());
    root.insert("timeline".into(), story.timeline.iter().map(step).collect());
    root.insert("evidences".into(), story.evidence.iter().map(proof).collect());
    root.insert("links".into(), json!(story.links));
    root.insert("standings".into(), json!(story.standings));
    Value::Object(root)
}

fn status(root: &mut Map<String, Value>, incident: &Incident) {
    let (id, word) = match &incident.state {
        State::Open => (1, "New"),
        State::Merged(into) => {
            root.insert("merged_into".into(), json!(into));
            root.insert("verdict_id".into(), json!(10));
            root.insert("verdict".into(), json!("Duplicate"));
            (5, "Closed")
        }
    };
    root.insert("status_id".into(), json!(id));
    root.insert("status".into(), json!(word));
    if incident.state == State::Open {
        root.insert("verdict_id".into(), json!(4));
        root.insert("verdict".into(), json!("Suspicious"));
    }
}

fn attacks(story: &Story) -> Value {
    let tactics = story.tactics.iter().map(|t| json!({ "tactic": tactic(*t) }));
    let techniques = story.techniques.iter().map(|id| {
        let parent = id.split('.').next().unwrap_or(id);
        if parent == id {
            json!({ "technique": { "uid": id } })
        } else {
            json!({ "technique": { "uid": parent }, "sub_technique": { "uid": id } })
        }
    });
    tactics.chain(techniques).collect()
}

fn principal(principal: &Principal) -> Value {
    json!({
        "type": principal.entity.kind.word(),
        "value": principal.entity.value,
        "role": principal.role.word(),
        "verdict": principal.verdict.word(),
        "probability": principal.probability,
        "evidence": principal.evidence,
    })
}

fn finding_info(step: &Step) -> Value {
    json!({
        "uid": step.finding,
        "title": step.title,
        "analytic": analytic(&step.rule, &step.title, ""),
        "first_seen_time": ms(step.time),
        "last_seen_time": ms(step.last_time),
    })
}

fn step(step: &Step) -> Value {
    json!({
        "time": ms(step.time),
        "time_dt": rfc3339(step.time),
        "last_time_dt": rfc3339(step.last_time),
        "finding": step.finding,
        "rule": step.rule,
        "title": step.title,
        "level": step.level.word(),
        "count": step.count,
        "tactics": step.tactics.iter().map(|t| t.name()).collect::<Vec<_>>(),
        "outcome": step.outcome.word(),
        "entities": step.entities.iter()
            .map(|e| json!({ "type": e.kind.word(), "value": e.value }))
            .collect::<Vec<_>>(),
    })
}

fn proof(proof: &Proof) -> Value {
    let fields: Map<String, Value> =
        proof.fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({
        "uid": proof.event,
        "name": proof.source,
        "data": {
            "time": ms(proof.time),
            "time_dt": rfc3339(proof.time),
            "source": proof.source,
            "feed": proof.feed,
            "findings": proof.findings,
            "rules": proof.rules,
            "fields": fields,
        },
        "raw_data": proof.raw,
    })
}
