//! What one entry of a list says: its kind by its content, its one form, and what is refused.
//!
//! Defanged text is read as what it stands for (`hxxp`, `[.]`, `(dot)`, `[:]`, `[@]`). A port
//! behind an address or a name is dropped: the address is the indicator. See [`crate::url`]
//! for what a URL covers; a bare `host/` without scheme is the name.

use crate::digest;
use crate::domain;
use crate::kind::Kind;
use crate::network::{self, Network};
use crate::refusal::Refusal;
use crate::url::{self, URL_BYTES_MAX};
use std::fmt;
use std::net::IpAddr;

/// Shortest run of hexadecimal digits that is taken for a broken hash rather than for a name.
const HASH_DIGITS_MIN: usize = 16;

/// Longest e-mail address (RFC 5321 section 4.5.3.1).
const EMAIL_BYTES_MAX: usize = 320;

/// An indicator's value in its one form; `Display` writes it, [`Value::of`] reads it back.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Value {
    /// One address.
    Ip(IpAddr),
    /// A network of more than one address.
    Network(Network),
    /// A domain, lower case, Punycode.
    Domain(String),
    /// A URL in the normal form of [`crate::url`].
    Url(String),
    /// An e-mail address, lower case.
    Email(String),
    /// A hash, lower case, of a length that [`digest::kind_of`] knows.
    Hash(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => ip.fmt(f),
            Self::Network(net) => net.fmt(f),
            Self::Domain(text) | Self::Url(text) | Self::Email(text) | Self::Hash(text) => {
                f.write_str(text)
            }
        }
    }
}

impl Value {
    /// What it names.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Ip(IpAddr::V4(_)) => Kind::Ipv4,
            Self::Ip(IpAddr::V6(_)) => Kind::Ipv6,
            Self::Network(_) => Kind::Network,
            Self::Domain(_) => Kind::Domain,
            Self::Url(_) => Kind::Url,
            Self::Email(_) => Kind::Email,
            Self::Hash(text) => digest::kind_of(text.len()).unwrap_or(Kind::Md5),
        }
    }

    /// Reads a value in its one form.
    pub fn of(kind: Kind, text: &str) -> Option<Self> {
        match kind {
            Kind::Ipv4 | Kind::Ipv6 => text.parse().ok().map(Self::Ip),
            Kind::Network => {
                let (ip, len) = text.split_once('/')?;
                Network::new(ip.parse().ok()?, len.parse().ok()?).map(Self::Network)
            }
            Kind::Domain => Some(Self::Domain(text.to_owned())),
            Kind::Url => Some(Self::Url(text.to_owned())),
            Kind::Email => Some(Self::Email(text.to_owned())),
            Kind::Md5 | Kind::Sha1 | Kind::Sha256 | Kind::Sha512 => {
                (digest::kind_of(text.len()) == Some(kind)).then(|| Self::Hash(text.to_owned()))
            }
        }
    }
}

