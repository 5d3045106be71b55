//! Runs a search: first the places of the events shown, then their columns.

use crate::error::LakeError;
use crate::place::{FILE, Place, Places, ROW, places};
use crate::provider::{LakeTable, ScanCounts};
use crate::query::{Manner, Work};
use crate::schema::TableKind;
use crate::search::show::integer_at;
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
    let mut answer = match wanted {
        Wanted::Count => {
            let context = work.session(&view, &scope, &counts, Manner::Hashing)?;
            count(&context, search, &work).await?
        }
        wanted => shown(&view, &scope, search, wanted, &work, &counts).await?,
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
    view: &Arc<LakeView>,
    scope: &TenantScope,
    search: &Search,
    wanted: Wanted<'_>,
    work: &Work,
    counts: &Arc<ScanCounts>,
) -> Result<Answer, LakeError> {
    let context = work.session(view, scope, counts, Manner::Hashing)?;
    // An id counts up with the position and is longer to read.
    let mut keys = vec!["lsn", "sub", FILE, ROW];
    if !keys.contains(&search.sort) {
        keys.push(search.sort);
    }
    let (up, nulls_first) = (!search.descending, false);
    let order = |name: &str| col(name).sort(up, nulls_first);
    let frame = context.read_table(Arc::new(table(view, scope, counts, work).placed()))?;
    let frame = match &search.condition {
        Some(condition) => frame.filter(condition.clone())?,
        None => frame,
    };
    let frame = frame
        .select_columns(&keys)?
        .sort(vec![order(search.sort), order("lsn"), order("sub")])?
        .limit(0, Some(search.limit + 1))?;
    let most = search.limit + 1;
    let found = work.collect(&context, frame, HOW, most).await?;
    counts.first_done();
    let more = found.rows() > search.limit;
    let rank = ranks(&found.batches, search.limit)?;
    if rank.is_empty() {
        return Ok(nothing());
    }
    let only = table(view, scope, counts, work).only(Places::new(rank.keys().copied()));
    let frame = context.read_table(Arc::new(only))?;
    let frame = match columns(&wanted) {
        Some(columns) => frame.select_columns(&columns.into_iter().collect::<Vec<_>>())?,
        None => frame,
    };
    let full = work.collect(&context, frame, HOW, most).await?;
    let rows = sorted(&full.batches, &rank)?;
    if rows.num_rows() != rank.len() {
        let (got, want) = (rows.num_rows(), rank.len());
        return Err(LakeError::Engine(format!("{want} events were found and {got} read")));
    }
    Ok(Answer { rows, matched: rank.len() as u64, more, ..nothing() })
}

fn table(
    view: &Arc<LakeView>,
    scope: &TenantScope,
    counts: &Arc<ScanCounts>,
    work: &Work,
) -> LakeTable {
    let (view, scope, counts) = (Arc::clone(view), scope.clone(), Arc::clone(counts));
    LakeTable::new(view, TableKind::Events, scope, counts, work.limits().use_index)
}

/// The found places with their ranks.
fn ranks(found: &[RecordBatch], limit: usize) -> Result<HashMap<Place, usize>, LakeError> {
    let mut all = Vec::new();
    for rows in found {
        let unplaced = || LakeError::Engine("an event was found without its place".to_owned());
        all.extend(places(rows).ok_or_else(unplaced)?);
    }
    Ok(all.into_iter().take(limit).enumerate().map(|(at, place)| (place, at)).collect())
}

/// The columns to read; `None` for all.
fn columns(wanted: &Wanted<'_>) -> Option<BTreeSet<&'static str>> {
    match wanted {
        Wanted::Columns(shown) => {
            let mut all: BTreeSet<&str> = shown.iter().flat_map(Shown::sources).collect();
            all.extend([FILE, ROW]);
            Some(all)
        }
        Wanted::Count | Wanted::Event => None,
    }
}

/// The rows in the order of their ranks, as one batch, without their places.
fn sorted(batches: &[RecordBatch], rank: &HashMap<Place, usize>) -> Result<RecordBatch, LakeError> {
    let mut order: Vec<Option<(usize, usize)>> = vec![None; rank.len()];
    for (batch, rows) in batches.iter().enumerate() {
        for (row, place) in places(rows).unwrap_or_default().iter().enumerate() {
            let at = rank.get(place);
            if let Some(slot) = at.and_then(|at| order.get_mut(*at)) {
                *slot = Some((batch, row));
            }
        }
    }
    let order: Vec<(usize, usize)> = order.into_iter().flatten().collect();
    let all: Vec<&RecordBatch> = batches.iter().collect();
    let Some(first) = all.first() else { return Ok(nothing().rows) };
    let own: Vec<usize> = (0..first.num_columns())
        .filter(|at| ![FILE, ROW].contains(&first.schema().field(*at).name().as_str()))
        .collect();
    Ok(interleave_record_batch(&all, &order)?.project(&own)?)
}
