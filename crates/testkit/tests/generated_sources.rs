//! Every lane's lines are read by the source they are made for, recognised by itself.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use yagura_event::{Context, EventBatch, EventId, Reference, SourceChoice};
use yagura_parse::{Framer, Parser, RecordHeader};
use yagura_testkit::generate::{Generator, Lane, Limit, Plan};

/// Records of each lane.
const RECORDS: u64 = 6_000;

const START: i64 = 1_767_592_800_000_000;

/// The lane's records of two tenants with planted ones among them, one stream after another.
fn records(lane: Lane) -> Vec<u8> {
    let plan = Plan {
        seed: 11,
        limit: Limit::Records(RECORDS),
        tenants: 2,
        attacks: 10,
        start: START,
        rate: None,
        lane: Some(lane),
    };
    let mut generator = Generator::new(&plan).unwrap();
    let mut chunks = vec![Vec::new(); generator.streams().len()];
    while generator.fill(&mut chunks, 1_000) > 0 {}
    chunks.concat()
}

#[test]
fn every_line_is_recognised_and_has_a_class_and_its_time() {
    let parser = Parser::builtin().unwrap_or_else(|error| panic!("{error}"));
    let mut faults = Vec::new();
    for lane in Lane::ALL {
        let wrong = wrong(&parser, lane, &records(lane));
        println!("{}: {} kinds of faults in {RECORDS} records", lane.name(), wrong.len());
        faults.extend(wrong.into_iter().map(|(what, (count, line))| {
            format!("{}: {what}, {count} times, such as {line}", lane.name())
        }));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What is wrong with how often and an example.
fn wrong(parser: &Parser, lane: Lane, bytes: &[u8]) -> BTreeMap<String, (u64, String)> {
    let reference = START + 86_400_000_000;
    let source = SourceChoice::Auto;
    let context =
        Arc::new(Context::new("default", "test", source.clone(), Reference::At(reference)));
    let mut framer = Framer::new(bytes, &source);
    let (mut wrong, mut count, mut out) = (BTreeMap::new(), 0, EventBatch::default());
    while let Some(frame) = framer.next_frame().unwrap() {
        out.clear();
        let head = RecordHeader {
            id: EventId::content(0, frame.number),
            received_time: reference,
            stream: 0,
            batch: 0,
            peer: "",
            position: frame.position,
        };
        parser.parse(&context, &head, frame.bytes, &mut out);
        count += 1;
        let event = out.event(0).unwrap();
        let mut fault = |what: String| {
            let line = String::from_utf8_lossy(event.raw()).into_owned();
            wrong.entry(what).or_insert((0, line)).0 += 1;
        };
        let named = parser.sources().name(event.event().source).unwrap_or("nothing");
        if named != lane.source() {
            fault(format!("read as {named}"));
        }
        if event.event().class.0 == 0 {
            fault("no class".to_owned());
        }
        if !(START..START + 43_200_000_000).contains(&event.event().time) {
            fault(format!("time {}", event.event().time));
        }
        for issue in event.issues() {
            fault(format!("issue {:?}", issue.code));
        }
    }
    assert_eq!(count, RECORDS, "{}", lane.name());
    wrong
}
