//! Bad input through the real binary: a clear message or an event with an issue, the
//! documented exit code, and nothing else lost.

use crate::support::{
    balanced, count, error_of, files_below, ndjson, ok, refused, shared, unpack, yagura,
};
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const LINE: &str =
    "<34>Jan  5 10:00:00 gate sshd[7]: Failed password for ops from 192.0.2.9 port 40 ssh2";

const RULE: &str = "title: Failed log-on\nid: 7a1d2f0c-4b58-4f0e-9a54-1f6b0a0c0001\nlevel: low\n\
    logsource:\n  product: linux\ndetection:\n  words:\n    - Failed password\n  condition: words\n";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs the binary on a stream at its standard input.
fn piped(args: &[&str], mut input: impl Read + Send + 'static) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_yagura"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || io::copy(&mut input, &mut stdin).map(drop));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    output
}

fn rule_file(dir: &Path) -> PathBuf {
    let rule = dir.join("rule.yml");
    std::fs::write(&rule, RULE).unwrap();
    rule
}

#[test]
fn unknown_formats_and_broken_text_are_stored_with_their_issue() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("odd.log"));
    let odd: &[&[u8]] = &[b"no format at all", b"\xff\xfe broken", b"{\"half\": ", LINE.as_bytes()];
    std::fs::write(&file, odd.join(&b'\n')).unwrap();
    ok(&["ingest", "--data", text(&data), text(&file)]);
    let told = "select count(*) from events where class_uid = 0 and issues like '%unrecognised%'";
    assert_eq!(count(&data, told), "3");
    assert_eq!(count(&data, "select count(*) from events where issues like '%UTF-8%'"), "1");
    assert_eq!(count(&data, "select count(*) from events where class_uid = 3002"), "1");
    balanced(&data);
}

#[test]
fn a_line_of_10_mb_is_cut_said_and_the_next_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("long.log"));
    let mut long = vec![b'x'; 10_000_000];
    long.extend(format!("\n{LINE}\n").bytes());
    std::fs::write(&file, long).unwrap();
    let said =
        format!("{}: records longer than 1048576 bytes were cut; 8951424 bytes", text(&file));
    let parsed = yagura(&["parse", "--source", "auto", text(&file)]);
    assert!(parsed.status.success() && error_of(&parsed).contains(&said), "{}", error_of(&parsed));
    let events = ndjson(&String::from_utf8(parsed.stdout).unwrap());
    assert_eq!(events.len(), 2);
    assert!(events[0]["status_detail"].as_str().unwrap().contains("truncated"));
    assert_eq!(events[1]["class_uid"], 3002);
    let taken = yagura(&["ingest", "--data", text(&data), text(&file)]);
    assert!(taken.status.success() && error_of(&taken).contains(&said), "{}", error_of(&taken));
    assert_eq!(count(&data, "select length(raw_data) from events where class_uid = 0"), "1048576");
    assert_eq!(count(&data, "select raw_data from events where class_uid = 3002"), LINE);
    balanced(&data);
}

/// A stream much longer than any buffer.
#[test]
fn a_stream_without_a_line_end_is_one_record() {
    let dir = tempfile::tempdir().unwrap();
    let rule = rule_file(dir.path());
    let bytes = 64 << 20;
    let stream = || io::repeat(b'x').take(bytes);
    let parsed = piped(&["parse", "--source", "auto", "-"], stream());
    assert!(parsed.status.success());
    assert_eq!(ndjson(&String::from_utf8(parsed.stdout.clone()).unwrap()).len(), 1);
    let left_out = format!("{} bytes are left out", bytes - (1 << 20));
    assert!(error_of(&parsed).contains(&left_out), "{}", error_of(&parsed));
    let rules = ["scan", "--rules", text(&rule), "--format", "ndjson", "-"];
    let scanned = piped(&rules, stream());
    assert!(scanned.status.success());
    assert!(
        error_of(&scanned).contains("records 1, parsed 0, unparsed 1"),
        "{}",
        error_of(&scanned)
    );
}

