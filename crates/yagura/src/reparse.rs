//! Records that are kept, parsed again by the sources in force.

use crate::engine::Engine;
use crate::pipeline::progress::Progress;
use crate::pipeline::work::parse_guarded;
use crate::retrospect::{CONTEXTS_MAX, header};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use yagura_event::{Context, ContextId, EventBatch, Lsn};
use yagura_journal::JournalHandle;
use yagura_lake::past::PastRecord;
use yagura_lake::{Names, Reparser};

/// How far a run is, and whether it is to end.
#[derive(Default)]
pub struct Pulse {
    /// Records parsed of the partition that is being written.
    pub records: AtomicU64,
    /// Whether somebody has stopped it.
    pub cancelled: AtomicBool,
}

/// Parses records of one partition.
pub struct Again {
    /// Sources in force.
    pub engine: Arc<Engine>,
    /// Knows the contexts.
    pub journal: JournalHandle,
    /// Records that must not be parsed.
    pub poisoned: BTreeSet<Lsn>,
    /// Of the run.
    pub pulse: Arc<Pulse>,
    /// Whether the pipeline is to end.
    pub progress: Arc<Progress>,
    /// Contexts at hand: neighbours mostly share theirs.
    pub contexts: BTreeMap<ContextId, Arc<Context>>,
}

impl Reparser for Again {
    fn parse(&mut self, record: PastRecord<'_>, out: &mut EventBatch) -> Result<(), String> {
        if self.contexts.len() >= CONTEXTS_MAX {
            self.contexts.clear();
        }
        let context = match self.contexts.get(&record.context) {
            Some(context) => context,
            None => {
                let Some(context) = self.journal.context(record.context) else {
                    let id = record.context;
                    return Err(format!("context {id} of event {} is not known", record.id));
                };
                self.contexts.entry(record.context).or_insert(context)
            }
        };
        let header = header(&record);
        match self.poisoned.contains(&record.id.lsn()) {
            true => yagura_parse::unparsed(context, &header, record.bytes, out),
            false => parse_guarded(&self.engine, context, &header, record.bytes, out),
        }
        Ok(())
    }

    fn names(&self) -> Names {
        self.engine.names()
    }

    fn go_on(&self, records: u64) -> bool {
        self.pulse.records.store(records, Relaxed);
        !self.pulse.cancelled.load(Relaxed) && !self.progress.stopping()
    }
}
