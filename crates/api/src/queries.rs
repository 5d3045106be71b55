//! Routes of questions to the lake: SQL, pipes, searches, and what of them is under way.

use crate::access::Caller;
use crate::answer::{Answer, QUERY_ID_HEADER};
use crate::backend::{
    HUNT_STATS_HEADER, HuntAnswer, HuntRequest, NEXT_CURSOR_HEADER, QueryRequest,
    SEARCH_STATS_HEADER, SearchRequest, SqlRequest,
};
use crate::error::{ApiError, Kind};
use crate::extract::{Body, Params, Segment};
use crate::model::List;
use crate::routes::{Shared, blocking};
use crate::scope::{TenantQuery, scope};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Most events in one part of a background search's rows.
const JOB_ROWS_MAX: usize = 10_000;

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(sql))
        .routes(routes!(query))
        .routes(routes!(search))
        .routes(routes!(hunt))
        .routes(routes!(queries))
        .routes(routes!(query_state, cancel_query))
        .routes(routes!(searches, begin_search))
        .routes(routes!(search_state, end_search))
        .routes(routes!(search_rows))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RowsQuery {
    /// Only this customer's.
    tenant: Option<String>,
    /// Most events of the part, at most 10,000; 1,000 where absent.
    limit: Option<usize>,
    /// Where the part begins.
    #[serde(default)]
    cursor: usize,
}

/// Answers a `SELECT`. The header `yagura-query-id` names the query, to stop it.
#[utoipa::path(
    post, path = "/api/v1/sql", tag = "queries", request_body = SqlRequest,
    params(TenantQuery),
    responses((status = 200, description = "the rows", body = String, content_type = "application/x-ndjson"))
)]
async fn sql(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<TenantQuery>,
    Body(request): Body<SqlRequest>,
) -> Result<Response, ApiError> {
    let scope = query.scope(&caller)?;
    let media = media_type(request.format.as_deref())?;
    body(backend.sql(&scope, request).await?, media)
}

/// Answers a pipe. The header `yagura-query-id` names the query, to stop it.
#[utoipa::path(
    post, path = "/api/v1/query", tag = "queries", request_body = QueryRequest,
    params(TenantQuery),
    responses((status = 200, description = "the rows", body = String, content_type = "application/x-ndjson"))
)]
async fn query(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<TenantQuery>,
    Body(request): Body<QueryRequest>,
) -> Result<Response, ApiError> {
    let scope = query.scope(&caller)?;
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

/// Answers a search. The header `yagura-search-stats` says what it took.
#[utoipa::path(
    post, path = "/api/v1/search", tag = "queries", request_body = SearchRequest,
    params(TenantQuery),
    responses((status = 200, description = "the events", body = String, content_type = "application/x-ndjson"))
)]
async fn search(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<TenantQuery>,
    Body(request): Body<SearchRequest>,
) -> Result<Response, ApiError> {
    let scope = query.scope(&caller)?;
    let media = media_type(request.format.as_deref())?;
    let reply = backend.search(&scope, request).await?;
    let stats = serde_json::to_string(&reply.stats).map_err(ApiError::internal)?;
    let mut response = ([(header::CONTENT_TYPE, media)], reply.body).into_response();
    let stats = HeaderValue::from_str(&stats).map_err(ApiError::internal)?;
    response.headers_mut().insert(HeaderName::from_static(SEARCH_STATS_HEADER), stats);
    Ok(response)
}

