//! Groups linked findings and says which groups are incidents.
//!
//! Conjunctions from medium up and critical findings are joined where a link reaches
//! [`LINK_MIN`] (union-find, single link). Low ones and leads are attached, by who did it and
//! not by where it was (`same_doer`), to the group they are linked to best, and join nothing.
//! A group is an incident if some host or account inside is black by the group's evidence and
//! the group spans two rules or holds a critical finding. An outside address alone opens
//! nothing, however black: scanning is the weather. Findings that add less than [`ADDS_MIN`] to
//! every entity are left out of the story.

use crate::entity::{Entity, EntityKind};
use crate::graph::Graph;
use crate::incident::{Story, tell};
use crate::ledger::{Standing, Verdict, stand, stand_at_peak};
use crate::link::{Scene, link, same_doer};
use crate::params::{
    ADDS_MIN, CORE_MIN, FLOW_FACTOR, FLOW_SUM_MAX, INCIDENT_FINDINGS_MAX, LINK_FLOOR, LINK_MIN,
    NEIGHBOURS_MAX, PRIOR_LOG_ODDS,
};
use crate::reading::{Item, Reading, read_all};
use crate::weight::Evidence;
use std::collections::{BTreeMap, BTreeSet};
use yagura_event::time::Micros;
use yagura_event::{FindingId, Level};

/// A group of findings that is an incident.
#[derive(Clone, PartialEq, Debug)]
pub struct Candidate {
    /// Its findings, oldest first; the first one is the incident's identity.
    pub findings: Vec<FindingId>,
    /// Journal position of the finding with which it became an incident, findings taken in the
    /// order of the journal.
    pub trigger_lsn: u64,
    /// First event time of that finding.
    pub trigger_time: Micros,
    /// What is told of it.
    pub story: Story,
}

/// A link between two findings, by their places in the readings.
#[derive(Clone, PartialEq, Debug)]
pub struct Bond {
    /// The earlier finding's place.
    pub a: usize,
    /// The later finding's place.
    pub b: usize,
    /// The link's strength.
    pub strength: f64,
    /// The path in words.
    pub via: String,
}

