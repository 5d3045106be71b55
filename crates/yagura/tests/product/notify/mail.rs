//! Mail with the whole server and a real mail server (aiosmtpd from PyPI): each state once, over
//! refusals, kill -9 and a receiver that fails for a minute.

use super::receiver::{Peer, Receiver, python_with_aiosmtpd};
use super::{channel, decide, incidents, line, prepare, sent, take};
use crate::support::server::{Site, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../respond/tests/peers/smtp.py");

/// How long receivers fail in the long test.
const FAILING: Duration = Duration::from_secs(60);

/// A mail server on `folder`, whose files `refuse` and `hold` say how it behaves.
fn mail_server(folder: &Path) -> Option<Peer> {
    let python = python_with_aiosmtpd()?;
    Some(Peer::start(&python, SCRIPT, &[Path::new("plain"), folder, Path::new("0")]))
}

fn mail(name: &str, port: &str) -> String {
    format!(
        "[[notify]]\nname = \"{name}\"\nkind = \"mail\"\nsmtp_host = \"localhost\"\n\
         smtp_port = {port}\ntls = \"none\"\nlanguage = \"both\"\n\
         from = \"Yagura <yagura@example.org>\"\nto = [\"soc@example.org\"]\n"
    )
}

/// Mails that the server took, as (headers, parts), by Message-ID.
fn taken(peer: &Peer) -> BTreeMap<String, Vec<(Value, Value)>> {
    let mut taken: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for mail in peer.got().into_iter().filter(|mail| mail["refused"] == false) {
        let id = mail["headers"]["message-id"].as_str().unwrap().to_owned();
        taken.entry(id).or_default().push((mail["headers"].clone(), mail["parts"].clone()));
    }
    taken
}

#[test]
fn each_state_is_mailed_once_over_refusals_and_kills() {
    let folder = tempfile::tempdir().unwrap();
    let (refuse, hold) = (folder.path().join("refuse"), folder.path().join("hold"));
    let Some(peer) = mail_server(folder.path()) else { return };
    let more = format!("[lake]\nflush_interval_s = 1\n{}", mail("mail", &peer.port));
    let mut site = prepare(&more);
    std::fs::write(&refuse, "").unwrap();
    site.start();
    take(&site, "default", &line("gate", 7));

    // It is refused, and refused again by the next process.
    wait_until("a first try", || !peer.got().is_empty());
    site.kill();
    site.start();
    let before = peer.got().len();
    wait_until("another try", || peer.got().len() > before);
    std::fs::remove_file(&refuse).unwrap();
    wait_until("it is taken", || taken(&peer).len() == 1);
    wait_until("it is marked", || sent(&site).len() == 1);
    let (first, incident) = (peer.got()[0].clone(), incidents(&site).remove(0));
    assert!(peer.got().iter().all(|mail| mail["headers"] == first["headers"]), "{first}");
    let subject = first["headers"]["subject"].as_str().unwrap();
    assert!(subject.contains(&incident) && subject.contains("opened"), "{subject}");

    // The server is killed when the mail is through and the answer is not: it cannot know, so the
    // same mail goes again.
    std::fs::write(&hold, "").unwrap();
    decide(
        &site,
        "default",
        &incident,
        &json!({ "state": "closed", "verdict": "benign", "reason": "a drill" }),
    );
    wait_until("the mail is through", || taken(&peer).len() == 2);
    site.kill();
    std::fs::remove_file(&hold).unwrap();
    site.start();
    wait_until("it is marked", || sent(&site).len() == 2);

    // What is marked does not go again.
    site.kill();
    site.start();
    decide(&site, "default", &incident, &json!({ "state": "in_progress" }));
    wait_until("the third is marked", || sent(&site).len() == 3);
    std::thread::sleep(Duration::from_secs(3));
    let mails = taken(&peer);
    let mut counts: Vec<usize> = mails.values().map(Vec::len).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 1, 2], "{mails:?}");
    assert!(mails.values().all(|alike| alike.iter().all(|mail| *mail == alike[0])), "{mails:?}");
    site.stop();
}

/// Ids of the notifications that were mailed, each as often as it was: a Message-ID begins with it.
fn ids(mails: &BTreeMap<String, Vec<(Value, Value)>>) -> Vec<String> {
    let one = |(id, alike): (&String, &Vec<_>)| {
        vec![id.trim_matches(['<', '>']).split('@').next().unwrap().to_owned(); alike.len()]
    };
    mails.iter().flat_map(one).collect()
}

#[test]
fn receivers_that_fail_for_a_minute_get_each_state_once() {
    if std::env::var("YAGURA_FULL").as_deref() != Ok("1") {
        println!("SKIPPED: receivers that fail for a minute; cargo xtask test --full");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let Some(peer) = mail_server(folder.path()) else { return };
    let receiver = Receiver::start();
    std::fs::write(folder.path().join("refuse"), "").unwrap();
    let channels = [channel("hook", receiver.port), mail("mail", &peer.port)];
    let mut site = prepare(&format!("[lake]\nflush_interval_s = 1\n{}", channels.concat()));
    site.start();
    // An incident of each: a rule that hits several hosts of one tenant weighs less.
    let tenants = ["acme", "blue", "cove"];
    for tenant in tenants {
        take(&site, tenant, &line("gate", 7));
    }
    let refused = || receiver.got.lock().unwrap().len().min(peer.got().len());
    wait_until("both refuse", || refused() > 0);
    let began = Instant::now();
    let opened = || incidents(&site).len() == tenants.len();
    wait_until("each has its incident", opened);
    let incident = incidents(&site).remove(0);
    let closed = json!({ "state": "closed", "verdict": "benign", "reason": "a drill" });
    for tenant in ["acme", "blue"] {
        decide(&site, tenant, &incident, &closed);
    }
    std::thread::sleep(FAILING / 2);
    site.kill();
    site.start();
    std::thread::sleep(FAILING.saturating_sub(began.elapsed()));
    assert!(refused() > 2 && receiver.taken().is_empty() && taken(&peer).is_empty());
    assert_eq!(sent(&site), Vec::<Value>::new());

    receiver.fails.store(false, Ordering::SeqCst);
    std::fs::remove_file(folder.path().join("refuse")).unwrap();
    let all = |site: &Site| super::told(site, "").len();
    // Waits between tries grow to 40 and 80 seconds within the minute.
    for _ in 0..3 {
        if sent(&site).len() < all(&site) {
            std::thread::sleep(Duration::from_secs(30));
        }
    }
    wait_until("all is sent", || sent(&site).len() == all(&site));
    let expected = |name: &str| {
        let of = sent(&site).into_iter().filter(|one| one["channel"] == name);
        let mut ids: Vec<String> = of.map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    };
    let mut hooked: Vec<String> = receiver.taken().into_values().flatten().collect();
    hooked.sort();
    // Three were opened and two of them closed.
    assert_eq!(hooked.len(), 5, "{hooked:?}");
    assert_eq!(hooked, expected("hook"));
    assert_eq!(ids(&taken(&peer)), expected("mail"));
    assert_eq!(hooked.len(), expected("mail").len());
    site.stop();
}
