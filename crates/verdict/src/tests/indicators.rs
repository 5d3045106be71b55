//! Findings of indicators are grey: they open nothing, however many there are.
#![allow(clippy::unwrap_used)]

use crate::cluster::candidates;
use crate::graph::Graph;
use crate::ocsf::finding_json;
use crate::reading::{Item, read_all};
use crate::tests::sample::{domain, finding, host, ip};
use yagura_event::{Finding, Level, Role};

const T0: i64 = 1_767_225_600_000_000;

fn listed(id: u128, list: &str, value: &str) -> Finding {
    let parties = [
        (Role::Device, host("pc1")),
        (Role::Destination, ip(value)),
        (Role::Object, domain("x.example")),
    ];
    let mut found =
        finding(id, &format!("intel:{list}:ip:critical"), Level::Critical, "", T0, &parties);
    found.kind = "indicator".into();
    found.group = format!("indicator={value}");
    found
}

#[test]
fn indicators_alone_open_no_incident() {
    let many: Vec<Finding> = (0..60)
        .map(|n| listed(n, &format!("list{}", n % 6), &format!("203.0.113.{}", n / 6)))
        .collect();
    let items: Vec<Item<'_>> =
        many.iter().map(|finding| Item { finding, first_lsn: finding.lsn }).collect();
    assert_eq!(candidates(&items, &Graph::new(&[])), []);
    let readings = read_all(&items, &Graph::new(&[]));
    assert!(readings.iter().all(|reading| reading.lead));
}

#[test]
fn what_several_lists_say_of_one_value_is_dependent() {
    let found = [listed(1, "a", "203.0.113.1"), listed(2, "b", "203.0.113.1")];
    let items: Vec<Item<'_>> =
        found.iter().map(|finding| Item { finding, first_lsn: finding.lsn }).collect();
    let readings = read_all(&items, &Graph::new(&[]));
    assert_eq!(readings[0].dependence, readings[1].dependence);
    let json = finding_json(&found[0]);
    assert_eq!(json["finding_info"]["analytic"]["type"], "Indicator");
    assert_eq!(json["finding_info"]["analytic"]["type_id"], 99);
}
