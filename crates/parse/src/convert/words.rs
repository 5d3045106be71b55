//! The words by which definitions name conversions.

use super::Convert;
use crate::time::Format;

impl Convert {
    /// Reads the `as` word of a definition.
    ///
    /// # Errors
    /// A message with the known words.
    pub fn parse(word: &str) -> Result<Self, String> {
        if let Some(format) = word.strip_prefix("time:") {
            return Format::parse(format).map(Self::Time);
        }
        Ok(match word {
            "text" => Self::Text,
            "lower" => Self::Lower,
            "fingerprint" => Self::Fingerprint,
            "plus_spaces" => Self::PlusSpaces,
            "ip" => Self::Ip,
            "basename" => Self::Basename,
            "dirname" => Self::Dirname,
            "extension" => Self::Extension,
            "url_path" => Self::UrlPath,
            "url_query" => Self::UrlQuery,
            "url_host" => Self::UrlHost,
            "u16" => Self::Int(0, 65_535),
            "u32" => Self::Int(0, i64::from(u32::MAX)),
            "i64" | "int" => Self::Int(i64::MIN, i64::MAX),
            "hex" => Self::Hex,
            "http_status" => Self::HttpStatus,
            "seconds" => Self::Seconds,
            "hms" => Self::Hms,
            "float" => Self::Float,
            "bool" => Self::Bool,
            "strings" => Self::Strings,
            "dns_answers" => Self::DnsAnswers,
            "sans" => Self::Sans,
            "url" => Self::Url,
            "target" => Self::Target,
            "forwarded" => Self::Forwarded,
            "domain_user" => Self::DomainUser,
            "kerberos_name" => Self::KerberosName,
            "tagged_user" => Self::TaggedUser,
            "hashes" => Self::Hashes,
            "host_port" => Self::HostPort,
            "url_endpoint" => Self::UrlEndpoint,
            "initiated" => Self::Initiated,
            "host" => Self::Host,
            "ip_protocol" => Self::IpProtocol,
            "ether_dst" => Self::EtherDst,
            "ether_src" => Self::EtherSrc,
            "name_uid" => Self::NameUid,
            "hash" => Self::Hash,
            "host_in_parens" => Self::HostInParens,
            "blocked" => Self::Blocked,
            "sum" => Self::Sum,
            "dns_answer_list" => Self::DnsAnswerList,
            _ => {
                return Err(format!(
                    "no conversion `{word}`; known: text, lower, fingerprint, plus_spaces, ip, basename, dirname, extension, \
                     url_path, url_query, url_host, u16, u32, i64, hex, http_status, seconds, hms, float, bool, \
                     strings, dns_answers, sans, url, target, forwarded, domain_user, kerberos_name, tagged_user, hashes, host_port, url_endpoint, initiated, host, \
                     ip_protocol, ether_dst, ether_src, name_uid, hash, host_in_parens, blocked, \
                     sum, dns_answer_list, time:FORMAT"
                ));
            }
        })
    }
}
