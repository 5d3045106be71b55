//! Erasing a tenant: its rows in every table at once, its bytes once the file is made anew.

use crate::dirty::Dirty;
use crate::error::{During, MetaError};
use crate::judge::JudgeStore;
use rusqlite::{Connection, Transaction, params};
use std::collections::HashSet;
use yagura_event::time::Micros;
use yagura_event::{FindingId, Lsn, TenantName};

/// What was asked for. `done` is the journal time at which nothing was left.
pub(crate) const ERASURES_TABLE: &str = "
CREATE TABLE IF NOT EXISTS erasures (
    tenant TEXT NOT NULL PRIMARY KEY, lsn INTEGER NOT NULL, asked INTEGER NOT NULL, done INTEGER
) STRICT, WITHOUT ROWID;
";

/// Everything of a tenant that came before an entry is to go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Erasure {
    /// The customer.
    pub tenant: TenantName,
    /// The entry.
    pub lsn: Lsn,
    /// Its time of receipt.
    pub asked: Micros,
}

/// Deletes the tenants' rows and notes that the rest of them has to go, too.
pub(crate) fn erase(
    tx: &Transaction<'_>,
    erasures: &[Erasure],
    stored: Lsn,
    dirty: &mut Dirty,
) -> Result<(), MetaError> {
    for erasure in erasures.iter().filter(|erasure| erasure.lsn > stored) {
        let tenant = erasure.tenant.as_str();
        forget(tx, tenant, dirty)?;
        tx.execute(
            "DELETE FROM positions WHERE batch IN (SELECT batch FROM batches WHERE tenant = ?1)",
            [tenant],
        )
        .during("erase a tenant's positions")?;
        // Rows go before those that they refer to, in whichever order the tables come.
        tx.pragma_update(None, "defer_foreign_keys", true).during("erase a tenant")?;
        for table in tables(tx)? {
            tx.execute(&format!("DELETE FROM {table} WHERE tenant = ?1"), [tenant])
                .during("erase a tenant")?;
        }
        let (lsn, asked) = (erasure.lsn.0.cast_signed(), erasure.asked);
        tx.execute(
            "INSERT OR REPLACE INTO erasures VALUES (?1, ?2, ?3, NULL)",
            params![tenant, lsn, asked],
        )
        .during("note an erasure")?;
    }
    Ok(())
}

/// Nothing of the tenant's is to be judged anew.
fn forget(tx: &Transaction<'_>, tenant: &str, dirty: &mut Dirty) -> Result<(), MetaError> {
    dirty.spans.remove(tenant);
    let mut statement = tx
        .prepare("SELECT id FROM findings WHERE tenant = ?1")
        .during("look for a tenant's findings")?;
    let ids: HashSet<String> = statement
        .query_map([tenant], |row| row.get(0))
        .and_then(Iterator::collect)
        .during("look for a tenant's findings")?;
    dirty.findings.retain(|id: &FindingId| !ids.contains(&id.to_string()));
    if dirty.is_empty() { Dirty::forget(tx) } else { dirty.save(tx) }
}

/// Every table whose rows are tenants'.
pub(crate) fn tables(conn: &Connection) -> Result<Vec<String>, MetaError> {
    conn.prepare(
        "SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
         WHERE m.type = 'table' AND c.name = 'tenant' AND m.name <> 'erasures' ORDER BY m.name",
    )
    .and_then(|mut s| s.query_map([], |row| row.get(0))?.collect())
    .during("list the store's tables")
}

/// Makes the file anew without what was deleted; `false` where a reader holds the old pages.
pub(crate) fn renew(conn: &Connection) -> Result<bool, MetaError> {
    conn.execute_batch("VACUUM").during("make the store anew")?;
    let busy: i64 = conn
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .during("write the store's log back")?;
    Ok(busy == 0)
}

