//! Which entities a finding is about, and in what part.

use crate::entity::{Entity, EntityKind};
use crate::graph::{Facet, Graph};
use crate::params::{RARITY_SCALE, TOUCHES_MAX, rarity};
use std::collections::{BTreeMap, BTreeSet};
use yagura_event::{Finding, ObservableKind, Role};

/// An entity in a finding.
#[derive(Clone, PartialEq, Debug)]
pub struct Touch {
    /// The entity.
    pub entity: Entity,
    /// Its most telling part: acting before acted on.
    pub role: Role,
    /// Whether the finding happened *on* it (hosts), not merely on its network.
    pub on: bool,
    /// How many entities of its kind have this part in the finding, itself included.
    pub fan: usize,
    /// How telling it is where two findings share it, from 0 to 1.
    pub telling: f64,
    /// How telling it is as an end of a relation.
    pub ends: Ends,
}

/// How telling an entity is as an end of a relation, by what the relation means, from 0 to 1.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ends {
    /// Of a session or log-on.
    pub logon: f64,
    /// Of a name and its address.
    pub name: f64,
    /// Of a connection.
    pub connected: f64,
    /// Of anything else.
    pub other: f64,
}

impl Ends {
    fn of(entity: &Entity, graph: &Graph) -> Self {
        let user = entity.kind == EntityKind::User;
        let by = |facet: Facet| {
            let facet = if user { Facet::Who } else { facet };
            rarity(graph.degree(entity, facet), RARITY_SCALE)
        };
        let shared = graph.not_shared(graph.degree(entity, Facet::ClientsInside));
        Self {
            logon: by(Facet::On),
            name: by(Facet::Names),
            connected: by(Facet::Clients) * shared,
            other: by(Facet::Clients),
        }
    }
}

/// How telling an entity is for tying findings that share it: by its partners in the sense in
/// which the finding is about it.
fn telling(entity: &Entity, role: Role, on: bool, inward: bool, graph: &Graph) -> f64 {
    let by = |facet| rarity(graph.degree(entity, facet), RARITY_SCALE);
    match entity.kind {
        EntityKind::User => by(Facet::Who),
        EntityKind::Host if on => by(Facet::On),
        EntityKind::Host if role == Role::Source && inward => by(Facet::On),
        EntityKind::Host if role == Role::Source => graph.own_traffic(entity),
        EntityKind::Host => by(Facet::Clients),
        EntityKind::Ip if role == Role::Source && entity.is_outside() => 1.0,
        EntityKind::Ip if role == Role::Source => graph.own_traffic(entity),
        EntityKind::Ip | EntityKind::Domain => {
            by(Facet::Clients) * graph.not_shared(graph.degree(entity, Facet::ClientsInside))
        }
    }
}

/// The entities of a finding, sorted, each once, at most [`TOUCHES_MAX`].
pub fn touches(finding: &Finding, graph: &Graph) -> Vec<Touch> {
    let mut roles: BTreeMap<Entity, Role> = BTreeMap::new();
    let when = finding.last_time;
    let inbound = inbound(finding, graph);
    let watchers = watchers(finding, graph);
    for party in &finding.parties {
        let used = party.role == Role::Object;
        let names_traffic =
            matches!(party.observable.kind, ObservableKind::Domain | ObservableKind::Url);
        if used && (!names_traffic || inbound) {
            continue;
        }
        let Some(entity) = graph.entity(&party.observable, when) else { continue };
        if used && entity.kind == EntityKind::Host {
            continue;
        }
        if party.role == Role::Device && watchers.contains(&entity) {
            continue;
        }
        let role = roles.entry(entity).or_insert(party.role);
        if rank(party.role) < rank(*role) {
            *role = party.role;
        }
    }
    let mut fans: BTreeMap<(EntityKind, u8), usize> = BTreeMap::new();
    for (entity, role) in &roles {
        *fans.entry((entity.kind, rank(*role))).or_default() += 1;
    }
    let inward = inward(roles.iter().map(|(entity, role)| (entity, *role)));
    let mut list: Vec<Touch> = roles
        .into_iter()
        .map(|(entity, role)| {
            let fan = fans.get(&(entity.kind, rank(role))).copied().unwrap_or(1);
            let on = entity.kind == EntityKind::Host && matches!(role, Role::Device | Role::Actor);
            let telling = telling(&entity, role, on, inward, graph);
            let ends = Ends::of(&entity, graph);
            Touch { entity, role, on, fan, telling, ends }
        })
        .collect();
    if list.len() > TOUCHES_MAX {
        list.sort_by(|a, b| a.fan.cmp(&b.fan).then_with(|| a.entity.cmp(&b.entity)));
        list.truncate(TOUCHES_MAX);
        list.sort_by(|a, b| a.entity.cmp(&b.entity));
    }
    list
}

