//! Engines that nobody here wrote read the tables and agree with us on counts, sums and distincts.
//!
//! They are PyPI's, so only `--full` runs this; it installs them below cargo's folder for tests.
//! The tables have had columns added, have checkpoints, are compacted and cleaned, and grow while
//! they are read: each engine reads a version that is past, then the newest one.

use crate::support::{ndjson, ok};
use serde_json::{Map, Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use yagura_lake::LakeWriter;
use yagura_testkit::story::{Line, Story};

/// The readers, as `pip install` names them. What reads for pysail is its own; `pyspark-client`
/// only speaks to it. chdb's output needs no more than chdb.
const PACKAGES: [&str; 8] = [
    "duckdb==1.5.5",
    "duckdb-extension-delta==1.5.5",
    "polars==2.1.0",
    "deltalake==1.6.6",
    "chdb==4.4.0",
    "daft==0.7.26",
    "pysail==0.7.2",
    "pyspark-client==4.1.1",
];

/// As `read.py` names them.
const READERS: [&str; 6] = ["duckdb", "polars", "deltalake", "chdb", "daft", "pysail"];

/// A table each: rows, distincts, sums, columns that came later, moments, partition columns.
/// What stands in `<<` and `>>` is compared as microseconds since 1970, since each engine shows a
/// moment in a time zone of its own.
const QUESTIONS: [(&str, &str); 3] = [
    (
        "events",
        "SELECT count(*) AS n, count(DISTINCT event_id) AS ids, sum(lsn) AS lsns, \
         count(src_ip) AS sources, count(DISTINCT class_uid) AS classes, \
         count(http_method) AS requests, count(DISTINCT http_method) AS methods, \
         <<min(time)>> AS earliest, <<max(received_time)>> AS latest, \
         min(received_day) AS received, max(bucket) AS greatest FROM events",
    ),
    (
        "matches",
        "SELECT count(*) AS n, count(DISTINCT id) AS ids, sum(lsn) AS lsns, \
         count(DISTINCT rule) AS rules, <<min(time)>> AS earliest, \
         min(received_day) AS received, max(bucket) AS greatest FROM matches",
    ),
    (
        "sightings",
        "SELECT count(*) AS n, count(DISTINCT value) AS seen, sum(count) AS times, \
         count(DISTINCT kind) AS kinds, <<min(first)>> AS earliest, <<max(last)>> AS latest, \
         min(received_day) AS received, max(bucket) AS greatest FROM sightings",
    ),
];

/// Batches before the first reading; a commit each, and more for what is added and rewritten. So the
/// logs have two checkpoints, and what came before the first of them is gone.
const BATCHES: usize = 204;

/// An interpreter with the readers.
fn python() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readers");
    let python = home.join("bin/python");
    let complete = home.join("complete");
    let wanted = PACKAGES.join("\n");
    if std::fs::read_to_string(&complete).ok().as_ref() != Some(&wanted) {
        let run = |command: &mut Command| {
            let output = command.output().expect("apt install python3-venv");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{command:?}: {said}");
        };
        run(Command::new("python3").args(["-m", "venv"]).arg(&home));
        run(Command::new(&python).args(["-m", "pip", "install", "-q"]).args(PACKAGES));
        std::fs::write(complete, wanted).unwrap();
    }
    python
}

/// What a script of this folder prints, as JSON.
fn script(name: &str, argument: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/product/readers").join(name);
    let output = Command::new(python()).arg(path).arg(argument).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    ndjson(&String::from_utf8(output.stdout).unwrap()).remove(0)
}

/// A data directory and the lines that go into it.
struct Store<'a> {
    dir: &'a Path,
    data: String,
    /// Batches to come.
    batches: Box<dyn Iterator<Item = &'a [Line]> + 'a>,
    taken: usize,
}

impl Store<'_> {
    /// Takes the next batch.
    fn grow(&mut self) {
        let batch = self.batches.next().expect("lines for another batch");
        let texts: Vec<&str> = batch.iter().map(|line| line.text.as_str()).collect();
        self.take(&texts);
    }

    fn take(&mut self, lines: &[&str]) {
        let file = self.dir.join(format!("{}.log", self.taken));
        std::fs::write(&file, lines.join("\n") + "\n").unwrap();
        ok(&["ingest", "--data", &self.data, file.to_str().unwrap()]);
        self.taken += lines.len();
    }

    /// Makes all small files one in each partition. What they replace is deleted if it is older
    /// than `kept`.
    fn compact(&self, kept: Duration) -> (usize, usize) {
        let lake = Path::new(&self.data).join("lake");
        let buckets = Arc::new(|_: &str| 0);
        let mut writer =
            LakeWriter::open(Arc::new(yagura_disk::RealFs), &lake, 1, buckets).unwrap();
        let mut rewrites = 0;
        while let Some(rewrite) = writer.plan_packing() {
            writer.end_rewrite(rewrite.write(), Instant::now()).unwrap();
            rewrites += 1;
        }
        (rewrites, writer.sweep(Instant::now(), kept).unwrap())
    }

    fn log(&self, table: &str) -> PathBuf {
        Path::new(&self.data).join("lake").join(table).join("_delta_log")
    }

    fn version(&self, table: &str) -> u64 {
        let names = std::fs::read_dir(self.log(table)).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter_map(|name| name.strip_suffix(".json")?.parse().ok()).max().unwrap()
    }

    /// The questions for `read.py`, about the tables as they are, and our own answers.
    fn ask(&self) -> (Value, Value) {
        let (mut tables, mut ours) = (Map::new(), Map::new());
        for (table, sql) in QUESTIONS {
            let path = format!("{}/lake/{table}", self.data);
            let version = self.version(table);
            tables.insert(table.into(), json!({"path": path, "version": version, "sql": sql}));
            let sql = sql.replace("<<", "CAST(").replace(">>", " AS BIGINT)");
            let said = ok(&["sql", "--data", &self.data, "--format", "ndjson", &sql]);
            let Value::Object(row) = ndjson(&said).remove(0) else { panic!("{said}") };
            // In the order of the question, which an object does not keep.
            let mut names: Vec<(usize, &String)> =
                row.keys().map(|name| (sql.find(&format!(" AS {name}")).unwrap(), name)).collect();
            names.sort_unstable();
            ours.insert(table.into(), names.iter().map(|(_, name)| row[*name].clone()).collect());
        }
        (tables.into(), ours.into())
    }
}

