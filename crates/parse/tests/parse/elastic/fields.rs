//! Which OCSF attributes may hold the value of an ECS field, and how the two compare.

use std::net::IpAddr;

/// What a value is, as the table of results groups it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    Address,
    Port,
    User,
    Host,
    Url,
    Domain,
    Hash,
    Process,
    File,
    Mail,
    Time,
    Action,
    Count,
}

/// How an expected value and a held one compare, and what counts as "it stands in the text".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// The same text, ASCII case ignored.
    Text,
    /// The same address in whatever notation.
    Ip,
    /// The same integer.
    Number,
    /// An account: the name, or name and domain joined.
    Account,
    /// A name, without a trailing dot.
    Name,
    /// The same millisecond.
    Time,
}

/// One ECS field.
pub struct Field {
    pub ecs: &'static str,
    pub kind: Kind,
    pub how: How,
    /// OCSF paths of which one must hold the value.
    pub ocsf: &'static [&'static str],
}

impl Field {
    /// Whether the values are expected. Those of Windows' own fields are what ECS names once
    /// more; they only say that an attribute which holds one is not wrong.
    pub fn counts(&self) -> bool {
        !self.ecs.starts_with("winlog.event_data.")
    }
}

macro_rules! fields {
    ($($kind:ident $how:ident { $($ecs:literal => [$($ocsf:literal),*];)* })*) => {
        pub const FIELDS: &[Field] = &[
            $($(Field { ecs: $ecs, kind: Kind::$kind, how: How::$how, ocsf: &[$($ocsf),*] },)*)*
        ];
    };
}

