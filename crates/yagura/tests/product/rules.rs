//! The built-in rules on lines written for them: `rules/<slug>.tests.toml`.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use yagura::engine::Engine;
use yagura::evaluate::{Options, evaluate};
use yagura::inputs::{Pattern, list};
use yagura_event::Level;
use yagura_event::time::parse_rfc3339;
use yagura_parse::Sources;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    host: Option<String>,
    /// Findings above informational by rule id; no other rule may fire.
    expect: BTreeMap<String, usize>,
    lines: String,
}

/// Findings above informational of a case, by rule id.
fn found(engine: &Engine, case: &Case) -> BTreeMap<String, usize> {
    let dir = tempfile::tempdir().unwrap();
    let folder = match &case.host {
        Some(host) => dir.path().join("from").join(host),
        None => dir.path().join("lines"),
    };
    std::fs::create_dir_all(&folder).unwrap();
    // A file has one form: what begins with a brace is JSON.
    for (name, json) in [("lines.json", true), ("lines.log", false)] {
        let lines = case.lines.lines().filter(|line| line.starts_with('{') == json);
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        std::fs::write(folder.join(name), text).unwrap();
    }
    let patterns = [Pattern::parse("from/{host}/...").unwrap()];
    let inputs = list(&[dir.path().to_owned()], &patterns).unwrap();
    let now = parse_rfc3339("2026-05-29T00:00:00Z").unwrap();
    let evaluation = evaluate(engine, &inputs.inputs, &Options::at(now)).unwrap();
    let mut counts = BTreeMap::new();
    for finding in evaluation.findings.iter().filter(|f| f.level > Level::Informational) {
        *counts.entry(finding.rule.clone()).or_default() += 1;
    }
    counts
}

#[test]
fn every_rule_fires_on_its_lines_and_is_quiet_on_others() {
    let set = yagura::rules::load(true, None, &[]);
    assert_eq!(set.errors, []);
    let mut untested: BTreeSet<String> = set
        .rules
        .iter()
        .filter(|rule| rule.level > Level::Informational)
        .map(|rule| rule.id.clone())
        .collect();
    assert!(untested.len() >= 15);
    let engine = Engine::new(Arc::new(Sources::builtin().unwrap()), Arc::new(set));
    assert_eq!(engine.plan_errors().len(), 0);
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules"));
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(slug) = name.strip_suffix(".yml") else { continue };
        let text = std::fs::read_to_string(folder.join(format!("{slug}.tests.toml")))
            .unwrap_or_else(|e| panic!("{slug} has no cases: {e}"));
        let file: File = toml::from_str(&text).unwrap_or_else(|e| panic!("{slug}: {e}"));
        assert!(file.case.iter().any(|case| case.expect.is_empty()), "{slug} has no quiet case");
        for case in &file.case {
            let found = found(&engine, case);
            if found != case.expect {
                wrong.push(format!("{slug}: {}: {found:?}", case.name));
            }
            for rule in case.expect.keys() {
                untested.remove(rule);
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(untested, BTreeSet::new(), "rules without a firing case");
}
