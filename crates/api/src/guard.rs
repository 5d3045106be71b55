//! Refuses what a browser could be made to send: foreign `Host`, foreign `Origin`, form bodies.

use crate::error::{ApiError, Kind};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Checks every request on the TCP listener.
pub async fn guard(request: Request, next: Next) -> Response {
    match check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn check(headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    if !is_loopback(host) {
        return Err(ApiError::new(
            Kind::Forbidden,
            "host_not_allowed",
            "the Host header must name this listener's loopback address",
        ));
    }
    if let Some(origin) = text(header::ORIGIN) {
        let authority = origin.split_once("://").map_or(origin, |(_, rest)| rest);
        if authority != host {
            return Err(ApiError::new(
                Kind::Forbidden,
                "origin_not_allowed",
                "requests from other sites are refused",
            ));
        }
    }
    let media = text(header::CONTENT_TYPE).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media == "application/x-www-form-urlencoded" || media.starts_with("multipart/") {
        return Err(ApiError::new(
            Kind::MediaType,
            "form_not_taken",
            "send application/x-ndjson or text/plain; form bodies are refused",
        ));
    }
    Ok(())
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn code(pairs: &[(&'static str, &str)]) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        check(&headers).err().map(|e| e.code)
    }

    #[test]
    fn only_loopback_hosts_and_own_origin() {
        assert_eq!(code(&[("host", "127.0.0.1:8470")]), None);
        assert_eq!(code(&[("host", "[::1]:8470")]), None);
        assert_eq!(code(&[("host", "evil.example")]), Some("host_not_allowed"));
        assert_eq!(code(&[("host", "127.0.0.1.evil.example")]), Some("host_not_allowed"));
        assert_eq!(code(&[]), Some("host_not_allowed"));
        let pair = [("host", "localhost:1"), ("origin", "http://localhost:1")];
        assert_eq!(code(&pair), None);
        let pair = [("host", "localhost:1"), ("origin", "http://evil.example")];
        assert_eq!(code(&pair), Some("origin_not_allowed"));
    }

    #[test]
    fn form_bodies_are_refused() {
        for media in ["application/x-www-form-urlencoded", "Multipart/Form-Data; boundary=x"] {
            let pair = [("host", "localhost"), ("content-type", media)];
            assert_eq!(code(&pair), Some("form_not_taken"));
        }
    }
}
