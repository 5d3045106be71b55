//! The judge's store: opened by its one writer or by readers, and its commit.

use crate::apply;
use crate::batch::{Committed, JudgeBatch, SnapshotRef};
use crate::dirty::Dirty;
use crate::erase;
use crate::error::{During, MetaError};
use crate::ingest;
use crate::recompute;
use crate::schema::{JUDGE_SCHEMA, JUDGE_TABLES, meta, open_ro, open_rw, set_meta};
use crate::window::FindingCache;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;
use yagura_event::Lsn;
use yagura_event::time::civil;

/// `judge.sqlite`: findings, evidence, entities, relations, incidents, books, replies.
///
/// # What a replay reproduces
/// The same findings, relations and counts, however they are cut into batches, give the same
/// findings, books and replies, and incidents with the same content, as each commit judges
/// everything around what it changed anew. Incidents are numbered in the order in which the
/// findings that open them appear in the journal, and so alike; their *numbers* may differ
/// only where one cut showed the judge two incidents that a coarser cut only ever saw as one
/// (the finer one keeps the younger as merged), where late relations dissolved an incident that
/// had been shown (it stays), or where a limit ([`crate::window::REACH`], findings a window,
/// relations a tenant) was exceeded.
pub struct JudgeStore {
    pub(crate) conn: Connection,
    pub(crate) cache: FindingCache,
    pub(crate) writable: bool,
    /// What has not been judged yet.
    dirty: Dirty,
}

impl JudgeStore {
    /// Opens the store for its one writer, making it where it is missing.
    ///
    /// # Errors
    /// [`MetaError::Newer`] for a newer schema; [`MetaError::Sqlite`] if it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, MetaError> {
        let tables = format!("{JUDGE_TABLES}{}", ingest::INGEST_TABLES);
        let conn = open_rw(path, &tables, JUDGE_SCHEMA)?;
        for table in [ingest::MARKS_TABLE, erase::ERASURES_TABLE] {
            conn.execute_batch(table).during("make the store's tables")?;
        }
        let dirty = Dirty::load(&conn)?;
        Ok(Self { conn, cache: FindingCache::default(), writable: true, dirty })
    }

    /// Opens the store for reading, beside a running writer or without one.
    ///
    /// # Errors
    /// [`MetaError::Missing`] where there is none; else as [`Self::open`].
    pub fn open_read_only(path: &Path) -> Result<Self, MetaError> {
        let conn = open_ro(path, JUDGE_SCHEMA)?;
        let (cache, dirty) = (FindingCache::default(), Dirty::default());
        Ok(Self { conn, cache, writable: false, dirty })
    }

    /// Writes the store as it is at this moment to a new file, beside a running writer.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`], also where `to` exists.
    pub fn copy_to(&self, to: &Path) -> Result<(), MetaError> {
        let name = to.to_string_lossy();
        self.conn.execute("VACUUM INTO ?1", [name.as_ref()]).during("copy the store").map(drop)
    }

    /// The journal position up to which everything is committed; 0 for a new store.
    ///
    /// # Errors
    /// [`MetaError::Damaged`] if the stored position is not a number.
    pub fn lsn(&self) -> Result<Lsn, MetaError> {
        stored_lsn(&self.conn)
    }

    /// The correlator's current snapshot.
    ///
    /// # Errors
    /// [`MetaError::Damaged`] if the stored reference does not read back.
    pub fn snapshot(&self) -> Result<Option<SnapshotRef>, MetaError> {
        stored_snapshot(&self.conn)
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.conn
    }

    /// Whether incidents have been left to a later commit.
    pub fn has_deferred(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// Commits a batch in one transaction: its parts above the stored position, the incidents
    /// that they and those deferred before lead to, and the new position. A repeated batch
    /// changes nothing.
    ///
    /// # Errors
    /// [`MetaError::ReadOnly`] on a reader; [`MetaError::Sqlite`] if SQLite failed, in which
    /// case nothing of the batch is stored and the same batch may be tried again.
    pub fn commit(&mut self, batch: &JudgeBatch) -> Result<Committed, MetaError> {
        if !self.writable {
            return Err(MetaError::ReadOnly);
        }
        let mut cache = std::mem::take(&mut self.cache);
        let tx = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .during("begin a transaction")?;
        let stored = stored_lsn(&tx)?;
        let mut done = Committed::default();
        let mut dirty = self.dirty.clone();
        if batch.lsn > stored {
            dirty.year = civil(batch.now).year;
            if !batch.erase.is_empty() {
                cache = FindingCache::default();
                erase::erase(&tx, &batch.erase, stored, &mut dirty)?;
            }
            done.findings = apply::findings(&tx, batch, stored, &mut dirty)?;
            apply::relations(&tx, batch, stored, &mut dirty)?;
            apply::counts(&tx, batch, stored)?;
            apply::replies(&tx, batch, stored)?;
            ingest::store(&tx, batch)?;
            set_meta(&tx, "lsn", &batch.lsn.to_string())?;
            done.advanced = true;
        }
        if !dirty.is_empty() {
            if batch.defer && !dirty.is_large() {
                dirty.save(&tx)?;
            } else {
                done.incidents = recompute::incidents(&tx, &mut cache, &dirty)?;
                Dirty::forget(&tx)?;
                dirty = Dirty::default();
            }
        }
        if let Some(snapshot) = &batch.snapshot {
            let newest = stored_snapshot(&tx)?.map_or(0, |s| s.lsn);
            if snapshot.lsn > newest && snapshot.lsn <= stored.max(batch.lsn).0 {
                let json = serde_json::to_string(snapshot)
                    .map_err(|source| MetaError::Json { what: "snapshot", source })?;
                set_meta(&tx, "snapshot", &json)?;
            }
        }
        tx.commit().during("commit to the judge's store")?;
        self.cache = cache;
        self.dirty = dirty;
        Ok(done)
    }
}

fn stored_lsn(conn: &Connection) -> Result<Lsn, MetaError> {
    let Some(text) = meta(conn, "lsn")? else { return Ok(Lsn(0)) };
    let damaged = || MetaError::Damaged { table: "meta", row: "lsn".into() };
    text.parse().map(Lsn).map_err(|_| damaged())
}

fn stored_snapshot(conn: &Connection) -> Result<Option<SnapshotRef>, MetaError> {
    let Some(text) = meta(conn, "snapshot")? else { return Ok(None) };
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|_| MetaError::Damaged { table: "meta", row: "snapshot".into() })
}
