//! Rules (and which are off), sources and indicators in force, compiled: one content-addressed
//! epoch.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use yagura_detect::correlate::plan::SUPPRESS_CORRELATION;
use yagura_detect::correlate::{Plan, PlanError, RulePlan};
use yagura_detect::{Hit, Matcher, RuleIndex, RuleSet};
use yagura_enrich::Indicators;
use yagura_event::{EventBatch, EventRef, FieldTable, FieldTableBuilder, Match};
use yagura_parse::{Parser, Sources, UNRECOGNISED};

/// What parse and match need; immutable, shared by every worker.
pub struct Engine {
    sources: Arc<Sources>,
    fields: Arc<FieldTable>,
    rules: Arc<RuleSet>,
    parser: Arc<Parser>,
    matcher: Arc<Matcher>,
    source_names: Arc<[String]>,
    choice: Choice,
    /// Made when it is first asked for: most engines of a start are only steps to the one in force.
    built: OnceLock<Built>,
}

/// What can change without rules and sources being compiled again.
struct Choice {
    /// Ids of rules that are switched off.
    off: BTreeSet<String>,
    indicators: Option<Arc<Indicators>>,
}

/// What follows from rules, sources and a [`Choice`].
struct Built {
    hash: [u8; 16],
    /// By rule, whether its matches are neither stored nor findings.
    feeds_only: Vec<bool>,
    /// By rule, whether anybody wants to know that it matches.
    wanted: Vec<bool>,
    plan: Arc<Plan>,
    plan_errors: Vec<PlanError>,
}

/// A worker's reusable memory.
#[derive(Default)]
pub struct Scratch {
    /// The matcher's.
    pub matcher: yagura_detect::Scratch,
    /// Hits of one event.
    pub hits: Vec<Hit>,
    /// The indicators'.
    pub indicators: yagura_enrich::Scratch,
    found: Vec<Match>,
    /// Relations of one unit of work.
    pub relations: crate::pipeline::known::Known,
    /// Events of one unit of work.
    pub batch: EventBatch,
}

impl Built {
    fn new(sources: &Sources, rules: &RuleSet, choice: &Choice) -> Self {
        let lists = choice.indicators.iter().flat_map(|set| set.rules());
        let lists = lists.map(|rule| RulePlan {
            id: rule.id.clone(),
            version: String::new(),
            title: rule.title.clone(),
            level: rule.level,
            tags: Vec::new(),
            finding: rule.finding,
            // A listed address that comes all day is one finding a day.
            suppress: SUPPRESS_CORRELATION,
            indicator: true,
        });
        let (plan, plan_errors) = Plan::from_rules_and(&rules.rules, lists.collect(), &choice.off);
        let finds = |id: &String| plan.rule(id).is_some_and(|rule| rule.finding);
        Self {
            hash: hash_of(sources, rules, choice),
            feeds_only: rules.rules.iter().map(|rule| !finds(&rule.id)).collect(),
            wanted: rules.rules.iter().map(|rule| plan.wants(&rule.id)).collect(),
            plan: Arc::new(plan),
            plan_errors,
        }
    }
}

impl Engine {
    /// Compiles sources and rules.
    pub fn new(sources: Arc<Sources>, rules: Arc<RuleSet>) -> Self {
        let mut builder = FieldTableBuilder::default();
        sources.intern(&mut builder);
        rules.intern_fields(&mut builder);
        let fields = Arc::new(builder.build());
        let source_names: Vec<String> =
            (0..u16::MAX).map_while(|index| sources.name(index).map(str::to_owned)).collect();
        let matcher = Matcher::compile(&rules, &fields, sources.logsources(), &source_names);
        let nothing = Choice { off: BTreeSet::new(), indicators: None };
        Self {
            parser: Arc::new(Parser::new(Arc::clone(&sources), Arc::clone(&fields))),
            sources,
            fields,
            rules,
            matcher: Arc::new(matcher),
            source_names: source_names.into(),
            choice: nothing,
            built: OnceLock::new(),
        }
    }

    /// The same with other indicators in force; `None` for none.
    pub fn with_indicators(&self, indicators: Option<Arc<Indicators>>) -> Self {
        self.choosing(Choice { off: self.choice.off.clone(), indicators })
    }

