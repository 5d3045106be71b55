//! What relations say: which address is whose, who is tied to whom, and how common each is.

use crate::account::is_builtin;
use crate::entity::{Entity, EntityKind, inside_host, is_internal, names_a_machine, url_host};
use crate::params::{PARTNERS_MAX, TIE_SLACK};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use yagura_event::time::Micros;
use yagura_event::{Observable, ObservableKind, RelationKind};

/// A relation with the time over which it was seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tie {
    /// How the two are tied.
    pub kind: RelationKind,
    /// The one that has, resolves, logs on or connects.
    pub from: Observable,
    /// The other.
    pub to: Observable,
    /// First time seen.
    pub first: Micros,
    /// Last time seen.
    pub last: Micros,
    /// How often.
    pub count: u64,
}

/// In which sense an entity's partners are counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Facet {
    /// Hosts: accounts with a session on it.
    On,
    /// Accounts: hosts and addresses they have sessions on or log on from.
    Who,
    /// Hosts, addresses, domains: those that connect to it.
    Clients,
    /// The same, only from inside.
    ClientsInside,
    /// Hosts: outside addresses and domains it connects to.
    Outwards,
    /// Addresses: names that resolve to it; names: addresses they resolve to.
    Names,
}

impl Facet {
    /// The word in the judge's store.
    pub fn word(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Who => "who",
            Self::Clients => "clients",
            Self::ClientsInside => "clients_inside",
            Self::Outwards => "outwards",
            Self::Names => "names",
        }
    }
}

/// A relation's kind with the first and last time it was seen.
type Span = (RelationKind, Micros, Micros);

#[derive(Clone, Debug)]
struct Holder {
    name: String,
    first: Micros,
    last: Micros,
    count: u64,
}

/// Relations of one tenant and window, resolved to entities.
///
/// Built from any order of ties with the same result.
#[derive(Default, Debug)]
pub struct Graph {
    holders: HashMap<String, Vec<Holder>>,
    inside_of: HashMap<String, BTreeSet<String>>,
    resolved: HashMap<String, BTreeSet<String>>,
    partners: HashMap<Entity, BTreeMap<Facet, BTreeSet<String>>>,
    pairs: BTreeMap<Entity, BTreeMap<Entity, Vec<Span>>>,
    hosts: BTreeSet<String>,
}

impl Graph {
    /// Reads the ties: first who has which address, then everything else in those terms.
    pub fn new(ties: &[Tie]) -> Self {
        let mut graph = Self::default();
        for tie in ties {
            graph.add_alias(tie);
        }
        for list in graph.holders.values_mut() {
            list.sort_by(|a, b| a.name.cmp(&b.name).then(a.first.cmp(&b.first)));
        }
        for tie in ties {
            graph.add_tie(tie);
        }
        for list in graph.pairs.values_mut().flat_map(BTreeMap::values_mut) {
            list.sort_unstable_by_key(|(kind, first, last)| (kind.word(), *first, *last));
            list.dedup();
        }
        graph
    }

    /// The entity an observable means at a time; `None` for what is not an entity: processes,
    /// files, accounts of the operating system, addresses that name no one machine.
    pub fn entity(&self, observable: &Observable, time: Micros) -> Option<Entity> {
        let value = observable.value.as_str();
        match observable.kind {
            ObservableKind::Host => Some(Entity::new(EntityKind::Host, value))
                .filter(|_| !matches!(value, "localhost" | "localhost6")),
            ObservableKind::Ip => self.address(value, time),
            ObservableKind::User => {
                (!is_builtin(value)).then(|| Entity::new(EntityKind::User, value))
            }
            ObservableKind::Domain => self.domain(value, time),
            ObservableKind::Url => self.entity(&url_host(value)?, time),
            _ => None,
        }
    }

    /// How many distinct partners an entity has, at most [`PARTNERS_MAX`].
    pub fn degree(&self, entity: &Entity, facet: Facet) -> usize {
        self.partners.get(entity).and_then(|f| f.get(&facet)).map_or(0, BTreeSet::len)
    }

    /// How many hosts of the tenant are known to have addresses.
    pub fn population(&self) -> usize {
        self.hosts.len()
    }

