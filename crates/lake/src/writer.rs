//! `LakeWriter`: rows into the memory tail, the tail into files, files into the tables.
//!
//! ```text
//!   txn            upto        upper
//!    │ in the table  │           │
//! ───┴───────────────┴───────────┴───────> LSN
//!     └─ next flush ─┘ └─ tail ──┘
//! ```
//! A flush commits `events`, `matches` and `sightings`, each with its own `txn`. After a crash
//! between two of them a replay from the smaller one adds to each table only what it lacks, since rows
//! at or below a table's `txn` are refused. Files are written aside ([`Flush`]), so that rows
//! that arrive meanwhile are seen at once.

use crate::compact::{Outcome, Rewrite, Rewritten, Work};
use crate::dead::DeadFiles;
use crate::error::LakeError;
use crate::expired::{EXPIRED_DIR, Expired};
use crate::file::{FileEntry, StoredCount};
use crate::flush::{Flush, Flushed, Part};
use crate::index::{INDEX_DIR, Reindex};
use crate::reparse::{self, Partition, REPARSE_DIR};
use crate::retention::{Expire, Gone, Looked, Retention};
use crate::rows::Names;
use crate::schema::TableKind;
use crate::store::FsStore;
use crate::table::{Change, Table, stored_counts};
use crate::tail::{BucketOf, TailBatch};
use crate::view::{LakeHandle, Live};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use yagura_disk::Fs;
use yagura_event::{EventBatch, Lsn, Match};

/// The one writer of a lake. Its methods block and belong on a plain thread.
pub struct LakeWriter {
    pub(crate) runtime: Runtime,
    pub(crate) store: FsStore,
    epoch: u16,
    pub(crate) bucket_of: BucketOf,
    pub(crate) events: Side,
    pub(crate) matches: Side,
    pub(crate) sightings: Side,
    handle: LakeHandle,
    pub(crate) dead: DeadFiles,
    pub(crate) expired: Expired,
    /// What has been looked at for rows that go, with the mark of its files.
    pub(crate) looked_at: HashMap<Looked, u64>,
    /// Tenants of whom a file could not be read.
    pub(crate) stuck: BTreeSet<String>,
    /// Data files that an earlier process left without an index.
    unindexed: Vec<Reindex>,
    /// Rewrites planned by this process.
    pub(crate) rewrites: u64,
    /// Partitions whose sightings may be behind their events.
    pub(crate) unsighted: BTreeSet<Partition>,
    /// Those that could not be counted anew: the next process tries it once more.
    pub(crate) uncounted: BTreeSet<Partition>,
}

/// A table.
pub(crate) struct Side {
    pub(crate) table: Table,
    /// A flush failed: whether its commit is in the table is not known.
    pub(crate) unsure: bool,
}

impl LakeWriter {
    /// Opens or creates the lake in `dir`. `epoch` is the journal's and part of file names.
    ///
    /// # Errors
    /// Those of [`Table::open`].
    pub fn open(
        fs: Arc<dyn Fs>,
        dir: &Path,
        epoch: u16,
        bucket_of: BucketOf,
    ) -> Result<Self, LakeError> {
        let store = FsStore::new(fs, dir);
        let kinds = TableKind::ALL.map(TableKind::name);
        for dir in kinds.into_iter().chain([INDEX_DIR, EXPIRED_DIR, REPARSE_DIR]) {
            store.drop_temporaries(dir).map_err(|source| LakeError::Io {
                action: "delete what was left in",
                path: dir.to_owned(),
                source,
            })?;
        }
        let runtime = runtime()?;
        let open = |kind| runtime.block_on(Table::open(&store, kind)).map(Side::new);
        let (events, matches) = (open(TableKind::Events)?, open(TableKind::Matches)?);
        let sightings = open(TableKind::Sightings)?;
        let handle = LakeHandle::new(store.clone());
        handle.live_mut().upper = events.table.txn().min(matches.table.txn());
        let (mut dead, mut unindexed) = (DeadFiles::default(), Vec::new());
        let expired = Expired::open(&store, events.table.expired())?;
        handle.live_mut().expired = expired.days();
        for side in [&events, &matches, &sightings] {
            side.show(&handle, |_| {});
            let (kind, files) = (side.table.kind(), side.table.files());
            let indexes = runtime.block_on(dead.find(&store, kind, files))?;
            unindexed.extend(Reindex::missing(&store, kind, files, &indexes));
        }
        let (rewrites, unsighted) = (0, reparse::marked(&store)?);
        handle.live_mut().unsighted = Arc::new(unsighted.clone());
        Ok(Self {
            runtime,
            store,
            epoch,
            bucket_of,
            events,
            matches,
            sightings,
            handle,
            dead,
            expired,
            looked_at: HashMap::new(),
            stuck: BTreeSet::new(),
            unindexed,
            rewrites,
            unsighted,
            uncounted: BTreeSet::new(),
        })
    }

