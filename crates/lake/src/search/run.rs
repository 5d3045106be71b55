//! Runs a search: first the ids of the events shown, then their columns.

use crate::error::LakeError;
use crate::provider::ScanCounts;
use crate::query::{Manner, Work};
use crate::schema::TableKind;
use crate::search::show::{integer_at, text_at, time_at};
use crate::search::{Search, Shown};
use crate::sql::SqlLimits;
use crate::view::LakeView;
use arrow::array::RecordBatch;
use arrow::compute::interleave_record_batch;
use datafusion::dataframe::DataFrame;
use datafusion::functions_aggregate::expr_fn;
use datafusion::logical_expr::{Expr, col, lit};
use datafusion::prelude::SessionContext;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use yagura_event::TenantScope;

/// Which columns of the shown events are read.
#[derive(Clone, Debug)]
pub enum Wanted<'s> {
    /// None: events are only counted.
    Count,
    /// Those of these.
    Columns(&'s [Shown]),
    /// All, for [`super::rows::event_json`].
    Event,
}

/// A search's answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The shown events in their order.
    pub rows: RecordBatch,
    /// How many match: all of them where events were counted, else the shown ones.
    pub matched: u64,
    /// Whether more match than are shown.
    pub more: bool,
    /// Data files of the table.
    pub files: u64,
    /// Data files that were passed over by what the log says of them.
    pub pruned: u64,
}

impl Answer {
    /// An answer that is only rows.
    pub fn of(rows: RecordBatch) -> Self {
        let matched = rows.num_rows() as u64;
        Self { rows, matched, more: false, files: 0, pruned: 0 }
    }
}

/// Runs `search` over what `scope` may see. Runs on the caller's tokio runtime.
///
/// # Errors
/// [`LakeError::Limit`] for a search that goes beyond `limits`; others are not its fault.
pub async fn search(
    view: Arc<LakeView>,
    scope: TenantScope,
    search: &Search,
    wanted: Wanted<'_>,
    limits: &SqlLimits,
) -> Result<Answer, LakeError> {
    let counts = Arc::new(ScanCounts::default());
    let work = Work::new(limits);
    let _guard = work.stop().guard();
    let context = work.session(&view, &scope, &counts, Manner::Hashing)?;
    let mut answer = match wanted {
        Wanted::Count => count(&context, search, &work).await?,
        wanted => shown(&context, search, wanted, &work, &counts).await?,
    };
    (answer.files, answer.pruned) = counts.of_first();
    Ok(answer)
}

/// How a search that takes too long is narrowed.
pub(crate) const HOW: &str = "by time (earliest:, latest:) or by a field";

pub(crate) async fn matching(
    context: &SessionContext,
    condition: Option<&Expr>,
) -> Result<DataFrame, LakeError> {
    let frame = context.table(TableKind::Events.name()).await?;
    Ok(match condition {
        Some(condition) => frame.filter(condition.clone())?,
        None => frame,
    })
}

fn nothing() -> Answer {
    let rows = RecordBatch::new_empty(TableKind::Events.schema());
    Answer { rows, matched: 0, more: false, files: 0, pruned: 0 }
}

async fn count(
    context: &SessionContext,
    search: &Search,
    work: &Work,
) -> Result<Answer, LakeError> {
    let frame = matching(context, search.condition.as_ref()).await?;
    let frame = frame.aggregate(Vec::new(), vec![expr_fn::count(lit(1i64)).alias("events")])?;
    let counted = work.collect(context, frame, HOW, 1).await?;
    let number = counted.batches.first().and_then(|rows| integer_at(rows, "events", 0));
    let matched = number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default();
    Ok(Answer { matched, ..nothing() })
}

