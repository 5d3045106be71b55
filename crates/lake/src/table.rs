//! One Delta table: open, create, append with `txn`, checkpoints, checksums.
//!
//! Appends are one commit each, which carries the LSN its rows reach (application `journal`).
//! Rewrites carry a guard of their partition. The crate's own rewriting operations are never
//! called: they drop the `txn` that guards them.

use crate::clean::clean_log;
use crate::error::LakeError;
use crate::file::{FileEntry, StoredCount, summed};
use crate::schema::{BUCKET, RECEIVED_DAY, TableKind};
use crate::store::{FsStore, Written};
use crate::sums::{self, Sums};
use crate::table_log::{add_missing_columns, create, log_store, refuse_empty_entries};
use deltalake_core::checkpoints::create_checkpoint;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake_core::kernel::{Action, Add, Transaction};
use deltalake_core::logstore::LogStoreRef;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::table::state::DeltaTableState;
use deltalake_core::{DeltaTable, DeltaTableError};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use yagura_event::Lsn;

/// Application id of the `txn` that holds the LSN.
pub const APP_ID: &str = "journal";

/// Application id of the `txn` that counts what has expired of `events`.
pub const EXPIRED_APP_ID: &str = "expired";

/// Application id of the `txn` that guards rewrites: two of the same files would both be taken by
/// the log, and double the rows.
const REWRITE_APP_ID: &str = "rewrite";

/// Commits between two checkpoints. After each the snapshot is loaded anew, since every
/// commit to a snapshot makes it slower.
pub const CHECKPOINT_COMMITS: u64 = 100;

/// How often a commit that lost a race is tried again; each loss is another writer's success.
const COMMIT_TRIES: usize = 10;

/// Directory of Delta's log in a table's directory.
pub const LOG_DIR: &str = "_delta_log";

/// What [`Table::replace`] does to the rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// They stay what they are.
    Packed,
    /// Some are deleted; those of events are counted under this number.
    Expired(Option<u64>),
    /// They are made anew of the same records.
    Reparsed,
}

/// An open table.
pub struct Table {
    kind: TableKind,
    store: FsStore,
    log: LogStoreRef,
    state: DeltaTableState,
    files: Arc<Vec<Arc<FileEntry>>>,
    txn: Lsn,
    expired: u64,
    summed: Option<u64>,
    /// Newest version whose log entry is known to be durable.
    settled: Option<u64>,
}

impl Table {
    /// Opens a table for writing, creating it where there is none and adding columns that
    /// this release has more.
    ///
    /// # Errors
    /// [`LakeError::Damaged`] for an empty log entry; [`LakeError::Delta`] for a log that
    /// cannot be read.
    pub async fn open(store: &FsStore, kind: TableKind) -> Result<Self, LakeError> {
        refuse_empty_entries(store, kind)?;
        let log = log_store(store, kind)?;
        if !log.is_delta_table_location().await? {
            create(&log, kind).await?;
        }
        add_missing_columns(&log, kind).await?;
        let mut table = Self::load(store, kind, log).await?;
        // A process that died after linking its last entry may have left it seen but not yet
        // durable.
        table.settled = table.version().checked_sub(1);
        table.settle()?;
        table.summed = sums::versions(store, kind.name())?.last().copied();
        table.write_sums()?;
        Ok(table)
    }

    /// Opens a table that is only read; `None` where there is none.
    ///
    /// # Errors
    /// As for [`Table::open`].
    pub async fn open_readonly(
        store: &FsStore,
        kind: TableKind,
    ) -> Result<Option<Self>, LakeError> {
        refuse_empty_entries(store, kind)?;
        let log = log_store(store, kind)?;
        if !log.is_delta_table_location().await? {
            return Ok(None);
        }
        Self::load(store, kind, log).await.map(Some)
    }