fields! {
    Address Ip {
        "source.ip" => ["src_endpoint.ip"];
        // Where a document's client is another than its source, it is the one that a proxy
        // forwarded for.
        "client.ip" => ["src_endpoint.ip", "http_request.x_forwarded_for"];
        "destination.ip" => ["dst_endpoint.ip"];
        "server.ip" => ["dst_endpoint.ip"];
        "source.nat.ip" => ["src_endpoint.proxy_endpoint.ip"];
        "destination.nat.ip" => ["dst_endpoint.proxy_endpoint.ip"];
        "host.ip" => ["device.ip", "src_endpoint.ip", "dst_endpoint.ip"];
        "observer.ip" => ["metadata.reporter.ip", "device.ip"];
        "network.forwarded_ip" => ["http_request.x_forwarded_for", "src_endpoint.ip"];
        "dns.resolved_ip" => ["answers.rdata"];
    }
    Port Number {
        "source.port" => ["src_endpoint.port"];
        "client.port" => ["src_endpoint.port"];
        "destination.port" => ["dst_endpoint.port"];
        "server.port" => ["dst_endpoint.port"];
        "source.nat.port" => ["src_endpoint.proxy_endpoint.port"];
        "destination.nat.port" => ["dst_endpoint.proxy_endpoint.port"];
        "url.port" => ["http_request.url.port"];
    }
    User Account {
        "user.name" => ["user.name", "actor.user.name", "process.user.name", "src_endpoint.owner.name"];
        "source.user.name" => ["actor.user.name", "user.name", "src_endpoint.owner.name"];
        "client.user.name" => ["actor.user.name", "user.name", "src_endpoint.owner.name"];
        "destination.user.name" => ["user.name", "dst_endpoint.owner.name"];
        "user.target.name" => ["user.name"];
        "user.effective.name" => ["user.name", "process.user.name", "actor.user.name"];
        // Who acted and who was acted on, by the fields of Windows itself (see `counts`): the
        // document's own `user` is now the one, now the other.
        "winlog.event_data.SubjectUserName" => ["actor.user.name", "user.name", "process.user.name"];
        "winlog.event_data.TargetUserName" => ["user.name", "group.name", "process.user.name"];
        "group.name" => ["group.name"];
        "user.target.group.name" => ["group.name"];
    }
    User Text {
        "user.domain" => ["user.domain", "actor.user.domain", "process.user.domain"];
        "source.user.domain" => ["actor.user.domain", "user.domain", "src_endpoint.owner.domain"];
        "destination.user.domain" => ["user.domain", "dst_endpoint.owner.domain"];
        "user.target.domain" => ["user.domain"];
        // The document's id is, for an audit record, that of who logged on, and for Sysmon the
        // service's own; OCSF's `uid` is that of the user it names, the others are beside it.
        "user.id" => ["user.uid", "actor.user.uid", "process.user.uid", "actor.user.uid_alt"];
        "user.audit.id" => ["actor.user.uid_alt"];
        "user.effective.id" => ["actor.user.uid", "process.user.uid"];
        "auditd.log.uid" => ["actor.user.uid"];
        "user.target.id" => ["user.uid"];
        "winlog.event_data.SubjectDomainName" => ["actor.user.domain", "user.domain", "process.user.domain"];
        "winlog.event_data.TargetDomainName" => ["user.domain", "process.user.domain", "group.domain"];
        "winlog.event_data.SubjectUserSid" => ["actor.user.uid", "user.uid", "process.user.uid"];
        "winlog.event_data.TargetUserSid" => ["user.uid", "process.user.uid"];
        "winlog.event_data.TargetSid" => ["user.uid"];
        "winlog.event_data.MemberSid" => ["user.uid"];
        "user.email" => ["user.email_addr", "actor.user.name", "user.name"];
    }
    Host Name {
        "host.name" => ["device.hostname", "metadata.reporter.hostname", "src_endpoint.hostname"];
        "host.hostname" => ["device.hostname", "metadata.reporter.hostname"];
        "observer.name" => ["metadata.reporter.hostname", "device.hostname"];
        "observer.hostname" => ["metadata.reporter.hostname", "device.hostname"];
        "source.domain" => ["src_endpoint.hostname"];
        "destination.domain" => ["dst_endpoint.hostname", "http_request.url.hostname"];
        "server.domain" => ["dst_endpoint.hostname", "http_request.url.hostname"];
    }
    Url Text {
        "url.original" => ["http_request.url.url_string"];
        "url.full" => ["http_request.url.url_string"];
        "url.path" => ["http_request.url.path"];
        "url.query" => ["http_request.url.query_string"];
        "url.scheme" => ["http_request.url.scheme"];
        "http.request.referrer" => ["http_request.referrer"];
    }
    Domain Name {
        "url.domain" => ["http_request.url.hostname", "dst_endpoint.hostname", "tls.sni"];
        "dns.question.name" => ["query.hostname"];
        "dns.answers.data" => ["answers.rdata"];
        "tls.client.server_name" => ["tls.sni"];
    }
    Hash Text {
        "file.hash.md5" => ["file.hashes.md5", "module.file.hashes.md5", "process.file.hashes.md5"];
        "file.hash.sha1" => ["file.hashes.sha1", "module.file.hashes.sha1", "process.file.hashes.sha1"];
        "file.hash.sha256" => ["file.hashes.sha256", "module.file.hashes.sha256", "process.file.hashes.sha256"];
        // Sysmon gives a deleted file's hashes, which documents have as the process's.
        "process.hash.md5" => ["process.file.hashes.md5", "file.hashes.md5"];
        "process.hash.sha1" => ["process.file.hashes.sha1", "file.hashes.sha1"];
        "process.hash.sha256" => ["process.file.hashes.sha256", "file.hashes.sha256"];
        "tls.client.ja3" => ["tls.ja3_hash.value"];
        "tls.server.ja3s" => ["tls.ja3s_hash.value"];
        "tls.server.hash.sha1" => ["tls.certificate.fingerprints.sha1"];
    }
    Process Text {
        "process.name" => ["process.name", "actor.process.name"];
        "process.executable" => ["process.path", "actor.process.path"];
        "process.command_line" => ["process.cmd_line", "actor.process.cmd_line"];
        "process.working_directory" => ["process.working_directory"];
        "process.entity_id" => ["process.uid", "actor.process.uid"];
        "process.parent.name" => ["process.parent_process.name", "actor.process.name"];
        "process.parent.executable" => ["process.parent_process.path", "actor.process.path"];
        "process.parent.command_line" => ["process.parent_process.cmd_line", "actor.process.cmd_line"];
        "process.parent.entity_id" => ["process.parent_process.uid", "actor.process.uid"];
    }
    Process Number {
        "process.pid" => ["process.pid", "actor.process.pid"];
        "process.parent.pid" => ["process.parent_process.pid", "actor.process.pid"];
        "process.exit_code" => ["exit_code"];
    }
    File Text {
        "file.path" => ["file.path", "module.file.path", "file_result.path", "script.file.path"];
        "file.name" => ["file.name", "module.file.name"];
    }
    File Number {
        "file.size" => ["file.size"];
    }
    Mail Text {
        "email.from.address" => ["email.from"];
        "email.to.address" => ["email.to"];
        "email.subject" => ["email.subject"];
        "email.message_id" => ["email.message_uid"];
    }
    Time Time {
        "@timestamp" => ["time"];
    }
    Action Text {
        "http.request.method" => ["http_request.http_method"];
    }
    Action Number {
        "http.response.status_code" => ["http_response.code"];
    }
    Count Number {
        "source.bytes" => ["traffic.bytes_out", "http_request.length"];
        "destination.bytes" => ["traffic.bytes_in", "http_response.length"];
        "network.bytes" => ["traffic.bytes"];
        "source.packets" => ["traffic.packets_out"];
        "destination.packets" => ["traffic.packets_in"];
        "network.packets" => ["traffic.packets"];
        "http.request.body.bytes" => ["http_request.length", "traffic.bytes_out"];
        "http.response.body.bytes" => ["http_response.length", "traffic.bytes_in"];
    }
}

