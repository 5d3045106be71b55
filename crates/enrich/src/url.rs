//! URLs: one form for lists and events, and by what parts one covers another.
//!
//! The form is `host[:port]/path[?query]`: no scheme, no user, no fragment; host lower case;
//! ports 80 and 443 left out; percent escapes upper case, of unreserved characters undone
//! (RFC 3986 section 6.2.2). A list's URL covers
//!
//! * with a query: exactly itself;
//! * without: the same path with any query;
//! * ending in `/`: everything below it as well, `host/` the whole site.

use crate::domain;
use std::fmt::Write as _;

/// Longest URL looked at, in bytes; a longer one in a list is refused, of a longer one in an
/// event the rest is not seen.
pub const URL_BYTES_MAX: usize = 4_096;

/// Most path segments below which a list's URL is looked for; deeper ones are not.
const DEPTH_MAX: usize = 24;

/// A URL in its normal form, with where its parts end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parts<'a> {
    /// All of it.
    pub text: &'a str,
    /// Where the host ends, without its port.
    pub host: usize,
    /// Where the path begins.
    pub path: usize,
    /// Where the query begins with its `?`, or the end.
    pub query: usize,
}

impl<'a> Parts<'a> {
    /// The host, IPv6 addresses without brackets.
    pub fn host(&self) -> &'a str {
        self.text[..self.host].trim_start_matches('[').trim_end_matches(']')
    }

    /// Host and port.
    pub fn site(&self) -> &'a str {
        &self.text[..self.path]
    }

    /// The forms under which a list may name it, without repeats: itself, itself without query,
    /// and every folder above it.
    pub fn covers(&self) -> impl Iterator<Item = &'a str> {
        let (text, path, query) = (self.text, self.path, self.query);
        let whole = (query < text.len()).then_some(text);
        let bare = &text[..query];
        let folders = bare[path..]
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'/')
            .map(move |(at, _)| &bare[..path + at + 1])
            .take(DEPTH_MAX)
            .filter(move |folder| folder.len() < bare.len());
        whole.into_iter().chain(std::iter::once(bare)).chain(folders)
    }
}

/// Writes `text` into `out` in the normal form. A URL that begins with `/` is one of `host`.
/// `None` where it has no host.
pub fn normal<'a>(text: &str, host: Option<&str>, out: &'a mut String) -> Option<Parts<'a>> {
    out.clear();
    let text = cut(text.trim(), URL_BYTES_MAX);
    let rest = match text.find("://") {
        Some(at) if is_scheme(&text[..at]) => &text[at + 3..],
        _ => text.strip_prefix("//").unwrap_or(text),
    };
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (mut authority, tail) = rest.split_at(end);
    if authority.is_empty() {
        authority = host.filter(|_| text.starts_with('/'))?;
    }
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let bare = domain::without_port(authority);
    let port = authority.rsplit_once(':').map(|(_, port)| port);
    let port = port.filter(|_| bare.len() < authority.trim_matches(['[', ']']).len());
    let bare = bare.trim_end_matches('.');
    if bare.is_empty() || bare.bytes().any(|b| b.is_ascii_whitespace()) {
        return None;
    }
    host_into(bare, out)?;
    let host = out.len();
    if let Some(port) = port.filter(|port| !matches!(*port, "80" | "443" | "")) {
        out.push(':');
        out.push_str(port);
    }
    let path = out.len();
    let tail = tail.split('#').next().unwrap_or_default();
    let (way, query) = tail.split_once('?').unwrap_or((tail, ""));
    if !way.starts_with(['/', '\\']) {
        out.push('/');
    }
    escapes_into(way, out);
    let at = out.len();
    if !query.is_empty() {
        out.push('?');
        escapes_into(query, out);
    }
    Some(Parts { text: out.as_str(), host, path, query: at })
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 16
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

fn host_into(host: &str, out: &mut String) -> Option<()> {
    match domain::as_address(host) {
        Some(ip) if ip.is_ipv6() => {
            // Writing to a text does not fail.
            let _ = write!(out, "[{ip}]");
        }
        Some(ip) => {
            let _ = write!(out, "{ip}");
        }
        None if host.is_ascii() => {
            out.push_str(host);
            out.make_ascii_lowercase();
        }
        None => out.push_str(&idna::domain_to_ascii(host).ok()?),
    }
    Some(())
}

/// Copies with percent escapes in their normal form.
fn escapes_into(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let digits = rest.as_bytes().get(at + 1..at + 3);
        let Some([byte]) = digits.and_then(crate::digest::hex::<1>) else {
            out.push('%');
            rest = &rest[at + 1..];
            continue;
        };
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        rest = &rest[at + 3..];
    }
    out.push_str(rest);
}

/// At most `most` bytes, whole characters.
pub fn cut(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
