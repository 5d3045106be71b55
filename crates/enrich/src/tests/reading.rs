//! Lists in every form: plain, tables, STIX, MISP, and those that are none.

use super::{list, refused, values};
use crate::list::List;
use crate::{Limits, REFUSED_CHARS_MAX, REFUSED_KEPT_MAX, Refused, read_list};
use yagura_event::Level;
use yagura_event::time::parse_rfc3339;

const PLAIN: &str = "\u{feff}# a comment\n; another\n// a third\n! a fourth\n\n\
203.0.113.1\n203.0.113.2 # scanner\n203.0.113.3\t; x\n203.0.113.4 // y\n\
203.0.113.5:8080\n203.0.113.6,3\nhash.example.com# z\n203.0.113.7#4#x\n203.0.113.16 - 203.0.113.19\n203.0.113.32 255.255.255.248\n\
198.51.100.0/24\n0.0.0.0 bad.example.com worse.example.com # both\n127.0.0.1\tlocalhost\n\
127.0.0.1 evil.example.com\nhxxp://bad[.]example[.]com/a.exe\nnot an indicator\n10.0.0.1\n";

#[test]
fn plain_lists_with_comments_of_every_style() {
    let list = list("plain", PLAIN);
    assert_eq!(
        values(&list),
        [
            "ipv4 203.0.113.1",
            "ipv4 203.0.113.2",
            "ipv4 203.0.113.3",
            "ipv4 203.0.113.4",
            "ipv4 203.0.113.5",
            "ipv4 203.0.113.6",
            "domain hash.example.com",
            "ipv4 203.0.113.7",
            "network 203.0.113.16/30",
            "network 203.0.113.32/29",
            "network 198.51.100.0/24",
            "domain bad.example.com",
            "domain worse.example.com",
            "domain evil.example.com",
            "url bad.example.com/a.exe",
        ]
    );
    assert_eq!(refused(&list), ["unrecognised 1", "private_or_reserved 1"]);
    assert_eq!(list.fault, None);
}

#[test]
fn carriage_returns_and_a_missing_last_line_end() {
    let list = list("crlf", "203.0.113.1\r\n203.0.113.2\r\n203.0.113.3");
    assert_eq!(list.count(), 3);
}

#[test]
fn tables_by_commented_header() {
    let text = "################\n# Feed of Example\n#\n\
# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"malware_printable\",\"confidence_level\",\"reference\"\n\
\"2026-01-01\", \"1\", \"203.0.113.1:443\", \"ip:port\", \"Example RAT\", \"100\", \"https://ref.example.com/a\"\n\
\"2026-01-01\", \"2\", \"bad.example.com\", \"domain\", \"Example, \"\"Inc\"\"\", \"40\", \"https://ref.example.com/b\"\n";
    let list = list("threat", text);
    assert_eq!(values(&list), ["ipv4 203.0.113.1", "domain bad.example.com"]);
    let said: Vec<(Level, &str)> =
        list.statements().iter().map(|s| (s.level, s.name.as_str())).collect();
    assert_eq!(said, [(Level::High, "Example RAT"), (Level::Medium, "Example, \"Inc\"")]);
}

#[test]
fn tables_by_first_line_and_by_content() {
    let named = list("a", "id;sha256_hash;md5_hash;note\n1;".to_owned().as_str());
    assert_eq!(named.count(), 0);
    let (long, short) = ("ab".repeat(32), "cd".repeat(16));
    let text = format!("id;SHA256 Hash;MD5-Hash;note\n1;{long};{short};https://ref.example.com/\n");
    assert_eq!(values(&list("b", &text)), [format!("sha256 {long}"), format!("md5 {short}")]);
    let text = "2026-01-01,203.0.113.1,https://ref.example.com/1\n\
2026-01-02,203.0.113.2,https://ref.example.com/2\n";
    assert_eq!(values(&list("c", text)), ["ipv4 203.0.113.1", "ipv4 203.0.113.2"]);
    let text = "# IP\tnumber of lists\n#\n203.0.113.1\t10\n203.0.113.2\t9\n";
    assert_eq!(list("d", text).count(), 2);
    let text = "Start\tEnd\tNetmask\n203.0.113.0\t203.0.113.255\t24\n";
    assert_eq!(values(&list("e", text)), ["network 203.0.113.0/24"]);
    let text = "uuid,category,type,value,to_ids\n\
u1,Network,ip-dst|port,203.0.113.1|443,1\nu2,Network,ip-dst,203.0.113.2,0\n\
u3,Payload,filename|md5,a.exe|cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd,1\n";
    let misp = list("f", text);
    assert_eq!(values(&misp), ["ipv4 203.0.113.1".to_owned(), format!("md5 {short}")]);
    assert_eq!(refused(&misp), ["not_for_detection 1"]);
}

