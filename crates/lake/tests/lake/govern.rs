//! Queries among others: places, stopping, files passed over, what is refused.

use crate::common::*;
use crate::pipe_lake::NOW;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use yagura_lake::pipe::Pipe;
use yagura_lake::query::{QueryPhase, open as open_rows};
use yagura_lake::{Governor, LakeError, LakeView, QueryLimits, Question, SqlLimits, Ticket};

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(8 << 20)
        .enable_all()
        .build()
        .unwrap()
}

fn view(dir: &std::path::Path, last: u64) -> Arc<LakeView> {
    let mut writer = open(dir);
    feed(&mut writer, 1..=last);
    writer.flush().unwrap();
    writer.handle().view()
}

/// Reads a whole answer and forgets it.
async fn run(view: Arc<LakeView>, question: Question, ticket: &Ticket) -> Result<u64, LakeError> {
    let mut rows = open_rows(view, operator(), Arc::new(question), &ticket.limits()).await?;
    let mut count = 0;
    while let Some(batch) = rows.next().await? {
        count += batch.num_rows() as u64;
    }
    match rows.truncated() {
        true => Err(LakeError::limit("too_many_rows", "too many")),
        false => Ok(count),
    }
}

fn sql(text: &str) -> Question {
    Question::Sql(text.to_owned())
}

/// Waits until no work of any query is left; how long that took.
fn idle(governor: &Governor) -> Duration {
    let began = Instant::now();
    while governor.places_taken() > 0 || governor.used_bytes() > 0 {
        assert!(began.elapsed() < Duration::from_secs(30), "work goes on that nobody waits for");
        std::thread::sleep(Duration::from_millis(1));
    }
    began.elapsed()
}

#[test]
fn a_query_waits_for_a_place_and_too_many_are_refused() {
    let limits = QueryLimits { concurrent: 1, waiting: 1, wait_ms: 100, ..QueryLimits::default() };
    let governor = Governor::new(limits);
    runtime().block_on(async {
        let first = governor.admit(&operator(), "sql", "first").await.unwrap();
        let second = {
            let governor = Arc::clone(&governor);
            tokio::spawn(async move { governor.admit(&operator(), "sql", "second").await })
        };
        while governor.list(&operator()).len() < 2 {
            tokio::task::yield_now().await;
        }
        // The second is polled once more before it counts as one that waits.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let third = governor.admit(&operator(), "sql", "third").await.unwrap_err();
        assert_eq!(third.code(), "queries_busy");
        assert!(third.to_string().contains("1 queries run and 1 wait"), "{third}");
        let second = second.await.unwrap().unwrap_err();
        assert!(second.to_string().contains("100 ms"), "{second}");
        first.ended(Ok(()));
        drop(first);
        assert!(governor.admit(&operator(), "sql", "fourth").await.is_ok());
    });
    let outcomes: Vec<_> = governor.list(&operator()).iter().map(|q| q.outcome.unwrap()).collect();
    assert_eq!(outcomes, ["query_cancelled", "ok", "queries_busy", "queries_busy"]);
}

#[test]
fn a_tenant_sees_and_stops_only_its_own_queries() {
    let governor = Governor::new(QueryLimits::default());
    let (acme, zeta) = (only("acme"), only("zeta"));
    runtime().block_on(async {
        let one = governor.admit(&acme, "pipe", "events | count").await.unwrap();
        let other = governor.admit(&zeta, "sql", "SELECT 1").await.unwrap();
        let seen = |scope| governor.list(scope).into_iter().map(|q| q.id).collect::<Vec<_>>();
        assert_eq!(seen(&acme), [one.id()]);
        assert_eq!(seen(&zeta), [other.id()]);
        assert_eq!(seen(&operator()), [other.id(), one.id()]);
        assert!(!governor.cancel(&zeta, &one.id()) && !one.stop().is_told());
        assert!(governor.find(&zeta, &one.id()).is_none());
        assert!(governor.cancel(&acme, &one.id()) && one.stop().is_told());
        assert!(governor.cancel(&operator(), &other.id()));
        one.ended(Err(&one.stop().why("")));
        let state = governor.find(&acme, &one.id()).unwrap();
        assert_eq!((state.state, state.outcome), (QueryPhase::Ended, Some("query_cancelled")));
        assert!(!governor.cancel(&acme, &one.id()), "it has ended");
    });
}