    async fn load(store: &FsStore, kind: TableKind, log: LogStoreRef) -> Result<Self, LakeError> {
        let state = DeltaTableState::try_new(log.as_ref(), None).await?;
        let mut table = Self {
            kind,
            store: store.clone(),
            log,
            state,
            files: Arc::default(),
            txn: Lsn::default(),
            expired: 0,
            summed: None,
            settled: None,
        };
        table.take_expired().await?;
        table.take_state().await?;
        Ok(table)
    }

    /// Which table it is.
    pub fn kind(&self) -> TableKind {
        self.kind
    }

    /// The live data files.
    pub fn files(&self) -> &Arc<Vec<Arc<FileEntry>>> {
        &self.files
    }

    /// LSN up to which rows are in.
    pub fn txn(&self) -> Lsn {
        self.txn
    }

    /// Number of the last commit that deleted what had expired.
    pub fn expired(&self) -> u64 {
        self.expired
    }

    /// Version of the table.
    pub fn version(&self) -> u64 {
        self.state.version()
    }

    /// Reads the log again.
    ///
    /// # Errors
    /// [`LakeError::Delta`].
    pub async fn refresh(&mut self) -> Result<(), LakeError> {
        self.state = DeltaTableState::try_new(self.log.as_ref(), None).await?;
        self.take_expired().await?;
        self.take_state().await
    }

    /// Commits `files`, whose rows reach up to `upto`. A table that is already there stays
    /// as it is.
    ///
    /// # Errors
    /// [`LakeError::Fenced`] if another writer commits under our name. After any error the
    /// commit may or may not be in the table: [`Table::recover`] and compare [`Table::txn`].
    pub async fn append(&mut self, files: &[FileEntry], upto: Lsn) -> Result<(), LakeError> {
        if self.txn >= upto {
            return Ok(());
        }
        let before = self.txn;
        for attempt in 1..=COMMIT_TRIES {
            let error = match self.commit(files, upto).await {
                Ok(()) => {
                    self.settled = Some(self.version());
                    break;
                }
                Err(error) => error,
            };
            self.refresh().await?;
            if self.txn != before {
                if self.txn == upto && self.holds(files) {
                    self.settle()?;
                    break;
                }
                let (table, theirs) = (self.kind.name(), self.txn.0);
                return Err(LakeError::Fenced { table, theirs, ours: upto.0 });
            }
            let lost_race = matches!(error, DeltaTableError::Transaction { .. });
            if !lost_race || attempt == COMMIT_TRIES {
                return Err(error.into());
            }
        }
        self.finish_commit().await
    }

    async fn finish_commit(&mut self) -> Result<(), LakeError> {
        self.take_state().await?;
        let due = (self.version() + 1).is_multiple_of(CHECKPOINT_COMMITS);
        if due {
            self.checkpoint().await?;
        }
        self.write_sums()?;
        if due && let Err(error) = clean_log(&self.store, self.kind, &self.files, 2) {
            // The rows are in; the next clean-up deletes the rest.
            tracing::warn!(%error, table = self.kind.name(), "cleaning a table's log failed");
        }
        Ok(())
    }

    /// Leaves of the log what says which files are live, and nothing of those that were.
    ///
    /// # Errors
    /// Those of the log; the table's rows are the same.
    pub async fn forget_history(&mut self) -> Result<(), LakeError> {
        // The checkpoint's checksum is kept with those of a version that has none yet.
        self.commit(&[], self.txn).await?;
        self.settled = Some(self.version());
        self.take_state().await?;
        self.checkpoint().await?;
        self.write_sums()?;
        clean_log(&self.store, self.kind, &self.files, 1)?;
        Ok(())
    }

