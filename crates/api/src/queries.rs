//! Routes of questions to the lake: SQL, pipes, searches, and what of them is under way.

use crate::answer::{Answer, QUERY_ID_HEADER};
use crate::backend::{
    HUNT_STATS_HEADER, HuntRequest, NEXT_CURSOR_HEADER, QueryRequest, SEARCH_STATS_HEADER,
    SearchRequest, SqlRequest,
};
use crate::error::{ApiError, Kind};
use crate::extract::{Body, Params};
use crate::routes::{ScopeQuery, Shared, blocking};
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

/// Most events in one part of a background search's rows.
const JOB_ROWS_MAX: usize = 10_000;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/api/v1/sql", post(sql))
        .route("/api/v1/query", post(query))
        .route("/api/v1/search", post(search))
        .route("/api/v1/hunt", post(hunt))
        .route("/api/v1/queries", get(queries))
        .route("/api/v1/queries/{id}", get(query_state).delete(cancel_query))
        .route("/api/v1/searches", get(searches).post(begin_search))
        .route("/api/v1/searches/{id}", get(search_state).delete(end_search))
        .route("/api/v1/searches/{id}/rows", get(search_rows))
}

async fn sql(
    State(backend): State<Shared>,
    Params(query): Params<ScopeQuery>,
    Body(request): Body<SqlRequest>,
) -> Result<Response, ApiError> {
    let scope = query.scope()?;
    let media = media_type(request.format.as_deref())?;
    body(backend.sql(&scope, request).await?, media)
}

async fn query(
    State(backend): State<Shared>,
    Params(query): Params<ScopeQuery>,
    Body(request): Body<QueryRequest>,
) -> Result<Response, ApiError> {
    let scope = query.scope()?;
    let media = media_type(request.format.as_deref())?;
    body(backend.query(&scope, request).await?, media)
}

fn body(answer: Answer, media: &'static str) -> Result<Response, ApiError> {
    let id = HeaderValue::from_str(&answer.id).map_err(ApiError::internal)?;
    let mut response =
        ([(header::CONTENT_TYPE, media)], axum::body::Body::new(answer)).into_response();
    response.headers_mut().insert(HeaderName::from_static(QUERY_ID_HEADER), id);
    Ok(response)
}

async fn search(
    State(backend): State<Shared>,
    Params(query): Params<ScopeQuery>,
    Body(request): Body<SearchRequest>,
) -> Result<Response, ApiError> {
    let scope = query.scope()?;
    let media = media_type(request.format.as_deref())?;
    let reply = backend.search(&scope, request).await?;
    let stats = serde_json::to_string(&reply.stats).map_err(ApiError::internal)?;
    let mut response = ([(header::CONTENT_TYPE, media)], reply.body).into_response();
    let stats = HeaderValue::from_str(&stats).map_err(ApiError::internal)?;
    response.headers_mut().insert(HeaderName::from_static(SEARCH_STATS_HEADER), stats);
    Ok(response)
}

async fn hunt(
    State(backend): State<Shared>,
    Params(query): Params<ScopeQuery>,
    Body(request): Body<HuntRequest>,
) -> Result<Response, ApiError> {
    let scope = query.scope()?;
    let media = match request.format.as_deref() {
        None | Some("ndjson" | "csv" | "table") => media_type(request.format.as_deref())?,
        Some(_) => {
            let text = "a hunt's answer is ndjson, csv or table";
            return Err(ApiError::new(Kind::Invalid, "format_unknown", text));
        }
    };
    let reply = backend.hunt(&scope, request).await?;
    let stats = serde_json::to_string(&reply.stats).map_err(ApiError::internal)?;
    let mut response = ([(header::CONTENT_TYPE, media)], reply.body).into_response();
    let stats = HeaderValue::from_str(&stats).map_err(ApiError::internal)?;
    response.headers_mut().insert(HeaderName::from_static(HUNT_STATS_HEADER), stats);
    Ok(response)
}

async fn queries(
    State(backend): State<Shared>,
    Params(query): Params<ScopeQuery>,
) -> Result<Json<Value>, ApiError> {
    let items = backend.queries(&query.scope()?);
    Ok(Json(json!({ "items": items })))
}

async fn query_state(
    State(backend): State<Shared>,
    Path(id): Path<String>,
    Params(query): Params<ScopeQuery>,
) -> Result<Json<Value>, ApiError> {
    backend.query_state(&query.scope()?, &id).map(Json)
}

async fn cancel_query(
    State(backend): State<Shared>,
    Path(id): Path<String>,
    Params(query): Params<ScopeQuery>,
) -> Result<StatusCode, ApiError> {
    backend.cancel_query(&query.scope()?, &id)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn begin_search(
    State(backend): State<Shared>,
    Params(query): Params<ScopeQuery>,
    Body(request): Body<SearchRequest>,
) -> Result<Response, ApiError> {
    let scope = query.scope()?;
    media_type(request.format.as_deref())?;
    let state = blocking(move || backend.begin_search(&scope, request)).await?;
    Ok((StatusCode::ACCEPTED, Json(state)).into_response())
}

async fn searches(
    State(backend): State<Shared>,
    Params(query): Params<ScopeQuery>,
) -> Result<Json<Value>, ApiError> {
    let items = backend.searches(&query.scope()?);
    Ok(Json(json!({ "items": items })))
}

async fn search_state(
    State(backend): State<Shared>,
    Path(id): Path<String>,
    Params(query): Params<ScopeQuery>,
) -> Result<Json<Value>, ApiError> {
    backend.search_state(&query.scope()?, &id).map(Json)
}

async fn search_rows(
    State(backend): State<Shared>,
    Path(id): Path<String>,
    Params(query): Params<ScopeQuery>,
) -> Result<Response, ApiError> {
    let scope = query.scope()?;
    let (cursor, limit) = (query.cursor, query.limit.unwrap_or(1_000).min(JOB_ROWS_MAX));
    let rows = blocking(move || backend.search_rows(&scope, &id, cursor, limit)).await?;
    let mut response = rows.body.into_response();
    let next = HeaderValue::from(rows.next);
    response.headers_mut().insert(HeaderName::from_static(NEXT_CURSOR_HEADER), next);
    Ok(response)
}

async fn end_search(
    State(backend): State<Shared>,
    Path(id): Path<String>,
    Params(query): Params<ScopeQuery>,
) -> Result<StatusCode, ApiError> {
    backend.end_search(&query.scope()?, &id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The media type of a format.
fn media_type(format: Option<&str>) -> Result<&'static str, ApiError> {
    match format {
        None | Some("ndjson") => Ok("application/x-ndjson"),
        Some("csv") => Ok("text/csv"),
        Some("table") => Ok("text/plain; charset=utf-8"),
        Some("parquet") => Ok("application/vnd.apache.parquet"),
        Some("arrow") => Ok("application/vnd.apache.arrow.stream"),
        Some(other) => Err(ApiError::new(
            Kind::Invalid,
            "format_unknown",
            format!("format {other:?} is not one of ndjson, csv, table, parquet, arrow"),
        )),
    }
}
