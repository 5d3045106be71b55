//! A hunt for as many indicators as one may have, over everything.

use crate::bench::Report;
use crate::bench::planter::Needle;
use crate::cli::online::Place;
use crate::config::Config;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;
use yagura_api::{Backend, HuntList, HuntRequest};
use yagura_event::TenantScope;
use yagura_testkit::rng::Rng;

/// Indicators looked for.
const INDICATORS: usize = 100_000;

/// Of them, addresses out of the range that the generator's sites and clients are in.
const MAYBE_SEEN: usize = 300;

/// Kinds of needles that are indicators.
const KINDS: [&str; 3] = ["ip", "domain", "hash"];

/// What was looked for and found.
pub struct Hunted {
    /// Indicators by kind.
    pub wanted: BTreeMap<&'static str, Vec<String>>,
    /// Events of those that were seen.
    pub events: BTreeMap<String, u64>,
}

/// Looks for the planted needles and for made-up indicators, most of which nobody saw.
///
/// # Errors
/// A directory that cannot be opened; a needle that another number of events has.
pub fn run(
    data: &Path,
    planted: &[Needle],
    report: &mut Report,
    input: &str,
) -> anyhow::Result<Hunted> {
    let mut rng = Rng::new(7);
    let mut wanted: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for kind in KINDS {
        let own = planted.iter().filter(|needle| needle.kind == kind);
        wanted.insert(kind, own.map(|needle| needle.value.clone()).collect());
    }
    let held: usize = wanted.values().map(Vec::len).sum();
    for number in held..INDICATORS {
        let bits = rng.bits();
        let [_, a, b, c, ..] = bits.to_be_bytes();
        let (kind, value) = match number % 3 {
            _ if number < held + MAYBE_SEEN => ("ip", format!("198.{}.{b}.{c}", 18 + a % 2)),
            0 => ("ip", format!("11.{a}.{b}.{c}")),
            1 => ("domain", format!("m{bits:016x}.example.net")),
            _ => ("hash", format!("{bits:016x}{:016x}{:08x}", rng.bits(), rng.bits() as u32)),
        };
        wanted.entry(kind).or_default().push(value);
    }
    wanted.values_mut().for_each(|values| {
        values.sort();
        values.dedup();
    });
    let mut text = String::new();
    for value in wanted.values().flatten() {
        writeln!(text, "{value}")?;
    }
    let lists = vec![HuntList { name: "bench".to_owned(), text }];
    let request = HuntRequest { lists, wide: true, format: Some("ndjson".to_owned()) };
    let place = Place::of(data, &Config::default(), true)?;
    let Place::Here(_, backend) = &place else {
        anyhow::bail!("a server holds {}", data.display());
    };
    let began = Instant::now();
    let reply = backend
        .wait(backend.hunt(&TenantScope::operator(), request))
        .map_err(|error| anyhow::anyhow!("the hunt: {error:?}"))?;
    report.add("lake_hunt_ms", began.elapsed().as_secs_f64() * 1e3, "ms", input);
    report.add("lake_hunt_indicators", reply.stats.indicators as f64, "indicators", input);
    report.add("lake_hunt_sightings", reply.stats.sightings as f64, "rows", input);
    place.close()?;
    anyhow::ensure!(!reply.stats.truncated, "the hunt's answer is cut short");
    let mut events: BTreeMap<String, u64> = BTreeMap::new();
    for line in String::from_utf8_lossy(&reply.body).lines() {
        let line: Value = serde_json::from_str(line)?;
        let (Some(indicator), Some(count)) = (line["indicator"].as_str(), line["events"].as_u64())
        else {
            anyhow::bail!("a line of the hunt's answer without indicator or events: {line}");
        };
        *events.entry(indicator.to_owned()).or_default() += count;
    }
    report.add("lake_hunt_seen", events.len() as f64, "indicators", input);
    for Needle { value, events: there, .. } in planted.iter().filter(|n| KINDS.contains(&&*n.kind))
    {
        let found = events.get(value).copied().unwrap_or_default();
        anyhow::ensure!(found == *there, "hunt for {value}: {found} events, not {there}");
    }
    Ok(Hunted { wanted, events })
}
