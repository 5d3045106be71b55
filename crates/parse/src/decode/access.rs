//! Access logs in the common and combined formats of web servers and forward proxies.
//!
//! ```text
//! [vhost] [forwarded, for] client ident user [time] "request" status bytes [n] ["referer" "user agent"] extensions
//! [time] client protocol cipher "request" bytes
//! ```
//! The second is what Apache writes to `ssl_request_log`. Where the client is a list of
//! addresses (the client and the proxies on its way), or follows one, `c-ip` is the first of
//! them that is of no private network. Extensions are `key=value` pairs, bare or within one pair of quotes, as proxies append
//! them; further quoted texts are `extra`. Field names are those of the W3C extended format,
//! which Sigma uses.

use super::{Decoder, Malformed, kv};
use crate::sink::Sink;
use std::net::IpAddr;
use std::ops::Range;
use yagura_event::SpanType;

/// The decoder; see the module.
#[derive(Clone, Copy, Debug)]
pub struct Access;

/// Most peers before `ident`: virtual host, forwarded list, client.
const PEERS_MAX: usize = 3;

/// Longest stamp between brackets; those of all locales are shorter.
const STAMP_BYTES_MAX: usize = 40;

const SHAPE: Malformed = Malformed::new("not an access log line");

impl Decoder for Access {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        let bytes = sink.record().get(..body.end).unwrap_or_default();
        if bytes.get(body.start) == Some(&b'[') && bytes.get(body.start + 3) == Some(&b'/') {
            return tls_request(sink, bytes, body.start + 1);
        }
        let mut at = head(sink, bytes, body.start)?;
        let request = quoted(bytes, at).ok_or(SHAPE)?;
        if bytes.get(request.end + 1) != Some(&b' ') {
            return Err(SHAPE);
        }
        at = request.end + 2;
        let status = word(bytes, at);
        let length = word(bytes, status.end + 1);
        let digits = |range: &Range<usize>| bytes[range.clone()].iter().all(u8::is_ascii_digit);
        if status.len() != 3 || !digits(&status) || length.is_empty() {
            return Err(SHAPE);
        }
        request_fields(sink, bytes, request);
        sink.plain(b"sc-status", status, SpanType::Number);
        let kind = if digits(&length) { SpanType::Number } else { SpanType::String };
        sink.plain(b"sc-bytes", length.clone(), kind);
        tail(sink, bytes, length.end);
        Ok(())
    }
}

/// The fields up to the stamp; returns where the request's quote is expected.
fn head(sink: &mut Sink<'_, '_>, bytes: &[u8], start: usize) -> Result<usize, Malformed> {
    let open = start + memchr::memmem::find(&bytes[start..], b" [").ok_or(SHAPE)?;
    let close = open + 2 + memchr::memchr(b']', &bytes[open + 2..]).ok_or(SHAPE)?;
    if close - open > STAMP_BYTES_MAX || bytes.get(close + 1) != Some(&b' ') {
        return Err(SHAPE);
    }
    let peers = Peers::read(bytes, start..open);
    let (client, ident) = match &peers {
        Some(peers) => (peers.client(), peers.ident.clone()),
        None => {
            let mut at = start;
            if words(&bytes[start..open]) >= 4 && !is_client(&bytes[word(bytes, start)]) {
                let vhost = word(bytes, at);
                at = vhost.end + 1;
                endpoint(sink, bytes, vhost, [b"cs-host", b"cs-port"]);
            }
            let client = word(bytes, at);
            (client.clone(), word(bytes, client.end + 1))
        }
    };
    // A user name may hold spaces; it is what is left before the stamp.
    let user = (ident.end + 1)..open;
    if client.is_empty() || ident.is_empty() || user.is_empty() || user.start > open {
        return Err(SHAPE);
    }
    match peers {
        Some(peers) => peers.write(sink, bytes),
        None => endpoint(sink, bytes, client, [b"c-ip", b"c-port"]),
    }
    sink.plain(b"ident", ident, SpanType::String);
    sink.plain(b"cs-username", user, SpanType::String);
    sink.plain(b"timestamp", open + 2..close, SpanType::String);
    Ok(close + 2)
}

/// Apache's log of TLS requests, behind the bracket of the stamp.
fn tls_request(sink: &mut Sink<'_, '_>, bytes: &[u8], start: usize) -> Result<(), Malformed> {
    let close = start + memchr::memchr(b']', &bytes[start..]).ok_or(SHAPE)?;
    let client = word(bytes, close + 2);
    let protocol = word(bytes, client.end + 1);
    let cipher = word(bytes, protocol.end + 1);
    let version = bytes.get(protocol.clone()).unwrap_or_default();
    let known = version.starts_with(b"TLS") || version.starts_with(b"SSL") || version == b"-";
    let request = quoted(bytes, cipher.end + 1).filter(|_| known).ok_or(SHAPE)?;
    let length = word(bytes, request.end + 2);
    if close - start > STAMP_BYTES_MAX || client.is_empty() || cipher.is_empty() {
        return Err(SHAPE);
    }
    sink.plain(b"timestamp", start..close, SpanType::String);
    endpoint(sink, bytes, client, [b"c-ip", b"c-port"]);
    sink.plain(b"ssl-protocol", protocol, SpanType::String);
    sink.plain(b"ssl-cipher", cipher, SpanType::String);
    request_fields(sink, bytes, request);
    sink.plain(b"sc-bytes", length, SpanType::Number);
    Ok(())
}

