//! The outbox: what people and other systems are to be told, kept until they were told.
//!
//! One row is one notification to one channel about one event of an incident. It is offered once,
//! whatever the offering process lives through, and tried until it is sent or given up:
//!
//! ```text
//!            ┌── failed, to be tried again ──┐
//!            v                               │
//! commit ─> pending ── due ── try ───────────┴─> sent
//!            ^                └─ given up ─────> dead ── retry ─┐
//!            └──────────────────────────────────────────────────┘
//! ```
//! A try comes before its mark, so that a crash between them repeats it, with the same id and the
//! same payload: at least once, and whoever receives can tell.

mod rows;
#[cfg(test)]
mod tests;

pub use rows::{ChannelCounts, OutboxRow, counts, list, list_before};

use crate::error::{During, MetaError};
use crate::schema::{meta, set_meta};
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};
use std::collections::HashMap;
use yagura_event::time::{HOUR, MINUTE, Micros, SECOND};
use yagura_event::{Level, TenantScope};

/// Wait after the first failure; each further one doubles it.
pub const BACKOFF_MIN: Micros = 5 * SECOND;

/// Longest wait between two tries: a peer that is back is noticed within it.
pub const BACKOFF_MAX: Micros = 15 * MINUTE;

/// Time from the first failed try after which a notification is given up: by then people know
/// from elsewhere, and what is sent late misleads.
pub const AGE_MAX: Micros = 24 * HOUR;

/// Most tries; with the waits above the last one comes after 23 hours.
pub const TRIES_MAX: u32 = 100;

/// Key of the store's settings that is there once offering has begun.
const BEGUN: &str = "outbox_begun";

/// Longest error text kept, in bytes; the rest is cut.
pub const ERROR_BYTES_MAX: usize = 500;

/// `urgency` is the highest OCSF severity that the incident had when it was last offered;
/// `first_try` the time of the first failure in this run of tries; `payload` is empty once sent.
/// `outbox_seen` is what was last offered of each incident.
pub(crate) const OUTBOX_TABLES: &str = "
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, channel TEXT NOT NULL, kind TEXT NOT NULL,
    tenant TEXT NOT NULL, incident TEXT NOT NULL, event TEXT NOT NULL, urgency INTEGER NOT NULL,
    payload TEXT NOT NULL, status TEXT NOT NULL, attempts INTEGER NOT NULL, first_try INTEGER,
    next_try INTEGER NOT NULL, last_error TEXT, created INTEGER NOT NULL, sent INTEGER,
    UNIQUE (channel, tenant, incident, event)
) STRICT;
CREATE INDEX outbox_due ON outbox (channel, next_try) WHERE status = 'pending';
CREATE INDEX outbox_by_incident ON outbox (tenant, incident) WHERE status = 'pending';
CREATE TABLE outbox_seen (
    tenant TEXT NOT NULL, incident TEXT NOT NULL, level INTEGER NOT NULL, state TEXT NOT NULL,
    verdict TEXT NOT NULL, version INTEGER NOT NULL, merged INTEGER NOT NULL,
    PRIMARY KEY (tenant, incident)
) STRICT, WITHOUT ROWID;
";

/// How far a notification is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// To be sent.
    Pending,
    /// Taken by the peer.
    Sent,
    /// Given up; `retry` brings it back.
    Dead,
}

impl Status {
    /// The word in the table and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Dead => "dead",
        }
    }

    /// The status of a [`Self::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Pending, Self::Sent, Self::Dead].into_iter().find(|s| s.word() == word)
    }
}

/// What makes a notification the one it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// The channel's name.
    pub channel: String,
    /// The customer.
    pub tenant: String,
    /// The incident's id.
    pub incident: String,
    /// What happened to it, such as `opened` or `closed:7`.
    pub event: String,
}

