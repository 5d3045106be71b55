//! Indicators that change while the platform runs: a new epoch, by a control record.

use crate::engine::Engine;
use crate::epochs::Epochs;
use crate::intel::{self, Intel};
use crate::node::Node;
use crate::pipeline::split::EngineOf;
use std::collections::VecDeque;
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

/// What a reload goes by.
pub(super) struct Live {
    engines: Engines,
    epochs: Epochs,
    texts: Vec<(String, String)>,
    history: Vec<(u64, u128)>,
    current: Option<Arc<Engine>>,
    /// The files that are in force, and those last seen.
    loaded: [u8; 32],
    seen: [u8; 32],
    report: Option<Report>,
}

impl Live {
    pub fn new(
        engines: Engines,
        epochs: Epochs,
        texts: Vec<(String, String)>,
        history: Vec<(u64, u128)>,
        loaded: [u8; 32],
        report: Option<Report>,
    ) -> Self {
        Self { engines, epochs, texts, history, current: None, loaded, seen: loaded, report }
    }
}

impl Node {
    /// The report on the indicators in force, where there are any.
    pub fn intel_report(&self) -> Option<Report> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).report.clone()
    }

    /// The text of a rule file in force.
    pub fn rule_text(&self, path: &str) -> Option<String> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.texts.iter().find(|(known, _)| known == path).map(|(_, text)| text.clone())
    }

    /// Puts changed lists in force once their files rest: two looks in a row must find them
    /// alike. `Ok(None)` where nothing is to be done.
    ///
    /// # Errors
    /// Lists that cannot be in force: those before stay, until the files change again.
    pub fn reload_intel(&self) -> anyhow::Result<Option<Report>> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let files = intel::fingerprint(self.data());
        let rests = std::mem::replace(&mut live.seen, files) == files;
        if files == live.loaded || !rests {
            return Ok(None);
        }
        live.loaded = files;
        let intel = Intel::of_data(self.data())?;
        let before = live.current.clone().unwrap_or_else(|| Arc::clone(self.engine()));
        let set = intel.as_ref().map(|intel| Arc::clone(&intel.set));
        let engine = Arc::new(before.with_indicators(set));
        let report = intel.as_ref().map_or_else(Report::default, |intel| intel.report.clone());
        if engine.hash() != before.hash() {
            live.epochs.save(&engine, &live.texts, intel.as_ref())?;
            live.engines.push(Arc::clone(&engine));
            let done = self.intake().control(&[Entry::Epoch { hash: engine.hash() }])?;
            live.history.push((done.first.0, u128::from_be_bytes(engine.hash())));
            live.epochs.write(&live.history)?;
            live.current = Some(engine);
        }
        live.report = Some(report.clone());
        Ok(Some(report))
    }
}
