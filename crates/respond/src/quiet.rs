//! Hours in which only the urgent is sent; pure.

use crate::zone::timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use yagura_event::Level;
use yagura_event::time::Micros;

/// Daily hours by the wall clock of a zone, `from` included, `until` not.
#[derive(Clone, Debug)]
pub(crate) struct QuietHours {
    pub(crate) from: Time,
    pub(crate) until: Time,
    pub(crate) zone: TimeZone,
    /// What is as urgent as this is sent nevertheless.
    pub(crate) except_from: Level,
}

impl QuietHours {
    /// When the quiet hours end that `now` is in.
    pub(crate) fn end(&self, now: Micros) -> Option<Micros> {
        let local = timestamp(now).to_zoned(self.zone.clone());
        let (date, time) = (local.date(), local.time());
        let over_midnight = self.from >= self.until;
        let after_from = time >= self.from;
        let before_until = time < self.until;
        let quiet =
            if over_midnight { after_from || before_until } else { after_from && before_until };
        if !quiet {
            return None;
        }
        let last = if over_midnight && after_from { date.tomorrow().unwrap_or(date) } else { date };
        Some(self.instant(last.to_datetime(self.until), now))
    }

    /// The first instant after `now` at which the clock shows `end` or more.
    fn instant(&self, end: DateTime, now: Micros) -> Micros {
        let ambiguous = self.zone.to_ambiguous_timestamp(end);
        let (earlier, later) = (ambiguous.earlier(), ambiguous.later());
        let found = match ambiguous.offset() {
            // The clock jumps over the end: it is reached with the jump.
            AmbiguousOffset::Gap { .. } => earlier
                .ok()
                .and_then(|before| Some(self.zone.following(before).next()?.timestamp()))
                .map_or(later, Ok),
            _ => match earlier {
                Ok(first) if first.as_microsecond() > now => Ok(first),
                _ => later,
            },
        };
        // Beyond the calendar's end nothing is held.
        found.map_or(now, |instant| instant.as_microsecond())
    }

    /// How urgent something must be to be sent at `now`.
    pub(crate) fn floor(&self, now: Micros) -> Level {
        if self.end(now).is_some() { self.except_from } else { Level::Informational }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::zone::{shown, zone};

    /// Walks through times given with offset and shows when the quiet hours end in each.
    fn check(from: &str, until: &str, name: &str, cases: &[(&str, &str)]) {
        let quiet = QuietHours {
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
            zone: zone(name).unwrap(),
            except_from: Level::Critical,
        };
        for (now, end) in cases {
            let now = now.parse::<jiff::Timestamp>().unwrap().as_microsecond();
            let found = quiet.end(now).map_or(String::new(), |end| shown(end, &quiet.zone));
            assert_eq!(found, *end, "{}", shown(now, &quiet.zone));
            let floor = if end.is_empty() { Level::Informational } else { Level::Critical };
            assert_eq!(quiet.floor(now), floor);
        }
    }

    #[test]
    fn over_midnight_and_within_a_day() {
        check(
            "22:00",
            "07:00",
            "Asia/Tokyo",
            &[
                ("2026-05-01T21:59:59.999999+09:00", ""),
                ("2026-05-01T22:00:00+09:00", "2026-05-02 07:00:00 +09:00"),
                ("2026-05-01T15:00:00Z", "2026-05-02 07:00:00 +09:00"),
                ("2026-05-02T06:59:59.999999+09:00", "2026-05-02 07:00:00 +09:00"),
                ("2026-05-02T07:00:00+09:00", ""),
                ("2026-12-31T23:00:00+09:00", "2027-01-01 07:00:00 +09:00"),
            ],
        );
        check(
            "12:00",
            "13:30",
            "+05:30",
            &[
                ("2026-05-01T11:59:00+05:30", ""),
                ("2026-05-01T12:00:00+05:30", "2026-05-01 13:30:00 +05:30"),
                ("2026-05-01T13:30:00+05:30", ""),
                ("2026-05-01T23:00:00+05:30", ""),
            ],
        );
    }

    #[test]
    fn when_clocks_go_forward() {
        // 29 March 2026: 02:00 +01:00 becomes 03:00 +02:00.
        check(
            "22:00",
            "02:30",
            "Europe/Berlin",
            &[
                ("2026-03-28T23:00:00+01:00", "2026-03-29 03:00:00 +02:00"),
                ("2026-03-29T01:59:59+01:00", "2026-03-29 03:00:00 +02:00"),
                ("2026-03-29T03:00:00+02:00", ""),
            ],
        );
        check(
            "22:00",
            "07:00",
            "Europe/Berlin",
            &[("2026-03-28T22:00:00+01:00", "2026-03-29 07:00:00 +02:00")],
        );
    }

    #[test]
    fn when_clocks_go_back() {
        // 25 October 2026: 03:00 +02:00 becomes 02:00 +01:00.
        check(
            "22:00",
            "02:30",
            "Europe/Berlin",
            &[
                ("2026-10-25T02:29:00+02:00", "2026-10-25 02:30:00 +02:00"),
                ("2026-10-25T02:45:00+02:00", ""),
                ("2026-10-25T02:15:00+01:00", "2026-10-25 02:30:00 +01:00"),
                ("2026-10-25T02:30:00+01:00", ""),
            ],
        );
    }
}
