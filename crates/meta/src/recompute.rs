//! Judges anew what a commit touched, and keeps the incidents' identities.
//!
//! An incident is known again by its findings: a group that holds a finding of an open incident
//! *is* that incident; one that holds findings of several is the oldest of them, and the others
//! are merged into it. Within the judged window the group says which findings belong; what an
//! incident has from outside the window it keeps.

use crate::crc::RowSum;
use crate::dirty::Dirty;
use crate::error::{During, MetaError};
use crate::window::{self, FindingCache, Loaded};
use rusqlite::{OptionalExtension, Transaction, params};
use std::collections::BTreeSet;
use yagura_event::time::Micros;
use yagura_event::{FindingId, IncidentId, Level};
use yagura_verdict::cluster::{Candidate, judge, ledger};
use yagura_verdict::graph::Facet;
use yagura_verdict::{
    EntityKind, Graph, Incident, Item, Reading, Standing, State, assess, read_all,
};

/// Judges the surroundings of everything touched; returns the incidents that changed.
pub(crate) fn incidents(
    tx: &Transaction<'_>,
    cache: &mut FindingCache,
    dirty: &Dirty,
) -> Result<Vec<(String, String)>, MetaError> {
    let mut changed = BTreeSet::new();
    for (tenant, ranges) in dirty.windows() {
        for range in ranges {
            let window = Window { tx, tenant, year: dirty.year };
            for id in window.judge(cache, range, &dirty.findings)? {
                changed.insert((tenant.to_owned(), id));
            }
        }
    }
    Ok(changed.into_iter().collect())
}

struct Window<'t> {
    tx: &'t Transaction<'t>,
    tenant: &'t str,
    year: i32,
}

