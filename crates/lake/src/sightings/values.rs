//! Which values of an event are sighted, and in what form.

use crate::index::host_of;
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::LazyLock;
use yagura_event::column::COLUMNS;
use yagura_event::{ColumnId, Observable, ObservableKind};

/// Kinds of values that are sighted, in the order of their words.
const KINDS: [(&str, ObservableKind); 7] = [
    ("domain", ObservableKind::Domain),
    ("email", ObservableKind::Email),
    ("hash", ObservableKind::Hash),
    ("host", ObservableKind::Host),
    ("ip", ObservableKind::Ip),
    ("mac", ObservableKind::Mac),
    ("user", ObservableKind::User),
];

/// A kind's place among all, which is also the order of their words.
pub(crate) type KindPlace = u8;

/// The word of a kind.
pub(crate) fn word(kind: KindPlace) -> &'static str {
    KINDS.get(usize::from(kind)).map_or("", |(word, _)| word)
}

/// The place of a word's kind.
pub(crate) fn place_of(word: &str) -> Option<KindPlace> {
    KINDS.iter().position(|(known, _)| *known == word).map(|at| at as KindPlace)
}

fn place(kind: ObservableKind) -> Option<KindPlace> {
    KINDS.iter().position(|(_, known)| *known == kind).map(|at| at as KindPlace)
}

/// Longest value that is sighted, in bytes.
const VALUE_BYTES_MAX: usize = 1_024;

