//! Time zones by name or offset, and times as people read them.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use yagura_event::time::Micros;

/// The zone of an IANA name, `UTC`, or an offset such as `+09:00`.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    match name.as_bytes() {
        b"UTC" | b"Z" => Some(TimeZone::UTC),
        [sign @ (b'+' | b'-'), h1, h0, b':', m1, m0] => {
            let digit = |b: &u8| b.is_ascii_digit().then(|| i32::from(b - b'0'));
            let hours = digit(h1)? * 10 + digit(h0)?;
            let minutes = digit(m1)? * 10 + digit(m0)?;
            let seconds = (hours < 24 && minutes < 60).then_some(hours * 3_600 + minutes * 60)?;
            let seconds = if *sign == b'-' { -seconds } else { seconds };
            Offset::from_seconds(seconds).ok().map(TimeZone::fixed)
        }
        _ => TimeZone::get(name).ok(),
    }
}

/// A time with its offset, such as `2026-11-22 03:04:05 +09:00`.
pub(crate) fn shown(time: Micros, zone: &TimeZone) -> String {
    timestamp(time).to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// The nearest time that the calendar has: years -9999 to 9999.
pub(crate) fn timestamp(time: Micros) -> Timestamp {
    Timestamp::from_microsecond(time).unwrap_or(if time < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_and_offsets() {
        let at = |name: &str| shown(1_700_000_000_999_999, &zone(name).unwrap());
        assert_eq!(at("Asia/Tokyo"), "2023-11-15 07:13:20 +09:00");
        assert_eq!(at("+09:00"), at("Asia/Tokyo"));
        assert_eq!(at("-03:30"), "2023-11-14 18:43:20 -03:30");
        assert_eq!(at("UTC"), "2023-11-14 22:13:20 +00:00");
        for wrong in ["Mars", "", "+9", "+24:00", "+09:60", "+0x:00"] {
            assert!(zone(wrong).is_none(), "{wrong}");
        }
        shown(Micros::MAX, &TimeZone::UTC);
        shown(Micros::MIN, &TimeZone::UTC);
    }
}
