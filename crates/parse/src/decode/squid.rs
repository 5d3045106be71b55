//! Squid's native access log, with what is often added to it.
//!
//! ```text
//! time elapsed client action/status bytes method url user hierarchy/peer type ["referer" ["user agent"]] [[>h] [<h]]
//! ```
//! The time is seconds since 1970, or a bracketed or bare calendar stamp. A URL may hold
//! spaces: the hierarchy code tells where it ends. Field names are those of the W3C extended
//! format, which Sigma uses, where that has one.

use super::{Decoder, Malformed, kv};
use crate::sink::Sink;
use std::ops::Range;
use yagura_event::SpanType::{Number, String};

/// The decoder; see the module.
#[derive(Clone, Copy, Debug)]
pub struct Squid;

const SHAPE: Malformed = Malformed::new("not a line of Squid's access log");

/// Most words looked at for the hierarchy code: a URL with more spaces is no URL.
const WORDS_MAX: usize = 64;

impl Decoder for Squid {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        let bytes = sink.record().get(..body.end).unwrap_or_default();
        let mut words = Words { bytes, at: body.start };
        let time = words.time().ok_or(SHAPE)?;
        let elapsed = words.next().filter(|word| number(bytes, word)).ok_or(SHAPE)?;
        let client = words.next().ok_or(SHAPE)?;
        let result = words.next().ok_or(SHAPE)?;
        let slash = memchr::memchr(b'/', &bytes[result.clone()]).ok_or(SHAPE)? + result.start;
        let length = words.next().filter(|word| number(bytes, word)).ok_or(SHAPE)?;
        let method = words.next().ok_or(SHAPE)?;
        if !code(&bytes[result.start..slash]) || !number(bytes, &(slash + 1..result.end)) {
            return Err(SHAPE);
        }
        let (url, user, peer) = words.target().ok_or(SHAPE)?;
        sink.plain(b"timestamp", time, String);
        sink.plain(b"time-taken", elapsed, Number);
        sink.plain(b"c-ip", client, String);
        sink.plain(b"s-action", result.start..slash, String);
        if bytes[slash + 1..result.end] != *b"000" {
            sink.plain(b"sc-status", slash + 1..result.end, Number);
        }
        sink.plain(b"sc-bytes", length, Number);
        sink.plain(b"cs-method", method, String);
        // What is no request has its fault in the URL's place.
        let fault = bytes[url.clone()].starts_with(b"error:");
        sink.plain(if fault { b"s-error" } else { b"cs-uri" }, url, String);
        sink.plain(b"cs-username", user, String);
        hierarchy(sink, bytes, peer);
        if let Some(kind) = words.next() {
            sink.plain(b"cs-mime-type", kind, String);
        }
        tail(sink, bytes, words.at);
        Ok(())
    }
}

/// How the request was served and by whom: `HIER_DIRECT/192.0.2.1`.
fn hierarchy(sink: &mut Sink<'_, '_>, bytes: &[u8], range: Range<usize>) {
    let slash =
        memchr::memchr(b'/', &bytes[range.clone()]).map_or(range.end, |at| range.start + at);
    sink.plain(b"s-hierarchy", range.start..slash, String);
    let peer = (slash + 1).min(range.end)..range.end;
    // Another proxy is not where the request went.
    let direct = bytes[range.start..slash].ends_with(b"DIRECT");
    let text = std::str::from_utf8(&bytes[peer.clone()]).unwrap_or_default();
    let name = match (direct, text.parse::<std::net::IpAddr>().is_ok()) {
        (true, true) => &b"r-ip"[..],
        (true, false) => b"r-dns",
        _ => b"s-peer",
    };
    sink.plain(name, peer, String);
}

/// Quoted referrer and user agent, bracketed headers, pairs; the rest is `extra`.
fn tail(sink: &mut Sink<'_, '_>, bytes: &[u8], mut at: usize) {
    // Numbers between, such as the bytes of the request.
    while let Some(end) = added_number(bytes, at) {
        sink.plain(b"extra", at + 1..end, Number);
        at = end;
    }
    let mut names = [&b"cs-referer"[..], b"cs-user-agent"].into_iter();
    while bytes.get(at..at + 2) == Some(b" \"") {
        let start = at + 2;
        let Some(end) = memchr::memchr(b'"', &bytes[start..]) else { break };
        let text = &bytes[start..start + end];
        let name = names.next().unwrap_or(b"extra");
        // One alone may be the user agent.
        let url = matches!(text, b"" | b"-") || memchr::memmem::find(text, b":/").is_some();
        let name = if name == b"cs-referer" && !url { names.next() } else { Some(name) };
        sink.plain(name.unwrap_or(b"extra"), start..start + end, String);
        at = start + end + 1;
    }
    let mut names = [&b"request-headers"[..], b"response-headers"].into_iter();
    while bytes.get(at..at + 2) == Some(b" [") {
        let start = at + 2;
        let Some(end) = memchr::memmem::find(&bytes[start..], b"]") else { break };
        sink.plain(names.next().unwrap_or(b"extra"), start..start + end, String);
        at = start + end + 1;
    }
    if at < bytes.len() && kv::pairs(sink, at..bytes.len(), b' ', false) == 0 {
        sink.plain(b"extra", at + 1..bytes.len(), String);
    }
}

/// The end of a number that is followed by another word.
fn added_number(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?.strip_prefix(b" ")?;
    let length = memchr::memchr(b' ', rest)?;
    (length > 0 && rest[..length].iter().all(u8::is_ascii_digit)).then_some(at + 1 + length)
}

