//! `yagura parse` over every file of the shared scenarios: one line out for each record in.
//!
//! What a record becomes is judged in the parser's own tests; here records are counted without
//! the parser's framing, and the binary's output is what is judged.

use crate::support::{error_of, files_below, shared, unpack, yagura};
use std::path::Path;

const SCENARIOS: &[&str] = &["arch-firm-ssh-bruteforce", "baseline-only", "branch-office-example"];

/// Records of a file by its own form: `<Event>` elements, stamps of a shell history, else lines.
fn records(path: &Path) -> usize {
    let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    if text.trim_start().starts_with('<') && text.contains("</Event>") {
        return text.matches("</Event>").count();
    }
    if name.ends_with("_history") {
        let stamp = |line: &str| {
            line.strip_prefix('#')
                .is_some_and(|rest| rest.len() >= 9 && rest.bytes().all(|b| b.is_ascii_digit()))
        };
        return text.lines().filter(|line| stamp(line)).count();
    }
    text.lines().filter(|line| !line.trim().is_empty()).count()
}

#[derive(Default)]
struct Tally {
    records: usize,
    named: usize,
    classless: Vec<String>,
}

fn parse(path: &Path) -> Tally {
    let output = yagura(&["parse", "--source", "auto", path.to_str().unwrap()]);
    assert!(output.status.success(), "{}: {}", path.display(), error_of(&output));
    assert_eq!(error_of(&output), "", "{}", path.display());
    let mut tally = Tally::default();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        let source = event["metadata"]["log_format"].as_str().unwrap_or_default();
        tally.records += 1;
        tally.named += usize::from(!source.is_empty());
        assert!(event["raw_data"].is_string(), "{}", path.display());
        if event["class_uid"] == 0 {
            tally.classless.push(source.to_owned());
        }
    }
    tally
}

#[test]
fn one_event_a_record_of_a_named_source_and_class() {
    let (mut files, mut total, mut named) = (0, 0, 0);
    for scenario in SCENARIOS {
        let Some(archive) = shared(&format!("scenarios/{scenario}.tar.zst")) else { return };
        let dir = tempfile::tempdir().unwrap();
        unpack(&archive, dir.path());
        let data = dir.path().join(scenario).join("data");
        // The file beside the hosts' folders tells how the logs were collected; it is none.
        for path in files_below(&data).iter().filter(|path| path.parent() != Some(&data)) {
            let tally = parse(path);
            let place = path.strip_prefix(dir.path()).unwrap().display();
            assert_eq!(tally.records, records(path), "{place}");
            assert!(tally.named * 1_000 >= tally.records * 995, "{place}: {}", tally.named);
            let unexpected = tally.classless.iter().find(|source| *source != "linux_syslog");
            assert_eq!(unexpected, None, "{place}");
            files += 1;
            total += tally.records;
            named += tally.named;
        }
    }
    assert!(files > 60, "{files} files");
    println!("{files} files, {total} records, {named} of a named source");
}
