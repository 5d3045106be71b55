//! Converters: from a source's text to a column's type, or to the parts of an object.

mod parts;
mod url;
mod words;

use crate::time::{Format, Zone};
use std::net::IpAddr;
pub(crate) use url::forwarded;
use url::target_parts;
pub use url::{UrlParts, host_port, url_parts};
use yagura_event::column::ColumnType;
use yagura_event::{ColumnId, ObservableKind};

/// How a source's value becomes a column's (the `as` of a definition).
#[derive(Clone, Debug)]
pub enum Convert {
    /// As it stands.
    Text,
    /// ASCII lower case.
    Lower,
    /// A hash or serial number in lower case without colons.
    Fingerprint,
    /// `+` as a space, as IIS writes spaces.
    PlusSpaces,
    /// An address, in any notation `std` reads, its zone (`%eth0`) left out; an IPv4 address
    /// written as IPv6 becomes plain.
    Ip,
    /// The last part of a path with `/` or `\`.
    Basename,
    /// Everything before the last part of a path.
    Dirname,
    /// The last part of a URL's path after its last dot.
    Extension,
    /// The path of a URL or request target.
    UrlPath,
    /// The query of a URL or request target, without `?`.
    UrlQuery,
    /// The host of a URL.
    UrlHost,
    /// Decimal or `0x` hexadecimal integer between the bounds, inclusive.
    Int(i64, i64),
    /// Hexadecimal integer with or without `0x`.
    Hex,
    /// Decimal seconds to whole milliseconds.
    Seconds,
    /// `h:mm:ss` to milliseconds.
    Hms,
    /// Floating point.
    Float,
    /// `true/false`, `T/F`, `yes/no`, `1/0`, by any case.
    Bool,
    /// A time in this form.
    Time(Format),
    /// Every value of the field as a JSON array of strings.
    Strings,
    /// Every value of the field as a JSON array of DNS answers.
    DnsAnswers,
    /// Every value of the field as a JSON array of a certificate's alternative names.
    Sans,
    /// A URL into its parts.
    Url,
    /// What a request line asks for into the parts of a URL: a path where it names no scheme and
    /// no port.
    Target,
    /// Every value of the field, each a list of hosts that a request was forwarded for, as a
    /// JSON array of them without ports.
    Forwarded,
    /// `DOMAIN\user`, `user@realm` or `CN=user,..,DC=corp,DC=example` into name and domain; a
    /// bare name has no domain.
    DomainUser,
    /// A user as Cisco's identity firewall notes it at an address: `DOMAIN\user`, a security
    /// group's tag behind a comma or in its place (`DOMAIN\user, 12`, `12:name`, which is none).
    TaggedUser,
    /// A Kerberos name, `user/REALM`, into name and domain.
    KerberosName,
    /// `MD5=..,SHA256=..` into hashes.
    Hashes,
    /// `host:port` or `[v6]:port` into host name or address, and port.
    HostPort,
    /// A URL's or authority's host (name or address) and port, the scheme's where it names none.
    UrlEndpoint,
    /// An HTTP status code as OCSF's 1 (success) below 400, 2 (failure) from there.
    HttpStatus,
    /// `true` for an outbound direction, `false` for an inbound one (Sigma's `Initiated`).
    Initiated,
    /// An address or a host name into the right one of the two.
    Host,
    /// An IP protocol's number (or name) as its lower case name.
    IpProtocol,
    /// The destination of an Ethernet header as netfilter logs it.
    EtherDst,
    /// The source of it.
    EtherSrc,
    /// `name(id)` into name and id.
    NameUid,
    /// A bare hash into the attribute of its length.
    Hash,
    /// The address in `text(address)`, as `ssh(192.0.2.1)`.
    HostInParens,
    /// The sum of all the fields, where each is there and a number.
    Sum,
    /// The values of one field, each a list with commas or semicolons, as a JSON array of DNS
    /// answers.
    DnsAnswerList,
    /// `true` for words of refusal, `false` for words of permission (Sigma's `blocked`).
    Blocked,
}

/// A converted value.
#[derive(Clone, PartialEq, Debug)]
pub enum Value<'a> {
    /// A part of the source's value.
    Part(&'a [u8]),
    /// New text.
    Owned(Vec<u8>),
    /// Integer or time.
    I64(i64),
    /// Float.
    F64(f64),
    /// Truth.
    Bool(bool),
}

