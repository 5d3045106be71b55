//! Records of the benchmark's own among the load, each of which becomes a finding of its own, and
//! how long it takes until the API shows them.

use crate::bench::web::{Client, Door, Live};
use crate::node::Node;
use crate::rules;
use anyhow::bail;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::{Duration, Instant};
use yagura_collect::Group;
use yagura_event::time::rfc3339;
use yagura_event::{Clock, Context, Reference, SourceChoice, SystemClock, TenantName};

/// The rule that marked records hit. It is of medium level, so that findings are weighed as others
/// are but open no incident alone.
const RULE: &str = "\
title: Marked record of a benchmark
id: 7d0f3a52-1c86-4b6e-9a42-5f1f9b7b3a10
status: experimental
description: A record that a benchmark marked to see how long its finding takes.
author: Yagura
date: 2026-11-27
logsource:
  product: linux
detection:
  words:
    - 'yagura-bench-mark'
  condition: words
level: medium
";

const RULE_ID: &str = "7d0f3a52-1c86-4b6e-9a42-5f1f9b7b3a10";

/// Between two marked records: some eight a second, and no divisor of a second, in which much of
/// the platform goes on.
const MARK_EVERY: Duration = Duration::from_millis(130);

/// Between an answer and the next request of who looks for findings: times are known to that, and
/// requests take a small part of a core.
const POLL: Duration = Duration::from_millis(5);

/// How long marks are waited for when nothing is sent any more.
const SEEN_MAX: Duration = Duration::from_secs(120);

/// A marked record: the name of its host, and when it was received.
type Mark = (String, Instant);

/// Puts the rule into a data directory that is not open yet.
///
/// # Errors
/// Those of the file system.
pub fn put_rule(data: &Path) -> std::io::Result<()> {
    let dir = data.join(rules::DIR);
    std::fs::create_dir_all(&dir)?;
    std::fs::write(dir.join("bench_mark.yml"), RULE)
}

/// What became of the marks of one run.
#[derive(Debug, Default)]
pub struct Seen {
    /// Marks sent.
    pub sent: usize,
    /// Until `GET /findings` showed them.
    pub listed: Vec<Duration>,
    /// Until the live stream had said that findings changed and they were among them.
    pub told: Vec<Duration>,
}

/// Those who wait for the marks of one run; their connections are open.
pub struct Watchers {
    tenant: TenantName,
    client: Client,
    live: (Live, Client),
    path: String,
}

impl Watchers {
    /// Connects. The marks are a tenant's of their own in each run: a rule begins only so many
    /// findings of one tenant in an hour.
    ///
    /// # Errors
    /// Where the API does not answer.
    pub fn connect(door: &Door, run: &str) -> anyhow::Result<Self> {
        let tenant = TenantName::new(&format!("marks-{run}"))?;
        let path = format!("/api/v1/findings?tenant={tenant}&rule={RULE_ID}");
        let live = (Live::open(door)?, Client::connect(door)?);
        Ok(Self { tenant, client: Client::connect(door)?, live, path })
    }

    /// Sends marks for `length` and waits until all of them were seen both ways.
    ///
    /// # Errors
    /// A record that is not taken, an answer that is none, marks that nobody saw.
    pub fn run(self, node: &Node, length: Duration) -> anyhow::Result<Seen> {
        let Self { tenant, client, live, path } = self;
        let (to_list, from_list) = std::sync::mpsc::channel();
        let (to_live, from_live) = std::sync::mpsc::channel();
        let (list, told) = (Waiting::new(from_list, &path), Waiting::new(from_live, &path));
        std::thread::scope(|scope| {
            let list = scope.spawn(move || poll(list, client));
            let told = scope.spawn(move || follow(told, live));
            let sent = send(node, &tenant, length, &[to_list, to_live]);
            let panicked = |_| anyhow::anyhow!("who waits for marks panicked");
            let (listed, told) = (list.join().map_err(panicked)?, told.join().map_err(panicked)?);
            Ok(Seen { sent: sent?, listed: listed?, told: told? })
        })
    }
}

