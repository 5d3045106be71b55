//! Typed values worth following across events, and the ties between two of them.

/// What kind of thing a value names; `type_id` is OCSF's observable type.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ObservableKind {
    /// A host by name.
    Host,
    /// An IPv4 or IPv6 address.
    Ip,
    /// A MAC address.
    Mac,
    /// A user account.
    User,
    /// An e-mail address.
    Email,
    /// A URL.
    Url,
    /// A domain name.
    Domain,
    /// A file name or path.
    File,
    /// A file hash.
    Hash,
    /// A process, by executable path.
    Process,
    /// A command line.
    CommandLine,
}

impl ObservableKind {
    /// Every kind, in the order of their names in code.
    pub const ALL: [Self; 11] = [
        Self::Host,
        Self::Ip,
        Self::Mac,
        Self::User,
        Self::Email,
        Self::Url,
        Self::Domain,
        Self::File,
        Self::Hash,
        Self::Process,
        Self::CommandLine,
    ];

    /// OCSF observable `type_id` (1.9.0-dev).
    pub fn type_id(self) -> i64 {
        match self {
            Self::Host | Self::Domain => 1,
            Self::Ip => 2,
            Self::Mac => 3,
            Self::User => 4,
            Self::Email => 5,
            Self::Url => 6,
            Self::File => 7,
            Self::Hash => 8,
            Self::Process => 9,
            Self::CommandLine => 13,
        }
    }

    /// OCSF's caption of [`Self::type_id`].
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Host | Self::Domain => "Hostname",
            Self::Ip => "IP Address",
            Self::Mac => "MAC Address",
            Self::User => "User Name",
            Self::Email => "Email Address",
            Self::Url => "URL String",
            Self::File => "File Name",
            Self::Hash => "Hash",
            Self::Process => "Process Name",
            Self::CommandLine => "Command Line",
        }
    }

    /// The word used in search, tables and the judge's store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Ip => "ip",
            Self::Mac => "mac",
            Self::User => "user",
            Self::Email => "email",
            Self::Url => "url",
            Self::Domain => "domain",
            Self::File => "file",
            Self::Hash => "hash",
            Self::Process => "process",
            Self::CommandLine => "command_line",
        }
    }

    /// The kind of a [`Self::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// A typed value, normalised so that equal things compare equal (see [`Observable::new`]).
#[derive(
    Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize,
)]
pub struct Observable {
    /// What the value names.
    pub kind: ObservableKind,
    /// The normalised value; never empty.
    pub value: String,
}

/// Longest observable value kept, in bytes; longer ones are not followed.
pub const OBSERVABLE_BYTES_MAX: usize = 1_024;

impl Observable {
    /// Normalises and wraps a value; `None` for values that name nothing (empty, `-`, the
    /// unspecified address) or exceed [`OBSERVABLE_BYTES_MAX`].
    ///
    /// Hosts are lower case and cut at the first dot unless the value is an address; users
    /// lose a `DOMAIN\` prefix and an `@realm` suffix and become lower case; domains lose the
    /// trailing dot; addresses are written in their canonical form.
    pub fn new(kind: ObservableKind, value: &str) -> Option<Self> {
        let value = value.trim();
        if value.is_empty() || value == "-" || value.len() > OBSERVABLE_BYTES_MAX {
            return None;
        }
        let value = match kind {
            ObservableKind::Ip => {
                let ip: std::net::IpAddr = value.parse().ok()?;
                let ip = ip.to_canonical();
                if ip.is_unspecified() {
                    return None;
                }
                ip.to_string()
            }
            ObservableKind::Host => {
                if let Ok(ip) = value.parse::<std::net::IpAddr>() {
                    return Self::new(ObservableKind::Ip, &ip.to_string());
                }
                let short = value.split('.').next().unwrap_or(value);
                short.trim_matches('\\').to_ascii_lowercase()
            }
            ObservableKind::Domain => value.trim_end_matches('.').to_ascii_lowercase(),
            ObservableKind::User => {
                let name = value.rsplit('\\').next().unwrap_or(value);
                name.split('@').next().unwrap_or(name).to_lowercase()
            }
            ObservableKind::Mac | ObservableKind::Email | ObservableKind::Hash => {
                value.to_ascii_lowercase()
            }
            _ => value.to_owned(),
        };
        (!value.is_empty()).then_some(Self { kind, value })
    }
}

/// How two observables are tied.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// A host has an address (DHCP lease, agent's own address).
    HasAddress,
    /// An address is translated to another.
    Nat,
    /// A name resolves to an address.
    Resolves,
    /// A user is logged on to a host.
    Session,
    /// A user logged on from an address or host.
    LogonFrom,
    /// An address or host talked to another.
    Connected,
    /// A file came from a URL, domain or host.
    FileFrom,
    /// A user ran a process.
    Ran,
}

impl RelationKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::HasAddress,
        Self::Nat,
        Self::Resolves,
        Self::Session,
        Self::LogonFrom,
        Self::Connected,
        Self::FileFrom,
        Self::Ran,
    ];

    /// The word used in source definitions and the judge's store.
    pub fn word(self) -> &'static str {
        match self {
            Self::HasAddress => "has_address",
            Self::Nat => "nat",
            Self::Resolves => "resolves",
            Self::Session => "session",
            Self::LogonFrom => "logon_from",
            Self::Connected => "connected",
            Self::FileFrom => "file_from",
            Self::Ran => "ran",
        }
    }

    /// The kind of a [`Self::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// Two observables tied at a time.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Relation {
    /// How they are tied.
    pub kind: RelationKind,
    /// The one that has, resolves, logs on or connects.
    pub from: Observable,
    /// The other.
    pub to: Observable,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_things_compare_equal() {
        let host = |v| Observable::new(ObservableKind::Host, v);
        assert_eq!(host("WEB-1.corp.example"), host("web-1"));
        assert_eq!(host("10.0.0.1").map(|o| o.kind), Some(ObservableKind::Ip));
        let user = |v| Observable::new(ObservableKind::User, v);
        assert_eq!(user("CORP\\Nina"), user("nina@corp.example"));
        assert_eq!(
            Observable::new(ObservableKind::Ip, "::ffff:10.0.0.1").map(|o| o.value),
            Some("10.0.0.1".into())
        );
        assert_eq!(Observable::new(ObservableKind::Ip, "0.0.0.0"), None);
        assert_eq!(
            Observable::new(ObservableKind::Url, &"a".repeat(OBSERVABLE_BYTES_MAX + 1)),
            None
        );
    }
}
