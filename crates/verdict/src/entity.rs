//! The things a verdict is about: hosts, accounts, addresses and domains.

use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use yagura_event::{Observable, ObservableKind};

/// What an entity is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// A host by name.
    Host,
    /// A user account.
    User,
    /// An address that belongs to no known host.
    Ip,
    /// A domain name outside.
    Domain,
}

impl EntityKind {
    /// The word used in the judge's store and in JSON; that of the observable.
    pub fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::User => "user",
            Self::Ip => "ip",
            Self::Domain => "domain",
        }
    }

    /// The kind of a [`Self::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Host, Self::User, Self::Ip, Self::Domain].into_iter().find(|k| k.word() == word)
    }
}

/// A thing that can be white, grey or black.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Entity {
    /// What it is.
    pub kind: EntityKind,
    /// Its normalised value (see [`Observable::new`]).
    pub value: String,
}

impl Entity {
    /// Wraps a value that is normalised already.
    pub fn new(kind: EntityKind, value: &str) -> Self {
        Self { kind, value: value.to_owned() }
    }

    /// Whether this is an address or domain outside the organisation.
    pub fn is_outside(&self) -> bool {
        match self.kind {
            EntityKind::Domain => true,
            EntityKind::Ip => self.value.parse().is_ok_and(|ip| !is_internal(ip)),
            EntityKind::Host | EntityKind::User => false,
        }
    }
}

/// Whether an address is of a private, shared or link-local range.
pub fn is_internal(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private()
                || v4.is_link_local()
                || v4.is_loopback()
                || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.segments()[0] & 0xfe00 == 0xfc00
                || v6.segments()[0] & 0xffc0 == 0xfe80
        }
    }
}

/// Whether an address names one machine: not loopback, link-local, multicast or broadcast.
pub fn names_a_machine(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            !(v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.is_unspecified())
        }
        IpAddr::V6(v6) => {
            !(v6.is_loopback()
                || v6.is_multicast()
                || v6.is_unspecified()
                || v6.segments()[0] & 0xffc0 == 0xfe80)
        }
    }
}

/// Endings of names that only resolve inside an organisation.
const INSIDE_ENDINGS: [&str; 7] =
    [".local", ".lan", ".internal", ".intranet", ".corp", ".home", ".localdomain"];

/// The host a domain name means where it only resolves inside: its first label.
pub fn inside_host(domain: &str) -> Option<&str> {
    let inside =
        !domain.contains('.') || INSIDE_ENDINGS.iter().any(|ending| domain.ends_with(ending));
    inside.then(|| domain.split('.').next().unwrap_or(domain)).filter(|label| !label.is_empty())
}

/// The host part of a URL, without user information and port.
pub fn url_host(url: &str) -> Option<Observable> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => host.split(':').next()?,
    };
    Observable::new(ObservableKind::Ip, host)
        .or_else(|| host.contains('.').then(|| Observable::new(ObservableKind::Domain, host))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_and_outside() {
        assert!(Entity::new(EntityKind::Ip, "203.0.113.5").is_outside());
        assert!(!Entity::new(EntityKind::Ip, "10.1.2.3").is_outside());
        assert_eq!(inside_host("fs1.corp.local"), Some("fs1"));
        assert_eq!(inside_host("portal.example"), None);
    }

    #[test]
    fn hosts_of_urls() {
        let host = |url| url_host(url).map(|o| o.value);
        assert_eq!(host("https://u:p@Evil.example:8443/a?b"), Some("evil.example".into()));
        assert_eq!(host("http://[2001:db8::1]:80/"), Some("2001:db8::1".into()));
        assert_eq!(host("/only/a/path"), None);
    }
}
