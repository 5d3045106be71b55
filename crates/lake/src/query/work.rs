//! What one query works with: memory, disk, the sign to stop, and the engine set up for it.

use crate::error::LakeError;
use crate::provider::{LakeTable, ScanCounts};
use crate::query::refuse::without_growers;
use crate::query::stop::{Stop, stoppable};
use crate::query::tally::tallied;
use crate::schema::TableKind;
use crate::sql::{SqlLimits, SqlResult, reach};
use crate::view::LakeView;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::dataframe::DataFrame;
use datafusion::execution::TaskContext;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, MemoryPool, MemoryReservation};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::limit::LocalLimitExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::prelude::{SessionConfig, SessionContext};
use std::any::Any;
use std::sync::Arc;
use yagura_event::TenantScope;

/// Memory that a sort keeps aside for merging what it has put on disk, at most.
const SORT_RESERVE_BYTES: usize = 10 * 1024 * 1024;

/// How the engine is to answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Manner {
    /// Joins by hash tables and first rows by heaps: quick, but they must fit into memory.
    Hashing,
    /// Joins and first rows by sorting, which goes to disk.
    Sorting,
}

/// One query's means. Clones are the same query's.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    limits: SqlLimits,
    pool: Arc<dyn MemoryPool>,
    stop: Stop,
}

impl Work {
    /// Of the query's ticket, or for a query that runs by itself.
    pub fn new(limits: &SqlLimits) -> Self {
        let (pool, stop) = match &limits.ticket {
            Some(ticket) => (ticket.pool(), ticket.stop().clone()),
            None => {
                let pool: Arc<dyn MemoryPool> = Arc::new(FairSpillPool::new(limits.memory_bytes));
                (pool, Stop::after(limits.time_ms))
            }
        };
        Self { limits: limits.clone(), pool, stop }
    }

    /// What it may use.
    pub fn limits(&self) -> &SqlLimits {
        &self.limits
    }

    /// The sign by which it stops.
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Counts rows of the answer.
    pub fn counted(&self, rows: usize) {
        if let Some(ticket) = &self.limits.ticket {
            ticket.counted(rows);
        }
    }

    /// Memory for what is kept of the answer; nothing yet.
    pub fn reserve(&self) -> MemoryReservation {
        crate::query::consumer().register(&self.pool)
    }

    /// A context of its own, with the tables as the scope may see them.
    pub fn session(
        &self,
        view: &Arc<LakeView>,
        scope: &TenantScope,
        counts: &Arc<ScanCounts>,
        manner: Manner,
    ) -> Result<SessionContext, LakeError> {
        self.session_with(view, scope, counts, manner, false)
    }

    /// As [`Self::session`]; with `viewed` texts are views in the engine.
    pub fn session_with(
        &self,
        view: &Arc<LakeView>,
        scope: &TenantScope,
        counts: &Arc<ScanCounts>,
        manner: Manner,
        viewed: bool,
    ) -> Result<SessionContext, LakeError> {
        let mut disk = DiskManagerBuilder::default();
        match &self.limits.spill_dir {
            Some(dir) => {
                disk.set_mode(DiskManagerMode::Directories(vec![dir.clone()]));
                disk.set_max_temp_directory_size(self.limits.spill_bytes);
            }
            None => disk.set_mode(DiskManagerMode::Disabled),
        }
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::clone(&self.pool))
            .with_disk_manager_builder(disk)
            .build_arc()?;
        let mut config = SessionConfig::new()
            .with_information_schema(true)
            .with_target_partitions(self.limits.partitions.max(1));
        let options = config.options_mut();
        options.optimizer.prefer_hash_join = manner == Manner::Hashing;
        // What each sort keeps aside to merge with: of a small share not all.
        options.execution.sort_spill_reservation_bytes =
            (self.limits.memory_bytes / 32).min(SORT_RESERVE_BYTES);
        let context = SessionContext::new_with_config_rt(config, runtime);
        without_growers(&context);
        reach(&context, view.store())?;
        for kind in TableKind::ALL {
            let (view, scope, counts) = (Arc::clone(view), scope.clone(), Arc::clone(counts));
            let table = LakeTable::new(view, kind, scope, counts, self.limits.use_index);
            let table = if viewed { table.viewed() } else { table };
            context.register_table(kind.name(), Arc::new(table))?;
        }
        Ok(context)
    }

    /// The plan to run, of which every operator can be stopped.
    pub async fn physical(
        &self,
        context: &SessionContext,
        frame: DataFrame,
        manner: Manner,
    ) -> Result<(Arc<dyn ExecutionPlan>, Arc<TaskContext>), LakeError> {
        let task = context.task_ctx();
        let plan = tallied(frame.create_physical_plan().await?)?;
        let plan = if manner == Manner::Sorting { whole_sorts(plan)? } else { plan };
        Ok((stoppable(plan, &self.stop)?, task))
    }

    /// What `plan` comes to. It works in a thread of its own: planning cannot be stopped half-way,
    /// and one that takes too long is left alone there until it ends.
    pub async fn planned<T: Send + 'static>(
        self,
        how: &str,
        plan: impl Future<Output = Result<T, LakeError>> + Send + 'static,
    ) -> Result<T, LakeError> {
        let (stop, held) = (self.stop.clone(), self.stop.clone());
        let runtime = tokio::runtime::Handle::current();
        let thread = tokio::task::spawn_blocking(move || {
            let planned = runtime.block_on(plan);
            drop(held);
            planned
        });
        tokio::select! {
            biased;
            () = stop.told() => Err(stop.why(how)),
            planned = thread => planned.map_err(|e| LakeError::Engine(e.to_string()))?,
        }
    }

    /// The rows of a frame within the limits, in memory.
    pub async fn collect(
        &self,
        context: &SessionContext,
        frame: DataFrame,
        how: &'static str,
        rows_max: usize,
    ) -> Result<SqlResult, LakeError> {
        let (work, context) = (self.clone(), context.clone());
        let planned = self
            .clone()
            .planned(how, async move { work.physical(&context, frame, Manner::Hashing).await });
        let (plan, task) = planned.await?;
        let stream = datafusion::physical_plan::execute_stream(plan, task)?;
        let rows = crate::query::Rows::of(stream, self.clone(), how, rows_max);
        rows.all().await
    }
}

/// Sorts that remember only the first rows do so in memory; whole sorts go to disk.
fn whole_sorts(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>, LakeError> {
    let plan = plan.transform_up(|node| {
        let any: &dyn Any = node.as_ref();
        let Some(sort) = any.downcast_ref::<SortExec>() else { return Ok(Transformed::no(node)) };
        let Some(rows) = sort.fetch() else { return Ok(Transformed::no(node)) };
        let whole = Arc::new(sort.with_fetch(None));
        Ok(Transformed::yes(Arc::new(LocalLimitExec::new(whole, rows)) as Arc<dyn ExecutionPlan>))
    })?;
    Ok(plan.data)
}
