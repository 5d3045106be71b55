//! What a seed gives, in which shares, and whether the truth file tells it.

#![allow(clippy::unwrap_used)]

use super::*;
use std::collections::{BTreeMap, BTreeSet};
use yagura_event::time::SECOND;

fn plan(seed: u64, records: u64) -> Plan {
    Plan {
        seed,
        limit: Limit::Records(records),
        tenants: 5,
        attacks: 5,
        start: 1_790_000_000 * SECOND,
        rate: None,
        lane: None,
    }
}

/// Every stream's bytes, made in chunks of the sizes given in turn.
fn streams(plan: &Plan, sizes: &[u64]) -> (Vec<Vec<u8>>, Generator) {
    let mut generator = Generator::new(plan).unwrap();
    let mut chunks = vec![Vec::new(); generator.streams().len()];
    for size in sizes.iter().cycle() {
        if generator.fill(&mut chunks, *size) == 0 {
            break;
        }
    }
    (chunks, generator)
}

#[test]
fn a_seed_gives_the_same_bytes_whatever_the_chunks() {
    let (whole, _) = streams(&plan(7, 20_000), &[1_000_000]);
    let (parts, generator) = streams(&plan(7, 20_000), &[1, 17, 400, 3]);
    assert!(whole == parts);
    let (other, _) = streams(&plan(8, 20_000), &[1_000_000]);
    assert!(whole != other);
    let mut one_by_one = Generator::new(&plan(7, 20_000)).unwrap();
    let (mut again, mut line) = (vec![Vec::new(); whole.len()], Vec::new());
    let mut last = 0;
    while let Some(record) = one_by_one.next_record(&mut line) {
        assert!(record.at >= last, "{} after {last}", record.at);
        last = record.at;
        again[record.stream].append(&mut line);
        again[record.stream].push(b'\n');
    }
    assert!(whole == again);
    assert_eq!(one_by_one.written(), generator.written());
    let bytes: usize = whole.iter().map(Vec::len).sum();
    assert_eq!(generator.written(), (20_000, bytes as u64));
}

#[test]
fn a_byte_limit_is_passed_by_one_record_at_most() {
    let limited = Plan { limit: Limit::Bytes(3_000_000), ..plan(2, 0) };
    let (chunks, _) = streams(&limited, &[997]);
    let bytes: usize = chunks.iter().map(Vec::len).sum();
    assert!((3_000_000..3_002_000).contains(&bytes), "{bytes}");
}

