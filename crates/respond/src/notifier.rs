//! Offers what is new and sends what is due, with the time given.

use crate::case::Case;
use crate::channel::Channel;
use crate::config::{NotifyConfig, check_all};
use crate::error::RespondError;
use crate::event::Event;
use crate::lane::{Done, Lane};
use crate::news::{News, news};
use crate::payload::{Notice, payload};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use yagura_event::Level;
use yagura_event::time::Micros;
use yagura_meta::PeopleStore;
use yagura_meta::outbox::{self, Failed, Key, Offer, SeenMap, Status};

/// Tells what happens to incidents, with a thread for each channel.
///
/// ```text
/// notifier.begin(&store, &cases)?;                 // once, before inputs are open
/// loop {
///     let wake = notifier.step(&store, now, &cases)?;
///     notifier.wait(until wake, at most until the cases are looked at again);
/// }
/// ```
/// To be run without channels, too: it then takes note of what nobody is told, so that a channel
/// configured later does not tell old things.
pub struct Notifier {
    lanes: Vec<Lane>,
    ended: Receiver<Done>,
    /// Ends that are not marked in the outbox.
    waiting: VecDeque<Done>,
    /// Whether what waits for channels that are gone was given up.
    cleared: bool,
}

impl Notifier {
    /// Makes the channels ready and starts their threads.
    ///
    /// # Errors
    /// [`RespondError::Config`] if any is wrong or names a file or secret that is not there; then
    /// none is started. [`RespondError::Thread`].
    pub fn new(channels: &[NotifyConfig]) -> Result<Self, RespondError> {
        check_all(channels).map_err(RespondError::Config)?;
        let ready: Result<Vec<Channel>, String> =
            channels.iter().map(NotifyConfig::channel).collect();
        Self::of(ready.map_err(RespondError::Config)?)
    }

    pub(crate) fn of(channels: Vec<Channel>) -> Result<Self, RespondError> {
        let (sender, ended) = channel();
        let lane = |(index, channel)| Lane::new(channel, index, sender.clone());
        let lanes = channels.into_iter().enumerate().map(lane).collect::<Result<_, _>>()?;
        Ok(Self { lanes, ended, waiting: VecDeque::new(), cleared: false })
    }

