//! What readers ask the judge: always within a tenant scope.

use crate::error::{During, MetaError};
use crate::judge::JudgeStore;
use crate::window::decode;
use rusqlite::{OptionalExtension, params};
use yagura_event::time::Micros;
use yagura_event::{Finding, FindingId, Level, TenantScope};
use yagura_verdict::{EntityKind, Incident, Standing};

/// Most rows one read gives, whatever the caller asks for.
pub const ROWS_MAX: usize = 100_000;

/// Which findings are wanted; the default wants all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FindingFilter {
    /// Of this rule only.
    pub rule: Option<String>,
    /// From this level up.
    pub level_min: Level,
    /// With their last event at or after this time.
    pub since: Option<Micros>,
    /// With their first event at or before this time.
    pub until: Option<Micros>,
    /// Following this one in the order newest last event first, then id: for pages.
    pub after: Option<(Micros, FindingId)>,
}

/// Which entities are wanted; the default wants all.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct EntityFilter {
    /// Of this kind only.
    pub kind: Option<EntityKind>,
    /// Of this verdict only: `white`, `grey` or `black`.
    pub verdict: Option<String>,
    /// Following this one in the order most suspect first, then owner, kind and value: for pages.
    pub after: Option<EntityPlace>,
}

/// Where an entity stands in that order.
#[derive(Clone, PartialEq, Debug)]
pub struct EntityPlace {
    /// Posterior log-odds.
    pub posterior: f64,
    /// The owner.
    pub tenant: String,
    /// Its kind, as a word.
    pub kind: String,
    /// Its value.
    pub value: String,
}

/// Where an entity stands by all findings around its newest evidence.
#[derive(Clone, PartialEq, Debug)]
pub struct EntityRow {
    /// The owner.
    pub tenant: String,
    /// The verdict with its waterfall.
    pub standing: Standing,
    /// Where it is in lists.
    pub place: EntityPlace,
}

/// One entry of the append-only evidence.
#[derive(Clone, PartialEq, Debug)]
pub struct EvidenceRow {
    /// The finding.
    pub finding: String,
    /// Title of the finding's rule.
    pub title: String,
    /// Id of the finding's rule.
    pub rule: String,
    /// The entity's kind.
    pub kind: String,
    /// The entity's value.
    pub value: String,
    /// Log-likelihood ratio in nats.
    pub llr: f64,
    /// Time of the finding's last event.
    pub time: Micros,
    /// Why it is this much.
    pub reason: String,
}

/// One row of the books as counted at the inputs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct BookRow {
    /// The customer.
    pub tenant: String,
    /// The customer's inflow.
    pub feed: String,
    /// Hours since 1970 UTC.
    pub hour: i64,
    /// `received`, `rejected` or `duplicate`.
    pub kind: String,
    /// Why, for rejections.
    pub reason: String,
    /// Records.
    pub count: u64,
}

/// Sizes and limits of a tenant's part of the store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TenantStats {
    /// The customer.
    pub tenant: String,
    /// Findings stored.
    pub findings: u64,
    /// Entities with a verdict.
    pub entities: u64,
    /// Incidents, merged ones apart.
    pub incidents: u64,
    /// Relation rows stored.
    pub relations: u64,
    /// Relation rows evicted for want of room.
    pub relations_evicted: u64,
    /// How often a window held more findings than are judged at once.
    pub windows_capped: u64,
}

