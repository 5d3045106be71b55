//! What the outbox shows to people: its rows without their payloads, and counts.

use super::{Status, level};
use crate::error::{During, MetaError};
use rusqlite::{Connection, Row, params};
use serde::Serialize;
use yagura_event::TenantScope;
use yagura_event::time::Micros;

/// A notification as people see it. The payload stays out: it is the incident's content.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct OutboxRow {
    /// Its id, 32 hexadecimal digits; Message-ID and webhook id contain it.
    pub id: String,
    /// The channel's name.
    pub channel: String,
    /// The channel's kind when it was offered.
    pub kind: String,
    /// The customer.
    pub tenant: String,
    /// The incident.
    pub incident: String,
    /// What happened to it.
    pub event: String,
    /// The highest severity of the incident when it was last offered.
    pub severity: String,
    /// How far it is.
    pub status: Status,
    /// Tries so far.
    pub attempts: u32,
    /// When it is tried next, of a pending one.
    pub next_try: Option<Micros>,
    /// Why the last try failed, or what the peer did not take of a sent one.
    pub last_error: Option<String>,
    /// When it was offered.
    pub created: Micros,
    /// When it was taken.
    pub sent: Option<Micros>,
}

/// How a channel stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ChannelCounts {
    /// The channel's name.
    pub channel: String,
    /// To be sent.
    pub pending: u64,
    /// Taken.
    pub sent: u64,
    /// Given up.
    pub dead: u64,
    /// When the oldest pending one was offered.
    pub oldest_pending: Option<Micros>,
}

/// Notifications of a status, or of all, the newest first, at most `limit`.
///
/// # Errors
/// [`MetaError::Sqlite`], [`MetaError::Damaged`].
pub fn list(
    conn: &Connection,
    scope: &TenantScope,
    status: Option<Status>,
    limit: usize,
) -> Result<Vec<OutboxRow>, MetaError> {
    let rows = list_before(conn, scope, status, None, limit)?;
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// The same from behind the one of the number `before` on, each with its number, which falls.
///
/// # Errors
/// As [`list`].
pub fn list_before(
    conn: &Connection,
    scope: &TenantScope,
    status: Option<Status>,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<(i64, OutboxRow)>, MetaError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let tenant = scope.tenant().map(|tenant| tenant.as_str());
    let rows: Vec<(i64, (OutboxRow, String, i64))> = conn
        .prepare_cached(
            "SELECT id, channel, kind, tenant, incident, event, attempts, next_try, last_error,
                 created, sent, status, urgency, seq FROM outbox
             WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR status = ?2)
                 AND (?3 IS NULL OR seq < ?3)
             ORDER BY seq DESC LIMIT ?4",
        )
        .and_then(|mut s| {
            let status = status.map(Status::word);
            s.query_map(params![tenant, status, before, limit], |r| Ok((r.get(13)?, read(r)?)))?
                .collect()
        })
        .during("list notifications")?;
    rows.into_iter()
        .map(|(seq, (mut row, status, urgency))| {
            let damaged = || MetaError::Damaged { table: "outbox", row: row.id.clone() };
            row.status = Status::from_word(&status).ok_or_else(damaged)?;
            row.severity = level(urgency).ok_or_else(damaged)?.word().to_owned();
            row.next_try = row.next_try.filter(|_| row.status == Status::Pending);
            Ok((seq, row))
        })
        .collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<(OutboxRow, String, i64)> {
    let shown = OutboxRow {
        id: row.get(0)?,
        channel: row.get(1)?,
        kind: row.get(2)?,
        tenant: row.get(3)?,
        incident: row.get(4)?,
        event: row.get(5)?,
        severity: String::new(),
        status: Status::Pending,
        attempts: row.get(6)?,
        next_try: row.get(7)?,
        last_error: row.get(8)?,
        created: row.get(9)?,
        sent: row.get(10)?,
    };
    Ok((shown, row.get(11)?, row.get(12)?))
}

/// How the channels stand within the scope, sorted by name.
///
/// # Errors
/// [`MetaError::Sqlite`].
pub fn counts(conn: &Connection, scope: &TenantScope) -> Result<Vec<ChannelCounts>, MetaError> {
    let count = |row: &Row<'_>, at: usize| row.get::<_, i64>(at).map(i64::cast_unsigned);
    conn.prepare_cached(
        "SELECT channel, sum(status = 'pending'), sum(status = 'sent'), sum(status = 'dead'),
             min(created) FILTER (WHERE status = 'pending')
         FROM outbox WHERE ?1 IS NULL OR tenant = ?1 GROUP BY channel ORDER BY channel",
    )
    .and_then(|mut s| {
        s.query_map([scope.tenant().map(|tenant| tenant.as_str())], |row| {
            Ok(ChannelCounts {
                channel: row.get(0)?,
                pending: count(row, 1)?,
                sent: count(row, 2)?,
                dead: count(row, 3)?,
                oldest_pending: row.get(4)?,
            })
        })?
        .collect()
    })
    .during("count notifications")
}
