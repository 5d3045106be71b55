//! One file that is followed: its new lines, and where it stands, in one group.

use crate::container::Fault;
use crate::frame::FRAME_BYTES_MAX;
use crate::intake::{FeedContext, Group, Intake, IntakeError, stream_id};
use crate::watch::place::{PRINT_BYTES, Place, Print, keep_tail, print_at};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use yagura_event::time::SECOND;
use yagura_journal::{Entry, Mark, Ticket};

/// Longest line; the same limit as for other inputs. A longer one is cut here, its event is
/// flagged `truncated`, and the rest of it is left out.
pub const LINE_BYTES_MAX: usize = FRAME_BYTES_MAX;

/// Bytes of one file taken at a time: more than a line, so that every reading gets on.
pub const READ_BYTES: usize = LINE_BYTES_MAX + 512 * 1024;

/// How long a last line without its end waits for the rest; then it is a record as it is.
pub const PARTIAL_IDLE: Duration = Duration::from_secs(3);

/// How long after its last change a damaged compressed file is looked at again before what
/// can be read of it is all there is: it may still be written.
const DAMAGED_WAIT: Duration = Duration::from_secs(60);

/// How a file is read.
pub enum Source {
    /// Nothing new is known of.
    Closed,
    /// As it is, whoever renames or removes it meanwhile.
    Plain(File),
    /// Compressed: complete, read once.
    Packed(Packed),
}

/// The content of a compressed file behind its place.
pub struct Packed {
    /// The file.
    pub file: File,
    /// Behind what was taken.
    pub reader: Box<dyn Read>,
    /// Damage met.
    pub fault: Fault,
    /// The content's first bytes.
    pub head: Vec<u8>,
    /// The last bytes taken.
    pub tail: Vec<u8>,
    /// Bytes read and not taken yet.
    pub carry: Vec<u8>,
}

/// What a step did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// There is nothing new.
    Idle,
    /// Lines were submitted; `true` where there are more at once.
    Took(bool),
    /// The content is another than was taken: the file was cut or written anew.
    Replaced,
    /// A compressed file is damaged, or still being written.
    Damaged,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] io::Error),
    /// The journal is full: try again later.
    #[error("the journal is full")]
    Full,
    /// The journal has stopped.
    #[error(transparent)]
    Intake(IntakeError),
}

impl From<IntakeError> for StepError {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Journal(error) if error.is_full() => Self::Full,
            other => Self::Intake(other),
        }
    }
}

/// A file with its place.
pub struct Follower {
    /// What the journal calls it.
    pub key: String,
    /// Where it stands.
    pub place: Place,
    /// How it is read.
    pub source: Source,
    /// Whether it still has a name.
    pub linked: bool,
    /// Its length on the disk when last seen.
    pub len: u64,
    /// Its time stamp when last seen.
    pub modified: SystemTime,
    /// When its length changed last.
    pub changed: Instant,
    /// The time stamp for which its content was compared last.
    checked: Option<SystemTime>,
    feed: Arc<FeedContext>,
    stream: u64,
}

impl Follower {
    /// Follows from `place` on, as `key`.
    pub fn new(key: String, place: Place, feed: FeedContext, now: Instant) -> Self {
        let parts = [feed.tenant.as_str().as_bytes(), feed.feed.as_bytes(), place.name.as_bytes()];
        let stream = stream_id(&parts);
        Self {
            key,
            place,
            source: Source::Closed,
            linked: true,
            len: 0,
            modified: SystemTime::UNIX_EPOCH,
            changed: now,
            checked: None,
            feed: Arc::new(feed),
            stream,
        }
    }

    /// The feed with the context of the file's records.
    pub fn feed(&self) -> &Arc<FeedContext> {
        &self.feed
    }

    /// Begins again with new content, under a new key; returns where the old content stood.
    pub fn restart(&mut self, key: String) -> (String, Place) {
        let fresh = Place {
            name: self.place.name.clone(),
            path: self.place.path.clone(),
            dev: self.place.dev,
            ino: self.place.ino,
            ..Place::default()
        };
        (std::mem::replace(&mut self.key, key), std::mem::replace(&mut self.place, fresh))
    }

    /// Takes at most [`READ_BYTES`] of what is new and submits its lines with the place.
    ///
    /// # Errors
    /// [`StepError`]; the place is then as before.
    pub fn step(
        &mut self,
        intake: &Intake,
        buffer: &mut Vec<u8>,
        now: Instant,
        tickets: &mut Vec<Ticket>,
    ) -> Result<Step, StepError> {
        match std::mem::replace(&mut self.source, Source::Closed) {
            Source::Closed => Ok(Step::Idle),
            Source::Plain(file) => {
                let stepped = self.plain(&file, intake, buffer, now, tickets);
                self.source = Source::Plain(file);
                stepped
            }
            Source::Packed(mut packed) => {
                let stepped = self.packed(&mut packed, intake, tickets);
                let ended = self.place.done_bytes > 0 || matches!(stepped, Ok(Step::Damaged));
                if !ended {
                    self.source = Source::Packed(packed);
                }
                stepped
            }
        }
    }

