//! Which rules people have switched off, and the switch itself.

use crate::node::backend::{NodeBackend, intake_error};
use crate::node::door::META_FILE;
use std::collections::BTreeSet;
use std::path::Path;
use yagura_api::model::{NewRuleState, RuleState, RuleSummary};
use yagura_api::{ApiError, Caller, Detections, Kind};
use yagura_collect::IntakeError;
use yagura_event::time::rfc3339;
use yagura_event::{Clock, SystemClock, TenantScope};
use yagura_meta::{PeopleStore, RuleStateRow};

/// Ids of the rules that are switched off in a data directory.
///
/// # Errors
/// A store that cannot be read.
pub fn switched_off(data: &Path) -> anyhow::Result<BTreeSet<String>> {
    let path = data.join(META_FILE);
    if !path.exists() {
        return Ok(BTreeSet::new());
    }
    Ok(PeopleStore::open_read_only(&path)?.rules_off()?)
}

/// A decision for the API.
pub fn rule_state(row: &RuleStateRow) -> RuleState {
    RuleState {
        enabled: row.enabled,
        reason: row.reason.clone(),
        by: row.by.clone(),
        time_dt: rfc3339(row.time),
        version: row.version,
    }
}

/// There is no such rule.
pub fn unknown(id: &str) -> ApiError {
    ApiError::new(Kind::NotFound, "rule_unknown", format!("there is no rule {id}"))
}

/// Refuses to switch off what would go on as before.
fn can_be_off(rule: &RuleSummary) -> Result<(), ApiError> {
    let no = |code, text: String| Err(ApiError::new(Kind::Invalid, code, text));
    if rule.kind == "filter" {
        let text = "a filter finds nothing by itself; take its file away to have it narrow nothing";
        return no("rule_is_filter", text.to_owned());
    }
    if rule.only_feeds {
        let names = rule.feeds.join(", ");
        let text = format!("this rule only feeds correlations; switch those off instead: {names}");
        return no("rule_only_feeds", text);
    }
    Ok(())
}

impl NodeBackend {
    /// What was decided about a rule, newest first.
    pub(super) fn states_of(&self, id: &str) -> Result<Vec<RuleState>, ApiError> {
        let rows = self.people().rule_history(id).map_err(ApiError::internal)?;
        if rows.is_empty() && !self.rules(&TenantScope::operator())?.iter().any(|r| r.id == id) {
            return Err(unknown(id));
        }
        Ok(rows.iter().map(rule_state).collect())
    }

    /// Keeps the decision, then puts it in force.
    pub(super) fn switch(
        &self,
        caller: &Caller,
        id: &str,
        version: Option<u64>,
        new: NewRuleState,
    ) -> Result<RuleState, ApiError> {
        let rules = self.rules(&TenantScope::operator())?;
        let rule = rules.iter().find(|rule| rule.id == id).ok_or_else(|| unknown(id))?;
        if !new.enabled {
            can_be_off(rule)?;
        }
        let mut people = self.people();
        let last = people.rule_history(id).map_err(ApiError::internal)?;
        let last = last.first().map_or(0, |row| row.version);
        let row = RuleStateRow {
            version: version.unwrap_or(last).saturating_add(1),
            enabled: new.enabled,
            reason: new.reason,
            by: caller.name.clone(),
            time: SystemClock.now(),
        };
        if !people.switch_rule(id, &row).map_err(ApiError::internal)? {
            let text = "somebody else has switched this rule meanwhile; look at it again";
            return Err(ApiError::new(Kind::Changed, "rule_state_changed", text));
        }
        drop(people);
        self.node().switch_rules().map_err(|error| match error.downcast::<IntakeError>() {
            Ok(error) => intake_error(error),
            Err(error) => ApiError::internal(crate::message::of(&error)),
        })?;
        Ok(rule_state(&row))
    }
}