/// Columns whose values are sighted, with their kinds.
pub(crate) static COLUMNS_SIGHTED: LazyLock<Vec<(&'static str, ObservableKind)>> =
    LazyLock::new(|| {
        // What stands in lists is of several kinds, told apart by its form.
        let lists = [
            (ColumnId::HTTP_X_FORWARDED_FOR, ObservableKind::Domain),
            (ColumnId::DNS_ANSWERS, ObservableKind::Domain),
            (ColumnId::EMAIL_TO, ObservableKind::Email),
        ];
        let single = COLUMNS.iter().filter_map(|column| {
            let kind = column.observable?;
            let sighted = kind == ObservableKind::Url || place(kind).is_some();
            sighted.then_some((column.name, kind))
        });
        single.chain(lists.map(|(id, kind)| (id.column().name, kind))).collect()
    });

/// What a column's value is sighted as; nothing for one that names nothing.
pub(crate) fn sighted(kind: ObservableKind, text: &str) -> Option<(KindPlace, Cow<'_, str>)> {
    if text.is_empty() || text == "-" {
        return None;
    }
    match kind {
        ObservableKind::Ip => address(text).map(ip),
        ObservableKind::Host | ObservableKind::Domain => name(kind, text),
        ObservableKind::Url => name(ObservableKind::Domain, host_of(text)?),
        ObservableKind::Email => email(text),
        ObservableKind::Hash => hash(text),
        ObservableKind::User | ObservableKind::Mac => {
            let known = Observable::new(kind, text)?;
            Some((place(kind)?, Cow::Owned(known.value)))
        }
        _ => None,
    }
}

/// What stands in a list: an address with `@` or a name with a dot or a colon.
pub(crate) fn listed(text: &str) -> Option<(KindPlace, Cow<'_, str>)> {
    match text {
        _ if text.contains('@') => email(text),
        _ if text.contains(['.', ':']) => name(ObservableKind::Domain, text),
        _ => None,
    }
}

fn address(text: &str) -> Option<(IpAddr, &str)> {
    let ip: IpAddr = text.trim().parse().ok()?;
    Some((ip.to_canonical(), text))
}

fn ip((ip, text): (IpAddr, &str)) -> (KindPlace, Cow<'_, str>) {
    let kind = place(ObservableKind::Ip).unwrap_or_default();
    match ip {
        // It has one form only, unless it came as an IPv6 address.
        IpAddr::V4(_) if !text.contains([':', ' ', '\t']) => (kind, Cow::Borrowed(text)),
        ip => (kind, Cow::Owned(ip.to_string())),
    }
}

fn name(kind: ObservableKind, text: &str) -> Option<(KindPlace, Cow<'_, str>)> {
    let text = text.trim().trim_end_matches('.');
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let numeric = bare.bytes().next().is_some_and(|b| b.is_ascii_hexdigit() || b == b':');
    if numeric && let Some(found) = address(bare) {
        return Some(ip(found));
    }
    plain(kind, text)
}

fn email(text: &str) -> Option<(KindPlace, Cow<'_, str>)> {
    // `Name <local@domain>`
    let text = text.rsplit_once('<').map_or(text, |(_, rest)| rest);
    let text = text.split('>').next().unwrap_or(text).trim();
    plain(ObservableKind::Email, text).filter(|_| text.contains('@'))
}

fn hash(text: &str) -> Option<(KindPlace, Cow<'_, str>)> {
    let text = text.trim();
    if !text.contains(':') {
        return plain(ObservableKind::Hash, text);
    }
    // A certificate's fingerprint, byte by byte.
    let joined: String = text.chars().filter(|c| *c != ':').collect();
    let (kind, _) = plain(ObservableKind::Hash, &joined)?;
    Some((kind, Cow::Owned(joined.to_ascii_lowercase())))
}

fn plain(kind: ObservableKind, text: &str) -> Option<(KindPlace, Cow<'_, str>)> {
    if text.is_empty() || text.len() > VALUE_BYTES_MAX {
        return None;
    }
    let text = match text.bytes().any(|b| b.is_ascii_uppercase()) {
        true => Cow::Owned(text.to_ascii_lowercase()),
        false => Cow::Borrowed(text),
    };
    Some((place(kind)?, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_one_form() {
        let of = |kind, text| sighted(kind, text).map(|(k, v)| (word(k), v.into_owned()));
        let is = |word, text: &str| Some((word, text.to_owned()));
        use ObservableKind::{Domain, Email, Hash, Host, Ip, Url, User};
        assert_eq!(of(Ip, "10.0.0.1"), is("ip", "10.0.0.1"));
        assert_eq!(of(Ip, "::ffff:10.0.0.1"), is("ip", "10.0.0.1"));
        assert_eq!(of(Ip, "2001:DB8:0::1"), is("ip", "2001:db8::1"));
        assert_eq!(of(Ip, "none"), None);
        assert_eq!(of(Host, "WEB-1.corp.example"), is("host", "web-1.corp.example"));
        assert_eq!(of(Host, "10.0.0.1"), is("ip", "10.0.0.1"));
        assert_eq!(of(Domain, "Evil.Example."), is("domain", "evil.example"));
        assert_eq!(of(Domain, "[2001:db8::1]"), is("ip", "2001:db8::1"));
        assert_eq!(of(Url, "http://Evil.example:8080/x?y"), is("domain", "evil.example"));
        assert_eq!(of(Url, "/x"), None);
        assert_eq!(of(Email, "Nina <Nina@Corp.example>"), is("email", "nina@corp.example"));
        assert_eq!(of(Email, "nina"), None);
        assert_eq!(of(Hash, "AB:cd"), is("hash", "abcd"));
        assert_eq!(of(User, "CORP\\Nina"), is("user", "nina"));
        assert_eq!(of(User, "-"), None);
        assert_eq!(listed("a@b.example").map(|(k, _)| word(k)), Some("email"));
        assert_eq!(listed("192.0.2.1").map(|(k, _)| word(k)), Some("ip"));
        assert_eq!(listed("A"), None);
    }

    #[test]
    fn kinds_are_in_the_order_of_their_words() {
        assert!(KINDS.is_sorted_by_key(|(word, _)| *word));
        assert!(KINDS.iter().all(|(word, kind)| kind.word() == *word));
    }
}