impl JudgeStore {
    /// The erasures that are not done, oldest first.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`] if the store cannot be read.
    pub fn erasures(&self) -> Result<Vec<Erasure>, MetaError> {
        self.erasures_where("done IS NULL")
    }

    /// The erasures of which nothing is left, oldest first.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`] if the store cannot be read.
    pub fn erased(&self) -> Result<Vec<Erasure>, MetaError> {
        self.erasures_where("done IS NOT NULL")
    }

    fn erasures_where(&self, which: &str) -> Result<Vec<Erasure>, MetaError> {
        let sql = format!("SELECT tenant, lsn, asked FROM erasures WHERE {which} ORDER BY lsn");
        let rows: Vec<(String, i64, Micros)> = self
            .connection()
            .prepare(&sql)
            .and_then(|mut s| s.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?.collect())
            .during("read the erasures")?;
        let erasure = |(tenant, lsn, asked): (String, i64, Micros)| {
            let damaged = |_| MetaError::Damaged { table: "erasures", row: tenant.clone() };
            let tenant = TenantName::new(&tenant).map_err(damaged)?;
            Ok(Erasure { tenant, lsn: Lsn(lsn.cast_unsigned()), asked })
        };
        rows.into_iter().map(erasure).collect()
    }

    /// Makes the file anew without what was deleted, and notes that a tenant is erased at `now`.
    /// `false` where a reader holds the old pages: to be tried again.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn finish_erasure(&mut self, tenant: &str, now: Micros) -> Result<bool, MetaError> {
        if !renew(&self.conn)? {
            return Ok(false);
        }
        self.conn
            .execute("UPDATE erasures SET done = ?2 WHERE tenant = ?1", params![tenant, now])
            .during("note that a tenant is erased")?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::batch::{BatchRow, FileRow, JudgeBatch, MarkRow, PositionRow, Reply};
    use crate::tests::{T0, ran, scope, store, tenant};
    use tempfile::TempDir;

    /// Rows of a tenant in every table that has any, by table.
    fn rows(store: &JudgeStore, of: &str) -> Vec<(String, i64)> {
        let conn = store.connection();
        let count = |table: String| {
            let sql = format!("SELECT count(*) FROM {table} WHERE tenant = ?1");
            let rows: i64 = conn.query_row(&sql, [of], |row| row.get(0)).unwrap();
            (table, rows)
        };
        tables(conn).unwrap().into_iter().map(count).collect()
    }

    /// What inputs leave in the store, of two tenants.
    fn inputs(lsn: u64) -> JudgeBatch {
        let mut batch = JudgeBatch { lsn: Lsn(lsn), now: T0, ..JudgeBatch::default() };
        for (number, of) in [(1, "acme"), (2, "zen")] {
            let (owner, feed) = (of.to_owned(), "batch".to_owned());
            let (settings, state) = ("{}".to_owned(), "open".to_owned());
            batch.batches.push(BatchRow { batch: number, tenant: owner.clone(), settings, state });
            batch.positions.push(PositionRow { batch: number, stream: 7, records: 9 });
            let (path, hash) = (format!("{of}.log"), "00".to_owned());
            let (tenant_name, feed_name) = (owner.clone(), feed.clone());
            batch.files.push(FileRow { tenant: owner, feed, path, hash, bytes: 1, records: 1 });
            let (key, value) = ("file".to_owned(), "1".to_owned());
            batch.marks.push(MarkRow { tenant: tenant_name, feed: feed_name, key, value });
            let (key, response) = ("key".to_owned(), "{}".to_owned());
            batch.replies.push(Reply {
                tenant: tenant(of),
                key,
                response,
                time: T0,
                lsn: Lsn(lsn),
            });
        }
        batch
    }