fn stix(objects: &str) -> List {
    list("stix", &format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{objects}]}}"#))
}

fn indicator(pattern: &str, more: &str) -> String {
    let pattern = serde_json::to_string(pattern).unwrap();
    format!(
        r#"{{"type":"indicator","id":"indicator--1","name":"n","pattern":{pattern},"pattern_type":"stix"{more}}}"#
    )
}

#[test]
fn stix_patterns_that_say_one_of_several_things() {
    let sha = "ab".repeat(32);
    let md5 = "cd".repeat(16);
    let check = |pattern: &str, want: &[&str]| {
        let list = stix(&indicator(pattern, ""));
        assert_eq!(values(&list), want, "{pattern}");
        assert_eq!(refused(&list), Vec::<String>::new(), "{pattern}");
    };
    check("[ipv4-addr:value = '203.0.113.1']", &["ipv4 203.0.113.1"]);
    check("[ ipv4-addr:value ISSUBSET '198.51.100.0/24' ]", &["network 198.51.100.0/24"]);
    check("[ipv6-addr:value = '2001:db8::1']", &["ipv6 2001:db8::1"]);
    check(
        "[domain-name:value = 'a.example.com' OR url:value = 'http://b.example.com/x']",
        &["domain a.example.com", "url b.example.com/x"],
    );
    check(
        "[domain-name:value IN ('a.example.com', 'b.example.com')]",
        &["domain a.example.com", "domain b.example.com"],
    );
    check(&format!("[file:hashes.'SHA-256' = '{sha}']"), &[&format!("sha256 {sha}")]);
    check(
        &format!("[file:hashes.MD5 = '{md5}' AND file:hashes.\"SHA-256\" = '{sha}']"),
        &[&format!("md5 {md5}"), &format!("sha256 {sha}")],
    );
    check(
        "([email-addr:value = 'e@a.example.com']) OR [ipv4-addr:value='203.0.113.1']",
        &["email e@a.example.com", "ipv4 203.0.113.1"],
    );
    check("[network-traffic:dst_ref.value = '203.0.113.1']", &["ipv4 203.0.113.1"]);
    check("[url:value = 'http://a.example.com/it\\'s']", &["url a.example.com/it's"]);
}

#[test]
fn stix_patterns_that_say_more_are_counted() {
    let check = |pattern: &str, want: &str| {
        let list = stix(&indicator(pattern, ""));
        assert_eq!(refused(&list), [format!("{want} 1")], "{pattern}");
        assert_eq!(list.count(), 0, "{pattern}");
    };
    check(
        "[ipv4-addr:value = '203.0.113.1' AND domain-name:value = 'a.example.com']",
        "pattern_and",
    );
    check(
        "[ipv4-addr:value = '203.0.113.1'] AND [domain-name:value = 'a.example.com']",
        "pattern_and",
    );
    check("[ipv4-addr:value = '203.0.113.1'] FOLLOWEDBY [url:value = 'x']", "pattern_qualifier");
    check("[ipv4-addr:value = '203.0.113.1'] WITHIN 5 SECONDS", "pattern_qualifier");
    check("[ipv4-addr:value != '203.0.113.1']", "pattern_operator");
    check("[url:value LIKE 'http://a.example.com/%']", "pattern_operator");
    check("[NOT ipv4-addr:value = '203.0.113.1']", "pattern_operator");
    check("[file:name = 'a.exe']", "pattern_object");
    check("[file:hashes.SSDEEP = 'x']", "type_unsupported");
    check("[email-message:body_multipart[*].body_raw_ref.name MATCHES '^x']", "pattern_operator");
    check("[ipv4-addr:value = '203.0.113.1'", "pattern_syntax");
    check("nonsense", "pattern_syntax");
    check("[ipv4-addr:value = '10.0.0.1']", "private_or_reserved");
    check(
        &format!("{}[ipv4-addr:value='203.0.113.1']{}", "(".repeat(33), ")".repeat(33)),
        "pattern_syntax",
    );
}

