//! Single entries: kinds, forms, defanging, what is refused.

use crate::network::Network;
use crate::url;
use crate::{Refusal, Value, parse};
use proptest::prelude::*;
use std::net::IpAddr;

fn one(text: &str) -> Result<String, Refusal> {
    let mut out = Vec::new();
    parse(text, false, &mut out)?;
    Ok(out.iter().map(|v| format!("{} {v}", v.kind().word())).collect::<Vec<_>>().join(", "))
}

#[track_caller]
fn check(text: &str, want: &str) {
    assert_eq!(one(text).as_deref(), Ok(want), "{text}");
}

#[test]
fn kinds_are_told_by_content() {
    check("203.0.113.7", "ipv4 203.0.113.7");
    check("203.0.113.7:8080", "ipv4 203.0.113.7");
    check("203.000.113.007", "ipv4 203.0.113.7");
    check("[2001:DB8::1]:443", "ipv6 2001:db8::1");
    check("2001:db8::1", "ipv6 2001:db8::1");
    check("::ffff:203.0.113.7", "ipv4 203.0.113.7");
    check("203.0.113.9/24", "network 203.0.113.0/24");
    check("203.0.113.9/32", "ipv4 203.0.113.9");
    check("203.0.113.0/255.255.255.0", "network 203.0.113.0/24");
    check("203.0.113.1-203.0.113.4", "ipv4 203.0.113.1, network 203.0.113.2/31, ipv4 203.0.113.4");
    check("Bad.Example.COM.", "domain bad.example.com");
    check("*.bad.example.com", "domain bad.example.com");
    check("||bad.example.com^$third-party", "domain bad.example.com");
    check("address=/bad.example.com/0.0.0.0", "domain bad.example.com");
    check("bad.example.com:8443", "domain bad.example.com");
    check("bad.example.com/", "domain bad.example.com");
    check("bücher.example", "domain xn--bcher-kva.example");
    check("abcdefghij234567.onion", "domain abcdefghij234567.onion");
    check("HTTP://User@Bad.Example.com:80/A%7eb?x=%2f#f", "url bad.example.com/A~b?x=%2F");
    check("https://bad.example.com:8443/x", "url bad.example.com:8443/x");
    check("bad.example.com/gate.php", "url bad.example.com/gate.php");
    check("203.0.113.7:81/x.sh", "url 203.0.113.7:81/x.sh");
    check("http://[2001:db8::1]/x", "url [2001:db8::1]/x");
    check("Eve@Bad.example.com", "email eve@bad.example.com");
    check(&"AB".repeat(16), &format!("md5 {}", "ab".repeat(16)));
    check(&"ab".repeat(20), &format!("sha1 {}", "ab".repeat(20)));
    check(&"ab".repeat(32), &format!("sha256 {}", "ab".repeat(32)));
    check(&"ab".repeat(64), &format!("sha512 {}", "ab".repeat(64)));
}

#[test]
fn defanged_text_is_read() {
    check("203[.]0[.]113(.)7", "ipv4 203.0.113.7");
    check("bad[dot]example(dot)com", "domain bad.example.com");
    check("hxxps[:]//bad[.]example[.]com/x", "url bad.example.com/x");
    check("hXXp[://]bad.example.com/x", "url bad.example.com/x");
    check("eve[@]bad[.]example[.]com", "email eve@bad.example.com");
    check("eve(at)bad.example.com", "email eve@bad.example.com");
    check("\"bad\\.example\\.com\"", "domain bad.example.com");
}

