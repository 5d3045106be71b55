//! Which columns are looked at, and what a match says.

use super::{hits, list, matches_at, push_event, set};
use crate::{Kind, Scratch};
use yagura_event::{ColumnId, EventBatch, Level};

const LIST: &str = "203.0.113.1\n198.51.100.0/24\n198.51.100.128/25\n2001:db8::/32\n2001:db8::7\n\
bad.example.com\nhttp://site.example.com/\nhttp://page.example.com/a/b.php\n\
http://page.example.com/q.php?id=1\nhttp://203.0.113.9/x/\neve@mail.example.com\n\
abababababababababababababababab\nabababababababababababababababababababab\n";

#[test]
fn every_kind_of_column_is_looked_at() {
    let set = set(&[list("l", LIST)]);
    let check = |column: ColumnId, value: &str, want: &[&str]| {
        let found = hits(&set, &[(column, value)]);
        let want: Vec<String> = want.iter().map(|w| format!("intel:l:{w}")).collect();
        assert_eq!(found, want, "{value}");
    };
    check(ColumnId::SRC_IP, "203.0.113.1", &["ip:medium=203.0.113.1"]);
    check(ColumnId::DST_IP, "::ffff:203.0.113.1", &["ip:medium=203.0.113.1"]);
    check(ColumnId::SRC_IP, "203.0.113.2", &[]);
    check(
        ColumnId::DST_IP,
        "198.51.100.130",
        &["ip:medium=198.51.100.128/25", "ip:medium=198.51.100.0/24"],
    );
    check(ColumnId::DST_IP, "2001:db8::7", &["ip:medium=2001:db8::7", "ip:medium=2001:db8::/32"]);
    check(ColumnId::DST_HOSTNAME, "A.b.BAD.example.com.", &["domain:medium=bad.example.com"]);
    check(ColumnId::DST_HOSTNAME, "203.0.113.1", &["ip:medium=203.0.113.1"]);
    check(ColumnId::DNS_QUERY_HOSTNAME, "notbad.example.com", &[]);
    check(ColumnId::TLS_SNI, "bad.example.com", &["domain:medium=bad.example.com"]);
    check(
        ColumnId::URL_STRING,
        "https://x.bad.example.com:8443/a",
        &["domain:medium=bad.example.com"],
    );
    check(
        ColumnId::URL_STRING,
        "http://site.example.com/any/thing?x",
        &["url:medium=site.example.com/"],
    );
    check(ColumnId::URL_STRING, "site.example.com:443", &["url:medium=site.example.com/"]);
    check(
        ColumnId::URL_STRING,
        "http://page.example.com/a/b.php?x=1",
        &["url:medium=page.example.com/a/b.php"],
    );
    check(ColumnId::URL_STRING, "http://page.example.com/a/b.php/c", &[]);
    check(ColumnId::URL_STRING, "http://page.example.com/q.php?id=2", &[]);
    check(
        ColumnId::HTTP_REFERRER,
        "http://page.example.com/q.php?id=1",
        &["url:medium=page.example.com/q.php?id=1"],
    );
    check(ColumnId::URL_STRING, "http://203.0.113.9/x/y", &["url:medium=203.0.113.9/x/"]);
    check(ColumnId::URL_STRING, "http://203.0.113.1/y", &["ip:medium=203.0.113.1"]);
    check(
        ColumnId::EMAIL_FROM,
        "Eve <EVE@mail.example.com>",
        &["email:medium=eve@mail.example.com"],
    );
    check(ColumnId::EMAIL_FROM, "x@bad.example.com", &["domain:medium=bad.example.com"]);
    check(
        ColumnId::EMAIL_TO,
        r#"["a@b.example.com","eve@mail.example.com"]"#,
        &["email:medium=eve@mail.example.com"],
    );
    check(
        ColumnId::HTTP_X_FORWARDED_FOR,
        r#"["192.0.2.1","203.0.113.1"]"#,
        &["ip:medium=203.0.113.1"],
    );
    check(
        ColumnId::DNS_ANSWERS,
        r#"[{"rdata":"203.0.113.1","x":"a\"b"},{"rdata":"bad.example.com"}]"#,
        &["ip:medium=203.0.113.1", "domain:medium=bad.example.com"],
    );
    check(
        ColumnId::FILE_HASH_MD5,
        &"AB".repeat(16),
        &[&format!("hash:medium={}", "ab".repeat(16))],
    );
    let print = ["ab"; 20].join(":");
    check(
        ColumnId::CERTIFICATE_FINGERPRINT,
        &print,
        &[&format!("hash:medium={}", "ab".repeat(20))],
    );
    check(ColumnId::MESSAGE, "203.0.113.1", &[]);
}

