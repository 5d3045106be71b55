//! Tests of the notifier with peers in memory: once each, quiet hours, slow and failing peers.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::channel::{Failure, Transport};
use crate::lane::TRY_TIME_MAX;
use crate::quiet::QuietHours;
use crate::tests::{Peer, T0, case, channel, decided};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use yagura_event::TenantScope;
use yagura_event::time::{HOUR, MINUTE, SECOND};
use yagura_meta::outbox::{Item, OutboxRow, backoff};

fn store() -> (TempDir, PeopleStore) {
    let dir = TempDir::new().unwrap();
    let store = PeopleStore::open(&dir.path().join("meta.sqlite")).unwrap();
    (dir, store)
}

fn rows(store: &PeopleStore) -> Vec<OutboxRow> {
    let mut rows = outbox::list(store.connection(), &TenantScope::operator(), None, 99).unwrap();
    rows.reverse();
    rows
}

/// Steps until nothing is under way.
fn run(
    notifier: &mut Notifier,
    store: &PeopleStore,
    now: Micros,
    cases: &[Case],
) -> Option<Micros> {
    let mut wake = notifier.step(store, now, cases).unwrap();
    while notifier.lanes.iter().any(|lane| lane.deadline().is_some()) {
        assert!(notifier.wait(Duration::from_secs(20)), "a try never ends");
        wake = notifier.send(store, now).unwrap();
    }
    wake
}

fn events(peer: &Peer) -> Vec<String> {
    let event = |(_, body): &(String, String)| {
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        body["event"].as_str().unwrap().to_owned()
    };
    peer.got.lock().unwrap().iter().map(event).collect()
}

#[test]
fn each_state_arrives_once_and_who_asks_for_less_hears_less() {
    let (_dir, store) = store();
    let (all, zen, grave) =
        (Arc::<Peer>::default(), Arc::<Peer>::default(), Arc::<Peer>::default());
    let mut of_zen = channel("zen", zen.clone());
    of_zen.tenant = Some("zen".to_owned());
    let mut severe = channel("severe", grave.clone());
    severe.severity_min = Level::Critical;
    let mut notifier = Notifier::of(vec![channel("all", all.clone()), of_zen, severe]).unwrap();
    let mut case = case();
    assert_eq!(run(&mut notifier, &store, T0, std::slice::from_ref(&case)), None);
    case.decisions.push(decided(1, "in_progress", ""));
    run(&mut notifier, &store, T0, std::slice::from_ref(&case));
    case.severity = Level::Critical;
    run(&mut notifier, &store, T0, std::slice::from_ref(&case));
    // Less severe than it was: who heard of it hears the end.
    case.severity = Level::Medium;
    case.decisions.push(decided(2, "closed", "false_positive"));
    for _ in 0..3 {
        run(&mut notifier, &store, T0, std::slice::from_ref(&case));
    }
    assert_eq!(events(&all), ["opened", "in_progress", "severity_raised", "closed"]);
    assert_eq!(events(&grave), ["severity_raised", "closed"]);
    assert_eq!(events(&zen), [""; 0]);
    // The same from another process.
    let again = Arc::<Peer>::default();
    let mut notifier = Notifier::of(vec![channel("all", again.clone())]).unwrap();
    run(&mut notifier, &store, T0, &[case]);
    assert_eq!(events(&again), [""; 0]);
}

#[test]
fn the_past_is_not_told() {
    let (_dir, store) = store();
    let peer = Arc::<Peer>::default();
    let mut notifier = Notifier::of(vec![channel("soc", peer.clone())]).unwrap();
    let mut case = case();
    assert_eq!(notifier.begin(&store, [&case]).unwrap(), 1);
    case.decisions.push(decided(1, "closed", ""));
    let other = Case { incident: "INC-2027-0043".to_owned(), ..case.clone() };
    assert_eq!(notifier.begin(&store, [&case, &other]).unwrap(), 0);
    run(&mut notifier, &store, T0, &[case, other]);
    assert_eq!(events(&peer), ["closed", "opened", "closed"]);
}

#[test]
fn quiet_hours_hold_back_what_is_not_urgent() {
    let (_dir, store) = store();
    let peer = Arc::<Peer>::default();
    let mut quiet = channel("soc", peer.clone());
    quiet.quiet = Some(QuietHours {
        from: "07:00".parse().unwrap(),
        until: "09:30".parse().unwrap(),
        zone: crate::zone::zone("UTC").unwrap(),
        except_from: Level::Critical,
    });
    let mut notifier = Notifier::of(vec![quiet]).unwrap();
    let (high, end) = (case(), T0 + HOUR + 30 * MINUTE);
    let other = Case { incident: "INC-2027-0043".to_owned(), ..case() };
    assert_eq!(run(&mut notifier, &store, T0, &[high.clone(), other.clone()]), Some(end));
    assert_eq!(events(&peer), [""; 0]);
    // As an incident gets critical all of it passes, from its beginning.
    let raised = Case { severity: Level::Critical, ..high.clone() };
    assert_eq!(run(&mut notifier, &store, T0 + 1, &[raised.clone(), other.clone()]), Some(end));
    assert_eq!(events(&peer), ["opened", "severity_raised"]);
    assert_eq!(run(&mut notifier, &store, end - 1, &[raised.clone(), other.clone()]), Some(end));
    assert_eq!(run(&mut notifier, &store, end, &[raised, other]), None);
    assert_eq!(events(&peer), ["opened", "severity_raised", "opened"]);
    assert_eq!(rows(&store)[1].attempts, 1);
}