/// What can be read only once is spooled where it must be read again.
#[test]
fn pipes_are_read_whole() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let lines = || io::Cursor::new(format!("{LINE}\n{LINE}\n"));
    let parsed = piped(&["parse", "--source", "auto", "/dev/stdin"], lines());
    assert_eq!(ndjson(&String::from_utf8(parsed.stdout).unwrap()).len(), 2);
    for (input, said) in [("-", "2 records taken"), ("/dev/stdin", "1 of them known already")] {
        let taken = piped(&["ingest", "--data", text(&data), input], lines());
        assert_eq!(taken.status.code(), Some(0), "{}", error_of(&taken));
        assert!(error_of(&taken).contains(said), "{}", error_of(&taken));
    }
    assert_eq!(count(&data, "select count(*) from events"), "2");
    balanced(&data);
}

/// An event log that breaks off: first one made here without a readable record, beside a
/// good file; then a real one, cut within its last chunk.
#[test]
fn a_truncated_event_log_gives_its_records_and_a_message() {
    let dir = tempfile::tempdir().unwrap();
    let (rule, good) = (rule_file(dir.path()), dir.path().join("good.log"));
    std::fs::write(&good, LINE).unwrap();
    let mut log = b"ElfFile\0".to_vec();
    log.resize(4_096, 0);
    log.extend(b"ElfChnk\0");
    log.resize(4_096 + 1_000, 0xff);
    let cut = dir.path().join("cut.evtx");
    std::fs::write(&cut, &log).unwrap();
    truncated(&rule, &cut, &good, 0);
    let Some(archive) = shared("sigma/sigma-regression.tar.zst") else { return };
    unpack(&archive, dir.path());
    let files = files_below(&dir.path().join("regression_data"));
    let logs = files.iter().filter(|file| file.extension().is_some_and(|e| e == "evtx"));
    let lines = |file: &PathBuf| ok(&["parse", "--source", "auto", text(file)]).lines().count();
    let (log, all) = logs
        .map(|file| (file, lines(file)))
        .find(|(_, records)| *records > 5)
        .expect("a log of some records");
    // The first chunk says at byte 48 where its records end.
    let whole = std::fs::read(log).unwrap();
    let end = u32::from_le_bytes(whole[4_096 + 48..4_096 + 52].try_into().unwrap());
    std::fs::write(&cut, &whole[..4_096 + end as usize * 3 / 4]).unwrap();
    let output = yagura(&["parse", "--source", "auto", text(&cut)]);
    let some = output.stdout.iter().filter(|byte| **byte == b'\n').count();
    println!("{some} of {all} records before the cut");
    assert!(some > 0 && some < all, "{some} of {all}");
    truncated(&rule, &cut, &good, some);
}

fn truncated(rule: &Path, cut: &Path, good: &Path, records: usize) {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let said = format!("yagura: {}: event log chunk", text(cut));
    let calls: [&[&str]; 3] = [
        &["parse", "--source", "auto", text(cut), text(good)],
        &["scan", "--rules", text(rule), "--format", "ndjson", text(cut), text(good)],
        &["ingest", "--data", text(&data), text(cut), text(good)],
    ];
    for call in calls {
        let output = yagura(call);
        let error = error_of(&output);
        assert_eq!(output.status.code(), Some(0), "{call:?}: {error}");
        let line =
            error.lines().find(|line| line.starts_with(&said) && line.contains("is cut after"));
        assert!(line.is_some(), "{call:?}: {error}");
        let lines = output.stdout.iter().filter(|byte| **byte == b'\n').count();
        match call[0] {
            "parse" => assert_eq!(lines, records + 1),
            "scan" => assert_eq!(lines, 1, "{error}"),
            _ => assert_eq!(count(&data, "select count(*) from events"), (records + 1).to_string()),
        }
    }
    balanced(&data);
}

