//! Routes of sign-in and of programs' tokens.

use crate::access::{Caller, SESSION_COOKIE, cookie};
use crate::error::{ApiError, Kind};
use crate::extract::{Body, Params, Segment};
use crate::model::{List, NewToken, Password, Session, Token, TokenName};
use crate::page::{CommonPageQuery, page, place};
use crate::routes::{Shared, blocking};
use axum::Json;
use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use std::net::SocketAddr;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yagura_event::time::rfc3339;

/// Longest password taken, in bytes: hashing a longer one costs without making it safer.
const PASSWORD_BYTES_MAX: usize = 1_024;

/// Longest name of a token, in characters.
const TOKEN_NAME_MAX: usize = 100;

/// The route that needs no session.
pub(crate) fn open_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(sign_in))
}

/// Those that need one.
pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(session, sign_out))
        .routes(routes!(tokens, add_token))
        .routes(routes!(remove_token))
}

/// The address of the other end, empty on the private socket.
pub(crate) struct Peer(String);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(info.map(|ConnectInfo(address)| address.ip().to_string()).unwrap_or_default()))
    }
}

/// Signs in; the answer sets the session's cookie.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "session", request_body = Password,
    security(()),
    responses((status = 200, description = "signed in", body = Session))
)]
async fn sign_in(
    State(backend): State<Shared>,
    Peer(peer): Peer,
    Body(request): Body<Password>,
) -> Result<([(HeaderName, String); 1], Json<Session>), ApiError> {
    if request.password.len() > PASSWORD_BYTES_MAX {
        return Err(ApiError::new(Kind::Unauthorized, "sign_in_refused", "the password is wrong"));
    }
    let (secret, caller) = blocking(move || backend.sign_in(&request.password, &peer)).await?;
    // No `Secure`: until there is TLS, the listener is on loopback.
    let value = format!("{SESSION_COOKIE}={secret}; HttpOnly; SameSite=Strict; Path=/");
    Ok(([(header::SET_COOKIE, value)], Json(view(&caller)?)))
}

fn view(caller: &Caller) -> Result<Session, ApiError> {
    let Some(session) = &caller.session else {
        let text = "a token has no session";
        return Err(ApiError::new(Kind::NotFound, "no_session", text));
    };
    Ok(Session {
        user: caller.name.clone(),
        role: caller.role.clone(),
        csrf_token: session.csrf.clone(),
        expires_time_dt: rfc3339(session.expires),
    })
}

/// Who is signed in.
#[utoipa::path(
    get, path = "/api/v1/session", tag = "session",
    responses((status = 200, description = "the session", body = Session))
)]
async fn session(caller: Caller) -> Result<Json<Session>, ApiError> {
    view(&caller).map(Json)
}

/// Signs out.
#[utoipa::path(
    delete, path = "/api/v1/session", tag = "session",
    responses((status = 204, description = "signed out"))
)]
async fn sign_out(
    State(backend): State<Shared>,
    headers: HeaderMap,
) -> Result<(StatusCode, [(HeaderName, String); 1]), ApiError> {
    if let Some(secret) = cookie(&headers) {
        blocking(move || backend.sign_out(&secret)).await?;
    }
    let value = format!("{SESSION_COOKIE}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, value)]))
}

/// The tokens of programs, oldest first, without their secrets.
#[utoipa::path(
    get, path = "/api/v1/tokens", tag = "session", params(CommonPageQuery),
    responses((status = 200, description = "a page", body = List<Token>))
)]
async fn tokens(
    State(backend): State<Shared>,
    Params(query): Params<CommonPageQuery>,
) -> Result<Json<List<Token>>, ApiError> {
    let items = blocking(move || backend.tokens()).await?;
    let at = |one: &Token| place([&one.time_dt, &one.id]);
    page(items, query.limit, query.cursor.as_deref(), at).map(Json)
}

/// Makes a token. Its secret is in this answer and nowhere else.
#[utoipa::path(
    post, path = "/api/v1/tokens", tag = "session", request_body = TokenName,
    responses((status = 201, description = "the token", body = NewToken))
)]
async fn add_token(
    State(backend): State<Shared>,
    caller: Caller,
    Body(request): Body<TokenName>,
) -> Result<(StatusCode, Json<NewToken>), ApiError> {
    let name = request.name;
    if name.trim().is_empty() || name.chars().count() > TOKEN_NAME_MAX {
        let text = format!("a token's name is 1 to {TOKEN_NAME_MAX} characters");
        return Err(ApiError::new(Kind::Invalid, "token_name", text));
    }
    let token = blocking(move || backend.add_token(&caller, &name)).await?;
    Ok((StatusCode::CREATED, Json(token)))
}

/// Takes a token away; programs that use it are refused from then on.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{id}", tag = "session",
    params(("id" = String, Path, description = "the token's id")),
    responses((status = 204, description = "it is gone"))
)]
async fn remove_token(
    State(backend): State<Shared>,
    Segment(id): Segment<String>,
) -> Result<StatusCode, ApiError> {
    blocking(move || backend.remove_token(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
