//! Postfix's log: what its daemons say of connections, messages and deliveries.
//!
//! ```text
//! postfix/smtpd: 4F9D195432C: client=mail.example.org[192.0.2.1], sasl_username=kim
//! postfix/smtp: 4F9D195432C: to=<b@example.net>, relay=mx.example.net[198.51.100.5]:25, delay=1.2, dsn=2.0.0, status=sent (250 ok)
//! postfix/smtpd: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554 5.7.1 <b@x>: Relay access denied; from=<a@x> to=<b@x> proto=ESMTP helo=<h>
//! ```
//! The program is known from the syslog header; `service` is its last part. The kind of
//! sentence is given as `kind`. Ends are split: `client`, `client_ip`, `client_port`, `relay`,
//! `relay_ip`, `relay_port`.

use super::line::Line;
use super::{Decoder, Malformed};
use crate::sink::Sink;
use std::ops::Range;
use yagura_event::SpanType::{Number, String as Text};

/// The decoder; see the module.
#[derive(Clone, Copy, Debug)]
pub struct Postfix;

/// Shortest queue id: the inode's and the microseconds' hexadecimal digits.
const QUEUE_ID_MIN: usize = 5;

/// Longest queue id looked for.
const QUEUE_ID_MAX: usize = 32;

impl Decoder for Postfix {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        let Some(program) = sink.get(b"program") else {
            return Err(Malformed::new("no syslog header names the program"));
        };
        let slash = memchr::memrchr(b'/', program).map_or(0, |at| at + 1);
        let service = program[slash..].to_vec();
        sink.derived(b"service", &service);
        sink.plain(b"message", body.clone(), Text);
        let bytes = sink.record().get(..body.end).unwrap_or_default();
        let mut line = Line { bytes, at: body.start };
        line.queue_id(sink);
        if let Some(kind) = line.happening(sink, &service) {
            sink.derived(b"kind", kind.as_bytes());
        }
        Ok(())
    }
}