#[test]
fn faulty_rules_are_named_and_the_others_work() {
    let dir = tempfile::tempdir().unwrap();
    let (good, file) = (rule_file(dir.path()), dir.path().join("auth.log"));
    let (broken, lonely) = (dir.path().join("broken.yml"), dir.path().join("lonely.yml"));
    std::fs::write(&file, LINE).unwrap();
    std::fs::write(&broken, "title: [x\n  - : :\n").unwrap();
    std::fs::write(&lonely, "title: c\nid: 7a1d2f0c-4b58-4f0e-9a54-1f6b0a0c0002\ncorrelation:\n  type: event_count\n  rules: [no_such_rule]\n  group-by: [user]\n  timespan: 1m\n  condition: {gte: 2}\n").unwrap();
    let rules = [text(&good), text(&broken), text(&lonely)];
    let faults = [
        format!("{}:1: did not find expected", rules[1]),
        format!("{}:5: no loaded rule has the id or name `no_such_rule`", rules[2]),
    ];
    let mut scan = vec!["scan", "--rules"];
    scan.extend(rules);
    scan.extend(["--format", "ndjson", text(&file)]);
    let output = yagura(&scan);
    let error = error_of(&output);
    assert!(output.status.success() && ndjson(&String::from_utf8_lossy(&output.stdout)).len() == 1);
    assert!(faults.iter().all(|fault| error.contains(fault)), "{error}");
    assert!(error.contains("rules loaded 1, failed 2"), "{error}");
    let none = ["scan", "--rules", rules[1], "--format", "ndjson", text(&file)];
    refused(&none, 1, &[&faults[0], "no rule could be loaded"]);
    let check = yagura(&["rules", "check", rules[1], rules[2]]);
    assert_eq!(check.status.code(), Some(1));
    let shown = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(
        shown.contains("error[yaml_invalid]") && shown.contains("error[rule_unknown]"),
        "{shown}"
    );
    let missing = dir.path().join("nowhere");
    refused(
        &["scan", "--rules", text(&missing), "--format", "ndjson", text(&file)],
        2,
        &["no rules"],
    );
    let data = dir.path().join("data");
    let take = ["ingest", "--rules", text(&missing), "--data", text(&data), text(&file)];
    refused(&take, 2, &["no rules at", "nowhere"]);
    let take = ["ingest", "--rules", rules[1], "--data", text(&data), text(&file)];
    let taken = yagura(&take);
    assert!(
        taken.status.success() && error_of(&taken).contains("rules check"),
        "{}",
        error_of(&taken)
    );
    assert_eq!(count(&data, "select count(*) from events"), "1");
}

#[test]
fn wrong_calls_are_usage_and_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("auth.log"));
    std::fs::write(&file, LINE).unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["--source", "nonsense"], "source \"nonsense\" is not known; known are auto, "),
        (&["--time-zone", "Mars"], "time zone \"Mars\""),
        (&["--reference-time", "noon"], "reference time \"noon\" is not RFC 3339"),
        (&["--path", "{hots}/..."], "only {host} and {user}"),
        (&["--tenant", "A B"], "tenant name \"A B\""),
    ];
    for (extra, word) in cases {
        let mut args = vec!["ingest", "--data", text(&data)];
        args.extend(*extra);
        args.push(text(&file));
        refused(&args, 2, &[word]);
    }
    refused(&["parse", "--source", "nonsense", text(&file)], 2, &["source \"nonsense\""]);
    let missing = dir.path().join("missing.log");
    refused(
        &["ingest", "--data", text(&data), text(&missing)],
        1,
        &["missing.log", "No such file"],
    );
    refused(&["findings", "--data", text(&data)], 2, &["is not a data directory"]);
    assert!(!data.exists());
}

#[test]
fn a_port_in_use_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (data, config) = (dir.path().join("data"), dir.path().join("yagura.toml"));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for key in ["http", "syslog_tcp"] {
        let other = if key == "http" { "syslog_tcp" } else { "http" };
        let listen = format!("[listen]\n{key} = \"{address}\"\n{other} = \"127.0.0.1:0\"\n");
        std::fs::write(&config, listen).unwrap();
        let up = ["up", "--config", text(&config), "--data", text(&data)];
        let error = refused(&up, 1, &[&address, "stop what uses it", "in use"]);
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(!data.exists());
    }
}

#[test]
fn directories_of_others_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("auth.log"));
    std::fs::write(&file, LINE).unwrap();
    let take = ["ingest", "--data", text(&data), text(&file)];
    ok(&take);
    // Held by this process, which answers at no socket.
    let lock = std::fs::File::open(data.join("LOCK")).unwrap();
    let sql = ["sql", "--data", text(&data), "selec"];
    let error = refused(&sql, 1, &["Expected: an SQL statement, found: selec"]);
    assert!(!error.contains("ParserError"), "{error}");
    lock.lock().unwrap();
    let calls: [&[&str]; 3] =
        [&take, &["books", "--data", text(&data)], &["sql", "--data", text(&data), "select 1"]];
    for call in calls {
        refused(call, 1, &["in use by process", "name another directory"]);
    }
    drop(lock);
    std::fs::write(data.join("VERSION"), "YAGURA-DATA 99\n").unwrap();
    let config = dir.path().join("yagura.toml");
    let any = "[listen]\nhttp = \"127.0.0.1:0\"\nsyslog_tcp = \"127.0.0.1:0\"\n";
    std::fs::write(&config, any).unwrap();
    let calls: [&[&str]; 3] = [
        &take,
        &["incidents", "--data", text(&data)],
        &["up", "--config", text(&config), "--data", text(&data)],
    ];
    for call in calls {
        refused(call, 1, &["has version 99, this release reads up to 1; use a newer release"]);
    }
    std::fs::write(data.join("VERSION"), "YAGURA-DATA 1\n").unwrap();
    assert_eq!(count(&data, "select count(*) from events"), "1");
}

