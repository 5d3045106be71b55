//! `rsigma-eval` as the oracle: its engine over all rules, and one rule by itself.

use crate::flat::Flat;
use rsigma_eval::event::JsonEvent;
use rsigma_eval::{CompiledRule, Engine, compile_rule, evaluate_rule};
use rsigma_parser::{LogSource, SigmaRule, parse_sigma_yaml};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use yagura_event::{Dimension, Logsource};

/// What the oracle has against looking for substrings rule by rule, beside its index of rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acceleration {
    /// The index alone, as it is by default.
    Index,
    /// A Bloom filter of trigrams for each event.
    Bloom,
    /// An automaton a field over the substrings of all rules.
    Automaton,
}

impl Acceleration {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Index, Self::Bloom, Self::Automaton];
}

/// The oracle's rules.
pub struct Peer {
    engine: Engine,
    rules: BTreeMap<String, SigmaRule>,
    errors: BTreeMap<String, String>,
}

impl Peer {
    /// Loads the detection rules of `files` (path, text). A rule without an id is left out, and
    /// of several with one id all but the first, as we do.
    pub fn load(files: &[(String, String)]) -> Self {
        let mut parsed: Vec<SigmaRule> = Vec::new();
        let mut ids = BTreeSet::new();
        for (_, text) in files {
            if let Ok(found) = parse_sigma_yaml(text) {
                let new = |rule: &SigmaRule| rule.id.clone().is_some_and(|id| ids.insert(id));
                parsed.extend(found.rules.into_iter().filter(new));
            }
        }
        let mut engine = Engine::new();
        let failed = engine.add_rules(&parsed);
        let id = |at: usize| parsed[at].id.clone().unwrap_or_default();
        let errors = failed.into_iter().map(|(at, error)| (id(at), error.to_string())).collect();
        let rules = parsed.iter().filter_map(|rule| Some((rule.id.clone()?, rule.clone())));
        Self { rules: rules.collect(), engine, errors }
    }

    /// Every rule that could be parsed, by id; also those that then did not compile.
    pub fn rules(&self) -> &BTreeMap<String, SigmaRule> {
        &self.rules
    }

    /// Why rules did not compile, by id.
    pub fn errors(&self) -> &BTreeMap<String, String> {
        &self.errors
    }

    /// Whether the rule is in force.
    pub fn has(&self, id: &str) -> bool {
        self.rules.contains_key(id) && !self.errors.contains_key(id)
    }

    /// Ids of the rules that the event fulfils, sorted; the product alone is routed by, since
    /// the oracle knows no kinds that stand for several.
    pub fn matches(&self, event: &serde_json::Value, logsource: &Logsource) -> Vec<String> {
        let product = match &logsource.product {
            Dimension::Known(product) => Some(product.to_string()),
            Dimension::None | Dimension::Unknown => None,
        };
        let event = JsonEvent::borrow(event);
        let found =
            self.engine.evaluate_pruned(&event, &LogSource { product, ..Default::default() });
        let mut ids: Vec<String> =
            found.into_iter().filter_map(|result| result.header.rule_id).collect();
        ids.sort();
        ids
    }

    /// Switches the oracle's accelerators for substrings on or off: nothing changes but its speed.
    pub fn accelerate(&mut self, by: Acceleration) {
        self.engine.set_bloom_prefilter(by == Acceleration::Bloom);
        self.engine.set_cross_rule_ac(by == Acceleration::Automaton);
    }

    /// How many rules the event fulfils under the oracle's own strict routing: what is timed.
    pub fn count_strict(&self, event: &serde_json::Value, logsource: &LogSource) -> usize {
        self.engine.evaluate_with_logsource(&JsonEvent::borrow(event), logsource).len()
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("rules", &self.rules.len()).finish()
    }
}

/// Whether one rule holds for one event, whatever its logsource; `None` if it does not compile.
pub fn holds(rule: &SigmaRule, event: &Flat) -> Option<bool> {
    let compiled: CompiledRule = compile_rule(rule).ok()?;
    Some(evaluate_rule(&compiled, &JsonEvent::owned(event.json())).is_some())
}
