//! `meta.sqlite`: what people decided; written by the API, never by the data plane.

use crate::error::MetaError;
use crate::schema::{open_ro, open_rw};
use rusqlite::Connection;
use std::path::Path;

/// Version of the tables of `meta.sqlite`.
pub const PEOPLE_SCHEMA: i64 = 1;

/// `subject` is `finding` or `incident`; `id` its id. One row a decision, the newest in force.
const TABLES: &str = "
CREATE TABLE dispositions (
    seq INTEGER PRIMARY KEY, tenant TEXT NOT NULL, subject TEXT NOT NULL, id TEXT NOT NULL,
    state TEXT NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL, time INTEGER NOT NULL
) STRICT;
CREATE INDEX dispositions_by_subject ON dispositions (tenant, subject, id, seq);
";

/// The store of people's decisions, so that a replay of the journal never touches one.
pub struct PeopleStore {
    conn: Connection,
}

impl PeopleStore {
    /// Opens the store for writing, making it where it is missing.
    ///
    /// # Errors
    /// As `JudgeStore::open`.
    pub fn open(path: &Path) -> Result<Self, MetaError> {
        Ok(Self { conn: open_rw(path, TABLES, PEOPLE_SCHEMA)? })
    }

    /// Opens the store for reading.
    ///
    /// # Errors
    /// As `JudgeStore::open_read_only`.
    pub fn open_read_only(path: &Path) -> Result<Self, MetaError> {
        Ok(Self { conn: open_ro(path, PEOPLE_SCHEMA)? })
    }

    /// The connection, for the API's own statements.
    pub fn connection(&self) -> &Connection {
        &self.conn
    }
}
