//! How long both engines take for the same events.

use crate::shared::pair;
use yagura_oracle::data::{Published, files, records, shared};
use yagura_oracle::peer::Acceleration;
use yagura_oracle::timing;

/// Records timed.
const RECORDS: usize = 20_000;

/// `cargo test --release -p yagura-oracle --test oracle speed -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn both_engines_over_recorded_windows_events() {
    let (Some(mut pair), Some(folder)) = (pair(Published::InUse), shared("windows/mordor")) else {
        return;
    };
    let mut all: Vec<Vec<u8>> = Vec::new();
    for path in files(&folder).unwrap() {
        if path.to_string_lossy().ends_with(".jsonl.zst") {
            let _ = records(&path, 3, &mut |record| {
                all.push(record.to_vec());
                all.len() < RECORDS
            });
        }
    }
    for by in Acceleration::ALL {
        pair.peer.accelerate(by);
        let timing = timing::time(&pair, &all, 5).expect("the kernel tells CPU time");
        println!("{by:?}: {timing:#?}");
        println!(
            "matching {:.1} times as fast, from raw record to match {:.1} times",
            timing.peer_match / timing.ours_match,
            timing.peer_whole / timing.ours_whole
        );
    }
}