impl Line<'_> {
    /// `4F9D195432C: `, of hexadecimal digits or of the long form's letters.
    fn queue_id(&mut self, sink: &mut Sink<'_, '_>) {
        let rest = self.rest();
        let len = rest.iter().take(QUEUE_ID_MAX).take_while(|b| b.is_ascii_alphanumeric()).count();
        if rest.get(len..len + 2) != Some(b": ") || len < QUEUE_ID_MIN {
            return;
        }
        let digits = rest[..len].iter().filter(|b| b.is_ascii_digit()).count();
        if rest[..len] == *b"NOQUEUE" {
            self.at += len + 2;
        } else if digits > 0 || rest[..len].iter().all(|b| b.is_ascii_uppercase()) {
            sink.plain(b"queue_id", self.at..self.at + len, Text);
            self.at += len + 2;
        }
    }

    /// What happened; `None` if the sentence is not known.
    fn happening(&mut self, sink: &mut Sink<'_, '_>, service: &[u8]) -> Option<&'static str> {
        if let Some(kind) = self.verdict(sink) {
            return Some(kind);
        }
        if self.eat(b"warning: ") {
            return self.warning(sink);
        }
        if let Some(kind) = self.connection(sink) {
            return Some(kind);
        }
        if service == b"postscreen" {
            return self.postscreen(sink);
        }
        let pairs = self.pairs(sink);
        let has = |name: &[u8]| sink.get(name).is_some();
        Some(match () {
            () if pairs == 0 && self.rest() == b"removed" => "removed",
            () if pairs == 0 => return None,
            () if has(b"status") => "delivery",
            () if has(b"sasl_username") => "authenticated",
            () if has(b"client") => "client",
            () if has(b"message_id") => "message_id",
            () if has(b"from") => "queued",
            () => return None,
        })
    }

    /// `reject: RCPT from host[ip]: 554 5.7.1 <x>: reason; from=<a> to=<b> proto=ESMTP helo=<h>`
    fn verdict(&mut self, sink: &mut Sink<'_, '_>) -> Option<&'static str> {
        const VERBS: [(&[u8], &str); 13] = [
            (b"reject: ", "reject"),
            (b"milter-reject: ", "reject"),
            (b"proxy-reject: ", "reject"),
            (b"reject_warning: ", "warn"),
            (b"warn: ", "warn"),
            (b"hold: ", "hold"),
            (b"milter-hold: ", "hold"),
            (b"milter-quarantine: ", "hold"),
            (b"discard: ", "discard"),
            (b"milter-discard: ", "discard"),
            (b"filter: ", "filter"),
            (b"redirect: ", "filter"),
            (b"info: ", "info"),
        ];
        let (verb, kind) = VERBS.iter().find(|(verb, _)| self.rest().starts_with(verb))?;
        self.at += verb.len();
        let end = self.until(b" from ")?;
        let stage = end.start
            ..end.start + memchr::memchr(b' ', &self.bytes[end.clone()]).unwrap_or(end.len());
        sink.plain(b"smtp_stage", stage, Text);
        self.end(sink, b"client");
        self.eat(b";");
        self.eat(b":");
        self.eat(b" ");
        self.reply(sink);
        // The sentence ends where the envelope begins; it may hold `; ` itself.
        let rest = self.rest();
        let envelope = [&b"; from=<"[..], b"; to=<", b"; proto=", b"; helo=<"]
            .into_iter()
            .filter_map(|key| memchr::memmem::find(rest, key))
            .min();
        let reason = self.at..self.at + envelope.unwrap_or(rest.len());
        self.at = reason.end;
        sink.plain(b"reason", reason, Text);
        self.pairs(sink);
        Some(kind)
    }

    /// `554 5.7.1 `
    fn reply(&mut self, sink: &mut Sink<'_, '_>) {
        let digits = self.rest().iter().take_while(|b| b.is_ascii_digit()).count();
        if digits != 3 || self.rest().get(3) != Some(&b' ') {
            return;
        }
        sink.plain(b"reply_code", self.at..self.at + 3, Number);
        self.at += 4;
        let len =
            self.rest().iter().take(12).take_while(|b| b.is_ascii_digit() || **b == b'.').count();
        if self.rest().get(len) == Some(&b' ') && self.rest()[..len].contains(&b'.') {
            sink.plain(b"dsn", self.at..self.at + len, Text);
            self.at += len + 1;
        }
    }

    fn warning(&mut self, sink: &mut Sink<'_, '_>) -> Option<&'static str> {
        if self.eat(b"hostname ") {
            let name = self.until(b" does not resolve to address ")?;
            sink.plain(b"client", name, Text);
            let rest = self.rest();
            let len = rest.windows(2).position(|two| two == b": ").unwrap_or(rest.len());
            sink.plain(b"client_ip", self.at..self.at + len, Text);
            sink.plain(b"reason", self.at + (len + 2).min(rest.len())..self.bytes.len(), Text);
            return Some("unresolved");
        }
        if let Some(at) = memchr::memmem::find(self.rest(), b": SASL ") {
            let found = self.at + at + 7;
            self.end(sink, b"client");
            self.at = found;
            let method = self.until(b" authentication ")?;
            sink.plain(b"sasl_method", method, Text);
            if self.eat(b"aborted") {
                return Some("auth_aborted");
            }
            self.eat(b"failed:");
            self.eat(b" ");
            let rest = self.rest();
            let user = memchr::memmem::find(rest, b", sasl_username=");
            let end = self.at + user.unwrap_or(rest.len());
            sink.plain(b"reason", self.at..end, Text);
            if user.is_some() {
                sink.plain(b"sasl_username", end + 16..self.bytes.len(), Text);
            }
            return Some("auth_failed");
        }
        let from = memchr::memmem::find(self.rest(), b" from ")?;
        let verb = self.at..self.at + from;
        self.at = verb.end + 6;
        if !self.end(sink, b"client") {
            return None;
        }
        let verb = &self.bytes[verb];
        Some(match () {
            () if verb.ends_with(b"non-SMTP command") => "non_smtp",
            () if memchr::memmem::find(verb, b"rate limit exceeded").is_some()
                || memchr::memmem::find(verb, b"oncurrency limit exceeded").is_some() =>
            {
                "rate_limit"
            }
            () => "client_warning",
        })
    }

    /// Sentences about a connection that end in `from host[ip]` or `to host[ip]:port`.
    fn connection(&mut self, sink: &mut Sink<'_, '_>) -> Option<&'static str> {
        const VERBS: [(&[u8], &[u8], &str); 11] = [
            (b"connect from ", b"", "connect"),
            (b"disconnect from ", b"", "disconnect"),
            (b"lost connection after ", b" from ", "lost"),
            (b"timeout after ", b" from ", "lost"),
            (b"lost connection with ", b"", "relay_failed"),
            (b"too many errors after ", b" from ", "errors"),
            (b"improper command pipelining after ", b" from ", "errors"),
            (b"SSL_accept error from ", b"", "tls_failed"),
            (b"connect to ", b"", "relay_failed"),
            (b"host ", b"", "relay_said"),
            (b"", b" TLS connection established ", "tls"),
        ];
        let rest = self.rest();
        let (verb, middle, kind) = VERBS.iter().find(|(verb, middle, _)| {
            rest.starts_with(verb)
                && (middle.is_empty() || memchr::memmem::find(rest, middle).is_some())
        })?;
        let before = self.at;
        self.at += verb.len();
        if !middle.is_empty() {
            let stage = self.until(middle)?;
            if *kind != "tls" {
                sink.plain(b"smtp_stage", stage, Text);
            }
        }
        let outbound = match *kind {
            "tls" => !self.eat(b"from ") && self.eat(b"to "),
            "relay_failed" | "relay_said" => true,
            _ => false,
        };
        if !self.end(sink, if outbound { b"relay" } else { b"client" }) {
            self.at = before;
            return None;
        }
        match *kind {
            "tls" => self.cipher(sink),
            "disconnect" => {
                self.pairs(sink);
            }
            _ => {
                self.eat(b":");
                self.eat(b" ");
                let reason = self.at..self.bytes.len();
                if !reason.is_empty() {
                    sink.plain(b"reason", reason, Text);
                }
            }
        }
        Some(kind)
    }

    /// `: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)`
    fn cipher(&mut self, sink: &mut Sink<'_, '_>) {
        self.eat(b": ");
        let Some(version) = self.until(b" with cipher ") else { return };
        sink.plain(b"tls_version", version, Text);
        let len = memchr::memchr(b' ', self.rest()).unwrap_or(self.rest().len());
        sink.plain(b"tls_cipher", self.at..self.at + len, Text);
    }

    /// postscreen's `VERB ... [ip]:port`.
    fn postscreen(&mut self, sink: &mut Sink<'_, '_>) -> Option<&'static str> {
        let kind = match self.rest() {
            [b'C', b'O', b'N', b'N', b'E', b'C', b'T', ..] => "connect",
            [b'D', b'I', b'S', b'C', ..] => "disconnect",
            [b'P', b'A', b'S', b'S', ..] => "screen_passed",
            [b'P', b'R', b'E', b'G', ..] | [b'B', b'A', b'R', b'E', ..] => "screen_failed",
            [b'D', b'N', b'S', b'B', ..] => "screen_failed",
            [b'N', b'O', b'N', b'-', ..] | [b'C', b'O', b'M', b'M', ..] => "screen_failed",
            [b'H', b'A', b'N', b'G', ..] => "lost",
            _ => "screen",
        };
        let open = memchr::memchr(b'[', self.rest())?;
        self.at += open;
        self.end(sink, b"client").then_some(kind)
    }

    /// `host[ip]` or `host[ip]:port` as fields `name`, `name_ip`, `name_port`.
    fn end(&mut self, sink: &mut Sink<'_, '_>, name: &[u8]) -> bool {
        let rest = self.rest();
        let Some(open) = memchr::memchr(b'[', rest) else { return false };
        let Some(close) = memchr::memchr(b']', &rest[open..]).map(|at| open + at) else {
            return false;
        };
        if rest[..open].contains(&b' ') {
            return false;
        }
        let (ip, port): (&[u8], &[u8]) = match name {
            b"relay" => (b"relay_ip", b"relay_port"),
            _ => (b"client_ip", b"client_port"),
        };
        if open > 0 && rest[..open] != *b"unknown" {
            sink.plain(name, self.at..self.at + open, Text);
        }
        let prefix = if rest[open + 1..].starts_with(b"IPv6:") { 5 } else { 0 };
        let inner = self.at + open + 1 + prefix..self.at + close;
        // A socket's path may stand in the address's place.
        let text = std::str::from_utf8(&self.bytes[inner.clone()]).unwrap_or_default();
        if text.parse::<std::net::IpAddr>().is_ok() {
            sink.plain(ip, inner, Text);
        }
        let digits = rest
            .get(close + 2..)
            .filter(|_| rest.get(close + 1) == Some(&b':'))
            .map_or(0, |rest| rest.iter().take_while(|b| b.is_ascii_digit()).count());
        let after = self.at + close + 1;
        if digits > 0 {
            sink.plain(port, after + 1..after + 1 + digits, Number);
            self.at = after + 1 + digits;
        } else {
            self.at = after;
        }
        true
    }

    /// `key=value` pairs behind commas or spaces; values in angle brackets may hold either.
    fn pairs(&mut self, sink: &mut Sink<'_, '_>) -> usize {
        let mut count = 0;
        loop {
            while matches!(self.rest().first(), Some(b' ' | b',' | b';')) {
                self.at += 1;
            }
            let rest = self.rest();
            let key = rest
                .iter()
                .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
                .count();
            if key == 0 || rest.get(key) != Some(&b'=') {
                return count;
            }
            let name = &self.bytes[self.at..self.at + key];
            self.at += key + 1;
            count += 1;
            self.pair(sink, name);
        }
    }

    fn pair(&mut self, sink: &mut Sink<'_, '_>, name: &[u8]) {
        let rest = self.rest();
        if let Some(b'<') = rest.first() {
            let len = rest.iter().position(|b| *b == b'>').unwrap_or(rest.len());
            let name = if name == b"message-id" { b"message_id" } else { name };
            sink.plain(name, self.at + 1..self.at + len.max(1), Text);
            self.at = (self.at + len + 1).min(self.bytes.len());
            return;
        }
        if matches!(name, b"client" | b"relay" | b"orig_client") && self.end(sink, name) {
            return;
        }
        let len = rest.iter().position(|b| matches!(b, b' ' | b',')).unwrap_or(rest.len());
        let number = len > 0 && rest[..len].iter().all(u8::is_ascii_digit);
        let range = self.at..self.at + len;
        self.at = range.end;
        sink.plain(name, range, if number { Number } else { Text });
        if matches!(name, b"status" | b"nrcpt")
            && let Some(text) = self.rest().strip_prefix(b" (")
        {
            let close = memchr::memrchr(b')', text).unwrap_or(text.len());
            let start = self.at + 2;
            sink.plain(b"reason", start..start + close, Text);
            self.at = (start + close + 1).min(self.bytes.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yagura_event::{EventBatch, FieldTable};

    #[track_caller]
    fn check(program: &str, text: &str, expect: &str) {
        let (mut batch, fields) = (EventBatch::default(), FieldTable::default());
        let mut sink = Sink::new(&mut batch, &fields, text.as_bytes());
        sink.derived(b"program", program.as_bytes());
        assert_eq!(Postfix.decode(&mut sink, 0..text.len()), Ok(()));
        let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let got: Vec<_> = batch
            .spans
            .iter()
            .skip(3)
            .map(|span| {
                format!("{}={}", name(batch.bytes(span.name)), name(batch.bytes(span.value)))
            })
            .collect();
        assert_eq!(got.join("|"), expect, "{text}");
    }

    #[test]
    fn connections() {
        check(
            "postfix/smtpd",
            "connect from mail.example.org[192.0.2.1]",
            "client=mail.example.org|client_ip=192.0.2.1|kind=connect",
        );
        check(
            "postfix/smtpd",
            "disconnect from unknown[IPv6:2001:db8::1]:5000 ehlo=1 auth=0/1 quit=1 commands=2/3",
            "client_ip=2001:db8::1|client_port=5000|ehlo=1|auth=0/1|quit=1|commands=2/3|kind=disconnect",
        );
        check(
            "postfix/smtpd",
            "NOQUEUE: lost connection after AUTH from unknown[192.0.2.1]",
            "smtp_stage=AUTH|client_ip=192.0.2.1|kind=lost",
        );
        check(
            "postfix/smtp",
            "connect to mx.example.net[198.51.100.5]:25: Connection timed out",
            "relay=mx.example.net|relay_ip=198.51.100.5|relay_port=25|reason=Connection timed out|kind=relay_failed",
        );
        check(
            "postfix/smtpd",
            "Anonymous TLS connection established from h.example[192.0.2.1]: TLSv1.3 with cipher AES_X (256/256 bits)",
            "client=h.example|client_ip=192.0.2.1|tls_version=TLSv1.3|tls_cipher=AES_X|kind=tls",
        );
        check(
            "postfix/postscreen",
            "PREGREET 14 after 0.08 from [192.0.2.2]:59415: EHLO x",
            "client_ip=192.0.2.2|client_port=59415|kind=screen_failed",
        );
    }

    #[test]
    fn messages_and_deliveries() {
        check(
            "postfix/smtpd",
            "4F9D195432C: client=h.example[192.0.2.1], sasl_method=PLAIN, sasl_username=kim@example.org",
            "queue_id=4F9D195432C|client=h.example|client_ip=192.0.2.1|sasl_method=PLAIN|sasl_username=kim@example.org|kind=authenticated",
        );
        check(
            "postfix/qmgr",
            "44JCRG5tYPzCqt2: from=<a, b@example.org>, size=500, nrcpt=1 (queue active)",
            "queue_id=44JCRG5tYPzCqt2|from=a, b@example.org|size=500|nrcpt=1|reason=queue active|kind=queued",
        );
        check(
            "postfix/smtp",
            "4F9D195432C: to=<b@example.net>, orig_to=<c@example.net>, relay=mx.example.net[198.51.100.5]:25, delay=1.2, delays=0/0/1/0, dsn=2.0.0, status=sent (250 ok (really))",
            "queue_id=4F9D195432C|to=b@example.net|orig_to=c@example.net|relay=mx.example.net|relay_ip=198.51.100.5|relay_port=25|delay=1.2|delays=0/0/1/0|dsn=2.0.0|status=sent|reason=250 ok (really)|kind=delivery",
        );
        check(
            "postfix/lmtp",
            "4F9D195432C: to=<b@example.net>, relay=mail.example.net[private/dovecot-lmtp], delay=1, status=deferred (x",
            "queue_id=4F9D195432C|to=b@example.net|relay=mail.example.net|delay=1|status=deferred|reason=x|kind=delivery",
        );
        check("postfix/qmgr", "4F9D195432C: removed", "queue_id=4F9D195432C|kind=removed");
    }

    #[test]
    fn refusals_and_warnings() {
        check(
            "postfix/smtpd",
            "NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked; from=<a@x> to=<b@y> proto=ESMTP helo=<h>",
            "smtp_stage=RCPT|client_ip=192.0.2.1|reply_code=554|dsn=5.7.1|reason=Service unavailable; Client host [192.0.2.1] blocked|from=a@x|to=b@y|proto=ESMTP|helo=h|kind=reject",
        );
        check(
            "postfix/smtpd",
            "warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: (reason unavailable), sasl_username=kim",
            "client_ip=192.0.2.1|sasl_method=LOGIN|reason=(reason unavailable)|sasl_username=kim|kind=auth_failed",
        );
        check(
            "postfix/smtpd",
            "warning: hostname h.example does not resolve to address 2001:db8::1: Name or service not known",
            "client=h.example|client_ip=2001:db8::1|reason=Name or service not known|kind=unresolved",
        );
        check("postfix/master", "daemon started -- version 3.7.0", "");
        check("postfix/smtpd", "host x", "");
        check("postfix/smtpd", "reject: RCPT from ", "smtp_stage=RCPT|reason=|kind=reject");
    }
}
