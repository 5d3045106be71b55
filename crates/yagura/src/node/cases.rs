//! Incidents with what people decided and noted.

use crate::node::backend::NodeBackend;
use serde_json::Value;
use yagura_api::model::{
    CaseState, CaseVerdict, Decision, IncidentSummary, NewDecision, Note, PrincipalView,
};
use yagura_api::{ApiError, Caller, Cases, Kind};
use yagura_event::time::rfc3339;
use yagura_event::{Clock, Level, SystemClock, TenantName, TenantScope};
use yagura_meta::{CaseRow, DecisionRow, NoteRow};
use yagura_verdict::{Incident, State, incident_json};

/// Principals in a summary.
const PRINCIPALS_MAX: usize = 4;

/// Whether nobody has decided yet.
pub fn needs_somebody(summary: &IncidentSummary) -> bool {
    summary.state == CaseState::New && summary.merged_into.is_none()
}

/// An incident for a list.
pub fn summary(incident: &Incident, case: Option<&CaseRow>) -> IncidentSummary {
    let story = &incident.story;
    let decision = case.and_then(|case| case.decision.as_ref());
    let (state, verdict) = decision.map_or((CaseState::New, None), said);
    let principal = |one: &yagura_verdict::Principal| PrincipalView {
        r#type: one.entity.kind.word().to_owned(),
        value: one.entity.value.clone(),
        role: one.role.word().to_owned(),
        verdict: one.verdict.word().to_owned(),
        probability: one.probability,
    };
    IncidentSummary {
        id: incident.id.clone(),
        tenant: incident.tenant.clone(),
        title: story.title.clone(),
        title_ja: story.title_ja.clone(),
        severity: story.severity.word().to_owned(),
        severity_id: severity_id(story.severity),
        outcome: story.outcome.word().to_owned(),
        state,
        verdict,
        decided_by: decision.map(|row| row.by.clone()),
        merged_into: match &incident.state {
            State::Merged(into) => Some(into.clone()),
            State::Open => None,
        },
        opened_time_dt: rfc3339(incident.opened_time),
        first_time_dt: rfc3339(story.first_time),
        last_time_dt: rfc3339(story.last_time),
        findings: story.timeline.len() as u64,
        tactics: story.tactics.iter().map(|tactic| tactic.name().to_owned()).collect(),
        principals: story.principals.iter().take(PRINCIPALS_MAX).map(principal).collect(),
        notes: case.map_or(0, |case| case.notes),
    }
}

fn severity_id(level: Level) -> u8 {
    u8::try_from(level.severity_id()).unwrap_or_default()
}

/// Words that are not known are those of a newer program: nothing is decided then.
fn said(row: &DecisionRow) -> (CaseState, Option<CaseVerdict>) {
    let verdict = row.verdict.as_deref().and_then(CaseVerdict::from_word);
    (CaseState::from_word(&row.state).unwrap_or_default(), verdict)
}

fn decision(row: &DecisionRow) -> Decision {
    let (state, verdict) = said(row);
    Decision {
        state,
        verdict,
        reason: row.reason.clone(),
        by: Some(row.by.clone()),
        time_dt: Some(rfc3339(row.time)),
        version: row.version,
    }
}

/// What is decided, in OCSF's own attributes of an Incident Finding.
fn tell(incident: &mut Value, decision: &Decision) {
    let (status_id, status) = match decision.state {
        CaseState::New => (1, "New"),
        CaseState::InProgress => (2, "In Progress"),
        CaseState::OnHold => (3, "On Hold"),
        CaseState::Resolved => (4, "Resolved"),
        CaseState::Closed => (5, "Closed"),
    };
    incident["status_id"] = status_id.into();
    incident["status"] = status.into();
    let Some(verdict) = decision.verdict else { return };
    let (verdict_id, verdict) = match verdict {
        CaseVerdict::FalsePositive => (1, "False Positive"),
        CaseVerdict::TruePositive => (2, "True Positive"),
        CaseVerdict::Disregard => (3, "Disregard"),
        CaseVerdict::Suspicious => (4, "Suspicious"),
        CaseVerdict::Benign => (5, "Benign"),
        CaseVerdict::Test => (6, "Test"),
        CaseVerdict::InsufficientData => (7, "Insufficient Data"),
        CaseVerdict::Duplicate => (10, "Duplicate"),
    };
    incident["verdict_id"] = verdict_id.into();
    incident["verdict"] = verdict.into();
}

fn note(row: NoteRow) -> Note {
    let (id, time_dt) = (row.id.to_string(), rfc3339(row.time));
    Note { id, text: row.text, by: row.by, time_dt }
}

