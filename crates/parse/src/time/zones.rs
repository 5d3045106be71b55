//! Zones by their abbreviations.

use super::offset;

/// The zone that `rest` begins with, in minutes east of UTC where it is known, and its bytes.
pub(super) fn named(rest: &[u8]) -> (Option<i64>, usize) {
    let letters = rest.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let minutes = zone_minutes(&rest[..letters]);
    // `UTC+1`, `UTC+07:30`.
    let after = &rest[letters..];
    let signed = after.starts_with(b"+") || after.starts_with(b"-");
    match (signed && minutes == Some(0)).then(|| hours(after)).flatten() {
        Some((east, used)) => (Some(east), letters + used),
        None => (minutes, letters),
    }
}

/// [`offset`], and one digit of hours alone.
fn hours(rest: &[u8]) -> Option<(i64, usize)> {
    let digit = rest.get(1).filter(|b| b.is_ascii_digit())?;
    if rest.get(2).is_some_and(|b| b.is_ascii_digit() || *b == b':') {
        return offset(rest);
    }
    let hours = i64::from(digit - b'0') * 60;
    Some((if rest[0] == b'-' { -hours } else { hours }, 2))
}

/// Minutes east of UTC of a zone's abbreviation, by any case: those of RFC 5322 section 4.3, of
/// Europe, Japan and Australia. Others mean several zones (`IST`, `BST`).
pub fn zone_minutes(name: &[u8]) -> Option<i64> {
    const ZONES: [(&[u8], i64); 24] = [
        (b"UTC", 0),
        (b"GMT", 0),
        (b"UT", 0),
        (b"WET", 0),
        (b"EST", -300),
        (b"EDT", -240),
        (b"CST", -360),
        (b"CDT", -300),
        (b"MST", -420),
        (b"MDT", -360),
        (b"PST", -480),
        (b"PDT", -420),
        (b"CET", 60),
        (b"WEST", 60),
        (b"CEST", 120),
        (b"EET", 120),
        (b"EEST", 180),
        (b"JST", 540),
        (b"AWST", 480),
        (b"ACST", 570),
        (b"AEST", 600),
        (b"ACDT", 630),
        (b"AEDT", 660),
        (b"NZST", 720),
    ];
    ZONES.iter().find(|(zone, _)| zone.eq_ignore_ascii_case(name)).map(|(_, minutes)| *minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_offsets() {
        assert_eq!(named(b"EDT:"), (Some(-240), 3));
        assert_eq!(named(b"mdt"), (Some(-360), 3));
        assert_eq!(named(b"UTC+1:"), (Some(60), 5));
        assert_eq!(named(b"UTC-07:30 x"), (Some(-450), 9));
        assert_eq!(named(b"VIENNA"), (None, 6));
        assert_eq!(named(b"IST+1"), (None, 3));
        assert_eq!(named(b""), (None, 0));
    }
}
