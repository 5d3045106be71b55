//! A search's events counted: by time, and by the values of a field. And one event by its id.

use crate::error::LakeError;
use crate::provider::ScanCounts;
use crate::query::{Manner, Work};
use crate::search::run::{HOW, matching};
use crate::search::show::{integer_at, time_at};
use crate::search::{Search, Shown, lower};
use crate::sql::SqlLimits;
use crate::view::LakeView;
use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use datafusion::functions_aggregate::expr_fn;
use datafusion::logical_expr::{Expr, cast, col, lit};
use datafusion::prelude::SessionContext;
use std::collections::BTreeMap;
use std::sync::Arc;
use yagura_event::{EventId, Micros, TenantScope};

/// Groups that are looked at for the most frequent values of a field: several may show as one.
const GROUPS_MAX: usize = 1_000;

const MILLI: i64 = 1_000;
const SECOND: i64 = 1_000 * MILLI;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Lengths of steps that people can read on an axis, in microseconds, ascending.
const STEPS: [i64; 29] = [
    MILLI,
    10 * MILLI,
    100 * MILLI,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    30 * DAY,
    91 * DAY,
    365 * DAY,
    3_650 * DAY,
    36_500 * DAY,
];

/// Events by steps of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Begin of the first step; a multiple of `step`.
    pub from: Micros,
    /// End of the last step.
    pub until: Micros,
    /// Length of a step.
    pub step: Micros,
    /// Begin and events of each step that has any, in order.
    pub bins: Vec<(Micros, u64)>,
}

/// Counts a search's events by time, in at most `bins` steps from `from` to before `until`; from
/// the first to the last event where these are not given. `None` where there is no event.
///
/// # Errors
/// As [`super::search`].
pub async fn histogram(
    view: Arc<LakeView>,
    scope: TenantScope,
    search: &Search,
    (from, until): (Option<Micros>, Option<Micros>),
    bins: u32,
    limits: &SqlLimits,
) -> Result<Option<Histogram>, LakeError> {
    let (work, context) = begin(&view, &scope, limits)?;
    let _guard = work.stop().guard();
    let (from, until) = match (from, until) {
        (Some(from), Some(until)) => (from, until),
        (from, until) => {
            let Some((first, last)) = bounds(&context, search, (from, until), &work).await? else {
                return Ok(None);
            };
            (from.unwrap_or(first), until.unwrap_or(last.saturating_add(1)))
        }
    };
    if until <= from {
        return Ok(None);
    }
    let (from, until, step) = steps(from, until, bins);
    let frame = matching(&context, search.condition.as_ref()).await?;
    let frame = frame.filter(within(Some(from), Some(until)).unwrap_or_else(|| lit(true)))?;
    let place = (cast(col("time"), DataType::Int64) - lit(from)) / lit(step);
    let frame = frame
        .aggregate(vec![place.alias("place")], vec![expr_fn::count(lit(1i64)).alias("events")])?;
    let most = usize::try_from(bins).unwrap_or(usize::MAX).saturating_add(2);
    let counted = work.collect(&context, frame, HOW, most).await?;
    let mut found: BTreeMap<Micros, u64> = BTreeMap::new();
    for rows in &counted.batches {
        for row in 0..rows.num_rows() {
            let pair = (integer_at(rows, "place", row), integer_at(rows, "events", row));
            if let (Some(place), Some(events)) = pair {
                *found.entry(from + place * step).or_default() += events.cast_unsigned();
            }
        }
    }
    Ok(Some(Histogram { from, until, step, bins: found.into_iter().collect() }))
}

/// The most frequent values of a column among a search's events, most frequent first, at most
/// `top`. An event without a value is not counted. Several of one query may follow one another:
/// what holds its ticket stops it.
///
/// # Errors
/// As [`super::search`].
pub async fn facet(
    view: Arc<LakeView>,
    scope: TenantScope,
    search: &Search,
    column: &Shown,
    top: usize,
    limits: &SqlLimits,
) -> Result<Vec<(String, u64)>, LakeError> {
    let (work, context) = begin(&view, &scope, limits)?;
    let mut names = column.sources();
    names.sort_unstable();
    names.dedup();
    let frame = matching(&context, search.condition.as_ref()).await?;
    let groups = names.iter().map(|name| col(*name)).collect();
    let frame = frame
        .aggregate(groups, vec![expr_fn::count(lit(1i64)).alias("events")])?
        .sort(vec![col("events").sort(false, false)])?
        .limit(0, Some(GROUPS_MAX))?;
    let counted = work.collect(&context, frame, HOW, GROUPS_MAX).await?;
    let mut values: BTreeMap<String, u64> = BTreeMap::new();
    for rows in &counted.batches {
        for row in 0..rows.num_rows() {
            let (text, events) = (column.text(rows, row), integer_at(rows, "events", row));
            if !text.is_empty() {
                *values.entry(text).or_default() += events.unwrap_or_default().cast_unsigned();
            }
        }
    }
    let mut values: Vec<(String, u64)> = values.into_iter().collect();
    values.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    values.truncate(top);
    Ok(values)
}

