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
fn request_targets_are_paths_unless_they_name_a_host() {
    let split = |text: &'static str| {
        let parts = target_parts(text.as_bytes());
        let text = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
        (parts.host.map(text), text(parts.path), parts.query.map(text))
    };
    let path = |path: &str, query: Option<&str>| (None, path.to_owned(), query.map(str::to_owned));
    assert_eq!(split("/a?b"), path("/a", Some("b")));
    assert_eq!(split("./../a?b=1"), path("./../a", Some("b=1")));
    assert_eq!(split("12.2.1"), path("12.2.1", None));
    assert_eq!(split("*"), path("*", None));
    assert_eq!(split("h.example:443").0.as_deref(), Some("h.example"));
    assert_eq!(split("http://h.example/a").0.as_deref(), Some("h.example"));
}

#[test]
fn forwarded_lists_lose_ports_and_blanks() {
    let all = |text| forwarded(text).collect::<Vec<_>>().join("|");
    assert_eq!(all("192.0.2.1, 198.51.100.2:8080"), "192.0.2.1|198.51.100.2");
    assert_eq!(all("192.0.2.1,+[2001:db8::7]:9,2001:db8::8"), "192.0.2.1|2001:db8::7|2001:db8::8");
    assert_eq!(all("-"), "");
    assert_eq!(all("[,]:,:"), "]");
}

#[test]
fn http_statuses_have_an_outcome() {
    let of = |text: &'static str| match Convert::HttpStatus.apply(text.as_bytes(), &Zone::utc(0)) {
        Some(Value::I64(id)) => id,
        _ => 0,
    };
    let codes = ["99", "100", "399", "400", "599", "600", "-"];
    assert_eq!(codes.map(of), [0, 1, 1, 2, 2, 0, 0]);
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
    let split = |value: &'static [u8]| {
        let [name, domain, ..] = Convert::DomainUser.split(value).unwrap();
        let text = |part: Option<Value<'_>>| match part {
            Some(Value::Part(part)) => String::from_utf8_lossy(part).into_owned(),
            Some(Value::Owned(part)) => String::from_utf8(part).unwrap(),
            other => format!("{other:?}"),
        };
        (text(name), text(domain))
    };
    let expect = |name: &str, domain: &str| (name.to_owned(), domain.to_owned());
    assert_eq!(split(b"CN=A\\, B,OU=x,DC=corp,DC=test"), expect("A, B", "corp.test"));
    assert_eq!(split(b"cn=a"), expect("a", "None"));
    assert_eq!(split(b"CN=\\"), expect("", "None"));
    assert_eq!(split(b"CORP\\a"), expect("a", "CORP"));
    assert_eq!(parts::untagged(b"CORP\\a, 12"), b"CORP\\a");
    assert_eq!(parts::untagged(b"LOCAL\\a, 12:x"), b"a");
    assert_eq!(parts::untagged(b"12:name"), b"");
    assert_eq!(parts::untagged(b"12"), b"");
    assert_eq!(parts::untagged(b"12a"), b"12a");
    assert_eq!(parts::untagged(b""), b"");
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
