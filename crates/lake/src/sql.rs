//! Reading queries over a view, bounded in memory, rows and time.

use crate::error::LakeError;
use crate::provider::STORE_URL;
use crate::query::{Question, Ticket, open, refuse};
use crate::store::FsStore;
use crate::view::LakeView;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use datafusion::dataframe::DataFrame;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use std::path::PathBuf;
use std::sync::Arc;
use yagura_event::{EventId, TenantScope};

pub use crate::query::refuse::{SQL_BYTES_MAX, SQL_CHAIN_MAX, SQL_DEPTH_MAX, SQL_STEPS_MAX};

/// The figures count rows before they are parted by tenant.
const NO_ANALYZE: &str = "EXPLAIN ANALYZE is for the platform's operator; use EXPLAIN";

/// What a query may use.
#[derive(Clone, Debug)]
pub struct SqlLimits {
    /// Bytes of memory for sorts, joins, groups and what is kept of the result.
    pub memory_bytes: usize,
    /// Most rows of the result; it is cut there and says so.
    pub rows_max: usize,
    /// Most milliseconds.
    pub time_ms: u64,
    /// Where sorts and groups beyond the memory go; `None` lets such queries fail.
    pub spill_dir: Option<PathBuf>,
    /// Most bytes there.
    pub spill_bytes: u64,
    /// Threads' worth of work at once.
    pub partitions: usize,
    /// Whether the index is asked what need not be read. The answers are the same without.
    pub use_index: bool,
    /// The query's place among others: its memory and its sign to stop are the ticket's. Without
    /// one it runs by itself.
    pub ticket: Option<Ticket>,
}

impl Default for SqlLimits {
    /// 512 MiB, 100,000 rows, 60 s, nothing on disk, two threads, with the index.
    fn default() -> Self {
        Self {
            memory_bytes: 512 * 1024 * 1024,
            rows_max: 100_000,
            time_ms: 60_000,
            spill_dir: None,
            spill_bytes: 8 << 30,
            partitions: 2,
            use_index: true,
            ticket: None,
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
    /// The memory that the rows are counted in.
    pub(crate) held: Option<Arc<MemoryReservation>>,
}

impl SqlResult {
    /// How many rows.
    pub fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Bytes of the query's share of memory that the rows take for as long as they are kept.
    pub fn held_bytes(&self) -> usize {
        self.held.as_ref().map_or(0, |held| held.size())
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
    let question = Arc::new(Question::Sql(sql.to_owned()));
    open(view, scope, question, limits).await?.all().await
}

/// The frame of a query's text.
///
/// # Errors
/// [`LakeError::Query`] for a query that is wrong or changes something.
pub(crate) async fn frame(
    context: &SessionContext,
    scope: &TenantScope,
    sql: &str,
) -> Result<DataFrame, LakeError> {
    refuse::text(sql)?;
    let options =
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    let plan = context.state().create_logical_plan(sql).await?;
    options.verify_plan(&plan).map_err(only_reading)?;
    if scope.tenant().is_some() && matches!(plan, LogicalPlan::Analyze(_)) {
        return Err(LakeError::Query(NO_ANALYZE.to_owned()));
    }
    refuse::patterns(&plan)?;
    Ok(context.execute_logical_plan(plan).await?)
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

/// Lets the engine read the lake's files.
pub(crate) fn reach(context: &SessionContext, store: &FsStore) -> Result<(), LakeError> {
    let url = url::Url::parse(STORE_URL).map_err(|e| LakeError::Engine(e.to_string()))?;
    context.register_object_store(&url, Arc::new(store.clone()));
    Ok(())
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
