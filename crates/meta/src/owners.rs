//! Who works on an incident. Owners and decisions count in one series of versions, so that one
//! version guards both.

use crate::cases::DecisionRow;
use crate::error::{During, MetaError};
use crate::people::{PeopleStore, one};
use rusqlite::{Connection, Transaction, params};
use std::collections::HashMap;
use yagura_event::TenantScope;
use yagura_event::time::Micros;

/// Append-only: the highest version of an incident is in force. A null `owner` is nobody. A row
/// with the version of a decision was written with it.
pub(crate) const OWNERS_TABLE: &str = "
CREATE TABLE owners (
    tenant TEXT NOT NULL, incident TEXT NOT NULL, version INTEGER NOT NULL, owner TEXT,
    by TEXT NOT NULL, time INTEGER NOT NULL,
    PRIMARY KEY (tenant, incident, version)
) STRICT, WITHOUT ROWID;
";

/// Who was made an incident's owner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnerRow {
    /// Counts an incident's decisions and owners from 1.
    pub version: u64,
    /// Who works on it; `None` for nobody.
    pub owner: Option<String>,
    /// Who gave it.
    pub by: String,
    /// When.
    pub time: Micros,
}

impl PeopleStore {
    /// The owners that an incident was given, newest first.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn owners(&self, tenant: &str, incident: &str) -> Result<Vec<OwnerRow>, MetaError> {
        self.conn
            .prepare_cached(
                "SELECT version, owner, by, time FROM owners
                 WHERE tenant = ?1 AND incident = ?2 ORDER BY version DESC",
            )
            .and_then(|mut s| s.query_map([tenant, incident], owner)?.collect())
            .during("read owners")
    }

    /// Gives an incident to somebody or to nobody; `false` where the version is not the next, since
    /// somebody else decided or gave it.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn give(
        &mut self,
        tenant: &str,
        incident: &str,
        row: &OwnerRow,
    ) -> Result<bool, MetaError> {
        let tx = self.change("write an owner")?;
        if last_version(&tx, tenant, incident)? + 1 != row.version {
            return Ok(false);
        }
        insert(&tx, tenant, incident, row)?;
        tx.commit().during("write an owner")?;
        Ok(true)
    }

    /// The version of what was decided or given last; 0 where nothing was.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn last_version(&self, tenant: &str, incident: &str) -> Result<u64, MetaError> {
        last_version(&self.conn, tenant, incident)
    }

    /// The owners in force of all incidents of a scope that were ever given one, by (tenant,
    /// incident).
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub(crate) fn owners_in_force(
        &self,
        scope: &TenantScope,
    ) -> Result<HashMap<(String, String), OwnerRow>, MetaError> {
        self.conn
            .prepare_cached(
                "SELECT o.version, o.owner, o.by, o.time, o.tenant, o.incident
                 FROM owners o WHERE (?1 IS NULL OR o.tenant = ?1) AND o.version =
                 (SELECT max(version) FROM owners l
                  WHERE l.tenant = o.tenant AND l.incident = o.incident)",
            )
            .and_then(|mut s| {
                s.query_map([one(scope)], |r| Ok(((r.get(4)?, r.get(5)?), owner(r)?)))?.collect()
            })
            .during("read owners")
    }
}

/// As [`PeopleStore::last_version`], within a transaction.
pub(crate) fn last_version(
    conn: &Connection,
    tenant: &str,
    incident: &str,
) -> Result<u64, MetaError> {
    conn.query_row(
        "SELECT max(
           coalesce((SELECT max(version) FROM decisions WHERE tenant = ?1 AND incident = ?2), 0),
           coalesce((SELECT max(version) FROM owners WHERE tenant = ?1 AND incident = ?2), 0))",
        [tenant, incident],
        |r| r.get::<_, i64>(0),
    )
    .map(i64::cast_unsigned)
    .during("read the last version")
}

/// Writes the owner that goes with a decision.
pub(crate) fn insert_with(
    tx: &Transaction<'_>,
    tenant: &str,
    incident: &str,
    decision: &DecisionRow,
    owner: &str,
) -> Result<(), MetaError> {
    let DecisionRow { version, by, time, .. } = decision;
    let owner = Some(owner.to_owned());
    let row = OwnerRow { version: *version, owner, by: by.clone(), time: *time };
    insert(tx, tenant, incident, &row)
}