impl Key {
    /// The id, 32 hexadecimal digits. `opened` is the journal position that opened the incident:
    /// a customer who begins anew after an erasure has the same incident ids, not the same
    /// notifications.
    pub fn id(&self, opened: u64) -> String {
        let mut hasher = blake3::Hasher::new();
        for part in [&self.channel, &self.tenant, &self.incident, &self.event] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        hasher.update(&opened.to_le_bytes());
        hasher.finalize().as_bytes()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A notification to be kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// Which one.
    pub key: Key,
    /// Its id: [`Key::id`].
    pub id: String,
    /// The kind of channel it is written for.
    pub kind: &'static str,
    /// The highest severity of its incident so far.
    pub urgency: Level,
    /// What is sent, the same at each try.
    pub payload: String,
}

/// What was last offered of an incident.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    /// The highest level so far.
    pub level: Level,
    /// State that people gave it.
    pub state: String,
    /// Verdict that people gave it.
    pub verdict: String,
    /// Version of the newest decision.
    pub version: u64,
    /// Whether it was merged into another.
    pub merged: bool,
}

/// What was last offered, by tenant and incident.
pub type SeenMap = HashMap<(String, String), Seen>;

/// A notification to be tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// Its id, the same at each try.
    pub id: String,
    /// The kind of channel it was written for.
    pub kind: String,
    /// What is sent.
    pub payload: String,
    /// Tries that failed.
    pub attempts: u32,
    /// When it was offered.
    pub created: Micros,
}

/// Why a try failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failed<'a> {
    /// In words, without anything secret.
    pub error: &'a str,
    /// Whether another try would fail as well.
    pub permanent: bool,
    /// Time before which the peer wants no other try.
    pub not_before: Option<Micros>,
}

/// Wait after the given number of failures, of which there is at least one.
pub fn backoff(attempts: u32) -> Micros {
    let doubled = BACKOFF_MIN.saturating_mul(1 << attempts.saturating_sub(1).min(20));
    doubled.min(BACKOFF_MAX)
}

/// Whether offering has begun in this store: see [`begin`].
///
/// # Errors
/// [`MetaError::Sqlite`].
pub fn has_begun(conn: &Connection) -> Result<bool, MetaError> {
    Ok(meta(conn, BEGUN)?.is_some())
}

/// Notes that offering has begun, with what nobody is to be told, all or nothing.
///
/// # Errors
/// [`MetaError::Sqlite`].
pub fn begin(conn: &Connection, seen: &SeenMap) -> Result<(), MetaError> {
    let tx = immediate(conn)?;
    note(&tx, seen)?;
    set_meta(&tx, BEGUN, "1")?;
    tx.commit().during("begin to keep notifications")
}

/// Everything that was last offered.
///
/// # Errors
/// [`MetaError::Sqlite`], [`MetaError::Damaged`].
pub fn seen(conn: &Connection) -> Result<SeenMap, MetaError> {
    let rows: Vec<(String, String, i64, Seen)> = conn
        .prepare_cached(
            "SELECT tenant, incident, level, state, verdict, version, merged FROM outbox_seen",
        )
        .and_then(|mut s| s.query_map([], seen_row)?.collect())
        .during("read what was told")?;
    let mut map = SeenMap::with_capacity(rows.len());
    for (tenant, incident, severity, mut seen) in rows {
        seen.level = level(severity).ok_or_else(|| MetaError::Damaged {
            table: "outbox_seen",
            row: format!("{tenant} {incident}"),
        })?;
        map.insert((tenant, incident), seen);
    }
    Ok(map)
}

fn seen_row(row: &Row<'_>) -> rusqlite::Result<(String, String, i64, Seen)> {
    let seen = Seen {
        level: Level::default(),
        state: row.get(3)?,
        verdict: row.get(4)?,
        version: row.get::<_, i64>(5)?.cast_unsigned(),
        merged: row.get(6)?,
    };
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, seen))
}

fn level(severity: i64) -> Option<Level> {
    [Level::Informational, Level::Low, Level::Medium, Level::High, Level::Critical]
        .into_iter()
        .find(|level| level.severity_id() == severity)
}

/// Keeps notifications and what they were made from, all or nothing. One that is there already
/// stays as it is. Returns how many are new.
///
/// # Errors
/// [`MetaError::Sqlite`].
pub fn commit(
    conn: &Connection,
    now: Micros,
    offers: &[Offer],
    seen: &SeenMap,
) -> Result<usize, MetaError> {
    let tx = immediate(conn)?;
    let mut fresh = 0;
    for offered in offers {
        fresh += usize::from(offer(&tx, now, offered)?);
    }
    note(&tx, seen)?;
    tx.commit().during("keep notifications")?;
    Ok(fresh)
}

