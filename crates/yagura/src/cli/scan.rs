//! `yagura scan`: matches from files, no server.

use crate::cli::args::{Format, ScanArgs};
use crate::cli::offline::{
    charset, context_of, framer, hash_of, header, prepare, report, source_choice, unread,
};
use crate::cli::{Usage, rules_there, table};
use crate::engine::{Engine, Scratch};
use crate::inputs::{self, Listing};
use crate::intel::Intel;
use crate::rules;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use yagura_detect::RuleSet;
use yagura_detect::correlate::{BatchCorrelator, INDICATOR, Limits, RulePlan};
use yagura_event::{EventBatch, Finding, Level, Lsn, Match};
use yagura_parse::{Contexts, Sources, UNRECOGNISED};
use yagura_verdict::finding_json;

/// Most failed rules named on standard error; `yagura rules check` names all.
const FAILED_SHOWN_MAX: usize = 50;

/// Where a record stood: (input, number from 1).
type Places = HashMap<u128, (usize, u64)>;

#[derive(Default)]
struct Counts {
    records: u64,
    unparsed: u64,
}

/// Runs the scan.
///
/// # Errors
/// [`Usage`] for wrong arguments; inputs that cannot be read.
pub fn run(args: &ScanArgs) -> anyhow::Result<()> {
    let Some(min_level) = Level::from_word(&args.min_level) else {
        let text = format!(
            "level {:?} is not one of informational, low, medium, high, critical",
            args.min_level
        );
        return Err(Usage(text).into());
    };
    let sources = Arc::new(Sources::builtin()?);
    let source = source_choice(&sources, &args.source)?;
    let charset = charset(&args.time)?;
    let (set, engine) = engine_of(args, sources)?;
    let Listing { inputs: files, faults, .. } = inputs::list(&args.inputs, &[])?;
    report(&faults);
    let began = Instant::now();
    let (readers, reference) = prepare(&engine, &files, &source, &args.time)?;
    let (mut matches, mut places, mut counts) = (Vec::new(), Places::new(), Counts::default());
    let bar = io::stderr().is_terminal().then(|| indicatif::ProgressBar::new(files.len() as u64));
    let mut scratch = Scratch::default();
    for (at, (input, reader)) in files.iter().zip(readers).enumerate() {
        let mut contexts = Contexts::new(context_of(input, &source, reference, &args.time));
        let hash = hash_of(&input.path.to_string_lossy());
        let (reader, fault) = reader.open(input)?;
        let mut framer = framer(&engine, reader, &source, charset);
        let mut batch = EventBatch::default();
        while let Some(frame) = framer.next_frame().with_context(|| unread(input))? {
            batch.clear();
            let head = header(hash, frame.number, frame.position, reference);
            engine.parser().parse(contexts.of(&frame), &head, frame.bytes, &mut batch);
            counts.records += 1;
            let before = matches.len();
            match_batch(&engine, &batch, &mut scratch, &mut counts, &mut matches);
            for found in &matches[before..] {
                places.insert(found.event, (at, frame.number));
            }
        }
        report(&inputs::faults(&input.path, &fault, &mut framer));
        if let Some(bar) = &bar {
            bar.inc(1);
        }
    }
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    let suppressed = suppressed(&engine, &matches);
    let mut found = results(&engine, matches, args.dedup)?;
    found.retain(|finding| finding.level >= min_level);
    if args.format == Format::Timeline {
        found.sort_by_key(|f| (f.first_time, f.id));
    }
    let names: Vec<String> = files.iter().map(|f| f.path.to_string_lossy().into_owned()).collect();
    print(args.format, &found, &places, &names)?;
    summary(&set, &counts, found.len(), began);
    for (title, count) in suppressed {
        eprintln!("{title}: {count}");
    }
    Ok(())
}

/// The engine of the rules and lists that are named, and the rules.
fn engine_of(args: &ScanArgs, sources: Arc<Sources>) -> anyhow::Result<(Arc<RuleSet>, Engine)> {
    if args.rules.is_empty() && args.intel.is_empty() {
        let text = "name what to look for: --rules PATH, --intel FILE or both";
        return Err(Usage(text.to_owned()).into());
    }
    rules_there(&args.rules)?;
    let set = Arc::new(rules::load(false, None, &args.rules));
    if set.rules.is_empty() && !args.rules.is_empty() {
        failed_rules(&set);
        anyhow::bail!("no rule could be loaded; `yagura rules check` says why");
    }
    let engine = Engine::new(sources, Arc::clone(&set));
    if args.intel.is_empty() {
        return Ok((set, engine));
    }
    let lists: Vec<PathBuf> = args.intel.iter().chain(&args.warninglist).cloned().collect();
    if let Some(path) = lists.iter().find(|path| !path.exists()) {
        return Err(Usage(format!("there is no list at {}", path.display())).into());
    }
    let intel = Intel::load(&args.intel, &args.warninglist, args.intel_wide)?;
    eprintln!("{}", intel.report);
    anyhow::ensure!(
        intel.set.count() > 0 || !args.rules.is_empty(),
        "no indicator could be loaded; the lines above say why"
    );
    let engine = engine.with_indicators(Some(intel.set));
    Ok((set, engine))
}

