//! Needles: values that few events have, looked for in everything.

use crate::bench::Report;
use crate::bench::planter::{self, Needle};
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Runtime;
use yagura_event::TenantScope;
use yagura_lake::search::run::Wanted;
use yagura_lake::search::{Search, Shown, Spec, search};
use yagura_lake::{LakeView, Seen, SqlLimits, each_sighting};
use yagura_testkit::rng::Rng;

/// Longest word that is looked for; encoded programs are longer than a query may be.
const WORD_BYTES_MAX: usize = 128;

/// Needles of each kind.
const NEEDLES: usize = 20;

/// Looks for the planted values and for the rarest that the generator makes by itself, each with
/// nothing of the files in the system's memory where that can be emptied.
///
/// # Errors
/// Tables that cannot be read; a planted value that another number of events has.
pub fn run(
    runtime: &Runtime,
    view: &Arc<LakeView>,
    planted: &[Needle],
    report: &mut Report,
    input: &str,
) -> anyhow::Result<()> {
    if !forget_files() {
        eprintln!("the system's memory of files cannot be emptied here: needles are warm");
    }
    let timed = |kind: &str, value: &str| -> anyhow::Result<(u64, f64)> {
        let query = query(kind, value);
        forget_files();
        let began = Instant::now();
        let found = look(runtime, view, &query, 1_000)?;
        anyhow::ensure!(found > 0, "{query} finds nothing, but was taken from the events");
        Ok((found, began.elapsed().as_secs_f64() * 1e3))
    };
    let mut all = Vec::new();
    for ((kind, events), needles) in planter::grouped(planted) {
        let mut times = Vec::new();
        for Needle { value, .. } in needles {
            let (found, ms) = timed(&kind, value)?;
            anyhow::ensure!(found == events, "{kind} {value}: {found} events, not {events}");
            times.push(ms);
        }
        all.extend(&times);
        summary(report, "needle", &format!("{kind}/{events}"), times, input);
    }
    p99(report, "needle", all, input);
    let mut rng = Rng::new(1);
    let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (kind, needles) in values(view)? {
        let events = needles.iter().map(|(_, events)| *events).max().unwrap_or_default();
        report.add(format!("lake_rare_events_max/{kind}"), events as f64, "events", input);
        kinds.insert(kind, needles.into_iter().map(|(value, _)| value).collect());
    }
    kinds.insert("word".to_owned(), words(runtime, view, &kinds, &mut rng)?);
    let mut all = Vec::new();
    for (kind, needles) in &kinds {
        let times = needles.iter().map(|needle| Ok(timed(kind, needle)?.1));
        let times = times.collect::<anyhow::Result<Vec<f64>>>()?;
        all.extend(&times);
        summary(report, "rare", kind, times, input);
    }
    p99(report, "rare", all, input);
    let began = Instant::now();
    look(runtime, view, "dst_port:443", 1_000)?;
    report.add("lake_common_ms", began.elapsed().as_secs_f64() * 1e3, "ms", input);
    Ok(())
}

/// The search for a value.
fn query(kind: &str, value: &str) -> String {
    let quoted = format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
    if kind == "word" { quoted } else { format!("{kind}:{quoted}") }
}

/// Middle and greatest of times.
fn summary(report: &mut Report, what: &str, of: &str, mut times: Vec<f64>, input: &str) {
    times.sort_by(f64::total_cmp);
    let (Some(half), Some(most)) = (times.get(times.len() / 2), times.last()) else { return };
    report.add(format!("lake_{what}_ms_p50/{of}"), *half, "ms", input);
    report.add(format!("lake_{what}_ms_max/{of}"), *most, "ms", input);
}

fn p99(report: &mut Report, what: &str, mut times: Vec<f64>, input: &str) {
    times.sort_by(f64::total_cmp);
    if let Some(p99) = times.get((times.len() as f64 * 0.99) as usize) {
        report.add(format!("lake_{what}_ms_p99"), *p99, "ms", input);
    }
}

/// Whether the system forgot what it holds of files; only a privileged user may ask for it.
fn forget_files() -> bool {
    std::fs::write("/proc/sys/vm/drop_caches", "1").is_ok()
}

/// The rarest values of each kind over everything, with the number of their events.
fn values(view: &LakeView) -> anyhow::Result<BTreeMap<String, Vec<(String, u64)>>> {
    let hash = |value: &str| {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        hasher.finish()
    };
    // A value has a row for each tenant, source and file.
    let mut sums: BTreeMap<String, HashMap<u64, u64>> = BTreeMap::new();
    let mut add = |seen: Seen<'_>| {
        if !sums.contains_key(seen.kind) {
            sums.insert(seen.kind.to_owned(), HashMap::new());
        }
        if let Some(sums) = sums.get_mut(seen.kind) {
            *sums.entry(hash(seen.value)).or_default() += seen.count;
        }
    };
    let scope = TenantScope::operator();
    each_sighting(view, &scope, &mut add, &|_, _| true)?;
    for sums in sums.values_mut() {
        let mut least: Vec<(u64, u64)> = sums.iter().map(|(hash, sum)| (*sum, *hash)).collect();
        least.sort_unstable();
        least.truncate(NEEDLES);
        *sums = least.into_iter().map(|(sum, hash)| (hash, sum)).collect();
    }
    let mut rarest: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    let mut take = |seen: Seen<'_>| {
        if let Some(sum) = sums.get(seen.kind).and_then(|sums| sums.get(&hash(seen.value))) {
            let values = rarest.entry(seen.kind.to_owned()).or_default();
            values.insert(seen.value.to_owned(), *sum);
        }
    };
    each_sighting(view, &scope, &mut take, &|_, _| true)?;
    Ok(rarest.into_iter().map(|(kind, values)| (kind, values.into_iter().collect())).collect())
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
    // Some records have no word that can be asked for.
    for _ in 0..10 * NEEDLES {
        if words.len() == NEEDLES || all.is_empty() {
            break;
        }
        let (kind, value) = all[rng.range(0, all.len() as u64 - 1) as usize];
        let query = query(kind, value);
        let spec = Spec { query: &query, columns: Some("raw"), sort: None, limit: 1 };
        let asked = Search::new(&spec, 0).map_err(|no| anyhow::anyhow!(no.to_string()))?;
        let shown: Vec<Shown> = asked.columns.clone().unwrap_or_default();
        let limits = SqlLimits { time_ms: 600_000, ..SqlLimits::default() };
        let scope = TenantScope::operator();
        let wanted = Wanted::Columns(&shown);
        let answer = runtime.block_on(search(Arc::clone(view), scope, &asked, wanted, &limits))?;
        anyhow::ensure!(answer.matched > 0, "{query} finds nothing, but was taken from the events");
        let raw = shown.first().map(|column| column.text(&answer.rows, 0)).unwrap_or_default();
        let parts = raw.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let longest =
            parts.filter(|word| word.len() <= WORD_BYTES_MAX).max_by_key(|word| word.len());
        let Some(longest) = longest else { continue };
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
