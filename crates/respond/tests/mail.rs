//! Mail to a real server, aiosmtpd from PyPI: encryption, accounts, recipients, repeats.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use support::{T0, case, closed, configs, rows, run, store};
use tempfile::TempDir;
use yagura_event::time::{HOUR, SECOND};
use yagura_meta::outbox::Status;
use yagura_respond::{Case, Notifier};

const PACKAGES: [&str; 2] = ["aiosmtpd==1.4.6", "trustme==1.2.1"];

/// The interpreter of a virtual environment with the server, made once; `None`, said aloud, where
/// it cannot be made.
fn python() -> Option<&'static Path> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    PYTHON.get_or_init(environment).as_deref()
}

fn environment() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("smtp-peer");
    let (python, ready) = (folder.join("bin/python"), folder.join("ready"));
    let good = |command: &mut Command| {
        command.stdout(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    let wanted = PACKAGES.join(" ");
    let made = std::fs::read_to_string(&ready).is_ok_and(|text| text == wanted)
        || (good(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))
            && good(Command::new(&python).args(["-m", "pip", "install", "-q"]).args(PACKAGES))
            && std::fs::write(&ready, wanted).is_ok());
    if !made {
        println!("SKIPPED: aiosmtpd from PyPI (install: python3 with venv and pip)");
        assert!(std::env::var("CI").as_deref() != Ok("true"), "the mail peer cannot be skipped");
        return None;
    }
    Some(python)
}

struct Peer {
    process: Child,
    lines: BufReader<ChildStdout>,
    port: String,
    folder: TempDir,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Peer {
    fn new(mode: &str, fail: u32) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("password"), "swordfish\n").unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/smtp.py");
        let mut process = Command::new(python()?)
            .args([script, mode])
            .arg(folder.path())
            .arg(fail.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        let mut port = String::new();
        lines.read_line(&mut port).unwrap();
        Some(Self { process, lines, port: port.trim().to_owned(), folder })
    }

