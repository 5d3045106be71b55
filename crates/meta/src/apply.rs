//! Writes a batch's own rows, and notes what must be judged anew.

use crate::batch::{BookCount, JudgeBatch};
use crate::crc::RowSum;
use crate::dirty::Dirty;
use crate::error::{During, MetaError};
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use yagura_event::time::{DAY, Micros};
use yagura_event::{Finding, FindingId, Level, Lsn, Observable, ObservableKind, Seen};
use yagura_verdict::entity::url_host;
use yagura_verdict::params::{LINK_NONE, TIE_SLACK};

/// Most relation rows kept per tenant (about 150 bytes each); beyond it the ones longest not
/// seen are evicted and counted.
pub const RELATIONS_MAX: i64 = 1_000_000;

/// How many rows are evicted at once, so that not every commit has to.
const EVICTED_AT_ONCE: i64 = 20_000;

/// Validity bucket of a relation row: one row a pair and day.
const RELATION_BUCKET: Micros = DAY;

/// A reply is given again for this long (journal time).
pub const REPLY_KEPT: Micros = DAY;

/// Stores findings whose version is higher than the stored one; the others are left alone.
pub(crate) fn findings(
    tx: &Transaction<'_>,
    batch: &JudgeBatch,
    stored: Lsn,
    dirty: &mut Dirty,
) -> Result<Vec<(String, FindingId)>, MetaError> {
    let mut changed = Vec::new();
    for finding in batch.findings.iter().filter(|f| f.lsn > stored.0) {
        let id = finding.finding_id();
        if !finding_row(tx, finding, &id.to_string())? {
            continue;
        }
        entities(tx, finding, &id.to_string())?;
        if finding.level > Level::Informational {
            dirty.touch(&finding.tenant, finding.first_time, finding.last_time);
        }
        dirty.findings.insert(id);
        changed.push((finding.tenant.clone(), id));
    }
    changed.sort();
    changed.dedup();
    Ok(changed)
}

fn finding_row(tx: &Transaction<'_>, finding: &Finding, id: &str) -> Result<bool, MetaError> {
    let known: Option<(i64, i64)> = tx
        .prepare_cached("SELECT version, first_lsn FROM findings WHERE tenant = ?1 AND id = ?2")
        .and_then(|mut s| {
            s.query_row(params![finding.tenant, id], |r| Ok((r.get(0)?, r.get(1)?))).optional()
        })
        .during("look a finding up")?;
    let version = i64::from(finding.version);
    if known.is_some_and(|(stored, _)| stored >= version) {
        return Ok(false);
    }
    let lsn = finding.lsn as i64;
    let first_lsn = known.map_or(lsn, |(_, first)| first.min(lsn));
    let level = finding.level.severity_id();
    let json = serde_json::to_string(finding)
        .map_err(|source| MetaError::Json { what: "finding", source })?;
    let crc = finding_crc(&finding.tenant, id, version, first_lsn, &json);
    tx.prepare_cached(
        "INSERT INTO findings
             (tenant, id, version, rule, level, first_time, last_time, first_lsn, json, crc)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (tenant, id) DO UPDATE SET version = ?3, rule = ?4, level = ?5,
             first_time = ?6, last_time = ?7, first_lsn = ?8, json = ?9, crc = ?10",
    )
    .and_then(|mut s| {
        s.execute(params![
            finding.tenant,
            id,
            version,
            finding.rule,
            level,
            finding.first_time,
            finding.last_time,
            first_lsn,
            json,
            crc
        ])
    })
    .during("store a finding")?;
    Ok(true)
}

pub(crate) fn finding_crc(tenant: &str, id: &str, version: i64, first_lsn: i64, json: &str) -> i64 {
    RowSum::default().text(tenant).text(id).int(version).int(first_lsn).text(json).finish()
}

/// The values by which relations may concern a finding.
pub(crate) fn followed(finding: &Finding) -> BTreeSet<Observable> {
    finding
        .parties
        .iter()
        .filter_map(|party| match party.observable.kind {
            ObservableKind::Host
            | ObservableKind::Ip
            | ObservableKind::User
            | ObservableKind::Domain => Some(party.observable.clone()),
            ObservableKind::Url => url_host(&party.observable.value),
            _ => None,
        })
        .collect()
}

fn entities(tx: &Transaction<'_>, finding: &Finding, id: &str) -> Result<(), MetaError> {
    let mut statement = tx
        .prepare_cached("INSERT OR IGNORE INTO finding_entities VALUES (?1, ?2, ?3, ?4)")
        .during("store a finding's entities")?;
    for observable in followed(finding) {
        statement
            .execute(params![finding.tenant, observable.kind.word(), observable.value, id])
            .during("store a finding's entities")?;
    }
    Ok(())
}

