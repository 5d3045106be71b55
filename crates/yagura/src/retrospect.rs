//! Rules run over the past: records that are kept are parsed and matched as when they came, and
//! their matches correlated in the order of their times, as those of a batch are.

use crate::engine::{Engine, Scratch};
use crate::pipeline::work::parse_guarded;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use yagura_detect::correlate::{BatchCorrelator, Limits};
use yagura_detect::{RuleIndex, RuleKind, RuleSet};
use yagura_event::{
    ClassUid, Context, ContextId, EventBatch, Finding, Lsn, Match, Micros, TenantScope,
};
use yagura_lake::past::{Classes, Past, PastCost, PastProgress, PastRecord, each_past, past_cost};
use yagura_lake::{LakeError, LakeView};
use yagura_parse::{RecordHeader, Sources};

/// Most matches of one run: they are sorted in memory, about a kilobyte each. Beyond, the run ends
/// and says so; what it found until then is incomplete.
pub const MATCHES_MAX: usize = 250_000;

/// Most findings of one run that are kept, the newest; the others are counted.
pub const FINDINGS_MAX: usize = 10_000;

/// What is run over what.
pub struct Retrospect {
    engine: Engine,
    /// Of which rules findings are reported; of all where empty.
    wanted: BTreeSet<String>,
    past: Past,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The findings, by first time.
    pub findings: Vec<Finding>,
    /// All of them, with those that are not kept.
    pub found: u64,
    /// Matches.
    pub matches: u64,
    /// Whether there were more matches than can be correlated.
    pub full: bool,
}

/// What a run is asked for.
#[derive(Clone, Debug, Default)]
pub struct Span {
    /// Events at or after this time.
    pub from: Option<Micros>,
    /// Events before this time.
    pub until: Option<Micros>,
}

impl Retrospect {
    /// The rules of `set` over `span`; findings of `wanted` are reported, of all where it is empty.
    pub fn new(sources: Arc<Sources>, set: RuleSet, wanted: BTreeSet<String>, span: Span) -> Self {
        let engine = Engine::new(sources, Arc::new(set));
        let past = Past { sources: Some(sources_of(&engine)), from: span.from, until: span.until };
        Self { engine, wanted, past }
    }

    /// The rules.
    pub fn rules(&self) -> &RuleSet {
        self.engine.rules()
    }

    /// Sources whose events the rules can hit.
    pub fn sources(&self) -> impl Iterator<Item = &String> {
        self.past.sources.iter().flat_map(BTreeMap::keys)
    }

    /// What there is to read.
    pub fn cost(&self, view: &LakeView, scope: &TenantScope) -> PastCost {
        past_cost(view, scope, &self.past)
    }

    /// Runs. `context` gives contexts by their ids, `poisoned` says which records must not be parsed,
    /// `go_on` is told how far it is and how many matches there are, and says whether to go on.
    ///
    /// # Errors
    /// Data files that cannot be read; [`LakeError::Limit`] where `go_on` said no.
    pub fn run(
        &self,
        view: &LakeView,
        scope: &TenantScope,
        context: &dyn Fn(ContextId) -> Option<Arc<Context>>,
        poisoned: &dyn Fn(Lsn) -> bool,
        go_on: &dyn Fn(PastProgress, u64) -> bool,
    ) -> Result<Outcome, LakeError> {
        let mut run = Run::new(&self.engine);
        let matched = std::cell::Cell::new(0u64);
        let full = std::cell::Cell::new(false);
        let mut take = |record: PastRecord<'_>| {
            if !full.get() && !poisoned(record.id.lsn()) {
                run.take(record, context);
                matched.set(run.matches.len() as u64);
                full.set(run.matches.len() >= MATCHES_MAX);
            }
        };
        let goes_on = |progress: PastProgress| !full.get() && go_on(progress, matched.get());
        match each_past(view, scope, &self.past, &mut take, &goes_on) {
            Err(_) if full.get() => {}
            done => done?,
        }
        Ok(self.judged(run.matches, full.get()))
    }

    fn judged(&self, mut matches: Vec<Match>, full: bool) -> Outcome {
        matches.sort_by(|a, b| (a.time, a.event, &a.rule).cmp(&(b.time, b.event, &b.rule)));
        let plan = Arc::clone(self.engine.plan());
        let mut correlator = BatchCorrelator::new(plan, Limits::default(), Lsn(1));
        matches.iter().for_each(|found| correlator.push(found));
        let mut findings = correlator.finish().findings;
        findings.retain(|f| self.wanted.is_empty() || self.wanted.contains(&f.rule));
        findings.iter_mut().for_each(|finding| finding.retrospective = true);
        let found = findings.len();
        let kept = findings.split_off(found.saturating_sub(FINDINGS_MAX));
        Outcome { findings: kept, found: found as u64, matches: matches.len() as u64, full }
    }
}