/// The answers of a list: `192.0.2.1, ...`, or as Sysmon writes them
/// `type:  5 name;::ffff:192.0.2.1;`.
pub(crate) fn answer_list(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';']).filter_map(|part| {
        let part = part.trim();
        let typed = part.strip_prefix("type:").map(str::trim_start);
        let part = typed.map_or(part, |rest| rest.split_once(' ').map_or("", |(_, name)| name));
        let part = part.trim().strip_prefix("::ffff:").unwrap_or(part.trim());
        (!matches!(part, "" | "-")).then_some(part)
    })
}

impl Convert {
    /// The conversion of a column whose mapping names none.
    pub fn default_for(id: ColumnId) -> Self {
        match id.column().kind {
            ColumnType::Text if id.column().observable == Some(ObservableKind::Ip) => Self::Ip,
            ColumnType::Text => Self::Text,
            ColumnType::I64 => Self::Int(i64::MIN, i64::MAX),
            ColumnType::F64 => Self::Float,
            ColumnType::Bool => Self::Bool,
            ColumnType::Time => Self::Time(Format::Auto),
            ColumnType::Strings | ColumnType::Objects => Self::Strings,
        }
    }

    /// Whether the conversion gives the column's type.
    pub fn fits(&self, id: ColumnId) -> bool {
        match id.column().kind {
            ColumnType::Text => self.is_text(),
            ColumnType::I64 => {
                use Convert::{Hex, Hms, HttpStatus, Int, Seconds, Sum};
                matches!(self, Int(..) | Hex | Seconds | Hms | Sum | HttpStatus)
            }
            ColumnType::F64 => matches!(self, Self::Float),
            ColumnType::Bool => matches!(self, Self::Bool),
            ColumnType::Time => matches!(self, Self::Time(_)),
            ColumnType::Strings => matches!(self, Self::Strings | Self::Forwarded),
            ColumnType::Objects => {
                matches!(self, Self::DnsAnswers | Self::DnsAnswerList | Self::Sans)
            }
        }
    }

    fn is_text(&self) -> bool {
        use Convert::{
            Basename, Dirname, EtherDst, EtherSrc, Extension, Fingerprint, Ip, IpProtocol, Lower,
            PlusSpaces, Text, UrlHost, UrlPath, UrlQuery,
        };
        matches!(
            self,
            Text | Lower
                | Fingerprint
                | PlusSpaces
                | Ip
                | Basename
                | Dirname
                | Extension
                | UrlPath
                | UrlQuery
                | UrlHost
                | IpProtocol
                | EtherDst
                | EtherSrc
        )
    }

