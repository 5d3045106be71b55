//! Retention: rows that are to be kept no longer, or not at all any more ([`crate::erase`]).
//!
//! ```text
//! choose a day ─> Rewrite ──look at (tenant, class) of each file──> all gone: the file goes
//!                                                               └─> some: it is written without
//!                                                               └─> none: it stays
//! ```
//! Days count from receipt. What a hold names stays. Deleted records are counted
//! ([`crate::expired`]), and files are deleted as after any rewrite: once nobody reads them.

use crate::compact::{Outcome, REWRITE_BYTES_MAX, shape, sorted_rows};
use crate::error::LakeError;
use crate::file::{Density, FileEntry, FileWriter, StoredCount};
use crate::schema::{TENANT, TableKind};
use crate::stats::FileStats;
use crate::store::FsStore;
use crate::table::stored_counts;
use arrow::array::{
    Array, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::filter_record_batch;
use futures::StreamExt;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use yagura_event::time::{HOUR, Micros};

/// How long a tenant's records of a class are kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keep {
    /// The tenant; any where absent.
    pub tenant: Option<String>,
    /// The OCSF class; any where absent.
    pub class: Option<u32>,
    /// Days after that of receipt; for ever where absent.
    pub days: Option<u32>,
}

/// Records that stay whatever else is said, by their day of receipt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hold {
    /// The tenant; any where absent.
    pub tenant: Option<String>,
    /// First day, in days since 1970.
    pub from: i32,
    /// Last day.
    pub until: i32,
}

/// What is kept how long.
#[derive(Clone, Default, Debug)]
pub struct Retention {
    keeps: Vec<Keep>,
    holds: Vec<Hold>,
}

impl Retention {
    /// Of several [`Keep`]s that fit, one of tenant and class counts, then one of the tenant, then
    /// one of the class.
    pub fn new(keeps: Vec<Keep>, holds: Vec<Hold>) -> Self {
        Self { keeps, holds }
    }

    /// How many days; `None` for ever.
    fn days(&self, tenant: &str, class: Option<u32>) -> Option<u32> {
        let weight = |keep: &&Keep| (keep.tenant.is_some(), keep.class.is_some());
        self.keeps
            .iter()
            .filter(|keep| keep.tenant.as_deref().is_none_or(|t| t == tenant))
            .filter(|keep| keep.class.is_none_or(|c| Some(c) == class))
            .max_by_key(weight)
            .and_then(|keep| keep.days)
    }

    /// How many days rows without a class are kept: as long as any of the tenant's records may be.
    fn longest(&self, tenant: &str) -> Option<u32> {
        let classes = self.keeps.iter().map(|keep| keep.class);
        let days = classes.chain([None]).map(|class| self.days(tenant, class));
        days.collect::<Option<Vec<_>>>().map(|all| all.into_iter().max().unwrap_or_default())
    }

    fn is_expired(&self, day: i32, today: i32, tenant: &str, class: Option<u32>) -> bool {
        let held = |hold: &Hold| {
            (hold.from..=hold.until).contains(&day)
                && hold.tenant.as_deref().is_none_or(|t| t == tenant)
        };
        let days = match class {
            Some(_) => self.days(tenant, class),
            None => self.longest(tenant),
        };
        days.is_some_and(|days| is_over(days, day, today)) && !self.holds.iter().any(held)
    }

    /// Whether a hold keeps anything of a tenant.
    pub fn is_held(&self, tenant: &str) -> bool {
        self.holds.iter().any(|hold| hold.tenant.as_deref().is_none_or(|held| held == tenant))
    }

    /// Whether anything received that day may have expired.
    pub(crate) fn concerns(&self, day: i32, today: i32) -> bool {
        self.over(day, today).any(|over| over)
    }

    /// Of each rule with days, whether what was received that day has had them.
    fn over(&self, day: i32, today: i32) -> impl Iterator<Item = bool> {
        self.keeps.iter().filter_map(|keep| keep.days).map(move |days| is_over(days, day, today))
    }
}