    /// How two entities are tied around the time between `from` and `to`, within
    /// [`TIE_SLACK`].
    pub fn ties(
        &self,
        a: &Entity,
        b: &Entity,
        from: Micros,
        to: Micros,
    ) -> impl Iterator<Item = RelationKind> {
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        self.pairs
            .get(a)
            .and_then(|others| others.get(b))
            .into_iter()
            .flatten()
            .filter(move |(_, first, last)| *first <= to + TIE_SLACK && *last >= from - TIE_SLACK)
            .map(|(kind, ..)| *kind)
    }

    /// Every tied pair, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&Entity, &Entity)> {
        self.pairs.iter().flat_map(|(a, others)| others.keys().map(move |b| (a, b)))
    }

    /// How much of a sign the host is as the source of traffic: 1 for a machine of its own
    /// traffic, near 0 for one that many others inside reach the outside through (a proxy,
    /// resolver or relay): what leaves it is somebody else's.
    pub fn own_traffic(&self, host: &Entity) -> f64 {
        let relayed =
            self.degree(host, Facet::ClientsInside).min(self.degree(host, Facet::Outwards));
        crate::params::rarity(relayed, crate::params::RARITY_SCALE) * self.not_shared(relayed)
    }

    /// `1 - (partners - 1) / population`: what everybody in the tenant uses tells nothing,
    /// however small the tenant. 1 where fewer than three use it.
    pub fn not_shared(&self, partners: usize) -> f64 {
        if partners < 3 {
            return 1.0;
        }
        let population = self.population().max(partners) as f64;
        1.0 - (partners as f64 - 1.0) / population
    }

    fn address(&self, value: &str, time: Micros) -> Option<Entity> {
        let ip: IpAddr = value.parse().ok()?;
        if !names_a_machine(ip) {
            return None;
        }
        if let Some(host) = self.holder(value, time) {
            return Some(Entity::new(EntityKind::Host, host));
        }
        if let Some(inside) = self.inside_of.get(value).filter(|set| set.len() == 1)
            && let Some(inside) = inside.first()
        {
            return Some(match self.holder(inside, time) {
                Some(host) => Entity::new(EntityKind::Host, host),
                None => Entity::new(EntityKind::Ip, inside),
            });
        }
        Some(Entity::new(EntityKind::Ip, value))
    }

    /// The host that had an address nearest to a time; the one seen most where several had.
    fn holder(&self, address: &str, time: Micros) -> Option<&str> {
        let gap = |h: &Holder| (h.first - time).max(time - h.last).max(0);
        self.holders
            .get(address)?
            .iter()
            .min_by_key(|h| (gap(h), std::cmp::Reverse(h.count)))
            .map(|h| h.name.as_str())
    }

    fn domain(&self, value: &str, time: Micros) -> Option<Entity> {
        if let Some(host) = inside_host(value) {
            return (host != "localhost").then(|| Entity::new(EntityKind::Host, host));
        }
        if value.ends_with(".arpa") {
            return None;
        }
        let inside =
            self.resolved.get(value).into_iter().flatten().find_map(|ip| {
                self.address(ip, time).filter(|entity| entity.kind == EntityKind::Host)
            });
        Some(inside.unwrap_or_else(|| Entity::new(EntityKind::Domain, value)))
    }

    fn add_alias(&mut self, tie: &Tie) {
        let (from, to) = (&tie.from, &tie.to);
        match tie.kind {
            RelationKind::HasAddress
                if from.kind == ObservableKind::Host
                    && to.kind == ObservableKind::Ip
                    && to.value.parse().is_ok_and(names_a_machine) =>
            {
                self.hosts.insert(from.value.clone());
                self.holders.entry(to.value.clone()).or_default().push(Holder {
                    name: from.value.clone(),
                    first: tie.first,
                    last: tie.last,
                    count: tie.count,
                });
            }
            RelationKind::Nat if from != to && from.kind == ObservableKind::Ip => {
                let inside = self.inside_of.entry(to.value.clone()).or_default();
                if inside.len() < 2 {
                    inside.insert(from.value.clone());
                }
            }
            RelationKind::Resolves if to.kind == ObservableKind::Ip => {
                let addresses = self.resolved.entry(from.value.clone()).or_default();
                if addresses.len() < PARTNERS_MAX {
                    addresses.insert(to.value.clone());
                }
            }
            _ => {}
        }
    }

    fn add_tie(&mut self, tie: &Tie) {
        let (Some(from), Some(to)) =
            (self.entity(&tie.from, tie.last), self.entity(&tie.to, tie.last))
        else {
            return;
        };
        if from == to {
            return;
        }
        match tie.kind {
            RelationKind::Session => {
                self.count(&to, Facet::On, &from);
                self.count(&from, Facet::Who, &to);
            }
            RelationKind::LogonFrom => self.count(&from, Facet::Who, &to),
            RelationKind::Connected => {
                self.count(&to, Facet::Clients, &from);
                let inside = match from.kind {
                    EntityKind::Host => true,
                    EntityKind::Ip => from.value.parse().is_ok_and(is_internal),
                    _ => false,
                };
                if inside {
                    self.count(&to, Facet::ClientsInside, &from);
                }
                if to.is_outside() {
                    self.count(&from, Facet::Outwards, &to);
                }
            }
            RelationKind::Resolves => {
                self.count(&from, Facet::Names, &to);
                self.count(&to, Facet::Names, &from);
            }
            RelationKind::FileFrom => {}
            RelationKind::HasAddress | RelationKind::Nat | RelationKind::Ran => return,
        }
        let (a, b) = if from <= to { (from, to) } else { (to, from) };
        let spans = self.pairs.entry(a).or_default().entry(b).or_default();
        spans.push((tie.kind, tie.first, tie.last));
    }

    fn count(&mut self, entity: &Entity, facet: Facet, partner: &Entity) {
        let facets = self.partners.entry(entity.clone()).or_default();
        let set = facets.entry(facet).or_default();
        if set.len() < PARTNERS_MAX {
            set.insert(partner.value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::sample::{host, ip, tie, user};
    use yagura_event::time::HOUR;

    #[test]
    fn addresses_become_the_hosts_that_have_them() {
        let graph = Graph::new(&[
            tie(RelationKind::HasAddress, host("ws1"), ip("10.0.0.7"), 0),
            tie(RelationKind::HasAddress, host("ws2"), ip("10.0.0.7"), 10 * HOUR),
            tie(RelationKind::HasAddress, host("web"), ip("10.0.9.1"), 0),
            tie(RelationKind::Nat, ip("10.0.9.1"), ip("198.51.100.9"), 0),
            tie(RelationKind::Nat, ip("10.0.0.7"), ip("198.51.100.1"), 0),
            tie(RelationKind::Nat, ip("10.0.0.8"), ip("198.51.100.1"), 0),
        ]);
        let at = |address, time| graph.entity(&ip(address), time).map(|e| e.value);
        assert_eq!(at("10.0.0.7", HOUR), Some("ws1".into()));
        assert_eq!(at("10.0.0.7", 9 * HOUR), Some("ws2".into()));
        assert_eq!(at("198.51.100.9", 0), Some("web".into()));
        assert_eq!(at("198.51.100.1", 0), Some("198.51.100.1".into()), "many behind one address");
        assert_eq!(at("127.0.0.1", 0), None);
        assert_eq!(graph.entity(&user("system"), 0), None);
    }

    #[test]
    fn a_proxy_has_little_traffic_of_its_own() {
        let mut ties = Vec::new();
        for n in 1..9 {
            let ws = format!("ws{n}");
            ties.push(tie(RelationKind::HasAddress, host(&ws), ip(&format!("10.0.0.{n}")), 0));
            ties.push(tie(RelationKind::Connected, host(&ws), host("proxy"), 0));
            ties.push(tie(
                RelationKind::Connected,
                host("proxy"),
                ip(&format!("203.0.113.{n}")),
                0,
            ));
            ties.push(tie(RelationKind::Connected, ip(&format!("198.51.100.{n}")), host("web"), 0));
        }
        let graph = Graph::new(&ties);
        let own = |name| graph.own_traffic(&Entity::new(EntityKind::Host, name));
        assert!(own("proxy") < 0.15, "{}", own("proxy"));
        assert!(own("web") > 0.99);
        assert!(own("ws1") > 0.99);
    }
}
