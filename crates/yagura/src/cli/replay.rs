//! A scenario folder replayed live: each record at its own time, on the scenario's clock.

use crate::cli::offline::framer;
use crate::engine::Engine;
use crate::inputs::{Pattern, list};
use crate::node::Node;
use crate::pipeline::work::parse_guarded;
use anyhow::{Context as _, bail};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yagura_collect::{FeedContext, Group, intake::stream_id};
use yagura_detect::RuleSet;
use yagura_event::time::{DAY, HOUR};
use yagura_event::{
    Charset, Clock, Context, EventBatch, EventId, Micros, Reference, SourceChoice, SystemClock,
    TenantName,
};
use yagura_parse::{Contexts, RecordHeader, Sources};

/// The feed of a replay.
const FEED: &str = "replay";

/// Bytes of a scenario's records, at most: they are sorted in memory.
const BYTES_MAX: usize = 2 << 30;

/// How far before the newest record another may be.
const BEFORE: Micros = 30 * DAY;

/// Records of one submission, at most.
const GROUP_RECORDS: usize = 1_000;

/// One record.
struct Record {
    at: Micros,
    context: usize,
    stream: u64,
    position: u64,
    bytes: Box<[u8]>,
}

/// A scenario's records in the order of their times.
pub struct Scenario {
    records: Vec<Record>,
    contexts: Vec<Context>,
    next: usize,
}

impl Scenario {
    /// Reads every log below `dir` (its folder `data`, where it has one). Folders name hosts as
    /// `patterns` say.
    ///
    /// # Errors
    /// A folder that cannot be read or holds no record with a time.
    pub fn read(dir: &Path, patterns: &[String]) -> anyhow::Result<Self> {
        let data = dir.join("data");
        let root = if data.is_dir() { data } else { dir.to_owned() };
        let patterns = patterns.iter().map(|p| Pattern::parse(p)).collect::<Result<Vec<_>, _>>()?;
        let engine = Engine::new(Arc::new(Sources::builtin()?), Arc::new(RuleSet::load([])));
        let mut scenario = Self { records: Vec::new(), contexts: Vec::new(), next: 0 };
        let reference = scenario.load(&engine, &root, &patterns, None)?;
        // What has no year is of the year of what has one.
        let mut again = Self { records: Vec::new(), contexts: Vec::new(), next: 0 };
        again.load(&engine, &root, &patterns, Some(reference))?;
        again.records.sort_by_key(|record| record.at);
        if again.records.is_empty() {
            bail!("there is no log in {}", root.display());
        }
        Ok(again)
    }

    /// Reads the records; gives the newest time of one that names its year.
    fn load(
        &mut self,
        engine: &Engine,
        root: &Path,
        patterns: &[Pattern],
        reference: Option<Micros>,
    ) -> anyhow::Result<Micros> {
        let (auto, charset) = (SourceChoice::Auto, Charset::Auto);
        let tenant = TenantName::default_tenant();
        let (mut newest, mut total) = (Micros::MIN, 0);
        let mut batch = EventBatch::default();
        for input in list(&[PathBuf::from(root)], patterns)?.inputs {
            let wrong = || format!("cannot read {}", input.path.display());
            let mut live = Context::new(tenant.as_str(), FEED, auto.clone(), Reference::Received);
            live.path.clone_from(&input.relative);
            (live.host, live.user) = (input.host.clone(), input.user.clone());
            let mut framer = framer(engine, input.open().with_context(wrong)?.0, &auto, charset);
            let (mut contexts, mut now) = (Contexts::new(live.clone()), (usize::MAX, charset));
            let stream = stream_id(&[FEED.as_bytes(), input.relative.as_bytes()]);
            while let Some(frame) = framer.next_frame().with_context(wrong)? {
                let context = contexts.of(&frame);
                let Some(reference) = reference else {
                    let time = engine.parser().event_time_with_year(context, frame.bytes);
                    newest = newest.max(time.unwrap_or(Micros::MIN));
                    continue;
                };
                if (frame.section as usize, frame.charset) != now {
                    now = (frame.section as usize, frame.charset);
                    self.contexts.push(Context::clone(context));
                }
                total += frame.bytes.len();
                if total > BYTES_MAX {
                    bail!("{} holds more than {BYTES_MAX} bytes", root.display());
                }
                let at = Arc::new(Context {
                    reference: Reference::At(reference),
                    ..Context::clone(context)
                });
                self.records.push(Record {
                    at: time_of(engine, &at, frame.bytes, reference, &mut batch),
                    context: self.contexts.len() - 1,
                    stream,
                    position: frame.position,
                    bytes: frame.bytes.into(),
                });
            }
        }
        Ok(if newest == Micros::MIN { SystemClock.now() } else { newest })
    }

    /// Time of the first record, and from it to the last.
    pub fn span(&self) -> (Micros, Micros) {
        let first = self.records.first().map_or(0, |record| record.at);
        let last = self.records.last().map_or(0, |record| record.at);
        (first, last.saturating_sub(first))
    }

    /// Records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Takes in what has happened up to `now`, each context's records as one live feed's; false
    /// once everything has.
    ///
    /// # Errors
    /// A journal that takes nothing.
    pub fn advance(
        &mut self,
        node: &Node,
        feeds: &mut HashMap<usize, FeedContext>,
        now: Micros,
    ) -> anyhow::Result<bool> {
        let tenant = TenantName::default_tenant();
        while let Some(first) = self.records.get(self.next).filter(|record| record.at <= now) {
            let of = first.context;
            let feed = match feeds.get(&of) {
                Some(feed) => feed.clone(),
                None => {
                    let context = self.contexts.get(of).context("a context is missing")?;
                    let feed = node.intake().feed(tenant.clone(), context)?;
                    feeds.insert(of, feed.clone());
                    feed
                }
            };
            let mut group = Group::new(&feed, "");
            let mut taken = 0;
            while let Some(record) = self.records.get(self.next) {
                if record.at > now || record.context != of || taken >= GROUP_RECORDS {
                    break;
                }
                group.push(record.stream, record.position, &record.bytes)?;
                (self.next, taken) = (self.next + 1, taken + 1);
            }
            // Not waited for: the journal keeps the order, and pushes back where it is full.
            drop(node.intake().begin(group)?);
        }
        Ok(self.next < self.records.len())
    }
}

/// The event time of a record; that of the reference where it has none.
fn time_of(
    engine: &Engine,
    context: &Arc<Context>,
    bytes: &[u8],
    reference: Micros,
    batch: &mut EventBatch,
) -> Micros {
    batch.clear();
    let header = RecordHeader {
        id: EventId::default(),
        received_time: reference,
        stream: 0,
        batch: 0,
        peer: "",
        position: 0,
    };
    parse_guarded(engine, context, &header, bytes, batch);
    // One wrong stamp must not make the replay last for years.
    let time = batch.event(0).map_or(reference, |event| event.event().time);
    time.clamp(reference.saturating_sub(BEFORE), reference.saturating_add(HOUR))
}
