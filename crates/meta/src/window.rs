//! Loads what is judged together: the findings around a change, and the relations of their
//! entities.

use crate::apply::followed;
use crate::error::{During, MetaError};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use yagura_event::time::{HOUR, Micros};
use yagura_event::{Finding, FindingId, Observable, ObservableKind, RelationKind};
use yagura_verdict::Tie;
use yagura_verdict::params::{FINDINGS_MAX, LINK_NONE, PARTNERS_MAX};

/// How far around a change findings are judged with it; what an incident has from farther away
/// it keeps.
pub const REACH: Micros = 72 * HOUR;

/// Most rows that say which host has which address, or which is translated to which.
const ALIASES_MAX: usize = 50_000;

/// Bytes of findings kept decoded between commits; beyond it the cache starts anew.
const CACHE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A stored finding with the position of its first version.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) finding: Arc<Finding>,
    pub(crate) first_lsn: u64,
}

/// Decoded findings by (tenant, id), so that a commit a second does not decode the window anew.
#[derive(Default)]
pub(crate) struct FindingCache {
    entries: HashMap<(String, String), Arc<Finding>>,
    bytes: usize,
}

impl FindingCache {
    fn get(
        &mut self,
        conn: &Connection,
        tenant: &str,
        id: &str,
        version: i64,
    ) -> Result<Arc<Finding>, MetaError> {
        let key = (tenant.to_owned(), id.to_owned());
        if let Some(found) = self.entries.get(&key).filter(|f| i64::from(f.version) == version) {
            return Ok(Arc::clone(found));
        }
        let json: String = conn
            .prepare_cached("SELECT json FROM findings WHERE tenant = ?1 AND id = ?2")
            .and_then(|mut s| s.query_row(params![tenant, id], |r| r.get(0)))
            .during("read a finding")?;
        let finding = Arc::new(decode(&json, id)?);
        if self.bytes + json.len() > CACHE_BYTES_MAX {
            *self = Self::default();
        }
        self.bytes += json.len();
        self.entries.insert(key, Arc::clone(&finding));
        Ok(finding)
    }
}

pub(crate) fn decode(json: &str, id: &str) -> Result<Finding, MetaError> {
    serde_json::from_str(json)
        .map_err(|_| MetaError::Damaged { table: "findings", row: id.to_owned() })
}

/// Findings from low up that overlap a time range, at most [`FINDINGS_MAX`]: highest level
/// first, then newest. The flag says that some were left out.
pub(crate) fn findings(
    conn: &Connection,
    cache: &mut FindingCache,
    tenant: &str,
    (from, to): (Micros, Micros),
) -> Result<(Vec<Loaded>, bool), MetaError> {
    let mut statement = conn
        .prepare_cached(
            "SELECT id, version, first_lsn FROM findings WHERE tenant = ?1 AND level >= 2
             AND last_time >= ?2 AND first_time <= ?3
             ORDER BY level DESC, last_time DESC, id LIMIT ?4",
        )
        .during("read a window of findings")?;
    let rows: Vec<(String, i64, i64)> = statement
        .query_map(params![tenant, from, to, FINDINGS_MAX as i64 + 1], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?))
        })
        .and_then(Iterator::collect)
        .during("read a window of findings")?;
    let capped = rows.len() > FINDINGS_MAX;
    rows.into_iter()
        .take(FINDINGS_MAX)
        .map(|(id, version, first_lsn)| {
            let finding = cache.get(conn, tenant, &id, version)?;
            Ok(Loaded { finding, first_lsn: first_lsn as u64 })
        })
        .collect::<Result<Vec<_>, _>>()
        .map(|list| (list, capped))
}

/// One finding by id.
pub(crate) fn finding(
    conn: &Connection,
    cache: &mut FindingCache,
    tenant: &str,
    id: &FindingId,
) -> Result<Option<Loaded>, MetaError> {
    let text = id.to_string();
    let row: Option<(i64, i64)> = conn
        .prepare_cached("SELECT version, first_lsn FROM findings WHERE tenant = ?1 AND id = ?2")
        .and_then(|mut s| {
            s.query_row(params![tenant, text], |r| Ok((r.get(0)?, r.get(1)?))).optional()
        })
        .during("look a finding up")?;
    let Some((version, first_lsn)) = row else { return Ok(None) };
    let finding = cache.get(conn, tenant, &text, version)?;
    Ok(Some(Loaded { finding, first_lsn: first_lsn as u64 }))
}

/// The relations that say something about the findings: who has which address, and the
/// partners of every entity they name, at most [`PARTNERS_MAX`] rows each way and kind.
pub(crate) fn ties(
    conn: &Connection,
    tenant: &str,
    findings: &[Loaded],
) -> Result<Vec<Tie>, MetaError> {
    let from = findings.iter().map(|l| l.finding.first_time).min().unwrap_or(0) - LINK_NONE;
    let to = findings.iter().map(|l| l.finding.last_time).max().unwrap_or(0) + LINK_NONE;
    let query = TieQuery { conn, tenant, from, to };
    let mut ties = Vec::new();
    for kind in [RelationKind::HasAddress, RelationKind::Nat] {
        query.all(kind, &mut ties)?;
    }
    let values = with_aliases(findings, &ties);
    for value in &values {
        match value.kind {
            ObservableKind::User => {
                query.of(RelationKind::Session, value, Side::From, &mut ties)?;
                query.of(RelationKind::LogonFrom, value, Side::From, &mut ties)?;
            }
            ObservableKind::Host | ObservableKind::Ip => {
                query.of(RelationKind::Session, value, Side::To, &mut ties)?;
                query.of(RelationKind::LogonFrom, value, Side::To, &mut ties)?;
                query.of(RelationKind::Connected, value, Side::To, &mut ties)?;
                query.of(RelationKind::Connected, value, Side::From, &mut ties)?;
                query.of(RelationKind::FileFrom, value, Side::To, &mut ties)?;
                query.of(RelationKind::Resolves, value, Side::To, &mut ties)?;
            }
            ObservableKind::Domain => {
                query.of(RelationKind::Resolves, value, Side::From, &mut ties)?;
                query.of(RelationKind::Connected, value, Side::To, &mut ties)?;
                query.of(RelationKind::FileFrom, value, Side::To, &mut ties)?;
            }
            _ => {}
        }
    }
    Ok(merge(ties))
}

