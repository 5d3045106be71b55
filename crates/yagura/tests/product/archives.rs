//! Compressed files and archives through the real binary: read where they lie, known again
//! packed or not, bounded.

use crate::support::{balanced, count, error_of, files_below, ndjson, ok, shared, unpack, yagura};
use flate2::write::GzEncoder;
use std::fmt::Write as _;
use std::io::{Cursor, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn lines(from: u32, to: u32) -> Vec<u8> {
    let mut text = String::new();
    for n in from..to {
        writeln!(
            text,
            "<34>1 2026-01-05T10:{:02}:{:02}Z gate sshd {n} - - Failed password for u{n} from 192.0.2.9 port {n} ssh2",
            n / 60 % 60,
            n % 60
        )
        .unwrap();
    }
    text.into_bytes()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        out.append(&header, *bytes).unwrap();
    }
    out.into_inner().unwrap()
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        out.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        out.write_all(bytes).unwrap();
    }
    out.finish().unwrap().into_inner()
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

fn piped(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_yagura"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A call that is refused need not read its input.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn parsed(path: &Path) -> String {
    ok(&["parse", "--source", "auto", text(path)])
}

#[test]
fn every_form_gives_the_same_events() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = lines(0, 300);
    let plain = parsed(&write(dir.path(), "a.log", &bytes));
    assert_eq!(plain.lines().count(), 300);
    let inner = tar(&[("x/a.log", &bytes)]);
    let forms: [(&str, Vec<u8>); 7] = [
        ("a.log.gz", gz(&bytes)),
        ("a.log.zst", zst(&bytes)),
        ("a.tar", inner.clone()),
        ("a.tgz", gz(&inner)),
        ("a.tar.zst", zst(&inner)),
        ("a.zip", zip(&[("x/a.log", &bytes)])),
        ("nested.zip", zip(&[("in.tgz", &gz(&inner))])),
    ];
    for (name, form) in forms {
        let events = parsed(&write(dir.path(), name, &form));
        // Ids follow the input's name; all else is the same.
        let bare = |text: &str| -> Vec<(serde_json::Value, serde_json::Value)> {
            ndjson(text).into_iter().map(|e| (e["raw_data"].clone(), e["time"].clone())).collect()
        };
        assert!(bare(&events) == bare(&plain), "{name}");
    }
}

#[test]
fn a_file_is_known_again_packed_or_not() {
    let dir = tempfile::tempdir().unwrap();
    let (data, logs) = (dir.path().join("data"), dir.path().join("logs"));
    let (a, b) = (lines(0, 200), lines(200, 500));
    write(&logs, "web/a.log", &a);
    write(&logs, "b.log", &b);
    let take = |input: &Path| -> String {
        let output = yagura(&["ingest", "--data", text(&data), text(input)]);
        assert!(output.status.success(), "{}", error_of(&output));
        error_of(&output)
    };
    assert!(take(&logs).contains("2 files, 0 of them known already; 500 records taken"));
    let all = |a: &[u8]| tar(&[("web/a.log", a), ("b.log", &b)]);
    let packed = [
        ("logs.tar.zst", zst(&all(&a))),
        ("logs.zip", zip(&[("web/a.log", &a), ("b.log.gz", &gz(&b))])),
    ];
    for (name, bytes) in &packed {
        let said = take(&write(dir.path(), name, bytes));
        assert!(said.contains("2 files, 2 of them known already; 0 records"), "{name}: {said}");
    }
    write(&logs, "b.log.gz", &gz(&b));
    std::fs::remove_file(logs.join("b.log")).unwrap();
    assert!(take(&logs).contains("2 files, 2 of them known already"));
    // Growth is appended, from within an archive, too.
    let grown = [&a[..], &lines(500, 510)].concat();
    let said = take(&write(dir.path(), "logs.tar.zst", &zst(&all(&grown))));
    assert!(said.contains("1 of them known already; 10 records taken"), "{said}");
    assert_eq!(count(&data, "select count(*) from events"), "510");
    assert_eq!(count(&data, "select count(distinct raw_data) from events"), "510");
    balanced(&data);
}

#[test]
fn half_a_gzip_is_read_as_far_as_it_goes_and_goes_on_when_it_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let whole = gz(&lines(0, 20_000));
    let path = write(dir.path(), "a.log.gz", &whole[..whole.len() / 2]);
    let output = yagura(&["parse", "--source", "auto", text(&path)]);
    let said = format!("{}: gzip: the file ends in the middle", text(&path));
    assert!(output.status.success() && error_of(&output).contains(&said), "{}", error_of(&output));
    assert!(output.stdout.iter().filter(|byte| **byte == b'\n').count() > 5_000);
    let taken = yagura(&["ingest", "--data", text(&data), text(&path)]);
    assert!(taken.status.success() && error_of(&taken).contains(&said), "{}", error_of(&taken));
    std::fs::write(&path, &whole).unwrap();
    ok(&["ingest", "--data", text(&data), text(&path)]);
    // The line in which the half file ended is there twice: cut, and whole.
    assert_eq!(
        count(&data, "select count(distinct raw_data) from events where raw_data like '% ssh2'"),
        "20000"
    );
    balanced(&data);
}

