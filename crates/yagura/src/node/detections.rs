//! Findings, entities and rules for the routes.

use crate::node::backend::NodeBackend;
use crate::node::cases::summary;
use crate::node::switches::{rule_state, unknown};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use yagura_api::model::{
    EntitySummary, EntityView, EvidenceView, FindingSummary, List, NewRuleState, RuleFile,
    RuleProblem, RuleState, RuleSummary, RuleView,
};
use yagura_api::page;
use yagura_api::{ApiError, Caller, Detections, EntitiesAsked, FindingsAsked, Kind};
use yagura_detect::{RuleError, RuleInfo, RuleKind, RuleSet};
use yagura_event::time::rfc3339;
use yagura_event::{Finding, FindingId, Micros, TenantScope};
use yagura_meta::{EntityFilter, EntityPlace, EntityRow, FindingFilter, RuleStats};
use yagura_verdict::{EntityKind, finding_json};

/// Findings shown of an entity.
const FINDINGS_OF_ENTITY: usize = 200;

/// Most bytes shown of a rule file that is too long for rules or not UTF-8: enough to see what it
/// is. Beyond it the answer says that it was cut.
const UNLOADED_BYTES_MAX: usize = 256 * 1024;

/// A finding for a list.
pub fn finding_summary(finding: &Finding) -> FindingSummary {
    FindingSummary {
        id: finding.finding_id().to_string(),
        tenant: finding.tenant.clone(),
        title: finding.title.clone(),
        rule: finding.rule.clone(),
        level: finding.level.word().to_owned(),
        count: finding.count,
        first_time_dt: rfc3339(finding.first_time),
        last_time_dt: rfc3339(finding.last_time),
        retrospective: finding.retrospective,
    }
}

fn cursor_of(finding: &Finding) -> String {
    format!("{}.{}", finding.last_time, finding.finding_id())
}

fn cursor(text: &str) -> Result<(Micros, FindingId), ApiError> {
    let parts = text.split_once('.');
    let parsed = parts.and_then(|(time, id)| Some((time.parse().ok()?, FindingId::parse(id)?)));
    parsed.ok_or_else(|| ApiError::new(Kind::Invalid, "cursor", "this list has no such place"))
}

/// The posterior is told bit by bit: a page must begin at exactly this one.
fn entity_cursor(place: &EntityPlace) -> String {
    let EntityPlace { posterior, tenant, kind, value } = place;
    page::cursor_of(&format!("{:016x}\n{tenant}\n{kind}\n{value}", posterior.to_bits()))
}

fn entity_place(cursor: &str) -> Result<EntityPlace, ApiError> {
    let text = page::place_of(cursor)?;
    let mut parts = text.splitn(4, '\n');
    let mut part = || parts.next().map(str::to_owned);
    let bits = part().and_then(|bits| u64::from_str_radix(&bits, 16).ok());
    match (bits, part(), part(), part()) {
        (Some(bits), Some(tenant), Some(kind), Some(value)) => {
            Ok(EntityPlace { posterior: f64::from_bits(bits), tenant, kind, value })
        }
        _ => Err(ApiError::new(Kind::Invalid, "cursor", "this list has no such place")),
    }
}

fn entity_kind(word: &str) -> Result<EntityKind, ApiError> {
    EntityKind::from_word(word).ok_or_else(|| {
        ApiError::new(Kind::Invalid, "entity_kind", "a kind is host, user, ip or domain")
    })
}

impl Detections for NodeBackend {
    fn findings(
        &self,
        scope: &TenantScope,
        asked: &FindingsAsked,
    ) -> Result<List<Value>, ApiError> {
        let judge = self.node().judge().map_err(ApiError::internal)?;
        let filter = FindingFilter {
            rule: asked.rule.clone(),
            level_min: asked.level_min,
            since: asked.since,
            until: asked.until,
            after: asked.cursor.as_deref().map(cursor).transpose()?,
        };
        let found = judge.findings(scope, &filter, asked.limit + 1);
        let mut found = found.map_err(ApiError::internal)?;
        let more = found.len() > asked.limit;
        found.truncate(asked.limit);
        let next_cursor = found.last().filter(|_| more).map(cursor_of);
        Ok(List { items: found.iter().map(finding_json).collect(), next_cursor })
    }

    fn finding(&self, scope: &TenantScope, id: &str) -> Result<Value, ApiError> {
        let unknown = || {
            ApiError::new(Kind::NotFound, "finding_unknown", format!("there is no finding {id}"))
        };
        let id = FindingId::parse(id).ok_or_else(unknown)?;
        let judge = self.node().judge().map_err(ApiError::internal)?;
        let finding = judge.finding(scope, id).map_err(ApiError::internal)?.ok_or_else(unknown)?;
        let incidents = judge.incidents_of(scope, id).map_err(ApiError::internal)?;
        let ids: Vec<String> = incidents.into_iter().map(|(_, incident)| incident).collect();
        let mut value = finding_json(&finding);
        value["incidents"] = json!(ids);
        Ok(value)
    }