fn immediate(conn: &Connection) -> Result<Transaction<'_>, MetaError> {
    Transaction::new_unchecked(conn, TransactionBehavior::Immediate).during("begin a transaction")
}

fn note(conn: &Connection, seen: &SeenMap) -> Result<(), MetaError> {
    for ((tenant, incident), seen) in seen {
        let version = seen.version.cast_signed();
        let level = seen.level.severity_id();
        conn.prepare_cached(
            "INSERT OR REPLACE INTO outbox_seen VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .and_then(|mut s| {
            let Seen { state, verdict, merged, .. } = seen;
            s.execute(params![tenant, incident, level, state, verdict, version, merged])
        })
        .during("note what was told")?;
    }
    Ok(())
}

/// Keeps one notification; `false` where it is there already. What waits of the same incident is
/// made as urgent.
///
/// # Errors
/// [`MetaError::Sqlite`].
pub fn offer(conn: &Connection, now: Micros, offer: &Offer) -> Result<bool, MetaError> {
    let Key { channel, tenant, incident, event } = &offer.key;
    let urgency = offer.urgency.severity_id();
    let rows = conn
        .prepare_cached(
            "INSERT OR IGNORE INTO outbox (id, channel, kind, tenant, incident, event, urgency,
                 payload, status, attempts, next_try, created)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'pending', 0, ?9, ?9)",
        )
        .and_then(|mut s| {
            let (id, kind, payload) = (&offer.id, offer.kind, &offer.payload);
            s.execute(params![id, channel, kind, tenant, incident, event, urgency, payload, now])
        })
        .during("keep a notification")?;
    conn.prepare_cached(
        "UPDATE outbox SET urgency = ?4 WHERE channel = ?1 AND tenant = ?2 AND incident = ?3
             AND status = 'pending' AND urgency < ?4",
    )
    .and_then(|mut s| s.execute(params![channel, tenant, incident, urgency]))
    .during("keep a notification")?;
    Ok(rows > 0)
}

/// What is to be tried on a channel, oldest first, at most `limit`: whatever is at least as urgent
/// as `urgency` and no later than an equally urgent one of its incident, so that nobody hears of
/// an end before the beginning.
///
/// # Errors
/// [`MetaError::Sqlite`].
pub fn due(
    conn: &Connection,
    channel: &str,
    urgency: Level,
    now: Micros,
    limit: usize,
) -> Result<Vec<Item>, MetaError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    conn.prepare_cached(
        "SELECT id, kind, payload, attempts, created FROM outbox o
         WHERE channel = ?1 AND status = 'pending' AND next_try <= ?2 AND urgency >= ?3
             AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.status = 'pending'
                 AND e.tenant = o.tenant AND e.incident = o.incident AND e.channel = o.channel
                 AND e.seq < o.seq AND e.urgency >= ?3)
         ORDER BY next_try, seq LIMIT ?4",
    )
    .and_then(|mut s| {
        let item = |row: &Row<'_>| {
            Ok(Item {
                id: row.get(0)?,
                kind: row.get(1)?,
                payload: row.get(2)?,
                attempts: row.get(3)?,
                created: row.get(4)?,
            })
        };
        s.query_map(params![channel, now, urgency.severity_id(), limit], item)?.collect()
    })
    .during("look for what is to be sent")
}

/// When the next notification on a channel is due among those at least as urgent as `urgency`.
///
/// # Errors
/// [`MetaError::Sqlite`].
pub fn next_try(
    conn: &Connection,
    channel: &str,
    urgency: Level,
) -> Result<Option<Micros>, MetaError> {
    conn.prepare_cached(
        "SELECT min(next_try) FROM outbox o
         WHERE channel = ?1 AND status = 'pending' AND urgency >= ?2
             AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.status = 'pending'
                 AND e.tenant = o.tenant AND e.incident = o.incident AND e.channel = o.channel
                 AND e.seq < o.seq AND e.urgency >= ?2)",
    )
    .and_then(|mut s| s.query_row(params![channel, urgency.severity_id()], |row| row.get(0)))
    .during("look for what is to be sent")
}

