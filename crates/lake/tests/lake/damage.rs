//! Damage is found, named and never read over.

use crate::common::*;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use yagura_disk::RealFs;
use yagura_lake::{LakeError, VerifyReport, open_readonly};

fn lake(dir: &Path) {
    let mut writer = open(dir);
    feed(&mut writer, 1..=10);
    writer.flush().unwrap();
    feed(&mut writer, 11..=20);
    writer.flush().unwrap();
}

fn verify(dir: &Path) -> VerifyReport {
    yagura_lake::verify(Arc::new(RealFs), dir).unwrap()
}

fn files(dir: &Path, end: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![dir.to_owned()];
    while let Some(at) = pending.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else if path.to_string_lossy().ends_with(end) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 4;
    fs::write(path, bytes).unwrap();
}

#[test]
fn an_empty_log_entry_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    lake(dir.path());
    let entry = dir.path().join("events/_delta_log/00000000000000000002.json");
    fs::write(&entry, b"").unwrap();
    let writing = open_on(Arc::new(RealFs), dir.path()).err().unwrap();
    let reading = open_readonly(Arc::new(RealFs), dir.path()).unwrap_err();
    for error in [writing, reading] {
        assert!(matches!(error, LakeError::Damaged { table: "events", .. }), "{error}");
        assert!(error.to_string().contains("00000000000000000002.json is empty"), "{error}");
    }
    assert!(!verify(dir.path()).damages.is_empty());
}

#[test]
fn one_flipped_bit_in_any_file_is_found() {
    let dir = tempfile::tempdir().unwrap();
    lake(dir.path());
    let whole = verify(dir.path());
    assert!(whole.damages.is_empty(), "{:?}", whole.damages);
    assert!(whole.orphans.is_empty(), "{:?}", whole.orphans);
    assert_eq!(whole.files, (files(dir.path(), ".parquet").len() + 9) as u64);
    for end in [".parquet", ".sums", "00000000000000000002.json"] {
        for path in files(dir.path(), end) {
            let kept = fs::read(&path).unwrap();
            flip(&path);
            let report = verify(dir.path());
            let relative = path.strip_prefix(dir.path()).unwrap().to_string_lossy().into_owned();
            assert!(report.damages.iter().any(|d| d.path == relative), "{relative}: {report:?}");
            fs::write(&path, kept).unwrap();
        }
    }
    assert!(verify(dir.path()).damages.is_empty());
}

#[test]
fn missing_cut_and_left_over_files_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    lake(dir.path());
    let data = files(&dir.path().join("matches"), ".parquet");
    let bytes = fs::read(&data[0]).unwrap();
    fs::write(&data[0], &bytes[..bytes.len() - 1]).unwrap();
    fs::remove_file(&data[1]).unwrap();
    fs::write(data[0].with_file_name("left-over.parquet"), b"x").unwrap();
    let report = verify(dir.path());
    let whats: Vec<&str> = report.damages.iter().map(|d| d.what.as_str()).collect();
    assert_eq!(whats.len(), 2, "{report:?}");
    assert!(whats.iter().any(|what| what.contains("were written")), "{whats:?}");
    assert!(whats.contains(&"data file is missing"), "{whats:?}");
    assert_eq!(report.orphans.len(), 1);
}

#[test]
fn a_directory_without_a_lake_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let error = open_readonly(Arc::new(RealFs), dir.path()).unwrap_err();
    assert!(matches!(error, LakeError::Missing(_)), "{error}");
}

#[test]
fn a_data_file_that_is_cut_short_ends_a_query_with_its_name() {
    let dir = tempfile::tempdir().unwrap();
    lake(dir.path());
    let data = files(&dir.path().join("events"), ".parquet").remove(0);
    let whole = fs::read(&data).unwrap();
    for len in [0, 1, 7, 8, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&data, &whole[..len]).unwrap();
        let view = open_readonly(Arc::new(RealFs), dir.path()).unwrap();
        let error = ask(view, operator(), "SELECT raw_data FROM events").unwrap_err().to_string();
        let name = data.file_name().unwrap().to_str().unwrap();
        assert!(error.contains("is cut short") && error.contains(name), "{len}: {error}");
    }
}
