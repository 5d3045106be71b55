//! Engines that nobody here wrote read the tables and agree with us on counts and sums.
//!
//! They are PyPI's, so only `--full` runs this; it installs them below cargo's folder for tests.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/mod.rs"]
mod support;

use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{ndjson, ok};
use yagura_testkit::story::Story;

/// The readers, as `pip install` names them.
const READERS: [&str; 4] =
    ["duckdb==1.5.5", "duckdb-extension-delta==1.5.5", "polars==2.1.0", "deltalake==1.6.6"];

/// An interpreter with the readers.
fn python() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readers");
    let python = home.join("bin/python");
    if !home.join("complete").exists() {
        let run = |command: &mut Command| {
            let output = command.output().expect("apt install python3-venv");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{command:?}: {said}");
        };
        run(Command::new("python3").args(["-m", "venv"]).arg(&home));
        run(Command::new(&python).args(["-m", "pip", "install", "-q"]).args(READERS));
        std::fs::write(home.join("complete"), "").unwrap();
    }
    python
}

#[test]
fn foreign_readers_agree() {
    if std::env::var("YAGURA_FULL").as_deref() != Ok("1") {
        println!("SKIPPED: readers from PyPI (`cargo xtask test --full` installs and runs them)");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let data = data.to_str().unwrap();
    // Two batches are two files, the second with columns that the first has not.
    let story = Story::generate(5, 1_789_984_800_000_000);
    let mut text = String::new();
    for (half, lines) in story.lines.chunks(story.lines.len() / 2 + 1).enumerate() {
        text.clear();
        lines.iter().for_each(|line| writeln!(text, "{}", line.text).unwrap());
        let file = dir.path().join(format!("{half}.log"));
        std::fs::write(&file, &text).unwrap();
        ok(&["ingest", "--data", data, file.to_str().unwrap()]);
    }
    let sums = "SELECT count(*) AS rows, count(DISTINCT event_id) AS ids, sum(lsn) AS lsns, \
                count(src_ip) AS sources, count(DISTINCT class_uid) AS classes FROM events";
    let ours = ndjson(&ok(&["sql", "--data", data, "--format", "ndjson", sums])).remove(0);
    assert_eq!(ours["rows"], story.lines.len());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/readers/read.py");
    let table = format!("{data}/lake/events");
    let output = Command::new(python()).args([script, &table]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let answers = ndjson(&String::from_utf8(output.stdout).unwrap());
    let readers: Vec<&Value> = answers.iter().map(|answer| &answer["reader"]).collect();
    assert_eq!(readers, ["duckdb", "polars", "deltalake"]);
    for mut answer in answers {
        let reader = answer.as_object_mut().unwrap().remove("reader");
        assert_eq!(answer, ours, "{reader:?}");
    }
    rewritten(&table, story.lines.len());
}

/// DuckDB writes the rows once more, all of them; the bytes on both sides are for people.
fn rewritten(table: &str, rows: usize) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/readers/sizes.py");
    let output = Command::new(python()).args([script, table]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let sizes = ndjson(&String::from_utf8(output.stdout).unwrap()).remove(0);
    assert_eq!(sizes["rows"], rows);
    println!("stored beside DuckDB-written Parquet: {sizes}");
}