/// Who stands before `ident`, which is always `-` in practice and tells where they end.
struct Peers {
    all: [Range<usize>; PEERS_MAX],
    count: usize,
    ident: Range<usize>,
}

impl Peers {
    fn read(bytes: &[u8], head: Range<usize>) -> Option<Self> {
        let mut all: [Range<usize>; PEERS_MAX] = Default::default();
        let mut at = head.start;
        for (index, peer) in all.iter_mut().enumerate() {
            *peer = list(bytes, at);
            at = peer.end + 1;
            let ident = word(bytes, at);
            if peer.start >= peer.end || ident.end >= head.end {
                return None;
            }
            if bytes[ident.clone()] == *b"-" {
                return Some(Self { all, count: index + 1, ident });
            }
        }
        None
    }

    fn client(&self) -> Range<usize> {
        self.all[self.count - 1].clone()
    }

    /// Of several, the last is the client and the first the virtual host unless it is a list.
    fn write(&self, sink: &mut Sink<'_, '_>, bytes: &[u8]) {
        let mut chosen = None;
        for (index, peer) in self.all[..self.count].iter().enumerate() {
            let last = index + 1 == self.count;
            let text = &bytes[peer.clone()];
            if text.contains(&b',') || (!last && index > 0) {
                sink.plain(b"x-forwarded-for", unquoted(text, peer), SpanType::String);
                chosen = chosen.or_else(|| Some(origin(bytes, peer.start..self.client().end)));
            } else if last {
                break;
            } else if text != b"-" {
                endpoint(sink, bytes, unquoted(text, peer), [b"cs-host", b"cs-port"]);
            }
        }
        endpoint(sink, bytes, chosen.unwrap_or_else(|| self.client()), [b"c-ip", b"c-port"]);
    }
}

/// The first address of a list that is of no private network, else the first part.
fn origin(bytes: &[u8], list: Range<usize>) -> Range<usize> {
    let mut first = None;
    let mut at = list.start;
    while at < list.end {
        let rest = &bytes[at..list.end];
        let length =
            rest.iter().position(|b| matches!(b, b',' | b' ' | b'"')).unwrap_or(rest.len());
        let part = at..at + length;
        at = part.end + 1;
        let text = std::str::from_utf8(&bytes[part.clone()]).unwrap_or_default();
        if text.parse().is_ok_and(|address| !is_private(address)) {
            return part;
        }
        if !part.is_empty() && text != "-" {
            first.get_or_insert(part);
        }
    }
    first.unwrap_or(list)
}

fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || shared
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// A word, or one in quotes, or several with commas between.
fn list(bytes: &[u8], at: usize) -> Range<usize> {
    if let Some(range) = quoted(bytes, at) {
        return at..range.end + 1;
    }
    let mut end = word(bytes, at).end;
    while end > at && bytes[end - 1] == b',' && bytes.get(end) == Some(&b' ') {
        end = word(bytes, end + 1).end;
    }
    at..end
}

fn unquoted(text: &[u8], range: &Range<usize>) -> Range<usize> {
    let quotes = text.len() > 1 && text.starts_with(b"\"") && text.ends_with(b"\"");
    let cut = usize::from(quotes);
    range.start + cut..range.end - cut
}

/// Host and port, if there is one, of `host:port` or `[v6]:port`.
fn endpoint(sink: &mut Sink<'_, '_>, bytes: &[u8], range: Range<usize>, names: [&[u8]; 2]) {
    let text = &bytes[range.clone()];
    let colon = memchr::memrchr(b':', text).filter(|colon| {
        let (host, port) = (&text[..*colon], &text[*colon + 1..]);
        let bracketed = host.starts_with(b"[") && host.ends_with(b"]");
        (bracketed || !host.contains(&b':'))
            && !port.is_empty()
            && port.iter().all(u8::is_ascii_digit)
    });
    let end = range.start + colon.unwrap_or(text.len());
    let brackets = usize::from(text.starts_with(b"[") && bytes[..end].ends_with(b"]"));
    let host = range.start + brackets..(end - brackets).max(range.start + brackets);
    sink.plain(names[0], host, SpanType::String);
    if colon.is_some() {
        sink.plain(names[1], end + 1..range.end, SpanType::Number);
    }
}