#[test]
fn stix_validity_confidence_and_withdrawal() {
    let more = r#","confidence":85,"labels":["c2"],"valid_from":"2026-01-01T00:00:00Z","valid_until":"2026-02-01T00:00:00Z""#;
    let taken = stix(&indicator("[ipv4-addr:value = '203.0.113.1']", more));
    let said = &taken.statements()[0];
    assert_eq!((said.level, said.name.as_str()), (Level::High, "n [c2]"));
    assert_eq!(said.from, parse_rfc3339("2026-01-01T00:00:00Z"));
    assert_eq!(said.until, parse_rfc3339("2026-02-01T00:00:00Z"));
    let gone = stix(&indicator("[ipv4-addr:value = '203.0.113.1']", r#","revoked":true"#));
    assert_eq!(refused(&gone), ["revoked 1"]);
    let snort = indicator("alert tcp", "").replace(r#""stix""#, r#""snort""#);
    assert_eq!(refused(&stix(&snort)), ["type_unsupported 1"]);
    let observed = r#"{"type":"ipv4-addr","id":"ipv4-addr--1","value":"203.0.113.9"}"#;
    assert_eq!(stix(observed).count(), 0);
}

#[test]
fn misp_events_and_other_json() {
    let text = r#"{"response":[{"Event":{"info":"Campaign","threat_level_id":"1","Orgc":{"value":"203.0.113.9"},
"Attribute":[{"type":"ip-dst","category":"Network activity","to_ids":true,"value":"203.0.113.1"},
{"type":"domain|ip","category":"Network activity","to_ids":true,"value":"a.example.com|203.0.113.2"},
{"type":"ip-dst","category":"Network activity","to_ids":false,"value":"203.0.113.3"},
{"type":"ip-dst","category":"Network activity","to_ids":true,"deleted":true,"value":"203.0.113.4"},
{"type":"mutex","category":"Artifacts","to_ids":true,"value":"m"}],
"Object":[{"name":"file","Attribute":[{"type":"filename|md5","category":"Payload","to_ids":true,"value":"a.exe|cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"}]}]}}]}"#;
    let misp = list("misp", text);
    assert_eq!(
        values(&misp),
        [
            "ipv4 203.0.113.1",
            "domain a.example.com",
            "ipv4 203.0.113.2",
            "md5 cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
        ]
    );
    assert_eq!(refused(&misp), ["revoked 1", "not_for_detection 1", "type_unsupported 1"]);
    assert_eq!(
        (misp.statements()[0].level, misp.statements()[0].name.as_str()),
        (Level::High, "Campaign")
    );
    let lines = "{\"ip\":\"203.0.113.1\",\"confidence\":10}\n{\"ip\":\"203.0.113.2\"}\n";
    assert_eq!(list("lines", lines).count(), 2);
    assert_eq!(list("array", r#"["203.0.113.1", "a.example.com"]"#).count(), 2);
    let damaged = list("damaged", r#"[{"ip":"203.0.113.1"},{"ip":"203.0"#);
    assert_eq!(damaged.count(), 1);
    assert!(damaged.fault.unwrap().contains("damaged JSON"));
    let deep = "[".repeat(10_000);
    assert!(list("deep", &deep).fault.is_some());
}

#[test]
fn what_is_no_list_is_refused_as_a_whole() {
    let whole = |text: &str, word: &str| {
        let list = list("x", text);
        assert_eq!(list.count(), 0, "{word}");
        assert!(list.fault.clone().unwrap_or_default().contains(word), "{:?}", list.fault);
    };
    whole("<html><body>404</body></html>", "web page");
    whole("a\0b\0c\0", "UTF-16");
    let prose = "This is a sentence about www.example.com that says nothing\n".repeat(30);
    whole(&prose, "no list");
    assert_eq!(list("empty", "").fault, None);
}

#[test]
fn limits_hold_at_their_edges() {
    let text = "203.0.113.1\n203.0.113.2\n203.0.113.3\n";
    let with = |bytes: u64, count: u64| {
        let limits = Limits { list_bytes_max: bytes, list_indicators_max: count, wide: false };
        read_list("x", text.as_bytes(), &limits).unwrap()
    };
    let all = text.len() as u64;
    assert_eq!((with(all, 3).count(), with(all, 3).fault), (3, None));
    assert!(with(all - 1, 3).fault.unwrap().contains("longer than"));
    assert_eq!(with(all - 1, 3).count(), 0);
    assert!(with(all, 2).fault.unwrap().contains("more than 2 indicators"));
    // Five gigabytes that are never held.
    struct Endless;
    impl std::io::Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let line = b"# nothing\n";
            buffer.iter_mut().zip(line.iter().cycle()).for_each(|(to, from)| *to = *from);
            Ok(buffer.len() / line.len() * line.len())
        }
    }
    let limits = Limits { list_bytes_max: 64 << 20, ..Limits::default() };
    let endless = read_list("x", Endless, &limits).unwrap();
    assert!(endless.fault.unwrap().contains("longer than"));
    let long = format!("203.0.113.1\n{}\n203.0.113.2\n", "x".repeat(64 * 1024 + 1));
    let long = list("x", &long);
    assert_eq!((long.count(), refused(&long)), (2, vec!["too_long 1".to_owned()]));
}

