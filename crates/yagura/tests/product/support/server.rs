//! A running server of a test: its own addresses and folder, ended with the test.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use yagura_testkit::ports::free_addresses;

/// A folder with a configuration, and the server on it.
pub struct Site {
    /// Data, configuration and whatever the test puts beside them.
    pub dir: tempfile::TempDir,
    /// API address.
    pub http: SocketAddr,
    /// Syslog over TCP.
    pub tcp: SocketAddr,
    /// Syslog over UDP.
    pub udp: SocketAddr,
    child: Option<Child>,
}

impl Site {
    /// A site with `more` behind the `[listen]` table's addresses; nothing runs yet.
    pub fn new(more: &str) -> Self {
        let [http, syslog, udp] = free_addresses();
        let site = Self { dir: tempfile::tempdir().unwrap(), http, tcp: syslog, udp, child: None };
        let more = more.replace("$D", site.dir.path().to_str().unwrap());
        let text = format!(
            "[listen]\nhttp = \"{http}\"\nsyslog_tcp = \"{syslog}\"\nsyslog_udp = \"{udp}\"\n{more}"
        );
        std::fs::write(site.path("config.toml"), text).unwrap();
        site
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// Starts the server and waits until it answers.
    pub fn start(&mut self) {
        let log = self.path("up.log");
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_yagura"))
            .args(["up", "--config"])
            .arg(self.path("config.toml"))
            .arg("--data")
            .arg(self.data())
            .stderr(log.try_clone().unwrap())
            .stdout(log)
            .spawn();
        self.child = Some(child.unwrap());
        let began = Instant::now();
        while request(self.http, "GET", "/healthz", "", "").is_none() {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "the server ended: {}", self.log());
            assert!(began.elapsed() < Duration::from_secs(60), "no answer: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        let (status, _) = request(self.http, "GET", "/api/v1/version", "", "").unwrap();
        if status == 401 {
            let made = Command::new(env!("CARGO_BIN_EXE_yagura"))
                .args(["token", "add", "test", "--data"])
                .arg(self.data())
                .output()
                .unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            let token = String::from_utf8(made.stdout).unwrap().trim().to_owned();
            TOKENS.lock().unwrap().get_or_insert_default().insert(self.http, token);
        }
    }

    /// What the server said so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("up.log")).unwrap_or_default()
    }

    /// Sends it a signal, such as `-STOP`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Signal 9.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(&mut self) {
        let mut child = self.child.take().unwrap();
        let asked = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status();
        assert!(asked.unwrap().success());
        let status = child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.log());
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Tokens of the servers, by address.
static TOKENS: Mutex<Option<HashMap<SocketAddr, String>>> = Mutex::new(None);

/// The header that lets a request in, empty where the server has given no token.
pub fn authorization(to: SocketAddr) -> String {
    let tokens = TOKENS.lock().unwrap();
    let token = tokens.as_ref().and_then(|tokens| tokens.get(&to));
    token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"))
}

/// Status and body of one request, `None` where the connection breaks.
pub fn request(
    to: SocketAddr,
    method: &str,
    path: &str,
    header: &str,
    body: &str,
) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(to).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(90))).unwrap();
    let known = authorization(to);
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nContent-Length: {}\r\n{known}{header}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.get(9..12)?.parse().ok()?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Some((status, body.to_owned()))
}

/// Tries until `done`, a minute at most.
#[track_caller]
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(60), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
