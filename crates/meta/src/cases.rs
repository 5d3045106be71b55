//! What people decide and note about incidents, and the searches they keep.

use crate::error::{During, MetaError};
use crate::owners::{OwnerRow, insert_with, last_version};
use crate::people::{PeopleStore, one};
use rusqlite::{OptionalExtension, params};
use std::collections::HashMap;
use yagura_event::TenantScope;
use yagura_event::time::Micros;

/// Most notes of an incident, and most searches kept.
pub const NOTES_MAX: usize = 10_000;

/// What somebody decided about an incident.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecisionRow {
    /// Counts an incident's decisions and owners from 1.
    pub version: u64,
    /// Such as `in_progress`.
    pub state: String,
    /// Such as `true_positive`.
    pub verdict: Option<String>,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When.
    pub time: Micros,
}

/// What somebody noted about an incident.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoteRow {
    /// Its number.
    pub id: i64,
    /// What.
    pub text: String,
    /// Who.
    pub by: String,
    /// When.
    pub time: Micros,
}

/// What is known of one incident at a glance.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CaseRow {
    /// The decision in force.
    pub decision: Option<DecisionRow>,
    /// The owner in force; nobody where it was never given one.
    pub given: Option<OwnerRow>,
    /// Notes.
    pub notes: u64,
}

impl CaseRow {
    /// Counts its decisions and owners; 0 where there is none.
    pub fn version(&self) -> u64 {
        let decided = self.decision.as_ref().map_or(0, |row| row.version);
        decided.max(self.given.as_ref().map_or(0, |row| row.version))
    }

    /// Who works on it.
    pub fn owner(&self) -> Option<&str> {
        self.given.as_ref().and_then(|row| row.owner.as_deref())
    }
}

/// A search that somebody keeps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SavedRow {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// `search` or `pipe`.
    pub language: String,
    /// Its text.
    pub query: String,
    /// Who keeps it.
    pub by: String,
    /// Since when.
    pub time: Micros,
}

