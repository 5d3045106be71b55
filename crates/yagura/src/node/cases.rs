//! Incidents with what people decided and noted.

use crate::node::backend::NodeBackend;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use yagura_api::model::{
    CaseState, CaseVerdict, Decision, IncidentSummary, NewDecision, Note, PrincipalView,
};
use yagura_api::{ApiError, Caller, Cases, Kind};
use yagura_event::time::rfc3339;
use yagura_event::{Clock, Level, SystemClock, TenantName, TenantScope};
use yagura_meta::{CaseRow, DecisionRow, NoteRow, OwnerRow, PeopleStore};
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
        owner: case.and_then(CaseRow::owner).map(str::to_owned),
        version: case.map_or(0, CaseRow::version),
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
        owner: None,
        version: row.version,
    }
}

/// What is in force, of rows newest first. Who decided and why is told of the decision, also where
/// the incident was given away since.
fn in_force(decided: &[DecisionRow], given: &[OwnerRow]) -> Decision {
    let mut now = decided.first().map(decision).unwrap_or_default();
    if let Some(row) = given.first() {
        now.owner = row.owner.clone();
        now.version = now.version.max(row.version);
    }
    now
}

/// How an incident stood after each change, newest first, of rows in any order.
fn history(decided: &[DecisionRow], given: &[OwnerRow]) -> Vec<Decision> {
    let mut changes: BTreeMap<u64, (Option<&DecisionRow>, Option<&OwnerRow>)> = BTreeMap::new();
    for row in decided {
        changes.entry(row.version).or_default().0 = Some(row);
    }
    for row in given {
        changes.entry(row.version).or_default().1 = Some(row);
    }
    let mut now = Decision::default();
    let mut all = Vec::with_capacity(changes.len());
    for (version, (decided, given)) in changes {
        if let Some(row) = decided {
            now = Decision { owner: now.owner.take(), ..decision(row) };
        }
        if let Some(row) = given {
            now.owner = row.owner.clone();
            if decided.is_none() {
                let (by, time_dt) = (Some(row.by.clone()), Some(rfc3339(row.time)));
                now = Decision { reason: String::new(), by, time_dt, version, ..now };
            }
        }
        all.push(now.clone());
    }
    all.reverse();
    all
}

/// The version of a change: the one after that which its caller has seen, or after the last.
fn next(people: &PeopleStore, one: &Incident, seen: Option<u64>) -> Result<u64, ApiError> {
    let last = people.last_version(&one.tenant, &one.id).map_err(ApiError::internal)?;
    Ok(seen.unwrap_or(last).saturating_add(1))
}

/// Somebody was faster.
fn changed() -> ApiError {
    let text = "somebody else has changed it meanwhile; look at the incident again";
    ApiError::new(Kind::Changed, "decision_changed", text)
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
    if let Some(owner) = &decision.owner {
        incident["assignee"] = json!({ "name": owner });
    }
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

    /// What was decided of an incident and whom it was given, each newest first.
    fn changes(&self, one: &Incident) -> Result<(Vec<DecisionRow>, Vec<OwnerRow>), ApiError> {
        let people = self.people();
        let decided = people.decisions(&one.tenant, &one.id).map_err(ApiError::internal)?;
        let given = people.owners(&one.tenant, &one.id).map_err(ApiError::internal)?;
        Ok((decided, given))
    }

    /// What is in force of an incident.
    fn stands(&self, one: &Incident) -> Result<Decision, ApiError> {
        let (decided, given) = self.changes(one)?;
        Ok(in_force(&decided, &given))
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
        let cases = self.people().cases(scope).map_err(ApiError::internal)?;
        let told = |one: &Incident| {
            let mut value = incident_json(one);
            let case = cases.get(&(one.tenant.clone(), one.id.clone()));
            if let Some(case) = case.filter(|case| case.version() > 0) {
                tell(&mut value, &in_force(case.decision.as_slice(), case.given.as_slice()));
            }
            value
        };
        Ok(list.iter().map(told).collect())
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
        let decision = self.stands(&incident)?;
        let mut value = incident_json(&incident);
        if decision.version > 0 {
            tell(&mut value, &decision);
        }
        Ok((value, decision))
    }

    fn decisions(&self, scope: &TenantScope, id: &str) -> Result<Vec<Decision>, ApiError> {
        let incident = self.one_incident(scope, id)?;
        let (decided, given) = self.changes(&incident)?;
        Ok(history(&decided, &given))
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
        let row = DecisionRow {
            version: next(&people, &incident, version)?,
            state: new.state.word().to_owned(),
            verdict: new.verdict.map(|verdict| verdict.word().to_owned()),
            reason: new.reason,
            by: caller.name.clone(),
            time: SystemClock.now(),
        };
        let owner = new.owner.as_deref();
        if !people.decide(tenant, id, &row, owner).map_err(ApiError::internal)? {
            return Err(changed());
        }
        drop(people);
        self.note_decided();
        self.stands(&incident)
    }

    fn give(
        &self,
        caller: &Caller,
        scope: &TenantScope,
        id: &str,
        version: Option<u64>,
        owner: Option<String>,
    ) -> Result<Decision, ApiError> {
        let incident = self.one_incident(scope, id)?;
        self.writable(&incident)?;
        let mut people = self.people();
        let version = next(&people, &incident, version)?;
        let row = OwnerRow { version, owner, by: caller.name.clone(), time: SystemClock.now() };
        let given = people.give(&incident.tenant, &incident.id, &row);
        if !given.map_err(ApiError::internal)? {
            return Err(changed());
        }
        drop(people);
        self.note_decided();
        self.stands(&incident)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(version: u64, state: &str, reason: &str) -> DecisionRow {
        let (state, reason, by) = (state.to_owned(), reason.to_owned(), "kim".to_owned());
        DecisionRow { version, state, verdict: None, reason, by, time: 0 }
    }

    fn given(version: u64, owner: Option<&str>) -> OwnerRow {
        OwnerRow { version, owner: owner.map(str::to_owned), by: "lee".to_owned(), time: 0 }
    }

    #[test]
    fn an_owner_stays_over_decisions_and_a_decision_over_owners() {
        let decided = [decided(3, "on_hold", "waiting"), decided(2, "in_progress", "mine")];
        let given =
            [given(5, None), given(4, Some("oz")), given(2, Some("kim")), given(1, Some("nina"))];
        let told = |one: &Decision| {
            let by = one.by.clone().unwrap_or_default();
            let owner = one.owner.clone().unwrap_or_default();
            format!("{} {} {by} {owner:?} {:?}", one.version, one.state.word(), one.reason)
        };
        let all: Vec<String> = history(&decided, &given).iter().map(told).collect();
        assert_eq!(
            all,
            [
                r#"5 on_hold lee "" """#,
                r#"4 on_hold lee "oz" """#,
                r#"3 on_hold kim "kim" "waiting""#,
                r#"2 in_progress kim "kim" "mine""#,
                r#"1 new lee "nina" """#,
            ]
        );
        assert_eq!(told(&in_force(&decided, &given)), r#"5 on_hold kim "" "waiting""#);
        assert_eq!(in_force(&[], &[]), Decision::default());
    }
}
