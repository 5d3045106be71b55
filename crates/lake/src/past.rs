//! Records of the past as they came, to be parsed again outside the query engine.

use crate::error::LakeError;
use crate::fence::own_rows;
use crate::file::FileEntry;
use crate::reader::read_rows;
use crate::reparse::Partition;
use crate::schema::{TENANT, TableKind, time_type};
use crate::view::LakeView;
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType};
use datafusion::common::ScalarValue;
use parquet::arrow::arrow_reader::RowSelection;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use yagura_event::time::Micros;
use yagura_event::{ClassUid, ContextId, EventId, TenantScope};

/// Which records of the past are looked at.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Those of events of these sources, and those that could not be read, which are Base Events; all
    /// where `None`.
    pub sources: Option<BTreeMap<String, Classes>>,
    /// Of events at or after this time.
    pub from: Option<Micros>,
    /// Of events before this time.
    pub until: Option<Micros>,
}

/// Which of a source's events are looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Classes {
    /// All.
    All,
    /// Those of these classes.
    Of(BTreeSet<ClassUid>),
}

impl Classes {
    fn has(&self, class: i64) -> bool {
        match self {
            Self::All => true,
            Self::Of(classes) => {
                u32::try_from(class).is_ok_and(|uid| classes.contains(&ClassUid(uid)))
            }
        }
    }

    /// Whether some of them may be between the two, where these are known.
    fn some_between(&self, ends: Option<(i64, i64)>) -> bool {
        match (self, ends) {
            (Self::Of(classes), Some((least, most))) => {
                classes.iter().any(|class| (least..=most).contains(&i64::from(class.0)))
            }
            _ => true,
        }
    }
}

/// What there is to look at, as far as can be said without reading it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PastCost {
    /// Data files of events.
    pub files: u64,
    /// Those that hold nothing of it, by what is known of them.
    pub files_passed_over: u64,
    /// Records of the other files, and of the memory tail, of all tenants and sources in them.
    pub records: u64,
    /// Bytes of the other files.
    pub bytes: u64,
}

/// A record as it came, with what the table keeps beside it.
#[derive(Clone, Copy, Debug)]
pub struct PastRecord<'a> {
    /// The event it became.
    pub id: EventId,
    /// What it means beyond its bytes.
    pub context: ContextId,
    /// When it was received.
    pub received_time: Micros,
    /// The stream it belongs to.
    pub stream: u64,
    /// The batch it belongs to; 0 is live.
    pub batch: u64,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// How far a walk through the past is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PastProgress {
    /// Files that are done, those passed over among them; the memory tail is the last.
    pub done: u64,
    /// Records handed out.
    pub records: u64,
}

/// The class of what could not be read.
const BASE: i64 = ClassUid::BASE.0 as i64;

/// Columns by which rows are chosen.
const CHOOSING: [&str; 4] = [TENANT, "source", "class_uid", "time"];

/// Columns that a record is put together from.
pub(crate) const TAKEN: [&str; 8] =
    ["event_id", TENANT, "context", "received_time", "stream", "batch", "raw_data", "raw_bytes"];

impl Past {
    /// Whether a file may hold rows of it.
    fn may_be_in(&self, file: &FileEntry, scope: &TenantScope) -> bool {
        let text = |value: Option<ScalarValue>| match value {
            Some(ScalarValue::Utf8(text)) => text,
            _ => None,
        };
        let time = |value: Option<ScalarValue>| match value {
            Some(ScalarValue::TimestampMicrosecond(time, _)) => time,
            _ => None,
        };
        let stats = &file.stats;
        let ends = |name: &str| {
            let (least, most) =
                (stats.min(name, &DataType::Utf8), stats.max(name, &DataType::Utf8));
            text(least).zip(text(most))
        };
        let holds = |ends: &Option<(String, String)>, value: &str| {
            ends.as_ref()
                .is_none_or(|(least, most)| least.as_str() <= value && value <= most.as_str())
        };
        let (tenants, sources) = (ends(TENANT), ends("source"));
        let oldest = time(stats.min("time", &time_type()));
        let newest = time(stats.max("time", &time_type()));
        // What is not known may be in it.
        let own = scope.tenant().is_none_or(|tenant| holds(&tenants, tenant.as_str()));
        let after = self.from.zip(newest).is_none_or(|(from, newest)| newest >= from);
        let before = self.until.zip(oldest).is_none_or(|(until, oldest)| oldest < until);
        let class = |value: Option<ScalarValue>| match value {
            Some(ScalarValue::Int64(class)) => class,
            _ => None,
        };
        let classes = class(stats.min("class_uid", &DataType::Int64))
            .zip(class(stats.max("class_uid", &DataType::Int64)));
        let read = self.sources.as_ref().is_none_or(|wanted| {
            let unread = classes.is_none_or(|(least, _)| least == BASE);
            let some = |(name, of_it): (&String, &Classes)| {
                holds(&sources, name) && of_it.some_between(classes)
            };
            unread || wanted.iter().any(some)
        });
        own && after && before && read
    }