/// Runs a script where mounts are its own and vanish with it. `$Y` is the binary, `$D` an
/// empty directory. `None` where this machine allows no mounts.
fn with_mounts(script: &str) -> Option<String> {
    let dir = tempfile::tempdir().unwrap();
    let run = |script: &str| {
        Command::new("unshare")
            .args(["-rm", "sh", "-c", script])
            .env("Y", env!("CARGO_BIN_EXE_yagura"))
            .env("D", dir.path())
            .stdin(Stdio::null())
            .output()
    };
    let trial = run("mount -t tmpfs none \"$D\"");
    if !trial.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: this machine allows no mounts (unshare -rm, tmpfs)");
        return None;
    }
    let output = run(&format!("exec 2>&1; {script}")).unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_read_only_data_directory_is_refused_and_stays_as_it_is() {
    let Some(said) = with_mounts(&format!(
        "mount -t tmpfs none \"$D\"; echo '{LINE}' > \"$D/auth.log\"
         \"$Y\" ingest --data \"$D/d\" \"$D/auth.log\"; mount -o remount,ro \"$D\"
         \"$Y\" ingest --data \"$D/d\" \"$D/auth.log\"; echo \"exit $?\"
         \"$Y\" books --data \"$D/d\"; echo \"exit $?\"
         \"$Y\" ingest --data \"$D/new\" \"$D/auth.log\"; echo \"exit $?\"
         mount -o remount,rw \"$D\"; \"$Y\" sql --data \"$D/d\" --format csv 'select count(*) from events'"
    )) else {
        return;
    };
    assert_eq!(said.matches("Read-only file system").count(), 3, "{said}");
    assert_eq!(said.matches("exit 1").count(), 3, "{said}");
    assert!(!said.contains("Error {") && said.trim_end().ends_with('1'), "{said}");
}

/// A full disk refuses records before any is lost; with room the same call goes on.
#[test]
fn a_full_data_directory_is_refused_and_goes_on_with_room() {
    let Some(said) = with_mounts(&format!(
        "mount -t tmpfs -o size=8m none \"$D\"; echo '{LINE}' > \"$D/auth.log\"
         \"$Y\" ingest --data \"$D/d\" \"$D/auth.log\"; echo \"exit $?\"
         \"$Y\" sql --data \"$D/d\" --format csv 'select count(*) from events'
         mount -o remount,size=2g \"$D\"
         \"$Y\" ingest --data \"$D/d\" \"$D/auth.log\"; echo \"exit $?\"
         \"$Y\" sql --data \"$D/d\" --format csv 'select count(*) from events'"
    )) else {
        return;
    };
    assert!(said.contains("the disk is nearly full"), "{said}");
    assert!(said.contains("free space or lower disk.refuse_free_bytes"), "{said}");
    assert!(said.contains("exit 1") && said.contains("exit 0"), "{said}");
    let counts: Vec<&str> =
        said.lines().filter(|line| line.trim_matches('"').parse::<u32>().is_ok()).collect();
    assert_eq!(
        counts.iter().map(|c| c.trim_matches('"')).collect::<Vec<_>>(),
        ["0", "1"],
        "{said}"
    );
}

/// Standard output that is closed early is no failure of ours.
#[test]
fn a_reader_that_leaves_is_no_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("auth.log");
    let mut out = std::fs::File::create(&file).unwrap();
    for _ in 0..20_000 {
        writeln!(out, "{LINE}").unwrap();
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_yagura"))
        .args(["parse", "--source", "auto", text(&file)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0u8; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), error_of(&output).as_str()), (Some(0), ""));
}
