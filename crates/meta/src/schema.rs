//! The tables of `judge.sqlite` and how both stores are opened.

use crate::error::{During, MetaError};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::path::Path;
use std::time::Duration;

/// Version of the judge's tables.
pub const JUDGE_SCHEMA: i64 = 1;

/// How long a reader waits for a lock; the writer holds it for milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Memory for the store's pages, in KiB. The keys of relations come in no order, so that a small
/// one would fetch a page for nearly every row.
const CACHE_KIB: i64 = 64 * 1024;

/// Pages of the write-ahead log at which it is written back: rewriting a page ten times in the log
/// costs less than writing it back and syncing ten times.
const WAL_PAGES: i64 = 8_000;

/// Statements kept prepared.
const STATEMENTS_CACHED: usize = 64;

/// Times are microseconds since 1970 UTC; levels are OCSF severities; ids of findings are 32
/// hexadecimal digits. Rows with `crc` prove something: see `verify`.
pub(crate) const JUDGE_TABLES: &str = "
CREATE TABLE findings (
    tenant TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, rule TEXT NOT NULL,
    level INTEGER NOT NULL, first_time INTEGER NOT NULL, last_time INTEGER NOT NULL,
    first_lsn INTEGER NOT NULL, json TEXT NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX findings_by_time ON findings (tenant, last_time);
CREATE TABLE finding_entities (
    tenant TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, finding TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, value, finding),
    FOREIGN KEY (tenant, finding) REFERENCES findings (tenant, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX finding_entities_by_finding ON finding_entities (tenant, finding);
CREATE TABLE evidence (
    seq INTEGER PRIMARY KEY, tenant TEXT NOT NULL, finding TEXT NOT NULL,
    kind TEXT NOT NULL, value TEXT NOT NULL, llr REAL NOT NULL, time INTEGER NOT NULL,
    reason TEXT NOT NULL, crc INTEGER NOT NULL,
    FOREIGN KEY (tenant, finding) REFERENCES findings (tenant, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX evidence_by_finding ON evidence (tenant, finding, kind, value, seq);
CREATE INDEX evidence_by_entity ON evidence (tenant, kind, value, seq);
CREATE TABLE entities (
    tenant TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, prior REAL NOT NULL,
    posterior REAL NOT NULL, probability REAL NOT NULL, verdict TEXT NOT NULL,
    as_of INTEGER NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, value)
) STRICT, WITHOUT ROWID;
CREATE TABLE relations (
    tenant TEXT NOT NULL, kind TEXT NOT NULL, from_kind TEXT NOT NULL, from_value TEXT NOT NULL,
    to_kind TEXT NOT NULL, to_value TEXT NOT NULL, bucket INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, from_kind, from_value, to_kind, to_value, bucket)
) STRICT, WITHOUT ROWID;
CREATE INDEX relations_to ON relations
    (tenant, kind, to_kind, to_value, from_kind, from_value, bucket);
CREATE INDEX relations_by_time ON relations (tenant, last);
CREATE TABLE degrees (
    tenant TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, facet TEXT NOT NULL,
    partners INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, value, facet)
) STRICT, WITHOUT ROWID;
CREATE TABLE incidents (
    tenant TEXT NOT NULL, id TEXT NOT NULL, year INTEGER NOT NULL, number INTEGER NOT NULL,
    state TEXT NOT NULL, merged_into TEXT, opened_lsn INTEGER NOT NULL,
    opened_time INTEGER NOT NULL, severity INTEGER NOT NULL, first_time INTEGER NOT NULL,
    last_time INTEGER NOT NULL, json TEXT NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, merged_into) REFERENCES incidents (tenant, id)
) STRICT;
CREATE TABLE incident_findings (
    tenant TEXT NOT NULL, incident TEXT NOT NULL, finding TEXT NOT NULL,
    PRIMARY KEY (tenant, incident, finding),
    FOREIGN KEY (tenant, incident) REFERENCES incidents (tenant, id),
    FOREIGN KEY (tenant, finding) REFERENCES findings (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_findings_by_finding ON incident_findings (tenant, finding);
CREATE TABLE counters (
    tenant TEXT NOT NULL, year INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (tenant, year)
) STRICT, WITHOUT ROWID;
CREATE TABLE tenants (
    tenant TEXT NOT NULL PRIMARY KEY, relations INTEGER NOT NULL DEFAULT 0,
    relations_evicted INTEGER NOT NULL DEFAULT 0, windows_capped INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE books (
    tenant TEXT NOT NULL, feed TEXT NOT NULL, hour INTEGER NOT NULL, kind TEXT NOT NULL,
    reason TEXT NOT NULL, count INTEGER NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY (tenant, feed, hour, kind, reason)
) STRICT, WITHOUT ROWID;
CREATE TABLE replies (
    tenant TEXT NOT NULL, key TEXT NOT NULL, response TEXT NOT NULL, time INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX replies_by_time ON replies (time);
";

const META_TABLE: &str = "
CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

/// Opens a store for writing, making its tables where it is new.
pub(crate) fn open_rw(path: &Path, tables: &str, supported: i64) -> Result<Connection, MetaError> {
    let mut conn = Connection::open(path).during("open the store")?;
    prepare(&conn)?;
    conn.pragma_update(None, "journal_mode", "WAL")
        .during("switch the store to a write-ahead log")?;
    conn.pragma_update(None, "synchronous", "FULL").during("make the store durable")?;
    conn.pragma_update(None, "foreign_keys", true).during("switch foreign keys on")?;
    conn.pragma_update(None, "cache_size", -CACHE_KIB).during("set the store's memory")?;
    conn.pragma_update(None, "wal_autocheckpoint", WAL_PAGES).during("set the log's length")?;
    let tx = conn
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .during("begin a transaction")?;
    let has_meta: bool = tx
        .query_row("SELECT count(*) > 0 FROM sqlite_schema WHERE name = 'meta'", [], |r| r.get(0))
        .during("read the store's schema")?;
    if !has_meta {
        tx.execute_batch(META_TABLE).during("make the store's tables")?;
        tx.execute_batch(tables).during("make the store's tables")?;
        tx.execute("INSERT INTO meta VALUES ('schema', ?1)", params![supported.to_string()])
            .during("write the schema version")?;
    }
    tx.commit().during("make the store's tables")?;
    check_version(&conn, path, supported)?;
    Ok(conn)
}

/// Opens a store for reading, also from a medium that cannot be written.
pub(crate) fn open_ro(path: &Path, supported: i64) -> Result<Connection, MetaError> {
    if !path.is_file() {
        return Err(MetaError::Missing { path: path.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).during("open the store for reading")?;
    prepare(&conn)?;
    match check_version(&conn, path, supported) {
        Ok(()) => Ok(conn),
        Err(newer @ MetaError::Newer { .. }) => Err(newer),
        Err(other) => immutable(path, supported).map_err(|_| other),
    }
}

/// A write-ahead log needs a shared-memory file beside it; where none can be made and no log
/// is left behind, the file is read as it stands.
fn immutable(path: &Path, supported: i64) -> Result<Connection, MetaError> {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    if Path::new(&wal).exists() {
        return Err(MetaError::Missing { path: wal.into() });
    }
    let text = path.to_string_lossy();
    let escaped = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let conn = Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)
        .during("open the store for reading")?;
    prepare(&conn)?;
    check_version(&conn, path, supported)?;
    Ok(conn)
}

fn prepare(conn: &Connection) -> Result<(), MetaError> {
    conn.busy_timeout(BUSY_TIMEOUT).during("set the store's waiting time")?;
    // Otherwise SQLite plans a statement anew for each value that its statistics may know.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .during("keep the store's query plans")?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    Ok(())
}

fn check_version(conn: &Connection, path: &Path, supported: i64) -> Result<(), MetaError> {
    let found = meta(conn, "schema")?
        .and_then(|v| v.parse::<i64>().ok())
        .ok_or_else(|| MetaError::Damaged { table: "meta", row: "schema".into() })?;
    if found > supported {
        return Err(MetaError::Newer { path: path.to_owned(), found, supported });
    }
    Ok(())
}

/// A value of the `meta` table.
pub(crate) fn meta(conn: &Connection, key: &str) -> Result<Option<String>, MetaError> {
    conn.prepare_cached("SELECT value FROM meta WHERE key = ?1")
        .and_then(|mut s| s.query_row(params![key], |r| r.get(0)).optional())
        .during("read the store's settings")
}

/// Sets a value of the `meta` table.
pub(crate) fn set_meta(conn: &Connection, key: &str, value: &str) -> Result<(), MetaError> {
    conn.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)")
        .and_then(|mut s| s.execute(params![key, value]))
        .during("write the store's settings")?;
    Ok(())
}
