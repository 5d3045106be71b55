//! Points in time as searches write them: relative, RFC 3339, days, or counted since 1970.

use yagura_event::time::{
    Civil, DAY, HOUR, MINUTE, Micros, SECOND, civil, from_civil, parse_rfc3339,
};

/// What can be written, for messages.
pub const FORMS: &str =
    "write -15m, -1d, -1d@d, now, 2026-11-22, 2026-11-22T03:04:05Z or seconds since 1970";

/// Farthest relative time, in units; a thousand years of days.
const COUNT_MAX: i64 = 365_250;

/// The time that `text` names at the time `now`.
///
/// * `now`, `-15m`, `+1h`, `-1d@d`, `@h`: units `s m h d w`; `@` goes back to the beginning of
///   the second, minute, hour, day or week (Monday), in UTC.
/// * RFC 3339 with a zone, or without one for UTC; a day alone is its beginning, UTC.
/// * A number: seconds since 1970, milliseconds from 12 digits on, microseconds from 15.
pub fn point(text: &str, now: Micros) -> Option<Micros> {
    if let Some(relative) = relative(text, now) {
        return Some(relative);
    }
    if let Some(time) = parse_rfc3339(text).or_else(|| parse_rfc3339(&format!("{text}Z"))) {
        return Some(time);
    }
    if text.len() == 10
        && let Some(time) = parse_rfc3339(&format!("{text}T00:00:00Z"))
    {
        return Some(time);
    }
    counted(text)
}

fn relative(text: &str, now: Micros) -> Option<Micros> {
    let (shift, snap) = match text.split_once('@') {
        Some((shift, snap)) => (shift, Some(snap)),
        None => (text, None),
    };
    let time = match shift {
        "now" => now,
        "" if snap.is_some() => now,
        _ => {
            let (sign, rest) = match shift.as_bytes().first()? {
                b'-' => (-1, &shift[1..]),
                b'+' => (1, &shift[1..]),
                _ => return None,
            };
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let count: i64 = rest[..digits].parse().ok().filter(|n| *n <= COUNT_MAX)?;
            now.checked_add(sign * count * unit(&rest[digits..])?)?
        }
    };
    match snap {
        None => Some(time),
        Some("w") => {
            // 1970-01-01 was a Thursday.
            let days = (time.div_euclid(DAY) + 3).div_euclid(7) * 7 - 3;
            Some(days * DAY)
        }
        Some("mon") => {
            let c = civil(time);
            Some(from_civil(Civil { day: 1, hour: 0, minute: 0, second: 0, micro: 0, ..c }))
        }
        Some(snap) => {
            let unit = unit(snap)?;
            Some(time.div_euclid(unit) * unit)
        }
    }
}

/// Microseconds of a unit of time.
pub(crate) fn unit(word: &str) -> Option<Micros> {
    Some(match word {
        "s" => SECOND,
        "m" | "min" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        "w" => 7 * DAY,
        _ => return None,
    })
}

fn counted(text: &str) -> Option<Micros> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 9 {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    let unit = match whole.len() {
        0..=11 => SECOND,
        12..=14 => 1_000,
        _ => 1,
    };
    let fraction = match (unit, part) {
        (_, "") => 0,
        (SECOND, part) => format!("{part:0<6}")[..6].parse().ok()?,
        _ => return None,
    };
    number.checked_mul(unit)?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use yagura_event::time::rfc3339;

    #[test]
    fn every_form_and_what_is_none() {
        // A Sunday.
        let now = parse_rfc3339("2026-11-22T10:20:30.5Z").unwrap_or_default();
        for (text, expected) in [
            ("now", "2026-11-22T10:20:30.500000Z"),
            ("-15m", "2026-11-22T10:05:30.500000Z"),
            ("-1d", "2026-11-21T10:20:30.500000Z"),
            ("-1d@d", "2026-11-21T00:00:00.000000Z"),
            ("@d", "2026-11-22T00:00:00.000000Z"),
            ("@w", "2026-11-16T00:00:00.000000Z"),
            ("@mon", "2026-11-01T00:00:00.000000Z"),
            ("+1h@h", "2026-11-22T11:00:00.000000Z"),
            ("2026-11-22", "2026-11-22T00:00:00.000000Z"),
            ("2026-11-22T03:04:05+09:00", "2026-11-21T18:04:05.000000Z"),
            ("2026-11-22T03:04:05", "2026-11-22T03:04:05.000000Z"),
            ("2026-11-22 03:04:05Z", "2026-11-22T03:04:05.000000Z"),
            ("1795341600", "2026-11-22T10:00:00.000000Z"),
            ("1795341600.25", "2026-11-22T10:00:00.250000Z"),
            ("1795341600123", "2026-11-22T10:00:00.123000Z"),
            ("1795341600123456", "2026-11-22T10:00:00.123456Z"),
        ] {
            assert_eq!(point(text, now).map(rfc3339).as_deref(), Some(expected), "{text}");
        }
        for bad in [
            "",
            "yesterday",
            "-1",
            "-1y",
            "15m",
            "-999999d",
            "2026-13-01",
            "1.2.3",
            "99999999999999999999",
            "@",
            "-",
        ] {
            assert_eq!(point(bad, now), None, "{bad}");
        }
    }
}
