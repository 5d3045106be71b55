//! Small stories: what must become one incident, what two, and what none.
#![allow(clippy::unwrap_used)]

mod indicators;
mod outbreak;
pub mod sample;

use crate::cluster::{Candidate, candidates};
use crate::graph::{Graph, Tie};
use crate::outcome::Outcome;
use crate::principal::PrincipalRole;
use crate::reading::Item;
use crate::tests::sample::{command, domain, finding, host, ip, tie, user};
use yagura_event::time::{DAY, HOUR, MINUTE, Micros};
use yagura_event::{Finding, Level, RelationKind, Role};

const T0: Micros = 1_700_000_000_000_000;

fn judge(findings: &[Finding], ties: &[Tie]) -> Vec<Candidate> {
    let items: Vec<Item<'_>> =
        findings.iter().map(|f| Item { finding: f, first_lsn: f.lsn }).collect();
    candidates(&items, &Graph::new(ties))
}

/// An office: workstations ws1.., their users u1.., a domain controller, resolver and proxy that
/// all use, and a public web server with outside visitors.
fn office(size: usize) -> Vec<Tie> {
    let mut ties = Vec::new();
    let mut add = |kind, from, to| ties.push(tie(kind, from, to, T0));
    for (n, name) in ["dc", "resolver", "proxy", "fs", "web"].iter().enumerate() {
        add(RelationKind::HasAddress, host(name), ip(&format!("10.0.9.{}", n + 1)));
    }
    for n in 1..=size {
        let (ws, us) = (host(&format!("ws{n}")), user(&format!("u{n}")));
        add(RelationKind::HasAddress, ws.clone(), ip(&format!("10.0.0.{n}")));
        add(RelationKind::Session, us.clone(), ws.clone());
        for server in ["dc", "fs"] {
            add(RelationKind::Session, us.clone(), host(server));
        }
        for server in ["dc", "resolver", "proxy", "fs"] {
            add(RelationKind::Connected, ws.clone(), host(server));
        }
        add(RelationKind::Connected, host("proxy"), ip(&format!("192.0.2.{n}")));
        add(RelationKind::Connected, host("resolver"), ip(&format!("192.0.2.{n}")));
        add(RelationKind::Connected, ip(&format!("198.51.100.{n}")), host("web"));
    }
    ties
}

/// Web server taken over from outside, then the file server with u2's account, then a beacon
/// from ws2.
fn three_hosts(at: Micros, first_id: u128) -> Vec<Finding> {
    let id = |n: u128| first_id + n;
    let mut list = vec![
        finding(
            id(0),
            "web_scan",
            Level::Medium,
            "reconnaissance t1595",
            at,
            &[(Role::Source, ip("203.0.113.66")), (Role::Destination, ip("10.0.9.5"))],
        ),
        finding(
            id(1),
            "shell_under_service",
            Level::High,
            "execution t1059",
            at + 10 * MINUTE,
            &[
                (Role::Device, host("web")),
                (Role::Actor, user("www-data")),
                (Role::Object, command("id")),
            ],
        ),
        finding(
            id(2),
            "internal_port_scan",
            Level::Medium,
            "discovery t1046",
            at + 15 * MINUTE,
            &[
                (Role::Source, ip("10.0.9.5")),
                (Role::Destination, ip("10.0.0.4")),
                (Role::Destination, ip("10.0.0.5")),
                (Role::Destination, ip("10.0.0.6")),
                (Role::Destination, ip("10.0.0.7")),
            ],
        ),
        finding(
            id(3),
            "archive_after_logon",
            Level::High,
            "collection t1560",
            at + 30 * MINUTE,
            &[
                (Role::Device, host("fs")),
                (Role::Actor, user("CORP\\u2")),
                (Role::Source, ip("10.0.9.5")),
                (Role::Object, command("compress")),
            ],
        ),
        finding(
            id(4),
            "beacon",
            Level::High,
            "command-and-control t1071.001",
            at + 50 * MINUTE,
            &[
                (Role::Source, ip("10.0.0.2")),
                (Role::Actor, user("u2")),
                (Role::Destination, domain("cdn-updates.example")),
            ],
        ),
    ];
    for finding in &mut list {
        finding.kind = "value_count".into();
    }
    list
}

fn values(candidate: &Candidate, role: PrincipalRole) -> Vec<&str> {
    let principals = candidate.story.principals.iter();
    principals.filter(|p| p.role == role).map(|p| p.entity.value.as_str()).collect()
}

