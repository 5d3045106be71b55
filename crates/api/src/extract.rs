//! What a request says, read so that every refusal is a problem document.

use crate::error::{ApiError, Kind};
use crate::routes::BODY_BYTES_MAX;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

/// A body of JSON.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match Json::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(refused(&rejection)),
        }
    }
}

fn refused(rejection: &JsonRejection) -> ApiError {
    let text = rejection.body_text();
    match rejection.status() {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ApiError::new(Kind::MediaType, "json_expected", "send application/json")
        }
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => ApiError::new(Kind::Invalid, "request", text),
    }
}

/// A body as it is.
pub(crate) struct Raw(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let refused = |rejection: BytesRejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(),
            _ => ApiError::new(Kind::Invalid, "request", rejection.body_text()),
        };
        Bytes::from_request(request, state).await.map(Self).map_err(refused)
    }
}

/// Answers a body over the limit.
pub(crate) fn too_large() -> ApiError {
    let text = format!("a body is at most {BODY_BYTES_MAX} bytes; send it in parts");
    ApiError::new(Kind::TooLarge, "body_too_large", text)
}

/// The parameters behind the question mark.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(rejection) => {
                Err(ApiError::new(Kind::Invalid, "parameters", rejection.body_text()))
            }
        }
    }
}

/// The variable parts of the path.
pub(crate) struct Segment<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Segment<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(ApiError::new(Kind::Invalid, "path", rejection.body_text())),
        }
    }
}

/// Answers a path that there is not.
pub(crate) async fn no_route() -> ApiError {
    ApiError::new(Kind::NotFound, "route_unknown", "there is nothing at this path")
}

/// Answers a method that a path does not have.
pub(crate) async fn no_method() -> ApiError {
    ApiError::new(Kind::Method, "method_unknown", "this path does not have this method")
}