#[test]
fn cancelling_ends_the_work_itself_whatever_it_does() {
    let dir = tempfile::tempdir().unwrap();
    let view = view(dir.path(), 20_000);
    let limits = QueryLimits {
        time_ms: 120_000,
        spill_dir: Some(dir.path().to_owned()),
        ..QueryLimits::default()
    };
    let governor = Governor::new(limits);
    let runtime = runtime();
    let regex =
        r"(l+i+n+e+ )*(\d+ )*(o|of|off|of the)+[^q]{0,40}(day|days|d+a+y+)*[^x]{1,30}q\d{1,30}";
    // Of both sides of the join: on one they would be tried before it, on few rows.
    let regexes: Vec<String> =
        (0..60).map(|n| format!("pair matches regex @'{regex}{n}'")).collect();
    let pipe = format!(
        "events | extend k = class_uid | join (events | extend k = class_uid | project k, b = raw_data) on k | extend pair = strcat(raw_data, b) | where {} | count",
        regexes.join(" or ")
    );
    let questions = [
        ("product", sql("SELECT count(*) FROM events a, events b, events c")),
        (
            "condition that never holds",
            sql(
                "SELECT count(*) FROM events a, events b WHERE a.lsn * b.lsn + ln(a.lsn + b.lsn) < 0",
            ),
        ),
        (
            "hash join of one value",
            sql(
                "SELECT count(*) FROM events a JOIN events b ON a.class_uid = b.class_uid AND a.lsn + b.lsn < 0 JOIN events c ON c.class_uid = a.class_uid",
            ),
        ),
        (
            "sort",
            sql(
                "SELECT reverse(cast(value AS text)) m FROM generate_series(1, 1000000000) ORDER BY m",
            ),
        ),
        ("sixty regexes", Question::Pipe(Pipe::new(&pipe, NOW).unwrap())),
        (
            "recursion",
            sql(
                "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
            ),
        ),
    ];
    for (name, question) in questions {
        let ticket = runtime.block_on(governor.admit(&operator(), "sql", name)).unwrap();
        let id = ticket.id();
        let view = Arc::clone(&view);
        let work = runtime.spawn(async move {
            let done = run(view, question, &ticket).await;
            ticket.ended(done.as_ref().map(|_| ()));
            done
        });
        std::thread::sleep(Duration::from_millis(700));
        if work.is_finished() {
            panic!("{name} is no work: {:?}", runtime.block_on(work));
        }
        assert!(governor.cancel(&operator(), &id));
        let error = runtime.block_on(work).unwrap().unwrap_err();
        assert_eq!(error.code(), "query_cancelled", "{name}: {error}");
        println!("{name}: all work ended {} ms after", idle(&governor).as_millis());
    }
}

#[test]
fn dropping_an_answer_ends_its_work() {
    let dir = tempfile::tempdir().unwrap();
    let view = view(dir.path(), 2_000);
    let governor = Governor::new(QueryLimits::default());
    let runtime = runtime();
    runtime.block_on(async {
        let ticket = governor.admit(&operator(), "sql", "").await.unwrap();
        let question = Arc::new(sql("SELECT a.lsn, b.lsn FROM events a, events b, events c"));
        let mut rows = open_rows(view, operator(), question, &ticket.limits()).await.unwrap();
        assert!(rows.next().await.unwrap().is_some());
        assert!(governor.list(&operator())[0].rows > 0);
    });
    idle(&governor);
    assert_eq!(governor.list(&operator())[0].outcome, Some("query_cancelled"));
}

#[test]
fn a_time_in_a_pipe_passes_files_over() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    for part in 0..5u64 {
        feed(&mut writer, part * 100 + 1..=part * 100 + 100);
        writer.flush().unwrap();
    }
    let view = writer.handle().view();
    let files = |query: &str| {
        let question = Arc::new(Question::Pipe(Pipe::new(query, NOW).unwrap()));
        let limits = SqlLimits::default();
        let rows = open_rows(Arc::clone(&view), operator(), question, &limits);
        runtime().block_on(async { rows.await.unwrap().files() })
    };
    let all = view.events.files.len() as u64;
    assert_eq!(files("events | count"), (all, 0));
    let (seen, pruned) = files("events | where time < datetime(2026-11-22 12:00) | count");
    assert!(seen == all && pruned >= all - 2, "{pruned} of {seen}");
    let (seen, pruned) = files(
        "let from = ago(1h); events | extend hour = bin(time, 1h) | where time < from - 100h | summarize count() by hour",
    );
    assert_eq!((seen, pruned), (all, all));
    let (_, pruned) = files("events | where lsn == 250 | project raw_data");
    assert_eq!(pruned, all - 2, "one file a bucket");
}

#[test]
fn what_is_too_deep_too_long_or_grows_is_refused_before_it_costs() {
    let dir = tempfile::tempdir().unwrap();
    let view = view(dir.path(), 10);
    let code = |query: &str| match ask(Arc::clone(&view), operator(), query) {
        Ok(_) => "ok",
        Err(error) => error.code(),
    };
    let chain = |terms: usize| format!("SELECT 1{}", " + 1".repeat(terms));
    assert_eq!(code(&chain(yagura_lake::sql::SQL_CHAIN_MAX)), "ok");
    assert_eq!(code(&chain(yagura_lake::sql::SQL_CHAIN_MAX + 1)), "query");
    let steps = |number: usize| vec!["SELECT 1"; number].join(" UNION ALL ");
    assert_eq!(code(&steps(yagura_lake::sql::SQL_STEPS_MAX / 2)), "ok");
    assert_eq!(code(&steps(yagura_lake::sql::SQL_STEPS_MAX)), "query");
    let regex = |bytes: usize| {
        format!("SELECT count(*) FROM events WHERE raw_data ~ '{}'", "a".repeat(bytes))
    };
    assert_eq!(code(&regex(yagura_lake::search::REGEX_BYTES_MAX)), "ok");
    assert_eq!(code(&regex(yagura_lake::search::REGEX_BYTES_MAX + 1)), "query");
    assert_eq!(code("SELECT count(*) FROM events WHERE regexp_like(raw_data, raw_data)"), "query");
    assert_eq!(code("SELECT regexp_replace(raw_data, 'a', 'b') FROM events"), "ok");
    assert_eq!(code("SELECT repeat('x', 10)"), "query");
    assert_eq!(code("SELECT count(*) FROM generate_series(1, 10)"), "ok");
}