/// Stores relations, extending those of the same pair and day. A new one, or one that grew by
/// more than [`TIE_SLACK`], makes the findings around its ends judged anew.
pub(crate) fn relations(
    tx: &Transaction<'_>,
    batch: &JudgeBatch,
    stored: Lsn,
    dirty: &mut Dirty,
) -> Result<(), MetaError> {
    let mut added: BTreeMap<&str, i64> = BTreeMap::new();
    let mut telling: BTreeMap<&str, Vec<&Seen>> = BTreeMap::new();
    for seen in batch.relations.iter().filter(|s| s.lsn > stored) {
        let (new, tells) = relation_row(tx, seen)?;
        let tenant = seen.tenant.as_str();
        if new {
            *added.entry(tenant).or_default() += 1;
        }
        if tells {
            telling.entry(tenant).or_default().push(seen);
        }
    }
    for (tenant, all) in telling {
        touch_findings(tx, tenant, &all, dirty)?;
    }
    for (tenant, rows) in added {
        evict(tx, tenant, rows)?;
    }
    Ok(())
}

/// Returns whether the row is new, and whether it says something new.
fn relation_row(tx: &Transaction<'_>, seen: &Seen) -> Result<(bool, bool), MetaError> {
    let relation = &seen.relation;
    let key = (
        seen.tenant.as_str(),
        relation.kind.word(),
        relation.from.kind.word(),
        relation.from.value.as_str(),
        relation.to.kind.word(),
        relation.to.value.as_str(),
        seen.first.div_euclid(RELATION_BUCKET),
    );
    let known: Option<(i64, i64)> = tx
        .prepare_cached(
            "SELECT first, last FROM relations WHERE tenant = ?1 AND kind = ?2 AND from_kind = ?3
             AND from_value = ?4 AND to_kind = ?5 AND to_value = ?6 AND bucket = ?7",
        )
        .and_then(|mut s| s.query_row(key, |r| Ok((r.get(0)?, r.get(1)?))).optional())
        .during("look a relation up")?;
    let (first, last) = known.unwrap_or((seen.first, seen.last));
    let (first_now, last_now) = (first.min(seen.first), last.max(seen.last));
    tx.prepare_cached(
        "INSERT INTO relations VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT DO UPDATE SET first = ?8, last = ?9, count = count + ?10",
    )
    .and_then(|mut s| {
        let count = i64::try_from(seen.count).unwrap_or(i64::MAX);
        s.execute(params![
            key.0, key.1, key.2, key.3, key.4, key.5, key.6, first_now, last_now, count
        ])
    })
    .during("store a relation")?;
    let grown = (first - first_now).max(last_now - last) > TIE_SLACK;
    Ok((known.is_none(), known.is_none() || grown))
}

/// Notes what of a tenant must be judged anew for its relations: those with an end that a
/// finding near in time names. Ends are asked about once each, since most relations of a commit
/// share one with others.
fn touch_findings(
    tx: &Transaction<'_>,
    tenant: &str,
    relations: &[&Seen],
    dirty: &mut Dirty,
) -> Result<(), MetaError> {
    let from = relations.iter().map(|seen| seen.first).min().unwrap_or(0) - LINK_NONE;
    let to = relations.iter().map(|seen| seen.last).max().unwrap_or(0) + LINK_NONE;
    let any = tx
        .prepare_cached(
            "SELECT 1 FROM findings WHERE tenant = ?1 AND last_time >= ?2 AND first_time <= ?3
             AND level >= 2 LIMIT 1",
        )
        .and_then(|mut s| s.exists(params![tenant, from, to]))
        .during("look for findings of relations")?;
    if !any {
        return Ok(());
    }
    let mut known: HashMap<&Observable, bool> = HashMap::new();
    for seen in relations {
        if dirty.covers(tenant, seen.first, seen.last) {
            continue;
        }
        for end in [&seen.relation.from, &seen.relation.to] {
            let concerns = match known.get(end) {
                Some(concerns) => *concerns,
                None => {
                    let concerns = concerns_findings(tx, tenant, end, (from, to))?;
                    known.insert(end, concerns);
                    concerns
                }
            };
            if concerns {
                dirty.touch(tenant, seen.first, seen.last);
                break;
            }
        }
    }
    Ok(())
}