    fn entities(
        &self,
        scope: &TenantScope,
        asked: &EntitiesAsked,
    ) -> Result<List<EntitySummary>, ApiError> {
        let verdict = asked.verdict.as_deref();
        if verdict.is_some_and(|word| !["white", "grey", "black"].contains(&word)) {
            let text = "a verdict is white, grey or black";
            return Err(ApiError::new(Kind::Invalid, "verdict", text));
        }
        let filter = EntityFilter {
            kind: asked.kind.as_deref().map(entity_kind).transpose()?,
            verdict: asked.verdict.clone(),
            after: asked.cursor.as_deref().map(entity_place).transpose()?,
        };
        let judge = self.node().judge().map_err(ApiError::internal)?;
        let rows = judge.entities(scope, &filter, asked.limit + 1);
        let mut rows = rows.map_err(ApiError::internal)?;
        let more = rows.len() > asked.limit;
        rows.truncate(asked.limit);
        let next_cursor = rows.last().filter(|_| more).map(|row| entity_cursor(&row.place));
        let summary = |row: EntityRow| EntitySummary {
            tenant: row.tenant,
            kind: row.standing.entity.kind.word().to_owned(),
            value: row.standing.entity.value,
            verdict: row.standing.verdict.word().to_owned(),
            probability: row.standing.probability,
            prior: row.standing.prior,
            posterior: row.standing.posterior,
            as_of_time_dt: rfc3339(row.standing.as_of),
        };
        Ok(List { items: rows.into_iter().map(summary).collect(), next_cursor })
    }

    fn entity(&self, scope: &TenantScope, kind: &str, value: &str) -> Result<EntityView, ApiError> {
        let kind = entity_kind(kind)?;
        let judge = self.node().judge().map_err(ApiError::internal)?;
        let standing = judge.standing(scope, kind, value).map_err(ApiError::internal)?;
        let findings = judge.findings_of(scope, kind, value, FINDINGS_OF_ENTITY);
        let findings = findings.map_err(ApiError::internal)?;
        let known = standing.as_ref().map(|(tenant, _)| tenant.clone());
        let Some(tenant) = known.or_else(|| findings.first().map(|f| f.tenant.clone())) else {
            let text = "nothing has been found about this";
            return Err(ApiError::new(Kind::NotFound, "entity_unknown", text));
        };
        let evidence = judge.evidence(scope, kind, value).map_err(ApiError::internal)?;
        let incidents = judge.incidents_with(scope, kind, value).map_err(ApiError::internal)?;
        let cases = self.people().cases(scope).map_err(ApiError::internal)?;
        let standing = standing.map(|(_, standing)| serde_json::to_value(standing)).transpose();
        Ok(EntityView {
            tenant,
            kind: kind.word().to_owned(),
            value: value.to_owned(),
            standing: standing.map_err(ApiError::internal)?,
            evidence: evidence
                .into_iter()
                .map(|row| EvidenceView {
                    finding: row.finding,
                    title: row.title,
                    rule: row.rule,
                    llr: row.llr,
                    time_dt: rfc3339(row.time),
                    reason: row.reason,
                })
                .collect(),
            findings: findings.iter().map(finding_summary).collect(),
            incidents: incidents
                .iter()
                .map(|one| summary(one, cases.get(&(one.tenant.clone(), one.id.clone()))))
                .collect(),
        })
    }

    fn rules(&self, scope: &TenantScope) -> Result<Vec<RuleSummary>, ApiError> {
        let judge = self.node().judge().map_err(ApiError::internal)?;
        let mut stats = judge.rule_stats(scope).map_err(ApiError::internal)?;
        let states = self.people().rule_states().map_err(ApiError::internal)?;
        let engine = self.node().engine();
        let feeds = feeds(engine.rules());
        let mut all = Vec::new();
        for (rule, feeds) in engine.rules().rules.iter().zip(feeds) {
            let cannot = engine.plan_errors().iter().find(|error| error.rule() == rule.id);
            let error = cannot.map(|error| RuleProblem {
                code: error.code().to_owned(),
                message: error.to_string(),
                line: Some(u64::from(rule.line)),
            });
            let stats = stats.remove(&rule.id).unwrap_or_default();
            all.push(RuleSummary { feeds, ..rule_summary(rule, stats, error) });
        }
        all.extend(engine.rules().errors.iter().map(unloaded));
        for rule in &mut all {
            rule.switched = states.get(&rule.id).map(rule_state);
            rule.enabled = rule.switched.as_ref().is_none_or(|state| state.enabled);
        }
        Ok(all)
    }

    fn rule_file(&self, path: &str) -> Result<RuleFile, ApiError> {
        let path = path.to_owned();
        if let Some(text) = self.node().rule_text(&path) {
            return Ok(RuleFile { path, text, truncated: false });
        }
        // No other path is read than one at which the rules were looked for.
        let engine = self.node().engine();
        let known = engine.rules().errors.iter().any(|error| error.path == path);
        let read = known.then(|| beginning(Path::new(&path)).ok()).flatten();
        let (text, truncated) = read.ok_or_else(|| {
            let text = "there is no such file among those of rules, or it cannot be read";
            ApiError::new(Kind::NotFound, "rule_file_unknown", text)
        })?;
        Ok(RuleFile { path, text, truncated })
    }

