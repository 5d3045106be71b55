//! `yagura backup`: a copy made under load opens, and holds what was acknowledged before it began.

use crate::support::server::{Site, authorization, wait_until};
use crate::support::{balanced, count, error_of, ok, refused, yagura};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

/// Small files and short pauses, so that there are flushes, rewrites and cuts within a copy.
const MORE: &str = "[lake]\nflush_interval_s = 1\n[journal]\nsegment_bytes = 65536\n";

/// Lines of one request.
const LINES: u64 = 50;

/// Posts numbered lines until told to stop; counts those that were acknowledged.
fn load(http: SocketAddr, stop: &AtomicBool, acknowledged: &AtomicU64) {
    while !stop.load(SeqCst) {
        let first = acknowledged.load(SeqCst);
        let line = |n: u64| {
            format!(
                "<38>Nov  5 10:00:01 gate sshd[77]: Failed password for root from 203.0.113.7 port {n} ssh2\n"
            )
        };
        let body: String = (first..first + LINES).map(line).collect();
        let head = format!(
            "POST /api/v1/ingest HTTP/1.1\r\nHost: {http}\r\nContent-Type: text/plain\r\n\
             Content-Length: {}\r\nConnection: close\r\n{}\r\n",
            body.len(),
            authorization(http)
        );
        let mut stream = TcpStream::connect(http).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        acknowledged.fetch_add(LINES, SeqCst);
    }
}

fn backup(data: &Path, to: &Path) -> String {
    ok(&["backup", "--data", data.to_str().unwrap(), to.to_str().unwrap()])
}

/// How many lines a directory holds: each once, none missing.
fn lines(data: &Path) -> u64 {
    // Opened and closed once: what was in the journal alone is in the tables then.
    ok(&["books", "--data", data.to_str().unwrap()]);
    balanced(data);
    let counted = count(data, "SELECT count(*) FROM events").parse().unwrap();
    let distinct = "SELECT count(DISTINCT raw_data) FROM events";
    assert_eq!(count(data, distinct).parse::<u64>().unwrap(), counted);
    // Numbers from 0 on, so the greatest tells of gaps.
    let number = "CAST(split_part(split_part(raw_data, ' port ', 2), ' ', 1) AS BIGINT)";
    let greatest = format!("SELECT max({number}) FROM events");
    let greatest: u64 = count(data, &greatest).parse().unwrap();
    assert_eq!(greatest + 1, counted);
    counted
}

#[test]
fn copies_made_under_load_open_and_hold_what_was_acknowledged() {
    let mut site = Site::new(MORE);
    site.start();
    let (stop, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let client = {
        let (http, stop, acknowledged) = (site.http, Arc::clone(&stop), Arc::clone(&acknowledged));
        std::thread::spawn(move || load(http, &stop, &acknowledged))
    };
    let mut copies = Vec::new();
    for number in 0..4 {
        let before = acknowledged.load(SeqCst);
        wait_until("more lines", || acknowledged.load(SeqCst) > before + 20 * LINES);
        let (to, before) = (site.path(&format!("copy-{number}")), acknowledged.load(SeqCst));
        let said = backup(&site.data(), &to);
        assert!(said.contains("sound") && !said.contains("damage"), "{said}");
        copies.push((to, before));
    }
    stop.store(true, SeqCst);
    client.join().unwrap();
    site.stop();
    let all = acknowledged.load(SeqCst);
    assert_eq!(lines(&site.data()), all);
    for (to, before) in &copies {
        let held = lines(to);
        assert!((*before..=all).contains(&held), "{held} of {all}, {before} before");
        ok(&["check", "--full", to.to_str().unwrap()]);
        // Findings go with the records: the lines are one finding of one rule.
        let findings = |data: &Path| ok(&["findings", "--data", data.to_str().unwrap()]);
        assert_eq!(findings(to).is_empty(), findings(&site.data()).is_empty());
    }
    // What was held back has gone, and the copied directory is as sound.
    ok(&["check", "--full", site.data().to_str().unwrap()]);
    restored(&mut site, &copies[0].0);
}

/// A copy takes the place of the directory, and a server goes on with it.
fn restored(site: &mut Site, copy: &Path) {
    std::fs::remove_dir_all(site.data()).unwrap();
    std::fs::rename(copy, site.data()).unwrap();
    let held = lines(&site.data());
    site.start();
    let (stop, acknowledged) = (AtomicBool::new(false), AtomicU64::new(held));
    std::thread::scope(|scope| {
        scope.spawn(|| load(site.http, &stop, &acknowledged));
        wait_until("more lines", || acknowledged.load(SeqCst) >= held + 3 * LINES);
        stop.store(true, SeqCst);
    });
    site.stop();
    assert_eq!(lines(&site.data()), acknowledged.load(SeqCst));
}

#[test]
fn a_folder_that_is_taken_or_within_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("auth.log"), "Jan  5 10:00:01 gate sshd[7]: session opened\n").unwrap();
    ok(&["ingest", "--data", &path("data"), &path("auth.log")]);
    let data = path("data");
    refused(&["backup", "--data", &data, &format!("{data}/copy")], 1, &["in the data directory"]);
    // Nothing was made for it, nor by a link.
    std::os::unix::fs::symlink(&data, path("link")).unwrap();
    refused(&["backup", "--data", &data, &path("link/copy")], 1, &["in the data directory"]);
    assert!(!Path::new(&data).join("copy").exists());
    std::fs::create_dir(path("taken")).unwrap();
    std::fs::write(path("taken/file"), "mine").unwrap();
    refused(&["backup", "--data", &data, &path("taken")], 1, &["not empty"]);
    assert_eq!(std::fs::read_dir(path("taken")).unwrap().count(), 1);
    refused(&["backup", "--data", &path("none"), &path("to")], 2, &["not a data directory"]);
    // One that was broken off is no data directory.
    ok(&["backup", "--data", &data, &path("to")]);
    std::fs::remove_file(path("to/VERSION")).unwrap();
    let output = yagura(&["books", "--data", &path("to")]);
    assert!(error_of(&output).contains("not a data directory"), "{}", error_of(&output));
}
