//! The live stream: server-sent events with the overview, and a word when lists have changed.

use crate::access::Caller;
use crate::error::{ApiError, Kind};
use crate::extract::Params;
use crate::overview::Pulse;
use crate::routes::{Shared, blocking};
use crate::scope::TenantQuery;
use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures::Stream;
use futures::stream;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::watch::Receiver;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yagura_event::TenantScope;

/// How often it is looked whether something has happened, beside the moments at which findings
/// are committed.
const LOOK: Duration = Duration::from_millis(250);

/// Least time from a word that findings have changed to the next: each makes those who follow ask.
const REST: Duration = Duration::from_millis(250);

/// How often the overview comes while something happens, and while nothing does.
const BUSY: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_secs(10);

/// How often a line is sent so that the other end knows the stream is alive.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Most streams at a time; one more is refused with status 429.
const STREAMS_MAX: usize = 200;

/// Streams that are open.
static STREAMS: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(live))
}

/// A place among the streams, given back when it is dropped.
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let taken = STREAMS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| {
            (open < STREAMS_MAX).then_some(open + 1)
        });
        taken.is_ok().then_some(Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        STREAMS.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Follower {
    backend: Shared,
    scope: TenantScope,
    seen: Option<Pulse>,
    told: Option<Instant>,
    ready: VecDeque<Event>,
    /// Wakes when findings are committed.
    committed: Receiver<u64>,
    /// Whether the last look found that findings had changed.
    changed: bool,
    _place: Place,
}

/// Server-sent events: `overview` with the overview as JSON, `incidents` and `findings` with `{}`
/// when their lists have changed.
#[utoipa::path(
    get, path = "/api/v1/live", tag = "platform", params(TenantQuery),
    responses((status = 200, description = "the stream", content_type = "text/event-stream",
        body = String))
)]
async fn live(
    State(backend): State<Shared>,
    caller: Caller,
    Params(query): Params<TenantQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let scope = query.scope(&caller)?;
    let place = Place::take().ok_or_else(|| {
        let text = format!("{STREAMS_MAX} live streams are open; close one");
        ApiError::new(Kind::TooMany, "streams_too_many", text)
    })?;
    let committed = backend.findings_committed();
    let (seen, told, ready, changed) = (None, None, VecDeque::new(), false);
    let follower =
        Follower { backend, scope, seen, told, ready, committed, changed, _place: place };
    let events = stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok(event), follower))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

impl Follower {
    /// The next event; `None` where the platform fails, so that the other end connects anew.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.backend.is_stopping() {
                return None;
            }
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.told.is_some() {
                let rest = if self.changed { REST } else { Duration::ZERO };
                pause(&mut self.committed, rest, LOOK).await;
            }
            self.look().await?;
        }
    }

    async fn look(&mut self) -> Option<()> {
        let (backend, scope) = (self.backend.clone(), self.scope.clone());
        let pulse = blocking(move || backend.pulse(&scope)).await.ok()?;
        self.changed = self.seen.is_some_and(|seen| seen.judged != pulse.judged);
        if let Some(seen) = self.seen {
            if seen.incidents != pulse.incidents {
                self.ready.push_back(Event::default().event("incidents").data("{}"));
            }
            if self.changed {
                self.ready.push_back(Event::default().event("findings").data("{}"));
            }
        }
        let moved = self.seen.is_some_and(|seen| seen != pulse);
        // What moved is told within a second, and once more when it rests.
        let pause = if moved { BUSY } else { IDLE };
        if self.told.is_none_or(|told| told.elapsed() >= pause) {
            let (backend, scope) = (self.backend.clone(), self.scope.clone());
            let overview = blocking(move || backend.overview(&scope)).await.ok()?;
            self.ready.push_back(Event::default().event("overview").json_data(overview).ok()?);
            self.told = Some(Instant::now());
            self.seen = Some(pulse);
        } else if !self.ready.is_empty() {
            let seen = self.seen.get_or_insert(pulse);
            (seen.incidents, seen.judged) = (pulse.incidents, pulse.judged);
        }
        Some(())
    }
}

/// Waits for `rest`, and then until findings are committed or `look` is over. Those that were
/// committed within `rest` end it at once.
async fn pause(committed: &mut Receiver<u64>, rest: Duration, look: Duration) {
    tokio::time::sleep(rest).await;
    if let Ok(Err(_)) = tokio::time::timeout(look, committed.changed()).await {
        // Nobody commits any more: the platform ends, and soon says so.
        tokio::time::sleep(look).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio::sync::watch;

    /// Far longer than a test may take.
    const LONG: Duration = Duration::from_secs(86_400);

    #[tokio::test]
    async fn a_pause_ends_when_findings_are_committed() {
        let (sender, mut committed) = watch::channel(0);
        // While it rests.
        let (rest, none) = (Duration::from_millis(20), Duration::ZERO);
        let commits = async { sender.send(1).unwrap() };
        tokio::join!(pause(&mut committed, rest, LONG), commits);
        // While it waits.
        let commits = async {
            tokio::time::sleep(rest).await;
            sender.send(2).unwrap();
        };
        tokio::join!(pause(&mut committed, none, LONG), commits);
        assert!(!committed.has_changed().unwrap());
    }

    #[tokio::test]
    async fn a_pause_ends_without_findings_and_does_not_spin_without_a_platform() {
        let (sender, mut committed) = watch::channel(0);
        let (look, began) = (Duration::from_millis(20), Instant::now());
        pause(&mut committed, Duration::ZERO, look).await;
        drop(sender);
        pause(&mut committed, Duration::ZERO, look).await;
        assert!(began.elapsed() >= 2 * look);
    }
}
