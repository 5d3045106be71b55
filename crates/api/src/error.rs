//! One error shape for every endpoint: an RFC 9457 problem document with a stable code.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Whose fault an error is and what the caller can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The request is wrong; repeating it will not help.
    Invalid,
    /// There is no such thing in the caller's scope.
    NotFound,
    /// The path does not have the method.
    Method,
    /// The media type is not taken.
    MediaType,
    /// The body is over the limit.
    TooLarge,
    /// Refused for where it comes from.
    Forbidden,
    /// No room at the moment; repeat later.
    Busy,
    /// The caller asks for more at once than is allowed; repeat later.
    TooMany,
    /// The disk or the journal is full: repeat more slowly, nothing was taken.
    Full,
    /// Our fault; the log has more.
    Internal,
}

impl Kind {
    fn status(self) -> StatusCode {
        match self {
            Self::Invalid => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Full => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// An error with a message for the caller and, apart, one for the log.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// What the caller can do.
    pub kind: Kind,
    /// Stable word for programs.
    pub code: &'static str,
    /// Words for the caller.
    pub message: String,
    /// Words for the log only.
    pub internal: Option<String>,
}

impl ApiError {
    /// An error without internal words.
    pub fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), internal: None }
    }

    /// Our fault: the caller learns only that, the log learns `why`.
    pub fn internal(why: impl std::fmt::Display) -> Self {
        Self {
            kind: Kind::Internal,
            code: "internal",
            message: "something failed on the server; its log says what".to_owned(),
            internal: Some(why.to_string()),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.kind.status();
        if let Some(internal) = &self.internal {
            tracing::error!(code = self.code, error = %internal, "request failed");
        }
        let body = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("error"),
            "status": status.as_u16(),
            "code": self.code,
            "detail": self.message,
        });
        let mut response = (status, body.to_string()).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.kind == Kind::Full {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}
