//! Refuses what a browser could be made to send: foreign `Host`, foreign `Origin`, form bodies.

use crate::error::{ApiError, Kind};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// The address under which a proxy shows the console to others than this machine.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Scheme, name and port: what browsers send as `Origin`; empty for none.
    origin: String,
}

impl Site {
    /// That of the console's URL.
    pub fn of(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        match authority.is_empty() {
            true => Self::default(),
            false => Self { origin: format!("{scheme}://{authority}").to_ascii_lowercase() },
        }
    }

    /// Whether requests to `host` come through the proxy.
    fn is(&self, host: &str) -> bool {
        let authority = self.origin.split_once("://").map(|(_, authority)| authority);
        authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    }
}

/// Checks every request on the TCP listener.
pub async fn guard(State(site): State<Site>, request: Request, next: Next) -> Response {
    match check(request.headers(), &site) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn check(headers: &HeaderMap, site: &Site) -> Result<(), ApiError> {
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    let proxied = site.is(host);
    if !proxied && !is_loopback(host) {
        return Err(ApiError::new(
            Kind::Forbidden,
            "host_not_allowed",
            "the Host header must name this listener's loopback address or listen.console_url's name",
        ));
    }
    if let Some(origin) = text(header::ORIGIN) {
        let authority = origin.split_once("://").map_or(origin, |(_, rest)| rest);
        let own = match proxied {
            true => origin.eq_ignore_ascii_case(&site.origin),
            false => authority == host,
        };
        if !own {
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
        check(&headers, &Site::of("https://Soc.example:8443/console")).err().map(|e| e.code)
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
    fn the_console_s_own_name_is_taken_with_its_origin_alone() {
        assert_eq!(code(&[("host", "soc.example:8443")]), None);
        for host in ["soc.example", "soc.example:443", "x.soc.example:8443"] {
            assert_eq!(code(&[("host", host)]), Some("host_not_allowed"), "{host}");
        }
        let origin = |origin: &str| code(&[("host", "SOC.example:8443"), ("origin", origin)]);
        assert_eq!(origin("https://soc.example:8443"), None);
        for other in ["http://soc.example:8443", "https://soc.example", "https://127.0.0.1", "null"]
        {
            assert_eq!(origin(other), Some("origin_not_allowed"), "{other}");
        }
        // Who comes by the loopback address is of that address.
        let pair = [("host", "127.0.0.1:8470"), ("origin", "https://soc.example:8443")];
        assert_eq!(code(&pair), Some("origin_not_allowed"));
        for none in ["", "soc.example", "https://", "https:///x"] {
            assert!(!Site::of(none).is("") && !Site::of(none).is("soc.example"), "{none}");
        }
    }

    #[test]
    fn form_bodies_are_refused() {
        for media in ["application/x-www-form-urlencoded", "Multipart/Form-Data; boundary=x"] {
            let pair = [("host", "localhost"), ("content-type", media)];
            assert_eq!(code(&pair), Some("form_not_taken"));
        }
    }
}
