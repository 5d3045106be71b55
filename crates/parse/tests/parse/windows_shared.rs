//! Windows events of the shared data: shapes agree, damaged files are read, scenarios map.

use crate::windows_support::{fields, files, logsource, parse, parse_into, source, unpacked};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use yagura_event::{ColumnId, Context, EventBatch, Reference, SourceChoice};
use yagura_parse::decode::evtx::EvtxReader;

/// The records of an EVTX file, and how many faults it has.
fn evtx(path: &Path) -> (Vec<Vec<u8>>, u64) {
    let mut reader = EvtxReader::new(std::fs::File::open(path).unwrap());
    let (mut records, mut xml) = (Vec::new(), Vec::new());
    while reader.next_record(&mut xml).unwrap().is_some() {
        records.push(xml.clone());
    }
    (records, reader.fault_count())
}

/// The JSON objects of a file, which may follow each other without a separator.
fn objects(text: &str) -> Vec<String> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
    let mut found = Vec::new();
    while let Some(Ok(object)) = stream.next() {
        found.push(object.to_string());
    }
    found
}

/// Brings what the exporters write differently to one form: GUIDs without braces,
/// times in microseconds without trailing zeros, no white space at the ends, lower case (one
/// case of the set was edited by hand).
fn comparable(mut all: Vec<(String, String)>) -> Vec<(String, String)> {
    for (name, value) in &mut all {
        *value = value.trim().to_lowercase();
        let bare = value.trim_start_matches('{').trim_end_matches('}');
        let guid = bare.len() == 36
            && bare.bytes().enumerate().all(|(at, b)| match at {
                8 | 13 | 18 | 23 => b == b'-',
                _ => b.is_ascii_hexdigit(),
            });
        if guid {
            *value = bare.to_owned();
        } else if name == "TimeCreated_SystemTime" {
            let micros =
                value.trim_end_matches('z').get(..26).unwrap_or(value.trim_end_matches('z'));
            *value = micros.trim_end_matches('0').to_owned();
        }
    }
    all.sort();
    all
}

#[test]
fn evtx_and_json_of_the_regression_set_agree() {
    let Some(dir) = unpacked("sigma/sigma-regression.tar.zst") else { return };
    let (mut cases, mut events) = (0, 0);
    for path in files(dir.path(), "evtx") {
        let json = path.with_extension("json");
        if !json.exists() {
            continue;
        }
        let mut from_json: Vec<_> = objects(&std::fs::read_to_string(&json).unwrap())
            .iter()
            .map(|object| parse(object.as_bytes()))
            .map(|batch| (comparable(fields(&batch, 0)), batch))
            .collect();
        let (records, faults) = evtx(&path);
        assert_eq!(faults, 0, "{}", path.display());
        assert_eq!(records.len(), from_json.len(), "{}", path.display());
        cases += 1;
        for record in records {
            events += 1;
            let batch = parse(&record);
            let event = &batch.events[0];
            assert_eq!(source(&batch, 0), Some("windows_event"));
            assert_ne!(event.class.0, 0);
            assert!(batch.issues.is_empty(), "{:?} {}", batch.issues, path.display());
            let seen = comparable(fields(&batch, 0));
            let id = seen.iter().find(|(name, _)| name == "EventRecordID").cloned().unwrap();
            let at = from_json.iter().position(|(all, _)| all.contains(&id)).unwrap();
            let (all, other) = from_json.remove(at);
            assert_eq!(seen, all, "{}", path.display());
            let twin = &other.events[0];
            assert_eq!(
                (event.class, event.logsource, event.time / 1_000),
                (twin.class, twin.logsource, twin.time / 1_000)
            );
        }
    }
    println!("{cases} cases with both shapes, {events} events");
    assert_eq!(cases, 121);
}

#[test]
fn damaged_and_odd_files_are_read_as_far_as_they_go() {
    let Some(dir) = unpacked("windows/evtx-parser-cases/evtx-parser-cases.tar.zst") else { return };
    let (mut records, mut faulty, mut class_zero) = (0, 0, 0);
    let all = files(dir.path(), "evtx");
    for path in &all {
        let (found, faults) = evtx(path);
        assert!(!found.is_empty(), "no record in {}", path.display());
        records += found.len();
        faulty += usize::from(faults > 0);
        class_zero += found.iter().filter(|record| parse(record).events[0].class.0 == 0).count();
    }
    println!("{} files, {records} records, {faulty} files with faults", all.len());
    assert_eq!(class_zero, 0);
    assert!(faulty > 0, "the set holds damaged files");
}

