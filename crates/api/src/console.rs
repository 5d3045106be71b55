//! The console's files, served from the binary under a strict content security policy.

use crate::extract::no_route;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use std::io::Read;

include!(concat!(env!("OUT_DIR"), "/console.rs"));

/// One file of the console.
struct Asset {
    /// Its path, without the slash in front.
    path: &'static str,
    /// Its bytes, compressed with gzip.
    gzip: &'static [u8],
}

/// The page that every address of the console begins with.
const PAGE: &str = "index.html";

/// Scripts, styles, pictures and connections of its own only; nothing inline, no frames.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const ABSENT: &str = "this build has no console: build it with `cargo xtask console`, then the \
    program again; the API is at /api/v1/openapi.json\n";

/// Serves a file of the console, or its page where the path is one of the console's own addresses.
pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return no_route().await.into_response();
    }
    let path = uri.path().trim_start_matches('/');
    if let Some(asset) = find(path) {
        return send(asset, &headers);
    }
    // A file that is gone, of an earlier version of the page: not to be answered with a page.
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    let wants_page = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    match find(PAGE) {
        Some(page) if path.is_empty() || (wants_page && !path.starts_with("assets/")) => {
            send(page, &headers)
        }
        None if path.is_empty() && !is_file => (StatusCode::NOT_FOUND, ABSENT).into_response(),
        _ => no_route().await.into_response(),
    }
}

fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

fn send(asset: &Asset, headers: &HeaderMap) -> Response {
    let takes_gzip = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|text| text.split(',').any(|one| one.trim().starts_with("gzip")));
    // Names of built files hold a hash of their content.
    let keeps = asset.path.starts_with("assets/");
    let cache = if keeps { "public, max-age=31536000, immutable" } else { "no-cache" };
    let common: [(HeaderName, &str); 7] = [
        (header::CONTENT_TYPE, media_type(asset.path)),
        (header::CACHE_CONTROL, cache),
        (header::VARY, "accept-encoding"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    if takes_gzip {
        return (common, [(header::CONTENT_ENCODING, "gzip")], asset.gzip).into_response();
    }
    let mut plain = Vec::new();
    match GzDecoder::new(asset.gzip).read_to_end(&mut plain) {
        Ok(_) => (common, plain).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "json" | "webmanifest" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