    fn plain(
        &mut self,
        file: &File,
        intake: &Intake,
        buffer: &mut Vec<u8>,
        now: Instant,
        tickets: &mut Vec<Ticket>,
    ) -> Result<Step, StepError> {
        let meta = file.metadata()?;
        let (len, offset) = (meta.len(), self.place.offset);
        if len != self.len {
            (self.len, self.changed) = (len, now);
        }
        let touched = meta.modified().ok();
        if len == offset && touched == self.checked {
            return Ok(Step::Idle);
        }
        if len < offset || !self.place.is_in(file)? {
            return Ok(Step::Replaced);
        }
        self.checked = touched;
        if len == offset {
            return Ok(Step::Idle);
        }
        buffer.resize(READ_BYTES, 0);
        let read = read_full(file, buffer, offset)?;
        let at_end = offset + read as u64 >= len;
        let quiet = now.saturating_duration_since(self.changed) >= PARTIAL_IDLE;
        let bytes = buffer.get(..read).unwrap_or_default();
        let feed = Arc::clone(&self.feed);
        let (group, mut place) = self.cut(&feed, bytes, at_end && quiet)?;
        let used = place.offset - offset;
        if used == 0 {
            return Ok(Step::Idle);
        }
        let print = PRINT_BYTES as u64;
        if place.head.len < print {
            place.head = print_at(file, 0, place.offset.min(print))?;
        }
        let tail = place.offset.min(print);
        place.tail = print_at(file, place.offset - tail, tail)?;
        // Between two readings the file may have been cut and written anew.
        if place.head.len < place.offset.min(print) || place.tail.len < tail {
            return Ok(Step::Replaced);
        }
        self.submit(group, place, intake, tickets)?;
        Ok(Step::Took(!at_end))
    }

    fn packed(
        &mut self,
        packed: &mut Packed,
        intake: &Intake,
        tickets: &mut Vec<Ticket>,
    ) -> Result<Step, StepError> {
        let room = READ_BYTES.saturating_sub(packed.carry.len()) as u64;
        let read = packed.reader.by_ref().take(room).read_to_end(&mut packed.carry)?;
        let ended = (read as u64) < room;
        if ended && let Some(fault) = packed.fault.get() {
            let age = self.modified.elapsed().unwrap_or_default();
            if age < DAMAGED_WAIT {
                return Ok(Step::Damaged);
            }
            tracing::warn!(path = %self.place.path.display(), fault, "a watched file is damaged");
        }
        let feed = Arc::clone(&self.feed);
        let (group, mut place) = self.cut(&feed, &packed.carry, ended)?;
        let used = usize::try_from(place.offset - self.place.offset).unwrap_or(usize::MAX);
        let taken = packed.carry.get(..used).unwrap_or_default();
        let missing = PRINT_BYTES.saturating_sub(packed.head.len()).min(taken.len());
        let (mut head, mut tail) = (packed.head.clone(), packed.tail.clone());
        head.extend_from_slice(&taken[..missing]);
        keep_tail(&mut tail, taken);
        (place.head, place.tail) = (Print::of(&head), Print::of(&tail));
        if ended {
            place.done_bytes = self.len.max(1);
            place.packed = print_at(&packed.file, 0, PRINT_BYTES as u64)?;
        }
        self.submit(group, place, intake, tickets)?;
        (packed.head, packed.tail) = (head, tail);
        packed.carry.drain(..used);
        Ok(Step::Took(!ended))
    }