impl JudgeStore {
    /// Findings, newest last event first, at most `limit` (and [`ROWS_MAX`]).
    ///
    /// # Errors
    /// [`MetaError::Damaged`] if a stored finding does not read back.
    pub fn findings(
        &self,
        scope: &TenantScope,
        filter: &FindingFilter,
        limit: usize,
    ) -> Result<Vec<Finding>, MetaError> {
        let (after_time, after_id) =
            filter.after.map_or((None, None), |(t, id)| (Some(t), Some(id.to_string())));
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT json, id FROM findings
                 WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR rule = ?2) AND level >= ?3
                 AND (?4 IS NULL OR last_time >= ?4) AND (?5 IS NULL OR first_time <= ?5)
                 AND (?6 IS NULL OR last_time < ?6 OR (last_time = ?6 AND id > ?7))
                 ORDER BY last_time DESC, id LIMIT ?8",
            )
            .during("read findings")?;
        let rows: Vec<(String, String)> = statement
            .query_map(
                params![
                    one(scope),
                    filter.rule,
                    filter.level_min.severity_id(),
                    filter.since,
                    filter.until,
                    after_time,
                    after_id,
                    limit.min(ROWS_MAX) as i64
                ],
                |r| Ok((r.get(0)?, r.get(1)?)),
            )
            .and_then(Iterator::collect)
            .during("read findings")?;
        rows.iter().map(|(json, id)| decode(json, id)).collect()
    }

    /// One finding, `None` where there is none within the scope.
    ///
    /// # Errors
    /// As [`Self::findings`].
    pub fn finding(
        &self,
        scope: &TenantScope,
        id: FindingId,
    ) -> Result<Option<Finding>, MetaError> {
        let text = id.to_string();
        let json: Option<String> = self
            .conn
            .prepare_cached(
                "SELECT json FROM findings WHERE (?1 IS NULL OR tenant = ?1) AND id = ?2",
            )
            .and_then(|mut s| s.query_row(params![one(scope), text], |r| r.get(0)).optional())
            .during("read a finding")?;
        json.map(|json| decode(&json, &text)).transpose()
    }

    /// Incidents, newest first by number within each tenant; merged ones are among them.
    ///
    /// # Errors
    /// [`MetaError::Damaged`] if a stored incident does not read back.
    pub fn incidents(&self, scope: &TenantScope) -> Result<Vec<Incident>, MetaError> {
        self.incidents_where(scope, None)
    }

    /// The incident of an id: at most one in a scope of one tenant; every tenant numbers its
    /// own, so the operator may see several.
    ///
    /// # Errors
    /// As [`Self::incidents`].
    pub fn incident(&self, scope: &TenantScope, id: &str) -> Result<Vec<Incident>, MetaError> {
        self.incidents_where(scope, Some(id))
    }

    fn incidents_where(
        &self,
        scope: &TenantScope,
        id: Option<&str>,
    ) -> Result<Vec<Incident>, MetaError> {
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT json, id FROM incidents
                 WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR id = ?2)
                 ORDER BY tenant, year DESC, number DESC LIMIT ?3",
            )
            .during("read incidents")?;
        let rows: Vec<(String, String)> = statement
            .query_map(params![one(scope), id, ROWS_MAX as i64], |r| Ok((r.get(0)?, r.get(1)?)))
            .and_then(Iterator::collect)
            .during("read incidents")?;
        rows.iter()
            .map(|(json, id)| {
                serde_json::from_str(json)
                    .map_err(|_| MetaError::Damaged { table: "incidents", row: id.clone() })
            })
            .collect()
    }

    /// Entities, most suspect first, at most `limit` (and [`ROWS_MAX`]).
    ///
    /// # Errors
    /// [`MetaError::Damaged`] if a stored entity does not read back.
    pub fn entities(
        &self,
        scope: &TenantScope,
        filter: &EntityFilter,
        limit: usize,
    ) -> Result<Vec<EntityRow>, MetaError> {
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT tenant, kind, value, posterior, json FROM entities
                 WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR kind = ?2)
                 AND (?3 IS NULL OR verdict = ?3)
                 AND (?4 IS NULL OR posterior < ?4
                     OR (posterior = ?4 AND (tenant, kind, value) > (?5, ?6, ?7)))
                 ORDER BY posterior DESC, tenant, kind, value LIMIT ?8",
            )
            .during("read entities")?;
        let kind = filter.kind.map(EntityKind::word);
        let after = filter.after.as_ref();
        let rows: Vec<(EntityPlace, String)> = statement
            .query_map(
                params![
                    one(scope),
                    kind,
                    filter.verdict,
                    after.map(|place| place.posterior),
                    after.map(|place| &place.tenant),
                    after.map(|place| &place.kind),
                    after.map(|place| &place.value),
                    limit.min(ROWS_MAX) as i64
                ],
                |r| {
                    let (tenant, kind, value) = (r.get(0)?, r.get(1)?, r.get(2)?);
                    Ok((EntityPlace { posterior: r.get(3)?, tenant, kind, value }, r.get(4)?))
                },
            )
            .and_then(Iterator::collect)
            .during("read entities")?;
        rows.into_iter()
            .map(|(place, json)| {
                let damaged = || MetaError::Damaged { table: "entities", row: place.value.clone() };
                let standing = serde_json::from_str(&json).map_err(|_| damaged())?;
                Ok(EntityRow { tenant: place.tenant.clone(), standing, place })
            })
            .collect()
    }

    /// Everything ever said about an entity, oldest first.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`] if the store cannot be read.
    pub fn evidence(
        &self,
        scope: &TenantScope,
        kind: EntityKind,
        value: &str,
    ) -> Result<Vec<EvidenceRow>, MetaError> {
        let mut statement = self
            .conn
            .prepare_cached(
                // A finding that changed has many entries; its title is read once.
                "WITH said AS (SELECT seq, tenant, finding, kind, value, llr, time, reason
                   FROM evidence WHERE (?1 IS NULL OR tenant = ?1) AND kind = ?2 AND value = ?3
                   ORDER BY seq LIMIT ?4),
                 named AS MATERIALIZED (SELECT tenant, id, rule, json ->> '$.title' AS title
                   FROM findings WHERE (tenant, id) IN (SELECT tenant, finding FROM said))
                 SELECT s.finding, s.kind, s.value, s.llr, s.time, s.reason, n.title, n.rule
                 FROM said s JOIN named n ON n.tenant = s.tenant AND n.id = s.finding
                 ORDER BY s.seq",
            )
            .during("read evidence")?;
        statement
            .query_map(params![one(scope), kind.word(), value, ROWS_MAX as i64], |r| {
                Ok(EvidenceRow {
                    finding: r.get(0)?,
                    kind: r.get(1)?,
                    value: r.get(2)?,
                    llr: r.get(3)?,
                    time: r.get(4)?,
                    reason: r.get(5)?,
                    title: r.get::<_, Option<String>>(6)?.unwrap_or_default(),
                    rule: r.get(7)?,
                })
            })
            .and_then(Iterator::collect)
            .during("read evidence")
    }

    /// The books as counted at the inputs, in order.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`] if the store cannot be read.
    pub fn books(&self, scope: &TenantScope) -> Result<Vec<BookRow>, MetaError> {
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT tenant, feed, hour, kind, reason, count FROM books
                 WHERE (?1 IS NULL OR tenant = ?1) ORDER BY tenant, feed, hour, kind, reason",
            )
            .during("read the books")?;
        statement
            .query_map(params![one(scope)], |r| {
                Ok(BookRow {
                    tenant: r.get(0)?,
                    feed: r.get(1)?,
                    hour: r.get(2)?,
                    kind: r.get(3)?,
                    reason: r.get(4)?,
                    count: r.get::<_, i64>(5)? as u64,
                })
            })
            .and_then(Iterator::collect)
            .during("read the books")
    }

    /// The answer given before to a request with this key, if it is kept still. A scope of all
    /// tenants names no request and gets none.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`] if the store cannot be read.
    pub fn reply(&self, scope: &TenantScope, key: &str) -> Result<Option<String>, MetaError> {
        let Some(tenant) = scope.tenant() else { return Ok(None) };
        self.conn
            .prepare_cached("SELECT response FROM replies WHERE tenant = ?1 AND key = ?2")
            .and_then(|mut s| s.query_row(params![tenant.as_str(), key], |r| r.get(0)).optional())
            .during("look a reply up")
    }

    /// Sizes by tenant, in order.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`] if the store cannot be read.
    pub fn stats(&self, scope: &TenantScope) -> Result<Vec<TenantStats>, MetaError> {
        let mut statement = self
            .conn
            .prepare_cached(
                "SELECT n.tenant,
                     (SELECT count(*) FROM findings f WHERE f.tenant = n.tenant),
                     (SELECT count(*) FROM entities e WHERE e.tenant = n.tenant),
                     (SELECT count(*) FROM incidents i WHERE i.tenant = n.tenant
                         AND i.state = 'open'),
                     coalesce(t.relations, 0), coalesce(t.relations_evicted, 0),
                     coalesce(t.windows_capped, 0)
                 FROM (SELECT tenant FROM findings UNION SELECT tenant FROM tenants) n
                 LEFT JOIN tenants t ON t.tenant = n.tenant
                 WHERE (?1 IS NULL OR n.tenant = ?1) ORDER BY n.tenant",
            )
            .during("count the store's rows")?;
        statement
            .query_map(params![one(scope)], |r| {
                let number = |at: usize| r.get::<_, i64>(at).map(|n| n as u64);
                Ok(TenantStats {
                    tenant: r.get(0)?,
                    findings: number(1)?,
                    entities: number(2)?,
                    incidents: number(3)?,
                    relations: number(4)?,
                    relations_evicted: number(5)?,
                    windows_capped: number(6)?,
                })
            })
            .and_then(Iterator::collect)
            .during("count the store's rows")
    }

    /// Findings, then incidents, one JSON text a line in the order (tenant, id): what two
    /// replays must agree on to the byte.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`] if the store cannot be read.
    pub fn dump(&self, scope: &TenantScope) -> Result<Vec<String>, MetaError> {
        let mut lines = Vec::new();
        for sql in [
            "SELECT json FROM findings WHERE (?1 IS NULL OR tenant = ?1) ORDER BY tenant, id",
            "SELECT json FROM incidents WHERE (?1 IS NULL OR tenant = ?1)
             ORDER BY tenant, year, number",
        ] {
            let mut statement = self.conn.prepare_cached(sql).during("dump the store")?;
            let rows: Vec<String> = statement
                .query_map(params![one(scope)], |r| r.get(0))
                .and_then(Iterator::collect)
                .during("dump the store")?;
            lines.extend(rows);
        }
        Ok(lines)
    }
}

/// The tenant of a scope for SQL: null for all.
fn one(scope: &TenantScope) -> Option<&str> {
    scope.tenant().map(yagura_event::TenantName::as_str)
}
