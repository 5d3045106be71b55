//! Access logs in the common and combined formats of web servers and forward proxies.
//!
//! ```text
//! [vhost] client ident user [time] "request" status bytes ["referer" "user agent"] extensions
//! ```
//! Extensions are `key=value` pairs, bare or within one pair of quotes, as proxies append
//! them; further quoted texts are `extra`. Field names are those of the W3C extended format,
//! which Sigma uses.

use super::{Decoder, Malformed, kv};
use crate::sink::Sink;
use std::ops::Range;
use yagura_event::SpanType;

/// The decoder; see the module.
#[derive(Clone, Copy, Debug)]
pub struct Access;

const SHAPE: Malformed = Malformed::new("not an access log line");

impl Decoder for Access {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        let bytes = sink.record().get(..body.end).unwrap_or_default();
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
    if close - open > 40 || bytes.get(close + 1) != Some(&b' ') {
        return Err(SHAPE);
    }
    let mut at = start;
    if words(&bytes[start..open]) >= 4 && !is_client(&bytes[word(bytes, start)]) {
        let vhost = word(bytes, at);
        at = vhost.end + 1;
        let colon = memchr::memchr(b':', &bytes[vhost.clone()]).map(|colon| vhost.start + colon);
        sink.plain(b"cs-host", vhost.start..colon.unwrap_or(vhost.end), SpanType::String);
        if let Some(colon) = colon {
            sink.plain(b"cs-port", colon + 1..vhost.end, SpanType::Number);
        }
    }
    let client = word(bytes, at);
    let ident = word(bytes, client.end + 1);
    // A user name may hold spaces; it is what is left before the stamp.
    let user = (ident.end + 1)..open;
    if client.is_empty() || ident.is_empty() || user.is_empty() || user.start > open {
        return Err(SHAPE);
    }
    sink.plain(b"c-ip", client, SpanType::String);
    sink.plain(b"ident", ident, SpanType::String);
    sink.plain(b"cs-username", user, SpanType::String);
    sink.plain(b"timestamp", open + 2..close, SpanType::String);
    Ok(close + 2)
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
    if !known || method.is_empty() || first == last || !named {
        return emit(sink, bytes, b"request", range);
    }
    let start = range.start;
    sink.plain(b"cs-method", start..start + first, SpanType::String);
    emit(sink, bytes, b"cs-uri", start + first + 1..start + last);
    sink.plain(b"cs-version", start + last + 1..range.end, SpanType::String);
}

/// Referer, user agent and extensions.
fn tail(sink: &mut Sink<'_, '_>, bytes: &[u8], mut at: usize) {
    let mut names = [&b"cs-referer"[..], b"cs-user-agent"].into_iter();
    while let Some(range) = quoted(bytes, at + 1).filter(|_| bytes.get(at) == Some(&b' ')) {
        at = range.end + 1;
        if let Some(name) = names.next() {
            emit(sink, bytes, name, range);
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

fn words(text: &[u8]) -> usize {
    text.split(|b| *b == b' ').filter(|word| !word.is_empty()).count()
}

/// Whether the first word is a client rather than a virtual host: an address, or a name
/// without the port that virtual hosts are logged with.
fn is_client(word: &[u8]) -> bool {
    let text = std::str::from_utf8(word).unwrap_or_default();
    text.parse::<std::net::IpAddr>().is_ok() || !text.contains(':')
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
