//! One query from its text to its rows: planned where it can be left alone, run within limits.
//!
//! ```text
//! question ─> plan (a thread of its own) ─> every operator can be stopped ─> rows, in parts
//!      └── memory ran out before the first row: once more, sorting instead of hashing ──┘
//! ```

pub mod govern;
pub mod stop;

pub(crate) mod refuse;
mod tally;
mod work;

pub use govern::{Governor, QueryLimits, QueryPhase, QueryState, Ticket};
pub use stop::Stop;
pub(crate) use work::{Manner, Work};

use crate::error::LakeError;
use crate::pipe::Pipe;
use crate::provider::ScanCounts;
use crate::query::stop::StopGuard;
use crate::sql::{SqlLimits, SqlResult};
use crate::view::LakeView;
use crate::views::plain;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use futures::StreamExt;
use std::fmt;
use std::sync::Arc;
use yagura_event::TenantScope;

/// What is asked.
#[derive(Debug)]
pub enum Question {
    /// One SELECT, EXPLAIN, DESCRIBE or SHOW.
    Sql(String),
    /// A pipe that was checked.
    Pipe(Pipe),
}

impl Question {
    /// How to make it take less time.
    fn narrower(&self) -> &'static str {
        match self {
            Self::Sql(_) => "by time or raise the limit",
            Self::Pipe(_) => "by time (where time > ago(1h)) or by a field",
        }
    }
}

/// The rows of an answer, as they are found. Dropped, the query stops.
pub struct Rows {
    schema: SchemaRef,
    stream: SendableRecordBatchStream,
    first: Option<RecordBatch>,
    left: usize,
    truncated: bool,
    how: &'static str,
    work: Work,
    files: (u64, u64),
    _guard: Option<StopGuard>,
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Rows {
    /// The rows of a plan that runs.
    pub(crate) fn of(
        stream: SendableRecordBatchStream,
        work: Work,
        how: &'static str,
        left: usize,
    ) -> Self {
        let (schema, first, truncated, files) = (stream.schema(), None, false, (0, 0));
        Self { schema, stream, first, left, truncated, how, work, files, _guard: None }
    }

    /// The answer's columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Whether there were more rows than the limit; known after the last.
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    /// Data files of the tables that were read, and how many of them were passed over.
    pub fn files(&self) -> (u64, u64) {
        self.files
    }

    /// The next rows.
    ///
    /// # Errors
    /// [`LakeError::Limit`] where it goes beyond its limits, [`LakeError::Query`] where a value of
    /// the rows stops it.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, LakeError> {
        loop {
            let batch = match self.first.take() {
                Some(batch) => Some(batch),
                None if self.truncated => None,
                None => pull(&mut self.stream, &self.work, self.how).await?,
            };
            let Some(batch) = batch else { return Ok(None) };
            if batch.num_rows() == 0 {
                continue;
            }
            let batch = if batch.num_rows() > self.left {
                self.truncated = true;
                batch.slice(0, self.left)
            } else {
                batch
            };
            self.left -= batch.num_rows();
            self.work.counted(batch.num_rows());
            return Ok(Some(batch).filter(|batch| batch.num_rows() > 0));
        }
    }

    /// All rows that are left, in memory.
    ///
    /// # Errors
    /// As for [`Rows::next`], and where they are more than the memory's share.
    pub async fn all(mut self) -> Result<SqlResult, LakeError> {
        let held = self.work.reserve();
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await? {
            take_room(&held, &batch, self.work.limits())?;
            batches.push(batch);
        }
        let (schema, truncated) = (Arc::clone(&self.schema), self.truncated);
        Ok(SqlResult { schema, batches, truncated, held: Some(Arc::new(held)) })
    }
}

