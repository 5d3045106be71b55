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
    let colons = |mac: &[u8]| mac.iter().skip(2).step_by(3).all(|byte| *byte == b':');
    (colons(dst) && colons(src) && value[17] == b':').then_some((dst, src))
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
