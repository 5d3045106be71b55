//! Searches: files passed over, tenants kept apart, limits, order.

use crate::common::*;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use std::sync::Arc;
use yagura_event::time::{DAY, Micros};
use yagura_event::*;
use yagura_lake::search::run::Wanted;
use yagura_lake::search::{Answer, LIMIT_MAX, Refused, Search, Shown, Spec, search};
use yagura_lake::{LakeError, LakeView, LakeWriter, SqlLimits};

/// The time from which searches count.
const NOW: Micros = START + 2 * DAY;

fn spec(query: &str) -> Spec<'_> {
    Spec { query, columns: Some("lsn"), sort: None, limit: 1_000 }
}

pub fn search_of(query: &str) -> Result<Search, Refused> {
    Search::new(&spec(query), NOW)
}

fn run(
    view: &Arc<LakeView>,
    scope: TenantScope,
    asked: &Search,
    limits: &SqlLimits,
) -> Result<Answer, LakeError> {
    let shown: &[Shown] = asked.columns.as_deref().unwrap_or_default();
    run_for(view, scope, asked, Wanted::Columns(shown), limits)
}

fn run_for(
    view: &Arc<LakeView>,
    scope: TenantScope,
    asked: &Search,
    wanted: Wanted<'_>,
    limits: &SqlLimits,
) -> Result<Answer, LakeError> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(search(Arc::clone(view), scope, asked, wanted, limits))
}

/// The positions of the events found, in their order.
pub fn found(view: &Arc<LakeView>, scope: TenantScope, asked: &Search) -> Vec<i64> {
    let answer = run(view, scope, asked, &SqlLimits::default()).unwrap();
    let lsns = answer.rows.column_by_name("lsn").unwrap().as_primitive::<Int64Type>();
    lsns.values().to_vec()
}

fn ask(view: &Arc<LakeView>, query: &str) -> Answer {
    run(view, operator(), &search_of(query).unwrap(), &SqlLimits::default()).unwrap()
}

/// Three days, a file a day and tenant; one day is the memory tail's.
fn days(dir: &std::path::Path) -> LakeWriter {
    let mut writer = open(dir);
    for day in 0..4u64 {
        feed(&mut writer, day * 240 + 10..=day * 240 + 249);
        if day < 3 {
            writer.flush().unwrap();
        }
    }
    writer
}

fn remove(dir: &std::path::Path, keep: &[String]) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            remove(&path, keep);
        } else if path.extension().is_some_and(|e| e == "parquet")
            && !keep.iter().any(|k| path.ends_with(k))
        {
            std::fs::remove_file(&path).unwrap();
        }
    }
}

#[test]
fn a_needle_in_one_days_file_does_not_open_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let view = days(dir.path()).handle().view();
    let all = view.events.files.len();
    assert!(all >= 6, "{all}");
    // Line 300 is of the second day and of tenant `acme`.
    let needle = "\"line 300 of the day\" earliest:2026-11-23T14:00:00Z latest:2026-11-23T16:00:00Z tenant:acme";
    let answer = ask(&view, needle);
    assert_eq!((answer.matched, answer.files), (1, all as u64));
    let kept = answer.files - answer.pruned;
    assert!(kept <= 1, "{kept} of {all} files are read");

    // The others need not be there at all.
    let keep: Vec<String> = view
        .events
        .files
        .iter()
        .filter(|file| file.path.contains("2026-11-23") && file.path.contains("bucket=0"))
        .map(|file| file.path.clone())
        .collect();
    assert!(!keep.is_empty() && keep.len() < all);
    remove(&dir.path().join("events"), &keep);
    assert_eq!(ask(&view, needle).matched, 1);
    let missing = run(&view, operator(), &search_of("line").unwrap(), &SqlLimits::default());
    assert!(missing.is_err());
}

#[test]
fn names_classes_ids_and_times_pass_files_over() {
    let dir = tempfile::tempdir().unwrap();
    let view = days(dir.path()).handle().view();
    let kept = |query: &str| {
        let answer = ask(&view, query);
        answer.files - answer.pruned
    };
    let all = view.events.files.len() as u64;
    assert_eq!(kept("source:nobody"), 0);
    assert_eq!(kept("source:LINUX_syslog"), all);
    assert_eq!(kept("source:windows*"), 0);
    assert_eq!(kept("class:authentication"), 0);
    assert_eq!(kept("category:identity* OR class:authentication"), 0);
    assert_eq!(kept("tenant:zeta"), all / 2);
    assert_eq!(kept("-tenant:*"), 0);
    assert_eq!(kept("earliest:+10d"), 0);
    assert_eq!(kept("latest:-10d"), 0);
    assert_eq!(kept("-latest:+10d"), 0);
    let id = EventId::journal(1, 1, Lsn(300), 0);
    assert!(kept(&format!("metadata.uid:{id}")) <= 2);
    assert_eq!(found(&view, operator(), &search_of(&format!("id:{id}")).unwrap()), [300]);
}

