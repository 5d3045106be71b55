//! Rules, sources and indicators that change while the platform runs: a new epoch, by a control
//! record.

use crate::config::RulesConfig;
use crate::engine::Engine;
use crate::epochs::Epochs;
use crate::intel::{self, Intel};
use crate::looks::Looks;
use crate::node::switches::switched_off;
use crate::node::{Node, SOURCES_DIR, load_rules};
use crate::pipeline::split::EngineOf;
use crate::rules;
use std::collections::VecDeque;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use yagura_enrich::Report;
use yagura_journal::Entry;

/// Engines kept at hand; the pipeline is seldom more than one reload behind, and finds older
/// ones on the disk.
const ENGINES_MAX: usize = 3;

/// Engines by content: those at hand, and those kept on the disk.
#[derive(Clone)]
pub(super) struct Engines {
    hand: Arc<Mutex<VecDeque<Arc<Engine>>>>,
    kept: Epochs,
}

impl Engines {
    pub fn new(current: Arc<Engine>, kept: Epochs) -> Self {
        Self { hand: Arc::new(Mutex::new(VecDeque::from([current]))), kept }
    }

    fn push(&self, engine: Arc<Engine>) {
        let mut hand = self.hand.lock().unwrap_or_else(PoisonError::into_inner);
        hand.push_front(engine);
        hand.truncate(ENGINES_MAX);
    }

    /// Finds the engine in force or an earlier one.
    pub fn finder(&self) -> EngineOf {
        let engines = self.clone();
        Arc::new(move |hash| {
            let hand = engines.hand.lock().unwrap_or_else(PoisonError::into_inner);
            let known = hand.iter().find(|engine| engine.hash() == hash).cloned();
            drop(hand);
            known.or_else(|| {
                engines.kept.load(hash).map_err(|error| tracing::error!(%error, "epoch")).ok()
            })
        })
    }
}

/// What is in force.
#[derive(Clone)]
pub struct InForce {
    /// Rules, sources and indicators, compiled.
    pub engine: Arc<Engine>,
    /// Rule files as (path, text).
    pub texts: Arc<Vec<(String, String)>>,
}

/// What a reload goes by.
pub(super) struct Live {
    engines: Engines,
    epochs: Epochs,
    history: Vec<(u64, u128)>,
    settings: RulesConfig,
    lists: Looks,
    rules: Looks,
    /// Whether rules wait for a journal that took no entry.
    waiting: bool,
    report: Option<Report>,
}

impl Live {
    pub fn new(
        engines: Engines,
        epochs: Epochs,
        history: Vec<(u64, u128)>,
        settings: RulesConfig,
        prints: Prints,
        report: Option<Report>,
    ) -> Self {
        let (lists, rules) = (Looks::new(prints.lists), Looks::new(prints.rules));
        Self { engines, epochs, history, settings, lists, rules, waiting: false, report }
    }
}

/// The files that were read, as they were before that.
pub(super) struct Prints {
    lists: [u8; 32],
    rules: [u8; 32],
}

impl Prints {
    pub fn of(data: &Path, settings: &RulesConfig) -> Self {
        Self { lists: intel::fingerprint(data), rules: rules_print(data, settings) }
    }
}

fn rules_print(data: &Path, settings: &RulesConfig) -> [u8; 32] {
    let mut places = vec![data.join(rules::DIR), data.join(SOURCES_DIR)];
    places.extend(settings.paths.iter().cloned());
    rules::fingerprint(&places)
}

/// The indicators of an engine that is to be put in force.
#[derive(Clone, Copy)]
enum Lists<'a> {
    /// Those of the engine before.
    Same,
    /// These.
    New(Option<&'a Intel>),
}

/// What rules are in force, for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RulesReport {
    /// Rules that could be loaded and run.
    pub rules: usize,
    /// Rules among them that are switched off.
    pub off: usize,
    /// Rules and files that could not.
    pub failed: usize,
}

impl RulesReport {
    /// The report on an engine's rules.
    pub fn of(engine: &Engine) -> Self {
        let cannot = engine.plan_errors().len();
        let (loaded, errors) = (engine.rules().rules.len(), engine.rules().errors.len());
        let (rules, failed) = (loaded.saturating_sub(cannot), errors + cannot);
        Self { rules, off: engine.off().len(), failed }
    }
}

impl fmt::Display for RulesReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rules, off, failed } = self;
        write!(f, "{rules} rules loaded, {off} of them switched off; {failed} with faults")
    }
}

