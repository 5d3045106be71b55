//! Webhooks to a real receiver: each state once, the same id again, redirects, a mute peer.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::{T0, case, closed, configs, rows, run, store};
use yagura_event::time::{HOUR, SECOND};
use yagura_meta::outbox::Status;
use yagura_respond::{Case, Notifier, Secret, signature};

#[derive(Clone, Debug)]
struct Request {
    headers: BTreeMap<String, String>,
    body: String,
}

impl Request {
    fn id(&self) -> &str {
        &self.headers["yagura-notification-id"]
    }

    fn event(&self) -> (String, String) {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(body["id"], self.id());
        let text = |key: &str| body[key].as_str().unwrap().to_owned();
        (text("incident"), text("event"))
    }

    /// What the documentation tells receivers to do.
    fn verify(&self) {
        let timestamp = self.headers["yagura-timestamp"].parse().unwrap();
        let secret = Secret::new("swordfish".to_owned());
        let made = signature(&secret, timestamp, self.body.as_bytes());
        assert_eq!(self.headers["yagura-signature"], format!("v1={made}"));
        assert_eq!(self.headers["content-type"], "application/json");
    }
}

/// A receiver that answers its first requests as told, all further ones with 204.
struct Receiver {
    port: u16,
    got: Arc<Mutex<Vec<Request>>>,
}

impl Receiver {
    fn new(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, got) = (listener.local_addr().unwrap().port(), Arc::default());
        let mut answers: Vec<String> = answers.iter().rev().map(ToString::to_string).collect();
        let kept: Arc<Mutex<Vec<Request>>> = Arc::clone(&got);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read(&mut stream);
                kept.lock().unwrap().push(request);
                let answer = answers.pop().unwrap_or_else(|| "204 No Content".to_owned());
                let _ = write!(stream, "HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
            }
        });
        Self { port, got }
    }

    fn config(&self, name: &str) -> String {
        format!(
            "[[notify]]\nname = '{name}'\nkind = 'webhook'\nsecret = 'file:SECRET'\n\
             url = 'http://127.0.0.1:{}/hook'\n",
            self.port
        )
    }

    fn wait(&self, requests: usize) -> Vec<Request> {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let got = self.got.lock().unwrap().clone();
            if got.len() >= requests {
                return got;
            }
            assert!(Instant::now() < end, "{} of {requests} requests came", got.len());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn read(stream: &mut TcpStream) -> Request {
    let mut reader = BufReader::new(stream);
    let mut headers = BTreeMap::new();
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "POST /hook HTTP/1.1\r\n");
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    Request { headers, body: String::from_utf8(body).unwrap() }
}

fn notifier(dir: &tempfile::TempDir, config: &str) -> Notifier {
    let path = dir.path().join("secret");
    std::fs::write(&path, "swordfish\n").unwrap();
    Notifier::new(&configs(&config.replace("SECRET", path.to_str().unwrap()))).unwrap()
}

#[test]
fn each_state_arrives_once_over_failures_with_the_same_id() {
    let receiver = Receiver::new(&["503 No", "500 No", "429 Wait", "302 Found", "408 Late"]);
    let (dir, store) = store();
    let mut notifier = notifier(&dir, &receiver.config("hook"));
    let mut cases: Vec<Case> = (1..=3).map(case).collect();
    let now = run(&mut notifier, &store, T0, T0 + HOUR, &cases);
    cases[1].decisions.push(closed(4));
    let now = run(&mut notifier, &store, now, now + HOUR, &cases);
    run(&mut notifier, &store, now + HOUR, now + 2 * HOUR, &cases);
    let got = receiver.wait(9);
    assert_eq!(got.len(), 9);
    let mut told: BTreeMap<(String, String), Vec<&Request>> = BTreeMap::new();
    for request in &got {
        request.verify();
        told.entry(request.event()).or_default().push(request);
    }
    assert_eq!(told.len(), 4);
    for requests in told.values() {
        assert!(
            requests.iter().all(|r| (r.id(), &r.body) == (requests[0].id(), &requests[0].body))
        );
    }
    let attempts: u32 = rows(&store).iter().map(|row| row.attempts).sum();
    assert_eq!(attempts, 9);
    assert!(rows(&store).iter().all(|row| row.status == Status::Sent));
    let title = serde_json::from_str::<serde_json::Value>(&got[8].body).unwrap();
    assert_eq!(title["title"], case(1).title);
    assert_eq!(title["decision"]["verdict"], "true_positive");
}

#[test]
fn a_sender_that_ends_before_its_mark_sends_the_same_again() {
    let receiver = Receiver::new(&[]);
    let (dir, store) = store();
    let mut first = notifier(&dir, &receiver.config("hook"));
    first.step(&store, T0, &[case(1)]).unwrap();
    receiver.wait(1);
    drop(first);
    assert_eq!(rows(&store)[0].status, Status::Pending);
    let mut second = notifier(&dir, &receiver.config("hook"));
    let renamed = Case { title: "another".to_owned(), ..case(1) };
    run(&mut second, &store, T0 + SECOND, T0 + HOUR, &[renamed]);
    let got = receiver.wait(2);
    assert_eq!(got.len(), 2);
    assert_eq!((got[0].id(), &got[0].body), (got[1].id(), &got[1].body));
    assert_eq!(rows(&store)[0].status, Status::Sent);
}

#[test]
fn what_is_refused_for_good_is_given_up() {
    let receiver = Receiver::new(&["404 Not Found"]);
    let (dir, store) = store();
    let mut notifier = notifier(&dir, &receiver.config("hook"));
    run(&mut notifier, &store, T0, T0 + HOUR, &[case(1), case(2)]);
    let states: Vec<Status> = rows(&store).iter().map(|row| row.status).collect();
    assert_eq!(states, [Status::Dead, Status::Sent]);
    assert_eq!(rows(&store)[0].last_error.as_deref(), Some("status 404"));
}

#[test]
fn a_peer_that_never_answers_holds_up_no_other_and_nobody_listening_is_a_failure() {
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let receiver = Receiver::new(&[]);
    let at = |name: &str, port: u16| {
        receiver.config(name).replace(&receiver.port.to_string(), &port.to_string())
    };
    let config = [
        at("mute", mute.local_addr().unwrap().port()),
        at("closed", closed),
        receiver.config("hook"),
    ];
    let (dir, store) = store();
    let mut notifier = notifier(&dir, &config.concat());
    let begun = Instant::now();
    notifier.step(&store, T0, &[case(1), case(2), case(3)]).unwrap();
    while receiver.got.lock().unwrap().len() < 3 {
        assert!(notifier.wait(Duration::from_secs(20)));
        notifier.send(&store, T0).unwrap();
    }
    assert!(rows(&store).iter().filter(|row| row.channel == "mute").all(|row| row.attempts == 0));
    while rows(&store).iter().all(|row| row.channel != "mute" || row.attempts == 0) {
        assert!(notifier.wait(Duration::from_secs(60)));
        notifier.send(&store, T0).unwrap();
    }
    assert!(begun.elapsed() >= Duration::from_secs(9), "{:?}", begun.elapsed());
    let error = |name: &str| {
        let rows = rows(&store);
        let tried = rows.iter().find(|row| row.channel == name && row.attempts > 0).unwrap();
        assert_eq!(tried.status, Status::Pending);
        tried.last_error.clone().unwrap()
    };
    assert!(error("mute").contains("timeout"), "{}", error("mute"));
    assert!(error("closed").contains("refused"), "{}", error("closed"));
}
