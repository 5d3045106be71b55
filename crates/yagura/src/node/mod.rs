//! One data directory at work: journal, pipeline, stores; opened, used, stopped.

pub mod assemble;
pub mod backend;
pub mod backup;
pub mod books;
mod cases;
mod detections;
pub mod door;
pub mod erase;
mod events;
mod gauge;
pub mod hunt;
pub mod ingest;
pub mod jobs;
mod metrics;
pub mod notify;
mod overview;
mod phase;
pub mod queries;
pub mod reload;
pub mod reparse;
pub mod reparse_left;
mod repeats;
pub mod rule_hunts;
pub mod search;
pub mod switches;
pub mod threads;
mod told;

use crate::config::{Config, RulesConfig};
use crate::engine::Engine;
use crate::epochs::Epochs;
use crate::intel::Intel;
use crate::node::assemble::{Site, assemble};
use crate::node::reload::{Engines, InForce, Live, Prints};
use crate::node::switches::switched_off;
use crate::pipeline::flight::Flight;
use crate::pipeline::orders::Orders;
use crate::pipeline::progress::Progress;
use crate::pipeline::run::Pipeline;
use crate::rules;
use anyhow::{Context as _, bail};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use yagura_collect::Intake;
use yagura_detect::RuleSet;
use yagura_disk::{DataLock, DiskGuard, Fs, HoldFs, RealFs, create_dirs, open_version};
use yagura_event::{Clock, TenantName};
use yagura_journal::{Entry, Journal, JournalHandle, JournalWriter, Options};
use yagura_lake::{LAKE_DIR, LakeHandle, Retention};
use yagura_meta::JudgeStore;
use yagura_parse::Sources;

/// Version of the data directory's form.
pub const DATA_VERSION: u32 = 1;

/// The judge's file in the data directory.
pub const JUDGE_FILE: &str = "judge.sqlite";

/// What the names of data files begin with: one writer has written all there are.
pub const LAKE_WRITER_EPOCH: u16 = 1;

/// The running server's private socket in the data directory.
pub const SOCKET: &str = "socket";

/// Folder of the user's own source definitions in the data directory.
pub const SOURCES_DIR: &str = "sources";

/// Bytes of submitted groups that wait for the journal's writer.
const QUEUE_BYTES: usize = 32 * 1024 * 1024;

/// An open data directory.
pub struct Node {
    data: PathBuf,
    journal: JournalHandle,
    intake: Arc<Intake>,
    lake: LakeHandle,
    progress: Arc<Progress>,
    orders: Arc<Orders>,
    pipeline: Option<Pipeline>,
    flight: Arc<Flight>,
    guard: Arc<DiskGuard>,
    force: RwLock<InForce>,
    live: Mutex<Live>,
    retention: Retention,
    /// Tenants of this process's own inputs.
    inputs: Mutex<BTreeSet<TenantName>>,
    /// The directory's files, whose removal a backup holds back.
    removals: Arc<HoldFs>,
    _lock: DataLock,
}

impl Node {
    /// Opens `data`, replays what no consumer has, and starts the pipeline. On return every
    /// durable entry is judged and visible.
    ///
    /// # Errors
    /// A directory in use, newer, damaged or not writable, each with what to do.
    pub fn open(data: &Path, config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let removals = Arc::new(HoldFs::new(Arc::new(RealFs)));
        let fs: Arc<dyn Fs> = Arc::<HoldFs>::clone(&removals);
        create_dirs(fs.as_ref(), data)
            .with_context(|| format!("cannot create data directory {}", data.display()))?;
        let lock = DataLock::acquire(data)?;
        open_version(fs.as_ref(), data, DATA_VERSION, &["journal", LAKE_DIR, JUDGE_FILE])?;
        let (journal, recovery) =
            Journal::open(Arc::clone(&fs), &data.join("journal"), options(config))?;
        if let Some(torn) = &recovery.torn {
            tracing::warn!(
                ?torn,
                "the journal's torn tail was cut; nothing acknowledged was in it"
            );
        }
        let handle = journal.handle();
        let writer = Arc::new(JournalWriter::start(journal, QUEUE_BYTES)?);
        let prints = Prints::of(data, &config.rules);
        let Current { engine, texts, intel } = current_engine(data, config)?;
        let epochs = Epochs::new(Arc::clone(&fs), data);
        epochs.save(&engine, &texts, intel.as_ref())?;
        let mut history = epochs.history(&handle)?;
        let intake = Arc::new(Intake::new(writer, Arc::clone(&clock)));
        if history.last().map(|(_, hash)| *hash) != Some(u128::from_be_bytes(engine.hash())) {
            let done = intake.control(&[Entry::Epoch { hash: engine.hash() }])?;
            history.push((done.first.0, u128::from_be_bytes(engine.hash())));
            epochs.write(&history)?;
        }
        let engines = Engines::new(Arc::clone(&engine), epochs.clone());
        let engine_of = engines.finder();
        let (parts, lake) = {
            let (fs, journal, engine) = (&fs, &handle, &engine);
            // The ballast goes at once, whatever is held.
            let guard = DiskGuard::new(Arc::new(RealFs), data, config.disk.limits());
            let guard = Arc::new(guard);
            let closed = Arc::clone(intake.closed());
            let site = Site { fs, data, config, journal, engine, engine_of, guard, clock, closed };
            assemble(site, &history)?
        };
        let orders = parts.lake.orders();
        let progress = Arc::new(Progress::at(parts.lake.checkpoint(), parts.judge.checkpoint()));
        let flight = Flight::open(Arc::clone(&fs), data, parts.workers)
            .with_context(|| format!("cannot note records in flight in {}", data.display()))?;
        let flight = Arc::new(flight);
        let guard = Arc::clone(&parts.guard);
        let pipeline = Pipeline::start(parts, Arc::clone(&flight), Arc::clone(&progress))?;
        progress.wait_caught_up(handle.durable()).map_err(anyhow::Error::msg)?;
        let (data, pipeline, journal, _lock) = (data.to_owned(), Some(pipeline), handle, lock);
        let report = intel.map(|intel| intel.report);
        let settings = config.rules.clone();
        let live = Mutex::new(Live::new(engines, epochs, history, settings, prints, report));
        let force = RwLock::new(InForce { engine, texts: Arc::new(texts) });
        Ok(Self {
            data,
            journal,
            intake,
            lake,
            progress,
            orders,
            pipeline,
            flight,
            guard,
            force,
            live,
            retention: config.retention.retention().map_err(anyhow::Error::msg)?,
            inputs: Mutex::default(),
            removals,
            _lock,
        })
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The door to the journal.
    pub fn intake(&self) -> &Arc<Intake> {
        &self.intake
    }

    /// The journal's reading side.
    pub fn journal(&self) -> &JournalHandle {
        &self.journal
    }

    /// The newest view of the tables.
    pub fn lake(&self) -> &LakeHandle {
        &self.lake
    }

    /// What looks at the disk.
    pub fn guard(&self) -> &Arc<DiskGuard> {
        &self.guard
    }

    /// Notes that an input of this process is a tenant's.
    pub fn note_input(&self, tenant: &TenantName) {
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant.clone());
    }