impl Window<'_> {
    fn judge(
        &self,
        cache: &mut FindingCache,
        range: (Micros, Micros),
        touched: &BTreeSet<FindingId>,
    ) -> Result<Vec<String>, MetaError> {
        let (loaded, capped) = window::findings(self.tx, cache, self.tenant, range)?;
        if capped {
            self.count_capped()?;
        }
        if loaded.is_empty() {
            return Ok(Vec::new());
        }
        let graph = Graph::new(&window::ties(self.tx, self.tenant, &loaded)?);
        let items = items(&loaded);
        let readings = read_all(&items, &graph);
        self.keep_evidence(&readings, touched)?;
        for standing in ledger(&readings) {
            self.keep_entity(&standing, &graph)?;
        }
        let inside: BTreeSet<FindingId> = loaded.iter().map(|l| l.finding.finding_id()).collect();
        let mut claimed = BTreeSet::new();
        let mut changed = Vec::new();
        for candidate in judge(&readings, &graph) {
            let known = self.known(&candidate.findings, &claimed)?;
            let Some((keep, others)) = known.split_first() else {
                let id = self.open(&candidate)?;
                claimed.insert(id.clone());
                changed.push(id);
                continue;
            };
            claimed.extend(known.iter().cloned());
            let outside = self.outside(&known, &inside)?;
            let candidate = match outside.is_empty() {
                true => candidate,
                false => self.widened(cache, candidate, &outside, &loaded)?,
            };
            for other in others {
                self.merge(other, keep)?;
                changed.push(other.clone());
            }
            if self.store(keep, &candidate, &State::Open)? || !others.is_empty() {
                changed.push(keep.clone());
            }
        }
        Ok(changed)
    }

    /// Open incidents that hold any of the findings, oldest first, without those claimed.
    fn known(
        &self,
        findings: &[FindingId],
        claimed: &BTreeSet<String>,
    ) -> Result<Vec<String>, MetaError> {
        let mut ids: BTreeSet<(i64, i64, String)> = BTreeSet::new();
        let mut statement = self
            .tx
            .prepare_cached(
                "SELECT i.year, i.number, i.id FROM incident_findings f
                 JOIN incidents i ON i.tenant = f.tenant AND i.id = f.incident
                 WHERE f.tenant = ?1 AND f.finding = ?2 AND i.state = 'open'",
            )
            .during("look for a finding's incident")?;
        for finding in findings {
            let rows = statement
                .query_map(params![self.tenant, finding.to_string()], |r| {
                    Ok((r.get(0)?, r.get(1)?, r.get(2)?))
                })
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .during("look for a finding's incident")?;
            ids.extend(rows);
        }
        Ok(ids.into_iter().map(|(.., id)| id).filter(|id| !claimed.contains(id)).collect())
    }

    /// Findings of incidents that are not in the window.
    fn outside(
        &self,
        incidents: &[String],
        inside: &BTreeSet<FindingId>,
    ) -> Result<BTreeSet<FindingId>, MetaError> {
        let mut list = BTreeSet::new();
        let mut statement = self
            .tx
            .prepare_cached(
                "SELECT finding FROM incident_findings WHERE tenant = ?1 AND incident = ?2",
            )
            .during("read an incident's findings")?;
        for incident in incidents {
            let rows: Vec<String> = statement
                .query_map(params![self.tenant, incident], |r| r.get(0))
                .and_then(Iterator::collect)
                .during("read an incident's findings")?;
            list.extend(rows.iter().filter_map(|id| FindingId::parse(id)));
        }
        list.retain(|id| !inside.contains(id));
        Ok(list)
    }

    /// The candidate with the findings its incident has from outside the window.
    fn widened(
        &self,
        cache: &mut FindingCache,
        candidate: Candidate,
        outside: &BTreeSet<FindingId>,
        loaded: &[Loaded],
    ) -> Result<Candidate, MetaError> {
        let mut all = loaded.to_vec();
        for id in outside {
            all.extend(window::finding(self.tx, cache, self.tenant, id)?);
        }
        let graph = Graph::new(&window::ties(self.tx, self.tenant, &all)?);
        let members: BTreeSet<FindingId> =
            candidate.findings.iter().chain(outside).copied().collect();
        Ok(assess(&items(&all), &members, &graph).unwrap_or(candidate))
    }

    fn open(&self, candidate: &Candidate) -> Result<String, MetaError> {
        let number: i64 = self
            .tx
            .prepare_cached(
                "INSERT INTO counters VALUES (?1, ?2, 1)
                 ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last",
            )
            .and_then(|mut s| s.query_row(params![self.tenant, self.year], |r| r.get(0)))
            .during("number an incident")?;
        let id = IncidentId::new(self.year, u32::try_from(number).unwrap_or(u32::MAX)).to_string();
        self.tx
            .prepare_cached(
                "INSERT INTO incidents VALUES (?1, ?2, ?3, ?4, 'open', NULL, 0, 0, 0, 0, 0, '', 0)",
            )
            .and_then(|mut s| s.execute(params![self.tenant, id, self.year, number]))
            .during("open an incident")?;
        self.store(&id, candidate, &State::Open)?;
        Ok(id)
    }

    /// Writes an incident's content; `false` if it is what is stored.
    fn store(&self, id: &str, candidate: &Candidate, state: &State) -> Result<bool, MetaError> {
        let incident = Incident {
            id: id.to_owned(),
            tenant: self.tenant.to_owned(),
            state: state.clone(),
            opened_lsn: candidate.trigger_lsn,
            opened_time: candidate.trigger_time,
            story: candidate.story.clone(),
        };
        let changed = write_incident(self.tx, &incident)?;
        self.tx
            .prepare_cached("DELETE FROM incident_findings WHERE tenant = ?1 AND incident = ?2")
            .and_then(|mut s| s.execute(params![self.tenant, id]))
            .during("write an incident's findings")?;
        let mut statement = self
            .tx
            .prepare_cached("INSERT INTO incident_findings VALUES (?1, ?2, ?3)")
            .during("write an incident's findings")?;
        for finding in &candidate.findings {
            statement
                .execute(params![self.tenant, id, finding.to_string()])
                .during("write an incident's findings")?;
        }
        Ok(changed)
    }

    /// Closes `other` as merged into `keep`; its content stays as it was told.
    fn merge(&self, other: &str, keep: &str) -> Result<(), MetaError> {
        let mut incident = read_incident(self.tx, self.tenant, other)?;
        incident.state = State::Merged(keep.to_owned());
        write_incident(self.tx, &incident)?;
        self.tx
            .prepare_cached("DELETE FROM incident_findings WHERE tenant = ?1 AND incident = ?2")
            .and_then(|mut s| s.execute(params![self.tenant, other]))
            .during("merge an incident")?;
        Ok(())
    }

    /// Appends evidence of the touched findings where it is new or weighs differently.
    fn keep_evidence(
        &self,
        readings: &[Reading<'_>],
        touched: &BTreeSet<FindingId>,
    ) -> Result<(), MetaError> {
        let pieces = readings
            .iter()
            .filter(|r| touched.contains(&r.finding.finding_id()))
            .flat_map(|r| &r.evidence);
        for piece in pieces {
            let finding = piece.finding.to_string();
            let (kind, value) = (piece.entity.kind.word(), piece.entity.value.as_str());
            let stored: Option<f64> = self
                .tx
                .prepare_cached(
                    "SELECT llr FROM evidence WHERE tenant = ?1 AND finding = ?2 AND kind = ?3
                     AND value = ?4 ORDER BY seq DESC LIMIT 1",
                )
                .and_then(|mut s| {
                    s.query_row(params![self.tenant, finding, kind, value], |r| r.get(0)).optional()
                })
                .during("read evidence")?;
            if stored == Some(piece.llr) {
                continue;
            }
            let row = (self.tenant, finding.as_str(), kind, value);
            let crc = evidence_crc(row, piece.llr, piece.time, &piece.reason);
            self.tx
                .prepare_cached(
                    "INSERT INTO evidence (tenant, finding, kind, value, llr, time, reason, crc)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )
                .and_then(|mut s| {
                    s.execute(params![
                        row.0,
                        row.1,
                        row.2,
                        row.3,
                        piece.llr,
                        piece.time,
                        piece.reason,
                        crc
                    ])
                })
                .during("append evidence")?;
        }
        Ok(())
    }

    fn keep_entity(&self, standing: &Standing, graph: &Graph) -> Result<(), MetaError> {
        let (kind, value) = (standing.entity.kind.word(), standing.entity.value.as_str());
        let json = serde_json::to_string(standing)
            .map_err(|source| MetaError::Json { what: "standing", source })?;
        self.tx
            .prepare_cached(
                "INSERT INTO entities VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT DO UPDATE SET prior = ?4, posterior = ?5, probability = ?6,
                 verdict = ?7, as_of = ?8, json = ?9 WHERE json <> ?9 OR as_of <> ?8",
            )
            .and_then(|mut s| {
                s.execute(params![
                    self.tenant,
                    kind,
                    value,
                    standing.prior,
                    standing.posterior,
                    standing.probability,
                    standing.verdict.word(),
                    standing.as_of,
                    json
                ])
            })
            .during("store an entity")?;
        let facets: &[Facet] = match standing.entity.kind {
            EntityKind::User => &[Facet::Who],
            EntityKind::Host => &[Facet::On, Facet::Clients, Facet::ClientsInside, Facet::Outwards],
            EntityKind::Ip | EntityKind::Domain => &[Facet::Clients, Facet::ClientsInside],
        };
        for facet in facets {
            let partners = graph.degree(&standing.entity, *facet) as i64;
            self.tx
                .prepare_cached(
                    "INSERT INTO degrees VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO UPDATE SET partners = ?5 WHERE partners <> ?5",
                )
                .and_then(|mut s| {
                    s.execute(params![self.tenant, kind, value, facet.word(), partners])
                })
                .during("store a degree")?;
        }
        Ok(())
    }

    fn count_capped(&self) -> Result<(), MetaError> {
        self.tx
            .execute(
                "INSERT INTO tenants (tenant, windows_capped) VALUES (?1, 1)
                 ON CONFLICT DO UPDATE SET windows_capped = windows_capped + 1",
                params![self.tenant],
            )
            .during("count a capped window")?;
        Ok(())
    }
}

fn items(loaded: &[Loaded]) -> Vec<Item<'_>> {
    loaded.iter().map(|l| Item { finding: &l.finding, first_lsn: l.first_lsn }).collect()
}

