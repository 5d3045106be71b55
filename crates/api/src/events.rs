//! Routes of single events, counts over events, checks of queries, saved searches.

use crate::access::Caller;
use crate::backend::Pending;
use crate::error::{ApiError, Kind};
use crate::extract::{Body, Params, Segment};
use crate::findings::time;
use crate::model::{
    Checked, CompleteRequest, Completions, EventView, Facets, FacetsRequest, FieldView, Histogram,
    HistogramRequest, List, NewSavedSearch, QueryText, SavedSearch,
};
use crate::page::{CommonPageQuery, page, place, rising};
use crate::routes::{Shared, blocking};
use crate::scope::TenantQuery;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yagura_event::{Micros, TenantScope};

/// Most steps of a histogram.
const BINS_MAX: u32 = 200;

/// Most fields counted at once, and most values of each.
const FACETS_MAX: usize = 12;
const VALUES_MAX: u32 = 50;

/// Longest name of a saved search, in characters.
const NAME_MAX: usize = 100;

/// Longest text of a saved search, in bytes.
const QUERY_BYTES_MAX: usize = 64 * 1024;

/// What is asked of a histogram, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistogramAsked {
    /// The search.
    pub query: String,
    /// Steps, 1 to 200.
    pub bins: u32,
    /// First time counted.
    pub from: Option<Micros>,
    /// First time not counted.
    pub until: Option<Micros>,
}

/// Events one by one and counted. What gives a [`Pending`] stops when that is dropped; the rest
/// blocks.
pub trait Events {
    /// One event with its record.
    ///
    /// # Errors
    /// `NotFound`; those of queries.
    fn event(&self, scope: &TenantScope, id: &str) -> Pending<EventView>;

    /// A search's events by time.
    ///
    /// # Errors
    /// As for searches.
    fn histogram(&self, scope: &TenantScope, asked: HistogramAsked) -> Pending<Histogram>;

    /// A search's events by value.
    ///
    /// # Errors
    /// As for searches; `Invalid` for what is no field.
    fn facets(
        &self,
        scope: &TenantScope,
        query: &str,
        fields: &[String],
        top: u32,
    ) -> Pending<Facets>;

    /// The fields that searches can name.
    fn fields(&self) -> Vec<FieldView>;

    /// Whether a search is right.
    fn check_search(&self, query: &str) -> Checked;

    /// Whether a pipe is right.
    fn check_pipe(&self, query: &str) -> Checked;

    /// What may stand at a place of a pipe.
    fn complete(&self, query: &str, offset: u64) -> Completions;

    /// The searches kept, by name.
    ///
    /// # Errors
    /// `Internal` where the store fails.
    fn saved_searches(&self) -> Result<Vec<SavedSearch>, ApiError>;

    /// Keeps a search.
    ///
    /// # Errors
    /// `TooMany`, `Internal`.
    fn save_search(&self, caller: &Caller, new: NewSavedSearch) -> Result<SavedSearch, ApiError>;

    /// Forgets one.
    ///
    /// # Errors
    /// `NotFound`, `Internal`.
    fn forget_search(&self, id: &str) -> Result<(), ApiError>;
}

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(event))
        .routes(routes!(histogram))
        .routes(routes!(facets))
        .routes(routes!(fields))
        .routes(routes!(check_search))
        .routes(routes!(check_pipe))
        .routes(routes!(complete))
        .routes(routes!(saved_searches, save_search))
        .routes(routes!(forget_search))
}

/// One event with its record, and where each value stands in it.
#[utoipa::path(
    get, path = "/api/v1/events/{id}", tag = "events",
    params(("id" = String, Path, description = "32 hexadecimal digits"), TenantQuery),
    responses((status = 200, description = "the event", body = EventView))
)]
async fn event(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<TenantQuery>,
) -> Result<Json<EventView>, ApiError> {
    let scope = query.scope(&caller)?;
    backend.event(&scope, &id).await.map(Json)
}

/// A search's events by time.
#[utoipa::path(
    post, path = "/api/v1/events/histogram", tag = "events", request_body = HistogramRequest,
    params(TenantQuery),
    responses((status = 200, description = "the counts", body = Histogram))
)]
async fn histogram(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<TenantQuery>,
    Body(request): Body<HistogramRequest>,
) -> Result<Json<Histogram>, ApiError> {
    let scope = query.scope(&caller)?;
    let bins = request.bins.unwrap_or(60);
    if !(1..=BINS_MAX).contains(&bins) {
        let text = format!("bins is 1 to {BINS_MAX}");
        return Err(ApiError::new(Kind::Invalid, "bins", text));
    }
    let from = time("from_dt", request.from_dt.as_deref())?;
    let until = time("until_dt", request.until_dt.as_deref())?;
    let asked = HistogramAsked { query: request.query, bins, from, until };
    backend.histogram(&scope, asked).await.map(Json)
}