    /// The next message that arrived.
    fn message(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// All messages that arrived; the peer ends.
    fn rest(mut self) -> Vec<Value> {
        self.process.kill().unwrap();
        let lines = std::mem::replace(
            &mut self.lines,
            BufReader::new(
                Command::new("true").stdout(Stdio::piped()).spawn().unwrap().stdout.take().unwrap(),
            ),
        );
        lines.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
    }

    fn notifier(&self, more: &str) -> Notifier {
        let more = more
            .replace("CA", self.folder.path().join("ca.pem").to_str().unwrap())
            .replace("PASSWORD", self.folder.path().join("password").to_str().unwrap());
        let to = if more.contains("to = ") { "" } else { "to = ['soc@example.org']\n" };
        let text = format!(
            "[[notify]]\nname = 'soc'\nkind = 'mail'\nsmtp_host = 'localhost'\n\
             smtp_port = {}\nfrom = 'Yagura <yagura@example.org>'\n{to}{more}",
            self.port
        );
        Notifier::new(&configs(&text)).unwrap()
    }
}

#[test]
fn each_state_arrives_once_in_both_languages() {
    let Some(peer) = Peer::new("plain", 2) else { return };
    let (_dir, store) = store();
    let mut notifier = peer.notifier("tls = 'none'\nlanguage = 'both'\ntime_zone = 'Asia/Tokyo'\n");
    let mut case = case(42);
    let now = run(&mut notifier, &store, T0, T0 + HOUR, std::slice::from_ref(&case));
    case.decisions.push(closed(4));
    run(&mut notifier, &store, now, now + HOUR, &[case]);
    assert!(rows(&store).iter().all(|row| row.status == Status::Sent), "{:?}", rows(&store));
    let got = peer.rest();
    // Two were refused and came again as they were.
    assert_eq!(got.len(), 4);
    assert_eq!((&got[0]["headers"], &got[0]["parts"]), (&got[2]["headers"], &got[2]["parts"]));
    assert_eq!((&got[1]["refused"], &got[2]["refused"]), (&true.into(), &false.into()));
    let (opened, closed) = (&got[2]["headers"], &got[3]["headers"]);
    let id = |row: usize| format!("<{}@example.org>", rows(&store)[row].id);
    assert_eq!((&opened["message-id"], &closed["message-id"]), (&id(0).into(), &id(1).into()));
    assert_eq!((&opened["references"], &closed["references"]), (&Value::Null, &id(0).into()));
    assert_eq!(opened["auto-submitted"], "auto-generated");
    assert_eq!(opened["date"], "Fri, 15 Jan 2027 08:00:00 +0000");
    assert_eq!(
        opened["subject"],
        "[Yagura] acme INC-2027-0042 opened (high): Compromise of web1 Bcc: all@example.org / \
         発生（高）：web1 への侵害"
    );
    assert_eq!(opened["bcc"], Value::Null);
    assert_eq!(got[2]["to"], serde_json::json!(["soc@example.org"]));
    let part = |at: usize| {
        let part = &got[3]["parts"][at];
        assert_eq!(part[1], "text/plain");
        (part[0].as_str().unwrap(), part[2].as_str().unwrap())
    };
    let ((en, english), (ja, japanese)) = (part(0), part(1));
    assert_eq!((en, ja), ("en", "ja"));
    assert!(english.contains("Incident INC-2027-0042 was closed."), "{english}");
    assert!(english.contains("attack.\\r\\n.\\r\\nQUIT\\r\\n"), "{english}");
    assert!(english.contains("2027-01-15 17:00:00 +09:00"), "{english}");
    assert!(japanese.contains("インシデント INC-2027-0042 はクローズされました。"), "{japanese}");
}

#[test]
fn a_sender_that_ends_before_its_mark_sends_the_same_again() {
    let Some(mut peer) = Peer::new("plain", 0) else { return };
    let (_dir, store) = store();
    let mut first = peer.notifier("tls = 'none'\n");
    first.step(&store, T0, &[case(1)]).unwrap();
    let one = peer.message();
    drop(first);
    assert_eq!(rows(&store)[0].status, Status::Pending);
    let mut second = peer.notifier("tls = 'none'\n");
    let renamed = Case { title: "another".to_owned(), ..case(1) };
    run(&mut second, &store, T0 + SECOND, T0 + HOUR, &[renamed]);
    let again = peer.message();
    assert_eq!((&one["headers"], &one["parts"]), (&again["headers"], &again["parts"]));
    assert_eq!(rows(&store)[0].status, Status::Sent);
}

#[test]
fn mail_goes_encrypted_to_a_server_that_is_who_it_says() {
    for (mode, more) in [
        ("starttls", "ca_file = 'CA'\n"),
        ("implicit", "ca_file = 'CA'\ntls = 'implicit'\n"),
        ("account", "ca_file = 'CA'\nusername = 'yagura'\npassword = 'file:PASSWORD'\n"),
    ] {
        let Some(mut peer) = Peer::new(mode, 0) else { return };
        let (_dir, store) = store();
        run(&mut peer.notifier(more), &store, T0, T0 + HOUR, &[case(1)]);
        let row = &rows(&store)[0];
        assert_eq!((row.status, row.attempts), (Status::Sent, 1), "{row:?}");
        let message = peer.message();
        assert_eq!(
            (&message["tls"], &message["account"]),
            (&true.into(), &(mode == "account").into())
        );
    }
}

#[test]
fn no_mail_goes_to_a_stranger_or_in_the_clear() {
    for (mode, more, words) in [
        ("starttls", "", "certificate"),
        ("implicit", "tls = 'implicit'\n", "certificate"),
        ("plain", "ca_file = 'CA'\n", "no STARTTLS"),
    ] {
        let Some(peer) = Peer::new(mode, 0) else { return };
        let (_dir, store) = store();
        run(&mut peer.notifier(more), &store, T0, T0 + SECOND, &[case(1)]);
        let row = &rows(&store)[0];
        assert_eq!((row.status, row.attempts), (Status::Pending, 1), "{row:?}");
        let error = row.last_error.clone().unwrap();
        assert!(error.contains(words), "{mode}: {error}");
        assert_eq!(peer.rest(), [Value::Null; 0]);
    }
}

#[test]
fn a_wrong_password_is_refused_for_good_and_not_shown() {
    let Some(peer) = Peer::new("account", 0) else { return };
    std::fs::write(peer.folder.path().join("password"), "hunter2hunter2").unwrap();
    let (_dir, store) = store();
    let more = "ca_file = 'CA'\nusername = 'yagura'\npassword = 'file:PASSWORD'\n";
    run(&mut peer.notifier(more), &store, T0, T0 + HOUR, &[case(1)]);
    let row = &rows(&store)[0];
    assert_eq!((row.status, row.attempts), (Status::Dead, 1));
    let error = row.last_error.clone().unwrap();
    assert!(error.contains("log on") && !error.contains("hunter2"), "{error}");
}

#[test]
fn a_recipient_who_is_refused_keeps_nobody_from_being_told() {
    let Some(peer) = Peer::new("plain", 0) else { return };
    let (_dir, store) = store();
    let more = "tls = 'none'\nto = ['gone@example.org', 'soc@example.org']\n";
    run(&mut peer.notifier(more), &store, T0, T0 + HOUR, &[case(1)]);
    // One who is refused for the time being makes all wait a while.
    let more = "tls = 'none'\nto = ['full@example.org', 'soc@example.org']\n";
    let now = T0 + HOUR;
    run(&mut peer.notifier(more), &store, now, now + HOUR, &[case(2)]);
    let more = "tls = 'none'\nto = ['gone@example.org']\n";
    run(&mut peer.notifier(more), &store, T0 + 2 * HOUR, T0 + 3 * HOUR, &[case(3)]);
    let rows = rows(&store);
    let states: Vec<(Status, u32)> = rows.iter().map(|row| (row.status, row.attempts)).collect();
    assert_eq!(states, [(Status::Sent, 1), (Status::Sent, 6), (Status::Dead, 1)]);
    for (row, words) in rows.iter().zip(["gone@example.org: ", "full@example.org: ", "gone@"]) {
        assert!(row.last_error.as_ref().unwrap().contains(words), "{row:?}");
    }
    let got = peer.rest();
    assert_eq!(got.len(), 2);
    assert!(got.iter().all(|message| message["to"] == serde_json::json!(["soc@example.org"])));
}