    /// Takes note of all incidents that are there, if nothing was ever noted in this store: who
    /// configures a channel is not told of the past. Returns how many were noted.
    ///
    /// # Errors
    /// [`RespondError::Store`].
    pub fn begin<'a>(
        &self,
        store: &PeopleStore,
        cases: impl IntoIterator<Item = &'a Case>,
    ) -> Result<usize, RespondError> {
        let conn = store.connection();
        if outbox::has_begun(conn)? {
            return Ok(0);
        }
        let seen: SeenMap =
            cases.into_iter().map(|case| (place(case), news(None, case).1)).collect();
        outbox::begin(conn, &seen)?;
        Ok(seen.len())
    }

    /// [`Self::offer`], then [`Self::send`]. Returns when to come back at the latest, `None` where
    /// nothing waits.
    ///
    /// # Errors
    /// As those.
    pub fn step<'a>(
        &mut self,
        store: &PeopleStore,
        now: Micros,
        cases: impl IntoIterator<Item = &'a Case>,
    ) -> Result<Option<Micros>, RespondError> {
        self.offer(store, now, cases)?;
        self.send(store, now)
    }

    /// Keeps a notification for each channel and each thing that is new about `cases`, which may
    /// be all or those that changed. Returns how many it kept.
    ///
    /// # Errors
    /// [`RespondError::Store`]; then nothing is kept, and all of it is new the next time.
    pub fn offer<'a>(
        &self,
        store: &PeopleStore,
        now: Micros,
        cases: impl IntoIterator<Item = &'a Case>,
    ) -> Result<usize, RespondError> {
        let conn = store.connection();
        let known = outbox::seen(conn)?;
        let (mut offers, mut changed) = (Vec::new(), SeenMap::new());
        for case in cases {
            let before = known.get(&place(case));
            let (list, next) = news(before, case);
            for lane in &self.lanes {
                if lane.channel.tells(case, next.level) {
                    offers.extend(list.iter().map(|n| offered(&lane.channel, case, n, next.level)));
                }
            }
            if before != Some(&next) {
                changed.insert(place(case), next);
            }
        }
        if changed.is_empty() {
            return Ok(0);
        }
        Ok(outbox::commit(conn, now, &offers, &changed)?)
    }

    /// Marks the tries that ended, and begins one on each channel that is free and has something
    /// that may go. Returns when to come back at the latest, `None` where nothing waits; while a
    /// try is under way, [`Self::wait`] returns when it ends.
    ///
    /// # Errors
    /// [`RespondError::Store`], [`RespondError::Thread`].
    pub fn send(
        &mut self,
        store: &PeopleStore,
        now: Micros,
    ) -> Result<Option<Micros>, RespondError> {
        let conn = store.connection();
        if !self.cleared {
            let names: Vec<&str> = self.lanes.iter().map(|l| l.channel.name.as_str()).collect();
            let given_up = outbox::orphans(conn, &names)?;
            if given_up > 0 {
                tracing::warn!(given_up, "notifications for channels that are not configured");
            }
            self.cleared = true;
        }
        self.settle(store, now)?;
        let mut wake: Option<Micros> = None;
        for lane in &mut self.lanes {
            let (floor, quiet_until) = lane.channel.floor(now);
            let name = lane.channel.name.clone();
            if lane.is_free(now)
                && let Some(item) = outbox::due(conn, &name, floor, now, 1)?.into_iter().next()
            {
                lane.begin(item, now);
            }
            let next = match lane.deadline() {
                Some(deadline) => Some(deadline),
                None => {
                    let rested = |time: Micros| time.max(lane.rests_until);
                    let urgent = outbox::next_try(conn, &name, floor)?.map(rested);
                    let held = match quiet_until {
                        Some(end) => outbox::next_try(conn, &name, Level::Informational)?
                            .map(|time| rested(time.max(end))),
                        None => None,
                    };
                    [urgent, held].into_iter().flatten().min()
                }
            };
            wake = [wake, next].into_iter().flatten().min();
        }
        Ok(wake)
    }

    /// Waits until a try ends, at most `timeout`; `true` if one did. Its end is marked by the next
    /// [`Self::send`].
    pub fn wait(&mut self, timeout: Duration) -> bool {
        match self.ended.recv_timeout(timeout) {
            Ok(done) => {
                self.waiting.push_back(done);
                true
            }
            Err(RecvTimeoutError::Timeout) => false,
            // Without channels nobody is left to say anything.
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(timeout);
                false
            }
        }
    }

    fn settle(&mut self, store: &PeopleStore, now: Micros) -> Result<(), RespondError> {
        self.waiting.extend(self.ended.try_iter());
        while let Some(done) = self.waiting.front() {
            let Some(lane) = self.lanes.get_mut(done.channel) else { break };
            // The mark comes first: if it cannot be made it is made the next time. What a thread
            // that was given up took after all is taken.
            if lane.knows(done) || done.result.is_ok() {
                mark(store, &lane.channel.name, done, now)?;
            }
            lane.end(done, now);
            self.waiting.pop_front();
        }
        for lane in &mut self.lanes {
            if let Some(done) = lane.give_up(now)? {
                mark(store, &lane.channel.name, &done, now)?;
            }
        }
        Ok(())
    }
}

fn place(case: &Case) -> (String, String) {
    (case.tenant.clone(), case.incident.clone())
}

/// The notification of an event.
fn offered(channel: &Channel, case: &Case, news: &News<'_>, highest: Level) -> Offer {
    let of = |event: &str| Key {
        channel: channel.name.clone(),
        tenant: case.tenant.clone(),
        incident: case.incident.clone(),
        event: event.to_owned(),
    };
    let key = of(&news.event.key());
    let notice = Notice {
        id: key.id(case.opened_lsn),
        thread: of(Event::Opened.word()).id(case.opened_lsn),
        channel: &channel.name,
        event: news.event.clone(),
        decision: news.decision,
        case,
    };
    let payload = payload(&notice, channel);
    Offer { id: notice.id, key, kind: channel.kind.word(), urgency: highest, payload }
}

fn mark(store: &PeopleStore, channel: &str, done: &Done, now: Micros) -> Result<(), RespondError> {
    let conn = store.connection();
    let failure = match &done.result {
        Ok(note) => return Ok(outbox::sent(conn, &done.id, now, note.as_deref())?),
        Err(failure) => failure,
    };
    let failed = Failed {
        error: &failure.error,
        permanent: failure.permanent,
        not_before: failure.not_before,
    };
    match outbox::failed(conn, &done.id, now, &failed)? {
        Some(Status::Dead) => {
            tracing::error!(channel, id = done.id, error = failure.error, "notification given up");
        }
        Some(_) => {
            tracing::warn!(channel, id = done.id, error = failure.error, "notification failed");
        }
        None => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests;
