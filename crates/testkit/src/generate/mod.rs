//! An operator's logs, made up: any size, many tenants, attacks planted among them, and a truth
//! file that says where.
//!
//! ```text
//! Plan ─> Generator ── next ──> one record after another, in order of time
//!                    └─ fill ──> a chunk for each stream (tenant x lane)
//!                    └─ truth ─> what was planted, and in which record
//! ```
//!
//! A seed gives the same bytes on every machine and whatever the chunks: nothing depends on how
//! much is asked for at once, and all arithmetic is on integers. A record costs no allocation:
//! it is written into the caller's buffer, digit by digit.

mod attack;
mod draw;
mod flow;
mod lane;
mod lanes;
mod pace;
mod pools;
mod stamp;
mod text;
mod truth;
mod world;

#[cfg(test)]
mod tests;

pub use attack::{ATTACKS_MAX, STORY_RECORDS_MAX};
pub use lane::{DECK_LEN, Group, Lane, record_bytes_mean};
pub use truth::{Line, Principals, Step, Story, Truth, fnv1a};
pub use world::TENANTS_MAX;

use crate::rng::Rng;
use attack::{Planted, Room};
use draw::Zipf;
use lanes::{Devices, Scene};
use pace::Pace;
use stamp::Stamp;
use world::World;
use yagura_event::Micros;
use yagura_event::time::{HOUR, rfc3339};

/// How long the records last where no rate is asked for: a working day.
const SPAN_DEFAULT: Micros = 8 * HOUR;

/// How much is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// So many records.
    Records(u64),
    /// Records until so many bytes are reached, line feeds included.
    Bytes(u64),
}

/// What is made.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Everything follows from it.
    pub seed: u64,
    /// How much.
    pub limit: Limit,
    /// Customers, 1 to [`TENANTS_MAX`]; the n-th has a share of 1 / n.
    pub tenants: usize,
    /// Attacks, at most [`ATTACKS_MAX`]; the kinds take turns, and so do the tenants.
    pub attacks: usize,
    /// First moment.
    pub start: Micros,
    /// Records a second in the mean of a day; where absent, the records last eight hours.
    pub rate: Option<u32>,
    /// Only this lane.
    pub lane: Option<Lane>,
}

/// Why a plan cannot be carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlanError {
    /// No tenant, or more than [`TENANTS_MAX`].
    Tenants,
    /// More attacks than [`ATTACKS_MAX`], or than fit among so few records: each may need
    /// [`STORY_RECORDS_MAX`], twice over.
    Attacks,
}

impl std::fmt::Display for PlanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tenants => write!(f, "there can be 1 to {TENANTS_MAX} tenants"),
            Self::Attacks => write!(
                f,
                "there can be {ATTACKS_MAX} attacks, and each needs {} records: ask for fewer attacks or more records",
                2 * STORY_RECORDS_MAX
            ),
        }
    }
}

impl std::error::Error for PlanError {}

/// One tenant's records of one lane.
#[derive(Clone, Copy, Debug)]
pub struct Stream<'a> {
    /// The tenant's name.
    pub tenant: &'a str,
    /// The lane.
    pub lane: Lane,
    /// Records so far.
    pub records: u64,
}

/// Where a record belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// Number of its stream, an index into [`Generator::streams`].
    pub stream: usize,
    /// When it was written.
    pub at: Micros,
}

/// Makes records one after another.
#[derive(Clone, Debug)]
pub struct Generator {
    plan: Plan,
    world: World,
    devices: Vec<Devices>,
    deck: Vec<Lane>,
    deck_at: usize,
    tenants: Zipf,
    rng: Rng,
    pace: Pace,
    stamp: Stamp,
    stories: Vec<Story>,
    /// What is planted, the next one last.
    planted: Vec<Planted>,
    counts: Vec<u64>,
    records: u64,
    bytes: u64,
    last: Micros,
}

impl Generator {
    /// Prepares what the plan asks for.
    ///
    /// # Errors
    /// [`PlanError`] for what cannot be.
    pub fn new(plan: &Plan) -> Result<Self, PlanError> {
        let records = match plan.limit {
            Limit::Records(records) => records,
            Limit::Bytes(bytes) => bytes / lane::record_bytes_mean(plan.lane),
        };
        if plan.tenants == 0 || plan.tenants > TENANTS_MAX {
            return Err(PlanError::Tenants);
        }
        let room_for = records / (2 * STORY_RECORDS_MAX);
        if plan.attacks > ATTACKS_MAX || plan.attacks as u64 > room_for {
            return Err(PlanError::Attacks);
        }
        let mut rng = Rng::new(plan.seed);
        let world = World::new(&mut rng, plan.tenants);
        let devices = world.tenants.iter().map(|tenant| Devices::new(&mut rng, tenant)).collect();
        let pace = match plan.rate {
            Some(rate) => Pace::at_rate(plan.start, rate),
            None => Pace::within(plan.start, records, SPAN_DEFAULT),
        };
        let (start, span, only) = (plan.start, pace.span(records), plan.lane);
        let room = Room { start, span, records, only };
        let (stories, mut planted) = attack::plant(&world, &mut rng, plan.attacks, room);
        planted.reverse();
        Ok(Self {
            plan: *plan,
            devices,
            deck: lane::deck(&mut rng, plan.lane),
            deck_at: 0,
            tenants: Zipf::new(plan.tenants, 0),
            rng,
            pace,
            stamp: Stamp::new(plan.start),
            stories,
            planted,
            counts: vec![0; plan.tenants * Lane::ALL.len()],
            world,
            records: 0,
            bytes: 0,
            last: plan.start,
        })
    }

