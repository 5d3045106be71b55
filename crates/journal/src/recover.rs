//! Opening a journal: check every live segment, cut a torn tail, report any other damage.

use crate::context::ContextStore;
use crate::error::{Damage, JournalError};
use crate::handle::Segment;
use crate::log::Options;
use crate::salvage::{salvage, set_aside};
use crate::segment::{Header, SEGMENT_HEADER_BYTES, Scan, parse_name, scan};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yagura_disk::put::TEMPORARY_SUFFIX;
use yagura_disk::{File, Fs, create_dirs, write_atomic};
use yagura_event::{Lsn, Micros};

/// Where cut segments go with [`Options::keep`].
pub(crate) const KEPT_DIR: &str = "kept";
const CONTEXTS_DIR: &str = "contexts";

/// What opening found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recovery {
    /// The last entry, 0 in a new journal. A consumer whose checkpoint is beyond it belongs
    /// to another journal.
    pub last: Lsn,
    /// Received time of the last entry.
    pub received: Option<Micros>,
    /// Number of live segments.
    pub segments: usize,
    /// The interrupted write that was cut, if there was one.
    pub torn: Option<TornTail>,
    /// Damage that was skipped, and kept segments that cannot be read.
    pub damage: Vec<Damage>,
}

/// An interrupted write at the end of the newest segment. It was never acknowledged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TornTail {
    /// The segment.
    pub file: PathBuf,
    /// Where it was cut, in bytes.
    pub offset: u64,
    /// How many bytes went.
    pub bytes: u64,
    /// What the tail looked like.
    pub what: &'static str,
    /// Whether a copy is in `damaged/`, because the tail was not merely short.
    pub set_aside: bool,
}

/// Everything a journal needs to go on.
pub(crate) struct Opened {
    pub segments: Vec<Segment>,
    pub contexts: ContextStore,
    /// The newest segment, open for appending, and its length.
    pub file: Option<Box<dyn File>>,
    pub file_bytes: u64,
    pub recovery: Recovery,
}

/// A live segment as found.
struct Found {
    path: PathBuf,
    len: u64,
    scan: Scan,
}

/// Begins the archive of cut segments, or goes on with the one that is there.
pub(crate) fn keep_going(
    fs: &dyn Fs,
    dir: &Path,
    options: &mut Options,
) -> Result<(), JournalError> {
    let kept = dir.join(KEPT_DIR);
    if options.keep {
        create_dirs(fs, &kept).map_err(JournalError::io("create", &kept))?;
    }
    options.keep = fs.exists(&kept).map_err(JournalError::io("look for", &kept))?;
    Ok(())
}

pub(crate) fn recover(
    fs: &Arc<dyn Fs>,
    dir: &Path,
    options: &Options,
) -> Result<Opened, JournalError> {
    create_dirs(&**fs, dir).map_err(JournalError::io("create", dir))?;
    let mut recovery = Recovery::default();
    let contexts_dir = dir.join(CONTEXTS_DIR);
    let contexts = ContextStore::open(Arc::clone(fs), contexts_dir, &mut recovery.damage)?;
    let bad_contexts = recovery.damage.len();
    let mut found = load(&**fs, dir, &mut recovery.damage)?;
    if !recovery.damage.is_empty() {
        set_aside(&**fs, dir, &recovery.damage)?;
        if !options.skip_damage {
            return Err(JournalError::Damaged(recovery.damage));
        }
        for damage in &recovery.damage[..bad_contexts] {
            fs.remove(&damage.file).map_err(JournalError::io("remove", &damage.file))?;
        }
        salvage(&**fs, dir, options)?;
        let mut left = Vec::new();
        found = load(&**fs, dir, &mut left)?;
        if !left.is_empty() {
            return Err(JournalError::Damaged(left));
        }
    }
    cut_tail(&**fs, dir, &mut found, &mut recovery)?;
    let (file, file_bytes) = open_newest(&**fs, dir, &found)?;
    recovery.segments = found.len();
    recovery.received = found.iter().rev().find_map(|f| f.scan.received);
    let live = found.into_iter().filter_map(into_segment).collect();
    let segments = with_kept(&**fs, dir, live, &mut recovery)?;
    recovery.last = segments.last().map_or(Lsn(0), |s| s.last);
    Ok(Opened { segments, contexts, file, file_bytes, recovery })
}

/// The live segments' first numbers, ascending; leftovers of interrupted rewrites go.
pub(crate) fn live_segments(fs: &dyn Fs, dir: &Path) -> Result<Vec<(Lsn, PathBuf)>, JournalError> {
    let mut live = Vec::new();
    for name in fs.list(dir).map_err(JournalError::io("list", dir))? {
        let path = dir.join(&name);
        if name.ends_with(TEMPORARY_SUFFIX) {
            fs.remove(&path).map_err(JournalError::io("remove", &path))?;
        } else if let Some(first) = parse_name(&name) {
            live.push((first, path));
        }
    }
    Ok(live)
}