fn match_batch(
    engine: &Engine,
    batch: &EventBatch,
    scratch: &mut Scratch,
    counts: &mut Counts,
    out: &mut Vec<Match>,
) {
    for event in batch.iter() {
        let head = event.event();
        counts.unparsed += u64::from(head.source == UNRECOGNISED);
        engine.match_event(event, scratch, |found, _| out.push(found));
    }
}

/// Hits of indicators that warning lists cover, by the list's title.
fn suppressed(engine: &Engine, matches: &[Match]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for found in matches {
        let rule = engine.plan().rule(&found.rule);
        if let Some(rule) = rule.filter(|rule| rule.indicator && !rule.finding) {
            *counts.entry(rule.title.clone()).or_default() += 1;
        }
    }
    counts
}

/// Matches of rules as findings of one event each, and the findings of correlations; with
/// `dedup` the findings of rules, too.
fn results(engine: &Engine, matches: Vec<Match>, dedup: bool) -> anyhow::Result<Vec<Finding>> {
    let mut single = Vec::new();
    if !dedup {
        for found in &matches {
            if let Some(rule) = engine.plan().rule(&found.rule).filter(|rule| rule.finding) {
                single.push(finding_of(found, rule));
            }
        }
    }
    let mut sorted = matches;
    sorted.sort_by(|a, b| (a.time, a.event, &a.rule).cmp(&(b.time, b.event, &b.rule)));
    let plan = Arc::clone(engine.plan());
    let ok = sorted.into_iter().map(Ok::<Match, std::convert::Infallible>);
    let output = BatchCorrelator::run(plan, Limits::default(), Lsn(0), ok)?;
    let plain = |finding: &Finding| finding.kind == "rule" || finding.kind == INDICATOR;
    single.extend(output.findings.into_iter().filter(|f| dedup || !plain(f)));
    Ok(single)
}

fn finding_of(found: &Match, rule: &RulePlan) -> Finding {
    let indicator = found.key(INDICATOR).filter(|_| rule.indicator);
    Finding {
        id: found.id,
        version: 1,
        tenant: found.tenant.clone(),
        rule: found.rule.clone(),
        rule_version: rule.version.clone(),
        title: rule.title.clone(),
        level: rule.level,
        kind: if rule.indicator { INDICATOR } else { "rule" }.to_owned(),
        tags: rule.tags.clone(),
        group: indicator.map(|value| format!("{INDICATOR}={value}")).unwrap_or_default(),
        first_time: found.time,
        last_time: found.time,
        count: 1,
        parties: found.parties.clone(),
        samples: vec![found.sample.as_ref().clone()],
        lsn: 0,
        retrospective: false,
    }
}

/// The place of the deciding event: the last one of the samples.
fn place(finding: &Finding, places: &Places) -> Option<(usize, u64)> {
    finding.samples.iter().rev().find_map(|sample| places.get(&sample.event).copied())
}

fn print(
    format: Format,
    found: &[Finding],
    places: &Places,
    names: &[String],
) -> anyhow::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let header = ["time", "level", "rule", "count", "input", "record"];
    let mut rows = Vec::new();
    for finding in found {
        let at = place(finding, places);
        let input = at.and_then(|(input, _)| names.get(input)).cloned().unwrap_or_default();
        let record = at.map_or(0, |(_, record)| record);
        if format == Format::Ndjson {
            let mut value: Value = finding_json(finding);
            value["input"] = json!(input);
            value["record"] = json!(record);
            writeln!(out, "{value}")?;
            continue;
        }
        rows.push(vec![
            yagura_event::time::rfc3339(finding.last_time),
            finding.level.word().to_owned(),
            finding.title.clone(),
            finding.count.to_string(),
            input,
            record.to_string(),
        ]);
    }
    match format {
        Format::Ndjson => {}
        Format::Csv => {
            writeln!(out, "{}", header.join(","))?;
            for row in &rows {
                let cells: Vec<String> = row.iter().map(|c| quoted(c)).collect();
                writeln!(out, "{}", cells.join(","))?;
            }
        }
        Format::Table | Format::Timeline => write!(out, "{}", table::render(&header, &rows))?,
    }
    Ok(out.flush()?)
}

/// A CSV cell (RFC 4180), with a leading quote mark where a spreadsheet would run it.
pub fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

fn failed_rules(set: &RuleSet) {
    for error in set.errors.iter().take(FAILED_SHOWN_MAX) {
        eprintln!("rule not loaded: {error}");
    }
    if set.errors.len() > FAILED_SHOWN_MAX {
        eprintln!(
            "and {} more; `yagura rules check` names all",
            set.errors.len() - FAILED_SHOWN_MAX
        );
    }
}

fn summary(set: &RuleSet, counts: &Counts, found: usize, began: Instant) {
    let seconds = began.elapsed().as_secs_f64().max(0.001);
    failed_rules(set);
    eprintln!(
        "records {}, parsed {}, unparsed {}; rules loaded {}, failed {}; findings {found}; {:.0} records/s",
        counts.records,
        counts.records - counts.unparsed,
        counts.unparsed,
        set.rules.len(),
        set.errors.len(),
        counts.records as f64 / seconds
    );
}
