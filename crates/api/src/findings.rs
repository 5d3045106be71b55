//! Routes of findings, entities and rules.

use crate::access::Caller;
use crate::error::{ApiError, Kind};
use crate::extract::{Body, Params, Segment};
use crate::model::{
    EntitySummary, EntityView, List, NewRuleState, RuleFile, RuleState, RuleSummary, RuleView,
};
use crate::page::{self, CommonPageQuery, PageQuery};
use crate::routes::{Shared, blocking};
use crate::scope::{TenantQuery, all_tenants, scope};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yagura_event::time::parse_rfc3339;
use yagura_event::{Level, Micros, TenantScope};

/// Most findings in one page.
const FINDINGS_MAX: usize = 10_000;

/// Longest reason for switching a rule, in characters.
const REASON_MAX: usize = 2_000;

/// Which findings are asked for.
#[derive(Clone, Debug, Default)]
pub struct FindingsAsked {
    /// Of this rule.
    pub rule: Option<String>,
    /// From this level up.
    pub level_min: Level,
    /// With their last event at or after it.
    pub since: Option<Micros>,
    /// With their first event at or before it.
    pub until: Option<Micros>,
    /// Where the page begins, as the page before said.
    pub cursor: Option<String>,
    /// Most of them.
    pub limit: usize,
}

/// Which entities are asked for.
#[derive(Clone, Debug, Default)]
pub struct EntitiesAsked {
    /// `host`, `user`, `ip` or `domain`; all where absent.
    pub kind: Option<String>,
    /// `white`, `grey` or `black`; all where absent.
    pub verdict: Option<String>,
    /// Where the page begins, as the page before said.
    pub cursor: Option<String>,
    /// Most of them.
    pub limit: usize,
}

/// Findings, entities, rules; methods block.
pub trait Detections {
    /// Findings, newest first, as OCSF Detection Findings.
    ///
    /// # Errors
    /// `Invalid` for a cursor that is none, `Internal` where the store fails.
    fn findings(&self, scope: &TenantScope, asked: &FindingsAsked)
    -> Result<List<Value>, ApiError>;

    /// One finding, with the ids of its incidents in `incidents`.
    ///
    /// # Errors
    /// `NotFound`, `Internal`.
    fn finding(&self, scope: &TenantScope, id: &str) -> Result<Value, ApiError>;

    /// Entities, most suspect first.
    ///
    /// # Errors
    /// `Invalid` for a kind, a verdict or a cursor that is none, `Internal` where the store fails.
    fn entities(
        &self,
        scope: &TenantScope,
        asked: &EntitiesAsked,
    ) -> Result<List<EntitySummary>, ApiError>;

    /// One entity.
    ///
    /// # Errors
    /// `NotFound`, `Invalid`, `Internal`.
    fn entity(&self, scope: &TenantScope, kind: &str, value: &str) -> Result<EntityView, ApiError>;

    /// The rules in force, and those that could not be loaded.
    ///
    /// # Errors
    /// `Internal` where a store fails.
    fn rules(&self, scope: &TenantScope) -> Result<Vec<RuleSummary>, ApiError>;

    /// A file among those that rules are read from, by the path that lists of rules name.
    ///
    /// # Errors
    /// `NotFound` for any other path, and where it cannot be read.
    fn rule_file(&self, path: &str) -> Result<RuleFile, ApiError>;

    /// One rule.
    ///
    /// # Errors
    /// `NotFound`, `Internal`.
    fn rule(&self, scope: &TenantScope, id: &str) -> Result<RuleView, ApiError>;

    /// What was decided about a rule, newest first.
    ///
    /// # Errors
    /// `NotFound` where there is no such rule and nothing was decided, `Internal`.
    fn rule_states(&self, id: &str) -> Result<Vec<RuleState>, ApiError>;

    /// Switches a rule on or off for all tenants, where what is in force is of `version`.
    ///
    /// # Errors
    /// `NotFound`, `Changed`, `Invalid` for a rule that cannot be switched off, `Busy` where it
    /// is kept and not in force yet, `Internal`.
    fn switch_rule(
        &self,
        caller: &Caller,
        id: &str,
        version: Option<u64>,
        new: NewRuleState,
    ) -> Result<RuleState, ApiError>;
}

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(findings))
        .routes(routes!(finding))
        .routes(routes!(entities))
        .routes(routes!(entity))
        .routes(routes!(rules))
        .routes(routes!(rule_file))
        .routes(routes!(rule))
        .routes(routes!(rule_states))
        .routes(routes!(switch_rule))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FindingsQuery {
    /// Only this customer's.
    tenant: Option<String>,
    /// Of this rule only.
    rule: Option<String>,
    /// From this level up: `informational`, `low`, `medium`, `high`, `critical`.
    level: Option<String>,
    /// With their last event at or after this time, RFC 3339.
    since: Option<String>,
    /// With their first event at or before this time, RFC 3339.
    until: Option<String>,
    /// Most of them, at most 10,000; 1,000 where absent.
    limit: Option<usize>,
    /// Where the page begins.
    cursor: Option<String>,
}