#[test]
fn a_path_alone_belongs_to_the_host_beside_it() {
    let set = set(&[list("l", LIST)]);
    let event = [(ColumnId::URL_STRING, "/a/b.php"), (ColumnId::URL_HOSTNAME, "page.example.com")];
    assert_eq!(hits(&set, &event), ["intel:l:url:medium=page.example.com/a/b.php"]);
}

#[test]
fn a_match_says_list_indicator_and_field_once() {
    let set = set(&[list("one", LIST), list("two", "203.0.113.1\n203.0.113.1\n")]);
    assert_eq!(set.counts()[&Kind::Ipv4], 1);
    let event = [(ColumnId::SRC_IP, "203.0.113.1"), (ColumnId::DST_IP, "203.0.113.1")];
    let found = matches_at(&set, 5, &event);
    assert_eq!(found.len(), 2, "one for each list");
    let first = &found[0];
    assert_eq!((first.rule.as_str(), first.time), ("intel:one:ip:medium", 5));
    let fields: Vec<(&str, &str)> =
        first.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        fields,
        [
            ("src_endpoint.ip", "203.0.113.1"),
            ("indicator", "203.0.113.1"),
            ("indicator.kind", "ipv4"),
            ("indicator.list", "one")
        ]
    );
    assert_eq!(first.parties.len(), 2);
    assert_ne!(first.id, found[1].id);
    let rule = set.rules().iter().find(|rule| rule.id == first.rule).unwrap();
    assert_eq!(rule.title, "Address on indicator list one");
    assert_eq!((rule.level, rule.finding), (Level::Medium, true));
    let two = [(ColumnId::SRC_IP, "198.51.100.1"), (ColumnId::DST_IP, "203.0.113.1")];
    let ids: Vec<u128> = matches_at(&set, 5, &two).iter().map(|m| m.id).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
}

#[test]
fn an_indicator_counts_within_its_validity() {
    let text = r#"{"type":"indicator","id":"indicator--1","pattern":"[ipv4-addr:value = '203.0.113.1']",
"valid_from":"1970-01-01T00:00:10Z","valid_until":"1970-01-01T00:00:20Z"}"#;
    let set = set(&[list("stix", text)]);
    let at = |seconds: i64| {
        matches_at(&set, seconds * 1_000_000, &[(ColumnId::SRC_IP, "203.0.113.1")]).len()
    };
    assert_eq!([at(9), at(10), at(19), at(20)], [0, 1, 1, 0]);
}

#[test]
fn the_address_of_a_set_follows_its_content() {
    let hash = |text: &str| set(&[list("l", text)]).hash();
    assert_eq!(hash("203.0.113.1\n"), hash("# x\n203.0.113.1 # y\n"));
    assert_ne!(hash("203.0.113.1\n"), hash("203.0.113.2\n"));
}

#[test]
fn a_miss_leaves_the_scratch_as_it_was() {
    let set = set(&[list("l", LIST)]);
    let mut batch = EventBatch::default();
    push_event(
        &mut batch,
        0,
        &[
            (ColumnId::SRC_IP, "192.0.2.1"),
            (ColumnId::DST_HOSTNAME, "fine.example.com"),
            (ColumnId::URL_STRING, "http://fine.example.com/x?y=1"),
        ],
    );
    let (mut scratch, mut out) = (Scratch::default(), Vec::new());
    set.matches(batch.event(0).unwrap(), "test", &mut scratch, &mut out);
    assert_eq!(out.capacity(), 0);
}
