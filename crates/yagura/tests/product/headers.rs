//! Header lines and charsets through the real binary: as they are read, stored and grow.

use crate::support::server::{Site, request};
use crate::support::{balanced, count, ndjson, ok, refused};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

const IIS: &str = "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n\
    #Date: 2026-09-21 10:00:00\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port \
    c-ip cs(User-Agent) sc-status sc-win32-status\n";

fn line(second: u32, path: &str) -> String {
    format!(
        "2026-09-21 10:00:{second:02} 192.0.2.80 GET {path} - 443 198.51.100.5 curl/8.0 200 0\n"
    )
}

fn append(path: &Path, bytes: &[u8]) {
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    file.unwrap().write_all(bytes).unwrap();
}

fn rows(data: &Path, sql: &str) -> Vec<serde_json::Value> {
    ndjson(&ok(&["sql", "--data", data.to_str().unwrap(), "--format", "ndjson", sql]))
}

#[test]
fn a_growing_log_keeps_its_header_and_takes_a_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let (data, log) = (dir.path().join("data"), dir.path().join("u_ex.log"));
    let take = |records: &str| {
        let call = ["ingest", "--data", data.to_str().unwrap(), log.to_str().unwrap()];
        ok(&call);
        assert_eq!(count(&data, "select count(*) from events"), records);
    };
    append(&log, format!("{IIS}{}", line(1, "/a")).as_bytes());
    take("1");
    append(&log, line(2, "/b").as_bytes());
    take("2");
    // In the middle of a record, then in the middle of a header line.
    append(&log, &line(3, "/c").as_bytes()[..30]);
    take("3");
    append(&log, &line(3, "/c").as_bytes()[30..]);
    append(&log, b"#Software: Mic");
    take("4");
    append(
        &log,
        b"rosoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-09-21 11:00:00\n",
    );
    append(
        &log,
        b"#Fields: date time c-ip cs-uri-stem sc-status\n2026-09-21 11:00:01 198.51.100.6 /d 404\n",
    );
    take("5");
    take("5");
    let sql = "select source, class_uid, url_path, http_status, src_ip, \
        arrow_cast(time, 'Utf8') as at from events where http_status is not null order by time";
    let found = rows(&data, sql);
    let paths: Vec<_> = found.iter().map(|row| row["url_path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/a", "/b", "/c", "/d"]);
    assert!(found.iter().all(|row| row["source"] == "iis" && row["class_uid"] == 4002));
    assert_eq!(
        (&found[3]["http_status"], &found[3]["src_ip"]),
        (&404.into(), &"198.51.100.6".into())
    );
    assert!(found[3]["at"].as_str().unwrap().starts_with("2026-09-21T11:00:01"), "{found:?}");
    balanced(&data);
}

#[test]
fn scan_and_parse_read_by_headers() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("u_ex.log");
    append(&log, format!("{IIS}{}", line(1, "/a")).as_bytes());
    let events = ndjson(&ok(&["parse", "--source", "auto", log.to_str().unwrap()]));
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["metadata"]["log_format"], "iis");
    assert_eq!(events[0]["time_dt"], "2026-09-21T10:00:01.000000Z");
    // For a source without headers they are records.
    let events = ndjson(&ok(&["parse", "--source", "web_access", log.to_str().unwrap()]));
    assert_eq!(events.len(), 5);
}

#[test]
fn headers_within_a_request_are_for_its_own_lines() {
    let mut site = Site::new("");
    site.start();
    let (http, data, began) = (site.http, site.data(), Instant::now());
    let zeek = "#separator \\x09\n#path\tdns\n#fields\tts\tuid\tquery\n#types\ttime\tstring\tstring\n\
        1789984800.5\tC1\twww.example.com\n#close\tx\n";
    let body = format!("{zeek}{IIS}{}", line(1, "/a"));
    let answer = request(http, "POST", "/api/v1/ingest", "", &body).unwrap().1;
    let alone = request(http, "POST", "/api/v1/ingest", "", &line(2, "/b")).unwrap().1;
    let sql = "select source, raw_data, url_path from events order by lsn, sub";
    let mut found = rows(&data, sql);
    while found.len() < 3 && began.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(100));
        found = rows(&data, sql);
    }
    site.kill();
    assert!(answer.contains("\"accepted\":2"), "{answer}");
    assert!(alone.contains("\"accepted\":1"), "{alone}");
    let sources: Vec<_> = found.iter().map(|row| row["source"].as_str()).collect();
    assert_eq!(sources, [Some("zeek"), Some("iis"), None], "{found:?}");
    assert_eq!(found[1]["url_path"], "/a");
}

