//! Who calls: a session's cookie, a program's token, or the owner of the private socket.

use crate::error::{ApiError, Kind};
use crate::model::{NewToken, Token};
use crate::routes::{Shared, blocking};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use yagura_event::{Micros, TenantScope};

/// The cookie of a session.
pub const SESSION_COOKIE: &str = "yagura_session";

/// The header in which a browser's request that changes something names its session's word. Other
/// sites can send the cookie but not this.
pub const CSRF_HEADER: &str = "yagura-csrf";

/// Who calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Name of the account, or `token:` and the token's name.
    pub name: String,
    /// What tells it from every other caller, where names are alike: `account:` and the name,
    /// `token:` and the token's id.
    pub id: String,
    /// What it may do.
    pub role: String,
    /// Whose data it sees.
    pub scope: TenantScope,
    /// The session, where it is a person's.
    pub session: Option<SignedIn>,
}

/// A session as its owner sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedIn {
    /// What [`CSRF_HEADER`] has to say.
    pub csrf: String,
    /// When it ends.
    pub expires: Micros,
}

impl Caller {
    /// Whoever can open the private socket: the owner of the data directory.
    pub fn owner() -> Self {
        let (name, role) = ("owner".to_owned(), "administrator".to_owned());
        Self { id: name.clone(), name, role, scope: TenantScope::operator(), session: None }
    }
}

/// How callers are known; methods block.
pub trait Access {
    /// Signs in. Gives the session's secret, which is stored nowhere, and who that is.
    ///
    /// # Errors
    /// `Unauthorized` for a wrong password, `TooMany` where there were too many tries from `peer`.
    fn sign_in(&self, password: &str, peer: &str) -> Result<(String, Caller), ApiError>;

    /// Who a session's secret belongs to.
    ///
    /// # Errors
    /// `Unauthorized`.
    fn session(&self, secret: &str) -> Result<Caller, ApiError>;

    /// Ends the session of a secret.
    ///
    /// # Errors
    /// `Internal` where the store fails.
    fn sign_out(&self, secret: &str) -> Result<(), ApiError>;

    /// Whose a token is.
    ///
    /// # Errors
    /// `Unauthorized`.
    fn token(&self, token: &str) -> Result<Caller, ApiError>;

    /// All tokens, oldest first.
    ///
    /// # Errors
    /// `Internal` where the store fails.
    fn tokens(&self) -> Result<Vec<Token>, ApiError>;

    /// Makes a token.
    ///
    /// # Errors
    /// `TooMany` where there are as many as there may be.
    fn add_token(&self, caller: &Caller, name: &str) -> Result<NewToken, ApiError>;

    /// Takes a token away.
    ///
    /// # Errors
    /// `NotFound`.
    fn remove_token(&self, id: &str) -> Result<(), ApiError>;
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        parts.extensions.get().cloned().ok_or_else(required)
    }
}

/// Lets through who is known, and notes who it is.
pub async fn authenticate(
    State(backend): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    match caller(backend, request.method(), request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

/// Notes that the owner calls.
pub async fn owner(mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Caller::owner());
    next.run(request).await
}

async fn caller(backend: Shared, method: &Method, headers: &HeaderMap) -> Result<Caller, ApiError> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok().and_then(bearer).ok_or_else(required)?.to_owned();
        return blocking(move || backend.token(&token)).await;
    }
    let secret = cookie(headers).ok_or_else(required)?;
    let caller = blocking(move || backend.session(&secret)).await?;
    let named = headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
    let expected = caller.session.as_ref().map(|session| session.csrf.as_str());
    if !method.is_safe() && named != expected {
        let text = format!("send the session's csrf_token in the header {CSRF_HEADER}");
        return Err(ApiError::new(Kind::Forbidden, "csrf_token", text));
    }
    Ok(caller)
}

fn required() -> ApiError {
    let text = "sign in, or send a token as `Authorization: Bearer`";
    ApiError::new(Kind::Unauthorized, "session_required", text)
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The session's secret in a request.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<String> {
    let mut pairs = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION_COOKIE).map(|(_, secret)| secret.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        assert_eq!(cookie(&headers), None);
        headers.append(header::COOKIE, "a=1; yagura_session=s3cret ; b=2".parse().unwrap());
        assert_eq!(cookie(&headers).as_deref(), Some("s3cret"));
    }

    #[test]
    fn tokens_are_bearers() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc"), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("abc"), None);
    }
}
