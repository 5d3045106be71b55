//! Looks the values of events up; what misses allocates nothing.

use crate::digest;
use crate::domain;
use crate::indicators::{Indicators, NO_RULE, Said};
use crate::kind::Kind;
use crate::network::Network;
use crate::table::Backwards;
use crate::url;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use yagura_event::batch::role_of;
use yagura_event::column::COLUMNS;
use yagura_event::finding::SAMPLE_RAW_BYTES_MAX;
use yagura_event::{
    ColumnId, EventId, EventRef, Match, MatchId, ObservableKind, Party, Sample, Scalar, TenantName,
};

/// The key of a match that holds the indicator's value; findings are grouped by it.
pub const INDICATOR_KEY: &str = "indicator";

/// Most hits of one event: more lists than anybody keeps say the same of one value.
const HITS_MAX: usize = 1_024;

/// Longest value shown in a match, in bytes.
const SHOWN_BYTES_MAX: usize = 2 * 1024;

/// Most values of a list column that are looked at.
const ITEMS_MAX: usize = 64;

/// What a column's values are looked up as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lane {
    /// Not at all.
    None,
    /// Addresses.
    Ip,
    /// Addresses or names.
    Name,
    /// URLs, and their hosts.
    Url,
    /// E-mail addresses, and their domains.
    Email,
    /// Hashes.
    Hash,
    /// A JSON list of any of addresses, names and e-mail addresses.
    List,
}

impl Lane {
    /// By column.
    pub fn all() -> Box<[Self]> {
        (0..COLUMNS.len()).map(|at| Self::of(ColumnId(at as u16))).collect()
    }

    fn of(id: ColumnId) -> Self {
        let lists = [ColumnId::HTTP_X_FORWARDED_FOR, ColumnId::DNS_ANSWERS, ColumnId::EMAIL_TO];
        if lists.contains(&id) {
            return Self::List;
        }
        match id.column().observable {
            Some(ObservableKind::Ip) => Self::Ip,
            Some(ObservableKind::Host | ObservableKind::Domain) => Self::Name,
            Some(ObservableKind::Url) => Self::Url,
            Some(ObservableKind::Email) => Self::Email,
            Some(ObservableKind::Hash) => Self::Hash,
            _ => Self::None,
        }
    }
}

/// A worker's reusable memory.
#[derive(Default)]
pub struct Scratch {
    text: String,
    hits: Vec<Hit>,
}

/// A statement about a value of an event.
pub(crate) struct Hit {
    pub said: u32,
    pub kind: Kind,
    column: ColumnId,
    /// The indicator.
    pub value: String,
    /// What of the event it hit.
    seen: String,
}

/// Where a looked-up value stands.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub column: ColumnId,
    pub seen: &'a str,
}

impl Indicators {
    /// Appends the matches of `event`: one for each list and indicator, in the order of the
    /// event's columns. An indicator counts where the event's time is within its validity.
    /// A hit that a warning list covers names that list as its rule.
    pub fn matches(
        &self,
        event: EventRef<'_>,
        source_name: &str,
        scratch: &mut Scratch,
        out: &mut Vec<Match>,
    ) {
        let Scratch { text: memory, hits } = scratch;
        hits.clear();
        for (column, value) in event.values() {
            let lane = self.lanes[usize::from(column.0)];
            if lane == Lane::None {
                continue;
            }
            let (Scalar::Text(text) | Scalar::Json(text)) = value else { continue };
            let Ok(text) = std::str::from_utf8(event.batch().bytes(*text)) else { continue };
            let place = Place { column: *column, seen: text };
            match lane {
                Lane::None => {}
                Lane::Ip => self.ip(text, place, hits),
                Lane::Name => self.name(text, place, memory, hits),
                Lane::Email => self.email(text, place, memory, hits),
                Lane::Hash => self.digest(text, place, memory, hits),
                Lane::Url => self.url(text, place, event, memory, hits),
                Lane::List => each_string(text, |item| {
                    let place = Place { column: *column, seen: item };
                    if item.contains('@') {
                        self.email(item, place, memory, hits);
                    } else {
                        self.name(item, place, memory, hits);
                    }
                }),
            }
        }
        if !hits.is_empty() {
            self.settle(event, source_name, hits, out);
        }
    }

    pub(crate) fn ip(&self, text: &str, place: Place<'_>, hits: &mut Vec<Hit>) {
        if let Ok(ip) = text.parse::<IpAddr>() {
            self.address(ip.to_canonical(), place, hits);
        }
    }

