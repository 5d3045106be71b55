//! The thread that looks at the disk, and what it says.

use crate::pipeline::progress::Progress;
use std::time::{Duration, Instant};
use yagura_disk::{DiskGuard, DiskStage};
use yagura_journal::JournalHandle;

/// How often the disk is looked at. In this time the inputs may take what lies between
/// `disk.refuse_free_bytes` and nothing, which the journal itself looks at as it grows.
const LOOK: Duration = Duration::from_secs(1);

/// How often the thread sees whether it is to end.
const TURN: Duration = Duration::from_millis(50);

/// Looks at the disk until the pipeline is to stop.
pub fn run_disk(guard: &DiskGuard, journal: &JournalHandle, progress: &Progress) {
    let mut due = Instant::now();
    let mut told = false;
    while !progress.stopping() {
        if Instant::now() >= due {
            due = Instant::now() + LOOK;
            match guard.look() {
                Ok(stage) => {
                    told = false;
                    if let Some(stage) = stage {
                        tell(stage, guard);
                    }
                }
                Err(error) => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::warn!(%error, "the disk cannot be looked at; trying again");
                    }
                }
            }
            // The journal refuses by its own look, and opens again by this one.
            journal.look_at_disk();
        }
        std::thread::sleep(TURN);
    }
}

/// Frees the ballast's room after a write that failed; true where a further try may succeed.
pub fn make_room(guard: &DiskGuard) -> bool {
    match guard.make_room() {
        Ok(made) => {
            if made {
                tracing::error!("the disk is full: the ballast file is given up for the tables");
            }
            made
        }
        Err(error) => {
            tracing::error!(%error, "the ballast file cannot be removed");
            false
        }
    }
}

fn tell(stage: DiskStage, guard: &DiskGuard) {
    let free_bytes = guard.reading().free_bytes;
    match stage {
        DiskStage::Ample => tracing::warn!(free_bytes, "the disk has room again"),
        DiskStage::Low => tracing::warn!(free_bytes, "the disk fills up; free space on it"),
        DiskStage::NoCompaction => {
            tracing::warn!(free_bytes, "the disk fills up: data files are not rewritten");
        }
        DiskStage::Refusing => {
            tracing::error!(
                free_bytes,
                "the disk is nearly full: inputs are refused until there is room; what was taken \
                 is still written"
            );
        }
    }
}