    fn is_input(&self, tenant: &TenantName) -> bool {
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner).contains(tenant)
    }

    /// Where the pipeline is.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Rules, sources and indicators in force.
    pub fn engine(&self) -> Arc<Engine> {
        self.in_force().engine
    }

    /// Bytes of records in flight, and how many there may be.
    pub fn in_flight(&self) -> (usize, usize) {
        self.pipeline.as_ref().map(Pipeline::in_flight).unwrap_or_default()
    }

    /// A reader of the judge's store.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn judge(&self) -> anyhow::Result<JudgeStore> {
        Ok(JudgeStore::open_read_only(&self.data.join(JUDGE_FILE))?)
    }

    /// Works off what is durable, commits everything and ends the threads.
    ///
    /// # Errors
    /// The pipeline's failure, if it had one.
    pub fn stop(mut self) -> anyhow::Result<()> {
        if let Some(pipeline) = self.pipeline.take() {
            pipeline.stop();
        }
        match self.progress.read().failure {
            Some(failure) => bail!(failure),
            None => Ok(self.flight.land()?),
        }
    }
}

fn options(config: &Config) -> Options {
    Options {
        segment_bytes_max: config.journal.segment_bytes,
        keep: config.journal.keep,
        quota_bytes: config.journal.quota_bytes,
        free_bytes_min: config.disk.refuse_free_bytes,
        ..Options::default()
    }
}

/// The sources of a data directory: its own before the built-in ones.
///
/// # Errors
/// A source definition of the user's own that is wrong.
pub fn sources_of(data: &Path) -> anyhow::Result<Sources> {
    let own = data.join(SOURCES_DIR);
    Ok(if own.is_dir() { Sources::load(&own)? } else { Sources::builtin()? })
}

/// What is to be in force.
pub struct Current {
    /// All of it.
    pub engine: Arc<Engine>,
    /// Rule files as (path, text).
    pub texts: Vec<(String, String)>,
    /// Indicators, where there are any.
    pub intel: Option<Intel>,
}

/// The rules, sources and indicators that are to be in force.
///
/// # Errors
/// A source definition of the user's own that is wrong, more indicators than can be in force.
pub fn current_engine(data: &Path, config: &Config) -> anyhow::Result<Current> {
    let (mut engine, texts) = load_rules(data, &config.rules)?;
    let set = engine.rules();
    if !set.errors.is_empty() {
        let failed = set.errors.len();
        tracing::warn!(failed, "rules could not be loaded; `yagura rules check` says why");
    }
    let intel = Intel::of_data(data)?;
    if let Some(intel) = &intel {
        engine = engine.with_indicators(Some(Arc::clone(&intel.set)));
    }
    Ok(Current { engine: Arc::new(engine), texts, intel })
}

/// The engine of the sources and rules of a data directory and of `settings`, without indicators,
/// and the rule files as (path, text). Rules that cannot be loaded are among the set's errors.
///
/// # Errors
/// A source definition of the user's own that is wrong, a store of states that cannot be read.
fn load_rules(
    data: &Path,
    settings: &RulesConfig,
) -> anyhow::Result<(Engine, Vec<(String, String)>)> {
    let sources = sources_of(data)?;
    let off = switched_off(data)?;
    let (files, unread) = rules::collect(settings.builtin, Some(data), &settings.paths);
    let mut set = RuleSet::load(files.clone());
    set.errors.extend(unread);
    let engine = Engine::new(Arc::new(sources), Arc::new(set));
    let engine = if off.is_empty() { engine } else { engine.with_off(&off) };
    Ok((engine, files))
}