#[test]
fn an_attack_over_three_hosts_is_one_incident() {
    let list = judge(&three_hosts(T0, 1), &office(20));
    assert_eq!(list.len(), 1);
    let story = &list[0].story;
    assert_eq!(list[0].findings.len(), 5);
    assert_eq!(list[0].findings[0].0, 1, "the oldest finding is the identity");
    let hosts = values(&list[0], PrincipalRole::VictimHost);
    assert!(hosts.contains(&"web") && hosts.contains(&"fs") && hosts.contains(&"ws2"), "{hosts:?}");
    assert!(values(&list[0], PrincipalRole::CompromisedAccount).contains(&"u2"));
    assert_eq!(values(&list[0], PrincipalRole::AttackerAddress), ["203.0.113.66"]);
    assert_eq!(values(&list[0], PrincipalRole::Destination), ["cdn-updates.example"]);
    assert_eq!(values(&list[0], PrincipalRole::TargetedHost), Vec::<&str>::new());
    assert_eq!(story.outcome, Outcome::Succeeded);
    assert_eq!(story.tactics.len(), 5);
    assert_eq!(story.evidence.len(), 5);
    assert!(story.title.contains("web") && story.title_ja.contains("侵害"), "{}", story.title);
    assert!(story.summary.contains("203.0.113.66") && story.summary_ja.contains("u2"));
}

#[test]
fn two_attacks_that_share_only_servers_stay_apart() {
    for size in [6, 20, 200] {
        let attack = |n: u32, id: u128, at: Micros| {
            let (ws, us) = (format!("ws{n}"), format!("u{n}"));
            vec![
                finding(
                    id,
                    "dropper",
                    Level::High,
                    "execution t1204",
                    at,
                    &[
                        (Role::Device, host(&ws)),
                        (Role::Actor, user(&us)),
                        (Role::Object, command("x")),
                    ],
                ),
                finding(
                    id + 1,
                    "kerberos_oddity",
                    Level::High,
                    "credential-access t1558",
                    at + HOUR,
                    &[
                        (Role::Device, host("dc")),
                        (Role::Target, user(&us)),
                        (Role::Source, ip(&format!("10.0.0.{n}"))),
                    ],
                ),
                finding(
                    id + 2,
                    "tunnel_over_dns",
                    Level::High,
                    "command-and-control t1572",
                    at + HOUR,
                    &[
                        (Role::Source, host(&ws)),
                        (Role::Destination, host("resolver")),
                        (Role::Object, domain(&format!("t{n}.example"))),
                    ],
                ),
                finding(
                    id + 3,
                    "odd_agent",
                    Level::Medium,
                    "command-and-control t1071",
                    at + HOUR,
                    &[(Role::Source, host(&ws)), (Role::Destination, host("proxy"))],
                ),
            ]
        };
        let mut all = attack(1, 10, T0);
        all.extend(attack(3, 20, T0 + 20 * MINUTE));
        let list = judge(&all, &office(size));
        assert_eq!(list.len(), 2, "office of {size}");
        for candidate in &list {
            let hosts = values(candidate, PrincipalRole::VictimHost);
            assert_eq!(hosts.len(), 1, "office of {size}: {hosts:?}");
            assert_eq!(values(candidate, PrincipalRole::CompromisedAccount).len(), 1);
        }
    }
}

#[test]
fn noise_on_a_busy_server_opens_nothing() {
    let mut all = Vec::new();
    for n in 0..300u32 {
        let level = if n % 3 == 0 { Level::Medium } else { Level::Low };
        let rule = format!("rule_{}", n % 40);
        let who = user(&format!("u{}", n % 20 + 1));
        let at = T0 + i64::from(n) * 4 * MINUTE;
        all.push(finding(
            u128::from(n) + 1,
            &rule,
            level,
            "execution",
            at,
            &[(Role::Device, host("fs")), (Role::Actor, who), (Role::Object, command("job"))],
        ));
    }
    assert_eq!(judge(&all, &office(20)), []);
    let admin: Vec<Finding> = (0..40u32)
        .map(|n| {
            let at = T0 + i64::from(n) * MINUTE;
            finding(
                u128::from(n) + 1,
                &format!("rule_{n}"),
                Level::Medium,
                "",
                at,
                &[
                    (Role::Device, host("ws1")),
                    (Role::Actor, user("u1")),
                    (Role::Object, command("job")),
                ],
            )
        })
        .collect();
    assert_eq!(judge(&admin, &office(20)), [], "medium findings alone never open an incident");
}

