//! Which rules people have switched off, who did, and why. Rules are all tenants' alike.

use crate::error::{During, MetaError};
use crate::people::PeopleStore;
use rusqlite::params;
use std::collections::{BTreeSet, HashMap};
use yagura_event::time::Micros;

/// What somebody decided about a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleStateRow {
    /// Counts a rule's decisions from 1.
    pub version: u64,
    /// Whether the rule is on.
    pub enabled: bool,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When.
    pub time: Micros,
}

impl PeopleStore {
    /// What was decided about a rule, newest first.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn rule_history(&self, rule: &str) -> Result<Vec<RuleStateRow>, MetaError> {
        self.conn
            .prepare_cached(
                "SELECT version, enabled, reason, by, time FROM rule_states
                 WHERE rule = ?1 ORDER BY version DESC",
            )
            .and_then(|mut s| s.query_map([rule], state)?.collect())
            .during("read a rule's states")
    }

    /// What is in force of every rule that somebody decided about, by rule.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn rule_states(&self) -> Result<HashMap<String, RuleStateRow>, MetaError> {
        self.conn
            .prepare_cached(
                "SELECT version, enabled, reason, by, time, rule FROM rule_states s WHERE version =
                 (SELECT max(version) FROM rule_states l WHERE l.rule = s.rule)",
            )
            .and_then(|mut s| s.query_map([], |row| Ok((row.get(5)?, state(row)?)))?.collect())
            .during("read the rules' states")
    }

    /// Ids of the rules that are switched off.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn rules_off(&self) -> Result<BTreeSet<String>, MetaError> {
        let states = self.rule_states()?;
        Ok(states.into_iter().filter(|(_, row)| !row.enabled).map(|(rule, _)| rule).collect())
    }

    /// Switches a rule; `false` where the version is not the next, since somebody else did.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn switch_rule(&mut self, rule: &str, row: &RuleStateRow) -> Result<bool, MetaError> {
        let tx = self.change("switch a rule")?;
        let last: Option<i64> = tx
            .query_row("SELECT max(version) FROM rule_states WHERE rule = ?1", [rule], |r| r.get(0))
            .during("switch a rule")?;
        let version = row.version.cast_signed();
        if last.unwrap_or(0) + 1 != version {
            return Ok(false);
        }
        tx.execute(
            "INSERT INTO rule_states VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![rule, version, row.enabled, row.reason, row.by, row.time],
        )
        .during("switch a rule")?;
        tx.commit().during("switch a rule")?;
        Ok(true)
    }
}

fn state(row: &rusqlite::Row<'_>) -> rusqlite::Result<RuleStateRow> {
    Ok(RuleStateRow {
        version: row.get::<_, i64>(0)?.cast_unsigned(),
        enabled: row.get(1)?,
        reason: row.get(2)?,
        by: row.get(3)?,
        time: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn row(version: u64, enabled: bool) -> RuleStateRow {
        let (reason, by) = (format!("reason {version}"), "admin".to_owned());
        RuleStateRow { version, enabled, reason, by, time: version as i64 }
    }

    #[test]
    fn the_highest_version_is_in_force_and_all_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("meta.sqlite");
        let mut store = PeopleStore::open(&path).unwrap();
        assert!(store.rules_off().unwrap().is_empty());
        assert!(store.switch_rule("a", &row(1, false)).unwrap());
        assert!(store.switch_rule("b", &row(1, false)).unwrap());
        assert!(!store.switch_rule("a", &row(1, true)).unwrap(), "of two at once one is told");
        assert!(!store.switch_rule("a", &row(3, true)).unwrap());
        assert!(store.switch_rule("a", &row(2, true)).unwrap());
        let reader = PeopleStore::open_read_only(&path).unwrap();
        assert_eq!(reader.rule_history("a").unwrap(), [row(2, true), row(1, false)]);
        assert_eq!(reader.rules_off().unwrap(), BTreeSet::from(["b".to_owned()]));
        let states = reader.rule_states().unwrap();
        assert_eq!((states.len(), &states["a"]), (2, &row(2, true)));
        assert!(reader.rule_history("c").unwrap().is_empty());
    }

    #[test]
    fn rules_are_no_tenants_and_stay_when_one_is_erased() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = PeopleStore::open(&dir.path().join("meta.sqlite")).unwrap();
        assert!(store.switch_rule("a", &row(1, false)).unwrap());
        store.erase("acme").unwrap();
        assert_eq!(store.rule_history("a").unwrap(), [row(1, false)]);
    }
}
