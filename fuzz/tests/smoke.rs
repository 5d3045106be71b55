//! Every target for a few seconds over inputs of a fixed seed, or for a minute each
//! (`YAGURA_FULL=1`) over those of `YAGURA_SEED`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;
use std::time::{Duration, Instant};
use yagura_fuzz::targets::{containers, journal, parse, rules};
use yagura_fuzz::{Run, Target};

/// Inputs run at least, whatever the time: fewer would say nothing.
const LEAST: u64 = 200;

fn check(target: &dyn Target) {
    let full = std::env::var_os("YAGURA_FULL").is_some();
    let time = Duration::from_secs(if full { 60 } else { 4 });
    let named = std::env::var("YAGURA_SEED").ok().and_then(|text| text.parse().ok());
    let run = Run {
        seed: named.unwrap_or(1),
        from: 0,
        until: Instant::now() + time,
        most: u64::MAX,
        out: Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("fuzz")),
        careful: false,
    };
    let report = run.go(target, &mut |_, _| {}).unwrap();
    println!("{}: seed {}, {report:?}", target.name(), run.seed);
    assert!(report.failures.is_empty(), "{:#?}", report.failures);
    assert!(report.executions >= LEAST, "{report:?}");
}

#[test]
fn records_files_and_containers() {
    check(&parse::Parse::new().unwrap());
}

#[test]
fn rule_files() {
    check(&rules::Rules::new().unwrap());
}

#[test]
fn segments_of_a_journal() {
    check(&journal::Journal::new().unwrap());
}

/// The driver finds what is there to be found: a panic, an error, and both again by number.
#[test]
fn failures_are_found_saved_and_repeated() {
    struct Fragile;
    impl Target for Fragile {
        fn name(&self) -> &'static str {
            "fragile"
        }
        fn make(&self, rng: &mut yagura_testkit::rng::Rng) -> Vec<u8> {
            rng.bits().to_le_bytes().to_vec()
        }
        fn run(&self, input: &[u8]) -> Result<(), String> {
            assert_ne!(input[0], 7, "seven");
            if input[0] == 8 { Err("eight".to_owned()) } else { Ok(()) }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run {
        seed: 3,
        from: 0,
        until: Instant::now() + Duration::from_secs(60),
        most: 5_000,
        out: Some(folder.path().to_owned()),
        careful: true,
    };
    let found = run.go(&Fragile, &mut |_, _| {}).unwrap().failures;
    assert!(found.iter().any(|f| f.message.contains("seven")), "{found:?}");
    assert!(found.iter().any(|f| f.message == "eight"), "{found:?}");
    let first = &found[0];
    let saved = std::fs::read(first.path.as_ref().unwrap()).unwrap();
    assert!(yagura_fuzz::driver::run_one(&Fragile, &saved).is_err());
    (run.from, run.most) = (first.number, 1);
    assert_eq!(run.go(&Fragile, &mut |_, _| {}).unwrap().failures[0].number, first.number);
}

/// Seeds reach what they are meant to reach: a container made is a container read.
#[test]
fn containers_hold_what_was_put_in() {
    let packed = containers::packed(b"one\ntwo\n");
    assert_eq!(packed.len(), 6);
    assert_eq!(packed.iter().filter(|bytes| containers::is_archive(bytes)).count(), 2);
    for bytes in packed {
        containers::unpack(&bytes).unwrap();
    }
}

/// The check of the journal fails where entries are invented: here the model is another's.
#[test]
fn an_invented_entry_is_told() {
    let journal = journal::Journal::new().unwrap();
    let own = journal.segment(1);
    assert_eq!(journal.check(&[&[0, 1][..], own].concat()), Ok(()));
    let mut forged = own.to_vec();
    let at = forged.len() - 1;
    forged[at] ^= 1;
    journal::put_sums_right(&mut forged);
    assert!(journal.check(&[&[0, 1][..], &forged].concat()).is_err());
}