/// Marks a notification as taken; its payload goes. `note` is what the peer said nevertheless.
///
/// # Errors
/// [`MetaError::Sqlite`].
pub fn sent(conn: &Connection, id: &str, now: Micros, note: Option<&str>) -> Result<(), MetaError> {
    conn.prepare_cached(
        "UPDATE outbox SET status = 'sent', attempts = attempts + 1, sent = ?2, payload = '',
             last_error = ?3
         WHERE id = ?1 AND status = 'pending'",
    )
    .and_then(|mut s| s.execute(params![id, now, note.map(cut)]))
    .during("mark a notification as sent")?;
    Ok(())
}

/// Marks a failed try: to be tried again after [`backoff`], or given up. Returns which, or `None`
/// where there is no such notification any more.
///
/// # Errors
/// [`MetaError::Sqlite`].
pub fn failed(
    conn: &Connection,
    id: &str,
    now: Micros,
    failed: &Failed<'_>,
) -> Result<Option<Status>, MetaError> {
    let row: Option<(u32, Option<Micros>)> = conn
        .prepare_cached(
            "SELECT attempts, first_try FROM outbox WHERE id = ?1 AND status = 'pending'",
        )
        .and_then(|mut s| {
            s.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?.next().transpose()
        })
        .during("mark a failed notification")?;
    let Some((attempts, first)) = row else { return Ok(None) };
    let (attempts, first) = (attempts.saturating_add(1), first.unwrap_or(now));
    let over = attempts >= TRIES_MAX || now.saturating_sub(first) >= AGE_MAX;
    let status = if failed.permanent || over { Status::Dead } else { Status::Pending };
    let asked = failed.not_before.unwrap_or(now).min(now.saturating_add(BACKOFF_MAX));
    let next = now.saturating_add(backoff(attempts)).max(asked);
    conn.prepare_cached(
        "UPDATE outbox SET status = ?2, attempts = ?3, first_try = ?4, next_try = ?5,
             last_error = ?6 WHERE id = ?1",
    )
    .and_then(|mut s| {
        s.execute(params![id, status.word(), attempts, first, next, cut(failed.error)])
    })
    .during("mark a failed notification")?;
    Ok(Some(status))
}

/// Gives up what waits for channels that are not among `known`. Returns how many.
///
/// # Errors
/// [`MetaError::Sqlite`].
pub fn orphans(conn: &Connection, known: &[&str]) -> Result<usize, MetaError> {
    let waiting: Vec<String> = conn
        .prepare("SELECT DISTINCT channel FROM outbox WHERE status = 'pending'")
        .and_then(|mut s| s.query_map([], |row| row.get(0))?.collect())
        .during("look for channels that are gone")?;
    let mut rows = 0;
    for channel in waiting.iter().filter(|channel| !known.contains(&channel.as_str())) {
        rows += conn
            .execute(
                "UPDATE outbox SET status = 'dead', last_error = 'the channel is not configured'
                 WHERE channel = ?1 AND status = 'pending'",
                [channel],
            )
            .during("give up on a channel that is gone")?;
    }
    Ok(rows)
}

/// Brings a given-up notification back; it is tried at once and as often as a new one. `false`
/// where there is none of the id in the scope, or it was not given up.
///
/// # Errors
/// [`MetaError::Sqlite`].
pub fn retry(
    conn: &Connection,
    scope: &TenantScope,
    id: &str,
    now: Micros,
) -> Result<bool, MetaError> {
    let rows = conn
        .prepare_cached(
            "UPDATE outbox SET status = 'pending', attempts = 0, first_try = NULL, next_try = ?3
             WHERE id = ?1 AND status = 'dead' AND (?2 IS NULL OR tenant = ?2)",
        )
        .and_then(|mut s| s.execute(params![id, scope.tenant().map(|t| t.as_str()), now]))
        .during("bring a notification back")?;
    Ok(rows > 0)
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(ERROR_BYTES_MAX)]
}
