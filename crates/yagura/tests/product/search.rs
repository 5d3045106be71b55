//! `yagura search` with the real binary: over a directory and over the server that holds it.

use crate::support::server::{Site, authorization};
use crate::support::{error_of, ndjson, ok, refused, yagura};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

/// Two days of log-ons on two hosts, one of them with something for the terminal in it.
fn logs() -> String {
    let mut text = String::new();
    for n in 0..30 {
        writeln!(
            text,
            "<34>1 2026-01-05T10:00:{n:02}Z gate sshd 7 - - Failed password for root from 203.0.113.7 port 41{n:02} ssh2"
        )
        .unwrap();
    }
    text.push_str("<34>1 2026-01-05T10:01:30Z gate sshd 7 - - Accepted password for nina from 10.0.0.5 port 4200 ssh2\n");
    text.push_str("<34>1 2026-01-06T09:00:00Z web-1.corp.example sshd 8 - - Accepted publickey for Nina from 10.0.7.5 port 4201 ssh2\n");
    text.push_str("<34>1 2026-01-06T09:00:01Z web-1.corp.example app 9 - - hostile \u{1b}[2J text \u{202e} here\n");
    text
}

fn ingested(dir: &Path) -> String {
    let file = dir.join("auth.log");
    std::fs::write(&file, logs()).unwrap();
    let data = dir.join("data").to_str().unwrap().to_owned();
    ok(&["ingest", "--data", &data, file.to_str().unwrap()]);
    data
}

fn found(data: &str, query: &str) -> Vec<Value> {
    ndjson(&ok(&["search", "--data", data, "--format", "ndjson", query]))
}

fn count(data: &str, query: &str) -> usize {
    ok(&["search", "--data", data, "--count", query]).trim().parse().unwrap()
}

#[test]
fn fields_words_and_times_over_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let data = ingested(dir.path());
    for (query, expected) in [
        ("", 33),
        ("*", 33),
        ("failed password", 30),
        ("\"failed password for root\"", 30),
        ("-status:Success", 31),
        ("status:failure", 30),
        ("src_endpoint.ip:203.0.113.7", 30),
        ("src_endpoint.ip:10.0.0.0/8", 2),
        ("src_ip:[10.0.0.1 TO 10.0.0.9]", 1),
        ("user:nina*", 2),
        ("user:nina host:gate", 1),
        ("host:web-1", 2),
        ("src_port:>=4129 src_port:<4200", 1),
        ("port:[4100 TO 4104}", 4),
        ("class:authentication user:root", 30),
        ("class:authentication AND (user:nina OR src_ip:203.0.113.7) -host:web-1", 31),
        ("raw_data:/port 41(0[0-9]|10) /", 11),
        ("earliest:2026-01-06", 2),
        ("latest:2026-01-05T10:00:05Z", 5),
        ("earliest:-1d latest:now", 0),
        ("-earliest:2026-01-06 user:*", 31),
        ("203.0.113", 30),
        ("203.0.11", 0),
        ("feed:inge* OR feed:nothing", 33),
    ] {
        assert_eq!(count(&data, query), expected, "{query}");
    }
    let newest = found(&data, "user:nina");
    let times: Vec<&str> = newest.iter().map(|e| e["time_dt"].as_str().unwrap()).collect();
    assert_eq!(times, ["2026-01-06T09:00:00.000000Z", "2026-01-05T10:01:30.000000Z"]);
}