    /// The same with other rules switched off. Ids that no rule has are passed over.
    ///
    /// A rule that is off has no findings and no stored matches. It still feeds the correlations
    /// in force that refer to it: who silences a noisy rule must not silence with it what was
    /// built on it.
    pub fn with_off(&self, off: &BTreeSet<String>) -> Self {
        let rules = self.rules.rules.iter().map(|rule| &rule.id);
        let off = rules.filter(|id| off.contains(*id)).cloned().collect();
        self.choosing(Choice { off, indicators: self.choice.indicators.clone() })
    }

    fn choosing(&self, choice: Choice) -> Self {
        Self {
            sources: Arc::clone(&self.sources),
            fields: Arc::clone(&self.fields),
            rules: Arc::clone(&self.rules),
            parser: Arc::clone(&self.parser),
            matcher: Arc::clone(&self.matcher),
            source_names: Arc::clone(&self.source_names),
            built: OnceLock::new(),
            choice,
        }
    }

    fn built(&self) -> &Built {
        self.built.get_or_init(|| Built::new(&self.sources, &self.rules, &self.choice))
    }

    /// Ids of the rules that are switched off.
    pub fn off(&self) -> &BTreeSet<String> {
        &self.choice.off
    }

    /// The indicators in force.
    pub fn indicators(&self) -> Option<&Arc<Indicators>> {
        self.choice.indicators.as_ref()
    }

    /// Hands out the matches of an event: those of rules, each with whether it only feeds
    /// correlations, then those of indicators.
    pub fn match_event(
        &self,
        event: EventRef<'_>,
        scratch: &mut Scratch,
        mut take: impl FnMut(Match, bool),
    ) {
        let source = self.source_name(event.event().source);
        // A record that no source could read has no fields: every rule that only excludes
        // something would hit it.
        if event.event().source != UNRECOGNISED {
            let mut hits = std::mem::take(&mut scratch.hits);
            hits.clear();
            let built = self.built();
            let wanted = |rule: RuleIndex| built.wanted.get(rule.at()) == Some(&true);
            self.matcher.matches_of(event, wanted, &mut scratch.matcher, &mut hits);
            for hit in &hits {
                let found = self.matcher.build_match(event, hit, source, &mut scratch.matcher);
                take(found, self.feeds_only(hit.rule));
            }
            scratch.hits = hits;
        }
        if let Some(indicators) = &self.choice.indicators {
            indicators.matches(event, source, &mut scratch.indicators, &mut scratch.found);
            scratch.found.drain(..).for_each(|found| take(found, false));
        }
    }

    /// The content address.
    pub fn hash(&self) -> [u8; 16] {
        self.built().hash
    }

    /// The parser.
    pub fn parser(&self) -> &Parser {
        &self.parser
    }

    /// The matcher.
    pub fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// The interned field names.
    pub fn fields(&self) -> &FieldTable {
        &self.fields
    }

    /// The rules.
    pub fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// The sources.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The sources, for another engine.
    pub fn shared_sources(&self) -> Arc<Sources> {
        Arc::clone(&self.sources)
    }

    /// The name of a source in an event; empty where none recognised it.
    pub fn source_name(&self, source: u16) -> &str {
        self.sources.name(source).unwrap_or("")
    }

    /// What the correlator has to do.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.built().plan
    }

    /// Correlations that loaded but cannot run.
    pub fn plan_errors(&self) -> &[PlanError] {
        &self.built().plan_errors
    }

    /// What numbers in events stand for.
    pub fn names(&self) -> yagura_lake::Names {
        let (fields, sources) = (Arc::clone(&self.fields), Arc::clone(&self.source_names));
        yagura_lake::Names { fields, sources }
    }

    /// Whether a rule's matches only feed correlations.
    pub fn feeds_only(&self, rule: RuleIndex) -> bool {
        self.built().feeds_only.get(rule.at()).copied().unwrap_or(false)
    }
}

/// The content address of everything in force.
fn hash_of(sources: &Sources, rules: &RuleSet, choice: &Choice) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&sources.hash());
    hasher.update(&rules.hash());
    if !choice.off.is_empty() {
        hasher.update(b"off");
        for id in &choice.off {
            hasher.update(&(id.len() as u64).to_le_bytes());
            hasher.update(id.as_bytes());
        }
    }
    if let Some(indicators) = &choice.indicators {
        hasher.update(&indicators.hash());
    }
    let mut hash = [0u8; 16];
    hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    hash
}
