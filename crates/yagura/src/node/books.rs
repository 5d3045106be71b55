//! The books, double entry: what was received equals stored, pending, rejected, duplicate and
//! expired.

use crate::node::Node;
use serde::Serialize;
use std::collections::BTreeMap;
use yagura_event::time::HOUR;
use yagura_event::{Lsn, TenantScope};
use yagura_journal::{CountKind, Entry, JournalError};

/// How often the reading begins again when the journal was cut under it.
const TRIES: usize = 5;

/// One row: a tenant's feed in an hour of receipt.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Row {
    /// The customer.
    pub tenant: String,
    /// The customer's inflow.
    pub feed: String,
    /// Start of the hour, RFC 3339.
    pub hour: String,
    /// Counted at the input.
    pub received: u64,
    /// In the tables' files.
    pub stored: u64,
    /// Durable in the journal and not yet in a file.
    pub pending: u64,
    /// Refused by limits and quotas.
    pub rejected: u64,
    /// Known already.
    pub duplicate: u64,
    /// Stored once, and deleted since it was to be kept no longer.
    pub expired: u64,
    /// Received less the rest: 0 when the books balance.
    pub gap: i64,
    /// Datagrams that the kernel dropped before they were received: beside the books.
    pub dropped_by_kernel: u64,
}

#[derive(Default)]
struct Sums {
    received: u64,
    stored: u64,
    pending: u64,
    rejected: u64,
    duplicate: u64,
    expired: u64,
    dropped_by_kernel: u64,
}

type Key = (String, String, i64);

/// The rows of the scope, each side counted from its own source.
///
/// # Errors
/// Those of the stores.
pub fn rows(node: &Node, scope: &TenantScope) -> anyhow::Result<Vec<Row>> {
    let mut tries = 0;
    loop {
        match sums(node, scope) {
            Ok(sums) => return Ok(sums.into_iter().map(|(key, sums)| row(key, &sums)).collect()),
            Err(error) => {
                let cut = matches!(
                    error.downcast_ref::<JournalError>(),
                    Some(JournalError::Trimmed { .. })
                );
                tries += 1;
                if !cut || tries >= TRIES {
                    return Err(error);
                }
            }
        }
    }
}

fn sums(node: &Node, scope: &TenantScope) -> anyhow::Result<BTreeMap<Key, Sums>> {
    let mut sums: BTreeMap<Key, Sums> = BTreeMap::new();
    let judge = node.judge()?;
    // Books and position are read in this order: a commit in between would only make the
    // second reading of the journal begin too late, so both are taken twice until they agree.
    let (books, judged) = loop {
        let before = judge.lsn()?;
        let books = judge.books(scope)?;
        if judge.lsn()? == before {
            break (books, before);
        }
    };
    for book in books {
        let sum = sums.entry((book.tenant, book.feed, book.hour)).or_default();
        match book.kind.as_str() {
            "received" => sum.received += book.count,
            "duplicate" => sum.duplicate += book.count,
            "dropped_by_kernel" => sum.dropped_by_kernel += book.count,
            _ => sum.rejected += book.count,
        }
    }
    let view = node.lake().view();
    for count in view.stored_counts() {
        if scope.allows(&count.tenant) {
            let key = (count.tenant, count.feed, count.hour.div_euclid(HOUR));
            sums.entry(key).or_default().stored += count.records;
        }
    }
    for count in view.expired_counts()? {
        if scope.allows(&count.tenant) {
            let key = (count.tenant, count.feed, count.hour.div_euclid(HOUR));
            sums.entry(key).or_default().expired += count.records;
        }
    }
    for count in view.tail_counts() {
        if scope.allows(&count.tenant) {
            let key = (count.tenant, count.feed, count.hour.div_euclid(HOUR));
            sums.entry(key).or_default().pending += count.records;
        }
    }
    journal(node, scope, judged, view.upper, &mut sums)?;
    Ok(sums)
}

/// Adds what the judge (counts) and the lake (records) have not taken from the journal yet.
fn journal(
    node: &Node,
    scope: &TenantScope,
    judged: Lsn,
    upper: Lsn,
    sums: &mut BTreeMap<Key, Sums>,
) -> anyhow::Result<()> {
    let from = judged.min(upper);
    let mut reader = node.journal().reader(Lsn(from.0 + 1));
    while let Some(chunk) = reader.next_chunk()? {
        for entry in chunk.iter() {
            let hour = entry.received.div_euclid(HOUR);
            if let Some(record) = entry.record()? {
                if entry.lsn > upper && scope.allows(record.tenant) {
                    let key = (record.tenant.to_owned(), record.feed.to_owned(), hour);
                    sums.entry(key).or_default().pending += 1;
                }
            } else if entry.lsn > judged
                && let Entry::Counts(counts) = entry.entry()?
            {
                for count in counts.into_iter().filter(|c| scope.allows(c.tenant.as_str())) {
                    let key = (count.tenant.to_string(), count.feed, hour);
                    let sum = sums.entry(key).or_default();
                    match count.kind {
                        CountKind::Received => sum.received += count.count,
                        CountKind::Duplicate => sum.duplicate += count.count,
                        CountKind::KernelDropped => sum.dropped_by_kernel += count.count,
                        CountKind::Rejected(_) => sum.rejected += count.count,
                    }
                }
            }
        }
    }
    Ok(())
}

fn row((tenant, feed, hour): Key, sums: &Sums) -> Row {
    let Sums { received, stored, pending, rejected, duplicate, expired, dropped_by_kernel } = *sums;
    let right = stored + pending + rejected + duplicate + expired;
    let hour = yagura_event::time::rfc3339(hour * HOUR);
    let gap = i64::try_from(received).unwrap_or(i64::MAX) - i64::try_from(right).unwrap_or(0);
    Row {
        tenant,
        feed,
        hour,
        received,
        stored,
        pending,
        rejected,
        duplicate,
        expired,
        gap,
        dropped_by_kernel,
    }
}