/// Whether what was received that day has been kept for so many days.
fn is_over(days: u32, day: i32, today: i32) -> bool {
    i64::from(today) - i64::from(day) > i64::from(days)
}

/// What of a day's files is to be found out.
pub(crate) struct Expire {
    pub(crate) day: i32,
    pub(crate) gone: Gone,
    /// Of the day's files as they were when it was planned.
    pub(crate) mark: u64,
}

/// Which rows go.
pub(crate) enum Gone {
    /// Those kept long enough, on a day since 1970.
    Kept(Arc<Retention>, i32),
    /// Those of a tenant.
    Tenant(String),
}

/// What has been looked at: a day of a table, for what is kept no longer or for a tenant's rows.
pub(crate) type Looked = (TableKind, i32, Option<String>);

impl Gone {
    fn is_gone(&self, day: i32, tenant: &str, class: Option<u32>) -> bool {
        match self {
            Self::Kept(retention, today) => retention.is_expired(day, *today, tenant, class),
            Self::Tenant(erased) => erased == tenant,
        }
    }

    /// Says whether files have been looked at under the same conditions.
    pub(crate) fn mark<'a>(&self, day: i32, paths: impl Iterator<Item = &'a str>) -> u64 {
        let mut hash = DefaultHasher::new();
        if let Self::Kept(retention, today) = self {
            retention.over(day, *today).for_each(|over| over.hash(&mut hash));
        }
        for path in paths.collect::<BTreeSet<_>>() {
            path.hash(&mut hash);
        }
        hash.finish()
    }

    pub(crate) fn looked(&self, kind: TableKind, day: i32) -> Looked {
        match self {
            Self::Kept(..) => (kind, day, None),
            Self::Tenant(tenant) => (kind, day, Some(tenant.clone())),
        }
    }
}

/// What came of it.
pub(crate) struct Expiry {
    pub(crate) day: i32,
    /// Whether the books are to show them.
    pub(crate) counted: bool,
    /// Records that are gone.
    pub(crate) counts: Vec<StoredCount>,
    /// Of the day's files as they are afterwards; `None` if there is more to do.
    pub(crate) mark: Option<u64>,
}

/// Classes that go, by tenant.
type Going<'a> = BTreeMap<&'a str, BTreeSet<Option<u32>>>;

/// Looks at each file and writes those anew of which some rows stay.
pub(crate) async fn expire(
    store: &FsStore,
    kind: TableKind,
    name: &str,
    files: &[Arc<FileEntry>],
    what: &Expire,
) -> Result<Outcome, LakeError> {
    let day = what.day;
    let gone = |(tenant, class): &(String, Option<u32>)| what.gone.is_gone(day, tenant, *class);
    let (mut old, mut new, mut bytes, mut more) = (Vec::new(), Vec::new(), 0, false);
    for file in files {
        let kinds = look(store, kind, file).await?;
        let mut going: Going<'_> = BTreeMap::new();
        for (tenant, class) in kinds.iter().filter(|kind| gone(kind)) {
            going.entry(tenant).or_default().insert(*class);
        }
        if going.is_empty() {
            continue;
        }
        if !kinds.iter().all(gone) {
            // At least one, however large.
            if bytes > 0 && bytes + file.size > REWRITE_BYTES_MAX {
                more = true;
                continue;
            }
            bytes += file.size;
            let name = format!("{name}-{}", new.len());
            new.push(without(store, kind, file, &name, &going).await?);
        }
        old.push(Arc::clone(file));
    }
    let left = |file: &&Arc<FileEntry>| !old.iter().any(|gone| Arc::ptr_eq(gone, file));
    let paths = files.iter().filter(left).map(|file| file.path.as_str());
    let paths = paths.chain(new.iter().map(|file| file.path.as_str()));
    let mark = (!more).then(|| what.gone.mark(day, paths));
    let counted = matches!(what.gone, Gone::Kept(..));
    let counts = difference(&old, &new);
    let expiry = Some(Expiry { day, counted, counts, mark });
    Ok(Outcome { old, new, expiry, resighted: None })
}

