//! The memory tail: events and matches in LSN order that no data file holds yet.
//!
//! They stay as they came. Rows are made of them once, for a data file in its order, or
//! earlier if a query asks for them.

use crate::error::LakeError;
use crate::match_rows::match_rows;
use crate::rows::{Names, event_rows};
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::SchemaRef;
use std::sync::{Arc, OnceLock};
use yagura_event::{EventBatch, Lsn, Match};

/// Names the bucket of a tenant.
pub type BucketOf = Arc<dyn Fn(&str) -> i32 + Send + Sync>;

/// Events or matches that arrived together.
#[derive(Debug)]
pub struct TailBatch {
    /// LSN of the first row.
    pub first: Lsn,
    /// LSN of the last row.
    pub last: Lsn,
    /// Bytes of memory.
    pub bytes: usize,
    pub(crate) content: Content,
    rows: OnceLock<RecordBatch>,
}

/// What a batch holds; the first `from` items are in the table already.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Events { events: EventTail, from: usize },
    Matches { matches: Arc<MatchTail>, from: usize },
}

/// Events with what their numbers stand for.
#[derive(Clone, Debug)]
pub(crate) struct EventTail {
    pub batch: Arc<EventBatch>,
    pub names: Names,
    /// By `Event::context`.
    pub contexts: Arc<[ContextNames]>,
}

/// What rows say of a context.
#[derive(Debug)]
pub(crate) struct ContextNames {
    pub id: String,
    pub bucket: i32,
}

/// Matches by the LSN of the record that made them, each with its tenant's bucket.
#[derive(Debug)]
pub(crate) struct MatchTail {
    pub list: Vec<(Lsn, Match)>,
    pub buckets: Vec<i32>,
}

/// The batches of a table that no data file holds, in LSN order, with what they come to.
#[derive(Default, Debug)]
pub(crate) struct Tail {
    batches: Vec<Arc<TailBatch>>,
    bytes: usize,
    rows: usize,
}

impl Tail {
    pub(crate) fn push(&mut self, batch: Arc<TailBatch>) {
        self.bytes += batch.bytes;
        self.rows += batch.row_count();
        self.batches.push(batch);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The batches at or below `upper`.
    pub(crate) fn upto(&self, upper: Lsn) -> Vec<Arc<TailBatch>> {
        self.batches.iter().take_while(|batch| batch.last <= upper).cloned().collect()
    }

    /// The batches to flush and which LSN they complete. A batch is never split: what is
    /// flushed lies at or below that LSN, what stays lies above it.
    pub(crate) fn cut(&self, upper: Lsn) -> (Vec<Arc<TailBatch>>, Lsn) {
        let mut upto = upper;
        loop {
            let flushed = self.upto(upto);
            let rest = self.batches.iter().skip(flushed.len()).map(|batch| batch.first).min();
            let below = rest.map_or(upto, |first| Lsn(first.0.saturating_sub(1)).min(upto));
            if below == upto {
                return (flushed, upto);
            }
            upto = below;
        }
    }

    /// Forgets the first `count` batches.
    pub(crate) fn forget(&mut self, count: usize) {
        for batch in self.batches.drain(..count) {
            self.bytes -= batch.bytes;
            self.rows -= batch.row_count();
        }
    }

    /// Forgets the rows at or below `stored`.
    pub(crate) fn forget_stored(&mut self, stored: Lsn) {
        for batch in std::mem::take(self).batches {
            if batch.first > stored {
                self.push(batch);
            } else if let Some(above) = TailBatch::above(&batch.content, stored) {
                self.push(Arc::new(above));
            }
        }
    }
}

impl TailBatch {
    /// The events above `after`, or `None` where there are none. Events are expected in LSN
    /// order.
    pub(crate) fn of_events(
        batch: Arc<EventBatch>,
        names: Names,
        bucket_of: &dyn Fn(&str) -> i32,
        after: Lsn,
    ) -> Option<Self> {
        let contexts = batch
            .contexts
            .iter()
            .map(|c| ContextNames { id: c.id().to_string(), bucket: bucket_of(&c.tenant) })
            .collect();
        let content = Content::Events { events: EventTail { batch, names, contexts }, from: 0 };
        Self::above(&content, after)
    }

    /// The matches above `after`, or `None` where there are none.
    pub(crate) fn of_matches(
        mut list: Vec<(Lsn, Match)>,
        bucket_of: &dyn Fn(&str) -> i32,
        after: Lsn,
    ) -> Option<Self> {
        list.sort_by_key(|(lsn, _)| *lsn);
        let buckets = list.iter().map(|(_, found)| bucket_of(&found.tenant)).collect();
        let matches = Arc::new(MatchTail { list, buckets });
        Self::above(&Content::Matches { matches, from: 0 }, after)
    }

    /// What of `content` lies above `after`.
    pub(crate) fn above(content: &Content, after: Lsn) -> Option<Self> {
        let mut content = content.clone();
        let (first, last, bytes) = match &mut content {
            Content::Events { events, from } => {
                let all = &events.batch.events;
                *from = all.partition_point(|event| event.id.lsn() <= after);
                let lsn = |at: Option<&yagura_event::Event>| at.map(|event| event.id.lsn());
                (lsn(all.get(*from))?, lsn(all.last())?, events.batch.memory_bytes())
            }
            Content::Matches { matches, from } => {
                let all = &matches.list;
                *from = all.partition_point(|(lsn, _)| *lsn <= after);
                let lsn = |at: Option<&(Lsn, Match)>| at.map(|(lsn, _)| *lsn);
                let bytes = all.iter().map(|(_, found)| memory_of(found)).sum();
                (lsn(all.get(*from))?, lsn(all.last())?, bytes)
            }
        };
        Some(Self { first, last, bytes, content, rows: OnceLock::new() })
    }

    /// How many rows it is.
    pub(crate) fn row_count(&self) -> usize {
        match &self.content {
            Content::Events { events, from } => events.batch.events.len().saturating_sub(*from),
            Content::Matches { matches, from } => matches.list.len().saturating_sub(*from),
        }
    }

    /// The rows, in LSN order, with the partition columns and only the columns that occur.
    /// Made when first asked for.
    ///
    /// # Errors
    /// [`LakeError::Arrow`] if the columns do not fit together, which would be a defect.
    pub fn rows(&self) -> Result<RecordBatch, LakeError> {
        if let Some(rows) = self.rows.get() {
            return Ok(rows.clone());
        }
        let rows = match &self.content {
            Content::Events { events, from } => event_rows(events, *from)?,
            Content::Matches { matches, from } => match_rows(matches, *from)?,
        };
        Ok(self.rows.get_or_init(|| rows).clone())
    }
}

/// About as many bytes as a match takes.
fn memory_of(found: &Match) -> usize {
    let pairs = found.fields.iter().chain(&found.keys);
    size_of::<Match>()
        + pairs.map(|(name, value)| name.len() + value.len() + 48).sum::<usize>()
        + found.parties.len() * 96
}

/// `rows` with the columns of `schema`: those that are absent are null.
///
/// # Errors
/// [`LakeError::Arrow`] if a column has another type than in `schema`.
pub fn with_schema(rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, LakeError> {
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .map(|field| match rows.column_by_name(field.name()) {
            Some(column) => Arc::clone(column),
            None => new_null_array(field.data_type(), rows.num_rows()),
        })
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}