/// Reads one entry. A range is several networks, everything else one value; they are appended
/// to `out`. `wide` takes what is else refused for its breadth: reserved and wide networks,
/// public suffixes, hashes of nothing.
///
/// # Errors
/// Why nothing was taken.
pub fn parse(text: &str, wide: bool, out: &mut Vec<Value>) -> Result<(), Refusal> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`'));
    let fanged = refang(text);
    let text = fanged.as_deref().unwrap_or(text);
    let text = text.trim_matches([',', '<', '>']).trim();
    if text.is_empty() {
        return Err(Refusal::Empty);
    }
    if text.ends_with('…') || text.ends_with("...") {
        return Err(Refusal::CutOff);
    }
    if text.len() > URL_BYTES_MAX {
        return Err(Refusal::TooLong);
    }
    if let Some(networks) = networks(text) {
        return networks.into_iter().try_for_each(|net| {
            if !wide {
                net.check()?;
            }
            out.push(if net.is_one() { Value::Ip(net.first) } else { Value::Network(net) });
            Ok(())
        });
    }
    out.push(other(text, wide)?);
    Ok(())
}

/// What is not an address, network or range.
fn other(text: &str, wide: bool) -> Result<Value, Refusal> {
    if text.contains("://") {
        return url(text, wide);
    }
    if let Some((local, name)) = text.rsplit_once('@')
        && !name.contains('/')
    {
        return email(local, name);
    }
    if text.len() >= 8 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return hash(text, wide);
    }
    if let Some((host, rest)) = text.split_once('/') {
        // Adblock's and dnsmasq's words come before their names.
        if matches!(host, "address=" | "server=") {
            return domain::read(rest.split('/').next().unwrap_or(rest), wide).map(Value::Domain);
        }
        if rest.is_empty() {
            return other(host, wide);
        }
        // A network with too long a prefix, and no page called `33`.
        if network::address(host).is_some() && rest.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Refusal::Unrecognised);
        }
        return url(text, wide);
    }
    domain::read(domain::without_port(text), wide).map(Value::Domain)
}

/// Addresses, networks and ranges, with or without a port.
fn networks(text: &str) -> Option<Vec<Network>> {
    let first = text.bytes().next()?;
    if !first.is_ascii_hexdigit() && first != b':' && first != b'[' {
        return None;
    }
    let one = |ip: IpAddr| Network::new(ip, if ip.is_ipv4() { 32 } else { 128 });
    if let Some(ip) = network::address(text) {
        return one(ip).map(|net| vec![net]);
    }
    if let Some(net) = network::cidr(text) {
        return Some(vec![net]);
    }
    if let Some((from, to)) = text.split_once('-') {
        return network::range(network::address(from.trim())?, network::address(to.trim())?);
    }
    let host = domain::without_port(text);
    if host.len() < text.len()
        && let Some(ip) = network::address(host)
    {
        let rest = text.trim_start_matches('[').get(host.len()..)?;
        let port = rest.trim_start_matches(']').trim_start_matches(':');
        return port.bytes().all(|b| b.is_ascii_digit()).then(|| one(ip).map(|n| vec![n]))?;
    }
    None
}

fn url(text: &str, wide: bool) -> Result<Value, Refusal> {
    if text.bytes().any(|b| b.is_ascii_whitespace()) {
        return Err(Refusal::Unrecognised);
    }
    let mut out = String::new();
    // A trailing `*` is how some lists write that everything below is meant.
    let text = text.strip_suffix("/*").map_or_else(|| text.to_owned(), |rest| format!("{rest}/"));
    let Some(parts) = url::normal(&text, None, &mut out) else { return Err(Refusal::Unrecognised) };
    let host = parts.host();
    match domain::as_address(host) {
        Some(ip) => {
            let net = Network::new(ip, if ip.is_ipv4() { 32 } else { 128 });
            if !wide {
                net.map_or(Err(Refusal::Unrecognised), |net| net.check())?;
            }
        }
        // What is under a public suffix alone is no name, but one page of it may be meant.
        None => match domain::read(host, true) {
            Ok(_) => {}
            Err(_) => return Err(Refusal::Unrecognised),
        },
    }
    Ok(Value::Url(out))
}

fn email(local: &str, name: &str) -> Result<Value, Refusal> {
    let local = local.strip_prefix("mailto:").unwrap_or(local);
    let mut host = String::new();
    let fine = !local.is_empty()
        && local.len() + name.len() < EMAIL_BYTES_MAX
        && local.bytes().all(|b| b.is_ascii_graphic() && !b"/\\()<>[],;:\"|".contains(&b));
    if !fine || domain::normal(name, &mut host).is_none() {
        return Err(Refusal::Unrecognised);
    }
    Ok(Value::Email(format!("{}@{host}", local.to_ascii_lowercase())))
}

fn hash(text: &str, wide: bool) -> Result<Value, Refusal> {
    if digest::kind_of(text.len()).is_none() {
        let long = text.len() >= HASH_DIGITS_MIN;
        return Err(if long { Refusal::HashLength } else { Refusal::Unrecognised });
    }
    let text = text.to_ascii_lowercase();
    if digest::says_nothing(&text) && !wide {
        return Err(Refusal::EmptyHash);
    }
    Ok(Value::Hash(text))
}

/// What defanged marks stand for, longest first.
const MARKS: [(&str, &str); 16] = [
    ("[://]", "://"),
    ("(://)", "://"),
    ("[dot]", "."),
    ("(dot)", "."),
    ("{dot}", "."),
    ("[at]", "@"),
    ("(at)", "@"),
    ("{at}", "@"),
    ("[.]", "."),
    ("(.)", "."),
    ("{.}", "."),
    ("[:]", ":"),
    ("[@]", "@"),
    ("(@)", "@"),
    ("[/]", "/"),
    ("\\.", "."),
];

/// Undoes defanging; `None` where there is nothing to undo.
pub fn refang(text: &str) -> Option<String> {
    let scheme = text.get(..3).is_some_and(|head| head.eq_ignore_ascii_case("hxx"));
    if !scheme && !text.bytes().any(|b| matches!(b, b'[' | b'(' | b'{' | b'\\')) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    if scheme {
        out.push_str("htt");
        rest = &rest[3..];
    }
    'next: while let Some(first) = rest.chars().next() {
        if matches!(first, '[' | '(' | '{' | '\\') {
            for (mark, plain) in MARKS {
                let head = rest.get(..mark.len());
                if head.is_some_and(|head| head.eq_ignore_ascii_case(mark)) {
                    out.push_str(plain);
                    rest = &rest[mark.len()..];
                    continue 'next;
                }
            }
        }
        out.push(first);
        rest = &rest[first.len_utf8()..];
    }
    Some(out)
}