    fn address(&self, ip: IpAddr, place: Place<'_>, hits: &mut Vec<Hit>) {
        let exact = match ip {
            IpAddr::V4(ip) => (self.v4.find(u32::from(ip)), Kind::Ipv4),
            IpAddr::V6(ip) => (self.v6.find(u128::from(ip)), Kind::Ipv6),
        };
        for said in exact.0 {
            push(hits, *said, exact.1, place, || ip.to_string());
        }
        let mut network = |first: IpAddr, len: u32, says: &[u32]| {
            for said in says {
                let net = Network { first, len: len as u8 };
                push(hits, *said, Kind::Network, place, || net.to_string());
            }
        };
        match ip {
            IpAddr::V4(ip) => {
                for (first, last, says) in self.nets4.around(u32::from(ip)) {
                    network(Ipv4Addr::from(first).into(), (first ^ last).leading_zeros(), says);
                }
            }
            IpAddr::V6(ip) => {
                for (first, last, says) in self.nets6.around(u128::from(ip)) {
                    network(Ipv6Addr::from(first).into(), (first ^ last).leading_zeros(), says);
                }
            }
        }
    }

    /// An address, or a name with all its parents.
    pub(crate) fn name(
        &self,
        text: &str,
        place: Place<'_>,
        memory: &mut String,
        hits: &mut Vec<Hit>,
    ) {
        match domain::as_address(text) {
            Some(ip) => self.address(ip, place, hits),
            None => {
                if let Some(name) = domain::normal(text, memory) {
                    self.domain(name, place, hits);
                }
            }
        }
    }

    /// A name in its normal form with all its parents.
    fn domain(&self, name: &str, place: Place<'_>, hits: &mut Vec<Hit>) {
        let mut hash = Backwards::new();
        let mut dotted = false;
        for (at, byte) in name.bytes().enumerate().rev() {
            if byte == b'.' {
                if dotted {
                    self.parent(&name[at + 1..], hash, place, hits);
                }
                dotted = true;
            }
            hash.push(byte);
        }
        self.parent(name, hash, place, hits);
    }

    fn parent(&self, name: &str, hash: Backwards, place: Place<'_>, hits: &mut Vec<Hit>) {
        let hash = hash.get();
        if self.domains.may_have(hash) {
            for said in self.domains.find(name.as_bytes(), hash) {
                push(hits, said, Kind::Domain, place, || name.to_owned());
            }
        }
    }

    pub(crate) fn email(
        &self,
        text: &str,
        place: Place<'_>,
        memory: &mut String,
        hits: &mut Vec<Hit>,
    ) {
        // `Name <local@domain>`
        let text = text.rsplit_once('<').map_or(text, |(_, rest)| rest);
        let text = text.split('>').next().unwrap_or(text).trim();
        let Some((_, name)) = text.rsplit_once('@') else { return };
        self.name(name, place, memory, hits);
        memory.clear();
        memory.push_str(text);
        memory.make_ascii_lowercase();
        let hash = Backwards::of(memory.as_bytes());
        for said in self.emails.find(memory.as_bytes(), hash) {
            push(hits, said, Kind::Email, place, || memory.clone());
        }
    }

    pub(crate) fn digest(
        &self,
        text: &str,
        place: Place<'_>,
        memory: &mut String,
        hits: &mut Vec<Hit>,
    ) {
        let mut text = text.trim();
        if text.contains(':') {
            // A certificate's fingerprint, byte by byte.
            memory.clear();
            memory.extend(text.chars().filter(|c| *c != ':'));
            text = memory;
        }
        let Some(kind) = digest::kind_of(text.len()) else { return };
        let bytes = text.as_bytes();
        let says = match kind {
            Kind::Md5 => digest::hex(bytes).map(|key| self.md5.find(key)),
            Kind::Sha1 => digest::hex(bytes).map(|key| self.sha1.find(key)),
            Kind::Sha256 => digest::hex(bytes).map(|key| self.sha256.find(key)),
            _ => digest::hex(bytes).map(|key| self.sha512.find(key)),
        };
        for said in says.unwrap_or_default() {
            push(hits, *said, kind, place, || text.to_ascii_lowercase());
        }
    }

    fn url(
        &self,
        text: &str,
        place: Place<'_>,
        event: EventRef<'_>,
        memory: &mut String,
        hits: &mut Vec<Hit>,
    ) {
        let host = match text.starts_with('/') {
            true => event
                .column_text(ColumnId::URL_HOSTNAME)
                .or_else(|| event.column_text(ColumnId::DST_HOSTNAME)),
            false => None,
        };
        let Some(parts) = url::normal(text, host, memory) else { return };
        match domain::as_address(parts.host()) {
            Some(ip) => self.address(ip, place, hits),
            None => self.domain(parts.host(), place, hits),
        }
        self.covering(&parts, place, hits);
    }

