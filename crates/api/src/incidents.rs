//! Routes of incidents: the judge's story, and what people decide and note.

use crate::access::Caller;
use crate::error::{ApiError, Kind};
use crate::extract::{Body, Params, Segment};
use crate::model::{Decision, IncidentSummary, List, NewDecision, NewNote, NewOwner, Note};
use crate::page::{PageQuery, falling, page, rising};
use crate::repeat::key_of;
use crate::routes::{Shared, blocking};
use crate::scope::{TenantQuery, scope};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yagura_event::TenantScope;

/// Most incidents in one page, and how many of `view=summary` where no `limit` is named.
const PAGE_MAX: usize = 1_000;
const PAGE_DEFAULT: usize = 100;

/// Longest reason of a decision and longest note, in characters.
const REASON_MAX: usize = 4_000;
const NOTE_MAX: usize = 20_000;

/// Longest name of an owner, in characters: a name is shown in a column of the queue.
const OWNER_MAX: usize = 64;

/// What the filter calls the owner of an incident that nobody works on; so it is nobody's name.
const NOBODY: &str = "none";

/// Incidents and what people make of them; methods block.
pub trait Cases {
    /// Incidents, newest first within each tenant, as OCSF Incident Findings with what is decided.
    ///
    /// # Errors
    /// `Internal` where the store fails.
    fn incidents(&self, scope: &TenantScope) -> Result<Vec<Value>, ApiError>;

    /// The same without their evidence, with what is decided.
    ///
    /// # Errors
    /// `Internal` where a store fails.
    fn summaries(&self, scope: &TenantScope) -> Result<Vec<IncidentSummary>, ApiError>;

    /// One incident with what is decided of it.
    ///
    /// # Errors
    /// `NotFound`, `Internal`.
    fn incident(&self, scope: &TenantScope, id: &str) -> Result<(Value, Decision), ApiError>;

    /// How one stood after each decision and each change of its owner, newest first.
    ///
    /// # Errors
    /// `NotFound`, `Internal`.
    fn decisions(&self, scope: &TenantScope, id: &str) -> Result<Vec<Decision>, ApiError>;

    /// Decides, where the incident stands at `version`.
    ///
    /// # Errors
    /// `NotFound`, `Changed`, `Internal`.
    fn decide(
        &self,
        caller: &Caller,
        scope: &TenantScope,
        id: &str,
        version: Option<u64>,
        decision: NewDecision,
    ) -> Result<Decision, ApiError>;

    /// Gives one to somebody, or to nobody, where it stands at `version`. Gives what is in force.
    ///
    /// # Errors
    /// `NotFound`, `Changed`, `Internal`.
    fn give(
        &self,
        caller: &Caller,
        scope: &TenantScope,
        id: &str,
        version: Option<u64>,
        owner: Option<String>,
    ) -> Result<Decision, ApiError>;

    /// The notes on one, oldest first.
    ///
    /// # Errors
    /// `NotFound`, `Internal`.
    fn notes(&self, scope: &TenantScope, id: &str) -> Result<Vec<Note>, ApiError>;

    /// Adds a note; a repeat with the same key gives the one that is there.
    ///
    /// # Errors
    /// `NotFound`, `TooMany`, `Internal`.
    fn add_note(
        &self,
        caller: &Caller,
        scope: &TenantScope,
        id: &str,
        text: &str,
        key: Option<&str>,
    ) -> Result<Note, ApiError>;
}

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(incidents))
        .routes(routes!(incident))
        .routes(routes!(decisions))
        .routes(routes!(decide))
        .routes(routes!(give))
        .routes(routes!(notes, add_note))
}

/// How much of each incident is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Detail {
    /// The OCSF Incident Finding, evidence included.
    #[default]
    Ocsf,
    /// What a list shows.
    Summary,
}

/// Which incidents are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Which {
    /// All, merged ones among them.
    #[default]
    All,
    /// Those that somebody still has to do something about.
    Open,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only this customer's.
    tenant: Option<String>,
    /// How much of each is given.
    #[serde(default)]
    #[param(inline)]
    view: Detail,
    /// Which are given. For `view=summary`.
    #[serde(default)]
    #[param(inline)]
    state: Which,
    /// Only those that this person works on; `none` for those that nobody does. For
    /// `view=summary`.
    owner: Option<String>,
    /// Most of them in one page, at most 1,000. Where absent: 1,000, of `view=summary` 100.
    limit: Option<usize>,
    /// Where the page begins.
    cursor: Option<String>,
}