    /// Which rows are of it.
    fn chosen(&self, rows: &RecordBatch, scope: &TenantScope) -> BooleanArray {
        let texts = |name: &str| rows.column_by_name(name)?.as_string_opt::<i32>();
        let (tenants, sources) = (texts(TENANT), texts("source"));
        let times = rows.column_by_name("time");
        let times = times.and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
        let own = |row: usize| match (scope.tenant(), tenants) {
            (None, _) => true,
            (Some(tenant), Some(tenants)) => {
                tenants.is_valid(row) && tenants.value(row) == tenant.as_str()
            }
            (Some(_), None) => false,
        };
        let classes = rows.column_by_name("class_uid");
        let classes = classes.and_then(|classes| classes.as_primitive_opt::<Int64Type>());
        let class = |row: usize| {
            let classes = classes.filter(|classes| classes.is_valid(row));
            classes.map_or(BASE, |classes| classes.value(row))
        };
        let read = |row: usize| match (&self.sources, sources) {
            (Some(wanted), Some(sources)) if sources.is_valid(row) => {
                let class = class(row);
                class == BASE
                    || wanted.get(sources.value(row)).is_some_and(|classes| classes.has(class))
            }
            _ => true,
        };
        let within = |row: usize| {
            let time = times.filter(|times| times.is_valid(row)).map(|times| times.value(row));
            let after = self.from.zip(time).is_none_or(|(from, time)| time >= from);
            let before = self.until.zip(time).is_none_or(|(until, time)| time < until);
            after && before
        };
        (0..rows.num_rows()).map(|row| Some(own(row) && read(row) && within(row))).collect()
    }
}

/// What a walk through the past would have to read.
pub fn past_cost(view: &LakeView, scope: &TenantScope, past: &Past) -> PastCost {
    let mut cost = PastCost { files: view.events.files.len() as u64, ..PastCost::default() };
    for file in view.events.files.iter() {
        if past.may_be_in(file, scope) {
            cost.records += file.stats.records;
            cost.bytes += file.size;
        } else {
            cost.files_passed_over += 1;
        }
    }
    cost.records += view.events.tail.iter().map(|batch| batch.row_count() as u64).sum::<u64>();
    cost
}

/// The partitions of whose events some file may be of `past`, the newest day last, each with what there
/// is to read of all its files.
pub fn past_partitions(view: &LakeView, past: &Past) -> BTreeMap<Partition, PastCost> {
    let (all, mut costs) = (TenantScope::operator(), BTreeMap::new());
    for file in view.events.files.iter() {
        let cost: &mut PastCost = costs.entry((file.day, file.bucket)).or_default();
        cost.files += 1;
        cost.files_passed_over += u64::from(!past.may_be_in(file, &all));
        cost.records += file.stats.records;
        cost.bytes += file.size;
    }
    costs.retain(|_, cost| cost.files_passed_over < cost.files);
    costs
}