async fn shown(
    context: &SessionContext,
    search: &Search,
    wanted: Wanted<'_>,
    work: &Work,
    counts: &ScanCounts,
) -> Result<Answer, LakeError> {
    let mut keys = vec!["event_id", "lsn", "time"];
    if !keys.contains(&search.sort) {
        keys.push(search.sort);
    }
    let (up, nulls_first) = (!search.descending, false);
    let mut order = vec![col(search.sort).sort(up, nulls_first)];
    if search.sort != "event_id" {
        order.push(col("event_id").sort(up, nulls_first));
    }
    let frame = matching(context, search.condition.as_ref())
        .await?
        .select_columns(&keys)?
        .sort(order)?
        .limit(0, Some(search.limit + 1))?;
    let most = search.limit + 1;
    let found = work.collect(context, frame, HOW, most).await?;
    counts.first_done();
    let more = found.rows() > search.limit;
    let rank = ranks(&found.batches, search.limit);
    if rank.is_empty() {
        return Ok(nothing());
    }
    let these = these(&found.batches, &rank, search.condition.as_ref());
    let frame = matching(context, these.as_ref()).await?;
    let frame = match columns(&wanted) {
        Some(columns) => frame.select_columns(&columns.into_iter().collect::<Vec<_>>())?,
        None => frame,
    };
    let full = work.collect(context, frame, HOW, most).await?;
    let rows = sorted(&full.batches, &rank)?;
    if rows.num_rows() != rank.len() {
        let (got, want) = (rows.num_rows(), rank.len());
        return Err(LakeError::Engine(format!("{want} events were found and {got} read")));
    }
    Ok(Answer { rows, matched: rank.len() as u64, more, ..nothing() })
}

/// The found ids with their places.
fn ranks(found: &[RecordBatch], limit: usize) -> HashMap<&str, usize> {
    let all = found
        .iter()
        .flat_map(|rows| (0..rows.num_rows()).filter_map(|row| text_at(rows, "event_id", row)));
    all.take(limit).enumerate().map(|(at, id)| (id, at)).collect()
}

/// The condition that reads exactly the found events. Least and greatest time and position
/// let files be passed over, and the search's own condition those that it passed over before;
/// it comes last, where few rows are left to try it on.
fn these(
    found: &[RecordBatch],
    rank: &HashMap<&str, usize>,
    condition: Option<&Expr>,
) -> Option<Expr> {
    let each = |read: &dyn Fn(&RecordBatch, usize) -> Option<i64>| -> BTreeSet<i64> {
        let rows = found.iter().flat_map(|rows| (0..rows.num_rows()).map(move |row| (rows, row)));
        rows.take(rank.len()).filter_map(|(rows, row)| read(rows, row)).collect()
    };
    let times = each(&|rows, row| time_at(rows, "time", row));
    let lsns = each(&|rows, row| integer_at(rows, "lsn", row));
    let mut all = Vec::new();
    if let (Some(from), Some(to)) = (times.first(), times.last()) {
        let at = |time: i64| lit(super::lower::moment(time));
        all.push(col("time").gt_eq(at(*from)).and(col("time").lt_eq(at(*to))));
    }
    if let (Some(from), Some(to)) = (lsns.first(), lsns.last()) {
        all.push(col("lsn").gt_eq(lit(*from)).and(col("lsn").lt_eq(lit(*to))));
    }
    all.push(col("lsn").in_list(lsns.into_iter().map(lit).collect(), false));
    let mut ids: Vec<&str> = rank.keys().copied().collect();
    ids.sort_unstable();
    all.push(col("event_id").in_list(ids.into_iter().map(lit).collect(), false));
    all.extend(condition.cloned());
    super::lower::every(all)
}

/// The columns to read; `None` for all.
fn columns(wanted: &Wanted<'_>) -> Option<BTreeSet<&'static str>> {
    match wanted {
        Wanted::Columns(shown) => {
            let mut all: BTreeSet<&str> = shown.iter().flat_map(Shown::sources).collect();
            all.insert("event_id");
            Some(all)
        }
        Wanted::Count | Wanted::Event => None,
    }
}

/// The rows in the order of their ranks, as one batch.
fn sorted(batches: &[RecordBatch], rank: &HashMap<&str, usize>) -> Result<RecordBatch, LakeError> {
    let mut places: Vec<Option<(usize, usize)>> = vec![None; rank.len()];
    for (batch, rows) in batches.iter().enumerate() {
        for row in 0..rows.num_rows() {
            let at = text_at(rows, "event_id", row).and_then(|id| rank.get(id));
            if let Some(place) = at.and_then(|at| places.get_mut(*at)) {
                *place = Some((batch, row));
            }
        }
    }
    let places: Vec<(usize, usize)> = places.into_iter().flatten().collect();
    let all: Vec<&RecordBatch> = batches.iter().collect();
    if all.is_empty() {
        return Ok(nothing().rows);
    }
    Ok(interleave_record_batch(&all, &places)?)
}
