//! Regular contact: whether times follow a beat, with jitter and missed beats.

use crate::rule::Periodic;
use yagura_event::Micros;
use yagura_event::time::SECOND;

/// Events closer than this are one contact: a page and its parts, a retry.
pub const CONTACT_GAP: Micros = SECOND;

/// A pause of up to this many beats is explained by missed ones.
const BEATS_MAX: i64 = 4;

/// Of all pauses at most one in this many may hide missed beats. Random arrivals have about
/// one in three.
const MISSED_ONE_IN: usize = 4;

/// Of all pauses at least this many per cent must lie near a multiple of the beat. A beacon
/// with the accepted jitter has nearly all there, random arrivals about half.
const REGULAR_PERCENT: usize = 80;

/// How near, as a multiple of the accepted jitter: where jitter moves both ends of a pause,
/// the pause varies by more than the jitter itself.
const NEAR_JITTERS: f64 = 1.5;

/// Whether `times` (ascending, contacts collapsed) show a beat within the parameters.
///
/// The beat is the median pause. A pause near 2 to 4 beats counts as missed ones. Jitter is
/// the median absolute deviation from the beat divided by the beat. Beside the times as a
/// whole the newest `2 * min_count` are judged, so that a beacon is found after irregular
/// traffic of the same group.
pub(super) fn regular(times: &[Micros], want: &Periodic) -> bool {
    let min = usize::try_from(want.min_count).unwrap_or(usize::MAX);
    if times.len() < min {
        return false;
    }
    let newest = min.saturating_mul(2);
    has_beat(times, want)
        || (times.len() > newest && has_beat(&times[times.len() - newest..], want))
}

fn has_beat(times: &[Micros], want: &Periodic) -> bool {
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return false };
    let pauses_count = times.len() - 1;
    if pauses_count == 0 {
        return false;
    }
    // The median is at most twice the mean, so that busy traffic is dismissed without sorting.
    if (last - first) / pauses_count as i64 * 2 < want.min_interval {
        return false;
    }
    let mut pauses: Vec<Micros> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let beat = median(&mut pauses);
    if beat <= 0 || beat < want.min_interval || beat > want.max_interval {
        return false;
    }
    let near = (want.max_jitter * NEAR_JITTERS * beat as f64) as Micros;
    let (mut regular, mut missed) = (0, 0);
    let mut off: Vec<Micros> = Vec::with_capacity(pauses.len());
    for pause in &pauses {
        let beats = ((pause + beat / 2) / beat).clamp(1, BEATS_MAX);
        let deviation = (pause - beats * beat).abs();
        regular += usize::from(deviation <= near);
        missed += usize::from(beats > 1);
        // A single missed beat is forgiven where it falls, more jitter is not.
        off.push(if beats > 1 { deviation / beats } else { deviation });
    }
    let spread = median(&mut off);
    missed * MISSED_ONE_IN <= pauses.len()
        && regular * 100 >= pauses.len() * REGULAR_PERCENT
        && spread as f64 <= want.max_jitter * beat as f64
}

/// The lower median; 0 of nothing.
fn median(values: &mut [Micros]) -> Micros {
    if values.is_empty() {
        return 0;
    }
    let middle = (values.len() - 1) / 2;
    *values.select_nth_unstable(middle).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use yagura_event::time::{HOUR, MINUTE};

    const WANT: Periodic = Periodic {
        min_count: 10,
        max_jitter: 0.2,
        min_interval: 20 * SECOND,
        max_interval: 20 * MINUTE,
    };

    #[test]
    fn a_beat_needs_its_count_and_range() {
        let beat = |n: i64, period: Micros| -> Vec<Micros> { (0..n).map(|i| i * period).collect() };
        assert!(regular(&beat(10, MINUTE), &WANT));
        assert!(!regular(&beat(9, MINUTE), &WANT));
        assert!(regular(&beat(10, 20 * SECOND), &WANT));
        assert!(!regular(&beat(100, 19 * SECOND), &WANT));
        assert!(!regular(&beat(100, HOUR), &WANT));
        assert!(!regular(&[], &WANT));
    }

    #[test]
    fn missed_beats_are_forgiven_up_to_a_share() {
        let mut times: Vec<Micros> = (0..13).map(|i| i * MINUTE).collect();
        times.retain(|t| *t != 4 * MINUTE && *t != 9 * MINUTE);
        assert!(regular(&times, &WANT));
        let every_other: Vec<Micros> =
            (0..40).filter(|i| i % 4 != 0 && i % 4 != 2).map(|i| i * MINUTE + i % 3).collect();
        assert!(regular(&every_other, &WANT), "two minutes are a beat of their own");
        let ragged: Vec<Micros> = (0..40).filter(|i| i % 3 != 0).map(|i| i * MINUTE).collect();
        assert!(!regular(&ragged, &WANT), "half of the pauses hide a missed beat");
    }
}