    /// What queries read from.
    pub fn handle(&self) -> LakeHandle {
        self.handle.clone()
    }

    /// Takes the events of a batch into the tail; those the table has already are passed over.
    /// They are in LSN order.
    pub fn append_events(&mut self, batch: Arc<EventBatch>, names: Names) {
        let (stored, sighted) = (self.events.table.txn(), self.sightings.table.txn());
        let above = |after, batch, names| {
            TailBatch::of_events(batch, names, self.bucket_of.as_ref(), after).map(Arc::new)
        };
        // They differ only after a crash between two commits.
        let apart = sighted != stored;
        let uncounted = apart.then(|| above(sighted, Arc::clone(&batch), names.clone()));
        let events = above(stored, batch, names);
        let uncounted = uncounted.unwrap_or_else(|| events.clone());
        let mut live = self.handle.live_mut();
        events.into_iter().for_each(|events| live.events.tail.push(events));
        uncounted.into_iter().for_each(|events| live.sightings.tail.push(events));
    }

    /// Takes matches, with the LSN of the record that made them, into the tail; those the
    /// table has already are passed over.
    pub fn append_matches(&mut self, matches: Vec<(Lsn, Match)>) {
        let after = self.matches.table.txn();
        let matches = TailBatch::of_matches(matches, self.bucket_of.as_ref(), after);
        if let Some(matches) = matches {
            self.handle.live_mut().matches.tail.push(Arc::new(matches));
        }
    }

    /// States that every event and match at or below `lsn` has been appended, which makes
    /// them visible to queries and ready to flush.
    pub fn advance(&mut self, lsn: Lsn) {
        let mut live = self.handle.live_mut();
        live.upper = live.upper.max(lsn);
    }

    /// Writes what has been advanced over into files and commits both tables.
    ///
    /// # Errors
    /// Those of the file system and the log. The rows stay in the tail, and the next call
    /// finds out first what the tables have.
    pub fn flush(&mut self) -> Result<(), LakeError> {
        self.flush_tables(&TableKind::ALL)
    }

    /// The first or second half of [`LakeWriter::flush`].
    ///
    /// # Errors
    /// As for [`LakeWriter::flush`].
    pub fn flush_table(&mut self, kind: TableKind) -> Result<(), LakeError> {
        self.flush_tables(&[kind])
    }

    fn flush_tables(&mut self, kinds: &[TableKind]) -> Result<(), LakeError> {
        let flush = self.begin(kinds)?;
        self.end_flush(flush.write())
    }

    /// What a flush is to write. The rows stay in the tail, where queries see them, until
    /// [`LakeWriter::end_flush`]; there is one flush at a time.
    ///
    /// # Errors
    /// Those of the log, where an earlier flush failed and the tables have to be read again.
    pub fn begin_flush(&mut self) -> Result<Flush, LakeError> {
        self.begin(&TableKind::ALL)
    }

    fn begin(&mut self, kinds: &[TableKind]) -> Result<Flush, LakeError> {
        let (handle, epoch) = (self.handle.clone(), self.epoch);
        let mut parts = Vec::new();
        for kind in kinds.iter().copied() {
            let (side, runtime) = self.side(kind);
            if side.unsure {
                runtime.block_on(side.table.recover())?;
                // The commit of unknown outcome may be in the table after all.
                let stored = side.table.txn();
                side.show(&handle, |live| live.table(kind).tail.forget_stored(stored));
                side.unsure = false;
            }
            let (rows, upto) = {
                let mut live = handle.live_mut();
                let upper = live.upper;
                live.table(kind).tail.cut(upper)
            };
            if upto > side.table.txn() {
                let name = file_name(epoch, Lsn(side.table.txn().0 + 1), upto);
                parts.push(Part { kind, rows, name, upto });
            }
        }
        for part in &parts {
            self.dead.revive(part.kind, &part.name);
        }
        Ok(Flush { store: self.store.clone(), parts })
    }

    /// Commits what has been written, `events` first.
    ///
    /// # Errors
    /// Those of writing the files and of the log. The rows stay in the tail, and the next
    /// flush finds out first what the tables have.
    pub fn end_flush(&mut self, flushed: Flushed) -> Result<(), LakeError> {
        let handle = self.handle.clone();
        for (part, files) in flushed.parts {
            let files = files?;
            let (side, runtime) = self.side(part.kind);
            side.unsure = true;
            runtime.block_on(side.table.append(&files, part.upto))?;
            side.show(&handle, |live| live.table(part.kind).tail.forget(part.rows.len()));
            side.unsure = false;
        }
        Ok(())
    }

    /// A data file whose index is to be made, if there is one without.
    pub fn plan_index(&mut self) -> Option<Reindex> {
        self.unindexed.pop()
    }

