//! A real rsyslogd and an HTTP client send numbered lines while the server is killed: what was
//! acknowledged is stored once, the books balance, a replay of the journal finds the same.

use crate::support::server::{Site, request};
use crate::support::{balanced, count, ok};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use yagura_testkit::rng::Rng;

/// Lines that rsyslogd forwards in one run.
const LINES: usize = 100_000;

/// Lines of one request.
const REQUEST: usize = 40;

/// Kills of one run.
const KILLS: usize = 3;

/// One line of each hundred is worth an incident.
const RULE: &str = "title: The back door was used
id: 0f5a9f0e-6f5e-4c0f-8a53-0d7d4e2a1c11
logsource: {product: linux}
detection:
  words: ['Accepted password for backdoor']
  condition: words
level: critical
";

/// A process that ends with the test.
struct Running(Child);

impl Running {
    fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn new_site() -> Site {
    let more = "[lake]\nflush_interval_s = 1\n[journal]\nkeep = true\nsegment_bytes = 1000000\n";
    let site = Site::new(more);
    std::fs::create_dir_all(site.data().join("rules")).unwrap();
    std::fs::write(site.data().join("rules/door.yml"), RULE).unwrap();
    site
}

/// rsyslogd reading a file of numbered lines and forwarding them, for ever trying again.
fn rsyslogd(site: &Site) -> Running {
    let dir = site.dir.path();
    let (lines, work) = (dir.join("lines.log"), dir.join("spool"));
    std::fs::create_dir_all(&work).unwrap();
    let text = format!(
        "global(workDirectory=\"{work}\")\nmodule(load=\"imfile\")\n\
         input(type=\"imfile\" File=\"{lines}\" Tag=\"sshd[7]:\" ruleset=\"out\")\n\
         ruleset(name=\"out\") {{ action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{port}\" \
         protocol=\"tcp\" TCP_Framing=\"octet-counted\" action.resumeRetryCount=\"-1\" \
         action.resumeInterval=\"1\" queue.type=\"LinkedList\" queue.size=\"300000\") }}\n",
        work = work.display(),
        lines = lines.display(),
        port = site.tcp.port(),
    );
    let config = dir.join("rsyslog.conf");
    std::fs::write(&config, text).unwrap();
    write_lines(&lines);
    let child = Command::new("rsyslogd")
        .arg("-n")
        .arg("-f")
        .arg(config)
        .arg("-i")
        .arg(dir.join("rsyslogd.pid"))
        .stderr(Stdio::null())
        .spawn();
    Running(child.unwrap())
}

fn write_lines(path: &Path) {
    let mut text = String::new();
    for n in 0..LINES {
        let (verb, user) = if n % 100 == 7 { ("Accepted", "backdoor") } else { ("Failed", "root") };
        let source = 1 + n % 50;
        writeln!(text, "{verb} password for {user} from 203.0.113.{source} port 4242 ssh2 #{n:06}")
            .unwrap();
    }
    std::fs::write(path, text).unwrap();
}

/// Sends numbered requests, each again under its key until it is acknowledged.
fn client(http: SocketAddr, stop: &AtomicBool, acknowledged: &Mutex<BTreeSet<usize>>) {
    for number in 0.. {
        let mut body = String::new();
        for line in 0..REQUEST {
            writeln!(body, "<38>Jan  5 10:00:00 web app[3]: request {number:06} line {line:02}")
                .unwrap();
        }
        let key = format!("Idempotency-Key: request-{number}\r\n");
        loop {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            match request(http, "POST", "/api/v1/ingest", &key, &body) {
                Some((200, _)) => break,
                Some((status, body)) => assert!([429, 503].contains(&status), "{status} {body}"),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        acknowledged.lock().unwrap().insert(number);
    }
}

/// Records that are in the tables or in memory, of the syslog feed.
fn syslog_records(site: &Site) -> usize {
    let sql = "select count(*) from events where feed = 'syslog'";
    count(&site.data(), sql).parse().unwrap()
}

/// Waits until the last line has come and nothing more comes.
fn wait_settled(site: &Site) {
    let (began, mut before) = (Instant::now(), 0);
    loop {
        assert!(began.elapsed() < Duration::from_secs(180), "lines still come: {before}");
        std::thread::sleep(Duration::from_millis(1500));
        let records = syslog_records(site);
        if records > 0 && records == before {
            return;
        }
        before = records;
    }
}

/// Kills the server [`KILLS`] times at seeded moments, each after the flow has begun again.
fn run(seed: u64) -> Site {
    let mut site = new_site();
    let mut rng = Rng::new(seed);
    let stop = AtomicBool::new(false);
    let acknowledged = Mutex::new(BTreeSet::new());
    site.start();
    let (http, mut rsyslogd) = (site.http, rsyslogd(&site));
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| client(http, &stop, &acknowledged));
        for _ in 0..KILLS {
            std::thread::sleep(Duration::from_millis(rng.range(150, 1800)));
            site.kill();
            site.start();
        }
        wait_settled(&site);
        stop.store(true, Ordering::Relaxed);
        sender.join().unwrap();
    });
    rsyslogd.kill();
    wait_settled(&site);
    site.kill();
    check(seed, &site, &acknowledged.into_inner().unwrap());
    site
}

