//! Incidents of the shared scenarios, judged against their truth.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};
use yagura::engine::Engine;
use yagura::evaluate::{Evaluation, Options, Reading, evaluate, judge, read};
use yagura::inputs::{Pattern, list};
use yagura_event::RelationKind;
use yagura_event::time::{DAY, MINUTE, Micros, SECOND, parse_rfc3339};
use yagura_parse::Sources;
use yagura_testkit::story::{Channel, Story};
use yagura_verdict::{Candidate, EntityKind, PrincipalRole};

/// After every scenario; a fixed one so that runs are alike.
const NOW: Micros = 1_790_000_000_000_000;

fn shared(path: &str) -> Option<PathBuf> {
    let full = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")).join(path);
    if full.exists() {
        return Some(full);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "shared data {path} is missing");
    println!("SKIPPED: {} is not there", full.display());
    None
}

fn unpack(archive: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let status = Command::new("tar")
        .arg("--zstd")
        .arg("-xf")
        .arg(archive)
        .arg("-C")
        .arg(dir.path())
        .status()
        .unwrap();
    assert!(status.success(), "cannot unpack {}", archive.display());
    dir
}

/// SigmaHQ's rules of all folders `rules*`, and the built-in ones.
static ENGINE: LazyLock<Option<Engine>> = LazyLock::new(|| {
    let archive = shared("sigma/sigma-rules.tar.zst")?;
    let dir = unpack(&archive);
    let mut folders = Vec::new();
    find_rules(dir.path(), 0, &mut folders);
    assert!(!folders.is_empty());
    let set = yagura::rules::load(true, None, &folders);
    assert!(set.rules.len() > 3_000, "{}", set.rules.len());
    Some(Engine::new(Arc::new(Sources::builtin().unwrap()), Arc::new(set)))
});

fn find_rules(dir: &Path, depth: usize, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_dir() {
            continue;
        }
        if path.file_name().unwrap().to_string_lossy().starts_with("rules") {
            out.push(path);
        } else if depth < 2 {
            find_rules(&path, depth + 1, out);
        }
    }
    out.sort();
}

/// What a scenario's truth file says of its attack, names in lower case.
struct Truth {
    steps: Vec<Step>,
    start: Micros,
}

struct Step {
    kind: String,
    from: Micros,
    to: Micros,
    actor: String,
    system: String,
    addresses: Vec<String>,
}

impl Truth {
    fn read(text: &str) -> Self {
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        let start = parse_rfc3339(json["collection_window"]["start"].as_str().unwrap()).unwrap();
        let steps = json["events"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|e| e["ground_truth_section"] == "storyline")
            .map(|e| {
                let at = parse_rfc3339(e["time"].as_str().unwrap()).unwrap();
                let a = e["attributes"].as_object().unwrap();
                let lower = |v: &serde_json::Value| v.as_str().unwrap_or("").to_lowercase();
                // The truth gives a scan its beginning only; scanners take minutes.
                let scan = lower(&e["kind"]).ends_with("_scan");
                let lasts = lasts(a).max(if scan { 5 * MINUTE } else { 0 });
                Step {
                    kind: lower(&e["kind"]),
                    from: at - 2 * MINUTE,
                    to: at + lasts + 2 * MINUTE,
                    actor: lower(&e["actor"]),
                    system: lower(&e["system"]),
                    addresses: a
                        .iter()
                        .filter(|(k, _)| k.ends_with("_ip"))
                        .map(|(_, v)| lower(v))
                        .collect(),
                }
            })
            .collect();
        Self { steps, start }
    }

    fn systems(&self) -> BTreeSet<&str> {
        self.steps.iter().map(|s| s.system.as_str()).collect()
    }

    fn actors(&self) -> BTreeSet<&str> {
        self.steps.iter().map(|s| s.actor.as_str()).collect()
    }

