//! The index: answers with it, without it and with a damaged one are the same.

use crate::common::*;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Runtime;
use yagura_disk::RealFs;
use yagura_event::time::SECOND;
use yagura_event::*;
use yagura_lake::search::run::Wanted;
use yagura_lake::search::{Search, Spec, search};
use yagura_lake::{LakeView, LakeWriter, Names, SqlLimits, open_readonly, run_sql};
use yagura_testkit::rng::Rng;

/// Rows of a data file: two granules, the second not full.
const FILE_ROWS: u64 = 10_000;
/// Data files.
const FILES: u64 = 3;
/// Rows in memory.
const TAIL_ROWS: u64 = 500;
/// Queries of a run, and of a short one.
const QUERIES: [usize; 2] = [1_000, 60];

/// Values stay together for a while, as those of logs do.
fn store(batch: &mut EventBatch, context: u32, lsn: u64) {
    let near = lsn / 40;
    let texts = [
        (ColumnId::SRC_IP, format!("10.{}.{}.{}", near / 256 % 256, near % 256, lsn % 4 + 1)),
        (ColumnId::DST_IP, format!("2001:DB8::{:X}", near + 1)),
        (ColumnId::USER_NAME, format!("CORP\\User{near}")),
        (ColumnId::DEVICE_HOSTNAME, format!("web-{near}.corp.example")),
        (ColumnId::PROCESS_CMD_LINE, format!("run.exe -job J{near}X /quiet")),
        (ColumnId::URL_STRING, format!("http://site{near}.example/a{lsn}")),
    ];
    let from = batch.values.len() as u32;
    for (column, value) in texts {
        let text = batch.push_text(value.as_bytes());
        batch.values.push((column, Scalar::Text(text)));
    }
    let to = format!("[\"a{near}@x.example\",\"b@x.example\"]");
    let to = batch.push_text(to.as_bytes());
    batch.values.push((ColumnId::EMAIL_TO, Scalar::Json(to)));
    let raw = format!("session S{near}y of 192.0.{}.{} ended: été {lsn}", near % 200, near % 7);
    let raw = batch.push_text(raw.as_bytes());
    push_event(batch, (lsn, 0), context, raw, from, START + lsn as i64 * SECOND / 100);
}

fn lake(dir: &Path) -> LakeWriter {
    let context = Context::new("acme", "syslog", SourceChoice::Auto, Reference::Received);
    let context = Arc::new(context);
    let fields = Arc::new(FieldTableBuilder::default().build());
    let names = Names { fields, sources: ["linux_syslog".to_owned()].into() };
    let mut writer = open(dir);
    for part in 0..=FILES {
        let first = part * FILE_ROWS + 1;
        let rows = if part == FILES { TAIL_ROWS } else { FILE_ROWS };
        let mut batch = EventBatch::default();
        let context = batch.push_context(&context);
        (first..first + rows).for_each(|lsn| store(&mut batch, context, lsn));
        writer.append_events(Arc::new(batch), names.clone());
        writer.advance(Lsn(first + rows - 1));
        if part < FILES {
            writer.flush().unwrap();
        }
    }
    writer
}

enum Query {
    Search(String),
    Sql(String),
}

fn query(rng: &mut Rng) -> Query {
    let near = rng.range(0, (FILES * FILE_ROWS + TAIL_ROWS) / 40 + 20);
    let (lsn, low) = (near * 40 + rng.range(0, 39), near % 256);
    let ip = format!("10.{}.{low}.{}", near / 256, rng.range(1, 5));
    let leaf = |rng: &mut Rng| match rng.range(0, 15) {
        0 => format!("src_ip:{ip}"),
        1 => format!("ip:{ip}"),
        2 => format!("ip:2001:db8:0::{:x}", near + 1),
        3 => format!("user:user{near}"),
        4 => format!("user.name:\"corp\\\\USER{near}\""),
        5 => format!("host:web-{near}"),
        6 => format!("host:WEB-{near}.corp.example"),
        7 => format!("s{near}Y"),
        8 => format!("\"session s{near}y\""),
        9 => format!("192.0.{}.{}", near % 200, near % 8),
        10 => format!("cmd_line:j{near}x"),
        11 => format!("url:http://site{near}.example/a{lsn}"),
        12 => format!("email:a{near}@x.example"),
        13 => format!("{lsn}"),
        14 => format!("*{near}y"),
        _ => format!("src_ip:10.{}.{low}.0/29", near / 256),
    };
    match rng.range(0, 9) {
        0 => Query::Sql(format!("src_ip = '{ip}'")),
        1 => Query::Sql(format!("src_ip IN ('{ip}', 'x') OR user_name = 'CORP\\User{near}'")),
        2 => Query::Sql(format!("lower(user_name) = 'corp\\user{near}'")),
        3 => Query::Sql(format!("src_ip <> '{ip}' AND lsn < {lsn}")),
        4 => Query::Search(format!("-{}", leaf(rng))),
        5 => Query::Search(format!("{} {}", leaf(rng), leaf(rng))),
        6 => Query::Search(format!("{} OR {}", leaf(rng), leaf(rng))),
        _ => Query::Search(leaf(rng)),
    }
}

