//! The writing side: append to a buffer, commit it with one write and one fsync.

use crate::entry::Entry;
use crate::error::JournalError;
use crate::frame::{EntryBuffer, FRAME_HEADER_BYTES, end_group, push_frame, stamp};
use crate::handle::{JournalHandle, Segment, Shared};
use crate::recover::{Opened, Recovery, keep_going, recover};
use crate::segment::{Header, SEGMENT_HEADER_BYTES, file_name};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yagura_disk::{File, Fs};
use yagura_event::{ContextId, Lsn, Micros};

/// How a journal is kept.
#[derive(Clone, Debug)]
pub struct Options {
    /// A segment that has reached this many bytes is closed at the next commit. It may exceed
    /// it by one commit.
    pub segment_bytes_max: u64,
    /// The node's number, a part of event ids.
    pub node: u16,
    /// The journal's own number, a part of event ids: another one for a journal that begins
    /// anew in the same installation, so that ids are never given twice.
    pub epoch: u16,
    /// Move cut segments to `kept/` instead of removing them. A journal that has this folder
    /// goes on keeping, whoever opens it: an archive with holes proves nothing.
    pub keep: bool,
    /// Live segments and queue may take this many bytes; then submissions are refused.
    pub quota_bytes: u64,
    /// How often the writer's thread tries again, twice a second, where the disk has no room
    /// for what was submitted already; then the journal stops.
    pub full_tries: u32,
    /// Submissions are also refused while the disk has less than this free.
    pub free_bytes_min: u64,
    /// Go on without damaged entries (they are set aside and reported) instead of refusing.
    pub skip_damage: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes_max: 64 * 1024 * 1024,
            node: 1,
            epoch: 1,
            keep: false,
            quota_bytes: 16 * 1024 * 1024 * 1024,
            full_tries: 120,
            free_bytes_min: 256 * 1024 * 1024,
            skip_damage: false,
        }
    }
}

/// A journal with its one writer. See [`crate::JournalWriter`] for many producers.
pub struct Journal {
    shared: Arc<Shared>,
    dir: PathBuf,
    file: Option<Box<dyn File>>,
    file_bytes: u64,
    /// The newest segment's name is not durable yet.
    unnamed: bool,
    /// Frames that are not committed yet.
    pending: Vec<u8>,
    /// Offset of the last frame in `pending`.
    pending_last: usize,
    /// Whether the last frame in `pending` ends its group.
    pending_ended: bool,
    pending_first: Lsn,
    next: Lsn,
    received: Micros,
}

impl Journal {
    /// Opens or creates the journal in `dir`. A torn tail is cut; what is found is in
    /// [`Recovery`]. Everything that can be read afterwards is durable.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] for damage other than a torn tail, unless
    /// [`Options::skip_damage`]; [`JournalError::Io`].
    pub fn open(
        fs: Arc<dyn Fs>,
        dir: &Path,
        mut options: Options,
    ) -> Result<(Self, Recovery), JournalError> {
        keep_going(&*fs, dir, &mut options)?;
        let Opened { segments, contexts, file, file_bytes, recovery } =
            recover(&fs, dir, &options)?;
        let next = Lsn(recovery.last.0 + 1);
        let shared = Arc::new(Shared::new(fs, dir, options, segments, contexts, recovery.last));
        let journal = Self {
            shared,
            dir: dir.to_owned(),
            file,
            file_bytes,
            unnamed: false,
            pending: Vec::new(),
            pending_last: 0,
            pending_ended: true,
            pending_first: next,
            next,
            received: recovery.received.unwrap_or(Micros::MIN),
        };
        Ok((journal, recovery))
    }

    /// The side that reads, waits and cuts; cheap to clone and free of the writer.
    pub fn handle(&self) -> JournalHandle {
        JournalHandle(Arc::clone(&self.shared))
    }

    /// The received time of the last entry, below which none is given again.
    pub fn received(&self) -> Micros {
        self.received
    }

    /// Buffers one entry and returns its number. A `received` before the last entry's is
    /// raised to it; the caller may append a [`Entry::Note`] saying so.
    ///
    /// # Errors
    /// [`JournalError::TooLarge`], [`JournalError::ContextUnknown`]; nothing is buffered then.
    pub fn append(&mut self, received: Micros, entry: &Entry) -> Result<Lsn, JournalError> {
        if let Entry::Record(record) = entry {
            self.check_contexts(&[record.context])?;
        }
        let start = self.pending.len();
        push_frame(&mut self.pending, entry.kind(), |out| crate::codec::encode(entry, out))?;
        Ok(self.stamp_from(start, received, 1, false))
    }