    /// The share of the evidence that lies in time of a step and names a host, account or
    /// address of the attack.
    fn own_share(&self, candidate: &Candidate, evaluation: &Evaluation, shift: Micros) -> f64 {
        let mut parties: HashMap<String, BTreeSet<String>> = HashMap::new();
        for sample in evaluation.findings.iter().flat_map(|f| &f.samples) {
            let id = yagura_event::EventId(sample.event).to_string();
            let values = sample.parties.iter().map(|p| p.observable.value.to_lowercase());
            parties.entry(id).or_default().extend(values);
        }
        let names: BTreeSet<&String> = self
            .steps
            .iter()
            .flat_map(|s| [&s.actor, &s.system].into_iter().chain(&s.addresses))
            .collect();
        let own = candidate.story.evidence.iter().filter(|proof| {
            let at = proof.time - shift;
            self.steps.iter().any(|s| s.from <= at && at <= s.to)
                && parties[&proof.event].iter().any(|value| names.contains(value))
        });
        own.count() as f64 / candidate.story.evidence.len().max(1) as f64
    }
}

/// How long a step lasts, such as the beacon's `termination` of `35m`.
fn lasts(attributes: &serde_json::Map<String, serde_json::Value>) -> Micros {
    let Some(text) = attributes.get("termination").and_then(|v| v.as_str()) else { return 0 };
    let Some(minutes) = text.strip_suffix('m').and_then(|n| n.parse::<i64>().ok()) else {
        return 0;
    };
    minutes * MINUTE
}

struct Scenario {
    reading: Reading,
    truth: Truth,
    shift: Micros,
}

/// Reads a scenario, its first day moved to `day` where one is given.
fn scenario(engine: &Engine, name: &str, day: Option<Micros>) -> Option<Scenario> {
    let archive = shared(&format!("scenarios/{name}.tar.zst"))?;
    let dir = unpack(&archive);
    let root = dir.path().join(name);
    let truth = Truth::read(&std::fs::read_to_string(root.join("GROUND_TRUTH.json")).unwrap());
    let mut options = Options::at(NOW);
    options.shift = day.map_or(0, |day| day - truth.start.div_euclid(DAY) * DAY);
    let inputs = list(&[root.join("data")], &[Pattern::parse("{host}/...").unwrap()]).unwrap();
    let reading = read(engine, &inputs.inputs, &options).unwrap();
    Some(Scenario { reading, truth, shift: options.shift })
}

fn principals(candidate: &Candidate, pick: impl Fn(PrincipalRole) -> bool) -> BTreeSet<&str> {
    let all = candidate.story.principals.iter();
    all.filter(|p| pick(p.role)).map(|p| p.entity.value.as_str()).collect()
}

/// One or two incidents; the main one names the attack, none names anybody else.
fn check(name: &str) {
    let Some(engine) = ENGINE.as_ref() else { return };
    let Some(Scenario { reading, truth, shift }) = scenario(engine, name, None) else { return };
    let ties = reading.ties.clone();
    let records = reading.records;
    let evaluation = judge(engine, vec![reading]);
    println!("{name}: {records} records, {} findings", evaluation.findings.len());
    let incidents = &evaluation.candidates;
    assert!((1..=2).contains(&incidents.len()), "{} incidents", incidents.len());
    for incident in incidents {
        println!("{}", incident.story.summary);
        let share = truth.own_share(incident, &evaluation, shift);
        println!("{} records, {share:.2} the attack's own", incident.story.evidence.len());
        assert!(share >= 0.8, "{share}");
        let inside = |p: &&yagura_verdict::Principal| {
            matches!(p.entity.kind, EntityKind::Host | EntityKind::User)
        };
        for principal in incident.story.principals.iter().filter(inside) {
            let value = principal.entity.value.as_str();
            let involved = truth.systems().contains(value) || truth.actors().contains(value);
            assert!(involved, "{value} is not involved");
        }
    }
    let main = incidents.iter().max_by_key(|i| i.story.evidence.len()).unwrap();
    assert!(principals(main, |_| true).contains(truth.steps[0].system.as_str()));
    for actor in truth.actors() {
        assert!(principals(main, |_| true).contains(actor), "{actor} is missing");
    }
    for step in &truth.steps {
        let Some(address) = step.addresses.first() else { continue };
        match step.kind.as_str() {
            "failed_logon" => assert!(
                principals(main, |r| r == PrincipalRole::AttackerAddress)
                    .contains(address.as_str())
            ),
            "beacon" => {
                let named = principals(main, |r| r == PrincipalRole::Destination);
                let resolves = ties.iter().filter(|t| t.kind == RelationKind::Resolves);
                let found = named.contains(address.as_str())
                    || resolves
                        .filter(|t| t.to.value == *address)
                        .any(|t| named.contains(t.from.value.as_str()));
                assert!(found, "the beacon's destination is not among {}", named.len());
            }
            _ => {}
        }
    }
}

