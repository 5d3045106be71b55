//! Reading queries over a view, bounded in memory, rows and time.

use crate::error::LakeError;
use crate::provider::{LakeTable, STORE_URL, ScanCounts};
use crate::schema::TableKind;
use crate::store::FsStore;
use crate::view::LakeView;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use datafusion::dataframe::DataFrame;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::StreamExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use yagura_event::{EventId, TenantScope};

/// Most bytes of a query's text. Longer ones are not written by people, and parsing takes
/// stack in proportion to nesting.
pub const SQL_BYTES_MAX: usize = 256 * 1024;

/// The figures count rows before they are parted by tenant.
const NO_ANALYZE: &str = "EXPLAIN ANALYZE is for the platform's operator; use EXPLAIN";

/// What a query may use.
#[derive(Clone, Debug)]
pub struct SqlLimits {
    /// Bytes of memory for sorts, joins and groups, and as many again for the result.
    pub memory_bytes: usize,
    /// Most rows of the result; it is cut there and says so.
    pub rows_max: usize,
    /// Most milliseconds.
    pub time_ms: u64,
    /// Where sorts and groups beyond the memory go; `None` lets such queries fail.
    pub spill_dir: Option<PathBuf>,
    /// Threads' worth of work at once.
    pub partitions: usize,
    /// Whether the index is asked what need not be read. The answers are the same without.
    pub use_index: bool,
}

impl Default for SqlLimits {
    /// 512 MiB, 100,000 rows, 60 s, nothing on disk, two threads, with the index.
    fn default() -> Self {
        Self {
            memory_bytes: 512 * 1024 * 1024,
            rows_max: 100_000,
            time_ms: 60_000,
            spill_dir: None,
            partitions: 2,
            use_index: true,
        }
    }
}

/// A query's answer.
#[derive(Clone, Debug)]
pub struct SqlResult {
    /// Its columns, also where there is no row.
    pub schema: SchemaRef,
    /// Its rows.
    pub batches: Vec<RecordBatch>,
    /// Whether there were more rows than the limit.
    pub truncated: bool,
}

impl SqlResult {
    /// How many rows.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// Answers one SELECT, EXPLAIN, DESCRIBE or SHOW over the tables `events` and `matches` as
/// the scope may see them. Runs on the caller's tokio runtime.
///
/// # Errors
/// [`LakeError::Query`] for a query that is wrong or changes something,
/// [`LakeError::Limit`] for one that goes beyond `limits`; others are not the query's fault.
pub async fn run_sql(
    view: Arc<LakeView>,
    scope: TenantScope,
    sql: &str,
    limits: &SqlLimits,
) -> Result<SqlResult, LakeError> {
    if sql.len() > SQL_BYTES_MAX {
        let text = format!("the query has {} bytes, at most {SQL_BYTES_MAX} are read", sql.len());
        return Err(LakeError::Query(text));
    }
    let context = session(&view, &scope, limits, &Arc::default())?;
    let answer = async {
        let options = SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        let plan = context.state().create_logical_plan(sql).await?;
        options.verify_plan(&plan).map_err(only_reading)?;
        if scope.tenant().is_some() && matches!(plan, LogicalPlan::Analyze(_)) {
            return Err(LakeError::Query(NO_ANALYZE.to_owned()));
        }
        let frame = context.execute_logical_plan(plan).await?;
        collect(frame, limits).await
    };
    in_time(limits, answer, "by time or raise the limit").await
}

/// What `answer` comes to within the limit of time; `how` says how to narrow a query that takes
/// longer.
pub(crate) async fn in_time<T>(
    limits: &SqlLimits,
    answer: impl Future<Output = Result<T, LakeError>>,
    how: &str,
) -> Result<T, LakeError> {
    let limit = limits.time_ms;
    let over = |_| LakeError::Limit(format!("it took longer than {limit} ms; narrow it {how}"));
    tokio::time::timeout(Duration::from_millis(limit), answer).await.map_err(over)?
}

/// The raw bytes of events by id, in no particular order; ids outside the scope are not found.
///
/// # Errors
/// As for [`run_sql`].
pub async fn raw_of(
    view: Arc<LakeView>,
    scope: TenantScope,
    ids: &[EventId],
    limits: &SqlLimits,
) -> Result<Vec<(EventId, Vec<u8>)>, LakeError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut lsns: Vec<i64> = ids.iter().map(|id| id.lsn().0.cast_signed()).collect();
    lsns.sort_unstable();
    lsns.dedup();
    let lsns: Vec<String> = lsns.iter().map(i64::to_string).collect();
    let texts: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
    let sql = format!(
        "SELECT event_id, raw_data, raw_bytes FROM events WHERE lsn IN ({}) AND event_id IN ({})",
        lsns.join(","),
        texts.join(",")
    );
    let answer = run_sql(view, scope, &sql, limits).await?;
    let mut found = Vec::new();
    for batch in &answer.batches {
        let (id, text) = (batch.column(0).as_string::<i32>(), batch.column(1).as_string::<i32>());
        let bytes = batch.column(2).as_binary::<i32>();
        for row in 0..batch.num_rows() {
            let Ok(id) = u128::from_str_radix(id.value(row), 16) else { continue };
            let raw = if bytes.is_valid(row) {
                bytes.value(row).to_vec()
            } else {
                text.value(row).as_bytes().to_vec()
            };
            found.push((EventId(id), raw));
        }
    }
    Ok(found)
}

