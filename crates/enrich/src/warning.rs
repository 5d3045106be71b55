//! Warning lists (MISP's form): values whose hits say little, such as public resolvers.
//!
//! By type: `cidr` covers addresses, and networks that lie inside; `hostname` a name and all
//! below it; `string` the value itself, a leading dot the names below as well; `substring` what
//! contains an entry; `regex` what an expression finds. Of a URL the host counts for `cidr` and
//! `hostname`, and a URL that is only a host is that host for `string`. A list whose
//! `matching_attributes` name no kind of a hit does not cover it; without them it covers all.

use crate::domain;
use crate::kind::Group;
use crate::list::ListError;
use crate::network;
use crate::prefix::Prefixes;
use crate::table::{Backwards, Texts, TextsBuilder};
use crate::url;
use aho_corasick::AhoCorasick;
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Largest warning list, in bytes; the largest published one has about five million.
pub const WARNING_LIST_BYTES_MAX: u64 = 256 << 20;

/// First line of the canonical form.
const MAGIC: &[u8] = b"yagura warning list 1\n";

/// Most memory one expression may compile to.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// A warning list as it is published.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WarningList {
    /// Its name.
    pub name: String,
    /// How its entries cover values.
    #[serde(rename = "type")]
    pub kind: WarningKind,
    /// The entries.
    pub list: Vec<String>,
    /// MISP attribute types that it is for; all where absent or empty.
    #[serde(default)]
    pub matching_attributes: Vec<String>,
}

/// How entries cover values.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WarningKind {
    /// Networks and addresses.
    Cidr,
    /// Names with all below them.
    Hostname,
    /// The very value.
    String,
    /// What contains it.
    Substring,
    /// What it finds.
    Regex,
}

impl WarningList {
    /// Reads `list.json`.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub fn read(json: &[u8]) -> Result<Self, String> {
        let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
        serde_json::from_slice(json).map_err(|error| format!("it is no warning list: {error}"))
    }

    /// The canonical form, which has a content address.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(serde_json::to_vec(self).unwrap_or_default());
        out
    }

    /// Reads a canonical form.
    ///
    /// # Errors
    /// [`ListError`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, ListError> {
        let json = bytes.strip_prefix(MAGIC).ok_or(ListError::Magic)?;
        serde_json::from_slice(json).map_err(|_| ListError::Damaged(MAGIC.len()))
    }

    fn covers(&self, group: Group) -> bool {
        let names: &[&str] = match group {
            Group::Ip => &["ip-src", "ip-dst", "domain|ip", "ip-src|port", "ip-dst|port"],
            Group::Domain => &["domain", "hostname", "domain|ip", "hostname|port"],
            Group::Url => &["url", "uri", "link"],
            Group::Email => &["email", "email-src", "email-dst", "email-reply-to", "target-email"],
            Group::Hash => &[
                "md5",
                "sha1",
                "sha256",
                "sha512",
                "filename|md5",
                "filename|sha1",
                "filename|sha256",
                "filename|sha512",
                "x509-fingerprint-md5",
                "x509-fingerprint-sha1",
                "x509-fingerprint-sha256",
            ],
        };
        let mut stated = self.matching_attributes.iter();
        self.matching_attributes.is_empty() || stated.any(|a| names.contains(&a.as_str()))
    }
}

/// Warning lists in force.
#[derive(Clone, Debug)]
pub struct Warnings {
    hash: [u8; 32],
    heads: Vec<Head>,
    /// Entries that cannot be used.
    bad: u64,
    entries: u64,
    nets4: Prefixes<u32>,
    nets6: Prefixes<u128>,
    hostnames: Texts,
    strings: Texts,
    parts: Option<AhoCorasick>,
    part_lists: Vec<u32>,
    expressions: Vec<(Regex, u32)>,
}

#[derive(Clone, Debug)]
struct Head {
    name: String,
    groups: [bool; 5],
}

impl Default for Warnings {
    fn default() -> Self {
        Self::new(&[])
    }
}

#[derive(Default)]
struct Collected {
    nets4: Vec<(u32, u32, u32)>,
    nets6: Vec<(u128, u128, u32)>,
    hostnames: TextsBuilder,
    strings: TextsBuilder,
    parts: Vec<String>,
    part_lists: Vec<u32>,
    expressions: Vec<(Regex, u32)>,
    bad: u64,
    entries: u64,
}

