//! The sign by which a query's work stops, wherever it is being done.
//!
//! The engine gives way between batches only where its own operators ask the runtime, every
//! hundred batches or so. Here every operator's stream looks at the sign before it works on a
//! batch, conditions of joins look at it for each piece of a batch, and functions of ours within
//! a batch ([`checkpoint`]).

use crate::error::LakeError;
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{Stream, StreamExt};
use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Rows between two looks at the sign within a function: of the longest records some
/// milliseconds.
pub(crate) const ROWS_BETWEEN: usize = 256;

const RUNNING: u8 = 0;
const CANCELLED: u8 = 1;
const LATE: u8 = 2;

thread_local! {
    /// The sign of the query whose batch this thread is working on.
    static CURRENT: RefCell<Option<Stop>> = const { RefCell::new(None) };
}

/// Tells a query's work to stop. Clones tell the same.
#[derive(Clone, Debug)]
pub struct Stop(Arc<Inner>);

struct Inner {
    state: AtomicU8,
    made: Instant,
    /// Milliseconds after `made` at which it says so by itself.
    until_ms: AtomicU64,
    /// Milliseconds of the limit that ends there, for messages.
    time_ms: AtomicU64,
    told: Notify,
    /// Let go when no work holds the sign any more.
    held: Mutex<Option<Box<dyn Any + Send>>>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stop({})", self.state.load(Relaxed))
    }
}

/// What an operator says when it stops.
#[derive(Debug, thiserror::Error)]
#[error("the query was told to stop")]
struct Told;

impl Stop {
    /// A sign that says so by itself after `time_ms`.
    pub fn after(time_ms: u64) -> Self {
        Self(Arc::new(Inner {
            state: AtomicU8::new(RUNNING),
            made: Instant::now(),
            until_ms: AtomicU64::new(time_ms),
            time_ms: AtomicU64::new(time_ms),
            told: Notify::new(),
            held: Mutex::new(None),
        }))
    }

    /// From here on it says so by itself after `time_ms`.
    pub(crate) fn begin(&self, time_ms: u64) {
        let gone = u64::try_from(self.0.made.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.until_ms.store(gone.saturating_add(time_ms), Relaxed);
        self.0.time_ms.store(time_ms, Relaxed);
    }

    fn left(&self) -> Duration {
        let until = Duration::from_millis(self.0.until_ms.load(Relaxed));
        until.saturating_sub(self.0.made.elapsed())
    }

    /// Keeps `what` for as long as any work of the query goes on.
    pub(crate) fn hold(&self, what: Box<dyn Any + Send>) {
        *self.0.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
    }

    /// Stops the work.
    pub fn cancel(&self) {
        self.tell(CANCELLED);
    }

    fn tell(&self, why: u8) {
        // The first reason stays.
        let _ = self.0.state.compare_exchange(RUNNING, why, Relaxed, Relaxed);
        self.0.told.notify_waiters();
    }

    /// Whether the work is to stop.
    pub fn is_told(&self) -> bool {
        if self.0.state.load(Relaxed) == RUNNING && self.left().is_zero() {
            self.tell(LATE);
        }
        self.0.state.load(Relaxed) != RUNNING
    }

    fn check(&self) -> Result<()> {
        if self.is_told() { Err(DataFusionError::External(Box::new(Told))) } else { Ok(()) }
    }

    /// Returns when the work is to stop.
    pub async fn told(&self) {
        loop {
            let told = self.0.told.notified();
            if self.is_told() {
                return;
            }
            let late = tokio::time::sleep(self.left());
            tokio::select! {
                () = told => {}
                () = late => {}
            }
        }
    }

    /// Why it stopped; `how` says how to narrow a query that takes too long.
    pub fn why(&self, how: &str) -> LakeError {
        if self.0.state.load(Relaxed) == CANCELLED {
            return LakeError::limit("query_cancelled", "it was cancelled");
        }
        let limit = self.0.time_ms.load(Relaxed);
        let text = format!("it took longer than {limit} ms; narrow it {how}");
        LakeError::limit("query_time", text)
    }

    /// Stops the work when it is dropped.
    pub fn guard(&self) -> StopGuard {
        StopGuard(self.clone())
    }
}

/// See [`Stop::guard`].
#[derive(Debug)]
pub struct StopGuard(Stop);

impl Drop for StopGuard {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Ends a function of a batch whose query is to stop. Called once for [`ROWS_BETWEEN`] rows.
///
/// # Errors
/// It is to stop.
pub(crate) fn checkpoint() -> Result<()> {
    CURRENT.with_borrow(|stop| stop.as_ref().map_or(Ok(()), Stop::check))
}

/// The plan with every operator looking at the sign.
///
/// # Errors
/// What the engine refuses.
pub(crate) fn stoppable(
    plan: Arc<dyn ExecutionPlan>,
    stop: &Stop,
) -> Result<Arc<dyn ExecutionPlan>> {
    let wrapped = plan.transform_up(|node| {
        let node = with_condition(node, stop)?;
        let properties = Arc::clone(node.properties());
        let node = StopExec { input: node, properties, stop: stop.clone() };
        Ok(Transformed::yes(Arc::new(node) as Arc<dyn ExecutionPlan>))
    })?;
    Ok(wrapped.data)
}

/// A join of which the condition looks at the sign: it is tried on every pair of a batch's rows
/// with the other side's before the next batch is asked for.
fn with_condition(node: Arc<dyn ExecutionPlan>, stop: &Stop) -> Result<Arc<dyn ExecutionPlan>> {
    let looking = |filter: &JoinFilter| {
        let inner = Arc::clone(filter.expression());
        let expr = Arc::new(Looking { inner, stop: stop.clone() });
        JoinFilter::new(expr, filter.column_indices().to_vec(), Arc::clone(filter.schema()))
    };
    let any: &dyn ExecutionPlan = node.as_ref();
    let any: &dyn Any = any;
    if let Some(join) = any.downcast_ref::<HashJoinExec>()
        && let Some(filter) = join.filter()
    {
        return join.builder().with_filter(Some(looking(filter))).build_exec();
    }
    if let Some(join) = any.downcast_ref::<NestedLoopJoinExec>()
        && let Some(filter) = join.filter()
    {
        let projection = join.projection().as_ref().map(|columns| columns.to_vec());
        let (left, right) = (Arc::clone(join.left()), Arc::clone(join.right()));
        let filter = Some(looking(filter));
        let join = NestedLoopJoinExec::try_new(left, right, filter, join.join_type(), projection)?;
        return Ok(Arc::new(join));
    }
    Ok(node)
}

/// An operator that looks at the sign before each batch.
#[derive(Debug)]
struct StopExec {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
    stop: Stop,
}

impl DisplayAs for StopExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StopExec")
    }
}