#[test]
fn scanning_from_outside_opens_nothing() {
    let all: Vec<Finding> = (0..60u32)
        .map(|n| {
            let at = T0 + i64::from(n) * MINUTE;
            let rule = format!("ids_{}", n % 9);
            finding(
                u128::from(n) + 1,
                &rule,
                Level::High,
                "reconnaissance",
                at,
                &[
                    (Role::Source, ip(&format!("203.0.113.{}", n % 3))),
                    (Role::Destination, ip("10.0.9.5")),
                ],
            )
        })
        .collect();
    assert_eq!(judge(&all, &office(20)), []);
}

#[test]
fn a_mistyped_password_is_no_principal() {
    let mut all = three_hosts(T0, 1);
    let mut typo = finding(
        90,
        "failed_logon",
        Level::Medium,
        "credential-access t1110",
        T0 + 40 * MINUTE,
        &[
            (Role::Device, host("dc")),
            (Role::Target, user("u5")),
            (Role::Source, ip("198.51.100.77")),
        ],
    );
    typo.samples[0].fields.push(("EventID".into(), "4625".into()));
    all.push(typo);
    let list = judge(&all, &office(20));
    assert_eq!(list.len(), 1);
    assert!(list[0].story.principals.iter().all(|p| p.entity.value != "u5"));
    assert!(list[0].findings.iter().all(|id| id.0 != 90));
}

#[test]
fn a_popular_administrator_joins_nothing_but_a_user_on_three_hosts_does() {
    let on = |id: u128, rule: &str, ws: &str, who: &str| {
        finding(
            id,
            rule,
            Level::High,
            "",
            T0 + i64::from(id as u32) * MINUTE,
            &[(Role::Device, host(ws)), (Role::Actor, user(who)), (Role::Object, command("x"))],
        )
    };
    let mut ties = office(120);
    for n in 1..=120 {
        ties.push(tie(RelationKind::Session, user("adm"), host(&format!("ws{n}")), T0));
    }
    let by = |who: &str| {
        vec![
            on(1, "a", "ws1", who),
            on(2, "b", "ws2", who),
            on(3, "c", "ws3", who),
            on(4, "d", "ws3", who),
        ]
    };
    assert_eq!(judge(&by("adm"), &ties).iter().filter(|c| c.findings.len() > 2).count(), 0);
    for host_name in ["ws1", "ws2", "ws3"] {
        ties.push(tie(RelationKind::Session, user("eve"), host(host_name), T0));
    }
    let list = judge(&by("eve"), &ties);
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].findings.len(), 4);
    assert_eq!(values(&list[0], PrincipalRole::CompromisedAccount), ["eve"]);
}

#[test]
fn time_apart_is_story_apart() {
    let mut all = three_hosts(T0, 1);
    all.extend(three_hosts(T0 + 5 * DAY, 100));
    assert_eq!(judge(&all, &office(20)).len(), 2);
}

#[test]
fn the_order_of_findings_and_relations_does_not_matter() {
    let mut all = three_hosts(T0, 1);
    all.extend(three_hosts(T0 + 5 * DAY, 100));
    let mut ties = office(20);
    let forward = judge(&all, &ties);
    all.reverse();
    ties.reverse();
    assert_eq!(judge(&all, &ties), forward);
}

#[test]
fn one_critical_finding_is_an_incident_and_one_high_is_none() {
    let one = |level| {
        vec![finding(
            1,
            "dumped",
            level,
            "credential-access t1003",
            T0,
            &[(Role::Device, host("ws1")), (Role::Actor, user("u1")), (Role::Object, command("x"))],
        )]
    };
    assert_eq!(judge(&one(Level::Critical), &office(9)).len(), 1);
    assert_eq!(judge(&one(Level::High), &office(9)), []);
}

