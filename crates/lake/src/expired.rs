//! Records that outlived their keeping, so that the books still balance.
//!
//! ```text
//! expired/<day of receipt>.<number>     YAGURA-EXPIRED 1
//!                                       [{"tenant":..,"feed":..,"hour":..,"records":..}, ...]
//!                                       end <blake3 of everything before this line>
//! ```
//! A file says what of a day has gone so far. It is durable before the commit that deletes the
//! rows, whose `txn` of application [`crate::table::EXPIRED_APP_ID`] is its number: of a day the
//! greatest number that the table knows is what holds, and greater ones were never committed.

use crate::error::LakeError;
use crate::file::{StoredCount, summed};
use crate::store::FsStore;
use crate::sums::{seal, unseal};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Directory of the files in the lake's.
pub const EXPIRED_DIR: &str = "expired";

const MAGIC: &str = "YAGURA-EXPIRED 1\n";

/// The number of the file that holds, by day of receipt.
pub(crate) type Days = Arc<BTreeMap<i32, u64>>;

/// What has expired, of a table that knows numbers up to some.
#[derive(Default)]
pub(crate) struct Expired {
    days: Days,
    /// Written, and not known to be committed.
    pending: Option<(i32, u64)>,
}

impl Expired {
    /// What holds; files that do not are deleted.
    pub(crate) fn open(store: &FsStore, committed: u64) -> Result<Self, LakeError> {
        let days = days(store, committed)?;
        for (day, number) in present(store)? {
            if days.get(&day) != Some(&number) {
                store.remove(&path_of(day, number))?;
            }
        }
        Ok(Self { days: Arc::new(days), pending: None })
    }

    /// The files that hold.
    pub(crate) fn days(&self) -> Days {
        Arc::clone(&self.days)
    }

    /// Adds to what has gone of a day; returns the number that the commit is to carry.
    pub(crate) fn add(
        &mut self,
        store: &FsStore,
        day: i32,
        more: &[StoredCount],
        committed: u64,
    ) -> Result<u64, LakeError> {
        self.settle(store, committed)?;
        let before = match self.days.get(&day) {
            Some(number) => counts(store, day, *number)?,
            None => Vec::new(),
        };
        let all = summed(before.iter().chain(more));
        let number = committed + 1;
        self.pending = Some((day, number));
        put(store, day, number, &all)?;
        Ok(number)
    }

    /// Drops a tenant from every file.
    pub(crate) fn erase(&self, store: &FsStore, tenant: &str) -> Result<(), LakeError> {
        for (day, number) in present(store)? {
            let mut counts = counts(store, day, number)?;
            let before = counts.len();
            counts.retain(|count| count.tenant != tenant);
            if counts.len() < before {
                put(store, day, number, &counts)?;
            }
        }
        Ok(())
    }

    /// Takes what was written last as holding, or deletes it, by what the table knows.
    pub(crate) fn settle(&mut self, store: &FsStore, committed: u64) -> Result<(), LakeError> {
        let Some((day, number)) = self.pending else { return Ok(()) };
        if committed >= number {
            // The one before stays until the next start, since views may read it.
            Arc::make_mut(&mut self.days).insert(day, number);
        } else {
            // Its number will be another commit's.
            store.remove(&path_of(day, number))?;
        }
        self.pending = None;
        Ok(())
    }
}

/// The files that hold, of a table that knows numbers up to `committed`.
pub(crate) fn days(store: &FsStore, committed: u64) -> Result<BTreeMap<i32, u64>, LakeError> {
    let mut days = BTreeMap::new();
    for (day, number) in present(store)?.into_iter().filter(|(_, number)| *number <= committed) {
        let greatest = days.entry(day).or_insert(number);
        *greatest = number.max(*greatest);
    }
    Ok(days)
}

/// What a file says.
///
/// # Errors
/// [`LakeError::Damaged`] where it does not say what was written.
pub(crate) fn counts(
    store: &FsStore,
    day: i32,
    number: u64,
) -> Result<Vec<StoredCount>, LakeError> {
    let path = path_of(day, number);
    let bytes = match store.fs().read(&store.file(&path)) {
        Ok(bytes) => bytes,
        Err(source) => return Err(LakeError::Io { action: "read", path, source }),
    };
    let json = unseal(&bytes).and_then(|text| text.strip_prefix(MAGIC));
    json.and_then(|json| serde_json::from_str(json).ok()).ok_or_else(|| LakeError::Damaged {
        table: "events",
        what: format!("{path}: content differs from what was written"),
    })
}

fn put(store: &FsStore, day: i32, number: u64, counts: &[StoredCount]) -> Result<(), LakeError> {
    let json = serde_json::to_string(counts).map_err(|e| LakeError::Engine(e.to_string()))?;
    let path = path_of(day, number);
    store
        .put_beside(&path, seal(format!("{MAGIC}{json}\n")).as_bytes())
        .map_err(|source| LakeError::Io { action: "write", path, source })
}

/// Path of a file in the lake's directory.
pub(crate) fn path_of(day: i32, number: u64) -> String {
    format!("{EXPIRED_DIR}/{day}.{number}")
}

fn present(store: &FsStore) -> Result<Vec<(i32, u64)>, LakeError> {
    let parse = |name: &String| {
        let (day, number) = name.split_once('.')?;
        Some((day.parse().ok()?, number.parse().ok()?))
    };
    Ok(store.names(EXPIRED_DIR)?.iter().filter_map(parse).collect())
}