#[test]
fn what_a_hunt_has_seen_a_search_finds_by_its_kind() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("mixed.log"));
    let (data, file) = (data.to_str().unwrap(), file.to_str().unwrap());
    let dns = r#"{"ts":1767607200.5,"uid":"CA1","id.orig_h":"10.0.0.5","id.orig_p":5353,"id.resp_h":"10.0.0.1","id.resp_p":53,"proto":"udp","trans_id":7,"rtt":0.01,"query":"cdn.shop.example","qclass":1,"qclass_name":"C_INTERNET","qtype":1,"qtype_name":"A","rcode":0,"rcode_name":"NOERROR","AA":false,"TC":false,"RD":true,"RA":true,"Z":0,"answers":["edge.delivery.example","203.0.113.80","2001:db8::80"],"TTLs":[60.0,60.0,60.0],"rejected":false}"#;
    let tried =
        "<38>1 2026-01-05T10:00:01Z gate sshd 7 - - Invalid user  0101 from 203.0.113.9 port 4022";
    let dotted = dns.replace("cdn.shop.example", "dot.shop.example.").replace("CA1", "CA2");
    std::fs::write(file, format!("{dns}\n{dotted}\n{tried}\n{tried}\n")).unwrap();
    ok(&["ingest", "--data", data, file]);
    let seen = "SELECT kind, value, sum(count) AS n FROM sightings GROUP BY kind, value";
    let seen = ndjson(&ok(&["sql", "--data", data, "--format", "ndjson", seen]));
    let values: Vec<&str> = seen.iter().map(|row| row["value"].as_str().unwrap()).collect();
    for wanted in
        ["edge.delivery.example", "203.0.113.80", "2001:db8::80", "0101", "dot.shop.example"]
    {
        assert!(values.contains(&wanted), "{wanted}: {values:?}");
    }
    for row in &seen {
        let query = format!("{}:{}", row["kind"].as_str().unwrap(), row["value"]);
        let found = count(data, &query);
        assert!(found >= row["n"].as_u64().unwrap() as usize, "{query}: {row}, but {found}");
    }
}

#[test]
fn an_event_found_is_the_event_parsed() {
    let dir = tempfile::tempdir().unwrap();
    let data = ingested(dir.path());
    let file = dir.path().join("auth.log");
    let mut parsed = ndjson(&ok(&["parse", "--source", "auto", file.to_str().unwrap()]));
    let mut events =
        ndjson(&ok(&["search", "--data", &data, "--format", "ndjson", "--sort", "time", ""]));
    assert_eq!(events.len(), parsed.len());
    for event in parsed.iter_mut().chain(&mut events) {
        let metadata = event["metadata"].as_object_mut().unwrap();
        for own in ["uid", "logged_time", "log_source"] {
            assert!(metadata.remove(own).is_some(), "{own}");
        }
        // Their order is that of the source's mapping in the one, of the columns in the other.
        if let Some(list) = event.get_mut("observables").and_then(Value::as_array_mut) {
            list.sort_by_key(Value::to_string);
        }
    }
    for event in parsed {
        assert!(events.contains(&event), "{event}\n{}", events[0]);
    }
}

