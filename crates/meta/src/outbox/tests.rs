//! Tests of the outbox: once for each event, the waits, the order, giving up, erasure.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::PeopleStore;
use tempfile::TempDir;
use yagura_event::TenantName;
use yagura_event::time::DAY;

const T0: Micros = 1_800_000_000 * SECOND;

fn store() -> (TempDir, PeopleStore) {
    let dir = TempDir::new().unwrap();
    let store = PeopleStore::open(&dir.path().join("meta.sqlite")).unwrap();
    (dir, store)
}

fn key(channel: &str, tenant: &str, event: &str) -> Key {
    let [channel, tenant, event] = [channel, tenant, event].map(str::to_owned);
    Key { channel, tenant, incident: "INC-2027-0001".to_owned(), event }
}

fn offered(channel: &str, tenant: &str, event: &str, urgency: Level) -> Offer {
    let key = key(channel, tenant, event);
    let payload = format!("{channel} {event}");
    Offer { id: key.id(7), key, kind: "mail", urgency, payload }
}

fn ids(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.payload.as_str()).collect()
}

fn refused(error: &str) -> Failed<'_> {
    Failed { error, permanent: false, not_before: None }
}

#[test]
fn an_id_is_a_hash_of_the_key_and_of_what_opened_the_incident() {
    let key = key("soc", "acme", "opened");
    assert_eq!(key.id(7), "4c5b3cab6315349d67dc9cae8bdcbf24");
    let shifted = super::tests::key("soca", "cme", "opened");
    assert_ne!(key.id(7), shifted.id(7));
    assert_ne!(key.id(7), key.id(8));
}

#[test]
fn offering_begins_once() {
    let (_dir, store) = store();
    let conn = store.connection();
    assert!(!has_begun(conn).unwrap());
    let place = ("acme".to_owned(), "INC-2027-0001".to_owned());
    let told: SeenMap = [(place, Seen { merged: true, ..Seen::default() })].into();
    begin(conn, &told).unwrap();
    assert!(has_begun(conn).unwrap());
    assert_eq!(seen(conn).unwrap(), told);
}

#[test]
fn offering_again_changes_nothing() {
    let (_dir, store) = store();
    let conn = store.connection();
    let offer = offered("soc", "acme", "opened", Level::High);
    let seen: SeenMap = [(
        ("acme".to_owned(), "INC-2027-0001".to_owned()),
        Seen { level: Level::High, version: 3, ..Seen::default() },
    )]
    .into();
    assert_eq!(commit(conn, T0, std::slice::from_ref(&offer), &seen).unwrap(), 1);
    let again = Offer { payload: "other".to_owned(), ..offer };
    assert_eq!(commit(conn, T0 + 1, &[again], &seen).unwrap(), 0);
    let items = due(conn, "soc", Level::Low, T0, 9).unwrap();
    assert_eq!((ids(&items), items[0].created), (vec!["soc opened"], T0));
    assert_eq!(super::seen(conn).unwrap(), seen);
    sent(conn, &items[0].id, T0 + 5, None).unwrap();
    let again = offered("soc", "acme", "opened", Level::Critical);
    assert!(!super::offer(conn, T0 + 9, &again).unwrap());
    assert_eq!(due(conn, "soc", Level::Low, T0 + DAY, 9).unwrap(), []);
    let row = &list(conn, &TenantScope::operator(), Some(Status::Sent), 9).unwrap()[0];
    assert_eq!((row.attempts, row.sent, row.next_try), (1, Some(T0 + 5), None));
    let kept: String = conn.query_row("SELECT payload FROM outbox", [], |r| r.get(0)).unwrap();
    assert_eq!(kept, "");
}