impl PeopleStore {
    /// The decisions about an incident, newest first.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn decisions(&self, tenant: &str, incident: &str) -> Result<Vec<DecisionRow>, MetaError> {
        self.conn
            .prepare_cached(
                "SELECT version, state, verdict, reason, by, time FROM decisions
                 WHERE tenant = ?1 AND incident = ?2 ORDER BY version DESC",
            )
            .and_then(|mut s| s.query_map([tenant, incident], decision)?.collect())
            .during("read decisions")
    }

    /// Adds a decision, and an owner with it where one is named; `false` where its version is not
    /// the next, since somebody else decided or gave the incident away.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn decide(
        &mut self,
        tenant: &str,
        incident: &str,
        row: &DecisionRow,
        owner: Option<&str>,
    ) -> Result<bool, MetaError> {
        let tx = self.change("write a decision")?;
        if last_version(&tx, tenant, incident)? + 1 != row.version {
            return Ok(false);
        }
        tx.execute(
            "INSERT INTO decisions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                tenant,
                incident,
                row.version.cast_signed(),
                row.state,
                row.verdict,
                row.reason,
                row.by,
                row.time
            ],
        )
        .during("write a decision")?;
        if let Some(owner) = owner {
            insert_with(&tx, tenant, incident, row, owner)?;
        }
        tx.commit().during("write a decision")?;
        Ok(true)
    }

    /// Decisions and owners in force and notes of all incidents of a scope, by (tenant, incident).
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn cases(
        &self,
        scope: &TenantScope,
    ) -> Result<HashMap<(String, String), CaseRow>, MetaError> {
        let mut cases: HashMap<(String, String), CaseRow> = HashMap::new();
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT d.version, d.state, d.verdict, d.reason, d.by, d.time, d.tenant, d.incident
                 FROM decisions d WHERE (?1 IS NULL OR d.tenant = ?1) AND d.version =
                 (SELECT max(version) FROM decisions l
                  WHERE l.tenant = d.tenant AND l.incident = d.incident)",
            )
            .during("read decisions")?;
        let rows = statement
            .query_map([one(scope)], |r| Ok(((r.get(6)?, r.get(7)?), decision(r)?)))
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .during("read decisions")?;
        for (key, row) in rows {
            cases.entry(key).or_default().decision = Some(row);
        }
        for (key, row) in self.owners_in_force(scope)? {
            cases.entry(key).or_default().given = Some(row);
        }
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT tenant, incident, count(*) FROM notes WHERE (?1 IS NULL OR tenant = ?1)
                 GROUP BY tenant, incident",
            )
            .during("count notes")?;
        let rows = statement
            .query_map([one(scope)], |r| Ok(((r.get(0)?, r.get(1)?), r.get::<_, i64>(2)?)))
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .during("count notes")?;
        for (key, count) in rows {
            cases.entry(key).or_default().notes = count.cast_unsigned();
        }
        Ok(cases)
    }

    /// How many decisions there are: it grows with each, and falls with an erasure.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn decisions_count(&self) -> Result<u64, MetaError> {
        self.conn
            .prepare_cached("SELECT count(*) FROM decisions")
            .and_then(|mut s| s.query_row([], |r| r.get::<_, i64>(0)))
            .map(i64::cast_unsigned)
            .during("count decisions")
    }

    /// The notes on an incident, oldest first.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn notes(&self, tenant: &str, incident: &str) -> Result<Vec<NoteRow>, MetaError> {
        self.conn
            .prepare_cached(
                "SELECT seq, text, by, time FROM notes WHERE tenant = ?1 AND incident = ?2
                 ORDER BY seq LIMIT ?3",
            )
            .and_then(|mut s| {
                s.query_map(params![tenant, incident, NOTES_MAX as i64], note)?.collect()
            })
            .during("read notes")
    }

    /// Adds a note and gives it with its number; where one with this key is there, that one.
    /// `None` where the incident has [`NOTES_MAX`].
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn add_note(
        &mut self,
        tenant: &str,
        incident: &str,
        row: &NoteRow,
        key: Option<&str>,
    ) -> Result<Option<NoteRow>, MetaError> {
        // Two incidents' requests may have chosen the same word.
        let key = key.map(|key| format!("{tenant}\n{incident}\n{key}"));
        let tx = self.change("write a note")?;
        if let Some(key) = &key {
            let known = tx
                .query_row("SELECT seq, text, by, time FROM notes WHERE key = ?1", [key], note)
                .optional()
                .during("look a note up")?;
            if known.is_some() {
                return Ok(known);
            }
        }
        let added = tx
            .execute(
                "INSERT INTO notes (tenant, incident, text, by, time, key)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE (SELECT count(*) FROM notes
                 WHERE tenant = ?1 AND incident = ?2) < ?7",
                params![tenant, incident, row.text, row.by, row.time, key, NOTES_MAX as i64],
            )
            .during("write a note")?;
        let id = tx.last_insert_rowid();
        tx.commit().during("write a note")?;
        Ok((added == 1).then(|| NoteRow { id, ..row.clone() }))
    }

    /// The searches kept, by name.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn saved(&self) -> Result<Vec<SavedRow>, MetaError> {
        self.conn
            .prepare_cached(
                "SELECT seq, name, language, query, by, time FROM saved_searches
                 ORDER BY name, seq LIMIT ?1",
            )
            .and_then(|mut s| {
                s.query_map([NOTES_MAX as i64], |r| {
                    Ok(SavedRow {
                        id: r.get(0)?,
                        name: r.get(1)?,
                        language: r.get(2)?,
                        query: r.get(3)?,
                        by: r.get(4)?,
                        time: r.get(5)?,
                    })
                })?
                .collect()
            })
            .during("read the saved searches")
    }

    /// Keeps a search and gives it with its number; `None` where there are [`NOTES_MAX`].
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn save(&self, row: &SavedRow) -> Result<Option<SavedRow>, MetaError> {
        let added = self
            .conn
            .execute(
                "INSERT INTO saved_searches (name, language, query, by, time)
                 SELECT ?1, ?2, ?3, ?4, ?5 WHERE (SELECT count(*) FROM saved_searches) < ?6",
                params![row.name, row.language, row.query, row.by, row.time, NOTES_MAX as i64],
            )
            .during("save a search")?;
        let id = self.conn.last_insert_rowid();
        Ok((added == 1).then(|| SavedRow { id, ..row.clone() }))
    }

    /// Forgets a search; `false` where there is none.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn forget_saved(&self, id: i64) -> Result<bool, MetaError> {
        let gone = self
            .conn
            .execute("DELETE FROM saved_searches WHERE seq = ?1", [id])
            .during("forget a search")?;
        Ok(gone == 1)
    }
}

fn decision(row: &rusqlite::Row<'_>) -> rusqlite::Result<DecisionRow> {
    Ok(DecisionRow {
        version: row.get::<_, i64>(0)?.cast_unsigned(),
        state: row.get(1)?,
        verdict: row.get(2)?,
        reason: row.get(3)?,
        by: row.get(4)?,
        time: row.get(5)?,
    })
}

