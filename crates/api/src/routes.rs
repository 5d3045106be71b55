//! The routers: what the listener serves, what the private socket serves, how they are served.

use crate::access::{authenticate, owner};
use crate::backend::Backend;
use crate::error::ApiError;
use crate::extract::{no_method, no_route};
use crate::guard::{Site, guard};
use crate::repeat::{Keys, once};
use crate::{
    console, events, findings, incidents, ingest, live, notifications, openapi, overview, queries,
    reparse, rule_hunts, session,
};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::serve::ListenerExt;
use axum::{Router, middleware};
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// Largest body of one request, in bytes; a larger one is refused whole with status 413.
pub const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

pub(crate) type Shared = Arc<dyn Backend>;

/// Routes for the listener: the console, and the API for those who are known. `console` is the URL
/// under which people find the console.
pub fn public_router(backend: Shared, console: &str) -> Router {
    let known = middleware::from_fn_with_state(Arc::clone(&backend), authenticate);
    let once = middleware::from_fn_with_state(keys_of(&backend), once);
    let (closed, _) = closed().split_for_parts();
    let (open, _) = session::open_routes().split_for_parts();
    // The layer that is put on last runs first.
    finished(closed.route_layer(once).route_layer(known).merge(open).merge(unlisted()))
        .fallback(console::serve)
        .with_state(backend)
        .layer(middleware::from_fn_with_state(Site::of(console), guard))
}

/// Routes for the private socket in the data directory, which only its owner can open.
pub fn private_router(backend: Shared) -> Router {
    let (closed, _) = closed().split_for_parts();
    let once = middleware::from_fn_with_state(keys_of(&backend), once);
    let all = closed.merge(ingest::private_routes());
    let all = all.route_layer(once).route_layer(middleware::from_fn(owner));
    finished(all.merge(unlisted())).fallback(no_route).with_state(backend)
}

/// The keys of repeats that come in by one door; who comes in by the other is another caller.
fn keys_of(backend: &Shared) -> Arc<Keys> {
    let store: Arc<dyn Backend> = Arc::clone(backend);
    Keys::new(store)
}

/// The document of all routes under `/api/v1`.
pub(crate) fn documented() -> OpenApi {
    let (_, closed) = closed().split_for_parts();
    let (_, open) = session::open_routes().split_for_parts();
    closed.merge_from(open)
}

fn closed() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .merge(session::routes())
        .merge(overview::routes())
        .merge(live::routes())
        .merge(incidents::routes())
        .merge(findings::routes())
        .merge(events::routes())
        .merge(queries::routes())
        .merge(rule_hunts::routes())
        .merge(reparse::routes())
        .merge(notifications::routes())
        .merge(ingest::routes())
}

/// What needs no session and is in no document of the API.
fn unlisted() -> Router<Shared> {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/api/v1/openapi.json", get(described))
        .route("/api/{*path}", axum::routing::any(no_route))
}

fn finished(router: Router<Shared>) -> Router<Shared> {
    router.method_not_allowed_fallback(no_method).layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

/// The document, made once: nobody has to sign in to ask for it.
async fn described() -> impl IntoResponse {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| {
        // It holds nothing that has no JSON.
        serde_json::to_vec(&openapi::document()).unwrap_or_default().into()
    });
    ([(header::CONTENT_TYPE, "application/json")], TEXT.clone())
}

/// Whether requests are better sent elsewhere.
async fn ready(State(backend): State<Shared>) -> impl IntoResponse {
    match blocking(move || Ok(backend.health())).await {
        Ok(health) if health.status == "ok" => (StatusCode::OK, "ready\n"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "not ready; /api/v1/health says why\n"),
    }
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)?
}

/// Serves `router` on a TCP listener until `ends`. What is written is sent at once: an event of
/// the live stream does not wait until the one before has been acknowledged.
///
/// # Errors
/// Those of the listener.
pub async fn serve(
    listener: tokio::net::TcpListener,
    router: Router,
    ends: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let listener = listener.tap_io(|stream| {
        // A connection that is gone says so when it is read.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, service).with_graceful_shutdown(ends).await
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