/// The sources of whose events some rule can hit some, and of which classes these are.
fn sources_of(engine: &Engine) -> BTreeMap<String, Classes> {
    let sources = engine.sources();
    let of_it = |index: u16| {
        let name = sources.name(index)?.to_owned();
        let met = sources.events_of(index);
        let met = met.filter(|(place, class)| engine.matcher().meets_any(*place, *class));
        let classes: BTreeSet<ClassUid> = met.map(|(_, class)| class).collect();
        (!classes.is_empty()).then_some((name, Classes::Of(classes)))
    };
    let all = (0..u16::MAX).take_while(|index| sources.name(*index).is_some());
    all.filter_map(of_it).collect()
}

/// State of a run.
struct Run<'e> {
    engine: &'e Engine,
    scratch: Scratch,
    batch: EventBatch,
    matches: Vec<Match>,
    /// Contexts at hand: neighbours mostly share theirs.
    contexts: BTreeMap<ContextId, Option<Arc<Context>>>,
}

/// Contexts at hand, at most.
pub const CONTEXTS_MAX: usize = 4_096;

impl<'e> Run<'e> {
    fn new(engine: &'e Engine) -> Self {
        Self {
            engine,
            scratch: Scratch::default(),
            batch: EventBatch::default(),
            matches: Vec::new(),
            contexts: BTreeMap::new(),
        }
    }

    fn take(
        &mut self,
        record: PastRecord<'_>,
        context: &dyn Fn(ContextId) -> Option<Arc<Context>>,
    ) {
        if self.contexts.len() >= CONTEXTS_MAX {
            self.contexts.clear();
        }
        let known = self.contexts.entry(record.context).or_insert_with(|| context(record.context));
        // Contexts go with their tenant.
        let Some(context) = known else { return };
        self.batch.clear();
        parse_guarded(self.engine, context, &header(&record), record.bytes, &mut self.batch);
        for event in self.batch.iter() {
            self.engine.match_event(event, &mut self.scratch, |found, _| self.matches.push(found));
        }
    }
}

/// What a record of the past has beside its bytes. Who sent it and where it stood are not kept, and no
/// source reads them.
pub fn header(record: &PastRecord<'_>) -> RecordHeader<'static> {
    RecordHeader {
        id: record.id,
        received_time: record.received_time,
        stream: record.stream,
        batch: record.batch,
        peer: "",
        position: 0,
    }
}

/// The files among `texts` of the rules of `ids`, and of all that these refer to.
///
/// # Errors
/// The first id that is no rule's of `set`.
pub fn files_of(
    set: &RuleSet,
    texts: &[(String, String)],
    ids: &BTreeSet<String>,
) -> Result<Vec<(String, String)>, String> {
    let mut wanted: Vec<RuleIndex> = Vec::new();
    for id in ids {
        wanted.push(set.by_id(id).ok_or_else(|| id.clone())?.0);
    }
    let mut seen: BTreeSet<u32> = BTreeSet::new();
    let mut paths: BTreeSet<&str> = BTreeSet::new();
    while let Some(index) = wanted.pop() {
        let Some(rule) = set.get(index).filter(|_| seen.insert(index.0)) else { continue };
        paths.insert(rule.path.as_str());
        if let RuleKind::Correlation(correlation) = &rule.kind {
            wanted.extend(correlation.rules.iter().copied());
        }
    }
    // Filters apply to rules of other files.
    let filters = set.rules.iter().filter(|rule| matches!(rule.kind, RuleKind::Filter));
    paths.extend(filters.map(|rule| rule.path.as_str()));
    Ok(texts.iter().filter(|(path, _)| paths.contains(path.as_str())).cloned().collect())
}