#[test]
fn waits_double_up_to_a_limit_and_end_after_a_day() {
    let seconds: Vec<i64> = (1..=10).map(|n| backoff(n) / SECOND).collect();
    assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
    assert_eq!(backoff(u32::MAX), BACKOFF_MAX);
    let whole: Micros = (1..TRIES_MAX).map(backoff).sum();
    assert!(whole < AGE_MAX && whole > AGE_MAX - HOUR);
    let (_dir, store) = store();
    let conn = store.connection();
    let offer = offered("soc", "acme", "opened", Level::High);
    super::offer(conn, T0, &offer).unwrap();
    let mut now = T0;
    for n in 1..TRIES_MAX {
        let items = due(conn, "soc", Level::Low, now, 9).unwrap();
        assert_eq!((items.len(), items[0].attempts), (1, n - 1));
        let status = failed(conn, &offer.id, now, &refused("down")).unwrap();
        assert_eq!(status, Some(Status::Pending));
        assert_eq!(due(conn, "soc", Level::Low, now, 9).unwrap(), []);
        let next = next_try(conn, "soc", Level::Low).unwrap().unwrap();
        assert_eq!(next, now + backoff(n));
        now = next;
    }
    assert_eq!(failed(conn, &offer.id, now, &refused("down")).unwrap(), Some(Status::Dead));
    assert_eq!(failed(conn, &offer.id, now, &refused("down")).unwrap(), None);
    assert_eq!(next_try(conn, "soc", Level::Low).unwrap(), None);
    let operator = TenantScope::operator();
    let zen = TenantScope::one(TenantName::new("zen").unwrap());
    assert!(!retry(conn, &zen, &offer.id, now).unwrap());
    assert!(retry(conn, &operator, &offer.id, now).unwrap());
    assert!(!retry(conn, &operator, &offer.id, now).unwrap());
    let items = due(conn, "soc", Level::Low, now, 9).unwrap();
    assert_eq!((ids(&items), items[0].attempts), (vec!["soc opened"], 0));
    // Few tries over a long time end, too: a machine that slept.
    failed(conn, &offer.id, now, &refused("down")).unwrap();
    let late = now + AGE_MAX - 1;
    assert_eq!(failed(conn, &offer.id, late, &refused("down")).unwrap(), Some(Status::Pending));
    assert_eq!(failed(conn, &offer.id, late + 1, &refused("x")).unwrap(), Some(Status::Dead));
}

#[test]
fn a_permanent_failure_ends_at_once_and_a_peer_may_ask_for_a_wait() {
    let (_dir, store) = store();
    let conn = store.connection();
    let (one, two) = (
        offered("soc", "acme", "opened", Level::High),
        offered("other", "acme", "opened", Level::High),
    );
    let seen = SeenMap::new();
    assert_eq!(commit(conn, T0, &[one.clone(), two.clone()], &seen).unwrap(), 2);
    let long = "é".repeat(ERROR_BYTES_MAX);
    let permanent = Failed { error: &long, permanent: true, not_before: None };
    assert_eq!(failed(conn, &one.id, T0, &permanent).unwrap(), Some(Status::Dead));
    let dead = list(conn, &TenantScope::operator(), Some(Status::Dead), 9).unwrap();
    assert_eq!((dead.len(), dead[0].last_error.as_ref().unwrap().len()), (1, ERROR_BYTES_MAX));
    for (asked, next) in [(MINUTE, MINUTE), (0, backoff(2)), (DAY, BACKOFF_MAX)] {
        let wait = Failed { error: "busy", permanent: false, not_before: Some(T0 + asked) };
        failed(conn, &two.id, T0, &wait).unwrap();
        assert_eq!(next_try(conn, "other", Level::Low).unwrap(), Some(T0 + next));
    }
    let of = |tenant: &str| TenantScope::one(TenantName::new(tenant).unwrap());
    let counted = counts(conn, &of("acme")).unwrap();
    assert_eq!(counted.len(), 2);
    assert_eq!((counted[0].channel.as_str(), counted[0].pending), ("other", 1));
    assert_eq!((counted[1].dead, counted[1].oldest_pending), (1, None));
    assert_eq!(counted[0].oldest_pending, Some(T0));
    assert_eq!(counts(conn, &of("zen")).unwrap(), []);
    assert_eq!(list(conn, &of("zen"), None, 9).unwrap(), []);
}