    async fn commit(&mut self, files: &[FileEntry], upto: Lsn) -> Result<(), DeltaTableError> {
        let actions = files.iter().map(|file| Action::Add(file.to_add())).collect();
        let txn = Transaction::new(APP_ID, upto.0.cast_signed());
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: Some(vec![RECEIVED_DAY.to_owned(), BUCKET.to_owned()]),
            predicate: None,
        };
        let done = CommitBuilder::from(properties(vec![txn]))
            .with_actions(actions)
            .with_max_retries(COMMIT_TRIES)
            .build(Some(&self.state), Arc::clone(&self.log), operation)
            .await?;
        self.state = done.snapshot();
        Ok(())
    }

    /// Puts `new` in the place of `old` in one commit. `false` if one of them is not live any
    /// more, and nothing is changed.
    ///
    /// # Errors
    /// Those of the log; [`LakeError::Delta`] also where another rewrite won. The commit may be
    /// there all the same: [`Table::recover`].
    pub async fn replace(
        &mut self,
        old: &[Arc<FileEntry>],
        new: &[FileEntry],
        change: Change,
    ) -> Result<bool, LakeError> {
        // Rows of sightings that add up become one.
        let changes = change != Change::Packed || self.kind == TableKind::Sightings;
        let replaced: HashSet<&str> = old.iter().map(|file| file.path.as_str()).collect();
        let mut actions: Vec<Action> = self
            .state
            .log_data()
            .iter()
            .filter(|view| replaced.contains(view.path().as_ref()))
            .map(|view| Action::Remove(view.remove_action(changes)))
            .collect();
        if actions.len() != replaced.len() {
            return Ok(false);
        }
        let add = |file: &FileEntry| Action::Add(Add { data_change: changes, ..file.to_add() });
        actions.extend(new.iter().map(add));
        let next = (self.version() + 1).cast_signed();
        let mut txns = vec![Transaction::new(REWRITE_APP_ID, next)];
        let operation = match change {
            Change::Packed => {
                let size = new.iter().map(|file| file.size).max().unwrap_or_default();
                let target_size = i64::try_from(size).unwrap_or(i64::MAX);
                DeltaOperation::Optimize { predicate: None, target_size }
            }
            Change::Expired(number) => {
                txns.extend(number.map(|n| Transaction::new(EXPIRED_APP_ID, n.cast_signed())));
                DeltaOperation::Delete { predicate: None }
            }
            Change::Reparsed => DeltaOperation::Update { predicate: None },
        };
        let done = CommitBuilder::from(properties(txns))
            .with_actions(actions)
            .build(Some(&self.state), Arc::clone(&self.log), operation)
            .await?;
        self.state = done.snapshot();
        self.settled = Some(self.version());
        if let Change::Expired(Some(number)) = change {
            self.expired = number;
        }
        self.finish_commit().await?;
        Ok(true)
    }

    /// Reads the log again after an error and makes durable what it has: a commit may be
    /// there although it reported an error.
    ///
    /// # Errors
    /// [`LakeError::Delta`], [`LakeError::Io`].
    pub async fn recover(&mut self) -> Result<(), LakeError> {
        self.refresh().await?;
        self.settle()
    }

    fn settle(&mut self) -> Result<(), LakeError> {
        for version in self.settled.map_or(0, |version| version + 1)..=self.version() {
            let path = format!("{}/{}", self.kind.name(), entry_path(version));
            match self.store.rewrite(&path) {
                Ok(()) => {}
                // Cleaned away behind a checkpoint.
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(LakeError::Io { action: "write", path, source }),
            }
            self.settled = Some(version);
        }
        Ok(())
    }

    fn holds(&self, files: &[FileEntry]) -> bool {
        files.iter().all(|new| self.files.iter().any(|old| old.path == new.path))
    }

    async fn checkpoint(&mut self) -> Result<(), LakeError> {
        let mut table = DeltaTable::new(Arc::clone(&self.log));
        table.load().await?;
        create_checkpoint(&table, None).await?;
        self.refresh().await
    }

    /// Finds the number of what expired last. Own commits are known without: each look goes through
    /// the log.
    async fn take_expired(&mut self) -> Result<(), LakeError> {
        if self.kind == TableKind::Events {
            let number = self.state.transaction_version(self.log.as_ref(), EXPIRED_APP_ID).await?;
            self.expired = number.unwrap_or_default().cast_unsigned();
        }
        Ok(())
    }

    /// Takes files and `txn` from the snapshot; entries that are known are not read again.
    async fn take_state(&mut self) -> Result<(), LakeError> {
        let known: HashMap<&str, &Arc<FileEntry>> =
            self.files.iter().map(|file| (file.path.as_str(), file)).collect();
        let mut files = Vec::new();
        for view in self.state.log_data().iter() {
            match known.get(view.path().as_ref()) {
                Some(file) => files.push(Arc::clone(file)),
                None => {
                    #[expect(deprecated, reason = "the only public access to a file's tags")]
                    let add = view.add_action();
                    files.push(Arc::new(FileEntry::from_add(&add)));
                }
            }
        }
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        self.files = Arc::new(files);
        let txn = self.state.transaction_version(self.log.as_ref(), APP_ID).await?;
        self.txn = Lsn(txn.unwrap_or_default().cast_unsigned());
        Ok(())
    }

    /// Writes the checksums of every version that has none yet.
    fn write_sums(&mut self) -> Result<(), LakeError> {
        let prefix = format!("{}/", self.kind.name());
        let written = self.store.take_written(&prefix);
        let first = self.summed.map_or(0, |version| version + 1);
        for version in first..=self.version() {
            let sums = self.sums_of(version, &prefix, &written)?;
            if !sums.is_empty() {
                sums::write(&self.store, self.kind.name(), version, &sums)?;
            }
            self.summed = Some(version);
        }
        Ok(())
    }

    /// The log entry and checkpoint of a version by the bytes that were put, or as they are
    /// on disk where this process did not put them; data files by the hash in their tag.
    fn sums_of(
        &self,
        version: u64,
        prefix: &str,
        written: &BTreeMap<String, Written>,
    ) -> Result<Sums, LakeError> {
        let mut sums = Sums::new();
        let entry = entry_path(version);
        let object = format!("{prefix}{entry}");
        let bytes = match self.store.fs().read(&self.store.file(&object)) {
            Ok(bytes) => bytes,
            // Cleaned away behind a checkpoint.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(sums),
            Err(source) => return Err(LakeError::Io { action: "read", path: object, source }),
        };
        let on_disk = Written { hash: blake3::hash(&bytes), size: bytes.len() as u64 };
        sums.insert(entry, written.get(&object).copied().unwrap_or(on_disk));
        for line in bytes.split(|byte| *byte == b'\n') {
            let Ok(Action::Add(add)) = serde_json::from_slice::<Action>(line) else { continue };
            let file = FileEntry::from_add(&add);
            if let Ok(hash) = blake3::Hash::from_hex(&file.hash) {
                sums.insert(file.path, Written { hash, size: file.size });
            }
        }
        let checkpoint = format!("{prefix}{LOG_DIR}/{version:020}.checkpoint");
        for (path, done) in written.range(checkpoint.clone()..) {
            let Some(path) = path.strip_prefix(prefix).filter(|_| path.starts_with(&checkpoint))
            else {
                break;
            };
            sums.insert(path.to_owned(), *done);
        }
        Ok(sums)
    }
}

/// Checkpoints and the log's clean-up are ours, at their own time.
fn properties(txns: Vec<Transaction>) -> CommitProperties {
    CommitProperties::default()
        .with_application_transactions(txns)
        .with_create_checkpoint(false)
        .with_cleanup_expired_logs(Some(false))
}

/// Records that the live files hold, by tenant, feed and hour of receipt, ascending.
pub fn stored_counts(files: &[Arc<FileEntry>]) -> Vec<StoredCount> {
    summed(files.iter().flat_map(|file| &file.counts))
}

/// Path of a version's log entry in the table's directory.
pub fn entry_path(version: u64) -> String {
    format!("{LOG_DIR}/{version:020}.json")
}
