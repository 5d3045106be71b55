//! Routes of the whole at a glance: overview, feeds, books, state, health, figures for Prometheus.

use crate::access::Caller;
use crate::error::ApiError;
use crate::extract::Params;
use crate::model::{BookRow, Feed, Health, List, Overview, Version};
use crate::page::{PageQuery, page, place};
use crate::routes::{Shared, blocking};
use crate::scope::{TenantQuery, scope};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yagura_event::TenantScope;

/// What changes when something happens: cheap to ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// Records that went through.
    pub records: u64,
    /// Entry up to which findings are committed.
    pub judged: u64,
    /// Changes whenever an incident does, or what is decided of one.
    pub incidents: u64,
}

/// The platform at a glance; methods block.
pub trait Watched {
    /// The whole of a scope.
    ///
    /// # Errors
    /// `Internal` where a store fails.
    fn overview(&self, scope: &TenantScope) -> Result<Overview, ApiError>;

    /// What changes when something happens.
    ///
    /// # Errors
    /// `Internal` where a store fails.
    fn pulse(&self, scope: &TenantScope) -> Result<Pulse, ApiError>;

    /// The entry up to which findings are committed: wakes who waits for more of them.
    fn findings_committed(&self) -> tokio::sync::watch::Receiver<u64>;

    /// The inflows.
    ///
    /// # Errors
    /// `Internal` where a store fails.
    fn feeds(&self, scope: &TenantScope) -> Result<Vec<Feed>, ApiError>;

    /// The double-entry table.
    ///
    /// # Errors
    /// `Internal` where a store fails.
    fn books(&self, scope: &TenantScope) -> Result<Vec<BookRow>, ApiError>;

    /// The counters since the process began.
    ///
    /// # Errors
    /// `Internal` where a store fails.
    fn status(&self) -> Result<Value, ApiError>;

    /// What is as it should be and what is not.
    fn health(&self) -> Health;

    /// Figures in Prometheus' text format.
    ///
    /// # Errors
    /// `Internal` where a store fails.
    fn metrics(&self) -> Result<String, ApiError>;

    /// What this is.
    fn version(&self) -> Version;
}

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(overview))
        .routes(routes!(feeds))
        .routes(routes!(books))
        .routes(routes!(status))
        .routes(routes!(health))
        .routes(routes!(version))
        .routes(routes!(metrics))
}

/// The whole at a glance.
#[utoipa::path(
    get, path = "/api/v1/overview", tag = "platform", params(TenantQuery),
    responses((status = 200, description = "the overview", body = Overview))
)]
async fn overview(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<TenantQuery>,
) -> Result<Json<Overview>, ApiError> {
    let scope = query.scope(&caller)?;
    blocking(move || backend.overview(&scope)).await.map(Json)
}

/// The inflows with their books and rates.
#[utoipa::path(
    get, path = "/api/v1/feeds", tag = "platform", params(PageQuery),
    responses((status = 200, description = "a page", body = List<Feed>))
)]
async fn feeds(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<PageQuery>,
) -> Result<Json<List<Feed>>, ApiError> {
    let scope = scope(&caller, query.tenant.as_deref())?;
    let items = blocking(move || backend.feeds(&scope)).await?;
    let at = |one: &Feed| place([&one.tenant, &one.feed]);
    page(items, query.limit, query.cursor.as_deref(), at).map(Json)
}

/// The double-entry table by tenant, feed and hour of receipt.
#[utoipa::path(
    get, path = "/api/v1/books", tag = "platform", params(PageQuery),
    responses((status = 200, description = "a page", body = List<BookRow>))
)]
async fn books(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<PageQuery>,
) -> Result<Json<List<BookRow>>, ApiError> {
    let scope = scope(&caller, query.tenant.as_deref())?;
    let items = blocking(move || backend.books(&scope)).await?;
    let at = |one: &BookRow| place([&one.tenant, &one.feed, &one.hour]);
    page(items, query.limit, query.cursor.as_deref(), at).map(Json)
}

/// The counters since the process began.
#[utoipa::path(
    get, path = "/api/v1/status", tag = "platform",
    responses((status = 200, description = "the counters", body = Value))
)]
async fn status(State(backend): State<Shared>) -> Result<Json<Value>, ApiError> {
    blocking(move || backend.status()).await.map(Json)
}

/// What is as it should be and what is not.
#[utoipa::path(
    get, path = "/api/v1/health", tag = "platform",
    responses((status = 200, description = "the checks", body = Health))
)]
async fn health(State(backend): State<Shared>) -> Result<Json<Health>, ApiError> {
    blocking(move || Ok(backend.health())).await.map(Json)
}

/// What this is.
#[utoipa::path(
    get, path = "/api/v1/version", tag = "platform",
    responses((status = 200, description = "the versions", body = Version))
)]
async fn version(State(backend): State<Shared>) -> Json<Version> {
    Json(backend.version())
}

/// Figures in Prometheus' text format.
#[utoipa::path(
    get, path = "/metrics", tag = "platform",
    responses((status = 200, description = "the figures", body = String,
        content_type = "text/plain"))
)]
async fn metrics(State(backend): State<Shared>) -> Result<impl IntoResponse, ApiError> {
    let text = blocking(move || backend.metrics()).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}
