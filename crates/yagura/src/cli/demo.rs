//! `yagura demo`: the platform on a directory of its own, and a made-up company's day sent to
//! it over syslog and HTTP on the story's own clock.

use crate::cli::Usage;
use crate::cli::online::{incident_text, shown};
use crate::cli::replay::Scenario;
use crate::cli::up::{Server, asked_to_end};
use crate::config::Config;
use anyhow::Context as _;
use clap::Args;
use serde_json::Value;
use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use yagura_api::{Access, Backend, Caller, Cases, Watched};
use yagura_event::time::parse_rfc3339;
use yagura_event::{Clock, Micros, SystemClock, TenantScope};
use yagura_journal::Entry;
use yagura_testkit::story::{Channel, STORY_LENGTH, Story};

/// How long the story takes, in seconds.
const SHOW_SECONDS: i64 = 30;

/// How long findings are waited for after the last line.
const SETTLE: Duration = Duration::from_secs(20);

#[derive(Args, Debug)]
pub struct DemoArgs {
    /// Keep (and reuse) the data directory DIR instead of a temporary one
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Seed of the story's generator
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Moment of the story's first record (RFC 3339); so that it ends now where absent
    #[arg(long, value_name = "T")]
    pub start: Option<String>,
    /// Stop after the story instead of going on serving
    #[arg(long)]
    pub once: bool,
    /// Replay the logs of a scenario's folder instead of the story
    #[arg(long, value_name = "DIR", conflicts_with_all = ["seed", "start"])]
    pub scenario: Option<PathBuf>,
    /// Name the scenario's hosts and users by place below the folder (repeatable)
    #[arg(long, value_name = "PATTERN", default_value = "{host}/...", requires = "scenario")]
    pub path: Vec<String>,
    /// How many times faster than life; so that it takes half a minute where absent
    #[arg(long, value_name = "N")]
    pub speed: Option<i64>,
    /// Configuration file (TOML), for other addresses
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// A clock that runs through the story faster than the wall, and on with the wall behind it.
struct StoryClock {
    start: Micros,
    speed: i64,
    length: Micros,
    began: Instant,
}

impl Clock for StoryClock {
    fn now(&self) -> Micros {
        let elapsed = i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX);
        let shown = (self.length / self.speed.max(1)).min(elapsed);
        let told = shown.saturating_mul(self.speed);
        self.start.saturating_add(told).saturating_add(elapsed - shown)
    }
}

/// Runs the demo.
///
/// # Errors
/// A directory or address that cannot be used; a story without its incident.
pub fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let temporary = std::env::temp_dir().join(format!("yagura-demo-{}", std::process::id()));
    let data = args.keep.clone().unwrap_or_else(|| temporary.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(show(args, &data));
    if args.keep.is_none() {
        // What cannot be removed is in the system's folder for temporary files.
        let _ = std::fs::remove_dir_all(&temporary);
    }
    outcome
}

/// What is replayed.
enum Play {
    /// A story and when it begins.
    Story(Story, Micros),
    Scenario(Scenario),
}

impl Play {
    fn of(args: &DemoArgs) -> anyhow::Result<Self> {
        if let Some(dir) = &args.scenario {
            eprintln!("reading {}", dir.display());
            return Scenario::read(dir, &args.path).map(Self::Scenario);
        }
        let start = match &args.start {
            Some(text) => parse_rfc3339(text)
                .ok_or_else(|| Usage(format!("--start {text:?} is not an RFC 3339 time")))?,
            None => SystemClock.now() - STORY_LENGTH + SHOW_SECONDS * 1_000_000,
        };
        Ok(Self::Story(Story::generate(args.seed, start), start))
    }

    /// Its beginning and its length.
    fn span(&self) -> (Micros, Micros) {
        match self {
            Self::Story(_, start) => (*start, STORY_LENGTH),
            Self::Scenario(scenario) => scenario.span(),
        }
    }

    fn lines(&self) -> usize {
        match self {
            Self::Story(story, _) => story.lines.len(),
            Self::Scenario(scenario) => scenario.len(),
        }
    }
}

