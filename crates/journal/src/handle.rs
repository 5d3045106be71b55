//! The shared side of a journal: what is durable, where it is, waiting for more, cutting.

use crate::context::ContextStore;
use crate::error::JournalError;
use crate::log::Options;
use crate::reader::Reader;
use crate::segment::{Header, Index, file_name};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use yagura_disk::{Fs, create_dirs};
use yagura_event::{Context, ContextId, Lsn};

/// Submissions without a record (counts, ticks, notes) may exceed the quota by this many
/// bytes, so that refusals can be counted while the journal is full.
const QUOTA_RESERVE_BYTES: u64 = 16 * 1024 * 1024;

/// The free space of the disk is looked at again after this many bytes were written.
const FREE_CHECK_BYTES: u64 = 8 * 1024 * 1024;

/// One segment as far as it is durable.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub header: Header,
    pub path: PathBuf,
    /// Durable length in bytes.
    pub len: u64,
    /// Last durable entry; before `header.first` where there is none.
    pub last: Lsn,
    pub index: Index,
    /// Cut already, in `kept/`.
    pub kept: bool,
}

impl Segment {
    pub fn new(header: Header, path: PathBuf, len: u64) -> Self {
        let last = Lsn(header.first.0.saturating_sub(1));
        Self { header, path, len, last, index: Index::default(), kept: false }
    }
}

/// A place in a segment from which to read.
pub(crate) struct Place {
    pub header: Header,
    pub path: PathBuf,
    /// Durable length of the segment.
    pub len: u64,
    /// The entry that begins at `offset`, at or before the one wanted.
    pub lsn: Lsn,
    pub offset: u64,
}

struct State {
    segments: Vec<Segment>,
    durable: Lsn,
    stopped: Option<Arc<str>>,
}

pub(crate) struct Shared {
    pub fs: Arc<dyn Fs>,
    pub options: Options,
    dir: PathBuf,
    contexts: ContextStore,
    state: Mutex<State>,
    changed: Condvar,
    cutting: Mutex<()>,
    rotation: AtomicBool,
    live_bytes: AtomicU64,
    queued_bytes: AtomicU64,
    free_bytes: AtomicU64,
    unchecked_bytes: AtomicU64,
}

/// Figures of a journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JournalStats {
    /// The first entry that can be read (kept segments included).
    pub first: Lsn,
    /// The first entry of the newest segment.
    pub newest: Lsn,
    /// The last durable entry.
    pub durable: Lsn,
    /// Number of live segments.
    pub segments: usize,
    /// Their bytes.
    pub live_bytes: u64,
    /// Bytes submitted and not durable yet.
    pub queued_bytes: u64,
    /// [`Options::quota_bytes`].
    pub quota_bytes: u64,
}

/// Reads, waits, stores contexts and cuts, beside the writer. Cheap to clone.
#[derive(Clone)]
pub struct JournalHandle(pub(crate) Arc<Shared>);

impl JournalHandle {
    /// The last durable entry.
    pub fn durable(&self) -> Lsn {
        self.0.durable()
    }

    /// Waits until an entry after `lsn` is durable, the journal stops, or `timeout` is over.
    /// Returns the last durable entry.
    pub fn wait_durable_beyond(&self, lsn: Lsn, timeout: Duration) -> Lsn {
        let state = self.0.lock();
        let waiting = |s: &mut State| s.durable <= lsn && s.stopped.is_none();
        let result = self.0.changed.wait_timeout_while(state, timeout, waiting);
        result.unwrap_or_else(PoisonError::into_inner).0.durable
    }

    /// A reader whose first entry is `from` (0 and 1 both mean the journal's very first).
    pub fn reader(&self, from: Lsn) -> Reader {
        Reader::new(self.clone(), Lsn(from.0.max(1)))
    }

    /// A reader from the oldest entry there is.
    pub fn reader_from_start(&self) -> Reader {
        self.reader(self.stats().first)
    }

    /// Stores a context, durable on return; a known one costs a lookup.
    ///
    /// # Errors
    /// [`JournalError::Io`], [`JournalError::TooLarge`].
    pub fn put_context(&self, context: &Context) -> Result<ContextId, JournalError> {
        self.put_contexts(std::slice::from_ref(context)).map(|_| context.id())
    }

    /// Stores contexts with one sync of their directory.
    ///
    /// # Errors
    /// As [`Self::put_context`].
    pub fn put_contexts(&self, contexts: &[Context]) -> Result<Vec<ContextId>, JournalError> {
        self.0.contexts.put(contexts)
    }

    /// A stored context.
    pub fn context(&self, id: ContextId) -> Option<Arc<Context>> {
        self.0.contexts.get(id)
    }