/// The row of an event with all columns, `None` where the scope has no such event.
///
/// # Errors
/// As [`super::search`].
pub async fn event(
    view: Arc<LakeView>,
    scope: TenantScope,
    id: EventId,
    limits: &SqlLimits,
) -> Result<Option<RecordBatch>, LakeError> {
    let (work, context) = begin(&view, &scope, limits)?;
    let _guard = work.stop().guard();
    let position = col("lsn").eq(lit(id.lsn().0.cast_signed()));
    let condition = position.and(col("event_id").eq(lit(id.to_string())));
    let frame = matching(&context, Some(&condition)).await?;
    let found = work.collect(&context, frame, HOW, 1).await?;
    Ok(found.batches.into_iter().find(|rows| rows.num_rows() > 0))
}

fn begin(
    view: &Arc<LakeView>,
    scope: &TenantScope,
    limits: &SqlLimits,
) -> Result<(Work, SessionContext), LakeError> {
    let work = Work::new(limits);
    let counts = Arc::new(ScanCounts::default());
    let context = work.session(view, scope, &counts, Manner::Hashing)?;
    Ok((work, context))
}

/// Times of the first and the last event.
async fn bounds(
    context: &SessionContext,
    search: &Search,
    (from, until): (Option<Micros>, Option<Micros>),
    work: &Work,
) -> Result<Option<(Micros, Micros)>, LakeError> {
    let mut frame = matching(context, search.condition.as_ref()).await?;
    if let Some(within) = within(from, until) {
        frame = frame.filter(within)?;
    }
    let ends =
        vec![expr_fn::min(col("time")).alias("first"), expr_fn::max(col("time")).alias("last")];
    let found = work.collect(context, frame.aggregate(Vec::new(), ends)?, HOW, 1).await?;
    let ends = found.batches.iter().find(|rows| rows.num_rows() > 0);
    Ok(ends.and_then(|rows| Some((time_at(rows, "first", 0)?, time_at(rows, "last", 0)?))))
}

fn within(from: Option<Micros>, until: Option<Micros>) -> Option<Expr> {
    let from = from.map(|from| col("time").gt_eq(lit(lower::moment(from))));
    let until = until.map(|until| col("time").lt(lit(lower::moment(until))));
    lower::every(from.into_iter().chain(until).collect())
}

/// Bounds and length of at most `bins` steps that cover `from` to before `until`.
fn steps(from: Micros, until: Micros, bins: u32) -> (Micros, Micros, Micros) {
    let fits = |step: i64| {
        let first = from.div_euclid(step);
        let last = until.saturating_sub(1).div_euclid(step);
        last.saturating_sub(first) < i64::from(bins.max(1))
    };
    let longest = STEPS[STEPS.len() - 1];
    let step = STEPS.into_iter().find(|step| fits(*step)).unwrap_or(longest);
    let first = from.div_euclid(step).saturating_mul(step);
    let steps = until.saturating_sub(1).div_euclid(step) - from.div_euclid(step) + 1;
    (first, first.saturating_add(steps.saturating_mul(step)), step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_few_enough_and_cover_all() {
        for (from, until, bins) in [
            (0, 1, 1),
            (0, 10 * MINUTE, 60),
            (7 * SECOND, 7 * SECOND + 1, 60),
            (-5 * DAY + 3, 9 * DAY, 10),
            (1_700_000_000 * SECOND + 123, 1_700_086_400 * SECOND, 200),
            (0, 4_000_000_000 * SECOND, 2),
        ] {
            let (first, end, step) = steps(from, until, bins);
            assert!(first <= from && until <= end, "{from} {until}");
            assert!((end - first) / step <= i64::from(bins), "{from} {until}");
            assert_eq!((first.rem_euclid(step), (end - first) % step), (0, 0));
        }
        assert_eq!(steps(0, 10 * MINUTE, 60), (0, 10 * MINUTE, 10 * SECOND));
    }
}
