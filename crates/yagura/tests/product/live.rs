//! A finding is in the list, and the live stream says so, before the judge's interval is over.

use crate::support::server::{Site, authorization, request};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

const RULE: &str = "title: Root came in\nid: 0f5a9f0e-6f5e-4c0f-8a53-0d7d4e2a1c13\n\
    logsource: {product: linux}\ndetection:\n  words: ['Accepted password for root']\n  \
    condition: words\nlevel: medium\n";

fn get(site: &Site, path: &str) -> Value {
    let (status, text) = request(site.http, "GET", path, "", "").unwrap();
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// The live stream, open.
fn follow(site: &Site) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(site.http).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let (to, known) = (site.http, authorization(site.http));
    write!(stream, "GET /api/v1/live HTTP/1.1\r\nHost: {to}\r\n{known}\r\n").unwrap();
    BufReader::new(stream)
}

/// Reads on until an event of this name.
fn until(stream: &mut BufReader<TcpStream>, name: &str) {
    let mut line = String::new();
    while line.trim_end() != format!("event: {name}") {
        line.clear();
        assert!(stream.read_line(&mut line).unwrap() > 0, "the stream ended before {name}");
    }
}

/// The finding of a host, once it is listed, and whether the judge's interval came before it.
fn found(site: &Site, stream: &mut BufReader<TcpStream>, host: &str) -> bool {
    let line = format!(
        "<38>1 2026-11-20T10:01:30Z {host} sshd 7 - - Accepted password for root from \
         203.0.113.7 port 4200 ssh2\n"
    );
    assert_eq!(request(site.http, "POST", "/api/v1/ingest", "", &line).unwrap().0, 200);
    loop {
        until(stream, "findings");
        // Asked before the list: the interval that is over by then may be what brought it.
        let judged = get(site, "/api/v1/status")["judge_lsn"].as_u64().unwrap();
        let list = get(site, "/api/v1/findings");
        let group = format!("device.hostname={host}");
        let mut items = list["items"].as_array().unwrap().iter();
        if let Some(finding) = items.find(|one| one["unmapped"]["group"] == group.as_str()) {
            return judged >= finding["unmapped"]["lsn"].as_u64().unwrap();
        }
    }
}

#[test]
fn findings_are_listed_and_told_before_the_interval_is_over() {
    let mut site = Site::new("[pipeline]\njudge_interval_ms = 5000\n");
    std::fs::create_dir_all(site.data().join("rules")).unwrap();
    std::fs::write(site.data().join("rules/root.yml"), RULE).unwrap();
    site.start();
    let mut stream = follow(&site);
    until(&mut stream, "overview");
    // By chance an interval ends just then, but not each time.
    let waited: Vec<bool> = ["a", "b", "c", "d", "e", "f"]
        .into_iter()
        .map(|host| found(&site, &mut stream, host))
        .take_while(|waited| *waited)
        .collect();
    assert!(waited.len() < 6, "each finding came with the interval");
    site.stop();
}
