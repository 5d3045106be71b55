//! Routes of records parsed again, after a source definition has changed.

use crate::access::Caller;
use crate::error::{ApiError, Kind};
use crate::extract::Body;
use crate::model::{Reparse, ReparseCost, ReparseRequest};
use crate::routes::{Shared, blocking};
use crate::scope::all_tenants;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Records parsed again; methods block.
pub trait Reparses {
    /// What it would come to.
    ///
    /// # Errors
    /// `Invalid` for an unknown source or a day that is none.
    fn reparse_cost(&self, asked: &ReparseRequest) -> Result<ReparseCost, ApiError>;

    /// Begins, by the source definitions as they are now.
    ///
    /// # Errors
    /// As there; `Invalid` for definitions that cannot be loaded, `TooMany` where it is under way.
    fn begin_reparse(&self, asked: ReparseRequest, by: &str) -> Result<Reparse, ApiError>;

    /// How far the last one is; nothing where there was none since the process began.
    fn reparse(&self) -> Option<Reparse>;

    /// Stops it. The partition that is being written stays as it was.
    ///
    /// # Errors
    /// `NotFound` where none is under way.
    fn end_reparse(&self) -> Result<(), ApiError>;
}

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(cost)).routes(routes!(state, begin, end))
}

/// Says what parsing records again would come to, without doing it.
#[utoipa::path(
    post, path = "/api/v1/reparse/cost", tag = "operations", request_body = ReparseRequest,
    responses((status = 200, description = "what it would come to", body = ReparseCost))
)]
async fn cost(
    State(backend): State<Shared>,
    caller: Caller,
    Body(request): Body<ReparseRequest>,
) -> Result<Json<ReparseCost>, ApiError> {
    all_tenants(&caller)?;
    blocking(move || backend.reparse_cost(&request)).await.map(Json)
}

/// Parses records again by the source definitions as they are now, in the background, and puts the
/// events in the place of those there are, partition by partition. Findings stay as they are.
#[utoipa::path(
    post, path = "/api/v1/reparse", tag = "operations", request_body = ReparseRequest,
    responses((status = 202, description = "it runs", body = Reparse))
)]
async fn begin(
    State(backend): State<Shared>,
    caller: Caller,
    Body(request): Body<ReparseRequest>,
) -> Result<Response, ApiError> {
    all_tenants(&caller)?;
    let state = blocking(move || backend.begin_reparse(request, &caller.name)).await?;
    Ok((StatusCode::ACCEPTED, Json(state)).into_response())
}

/// How far parsing records again is, or how it ended.
#[utoipa::path(
    get, path = "/api/v1/reparse", tag = "operations",
    responses((status = 200, description = "the last run since the process began", body = Reparse))
)]
async fn state(State(backend): State<Shared>, caller: Caller) -> Result<Json<Reparse>, ApiError> {
    all_tenants(&caller)?;
    backend.reparse().map(Json).ok_or_else(|| {
        let text = "no record was parsed again since the process began";
        ApiError::new(Kind::NotFound, "reparse_none", text)
    })
}

/// Stops parsing records again. Partitions that are done stay done.
#[utoipa::path(
    delete, path = "/api/v1/reparse", tag = "operations",
    responses((status = 204, description = "it stops"))
)]
async fn end(State(backend): State<Shared>, caller: Caller) -> Result<StatusCode, ApiError> {
    all_tenants(&caller)?;
    backend.end_reparse()?;
    Ok(StatusCode::NO_CONTENT)
}
