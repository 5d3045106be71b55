//! A record that kills the process: after two deaths at it, it is stored unparsed.

use crate::support::{balanced, count, ok};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use yagura::pipeline::flight::Flight;
use yagura_disk::RealFs;
use yagura_event::Lsn;

const DATA: &str = "YAGURA_TEST_FLIGHT_DATA";
const DEADLY: &str = "YAGURA_TEST_FLIGHT_DEADLY";

/// One start: works through the entries 10 to 29 in two units, and aborts at the deadly one.
fn work(data: &Path, deadly: Option<u64>) -> Vec<Lsn> {
    let flight = Flight::open(Arc::new(RealFs), data, 2).unwrap();
    for (worker, first) in [(0, 10), (1, 20)] {
        let unit = flight.unit(worker, Lsn(first), Lsn(first + 9));
        for lsn in first..first + 10 {
            if unit.at(Lsn(lsn)) && deadly == Some(lsn) {
                std::process::abort();
            }
        }
    }
    flight.land().unwrap();
    flight.poisoned().collect()
}

/// The process that dies: this test run again by the one below.
#[test]
fn child() {
    let (Ok(data), Ok(deadly)) = (std::env::var(DATA), std::env::var(DEADLY)) else { return };
    work(Path::new(&data), deadly.parse().ok());
}

fn survives(data: &Path, deadly: u64) -> bool {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "poison::child"])
        .env(DATA, data)
        .env(DEADLY, deadly.to_string())
        .output()
        .unwrap();
    child.status.success()
}

#[test]
fn two_deaths_at_one_record_poison_it_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    // The first death tells the unit, the next two the record.
    for _ in 0..3 {
        assert!(!survives(dir.path(), 23));
    }
    assert!(survives(dir.path(), 23), "the record is left out");
    assert_eq!(work(dir.path(), None), [Lsn(23)]);
    assert!(!survives(dir.path(), 12), "others are parsed as ever");
    assert_eq!(work(dir.path(), None), [Lsn(23)]);
}

#[test]
fn deaths_at_different_records_poison_none() {
    let dir = tempfile::tempdir().unwrap();
    for deadly in [11, 12, 13, 25, 14] {
        assert!(!survives(dir.path(), deadly));
    }
    assert_eq!(work(dir.path(), None), []);
    assert!(!survives(dir.path(), 12), "a clean end has cleared the suspects");
    assert!(!survives(dir.path(), 12));
    assert_eq!(work(dir.path(), None), []);
}

/// The real binary stores a poisoned record unparsed, with its issue, and all others parsed.
#[test]
fn a_poisoned_record_is_stored_with_its_issue() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("auth.log"));
    let lines: Vec<String> = (0..20)
        .map(|n| format!("<34>Jan  5 10:00:{n:02} gate sshd[7]: Failed password for u{n} from 192.0.2.9 port 40 ssh2"))
        .collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("poison.json"), "{\"version\":1,\"poisoned\":[9]}").unwrap();
    ok(&["ingest", "--data", data.to_str().unwrap(), file.to_str().unwrap()]);
    assert_eq!(count(&data, "select count(*) from events"), "20");
    assert_eq!(count(&data, "select count(*) from events where class_uid = 3002"), "19");
    let poisoned =
        "class_uid = 0 and issues like 'poison: not parsed%' and raw_data like '<34>Jan%'";
    assert_eq!(count(&data, &format!("select count(*) from events where {poisoned}")), "1");
    balanced(&data);
}
