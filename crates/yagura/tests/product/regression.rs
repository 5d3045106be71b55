//! The Sigma project's regression set: every case's events match the case's rule.

use crate::support::{error_of, files_below, ndjson, shared, unpack, yagura};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// Folders of the rules' archive that the cases belong to.
const RULES: &[&str] = &["rules", "rules-emerging-threats", "rules-threat-hunting"];

struct Case {
    rule: String,
    least: u64,
    /// Inputs by their ending.
    inputs: BTreeMap<String, PathBuf>,
}

/// Reads `info.yml` as far as it matters here: the rule's id and the number of matches.
fn case(info: &Path, files: &[PathBuf]) -> Case {
    let text = std::fs::read_to_string(info).unwrap();
    let value = |key: &str| {
        text.lines().find_map(|line| {
            let rest = line.trim_start().trim_start_matches("- ").strip_prefix(key)?;
            Some(rest.trim().trim_matches(['"', '\'']).to_owned())
        })
    };
    let (_, rules) = text.split_once("rule_metadata:").expect("a rule's metadata");
    let rule = rules.lines().find_map(|line| {
        line.trim_start()
            .trim_start_matches("- ")
            .strip_prefix("id:")
            .map(|id| id.trim().to_owned())
    });
    let of_case = files.iter().filter(|file| file.parent() == info.parent());
    let inputs = of_case
        .filter_map(|file| Some((file.extension()?.to_str()?.to_owned(), file.clone())))
        .filter(|(ending, _)| ending != "yml")
        .collect();
    let least = value("match_count:").map_or(1, |count| count.parse().unwrap());
    Case { rule: rule.expect("a rule's id"), least, inputs }
}

#[test]
fn every_case_matches_its_rule_from_every_form() {
    let (Some(cases), Some(rules)) =
        (shared("sigma/sigma-regression.tar.zst"), shared("sigma/sigma-rules.tar.zst"))
    else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    unpack(&cases, dir.path());
    unpack(&rules, dir.path());
    let files = files_below(&dir.path().join("regression_data"));
    let infos = files.iter().filter(|file| file.ends_with("info.yml"));
    let cases: Vec<Case> = infos.map(|info| case(info, &files)).collect();
    let folders: Vec<String> =
        RULES.iter().map(|name| dir.path().join(name).to_str().unwrap().to_owned()).collect();
    for (ending, expected) in [("evtx", 121), ("json", 121), ("raw", 1)] {
        let inputs: Vec<(&Case, &str)> = cases
            .iter()
            .filter_map(|case| Some((case, case.inputs.get(ending)?.to_str().unwrap())))
            .collect();
        assert_eq!(inputs.len(), expected, "cases with {ending}");
        let mut args = vec!["scan", "--rules"];
        args.extend(folders.iter().map(String::as_str));
        args.extend(["--format", "ndjson"]);
        args.extend(inputs.iter().map(|(_, input)| *input));
        let output = yagura(&args);
        assert!(output.status.success(), "{}", error_of(&output));
        let mut hits: HashMap<(String, String), u64> = HashMap::new();
        for finding in ndjson(&String::from_utf8(output.stdout).unwrap()) {
            let rule = finding["finding_info"]["analytic"]["uid"].as_str().unwrap().to_owned();
            let input = finding["input"].as_str().unwrap().to_owned();
            *hits.entry((input, rule)).or_default() += finding["count"].as_u64().unwrap_or(1);
        }
        let short: Vec<String> = inputs
            .iter()
            .filter_map(|(case, input)| {
                let key = ((*input).to_owned(), case.rule.clone());
                let found = hits.get(&key).copied().unwrap_or_default();
                (found < case.least).then(|| format!("{}: {found} of {}", case.rule, case.least))
            })
            .collect();
        println!("{ending}: {} cases, {} short", inputs.len(), short.len());
        assert!(short.is_empty(), "{ending}: {short:?}");
    }
}