#[test]
fn the_branch_office_is_one_story_from_scan_to_beacon() {
    check("branch-office-example");
}

#[test]
fn the_architects_web_server_is_one_story() {
    check("arch-firm-ssh-bruteforce");
}

#[test]
fn an_ordinary_day_has_no_incident() {
    let Some(engine) = ENGINE.as_ref() else { return };
    let Some(day) = scenario(engine, "baseline-only", None) else { return };
    let evaluation = judge(engine, vec![day.reading]);
    assert!(!evaluation.findings.is_empty(), "the rules see the day");
    assert_eq!(evaluation.candidates.len(), 0);
}

#[test]
fn two_attacks_on_one_day_share_no_incident() {
    let Some(engine) = ENGINE.as_ref() else { return };
    let day = Some(NOW.div_euclid(DAY) * DAY - 7 * DAY);
    let Some(branch) = scenario(engine, "branch-office-example", day) else { return };
    let Some(firm) = scenario(engine, "arch-firm-ssh-bruteforce", day) else { return };
    let evaluation = judge(engine, vec![branch.reading, firm.reading]);
    assert!((2..=4).contains(&evaluation.candidates.len()), "{}", evaluation.candidates.len());
    for incident in &evaluation.candidates {
        let names = principals(incident, |_| true);
        let of = |truth: &Truth| truth.systems().iter().any(|s| names.contains(s));
        assert!(of(&branch.truth) != of(&firm.truth), "one incident of two attacks");
        let (truth, shift) = match of(&branch.truth) {
            true => (&branch.truth, branch.shift),
            false => (&firm.truth, firm.shift),
        };
        assert!(truth.own_share(incident, &evaluation, shift) >= 0.8);
    }
}

#[test]
fn the_made_up_company_has_one_incident() {
    let set = yagura::rules::load(true, None, &[]);
    let engine = Engine::new(Arc::new(Sources::builtin().unwrap()), Arc::new(set));
    for seed in [1, 7] {
        let story = Story::generate(seed, NOW.div_euclid(DAY) * DAY - DAY + 36_000 * SECOND);
        let dir = tempfile::tempdir().unwrap();
        let mut files: BTreeMap<PathBuf, String> = BTreeMap::new();
        for line in &story.lines {
            let place = match line.channel {
                Channel::Syslog => dir.path().join("syslog.log"),
                Channel::Http { host, .. } => {
                    let form = if line.text.starts_with('{') { "json" } else { "log" };
                    dir.path().join("from").join(host).join(format!("lines.{form}"))
                }
            };
            let text = files.entry(place).or_default();
            text.push_str(&line.text);
            text.push('\n');
        }
        for (path, text) in &files {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let patterns = [Pattern::parse("from/{host}/...").unwrap()];
        let inputs = list(&[dir.path().to_owned()], &patterns).unwrap();
        let evaluation = evaluate(&engine, &inputs.inputs, &Options::at(NOW)).unwrap();
        assert_eq!(evaluation.candidates.len(), 1, "seed {seed}");
        let incident = &evaluation.candidates[0];
        println!("{}", incident.story.summary);
        let truth = &story.truth;
        let mut named = BTreeSet::from([truth.victim_host, truth.account, truth.attacker]);
        named.insert(truth.destination);
        assert_eq!(principals(incident, |_| true), named, "seed {seed}");
        let wrong =
            incident.story.evidence.iter().filter(|p| p.raw.contains(truth.uninvolved_user));
        assert_eq!(wrong.count(), 0, "seed {seed}");
    }
}