#[test]
fn bombs_and_climbing_names_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let mut bomb = zstd::Encoder::new(Vec::new(), 1).unwrap();
    std::io::copy(&mut std::io::repeat(b'x').take(3 << 30), &mut bomb).unwrap();
    let bomb = write(dir.path(), "bomb.zst", &bomb.finish().unwrap());
    let output = yagura(&["parse", "--source", "auto", text(&bomb)]);
    assert!(output.status.success());
    let said = error_of(&output);
    assert!(said.contains("it grows more than 1000 fold; 26"), "{said}");
    let room = dir.path().join("a/b/c");
    let tar = tar(&[("../../climbed.log", &lines(0, 3)), ("/rooted.log", &lines(3, 5))]);
    let path = write(&room, "t.tar", &tar);
    assert_eq!(parsed(&path).lines().count(), 5);
    let data = dir.path().join("data");
    ok(&["ingest", "--data", text(&data), "--path", "{host}/...", text(&room)]);
    assert_eq!(count(&data, "select count(*) from events"), "5");
    let below = files_below(&dir.path().join("a"));
    assert_eq!(below, [path]);
    assert!(!Path::new("/rooted.log").exists());
}

#[test]
fn standard_input_is_a_batch_and_known_again() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let take = |bytes: &[u8]| {
        let output = piped(&["ingest", "--data", text(&data), "-"], bytes);
        assert!(output.status.success(), "{}", error_of(&output));
        error_of(&output)
    };
    assert!(take(&lines(0, 100)).contains("100 records taken"));
    assert!(take(&gz(&lines(0, 100))).contains("1 of them known already; 0 records"));
    assert!(take(&lines(0, 130)).contains("30 records taken"));
    assert!(take(&zst(&tar(&[("x.log", &lines(200, 210))]))).contains("10 records taken"));
    let cut = gz(&lines(300, 9_000));
    let said = take(&cut[..cut.len() / 2]);
    assert!(said.contains("yagura: -: gzip: the file ends in the middle"), "{said}");
    assert_eq!(count(&data, "select count(*) from events where raw_data like '%u129 %'"), "1");
    balanced(&data);
    assert!(files_below(&data.join("spool")).is_empty());
    let refused = piped(&["parse", "--source", "auto", "-"], &zst(&tar(&[("x", b"y")])));
    assert_eq!(refused.status.code(), Some(1));
    assert!(error_of(&refused).contains("a tar archive, which cannot be read from a stream"));
    let parsed = piped(&["parse", "--source", "auto", "-"], &zst(&lines(0, 7)));
    assert_eq!(parsed.stdout.iter().filter(|byte| **byte == b'\n').count(), 7);
}

/// The regression set as it is shared, against the same files unpacked.
#[test]
fn an_archive_of_event_logs_is_read_like_its_files() {
    let (Some(cases), Some(rules)) =
        (shared("sigma/sigma-regression.tar.zst"), shared("sigma/sigma-rules.tar.zst"))
    else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("cases");
    std::fs::create_dir(&folder).unwrap();
    unpack(&cases, &folder);
    unpack(&rules, dir.path());
    let rules = dir.path().join("rules");
    let found = |input: &Path, cut: &str| -> Vec<String> {
        let args = ["scan", "--rules", text(&rules), "--format", "ndjson", text(input)];
        let mut all: Vec<String> = ndjson(&ok(&args))
            .iter()
            .map(|finding| {
                let input = finding["input"].as_str().unwrap().replacen(cut, "", 1);
                let rule = &finding["finding_info"]["analytic"]["uid"];
                format!("{input} {} {rule}", finding["record"])
            })
            .collect();
        all.sort();
        all
    };
    let unpacked = found(&folder, &format!("{}/", text(&folder)));
    let packed = found(&cases, &format!("{}!", text(&cases)));
    println!("{} matches", packed.len());
    assert!(packed.len() > 100 && packed == unpacked, "{} of {}", packed.len(), unpacked.len());
    let data = dir.path().join("data");
    ok(&["ingest", "--data", text(&data), text(&cases)]);
    let records = count(&data, "select count(*) from events");
    let again = yagura(&["ingest", "--data", text(&data), text(&folder)]);
    assert!(error_of(&again).contains("; 0 records taken"), "{}", error_of(&again));
    println!("{records} records");
    balanced(&data);
    let logs = files_below(&folder);
    let log = logs.iter().find(|file| file.extension().is_some_and(|e| e == "evtx")).unwrap();
    let inside = write(dir.path(), "log.zip", &zip(&[("log.evtx", &std::fs::read(log).unwrap())]));
    let raw = |path: &Path| -> Vec<serde_json::Value> {
        ndjson(&parsed(path)).iter().map(|event| event["raw_data"].clone()).collect()
    };
    assert!(!raw(log).is_empty() && raw(log) == raw(&inside));
}
