//! The same queries over the same data files by DuckDB, where its Python package is there.

use crate::bench::Report;
use crate::bench::hunt::Hunted;
use crate::bench::lake::{QUERIES, Timed};
use crate::cli::args::BenchArgs;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use yagura_event::ObservableKind;
use yagura_event::column::COLUMNS;
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
# Every event's values beside the indicators, without help of sightings or index.
began, counts = time.perf_counter(), {}
there = {row[0] for row in db.execute("DESCRIBE events").fetchall()}
for kind, hunt in task["hunt"].items():
    if not hunt["values"]:
        continue
    db.execute("CREATE OR REPLACE TEMP TABLE wanted (v VARCHAR)")
    db.execute("INSERT INTO wanted SELECT unnest(?)", [hunt["values"]])
    parts = [f"SELECT event_id, {form} AS v FROM events WHERE {form} IN (SELECT v FROM wanted)"
             for column, form in hunt["columns"] if column in there]
    parts += [f"SELECT event_id, v FROM (SELECT event_id, unnest({form}) AS v FROM events) WHERE v IN (SELECT v FROM wanted)"
              for column, form in hunt["lists"] if column in there]
    both = " UNION ALL ".join(parts)
    counts.update(db.execute(f"SELECT v, count(DISTINCT event_id) FROM ({both}) GROUP BY v").fetchall())
print(json.dumps({"ms": (time.perf_counter() - began) * 1000, "counts": counts}), flush=True)
"#;

/// Lists in which names and addresses stand, as SQL.
const LISTS: [[&str; 2]; 2] = [
    ["http_x_forwarded_for", "http_x_forwarded_for"],
    ["dns_answers", "list_transform(dns_answers, x -> x.value)"],
];

/// Where values of the hunt's kinds stand in events.
fn hunt_task(hunted: &Hunted) -> Value {
    let columns = |kinds: &[ObservableKind], form: &str| -> Vec<[String; 2]> {
        let all = COLUMNS.iter().filter(|c| c.observable.is_some_and(|kind| kinds.contains(&kind)));
        all.map(|column| [column.name.to_owned(), form.replace("{}", column.name)]).collect()
    };
    let values = |kind: &str| hunted.wanted.get(kind).cloned().unwrap_or_default();
    let names = [ObservableKind::Domain, ObservableKind::Host];
    let all = [&names[..], &[ObservableKind::Ip]].concat();
    json!({
        "ip": { "values": values("ip"), "columns": columns(&all, "{}"), "lists": LISTS },
        "domain": { "values": values("domain"), "columns": columns(&names, "lower({})"), "lists": LISTS },
        "hash": {
            "values": values("hash"),
            "columns": columns(&[ObservableKind::Hash], "lower(replace({}, ':', ''))"),
            "lists": [],
        },
    })
}

/// Compares the hunt's answer with that of a search through every event.
fn compare(hunted: &Hunted, line: &str, report: &mut Report, input: &str) -> anyhow::Result<()> {
    let theirs: Value = serde_json::from_str(line)?;
    let counts: BTreeMap<String, u64> = serde_json::from_value(theirs["counts"].clone())?;
    for indicator in counts.keys().chain(hunted.events.keys()) {
        let (ours, theirs) = (hunted.events.get(indicator), counts.get(indicator));
        anyhow::ensure!(
            ours == theirs,
            "hunt for {indicator}: {ours:?} events here, {theirs:?} by DuckDB"
        );
    }
    let ms = theirs["ms"].as_f64().unwrap_or(f64::NAN);
    report.add("lake_hunt_ms_duckdb", ms, "ms", input);
    report.add("lake_hunt_agreed", counts.len() as f64, "indicators", input);
    Ok(())
}

/// Adds DuckDB's times and ours as a share of them.
///
/// # Errors
/// An interpreter that cannot be started; another count of rows, or of a hunt's events, than ours.
pub fn run(
    args: &BenchArgs,
    lake: &Path,
    view: &LakeView,
    ours: &[Timed],
    hunted: &Hunted,
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
    let task =
        json!({ "tables": tables, "queries": queries, "runs": 3, "hunt": hunt_task(hunted) });
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
        "{} with DuckDB ended with {}; it said why above",
        python.display(),
        out.status
    );
    let lines = String::from_utf8(out.stdout)?;
    compare(hunted, lines.lines().last().unwrap_or_default(), report, input)?;
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
