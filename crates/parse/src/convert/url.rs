//! Parts of URLs, request targets and lists of hosts.

/// Host and port of `host:port`, `[v6]:port`, or a host alone.
pub fn host_port(value: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    if let Some(rest) = value.strip_prefix(b"[") {
        let end = memchr::memchr(b']', rest)?;
        return Some((&rest[..end], rest[end + 1..].strip_prefix(b":")));
    }
    match memchr::memrchr(b':', value) {
        Some(at) if memchr::memchr(b':', &value[..at]).is_none() => {
            Some((&value[..at], Some(&value[at + 1..])))
        }
        _ => (!value.is_empty()).then_some((value, None)),
    }
}

/// The parts of a URL, request target or `host:port`, undecoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct UrlParts<'a> {
    /// Before `://`.
    pub scheme: Option<&'a [u8]>,
    /// Host name or address.
    pub host: Option<&'a [u8]>,
    /// Port as written.
    pub port: Option<&'a [u8]>,
    /// Path, empty for a bare authority.
    pub path: &'a [u8],
    /// After the first `?`, without `#` and what follows.
    pub query: Option<&'a [u8]>,
}

/// Splits a URL, a request target (`/a?b`) or a bare `host:port`.
pub fn url_parts(value: &[u8]) -> UrlParts<'_> {
    let value = memchr::memchr(b'#', value).map_or(value, |at| &value[..at]);
    let (before, query) = match memchr::memchr(b'?', value) {
        Some(at) => (&value[..at], Some(&value[at + 1..])),
        None => (value, None),
    };
    let (scheme, rest) = match memchr::memmem::find(before, b"://") {
        Some(at) if at > 0 && before[..at].iter().all(u8::is_ascii_alphanumeric) => {
            (Some(&before[..at]), &before[at + 3..])
        }
        _ if before.starts_with(b"/") || before == b"*" => {
            return UrlParts { path: before, query, ..UrlParts::default() };
        }
        _ => (None, before),
    };
    let slash = memchr::memchr(b'/', rest).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(slash);
    let authority = memchr::memrchr(b'@', authority).map_or(authority, |at| &authority[at + 1..]);
    let (host, port) = match host_port(authority) {
        Some((host, port)) => ((!host.is_empty()).then_some(host), port),
        None => (None, None),
    };
    UrlParts { scheme, host, port, path, query }
}

/// Splits what a request line asks for: `/a?b`, `http://host/a`, `host:port`; anything else is a
/// path, as servers log of requests that are none.
pub fn target_parts(value: &[u8]) -> UrlParts<'_> {
    let parts = url_parts(value);
    let digits = |port: &[u8]| !port.is_empty() && port.iter().all(u8::is_ascii_digit);
    if parts.scheme.is_some() || parts.host.is_none() || parts.port.is_some_and(digits) {
        return parts;
    }
    let end = parts.query.map_or(value.len(), |query| {
        (query.as_ptr() as usize).saturating_sub(value.as_ptr() as usize).saturating_sub(1)
    });
    UrlParts { path: value.get(..end).unwrap_or(value), query: parts.query, ..UrlParts::default() }
}

/// The hosts of `192.0.2.1, 198.51.100.2:80` without ports. IIS writes the spaces as `+`.
pub fn forwarded(text: &str) -> impl Iterator<Item = &str> {
    let host = |part: &'_ str| host_port(part.as_bytes()).map_or(0, |(host, _)| host.len());
    text.split([',', ' ', '+'])
        .filter_map(move |part| part.strip_prefix('[').unwrap_or(part).get(..host(part)))
        .filter(|host| !matches!(*host, "" | "-"))
}