/// Scans every live segment. All damage but a torn tail of the newest is listed.
fn load(fs: &dyn Fs, dir: &Path, damage: &mut Vec<Damage>) -> Result<Vec<Found>, JournalError> {
    let live = live_segments(fs, dir)?;
    let mut found: Vec<Found> = Vec::with_capacity(live.len());
    for (i, (first, path)) in live.iter().enumerate() {
        let bytes = fs.read(path).map_err(JournalError::io("read", path))?;
        let scan = scan(&bytes, *first);
        let newest = i + 1 == live.len();
        if let Some(fault) = scan.fault.filter(|f| f.proven || !newest) {
            damage.push(Damage {
                file: path.clone(),
                offset: fault.offset as u64,
                what: fault.what,
            });
        }
        let before = found.last().map(|f| f.scan.last);
        let gap = scan.header.is_some_and(|h| h.gap);
        let follows = before.is_none_or(|b| first.0 == b.0 + 1 || (gap && *first > b));
        // Where the one before is damaged its last number says nothing.
        if !follows && found.last().is_some_and(|f| f.scan.fault.is_none()) {
            let what = "entries before this segment are missing";
            damage.push(Damage { file: path.clone(), offset: 0, what });
        }
        found.push(Found { path: path.clone(), len: bytes.len() as u64, scan });
    }
    Ok(found)
}

/// Cuts an interrupted write from the newest segment, or removes it where its header is torn.
fn cut_tail(
    fs: &dyn Fs,
    dir: &Path,
    found: &mut Vec<Found>,
    recovery: &mut Recovery,
) -> Result<(), JournalError> {
    let Some(newest) = found.last_mut() else { return Ok(()) };
    let Some(fault) = newest.scan.fault else { return Ok(()) };
    let path = newest.path.clone();
    let offset = newest.scan.good_len as u64;
    let torn = TornTail {
        file: path.clone(),
        offset,
        bytes: newest.len - offset,
        what: fault.what,
        set_aside: !fault.ends_short,
    };
    if torn.set_aside {
        let damage = Damage { file: path.clone(), offset: fault.offset as u64, what: fault.what };
        set_aside(fs, dir, &[damage])?;
    }
    if newest.scan.header.is_none() {
        fs.remove(&path).map_err(JournalError::io("remove", &path))?;
        found.pop();
    } else {
        let cut = fs.open_append(&path).and_then(|mut file| {
            file.truncate(offset)?;
            file.sync()
        });
        cut.map_err(JournalError::io("cut", &path))?;
        newest.len = offset;
    }
    recovery.torn = Some(torn);
    Ok(())
}

/// Opens the newest segment. What a process that ended wrote may be in the page cache only, and
/// after a sync that failed the disk may lack pages that the cache still shows as written: a
/// further sync would not bring them there. So what there is of it is written anew and takes its
/// place before anything is handed out.
fn open_newest(
    fs: &dyn Fs,
    dir: &Path,
    found: &[Found],
) -> Result<(Option<Box<dyn File>>, u64), JournalError> {
    let mut newest = (None, 0);
    if let Some(Found { path, len, .. }) = found.last() {
        let bytes = fs.read(path).map_err(JournalError::io("read", path))?;
        write_atomic(fs, path, &bytes).map_err(JournalError::io("write", path))?;
        let file = fs.open_append(path).map_err(JournalError::io("open", path))?;
        newest = (Some(file), *len);
    }
    fs.sync_dir(dir).map_err(JournalError::io("sync", dir))?;
    Ok(newest)
}

fn into_segment(found: Found) -> Option<Segment> {
    let Found { path, len, scan } = found;
    let header = scan.header?;
    Some(Segment { header, path, len, last: scan.last, index: scan.index, kept: false })
}

/// Puts the kept segments before the live ones. They are checked when they are read.
fn with_kept(
    fs: &dyn Fs,
    dir: &Path,
    live: Vec<Segment>,
    recovery: &mut Recovery,
) -> Result<Vec<Segment>, JournalError> {
    let dir = dir.join(KEPT_DIR);
    if !fs.exists(&dir).map_err(JournalError::io("look for", &dir))? {
        return Ok(live);
    }
    let mut next = live.first().map(|s| s.header.first);
    let mut kept = Vec::new();
    let mut names = live_segments(fs, &dir)?;
    names.retain(|(first, _)| next.is_none_or(|n| *first < n));
    for (first, path) in names.into_iter().rev() {
        let head = fs.read_range(&path, 0, SEGMENT_HEADER_BYTES);
        let head = head.map_err(JournalError::io("read", &path))?;
        let header = match Header::decode(&head, first) {
            Ok(header) => header,
            Err(what) => {
                recovery.damage.push(Damage { file: path, offset: 0, what });
                continue;
            }
        };
        let len = fs.metadata(&path).map_err(JournalError::io("look at", &path))?.len;
        let last = match next {
            Some(next) => Lsn(next.0 - 1),
            None => {
                let bytes = fs.read(&path).map_err(JournalError::io("read", &path))?;
                let scan = scan(&bytes, first);
                recovery.received = scan.received;
                scan.last
            }
        };
        next = Some(first);
        let index = crate::segment::Index::default();
        kept.push(Segment { header, path, len, last, index, kept: true });
    }
    kept.reverse();
    kept.extend(live);
    Ok(kept)
}
