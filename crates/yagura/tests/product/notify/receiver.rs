//! Receivers: a webhook's in this process, and peers that are programs of their own.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What a receiver was sent: id, signature, body, and whether it took it.
pub type Got = (String, String, Value, bool);

/// A receiver that answers 503 while told to.
pub struct Receiver {
    pub port: u16,
    pub fails: Arc<AtomicBool>,
    pub got: Arc<Mutex<Vec<Got>>>,
}

impl Receiver {
    /// One that fails.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (fails, got) = (Arc::new(AtomicBool::new(true)), Arc::new(Mutex::new(Vec::new())));
        let (failing, list) = (Arc::clone(&fails), Arc::clone(&got));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut headers = BTreeMap::new();
                let mut line = String::new();
                while reader.read_line(&mut line).unwrap_or(0) > 2 {
                    if let Some((name, value)) = line.split_once(": ") {
                        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
                    }
                    line.clear();
                }
                let length = headers.get("content-length").and_then(|n| n.parse().ok());
                let mut body = vec![0; length.unwrap_or(0)];
                if reader.read_exact(&mut body).is_err() {
                    continue;
                }
                let takes = !failing.load(Ordering::SeqCst);
                let status = if takes { "204 No Content" } else { "503 Service Unavailable" };
                let answer =
                    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                // The sender may be dead by now.
                let _ = stream.write_all(answer.as_bytes());
                let of = |name: &str| headers.get(name).cloned().unwrap_or_default();
                let body = serde_json::from_slice(&body).unwrap();
                let one = (of("yagura-notification-id"), of("yagura-signature"), body, takes);
                list.lock().unwrap().push(one);
            }
        });
        Self { port, fails, got }
    }

    /// Events that were taken, each with the ids under which that happened.
    pub fn taken(&self) -> BTreeMap<String, Vec<String>> {
        let mut taken: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (id, _, body, takes) in self.got.lock().unwrap().iter() {
            if *takes {
                let event = body["event"].as_str().unwrap_or_default().to_owned();
                taken.entry(event).or_default().push(id.clone());
            }
        }
        taken
    }
}

/// A program that prints its port and then a line of JSON for each thing it got.
pub struct Peer {
    pub port: String,
    process: Child,
    got: Arc<Mutex<Vec<Value>>>,
}

impl Peer {
    /// Starts the script with an interpreter.
    pub fn start(python: &Path, script: &str, args: &[&Path]) -> Self {
        let mut process =
            Command::new(python).arg(script).args(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        let mut port = String::new();
        lines.read_line(&mut port).unwrap();
        let got = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&got);
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                list.lock().unwrap().push(serde_json::from_str(&line).unwrap());
            }
        });
        Self { port: port.trim().to_owned(), process, got }
    }

    /// What it got so far.
    pub fn got(&self) -> Vec<Value> {
        self.got.lock().unwrap().clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Says that a test is left out, which CI does not allow.
pub fn skipped(what: &str) {
    println!("SKIPPED: {what}");
    assert!(std::env::var("CI").as_deref() != Ok("true"), "it cannot be skipped: {what}");
}

/// Runs a command to its end; whether it was there and succeeded.
pub fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// The interpreter of a virtual environment with the mail server, made once below cargo's folder
/// for tests; `None`, said aloud, where it cannot be made.
pub fn python_with_aiosmtpd() -> Option<PathBuf> {
    const PACKAGES: [&str; 2] = ["aiosmtpd==1.4.6", "trustme==1.2.1"];
    // Tests of this program run at the same time.
    static MADE: Mutex<()> = Mutex::new(());
    let _one = MADE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("notify-smtp-peer");
    let (python, ready) = (folder.join("bin/python"), folder.join("ready"));
    let wanted = PACKAGES.join(" ");
    let made = std::fs::read_to_string(&ready).is_ok_and(|text| text == wanted)
        || (succeeds(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))
            && succeeds(Command::new(&python).args(["-m", "pip", "install", "-q"]).args(PACKAGES))
            && std::fs::write(&ready, wanted).is_ok());
    if !made {
        skipped("aiosmtpd from PyPI (apt install python3-venv python3-pip)");
        return None;
    }
    Some(python)
}
