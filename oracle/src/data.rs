//! The shared rules and recorded events, where they are.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use yagura_event::SourceChoice;
use yagura_parse::Framer;

/// Which rules of the published archive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Published {
    /// Those meant for use: of every folder whose name is `rules` or begins with `rules-`.
    InUse,
    /// Also the deprecated ones, and those that other engines do not take.
    All,
}

/// Folders of rules beside those meant for use.
const RETIRED_FOLDERS: [&str; 2] = ["deprecated", "unsupported"];

/// A file or folder of the shared data, or `None`, said on stdout, where it is absent, which
/// under `CI=true` is a panic.
///
/// # Panics
/// If it is absent and the environment says `CI=true`.
pub fn shared(part: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(part);
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED: the shared data {part} is not there");
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "shared data is missing");
    None
}

/// Unpacks an archive of the shared data into a folder that goes with the value.
///
/// # Errors
/// If `tar` or `zstd` fail.
pub fn unpack(archive: &Path) -> io::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    let status = Command::new("tar")
        .args(["--use-compress-program=zstd", "-xf"])
        .arg(archive)
        .arg("-C")
        .arg(folder.path())
        .status()?;
    if !status.success() {
        return Err(io::Error::other(format!("tar failed on {}", archive.display())));
    }
    Ok(folder)
}

/// A reader of a file, unpacked if its name ends in `.zst`.
///
/// # Errors
/// If the file cannot be opened or `zstd` cannot be started.
pub fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if path.extension().is_none_or(|e| e != "zst") {
        return Ok(Box::new(std::fs::File::open(path)?));
    }
    let mut child = Command::new("zstd").arg("-dcq").arg(path).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().ok_or_else(|| io::Error::other("zstd has no output"))?;
    Ok(Box::new(Unpacked { output, child }))
}

struct Unpacked {
    output: std::process::ChildStdout,
    child: std::process::Child,
}

impl Read for Unpacked {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.output.read(out)
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        // A reader that stopped early leaves the child writing: it ends with its pipe.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every file below `folder`, sorted.
///
/// # Errors
/// From the file system.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

/// The published rules as (path, text).
///
/// # Errors
/// If the archive cannot be unpacked or read.
pub fn published_rules(archive: &Path, which: Published) -> io::Result<Vec<(String, String)>> {
    let folder = unpack(archive)?;
    let mut rules = Vec::new();
    for path in files(folder.path())? {
        let inner = path.strip_prefix(folder.path()).unwrap_or(&path);
        let wanted = inner.components().any(|part| {
            let name = part.as_os_str().to_string_lossy();
            let retired = RETIRED_FOLDERS.contains(&&*name) && which == Published::All;
            name == "rules" || name.starts_with("rules-") || retired
        });
        if wanted && path.extension().is_some_and(|e| e == "yml" || e == "yaml") {
            rules.push((inner.display().to_string(), std::fs::read_to_string(&path)?));
        }
    }
    Ok(rules)
}

/// Calls `each` for every `every`-th record of a file, from the first, until it says stop.
///
/// # Errors
/// From the file.
pub fn records(path: &Path, every: u64, each: &mut dyn FnMut(&[u8]) -> bool) -> io::Result<()> {
    let mut framer = Framer::new(open(path)?, &SourceChoice::Auto);
    while let Some(frame) = framer.next_frame()? {
        if (frame.number - 1).is_multiple_of(every.max(1)) && !each(frame.bytes) {
            break;
        }
    }
    Ok(())
}