    /// The lines of `bytes`, which begin at the place, as a group, and the place behind them,
    /// still without its prints.
    fn cut<'f>(
        &self,
        feed: &'f FeedContext,
        bytes: &[u8],
        ended: bool,
    ) -> Result<(Group<'f>, Place), StepError> {
        let mut group = Group::new(feed, "");
        let mut place = self.place.clone();
        let mut failed = None;
        let cut = cut_lines(bytes, ended, place.skipping, |at, line| {
            let pushed = group.push(self.stream, self.place.offset + at as u64, line);
            if let Err(error) = pushed {
                failed.get_or_insert(error);
            }
        });
        if let Some(error) = failed {
            return Err(error.into());
        }
        place.offset += cut.used as u64;
        place.records += group.len();
        place.skipping = cut.skipping;
        if cut.left_out > 0 {
            let path = place.path.display();
            tracing::warn!(%path, left_out = cut.left_out, "a line is longer than {LINE_BYTES_MAX} bytes; it is cut");
        }
        Ok((group, place))
    }

    /// Submits what was cut together with the place behind it. Blank lines alone move the
    /// place in memory only.
    fn submit(
        &mut self,
        mut group: Group<'_>,
        mut place: Place,
        intake: &Intake,
        tickets: &mut Vec<Ticket>,
    ) -> Result<(), StepError> {
        if !group.is_empty() || place.done_bytes > 0 {
            place.time = intake.clock().now().div_euclid(SECOND);
            group.control(mark(&self.feed, &self.key, Some(&place)));
            tickets.push(intake.begin(group)?);
        }
        self.place = place;
        Ok(())
    }
}

/// The journal's entry for a place; without one the key is forgotten.
pub fn mark(feed: &FeedContext, key: &str, place: Option<&Place>) -> Entry {
    let value = place.and_then(|place| serde_json::to_string(place).ok()).unwrap_or_default();
    let (tenant, feed) = (feed.tenant.clone(), feed.feed.clone());
    Entry::Mark(Mark { tenant, feed, key: key.to_owned(), value })
}

struct Cut {
    /// Bytes that need not be looked at again.
    used: usize,
    /// Whether the next bytes belong to a line that was cut.
    skipping: bool,
    /// Bytes left out of lines that were cut.
    left_out: usize,
}

/// Calls `line` with the place and bytes of each whole line of `bytes`, without its end; with
/// `ended` the last one needs none. Blank lines are left out.
fn cut_lines(bytes: &[u8], ended: bool, skipping: bool, mut line: impl FnMut(usize, &[u8])) -> Cut {
    let mut cut = Cut { used: 0, skipping, left_out: 0 };
    while let Some(rest) = bytes.get(cut.used..).filter(|rest| !rest.is_empty()) {
        let end = rest.iter().position(|b| *b == b'\n');
        if cut.skipping {
            cut.left_out += end.unwrap_or(rest.len());
            cut.used += end.map_or(rest.len(), |end| end + 1);
            cut.skipping = end.is_none();
            continue;
        }
        let whole = end.unwrap_or(rest.len());
        if whole >= LINE_BYTES_MAX {
            line(cut.used, &rest[..LINE_BYTES_MAX]);
            cut.used += LINE_BYTES_MAX;
            cut.skipping = true;
            continue;
        }
        if end.is_none() && !ended {
            break;
        }
        let text = &rest[..whole];
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if !text.trim_ascii().is_empty() {
            line(cut.used, text);
        }
        cut.used += whole + usize::from(end.is_some());
    }
    cut
}

/// Reads until `buffer` is full or the file ends.
fn read_full(file: &File, buffer: &mut [u8], from: u64) -> io::Result<usize> {
    let mut have = 0;
    while have < buffer.len() {
        match file.read_at(&mut buffer[have..], from + have as u64) {
            Ok(0) => break,
            Ok(read) => have += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(have)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8], ended: bool) -> (Vec<(usize, usize)>, Cut) {
        let mut found = Vec::new();
        let cut = cut_lines(bytes, ended, false, |at, line| found.push((at, line.len())));
        (found, cut)
    }

    #[test]
    fn whole_lines_are_taken_and_a_partial_one_waits() {
        let text = b"one\r\n\n \ntwo\nthr";
        let (found, cut) = lines(text, false);
        assert_eq!((found, cut.used), (vec![(0, 3), (8, 3)], 12));
        let (found, cut) = lines(text, true);
        assert_eq!((found.last(), cut.used), (Some(&(12, 3)), text.len()));
        assert_eq!(lines(b"", true).1.used, 0);
    }

    #[test]
    fn a_line_at_the_limit_is_cut_and_the_rest_is_left_out() {
        for (len, left_out) in
            [(LINE_BYTES_MAX - 1, 0), (LINE_BYTES_MAX, 0), (LINE_BYTES_MAX + 9, 9)]
        {
            let mut text = vec![b'x'; len];
            text.extend(b"\nnext\n");
            let (found, cut) = lines(&text, false);
            assert_eq!(found, [(0, len.min(LINE_BYTES_MAX)), (len + 1, 4)]);
            assert_eq!((cut.used, cut.left_out, cut.skipping), (text.len(), left_out, false));
        }
        let (found, cut) = lines(&vec![b'x'; LINE_BYTES_MAX + 5], false);
        assert_eq!((found.len(), cut.used, cut.skipping), (1, LINE_BYTES_MAX + 5, true));
    }
}
