//! What has changed since incidents were judged: kept over commits that leave judging to a
//! later one, and over restarts.

use crate::error::{During, MetaError};
use crate::schema::{meta, set_meta};
use crate::window::REACH;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use yagura_event::FindingId;
use yagura_event::time::Micros;
use yagura_verdict::params::LINK_NONE;

/// The row of `meta` that keeps it.
const KEY: &str = "dirty";

/// Findings that may wait to be judged; beyond it they are judged at once, so that what is
/// written with each commit stays small.
const FINDINGS_WAITING_MAX: usize = 10_000;

/// What commits touched: per tenant the event times, and the findings.
#[derive(Clone, Default, Debug)]
pub struct Dirty {
    /// Year of the journal at the newest of them: incidents opened by it are numbered in it.
    pub year: i32,
    /// Per tenant (first, last) of each thing touched.
    pub spans: BTreeMap<String, Vec<(Micros, Micros)>>,
    /// The findings touched.
    pub findings: BTreeSet<FindingId>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    year: i32,
    spans: BTreeMap<String, Vec<(Micros, Micros)>>,
    findings: Vec<String>,
}

impl Dirty {
    /// What an earlier process left to be judged.
    ///
    /// # Errors
    /// [`MetaError::Damaged`] if it does not read back.
    pub(crate) fn load(conn: &Connection) -> Result<Self, MetaError> {
        let Some(text) = meta(conn, KEY)?.filter(|text| !text.is_empty()) else {
            return Ok(Self::default());
        };
        let damaged = || MetaError::Damaged { table: "meta", row: KEY.into() };
        let stored: Stored = serde_json::from_str(&text).map_err(|_| damaged())?;
        let findings = stored.findings.iter().map(|id| FindingId::parse(id).ok_or_else(damaged));
        let findings = findings.collect::<Result<_, _>>()?;
        Ok(Self { year: stored.year, spans: stored.spans, findings })
    }

    /// Keeps it until it is judged.
    pub(crate) fn save(&mut self, conn: &Connection) -> Result<(), MetaError> {
        for spans in self.spans.values_mut() {
            *spans = joined(spans, 2 * REACH);
        }
        let stored = Stored {
            year: self.year,
            spans: self.spans.clone(),
            findings: self.findings.iter().map(FindingId::to_string).collect(),
        };
        let json = serde_json::to_string(&stored)
            .map_err(|source| MetaError::Json { what: "what is to be judged", source })?;
        set_meta(conn, KEY, &json)
    }

    /// Forgets what has been kept.
    pub(crate) fn forget(conn: &Connection) -> Result<(), MetaError> {
        conn.prepare_cached("DELETE FROM meta WHERE key = ?1")
            .and_then(|mut s| s.execute([KEY]))
            .during("forget what has been judged")?;
        Ok(())
    }

    /// Whether there is nothing to judge.
    pub(crate) fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.findings.is_empty()
    }

    /// Whether it is too much to wait.
    pub(crate) fn is_large(&self) -> bool {
        self.findings.len() > FINDINGS_WAITING_MAX
    }

    pub(crate) fn touch(&mut self, tenant: &str, first: Micros, last: Micros) {
        self.spans.entry(tenant.to_owned()).or_default().push((first, last));
    }

    /// Whether every finding that a relation of this time may concern is judged anew already.
    pub(crate) fn covers(&self, tenant: &str, first: Micros, last: Micros) -> bool {
        let margin = REACH - LINK_NONE;
        self.spans
            .get(tenant)
            .into_iter()
            .flatten()
            .any(|(from, to)| first >= from - margin && last <= to + margin)
    }

    /// The spans widened by [`REACH`] that are judged, by tenant.
    pub(crate) fn windows(&self) -> impl Iterator<Item = (&str, Vec<(Micros, Micros)>)> {
        self.spans.iter().map(|(tenant, spans)| {
            let windows = joined(spans, 2 * REACH);
            let wide = |(from, to): (Micros, Micros)| {
                (from.saturating_sub(REACH), to.saturating_add(REACH))
            };
            (tenant.as_str(), windows.into_iter().map(wide).collect())
        })
    }
}

/// The spans in order, those with at most `gap` between them made one.
fn joined(spans: &[(Micros, Micros)], gap: Micros) -> Vec<(Micros, Micros)> {
    let mut sorted = spans.to_vec();
    sorted.sort_unstable();
    let mut list: Vec<(Micros, Micros)> = Vec::new();
    for (from, to) in sorted {
        match list.last_mut() {
            Some(last) if from <= last.1.saturating_add(gap) => last.1 = last.1.max(to),
            _ => list.push((from, to)),
        }
    }
    list
}
