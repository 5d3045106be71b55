//! The tables against the plainest possible search.

use super::{push_event, set};
use crate::list::{Builder, List, Statement};
use crate::prefix::Prefixes;
use crate::{Scratch, Value, parse};
use proptest::prelude::*;
use std::collections::BTreeSet;
use yagura_event::{ColumnId, EventBatch};

/// Values from a small world, so that they meet.
fn entry() -> impl Strategy<Value = String> {
    let octet = || 0u8..4;
    let label = || prop::sample::select(vec!["a", "b", "c", "example", "x1"]);
    prop_oneof![
        (octet(), octet()).prop_map(|(a, b)| format!("203.0.{a}.{b}")),
        (octet(), 20u8..=31).prop_map(|(a, len)| format!("203.0.{a}.0/{len}")),
        (octet(), 100u8..=128).prop_map(|(a, len)| format!("2001:db8::{a}/{len}")),
        octet().prop_map(|a| format!("2001:db8::{a}")),
        (label(), label()).prop_map(|(a, b)| format!("{a}.{b}.com")),
        label().prop_map(|a| format!("{a}x.com")),
        (label(), label()).prop_map(|(a, b)| format!("http://{a}.com/{b}/")),
        (label(), label()).prop_map(|(a, b)| format!("http://{a}.com/{b}")),
        (label(), label()).prop_map(|(a, b)| format!("{a}@{b}.com")),
        octet().prop_map(|a| format!("{a:02x}").repeat(16)),
        octet().prop_map(|a| format!("{a:02x}").repeat(32)),
    ]
}

fn list_of(name: &str, entries: &[String]) -> (List, Vec<Value>) {
    let mut builder = Builder::new(name);
    let mut values = Vec::new();
    for entry in entries {
        let mut found = Vec::new();
        if parse(entry, false, &mut found).is_ok() {
            for value in found {
                builder.take(&value, &Statement::default());
                values.push(value);
            }
        }
    }
    (builder.finish(), values)
}

/// Whether an indicator covers a value of its group, by the words of the documentation.
fn covers(indicator: &Value, seen: &Value) -> bool {
    match (indicator, seen) {
        (Value::Network(net), Value::Ip(ip)) => {
            crate::network::Network::new(*ip, net.len).is_some_and(|around| around == *net)
        }
        (Value::Domain(name), Value::Domain(below)) => {
            below == name || below.ends_with(&format!(".{name}"))
        }
        (Value::Url(page), Value::Url(seen)) => {
            let bare = seen.split('?').next().unwrap();
            page == seen || page == bare || (page.ends_with('/') && bare.starts_with(page.as_str()))
        }
        _ => indicator == seen,
    }
}

/// What the events of a value are looked up as.
fn column(value: &Value) -> ColumnId {
    match value {
        Value::Ip(_) | Value::Network(_) => ColumnId::DST_IP,
        Value::Domain(_) => ColumnId::DNS_QUERY_HOSTNAME,
        Value::Url(_) => ColumnId::URL_STRING,
        Value::Email(_) => ColumnId::EMAIL_FROM,
        Value::Hash(_) => ColumnId::FILE_HASH_SHA256,
    }
}

/// The values that an event of `value` shows: a URL its host, an e-mail address its domain.
fn shown(value: &Value) -> Vec<Value> {
    let mut all = vec![value.clone()];
    let host = match value {
        Value::Url(text) => text.split('/').next(),
        Value::Email(text) => text.split('@').nth(1),
        _ => None,
    };
    all.extend(host.map(|host| Value::Domain(host.to_owned())));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn matches_are_those_of_a_search_over_everything(
        a in prop::collection::vec(entry(), 0..40),
        b in prop::collection::vec(entry(), 0..40),
        seen in prop::collection::vec(entry(), 1..20),
    ) {
        let ((one, first), (two, second)) = (list_of("one", &a), list_of("two", &b));
        let set = set(&[one, two]);
        let mut scratch = Scratch::default();
        for text in seen {
            let mut values = Vec::new();
            if parse(&text, false, &mut values).is_err() || matches!(values[0], Value::Network(_)) {
                continue;
            }
            let value = &values[0];
            let mut batch = EventBatch::default();
            push_event(&mut batch, 0, &[(column(value), &value.to_string())]);
            let mut out = Vec::new();
            set.matches(batch.event(0).unwrap(), "", &mut scratch, &mut out);
            let found: BTreeSet<(String, String)> = out
                .iter()
                .map(|m| (m.fields[3].1.clone(), m.key("indicator").unwrap().to_owned()))
                .collect();
            prop_assert_eq!(found.len(), out.len());
            let mut want = BTreeSet::new();
            for (list, indicators) in [("one", &first), ("two", &second)] {
                for indicator in indicators {
                    if shown(value).iter().any(|shown| covers(indicator, shown)) {
                        want.insert((list.to_owned(), indicator.to_string()));
                    }
                }
            }
            prop_assert_eq!(found, want, "{}", text);
        }
    }

    #[test]
    fn networks_around_an_address(
        nets in prop::collection::vec((any::<u32>(), 0u32..=32), 0..60),
        near in prop::collection::vec((any::<prop::sample::Index>(), any::<u32>(), 0u32..32), 0..60),
    ) {
        let masked: Vec<(u32, u32, u32)> = nets
            .iter()
            .enumerate()
            .map(|(at, (address, len))| {
                let mask = u32::MAX.checked_shl(32 - len).unwrap_or(0);
                (address & mask, (address & mask) | !mask, at as u32)
            })
            .collect();
        let table = Prefixes::new(masked.clone());
        for (which, random, bits) in near {
            if masked.is_empty() { continue; }
            let address = masked[which.index(masked.len())].0 ^ (random >> bits);
            let mut found: Vec<u32> =
                table.around(address).flat_map(|(_, _, says)| says.to_vec()).collect();
            found.sort_unstable();
            let want: Vec<u32> = masked
                .iter()
                .filter(|(first, last, _)| *first <= address && address <= *last)
                .map(|(_, _, at)| *at)
                .collect();
            prop_assert_eq!(found, want);
        }
    }
}

#[test]
fn the_filter_forgets_nothing_and_seldom_errs() {
    for count in [0u64, 1, 2, 3, 10, 100, 1_000, 100_000] {
        let keys: Vec<u64> = (0..count).map(|n| n * 7).collect();
        let filter = crate::fuse::Fuse::new(keys.iter().chain(&keys).copied().collect());
        assert!(keys.iter().all(|key| filter.has(*key)), "{count}");
        assert!(filter.bytes() > 0, "{count} keys tangled");
        let wrong = (0..100_000u64).filter(|n| filter.has(n * 7 + 3)).count();
        assert!(wrong < 800, "{count}: {wrong} of 100000");
        if count >= 100_000 {
            assert!(filter.bytes() as f64 / (count as f64) < 1.2, "{}", filter.bytes());
        }
    }
}
