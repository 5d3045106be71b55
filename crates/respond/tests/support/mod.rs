//! What the tests with real peers share: an incident, a store, and a clock that jumps.
#![allow(dead_code, clippy::unwrap_used)]

use std::time::Duration;
use tempfile::TempDir;
use yagura_event::time::{Micros, SECOND};
use yagura_event::{Level, TenantScope};
use yagura_meta::PeopleStore;
use yagura_meta::outbox::{self, OutboxRow};
use yagura_respond::{Case, Decision, Notifier, NotifyConfig, Person, check_all};
use yagura_verdict::attack::Tactic;
use yagura_verdict::{EntityKind, Outcome, PrincipalRole};

/// 2027-01-15 08:00:00 UTC.
pub const T0: Micros = 1_800_000_000 * SECOND;

pub fn case(number: u32) -> Case {
    let (kind, value) = (EntityKind::Host, "web1".to_owned());
    Case {
        tenant: "acme".to_owned(),
        incident: format!("INC-2027-{number:04}"),
        opened_lsn: u64::from(number),
        merged_into: None,
        severity: Level::High,
        title: "Compromise of web1\r\nBcc: all@example.org".to_owned(),
        title_ja: "web1 への侵害".to_owned(),
        summary: "4 linked findings tell of one attack.\r\n.\r\nQUIT\r\n".to_owned(),
        summary_ja: "関連する 4 件の検知は一つの攻撃を示す。".to_owned(),
        outcome: Outcome::Succeeded,
        principals: vec![Person { role: PrincipalRole::VictimHost, kind, value }],
        tactics: vec![Tactic::InitialAccess],
        opened_time: T0,
        first_time: T0 - 60 * SECOND,
        last_time: T0,
        decisions: vec![],
        console_url: None,
    }
}

pub fn closed(version: u64) -> Decision {
    Decision {
        version,
        state: "closed".to_owned(),
        verdict: "true_positive".to_owned(),
        reason: "reinstalled".to_owned(),
        by: "kim".to_owned(),
        time: T0 + SECOND,
    }
}

pub fn configs(text: &str) -> Vec<NotifyConfig> {
    #[derive(serde::Deserialize)]
    struct File {
        notify: Vec<NotifyConfig>,
    }
    let file: File = toml::from_str(text).unwrap();
    check_all(&file.notify).unwrap();
    file.notify
}

pub fn store() -> (TempDir, PeopleStore) {
    let dir = TempDir::new().unwrap();
    let store = PeopleStore::open(&dir.path().join("meta.sqlite")).unwrap();
    (dir, store)
}

pub fn rows(store: &PeopleStore) -> Vec<OutboxRow> {
    let mut rows = outbox::list(store.connection(), &TenantScope::operator(), None, 999).unwrap();
    rows.reverse();
    rows
}

/// Steps until nothing waits or `until` is reached, jumping over the waits. Returns the time.
pub fn run(
    notifier: &mut Notifier,
    store: &PeopleStore,
    mut now: Micros,
    until: Micros,
    cases: &[Case],
) -> Micros {
    let mut wake = notifier.step(store, now, cases).unwrap();
    while let Some(next) = wake {
        // Only tries that are under way end; everything else takes the time to jump to.
        if !notifier.wait(Duration::from_millis(if next > now + 100 * SECOND { 15_000 } else { 0 }))
        {
            if next > until {
                return now;
            }
            now = now.max(next);
        }
        wake = notifier.send(store, now).unwrap();
    }
    now
}
