//! The indicators in force: compact tables, built once, shared by every worker.

use crate::digest;
use crate::fuse::Fuse;
use crate::kind::{Group, Kind};
use crate::list::{List, ListError, Statement};
use crate::matcher::Lane;
use crate::network::Network;
use crate::prefix::Prefixes;
use crate::table::{Backwards, Exact, Texts, TextsBuilder};
use crate::value::Value;
use crate::warning::Warnings;
use std::collections::BTreeMap;
use std::net::IpAddr;
use yagura_event::{Level, Micros};

/// Most indicators in force, ten times what is planned for: about half a gigabyte. More are
/// refused by [`Indicators::new`].
pub const INDICATORS_MAX: u64 = 10_000_000;

/// Most lists in force; each is a rule or several.
pub const LISTS_MAX: usize = 10_000;

/// No rule.
pub(crate) const NO_RULE: u32 = u32::MAX;

/// What a match of indicators names as its rule: one list, kind and level.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IndicatorRule {
    /// `intel:<list>:<group>:<level>`; `intel:warninglist:<name>` for suppressed hits.
    pub id: String,
    /// For people.
    pub title: String,
    /// Level of its matches.
    pub level: Level,
    /// Whether matches become findings; false for hits that a warning list covers.
    pub finding: bool,
}

/// Why a set cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Too many indicators or too much text.
    #[error(
        "{0} indicators in all are more than {INDICATORS_MAX}, or their text is more than 4 GiB; remove lists"
    )]
    TooMany(u64),
    /// Too many lists.
    #[error("{0} lists are more than {LISTS_MAX}; join some")]
    TooManyLists(usize),
    /// A list's canonical form is damaged.
    #[error("list {0}: {1}")]
    List(String, ListError),
}

/// A [`Statement`] in force.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub list: u32,
    pub from: Micros,
    pub until: Micros,
    pub name: Box<str>,
    /// Rule by group.
    pub rules: [u32; 5],
}

/// Indicators and warning lists in force.
pub struct Indicators {
    hash: [u8; 16],
    counts: BTreeMap<Kind, u64>,
    pub(crate) lists: Vec<String>,
    pub(crate) said: Vec<Said>,
    pub(crate) rules: Vec<IndicatorRule>,
    /// Rules of suppressed hits, by warning list.
    pub(crate) suppressed: Vec<u32>,
    pub(crate) warnings: Warnings,
    pub(crate) v4: Exact<u32>,
    pub(crate) v6: Exact<u128>,
    pub(crate) nets4: Prefixes<u32>,
    pub(crate) nets6: Prefixes<u128>,
    pub(crate) domains: Texts,
    pub(crate) urls: Texts,
    /// Hosts and ports of all URLs: most events' URLs end here.
    pub(crate) sites: Fuse,
    pub(crate) emails: Texts,
    pub(crate) md5: Exact<[u8; 16]>,
    pub(crate) sha1: Exact<[u8; 20]>,
    pub(crate) sha256: Exact<[u8; 32]>,
    pub(crate) sha512: Exact<[u8; 64]>,
    /// By column: what is looked for in it.
    pub(crate) lanes: Box<[Lane]>,
}

#[derive(Default)]
struct Parts {
    said: Vec<Said>,
    levels: Vec<Level>,
    lists: Vec<String>,
    rules: Vec<IndicatorRule>,
    by_id: BTreeMap<String, u32>,
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u32)>,
    nets4: Vec<(u32, u32, u32)>,
    nets6: Vec<(u128, u128, u32)>,
    domains: TextsBuilder,
    urls: TextsBuilder,
    sites: Vec<u64>,
    emails: TextsBuilder,
    md5: Vec<([u8; 16], u32)>,
    sha1: Vec<([u8; 20], u32)>,
    sha256: Vec<([u8; 32], u32)>,
    sha512: Vec<([u8; 64], u32)>,
    full: bool,
}

impl Indicators {
    /// Puts lists in force, with the warning lists that suppress their hits.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn new(lists: &[List], warnings: Warnings) -> Result<Self, BuildError> {
        let total: u64 = lists.iter().map(List::count).sum();
        if total > INDICATORS_MAX {
            return Err(BuildError::TooMany(total));
        }
        if lists.len() > LISTS_MAX {
            return Err(BuildError::TooManyLists(lists.len()));
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"yagura intel 1");
        let mut parts = Parts::default();
        for list in lists {
            let content = list.encode();
            hasher.update(blake3::hash(&content).as_bytes());
            parts.add(list).map_err(|error| BuildError::List(list.name.clone(), error))?;
        }
        if parts.full {
            return Err(BuildError::TooMany(total));
        }
        hasher.update(&warnings.hash());
        let mut hash = [0u8; 16];
        hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        let suppressed = warnings.names().map(|name| parts.warning_rule(name)).collect();
        Ok(parts.build(hash, warnings, suppressed))
    }

    /// The content address of all lists.
    pub fn hash(&self) -> [u8; 16] {
        self.hash
    }

    /// What matches name as their rule.
    pub fn rules(&self) -> &[IndicatorRule] {
        &self.rules
    }

    /// The warning lists.
    pub fn warnings(&self) -> &Warnings {
        &self.warnings
    }

    /// Distinct indicators by kind.
    pub fn counts(&self) -> &BTreeMap<Kind, u64> {
        &self.counts
    }

    /// Distinct indicators.
    pub fn count(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Bytes of memory of the tables.
    pub fn bytes(&self) -> usize {
        let said: usize = self.said.iter().map(|said| size_of::<Said>() + said.name.len()).sum();
        said + self.v4.bytes()
            + self.v6.bytes()
            + self.nets4.bytes()
            + self.nets6.bytes()
            + self.domains.bytes()
            + self.urls.bytes()
            + self.sites.bytes()
            + self.emails.bytes()
            + self.md5.bytes()
            + self.sha1.bytes()
            + self.sha256.bytes()
            + self.sha512.bytes()
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.said.is_empty() && self.suppressed.is_empty()
    }
}