/// Looks for indicators in everything that is kept. The header `yagura-hunt-stats` says what it
/// took.
#[utoipa::path(
    post, path = "/api/v1/hunt", tag = "queries", request_body = HuntRequest,
    params(TenantQuery),
    responses((status = 200, description = "who saw which, when", content(
        (String = "application/x-ndjson"),
        (HuntAnswer = "application/json")
    )))
)]
async fn hunt(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<TenantQuery>,
    Body(request): Body<HuntRequest>,
) -> Result<Response, ApiError> {
    let scope = query.scope(&caller)?;
    let media = match request.format.as_deref() {
        None | Some("ndjson" | "csv" | "table") => media_type(request.format.as_deref())?,
        Some("json") => "application/json",
        Some(_) => {
            let text = "a hunt's answer is ndjson, json, csv or table";
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

/// Queries that run, and the last that ended.
#[utoipa::path(
    get, path = "/api/v1/queries", tag = "queries", params(TenantQuery),
    responses((status = 200, description = "the queries", body = List<Value>))
)]
async fn queries(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<TenantQuery>,
) -> Result<Json<List<Value>>, ApiError> {
    Ok(Json(List::whole(backend.queries(&query.scope(&caller)?))))
}

/// One query.
#[utoipa::path(
    get, path = "/api/v1/queries/{id}", tag = "queries",
    params(("id" = String, Path, description = "the query's id"), TenantQuery),
    responses((status = 200, description = "the query", body = Value))
)]
async fn query_state(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<TenantQuery>,
) -> Result<Json<Value>, ApiError> {
    backend.query_state(&query.scope(&caller)?, &id).map(Json)
}

/// Stops a query that runs.
#[utoipa::path(
    delete, path = "/api/v1/queries/{id}", tag = "queries",
    params(("id" = String, Path, description = "the query's id"), TenantQuery),
    responses((status = 204, description = "it stops"))
)]
async fn cancel_query(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<TenantQuery>,
) -> Result<StatusCode, ApiError> {
    backend.cancel_query(&query.scope(&caller)?, &id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begins a search in the background.
#[utoipa::path(
    post, path = "/api/v1/searches", tag = "queries", request_body = SearchRequest,
    params(TenantQuery),
    responses((status = 202, description = "it runs", body = Value))
)]
async fn begin_search(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<TenantQuery>,
    Body(request): Body<SearchRequest>,
) -> Result<Response, ApiError> {
    let scope = query.scope(&caller)?;
    media_type(request.format.as_deref())?;
    let state = blocking(move || backend.begin_search(&scope, request)).await?;
    Ok((StatusCode::ACCEPTED, Json(state)).into_response())
}

/// Searches in the background.
#[utoipa::path(
    get, path = "/api/v1/searches", tag = "queries", params(TenantQuery),
    responses((status = 200, description = "the searches", body = List<Value>))
)]
async fn searches(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<TenantQuery>,
) -> Result<Json<List<Value>>, ApiError> {
    Ok(Json(List::whole(backend.searches(&query.scope(&caller)?))))
}

/// How far a search in the background is.
#[utoipa::path(
    get, path = "/api/v1/searches/{id}", tag = "queries",
    params(("id" = String, Path, description = "the search's id"), TenantQuery),
    responses((status = 200, description = "its state", body = Value))
)]
async fn search_state(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<TenantQuery>,
) -> Result<Json<Value>, ApiError> {
    backend.search_state(&query.scope(&caller)?, &id).map(Json)
}

/// A part of what a search in the background has found. The header `yagura-next-cursor` says where
/// the next begins.
#[utoipa::path(
    get, path = "/api/v1/searches/{id}/rows", tag = "queries",
    params(("id" = String, Path, description = "the search's id"), RowsQuery),
    responses((status = 200, description = "the events", body = String))
)]
async fn search_rows(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<RowsQuery>,
) -> Result<Response, ApiError> {
    let scope = scope(&caller, query.tenant.as_deref())?;
    let (cursor, limit) = (query.cursor, query.limit.unwrap_or(1_000).min(JOB_ROWS_MAX));
    let rows = blocking(move || backend.search_rows(&scope, &id, cursor, limit)).await?;
    let mut response = rows.body.into_response();
    let next = HeaderValue::from(rows.next);
    response.headers_mut().insert(HeaderName::from_static(NEXT_CURSOR_HEADER), next);
    Ok(response)
}

/// Stops a search in the background and forgets what it found.
#[utoipa::path(
    delete, path = "/api/v1/searches/{id}", tag = "queries",
    params(("id" = String, Path, description = "the search's id"), TenantQuery),
    responses((status = 204, description = "it is gone"))
)]
async fn end_search(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<TenantQuery>,
) -> Result<StatusCode, ApiError> {
    backend.end_search(&query.scope(&caller)?, &id)?;
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
