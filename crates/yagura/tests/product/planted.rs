//! The built-in rules over made-up logs: every planted attack opens an incident, nothing else does.

use crate::support::{ndjson, ok};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use yagura_testkit::generate::fnv1a;

/// Few enough that the test takes seconds, enough that an attack drowns in everyday lines.
const RECORDS: &str = "30000";
/// Two of each kind for two tenants.
const ATTACKS: &str = "10";
/// Lines of an attack that an incident must hold to have found it: one may be there by chance.
const LINES_MIN: usize = 3;

/// What was planted, with the hashes of its lines.
struct Planted {
    tenant: String,
    kind: String,
    names: BTreeSet<String>,
    lines: BTreeSet<String>,
}

fn planted(truth: &Value, part: &str) -> Vec<Planted> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let list = |value: &Value| value.as_array().unwrap().clone();
    let read = |story: &Value| Planted {
        tenant: text(&story["tenant"]),
        kind: text(&story["kind"]),
        names: (story["principals"].as_object().unwrap().values())
            .flat_map(list)
            .map(|name| text(&name).to_lowercase())
            .collect(),
        lines: list(&story["steps"])
            .iter()
            .flat_map(|step| list(&step["lines"]))
            .map(|line| text(&line["hash"]))
            .collect(),
    };
    truth[part].as_array().unwrap().iter().map(read).collect()
}

/// An incident's tenant, principals and the hashes of its records.
struct Incident {
    tenant: String,
    names: BTreeSet<String>,
    lines: BTreeSet<String>,
}

fn incidents(data: &str) -> Vec<Incident> {
    let each = |incident: &Value| Incident {
        tenant: incident["metadata"]["tenant_uid"].as_str().unwrap().to_owned(),
        names: (incident["principals"].as_array().unwrap().iter())
            .map(|p| p["value"].as_str().unwrap().to_lowercase())
            .collect(),
        lines: (incident["evidences"].as_array().unwrap().iter())
            .filter_map(|proof| proof["raw_data"].as_str())
            .map(|raw| format!("{:016x}", fnv1a(raw.as_bytes())))
            .collect(),
    };
    ndjson(&ok(&["incidents", "--data", data, "--format", "ndjson"])).iter().map(each).collect()
}

fn mix(dir: &Path, seed: &str) -> (Value, Vec<Incident>) {
    let (out, data) = (dir.join(format!("logs-{seed}")), dir.join(format!("data-{seed}")));
    let (out, data) = (out.to_str().unwrap(), data.to_str().unwrap());
    let size = ["generate", "--records", RECORDS, "--tenants", "2", "--attacks", ATTACKS];
    ok(&[&size[..], &["--seed", seed, "--out", out]].concat());
    let truth = std::fs::read(Path::new(out).join("truth.json")).unwrap();
    let truth: Value = serde_json::from_slice(&truth).unwrap();
    let tenants: BTreeSet<String> =
        planted(&truth, "attacks").into_iter().map(|attack| attack.tenant).collect();
    for tenant in tenants {
        let logs = format!("{out}/{tenant}");
        ok(&["ingest", &logs, "--tenant", &tenant, "--data", data, "--path", "{host}"]);
    }
    (truth, incidents(data))
}

#[test]
fn every_planted_attack_opens_an_incident_and_nothing_else_does() {
    let dir = tempfile::tempdir().unwrap();
    let mut kinds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let (mut opened, mut herrings, mut unfounded) = (0, 0, Vec::new());
    for seed in ["2", "7", "19"] {
        let (truth, incidents) = mix(dir.path(), seed);
        let attacks = planted(&truth, "attacks");
        herrings += planted(&truth, "herrings").len();
        opened += incidents.len();
        let tells = |incident: &Incident, attack: &Planted| {
            incident.tenant == attack.tenant
                && incident.names.intersection(&attack.names).next().is_some()
                && incident.lines.intersection(&attack.lines).count() >= LINES_MIN
        };
        for attack in &attacks {
            let (there, found) = kinds.entry(attack.kind.clone()).or_default();
            *there += 1;
            *found += usize::from(incidents.iter().any(|incident| tells(incident, attack)));
        }
        for incident in &incidents {
            if !attacks.iter().any(|attack| tells(incident, attack)) {
                unfounded.push(format!("seed {seed}: {:?}", incident.names));
            }
        }
    }
    println!("kind                 planted  found");
    for (kind, (there, found)) in &kinds {
        println!("{kind:<20} {there:>7} {found:>6}");
    }
    println!("{opened} incidents, {} of them unfounded, {herrings} red herrings", unfounded.len());
    assert_eq!(unfounded, Vec::<String>::new());
    assert_eq!(kinds.len(), 5);
    for (kind, (there, found)) in &kinds {
        assert!(*there >= 6 && found == there, "{kind}: {found} of {there}");
    }
}
