//! Time stamps: compiled formats, and what a stamp without year or zone means.

mod zones;

use jiff::tz::{AmbiguousOffset, TimeZone};
use yagura_event::Micros;
use yagura_event::time::{Civil, DAY, HOUR, MINUTE, SECOND, civil, from_civil};
pub use zones::zone_minutes;

/// Latest year read: beyond it microseconds leave no room for arithmetic, and no log has it.
const YEAR_MAX: i32 = 9_999;

/// One way of writing a time.
///
/// `epoch` (seconds, with decimals or without), `epoch_ms`, `epoch_us`, `iso` (RFC 3339, zone
/// optional), `iso_utc` (the same, UTC where no zone is written), `auto` (any of them), or `strptime` words: `%Y %y %m %d %e %b %H %M %S %f %T %z
/// %Z %s %%`; a space matches any number of spaces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Format {
    /// Seconds since 1970.
    Epoch,
    /// Milliseconds since 1970.
    EpochMs,
    /// Microseconds since 1970.
    EpochUs,
    /// RFC 3339; without a zone it is read in the context's.
    Iso,
    /// RFC 3339; without a zone it is UTC, whatever the context says.
    IsoUtc,
    /// ISO, or a number of seconds, milli-, micro- or nanoseconds by its size.
    Auto,
    /// Compiled `strptime` words.
    Words(Vec<Word>),
}

/// One step of a compiled format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// Four digits.
    Year,
    /// Two digits: 69 to 99 are 19xx, others 20xx.
    YearShort,
    /// One or two digits.
    Month,
    /// English short or long name.
    MonthName,
    /// One or two digits, a leading space allowed.
    Day,
    /// Hour.
    Hour,
    /// Minute.
    Minute,
    /// Second, 60 allowed.
    Second,
    /// Decimals after an optional `.` or `,`; may be absent.
    Fraction,
    /// `+hh:mm`, `+hhmm` or `Z`.
    Offset,
    /// Letters: the zone where they name one that is the same everywhere, else skipped.
    ZoneName,
    /// Any number of spaces, at least one.
    Space,
    /// This byte.
    Literal(u8),
}

/// What a stamp without year or zone is resolved against.
#[derive(Clone, Copy, Debug)]
pub struct Zone<'a> {
    /// The reference: the year is the latest that does not exceed it by more than a day.
    pub reference: Micros,
    /// IANA name or `+hh:mm`; `None` is UTC.
    pub name: Option<&'a str>,
}

impl Zone<'_> {
    /// UTC with this reference.
    pub fn utc(reference: Micros) -> Self {
        Self { reference, name: None }
    }

    /// A wall-clock time here, in UTC. An unknown zone name counts as UTC; a time that a
    /// change of the clocks skips or repeats takes the offset before it.
    fn to_utc(self, wall: Micros) -> Micros {
        let Some(name) = self.name else { return wall };
        if let Some(minutes) = zone_offset(name) {
            return wall - minutes * MINUTE;
        }
        let Ok(zone) = TimeZone::get(name) else { return wall };
        let c = civil(wall);
        let parts = (c.year, c.month, c.day, c.hour, c.minute, c.second);
        let (Ok(year), Ok(month), Ok(day)) =
            (i16::try_from(parts.0), i8::try_from(parts.1), i8::try_from(parts.2))
        else {
            return wall;
        };
        let time = jiff::civil::DateTime::new(
            year,
            month,
            day,
            parts.3 as i8,
            parts.4 as i8,
            parts.5 as i8,
            0,
        );
        let Ok(time) = time else { return wall };
        let seconds = match zone.to_ambiguous_timestamp(time).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset.seconds(),
            AmbiguousOffset::Gap { before, .. } | AmbiguousOffset::Fold { before, .. } => {
                before.seconds()
            }
        };
        wall - i64::from(seconds) * SECOND
    }
}