/// Memory of the share for a batch that is kept.
fn take_room(
    held: &MemoryReservation,
    batch: &RecordBatch,
    limits: &SqlLimits,
) -> Result<(), LakeError> {
    held.try_grow(batch.get_array_memory_size()).map_err(|_| {
        let text = format!("its result has more than {} bytes", limits.memory_bytes);
        LakeError::limit("query_memory", text)
    })
}

async fn pull(
    stream: &mut SendableRecordBatchStream,
    work: &Work,
    how: &str,
) -> Result<Option<RecordBatch>, LakeError> {
    let stop = work.stop();
    let next = tokio::select! {
        biased;
        () = stop.told() => return Err(stop.why(how)),
        next = stream.next() => next.transpose(),
    };
    match next {
        // An operator that stopped says so in its own way.
        Err(_) if stop.is_told() => Err(stop.why(how)),
        Err(error) => Err(error.into()),
        Ok(Some(batch)) if batch.get_array_memory_size() > work.limits().memory_bytes => {
            let most = work.limits().memory_bytes;
            let text = format!("single rows of its result have more than {most} bytes together");
            Err(LakeError::limit("query_memory", text))
        }
        Ok(batch) => Ok(batch),
    }
}

/// Begins to answer a question over the tables as the scope may see them, up to its first rows.
/// Runs on the caller's tokio runtime.
///
/// # Errors
/// [`LakeError::Query`] for a query that is wrong or changes something, [`LakeError::Limit`] for
/// one that goes beyond `limits`; others are not the query's fault.
pub async fn open(
    view: Arc<LakeView>,
    scope: TenantScope,
    question: Arc<Question>,
    limits: &SqlLimits,
) -> Result<Rows, LakeError> {
    let work = Work::new(limits);
    let guard = work.stop().guard();
    let asked = Asked { view, scope, question, work };
    let found = match asked.begin(Manner::Hashing).await {
        Err(LakeError::Limit(bound)) if bound.code == "query_memory" => {
            asked.begin(Manner::Sorting).await?
        }
        found => found?,
    };
    let (left, how) = (limits.rows_max, asked.question.narrower());
    let (schema, stream, first, files) = found;
    let (work, truncated) = (asked.work, false);
    Ok(Rows { schema, stream, first, left, truncated, how, work, files, _guard: Some(guard) })
}

type Begun = (SchemaRef, SendableRecordBatchStream, Option<RecordBatch>, (u64, u64));

struct Asked {
    view: Arc<LakeView>,
    scope: TenantScope,
    question: Arc<Question>,
    work: Work,
}

impl Asked {
    async fn begin(&self, manner: Manner) -> Result<Begun, LakeError> {
        let how = self.question.narrower();
        let counts: Arc<ScanCounts> = Arc::default();
        let work = self.work.clone();
        let (view, scope) = (Arc::clone(&self.view), self.scope.clone());
        let (question, seen) = (Arc::clone(&self.question), Arc::clone(&counts));
        let stop = self.work.stop().clone();
        let planned = work.clone().planned(how, async move {
            // The functions of pipes take plain texts.
            let viewed = matches!(question.as_ref(), Question::Sql(_));
            let context = work.session_with(&view, &scope, &seen, manner, viewed)?;
            let frame = match question.as_ref() {
                Question::Sql(sql) => crate::sql::frame(&context, &scope, sql).await?,
                Question::Pipe(pipe) => crate::pipe::frame_of(&context, pipe).await?,
            };
            work.physical(&context, frame, manner).await
        });
        let (plan, task) = planned.await?;
        let stream = datafusion::physical_plan::execute_stream(plan, task)
            .map_err(|error| if stop.is_told() { stop.why(how) } else { error.into() })?;
        let mut stream = plain(stream);
        let first = pull(&mut stream, &self.work, how).await?;
        Ok((stream.schema(), stream, first, counts.of_first()))
    }
}

/// A consumer of a query's memory that cannot give any back.
pub(crate) fn consumer() -> MemoryConsumer {
    MemoryConsumer::new("result")
}
