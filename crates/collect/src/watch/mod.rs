//! Follows log files as they grow, through rotation, truncation and restarts.
//!
//! A thread for each watch looks for files once a second and at the open ones five times as
//! often. What it takes of a file is one journal group with the file's *place*: bytes taken,
//! inode, and prints of the content's beginning and of what precedes the place. So a place is
//! true exactly when its records are stored, and content is known again when it was renamed,
//! copied or compressed:
//!
//! | what happens | what is done |
//! |---|---|
//! | renamed, another file takes the name | the old one is read to its end by its open handle, or found again by inode |
//! | truncated or written anew in place | the new content is read from its beginning |
//! | copied, then truncated | the copy goes on where the original stood |
//! | compressed after rotation | what is known of the content is not read again, the rest is |
//! | any of these while nothing ran | the same, by inode and prints, at the next start |
//!
//! Invariants: a place moves only together with the records that it covers; a file is followed
//! by one follower at most; content that nobody follows any more is remembered for
//! [`FORGET_DAYS`] days.

pub mod follow;
pub mod glob;
mod notice;
pub mod place;
mod roster;

pub use glob::{Glob, GlobError};
pub use roster::{FILES_MAX, FORGET_DAYS};

use crate::intake::{Intake, IntakeError};
use follow::{Follower, Step, StepError};
use place::Place;
use roster::Orphan;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use yagura_event::{Context, FindingId, TenantName};
use yagura_journal::Ticket;

/// How often open files are looked at.
pub const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// How often files are looked for; longer where that takes long, so that it costs at most a
/// tenth of a core.
pub const SCAN_INTERVAL: Duration = Duration::from_secs(1);

/// How long a full journal is left alone.
const FULL_WAIT: Duration = Duration::from_millis(500);

/// Most faults named once each; further ones stay unsaid until the next start.
const TOLD_MAX: usize = 1_000;

/// One configured watch.
pub struct Watch {
    /// The owner of the records.
    pub tenant: TenantName,
    /// The feed, `watch:NAME`.
    pub feed: String,
    /// Which files.
    pub paths: Vec<Glob>,
    /// The context of a file's records by its name below the watched path.
    pub context: Box<dyn Fn(&str) -> Context + Send>,
    /// Most files held open: those that changed last. A file that is removed while it is not
    /// open cannot be read to its end.
    pub open_max: usize,
}

/// What a round did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Round {
    /// There is nothing new.
    Idle,
    /// There is more at once.
    More,
    /// The journal is full.
    Full,
}

/// Follows the files of one watch.
pub struct Watcher {
    watch: Watch,
    intake: Arc<Intake>,
    followers: Vec<Follower>,
    /// Content that was taken and has no file at present.
    orphans: Vec<Orphan>,
    held: HashMap<glob::FileId, roster::Held>,
    told: HashSet<String>,
    buffer: Vec<u8>,
    next_scan: Option<Instant>,
    keys: u64,
    /// Files that may still be opened in this scan.
    room: usize,
    /// The follower that is looked at first, so that each has its turn.
    turn: usize,
    /// Whether more files have something new than may be open.
    crowded: bool,
}

impl Watcher {
    /// Follows the files of `watch`; `marks` are the keys and values that the journal holds
    /// of its feed.
    pub fn new(watch: Watch, intake: Arc<Intake>, marks: Vec<(String, String)>) -> Self {
        let mut orphans = Vec::new();
        for (key, value) in marks {
            match serde_json::from_str::<Place>(&value) {
                Ok(place) => orphans.push(Orphan::new(key, place)),
                Err(error) => tracing::error!(feed = watch.feed, key, %error, "a place is damaged"),
            }
        }
        Self {
            watch,
            intake,
            followers: Vec::new(),
            orphans,
            held: HashMap::new(),
            told: HashSet::new(),
            buffer: Vec::new(),
            next_scan: None,
            keys: 0,
            room: 0,
            turn: 0,
            crowded: false,
        }
    }

    /// Follows until `stopping`.
    ///
    /// # Errors
    /// A journal that has stopped.
    pub fn run(mut self, stopping: &dyn Fn() -> bool) -> Result<(), IntakeError> {
        while !stopping() {
            match self.round(Instant::now())? {
                Round::More => {}
                Round::Idle => std::thread::sleep(POLL_INTERVAL),
                Round::Full => std::thread::sleep(FULL_WAIT),
            }
        }
        Ok(())
    }

    /// Looks for files where that is due, takes what is new and waits until it is durable.
    ///
    /// # Errors
    /// A journal that has stopped.
    pub fn round(&mut self, now: Instant) -> Result<Round, IntakeError> {
        let mut tickets = Vec::new();
        let scanned = match self.next_scan {
            Some(due) if now < due => Ok(()),
            _ => {
                self.crowded = false;
                let scanned = self.scan(now, &mut tickets);
                self.next_scan = Some(now + SCAN_INTERVAL.max(now.elapsed() * 10));
                scanned
            }
        };
        let round = match scanned.and_then(|()| self.steps(now, &mut tickets)) {
            Ok(round) => round,
            Err(StepError::Intake(error)) => return Err(error),
            Err(StepError::Full) => {
                self.tell(format!("{}: the journal is full; files wait", self.watch.feed));
                Round::Full
            }
            Err(StepError::File(error)) => {
                self.tell(format!("{}: {error}", self.watch.feed));
                Round::Idle
            }
        };
        for ticket in tickets {
            ticket.wait().map_err(IntakeError::from)?;
        }
        if self.crowded && round == Round::Idle {
            self.make_room();
            self.next_scan = Some(now);
        }
        Ok(round)
    }

    fn steps(&mut self, now: Instant, tickets: &mut Vec<Ticket>) -> Result<Round, StepError> {
        let mut round = Round::Idle;
        for index in 0..self.followers.len() {
            let Some(follower) = self.followers.get_mut(index) else { break };
            match follower.step(&self.intake, &mut self.buffer, now, tickets) {
                Ok(Step::Took(true)) => round = Round::More,
                Ok(Step::Took(false) | Step::Idle | Step::Damaged) => {}
                Ok(Step::Replaced) => {
                    self.replaced(index);
                    round = Round::More;
                }
                Err(StepError::File(error)) => {
                    let text = format!("{}: {error}", follower.place.path.display());
                    follower.source = follow::Source::Closed;
                    self.tell(text);
                }
                Err(other) => return Err(other),
            }
        }
        Ok(round)
    }

    /// The content that was taken is no longer in its file.
    fn replaced(&mut self, index: usize) {
        let key = self.new_key();
        let Some(follower) = self.followers.get_mut(index) else { return };
        let path = follower.place.path.display();
        tracing::info!(%path, "a watched file was cut or written anew");
        let (key, place) = follower.restart(key);
        if place.offset > 0 {
            self.orphans.push(Orphan::new(key, place));
        }
    }

    fn new_key(&mut self) -> String {
        self.keys += 1;
        let now = self.intake.clock().now().to_be_bytes();
        let id = FindingId::of(&[self.watch.feed.as_bytes(), &now, &self.keys.to_be_bytes()]).0;
        format!("{id:032x}")
    }

    fn tell(&mut self, text: String) {
        if self.told.len() < TOLD_MAX && !self.told.contains(&text) {
            tracing::warn!("watch: {text}");
            self.told.insert(text);
        }
    }
}

#[cfg(test)]
mod tests;
