//! Tests of the converters.
#![allow(clippy::unwrap_used)]

use super::*;

#[test]
fn urls_targets_and_authorities_split() {
    let url = url_parts(b"https://user@Example.org:8443/a/b.js?x=1#f");
    assert_eq!(url.scheme, Some(&b"https"[..]));
    assert_eq!(url.host, Some(&b"Example.org"[..]));
    assert_eq!(url.port, Some(&b"8443"[..]));
    assert_eq!((url.path, url.query), (&b"/a/b.js"[..], Some(&b"x=1"[..])));
    let target = url_parts(b"/login?next=http://x/");
    assert_eq!((target.host, target.path), (None, &b"/login"[..]));
    let connect = url_parts(b"example.org:443");
    assert_eq!((connect.host, connect.port), (Some(&b"example.org"[..]), Some(&b"443"[..])));
    assert_eq!(url_parts(b"https://[::1]:9/").host, Some(&b"::1"[..]));
}

#[test]
fn numbers_keep_their_bounds() {
    let zone = Zone::utc(0);
    let u16 = Convert::parse("u16").unwrap();
    assert_eq!(u16.apply(b"65535", &zone), Some(Value::I64(65_535)));
    assert_eq!(u16.apply(b"65536", &zone), None);
    assert_eq!(integer(b"0x1f"), Some(31));
    assert_eq!(integer(b"3600.0"), Some(3_600));
    assert_eq!(integer(b"1.5"), None);
    assert_eq!(integer(b"99999999999999999999"), None);
    assert_eq!(parts::hms(b"1:02:03"), Some(3_723_000));
    let seconds = Convert::parse("seconds").unwrap();
    assert_eq!(seconds.apply(b"0.081459", &zone), Some(Value::I64(81)));
}

#[test]
fn users_and_hashes_split() {
    assert_eq!(domain_user(b"CORP\\a"), (&b"a"[..], Some(&b"CORP"[..])));
    assert_eq!(domain_user(b"a@corp"), (&b"a"[..], Some(&b"corp"[..])));
    assert_eq!(domain_user(b"a"), (&b"a"[..], None));
    let parts = Convert::Hashes.split(b"MD5=AA,SHA256=BB,IMPHASH=CC").unwrap();
    assert_eq!(parts[0], Some(Value::Part(b"AA")));
    assert_eq!(parts[2], Some(Value::Part(b"BB")));
    assert_eq!(parts[1], None);
}

#[test]
fn addresses_lose_their_zone_and_fingerprints_their_colons() {
    let zone = Zone::utc(0);
    let apply = |word: &str, value: &'static [u8]| {
        let text = Convert::parse(word).unwrap().apply(value, &zone);
        text.map(|value| match value {
            Value::Part(part) => String::from_utf8_lossy(part).into_owned(),
            Value::Owned(bytes) => String::from_utf8(bytes).unwrap(),
            other => format!("{other:?}"),
        })
    };
    assert_eq!(apply("ip", b"fe80::1%4").as_deref(), Some("fe80::1"));
    assert_eq!(apply("ip", b"::ffff:192.0.2.1").as_deref(), Some("192.0.2.1"));
    assert_eq!(apply("ip", b"%4"), None);
    assert_eq!(apply("plus_spaces", b"a+b").as_deref(), Some("a b"));
    assert_eq!(apply("fingerprint", b"6A:ff:0c").as_deref(), Some("6aff0c"));
    assert_eq!(apply("fingerprint", b"6aff0c").as_deref(), Some("6aff0c"));
}

#[test]
fn words_of_firewalls_become_attributes() {
    let zone = Zone::utc(0);
    let one = |word: &str, value: &'static [u8]| match Convert::parse(word)
        .unwrap()
        .apply(value, &zone)
    {
        Some(Value::Part(part)) => Some(String::from_utf8_lossy(part).into_owned()),
        Some(Value::Owned(bytes)) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        _ => None,
    };
    assert_eq!(one("ip_protocol", b"6").as_deref(), Some("tcp"));
    assert_eq!(one("ip_protocol", b"UDP").as_deref(), Some("udp"));
    assert_eq!(one("ip_protocol", b"250").as_deref(), Some("250"));
    let mac = b"0a:00:00:00:00:01:0a:00:00:00:00:02:08:00";
    assert_eq!(one("ether_dst", mac).as_deref(), Some("0a:00:00:00:00:01"));
    assert_eq!(one("ether_src", mac).as_deref(), Some("0a:00:00:00:00:02"));
    assert_eq!(one("ether_src", b"0a:00"), None);
    // An address that would begin within a character is none.
    let split = "00:00:5e:00:53:01:00:00:5e:00:53:é2:08:00".as_bytes();
    assert_eq!(one("ether_src", split), None);
    assert_eq!(one("blocked", b"Dropped").as_deref(), Some("true"));
    assert_eq!(one("blocked", b"accept").as_deref(), Some("false"));
    assert_eq!(one("blocked", b"login"), None);
    let split = |word: &str, value: &'static [u8]| {
        let parts = Convert::parse(word).unwrap().split(value).unwrap();
        parts.map(|part| match part {
            Some(Value::Part(part)) => String::from_utf8_lossy(part).into_owned(),
            _ => String::new(),
        })
    };
    assert_eq!(split("name_uid", b"Bad thing (x)(91883)")[..2], ["Bad thing (x)", "91883"]);
    assert_eq!(split("name_uid", b"(9999)")[..2], ["", "9999"]);
    assert_eq!(split("name_uid", b"plain")[..2], ["plain", ""]);
    assert_eq!(split("host_in_parens", b"ssh(192.0.2.1)")[1], "192.0.2.1");
    assert_eq!(split("host_in_parens", b"jsconsole")[1], "");
    assert_eq!(split("hash", &[b'a'; 40])[..3], ["", &"a".repeat(40), ""]);
    assert!(Convert::parse("hash").unwrap().split(b"zz").is_none());
}

#[test]
fn lists_of_answers_in_both_forms() {
    let list = |text| answer_list(text).collect::<Vec<_>>();
    assert_eq!(list("192.0.2.1, 2001:db8::1"), ["192.0.2.1", "2001:db8::1"]);
    let sysmon = "type:  5 a.example.net;type: 5 b.example.net;::ffff:192.0.2.7;2001:db8::7;";
    assert_eq!(list(sysmon), ["a.example.net", "b.example.net", "192.0.2.7", "2001:db8::7"]);
    assert_eq!(list("-"), [""; 0]);
    assert_eq!(list("type: 5;type:"), [""; 0]);
}
