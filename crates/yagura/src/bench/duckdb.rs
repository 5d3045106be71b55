//! The same queries over the same data files by DuckDB, where its Python package is there.

use crate::bench::Report;
use crate::bench::lake::{QUERIES, Timed};
use crate::cli::args::BenchArgs;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use yagura_lake::{LakeView, TableKind};

/// Runs the queries in the order they come, as often as we do, on as many threads.
const SCRIPT: &str = r#"
import json, sys, time
import duckdb
task = json.load(sys.stdin)
db = duckdb.connect()
# It would be among the answers.
db.execute("SET enable_progress_bar = false")
db.execute("SET threads = 2")
db.execute("SET TimeZone = 'UTC'")
for name, files in task["tables"].items():
    if files:
        db.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({files!r}, union_by_name = true)")
for sql in task["queries"]:
    best, rows, error = None, None, None
    try:
        for _ in range(task["runs"]):
            began = time.perf_counter()
            rows = db.execute(sql).fetchall()
            took = (time.perf_counter() - began) * 1000
            best = took if best is None else min(best, took)
    except duckdb.Error as why:
        error = str(why)
    first = None if rows is None else [str(cell) for row in rows for cell in row]
    print(json.dumps({"ms": best, "cells": first, "error": error}), flush=True)
"#;

/// Adds DuckDB's times and ours as a share of them.
///
/// # Errors
/// An interpreter that cannot be started; another count of rows than ours.
pub fn run(
    args: &BenchArgs,
    lake: &Path,
    view: &LakeView,
    ours: &[Timed],
    report: &mut Report,
    input: &str,
) -> anyhow::Result<()> {
    let Some(python) = &args.duckdb else {
        eprintln!("no --duckdb PYTHON: not compared with another engine");
        return Ok(());
    };
    let files = |kind: TableKind| -> Vec<String> {
        let files = view.table(kind).files.iter();
        let path = |path: &String| lake.join(kind.name()).join(path).display().to_string();
        files.map(|file| path(&file.path)).collect()
    };
    let tables = TableKind::ALL.map(|kind| (kind.name().to_owned(), json!(files(kind))));
    let tables: serde_json::Map<String, Value> = tables.into_iter().collect();
    let queries: Vec<&str> = QUERIES.iter().map(|(_, sql)| *sql).collect();
    let task = json!({ "tables": tables, "queries": queries, "runs": 3 });
    let mut child = Command::new(python)
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", python.display()))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(task.to_string().as_bytes())?;
    }
    let out = child.wait_with_output()?;
    anyhow::ensure!(
        out.status.success(),
        "DuckDB ended with {}; is its package there?",
        out.status
    );
    let lines = String::from_utf8(out.stdout)?;
    for (((name, _), ours), line) in QUERIES.iter().zip(ours).zip(lines.lines()) {
        let theirs: Value = serde_json::from_str(line)?;
        if let Some(error) = theirs["error"].as_str() {
            eprintln!("DuckDB could not answer {name}: {error}");
            continue;
        }
        let (rows, cells) = (ours.rows.lines().count(), theirs["cells"].as_array());
        let columns = ours.rows.lines().next().map_or(1, |line| line.split(',').count());
        let counted = cells.map_or(0, Vec::len) / columns.max(1);
        anyhow::ensure!(rows == counted, "{name}: {rows} rows here, {counted} by DuckDB");
        let ms = theirs["ms"].as_f64().unwrap_or(f64::NAN);
        report.add(format!("lake_query_ms_duckdb/{name}"), ms, "ms", input);
        report.add(format!("lake_query_to_duckdb/{name}"), ours.ms / ms, "ratio", input);
    }
    Ok(())
}