/// The incidents among findings of one tenant, ordered by (trigger position, oldest finding).
///
/// The order of `items` does not matter.
pub fn candidates(items: &[Item<'_>], graph: &Graph) -> Vec<Candidate> {
    judge(&read_all(items, graph), graph)
}

/// [`candidates`] of findings read already.
pub fn judge(readings: &[Reading<'_>], graph: &Graph) -> Vec<Candidate> {
    let bonds = bonds(readings, graph);
    let mut list: Vec<Candidate> = groups(readings, bonds)
        .into_iter()
        .filter_map(|group| candidate(readings, &group.members, &group.bonds))
        .collect();
    list.sort_by(|a, b| {
        let key = |c: &Candidate| (c.trigger_lsn, c.trigger_time);
        key(a).cmp(&key(b)).then_with(|| a.findings.cmp(&b.findings))
    });
    list
}

/// Tells the story of given findings, whether or not their group would open an incident: for an
/// incident that has findings from before the judged window. `None` if none of them is there.
pub fn assess(
    items: &[Item<'_>],
    members: &BTreeSet<FindingId>,
    graph: &Graph,
) -> Option<Candidate> {
    let readings = read_all(items, graph);
    let bonds = bonds(&readings, graph);
    let places: Vec<usize> = (0..readings.len())
        .filter(|i| members.contains(&readings[*i].finding.finding_id()))
        .collect();
    let first = places.first()?;
    let trigger = trigger(&readings, &places, &bonds)
        .unwrap_or((readings[*first].first_lsn, readings[*first].finding.first_time));
    let standings = standings(&readings, &places, &bonds);
    Some(make(&readings, &places, &standings, &bonds, trigger))
}

/// Where every entity of the findings stands by direct evidence alone, as of its newest
/// evidence, ordered by entity.
pub fn ledger(readings: &[Reading<'_>]) -> Vec<Standing> {
    by_entity(readings, &(0..readings.len()).collect::<Vec<_>>())
        .into_iter()
        .map(|(entity, list)| {
            let as_of = list.iter().map(|e| e.time).max().unwrap_or(0);
            stand(&entity, &list, as_of, 0.0)
        })
        .collect()
}

/// Every link of at least [`LINK_FLOOR`] between findings that share an entity or a critical rule, or
/// whose entities are tied, each compared with at most [`NEIGHBOURS_MAX`] following ones an entity.
pub fn bonds(readings: &[Reading<'_>], graph: &Graph) -> Vec<Bond> {
    let scene = Scene::new(readings, graph);
    let mut index: BTreeMap<&Entity, Vec<usize>> = BTreeMap::new();
    for (place, reading) in readings.iter().enumerate() {
        for touch in &reading.touches {
            index.entry(&touch.entity).or_default().push(place);
        }
    }
    let mut pairs: BTreeSet<(usize, usize)> = BTreeSet::new();
    for places in index.values() {
        meet(places, places, &mut pairs);
    }
    let mut outbreaks: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, reading) in readings.iter().enumerate() {
        if reading.finding.level == Level::Critical {
            outbreaks.entry(&reading.finding.rule).or_default().push(place);
        }
    }
    outbreaks.values().for_each(|places| meet(places, places, &mut pairs));
    for (x, y) in graph.pairs() {
        if let (Some(left), Some(right)) = (index.get(x), index.get(y)) {
            meet(left, right, &mut pairs);
            meet(right, left, &mut pairs);
        }
    }
    pairs
        .into_iter()
        .filter_map(|(a, b)| {
            let found = link(&readings[a], &readings[b], &scene)?;
            (found.strength >= LINK_FLOOR).then_some(Bond {
                a,
                b,
                strength: found.strength,
                via: found.via,
            })
        })
        .collect()
}

fn meet(left: &[usize], right: &[usize], pairs: &mut BTreeSet<(usize, usize)>) {
    for a in left {
        let from = right.partition_point(|b| b <= a);
        pairs.extend(right[from..].iter().take(NEIGHBOURS_MAX).map(|b| (*a, *b)));
    }
}

/// Findings that belong together, by place, oldest first, with the bonds among them.
#[derive(Default)]
struct Group {
    members: Vec<usize>,
    bonds: Vec<Bond>,
}

/// The groups, in the order of their oldest finding from medium up.
fn groups(readings: &[Reading<'_>], bonds: Vec<Bond>) -> Vec<Group> {
    let core = |i: usize| {
        let r = &readings[i];
        !r.lead && r.finding.level >= Level::Medium && r.weight >= CORE_MIN
    };
    let mut parent: Vec<usize> = (0..readings.len()).collect();
    for bond in bonds.iter().filter(|b| b.strength >= LINK_MIN && core(b.a) && core(b.b)) {
        let (a, b) = (root(&mut parent, bond.a), root(&mut parent, bond.b));
        parent[a.max(b)] = a.min(b);
    }
    let mut best: BTreeMap<usize, (f64, usize)> = BTreeMap::new();
    for bond in bonds.iter().filter(|b| core(b.a) != core(b.b)) {
        let (low, high) = if core(bond.a) { (bond.b, bond.a) } else { (bond.a, bond.b) };
        if !same_doer(&readings[low], &readings[high]) {
            continue;
        }
        let group = root(&mut parent, high);
        let entry = best.entry(low).or_insert((0.0, group));
        if bond.strength > entry.0 {
            *entry = (bond.strength, group);
        }
    }
    for (low, (_, group)) in best {
        parent[low] = group;
    }
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    for place in 0..readings.len() {
        let root = root(&mut parent, place);
        if core(root) {
            groups.entry(root).or_default().members.push(place);
        }
    }
    for bond in bonds {
        let (a, b) = (root(&mut parent, bond.a), root(&mut parent, bond.b));
        if a == b
            && let Some(group) = groups.get_mut(&a)
        {
            group.bonds.push(bond);
        }
    }
    groups.into_values().collect()
}

fn root(parent: &mut [usize], mut at: usize) -> usize {
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}

fn candidate(readings: &[Reading<'_>], members: &[usize], bonds: &[Bond]) -> Option<Candidate> {
    let most: f64 = members.iter().map(|p| readings[*p].weight).sum();
    if Verdict::of_log_odds(PRIOR_LOG_ODDS + most + FLOW_SUM_MAX) != Verdict::Black
        || !opens(readings, members, &standings(readings, members, bonds))
    {
        return None;
    }
    let mut telling = heaviest(readings, members);
    let all = standings(readings, &telling, bonds);
    let adding: BTreeSet<String> = all
        .iter()
        .flat_map(|s| s.waterfall.iter().filter(|c| c.added >= ADDS_MIN))
        .map(|c| c.finding.clone())
        .collect();
    telling.retain(|p| adding.contains(&readings[*p].finding.finding_id().to_string()));
    let standings = standings(readings, &telling, bonds);
    let trigger = trigger(readings, members, bonds)?;
    Some(make(readings, &telling, &standings, bonds, trigger))
}

fn heaviest(readings: &[Reading<'_>], members: &[usize]) -> Vec<usize> {
    let mut kept = members.to_vec();
    if kept.len() > INCIDENT_FINDINGS_MAX {
        kept.sort_by(|a, b| readings[*b].weight.total_cmp(&readings[*a].weight).then(a.cmp(b)));
        kept.truncate(INCIDENT_FINDINGS_MAX);
        kept.sort_unstable();
    }
    kept
}

/// The finding with which a group opens, taking them in the order of the journal.
fn trigger(readings: &[Reading<'_>], members: &[usize], bonds: &[Bond]) -> Option<(u64, Micros)> {
    let mut order = members.to_vec();
    order.sort_by_key(|p| {
        let r = &readings[*p];
        (r.first_lsn, r.finding.first_time, r.finding.id)
    });
    let at = |n: usize| {
        let mut prefix = order[..n].to_vec();
        prefix.sort_unstable();
        opens(readings, &prefix, &standings(readings, &prefix, bonds))
    };
    // More findings never make a group less of an incident, so the first prefix that opens it
    // can be found by halving.
    let (mut low, mut opening) = (1, order.len());
    while low < opening {
        let middle = (low + opening) / 2;
        if at(middle) { opening = middle } else { low = middle + 1 }
    }
    let reading = &readings[*order.get(opening.checked_sub(1)?)?];
    Some((reading.first_lsn, reading.finding.first_time))
}

fn opens(readings: &[Reading<'_>], members: &[usize], standings: &[Standing]) -> bool {
    let rules: BTreeSet<&str> =
        members.iter().map(|p| readings[*p].finding.rule.as_str()).collect();
    let critical = members.iter().any(|p| readings[*p].finding.level == Level::Critical);
    let inside = |s: &Standing| {
        matches!(s.entity.kind, EntityKind::Host | EntityKind::User) || !s.entity.is_outside()
    };
    (rules.len() >= 2 || critical)
        && standings.iter().any(|s| s.verdict == Verdict::Black && inside(s))
}

fn by_entity<'r>(
    readings: &'r [Reading<'_>],
    members: &[usize],
) -> BTreeMap<Entity, Vec<&'r Evidence>> {
    let mut map: BTreeMap<Entity, Vec<&Evidence>> = BTreeMap::new();
    for place in members {
        for piece in &readings[*place].evidence {
            map.entry(piece.entity.clone()).or_default().push(piece);
        }
    }
    map
}

/// Where the entities of a group stand: direct evidence, and what flows along links from
/// findings that do not name them.
fn standings(readings: &[Reading<'_>], members: &[usize], bonds: &[Bond]) -> Vec<Standing> {
    let inside: BTreeSet<usize> = members.iter().copied().collect();
    let mut flows: BTreeMap<&Entity, BTreeMap<usize, f64>> = BTreeMap::new();
    for bond in bonds.iter().filter(|b| b.strength >= LINK_MIN) {
        if !(inside.contains(&bond.a) && inside.contains(&bond.b)) {
            continue;
        }
        for (from, to) in [(bond.a, bond.b), (bond.b, bond.a)] {
            let named = &readings[from].touches;
            for piece in &readings[to].evidence {
                if !named.iter().any(|t| t.entity == piece.entity) {
                    let share = piece.llr / readings[to].weight.max(f64::MIN_POSITIVE);
                    let flow = readings[from].weight * bond.strength * FLOW_FACTOR * share;
                    let entry = flows.entry(&piece.entity).or_default().entry(from).or_default();
                    *entry = entry.max(flow);
                }
            }
        }
    }
    by_entity(readings, members)
        .into_iter()
        .map(|(entity, list)| {
            let flow = flows.get(&entity).map_or(0.0, |from| from.values().sum());
            stand_at_peak(&entity, &list, flow)
        })
        .collect()
}

fn make(
    readings: &[Reading<'_>],
    members: &[usize],
    standings: &[Standing],
    bonds: &[Bond],
    trigger: (u64, Micros),
) -> Candidate {
    let told: Vec<&Reading<'_>> = members.iter().map(|p| &readings[*p]).collect();
    let inside: BTreeSet<usize> = members.iter().copied().collect();
    let via: Vec<(&Bond, String, String)> = bonds
        .iter()
        .filter(|b| b.strength >= LINK_MIN && inside.contains(&b.a) && inside.contains(&b.b))
        .map(|b| {
            let id = |p: usize| readings[p].finding.finding_id().to_string();
            (b, id(b.a), id(b.b))
        })
        .collect();
    Candidate {
        findings: told.iter().map(|r| r.finding.finding_id()).collect(),
        trigger_lsn: trigger.0,
        trigger_time: trigger.1,
        story: tell(&told, standings, &via),
    }
}