/// How many rows, and the sum of their positions; and how many files were passed over.
fn answer(
    runtime: &Runtime,
    view: &Arc<LakeView>,
    query: &Query,
    use_index: bool,
) -> ((i64, i64), u64) {
    let limits = SqlLimits { use_index, ..SqlLimits::default() };
    let view = Arc::clone(view);
    match query {
        Query::Sql(condition) => {
            let sql =
                format!("SELECT count(*), coalesce(sum(lsn), 0) FROM events WHERE {condition}");
            let result = runtime.block_on(run_sql(view, operator(), &sql, &limits)).unwrap();
            let row = &result.batches[0];
            let number = |at: usize| row.column(at).as_primitive::<Int64Type>().value(0);
            ((number(0), number(1)), 0)
        }
        Query::Search(query) => {
            let spec = Spec { query, columns: Some("lsn"), sort: None, limit: 100_000 };
            let asked = Search::new(&spec, 0).unwrap_or_else(|no| panic!("{}", no.render()));
            let shown = asked.columns.clone().unwrap();
            let wanted = Wanted::Columns(&shown);
            let found =
                runtime.block_on(search(view, operator(), &asked, wanted, &limits)).unwrap();
            let lsns = found.rows.column_by_name("lsn").unwrap().as_primitive::<Int64Type>();
            ((lsns.len() as i64, lsns.values().iter().sum()), found.pruned)
        }
    }
}

fn indexes(dir: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(dir.join("index/events")).unwrap();
    let mut all: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    all.sort();
    assert_eq!(all.len() as u64, FILES);
    all
}

/// Damages the indexes in one of several ways.
fn damage(dir: &Path, rng: &mut Rng) {
    let all = indexes(dir);
    let whole: Vec<Vec<u8>> = all.iter().map(|path| std::fs::read(path).unwrap()).collect();
    for (at, (path, bytes)) in all.iter().zip(&whole).enumerate() {
        match rng.range(0, 5) {
            0 => std::fs::write(path, []).unwrap(),
            1 => std::fs::write(path, &bytes[..rng.range(1, bytes.len() as u64 - 1) as usize])
                .unwrap(),
            2 => std::fs::write(path, &whole[(at + 1) % whole.len()]).unwrap(),
            _ => {
                let mut bad = bytes.clone();
                for _ in 0..40 {
                    let at = rng.range(0, bad.len() as u64 - 1) as usize;
                    bad[at] ^= 1 << rng.range(0, 7);
                }
                std::fs::write(path, bad).unwrap();
            }
        }
    }
}

#[test]
fn answers_are_the_same_with_the_index_without_and_with_a_damaged_one() {
    let seed = std::env::var("INDEX_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    println!("seed {seed}");
    let mut rng = Rng::new(seed);
    let dir = tempfile::tempdir().unwrap();
    let writer = lake(dir.path());
    let whole = writer.handle().view();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let full = std::env::var_os("YAGURA_FULL").is_some();
    let asked = QUERIES[usize::from(!full)];
    let queries: Vec<Query> = (0..asked).map(|_| query(&mut rng)).collect();
    let (mut pruned, mut hits, mut expected) = (0, 0, Vec::new());
    for query in &queries {
        let (without, _) = answer(&runtime, &whole, query, false);
        let (with, passed) = answer(&runtime, &whole, query, true);
        let text = match query {
            Query::Search(text) | Query::Sql(text) => text,
        };
        assert_eq!(with, without, "{text}");
        pruned += passed;
        hits += usize::from(with.0 > 0);
        expected.push(with);
    }
    println!("{hits} of {asked} find something, {pruned} files passed over");
    assert!(hits > asked / 2 && hits < asked, "{hits}");
    assert!(pruned > asked as u64 / 2, "{pruned}");
    // Damaged under a view that has read it before, and under one that has not.
    damage(dir.path(), &mut rng);
    drop(writer);
    let fresh = open_readonly(Arc::new(RealFs), dir.path()).unwrap();
    for (query, expected) in queries.iter().zip(&expected) {
        assert_eq!(answer(&runtime, &whole, query, true).0, *expected);
        let (all, _) = answer(&runtime, &fresh, query, false);
        assert_eq!(answer(&runtime, &fresh, query, true).0, all);
    }
    for path in indexes(dir.path()) {
        std::fs::remove_file(path).unwrap();
    }
    let fresh = open_readonly(Arc::new(RealFs), dir.path()).unwrap();
    for query in queries.iter().take(50) {
        assert_eq!(answer(&runtime, &fresh, query, true), answer(&runtime, &fresh, query, false));
    }
}

#[test]
fn the_index_goes_with_its_data_file() {
    use std::time::{Duration, Instant};
    let dir = tempfile::tempdir().unwrap();
    let mut writer = lake(dir.path());
    // Nothing refers to it: left by a process that died between two deletions.
    let left = dir.path().join("index/events/left.idx");
    std::fs::write(&left, "x").unwrap();
    let rewrite = loop {
        match writer.plan_rewrite() {
            Some(rewrite) => break Some(rewrite),
            None => {
                let view = writer.handle().view();
                if view.events.files.len() as u64 >= 8 {
                    break None;
                }
                writer.flush().unwrap();
                let next = writer.checkpoint().0.0 + 1;
                feed(&mut writer, next..=next + 9);
            }
        }
    };
    if let Some(rewrite) = rewrite {
        writer.end_rewrite(rewrite.write(), Instant::now()).unwrap();
    }
    writer.flush().unwrap();
    writer.sweep(Instant::now(), Duration::ZERO).unwrap();
    let live = writer.handle().view().events.files.len();
    let count = |dir: &Path| std::fs::read_dir(dir.join("index/events")).unwrap().count();
    assert_eq!(count(dir.path()), live + 1);
    drop(writer);
    let _writer = open(dir.path());
    assert!(!left.exists());
    assert_eq!(count(dir.path()), live);
}