    /// Buffers a group, which recovery keeps whole or not at all, and returns the first number.
    ///
    /// # Errors
    /// [`JournalError::ContextUnknown`]; nothing is buffered then.
    pub fn append_group(
        &mut self,
        received: Micros,
        group: &EntryBuffer,
    ) -> Result<Lsn, JournalError> {
        self.check_contexts(&group.contexts)?;
        let start = self.pending.len();
        self.pending.extend_from_slice(&group.bytes);
        Ok(self.stamp_from(start, received, group.entries, true))
    }

    /// Writes and syncs what is buffered and returns the last durable number.
    ///
    /// # Errors
    /// [`JournalError::DiskFull`] where the disk has no room: a part that was written is taken
    /// back and a further call tries again. [`JournalError::Stopped`] after any other failed
    /// write or sync, then and for good.
    pub fn commit(&mut self) -> Result<Lsn, JournalError> {
        self.shared.check()?;
        if self.pending.is_empty() {
            return Ok(self.shared.durable());
        }
        if !self.pending_ended {
            end_group(&mut self.pending[self.pending_last..]);
            self.pending_ended = true;
        }
        if let Err(error) = self.write_pending() {
            if is_full(&error) && self.take_back().is_ok() {
                return Err(self.shared.disk_full(self.shared.look_at_disk()));
            }
            return Err(self.shared.stop(&error.to_string()));
        }
        let committed = self.pending_first..self.next;
        let offset = self.file_bytes;
        self.file_bytes += self.pending.len() as u64;
        self.shared.publish(committed, offset, self.file_bytes);
        self.pending.clear();
        self.pending_first = self.next;
        Ok(Lsn(self.next.0 - 1))
    }

    fn check_contexts(&self, ids: &[ContextId]) -> Result<(), JournalError> {
        self.shared.check_contexts(ids)
    }

    fn stamp_from(&mut self, start: usize, received: Micros, entries: u64, ends: bool) -> Lsn {
        let first = self.next;
        if entries == 0 {
            return first;
        }
        self.received = self.received.max(received);
        self.pending_last =
            start + stamp(&mut self.pending[start..], first, self.received, start == 0, ends);
        self.pending_ended = ends;
        self.next = Lsn(first.0 + entries);
        first
    }

    /// Takes back what a write on a full disk left, durably, so that the next try begins where
    /// this one did.
    fn take_back(&mut self) -> io::Result<()> {
        if let Some(file) = self.file.as_mut() {
            file.truncate(self.file_bytes)?;
            file.sync()?;
        }
        Ok(())
    }

    fn write_pending(&mut self) -> Result<(), JournalError> {
        let asked = self.shared.take_rotation();
        let full = self.file_bytes >= self.shared.options.segment_bytes_max;
        // A segment without entries is never left behind: the next would have its name.
        let rotate = (asked || full) && self.file_bytes > SEGMENT_HEADER_BYTES as u64;
        if self.file.is_none() || rotate {
            self.create_segment()?;
        }
        let Some(file) = self.file.as_mut() else {
            return Err(JournalError::Stopped("no segment is open".into()));
        };
        debug_assert!(self.pending.len() >= FRAME_HEADER_BYTES);
        file.append(&self.pending).map_err(JournalError::io("write the journal in", &self.dir))?;
        file.sync().map_err(JournalError::io("sync the journal in", &self.dir))?;
        if self.unnamed {
            let fs = &self.shared.fs;
            fs.sync_dir(&self.dir).map_err(JournalError::io("sync", &self.dir))?;
            self.unnamed = false;
        }
        Ok(())
    }

    fn create_segment(&mut self) -> Result<(), JournalError> {
        let first = self.pending_first;
        let path = self.dir.join(file_name(first));
        let Options { node, epoch, .. } = self.shared.options;
        let header = Header { node, epoch, gap: false, first };
        let mut file =
            self.shared.fs.create_new(&path).map_err(JournalError::io("create", &path))?;
        if let Err(error) = file.append(&header.encode()) {
            // The next try makes it again; where it stays, that try fails and the journal stops.
            let _ = self.shared.fs.remove(&path);
            return Err(JournalError::io("write", &path)(error));
        }
        (self.file, self.unnamed) = (Some(file), true);
        self.file_bytes = SEGMENT_HEADER_BYTES as u64;
        self.shared.add_segment(Segment::new(header, path, self.file_bytes));
        Ok(())
    }
}

/// Whether the disk had no room for a write.
fn is_full(error: &JournalError) -> bool {
    matches!(error, JournalError::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull)
}