impl Node {
    /// What is in force.
    pub fn in_force(&self) -> InForce {
        self.force.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The report on the indicators in force, where there are any.
    pub fn intel_report(&self) -> Option<Report> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).report.clone()
    }

    /// The text of a rule file in force.
    pub fn rule_text(&self, path: &str) -> Option<String> {
        let texts = self.in_force().texts;
        texts.iter().find(|(known, _)| known == path).map(|(_, text)| text.clone())
    }

    /// Puts changed lists in force once their files rest: two looks in a row must find them
    /// alike. `Ok(None)` where nothing is to be done.
    ///
    /// # Errors
    /// Lists that cannot be in force: those before stay, until the files change again.
    pub fn reload_intel(&self) -> anyhow::Result<Option<Report>> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if !live.lists.due(intel::fingerprint(self.data())) {
            return Ok(None);
        }
        let intel = Intel::of_data(self.data())?;
        let before = self.in_force();
        let set = intel.as_ref().map(|intel| Arc::clone(&intel.set));
        let engine = Arc::new(before.engine.with_indicators(set));
        let report = intel.as_ref().map_or_else(Report::default, |intel| intel.report.clone());
        let next = InForce { engine, texts: before.texts };
        self.put(&mut live, next, Lists::New(intel.as_ref()))?;
        live.report = Some(report.clone());
        Ok(Some(report))
    }

    /// Puts changed rules and sources in force once their files rest, as [`Node::reload_intel`]
    /// does with lists.
    ///
    /// # Errors
    /// Sources that cannot be read, a store that cannot: what was in force stays, until the files
    /// change again. A journal that takes no entry: the next look tries again.
    pub fn reload_rules(&self) -> anyhow::Result<Option<RulesReport>> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let print = rules_print(self.data(), &live.settings);
        if !live.rules.due(print) && !live.waiting {
            return Ok(None);
        }
        self.take_rules(&mut live).map(Some)
    }

    /// Reads rules and sources, and puts them in force at once, whether or not their files rest.
    ///
    /// # Errors
    /// As [`Node::reload_rules`].
    pub fn reload_rules_now(&self) -> anyhow::Result<RulesReport> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let print = rules_print(self.data(), &live.settings);
        let taken = self.take_rules(&mut live)?;
        live.rules = Looks::new(print);
        Ok(taken)
    }

    /// Reads the rules of `settings` and the sources, and puts them in force at once.
    ///
    /// # Errors
    /// As [`Node::reload_rules`]; the settings before stay as well.
    pub fn reload_rules_by(&self, settings: &RulesConfig) -> anyhow::Result<RulesReport> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut live.settings, settings.clone());
        let print = rules_print(self.data(), settings);
        let taken = self.take_rules(&mut live);
        match &taken {
            Ok(_) => live.rules = Looks::new(print),
            Err(_) => live.settings = before,
        }
        taken
    }

    /// Puts in force which rules are switched off.
    ///
    /// # Errors
    /// A store that cannot be read; a journal that takes no entry: the next look tries again.
    pub fn switch_rules(&self) -> anyhow::Result<()> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.in_force();
        let engine = Arc::new(before.engine.with_off(&switched_off(self.data())?));
        let next = InForce { engine, texts: before.texts };
        let put = self.put(&mut live, next, Lists::Same);
        live.waiting |= put.is_err();
        put
    }

    fn take_rules(&self, live: &mut Live) -> anyhow::Result<RulesReport> {
        live.waiting = false;
        let (engine, texts) = load_rules(self.data(), &live.settings)?;
        let indicators = self.engine().indicators().cloned();
        let engine = Arc::new(engine.with_indicators(indicators));
        let report = RulesReport::of(&engine);
        let next = InForce { engine, texts: Arc::new(texts) };
        let put = self.put(live, next, Lists::Same);
        live.waiting = put.is_err();
        put.map(|()| report)
    }

    /// What is durable behind this is matched by `next`.
    fn put(&self, live: &mut Live, next: InForce, lists: Lists<'_>) -> anyhow::Result<()> {
        let (engine, before) = (&next.engine, self.engine().hash());
        if engine.hash() != before {
            match lists {
                Lists::Same => live.epochs.save_like(engine, &next.texts, before)?,
                Lists::New(intel) => live.epochs.save(engine, &next.texts, intel)?,
            }
            live.engines.push(Arc::clone(engine));
            let done = self.intake().control(&[Entry::Epoch { hash: engine.hash() }])?;
            live.history.push((done.first.0, u128::from_be_bytes(engine.hash())));
            live.epochs.write(&live.history)?;
        }
        *self.force.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }
}