/// Whether a zone name of a context can be read: an IANA name or an offset.
pub fn is_zone(name: &str) -> bool {
    zone_offset(name).is_some() || TimeZone::get(name).is_ok()
}

/// A time that was read, and whether the stamp named its year.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// The time in UTC.
    pub time: Micros,
    /// Whether it needed no reference.
    pub has_year: bool,
}

impl Format {
    /// Compiles a format.
    ///
    /// # Errors
    /// A message that names the unknown word.
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "epoch" | "%s" => Self::Epoch,
            "epoch_ms" => Self::EpochMs,
            "epoch_us" => Self::EpochUs,
            "iso" => Self::Iso,
            "iso_utc" => Self::IsoUtc,
            "auto" => Self::Auto,
            _ => Self::Words(words(text)?),
        })
    }

    /// Reads a stamp; the whole value must be of this form.
    pub fn read(&self, value: &[u8], zone: &Zone<'_>) -> Option<Stamp> {
        let known = |time| Some(Stamp { time, has_year: true });
        match self {
            Self::Epoch => known(decimal_micros(value)?),
            Self::EpochMs => known(crate::convert::integer(value)?.checked_mul(1_000)?),
            Self::EpochUs => known(crate::convert::integer(value)?),
            Self::Iso => iso(value, zone),
            Self::IsoUtc => iso(value, &Zone::utc(zone.reference)),
            Self::Auto => match crate::convert::integer(value) {
                Some(n) if n.unsigned_abs() >= 100_000_000_000_000_000 => known(n / 1_000),
                Some(n) if n.abs() >= 100_000_000_000_000 => known(n),
                Some(n) if n.abs() >= 100_000_000_000 => known(n * 1_000),
                Some(n) => known(n.checked_mul(SECOND)?),
                None => iso(value, zone).or_else(|| known(decimal_micros(value)?)),
            },
            Self::Words(words) => {
                let (stamp, used) = scan(words, value, zone)?;
                (used == value.len()).then_some(stamp)
            }
        }
    }
}

/// Reads a stamp at the start of `value` and returns the bytes it took.
pub fn scan(words: &[Word], value: &[u8], zone: &Zone<'_>) -> Option<(Stamp, usize)> {
    let mut c = Civil { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0, micro: 0 };
    let mut year = None;
    let mut minutes = None;
    let mut at = 0;
    for word in words {
        let rest = value.get(at..)?;
        at += match word {
            Word::Literal(byte) => (rest.first() == Some(byte)).then_some(1)?,
            Word::Space => Some(spaces(rest)).filter(|n| *n > 0)?,
            Word::Year => take(rest, 4, 4, |n| year = i32::try_from(n).ok())?,
            Word::YearShort => take(rest, 2, 2, |n| {
                year = Some(if n >= 69 { 1_900 } else { 2_000 } + n as i32);
            })?,
            Word::Month => take(rest, 1, 2, |n| c.month = n)?,
            Word::MonthName => month_name(rest, &mut c.month)?,
            Word::Day => {
                let pad = usize::from(rest.first() == Some(&b' '));
                pad + take(rest.get(pad..)?, 1, 2, |n| c.day = n)?
            }
            Word::Hour => take(rest, 1, 2, |n| c.hour = n)?,
            Word::Minute => take(rest, 2, 2, |n| c.minute = n)?,
            Word::Second => take(rest, 2, 2, |n| c.second = n)?,
            Word::Fraction => fraction(rest, &mut c.micro),
            Word::Offset => {
                let (offset, used) = offset(rest)?;
                minutes = Some(offset);
                used
            }
            Word::ZoneName => {
                let (east, used) = zones::named(rest);
                minutes = east.or(minutes);
                used
            }
        };
    }
    let time = resolve(c, year, minutes, zone)?;
    Some((Stamp { time, has_year: year.is_some() }, at))
}