/// Incidents, newest first within each tenant: OCSF Incident Findings, or `view=summary`.
#[utoipa::path(
    get, path = "/api/v1/incidents", tag = "incidents", params(ListQuery),
    responses((status = 200, description = "OCSF Incident Findings, or a page of IncidentSummary",
        body = List<Value>))
)]
async fn incidents(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<ListQuery>,
) -> Result<Response, ApiError> {
    let scope = scope(&caller, query.tenant.as_deref())?;
    if query.view == Detail::Ocsf {
        if query.owner.is_some() {
            let text = "`owner` narrows the list of `view=summary`";
            return Err(ApiError::new(Kind::Invalid, "parameters", text));
        }
        let items = blocking(move || backend.incidents(&scope)).await?;
        let word = |one: &Value, at| one.pointer(at).and_then(Value::as_str).map(str::to_owned);
        let at = |one: &Value| {
            let id = word(one, "/metadata/uid").unwrap_or_default();
            format!("{}.{id}", word(one, "/metadata/tenant_uid").unwrap_or_default())
        };
        return Ok(Json(part(items, &query, PAGE_MAX, at, |_| true)?).into_response());
    }
    let items = blocking(move || backend.summaries(&scope)).await?;
    let at = |one: &IncidentSummary| format!("{}.{}", one.tenant, one.id);
    let takes = |one: &IncidentSummary| query.takes(one);
    Ok(Json(part(items, &query, PAGE_DEFAULT, at, takes)?).into_response())
}

impl ListQuery {
    fn takes(&self, one: &IncidentSummary) -> bool {
        let open = one.state.is_open() && one.merged_into.is_none();
        let owned = match self.owner.as_deref() {
            None => true,
            Some(NOBODY) => one.owner.is_none(),
            name => one.owner.as_deref() == name,
        };
        owned && (open || self.state == Which::All)
    }
}

/// The page behind the cursor, which names the incident that ended the page before: the order within
/// a tenant is that of numbers, newest first.
fn part<T>(
    mut items: Vec<T>,
    query: &ListQuery,
    default: usize,
    place: impl Fn(&T) -> String,
    takes: impl Fn(&T) -> bool,
) -> Result<List<T>, ApiError> {
    // Before the filter: what ended a page may have been decided or given away since.
    if let Some(cursor) = query.cursor.as_deref() {
        let at = items
            .iter()
            .position(|one| place(one) == cursor)
            .ok_or_else(|| ApiError::new(Kind::Invalid, "cursor", "this list has no such place"))?;
        items.drain(..=at);
    }
    items.retain(takes);
    let limit = query.limit.unwrap_or(default).clamp(1, PAGE_MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(place);
    Ok(List { items, next_cursor })
}

/// One incident as OCSF Incident Finding, with `decision`. Its `ETag` changes with the decision and
/// with the owner.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}", tag = "incidents",
    params(("id" = String, Path, description = "such as INC-2026-0042"), TenantQuery),
    responses((status = 200, description = "the incident", body = Value))
)]
async fn incident(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<TenantQuery>,
) -> Result<Response, ApiError> {
    let scope = query.scope(&caller)?;
    let (mut value, decision) = blocking(move || backend.incident(&scope, &id)).await?;
    let tag = etag(decision.version);
    if let Some(object) = value.as_object_mut() {
        let decision = serde_json::to_value(decision).map_err(ApiError::internal)?;
        object.insert("decision".to_owned(), decision);
    }
    Ok(([(header::ETAG, tag)], Json(value)).into_response())
}

fn etag(version: u64) -> String {
    format!("\"d{version}\"")
}

/// How an incident stood after each decision and each change of its owner, newest first. `by` and
/// `time_dt` say who changed it and when; a change of the owner alone has no `reason`.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}/decisions", tag = "incidents",
    params(("id" = String, Path, description = "such as INC-2026-0042"), PageQuery),
    responses((status = 200, description = "a page", body = List<Decision>))
)]
async fn decisions(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<PageQuery>,
) -> Result<Json<List<Decision>>, ApiError> {
    let scope = scope(&caller, query.tenant.as_deref())?;
    let items = blocking(move || backend.decisions(&scope, &id)).await?;
    let at = |one: &Decision| falling(one.version);
    page(items, query.limit, query.cursor.as_deref(), at).map(Json)
}

/// Decides. With `If-Match`, only where nobody else has decided or given it away since.
#[utoipa::path(
    put, path = "/api/v1/incidents/{id}/decision", tag = "incidents", request_body = NewDecision,
    params(("id" = String, Path, description = "such as INC-2026-0042"), TenantQuery,
        ("If-Match" = Option<String>, Header, description = "the incident's ETag")),
    responses(
        (status = 200, description = "the decision in force", body = Decision),
        (status = 412, description = "somebody else decided; code `decision_changed`")
    )
)]
async fn decide(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<TenantQuery>,
    headers: HeaderMap,
    Body(mut request): Body<NewDecision>,
) -> Result<Response, ApiError> {
    let scope = query.scope(&caller)?;
    if request.reason.chars().count() > REASON_MAX {
        let text = format!("a reason is at most {REASON_MAX} characters");
        return Err(ApiError::new(Kind::Invalid, "reason", text));
    }
    if !request.state.is_open() && request.verdict.is_none() {
        let text = "an incident is resolved or closed with a verdict";
        return Err(ApiError::new(Kind::Invalid, "verdict_missing", text));
    }
    request.owner = request.owner.as_deref().map(owner_name).transpose()?;
    let version = seen(&headers)?;
    let work = move || backend.decide(&caller, &scope, &id, version, request);
    let decision = blocking(work).await?;
    Ok(([(header::ETAG, etag(decision.version))], Json(decision)).into_response())
}

