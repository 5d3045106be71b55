//! Parts of values that several vendors write alike.

use super::{Value, integer};

/// Names of IP protocols in logs, by number (IANA's protocol numbers).
const PROTOCOLS: [(i64, &[u8]); 14] = [
    (0, b"hopopt"),
    (1, b"icmp"),
    (2, b"igmp"),
    (4, b"ipv4"),
    (6, b"tcp"),
    (17, b"udp"),
    (41, b"ipv6"),
    (47, b"gre"),
    (50, b"esp"),
    (51, b"ah"),
    (58, b"ipv6-icmp"),
    (89, b"ospf"),
    (103, b"pim"),
    (132, b"sctp"),
];

/// The lower case name of a protocol's number; a name in lower case; another number as it is.
pub fn protocol(value: &[u8]) -> Value<'_> {
    let number = integer(value);
    let known = PROTOCOLS.iter().find(|(id, _)| Some(*id) == number);
    match known {
        Some((_, name)) => Value::Owned(name.to_vec()),
        None if value.iter().any(u8::is_ascii_uppercase) => {
            Value::Owned(value.to_ascii_lowercase())
        }
        None => Value::Part(value),
    }
}

/// Destination and source of an Ethernet header in hexadecimal with colons.
pub fn ethernet(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let (dst, src) = (value.get(..17)?, value.get(18..35)?);
    // Each byte: a part may not begin or end within a character.
    let is_mac = |mac: &[u8]| {
        let mut places = mac.iter().enumerate();
        places.all(|(at, byte)| if at % 3 == 2 { *byte == b':' } else { byte.is_ascii_hexdigit() })
    };
    (is_mac(dst) && is_mac(src) && value[17] == b':').then_some((dst, src))
}

/// `name(id)` with a number as id; anything else is a name.
pub fn name_uid(value: &[u8]) -> (&[u8], Option<&[u8]>) {
    let open = memchr::memrchr(b'(', value);
    let uid = open.and_then(|open| value.get(open + 1..)?.strip_suffix(b")"));
    match (open, uid) {
        (Some(open), Some(uid)) if !uid.is_empty() && uid.iter().all(u8::is_ascii_digit) => {
            (&value[..open], Some(uid))
        }
        _ => (value, None),
    }
}

/// Which of MD5, SHA-1 and SHA-256 a hexadecimal hash is, by its length.
pub fn hash_place(value: &[u8]) -> Option<usize> {
    let place = match value.len() {
        32 => 0,
        40 => 1,
        64 => 2,
        _ => return None,
    };
    value.iter().all(u8::is_ascii_hexdigit).then_some(place)
}

/// What stands in the last parentheses.
pub fn in_parens(value: &[u8]) -> Option<&[u8]> {
    let open = memchr::memrchr(b'(', value)?;
    let rest = &value[open + 1..];
    Some(&rest[..memchr::memchr(b')', rest)?])
}

/// Whether an action's word refuses or permits; `None` where it says neither.
pub fn blocked(value: &[u8]) -> Option<&'static [u8]> {
    const REFUSED: [&[u8]; 7] =
        [b"den", b"drop", b"block", b"reject", b"reset", b"refus", b"discard"];
    const PERMITTED: [&[u8]; 10] = [
        b"allow",
        b"accept",
        b"permit",
        b"pass",
        b"forward",
        b"start",
        b"close",
        b"timeout",
        b"client-rst",
        b"server-rst",
    ];
    let begins = |words: &[&[u8]]| {
        words
            .iter()
            .any(|word| value.get(..word.len()).is_some_and(|v| v.eq_ignore_ascii_case(word)))
    };
    if begins(&REFUSED) {
        return Some(b"true");
    }
    begins(&PERMITTED).then_some(b"false")
}

/// `h:mm:ss` in milliseconds.
pub fn hms(value: &[u8]) -> Option<i64> {
    let mut total = 0i64;
    let mut parts = 0;
    for part in value.split(|c| *c == b':') {
        total = total.checked_mul(60)?.checked_add(integer(part).filter(|n| *n >= 0)?)?;
        parts += 1;
    }
    (parts == 3).then_some(total.checked_mul(1_000)?)
}

/// The truth value of a word, by any case.
pub fn truth(value: &[u8]) -> Option<bool> {
    const TRUE: [&[u8]; 5] = [b"true", b"t", b"yes", b"y", b"1"];
    const FALSE: [&[u8]; 5] = [b"false", b"f", b"no", b"n", b"0"];
    if TRUE.iter().any(|word| value.eq_ignore_ascii_case(word)) {
        return Some(true);
    }
    FALSE.iter().any(|word| value.eq_ignore_ascii_case(word)).then_some(false)
}
