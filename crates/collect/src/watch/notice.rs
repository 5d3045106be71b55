//! Where a followed file is at present, and whether there is something new in it.

use crate::container::is_compressed;
use crate::watch::follow::{Follower, Source};
use crate::watch::glob::{FileId, Seen};
use crate::watch::place::{PRINT_BYTES, Place, bytes_at, open_seen};
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

/// What was noticed of a follower.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Noticed {
    /// Nothing that needs its file.
    Nothing,
    /// Its file was opened.
    Opened,
    /// Its file has something new and may not be opened yet.
    Waits,
}

/// Takes note of where a follower's file is, and opens it where there is something new.
pub fn notice(
    follower: &mut Follower,
    found: Option<&Seen>,
    now: Instant,
    may_open: bool,
) -> Noticed {
    let other;
    let found = match found {
        Some(seen) => Some(seen),
        None => {
            other = by_inode(&follower.place);
            other.as_ref()
        }
    };
    follower.linked = found.is_some();
    let Some(seen) = found else { return Noticed::Nothing };
    follower.place.path.clone_from(&seen.path);
    let changed = (follower.len, follower.modified) != (seen.len, seen.modified);
    if seen.len != follower.len {
        follower.changed = now;
    }
    let place = &follower.place;
    let new = match place.done_bytes {
        0 => matches!(follower.source, Source::Closed) && (changed || seen.len != place.offset),
        // A compressed file to which more was added.
        done => matches!(follower.source, Source::Closed) && seen.len != done,
    };
    if new && !may_open {
        return Noticed::Waits;
    }
    (follower.len, follower.modified) = (seen.len, seen.modified);
    if !new {
        return Noticed::Nothing;
    }
    // What cannot be opened is tried again with the next change.
    follower.source = open(follower, seen).unwrap_or(Source::Closed);
    if matches!(follower.source, Source::Packed(_)) {
        follower.place.done_bytes = 0;
    }
    Noticed::Opened
}

fn open(follower: &Follower, seen: &Seen) -> io::Result<Source> {
    let file = open_seen(seen)?;
    if !is_compressed(&bytes_at(&file, 0, PRINT_BYTES as u64)?) {
        return Ok(Source::Plain(file));
    }
    let packed = follower.place.is_in_packed(&file)?;
    Ok(packed.map_or(Source::Closed, Source::Packed))
}

/// Where a file is that the watch's paths do not reach: where it was, or beside it.
fn by_inode(place: &Place) -> Option<Seen> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let is = |path: &PathBuf| {
        let meta = std::fs::metadata(path).ok()?;
        (FileId::of(&meta) == place.id()).then(|| seen_at(path.clone(), name(path), &meta))
    };
    is(&place.path).or_else(|| {
        let entries = std::fs::read_dir(place.path.parent()?).ok()?;
        let mut same = entries.flatten().filter(|entry| entry.ino() == place.ino);
        same.find_map(|entry| is(&entry.path()))
    })
}

/// What is at `path`.
pub fn seen_at(path: PathBuf, name: String, meta: &Metadata) -> Seen {
    let modified = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    Seen { path, name, id: FileId::of(meta), len: meta.len(), modified }
}
