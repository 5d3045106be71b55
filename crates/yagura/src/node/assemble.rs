//! Both consumers of a data directory, restored to where they were, and where to begin.

use crate::config::Config;
use crate::engine::Engine;
use crate::node::{JUDGE_FILE, LAKE_WRITER_EPOCH};
use crate::pipeline::expiry::Expiry;
use crate::pipeline::judge::JudgeConsumer;
use crate::pipeline::lakes::LakeConsumer;
use crate::pipeline::run::Parts;
use crate::pipeline::snapshot::SnapshotStore;
use crate::pipeline::split::EngineOf;
use anyhow::{Context as _, bail};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use yagura_collect::closed::Closed;
use yagura_disk::{DiskGuard, Fs};
use yagura_event::Lsn;
use yagura_event::time::Clock;
use yagura_journal::JournalHandle;
use yagura_lake::{LAKE_DIR, LakeHandle, LakeWriter};
use yagura_meta::JudgeStore;

/// Tenants share this many buckets of the tables.
const BUCKETS: u64 = 64;

/// What the consumers are restored from.
pub struct Site<'a> {
    /// Where tables, snapshots and spill files are. The judge's store is a file of its own.
    pub fs: &'a Arc<dyn Fs>,
    /// The data directory.
    pub data: &'a Path,
    /// Sizes and intervals.
    pub config: &'a Config,
    /// The journal.
    pub journal: &'a JournalHandle,
    /// Rules and sources in force at the journal's end.
    pub engine: &'a Arc<Engine>,
    /// Finds earlier ones.
    pub engine_of: EngineOf,
    /// Looks at the disk.
    pub guard: Arc<DiskGuard>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Tenants of whom nothing is taken.
    pub closed: Arc<Closed>,
}

/// Opens tables and findings and says behind which entry a replay begins. `history` holds the
/// epochs as (entry, hash), ascending.
///
/// # Errors
/// Stores that cannot be opened, a journal that ends before them, an epoch that is not kept.
pub fn assemble(site: Site<'_>, history: &[(u64, u128)]) -> anyhow::Result<(Parts, LakeHandle)> {
    let Site { fs, data, config, journal, engine, engine_of, guard, clock, closed } = site;
    let dir = data.join(LAKE_DIR);
    let lake = LakeWriter::open(Arc::clone(fs), &dir, LAKE_WRITER_EPOCH, Arc::new(bucket_of))?;
    let view = lake.handle();
    let interval = Duration::from_secs(config.lake.flush_interval_s);
    let retention = config.retention.retention().map_err(anyhow::Error::msg)?;
    let expiry = Expiry::new(retention, clock);
    let mut lake = LakeConsumer::new(lake, config.lake.flush_bytes, interval, expiry);
    let store = JudgeStore::open(&data.join(JUDGE_FILE))?;
    for erasure in store.erasures()? {
        lake.erase(erasure.tenant.as_str(), erasure.lsn);
        closed.close(erasure.tenant.as_str());
    }
    let snapshot = match store.snapshot()? {
        Some(reference) => Some(SnapshotStore::new(Arc::clone(fs), data).read(&reference)?),
        None => None,
    };
    let judge_from = snapshot.as_ref().map_or(Lsn(0), |s| Lsn(s.lsn));
    let from = lake.checkpoint().min(judge_from);
    let (lake_at, judged, durable) = (lake.checkpoint(), store.lsn()?, journal.durable());
    if durable < lake_at || durable < judged {
        bail!(
            "the journal ends at {durable}, the tables at {lake_at}, the findings at {judged}: \
             journal files are missing; restore them from a backup"
        );
    }
    let in_force = |at: Lsn| -> anyhow::Result<Arc<Engine>> {
        match history.iter().rev().find(|(lsn, _)| *lsn <= at.0) {
            Some((_, hash)) => engine_of(hash.to_be_bytes())
                .with_context(|| format!("rules in force at entry {at} are not kept")),
            None => Ok(Arc::clone(engine)),
        }
    };
    let judge = JudgeConsumer::open(store, Arc::clone(fs), data, snapshot, in_force(judge_from)?)?;
    let workers = match config.pipeline.workers {
        0 => std::thread::available_parallelism().map_or(2, usize::from),
        n => n,
    };
    let parts = Parts {
        guard,
        journal: journal.clone(),
        lake,
        judge,
        engine: in_force(from)?,
        engine_of,
        from,
        workers,
        inflight_bytes: config.pipeline.inflight_bytes,
        closed,
        judge_interval: Duration::from_millis(config.pipeline.judge_interval_ms),
    };
    Ok((parts, view))
}

/// The bucket of a tenant: a hash of its name.
pub fn bucket_of(tenant: &str) -> i32 {
    let hash = yagura_collect::intake::stream_id(&[tenant.as_bytes()]);
    i32::try_from(hash % BUCKETS).unwrap_or(0)
}