/// Whether a finding of that time names the value, or a host or address of it. (`CROSS JOIN`
/// makes SQLite go from the values to the findings.)
fn concerns_findings(
    tx: &Transaction<'_>,
    tenant: &str,
    end: &Observable,
    (from, to): (Micros, Micros),
) -> Result<bool, MetaError> {
    let mut statement = tx
        .prepare_cached(
            "WITH ends (kind, value) AS (
                 VALUES (?2, ?3)
                 UNION SELECT from_kind, from_value FROM relations
                     WHERE tenant = ?1 AND kind IN ('has_address', 'nat', 'resolves')
                     AND to_kind = ?2 AND to_value = ?3
                 UNION SELECT to_kind, to_value FROM relations
                     WHERE tenant = ?1 AND kind IN ('has_address', 'nat', 'resolves')
                     AND from_kind = ?2 AND from_value = ?3
             )
             SELECT 1 FROM ends e
             CROSS JOIN finding_entities x
                 ON x.tenant = ?1 AND x.kind = e.kind AND x.value = e.value
             CROSS JOIN findings f ON f.tenant = ?1 AND f.id = x.finding
             WHERE f.level >= 2 AND +f.last_time >= ?4 AND f.first_time <= ?5 LIMIT 1",
        )
        .during("look for findings of a relation")?;
    statement
        .exists(params![tenant, end.kind.word(), end.value, from, to])
        .during("look for findings of a relation")
}

fn evict(tx: &Transaction<'_>, tenant: &str, added: i64) -> Result<(), MetaError> {
    let rows: i64 = tx
        .prepare_cached(
            "INSERT INTO tenants (tenant, relations) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET relations = relations + ?2 RETURNING relations",
        )
        .and_then(|mut s| s.query_row(params![tenant, added], |r| r.get(0)))
        .during("count relations")?;
    if rows <= RELATIONS_MAX {
        return Ok(());
    }
    let evict = rows - RELATIONS_MAX + EVICTED_AT_ONCE;
    let evicted = tx
        .execute(
            "DELETE FROM relations WHERE (tenant, kind, from_kind, from_value, to_kind, to_value,
                 bucket) IN (SELECT tenant, kind, from_kind, from_value, to_kind, to_value, bucket
                 FROM relations WHERE tenant = ?1
                 ORDER BY last, kind, from_value, to_value LIMIT ?2)",
            params![tenant, evict],
        )
        .during("evict relations")?;
    tx.execute(
        "UPDATE tenants SET relations = relations - ?2, relations_evicted = relations_evicted + ?2
         WHERE tenant = ?1",
        params![tenant, evicted as i64],
    )
    .during("count evicted relations")?;
    Ok(())
}

/// Adds the journal's counts to the books.
pub(crate) fn counts(
    tx: &Transaction<'_>,
    batch: &JudgeBatch,
    stored: Lsn,
) -> Result<(), MetaError> {
    for count in batch.counts.iter().filter(|c| c.lsn > stored) {
        let BookCount { tenant, feed, hour, kind, reason, .. } = count;
        let before: i64 = tx
            .prepare_cached(
                "SELECT count FROM books WHERE tenant = ?1 AND feed = ?2 AND hour = ?3
                 AND kind = ?4 AND reason = ?5",
            )
            .and_then(|mut s| {
                let key = params![tenant.as_str(), feed, hour, kind.word(), reason];
                s.query_row(key, |r| r.get(0)).optional()
            })
            .during("read the books")?
            .unwrap_or(0);
        let total = before.saturating_add(i64::try_from(count.count).unwrap_or(i64::MAX));
        let crc = book_crc(tenant.as_str(), feed, *hour, kind.word(), reason, total);
        tx.prepare_cached("INSERT OR REPLACE INTO books VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
            .and_then(|mut s| {
                s.execute(params![tenant.as_str(), feed, hour, kind.word(), reason, total, crc])
            })
            .during("write the books")?;
    }
    Ok(())
}

pub(crate) fn book_crc(
    tenant: &str,
    feed: &str,
    hour: i64,
    kind: &str,
    reason: &str,
    count: i64,
) -> i64 {
    RowSum::default().text(tenant).text(feed).int(hour).text(kind).text(reason).int(count).finish()
}

/// Stores replies; the first answer to a key stands until it is older than [`REPLY_KEPT`].
pub(crate) fn replies(
    tx: &Transaction<'_>,
    batch: &JudgeBatch,
    stored: Lsn,
) -> Result<(), MetaError> {
    for reply in batch.replies.iter().filter(|r| r.lsn > stored) {
        let tenant = reply.tenant.as_str();
        let crc = reply_crc(tenant, &reply.key, &reply.response, reply.time);
        tx.prepare_cached(
            "INSERT INTO replies VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE
             SET response = ?3, time = ?4, crc = ?5 WHERE replies.time <= ?6",
        )
        .and_then(|mut s| {
            let expired = reply.time - REPLY_KEPT;
            s.execute(params![tenant, reply.key, reply.response, reply.time, crc, expired])
        })
        .during("store a reply")?;
    }
    tx.prepare_cached("DELETE FROM replies WHERE time <= ?1")
        .and_then(|mut s| s.execute(params![batch.now - REPLY_KEPT]))
        .during("forget old replies")?;
    Ok(())
}

pub(crate) fn reply_crc(tenant: &str, key: &str, response: &str, time: Micros) -> i64 {
    RowSum::default().text(tenant).text(key).text(response).int(time).finish()
}