    /// The URL indicators that cover a URL.
    pub(crate) fn covering(&self, parts: &url::Parts<'_>, place: Place<'_>, hits: &mut Vec<Hit>) {
        let site = Backwards::of(parts.site().as_bytes());
        if !self.sites.has(site) {
            return;
        }
        for form in parts.covers() {
            let hash = Backwards::of(form.as_bytes());
            for said in self.urls.find(form.as_bytes(), hash) {
                push(hits, said, Kind::Url, place, || form.to_owned());
            }
        }
    }

    /// Makes matches of hits: valid ones, each list and indicator once.
    fn settle(&self, event: EventRef<'_>, source: &str, hits: &mut Vec<Hit>, out: &mut Vec<Match>) {
        let time = event.event().time;
        let from = out.len();
        for hit in hits.drain(..) {
            let said = &self.said[hit.said as usize];
            if time < said.from || time >= said.until {
                continue;
            }
            let warning = self.warnings.covers(hit.kind.group(), &hit.value, &hit.seen);
            let rule = match warning {
                Some(list) => self.suppressed.get(list).copied().unwrap_or(NO_RULE),
                None => said.rules[hit.kind.group() as usize],
            };
            let Some(rule) = self.rules.get(rule as usize) else { continue };
            let known = out[from..].iter().any(|m: &Match| {
                m.rule == rule.id && m.key(INDICATOR_KEY) == Some(hit.value.as_str())
            });
            if !known {
                out.push(self.built(event, source, &rule.id, said, &hit));
            }
        }
    }

    fn built(
        &self,
        event: EventRef<'_>,
        source: &str,
        rule: &str,
        said: &Said,
        hit: &Hit,
    ) -> Match {
        let head = event.event();
        let context = event.context();
        let tenant =
            TenantName::new(&context.tenant).unwrap_or_else(|_| TenantName::default_tenant());
        let field = |name: &str, value: &str| {
            (name.to_owned(), url::cut(value, SHOWN_BYTES_MAX).to_owned())
        };
        let list = self.lists.get(said.list as usize).map_or("", String::as_str);
        let mut fields = vec![
            field(hit.column.column().path, &hit.seen),
            field(INDICATOR_KEY, &hit.value),
            field("indicator.kind", hit.kind.word()),
            field("indicator.list", list),
        ];
        if !said.name.is_empty() {
            fields.push(field("indicator.name", &said.name));
        }
        let observables = event.observables().into_iter();
        let mut parties: Vec<Party> = observables
            .map(|(column, observable)| Party { role: role_of(column), observable })
            .collect();
        parties.sort();
        parties.dedup();
        Match {
            id: match_id(&tenant, rule, &hit.value, head.id),
            tenant: tenant.as_str().to_owned(),
            received_time: head.received_time,
            stream: head.stream,
            batch: head.batch,
            keys: vec![(INDICATOR_KEY.to_owned(), hit.value.clone())],
            sample: Arc::new(Sample {
                event: head.id.0,
                rule: rule.to_owned(),
                time: head.time,
                source: source.to_owned(),
                feed: context.feed.clone(),
                fields,
                parties,
                raw: raw(event.raw()),
            }),
        }
    }
}

/// The id of a match: as for rules, the indicator's value being part of the rule: one event
/// may hit two indicators of one list.
fn match_id(tenant: &TenantName, rule: &str, value: &str, event: EventId) -> u128 {
    MatchId::new(tenant, &format!("{rule}\n{value}"), event).0
}

fn raw(bytes: &[u8]) -> String {
    let cut = &bytes[..bytes.len().min(SAMPLE_RAW_BYTES_MAX)];
    let mut text = String::from_utf8_lossy(cut).into_owned();
    if cut.len() < bytes.len() && text.ends_with('\u{fffd}') {
        text.pop();
    }
    text
}

fn push(
    hits: &mut Vec<Hit>,
    said: u32,
    kind: Kind,
    place: Place<'_>,
    value: impl FnOnce() -> String,
) {
    if hits.len() < HITS_MAX {
        let (column, seen) = (place.column, place.seen.to_owned());
        hits.push(Hit { said, kind, column, value: value(), seen });
    }
}

/// Calls `take` with the strings of a JSON text that have no escapes, names among them.
fn each_string(json: &str, mut take: impl FnMut(&str)) {
    let mut rest = json;
    for _ in 0..ITEMS_MAX {
        let Some(open) = rest.find('"') else { return };
        rest = &rest[open + 1..];
        let Some(close) = rest.find('"') else { return };
        let item = &rest[..close];
        rest = &rest[close + 1..];
        if item.contains('\\') {
            // An escaped quote may be inside: skip to the real end.
            let mut escaped = item.ends_with('\\');
            while escaped {
                let Some(end) = rest.find('"') else { return };
                escaped = rest[..end].ends_with('\\');
                rest = &rest[end + 1..];
            }
            continue;
        }
        if item.contains(['.', ':']) {
            take(item);
        }
    }
}
