//! A made-up company's day as log lines: benign noise, red herrings and one attack.
//!
//! Everything follows from seed and start time. The company is Hinode Trading
//! (`hinode.example`): a web server in a DMZ, a forward proxy, a file server, four desks,
//! a firewall and an intrusion sensor. Addresses outside are from the documentation ranges.

mod attack;
mod lines;
mod noise;

use crate::rng::Rng;
use yagura_event::Micros;
use yagura_event::time::{MINUTE, SECOND};

/// How a line reaches the platform.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channel {
    /// Syslog over TCP, the line with its header.
    Syslog,
    /// `POST /api/v1/ingest` as `source`, from `host`.
    Http {
        /// The source's name.
        source: &'static str,
        /// The host the lines are from.
        host: &'static str,
    },
}

/// One line of the story.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// When it is written.
    pub at: Micros,
    /// How it is sent.
    pub channel: Channel,
    /// The record.
    pub text: String,
    /// Whether the attack wrote it.
    pub attack: bool,
}

/// A whole story.
#[derive(Clone, Debug)]
pub struct Story {
    /// First moment.
    pub start: Micros,
    /// Last moment.
    pub end: Micros,
    /// Lines in order of time.
    pub lines: Vec<Line>,
    /// What a true incident must name.
    pub truth: Truth,
}

/// What the attack did, for judging what was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Truth {
    /// The host broken into.
    pub victim_host: &'static str,
    /// The account misused.
    pub account: &'static str,
    /// Where the attack came from.
    pub attacker: &'static str,
    /// Where the beacon goes.
    pub destination: &'static str,
    /// Someone who only mistyped a password.
    pub uninvolved_user: &'static str,
}

/// How long the story lasts.
pub const STORY_LENGTH: Micros = 150 * MINUTE;

impl Story {
    /// The story of `seed`, beginning at `start`.
    pub fn generate(seed: u64, start: Micros) -> Self {
        let mut rng = Rng::new(seed);
        let mut lines = Vec::new();
        noise::write(&mut rng, start, start + STORY_LENGTH, &mut lines);
        let truth = attack::write(&mut rng, start + 40 * MINUTE, &mut lines);
        lines.sort_by(|a, b| (a.at, &a.text).cmp(&(b.at, &b.text)));
        let end = lines.last().map_or(start, |l| l.at) + SECOND;
        Self { start, end, lines, truth }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_seed_tells_the_same_story_and_another_seed_another() {
        let start = 1_790_000_000 * SECOND;
        let a = Story::generate(7, start);
        assert_eq!(a.lines, Story::generate(7, start).lines);
        assert_ne!(a.lines, Story::generate(8, start).lines);
        assert!(a.lines.len() > 3_000, "{}", a.lines.len());
        assert!(a.lines.windows(2).all(|w| w[0].at <= w[1].at));
    }

    #[test]
    fn the_attack_is_a_small_part_and_names_its_truth() {
        let story = Story::generate(1, 1_790_000_000 * SECOND);
        let attack: Vec<&Line> = story.lines.iter().filter(|l| l.attack).collect();
        assert!(attack.len() * 10 < story.lines.len());
        for name in [story.truth.account, story.truth.attacker, story.truth.destination] {
            assert!(attack.iter().any(|l| l.text.contains(name)), "{name}");
        }
        let user = story.truth.uninvolved_user;
        assert!(attack.iter().all(|l| !l.text.contains(user)));
    }
}