impl NodeBackend {
    /// The incident of an id; every tenant numbers its own.
    fn one_incident(&self, scope: &TenantScope, id: &str) -> Result<Incident, ApiError> {
        let judge = self.node().judge().map_err(ApiError::internal)?;
        let mut found = judge.incident(scope, id).map_err(ApiError::internal)?;
        if found.len() > 1 {
            let text = "several tenants have an incident of this id; name the tenant";
            return Err(ApiError::new(Kind::Invalid, "tenant_needed", text));
        }
        found.pop().ok_or_else(|| {
            ApiError::new(Kind::NotFound, "incident_unknown", format!("there is no incident {id}"))
        })
    }

    /// Refuses to write about a tenant that is being erased.
    fn writable(&self, incident: &Incident) -> Result<(), ApiError> {
        let tenant = TenantName::new(&incident.tenant).map_err(ApiError::internal)?;
        match self.node().intake().closed().is_closed(tenant.as_str()) {
            false => Ok(()),
            true => {
                let text = format!("{tenant} is being erased");
                Err(ApiError::new(Kind::Busy, "tenant_erasing", text))
            }
        }
    }
}

impl Cases for NodeBackend {
    fn incidents(&self, scope: &TenantScope) -> Result<Vec<Value>, ApiError> {
        let judge = self.node().judge().map_err(ApiError::internal)?;
        let list = judge.incidents(scope).map_err(ApiError::internal)?;
        Ok(list.iter().map(incident_json).collect())
    }

    fn summaries(&self, scope: &TenantScope) -> Result<Vec<IncidentSummary>, ApiError> {
        let judge = self.node().judge().map_err(ApiError::internal)?;
        let list = judge.incidents(scope).map_err(ApiError::internal)?;
        let cases = self.people().cases(scope).map_err(ApiError::internal)?;
        let of = |one: &Incident| {
            let key = (one.tenant.clone(), one.id.clone());
            summary(one, cases.get(&key))
        };
        Ok(list.iter().map(of).collect())
    }

    fn incident(&self, scope: &TenantScope, id: &str) -> Result<(Value, Decision), ApiError> {
        let incident = self.one_incident(scope, id)?;
        let decided = self.people().decisions(&incident.tenant, &incident.id);
        let decided = decided.map_err(ApiError::internal)?;
        let decision = decided.first().map(decision).unwrap_or_default();
        let mut value = incident_json(&incident);
        if decision.version > 0 {
            tell(&mut value, &decision);
        }
        Ok((value, decision))
    }

    fn decisions(&self, scope: &TenantScope, id: &str) -> Result<Vec<Decision>, ApiError> {
        let incident = self.one_incident(scope, id)?;
        let decided = self.people().decisions(&incident.tenant, &incident.id);
        Ok(decided.map_err(ApiError::internal)?.iter().map(decision).collect())
    }

    fn decide(
        &self,
        caller: &Caller,
        scope: &TenantScope,
        id: &str,
        version: Option<u64>,
        new: NewDecision,
    ) -> Result<Decision, ApiError> {
        let incident = self.one_incident(scope, id)?;
        self.writable(&incident)?;
        let (tenant, id) = (&incident.tenant, &incident.id);
        let mut people = self.people();
        let last = people.decisions(tenant, id).map_err(ApiError::internal)?;
        let last = last.first().map_or(0, |row| row.version);
        let row = DecisionRow {
            version: version.unwrap_or(last) + 1,
            state: new.state.word().to_owned(),
            verdict: new.verdict.map(|verdict| verdict.word().to_owned()),
            reason: new.reason,
            by: caller.name.clone(),
            time: SystemClock.now(),
        };
        if !people.decide(tenant, id, &row).map_err(ApiError::internal)? {
            let text = "somebody else has decided meanwhile; look at the incident again";
            return Err(ApiError::new(Kind::Changed, "decision_changed", text));
        }
        drop(people);
        self.note_decided();
        Ok(decision(&row))
    }

    fn notes(&self, scope: &TenantScope, id: &str) -> Result<Vec<Note>, ApiError> {
        let incident = self.one_incident(scope, id)?;
        let notes = self.people().notes(&incident.tenant, &incident.id);
        Ok(notes.map_err(ApiError::internal)?.into_iter().map(note).collect())
    }

    fn add_note(
        &self,
        caller: &Caller,
        scope: &TenantScope,
        id: &str,
        text: &str,
        key: Option<&str>,
    ) -> Result<Note, ApiError> {
        let incident = self.one_incident(scope, id)?;
        self.writable(&incident)?;
        let (text, by) = (text.to_owned(), caller.name.clone());
        let row = NoteRow { id: 0, text, by, time: SystemClock.now() };
        let added = self.people().add_note(&incident.tenant, &incident.id, &row, key);
        let added = added.map_err(ApiError::internal)?.ok_or_else(|| {
            let text = "this incident has as many notes as it may have";
            ApiError::new(Kind::TooMany, "notes_too_many", text)
        })?;
        self.note_decided();
        Ok(note(added))
    }
}
