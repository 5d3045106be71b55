//! Small builders of findings and relations for the tests of this crate.
#![allow(clippy::unwrap_used)]

use crate::graph::Tie;
use yagura_event::time::{Micros, SECOND};
use yagura_event::{Finding, Level, Observable, ObservableKind, Party, RelationKind, Role, Sample};

pub fn host(name: &str) -> Observable {
    Observable::new(ObservableKind::Host, name).unwrap()
}

pub fn ip(address: &str) -> Observable {
    Observable::new(ObservableKind::Ip, address).unwrap()
}

pub fn user(name: &str) -> Observable {
    Observable::new(ObservableKind::User, name).unwrap()
}

pub fn domain(name: &str) -> Observable {
    Observable::new(ObservableKind::Domain, name).unwrap()
}

pub fn command(line: &str) -> Observable {
    Observable::new(ObservableKind::CommandLine, line).unwrap()
}

pub fn tie(kind: RelationKind, from: Observable, to: Observable, time: Micros) -> Tie {
    Tie { kind, from, to, first: time, last: time, count: 1 }
}

/// A finding with one record, high ones conjunctions and the rest of single events; `tags` are separated by spaces, without `attack.`.
pub fn finding(
    id: u128,
    rule: &str,
    level: Level,
    tags: &str,
    time: Micros,
    parties: &[(Role, Observable)],
) -> Finding {
    let parties: Vec<Party> = parties
        .iter()
        .map(|(role, observable)| Party { role: *role, observable: observable.clone() })
        .collect();
    Finding {
        id,
        version: 1,
        tenant: "acme".into(),
        rule: rule.into(),
        rule_version: "1".into(),
        title: rule.replace('_', " "),
        level,
        kind: if level == Level::High { "value_count" } else { "rule" }.into(),
        tags: tags.split_whitespace().map(|t| format!("attack.{t}")).collect(),
        group: String::new(),
        first_time: time,
        last_time: time + SECOND,
        count: 1,
        samples: vec![Sample {
            event: id << 32,
            rule: rule.into(),
            time,
            source: "made_up".into(),
            feed: "test".into(),
            fields: vec![("Image".into(), rule.into())],
            parties: parties.clone(),
            raw: format!("record of {rule}"),
        }],
        parties,
        lsn: id as u64,
        retrospective: false,
    }
}