async fn show(args: &DemoArgs, data: &std::path::Path) -> anyhow::Result<()> {
    let mut play = Play::of(args)?;
    let (start, length) = play.span();
    let speed = args.speed.unwrap_or(length / (SHOW_SECONDS * 1_000_000)).max(1);
    let clock = Arc::new(StoryClock { start, speed, length, began: Instant::now() });
    let config = Config::load(args.config.as_deref())?;
    let server = Server::start(data, &config, Arc::clone(&clock) as Arc<dyn Clock>).await?;
    let token = server.backend().add_token(&Caller::owner(), "demo").map_err(shown)?.token;
    let password = server.backend().new_password().map_err(shown)?;
    println!("Console   http://{}", config.listen.http);
    println!("Password  {password}");
    eprintln!(
        "{} log lines of {} minutes, replayed in about {} s",
        play.lines(),
        length / 60_000_000,
        length / speed / 1_000_000
    );
    match &mut play {
        Play::Story(story, _) => send(story, &clock, &config, &token, &server).await?,
        Play::Scenario(scenario) => relive(scenario, &clock, &server).await?,
    }
    let incidents = settle(&server).await?;
    eprintln!();
    for incident in &incidents {
        print!("{}", incident_text(incident));
    }
    println!("{} incident(s) of {} records.", incidents.len(), play.lines());
    if let Some(keep) = &args.keep {
        println!("      yagura findings --data {}", keep.display());
    }
    if !args.once {
        println!("The platform stays up; Ctrl-C ends it.");
        asked_to_end().await;
    }
    server.stop().await?;
    let found = matches!(play, Play::Scenario(_)) || !incidents.is_empty();
    anyhow::ensure!(found, "the story's attack was not found");
    Ok(())
}

/// Replays a scenario, and waits until everything is judged.
async fn relive(
    scenario: &mut Scenario,
    clock: &StoryClock,
    server: &Server,
) -> anyhow::Result<()> {
    let (mut feeds, mut drawn) = (HashMap::new(), Instant::now());
    let node = Arc::clone(server.node());
    while tokio::task::block_in_place(|| scenario.advance(&node, &mut feeds, clock.now()))? {
        if drawn.elapsed() > Duration::from_millis(250) {
            drawn = Instant::now();
            draw(server).await?;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let durable = node.intake().control(&[Entry::Tick])?.last;
    let judged = move || node.progress().wait_caught_up(durable).map_err(anyhow::Error::msg);
    tokio::task::spawn_blocking(judged).await?
}

async fn send(
    story: &Story,
    clock: &StoryClock,
    config: &Config,
    token: &str,
    server: &Server,
) -> anyhow::Result<()> {
    let mut syslog = TcpStream::connect(config.listen.syslog_tcp).await?;
    let mut at = 0;
    let mut drawn = Instant::now();
    while at < story.lines.len() {
        let now = clock.now();
        let mut posts: Vec<(&'static str, &'static str, String)> = Vec::new();
        let mut text = String::new();
        while let Some(line) = story.lines.get(at).filter(|line| line.at <= now) {
            at += 1;
            match line.channel {
                Channel::Syslog => {
                    text.push_str(&line.text);
                    text.push('\n');
                }
                Channel::Http { source, host } => match posts.iter_mut().find(|p| p.1 == host) {
                    Some(post) => {
                        post.2.push('\n');
                        post.2.push_str(&line.text);
                    }
                    None => posts.push((source, host, line.text.clone())),
                },
            }
        }
        syslog.write_all(text.as_bytes()).await?;
        for (source, host, body) in posts {
            post(config.listen.http, token, source, host, &body).await?;
        }
        if drawn.elapsed() > Duration::from_millis(250) {
            drawn = Instant::now();
            draw(server).await?;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    syslog.shutdown().await.context("closing the syslog connection")
}

/// One request of the demo's own, as any client would send it.
async fn post(
    to: SocketAddr,
    token: &str,
    source: &str,
    host: &str,
    body: &str,
) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(to).await?;
    let head = format!(
        "POST /api/v1/ingest?source={source}&host={host} HTTP/1.1\r\nHost: {to}\r\nContent-Type: text/plain\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let status = String::from_utf8_lossy(answer.get(..15).unwrap_or_default()).into_owned();
    anyhow::ensure!(status.contains(" 200"), "the platform answered {status:?}");
    Ok(())
}

async fn status(server: &Server) -> anyhow::Result<Value> {
    let backend = Arc::clone(server.backend());
    Ok(tokio::task::spawn_blocking(move || backend.status()).await??)
}

async fn draw(server: &Server) -> anyhow::Result<()> {
    let status = status(server).await?;
    let line = format!(
        "records {:>6} → events {:>6} → matches {:>5} → findings {:>4} → entities {:>3} → incidents {:>2}",
        status["records"],
        status["events"],
        status["matches"],
        status["findings"],
        status["entities"],
        status["incidents"]
    );
    let mut out = std::io::stderr();
    let end = if out.is_terminal() { "\r" } else { "\n" };
    write!(out, "{line}{end}")?;
    Ok(out.flush()?)
}

/// Waits until the incidents no longer change.
async fn settle(server: &Server) -> anyhow::Result<Vec<Value>> {
    let began = Instant::now();
    let mut last = Vec::new();
    let mut same = 0;
    while began.elapsed() < SETTLE && (same < 5 || last.is_empty()) {
        tokio::time::sleep(Duration::from_millis(700)).await;
        draw(server).await?;
        let backend = Arc::clone(server.backend());
        let scope = TenantScope::operator();
        let list = tokio::task::spawn_blocking(move || backend.incidents(&scope)).await??;
        same = if list == last { same + 1 } else { 0 };
        last = list;
    }
    Ok(last)
}