#[test]
fn records_are_as_long_as_reckoned() {
    let mut wrong = Vec::new();
    for lane in Lane::ALL.into_iter().map(Some).chain([None]) {
        let (_, generator) = streams(&Plan { attacks: 0, lane, ..plan(2, 8_000) }, &[500]);
        let (records, bytes) = generator.written();
        let (mean, reckoned) = (bytes / records, record_bytes_mean(lane));
        if mean.abs_diff(reckoned) * 10 > reckoned {
            wrong.push(format!("{}: {mean}", lane.map_or("mix", Lane::name)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_shares_are_the_mix_within_one_percent() {
    let (chunks, generator) = streams(&plan(3, 200_000), &[10_000]);
    let (mut shares, mut tenants) = (BTreeMap::new(), BTreeMap::new());
    for (stream, chunk) in generator.streams().zip(&chunks) {
        let lines = chunk.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(lines as u64, stream.records);
        *shares.entry(stream.lane.group()).or_insert(0) += lines;
        *tenants.entry(stream.tenant).or_insert(0) += lines;
    }
    let wanted = [
        (Group::Firewall, 128_000),
        (Group::Web, 68_000),
        (Group::Mail, 3_000),
        (Group::Endpoint, 1_000),
    ];
    for (group, records) in wanted {
        assert!(shares[&group].abs_diff(records) <= 2_000, "{group:?}: {}", shares[&group]);
    }
    // Five tenants of shares 1, 1/2, 1/3, 1/4, 1/5.
    let sizes: Vec<usize> = generator.truth().tenants.iter().map(|t| tenants[t.as_str()]).collect();
    assert!(sizes.windows(2).all(|pair| pair[0] > pair[1]), "{sizes:?}");
    assert!(sizes[0].abs_diff(87_591) < 2_000, "{sizes:?}");
}

#[test]
fn without_anything_planted_the_shares_are_exact() {
    let plain = Plan { attacks: 0, ..plan(3, 2_000) };
    let (_, generator) = streams(&plain, &[100]);
    for lane in Lane::ALL {
        let records: u64 = generator.streams().filter(|s| s.lane == lane).map(|s| s.records).sum();
        assert_eq!(records, lane.weight() as u64, "{}", lane.name());
    }
}

#[test]
fn the_truth_files_lines_are_where_it_says() {
    for (seed, limit, rate) in [
        (1, Limit::Records(120_000), None),
        (2, Limit::Bytes(30_000_000), None),
        (3, Limit::Records(120_000), Some(100_000)),
    ] {
        let plan = Plan { attacks: 10, limit, rate, ..plan(seed, 0) };
        let (chunks, generator) = streams(&plan, &[5_000]);
        assert!(generator.planted.is_empty(), "{} lines never came", generator.planted.len());
        let truth = generator.truth();
        assert_eq!(truth.attacks.len(), 10);
        let kinds: BTreeSet<&str> = truth.attacks.iter().map(|story| story.kind).collect();
        assert_eq!(kinds.len(), 5);
        assert_eq!(truth.herrings.len() % 5, 0);
        assert!(!truth.herrings.is_empty());
        let mut lines = 0;
        for story in truth.attacks.iter().chain(&truth.herrings) {
            let written: usize = story.steps.iter().map(|step| step.lines.len()).sum();
            assert!(written as u64 <= STORY_RECORDS_MAX, "{}: {written}", story.kind);
            for line in story.steps.iter().flat_map(|step| &step.lines) {
                let stream = generator
                    .streams()
                    .position(|s| s.tenant == story.tenant && s.lane.name() == line.lane)
                    .unwrap();
                let text = chunks[stream].split(|b| *b == b'\n').nth(line.record as usize - 1);
                let text = text.unwrap();
                assert_eq!(format!("{:016x}", fnv1a(text)), line.hash, "{line:?}");
                lines += 1;
            }
            assert!(story.steps.iter().all(|step| !step.lines.is_empty()), "{story:?}");
        }
        assert!(lines > 500, "{lines}");
    }
}

#[test]
fn an_attacks_principals_are_in_its_lines_and_nobody_elses() {
    let (chunks, generator) = streams(&plan(4, 60_000), &[5_000]);
    let truth = generator.truth();
    for story in &truth.attacks {
        let mut text = String::new();
        for line in story.steps.iter().flat_map(|step| &step.lines) {
            let stream = generator
                .streams()
                .position(|s| s.tenant == story.tenant && s.lane.name() == line.lane)
                .unwrap();
            let line = chunks[stream].split(|b| *b == b'\n').nth(line.record as usize - 1);
            text.push_str(std::str::from_utf8(line.unwrap()).unwrap());
            text.push('\n');
        }
        let Principals { hosts, users, addresses, domains } = &story.principals;
        for name in users.iter().chain(addresses).chain(domains) {
            assert!(text.contains(name.as_str()), "{}: {name}", story.kind);
        }
        assert!(!hosts.is_empty());
        // Herrings of the same tenant have other people.
        for herring in truth.herrings.iter().filter(|h| h.tenant == story.tenant) {
            let shared = herring.principals.users.iter().find(|user| users.contains(user));
            assert_eq!(shared, None, "{} and {}", story.kind, herring.kind);
        }
    }
}

#[test]
fn tenants_have_nothing_in_common() {
    let (chunks, generator) = streams(&plan(6, 60_000), &[5_000]);
    for (stream, chunk) in generator.streams().zip(&chunks) {
        // Mail comes from other tenants' people, as it does.
        if stream.lane == Lane::Postfix {
            continue;
        }
        let text = std::str::from_utf8(chunk).unwrap();
        for other in generator.world.tenants.iter().filter(|t| t.name != stream.tenant) {
            for name in [other.domain.as_str(), &other.realm, &other.desks[0].host] {
                assert!(
                    !text.contains(name),
                    "{} in {}'s {}",
                    name,
                    stream.tenant,
                    stream.lane.name()
                );
            }
            let network = format!("10.{}.", 20 + 4 * other.number);
            let inside =
                text.contains(&format!(" {network}")) || text.contains(&format!(":{network}"));
            assert!(!inside, "{network} in {}'s {}", stream.tenant, stream.lane.name());
        }
    }
}

#[test]
fn one_lane_alone_has_only_its_records() {
    for lane in Lane::ALL {
        let (_, generator) = streams(&Plan { lane: Some(lane), ..plan(5, 4_000) }, &[500]);
        let written: u64 = generator.streams().filter(|s| s.lane == lane).map(|s| s.records).sum();
        assert_eq!(written, 4_000);
        let truth = generator.truth();
        let lines = truth.attacks.iter().flat_map(|s| &s.steps).flat_map(|s| &s.lines);
        assert!(lines.into_iter().all(|line| line.lane == lane.name()));
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |plan: Plan| Generator::new(&plan).map(|_| ()).unwrap_err();
    assert_eq!(refused(Plan { tenants: 0, ..plan(1, 9_000) }), PlanError::Tenants);
    assert_eq!(refused(Plan { tenants: TENANTS_MAX + 1, ..plan(1, 9_000) }), PlanError::Tenants);
    assert_eq!(refused(plan(1, 2 * STORY_RECORDS_MAX * 5 - 1)), PlanError::Attacks);
    assert!(Generator::new(&plan(1, 2 * STORY_RECORDS_MAX * 5)).is_ok());
    let many = ATTACKS_MAX + 1;
    assert_eq!(refused(Plan { attacks: many, ..plan(1, u64::MAX / 2) }), PlanError::Attacks);
    assert!(Generator::new(&Plan { tenants: TENANTS_MAX, ..plan(1, 9_000) }).is_ok());
}
