//! What the tests over the real binary share: calls, shared data, archives, generated files.

pub mod server;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Runs the binary to its end.
pub fn yagura(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_yagura")).args(args).stdin(Stdio::null()).output().unwrap()
}

/// Standard output of a call that must succeed.
#[track_caller]
pub fn ok(args: &[&str]) -> String {
    let output = yagura(args);
    assert!(output.status.success(), "{args:?}: {}", error_of(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Standard error of a call.
pub fn error_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A call that must end with `code` and say `words`, without a debug form.
#[track_caller]
pub fn refused(args: &[&str], code: i32, words: &[&str]) -> String {
    let output = yagura(args);
    let error = error_of(&output);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {error}");
    for word in words {
        assert!(error.contains(word), "{args:?}: {word:?} is not in {error}");
    }
    for dump in ["Error {", "Some(", "panicked", "Os {", "RUST_BACKTRACE"] {
        assert!(!error.contains(dump), "{args:?}: {error}");
    }
    error
}

/// JSON values of lines.
pub fn ndjson(text: &str) -> Vec<serde_json::Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The single value that a query gives.
pub fn count(data: &Path, sql: &str) -> String {
    let out = ok(&["sql", "--data", data.to_str().unwrap(), "--format", "csv", sql]);
    out.lines().nth(1).unwrap_or("").trim_matches('"').to_owned()
}

/// The books' rows; their gaps must be 0 and nothing may be pending.
#[track_caller]
pub fn balanced(data: &Path) -> Vec<serde_json::Value> {
    let rows = ndjson(&ok(&["books", "--data", data.to_str().unwrap(), "--format", "ndjson"]));
    for row in &rows {
        assert_eq!((&row["gap"], &row["pending"]), (&0.into(), &0.into()), "{row}");
    }
    rows
}

/// A file of the shared data; where it is missing a test says so, and fails in CI.
pub fn shared(path: &str) -> Option<PathBuf> {
    let full = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")).join(path);
    if full.exists() {
        return Some(full);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "shared data {path} is missing");
    println!("SKIPPED: {} is not there", full.display());
    None
}

/// Unpacks an archive into `dir`.
pub fn unpack(archive: &Path, dir: &Path) {
    let tar = Command::new("tar").arg("--zstd").arg("-xf").arg(archive).arg("-C").arg(dir).status();
    let unpacked = tar.is_ok_and(|status| status.success());
    assert!(unpacked, "cannot unpack {}; apt install tar zstd", archive.display());
}

/// All files below `dir`, sorted.
pub fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { dirs.push(path) } else { all.push(path) }
        }
    }
    all.sort();
    all
}