#[test]
fn tables_hold_no_control_characters_and_other_forms_their_columns() {
    let dir = tempfile::tempdir().unwrap();
    let data = ingested(dir.path());
    let table = ok(&["search", "--data", &data, "hostile"]);
    assert!(!table.contains('\u{1b}') && !table.contains('\u{202e}'), "{table}");
    assert!(table.contains("2026-01-06T09:00:01.000000Z") && table.contains("\\u{1b}[2J"));
    let csv = ok(&[
        "search",
        "--data",
        &data,
        "--format",
        "csv",
        "--columns",
        "time,user,src,port",
        "user:nina",
    ]);
    assert_eq!(
        csv,
        "time,user,src,port\n\
         \"2026-01-06T09:00:00.000000Z\",\"Nina\",\"10.0.7.5:4201\",\"4201\"\n\
         \"2026-01-05T10:01:30.000000Z\",\"nina\",\"10.0.0.5:4200\",\"4200\"\n"
    );
    let rows = ndjson(&ok(&[
        "search",
        "--data",
        &data,
        "--format",
        "ndjson",
        "--columns",
        "class,src_port",
        "--sort",
        "src_port",
        "--limit",
        "2",
        "src_port:*",
    ]));
    assert_eq!(rows[0].to_string(), r#"{"class":"Authentication","src_port":4100}"#);
    assert_eq!(rows[1]["src_port"], 4101);
    let cut = yagura(&["search", "--data", &data, "--limit", "3", "failed"]);
    assert!(error_of(&cut).contains("3 events, more match"), "{}", error_of(&cut));
}

#[test]
fn faults_are_drawn_under_the_query_with_exit_code_2() {
    let dir = tempfile::tempdir().unwrap();
    let data = ingested(dir.path());
    let search = |args: &[&str], words: &[&str]| {
        let all: Vec<&str> = ["search", "--data", &data].iter().chain(args).copied().collect();
        refused(&all, 2, words)
    };
    let shown = search(&["a usr:nina"], &["field_unknown", "did you mean `user`?"]);
    assert!(shown.contains("\n1 | a usr:nina\n  |   ^^^"), "{shown}");
    search(&["dst_port:http"], &["not a number"]);
    search(&["src_ip:10.0.0.0/40"], &["not a network"]);
    search(&["earliest:yesterday"], &["not a time", "-15m"]);
    search(&["status_id:Succes"], &["did you mean Success?"]);
    search(&["message:/(/"], &["regex_syntax"]);
    search(&[&"(".repeat(10_000)], &["nested deeper than 64"]);
    search(&[&"x".repeat(65_537)], &["65537 bytes"]);
    search(&["--limit", "100001", "x"], &["from 1 to 100000"]);
    search(&["--sort", "ip", "x"], &["cannot be sorted"]);
    search(&["--columns", "time,usr", "x"], &["did you mean `user`?"]);
    let nowhere = dir.path().join("nowhere");
    refused(&["search", "--data", nowhere.to_str().unwrap(), "x"], 2, &["not a data directory"]);
}

/// Status line and headers, and the body, of one request.
fn post(to: SocketAddr, path: &str, body: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(to).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n",
        body.len(),
        authorization(to)
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split_once("\r\n\r\n").map(|(head, body)| (head.to_owned(), body.to_owned()))
}

#[test]
fn a_running_server_gives_the_same_and_fresh_rows_at_once() {
    let mut server = Site::new("");
    let data = ingested(server.dir.path());
    let queries =
        ["", "user:nina", "failed -status:Success", "src_ip:10.0.0.0/8 earliest:2026-01-06"];
    let offline: Vec<Vec<Value>> = queries.iter().map(|query| found(&data, query)).collect();
    server.start();
    let online: Vec<Vec<Value>> = queries.iter().map(|query| found(&data, query)).collect();
    assert_eq!(offline, online);

    let line = "<34>1 2026-01-07T10:00:00Z gate sshd 7 - - Failed password for fresh from 203.0.113.9 port 1 ssh2\n";
    let (head, _) = post(server.http, "/api/v1/ingest", line).unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let acknowledged = Instant::now();
    let ask = r#"{"query":"user:fresh","columns":"user","format":"ndjson"}"#;
    loop {
        let (head, body) = post(server.http, "/api/v1/search", ask).unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}\n{body}");
        if !body.is_empty() {
            assert_eq!(body, "{\"user\":\"fresh\"}\n");
            assert!(head.contains("yagura-search-stats: {\"events\":1,\"more\":false,"), "{head}");
            break;
        }
        assert!(acknowledged.elapsed() < Duration::from_secs(10), "the row does not appear");
        std::thread::sleep(Duration::from_millis(10));
    }
    println!("visible {} ms after the acknowledgement", acknowledged.elapsed().as_millis());
    assert_eq!(found(&data, "user:fresh").len(), 1);

    let (head, body) = post(server.http, "/api/v1/search", r#"{"query":"usr:x"}"#).unwrap();
    assert!(head.starts_with("HTTP/1.1 400") && body.contains("field_unknown"), "{head}\n{body}");
    let (head, body) = post(server.http, "/api/v1/search", r#"{"query":"x","nope":1}"#).unwrap();
    assert!(head.starts_with("HTTP/1.1 4"), "{head}\n{body}");
    let (head, _) = post(server.http, "/api/v1/search?tenant=other", r#"{"query":""}"#).unwrap();
    assert!(head.contains("\"events\":0"), "{head}");
}