/// Says who works on an incident. With `If-Match`, only where nobody else has decided or given it
/// away since.
#[utoipa::path(
    put, path = "/api/v1/incidents/{id}/owner", tag = "incidents", request_body = NewOwner,
    params(("id" = String, Path, description = "such as INC-2026-0042"), TenantQuery,
        ("If-Match" = Option<String>, Header, description = "the incident's ETag")),
    responses(
        (status = 200, description = "the decision in force, with the owner", body = Decision),
        (status = 412, description = "somebody was faster; code `decision_changed`")
    )
)]
async fn give(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<TenantQuery>,
    headers: HeaderMap,
    Body(request): Body<NewOwner>,
) -> Result<Response, ApiError> {
    let scope = query.scope(&caller)?;
    let owner = request.owner.as_deref().map(owner_name).transpose()?;
    let version = seen(&headers)?;
    let work = move || backend.give(&caller, &scope, &id, version, owner);
    let decision = blocking(work).await?;
    Ok(([(header::ETAG, etag(decision.version))], Json(decision)).into_response())
}

/// A name that an incident can be given to, without blanks around it.
fn owner_name(text: &str) -> Result<String, ApiError> {
    let name = text.trim();
    let length = name.chars().count();
    if length == 0 || length > OWNER_MAX || name.chars().any(char::is_control) || name == NOBODY {
        let text = format!(
            "an owner is a name of 1 to {OWNER_MAX} characters without control characters, and not \
             `{NOBODY}`; null is nobody"
        );
        return Err(ApiError::new(Kind::Invalid, "owner", text));
    }
    Ok(name.to_owned())
}

/// The version that a caller has seen, where it says so.
fn seen(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    let tag = headers.get(header::IF_MATCH);
    tag.map(|tag| version(tag.to_str().unwrap_or_default())).transpose()
}

fn version(tag: &str) -> Result<u64, ApiError> {
    let number = tag.trim().strip_prefix("\"d").and_then(|rest| rest.strip_suffix('"'));
    number.and_then(|number| number.parse().ok()).ok_or_else(|| {
        let text = "this ETag is none of an incident's; look at the incident again";
        ApiError::new(Kind::Changed, "decision_changed", text)
    })
}

/// The notes on an incident, oldest first.
#[utoipa::path(
    get, path = "/api/v1/incidents/{id}/notes", tag = "incidents",
    params(("id" = String, Path, description = "such as INC-2026-0042"), PageQuery),
    responses((status = 200, description = "a page", body = List<Note>))
)]
async fn notes(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<PageQuery>,
) -> Result<Json<List<Note>>, ApiError> {
    let scope = scope(&caller, query.tenant.as_deref())?;
    let items = blocking(move || backend.notes(&scope, &id)).await?;
    let at = |one: &Note| rising(one.id.parse().unwrap_or(0));
    page(items, query.limit, query.cursor.as_deref(), at).map(Json)
}

/// Adds a note. A repeat with the same `Idempotency-Key` gives the note that is there.
#[utoipa::path(
    post, path = "/api/v1/incidents/{id}/notes", tag = "incidents", request_body = NewNote,
    params(("id" = String, Path, description = "such as INC-2026-0042"), TenantQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "makes a repeat harmless")),
    responses((status = 201, description = "the note", body = Note))
)]
async fn add_note(
    State(backend): State<Shared>,
    caller: Caller,
    Segment(id): Segment<String>,
    Params(query): Params<TenantQuery>,
    headers: HeaderMap,
    Body(request): Body<NewNote>,
) -> Result<(StatusCode, Json<Note>), ApiError> {
    let scope = query.scope(&caller)?;
    let text = request.text;
    if text.trim().is_empty() || text.chars().count() > NOTE_MAX {
        let text = format!("a note is 1 to {NOTE_MAX} characters");
        return Err(ApiError::new(Kind::Invalid, "note", text));
    }
    let key = key_of(&headers)?;
    let work = move || backend.add_note(&caller, &scope, &id, &text, key.as_deref());
    Ok((StatusCode::CREATED, Json(blocking(work).await?)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn owners_are_names_within_their_limits() {
        assert_eq!(owner_name(" nina ").unwrap(), "nina");
        assert_eq!(owner_name("token:my script").unwrap(), "token:my script");
        let longest = "櫓".repeat(OWNER_MAX);
        assert_eq!(owner_name(&longest).unwrap(), longest);
        for wrong in ["", "  ", "none", "a\nb", "a\u{7}", &format!("{longest}x")] {
            assert_eq!(owner_name(wrong).unwrap_err().code, "owner", "{wrong:?}");
        }
    }

    #[test]
    fn an_owner_is_named_or_null_and_never_left_out() {
        let read = |text| serde_json::from_str::<NewOwner>(text);
        assert_eq!(read(r#"{"owner":null}"#).unwrap().owner, None);
        assert_eq!(read(r#"{"owner":"nina"}"#).unwrap().owner.as_deref(), Some("nina"));
        assert!(read("{}").is_err());
    }
}