fn check(seed: u64, site: &Site, acknowledged: &BTreeSet<usize>) {
    let data = site.data();
    let sql = "select split_part(split_part(raw_data, 'request ', 2), ' ', 1) as request, \
               count(*) as records, count(distinct raw_data) as lines \
               from events where feed = 'http' group by 1";
    let text = ok(&["sql", "--data", data.to_str().unwrap(), "--format", "ndjson", sql]);
    let mut stored = BTreeMap::new();
    for line in text.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let request: usize = row["request"].as_str().unwrap().parse().unwrap();
        stored.insert(request, (row["records"].as_u64(), row["lines"].as_u64()));
    }
    let whole = (Some(REQUEST as u64), Some(REQUEST as u64));
    assert!(!acknowledged.is_empty());
    for number in acknowledged {
        assert_eq!(stored.get(number), Some(&whole), "seed {seed}: request {number}");
    }
    assert!(stored.values().all(|counts| *counts == whole), "seed {seed}: {stored:?}");
    let of_syslog = |what: &str| -> usize {
        let sql = format!("select {what} from events where feed = 'syslog'");
        count(&data, &sql).parse().unwrap()
    };
    let records = of_syslog("count(*)");
    let numbers = of_syslog("count(distinct split_part(raw_data, '#', 2))");
    let torn = of_syslog("count(*) filter (where not regexp_like(raw_data, '#[0-9]{6}$'))");
    println!(
        "seed {seed}: {} requests acknowledged and whole; of {LINES} syslog lines {} lost and {} \
         doubled between rsyslogd and the server's death",
        acknowledged.len(),
        LINES - numbers,
        records - numbers,
    );
    assert_eq!(torn, 0, "seed {seed}: a line is not whole");
    // Plain TCP acknowledges nothing: a death loses what is on its way at that moment, however much
    // that is, in one piece.
    let gaps = gaps(&data);
    assert!(numbers > 0 && gaps.len() <= KILLS, "seed {seed}: {numbers} came, without {gaps:?}");
    let rows = balanced(&data);
    let received = |feed: &str| -> u64 {
        let of = |row: &&serde_json::Value| row["feed"] == feed;
        rows.iter().filter(of).map(|row| row["received"].as_u64().unwrap()).sum()
    };
    assert_eq!(received("syslog"), records as u64, "seed {seed}");
    assert_eq!(received("http"), (stored.len() * REQUEST) as u64, "seed {seed}");
}

/// First and last of each stretch of lines of the syslog feed that did not come.
fn gaps(data: &Path) -> Vec<String> {
    let came = "select distinct cast(split_part(raw_data, '#', 2) as bigint) as n \
                from events where feed = 'syslog'";
    let sql = format!(
        "select before + 1, n - 1 from (select n, lag(n, 1, -1) over (order by n) as before \
         from ({came} union all select {LINES})) where n > before + 1"
    );
    let text = ok(&["sql", "--data", data.to_str().unwrap(), "--format", "csv", &sql]);
    text.lines().skip(1).map(str::to_owned).collect()
}

fn judged(data: &Path) -> [String; 2] {
    ["findings", "incidents"]
        .map(|what| ok(&[what, "--data", data.to_str().unwrap(), "--format", "ndjson"]))
}

/// Replays the kept journal in an empty directory.
fn replay(seed: u64, site: &Site) {
    let (data, copy) = (site.data(), site.dir.path().join("copy"));
    std::fs::create_dir(&copy).unwrap();
    for part in ["VERSION", "journal", "epochs"] {
        let copied = Command::new("cp").arg("-r").arg(data.join(part)).arg(&copy).status();
        assert!(copied.unwrap().success());
    }
    let kept = std::fs::read_dir(copy.join("journal/kept")).unwrap().count();
    assert!(kept > 0, "seed {seed}: the journal was never cut");
    let (first, again) = (judged(&data), judged(&copy));
    assert!(first.iter().all(|text| !text.is_empty()), "seed {seed}: nothing was found");
    assert_eq!(first, again, "seed {seed}: the replay finds something else");
    let events = |data: &Path| count(data, "select count(*) from events");
    assert_eq!(events(&data), events(&copy), "seed {seed}");
}

#[test]
fn numbered_lines_survive_kill_9_and_a_replay_finds_the_same() {
    if Command::new("rsyslogd").arg("-v").output().is_err() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "rsyslogd is missing");
        println!("SKIPPED: rsyslogd is missing; apt-get install rsyslog");
        return;
    }
    let full = std::env::var("YAGURA_FULL").as_deref() == Ok("1");
    // Three kills a run: 21 with the long tests.
    for seed in 1..=if full { 7 } else { 1 } {
        let site = run(seed);
        replay(seed, &site);
    }
}