#[test]
fn cut_and_flipped_files_never_panic() {
    let Some(dir) = unpacked("sigma/sigma-regression.tar.zst") else { return };
    let path = files(dir.path(), "evtx").into_iter().next().unwrap();
    let data = std::fs::read(path).unwrap();
    let mut xml = Vec::new();
    for end in (0..data.len()).step_by(997) {
        let mut reader = EvtxReader::new(data[..end].chain(std::io::empty()));
        while reader.next_record(&mut xml).unwrap().is_some() {}
        if end > 4_096 {
            assert!(reader.fault_count() > 0, "cut at {end} is told");
        }
    }
    for at in (0..6_000).step_by(7) {
        let mut data = data.clone();
        data[at] ^= 0xA5;
        let mut reader = EvtxReader::new(&data[..]);
        while reader.next_record(&mut xml).unwrap().is_some() {}
    }
}

#[test]
fn attack_samples_are_read() {
    let Some(dir) = unpacked("windows/evtx-attack-samples/evtx-attack-samples.tar.zst") else {
        return;
    };
    let mut services: BTreeMap<String, usize> = BTreeMap::new();
    let (mut records, mut unmapped) = (0, 0);
    for path in files(dir.path(), "evtx") {
        for record in evtx(&path).0 {
            records += 1;
            let batch = parse(&record);
            unmapped += usize::from(batch.events[0].class.0 == 0);
            *services.entry(logsource(&batch, 0)).or_default() += 1;
        }
    }
    println!("{records} records; {services:?}");
    assert_eq!(unmapped, 0);
    assert!(records > 1_000);
}

/// Cuts a file of `<Event>` elements.
fn elements(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive("</Event>").filter_map(|part| part.find("<Event ").map(|at| &part[at..]))
}

#[test]
fn scenario_events_are_named_timed_and_attributed() {
    let context = Arc::new(Context::new("default", "t", SourceChoice::Auto, Reference::Received));
    let mut events = 0;
    for scenario in ["branch-office-example", "arch-firm-ssh-bruteforce", "baseline-only"] {
        let Some(dir) = unpacked(&format!("scenarios/{scenario}.tar.zst")) else { return };
        for path in files(dir.path(), "xml") {
            let text = std::fs::read_to_string(&path).unwrap();
            let mut batch = EventBatch::default();
            elements(&text).for_each(|record| parse_into(&context, record.as_bytes(), &mut batch));
            assert_eq!(batch.events.len(), text.matches("</Event>").count());
            events += batch.events.len();
            check_mapped(&batch, &path);
        }
    }
    println!("{events} scenario events");
    assert!(events > 40_000);
}

fn check_mapped(batch: &EventBatch, path: &Path) {
    for (at, event) in batch.iter().enumerate() {
        let head = event.event();
        assert_eq!(source(batch, at), Some("windows_event"), "{}", path.display());
        assert_ne!(head.class.0, 0);
        assert!(event.issues().is_empty(), "{:?} {:?}", fields(batch, at), event.issues());
        assert_ne!(head.time, head.received_time, "time of {:?}", fields(batch, at));
        assert!(event.column_text(ColumnId::DEVICE_HOSTNAME).is_some());
        let all = fields(batch, at);
        let set = |name: &str| {
            all.iter().any(|(field, value)| field == name && !matches!(value.as_str(), "" | "-"))
        };
        let column = |id| event.column(id).is_some();
        if set("TargetUserName") && !set("NewProcessName") {
            assert!(column(ColumnId::USER_NAME), "{all:?}");
        }
        if set("SubjectUserName") || set("User") || set("SourceUser") {
            assert!(column(ColumnId::ACTOR_USER_NAME), "{all:?}");
        }
        if set("IpAddress") || set("SourceIp") || set("SourceAddress") {
            assert!(column(ColumnId::SRC_IP), "{all:?}");
        }
        if set("CommandLine") {
            assert!(column(ColumnId::PROCESS_CMD_LINE) && column(ColumnId::PROCESS_PID), "{all:?}");
        }
        if set("DestinationIp") || set("DestAddress") {
            assert!(column(ColumnId::DST_IP) && column(ColumnId::DST_PORT), "{all:?}");
        }
    }
}