    /// The parts of a splitting converter, as last steps of column paths.
    pub fn parts(&self) -> Option<&'static [&'static str]> {
        Some(match self {
            Self::Url | Self::Target => {
                &["url_string", "scheme", "hostname", "port", "path", "query_string"]
            }
            Self::DomainUser | Self::KerberosName | Self::TaggedUser => &["name", "domain"],
            Self::Hashes => &["md5", "sha1", "sha256", "imphash"],
            Self::HostPort | Self::UrlEndpoint => &["hostname", "ip", "port"],
            Self::Host | Self::HostInParens => &["hostname", "ip"],
            Self::NameUid => &["name", "uid"],
            Self::Hash => &["md5", "sha1", "sha256"],
            _ => return None,
        })
    }

    /// Whether the column holds all that the source's value says, so that `unmapped` need
    /// not repeat it.
    pub fn keeps(&self) -> bool {
        use Convert::{
            Basename, Dirname, DnsAnswerList, DnsAnswers, EtherDst, EtherSrc, Extension, Hashes,
            HostInParens, HttpStatus, Seconds, UrlEndpoint, UrlHost, UrlPath, UrlQuery,
        };
        !matches!(
            self,
            Basename
                | Dirname
                | Extension
                | UrlPath
                | UrlQuery
                | UrlHost
                | UrlEndpoint
                | DnsAnswerList
                | DnsAnswers
                | EtherDst
                | EtherSrc
                | Hashes
                | HostInParens
                | HttpStatus
                | Seconds
        )
    }

    /// Whether a value of another form is nothing wrong: it stays in `unmapped` alone.
    pub fn lenient(&self) -> bool {
        matches!(self, Self::EtherDst | Self::EtherSrc | Self::Hash | Self::HttpStatus)
    }

    /// Converts one value; `None` if it is not of the form.
    pub fn apply<'a>(&self, value: &'a [u8], zone: &Zone<'_>) -> Option<Value<'a>> {
        Some(match self {
            Self::Text => Value::Part(value),
            Self::Lower if value.iter().any(u8::is_ascii_uppercase) => {
                Value::Owned(value.to_ascii_lowercase())
            }
            Self::Fingerprint => Value::Owned(
                value.iter().filter(|b| **b != b':').map(u8::to_ascii_lowercase).collect(),
            ),
            Self::PlusSpaces if value.contains(&b'+') => {
                Value::Owned(value.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect())
            }
            Self::Lower | Self::PlusSpaces => Value::Part(value),
            Self::Ip => {
                let zone = memchr::memchr(b'%', value).unwrap_or(value.len());
                let address = value.get(..zone)?;
                match std::str::from_utf8(address).ok()?.parse::<IpAddr>().ok()? {
                    IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => {
                        Value::Owned(v6.to_canonical().to_string().into_bytes())
                    }
                    _ => Value::Part(address),
                }
            }
            Self::Basename => Value::Part(basename(value)),
            Self::Dirname => Value::Part(value.strip_suffix(basename(value))?),
            Self::Extension => {
                let path = url_parts(value).path;
                let name = path.rsplit(|c| *c == b'/').next().unwrap_or(path);
                let dot = memchr::memrchr(b'.', name)?;
                Value::Part(name.get(dot + 1..)?)
            }
            Self::Initiated if value.eq_ignore_ascii_case(b"outbound") => {
                Value::Owned(b"true".to_vec())
            }
            Self::Initiated if value.eq_ignore_ascii_case(b"inbound") => {
                Value::Owned(b"false".to_vec())
            }
            Self::UrlPath => Value::Part(url_parts(value).path),
            Self::UrlQuery => Value::Part(url_parts(value).query?),
            Self::UrlHost => Value::Part(url_parts(value).host?),
            Self::IpProtocol => parts::protocol(value),
            Self::Blocked => Value::Owned(parts::blocked(value)?.to_vec()),
            Self::EtherDst => Value::Part(parts::ethernet(value)?.0),
            Self::EtherSrc => Value::Part(parts::ethernet(value)?.1),
            Self::Int(min, max) => {
                let number = integer(value)?;
                (*min <= number && number <= *max).then_some(Value::I64(number))?
            }
            Self::HttpStatus => match integer(value)? {
                100..=399 => Value::I64(1),
                400..=599 => Value::I64(2),
                _ => return None,
            },
            Self::Hex => Value::I64(hex(value.strip_prefix(b"0x").unwrap_or(value))?),
            Self::Seconds => Value::I64(crate::time::decimal_micros(value)?.checked_div(1_000)?),
            Self::Hms => Value::I64(parts::hms(value)?),
            Self::Float => Value::F64(std::str::from_utf8(value).ok()?.parse().ok()?),
            Self::Bool => Value::Bool(parts::truth(value)?),
            Self::Time(format) => Value::I64(format.read(value, zone)?.time),
            _ => return None,
        })
    }

    /// Splits one value into the parts named by [`Self::parts`], in their order.
    pub fn split<'a>(&self, value: &'a [u8]) -> Option<[Option<Value<'a>>; 6]> {
        let none = || [None, None, None, None, None, None];
        let mut out = none();
        match self {
            Self::Url | Self::Target => {
                let parts = match self {
                    Self::Target => target_parts(value),
                    _ => url_parts(value),
                };
                out[0] = Some(Value::Part(value));
                out[1] = parts.scheme.map(Value::Part);
                out[2] = parts.host.map(Value::Part);
                out[3] = parts.port.and_then(integer).map(Value::I64);
                out[4] = (!parts.path.is_empty()).then_some(Value::Part(parts.path));
                out[5] = parts.query.map(Value::Part);
            }
            Self::DomainUser if parts::is_distinguished(value) => {
                let (name, domain) = parts::distinguished(value);
                out[0] = Some(Value::Owned(name));
                out[1] = domain.map(Value::Owned);
            }
            Self::TaggedUser => {
                let (name, domain) = domain_user(parts::untagged(value));
                out[0] = (!name.is_empty()).then_some(Value::Part(name));
                out[1] = domain.map(Value::Part);
            }
            Self::DomainUser => {
                let (name, domain) = domain_user(value);
                out[0] = Some(Value::Part(name));
                out[1] = domain.map(Value::Part);
            }
            Self::KerberosName => {
                let slash = memchr::memrchr(b'/', value).unwrap_or(value.len());
                out[0] = Some(Value::Part(&value[..slash]));
                out[1] = value.get(slash + 1..).map(Value::Part);
            }
            Self::Hashes => hashes(value, &mut out)?,
            Self::HostPort => {
                let (host, port) = host_port(value)?;
                out[usize::from(is_ip(host))] = Some(Value::Part(host));
                out[2] = port.and_then(integer).map(Value::I64);
            }
            Self::UrlEndpoint => {
                let parts = url_parts(value);
                let host = parts.host?;
                let port = match (parts.port, parts.scheme) {
                    (Some(port), _) => integer(port),
                    (None, Some(scheme)) if scheme.eq_ignore_ascii_case(b"https") => Some(443),
                    (None, Some(scheme)) if scheme.eq_ignore_ascii_case(b"http") => Some(80),
                    (None, Some(scheme)) if scheme.eq_ignore_ascii_case(b"ftp") => Some(21),
                    _ => None,
                };
                out[usize::from(is_ip(host))] = Some(Value::Part(host));
                out[2] = port.filter(|port| (0..=65_535).contains(port)).map(Value::I64);
            }
            Self::Host => out[usize::from(is_ip(value))] = Some(Value::Part(value)),
            Self::HostInParens => {
                out[1] = parts::in_parens(value).filter(|host| is_ip(host)).map(Value::Part);
            }
            Self::NameUid => {
                let (name, uid) = parts::name_uid(value);
                out[0] = (!name.is_empty()).then_some(Value::Part(name));
                out[1] = uid.map(Value::Part);
            }
            Self::Hash => out[parts::hash_place(value)?] = Some(Value::Part(value)),
            _ => return None,
        }
        Some(out)
    }
}