const TEXT: &str = "Sep 21 10:00:00 host1 app[7]: ログイン失敗: 利用者 田中 (ユーザー名 tanaka)";

fn encoded(name: &str) -> Vec<u8> {
    let lines = format!("{TEXT} 1\nSep 21 10:00:01 host1 app[7]: plain\n{TEXT} 2\n");
    match name {
        "utf-16le" => lines.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "utf-16be" => {
            format!("\u{feff}{lines}").encode_utf16().flat_map(u16::to_be_bytes).collect()
        }
        name => {
            let encoding = encoding_rs::Encoding::for_label(name.as_bytes()).unwrap();
            encoding.encode(&lines).0.into_owned()
        }
    }
}

/// The bytes a row stands for: `raw_bytes` where there are any, else `raw_data`.
fn original(row: &serde_json::Value) -> Vec<u8> {
    let Some(hex) = row["hex"].as_str().filter(|hex| !hex.is_empty()) else {
        return row["raw_data"].as_str().unwrap().as_bytes().to_vec();
    };
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digit).collect()
}

#[test]
fn text_is_right_and_bytes_come_back_in_every_charset() {
    for name in ["utf-8", "shift_jis", "euc-jp", "iso-2022-jp", "utf-16le", "utf-16be"] {
        let dir = tempfile::tempdir().unwrap();
        let (data, log) = (dir.path().join("data"), dir.path().join("app.log"));
        let bytes = encoded(name);
        append(&log, &bytes);
        let (folder, file) = (data.to_str().unwrap(), log.to_str().unwrap());
        ok(&["ingest", "--data", folder, file]);
        let sql = "select raw_data, encode(raw_bytes, 'hex') as hex, message, issues from events \
            order by lsn, sub";
        let found = rows(&data, sql);
        assert_eq!(found.len(), 3, "{name}");
        assert_eq!(found[0]["raw_data"], format!("{TEXT} 1"), "{name}");
        assert_eq!(found[2]["raw_data"], format!("{TEXT} 2"), "{name}");
        assert!(found[0]["message"].as_str().unwrap().contains("田中"), "{name}: {found:?}");
        assert!(found.iter().all(|row| row["issues"].is_null()), "{name}: {found:?}");
        let mut all = Vec::new();
        let (mark, end) = match name {
            "utf-16le" => (&b""[..], &b"\n\0"[..]),
            "utf-16be" => (&b"\xfe\xff"[..], &b"\0\n"[..]),
            _ => (&b""[..], &b"\n"[..]),
        };
        all.extend_from_slice(mark);
        for row in &found {
            all.extend(original(row));
            all.extend_from_slice(end);
        }
        assert_eq!(all, bytes, "{name}");
        // What is appended is taken alone, also behind a UTF-16 line end.
        append(&log, &bytes[mark.len()..]);
        ok(&["ingest", "--data", folder, file]);
        assert_eq!(count(&data, "select count(*) from events"), "6", "{name}");
        balanced(&data);
        let events = ndjson(&ok(&["parse", "--source", "auto", "--charset", name, file]));
        assert_eq!(events[0]["raw_data"], format!("{TEXT} 1"), "{name}");
    }
}

#[test]
fn mixed_charsets_fall_back_a_record_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("app.log");
    let text = "Sep 21 10:00:00 host1 app: 認証に失敗しました";
    append(&log, format!("{text}\n").as_bytes());
    for encoding in [encoding_rs::SHIFT_JIS, encoding_rs::EUC_JP, encoding_rs::ISO_2022_JP] {
        append(&log, &encoding.encode(text).0);
        append(&log, b"\n");
    }
    append(&log, b"Sep 21 10:00:00 host1 app: caf\xe9\n");
    let events = ndjson(&ok(&["parse", "--source", "auto", log.to_str().unwrap()]));
    assert_eq!(events.len(), 5);
    assert!(events[..4].iter().all(|event| event["raw_data"] == text), "{events:?}");
    assert!(events[0].get("raw_bytes").is_none() && events[0].get("status_detail").is_none());
    for (event, word) in events[1..].iter().zip(["Shift_JIS", "EUC-JP", "ISO-2022-JP", "UTF-8"]) {
        assert!(event["status_detail"].as_str().unwrap().contains(word), "{event}");
        assert!(event["raw_bytes"].is_string(), "{event}");
    }
    refused(
        &["parse", "--source", "auto", "--charset", "latin-1", log.to_str().unwrap()],
        2,
        &["latin-1", "shift_jis"],
    );
}
