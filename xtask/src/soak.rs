//! `cargo xtask soak`: a real server under load that is killed, stopped and started at random, and
//! in the end a comparison of what it acknowledged with what it holds.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::demo;

pub const HELP: &str = "\
Runs a real server under load over HTTP, syslog (TCP) and a watched file, kills it (signal 9),
halts it and restarts it at random, and compares its tables with what was acknowledged.

Usage: cargo xtask soak [--minutes N] [--seed S]

  --minutes N   how long the load lasts, 10 where absent
  --seed S      decides the order of the disturbances, 1 where absent

A run that fails keeps its folder and says where it is.
";

/// Records of one request.
const BATCH: u64 = 50;

/// Threads that post requests.
const CLIENTS: u64 = 2;

/// How long after the load the server may take for what is still in files and sockets.
const SETTLE: Duration = Duration::from_secs(120);

/// How long a server may take until it answers.
const START: Duration = Duration::from_secs(120);

/// The command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    minutes: u64,
    seed: u64,
}

impl Options {
    /// Reads `[--minutes N] [--seed S]`.
    ///
    /// # Errors
    /// A message for the user.
    pub fn parse(args: &[String]) -> Result<Self, String> {
        let mut options = Self { minutes: 10, seed: 1 };
        for pair in args.chunks(2) {
            let [name, value] = pair else { return Err(format!("`{}` needs a number", pair[0])) };
            let number = value.parse().map_err(|_| format!("{value:?} is not a number"))?;
            match name.as_str() {
                "--minutes" => options.minutes = number,
                "--seed" => options.seed = number,
                _ => return Err(format!("unknown argument `{name}`")),
            }
        }
        Ok(options)
    }
}

/// What the senders know.
#[derive(Default)]
struct Ledger {
    stop: AtomicBool,
    /// Requests that were acknowledged; each is repeated with its key until it is.
    requests: AtomicU64,
    /// Answers other than 200.
    refusals: AtomicU64,
    /// Connections that broke.
    broken: AtomicU64,
    syslog: AtomicU64,
    watched: AtomicU64,
}

struct Site {
    program: PathBuf,
    dir: PathBuf,
    http: SocketAddr,
    syslog: SocketAddr,
    /// The header that lets requests in; made with the first start.
    known: OnceLock<String>,
}

/// Builds the server and runs it for the time asked for.
///
/// # Errors
/// Where the server does not start, or an answer is not what was acknowledged.
pub fn run(root: &Path, options: &Options) -> Result<bool> {
    let Some(program) = demo::build(root, "yagura")? else { return Ok(false) };
    let dir = std::env::temp_dir().join(format!("yagura-soak-{}", std::process::id()));
    std::fs::create_dir_all(dir.join("logs"))?;
    let [http, syslog] = free_addresses()?;
    let site = Site { program, dir, http, syslog, known: OnceLock::new() };
    site.configure()?;
    println!("soak: {} minutes, seed {}, in {}", options.minutes, options.seed, site.dir.display());
    let ledger = Ledger::default();
    let outcome = std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (site, ledger) = (&site, &ledger);
            scope.spawn(move || post_requests(site, ledger, client));
        }
        scope.spawn(|| send_syslog(&site, &ledger));
        let watched = scope.spawn(|| write_file(&site, &ledger));
        let outcome = disturb(&site, options, &ledger);
        ledger.stop.store(true, Ordering::Release);
        let written = watched.join().map_err(|_| anyhow::anyhow!("the file's writer panicked"));
        outcome.and_then(|server| written?.map(|()| server))
    });
    // The senders have ended: what they know is final.
    compare(&site, outcome?, &ledger)?;
    std::fs::remove_dir_all(&site.dir)?;
    Ok(true)
}