impl Parts {
    fn add(&mut self, list: &List) -> Result<(), ListError> {
        let number = self.lists.len() as u32;
        self.lists.push(list.name.clone());
        let base = self.said.len() as u32;
        for Statement { level, from, until, name } in list.statements() {
            self.levels.push(*level);
            self.said.push(Said {
                list: number,
                from: from.unwrap_or(Micros::MIN),
                until: until.unwrap_or(Micros::MAX),
                name: name.as_str().into(),
                rules: [NO_RULE; 5],
            });
        }
        list.each(|kind, statement, text| {
            let said = base + statement;
            self.rule(said, kind.group());
            self.value(kind, text, said);
        })
    }

    /// Makes sure that a statement has a rule for a group.
    fn rule(&mut self, said: u32, group: Group) {
        let at = said as usize;
        if self.said[at].rules[group as usize] != NO_RULE {
            return;
        }
        let level = self.levels[at];
        let list = &self.lists[self.said[at].list as usize];
        let id = format!("intel:{list}:{}:{}", group.word(), level.word());
        let title = format!("{} on indicator list {list}", group.title());
        let rule = self.rule_of(IndicatorRule { id, title, level, finding: true });
        self.said[at].rules[group as usize] = rule;
    }

    fn warning_rule(&mut self, name: &str) -> u32 {
        self.rule_of(IndicatorRule {
            id: format!("intel:warninglist:{name}"),
            title: format!("Indicator hit suppressed by warning list {name}"),
            level: Level::Informational,
            finding: false,
        })
    }

    fn rule_of(&mut self, rule: IndicatorRule) -> u32 {
        let next = self.rules.len() as u32;
        let number = *self.by_id.entry(rule.id.clone()).or_insert(next);
        if number == next {
            self.rules.push(rule);
        }
        number
    }

    fn value(&mut self, kind: Kind, text: &str, said: u32) {
        let bytes = text.as_bytes();
        let fits = match kind {
            Kind::Ipv4 | Kind::Ipv6 => {
                match text.parse() {
                    Ok(IpAddr::V4(ip)) => self.v4.push((u32::from(ip), said)),
                    Ok(IpAddr::V6(ip)) => self.v6.push((u128::from(ip), said)),
                    Err(_) => {}
                }
                true
            }
            Kind::Network => {
                if let Some(Value::Network(net)) = Value::of(kind, text) {
                    self.network(net, said);
                }
                true
            }
            Kind::Domain => self.domains.push(text, said),
            Kind::Email => self.emails.push(text, said),
            Kind::Url => {
                let site = text.find(['/', '?']).map_or(text, |end| &text[..end]);
                self.sites.push(Backwards::of(site.as_bytes()));
                self.urls.push(text, said)
            }
            Kind::Md5 => add(&mut self.md5, digest::hex(bytes), said),
            Kind::Sha1 => add(&mut self.sha1, digest::hex(bytes), said),
            Kind::Sha256 => add(&mut self.sha256, digest::hex(bytes), said),
            Kind::Sha512 => add(&mut self.sha512, digest::hex(bytes), said),
        };
        self.full |= !fits;
    }

    fn network(&mut self, net: Network, said: u32) {
        if let Some((first, last)) = net.v4() {
            self.nets4.push((first, last, said));
        }
        if let Some((first, last)) = net.v6() {
            self.nets6.push((first, last, said));
        }
    }

    fn build(self, hash: [u8; 16], warnings: Warnings, suppressed: Vec<u32>) -> Indicators {
        let mut set = Indicators {
            hash,
            counts: BTreeMap::new(),
            lists: self.lists,
            said: self.said,
            rules: self.rules,
            suppressed,
            warnings,
            v4: Exact::new(self.v4),
            v6: Exact::new(self.v6),
            nets4: Prefixes::new(self.nets4),
            nets6: Prefixes::new(self.nets6),
            domains: self.domains.build(),
            urls: self.urls.build(),
            sites: Fuse::new(self.sites),
            emails: self.emails.build(),
            md5: Exact::new(self.md5),
            sha1: Exact::new(self.sha1),
            sha256: Exact::new(self.sha256),
            sha512: Exact::new(self.sha512),
            lanes: Lane::all(),
        };
        let counts = [
            (Kind::Ipv4, set.v4.count()),
            (Kind::Ipv6, set.v6.count()),
            (Kind::Network, set.nets4.count() + set.nets6.count()),
            (Kind::Domain, set.domains.count()),
            (Kind::Url, set.urls.count()),
            (Kind::Email, set.emails.count()),
            (Kind::Md5, set.md5.count()),
            (Kind::Sha1, set.sha1.count()),
            (Kind::Sha256, set.sha256.count()),
            (Kind::Sha512, set.sha512.count()),
        ];
        set.counts = counts
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(kind, count)| (kind, count as u64))
            .collect();
        set
    }
}

fn add<K>(to: &mut Vec<(K, u32)>, key: Option<K>, said: u32) -> bool {
    to.extend(key.map(|key| (key, said)));
    true
}
