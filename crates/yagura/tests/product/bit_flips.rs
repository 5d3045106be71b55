//! One flipped bit in every kind of file of a data directory: an answer is as it was, or there is
//! a clear error.
//!
//! Values in the pages of a data file are left out: no query compares them with the checksum that
//! is kept of the file, so there a flip can change an answer; verifying the tables finds it.

use crate::support::{error_of, files_below, ok, yagura};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What a file is, `None` for one that holds nothing that has to last.
fn kind(relative: &str) -> Option<&'static str> {
    let starts = |start: &str| relative.starts_with(start);
    Some(match relative {
        "VERSION" => "VERSION",
        "judge.sqlite" => "judge.sqlite",
        _ if starts("journal/contexts/") => "context",
        _ if starts("journal/") => "journal segment",
        _ if starts("epochs/") => "epoch",
        _ if starts("correlator/") => "correlator snapshot",
        _ if relative.ends_with(".checkpoint.parquet") => "checkpoint",
        _ if relative.ends_with(".parquet") => "data file",
        _ if relative.ends_with(".sums") => "sums",
        _ if relative.contains("_delta_log/") && relative.ends_with(".json") => "log entry",
        _ => return None,
    })
}

/// What the directory answers; an error where any of it fails.
fn answers(data: &Path) -> Result<Vec<String>, String> {
    let data = data.to_str().unwrap();
    let sql = "select * from events order by event_id";
    let calls: [&[&str]; 3] = [
        &["sql", "--data", data, "--format", "ndjson", sql],
        &["findings", "--data", data, "--format", "ndjson"],
        &["books", "--data", data, "--format", "ndjson"],
    ];
    calls
        .iter()
        .map(|call| {
            let output = yagura(call);
            match output.status.code() {
                Some(0) => Ok(String::from_utf8(output.stdout).unwrap()),
                code => Err(format!("{code:?}: {}", error_of(&output))),
            }
        })
        .collect()
}

fn copy(from: &Path, to: &Path) {
    // A failed call may have set files aside: each flip has a directory of its own.
    let _ = std::fs::remove_dir_all(to);
    for path in files_below(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(&path, &target).unwrap();
    }
}

#[test]
fn a_flipped_bit_is_named_or_changes_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, data) = (dir.path().join("whole"), dir.path().join("data"));
    let log = dir.path().join("auth.log");
    let mut text = String::new();
    for n in 0..14 {
        for m in 0..30 {
            writeln!(text, "<34>1 2026-01-05T10:{n:02}:{m:02}Z gate sshd 7 - - Failed password for root from 203.0.113.7 port 41{m:02} ssh2").unwrap();
        }
        std::fs::write(&log, &text).unwrap();
        ok(&["ingest", "--data", whole.to_str().unwrap(), log.to_str().unwrap()]);
    }
    let before = answers(&whole).unwrap();
    assert!(before[0].lines().count() == 420 && !before[1].is_empty());
    let mut of_kind: BTreeMap<&str, Vec<PathBuf>> = BTreeMap::new();
    for path in files_below(&whole) {
        let relative = path.strip_prefix(&whole).unwrap().to_owned();
        if path.metadata().unwrap().len() > 0
            && let Some(kind) = kind(relative.to_str().unwrap())
        {
            of_kind.entry(kind).or_default().push(relative);
        }
    }
    let mut wrong = Vec::new();
    for (kind, paths) in &of_kind {
        let path = paths.last().unwrap();
        let parts: &[usize] = if *kind == "data file" { &[7] } else { &[3, 7] };
        for part in parts {
            copy(&whole, &data);
            let mut bytes = std::fs::read(data.join(path)).unwrap();
            let at = bytes.len() * part / 8;
            bytes[at] ^= 4;
            std::fs::write(data.join(path), bytes).unwrap();
            let outcome = match answers(&data) {
                Ok(after) if after == before => "the same answers".to_owned(),
                Ok(_) => "OTHER ANSWERS".to_owned(),
                Err(error) => error.trim().to_owned(),
            };
            println!("{kind}, {} at byte {at}: {outcome}", path.display());
            let clear = !outcome.contains("panicked") && !outcome.contains("OTHER");
            if !clear {
                wrong.push(format!("{kind} {} at {at}: {outcome}", path.display()));
            }
        }
    }
    let kinds: Vec<_> = of_kind.keys().copied().collect();
    println!("kinds: {kinds:?}");
    for kind in [
        "VERSION",
        "judge.sqlite",
        "context",
        "journal segment",
        "epoch",
        "data file",
        "sums",
        "log entry",
    ] {
        assert!(kinds.contains(&kind), "no {kind} in {kinds:?}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