/// A search's events by the values of some fields.
#[utoipa::path(
    post, path = "/api/v1/events/facets", tag = "events", request_body = FacetsRequest,
    params(TenantQuery),
    responses((status = 200, description = "the counts", body = Facets))
)]
async fn facets(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<TenantQuery>,
    Body(request): Body<FacetsRequest>,
) -> Result<Json<Facets>, ApiError> {
    let scope = query.scope(&caller)?;
    let top = request.top.unwrap_or(10);
    if request.fields.is_empty()
        || request.fields.len() > FACETS_MAX
        || !(1..=VALUES_MAX).contains(&top)
    {
        let text = format!("1 to {FACETS_MAX} fields and a top of 1 to {VALUES_MAX}");
        return Err(ApiError::new(Kind::Invalid, "facets", text));
    }
    backend.facets(&scope, &request.query, &request.fields, top).await.map(Json)
}

/// The fields that searches can name.
#[utoipa::path(
    get, path = "/api/v1/fields", tag = "events",
    responses((status = 200, description = "all fields", body = List<FieldView>))
)]
async fn fields(State(backend): State<Shared>) -> Json<List<FieldView>> {
    Json(List::whole(backend.fields()))
}

/// Whether a search is right, without running it.
#[utoipa::path(
    post, path = "/api/v1/search/check", tag = "events", request_body = QueryText,
    responses((status = 200, description = "what is wrong, if anything is", body = Checked))
)]
async fn check_search(
    State(backend): State<Shared>,
    Body(request): Body<QueryText>,
) -> Result<Json<Checked>, ApiError> {
    blocking(move || Ok(backend.check_search(&request.query))).await.map(Json)
}

/// Whether a pipe is right, without running it.
#[utoipa::path(
    post, path = "/api/v1/query/check", tag = "events", request_body = QueryText,
    responses((status = 200, description = "what is wrong, if anything is", body = Checked))
)]
async fn check_pipe(
    State(backend): State<Shared>,
    Body(request): Body<QueryText>,
) -> Result<Json<Checked>, ApiError> {
    blocking(move || Ok(backend.check_pipe(&request.query))).await.map(Json)
}

/// What may stand at a place of a pipe.
#[utoipa::path(
    post, path = "/api/v1/query/complete", tag = "events", request_body = CompleteRequest,
    responses((status = 200, description = "completions", body = Completions))
)]
async fn complete(
    State(backend): State<Shared>,
    Body(request): Body<CompleteRequest>,
) -> Result<Json<Completions>, ApiError> {
    blocking(move || Ok(backend.complete(&request.query, request.offset))).await.map(Json)
}

/// The searches kept, by name.
#[utoipa::path(
    get, path = "/api/v1/saved-searches", tag = "events", params(CommonPageQuery),
    responses((status = 200, description = "a page", body = List<SavedSearch>))
)]
async fn saved_searches(
    State(backend): State<Shared>,
    Params(query): Params<CommonPageQuery>,
) -> Result<Json<List<SavedSearch>>, ApiError> {
    let items = blocking(move || backend.saved_searches()).await?;
    let at = |one: &SavedSearch| place([&one.name, &rising(one.id.parse().unwrap_or(0))]);
    page(items, query.limit, query.cursor.as_deref(), at).map(Json)
}

/// Keeps a search.
#[utoipa::path(
    post, path = "/api/v1/saved-searches", tag = "events", request_body = NewSavedSearch,
    responses((status = 201, description = "the search kept", body = SavedSearch))
)]
async fn save_search(
    State(backend): State<Shared>,
    caller: Caller,
    Body(request): Body<NewSavedSearch>,
) -> Result<(StatusCode, Json<SavedSearch>), ApiError> {
    let name = request.name.trim();
    if name.is_empty() || name.chars().count() > NAME_MAX {
        let text = format!("a name is 1 to {NAME_MAX} characters");
        return Err(ApiError::new(Kind::Invalid, "name", text));
    }
    if request.query.len() > QUERY_BYTES_MAX {
        let text = format!("a query is at most {QUERY_BYTES_MAX} bytes");
        return Err(ApiError::new(Kind::Invalid, "query_length", text));
    }
    let saved = blocking(move || backend.save_search(&caller, request)).await?;
    Ok((StatusCode::CREATED, Json(saved)))
}

/// Forgets a search.
#[utoipa::path(
    delete, path = "/api/v1/saved-searches/{id}", tag = "events",
    params(("id" = String, Path, description = "the search's id")),
    responses((status = 204, description = "it is gone"))
)]
async fn forget_search(
    State(backend): State<Shared>,
    Segment(id): Segment<String>,
) -> Result<StatusCode, ApiError> {
    blocking(move || backend.forget_search(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
