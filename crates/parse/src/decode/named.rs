//! BIND's log: what named says of queries, answers, transfers and its policy zones.
//!
//! ```text
//! [14-Jun-2024 09:10:11.500] [queries: ] [info: ] client [@0x7f01 ]192.0.2.1#5353[/key name] [(example.org)]: [view v: ]query: example.org IN A +E(0)K (198.51.100.53)
//! ```
//! The kind of sentence is given as `kind`. Other sentences keep their text as `message`.

use super::line::Line;
use super::{Decoder, Malformed};
use crate::sink::Sink;
use std::ops::Range;
use yagura_event::SpanType::{Number, String as Text};

/// The decoder; see the module.
#[derive(Clone, Copy, Debug)]
pub struct Named;

/// The words by which named grades its lines.
const LEVELS: [&[u8]; 7] =
    [b"critical", b"error", b"warning", b"notice", b"info", b"debug", b"dynamic"];

impl Decoder for Named {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        let bytes = sink.record().get(..body.end).unwrap_or_default();
        let mut line = Line { bytes, at: body.start };
        line.stamp(sink);
        line.head(sink);
        sink.plain(b"message", line.at..bytes.len(), Text);
        let known = if line.client(sink) { line.sentence(sink) } else { line.resolver(sink) };
        if let Some(kind) = known {
            sink.derived(b"kind", kind.as_bytes());
        }
        Ok(())
    }
}

