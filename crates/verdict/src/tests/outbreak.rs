//! One critical rule on several hosts.

use super::*;

/// The rule on hosts ws1.., each `gap` after the one before.
fn hits(hosts: usize, gap: Micros) -> Vec<Finding> {
    let hit = |n: usize| {
        let mut hit = finding(
            n as u128,
            "mass_encryption",
            Level::Critical,
            "impact t1486",
            T0 + n as Micros * gap,
            &[(Role::Device, host(&format!("ws{n}")))],
        );
        hit.kind = "rule".into();
        hit
    };
    (1..=hosts).map(hit).collect()
}

#[test]
fn a_critical_rule_on_several_hosts_at_once_is_one_incident() {
    for hosts in [1, 2, 3, 8, 20] {
        for gap in [0, 1_000_000, 5 * MINUTE] {
            let list = judge(&hits(hosts, gap), &office(20));
            assert_eq!(list.len(), 1, "{hosts} hosts, {gap} apart");
            assert_eq!(list[0].findings.len(), hosts);
            let named = values(&list[0], PrincipalRole::VictimHost);
            assert_eq!(named.len(), hosts, "{named:?}");
        }
    }
}

#[test]
fn hosts_hit_hours_apart_are_incidents_of_their_own() {
    assert_eq!(judge(&hits(3, HOUR), &office(20)).len(), 3);
}

#[test]
fn a_critical_rule_that_hits_everybody_all_day_is_a_habit() {
    assert_eq!(judge(&hits(20, HOUR), &office(20)).len(), 0);
}