fn hashes<'a>(value: &'a [u8], out: &mut [Option<Value<'a>>; 6]) -> Option<()> {
    for pair in value.split(|c| *c == b',') {
        let equals = memchr::memchr(b'=', pair)?;
        let at = match pair.get(..equals)?.to_ascii_lowercase().as_slice() {
            b"md5" => 0,
            b"sha1" => 1,
            b"sha256" => 2,
            b"imphash" => 3,
            _ => continue,
        };
        out[at] = Some(Value::Part(pair.get(equals + 1..)?));
    }
    Some(())
}

/// `DOMAIN\user` or `user@realm`; a bare name has no domain.
pub fn domain_user(value: &[u8]) -> (&[u8], Option<&[u8]>) {
    if let Some(at) = memchr::memchr(b'\\', value) {
        return (&value[at + 1..], Some(&value[..at]));
    }
    match memchr::memchr(b'@', value) {
        Some(at) if at > 0 => (&value[..at], Some(&value[at + 1..])),
        _ => (value, None),
    }
}

fn basename(value: &[u8]) -> &[u8] {
    let at = memchr::memrchr2(b'/', b'\\', value).map_or(0, |at| at + 1);
    &value[at..]
}

/// Whether the text is an address.
pub fn is_ip(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok_and(|text| text.parse::<IpAddr>().is_ok())
}

/// Decimal (with sign) or `0x` hexadecimal.
pub fn integer(value: &[u8]) -> Option<i64> {
    if let Some(digits) = value.strip_prefix(b"0x").or_else(|| value.strip_prefix(b"0X")) {
        return hex(digits);
    }
    let (negative, digits) = match value.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, value),
    };
    if digits.is_empty() {
        return None;
    }
    let mut number = 0i64;
    for (at, digit) in digits.iter().enumerate() {
        if *digit == b'.' {
            // A whole number written with decimals (`3600.0`).
            return digits[at + 1..].iter().all(|c| *c == b'0').then_some(if negative {
                -number
            } else {
                number
            });
        }
        let digit = digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
        number = number.checked_mul(10)?.checked_add(digit)?;
    }
    Some(if negative { -number } else { number })
}

fn hex(digits: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(digits).ok()?;
    if text.starts_with(['+', '-']) {
        return None;
    }
    i64::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests;
