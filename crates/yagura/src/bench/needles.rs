//! Needles: values that few events have, looked for in everything.

use crate::bench::Report;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Runtime;
use yagura_event::TenantScope;
use yagura_lake::search::run::Wanted;
use yagura_lake::search::{Search, Shown, Spec, search};
use yagura_lake::{LakeView, Seen, SqlLimits, each_sighting};
use yagura_testkit::rng::Rng;

/// Needles of each kind.
const NEEDLES: usize = 20;

/// A needle is in at most so many events.
const EVENTS_MAX: u64 = 20;

/// Looks for values of each kind, each with nothing of the files in the system's memory where
/// that can be emptied.
///
/// # Errors
/// Tables that cannot be read.
pub fn run(
    runtime: &Runtime,
    view: &Arc<LakeView>,
    report: &mut Report,
    input: &str,
) -> anyhow::Result<()> {
    let mut rng = Rng::new(1);
    let mut kinds = values(view, &mut rng)?;
    kinds.insert("word".to_owned(), words(runtime, view, &kinds, &mut rng)?);
    let cold = forget_files();
    if !cold {
        eprintln!("the system's memory of files cannot be emptied here: needles are warm");
    }
    let mut all = Vec::new();
    for (kind, needles) in &kinds {
        let mut times = Vec::new();
        for needle in needles {
            let quoted = format!("\"{}\"", needle.replace('\\', "\\\\").replace('"', "\\\""));
            let query = if kind == "word" { quoted } else { format!("{kind}:{quoted}") };
            if cold {
                forget_files();
            }
            let began = Instant::now();
            let found = look(runtime, view, &query, 1_000)?;
            times.push(began.elapsed().as_secs_f64() * 1e3);
            anyhow::ensure!(found > 0, "{query} finds nothing, but was taken from the events");
        }
        times.sort_by(f64::total_cmp);
        all.extend(&times);
        let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied();
        let (Some(half), Some(most)) = (at(0.5), times.last()) else { continue };
        report.add(format!("lake_needle_ms_p50/{kind}"), half, "ms", input);
        report.add(format!("lake_needle_ms_max/{kind}"), *most, "ms", input);
    }
    all.sort_by(f64::total_cmp);
    if let Some(p99) = all.get((all.len() as f64 * 0.99) as usize) {
        report.add("lake_needle_ms_p99", *p99, "ms", input);
    }
    let began = Instant::now();
    look(runtime, view, "dst_port:443", 1_000)?;
    report.add("lake_common_ms", began.elapsed().as_secs_f64() * 1e3, "ms", input);
    Ok(())
}

/// Whether the system forgot what it holds of files; only a privileged user may ask for it.
fn forget_files() -> bool {
    std::fs::write("/proc/sys/vm/drop_caches", "1").is_ok()
}

/// Rare values of each kind, chosen evenly among all.
fn values(view: &LakeView, rng: &mut Rng) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let mut kinds: BTreeMap<String, (u64, Vec<String>)> = BTreeMap::new();
    let mut take = |seen: Seen<'_>| {
        if seen.count > EVENTS_MAX {
            return;
        }
        let (number, chosen) = kinds.entry(seen.kind.to_owned()).or_default();
        *number += 1;
        if chosen.len() < NEEDLES {
            chosen.push(seen.value.to_owned());
        } else if let Some(slot) = chosen.get_mut(rng.range(0, *number - 1) as usize) {
            seen.value.clone_into(slot);
        }
    };
    each_sighting(view, &TenantScope::operator(), &mut take, &|_, _| true)?;
    Ok(kinds.into_iter().map(|(kind, (_, chosen))| (kind, chosen)).collect())
}

/// Rare words: the longest of records that rare values are in.
fn words(
    runtime: &Runtime,
    view: &Arc<LakeView>,
    kinds: &BTreeMap<String, Vec<String>>,
    rng: &mut Rng,
) -> anyhow::Result<Vec<String>> {
    let mut words = Vec::new();
    let all: Vec<(&String, &String)> =
        kinds.iter().flat_map(|(kind, values)| values.iter().map(move |v| (kind, v))).collect();
    while words.len() < NEEDLES && !all.is_empty() {
        let (kind, value) = all[rng.range(0, all.len() as u64 - 1) as usize];
        let query = format!("{kind}:\"{}\"", value.replace('\\', "\\\\"));
        let spec = Spec { query: &query, columns: Some("raw"), sort: None, limit: 1 };
        let asked = Search::new(&spec, 0).map_err(|no| anyhow::anyhow!(no.to_string()))?;
        let shown: Vec<Shown> = asked.columns.clone().unwrap_or_default();
        let limits = SqlLimits { time_ms: 600_000, ..SqlLimits::default() };
        let scope = TenantScope::operator();
        let wanted = Wanted::Columns(&shown);
        let answer = runtime.block_on(search(Arc::clone(view), scope, &asked, wanted, &limits))?;
        let raw = shown.first().map(|column| column.text(&answer.rows, 0)).unwrap_or_default();
        let parts = raw.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let longest = parts.max_by_key(|word| word.len()).unwrap_or_default();
        words.push(longest.to_owned());
    }
    Ok(words)
}

fn look(runtime: &Runtime, view: &Arc<LakeView>, query: &str, limit: usize) -> anyhow::Result<u64> {
    let spec = Spec { query, columns: None, sort: None, limit };
    let asked = Search::new(&spec, 0).map_err(|no| anyhow::anyhow!(no.to_string()))?;
    let limits = SqlLimits { time_ms: 600_000, ..SqlLimits::default() };
    let scope = TenantScope::operator();
    let shown = Shown::table();
    let wanted = Wanted::Columns(&shown);
    let answer = runtime.block_on(search(Arc::clone(view), scope, &asked, wanted, &limits))?;
    Ok(answer.matched)
}