fn note(row: &rusqlite::Row<'_>) -> rusqlite::Result<NoteRow> {
    Ok(NoteRow { id: row.get(0)?, text: row.get(1)?, by: row.get(2)?, time: row.get(3)? })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use yagura_event::TenantName;

    fn store() -> (tempfile::TempDir, PeopleStore) {
        let dir = tempfile::tempdir().unwrap();
        let store = PeopleStore::open(&dir.path().join("meta.sqlite")).unwrap();
        (dir, store)
    }

    fn decision(version: u64, state: &str) -> DecisionRow {
        let (state, verdict) = (state.to_owned(), Some("true_positive".to_owned()));
        let (reason, by) = ("because".to_owned(), "admin".to_owned());
        DecisionRow { version, state, verdict, reason, by, time: version as i64 }
    }

    fn note(text: &str) -> NoteRow {
        NoteRow { id: 0, text: text.to_owned(), by: "admin".to_owned(), time: 7 }
    }

    #[test]
    fn of_two_who_decide_at_once_the_second_is_told() {
        let (_dir, mut store) = store();
        assert!(store.decide("acme", "INC-1", &decision(1, "in_progress"), None).unwrap());
        assert!(!store.decide("acme", "INC-1", &decision(1, "closed"), None).unwrap());
        assert!(store.decide("acme", "INC-1", &decision(2, "resolved"), None).unwrap());
        assert!(store.decide("other", "INC-1", &decision(1, "closed"), None).unwrap());
        let states: Vec<_> = store.decisions("acme", "INC-1").unwrap();
        assert_eq!(states, [decision(2, "resolved"), decision(1, "in_progress")]);
        let scope = TenantScope::one(TenantName::new("acme").unwrap());
        let cases = store.cases(&scope).unwrap();
        assert_eq!(cases.len(), 1);
        let key = ("acme".to_owned(), "INC-1".to_owned());
        assert_eq!(cases[&key].decision, Some(decision(2, "resolved")));
    }

    #[test]
    fn a_note_sent_twice_is_there_once() {
        let (_dir, mut store) = store();
        let first = store.add_note("acme", "INC-1", &note("seen"), Some("k")).unwrap().unwrap();
        let again = store.add_note("acme", "INC-1", &note("other"), Some("k")).unwrap().unwrap();
        assert_eq!(first, again);
        store.add_note("acme", "INC-2", &note("there"), Some("k")).unwrap().unwrap();
        store.add_note("acme", "INC-1", &note("more"), None).unwrap().unwrap();
        let texts: Vec<_> =
            store.notes("acme", "INC-1").unwrap().into_iter().map(|n| n.text).collect();
        assert_eq!(texts, ["seen", "more"]);
        let cases = store.cases(&TenantScope::operator()).unwrap();
        assert_eq!(cases[&("acme".to_owned(), "INC-1".to_owned())].notes, 2);
    }

    #[test]
    fn nothing_of_an_erased_tenant_stays_in_the_file() {
        let (dir, mut store) = store();
        store.add_note("acme", "INC-1", &note("wordofacme"), None).unwrap();
        store.add_note("other", "INC-1", &note("wordofother"), None).unwrap();
        store.decide("acme", "INC-1", &decision(1, "closed"), None).unwrap();
        store.erase("acme").unwrap();
        assert!(store.finish_erasure().unwrap());
        assert!(store.notes("acme", "INC-1").unwrap().is_empty());
        assert!(store.decisions("acme", "INC-1").unwrap().is_empty());
        assert_eq!(store.notes("other", "INC-1").unwrap().len(), 1);
        for name in ["meta.sqlite", "meta.sqlite-wal"] {
            let bytes = std::fs::read(dir.path().join(name)).unwrap();
            assert!(!bytes.windows(10).any(|w| w == b"wordofacme"), "{name}");
        }
    }

    #[test]
    fn searches_are_kept_by_name() {
        let (_dir, store) = store();
        let row = |name: &str| SavedRow {
            id: 0,
            name: name.to_owned(),
            language: "search".to_owned(),
            query: "user:nina".to_owned(),
            by: "admin".to_owned(),
            time: 3,
        };
        let second = store.save(&row("b")).unwrap().unwrap();
        store.save(&row("a")).unwrap().unwrap();
        let names: Vec<_> = store.saved().unwrap().into_iter().map(|s| s.name).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(store.forget_saved(second.id).unwrap());
        assert!(!store.forget_saved(second.id).unwrap());
    }
}