    /// Why the journal accepts nothing any more, if it does not.
    pub fn stopped(&self) -> Option<Arc<str>> {
        self.0.lock().stopped.clone()
    }

    /// Looks at the free bytes of the disk, beyond what the writer does as the journal grows.
    pub fn look_at_disk(&self) -> u64 {
        self.0.look_at_disk()
    }

    /// Lets the next commit begin a new segment, so that the old one can be cut.
    pub fn request_rotation(&self) {
        self.0.rotation.store(true, Ordering::Relaxed);
    }

    /// Deletes the contexts of a tenant, of whose records none is left anywhere.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub fn erase_contexts(&self, tenant: &str) -> Result<(), JournalError> {
        self.0.contexts.erase(tenant)
    }

    /// Whether segments are kept after they are cut, or have been.
    pub fn has_archive(&self) -> bool {
        let state = self.0.lock();
        self.0.options.keep || state.segments.iter().any(|segment| segment.kept)
    }

    /// Current figures.
    pub fn stats(&self) -> JournalStats {
        let state = self.0.lock();
        JournalStats {
            first: state.segments.first().map_or(Lsn(1), |s| s.header.first),
            newest: state.segments.last().map_or(Lsn(1), |s| s.header.first),
            durable: state.durable,
            segments: state.segments.iter().filter(|s| !s.kept).count(),
            live_bytes: self.0.live_bytes.load(Ordering::Relaxed),
            queued_bytes: self.0.queued_bytes.load(Ordering::Relaxed),
            quota_bytes: self.0.options.quota_bytes,
        }
    }

    /// Removes (or moves to `kept/`) whole segments whose entries are all at or below `lsn`,
    /// oldest first, each durably before the next. The newest segment always stays. Returns
    /// how many went.
    ///
    /// # Errors
    /// [`JournalError::Io`]; what was cut so far stays cut.
    pub fn cut(&self, lsn: Lsn) -> Result<usize, JournalError> {
        let shared = &self.0;
        let _one: MutexGuard<'_, ()> =
            shared.cutting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut cut = 0;
        while let Some(segment) = shared.oldest_below(lsn) {
            if shared.options.keep {
                shared.keep_segment(&segment)?;
            } else {
                shared.forget(segment.header.first);
                let removed = shared.fs.remove(&segment.path);
                removed.map_err(JournalError::io("remove", &segment.path))?;
            }
            shared.fs.sync_dir(&shared.dir).map_err(JournalError::io("sync", &shared.dir))?;
            shared.live_bytes.fetch_sub(segment.len, Ordering::Relaxed);
            cut += 1;
        }
        Ok(cut)
    }

    /// Where a reader goes on; `None` when everything durable was read. `next` moves over gaps.
    pub(crate) fn locate(&self, next: &mut Lsn) -> Result<Option<Place>, JournalError> {
        let state = self.0.lock();
        if next.0 > state.durable.0 + 1 {
            return Err(JournalError::Beyond { wanted: *next, last: state.durable });
        }
        if *next > state.durable {
            return Ok(None);
        }
        let after = state.segments.partition_point(|s| s.last < *next);
        let Some(segment) = state.segments.get(after) else { return Ok(None) };
        let first = segment.header.first;
        if *next < first {
            if !segment.header.gap {
                return Err(JournalError::Trimmed { wanted: *next, first });
            }
            *next = first;
        }
        let start = (first, crate::segment::SEGMENT_HEADER_BYTES as u64);
        let (lsn, offset) = segment.index.before(*next).unwrap_or(start);
        let (header, path, len) = (segment.header, segment.path.clone(), segment.len);
        Ok(Some(Place { header, path, len, lsn, offset }))
    }
}

