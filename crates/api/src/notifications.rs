//! Routes of what was told, is to be told and could not be told.

use crate::access::Caller;
use crate::error::{ApiError, Kind};
use crate::extract::{Params, Segment};
use crate::model::{ChannelState, List, Notification};
use crate::routes::{Shared, blocking};
use crate::scope::{TenantQuery, scope};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yagura_event::TenantScope;

/// Most notifications in one page, and how many where no `limit` is named.
const NOTIFICATIONS_MAX: usize = 10_000;
const NOTIFICATIONS_DEFAULT: usize = 100;

/// The outbox; methods block.
pub trait Told {
    /// Notifications, newest first; of one status where one is named.
    ///
    /// # Errors
    /// `Invalid` for a cursor that is none, `Internal` where the store fails.
    fn notifications(
        &self,
        scope: &TenantScope,
        status: Option<&str>,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<List<Notification>, ApiError>;

    /// How each channel stands.
    ///
    /// # Errors
    /// `Internal` where the store fails.
    fn channels(&self, scope: &TenantScope) -> Result<Vec<ChannelState>, ApiError>;

    /// Tries one again that was given up.
    ///
    /// # Errors
    /// `NotFound`, `Internal`.
    fn retry_notification(&self, scope: &TenantScope, id: &str) -> Result<(), ApiError>;
}

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(notifications))
        .routes(routes!(channels))
        .routes(routes!(retry))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NotificationsQuery {
    /// Only this customer's.
    tenant: Option<String>,
    /// `pending`, `sent` or `dead`; all where absent.
    status: Option<String>,
    /// Most of them, at most 10,000; 100 where absent.
    limit: Option<usize>,
    /// Where the page begins.
    cursor: Option<String>,
}

/// Notifications, newest first. Dead ones were given up: somebody has to look after them.
#[utoipa::path(
    get, path = "/api/v1/notifications", tag = "notifications", params(NotificationsQuery),
    responses((status = 200, description = "a page", body = List<Notification>))
)]
async fn notifications(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<NotificationsQuery>,
) -> Result<Json<List<Notification>>, ApiError> {
    let scope = scope(&caller, query.tenant.as_deref())?;
    if query.status.as_deref().is_some_and(|s| !["pending", "sent", "dead"].contains(&s)) {
        let text = "a status is pending, sent or dead";
        return Err(ApiError::new(Kind::Invalid, "status", text));
    }
    let limit = query.limit.unwrap_or(NOTIFICATIONS_DEFAULT).clamp(1, NOTIFICATIONS_MAX);
    let (status, cursor) = (query.status, query.cursor);
    let work = move || backend.notifications(&scope, status.as_deref(), cursor.as_deref(), limit);
    blocking(work).await.map(Json)
}

/// How each channel stands.
#[utoipa::path(
    get, path = "/api/v1/notification-channels", tag = "notifications", params(TenantQuery),
    responses((status = 200, description = "the channels", body = List<ChannelState>))
)]
async fn channels(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<TenantQuery>,
) -> Result<Json<List<ChannelState>>, ApiError> {
    let scope = query.scope(&caller)?;
    blocking(move || backend.channels(&scope)).await.map(|items| Json(List::whole(items)))
}

/// Tries a notification again that was given up.
#[utoipa::path(
    post, path = "/api/v1/notifications/{id}/retry", tag = "notifications",
    params(("id" = String, Path, description = "the notification's id"), TenantQuery),
    responses((status = 204, description = "it is tried"))
)]
async fn retry(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<TenantQuery>,
) -> Result<StatusCode, ApiError> {
    let scope = query.scope(&caller)?;
    blocking(move || backend.retry_notification(&scope, &id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