#[test]
fn the_first_refused_entries_are_kept_with_their_lines() {
    let long = "y".repeat(64 * 1024 + 1);
    let text = format!("# mine\n10.0.0.1\r\n\n203.0.113.1\nwhat\u{7}ever # so\n{long}\ncom\n");
    let read = list("x", &text);
    let told = |one: &Refused| (one.line, one.entry.clone(), one.why.word());
    let kept: Vec<_> = read.first_refused.iter().map(told).collect();
    let cut = "y".repeat(REFUSED_CHARS_MAX);
    assert_eq!(
        kept,
        [
            (Some(2), "10.0.0.1".to_owned(), "private_or_reserved"),
            (Some(5), "what\u{fffd}ever".to_owned(), "unrecognised"),
            (Some(6), cut, "too_long"),
            (Some(7), "com".to_owned(), "public_suffix"),
        ]
    );
    // A header counts as a line, a document has none, and a wide character is one.
    let table = list("x", "ip,comment\n203.0.113.1,a\n10.0.0.2,b\n");
    assert_eq!(told(&table.first_refused[0]).0, Some(3));
    let wide = "櫓".repeat(REFUSED_CHARS_MAX);
    let misp = format!(
        r#"{{"Attribute":[{{"type":"mutex","category":"x","to_ids":true,"value":"{wide}櫓"}},
            {{"type":"ip-dst","category":"x","to_ids":true,"value":"203.0.113.1"}}]}}"#
    );
    let misp = list("x", &misp);
    assert_eq!(
        misp.first_refused.iter().map(told).collect::<Vec<_>>(),
        [(None, wide, "type_unsupported")]
    );
    let many = "203.0.113.1\n".repeat(50) + &"10.0.0.1\n".repeat(REFUSED_KEPT_MAX + 1);
    let many = list("x", &many);
    assert_eq!((many.first_refused.len(), many.refused_count()), (REFUSED_KEPT_MAX, 101));
}

#[test]
fn the_canonical_form_reads_back() {
    let list = list("plain", PLAIN);
    let back = List::decode(&list.encode()).unwrap();
    assert_eq!((back.name.as_str(), values(&back)), ("plain", values(&list)));
    assert_eq!(back.encode(), list.encode());
    assert_eq!(back.taken, list.taken);
    let mut bytes = list.encode();
    assert!(List::decode(&bytes[1..]).is_err());
    let end = bytes.len();
    bytes[end - 30] = b'\n';
    assert!(List::decode(&bytes).is_err());
}