fn insert(
    tx: &Transaction<'_>,
    tenant: &str,
    incident: &str,
    row: &OwnerRow,
) -> Result<(), MetaError> {
    let version = row.version.cast_signed();
    tx.execute(
        "INSERT INTO owners VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![tenant, incident, version, row.owner, row.by, row.time],
    )
    .map(drop)
    .during("write an owner")
}

fn owner(row: &rusqlite::Row<'_>) -> rusqlite::Result<OwnerRow> {
    Ok(OwnerRow {
        version: row.get::<_, i64>(0)?.cast_unsigned(),
        owner: row.get(1)?,
        by: row.get(2)?,
        time: row.get(3)?,
    })
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

    fn given(version: u64, owner: Option<&str>) -> OwnerRow {
        let owner = owner.map(str::to_owned);
        OwnerRow { version, owner, by: "admin".to_owned(), time: version as i64 }
    }

    fn decided(version: u64) -> DecisionRow {
        let (state, reason) = ("in_progress".to_owned(), "because".to_owned());
        let (verdict, by) = (None, "admin".to_owned());
        DecisionRow { version, state, verdict, reason, by, time: version as i64 }
    }

    #[test]
    fn decisions_and_owners_are_guarded_by_one_version() {
        let (_dir, mut store) = store();
        assert!(store.give("acme", "INC-1", &given(1, Some("nina"))).unwrap());
        assert!(!store.give("acme", "INC-1", &given(1, Some("oz"))).unwrap());
        assert!(!store.decide("acme", "INC-1", &decided(1), None).unwrap());
        assert!(store.decide("acme", "INC-1", &decided(2), None).unwrap());
        assert!(!store.give("acme", "INC-1", &given(2, None)).unwrap());
        assert!(store.give("other", "INC-1", &given(1, Some("oz"))).unwrap());
        let scope = TenantScope::one(TenantName::new("acme").unwrap());
        let key = ("acme".to_owned(), "INC-1".to_owned());
        let case = store.cases(&scope).unwrap().remove(&key).unwrap();
        assert_eq!((case.version(), case.owner()), (2, Some("nina")));
        assert!(store.give("acme", "INC-1", &given(3, None)).unwrap());
        let cases = store.cases(&scope).unwrap();
        assert_eq!(cases.len(), 1);
        assert_eq!((cases[&key].version(), cases[&key].owner()), (3, None));
        assert_eq!(cases[&key].decision, Some(decided(2)));
        let owners = store.owners("acme", "INC-1").unwrap();
        assert_eq!(owners, [given(3, None), given(1, Some("nina"))]);
    }

    /// As the notifier does, while somebody takes an incident.
    #[test]
    fn a_change_waits_for_another_connection_that_writes() {
        let (dir, mut store) = store();
        let path = dir.path().join("meta.sqlite");
        let other = PeopleStore::open(&path).unwrap();
        let (begun, told) = std::sync::mpsc::channel();
        let writer = std::thread::spawn(move || {
            other.conn.execute_batch("BEGIN IMMEDIATE").unwrap();
            begun.send(()).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(200));
            let sql = "INSERT INTO rule_states VALUES ('r', 1, 1, '', 'kim', 1); COMMIT";
            other.conn.execute_batch(sql).unwrap();
        });
        told.recv().unwrap();
        assert!(store.give("acme", "INC-1", &given(1, Some("nina"))).unwrap());
        writer.join().unwrap();
        assert!(store.decide("acme", "INC-1", &decided(2), None).unwrap());
    }

    #[test]
    fn a_decision_takes_its_owner_along_or_neither_is_written() {
        let (_dir, mut store) = store();
        assert!(store.decide("acme", "INC-1", &decided(1), Some("nina")).unwrap());
        assert!(!store.decide("acme", "INC-1", &decided(1), Some("oz")).unwrap());
        assert_eq!(store.owners("acme", "INC-1").unwrap(), [given(1, Some("nina"))]);
        assert!(store.decide("acme", "INC-1", &decided(2), None).unwrap());
        assert_eq!(store.owners("acme", "INC-1").unwrap().len(), 1);
    }

    #[test]
    fn owners_stay_over_a_restart_and_go_with_the_tenant() {
        let (dir, mut store) = store();
        let path = dir.path().join("meta.sqlite");
        assert!(store.give("acme", "INC-1", &given(1, Some("nina"))).unwrap());
        drop(store);
        store = PeopleStore::open(&path).unwrap();
        assert_eq!(store.owners("acme", "INC-1").unwrap(), [given(1, Some("nina"))]);
        store.erase("acme").unwrap();
        assert!(store.owners("acme", "INC-1").unwrap().is_empty());
    }
}