#[test]
fn what_would_hit_everything_is_refused() {
    let no = |text: &str, why: Refusal| assert_eq!(one(text), Err(why), "{text}");
    no("0.0.0.0/0", Refusal::TooWide);
    no("64.0.0.0/7", Refusal::TooWide);
    assert!(one("64.0.0.0/8").is_ok());
    no("2000::/15", Refusal::TooWide);
    assert!(one("2a02::/16").is_ok());
    no("::/0", Refusal::TooWide);
    no("com", Refusal::PublicSuffix);
    no(".com", Refusal::PublicSuffix);
    no("co.uk", Refusal::PublicSuffix);
    no("*.or.jp", Refusal::PublicSuffix);
    no("github.io", Refusal::PublicSuffix);
    no("anything.ck", Refusal::PublicSuffix);
    check(
        "ec2-203-0-113-7.compute-1.amazonaws.com",
        "domain ec2-203-0-113-7.compute-1.amazonaws.com",
    );
    no("localhost", Refusal::Unrecognised);
    for reserved in [
        "10.1.2.3",
        "172.31.255.255",
        "192.168.0.0/16",
        "127.0.0.1",
        "169.254.1.1",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "0.1.2.3",
        "192.0.0.0/8",
        "::1",
        "::",
        "fe80::1",
        "fd00::/16",
        "ff02::1",
        "http://192.168.1.1/x",
    ] {
        no(reserved, Refusal::Reserved);
    }
    for fine in ["172.32.0.1", "100.128.0.1", "192.0.2.1", "198.18.0.1", "11.0.0.0/8"] {
        assert!(one(fine).is_ok(), "{fine}");
    }
    no("d41d8cd98f00b204e9800998ecf8427e", Refusal::EmptyHash);
    no(&"0".repeat(64), Refusal::EmptyHash);
    no(&"ab".repeat(15), Refusal::HashLength);
    no(&"ab".repeat(33), Refusal::HashLength);
    no("http://bad.example.com/a-long…", Refusal::CutOff);
    no("", Refusal::Empty);
    no("setup.exe", Refusal::Unrecognised);
    no("1.2.3", Refusal::Unrecognised);
    no("203.0.113.7-203.0.113.1", Refusal::Unrecognised);
    no("203.0.113.0/33", Refusal::Unrecognised);
    no(&format!("http://bad.example.com/{}", "x".repeat(4_096)), Refusal::TooLong);
    let mut out = Vec::new();
    assert_eq!(parse("0.0.0.0/0", true, &mut out), Ok(()));
    assert_eq!(parse("co.uk", true, &mut out), Ok(()));
}

#[test]
fn a_url_covers_by_path() {
    let covers = |text: &str| {
        let mut out = String::new();
        let parts = url::normal(text, None, &mut out).unwrap();
        parts.covers().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        covers("http://a.example/p/q?r=1"),
        ["a.example/p/q?r=1", "a.example/p/q", "a.example/", "a.example/p/"]
    );
    assert_eq!(covers("http://a.example"), ["a.example/"]);
    assert_eq!(covers("a.example:443"), ["a.example/"]);
    assert_eq!(covers("http://a.example/p/"), ["a.example/p/", "a.example/"]);
    let mut out = String::new();
    let parts = url::normal("/p?q", Some("A.example"), &mut out).unwrap();
    assert_eq!(parts.text, "a.example/p?q");
    assert_eq!(url::normal("/p?q", None, &mut String::new()), None);
}

proptest! {
    #[test]
    fn nothing_panics_and_what_is_taken_reads_back(text in "\\PC{0,60}") {
        let mut out = Vec::new();
        if parse(&text, false, &mut out).is_ok() {
            for value in out {
                prop_assert_eq!(Value::of(value.kind(), &value.to_string()), Some(value));
            }
        }
    }

    #[test]
    fn a_range_is_its_networks(a in any::<u32>(), more in 0u32..70_000) {
        let b = a.saturating_add(more);
        let ip = |n: u32| IpAddr::from(n.to_be_bytes());
        let nets: Vec<Network> = crate::network::range(ip(a), ip(b)).unwrap();
        let mut at = u64::from(a);
        for net in nets {
            let (first, last) = net.v4().unwrap();
            prop_assert_eq!(u64::from(first), at);
            at = u64::from(last) + 1;
        }
        prop_assert_eq!(at, u64::from(b) + 1);
    }
}

#[test]
fn the_widest_ranges_are_read() {
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    let all = crate::network::range(ip("0.0.0.0"), ip("255.255.255.255")).unwrap();
    assert_eq!(all.iter().map(ToString::to_string).collect::<Vec<_>>(), ["0.0.0.0/0"]);
    let all = crate::network::range(ip("::"), ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
    assert_eq!(all.unwrap().iter().map(ToString::to_string).collect::<Vec<_>>(), ["::/0"]);
}