impl Warnings {
    /// Puts warning lists in force; of two of one name both count.
    pub fn new(lists: &[WarningList]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"yagura warning lists 1");
        let mut all = Collected::default();
        let mut heads = Vec::new();
        for list in lists {
            hasher.update(blake3::hash(&list.encode()).as_bytes());
            let number = heads.len() as u32;
            for entry in &list.list {
                let fine = all.add(list.kind, entry.trim(), number);
                *(if fine { &mut all.entries } else { &mut all.bad }) += 1;
            }
            let groups = Group::ALL.map(|group| list.covers(group));
            heads.push(Head { name: list.name.clone(), groups });
        }
        let parts = AhoCorasick::builder().ascii_case_insensitive(true).build(&all.parts).ok();
        Self {
            hash: *hasher.finalize().as_bytes(),
            heads,
            bad: all.bad,
            entries: all.entries,
            nets4: Prefixes::new(all.nets4),
            nets6: Prefixes::new(all.nets6),
            hostnames: all.hostnames.build(),
            strings: all.strings.build(),
            parts: parts.filter(|_| !all.parts.is_empty()),
            part_lists: all.part_lists,
            expressions: all.expressions,
        }
    }

    /// The content address of all lists.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Names, by number.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.heads.iter().map(|head| head.name.as_str())
    }

    /// Lists, entries in use, and entries that could not be used.
    pub fn counts(&self) -> (usize, u64, u64) {
        (self.heads.len(), self.entries, self.bad)
    }

    /// The number of the first list that covers an indicator, or the value of an event that
    /// it hit.
    pub fn covers(&self, group: Group, indicator: &str, seen: &str) -> Option<usize> {
        if self.heads.is_empty() {
            return None;
        }
        let by_indicator = self.value(group, indicator);
        let by_seen = if seen == indicator { None } else { self.value(group, seen) };
        match (by_indicator, by_seen) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    fn value(&self, group: Group, value: &str) -> Option<usize> {
        let mut best: Option<u32> = None;
        let mut see = |list: u32| {
            let head = &self.heads[list as usize];
            if head.groups[group as usize] && best.is_none_or(|known| list < known) {
                best = Some(list);
            }
        };
        let lower = value.trim().to_ascii_lowercase();
        let mut memory = String::new();
        let mut host = None;
        let mut forms = vec![lower.as_str()];
        match group {
            Group::Ip | Group::Domain => host = Some(lower.trim_end_matches('.')),
            Group::Url => {
                if let Some(parts) = url::normal(value, None, &mut memory) {
                    host = Some(parts.host());
                    forms.push(parts.text);
                    forms.extend(parts.text.strip_suffix('/'));
                }
            }
            Group::Email | Group::Hash => {}
        }
        if let Some(host) = host {
            match network::cidr(host) {
                Some(net) => self.network(net, &mut see),
                None => match domain::as_address(host) {
                    Some(ip) => self.address(ip, &mut see),
                    None => {
                        each_parent(host, |name, hash| {
                            self.hostnames.find(name.as_bytes(), hash).for_each(&mut see);
                        });
                    }
                },
            }
        }
        for form in &forms {
            let hash = Backwards::of(form.as_bytes());
            self.strings.find(form.as_bytes(), hash).for_each(&mut see);
        }
        if let Some(parts) = &self.parts {
            let found = parts.find_overlapping_iter(&lower);
            found.for_each(|at| see(self.part_lists[at.pattern().as_usize()]));
        }
        for (expression, list) in &self.expressions {
            if expression.is_match(value) {
                see(*list);
            }
        }
        best.map(|list| list as usize)
    }

    fn address(&self, ip: IpAddr, see: &mut impl FnMut(u32)) {
        match ip {
            IpAddr::V4(ip) => {
                let around = self.nets4.around(u32::from(ip));
                around.for_each(|(_, _, lists)| lists.iter().copied().for_each(&mut *see));
            }
            IpAddr::V6(ip) => {
                let around = self.nets6.around(u128::from(ip));
                around.for_each(|(_, _, lists)| lists.iter().copied().for_each(&mut *see));
            }
        }
    }

    /// A network is covered by one that it lies in.
    fn network(&self, net: network::Network, see: &mut impl FnMut(u32)) {
        if let Some((first, last)) = net.v4() {
            let around = self.nets4.around(first).filter(|(_, end, _)| *end >= last);
            around.for_each(|(_, _, lists)| lists.iter().copied().for_each(&mut *see));
        }
        if let Some((first, last)) = net.v6() {
            let around = self.nets6.around(first).filter(|(_, end, _)| *end >= last);
            around.for_each(|(_, _, lists)| lists.iter().copied().for_each(&mut *see));
        }
    }
}

/// Calls `take` with a name and each of its parents, and their hashes.
fn each_parent(name: &str, mut take: impl FnMut(&str, u64)) {
    let mut hash = Backwards::new();
    for (at, byte) in name.bytes().enumerate().rev() {
        if byte == b'.' {
            take(&name[at + 1..], hash.get());
        }
        hash.push(byte);
    }
    take(name, hash.get());
}

impl Collected {
    /// Takes an entry; false for one that covers nothing, or everything.
    fn add(&mut self, kind: WarningKind, entry: &str, list: u32) -> bool {
        if entry.is_empty() {
            return false;
        }
        match kind {
            WarningKind::Cidr => self.cidr(entry, list),
            WarningKind::Hostname => {
                let name = entry.to_lowercase();
                let name = name.trim_start_matches("*.").trim_matches('.');
                !name.is_empty() && self.hostnames.push(name, list)
            }
            WarningKind::String => {
                let text = entry.to_lowercase();
                match text.strip_prefix('.') {
                    Some(name) => self.strings.push(name, list) && self.hostnames.push(name, list),
                    None => self.strings.push(&text, list),
                }
            }
            WarningKind::Substring => {
                self.parts.push(entry.to_owned());
                self.part_lists.push(list);
                true
            }
            WarningKind::Regex => match expression(entry) {
                Some(regex) => {
                    self.expressions.push((regex, list));
                    true
                }
                None => false,
            },
        }
    }

    fn cidr(&mut self, entry: &str, list: u32) -> bool {
        let one = || {
            let ip = network::address(entry)?;
            network::Network::new(ip, if ip.is_ipv4() { 32 } else { 128 })
        };
        let Some(net) = network::cidr(entry).or_else(one).filter(|net| net.len > 0) else {
            return false;
        };
        self.nets4.extend(net.v4().map(|(first, last)| (first, last, list)));
        self.nets6.extend(net.v6().map(|(first, last)| (first, last, list)));
        true
    }
}

/// An expression, written `/.../flags` or bare.
fn expression(entry: &str) -> Option<Regex> {
    let (body, flags) = match entry.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')) {
        Some((body, flags)) => (body, flags),
        None => (entry, ""),
    };
    RegexBuilder::new(body)
        .case_insensitive(flags.contains('i'))
        .size_limit(REGEX_BYTES_MAX)
        .build()
        .ok()
}
