//! Batches, the positions of their streams, the files that are known again, and the marks of
//! inputs that go on where they stood.

use crate::batch::{BatchRow, FileRow, JudgeBatch, MarkRow, PositionRow};
use crate::error::{During, MetaError};
use crate::judge::JudgeStore;
use rusqlite::{Transaction, params};
use yagura_event::TenantScope;

/// The tables of this module.
pub(crate) const INGEST_TABLES: &str = "
CREATE TABLE batches (
    batch INTEGER NOT NULL PRIMARY KEY, tenant TEXT NOT NULL, settings TEXT NOT NULL,
    state TEXT NOT NULL
) STRICT;
CREATE TABLE positions (
    batch INTEGER NOT NULL, stream INTEGER NOT NULL, records INTEGER NOT NULL,
    PRIMARY KEY (batch, stream)
) STRICT, WITHOUT ROWID;
CREATE TABLE files (
    tenant TEXT NOT NULL, feed TEXT NOT NULL, path TEXT NOT NULL, hash TEXT NOT NULL,
    bytes INTEGER NOT NULL, records INTEGER NOT NULL,
    PRIMARY KEY (tenant, feed, path, hash)
) STRICT, WITHOUT ROWID;
";

/// The marks' table, also for stores made before there was one.
pub(crate) const MARKS_TABLE: &str = "
CREATE TABLE IF NOT EXISTS marks (
    tenant TEXT NOT NULL, feed TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (tenant, feed, key)
) STRICT, WITHOUT ROWID;
";

/// Writes what a commit says of batches and files; every value is absolute.
pub(crate) fn store(tx: &Transaction<'_>, batch: &JudgeBatch) -> Result<(), MetaError> {
    for row in &batch.batches {
        tx.prepare_cached(
            "INSERT INTO batches VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (batch) DO UPDATE SET state = ?4",
        )
        .and_then(|mut s| {
            s.execute(params![row.batch.cast_signed(), row.tenant, row.settings, row.state])
        })
        .during("store a batch")?;
        if row.state != "open" {
            tx.prepare_cached("DELETE FROM positions WHERE batch = ?1")
                .and_then(|mut s| s.execute(params![row.batch.cast_signed()]))
                .during("forget a batch's positions")?;
        }
    }
    for row in &batch.positions {
        tx.prepare_cached(
            "INSERT INTO positions SELECT ?1, ?2, ?3
             WHERE EXISTS (SELECT 1 FROM batches WHERE batch = ?1 AND state = 'open')
             ON CONFLICT (batch, stream) DO UPDATE SET records = max(records, ?3)",
        )
        .and_then(|mut s| {
            let stream = row.stream.cast_signed();
            s.execute(params![row.batch.cast_signed(), stream, row.records.cast_signed()])
        })
        .during("store a batch's position")?;
    }
    for row in &batch.files {
        tx.prepare_cached(
            "INSERT INTO files VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (tenant, feed, path, hash) DO UPDATE SET bytes = ?5, records = ?6",
        )
        .and_then(|mut s| {
            let (bytes, records) = (row.bytes.cast_signed(), row.records.cast_signed());
            s.execute(params![row.tenant, row.feed, row.path, row.hash, bytes, records])
        })
        .during("store a file's mark")?;
    }
    for row in &batch.marks {
        let sql = match row.value.is_empty() {
            true => "DELETE FROM marks WHERE tenant = ?1 AND feed = ?2 AND key = ?3 AND ?4 = ''",
            false => "INSERT OR REPLACE INTO marks VALUES (?1, ?2, ?3, ?4)",
        };
        tx.prepare_cached(sql)
            .and_then(|mut s| s.execute(params![row.tenant, row.feed, row.key, row.value]))
            .during("store a mark")?;
    }
    Ok(())
}

impl JudgeStore {
    /// The batches of the scope, oldest first.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`] if the store cannot be read.
    pub fn batches(&self, scope: &TenantScope) -> Result<Vec<BatchRow>, MetaError> {
        let sql = "SELECT batch, tenant, settings, state FROM batches
                   WHERE (?1 IS NULL OR tenant = ?1) ORDER BY batch";
        let mut statement = self.connection().prepare_cached(sql).during("read the batches")?;
        statement
            .query_map(params![scope.tenant().map(|t| t.as_str())], |r| {
                Ok(BatchRow {
                    batch: r.get::<_, i64>(0)?.cast_unsigned(),
                    tenant: r.get(1)?,
                    settings: r.get(2)?,
                    state: r.get(3)?,
                })
            })
            .and_then(Iterator::collect)
            .during("read the batches")
    }

    /// Positions of an open batch's streams.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`] if the store cannot be read.
    pub fn positions(&self, batch: u64) -> Result<Vec<PositionRow>, MetaError> {
        let sql = "SELECT stream, records FROM positions WHERE batch = ?1 ORDER BY stream";
        let mut statement = self.connection().prepare_cached(sql).during("read positions")?;
        statement
            .query_map(params![batch.cast_signed()], |r| {
                let (stream, records): (i64, i64) = (r.get(0)?, r.get(1)?);
                let (stream, records) = (stream.cast_unsigned(), records.cast_unsigned());
                Ok(PositionRow { batch, stream, records })
            })
            .and_then(Iterator::collect)
            .during("read positions")
    }

    /// Where the inputs of a tenant's feed stand, by key. A scope of all tenants gets none.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`] if the store cannot be read.
    pub fn marks(&self, scope: &TenantScope, feed: &str) -> Result<Vec<MarkRow>, MetaError> {
        let Some(tenant) = scope.tenant() else { return Ok(Vec::new()) };
        let sql = "SELECT key, value FROM marks WHERE tenant = ?1 AND feed = ?2 ORDER BY key";
        let mut statement = self.connection().prepare_cached(sql).during("read marks")?;
        statement
            .query_map(params![tenant.as_str(), feed], |r| {
                let (tenant, feed) = (tenant.to_string(), feed.to_owned());
                Ok(MarkRow { tenant, feed, key: r.get(0)?, value: r.get(1)? })
            })
            .and_then(Iterator::collect)
            .during("read marks")
    }

    /// What is known of a path: one row for each content it has had, longest first. A scope
    /// of all tenants names no file and gets none.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`] if the store cannot be read.
    pub fn files(
        &self,
        scope: &TenantScope,
        feed: &str,
        path: &str,
    ) -> Result<Vec<FileRow>, MetaError> {
        let Some(tenant) = scope.tenant() else { return Ok(Vec::new()) };
        let sql = "SELECT hash, bytes, records FROM files
                   WHERE tenant = ?1 AND feed = ?2 AND path = ?3 ORDER BY bytes DESC, hash";
        let mut statement = self.connection().prepare_cached(sql).during("read a file's marks")?;
        statement
            .query_map(params![tenant.as_str(), feed, path], |r| {
                Ok(FileRow {
                    tenant: tenant.to_string(),
                    feed: feed.to_owned(),
                    path: path.to_owned(),
                    hash: r.get(0)?,
                    bytes: r.get::<_, i64>(1)?.cast_unsigned(),
                    records: r.get::<_, i64>(2)?.cast_unsigned(),
                })
            })
            .and_then(Iterator::collect)
            .during("read a file's marks")
    }
}