/// Submits marks at a steady pace, each in a group of its own, whether or not those before are
/// durable. Who waits knows of a mark before it is submitted.
fn send(
    node: &Node,
    tenant: &TenantName,
    length: Duration,
    to: &[Sender<Mark>],
) -> anyhow::Result<usize> {
    let context =
        Context::new(tenant.as_str(), "bench-marks", SourceChoice::Auto, Reference::Received);
    let feed = node.intake().feed(tenant.clone(), &context)?;
    let (began, mut sent, mut tickets) = (Instant::now(), 0u32, Vec::new());
    while began.elapsed() < length {
        let host = format!("yagura-mark-{sent}");
        let time = rfc3339(SystemClock.now());
        let line = format!("<38>1 {time} {host} bench 7 - - yagura-bench-mark {sent}");
        let mut group = Group::new(&feed, "bench");
        group.push(0, u64::from(sent), line.as_bytes())?;
        let received = Instant::now();
        for one in to {
            // Who has ended says why.
            let _ = one.send((host.clone(), received));
        }
        tickets.push(node.intake().begin(group)?);
        sent += 1;
        std::thread::sleep((MARK_EVERY * sent).saturating_sub(began.elapsed()));
    }
    let marks = tickets.len();
    for ticket in tickets {
        ticket.wait()?;
    }
    Ok(marks)
}

/// Marks on their way, and how long those took that were seen.
struct Waiting {
    coming: Receiver<Mark>,
    /// No more are coming since then.
    ended: Option<Instant>,
    waiting: BTreeMap<String, Instant>,
    path: String,
    times: Vec<Duration>,
}

impl Waiting {
    fn new(coming: Receiver<Mark>, path: &str) -> Self {
        let (waiting, times) = (BTreeMap::new(), Vec::new());
        Self { coming, ended: None, waiting, path: path.to_owned(), times }
    }

    /// Takes in what was sent. Returns whether all was seen and no more is coming.
    fn done(&mut self) -> anyhow::Result<bool> {
        loop {
            match self.coming.try_recv() {
                Ok((host, received)) => {
                    self.waiting.insert(host, received);
                }
                Err(TryRecvError::Empty) => return Ok(false),
                Err(TryRecvError::Disconnected) => break,
            }
        }
        let ended = self.ended.get_or_insert_with(Instant::now);
        if ended.elapsed() > SEEN_MAX && !self.waiting.is_empty() {
            let (left, seen) = (self.waiting.len(), self.times.len());
            bail!("{left} marks were never seen beside {seen} that were: no figure is worth much");
        }
        Ok(self.waiting.is_empty())
    }

    /// Asks once. Marks show in their order, so those that are new are among the newest, and no
    /// more of them than wait.
    fn look(&mut self, client: &mut Client) -> anyhow::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let answer = client.get(&format!("{}&limit={}", self.path, self.waiting.len()))?;
        let now = Instant::now();
        let items = answer["items"].as_array();
        for host in items.into_iter().flatten().filter_map(host_of) {
            if let Some(received) = self.waiting.remove(host) {
                self.times.push(now - received);
            }
        }
        Ok(())
    }
}

/// The host whose finding it is.
fn host_of(finding: &Value) -> Option<&str> {
    finding["unmapped"]["group"].as_str()?.strip_prefix("device.hostname=")
}

/// Asks for findings again and again.
fn poll(mut waiting: Waiting, mut client: Client) -> anyhow::Result<Vec<Duration>> {
    while !waiting.done()? {
        waiting.look(&mut client)?;
        std::thread::sleep(POLL);
    }
    Ok(waiting.times)
}

/// Asks for findings when the live stream says that they have changed.
fn follow(mut waiting: Waiting, live: (Live, Client)) -> anyhow::Result<Vec<Duration>> {
    let (mut live, mut client) = live;
    while !waiting.done()? {
        if live.next()?.as_deref() == Some("findings") {
            waiting.done()?;
            waiting.look(&mut client)?;
        }
    }
    Ok(waiting.times)
}
