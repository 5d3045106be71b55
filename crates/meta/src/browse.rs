//! What the console asks of the judge beside whole lists: sums by rule, findings of an entity,
//! incidents of a finding, and a mark that changes with the incidents.

use crate::error::{During, MetaError};
use crate::judge::JudgeStore;
use crate::people::one;
use crate::read::ROWS_MAX;
use crate::window::decode;
use rusqlite::{OptionalExtension, params};
use std::collections::HashMap;
use yagura_event::time::Micros;
use yagura_event::{Finding, FindingId, TenantScope};
use yagura_verdict::{EntityKind, Incident, Standing};

/// What a rule has found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RuleStats {
    /// Findings.
    pub findings: u64,
    /// Matches in them.
    pub matches: u64,
    /// Incidents with one of them, merged ones apart.
    pub incidents: u64,
    /// Time of its last event.
    pub last_time: Micros,
}

impl JudgeStore {
    /// What each rule has found, by the rule's id.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`] if the store cannot be read.
    pub fn rule_stats(&self, scope: &TenantScope) -> Result<HashMap<String, RuleStats>, MetaError> {
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT rule, count(*), sum(json ->> '$.count'), max(last_time) FROM findings
                 WHERE (?1 IS NULL OR tenant = ?1) GROUP BY rule",
            )
            .during("sum findings up")?;
        let number = |row: &rusqlite::Row<'_>, at| row.get::<_, i64>(at).map(i64::cast_unsigned);
        let mut stats = statement
            .query_map([one(scope)], |row| {
                let (findings, matches) = (number(row, 1)?, number(row, 2)?);
                let last_time = row.get(3)?;
                Ok((row.get(0)?, RuleStats { findings, matches, incidents: 0, last_time }))
            })
            .and_then(Iterator::collect::<Result<HashMap<String, _>, _>>)
            .during("sum findings up")?;
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT f.rule, count(DISTINCT i.tenant || '/' || i.incident)
                 FROM incident_findings i
                 JOIN findings f ON f.tenant = i.tenant AND f.id = i.finding
                 JOIN incidents n ON n.tenant = i.tenant AND n.id = i.incident
                     AND n.state = 'open'
                 WHERE (?1 IS NULL OR i.tenant = ?1) GROUP BY f.rule",
            )
            .during("sum incidents up")?;
        let incidents = statement
            .query_map([one(scope)], |row| Ok((row.get::<_, String>(0)?, number(row, 1)?)))
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .during("sum incidents up")?;
        for (rule, count) in incidents {
            stats.entry(rule).or_default().incidents = count;
        }
        Ok(stats)
    }

    /// The findings that touch an entity, newest last event first, at most `limit`.
    ///
    /// # Errors
    /// [`MetaError::Damaged`] if a stored finding does not read back.
    pub fn findings_of(
        &self,
        scope: &TenantScope,
        kind: EntityKind,
        value: &str,
        limit: usize,
    ) -> Result<Vec<Finding>, MetaError> {
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT f.json, f.id FROM finding_entities e
                 JOIN findings f ON f.tenant = e.tenant AND f.id = e.finding
                 WHERE (?1 IS NULL OR e.tenant = ?1) AND e.kind = ?2 AND e.value = ?3
                 ORDER BY f.last_time DESC, f.id LIMIT ?4",
            )
            .during("read an entity's findings")?;
        let limit = limit.min(ROWS_MAX) as i64;
        let rows = statement
            .query_map(params![one(scope), kind.word(), value, limit], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .during("read an entity's findings")?;
        rows.iter().map(|(json, id)| decode(json, id)).collect()
    }

    /// Where an entity stands, with its tenant; `None` where it has no verdict.
    ///
    /// # Errors
    /// [`MetaError::Damaged`] if it does not read back.
    pub fn standing(
        &self,
        scope: &TenantScope,
        kind: EntityKind,
        value: &str,
    ) -> Result<Option<(String, Standing)>, MetaError> {
        let found: Option<(String, String)> = self
            .conn
            .prepare_cached(
                "SELECT tenant, json FROM entities
                 WHERE (?1 IS NULL OR tenant = ?1) AND kind = ?2 AND value = ?3
                 ORDER BY posterior DESC, tenant LIMIT 1",
            )
            .and_then(|mut s| {
                let row = |r: &rusqlite::Row<'_>| Ok((r.get(0)?, r.get(1)?));
                s.query_row(params![one(scope), kind.word(), value], row).optional()
            })
            .during("read an entity")?;
        let Some((tenant, json)) = found else { return Ok(None) };
        let standing = serde_json::from_str(&json)
            .map_err(|_| MetaError::Damaged { table: "entities", row: value.to_owned() })?;
        Ok(Some((tenant, standing)))
    }

    /// The incidents of a finding, oldest first: tenant and id.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`] if the store cannot be read.
    pub fn incidents_of(
        &self,
        scope: &TenantScope,
        finding: FindingId,
    ) -> Result<Vec<(String, String)>, MetaError> {
        self.conn
            .prepare_cached(
                "SELECT tenant, incident FROM incident_findings
                 WHERE (?1 IS NULL OR tenant = ?1) AND finding = ?2 ORDER BY tenant, incident",
            )
            .and_then(|mut s| {
                s.query_map(params![one(scope), finding.to_string()], |r| {
                    Ok((r.get(0)?, r.get(1)?))
                })?
                .collect()
            })
            .during("read a finding's incidents")
    }

    /// The incidents that an entity's findings belong to, newest first.
    ///
    /// # Errors
    /// [`MetaError::Damaged`] if one does not read back.
    pub fn incidents_with(
        &self,
        scope: &TenantScope,
        kind: EntityKind,
        value: &str,
    ) -> Result<Vec<Incident>, MetaError> {
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT json, id FROM incidents n WHERE EXISTS (
                     SELECT 1 FROM incident_findings i JOIN finding_entities e
                         ON e.tenant = i.tenant AND e.finding = i.finding
                     WHERE i.tenant = n.tenant AND i.incident = n.id
                     AND e.kind = ?2 AND e.value = ?3)
                 AND (?1 IS NULL OR n.tenant = ?1) AND n.state = 'open'
                 ORDER BY n.tenant, n.year DESC, n.number DESC LIMIT 100",
            )
            .during("read an entity's incidents")?;
        let rows = statement
            .query_map(params![one(scope), kind.word(), value], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .during("read an entity's incidents")?;
        rows.into_iter()
            .map(|(json, id)| {
                serde_json::from_str(&json)
                    .map_err(|_| MetaError::Damaged { table: "incidents", row: id })
            })
            .collect()
    }

    /// A number that changes whenever an incident of the scope does.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`] if the store cannot be read.
    pub fn incidents_mark(&self, scope: &TenantScope) -> Result<u64, MetaError> {
        let (count, crcs): (i64, i64) = self
            .conn
            .prepare_cached(
                "SELECT count(*), coalesce(sum(crc), 0) FROM incidents
                 WHERE (?1 IS NULL OR tenant = ?1)",
            )
            .and_then(|mut s| s.query_row([one(scope)], |r| Ok((r.get(0)?, r.get(1)?))))
            .during("look at the incidents")?;
        Ok(crcs.cast_unsigned().rotate_left(20) ^ count.cast_unsigned())
    }

    /// Entities with a verdict that is not white.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`] if the store cannot be read.
    pub fn suspects(&self, scope: &TenantScope) -> Result<u64, MetaError> {
        self.conn
            .prepare_cached(
                "SELECT count(*) FROM entities
                 WHERE (?1 IS NULL OR tenant = ?1) AND verdict <> 'white'",
            )
            .and_then(|mut s| s.query_row([one(scope)], |r| r.get::<_, i64>(0)))
            .map(i64::cast_unsigned)
            .during("count entities")
    }
}
