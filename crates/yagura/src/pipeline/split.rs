//! Chunks of the journal into units of work, each under the rules and sources in force there.

use crate::engine::Engine;
use crate::pipeline::work::{WORK_BYTES_MAX, Work};
use std::ops::Range;
use std::sync::Arc;
use yagura_journal::{Chunk, Entry, EntryKind};

/// Finds the engine of an epoch that the journal names.
pub type EngineOf = Arc<dyn Fn([u8; 16]) -> Option<Arc<Engine>> + Send + Sync>;

/// Cuts chunks at epochs and at [`WORK_BYTES_MAX`].
pub struct Splitter {
    engine: Arc<Engine>,
    engine_of: EngineOf,
    seq: u64,
}

impl Splitter {
    /// Begins under `engine`; `engine_of` finds those that later epochs name.
    pub fn new(engine: Arc<Engine>, engine_of: EngineOf) -> Self {
        Self { engine, engine_of, seq: 0 }
    }

    /// Hands `chunk` to `take` piece by piece. `Ok(false)` once `take` says that nobody wants
    /// more.
    ///
    /// # Errors
    /// An epoch that is not kept, in words for the operator.
    pub fn split(
        &mut self,
        chunk: &Chunk,
        take: &mut dyn FnMut(Work) -> bool,
    ) -> Result<bool, String> {
        let mut start = 0;
        let mut bytes = 0;
        for (index, entry) in chunk.iter().enumerate() {
            if entry.kind == EntryKind::Epoch {
                if !self.hand(chunk, start..index, bytes, take) {
                    return Ok(false);
                }
                (start, bytes) = (index, 0);
                if let Ok(Entry::Epoch { hash }) = entry.entry() {
                    self.engine = (self.engine_of)(hash).ok_or_else(|| {
                        let id = u128::from_be_bytes(hash);
                        format!(
                            "rules and sources {id:032x} are not in the data directory's epochs"
                        )
                    })?;
                }
            }
            bytes += entry.payload.len() + 64;
            if bytes >= WORK_BYTES_MAX {
                if !self.hand(chunk, start..index + 1, bytes, take) {
                    return Ok(false);
                }
                (start, bytes) = (index + 1, 0);
            }
        }
        Ok(self.hand(chunk, start..chunk.len(), bytes, take))
    }

    fn hand(
        &mut self,
        chunk: &Chunk,
        range: Range<usize>,
        bytes: usize,
        take: &mut dyn FnMut(Work) -> bool,
    ) -> bool {
        if range.is_empty() {
            return true;
        }
        let engine = Arc::clone(&self.engine);
        let work = Work { seq: self.seq, chunk: chunk.clone(), range, engine, bytes };
        self.seq += 1;
        take(work)
    }
}