/// Kills, halts and restarts the server until the time is over; then it runs.
fn disturb(site: &Site, options: &Options, ledger: &Ledger) -> Result<Child> {
    let mut random = Random(options.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let until = Instant::now() + Duration::from_secs(options.minutes * 60);
    let (mut kills, mut halts, mut restarts) = (0, 0, 0);
    let mut server = site.start()?;
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(500 + random.below(12_000)));
        if let Some(status) = server.try_wait()? {
            bail!("the server ended by itself: {status}; see {}/up.log", site.dir.display());
        }
        match random.below(10) {
            0..6 => {
                kills += 1;
                server.kill()?;
                server.wait()?;
                server = site.start()?;
            }
            6..8 => {
                halts += 1;
                signal(&server, "-STOP")?;
                std::thread::sleep(Duration::from_millis(random.below(15_000)));
                signal(&server, "-CONT")?;
            }
            _ => {
                restarts += 1;
                signal(&server, "-TERM")?;
                let status = server.wait()?;
                ensure!(status.success(), "a stop failed: {status}");
                server = site.start()?;
            }
        }
        let requests = ledger.requests.load(Ordering::Relaxed);
        println!("soak: {kills} kills, {halts} halts, {restarts} restarts, {requests} requests");
    }
    Ok(server)
}

/// Waits for what is under way, stops the server and holds the ledger against the tables.
fn compare(site: &Site, mut server: Child, ledger: &Ledger) -> Result<()> {
    let (watched, syslog) =
        (ledger.watched.load(Ordering::Acquire), ledger.syslog.load(Ordering::Acquire));
    let requests = ledger.requests.load(Ordering::Acquire);
    let began = Instant::now();
    while site.count("count(*)", "watch:soak")? < watched && began.elapsed() < SETTLE {
        std::thread::sleep(Duration::from_secs(1));
    }
    signal(&server, "-TERM")?;
    ensure!(server.wait()?.success(), "the last stop failed");
    let mut wrong = Vec::new();
    let mut figures = String::new();
    for (feed, sent, exact) in [
        ("http", requests * BATCH, true),
        ("watch:soak", watched, true),
        // Without an acknowledgement a kill may lose lines, but none comes twice.
        ("syslog", syslog, false),
    ] {
        let rows = site.count("count(*)", feed)?;
        let lines = site.count("count(distinct raw_data)", feed)?;
        let _ =
            writeln!(figures, "{feed:<11} {sent:>10} sent {rows:>10} rows {lines:>10} distinct");
        if rows != lines || rows > sent || (exact && rows != sent) {
            wrong.push(feed);
        }
    }
    let (refusals, broken) = (&ledger.refusals, &ledger.broken);
    println!("{figures}{refusals:?} refusals, {broken:?} broken connections");
    let books = site.command(&["books", "--format", "ndjson"])?;
    for line in books.lines() {
        let row: serde_json::Value = serde_json::from_str(line)?;
        if row["gap"] != 0 || row["pending"] != 0 {
            println!("books: {row}");
            wrong.push("books");
        }
    }
    ensure!(wrong.is_empty(), "wrong: {wrong:?}; the folder is {}", site.dir.display());
    println!("soak: every acknowledged record is there once, the books balance");
    Ok(())
}

fn post_requests(site: &Site, ledger: &Ledger, client: u64) {
    let mut number = 0;
    while !ledger.stop.load(Ordering::Acquire) {
        let mut body = String::new();
        for n in 0..BATCH {
            let _ = writeln!(
                body,
                "Jan  5 10:{:02}:{n:02} gate sshd[77]: Failed password for u{client}x{number}x{n} \
                 from 192.0.2.9 port 4000 ssh2",
                number % 60
            );
        }
        let key = format!("{client}-{number}");
        // Until it is acknowledged, also beyond the end of the load: the server runs on.
        let began = Instant::now();
        while began.elapsed() < SETTLE {
            match site.post(&key, &body) {
                Ok(200) => {
                    ledger.requests.fetch_add(1, Ordering::AcqRel);
                    break;
                }
                Ok(_) => ledger.refusals.fetch_add(1, Ordering::Relaxed),
                Err(_) => ledger.broken.fetch_add(1, Ordering::Relaxed),
            };
            std::thread::sleep(Duration::from_millis(100));
        }
        number += 1;
    }
}