/// Whether all that the finding's traffic reached is inside: a relay stands between others and
/// the outside, so what it does inside is its own.
pub fn inward<'a>(mut parties: impl Iterator<Item = (&'a Entity, Role)> + Clone) -> bool {
    let ends = |(_, role): &(&Entity, Role)| matches!(role, Role::Destination | Role::Object);
    let mut reached = parties.clone().filter(ends);
    parties.any(|party| ends(&party)) && reached.all(|(entity, _)| !entity.is_outside())
}

/// Devices that only watched: in every record that names them they are neither end of traffic
/// that began inside or ended inside, nothing ran on them and nobody logged on. A sensor, a
/// firewall or a proxy is not where it happened.
fn watchers(finding: &Finding, graph: &Graph) -> BTreeSet<Entity> {
    let mut watched = BTreeSet::new();
    let mut took_part = BTreeSet::new();
    for sample in &finding.samples {
        let list = |pick: &dyn Fn(Role, ObservableKind) -> bool| -> BTreeSet<Entity> {
            sample
                .parties
                .iter()
                .filter(|p| pick(p.role, p.observable.kind))
                .filter_map(|p| graph.entity(&p.observable, sample.time))
                .collect()
        };
        let devices = list(&|role, kind| role == Role::Device && kind == ObservableKind::Host);
        let sources = list(&|role, kind| role == Role::Source && kind != ObservableKind::User);
        let ends = list(&|role, kind| {
            role == Role::Destination
                || (role == Role::Object
                    && matches!(kind, ObservableKind::Domain | ObservableKind::Url))
        });
        let local = sample.parties.iter().any(|p| {
            p.role == Role::Target
                || matches!(
                    p.observable.kind,
                    ObservableKind::Process | ObservableKind::CommandLine | ObservableKind::File
                )
        });
        let inside = |set: &BTreeSet<Entity>| set.iter().any(|e| !e.is_outside());
        let passes = !sources.is_empty() && !ends.is_empty() && (inside(&sources) || inside(&ends));
        for device in devices {
            let end = sources.contains(&device) || ends.contains(&device);
            if passes && !local && !end {
                watched.insert(device);
            } else {
                took_part.insert(device);
            }
        }
    }
    watched.difference(&took_part).cloned().collect()
}

/// Whether all traffic of the finding came from outside: the names it asked for are one's own.
fn inbound(finding: &Finding, graph: &Graph) -> bool {
    let mut sources = finding
        .parties
        .iter()
        .filter(|p| p.role == Role::Source)
        .filter_map(|p| graph.entity(&p.observable, finding.last_time))
        .peekable();
    sources.peek().is_some() && sources.all(|entity| entity.is_outside())
}

fn rank(role: Role) -> u8 {
    match role {
        Role::Device => 0,
        Role::Actor => 1,
        Role::Source => 2,
        Role::Target => 3,
        Role::Destination => 4,
        Role::Object => 5,
    }
}