/// Updates the row of an incident; `false` if it already says the same.
fn write_incident(tx: &Transaction<'_>, incident: &Incident) -> Result<bool, MetaError> {
    let json = serde_json::to_string(incident)
        .map_err(|source| MetaError::Json { what: "incident", source })?;
    let (state, merged) = match &incident.state {
        State::Open => ("open", None),
        State::Merged(into) => ("merged", Some(into.as_str())),
    };
    let crc = incident_crc(&incident.tenant, &incident.id, state, &json);
    let story = &incident.story;
    let severity: Level = story.severity;
    let rows = tx
        .prepare_cached(
            "UPDATE incidents SET state = ?3, merged_into = ?4, opened_lsn = ?5, opened_time = ?6,
             severity = ?7, first_time = ?8, last_time = ?9, json = ?10, crc = ?11
             WHERE tenant = ?1 AND id = ?2 AND json <> ?10",
        )
        .and_then(|mut s| {
            s.execute(params![
                incident.tenant,
                incident.id,
                state,
                merged,
                incident.opened_lsn as i64,
                incident.opened_time,
                severity.severity_id(),
                story.first_time,
                story.last_time,
                json,
                crc
            ])
        })
        .during("store an incident")?;
    Ok(rows > 0)
}

fn read_incident(tx: &Transaction<'_>, tenant: &str, id: &str) -> Result<Incident, MetaError> {
    let json: String = tx
        .query_row(
            "SELECT json FROM incidents WHERE tenant = ?1 AND id = ?2",
            params![tenant, id],
            |r| r.get(0),
        )
        .during("read an incident")?;
    serde_json::from_str(&json)
        .map_err(|_| MetaError::Damaged { table: "incidents", row: id.to_owned() })
}

pub(crate) fn incident_crc(tenant: &str, id: &str, state: &str, json: &str) -> i64 {
    RowSum::default().text(tenant).text(id).text(state).text(json).finish()
}

pub(crate) fn evidence_crc(
    (tenant, finding, kind, value): (&str, &str, &str, &str),
    llr: f64,
    time: Micros,
    reason: &str,
) -> i64 {
    RowSum::default()
        .text(tenant)
        .text(finding)
        .text(kind)
        .text(value)
        .real(llr)
        .int(time)
        .text(reason)
        .finish()
}