impl How {
    /// Whether `held` says what `expected` says; `domain` is the account's domain that is
    /// held beside it.
    pub fn same(self, expected: &str, held: &str, domain: Option<&str>) -> bool {
        match self {
            Self::Text => expected.eq_ignore_ascii_case(held),
            Self::Name => {
                let bare = |text: &str| text.trim_end_matches('.').to_lowercase();
                bare(expected) == bare(held)
            }
            Self::Ip => match (expected.parse::<IpAddr>(), held.parse::<IpAddr>()) {
                (Ok(a), Ok(b)) => a.to_canonical() == b.to_canonical(),
                _ => expected.eq_ignore_ascii_case(held),
            },
            Self::Number => match (number(expected), number(held)) {
                (Some(a), Some(b)) => a == b,
                _ => false,
            },
            Self::Account => {
                let joined = |form: String| expected.eq_ignore_ascii_case(&form);
                expected.eq_ignore_ascii_case(held)
                    || domain.is_some_and(|domain| {
                        joined(format!("{domain}\\{held}")) || joined(format!("{held}@{domain}"))
                    })
            }
            Self::Time => match (millis(expected), held.parse::<i64>()) {
                (Some(a), Ok(b)) => a == b,
                _ => false,
            },
        }
    }

    /// Whether a value stands in the record's text at all; the others were looked up,
    /// computed or configured and no parser can know them.
    pub fn stated(self, value: &str, raw: &str) -> bool {
        match self {
            Self::Number => bounded(raw, value, |c| c.is_ascii_digit()),
            Self::Ip => bounded(raw, value, |c| c.is_ascii_alphanumeric()),
            Self::Time => millis(value).is_some_and(|millis| time_stated(millis, raw)),
            Self::Text | Self::Name | Self::Account => {
                let (raw, value) = (raw.to_lowercase(), value.to_lowercase());
                let escaped = serde_json::to_string(&value).unwrap();
                !value.is_empty()
                    && (raw.contains(&value) || raw.contains(&escaped[1..escaped.len() - 1]))
            }
        }
    }
}

fn number(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().or_else(|| text.parse::<f64>().ok().map(|float| float as i64))
}

/// Milliseconds since 1970 of an RFC 3339 stamp.
pub fn millis(text: &str) -> Option<i64> {
    yagura_event::time::parse_rfc3339(text).map(|micros| micros.div_euclid(1_000))
}

/// Whether `value` occurs in `raw` with no character of `inner` at either side.
fn bounded(raw: &str, value: &str, inner: fn(char) -> bool) -> bool {
    let (raw, value) = (raw.to_lowercase(), value.to_lowercase());
    !value.is_empty()
        && raw.match_indices(&value).any(|(at, found)| {
            let before = raw[..at].chars().next_back().is_some_and(inner);
            let after = raw[at + found.len()..].chars().next().is_some_and(inner);
            !before && !after
        })
}

/// A time stands in the text if its minute and second do (a zone moves neither), or its
/// number of seconds.
fn time_stated(millis: i64, raw: &str) -> bool {
    let seconds = millis.div_euclid(1_000);
    let (minute, second) = (seconds.rem_euclid(3_600) / 60, seconds.rem_euclid(60));
    [format!("{minute:02}:{second:02}"), format!("{minute:02}{second:02}"), seconds.to_string()]
        .iter()
        .any(|form| raw.contains(form.as_str()))
}
