//! `meta.sqlite`: who may come in and what people decided; written by the API, never by the data
//! plane.

use crate::erase::{renew, tables};
use crate::error::{During, MetaError};
use crate::outbox::OUTBOX_TABLES;
use crate::owners::OWNERS_TABLE;
use crate::repeats::REPEATS_TABLE;
use crate::schema::{open_ro, open_rw};
use crate::verify::{Damage, structure};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::path::Path;
use yagura_event::{TenantName, TenantScope};

/// Version of the tables of `meta.sqlite`.
pub const PEOPLE_SCHEMA: i64 = 1;

/// Secrets are there as hashes only: passwords as argon2id strings, sessions and tokens, which are
/// random, as one hash of 32 bytes in hexadecimal. Times are microseconds since 1970 UTC.
/// `decisions` and `rule_states` are append-only: the highest version of an incident or a rule is
/// in force. A rule without a row is on.
const TABLES: &str = "
CREATE TABLE accounts (
    name TEXT NOT NULL PRIMARY KEY, role TEXT NOT NULL, password TEXT NOT NULL,
    time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE sessions (
    hash TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL, csrf TEXT NOT NULL,
    created INTEGER NOT NULL, expires INTEGER NOT NULL,
    FOREIGN KEY (account) REFERENCES accounts (name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE tokens (
    id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL UNIQUE,
    by TEXT NOT NULL, time INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE decisions (
    tenant TEXT NOT NULL, incident TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL,
    verdict TEXT, reason TEXT NOT NULL, by TEXT NOT NULL, time INTEGER NOT NULL,
    PRIMARY KEY (tenant, incident, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE notes (
    seq INTEGER PRIMARY KEY, tenant TEXT NOT NULL, incident TEXT NOT NULL, text TEXT NOT NULL,
    by TEXT NOT NULL, time INTEGER NOT NULL, key TEXT UNIQUE
) STRICT;
CREATE INDEX notes_by_incident ON notes (tenant, incident, seq);
CREATE TABLE rule_states (
    rule TEXT NOT NULL, version INTEGER NOT NULL, enabled INTEGER NOT NULL, reason TEXT NOT NULL,
    by TEXT NOT NULL, time INTEGER NOT NULL,
    PRIMARY KEY (rule, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE saved_searches (
    seq INTEGER PRIMARY KEY, name TEXT NOT NULL, language TEXT NOT NULL, query TEXT NOT NULL,
    by TEXT NOT NULL, time INTEGER NOT NULL
) STRICT;
";

/// The store of people's decisions, so that a replay of the journal never touches one.
pub struct PeopleStore {
    pub(crate) conn: Connection,
}

impl PeopleStore {
    /// Opens the store for writing, making it where it is missing.
    ///
    /// # Errors
    /// As `JudgeStore::open`.
    pub fn open(path: &Path) -> Result<Self, MetaError> {
        let tables = [TABLES, OUTBOX_TABLES, OWNERS_TABLE].concat();
        let conn = open_rw(path, &tables, PEOPLE_SCHEMA)?;
        conn.execute_batch(REPEATS_TABLE).during("make the store's tables")?;
        Ok(Self { conn })
    }

    /// Opens the store for reading.
    ///
    /// # Errors
    /// As `JudgeStore::open_read_only`.
    pub fn open_read_only(path: &Path) -> Result<Self, MetaError> {
        Ok(Self { conn: open_ro(path, PEOPLE_SCHEMA)? })
    }

    /// The connection, for statements of others.
    pub fn connection(&self) -> &Connection {
        &self.conn
    }

    /// Writes a copy of the whole store to a new file.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`], also where the file is there already.
    pub fn copy_to(&self, to: &Path) -> Result<(), MetaError> {
        let name = to.to_string_lossy();
        self.conn.execute("VACUUM INTO ?1", [name.as_ref()]).during("copy the store").map(drop)
    }

    /// Every damage of the file's structure that is found; empty for a sound store.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`] if the store cannot be read at all.
    pub fn verify(&self) -> Result<Vec<Damage>, MetaError> {
        structure(&self.conn)
    }

    /// Begins to read and then to write. The notifier writes over a connection of its own: were the
    /// right to write asked for only behind the first read, a write in between would have the
    /// second fail instead of wait.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub(crate) fn change(&mut self, what: &'static str) -> Result<Transaction<'_>, MetaError> {
        self.conn.transaction_with_behavior(TransactionBehavior::Immediate).during(what)
    }

    /// Deletes a tenant's rows in every table at once.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn erase(&mut self, tenant: &str) -> Result<(), MetaError> {
        let tx = self.change("begin a transaction")?;
        for table in tables(&tx)? {
            tx.execute(&format!("DELETE FROM {table} WHERE tenant = ?1"), [tenant])
                .during("erase a tenant")?;
        }
        tx.commit().during("erase a tenant")
    }

    /// Makes the file anew without what was deleted. `false` where a reader holds the old pages:
    /// to be tried again.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn finish_erasure(&mut self) -> Result<bool, MetaError> {
        renew(&self.conn)
    }
}

/// The tenant of a scope for SQL: null for all.
pub(crate) fn one(scope: &TenantScope) -> Option<&str> {
    scope.tenant().map(TenantName::as_str)
}
