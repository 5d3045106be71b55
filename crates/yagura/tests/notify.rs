//! Incidents are told through a webhook once for each thing that happens to them, also over a
//! receiver that fails and a server that is killed; the configuration is read again at SIGHUP.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/server.rs"]
mod server;
mod support;

use serde_json::{Value, json};
use server::{Site, request, wait_until};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

const RULE: &str = "title: Root came in\nid: 0f5a9f0e-6f5e-4c0f-8a53-0d7d4e2a1c13\n\
    logsource: {product: linux}\ndetection:\n  words: ['Accepted password for root']\n  \
    condition: words\nlevel: critical\n";

/// What a receiver was sent: id, signature, body, and whether it took it.
type Got = (String, String, Value, bool);

/// A receiver that answers 503 while told to.
struct Receiver {
    port: u16,
    fails: Arc<AtomicBool>,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Receiver {
    fn start() -> Self {
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
    fn taken(&self) -> BTreeMap<String, Vec<String>> {
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

fn channel(name: &str, port: u16) -> String {
    format!(
        "[[notify]]\nname = \"{name}\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{port}/hook\"\n\
         secret = \"file:$D/secret\"\n"
    )
}

fn config(site: &Site, channels: &str) {
    let text = std::fs::read_to_string(site.path("config.toml")).unwrap();
    let head = text.split("[[notify]]").next().unwrap().to_owned();
    let channels = channels.replace("$D", site.dir.path().to_str().unwrap());
    std::fs::write(site.path("config.toml"), head + &channels).unwrap();
}

#[test]
fn incidents_are_told_once_over_failures_kills_and_another_configuration() {
    let receiver = Receiver::start();
    let mut site =
        Site::new(&format!("[lake]\nflush_interval_s = 1\n{}", channel("soc", receiver.port)));
    std::fs::write(site.path("secret"), "a secret of twenty and more characters").unwrap();
    std::fs::create_dir_all(site.data().join("rules")).unwrap();
    std::fs::write(site.data().join("rules/root.yml"), RULE).unwrap();
    site.start();
    let line = "<38>1 2026-11-20T10:01:30Z gate sshd 7 - - Accepted password for root from 203.0.113.7 port 4200 ssh2\n";
    assert_eq!(request(site.http, "POST", "/api/v1/ingest", "", line).unwrap().0, 200);
    // It is refused, and refused again by the next process.
    wait_until("a first try", || !receiver.got.lock().unwrap().is_empty());
    site.kill();
    site.start();
    let before = receiver.got.lock().unwrap().len();
    wait_until("another try", || receiver.got.lock().unwrap().len() > before);
    receiver.fails.store(false, Ordering::SeqCst);
    wait_until("it is taken", || receiver.taken().len() == 1);
    let (id, signature, body, _) = receiver.got.lock().unwrap()[0].clone();
    assert!(signature.starts_with("v1=") && body.to_string().contains("INC-"), "{body}");
    let ids: Vec<String> = receiver.got.lock().unwrap().iter().map(|got| got.0.clone()).collect();
    assert!(ids.iter().all(|one| *one == id), "{ids:?}");

    // Somebody decides: that is told, and the first thing is not told again.
    let list = request(site.http, "GET", "/api/v1/incidents?view=summary", "", "").unwrap().1;
    let list: Value = serde_json::from_str(&list).unwrap();
    let incident = list["items"][0]["id"].as_str().unwrap().to_owned();
    let closing = json!({ "state": "closed", "verdict": "benign", "reason": "a drill" });
    let path = format!("/api/v1/incidents/{incident}/decision");
    let header = "Content-Type: application/json\r\n";
    let decided = request(site.http, "PUT", &path, header, &closing.to_string()).unwrap();
    assert_eq!(decided.0, 200, "{}", decided.1);
    wait_until("the decision is told", || receiver.taken().len() == 2);
    site.kill();
    site.start();
    std::thread::sleep(std::time::Duration::from_secs(3));
    let taken = receiver.taken();
    assert!(taken.values().all(|ids| ids.iter().all(|id| *id == ids[0])), "{taken:?}");
    assert_eq!(taken.len(), 2, "{taken:?}");

    // Another channel by SIGHUP is not told of the past; a wrong configuration changes nothing.
    let other = Receiver::start();
    other.fails.store(false, Ordering::SeqCst);
    config(&site, "[[notify]]\nname = \"soc\"\nkind = \"pigeon\"\n");
    site.signal("-HUP");
    wait_until("it is refused", || site.log().contains("configuration refused"));
    config(&site, &channel("other", other.port));
    site.signal("-HUP");
    wait_until("it is in force", || site.log().contains("[[notify]] is in force"));
    let opening = json!({ "state": "in_progress" });
    let decided = request(site.http, "PUT", &path, header, &opening.to_string()).unwrap();
    assert_eq!(decided.0, 200, "{}", decided.1);
    wait_until("the other channel is told", || other.taken().len() == 1);
    assert_eq!(receiver.taken().len(), 2);
    // Who was told knows a moment before it is marked.
    wait_until("all three are marked", || {
        let path = "/api/v1/notifications?status=sent";
        let told = request(site.http, "GET", path, "", "").unwrap().1;
        let told: Value = serde_json::from_str(&told).unwrap();
        told["items"].as_array().unwrap().len() == 3
    });
    assert!(!site.log().contains("a secret of twenty"));
}