    #[test]
    fn a_tenant_goes_from_every_table_and_another_stays_as_it_is() {
        let dir = TempDir::new().unwrap();
        let mut store = store(dir.path(), &[100]);
        store.commit(&inputs(110)).unwrap();
        // Something that is not judged yet, of both.
        let late =
            [ran("acme", 120, "late", T0, "ws1", "eve"), ran("zen", 121, "late", T0, "a", "b")];
        let batch = JudgeBatch { lsn: Lsn(130), now: T0, defer: true, ..JudgeBatch::default() };
        store.commit(&JudgeBatch { findings: late.into(), ..batch.clone() }).unwrap();
        let filled = rows(&store, "acme");
        let empty: Vec<_> = filled.iter().filter(|(_, rows)| *rows == 0).collect();
        // Degrees are kept of what has many partners.
        assert!(empty.iter().all(|(table, _)| table == "degrees"), "{empty:?}");
        let (before, zen) = (rows(&store, "zen"), store.dump(&scope("zen")).unwrap());
        let erase = vec![Erasure { tenant: tenant("acme"), lsn: Lsn(140), asked: T0 }];
        let batch = JudgeBatch { lsn: Lsn(140), ..batch };
        store.commit(&JudgeBatch { erase: erase.clone(), ..batch.clone() }).unwrap();
        assert!(rows(&store, "acme").iter().all(|(_, rows)| *rows == 0));
        assert_eq!(rows(&store, "zen"), before);
        assert_eq!(store.dump(&scope("zen")).unwrap(), zen);
        assert_eq!((store.positions(1).unwrap().len(), store.positions(2).unwrap().len()), (0, 1));
        // A replay of the same entry changes nothing that came later.
        let again = ran("acme", 150, "again", T0, "ws1", "eve");
        let batch = JudgeBatch { lsn: Lsn(150), defer: false, ..batch };
        store.commit(&JudgeBatch { findings: vec![again], ..batch.clone() }).unwrap();
        let batch = JudgeBatch { erase: erase.clone(), lsn: Lsn(160), ..batch };
        store.commit(&batch).unwrap();
        assert_eq!(store.dump(&scope("acme")).unwrap().len(), 1);
        assert_eq!(store.erasures().unwrap(), erase);
        assert_eq!(store.erased().unwrap(), []);
        drop(store);
        // The late findings of the other are still judged, by another process.
        let mut store = JudgeStore::open(&dir.path().join("judge.sqlite")).unwrap();
        assert_eq!(store.erasures().unwrap(), erase);
        assert!(store.finish_erasure("acme", T0).unwrap());
        assert_eq!((store.erasures().unwrap(), store.erased().unwrap()), (vec![], erase));
    }

    #[test]
    fn the_file_holds_nothing_of_deleted_rows_once_nobody_reads_them() {
        let dir = TempDir::new().unwrap();
        let mut store = store(dir.path(), &[100]);
        let path = dir.path().join("judge.sqlite");
        let holds = |text: &str| {
            ["", "-wal"].iter().any(|ending| {
                let mut name = path.as_os_str().to_owned();
                name.push(ending);
                let bytes = std::fs::read(name).unwrap_or_default();
                bytes.windows(text.len()).any(|part| part == text.as_bytes())
            })
        };
        assert!(holds("mallory") && holds("raw record 60"));
        let erase = vec![Erasure { tenant: tenant("acme"), lsn: Lsn(140), asked: T0 }];
        let batch = JudgeBatch { lsn: Lsn(140), now: T0, erase, ..JudgeBatch::default() };
        store.commit(&batch).unwrap();
        let reader = JudgeStore::open_read_only(&path).unwrap();
        reader.connection().execute_batch("BEGIN; SELECT count(*) FROM findings").unwrap();
        store.conn.busy_timeout(std::time::Duration::ZERO).unwrap();
        assert!(!store.finish_erasure("acme", T0).unwrap());
        reader.connection().execute_batch("COMMIT").unwrap();
        assert!(store.finish_erasure("acme", T0).unwrap());
        assert!(!holds("mallory") && holds("raw record 60"));
    }
}
