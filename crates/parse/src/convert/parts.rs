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

/// Whether a value is a distinguished name that begins with a common name.
pub fn is_distinguished(value: &[u8]) -> bool {
    value.get(..3).is_some_and(|head| head.eq_ignore_ascii_case(b"CN="))
}

/// The common name of a distinguished name, backslashes before a character taken off, and its
/// domain components with dots between.
pub fn distinguished(value: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
    let mut escaped = false;
    let mut parts = value.split(|byte| {
        let ends = *byte == b',' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    let mut name = Vec::new();
    let mut bytes = parts.next().and_then(|part| part.get(3..)).unwrap_or_default().iter();
    while let Some(byte) = bytes.next() {
        name.extend(if *byte == b'\\' { bytes.next() } else { Some(byte) });
    }
    let mut domain = Vec::new();
    for part in parts {
        if let Some((b"DC=" | b"dc=", component)) = part.split_at_checked(3) {
            if !domain.is_empty() {
                domain.push(b'.');
            }
            domain.extend_from_slice(component);
        }
    }
    (name, (!domain.is_empty()).then_some(domain))
}

/// The user before a security group's tag, without `LOCAL\`, which is the firewall's own list
/// and no domain; empty where there is only a tag (`12`, `12:name`).
pub fn untagged(value: &[u8]) -> &[u8] {
    let end = memchr::memmem::find(value, b", ").unwrap_or(value.len());
    let user = value[..end].strip_prefix(b"LOCAL\\").unwrap_or(&value[..end]);
    let digits = user.iter().take_while(|b| b.is_ascii_digit()).count();
    match user.get(digits) {
        None | Some(b':') if digits > 0 => b"",
        _ => user,
    }
}