/// Has every reader answer, and does `meanwhile` while each of them reads.
fn read(dir: &Path, tables: &Value, ours: &Value, mut meanwhile: impl FnMut(&str)) {
    let errors = dir.join("readers.err");
    let mut child = Command::new(python())
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/product/readers/read.py"))
        .arg(tables.to_string())
        // chDB reads only below the folder it is started in.
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&errors).unwrap())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    for reader in READERS {
        writeln!(stdin, "{reader}").unwrap();
        meanwhile(reader);
        let said = || std::fs::read_to_string(&errors).unwrap();
        let line = answers.next().unwrap_or_else(|| panic!("{reader}: {}", said())).unwrap();
        let answer = &ndjson(&line)[0];
        assert_eq!(answer["reader"], reader);
        assert_eq!(&answer["tables"], ours, "{reader} of {tables}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success(), "{}", std::fs::read_to_string(&errors).unwrap());
}

#[test]
fn foreign_readers_agree() {
    if std::env::var("YAGURA_FULL").as_deref() != Ok("1") {
        println!("SKIPPED: readers from PyPI (`cargo xtask test --full` installs and runs them)");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let data = dir.join("data").to_str().unwrap().to_owned();
    let story = Story::generate(5, 1_789_984_800_000_000);
    let batches = Box::new(story.lines.chunks(story.lines.len() / (BATCHES + 8)));
    let mut store = Store { dir, data, batches, taken: 0 };

    // Rows of a release that knew fewer columns; the next start adds them.
    let first = ["<165>Sep 21 10:00:00 fw-edge %ASA-6-302014: Teardown TCP connection 7 for \
                  outside:198.51.100.7/4000 to inside:10.20.30.10/22 duration 0:00:01 bytes 9"];
    store.take(&first);
    let gone = script("evolve.py", &format!("{}/lake", store.data));
    assert!(gone["events"].as_array().unwrap().contains(&"http_method".into()), "{gone}");
    store.grow();
    let evolved = |version| {
        let entry = store.log("events").join(format!("{version:020}.json"));
        let text = std::fs::read_to_string(entry).unwrap();
        text.lines().any(|line| line.contains("metaData") && line.contains("http_method"))
    };
    let added = (2..=store.version("events")).any(evolved);
    assert!(!evolved(0) && added, "the second start adds the columns");

    (1..BATCHES).for_each(|_| store.grow());
    let (rewrites, deleted) = store.compact(Duration::ZERO);
    assert!(rewrites >= 3 && deleted > 2 * BATCHES, "{rewrites} rewrites, {deleted} deleted");
    for (table, _) in QUESTIONS {
        assert!(store.log(table).join("_last_checkpoint").exists(), "{table} has a checkpoint");
        let first = store.log(table).join("00000000000000000000.json");
        assert!(!first.exists(), "the log of {table} was cleaned");
    }

    let (tables, ours) = store.ask();
    assert_eq!(ours["events"][0], store.taken);
    for (table, _) in QUESTIONS {
        let zero = ours[table].as_array().unwrap().contains(&0.into());
        assert!(!zero || table == "matches", "nothing to compare in {table}: {ours}");
    }
    read(dir, &tables, &ours, |reader| {
        store.grow();
        if reader == "polars" {
            // The files that are read are replaced, not deleted.
            store.compact(Duration::from_secs(3600));
        }
    });
    let (newest, ours) = store.ask();
    assert_eq!(ours["events"][0], store.taken);
    for (table, _) in QUESTIONS {
        assert!(store.version(table) >= tables[table]["version"].as_u64().unwrap() + 6, "{table}");
    }
    read(dir, &newest, &ours, |_| {});

    // DuckDB writes the rows once more, all of them; the bytes on both sides are for people.
    let sizes = script("sizes.py", &format!("{}/lake/events", store.data));
    assert_eq!(sizes["rows"], store.taken);
    println!("stored beside DuckDB-written Parquet: {sizes}");
}