#[test]
fn no_search_reads_another_tenants_rows() {
    let dir = tempfile::tempdir().unwrap();
    let view = days(dir.path()).handle().view();
    // Odd positions are those of `zeta`.
    for query in [
        "",
        "*",
        "line",
        "tenant:zeta",
        "tenant:zeta OR line",
        "-tenant:acme",
        "NOT (tenant:acme)",
        "tenant:*",
        "raw_data:/line/",
        "lsn:>0",
        "\"line 301 of the day\"",
        "feed:syslog OR tenant:zeta",
    ] {
        let search = Search::new(&Spec { limit: 2_000, ..spec(query) }, NOW).unwrap();
        let own = found(&view, only("acme"), &search);
        assert!(own.iter().all(|lsn| lsn % 2 == 0), "{query}");
        assert!(found(&view, only("nobody"), &search).is_empty(), "{query}");
        let limits = SqlLimits::default();
        let counted = run_for(&view, only("acme"), &search, Wanted::Count, &limits).unwrap();
        assert_eq!(counted.matched, own.len() as u64, "{query}");
    }
    assert_eq!(found(&view, only("zeta"), &search_of("tenant:acme").unwrap()), [0i64; 0]);
}

#[test]
fn newest_first_cut_at_the_limit_and_other_orders() {
    let dir = tempfile::tempdir().unwrap();
    let view = days(dir.path()).handle().view();
    let asked = |sort, limit| {
        let search =
            Search::new(&Spec { sort, limit, ..spec("dst_port:[*  TO 20]") }, NOW).unwrap();
        let answer = run(&view, operator(), &search, &SqlLimits::default()).unwrap();
        (found(&view, operator(), &search), answer.more)
    };
    let (all, more) = asked(None, 11);
    assert_eq!((all.len(), more), (11, false));
    assert_eq!(all[0], 20);
    assert_eq!(asked(None, 10), (all[..10].to_vec(), true));
    assert_eq!(asked(Some("dst_port"), 3), (vec![10, 11, 12], true));
    assert_eq!(asked(Some("-dst_port"), 3), (vec![20, 19, 18], true));
    assert_eq!(asked(Some("src_hostname"), 100).0.len(), 11);
    for (limit, fits) in [(0, false), (1, true), (LIMIT_MAX, true), (LIMIT_MAX + 1, false)] {
        assert_eq!(Search::new(&Spec { limit, ..spec("x") }, NOW).is_ok(), fits, "{limit}");
    }
}

#[test]
fn limits_stop_a_search_and_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let view = days(dir.path()).handle().view();
    let asked = search_of("line").unwrap();
    let limits = SqlLimits { memory_bytes: 1 << 10, ..SqlLimits::default() };
    let error = run(&view, operator(), &asked, &limits).unwrap_err();
    assert!(matches!(error, LakeError::Limit(_)), "{error}");
    let limits = SqlLimits { time_ms: 0, ..SqlLimits::default() };
    let error = run(&view, operator(), &asked, &limits).unwrap_err();
    assert!(matches!(&error, LakeError::Limit(text) if text.contains("0 ms")), "{error}");
}

#[test]
fn a_query_as_large_as_it_may_be_runs() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    feed(&mut writer, 1..=50);
    let view = writer.handle().view();
    let list = |n: usize| {
        let ips: Vec<String> = (0..n).map(|i| format!("198.51.{}.{}", i / 250, i % 250)).collect();
        format!("src_ip:({} OR 10.0.0.7)", ips.join(" OR "))
    };
    assert_eq!(found(&view, operator(), &search_of(&list(1023)).unwrap()), [6]);
    assert_eq!(search_of(&list(1024)).unwrap_err().fault.code, "terms_too_many");
    let deep = |n: usize| format!("{}line{}", "(".repeat(n), ")".repeat(n));
    assert_eq!(found(&view, operator(), &search_of(&deep(64)).unwrap()).len(), 50);
    assert_eq!(search_of(&deep(65)).unwrap_err().fault.code, "nesting_too_deep");
    let nots = format!("{}line", "NOT ".repeat(10_000));
    assert_eq!(found(&view, operator(), &search_of(&nots).unwrap()).len(), 50);
}