/// Findings, newest last event first, as OCSF Detection Findings.
#[utoipa::path(
    get, path = "/api/v1/findings", tag = "detections", params(FindingsQuery),
    responses((status = 200, description = "a page", body = List<Value>))
)]
async fn findings(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<FindingsQuery>,
) -> Result<Json<List<Value>>, ApiError> {
    let scope = scope(&caller, query.tenant.as_deref())?;
    let asked = FindingsAsked {
        rule: query.rule,
        level_min: level(query.level.as_deref())?,
        since: time("since", query.since.as_deref())?,
        until: time("until", query.until.as_deref())?,
        cursor: query.cursor,
        limit: query.limit.unwrap_or(1_000).clamp(1, FINDINGS_MAX),
    };
    blocking(move || backend.findings(&scope, &asked)).await.map(Json)
}

fn level(word: Option<&str>) -> Result<Level, ApiError> {
    let Some(word) = word else { return Ok(Level::default()) };
    Level::from_word(word).ok_or_else(|| {
        let text = "a level is informational, low, medium, high or critical";
        ApiError::new(Kind::Invalid, "level", text)
    })
}

/// A time of the parameter `name`.
pub(crate) fn time(name: &str, text: Option<&str>) -> Result<Option<Micros>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    parse_rfc3339(text).map(Some).ok_or_else(|| {
        let text = format!("{name} is an RFC 3339 time such as 2026-11-02T09:30:00Z");
        ApiError::new(Kind::Invalid, "time", text)
    })
}

/// One finding as OCSF Detection Finding, with the ids of its incidents.
#[utoipa::path(
    get, path = "/api/v1/findings/{id}", tag = "detections",
    params(("id" = String, Path, description = "32 hexadecimal digits"), TenantQuery),
    responses((status = 200, description = "the finding", body = Value))
)]
async fn finding(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<TenantQuery>,
) -> Result<Json<Value>, ApiError> {
    let scope = query.scope(&caller)?;
    blocking(move || backend.finding(&scope, &id)).await.map(Json)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EntitiesQuery {
    /// Only this customer's.
    tenant: Option<String>,
    /// `host`, `user`, `ip` or `domain`; all where absent.
    kind: Option<String>,
    /// `white`, `grey` or `black`; all where absent.
    verdict: Option<String>,
    /// Most of them, at most 10,000; 1,000 where absent.
    limit: Option<usize>,
    /// Where the page begins.
    cursor: Option<String>,
}

/// Entities, most suspect first.
#[utoipa::path(
    get, path = "/api/v1/entities", tag = "detections", params(EntitiesQuery),
    responses((status = 200, description = "a page", body = List<EntitySummary>))
)]
async fn entities(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<EntitiesQuery>,
) -> Result<Json<List<EntitySummary>>, ApiError> {
    let scope = scope(&caller, query.tenant.as_deref())?;
    let EntitiesQuery { kind, verdict, limit, cursor, .. } = query;
    let asked = EntitiesAsked { kind, verdict, cursor, limit: page::limit(limit) };
    blocking(move || backend.entities(&scope, &asked)).await.map(Json)
}

/// One entity: verdict, evidence, findings, incidents.
#[utoipa::path(
    get, path = "/api/v1/entities/{kind}/{value}", tag = "detections",
    params(
        ("kind" = String, Path, description = "host, user, ip or domain"),
        ("value" = String, Path, description = "its value"),
        TenantQuery
    ),
    responses((status = 200, description = "the entity", body = EntityView))
)]
async fn entity(
    State(backend): State<Shared>,
    caller: Caller,
    Segment((kind, value)): Segment<(String, String)>,
    Params(query): Params<TenantQuery>,
) -> Result<Json<EntityView>, ApiError> {
    let scope = query.scope(&caller)?;
    blocking(move || backend.entity(&scope, &kind, &value)).await.map(Json)
}