/// The values the findings name, and the hosts and addresses these are known by.
fn with_aliases(findings: &[Loaded], aliases: &[Tie]) -> BTreeSet<Observable> {
    let mut values: BTreeSet<Observable> =
        findings.iter().flat_map(|l| followed(&l.finding)).collect();
    let mut by_end: BTreeMap<&Observable, Vec<&Observable>> = BTreeMap::new();
    for tie in aliases {
        by_end.entry(&tie.from).or_default().push(&tie.to);
        by_end.entry(&tie.to).or_default().push(&tie.from);
    }
    // Translated address, own address, host: two steps reach the farthest.
    for _ in 0..2 {
        let more: Vec<Observable> = values
            .iter()
            .flat_map(|v| by_end.get(v).into_iter().flatten().map(|o| (*o).clone()))
            .collect();
        values.extend(more);
    }
    values
}

/// One tie a pair and kind, whatever the days and ends it was found by.
fn merge(ties: Vec<Tie>) -> Vec<Tie> {
    let mut merged: BTreeMap<(&'static str, Observable, Observable, Micros), Tie> = BTreeMap::new();
    for tie in ties {
        merged.entry((tie.kind.word(), tie.from.clone(), tie.to.clone(), tie.first)).or_insert(tie);
    }
    merged.into_values().collect()
}

#[derive(Clone, Copy)]
enum Side {
    From,
    To,
}

/// The plus signs in its statements keep SQLite from choosing the index by time, of which a
/// window takes nearly all, over those by value.
struct TieQuery<'c> {
    conn: &'c Connection,
    tenant: &'c str,
    from: Micros,
    to: Micros,
}

impl TieQuery<'_> {
    fn all(&self, kind: RelationKind, out: &mut Vec<Tie>) -> Result<(), MetaError> {
        let sql = "SELECT from_kind, from_value, to_kind, to_value, first, last, count
             FROM relations WHERE tenant = ?1 AND kind = ?2 AND +last >= ?3 AND +first <= ?4
             ORDER BY from_kind, from_value, to_kind, to_value, bucket LIMIT ?5";
        let limit = ALIASES_MAX as i64;
        let key = params![self.tenant, kind.word(), self.from, self.to, limit];
        self.run(sql, key, kind, out)
    }

    fn of(
        &self,
        kind: RelationKind,
        value: &Observable,
        side: Side,
        out: &mut Vec<Tie>,
    ) -> Result<(), MetaError> {
        let sql = match side {
            Side::From => {
                "SELECT from_kind, from_value, to_kind, to_value, first, last, count
                 FROM relations WHERE tenant = ?1 AND kind = ?2 AND from_kind = ?3
                 AND from_value = ?4 AND +last >= ?5 AND +first <= ?6
                 ORDER BY to_kind, to_value, bucket LIMIT ?7"
            }
            Side::To => {
                "SELECT from_kind, from_value, to_kind, to_value, first, last, count
                 FROM relations WHERE tenant = ?1 AND kind = ?2 AND to_kind = ?3
                 AND to_value = ?4 AND +last >= ?5 AND +first <= ?6
                 ORDER BY from_kind, from_value, bucket LIMIT ?7"
            }
        };
        let limit = PARTNERS_MAX as i64;
        let kind_word = value.kind.word();
        let key =
            params![self.tenant, kind.word(), kind_word, value.value, self.from, self.to, limit];
        self.run(sql, key, kind, out)
    }

    fn run(
        &self,
        sql: &str,
        key: &[&dyn rusqlite::ToSql],
        kind: RelationKind,
        out: &mut Vec<Tie>,
    ) -> Result<(), MetaError> {
        let mut statement = self.conn.prepare_cached(sql).during("read relations")?;
        let mut rows = statement.query(key).during("read relations")?;
        while let Some(row) = rows.next().during("read relations")? {
            let side = |kind: usize, value: usize| -> Result<Option<Observable>, rusqlite::Error> {
                let word: String = row.get(kind)?;
                let value: String = row.get(value)?;
                Ok(ObservableKind::from_word(&word).map(|kind| Observable { kind, value }))
            };
            let from = side(0, 1).during("read relations")?;
            let to = side(2, 3).during("read relations")?;
            let number = |at: usize| row.get::<_, i64>(at).during("read relations");
            if let (Some(from), Some(to)) = (from, to) {
                let (first, last) = (number(4)?, number(5)?);
                out.push(Tie { kind, from, to, first, last, count: number(6)? as u64 });
            }
        }
        Ok(())
    }
}
