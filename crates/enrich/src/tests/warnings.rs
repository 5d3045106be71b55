//! Warning lists: what each type covers, and that a covered hit stays visible.

use super::{list, matches_at, push_event};
use crate::{Group, Indicators, Scratch, WarningList, Warnings};
use yagura_event::{ColumnId, EventBatch};

fn warning(kind: &str, list: &str, attributes: &str) -> WarningList {
    let json = format!(
        r#"{{"name":"{kind} list","version":1,"description":"d","type":"{kind}","list":[{list}],"matching_attributes":[{attributes}]}}"#
    );
    WarningList::read(json.as_bytes()).unwrap()
}

#[test]
fn each_type_covers_in_its_way() {
    let covered = |list: &WarningList, group: Group, value: &str| {
        Warnings::new(std::slice::from_ref(list)).covers(group, value, value).is_some()
    };
    let cidr =
        warning("cidr", r#""198.51.100.0/24", "203.0.113.9", "2001:db8::/32", "0.0.0.0/0""#, "");
    assert!(covered(&cidr, Group::Ip, "198.51.100.7"));
    assert!(covered(&cidr, Group::Ip, "198.51.100.128/25"));
    assert!(!covered(&cidr, Group::Ip, "198.51.0.0/16"));
    assert!(covered(&cidr, Group::Ip, "203.0.113.9"));
    assert!(!covered(&cidr, Group::Ip, "203.0.113.10"));
    assert!(covered(&cidr, Group::Ip, "2001:db8::7"));
    assert!(covered(&cidr, Group::Url, "http://198.51.100.7/x"));
    let hostname = warning("hostname", r#""example.com", ".example.net""#, "");
    assert!(covered(&hostname, Group::Domain, "www.Example.com"));
    assert!(covered(&hostname, Group::Domain, "a.example.net"));
    assert!(!covered(&hostname, Group::Domain, "notexample.com"));
    assert!(covered(&hostname, Group::Url, "https://www.example.com:8443/x?y"));
    let string = warning("string", r#""Example.com", ".example.net", "ABAB""#, "");
    assert!(covered(&string, Group::Domain, "example.com"));
    assert!(!covered(&string, Group::Domain, "www.example.com"));
    assert!(covered(&string, Group::Domain, "www.example.net"));
    assert!(covered(&string, Group::Url, "http://example.com/"));
    assert!(!covered(&string, Group::Url, "http://example.com/x"));
    assert!(covered(&string, Group::Hash, "abab"));
    let part = warning("substring", r#""example.com""#, "");
    assert!(covered(&part, Group::Url, "http://x.EXAMPLE.com/a"));
    assert!(!covered(&part, Group::Url, "http://x.example.net/a"));
    let regex = warning("regex", r#""/^(abuse|soc)\\@.*\\..*$/i", "/(/""#, "");
    assert!(covered(&regex, Group::Email, "SOC@example.com"));
    assert!(!covered(&regex, Group::Email, "eve@example.com"));
    let warnings = Warnings::new(&[cidr, regex]);
    assert_eq!(warnings.counts(), (2, 4, 2));
}

#[test]
fn attributes_restrict_a_list() {
    let list = warning("string", r#""example.com""#, r#""hostname", "domain""#);
    let warnings = Warnings::new(&[list]);
    assert_eq!(warnings.covers(Group::Domain, "example.com", "example.com"), Some(0));
    assert_eq!(warnings.covers(Group::Url, "example.com/", "http://example.com/"), None);
    assert!(WarningList::read(b"{}").is_err());
}

#[test]
fn a_covered_hit_names_the_warning_list_and_is_no_finding() {
    let lists = [list("l", "203.0.113.1\nbad.example.com\nother.example.com\n")];
    let warnings = [
        warning("cidr", r#""203.0.113.0/24""#, ""),
        warning("string", r#""www.bad.example.com""#, ""),
    ];
    let set = Indicators::new(&lists, Warnings::new(&warnings)).unwrap();
    let rules = |columns: &[(ColumnId, &str)]| {
        let found = matches_at(&set, 0, columns);
        found.iter().map(|m| m.rule.clone()).collect::<Vec<_>>()
    };
    assert_eq!(rules(&[(ColumnId::SRC_IP, "203.0.113.1")]), ["intel:warninglist:cidr list"]);
    assert_eq!(
        rules(&[(ColumnId::DST_HOSTNAME, "www.bad.example.com")]),
        ["intel:warninglist:string list"]
    );
    assert_eq!(rules(&[(ColumnId::DST_HOSTNAME, "bad.example.com")]), ["intel:l:domain:medium"]);
    let covered = set.rules().iter().filter(|rule| !rule.finding).count();
    assert_eq!(covered, 2);
    let mut batch = EventBatch::default();
    push_event(&mut batch, 0, &[(ColumnId::SRC_IP, "203.0.113.1")]);
    let mut out = Vec::new();
    set.matches(batch.event(0).unwrap(), "", &mut Scratch::default(), &mut out);
    assert!(out[0].fields.contains(&("indicator.list".to_owned(), "l".to_owned())));
}