    /// The streams, in the order of their numbers: tenant by tenant, lane by lane.
    pub fn streams(&self) -> impl ExactSizeIterator<Item = Stream<'_>> {
        self.counts.iter().enumerate().map(|(n, records)| Stream {
            tenant: self.world.tenants[n / Lane::ALL.len()].name,
            lane: Lane::ALL[n % Lane::ALL.len()],
            records: *records,
        })
    }

    /// Records and bytes so far, line feeds included.
    pub fn written(&self) -> (u64, u64) {
        (self.records, self.bytes)
    }

    /// Appends the next record to `out`, without a line feed; none where the plan is done.
    /// Records come in order of time.
    pub fn next_record(&mut self, out: &mut Vec<u8>) -> Option<Record> {
        let turn = self.turn()?;
        Some(self.write(turn, out))
    }

    /// Appends up to `records` records to the chunks of their streams, each with a line feed,
    /// and says how many; 0 where the plan is done. There must be a chunk for every stream.
    pub fn fill(&mut self, chunks: &mut [Vec<u8>], records: u64) -> u64 {
        for n in 0..records {
            let Some(turn) = self.turn() else { return n };
            let chunk = &mut chunks[turn.stream()];
            self.write(turn, chunk);
            chunk.push(b'\n');
        }
        records
    }

    /// Whose turn it is; none where the plan is done.
    fn turn(&mut self) -> Option<Turn> {
        if self.done() {
            return None;
        }
        let now = self.pace.now();
        if let Some(planted) = self.planted.pop_if(|planted| planted.at <= now) {
            return Some(Turn::Planted(planted));
        }
        let lane = self.deck[self.deck_at];
        self.deck_at += 1;
        if self.deck_at == self.deck.len() {
            self.deck_at = 0;
        }
        Some(Turn::Everyday(self.tenants.pick(&mut self.rng), lane))
    }

    fn write(&mut self, turn: Turn, out: &mut Vec<u8>) -> Record {
        let (from, stream) = (out.len(), turn.stream());
        self.counts[stream] += 1;
        // A planted line never stands before what was written already.
        let at = match turn {
            Turn::Planted(planted) => self.plant(&planted, out).max(self.last),
            Turn::Everyday(tenant, lane) => self.everyday(tenant, lane, out),
        };
        self.records += 1;
        self.bytes += (out.len() - from) as u64 + 1;
        self.last = at;
        Record { stream, at }
    }

    fn done(&self) -> bool {
        match self.plan.limit {
            Limit::Records(records) => self.records >= records,
            Limit::Bytes(bytes) => self.bytes >= bytes,
        }
    }

    fn plant(&mut self, planted: &Planted, out: &mut Vec<u8>) -> Micros {
        out.extend_from_slice(&planted.text);
        let line = Line {
            time: rfc3339(planted.at),
            lane: planted.lane.name(),
            record: self.counts[stream_of(planted.tenant, planted.lane)],
            hash: format!("{:016x}", fnv1a(&planted.text)),
        };
        if let Some(step) = self.stories[planted.story].steps.get_mut(planted.step) {
            step.lines.push(line);
        }
        planted.at
    }

    fn everyday(&mut self, tenant: usize, lane: Lane, out: &mut Vec<u8>) -> Micros {
        let at = self.pace.now();
        self.stamp.set(at);
        let scene =
            Scene { world: &self.world, tenant: &self.world.tenants[tenant], stamp: &self.stamp };
        self.devices[tenant].write(lane, &scene, out);
        self.pace.advance(&mut self.rng);
        at
    }

    /// What was planted so far, and where it is.
    pub fn truth(&self) -> Truth {
        let told = |story: &&Story| story.steps.iter().any(|step| !step.lines.is_empty());
        let stories = self.stories.iter().filter(told).cloned();
        let (attacks, herrings) = stories.partition(|story| story.id <= self.plan.attacks);
        let tenants = self.world.tenants.iter().map(|tenant| tenant.name.to_owned()).collect();
        Truth {
            version: 1,
            seed: self.plan.seed,
            start: rfc3339(self.plan.start),
            end: rfc3339(self.last),
            records: self.records,
            bytes: self.bytes,
            tenants,
            attacks,
            herrings,
        }
    }
}

/// What is written next.
enum Turn {
    Planted(Planted),
    /// A tenant's number and a lane.
    Everyday(usize, Lane),
}

impl Turn {
    fn stream(&self) -> usize {
        match self {
            Self::Planted(planted) => stream_of(planted.tenant, planted.lane),
            Self::Everyday(tenant, lane) => stream_of(*tenant, *lane),
        }
    }
}

fn stream_of(tenant: usize, lane: Lane) -> usize {
    tenant * Lane::ALL.len() + lane as usize
}
