//! How strongly two findings belong to one story.
//!
//! ```text
//! strength = T(gap) x (1 - prod over {account, host, outside, outbreak} of (1 - s))
//! T(gap)   = 1 up to 6 h between the findings, falling linearly to 0 at 48 h
//! s shared = rarity(entity) x part x conflict / (fan in A x fan in B)^0.5
//! s tied   = kind x min(rarity of both ends) x conflict / (fan in A x fan in B)^0.5
//! rarity   = 1 / (1 + log2(1 + (partners - 1) / 8))
//! ```
//! An outbreak is one critical rule that hits several hosts at about the same time.
//! Per kind only the strongest path counts, so that ten weak reasons of one sort (two findings
//! both involve the resolver, the proxy and the domain controller) add up to nothing.
//!
//! *Partners* are counted by what the entity is to the findings: of a host on which both
//! happened, the accounts with sessions on it; of a host both reached over the network, its
//! clients; of an account, the hosts it uses; of an outside address or domain, its clients, and
//! what everybody in the tenant uses counts for nothing (`Graph::not_shared`). *Part* is 1
//! where both happened on the host, [`MIXED_FACTOR`] where one reached it over the network,
//! [`TARGET_FACTOR`] where both did; a host that many outside sources attack is hardly tied to
//! any of them (`rarity(sources)` with [`ASSAILANT_SCALE`]). *Conflict* halves a shared host's strength where both
//! findings name accounts and share none, and again where both name outside sources and share
//! none: different people's doings on one server are different stories. Accounts with names
//! that every machine has (`root`) tie nothing. The tenant itself is never a reason.

use crate::account::is_local;
use crate::entity::{Entity, EntityKind};
use crate::graph::Graph;
use crate::outcome::Outcome;
use crate::params::{
    ASSAILANT_SCALE, ATTACH_GAP, CONFLICT_FACTOR, EXPOSED, LINK_FLOOR, LINK_FULL, LINK_NONE,
    MIXED_FACTOR, OWN_OUTSIDE_MIN, TARGET_FACTOR, TIE_CONNECTED, TIE_LOGON, TIE_NAME, TIE_OUTBREAK,
    rarity,
};
use crate::reading::Reading;
use crate::touch::Touch;
use std::collections::{BTreeSet, HashMap};
use yagura_event::time::Micros;
use yagura_event::{Level, RelationKind, Role};

/// Why and how strongly two findings belong together.
#[derive(Clone, PartialEq, Debug)]
pub struct Link {
    /// From 0 to 1.
    pub strength: f64,
    /// The strongest path in words, such as `host web-1` or `user nina -> host fs-1 (session)`.
    pub via: String,
}

/// What links are judged against: the relations, and who attacks whom.
#[derive(Debug)]
pub struct Scene<'g> {
    /// The relations.
    pub graph: &'g Graph,
    assailants: HashMap<Entity, usize>,
}

impl<'g> Scene<'g> {
    /// Counts the outside sources of findings, medium or above, by the host they aim at.
    pub fn new(readings: &[Reading<'_>], graph: &'g Graph) -> Self {
        let mut sets: HashMap<Entity, BTreeSet<&str>> = HashMap::new();
        for reading in readings.iter().filter(|r| r.finding.level >= Level::Medium) {
            let outside = |t: &&Touch| t.role == Role::Source && t.entity.is_outside();
            for source in reading.touches.iter().filter(outside) {
                for host in reading.touches.iter().filter(|t| t.role == Role::Destination) {
                    sets.entry(host.entity.clone()).or_default().insert(&source.entity.value);
                }
            }
        }
        let assailants = sets.into_iter().map(|(host, set)| (host, set.len())).collect();
        Self { graph, assailants }
    }

    fn aimed(&self, host: &Entity) -> f64 {
        rarity(self.assailants.get(host).copied().unwrap_or(0), ASSAILANT_SCALE)
    }
}

/// The link between two findings; `None` below [`LINK_FLOOR`].
pub fn link(a: &Reading<'_>, b: &Reading<'_>, scene: &Scene<'_>) -> Option<Link> {
    let nearness = nearness(a, b);
    if nearness <= 0.0 {
        return None;
    }
    let mut best: [Option<Path<'_>>; 3] = [None; 3];
    let conflict = conflict(a, b);
    for x in &a.touches {
        for y in &b.touches {
            let Some(path) = path(x, y, (a, b), conflict, scene) else { continue };
            let slot = &mut best[slot(x, y)];
            if slot.is_none_or(|known| path.strength > known.strength) {
                *slot = Some(path);
            }
        }
    }
    let apart: f64 = best.iter().flatten().map(|p| 1.0 - p.strength).product();
    let alike = if is_outbreak(a, b) { TIE_OUTBREAK } else { 0.0 };
    let strength = nearness * (1.0 - apart * (1.0 - alike));
    let strongest = best.iter().flatten().max_by(|p, q| p.strength.total_cmp(&q.strength));
    let via = match strongest {
        Some(path) if path.strength >= alike => path.words(),
        _ => format!("rule {}", a.finding.title),
    };
    (strength >= LINK_FLOOR).then_some(Link { strength, via })
}

/// Whether two findings are of one critical rule at about the same time: what hits several hosts at
/// once is one story.
fn is_outbreak(a: &Reading<'_>, b: &Reading<'_>) -> bool {
    a.finding.level == Level::Critical
        && !a.lead
        && a.finding.rule == b.finding.rule
        && gap(a, b) <= ATTACH_GAP
}

/// Time between two findings, 0 where they overlap.
fn gap(a: &Reading<'_>, b: &Reading<'_>) -> Micros {
    let (a, b) = (a.finding, b.finding);
    (b.first_time - a.last_time).max(a.first_time - b.last_time).max(0)
}

/// One way from finding to finding.
#[derive(Clone, Copy)]
struct Path<'x> {
    strength: f64,
    from: &'x Entity,
    to: &'x Entity,
    tie: Option<RelationKind>,
}

impl Path<'_> {
    fn words(&self) -> String {
        let (from, to) = (self.from, self.to);
        let name = format!("{} {}", from.kind.word(), from.value);
        match self.tie {
            None => name,
            Some(kind) => format!("{name} - {} {} ({})", to.kind.word(), to.value, kind.word()),
        }
    }
}