impl Shared {
    pub fn new(
        fs: Arc<dyn Fs>,
        dir: &Path,
        options: Options,
        segments: Vec<Segment>,
        contexts: ContextStore,
        durable: Lsn,
    ) -> Self {
        let live = segments.iter().filter(|s| !s.kept).map(|s| s.len).sum();
        let free = fs.free_bytes(dir).unwrap_or(u64::MAX);
        Self {
            fs,
            options,
            dir: dir.to_owned(),
            contexts,
            state: Mutex::new(State { segments, durable, stopped: None }),
            changed: Condvar::new(),
            cutting: Mutex::new(()),
            rotation: AtomicBool::new(false),
            live_bytes: AtomicU64::new(live),
            queued_bytes: AtomicU64::new(0),
            free_bytes: AtomicU64::new(free),
            unchecked_bytes: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn durable(&self) -> Lsn {
        self.lock().durable
    }

    /// Refuses when stopped.
    pub fn check(&self) -> Result<(), JournalError> {
        match &self.lock().stopped {
            Some(reason) => Err(JournalError::Stopped(Arc::clone(reason))),
            None => Ok(()),
        }
    }

    /// Stops the journal for good; the first reason stays.
    pub fn stop(&self, reason: &str) -> JournalError {
        let mut state = self.lock();
        let reason = Arc::clone(state.stopped.get_or_insert_with(|| reason.into()));
        self.changed.notify_all();
        JournalError::Stopped(reason)
    }

    pub fn check_contexts(&self, ids: &[ContextId]) -> Result<(), JournalError> {
        match ids.iter().find(|&&id| !self.contexts.contains(id)) {
            Some(&id) => Err(JournalError::ContextUnknown(id)),
            None => Ok(()),
        }
    }

    pub fn take_rotation(&self) -> bool {
        self.rotation.swap(false, Ordering::Relaxed)
    }

    /// Adds a segment in which nothing is durable yet.
    pub fn add_segment(&self, segment: Segment) {
        self.live_bytes.fetch_add(segment.len, Ordering::Relaxed);
        self.lock().segments.push(segment);
    }

    /// Announces that `lsns` are durable in the newest segment, from `offset` up to `len`.
    pub fn publish(&self, lsns: Range<Lsn>, offset: u64, len: u64) {
        let mut state = self.lock();
        let last = Lsn(lsns.end.0 - 1);
        if let Some(segment) = state.segments.last_mut() {
            segment.index.mark(lsns.start, offset);
            (segment.len, segment.last) = (len, last);
        }
        state.durable = last;
        self.changed.notify_all();
        drop(state);
        self.live_bytes.fetch_add(len - offset, Ordering::Relaxed);
        if self.unchecked_bytes.fetch_add(len - offset, Ordering::Relaxed) > FREE_CHECK_BYTES {
            self.look_at_disk();
        }
    }

    pub fn look_at_disk(&self) -> u64 {
        self.unchecked_bytes.store(0, Ordering::Relaxed);
        let free = self.fs.free_bytes(&self.dir).unwrap_or(u64::MAX);
        self.free_bytes.store(free, Ordering::Relaxed);
        free
    }

    /// Takes quota for a submission, or refuses. The writer gives it back.
    pub fn reserve(&self, bytes: u64, with_records: bool) -> Result<(), JournalError> {
        let quota_bytes = self.options.quota_bytes;
        let limit = if with_records {
            quota_bytes
        } else {
            quota_bytes.saturating_add(QUOTA_RESERVE_BYTES)
        };
        let queued = self.queued_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let total = self.live_bytes.load(Ordering::Relaxed) + queued;
        let mut free_bytes = self.free_bytes.load(Ordering::Relaxed);
        if free_bytes < self.options.free_bytes_min {
            free_bytes = self.look_at_disk();
        }
        if total > limit {
            self.release(bytes);
            return Err(JournalError::Full { bytes: total - bytes, quota_bytes, free_bytes });
        }
        if with_records && free_bytes < self.options.free_bytes_min {
            self.release(bytes);
            return Err(self.disk_full(free_bytes));
        }
        Ok(())
    }

    /// The refusal for want of room on the disk.
    pub fn disk_full(&self, free_bytes: u64) -> JournalError {
        JournalError::DiskFull { free_bytes, free_bytes_min: self.options.free_bytes_min }
    }

    pub fn release(&self, bytes: u64) {
        self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// The oldest live segment, if it is not the newest and has nothing above `lsn`.
    fn oldest_below(&self, lsn: Lsn) -> Option<Segment> {
        let state = self.lock();
        let mut live = state.segments.iter().filter(|s| !s.kept);
        let oldest = live.next()?;
        // The next one must hold a durable entry: it is what remembers where numbering stands.
        let next = live.next()?;
        (oldest.last <= lsn && next.last >= next.header.first).then(|| oldest.clone())
    }

    fn forget(&self, first: Lsn) {
        self.lock().segments.retain(|s| s.header.first != first);
    }

    fn keep_segment(&self, segment: &Segment) -> Result<(), JournalError> {
        let kept = self.dir.join(crate::recover::KEPT_DIR);
        create_dirs(&*self.fs, &kept).map_err(JournalError::io("create", &kept))?;
        let path = kept.join(file_name(segment.header.first));
        self.fs.rename(&segment.path, &path).map_err(JournalError::io("move", &segment.path))?;
        self.fs.sync_dir(&kept).map_err(JournalError::io("sync", &kept))?;
        let mut state = self.lock();
        if let Some(s) = state.segments.iter_mut().find(|s| s.header.first == segment.header.first)
        {
            (s.path, s.kept) = (path, true);
        }
        Ok(())
    }
}
