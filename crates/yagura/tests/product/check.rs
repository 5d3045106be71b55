//! `yagura check`: a changed byte in any kind of file is named; indexes are made anew.

use crate::support::{error_of, files_below, ok, refused, yagura};
use std::path::{Path, PathBuf};

const LINE: &str =
    "Jan  5 10:00:01 gate sshd[77]: Failed password for root from 203.0.113.7 port 4000 ssh2\n";

/// A data directory whose journal is kept, and its path.
fn site() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("auth.log"), LINE.repeat(200)).unwrap();
    ok(&["ingest", "--data", &path("data"), &path("auth.log")]);
    let data = path("data");
    (dir, data)
}

fn check(data: &str, more: &[&str]) -> (bool, String) {
    let output = yagura(&[&["check", "--full"], more, &[data]].concat());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", error_of(&output));
    (output.status.success(), text)
}

/// The last file below a folder with this ending.
fn file(data: &str, below: &str, end: &str) -> PathBuf {
    let mut all = files_below(&Path::new(data).join(below));
    all.sort();
    let found = all.into_iter().rfind(|path| path.to_str().unwrap().ends_with(end));
    found.unwrap_or_else(|| panic!("no {end} in {below}"))
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_changed_byte_in_any_kind_of_file_is_named() {
    let (_dir, data) = site();
    let (sound, text) = check(&data, &[]);
    assert!(sound, "{text}");
    for area in ["journal", "epochs", "tables", "index", "sightings", "judge"] {
        assert!(text.contains(area), "{text}");
    }
    for (below, end) in [
        ("lake/events", ".parquet"),
        ("lake/sightings", ".parquet"),
        ("lake/events/_yagura", ".sums"),
        ("lake/events/_delta_log", ".json"),
        ("lake/index/events", ".idx"),
        ("journal/contexts", ".json"),
        ("epochs", "history.json"),
        ("epochs/parts", ".zst"),
        ("correlator", ".snap"),
    ] {
        let path = file(&data, below, end);
        let whole = std::fs::read(&path).unwrap();
        flip(&path);
        let (sound, text) = check(&data, &[]);
        assert!(!sound, "{below}: {text}");
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(text.contains(name), "{below}: {text}");
        std::fs::write(&path, whole).unwrap();
        let (sound, text) = check(&data, &[]);
        assert!(sound, "{below}: {text}");
    }
    let judge = Path::new(&data).join("judge.sqlite");
    let whole = std::fs::read(&judge).unwrap();
    std::fs::write(&judge, &whole[..whole.len() / 2]).unwrap();
    let (sound, text) = check(&data, &[]);
    assert!(!sound && text.contains("judge.sqlite"), "{text}");
}

#[test]
fn what_is_missing_as_a_whole_is_noticed() {
    let (dir, data) = site();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    // Tables as a whole come back from a journal that was never cut, and that is said.
    for (missing, comes_back) in [
        ("journal", false),
        ("journal/contexts", false),
        ("epochs", false),
        ("lake/events", true),
        ("lake", true),
    ] {
        let copy = path("copy");
        copy_dir(Path::new(&data), Path::new(&copy));
        std::fs::remove_dir_all(Path::new(&copy).join(missing)).unwrap();
        let (sound, text) = check(&copy, &[]);
        assert_eq!(sound, comes_back, "{missing}: {text}");
        assert_eq!(text.contains("not in the tables yet"), comes_back, "{missing}: {text}");
        std::fs::remove_dir_all(&copy).unwrap();
    }
}

fn copy_dir(from: &Path, to: &Path) {
    for path in files_below(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(path, target).unwrap();
    }
}

#[test]
fn indexes_are_made_anew_and_nothing_else_is_touched() {
    let (_dir, data) = site();
    let path = file(&data, "lake/index/events", ".idx");
    let whole = std::fs::read(&path).unwrap();
    for damaged in [Vec::new(), whole[..whole.len() - 1].to_vec()] {
        std::fs::write(&path, damaged).unwrap();
        let (sound, text) = check(&data, &["--repair"]);
        assert!(sound && text.contains("made anew"), "{text}");
        assert_eq!(std::fs::read(&path).unwrap(), whole);
    }
    std::fs::remove_file(&path).unwrap();
    assert!(!check(&data, &[]).0);
    assert!(check(&data, &["--repair"]).0);
    assert_eq!(std::fs::read(&path).unwrap(), whole);
    // An index that cannot be made is no success.
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir_all(path.join("in the way")).unwrap();
    let (sound, text) = check(&data, &["--repair"]);
    assert!(!sound && text.contains("cannot be made anew"), "{text}");
    std::fs::remove_dir_all(&path).unwrap();
    let events = file(&data, "lake/events", ".parquet");
    flip(&events);
    let bytes = std::fs::read(&events).unwrap();
    assert!(!check(&data, &["--repair"]).0);
    assert_eq!(std::fs::read(&events).unwrap(), bytes);
    refused(&["check", "/proc"], 2, &["not a data directory"]);
}
