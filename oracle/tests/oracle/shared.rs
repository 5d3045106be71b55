//! All published rules over the shared events: equal matches, or a reason.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use yagura_detect::{RuleIndex, Scratch};
use yagura_event::{Context, Dimension, EventBatch, LogsourceId, Reference, SourceChoice};
use yagura_oracle::data::{Published, files, published_rules, records, shared, unpack};
use yagura_oracle::timing::head;
use yagura_oracle::{Comparison, Pair};

/// Of how many records the short run takes one.
const SAMPLE_EVERY: u64 = 23;

/// How long the short run may compare; it says so where it stops early.
const SAMPLE_TIME: Duration = Duration::from_secs(60);

/// Archives and folders of events.
const EVENTS: &[&str] = &[
    "sigma/sigma-regression.tar.zst",
    "windows/evtx-attack-samples/evtx-attack-samples.tar.zst",
    "windows/evtx-to-mitre-attack/evtx-to-mitre-attack.tar.zst",
    "windows/evtx-parser-cases/evtx-parser-cases.tar.zst",
    "windows/mordor",
    "scenarios",
    "logs",
    "cloud",
    "network",
];

/// Files that hold no events, by the end of their names.
const NOT_EVENTS: &[&str] = &[
    "ORIGIN.txt",
    ".md",
    ".yml",
    ".yaml",
    ".pcap",
    ".pcap.zst",
    ".json.pairs",
    "LICENSE",
    "expected.json",
    "GROUND_TRUTH.json",
    ".csv",
    ".png",
    ".tsv",
    ".assert",
];

pub fn full() -> bool {
    std::env::var_os("YAGURA_FULL").is_some()
}

pub fn pair(which: Published) -> Option<Pair> {
    let rules = published_rules(&shared("sigma/sigma-rules.tar.zst")?, which).unwrap();
    assert!(rules.len() > 3_700, "{} rule files", rules.len());
    let pair = Pair::new(&rules, &[]).unwrap_or_else(|error| panic!("{error}"));
    println!("{} rules in force in both engines", pair.rule_count());
    Some(pair)
}

#[test]
fn published_rules_load_alike() {
    let Some(pair) = pair(Published::All) else { return };
    let differences = pair.load_differences();
    for difference in &differences {
        println!("{difference:?}");
    }
    assert!(differences.iter().all(|difference| difference.clause.is_some()));
    assert!(pair.rule_count() > 3_700);
}

/// Routing by itself, in the words of the design: a named dimension must be the event's.
#[test]
fn routing_is_strict() {
    let Some(pair) = pair(Published::All) else { return };
    let mut checked = 0;
    for at in 1..pair.parser.sources().logsources().all().len() {
        let id = LogsourceId(at as u16);
        let event = pair.logsource(id);
        for (rule, info) in pair.rules.rules.iter().enumerate() {
            let Some(named) = &info.logsource else { continue };
            let dimensions = [
                (&named.product, &event.product),
                (&named.service, &event.service),
                (&named.category, &event.category),
            ];
            let equal = dimensions.iter().all(|(rule, event)| match (rule, event) {
                (None, _) | (_, Dimension::Unknown) => true,
                (Some(rule), Dimension::Known(event)) => **rule == **event,
                (Some(_), Dimension::None) => false,
            });
            let hopeless =
                dimensions.iter().any(|(rule, event)| rule.is_some() && **event == Dimension::None)
                    || matches!((&named.product, &event.product),
                    (Some(rule), Dimension::Known(event)) if **rule != **event);
            let meets = pair.matcher.meets(RuleIndex(rule as u32), id);
            assert!(!equal || meets, "{} and {event:?}", info.id);
            assert!(!hopeless || !meets, "{} and {event:?}", info.id);
            checked += 1;
        }
    }
    assert!(checked > 100_000, "{checked}");
}

#[test]
fn recorded_events_give_equal_matches() {
    let Some(pair) = pair(Published::All) else { return };
    let mut run = Run {
        pair: &pair,
        scratch: Scratch::new(),
        batch: EventBatch::default(),
        total: Comparison::default(),
        every: if full() { 1 } else { SAMPLE_EVERY },
        until: (!full()).then(|| Instant::now() + SAMPLE_TIME),
    };
    for part in EVENTS {
        let Some(path) = shared(part) else { continue };
        let before = run.total.clone();
        let begun = Instant::now();
        run.path(&path);
        println!(
            "{part}: {} events, {} matches, {:.1} s",
            run.total.events - before.events,
            run.total.agreed - before.agreed,
            begun.elapsed().as_secs_f64()
        );
    }
    println!("{}", run.total);
    assert_eq!(run.total.unexplained, 0, "{}", run.total);
    let least = if full() { 100_000 } else { 3_000 };
    assert!(run.total.events >= least && run.total.agreed > 100, "{}", run.total);
}

struct Run<'a> {
    pair: &'a Pair,
    scratch: Scratch,
    batch: EventBatch,
    total: Comparison,
    every: u64,
    until: Option<Instant>,
}

impl Run<'_> {
    fn path(&mut self, path: &Path) {
        let name = path.to_string_lossy();
        if NOT_EVENTS.iter().any(|end| name.ends_with(end)) {
            return;
        }
        if path.is_dir() {
            files(path).unwrap().iter().for_each(|path| self.path(path));
        } else if name.ends_with(".tar.zst") {
            let folder = unpack(path).unwrap();
            let inner: Vec<PathBuf> = files(folder.path()).unwrap();
            inner.iter().for_each(|path| self.path(path));
        } else {
            self.file(path);
        }
    }

    fn file(&mut self, path: &Path) {
        let context = Context::new("default", "oracle", SourceChoice::Auto, Reference::Received);
        let context = Arc::new(context);
        let (pair, until, every) = (self.pair, self.until, self.every);
        let (batch, scratch, total) = (&mut self.batch, &mut self.scratch, &mut self.total);
        // A file that cannot be read to its end has given what it holds.
        let _ = records(path, every, &mut |record| {
            if until.is_some_and(|until| Instant::now() > until) {
                println!("stopped after {SAMPLE_TIME:?} in {}", path.display());
                return false;
            }
            batch.clear();
            pair.parser.parse(&context, &head(1), record, batch);
            for event in batch.iter() {
                pair.compare(event, scratch, total);
            }
            true
        });
    }
}