/// Method, target and version; anything else in the quotes is `request`.
fn request_fields(sink: &mut Sink<'_, '_>, bytes: &[u8], range: Range<usize>) {
    let text = &bytes[range.clone()];
    let first = memchr::memchr(b' ', text);
    let last = memchr::memrchr(b' ', text);
    let (Some(first), Some(last)) = (first, last) else {
        return emit(sink, bytes, b"request", range);
    };
    let method = &text[..first];
    let version = &text[last + 1..];
    let known = method.iter().all(|b| b.is_ascii_uppercase() || matches!(b, b'_' | b'-'));
    let protocol = memchr::memchr(b'/', version).map(|slash| &version[..slash]);
    let named = protocol.is_some_and(|p| !p.is_empty() && p.iter().all(u8::is_ascii_uppercase));
    // HTTP/0.9 names no version; where one is named, anything may be called a method.
    let simple = first == last && known && version.starts_with(b"/");
    let start = range.start;
    if method.is_empty() || !(simple || named && first < last) {
        return emit(sink, bytes, b"request", range);
    }
    emit(sink, bytes, b"cs-method", start..start + first);
    if simple {
        return emit(sink, bytes, b"cs-uri", start + first + 1..range.end);
    }
    emit(sink, bytes, b"cs-uri", start + first + 1..start + last);
    sink.plain(b"cs-version", start + last + 1..range.end, SpanType::String);
}

/// Referer, user agent, forwarded addresses and extensions.
fn tail(sink: &mut Sink<'_, '_>, bytes: &[u8], mut at: usize) {
    let mut names = [&b"cs-referer"[..], b"cs-user-agent"].into_iter();
    // A number between: the time that the request took, as some add it.
    let number = word(bytes, at + 1);
    let digits = bytes[number.clone()].iter().all(|b| b.is_ascii_digit() || *b == b'.');
    if !number.is_empty() && digits && bytes[number.end..].starts_with(b" \"") {
        sink.plain(b"extra", number.clone(), SpanType::Number);
        at = number.end;
    }
    while let Some(range) = quoted(bytes, at + 1).filter(|_| bytes.get(at) == Some(&b' ')) {
        at = range.end + 1;
        if let Some(name) = names.next() {
            emit(sink, bytes, name, range);
        } else if are_addresses(&bytes[range.clone()]) {
            sink.plain(b"x-forwarded-for", range, SpanType::String);
        } else if kv::pairs(sink, range.clone(), b' ', false) == 0 {
            emit(sink, bytes, b"extra", range);
        }
    }
    if at < bytes.len() && kv::pairs(sink, at..bytes.len(), b' ', false) == 0 {
        let rest = at + usize::from(bytes[at] == b' ')..bytes.len();
        if !rest.is_empty() {
            sink.plain(b"extra", rest, SpanType::String);
        }
    }
}

/// A field whose `\"` and `\\` are decoded; other escapes (`\x22`) stay as written.
fn emit(sink: &mut Sink<'_, '_>, bytes: &[u8], name: &[u8], range: Range<usize>) {
    let text = &bytes[range.clone()];
    if memchr::memmem::find(text, b"\\\"").is_none() {
        return sink.plain(name, range, SpanType::String);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, more @ ..] = rest {
        let escaped = *first == b'\\' && matches!(more.first(), Some(b'"' | b'\\'));
        out.push(if escaped { more[0] } else { *first });
        rest = if escaped { &more[1..] } else { more };
    }
    sink.decoded(name, &out, range, SpanType::String);
}

/// Whether a text is a list of addresses, as `X-Forwarded-For` is.
fn are_addresses(text: &[u8]) -> bool {
    let text = std::str::from_utf8(text).unwrap_or_default();
    text.starts_with(|first: char| first.is_ascii_hexdigit() || first == ':')
        && text.split(',').all(|part| part.trim().parse::<IpAddr>().is_ok())
}

fn words(text: &[u8]) -> usize {
    text.split(|b| *b == b' ').filter(|word| !word.is_empty()).count()
}

/// Whether the first word is a client rather than a virtual host: an address, or a name
/// without the port that virtual hosts are logged with.
fn is_client(word: &[u8]) -> bool {
    let text = std::str::from_utf8(word).unwrap_or_default();
    text.parse::<IpAddr>().is_ok() || !text.contains(':')
}

fn word(bytes: &[u8], at: usize) -> Range<usize> {
    let at = at.min(bytes.len());
    at..at + memchr::memchr(b' ', &bytes[at..]).unwrap_or(bytes.len() - at)
}

/// The text between the quote at `at` and the next one that is not escaped.
fn quoted(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let mut end = at + 1;
    loop {
        end += memchr::memchr2(b'"', b'\\', bytes.get(end..)?)?;
        if bytes[end] == b'"' {
            return Some(at + 1..end);
        }
        end += 2;
    }
}