    fn rule(&self, scope: &TenantScope, id: &str) -> Result<RuleView, ApiError> {
        let summary = self.rules(scope)?.into_iter().find(|rule| rule.id == id);
        let summary = summary.ok_or_else(|| unknown(id))?;
        let text = self.node().rule_text(&summary.path).unwrap_or_default();
        let engine = self.node().engine();
        let rule = engine.rules().by_id(id).map(|(_, rule)| rule);
        Ok(RuleView {
            text,
            description: rule.map(|rule| rule.description.clone()).unwrap_or_default(),
            author: rule.map(|rule| rule.author.clone()).unwrap_or_default(),
            references: rule.map(|rule| rule.references.clone()).unwrap_or_default(),
            falsepositives: rule.map(|rule| rule.false_positives.clone()).unwrap_or_default(),
            summary,
        })
    }

    fn rule_states(&self, id: &str) -> Result<Vec<RuleState>, ApiError> {
        self.states_of(id)
    }

    fn switch_rule(
        &self,
        caller: &Caller,
        id: &str,
        version: Option<u64>,
        new: NewRuleState,
    ) -> Result<RuleState, ApiError> {
        self.switch(caller, id, version, new)
    }
}

/// The beginning of a file, and whether there is more.
fn beginning(path: &Path) -> io::Result<(String, bool)> {
    // A pipe would be waited for.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(UNLOADED_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    let truncated = bytes.len() > UNLOADED_BYTES_MAX;
    bytes.truncate(UNLOADED_BYTES_MAX);
    Ok((String::from_utf8_lossy(&bytes).into_owned(), truncated))
}

/// By rule, the ids of the correlations that refer to it.
fn feeds(rules: &RuleSet) -> Vec<Vec<String>> {
    let mut feeds = vec![Vec::new(); rules.rules.len()];
    for rule in &rules.rules {
        let RuleKind::Correlation(correlation) = &rule.kind else { continue };
        for below in &correlation.rules {
            if let Some(feeds) = feeds.get_mut(below.at()) {
                feeds.push(rule.id.clone());
            }
        }
    }
    feeds
}

fn rule_summary(rule: &RuleInfo, stats: RuleStats, error: Option<RuleProblem>) -> RuleSummary {
    let logsource = rule.logsource.as_ref().map(|place| {
        json!({
            "product": place.product, "service": place.service, "category": place.category,
        })
    });
    RuleSummary {
        id: rule.id.clone(),
        title: rule.title.clone(),
        level: rule.level.word().to_owned(),
        kind: rule.kind.word().to_owned(),
        status: rule.status.clone(),
        path: rule.path.clone(),
        line: u64::from(rule.line),
        enabled: true,
        switched: None,
        feeds: Vec::new(),
        only_feeds: !rule.generate,
        logsource,
        tags: rule.tags.clone(),
        findings: stats.findings,
        matches: stats.matches,
        incidents: stats.incidents,
        last_time_dt: (stats.findings > 0).then(|| rfc3339(stats.last_time)),
        error,
    }
}

fn unloaded(error: &RuleError) -> RuleSummary {
    RuleSummary {
        id: error.id.clone().unwrap_or_default(),
        title: error.title.clone().unwrap_or_default(),
        level: String::new(),
        kind: String::new(),
        status: String::new(),
        path: error.path.clone(),
        line: u64::from(error.line),
        enabled: true,
        switched: None,
        feeds: Vec::new(),
        only_feeds: false,
        logsource: None,
        tags: Vec::new(),
        findings: 0,
        matches: 0,
        incidents: 0,
        last_time_dt: None,
        error: Some(RuleProblem {
            code: error.code.to_owned(),
            message: error.message.clone(),
            line: Some(u64::from(error.line)),
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_cursor_of_entities_says_where_exactly_a_page_begins() {
        let text = str::to_owned;
        let (tenant, kind, value) = (text("acme"), text("user"), text("a\nb 櫓"));
        let place = EntityPlace { posterior: 0.1 + 0.2, tenant, kind, value };
        assert_eq!(entity_place(&entity_cursor(&place)).unwrap(), place);
        for wrong in
            ["", "zz", &page::cursor_of("1\nacme\nuser"), &page::cursor_of("x\nacme\nuser\nv")]
        {
            assert_eq!(entity_place(wrong).unwrap_err().code, "cursor", "{wrong}");
        }
    }

    #[test]
    fn of_a_file_that_is_not_loaded_the_beginning_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("long.yml");
        for (bytes, truncated) in [(UNLOADED_BYTES_MAX, false), (UNLOADED_BYTES_MAX + 1, true)] {
            std::fs::write(&path, vec![b'a'; bytes]).unwrap();
            let (text, cut) = beginning(&path).unwrap();
            assert_eq!((text.len(), cut), (UNLOADED_BYTES_MAX, truncated));
        }
        std::fs::write(&path, b"a\xffb").unwrap();
        assert_eq!(beginning(&path).unwrap().0, "a\u{fffd}b");
        assert!(beginning(dir.path()).is_err());
    }
}