#[test]
fn a_failing_peer_is_given_time_and_gets_the_same_again() {
    let (_dir, store) = store();
    let peer = Arc::<Peer>::default();
    let mut notifier = Notifier::of(vec![channel("soc", peer.clone())]).unwrap();
    let mut cases = vec![case(), Case { incident: "INC-2027-0043".to_owned(), ..case() }];
    *peer.answer.lock().unwrap() = Some(Failure::passing("down"));
    // The first fails, and with it the channel rests; then the other has its turn.
    let wake = run(&mut notifier, &store, T0, &cases).unwrap();
    assert_eq!((wake, peer.got.lock().unwrap().len()), (T0 + backoff(1), 1));
    cases[0].title = "another title".to_owned();
    let wake = run(&mut notifier, &store, wake, &cases).unwrap();
    assert_eq!(wake, T0 + backoff(1) + backoff(2));
    *peer.answer.lock().unwrap() = None;
    assert_eq!(run(&mut notifier, &store, wake, &cases), None);
    let got = peer.got.lock().unwrap().clone();
    assert_eq!((got.len(), &got[0], &got[1]), (4, &got[2], &got[3]));
    assert_ne!(got[0], got[1]);
    assert!(rows(&store).iter().all(|row| (row.attempts, row.status) == (2, Status::Sent)));
}

#[test]
fn what_is_refused_for_good_is_given_up_and_comes_back_when_asked() {
    let (_dir, store) = store();
    let peer = Arc::<Peer>::default();
    let mut notifier = Notifier::of(vec![channel("soc", peer.clone())]).unwrap();
    *peer.answer.lock().unwrap() = Some(Failure::permanent("status 410"));
    let cases = [case(), Case { incident: "INC-2027-0043".to_owned(), ..case() }];
    assert_eq!(run(&mut notifier, &store, T0, &cases), None);
    let dead = rows(&store);
    assert_eq!(dead.iter().filter(|row| row.status == Status::Dead).count(), 2);
    assert_eq!(dead[0].last_error.as_deref(), Some("status 410"));
    *peer.answer.lock().unwrap() = None;
    let scope = TenantScope::operator();
    assert!(outbox::retry(store.connection(), &scope, &dead[0].id, T0).unwrap());
    run(&mut notifier, &store, T0, &cases);
    let got = peer.got.lock().unwrap().clone();
    assert_eq!((got.len(), &got[2]), (3, &got[0]));
}

/// A peer that answers when it is let.
struct Slow(Mutex<Receiver<()>>);

impl Transport for Slow {
    fn send(&self, _: &Item, _: Micros) -> Result<Option<String>, Failure> {
        let _ = self.0.lock().unwrap().recv();
        Ok(None)
    }
}

/// A peer at which the sender panics.
struct Broken;

impl Transport for Broken {
    fn send(&self, _: &Item, _: Micros) -> Result<Option<String>, Failure> {
        panic!("broken");
    }
}

#[test]
fn a_slow_peer_holds_up_no_other_and_is_given_up_in_time() {
    let (_dir, store) = store();
    let (_let_go, wait) = std::sync::mpsc::channel();
    let peer = Arc::<Peer>::default();
    let slow = channel("slow", Arc::new(Slow(Mutex::new(wait))));
    let mut notifier = Notifier::of(vec![slow, channel("soc", peer.clone())]).unwrap();
    let cases: Vec<Case> =
        (0..5).map(|n| Case { incident: format!("INC-2027-{n:04}"), ..case() }).collect();
    let wake = notifier.step(&store, T0, &cases).unwrap();
    assert_eq!(wake, Some(T0 + TRY_TIME_MAX));
    while peer.got.lock().unwrap().len() < 5 {
        assert!(notifier.wait(Duration::from_secs(20)));
        notifier.send(&store, T0 + SECOND).unwrap();
    }
    let late = T0 + TRY_TIME_MAX;
    assert_eq!(notifier.send(&store, late).unwrap(), Some(late + backoff(1)));
    let row = &rows(&store)[0];
    assert_eq!((row.channel.as_str(), row.attempts, row.status), ("slow", 1, Status::Pending));
    assert!(row.last_error.as_ref().unwrap().contains("longer than"));
}

#[test]
fn a_panic_is_a_failed_try() {
    let (_dir, store) = store();
    let mut notifier = Notifier::of(vec![channel("soc", Arc::new(Broken))]).unwrap();
    let wake = run(&mut notifier, &store, T0, &[case()]);
    assert_eq!(wake, Some(T0 + backoff(1)));
    assert_eq!(
        run(&mut notifier, &store, T0 + backoff(1), &[]),
        Some(T0 + backoff(1) + backoff(2))
    );
    assert_eq!(rows(&store)[0].attempts, 2);
}

#[test]
fn without_channels_it_waits_all_the_same() {
    let mut notifier = Notifier::new(&[]).unwrap();
    let (began, pause) = (std::time::Instant::now(), std::time::Duration::from_millis(30));
    assert!(!notifier.wait(pause));
    assert!(began.elapsed() >= pause);
}