#[test]
fn an_incident_is_told_in_order_and_what_is_urgent_passes() {
    let (_dir, store) = store();
    let conn = store.connection();
    let events = ["opened", "in_progress:1", "closed:2"];
    let offers: Vec<_> = events.map(|e| offered("soc", "acme", e, Level::High)).into();
    commit(conn, T0, &offers, &SeenMap::new()).unwrap();
    let first = |level| ids(&due(conn, "soc", level, T0, 9).unwrap()).join(",");
    assert_eq!((first(Level::Low), first(Level::Critical)), ("soc opened".into(), String::new()));
    failed(conn, &offers[0].id, T0, &refused("down")).unwrap();
    assert_eq!(first(Level::Low), "");
    assert_eq!(next_try(conn, "soc", Level::Low).unwrap(), Some(T0 + BACKOFF_MIN));
    assert_eq!(next_try(conn, "soc", Level::Critical).unwrap(), None);
    // What waits of an incident becomes as urgent as the incident.
    let raised = offered("soc", "acme", "severity_raised:critical", Level::Critical);
    super::offer(conn, T0, &raised).unwrap();
    let all = due(conn, "soc", Level::Critical, T0 + BACKOFF_MIN, 9).unwrap();
    assert_eq!(ids(&all), ["soc opened"]);
    let permanent = Failed { error: "no", permanent: true, not_before: None };
    failed(conn, &offers[0].id, T0, &permanent).unwrap();
    assert_eq!(first(Level::Critical), "soc in_progress:1");
}

#[test]
fn what_waits_for_a_channel_that_is_gone_is_given_up() {
    let (_dir, store) = store();
    let conn = store.connection();
    let offers =
        [offered("old", "acme", "opened", Level::Low), offered("new", "acme", "a", Level::Low)];
    commit(conn, T0, &offers, &SeenMap::new()).unwrap();
    assert_eq!(orphans(conn, &["new"]).unwrap(), 1);
    assert_eq!(orphans(conn, &["new"]).unwrap(), 0);
    assert_eq!(due(conn, "old", Level::Low, T0, 9).unwrap(), []);
    assert_eq!(due(conn, "new", Level::Low, T0, 9).unwrap().len(), 1);
}

#[test]
fn a_tenant_goes_with_its_decisions_and_notifications() {
    let (dir, mut store) = store();
    let path = dir.path().join("meta.sqlite");
    let holds = |text: &str| {
        ["", "-wal"].iter().any(|ending| {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            let bytes = std::fs::read(name).unwrap_or_default();
            bytes.windows(text.len()).any(|part| part == text.as_bytes())
        })
    };
    let offers = ["acme", "zen"].map(|tenant| Offer {
        payload: format!("secrets of {tenant}"),
        ..offered("soc", tenant, "opened", Level::High)
    });
    let seen: SeenMap = ["acme", "zen"]
        .map(|tenant| ((tenant.to_owned(), "INC-2027-0001".to_owned()), Seen::default()))
        .into();
    commit(store.connection(), T0, &offers, &seen).unwrap();
    let sql = "INSERT INTO decisions VALUES
               (?1, 'INC-2027-0001', 1, 'closed', NULL, 'drill', 'kim', 1)";
    for tenant in ["acme", "zen"] {
        store.connection().execute(sql, [tenant]).unwrap();
    }
    assert!(holds("secrets of acme"));
    store.erase("acme").unwrap();
    assert!(store.finish_erasure().unwrap());
    assert!(!holds("secrets of acme") && holds("secrets of zen"));
    for table in ["outbox", "outbox_seen", "decisions"] {
        let sql = format!("SELECT group_concat(tenant) FROM {table}");
        let left: String = store.connection().query_row(&sql, [], |row| row.get(0)).unwrap();
        assert_eq!(left, "zen", "{table}");
    }
}
