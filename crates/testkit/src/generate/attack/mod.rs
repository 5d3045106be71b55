//! What is planted among the everyday lines: attacks of five kinds, and red herrings.

mod herrings;
mod kinds;
mod plot;

use super::lane::Lane;
use super::truth::{Principals, Step, Story};
use super::world::World;
use crate::rng::Rng;
use plot::Plot;
use yagura_event::Micros;

/// Most attacks: with their lines held in memory until they are due, some 50 MB.
pub const ATTACKS_MAX: usize = 1_000;

/// Most records of one story, a bound for how many fit among so many everyday ones.
pub const STORY_RECORDS_MAX: u64 = 200;

/// Herrings are at most one record in so many of all.
const HERRING_SHARE: u64 = 50;

/// One line that waits for its moment.
#[derive(Clone, Debug)]
pub struct Planted {
    /// When it is due.
    pub at: Micros,
    /// Whose.
    pub tenant: usize,
    /// In which lane.
    pub lane: Lane,
    /// The record.
    pub text: Vec<u8>,
    /// Which story it belongs to.
    pub story: usize,
    /// And which step of it.
    pub step: usize,
}

/// The room for what is planted.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// First moment.
    pub start: Micros,
    /// How long it is until the last everyday record, about.
    pub span: Micros,
    /// Records in all, about.
    pub records: u64,
    /// The one lane that is written, where not all are.
    pub only: Option<Lane>,
}

/// Attacks and herrings with their lines, in order of time; stories are numbered from 0 with
/// the attacks first.
pub fn plant(
    world: &World,
    rng: &mut Rng,
    attacks: usize,
    room: Room,
) -> (Vec<Story>, Vec<Planted>) {
    let (mut stories, mut planted) = (Vec::new(), Vec::new());
    let (first_tenant, first_kind) = (rng.below(1_000) as usize, rng.below(5) as usize);
    for n in 0..attacks.min(ATTACKS_MAX) {
        let tenant = &world.tenants[(first_tenant + n) % world.tenants.len()];
        let (kind, length, tell) = kinds::KINDS[(first_kind + n) % kinds::KINDS.len()];
        let mut plot = Plot::new(world, tenant, room, length, stories.len(), rng, &mut planted);
        tell(&mut plot, n);
        stories.push(plot.finish(kind));
    }
    // The largest tenants first, as long as herrings stay few.
    let sets = room.records / HERRING_SHARE / herrings::RECORDS_MAX;
    for tenant in world.tenants.iter().take(usize::try_from(sets).unwrap_or(usize::MAX)) {
        for (kind, length, tell) in herrings::KINDS {
            let mut plot = Plot::new(world, tenant, room, length, stories.len(), rng, &mut planted);
            tell(&mut plot, 0);
            stories.push(plot.finish(kind));
        }
    }
    planted.sort_by_key(|line| line.at);
    (stories, planted)
}

/// A story without its lines' places.
fn story(
    id: usize,
    tenant: &str,
    kind: &'static str,
    mut principals: Principals,
    steps: &[(&'static str, Option<&'static str>)],
) -> Story {
    let Principals { hosts, users, addresses, domains } = &mut principals;
    for names in [hosts, users, addresses, domains] {
        names.sort();
        names.dedup();
    }
    let steps = steps
        .iter()
        .map(|(name, technique)| Step { name, technique: *technique, lines: Vec::new() })
        .collect();
    Story { id: id + 1, tenant: tenant.to_owned(), kind, principals, steps }
}
