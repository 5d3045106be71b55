//! One error shape for every endpoint: an RFC 9457 problem document with a stable code.

use crate::model::QueryProblem;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// A problem document (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// `about:blank`: the status says the type.
    pub r#type: String,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// Stable word for programs.
    pub code: String,
    /// Words for a person.
    pub detail: String,
    /// What in a query is wrong, where that is what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<QueryProblem>,
}

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
    /// Nobody is known to call, or somebody with a wrong password.
    Unauthorized,
    /// Refused for where it comes from, or for what the caller may do.
    Forbidden,
    /// Somebody else changed it meanwhile; look at it again.
    Changed,
    /// An earlier request with this key stands in the way; look at what it made.
    Conflict,
    /// The key belongs to another request; take another.
    Reused,
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
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Changed => StatusCode::PRECONDITION_FAILED,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Reused => StatusCode::UNPROCESSABLE_ENTITY,
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
    /// What in a query is wrong.
    pub at: Option<Box<QueryProblem>>,
    /// Seconds after which to come again.
    pub retry_after_s: Option<u64>,
}

impl ApiError {
    /// An error without internal words.
    pub fn new(kind: Kind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), internal: None, at: None, retry_after_s: None }
    }

    /// Our fault: the caller learns only that, the log learns `why`.
    pub fn internal(why: impl std::fmt::Display) -> Self {
        Self {
            kind: Kind::Internal,
            code: "internal",
            message: "something failed on the server; its log says what".to_owned(),
            internal: Some(why.to_string()),
            at: None,
            retry_after_s: None,
        }
    }

    /// The same with the place in a query that is wrong.
    #[must_use]
    pub fn at(mut self, place: QueryProblem) -> Self {
        self.at = Some(Box::new(place));
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.kind.status();
        if let Some(internal) = &self.internal {
            tracing::error!(code = self.code, error = %internal, "request failed");
        }
        let problem = Problem {
            r#type: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("error").to_owned(),
            status: status.as_u16(),
            code: self.code.to_owned(),
            detail: self.message,
            position: self.at.map(|place| *place),
        };
        // It holds nothing that has no JSON.
        let body = serde_json::to_string(&problem).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let retry = self.retry_after_s.or((self.kind == Kind::Full).then_some(5));
        if let Some(seconds) = retry {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == Kind::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