impl ExecutionPlan for StopExec {
    fn name(&self) -> &str {
        "StopExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children
            .pop()
            .ok_or_else(|| DataFusionError::Internal("a sign without an operator".to_owned()))?;
        let properties = Arc::clone(input.properties());
        Ok(Arc::new(Self { input, properties, stop: self.stop.clone() }))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let inner = self.input.execute(partition, context)?;
        Ok(Box::pin(StopStream { inner, stop: self.stop.clone(), done: false }))
    }
}

struct StopStream {
    inner: SendableRecordBatchStream,
    stop: Stop,
    done: bool,
}

impl Stream for StopStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.done {
            return Poll::Ready(None);
        }
        if let Err(error) = self.stop.check() {
            self.done = true;
            return Poll::Ready(Some(Err(error)));
        }
        let _entered = Entered::new(&self.stop);
        self.inner.poll_next_unpin(cx)
    }
}

impl RecordBatchStream for StopStream {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }
}

/// This thread works for the sign's query for as long as the value lives.
struct Entered {
    outer: bool,
}

impl Entered {
    fn new(stop: &Stop) -> Self {
        CURRENT.with_borrow_mut(|current| {
            // Operators poll those below them: all are of one query.
            let outer = current.is_none();
            if outer {
                *current = Some(stop.clone());
            }
            Self { outer }
        })
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if self.outer {
            let stop = CURRENT.with_borrow_mut(Option::take);
            drop(stop);
        }
    }
}

/// A condition that looks at the sign each time it is tried.
#[derive(Debug)]
struct Looking {
    inner: Arc<dyn PhysicalExpr>,
    stop: Stop,
}

impl fmt::Display for Looking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl PartialEq for Looking {
    fn eq(&self, other: &Self) -> bool {
        self.inner.eq(&other.inner)
    }
}

impl Eq for Looking {}

impl Hash for Looking {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl PhysicalExpr for Looking {
    fn data_type(&self, schema: &Schema) -> Result<DataType> {
        self.inner.data_type(schema)
    }

    fn nullable(&self, schema: &Schema) -> Result<bool> {
        self.inner.nullable(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        self.stop.check()?;
        let _entered = Entered::new(&self.stop);
        self.inner.evaluate(batch)
    }

    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.inner.return_field(schema)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.inner]
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let inner = children
            .pop()
            .ok_or_else(|| DataFusionError::Internal("a sign without a condition".to_owned()))?;
        Ok(Arc::new(Self { inner, stop: self.stop.clone() }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}
