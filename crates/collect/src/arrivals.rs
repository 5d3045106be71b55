//! What has arrived by feed since the process began: for people who watch, beside the books.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use yagura_event::{Micros, TenantName};

/// Feeds that are told apart; those beyond it are not watched.
const FEEDS_MAX: usize = 10_000;

/// What has arrived on a feed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Arrival {
    /// Records.
    pub records: u64,
    /// When the last of them came.
    pub last: Micros,
}

/// What has arrived, by tenant and feed.
#[derive(Debug, Default)]
pub struct Arrivals(Mutex<HashMap<String, HashMap<String, Arrival>>>);

impl Arrivals {
    pub(crate) fn note(&self, tenant: &TenantName, feed: &str, records: u64, now: Micros) {
        if records == 0 {
            return;
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get_mut(tenant.as_str()).and_then(|feeds| feeds.get_mut(feed));
        if let Some(arrival) = known {
            *arrival = Arrival { records: arrival.records + records, last: now };
        } else if all.values().map(HashMap::len).sum::<usize>() < FEEDS_MAX {
            let feeds = all.entry(tenant.as_str().to_owned()).or_default();
            feeds.insert(feed.to_owned(), Arrival { records, last: now });
        }
    }

    /// Everything: tenant, feed, what has arrived.
    pub fn all(&self) -> Vec<(String, String, Arrival)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |(tenant, feeds): (&String, &HashMap<String, Arrival>)| {
            let feeds =
                feeds.iter().map(|(feed, arrival)| (tenant.clone(), feed.clone(), *arrival));
            feeds.collect::<Vec<_>>()
        };
        all.iter().flat_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn feeds_are_told_apart_up_to_a_limit() {
        let (arrivals, tenant) = (Arrivals::default(), TenantName::new("acme").unwrap());
        arrivals.note(&tenant, "a", 2, 5);
        arrivals.note(&tenant, "a", 3, 9);
        arrivals.note(&tenant, "a", 0, 11);
        let all = arrivals.all();
        assert_eq!(all, [("acme".into(), "a".into(), Arrival { records: 5, last: 9 })]);
        for number in 0..FEEDS_MAX {
            arrivals.note(&tenant, &format!("f{number}"), 1, 1);
        }
        assert_eq!(arrivals.all().len(), FEEDS_MAX);
    }
}
