//! Fifty queries that want everything: each ends with a clear word, and memory stays below the
//! share.

use crate::common::*;
use crate::pipe_lake::NOW;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use yagura_lake::pipe::Pipe;
use yagura_lake::query::open as open_rows;
use yagura_lake::search::run::Wanted;
use yagura_lake::search::{Search, Spec, search};
use yagura_lake::{Governor, LakeError, LakeView, QueryLimits, Question};
use yagura_testkit::hostile::{Hostile, Language, queries};

/// Bytes of all queries together.
const SHARE: usize = 96 << 20;

/// How a query ended: its code, and what it says.
type End = (String, String);

async fn ended(view: Arc<LakeView>, governor: Arc<Governor>, hostile: Hostile) -> End {
    let question = match hostile.language {
        Language::Sql => Question::Sql(hostile.text.clone()),
        Language::Pipe => match Pipe::new(&hostile.text, NOW) {
            Ok(pipe) => Question::Pipe(pipe),
            Err(no) => return (format!("fault {}", no.fault.code), no.to_string()),
        },
        Language::Search => return searched(view, governor, &hostile.text).await,
    };
    let ticket = match governor.admit(&operator(), "sql", hostile.name).await {
        Ok(ticket) => ticket,
        Err(error) => return (error.code().to_owned(), error.to_string()),
    };
    let answer = async {
        let mut rows = open_rows(view, operator(), Arc::new(question), &ticket.limits()).await?;
        while rows.next().await?.is_some() {}
        match rows.truncated() {
            true => Err(LakeError::limit("too_many_rows", "the answer has too many rows")),
            false => Ok(()),
        }
    };
    let done = answer.await;
    ticket.ended(done.as_ref().copied());
    end(done)
}

async fn searched(view: Arc<LakeView>, governor: Arc<Governor>, text: &str) -> End {
    let spec = Spec { query: text, columns: None, sort: None, limit: 1_000 };
    let asked = match Search::new(&spec, NOW) {
        Ok(asked) => asked,
        Err(no) => return (format!("fault {}", no.fault.code), no.to_string()),
    };
    let ticket = match governor.admit(&operator(), "search", text).await {
        Ok(ticket) => ticket,
        Err(error) => return (error.code().to_owned(), error.to_string()),
    };
    let done = search(view, operator(), &asked, Wanted::Event, &ticket.limits()).await;
    ticket.ended(done.as_ref().map(|_| ()));
    end(done.map(|_| ()))
}

fn end(done: Result<(), LakeError>) -> End {
    match done {
        Ok(()) => ("ok".to_owned(), String::new()),
        Err(error) => (error.code().to_owned(), error.to_string()),
    }
}

#[test]
fn fifty_hostile_queries_end_with_a_clear_word_below_their_share() {
    let dir = tempfile::tempdir().unwrap();
    let spill = tempfile::tempdir().unwrap();
    let mut writer = open(dir.path());
    feed(&mut writer, 1..=5_000);
    writer.flush().unwrap();
    let view = writer.handle().view();
    let limits = QueryLimits {
        memory_bytes: SHARE,
        concurrent: 3,
        waiting: 64,
        wait_ms: 600_000,
        time_ms: 3_000,
        rows_max: 200_000,
        spill_bytes: 192 << 20,
        spill_dir: Some(spill.path().to_owned()),
    };
    let governor = Governor::new(limits);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(8 << 20)
        .enable_all()
        .build()
        .unwrap();
    let tasks: Vec<_> = queries()
        .into_iter()
        .map(|hostile| {
            let name = hostile.name;
            (name, runtime.spawn(ended(Arc::clone(&view), Arc::clone(&governor), hostile)))
        })
        .collect();
    let mut ends = BTreeMap::new();
    for (name, task) in tasks {
        ends.insert(name, runtime.block_on(task).unwrap());
    }
    let known = ["query", "query_memory", "query_time", "query_spill", "too_many_rows"];
    let mut finished = Vec::new();
    for (name, (code, text)) in &ends {
        println!("{name}: {code}: {}", text.lines().next().unwrap_or_default());
        if code == "ok" {
            finished.push(*name);
            continue;
        }
        assert!(
            code.starts_with("fault ") || known.contains(&code.as_str()),
            "{name}: {code}: {text}"
        );
        assert!(text.len() > 20 && !text.contains("panicked"), "{name}: {text}");
    }
    println!("finished: {finished:?}; peak {} of {SHARE} bytes", governor.peak_bytes());
    assert!(finished.len() <= 8, "{finished:?}");
    assert!(governor.peak_bytes() <= SHARE && governor.peak_bytes() > SHARE / 16);
    let began = Instant::now();
    while governor.places_taken() > 0 || governor.used_bytes() > 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "work goes on that nobody waits for");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(std::fs::read_dir(spill.path()).unwrap().count(), 0, "nothing is left on disk");
    // It answers as before.
    assert_eq!(numbers(&view, "SELECT count(*) FROM events"), [5_000]);
}
