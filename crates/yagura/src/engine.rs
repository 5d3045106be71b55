//! Rules, sources and indicators in force, compiled: one content-addressed epoch.

use std::sync::Arc;
use yagura_detect::correlate::plan::SUPPRESS_CORRELATION;
use yagura_detect::correlate::{Plan, PlanError, RulePlan};
use yagura_detect::{Hit, Matcher, RuleIndex, RuleKind, RuleSet};
use yagura_enrich::Indicators;
use yagura_event::{EventBatch, EventRef, FieldTable, FieldTableBuilder, Match};
use yagura_parse::{Parser, Sources, UNRECOGNISED};

/// What parse and match need; immutable, shared by every worker.
pub struct Engine {
    hash: [u8; 16],
    sources: Arc<Sources>,
    fields: Arc<FieldTable>,
    rules: Arc<RuleSet>,
    parser: Arc<Parser>,
    matcher: Arc<Matcher>,
    feeds_only: Arc<[bool]>,
    source_names: Arc<[String]>,
    indicators: Option<Arc<Indicators>>,
    plan: Arc<Plan>,
    plan_errors: Arc<[PlanError]>,
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
        let feeds_only =
            rules.rules.iter().map(|r| !r.generate && matches!(r.kind, RuleKind::Rule)).collect();
        let (plan, plan_errors) = Plan::from_rules(&rules.rules);
        Self {
            hash: hash_of(&sources, &rules, None),
            parser: Arc::new(Parser::new(Arc::clone(&sources), Arc::clone(&fields))),
            sources,
            fields,
            rules,
            matcher: Arc::new(matcher),
            feeds_only,
            source_names: source_names.into(),
            indicators: None,
            plan: Arc::new(plan),
            plan_errors: plan_errors.into(),
        }
    }

    /// The same rules and sources with other indicators in force; `None` for none.
    pub fn with_indicators(&self, indicators: Option<Arc<Indicators>>) -> Self {
        let rules = indicators.iter().flat_map(|set| set.rules());
        let rules = rules.map(|rule| RulePlan {
            id: rule.id.clone(),
            title: rule.title.clone(),
            level: rule.level,
            tags: Vec::new(),
            finding: rule.finding,
            // A listed address that comes all day is one finding a day.
            suppress: SUPPRESS_CORRELATION,
            indicator: true,
        });
        let (plan, plan_errors) = Plan::from_rules_and(&self.rules.rules, rules.collect());
        let hash = hash_of(&self.sources, &self.rules, indicators.as_deref());
        Self {
            hash,
            sources: Arc::clone(&self.sources),
            fields: Arc::clone(&self.fields),
            rules: Arc::clone(&self.rules),
            parser: Arc::clone(&self.parser),
            matcher: Arc::clone(&self.matcher),
            feeds_only: Arc::clone(&self.feeds_only),
            source_names: Arc::clone(&self.source_names),
            indicators,
            plan: Arc::new(plan),
            plan_errors: plan_errors.into(),
        }
    }

    /// The indicators in force.
    pub fn indicators(&self) -> Option<&Arc<Indicators>> {
        self.indicators.as_ref()
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
            self.matcher.matches(event, &mut scratch.matcher, &mut hits);
            for hit in &hits {
                let found = self.matcher.build_match(event, hit, source, &mut scratch.matcher);
                take(found, self.feeds_only(hit.rule));
            }
            scratch.hits = hits;
        }
        if let Some(indicators) = &self.indicators {
            indicators.matches(event, source, &mut scratch.indicators, &mut scratch.found);
            scratch.found.drain(..).for_each(|found| take(found, false));
        }
    }

    /// The content address.
    pub fn hash(&self) -> [u8; 16] {
        self.hash
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

    /// The name of a source in an event; empty where none recognised it.
    pub fn source_name(&self, source: u16) -> &str {
        self.sources.name(source).unwrap_or("")
    }

    /// What the correlator has to do.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Correlations that loaded but cannot run.
    pub fn plan_errors(&self) -> &[PlanError] {
        &self.plan_errors
    }

    /// What numbers in events stand for.
    pub fn names(&self) -> yagura_lake::Names {
        let (fields, sources) = (Arc::clone(&self.fields), Arc::clone(&self.source_names));
        yagura_lake::Names { fields, sources }
    }

    /// Whether a rule's matches only feed correlations.
    pub fn feeds_only(&self, rule: RuleIndex) -> bool {
        self.feeds_only.get(rule.at()).copied().unwrap_or(false)
    }
}

/// The content address of everything in force.
fn hash_of(sources: &Sources, rules: &RuleSet, indicators: Option<&Indicators>) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&sources.hash());
    hasher.update(&rules.hash());
    if let Some(indicators) = indicators {
        hasher.update(&indicators.hash());
    }
    let mut hash = [0u8; 16];
    hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    hash
}