/// Hands out the records of `past` that `scope` may see, file by file from the newest back, those of
/// the memory tail last. `go_on` is told how far it is before each granule, and says whether to go on.
///
/// # Errors
/// Data files that cannot be read; [`LakeError::Limit`] where `go_on` said no.
pub fn each_past(
    view: &LakeView,
    scope: &TenantScope,
    past: &Past,
    take: &mut dyn FnMut(PastRecord<'_>),
    go_on: &dyn Fn(PastProgress) -> bool,
) -> Result<(), LakeError> {
    let mut progress = PastProgress::default();
    let goes_on = |progress: PastProgress| match go_on(progress) {
        true => Ok(()),
        false => Err(LakeError::limit("query_cancelled", "it was cancelled")),
    };
    let mut files: Vec<&Arc<FileEntry>> = view.events.files.iter().collect();
    files.sort_by_key(|file| std::cmp::Reverse((file.day, file.modified_ms)));
    for file in files {
        goes_on(progress)?;
        if past.may_be_in(file, scope) {
            for rows in rows_of(view, file, scope, past, &|| goes_on(progress))? {
                progress.records += hand_out(&rows?, scope, take)?;
                goes_on(progress)?;
            }
        }
        progress.done += 1;
    }
    for batch in &view.events.tail {
        goes_on(progress)?;
        let rows = batch.rows()?;
        let rows = filter_record_batch(&rows, &past.chosen(&rows, scope))?;
        progress.records += hand_out(&rows, scope, take)?;
    }
    goes_on(progress)
}

/// The chosen rows of a file, with the columns of records.
fn rows_of<'a>(
    view: &'a LakeView,
    file: &'a FileEntry,
    scope: &TenantScope,
    past: &Past,
    goes_on: &dyn Fn() -> Result<(), LakeError>,
) -> Result<Box<dyn Iterator<Item = Result<RecordBatch, LakeError>> + 'a>, LakeError> {
    let (store, kind) = (view.store(), TableKind::Events);
    let mut filters = Vec::new();
    for rows in read_rows(store, kind, file, Some(&|name| CHOOSING.contains(&name)), None)? {
        filters.push(past.chosen(&rows?, scope));
        goes_on()?;
    }
    if filters.iter().all(|filter| filter.true_count() == 0) {
        return Ok(Box::new(std::iter::empty()));
    }
    let rows = RowSelection::from_filters(&filters);
    Ok(Box::new(read_rows(store, kind, file, Some(&|name| TAKEN.contains(&name)), Some(rows))?))
}

/// Hands out the records of rows; returns how many.
fn hand_out(
    rows: &RecordBatch,
    scope: &TenantScope,
    take: &mut dyn FnMut(PastRecord<'_>),
) -> Result<u64, LakeError> {
    let own = match scope.tenant() {
        Some(tenant) => own_rows(rows, tenant)?,
        None => rows.clone(),
    };
    (0..own.num_rows()).filter_map(|row| record(&own, row)).for_each(take);
    Ok(own.num_rows() as u64)
}

/// The record of a row; `None` for a row that was not written by us.
pub(crate) fn record(rows: &RecordBatch, row: usize) -> Option<PastRecord<'_>> {
    let text = |name: &str| {
        let texts = rows.column_by_name(name)?.as_string_opt::<i32>()?;
        texts.is_valid(row).then(|| texts.value(row))
    };
    let number = |name: &str| {
        let numbers = rows.column_by_name(name)?.as_primitive_opt::<Int64Type>()?;
        numbers.is_valid(row).then(|| numbers.value(row).cast_unsigned())
    };
    let received = rows.column_by_name("received_time")?;
    let received = received.as_primitive_opt::<TimestampMicrosecondType>()?;
    let own_bytes = rows.column_by_name("raw_bytes").and_then(|all| all.as_binary_opt::<i32>());
    let own_bytes = own_bytes.filter(|all| all.is_valid(row)).map(|all| all.value(row));
    Some(PastRecord {
        id: EventId::parse(text("event_id")?)?,
        context: ContextId::parse(text("context")?)?,
        received_time: received.is_valid(row).then(|| received.value(row))?,
        stream: number("stream").unwrap_or_default(),
        batch: number("batch").unwrap_or_default(),
        bytes: own_bytes.or_else(|| text("raw_data").map(str::as_bytes))?,
    })
}