/// Records of `old` that are not in `new`.
fn difference(old: &[Arc<FileEntry>], new: &[FileEntry]) -> Vec<StoredCount> {
    let mut counts = stored_counts(old);
    for kept in new.iter().flat_map(|file| &file.counts) {
        let same = |count: &&mut StoredCount| {
            (&count.tenant, &count.feed, count.hour) == (&kept.tenant, &kept.feed, kept.hour)
        };
        if let Some(count) = counts.iter_mut().find(same) {
            count.records = count.records.saturating_sub(kept.records);
        }
    }
    counts.retain(|count| count.records > 0);
    counts
}

/// The tenants of a file's rows, for events with their classes.
async fn look(
    store: &FsStore,
    kind: TableKind,
    file: &Arc<FileEntry>,
) -> Result<BTreeSet<(String, Option<u32>)>, LakeError> {
    let names: BTreeSet<String> = [TENANT, CLASS].map(str::to_owned).into();
    let (_, mut rows) = sorted_rows(store, kind, std::slice::from_ref(file), &names)?;
    let mut kinds = BTreeSet::new();
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        let (of, mut last) = (Kinds::of(kind, &batch)?, None);
        for row in 0..batch.num_rows() {
            let kind = of.row(row);
            if last.replace(kind) != Some(kind) {
                kinds.insert((kind.0.to_owned(), kind.1));
            }
        }
    }
    Ok(kinds)
}

const CLASS: &str = "class_uid";

/// Tenants and, of events, classes of rows.
struct Kinds<'a> {
    tenants: &'a StringArray,
    classes: Option<&'a Int64Array>,
}

impl<'a> Kinds<'a> {
    fn of(kind: TableKind, batch: &'a RecordBatch) -> Result<Self, LakeError> {
        let classes = match kind {
            TableKind::Events => Some(column(kind, batch, CLASS)?),
            TableKind::Matches | TableKind::Sightings => None,
        };
        Ok(Self { tenants: column(kind, batch, TENANT)?, classes })
    }

    fn row(&self, row: usize) -> (&'a str, Option<u32>) {
        let class = self.classes.map(|classes| classes.value(row));
        (self.tenants.value(row), class.map(|class| u32::try_from(class).unwrap_or_default()))
    }
}

/// A column that every row has a value in.
fn column<'a, T: 'static>(
    kind: TableKind,
    batch: &'a RecordBatch,
    name: &str,
) -> Result<&'a T, LakeError> {
    let column = batch.column_by_name(name).filter(|column| column.null_count() == 0);
    column.and_then(|column| column.as_any().downcast_ref()).ok_or_else(|| LakeError::Damaged {
        table: kind.name(),
        what: format!("rows without {name}, so that it cannot be told how long they are kept"),
    })
}

/// Writes a file without the rows that are gone.
async fn without(
    store: &FsStore,
    kind: TableKind,
    file: &Arc<FileEntry>,
    name: &str,
    going: &Going<'_>,
) -> Result<FileEntry, LakeError> {
    let one = std::slice::from_ref(file);
    let shape = shape(store, kind, one)?;
    let (schema, mut rows) = sorted_rows(store, kind, one, &shape.names)?;
    let mut out = FileWriter::new(kind, schema, Density::Kept, shape.width)?;
    let (mut stats, mut kept) = (Vec::new(), Kept::default());
    let mut read = 0;
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        read += batch.num_rows() as u64;
        let of = Kinds::of(kind, &batch)?;
        let stays = |row| {
            let (tenant, class) = of.row(row);
            !going.get(tenant).is_some_and(|classes| classes.contains(&class))
        };
        let stays = BooleanArray::from_iter((0..batch.num_rows()).map(|row| Some(stays(row))));
        let batch = filter_record_batch(&batch, &stays)?;
        if batch.num_rows() > 0 {
            out.write(&batch)?;
            stats.push(FileStats::of(kind, &batch));
            if kind == TableKind::Events {
                kept.add(&batch)?;
            }
        }
    }
    if read != file.stats.records {
        let what =
            format!("{} rows were expected of {}, {read} read", file.stats.records, file.path);
        return Err(LakeError::Damaged { table: kind.name(), what });
    }
    let entry = FileEntry {
        path: FileEntry::path_of(file.day, file.bucket, name),
        day: file.day,
        bucket: file.bucket,
        stats: FileStats::together(kind, stats.iter()),
        counts: kept.counts(),
        modified_ms: file.modified_ms,
        ..FileEntry::default()
    };
    out.store(store, kind, entry)
}

