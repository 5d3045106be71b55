//! How far each stream has come in event time, and which streams are still active.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use yagura_event::Micros;
use yagura_event::time::DAY;

/// Most streams followed; beyond, those silent for longest are forgotten, an eighth at a time.
/// A forgotten stream's events are never late.
pub const STREAMS_MAX: usize = 65_536;

/// A stream silent for so long in journal time is forgotten.
const SILENT_MAX: Micros = DAY;

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Stream {
    /// Newest event time, never beyond the time of receipt: a stamp from the future must not
    /// make the events after it late.
    watermark: Micros,
    /// Journal time of its last record.
    seen: Micros,
}

/// All streams.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Streams(BTreeMap<u64, Stream>);

impl Streams {
    /// A record of `stream` was processed.
    pub fn advance(&mut self, stream: u64, event_time: Micros, journal_time: Micros) {
        let time = event_time.min(journal_time);
        if let Some(known) = self.0.get_mut(&stream) {
            known.watermark = known.watermark.max(time);
            known.seen = known.seen.max(journal_time);
            return;
        }
        if self.0.len() >= STREAMS_MAX {
            self.forget_eighth();
        }
        self.0.insert(stream, Stream { watermark: time, seen: journal_time });
    }

    /// The newest event time of a stream; `None` of an unknown one.
    pub fn watermark(&self, stream: u64) -> Option<Micros> {
        self.0.get(&stream).map(|known| known.watermark)
    }

    /// The smallest watermark of those streams in `feeding` that had a record at or after
    /// `since`; `Micros::MAX` where none had. Silent ones are taken out of `feeding`.
    pub fn floor(&self, feeding: &mut BTreeSet<u64>, since: Micros) -> Micros {
        feeding.retain(|stream| self.0.get(stream).is_some_and(|known| known.seen >= since));
        feeding.iter().filter_map(|stream| self.watermark(*stream)).min().unwrap_or(Micros::MAX)
    }

    /// Forgets streams that have been silent for a day.
    pub fn expire(&mut self, now: Micros) {
        self.0.retain(|_, known| known.seen >= now.saturating_sub(SILENT_MAX));
    }

    fn forget_eighth(&mut self) {
        let mut by_age: Vec<(Micros, u64)> =
            self.0.iter().map(|(stream, known)| (known.seen, *stream)).collect();
        by_age.sort_unstable();
        for (_, stream) in by_age.into_iter().take(STREAMS_MAX / 8) {
            self.0.remove(&stream);
        }
    }
}
