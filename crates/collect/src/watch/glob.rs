//! Which files a watch means: a file, everything below a folder, or a pattern.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Deepest folder looked into below the pattern's fixed part; deeper ones are left out, since
/// links may lead in circles.
const DEPTH_MAX: usize = 16;

/// Most files that one pattern finds; further ones are left out and named once.
const SEEN_MAX: usize = 100_000;

/// What tells a file from others, whatever it is called.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct FileId {
    /// Device.
    pub dev: u64,
    /// Inode.
    pub ino: u64,
}

impl FileId {
    /// The identity of what `meta` describes.
    pub fn of(meta: &std::fs::Metadata) -> Self {
        Self { dev: meta.dev(), ino: meta.ino() }
    }
}

/// A file that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Where it is.
    pub path: PathBuf,
    /// Below the pattern's fixed part, with `/`.
    pub name: String,
    /// Its identity.
    pub id: FileId,
    /// Its length in bytes.
    pub len: u64,
    /// When it was written last.
    pub modified: SystemTime,
}

/// Why a pattern is refused.
#[derive(Debug, thiserror::Error)]
pub enum GlobError {
    /// It does not begin at the root.
    #[error("{0:?} is not absolute; a watch needs a path from the root")]
    Relative(String),
    /// It climbs.
    #[error("{0:?} has a component `..`")]
    Climbs(String),
}

/// A path whose components may hold `*` (any characters), `?` (one character), and `**` (any
/// number of folders) as a component of its own. Hidden files and folders are left out unless
/// a component that begins with a dot names them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Glob {
    root: PathBuf,
    parts: Vec<String>,
}

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`GlobError`] for a path that is relative or climbs.
    pub fn parse(text: &str) -> Result<Self, GlobError> {
        let Some(rest) = text.strip_prefix('/') else {
            return Err(GlobError::Relative(text.to_owned()));
        };
        let parts: Vec<&str> = rest.split('/').filter(|p| !["", "."].contains(p)).collect();
        if parts.contains(&"..") {
            return Err(GlobError::Climbs(text.to_owned()));
        }
        let fixed = parts.iter().take_while(|part| !part.contains(['*', '?'])).count();
        let (root, parts) = parts.split_at(fixed);
        let mut path = PathBuf::from("/");
        path.extend(root);
        Ok(Self { root: path, parts: parts.iter().map(|part| (*part).to_owned()).collect() })
    }

    /// The files there are, sorted by path. What cannot be read is left out and named as
    /// `path: reason`; the root itself may come later.
    pub fn list(&self) -> (Vec<Seen>, Vec<String>) {
        let (mut found, mut faults) = (Vec::new(), Vec::new());
        let Ok(meta) = std::fs::metadata(&self.root) else { return (found, faults) };
        if meta.is_file() {
            if self.parts.is_empty() {
                let name = self.root.file_name().unwrap_or_default().to_string_lossy();
                found.push(seen(self.root.clone(), name.into_owned(), &meta));
            }
            return (found, faults);
        }
        let all = ["**".to_owned(), "*".to_owned()];
        let parts: &[String] = if self.parts.is_empty() { &all } else { &self.parts };
        walk(&self.root, "", parts, 0, &mut found, &mut faults);
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found.dedup_by(|a, b| a.path == b.path);
        (found, faults)
    }
}

fn seen(path: PathBuf, name: String, meta: &std::fs::Metadata) -> Seen {
    let modified = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    Seen { path, name, id: FileId::of(meta), len: meta.len(), modified }
}

fn walk(
    dir: &Path,
    name: &str,
    parts: &[String],
    depth: usize,
    found: &mut Vec<Seen>,
    faults: &mut Vec<String>,
) {
    let Some((part, rest)) = parts.split_first() else { return };
    if depth > DEPTH_MAX {
        faults.push(format!("{}: folders below are nested too deep", dir.display()));
        return;
    }
    if part == "**" {
        // No folder at all; one folder more is taken below.
        walk(dir, name, rest, depth, found, faults);
    }
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                faults.push(format!("{}: {error}", dir.display()));
            }
            return;
        }
    };
    for entry in entries.flatten() {
        if found.len() >= SEEN_MAX {
            faults.push(format!("{}: more than {SEEN_MAX} files match", dir.display()));
            return;
        }
        let file_name = entry.file_name();
        let own = file_name.to_string_lossy();
        if !matches(part, &own) {
            continue;
        }
        let path = entry.path();
        // A link is followed; a file that has just gone is no fault.
        let Ok(meta) = std::fs::metadata(&path) else { continue };
        let below = if name.is_empty() { own.into_owned() } else { format!("{name}/{own}") };
        if meta.is_dir() {
            let parts = if part == "**" { parts } else { rest };
            walk(&path, &below, parts, depth + 1, found, faults);
        } else if meta.is_file() && part != "**" && rest.is_empty() {
            found.push(seen(path, below, &meta));
        }
    }
}

/// Whether a component matches; a leading dot must be written.
fn matches(part: &str, name: &str) -> bool {
    if name.starts_with('.') && !part.starts_with('.') {
        return false;
    }
    part == "**" || wild(part.as_bytes(), name.as_bytes())
}

/// `*` and `?` against bytes, in time proportional to the product of the lengths at most.
fn wild(part: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match part.get(p) {
            Some(b'*') => {
                star = Some((p + 1, n));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    (p, n) = (after, from + 1);
                }
                None => return false,
            },
        }
    }
    part[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(dir: &Path, pattern: &str) -> Vec<String> {
        let (found, faults) = Glob::parse(&format!("{}{pattern}", dir.display())).unwrap().list();
        assert_eq!(faults, [""; 0]);
        found.into_iter().map(|seen| seen.name).collect()
    }

    #[test]
    fn files_folders_and_patterns() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["a.log", "a.log.1", "b.txt", ".hidden.log", "web/x.log", "web/old/y.log"] {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let dir = dir.path();
        assert_eq!(names(dir, "/a.log"), ["a.log"]);
        assert_eq!(names(dir, "/a.log*"), ["a.log", "a.log.1"]);
        assert_eq!(names(dir, "/?.*"), ["a.log", "a.log.1", "b.txt"]);
        assert_eq!(names(dir, "/*/*.log"), ["web/x.log"]);
        assert_eq!(names(dir, "/**/*.log"), ["a.log", "web/old/y.log", "web/x.log"]);
        assert_eq!(names(dir, "").len(), 5);
        assert_eq!(names(dir, "/web/"), ["old/y.log", "x.log"]);
        assert_eq!(names(dir, "/.hidden*"), [".hidden.log"]);
        assert_eq!(names(dir, "/none/*"), [""; 0]);
    }

    #[test]
    fn wrong_patterns_are_refused() {
        assert!(matches!(Glob::parse("logs/*"), Err(GlobError::Relative(_))));
        assert!(matches!(Glob::parse("/a/../b"), Err(GlobError::Climbs(_))));
    }

    #[test]
    fn stars_go_back() {
        for (part, name, same) in [
            ("*a*b", "xaxbxb", true),
            ("*a*b", "xaxbxc", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("**a", "a", true),
        ] {
            assert_eq!(wild(part.as_bytes(), name.as_bytes()), same, "{part} {name}");
        }
    }
}