fn send_syslog(site: &Site, ledger: &Ledger) {
    let mut stream: Option<TcpStream> = None;
    while !ledger.stop.load(Ordering::Acquire) {
        let Some(open) = stream.as_mut() else {
            stream = TcpStream::connect(site.syslog).ok();
            std::thread::sleep(Duration::from_millis(50));
            continue;
        };
        let number = ledger.syslog.fetch_add(1, Ordering::AcqRel);
        let line = format!("<34>Jan  5 10:00:00 relay app: line {number} over syslog\n");
        // A server that is halted reads nothing: a line then waits, and the end with it.
        let _ = open.set_write_timeout(Some(Duration::from_secs(1)));
        if open.write_all(line.as_bytes()).is_err() {
            stream = None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn write_file(site: &Site, ledger: &Ledger) -> Result<()> {
    let path = site.dir.join("logs/app.log");
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    while !ledger.stop.load(Ordering::Acquire) {
        let number = ledger.watched.fetch_add(1, Ordering::AcqRel);
        writeln!(file, "Jan  5 10:00:00 app web[5]: request {number} of a watched file")?;
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

impl Site {
    fn configure(&self) -> Result<()> {
        let text = format!(
            "[listen]\nhttp = \"{}\"\nsyslog_tcp = \"{}\"\n[lake]\nflush_interval_s = 1\n\
             [journal]\nsegment_bytes = 4194304\n[[watch]]\nname = \"soak\"\npath = \"{}\"\n",
            self.http,
            self.syslog,
            self.dir.join("logs").display()
        );
        Ok(std::fs::write(self.dir.join("config.toml"), text)?)
    }

    fn start(&self) -> Result<Child> {
        let log = File::options().create(true).append(true).open(self.dir.join("up.log"))?;
        let mut server = Command::new(&self.program)
            .args(["up", "--config"])
            .arg(self.dir.join("config.toml"))
            .arg("--data")
            .arg(self.dir.join("data"))
            .stderr(log)
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start the server")?;
        let began = Instant::now();
        while self.request("GET", "/healthz", "", "").is_err() {
            if let Some(status) = server.try_wait()? {
                bail!("the server does not start: {status}; see {}/up.log", self.dir.display());
            }
            ensure!(began.elapsed() < START, "the server does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        if self.known.get().is_none() {
            let token = self.command(&["token", "add", "soak"])?;
            // The only one who sets it.
            let _ = self.known.set(format!("Authorization: Bearer {}\r\n", token.trim()));
        }
        Ok(server)
    }

    fn post(&self, key: &str, body: &str) -> Result<u16> {
        self.request("POST", "/api/v1/ingest", &format!("Idempotency-Key: {key}\r\n"), body)
    }

    /// The status of an answer.
    fn request(&self, method: &str, path: &str, header: &str, body: &str) -> Result<u16> {
        let mut stream = TcpStream::connect(self.http)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let (host, length) = (self.http, body.len());
        let known = self.known.get().map_or("", String::as_str);
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Length: {length}\r\n{known}{header}\r\n{body}"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.get(9..12).context("no status")?.parse()?)
    }

    fn count(&self, what: &str, feed: &str) -> Result<u64> {
        let sql = format!("select {what} from events where feed = '{feed}'");
        let out = self.command(&["sql", "--format", "csv", &sql])?;
        let value = out.lines().nth(1).context("no row")?;
        Ok(value.trim_matches('"').parse()?)
    }

    fn command(&self, args: &[&str]) -> Result<String> {
        let (name, rest) = args.split_first().context("no command")?;
        let data = self.dir.join("data");
        let output =
            Command::new(&self.program).arg(name).arg("--data").arg(data).args(rest).output()?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{args:?}: {error}");
        Ok(String::from_utf8(output.stdout)?)
    }
}

fn signal(server: &Child, name: &str) -> Result<()> {
    let sent = Command::new("kill").args([name, &server.id().to_string()]).status()?;
    ensure!(sent.success(), "the server is gone");
    Ok(())
}

/// Two addresses, held together so that they differ.
fn free_addresses() -> Result<[SocketAddr; 2]> {
    let bind = || TcpListener::bind("127.0.0.1:0");
    let (one, other) = (bind()?, bind()?);
    Ok([one.local_addr()?, other.local_addr()?])
}

/// xorshift64 (Marsaglia 2003): enough to draw disturbances, and the seed repeats them.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options, String> {
        Options::parse(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn reads_minutes_and_seed() {
        assert_eq!(parse(&[]), Ok(Options { minutes: 10, seed: 1 }));
        assert_eq!(
            parse(&["--seed", "7", "--minutes", "60"]),
            Ok(Options { minutes: 60, seed: 7 })
        );
        assert!(parse(&["--minutes"]).unwrap_err().contains("needs a number"));
        assert!(parse(&["--hours", "1"]).unwrap_err().contains("--hours"));
        assert!(parse(&["--minutes", "x"]).unwrap_err().contains("not a number"));
    }
}
