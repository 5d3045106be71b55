//! Findings as the judgement reads them: with entities, techniques, outcome and weight.

use crate::attack::{Tactic, tactics, techniques};
use crate::entity::EntityKind;
use crate::graph::Graph;
use crate::outcome::{Outcome, of_finding};
use crate::params::{FINDINGS_MAX, LINK_NONE, PREVALENT_HOSTS_MIN, PREVALENT_SHARE, ROUTINE_SPAN};
use crate::touch::{Touch, touches};
use crate::weight::{Evidence, INDICATOR, evidence, finding_weight, is_lead};
use std::collections::{BTreeMap, BTreeSet};
use yagura_event::time::Micros;
use yagura_event::{Finding, Level, ObservableKind};

/// A finding and the journal position of its first version.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// The finding's newest version.
    pub finding: &'a Finding,
    /// Position at which its first version was emitted.
    pub first_lsn: u64,
}

/// A finding, read.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// See [`Item::first_lsn`].
    pub first_lsn: u64,
    /// The entities it is about.
    pub touches: Vec<Touch>,
    /// Tactics of its rule.
    pub tactics: Vec<Tactic>,
    /// What findings depend on each other by: the first technique, else the rule; of indicators
    /// the value.
    pub dependence: String,
    /// Whether it is only a lead, see [`is_lead`].
    pub lead: bool,
    /// Whether commands or programs ran in it.
    pub ran: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// Evidence it gives before the entities' parts, in nats.
    pub weight: f64,
    /// Its evidence on each entity.
    pub evidence: Vec<Evidence>,
}

/// How widely a rule hits in the window.
#[derive(Clone, Copy, Default, Debug)]
pub struct Spread {
    /// Distinct hosts it hits.
    pub hosts: usize,
    /// Whether that is a habit of the whole tenant.
    pub habit: bool,
    /// Whether it keeps hitting this finding's host all day.
    pub routine: bool,
}

/// Reads findings in the order (first time, id). Informational ones weigh nothing and are left
/// out; of more than [`FINDINGS_MAX`] the lowest levels, then the oldest, are left out.
pub fn read_all<'a>(items: &[Item<'a>], graph: &Graph) -> Vec<Reading<'a>> {
    let mut kept: Vec<Item<'a>> =
        items.iter().copied().filter(|i| i.finding.level > Level::Informational).collect();
    if kept.len() > FINDINGS_MAX {
        kept.sort_by_key(|i| {
            (std::cmp::Reverse((i.finding.level, i.finding.last_time)), i.finding.id)
        });
        kept.truncate(FINDINGS_MAX);
    }
    kept.sort_by_key(|i| (i.finding.first_time, i.finding.id));
    kept.dedup_by_key(|i| i.finding.id);
    let touched: Vec<Vec<Touch>> = kept.iter().map(|i| touches(i.finding, graph)).collect();
    let spans = spans(&kept, &touched);
    kept.iter()
        .zip(touched)
        .map(|(item, touches)| {
            let spread = spread(item.finding, &touches, &spans, graph);
            read(*item, touches, spread, graph)
        })
        .collect()
}

fn read<'a>(item: Item<'a>, touches: Vec<Touch>, spread: Spread, graph: &Graph) -> Reading<'a> {
    let finding = item.finding;
    let tactics = tactics(&finding.tags);
    let outcome = of_finding(finding, &tactics);
    let mut weight = finding_weight(finding, outcome, spread);
    if finding.kind == "periodic" {
        weight *= own_contact(&touches);
    }
    let dependence = match finding.kind.as_str() {
        // Lists copy from each other: what several say of one value is said about once.
        INDICATOR => finding.group.clone(),
        _ => techniques(&finding.tags).into_iter().next().unwrap_or_else(|| finding.rule.clone()),
    };
    let evidence = evidence(finding, &touches, &dependence, outcome, weight, graph);
    Reading {
        finding,
        first_lsn: item.first_lsn,
        touches,
        tactics,
        dependence,
        lead: is_lead(finding),
        ran: finding.parties.iter().any(|p| {
            matches!(p.observable.kind, ObservableKind::Process | ObservableKind::CommandLine)
        }),
        outcome,
        weight,
        evidence,
    }
}

/// How far regular contact is the host's own: everyone's update server is polled as regularly
/// as an attacker's, so the rarest place outside decides.
fn own_contact(touches: &[Touch]) -> f64 {
    touches
        .iter()
        .filter(|t| t.role != yagura_event::Role::Source && t.entity.is_outside())
        .map(|t| t.telling)
        .max_by(f64::total_cmp)
        .unwrap_or(1.0)
}

type Spans<'a> = BTreeMap<&'a str, BTreeMap<String, Vec<(Micros, Micros)>>>;

/// The times at which each rule hits each host: the hosts it happens on, else the source.
fn spans<'a>(items: &[Item<'a>], touched: &[Vec<Touch>]) -> Spans<'a> {
    let mut spans: Spans<'a> = BTreeMap::new();
    for (item, touches) in items.iter().zip(touched) {
        let finding = item.finding;
        for host in places(touches) {
            spans
                .entry(finding.rule.as_str())
                .or_default()
                .entry(host.to_owned())
                .or_default()
                .push((finding.first_time, finding.last_time));
        }
    }
    spans
}

fn places(touches: &[Touch]) -> BTreeSet<&str> {
    let on: BTreeSet<&str> =
        touches.iter().filter(|t| t.on).map(|t| t.entity.value.as_str()).collect();
    if !on.is_empty() {
        return on;
    }
    touches
        .iter()
        .filter(|t| t.role == yagura_event::Role::Source && t.entity.kind != EntityKind::User)
        .map(|t| t.entity.value.as_str())
        .collect()
}

fn spread(finding: &Finding, touches: &[Touch], spans: &Spans<'_>, graph: &Graph) -> Spread {
    let Some(by_host) = spans.get(finding.rule.as_str()) else { return Spread::default() };
    let near = |(first, last): &(Micros, Micros)| {
        *first <= finding.last_time + LINK_NONE && *last >= finding.first_time - LINK_NONE
    };
    let hosts = by_host.values().filter(|times| times.iter().any(near)).count();
    let share = hosts as f64 / graph.population().max(1) as f64;
    let routine = finding.level <= Level::Medium
        && places(touches).iter().any(|host| {
            reach(by_host.get(*host).into_iter().flatten().filter(|span| near(span)))
                >= ROUTINE_SPAN
        });
    let wide = hosts >= PREVALENT_HOSTS_MIN && share >= PREVALENT_SHARE;
    // An outbreak comes over all hosts at once; a habit was there yesterday, too.
    let lasts = || {
        let near = by_host.values().flatten().filter(|span| near(span));
        reach(near) >= ROUTINE_SPAN
    };
    Spread { hosts, habit: wide && (finding.level < Level::Critical || lasts()), routine }
}

/// From the first to the last of spans.
fn reach<'a>(spans: impl Iterator<Item = &'a (Micros, Micros)>) -> Micros {
    let (first, last) =
        spans.fold((Micros::MAX, Micros::MIN), |(f, l), span| (f.min(span.0), l.max(span.1)));
    last.saturating_sub(first)
}
