//! Damage: copies of damaged files are set aside, and on request the readable entries are
//! kept as segments of their own whose headers own up to the gap.

use crate::error::{Damage, JournalError};
use crate::frame::end_group;
use crate::log::Options;
use crate::recover::live_segments;
use crate::segment::{Fault, Header, SEGMENT_HEADER_BYTES, file_name, find_frame, scan};
use std::path::{Path, PathBuf};
use yagura_disk::{Fs, create_dirs, write_atomic};
use yagura_event::Lsn;

const DAMAGED_DIR: &str = "damaged";

/// Copies each damaged file to `damaged/<name>.<offset>`; the same damage found again
/// replaces its copy.
pub(crate) fn set_aside(fs: &dyn Fs, dir: &Path, damage: &[Damage]) -> Result<(), JournalError> {
    let aside = dir.join(DAMAGED_DIR);
    create_dirs(fs, &aside).map_err(JournalError::io("create", &aside))?;
    for Damage { file, offset, .. } in damage {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let copy = aside.join(format!("{name}.{offset}"));
        let bytes = fs.read(file).map_err(JournalError::io("read", file))?;
        write_atomic(fs, &copy, &bytes).map_err(JournalError::io("write", &copy))?;
    }
    Ok(())
}

/// A stretch of whole entries with dense numbers.
struct Run {
    first: Lsn,
    next: Lsn,
    start: usize,
    end: usize,
    last_frame: usize,
}

/// Rewrites damaged segments as their runs of whole entries. Numbers of lost entries are
/// never given again. An interrupted salvage can be repeated.
pub(crate) fn salvage(fs: &dyn Fs, dir: &Path, options: &Options) -> Result<(), JournalError> {
    let mut expected: Option<Lsn> = None;
    let mut written: Vec<Lsn> = Vec::new();
    let live = live_segments(fs, dir)?;
    let newest = live.last().map(|(first, _)| *first);
    for (first, path) in live {
        if written.contains(&first) {
            // An interrupted salvage had written it already.
            continue;
        }
        let bytes = fs.read(&path).map_err(JournalError::io("read", &path))?;
        let expects = expected.unwrap_or(first);
        let scan = scan(&bytes, first);
        let header = scan.header;
        // The newest segment's torn tail is cut afterwards, as ever.
        let torn = |f: Fault| newest == Some(first) && !f.proven;
        let follows = expects == first || (expects < first && header.is_some_and(|h| h.gap));
        if header.is_some() && follows && scan.fault.is_none_or(torn) {
            expected = Some(Lsn(scan.last.0 + 1));
            continue;
        }
        let from = expects.max(first);
        let runs = runs(&bytes, from);
        expected = Some(runs.last().map_or(from, |r| r.next));
        let (node, epoch) = header.map_or((options.node, options.epoch), |h| (h.node, h.epoch));
        let model = Header { node, epoch, gap: header.is_some_and(|h| h.gap), first };
        rewrite(fs, &path, &bytes, model, expects, &runs)?;
        written.extend(runs.iter().map(|r| r.first));
    }
    fs.sync_dir(dir).map_err(JournalError::io("sync", dir))
}

/// Writes each run as a segment. The original goes last, so that a crash loses nothing.
fn rewrite(
    fs: &dyn Fs,
    path: &Path,
    bytes: &[u8],
    model: Header,
    mut expects: Lsn,
    runs: &[Run],
) -> Result<(), JournalError> {
    let mut original: Option<Vec<u8>> = None;
    for run in runs {
        let gap = run.first != expects || (model.gap && run.first == model.first);
        let mut segment = Header { first: run.first, gap, ..model }.encode().to_vec();
        segment.extend_from_slice(&bytes[run.start..run.end]);
        let last = SEGMENT_HEADER_BYTES + run.last_frame - run.start;
        end_group(&mut segment[last..]);
        expects = run.next;
        if run.first == model.first {
            original = Some(segment);
            continue;
        }
        let part: PathBuf = path.with_file_name(file_name(run.first));
        write_atomic(fs, &part, &segment).map_err(JournalError::io("write", &part))?;
    }
    if runs.is_empty() && expects <= model.first {
        original = Some(Header { gap: true, ..model }.encode().to_vec());
    }
    match original {
        Some(segment) => write_atomic(fs, path, &segment).map_err(JournalError::io("write", path)),
        None => fs.remove(path).map_err(JournalError::io("remove", path)),
    }
}

fn runs(bytes: &[u8], from: Lsn) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let (mut at, mut expected) = (SEGMENT_HEADER_BYTES, from);
    while let Some((start, frame)) = find_frame(bytes, at, expected) {
        let end = start + frame.len;
        let next = Lsn(frame.lsn.0 + 1);
        match runs.last_mut() {
            Some(run) if run.end == start && run.next == frame.lsn => {
                (run.next, run.end, run.last_frame) = (next, end, start);
            }
            _ => runs.push(Run { first: frame.lsn, next, start, end, last_frame: start }),
        }
        (at, expected) = (end, next);
    }
    runs
}