/// A context of its own for one query, with the tables as the scope may see them.
pub(crate) fn session(
    view: &Arc<LakeView>,
    scope: &TenantScope,
    limits: &SqlLimits,
    counts: &Arc<ScanCounts>,
) -> Result<SessionContext, LakeError> {
    let mode = match &limits.spill_dir {
        Some(dir) => DiskManagerMode::Directories(vec![dir.clone()]),
        None => DiskManagerMode::Disabled,
    };
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(limits.memory_bytes)))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(mode))
        .build_arc()?;
    let config = SessionConfig::new()
        .with_information_schema(true)
        .with_target_partitions(limits.partitions.max(1));
    let context = SessionContext::new_with_config_rt(config, runtime);
    reach(&context, view.store())?;
    for kind in TableKind::ALL {
        let (view, scope, counts) = (Arc::clone(view), scope.clone(), Arc::clone(counts));
        let table = LakeTable::new(view, kind, scope, counts, limits.use_index);
        context.register_table(kind.name(), Arc::new(table))?;
    }
    Ok(context)
}

/// Lets the engine read the lake's files.
pub(crate) fn reach(context: &SessionContext, store: &FsStore) -> Result<(), LakeError> {
    let url = url::Url::parse(STORE_URL).map_err(|e| LakeError::Engine(e.to_string()))?;
    context.register_object_store(&url, Arc::new(store.clone()));
    Ok(())
}

/// The rows of a query within its limits.
pub(crate) async fn collect(frame: DataFrame, limits: &SqlLimits) -> Result<SqlResult, LakeError> {
    let mut stream = frame.execute_stream().await?;
    let schema = stream.schema();
    let mut batches = Vec::new();
    let (mut left, mut bytes, mut truncated) = (limits.rows_max, 0usize, false);
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        if batch.num_rows() > left {
            batches.push(batch.slice(0, left));
            truncated = true;
            break;
        }
        left -= batch.num_rows();
        bytes += batch.get_array_memory_size();
        if bytes > limits.memory_bytes {
            let text = format!("its result has more than {} bytes", limits.memory_bytes);
            return Err(LakeError::Limit(text));
        }
        if batch.num_rows() > 0 {
            batches.push(batch);
        }
    }
    Ok(SqlResult { schema, batches, truncated })
}

/// Says plainly what the engine words by its own terms.
fn only_reading(error: datafusion::error::DataFusionError) -> LakeError {
    let error = LakeError::from(error);
    match &error {
        LakeError::Query(text)
            if ["DDL not supported", "DML not supported", "Statement not supported"]
                .iter()
                .any(|refusal| text.contains(refusal)) =>
        {
            LakeError::Query(
                "only SELECT, EXPLAIN, DESCRIBE and SHOW are allowed: tables cannot be changed by SQL"
                    .to_owned(),
            )
        }
        _ => error,
    }
}
