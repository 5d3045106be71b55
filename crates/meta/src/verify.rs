//! Checks the judge's store: SQLite's own structure, and the checksum of every row that proves
//! something.

use crate::apply::{book_crc, finding_crc, reply_crc};
use crate::error::{During, MetaError};
use crate::judge::JudgeStore;
use crate::recompute::{evidence_crc, incident_crc};
use rusqlite::{Connection, Row};

/// Most damages listed; a store with more is not worth reading on.
const DAMAGES_MAX: usize = 1_000;

/// A row, or the file, that does not say what was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// The table, or `sqlite` for the file's structure.
    pub table: &'static str,
    /// The row's key, or SQLite's message.
    pub row: String,
}

/// A row's key, the sum stored and the sum computed.
type Sums = (String, i64, i64);

impl JudgeStore {
    /// Every damage found, at most a thousand; empty for a sound store.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`] if the store cannot be read at all.
    pub fn verify(&self) -> Result<Vec<Damage>, MetaError> {
        let mut list = structure(&self.conn)?;
        self.sums(
            "findings",
            "SELECT tenant, id, version, first_lsn, json, crc FROM findings ORDER BY tenant, id",
            |r| {
                let (tenant, id, json): (String, String, String) =
                    (r.get(0)?, r.get(1)?, r.get(4)?);
                let sum = finding_crc(&tenant, &id, r.get(2)?, r.get(3)?, &json);
                Ok((format!("{tenant}/{id}"), r.get(5)?, sum))
            },
            &mut list,
        )?;
        self.sums(
            "incidents",
            "SELECT tenant, id, state, json, crc FROM incidents ORDER BY tenant, id",
            |r| {
                let (tenant, id): (String, String) = (r.get(0)?, r.get(1)?);
                let (state, json): (String, String) = (r.get(2)?, r.get(3)?);
                let sum = incident_crc(&tenant, &id, &state, &json);
                Ok((format!("{tenant}/{id}"), r.get(4)?, sum))
            },
            &mut list,
        )?;
        self.sums(
            "evidence",
            "SELECT tenant, finding, kind, value, llr, time, reason, crc, seq FROM evidence
             ORDER BY seq",
            |r| {
                let (tenant, finding): (String, String) = (r.get(0)?, r.get(1)?);
                let (kind, value, reason): (String, String, String) =
                    (r.get(2)?, r.get(3)?, r.get(6)?);
                let key = (tenant.as_str(), finding.as_str(), kind.as_str(), value.as_str());
                let sum = evidence_crc(key, r.get(4)?, r.get(5)?, &reason);
                Ok((format!("{tenant}/{}", r.get::<_, i64>(8)?), r.get(7)?, sum))
            },
            &mut list,
        )?;
        self.small_tables(&mut list)?;
        Ok(list)
    }

    fn small_tables(&self, list: &mut Vec<Damage>) -> Result<(), MetaError> {
        self.sums(
            "books",
            "SELECT tenant, feed, hour, kind, reason, count, crc FROM books",
            |r| {
                let (tenant, feed, hour): (String, String, i64) = (r.get(0)?, r.get(1)?, r.get(2)?);
                let (kind, reason): (String, String) = (r.get(3)?, r.get(4)?);
                let sum = book_crc(&tenant, &feed, hour, &kind, &reason, r.get(5)?);
                Ok((format!("{tenant}/{feed}/{hour}/{kind}"), r.get(6)?, sum))
            },
            list,
        )?;
        self.sums(
            "replies",
            "SELECT tenant, key, response, time, crc FROM replies",
            |r| {
                let (tenant, key, response): (String, String, String) =
                    (r.get(0)?, r.get(1)?, r.get(2)?);
                let sum = reply_crc(&tenant, &key, &response, r.get(3)?);
                Ok((format!("{tenant}/{key}"), r.get(4)?, sum))
            },
            list,
        )
    }

    fn sums(
        &self,
        table: &'static str,
        sql: &str,
        read: impl FnMut(&Row<'_>) -> Result<Sums, rusqlite::Error>,
        list: &mut Vec<Damage>,
    ) -> Result<(), MetaError> {
        let mut statement = self.conn.prepare(sql).during("check the store")?;
        let rows = statement.query_map([], read).during("check the store")?;
        for row in rows {
            let (key, stored, sum) = match row {
                Ok(sums) => sums,
                // A flipped bit may leave text that is not UTF-8.
                Err(
                    rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::Utf8Error(..),
                ) => ("unreadable".to_owned(), 0, 1),
                Err(source) => return Err(MetaError::Sqlite { action: "check the store", source }),
            };
            if stored != sum && list.len() < DAMAGES_MAX {
                list.push(Damage { table, row: key });
            }
        }
        Ok(())
    }
}

/// What SQLite itself finds wrong with a file.
pub(crate) fn structure(conn: &Connection) -> Result<Vec<Damage>, MetaError> {
    let mut list = Vec::new();
    for (pragma, sound) in [("PRAGMA quick_check", "ok"), ("PRAGMA foreign_key_check", "")] {
        let mut statement = conn.prepare(pragma).during("check the store")?;
        let messages: Vec<String> = statement
            .query_map([], |r| r.get::<_, String>(0))
            .and_then(Iterator::collect)
            .during("check the store")?;
        let wrong = messages.into_iter().filter(|message| message != sound);
        list.extend(wrong.map(|row| Damage { table: "sqlite", row }));
    }
    list.truncate(DAMAGES_MAX);
    Ok(list)
}
