//! Routes of rules run over the past, as jobs.

use crate::access::Caller;
use crate::error::ApiError;
use crate::extract::{Body, Params, Segment};
use crate::findings::time;
use crate::model::{List, PastFinding, Recorded, RuleHunt, RuleHuntCost, RuleHuntRequest};
use crate::routes::{Shared, blocking};
use crate::scope::{TenantQuery, scope};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yagura_event::{Micros, TenantScope};

/// Most findings in one page.
const FINDINGS_MAX: usize = 1_000;

/// Which rules are run over what.
#[derive(Clone, Debug, Default)]
pub struct RuleHuntAsked {
    /// Rules as YAML, as in a file.
    pub text: Option<String>,
    /// Ids of rules in force.
    pub ids: Vec<String>,
    /// Events at or after this time.
    pub from: Option<Micros>,
    /// Events before this time.
    pub until: Option<Micros>,
    /// Who asks.
    pub by: String,
}

/// Rules over the past; methods block.
pub trait RuleHunts {
    /// What a run would read.
    ///
    /// # Errors
    /// `Invalid` for rules that cannot be loaded and for none at all, `NotFound` for an id that is no
    /// rule's.
    fn rule_hunt_cost(
        &self,
        scope: &TenantScope,
        asked: RuleHuntAsked,
    ) -> Result<RuleHuntCost, ApiError>;

    /// Begins a run.
    ///
    /// # Errors
    /// As there; `TooMany` where too many are under way.
    fn begin_rule_hunt(
        &self,
        scope: &TenantScope,
        asked: RuleHuntAsked,
    ) -> Result<RuleHunt, ApiError>;

    /// The runs, the newest first.
    fn rule_hunts(&self, scope: &TenantScope) -> Vec<RuleHunt>;

    /// How far a run is.
    ///
    /// # Errors
    /// `NotFound`.
    fn rule_hunt(&self, scope: &TenantScope, id: &str) -> Result<RuleHunt, ApiError>;

    /// What a run has found, by first time, from a place on.
    ///
    /// # Errors
    /// `NotFound`, `Internal` where the store fails.
    fn rule_hunt_findings(
        &self,
        scope: &TenantScope,
        id: &str,
        cursor: usize,
        limit: usize,
    ) -> Result<List<PastFinding>, ApiError>;

    /// Puts what a run has found among the findings, marked as retrospective.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` where it has not ended, failed or was recorded; `Busy` where the journal
    /// takes nothing.
    fn record_rule_hunt(&self, scope: &TenantScope, id: &str) -> Result<Recorded, ApiError>;

    /// Stops a run and forgets what it found.
    ///
    /// # Errors
    /// `NotFound`.
    fn end_rule_hunt(&self, scope: &TenantScope, id: &str) -> Result<(), ApiError>;
}

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(cost))
        .routes(routes!(list, begin))
        .routes(routes!(state, end))
        .routes(routes!(findings))
        .routes(routes!(record))
}

fn asked(request: RuleHuntRequest, caller: &Caller) -> Result<RuleHuntAsked, ApiError> {
    Ok(RuleHuntAsked {
        text: request.rules,
        ids: request.ids,
        from: time("from", request.from.as_deref())?,
        until: time("until", request.until.as_deref())?,
        by: caller.name.clone(),
    })
}

/// Says what running rules over the past would read, without doing it.
#[utoipa::path(
    post, path = "/api/v1/rule-hunts/cost", tag = "queries", request_body = RuleHuntRequest,
    params(TenantQuery),
    responses((status = 200, description = "what it would read", body = RuleHuntCost))
)]
async fn cost(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<TenantQuery>,
    Body(request): Body<RuleHuntRequest>,
) -> Result<Json<RuleHuntCost>, ApiError> {
    let (scope, asked) = (query.scope(&caller)?, asked(request, &caller)?);
    blocking(move || backend.rule_hunt_cost(&scope, asked)).await.map(Json)
}

/// Runs rules over the past, in the background. What it finds is no finding of the platform's until it
/// is recorded.
#[utoipa::path(
    post, path = "/api/v1/rule-hunts", tag = "queries", request_body = RuleHuntRequest,
    params(TenantQuery),
    responses((status = 202, description = "it runs", body = RuleHunt))
)]
async fn begin(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<TenantQuery>,
    Body(request): Body<RuleHuntRequest>,
) -> Result<Response, ApiError> {
    let (scope, asked) = (query.scope(&caller)?, asked(request, &caller)?);
    let state = blocking(move || backend.begin_rule_hunt(&scope, asked)).await?;
    Ok((StatusCode::ACCEPTED, Json(state)).into_response())
}

/// Runs of rules over the past, the newest first.
#[utoipa::path(
    get, path = "/api/v1/rule-hunts", tag = "queries", params(TenantQuery),
    responses((status = 200, description = "the runs", body = List<RuleHunt>))
)]
async fn list(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<TenantQuery>,
) -> Result<Json<List<RuleHunt>>, ApiError> {
    Ok(Json(List::whole(backend.rule_hunts(&query.scope(&caller)?))))
}

/// How far a run is.
#[utoipa::path(
    get, path = "/api/v1/rule-hunts/{id}", tag = "queries",
    params(("id" = String, Path, description = "the run's id"), TenantQuery),
    responses((status = 200, description = "its state", body = RuleHunt))
)]
async fn state(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<TenantQuery>,
) -> Result<Json<RuleHunt>, ApiError> {
    backend.rule_hunt(&query.scope(&caller)?, &id).map(Json)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PageQuery {
    /// Only this customer's.
    tenant: Option<String>,
    /// Most findings of the page, at most 1,000; 100 where absent.
    limit: Option<usize>,
    /// Where the page begins.
    #[serde(default)]
    cursor: usize,
}

/// What a run has found, by first time.
#[utoipa::path(
    get, path = "/api/v1/rule-hunts/{id}/findings", tag = "queries",
    params(("id" = String, Path, description = "the run's id"), PageQuery),
    responses((status = 200, description = "a page", body = List<PastFinding>))
)]
async fn findings(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<PageQuery>,
) -> Result<Json<List<PastFinding>>, ApiError> {
    let scope = scope(&caller, query.tenant.as_deref())?;
    let (cursor, limit) = (query.cursor, query.limit.unwrap_or(100).clamp(1, FINDINGS_MAX));
    blocking(move || backend.rule_hunt_findings(&scope, &id, cursor, limit)).await.map(Json)
}

/// Puts what a run has found among the findings, marked as retrospective: they count in verdicts and
/// incidents from then on.
#[utoipa::path(
    post, path = "/api/v1/rule-hunts/{id}/record", tag = "queries",
    params(("id" = String, Path, description = "the run's id"), TenantQuery),
    responses((status = 202, description = "they are journalled and will be judged", body = Recorded))
)]
async fn record(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<TenantQuery>,
) -> Result<Response, ApiError> {
    let scope = query.scope(&caller)?;
    let recorded = blocking(move || backend.record_rule_hunt(&scope, &id)).await?;
    Ok((StatusCode::ACCEPTED, Json(recorded)).into_response())
}

/// Stops a run and forgets what it found.
#[utoipa::path(
    delete, path = "/api/v1/rule-hunts/{id}", tag = "queries",
    params(("id" = String, Path, description = "the run's id"), TenantQuery),
    responses((status = 204, description = "it is gone"))
)]
async fn end(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<TenantQuery>,
) -> Result<StatusCode, ApiError> {
    backend.end_rule_hunt(&query.scope(&caller)?, &id)?;
    Ok(StatusCode::NO_CONTENT)
}