struct Words<'r> {
    bytes: &'r [u8],
    at: usize,
}

impl Words<'_> {
    fn next(&mut self) -> Option<Range<usize>> {
        let rest = self.bytes.get(self.at..)?;
        let start = self.at + rest.iter().take_while(|b| **b == b' ').count();
        let rest = &self.bytes[start..];
        let end = start + memchr::memchr(b' ', rest).unwrap_or(rest.len());
        self.at = end;
        (end > start).then_some(start..end)
    }

    /// Seconds with or without decimals, or a stamp of two words with or without brackets.
    fn time(&mut self) -> Option<Range<usize>> {
        let first = self.next()?;
        let text = &self.bytes[first.clone()];
        if text.iter().all(|b| b.is_ascii_digit() || *b == b'.') {
            return (text.len() >= 9).then_some(first);
        }
        if text.get(10) == Some(&b'T') {
            return Some(first);
        }
        let open = usize::from(text.starts_with(b"["));
        let second = self.next()?;
        let close = usize::from(self.bytes[second.clone()].ends_with(b"]"));
        let dated = text.get(open).is_some_and(u8::is_ascii_digit) && text.contains(&b':');
        (dated && open == close).then_some(first.start + open..second.end - close)
    }

    /// URL, user and hierarchy.
    fn target(&mut self) -> Option<(Range<usize>, Range<usize>, Range<usize>)> {
        let first = self.next()?;
        let mut url_end = first.end;
        let mut user = self.next()?;
        for _ in 0..WORDS_MAX {
            let peer = self.next()?;
            let text = &self.bytes[peer.clone()];
            let slash = memchr::memchr(b'/', text).unwrap_or(0);
            if code(&text[..slash]) {
                return Some((first.start..url_end, user, peer));
            }
            url_end = user.end;
            user = peer;
        }
        None
    }
}

fn number(bytes: &[u8], range: &Range<usize>) -> bool {
    let text = bytes.get(range.clone()).unwrap_or_default();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// Whether a word is a result or hierarchy code: capitals, digits and `_`.
fn code(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_uppercase)
        && text.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::checks::fields_of;

    #[track_caller]
    fn check(text: &str, expect: Option<&str>) {
        let got = fields_of(&Squid, text).ok().map(|fields| fields.join("|"));
        assert_eq!(got.as_deref(), expect, "{text}");
    }

    #[test]
    fn native_lines_and_what_is_added() {
        check(
            "1718356211.500     12 192.0.2.7 TCP_MISS/200 411 GET http://example.org/a - HIER_DIRECT/198.51.100.5 text/html",
            Some(
                "timestamp=1718356211.500|time-taken=12|c-ip=192.0.2.7|s-action=TCP_MISS|sc-status=200|sc-bytes=411|cs-method=GET|cs-uri=http://example.org/a|cs-username=-|s-hierarchy=HIER_DIRECT|r-ip=198.51.100.5|cs-mime-type=text/html",
            ),
        );
        check(
            "1718356211.500 0 192.0.2.7 NONE_NONE/000 0 - error:transaction-end-before-headers - HIER_NONE/- - \"-\" \"x y\"",
            Some(
                "timestamp=1718356211.500|time-taken=0|c-ip=192.0.2.7|s-action=NONE_NONE|sc-bytes=0|cs-method=-|s-error=error:transaction-end-before-headers|cs-username=-|s-hierarchy=HIER_NONE|s-peer=-|cs-mime-type=-|cs-referer=-|cs-user-agent=x y",
            ),
        );
        check(
            "[14/Jun/2024:09:10:11 +0000] 5 192.0.2.7 TCP_TUNNEL/200 9 CONNECT a b c kim FIRSTUP_PARENT/up.example -",
            Some(
                "timestamp=14/Jun/2024:09:10:11 +0000|time-taken=5|c-ip=192.0.2.7|s-action=TCP_TUNNEL|sc-status=200|sc-bytes=9|cs-method=CONNECT|cs-uri=a b c|cs-username=kim|s-hierarchy=FIRSTUP_PARENT|s-peer=up.example|cs-mime-type=-",
            ),
        );
    }

    #[test]
    fn added_columns_do_not_hide_the_user_agent() {
        let line = "1718356211.500 12 192.0.2.7 TCP_HIT/200 411 GET http://example.org/a - HIER_NONE/- text/html";
        let native = "timestamp=1718356211.500|time-taken=12|c-ip=192.0.2.7|s-action=TCP_HIT|sc-status=200|sc-bytes=411|cs-method=GET|cs-uri=http://example.org/a|cs-username=-|s-hierarchy=HIER_NONE|s-peer=-|cs-mime-type=text/html";
        for (added, fields) in [
            (" 350 \"lab/1.0 (x)\"", "|extra=350|cs-user-agent=lab/1.0 (x)"),
            (" \"http://a.example/\" \"lab\"", "|cs-referer=http://a.example/|cs-user-agent=lab"),
            (" 350 120", "|extra=350|extra=120"),
        ] {
            check(&format!("{line}{added}"), Some(&format!("{native}{fields}")));
        }
    }

    #[test]
    fn other_lines_are_refused() {
        for text in [
            "",
            "1718356211.500",
            "1718356211.500 12 192.0.2.7 tcp_miss/200 411 GET http://example.org/ - HIER_NONE/- -",
            "1718356211.500 12 192.0.2.7 TCP_MISS/200 411 GET http://example.org/ -",
            "x 12 192.0.2.7 TCP_MISS/200 411 GET http://example.org/ - HIER_NONE/- -",
        ] {
            check(text, None);
        }
    }
}
