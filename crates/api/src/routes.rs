//! The routes of `/api/v1` and of the private socket.

use crate::backend::{Backend, IngestRequest};
use crate::error::{ApiError, Kind};
use crate::extract::{Body, Params, Raw, no_method, no_route};
use crate::guard::guard;
use crate::queries;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use yagura_event::{TenantName, TenantScope};

/// Largest body of one request, in bytes; a larger one is refused whole with status 413.
pub const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Most findings in one answer.
const FINDINGS_MAX: usize = 10_000;

pub(crate) type Shared = Arc<dyn Backend>;

/// Routes for the loopback listener. Until access tokens exist the caller is whoever can
/// reach loopback: the operator.
pub fn public_router(backend: Shared) -> Router {
    api().with_state(backend).layer(middleware::from_fn(guard))
}

/// Routes for the private socket in the data directory, which only its owner can open.
pub fn private_router(backend: Shared) -> Router {
    api()
        .route("/private/ingest", post(ingest_files))
        .route("/private/backup", post(backup))
        .route("/private/erase", post(erase))
        .with_state(backend)
}

fn api() -> Router<Shared> {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/api/v1/status", get(status))
        .route("/api/v1/findings", get(findings))
        .route("/api/v1/incidents", get(incidents))
        .route("/api/v1/incidents/{id}", get(incident))
        .route("/api/v1/books", get(books))
        .merge(queries::routes())
        .route("/api/v1/ingest", post(ingest))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScopeQuery {
    tenant: Option<String>,
    pub(crate) limit: Option<usize>,
    /// Where a part of a background search's rows begins.
    #[serde(default)]
    pub(crate) cursor: usize,
}

impl ScopeQuery {
    pub(crate) fn scope(&self) -> Result<TenantScope, ApiError> {
        match &self.tenant {
            None => Ok(TenantScope::operator()),
            Some(name) => tenant(name).map(TenantScope::one),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IngestQuery {
    tenant: Option<String>,
    feed: Option<String>,
    source: Option<String>,
    host: Option<String>,
}

async fn status(State(backend): State<Shared>) -> Result<Json<Value>, ApiError> {
    blocking(move || backend.status()).await.map(Json)
}

async fn findings(
    State(backend): State<Shared>,
    Params(query): Params<ScopeQuery>,
) -> Result<Json<Value>, ApiError> {
    let scope = query.scope()?;
    let limit = query.limit.unwrap_or(1_000).min(FINDINGS_MAX);
    let items = blocking(move || backend.findings(&scope, limit)).await?;
    Ok(Json(json!({ "items": items })))
}

async fn incidents(
    State(backend): State<Shared>,
    Params(query): Params<ScopeQuery>,
) -> Result<Json<Value>, ApiError> {
    let scope = query.scope()?;
    let items = blocking(move || backend.incidents(&scope)).await?;
    Ok(Json(json!({ "items": items })))
}

async fn incident(
    State(backend): State<Shared>,
    Path(id): Path<String>,
    Params(query): Params<ScopeQuery>,
) -> Result<Json<Value>, ApiError> {
    let scope = query.scope()?;
    blocking(move || backend.incident(&scope, &id)).await.map(Json)
}

async fn books(
    State(backend): State<Shared>,
    Params(query): Params<ScopeQuery>,
) -> Result<Json<Value>, ApiError> {
    let scope = query.scope()?;
    let items = blocking(move || backend.books(&scope)).await?;
    Ok(Json(json!({ "items": items })))
}

async fn ingest(
    State(backend): State<Shared>,
    Params(query): Params<IngestQuery>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Json<Value>, ApiError> {
    let key = match headers.get("idempotency-key") {
        None => None,
        Some(value) => Some(idempotency_key(value.to_str().ok())?),
    };
    let feed = query.feed.unwrap_or_else(|| "http".to_owned());
    // A feed's name follows the tenant's rule: both are keys of the books.
    tenant(&feed).map_err(|_| {
        ApiError::new(Kind::Invalid, "feed_name", "a feed's name is 1 to 63 of a-z, 0-9, - and _")
    })?;
    let request = IngestRequest {
        tenant: query.tenant.as_deref().map_or(Ok(TenantName::default_tenant()), tenant)?,
        feed,
        source: query.source.filter(|s| s != "auto"),
        host: query.host,
        idempotency_key: key,
        peer: String::new(),
        body: body.to_vec(),
    };
    let reply = blocking(move || backend.ingest(request)).await?;
    serde_json::to_value(reply).map(Json).map_err(ApiError::internal)
}

async fn ingest_files(
    State(backend): State<Shared>,
    Body(request): Body<Value>,
) -> Result<Json<Value>, ApiError> {
    blocking(move || backend.ingest_files(request)).await.map(Json)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BackupRequest {
    to: std::path::PathBuf,
}

async fn backup(
    State(backend): State<Shared>,
    Body(request): Body<BackupRequest>,
) -> Result<Json<Value>, ApiError> {
    blocking(move || backend.backup(&request.to)).await.map(Json)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EraseRequest {
    tenant: String,
    /// Whether to begin; otherwise it is only asked how far it is.
    begin: bool,
}

async fn erase(
    State(backend): State<Shared>,
    Body(request): Body<EraseRequest>,
) -> Result<Json<Value>, ApiError> {
    let tenant = tenant(&request.tenant)?;
    blocking(move || backend.erase(&tenant, request.begin)).await.map(Json)
}

/// Longest idempotency key, in bytes; it is kept for 24 hours.
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 128;

fn idempotency_key(value: Option<&str>) -> Result<String, ApiError> {
    value
        .filter(|v| (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&v.len()))
        .map(str::to_owned)
        .ok_or_else(|| {
            ApiError::new(
                Kind::Invalid,
                "idempotency_key",
                format!("an idempotency key is 1 to {IDEMPOTENCY_KEY_BYTES_MAX} ASCII characters"),
            )
        })
}

fn tenant(name: &str) -> Result<TenantName, ApiError> {
    TenantName::new(name)
        .map_err(|error| ApiError::new(Kind::Invalid, "tenant_name", error.to_string()))
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)?
}

/// Serves `router` on a TCP listener until `ends`.
///
/// # Errors
/// Those of the listener.
pub async fn serve(
    listener: tokio::net::TcpListener,
    router: Router,
    ends: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(ends).await
}

/// Serves `router` on a Unix socket until `ends`.
///
/// # Errors
/// Those of the listener.
pub async fn serve_unix(
    listener: tokio::net::UnixListener,
    router: Router,
    ends: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router).with_graceful_shutdown(ends).await
}
