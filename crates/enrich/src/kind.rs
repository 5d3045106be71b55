//! Kinds of indicators, and the groups of kinds that rules and warning lists speak of.

/// What an indicator names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// One IPv4 address.
    Ipv4,
    /// One IPv6 address.
    Ipv6,
    /// A network of either family.
    Network,
    /// A domain with all names below it.
    Domain,
    /// A URL, see [`crate::value`].
    Url,
    /// An e-mail address.
    Email,
    /// MD5 of a file or certificate.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// Kinds that are looked for in the same places.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Group {
    /// Addresses and networks.
    Ip,
    /// Domains.
    Domain,
    /// URLs.
    Url,
    /// E-mail addresses.
    Email,
    /// Hashes.
    Hash,
}

impl Kind {
    /// Every kind, in the order of reports.
    pub const ALL: [Self; 10] = [
        Self::Ipv4,
        Self::Ipv6,
        Self::Network,
        Self::Domain,
        Self::Url,
        Self::Email,
        Self::Md5,
        Self::Sha1,
        Self::Sha256,
        Self::Sha512,
    ];

    /// The word in reports and in a match's `indicator.kind`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Network => "network",
            Self::Domain => "domain",
            Self::Url => "url",
            Self::Email => "email",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Where it is looked for.
    pub fn group(self) -> Group {
        match self {
            Self::Ipv4 | Self::Ipv6 | Self::Network => Group::Ip,
            Self::Domain => Group::Domain,
            Self::Url => Group::Url,
            Self::Email => Group::Email,
            Self::Md5 | Self::Sha1 | Self::Sha256 | Self::Sha512 => Group::Hash,
        }
    }

    /// The letter in a list's canonical form.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Ipv4 => b'4',
            Self::Ipv6 => b'6',
            Self::Network => b'n',
            Self::Domain => b'd',
            Self::Url => b'u',
            Self::Email => b'e',
            Self::Md5 => b'm',
            Self::Sha1 => b'1',
            Self::Sha256 => b'2',
            Self::Sha512 => b'5',
        }
    }

    /// The kind of a [`Self::code`].
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 5] = [Self::Ip, Self::Domain, Self::Url, Self::Email, Self::Hash];

    /// The word in rule ids.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Domain => "domain",
            Self::Url => "url",
            Self::Email => "email",
            Self::Hash => "hash",
        }
    }

    /// How a title names it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Ip => "Address",
            Self::Domain => "Domain",
            Self::Url => "URL",
            Self::Email => "E-mail address",
            Self::Hash => "File hash",
        }
    }
}