/// Records that stay. A record whose sub-records went in part is one of them.
#[derive(Default)]
struct Kept {
    /// Tenants, feeds and hours that occur.
    sums: Vec<StoredCount>,
    /// Where each is.
    places: HashMap<String, u32>,
    /// LSN, and which of them.
    records: Vec<(i64, u32)>,
}

impl Kept {
    fn add(&mut self, batch: &RecordBatch) -> Result<(), LakeError> {
        let kind = TableKind::Events;
        let (tenants, feeds): (&StringArray, &StringArray) =
            (column(kind, batch, TENANT)?, column(kind, batch, "feed")?);
        let received: &TimestampMicrosecondArray = column(kind, batch, "received_time")?;
        let lsns: &Int64Array = column(kind, batch, "lsn")?;
        let (mut last, mut place, mut name) = (None, 0, String::new());
        for row in 0..batch.num_rows() {
            let hour = received.value(row).div_euclid(HOUR) * HOUR;
            let of = (tenants.value(row), feeds.value(row), hour);
            if last.replace(of) != Some(of) {
                name.clear();
                // Writing to a string cannot fail.
                let _ = write!(name, "{}\0{}\0{hour}", of.0, of.1);
                place = self.place(&name, of);
            }
            self.records.push((lsns.value(row), place));
        }
        Ok(())
    }

    fn place(&mut self, name: &str, (tenant, feed, hour): (&str, &str, Micros)) -> u32 {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = self.sums.len() as u32;
        self.sums.push(StoredCount::new(tenant, feed, hour, 0));
        self.places.insert(name.to_owned(), place);
        place
    }

    fn counts(mut self) -> Vec<StoredCount> {
        self.records.sort_unstable();
        self.records.dedup_by_key(|(lsn, _)| *lsn);
        for (_, place) in self.records {
            if let Some(sum) = self.sums.get_mut(place as usize) {
                sum.records += 1;
            }
        }
        self.sums.retain(|sum| sum.records > 0);
        self.sums.sort_unstable();
        self.sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(tenant: Option<&str>, class: Option<u32>, days: Option<u32>) -> Keep {
        Keep { tenant: tenant.map(str::to_owned), class, days }
    }

    #[test]
    fn the_nearest_rule_counts_and_a_hold_is_above_all() {
        let keeps = vec![
            keep(None, None, Some(30)),
            keep(None, Some(4001), Some(7)),
            keep(Some("acme"), None, Some(365)),
            keep(Some("acme"), Some(4001), Some(90)),
            keep(Some("zeta"), None, None),
        ];
        let hold = Hold { tenant: Some("other".to_owned()), from: 100, until: 101 };
        let retention = Retention::new(keeps, vec![hold]);
        for (tenant, class, age) in [
            ("other", Some(3002), 30),
            ("other", Some(4001), 7),
            ("other", None, 30),
            ("acme", Some(3002), 365),
            ("acme", Some(4001), 90),
            ("acme", None, 365),
        ] {
            assert!(!retention.is_expired(0, age, tenant, class), "{tenant} {class:?}");
            assert!(retention.is_expired(0, age + 1, tenant, class), "{tenant} {class:?}");
        }
        for class in [Some(4001), Some(3002), None] {
            assert!(!retention.is_expired(0, 100_000, "zeta", class));
        }
        for (day, held) in [(99, false), (100, true), (101, true), (102, false)] {
            assert_eq!(retention.is_expired(day, 1_000, "other", Some(3002)), !held, "{day}");
            assert!(retention.is_expired(day, 1_000, "acme", Some(3002)));
        }
        assert!(retention.concerns(0, 8) && !retention.concerns(0, 7));
        assert!(!Retention::default().concerns(i32::MIN, i32::MAX));
    }
}
