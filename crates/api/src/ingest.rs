//! The route that takes records, and those of the private socket.

use crate::access::Caller;
use crate::backend::{IngestReply, IngestRequest};
use crate::error::{ApiError, Kind};
use crate::extract::{Body, Params, Raw};
use crate::repeat::key_of;
use crate::routes::{Shared, blocking};
use crate::scope::{named, scope};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yagura_event::TenantName;

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(ingest))
}

/// Routes that only the private socket has.
pub(crate) fn private_routes() -> Router<Shared> {
    Router::new()
        .route("/private/ingest", post(ingest_files))
        .route("/private/backup", post(backup))
        .route("/private/erase", post(erase))
        .route("/private/password", post(new_password))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct IngestQuery {
    /// The owner; `default` where absent.
    tenant: Option<String>,
    /// The inflow; `http` where absent.
    feed: Option<String>,
    /// A source by name, or `auto`.
    source: Option<String>,
    /// The host the records are from, where they do not say.
    host: Option<String>,
}

/// Takes records, as lines or in the source's own framing. The answer comes when they are on the
/// disk. A repeat with the same `Idempotency-Key` is taken once.
#[utoipa::path(
    post, path = "/api/v1/ingest", tag = "ingest",
    request_body(content = String, content_type = "text/plain"),
    params(IngestQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "makes a repeat harmless")),
    responses((status = 200, description = "what was taken", body = IngestReply))
)]
async fn ingest(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<IngestQuery>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<Json<IngestReply>, ApiError> {
    let key = key_of(&headers)?;
    let feed = query.feed.unwrap_or_else(|| "http".to_owned());
    // A feed's name follows the tenant's rule: both are keys of the books.
    named(&feed).map_err(|_| {
        ApiError::new(Kind::Invalid, "feed_name", "a feed's name is 1 to 63 of a-z, 0-9, - and _")
    })?;
    let tenant = query.tenant.as_deref().map_or(Ok(TenantName::default_tenant()), named)?;
    scope(&caller, Some(tenant.as_str()))?;
    let request = IngestRequest {
        tenant,
        feed,
        source: query.source.filter(|s| s != "auto"),
        host: query.host,
        idempotency_key: key,
        peer: String::new(),
        body: body.to_vec(),
    };
    blocking(move || backend.ingest(request)).await.map(Json)
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

async fn new_password(State(backend): State<Shared>) -> Result<Json<Value>, ApiError> {
    let password = blocking(move || backend.new_password()).await?;
    Ok(Json(serde_json::json!({ "password": password })))
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
    let tenant = named(&request.tenant)?;
    blocking(move || backend.erase(&tenant, request.begin)).await.map(Json)
}
