//! `docs/hunting.md`: every command on the page, over the demo's day, gives the answer below it.

use crate::support::error_of;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use yagura::config::Config;
use yagura::node::Node;
use yagura::node::backend::NodeBackend;
use yagura_api::{Backend, IngestRequest};
use yagura_event::time::parse_rfc3339;
use yagura_event::{Clock, Micros, TenantName};
use yagura_testkit::story::{Channel, Story};

/// A clock that stands.
struct Standing(Micros);

impl Clock for Standing {
    fn now(&self) -> Micros {
        self.0
    }
}

/// The demo's day in a data directory, as its devices send it.
fn day(data: &Path) {
    let story = Story::generate(1, parse_rfc3339("2026-11-22T08:00:00Z").unwrap());
    let config = Config::default();
    let node = Node::open(data, &config, Arc::new(Standing(story.end))).unwrap();
    let node = Arc::new(node);
    let backend = NodeBackend::new(Arc::clone(&node), &config.query).unwrap();
    let mut bodies: Vec<(Channel, String)> = Vec::new();
    for line in &story.lines {
        match bodies.iter_mut().find(|(channel, _)| *channel == line.channel) {
            Some((_, body)) => body.push_str(&format!("{}\n", line.text)),
            None => bodies.push((line.channel, format!("{}\n", line.text))),
        }
    }
    let mut taken = 0;
    for (channel, body) in bodies {
        let (feed, host) = match channel {
            Channel::Syslog => ("syslog", None),
            Channel::Http { host, .. } => ("http", Some(host.to_owned())),
        };
        let request = IngestRequest {
            tenant: TenantName::default_tenant(),
            feed: feed.to_owned(),
            source: None,
            host,
            idempotency_key: None,
            peer: String::new(),
            body: body.into_bytes(),
        };
        taken += backend.ingest(request).unwrap().accepted;
    }
    assert_eq!(taken, story.lines.len() as u64);
    node.progress().wait_committed(node.journal().durable()).unwrap();
    drop(backend);
    Arc::into_inner(node).unwrap().stop().unwrap();
}

/// Standard output of a command of the page.
fn answer(data: &Path, command: &str) -> String {
    let rest = command.strip_prefix("yagura ").unwrap();
    // The shell takes the quotes away, as it does for a reader of the page.
    let script = format!("\"$YAGURA\" {rest} --data \"$DATA\"");
    let output = Command::new("sh")
        .args(["-c", &script])
        .env("YAGURA", env!("CARGO_BIN_EXE_yagura"))
        .env("DATA", data)
        .output()
        .unwrap();
    let error = error_of(&output);
    assert!(output.status.success(), "{command}\n{error}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_question_has_the_answer_on_the_page() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    day(&data);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/hunting.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (mut out, mut questions) = (String::new(), 0);
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        out.push_str(&format!("{line}\n"));
        let is_command = ["yagura query ", "yagura search ", "yagura sql "]
            .iter()
            .any(|begin| line.starts_with(begin));
        if !is_command {
            continue;
        }
        questions += 1;
        let found = answer(&data, line);
        assert!(found.lines().count() > 1, "{line} answers nothing:\n{found}");
        let skipped: Vec<&str> = lines.by_ref().take_while(|line| *line == "```").take(2).collect();
        assert_eq!(skipped.len(), 2, "an answer follows {line}");
        for old in lines.by_ref() {
            if old == "```" {
                break;
            }
        }
        out.push_str(&format!("```\n```\n{}\n```\n", found.trim_end()));
    }
    assert_eq!(questions, 20);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &out).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(committed == out, "docs/hunting.md is out of date: run with UPDATE_GOLDEN=1");
}