/// The rules in force with what they found, and those that could not be loaded, by file and line.
#[utoipa::path(
    get, path = "/api/v1/rules", tag = "detections", params(PageQuery),
    responses((status = 200, description = "a page", body = List<RuleSummary>))
)]
async fn rules(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<PageQuery>,
) -> Result<Json<List<RuleSummary>>, ApiError> {
    let scope = scope(&caller, query.tenant.as_deref())?;
    let mut items = blocking(move || backend.rules(&scope)).await?;
    let at = |one: &RuleSummary| {
        let code = one.error.as_ref().map_or("", |error| error.code.as_str());
        page::place([&one.path, &page::rising(one.line), &one.id, code])
    };
    items.sort_by_cached_key(at);
    page::page(items, query.limit, query.cursor.as_deref(), at).map(Json)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RuleFileQuery {
    /// Any request may name a customer.
    #[serde(rename = "tenant")]
    #[param(ignore)]
    _tenant: Option<String>,
    /// The file, by the `path` of a rule in the list.
    path: String,
}

/// The text of a rule's file, by its path: also of a file whose rules could not be loaded.
#[utoipa::path(
    get, path = "/api/v1/rule-file", tag = "detections", params(RuleFileQuery),
    responses((status = 200, description = "the file", body = RuleFile))
)]
async fn rule_file(
    State(backend): State<Shared>,
    _caller: Caller,
    Params(query): Params<RuleFileQuery>,
) -> Result<Json<RuleFile>, ApiError> {
    blocking(move || backend.rule_file(&query.path)).await.map(Json)
}

/// One rule with its text. Its `ETag` changes when it is switched.
#[utoipa::path(
    get, path = "/api/v1/rules/{id}", tag = "detections",
    params(("id" = String, Path, description = "the rule's id"), TenantQuery),
    responses((status = 200, description = "the rule", body = RuleView))
)]
async fn rule(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<TenantQuery>,
) -> Result<Response, ApiError> {
    let scope = query.scope(&caller)?;
    let rule = blocking(move || backend.rule(&scope, &id)).await?;
    let tag = etag(rule.summary.switched.as_ref().map_or(0, |state| state.version));
    Ok(([(header::ETAG, tag)], Json(rule)).into_response())
}

fn etag(version: u64) -> String {
    format!("\"s{version}\"")
}

/// What was decided about a rule, newest first.
#[utoipa::path(
    get, path = "/api/v1/rules/{id}/states", tag = "detections",
    params(("id" = String, Path, description = "the rule's id"), CommonPageQuery),
    responses((status = 200, description = "a page", body = List<RuleState>))
)]
async fn rule_states(
    State(backend): State<Shared>,
    _caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<CommonPageQuery>,
) -> Result<Json<List<RuleState>>, ApiError> {
    let items = blocking(move || backend.rule_states(&id)).await?;
    let at = |one: &RuleState| page::falling(one.version);
    page::page(items, query.limit, query.cursor.as_deref(), at).map(Json)
}

/// Switches a rule on or off for all tenants. With `If-Match`, only where nobody else has since.
#[utoipa::path(
    put, path = "/api/v1/rules/{id}/state", tag = "detections", request_body = NewRuleState,
    params(("id" = String, Path, description = "the rule's id"),
        ("If-Match" = Option<String>, Header, description = "the rule's ETag")),
    responses(
        (status = 200, description = "what is in force", body = RuleState),
        (status = 403, description = "the caller does not see all tenants; code `tenants_not_all`"),
        (status = 412, description = "somebody else switched it; code `rule_state_changed`")
    )
)]
async fn switch_rule(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    headers: HeaderMap,
    Body(request): Body<NewRuleState>,
) -> Result<Response, ApiError> {
    all_tenants(&caller)?;
    if request.reason.chars().count() > REASON_MAX {
        let text = format!("a reason is at most {REASON_MAX} characters");
        return Err(ApiError::new(Kind::Invalid, "reason", text));
    }
    let version = match headers.get(header::IF_MATCH) {
        None => None,
        Some(tag) => Some(version(tag.to_str().unwrap_or_default())?),
    };
    let state = blocking(move || backend.switch_rule(&caller, &id, version, request)).await?;
    Ok(([(header::ETAG, etag(state.version))], Json(state)).into_response())
}

fn version(tag: &str) -> Result<u64, ApiError> {
    let number = tag.trim().strip_prefix("\"s").and_then(|rest| rest.strip_suffix('"'));
    number.and_then(|number| number.parse().ok()).ok_or_else(|| {
        let text = "this ETag is none of a rule's; look at the rule again";
        ApiError::new(Kind::Changed, "rule_state_changed", text)
    })
}