    /// What data files to make one, if any are worth it; there is one rewrite at a time.
    pub fn plan_rewrite(&mut self) -> Option<Rewrite> {
        self.plan_rewrite_as(false)
    }

    /// The same as if nothing more were to come into any partition.
    pub fn plan_packing(&mut self) -> Option<Rewrite> {
        self.plan_rewrite_as(true)
    }

    fn plan_rewrite_as(&mut self, closed: bool) -> Option<Rewrite> {
        self.rewrites += 1;
        let choose = |side: &Side| {
            let (kind, files) = (side.table.kind(), side.table.files());
            Rewrite::choose(&self.store, kind, &self.rewrite_name(side), files, closed)
        };
        let rewrite = self.sides().into_iter().find_map(choose)?;
        let (kind, name) = rewrite.target();
        self.dead.revive(kind, name);
        Some(rewrite)
    }

    /// Never the name of a live file, also of one that this process has written before.
    pub(crate) fn rewrite_name(&self, side: &Side) -> String {
        let version = side.table.version();
        format!("c{:05}-{version:010}-{:06}", self.epoch, self.rewrites)
    }

    /// A day of which something may have to go, `today` being a day since 1970; there is one
    /// rewrite at a time, of whichever kind.
    ///
    /// # Errors
    /// [`LakeError::Io`], where what an earlier one left cannot be deleted.
    pub fn plan_expiry(
        &mut self,
        retention: &Arc<Retention>,
        today: i32,
    ) -> Result<Option<Rewrite>, LakeError> {
        if self.is_unsure() {
            return Ok(None);
        }
        self.settle_expired()?;
        let concerns = |file: &FileEntry| retention.concerns(file.day, today);
        Ok(self.plan_without(&concerns, || Gone::Kept(Arc::clone(retention), today)))
    }

    /// Whether a commit of a table may or may not be in its log.
    pub(crate) fn is_unsure(&self) -> bool {
        self.sides().into_iter().any(|side| side.unsure)
    }

    /// A day of a table whose files may hold rows that go, and have not been looked at.
    pub(crate) fn plan_without(
        &mut self,
        concerns: &dyn Fn(&FileEntry) -> bool,
        gone: impl Fn() -> Gone,
    ) -> Option<Rewrite> {
        self.rewrites += 1;
        let planned = self.sides().into_iter().find_map(|side| {
            let kind = side.table.kind();
            let mut days: BTreeMap<i32, Vec<_>> = BTreeMap::new();
            let files = side.table.files().iter();
            files
                .filter(|file| concerns(file))
                .for_each(|file| days.entry(file.day).or_default().push(Arc::clone(file)));
            days.into_iter().find_map(|(day, old)| {
                let gone = gone();
                let mark = gone.mark(day, old.iter().map(|file| file.path.as_str()));
                let looked_at = self.looked_at.get(&gone.looked(kind, day)) == Some(&mark);
                let (store, name) = (self.store.clone(), self.rewrite_name(side));
                let work = Work::Expire(Expire { day, gone, mark });
                (!looked_at).then_some(Rewrite { kind, store, name, old, work })
            })
        });
        if let Some(rewrite) = &planned {
            self.dead.revive(rewrite.kind, &rewrite.name);
        }
        planned
    }

    /// The newest day on which anything that is in a file was received, in days since 1970.
    pub fn newest_day(&self) -> Option<i32> {
        self.events.table.files().iter().map(|file| file.day).max()
    }

    /// Finds out whether what was counted last as expired is so.
    fn settle_expired(&mut self) -> Result<(), LakeError> {
        let settled = self.expired.settle(&self.store, self.events.table.expired());
        self.handle.live_mut().expired = self.expired.days();
        settled
    }

