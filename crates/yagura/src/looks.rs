//! Looks at files again and again, to tell when they have changed and rest.

use crate::inputs::DEPTH_MAX;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What tells whether files have changed: paths, lengths and times of change of the files that
/// are `wanted` below `places`, and of those places that are files.
pub fn fingerprint(places: &[PathBuf], wanted: &dyn Fn(&Path) -> bool) -> [u8; 32] {
    let mut files = Vec::new();
    for place in places {
        walk(place, 0, wanted, &mut files);
    }
    files.sort();
    let mut hasher = blake3::Hasher::new();
    for file in files {
        hasher.update(format!("{file:?}\n").as_bytes());
    }
    *hasher.finalize().as_bytes()
}

fn walk(
    path: &Path,
    depth: usize,
    wanted: &dyn Fn(&Path) -> bool,
    files: &mut Vec<(PathBuf, u64, Option<SystemTime>)>,
) {
    let Ok(meta) = std::fs::metadata(path) else { return };
    if meta.is_file() && (depth == 0 || wanted(path)) {
        files.push((path.to_owned(), meta.len(), meta.modified().ok()));
    }
    if !meta.is_dir() || depth >= DEPTH_MAX {
        return;
    }
    let Ok(entries) = std::fs::read_dir(path) else { return };
    for entry in entries.flatten() {
        walk(&entry.path(), depth + 1, wanted, files);
    }
}

/// Files as they were when they were last taken, and when they were last looked at.
pub struct Looks {
    taken: [u8; 32],
    seen: [u8; 32],
}

impl Looks {
    /// Files that were taken as `now`.
    pub fn new(now: [u8; 32]) -> Self {
        Self { taken: now, seen: now }
    }

    /// Whether files that are `now` are to be taken: they are other than those taken, and two
    /// looks in a row found them alike. They count as taken then.
    pub fn due(&mut self, now: [u8; 32]) -> bool {
        let rests = std::mem::replace(&mut self.seen, now) == now;
        let due = rests && now != self.taken;
        if due {
            self.taken = now;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn files_are_due_once_when_they_changed_and_rest() {
        let mut looks = Looks::new([0; 32]);
        assert!(!looks.due([0; 32]));
        assert!(!looks.due([1; 32]));
        assert!(!looks.due([2; 32]), "still being written");
        assert!(looks.due([2; 32]));
        assert!(!looks.due([2; 32]));
        assert!(!looks.due([0; 32]));
        assert!(looks.due([0; 32]), "back as they were");
    }

    #[test]
    fn a_fingerprint_is_of_the_files_that_are_wanted() {
        let dir = tempfile::tempdir().unwrap();
        let below = dir.path().join("a/b");
        std::fs::create_dir_all(&below).unwrap();
        let print = || {
            let yml = |path: &Path| path.extension().is_some_and(|e| e == "yml");
            fingerprint(&[dir.path().to_owned(), dir.path().join("named.txt")], &yml)
        };
        let none = print();
        std::fs::write(below.join("x.md"), "1").unwrap();
        assert_eq!(print(), none);
        std::fs::write(below.join("x.yml"), "1").unwrap();
        let one = print();
        assert_ne!(one, none);
        std::fs::write(below.join("x.yml"), "22").unwrap();
        assert_ne!(print(), one);
        std::fs::remove_file(below.join("x.yml")).unwrap();
        assert_eq!(print(), none);
        std::fs::write(dir.path().join("named.txt"), "1").unwrap();
        assert_ne!(print(), none);
    }
}