#[test]
fn ocsf_forms_have_the_contract() {
    let all = three_hosts(T0, 1);
    let json = crate::finding_json(&all[4]);
    assert_eq!(json["class_uid"], 2004);
    assert_eq!(json["finding_info"]["analytic"]["uid"], "beacon");
    assert_eq!(json["finding_info"]["attacks"][0]["sub_technique"]["uid"], "T1071.001");
    assert_eq!(json["finding_info"]["attacks"][0]["tactic"]["uid"], "TA0011");
    assert_eq!(json["severity_id"], 4);
    assert_eq!(json["evidences"][0]["raw_data"], "record of beacon");
    let story = judge(&all, &office(20)).remove(0).story;
    let incident = crate::Incident {
        id: "INC-2023-0001".into(),
        tenant: "acme".into(),
        state: crate::State::Open,
        opened_lsn: 4,
        opened_time: T0,
        story,
    };
    let json = crate::incident_json(&incident);
    assert_eq!(json["class_uid"], 2005);
    assert_eq!(json["type_uid"], 200501);
    let roles: Vec<&str> = json["principals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["role"].as_str().unwrap())
        .collect();
    assert!(roles.contains(&"victim_host") && roles.contains(&"destination"), "{roles:?}");
    assert_eq!(json["evidences"].as_array().unwrap().len(), 5);
    let text = serde_json::to_string(&incident).unwrap();
    assert_eq!(serde_json::from_str::<crate::Incident>(&text).unwrap(), incident);
}

#[test]
fn leads_alone_open_nothing_but_join_the_story_of_their_doer() {
    let lead = |id: u128, who: &str, at: Micros| {
        let mut lead = finding(
            id,
            &format!("lead_{id}"),
            Level::High,
            &format!("execution t{id}"),
            at,
            &[(Role::Device, host("fs")), (Role::Actor, user(who)), (Role::Object, command("x"))],
        );
        lead.kind = "rule".into();
        lead
    };
    let many: Vec<Finding> = (1..=12).map(|n| lead(2_000 + n, "u2", T0)).collect();
    assert_eq!(judge(&many, &office(20)), []);
    let mut all = three_hosts(T0, 1);
    all.push(lead(2_000, "u2", T0 + 35 * MINUTE));
    all.push(lead(2_001, "u7", T0 + 35 * MINUTE));
    all.push(lead(2_002, "u2", T0 + 5 * HOUR));
    let list = judge(&all, &office(20));
    assert_eq!(list.len(), 1);
    let joined = |id: u128| list[0].findings.iter().any(|f| f.0 == id);
    assert!(joined(2_000), "the doer's lead, in time");
    assert!(!joined(2_001), "somebody else's on the same host");
    assert!(!joined(2_002), "the doer's, hours later");
    assert!(list[0].story.principals.iter().all(|p| p.entity.value != "u7"));
}

#[test]
fn an_account_with_a_session_on_a_host_taken_over_is_exposed() {
    let at_web = || {
        let parties = [
            (Role::Device, host("web")),
            (Role::Actor, user("www-data")),
            (Role::Object, command("id")),
        ];
        let rules = [("shell", "execution t1059"), ("dump", "credential-access t1003")];
        rules.map(|(rule, tags)| finding(rule.len() as u128, rule, Level::High, tags, T0, &parties))
    };
    let staged = finding(
        9,
        "archive_after_logon",
        Level::High,
        "collection t1560",
        T0 + HOUR,
        &[(Role::Device, host("fs")), (Role::Actor, user("u2")), (Role::Object, command("zip"))],
    );
    let mut all = at_web().to_vec();
    all[1].level = Level::Critical;
    all.push(staged);
    let mut ties = office(20);
    assert_eq!(judge(&all, &ties)[0].findings.len(), 2, "nothing ties the two hosts");
    ties.push(tie(RelationKind::Session, user("u2"), host("web"), T0 - HOUR));
    assert_eq!(judge(&all, &ties)[0].findings.len(), 3);
}

#[test]
fn polling_a_place_that_all_poll_and_being_the_proxy_make_no_principal() {
    let beat = |id: u128, n: u32, place: &str| {
        let mut beat = finding(
            id,
            "beacon",
            Level::Medium,
            "command-and-control t1071",
            T0 + HOUR,
            &[
                (Role::Device, host("proxy")),
                (Role::Source, ip(&format!("10.0.0.{n}"))),
                (Role::Actor, user(&format!("u{n}"))),
                (Role::Destination, domain(place)),
            ],
        );
        beat.kind = "periodic".into();
        beat
    };
    let mut ties = office(8);
    for n in 1..=8 {
        let ws = host(&format!("ws{n}"));
        ties.push(tie(RelationKind::Connected, ws, domain("updates.example"), T0));
    }
    let mut all = three_hosts(T0, 1);
    all.push(beat(50, 2, "rare.example"));
    for n in 1..=8 {
        all.push(beat(60 + u128::from(n), n, "updates.example"));
    }
    let list = judge(&all, &ties);
    assert_eq!(list.len(), 1);
    let named = |name: &str| list[0].story.principals.iter().any(|p| p.entity.value == name);
    assert!(named("rare.example") && named("ws2"));
    assert!(!named("updates.example") && !named("proxy") && !named("ws5") && !named("u5"));
}
