//! Needles of the benchmark: values put in place of others in generated records, so that how many
//! events have each is known.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use yagura_testkit::rng::Rng;

/// Needles of each kind and number of events.
const OF_EACH: usize = 7;

/// Events of a needle: spread over everything, so that each lies in a granule of its own.
const EVENTS: [u64; 3] = [1, 10, 100];

/// What a lane's records hold needles of, and between what.
struct Carrier {
    lane: &'static str,
    kind: &'static str,
    before: &'static str,
    behind: u8,
}

const CARRIERS: [Carrier; 5] = [
    Carrier { lane: "iptables", kind: "ip", before: " SRC=", behind: b' ' },
    Carrier { lane: "zeek_dns", kind: "domain", before: r#""query":""#, behind: b'"' },
    Carrier { lane: "suricata", kind: "hash", before: r#""fingerprint":""#, behind: b'"' },
    Carrier { lane: "proxy_access", kind: "user", before: " - ", behind: b' ' },
    Carrier { lane: "web_access", kind: "word", before: r#""GET /"#, behind: b' ' },
];

/// A value and how many events have it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Needle {
    /// The field that a search asks, or `word`.
    pub kind: String,
    /// The value, as a search asks for it.
    pub value: String,
    /// Events that have it.
    pub events: u64,
}

/// Puts needles into records.
pub struct Planter {
    needles: Vec<Needle>,
    /// By carrier: from which record on the next is due, and which, the last first.
    due: [Vec<(u64, usize)>; CARRIERS.len()],
    seen: u64,
}

impl Planter {
    /// Needles spread over so many records.
    pub fn new(seed: u64, records: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0x6e65_6564_6c65);
        let (mut needles, mut due) = (Vec::new(), <[Vec<(u64, usize)>; CARRIERS.len()]>::default());
        for (carrier, due) in CARRIERS.iter().zip(&mut due) {
            for number in 0..OF_EACH * EVENTS.len() {
                let value = value(carrier.kind, number, &mut rng);
                let mut place = || (rng.range(0, records.saturating_sub(1)), needles.len());
                due.extend((0..EVENTS[number % EVENTS.len()]).map(|_| place()));
                needles.push(Needle { kind: carrier.kind.to_owned(), value, events: 0 });
            }
            due.sort_unstable_by(|a, b| b.cmp(a));
        }
        Self { needles, due, seen: 0 }
    }

    /// Puts the needle that is due, if one is, into the next record, which is of that lane.
    pub fn pass(&mut self, lane: &str, record: &mut Vec<u8>) {
        self.seen += 1;
        for (carrier, due) in CARRIERS.iter().zip(&mut self.due) {
            if carrier.lane != lane {
                continue;
            }
            let Some((_, needle)) = due.last().copied().filter(|(from, _)| *from < self.seen)
            else {
                continue;
            };
            let Some(range) = carrier.range(record) else { continue };
            due.pop();
            if let Some(needle) = self.needles.get_mut(needle) {
                let value = written(&needle.kind, &needle.value);
                record.splice(range, value.bytes());
                needle.events += 1;
            }
        }
    }

    /// The needles that are in the records passed.
    pub fn planted(self) -> Vec<Needle> {
        self.needles.into_iter().filter(|needle| needle.events > 0).collect()
    }
}

impl Carrier {
    /// Where in a record the value stands that a needle replaces.
    fn range(&self, record: &[u8]) -> Option<std::ops::Range<usize>> {
        let before = self.before.as_bytes();
        let start = record.windows(before.len()).position(|part| part == before)? + before.len();
        let rest = record.get(start..)?;
        Some(start..start + rest.iter().position(|byte| *byte == self.behind)?)
    }
}

fn value(kind: &str, number: usize, rng: &mut Rng) -> String {
    match kind {
        // Reserved for documentation; the generator has none of them.
        "ip" => format!("192.0.2.{}", number + 1),
        "domain" => format!("n{:012x}.example.net", rng.bits() >> 16),
        "hash" => format!("{:016x}{:016x}{:08x}", rng.bits(), rng.bits(), rng.bits() as u32),
        "user" => format!("n{:08x}", rng.bits() as u32),
        _ => format!("n{:016x}", rng.bits()),
    }
}

/// As devices write the value.
fn written(kind: &str, value: &str) -> String {
    if kind != "hash" {
        return value.to_owned();
    }
    let pairs = value.as_bytes().chunks(2).map(String::from_utf8_lossy);
    pairs.collect::<Vec<_>>().join(":")
}

/// Keeps the needles of a data directory for later runs over it.
///
/// # Errors
/// Those of the file system.
pub fn keep(needles: &[Needle], file: &Path) -> anyhow::Result<()> {
    Ok(std::fs::write(file, serde_json::to_vec(needles)?)?)
}

/// The needles of a data directory that [`keep`] wrote.
///
/// # Errors
/// A file that cannot be read.
pub fn kept(file: &Path) -> anyhow::Result<Vec<Needle>> {
    Ok(serde_json::from_slice(&std::fs::read(file)?)?)
}

/// The needles by kind and number of events.
pub fn grouped(needles: &[Needle]) -> BTreeMap<(String, u64), Vec<&Needle>> {
    let mut all: BTreeMap<(String, u64), Vec<&Needle>> = BTreeMap::new();
    for needle in needles {
        all.entry((needle.kind.clone(), needle.events)).or_default().push(needle);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_needle_stands_where_another_value_stood_as_often_as_it_says() {
        let mut planter = Planter::new(1, 3_000);
        let mut count: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        // Some more: what is due last waits for a record that can hold it.
        for number in 0..4_000u32 {
            let mut record = format!("kernel: IN=eth0 SRC=10.0.0.{} DST=10.1.1.1", number % 7);
            let lane = if number % 2 == 0 { "iptables" } else { "squid" };
            let mut bytes = std::mem::take(&mut record).into_bytes();
            planter.pass(lane, &mut bytes);
            *count.entry(bytes).or_default() += 1;
        }
        let needles = planter.planted();
        assert_eq!(needles.len(), OF_EACH * EVENTS.len());
        for needle in &needles {
            let record = format!("kernel: IN=eth0 SRC={} DST=10.1.1.1", needle.value);
            assert_eq!(count.get(record.as_bytes()), Some(&needle.events));
        }
        let planted: u64 = needles.iter().map(|needle| needle.events).sum();
        assert_eq!(planted, EVENTS.iter().sum::<u64>() * OF_EACH as u64);
    }

    #[test]
    fn a_hash_is_written_in_pairs() {
        assert_eq!(written("hash", "a1b2c3"), "a1:b2:c3");
        assert_eq!(written("word", "a1b2c3"), "a1b2c3");
    }
}