/// 1 up to [`LINK_FULL`] between the two, 0 from [`LINK_NONE`] on, linear between.
pub fn nearness(a: &Reading<'_>, b: &Reading<'_>) -> f64 {
    let beyond = (gap(a, b) - LINK_FULL).max(0) as f64;
    (1.0 - beyond / (LINK_NONE - LINK_FULL) as f64).max(0.0)
}

type Pair<'x, 'f> = (&'x Reading<'f>, &'x Reading<'f>);

fn path<'x>(
    x: &'x Touch,
    y: &'x Touch,
    pair: Pair<'_, '_>,
    conflict: f64,
    scene: &Scene<'_>,
) -> Option<Path<'x>> {
    let (strength, tie) = if x.entity == y.entity {
        (shared(x, y, conflict, scene), None)
    } else {
        let exposed = exposed(x, y, pair, scene.graph);
        let (kind, factor) = match exposed {
            true => (RelationKind::Session, TIE_LOGON),
            false => tie(&x.entity, &y.entity, pair, scene.graph)?,
        };
        let conflict = if exposed { 1.0 } else { conflict };
        let end = |touch: &Touch| match kind {
            RelationKind::Session | RelationKind::LogonFrom => touch.ends.logon,
            RelationKind::Resolves => touch.ends.name,
            RelationKind::Connected => touch.ends.connected,
            _ => touch.ends.other,
        };
        (factor * end(x).min(end(y)) * conflict, Some(kind))
    };
    let fan = ((x.fan.max(1) * y.fan.max(1)) as f64).sqrt();
    let strength = strength / fan;
    (strength >= LINK_FLOOR).then_some(Path { strength, from: &x.entity, to: &y.entity, tie })
}

/// Whether one finding is what an attacker ran on a host and the other, later, is by an account
/// that had a session on that host: its credentials may be taken there. That the two name
/// different accounts is then no sign against it.
fn exposed(x: &Touch, y: &Touch, pair: Pair<'_, '_>, graph: &Graph) -> bool {
    let (host, account, (there, later)) = match (x.entity.kind, y.entity.kind) {
        (EntityKind::Host, EntityKind::User) => (x, y, pair),
        (EntityKind::User, EntityKind::Host) => (y, x, (pair.1, pair.0)),
        _ => return false,
    };
    let (from, to) = (there.finding.first_time, later.finding.last_time);
    host.on
        && there.ran
        && there.outcome == Outcome::Succeeded
        && !is_local(&account.entity.value)
        && later.finding.last_time >= from
        && later.finding.first_time - there.finding.last_time <= EXPOSED
        && graph
            .ties(&host.entity, &account.entity, from - EXPOSED, to)
            .any(|kind| kind == RelationKind::Session)
}

