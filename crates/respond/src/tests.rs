//! What the crate's tests share: an incident, a decision, and a channel with a peer in memory.
#![allow(clippy::unwrap_used)]

use crate::case::{Case, Decision, Person};
use crate::channel::{Channel, Failure, Transport};
use crate::config::{Kind, Language};
use jiff::tz::TimeZone;
use std::sync::{Arc, Mutex};
use yagura_event::Level;
use yagura_event::time::{Micros, SECOND};
use yagura_meta::outbox::Item;
use yagura_verdict::attack::Tactic;
use yagura_verdict::{EntityKind, Outcome, PrincipalRole};

/// 2027-01-15 08:00:00 UTC.
pub(crate) const T0: Micros = 1_800_000_000 * SECOND;

pub(crate) fn case() -> Case {
    let person = |role, kind, value: &str| Person { role, kind, value: value.to_owned() };
    Case {
        tenant: "acme".to_owned(),
        incident: "INC-2027-0042".to_owned(),
        opened_lsn: 7,
        merged_into: None,
        severity: Level::High,
        title: "Compromise of web1 with account eve: initial access to exfiltration".to_owned(),
        title_ja: "web1（アカウント eve）への侵害：初期侵入から情報の持ち出しまで".to_owned(),
        summary: "Between 07:10 and 07:55 UTC, 4 linked findings tell of one attack.".to_owned(),
        summary_ja: "07:10 から 07:55（UTC）までの関連する 4 件の検知は一つの攻撃を示す。"
            .to_owned(),
        outcome: Outcome::Succeeded,
        principals: vec![
            person(PrincipalRole::VictimHost, EntityKind::Host, "web1"),
            person(PrincipalRole::AttackerAddress, EntityKind::Ip, "192.0.2.9"),
        ],
        tactics: vec![Tactic::InitialAccess, Tactic::Exfiltration],
        opened_time: T0,
        first_time: T0 - 3_000 * SECOND,
        last_time: T0 - 300 * SECOND,
        decisions: vec![],
        console_url: Some("https://soc.example.org/incidents/INC-2027-0042".to_owned()),
    }
}

pub(crate) fn decided(version: u64, state: &str, verdict: &str) -> Decision {
    Decision {
        version,
        state: state.to_owned(),
        verdict: verdict.to_owned(),
        reason: "a drill".to_owned(),
        by: "kim".to_owned(),
        time: T0 + 60 * SECOND,
    }
}

/// A peer in memory that answers what it is told to.
#[derive(Default)]
pub(crate) struct Peer {
    pub(crate) got: Mutex<Vec<(String, String)>>,
    pub(crate) answer: Mutex<Option<Failure>>,
}

impl Transport for Peer {
    fn send(&self, item: &Item, _: Micros) -> Result<Option<String>, Failure> {
        self.got.lock().unwrap().push((item.id.clone(), item.payload.clone()));
        match self.answer.lock().unwrap().clone() {
            Some(failure) => Err(failure),
            None => Ok(None),
        }
    }
}

pub(crate) fn channel(name: &str, peer: Arc<dyn Transport>) -> Channel {
    Channel {
        name: name.to_owned(),
        kind: Kind::Webhook,
        severity_min: Level::Medium,
        tenant: None,
        language: Language::Both,
        zone: TimeZone::UTC,
        quiet: None,
        transport: peer,
    }
}
