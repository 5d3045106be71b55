//! Time: microseconds since 1970 UTC, their RFC 3339 form, and the clock seam.

/// Microseconds since 1970-01-01T00:00:00Z.
pub type Micros = i64;

/// Microseconds in a second.
pub const SECOND: Micros = 1_000_000;
/// Microseconds in a minute.
pub const MINUTE: Micros = 60 * SECOND;
/// Microseconds in an hour.
pub const HOUR: Micros = 60 * MINUTE;
/// Microseconds in a day.
pub const DAY: Micros = 24 * HOUR;

/// Where the shell gets its time from; pure code takes times as arguments instead.
pub trait Clock: Send + Sync {
    /// The time of day, which may step either way.
    fn now(&self) -> Micros;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the wall clock is read")]
    fn now(&self) -> Micros {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A calendar date and time of day in UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Civil {
    /// Year, such as 2026.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u32,
    /// Day of the month, 1 to 31.
    pub day: u32,
    /// Hour, 0 to 23.
    pub hour: u32,
    /// Minute, 0 to 59.
    pub minute: u32,
    /// Second, 0 to 59.
    pub second: u32,
    /// Microsecond, 0 to 999,999.
    pub micro: u32,
}

/// Days since 1970-01-01 of a proleptic Gregorian date. Months outside 1 to 12 are not checked.
pub fn days_from_civil(year: i32, month: u32, day: u32) -> i64 {
    let y = i64::from(year) - i64::from(month <= 2);
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = (i64::from(month) + 9) % 12;
    let doy = (153 * mp + 2) / 5 + i64::from(day) - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

/// Splits a time into its UTC calendar parts.
pub fn civil(time: Micros) -> Civil {
    let days = time.div_euclid(DAY);
    let rest = time.rem_euclid(DAY);
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    let seconds = rest / SECOND;
    Civil {
        year: i32::try_from(year).unwrap_or(0),
        month: month as u32,
        day: day as u32,
        hour: (seconds / 3600) as u32,
        minute: (seconds / 60 % 60) as u32,
        second: (seconds % 60) as u32,
        micro: (rest % SECOND) as u32,
    }
}

/// The time of UTC calendar parts; they are not range-checked.
pub fn from_civil(c: Civil) -> Micros {
    days_from_civil(c.year, c.month, c.day) * DAY
        + i64::from(c.hour) * HOUR
        + i64::from(c.minute) * MINUTE
        + i64::from(c.second) * SECOND
        + i64::from(c.micro)
}

/// RFC 3339 in UTC with microseconds, such as `2026-11-22T03:04:05.000006Z`.
pub fn rfc3339(time: Micros) -> String {
    let c = civil(time);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
        c.year, c.month, c.day, c.hour, c.minute, c.second, c.micro
    )
}

/// The UTC day of a time as `2026-11-22`, the form of the lake's partition column.
pub fn day(time: Micros) -> String {
    let c = civil(time);
    format!("{:04}-{:02}-{:02}", c.year, c.month, c.day)
}

/// Reads RFC 3339 (`T` or a space between date and time, `Z` or an offset, 0 to 9 decimals;
/// further decimals than microseconds are cut). `None` for anything else.
pub fn parse_rfc3339(text: &str) -> Option<Micros> {
    let b = text.as_bytes();
    let num = |at: usize, len: usize| -> Option<u32> {
        let part = b.get(at..at + len)?;
        part.iter().try_fold(0u32, |n, d| d.is_ascii_digit().then(|| n * 10 + u32::from(d - b'0')))
    };
    let is = |at: usize, set: &[u8]| b.get(at).is_some_and(|c| set.contains(c));
    if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":")) {
        return None;
    }
    let (month, day) = (num(5, 2)?, num(8, 2)?);
    let (hour, minute, second) = (num(11, 2)?, num(14, 2)?, num(17, 2)?);
    if !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    let mut at = 19;
    let mut micro = 0u32;
    if is(at, b".,") {
        at += 1;
        let start = at;
        while at < b.len() && b[at].is_ascii_digit() {
            if at - start < 6 {
                micro = micro * 10 + u32::from(b[at] - b'0');
            }
            at += 1;
        }
        if at == start || at - start > 9 {
            return None;
        }
        for _ in (at - start)..6 {
            micro *= 10;
        }
    }
    let offset = match b.get(at..)? {
        b"Z" | b"z" => 0,
        rest if rest.len() == 6 && matches!(rest[0], b'+' | b'-') && rest[3] == b':' => {
            let minutes = i64::from(num(at + 1, 2)?) * 60 + i64::from(num(at + 4, 2)?);
            if rest[0] == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    let year = i32::try_from(num(0, 4)?).ok()?;
    Some(from_civil(Civil { year, month, day, hour, minute, second, micro }) - offset * MINUTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_and_back_over_leap_years_and_before_1970() {
        for t in [0, -1, 951_782_400 * SECOND + 1, 4_102_444_799 * SECOND, -2_208_988_800 * SECOND]
        {
            assert_eq!(from_civil(civil(t)), t);
            assert_eq!(parse_rfc3339(&rfc3339(t)), Some(t));
        }
        assert_eq!(day(951_782_400 * SECOND), "2000-02-29");
    }

    #[test]
    fn rfc3339_offsets_and_refusals() {
        assert_eq!(
            parse_rfc3339("2024-05-14T21:00:00.5+09:00"),
            parse_rfc3339("2024-05-14 12:00:00.500Z")
        );
        for bad in
            ["2024-05-14", "2024-13-14T00:00:00Z", "2024-05-14T00:00:00", "2024-05-14T00:00:00.Z"]
        {
            assert_eq!(parse_rfc3339(bad), None, "{bad}");
        }
    }
}
