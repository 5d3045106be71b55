//! Rules and sources in force, compiled: one content-addressed epoch.

use std::sync::Arc;
use yagura_detect::correlate::{Plan, PlanError};
use yagura_detect::{Hit, Matcher, RuleIndex, RuleKind, RuleSet};
use yagura_event::{FieldTable, FieldTableBuilder};
use yagura_parse::{Parser, Sources};

/// What parse and match need; immutable, shared by every worker.
pub struct Engine {
    hash: [u8; 16],
    sources: Arc<Sources>,
    fields: Arc<FieldTable>,
    rules: Arc<RuleSet>,
    parser: Parser,
    matcher: Matcher,
    feeds_only: Vec<bool>,
    source_names: Vec<String>,
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
    /// Relations of one unit of work.
    pub relations: crate::pipeline::known::Known,
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
        let mut hasher = blake3::Hasher::new();
        hasher.update(&sources.hash());
        hasher.update(&rules.hash());
        let mut hash = [0u8; 16];
        hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self {
            hash,
            parser: Parser::new(Arc::clone(&sources), Arc::clone(&fields)),
            sources,
            fields,
            rules,
            matcher,
            feeds_only,
            source_names,
            plan: Arc::new(plan),
            plan_errors,
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

    /// The names of the sources, by index.
    pub fn source_names(&self) -> &[String] {
        &self.source_names
    }

    /// Whether a rule's matches only feed correlations.
    pub fn feeds_only(&self, rule: RuleIndex) -> bool {
        self.feeds_only.get(rule.at()).copied().unwrap_or(false)
    }
}