impl Line<'_> {
    /// The next word, stepping over the space behind it.
    fn word(&mut self) -> Option<Range<usize>> {
        let rest = self.rest();
        let len = memchr::memchr(b' ', rest).unwrap_or(rest.len());
        let range = self.at..self.at + len;
        self.at = (range.end + 1).min(self.bytes.len());
        (len > 0).then_some(range)
    }

    /// `14-Jun-2024 09:10:11.500`, or the same as RFC 3339, which named can be told to write.
    fn stamp(&mut self, sink: &mut Sink<'_, '_>) {
        let rest = self.rest();
        let own = rest.len() > 20 && rest[2] == b'-' && rest[6] == b'-' && rest[11] == b' ';
        let iso = rest.len() > 20 && rest[4] == b'-' && rest[10] == b'T';
        if !(own || iso) || !rest[0].is_ascii_digit() {
            return;
        }
        let from = if own { 12 } else { 0 };
        if let Some(space) = memchr::memchr(b' ', &rest[from..]) {
            let end = self.at + from + space;
            sink.plain(b"stamp", self.at..end, Text);
            self.at = end + 1;
        }
    }

    /// Category and level, each of which may be absent.
    fn head(&mut self, sink: &mut Sink<'_, '_>) {
        for _ in 0..2 {
            let rest = self.rest();
            let len = rest
                .iter()
                .take(32)
                .take_while(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || **b == b'-')
                .count();
            let level = rest[..len].split(|b| *b == b' ').next();
            if rest.get(len..len + 2) == Some(b": ") && len > 0 {
                let level = level.is_some_and(|word| LEVELS.contains(&word));
                let name = if level { &b"level"[..] } else { b"category" };
                sink.plain(name, self.at..self.at + len, Text);
                self.at += len + 2;
            } else if rest.starts_with(b"debug ")
                && let Some(range) = self.until(b": ")
            {
                sink.plain(b"level", range, Text);
            }
        }
    }

    /// `client @0x7f01 192.0.2.1#5353/key name (example.org): view v: `
    fn client(&mut self, sink: &mut Sink<'_, '_>) -> bool {
        let start = self.at;
        if !self.eat(b"client ") {
            return false;
        }
        if self.eat(b"@") {
            self.word();
        }
        let rest = self.rest();
        let len = rest.iter().take_while(|b| !matches!(b, b' ' | b'#')).count();
        if len == 0 || rest.get(len) != Some(&b'#') {
            self.at = start;
            return false;
        }
        sink.plain(b"src_ip", self.at..self.at + len, Text);
        self.at += len + 1;
        let digits = self.rest().iter().take_while(|b| b.is_ascii_digit()).count();
        sink.plain(b"src_port", self.at..self.at + digits, Number);
        self.at += digits;
        if self.eat(b"/key ") {
            let len = self.rest().iter().take_while(|b| !matches!(b, b' ' | b':')).count();
            sink.plain(b"tsig_key", self.at..self.at + len, Text);
            self.at += len;
        }
        if self.eat(b" (")
            && let Some(name) = self.until(b")")
        {
            sink.plain(b"name", name, Text);
        }
        self.eat(b":");
        self.eat(b" ");
        if self.eat(b"view ")
            && let Some(view) = self.until(b": ")
        {
            sink.plain(b"view", view, Text);
        }
        true
    }

    /// What a client did; `None` if the sentence is not known.
    fn sentence(&mut self, sink: &mut Sink<'_, '_>) -> Option<&'static str> {
        if self.eat(b"query: ") {
            for name in [&b"query"[..], b"query_class", b"record_type"] {
                let word = self.word()?;
                sink.plain(name, word, Text);
            }
            self.flags(sink);
            return Some("query");
        }
        if self.eat(b"response: ") {
            for name in [&b"query"[..], b"query_class", b"record_type", b"rcode"] {
                let word = self.word()?;
                sink.plain(name, word, Text);
            }
            self.flags(sink);
            return Some("response");
        }
        if self.eat(b"query failed (") {
            let reason = self.until(b") for ")?;
            sink.plain(b"rcode", reason, Text);
            let what = self.word()?;
            self.question(sink, what);
            return Some("query_failed");
        }
        if self.eat(b"rpz ") {
            let (trigger, policy) = (self.word()?, self.word()?);
            sink.plain(b"rpz_trigger", trigger, Text);
            sink.plain(b"rpz_policy", policy, Text);
            self.eat(b"rewrite ");
            let what = self.word()?;
            self.question(sink, what);
            if self.eat(b"via ") {
                let rule = self.word()?;
                sink.plain(b"rpz_rule", rule, Text);
            }
            return Some("rpz");
        }
        if self.eat(b"disabled rpz ") {
            return Some("rpz_disabled");
        }
        if self.rest().starts_with(b"rate limit") || self.rest().starts_with(b"would rate limit") {
            return Some("rate_limit");
        }
        self.denied(sink)
    }

    /// `query (cache) 'example.org/A/IN' denied (why)` and its relatives.
    fn denied(&mut self, sink: &mut Sink<'_, '_>) -> Option<&'static str> {
        let text = self.rest();
        let verb = [
            &b"query"[..],
            b"zone transfer",
            b"bad zone transfer",
            b"transfer of",
            b"update",
            b"updating zone",
            b"recursion",
            b"notify",
            b"received notify",
        ]
        .into_iter()
        .find(|verb| text.starts_with(verb))?;
        let transfer = memchr::memmem::find(verb, b"transfer").is_some();
        let denied = memchr::memmem::find(text, b" denied").is_some();
        let bad = verb.starts_with(b"bad");
        if let Some(at) = memchr::memchr(b'\'', text)
            && let Some(len) = memchr::memchr(b'\'', &text[at + 1..])
        {
            let start = self.at + at + 1;
            self.question(sink, start..start + len);
            let reason = start + len + 1;
            let reason = reason + usize::from(self.bytes.get(reason) == Some(&b':'));
            let lead = self.bytes[reason..].iter().take_while(|b| **b == b' ').count();
            sink.plain(b"reason", reason + lead..self.bytes.len(), Text);
        }
        Some(match (transfer, denied || bad) {
            (true, true) => "transfer_denied",
            (true, false) => "transfer",
            (false, true) if verb.starts_with(b"updat") => "update_denied",
            (false, true) => "denied",
            (false, false) => return None,
        })
    }

    /// What named itself met when it asked others:
    /// `connection refused resolving 'example.org/A/IN': 192.0.2.53#53`.
    fn resolver(&mut self, sink: &mut Sink<'_, '_>) -> Option<&'static str> {
        let text = self.rest();
        let found = memchr::memmem::find(text, b" resolving '")?;
        sink.plain(b"reason", self.at..self.at + found, Text);
        self.at += found + 12;
        let what = self.until(b"'")?;
        self.question(sink, what);
        if self.eat(b": ") {
            let rest = self.rest();
            let len = memchr::memchr(b'#', rest)?;
            sink.plain(b"dst_ip", self.at..self.at + len, Text);
            let digits = rest[len + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
            let port = self.at + len + 1;
            sink.plain(b"dst_port", port..port + digits, Number);
        }
        Some("resolver")
    }

    /// Flags, server and client subnet behind a question.
    fn flags(&mut self, sink: &mut Sink<'_, '_>) {
        if matches!(self.rest().first(), Some(b'+' | b'-'))
            && let Some(flags) = self.word()
        {
            sink.plain(b"flags", flags, Text);
        }
        if self.eat(b"(")
            && let Some(server) = self.until(b")")
        {
            sink.plain(b"dst_ip", server, Text);
        }
        if self.eat(b" [ECS ")
            && let Some(subnet) = self.until(b"]")
        {
            sink.plain(b"client_subnet", subnet, Text);
        }
    }

    /// `name/class/type` or `name/type/class`; either of the last two may be absent.
    fn question(&self, sink: &mut Sink<'_, '_>, range: Range<usize>) {
        let text = &self.bytes[range.clone()];
        let class = |part: &Range<usize>| {
            matches!(&self.bytes[part.clone()], b"IN" | b"CH" | b"HS" | b"CHAOS")
        };
        let mut end = text.len();
        let mut parts = [const { 0..0 }; 2];
        for part in parts.iter_mut().rev() {
            let Some(slash) = memchr::memrchr(b'/', &text[..end]) else { break };
            *part = range.start + slash + 1..range.start + end;
            end = slash;
        }
        sink.plain(b"query", range.start..range.start + end, Text);
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            sink.plain(if class(&part) { b"query_class" } else { b"record_type" }, part, Text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yagura_event::{EventBatch, FieldTable};

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let (mut batch, fields) = (EventBatch::default(), FieldTable::default());
        let mut sink = Sink::new(&mut batch, &fields, text.as_bytes());
        assert_eq!(Named.decode(&mut sink, 0..text.len()), Ok(()));
        let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let got: Vec<_> = batch
            .spans
            .iter()
            .map(|span| (name(batch.bytes(span.name)), name(batch.bytes(span.value))))
            .filter(|(name, _)| name != "message")
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(got.join("|"), expect, "{text}");
    }

    #[test]
    fn queries_in_every_head() {
        let fields = "src_ip=192.0.2.1|src_port=53000|name=example.org|query=example.org|query_class=IN|record_type=A|flags=+E(0)K|dst_ip=198.51.100.53|kind=query";
        let tail = "client @0x7f01 192.0.2.1#53000 (example.org): query: example.org IN A +E(0)K (198.51.100.53)";
        check(tail, fields);
        check(
            &format!("14-Jun-2024 09:10:11.500 queries: info: {tail}"),
            &format!("stamp=14-Jun-2024 09:10:11.500|category=queries|level=info|{fields}"),
        );
        check(
            "client 2001:db8::1#1: view in: query: a. IN AAAA -E (2001:db8::53) [ECS 192.0.2.0/24/0]",
            "src_ip=2001:db8::1|src_port=1|view=in|query=a.|query_class=IN|record_type=AAAA|flags=-E|dst_ip=2001:db8::53|client_subnet=192.0.2.0/24/0|kind=query",
        );
    }

    #[test]
    fn refusals_failures_and_policies() {
        check(
            "security: error: client @0x7f 192.0.2.1#5 (a.example): zone transfer 'a.example/AXFR/IN' denied",
            "category=security|level=error|src_ip=192.0.2.1|src_port=5|name=a.example|query=a.example|record_type=AXFR|query_class=IN|reason=denied|kind=transfer_denied",
        );
        check(
            "client 192.0.2.1#5: query (cache) './NS/IN' denied (allow-query-cache did not match)",
            "src_ip=192.0.2.1|src_port=5|query=.|record_type=NS|query_class=IN|reason=denied (allow-query-cache did not match)|kind=denied",
        );
        check(
            "client 192.0.2.1#5 (b.example): bad zone transfer request: 'b.example/IN': non-authoritative zone (NOTAUTH)",
            "src_ip=192.0.2.1|src_port=5|name=b.example|query=b.example|query_class=IN|reason=non-authoritative zone (NOTAUTH)|kind=transfer_denied",
        );
        check(
            "query-errors: info: client @0x7f 192.0.2.1#5 (c.example): query failed (SERVFAIL) for c.example/IN/A at query.c:7100",
            "category=query-errors|level=info|src_ip=192.0.2.1|src_port=5|name=c.example|rcode=SERVFAIL|query=c.example|query_class=IN|record_type=A|kind=query_failed",
        );
        check(
            "rpz: info: client @0x7f 192.0.2.1#5 (d.example): rpz QNAME NXDOMAIN rewrite d.example/A/IN via d.example.rpz.example",
            "category=rpz|level=info|src_ip=192.0.2.1|src_port=5|name=d.example|rpz_trigger=QNAME|rpz_policy=NXDOMAIN|query=d.example|record_type=A|query_class=IN|rpz_rule=d.example.rpz.example|kind=rpz",
        );
        check(
            "lame-servers: info: connection refused resolving 'e.example/AAAA/IN': 192.0.2.53#53",
            "category=lame-servers|level=info|reason=connection refused|query=e.example|record_type=AAAA|query_class=IN|dst_ip=192.0.2.53|dst_port=53|kind=resolver",
        );
        check("general: notice: running", "category=general|level=notice");
        check("zone a.example/IN: loaded serial 5", "");
        check("", "");
    }
}