/// Whether a lead is by the doer of a conjunction: the one account it names (a local one on the
/// same host), or an outside address or domain that few use, no more than [`ATTACH_GAP`] apart.
pub fn same_doer(lead: &Reading<'_>, other: &Reading<'_>) -> bool {
    if gap(lead, other) > ATTACH_GAP {
        return false;
    }
    let theirs = |t: &Touch| other.touches.iter().find(|o| o.entity == t.entity);
    let users: Vec<&Touch> =
        lead.touches.iter().filter(|t| t.entity.kind == EntityKind::User).collect();
    match users.as_slice() {
        [] => {}
        [user] => {
            let same_host = || lead.touches.iter().any(|t| t.on && theirs(t).is_some_and(|o| o.on));
            let known = theirs(user).is_some_and(|o| o.role != Role::Target || is_done(other));
            return known && (!is_local(&user.entity.value) || same_host());
        }
        _ => return false,
    }
    lead.touches.iter().any(|t| {
        let rare = t.role == Role::Source || t.telling >= OWN_OUTSIDE_MIN;
        t.entity.is_outside() && rare && t.fan == 1 && theirs(t).is_some()
    })
}

fn is_done(reading: &Reading<'_>) -> bool {
    reading.outcome == Outcome::Succeeded
}

fn shared(x: &Touch, y: &Touch, conflict: f64, scene: &Scene<'_>) -> f64 {
    let acts = |t: &Touch| t.on || t.role == Role::Source;
    let rare = x.telling.min(y.telling);
    match x.entity.kind {
        EntityKind::User if is_local(&x.entity.value) => 0.0,
        EntityKind::User | EntityKind::Domain => rare,
        EntityKind::Ip if x.entity.is_outside() => rare,
        // An inside address whose name is not known is a host all the same.
        EntityKind::Host | EntityKind::Ip => match (acts(x), acts(y)) {
            (true, true) => rare * conflict,
            (false, false) => rare * TARGET_FACTOR * conflict,
            (acting, _) => {
                let actor = if acting { x } else { y };
                let aimed = scene.aimed(&x.entity);
                actor.telling * MIXED_FACTOR * aimed * conflict
            }
        },
    }
}

fn tie(x: &Entity, y: &Entity, pair: Pair<'_, '_>, graph: &Graph) -> Option<(RelationKind, f64)> {
    if [x, y].iter().any(|e| e.kind == EntityKind::User && is_local(&e.value)) {
        return None;
    }
    let (a, b) = (pair.0.finding, pair.1.finding);
    let from = a.first_time.min(b.first_time);
    let to = a.last_time.max(b.last_time);
    graph
        .ties(x, y, from, to)
        .filter_map(|kind| {
            let factor = match kind {
                RelationKind::Session | RelationKind::LogonFrom => TIE_LOGON,
                RelationKind::Resolves | RelationKind::FileFrom => TIE_NAME,
                RelationKind::Connected => TIE_CONNECTED,
                _ => return None,
            };
            Some((kind, factor))
        })
        .max_by(|p, q| p.1.total_cmp(&q.1).then(p.0.word().cmp(q.0.word())))
}

/// See the module: 1, or halved for accounts and for outside sources named by both, none shared.
/// Where one finding happened on the host that is the other's source, the sources follow each
/// other instead of contradicting.
fn conflict(a: &Reading<'_>, b: &Reading<'_>) -> f64 {
    let users = |t: &&Touch| t.entity.kind == EntityKind::User;
    let sources = |t: &&Touch| t.role == Role::Source && t.entity.kind != EntityKind::User;
    let mut factor = 1.0;
    let pivot = pivots(a, b) || pivots(b, a);
    for disjoint in [disjoint(a, b, users), !pivot && disjoint(a, b, sources)] {
        if disjoint {
            factor *= CONFLICT_FACTOR;
        }
    }
    factor
}

fn pivots(there: &Reading<'_>, from: &Reading<'_>) -> bool {
    let source = |t: &Touch| t.role == Role::Source && t.entity.kind == EntityKind::Host;
    let on = |host: &Entity| there.touches.iter().any(|t| t.on && t.entity == *host);
    from.touches.iter().any(|t| source(t) && on(&t.entity))
}

fn disjoint(a: &Reading<'_>, b: &Reading<'_>, pick: impl Fn(&&Touch) -> bool) -> bool {
    let left: Vec<&Entity> = a.touches.iter().filter(&pick).map(|t| &t.entity).collect();
    let mut right = b.touches.iter().filter(&pick).map(|t| &t.entity).peekable();
    !left.is_empty() && right.peek().is_some() && !right.any(|entity| left.contains(&entity))
}

/// Paths of one sort compete: through accounts, through hosts, through the outside.
fn slot(x: &Touch, y: &Touch) -> usize {
    let sort = |t: &Touch| match t.entity.kind {
        EntityKind::User => 0,
        EntityKind::Host => 1,
        EntityKind::Ip | EntityKind::Domain => usize::from(t.entity.is_outside()) + 1,
    };
    sort(x).min(sort(y))
}