    /// Puts the new files in the place of the old ones, which are deleted later; returns how many
    /// records are gone.
    ///
    /// # Errors
    /// Those of reading and writing the files and of the log. The tables hold the same rows
    /// in any case, or lack those that were to go.
    pub fn end_rewrite(&mut self, done: Rewritten, now: Instant) -> Result<u64, LakeError> {
        if let Some(partition) = done.reparse {
            return self.end_reparse(partition, done, now).map(|()| 0);
        }
        let (kind, handle) = (done.kind, self.handle.clone());
        if let (Err(_), Some((looked, mark))) = (&done.outcome, &done.looked_at) {
            // A file that cannot be read would come first again and again: what else there is to
            // do goes on, and the next process tries it once more.
            self.stuck.extend(looked.2.clone());
            self.looked_at.insert(looked.clone(), *mark);
        }
        let Outcome { old, new, expiry, .. } = done.outcome?;
        let mut change = Change::Packed;
        if let Some(expiry) = &expiry {
            let number = match expiry.counted && !expiry.counts.is_empty() {
                false => None,
                true => {
                    let (store, committed) = (&self.store, self.events.table.expired());
                    Some(self.expired.add(store, expiry.day, &expiry.counts, committed)?)
                }
            };
            change = Change::Expired(number);
        }
        let (side, runtime) = self.side(kind);
        let replaced = match old.is_empty() {
            true => Ok(true),
            false => runtime.block_on(side.table.replace(&old, &new, change)),
        };
        if replaced.is_err() {
            // Whether it is in the log is not known; what it left is found by the next start.
            side.unsure |= runtime.block_on(side.table.recover()).is_err();
        }
        let unsure = side.unsure;
        if !unsure {
            // What is gone is shown together with the files that are left.
            let (store, committed) = (&self.store, self.events.table.expired());
            let settled = self.expired.settle(store, committed);
            let days = self.expired.days();
            self.side(kind).0.show(&handle, |live| live.expired = days);
            settled?;
        }
        if !replaced? {
            new.into_iter().for_each(|file| self.dead.add(kind, Arc::new(file), now));
            return Ok(0);
        }
        old.into_iter().for_each(|file| self.dead.add(kind, file, now));
        let Some(expiry) = expiry else { return Ok(0) };
        if let (Some(mark), Some((looked, _))) = (expiry.mark, done.looked_at) {
            self.looked_at.insert(looked, mark);
        }
        Ok(expiry.counts.iter().map(|count| count.records).sum())
    }

    /// Deletes files that have been replaced for `kept` and that no view holds; returns how
    /// many.
    ///
    /// # Errors
    /// [`LakeError::Io`]; the rest is tried again with the next call.
    pub fn sweep(&mut self, now: Instant, kept: Duration) -> Result<usize, LakeError> {
        self.dead.sweep(&self.store, now, kept)
    }

    /// Live data files of all tables.
    pub fn live_files(&self) -> usize {
        self.sides().map(|side| side.table.files().len()).into_iter().sum()
    }

    /// Shows events and sightings together, and which sightings are behind.
    pub(crate) fn show_both(&self) {
        let mut live = self.handle.live_mut();
        live.unsighted = Arc::new(self.unsighted.clone());
        live.events.files = Arc::clone(self.events.table.files());
        live.sightings.files = Arc::clone(self.sightings.table.files());
    }

    fn sides(&self) -> [&Side; 3] {
        [&self.events, &self.matches, &self.sightings]
    }

    pub(crate) fn side(&mut self, kind: TableKind) -> (&mut Side, &Runtime) {
        let side = match kind {
            TableKind::Events => &mut self.events,
            TableKind::Matches => &mut self.matches,
            TableKind::Sightings => &mut self.sightings,
        };
        (side, &self.runtime)
    }

    /// LSNs up to which `events` and `matches` are committed.
    pub fn checkpoint(&self) -> (Lsn, Lsn) {
        (self.events.table.txn(), self.matches.table.txn())
    }

    /// The LSN up to which all tables are committed: a replay begins behind it.
    pub fn complete(&self) -> Lsn {
        let (events, matches) = self.checkpoint();
        events.min(matches).min(self.sightings.table.txn())
    }

    /// Bytes of memory in the tails; that of `sightings` shares its events with `events`.
    pub fn tail_bytes(&self) -> usize {
        let live = self.handle.live();
        live.events.tail.bytes() + live.matches.tail.bytes()
    }

    /// Rows in the tails of `events` and `matches`.
    pub fn tail_rows(&self) -> usize {
        let live = self.handle.live();
        live.events.tail.rows() + live.matches.tail.rows()
    }

    /// Records that are stored in files, by tenant, feed and hour of receipt, ascending.
    pub fn stored_counts(&self) -> Vec<StoredCount> {
        stored_counts(self.events.table.files())
    }
}

impl Side {
    fn new(table: Table) -> Self {
        Self { table, unsure: false }
    }

    /// Shows the table's files to views, together with what `change` does.
    fn show(&self, handle: &LakeHandle, change: impl FnOnce(&mut Live)) {
        let mut live = handle.live_mut();
        if self.table.kind() == TableKind::Sightings {
            live.sighted = self.table.txn();
        }
        live.table(self.table.kind()).files = Arc::clone(self.table.files());
        change(&mut live);
    }
}

fn file_name(epoch: u16, first: Lsn, upto: Lsn) -> String {
    format!("e{epoch:05}-{:020}-{:020}", first.0, upto.0)
}

/// The runtime of the log's own tasks. One worker is enough: it mostly waits for the disk.
pub(crate) fn runtime() -> Result<Runtime, LakeError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("lake-log")
        .enable_all()
        .build()
        .map_err(|source| LakeError::Io { action: "start", path: "runtime".to_owned(), source })
}
