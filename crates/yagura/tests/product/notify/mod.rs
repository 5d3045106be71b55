//! Incidents are told once for each thing that happens to them, by webhook and by mail, also over
//! a receiver that fails and a server that is killed; the configuration is read again at SIGHUP.

mod mail;
mod receiver;
mod tls;

use crate::support::server::{Site, request, wait_until};
use receiver::Receiver;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

const RULE: &str = "title: Root came in\nid: 0f5a9f0e-6f5e-4c0f-8a53-0d7d4e2a1c13\n\
    logsource: {product: linux}\ndetection:\n  words: ['Accepted password for root']\n  \
    condition: words\nlevel: critical\n";

/// What a webhook's two ends know.
const SECRET: &str = "a secret of twenty and more characters";

/// A record that the rule finds.
fn line(host: &str, number: usize) -> String {
    format!(
        "<38>1 2026-11-20T10:01:30Z {host} sshd 7 - - Accepted password for root from \
         203.0.113.{number} port 4200 ssh2\n"
    )
}

/// A site with the rule and the secret; nothing runs yet.
fn prepare(more: &str) -> Site {
    let site = Site::new(more);
    std::fs::write(site.path("secret"), SECRET).unwrap();
    std::fs::create_dir_all(site.data().join("rules")).unwrap();
    std::fs::write(site.data().join("rules/root.yml"), RULE).unwrap();
    site
}

/// Sends a tenant's records in.
fn take(site: &Site, tenant: &str, lines: &str) {
    let path = format!("/api/v1/ingest?tenant={tenant}");
    assert_eq!(request(site.http, "POST", &path, "", lines).unwrap().0, 200);
}

/// The items of a list.
fn items(site: &Site, path: &str) -> Vec<Value> {
    let (status, text) = request(site.http, "GET", path, "", "").unwrap();
    assert_eq!(status, 200, "{text}");
    let list: Value = serde_json::from_str(&text).unwrap();
    list["items"].as_array().unwrap().clone()
}

/// Ids of the incidents there are.
fn incidents(site: &Site) -> Vec<String> {
    let items = items(site, "/api/v1/incidents?view=summary");
    items.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

/// Decides on an incident of a tenant's.
fn decide(site: &Site, tenant: &str, incident: &str, decision: &Value) {
    let path = format!("/api/v1/incidents/{incident}/decision?tenant={tenant}");
    let header = "Content-Type: application/json\r\n";
    let decided = request(site.http, "PUT", &path, header, &decision.to_string()).unwrap();
    assert_eq!(decided.0, 200, "{}", decided.1);
}

/// Notifications, of one status where `query` names it.
fn told(site: &Site, query: &str) -> Vec<Value> {
    items(site, &format!("/api/v1/notifications{query}"))
}

/// Notifications that are marked as sent.
fn sent(site: &Site) -> Vec<Value> {
    told(site, "?status=sent")
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
    let channels = channel("soc", receiver.port);
    let mut site = prepare(&format!("[lake]\nflush_interval_s = 1\n{channels}"));
    site.start();
    take(&site, "default", &line("gate", 7));
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
    let incident = incidents(&site).remove(0);
    decide(
        &site,
        "default",
        &incident,
        &json!({ "state": "closed", "verdict": "benign", "reason": "a drill" }),
    );
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
    wait_until("it is in force", || site.log().contains("configuration read again"));
    decide(&site, "default", &incident, &json!({ "state": "in_progress" }));
    wait_until("the other channel is told", || other.taken().len() == 1);
    assert_eq!(receiver.taken().len(), 2);
    // Who was told knows a moment before it is marked.
    wait_until("all three are marked", || sent(&site).len() == 3);
    assert!(!site.log().contains(SECRET));
}