fn resolve(
    mut c: Civil,
    year: Option<i32>,
    minutes: Option<i64>,
    zone: &Zone<'_>,
) -> Option<Micros> {
    let leap = |y: i32| (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    let days = |y: i32, m: u32| match m {
        2 if leap(y) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let clock = c.hour < 24 && c.minute < 60 && c.second <= 60;
    if !(1..=12).contains(&c.month) || c.day == 0 || !clock {
        return None;
    }
    let utc = |c: Civil| match minutes {
        Some(minutes) => from_civil(c) - minutes * MINUTE,
        None => zone.to_utc(from_civil(c)),
    };
    if let Some(year) = year {
        c.year = year;
        return (c.day <= days(year, c.month) && (1..=YEAR_MAX).contains(&year)).then(|| utc(c));
    }
    // The latest year whose date exists (29 February) and is not after the reference.
    let last = civil(zone.reference.saturating_add(DAY)).year.clamp(1, YEAR_MAX);
    (last.saturating_sub(8)..=last + 1).rev().find_map(|year| {
        c.year = year;
        let exists = c.day <= days(year, c.month);
        exists.then(|| utc(c)).filter(|time| *time <= zone.reference.saturating_add(DAY))
    })
}

fn words(text: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b' ' {
            words.push(Word::Space);
            continue;
        }
        if byte != b'%' {
            words.push(Word::Literal(byte));
            continue;
        }
        let colon = Word::Literal(b':');
        match bytes.next() {
            Some(b'Y') => words.push(Word::Year),
            Some(b'y') => words.push(Word::YearShort),
            Some(b'm') => words.push(Word::Month),
            Some(b'b' | b'B') => words.push(Word::MonthName),
            Some(b'd' | b'e') => words.push(Word::Day),
            Some(b'H') => words.push(Word::Hour),
            Some(b'M') => words.push(Word::Minute),
            Some(b'S') => words.push(Word::Second),
            Some(b'f') => words.push(Word::Fraction),
            Some(b'T') => {
                words.extend([Word::Hour, colon, Word::Minute, colon, Word::Second]);
            }
            Some(b'z') => words.push(Word::Offset),
            Some(b'Z') => words.push(Word::ZoneName),
            Some(b'%') => words.push(Word::Literal(b'%')),
            other => {
                let word = other.map(char::from).unwrap_or(' ');
                return Err(format!(
                    "no time word `%{word}`; known: %Y %y %m %d %e %b %H %M %S %f %T %z %Z %%, or \
                     epoch, epoch_ms, epoch_us, iso, iso_utc, auto"
                ));
            }
        }
    }
    Ok(words)
}

fn spaces(rest: &[u8]) -> usize {
    rest.iter().take_while(|b| **b == b' ').count()
}

fn take(rest: &[u8], min: usize, max: usize, mut set: impl FnMut(u32)) -> Option<usize> {
    let digits = rest.iter().take(max).take_while(|b| b.is_ascii_digit()).count();
    if digits < min {
        return None;
    }
    set(rest[..digits].iter().fold(0, |n, d| n * 10 + u32::from(d - b'0')));
    Some(digits)
}

const MONTHS: [&[u8; 3]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];

fn month_name(rest: &[u8], month: &mut u32) -> Option<usize> {
    let head = rest.get(..3)?;
    let at = MONTHS.iter().position(|name| head.eq_ignore_ascii_case(*name))?;
    *month = at as u32 + 1;
    Some(rest.iter().take_while(|b| b.is_ascii_alphabetic()).count().min(9))
}

fn fraction(rest: &[u8], micro: &mut u32) -> usize {
    let point = usize::from(matches!(rest.first(), Some(b'.' | b',')));
    let digits = rest[point..].iter().take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 {
        return 0;
    }
    *micro = (0..6).fold(0, |n, at| {
        let digit = if at < digits { rest[point + at] - b'0' } else { 0 };
        n * 10 + u32::from(digit)
    });
    point + digits
}

/// Minutes of a zone that is named by its distance: `+09:00`, `UTC+9`, `GMT-3:30`.
fn zone_offset(name: &str) -> Option<i64> {
    let bare = name.strip_prefix("UTC").or_else(|| name.strip_prefix("GMT"));
    let bare = bare.filter(|rest| !rest.is_empty());
    let text = bare.unwrap_or(name).as_bytes();
    match (bare, text) {
        (Some(_), [sign @ (b'+' | b'-'), hours @ b'0'..=b'9']) => {
            let minutes = i64::from(hours - b'0') * 60;
            Some(if *sign == b'-' { -minutes } else { minutes })
        }
        _ => offset(text).filter(|(_, used)| *used == text.len()).map(|(minutes, _)| minutes),
    }
}

/// Minutes of `Z`, `+hh:mm`, `+hhmm` or `+hh`, and the bytes it took.
fn offset(rest: &[u8]) -> Option<(i64, usize)> {
    let sign = match rest.first()? {
        b'Z' | b'z' => return Some((0, 1)),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (mut hours, mut minutes) = (0, 0);
    // One digit of the hour only where a colon ends it: `-5:00`.
    let digits = if rest.get(2) == Some(&b':') { 1 } else { 2 };
    let mut at = 1 + take(rest.get(1..)?, digits, 2, |n| hours = n)?;
    let colon = usize::from(rest.get(at) == Some(&b':'));
    if let Some(used) = rest.get(at + colon..).and_then(|r| take(r, 2, 2, |n| minutes = n)) {
        at += colon + used;
    }
    let total = i64::from(hours) * 60 + i64::from(minutes);
    (total * MINUTE <= 24 * HOUR).then_some((sign * total, at))
}

/// Reads RFC 3339 with or without a zone, `T` or a space between.
fn iso(value: &[u8], zone: &Zone<'_>) -> Option<Stamp> {
    let text = std::str::from_utf8(value).ok()?;
    if let Some(time) = yagura_event::time::parse_rfc3339(text) {
        return Some(Stamp { time, has_year: true });
    }
    const DATE: [Word; 5] =
        [Word::Year, Word::Literal(b'-'), Word::Month, Word::Literal(b'-'), Word::Day];
    const CLOCK: [Word; 6] = [
        Word::Hour,
        Word::Literal(b':'),
        Word::Minute,
        Word::Literal(b':'),
        Word::Second,
        Word::Fraction,
    ];
    let mut all = [Word::Fraction; 13];
    all[..5].copy_from_slice(&DATE);
    all[5] = if value.get(10) == Some(&b'T') { Word::Literal(b'T') } else { Word::Literal(b' ') };
    all[6..12].copy_from_slice(&CLOCK);
    all[12] = Word::Offset;
    let words = if matches!(value.last(), Some(b'0'..=b'9')) && !has_offset(value) {
        &all[..12]
    } else {
        &all[..]
    };
    let (stamp, used) = scan(words, value, zone)?;
    (used == value.len()).then_some(stamp)
}

fn has_offset(value: &[u8]) -> bool {
    value.get(19..).is_some_and(|rest| rest.iter().any(|b| matches!(b, b'+' | b'-')))
}

/// Decimal seconds as microseconds, further decimals cut.
pub fn decimal_micros(value: &[u8]) -> Option<Micros> {
    let (negative, value) = match value.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, value),
    };
    let digits = value.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 || digits > 12 {
        return None;
    }
    let whole = value[..digits].iter().fold(0i64, |n, d| n * 10 + i64::from(d - b'0'));
    let mut micro = 0;
    let rest = &value[digits..];
    if !rest.is_empty() {
        let exponent = rest.iter().position(|b| matches!(b, b'e' | b'E'));
        if exponent.is_some() {
            let number: f64 = std::str::from_utf8(value).ok()?.parse().ok()?;
            let scaled = number * 1e6;
            return (scaled.abs() < 1e18).then_some(if negative {
                -(scaled as i64)
            } else {
                scaled as i64
            });
        }
        if rest.first() != Some(&b'.') || fraction(rest, &mut micro) != rest.len() {
            return None;
        }
    }
    let time = whole.checked_mul(SECOND)?.checked_add(i64::from(micro))?;
    Some(if negative { -time } else { time })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use yagura_event::time::{parse_rfc3339, rfc3339};

    #[track_caller]
    fn check(format: &str, value: &str, zone: Option<&str>, expect: &str) {
        let zone = Zone { reference: parse_rfc3339("2024-03-01T12:00:00Z").unwrap(), name: zone };
        let read = Format::parse(format).unwrap().read(value.as_bytes(), &zone);
        assert_eq!(read.map(|stamp| rfc3339(stamp.time)).unwrap_or_default(), expect);
    }

    #[test]
    fn stamps_of_common_logs() {
        check("%b %e %T", "Mar  1 11:22:33", None, "2024-03-01T11:22:33.000000Z");
        check("%b %d %Y %T", "Mar 01 2023 11:22:33", None, "2023-03-01T11:22:33.000000Z");
        check("%d/%b/%Y:%T %z", "14/May/2024:12:00:51 +0900", None, "2024-05-14T03:00:51.000000Z");
        check("%m/%d-%T%f", "02/14-12:02:38.453", None, "2024-02-14T12:02:38.453000Z");
        check("%m/%d/%y-%T%f", "02/14/19-12:02:38.453", None, "2019-02-14T12:02:38.453000Z");
        check("epoch", "1715688000.361866", None, "2024-05-14T12:00:00.361866Z");
        check("epoch_ms", "1710267002774", None, "2024-03-12T18:10:02.774000Z");
        check("iso", "2024-03-12 12:00:28.79", None, "2024-03-12T12:00:28.790000Z");
        check("iso", "2024-03-12T12:00:28+0100", None, "2024-03-12T11:00:28.000000Z");
    }

    #[test]
    fn a_missing_year_is_the_latest_within_a_day_of_the_reference() {
        check("%b %e %T", "Mar  2 11:00:00", None, "2024-03-02T11:00:00.000000Z");
        check("%b %e %T", "Mar  2 12:00:01", None, "2023-03-02T12:00:01.000000Z");
        check("%b %e %T", "Feb 29 00:00:00", None, "2024-02-29T00:00:00.000000Z");
        check("%b %e %T", "Dec 31 23:59:59", None, "2023-12-31T23:59:59.000000Z");
    }

    #[test]
    fn a_missing_zone_is_the_contexts() {
        check("%b %e %T", "Mar  1 09:00:00", Some("Asia/Tokyo"), "2024-03-01T00:00:00.000000Z");
        for zone in ["+09:00", "UTC+9", "GMT+09:00", "UTC+0900"] {
            check("%b %e %T", "Mar  1 09:00:00", Some(zone), "2024-03-01T00:00:00.000000Z");
        }
        assert!(!is_zone("UTC+9x") && !is_zone("GMT+") && is_zone("GMT"));
        check("iso", "2024-07-01T12:00:00", Some("Europe/Berlin"), "2024-07-01T10:00:00.000000Z");
        check(
            "iso_utc",
            "2024-07-01 12:00:00",
            Some("Europe/Berlin"),
            "2024-07-01T12:00:00.000000Z",
        );
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for bad in [
            "Foo  1 11:22:33",
            "Mar 32 11:22:33",
            "Mar  1 24:22:33",
            "Mar  1 11:22",
            "Feb 30 01:00:00",
        ] {
            check("%b %e %T", bad, None, "");
        }
        check("%d/%b/%Y:%T %z", "31/Feb/2024:12:00:51 +0000", None, "");
        assert!(Format::parse("%Q").is_err());
    }
}
